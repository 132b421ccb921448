/* slice.c - slice objects, and how their parts become indices. */
#include "runtime/types/slice.h"

#include "runtime/class.h"
#include "runtime/number.h"
#include "runtime/types/int.h"

asy_value asy_slice_new(asy_vm *vm, asy_value start, asy_value stop, asy_value step) {
  asy_slice *slice = asy_new_kind(vm, KIND_SLICE, sizeof *slice);
  if (!slice) return ASY_FAILED;
  slice->start = start;
  slice->stop = stop;
  slice->step = step;
  return asy_from_obj(slice);
}

static void slice_visit(asy_obj *o, asy_visitor *v) {
  const asy_slice *slice = (const asy_slice *)o;
  asy_visit_value(v, slice->start);
  asy_visit_value(v, slice->stop);
  asy_visit_value(v, slice->step);
}

/* One part, cut to what fits; `otherwise` for None. */
static bool part(asy_vm *vm, asy_value v, int64_t otherwise, int64_t *out) {
  if (asy_is_int(v)) {
    *out = asy_small(v);
    return true;
  }
  if (v == ASY_NONE) {
    *out = otherwise;
    return true;
  }
  asy_value index = v;
  if (!asy_is_integer(v)) {
    index = asy_call_special(vm, v, ASY_NAME(vm, __index__), 0, NULL);
    if (index == ASY_UNBOUND)
      asy_raise(vm, ASY_TypeError, "slice indices must be integers or None or have an __index__ method");
    else index = asy_converted_int(vm, index, "__index__");
    if (index == ASY_UNBOUND || asy_failed(index)) return false;
  }
  if (!asy_is_number_int64(index, out)) *out = asy_int_sign(index) < 0 ? INT64_MIN : INT64_MAX;
  return true;
}

bool asy_slice_unpack(asy_vm *vm, asy_value value, int64_t *start, int64_t *stop, int64_t *step) {
  const asy_slice *slice = (const asy_slice *)asy_obj_of(value);
  if (!part(vm, slice->step, 1, step)) return false;
  if (*step == 0) {
    asy_raise(vm, ASY_ValueError, "slice step cannot be zero");
    return false;
  }
  if (*step < -INT64_MAX) *step = -INT64_MAX; /* so that it can be negated */
  return part(vm, slice->start, *step < 0 ? INT64_MAX : 0, start) &&
         part(vm, slice->stop, *step < 0 ? INT64_MIN : INT64_MAX, stop);
}

int64_t asy_slice_adjust(int64_t length, int64_t *start, int64_t *stop, int64_t step) {
  int64_t low = step < 0 ? -1 : 0, high = step < 0 ? length - 1 : length;
  if (*start < 0) *start = *start + length < low ? low : *start + length;
  else if (*start > high) *start = high;
  if (*stop < 0) *stop = *stop + length < low ? low : *stop + length;
  else if (*stop > high) *stop = high;
  if (step < 0) return *stop < *start ? (*start - *stop - 1) / -step + 1 : 0;
  return *start < *stop ? (*stop - *start - 1) / step + 1 : 0;
}

bool asy_slice_indices(asy_vm *vm, asy_value slice, int64_t length, int64_t *start, int64_t *stop, int64_t *step,
                       int64_t *count) {
  if (!asy_slice_unpack(vm, slice, start, stop, step)) return false;
  *count = asy_slice_adjust(length, start, stop, *step);
  return true;
}

/* ---- The type ---- */

static asy_value slice_new(asy_vm *vm, const asy_value *args) {
  const asy_tuple *rest = (const asy_tuple *)asy_obj_of(args[1]);
  if (rest->len == 0) return asy_raise(vm, ASY_TypeError, "slice expected at least 1 argument, got 0");
  if (rest->len > 3) return asy_raise(vm, ASY_TypeError, "slice expected at most 3 arguments, got %u", rest->len);
  if (rest->len == 1) return asy_slice_new(vm, ASY_NONE, rest->items[0], ASY_NONE);
  return asy_slice_new(vm, rest->items[0], rest->items[1], rest->len == 3 ? rest->items[2] : ASY_NONE);
}

static asy_value slice_repr(asy_vm *vm, asy_value self) {
  const asy_slice *slice = (const asy_slice *)asy_obj_of(self);
  asy_str *text = asy_str_format(vm, "slice(%R, %R, %R)", slice->start, slice->stop, slice->step);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

static asy_value as_tuple(asy_vm *vm, asy_value self) {
  const asy_slice *slice = (const asy_slice *)asy_obj_of(self);
  return asy_tuple_of(vm, 3, slice->start, slice->stop, slice->step);
}

static asy_value slice_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op) {
  if (!asy_is_kind(other, KIND_SLICE) || !asy_is_kind(self, KIND_SLICE)) return ASY_NOT_IMPLEMENTED;
  asy_value a = as_tuple(vm, self), b = as_tuple(vm, other);
  if (asy_failed(a) || asy_failed(b)) return ASY_FAILED;
  return asy_compare(vm, a, b, op);
}

static bool slice_hash(asy_vm *vm, asy_value self, int64_t *out) {
  asy_value tuple = as_tuple(vm, self);
  return !asy_failed(tuple) && asy_hash(vm, tuple, out);
}

/* The part as an integer of any size; `otherwise` for None. */
static asy_value whole_part(asy_vm *vm, asy_value v, asy_value otherwise) {
  int64_t cut;
  if (v == ASY_NONE) return otherwise;
  if (asy_is_integer(v)) return asy_int_plain(vm, v);
  if (!part(vm, v, 0, &cut)) return ASY_FAILED; /* for its message */
  return asy_index(vm, v);
}

/* v counted from the end when negative, and kept within low..high. */
static asy_value clipped(asy_vm *vm, asy_value v, asy_value length, asy_value low, asy_value high) {
  if (asy_int_sign(v) < 0) {
    v = asy_int_add(vm, v, length);
    if (asy_failed(v)) return ASY_FAILED;
    return asy_int_compare(v, low) < 0 ? low : v;
  }
  return asy_int_compare(v, high) > 0 ? high : v;
}

static asy_value slice_indices(asy_vm *vm, const asy_value *args) {
  const asy_slice *slice = (const asy_slice *)asy_obj_of(args[0]);
  asy_value length = asy_index(vm, args[1]);
  if (asy_failed(length)) return ASY_FAILED;
  if (asy_int_sign(length) < 0) return asy_raise(vm, ASY_ValueError, "length should not be negative");
  asy_value step = whole_part(vm, slice->step, asy_from_small(1));
  if (asy_failed(step)) return ASY_FAILED;
  if (!asy_int_sign(step)) return asy_raise(vm, ASY_ValueError, "slice step cannot be zero");
  bool down = asy_int_sign(step) < 0;
  asy_value low = asy_from_small(down ? -1 : 0), high = down ? asy_int_sub(vm, length, asy_from_small(1)) : length;
  if (asy_failed(high)) return ASY_FAILED;
  asy_value start = high, stop = low;
  if (!down) start = low, stop = high;
  if (slice->start != ASY_NONE) {
    start = whole_part(vm, slice->start, ASY_NONE);
    if (!asy_failed(start)) start = clipped(vm, start, length, low, high);
  }
  if (asy_failed(start)) return ASY_FAILED;
  if (slice->stop != ASY_NONE) {
    stop = whole_part(vm, slice->stop, ASY_NONE);
    if (!asy_failed(stop)) stop = clipped(vm, stop, length, low, high);
  }
  if (asy_failed(stop)) return ASY_FAILED;
  return asy_tuple_of(vm, 3, start, stop, step);
}

static asy_value slice_reduce(asy_vm *vm, const asy_value *args) {
  asy_value tuple = as_tuple(vm, args[0]);
  if (asy_failed(tuple)) return ASY_FAILED;
  return asy_tuple_of(vm, 2, asy_from_obj(vm->classes[KIND_SLICE]), tuple);
}

static const asy_native slice_methods[] = {
  {"__reduce__", SIG("(self, /)"), slice_reduce, DOC("Return state information for pickling."), 0},
  {"indices", SIG("(self, object, /)"), slice_indices,
   DOC("S.indices(len) -> (start, stop, stride)\n\nAssuming a sequence of length len, calculate the start and "
       "stop\nindices, and "
       "the stride length of the extended slice described by\nS. Out of bounds indices are clipped in a manner "
       "consistent "
       "with "
       "the\nhandling of normal slices."),
   0},
  {0},
};

static const asy_member slice_members[] = {
  {"start", offsetof(asy_slice, start), MEMBER_VALUE, false},
  {"stop", offsetof(asy_slice, stop), MEMBER_VALUE, false},
  {"step", offsetof(asy_slice, step), MEMBER_VALUE, false},
  {0},
};

const asy_type asy_slice_type = {
  .name = "slice",
  .doc =
    "slice(stop)\nslice(start, stop[, step])\n\nCreate a slice object.  This is used for extended slicing (e.g. "
    "a[0:10:2]).",
  .size = sizeof(asy_slice),
  .flags = ASY_TYPE_FINAL,
  .visit = slice_visit,
  .new_ = slice_new,
  .new_signature = SIG("(cls, *args)"),
  .repr = slice_repr,
  .hash = slice_hash,
  .compare = slice_compare,
  .methods = slice_methods,
  .members = slice_members,
};
