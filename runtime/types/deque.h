/* deque.h - the types that the module _collections (collections.c) shows and that live in files of their own. */
#ifndef ASY_RUNTIME_TYPES_DEQUE_H
#define ASY_RUNTIME_TYPES_DEQUE_H

#include "runtime/object.h"

extern const asy_type asy_deque_type, asy_deque_iter_type, asy_deque_reverse_iter_type;
extern const asy_type asy_item_getter_type; /* what the fields of a namedtuple are: see asy_item_getter */

typedef struct { /* reads item `index` of a tuple; known to inline caches */
  asy_obj head;
  uint32_t index;
  asy_value doc;
} asy_item_getter;

#endif
