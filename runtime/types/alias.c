/* alias.c - generic aliases and unions of types, as annotations use them. */
#include "runtime/types/alias.h"

#include "runtime/class.h"
#include "runtime/exc.h"

static asy_generic_alias *alias_of(asy_value v) { return (asy_generic_alias *)asy_obj_of(v); }
static asy_union *union_of(asy_value v) { return (asy_union *)asy_obj_of(v); }

static bool is_a(asy_vm *vm, asy_value v, const asy_type *type) {
  asy_class *cls = asy_class_for(vm, type);
  return cls && asy_is_instance(vm, v, cls);
}

/* ---- Text ------------------------------------------------------------------------------------------------------------------ */

/* A type argument as annotations show it: classes by their name, ... for Ellipsis, None for its class. */
static void add_argument(asy_vm *vm, asy_text *out, asy_value v) {
  if (v == ASY_ELLIPSIS) {
    asy_text_ascii(out, "...");
  } else if (v == asy_from_obj(vm->classes[KIND_NONE])) {
    asy_text_ascii(out, "None");
  } else if (asy_is_kind(v, KIND_TYPE)) {
    asy_class *cls = (asy_class *)asy_obj_of(v);
    asy_value module = asy_dict_get_str(vm, cls->dict, ASY_NAME(vm, __module__));
    if (asy_is_str(module) && module != ASY_NAME_VALUE(vm, builtins)) {
      asy_text_str(out, (asy_str *)asy_obj_of(module));
      asy_text_char(out, '.');
    }
    asy_text_str(out, cls->qualname);
  } else {
    asy_text_repr_of(out, v);
  }
}

static asy_value finish_text(asy_text *out) {
  asy_str *s = asy_text_finish(out);
  return s ? asy_from_obj(s) : ASY_FAILED;
}

/* ---- Generic aliases -------------------------------------------------------------------------------------------------------- */

static void alias_visit(asy_obj *o, asy_visitor *v) {
  asy_visit_value(v, ((asy_generic_alias *)o)->origin);
  asy_visit_obj(v, ((asy_generic_alias *)o)->args);
}

static asy_value new_alias(asy_vm *vm, asy_class *cls, asy_value origin, asy_value item) {
  asy_tuple *args = asy_is_kind(item, KIND_TUPLE) ? (asy_tuple *)asy_obj_of(item) : asy_tuple_new(vm, &item, 1);
  asy_generic_alias *alias = cls && args ? asy_new_instance(vm, cls) : NULL;
  if (!alias) return ASY_FAILED;
  alias->origin = origin;
  alias->args = args;
  return asy_from_obj(alias);
}

asy_value asy_generic_alias_new(asy_vm *vm, asy_value origin, asy_value item) {
  return new_alias(vm, asy_define_type(vm, &asy_generic_alias_type), origin, item);
}

asy_value asy_class_getitem(asy_vm *vm, const asy_value *args) { return asy_generic_alias_new(vm, args[0], args[1]); }

/* (cls, origin, args, /) */
static asy_value alias_new(asy_vm *vm, const asy_value *args) {
  return new_alias(vm, (asy_class *)asy_obj_of(args[0]), args[1], args[2]);
}

static asy_value alias_repr(asy_vm *vm, asy_value self) {
  asy_generic_alias *alias = alias_of(self);
  asy_text out;
  asy_text_init(&out, vm);
  if (alias->unpacked) asy_text_char(&out, '*');
  add_argument(vm, &out, alias->origin);
  asy_text_char(&out, '[');
  for (uint32_t i = 0; i < alias->args->len; i++) {
    if (i) asy_text_ascii(&out, ", ");
    add_argument(vm, &out, alias->args->items[i]);
  }
  if (!alias->args->len) asy_text_ascii(&out, "()");
  asy_text_char(&out, ']');
  return finish_text(&out);
}

static bool alias_hash(asy_vm *vm, asy_value self, int64_t *out) {
  int64_t origin, args;
  if (!asy_hash(vm, alias_of(self)->origin, &origin) || !asy_hash(vm, asy_from_obj(alias_of(self)->args), &args))
    return false;
  *out = (origin ^ args) & INT64_C(0x1fffffffffffffff);
  return true;
}

static asy_value alias_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op) {
  if ((op != COMPARE_EQ && op != COMPARE_NE) || !is_a(vm, other, &asy_generic_alias_type)) return ASY_NOT_IMPLEMENTED;
  int equal = asy_equal(vm, alias_of(self)->origin, alias_of(other)->origin);
  if (equal > 0) equal = asy_equal(vm, asy_from_obj(alias_of(self)->args), asy_from_obj(alias_of(other)->args));
  if (equal > 0) equal = alias_of(self)->unpacked == alias_of(other)->unpacked;
  return equal < 0 ? ASY_FAILED : asy_from_bool(equal == (op == COMPARE_EQ));
}

static asy_value alias_call(asy_vm *vm, asy_value self, const asy_value *args, int nargs, asy_tuple *kwnames) {
  asy_value made = asy_call_kw(vm, alias_of(self)->origin, nargs, args, kwnames);
  if (made == ASY_FAILED || !asy_is_obj(made)) return made;
  if (!asy_set_attr_cstr(vm, made, "__orig_class__", self)) {
    if (!asy_raised_is(vm, ASY_AttributeError) && !asy_raised_is(vm, ASY_TypeError)) return ASY_FAILED;
    asy_clear_exception(vm);
  }
  return made;
}

/* The attributes of the origin shine through, save those that an alias has itself. */
static asy_value alias_get_attr(asy_vm *vm, asy_value self, asy_str *name) {
  static const char *const own[] = {"__class__",         "__origin__",
                                    "__args__",          "__parameters__",
                                    "__mro_entries__",   "__reduce__",
                                    "__reduce_ex__",     "__copy__",
                                    "__deepcopy__",      "__instancecheck__",
                                    "__subclasscheck__", "__unpacked__",
                                    "__bases__",         "__typing_unpacked_tuple_args__"};
  for (unsigned i = 0; i < sizeof own / sizeof *own; i++)
    if (asy_str_equal_cstr(name, own[i])) return asy_generic_get_attr(vm, self, name);
  if (!asy_check_c_stack(vm)) return ASY_FAILED; /* the origin may be an alias */
  return asy_get_attr(vm, alias_of(self)->origin, name);
}

/* The type variables among the arguments, each once, those of nested aliases included. */
static asy_value parameters_of(asy_vm *vm, asy_tuple *args) {
  asy_list *found = asy_list_new(vm, 0);
  asy_str *subst = asy_intern(vm, "__typing_subst__"), *nested_name = asy_intern(vm, "__parameters__");
  if (!found || !subst || !nested_name) return ASY_FAILED;
  for (uint32_t i = 0; i < args->len; i++) {
    asy_value item = args->items[i], inner;
    asy_tuple *candidates;
    if (asy_is_kind(item, KIND_TYPE)) continue;
    int has = asy_find_attr(vm, item, subst, &inner);
    if (has < 0) return ASY_FAILED;
    if (has) {
      candidates = asy_tuple_new(vm, &item, 1);
    } else {
      has = asy_find_attr(vm, item, nested_name, &inner);
      if (has < 0) return ASY_FAILED;
      if (!has || !asy_is_kind(inner, KIND_TUPLE)) continue;
      candidates = (asy_tuple *)asy_obj_of(inner);
    }
    if (!candidates) return ASY_FAILED;
    for (uint32_t j = 0; j < candidates->len; j++) {
      bool seen = false;
      for (uint32_t k = 0; k < found->len; k++) seen = seen || found->items[k] == candidates->items[j];
      if (!seen && !asy_list_append(vm, found, candidates->items[j])) return ASY_FAILED;
    }
  }
  asy_tuple *tuple = asy_list_to_tuple(vm, found);
  return tuple ? asy_from_obj(tuple) : ASY_FAILED;
}

/* v's attribute, when it has one and that is no false value; UNBOUND otherwise. */
static asy_value useful_attribute(asy_vm *vm, asy_value v, const char *name) {
  asy_str *key = asy_intern(vm, name);
  asy_value found;
  int has = key ? asy_find_attr(vm, v, key, &found) : -1;
  if (has > 0) has = asy_truth(vm, found);
  return has < 0 ? ASY_FAILED : has ? found : ASY_UNBOUND;
}

/* What is between the brackets, with `*tuple[int, str]` spread. */
static asy_list *given_items(asy_vm *vm, asy_value item) {
  asy_tuple *items = asy_is_kind(item, KIND_TUPLE) ? (asy_tuple *)asy_obj_of(item) : asy_tuple_new(vm, &item, 1);
  asy_list *out = items ? asy_list_new(vm, items->len) : NULL;
  for (uint32_t i = 0; out && i < items->len; i++) {
    asy_value spread = asy_is_kind(items->items[i], KIND_TYPE)
                         ? ASY_UNBOUND
                         : useful_attribute(vm, items->items[i], "__typing_unpacked_tuple_args__");
    if (spread == ASY_FAILED) return NULL;
    const asy_tuple *inner = asy_is_kind(spread, KIND_TUPLE) ? (const asy_tuple *)asy_obj_of(spread) : NULL;
    bool open = inner && inner->len && inner->items[inner->len - 1] == ASY_ELLIPSIS;
    if (inner && !open ? !asy_list_extend(vm, out, spread) : !asy_list_append(vm, out, items->items[i])) return NULL;
  }
  return out;
}

static int64_t place_of(const asy_tuple *parameters, asy_value v) {
  for (uint32_t i = 0; i < parameters->len; i++)
    if (parameters->items[i] == v) return i;
  return -1;
}

/* The parameters inside a nested alias replaced. */
static asy_value substitute_nested(asy_vm *vm, asy_value arg, const asy_tuple *parameters, const asy_list *items) {
  asy_value nested = useful_attribute(vm, arg, "__parameters__");
  if (nested == ASY_FAILED || !asy_is_kind(nested, KIND_TUPLE)) return nested == ASY_FAILED ? ASY_FAILED : arg;
  const asy_tuple *inner = (const asy_tuple *)asy_obj_of(nested);
  asy_list *chosen = asy_list_new(vm, inner->len);
  for (uint32_t i = 0; chosen && i < inner->len; i++) {
    int64_t place = place_of(parameters, inner->items[i]);
    asy_value with = place < 0 ? inner->items[i] : items->items[place];
    asy_value iter; /* a TypeVarTuple stands for several */
    int many = place < 0 || !asy_is_kind(with, KIND_TUPLE)
                 ? 0
                 : asy_find_attr(vm, inner->items[i], ASY_NAME(vm, __iter__), &iter);
    if (many < 0 || !(many ? asy_list_extend(vm, chosen, with) : asy_list_append(vm, chosen, with))) return ASY_FAILED;
  }
  asy_tuple *key = chosen ? asy_list_to_tuple(vm, chosen) : NULL;
  return key ? asy_get_item(vm, arg, asy_from_obj(key)) : ASY_FAILED;
}

/* args with each parameter replaced by the item at its place, as the parameters themselves say how. */
static asy_tuple *substitute(asy_vm *vm, asy_value self, asy_tuple *args, asy_value item) {
  asy_value v = parameters_of(vm, args);
  if (v == ASY_FAILED) return NULL;
  asy_tuple *parameters = (asy_tuple *)asy_obj_of(v);
  if (!parameters->len) return asy_raise(vm, ASY_TypeError, "%R is not a generic class", self), NULL;
  asy_list *items = given_items(vm, item);
  for (uint32_t i = 0; items && i < parameters->len; i++) {
    asy_value prepare = useful_attribute(vm, parameters->items[i], "__typing_prepare_subst__");
    if (prepare == ASY_UNBOUND) continue;
    asy_tuple *now = prepare == ASY_FAILED ? NULL : asy_list_to_tuple(vm, items);
    asy_value prepared = now ? asy_call2(vm, prepare, self, asy_from_obj(now)) : ASY_FAILED;
    items = prepared == ASY_FAILED ? NULL : asy_list_new(vm, 0);
    if (items && !asy_list_extend(vm, items, prepared)) items = NULL;
  }
  if (!items) return NULL;
  if (items->len != parameters->len) {
    asy_raise(vm, ASY_TypeError, "Too %s arguments for %R; actual %u, expected %u",
              items->len > parameters->len ? "many" : "few", self, items->len, parameters->len);
    return NULL;
  }
  asy_list *out = asy_list_new(vm, args->len);
  for (uint32_t i = 0; out && i < args->len; i++) {
    asy_value arg = args->items[i];
    if (!asy_is_kind(arg, KIND_TYPE)) {
      asy_value several = useful_attribute(vm, arg, "__typing_is_unpacked_typevartuple__");
      asy_value subst = several == ASY_FAILED ? ASY_FAILED : useful_attribute(vm, arg, "__typing_subst__");
      int64_t place = place_of(parameters, arg);
      if (subst == ASY_FAILED) return NULL;
      if (subst != ASY_UNBOUND && place >= 0) arg = asy_call1(vm, subst, items->items[place]);
      else arg = substitute_nested(vm, arg, parameters, items);
      if (arg == ASY_FAILED) return NULL;
      if (several != ASY_UNBOUND && asy_is_kind(arg, KIND_TUPLE)) {
        if (!asy_list_extend(vm, out, arg)) return NULL;
        continue;
      }
    }
    if (!asy_list_append(vm, out, arg)) return NULL;
  }
  return out ? asy_list_to_tuple(vm, out) : NULL;
}

static asy_value alias_get_item(asy_vm *vm, asy_value self, asy_value key) {
  asy_tuple *args = substitute(vm, self, alias_of(self)->args, key);
  asy_value made = args ? asy_generic_alias_new(vm, alias_of(self)->origin, asy_from_obj(args)) : ASY_FAILED;
  if (made != ASY_FAILED) alias_of(made)->unpacked = alias_of(self)->unpacked;
  return made;
}

static asy_value unpacked_of(asy_vm *vm, asy_value self) {
  asy_value made = asy_generic_alias_new(vm, alias_of(self)->origin, asy_from_obj(alias_of(self)->args));
  if (made != ASY_FAILED) alias_of(made)->unpacked = true;
  return made;
}

/* `*tuple[int]`: an iterator of one item, the alias marked as unpacked. */
typedef struct {
  asy_obj head;
  asy_value alias; /* 0: done */
} alias_iterator;

static void alias_iterator_visit(asy_obj *o, asy_visitor *v) {
  if (((alias_iterator *)o)->alias) asy_visit_value(v, ((alias_iterator *)o)->alias);
}
static asy_value alias_iterator_self(asy_vm *vm, asy_value self) { return self; }
static asy_value alias_iterator_next(asy_vm *vm, asy_value self) {
  alias_iterator *it = (alias_iterator *)asy_obj_of(self);
  asy_value alias = it->alias;
  if (!alias) return ASY_END;
  it->alias = 0;
  return unpacked_of(vm, alias);
}
static asy_value alias_iterator_reduce(asy_vm *vm, const asy_value *args) {
  const alias_iterator *it = (const alias_iterator *)asy_obj_of(args[0]);
  asy_value iter = asy_dict_get_str(vm, vm->builtins, asy_intern(vm, "iter"));
  asy_value over = asy_tuple_of(vm, 1, it->alias ? it->alias : asy_from_obj(vm->empty_tuple));
  return over == ASY_FAILED ? ASY_FAILED : asy_tuple_of(vm, 2, iter, over);
}
static const asy_native alias_iterator_methods[] = {{"__reduce__", SIG("(self, /)"), alias_iterator_reduce, 0, 0}, {0}};
static const asy_type alias_iterator_type = {
  .name = "builtins.generic_alias_iterator",
  .size = sizeof(alias_iterator),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW,
  .visit = alias_iterator_visit,
  .iter = alias_iterator_self,
  .next = alias_iterator_next,
  .methods = alias_iterator_methods,
};

static asy_value alias_iter(asy_vm *vm, asy_value self) {
  alias_iterator *it = asy_new_object(vm, &alias_iterator_type);
  if (!it) return ASY_FAILED;
  it->alias = self;
  return asy_from_obj(it);
}

static asy_value alias_unpacked_args(asy_vm *vm, const asy_value *args) {
  const asy_generic_alias *alias = alias_of(args[0]);
  bool tuple = alias->unpacked && alias->origin == asy_from_obj(vm->classes[KIND_TUPLE]);
  return tuple ? asy_from_obj(alias->args) : ASY_NONE;
}

static asy_value alias_reduce(asy_vm *vm, const asy_value *args) {
  const asy_generic_alias *alias = alias_of(args[0]);
  asy_value given = asy_tuple_of(vm, 2, alias->origin, asy_from_obj(alias->args));
  asy_value plain = asy_from_obj(asy_class_of(vm, args[0]));
  if (given == ASY_FAILED || !alias->unpacked)
    return given == ASY_FAILED ? ASY_FAILED : asy_tuple_of(vm, 2, plain, given);
  asy_value made = asy_generic_alias_new(vm, alias->origin, asy_from_obj(alias->args));
  asy_value iterator = made == ASY_FAILED ? ASY_FAILED : asy_iter(vm, made);
  asy_value next = asy_dict_get_str(vm, vm->builtins, asy_intern(vm, "next"));
  asy_value only = iterator == ASY_FAILED ? ASY_FAILED : asy_tuple_of(vm, 1, iterator);
  return only == ASY_FAILED ? ASY_FAILED : asy_tuple_of(vm, 2, next, only);
}

static asy_value alias_parameters(asy_vm *vm, const asy_value *args) {
  return parameters_of(vm, alias_of(args[0])->args);
}
static asy_value alias_mro_entries(asy_vm *vm, const asy_value *args) {
  return asy_tuple_of(vm, 1, alias_of(args[0])->origin);
}
static asy_value alias_instancecheck(asy_vm *vm, const asy_value *args) {
  return asy_raise(vm, ASY_TypeError, "isinstance() argument 2 cannot be a parameterized generic");
}
static asy_value alias_subclasscheck(asy_vm *vm, const asy_value *args) {
  return asy_raise(vm, ASY_TypeError, "issubclass() argument 2 cannot be a parameterized generic");
}

static const asy_native alias_methods[] = {
  {"__mro_entries__", SIG("(self, bases, /)"), alias_mro_entries, 0, 0},
  {"__instancecheck__", SIG("(self, instance, /)"), alias_instancecheck, 0, 0},
  {"__subclasscheck__", SIG("(self, subclass, /)"), alias_subclasscheck, 0, 0},
  {"__parameters__", SIG("(self)"), alias_parameters, 0, ASY_NATIVE_GETTER},
  {"__typing_unpacked_tuple_args__", SIG("(self)"), alias_unpacked_args, 0, ASY_NATIVE_GETTER},
  {"__reduce__", SIG("(self, /)"), alias_reduce, 0, 0},
  {0},
};
static const asy_member alias_members[] = {
  {"__unpacked__", offsetof(asy_generic_alias, unpacked), MEMBER_BOOL8, false},
  {"__origin__", offsetof(asy_generic_alias, origin), MEMBER_VALUE, false},
  {"__args__", offsetof(asy_generic_alias, args), MEMBER_OBJECT, false},
  {0},
};
const asy_type asy_generic_alias_type = {
  .name = "types.GenericAlias",
  .size = sizeof(asy_generic_alias),
  .visit = alias_visit,
  .doc = "Represent a PEP 585 generic type\n\nE.g. for t = list[int], t.__origin__ is list and t.__args__ is (int,).",
  .new_ = alias_new,
  .new_signature = SIG("(cls, origin, args, /)"),
  .repr = alias_repr,
  .hash = alias_hash,
  .compare = alias_compare,
  .special = &(const asy_special){.call = alias_call, .get_attr = alias_get_attr, .get_item = alias_get_item},
  .iter = alias_iter,
  .operators = &(const asy_operators){.binary[BINARY_OR] = asy_union_of},
  .methods = alias_methods,
  .members = alias_members,
};

/* ---- Unions ------------------------------------------------------------------------------------------------------------------- */

static void union_visit(asy_obj *o, asy_visitor *v) { asy_visit_obj(v, ((asy_union *)o)->args); }

static bool may_join(asy_vm *vm, asy_value v) {
  if (v == ASY_NONE || asy_is_kind(v, KIND_TYPE) || is_a(vm, v, &asy_generic_alias_type) ||
      is_a(vm, v, &asy_union_type))
    return true;
  asy_value module = asy_dict_get_str(vm, asy_class_of(vm, v)->dict, ASY_NAME(vm, __module__));
  return asy_is_str(module) && asy_str_equal_cstr((asy_str *)asy_obj_of(module), "typing") &&
         asy_str_equal_cstr(asy_class_of(vm, v)->name, "TypeAliasType");
}

static bool join(asy_vm *vm, asy_list *list, asy_value v) {
  if (v == ASY_NONE) v = asy_from_obj(vm->classes[KIND_NONE]);
  if (is_a(vm, v, &asy_union_type)) {
    asy_tuple *args = union_of(v)->args;
    for (uint32_t i = 0; i < args->len; i++)
      if (!join(vm, list, args->items[i])) return false;
    return true;
  }
  for (uint32_t i = 0; i < list->len; i++) {
    int equal = asy_equal(vm, list->items[i], v);
    if (equal) return equal > 0;
  }
  return asy_list_append(vm, list, v);
}

static asy_value union_from(asy_vm *vm, asy_list *list) {
  if (list->len == 1) return list->items[0];
  asy_class *cls = asy_define_type(vm, &asy_union_type);
  asy_tuple *args = cls ? asy_list_to_tuple(vm, list) : NULL;
  asy_union *made = args ? asy_new_instance(vm, cls) : NULL;
  if (!made) return ASY_FAILED;
  made->args = args;
  return asy_from_obj(made);
}

asy_value asy_union_of(asy_vm *vm, asy_value left, asy_value right) {
  if (!may_join(vm, left) || !may_join(vm, right)) return ASY_NOT_IMPLEMENTED;
  asy_list *list = asy_list_new(vm, 4);
  return list && join(vm, list, left) && join(vm, list, right) ? union_from(vm, list) : ASY_FAILED;
}

static asy_value union_repr(asy_vm *vm, asy_value self) {
  asy_tuple *args = union_of(self)->args;
  asy_text out;
  asy_text_init(&out, vm);
  for (uint32_t i = 0; i < args->len; i++) {
    if (i) asy_text_ascii(&out, " | ");
    add_argument(vm, &out, args->items[i]);
  }
  return finish_text(&out);
}

static bool union_hash(asy_vm *vm, asy_value self, int64_t *out) {
  asy_tuple *args = union_of(self)->args;
  *out = 0;
  for (uint32_t i = 0; i < args->len; i++) {
    int64_t hash;
    if (!asy_hash(vm, args->items[i], &hash)) return false;
    *out ^= hash; /* the order does not matter */
  }
  if (*out == -1) *out = -2;
  return true;
}

static asy_value union_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op) {
  if ((op != COMPARE_EQ && op != COMPARE_NE) || !is_a(vm, other, &asy_union_type)) return ASY_NOT_IMPLEMENTED;
  asy_tuple *a = union_of(self)->args, *b = union_of(other)->args;
  bool equal = a->len == b->len;
  for (uint32_t i = 0; equal && i < a->len; i++) {
    int found = asy_contains(vm, asy_from_obj(b), a->items[i]);
    if (found < 0) return ASY_FAILED;
    equal = found;
  }
  return asy_from_bool(equal == (op == COMPARE_EQ));
}

static asy_value union_check(asy_vm *vm, const asy_value *args, int (*check)(asy_vm *, asy_value, asy_value),
                             const char *name) {
  asy_tuple *members = union_of(args[0])->args;
  for (uint32_t i = 0; i < members->len; i++)
    if (is_a(vm, members->items[i], &asy_generic_alias_type))
      return asy_raise(vm, ASY_TypeError, "%s() argument 2 cannot be a parameterized generic", name);
  for (uint32_t i = 0; i < members->len; i++) {
    int found = check(vm, args[1], members->items[i]);
    if (found) return found < 0 ? ASY_FAILED : ASY_TRUE;
  }
  return ASY_FALSE;
}
static asy_value union_instancecheck(asy_vm *vm, const asy_value *args) {
  return union_check(vm, args, asy_isinstance, "isinstance");
}
static asy_value union_subclasscheck(asy_vm *vm, const asy_value *args) {
  return union_check(vm, args, asy_issubclass, "issubclass");
}
static asy_value union_parameters(asy_vm *vm, const asy_value *args) {
  return parameters_of(vm, union_of(args[0])->args);
}

static asy_value union_get_item(asy_vm *vm, asy_value self, asy_value key) {
  asy_tuple *args = substitute(vm, self, union_of(self)->args, key);
  asy_list *list = args ? asy_list_new(vm, args->len) : NULL;
  if (!list) return ASY_FAILED;
  for (uint32_t i = 0; i < args->len; i++)
    if (!join(vm, list, args->items[i])) return ASY_FAILED;
  return union_from(vm, list);
}

static const asy_native union_methods[] = {
  {"__instancecheck__", SIG("(self, instance, /)"), union_instancecheck, 0, 0},
  {"__subclasscheck__", SIG("(self, subclass, /)"), union_subclasscheck, 0, 0},
  {"__parameters__", SIG("(self)"), union_parameters, 0, ASY_NATIVE_GETTER},
  {0},
};
static const asy_member union_members[] = {{"__args__", offsetof(asy_union, args), MEMBER_OBJECT, false}, {0}};
const asy_type asy_union_type = {
  .name = "types.UnionType",
  .size = sizeof(asy_union),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW,
  .visit = union_visit,
  .doc = "Represent a PEP 604 union type\n\nE.g. for int | str",
  .repr = union_repr,
  .hash = union_hash,
  .compare = union_compare,
  .special = &(const asy_special){.get_item = union_get_item},
  .operators = &(const asy_operators){.binary[BINARY_OR] = asy_union_of},
  .methods = union_methods,
  .members = union_members,
};
