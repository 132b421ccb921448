/* descriptors.c - property, staticmethod, classmethod, and the members that show C fields, natives and __slots__ as attributes. */
#include "runtime/descriptors.h"

/* The attribute `name` of the wrapped function, or None. */
static asy_value forwarded(asy_vm *vm, asy_value func, asy_str *name) {
  asy_value value;
  int found = asy_find_attr(vm, func, name, &value);
  return found < 0 ? ASY_FAILED : found ? value : ASY_NONE;
}

static asy_value is_abstract(asy_vm *vm, asy_value func) {
  asy_value value;
  if (!asy_check_c_stack(vm)) return ASY_FAILED; /* a property of a property, and so on */
  int found = asy_find_attr(vm, func, ASY_NAME(vm, __isabstractmethod__), &value);
  if (found <= 0) return found < 0 ? ASY_FAILED : ASY_FALSE;
  int truth = asy_truth(vm, value);
  return truth < 0 ? ASY_FAILED : asy_from_bool(truth);
}

/* ---- property -------------------------------------------------------------------------------------------------------- */

static asy_property *property_of(asy_value v) { return (asy_property *)asy_obj_of(v); }

static void property_visit(asy_obj *o, asy_visitor *v) {
  asy_property *p = (asy_property *)o;
  asy_value values[] = {p->fget, p->fset, p->fdel, p->doc, p->name};
  for (unsigned i = 0; i < 5; i++)
    if (values[i]) asy_visit_value(v, values[i]);
}

static asy_value property_new(asy_vm *vm, const asy_value *args) {
  asy_property *p = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  if (!p) return ASY_FAILED;
  p->fget = p->fset = p->fdel = p->doc = ASY_NONE;
  return asy_from_obj(p);
}

/* (self, fget=None, fset=None, fdel=None, doc=None) */
static asy_value property_init(asy_vm *vm, const asy_value *args) {
  asy_property *p = property_of(args[0]);
  p->fget = args[1];
  p->fset = args[2];
  p->fdel = args[3];
  p->doc = args[4];
  p->doc_from_getter = false;
  asy_barrier(vm, p);
  bool inherited = p->doc == ASY_NONE && p->fget != ASY_NONE;
  if (inherited) {
    asy_value doc = forwarded(vm, p->fget, ASY_NAME(vm, __doc__));
    if (doc == ASY_FAILED) return ASY_FAILED;
    p->doc = doc;
    p->doc_from_getter = doc != ASY_NONE;
    asy_barrier(vm, p);
  }
  if (p->head.shape == KIND_PROPERTY || p->doc == ASY_NONE) return ASY_NONE;
  if (asy_set_attr(vm, args[0], ASY_NAME(vm, __doc__), p->doc))
    return ASY_NONE; /* the subclass has a __doc__ of its own */
  if (!inherited || !asy_raised_is(vm, ASY_AttributeError)) return ASY_FAILED;
  asy_clear_exception(vm);
  return ASY_NONE;
}

/* The name for messages: given by __set_name__, else the getter's; 0 unknown. */
static asy_value property_name(asy_vm *vm, asy_property *p) {
  if (p->name) return p->name;
  if (p->fget == ASY_NONE) return 0;
  asy_value name;
  int found = asy_find_attr(vm, p->fget, ASY_NAME(vm, __name__), &name);
  if (found < 0) asy_clear_exception(vm);
  return found > 0 ? name : 0;
}

static asy_value property_lacks(asy_vm *vm, asy_property *p, asy_value obj, const char *what) {
  asy_value name = property_name(vm, p);
  asy_str *qualname = asy_class_of(vm, obj)->qualname;
  if (name) return asy_raise(vm, ASY_AttributeError, "property %R of '%U' object has no %s", name, qualname, what);
  return asy_raise(vm, ASY_AttributeError, "property of '%U' object has no %s", qualname, what);
}

static asy_value property_get(asy_vm *vm, asy_value self, asy_value obj, asy_class *owner) {
  asy_property *p = property_of(self);
  if (obj == ASY_UNBOUND) return self;
  if (p->fget == ASY_NONE) return property_lacks(vm, p, obj, "getter");
  return asy_call1(vm, p->fget, obj);
}

static bool property_set(asy_vm *vm, asy_value self, asy_value obj, asy_value value) {
  asy_property *p = property_of(self);
  asy_value fn = value == ASY_UNBOUND ? p->fdel : p->fset;
  if (fn == ASY_NONE) {
    property_lacks(vm, p, obj, value == ASY_UNBOUND ? "deleter" : "setter");
    return false;
  }
  asy_value result = value == ASY_UNBOUND ? asy_call1(vm, fn, obj) : asy_call2(vm, fn, obj, value);
  return result != ASY_FAILED;
}

/* A property of the same class with one function replaced. */
static asy_value property_copy(asy_vm *vm, asy_value self, asy_value fget, asy_value fset, asy_value fdel) {
  asy_property *p = property_of(self);
  asy_value args[4] = {fget, fset, fdel, p->doc_from_getter ? ASY_NONE : p->doc};
  asy_value copy = asy_call(vm, asy_from_obj(asy_class_of(vm, self)), 4, args);
  if (copy != ASY_FAILED && p->name && asy_is_kind(copy, KIND_PROPERTY))
    asy_store(vm, property_of(copy), &property_of(copy)->name, p->name);
  return copy;
}

static asy_value property_getter(asy_vm *vm, const asy_value *args) {
  asy_property *p = property_of(args[0]);
  return property_copy(vm, args[0], args[1], p->fset, p->fdel);
}
static asy_value property_setter(asy_vm *vm, const asy_value *args) {
  asy_property *p = property_of(args[0]);
  return property_copy(vm, args[0], p->fget, args[1], p->fdel);
}
static asy_value property_deleter(asy_vm *vm, const asy_value *args) {
  asy_property *p = property_of(args[0]);
  return property_copy(vm, args[0], p->fget, p->fset, args[1]);
}
static asy_value property_set_name(asy_vm *vm, const asy_value *args) {
  asy_store(vm, property_of(args[0]), &property_of(args[0])->name, args[2]);
  return ASY_NONE;
}
static asy_value property_get_name(asy_vm *vm, const asy_value *args) {
  asy_value name = property_name(vm, property_of(args[0]));
  return name ? name : asy_raise_no_attribute(vm, args[0], ASY_NAME(vm, __name__));
}
static asy_value property_put_name(asy_vm *vm, const asy_value *args) {
  asy_store(vm, property_of(args[0]), &property_of(args[0])->name, args[1] == ASY_UNBOUND ? 0 : args[1]);
  return ASY_NONE;
}
static asy_value property_is_abstract(asy_vm *vm, const asy_value *args) {
  asy_property *p = property_of(args[0]);
  asy_value functions[3] = {p->fget, p->fset, p->fdel};
  for (unsigned i = 0; i < 3; i++) {
    if (functions[i] == ASY_NONE) continue;
    asy_value abstract = is_abstract(vm, functions[i]);
    if (abstract != ASY_FALSE) return abstract;
  }
  return ASY_FALSE;
}

static const asy_native property_methods[] = {
  {"getter", SIG("(self, object, /)"), property_getter,
   DOC("Descriptor to obtain a copy of the property with a different getter."), 0},
  {"setter", SIG("(self, object, /)"), property_setter,
   DOC("Descriptor to obtain a copy of the property with a different setter."), 0},
  {"deleter", SIG("(self, object, /)"), property_deleter,
   DOC("Descriptor to obtain a copy of the property with a different deleter."), 0},
  {"__set_name__", SIG("(self, owner, name, /)"), property_set_name, DOC("Method to set name of a property."), 0},
  {"__name__", SIG("(self)"), property_get_name, 0, ASY_NATIVE_GETTER},
  {"__name__", SIG("(self, value)"), property_put_name, 0, ASY_NATIVE_SETTER},
  {"__isabstractmethod__", SIG("(self)"), property_is_abstract, 0, ASY_NATIVE_GETTER},
  {0},
};

static const asy_member property_members[] = {
  {"fget", offsetof(asy_property, fget), MEMBER_VALUE, false},
  {"fset", offsetof(asy_property, fset), MEMBER_VALUE, false},
  {"fdel", offsetof(asy_property, fdel), MEMBER_VALUE, false},
  {"__doc__", offsetof(asy_property, doc), MEMBER_VALUE, true},
  {0},
};

const asy_type asy_property_type = {
  .name = "property",
  .size = sizeof(asy_property),
  .visit = property_visit,
  .doc =
    "Property attribute.\n\n"
    "  fget\n    function to be used for getting an attribute value\n"
    "  fset\n    function to be used for setting an attribute value\n"
    "  fdel\n    function to be used for del'ing an attribute\n"
    "  doc\n    docstring",
  .new_ = property_new,
  .init = property_init,
  .init_signature = SIG("(self, fget=None, fset=None, fdel=None, doc=None)"),
  .special = &(const asy_special){.descr_get = property_get, .descr_set = property_set},
  .methods = property_methods,
  .members = property_members,
};

/* ---- staticmethod and classmethod --------------------------------------------------------------------------------------- */

static asy_wrapped_method *wrapped_of(asy_value v) { return (asy_wrapped_method *)asy_obj_of(v); }

static void wrapped_visit(asy_obj *o, asy_visitor *v) {
  asy_value func = ((asy_wrapped_method *)o)->func;
  if (func) asy_visit_value(v, func);
}

asy_value asy_wrap_method(asy_vm *vm, unsigned kind, asy_value func) {
  asy_wrapped_method *w = asy_new_instance(vm, vm->classes[kind]);
  if (!w) return ASY_FAILED;
  w->func = func;
  return asy_from_obj(w);
}

static asy_value wrapped_new(asy_vm *vm, const asy_value *args) {
  asy_wrapped_method *w = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  if (!w) return ASY_FAILED;
  w->func = ASY_NONE;
  return asy_from_obj(w);
}

static asy_value wrapped_init(asy_vm *vm, const asy_value *args) {
  asy_store(vm, wrapped_of(args[0]), &wrapped_of(args[0])->func, args[1]);
  return ASY_NONE;
}

static asy_value wrapped_repr(asy_vm *vm, asy_value self) {
  asy_str *s = asy_str_format(vm, "<%T(%R)>", self, wrapped_of(self)->func);
  return s ? asy_from_obj(s) : ASY_FAILED;
}

static asy_value staticmethod_get(asy_vm *vm, asy_value self, asy_value obj, asy_class *owner) {
  return wrapped_of(self)->func;
}
static asy_value classmethod_get(asy_vm *vm, asy_value self, asy_value obj, asy_class *owner) {
  asy_value cls = owner ? asy_from_obj(owner) : asy_from_obj(asy_class_of(vm, obj));
  return asy_method_new(vm, wrapped_of(self)->func, cls);
}
static asy_value staticmethod_call(asy_vm *vm, asy_value self, const asy_value *args, int nargs, asy_tuple *kwnames) {
  return asy_call_kw(vm, wrapped_of(self)->func, nargs, args, kwnames);
}

static asy_value wrapped_is_abstract(asy_vm *vm, const asy_value *args) {
  return is_abstract(vm, wrapped_of(args[0])->func);
}

/* An attribute of the wrapped function, which may be wrapped itself, to any depth. */
static asy_value of_wrapped(asy_vm *vm, asy_value self, asy_str *name) {
  return asy_check_c_stack(vm) ? asy_get_attr(vm, wrapped_of(self)->func, name) : ASY_FAILED;
}
static asy_value wrapped_name(asy_vm *vm, const asy_value *args) {
  return of_wrapped(vm, args[0], ASY_NAME(vm, __name__));
}
static asy_value wrapped_qualname(asy_vm *vm, const asy_value *args) {
  return of_wrapped(vm, args[0], ASY_NAME(vm, __qualname__));
}
static asy_value wrapped_doc(asy_vm *vm, const asy_value *args) {
  return forwarded(vm, wrapped_of(args[0])->func, ASY_NAME(vm, __doc__));
}
static asy_value wrapped_module(asy_vm *vm, const asy_value *args) {
  return forwarded(vm, wrapped_of(args[0])->func, ASY_NAME(vm, __module__));
}
static asy_value wrapped_annotations(asy_vm *vm, const asy_value *args) {
  return of_wrapped(vm, args[0], ASY_NAME(vm, __annotations__));
}

static const asy_native wrapped_methods[] = {
  {"__isabstractmethod__", SIG("(self)"), wrapped_is_abstract, 0, ASY_NATIVE_GETTER},
  {"__name__", SIG("(self)"), wrapped_name, 0, ASY_NATIVE_GETTER},
  {"__qualname__", SIG("(self)"), wrapped_qualname, 0, ASY_NATIVE_GETTER},
  {"__doc__", SIG("(self)"), wrapped_doc, 0, ASY_NATIVE_GETTER},
  {"__module__", SIG("(self)"), wrapped_module, 0, ASY_NATIVE_GETTER},
  {"__annotations__", SIG("(self)"), wrapped_annotations, 0, ASY_NATIVE_GETTER},
  {0},
};

static const asy_member wrapped_members[] = {
  {"__func__", offsetof(asy_wrapped_method, func), MEMBER_VALUE, false},
  {"__wrapped__", offsetof(asy_wrapped_method, func), MEMBER_VALUE, false},
  {0},
};

const asy_type asy_staticmethod_type = {
  .name = "staticmethod",
  .size = sizeof(asy_wrapped_method),
  .flags = ASY_TYPE_ATTRS,
  .visit = wrapped_visit,
  .new_ = wrapped_new,
  .init = wrapped_init,
  .init_signature = SIG("(self, function, /)"),
  .repr = wrapped_repr,
  .special = &(const asy_special){.descr_get = staticmethod_get, .call = staticmethod_call},
  .methods = wrapped_methods,
  .members = wrapped_members,
};

const asy_type asy_classmethod_type = {
  .name = "classmethod",
  .size = sizeof(asy_wrapped_method),
  .flags = ASY_TYPE_ATTRS,
  .visit = wrapped_visit,
  .new_ = wrapped_new,
  .init = wrapped_init,
  .init_signature = SIG("(self, function, /)"),
  .repr = wrapped_repr,
  .special = &(const asy_special){.descr_get = classmethod_get},
  .methods = wrapped_methods,
  .members = wrapped_members,
};

/* ---- Members --------------------------------------------------------------------------------------------------------------- */

static asy_member_descr *member_of(asy_value v) { return (asy_member_descr *)asy_obj_of(v); }

static void member_visit(asy_obj *o, asy_visitor *v) {
  asy_member_descr *m = (asy_member_descr *)o;
  asy_visit_obj(v, m->owner);
  asy_visit_obj(v, m->name);
}

static asy_member_descr *member_new(asy_vm *vm, asy_class *owner, asy_str *name) {
  if (!name) return NULL;
  asy_member_descr *m = asy_new_kind(vm, KIND_MEMBER, sizeof *m);
  if (!m) return NULL;
  m->owner = owner;
  m->name = name;
  return m;
}

asy_value asy_member_for_field(asy_vm *vm, asy_class *owner, const asy_member *field) {
  asy_member_descr *m = member_new(vm, owner, asy_intern(vm, field->name));
  if (!m) return ASY_FAILED;
  m->sort = DESCR_FIELD;
  m->field = field;
  return asy_from_obj(m);
}

asy_value asy_member_for_natives(asy_vm *vm, asy_class *owner, const asy_native *getter, const asy_native *setter) {
  asy_member_descr *m = member_new(vm, owner, asy_intern(vm, getter->name));
  if (!m) return ASY_FAILED;
  m->head.shape = KIND_GETSET_DESCRIPTOR;
  m->sort = DESCR_GETSET;
  m->getter = getter;
  m->setter = setter;
  return asy_from_obj(m);
}

asy_value asy_member_for_slot(asy_vm *vm, asy_class *owner, asy_str *name, uint32_t slot) {
  asy_member_descr *m = member_new(vm, owner, name);
  if (!m) return ASY_FAILED;
  m->sort = owner->flags & ASY_CLASS_VARIABLE ? DESCR_NAMED : DESCR_SLOT;
  m->slot = slot;
  return asy_from_obj(m);
}

static bool member_applies(asy_vm *vm, const asy_member_descr *m, asy_value obj) {
  if (asy_is_instance(vm, obj, m->owner)) return true;
  asy_raise(vm, ASY_TypeError, "descriptor '%U' for '%N' objects doesn't apply to a '%T' object", m->name, m->owner,
            obj);
  return false;
}

static asy_value read_field(asy_vm *vm, const char *at, const asy_member *field) {
  switch (field->type) {
    case MEMBER_VALUE: {
      asy_value v = *(const asy_value *)(const void *)at;
      return v == 0 || v == ASY_UNBOUND ? ASY_NONE : v;
    }
    case MEMBER_OBJECT: {
      const asy_obj *o = *(asy_obj *const *)(const void *)at;
      return o ? asy_from_obj(o) : ASY_NONE;
    }
    case MEMBER_INT32: return asy_from_small(*(const int32_t *)(const void *)at);
    case MEMBER_UINT32: return asy_from_small(*(const uint32_t *)(const void *)at);
    case MEMBER_INT64: return asy_from_int64(vm, *(const int64_t *)(const void *)at);
    default: return asy_from_bool(*(const bool *)(const void *)at);
  }
}

static bool write_field(asy_vm *vm, asy_obj *o, char *at, const asy_member *field, asy_value value) {
  int64_t i;
  switch (field->type) {
    case MEMBER_VALUE: asy_store(vm, o, (asy_value *)(void *)at, value == ASY_UNBOUND ? 0 : value); return true;
    case MEMBER_OBJECT: asy_raise(vm, ASY_AttributeError, "readonly attribute"); return false;
    case MEMBER_BOOL8: {
      if (!asy_is_bool(value)) {
        asy_raise(vm, ASY_TypeError, "attribute value type must be bool");
        return false;
      }
      *(bool *)(void *)at = value == ASY_TRUE;
      return true;
    }
    default: break;
  }
  if (value == ASY_UNBOUND) {
    asy_raise(vm, ASY_TypeError, "can't delete numeric/char attribute");
    return false;
  }
  if (!asy_to_int64(vm, value, &i)) return false;
  if (field->type == MEMBER_INT64) *(int64_t *)(void *)at = i;
  else *(int32_t *)(void *)at = (int32_t)i;
  return true;
}

asy_value asy_member_get(asy_vm *vm, asy_value member, asy_value obj, asy_class *owner) {
  asy_member_descr *m = member_of(member);
  if (obj == ASY_UNBOUND) return member;
  if (!member_applies(vm, m, obj)) return ASY_FAILED;
  switch (m->sort) {
    case DESCR_FIELD: return read_field(vm, (const char *)asy_obj_of(obj) + m->field->offset, m->field);
    case DESCR_GETSET: return m->getter->fn(vm, &obj);
    default: break;
  }
  asy_obj *o = asy_obj_of(obj);
  asy_value value;
  if (m->sort == DESCR_NAMED) {
    value = asy_own_attribute(vm, obj, m->name);
    if (value == ASY_UNBOUND) value = 0;
  } else value = asy_slots_of(o, vm->shapes[o->shape]->cls)[m->slot];
  return value ? value : asy_raise_no_attribute(vm, obj, m->name);
}

bool asy_member_set(asy_vm *vm, asy_value member, asy_value obj, asy_value value) {
  asy_member_descr *m = member_of(member);
  if (!member_applies(vm, m, obj)) return false;
  if (m->sort == DESCR_GETSET) {
    if (m->setter) {
      asy_value args[2] = {obj, value};
      return m->setter->fn(vm, args) != ASY_FAILED;
    }
    asy_raise(vm, ASY_AttributeError, "attribute '%U' of '%N' objects is not writable", m->name, m->owner);
    return false;
  }
  asy_obj *o = asy_obj_of(obj);
  if (m->sort == DESCR_FIELD) {
    if (m->field->writable) return write_field(vm, o, (char *)o + m->field->offset, m->field, value);
    asy_raise(vm, ASY_AttributeError, "readonly attribute");
    return false;
  }
  if (m->sort == DESCR_NAMED) {
    if (value != ASY_UNBOUND) return asy_set_own_attribute(vm, o, m->name, value);
    int deleted = asy_delete_own_attribute(vm, o, m->name);
    if (!deleted) asy_raise(vm, ASY_AttributeError, "%U", m->name);
    return deleted > 0;
  }
  asy_value *slot = &asy_slots_of(o, vm->shapes[o->shape]->cls)[m->slot];
  if (value == ASY_UNBOUND) {
    if (!*slot) return asy_raise(vm, ASY_AttributeError, "%U", m->name), false;
    *slot = 0;
    return true;
  }
  asy_store(vm, o, slot, value);
  return true;
}

static asy_value member_repr(asy_vm *vm, asy_value self) {
  asy_member_descr *m = member_of(self);
  const char *what = m->sort == DESCR_GETSET ? "attribute" : "member";
  asy_str *s = asy_str_format(vm, "<%s '%U' of '%N' objects>", what, m->name, m->owner);
  return s ? asy_from_obj(s) : ASY_FAILED;
}

static asy_value member_qualname(asy_vm *vm, const asy_value *args) {
  asy_member_descr *m = member_of(args[0]);
  asy_str *s = asy_str_format(vm, "%U.%U", m->owner->qualname, m->name);
  return s ? asy_from_obj(s) : ASY_FAILED;
}
static asy_value member_doc(asy_vm *vm, const asy_value *args) {
  asy_member_descr *m = member_of(args[0]);
  return m->sort == DESCR_GETSET ? asy_doc_text(vm, m->getter->doc) : ASY_NONE;
}

static const asy_native member_methods[] = {
  {"__qualname__", SIG("(self)"), member_qualname, 0, ASY_NATIVE_GETTER},
  {"__doc__", SIG("(self)"), member_doc, 0, ASY_NATIVE_GETTER},
  {0},
};

static const asy_member member_members[] = {
  {"__name__", offsetof(asy_member_descr, name), MEMBER_OBJECT, false},
  {"__objclass__", offsetof(asy_member_descr, owner), MEMBER_OBJECT, false},
  {0},
};

#define MEMBER_TYPE                                                                                                    \
  .size = sizeof(asy_member_descr), .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW, .visit = member_visit,                  \
  .repr = member_repr, .special = &(const asy_special){.descr_get = asy_member_get, .descr_set = asy_member_set},      \
  .methods = member_methods, .members = member_members

const asy_type asy_member_type = {.name = "member_descriptor", MEMBER_TYPE};
const asy_type asy_getset_type = {.name = "getset_descriptor", MEMBER_TYPE};
