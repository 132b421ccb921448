/* testcapi.c - the module _testcapi, which CPython's own tests of calls ask for: natives with each kind of parameter list, as functions
 * of a module, methods, class methods and static methods, and calls made from C. It is there to hold asy against those tests.
 */
#include "runtime/asy.h"

/* (self, args): what was received */
static asy_value meth_args(asy_vm *vm, const asy_value *args) { return asy_tuple_of(vm, 2, args[0], args[1]); }

static asy_value meth_keywords(asy_vm *vm, const asy_value *args) {
  return asy_tuple_of(vm, 3, args[0], args[1], args[2]);
}

static asy_value meth_self(asy_vm *vm, const asy_value *args) { return args[0]; }

/* The same without self, which is None then. */
static asy_value static_args(asy_vm *vm, const asy_value *args) { return asy_tuple_of(vm, 2, ASY_NONE, args[0]); }
static asy_value static_keywords(asy_vm *vm, const asy_value *args) {
  const asy_value with_self[] = {ASY_NONE, args[0], args[1]};
  return meth_keywords(vm, with_self);
}
static asy_value static_self(asy_vm *vm, const asy_value *args) { return ASY_NONE; }

#define METHODS(flags)                                                                                                 \
  {"meth_varargs", SIG("(self, /, *args)"), meth_args, 0, flags},                                                      \
    {"meth_varargs_keywords", SIG("(self, /, *args, **kwargs)"), meth_keywords, 0, flags},                             \
    {"meth_o", SIG("(self, arg, /)"), meth_args, 0, flags}, {"meth_noargs", SIG("(self, /)"), meth_self, 0, flags},    \
    {"meth_fastcall", SIG("(self, /, *args)"), meth_args, 0, flags},                                                   \
    {"meth_fastcall_keywords", SIG("(self, /, *args, **kwargs)"), meth_keywords, 0, flags}, {                          \
    0                                                                                                                  \
  }

static const asy_native instance_methods[] = {METHODS(0)};
static const asy_native class_methods[] = {METHODS(ASY_NATIVE_CLASS)};
static const asy_native static_methods[] = {
  {"meth_varargs", SIG("(*args)"), static_args, 0, ASY_NATIVE_STATIC},
  {"meth_varargs_keywords", SIG("(*args, **kwargs)"), static_keywords, 0, ASY_NATIVE_STATIC},
  {"meth_o", SIG("(arg, /)"), static_args, 0, ASY_NATIVE_STATIC},
  {"meth_noargs", SIG("()"), static_self, 0, ASY_NATIVE_STATIC},
  {"meth_fastcall", SIG("(*args)"), static_args, 0, ASY_NATIVE_STATIC},
  {"meth_fastcall_keywords", SIG("(*args, **kwargs)"), static_keywords, 0, ASY_NATIVE_STATIC},
  {0},
};

static asy_value make(asy_vm *vm, const asy_value *args) {
  void *o = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  return o ? asy_from_obj(o) : ASY_FAILED;
}

static const asy_type instance_type = {.name = "_testcapi.MethInstance",
                                       .size = sizeof(asy_obj),
                                       .new_ = make,
                                       .new_signature = SIG("(cls)"),
                                       .methods = instance_methods};
static const asy_type class_type = {.name = "_testcapi.MethClass",
                                    .size = sizeof(asy_obj),
                                    .new_ = make,
                                    .new_signature = SIG("(cls)"),
                                    .methods = class_methods};
static const asy_type static_type = {.name = "_testcapi.MethStatic",
                                     .size = sizeof(asy_obj),
                                     .new_ = make,
                                     .new_signature = SIG("(cls)"),
                                     .methods = static_methods};

/* ---- Calls from C ---- */

static asy_value empty_tuple(asy_vm *vm) {
  asy_tuple *empty = asy_tuple_new(vm, NULL, 0);
  return empty ? asy_from_obj(empty) : ASY_FAILED;
}

/* (function, args, kwargs): args a tuple or None, kwargs a dict or None */
static asy_value call_dict(asy_vm *vm, const asy_value *args) {
  asy_value positional = args[1] == ASY_NONE ? empty_tuple(vm) : args[1];
  if (asy_failed(positional)) return ASY_FAILED;
  if (!asy_is_kind(positional, KIND_TUPLE)) return asy_raise(vm, ASY_TypeError, "args must be None or a tuple");
  if (args[2] != ASY_NONE && !asy_is_kind(args[2], KIND_DICT))
    return asy_raise(vm, ASY_TypeError, "kwnames must be None or a dict");
  return asy_call_ex(vm, args[0], (asy_tuple *)asy_obj_of(positional),
                     args[2] == ASY_NONE ? NULL : (asy_dict *)asy_obj_of(args[2]));
}

static asy_value call_plain(asy_vm *vm, const asy_value *args) {
  const asy_value with_none[] = {args[0], args[1], ASY_NONE};
  return call_dict(vm, with_none);
}

/* (function, args, names): the last arguments are named */
static asy_value call_names(asy_vm *vm, const asy_value *args) {
  asy_value all = args[1] == ASY_NONE ? empty_tuple(vm) : args[1];
  if (asy_failed(all)) return ASY_FAILED;
  if (!asy_is_kind(all, KIND_TUPLE) || (args[2] != ASY_NONE && !asy_is_kind(args[2], KIND_TUPLE)))
    return asy_raise(vm, ASY_TypeError, "args and kwnames must be None or tuples");
  asy_tuple *given = (asy_tuple *)asy_obj_of(all),
            *names = args[2] == ASY_NONE ? NULL : (asy_tuple *)asy_obj_of(args[2]);
  if (names && names->len > given->len)
    return asy_raise(vm, ASY_ValueError, "%u names for %u arguments", names->len, given->len);
  return asy_call_kw(vm, args[0], (int)given->len, given->items, names && names->len ? names : NULL);
}

static const asy_native natives[] = {
  {"pyobject_fastcall", SIG("(function, args, /)"), call_plain, 0, 0},
  {"pyobject_fastcalldict", SIG("(function, args, kwargs, /)"), call_dict, 0, 0},
  {"pyobject_vectorcall", SIG("(function, args, names, /)"), call_names, 0, 0},
  {"pyvectorcall_call", SIG("(function, args, kwargs=None, /)"), call_dict, 0, 0},
  {0},
};

static bool init(asy_vm *vm, asy_value module) {
  asy_value name = asy_from_cstr(vm, "_testcapi");
  for (const asy_native *row = instance_methods; row->name; row++) {
    asy_value function = asy_failed(name) ? ASY_FAILED : asy_new_native(vm, row, module, name);
    if (asy_failed(function) || !asy_module_set(vm, module, row->name, function)) return false;
  }
  return asy_module_add_type(vm, module, "MethInstance", &instance_type) &&
         asy_module_add_type(vm, module, "MethClass", &class_type) &&
         asy_module_add_type(vm, module, "MethStatic", &static_type);
}

const asy_module_def asy_module_testcapi = {"_testcapi", natives, "Calls as CPython's tests want them.", init};
