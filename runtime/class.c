/* class.c - making classes: built-in ones from their descriptors, script ones by type.__new__; and calling them.
 *
 *   descriptor (asy_type, constant) --asy_classes_init / asy_define_type--> asy_class with a dict of natives
 *   class statement --asy_class_new--> asy_class whose layout is that of its solid base
 *
 * A descriptor whose base is not object shares the kind of its base, and with it visit and free: it may add no references to the
 * C struct. Must stay true: base_size, slots_offset, kind and root->reserved of a class never change.
 */
#include <stdlib.h>

#include "runtime/coro.h"
#include "runtime/descriptors.h"
#include "runtime/exc.h"
#include "runtime/module.h"
#include "runtime/types/alias.h"
#include "runtime/types/int.h"
#include "runtime/types/str_internal.h"
#include "runtime/weakref.h"

enum { FIRST_INLINE_SLOTS = 4, MOST_INLINE_SLOTS = 64, MODULE_KINDS_END = 256 };

static asy_class *class_of_value(asy_value v) { return (asy_class *)asy_obj_of(v); }
static size_t align8(size_t n) { return (n + 7) & ~(size_t)7; }

asy_value *asy_variable_more(asy_obj *o) {
  size_t size;
  switch (o->kind) {
    case KIND_TUPLE: size = sizeof(asy_tuple) + (((asy_tuple *)o)->len + (size_t)o->flags) * sizeof(asy_value); break;
    case KIND_INT: {
      int32_t limbs = ((asy_int *)o)->size;
      size = sizeof(asy_int) + (size_t)(limbs < 0 ? -limbs : limbs) * sizeof(mp_limb_t);
      break;
    }
    case KIND_STR: size = asy_str_inline_size(((asy_str *)o)->len, asy_str_width((asy_str *)o)); break;
    default: size = asy_bytes_inline_size(((asy_bytes *)o)->len); break;
  }
  return (asy_value *)((char *)o + align8(size));
}

static bool is_variable_kind(unsigned kind) {
  return kind == KIND_TUPLE || kind == KIND_INT || kind == KIND_STR || kind == KIND_BYTES;
}

/* ---- Layout ------------------------------------------------------------------------------------------------------------- */

/* The descriptor that brought the C struct: those that add nothing to it are passed over. */
static const asy_type *struct_of(const asy_type *type) {
  while (type->base && (!type->size || type->size == type->base->size)) type = type->base;
  return type;
}

static bool derives(const asy_type *type, const asy_type *from) {
  if (from == &asy_object_type) return true;
  while (type && type != from) type = type->base;
  return type != NULL;
}

asy_class *asy_class_solid(asy_class *cls) {
  for (uint32_t i = 0; cls->mro && i < cls->mro->len; i++) {
    asy_class *c = class_of_value(cls->mro->items[i]);
    if (c->flags & ASY_CLASS_BUILTIN && struct_of(c->type) == struct_of(cls->type)) return c;
  }
  return cls;
}

/* The base whose layout a class with these bases has; NULL with TypeError. */
static asy_class *best_base(asy_vm *vm, asy_tuple *bases) {
  asy_class *best = class_of_value(bases->items[0]);
  for (uint32_t i = 1; i < bases->len; i++) {
    asy_class *base = class_of_value(bases->items[i]);
    const asy_type *a = struct_of(best->type), *b = struct_of(base->type);
    if (!derives(a, b) && !derives(b, a))
      return asy_raise(vm, ASY_TypeError, "multiple bases have instance lay-out conflict"), NULL;
    if (a == b ? derives(base->type, best->type) && base->type != best->type : derives(b, a)) best = base;
  }
  return best;
}

/* The base whose reserved slots the new class continues. */
static asy_class *slots_base(asy_vm *vm, asy_tuple *bases) {
  asy_class *best = class_of_value(bases->items[0]);
  for (uint32_t i = 1; i < bases->len; i++)
    if (class_of_value(bases->items[i])->root->reserved > best->root->reserved) best = class_of_value(bases->items[i]);
  for (uint32_t i = 0; i < bases->len; i++) {
    asy_class *base = class_of_value(bases->items[i]);
    if (!base->root->reserved || base == best || asy_is_subclass(best, base)) continue;
    for (uint32_t j = 0; j < base->mro->len; j++) { /* slots the two have in common come from a shared class */
      asy_class *shared = class_of_value(base->mro->items[j]);
      if (shared->root->reserved == base->root->reserved && asy_is_subclass(best, shared)) goto compatible;
    }
    return asy_raise(vm, ASY_TypeError, "multiple bases have instance lay-out conflict"), NULL;
  compatible:;
  }
  return best;
}

static asy_class *class_alloc(asy_vm *vm, uint32_t shape, const asy_type *type) {
  asy_class *cls = asy_alloc(vm, shape, KIND_TYPE, sizeof *cls);
  if (cls) cls->type = type;
  return cls;
}

/* ---- Built-in classes ------------------------------------------------------------------------------------------------------ */

/* The dict entry of one row of a methods table. `next` is the row behind it. */
static asy_value method_value(asy_vm *vm, asy_class *cls, const asy_native *row, const asy_native *next) {
  if (row->flags & ASY_NATIVE_GETTER) {
    bool paired = next->name && next->flags & ASY_NATIVE_SETTER && strcmp(next->name, row->name) == 0;
    return asy_member_for_natives(vm, cls, row, paired ? next : NULL);
  }
  asy_value native = asy_new_native(vm, row, ASY_UNBOUND, ASY_NONE);
  if (native == ASY_FAILED) return ASY_FAILED;
  if (row->flags & ASY_NATIVE_CLASS) return asy_wrap_method(vm, KIND_CLASSMETHOD, native);
  asy_native_own(vm, native, cls);
  return row->flags & ASY_NATIVE_STATIC ? asy_wrap_method(vm, KIND_STATICMETHOD, native) : native;
}

static bool add_methods(asy_vm *vm, asy_class *cls, const asy_native *rows) {
  for (const asy_native *row = rows; row && row->name; row++) {
    if (row->flags & ASY_NATIVE_SETTER) continue;
    asy_str *name = asy_intern(vm, row->name);
    asy_value value = name ? method_value(vm, cls, row, row + 1) : ASY_FAILED;
    if (value == ASY_FAILED || !asy_dict_set_str(vm, cls->dict, name, value)) return false;
  }
  return true;
}

static bool add_members(asy_vm *vm, asy_class *cls, const asy_member *fields) {
  for (const asy_member *field = fields; field && field->name; field++) {
    asy_str *name = asy_intern(vm, field->name);
    asy_value value = name ? asy_member_for_field(vm, cls, field) : ASY_FAILED;
    if (value == ASY_FAILED || !asy_dict_set_str(vm, cls->dict, name, value)) return false;
  }
  return true;
}

/* A row for a native whose text comes from the descriptor: lives as long as the VM. */
static bool add_made_method(asy_vm *vm, asy_class *cls, asy_native row) {
  asy_class_state *state = vm->class_state;
  if (state->nmemory == state->memory_cap) {
    uint32_t cap = state->memory_cap ? state->memory_cap * 2 : 64;
    void **grown = realloc(state->memory, cap * sizeof *grown);
    if (!grown) return asy_raise_no_memory(vm), false;
    state->memory = grown;
    state->memory_cap = cap;
  }
  asy_native *rows = calloc(2, sizeof *rows);
  if (!rows) return asy_raise_no_memory(vm), false;
  state->memory[state->nmemory++] = rows;
  rows[0] = row;
  return add_methods(vm, cls, rows);
}

static asy_value get_instance_dict(asy_vm *vm, const asy_value *args) {
  if (asy_is_kind(args[0], KIND_TYPE))
    return asy_mapping_proxy_new(vm, asy_from_obj(((asy_class *)asy_obj_of(args[0]))->dict));
  if (asy_is_kind(args[0], KIND_MODULE)) return asy_from_obj(((asy_module *)asy_obj_of(args[0]))->dict);
  asy_dict *dict = asy_is_obj(args[0]) ? asy_instance_dict(vm, asy_obj_of(args[0])) : NULL;
  if (dict) return asy_from_obj(dict);
  return asy_raised(vm) ? ASY_FAILED : asy_raise_no_attribute(vm, args[0], ASY_NAME(vm, __dict__));
}

static asy_value put_instance_dict(asy_vm *vm, const asy_value *args) {
  asy_class *cls = asy_class_of(vm, args[0]);
  if (asy_is_kind(args[0], KIND_MODULE))
    return asy_raise(vm, ASY_AttributeError, "attribute '__dict__' of 'module' objects is not writable");
  if (!asy_is_obj(args[0]) || !asy_instance_has_dict(cls))
    return asy_raise(vm, ASY_AttributeError, "This object has no __dict__");
  asy_dict *dict;
  if (args[1] == ASY_UNBOUND && cls->kind == KIND_FUNCTION)
    return asy_raise(vm, ASY_TypeError, "cannot delete __dict__");
  if (args[1] == ASY_UNBOUND) dict = asy_dict_new(vm, 0);
  else if (asy_is_kind(args[1], KIND_DICT)) dict = (asy_dict *)asy_obj_of(args[1]);
  else return asy_raise(vm, ASY_TypeError, "__dict__ must be set to a dictionary, not a '%T'", args[1]);
  return dict && asy_set_instance_dict(vm, asy_obj_of(args[0]), dict) ? ASY_NONE : ASY_FAILED;
}

static const asy_native dict_attribute[] = {
  {"__dict__", SIG("(self)"), get_instance_dict, 0, ASY_NATIVE_GETTER},
  {"__dict__", SIG("(self, value)"), put_instance_dict, 0, ASY_NATIVE_SETTER},
  {0},
};

/* Layout, flags and root shape from the descriptor; needs no string and no other class than the base. */
static bool lay_out_builtin(asy_vm *vm, asy_class *cls, asy_class *base, unsigned kind) {
  const asy_type *type = cls->type;
  cls->kind = kind;
  cls->flags = ASY_CLASS_BUILTIN | (type->flags & ASY_TYPE_FINAL ? ASY_CLASS_FINAL : 0);
  size_t size = align8(type->size);
  if (base && base->base_size > size) size = base->base_size;
  cls->base_size = (uint32_t)(size < sizeof(asy_obj) ? sizeof(asy_obj) : size);
  if (type->flags & ASY_TYPE_ATTRS || (base && base->flags & ASY_CLASS_HAS_ATTRS)) {
    cls->flags |= ASY_CLASS_HAS_ATTRS;
    cls->slots_offset = cls->base_size + sizeof(asy_value);
  }
  if (base && base->flags & ASY_CLASS_EXCEPTION) cls->flags |= ASY_CLASS_EXCEPTION;
  if (type == &asy_base_exception_type) cls->flags |= ASY_CLASS_EXCEPTION;
  cls->root = asy_shape_new_root(vm, cls, 0, 0);
  return cls->root != NULL;
}

static bool name_class(asy_vm *vm, asy_class *cls, const char *text) {
  const char *dot = strrchr(text, '.');
  cls->name = asy_intern(vm, dot ? dot + 1 : text);
  if (!cls->name) return false;
  cls->qualname = cls->name;
  asy_barrier(vm, cls);
  if (!cls->dict) {
    asy_dict *dict = asy_dict_new(vm, 8);
    if (!dict) return false;
    cls->dict = dict;
    asy_barrier(vm, cls);
  }
  if (!dot) return true;
  asy_str *module = asy_str_new_utf8(vm, text, (size_t)(dot - text));
  return module && asy_dict_set_str(vm, cls->dict, ASY_NAME(vm, __module__), asy_from_obj(module));
}

static bool derive_builtin(asy_vm *vm, asy_class *cls, asy_value base, asy_value second) {
  asy_value bases[2] = {base, second};
  cls->bases = asy_tuple_new(vm, bases, base ? (second ? 2 : 1) : 0);
  if (!cls->bases) return false;
  asy_barrier(vm, cls);
  return asy_class_compute_mro(vm, cls) && asy_class_link(vm, cls);
}

/* The dict of a class that is the first with its descriptor. */
static bool fill_builtin(asy_vm *vm, asy_class *cls, const char *doc) {
  const asy_type *type = cls->type;
  if (!asy_class_add_dunders(vm, cls)) return false;
  if (type->new_) {
    uint32_t signature = type->new_signature ? type->new_signature : SIG("(cls, /, *args, **kwargs)");
    asy_native row = {"__new__", signature, type->new_,
                      DOC("Create and return a new object.  See help(type) for accurate signature."), ASY_NATIVE_NEW};
    if (!add_made_method(vm, cls, row)) return false;
  }
  if (type->init) {
    asy_native row = {"__init__", type->init_signature, type->init,
                      DOC("Initialize self.  See help(type(self)) for accurate signature."), 0};
    if (!add_made_method(vm, cls, row)) return false;
  }
  if (!add_methods(vm, cls, type->methods) || !add_members(vm, cls, type->members)) return false;
  if (type->flags & ASY_TYPE_ATTRS && asy_dict_get_str(vm, cls->dict, ASY_NAME(vm, __dict__)) == ASY_UNBOUND &&
      !add_methods(vm, cls, dict_attribute))
    return false;
  if (type->flags & ASY_TYPE_UNHASHABLE && !asy_dict_set_str(vm, cls->dict, ASY_NAME(vm, __hash__), ASY_NONE))
    return false;
  if (asy_dict_get_str(vm, cls->dict, ASY_NAME(vm, __doc__)) != ASY_UNBOUND) return true;
  asy_value text = doc ? asy_from_cstr(vm, doc) : ASY_NONE;
  return text != ASY_FAILED && asy_dict_set_str(vm, cls->dict, ASY_NAME(vm, __doc__), text);
}

static bool make_exceptions(asy_vm *vm) {
#define X(name, base) {#name, ASY_##base},
  static const struct {
    const char *name;
    asy_exc_id base;
  } rows[] = {ASY_EXCEPTIONS(X)};
#undef X
  vm->exceptions = calloc(ASY_EXCEPTION_COUNT, sizeof(asy_class *));
  if (!vm->exceptions) return false;
  vm->exceptions[ASY_BaseException] = vm->classes[KIND_EXCEPTION];
  for (unsigned id = 1; id < ASY_EXCEPTION_COUNT; id++) {
    asy_class *base = vm->exceptions[rows[id].base];
    const asy_type *family = asy_exception_family((asy_exc_id)id);
    asy_class *cls = class_alloc(vm, KIND_TYPE, family ? family : base->type);
    if (!cls) return false;
    vm->exceptions[id] = cls;
    asy_pin(vm, cls);
    bool asyncio = id == ASY_CancelledError || id == ASY_InvalidStateError;
    asy_str *module = asyncio ? asy_intern(vm, "asyncio.exceptions") : NULL;
    asy_value second = id == ASY_ExceptionGroup ? asy_from_obj(vm->exceptions[ASY_Exception]) : 0;
    if (!lay_out_builtin(vm, cls, base, KIND_EXCEPTION) || !name_class(vm, cls, rows[id].name) ||
        !derive_builtin(vm, cls, asy_from_obj(base), second))
      return false;
    if (module && !asy_dict_set_str(vm, cls->dict, ASY_NAME(vm, __module__), asy_from_obj(module))) return false;
    if (family && !fill_builtin(vm, cls, family->doc)) return false;
    asy_value doc = family ? ASY_UNBOUND : asy_exception_doc(id) ? asy_from_cstr(vm, asy_exception_doc(id)) : ASY_NONE;
    if (doc == ASY_FAILED || (!family && !asy_dict_set_str(vm, cls->dict, ASY_NAME(vm, __doc__), doc))) return false;
    asy_class_refresh(vm, cls);
  }
  return true;
}

/* Built-in classes that take type arguments: list[int]. */
static bool add_class_getitem(asy_vm *vm) {
  static const asy_native rows[] = {
    {"__class_getitem__", SIG("(cls, item, /)"), asy_class_getitem, DOC("See PEP 585"), ASY_NATIVE_CLASS},
    {0},
  };
  static const uint8_t kinds[] = {KIND_LIST,      KIND_TUPLE,         KIND_DICT,
                                  KIND_SET,       KIND_FROZENSET,     KIND_ENUMERATE,
                                  KIND_GENERATOR, KIND_COROUTINE,     KIND_ASYNC_GENERATOR,
                                  KIND_SLICE,     KIND_MAPPING_PROXY, KIND_WEAKREF,
                                  KIND_FUTURE,    KIND_TASK};
  for (unsigned i = 0; i < sizeof kinds; i++)
    if (asy_dict_get_str(vm, vm->classes[kinds[i]]->dict, ASY_NAME(vm, __class_getitem__)) == ASY_UNBOUND &&
        !add_methods(vm, vm->classes[kinds[i]], rows))
      return false;
  return true;
}

bool asy_classes_init(asy_vm *vm) {
#define X(kind, descriptor) &descriptor,
  static const asy_type *const descriptors[] = {ASY_KINDS(X)};
#undef X
  vm->class_state = calloc(1, sizeof *vm->class_state);
  if (!vm->class_state) return false;
  if (vm->next_kind < KIND_COUNT) vm->next_kind = KIND_COUNT;
  for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
    asy_class *cls = class_alloc(vm, KIND_TYPE, descriptors[kind]), *base = NULL;
    if (!cls) return false;
    vm->classes[kind] = cls;
    asy_pin(vm, cls);
    for (unsigned i = 0; i < kind; i++)
      if (descriptors[kind]->base == descriptors[i]) base = vm->classes[i];
    if (!lay_out_builtin(vm, cls, base, kind)) return false;
  }
  for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
    asy_value base = kind == KIND_OBJECT ? 0 : asy_from_obj(vm->classes[KIND_OBJECT]);
    for (unsigned i = 0; i < kind; i++)
      if (descriptors[kind]->base == descriptors[i]) base = asy_from_obj(vm->classes[i]);
    if (!name_class(vm, vm->classes[kind], descriptors[kind]->name) || !derive_builtin(vm, vm->classes[kind], base, 0))
      return false;
  }
  for (unsigned kind = 0; kind < KIND_COUNT; kind++)
    if (!fill_builtin(vm, vm->classes[kind], descriptors[kind]->doc)) return false;
  return add_class_getitem(vm) && make_exceptions(vm);
}

void asy_classes_free(asy_vm *vm) {
  for (uint32_t i = 0; i < vm->nshapes; i++) {
    asy_shape *shape = vm->shapes[i];
    if (!shape) continue;
    free(shape->children);
    free(shape->table);
    free(shape->table_names);
    free(shape);
  }
  free(vm->shapes);
  vm->shapes = NULL;
  vm->nshapes = vm->shapes_cap = 0;
  free(vm->exceptions);
  vm->exceptions = NULL;
  asy_class_state *state = vm->class_state;
  if (!state) return;
  for (uint32_t i = 0; i < state->nmemory; i++) free(state->memory[i]);
  free(state->memory);
  free(state->defined);
  free(state->records);
  free(state);
  vm->class_state = NULL;
}

asy_class *asy_class_for(asy_vm *vm, const asy_type *type) {
  asy_class **defined = vm->class_state->defined;
  for (unsigned i = 0; i < vm->class_state->ndefined; i++) {
    if (defined[i]->type != type) continue;
    asy_class *found = defined[i]; /* what is asked for often moves to the front */
    defined[i] = defined[i / 2];
    return defined[i / 2] = found;
  }
  for (unsigned kind = 0; kind < KIND_COUNT; kind++)
    if (vm->classes[kind]->type == type) return vm->classes[kind];
  return NULL;
}

bool asy_class_constant(asy_vm *vm, asy_class *cls, const char *name, asy_value value) {
  asy_str *interned = asy_intern(vm, name);
  return interned && !asy_failed(value) && asy_dict_set_str(vm, cls->dict, interned, value);
}

void *asy_new_object(asy_vm *vm, const asy_type *type) {
  asy_class *cls = asy_define_type(vm, type);
  return cls ? asy_new_instance(vm, cls) : NULL;
}

asy_class *asy_define_type(asy_vm *vm, const asy_type *type) {
  asy_class *cls = asy_class_for(vm, type);
  if (cls) return cls;
  asy_class *base = vm->classes[KIND_OBJECT];
  if (type->base && !(base = asy_define_type(vm, type->base))) return NULL;
  asy_class_state *state = vm->class_state;
  if (state->ndefined == state->defined_cap) {
    uint32_t cap = state->defined_cap ? state->defined_cap * 2 : 32;
    asy_class **grown = realloc(state->defined, cap * sizeof(asy_class *));
    if (!grown) return asy_raise_no_memory(vm), NULL;
    state->defined = grown;
    state->defined_cap = cap;
  }
  unsigned kind = base->kind;
  bool own_struct = type->size && base->kind >= KIND_COUNT && type->size != base->type->size;
  if (kind == KIND_OBJECT || own_struct) { /* what visit and free there are depends on the kind */
    if (vm->next_kind >= MODULE_KINDS_END) return asy_raise(vm, ASY_SystemError, "too many native types"), NULL;
    kind = vm->next_kind++;
  }
  cls = class_alloc(vm, KIND_TYPE, type);
  if (!cls) return NULL;
  asy_pin(vm, cls);
  if (!lay_out_builtin(vm, cls, base, kind) || !name_class(vm, cls, type->name) ||
      !derive_builtin(vm, cls, asy_from_obj(base), 0) || !fill_builtin(vm, cls, type->doc))
    return NULL;
  state->defined[state->ndefined++] = cls;
  return cls;
}

/* ---- type.__new__ --------------------------------------------------------------------------------------------------------------- */

asy_class *asy_class_metaclass(asy_vm *vm, asy_class *metaclass, asy_tuple *bases) {
  for (uint32_t i = 0; i < bases->len; i++) {
    asy_class *other = asy_class_of(vm, bases->items[i]);
    if (asy_is_subclass(metaclass, other)) continue;
    if (!asy_is_subclass(other, metaclass)) {
      asy_raise(vm, ASY_TypeError,
                "metaclass conflict: the metaclass of a derived class must be a (non-strict) subclass of the "
                "metaclasses of all its bases");
      return NULL;
    }
    metaclass = other;
  }
  return metaclass;
}

/* Bases that are no classes should have been replaced before type() was called. */
static bool check_entries(asy_vm *vm, asy_tuple *bases) {
  for (uint32_t i = 0; i < bases->len; i++) {
    asy_value base = bases->items[i], entries;
    if (asy_is_kind(base, KIND_TYPE)) continue;
    int found = asy_find_attr(vm, base, ASY_NAME(vm, __mro_entries__), &entries);
    if (found > 0) asy_raise(vm, ASY_TypeError, "type() doesn't support MRO entry resolution; use types.new_class()");
    if (found) return false;
  }
  return true;
}

static bool check_bases(asy_vm *vm, asy_tuple *bases) {
  for (uint32_t i = 0; i < bases->len; i++) {
    if (!asy_is_kind(bases->items[i], KIND_TYPE)) return asy_raise(vm, ASY_TypeError, "bases must be types"), false;
    asy_class *cls = class_of_value(bases->items[i]);
    if (cls->flags & ASY_CLASS_FINAL) {
      asy_raise(vm, ASY_TypeError, "type '%N' is not an acceptable base type", cls);
      return false;
    }
  }
  return true;
}

static bool is_identifier(asy_vm *vm, asy_str *s) {
  return asy_call_method(vm, asy_from_obj(s), asy_intern(vm, "isidentifier"), 0, NULL) == ASY_TRUE;
}

/* __name in a class body is _Class__name. */
static asy_str *mangle(asy_vm *vm, asy_str *name, asy_str *cls) {
  uint32_t start = 0;
  bool private = name->len > 2 && asy_str_at(name, 0) == '_' && asy_str_at(name, 1) == '_' &&
                 !(asy_str_at(name, name->len - 1) == '_' && asy_str_at(name, name->len - 2) == '_');
  while (start < cls->len && asy_str_at(cls, start) == '_') start++;
  if (!private || start == cls->len) return asy_str_intern(vm, name);
  asy_str *rest = asy_str_slice(vm, cls, start, cls->len);
  asy_str *mangled = rest ? asy_str_format(vm, "_%U%U", rest, name) : NULL;
  return mangled ? asy_str_intern(vm, mangled) : NULL;
}

typedef struct {
  bool given;      /* the class has __slots__ */
  bool dict;       /* "__dict__" is among them */
  asy_list *names; /* the others, mangled, in order */
} slots_spec;

static bool read_slots(asy_vm *vm, asy_class *cls, asy_dict *ns, slots_spec *spec) {
  asy_value slots = asy_dict_get_str(vm, ns, ASY_NAME(vm, __slots__));
  spec->given = slots != ASY_UNBOUND;
  spec->names = asy_list_new(vm, 0);
  asy_list *items = asy_list_new(vm, 0);
  if (!spec->names || !items) return false;
  if (!spec->given) return true;
  if (!(asy_is_str(slots) ? asy_list_append(vm, items, slots) : asy_list_extend(vm, items, slots))) return false;
  for (uint32_t i = 0; i < items->len; i++) {
    asy_value item = items->items[i];
    if (!asy_is_str(item))
      return asy_raise(vm, ASY_TypeError, "__slots__ items must be strings, not '%T'", item), false;
    asy_str *name = (asy_str *)asy_obj_of(item);
    if (!is_identifier(vm, name)) return asy_raise(vm, ASY_TypeError, "__slots__ must be identifiers"), false;
    if (asy_str_equal_cstr(name, "__weakref__")) {
      cls->flags |= ASY_CLASS_WEAK_SLOT;
      continue;
    }
    if (asy_str_equal_cstr(name, "__dict__")) {
      if (spec->dict) return asy_raise(vm, ASY_TypeError, "__dict__ slot disallowed: we already got one"), false;
      spec->dict = true;
      continue;
    }
    name = mangle(vm, name, cls->name);
    if (!name) return false;
    bool own = asy_dict_get_str(vm, ns, name) != ASY_UNBOUND && name != ASY_NAME(vm, __qualname__) &&
               name != ASY_NAME(vm, __classcell__);
    if (own)
      return asy_raise(vm, ASY_ValueError, "%R in __slots__ conflicts with class variable", asy_from_obj(name)), false;
    if (!asy_list_append(vm, spec->names, asy_from_obj(name))) return false;
  }
  return asy_list_sort(vm, spec->names, ASY_NONE, false); /* equal names make equal layouts */
}

/* How many slots instances will probably use: what the methods of the class assign to self, and what its base learned. */
static uint32_t expected_slots(asy_vm *vm, asy_dict *ns, asy_class *base) {
  asy_value assigned = asy_dict_get_str(vm, ns, ASY_NAME(vm, __static_attributes__));
  uint32_t own = asy_is_kind(assigned, KIND_TUPLE) ? ((asy_tuple *)asy_obj_of(assigned))->len : 0;
  uint32_t inherited = base->flags & ASY_CLASS_BUILTIN ? 0 : base->root->inline_cap - base->root->reserved;
  if (inherited > own + FIRST_INLINE_SLOTS) own = inherited; /* likely the same names again */
  else own += inherited;
  if (!own) own = FIRST_INLINE_SLOTS;
  return own > MOST_INLINE_SLOTS ? MOST_INLINE_SLOTS : own;
}

static bool lay_out_script(asy_vm *vm, asy_class *cls, asy_dict *ns) {
  asy_class *solid = best_base(vm, cls->bases);
  if (!solid) return false;
  cls->type = solid->type;
  cls->kind = solid->kind;
  cls->base_size = solid->base_size;
  asy_class *parent = slots_base(vm, cls->bases);
  slots_spec spec = {0};
  if (!parent || !read_slots(vm, cls, ns, &spec)) return false;
  bool has_dict = false;
  for (uint32_t i = 0; i < cls->bases->len; i++) {
    asy_class *base = class_of_value(cls->bases->items[i]);
    has_dict = has_dict || asy_instance_has_dict(base);
    cls->flags |= base->flags & ASY_CLASS_EXCEPTION;
  }
  if (spec.dict && has_dict) return asy_raise(vm, ASY_TypeError, "__dict__ slot disallowed: we already got one"), false;
  bool by_name = cls->kind == KIND_STR; /* its slots are attributes among the others */
  bool no_room = cls->kind == KIND_TYPE || (is_variable_kind(cls->kind) && !by_name);
  if (spec.names->len && no_room)
    return asy_raise(vm, ASY_TypeError, "nonempty __slots__ not supported for subtype of '%N'", solid), false;
  uint32_t reserved = by_name ? 0 : parent->root->reserved + spec.names->len;
  bool adds_dict = !has_dict && (!spec.given || spec.dict) && cls->kind != KIND_TYPE;
  if (cls->kind != KIND_TYPE &&
      (has_dict || adds_dict || reserved || spec.names->len || parent->flags & ASY_CLASS_HAS_ATTRS)) {
    cls->flags |= ASY_CLASS_HAS_ATTRS;
    if (!has_dict && !adds_dict) cls->flags |= ASY_CLASS_NO_DICT;
    if (is_variable_kind(cls->kind)) cls->flags |= ASY_CLASS_VARIABLE;
    cls->slots_offset = cls->base_size + sizeof(asy_value);
  }
  uint32_t expected = has_dict || adds_dict ? expected_slots(vm, ns, parent) : 0;
  cls->root = asy_shape_new_root(vm, cls, reserved + expected, reserved);
  if (!cls->root) return false;
  for (uint32_t i = 0; i < spec.names->len; i++) {
    asy_str *name = (asy_str *)asy_obj_of(spec.names->items[i]);
    asy_value member = asy_member_for_slot(vm, cls, name, parent->root->reserved + i);
    if (member == ASY_FAILED || !asy_dict_set_str(vm, cls->dict, name, member)) return false;
  }
  if (spec.given) {
    cls->slots = asy_list_to_tuple(vm, spec.names);
    if (!cls->slots) return false;
    asy_barrier(vm, cls);
  }
  if (adds_dict && asy_dict_get_str(vm, cls->dict, ASY_NAME(vm, __dict__)) == ASY_UNBOUND &&
      !add_methods(vm, cls, dict_attribute))
    return false;
  bool named = cls->flags & ASY_CLASS_WEAK_SLOT, adds_weak = named || (!spec.given && asy_can_add_weakref(cls));
  return !adds_weak || asy_dict_get_str(vm, cls->dict, ASY_NAME(vm, __weakref__)) != ASY_UNBOUND ||
         add_methods(vm, cls, asy_weakref_attribute);
}

/* Wraps a plain function of the namespace that is a static or class method by its name alone. */
static bool wrap_implicit(asy_vm *vm, asy_dict *dict, asy_str *name, unsigned kind) {
  asy_value value = asy_dict_get_str(vm, dict, name);
  if (!asy_is_kind(value, KIND_FUNCTION)) return true;
  asy_value wrapped = asy_wrap_method(vm, kind, value);
  return wrapped != ASY_FAILED && asy_dict_set_str(vm, dict, name, wrapped);
}

/* The entries a class dict has whatever the body says. */
static bool complete_dict(asy_vm *vm, asy_class *cls) {
  asy_dict *dict = cls->dict;
  asy_value qualname = asy_dict_get_str(vm, dict, ASY_NAME(vm, __qualname__));
  if (qualname != ASY_UNBOUND) {
    if (!asy_is_str(qualname))
      return asy_raise(vm, ASY_TypeError, "type __qualname__ must be a str, not %T", qualname), false;
    cls->qualname = (asy_str *)asy_obj_of(qualname);
    asy_barrier(vm, cls);
    if (asy_dict_delete(vm, dict, ASY_NAME_VALUE(vm, __qualname__), NULL) < 0) return false;
  }
  if (asy_dict_get_str(vm, dict, ASY_NAME(vm, __module__)) == ASY_UNBOUND && vm->base) {
    const asy_func *running = (const asy_func *)asy_obj_of(FRAME_FUNC(vm->base));
    asy_value module = asy_dict_get_str(vm, running->globals, ASY_NAME(vm, __name__));
    if (module != ASY_UNBOUND && !asy_dict_set_str(vm, dict, ASY_NAME(vm, __module__), module)) return false;
  }
  if (asy_dict_get_str(vm, dict, ASY_NAME(vm, __doc__)) == ASY_UNBOUND &&
      !asy_dict_set_str(vm, dict, ASY_NAME(vm, __doc__), ASY_NONE))
    return false;
  if (asy_dict_get_str(vm, dict, ASY_NAME(vm, __eq__)) != ASY_UNBOUND &&
      asy_dict_get_str(vm, dict, ASY_NAME(vm, __hash__)) == ASY_UNBOUND &&
      !asy_dict_set_str(vm, dict, ASY_NAME(vm, __hash__), ASY_NONE))
    return false;
  return wrap_implicit(vm, dict, ASY_NAME(vm, __new__), KIND_STATICMETHOD) &&
         wrap_implicit(vm, dict, ASY_NAME(vm, __init_subclass__), KIND_CLASSMETHOD) &&
         wrap_implicit(vm, dict, ASY_NAME(vm, __class_getitem__), KIND_CLASSMETHOD);
}

/* The cell that methods see as __class__ gets the class. */
static bool fill_class_cell(asy_vm *vm, asy_class *cls) {
  asy_value cell = asy_dict_get_str(vm, cls->dict, ASY_NAME(vm, __classcell__));
  if (cell == ASY_UNBOUND) return true;
  if (!asy_is_exact(cell, KIND_CELL)) {
    asy_raise(vm, ASY_TypeError, "type.__new__: __classcell__ must be a nonlocal cell, not %R",
              asy_from_obj(asy_class_of(vm, cell)));
    return false;
  }
  asy_store(vm, asy_obj_of(cell), &((asy_cell *)asy_obj_of(cell))->value, asy_from_obj(cls));
  return asy_dict_delete(vm, cls->dict, ASY_NAME_VALUE(vm, __classcell__), NULL) >= 0;
}

static bool annotate_set_name(asy_vm *vm, asy_class *cls, asy_value name, asy_value value) {
  asy_value e = asy_take_exception(vm);
  asy_str *note = asy_str_format(vm, "Error calling __set_name__ on '%T' instance %R in '%N'", value, name, cls);
  if (note && asy_exception_add_note(vm, e, asy_from_obj(note))) asy_set_exception(vm, e);
  return false;
}

static bool call_set_names(asy_vm *vm, asy_class *cls) {
  asy_dict *entries = asy_dict_copy(vm, cls->dict);
  if (!entries) return false;
  asy_value name, value;
  for (uint32_t at = 0; asy_dict_next(entries, &at, &name, &value);) {
    if (!asy_is_obj(value) || asy_obj_of(value)->kind == KIND_FUNCTION) continue;
    asy_lookup *record = asy_class_lookup(vm, asy_class_of(vm, value), ASY_NAME(vm, __set_name__));
    if (!record) return false;
    if (record->kind == LOOKUP_ABSENT) continue;
    asy_value args[2] = {asy_from_obj(cls), name};
    if (asy_call_special(vm, value, ASY_NAME(vm, __set_name__), 2, args) == ASY_FAILED)
      return annotate_set_name(vm, cls, name, value);
  }
  return true;
}

static bool call_init_subclass(asy_vm *vm, asy_class *cls, asy_dict *kwargs) {
  asy_value method = asy_super_find(vm, cls, asy_from_obj(cls), cls, ASY_NAME(vm, __init_subclass__));
  if (method == ASY_FAILED || method == ASY_UNBOUND) return method == ASY_UNBOUND;
  bool any = kwargs && kwargs->used;
  if (!any && asy_is_kind(method, KIND_METHOD) && asy_is_kind(((asy_method *)asy_obj_of(method))->func, KIND_NATIVE))
    return true; /* object's */
  return asy_call_ex(vm, method, vm->empty_tuple, any ? kwargs : NULL) != ASY_FAILED;
}

/* A metaclass may say the order itself. */
bool asy_class_order(asy_vm *vm, asy_class *cls) {
  asy_class *metaclass = asy_class_of(vm, asy_from_obj(cls));
  asy_lookup *record = asy_class_lookup(vm, metaclass, ASY_NAME(vm, mro));
  if (!record) return false;
  if (record->kind == LOOKUP_ABSENT || record->owner->flags & ASY_CLASS_BUILTIN) return asy_class_compute_mro(vm, cls);
  if (!asy_class_compute_mro(vm, cls)) return false; /* for lookups while it runs */
  asy_value result = asy_call_special(vm, asy_from_obj(cls), ASY_NAME(vm, mro), 0, NULL);
  asy_list *list = result == ASY_FAILED ? NULL : asy_list_new(vm, 0);
  if (!list || !asy_list_extend(vm, list, result)) return false;
  for (uint32_t i = 0; i < list->len; i++)
    if (!asy_is_kind(list->items[i], KIND_TYPE)) {
      return asy_raise(vm, ASY_TypeError, "mro() returned a non-class ('%T')", list->items[i]), false;
    } else if (!derives(struct_of(cls->type), struct_of(class_of_value(list->items[i])->type))) {
      asy_raise(vm, ASY_TypeError, "mro() returned base with unsuitable layout ('%N')", class_of_value(list->items[i]));
      return false;
    }
  asy_tuple *mro = asy_list_to_tuple(vm, list);
  if (!mro) return false;
  cls->mro = mro;
  asy_barrier(vm, cls);
  return true;
}

static asy_value make_class(asy_vm *vm, asy_class *metaclass, asy_str *name, asy_tuple *bases, asy_dict *ns,
                            asy_dict *kwargs) {
  asy_class *cls = class_alloc(vm, metaclass->root->id, &asy_object_type);
  if (!cls) return ASY_FAILED;
  cls->name = cls->qualname = name;
  cls->bases = bases;
  if (metaclass != vm->classes[KIND_TYPE]) cls->flags |= ASY_CLASS_HEAP_METACLASS;
  asy_dict *dict = asy_dict_new(vm, ns->used + 4);
  if (!dict) return ASY_FAILED;
  cls->dict = dict;
  asy_barrier(vm, cls);
  asy_value key, value;
  for (uint32_t at = 0;
       asy_dict_next(ns, &at, &key, &value);) { /* names of a class are interned: lookups compare addresses */
    asy_str *interned = asy_is_str(key) ? asy_str_intern(vm, (asy_str *)asy_obj_of(key)) : NULL;
    bool ok = interned ? asy_dict_set_str(vm, dict, interned, value)
                       : !asy_raised(vm) && asy_dict_set(vm, dict, key, value);
    if (!ok) return ASY_FAILED;
  }
  if (!lay_out_script(vm, cls, ns) || !complete_dict(vm, cls) || !fill_class_cell(vm, cls) ||
      !asy_class_order(vm, cls) || !asy_class_link(vm, cls))
    return ASY_FAILED;
  asy_class_refresh(vm, cls);
  if (!call_set_names(vm, cls) || !call_init_subclass(vm, cls, kwargs)) return ASY_FAILED;
  return asy_from_obj(cls);
}

asy_value asy_class_new(asy_vm *vm, asy_class *metaclass, asy_str *name, asy_tuple *bases, asy_dict *ns,
                        asy_dict *kwargs) {
  if (!bases->len) {
    asy_value object = asy_from_obj(vm->classes[KIND_OBJECT]);
    bases = asy_tuple_new(vm, &object, 1);
    if (!bases) return ASY_FAILED;
  }
  if (!check_entries(vm, bases)) return ASY_FAILED;
  asy_class *winner = asy_class_metaclass(vm, metaclass, bases);
  if (!winner || !check_bases(vm, bases)) return ASY_FAILED;
  if (winner != metaclass) {
    asy_lookup *ours = asy_class_lookup(vm, metaclass, ASY_NAME(vm, __new__));
    asy_lookup *theirs = asy_class_lookup(vm, winner, ASY_NAME(vm, __new__));
    if (!ours || !theirs) return ASY_FAILED;
    if (ours->value != theirs->value) { /* its own __new__ makes the class */
      asy_value new_ = asy_class_get(vm, winner, ASY_NAME(vm, __new__));
      asy_value items[4] = {asy_from_obj(winner), asy_from_obj(name), asy_from_obj(bases), asy_from_obj(ns)};
      asy_tuple *args = new_ == ASY_FAILED ? NULL : asy_tuple_new(vm, items, 4);
      return args ? asy_call_ex(vm, new_, args, kwargs) : ASY_FAILED;
    }
  }
  return make_class(vm, winner, name, bases, ns, kwargs);
}

/* ---- Calling a class ---------------------------------------------------------------------------------------------------------------- */

bool asy_check_new(asy_vm *vm, const asy_nativefunc *native, asy_value cls) {
  asy_class *owner = native->owner;
  if (!asy_is_kind(cls, KIND_TYPE)) {
    asy_raise(vm, ASY_TypeError, "%N.__new__(X): X is not a type object (%T)", owner, cls);
    return false;
  }
  asy_class *c = class_of_value(cls);
  if (!asy_is_subclass(c, owner)) {
    asy_raise(vm, ASY_TypeError, "%N.__new__(%N): %N is not a subtype of %N", owner, c, c, owner);
    return false;
  }
  const asy_type *type = c->type; /* its layout must be made by the __new__ of the descriptor that brought it */
  while (!type->new_ && type->base) type = type->base;
  bool layout_less = owner == vm->classes[KIND_OBJECT] && c->kind == KIND_OBJECT;
  if (c->type->flags & ASY_TYPE_NO_NEW) {
    asy_raise(vm, ASY_TypeError, "cannot create '%s' instances", c->type->name);
    return false;
  }
  if (layout_less || struct_of(type) == struct_of(owner->type) || (!type->new_ && owner == vm->classes[KIND_OBJECT]))
    return true;
  asy_class *solid = asy_class_solid(c);
  asy_raise(vm, ASY_TypeError, "%N.__new__(%N) is not safe, use %N.__new__()", owner, c, solid);
  return false;
}

/* callee(first, *args): arguments are copied beside `first`. */
static asy_value call_with_first(asy_vm *vm, asy_value callee, asy_value first, int nargs, const asy_value *args,
                                 asy_tuple *kwnames) {
  enum { SMALL = 16 };
  asy_value small[SMALL], *all = small;
  if (nargs + 1 > SMALL && !(all = malloc(((size_t)nargs + 1) * sizeof *all))) return asy_raise_no_memory(vm);
  all[0] = first;
  if (nargs) memcpy(all + 1, args, (size_t)nargs * sizeof *all);
  asy_value result = asy_call_kw(vm, callee, nargs + 1, all, kwnames); /* the caller keeps args alive */
  if (all != small) free(all);
  return result;
}

/* Remembers the __new__ of a built-in class that needs nothing else to be called: later calls go by asy_call_builtin_class. */
static void note_direct_new(asy_vm *vm, asy_class *cls, const asy_nativefunc *native) {
  if (!(cls->flags & ASY_CLASS_BUILTIN) || cls->flags & (ASY_CLASS_HEAP_METACLASS | ASY_CLASS_EXCEPTION) ||
      cls->head.shape != KIND_TYPE || native->owner != cls || !native->signature || native->self != ASY_UNBOUND ||
      cls == vm->classes[KIND_TYPE] || cls == vm->classes[KIND_SUPER])
    return;
  const asy_lookup *init = asy_class_lookup(vm, cls, ASY_NAME(vm, __init__));
  if (init && (init->owner == vm->classes[KIND_OBJECT] || init->kind == LOOKUP_ABSENT)) cls->direct_new = native;
}

static asy_value call_new(asy_vm *vm, asy_class *cls, int nargs, const asy_value *args, asy_tuple *kwnames) {
  asy_lookup *record = asy_class_lookup(vm, cls, ASY_NAME(vm, __new__));
  if (!record) return ASY_FAILED;
  if (cls->type->flags & ASY_TYPE_NO_NEW)
    return asy_raise(vm, ASY_TypeError, "cannot create '%s' instances", cls->type->name);
  if (asy_is_kind(record->value, KIND_NATIVE)) {
    const asy_nativefunc *native = (const asy_nativefunc *)asy_obj_of(record->value);
    const asy_type *type = native->owner ? native->owner->type : NULL;
    if (type && type == &asy_object_type && cls->kind == KIND_OBJECT) {
      if (nargs) {
        asy_lookup *init = asy_class_lookup(vm, cls, ASY_NAME(vm, __init__));
        if (!init) return ASY_FAILED;
        if (init->owner == vm->classes[KIND_OBJECT])
          return asy_raise(vm, ASY_TypeError, "%N() takes no arguments", cls);
      }
      if (cls->flags & ASY_CLASS_ABSTRACT) return asy_not_abstract(vm, cls);
      asy_obj *o = asy_new_instance(vm, cls);
      return o ? asy_from_obj(o) : ASY_FAILED;
    }
    if (type && type->new_ && !type->new_signature) { /* leaves the arguments to __init__ */
      asy_value self = asy_from_obj(cls);
      return type->new_(vm, &self);
    }
    note_direct_new(vm, cls, native);
    return call_with_first(vm, record->value, asy_from_obj(cls), nargs, args, kwnames);
  }
  asy_value fn = asy_bind(vm, record->value, (asy_lookup_kind)record->kind, ASY_UNBOUND, cls);
  return fn == ASY_FAILED ? ASY_FAILED : call_with_first(vm, fn, asy_from_obj(cls), nargs, args, kwnames);
}

/* type.__call__ */
static asy_value make_instance(asy_vm *vm, asy_class *cls, int nargs, const asy_value *args, asy_tuple *kwnames) {
  if (cls == vm->classes[KIND_TYPE]) {
    if (nargs == 1 && !kwnames) return asy_from_obj(asy_class_of(vm, args[0]));
    if (nargs - (kwnames ? (int)kwnames->len : 0) != 3)
      return asy_raise(vm, ASY_TypeError, "type() takes 1 or 3 arguments");
  }
  if (cls == vm->classes[KIND_SUPER] && nargs <= 2 && !kwnames)
    return asy_super_new(vm, nargs > 0 ? args[0] : ASY_UNBOUND, nargs > 1 ? args[1] : ASY_UNBOUND);
  if (!kwnames && asy_is_exception_class(asy_from_obj(cls))) {
    asy_value e = asy_exception_call(vm, cls, (uint32_t)nargs, args);
    if (e != ASY_UNBOUND) return e;
  }
  asy_value o = call_new(vm, cls, nargs, args, kwnames);
  if (o == ASY_FAILED || cls->direct_new) return o;
  asy_class *made = asy_class_of(vm, o);
  if (made != cls && !asy_is_subclass(made, cls)) return o;
  asy_lookup *init = asy_class_lookup(vm, made, ASY_NAME(vm, __init__));
  if (!init) return ASY_FAILED;
  if (init->owner == vm->classes[KIND_OBJECT] || init->kind == LOOKUP_ABSENT) return o;
  asy_value result;
  if (init->kind == LOOKUP_METHOD) {
    result = call_with_first(vm, init->value, o, nargs, args, kwnames);
  } else {
    asy_value fn = asy_bind(vm, init->value, (asy_lookup_kind)init->kind, o, made);
    result = fn == ASY_FAILED ? ASY_FAILED : asy_call_kw(vm, fn, nargs, args, kwnames);
  }
  if (result == ASY_FAILED) return ASY_FAILED;
  if (result != ASY_NONE) return asy_raise(vm, ASY_TypeError, "__init__() should return None, not '%T'", result);
  return o;
}

asy_value asy_class_call(asy_vm *vm, asy_class *cls, int nargs, const asy_value *args, asy_tuple *kwnames) {
  if (!asy_check_c_stack(vm)) return ASY_FAILED;
  return make_instance(vm, cls, nargs, args, kwnames);
}
