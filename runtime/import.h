/* import.h - making and running modules: sys.modules first, then what finders.h finds. */
#ifndef ASY_RUNTIME_IMPORT_H
#define ASY_RUNTIME_IMPORT_H

#include "runtime/asy.h"

bool asy_import_init(asy_vm *vm, const asy_options *options);
/* The module of absolute `name`, and its parents, imported. ASY_FAILED: ModuleNotFoundError, or what its body raised. */
asy_value asy_import_module(asy_vm *vm, asy_str *name);
/* __import__: `level` leading dots relative to __package__ of `globals`; fromlist None or a sequence of names. */
asy_value asy_import_name(asy_vm *vm, asy_str *name, asy_dict *globals, asy_value fromlist, int level);
/* `from module import name`: the attribute, or the submodule; ImportError. */
asy_value asy_import_from(asy_vm *vm, asy_value module, asy_str *name);
/* `from module import *` into a namespace: __all__, or every name without a leading underscore. */
bool asy_import_star(asy_vm *vm, asy_value module, asy_value namespace);

/* The module that the binary carries under this name, made anew. */
asy_value asy_load_builtin(asy_vm *vm, asy_str *name);
/* The package in which a module lies ("" at top level); a package is its own. */
asy_value asy_parent_package(asy_vm *vm, asy_value name, bool is_package);

/* Text to code object; modes as compile()'s; flags: ASY_COMPILE_ bits. ASY_FAILED: SyntaxError with all its attributes. */
typedef enum { ASY_MODE_EXEC, ASY_MODE_EVAL, ASY_MODE_SINGLE } asy_compile_mode_id;
enum {
  ASY_COMPILE_TOP_LEVEL_AWAIT = 0x2000, /* the values of compile()'s flags argument */
  ASY_COMPILE_FUTURE_ANNOTATIONS = 0x1000000,
  ASY_COMPILE_ONLY_AST = 0x400,
  ASY_COMPILE_ONLY_NAMES = 0x800, /* our own: the result is the table of names (lang/name_tables.h) as a tuple */
  ASY_COMPILE_DROP_ASSERTS = 1,
};
#define ASY_COMPILE_USUAL(vm)                                                                                          \
  ((vm)->options.optimize > 0 ? ASY_COMPILE_DROP_ASSERTS : 0u) /* as the options of the program ask */
asy_value asy_compile_text(asy_vm *vm, const char *text, size_t length, const char *filename, asy_compile_mode_id mode,
                           unsigned flags);
/* The same for a tree of the module ast. */
asy_value asy_compile_object(asy_vm *vm, asy_value tree, const char *filename, asy_compile_mode_id mode,
                             unsigned flags);

#endif
