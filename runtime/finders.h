/* finders.h - where a module comes from: sys.meta_path, and the two finders that are always on it.
 * BuiltinImporter stands for the natives' table and the scripts embedded in the binary, PathFinder for the folders of sys.path (or of
 * a package): package folder (__init__.asy, __init__.py), NAME.asy, NAME.py; a folder without an __init__ counts as a namespace
 * package when nothing else is found. What a script puts on sys.meta_path or sys.path_hooks is asked in its turn.
 */
#ifndef ASY_RUNTIME_FINDERS_H
#define ASY_RUNTIME_FINDERS_H

#include <limits.h>

#include "runtime/asy.h"

typedef struct {
  enum { FOUND_NOTHING, FOUND_NATIVE, FOUND_EMBEDDED, FOUND_FILE, FOUND_NAMESPACE, FOUND_SPEC } what;
  const asy_module_def *native;
  const asy_embedded *embedded;
  bool is_package;
  char path[PATH_MAX]; /* of the file */
  asy_list *portions;  /* folders of a namespace package */
  asy_value spec;      /* FOUND_SPEC: made by a script */
} asy_finding;

/* path: __path__ of the parent package, or None. False: an exception is set; not finding is no failure. */
bool asy_find_module(asy_vm *vm, asy_str *name, asy_value path, asy_finding *f);
/* Only what the binary carries. */
bool asy_find_builtin(asy_vm *vm, asy_str *name, asy_finding *f);
/* Puts the two finders on sys.meta_path. */
bool asy_finders_init(asy_vm *vm, asy_value meta_path);

#endif
