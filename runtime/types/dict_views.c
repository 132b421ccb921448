/* dict_views.c - dict.keys(), values() and items(): live views; keys and items are sets in their operators.
 */
#include "runtime/types/iter.h"
#include "runtime/types/key.h"
#include "runtime/types/sequence.h"
#include "runtime/vm.h"

static inline asy_dict *dict_of(asy_value view) { return ((asy_dict_view *)asy_obj_of(view))->dict; }

static asy_dict_what what_of(asy_value view) {
  switch (asy_obj_of(view)->kind) {
    case KIND_DICT_KEYS: return DICT_WHAT_KEYS;
    case KIND_DICT_VALUES: return DICT_WHAT_VALUES;
    default: return DICT_WHAT_ITEMS;
  }
}

static bool is_set_view(asy_value v) { return asy_is_kind(v, KIND_DICT_KEYS) || asy_is_kind(v, KIND_DICT_ITEMS); }

asy_value asy_dict_view_new(asy_vm *vm, asy_dict *dict, asy_dict_what what) {
  static const uint8_t kinds[] = {KIND_DICT_KEYS, KIND_DICT_VALUES, KIND_DICT_ITEMS};
  asy_dict_view *view = asy_new_kind(vm, kinds[what], sizeof *view);
  if (!view) return ASY_FAILED;
  view->dict = dict;
  return asy_from_obj(view);
}

static void view_visit(asy_obj *o, asy_visitor *v) { asy_visit_obj(v, ((asy_dict_view *)o)->dict); }

static int64_t view_length(asy_vm *vm, asy_value self) {
  (void)vm;
  return dict_of(self)->used;
}

static asy_value view_iter(asy_vm *vm, asy_value self) { return asy_dict_iter_new(vm, dict_of(self), what_of(self)); }

static asy_value view_reversed(asy_vm *vm, const asy_value *args) {
  return asy_dict_reversed_new(vm, dict_of(args[0]), what_of(args[0]));
}

static asy_value view_mapping(asy_vm *vm, const asy_value *args) {
  return asy_mapping_proxy_new(vm, asy_from_obj(dict_of(args[0])));
}

static asy_value view_repr(asy_vm *vm, asy_value self) {
  static const char *const names[] = {"dict_keys([", "dict_values([", "dict_items(["};
  asy_dict *dict = dict_of(self);
  asy_dict_what what = what_of(self);
  asy_repr_guard guard;
  if (!asy_repr_check(vm)) return ASY_FAILED;
  if (!asy_repr_enter(vm, &guard, asy_obj_of(self))) return asy_from_cstr(vm, "...");
  asy_text text;
  asy_text_init(&text, vm);
  if (asy_class_of(vm, asy_from_obj(dict))->type == &asy_ordered_dict_type) asy_text_char(&text, 'o');
  asy_text_ascii(&text, names[what]);
  asy_value key, value;
  bool more = false;
  for (uint32_t i = 0; !text.failed && asy_dict_next(dict, &i, &key, &value); more = true) {
    if (more) asy_text_ascii(&text, ", ");
    if (what == DICT_WHAT_ITEMS) {
      asy_text_char(&text, '(');
      asy_text_repr_of(&text, key);
      asy_text_ascii(&text, ", ");
      if (!text.failed) asy_text_repr_of(&text, value);
      asy_text_char(&text, ')');
    } else {
      asy_text_repr_of(&text, what == DICT_WHAT_KEYS ? key : value);
    }
  }
  asy_text_ascii(&text, "])");
  asy_repr_leave(vm, &guard);
  return asy_object_or_failed(asy_text_finish(&text));
}

static int keys_contains(asy_vm *vm, asy_value self, asy_value item) {
  asy_value value;
  return asy_dict_get(vm, dict_of(self), item, &value);
}

static int items_contains(asy_vm *vm, asy_value self, asy_value item) {
  if (!asy_is_kind(item, KIND_TUPLE)) return 0;
  asy_tuple *pair = (asy_tuple *)asy_obj_of(item);
  asy_value value;
  if (pair->len != 2) return 0;
  int found = asy_dict_get(vm, dict_of(self), pair->items[0], &value);
  return found > 0 ? asy_same(vm, value, pair->items[1]) : found;
}

/* ---- Set operators ---- */

/* The set of an operand's items. NULL failed. */
static asy_set *set_of(asy_vm *vm, asy_value operand) {
  asy_set *set = asy_set_new(vm, KIND_SET);
  return set && asy_set_update(vm, set, operand) ? set : NULL;
}

static asy_value finished(asy_set *set, bool done) { return set && done ? asy_from_obj(set) : ASY_FAILED; }

static asy_value view_sub(asy_vm *vm, asy_value left, asy_value right) {
  asy_set *set = set_of(vm, left);
  return finished(set, set && asy_set_difference_update(vm, set, right));
}

static asy_value view_or(asy_vm *vm, asy_value left, asy_value right) {
  asy_set *set = set_of(vm, left);
  return finished(set, set && asy_set_update(vm, set, right));
}

static asy_value view_xor(asy_vm *vm, asy_value left, asy_value right) {
  asy_set *set = set_of(vm, left);
  return finished(set, set && asy_set_symmetric_update(vm, set, right));
}

static asy_value view_and(asy_vm *vm, asy_value left, asy_value right) {
  asy_value view = is_set_view(left) ? left : right, other = is_set_view(left) ? right : left;
  uint32_t n = dict_of(view)->used;
  bool larger = is_set_view(other) && dict_of(other)->used > n;
  if (larger ||
      (asy_is_exact(other, KIND_SET) && ((asy_set *)asy_obj_of(other))->used >= n)) { /* iterate over the smaller */
    asy_value swap = view;
    view = other;
    other = swap;
  }
  asy_set *set = asy_set_new(vm, KIND_SET);
  asy_value iterator = set ? asy_iter(vm, other) : ASY_FAILED;
  if (asy_failed(iterator)) return ASY_FAILED;
  for (;;) {
    asy_value item = asy_next(vm, iterator);
    if (item == ASY_END) return asy_from_obj(set);
    int inside = asy_failed(item) ? -1 : asy_contains(vm, view, item);
    if (inside < 0 || (inside && asy_set_add(vm, set, item) < 0)) return ASY_FAILED;
  }
}

/* Whether every item of `part` is in `whole`: 1, 0, -1. */
static int all_inside(asy_vm *vm, asy_value part, asy_value whole) {
  asy_value iterator = asy_iter(vm, part);
  if (asy_failed(iterator)) return -1;
  for (;;) {
    asy_value item = asy_next(vm, iterator);
    if (item == ASY_END) return 1;
    int inside = asy_failed(item) ? -1 : asy_contains(vm, whole, item);
    if (inside <= 0) return inside;
  }
}

static asy_value view_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op) {
  if (!is_set_view(other) && !asy_is_any_set(other)) return ASY_NOT_IMPLEMENTED;
  int64_t mine = dict_of(self)->used, theirs = asy_length(vm, other);
  int answer = 0;
  if (theirs < 0) return ASY_FAILED;
  switch (op) {
    case COMPARE_EQ:
    case COMPARE_NE: answer = mine == theirs ? all_inside(vm, self, other) : 0; break;
    case COMPARE_LT: answer = mine < theirs ? all_inside(vm, self, other) : 0; break;
    case COMPARE_LE: answer = mine <= theirs ? all_inside(vm, self, other) : 0; break;
    case COMPARE_GT: answer = mine > theirs ? all_inside(vm, other, self) : 0; break;
    default: answer = mine >= theirs ? all_inside(vm, other, self) : 0; break;
  }
  if (answer < 0) return ASY_FAILED;
  return asy_from_bool((answer == 1) != (op == COMPARE_NE));
}

static asy_value view_isdisjoint(asy_vm *vm, const asy_value *args) {
  asy_value iterator = asy_iter(vm, args[1]);
  if (asy_failed(iterator)) return ASY_FAILED;
  for (;;) {
    asy_value item = asy_next(vm, iterator);
    if (item == ASY_END) return ASY_TRUE;
    int inside = asy_failed(item) ? -1 : asy_contains(vm, args[0], item);
    if (inside) return inside < 0 ? ASY_FAILED : ASY_FALSE;
  }
}

static const asy_native set_view_methods[] = {
  {"isdisjoint", SIG("(self, other, /)"), view_isdisjoint,
   DOC("Return True if the view and the given iterable have a null intersection."), 0},
  {"__reversed__", SIG("(self, /)"), view_reversed, DOC("Return a reverse iterator over the view."), 0},
  {"mapping", SIG("(self, /)"), view_mapping, DOC("dictionary that this view refers to"), ASY_NATIVE_GETTER},
  {0},
};

static const asy_native values_methods[] = {
  {"__reversed__", SIG("(self, /)"), view_reversed, DOC("Return a reverse iterator over the dict values."), 0},
  {"mapping", SIG("(self, /)"), view_mapping, DOC("dictionary that this view refers to"), ASY_NATIVE_GETTER},
  {0},
};

#define SET_OPERATORS                                                                                                  \
  { [BINARY_SUB] = view_sub, [BINARY_AND] = view_and, [BINARY_OR] = view_or, [BINARY_XOR] = view_xor }

const asy_type asy_dict_keys_type = {
  .name = "dict_keys",
  .size = sizeof(asy_dict_view),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW | ASY_TYPE_UNHASHABLE,
  .visit = view_visit,
  .repr = view_repr,
  .compare = view_compare,
  .length = view_length,
  .special = &(const asy_special){.contains = keys_contains},
  .iter = view_iter,
  .operators = &(const asy_operators){.binary = SET_OPERATORS},
  .methods = set_view_methods,
};

const asy_type asy_dict_items_type = {
  .name = "dict_items",
  .size = sizeof(asy_dict_view),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW | ASY_TYPE_UNHASHABLE,
  .visit = view_visit,
  .repr = view_repr,
  .compare = view_compare,
  .length = view_length,
  .special = &(const asy_special){.contains = items_contains},
  .iter = view_iter,
  .operators = &(const asy_operators){.binary = SET_OPERATORS},
  .methods = set_view_methods,
};

#undef SET_OPERATORS

const asy_type asy_dict_values_type = {
  .name = "dict_values",
  .size = sizeof(asy_dict_view),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW,
  .visit = view_visit,
  .repr = view_repr,
  .length = view_length,
  .iter = view_iter,
  .methods = values_methods,
};
