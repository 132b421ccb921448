/* alias.h - list[int] and int | str: types that say more than their class. */
#ifndef ASY_RUNTIME_TYPES_ALIAS_H
#define ASY_RUNTIME_TYPES_ALIAS_H

#include "runtime/asy.h"

typedef struct asy_generic_alias { /* list[int] */
  asy_obj head;
  asy_value origin;
  asy_tuple *args;
  bool unpacked; /* *tuple[int, str], from iterating over one */
} asy_generic_alias;

typedef struct asy_union { /* int | str: flat, without repetitions */
  asy_obj head;
  asy_tuple *args;
} asy_union;

extern const asy_type asy_generic_alias_type, asy_union_type;

asy_value asy_generic_alias_new(asy_vm *vm, asy_value origin,
                                asy_value item); /* item: one argument, or a tuple of them */
/* left | right for what may stand in a union; NOT_IMPLEMENTED otherwise. The `|` of classes. */
asy_value asy_union_of(asy_vm *vm, asy_value left, asy_value right);
asy_value asy_class_getitem(asy_vm *vm, const asy_value *args); /* a native __class_getitem__(cls, item, /) */

#endif
