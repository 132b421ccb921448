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
  asy_obj *proxy; /* the proxy this is part of; NULL for a plain reference */
} asy_weakref;

extern const asy_type asy_proxy_type, asy_callable_proxy_type;
asy_value asy_proxy_new(asy_vm *vm, const asy_value *args); /* (object, callback) */

/* A reference of its own, which nothing shares; NULL: exception. */
asy_weakref *asy_weakref_new(asy_vm *vm, asy_class *cls, asy_value referent, asy_value callback);
asy_value asy_weakref_get(asy_value ref); /* the referent, or None */

/* Whether a new script class, whose bases are known, is the first in its mro whose instances can be referred to weakly. */
bool asy_can_add_weakref(const asy_class *cls);
extern const asy_native asy_weakref_attribute[]; /* `__weakref__`, for the dict of such a class */

/* For the collector, which cleared the slot of a live object: whether that is a weak reference with a callback. It is noted then
 * that the callback is due, and asy_weakref_call_back makes that call; false when there is none to make. */
bool asy_weakref_wants_call(asy_obj *o);
bool asy_weakref_call_back(asy_vm *vm, asy_obj *o);

#endif
