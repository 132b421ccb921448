/* descriptors.h - property, staticmethod, classmethod, member descriptors, super: what class dicts hold besides functions. */
#ifndef ASY_RUNTIME_DESCRIPTORS_H
#define ASY_RUNTIME_DESCRIPTORS_H

#include "runtime/class.h"

typedef struct asy_property {
  asy_obj head;
  asy_value fget, fset, fdel; /* None when absent */
  asy_value doc;              /* None, or what __doc__ gives */
  asy_value name;             /* from __set_name__; 0 unknown */
  bool doc_from_getter;
} asy_property;

typedef struct { /* staticmethod and classmethod */
  asy_obj head;
  asy_value func;
} asy_wrapped_method;

/* An attribute that lives in the C part of an object: a field, a pair of natives, or one of its reserved slots.
 * Variable-sized kinds have none: what their __slots__ name lies with the attributes. */
typedef struct {
  asy_obj head;
  enum { DESCR_FIELD, DESCR_GETSET, DESCR_SLOT, DESCR_NAMED } sort; /* NAMED: __slots__ of a variable-sized kind */
  uint32_t slot;                                                    /* DESCR_SLOT: index of the reserved slot */
  asy_class *owner;
  asy_str *name;
  const asy_member *field;  /* DESCR_FIELD */
  const asy_native *getter; /* DESCR_GETSET */
  const asy_native *setter; /* DESCR_GETSET; NULL: read-only */
} asy_member_descr;

typedef struct {
  asy_obj head;
  asy_class *type;       /* lookup starts behind it in the mro; NULL only before __init__ has run */
  asy_value self;        /* UNBOUND: unbound super */
  asy_class *self_class; /* NULL: unbound super */
} asy_super;

asy_value asy_member_for_field(asy_vm *vm, asy_class *owner, const asy_member *field);
asy_value asy_member_for_natives(asy_vm *vm, asy_class *owner, const asy_native *getter, const asy_native *setter);
asy_value asy_member_for_slot(asy_vm *vm, asy_class *owner, asy_str *name, uint32_t slot);
asy_value asy_member_get(asy_vm *vm, asy_value member, asy_value obj, asy_class *owner);
bool asy_member_set(asy_vm *vm, asy_value member, asy_value obj, asy_value value);
asy_value asy_wrap_method(asy_vm *vm, unsigned kind /* KIND_STATICMETHOD or KIND_CLASSMETHOD */, asy_value func);
/* AttributeError with its attributes name and obj set; the directives are those of asy_raise. */
asy_value asy_raise_attribute(asy_vm *vm, asy_value obj, asy_str *name, const char *format, ...);
asy_value asy_raise_no_attribute(asy_vm *vm, asy_value obj, asy_str *name);
asy_value asy_super_new(asy_vm *vm, asy_value type, asy_value self); /* both UNBOUND: super() in the running frame */
/* What super(type, self).name finds: record-free. UNBOUND without an error when absent. */
asy_value asy_super_find(asy_vm *vm, asy_class *type, asy_value self, asy_class *self_class, asy_str *name);
/* The record of a plain method that super finds for an instance, which is put in *self; NULL: another way of finding it. */
asy_lookup *asy_super_method(asy_vm *vm, const asy_super *s, asy_str *name, asy_value *self);

#endif
