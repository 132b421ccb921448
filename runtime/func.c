/* func.c - functions, bound methods and the cells that closures share. */
#include "runtime/func.h"
#include "runtime/class.h"

/* ---- Cells --------------------------------------------------------------------------------------------------------- */

asy_cell *asy_cell_new(asy_vm *vm, asy_value value) {
  asy_cell *cell = asy_new_kind(vm, KIND_CELL, sizeof *cell);
  if (cell) cell->value = value;
  return cell;
}

static void cell_visit(asy_obj *o, asy_visitor *v) { asy_visit_value(v, ((asy_cell *)o)->value); }

static asy_value cell_new(asy_vm *vm, const asy_value *args) {
  asy_cell *cell = asy_cell_new(vm, args[1]);
  return cell ? asy_from_obj(cell) : ASY_FAILED;
}

static asy_value cell_repr(asy_vm *vm, asy_value self) {
  asy_cell *cell = (asy_cell *)asy_obj_of(self);
  asy_str *s = cell->value == ASY_UNBOUND ? asy_str_format(vm, "<cell at %p: empty>", (void *)cell)
                                          : asy_str_format(vm, "<cell at %p: %T object at %p>", (void *)cell,
                                                           cell->value, (void *)(uintptr_t)cell->value);
  return s ? asy_from_obj(s) : ASY_FAILED;
}

static asy_value cell_get_contents(asy_vm *vm, const asy_value *args) {
  asy_value v = ((asy_cell *)asy_obj_of(args[0]))->value;
  return v == ASY_UNBOUND ? asy_raise(vm, ASY_ValueError, "Cell is empty") : v;
}

/* An UNBOUND value empties it. */
static asy_value cell_set_contents(asy_vm *vm, const asy_value *args) {
  asy_cell *cell = (asy_cell *)asy_obj_of(args[0]);
  asy_store(vm, cell, &cell->value, args[1]);
  return ASY_NONE;
}

/* By what they hold; an empty cell comes first. */
static asy_value cell_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op) {
  if (!asy_is_kind(other, KIND_CELL)) return ASY_NOT_IMPLEMENTED;
  asy_value a = ((asy_cell *)asy_obj_of(self))->value, b = ((asy_cell *)asy_obj_of(other))->value;
  if (a != ASY_UNBOUND && b != ASY_UNBOUND) return asy_compare(vm, a, b, op);
  return asy_compare(vm, asy_from_small(a != ASY_UNBOUND), asy_from_small(b != ASY_UNBOUND), op);
}

static const asy_native cell_methods[] = {
  {"cell_contents", SIG("(self)"), cell_get_contents, DOC("What the cell holds."), ASY_NATIVE_GETTER},
  {"cell_contents", SIG("(self, value)"), cell_set_contents, 0, ASY_NATIVE_SETTER},
  {0},
};
const asy_type asy_cell_type = {
  .name = "cell",
  .size = sizeof(asy_cell),
  .flags = ASY_TYPE_FINAL,
  .visit = cell_visit,
  .new_ = cell_new,
  .new_signature = SIG("(cls, contents=?, /)"),
  .repr = cell_repr,
  .compare = cell_compare,
  .methods = cell_methods,
};

/* ---- Functions ----------------------------------------------------------------------------------------------------- */

asy_func *asy_func_new(asy_vm *vm, asy_code *code, asy_dict *globals) {
  asy_func *func = asy_alloc(vm, KIND_FUNCTION, KIND_FUNCTION, sizeof *func + sizeof(asy_value)); /* with `more` */
  if (!func) return NULL;
  func->code = code;
  func->globals = globals;
  func->builtins = vm->builtins;
  func->name = code->name;
  func->qualname = code->qualname;
  func->doc = code->docstring;
  asy_value module = globals ? asy_dict_get_str(vm, globals, ASY_NAME(vm, __name__)) : ASY_UNBOUND;
  func->module = module == ASY_UNBOUND ? ASY_NONE : module;
  return func;
}

static void func_visit(asy_obj *o, asy_visitor *v) {
  asy_func *func = (asy_func *)o;
  asy_visit_obj(v, func->code);
  asy_visit_obj(v, func->globals);
  asy_visit_obj(v, func->builtins);
  asy_visit_obj(v, func->closure);
  asy_visit_obj(v, func->defaults);
  asy_visit_obj(v, func->kwdefaults);
  asy_visit_obj(v, func->name);
  asy_visit_obj(v, func->qualname);
  asy_visit_value(v, func->module);
  asy_visit_value(v, func->doc);
  asy_visit_value(v, func->annotations);
  asy_visit_value(v, func->type_params);
}

static asy_value func_new(asy_vm *vm, const asy_value *args) {
  if (!asy_is_kind(args[1], KIND_CODE))
    return asy_raise(vm, ASY_TypeError, "function() argument 'code' must be code, not %T", args[1]);
  if (!asy_is_kind(args[2], KIND_DICT))
    return asy_raise(vm, ASY_TypeError, "function() argument 'globals' must be dict, not %T", args[2]);
  asy_code *code = (asy_code *)asy_obj_of(args[1]);
  asy_value name = args[3], defaults = args[4], closure = args[5], kwdefaults = args[6];
  if (name != ASY_NONE && !asy_is_str(name)) return asy_raise(vm, ASY_TypeError, "arg 3 (name) must be None or string");
  if (defaults != ASY_NONE && !asy_is_kind(defaults, KIND_TUPLE))
    return asy_raise(vm, ASY_TypeError, "arg 4 (defaults) must be None or tuple");
  uint32_t given = asy_is_kind(closure, KIND_TUPLE) ? ((asy_tuple *)asy_obj_of(closure))->len : 0;
  if (closure != ASY_NONE && !asy_is_kind(closure, KIND_TUPLE))
    return asy_raise(vm, ASY_TypeError, "arg 5 (closure) must be %s", code->nfreevars ? "tuple" : "None or tuple");
  if (given != code->nfreevars)
    return asy_raise(vm, ASY_ValueError, "%U requires closure of length %u, not %u", code->name,
                     (unsigned)code->nfreevars, given);
  for (uint32_t i = 0; i < given; i++)
    if (!asy_is_kind(((asy_tuple *)asy_obj_of(closure))->items[i], KIND_CELL))
      return asy_raise(vm, ASY_TypeError, "arg 5 (closure) expected cell, found %T",
                       ((asy_tuple *)asy_obj_of(closure))->items[i]);
  asy_func *func = asy_func_new(vm, code, (asy_dict *)asy_obj_of(args[2]));
  if (!func) return ASY_FAILED;
  if (name != ASY_NONE) func->name = func->qualname = (asy_str *)asy_obj_of(name);
  if (defaults != ASY_NONE) func->defaults = (asy_tuple *)asy_obj_of(defaults);
  if (closure != ASY_NONE) func->closure = (asy_tuple *)asy_obj_of(closure);
  if (asy_is_kind(kwdefaults, KIND_DICT)) func->kwdefaults = (asy_dict *)asy_obj_of(kwdefaults);
  return asy_from_obj(func);
}

static asy_value func_repr(asy_vm *vm, asy_value self) {
  asy_func *func = (asy_func *)asy_obj_of(self);
  asy_str *s = asy_str_format(vm, "<function %U at %p>", func->qualname, (void *)func);
  return s ? asy_from_obj(s) : ASY_FAILED;
}

static asy_value func_descr_get(asy_vm *vm, asy_value self, asy_value obj, asy_class *owner) {
  (void)owner;
  return obj == ASY_UNBOUND || obj == ASY_NONE ? self : asy_method_new(vm, self, obj);
}

static asy_value func_call(asy_vm *vm, asy_value self, const asy_value *args, int nargs, asy_tuple *kwnames) {
  return asy_call_kw(vm, self, nargs, args, kwnames);
}

#define FUNC_SELF ((asy_func *)asy_obj_of(args[0]))
static asy_value or_none(const void *object) { return object ? asy_from_obj(object) : ASY_NONE; }

static asy_value func_get_defaults(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return or_none(FUNC_SELF->defaults);
}
static asy_value func_set_defaults(asy_vm *vm, const asy_value *args) {
  bool none = args[1] == ASY_NONE || args[1] == ASY_UNBOUND;
  if (!none && !asy_is_kind(args[1], KIND_TUPLE))
    return asy_raise(vm, ASY_TypeError, "__defaults__ must be set to a tuple object");
  FUNC_SELF->defaults = none ? NULL : (asy_tuple *)asy_obj_of(args[1]);
  asy_barrier(vm, FUNC_SELF);
  return ASY_NONE;
}
static asy_value func_get_kwdefaults(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return or_none(FUNC_SELF->kwdefaults);
}
static asy_value func_set_kwdefaults(asy_vm *vm, const asy_value *args) {
  bool none = args[1] == ASY_NONE || args[1] == ASY_UNBOUND;
  if (!none && !asy_is_kind(args[1], KIND_DICT))
    return asy_raise(vm, ASY_TypeError, "__kwdefaults__ must be set to a dict object");
  FUNC_SELF->kwdefaults = none ? NULL : (asy_dict *)asy_obj_of(args[1]);
  asy_barrier(vm, FUNC_SELF);
  return ASY_NONE;
}
static asy_value func_set_name(asy_vm *vm, const asy_value *args) {
  if (!asy_is_str(args[1])) return asy_raise(vm, ASY_TypeError, "__name__ must be set to a string object");
  FUNC_SELF->name = (asy_str *)asy_obj_of(args[1]);
  asy_barrier(vm, FUNC_SELF);
  return ASY_NONE;
}
static asy_value func_get_name(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return asy_from_obj(FUNC_SELF->name);
}
static asy_value func_get_qualname(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return asy_from_obj(FUNC_SELF->qualname);
}
static asy_value func_set_qualname(asy_vm *vm, const asy_value *args) {
  if (!asy_is_str(args[1])) return asy_raise(vm, ASY_TypeError, "__qualname__ must be set to a string object");
  FUNC_SELF->qualname = (asy_str *)asy_obj_of(args[1]);
  asy_barrier(vm, FUNC_SELF);
  return ASY_NONE;
}
static asy_value func_get_code(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return asy_from_obj(FUNC_SELF->code);
}
static asy_value func_set_code(asy_vm *vm, const asy_value *args) {
  if (!asy_is_kind(args[1], KIND_CODE)) return asy_raise(vm, ASY_TypeError, "__code__ must be set to a code object");
  asy_code *code = (asy_code *)asy_obj_of(args[1]);
  uint32_t cells = FUNC_SELF->closure ? FUNC_SELF->closure->len : 0;
  if (code->nfreevars != cells)
    return asy_raise(vm, ASY_ValueError, "%U() requires a code object with %u free vars, not %u", FUNC_SELF->name,
                     cells, (unsigned)code->nfreevars);
  FUNC_SELF->code = code;
  asy_barrier(vm, FUNC_SELF);
  return ASY_NONE;
}
static asy_value func_get_annotations(asy_vm *vm, const asy_value *args) {
  asy_func *func = FUNC_SELF;
  if (!func->annotations) {
    asy_dict *dict = asy_dict_new(vm, 0);
    if (!dict) return ASY_FAILED;
    asy_store(vm, func, &func->annotations, asy_from_obj(dict));
  }
  return func->annotations;
}
static asy_value func_set_annotations(asy_vm *vm, const asy_value *args) {
  bool none = args[1] == ASY_NONE || args[1] == ASY_UNBOUND;
  if (!none && !asy_is_kind(args[1], KIND_DICT))
    return asy_raise(vm, ASY_TypeError, "__annotations__ must be set to a dict object");
  asy_store(vm, FUNC_SELF, &FUNC_SELF->annotations, none ? 0 : args[1]);
  return ASY_NONE;
}
static asy_value func_get_type_params(asy_vm *vm, const asy_value *args) {
  return FUNC_SELF->type_params ? FUNC_SELF->type_params : asy_from_obj(vm->empty_tuple);
}
static asy_value func_set_type_params(asy_vm *vm, const asy_value *args) {
  if (!asy_is_kind(args[1], KIND_TUPLE)) return asy_raise(vm, ASY_TypeError, "__type_params__ must be set to a tuple");
  asy_store(vm, FUNC_SELF, &FUNC_SELF->type_params, args[1]);
  return ASY_NONE;
}
#undef FUNC_SELF

static const asy_native func_methods[] = {
  {"__name__", SIG("(self)"), func_get_name, DOC("The function's name."), ASY_NATIVE_GETTER},
  {"__name__", SIG("(self, value)"), func_set_name, 0, ASY_NATIVE_SETTER},
  {"__qualname__", SIG("(self)"), func_get_qualname, DOC("The name with the places it is nested in."),
   ASY_NATIVE_GETTER},
  {"__qualname__", SIG("(self, value)"), func_set_qualname, 0, ASY_NATIVE_SETTER},
  {"__code__", SIG("(self)"), func_get_code, DOC("The compiled code."), ASY_NATIVE_GETTER},
  {"__code__", SIG("(self, value)"), func_set_code, 0, ASY_NATIVE_SETTER},
  {"__defaults__", SIG("(self)"), func_get_defaults, DOC("Defaults of positional parameters."), ASY_NATIVE_GETTER},
  {"__defaults__", SIG("(self, value)"), func_set_defaults, 0, ASY_NATIVE_SETTER},
  {"__kwdefaults__", SIG("(self)"), func_get_kwdefaults, DOC("Defaults of keyword-only parameters."),
   ASY_NATIVE_GETTER},
  {"__kwdefaults__", SIG("(self, value)"), func_set_kwdefaults, 0, ASY_NATIVE_SETTER},
  {"__annotations__", SIG("(self)"), func_get_annotations, DOC("Annotations of parameters and result."),
   ASY_NATIVE_GETTER},
  {"__annotations__", SIG("(self, value)"), func_set_annotations, 0, ASY_NATIVE_SETTER},
  {"__type_params__", SIG("(self)"), func_get_type_params, DOC("Type parameters."), ASY_NATIVE_GETTER},
  {"__type_params__", SIG("(self, value)"), func_set_type_params, 0, ASY_NATIVE_SETTER},
  {0},
};
static const asy_member func_members[] = {
  {"__globals__", offsetof(asy_func, globals), MEMBER_OBJECT, false},
  {"__builtins__", offsetof(asy_func, builtins), MEMBER_OBJECT, false},
  {"__closure__", offsetof(asy_func, closure), MEMBER_OBJECT, false},
  {"__module__", offsetof(asy_func, module), MEMBER_VALUE, true},
  {"__doc__", offsetof(asy_func, doc), MEMBER_VALUE, true},
  {0},
};
const asy_type asy_function_type = {
  .name = "function",
  .size = sizeof(asy_func),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_ATTRS,
  .visit = func_visit,
  .new_ = func_new,
  .new_signature = SIG("(cls, code, globals, name=None, argdefs=None, closure=None, kwdefaults=None)"),
  .repr = func_repr,
  .special = &(const asy_special){.call = func_call, .descr_get = func_descr_get},
  .methods = func_methods,
  .members = func_members,
};

/* ---- Bound methods ------------------------------------------------------------------------------------------------- */

asy_value asy_method_new(asy_vm *vm, asy_value func, asy_value self) {
  asy_method *method = asy_new_kind(vm, KIND_METHOD, sizeof *method);
  if (!method) return ASY_FAILED;
  method->func = func;
  method->self = self;
  if (asy_is_kind(func, KIND_NATIVE))
    method->head.shape = asy_is_exact(func, KIND_WRAPPER_DESCRIPTOR) ? KIND_METHOD_WRAPPER : KIND_NATIVE;
  return asy_from_obj(method);
}

static void method_visit(asy_obj *o, asy_visitor *v) {
  asy_visit_value(v, ((asy_method *)o)->func);
  asy_visit_value(v, ((asy_method *)o)->self);
}

static asy_value method_new(asy_vm *vm, const asy_value *args) {
  if (!asy_callable(vm, args[1])) return asy_raise(vm, ASY_TypeError, "first argument must be callable");
  if (args[2] == ASY_NONE) return asy_raise(vm, ASY_TypeError, "instance must not be None");
  asy_value method = asy_method_new(vm, args[1], args[2]);
  if (!asy_failed(method)) asy_obj_of(method)->shape = KIND_METHOD;
  return method;
}

static asy_value method_repr(asy_vm *vm, asy_value self) {
  asy_method *method = (asy_method *)asy_obj_of(self);
  asy_str *s;
  asy_value name = ASY_NONE;
  if (asy_find_attr(vm, method->func, ASY_NAME(vm, __qualname__), &name) < 0) return ASY_FAILED;
  if (!asy_is_str(name) && asy_find_attr(vm, method->func, ASY_NAME(vm, __name__), &name) < 0) return ASY_FAILED;
  if (!asy_is_str(name)) s = asy_str_format(vm, "<bound method ? of %R>", method->self);
  else s = asy_str_format(vm, "<bound method %S of %R>", name, method->self);
  return s ? asy_from_obj(s) : ASY_FAILED;
}

bool asy_method_hash(asy_vm *vm, asy_value self, int64_t *out) {
  asy_method *method = (asy_method *)asy_obj_of(self);
  int64_t a = 0, b;
  asy_value object = asy_is_obj(method->self) ? asy_from_small((int64_t)(method->self >> 4)) : method->self;
  if (!asy_hash(vm, object, &a) || !asy_hash(vm, method->func, &b)) return false;
  *out = a ^ b;
  if (*out == -1) *out = -2;
  return true;
}

asy_value asy_method_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op) {
  if (!asy_is_kind(other, KIND_METHOD) || (op != COMPARE_EQ && op != COMPARE_NE)) return ASY_NOT_IMPLEMENTED;
  asy_method *a = (asy_method *)asy_obj_of(self), *b = (asy_method *)asy_obj_of(other);
  int equal = a->self == b->self ? asy_equal(vm, a->func, b->func) : 0;
  if (equal < 0) return ASY_FAILED;
  return asy_from_bool(equal == (op == COMPARE_EQ));
}

static asy_value method_call(asy_vm *vm, asy_value self, const asy_value *args, int nargs, asy_tuple *kwnames) {
  return asy_call_kw(vm, self, nargs, args, kwnames);
}

/* It is bound already. */
static asy_value method_descr_get(asy_vm *vm, asy_value self, asy_value obj, asy_class *owner) {
  (void)vm, (void)obj, (void)owner;
  return self;
}

/* Attributes of a bound method are those of its function, but for its own. */
static asy_value method_get_attr(asy_vm *vm, asy_value self, asy_str *name) {
  asy_lookup *record = asy_class_lookup(vm, vm->classes[KIND_METHOD], name);
  if (!record) return ASY_FAILED;
  const asy_method *method = (const asy_method *)asy_obj_of(self);
  if (record->kind != LOOKUP_ABSENT && name != ASY_NAME(vm, __doc__)) return asy_generic_get_attr(vm, self, name);
  if (!asy_check_c_stack(vm)) return ASY_FAILED; /* the function may be a method again */
  return asy_get_attr(vm, method->func, name);
}

/* (getattr, (instance, name)): a pickle finds the method again. */
static asy_value method_reduce(asy_vm *vm, const asy_value *args) {
  const asy_method *method = (const asy_method *)asy_obj_of(args[0]);
  asy_value name = asy_get_attr(vm, method->func, ASY_NAME(vm, __name__));
  asy_value path = name == ASY_FAILED ? ASY_FAILED : asy_tuple_of(vm, 2, method->self, name);
  if (path == ASY_FAILED) return ASY_FAILED;
  return asy_tuple_of(vm, 2, asy_dict_get_str(vm, vm->builtins, asy_intern(vm, "getattr")), path);
}

static const asy_native method_methods[] = {{"__reduce__", SIG("(self, /)"), method_reduce, 0, 0}, {0}};
static const asy_member method_members[] = {
  {"__func__", offsetof(asy_method, func), MEMBER_VALUE, false},
  {"__self__", offsetof(asy_method, self), MEMBER_VALUE, false},
  {0},
};
const asy_type asy_method_type = {
  .name = "method",
  .size = sizeof(asy_method),
  .flags = ASY_TYPE_FINAL,
  .visit = method_visit,
  .new_ = method_new,
  .new_signature = SIG("(cls, function, instance, /)"),
  .repr = method_repr,
  .hash = asy_method_hash,
  .compare = asy_method_compare,
  .special = &(const asy_special){.call = method_call, .descr_get = method_descr_get, .get_attr = method_get_attr},
  .methods = method_methods,
  .members = method_members,
};
