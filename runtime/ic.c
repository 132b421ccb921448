/* ic.c - the slow halves of inline caches: do the operation, and fill the entry when what was found can be found again by a
 * guard (see ic.h for the kinds and what ends them).
 */
#include "runtime/ic.h"

#include "runtime/descriptors.h"
#include "runtime/types/deque.h"

void asy_flush_inline_caches(asy_vm *vm) {
  for (asy_code *code = vm->code_list; code; code = code->next_code)
    if (code->ics) memset(code->ics, 0, code->nsites * sizeof *code->ics);
}

static void fill(asy_vm *vm, asy_ic *ic, unsigned kind, uint32_t guard, uint32_t slot, uint64_t payload) {
  if (!ic || vm->ic_off || slot > UINT16_MAX) return;
  *ic = (asy_ic){.shape = guard,
                 .slot = (uint16_t)slot,
                 .kind = (uint16_t)(vm->ic_verify ? kind | IC_CHECKED : kind),
                 .payload = payload};
}

/* Fills for an attribute in slot i of o. */
static void fill_slot(asy_vm *vm, asy_ic *ic, asy_obj *o, const asy_shape *shape, uint32_t i) {
  asy_value *place = asy_slot_place(vm, o, shape, i);
  if (i < shape->inline_cap) fill(vm, ic, IC_SLOT, shape->id, (uint32_t)((char *)place - (char *)o), 0);
  else fill(vm, ic, IC_OVERFLOW, shape->id, i - shape->inline_cap, 0);
}

/* Whether attribute reads of objects of cls follow the plain rules: class, instance, class. */
static bool plain_reads(const asy_class *cls) {
  return !(cls->flags & ASY_CLASS_HAS_GETATTRIBUTE) && !ASY_SPECIAL(cls->type, get_attr);
}

/* Whether the attributes of an object of this shape lie in slots at fixed places. */
static bool has_slots(const asy_shape *shape) {
  return !shape->dictionary && shape->cls->flags & ASY_CLASS_HAS_ATTRS && !(shape->cls->flags & ASY_CLASS_VARIABLE);
}

static asy_value module_attribute(asy_vm *vm, asy_value v, asy_str *name, asy_ic *ic) {
  asy_dict *dict = ((asy_module *)asy_obj_of(v))->dict;
  asy_dict_entry *entry = asy_dict_find_str(vm, dict, name);
  if (!entry) return ASY_UNBOUND;
  fill(vm, ic, IC_MODULE, asy_dict_version(vm, dict), 0, (uint64_t)(uintptr_t)&entry->value);
  return entry->value;
}

/* A hit of any entry for reading an attribute; UNBOUND: none. */
static asy_value hit(asy_vm *vm, asy_value v, const asy_ic *entry) {
  if (!entry || !entry->kind || !asy_is_obj(v)) return ASY_UNBOUND;
  asy_obj *o = asy_obj_of(v);
  asy_ic ic = *entry;
  ic.kind &= (uint16_t)~IC_CHECKED;
  asy_value found = asy_ic_hit(v, &ic);
  if (found != ASY_UNBOUND || o->shape != ic.shape) return found;
  if (ic.kind == IC_SLOT) return *(asy_value *)((char *)o + ic.slot);
  if (ic.kind == IC_OVERFLOW) {
    asy_slots *slots = (asy_slots *)asy_obj_of(*asy_more_of(o, vm->shapes[o->shape]->cls));
    return slots->items[ic.slot];
  }
  const asy_lookup *record = (const asy_lookup *)(uintptr_t)ic.payload;
  if (ic.kind == IC_METHOD && record->kind == LOOKUP_METHOD) return asy_method_new(vm, record->value, v);
  return ASY_UNBOUND;
}

static bool verify(asy_vm *vm, asy_value v, asy_str *name, asy_value cached) {
  asy_value slow = asy_get_attr(vm, v, name);
  if (slow == cached || asy_is_kind(slow, KIND_METHOD)) return true;
  asy_raise(vm, ASY_SystemError, "inline cache of attribute '%U' is stale: cached %R, found %R", name, cached, slow);
  return false;
}

/* Attributes of a class object: cached when the metaclass reads as `type` does and has no data descriptor of that name. */
static void fill_class(asy_vm *vm, asy_ic *ic, asy_class *cls, asy_str *name) {
  asy_class *metaclass = vm->shapes[cls->head.shape]->cls;
  if (!ic || metaclass->flags & ASY_CLASS_HAS_GETATTRIBUTE) return;
  asy_lookup *meta = asy_class_lookup(vm, metaclass, name);
  asy_lookup *record = asy_class_lookup(vm, cls, name);
  if (!meta || !record || meta->kind == LOOKUP_DATA) return;
  if (record->kind == LOOKUP_PLAIN || record->kind == LOOKUP_METHOD)
    fill(vm, ic, IC_CLASS, cls->root->id, 0, (uint64_t)(uintptr_t)record);
}

/* A data descriptor in the class of o: reserved slots and fields of namedtuples are read in place, getters of properties run as
 * frames. */
static void fill_data(asy_vm *vm, asy_ic *ic, asy_obj *o, const asy_class *cls, asy_value descriptor) {
  if (asy_is_kind(descriptor, KIND_MEMBER)) {
    const asy_member_descr *member = (const asy_member_descr *)asy_obj_of(descriptor);
    if (member->sort != DESCR_SLOT || !has_slots(vm->shapes[o->shape]) || !asy_is_subclass(cls, member->owner)) return;
    asy_value *place = &asy_slots_of(o, cls)[member->slot];
    fill(vm, ic, IC_RESERVED, o->shape, (uint32_t)((char *)place - (char *)o), 0);
  } else if (asy_is_exact(descriptor, KIND_PROPERTY) && !(cls->flags & ASY_CLASS_HAS_GETATTR)) {
    fill(vm, ic, IC_PROPERTY, o->shape, 0, descriptor);
  } else if (asy_class_of(vm, descriptor)->type == &asy_item_getter_type && o->kind == KIND_TUPLE) {
    fill(vm, ic, IC_ITEM, o->shape, ((const asy_item_getter *)asy_obj_of(descriptor))->index, 0);
  }
}

asy_value asy_ic_get_attr(asy_vm *vm, asy_value v, asy_str *name, asy_ic *ic) {
  asy_value cached = hit(vm, v, ic);
  if (cached != ASY_UNBOUND) {
    if (vm->ic_verify && cached != ASY_FAILED && !asy_is_kind(cached, KIND_METHOD) && !verify(vm, v, name, cached))
      return ASY_FAILED;
    return cached;
  }
  if (!asy_is_obj(v)) return asy_get_attr(vm, v, name);
  asy_obj *o = asy_obj_of(v);
  if (o->kind == KIND_MODULE && o->shape != KIND_MODULE) return asy_get_attr(vm, v, name);
  if (o->kind == KIND_MODULE) {
    asy_value found = module_attribute(vm, v, name, ic);
    return found != ASY_UNBOUND ? found : asy_get_attr(vm, v, name);
  }
  asy_shape *shape = vm->shapes[o->shape];
  asy_class *cls = shape->cls;
  if (o->kind == KIND_TYPE) {
    fill_class(vm, ic, (asy_class *)o, name);
  } else if (plain_reads(cls)) {
    asy_lookup *record = asy_class_lookup(vm, cls, name);
    if (!record) return ASY_FAILED;
    if (record->kind == LOOKUP_DATA) {
      fill_data(vm, ic, o, cls, record->value);
    } else if (has_slots(shape)) {
      int i = asy_shape_find(shape, name);
      if (i >= 0) {
        fill_slot(vm, ic, o, shape, (uint32_t)i);
        return *asy_slot_place(vm, o, shape, (uint32_t)i);
      }
      if (record->kind == LOOKUP_PLAIN) {
        fill(vm, ic, IC_VALUE, shape->id, 0, (uint64_t)(uintptr_t)record);
        return record->value;
      }
      if (record->kind == LOOKUP_METHOD) fill(vm, ic, IC_METHOD, shape->id, 0, (uint64_t)(uintptr_t)record);
    }
  }
  return asy_get_attr(vm, v, name);
}

bool asy_ic_set_attr(asy_vm *vm, asy_value v, asy_str *name, asy_value value, asy_ic *ic) {
  if (!asy_is_obj(v)) return asy_set_attr(vm, v, name, value);
  asy_obj *o = asy_obj_of(v);
  asy_shape *before = vm->shapes[o->shape];
  asy_class *cls = before->cls;
  bool plain = cls->flags & ASY_CLASS_HAS_ATTRS && !(cls->flags & (ASY_CLASS_HAS_SETATTR | ASY_CLASS_VARIABLE)) &&
               !ASY_SPECIAL(cls->type, set_attr) && !before->dictionary;
  if (!asy_set_attr(vm, v, name, value)) return false;
  if (!plain || vm->shapes[before->id]->cls != cls) return true;
  asy_lookup *record = asy_class_lookup(vm, cls, name);
  if (!record) return false;
  if (record->kind == LOOKUP_DATA) return true;
  asy_shape *after = vm->shapes[o->shape];
  int i = after->dictionary ? -1 : asy_shape_find(after, name);
  if (i < 0 || (uint32_t)i >= after->inline_cap) return true;
  uint32_t offset = (uint32_t)((char *)asy_slot_place(vm, o, after, (uint32_t)i) - (char *)o);
  if (after == before) fill(vm, ic, IC_SLOT, after->id, offset, 0);
  else if (after->parent == before) fill(vm, ic, IC_ADD, before->id, offset, after->id);
  return true;
}

bool asy_ic_load_method(asy_vm *vm, asy_value *a, asy_value v, asy_str *name, asy_ic *ic) {
  asy_value cached = ic && (ic->kind & ~IC_CHECKED) != IC_METHOD ? hit(vm, v, ic) : ASY_UNBOUND;
  if (cached != ASY_UNBOUND) {
    a[0] = cached;
    a[4] = ASY_UNBOUND;
    return cached != ASY_FAILED;
  }
  if (asy_is_exact(v, KIND_SUPER)) { /* super().m(): no bound method is made */
    asy_value self;
    asy_lookup *record = asy_super_method(vm, (asy_super *)asy_obj_of(v), name, &self);
    if (record) {
      a[0] = record->value;
      a[4] = self;
      return true;
    }
  }
  asy_class *cls = asy_class_of(vm, v);
  asy_shape *shape = asy_is_obj(v) ? vm->shapes[asy_obj_of(v)->shape] : NULL;
  if (!(cls->flags & ASY_CLASS_HAS_GETATTRIBUTE) && !ASY_SPECIAL(cls->type, get_attr) &&
      !(shape && shape->dictionary)) {
    asy_lookup *record = asy_class_lookup(vm, cls, name);
    if (!record) return false;
    bool attrs = shape && cls->flags & ASY_CLASS_HAS_ATTRS;
    if (record->kind == LOOKUP_METHOD && (!attrs || asy_shape_find(shape, name) < 0)) {
      if (shape && !(cls->flags & ASY_CLASS_VARIABLE))
        fill(vm, ic, IC_METHOD, shape->id, 0, (uint64_t)(uintptr_t)record);
      a[0] = record->value;
      a[4] = v;
      return true;
    }
  }
  asy_value found = asy_ic_get_attr(vm, v, name, ic);
  if (found == ASY_FAILED) return false;
  a[0] = found;
  a[4] = ASY_UNBOUND;
  return true;
}

/* The caches of builtins hold addresses in its dict: a dict that has changed its keys since ends them all. */
static void check_builtins(asy_vm *vm) {
  uint32_t version = asy_dict_version(vm, vm->builtins);
  if (version == vm->builtins_version) return;
  asy_flush_inline_caches(vm);
  vm->builtins_version = version;
}

asy_value asy_ic_load_global(asy_vm *vm, asy_func *func, asy_str *name, asy_ic *ic) {
  asy_dict *globals = func->globals;
  asy_dict_entry *entry = asy_dict_find_str(vm, globals, name);
  if (entry) {
    fill(vm, ic, IC_GLOBAL, asy_dict_version(vm, globals), 0, (uint64_t)(uintptr_t)&entry->value);
    return entry->value;
  }
  entry = func->builtins ? asy_dict_find_str(vm, func->builtins, name) : NULL;
  if (!entry) return asy_raise_name(vm, name);
  if (func->builtins == vm->builtins) {
    check_builtins(vm);
    fill(vm, ic, IC_BUILTIN, asy_dict_version(vm, globals), 0, (uint64_t)(uintptr_t)&entry->value);
  }
  return entry->value;
}

bool asy_ic_store_global(asy_vm *vm, asy_func *func, asy_str *name, asy_value value, asy_ic *ic) {
  if (!asy_dict_set_str(vm, func->globals, name, value)) return false;
  asy_dict_entry *entry = asy_dict_find_str(vm, func->globals, name);
  if (entry) fill(vm, ic, IC_GLOBAL, asy_dict_version(vm, func->globals), 0, (uint64_t)(uintptr_t)&entry->value);
  return true;
}
