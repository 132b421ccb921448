/* protocol.h - parts of the object protocol that its files share; natives use asy.h. */
#ifndef ASY_RUNTIME_PROTOCOL_H
#define ASY_RUNTIME_PROTOCOL_H

#include "runtime/class.h"

asy_value asy_default_repr(asy_vm *vm, asy_value v); /* <module.Name object at 0x...> */
int64_t asy_identity_hash(asy_vm *vm, asy_value v);  /* the same in every run of a program; see object.c */
asy_value asy_compare_inverted(asy_vm *vm, asy_value a,
                               asy_value b); /* object.__ne__: not a.__eq__(b), or NOT_IMPLEMENTED */

/* How a class does something: by a C slot of `type`, by calling `value`, or (both empty) not at all. */
typedef struct {
  const asy_type *type; /* the descriptor whose slot applies: exactly a built-in class, or inherited from one */
  asy_value value;      /* UNBOUND, or what the class dict holds: a method of script code */
  uint32_t kind;        /* asy_lookup_kind of value */
} asy_way;

/* Of cls for the special method `name`. False: MemoryError. Inherited from object itself, type is &asy_object_type. */
static inline bool asy_find_way(asy_vm *vm, asy_class *cls, asy_str *name, asy_way *way) {
  way->value = ASY_UNBOUND;
  if (cls->flags & ASY_CLASS_BUILTIN) {
    way->type = cls->type;
    return true;
  }
  way->type = NULL;
  asy_lookup *record = asy_class_lookup(vm, cls, name);
  if (!record) return false;
  if (record->kind == LOOKUP_ABSENT) return true;
  if (record->owner->flags & ASY_CLASS_BUILTIN) {
    way->type = record->owner->type;
  } else {
    way->value = record->value;
    way->kind = record->kind;
  }
  return true;
}

/* Calls what a way holds: value bound to v, with arguments. */
asy_value asy_call_way(asy_vm *vm, asy_value v, const asy_way *way, int nargs, const asy_value *args);

/* issubclass for what is no class but has __bases__, a tuple: 0, 1, -1. */
int asy_abstract_subclass(asy_vm *vm, asy_value derived, asy_value cls);

#endif
