/* functools.c - the natives behind functools.asy, as the module _functools: partial, reduce, cmp_to_key's key, lru_cache's wrapper. */
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

/* A partial object, perhaps of a subclass, that has no attributes of its own. */
static bool is_partial(asy_vm *vm, asy_value v) {
  const asy_class *cls = asy_class_for(vm, &asy_partial_type);
  if (!cls || !asy_is_kind(v, cls->kind)) return false;
  asy_value attributes = asy_get_attr_cstr(vm, v, "__dict__");
  if (asy_is_kind(attributes, KIND_DICT)) return ((asy_dict *)asy_obj_of(attributes))->used == 0;
  asy_clear_exception(vm);
  return true;
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
  uint32_t position = 0;
  asy_value key, value;
  while (asy_dict_next(keywords, &position, &key, &value))
    if (!asy_is_str(key)) return asy_raise(vm, ASY_TypeError, "keywords must be strings");
  for (uint32_t i = 0; i < named; i++)
    if (!asy_dict_set(vm, keywords, kwnames->items[i], args[positional + i])) return ASY_FAILED;
  return asy_call_ex(vm, p->func, all, keywords);
}

static asy_value show_partial(asy_vm *vm, asy_value self) {
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
    asy_value shown = asy_str_of(vm, key); /* keywords can be changed: not always a str */
    asy_text_ascii(&t, ", ");
    if (asy_failed(shown)) break;
    asy_text_str(&t, (asy_str *)asy_obj_of(shown));
    asy_text_char(&t, '=');
    asy_text_repr_of(&t, value);
  }
  asy_text_char(&t, ')');
  asy_str *text = asy_text_finish(&t);
  return text && !asy_raised(vm) ? asy_from_obj(text) : ASY_FAILED;
}

static asy_value partial_repr(asy_vm *vm, asy_value self) { return asy_repr_guarded(vm, self, show_partial, "..."); }

static asy_value attributes_of(asy_vm *vm, asy_value v) {
  asy_value found = asy_get_attr_cstr(vm, v, "__dict__");
  if (asy_is_kind(found, KIND_DICT) && ((asy_dict *)asy_obj_of(found))->used) return found;
  if (asy_failed(found)) asy_clear_exception(vm);
  return ASY_NONE;
}

static asy_value partial_reduce(asy_vm *vm, const asy_value *args) {
  const partial *p = partial_of(args[0]);
  asy_value attributes = attributes_of(vm, args[0]), made_with = asy_tuple_of(vm, 1, p->func);
  asy_value state = asy_tuple_of(vm, 4, p->func, asy_from_obj(p->args), asy_from_obj(p->keywords), attributes);
  if (asy_failed(made_with) || asy_failed(state)) return ASY_FAILED;
  return asy_tuple_of(vm, 3, asy_from_obj(asy_type_of(vm, args[0])), made_with, state);
}

static asy_value partial_setstate(asy_vm *vm, const asy_value *args) {
  partial *p = partial_of(args[0]);
  const asy_tuple *state = asy_is_kind(args[1], KIND_TUPLE) ? (const asy_tuple *)asy_obj_of(args[1]) : NULL;
  if (!state || state->len != 4 || !asy_callable(vm, state->items[0]) || !asy_is_kind(state->items[1], KIND_TUPLE) ||
      (state->items[2] != ASY_NONE && !asy_is_kind(state->items[2], KIND_DICT)))
    return asy_raise(vm, ASY_TypeError, "invalid partial state");
  asy_tuple *given = (asy_tuple *)asy_obj_of(state->items[1]);
  if (given->head.shape != KIND_TUPLE) given = asy_tuple_new(vm, given->items, given->len);
  asy_dict *keywords = asy_is_exact(state->items[2], KIND_DICT) ? (asy_dict *)asy_obj_of(state->items[2])
                                                                : asy_dict_new(vm, 0);
  if (!given || !keywords) return ASY_FAILED;
  bool copied = state->items[2] != ASY_NONE && !asy_is_exact(state->items[2], KIND_DICT);
  if (copied && !asy_dict_merge(vm, keywords, state->items[2], true)) return ASY_FAILED;
  p->func = state->items[0];
  p->args = given;
  p->keywords = keywords;
  asy_barrier(vm, p);
  asy_value attributes = state->items[3];
  if (attributes == ASY_NONE && attributes_of(vm, args[0]) == ASY_NONE) return ASY_NONE;
  asy_dict *none = asy_dict_new(vm, 0);
  if (attributes == ASY_NONE) attributes = none ? asy_from_obj(none) : ASY_FAILED;
  return !asy_failed(attributes) && asy_set_attr_cstr(vm, args[0], "__dict__", attributes) ? ASY_NONE : ASY_FAILED;
}

static const asy_native partial_methods[] = {
  {"__reduce__", SIG("(self, /)"), partial_reduce, DOC("Return state information for pickling."), 0},
  {"__setstate__", SIG("(self, state, /)"), partial_setstate, 0, 0},
  {"__class_getitem__", SIG("(cls, item, /)"), asy_class_getitem, DOC("See PEP 585"), ASY_NATIVE_CLASS},
  {0},
};

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
  .new_signature = SIG("(cls, func, /, *args, **keywords)"),
  .repr = partial_repr,
  .special = &(const asy_special){.call = partial_call},
  .methods = partial_methods,
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
  compare_key *key = asy_new_object(vm, &asy_compare_key_type);
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
  .special = &(const asy_special){.call = key_call},
  .members = key_members,
};

static asy_value functools_cmp_to_key(asy_vm *vm, const asy_value *args) { return new_key(vm, args[0], 0); }

/* ---- lru_cache ----
 * entries: key -> result when nothing is ever dropped, else key -> node. The nodes of a bounded cache form a ring around `root`,
 * oldest first. A lookup may run script code (__eq__ of a key), which may use the same cache: a hit moves a node, the dict stays.
 */

typedef struct node {
  asy_obj head;
  struct node *older, *newer;
  asy_value key, result;
  int64_t hash; /* of the key */
} node;

typedef struct {
  asy_obj head;
  asy_value func;
  asy_value info; /* the class of what cache_info() returns */
  asy_dict *entries;
  node *root;
  int64_t maxsize; /* -1: unbounded */
  int64_t hits, misses;
  bool typed;
} cached;

static cached *cached_of(asy_value v) { return (cached *)asy_obj_of(v); }

static void node_visit(asy_obj *o, asy_visitor *v) {
  const node *n = (const node *)o;
  asy_visit_obj(v, n->older);
  asy_visit_obj(v, n->newer);
  asy_visit_value(v, n->key);
  asy_visit_value(v, n->result);
}

static const asy_type node_type = {
  .name = "functools._lru_list_elem",
  .size = sizeof(node),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW,
  .visit = node_visit,
};

static void cached_visit(asy_obj *o, asy_visitor *v) {
  const cached *c = (const cached *)o;
  asy_visit_value(v, c->func);
  asy_visit_value(v, c->info);
  asy_visit_obj(v, c->entries);
  asy_visit_obj(v, c->root);
}

static node *node_new(asy_vm *vm) {
  node *n = asy_new_object(vm, &node_type);
  if (n) n->older = n->newer = n;
  return n;
}

static void take_out(asy_vm *vm, node *n) {
  n->older->newer = n->newer;
  n->newer->older = n->older;
  asy_barrier(vm, n->older);
  asy_barrier(vm, n->newer);
}

static void put_newest(asy_vm *vm, node *root, node *n) {
  n->older = root->older;
  n->newer = root;
  n->older->newer = n;
  root->older = n;
  asy_barrier(vm, n->older);
  asy_barrier(vm, root);
  asy_barrier(vm, n);
}

static bool start_empty(asy_vm *vm, cached *c) {
  asy_dict *entries = asy_dict_new(vm, 0);
  node *root = entries ? node_new(vm) : NULL;
  if (!root) return false;
  c->entries = entries;
  c->root = root;
  asy_barrier(vm, c);
  return true;
}

static asy_value cached_new(asy_vm *vm, const asy_value *args) {
  int64_t maxsize = -1;
  int typed = asy_truth(vm, args[3]);
  if (!asy_callable(vm, args[1])) return asy_raise(vm, ASY_TypeError, "the first argument must be callable");
  if (typed < 0 || (args[2] != ASY_NONE && !asy_to_int64(vm, args[2], &maxsize))) return ASY_FAILED;
  cached *c = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  if (!c) return ASY_FAILED;
  c->func = args[1];
  c->info = args[4];
  c->maxsize = args[2] != ASY_NONE && maxsize < 0 ? 0 : maxsize;
  c->typed = typed;
  return start_empty(vm, c) ? asy_from_obj(c) : ASY_FAILED;
}

/* What a call is remembered by: the only argument if it is a plain int or str, else a tuple of all. */
static asy_value key_of_call(asy_vm *vm, const cached *c, const asy_value *args, uint32_t nargs,
                             const asy_tuple *names) {
  uint32_t named = names ? names->len : 0, positional = nargs - named, n = 0;
  if (nargs == 1 && !named && !c->typed && (asy_is_int(args[0]) || asy_is_exact(args[0], KIND_STR))) return args[0];
  asy_tuple *key = asy_tuple_new(vm, NULL, positional + (named ? 1 + 2 * named : 0) + (c->typed ? nargs : 0));
  if (!key) return ASY_FAILED;
  if (!key->len) return asy_from_obj(key);
  for (uint32_t i = 0; i < positional; i++) key->items[n++] = args[i];
  if (named)
    key->items[n++] = asy_from_obj(c->root); /* between positional and named arguments: equal to nothing else */
  for (uint32_t i = 0; i < named; i++) {
    key->items[n++] = names->items[i];
    key->items[n++] = args[positional + i];
  }
  for (uint32_t i = 0; c->typed && i < nargs; i++) key->items[n++] = asy_from_obj(asy_type_of(vm, args[i]));
  asy_barrier(vm, key);
  return asy_from_obj(key);
}

static bool remember(asy_vm *vm, cached *c, asy_value key, int64_t hash, asy_value result) {
  asy_value there;
  if (c->maxsize < 0) return asy_dict_set_hashed(vm, c->entries, key, hash, result);
  int found = asy_dict_get_hashed(vm, c->entries, key, hash, &there);
  if (found) return found > 0; /* the call itself has done it */
  node *n = NULL;
  if (c->entries->used >= c->maxsize) { /* the oldest node serves again */
    n = c->root->newer;
    if (n == c->root) return true;
    take_out(vm, n);
    n->older = n->newer = n;
    if (asy_dict_delete_hashed(vm, c->entries, n->key, n->hash, NULL) < 0) return false;
  }
  if (!n && !(n = node_new(vm))) return false;
  n->key = key;
  n->result = result;
  n->hash = hash;
  asy_barrier(vm, n);
  if (!asy_dict_set_hashed(vm, c->entries, key, hash, asy_from_obj(n))) return false;
  put_newest(vm, c->root, n);
  return true;
}

static asy_value cached_call(asy_vm *vm, asy_value self, const asy_value *args, int nargs, asy_tuple *kwnames) {
  cached *c = cached_of(self);
  int64_t hash;
  asy_value found;
  if (c->maxsize == 0) {
    c->misses++;
    return asy_call_kw(vm, c->func, nargs, args, kwnames);
  }
  asy_value key = key_of_call(vm, c, args, (uint32_t)nargs, kwnames);
  if (asy_failed(key) || !asy_hash(vm, key, &hash)) return ASY_FAILED;
  int there = asy_dict_get_hashed(vm, c->entries, key, hash, &found);
  if (there < 0) return ASY_FAILED;
  if (there) {
    c->hits++;
    if (c->maxsize < 0) return found;
    node *n = (node *)asy_obj_of(found);
    if (c->root->older != n && n->newer != n) {
      take_out(vm, n);
      put_newest(vm, c->root, n);
    }
    return n->result;
  }
  c->misses++;
  asy_value result = asy_call_kw(vm, c->func, nargs, args, kwnames);
  return !asy_failed(result) && remember(vm, c, key, hash, result) ? result : ASY_FAILED;
}

static asy_value cached_info(asy_vm *vm, const asy_value *args) {
  const cached *c = cached_of(args[0]);
  asy_value numbers[] = {asy_from_int64(vm, c->hits), asy_from_int64(vm, c->misses),
                         c->maxsize < 0 ? ASY_NONE : asy_from_int64(vm, c->maxsize), asy_from_small(c->entries->used)};
  return asy_call(vm, c->info, 4, numbers);
}

static asy_value cached_clear(asy_vm *vm, const asy_value *args) {
  cached *c = cached_of(args[0]);
  c->hits = c->misses = 0;
  return start_empty(vm, c) ? ASY_NONE : ASY_FAILED;
}

static asy_value cached_get(asy_vm *vm, asy_value self, asy_value obj, asy_class *owner) {
  return obj == ASY_UNBOUND ? self : asy_method_new(vm, self, obj);
}

static asy_value cached_itself(asy_vm *vm, const asy_value *args) { return args[0]; }
static asy_value cached_reduce(asy_vm *vm, const asy_value *args) {
  return asy_get_attr_cstr(vm, args[0], "__qualname__");
}

static const asy_native cached_methods[] = {
  {"cache_info", SIG("(self, /)"), cached_info, DOC("Report cache statistics"), 0},
  {"cache_clear", SIG("(self, /)"), cached_clear, DOC("Clear the cache and cache statistics"), 0},
  {"__copy__", SIG("(self, /)"), cached_itself, 0, 0},
  {"__deepcopy__", SIG("(self, memo, /)"), cached_itself, 0, 0},
  {"__reduce__", SIG("(self, /)"), cached_reduce, 0, 0},
  {0},
};

static const asy_type cached_type = {
  .name = "functools._lru_cache_wrapper",
  .doc = "A function whose results are kept: see lru_cache.",
  .size = sizeof(cached),
  .flags = ASY_TYPE_ATTRS,
  .visit = cached_visit,
  .new_ = cached_new,
  .new_signature = SIG("(cls, user_function, maxsize, typed, cache_info_type)"),
  .special = &(const asy_special){.call = cached_call, .descr_get = cached_get},
  .methods = cached_methods,
};

/* ---- The module ---- */

static const asy_native natives[] = {
  {"cmp_to_key", SIG("(mycmp)"), functools_cmp_to_key, DOC("Convert a cmp= function into a key= function."), 0},
  {"reduce", SIG("(function, iterable, initial=?, /)"), functools_reduce,
   DOC("Apply a function of two arguments cumulatively to the items of an iterable, from left to right."), 0},
  {0},
};

static bool init(asy_vm *vm, asy_value module) {
  return asy_module_add_type(vm, module, "partial", &asy_partial_type) &&
         asy_module_add_type(vm, module, "_lru_cache_wrapper", &cached_type);
}

const asy_module_def asy_module_functools = {"_functools", natives, "Natives of functools.", init};
