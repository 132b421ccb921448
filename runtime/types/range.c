/* range.c - range objects and their iterators. Small ranges count in C integers; big ones, in integers of any size, go through
 * the same functions, which ask `part` for start, stop, step and length as values.
 */
#include "runtime/types/range.h"

#include "runtime/class.h"
#include "runtime/number.h"
#include "runtime/types/int.h"
#include "runtime/types/slice.h"

enum { START, STOP, STEP, LENGTH }; /* items of `big` */

static asy_range *range_of(asy_value v) { return (asy_range *)asy_obj_of(v); }

static asy_value part(asy_vm *vm, const asy_range *range, int which) {
  if (range->big) return range->big->items[which];
  const int64_t parts[] = {range->start, range->stop, range->step, range->length};
  return asy_from_int64(vm, parts[which]);
}

/* Items between start and stop; more than INT64_MAX possible. */
static uint64_t count_items(int64_t start, int64_t stop, int64_t step) {
  if (step > 0) return start < stop ? ((uint64_t)stop - (uint64_t)start - 1) / (uint64_t)step + 1 : 0;
  return start > stop ? ((uint64_t)start - (uint64_t)stop - 1) / (0 - (uint64_t)step) + 1 : 0;
}

/* Length as an integer of any size. */
static asy_value count_big(asy_vm *vm, asy_value start, asy_value stop, asy_value step) {
  bool up = asy_int_sign(step) > 0;
  asy_value low = up ? start : stop, high = up ? stop : start;
  if (asy_int_compare(low, high) >= 0) return asy_from_small(0);
  asy_value span = asy_int_sub(vm, high, low), size = asy_int_abs(vm, step), quotient, remainder;
  if (!asy_failed(span)) span = asy_int_sub(vm, span, asy_from_small(1));
  if (asy_failed(span) || asy_failed(size) || !asy_int_divmod(vm, span, size, &quotient, &remainder)) return ASY_FAILED;
  return asy_int_add(vm, quotient, asy_from_small(1));
}

asy_value asy_range_new(asy_vm *vm, asy_value start, asy_value stop, asy_value step) {
  asy_range *range = asy_new_kind(vm, KIND_RANGE, sizeof *range);
  if (!range) return ASY_FAILED;
  if (asy_is_number_int64(start, &range->start) && asy_is_number_int64(stop, &range->stop) &&
      asy_is_number_int64(step, &range->step)) {
    uint64_t length = count_items(range->start, range->stop, range->step);
    if (length <= INT64_MAX) {
      range->length = (int64_t)length;
      return asy_from_obj(range);
    }
  }
  asy_value length = count_big(vm, start, stop, step);
  if (asy_failed(length)) return ASY_FAILED;
  asy_value big = asy_tuple_of(vm, 4, start, stop, step, length);
  if (asy_failed(big)) return ASY_FAILED;
  range->big = (asy_tuple *)asy_obj_of(big);
  asy_barrier(vm, range);
  return asy_from_obj(range);
}

int64_t asy_range_length(const asy_range *range) {
  if (!range->big) return range->length;
  int64_t length;
  return asy_is_number_int64(range->big->items[LENGTH], &length) ? length : -1;
}

static void range_visit(asy_obj *o, asy_visitor *v) { asy_visit_obj(v, ((asy_range *)o)->big); }

static asy_value range_new(asy_vm *vm, const asy_value *args) {
  asy_value parts[3];
  unsigned n = 0;
  for (; n < 3 && args[n + 1] != ASY_UNBOUND; n++) {
    asy_value part = asy_index(vm, args[n + 1]);
    if (!asy_failed(part)) part = asy_int_plain(vm, part);
    if (asy_failed(part)) return ASY_FAILED;
    parts[n] = part;
  }
  if (n == 1) return asy_range_new(vm, asy_from_small(0), parts[0], asy_from_small(1));
  if (n == 2) return asy_range_new(vm, parts[0], parts[1], asy_from_small(1));
  if (!asy_int_sign(parts[2])) return asy_raise(vm, ASY_ValueError, "range() arg 3 must not be zero");
  return asy_range_new(vm, parts[0], parts[1], parts[2]);
}

static asy_value range_repr(asy_vm *vm, asy_value self) {
  const asy_range *range = range_of(self);
  asy_value start = part(vm, range, START), stop = part(vm, range, STOP), step = part(vm, range, STEP);
  if (asy_failed(start) || asy_failed(stop) || asy_failed(step)) return ASY_FAILED;
  asy_str *text = step == asy_from_small(1) ? asy_str_format(vm, "range(%R, %R)", start, stop)
                                            : asy_str_format(vm, "range(%R, %R, %R)", start, stop, step);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

static int64_t range_len(asy_vm *vm, asy_value self) {
  int64_t length = asy_range_length(range_of(self));
  if (length < 0) asy_raise(vm, ASY_OverflowError, "Python int too large to convert to C ssize_t");
  return length;
}

static int range_truth(asy_vm *vm, asy_value self) {
  (void)vm;
  return asy_range_length(range_of(self)) != 0;
}

/* start + i * step */
static asy_value item_at(asy_vm *vm, const asy_range *range, asy_value i) {
  int64_t index, offset, item;
  if (!range->big && asy_is_number_int64(i, &index) && !__builtin_mul_overflow(index, range->step, &offset) &&
      !__builtin_add_overflow(range->start, offset, &item))
    return asy_from_int64(vm, item);
  asy_value product = asy_int_mul(vm, i, part(vm, range, STEP));
  return asy_failed(product) ? ASY_FAILED : asy_int_add(vm, part(vm, range, START), product);
}

/* The parts of a slice of a range: its indices, taken as a range, laid over this one. */
static asy_value range_slice(asy_vm *vm, const asy_range *range, asy_value slice) {
  asy_value length = part(vm, range, LENGTH);
  asy_value indices = asy_failed(length) ? ASY_FAILED
                                         : asy_call_method(vm, slice, asy_intern(vm, "indices"), 1, &length);
  if (asy_failed(indices)) return ASY_FAILED;
  const asy_tuple *t = (const asy_tuple *)asy_obj_of(indices);
  asy_value start = item_at(vm, range, t->items[0]), stop = item_at(vm, range, t->items[1]);
  asy_value step = asy_int_mul(vm, part(vm, range, STEP), t->items[2]);
  if (asy_failed(start) || asy_failed(stop) || asy_failed(step)) return ASY_FAILED;
  return asy_range_new(vm, start, stop, step);
}

static asy_value range_get_item(asy_vm *vm, asy_value self, asy_value key) {
  const asy_range *range = range_of(self);
  if (asy_is_kind(key, KIND_SLICE)) return range_slice(vm, range, key);
  asy_value index = key;
  if (!asy_is_integer(key)) {
    index = asy_call_special(vm, key, ASY_NAME(vm, __index__), 0, NULL);
    if (index == ASY_UNBOUND)
      return asy_raise(vm, ASY_TypeError, "range indices must be integers or slices, not %T", key);
    if (asy_failed(index)) return ASY_FAILED;
  }
  asy_value length = part(vm, range, LENGTH);
  if (asy_int_sign(index) < 0) index = asy_int_add(vm, index, length);
  if (asy_failed(index)) return ASY_FAILED;
  if (asy_int_sign(index) < 0 || asy_int_compare(index, length) >= 0)
    return asy_raise(vm, ASY_IndexError, "range object index out of range");
  return item_at(vm, range, index);
}

/* The index of an integer, as an integer; UNBOUND when it is no item. */
static asy_value index_of(asy_vm *vm, const asy_range *range, asy_value item) {
  asy_value start = part(vm, range, START), step = part(vm, range, STEP);
  asy_value offset = asy_int_sub(vm, item, start), quotient, remainder;
  if (asy_failed(offset) || !asy_int_divmod(vm, offset, step, &quotient, &remainder)) return ASY_FAILED;
  bool hit = !asy_int_sign(remainder) && asy_int_sign(quotient) >= 0 &&
             asy_int_compare(quotient, part(vm, range, LENGTH)) < 0;
  return hit ? quotient : ASY_UNBOUND;
}

static bool is_plain_integer(asy_value v) { return asy_is_int(v) || asy_is_bool(v) || asy_is_exact(v, KIND_INT); }

/* How many items equal `item` by ==, at most `limit`; *first is the index of the first. -1 failed. */
static int64_t count_equal(asy_vm *vm, asy_value self, asy_value item, int64_t limit, int64_t *first) {
  int64_t count = 0;
  asy_value iterator = asy_iter(vm, self);
  if (asy_failed(iterator)) return -1;
  for (int64_t i = 0;; i++) {
    asy_value next = asy_next(vm, iterator);
    if (next == ASY_END) return count;
    int equal = asy_failed(next) ? -1 : asy_equal(vm, next, item);
    if (equal < 0) return -1;
    if (!equal) continue;
    if (!count++ && first) *first = i;
    if (count == limit) return count;
  }
}

static int range_contains(asy_vm *vm, asy_value self, asy_value item) {
  if (!is_plain_integer(item)) return (int)count_equal(vm, self, item, 1, NULL);
  asy_value index = index_of(vm, range_of(self), item);
  return asy_failed(index) ? -1 : index != ASY_UNBOUND;
}

static asy_value range_count(asy_vm *vm, const asy_value *args) {
  if (is_plain_integer(args[1])) {
    asy_value index = index_of(vm, range_of(args[0]), args[1]);
    return asy_failed(index) ? ASY_FAILED : asy_from_small(index != ASY_UNBOUND);
  }
  int64_t count = count_equal(vm, args[0], args[1], INT64_MAX, NULL);
  return count < 0 ? ASY_FAILED : asy_from_int64(vm, count);
}

static asy_value range_index(asy_vm *vm, const asy_value *args) {
  if (is_plain_integer(args[1])) {
    asy_value index = index_of(vm, range_of(args[0]), args[1]);
    if (index != ASY_UNBOUND) return index;
    return asy_raise(vm, ASY_ValueError, "%R is not in range", args[1]);
  }
  int64_t first = 0, count = count_equal(vm, args[0], args[1], 1, &first);
  if (count < 0) return ASY_FAILED;
  if (count) return asy_from_int64(vm, first);
  return asy_raise(vm, ASY_ValueError, "sequence.index(x): x not in sequence");
}

/* (length, start, step), with None where it makes no difference: what equality and hash look at. */
static asy_value key_of(asy_vm *vm, const asy_range *range) {
  asy_value length = part(vm, range, LENGTH), start = ASY_NONE, step = ASY_NONE;
  if (asy_failed(length)) return ASY_FAILED;
  if (asy_int_sign(length)) start = part(vm, range, START);
  if (asy_int_compare(length, asy_from_small(1)) > 0) step = part(vm, range, STEP);
  if (asy_failed(start) || asy_failed(step)) return ASY_FAILED;
  return asy_tuple_of(vm, 3, length, start, step);
}

static asy_value range_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op) {
  if ((op != COMPARE_EQ && op != COMPARE_NE) || !asy_is_kind(self, KIND_RANGE) || !asy_is_kind(other, KIND_RANGE))
    return ASY_NOT_IMPLEMENTED;
  asy_value a = key_of(vm, range_of(self)), b = key_of(vm, range_of(other));
  if (asy_failed(a) || asy_failed(b)) return ASY_FAILED;
  return asy_compare(vm, a, b, op);
}

static bool range_hash(asy_vm *vm, asy_value self, int64_t *out) {
  asy_value key = key_of(vm, range_of(self));
  return !asy_failed(key) && asy_hash(vm, key, out);
}

static asy_value range_start(asy_vm *vm, const asy_value *args) { return part(vm, range_of(args[0]), START); }
static asy_value range_stop(asy_vm *vm, const asy_value *args) { return part(vm, range_of(args[0]), STOP); }
static asy_value range_step(asy_vm *vm, const asy_value *args) { return part(vm, range_of(args[0]), STEP); }

static asy_value range_reduce(asy_vm *vm, const asy_value *args) {
  const asy_range *range = range_of(args[0]);
  asy_value parts = asy_tuple_of(vm, 3, part(vm, range, START), part(vm, range, STOP), part(vm, range, STEP));
  if (asy_failed(parts)) return ASY_FAILED;
  return asy_tuple_of(vm, 2, asy_from_obj(vm->classes[KIND_RANGE]), parts);
}

/* ---- Iterators ---- */

static asy_value iterate_big(asy_vm *vm, asy_value start, asy_value step, asy_value length) {
  asy_value big = asy_tuple_of(vm, 3, start, step, length);
  if (asy_failed(big)) return ASY_FAILED;
  asy_range_iter *it = asy_new_kind(vm, KIND_RANGE_ITER, sizeof *it);
  if (!it) return ASY_FAILED;
  it->big = (asy_tuple *)asy_obj_of(big);
  it->index = asy_from_small(0);
  return asy_from_obj(it);
}

static asy_value iterate_small(asy_vm *vm, int64_t start, int64_t step, int64_t length) {
  asy_range_iter *it = asy_new_kind(vm, KIND_RANGE_ITER, sizeof *it);
  if (!it) return ASY_FAILED;
  it->current = start;
  it->step = step;
  it->remaining = (uint64_t)length;
  it->index = asy_from_small(0);
  return asy_from_obj(it);
}

/* Of a small range: it lies between start and stop, so wrapping on the way does no harm. */
static int64_t last_item(const asy_range *range) {
  if (!range->length) return 0;
  return (int64_t)((uint64_t)range->start + (uint64_t)(range->length - 1) * (uint64_t)range->step);
}

static asy_value range_iter(asy_vm *vm, asy_value self) {
  const asy_range *range = range_of(self);
  if (!range->big) {
    int64_t last = last_item(range);
    if (!range->length || (asy_int_fits(range->start) && asy_int_fits(last)))
      return iterate_small(vm, range->start, range->step, range->length);
  }
  asy_value start = part(vm, range, START), step = part(vm, range, STEP), length = part(vm, range, LENGTH);
  if (asy_failed(start) || asy_failed(step) || asy_failed(length)) return ASY_FAILED;
  return iterate_big(vm, start, step, length);
}

static asy_value range_reversed(asy_vm *vm, const asy_value *args) {
  const asy_range *range = range_of(args[0]);
  if (!range->big) {
    int64_t last = last_item(range);
    if (!range->length || (asy_int_fits(range->start) && asy_int_fits(last) && range->step != INT64_MIN))
      return iterate_small(vm, last, range->length ? -range->step : 1, range->length);
  }
  asy_value step = part(vm, range, STEP), length = part(vm, range, LENGTH);
  if (asy_failed(step) || asy_failed(length)) return ASY_FAILED;
  asy_value last = asy_int_sub(vm, length, asy_from_small(1));
  asy_value start = asy_failed(last) ? ASY_FAILED : item_at(vm, range, last);
  asy_value back = asy_int_negate(vm, step);
  if (asy_failed(start) || asy_failed(back)) return ASY_FAILED;
  return iterate_big(vm, start, back, length);
}

static asy_value iter_next(asy_vm *vm, asy_value self) {
  asy_range_iter *it = (asy_range_iter *)asy_obj_of(self);
  if (it->remaining) {
    it->remaining--;
    int64_t item = it->current;
    it->current = (int64_t)((uint64_t)item + (uint64_t)it->step);
    return asy_from_small(item);
  }
  if (!it->big || asy_int_compare(it->index, it->big->items[2]) >= 0) return ASY_END;
  asy_value offset = asy_int_mul(vm, it->index, it->big->items[1]);
  asy_value item = asy_failed(offset) ? ASY_FAILED : asy_int_add(vm, it->big->items[0], offset);
  asy_value next = asy_int_add(vm, it->index, asy_from_small(1));
  if (asy_failed(item) || asy_failed(next)) return ASY_FAILED;
  asy_store(vm, it, &it->index, next);
  return item;
}

static asy_value iter_self(asy_vm *vm, asy_value self) {
  (void)vm;
  return self;
}

static asy_value iter_hint(asy_vm *vm, const asy_value *args) {
  const asy_range_iter *it = (const asy_range_iter *)asy_obj_of(args[0]);
  return it->big ? asy_int_sub(vm, it->big->items[2], it->index) : asy_from_uint64(vm, it->remaining);
}

/* Takes `state` steps, as far as there are. */
static asy_value iter_setstate(asy_vm *vm, const asy_value *args) {
  asy_range_iter *it = (asy_range_iter *)asy_obj_of(args[0]);
  asy_value state = asy_index(vm, args[1]);
  int64_t steps;
  if (asy_failed(state)) return ASY_FAILED;
  if (asy_int_sign(state) < 0) return ASY_NONE;
  bool fits = asy_is_number_int64(state, &steps);
  if (it->big) {
    asy_value left = asy_int_sub(vm, it->big->items[2], it->index),
              past = asy_failed(left) ? ASY_FAILED : asy_int_sub(vm, state, left);
    asy_value index = asy_failed(past)         ? ASY_FAILED
                      : asy_int_sign(past) > 0 ? it->big->items[2]
                                               : asy_int_add(vm, it->index, state);
    if (asy_failed(index)) return ASY_FAILED;
    asy_store(vm, it, &it->index, index);
    return ASY_NONE;
  }
  if (!fits || (uint64_t)steps > it->remaining) steps = (int64_t)it->remaining;
  it->current += steps * it->step;
  it->remaining -= (uint64_t)steps;
  return ASY_NONE;
}

/* iter(range of what is left) */
static asy_value iter_reduce(asy_vm *vm, const asy_value *args) {
  const asy_range_iter *it = (const asy_range_iter *)asy_obj_of(args[0]);
  asy_value start, stop, step;
  if (it->big) {
    asy_value done = asy_int_mul(vm, it->index, it->big->items[1]),
              all = asy_int_mul(vm, it->big->items[2], it->big->items[1]);
    if (asy_failed(done) || asy_failed(all)) return ASY_FAILED;
    start = asy_int_add(vm, it->big->items[0], done);
    stop = asy_int_add(vm, it->big->items[0], all);
    step = it->big->items[1];
  } else {
    start = asy_from_int64(vm, it->current);
    step = asy_from_int64(vm, it->step);
    stop = asy_failed(step) ? ASY_FAILED : asy_int_mul(vm, step, asy_from_int64(vm, (int64_t)it->remaining));
    stop = asy_failed(stop) ? ASY_FAILED : asy_int_add(vm, start, stop);
  }
  if (asy_failed(start) || asy_failed(stop) || asy_failed(step)) return ASY_FAILED;
  asy_value iter = asy_dict_get_str(vm, vm->builtins, asy_intern(vm, "iter")),
            left = asy_range_new(vm, start, stop, step);
  if (asy_failed(left) || iter == ASY_UNBOUND) return ASY_FAILED;
  asy_value arguments = asy_tuple_of(vm, 1, left);
  return asy_failed(arguments) ? ASY_FAILED : asy_tuple_of(vm, 3, iter, arguments, ASY_NONE);
}

static void iter_visit(asy_obj *o, asy_visitor *v) {
  const asy_range_iter *it = (const asy_range_iter *)o;
  asy_visit_obj(v, it->big);
  asy_visit_value(v, it->index);
}

static const asy_native range_methods[] = {
  {"__reduce__", SIG("(self, /)"), range_reduce, 0, 0},
  {"__reversed__", SIG("(self, /)"), range_reversed, DOC("Return a reverse iterator."), 0},
  {"count", SIG("(self, value, /)"), range_count,
   DOC("rangeobject.count(value) -> integer -- return number of occurrences of value"), 0},
  {"index", SIG("(self, value, /)"), range_index,
   DOC("rangeobject.index(value) -> integer -- return index of value.\nRaise ValueError if the value is not present."),
   0},
  {"start", SIG("(self)"), range_start, 0, ASY_NATIVE_GETTER},
  {"step", SIG("(self)"), range_step, 0, ASY_NATIVE_GETTER},
  {"stop", SIG("(self)"), range_stop, 0, ASY_NATIVE_GETTER},
  {0},
};

const asy_type asy_range_type = {
  .name = "range",
  .doc =
    "range(stop) -> range object\nrange(start, stop[, step]) -> range object\n\nReturn an object that produces a "
    "sequence of integers from start (inclusive)\nto stop (exclusive) by step.",
  .size = sizeof(asy_range),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_SEQUENCE,
  .visit = range_visit,
  .new_ = range_new,
  .new_signature = SIG("(cls, start, stop=?, step=?, /)"),
  .repr = range_repr,
  .hash = range_hash,
  .compare = range_compare,
  .special = &(const asy_special){.truth = range_truth, .get_item = range_get_item, .contains = range_contains},
  .length = range_len,
  .iter = range_iter,
  .methods = range_methods,
};

static const asy_native iter_methods[] = {
  {"__length_hint__", SIG("(self, /)"), iter_hint, DOC("Private method returning an estimate of len(list(it))."), 0},
  {"__reduce__", SIG("(self, /)"), iter_reduce, DOC("Return state information for pickling."), 0},
  {"__setstate__", SIG("(self, state, /)"), iter_setstate, DOC("Set state information for unpickling."), 0},
  {0},
};

const asy_type asy_range_iter_type = {
  .name = "range_iterator",
  .size = sizeof(asy_range_iter),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW,
  .visit = iter_visit,
  .iter = iter_self,
  .next = iter_next,
  .methods = iter_methods,
};
