/* list.c - a growable array of values.
 * Must stay true: elements below len are values, never 0; whatever runs script code reads items and len again afterwards; every
 * store is followed by the barrier. While a sort runs the list is empty and the sort owns the elements (list_sort.c).
 */
#include "runtime/types/list.h"

#include "runtime/protocol.h"
#include "runtime/types/bytes.h"
#include "runtime/types/iter.h"
#include "runtime/types/key.h"
#include "runtime/types/sequence.h"
#include "runtime/types/slice.h"
#include "runtime/types/str.h"
#include "runtime/vm.h"

enum { SHRINK_ABOVE = 64 }; /* lists with more room than this give it back when three quarters are unused */

static inline asy_list *list_of(asy_value v) { return (asy_list *)asy_obj_of(v); }

/* ---- Storage ---- */

/* Exactly cap slots, not fewer than len. */
static bool set_capacity(asy_vm *vm, asy_list *list, uint32_t cap) {
  asy_value *items = asy_mem_realloc(vm, list->items, list->cap * sizeof *items, cap * sizeof *items);
  if (!items) return false;
  list->items = items;
  list->cap = cap;
  return true;
}

/* Room for `need` elements, with some to spare. */
static __attribute__((noinline)) bool grow(asy_vm *vm, asy_list *list, uint64_t need) {
  if (need > ASY_MAX_LENGTH) {
    asy_raise_no_memory(vm);
    return false;
  }
  uint64_t cap = need + (need >> 2) + 4;
  return set_capacity(vm, list, cap > ASY_MAX_LENGTH ? ASY_MAX_LENGTH : (uint32_t)cap);
}

static inline bool reserve(asy_vm *vm, asy_list *list, uint64_t need) {
  return need <= list->cap || grow(vm, list, need);
}

/* Gives memory back when most of it is unused; no failure: the list may stay as it is. */
static void shrink(asy_vm *vm, asy_list *list) {
  if (list->cap > SHRINK_ABOVE && list->len < list->cap / 4 && !set_capacity(vm, list, list->len * 2 + 4)) {
    asy_clear_exception(vm);
  }
}

bool asy_list_reserve(asy_vm *vm, asy_list *list, uint32_t capacity) {
  return capacity <= list->cap || set_capacity(vm, list, capacity);
}

asy_list *asy_list_new(asy_vm *vm, uint32_t capacity) {
  asy_list *list = asy_new_kind(vm, KIND_LIST, sizeof *list);
  if (!list || (capacity && !set_capacity(vm, list, capacity))) return NULL;
  return list;
}

asy_list *asy_list_from(asy_vm *vm, const asy_value *items, uint32_t len) {
  asy_list *list = asy_list_new(vm, len);
  if (!list || len == 0) return list;
  memcpy(list->items, items, len * sizeof *items);
  list->len = len;
  asy_barrier(vm, list);
  return list;
}

asy_list *asy_list_from_iterable(asy_vm *vm, asy_value iterable) {
  asy_list *list = asy_list_new(vm, 0);
  return list && asy_list_extend(vm, list, iterable) ? list : NULL;
}

asy_tuple *asy_list_to_tuple(asy_vm *vm, asy_list *list) { return asy_tuple_new(vm, list->items, list->len); }

void asy_list_clear(asy_vm *vm, asy_list *list) {
  asy_value *items = list->items;
  size_t size = list->cap * sizeof *items;
  list->items = NULL;
  list->len = list->cap = 0;
  if (items) asy_mem_free(vm, items, size);
}

/* ---- Changing ---- */

bool asy_list_append(asy_vm *vm, asy_list *list, asy_value item) {
  if (list->len == list->cap && !grow(vm, list, (uint64_t)list->len + 1)) return false;
  list->items[list->len++] = item;
  asy_barrier_value(vm, list, item);
  return true;
}

void asy_list_set(asy_vm *vm, asy_list *list, uint32_t index, asy_value item) {
  asy_store(vm, list, &list->items[index], item);
}

bool asy_list_insert(asy_vm *vm, asy_list *list, int64_t index, asy_value item) {
  if (!reserve(vm, list, (uint64_t)list->len + 1)) return false;
  if (index < 0) index = index + list->len < 0 ? 0 : index + list->len;
  if (index > list->len) index = list->len;
  memmove(list->items + index + 1, list->items + index, (list->len - index) * sizeof(asy_value));
  list->items[index] = item;
  list->len++;
  asy_barrier_value(vm, list, item);
  return true;
}

asy_value asy_list_pop(asy_vm *vm, asy_list *list, uint32_t index) {
  asy_value item = list->items[index];
  list->len--;
  if (index < list->len) {
    memmove(list->items + index, list->items + index + 1, (list->len - index) * sizeof(asy_value));
  }
  shrink(vm, list);
  return item;
}

bool asy_list_splice(asy_vm *vm, asy_list *list, uint32_t start, uint32_t removed, const asy_value *values,
                     uint32_t count) {
  uint32_t tail = list->len - start - removed;
  uint64_t len = (uint64_t)list->len - removed + count;
  if (!reserve(vm, list, len)) return false;
  if (removed != count && tail) {
    memmove(list->items + start + count, list->items + start + removed, tail * sizeof(asy_value));
  }
  if (count) memcpy(list->items + start, values, count * sizeof(asy_value));
  list->len = (uint32_t)len;
  if (removed > count) shrink(vm, list);
  asy_barrier(vm, list);
  return true;
}

static bool extend_elements(asy_vm *vm, asy_list *list, asy_obj *source) {
  uint32_t n;
  asy_elements(source, &n);
  if (n == 0) return true;
  if (list->cap == 0 ? !set_capacity(vm, list, n) : !reserve(vm, list, (uint64_t)list->len + n)) return false;
  uint32_t still;
  const asy_value *items = asy_elements(source, &still); /* the source may be the list itself */
  memcpy(list->items + list->len, items, n * sizeof *items);
  list->len += n;
  asy_barrier(vm, list);
  return true;
}

static bool extend_dict(asy_vm *vm, asy_list *list, asy_dict *dict, asy_dict_what what) {
  if (!reserve(vm, list, (uint64_t)list->len + dict->used)) return false;
  asy_value key, value;
  for (uint32_t i = 0; asy_dict_next(dict, &i, &key, &value);) {
    list->items[list->len++] = what == DICT_WHAT_KEYS ? key : value;
  }
  asy_barrier(vm, list);
  return true;
}

static bool extend_set(asy_vm *vm, asy_list *list, asy_set *set) {
  if (!reserve(vm, list, (uint64_t)list->len + set->used)) return false;
  asy_value item;
  for (uint32_t i = 0; asy_set_next(set, &i, &item);) list->items[list->len++] = item;
  asy_barrier(vm, list);
  return true;
}

/* The characters of a str, the numbers of bytes. */
static bool extend_text(asy_vm *vm, asy_list *list, const asy_obj *text) {
  const asy_str *s = text->kind == KIND_STR ? (const asy_str *)text : NULL;
  const asy_bytes *bytes = (const asy_bytes *)text;
  uint32_t n = s ? s->len : bytes->len;
  if (!reserve(vm, list, (uint64_t)list->len + n)) return false;
  for (uint32_t i = 0; i < n; i++) {
    asy_str *c = s ? asy_str_char(vm, asy_str_at(s, i)) : NULL;
    if (s && !c) return false;
    list->items[list->len++] = c ? asy_from_obj(c) : asy_from_small(bytes->data[i]);
    if (c) asy_barrier_to(vm, list, c);
  }
  return true;
}

typedef struct {
  asy_taker head;
  asy_list *list;
} list_taker;

static bool take_item(asy_vm *vm, const asy_taker *taker, asy_value item) {
  asy_list *list = ((const list_taker *)taker)->list;
  if (list->len == list->cap) return false; /* growing may fail */
  list->items[list->len++] = item;
  if (asy_is_obj(item)) asy_barrier_to(vm, list, asy_obj_of(item));
  return true;
}

static bool extend_any(asy_vm *vm, asy_list *list, asy_value iterable) {
  asy_value iterator = asy_iter(vm, iterable);
  if (asy_failed(iterator)) return false;
  int64_t hint = asy_length_hint(vm, iterable, 0);
  if (hint < 0) return false;
  if (hint > 0 && hint < 1 << 20 && !reserve(vm, list, (uint64_t)list->len + (uint64_t)hint)) return false;
  list_taker taker = {{take_item}, list};
  for (;;) {
    asy_value item = asy_next_into(vm, iterator, &taker.head);
    if (item == ASY_END) return true;
    if (asy_failed(item) || !asy_list_append(vm, list, item)) return false;
  }
}

bool asy_list_extend(asy_vm *vm, asy_list *list, asy_value iterable) {
  if (asy_is_obj(iterable)) {
    asy_obj *o = asy_obj_of(iterable);
    switch (o->shape) { /* exact built-ins, whose iteration runs no script code */
      case KIND_LIST:
      case KIND_TUPLE: return extend_elements(vm, list, o);
      case KIND_DICT: return extend_dict(vm, list, (asy_dict *)o, DICT_WHAT_KEYS);
      case KIND_DICT_KEYS: return extend_dict(vm, list, ((asy_dict_view *)o)->dict, DICT_WHAT_KEYS);
      case KIND_DICT_VALUES: return extend_dict(vm, list, ((asy_dict_view *)o)->dict, DICT_WHAT_VALUES);
      case KIND_SET:
      case KIND_FROZENSET: return extend_set(vm, list, (asy_set *)o);
      case KIND_STR:
      case KIND_BYTES: return extend_text(vm, list, o);
      default: break;
    }
  }
  return extend_any(vm, list, iterable);
}

/* ---- Subscripts ---- */

static asy_value list_slice_item(asy_vm *vm, asy_list *list, asy_value slice) {
  int64_t start, stop, step;
  if (!asy_slice_unpack(vm, slice, &start, &stop, &step)) return ASY_FAILED;
  int64_t count = asy_slice_adjust(list->len, &start, &stop, step);
  if (count <= 0) return asy_object_or_failed(asy_list_new(vm, 0));
  if (step == 1) return asy_object_or_failed(asy_list_from(vm, list->items + start, (uint32_t)count));
  asy_list *result = asy_list_new(vm, (uint32_t)count);
  if (!result) return ASY_FAILED;
  for (int64_t i = 0; i < count; i++) result->items[i] = list->items[start + i * step];
  result->len = (uint32_t)count;
  asy_barrier(vm, result);
  return asy_from_obj(result);
}

static asy_value list_get_item(asy_vm *vm, asy_value self, asy_value key) {
  asy_list *list = list_of(self);
  int64_t i;
  if (asy_is_kind(key, KIND_SLICE)) return list_slice_item(vm, list, key);
  if (!asy_sequence_index(vm, key, "list", &i)) return ASY_FAILED;
  if (i < 0) i += list->len;
  if (i < 0 || i >= list->len) return asy_raise_format(vm, ASY_IndexError, "list index out of range");
  return list->items[i];
}

/* The values to assign, as a list or tuple that is not `list` itself. NULL failed. */
static asy_obj *assigned_values(asy_vm *vm, asy_list *list, asy_value value) {
  if (asy_is_exact(value, KIND_TUPLE)) return asy_obj_of(value);
  if (asy_is_exact(value, KIND_LIST)) {
    return list_of(value) == list ? (asy_obj *)asy_list_from(vm, list->items, list->len) : asy_obj_of(value);
  }
  asy_value iterator = asy_iter(vm, value);
  if (asy_failed(iterator)) {
    if (asy_raised_is(vm, ASY_TypeError)) {
      asy_clear_exception(vm);
      asy_raise(vm, ASY_TypeError, "must assign iterable to extended slice");
    }
    return NULL;
  }
  return (asy_obj *)asy_list_from_iterable(vm, iterator);
}

/* Removes elements start, start + step, ..: one pass. step is not 1. */
static void delete_stepped(asy_vm *vm, asy_list *list, int64_t start, int64_t step, int64_t count) {
  if (step < 0) {
    start += step * (count - 1);
    step = -step;
  }
  uint32_t out = (uint32_t)start;
  for (uint32_t i = (uint32_t)start; i < list->len; i++) {
    bool gone = (i - start) % step == 0 && (i - start) / step < count;
    if (!gone) list->items[out++] = list->items[i];
  }
  list->len = out;
  shrink(vm, list);
}

static bool list_set_slice(asy_vm *vm, asy_list *list, asy_value slice, asy_value value) {
  int64_t start, stop, step;
  asy_obj *source = NULL;
  uint32_t n = 0;
  if (!asy_slice_unpack(vm, slice, &start, &stop, &step)) return false;
  if (value != ASY_UNBOUND && !(source = assigned_values(vm, list, value))) return false;
  int64_t count = asy_slice_adjust(list->len, &start, &stop, step);
  if (count < 0) count = 0;
  const asy_value *values = source ? asy_elements(source, &n) : NULL;
  if (step == 1) return asy_list_splice(vm, list, (uint32_t)start, (uint32_t)count, values, n);
  if (!source) {
    if (count) delete_stepped(vm, list, start, step, count);
    return true;
  }
  if (n != count) {
    asy_raise(vm, ASY_ValueError, "attempt to assign sequence of size %lld to extended slice of size %lld",
              (long long)n, (long long)count);
    return false;
  }
  for (int64_t i = 0; i < count; i++) list->items[start + i * step] = values[i];
  asy_barrier(vm, list);
  return true;
}

static bool list_set_item(asy_vm *vm, asy_value self, asy_value key, asy_value value) {
  asy_list *list = list_of(self);
  int64_t i;
  if (asy_is_kind(key, KIND_SLICE)) return list_set_slice(vm, list, key, value);
  if (!asy_sequence_index(vm, key, "list", &i)) return false;
  if (i < 0) i += list->len;
  if (i < 0 || i >= list->len) {
    asy_raise(vm, ASY_IndexError, "list assignment index out of range");
    return false;
  }
  if (value == ASY_UNBOUND) {
    asy_list_pop(vm, list, (uint32_t)i);
  } else {
    asy_list_set(vm, list, (uint32_t)i, value);
  }
  return true;
}

/* ---- Other slots ---- */

static void list_visit(asy_obj *o, asy_visitor *v) {
  asy_list *list = (asy_list *)o;
  asy_visit_values(v, list->items, list->len);
}

static void list_free(asy_vm *vm, asy_obj *o) { asy_list_clear(vm, (asy_list *)o); }

static asy_value list_init(asy_vm *vm, const asy_value *args) {
  asy_list *list = list_of(args[0]);
  if (list->len) asy_list_clear(vm, list);
  if (args[1] != ASY_UNBOUND && !asy_list_extend(vm, list, args[1])) return ASY_FAILED;
  return ASY_NONE;
}

static asy_value list_repr(asy_vm *vm, asy_value self) {
  if (list_of(self)->len == 0) return asy_from_cstr(vm, "[]");
  return asy_sequence_repr(vm, asy_obj_of(self), "[", "]", "[...]");
}

static asy_value list_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op) {
  if (!asy_is_kind(other, KIND_LIST)) return ASY_NOT_IMPLEMENTED;
  return asy_sequence_compare(vm, asy_obj_of(self), asy_obj_of(other), op);
}

static int64_t list_length(asy_vm *vm, asy_value self) {
  (void)vm;
  return list_of(self)->len;
}

static int list_contains(asy_vm *vm, asy_value self, asy_value item) {
  uint32_t at;
  return asy_sequence_find(vm, asy_obj_of(self), item, 0, UINT32_MAX, &at);
}

static asy_value list_iter(asy_vm *vm, asy_value self) { return asy_list_iter_new(vm, list_of(self)); }

static asy_value list_add(asy_vm *vm, asy_value left, asy_value right) {
  if (!asy_is_kind(left, KIND_LIST)) return ASY_NOT_IMPLEMENTED;
  if (!asy_is_kind(right, KIND_LIST)) return asy_sequence_no_concat(vm, right, "list");
  asy_list *a = list_of(left), *b = list_of(right);
  uint64_t len = (uint64_t)a->len + b->len;
  if (len > ASY_MAX_LENGTH) return asy_raise_no_memory(vm);
  asy_list *result = asy_list_new(vm, (uint32_t)len);
  if (!result || len == 0) return asy_object_or_failed(result);
  if (a->len) memcpy(result->items, a->items, a->len * sizeof(asy_value));
  if (b->len) memcpy(result->items + a->len, b->items, b->len * sizeof(asy_value));
  result->len = (uint32_t)len;
  asy_barrier(vm, result);
  return asy_from_obj(result);
}

static asy_value list_mul(asy_vm *vm, asy_value left, asy_value right) {
  bool swapped = !asy_is_kind(left, KIND_LIST);
  asy_list *list = list_of(swapped ? right : left);
  int64_t times;
  uint32_t total;
  int known = asy_sequence_factor(vm, swapped ? left : right, &times);
  if (known <= 0) return known < 0 ? ASY_FAILED : ASY_NOT_IMPLEMENTED;
  if (!asy_sequence_repeated(vm, list->len, times, &total)) return ASY_FAILED;
  asy_list *result = asy_list_new(vm, total);
  if (!result || total == 0) return asy_object_or_failed(result);
  memcpy(result->items, list->items, list->len * sizeof(asy_value));
  asy_repeat_values(result->items, list->len, total);
  result->len = total;
  asy_barrier(vm, result);
  return asy_from_obj(result);
}

static asy_value list_iadd(asy_vm *vm, asy_value self, asy_value right) {
  return asy_list_extend(vm, list_of(self), right) ? self : ASY_FAILED;
}

static asy_value list_imul(asy_vm *vm, asy_value self, asy_value right) {
  asy_list *list = list_of(self);
  int64_t times;
  uint32_t total;
  int known = asy_sequence_factor(vm, right, &times);
  if (known <= 0) return known < 0 ? ASY_FAILED : ASY_NOT_IMPLEMENTED;
  if (!asy_sequence_repeated(vm, list->len, times, &total)) return ASY_FAILED;
  if (total == 0) {
    asy_list_clear(vm, list);
    return self;
  }
  if (!reserve(vm, list, total)) return ASY_FAILED;
  asy_repeat_values(list->items, list->len, total);
  list->len = total;
  asy_barrier(vm, list);
  return self;
}

/* ---- Methods ---- */

static asy_value list_append(asy_vm *vm, const asy_value *args) {
  return asy_list_append(vm, list_of(args[0]), args[1]) ? ASY_NONE : ASY_FAILED;
}

static asy_value list_extend(asy_vm *vm, const asy_value *args) {
  return asy_list_extend(vm, list_of(args[0]), args[1]) ? ASY_NONE : ASY_FAILED;
}

static asy_value list_insert(asy_vm *vm, const asy_value *args) {
  int64_t index;
  if (!asy_to_int64(vm, args[1], &index)) return ASY_FAILED;
  return asy_list_insert(vm, list_of(args[0]), index, args[2]) ? ASY_NONE : ASY_FAILED;
}

static asy_value list_pop(asy_vm *vm, const asy_value *args) {
  asy_list *list = list_of(args[0]);
  int64_t index = asy_small(args[1]);
  if (!asy_is_int(args[1]) && !asy_to_int64(vm, args[1], &index)) return ASY_FAILED;
  if (list->len == 0) return asy_raise_format(vm, ASY_IndexError, "pop from empty list");
  if (index < 0) index += list->len;
  if (index < 0 || index >= list->len) return asy_raise(vm, ASY_IndexError, "pop index out of range");
  return asy_list_pop(vm, list, (uint32_t)index);
}

static asy_value list_remove(asy_vm *vm, const asy_value *args) {
  asy_list *list = list_of(args[0]);
  uint32_t at;
  int found = asy_sequence_find(vm, &list->head, args[1], 0, UINT32_MAX, &at);
  if (found < 0) return ASY_FAILED;
  if (!found) return asy_raise_format(vm, ASY_ValueError, "list.remove(x): x not in list");
  if (at < list->len) asy_list_pop(vm, list, at);
  return ASY_NONE;
}

static asy_value list_clear(asy_vm *vm, const asy_value *args) {
  asy_list_clear(vm, list_of(args[0]));
  return ASY_NONE;
}

static asy_value list_copy(asy_vm *vm, const asy_value *args) {
  asy_list *list = list_of(args[0]);
  return asy_object_or_failed(asy_list_from(vm, list->items, list->len));
}

static asy_value list_index(asy_vm *vm, const asy_value *args) {
  asy_list *list = list_of(args[0]);
  uint32_t start, stop, at;
  if (!asy_sequence_bound(vm, args[2], list->len, &start)) return ASY_FAILED;
  if (!asy_sequence_bound(vm, args[3], list->len, &stop)) return ASY_FAILED;
  int found = asy_sequence_find(vm, &list->head, args[1], start, stop, &at);
  if (found < 0) return ASY_FAILED;
  if (!found) return asy_raise(vm, ASY_ValueError, "%R is not in list", args[1]);
  return asy_from_small(at);
}

static asy_value list_count(asy_vm *vm, const asy_value *args) {
  int64_t count = asy_sequence_count(vm, asy_obj_of(args[0]), args[1]);
  return count < 0 ? ASY_FAILED : asy_from_small(count);
}

static asy_value list_reverse(asy_vm *vm, const asy_value *args) {
  asy_list *list = list_of(args[0]);
  (void)vm;
  for (uint32_t i = 0, j = list->len; i + 1 < j; i++) {
    asy_value item = list->items[i];
    list->items[i] = list->items[--j];
    list->items[j] = item;
  }
  return ASY_NONE;
}

static asy_value list_sort(asy_vm *vm, const asy_value *args) {
  int reverse = asy_truth(vm, args[2]);
  if (reverse < 0 || !asy_list_sort(vm, list_of(args[0]), args[1], reverse)) return ASY_FAILED;
  return ASY_NONE;
}

static asy_value list_reversed(asy_vm *vm, const asy_value *args) {
  return asy_reversed_new(vm, args[0], list_of(args[0])->len);
}

static const asy_native list_methods[] = {
  {"append", SIG("(self, object, /)"), list_append, DOC("Append object to the end of the list."), 0},
  {"clear", SIG("(self, /)"), list_clear, DOC("Remove all items from list."), 0},
  {"copy", SIG("(self, /)"), list_copy, DOC("Return a shallow copy of the list."), 0},
  {"count", SIG("(self, value, /)"), list_count, DOC("Return number of occurrences of value."), 0},
  {"extend", SIG("(self, iterable, /)"), list_extend, DOC("Extend list by appending elements from the iterable."), 0},
  {"index", SIG("(self, value, start=0, stop=2147483647, /)"), list_index, DOC("Return first index of value."), 0},
  {"insert", SIG("(self, index, object, /)"), list_insert, DOC("Insert object before index."), 0},
  {"pop", SIG("(self, index=-1, /)"), list_pop, DOC("Remove and return item at index (default last)."), 0},
  {"remove", SIG("(self, value, /)"), list_remove, DOC("Remove first occurrence of value."), 0},
  {"reverse", SIG("(self, /)"), list_reverse, DOC("Reverse *IN PLACE*."), 0},
  {"sort", SIG("(self, /, *, key=None, reverse=False)"), list_sort,
   DOC("Sort the list in ascending order and return None."), 0},
  {"__reversed__", SIG("(self, /)"), list_reversed, DOC("Return a reverse iterator over the list."), 0},
  {0},
};

const asy_type asy_list_type = {
  .name = "list",
  .doc = "Built-in mutable sequence.",
  .size = sizeof(asy_list),
  .flags = ASY_TYPE_SEQUENCE | ASY_TYPE_UNHASHABLE,
  .visit = list_visit,
  .free = list_free,
  .new_ = asy_new_empty,
  .init = list_init,
  .init_signature = SIG("(self, iterable=(), /)"),
  .repr = list_repr,
  .compare = list_compare,
  .length = list_length,
  .special = &(const asy_special){.get_item = list_get_item, .set_item = list_set_item, .contains = list_contains},
  .iter = list_iter,
  .operators = &(const asy_operators){.binary = {[BINARY_ADD] = list_add, [BINARY_MUL] = list_mul},
                                      .inplace = {[BINARY_ADD] = list_iadd, [BINARY_MUL] = list_imul}},
  .methods = list_methods,
};
