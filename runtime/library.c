/* library.c - shared libraries that only some modules need, loaded when such a module is first imported. */
#include <dlfcn.h>
#include <string.h>

#include "runtime/asy.h"

bool asy_load_library(asy_vm *vm, const char *soname, const char *package, const asy_symbol *symbols, void *table) {
  void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    asy_raise(vm, ASY_ImportError, "%s cannot be loaded: %s (Debian has it in the package %s)", soname, dlerror(),
              package);
    return false;
  }
  for (const asy_symbol *symbol = symbols; symbol->name; symbol++) {
    void *address = dlsym(library, symbol->name);
    if (!address) {
      asy_raise(vm, ASY_ImportError, "%s has no function %s: it is too old", soname, symbol->name);
      return false;
    }
    memcpy((char *)table + symbol->offset, &address, sizeof address);
  }
  return true;
}
