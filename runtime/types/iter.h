/* iter.h - the iterators of the built-in containers.
 * The VM's FOR_ITER steps list, tuple and dict iterators in place, so their fields are public. An iterator that is exhausted has
 * dropped its container (NULL, or UNBOUND for values) and stays exhausted.
 */
#ifndef ASY_RUNTIME_TYPES_ITER_H
#define ASY_RUNTIME_TYPES_ITER_H

#include "runtime/object.h"
#include "runtime/types/dict.h"
#include "runtime/types/list.h"
#include "runtime/types/range.h"
#include "runtime/types/tuple.h"

typedef struct asy_list_iter {
  asy_obj head;
  asy_list *list; /* NULL: exhausted */
  uint32_t index; /* of the next item; the list may have become shorter */
} asy_list_iter;

typedef struct asy_tuple_iter {
  asy_obj head;
  asy_tuple *tuple; /* NULL: exhausted */
  uint32_t index;
} asy_tuple_iter;

typedef enum { DICT_WHAT_KEYS, DICT_WHAT_VALUES, DICT_WHAT_ITEMS } asy_dict_what;

/* Stepping: dict->used must equal `used` ("dictionary changed size during iteration"), and `left` must not be 0 when another
 * entry is found ("dictionary keys changed during iteration"). */
typedef struct asy_dict_iter {
  asy_obj head;
  asy_dict *dict;    /* NULL: exhausted */
  uint32_t position; /* forward: entry to look at next; backward: one above it */
  uint32_t used;     /* of the dict when the iteration began */
  uint32_t left;     /* items still to come */
  uint8_t what;      /* asy_dict_what */
  bool backward;
} asy_dict_iter;

typedef struct asy_set_iter {
  asy_obj head;
  asy_set *set;      /* NULL: exhausted */
  uint32_t position; /* slot to look at next */
  uint32_t used;     /* of the set when the iteration began */
  uint32_t left;     /* items still to come */
} asy_set_iter;

typedef struct asy_bytes_iter {
  asy_obj head;
  asy_value octets; /* bytes or bytearray; 0: exhausted */
  uint32_t index;
} asy_bytes_iter;

typedef struct asy_sequence_iter { /* __getitem__ with 0, 1, 2 .. until IndexError */
  asy_obj head;
  asy_value sequence; /* UNBOUND: exhausted */
  int64_t index;
} asy_sequence_iter;

typedef struct asy_callable_iter { /* iter(callable, sentinel) */
  asy_obj head;
  asy_value callable; /* UNBOUND: exhausted */
  asy_value sentinel;
} asy_callable_iter;

typedef struct asy_reversed { /* reversed(sequence) */
  asy_obj head;
  asy_value sequence; /* UNBOUND: exhausted */
  int64_t index;      /* of the next item; -1: none */
} asy_reversed;

typedef struct asy_dict_view { /* dict.keys(), values() and items(): the kind says which */
  asy_obj head;
  asy_dict *dict;
} asy_dict_view;

/* New iterators. ASY_FAILED: MemoryError. */
asy_value asy_list_iter_new(asy_vm *vm, asy_list *list);
asy_value asy_tuple_iter_new(asy_vm *vm, asy_tuple *tuple);
asy_value asy_dict_iter_new(asy_vm *vm, asy_dict *dict, asy_dict_what what);
asy_value asy_dict_reversed_new(asy_vm *vm, asy_dict *dict, asy_dict_what what);
asy_value asy_set_iter_new(asy_vm *vm, asy_set *set);
asy_value asy_sequence_iter_new(asy_vm *vm, asy_value sequence);
asy_value asy_callable_iter_new(asy_vm *vm, asy_value callable, asy_value sentinel);
asy_value asy_reversed_new(asy_vm *vm, asy_value sequence, int64_t length);
asy_value asy_dict_view_new(asy_vm *vm, asy_dict *dict, asy_dict_what what);

/* The `next` slots: the item, ASY_END, or ASY_FAILED. */
asy_value asy_list_iter_next(asy_vm *vm, asy_value iterator);
asy_value asy_tuple_iter_next(asy_vm *vm, asy_value iterator);
asy_value asy_dict_iter_next(asy_vm *vm, asy_value iterator);
asy_value asy_set_iter_next(asy_vm *vm, asy_value iterator);

/* The next item of a range, list or tuple iterator that has one; ASY_END: a range ended; ASY_UNBOUND: ask its `next` slot. */
static inline asy_value asy_next_known(asy_value iterator) {
  switch (asy_obj_of(iterator)->shape) {
    case KIND_RANGE_ITER: {
      asy_range_iter *range = (asy_range_iter *)asy_obj_of(iterator);
      if (range->remaining == 0) return range->big ? ASY_UNBOUND : ASY_END;
      int64_t current = range->current;
      range->remaining--;
      range->current = (int64_t)((uint64_t)current + (uint64_t)range->step);
      return asy_from_small(current);
    }
    case KIND_LIST_ITER: {
      asy_list_iter *iter = (asy_list_iter *)asy_obj_of(iterator);
      if (!iter->list || iter->index >= iter->list->len) return ASY_UNBOUND;
      return iter->list->items[iter->index++];
    }
    case KIND_TUPLE_ITER: {
      asy_tuple_iter *iter = (asy_tuple_iter *)asy_obj_of(iterator);
      if (!iter->tuple || iter->index >= iter->tuple->len) return ASY_UNBOUND;
      return iter->tuple->items[iter->index++];
    }
  }
  return ASY_UNBOUND;
}

/* For `for a, b in ..`: the next pair of dict.items(), enumerate() or zip() of two, without its tuple, in pair[0] and pair[1].
 * 1; 0 at the end; -1 failed; -2 not such an iterator. pair may be registers. */
int asy_next_pair(asy_vm *vm, asy_value iterator, asy_value *pair);
int asy_dict_iter_step(asy_vm *vm, asy_dict_iter *it, asy_value *pair);

/* How iterators are copied and pickled (iter_reduce.c): rows for the method tables. */
asy_value asy_iter_reduce(asy_vm *vm, const asy_value *args);
asy_value asy_iter_setstate(asy_vm *vm, const asy_value *args);
asy_value asy_table_iter_reduce(asy_vm *vm, const asy_value *args);
asy_value asy_callable_iter_reduce(asy_vm *vm, const asy_value *args);
#define ASY_REDUCE_ROW(function)                                                                                       \
  { "__reduce__", SIG("(self, /)"), function, DOC("Return state information for pickling."), 0 }
#define ASY_INDEXED_ITERATOR_ROWS                                                                                      \
  ASY_REDUCE_ROW(asy_iter_reduce), {                                                                                   \
    "__setstate__", SIG("(self, state, /)"), asy_iter_setstate, DOC("Set state information for unpickling."), 0        \
  }

/* The `iter` slot of every iterator: itself. */
asy_value asy_iter_self(asy_vm *vm, asy_value iterator);
/* After a call failed: true when it was StopIteration (or IndexError too, for sequences), which is then cleared. */
bool asy_caught_stop(asy_vm *vm);

#endif
