/* lookup.c - finding a name in a class, and keeping what was found true.
 *
 *   class.lookups: name -> record {value, kind, owner}      inline caches hold the addresses of records
 *
 * Must stay true: whenever the dict of a class or an mro changes, the records of that name in the class and in all classes below
 * it are resolved again, in place; flags and init_fn follow. Where a cached fact that is not a record may be wrong now, all
 * inline caches are flushed.
 */
#include "runtime/class.h"

#include <stdlib.h>

/* ---- What sort of attribute a value makes -------------------------------------------------------------------------- */

asy_lookup_kind asy_classify(asy_vm *vm, asy_value value) {
  if (!asy_is_obj(value)) return LOOKUP_PLAIN;
  asy_obj *o = asy_obj_of(value);
  if (o->kind == KIND_FUNCTION) return LOOKUP_METHOD; /* one with attributes has another shape */
  if (o->kind == KIND_NATIVE) {
    const asy_nativefunc *native = (const asy_nativefunc *)o;
    bool binds = native->owner && native->self == ASY_UNBOUND &&
                 !(native->def->flags & (ASY_NATIVE_NEW | ASY_NATIVE_STATIC));
    return binds ? LOOKUP_METHOD : LOOKUP_PLAIN;
  }
  asy_class *cls = asy_class_of(vm, value);
  if (cls->flags & ASY_CLASS_BUILTIN) {
    if (ASY_SPECIAL(cls->type, descr_set)) return LOOKUP_DATA;
    return ASY_SPECIAL(cls->type, descr_get) ? LOOKUP_DESCRIPTOR : LOOKUP_PLAIN;
  }
  asy_value found;
  asy_class *owner;
  if (asy_class_find(vm, cls, ASY_NAME(vm, __set__), &found, &owner) != LOOKUP_ABSENT ||
      asy_class_find(vm, cls, ASY_NAME(vm, __delete__), &found, &owner) != LOOKUP_ABSENT)
    return LOOKUP_DATA;
  return asy_class_find(vm, cls, ASY_NAME(vm, __get__), &found, &owner) != LOOKUP_ABSENT ? LOOKUP_DESCRIPTOR
                                                                                         : LOOKUP_PLAIN;
}

/* The class in the mro whose dict has the name; NULL absent. Runs no script code. */
static asy_class *mro_find(asy_vm *vm, asy_class *cls, asy_str *name, asy_value *value) {
  asy_tuple *mro = cls->mro;
  if (!mro) return NULL;
  for (uint32_t i = 0; i < mro->len; i++) {
    asy_class *c = (asy_class *)asy_obj_of(mro->items[i]);
    asy_value found = asy_dict_get_str(vm, c->dict, name);
    if (found != ASY_UNBOUND) {
      *value = found;
      return c;
    }
  }
  *value = ASY_UNBOUND;
  return NULL;
}

asy_lookup_kind asy_class_find(asy_vm *vm, asy_class *cls, asy_str *name, asy_value *value, asy_class **owner) {
  *owner = mro_find(vm, cls, name, value);
  return *owner ? asy_classify(vm, *value) : LOOKUP_ABSENT;
}

static void resolve(asy_vm *vm, asy_class *cls, asy_lookup *record) {
  record->kind = asy_class_find(vm, cls, record->name, &record->value, &record->owner);
}

/* ---- Records ---------------------------------------------------------------------------------------------------------- */

static uint32_t record_hash(const asy_str *name) { return (uint32_t)((uintptr_t)name >> 4 ^ (uintptr_t)name >> 14); }

static asy_lookup *find_record(const asy_class *cls, const asy_str *name) {
  if (!cls->lookups_size) return NULL;
  asy_lookup *record = cls->lookups[record_hash(name) & (cls->lookups_size - 1)];
  while (record && record->name != name) record = record->next;
  return record;
}

static bool grow_records(asy_class *cls) {
  uint32_t size = cls->lookups_size ? cls->lookups_size * 2 : 16;
  asy_lookup **buckets = calloc(size, sizeof(asy_lookup *));
  if (!buckets) return false;
  for (uint32_t i = 0; i < cls->lookups_size; i++)
    for (asy_lookup *record = cls->lookups[i], *next; record; record = next) {
      next = record->next;
      uint32_t bucket = record_hash(record->name) & (size - 1);
      record->next = buckets[bucket];
      buckets[bucket] = record;
    }
  free(cls->lookups);
  cls->lookups = buckets;
  cls->lookups_size = size;
  return true;
}

__attribute__((noinline)) static asy_lookup *new_record(asy_vm *vm, asy_class *cls, asy_str *name) {
  if (cls->nlookups >= cls->lookups_size && !grow_records(cls)) {
    asy_raise_no_memory(vm);
    return NULL;
  }
  asy_lookup *record = calloc(1, sizeof *record);
  if (!record) {
    asy_raise_no_memory(vm);
    return NULL;
  }
  record->name = name;
  resolve(vm, cls, record);
  asy_lookup **bucket = &cls->lookups[record_hash(name) & (cls->lookups_size - 1)];
  record->next = *bucket;
  *bucket = record;
  cls->nlookups++;
  asy_barrier(vm, cls);
  return record;
}

asy_lookup *asy_class_lookup(asy_vm *vm, asy_class *cls, asy_str *name) {
  asy_lookup *record = find_record(cls, name);
  return record ? record : new_record(vm, cls, name);
}

/* ---- Binding ----------------------------------------------------------------------------------------------------------- */

static asy_value bind_descriptor(asy_vm *vm, asy_value value, asy_value obj, asy_class *cls) {
  asy_class *type = asy_class_of(vm, value);
  if (type->flags & ASY_CLASS_BUILTIN) {
    asy_value (*get)(asy_vm *, asy_value, asy_value, asy_class *) = ASY_SPECIAL(type->type, descr_get);
    return get ? get(vm, value, obj, cls) : value;
  }
  asy_value fn;
  asy_class *owner;
  if (asy_class_find(vm, type, ASY_NAME(vm, __get__), &fn, &owner) == LOOKUP_ABSENT) return value;
  if (owner->flags & ASY_CLASS_BUILTIN) return ASY_SPECIAL(owner->type, descr_get)(vm, value, obj, cls);
  asy_value args[2] = {obj == ASY_UNBOUND ? ASY_NONE : obj, asy_from_obj(cls)};
  return asy_call_special(vm, value, ASY_NAME(vm, __get__), 2, args);
}

asy_value asy_bind(asy_vm *vm, asy_value value, asy_lookup_kind kind, asy_value obj, asy_class *cls) {
  switch (kind) {
    case LOOKUP_ABSENT:
    case LOOKUP_PLAIN: return value;
    case LOOKUP_METHOD: return obj == ASY_UNBOUND ? value : asy_method_new(vm, value, obj);
    default: return bind_descriptor(vm, value, obj, cls);
  }
}

/* ---- Flags --------------------------------------------------------------------------------------------------------------- */

static bool overridden(asy_vm *vm, asy_class *cls, asy_str *name) {
  asy_value value;
  asy_class *owner = mro_find(vm, cls, name, &value);
  return owner && !(owner->flags & ASY_CLASS_BUILTIN);
}

static bool present(asy_vm *vm, asy_class *cls, asy_str *name) {
  asy_value value;
  return mro_find(vm, cls, name, &value) != NULL;
}

/* The script __init__ that a call of cls enters directly: nothing else has a say in making its instances. */
static asy_func *plain_init(asy_vm *vm, asy_class *cls) {
  asy_class *object = vm->classes[KIND_OBJECT];
  if (cls->flags & (ASY_CLASS_BUILTIN | ASY_CLASS_ABSTRACT) || cls->kind != KIND_OBJECT) return NULL;
  asy_value value;
  if (mro_find(vm, cls, ASY_NAME(vm, __new__), &value) != object) return NULL;
  if (cls->flags & ASY_CLASS_HEAP_METACLASS &&
      overridden(vm, asy_class_of(vm, asy_from_obj(cls)), ASY_NAME(vm, __call__)))
    return NULL;
  mro_find(vm, cls, ASY_NAME(vm, __init__), &value);
  return asy_is_kind(value, KIND_FUNCTION) ? (asy_func *)asy_obj_of(value) : NULL;
}

void asy_class_refresh(asy_vm *vm, asy_class *cls) {
  enum {
    DERIVED = ASY_CLASS_HAS_GETATTR | ASY_CLASS_HAS_GETATTRIBUTE | ASY_CLASS_HAS_SETATTR | ASY_CLASS_HAS_FINALIZER |
              ASY_CLASS_OVERRIDES_EQ_HASH
  };
  if (!(cls->flags & ASY_CLASS_BUILTIN)) {
    uint32_t flags = cls->flags & ~(uint32_t)DERIVED;
    if (present(vm, cls, ASY_NAME(vm, __getattr__))) flags |= ASY_CLASS_HAS_GETATTR;
    if (overridden(vm, cls, ASY_NAME(vm, __getattribute__))) flags |= ASY_CLASS_HAS_GETATTRIBUTE;
    if (overridden(vm, cls, ASY_NAME(vm, __setattr__)) || overridden(vm, cls, ASY_NAME(vm, __delattr__)))
      flags |= ASY_CLASS_HAS_SETATTR;
    if (overridden(vm, cls, ASY_NAME(vm, __del__))) flags |= ASY_CLASS_HAS_FINALIZER;
    if (overridden(vm, cls, ASY_NAME(vm, __eq__)) || overridden(vm, cls, ASY_NAME(vm, __hash__)))
      flags |= ASY_CLASS_OVERRIDES_EQ_HASH;
    cls->flags = flags;
  }
  cls->init_fn = plain_init(vm, cls);
  asy_barrier(vm, cls);
}

/* ---- Changes --------------------------------------------------------------------------------------------------------------- */

/* Calls f for cls and every class below it, each once or more. */
static void for_each_below(asy_vm *vm, asy_class *cls, void (*f)(asy_vm *, asy_class *, void *), void *context) {
  f(vm, cls, context);
  for (uint32_t i = 0; i < cls->nsubclasses; i++) for_each_below(vm, cls->subclasses[i], f, context);
}

typedef struct {
  asy_str *name;
  bool flush;
} change;

/* An absent name that becomes a plain attribute or method makes no cache entry wrong: instances came first, and still do. A data
 * descriptor that takes the place of another does: what it reads is cached without its record. */
static bool harmless(uint32_t before, uint32_t after) {
  return after != LOOKUP_DATA && (before == after || before == LOOKUP_ABSENT);
}

static void update_record(asy_vm *vm, asy_class *cls, void *context) {
  change *c = context;
  asy_lookup *record = find_record(cls, c->name);
  if (!record) return;
  uint32_t before = record->kind;
  resolve(vm, cls, record);
  asy_barrier(vm, cls);
  if (!harmless(before, record->kind)) c->flush = true;
}

static void update_flags(asy_vm *vm, asy_class *cls, void *context) {
  change *c = context;
  enum { CACHED = ASY_CLASS_HAS_GETATTR | ASY_CLASS_HAS_GETATTRIBUTE | ASY_CLASS_HAS_SETATTR };
  uint32_t before = cls->flags;
  asy_class_refresh(vm, cls);
  if ((before ^ cls->flags) & CACHED) c->flush = true;
}

static void update_all(asy_vm *vm, asy_class *cls, void *context) {
  change *c = context;
  for (uint32_t i = 0; i < cls->lookups_size; i++)
    for (asy_lookup *record = cls->lookups[i]; record; record = record->next) resolve(vm, cls, record);
  update_flags(vm, cls, c);
  asy_barrier(vm, cls);
}

static bool is_dunder(const asy_str *name) {
  return name->len > 4 && asy_str_at(name, 0) == '_' && asy_str_at(name, 1) == '_';
}

void asy_class_mro_changed(asy_vm *vm, asy_class *cls) {
  change c = {0};
  for_each_below(vm, cls, update_all, &c);
  asy_flush_inline_caches(vm);
}

bool asy_class_set(asy_vm *vm, asy_class *cls, asy_str *name, asy_value value) {
  if (!(name->head.flags & STR_INTERNED) && !(name = asy_str_intern(vm, name))) return false;
  if (value == ASY_UNBOUND) {
    int found = asy_dict_delete(vm, cls->dict, asy_from_obj(name), NULL);
    if (found < 0) return false;
  } else if (!asy_dict_set_str(vm, cls->dict, name, value)) {
    return false;
  }
  if (!cls->mro) return true; /* still being made */
  change c = {.name = name};
  for_each_below(vm, cls, update_record, &c);
  if (is_dunder(name)) {
    for_each_below(vm, cls, update_flags, &c);
    bool descriptors = name == ASY_NAME(vm, __get__) || name == ASY_NAME(vm, __set__) ||
                       name == ASY_NAME(vm, __delete__);
    bool metaclass_call = name == ASY_NAME(vm, __call__) && asy_is_subclass(cls, vm->classes[KIND_TYPE]);
    if (!(cls->flags & ASY_CLASS_BUILTIN) && (descriptors || metaclass_call)) {
      for_each_below(vm, vm->classes[KIND_OBJECT], update_all, &c); /* instances of cls may lie in any class */
      c.flush = true;
    }
  }
  if (c.flush) asy_flush_inline_caches(vm);
  return true;
}

/* ---- Subclasses -------------------------------------------------------------------------------------------------------------- */

bool asy_class_link(asy_vm *vm, asy_class *cls) {
  for (uint32_t i = 0; i < cls->bases->len; i++) {
    asy_class *base = (asy_class *)asy_obj_of(cls->bases->items[i]);
    if (base->nsubclasses == base->subclasses_cap) {
      uint32_t cap = base->subclasses_cap ? base->subclasses_cap * 2 : 4;
      asy_class **grown = realloc(base->subclasses, cap * sizeof(asy_class *));
      if (!grown) {
        asy_raise_no_memory(vm);
        return false;
      }
      base->subclasses = grown;
      base->subclasses_cap = cap;
    }
    base->subclasses[base->nsubclasses++] = cls;
  }
  return true;
}

void asy_class_unlink(asy_class *cls) {
  for (uint32_t i = 0; i < cls->bases->len; i++) {
    asy_class *base = (asy_class *)asy_obj_of(cls->bases->items[i]);
    uint32_t kept = 0;
    for (uint32_t j = 0; j < base->nsubclasses; j++)
      if (base->subclasses[j] != cls) base->subclasses[kept++] = base->subclasses[j];
    base->nsubclasses = kept;
  }
}

asy_tuple *asy_class_subclasses(asy_vm *vm, asy_class *cls) {
  asy_list *list = asy_list_new(vm, cls->nsubclasses);
  if (!list) return NULL;
  for (uint32_t i = 0; i < cls->nsubclasses; i++)
    if (!asy_list_append(vm, list, asy_from_obj(cls->subclasses[i]))) return NULL;
  return asy_list_to_tuple(vm, list);
}

void asy_class_forget(asy_class *cls) {
  for (uint32_t i = 0; i < cls->lookups_size; i++)
    for (asy_lookup *record = cls->lookups[i], *next; record; record = next) {
      next = record->next;
      free(record);
    }
  free(cls->lookups);
  cls->lookups = NULL;
  cls->nlookups = cls->lookups_size = 0;
  free(cls->subclasses);
  cls->subclasses = NULL;
  cls->nsubclasses = cls->subclasses_cap = 0;
}
