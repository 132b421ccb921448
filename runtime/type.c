/* type.c - the class `type`: what class objects can do. */
#include <stdlib.h>

#include "runtime/descriptors.h"
#include "runtime/exc.h"
#include "runtime/protocol.h"
#include "runtime/types/alias.h"

static asy_class *class_of_value(asy_value v) { return (asy_class *)asy_obj_of(v); }

/* ---- The heap's view ------------------------------------------------------------------------------------------------- */

static void visit_shape(const asy_shape *shape, asy_visitor *v) {
  for (uint32_t i = 0; i < shape->nchildren; i++) {
    asy_visit_obj(v, shape->children[i]->name);
    visit_shape(shape->children[i], v); /* at most SHAPE_MAX_ATTRIBUTES deep */
  }
}

static void type_visit(asy_obj *o, asy_visitor *v) {
  asy_class *cls = (asy_class *)o;
  const void *objects[] = {cls->name, cls->qualname, cls->bases, cls->mro,
                           cls->dict, cls->init_fn,  cls->slots, cls->direct_new};
  for (unsigned i = 0; i < sizeof objects / sizeof *objects; i++) asy_visit_obj(v, objects[i]);
  for (uint32_t i = 0; i < cls->lookups_size; i++)
    for (const asy_lookup *record = cls->lookups[i]; record; record = record->next) {
      asy_visit_obj(v, record->name);
      asy_visit_value(v, record->value);
    }
  for (const asy_shape *root = cls->root; root; root = root->parent) visit_shape(root, v);
  for (uint32_t i = 0; i < cls->nold_roots; i++) visit_shape(cls->old_roots[i], v);
}

static void type_free(asy_vm *vm, asy_obj *o) {
  asy_class *cls = (asy_class *)o;
  asy_class_forget(cls);
  free(cls->old_roots);
  for (uint32_t i = 0; i < vm->nshapes; i++) {
    asy_shape *shape = vm->shapes[i];
    if (shape && shape->cls == cls) {
      free(shape->children);
      free(shape->table);
      free(shape->table_names);
      free(shape);
      vm->shapes[i] = NULL;
    }
  }
}

/* ---- Names and text ---------------------------------------------------------------------------------------------------- */

/* __module__ of a class: a str, or None when it cannot be told. */
static asy_value module_of(asy_vm *vm, asy_class *cls) {
  asy_value module = asy_dict_get_str(vm, cls->dict, ASY_NAME(vm, __module__));
  if (module == ASY_UNBOUND) return cls->flags & ASY_CLASS_BUILTIN ? ASY_NAME_VALUE(vm, builtins) : ASY_NONE;
  return module;
}

static asy_value type_repr(asy_vm *vm, asy_value self) {
  asy_class *cls = class_of_value(self);
  asy_value module = module_of(vm, cls);
  asy_str *s = asy_is_str(module) && module != ASY_NAME_VALUE(vm, builtins)
                 ? asy_str_format(vm, "<class '%S.%U'>", module, cls->qualname)
                 : asy_str_format(vm, "<class '%U'>", cls->qualname);
  return s ? asy_from_obj(s) : ASY_FAILED;
}

static bool check_mutable(asy_vm *vm, asy_class *cls, const char *what) {
  if (!(cls->flags & ASY_CLASS_BUILTIN)) return true;
  asy_raise(vm, ASY_TypeError, "cannot set '%s' attribute of immutable type '%N'", what, cls);
  return false;
}

static bool check_set(asy_vm *vm, asy_class *cls, asy_value value, const char *what) {
  if (!check_mutable(vm, cls, what)) return false;
  if (value != ASY_UNBOUND) return true;
  asy_raise(vm, ASY_TypeError, "cannot delete '%s' attribute of type '%N'", what, cls);
  return false;
}

static asy_value get_name(asy_vm *vm, const asy_value *args) { return asy_from_obj(class_of_value(args[0])->name); }
static asy_value set_name(asy_vm *vm, const asy_value *args) {
  asy_class *cls = class_of_value(args[0]);
  if (!check_set(vm, cls, args[1], "__name__")) return ASY_FAILED;
  if (!asy_is_str(args[1]))
    return asy_raise(vm, ASY_TypeError, "can only assign string to %N.__name__, not '%T'", cls, args[1]);
  cls->name = (asy_str *)asy_obj_of(args[1]);
  asy_barrier(vm, cls);
  return ASY_NONE;
}
static asy_value get_qualname(asy_vm *vm, const asy_value *args) {
  return asy_from_obj(class_of_value(args[0])->qualname);
}
static asy_value set_qualname(asy_vm *vm, const asy_value *args) {
  asy_class *cls = class_of_value(args[0]);
  if (!check_set(vm, cls, args[1], "__qualname__")) return ASY_FAILED;
  if (!asy_is_str(args[1]))
    return asy_raise(vm, ASY_TypeError, "can only assign string to %N.__qualname__, not '%T'", cls, args[1]);
  cls->qualname = (asy_str *)asy_obj_of(args[1]);
  asy_barrier(vm, cls);
  return ASY_NONE;
}
/* What a class's own dict says under a name; that of `type` holds the descriptors for all classes instead. UNBOUND: nothing. */
static asy_value own_entry(asy_vm *vm, const asy_class *cls, asy_str *name) {
  return cls == vm->classes[KIND_TYPE] ? ASY_UNBOUND : asy_dict_get_str(vm, cls->dict, name);
}

static asy_value get_module(asy_vm *vm, const asy_value *args) {
  if (class_of_value(args[0]) == vm->classes[KIND_TYPE]) return asy_from_obj(ASY_NAME(vm, builtins));
  asy_value module = module_of(vm, class_of_value(args[0]));
  return module == ASY_NONE ? asy_raise_no_attribute(vm, args[0], ASY_NAME(vm, __module__)) : module;
}
static asy_value set_module(asy_vm *vm, const asy_value *args) {
  asy_class *cls = class_of_value(args[0]);
  if (!check_set(vm, cls, args[1], "__module__")) return ASY_FAILED;
  return asy_class_set(vm, cls, ASY_NAME(vm, __module__), args[1]) ? ASY_NONE : ASY_FAILED;
}
static asy_value get_doc(asy_vm *vm, const asy_value *args) {
  asy_value doc = own_entry(vm, class_of_value(args[0]), ASY_NAME(vm, __doc__));
  if (doc == ASY_UNBOUND) return ASY_NONE;
  return asy_bind(vm, doc, asy_classify(vm, doc), ASY_UNBOUND, class_of_value(args[0]));
}
static asy_value set_doc(asy_vm *vm, const asy_value *args) {
  asy_class *cls = class_of_value(args[0]);
  if (!check_set(vm, cls, args[1], "__doc__")) return ASY_FAILED;
  return asy_class_set(vm, cls, ASY_NAME(vm, __doc__), args[1]) ? ASY_NONE : ASY_FAILED;
}
static asy_value get_mro(asy_vm *vm, const asy_value *args) { return asy_from_obj(class_of_value(args[0])->mro); }
static asy_value get_bases(asy_vm *vm, const asy_value *args) { return asy_from_obj(class_of_value(args[0])->bases); }

static asy_value set_bases(asy_vm *vm, const asy_value *args) {
  asy_class *cls = class_of_value(args[0]);
  if (!check_set(vm, cls, args[1], "__bases__")) return ASY_FAILED;
  if (!asy_is_kind(args[1], KIND_TUPLE))
    return asy_raise(vm, ASY_TypeError, "can only assign tuple to %N.__bases__, not %T", cls, args[1]);
  asy_tuple *bases = (asy_tuple *)asy_obj_of(args[1]), *old = cls->bases, *old_mro = cls->mro;
  if (!bases->len) return asy_raise(vm, ASY_TypeError, "can only assign non-empty tuple to %N.__bases__, not ()", cls);
  for (uint32_t i = 0; i < bases->len; i++) {
    if (!asy_is_kind(bases->items[i], KIND_TYPE))
      return asy_raise(vm, ASY_TypeError, "%N.__bases__ must be tuple of classes, not '%T'", cls, bases->items[i]);
    asy_class *base = class_of_value(bases->items[i]);
    if (asy_is_subclass(base, cls)) return asy_raise(vm, ASY_TypeError, "a __bases__ item causes an inheritance cycle");
    if (base->kind != KIND_OBJECT && base->kind != cls->kind)
      return asy_raise(vm, ASY_TypeError, "__bases__ assignment: '%N' object layout differs from '%N'", base,
                       class_of_value(old->items[0]));
    if (base->root->reserved > cls->root->reserved || (asy_instance_has_dict(base) && !asy_instance_has_dict(cls)))
      return asy_raise(vm, ASY_TypeError, "__bases__ assignment: '%N' object layout differs from '%N'", base, cls);
  }
  asy_class_unlink(cls);
  cls->bases = bases;
  asy_barrier(vm, cls);
  bool linked = false;
  if (!asy_class_order(vm, cls) || !(linked = asy_class_link(vm, cls)) || !asy_class_remake_mros(vm, cls)) {
    asy_value failure = asy_take_exception(vm);
    if (linked) asy_class_unlink(cls);
    cls->bases = old;
    cls->mro = old_mro;
    asy_barrier(vm, cls);
    if (!asy_class_link(vm, cls) || !asy_class_remake_mros(vm, cls)) asy_clear_exception(vm); /* as they were before */
    asy_class_mro_changed(vm, cls);
    asy_set_exception(vm, failure);
    return ASY_FAILED;
  }
  asy_class_mro_changed(vm, cls);
  return ASY_NONE;
}

static asy_value get_base(asy_vm *vm, const asy_value *args) {
  asy_tuple *bases = class_of_value(args[0])->bases;
  if (!bases->len) return ASY_NONE;
  asy_value best = bases->items[0];
  for (uint32_t i = 1; i < bases->len; i++) { /* the first whose layout is the most derived */
    asy_class *solid = asy_class_solid(class_of_value(bases->items[i])), *now = asy_class_solid(class_of_value(best));
    if (solid != now && asy_is_subclass(solid, now)) best = bases->items[i];
  }
  return best;
}

static asy_value get_dict(asy_vm *vm, const asy_value *args) {
  return asy_mapping_proxy_new(vm, asy_from_obj(class_of_value(args[0])->dict));
}

static asy_value get_abstract(asy_vm *vm, const asy_value *args) {
  asy_value names = ASY_UNBOUND;
  asy_str *name = asy_intern(vm, "__abstractmethods__");
  if (!name) return ASY_FAILED;
  if (args[0] != asy_from_obj(vm->classes[KIND_TYPE]))
    names = asy_dict_get_str(vm, class_of_value(args[0])->dict, name);
  return names == ASY_UNBOUND ? asy_raise(vm, ASY_AttributeError, "__abstractmethods__") : names;
}
static asy_value set_abstract(asy_vm *vm, const asy_value *args) {
  asy_class *cls = class_of_value(args[0]);
  asy_str *name = asy_intern(vm, "__abstractmethods__");
  if (!name) return ASY_FAILED;
  if (args[1] == ASY_UNBOUND && asy_dict_get_str(vm, cls->dict, name) == ASY_UNBOUND)
    return asy_raise(vm, ASY_AttributeError, "__abstractmethods__");
  int abstract = args[1] == ASY_UNBOUND ? 0 : asy_truth(vm, args[1]);
  if (abstract < 0 || !asy_class_set(vm, cls, name, args[1])) return ASY_FAILED;
  cls->flags = abstract ? cls->flags | ASY_CLASS_ABSTRACT : cls->flags & ~(uint32_t)ASY_CLASS_ABSTRACT;
  asy_class_refresh(vm, cls);
  return ASY_NONE;
}

asy_value asy_not_abstract(asy_vm *vm, asy_class *cls) {
  asy_str *attribute = asy_intern(vm, "__abstractmethods__");
  asy_str *separator = asy_str_from_cstr(vm, "', '");
  if (!attribute || !separator) return ASY_FAILED;
  asy_value names = asy_dict_get_str(vm, cls->dict, attribute);
  if (names == ASY_UNBOUND) names = asy_from_obj(vm->empty_tuple);
  asy_list *list = asy_list_new(vm, 0);
  if (!list || !asy_list_extend(vm, list, names) || !asy_list_sort(vm, list, ASY_NONE, false)) return ASY_FAILED;
  asy_str *joined = asy_str_join(vm, separator, list->items, list->len);
  if (!joined) return ASY_FAILED;
  return asy_raise(vm, ASY_TypeError,
                   "Can't instantiate abstract class %N without an implementation for abstract method%s '%U'", cls,
                   list->len == 1 ? "" : "s", joined);
}

static asy_value get_annotations(asy_vm *vm, const asy_value *args) {
  asy_class *cls = class_of_value(args[0]);
  asy_value found = own_entry(vm, cls, ASY_NAME(vm, __annotations__));
  if (found != ASY_UNBOUND) return asy_bind(vm, found, asy_classify(vm, found), ASY_UNBOUND, cls);
  if (cls->flags & ASY_CLASS_BUILTIN) return asy_raise_no_attribute(vm, args[0], ASY_NAME(vm, __annotations__));
  asy_dict *dict = asy_dict_new(vm, 0);
  if (!dict || !asy_class_set(vm, cls, ASY_NAME(vm, __annotations__), asy_from_obj(dict))) return ASY_FAILED;
  return asy_from_obj(dict);
}
static asy_value set_annotations(asy_vm *vm, const asy_value *args) {
  asy_class *cls = class_of_value(args[0]);
  if (!check_mutable(vm, cls, "__annotations__")) return ASY_FAILED;
  if (args[1] == ASY_UNBOUND && asy_dict_get_str(vm, cls->dict, ASY_NAME(vm, __annotations__)) == ASY_UNBOUND)
    return asy_raise_no_attribute(vm, args[0], ASY_NAME(vm, __annotations__));
  return asy_class_set(vm, cls, ASY_NAME(vm, __annotations__), args[1]) ? ASY_NONE : ASY_FAILED;
}
static asy_value get_type_params(asy_vm *vm, const asy_value *args) {
  asy_value found = own_entry(vm, class_of_value(args[0]), ASY_NAME(vm, __type_params__));
  return found == ASY_UNBOUND ? asy_from_obj(vm->empty_tuple) : found;
}
static asy_value set_type_params(asy_vm *vm, const asy_value *args) {
  if (!check_set(vm, class_of_value(args[0]), args[1], "__type_params__")) return ASY_FAILED;
  return asy_class_set(vm, class_of_value(args[0]), ASY_NAME(vm, __type_params__), args[1]) ? ASY_NONE : ASY_FAILED;
}

/* ---- What CPython's C API shows of a type ---- */

static asy_value get_basicsize(asy_vm *vm, const asy_value *args) {
  return asy_from_small(class_of_value(args[0])->base_size);
}
static asy_value get_itemsize(asy_vm *vm, const asy_value *args) {
  static const uint8_t sizes[KIND_COUNT] = {[KIND_TUPLE] = 8, [KIND_INT] = 4, [KIND_BYTES] = 1};
  unsigned kind = class_of_value(args[0])->kind;
  return asy_from_small(kind < KIND_COUNT ? sizes[kind] : 0);
}
static asy_value get_dictoffset(asy_vm *vm, const asy_value *args) {
  return asy_from_small(asy_instance_has_dict(class_of_value(args[0])) ? -1 : 0);
}

/* The bits of tp_flags that scripts look at. */
static asy_value get_flags(asy_vm *vm, const asy_value *args) {
  static const uint32_t of_kind[KIND_COUNT] = {
    [KIND_INT] = 1u << 24, [KIND_LIST] = 1u << 25, [KIND_TUPLE] = 1u << 26,     [KIND_BYTES] = 1u << 27,
    [KIND_STR] = 1u << 28, [KIND_DICT] = 1u << 29, [KIND_EXCEPTION] = 1u << 30, [KIND_TYPE] = 1u << 31};
  const asy_class *cls = class_of_value(args[0]);
  uint32_t flags = 1u << 12 | 1u << 14 | (cls->kind < KIND_COUNT ? of_kind[cls->kind] : 0);
  flags |= cls->flags & ASY_CLASS_BUILTIN ? 1u << 8 : 1u << 9;
  if (!(cls->flags & ASY_CLASS_FINAL)) flags |= 1u << 10;
  if (cls->flags & ASY_CLASS_ABSTRACT) flags |= 1u << 20;
  if (cls->kind == KIND_FUNCTION || cls->kind == KIND_METHOD_DESCRIPTOR || cls->kind == KIND_WRAPPER_DESCRIPTOR)
    flags |= 1u << 17 | 1u << 11;
  if (cls->flags & ASY_CLASS_SEQUENCE || cls->type->flags & ASY_TYPE_SEQUENCE) flags |= 1u << 5;
  if (cls->flags & ASY_CLASS_MAPPING || cls->type->flags & ASY_TYPE_MAPPING) flags |= 1u << 6;
  return asy_from_small(flags);
}

static asy_value get_text_signature(asy_vm *vm, const asy_value *args) {
  const asy_class *cls = class_of_value(args[0]);
  uint32_t signature = cls->type->new_signature ? cls->type->new_signature : cls->type->init_signature;
  if (!(cls->flags & ASY_CLASS_BUILTIN) || !signature) return ASY_NONE;
  const char *text = asy_signature_text(vm, signature);
  if (!text) return ASY_FAILED;
  if (strchr(text, '?')) return ASY_NONE;
  text = strchr(text, ',') ? strchr(text, ',') + 2 : ")";
  if (*text == '/') text = text[1] == ',' ? text + 3 : ")";
  asy_str *shown = asy_str_format(vm, "(%s", text);
  return shown ? asy_from_obj(shown) : ASY_FAILED;
}

/* ---- Attributes of class objects --------------------------------------------------------------------------------------------- */

asy_value asy_class_get(asy_vm *vm, asy_class *cls, asy_str *name) {
  asy_lookup *record = asy_class_lookup(vm, cls, name);
  if (!record) return ASY_FAILED;
  return record->kind == LOOKUP_ABSENT ? ASY_UNBOUND
                                       : asy_bind(vm, record->value, (asy_lookup_kind)record->kind, ASY_UNBOUND, cls);
}

asy_value asy_type_get_attr(asy_vm *vm, asy_value self, asy_str *name) {
  asy_class *cls = class_of_value(self), *meta = asy_class_of(vm, self);
  if (!(name->head.flags & STR_INTERNED) && !(name = asy_str_intern(vm, name))) return ASY_FAILED;
  asy_lookup *above = asy_class_lookup(vm, meta, name);
  if (!above) return ASY_FAILED;
  if (above->kind == LOOKUP_DATA && asy_descriptor_reads(vm, above->value))
    return asy_bind(vm, above->value, LOOKUP_DATA, self, meta);
  asy_value found = asy_class_get(vm, cls, name);
  if (found != ASY_UNBOUND) return found;
  if (above->kind != LOOKUP_ABSENT) return asy_bind(vm, above->value, (asy_lookup_kind)above->kind, self, meta);
  return asy_raise_no_attribute(vm, self, name);
}

bool asy_type_set_attr(asy_vm *vm, asy_value self, asy_str *name, asy_value value) {
  asy_class *cls = class_of_value(self), *meta = asy_class_of(vm, self);
  if (!(name->head.flags & STR_INTERNED) && !(name = asy_str_intern(vm, name))) return false;
  if (cls->flags & ASY_CLASS_BUILTIN) {
    asy_raise(vm, ASY_TypeError, "cannot set %R attribute of immutable type '%N'", asy_from_obj(name), cls);
    return false;
  }
  asy_lookup *above = asy_class_lookup(vm, meta, name);
  if (!above) return false;
  if (above->kind == LOOKUP_DATA) return asy_generic_set_attr(vm, self, name, value);
  if (value == ASY_UNBOUND && asy_dict_get_str(vm, cls->dict, name) == ASY_UNBOUND) {
    asy_raise_no_attribute(vm, self, name);
    return false;
  }
  return asy_class_set(vm, cls, name, value);
}

/* ---- Making and calling ---------------------------------------------------------------------------------------------------------- */

static asy_value type_call(asy_vm *vm, asy_value self, const asy_value *args, int nargs, asy_tuple *kwnames) {
  return asy_class_call(vm, class_of_value(self), nargs, args, kwnames);
}

/* type.__new__(metaclass, name, bases, namespace, **kwargs) */
static asy_value type_new(asy_vm *vm, const asy_value *args) {
  asy_class *metaclass = class_of_value(args[0]);
  asy_tuple *positional = (asy_tuple *)asy_obj_of(args[1]);
  asy_dict *kwargs = asy_is_kind(args[2], KIND_DICT) ? (asy_dict *)asy_obj_of(args[2]) : NULL;
  if (positional->len != 3)
    return asy_raise(vm, ASY_TypeError, "type.__new__() takes exactly 3 arguments (%u given)", positional->len);
  asy_value name = positional->items[0], bases = positional->items[1], ns = positional->items[2];
  if (!asy_is_str(name)) return asy_raise(vm, ASY_TypeError, "type.__new__() argument 1 must be str, not %T", name);
  if (!asy_is_kind(bases, KIND_TUPLE))
    return asy_raise(vm, ASY_TypeError, "type.__new__() argument 2 must be tuple, not %T", bases);
  if (!asy_is_kind(ns, KIND_DICT))
    return asy_raise(vm, ASY_TypeError, "type.__new__() argument 3 must be dict, not %T", ns);
  return asy_class_new(vm, metaclass, (asy_str *)asy_obj_of(name), (asy_tuple *)asy_obj_of(bases),
                       (asy_dict *)asy_obj_of(ns), kwargs);
}

static asy_value type_init(asy_vm *vm, const asy_value *args) {
  const asy_tuple *positional = (const asy_tuple *)asy_obj_of(args[1]);
  if (positional->len != 1 && positional->len != 3)
    return asy_raise(vm, ASY_TypeError, "type.__init__() takes 1 or 3 arguments");
  return ASY_NONE;
}

static asy_value type_mro(asy_vm *vm, const asy_value *args) {
  asy_tuple *mro = class_of_value(args[0])->mro;
  asy_list *list = asy_list_from(vm, mro->items, mro->len);
  return list ? asy_from_obj(list) : ASY_FAILED;
}
static asy_value type_subclasses(asy_vm *vm, const asy_value *args) {
  asy_tuple *tuple = asy_class_subclasses(vm, class_of_value(args[0]));
  asy_list *list = tuple ? asy_list_from(vm, tuple->items, tuple->len) : NULL;
  return list ? asy_from_obj(list) : ASY_FAILED;
}
static asy_value type_instancecheck(asy_vm *vm, const asy_value *args) {
  asy_class *cls = class_of_value(args[0]);
  if (asy_is_instance(vm, args[1], cls)) return ASY_TRUE;
  asy_value claimed;
  int found = asy_find_attr(vm, args[1], ASY_NAME(vm, __class__), &claimed);
  if (found < 0) return ASY_FAILED;
  return asy_from_bool(found && asy_is_kind(claimed, KIND_TYPE) && asy_is_subclass(class_of_value(claimed), cls));
}
static asy_value type_subclasscheck(asy_vm *vm, const asy_value *args) {
  if (!asy_is_kind(args[1], KIND_TYPE)) {
    int derived = asy_abstract_subclass(vm, args[1], args[0]);
    return derived < 0 ? ASY_FAILED : asy_from_bool(derived);
  }
  return asy_from_bool(asy_is_subclass(class_of_value(args[1]), class_of_value(args[0])));
}
static asy_value type_prepare(asy_vm *vm, const asy_value *args) {
  asy_dict *dict = asy_dict_new(vm, 0);
  return dict ? asy_from_obj(dict) : ASY_FAILED;
}
static asy_value type_dir(asy_vm *vm, const asy_value *args) {
  asy_tuple *mro = class_of_value(args[0])->mro;
  asy_dict *names = asy_dict_new(vm, 0);
  if (!names) return ASY_FAILED;
  for (uint32_t i = 0; i < mro->len; i++) {
    asy_value key, value;
    asy_dict *dict = class_of_value(mro->items[i])->dict;
    for (uint32_t at = 0; asy_dict_next(dict, &at, &key, &value);)
      if (!asy_dict_set(vm, names, key, ASY_NONE)) return ASY_FAILED;
  }
  asy_list *list = asy_list_new(vm, names->used);
  return list && asy_list_extend(vm, list, asy_from_obj(names)) ? asy_from_obj(list) : ASY_FAILED;
}

static const asy_native type_methods[] = {
  {"mro", SIG("(self, /)"), type_mro, DOC("Return a type's method resolution order."), 0},
  {"__subclasses__", SIG("(self, /)"), type_subclasses, DOC("Return a list of immediate subclasses."), 0},
  {"__instancecheck__", SIG("(self, instance, /)"), type_instancecheck, DOC("Check if an object is an instance."), 0},
  {"__subclasscheck__", SIG("(self, subclass, /)"), type_subclasscheck, DOC("Check if a class is a subclass."), 0},
  {"__prepare__", SIG("(cls, /, *args, **kwargs)"), type_prepare, DOC("Create the namespace for the class statement."),
   ASY_NATIVE_CLASS},
  {"__dir__", SIG("(self, /)"), type_dir, DOC("Specialized __dir__ implementation for types."), 0},
  {"__name__", SIG("(self)"), get_name, 0, ASY_NATIVE_GETTER},
  {"__name__", SIG("(self, value)"), set_name, 0, ASY_NATIVE_SETTER},
  {"__qualname__", SIG("(self)"), get_qualname, 0, ASY_NATIVE_GETTER},
  {"__qualname__", SIG("(self, value)"), set_qualname, 0, ASY_NATIVE_SETTER},
  {"__module__", SIG("(self)"), get_module, 0, ASY_NATIVE_GETTER},
  {"__module__", SIG("(self, value)"), set_module, 0, ASY_NATIVE_SETTER},
  {"__doc__", SIG("(self)"), get_doc, 0, ASY_NATIVE_GETTER},
  {"__doc__", SIG("(self, value)"), set_doc, 0, ASY_NATIVE_SETTER},
  {"__mro__", SIG("(self)"), get_mro, 0, ASY_NATIVE_GETTER},
  {"__bases__", SIG("(self)"), get_bases, 0, ASY_NATIVE_GETTER},
  {"__bases__", SIG("(self, value)"), set_bases, 0, ASY_NATIVE_SETTER},
  {"__base__", SIG("(self)"), get_base, 0, ASY_NATIVE_GETTER},
  {"__dict__", SIG("(self)"), get_dict, 0, ASY_NATIVE_GETTER},
  {"__basicsize__", SIG("(self)"), get_basicsize, 0, ASY_NATIVE_GETTER},
  {"__itemsize__", SIG("(self)"), get_itemsize, 0, ASY_NATIVE_GETTER},
  {"__dictoffset__", SIG("(self)"), get_dictoffset, 0, ASY_NATIVE_GETTER},
  {"__weakrefoffset__", SIG("(self)"), get_dictoffset, 0, ASY_NATIVE_GETTER},
  {"__text_signature__", SIG("(self)"), get_text_signature, 0, ASY_NATIVE_GETTER},
  {"__flags__", SIG("(self)"), get_flags, 0, ASY_NATIVE_GETTER},
  {"__abstractmethods__", SIG("(self)"), get_abstract, 0, ASY_NATIVE_GETTER},
  {"__abstractmethods__", SIG("(self, value)"), set_abstract, 0, ASY_NATIVE_SETTER},
  {"__annotations__", SIG("(self)"), get_annotations, 0, ASY_NATIVE_GETTER},
  {"__annotations__", SIG("(self, value)"), set_annotations, 0, ASY_NATIVE_SETTER},
  {"__type_params__", SIG("(self)"), get_type_params, 0, ASY_NATIVE_GETTER},
  {"__type_params__", SIG("(self, value)"), set_type_params, 0, ASY_NATIVE_SETTER},
  {0},
};

const asy_type asy_type_type = {
  .name = "type",
  .size = sizeof(asy_class),
  .visit = type_visit,
  .free = type_free,
  .doc = "type(object) -> the object's type\ntype(name, bases, dict, **kwds) -> a new type",
  .new_ = type_new,
  .new_signature = SIG("(cls, /, *args, **kwargs)"),
  .init = type_init,
  .init_signature = SIG("(self, /, *args, **kwargs)"),
  .repr = type_repr,
  .special = &(const asy_special){.call = type_call, .get_attr = asy_type_get_attr, .set_attr = asy_type_set_attr},
  .operators = &(const asy_operators){.binary[BINARY_OR] = asy_union_of},
  .methods = type_methods,
};
