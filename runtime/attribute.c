/* attribute.c - reading, writing and deleting attributes: the general ways, behind the inline caches.
 *
 * Order of a read: data descriptor of the class, attribute of the instance, anything else of the class, __getattr__. Classes of
 * which ASY_CLASS_HAS_ flags say nothing special never look for __getattribute__ and its like.
 */
#include <stdarg.h>

#include "runtime/descriptors.h"
#include "runtime/exc.h"

/* ---- Errors -------------------------------------------------------------------------------------------------------------- */

static asy_value raise_about(asy_vm *vm, asy_value obj, asy_str *name, asy_str *message) {
  if (!message) return ASY_FAILED;
  asy_value e = asy_new_exception(vm, ASY_AttributeError, "%U", message);
  if (e == ASY_FAILED) return ASY_FAILED;
  asy_store(vm, asy_obj_of(e), &asy_exception_of(e)->fields[0], asy_from_obj(name));
  asy_store(vm, asy_obj_of(e), &asy_exception_of(e)->fields[1], obj);
  return asy_raise_value(vm, e);
}

asy_value asy_raise_attribute(asy_vm *vm, asy_value obj, asy_str *name, const char *format, ...) {
  va_list list;
  va_start(list, format);
  asy_str *message = asy_str_vformat(vm, format, list);
  va_end(list);
  return raise_about(vm, obj, name, message);
}

asy_value asy_raise_no_attribute(asy_vm *vm, asy_value obj, asy_str *name) {
  if (asy_is_kind(obj, KIND_TYPE))
    return asy_raise_attribute(vm, obj, name, "type object '%N' has no attribute '%U'", (asy_class *)asy_obj_of(obj),
                               name);
  return asy_raise_attribute(vm, obj, name, "'%T' object has no attribute '%U'", obj, name);
}

/* ---- Reading --------------------------------------------------------------------------------------------------------------- */

/* The record of a name, or for names that C or the compiler never mentions a temporary one in *scratch. NULL: MemoryError. */
static const asy_lookup *find_in_class(asy_vm *vm, asy_class *cls, asy_str **name, asy_lookup *scratch) {
  if ((*name)->head.flags & STR_INTERNED) return asy_class_lookup(vm, cls, *name);
  *name = asy_str_intern(vm, *name);
  if (!*name) return NULL;
  scratch->kind = asy_class_find(vm, cls, *name, &scratch->value, &scratch->owner);
  return scratch;
}

asy_value asy_own_attribute(asy_vm *vm, asy_value v, asy_str *name) {
  if (!asy_is_obj(v)) return ASY_UNBOUND;
  asy_obj *o = asy_obj_of(v);
  const asy_shape *shape = vm->shapes[o->shape];
  if (!(shape->cls->flags & ASY_CLASS_HAS_ATTRS)) return ASY_UNBOUND;
  if (shape->dictionary) {
    asy_value more = *asy_more_of(o, shape->cls);
    return more ? asy_dict_get_str(vm, (asy_dict *)asy_obj_of(more), name) : ASY_UNBOUND;
  }
  int slot = asy_shape_find(shape, name);
  return slot < 0 ? ASY_UNBOUND : *asy_slot_place(vm, o, shape, (uint32_t)slot);
}

bool asy_descriptor_reads(asy_vm *vm, asy_value descriptor) {
  asy_class *cls = asy_class_of(vm, descriptor);
  if (cls->flags & ASY_CLASS_BUILTIN) return true;
  asy_lookup *get = asy_class_lookup(vm, cls, ASY_NAME(vm, __get__));
  return !get || get->kind != LOOKUP_ABSENT;
}

/* What object.__getattribute__ finds; UNBOUND absent, without an error. */
static asy_value generic_find(asy_vm *vm, asy_value v, asy_str *name) {
  asy_class *cls = asy_class_of(vm, v);
  asy_lookup scratch;
  const asy_lookup *record = find_in_class(vm, cls, &name, &scratch);
  if (!record) return ASY_FAILED;
  if (record->kind == LOOKUP_DATA && asy_descriptor_reads(vm, record->value))
    return asy_bind(vm, record->value, LOOKUP_DATA, v, cls);
  asy_value own = asy_own_attribute(vm, v, name);
  if (own != ASY_UNBOUND) return own;
  return record->kind == LOOKUP_ABSENT ? ASY_UNBOUND
                                       : asy_bind(vm, record->value, (asy_lookup_kind)record->kind, v, cls);
}

asy_value asy_generic_get_attr(asy_vm *vm, asy_value v, asy_str *name) {
  asy_value found = generic_find(vm, v, name);
  return found == ASY_UNBOUND ? asy_raise_no_attribute(vm, v, name) : found;
}

/* __getattribute__ of any sort; UNBOUND absent when that is known without an exception. */
static asy_value find_attribute(asy_vm *vm, asy_value v, asy_class *cls, asy_str *name) {
  if (cls->flags & ASY_CLASS_HAS_GETATTRIBUTE) {
    asy_value arg = asy_from_obj(name);
    return asy_call_special(vm, v, ASY_NAME(vm, __getattribute__), 1, &arg);
  }
  asy_value (*get)(asy_vm *, asy_value, asy_str *) = ASY_SPECIAL(cls->type, get_attr);
  return get ? get(vm, v, name) : generic_find(vm, v, name);
}

/* Absent so far, or failed: __getattr__ of the class has its say. */
static asy_value ask_getattr(asy_vm *vm, asy_value v, asy_class *cls, asy_str *name, asy_value found) {
  if (found == ASY_FAILED) {
    if (!asy_raised_is(vm, ASY_AttributeError)) return ASY_FAILED;
    asy_clear_exception(vm);
  }
  asy_value arg = asy_from_obj(name);
  return asy_call_special(vm, v, ASY_NAME(vm, __getattr__), 1, &arg);
}

asy_value asy_get_attr(asy_vm *vm, asy_value v, asy_str *name) {
  asy_class *cls = asy_class_of(vm, v);
  asy_value found = find_attribute(vm, v, cls, name);
  if (__builtin_expect(found != ASY_UNBOUND && found != ASY_FAILED, 1)) return found;
  if (cls->flags & ASY_CLASS_HAS_GETATTR) return ask_getattr(vm, v, cls, name, found);
  return found == ASY_FAILED ? ASY_FAILED : asy_raise_no_attribute(vm, v, name);
}

int asy_find_attr(asy_vm *vm, asy_value v, asy_str *name, asy_value *out) {
  asy_class *cls = asy_class_of(vm, v);
  asy_value found = find_attribute(vm, v, cls, name);
  if ((found == ASY_UNBOUND || found == ASY_FAILED) && cls->flags & ASY_CLASS_HAS_GETATTR)
    found = ask_getattr(vm, v, cls, name, found);
  *out = found;
  if (found == ASY_UNBOUND) return 0;
  if (found != ASY_FAILED) return 1;
  *out = ASY_UNBOUND;
  if (!asy_raised_is(vm, ASY_AttributeError)) return -1;
  asy_clear_exception(vm);
  return 0;
}

asy_value asy_get_attr_cstr(asy_vm *vm, asy_value v, const char *name) {
  asy_str *s = asy_intern(vm, name);
  return s ? asy_get_attr(vm, v, s) : ASY_FAILED;
}

/* ---- Writing ------------------------------------------------------------------------------------------------------------------ */

static bool set_through(asy_vm *vm, asy_value descriptor, asy_value v, asy_value value) {
  asy_class *cls = asy_class_of(vm, descriptor);
  asy_str *name = value == ASY_UNBOUND ? ASY_NAME(vm, __delete__) : ASY_NAME(vm, __set__);
  asy_lookup *record = asy_class_lookup(vm, cls, name);
  if (!record) return false;
  if (cls->flags & ASY_CLASS_BUILTIN || (record->owner && record->owner->flags & ASY_CLASS_BUILTIN)) {
    bool (*set)(asy_vm *, asy_value, asy_value, asy_value) = ASY_SPECIAL(cls->type, descr_set);
    if (set) return set(vm, descriptor, v, value);
  }
  if (record->kind == LOOKUP_ABSENT) {
    asy_raise(vm, ASY_AttributeError, "%U", name);
    return false;
  }
  asy_value args[2] = {v, value};
  return asy_call_special(vm, descriptor, name, value == ASY_UNBOUND ? 1 : 2, args) != ASY_FAILED;
}

bool asy_set_own_attribute(asy_vm *vm, asy_obj *o, asy_str *name, asy_value value) {
  asy_shape *shape = vm->shapes[o->shape];
  if (!shape->dictionary) {
    int slot = asy_shape_find(shape, name);
    if (slot >= 0) {
      asy_value *place = asy_slot_place(vm, o, shape, (uint32_t)slot);
      if ((uint32_t)slot < shape->inline_cap) asy_store(vm, o, place, value);
      else asy_store(vm, asy_obj_of(*asy_more_of(o, shape->cls)), place, value);
      return true;
    }
    asy_shape *to = asy_shape_add(vm, shape, name);
    if (!to) return false;
    if (!to->dictionary) return asy_slot_add(vm, o, to, value);
  }
  asy_dict *dict = asy_instance_dict(vm, o);
  return dict && asy_dict_set_str(vm, dict, name, value);
}

int asy_delete_own_attribute(asy_vm *vm, asy_obj *o, asy_str *name) {
  asy_shape *shape = vm->shapes[o->shape];
  if (!shape->dictionary) {
    int slot = asy_shape_find(shape, name);
    if (slot < 0) return 0;
    if ((uint32_t)slot == shape->count - 1) {
      *asy_slot_place(vm, o, shape, (uint32_t)slot) = 0;
      o->shape = shape->parent->id;
      return 1;
    }
  }
  asy_dict *dict = asy_instance_dict(vm, o);
  return dict ? asy_dict_delete(vm, dict, asy_from_obj(name), NULL) : -1;
}

bool asy_generic_set_attr(asy_vm *vm, asy_value v, asy_str *name, asy_value value) {
  asy_class *cls = asy_class_of(vm, v);
  asy_lookup scratch;
  const asy_lookup *record = find_in_class(vm, cls, &name, &scratch);
  if (!record) return false;
  if (record->kind == LOOKUP_DATA) return set_through(vm, record->value, v, value);
  if (asy_is_obj(v) && asy_instance_has_dict(cls)) {
    if (value != ASY_UNBOUND) return asy_set_own_attribute(vm, asy_obj_of(v), name, value);
    int deleted = asy_delete_own_attribute(vm, asy_obj_of(v), name);
    if (deleted == 0) asy_raise_no_attribute(vm, v, name);
    return deleted > 0;
  }
  if (record->kind != LOOKUP_ABSENT)
    asy_raise_attribute(vm, v, name, "'%T' object attribute '%U' is read-only", v, name);
  else if (cls->flags & ASY_CLASS_HAS_SETATTR)
    asy_raise_attribute(vm, v, name, "'%T' object has no attribute '%U'", v, name);
  else
    asy_raise_attribute(vm, v, name, "'%T' object has no attribute '%U' and no __dict__ for setting new attributes", v,
                        name);
  return false;
}

static bool change_attribute(asy_vm *vm, asy_value v, asy_str *name, asy_value value) {
  asy_class *cls = asy_class_of(vm, v);
  if (cls->flags & ASY_CLASS_HAS_SETATTR) {
    asy_str *special = value == ASY_UNBOUND ? ASY_NAME(vm, __delattr__) : ASY_NAME(vm, __setattr__);
    asy_lookup *record = asy_class_lookup(vm, cls, special);
    if (!record) return false;
    if (!(record->owner->flags & ASY_CLASS_BUILTIN)) {
      asy_value args[2] = {asy_from_obj(name), value};
      return asy_call_special(vm, v, special, value == ASY_UNBOUND ? 1 : 2, args) != ASY_FAILED;
    }
  }
  bool (*set)(asy_vm *, asy_value, asy_str *, asy_value) = ASY_SPECIAL(cls->type, set_attr);
  return set ? set(vm, v, name, value) : asy_generic_set_attr(vm, v, name, value);
}

bool asy_set_attr(asy_vm *vm, asy_value v, asy_str *name, asy_value value) {
  return change_attribute(vm, v, name, value);
}
bool asy_del_attr(asy_vm *vm, asy_value v, asy_str *name) { return change_attribute(vm, v, name, ASY_UNBOUND); }

bool asy_set_attr_cstr(asy_vm *vm, asy_value v, const char *name, asy_value value) {
  asy_str *s = asy_intern(vm, name);
  return s && asy_set_attr(vm, v, s, value);
}
