/* import.c - making and running modules. Where they come from is said in finders.h.
 * A module is in sys.modules before its body runs, so that cycles end; it is taken out again when the body raises.
 */
#include "runtime/import.h"

#include <limits.h>
#include <stdlib.h>

#include "runtime/builtins.h"
#include "runtime/class.h"
#include "runtime/file.h"
#include "runtime/finders.h"
#include "runtime/frame.h"
#include "runtime/module.h"
#include "runtime/scripts.h"
#include "runtime/sys.h"

/* ---- Errors ---- */

static asy_value raise_import(asy_vm *vm, asy_value error, asy_value name, asy_value path) {
  if (asy_failed(error)) return ASY_FAILED;
  if (!asy_set_attr_cstr(vm, error, "name", name) || !asy_set_attr_cstr(vm, error, "path", path)) return ASY_FAILED;
  return asy_raise_value(vm, error);
}

static asy_value raise_not_found(asy_vm *vm, asy_str *name, asy_str *parent) {
  asy_value full = asy_from_obj(name);
  asy_value error = parent ? asy_new_exception(vm, ASY_ModuleNotFoundError, "No module named %R; %R is not a package",
                                               full, asy_from_obj(parent))
                           : asy_new_exception(vm, ASY_ModuleNotFoundError, "No module named %R", full);
  return raise_import(vm, error, full, ASY_NONE);
}

/* ---- Loading ---- */

static asy_value parent_of(asy_vm *vm, asy_str *name, bool is_package) {
  if (is_package) return asy_from_obj(name);
  for (uint32_t i = name->len; i-- > 0;) {
    if (asy_str_at(name, i) != '.') continue;
    asy_str *parent = asy_str_slice(vm, name, 0, i);
    return parent ? asy_from_obj(parent) : ASY_FAILED;
  }
  return asy_from_obj(vm->empty_str);
}

asy_value asy_parent_package(asy_vm *vm, asy_value name, bool is_package) {
  if (!asy_is_str(name)) return asy_raise(vm, ASY_TypeError, "module name must be str, not %T", name);
  return parent_of(vm, (asy_str *)asy_obj_of(name), is_package);
}

/* __package__, __spec__ and, for packages, __path__. */
static bool describe(asy_vm *vm, asy_value module, asy_str *name, asy_value origin, asy_value path, bool is_package) {
  asy_value package = parent_of(vm, name, is_package), spec = asy_new_spec(vm, asy_from_obj(name), origin, path);
  return asy_module_set(vm, module, "__package__", package) && asy_module_set(vm, module, "__spec__", spec) &&
         (!is_package || asy_module_set(vm, module, "__path__", path));
}

static asy_value folder_list(asy_vm *vm, const char *path) {
  const char *slash = strrchr(path, '/');
  asy_value folder = asy_from_text(vm, path, slash ? (size_t)(slash - path) : 0);
  asy_list *list = asy_failed(folder) ? NULL : asy_list_from(vm, &folder, 1);
  return list ? asy_from_obj(list) : ASY_FAILED;
}

/* Who runs the body of a module: on the C stack of that thread. */
typedef struct asy_body_run {
  asy_obj *module;
  asy_thread *thread;
  struct asy_body_run *outer; /* of any thread */
} asy_body_run;

static asy_value run_module_body(asy_vm *vm, asy_module *module, asy_code *code) {
  asy_body_run run = {.module = &module->head, .thread = vm->thread, .outer = vm->threads.bodies};
  vm->threads.bodies = &run;
  module->head.flags |= MODULE_INITIALIZING;
  asy_value result = asy_run_code(vm, code, module->dict, asy_from_obj(module->dict));
  module->head.flags &= (uint16_t)~MODULE_INITIALIZING;
  asy_body_run **link = &vm->threads.bodies; /* runs of other threads may lie above */
  while (*link != &run) link = &(*link)->outer;
  *link = run.outer;
  return result;
}

static const asy_body_run *run_of(asy_vm *vm, const asy_obj *module) {
  const asy_body_run *run = vm->threads.bodies;
  while (run && run->module != module) run = run->outer;
  return run;
}

/* Whether the body waits, through others or not, for one that this thread runs: then it is seen half done, as in any cycle. */
static bool waits_for_us(asy_vm *vm, const asy_body_run *run) {
  while (run && run->thread != vm->thread) run = run->thread->import ? run_of(vm, run->thread->import) : NULL;
  return run != NULL;
}

/* Until another thread is done with the body of a module. False: a signal handler raised. */
static bool wait_for_body(asy_vm *vm, asy_obj *module) {
  static const int64_t LOOK_AGAIN_NS = 1000000;
  bool ok = true;
  const asy_body_run *run;
  while (ok && (run = run_of(vm, module)) && !waits_for_us(vm, run)) {
    vm->thread->import = module;
    ok = asy_sleep_ns(vm, LOOK_AGAIN_NS);
    vm->thread->import = NULL;
  }
  return ok;
}

/* Runs text as the body of a new module of this name. */
static asy_value load_text(asy_vm *vm, asy_str *name, const char *text, size_t length, const char *path,
                           bool is_package) {
  asy_value code = asy_compile_text(vm, text, length, path, ASY_MODE_EXEC, ASY_COMPILE_USUAL(vm));
  asy_module *module = asy_failed(code) ? NULL : asy_module_new(vm, name);
  if (!module) return ASY_FAILED;
  asy_value self = asy_from_obj(module), file = asy_from_cstr(vm, path);
  asy_value folders = is_package ? folder_list(vm, path) : ASY_NONE;
  asy_value builtins = asy_from_obj(vm->builtins); /* the dict; __main__ has the module */
  if (asy_failed(folders) || !asy_module_set(vm, self, "__file__", file) ||
      !describe(vm, self, name, file, folders, is_package) || !asy_module_set(vm, self, "__builtins__", builtins) ||
      !asy_dict_set_str(vm, vm->modules, name, self))
    return ASY_FAILED;
  asy_value result = run_module_body(vm, module, (asy_code *)asy_obj_of(code));
  if (!asy_failed(result)) return self;
  asy_value exception = asy_take_exception(vm);
  asy_dict_delete(vm, vm->modules, asy_from_obj(name), NULL);
  asy_set_exception(vm, exception);
  return ASY_FAILED;
}

static asy_value load_embedded(asy_vm *vm, asy_str *name, const asy_embedded *embedded) {
  char path[PATH_MAX];
  size_t length;
  char *text = asy_embedded_text(vm, embedded, &length);
  if (!text) return ASY_FAILED;
  asy_embedded_path(embedded, path);
  asy_value module = load_text(vm, name, text, length, path, embedded->is_package);
  free(text);
  return module;
}

static asy_value load_native(asy_vm *vm, asy_str *name, const asy_module_def *def) {
  asy_module *module = asy_module_from_def(vm, def);
  if (!module) return ASY_FAILED;
  asy_value self = asy_from_obj(module), origin = asy_from_cstr(vm, "built-in");
  if (asy_failed(origin) || !describe(vm, self, name, origin, ASY_NONE, false)) return ASY_FAILED;
  return asy_dict_set_str(vm, vm->modules, name, self) ? self : ASY_FAILED;
}

static asy_value load_namespace(asy_vm *vm, asy_str *name, asy_list *portions) {
  asy_module *module = asy_module_new(vm, name);
  if (!module) return ASY_FAILED;
  asy_value self = asy_from_obj(module);
  if (!describe(vm, self, name, ASY_NONE, asy_from_obj(portions), true) ||
      !asy_module_set(vm, self, "__file__", ASY_NONE))
    return ASY_FAILED;
  return asy_dict_set_str(vm, vm->modules, name, self) ? self : ASY_FAILED;
}

/* A script's finder has made the spec: a script loads it. */
static asy_value load_spec(asy_vm *vm, asy_value spec) {
  asy_value importlib = asy_import(vm, "importlib._bootstrap");
  asy_value load = asy_failed(importlib) ? ASY_FAILED : asy_get_attr_cstr(vm, importlib, "load_spec");
  return asy_failed(load) ? ASY_FAILED : asy_call1(vm, load, spec);
}

static asy_value load(asy_vm *vm, asy_str *name, const asy_finding *f) {
  char *text;
  size_t length;
  switch (f->what) {
    case FOUND_NATIVE: return load_native(vm, name, f->native);
    case FOUND_EMBEDDED: return load_embedded(vm, name, f->embedded);
    case FOUND_NAMESPACE: return load_namespace(vm, name, f->portions);
    case FOUND_SPEC: return load_spec(vm, f->spec);
    case FOUND_FILE: break;
    default: return raise_not_found(vm, name, NULL);
  }
  if (!asy_read_whole_file(vm, f->path, &text, &length)) return ASY_FAILED;
  asy_value module = load_text(vm, name, text, length, f->path, f->is_package);
  free(text);
  return module;
}

asy_value asy_load_builtin(asy_vm *vm, asy_str *name) {
  asy_finding *f = calloc(1, sizeof *f);
  if (!f) return asy_raise_no_memory(vm);
  asy_value module = asy_find_builtin(vm, name, f) ? load(vm, name, f) : ASY_FAILED;
  free(f);
  return module;
}

/* ---- Importing ---- */

/* -X importtime: the time that modules inside the one being imported have taken. */
struct asy_import_state {
  int64_t inside;
  int depth;
};

static void write_line(asy_vm *vm, asy_str *line) {
  asy_value keep = 0;
  size_t length;
  const char *text = line ? asy_str_utf8(vm, line, &length, &keep) : NULL;
  if (text) (void)asy_write_stderr(vm, text, length);
}

static asy_value load_timed(asy_vm *vm, asy_str *name, const asy_finding *f) {
  if (!vm->import_state) {
    vm->import_state = calloc(1, sizeof *vm->import_state);
    if (!vm->import_state) return asy_raise_no_memory(vm);
    write_line(vm, asy_str_format(vm, "import time: self [us] | cumulative | imported package\n"));
  }
  struct asy_import_state *state = vm->import_state;
  int64_t before = state->inside, start = asy_clock_ns(vm, ASY_CLOCK_MONOTONIC);
  state->inside = 0;
  state->depth++;
  asy_value module = load(vm, name, f);
  int64_t spent = asy_clock_ns(vm, ASY_CLOCK_MONOTONIC) - start;
  char times[64];
  state->depth--;
  snprintf(times, sizeof times, "%9lld | %10lld | %*s", (long long)(spent - state->inside) / 1000,
           (long long)spent / 1000, 2 * state->depth, "");
  if (!asy_failed(module)) write_line(vm, asy_str_format(vm, "import time: %s%U\n", times, name));
  state->inside = before + spent;
  return module;
}

/* Loads what was found, and says so where an option asks for it. */
static asy_value load_found(asy_vm *vm, asy_str *name, const asy_finding *f) {
  asy_value module = vm->options.import_times ? load_timed(vm, name, f) : load(vm, name, f);
  if (vm->options.verbose && !asy_failed(module))
    write_line(vm, asy_str_format(vm, "import %R # %s\n", asy_from_obj(name),
                                  f->what == FOUND_FILE ? f->path : "in the binary"));
  return module;
}

/* Imports `name` whose parent package (NULL: none) is imported already. */
static asy_value import_below(asy_vm *vm, asy_str *name, asy_str *parent_name, asy_value parent) {
  asy_value path = ASY_NONE;
  if (parent_name) {
    int found = asy_find_attr(vm, parent, ASY_NAME(vm, __path__), &path);
    if (found < 0) return ASY_FAILED;
    if (!found) return raise_not_found(vm, name, parent_name);
  }
  asy_finding *f = malloc(sizeof *f);
  if (!f) return asy_raise_no_memory(vm);
  bool searched = asy_find_module(vm, name, path, f);
  asy_list *portions = searched ? f->portions : NULL; /* kept on the C stack: f is not scanned */
  asy_value spec = searched ? f->spec : 0;
  asy_value module = searched ? load_found(vm, name, f) : ASY_FAILED;
  __asm__ volatile("" : : "r"(portions), "r"(spec) : "memory");
  free(f);
  if (asy_failed(module)) return ASY_FAILED;
  asy_value current = asy_dict_get_str(vm, vm->modules, name); /* a body may put another object in its place */
  if (current != ASY_UNBOUND) module = current;
  if (parent_name) {
    asy_str *attribute = asy_str_slice(vm, name, parent_name->len + 1, name->len);
    attribute = attribute ? asy_str_intern(vm, attribute) : NULL;
    if (!attribute || !asy_set_attr(vm, parent, attribute, module)) return ASY_FAILED;
  }
  return module;
}

asy_value asy_import_module(asy_vm *vm, asy_str *name) {
  name = asy_str_intern(vm, name);
  if (!name) return ASY_FAILED;
  asy_value module = asy_dict_get_str(vm, vm->modules, name);
  if (asy_is_kind(module, KIND_MODULE) && asy_obj_of(module)->flags & MODULE_INITIALIZING) {
    if (!wait_for_body(vm, asy_obj_of(module))) return ASY_FAILED;
    module = asy_dict_get_str(vm, vm->modules, name);
  }
  if (module != ASY_UNBOUND && module != ASY_NONE) return module;
  if (module == ASY_NONE) {
    asy_value full = asy_from_obj(name);
    asy_value error = asy_new_exception(vm, ASY_ModuleNotFoundError, "import of %U halted; None in sys.modules", name);
    return raise_import(vm, error, full, ASY_NONE);
  }
  if (!asy_check_c_stack(vm)) return ASY_FAILED;
  uint32_t dot = name->len;
  while (dot > 0 && asy_str_at(name, dot - 1) != '.') dot--;
  if (!dot) return import_below(vm, name, NULL, ASY_NONE);
  asy_str *parent_name = asy_str_slice(vm, name, 0, dot - 1);
  asy_value parent = parent_name ? asy_import_module(vm, parent_name) : ASY_FAILED;
  if (asy_failed(parent)) return ASY_FAILED;
  module = asy_dict_get_str(vm, vm->modules, name); /* the parent may have imported it */
  return module != ASY_UNBOUND ? module : import_below(vm, name, parent_name, parent);
}

asy_value asy_import(asy_vm *vm, const char *name) {
  asy_str *text = asy_intern(vm, name);
  return text ? asy_import_module(vm, text) : ASY_FAILED;
}

/* The package that relative names count from; an empty str when there is none. */
static asy_value calling_package(asy_vm *vm, asy_dict *globals) {
  asy_value package = asy_dict_get_str(vm, globals, ASY_NAME(vm, __package__));
  if (package != ASY_UNBOUND && package != ASY_NONE) {
    if (asy_is_str(package)) return package;
    return asy_raise(vm, ASY_TypeError, "__package__ must be a string");
  }
  asy_value name = asy_dict_get_str(vm, globals, ASY_NAME(vm, __name__));
  if (name == ASY_UNBOUND) return asy_raise_key(vm, asy_from_cstr(vm, "'__name__' not in globals"));
  if (!asy_is_str(name)) return asy_raise(vm, ASY_TypeError, "__name__ must be a string");
  bool is_package = asy_dict_get_str(vm, globals, ASY_NAME(vm, __path__)) != ASY_UNBOUND;
  return parent_of(vm, (asy_str *)asy_obj_of(name), is_package);
}

static asy_str *absolute_name(asy_vm *vm, asy_str *name, asy_dict *globals, int level) {
  asy_value base = globals ? calling_package(vm, globals) : asy_from_obj(vm->empty_str);
  if (asy_failed(base)) return NULL;
  asy_str *package = (asy_str *)asy_obj_of(base);
  if (!package->len) {
    asy_raise(vm, ASY_ImportError, "attempted relative import with no known parent package");
    return NULL;
  }
  uint32_t end = package->len;
  for (int up = 1; up < level; up++) {
    while (end > 0 && asy_str_at(package, end - 1) != '.') end--;
    if (!end) {
      asy_raise(vm, ASY_ImportError, "attempted relative import beyond top-level package");
      return NULL;
    }
    end--;
  }
  asy_str *prefix = asy_str_slice(vm, package, 0, end);
  if (!prefix || !name->len) return prefix;
  return asy_str_format(vm, "%U.%U", prefix, name);
}

/* Imports submodules that a fromlist names and the package does not have yet. */
static bool import_listed(asy_vm *vm, asy_value module, asy_value list, bool from_all) {
  asy_list *names = asy_list_new(vm, 0);
  if (!names || !asy_list_extend(vm, names, list)) return false;
  for (uint32_t i = 0; i < names->len; i++) {
    if (!asy_is_str(names->items[i])) {
      asy_raise(vm, ASY_TypeError, "Item in ``%s'' must be str, not %T", from_all ? "__all__" : "from list",
                names->items[i]);
      return false;
    }
    asy_str *name = asy_str_intern(vm, (asy_str *)asy_obj_of(names->items[i]));
    asy_value found;
    if (!name) return false;
    if (asy_str_equal_cstr(name, "*")) {
      int has_all = from_all ? 0 : asy_find_attr(vm, module, ASY_NAME(vm, __all__), &found);
      if (has_all < 0 || (has_all && !import_listed(vm, module, found, true))) return false;
      continue;
    }
    int has = asy_find_attr(vm, module, name, &found);
    if (has < 0) return false;
    if (has) continue;
    asy_value module_name = asy_get_attr(vm, module, ASY_NAME(vm, __name__));
    if (asy_failed(module_name)) return false;
    asy_str *full = asy_str_format(vm, "%S.%U", module_name, name);
    if (!full) return false;
    if (!asy_failed(asy_import_module(vm, full))) continue;
    if (!asy_raised_is(vm, ASY_ModuleNotFoundError)) return false;
    asy_value error = asy_take_exception(vm), missing = asy_get_attr_cstr(vm, error, "name");
    bool same = !asy_failed(missing) && asy_is_str(missing) && asy_str_equal((asy_str *)asy_obj_of(missing), full);
    if (asy_failed(missing)) asy_clear_exception(vm);
    if (same) continue; /* IMPORT_FROM says that the name is missing */
    asy_set_exception(vm, error);
    return false;
  }
  return true;
}

asy_value asy_import_name(asy_vm *vm, asy_str *name, asy_dict *globals, asy_value fromlist, int level) {
  if (level < 0) return asy_raise(vm, ASY_ValueError, "level must be >= 0");
  if (!level && !name->len) return asy_raise(vm, ASY_ValueError, "Empty module name");
  asy_str *full = level ? absolute_name(vm, name, globals, level) : name;
  asy_value module = full ? asy_import_module(vm, full) : ASY_FAILED;
  if (asy_failed(module)) return ASY_FAILED;
  int listed = fromlist == ASY_NONE ? 0 : asy_truth(vm, fromlist);
  if (listed < 0) return ASY_FAILED;
  if (listed) {
    asy_value path;
    int is_package = asy_find_attr(vm, module, ASY_NAME(vm, __path__), &path);
    if (is_package < 0 || (is_package && !import_listed(vm, module, fromlist, false))) return ASY_FAILED;
    return module;
  }
  uint32_t dot = 0;
  while (dot < name->len && asy_str_at(name, dot) != '.') dot++;
  if (dot == name->len) return module;
  asy_str *top = asy_str_slice(vm, full, 0, full->len - name->len + dot); /* the package that `import a.b` binds */
  return top ? asy_import_module(vm, top) : ASY_FAILED;
}

static asy_value raise_no_name(asy_vm *vm, asy_value module, asy_str *name) {
  asy_value module_name, file;
  int has_name = asy_find_attr(vm, module, ASY_NAME(vm, __name__), &module_name);
  int has_file = has_name < 0 ? -1 : asy_find_attr(vm, module, ASY_NAME(vm, __file__), &file);
  if (has_file < 0) return ASY_FAILED;
  if (!has_name || !asy_is_str(module_name)) module_name = asy_from_cstr(vm, "<unknown module name>");
  if (!has_file || !asy_is_str(file)) file = ASY_NONE;
  if (asy_failed(module_name)) return ASY_FAILED;
  bool partial = asy_is_kind(module, KIND_MODULE) && asy_obj_of(module)->flags & MODULE_INITIALIZING;
  asy_value shown = file == ASY_NONE ? asy_from_cstr(vm, "unknown location") : file, attribute = asy_from_obj(name);
  if (asy_failed(shown)) return ASY_FAILED;
  asy_value error = partial
                      ? asy_new_exception(
                          vm, ASY_ImportError,
                          "cannot import name %R from partially initialized module %R (most likely due to a circular "
                          "import) (%S)",
                          attribute, module_name, shown)
                      : asy_new_exception(vm, ASY_ImportError, "cannot import name %R from %R (%S)", attribute,
                                          module_name, shown);
  if (asy_failed(error) || !asy_set_attr_cstr(vm, error, "name_from", attribute)) return ASY_FAILED;
  return raise_import(vm, error, module_name, file);
}

asy_value asy_import_from(asy_vm *vm, asy_value module, asy_str *name) {
  asy_value value;
  int found = asy_find_attr(vm, module, name, &value);
  if (found) return found > 0 ? value : ASY_FAILED;
  asy_value module_name;
  found = asy_find_attr(vm, module, ASY_NAME(vm, __name__),
                        &module_name); /* a cycle: the submodule runs, unbound as yet */
  if (found < 0) return ASY_FAILED;
  if (found && asy_is_str(module_name)) {
    asy_str *full = asy_str_format(vm, "%S.%U", module_name, name);
    full = full ? asy_str_intern(vm, full) : NULL;
    if (!full) return ASY_FAILED;
    value = asy_dict_get_str(vm, vm->modules, full);
    if (value != ASY_UNBOUND) return value;
  }
  return raise_no_name(vm, module, name);
}

bool asy_import_star(asy_vm *vm, asy_value module, asy_value namespace) {
  asy_value all;
  int has_all = asy_find_attr(vm, module, ASY_NAME(vm, __all__), &all);
  if (has_all < 0) return false;
  asy_list *names = asy_list_new(vm, 0);
  asy_value source = has_all ? all : asy_get_attr(vm, module, ASY_NAME(vm, __dict__));
  if (!names || asy_failed(source) || !asy_list_extend(vm, names, source)) return false;
  for (uint32_t i = 0; i < names->len; i++) {
    asy_value item = names->items[i];
    if (!asy_is_str(item)) {
      asy_raise(vm, ASY_TypeError, "%s in %S must be str, not %T", has_all ? "Item in __all__" : "Key in __dict__",
                module, item);
      return false;
    }
    asy_str *name = asy_str_intern(vm, (asy_str *)asy_obj_of(item));
    if (!name) return false;
    if (!has_all && name->len && asy_str_at(name, 0) == '_') continue;
    asy_value value = asy_get_attr(vm, module, name);
    if (asy_failed(value) || !asy_set_item(vm, namespace, asy_from_obj(name), value)) return false;
  }
  return true;
}

/* ---- The start ---- */

static bool add_folders(asy_vm *vm, const char *list) {
  while (*list) {
    const char *end = strchrnul(list, ':');
    asy_value folder = asy_from_text(vm, list, (size_t)(end - list));
    if (asy_failed(folder) || (end > list && !asy_list_append(vm, vm->path, folder))) return false;
    list = *end ? end + 1 : end;
  }
  return true;
}

bool asy_import_init(asy_vm *vm, const asy_options *options) {
  vm->path = asy_list_new(vm, 4);
  if (!vm->path) return false;
  const char *folders = asy_environment(vm, "ASYPATH");
  if (folders && !add_folders(vm, folders)) return false;
  vm->argc = options ? options->argc : 0;
  vm->argv = options ? options->argv : NULL;
  return asy_sys_init(vm);
}
