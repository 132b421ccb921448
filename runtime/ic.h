/* ic.h - inline caches: what each kind of entry holds, and what makes it invalid.
 *
 *   kind          guard (shape)            slot, payload                    dies when
 *   SLOT          shape of the object      byte offset of the slot          object changes shape; a data descriptor of that name
 *                                                                           appears on the class: all caches are flushed
 *   OVERFLOW      shape                    index behind `more`              as SLOT
 *   ADD           shape before the store   byte offset; the new shape       as SLOT; __setattr__ appears: flush
 *   METHOD        shape                    record of (class, name)          the record is kept true by the class (asy_lookup)
 *   VALUE         shape                    record, LOOKUP_PLAIN             as METHOD
 *   CLASS         address of the class     record of (that class, name)     as METHOD; metaclass gains the name: flush
 *   MODULE        keys_version of its dict address of the entry's value     a name is added to or deleted from the module
 *   GLOBAL        keys_version of globals  address of the entry's value     likewise
 *   BUILTIN       keys_version of globals  address in builtins              likewise; and vm->builtins_version is no longer that of
 *                                                                           the builtins dict: all caches are flushed
 * Tests: tests/script/ic_*.py, run with ASY_IC=verify too.
 */
#ifndef ASY_RUNTIME_IC_H
#define ASY_RUNTIME_IC_H

#include "runtime/class.h"
#include "runtime/frame.h"

enum { IC_EMPTY, IC_SLOT, IC_OVERFLOW, IC_ADD, IC_METHOD, IC_VALUE, IC_CLASS, IC_MODULE, IC_GLOBAL, IC_BUILTIN };

/* Slow halves: do the whole operation and fill the entry when they can. */
asy_value asy_ic_get_attr(asy_vm *vm, asy_value v, asy_str *name, asy_ic *ic);
bool asy_ic_set_attr(asy_vm *vm, asy_value v, asy_str *name, asy_value value, asy_ic *ic);
bool asy_ic_load_method(asy_vm *vm, asy_value *a, asy_value v, asy_str *name, asy_ic *ic); /* a[0], a[4]; see LOAD_METHOD */
asy_value asy_ic_load_global(asy_vm *vm, asy_func *func, asy_str *name, asy_ic *ic);
bool asy_ic_store_global(asy_vm *vm, asy_func *func, asy_str *name, asy_value value, asy_ic *ic);

#endif
