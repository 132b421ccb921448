/* sequence.h - what list, tuple and other containers share: indices, comparison, search, repetition, guarded reprs.
 */
#ifndef ASY_RUNTIME_TYPES_SEQUENCE_H
#define ASY_RUNTIME_TYPES_SEQUENCE_H

#include "runtime/vm.h"

enum { ASY_MAX_LENGTH = INT32_MAX }; /* elements of any container */

/* The value of a new object, NULL standing for a failure. */
static inline asy_value asy_object_or_failed(const void *object) { return object ? asy_from_obj(object) : ASY_FAILED; }

/* The `new_` slot of containers that __init__ fills: an empty instance of the class args[0]. */
asy_value asy_new_empty(asy_vm *vm, const asy_value *args);

/* One container whose repr is being made; lies on the C stack. */
typedef struct asy_repr_guard {
  struct asy_repr_guard *outer;
  const asy_obj *object;
  uint32_t depth; /* guards from here outwards */
} asy_repr_guard;

/* False: too deep, in C frames or in containers; RecursionError is set. To be asked before asy_repr_enter. */
bool asy_repr_check(asy_vm *vm);

/* False: the repr of object is already in progress, so it contains itself; nothing is to be left then. */
bool asy_repr_enter(asy_vm *vm, asy_repr_guard *guard, const void *object);
void asy_repr_leave(asy_vm *vm, asy_repr_guard *guard);

/* The elements of a list or tuple (or a subclass): valid until script code runs. */
static inline const asy_value *asy_elements(const asy_obj *o, uint32_t *length) {
  if (o->kind == KIND_TUPLE) {
    const asy_tuple *tuple = (const asy_tuple *)o;
    *length = tuple->len;
    return tuple->items;
  }
  const asy_list *list = (const asy_list *)o;
  *length = list->len;
  return list->items;
}

/* A subscript that is no slice. TypeError "<name> indices must be integers or slices, not .."; IndexError when it is huge. */
bool asy_sequence_index(asy_vm *vm, asy_value key, const char *name, int64_t *out);
/* A start or stop argument of index(): clipped to 0..length, negative ones count from the end. */
bool asy_sequence_bound(asy_vm *vm, asy_value v, uint32_t length, uint32_t *out);
/* The position of item in [start, stop): 1 found, 0 absent, -1 failed. */
int asy_sequence_find(asy_vm *vm, asy_obj *o, asy_value item, uint32_t start, uint32_t stop, uint32_t *out);
int64_t asy_sequence_count(asy_vm *vm, asy_obj *o, asy_value item);
asy_value asy_sequence_compare(asy_vm *vm, asy_obj *a, asy_obj *b, asy_compare_op op);
asy_value asy_sequence_repr(asy_vm *vm, asy_obj *o, const char *open, const char *close, const char *again);

/* left + right where left is a `name` and right is not: TypeError, or NOT_IMPLEMENTED when right may have an __radd__. */
asy_value asy_sequence_no_concat(asy_vm *vm, asy_value right, const char *name);
/* The factor of sequence * factor. 1 and *out >= 0; 0: NOT_IMPLEMENTED, the other operand may know; -1 failed. */
int asy_sequence_factor(asy_vm *vm, asy_value factor, int64_t *out);
/* Checked length * times. False: MemoryError. */
bool asy_sequence_repeated(asy_vm *vm, uint32_t length, int64_t times, uint32_t *out);
/* Fills total slots with copies of the first `length`, which are there already. */
void asy_repeat_values(asy_value *items, uint32_t length, uint32_t total);

#endif
