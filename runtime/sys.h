/* sys.h - the sys module, and the specs of modules. */
#ifndef ASY_RUNTIME_SYS_H
#define ASY_RUNTIME_SYS_H

#include "runtime/asy.h"

/* sys into sys.modules and vm->sys_module. vm->modules, path and the standard files exist. */
bool asy_sys_init(asy_vm *vm);
/* A module's __spec__. locations: list of folders of a package, or None. */
asy_value asy_new_spec(asy_vm *vm, asy_value name, asy_value origin, asy_value locations);
asy_value asy_sys_get(asy_vm *vm, asy_str *name); /* sys.NAME as it is now; UNBOUND absent; no error */

#endif
