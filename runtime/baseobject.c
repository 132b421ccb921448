/* baseobject.c - the class `object`: what every value can do unless its class says otherwise. */
#include "runtime/descriptors.h"
#include "runtime/protocol.h"

static bool has_arguments(const asy_value *args) {
  if (((asy_tuple *)asy_obj_of(args[1]))->len) return true;
  return asy_is_kind(args[2], KIND_DICT) && ((asy_dict *)asy_obj_of(args[2]))->used;
}

/* (cls, /, *args, **kwargs): superfluous arguments are an error unless __init__ takes them, as in CPython. */
static asy_value object_new(asy_vm *vm, const asy_value *args) {
  asy_class *cls = (asy_class *)asy_obj_of(args[0]);
  asy_value value;
  asy_class *new_owner, *init_owner;
  if (has_arguments(args)) {
    asy_class_find(vm, cls, ASY_NAME(vm, __new__), &value, &new_owner);
    asy_class_find(vm, cls, ASY_NAME(vm, __init__), &value, &init_owner);
    if (new_owner != vm->classes[KIND_OBJECT])
      return asy_raise(vm, ASY_TypeError, "object.__new__() takes exactly one argument (the type to instantiate)");
    if (init_owner == vm->classes[KIND_OBJECT]) return asy_raise(vm, ASY_TypeError, "%N() takes no arguments", cls);
  }
  if (cls->flags & ASY_CLASS_ABSTRACT) return asy_not_abstract(vm, cls);
  asy_obj *o = asy_new_instance(vm, cls);
  return o ? asy_from_obj(o) : ASY_FAILED;
}

static asy_value object_init(asy_vm *vm, const asy_value *args) {
  if (!has_arguments(args)) return ASY_NONE;
  asy_class *cls = asy_class_of(vm, args[0]);
  asy_value value;
  asy_class *new_owner, *init_owner;
  asy_class_find(vm, cls, ASY_NAME(vm, __new__), &value, &new_owner);
  asy_class_find(vm, cls, ASY_NAME(vm, __init__), &value, &init_owner);
  if (init_owner != vm->classes[KIND_OBJECT])
    return asy_raise(vm, ASY_TypeError, "object.__init__() takes exactly one argument (the instance to initialize)");
  if (new_owner == vm->classes[KIND_OBJECT])
    return asy_raise(vm, ASY_TypeError, "%N.__init__() takes exactly one argument (the instance to initialize)", cls);
  return ASY_NONE;
}

static asy_value object_repr(asy_vm *vm, const asy_value *args) { return asy_default_repr(vm, args[0]); }
static asy_value object_str(asy_vm *vm, const asy_value *args) { return asy_repr(vm, args[0]); }
static asy_value object_eq(asy_vm *vm, const asy_value *args) {
  return args[0] == args[1] ? ASY_TRUE : ASY_NOT_IMPLEMENTED;
}
static asy_value object_ne(asy_vm *vm, const asy_value *args) { return asy_compare_inverted(vm, args[0], args[1]); }
static asy_value object_order(asy_vm *vm, const asy_value *args) { return ASY_NOT_IMPLEMENTED; }
static asy_value object_hash(asy_vm *vm, const asy_value *args) {
  return asy_from_int64(vm, asy_identity_hash(vm, args[0]));
}

static bool name_argument(asy_vm *vm, asy_value name) {
  if (asy_is_str(name)) return true;
  asy_raise(vm, ASY_TypeError, "attribute name must be string, not '%T'", name);
  return false;
}
static asy_value object_getattribute(asy_vm *vm, const asy_value *args) {
  if (asy_is_kind(args[0], KIND_MODULE) && asy_is_str(args[1]))
    return asy_module_type.special->get_attr(vm, args[0], (asy_str *)asy_obj_of(args[1]));
  return name_argument(vm, args[1]) ? asy_generic_get_attr(vm, args[0], (asy_str *)asy_obj_of(args[1])) : ASY_FAILED;
}
static asy_value object_setattr(asy_vm *vm, const asy_value *args) {
  if (!name_argument(vm, args[1])) return ASY_FAILED;
  if (asy_is_kind(args[0], KIND_TYPE))
    return asy_raise(vm, ASY_TypeError, "can't apply this __setattr__ to %T object", args[0]);
  return asy_generic_set_attr(vm, args[0], (asy_str *)asy_obj_of(args[1]), args[2]) ? ASY_NONE : ASY_FAILED;
}
static asy_value object_delattr(asy_vm *vm, const asy_value *args) {
  if (!name_argument(vm, args[1])) return ASY_FAILED;
  if (asy_is_kind(args[0], KIND_TYPE))
    return asy_raise(vm, ASY_TypeError, "can't apply this __delattr__ to %T object", args[0]);
  return asy_generic_set_attr(vm, args[0], (asy_str *)asy_obj_of(args[1]), ASY_UNBOUND) ? ASY_NONE : ASY_FAILED;
}

/* ---- __class__ ------------------------------------------------------------------------------------------------------------- */

static asy_value get_class(asy_vm *vm, const asy_value *args) { return asy_from_obj(asy_class_of(vm, args[0])); }

static asy_value set_class(asy_vm *vm, const asy_value *args) {
  if (args[1] == ASY_UNBOUND) return asy_raise(vm, ASY_TypeError, "can't delete __class__ attribute");
  if (!asy_is_kind(args[1], KIND_TYPE))
    return asy_raise(vm, ASY_TypeError, "__class__ must be set to a class, not '%T' object", args[1]);
  asy_class *from = asy_class_of(vm, args[0]), *to = (asy_class *)asy_obj_of(args[1]);
  if (from == to) return ASY_NONE;
  asy_obj *o = asy_is_obj(args[0]) ? asy_obj_of(args[0]) : NULL;
  bool module = o && o->kind == KIND_MODULE && to->kind == KIND_MODULE;
  if (!o || ((from->flags | to->flags) & ASY_CLASS_BUILTIN && !module))
    return asy_raise(vm, ASY_TypeError,
                     "__class__ assignment only supported for mutable types or ModuleType subclasses");
  if (from->kind != to->kind || from->base_size != to->base_size || from->root->reserved != to->root->reserved ||
      asy_instance_has_dict(from) != asy_instance_has_dict(to) || from->slots_offset != to->slots_offset)
    return asy_raise(vm, ASY_TypeError, "__class__ assignment: '%N' object layout differs from '%N'", to, from);
  if (o->kind == KIND_TYPE) { /* a class changes its metaclass */
    o->shape = to->root->id;
    ((asy_class *)o)->flags |= ASY_CLASS_HEAP_METACLASS;
    asy_class_refresh(vm, (asy_class *)o);
    asy_flush_inline_caches(vm);
    return ASY_NONE;
  }
  if (module) { /* attributes are in the module's own dict */
    o->shape = to->root->id;
    return ASY_NONE;
  }
  if (asy_instance_has_dict(from) && !asy_instance_dict(vm, o)) return ASY_FAILED;
  asy_shape *shape = asy_shape_dictionary(vm, to);
  if (!shape) return ASY_FAILED;
  o->shape = shape->id;
  asy_barrier(vm, o);
  return ASY_NONE;
}

/* ---- Looking inside ---------------------------------------------------------------------------------------------------------- */

static bool add_names(asy_vm *vm, asy_dict *names, asy_dict *from) {
  asy_value key, value;
  for (uint32_t at = 0; asy_dict_next(from, &at, &key, &value);)
    if (!asy_dict_set(vm, names, key, ASY_NONE)) return false;
  return true;
}

static asy_value object_dir(asy_vm *vm, const asy_value *args) {
  asy_dict *names = asy_dict_new(vm, 0);
  if (!names) return ASY_FAILED;
  asy_value dict;
  int found = asy_find_attr(vm, args[0], ASY_NAME(vm, __dict__), &dict);
  if (found < 0) return ASY_FAILED;
  if (found && asy_is_kind(dict, KIND_DICT) && !add_names(vm, names, (asy_dict *)asy_obj_of(dict))) return ASY_FAILED;
  asy_tuple *mro = asy_class_of(vm, args[0])->mro;
  for (uint32_t i = 0; i < mro->len; i++)
    if (!add_names(vm, names, ((asy_class *)asy_obj_of(mro->items[i]))->dict)) return ASY_FAILED;
  asy_list *list = asy_list_new(vm, names->used);
  return list && asy_list_extend(vm, list, asy_from_obj(names)) ? asy_from_obj(list) : ASY_FAILED;
}

static asy_value object_format(asy_vm *vm, const asy_value *args) {
  if (!asy_is_str(args[1])) return asy_raise(vm, ASY_TypeError, "__format__() argument must be str, not %T", args[1]);
  if (((asy_str *)asy_obj_of(args[1]))->len)
    return asy_raise(vm, ASY_TypeError, "unsupported format string passed to %T.__format__", args[0]);
  return asy_str_of(vm, args[0]);
}

static asy_value object_sizeof(asy_vm *vm, const asy_value *args) {
  return asy_from_small(asy_class_of(vm, args[0])->base_size);
}

/* ---- Copying and pickling ------------------------------------------------------------------------------------------------------ */

/* The values of the __slots__ of all classes above, by name; NULL failed. */
static asy_dict *slot_values(asy_vm *vm, asy_value v) {
  asy_dict *dict = asy_dict_new(vm, 0);
  asy_tuple *mro = asy_class_of(vm, v)->mro;
  for (uint32_t i = 0; dict && i < mro->len; i++) {
    const asy_class *cls = (const asy_class *)asy_obj_of(mro->items[i]);
    for (uint32_t j = 0; cls->slots && j < cls->slots->len; j++) {
      asy_value value;
      int found = asy_find_attr(vm, v, (asy_str *)asy_obj_of(cls->slots->items[j]), &value);
      if (found < 0 || (found && !asy_dict_set(vm, dict, cls->slots->items[j], value))) return NULL;
    }
  }
  return dict;
}

static asy_value object_getstate(asy_vm *vm, const asy_value *args) {
  asy_value state = ASY_NONE;
  asy_dict *dict = asy_is_obj(args[0]) && !asy_is_kind(args[0], KIND_TYPE) ? asy_instance_dict(vm, asy_obj_of(args[0]))
                                                                           : NULL;
  if (asy_raised(vm)) return ASY_FAILED;
  if (dict) {
    asy_dict *copy = asy_dict_copy(vm, dict);
    if (!copy) return ASY_FAILED;
    state = asy_from_obj(copy);
  }
  asy_dict *slots = slot_values(vm, args[0]);
  if (!slots) return ASY_FAILED;
  return slots->used ? asy_tuple_of(vm, 2, state, asy_from_obj(slots)) : dict && !dict->used ? ASY_NONE : state;
}

static asy_value from_copyreg(asy_vm *vm, const char *name) {
  asy_value module = asy_import(vm, "copyreg");
  return module == ASY_FAILED ? ASY_FAILED : asy_get_attr_cstr(vm, module, name);
}

/* The arguments for __new__, the class first, and the keyword arguments (0: none). NULL failed. */
static asy_list *new_arguments(asy_vm *vm, asy_value v, asy_value *kwargs) {
  asy_str *ex = asy_intern(vm, "__getnewargs_ex__"), *plain = asy_intern(vm, "__getnewargs__");
  asy_list *list = asy_list_new(vm, 2);
  *kwargs = 0;
  if (!ex || !plain || !list || !asy_list_append(vm, list, asy_from_obj(asy_class_of(vm, v)))) return NULL;
  asy_value given = asy_call_special(vm, v, ex, 0, NULL);
  if (given == ASY_FAILED) return NULL;
  if (given != ASY_UNBOUND) {
    const asy_tuple *pair = (const asy_tuple *)asy_obj_of(given);
    if (!asy_is_kind(given, KIND_TUPLE) || pair->len != 2)
      return asy_raise(vm, ASY_TypeError, "__getnewargs_ex__ should return a tuple, not '%T'", given), NULL;
    *kwargs = pair->items[1];
    return asy_list_extend(vm, list, pair->items[0]) ? list : NULL;
  }
  given = asy_call_special(vm, v, plain, 0, NULL);
  if (given == ASY_FAILED) return NULL;
  if (given != ASY_UNBOUND) return asy_list_extend(vm, list, given) ? list : NULL;
  asy_class *cls = asy_class_of(vm, v);
  asy_class *exact = asy_class_solid(cls);
  switch (cls->kind) {
    case KIND_OBJECT:
    case KIND_LIST:
    case KIND_DICT: return list;
    case KIND_INT:
    case KIND_FLOAT:
    case KIND_COMPLEX:
    case KIND_STR:
    case KIND_BYTES:
    case KIND_TUPLE:
    case KIND_BYTEARRAY: {
      asy_value arg = asy_call1(vm, asy_from_obj(exact), v); /* the plain value of an instance of a subclass */
      return arg != ASY_FAILED && asy_list_append(vm, list, arg) ? list : NULL;
    }
    default: {
      asy_str *name = asy_intern(vm, "__getstate__");
      const asy_lookup *state = name ? asy_class_lookup(vm, cls, name) : NULL;
      if (state && state->owner && state->owner != vm->classes[KIND_OBJECT])
        return list; /* it says itself what it holds */
      return asy_raise(vm, ASY_TypeError, "cannot pickle '%T' object", v), NULL;
    }
  }
}

static asy_value reduce_new(asy_vm *vm, asy_value v) {
  asy_value kwargs;
  asy_list *arguments = new_arguments(vm, v, &kwargs);
  asy_value make = arguments ? from_copyreg(vm, kwargs ? "__newobj_ex__" : "__newobj__") : ASY_FAILED;
  if (make == ASY_FAILED) return ASY_FAILED;
  asy_tuple *args = asy_list_to_tuple(vm, arguments);
  if (!args) return ASY_FAILED;
  asy_value packed = asy_from_obj(args);
  if (kwargs) {
    asy_tuple *rest = asy_tuple_slice(vm, args, 1, args->len);
    packed = rest ? asy_tuple_of(vm, 3, args->items[0], asy_from_obj(rest), kwargs) : ASY_FAILED;
    if (packed == ASY_FAILED) return ASY_FAILED;
  }
  asy_str *getstate = asy_intern(vm, "__getstate__");
  asy_value state = getstate ? asy_call_method(vm, v, getstate, 0, NULL) : ASY_FAILED;
  if (state == ASY_FAILED) return ASY_FAILED;
  asy_value items = ASY_NONE, pairs = ASY_NONE;
  if (asy_is_kind(v, KIND_LIST)) items = asy_iter(vm, v);
  if (asy_is_kind(v, KIND_DICT)) {
    pairs = asy_call_method(vm, v, ASY_NAME(vm, items), 0, NULL);
    if (pairs != ASY_FAILED) pairs = asy_iter(vm, pairs);
  }
  if (items == ASY_FAILED || pairs == ASY_FAILED) return ASY_FAILED;
  return asy_tuple_of(vm, 5, make, packed, state, items, pairs);
}

/* What the oldest protocols ask for. */
static asy_value reduce_old(asy_vm *vm, asy_value v, asy_value protocol) {
  asy_value reduce = from_copyreg(vm, "_reduce_ex");
  return reduce == ASY_FAILED ? ASY_FAILED : asy_call2(vm, reduce, v, protocol);
}

static asy_value object_reduce(asy_vm *vm, const asy_value *args) { return reduce_old(vm, args[0], asy_from_small(0)); }

static asy_value object_reduce_ex(asy_vm *vm, const asy_value *args) {
  asy_lookup *own = asy_class_lookup(vm, asy_class_of(vm, args[0]), ASY_NAME(vm, __reduce__));
  int64_t protocol;
  if (!own || !asy_to_int64(vm, args[1], &protocol)) return ASY_FAILED;
  if (own->owner != vm->classes[KIND_OBJECT]) return asy_call_method(vm, args[0], ASY_NAME(vm, __reduce__), 0, NULL);
  return protocol >= 2 ? reduce_new(vm, args[0]) : reduce_old(vm, args[0], args[1]);
}

static asy_value object_init_subclass(asy_vm *vm, const asy_value *args) {
  if (!((asy_dict *)asy_obj_of(args[1]))->used) return ASY_NONE;
  return asy_raise(vm, ASY_TypeError, "%U.__init_subclass__() takes no keyword arguments",
                   ((asy_class *)asy_obj_of(args[0]))->qualname);
}
static asy_value object_subclasshook(asy_vm *vm, const asy_value *args) { return ASY_NOT_IMPLEMENTED; }

static const asy_native object_methods[] = {
  {"__repr__", SIG("(self, /)"), object_repr, DOC("Return repr(self)."), 0},
  {"__str__", SIG("(self, /)"), object_str, DOC("Return str(self)."), 0},
  {"__eq__", SIG("(self, value, /)"), object_eq, DOC("Return self==value."), 0},
  {"__ne__", SIG("(self, value, /)"), object_ne, DOC("Return self!=value."), 0},
  {"__lt__", SIG("(self, value, /)"), object_order, DOC("Return self<value."), 0},
  {"__le__", SIG("(self, value, /)"), object_order, DOC("Return self<=value."), 0},
  {"__gt__", SIG("(self, value, /)"), object_order, DOC("Return self>value."), 0},
  {"__ge__", SIG("(self, value, /)"), object_order, DOC("Return self>=value."), 0},
  {"__hash__", SIG("(self, /)"), object_hash, DOC("Return hash(self)."), 0},
  {"__getattribute__", SIG("(self, name, /)"), object_getattribute, DOC("Return getattr(self, name)."), 0},
  {"__setattr__", SIG("(self, name, value, /)"), object_setattr, DOC("Implement setattr(self, name, value)."), 0},
  {"__delattr__", SIG("(self, name, /)"), object_delattr, DOC("Implement delattr(self, name)."), 0},
  {"__dir__", SIG("(self, /)"), object_dir, DOC("Default dir() implementation."), 0},
  {"__format__", SIG("(self, format_spec, /)"), object_format, DOC("Default object formatter."), 0},
  {"__getstate__", SIG("(self, /)"), object_getstate, DOC("Helper for pickle."), 0},
  {"__reduce__", SIG("(self, /)"), object_reduce, DOC("Helper for pickle."), 0},
  {"__reduce_ex__", SIG("(self, protocol, /)"), object_reduce_ex, DOC("Helper for pickle."), 0},
  {"__sizeof__", SIG("(self, /)"), object_sizeof, DOC("Size of object in memory, in bytes."), 0},
  {"__init_subclass__", SIG("(cls, /, **kwargs)"), object_init_subclass,
   DOC("This method is called when a class is subclassed."), ASY_NATIVE_CLASS},
  {"__subclasshook__", SIG("(cls, subclass, /)"), object_subclasshook,
   DOC("Abstract classes can override this to customize issubclass()."), ASY_NATIVE_CLASS},
  {"__class__", SIG("(self)"), get_class, DOC("the object's class"), ASY_NATIVE_GETTER},
  {"__class__", SIG("(self, value)"), set_class, 0, ASY_NATIVE_SETTER},
  {0},
};

const asy_type asy_object_type = {
  .name = "object",
  .size = sizeof(asy_obj),
  .doc =
    "The base class of the class hierarchy.\n\n"
    "When called, it accepts no arguments and returns a new featureless\n"
    "instance that has no instance attributes and cannot be given any.\n",
  .new_ = object_new,
  .new_signature = SIG("(cls, /, *args, **kwargs)"),
  .init = object_init,
  .init_signature = SIG("(self, /, *args, **kwargs)"),
  .methods = object_methods,
};
