/* sequence.c - what list, tuple and other containers share.
 * Must stay true: element pointers are read again after every comparison, because __eq__ may resize a list.
 */
#include "runtime/types/sequence.h"

#include "runtime/types/key.h"

asy_value asy_new_empty(asy_vm *vm, const asy_value *args) {
  return asy_object_or_failed(asy_new_instance(vm, (asy_class *)asy_obj_of(args[0])));
}

/* ---- Reprs of containers that contain themselves ---- */

/* The search for containers in progress is linear, so their number is kept small. */
enum { REPR_DEPTH_MAX = 5000 };

bool asy_repr_check(asy_vm *vm) {
  const char *where = " while getting the repr of an object";
  if (!vm->repr_guards || vm->repr_guards->depth < REPR_DEPTH_MAX) return asy_check_c_stack_in(vm, where);
  asy_raise(vm, ASY_RecursionError, "maximum recursion depth exceeded%s", where);
  return false;
}

bool asy_repr_enter(asy_vm *vm, asy_repr_guard *guard, const void *object) {
  for (const asy_repr_guard *g = vm->repr_guards; g; g = g->outer) {
    if (g->object == object) return false;
  }
  *guard = (asy_repr_guard){
    .outer = vm->repr_guards, .object = object, .depth = vm->repr_guards ? vm->repr_guards->depth + 1 : 1};
  vm->repr_guards = guard;
  return true;
}

void asy_repr_leave(asy_vm *vm, asy_repr_guard *guard) {
  asy_repr_guard **link = &vm->repr_guards; /* guards of other threads may lie above */
  while (*link != guard) link = &(*link)->outer;
  *link = guard->outer;
}

asy_value asy_repr_guarded(asy_vm *vm, asy_value self, asy_value (*show)(asy_vm *, asy_value), const char *again) {
  asy_repr_guard guard;
  if (!asy_repr_check(vm)) return ASY_FAILED;
  if (!asy_repr_enter(vm, &guard, asy_obj_of(self))) return asy_from_cstr(vm, again);
  asy_value text = show(vm, self);
  asy_repr_leave(vm, &guard);
  return text;
}

asy_value asy_sequence_repr(asy_vm *vm, asy_obj *o, const char *open, const char *close, const char *again) {
  asy_repr_guard guard;
  if (!asy_repr_check(vm)) return ASY_FAILED;
  if (!asy_repr_enter(vm, &guard, o)) return asy_from_cstr(vm, again);
  asy_text text;
  asy_text_init(&text, vm);
  asy_text_ascii(&text, open);
  uint32_t length, i = 0;
  for (const asy_value *items; items = asy_elements(o, &length), i < length && !text.failed; i++) {
    if (i) asy_text_ascii(&text, ", ");
    asy_text_repr_of(&text, items[i]);
  }
  if (length == 1 && o->kind == KIND_TUPLE) asy_text_char(&text, ',');
  asy_text_ascii(&text, close);
  asy_repr_leave(vm, &guard);
  return asy_object_or_failed(asy_text_finish(&text));
}

/* ---- Indices ---- */

bool asy_sequence_index(asy_vm *vm, asy_value key, const char *name, int64_t *out) {
  if (asy_is_int(key)) {
    *out = asy_small(key);
    return true;
  }
  if (!asy_is_integer(key)) {
    asy_value fn, self;
    int has = asy_find_special(vm, key, ASY_NAME(vm, __index__), &fn, &self);
    if (has < 0) return false;
    if (!has) {
      asy_raise(vm, ASY_TypeError, "%s indices must be integers or slices, not %T", name, key);
      return false;
    }
  }
  asy_value index = asy_index(vm, key);
  if (asy_failed(index)) return false;
  if (asy_is_number_int64(index, out)) return true;
  asy_raise(vm, ASY_IndexError, "cannot fit '%T' into an index-sized integer", key);
  return false;
}

bool asy_sequence_bound(asy_vm *vm, asy_value v, uint32_t length, uint32_t *out) {
  int64_t i;
  if (asy_is_int(v)) {
    i = asy_small(v);
  } else {
    asy_value fn, self;
    int has = asy_is_integer(v) ? 1 : asy_find_special(vm, v, ASY_NAME(vm, __index__), &fn, &self);
    if (has < 0) return false;
    if (!has) {
      asy_raise(vm, ASY_TypeError, "slice indices must be integers or have an __index__ method");
      return false;
    }
    asy_value index = asy_index(vm, v);
    if (asy_failed(index)) return false;
    if (!asy_is_number_int64(index, &i)) {
      int negative = asy_less(vm, index, asy_from_small(0));
      if (negative < 0) return false;
      i = negative ? INT64_MIN : INT64_MAX;
    }
  }
  if (i < 0) i = i < -(int64_t)length ? 0 : i + length;
  *out = i > length ? length : (uint32_t)i;
  return true;
}

/* ---- Search and comparison ---- */

int asy_sequence_find(asy_vm *vm, asy_obj *o, asy_value item, uint32_t start, uint32_t stop, uint32_t *out) {
  for (uint32_t i = start; i < stop; i++) {
    uint32_t length;
    const asy_value *items = asy_elements(o, &length);
    if (i >= length) return 0;
    int same = asy_same(vm, items[i], item);
    if (same == 0) continue;
    *out = i;
    return same;
  }
  return 0;
}

int64_t asy_sequence_count(asy_vm *vm, asy_obj *o, asy_value item) {
  int64_t count = 0;
  uint32_t length, i = 0;
  for (const asy_value *items; items = asy_elements(o, &length), i < length; i++) {
    int same = asy_same(vm, items[i], item);
    if (same < 0) return -1;
    count += same;
  }
  return count;
}

static bool order_of(int64_t a, int64_t b, asy_compare_op op) {
  switch (op) {
    case COMPARE_LT: return a < b;
    case COMPARE_LE: return a <= b;
    case COMPARE_EQ: return a == b;
    case COMPARE_NE: return a != b;
    case COMPARE_GT: return a > b;
    default: return a >= b;
  }
}

asy_value asy_sequence_compare(asy_vm *vm, asy_obj *a, asy_obj *b, asy_compare_op op) {
  if (!asy_check_c_stack(vm)) return ASY_FAILED;
  uint32_t na, nb, i = 0;
  const asy_value *left = asy_elements(a, &na), *right = asy_elements(b, &nb);
  if (na != nb && (op == COMPARE_EQ || op == COMPARE_NE)) return asy_from_bool(op == COMPARE_NE);
  for (int same = 1; same && i < na && i < nb; i += (uint32_t)same) {
    same = asy_same(vm, left[i], right[i]);
    if (same < 0) return ASY_FAILED;
    left = asy_elements(a, &na);
    right = asy_elements(b, &nb);
  }
  if (i >= na || i >= nb) return asy_from_bool(order_of(na, nb, op));
  if (op == COMPARE_EQ || op == COMPARE_NE) return asy_from_bool(op == COMPARE_NE);
  if (asy_both_int(left[i], right[i])) return asy_from_bool(order_of(asy_small(left[i]), asy_small(right[i]), op));
  return asy_compare(vm, left[i], right[i], op);
}

/* ---- + and * ---- */

/* Whether v, the other operand, might handle the operation itself: 1, 0, -1. Built-in types never do. */
static int may_handle(asy_vm *vm, asy_value v, asy_str *reflected) {
  asy_value fn, self;
  if (asy_class_of(vm, v)->flags & ASY_CLASS_BUILTIN) return 0;
  return asy_find_special(vm, v, reflected, &fn, &self);
}

asy_value asy_sequence_no_concat(asy_vm *vm, asy_value right, const char *name) {
  int other = may_handle(vm, right, ASY_NAME(vm, __radd__));
  if (other) return other < 0 ? ASY_FAILED : ASY_NOT_IMPLEMENTED;
  return asy_raise(vm, ASY_TypeError, "can only concatenate %s (not \"%T\") to %s", name, right, name);
}

int asy_sequence_factor(asy_vm *vm, asy_value factor, int64_t *out) {
  if (!asy_is_int(factor) && !asy_is_integer(factor)) {
    asy_value fn, self;
    int has = asy_find_special(vm, factor, ASY_NAME(vm, __index__), &fn, &self);
    if (has < 0) return -1;
    if (!has) {
      int other = may_handle(vm, factor, ASY_NAME(vm, __rmul__));
      if (other == 0) other = may_handle(vm, factor, ASY_NAME(vm, __mul__));
      if (other) return other < 0 ? -1 : 0;
      asy_raise(vm, ASY_TypeError, "can't multiply sequence by non-int of type '%T'", factor);
      return -1;
    }
  }
  asy_value index = asy_is_int(factor) ? factor : asy_index(vm, factor);
  if (asy_failed(index)) return -1;
  if (!asy_is_number_int64(index, out)) {
    asy_raise(vm, ASY_OverflowError, "cannot fit '%T' into an index-sized integer", factor);
    return -1;
  }
  if (*out < 0) *out = 0;
  return 1;
}

bool asy_sequence_repeated(asy_vm *vm, uint32_t length, int64_t times, uint32_t *out) {
  int64_t total;
  if (__builtin_mul_overflow((int64_t)length, times, &total) || total > ASY_MAX_LENGTH) {
    asy_raise_no_memory(vm);
    return false;
  }
  *out = (uint32_t)total;
  return true;
}

void asy_repeat_values(asy_value *items, uint32_t length, uint32_t total) {
  if (length == 1) {
    for (uint32_t i = 1; i < total; i++) items[i] = items[0];
    return;
  }
  for (uint32_t done = length; done < total;) {
    uint32_t n = done <= total - done ? done : total - done;
    memcpy(items + done, items, n * sizeof *items);
    done += n;
  }
}
