/* collections.c - the module _collections: defaultdict, OrderedDict and what collections/__init__.asy takes from C.
 * Both are dicts as the whole runtime knows them: a defaultdict has a factory behind the C struct, an OrderedDict nothing, as
 * every dict keeps its keys in order. Methods of OrderedDict go through the special methods of a subclass, as CPython's do.
 */
#include "runtime/class.h"
#include "runtime/types/alias.h"
#include "runtime/types/deque.h"
#include "runtime/types/sequence.h"

static asy_dict *dict_of(asy_value v) { return (asy_dict *)asy_obj_of(v); }
static asy_value none_or_failed(bool ok) { return ok ? ASY_NONE : ASY_FAILED; }
static asy_value class_value(asy_vm *vm, asy_value v) { return asy_from_obj(asy_type_of(vm, v)); }
static bool is_exact_of(asy_vm *vm, asy_value v, const asy_type *type) {
  return asy_type_of(vm, v) == asy_class_for(vm, type);
}

/* ---- defaultdict ---- */

static const asy_type default_dict_type;

static asy_default_dict *default_of(asy_value v) { return (asy_default_dict *)asy_obj_of(v); }

static asy_value default_make(asy_vm *vm, const asy_value *args) {
  asy_default_dict *d = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  if (!d) return ASY_FAILED;
  d->dict.head.flags |= DICT_DEFAULT;
  d->factory = ASY_NONE;
  return asy_from_obj(d);
}

static asy_value default_init(asy_vm *vm, const asy_value *args) {
  asy_default_dict *d = default_of(args[0]);
  const asy_tuple *given = (const asy_tuple *)asy_obj_of(args[1]);
  if (given->len && given->items[0] != ASY_NONE && !asy_callable(vm, given->items[0]))
    return asy_raise(vm, ASY_TypeError, "first argument must be callable or None");
  if (given->len > 2) return asy_raise(vm, ASY_TypeError, "dict expected at most 1 argument, got %u", given->len - 1);
  asy_store(vm, d, &d->factory, given->len ? given->items[0] : ASY_NONE);
  if (given->len > 1 && !asy_dict_update(vm, &d->dict, given->items[1])) return ASY_FAILED;
  return none_or_failed(asy_dict_merge(vm, &d->dict, args[2], true));
}

static asy_value default_missing(asy_vm *vm, const asy_value *args) {
  asy_value factory = default_of(args[0])->factory;
  if (factory == ASY_NONE) return asy_raise_key(vm, args[1]);
  asy_value value = asy_call0(vm, factory);
  if (asy_failed(value)) return ASY_FAILED;
  bool exact = is_exact_of(vm, args[0], &default_dict_type);
  bool set = exact ? asy_dict_set(vm, dict_of(args[0]), args[1], value) : asy_set_item(vm, args[0], args[1], value);
  return set ? value : ASY_FAILED;
}

static asy_value default_copy(asy_vm *vm, const asy_value *args) {
  return asy_call2(vm, class_value(vm, args[0]), default_of(args[0])->factory, args[0]);
}

static asy_value default_reduce(asy_vm *vm, const asy_value *args) {
  asy_value factory = default_of(args[0])->factory;
  asy_value made_with = factory == ASY_NONE ? asy_from_obj(vm->empty_tuple) : asy_tuple_of(vm, 1, factory);
  asy_value items = asy_failed(made_with) ? ASY_FAILED : asy_call_method(vm, args[0], ASY_NAME(vm, items), 0, NULL);
  items = asy_failed(items) ? ASY_FAILED : asy_iter(vm, items);
  if (asy_failed(items)) return ASY_FAILED;
  return asy_tuple_of(vm, 5, class_value(vm, args[0]), made_with, ASY_NONE, ASY_NONE, items);
}

static asy_value default_repr(asy_vm *vm, asy_value self) {
  asy_default_dict *d = default_of(self);
  asy_repr_guard guard;
  asy_value items = asy_dict_type.repr(vm, self);
  if (asy_failed(items) || !asy_repr_check(vm)) return ASY_FAILED;
  asy_value factory;
  if (asy_repr_enter(vm, &guard, &d->factory)) {
    factory = asy_repr(vm, d->factory);
    asy_repr_leave(vm, &guard);
  } else {
    factory = asy_from_cstr(vm, "...");
  }
  if (asy_failed(factory)) return ASY_FAILED;
  return asy_object_or_failed(asy_str_format(vm, "%N(%S, %S)", asy_type_of(vm, self), factory, items));
}

static asy_value default_or(asy_vm *vm, asy_value left, asy_value right) {
  if (!asy_is_kind(left, KIND_DICT) || !asy_is_kind(right, KIND_DICT)) return ASY_NOT_IMPLEMENTED;
  asy_value self = asy_is_instance(vm, left, asy_class_for(vm, &default_dict_type)) ? left : right;
  asy_value made = asy_call2(vm, class_value(vm, self), default_of(self)->factory, left);
  if (asy_failed(made)) return ASY_FAILED;
  if (!asy_is_kind(made, KIND_DICT)) return asy_raise(vm, ASY_TypeError, "copy of a defaultdict is no dict");
  return asy_dict_update(vm, dict_of(made), right) ? made : ASY_FAILED;
}

static const asy_native default_methods[] = {
  {"__missing__", SIG("(self, key, /)"), default_missing, DOC("Called by __getitem__ for a missing key."), 0},
  {"copy", SIG("(self, /)"), default_copy, DOC("D.copy() -> a shallow copy of D."), 0},
  {"__copy__", SIG("(self, /)"), default_copy, DOC("D.copy() -> a shallow copy of D."), 0},
  {"__reduce__", SIG("(self, /)"), default_reduce, DOC("Return state information for pickling."), 0},
  {"__class_getitem__", SIG("(cls, item, /)"), asy_class_getitem, DOC("See PEP 585"), ASY_NATIVE_CLASS},
  {0},
};

static const asy_member default_members[] = {
  {"default_factory", offsetof(asy_default_dict, factory), MEMBER_VALUE, true},
  {0},
};

static const asy_type default_dict_type = {
  .name = "collections.defaultdict",
  .doc = "defaultdict(default_factory=None, /, [...]) --> dict with default factory",
  .base = &asy_dict_type,
  .size = sizeof(asy_default_dict),
  .flags = ASY_TYPE_MAPPING | ASY_TYPE_UNHASHABLE,
  .new_ = default_make,
  .init = default_init,
  .init_signature = SIG("(self, /, *args, **kwargs)"),
  .repr = default_repr,
  .operators = &(const asy_operators){.binary = {[BINARY_OR] = default_or}},
  .methods = default_methods,
  .members = default_members,
};

/* ---- OrderedDict ---- */

static bool is_ordered(asy_vm *vm, asy_value v) {
  return asy_is_instance(vm, v, asy_class_for(vm, &asy_ordered_dict_type));
}

/* self[key] = value for each pair of the iterable. */
static bool set_pairs(asy_vm *vm, asy_value self, asy_value pairs) {
  asy_value iterator = asy_iter(vm, pairs);
  if (asy_failed(iterator)) return false;
  for (;;) {
    asy_value pair = asy_next(vm, iterator);
    if (pair == ASY_END) return true;
    asy_list *items = asy_failed(pair) ? NULL : asy_list_from_iterable(vm, pair);
    if (!items) return false;
    if (items->len != 2) {
      asy_raise(vm, ASY_ValueError,
                items->len < 2 ? "need more than %u value%s to unpack" : "too many values to unpack (expected 2)",
                items->len, items->len == 1 ? "" : "s");
      return false;
    }
    if (!asy_set_item(vm, self, items->items[0], items->items[1])) return false;
  }
}

static bool set_mapping(asy_vm *vm, asy_value self, asy_value mapping) {
  asy_value keys = asy_call_method(vm, mapping, ASY_NAME(vm, keys), 0, NULL);
  asy_value iterator = asy_failed(keys) ? ASY_FAILED : asy_iter(vm, keys);
  if (asy_failed(iterator)) return false;
  for (;;) {
    asy_value key = asy_next(vm, iterator);
    if (key == ASY_END) return true;
    asy_value value = asy_failed(key) ? ASY_FAILED : asy_get_item(vm, mapping, key);
    if (asy_failed(value) || !asy_set_item(vm, self, key, value)) return false;
  }
}

static bool ordered_fill(asy_vm *vm, asy_value self, asy_value other) {
  asy_value found;
  if (is_exact_of(vm, self, &asy_ordered_dict_type)) return asy_dict_update(vm, dict_of(self), other);
  int has_keys = asy_is_exact(other, KIND_DICT) ? 1 : asy_find_attr(vm, other, ASY_NAME(vm, keys), &found);
  if (has_keys) return has_keys > 0 && set_mapping(vm, self, other);
  asy_str *items = ASY_NAME(vm, items);
  int has_items = asy_find_attr(vm, other, items, &found);
  if (has_items < 0) return false;
  asy_value pairs = has_items ? asy_call0(vm, found) : other;
  return !asy_failed(pairs) && set_pairs(vm, self, pairs);
}

static asy_value ordered_update(asy_vm *vm, const asy_value *args) {
  const asy_tuple *given = (const asy_tuple *)asy_obj_of(args[1]);
  if (given->len > 1)
    return asy_raise(vm, ASY_TypeError, "update() takes at most 1 positional argument (%u given)", given->len);
  if (given->len && !ordered_fill(vm, args[0], given->items[0])) return ASY_FAILED;
  return none_or_failed(!dict_of(args[2])->used || ordered_fill(vm, args[0], args[2]));
}

static asy_value ordered_init(asy_vm *vm, const asy_value *args) {
  const asy_tuple *given = (const asy_tuple *)asy_obj_of(args[1]);
  if (given->len > 1) return asy_raise(vm, ASY_TypeError, "expected at most 1 arguments, got %u", given->len);
  return ordered_update(vm, args);
}

static asy_value ordered_move(asy_vm *vm, const asy_value *args) {
  int last = asy_truth(vm, args[2]);
  int moved = last < 0 ? -1 : asy_dict_move_to_end(vm, dict_of(args[0]), args[1], last);
  return moved == 0 ? asy_raise_key(vm, args[1]) : none_or_failed(moved > 0);
}

static asy_value ordered_popitem(asy_vm *vm, const asy_value *args) {
  asy_dict *dict = dict_of(args[0]);
  int last = asy_truth(vm, args[1]);
  uint32_t first = 0;
  asy_value key, value;
  if (last < 0) return ASY_FAILED;
  if (!asy_dict_next(dict, &first, &key, &value)) return asy_raise(vm, ASY_KeyError, "dictionary is empty");
  if (last) {
    asy_value popitem = asy_class_get(vm, vm->classes[KIND_DICT], asy_intern(vm, "popitem"));
    return asy_failed(popitem) ? ASY_FAILED : asy_call1(vm, popitem, args[0]);
  }
  asy_tuple *pair = asy_tuple_pair(vm, key, value);
  if (!pair) return ASY_FAILED;
  asy_dict_drop_first(dict);
  return asy_from_obj(pair);
}

static asy_value ordered_pop(asy_vm *vm, const asy_value *args) {
  asy_value value;
  int found = asy_dict_delete(vm, dict_of(args[0]), args[1], &value);
  if (found) return found > 0 ? value : ASY_FAILED;
  return args[2] == ASY_UNBOUND ? asy_raise_key(vm, args[1]) : args[2];
}

static asy_value ordered_fromkeys(asy_vm *vm, const asy_value *args) {
  asy_value made = asy_call0(vm, args[0]), iterator = asy_failed(made) ? ASY_FAILED : asy_iter(vm, args[1]);
  while (!asy_failed(iterator)) {
    asy_value key = asy_next(vm, iterator);
    if (key == ASY_END) return made;
    if (asy_failed(key) || !asy_set_item(vm, made, key, args[2])) break;
  }
  return ASY_FAILED;
}

static asy_value ordered_setdefault(asy_vm *vm, const asy_value *args) {
  asy_value value;
  bool exact = is_exact_of(vm, args[0], &asy_ordered_dict_type);
  int found = exact ? asy_dict_get(vm, dict_of(args[0]), args[1], &value) : asy_contains(vm, args[0], args[1]);
  if (found < 0) return ASY_FAILED;
  if (found) return exact ? value : asy_get_item(vm, args[0], args[1]);
  bool set = exact ? asy_dict_set(vm, dict_of(args[0]), args[1], args[2]) : asy_set_item(vm, args[0], args[1], args[2]);
  return set ? args[2] : ASY_FAILED;
}

static asy_value ordered_copy(asy_vm *vm, const asy_value *args) {
  asy_value made = asy_call0(vm, class_value(vm, args[0]));
  if (asy_failed(made)) return ASY_FAILED;
  if (is_exact_of(vm, args[0], &asy_ordered_dict_type))
    return asy_dict_merge(vm, dict_of(made), args[0], true) ? made : ASY_FAILED;
  return set_mapping(vm, made, args[0]) ? made : ASY_FAILED;
}

static asy_value ordered_reduce(asy_vm *vm, const asy_value *args) {
  asy_str *name = asy_intern(vm, "__getstate__");
  asy_value state = name ? asy_call_method(vm, args[0], name, 0, NULL) : ASY_FAILED;
  asy_value items = asy_failed(state) ? ASY_FAILED : asy_call_method(vm, args[0], ASY_NAME(vm, items), 0, NULL);
  items = asy_failed(items) ? ASY_FAILED : asy_iter(vm, items);
  if (asy_failed(items)) return ASY_FAILED;
  return asy_tuple_of(vm, 5, class_value(vm, args[0]), asy_from_obj(vm->empty_tuple), state, ASY_NONE, items);
}

/* "OrderedDict({...})"; of a subclass what its items() says. */
static asy_value ordered_repr(asy_vm *vm, asy_value self) {
  const asy_class *cls = asy_type_of(vm, self);
  asy_repr_guard guard;
  if (!dict_of(self)->used) return asy_object_or_failed(asy_str_format(vm, "%N()", cls));
  if (!asy_repr_check(vm)) return ASY_FAILED;
  if (!asy_repr_enter(vm, &guard, (char *)dict_of(self) + 1)) return asy_from_cstr(vm, "...");
  asy_value items;
  if (is_exact_of(vm, self, &asy_ordered_dict_type)) {
    items = asy_dict_type.repr(vm, self);
  } else {
    asy_dict *plain = asy_dict_new(vm, 0);
    asy_value pairs = asy_call_method(vm, self, ASY_NAME(vm, items), 0, NULL);
    items = plain && !asy_failed(pairs) && asy_dict_update(vm, plain, pairs) ? asy_repr(vm, asy_from_obj(plain))
                                                                             : ASY_FAILED;
  }
  asy_repr_leave(vm, &guard);
  return asy_failed(items) ? ASY_FAILED : asy_object_or_failed(asy_str_format(vm, "%N(%S)", cls, items));
}

/* Two OrderedDicts are equal when their keys also come in the same order. */
static asy_value ordered_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op) {
  asy_value equal = asy_dict_type.compare(vm, self, other, op);
  if (equal != asy_from_bool(op == COMPARE_EQ) || !is_ordered(vm, other)) return equal;
  asy_dict *a = dict_of(self), *b = dict_of(other);
  uint32_t i = 0, j = 0;
  asy_value x, y, value;
  while (asy_dict_next(a, &i, &x, &value) && asy_dict_next(b, &j, &y, &value)) {
    uint32_t before = a->mutations, other_before = b->mutations;
    int same = asy_equal(vm, x, y);
    if (same < 0) return ASY_FAILED;
    if (!same) return asy_from_bool(op == COMPARE_NE);
    if (a->mutations != before || b->mutations != other_before)
      return asy_raise(vm, ASY_RuntimeError, "OrderedDict mutated during iteration");
  }
  return equal;
}

static asy_value ordered_or(asy_vm *vm, asy_value left, asy_value right) {
  if (!asy_is_kind(left, KIND_DICT) || !asy_is_kind(right, KIND_DICT)) return ASY_NOT_IMPLEMENTED;
  asy_value made = asy_call1(vm, class_value(vm, is_ordered(vm, left) ? left : right), left);
  return !asy_failed(made) && ordered_fill(vm, made, right) ? made : ASY_FAILED;
}

static asy_value ordered_ior(asy_vm *vm, asy_value self, asy_value right) {
  return ordered_fill(vm, self, right) ? self : ASY_FAILED;
}

static const asy_native ordered_methods[] = {
  {"move_to_end", SIG("(self, key, last=True)"), ordered_move,
   DOC("Move an existing element to the end (or beginning if last is false)."), 0},
  {"popitem", SIG("(self, last=True)"), ordered_popitem,
   DOC("Remove and return a (key, value) pair from the dictionary."), 0},
  {"pop", SIG("(self, key, default=?)"), ordered_pop, DOC("Remove specified key and return the corresponding value."),
   0},
  {"setdefault", SIG("(self, key, default=None)"), ordered_setdefault,
   DOC("Insert key with a value of default if key is not in the dictionary."), 0},
  {"update", SIG("(self, /, *args, **kwargs)"), ordered_update, DOC("Update from a mapping or pairs, and keywords."),
   0},
  {"fromkeys", SIG("(cls, iterable, value=None)"), ordered_fromkeys,
   DOC("Create a new ordered dictionary with keys from iterable and values set to value."), ASY_NATIVE_CLASS},
  {"copy", SIG("(self, /)"), ordered_copy, DOC("od.copy() -> a shallow copy of od"), 0},
  {"__reduce__", SIG("(self, /)"), ordered_reduce, DOC("Return state information for pickling"), 0},
  {"__class_getitem__", SIG("(cls, item, /)"), asy_class_getitem, DOC("See PEP 585"), ASY_NATIVE_CLASS},
  {0},
};

const asy_type asy_ordered_dict_type = {
  .name = "collections.OrderedDict",
  .doc = "Dictionary that remembers insertion order",
  .base = &asy_dict_type,
  .size = sizeof(asy_dict),
  .flags = ASY_TYPE_MAPPING | ASY_TYPE_UNHASHABLE | ASY_TYPE_ATTRS,
  .init = ordered_init,
  .init_signature = SIG("(self, /, *args, **kwargs)"),
  .repr = ordered_repr,
  .compare = ordered_compare,
  .operators = &(const asy_operators){.binary = {[BINARY_OR] = ordered_or}, .inplace = {[BINARY_OR] = ordered_ior}},
  .methods = ordered_methods,
};

/* ---- The fields of a namedtuple ---- */

static void getter_visit(asy_obj *o, asy_visitor *v) { asy_visit_value(v, ((asy_item_getter *)o)->doc); }

static asy_value getter_make(asy_vm *vm, const asy_value *args) {
  int index;
  if (!asy_to_int(vm, args[1], 0, ASY_MAX_LENGTH, &index)) return ASY_FAILED;
  asy_item_getter *getter = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  if (!getter) return ASY_FAILED;
  getter->index = (uint32_t)index;
  getter->doc = args[2];
  return asy_from_obj(getter);
}

static asy_value getter_get(asy_vm *vm, asy_value self, asy_value obj, asy_class *owner) {
  const asy_item_getter *getter = (const asy_item_getter *)asy_obj_of(self);
  if (obj == ASY_UNBOUND) return self;
  if (!asy_is_kind(obj, KIND_TUPLE))
    return asy_raise(vm, ASY_TypeError, "descriptor for index '%u' for tuple subclasses doesn't apply to '%T' object",
                     getter->index, obj);
  const asy_tuple *tuple = (const asy_tuple *)asy_obj_of(obj);
  if (getter->index >= tuple->len) return asy_raise(vm, ASY_IndexError, "tuple index out of range");
  return tuple->items[getter->index];
}

static bool getter_set(asy_vm *vm, asy_value self, asy_value obj, asy_value value) {
  asy_raise(vm, ASY_AttributeError, value == ASY_UNBOUND ? "can't delete attribute" : "can't set attribute");
  return false;
}

static asy_value getter_repr(asy_vm *vm, asy_value self) {
  const asy_item_getter *getter = (const asy_item_getter *)asy_obj_of(self);
  return asy_object_or_failed(asy_str_format(vm, "%N(%u, %R)", asy_type_of(vm, self), getter->index, getter->doc));
}

static asy_value getter_reduce(asy_vm *vm, const asy_value *args) {
  const asy_item_getter *getter = (const asy_item_getter *)asy_obj_of(args[0]);
  asy_value made = asy_tuple_of(vm, 2, asy_from_small(getter->index), getter->doc);
  return asy_failed(made) ? ASY_FAILED : asy_tuple_of(vm, 2, class_value(vm, args[0]), made);
}

static const asy_native getter_methods[] = {
  {"__reduce__", SIG("(self, /)"), getter_reduce, DOC("Return state information for pickling"), 0},
  {0},
};
static const asy_member getter_members[] = {{"__doc__", offsetof(asy_item_getter, doc), MEMBER_VALUE, true}, {0}};

const asy_type asy_item_getter_type = {
  .name = "_collections._tuplegetter",
  .size = sizeof(asy_item_getter),
  .flags = ASY_TYPE_FINAL,
  .visit = getter_visit,
  .new_ = getter_make,
  .new_signature = SIG("(cls, index, doc, /)"),
  .repr = getter_repr,
  .special = &(const asy_special){.descr_get = getter_get, .descr_set = getter_set},
  .methods = getter_methods,
  .members = getter_members,
};

/* ---- Counting ---- */

/* Whether mapping's class reads and stores as dict does. */
static bool counts_as_dict(asy_vm *vm, asy_value mapping) {
  if (!asy_is_kind(mapping, KIND_DICT)) return false;
  asy_str *const names[] = {ASY_NAME(vm, get), ASY_NAME(vm, __setitem__)};
  for (unsigned i = 0; i < 2; i++) {
    const asy_lookup *found = asy_class_lookup(vm, asy_type_of(vm, mapping), names[i]);
    if (!found || found->owner != vm->classes[KIND_DICT]) return false;
  }
  return true;
}

static bool count_item(asy_vm *vm, asy_value mapping, asy_value item) {
  asy_value given[] = {item, asy_from_small(0)};
  asy_value count = asy_call_method(vm, mapping, ASY_NAME(vm, get), 2, given);
  count = asy_failed(count) ? ASY_FAILED : asy_binary(vm, BINARY_ADD, count, asy_from_small(1));
  return !asy_failed(count) && asy_set_item(vm, mapping, item, count);
}

static asy_value count_elements(asy_vm *vm, const asy_value *args) {
  bool plain = counts_as_dict(vm, args[0]);
  asy_value iterator = asy_iter(vm, args[1]);
  if (asy_failed(iterator)) return ASY_FAILED;
  for (;;) {
    asy_value item = asy_next(vm, iterator);
    if (item == ASY_END) return ASY_NONE;
    if (asy_failed(item)) return ASY_FAILED;
    if (!(plain ? asy_dict_count(vm, dict_of(args[0]), item) : count_item(vm, args[0], item))) return ASY_FAILED;
  }
}

/* function(self), or `fill` when that very call is in progress already: reprs of objects that contain themselves. */
static asy_value guarded_repr(asy_vm *vm, const asy_value *args) {
  const uint64_t spread = 0x9E3779B97F4A7C15u;
  asy_repr_guard guard;
  if (!asy_repr_check(vm)) return ASY_FAILED;
  if (!asy_repr_enter(vm, &guard, (const void *)(uintptr_t)(args[1] ^ args[0] * spread))) return args[2];
  asy_value text = asy_call1(vm, args[0], args[1]);
  asy_repr_leave(vm, &guard);
  return text;
}

static const asy_native natives[] = {
  {"_count_elements", SIG("(mapping, iterable, /)"), count_elements,
   DOC("Count elements in the iterable, updating the mapping"), 0},
  {"_guarded_repr", SIG("(function, self, fill, /)"), guarded_repr,
   DOC("function(self), or fill inside that very call."), 0},
  {0},
};

static bool init(asy_vm *vm, asy_value module) {
  static const struct {
    const char *name;
    const asy_type *type;
  } types[] = {
    {"deque", &asy_deque_type},
    {"_deque_iterator", &asy_deque_iter_type},
    {"_deque_reverse_iterator", &asy_deque_reverse_iter_type},
    {"defaultdict", &default_dict_type},
    {"OrderedDict", &asy_ordered_dict_type},
    {"_tuplegetter", &asy_item_getter_type},
  };
  for (unsigned i = 0; i < sizeof types / sizeof *types; i++) {
    if (!asy_module_add_type(vm, module, types[i].name, types[i].type)) return false;
  }
  return true;
}

const asy_module_def asy_module_collections = {"_collections", natives, "Natives of collections.", init};
