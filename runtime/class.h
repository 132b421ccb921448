/* class.h - classes, attribute lookup, shapes: what inline caches are filled from. */
#ifndef ASY_RUNTIME_CLASS_H
#define ASY_RUNTIME_CLASS_H

#include "runtime/func.h"
#include "runtime/vm.h"

#define X(kind, descriptor) extern const asy_type descriptor;
ASY_KINDS(X)
#undef X

/* What class.c keeps per VM: vm->class_state. */
typedef struct asy_class_state {
  asy_class **defined; /* classes made from descriptors outside ASY_KINDS; each is pinned */
  uint32_t ndefined, defined_cap;
  struct asy_record_class *records; /* classes of records by their tables of fields; each is pinned */
  uint32_t nrecords, records_cap;
  void **memory; /* malloc'ed asy_native rows made for __new__ and __init__, freed with the VM */
  uint32_t nmemory, memory_cap;
} asy_class_state;

/* A class of records (record.c). What lies in an instance: `visible` items of the tuple, then `hidden` values. */
typedef struct asy_record_class {
  const asy_member *fields;
  asy_class *cls;
  uint32_t visible, hidden;
} asy_record_class;

/* The record of (cls, name): made on first use, true for ever (see asy_lookup). NULL: MemoryError. name is interned. */
asy_lookup *asy_class_lookup(asy_vm *vm, asy_class *cls, asy_str *name);
/* The slot of attribute `name` in a shape that is no dictionary; -1 absent. */
int asy_shape_find(const asy_shape *shape, const asy_str *name);
/* The shape after adding `name`; NULL: MemoryError. */
asy_shape *asy_shape_add(asy_vm *vm, asy_shape *shape, asy_str *name);
/* The place of slot i of o, whose shape it is in (inline or overflow). */
asy_value *asy_slot_place(asy_vm *vm, asy_obj *o, const asy_shape *shape, uint32_t i);
/* o.__dict__: turns the object to dictionary mode. NULL failed or the object has none (no error set then: *has = false). */
asy_dict *asy_instance_dict(asy_vm *vm, asy_obj *o);
/* type(name, bases, namespace, **kwargs): metaclass, __set_name__, __init_subclass__ as type.__new__ does. */
asy_value asy_class_new(asy_vm *vm, asy_class *metaclass, asy_str *name, asy_tuple *bases, asy_dict *ns,
                        asy_dict *kwargs);
/* cls.name = value (UNBOUND deletes); updates records, flags and, where they may be wrong now, flushes inline caches. */
bool asy_class_set(asy_vm *vm, asy_class *cls, asy_str *name, asy_value value);
/* Attribute of a class object, bound through the class; UNBOUND absent without error. */
asy_value asy_class_get(asy_vm *vm, asy_class *cls, asy_str *name);
/* The same search without a record: for names computed at run time. */
asy_lookup_kind asy_class_find(asy_vm *vm, asy_class *cls, asy_str *name, asy_value *value, asy_class **owner);
/* What `value`, found in a class, is when read through obj (UNBOUND: through the class itself). */
asy_value asy_bind(asy_vm *vm, asy_value value, asy_lookup_kind kind, asy_value obj, asy_class *cls);
bool asy_descriptor_reads(asy_vm *vm,
                          asy_value descriptor); /* false: it has __set__ alone and leaves reading to the instance */
asy_lookup_kind asy_classify(asy_vm *vm, asy_value value);
/* Puts o, whose attributes are those of `to`'s parent, into shape `to`: the newest slot gets value. */
bool asy_slot_add(asy_vm *vm, asy_obj *o, asy_shape *to, asy_value value);
/* Attributes of an object as they lie, in order: false at the end. i counts from 0. */
bool asy_attributes_next(asy_vm *vm, asy_obj *o, uint32_t *i, asy_str **name, asy_value *value);
asy_shape *asy_shape_new_root(asy_vm *vm, asy_class *cls, uint32_t inline_cap, uint32_t reserved);
asy_shape *asy_shape_dictionary(asy_vm *vm, asy_class *cls);
bool asy_set_instance_dict(asy_vm *vm, asy_obj *o, asy_dict *dict);
bool asy_instance_has_dict(const asy_class *cls);
/* What lies in the instance itself; name is interned. attribute.c */
asy_value asy_own_attribute(asy_vm *vm, asy_value v, asy_str *name); /* UNBOUND absent; runs nothing, cannot fail */
bool asy_set_own_attribute(asy_vm *vm, asy_obj *o, asy_str *name, asy_value value);
int asy_delete_own_attribute(asy_vm *vm, asy_obj *o, asy_str *name); /* 1 deleted, 0 absent, -1 failed */
/* Reads or writes an attribute of a class object itself, the metaclass's descriptors included. */
asy_value asy_type_get_attr(asy_vm *vm, asy_value self, asy_str *name);
bool asy_type_set_attr(asy_vm *vm, asy_value self, asy_str *name, asy_value value);
/* cls(*args): metaclass __call__, __new__, __init__. */
asy_value asy_class_call(asy_vm *vm, asy_class *cls, int nargs, const asy_value *args, asy_tuple *kwnames);
/* The first argument of a native __new__ must be a class derived from native->owner, of its C layout; TypeError. */
bool asy_check_new(asy_vm *vm, const asy_nativefunc *native, asy_value cls);
/* The slot of a descriptor, inherited along .base: ASY_SLOT(type, length). */
#define ASY_SLOT(descriptor, slot)                                                                                     \
  (__extension__({                                                                                                     \
    const asy_type *slot_type_ = (descriptor);                                                                         \
    while (!slot_type_->slot && slot_type_->base) slot_type_ = slot_type_->base;                                       \
    slot_type_->slot;                                                                                                  \
  }))
/* The same of a slot in one of the tables behind a descriptor: ASY_OPERATOR(type, binary[op]), ASY_SPECIAL(type, get_item). */
#define ASY_SLOT_OF_TABLE(descriptor, table, slot)                                                                     \
  (__extension__({                                                                                                     \
    const asy_type *slot_type_ = (descriptor);                                                                         \
    while (!(slot_type_->table && slot_type_->table->slot) && slot_type_->base) slot_type_ = slot_type_->base;         \
    slot_type_->table ? slot_type_->table->slot : NULL;                                                                \
  }))
#define ASY_OPERATOR(descriptor, slot) ASY_SLOT_OF_TABLE(descriptor, operators, slot)
#define ASY_SPECIAL(descriptor, slot) ASY_SLOT_OF_TABLE(descriptor, special, slot)
/* Parts of class.c, by file. */
bool asy_class_add_dunders(asy_vm *vm, asy_class *cls); /* dunder.c: slots as methods */
bool asy_class_compute_mro(asy_vm *vm, asy_class *cls); /* mro.c */
bool asy_class_order(asy_vm *vm, asy_class *cls); /* sets the mro: by the metaclass's mro() when that is a script's */
bool asy_class_remake_mros(asy_vm *vm, asy_class *cls); /* mro.c: of every class below cls */
bool asy_class_link(asy_vm *vm, asy_class *cls);        /* lookup.c: known to its bases as a subclass */
void asy_class_refresh(asy_vm *vm, asy_class *cls);     /* lookup.c: flags and init_fn from the mro */
void asy_class_forget(asy_class *cls);                  /* lookup.c: frees records and subclasses */
void asy_class_unlink(asy_class *cls);                  /* lookup.c: no longer a subclass of its bases */
void asy_class_mro_changed(asy_vm *vm, asy_class *cls); /* lookup.c: every record again, subclasses too */
asy_class *asy_class_solid(asy_class *cls);             /* class.c: the built-in class whose C layout instances have */
asy_class *asy_class_metaclass(asy_vm *vm, asy_class *metaclass,
                               asy_tuple *bases); /* class.c: the most derived; NULL: conflict */
asy_tuple *asy_class_subclasses(asy_vm *vm, asy_class *cls);
asy_value asy_not_abstract(asy_vm *vm, asy_class *cls); /* type.c: TypeError naming the abstract methods */
bool asy_classes_init(asy_vm *vm);                      /* built-in classes from ASY_KINDS, then exceptions */
void asy_classes_free(asy_vm *vm);                      /* memory beside the heap: shapes, class_state */
void asy_flush_inline_caches(asy_vm *vm);               /* ic.c: rare events only */

#endif
