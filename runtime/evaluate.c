/* evaluate.c - compile, eval, exec, globals, locals, vars, dir, __import__, __build_class__. */
#include "runtime/evaluate.h"

#include <stdlib.h>

#include "runtime/ast_tree.h"
#include "runtime/builtins.h"
#include "runtime/class.h"
#include "runtime/frame.h"
#include "runtime/import.h"
#include "runtime/module.h"
#include "runtime/types/bytes.h"

/* ---- Namespaces of the running frame ---- */

asy_dict *asy_current_globals(asy_vm *vm) {
  if (vm->base) return asy_frame_func(vm->base)->globals;
  if (vm->main_module && asy_is_kind(vm->main_module, KIND_MODULE))
    return ((asy_module *)asy_obj_of(vm->main_module))->dict;
  asy_raise(vm, ASY_SystemError, "globals(): no script code runs");
  return NULL;
}

static bool add_local(asy_vm *vm, asy_dict *locals, asy_str *name, asy_value value, bool is_cell) {
  if (is_cell && value != ASY_UNBOUND) value = ((const asy_cell *)asy_obj_of(value))->value;
  if (!name->len || asy_str_at(name, 0) == '.' || value == ASY_UNBOUND) return true;
  return asy_dict_set_str(vm, locals, name, value);
}

asy_value asy_current_locals(asy_vm *vm) {
  if (!vm->base) {
    asy_dict *globals = asy_current_globals(vm);
    return globals ? asy_from_obj(globals) : ASY_FAILED;
  }
  const asy_value *base = vm->base;
  const asy_func *func = asy_frame_func(base);
  const asy_code *code = func->code;
  if (!(code->flags & CODE_OPTIMIZED)) return base[0];
  asy_dict *locals = asy_dict_new(vm, code->nlocals);
  if (!locals) return ASY_FAILED;
  uint32_t nparams = asy_code_nparams(code);
  for (int cells = 0; cells < 2; cells++) /* as CPython orders them: cells that are no parameters come last */
    for (uint32_t i = 0; i < code->nlocals; i++)
      if ((code->is_cell[i] && i >= nparams) == (cells == 1) &&
          !add_local(vm, locals, code->varnames[i], base[i], code->is_cell[i]))
        return ASY_FAILED;
  for (uint32_t i = 0; i < code->nfreevars && func->closure; i++)
    if (!add_local(vm, locals, code->freevars[i], func->closure->items[i], true)) return ASY_FAILED;
  return asy_from_obj(locals);
}

static asy_value builtin_globals(asy_vm *vm, const asy_value *args) {
  (void)args;
  asy_dict *globals = asy_current_globals(vm);
  return globals ? asy_from_obj(globals) : ASY_FAILED;
}

static asy_value builtin_locals(asy_vm *vm, const asy_value *args) {
  (void)args;
  return asy_current_locals(vm);
}

static asy_value builtin_vars(asy_vm *vm, const asy_value *args) {
  if (args[0] == ASY_UNBOUND) return asy_current_locals(vm);
  asy_value dict;
  int found = asy_find_attr(vm, args[0], ASY_NAME(vm, __dict__), &dict);
  if (found) return found > 0 ? dict : ASY_FAILED;
  return asy_raise(vm, ASY_TypeError, "vars() argument must have __dict__ attribute");
}

static asy_value builtin_dir(asy_vm *vm, const asy_value *args) {
  if (args[0] != ASY_UNBOUND) return asy_dir(vm, args[0]);
  asy_value locals = asy_current_locals(vm), keys = locals;
  if (!asy_failed(locals) && !asy_is_exact(locals, KIND_DICT))
    keys = asy_call_method(vm, locals, ASY_NAME(vm, keys), 0, NULL);
  asy_list *names = asy_failed(keys) ? NULL : asy_list_new(vm, 0);
  if (!names || !asy_list_extend(vm, names, keys) || !asy_list_sort(vm, names, ASY_NONE, false)) return ASY_FAILED;
  return asy_from_obj(names);
}

/* ---- Compiling and running ---- */

static asy_value compile_value(asy_vm *vm, asy_value source, const char *filename, asy_compile_mode_id mode,
                               unsigned flags, const char *who) {
  int tree = asy_is_tree(vm, source);
  if (tree) return tree < 0 ? ASY_FAILED : asy_compile_object(vm, source, filename, mode, flags);
  if (asy_is_str(source)) {
    asy_value keep = 0;
    size_t length;
    const char *text = asy_str_utf8(vm, (asy_str *)asy_obj_of(source), &length, &keep);
    if (!text) return ASY_FAILED;
    if (mode == ASY_MODE_EVAL)
      while (length && (*text == ' ' || *text == '\t')) text++, length--;
    asy_value code = asy_compile_text(vm, text, length, filename, mode, flags);
    __asm__ volatile("" : : "r"(keep) : "memory");
    return code;
  }
  if (asy_is_bytes_like(source)) {
    asy_buffer buffer;
    if (!asy_buffer_get(vm, source, &buffer)) return ASY_FAILED;
    asy_value code = asy_compile_text(vm, (const char *)buffer.data, buffer.len, filename, mode, flags);
    asy_buffer_release(vm, &buffer);
    return code;
  }
  return asy_raise(vm, ASY_TypeError, "%s arg 1 must be a string, bytes or %s object", who,
                   who[0] == 'c' ? "AST" : "code");
}

enum { COMPILE_KNOWN_FLAGS = 0x1ffff00 | 0x10 | 0x200 };

static asy_value builtin_compile(asy_vm *vm, const asy_value *args) {
  static const char *const modes[] = {[ASY_MODE_EXEC] = "exec", [ASY_MODE_EVAL] = "eval", [ASY_MODE_SINGLE] = "single"};
  asy_value filename = asy_is_kind(args[1], KIND_BYTES)
                         ? asy_call_method(vm, args[1], asy_intern(vm, "decode"), 0, NULL)
                         : args[1];
  const char *name, *mode;
  if (asy_failed(filename)) return ASY_FAILED;
  if (!asy_is_str(filename)) filename = asy_call_special(vm, args[1], ASY_NAME(vm, __fspath__), 0, NULL);
  if (filename == ASY_UNBOUND)
    return asy_raise(vm, ASY_TypeError, "expected str, bytes or os.PathLike object, not %T", args[1]);
  if (asy_failed(filename) || !asy_to_cstr(vm, filename, &name)) return ASY_FAILED;
  if (!asy_is_str(args[2]))
    return asy_raise(vm, ASY_TypeError, "compile() argument 'mode' must be str, not %T", args[2]);
  if (!asy_to_cstr(vm, args[2], &mode)) return ASY_FAILED;
  int64_t flags, optimize;
  if (!asy_to_int64(vm, args[3], &flags) || !asy_to_int64(vm, args[5], &optimize)) return ASY_FAILED;
  if (flags & ~(int64_t)COMPILE_KNOWN_FLAGS) return asy_raise(vm, ASY_ValueError, "compile(): unrecognised flags");
  if (optimize < -1 || optimize > 2) return asy_raise(vm, ASY_ValueError, "compile(): invalid optimize value");
  unsigned asked = (unsigned)flags & (ASY_COMPILE_ONLY_AST | ASY_COMPILE_ONLY_NAMES | ASY_COMPILE_TOP_LEVEL_AWAIT |
                                      ASY_COMPILE_FUTURE_ANNOTATIONS);
  asked |= optimize < 0 ? ASY_COMPILE_USUAL(vm) : optimize ? ASY_COMPILE_DROP_ASSERTS : 0u;
  for (unsigned i = 0; i < sizeof modes / sizeof *modes; i++)
    if (!strcmp(mode, modes[i])) return compile_value(vm, args[0], name, (asy_compile_mode_id)i, asked, "compile()");
  return asy_raise(vm, ASY_ValueError, "compile() mode must be 'exec', 'eval' or 'single'");
}

static bool is_mapping(asy_vm *vm, asy_value v) {
  asy_value fn, self;
  return asy_is_kind(v, KIND_DICT) || asy_find_special(vm, v, ASY_NAME(vm, __getitem__), &fn, &self) > 0;
}

/* globals and locals of eval and exec, given or not. */
static bool namespaces(asy_vm *vm, const char *who, asy_value *globals, asy_value *locals) {
  if (*globals != ASY_NONE && !asy_is_kind(*globals, KIND_DICT)) {
    if (who[1] == 'v')
      asy_raise(vm, ASY_TypeError,
                is_mapping(vm, *globals) ? "globals must be a real dict; try eval(code, {}, mapping)"
                                         : "globals must be a dict");
    else asy_raise(vm, ASY_TypeError, "exec() globals must be a dict, not %T", *globals);
    return false;
  }
  if (*locals != ASY_NONE && !is_mapping(vm, *locals)) {
    asy_raise(vm, ASY_TypeError, "locals must be a mapping or None, not %T", *locals);
    return false;
  }
  if (*globals == ASY_NONE) {
    asy_dict *current = asy_current_globals(vm);
    if (!current) return false;
    *globals = asy_from_obj(current);
    if (*locals == ASY_NONE) *locals = asy_current_locals(vm);
  } else if (*locals == ASY_NONE) *locals = *globals;
  if (asy_failed(*locals)) return false;
  asy_dict *dict = (asy_dict *)asy_obj_of(*globals);
  if (asy_dict_get_str(vm, dict, ASY_NAME(vm, __builtins__)) != ASY_UNBOUND) return true;
  return asy_dict_set_str(vm, dict, ASY_NAME(vm, __builtins__),
                          asy_dict_get_str(vm, vm->modules, ASY_NAME(vm, builtins)));
}

static bool is_closure(asy_value v, uint32_t n) {
  if (!asy_is_kind(v, KIND_TUPLE)) return false;
  const asy_tuple *cells = (const asy_tuple *)asy_obj_of(v);
  for (uint32_t i = 0; i < cells->len; i++)
    if (!asy_is_kind(cells->items[i], KIND_CELL)) return false;
  return cells->len == n;
}

static asy_value run(asy_vm *vm, const char *who, asy_compile_mode_id mode, asy_value source, asy_value globals,
                     asy_value locals, asy_value closure) {
  if (!namespaces(vm, who, &globals, &locals)) return ASY_FAILED;
  asy_value code_value = asy_is_kind(source, KIND_CODE)
                           ? source
                           : compile_value(vm, source, "<string>", mode, ASY_COMPILE_USUAL(vm), who);
  if (asy_failed(code_value)) return ASY_FAILED;
  asy_code *code = (asy_code *)asy_obj_of(code_value);
  asy_dict *dict = (asy_dict *)asy_obj_of(globals);
  if (closure == ASY_NONE) {
    if (code->nfreevars)
      return asy_raise(vm, ASY_TypeError, "code object passed to %s may not contain free variables", who);
    if (!(code->flags & CODE_OPTIMIZED)) return asy_run_code(vm, code, dict, locals);
  } else if (!code->nfreevars || !is_closure(closure, code->nfreevars)) {
    if (!code->nfreevars) return asy_raise(vm, ASY_TypeError, "cannot use a closure with this code object");
    return asy_raise(vm, ASY_TypeError, "code object requires a closure of exactly length %u",
                     (unsigned)code->nfreevars);
  }
  asy_func *func = asy_func_new(vm, code, dict); /* the code of a function: called without arguments */
  if (!func) return ASY_FAILED;
  if (closure != ASY_NONE) func->closure = (asy_tuple *)asy_obj_of(closure);
  asy_barrier(vm, func);
  return code->flags & CODE_OPTIMIZED ? asy_call0(vm, asy_from_obj(func)) : asy_run_body(vm, func, locals);
}

static asy_value builtin_eval(asy_vm *vm, const asy_value *args) {
  return run(vm, "eval()", ASY_MODE_EVAL, args[0], args[1], args[2], ASY_NONE);
}

static asy_value builtin_exec(asy_vm *vm, const asy_value *args) {
  return asy_failed(run(vm, "exec()", ASY_MODE_EXEC, args[0], args[1], args[2], args[3])) ? ASY_FAILED : ASY_NONE;
}

static asy_value builtin_import(asy_vm *vm, const asy_value *args) {
  if (!asy_is_str(args[0])) return asy_raise(vm, ASY_TypeError, "module name must be a string");
  asy_dict *globals = asy_is_kind(args[1], KIND_DICT) ? (asy_dict *)asy_obj_of(args[1]) : NULL;
  int level;
  if (!asy_to_int(vm, args[4], INT32_MIN, INT32_MAX, &level)) return ASY_FAILED;
  if (level > 0 && !globals) return asy_raise_key(vm, asy_from_cstr(vm, "'__name__' not in globals"));
  return asy_import_name(vm, (asy_str *)asy_obj_of(args[0]), globals, args[3], level);
}

/* ---- Classes ---- */

/* The bases with __mro_entries__ of those that are no classes put in their place; the same tuple when there is none. */
static asy_tuple *resolve_bases(asy_vm *vm, asy_tuple *bases) {
  asy_list *resolved = NULL;
  for (uint32_t i = 0; i < bases->len; i++) {
    asy_value base = bases->items[i], entries = ASY_UNBOUND, hook;
    if (!asy_is_kind(base, KIND_TYPE)) {
      int found = asy_find_attr(vm, base, ASY_NAME(vm, __mro_entries__), &hook);
      if (found < 0) return NULL;
      if (found) {
        entries = asy_call1(vm, hook, asy_from_obj(bases));
        if (asy_failed(entries)) return NULL;
        if (!asy_is_kind(entries, KIND_TUPLE)) {
          asy_raise(vm, ASY_TypeError, "__mro_entries__ must return a tuple");
          return NULL;
        }
      }
    }
    if (entries != ASY_UNBOUND && !resolved && !(resolved = asy_list_from(vm, bases->items, i))) return NULL;
    if (!resolved) continue;
    if (!(entries == ASY_UNBOUND ? asy_list_append(vm, resolved, base) : asy_list_extend(vm, resolved, entries)))
      return NULL;
  }
  return resolved ? asy_list_to_tuple(vm, resolved) : bases;
}

/* The namespace that the body fills. */
static asy_value prepare(asy_vm *vm, asy_value meta, asy_value name, asy_tuple *bases, asy_dict *kwargs) {
  if (meta == asy_from_obj(vm->classes[KIND_TYPE])) {
    asy_dict *ns = asy_dict_new(vm, 8);
    return ns ? asy_from_obj(ns) : ASY_FAILED;
  }
  asy_value hook;
  int found = asy_find_attr(vm, meta, ASY_NAME(vm, __prepare__), &hook);
  if (found < 0) return ASY_FAILED;
  if (!found) {
    asy_dict *ns = asy_dict_new(vm, 8);
    return ns ? asy_from_obj(ns) : ASY_FAILED;
  }
  asy_value pair[2] = {name, asy_from_obj(bases)};
  asy_tuple *args = asy_tuple_new(vm, pair, 2);
  asy_value ns = args ? asy_call_ex(vm, hook, args, kwargs) : ASY_FAILED;
  if (asy_failed(ns) || is_mapping(vm, ns)) return ns;
  if (!asy_is_kind(meta, KIND_TYPE))
    return asy_raise(vm, ASY_TypeError, "<metaclass>.__prepare__() must return a mapping, not %T", ns);
  return asy_raise(vm, ASY_TypeError, "%N.__prepare__() must return a mapping, not %T", (asy_class *)asy_obj_of(meta),
                   ns);
}

static asy_value choose_metaclass(asy_vm *vm, asy_value given, asy_tuple *bases) {
  if (given == ASY_UNBOUND)
    given = asy_from_obj(bases->len ? asy_type_of(vm, bases->items[0]) : vm->classes[KIND_TYPE]);
  if (!asy_is_kind(given, KIND_TYPE)) return given;
  asy_class *best = asy_class_metaclass(vm, (asy_class *)asy_obj_of(given), bases);
  return best ? asy_from_obj(best) : ASY_FAILED;
}

static asy_value builtin_build_class(asy_vm *vm, const asy_value *args) {
  asy_value name = args[1], metaclass = args[3];
  asy_tuple *given = (asy_tuple *)asy_obj_of(args[2]);
  asy_dict *kwargs = (asy_dict *)asy_obj_of(args[4]);
  if (!asy_is_kind(args[0], KIND_FUNCTION))
    return asy_raise(vm, ASY_TypeError, "__build_class__: func must be a function");
  if (!asy_is_str(name)) return asy_raise(vm, ASY_TypeError, "__build_class__: name is not a string");
  asy_tuple *bases = resolve_bases(vm, given);
  asy_value meta = bases ? choose_metaclass(vm, metaclass, bases) : ASY_FAILED;
  asy_value ns = asy_failed(meta) ? ASY_FAILED : prepare(vm, meta, name, bases, kwargs);
  if (asy_failed(ns)) return ASY_FAILED;
  asy_value cell = asy_run_body(vm, (asy_func *)asy_obj_of(args[0]),
                                ns); /* the body returns its __class__ cell, or None */
  if (asy_failed(cell)) return ASY_FAILED;
  if (bases != given && !asy_set_item(vm, ns, asy_from_obj(asy_intern(vm, "__orig_bases__")), asy_from_obj(given)))
    return ASY_FAILED;
  asy_value parts[3] = {name, asy_from_obj(bases), ns};
  asy_tuple *call = asy_tuple_new(vm, parts, 3);
  asy_value cls = call ? asy_call_ex(vm, meta, call, kwargs) : ASY_FAILED;
  if (asy_failed(cls) || !asy_is_kind(cls, KIND_TYPE) || !asy_is_kind(cell, KIND_CELL)) return cls;
  asy_value set = ((asy_cell *)asy_obj_of(cell))->value;
  if (set == ASY_UNBOUND)
    return asy_raise(vm, ASY_RuntimeError,
                     "__class__ not set defining %R as %R. Was __classcell__ propagated to type.__new__?", name, cls);
  if (set != cls) return asy_raise(vm, ASY_TypeError, "__class__ set to %R defining %R as %R", set, name, cls);
  return cls;
}

const asy_native asy_evaluate_natives[] = {
  {"__build_class__", SIG("(func, name, /, *bases, metaclass=?, **kwds)"), builtin_build_class,
   DOC("Internal helper function used by the class statement."), 0},
  {"__import__", SIG("(name, globals=None, locals=None, fromlist=(), level=0)"), builtin_import,
   DOC("Import a module."), 0},
  {"compile", SIG("(source, filename, mode, flags=0, dont_inherit=False, optimize=-1, *, _feature_version=-1)"),
   builtin_compile, DOC("Compile source into a code object that can be executed by exec() or eval()."), 0},
  {"dir", SIG("(object=?, /)"), builtin_dir, DOC("dir([object]) -> list of strings"), 0},
  {"eval", SIG("(source, /, globals=None, locals=None)"), builtin_eval,
   DOC("Evaluate the given source in the context of globals and locals."), 0},
  {"exec", SIG("(source, /, globals=None, locals=None, *, closure=None)"), builtin_exec,
   DOC("Execute the given source in the context of globals and locals."), 0},
  {"globals", SIG("()"), builtin_globals, DOC("Return the dictionary containing the current scope's global variables."),
   0},
  {"locals", SIG("()"), builtin_locals, DOC("Return a dictionary containing the current scope's local variables."), 0},
  {"vars", SIG("(object=?, /)"), builtin_vars, DOC("vars([object]) -> dictionary"), 0},
  {0},
};
