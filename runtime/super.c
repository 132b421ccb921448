/* super.c - attribute lookup that starts behind a class in the mro of an object's class. */
#include "runtime/descriptors.h"

static asy_super *super_of(asy_value v) { return (asy_super *)asy_obj_of(v); }

static void super_visit(asy_obj *o, asy_visitor *v) {
  asy_super *s = (asy_super *)o;
  asy_visit_obj(v, s->type);
  asy_visit_obj(v, s->self_class);
  if (s->self) asy_visit_value(v, s->self);
}

/* The class whose mro is searched for super(type, obj); NULL with TypeError set. */
static asy_class *super_check(asy_vm *vm, asy_class *type, asy_value obj) {
  if (asy_is_kind(obj, KIND_TYPE) && asy_is_subclass((asy_class *)asy_obj_of(obj), type))
    return (asy_class *)asy_obj_of(obj);
  asy_class *cls = asy_class_of(vm, obj);
  if (asy_is_subclass(cls, type)) return cls;
  asy_value claimed;
  int found = asy_find_attr(vm, obj, ASY_NAME(vm, __class__), &claimed);
  if (found < 0) return NULL;
  if (found && asy_is_kind(claimed, KIND_TYPE) && asy_is_subclass((asy_class *)asy_obj_of(claimed), type))
    return (asy_class *)asy_obj_of(claimed);
  bool is_type = asy_is_kind(obj, KIND_TYPE);
  asy_raise(vm, ASY_TypeError, "super(type, obj): obj (%s %N) is not an instance or subtype of type (%N).",
            is_type ? "type" : "instance of", is_type ? (asy_class *)asy_obj_of(obj) : cls, type);
  return NULL;
}

/* super() without arguments: the class is in the frame's cell __class__, the object is its first argument. */
static bool from_frame(asy_vm *vm, asy_class **type, asy_value *self) {
  const asy_value *base = vm->base;
  if (!base) return asy_raise(vm, ASY_RuntimeError, "super(): no current frame"), false;
  const asy_func *func = (const asy_func *)asy_obj_of(FRAME_FUNC(base));
  const asy_code *code = func->code;
  if (!code->argcount) return asy_raise(vm, ASY_RuntimeError, "super(): no arguments"), false;
  asy_value first = base[0];
  if (code->is_cell[0] && asy_is_exact(first, KIND_CELL)) first = ((asy_cell *)asy_obj_of(first))->value;
  if (first == ASY_UNBOUND || !first) return asy_raise(vm, ASY_RuntimeError, "super(): arg[0] deleted"), false;
  for (uint32_t i = 0; i < code->nfreevars; i++) {
    if (code->freevars[i] != ASY_NAME(vm, __class__)) continue;
    asy_value cls = ((asy_cell *)asy_obj_of(func->closure->items[i]))->value;
    if (cls == ASY_UNBOUND || !cls) return asy_raise(vm, ASY_RuntimeError, "super(): empty __class__ cell"), false;
    if (!asy_is_kind(cls, KIND_TYPE))
      return asy_raise(vm, ASY_RuntimeError, "super(): __class__ is not a type (%T)", cls), false;
    *type = (asy_class *)asy_obj_of(cls);
    *self = first;
    return true;
  }
  asy_raise(vm, ASY_RuntimeError, "super(): __class__ cell not found");
  return false;
}

static asy_value super_new(asy_vm *vm, const asy_value *args) {
  asy_super *s = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  if (!s) return ASY_FAILED;
  s->self = ASY_UNBOUND;
  return asy_from_obj(s);
}

/* Fills s for super(type, self); both UNBOUND: from the running frame. */
static bool super_fill(asy_vm *vm, asy_super *s, asy_value type, asy_value self) {
  asy_class *start;
  if (type == ASY_UNBOUND) {
    if (!from_frame(vm, &start, &self)) return false;
  } else if (!asy_is_kind(type, KIND_TYPE)) {
    asy_raise(vm, ASY_TypeError, "super() argument 1 must be a type, not %T", type);
    return false;
  } else {
    start = (asy_class *)asy_obj_of(type);
    if (self == ASY_NONE) self = ASY_UNBOUND;
  }
  asy_class *cls = NULL;
  if (self != ASY_UNBOUND && !(cls = super_check(vm, start, self))) return false;
  s->type = start;
  s->self = self;
  s->self_class = cls;
  asy_barrier(vm, s);
  return true;
}

/* (self, type=?, object_or_type=?, /) */
static asy_value super_init(asy_vm *vm, const asy_value *args) {
  return super_fill(vm, super_of(args[0]), args[1], args[2]) ? ASY_NONE : ASY_FAILED;
}

asy_value asy_super_new(asy_vm *vm, asy_value type, asy_value self) {
  asy_super *s = asy_new_kind(vm, KIND_SUPER, sizeof *s);
  if (!s) return ASY_FAILED;
  s->self = ASY_UNBOUND;
  return super_fill(vm, s, type, self) ? asy_from_obj(s) : ASY_FAILED;
}

asy_value asy_super_find(asy_vm *vm, asy_class *type, asy_value self, asy_class *self_class, asy_str *name) {
  asy_tuple *mro = self_class->mro;
  asy_value obj = self == asy_from_obj(self_class) ? ASY_UNBOUND : self;
  uint32_t i = 0;
  while (i < mro->len && mro->items[i] != asy_from_obj(type)) i++;
  if (++i >= mro->len) return ASY_UNBOUND;
  asy_class *next = (asy_class *)asy_obj_of(mro->items[i]);
  if (next->mro->len ==
      mro->len - i) { /* what follows is the mro of `next` itself, because orders are kept: one record says all */
    asy_lookup *record = asy_class_lookup(vm, next, name);
    if (!record) return ASY_FAILED;
    return record->kind == LOOKUP_ABSENT ? ASY_UNBOUND
                                         : asy_bind(vm, record->value, (asy_lookup_kind)record->kind, obj, self_class);
  }
  for (; i < mro->len; i++) {
    asy_value found = asy_dict_get_str(vm, ((asy_class *)asy_obj_of(mro->items[i]))->dict, name);
    if (found != ASY_UNBOUND) return asy_bind(vm, found, asy_classify(vm, found), obj, self_class);
  }
  return ASY_UNBOUND;
}

asy_lookup *asy_super_method(asy_vm *vm, const asy_super *s, asy_str *name, asy_value *self) {
  if (!s->self_class || s->self == asy_from_obj(s->self_class) || name == ASY_NAME(vm, __class__)) return NULL;
  const asy_tuple *mro = s->self_class->mro;
  uint32_t i = 0;
  while (i < mro->len && mro->items[i] != asy_from_obj(s->type)) i++;
  if (++i >= mro->len) return NULL;
  asy_class *next = (asy_class *)asy_obj_of(mro->items[i]);
  if (next->mro->len != mro->len - i) return NULL; /* as in asy_super_find */
  asy_lookup *record = asy_class_lookup(vm, next, name);
  if (!record) asy_clear_exception(vm);
  if (!record || record->kind != LOOKUP_METHOD) return NULL;
  *self = s->self;
  return record;
}

static asy_value super_get_attr(asy_vm *vm, asy_value self, asy_str *name) {
  asy_super *s = super_of(self);
  if (!(name->head.flags & STR_INTERNED) && !(name = asy_str_intern(vm, name))) return ASY_FAILED;
  if (s->self_class && name != ASY_NAME(vm, __class__)) {
    asy_value found = asy_super_find(vm, s->type, s->self, s->self_class, name);
    if (found != ASY_UNBOUND) return found;
  }
  return asy_generic_get_attr(vm, self, name);
}

static asy_value super_descr_get(asy_vm *vm, asy_value self, asy_value obj, asy_class *owner) {
  asy_super *s = super_of(self);
  if (obj == ASY_UNBOUND || obj == ASY_NONE || s->self != ASY_UNBOUND) return self;
  asy_value args[2] = {asy_from_obj(s->type), obj};
  return asy_call(vm, asy_from_obj(asy_class_of(vm, self)), 2, args);
}

static asy_value super_repr(asy_vm *vm, asy_value self) {
  asy_super *s = super_of(self);
  asy_str *text;
  if (!s->type) text = asy_str_from_cstr(vm, "<super: NULL, NULL>");
  else if (s->self_class) text = asy_str_format(vm, "<super: <class '%N'>, <%N object>>", s->type, s->self_class);
  else text = asy_str_format(vm, "<super: <class '%N'>, NULL>", s->type);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

static const asy_member super_members[] = {
  {"__thisclass__", offsetof(asy_super, type), MEMBER_OBJECT, false},
  {"__self__", offsetof(asy_super, self), MEMBER_VALUE, false},
  {"__self_class__", offsetof(asy_super, self_class), MEMBER_OBJECT, false},
  {0},
};

const asy_type asy_super_type = {
  .name = "super",
  .size = sizeof(asy_super),
  .visit = super_visit,
  .new_ = super_new,
  .init = super_init,
  .init_signature = SIG("(self, type=?, object_or_type=?, /)"),
  .repr = super_repr,
  .special = &(const asy_special){.get_attr = super_get_attr, .descr_get = super_descr_get},
  .members = super_members,
};
