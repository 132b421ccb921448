/* slice.h - slice objects. */
#ifndef ASY_RUNTIME_TYPES_SLICE_H
#define ASY_RUNTIME_TYPES_SLICE_H

#include "runtime/object.h"

typedef struct asy_slice {
  asy_obj head;
  asy_value start, stop, step;
} asy_slice;

asy_value asy_slice_new(asy_vm *vm, asy_value start, asy_value stop, asy_value step);
/* The indices for a sequence of `length` items, clipped: item i of the result is start + i * step, for i < count. Runs script
 * code when a part has __index__. False: TypeError, or ValueError for a step of 0. */
bool asy_slice_indices(asy_vm *vm, asy_value slice, int64_t length, int64_t *start, int64_t *stop, int64_t *step,
                       int64_t *count);
/* In two halves, for sequences that script code could resize in between: read the parts, then clip to the length of then. */
bool asy_slice_unpack(asy_vm *vm, asy_value slice, int64_t *start, int64_t *stop, int64_t *step);
int64_t asy_slice_adjust(int64_t length, int64_t *start, int64_t *stop, int64_t step);

#endif
