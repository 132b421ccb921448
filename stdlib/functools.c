/* functools.c - the natives behind functools.asy, as the module _functools: partial, reduce, cmp_to_key's key. */
#include "runtime/asy.h"

/* ---- partial ---- */

typedef struct {
  asy_obj head;
  asy_value func;
  asy_tuple *args;
  asy_dict *keywords;
} partial;

extern const asy_type asy_partial_type;

static partial *partial_of(asy_value v) { return (partial *)asy_obj_of(v); }

static void partial_visit(asy_obj *o, asy_visitor *v) {
  const partial *p = (const partial *)o;
  asy_visit_value(v, p->func);
  asy_visit_obj(v, p->args);
  asy_visit_obj(v, p->keywords);
}

static bool is_partial(asy_vm *vm, asy_value v) {
  asy_class *cls = asy_class_for(vm, &asy_partial_type);
  return cls && asy_type_of(vm, v) == cls;
}

static asy_tuple *joined(asy_vm *vm, const asy_value *a, uint32_t na, const asy_value *b, uint32_t nb) {
  asy_tuple *all = asy_tuple_new(vm, NULL, na + nb);
  if (!all || !(na + nb)) return all;
  if (na) memcpy(all->items, a, na * sizeof *a);
  if (nb) memcpy(all->items + na, b, nb * sizeof *b);
  return all;
}

static asy_value partial_new(asy_vm *vm, const asy_value *args) {
  asy_class *cls = (asy_class *)asy_obj_of(args[0]);
  asy_value func = args[1];
  asy_tuple *rest = (asy_tuple *)asy_obj_of(args[2]);
  if (!asy_callable(vm, func)) return asy_raise(vm, ASY_TypeError, "the first argument must be callable");
  asy_dict *keywords = asy_dict_new(vm, 0);
  if (!keywords) return ASY_FAILED;
  if (is_partial(vm, func)) { /* one level for partial(partial(f, a), b) */
    partial *inner = partial_of(func);
    rest = joined(vm, inner->args->items, inner->args->len, rest->items, rest->len);
    if (!rest || !asy_dict_update(vm, keywords, asy_from_obj(inner->keywords))) return ASY_FAILED;
    func = inner->func;
  }
  if (!asy_dict_update(vm, keywords, args[3])) return ASY_FAILED;
  partial *p = asy_new_instance(vm, cls);
  if (!p) return ASY_FAILED;
  p->func = func;
  p->args = rest;
  p->keywords = keywords;
  asy_barrier(vm, p);
  return asy_from_obj(p);
}

static asy_value partial_call(asy_vm *vm, asy_value self, const asy_value *args, int nargs, asy_tuple *kwnames) {
  partial *p = partial_of(self);
  if (!p->keywords->used) {
    if (!p->args->len) return asy_call_kw(vm, p->func, nargs, args, kwnames);
    asy_tuple *all = joined(vm, p->args->items, p->args->len, args, (uint32_t)nargs);
    if (!all) return ASY_FAILED;
    return asy_call_kw(vm, p->func, (int)all->len, all->items, kwnames);
  }
  uint32_t named = kwnames ? kwnames->len : 0, positional = (uint32_t)nargs - named;
  asy_tuple *all = joined(vm, p->args->items, p->args->len, args, positional);
  asy_dict *keywords = asy_dict_copy(vm, p->keywords);
  if (!all || !keywords) return ASY_FAILED;
  for (uint32_t i = 0; i < named; i++)
    if (!asy_dict_set(vm, keywords, kwnames->items[i], args[positional + i])) return ASY_FAILED;
  return asy_call_ex(vm, p->func, all, keywords);
}

static asy_value partial_repr(asy_vm *vm, asy_value self) {
  if (!asy_check_c_stack(vm)) return ASY_FAILED;
  partial *p = partial_of(self);
  asy_value cls = asy_from_obj(asy_type_of(vm, self));
  asy_value module = asy_get_attr_cstr(vm, cls, "__module__"), name = asy_get_attr_cstr(vm, cls, "__qualname__");
  if (asy_failed(module) || asy_failed(name)) return ASY_FAILED;
  asy_text t;
  asy_text_init(&t, vm);
  if (asy_is_str(module)) {
    asy_text_str(&t, (asy_str *)asy_obj_of(module));
    asy_text_char(&t, '.');
  }
  asy_text_str(&t, (asy_str *)asy_obj_of(name));
  asy_text_char(&t, '(');
  asy_text_repr_of(&t, p->func);
  for (uint32_t i = 0; i < p->args->len; i++) {
    asy_text_ascii(&t, ", ");
    asy_text_repr_of(&t, p->args->items[i]);
  }
  uint32_t position = 0;
  asy_value key, value;
  while (asy_dict_next(p->keywords, &position, &key, &value)) {
    asy_text_ascii(&t, ", ");
    asy_text_str(&t, (asy_str *)asy_obj_of(key));
    asy_text_char(&t, '=');
    asy_text_repr_of(&t, value);
  }
  asy_text_char(&t, ')');
  asy_str *text = asy_text_finish(&t);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

static const asy_member partial_members[] = {
  {"func", offsetof(partial, func), MEMBER_VALUE, false},
  {"args", offsetof(partial, args), MEMBER_OBJECT, false},
  {"keywords", offsetof(partial, keywords), MEMBER_OBJECT, false},
  {0},
};

const asy_type asy_partial_type = {
  .name = "functools.partial",
  .doc = "Create a new function with partial application of the given arguments and keywords.",
  .size = sizeof(partial),
  .flags = ASY_TYPE_ATTRS,
  .visit = partial_visit,
  .new_ = partial_new,
  .new_signature = "(cls, func, /, *args, **keywords)",
  .repr = partial_repr,
  .call = partial_call,
  .members = partial_members,
};

/* ---- reduce ---- */

static asy_value functools_reduce(asy_vm *vm, const asy_value *args) {
  asy_value iterator = asy_iter(vm, args[1]), result = args[2];
  if (asy_failed(iterator)) {
    if (!asy_raised_is(vm, ASY_TypeError)) return ASY_FAILED;
    asy_clear_exception(vm);
    return asy_raise(vm, ASY_TypeError, "reduce() arg 2 must support iteration");
  }
  for (;;) {
    asy_value item = asy_next(vm, iterator);
    if (item == ASY_END) break;
    if (!asy_failed(item)) result = result == ASY_UNBOUND ? item : asy_call2(vm, args[0], result, item);
    if (asy_failed(item) || asy_failed(result)) return ASY_FAILED;
  }
  if (result != ASY_UNBOUND) return result;
  return asy_raise(vm, ASY_TypeError, "reduce() of empty iterable with no initial value");
}

/* ---- cmp_to_key ---- */

typedef struct {
  asy_obj head;
  asy_value compare;
  asy_value obj; /* 0 in the key maker itself */
} compare_key;

extern const asy_type asy_compare_key_type;

static void key_visit(asy_obj *o, asy_visitor *v) {
  const compare_key *key = (const compare_key *)o;
  asy_visit_value(v, key->compare);
  asy_visit_value(v, key->obj);
}

static asy_value new_key(asy_vm *vm, asy_value compare, asy_value obj) {
  asy_class *cls = asy_define_type(vm, &asy_compare_key_type);
  compare_key *key = cls ? asy_new_instance(vm, cls) : NULL;
  if (!key) return ASY_FAILED;
  key->compare = compare;
  key->obj = obj;
  return asy_from_obj(key);
}

static asy_value key_call(asy_vm *vm, asy_value self, const asy_value *args, int nargs, asy_tuple *kwnames) {
  const compare_key *key = (const compare_key *)asy_obj_of(self);
  bool named_obj = kwnames && kwnames->len == 1 && asy_str_equal_cstr((asy_str *)asy_obj_of(kwnames->items[0]), "obj");
  if (nargs != 1 || (kwnames && kwnames->len && !named_obj))
    return asy_raise(vm, ASY_TypeError, "K() takes exactly 1 argument (%d given)", nargs);
  return new_key(vm, key->compare, args[0]);
}

static asy_value key_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op) {
  if (!asy_is_obj(other) || asy_obj_of(other)->kind != asy_obj_of(self)->kind)
    return asy_raise(vm, ASY_TypeError, "other argument must be K instance");
  const compare_key *a = (const compare_key *)asy_obj_of(self), *b = (const compare_key *)asy_obj_of(other);
  if (!a->obj || !b->obj) return asy_raise(vm, ASY_AttributeError, "object");
  asy_value order = asy_call2(vm, a->compare, a->obj, b->obj);
  return asy_failed(order) ? ASY_FAILED : asy_compare(vm, order, asy_from_small(0), op);
}

static const asy_member key_members[] = {{"obj", offsetof(compare_key, obj), MEMBER_VALUE, true}, {0}};

const asy_type asy_compare_key_type = {
  .name = "functools.KeyWrapper",
  .size = sizeof(compare_key),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW | ASY_TYPE_UNHASHABLE,
  .visit = key_visit,
  .compare = key_compare,
  .call = key_call,
  .members = key_members,
};

static asy_value functools_cmp_to_key(asy_vm *vm, const asy_value *args) { return new_key(vm, args[0], 0); }

static const asy_native natives[] = {
  {"cmp_to_key", "(mycmp)", functools_cmp_to_key, "Convert a cmp= function into a key= function.", 0},
  {"reduce", "(function, iterable, initial=?, /)", functools_reduce,
   "Apply a function of two arguments cumulatively to the items of an iterable, from left to right.", 0},
  {0},
};

static bool init(asy_vm *vm, asy_value module) {
  asy_class *cls = asy_define_type(vm, &asy_partial_type);
  return cls && asy_module_set(vm, module, "partial", asy_from_obj(cls));
}

const asy_module_def asy_module_functools = {"_functools", natives, "Natives of functools.", init};
