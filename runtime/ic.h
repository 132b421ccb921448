/* ic.h - inline caches: what each kind of entry holds, and what makes it invalid.
 *
 *   kind          guard (shape)            slot, payload                    dies when
 *   SLOT          shape of the object      byte offset of the slot          object changes shape; a data descriptor of that name
 *                                                                           appears on the class: all caches are flushed
 *   OVERFLOW      shape                    index behind `more`              as SLOT
 *   ADD           shape before the store   byte offset; the new shape       as SLOT; __setattr__ appears: flush
 *   METHOD        shape                    record of (class, name)          the record is kept true by the class (asy_lookup)
 *   VALUE         shape                    record, LOOKUP_PLAIN             as METHOD
 *   RESERVED      shape                    byte offset of a slot of         a data descriptor comes, goes or is replaced: flush
 *                                          __slots__, 0 while unset
 *   PROPERTY      shape                    the property, whose getter is    as RESERVED; not filled when the class has __getattr__,
 *                                          run as a frame                   whose coming flushes
 *   ITEM          shape                    place in the tuple, for a field  as RESERVED
 *                                          of a namedtuple
 *   CLASS         root shape of the class  record of (that class, name)     as METHOD; not filled when the metaclass has a data
 *                                                                           descriptor of that name: one that comes flushes
 *   MODULE        keys_version of its dict address of the entry's value     a name is added to or deleted from the module
 *   GLOBAL        keys_version of globals  address of the entry's value     likewise
 *   BUILTIN       keys_version of globals  address in builtins              likewise; and vm->builtins_version is no longer that of
 *                                                                           the builtins dict: all caches are flushed
 * Ids of shapes are never used again, so the entry of a class that is gone is never asked for its record.
 * With ASY_IC=verify every kind carries IC_CHECKED: the loop then knows no entry, and the slow half compares each hit.
 * Tests: tests/script/ic/, run with ASY_IC=verify too.
 */
#ifndef ASY_RUNTIME_IC_H
#define ASY_RUNTIME_IC_H

#include "runtime/class.h"
#include "runtime/frame.h"
#include "runtime/module.h"
#include "runtime/types/tuple.h"

enum {
  IC_EMPTY,
  IC_SLOT,
  IC_OVERFLOW,
  IC_ADD,
  IC_METHOD,
  IC_VALUE,
  IC_RESERVED,
  IC_ITEM,
  IC_PROPERTY,
  IC_CLASS,
  IC_MODULE,
  IC_GLOBAL,
  IC_BUILTIN,
  IC_CHECKED = 0x100
};

/* Slow halves: do the whole operation and fill the entry when they can. */
asy_value asy_ic_get_attr(asy_vm *vm, asy_value v, asy_str *name, asy_ic *ic);
bool asy_ic_set_attr(asy_vm *vm, asy_value v, asy_str *name, asy_value value, asy_ic *ic);
bool asy_ic_load_method(asy_vm *vm, asy_value *a, asy_value v, asy_str *name,
                        asy_ic *ic); /* a[0], a[4]; see LOAD_METHOD */
asy_value asy_ic_load_global(asy_vm *vm, asy_func *func, asy_str *name, asy_ic *ic);
bool asy_ic_store_global(asy_vm *vm, asy_func *func, asy_str *name, asy_value value, asy_ic *ic);

/* The hits that are a load behind one more guard: modules, classes, class attributes of instances, reserved slots; else UNBOUND. */
static inline asy_value asy_ic_hit(asy_value v, const asy_ic *ic) {
  if (!asy_is_obj(v)) return ASY_UNBOUND;
  const asy_obj *o = asy_obj_of(v);
  if (ic->kind == IC_MODULE) {
    bool same = o->kind == KIND_MODULE && ((const asy_module *)o)->dict->keys_version == ic->shape;
    return same ? *(const asy_value *)(uintptr_t)ic->payload : ASY_UNBOUND;
  }
  const asy_lookup *record = (const asy_lookup *)(uintptr_t)ic->payload;
  if (ic->kind == IC_CLASS) {
    if (o->kind != KIND_TYPE || ((const asy_class *)o)->root->id != ic->shape) return ASY_UNBOUND;
    return record->kind == LOOKUP_PLAIN || record->kind == LOOKUP_METHOD ? record->value : ASY_UNBOUND;
  }
  if (o->shape != ic->shape) return ASY_UNBOUND;
  if (ic->kind == IC_VALUE) return record->kind == LOOKUP_PLAIN ? record->value : ASY_UNBOUND;
  if (ic->kind == IC_RESERVED) {
    asy_value value = *(const asy_value *)((const char *)o + ic->slot);
    return value ? value : ASY_UNBOUND;
  }
  if (ic->kind == IC_ITEM) {
    const asy_tuple *tuple = (const asy_tuple *)o;
    return ic->slot < tuple->len ? tuple->items[ic->slot] : ASY_UNBOUND;
  }
  return ASY_UNBOUND;
}

#endif
