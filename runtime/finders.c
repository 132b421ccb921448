/* finders.c - finding modules; see finders.h. A finding is kept in malloc'ed memory by its callers, which keep what it refers to on
 * the C stack.
 */
#include "runtime/finders.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/class.h"
#include "runtime/import.h"
#include "runtime/module.h"
#include "runtime/scripts.h"
#include "runtime/sys.h"

/* ---- In the binary ---- */

static const asy_module_def *find_native(const char *name) {
  for (const asy_module_def *const *def = asy_native_modules; *def; def++)
    if (!strcmp((*def)->name, name)) return *def;
  return NULL;
}

static bool find_builtin(asy_vm *vm, const char *name, asy_finding *f) {
  f->native = find_native(name);
  if (!f->native && !asy_find_embedded(vm, name, &f->embedded)) return false;
  f->what = f->native ? FOUND_NATIVE : f->embedded ? FOUND_EMBEDDED : FOUND_NOTHING;
  f->is_package = f->embedded && f->embedded->is_package;
  return true;
}

bool asy_find_builtin(asy_vm *vm, asy_str *name, asy_finding *f) {
  asy_value keep = 0;
  size_t length;
  const char *text = asy_str_utf8(vm, name, &length, &keep);
  *f = (asy_finding){.what = FOUND_NOTHING};
  bool done = text && find_builtin(vm, text, f);
  __asm__ volatile("" : : "r"(keep) : "memory");
  return done;
}

/* ---- Folders ---- */

static bool is_file(const char *path) {
  struct stat status;
  return !stat(path, &status) && S_ISREG(status.st_mode);
}

static bool is_folder(const char *path) {
  struct stat status;
  return !stat(path, &status) && S_ISDIR(status.st_mode);
}

/* Looks for `tail` in one folder. */
static bool find_in_folder(asy_vm *vm, const char *folder, const char *tail, asy_finding *f) {
  static const struct {
    const char *suffix;
    bool is_package;
  } forms[] = {
    {"/__init__.asy", true},
    {"/__init__.py", true},
    {".asy", false},
    {".py", false},
  };
  char cwd[PATH_MAX];
  if (!*folder && getcwd(cwd, sizeof cwd)) folder = cwd;
  size_t length = strlen(folder);
  const char *slash = length && folder[length - 1] != '/' ? "/" : "";
  char package[PATH_MAX];
  if (snprintf(package, sizeof package, "%s%s%s", folder, slash, tail) >= (int)sizeof package - 16) return true;
  bool has_folder = is_folder(package);
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    if (forms[i].is_package && !has_folder) continue;
    int n = snprintf(f->path, sizeof f->path, "%s%s", package, forms[i].suffix);
    if (n >= (int)sizeof f->path || !is_file(f->path)) continue;
    f->what = FOUND_FILE;
    f->is_package = forms[i].is_package;
    return true;
  }
  if (!has_folder) return true;
  if (!f->portions) f->portions = asy_list_new(vm, 1);
  asy_value portion = asy_from_cstr(vm, package);
  return f->portions && !asy_failed(portion) && asy_list_append(vm, f->portions, portion);
}

static asy_value sys_list(asy_vm *vm, const char *name) {
  asy_str *key = asy_intern(vm, name);
  return key ? asy_sys_get(vm, key) : ASY_FAILED;
}

/* The finder that sys.path_hooks make for a folder, kept in sys.path_importer_cache; None when no hook takes it. */
static asy_value hooked_finder(asy_vm *vm, asy_list *hooks, asy_value folder) {
  asy_value cache = sys_list(vm, "path_importer_cache"), finder = ASY_NONE;
  bool keeps = asy_is_kind(cache, KIND_DICT);
  if (keeps) {
    int known = asy_dict_get(vm, (asy_dict *)asy_obj_of(cache), folder, &finder);
    if (known) return known < 0 ? ASY_FAILED : finder;
    finder = ASY_NONE;
  }
  for (uint32_t i = 0; i < hooks->len && finder == ASY_NONE; i++) {
    finder = asy_call1(vm, hooks->items[i], folder);
    if (!asy_failed(finder)) continue;
    if (!asy_raised_is(vm, ASY_ImportError)) return ASY_FAILED;
    asy_clear_exception(vm);
    finder = ASY_NONE;
  }
  return keeps && !asy_dict_set(vm, (asy_dict *)asy_obj_of(cache), folder, finder) ? ASY_FAILED : finder;
}

/* The spec of finder.find_spec(name[, path]); None when it knows none or has no such method. */
static asy_value ask(asy_vm *vm, asy_value finder, asy_str *name, asy_value path) {
  asy_str *find_spec = asy_intern(vm, "find_spec");
  asy_value method, args[] = {asy_from_obj(name), path};
  int found = find_spec ? asy_find_attr(vm, finder, find_spec, &method) : -1;
  if (found <= 0) return found ? ASY_FAILED : ASY_NONE;
  return asy_call(vm, method, path == ASY_UNBOUND ? 1 : 2, args);
}

static bool take_spec(asy_value spec, asy_finding *f) {
  if (asy_failed(spec)) return false;
  if (spec == ASY_NONE) return true;
  f->what = FOUND_SPEC;
  f->spec = spec;
  return true;
}

/* A regular file, or below one: what only zipimport can look into. */
static bool is_in_archive(const char *folder) {
  struct stat status;
  return stat(folder, &status) ? errno == ENOTDIR : S_ISREG(status.st_mode);
}

/* sys.path_hooks gets zipimport.zipimporter with the first archive of sys.path: few programs have one. */
static bool hook_archives(asy_vm *vm, asy_list *hooks) {
  asy_value module = asy_import(vm, "zipimport");
  asy_str *name = asy_failed(module) ? NULL : asy_intern(vm, "zipimporter");
  asy_value importer = name ? asy_get_attr(vm, module, name) : ASY_FAILED;
  if (asy_failed(importer)) return false;
  for (uint32_t i = 0; i < hooks->len; i++)
    if (hooks->items[i] == importer) return true;
  return asy_list_append(vm, hooks, importer);
}

static bool find_on_path(asy_vm *vm, asy_str *name, asy_value path, asy_finding *f) {
  asy_value keep = 0;
  size_t length;
  const char *full = asy_str_utf8(vm, name, &length, &keep);
  if (!full) return false;
  const char *dot = strrchr(full, '.'), *tail = dot ? dot + 1 : full;
  asy_list *folders = asy_list_new(vm, 8); /* a copy: stat takes long, other threads may change sys.path */
  if (!folders || !asy_list_extend(vm, folders, path == ASY_NONE ? asy_from_obj(vm->path) : path)) return false;
  asy_value given = sys_list(vm, "path_hooks");
  asy_list *hooks = asy_is_kind(given, KIND_LIST) ? (asy_list *)asy_obj_of(given) : NULL;
  for (uint32_t i = 0; i < folders->len && f->what == FOUND_NOTHING; i++) {
    if (!asy_is_str(folders->items[i])) continue;
    asy_value text = 0;
    const char *folder = asy_str_utf8(vm, (asy_str *)asy_obj_of(folders->items[i]), &length, &text);
    if (!folder || (hooks && is_in_archive(folder) && !hook_archives(vm, hooks))) return false;
    asy_value finder = hooks && hooks->len ? hooked_finder(vm, hooks, folders->items[i]) : ASY_NONE;
    if (asy_failed(finder)) return false;
    if (finder != ASY_NONE ? !take_spec(ask(vm, finder, name, ASY_UNBOUND), f) : !find_in_folder(vm, folder, tail, f))
      return false;
    __asm__ volatile("" : : "r"(text) : "memory");
  }
  if (f->what == FOUND_NOTHING && f->portions) f->what = FOUND_NAMESPACE;
  __asm__ volatile("" : : "r"(keep) : "memory");
  return true;
}

/* ---- The two finders as scripts see them ---- */

static asy_value spec_of(asy_vm *vm, asy_str *name, const asy_finding *f) {
  char embedded[PATH_MAX];
  const char *origin = f->what == FOUND_NATIVE ? "built-in" : f->what == FOUND_FILE ? f->path : NULL;
  asy_value locations = ASY_NONE;
  if (f->what == FOUND_EMBEDDED) asy_embedded_path(f->embedded, embedded), origin = embedded;
  asy_value place = origin ? asy_from_cstr(vm, origin) : ASY_NONE;
  if (f->what == FOUND_NAMESPACE) locations = asy_from_obj(f->portions);
  else if (f->is_package) {
    asy_value folder = asy_from_text(vm, origin, (size_t)(strrchr(origin, '/') - origin));
    asy_list *list = asy_failed(folder) ? NULL : asy_list_from(vm, &folder, 1);
    locations = list ? asy_from_obj(list) : ASY_FAILED;
  }
  return asy_new_spec(vm, asy_from_obj(name), place, locations);
}

/* (cls, fullname, path=None, target=None) of either finder. */
static asy_value find_spec(asy_vm *vm, const asy_value *args, bool builtin) {
  if (!asy_is_str(args[1])) return asy_raise(vm, ASY_TypeError, "module name must be str, not %T", args[1]);
  asy_str *name = (asy_str *)asy_obj_of(args[1]);
  asy_value result = ASY_FAILED, keep = 0;
  size_t length;
  asy_finding *f = calloc(1, sizeof *f);
  if (!f) return asy_raise_no_memory(vm);
  const char *text = asy_str_utf8(vm, name, &length, &keep);
  bool done = text && (builtin ? find_builtin(vm, text, f) : find_on_path(vm, name, args[2], f));
  bool preset = done && builtin && (!strcmp(text, "sys") || !strcmp(text, "builtins")); /* never loaded: always there */
  if (preset) f->what = FOUND_NATIVE;
  if (done) {
    asy_list *portions = f->portions; /* f is not scanned */
    asy_value spec = f->spec;
    result = f->what == FOUND_NOTHING ? ASY_NONE : f->what == FOUND_SPEC ? spec : spec_of(vm, name, f);
    __asm__ volatile("" : : "r"(portions), "r"(keep) : "memory");
  }
  free(f);
  return result;
}

static asy_value builtin_find_spec(asy_vm *vm, const asy_value *args) { return find_spec(vm, args, true); }
static asy_value path_find_spec(asy_vm *vm, const asy_value *args) { return find_spec(vm, args, false); }
static asy_value invalidate_caches(asy_vm *vm, const asy_value *args) { return ASY_NONE; }

/* (cls, spec): a fresh module, run already, for what the binary carries. */
static asy_value builtin_create_module(asy_vm *vm, const asy_value *args) {
  asy_value name = asy_get_attr_cstr(vm, args[1], "name");
  if (asy_failed(name) || !asy_is_str(name)) return ASY_FAILED;
  return asy_load_builtin(vm, (asy_str *)asy_obj_of(name));
}
static asy_value builtin_exec_module(asy_vm *vm, const asy_value *args) { return ASY_NONE; }

static const asy_embedded *embedded_named(asy_vm *vm, asy_value name) {
  const char *text;
  const asy_embedded *found = NULL;
  if (asy_is_str(name) && asy_to_cstr(vm, name, &text)) asy_find_embedded(vm, text, &found);
  return found;
}

static asy_value builtin_get_source(asy_vm *vm, const asy_value *args) {
  const asy_embedded *embedded = embedded_named(vm, args[1]);
  if (!embedded) return asy_raised(vm) ? ASY_FAILED : ASY_NONE;
  size_t length;
  char *text = asy_embedded_text(vm, embedded, &length);
  asy_value source = text ? asy_from_text(vm, text, length) : ASY_FAILED;
  free(text);
  return source;
}

static asy_value builtin_get_code(asy_vm *vm, const asy_value *args) {
  const asy_embedded *embedded = embedded_named(vm, args[1]);
  char path[PATH_MAX];
  if (!embedded) return asy_raised(vm) ? ASY_FAILED : ASY_NONE;
  size_t length;
  char *text = asy_embedded_text(vm, embedded, &length);
  asy_embedded_path(embedded, path);
  asy_value code = text ? asy_compile_text(vm, text, length, path, ASY_MODE_EXEC, ASY_COMPILE_USUAL(vm)) : ASY_FAILED;
  free(text);
  return code;
}

static asy_value builtin_is_package(asy_vm *vm, const asy_value *args) {
  const asy_embedded *embedded = embedded_named(vm, args[1]);
  return asy_raised(vm) ? ASY_FAILED : asy_from_bool(embedded && embedded->is_package);
}

static const asy_native builtin_methods[] = {
  {"find_spec", SIG("(cls, fullname, path=None, target=None)"), builtin_find_spec,
   DOC("The spec of a module that the binary carries."), ASY_NATIVE_CLASS},
  {"invalidate_caches", SIG("(cls)"), invalidate_caches, DOC("Nothing is kept."), ASY_NATIVE_CLASS},
  {"create_module", SIG("(cls, spec)"), builtin_create_module, DOC("The module."), ASY_NATIVE_CLASS},
  {"exec_module", SIG("(cls, module)"), builtin_exec_module, DOC("Nothing: it has run."), ASY_NATIVE_CLASS},
  {"get_source", SIG("(cls, fullname)"), builtin_get_source, DOC("Its text; None for natives."), ASY_NATIVE_CLASS},
  {"get_code", SIG("(cls, fullname)"), builtin_get_code, DOC("Its code; None for natives."), ASY_NATIVE_CLASS},
  {"is_package", SIG("(cls, fullname)"), builtin_is_package, DOC("Whether it is a package."), ASY_NATIVE_CLASS},
  {0},
};
static const asy_type builtin_importer_type = {
  .name = "_frozen_importlib.BuiltinImporter",
  .doc = "Finds and loads the modules that the binary carries.",
  .methods = builtin_methods,
};

static const asy_native path_methods[] = {
  {"find_spec", SIG("(cls, fullname, path=None, target=None)"), path_find_spec,
   DOC("The spec of a module in a folder of path, or of sys.path."), ASY_NATIVE_CLASS},
  {"invalidate_caches", SIG("(cls)"), invalidate_caches, DOC("Nothing is kept."), ASY_NATIVE_CLASS},
  {0},
};
static const asy_type path_finder_type = {
  .name = "_frozen_importlib_external.PathFinder",
  .doc = "Finds modules in the folders of sys.path and of packages.",
  .methods = path_methods,
};

bool asy_finders_init(asy_vm *vm, asy_value meta_path) {
  static const asy_type *const types[] = {&builtin_importer_type, &path_finder_type};
  for (unsigned i = 0; i < sizeof types / sizeof *types; i++) {
    asy_class *cls = asy_define_type(vm, types[i]);
    if (!cls || !asy_list_append(vm, (asy_list *)asy_obj_of(meta_path), asy_from_obj(cls))) return false;
  }
  return true;
}

/* ---- sys.meta_path ---- */

bool asy_find_module(asy_vm *vm, asy_str *name, asy_value path, asy_finding *f) {
  *f = (asy_finding){.what = FOUND_NOTHING};
  asy_value meta_path = sys_list(vm, "meta_path"), keep = 0;
  size_t length;
  const char *text = asy_str_utf8(vm, name, &length, &keep);
  if (!text || asy_failed(meta_path)) return false;
  if (!asy_is_kind(meta_path, KIND_LIST)) {
    asy_raise(vm, ASY_ImportError, "sys.meta_path is None, Python is likely shutting down");
    return false;
  }
  asy_list *now = (asy_list *)asy_obj_of(meta_path), *finders = asy_list_from(vm, now->items, now->len);
  const asy_class *builtin = asy_class_for(vm, &builtin_importer_type), *on_path = asy_class_for(vm, &path_finder_type);
  for (uint32_t i = 0; finders && i < finders->len && f->what == FOUND_NOTHING; i++) {
    asy_value finder = finders->items[i];
    if (finder == asy_from_obj(builtin)   ? !find_builtin(vm, text, f)
        : finder == asy_from_obj(on_path) ? !find_on_path(vm, name, path, f)
                                          : !take_spec(ask(vm, finder, name, path), f))
      return false;
  }
  __asm__ volatile("" : : "r"(keep) : "memory");
  return finders != NULL;
}
