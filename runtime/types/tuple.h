/* tuple.h - a fixed number of values, inside the object. */
#ifndef ASY_RUNTIME_TYPES_TUPLE_H
#define ASY_RUNTIME_TYPES_TUPLE_H

#include "runtime/object.h"

struct asy_tuple {
  asy_obj
    head; /* flags: how many values follow the items; only a record has some, seen through its named fields alone */
  uint32_t len;
  uint32_t hash_state; /* reserved: 0 */
  asy_value items[];
};

/* Items are UNBOUND-free None-filled when `items` is NULL, else copied. The empty tuple is shared. */
asy_tuple *asy_tuple_new(asy_vm *vm, const asy_value *items, uint32_t len);
asy_tuple *asy_tuple_pair(asy_vm *vm, asy_value a, asy_value b);
asy_tuple *asy_tuple_from_iterable(asy_vm *vm, asy_value iterable); /* an exact tuple is returned as it is */
bool asy_tuple_init(asy_vm *vm);                                    /* makes vm->empty_tuple */
asy_tuple *asy_tuple_slice(asy_vm *vm, asy_tuple *t, uint32_t start, uint32_t end);

#endif
