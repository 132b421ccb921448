/* tuple.c - a fixed number of values, inside the object.
 * A subclass instance has room for its `more` word behind the items. Must stay true: a tuple that script code can see is complete
 * and never written again.
 */
#include "runtime/types/tuple.h"

#include <stdarg.h>

#include "runtime/types/iter.h"
#include "runtime/types/key.h"
#include "runtime/types/sequence.h"
#include "runtime/types/slice.h"
#include "runtime/vm.h"

static inline asy_tuple *tuple_of(asy_value v) { return (asy_tuple *)asy_obj_of(v); }

/* ---- Making ---- */

/* A tuple whose items are still 0: the caller fills it before anything else can happen. NULL: MemoryError. */
static asy_tuple *raw_tuple(asy_vm *vm, uint32_t len) {
  if (len > ASY_MAX_LENGTH) {
    asy_raise_no_memory(vm);
    return NULL;
  }
  asy_tuple *t = asy_new_kind(vm, KIND_TUPLE, sizeof *t + (size_t)len * sizeof(asy_value));
  if (t) t->len = len;
  return t;
}

bool asy_tuple_init(asy_vm *vm) {
  vm->empty_tuple = raw_tuple(vm, 0);
  return vm->empty_tuple != NULL;
}

asy_tuple *asy_tuple_new(asy_vm *vm, const asy_value *items, uint32_t len) {
  if (len == 0) return vm->empty_tuple;
  asy_tuple *t = raw_tuple(vm, len);
  if (!t) return NULL;
  if (items) {
    memcpy(t->items, items, len * sizeof *items);
  } else {
    for (uint32_t i = 0; i < len; i++) t->items[i] = ASY_NONE;
  }
  return t;
}

asy_tuple *asy_tuple_pair(asy_vm *vm, asy_value a, asy_value b) {
  asy_tuple *t = raw_tuple(vm, 2);
  if (!t) return NULL;
  t->items[0] = a;
  t->items[1] = b;
  return t;
}

asy_value asy_tuple_of(asy_vm *vm, uint32_t n, ...) {
  asy_tuple *t = n ? raw_tuple(vm, n) : vm->empty_tuple;
  if (!t) return ASY_FAILED;
  va_list values;
  va_start(values, n);
  for (uint32_t i = 0; i < n; i++) t->items[i] = va_arg(values, asy_value);
  va_end(values);
  return asy_from_obj(t);
}

asy_tuple *asy_tuple_slice(asy_vm *vm, asy_tuple *t, uint32_t start, uint32_t end) {
  if (start == 0 && end == t->len && t->head.shape == KIND_TUPLE) return t;
  return asy_tuple_new(vm, t->items + start, end - start);
}

asy_tuple *asy_tuple_from_iterable(asy_vm *vm, asy_value iterable) {
  if (asy_is_exact(iterable, KIND_TUPLE)) return tuple_of(iterable);
  if (asy_is_exact(iterable, KIND_LIST)) return asy_list_to_tuple(vm, (asy_list *)asy_obj_of(iterable));
  asy_list *list = asy_list_from_iterable(vm, iterable);
  return list ? asy_list_to_tuple(vm, list) : NULL;
}

static asy_value tuple_new(asy_vm *vm, const asy_value *args) {
  asy_class *cls = (asy_class *)asy_obj_of(args[0]);
  if (cls->flags & ASY_CLASS_FINAL) /* a record, which has as many values as fields */
    return asy_raise(vm, ASY_TypeError, "tuple.__new__(%N) is not safe, use %N.__new__()", cls, cls);
  asy_tuple *items = args[1] == ASY_UNBOUND ? vm->empty_tuple : asy_tuple_from_iterable(vm, args[1]);
  if (!items || cls == vm->classes[KIND_TUPLE]) return asy_object_or_failed(items);
  size_t size = sizeof *items + ((size_t)items->len + 1) * sizeof(asy_value); /* one more: the `more` word */
  asy_tuple *t = asy_alloc(vm, cls->root->id, KIND_TUPLE, size);
  if (!t) return ASY_FAILED;
  t->len = items->len;
  memcpy(t->items, items->items, items->len * sizeof(asy_value));
  return asy_from_obj(t);
}

/* ---- Slots ---- */

static void tuple_visit(asy_obj *o, asy_visitor *v) {
  asy_tuple *t = (asy_tuple *)o;
  asy_visit_values(v, t->items, (size_t)t->len + t->head.flags);
}

static asy_value tuple_repr(asy_vm *vm, asy_value self) {
  if (tuple_of(self)->len == 0) return asy_from_cstr(vm, "()");
  return asy_sequence_repr(vm, asy_obj_of(self), "(", ")", "(...)");
}

/* xxHash over the items' hashes, the same numbers as CPython's. */
static bool tuple_hash(asy_vm *vm, asy_value self, int64_t *out) {
  const uint64_t prime1 = 11400714785074694791u, prime2 = 14029467366897019727u, prime5 = 2870177450012600261u;
  asy_tuple *t = tuple_of(self);
  uint64_t sum = prime5;
  if (!asy_check_c_stack(vm)) return false;
  for (uint32_t i = 0; i < t->len; i++) {
    int64_t lane;
    if (!asy_key_hash(vm, t->items[i], &lane)) return false;
    sum += (uint64_t)lane * prime2;
    sum = sum << 31 | sum >> 33;
    sum *= prime1;
  }
  sum += t->len ^ (prime5 ^ 3527539u);
  *out = sum == UINT64_MAX ? 1546275796 : (int64_t)sum;
  return true;
}

static asy_value tuple_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op) {
  if (!asy_is_kind(other, KIND_TUPLE)) return ASY_NOT_IMPLEMENTED;
  return asy_sequence_compare(vm, asy_obj_of(self), asy_obj_of(other), op);
}

static int64_t tuple_length(asy_vm *vm, asy_value self) {
  (void)vm;
  return tuple_of(self)->len;
}

static asy_value tuple_slice_item(asy_vm *vm, asy_tuple *t, asy_value slice) {
  int64_t start, stop, step, count;
  if (!asy_slice_indices(vm, slice, t->len, &start, &stop, &step, &count)) return ASY_FAILED;
  if (count <= 0) return asy_from_obj(vm->empty_tuple);
  if (step == 1) return asy_object_or_failed(asy_tuple_slice(vm, t, (uint32_t)start, (uint32_t)(start + count)));
  asy_tuple *result = raw_tuple(vm, (uint32_t)count);
  if (!result) return ASY_FAILED;
  for (int64_t i = 0; i < count; i++) result->items[i] = t->items[start + i * step];
  return asy_from_obj(result);
}

static asy_value tuple_get_item(asy_vm *vm, asy_value self, asy_value key) {
  asy_tuple *t = tuple_of(self);
  int64_t i;
  if (asy_is_kind(key, KIND_SLICE)) return tuple_slice_item(vm, t, key);
  if (!asy_sequence_index(vm, key, "tuple", &i)) return ASY_FAILED;
  if (i < 0) i += t->len;
  if (i < 0 || i >= t->len) return asy_raise_format(vm, ASY_IndexError, "tuple index out of range");
  return t->items[i];
}

static int tuple_contains(asy_vm *vm, asy_value self, asy_value item) {
  uint32_t at;
  return asy_sequence_find(vm, asy_obj_of(self), item, 0, tuple_of(self)->len, &at);
}

static asy_value tuple_iter(asy_vm *vm, asy_value self) { return asy_tuple_iter_new(vm, tuple_of(self)); }

static asy_value tuple_add(asy_vm *vm, asy_value left, asy_value right) {
  if (!asy_is_kind(left, KIND_TUPLE)) return ASY_NOT_IMPLEMENTED;
  if (!asy_is_kind(right, KIND_TUPLE)) return asy_sequence_no_concat(vm, right, "tuple");
  asy_tuple *a = tuple_of(left), *b = tuple_of(right);
  if (b->len == 0 && a->head.shape == KIND_TUPLE) return left;
  if (a->len == 0 && b->head.shape == KIND_TUPLE) return right;
  asy_tuple *result = raw_tuple(vm, a->len + b->len);
  if (!result) return ASY_FAILED;
  memcpy(result->items, a->items, a->len * sizeof(asy_value));
  memcpy(result->items + a->len, b->items, b->len * sizeof(asy_value));
  return asy_from_obj(result);
}

static asy_value tuple_mul(asy_vm *vm, asy_value left, asy_value right) {
  bool swapped = !asy_is_kind(left, KIND_TUPLE);
  asy_tuple *t = tuple_of(swapped ? right : left);
  int64_t times;
  uint32_t total;
  int known = asy_sequence_factor(vm, swapped ? left : right, &times);
  if (known <= 0) return known < 0 ? ASY_FAILED : ASY_NOT_IMPLEMENTED;
  if (times == 1 && t->head.shape == KIND_TUPLE) return asy_from_obj(t);
  if (!asy_sequence_repeated(vm, t->len, times, &total)) return ASY_FAILED;
  if (total == 0) return asy_from_obj(vm->empty_tuple);
  asy_tuple *result = raw_tuple(vm, total);
  if (!result) return ASY_FAILED;
  memcpy(result->items, t->items, t->len * sizeof(asy_value));
  asy_repeat_values(result->items, t->len, total);
  return asy_from_obj(result);
}

/* ---- Methods ---- */

static asy_value tuple_index(asy_vm *vm, const asy_value *args) {
  asy_tuple *t = tuple_of(args[0]);
  uint32_t start, stop, at;
  if (!asy_sequence_bound(vm, args[2], t->len, &start)) return ASY_FAILED;
  if (!asy_sequence_bound(vm, args[3], t->len, &stop)) return ASY_FAILED;
  int found = asy_sequence_find(vm, &t->head, args[1], start, stop, &at);
  if (found < 0) return ASY_FAILED;
  if (!found) return asy_raise(vm, ASY_ValueError, "tuple.index(x): x not in tuple");
  return asy_from_small(at);
}

static asy_value tuple_count(asy_vm *vm, const asy_value *args) {
  int64_t count = asy_sequence_count(vm, asy_obj_of(args[0]), args[1]);
  return count < 0 ? ASY_FAILED : asy_from_small(count);
}

static asy_value tuple_getnewargs(asy_vm *vm, const asy_value *args) {
  asy_tuple *t = tuple_of(args[0]);
  asy_tuple *items = asy_tuple_new(vm, t->items, t->len);
  return items ? asy_tuple_of(vm, 1, asy_from_obj(items)) : ASY_FAILED;
}

static const asy_native tuple_methods[] = {
  {"index", SIG("(self, value, start=0, stop=2147483647, /)"), tuple_index, DOC("Return first index of value."), 0},
  {"count", SIG("(self, value, /)"), tuple_count, DOC("Return number of occurrences of value."), 0},
  {"__getnewargs__", SIG("(self, /)"), tuple_getnewargs, 0, 0},
  {0},
};

const asy_type asy_tuple_type = {
  .name = "tuple",
  .doc = "Built-in immutable sequence.",
  .size = sizeof(asy_tuple),
  .flags = ASY_TYPE_SEQUENCE,
  .visit = tuple_visit,
  .new_ = tuple_new,
  .new_signature = SIG("(cls, iterable=?, /)"),
  .repr = tuple_repr,
  .hash = tuple_hash,
  .compare = tuple_compare,
  .length = tuple_length,
  .special = &(const asy_special){.get_item = tuple_get_item, .contains = tuple_contains},
  .iter = tuple_iter,
  .operators = &(const asy_operators){.binary = {[BINARY_ADD] = tuple_add, [BINARY_MUL] = tuple_mul}},
  .methods = tuple_methods,
};
