/* sys.c - the sys module, and module specs. It reaches into the VM, which is why it does not live in stdlib/. */
#include "runtime/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <float.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/builtins.h"
#include "runtime/class.h"
#include "runtime/descriptors.h"
#include "runtime/finders.h"
#include "runtime/frame.h"
#include "runtime/import.h"
#include "runtime/module.h"
#include "runtime/number.h"
#include "runtime/trace.h"
#include "runtime/traceback.h"

#ifndef ASY_VERSION
#define ASY_VERSION "0.1.0"
#endif

asy_value asy_sys_get(asy_vm *vm, asy_str *name) {
  if (!vm->sys_module || !asy_is_kind(vm->sys_module, KIND_MODULE)) return ASY_UNBOUND;
  return asy_dict_get_str(vm, ((asy_module *)asy_obj_of(vm->sys_module))->dict, name);
}

/* ---- Specs ---- */

/* Attributes, and the loader: 0 until it is asked for, when importlib makes the right one. */
typedef struct {
  asy_obj head;
  asy_value loader;
} module_spec;

static module_spec *spec_at(asy_value v) { return (module_spec *)asy_obj_of(v); }
static void spec_visit(asy_obj *o, asy_visitor *v) {
  if (((module_spec *)o)->loader) asy_visit_value(v, ((module_spec *)o)->loader);
}

static asy_value spec_new(asy_vm *vm, const asy_value *args) {
  void *spec = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  return spec ? asy_from_obj(spec) : ASY_FAILED;
}

static bool fill_spec(asy_vm *vm, asy_value spec, asy_value name, asy_value origin, asy_value locations,
                      asy_value state) {
  return asy_set_attr_cstr(vm, spec, "name", name) && asy_set_attr_cstr(vm, spec, "origin", origin) &&
         asy_set_attr_cstr(vm, spec, "loader_state", state) &&
         asy_set_attr_cstr(vm, spec, "submodule_search_locations", locations) &&
         asy_set_attr_cstr(vm, spec, "cached", ASY_NONE) && asy_set_attr_cstr(vm, spec, "has_location", ASY_FALSE);
}

/* (self, name, loader, *, origin=None, loader_state=None, is_package=None) */
static asy_value spec_init(asy_vm *vm, const asy_value *args) {
  int is_package = asy_truth(vm, args[5]);
  asy_list *locations = is_package > 0 ? asy_list_new(vm, 0) : NULL;
  if (is_package < 0 || (is_package && !locations)) return ASY_FAILED;
  asy_store(vm, spec_at(args[0]), &spec_at(args[0])->loader, args[2]);
  return fill_spec(vm, args[0], args[1], args[3], locations ? asy_from_obj(locations) : ASY_NONE, args[4]) ? ASY_NONE
                                                                                                           : ASY_FAILED;
}

static asy_value spec_get_loader(asy_vm *vm, const asy_value *args) {
  if (spec_at(args[0])->loader) return spec_at(args[0])->loader;
  asy_value importlib = asy_import(vm, "importlib._bootstrap");
  asy_value make = asy_failed(importlib) ? ASY_FAILED : asy_get_attr_cstr(vm, importlib, "loader_of");
  asy_value loader = asy_failed(make) ? ASY_FAILED : asy_call1(vm, make, args[0]);
  if (!asy_failed(loader)) asy_store(vm, spec_at(args[0]), &spec_at(args[0])->loader, loader);
  return loader;
}
static asy_value spec_set_loader(asy_vm *vm, const asy_value *args) {
  asy_store(vm, spec_at(args[0]), &spec_at(args[0])->loader, args[1] == ASY_UNBOUND ? ASY_NONE : args[1]);
  return ASY_NONE;
}

/* The package that holds the module; a package is its own. */
static asy_value spec_get_parent(asy_vm *vm, const asy_value *args) {
  asy_value name = asy_get_attr_cstr(vm, args[0], "name"),
            locations = asy_get_attr_cstr(vm, args[0], "submodule_search_locations");
  if (asy_failed(name) || asy_failed(locations)) return ASY_FAILED;
  return asy_parent_package(vm, name, locations != ASY_NONE);
}

static asy_value spec_repr(asy_vm *vm, asy_value self) {
  asy_value name = asy_get_attr_cstr(vm, self, "name"), loader = asy_get_attr_cstr(vm, self, "loader"),
            origin = asy_get_attr_cstr(vm, self, "origin"),
            locations = asy_get_attr_cstr(vm, self, "submodule_search_locations");
  if (asy_failed(name) || asy_failed(origin) || asy_failed(loader) || asy_failed(locations)) return ASY_FAILED;
  asy_str *text = asy_str_format(vm, "%N(name=%R, loader=%R", asy_class_of(vm, self), name, loader);
  if (text && origin != ASY_NONE) text = asy_str_format(vm, "%U, origin=%R", text, origin);
  if (text && locations != ASY_NONE) text = asy_str_format(vm, "%U, submodule_search_locations=%S", text, locations);
  text = text ? asy_str_format(vm, "%U)", text) : NULL;
  return text ? asy_from_obj(text) : ASY_FAILED;
}

static asy_value spec_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op) {
  static const char *const names[] = {"name",   "loader",      "origin", "submodule_search_locations",
                                      "cached", "has_location"};
  if ((op != COMPARE_EQ && op != COMPARE_NE) || asy_type_of(vm, self) != asy_type_of(vm, other))
    return ASY_NOT_IMPLEMENTED;
  for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
    asy_value a = asy_get_attr_cstr(vm, self, names[i]), b = asy_get_attr_cstr(vm, other, names[i]);
    int equal = asy_failed(a) || asy_failed(b) ? -1 : asy_equal(vm, a, b);
    if (equal <= 0) return equal ? ASY_FAILED : asy_from_bool(op == COMPARE_NE);
  }
  return asy_from_bool(op == COMPARE_EQ);
}

static const asy_native spec_methods[] = {
  {"loader", SIG("(self)"), spec_get_loader, DOC("What loads the module."), ASY_NATIVE_GETTER},
  {"loader", SIG("(self, value)"), spec_set_loader, 0, ASY_NATIVE_SETTER},
  {"parent", SIG("(self)"), spec_get_parent, DOC("The package that holds the module."), ASY_NATIVE_GETTER},
  {0},
};

static const asy_type spec_type = {
  .name = "_frozen_importlib.ModuleSpec",
  .doc = "The specification for a module, used for loading.",
  .size = sizeof(module_spec),
  .flags = ASY_TYPE_ATTRS | ASY_TYPE_UNHASHABLE,
  .visit = spec_visit,
  .new_ = spec_new,
  .new_signature = SIG("(cls, *args, **kwargs)"),
  .init = spec_init,
  .init_signature = SIG("(self, name, loader, *, origin=None, loader_state=None, is_package=None)"),
  .repr = spec_repr,
  .compare = spec_compare,
  .methods = spec_methods,
};

asy_value asy_new_spec(asy_vm *vm, asy_value name, asy_value origin, asy_value locations) {
  if (asy_failed(name) || asy_failed(origin) || asy_failed(locations)) return ASY_FAILED;
  void *made = asy_new_object(vm, &spec_type);
  if (!made) return ASY_FAILED;
  asy_value spec = asy_from_obj(made);
  bool is_file = asy_is_str(origin) && !asy_str_equal_cstr((asy_str *)asy_obj_of(origin), "built-in");
  return fill_spec(vm, spec, name, origin, locations, ASY_NONE) &&
             (!is_file || asy_set_attr_cstr(vm, spec, "has_location", ASY_TRUE))
           ? spec
           : ASY_FAILED;
}

/* ---- Functions ---- */

static asy_value sys_exit(asy_vm *vm, const asy_value *args) {
  asy_value cls = asy_from_obj(vm->exceptions[ASY_SystemExit]);
  asy_value error = args[0] == ASY_NONE                ? asy_call0(vm, cls)
                    : asy_is_kind(args[0], KIND_TUPLE) ? asy_call_ex(vm, cls, (asy_tuple *)asy_obj_of(args[0]), NULL)
                                                       : asy_call1(vm, cls, args[0]);
  return asy_failed(error) ? ASY_FAILED : asy_raise_value(vm, error);
}

static asy_value sys_getrecursionlimit(asy_vm *vm, const asy_value *args) {
  (void)args;
  return asy_from_small(vm->recursion_limit);
}

static asy_value sys_setrecursionlimit(asy_vm *vm, const asy_value *args) {
  int limit;
  if (!asy_to_c_int(vm, args[0], &limit)) return ASY_FAILED;
  if (limit < 1) return asy_raise(vm, ASY_ValueError, "recursion limit must be greater or equal than 1");
  if (vm->depth >= (uint32_t)limit)
    return asy_raise(vm, ASY_RecursionError,
                     "cannot set the recursion limit to %d at the recursion depth %u: the limit is too low", limit,
                     vm->depth);
  vm->recursion_limit = (uint32_t)limit;
  return ASY_NONE;
}

static asy_value handled(asy_vm *vm) { return vm->handled ? vm->handled : ASY_NONE; }

static asy_value sys_exception(asy_vm *vm, const asy_value *args) {
  (void)args;
  return handled(vm);
}

static asy_value sys_exc_info(asy_vm *vm, const asy_value *args) {
  (void)args;
  asy_value exception = handled(vm);
  if (exception == ASY_NONE) return asy_tuple_of(vm, 3, ASY_NONE, ASY_NONE, ASY_NONE);
  asy_value traceback = asy_get_attr(vm, exception, ASY_NAME(vm, __traceback__));
  if (asy_failed(traceback)) return ASY_FAILED;
  return asy_tuple_of(vm, 3, asy_from_obj(asy_class_of(vm, exception)), exception, traceback);
}

static asy_value sys_intern(asy_vm *vm, const asy_value *args) {
  if (!asy_is_str(args[0])) return asy_raise(vm, ASY_TypeError, "intern() argument must be str, not %T", args[0]);
  if (!asy_is_exact(args[0], KIND_STR)) return asy_raise(vm, ASY_TypeError, "can't intern %T", args[0]);
  asy_str *text = asy_str_intern(vm, (asy_str *)asy_obj_of(args[0]));
  return text ? asy_from_obj(text) : ASY_FAILED;
}

static asy_value sys_getsizeof(asy_vm *vm, const asy_value *args) {
  asy_str *name = asy_intern(vm, "__sizeof__");
  asy_value size = name ? asy_call_special(vm, args[0], name, 0, NULL) : ASY_FAILED;
  if (size != ASY_UNBOUND) {
    int64_t bytes;
    if (!asy_failed(size) && !asy_is_integer(size)) asy_raise(vm, ASY_TypeError, "an integer is required");
    else if (!asy_failed(size) && asy_to_int64(vm, size, &bytes))
      return bytes >= 0 ? size : asy_raise(vm, ASY_ValueError, "__sizeof__() should return >= 0");
    if (args[1] == ASY_UNBOUND || !asy_raised_is(vm, ASY_TypeError)) return ASY_FAILED;
    asy_clear_exception(vm);
    return args[1];
  }
  return asy_from_small(asy_is_obj(args[0]) ? asy_class_of(vm, args[0])->base_size : (int64_t)sizeof(asy_value));
}

static asy_value sys_getrefcount(asy_vm *vm, const asy_value *args) {
  (void)vm, (void)args;
  return asy_from_small(2);
}

static asy_value sys_displayhook(asy_vm *vm, const asy_value *args) {
  return asy_display_default(vm, args[0]) ? ASY_NONE : ASY_FAILED;
}

static asy_value sys_excepthook(asy_vm *vm, const asy_value *args) {
  asy_print_exception(vm, args[1]);
  return ASY_NONE;
}

static asy_value sys_unraisablehook(asy_vm *vm, const asy_value *args) {
  asy_value exception = asy_get_attr_cstr(vm, args[0], "exc_value"),
            message = asy_get_attr_cstr(vm, args[0], "err_msg"), where = asy_get_attr_cstr(vm, args[0], "object");
  if (asy_failed(exception) || asy_failed(message) || asy_failed(where)) return ASY_FAILED;
  asy_print_unraisable(vm, exception, message, where);
  return ASY_NONE;
}

/* Calls what PYTHONBREAKPOINT names: "package.module.function"; nothing when it is "0" or cannot be imported. */
static asy_value sys_breakpointhook(asy_vm *vm, const asy_value *args) {
  const char *target = getenv("PYTHONBREAKPOINT");
  if (!target || !*target) target = "pdb.set_trace";
  if (!strcmp(target, "0")) return ASY_NONE;
  const char *dot = strrchr(target, '.');
  asy_str *module_name = dot ? asy_str_new_utf8(vm, target, (size_t)(dot - target)) : ASY_NAME(vm, builtins);
  asy_value module = module_name ? asy_import_module(vm, module_name) : ASY_FAILED;
  asy_value function = asy_failed(module) ? ASY_FAILED : asy_get_attr_cstr(vm, module, dot ? dot + 1 : target);
  if (!asy_failed(function))
    return asy_call_ex(vm, function, (asy_tuple *)asy_obj_of(args[0]), (asy_dict *)asy_obj_of(args[1]));
  if (!asy_raised_is(vm, ASY_ImportError) && !asy_raised_is(vm, ASY_AttributeError)) return ASY_FAILED;
  asy_clear_exception(vm);
  asy_str *text = asy_str_format(vm, "RuntimeWarning: Ignoring unimportable $PYTHONBREAKPOINT: \"%s\"\n", target);
  asy_value keep = 0;
  size_t length;
  const char *utf8 = text ? asy_str_utf8(vm, text, &length, &keep) : NULL;
  return utf8 && asy_write_stderr(vm, utf8, length) ? ASY_NONE : ASY_FAILED;
}

static asy_value sys_get_int_max_str_digits(asy_vm *vm, const asy_value *args) {
  (void)args;
  return asy_from_small(asy_int_max_str_digits(vm));
}

static asy_value sys_set_int_max_str_digits(asy_vm *vm, const asy_value *args) {
  int64_t limit;
  if (!asy_to_int64(vm, args[0], &limit)) return ASY_FAILED;
  if (limit && (limit < 640 || limit > INT32_MAX))
    return asy_raise(vm, ASY_ValueError, "maxdigits must be 0 or larger than 640");
  asy_int_set_max_str_digits(vm, (uint32_t)limit);
  return ASY_NONE;
}

static asy_value *frame_at(asy_vm *vm, int64_t depth) {
  asy_value *base = vm->base;
  while (base && depth-- > 0) base = asy_frame_back(base);
  return base;
}

static asy_value sys_getframe(asy_vm *vm, const asy_value *args) {
  int64_t depth;
  if (!asy_to_int64(vm, args[0], &depth)) return ASY_FAILED;
  return asy_getframe(vm, depth < 0 ? 0 : depth > UINT32_MAX ? UINT32_MAX : (uint32_t)depth);
}

static asy_value sys_getframemodulename(asy_vm *vm, const asy_value *args) {
  int64_t depth;
  if (!asy_to_int64(vm, args[0], &depth)) return ASY_FAILED;
  asy_value *base = frame_at(vm, depth);
  asy_value name = base ? asy_dict_get_str(vm, asy_frame_func(base)->globals, ASY_NAME(vm, __name__)) : ASY_UNBOUND;
  return name == ASY_UNBOUND ? ASY_NONE : name;
}

static asy_value give_false(asy_vm *vm, const asy_value *args) {
  (void)vm, (void)args;
  return ASY_FALSE;
}
static asy_value give_utf8(asy_vm *vm, const asy_value *args) {
  (void)args;
  return asy_from_cstr(vm, "utf-8");
}
static asy_value give_errors(asy_vm *vm, const asy_value *args) {
  (void)args;
  return asy_from_cstr(vm, "surrogateescape");
}
static asy_value give_switch_interval(asy_vm *vm, const asy_value *args) {
  (void)args;
  return asy_from_double(vm, (double)vm->threads.interval / 1e9);
}

static asy_value set_switch_interval(asy_vm *vm, const asy_value *args) {
  double seconds;
  if (!asy_to_double(vm, args[0], &seconds)) return ASY_FAILED;
  if (!(seconds > 0)) return asy_raise(vm, ASY_ValueError, "switch interval must be strictly positive");
  vm->threads.interval = seconds < 1e9 ? (int64_t)(seconds * 1e9) : INT64_MAX / 4;
  return ASY_NONE;
}

static asy_value hook_or_none(asy_value hook) { return hook ? hook : ASY_NONE; }

static asy_value sys_get_asyncgen_hooks(asy_vm *vm, const asy_value *args) {
  (void)args;
  static const asy_member fields[] = {
    {"firstiter", ASY_RECORD(0), MEMBER_VALUE, false}, {"finalizer", ASY_RECORD(1), MEMBER_VALUE, false}, {0}};
  asy_class *cls = asy_define_record(vm, "asyncgen_hooks", fields);
  asy_value hooks[] = {hook_or_none(vm->async_gen_hooks[0]), hook_or_none(vm->async_gen_hooks[1])};
  return cls ? asy_record_new(vm, cls, hooks) : ASY_FAILED;
}

static asy_value sys_set_asyncgen_hooks(asy_vm *vm, const asy_value *args) {
  static const char *const names[] = {"firstiter", "finalizer"};
  for (int i = 0; i < 2; i++)
    if (args[i] != ASY_UNBOUND && args[i] != ASY_NONE && !asy_callable(vm, args[i]))
      return asy_raise(vm, ASY_TypeError, "callable %s expected, got %T", names[i], args[i]);
  for (int i = 0; i < 2; i++)
    if (args[i] != ASY_UNBOUND) vm->async_gen_hooks[i] = args[i] == ASY_NONE ? 0 : args[i];
  return ASY_NONE;
}

static asy_value function_or_none(asy_value v) { return v == ASY_NONE ? 0 : v; }

static asy_value sys_settrace(asy_vm *vm, const asy_value *args) {
  asy_trace_set(vm, function_or_none(args[0]), vm->profile);
  return ASY_NONE;
}
static asy_value sys_setprofile(asy_vm *vm, const asy_value *args) {
  asy_trace_set(vm, vm->trace, function_or_none(args[0]));
  return ASY_NONE;
}
static asy_value sys_settraceallthreads(asy_vm *vm, const asy_value *args) {
  asy_trace_set_all(vm, function_or_none(args[0]), ASY_UNBOUND);
  return ASY_NONE;
}
static asy_value sys_setprofileallthreads(asy_vm *vm, const asy_value *args) {
  asy_trace_set_all(vm, ASY_UNBOUND, function_or_none(args[0]));
  return ASY_NONE;
}
static asy_value sys_gettrace(asy_vm *vm, const asy_value *args) { return hook_or_none(vm->trace); }
static asy_value sys_getprofile(asy_vm *vm, const asy_value *args) { return hook_or_none(vm->profile); }
static asy_value sys_call_tracing(asy_vm *vm, const asy_value *args) {
  if (!asy_is_kind(args[1], KIND_TUPLE))
    return asy_raise(vm, ASY_TypeError, "call_tracing() argument 2 must be tuple, not %T", args[1]);
  return asy_trace_call(vm, args[0], (asy_tuple *)asy_obj_of(args[1]));
}

static asy_value sys_store_locals(asy_vm *vm, const asy_value *args) {
  if (!asy_is_kind(args[0], KIND_FRAME)) return asy_raise(vm, ASY_TypeError, "a frame is required, not %T", args[0]);
  asy_frame_store_locals(vm, args[0]);
  return ASY_NONE;
}

/* What is asked for rarely lies in _sys.asy; a name that is not there must not load it. */
static const char *const rare_names[] = {
  "_clear_internal_caches",
  "_clear_type_cache",
  "_current_exceptions",
  "_current_frames",
  "_debugmallocstats",
  "_is_gil_enabled",
  "_is_interned",
  "activate_stack_trampoline",
  "addaudithook",
  "audit",
  "deactivate_stack_trampoline",
  "get_coroutine_origin_tracking_depth",
  "getallocatedblocks",
  "getdlopenflags",
  "getunicodeinternedsize",
  "is_stack_trampoline_active",
  "monitoring",
  "set_coroutine_origin_tracking_depth",
  "setdlopenflags",
  "stdlib_module_names",
};

static bool is_rare(const asy_str *name) {
  for (size_t i = 0; i < sizeof rare_names / sizeof *rare_names; i++)
    if (asy_str_equal_cstr(name, rare_names[i])) return true;
  return false;
}

static asy_value sys_get_rare(asy_vm *vm, const asy_value *args) {
  if (!asy_is_str(args[0])) return asy_raise(vm, ASY_TypeError, "attribute name must be string, not '%T'", args[0]);
  asy_str *name = (asy_str *)asy_obj_of(args[0]);
  if (!is_rare(name))
    return asy_raise_attribute(vm, vm->sys_module, name, "module 'sys' has no attribute '%U'", args[0]);
  asy_value rare = asy_import(vm, "_sys"), value = asy_failed(rare) ? ASY_FAILED : asy_get_attr(vm, rare, name);
  asy_dict *dict = ((asy_module *)asy_obj_of(vm->sys_module))->dict;
  return asy_failed(value) || !asy_dict_set(vm, dict, args[0], value) ? ASY_FAILED : value;
}

static asy_value sys_keep_frames(asy_vm *vm, const asy_value *args) {
  (void)args;
  vm->keep_frames = true;
  return ASY_NONE;
}

static const asy_native sys_natives[] = {
  {"_keep_frames", SIG("()"), sys_keep_frames, DOC("Frames that an exception leaves keep their locals from now on."),
   0},
  {"_store_locals", SIG("(frame, /)"), sys_store_locals, DOC("What was put in f_locals becomes the frame's variables."),
   0},
  {"call_tracing", SIG("(func, args, /)"), sys_call_tracing, DOC("Call func(*args), while tracing is enabled."), 0},
  {"_getframe", SIG("(depth=0, /)"), sys_getframe, DOC("Return a frame object from the call stack."), 0},
  {"_getframemodulename", SIG("(depth=0)"), sys_getframemodulename,
   DOC("Return the name of the module for a calling frame."), 0},
  {"__getattr__", SIG("(name, /)"), sys_get_rare, 0, 0},
  {"breakpointhook", SIG("(*args, **kws)"), sys_breakpointhook, DOC("Called by the built-in function breakpoint."), 0},
  {"displayhook", SIG("(object, /)"), sys_displayhook,
   DOC("Print an object to sys.stdout and also save it in builtins._"), 0},
  {"exc_info", SIG("()"), sys_exc_info, DOC("Return current exception information: (type, value, traceback)."), 0},
  {"excepthook", SIG("(exctype, value, traceback, /)"), sys_excepthook,
   DOC("Handle an exception by displaying it with a traceback on sys.stderr."), 0},
  {"exception", SIG("()"), sys_exception, DOC("Return the current exception."), 0},
  {"exit", SIG("(status=None, /)"), sys_exit, DOC("Exit the interpreter by raising SystemExit(status)."), 0},
  {"get_asyncgen_hooks", SIG("()"), sys_get_asyncgen_hooks, 0, 0},
  {"get_int_max_str_digits", SIG("()"), sys_get_int_max_str_digits, 0, 0},
  {"getdefaultencoding", SIG("()"), give_utf8, 0, 0},
  {"getfilesystemencodeerrors", SIG("()"), give_errors, 0, 0},
  {"getfilesystemencoding", SIG("()"), give_utf8, 0, 0},
  {"getprofile", SIG("()"), sys_getprofile, DOC("Return the profiling function set with sys.setprofile."), 0},
  {"getrecursionlimit", SIG("()"), sys_getrecursionlimit, DOC("Return the current value of the recursion limit."), 0},
  {"getrefcount", SIG("(object, /)"), sys_getrefcount, DOC("asy counts no references: always 2."), 0},
  {"getsizeof", SIG("(object, default=?)"), sys_getsizeof, DOC("Return the size of object in bytes."), 0},
  {"getswitchinterval", SIG("()"), give_switch_interval, 0, 0},
  {"gettrace", SIG("()"), sys_gettrace, DOC("Return the global debug tracing function set with sys.settrace."), 0},
  {"intern", SIG("(string, /)"), sys_intern, DOC("Enter the given string into the table of interned strings."), 0},
  {"is_finalizing", SIG("()"), give_false, 0, 0},
  {"set_asyncgen_hooks", SIG("(firstiter=?, finalizer=?)"), sys_set_asyncgen_hooks, 0, 0},
  {"set_int_max_str_digits", SIG("(maxdigits)"), sys_set_int_max_str_digits, 0, 0},
  {"_setprofileallthreads", SIG("(function, /)"), sys_setprofileallthreads, DOC("setprofile() in all threads."), 0},
  {"setprofile", SIG("(function, /)"), sys_setprofile, DOC("Set the function that is told calls and returns."), 0},
  {"setrecursionlimit", SIG("(limit, /)"), sys_setrecursionlimit,
   DOC("Set the maximum depth of the Python interpreter stack to n."), 0},
  {"setswitchinterval", SIG("(interval, /)"), set_switch_interval, 0, 0},
  {"_settraceallthreads", SIG("(function, /)"), sys_settraceallthreads, DOC("settrace() in all threads."), 0},
  {"settrace", SIG("(function, /)"), sys_settrace,
   DOC("Set the function that is told calls, lines, returns and exceptions."), 0},
  {"unraisablehook", SIG("(unraisable, /)"), sys_unraisablehook, DOC("Show an exception that cannot be raised."), 0},
  {0},
};

/* ---- Constants ---- */

#define FIELD(name, i)                                                                                                 \
  { name, ASY_RECORD(i), MEMBER_VALUE, false }
static const asy_member version_fields[] = {FIELD("major", 0),        FIELD("minor", 1),  FIELD("micro", 2),
                                            FIELD("releaselevel", 3), FIELD("serial", 4), {0}};
static const asy_member float_fields[] = {FIELD("max", 0),   FIELD("max_exp", 1),  FIELD("max_10_exp", 2),
                                          FIELD("min", 3),   FIELD("min_exp", 4),  FIELD("min_10_exp", 5),
                                          FIELD("dig", 6),   FIELD("mant_dig", 7), FIELD("epsilon", 8),
                                          FIELD("radix", 9), FIELD("rounds", 10),  {0}};
static const asy_member int_fields[] = {FIELD("bits_per_digit", 0),
                                        FIELD("sizeof_digit", 1),
                                        FIELD("default_max_str_digits", 2),
                                        FIELD("str_digits_check_threshold", 3),
                                        {0}};
static const asy_member hash_fields[] = {
  FIELD("width", 0),     FIELD("modulus", 1),   FIELD("inf", 2),       FIELD("nan", 3),    FIELD("imag", 4),
  FIELD("algorithm", 5), FIELD("hash_bits", 6), FIELD("seed_bits", 7), FIELD("cutoff", 8), {0}};
enum { FLAG_ITEMS = 18 }; /* the fields behind are attributes only */
static const asy_member flag_fields[] = {FIELD("debug", 0),
                                         FIELD("inspect", 1),
                                         FIELD("interactive", 2),
                                         FIELD("optimize", 3),
                                         FIELD("dont_write_bytecode", 4),
                                         FIELD("no_user_site", 5),
                                         FIELD("no_site", 6),
                                         FIELD("ignore_environment", 7),
                                         FIELD("verbose", 8),
                                         FIELD("bytes_warning", 9),
                                         FIELD("quiet", 10),
                                         FIELD("hash_randomization", 11),
                                         FIELD("isolated", 12),
                                         FIELD("dev_mode", 13),
                                         FIELD("utf8_mode", 14),
                                         FIELD("warn_default_encoding", 15),
                                         FIELD("safe_path", 16),
                                         FIELD("int_max_str_digits", 17),
                                         FIELD("gil", 18),
                                         {0}};
static const asy_member thread_fields[] = {FIELD("name", 0), FIELD("lock", 1), FIELD("version", 2), {0}};
#undef FIELD

static bool set_record(asy_vm *vm, asy_value module, const char *attribute, const char *cls_name,
                       const asy_member *fields, const asy_value *items) {
  asy_class *cls = asy_define_record(vm, cls_name, fields);
  return cls && asy_module_set(vm, module, attribute, asy_record_new(vm, cls, items));
}

static asy_value small(int64_t i) { return asy_from_small(i); }

static bool add_records(asy_vm *vm, asy_value module) {
  asy_value version[] = {small(3), small(13), small(0), asy_from_cstr(vm, "final"), small(0)};
  asy_value floats[] = {asy_from_double(vm, DBL_MAX),
                        small(DBL_MAX_EXP),
                        small(DBL_MAX_10_EXP),
                        asy_from_double(vm, DBL_MIN),
                        small(DBL_MIN_EXP),
                        small(DBL_MIN_10_EXP),
                        small(DBL_DIG),
                        small(DBL_MANT_DIG),
                        asy_from_double(vm, DBL_EPSILON),
                        small(FLT_RADIX),
                        small(1)};
  asy_value ints[] = {small(30), small(4), small(4300), small(640)};
  asy_value hashes[] = {small(64),      small(((int64_t)1 << 61) - 1),  small(314159), small(0),
                        small(1000003), asy_from_cstr(vm, "siphash13"), small(64),     small(128),
                        small(0)};
  const asy_options *o = &vm->options;
  asy_value flags[] = {small(0),
                       small(o->inspect),
                       small(o->inspect),
                       small(o->optimize),
                       small(1),
                       small(o->no_user_site),
                       small(o->no_site),
                       small(o->ignore_environment),
                       small(o->verbose),
                       small(0),
                       small(o->quiet),
                       small(1),
                       small(o->isolated),
                       asy_from_bool(o->dev_mode),
                       small(1),
                       small(0),
                       asy_from_bool(o->safe_path),
                       small(vm->int_max_str_digits),
                       small(1)};
  asy_value threads[] = {asy_from_cstr(vm, "pthread"), asy_from_cstr(vm, "semaphore"), ASY_NONE};
  if (!set_record(vm, module, "version_info", "sys.version_info", version_fields, version)) return false;
  asy_class *cls;
  asy_value info = asy_get_attr_cstr(vm, module, "version_info"), implementation = asy_namespace_new(vm);
  return !asy_failed(info) && !asy_failed(implementation) &&
         asy_set_attr_cstr(vm, implementation, "name", asy_from_cstr(vm, "asy")) &&
         asy_set_attr_cstr(vm, implementation, "cache_tag", ASY_NONE) &&
         asy_set_attr_cstr(vm, implementation, "version", info) &&
         asy_set_attr_cstr(vm, implementation, "hexversion", small(0x030d00f0)) &&
         asy_module_set(vm, module, "implementation", implementation) &&
         set_record(vm, module, "float_info", "sys.float_info", float_fields, floats) &&
         set_record(vm, module, "int_info", "sys.int_info", int_fields, ints) &&
         set_record(vm, module, "hash_info", "sys.hash_info", hash_fields, hashes) &&
         (cls = asy_define_long_record(vm, "sys.flags", flag_fields, FLAG_ITEMS)) &&
         asy_module_set(vm, module, "flags", asy_record_new(vm, cls, flags)) &&
         set_record(vm, module, "thread_info", "sys.thread_info", thread_fields, threads);
}

static bool add_strings(asy_vm *vm, asy_value module) {
  static const struct {
    const char *name, *text;
  } rows[] = {
    {"version", "3.13.0 (asy " ASY_VERSION ")"},
    {"platform", "linux"},
    {"byteorder", "little"},
    {"copyright", "Copyright (c) the asy authors."},
    {"float_repr_style", "short"},
    {"prefix", "/usr"},
    {"exec_prefix", "/usr"},
    {"base_prefix", "/usr"},
    {"base_exec_prefix", "/usr"},
    {"platlibdir", "lib"},
    {"abiflags", ""},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (!asy_module_set(vm, module, rows[i].name, asy_from_cstr(vm, rows[i].text))) return false;
  char path[4096];
  ssize_t n = readlink("/proc/self/exe", path, sizeof path);
  return asy_module_set(vm, module, "executable", asy_from_text(vm, path, n > 0 ? (size_t)n : 0));
}

static asy_value text_list(asy_vm *vm, int n, const char *const *texts) {
  asy_list *list = asy_list_new(vm, (uint32_t)n);
  if (!list) return ASY_FAILED;
  for (int i = 0; i < n; i++) {
    asy_value text = asy_fs_decode(vm, texts[i], strlen(texts[i]));
    if (asy_failed(text) || !asy_list_append(vm, list, text)) return ASY_FAILED;
  }
  return asy_from_obj(list);
}

static asy_value argument_list(asy_vm *vm, int argc, char **argv) {
  static const char *const none[] = {""};
  return argc ? text_list(vm, argc, (const char *const *)argv) : text_list(vm, 1, none);
}

/* sys._xoptions: {"name": "value"}, or True where no value was given. */
static asy_value x_options(asy_vm *vm) {
  asy_dict *dict = asy_dict_new(vm, (uint32_t)vm->options.nx_options);
  for (int i = 0; dict && i < vm->options.nx_options; i++) {
    const char *text = vm->options.x_options[i], *equals = strchrnul(text, '=');
    asy_value name = asy_fs_decode(vm, text, (size_t)(equals - text));
    asy_value value = *equals ? asy_fs_decode(vm, equals + 1, strlen(equals + 1)) : ASY_TRUE;
    if (asy_failed(name) || asy_failed(value) || !asy_dict_set(vm, dict, name, value)) return ASY_FAILED;
  }
  return dict ? asy_from_obj(dict) : ASY_FAILED;
}

static asy_value native_names(asy_vm *vm) {
  asy_list *names = asy_list_new(vm, 16);
  if (!names) return ASY_FAILED;
  for (const asy_module_def *const *def = asy_native_modules; *def; def++) {
    asy_value name = asy_from_cstr(vm, (*def)->name);
    if (asy_failed(name) || !asy_list_append(vm, names, name)) return ASY_FAILED;
  }
  asy_tuple *tuple = asy_list_append(vm, names, ASY_NAME_VALUE(vm, builtins)) &&
                         asy_list_append(vm, names, ASY_NAME_VALUE(vm, sys))
                       ? asy_list_to_tuple(vm, names)
                       : NULL;
  return tuple ? asy_from_obj(tuple) : ASY_FAILED;
}

static asy_value new_list(asy_vm *vm) {
  asy_list *list = asy_list_new(vm, 0);
  return list ? asy_from_obj(list) : ASY_FAILED;
}

/* None for a descriptor that is closed. */
static asy_value stream(asy_value file, int fd) { return fcntl(fd, F_GETFD) < 0 ? ASY_NONE : file; }

static bool sys_module_init(asy_vm *vm, asy_value module) {
  const asy_options *o = &vm->options;
  asy_dict *cache = asy_dict_new(vm, 0);
  asy_value finders = new_list(vm);
  return cache && !asy_failed(finders) && add_records(vm, module) && add_strings(vm, module) &&
         asy_module_set(vm, module, "argv", argument_list(vm, vm->argc, vm->argv)) &&
         asy_module_set(vm, module, "orig_argv", argument_list(vm, o->original_argc, o->original_argv)) &&
         asy_module_set(vm, module, "_xoptions", x_options(vm)) &&
         asy_module_set(vm, module, "path", asy_from_obj(vm->path)) &&
         asy_module_set(vm, module, "modules", asy_from_obj(vm->modules)) &&
         asy_module_set(vm, module, "maxsize", asy_from_int64(vm, INT64_MAX)) &&
         asy_module_set(vm, module, "maxunicode", small(0x10ffff)) &&
         asy_module_set(vm, module, "hexversion", small(0x030d00f0)) &&
         asy_module_set(vm, module, "api_version", small(1013)) &&
         asy_module_set(vm, module, "dont_write_bytecode", ASY_TRUE) &&
         asy_module_set(vm, module, "pycache_prefix", ASY_NONE) && asy_module_set(vm, module, "meta_path", finders) &&
         asy_finders_init(vm, finders) && asy_module_set(vm, module, "path_hooks", new_list(vm)) &&
         asy_module_set(vm, module, "path_importer_cache", asy_from_obj(cache)) &&
         asy_module_set(vm, module, "warnoptions", text_list(vm, o->nwarnings, o->warnings)) &&
         asy_module_set(vm, module, "builtin_module_names", native_names(vm)) &&
         asy_module_set(vm, module, "stdin", stream(vm->stdin_file, STDIN_FILENO)) &&
         asy_module_set(vm, module, "__stdin__", stream(vm->stdin_file, STDIN_FILENO)) &&
         asy_module_set(vm, module, "stdout", stream(vm->stdout_file, STDOUT_FILENO)) &&
         asy_module_set(vm, module, "__stdout__", stream(vm->stdout_file, STDOUT_FILENO)) &&
         asy_module_set(vm, module, "stderr", stream(vm->stderr_file, STDERR_FILENO)) &&
         asy_module_set(vm, module, "__stderr__", stream(vm->stderr_file, STDERR_FILENO));
}

/* The two modules that are there before the first import. */
static bool set_spec(asy_vm *vm, asy_str *name) {
  asy_value origin = asy_from_cstr(vm, "built-in"), empty = asy_from_obj(vm->empty_str);
  asy_value spec = asy_new_spec(vm, asy_from_obj(name), origin, ASY_NONE);
  asy_value module = asy_dict_get_str(vm, vm->modules, name);
  return asy_module_set(vm, module, "__spec__", spec) && asy_module_set(vm, module, "__package__", empty);
}

bool asy_sys_init(asy_vm *vm) {
  static const asy_module_def def = {"sys", sys_natives, "The machine's own parameters and functions.",
                                     sys_module_init};
  asy_module *module = asy_module_from_def(vm, &def);
  if (!module) return false;
  vm->sys_module = asy_from_obj(module);
  static const char *const hooks[][2] = {{"excepthook", "__excepthook__"},
                                         {"displayhook", "__displayhook__"},
                                         {"breakpointhook", "__breakpointhook__"},
                                         {"unraisablehook", "__unraisablehook__"}};
  for (unsigned i = 0; i < 4; i++) { /* the originals, under a second name */
    asy_str *name = asy_intern(vm, hooks[i][0]), *original = asy_intern(vm, hooks[i][1]);
    if (!name || !original || !asy_dict_set_str(vm, module->dict, original, asy_dict_get_str(vm, module->dict, name)))
      return false;
  }
  return asy_dict_set_str(vm, vm->modules, ASY_NAME(vm, sys), vm->sys_module) && set_spec(vm, ASY_NAME(vm, sys)) &&
         set_spec(vm, ASY_NAME(vm, builtins));
}

/* ---- Time, for modules that do not see the VM ---- */

int64_t asy_clock_ns(asy_vm *vm, asy_clock_id clock) {
  switch (clock) {
    case ASY_CLOCK_WALL: return vm->gate.wall_ns(vm->gate.context);
    case ASY_CLOCK_CPU: return vm->gate.cpu_ns(vm->gate.context);
    default: return vm->gate.monotonic_ns(vm->gate.context);
  }
}

bool asy_usage(asy_vm *vm, int who, struct rusage *out) { return vm->gate.usage(vm->gate.context, who, out); }

bool asy_random_bytes(asy_vm *vm, void *out, size_t length) {
  if (vm->gate.random_bytes(vm->gate.context, out, length)) return true;
  asy_raise_errno(vm, errno, ASY_UNBOUND);
  return false;
}
