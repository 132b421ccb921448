/* module.h - module objects. Globals of a module's functions are its `dict`. */
#ifndef ASY_RUNTIME_MODULE_H
#define ASY_RUNTIME_MODULE_H

#include "runtime/asy.h"

enum { MODULE_INITIALIZING = 1 }; /* head.flags: its body still runs */

typedef struct asy_module {
  asy_obj head;   /* flags: MODULE_ bits */
  asy_dict *dict; /* its namespace; never NULL once made */
} asy_module;

/* A module with __name__, __doc__ None, __package__, __loader__ and __spec__ None. NULL failed. */
asy_module *asy_module_new(asy_vm *vm, asy_str *name);
/* Makes a module of natives, with its init run; not put into sys.modules. */
asy_module *asy_module_from_def(asy_vm *vm, const asy_module_def *def);

#endif
