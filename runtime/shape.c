/* shape.c - where the attributes of objects lie.
 *
 *   root (reserved slots only) --x--> {x} --y--> {x y}          object {head, more, slot 0, slot 1, ..}
 *                                  \--z--> {x z}                             |
 *                                                              slots from inline_cap on: asy_slots behind `more`
 *
 * A class starts with room for a few slots in the object; when instances overflow it gets a new, roomier root for instances to
 * come, while old shapes stay valid for old ones. More than 64 attributes, or deleting one that is not the newest, puts the
 * object into dictionary mode: `more` is its asy_dict then.
 * Must stay true: a shape never changes (children aside); slots below `reserved` belong to __slots__ descriptors, hold 0 while
 * unset, and stay in place in dictionary mode, whose shape counts just them.
 */
#include "runtime/class.h"

#include <stdlib.h>

enum { SHAPE_MAX_ATTRIBUTES = 64, SHAPE_MAX_CHILDREN = 256, SHAPE_SCAN = 8, OVERFLOW_START = 4 };

static asy_shape *shape_new(asy_vm *vm, asy_class *cls) {
  if (vm->nshapes == vm->shapes_cap) {
    uint32_t cap = vm->shapes_cap ? vm->shapes_cap * 2 : 256;
    asy_shape **grown = realloc(vm->shapes, cap * sizeof *grown);
    if (!grown) {
      asy_raise_no_memory(vm);
      return NULL;
    }
    vm->shapes = grown;
    vm->shapes_cap = cap;
  }
  asy_shape *shape = calloc(1, sizeof *shape);
  if (!shape) {
    asy_raise_no_memory(vm);
    return NULL;
  }
  shape->id = vm->nshapes;
  shape->cls = cls;
  shape->type = cls->type;
  vm->shapes[vm->nshapes++] = shape;
  return shape;
}

asy_shape *asy_shape_new_root(asy_vm *vm, asy_class *cls, uint32_t inline_cap, uint32_t reserved) {
  asy_shape *shape = shape_new(vm, cls);
  if (!shape) return NULL;
  if (cls->flags & ASY_CLASS_VARIABLE || !(cls->flags & ASY_CLASS_HAS_ATTRS)) inline_cap = 0;
  else if (inline_cap < reserved) inline_cap = reserved;
  shape->inline_cap = inline_cap;
  shape->count = shape->reserved = reserved;
  return shape;
}

asy_shape *asy_shape_dictionary(asy_vm *vm, asy_class *cls) {
  if (!cls->dictionary) {
    asy_shape *shape = asy_shape_new_root(vm, cls, cls->root->reserved, cls->root->reserved);
    if (!shape) return NULL;
    shape->dictionary = true;
    cls->dictionary = shape;
  }
  return cls->dictionary;
}

static uint32_t name_hash(const asy_str *name) { return (uint32_t)((uintptr_t)name >> 4 ^ (uintptr_t)name >> 16); }

/* A table of all names of the shape; without memory the shape stays without one. */
static void make_table(asy_shape *shape) {
  uint32_t size = 32;
  while (size < shape->count * 2) size *= 2;
  uint32_t *table = calloc(size, sizeof *table);
  asy_str **names = calloc(size, sizeof *names);
  if (!table || !names) {
    free(table);
    free(names);
    return;
  }
  for (const asy_shape *s = shape; s->parent; s = s->parent) {
    uint32_t i = name_hash(s->name) & (size - 1);
    while (names[i]) i = (i + 1) & (size - 1);
    names[i] = s->name;
    table[i] = s->count - 1;
  }
  shape->table = table;
  shape->table_names = names;
  shape->table_size = size;
}

int asy_shape_find(const asy_shape *shape, const asy_str *name) {
  if (shape->count - shape->reserved > SHAPE_SCAN) {
    if (!shape->table) make_table((asy_shape *)(uintptr_t)shape);
    if (shape->table) {
      uint32_t mask = shape->table_size - 1;
      for (uint32_t i = name_hash(name) & mask; shape->table_names[i]; i = (i + 1) & mask)
        if (shape->table_names[i] == name) return (int)shape->table[i];
      return -1;
    }
  }
  for (; shape->parent; shape = shape->parent)
    if (shape->name == name) return (int)shape->count - 1;
  return -1;
}

asy_shape *asy_shape_add(asy_vm *vm, asy_shape *shape, asy_str *name) {
  if (shape->dictionary) return shape;
  for (uint32_t i = 0; i < shape->nchildren; i++)
    if (shape->children[i]->name == name) return shape->children[i];
  if (shape->count - shape->reserved >= SHAPE_MAX_ATTRIBUTES || shape->nchildren >= SHAPE_MAX_CHILDREN)
    return asy_shape_dictionary(vm, shape->cls);
  if (shape->nchildren == shape->children_cap) {
    uint32_t cap = shape->children_cap ? shape->children_cap * 2 : 2;
    asy_shape **grown = realloc(shape->children, cap * sizeof *grown);
    if (!grown) {
      asy_raise_no_memory(vm);
      return NULL;
    }
    shape->children = grown;
    shape->children_cap = cap;
  }
  asy_shape *child = shape_new(vm, shape->cls);
  if (!child) return NULL;
  child->count = shape->count + 1;
  child->inline_cap = shape->inline_cap;
  child->reserved = shape->reserved;
  child->parent = shape;
  child->name = name;
  shape->children[shape->nchildren++] = child;
  asy_barrier(vm, shape->cls); /* its visit function visits the names of its shapes */
  return child;
}

asy_value *asy_slot_place(asy_vm *vm, asy_obj *o, const asy_shape *shape, uint32_t i) {
  (void)vm;
  if (i < shape->inline_cap) return &asy_slots_of(o, shape->cls)[i];
  asy_value more = *asy_more_of(o, shape->cls);
  return &((asy_slots *)asy_obj_of(more))->items[i - shape->inline_cap];
}

/* Instances need `needed` slots, more than fit in them: those to come get a roomier layout. */
static void learn(asy_vm *vm, asy_class *cls, const asy_shape *shape, uint32_t needed) {
  if (cls->flags & (ASY_CLASS_BUILTIN | ASY_CLASS_VARIABLE) || cls->root->inline_cap >= needed) return;
  if (shape->inline_cap != cls->root->inline_cap) return; /* an old instance: newer ones have more room already */
  uint32_t cap = needed + (needed < 16 ? 2 : 8);
  asy_shape *root = asy_shape_new_root(vm, cls, cap, cls->root->reserved);
  asy_shape **old = realloc(cls->old_roots, (cls->nold_roots + 1) * sizeof *old);
  if (old) cls->old_roots = old;
  if (!root || !old) {
    asy_clear_exception(vm);
    return;
  }
  old[cls->nold_roots++] = cls->root;
  cls->root = root;
}

/* Room for slot i, i.e. the overflow array is large enough. */
static bool slot_reserve(asy_vm *vm, asy_obj *o, const asy_shape *shape, uint32_t i) {
  if (i < shape->inline_cap) return true;
  asy_class *cls = shape->cls;
  asy_value more = *asy_more_of(o, cls);
  asy_slots *old = more ? (asy_slots *)asy_obj_of(more) : NULL;
  uint32_t index = i - shape->inline_cap;
  if (old && index < old->cap) return true;
  if (!old) learn(vm, cls, shape, i + 1);
  uint32_t cap = old ? old->cap * 2 : OVERFLOW_START;
  if (cap <= index) cap = index + 1;
  asy_slots *slots = asy_new_kind(vm, KIND_SLOTS, sizeof *slots + cap * sizeof(asy_value));
  if (!slots) return false;
  slots->cap = cap;
  if (old) memcpy(slots->items, old->items, old->cap * sizeof(asy_value));
  asy_store(vm, o, asy_more_of(o, cls), asy_from_obj(slots));
  return true;
}

bool asy_slot_add(asy_vm *vm, asy_obj *o, asy_shape *to, asy_value value) {
  uint32_t i = to->count - 1;
  if (!slot_reserve(vm, o, to, i)) return false;
  if (i < to->inline_cap) {
    asy_store(vm, o, &asy_slots_of(o, to->cls)[i], value);
  } else {
    asy_slots *slots = (asy_slots *)asy_obj_of(*asy_more_of(o, to->cls));
    asy_store(vm, slots, &slots->items[i - to->inline_cap], value);
  }
  o->shape = to->id;
  return true;
}

bool asy_attributes_next(asy_vm *vm, asy_obj *o, uint32_t *i, asy_str **name, asy_value *value) {
  const asy_shape *shape = vm->shapes[o->shape];
  uint32_t slot = shape->reserved + *i;
  if (slot >= shape->count) return false;
  const asy_shape *s = shape;
  while (s->count - 1 > slot) s = s->parent;
  *name = s->name;
  *value = *asy_slot_place(vm, o, shape, slot);
  (*i)++;
  return true;
}

bool asy_instance_has_dict(const asy_class *cls) {
  return (cls->flags & (ASY_CLASS_HAS_ATTRS | ASY_CLASS_NO_DICT)) == ASY_CLASS_HAS_ATTRS;
}

static void use_dict(asy_vm *vm, asy_obj *o, asy_shape *to, asy_dict *dict) {
  const asy_shape *from = vm->shapes[o->shape];
  for (uint32_t i = from->reserved; i < from->inline_cap && !(from->cls->flags & ASY_CLASS_VARIABLE); i++)
    asy_slots_of(o, from->cls)[i] = 0;
  o->shape = to->id;
  asy_store(vm, o, asy_more_of(o, from->cls), asy_from_obj(dict));
}

asy_dict *asy_instance_dict(asy_vm *vm, asy_obj *o) {
  asy_shape *shape = vm->shapes[o->shape];
  asy_class *cls = shape->cls;
  if (!asy_instance_has_dict(cls)) return NULL;
  if (shape->dictionary) return (asy_dict *)asy_obj_of(*asy_more_of(o, cls));
  asy_dict *dict = asy_dict_new(vm, shape->count);
  if (!dict) return NULL;
  asy_str *name;
  asy_value value;
  for (uint32_t i = 0; asy_attributes_next(vm, o, &i, &name, &value);)
    if (!asy_dict_set_str(vm, dict, name, value)) return NULL;
  asy_shape *to = asy_shape_dictionary(vm, cls);
  if (!to) return NULL;
  use_dict(vm, o, to, dict);
  return dict;
}

bool asy_set_instance_dict(asy_vm *vm, asy_obj *o, asy_dict *dict) {
  asy_shape *to = asy_shape_dictionary(vm, vm->shapes[o->shape]->cls);
  if (!to) return false;
  use_dict(vm, o, to, dict);
  return true;
}

static void slots_visit(asy_obj *o, asy_visitor *v) {
  asy_slots *slots = (asy_slots *)o;
  for (uint32_t i = 0; i < slots->cap; i++)
    if (slots->items[i]) asy_visit_value(v, slots->items[i]);
}

const asy_type asy_slots_type = {
  .name = "attribute_slots",
  .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW,
  .size = sizeof(asy_slots),
  .visit = slots_visit,
};
