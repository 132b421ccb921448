/* range.h - range objects and their iterator, which FOR_ITER steps in the loop.
 *
 *   small:  start, stop, step, length all fit 64 bits: plain C integers; `big` is NULL
 *   big:    at least one does not: four integers in the tuple `big` (start, stop, step, length)
 */
#ifndef ASY_RUNTIME_TYPES_RANGE_H
#define ASY_RUNTIME_TYPES_RANGE_H

#include "runtime/object.h"

typedef struct asy_range {
  asy_obj head;
  int64_t start, stop, step;
  int64_t length;
  asy_tuple *big; /* NULL for a small range */
} asy_range;

/* While `remaining` is not 0, the next item is `current`; items of a small range always fit 62 bits plus sign (a range with
 * larger items iterates as a big one), so asy_from_small makes them. A big iterator has remaining 0 and `big` set: its next
 * slot yields. */
typedef struct asy_range_iter {
  asy_obj head;
  int64_t current, step;
  uint64_t remaining;
  asy_tuple *big; /* big: (range's start, step, length), with `index` steps taken; else NULL */
  asy_value index;
} asy_range_iter;

asy_value asy_range_new(asy_vm *vm, asy_value start, asy_value stop, asy_value step); /* three integers; step not 0 */
int64_t asy_range_length(const asy_range *range);                                     /* -1: does not fit */

#endif
