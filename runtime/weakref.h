/* weakref.h - weak references. */
#ifndef ASY_RUNTIME_WEAKREF_H
#define ASY_RUNTIME_WEAKREF_H

#include "runtime/asy.h"

typedef struct asy_weakref {
  asy_obj head;
  asy_obj *referent;  /* weak; NULL once dead */
  asy_value callback; /* callable or None */
  int64_t hash;       /* of the referent, once asked */
  bool hashed;
} asy_weakref;

asy_value asy_weakref_get(asy_value ref); /* the referent, or None */

#endif
