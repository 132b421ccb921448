/* deque.c - collections.deque: a double-ended queue as a ring of values.
 *
 *   items:  [ 3 4 5 . . . 1 2 ]     cap is a power of two; item i lies at (start + i) & (cap - 1)
 *                         ^ start
 *
 * Must stay true: slots in use hold values, never 0; whatever runs script code reads the ring again afterwards; `mutations` counts
 * what adds, removes or moves items, so that iterators notice.
 */
#include "runtime/types/deque.h"

#include "runtime/types/alias.h"
#include "runtime/types/sequence.h"
#include "runtime/vm.h"

typedef struct {
  asy_obj head;
  uint32_t len, cap, start;
  uint32_t mutations;
  int64_t maxlen;   /* -1: none */
  asy_value *items; /* owned */
} deque;

typedef struct {
  asy_obj head;
  deque *ring; /* NULL: exhausted */
  uint32_t left;
  uint32_t mutations; /* of the deque when the iteration began */
  bool backward;
} deque_iter;

static inline deque *deque_of(asy_value v) { return (deque *)asy_obj_of(v); }
static inline asy_value *place(const deque *d, uint32_t i) { return &d->items[(d->start + i) & (d->cap - 1)]; }

static bool is_deque(asy_vm *vm, asy_value v) {
  const asy_class *cls = asy_class_for(vm, &asy_deque_type);
  return cls && asy_is_obj(v) && asy_obj_of(v)->kind == cls->kind;
}

static bool is_exact_deque(asy_vm *vm, const deque *d) {
  return asy_type_of(vm, asy_from_obj(d)) == asy_class_for(vm, &asy_deque_type);
}

static deque *deque_new(asy_vm *vm, int64_t maxlen) {
  deque *d = asy_new_object(vm, &asy_deque_type);
  if (d) d->maxlen = maxlen;
  return d;
}

static asy_value deque_make(asy_vm *vm, const asy_value *args) {
  deque *d = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  if (!d) return ASY_FAILED;
  d->maxlen = -1;
  return asy_from_obj(d);
}

static void deque_visit(asy_obj *o, asy_visitor *v) {
  const deque *d = (const deque *)o;
  for (uint32_t i = 0; i < d->len; i++) asy_visit_value(v, *place(d, i));
}

static void deque_free(asy_vm *vm, asy_obj *o) {
  deque *d = (deque *)o;
  if (d->items) asy_mem_free(vm, d->items, d->cap * sizeof *d->items);
}

/* ---- The ring ---- */

static __attribute__((noinline)) bool grow(asy_vm *vm, deque *d, uint64_t need) {
  uint64_t cap = d->cap ? d->cap : 4;
  if (need > ASY_MAX_LENGTH / 2) return asy_raise_no_memory(vm), false;
  while (cap < need) cap *= 2;
  asy_value *items = asy_mem_alloc(vm, cap * sizeof *items);
  if (!items) return false;
  for (uint32_t i = 0; i < d->len; i++) items[i] = *place(d, i);
  if (d->items) asy_mem_free(vm, d->items, d->cap * sizeof *items);
  d->items = items;
  d->cap = (uint32_t)cap;
  d->start = 0;
  return true;
}

static inline bool push_right(asy_vm *vm, deque *d, asy_value item) {
  d->mutations++;
  if (d->len == d->cap && !(d->maxlen == 0 || grow(vm, d, (uint64_t)d->len + 1))) return false;
  if (d->maxlen >= 0 && d->len >= d->maxlen) {
    if (d->maxlen == 0) return true;
    d->start = (d->start + 1) & (d->cap - 1);
    d->len--;
  }
  asy_store(vm, d, place(d, d->len++), item);
  return true;
}

static inline bool push_left(asy_vm *vm, deque *d, asy_value item) {
  d->mutations++;
  if (d->len == d->cap && !(d->maxlen == 0 || grow(vm, d, (uint64_t)d->len + 1))) return false;
  if (d->maxlen >= 0 && d->len >= d->maxlen) {
    if (d->maxlen == 0) return true;
    d->len--;
  }
  d->start = (d->start - 1) & (d->cap - 1);
  d->len++;
  asy_store(vm, d, place(d, 0), item);
  return true;
}

static void clear(asy_vm *vm, deque *d) {
  if (d->items) asy_mem_free(vm, d->items, d->cap * sizeof *d->items);
  d->items = NULL;
  d->len = d->cap = d->start = 0;
  d->mutations++;
}

/* Takes item i out; the shorter side moves. */
static void remove_at(deque *d, uint32_t i) {
  if (i < d->len / 2) {
    for (; i > 0; i--) *place(d, i) = *place(d, i - 1);
    d->start = (d->start + 1) & (d->cap - 1);
  } else {
    for (; i + 1 < d->len; i++) *place(d, i) = *place(d, i + 1);
  }
  d->len--;
  d->mutations++;
}

static void rotate(deque *d, int64_t n) {
  if (d->len < 2) return;
  d->mutations++;
  n %= d->len;
  if (n < 0) n += d->len;
  uint32_t mask = d->cap - 1;
  if (n <= d->len / 2) {
    for (; n > 0; n--) {
      asy_value last = *place(d, d->len - 1);
      d->start = (d->start - 1) & mask;
      d->items[d->start] = last;
    }
  } else {
    for (n = d->len - n; n > 0; n--) {
      asy_value first = d->items[d->start];
      d->start = (d->start + 1) & mask;
      *place(d, d->len - 1) = first;
    }
  }
}

static bool extend(asy_vm *vm, deque *d, asy_value iterable, bool left) {
  if (iterable == asy_from_obj(d)) {
    asy_list *own = asy_list_from_iterable(vm, iterable);
    if (!own) return false;
    iterable = asy_from_obj(own);
  }
  asy_value iterator = asy_iter(vm, iterable);
  if (asy_failed(iterator)) return false;
  for (;;) {
    asy_value item = asy_next(vm, iterator);
    if (item == ASY_END) return true;
    if (asy_failed(item) || !(left ? push_left(vm, d, item) : push_right(vm, d, item))) return false;
  }
}

static deque *copy(asy_vm *vm, const deque *from) {
  deque *d = deque_new(vm, from->maxlen);
  if (!d || (from->len && !grow(vm, d, from->len))) return NULL;
  for (uint32_t i = 0; i < from->len; i++) d->items[i] = *place(from, i);
  d->len = from->len;
  asy_barrier(vm, d);
  return d;
}

/* ---- Making, adding, taking ---- */

static asy_value deque_init(asy_vm *vm, const asy_value *args) {
  deque *d = deque_of(args[0]);
  int64_t maxlen = -1;
  if (args[2] != ASY_NONE) {
    if (!asy_is_integer(args[2])) return asy_raise(vm, ASY_TypeError, "an integer is required");
    if (!asy_to_int64(vm, args[2], &maxlen)) return ASY_FAILED;
    if (maxlen < 0) return asy_raise(vm, ASY_ValueError, "maxlen must be non-negative");
  }
  clear(vm, d);
  d->maxlen = maxlen;
  return args[1] == ASY_UNBOUND || extend(vm, d, args[1], false) ? ASY_NONE : ASY_FAILED;
}

static asy_value deque_append(asy_vm *vm, const asy_value *args) {
  return push_right(vm, deque_of(args[0]), args[1]) ? ASY_NONE : ASY_FAILED;
}

static asy_value deque_appendleft(asy_vm *vm, const asy_value *args) {
  return push_left(vm, deque_of(args[0]), args[1]) ? ASY_NONE : ASY_FAILED;
}

static asy_value deque_extend(asy_vm *vm, const asy_value *args) {
  return extend(vm, deque_of(args[0]), args[1], false) ? ASY_NONE : ASY_FAILED;
}

static asy_value deque_extendleft(asy_vm *vm, const asy_value *args) {
  return extend(vm, deque_of(args[0]), args[1], true) ? ASY_NONE : ASY_FAILED;
}

static asy_value deque_pop(asy_vm *vm, const asy_value *args) {
  deque *d = deque_of(args[0]);
  if (!d->len) return asy_raise_format(vm, ASY_IndexError, "pop from an empty deque");
  d->mutations++;
  return *place(d, --d->len);
}

static asy_value deque_popleft(asy_vm *vm, const asy_value *args) {
  deque *d = deque_of(args[0]);
  if (!d->len) return asy_raise_format(vm, ASY_IndexError, "pop from an empty deque");
  asy_value item = d->items[d->start];
  d->start = (d->start + 1) & (d->cap - 1);
  d->len--;
  d->mutations++;
  return item;
}

static asy_value deque_clear(asy_vm *vm, const asy_value *args) {
  clear(vm, deque_of(args[0]));
  return ASY_NONE;
}

static asy_value deque_copy(asy_vm *vm, const asy_value *args) {
  const deque *d = deque_of(args[0]);
  if (is_exact_deque(vm, d)) return asy_object_or_failed(copy(vm, d));
  asy_value cls = asy_from_obj(asy_type_of(vm, args[0]));
  return d->maxlen < 0 ? asy_call1(vm, cls, args[0]) : asy_call2(vm, cls, args[0], asy_from_small(d->maxlen));
}

static asy_value deque_insert(asy_vm *vm, const asy_value *args) {
  deque *d = deque_of(args[0]);
  int64_t index;
  if (!asy_to_int64(vm, args[1], &index)) return ASY_FAILED;
  if (d->maxlen >= 0 && d->len >= d->maxlen) return asy_raise(vm, ASY_IndexError, "deque already at its maximum size");
  if (index < 0) index = index + d->len < 0 ? 0 : index + d->len;
  if (index >= d->len) return push_right(vm, d, args[2]) ? ASY_NONE : ASY_FAILED;
  rotate(d, -index);
  if (!push_left(vm, d, args[2])) return ASY_FAILED;
  rotate(d, index);
  return ASY_NONE;
}

static asy_value deque_reverse(asy_vm *vm, const asy_value *args) {
  deque *d = deque_of(args[0]);
  d->mutations++;
  for (uint32_t i = 0, j = d->len; i + 1 < j; i++) {
    asy_value kept = *place(d, i);
    *place(d, i) = *place(d, --j);
    *place(d, j) = kept;
  }
  return ASY_NONE;
}

static asy_value deque_rotate(asy_vm *vm, const asy_value *args) {
  int64_t n;
  if (!asy_to_int64(vm, args[1], &n)) return ASY_FAILED;
  rotate(deque_of(args[0]), n);
  return ASY_NONE;
}

/* ---- Searching ---- */

/* The first place of item in [i, stop); -1 absent, -2 failed, -3 the deque changed meanwhile. */
static int64_t find(asy_vm *vm, deque *d, asy_value item, uint32_t i, uint32_t stop) {
  uint32_t mutations = d->mutations;
  for (; i < stop && i < d->len; i++) {
    int equal = asy_equal(vm, *place(d, i), item);
    if (equal < 0) return -2;
    if (d->mutations != mutations) return -3;
    if (equal) return i;
  }
  return -1;
}

static asy_value raise_mutated(asy_vm *vm) { return asy_raise(vm, ASY_RuntimeError, "deque mutated during iteration"); }

static int deque_contains(asy_vm *vm, asy_value self, asy_value item) {
  int64_t i = find(vm, deque_of(self), item, 0, UINT32_MAX);
  if (i == -3) raise_mutated(vm);
  return i >= 0 ? 1 : i == -1 ? 0 : -1;
}

static asy_value deque_count(asy_vm *vm, const asy_value *args) {
  deque *d = deque_of(args[0]);
  int64_t n = 0;
  for (int64_t i = 0;; i++, n++) {
    i = find(vm, d, args[1], (uint32_t)i, UINT32_MAX);
    if (i == -1) return asy_from_small(n);
    if (i < 0) return i == -3 ? raise_mutated(vm) : ASY_FAILED;
  }
}

static asy_value deque_index(asy_vm *vm, const asy_value *args) {
  deque *d = deque_of(args[0]);
  uint32_t start = 0, stop = d->len;
  if (args[2] != ASY_UNBOUND && !asy_sequence_bound(vm, args[2], d->len, &start)) return ASY_FAILED;
  if (args[3] != ASY_UNBOUND && !asy_sequence_bound(vm, args[3], d->len, &stop)) return ASY_FAILED;
  int64_t i = find(vm, d, args[1], start, stop);
  if (i >= 0) return asy_from_small(i);
  if (i == -1) return asy_raise(vm, ASY_ValueError, "%R is not in deque", args[1]);
  return i == -3 ? raise_mutated(vm) : ASY_FAILED;
}

static asy_value deque_remove(asy_vm *vm, const asy_value *args) {
  deque *d = deque_of(args[0]);
  int64_t i = find(vm, d, args[1], 0, UINT32_MAX);
  if (i == -1) return asy_raise(vm, ASY_ValueError, "%R is not in deque", args[1]);
  if (i == -3) return asy_raise(vm, ASY_IndexError, "deque mutated during remove().");
  if (i < 0) return ASY_FAILED;
  remove_at(d, (uint32_t)i);
  return ASY_NONE;
}

/* ---- As a sequence ---- */

static int64_t deque_length(asy_vm *vm, asy_value self) {
  (void)vm;
  return deque_of(self)->len;
}

static bool index_in(asy_vm *vm, const deque *d, asy_value key, int64_t *i) {
  if (!asy_is_int(key)) {
    asy_value index = asy_index(vm, key);
    if (asy_failed(index) && asy_raised_is(vm, ASY_TypeError)) {
      asy_clear_exception(vm);
      asy_raise(vm, ASY_TypeError, "sequence index must be integer, not '%T'", key);
    }
    if (asy_failed(index)) return false;
    key = index;
  }
  if (!asy_is_number_int64(key, i))
    return asy_raise(vm, ASY_IndexError, "cannot fit '%T' into an index-sized integer", key), false;
  if (*i < 0) *i += d->len;
  if (*i >= 0 && *i < d->len) return true;
  asy_raise(vm, ASY_IndexError, "deque index out of range");
  return false;
}

static asy_value deque_get_item(asy_vm *vm, asy_value self, asy_value key) {
  int64_t i;
  return index_in(vm, deque_of(self), key, &i) ? *place(deque_of(self), (uint32_t)i) : ASY_FAILED;
}

static bool deque_set_item(asy_vm *vm, asy_value self, asy_value key, asy_value value) {
  deque *d = deque_of(self);
  int64_t i;
  if (!index_in(vm, d, key, &i)) return false;
  if (value == ASY_UNBOUND) remove_at(d, (uint32_t)i);
  else asy_store(vm, d, place(d, (uint32_t)i), value);
  return true;
}

static asy_value deque_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op) {
  if (!is_deque(vm, other)) return ASY_NOT_IMPLEMENTED;
  deque *a = deque_of(self), *b = deque_of(other);
  if (op == COMPARE_EQ || op == COMPARE_NE) {
    if (a == b) return asy_from_bool(op == COMPARE_EQ);
    if (a->len != b->len) return asy_from_bool(op == COMPARE_NE);
  }
  if (!asy_check_c_stack_in(vm, " in comparison")) return ASY_FAILED;
  uint32_t of_a = a->mutations, of_b = b->mutations;
  for (uint32_t i = 0; i < a->len && i < b->len; i++) {
    asy_value x = *place(a, i), y = *place(b, i);
    int equal = asy_equal(vm, x, y);
    if (equal < 0) return ASY_FAILED;
    if (!equal && op != COMPARE_EQ && op != COMPARE_NE) return asy_compare(vm, x, y, op);
    if (!equal) return asy_from_bool(op == COMPARE_NE);
    if (a->mutations != of_a || b->mutations != of_b) return raise_mutated(vm);
  }
  return asy_compare(vm, asy_from_small(a->len), asy_from_small(b->len), op);
}

static asy_value deque_repr(asy_vm *vm, asy_value self) {
  const deque *d = deque_of(self);
  asy_repr_guard guard;
  if (!asy_repr_check(vm)) return ASY_FAILED;
  if (!asy_repr_enter(vm, &guard, d)) return asy_from_cstr(vm, "[...]");
  asy_text t;
  asy_text_init(&t, vm);
  asy_text_str(&t, asy_type_of(vm, self)->name);
  asy_text_ascii(&t, "([");
  for (uint32_t i = 0; !t.failed && i < d->len; i++) {
    if (i) asy_text_ascii(&t, ", ");
    asy_text_repr_of(&t, *place(d, i));
  }
  asy_text_char(&t, ']');
  if (d->maxlen >= 0) {
    asy_text_ascii(&t, ", maxlen=");
    asy_text_repr_of(&t, asy_from_small(d->maxlen));
  }
  asy_text_char(&t, ')');
  asy_repr_leave(vm, &guard);
  return asy_object_or_failed(asy_text_finish(&t));
}

static asy_value deque_add(asy_vm *vm, asy_value left, asy_value right) {
  if (!is_deque(vm, left)) return ASY_NOT_IMPLEMENTED;
  if (!is_deque(vm, right))
    return asy_raise(vm, ASY_TypeError, "can only concatenate deque (not \"%T\") to deque", right);
  asy_value made = deque_copy(vm, &left);
  return !asy_failed(made) && extend(vm, deque_of(made), right, false) ? made : ASY_FAILED;
}

static asy_value deque_iadd(asy_vm *vm, asy_value self, asy_value right) {
  return extend(vm, deque_of(self), right, false) ? self : ASY_FAILED;
}

/* Appends its own items until there are len * times; of a bounded deque only the last maxlen matter. */
static bool repeat(asy_vm *vm, deque *d, int64_t times) {
  uint32_t length = d->len;
  if (times <= 0) clear(vm, d);
  if (times <= 1 || !length) return true;
  if (d->maxlen >= 0 && times > d->maxlen / length + 2) times = d->maxlen / length + 2;
  if (times > ASY_MAX_LENGTH / 2 / (int64_t)length) return asy_raise_no_memory(vm), false;
  asy_value *own = asy_mem_alloc(vm, length * sizeof *own);
  if (!own) return false;
  for (uint32_t i = 0; i < length; i++) own[i] = *place(d, i);
  bool ok = true;
  for (int64_t n = 1; ok && n < times; n++)
    for (uint32_t i = 0; ok && i < length; i++) ok = push_right(vm, d, own[i]);
  asy_mem_free(vm, own, length * sizeof *own);
  return ok;
}

static asy_value deque_mul(asy_vm *vm, asy_value left, asy_value right) {
  asy_value self = is_deque(vm, left) ? left : right, factor = self == left ? right : left;
  int64_t times;
  int known = asy_sequence_factor(vm, factor, &times);
  if (known <= 0) return known ? ASY_FAILED : ASY_NOT_IMPLEMENTED;
  asy_value made = deque_copy(vm, &self);
  return !asy_failed(made) && repeat(vm, deque_of(made), times) ? made : ASY_FAILED;
}

static asy_value deque_imul(asy_vm *vm, asy_value self, asy_value right) {
  int64_t times;
  int known = asy_sequence_factor(vm, right, &times);
  if (known <= 0) return known ? ASY_FAILED : ASY_NOT_IMPLEMENTED;
  return repeat(vm, deque_of(self), times) ? self : ASY_FAILED;
}

static asy_value deque_maxlen(asy_vm *vm, const asy_value *args) {
  int64_t maxlen = deque_of(args[0])->maxlen;
  return maxlen < 0 ? ASY_NONE : asy_from_int64(vm, maxlen);
}

static asy_value deque_reduce(asy_vm *vm, const asy_value *args) {
  asy_value cls = asy_from_obj(asy_type_of(vm, args[0])), maxlen = deque_maxlen(vm, args);
  asy_str *name = asy_intern(vm, "__getstate__");
  asy_value state = name ? asy_call_method(vm, args[0], name, 0, NULL) : ASY_FAILED;
  asy_value items = asy_failed(state) ? ASY_FAILED : asy_iter(vm, args[0]);
  if (asy_failed(items)) return ASY_FAILED;
  asy_value empty = asy_from_obj(vm->empty_tuple);
  asy_value made = maxlen == ASY_NONE ? empty : asy_tuple_of(vm, 2, empty, maxlen);
  return asy_failed(made) ? ASY_FAILED : asy_tuple_of(vm, 4, cls, made, state, items);
}

/* ---- Iterators ---- */

static asy_value iter_new(asy_vm *vm, const asy_type *type, deque *d) {
  deque_iter *it = asy_new_object(vm, type);
  if (!it) return ASY_FAILED;
  it->ring = d;
  it->left = d->len;
  it->mutations = d->mutations;
  it->backward = type == &asy_deque_reverse_iter_type;
  return asy_from_obj(it);
}

/* (cls, deque, index=0): as pickles have it, `index` items further on. */
static asy_value iter_make(asy_vm *vm, const asy_value *args, const asy_type *type) {
  int64_t steps;
  if (!is_deque(vm, args[1]))
    return asy_raise(vm, ASY_TypeError, "%s() argument 1 must be collections.deque, not %T", type->name, args[1]);
  if (!asy_to_int64(vm, args[2], &steps)) return ASY_FAILED;
  asy_value made = iter_new(vm, type, deque_of(args[1]));
  if (asy_failed(made)) return ASY_FAILED;
  deque_iter *it = (deque_iter *)asy_obj_of(made);
  if (steps > 0) it->left -= steps > it->left ? it->left : (uint32_t)steps;
  return made;
}
static asy_value iter_make_forward(asy_vm *vm, const asy_value *args) {
  return iter_make(vm, args, &asy_deque_iter_type);
}
static asy_value iter_make_backward(asy_vm *vm, const asy_value *args) {
  return iter_make(vm, args, &asy_deque_reverse_iter_type);
}

static void iter_visit(asy_obj *o, asy_visitor *v) { asy_visit_obj(v, ((deque_iter *)o)->ring); }
static asy_value iter_self(asy_vm *vm, asy_value self) { return self; }

static asy_value iter_next(asy_vm *vm, asy_value self) {
  deque_iter *it = (deque_iter *)asy_obj_of(self);
  const deque *d = it->ring;
  if (!d) return ASY_END;
  if (it->mutations != d->mutations) {
    it->left = 0;
    it->ring = NULL;
    return raise_mutated(vm);
  }
  if (!it->left) {
    it->ring = NULL;
    return ASY_END;
  }
  it->left--;
  return *place(d, it->backward ? it->left : d->len - 1 - it->left);
}

static asy_value iter_hint(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return asy_from_small(((deque_iter *)asy_obj_of(args[0]))->left);
}

static asy_value iter_reduce(asy_vm *vm, const asy_value *args) {
  deque_iter *it = (deque_iter *)asy_obj_of(args[0]);
  deque *d = it->ring ? it->ring : deque_new(vm, -1);
  if (!d) return ASY_FAILED;
  asy_value made = asy_tuple_of(vm, 2, asy_from_obj(d), asy_from_small(d->len - it->left));
  return asy_failed(made) ? ASY_FAILED : asy_tuple_of(vm, 2, asy_from_obj(asy_type_of(vm, args[0])), made);
}

static const asy_native iter_methods[] = {
  {"__length_hint__", SIG("(self, /)"), iter_hint, DOC("Private method returning an estimate of len(list(it))."), 0},
  {"__reduce__", SIG("(self, /)"), iter_reduce, DOC("Return state information for pickling."), 0},
  {0},
};

#define ITER_TYPE(variable, its_name, make)                                                                            \
  const asy_type variable = {                                                                                          \
    .name = its_name,                                                                                                  \
    .size = sizeof(deque_iter),                                                                                        \
    .flags = ASY_TYPE_FINAL,                                                                                           \
    .visit = iter_visit,                                                                                               \
    .new_ = make,                                                                                                      \
    .new_signature = SIG("(cls, deque, index=0, /)"),                                                                  \
    .iter = iter_self,                                                                                                 \
    .next = iter_next,                                                                                                 \
    .methods = iter_methods,                                                                                           \
  }
ITER_TYPE(asy_deque_iter_type, "_collections._deque_iterator", iter_make_forward);
ITER_TYPE(asy_deque_reverse_iter_type, "_collections._deque_reverse_iterator", iter_make_backward);
#undef ITER_TYPE

static asy_value deque_iterate(asy_vm *vm, asy_value self) {
  return iter_new(vm, &asy_deque_iter_type, deque_of(self));
}
static asy_value deque_reversed(asy_vm *vm, const asy_value *args) {
  return iter_new(vm, &asy_deque_reverse_iter_type, deque_of(args[0]));
}

static const asy_native deque_methods[] = {
  {"append", SIG("(self, item, /)"), deque_append, DOC("Add an element to the right side of the deque."), 0},
  {"appendleft", SIG("(self, item, /)"), deque_appendleft, DOC("Add an element to the left side of the deque."), 0},
  {"clear", SIG("(self, /)"), deque_clear, DOC("Remove all elements from the deque."), 0},
  {"copy", SIG("(self, /)"), deque_copy, DOC("Return a shallow copy of a deque."), 0},
  {"__copy__", SIG("(self, /)"), deque_copy, DOC("Return a shallow copy of a deque."), 0},
  {"count", SIG("(self, value, /)"), deque_count, DOC("Return number of occurrences of value."), 0},
  {"extend", SIG("(self, iterable, /)"), deque_extend,
   DOC("Extend the right side of the deque with elements from the iterable."), 0},
  {"extendleft", SIG("(self, iterable, /)"), deque_extendleft,
   DOC("Extend the left side of the deque with elements from the iterable."), 0},
  {"index", SIG("(self, value, start=?, stop=?, /)"), deque_index, DOC("Return first index of value."), 0},
  {"insert", SIG("(self, index, value, /)"), deque_insert, DOC("Insert value before index."), 0},
  {"pop", SIG("(self, /)"), deque_pop, DOC("Remove and return the rightmost element."), 0},
  {"popleft", SIG("(self, /)"), deque_popleft, DOC("Remove and return the leftmost element."), 0},
  {"remove", SIG("(self, value, /)"), deque_remove, DOC("Remove first occurrence of value."), 0},
  {"reverse", SIG("(self, /)"), deque_reverse, DOC("Reverse *IN PLACE*."), 0},
  {"rotate", SIG("(self, n=1, /)"), deque_rotate,
   DOC("Rotate the deque n steps to the right.  If n is negative, rotates left."), 0},
  {"maxlen", SIG("(self)"), deque_maxlen, DOC("maximum size of a deque or None if unbounded"), ASY_NATIVE_GETTER},
  {"__reversed__", SIG("(self, /)"), deque_reversed, DOC("Return a reverse iterator over the deque."), 0},
  {"__reduce__", SIG("(self, /)"), deque_reduce, DOC("Return state information for pickling."), 0},
  {"__class_getitem__", SIG("(cls, item, /)"), asy_class_getitem, DOC("See PEP 585"), ASY_NATIVE_CLASS},
  {0},
};

const asy_type asy_deque_type = {
  .name = "collections.deque",
  .doc = "A list-like sequence optimized for data accesses near its endpoints.",
  .size = sizeof(deque),
  .flags = ASY_TYPE_SEQUENCE | ASY_TYPE_UNHASHABLE,
  .visit = deque_visit,
  .free = deque_free,
  .new_ = deque_make,
  .init = deque_init,
  .init_signature = SIG("(self, iterable=?, maxlen=None)"),
  .repr = deque_repr,
  .compare = deque_compare,
  .length = deque_length,
  .special = &(const asy_special){.get_item = deque_get_item, .set_item = deque_set_item, .contains = deque_contains},
  .iter = deque_iterate,
  .operators = &(const asy_operators){.binary = {[BINARY_ADD] = deque_add, [BINARY_MUL] = deque_mul},
                                      .inplace = {[BINARY_ADD] = deque_iadd, [BINARY_MUL] = deque_imul}},
  .methods = deque_methods,
};
