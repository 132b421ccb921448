/* library.c - shared libraries that only some modules need, loaded when such a module is first imported. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/vm.h"

typedef struct asy_loaded_library loaded;
struct asy_loaded_library {
  loaded *next;
  const asy_library *library;
  uint64_t table[]; /* of pointers */
};

bool asy_load_functions(asy_vm *vm, const asy_library *wanted, void *table) {
  void *library = dlopen(wanted->soname, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    asy_raise(vm, ASY_ImportError, "%s cannot be loaded: %s (Debian has it in the package %s)", wanted->soname,
              dlerror(), wanted->package);
    return false;
  }
  const char *star = strchr(wanted->pattern, '*');
  char *slot = table, symbol[64];
  for (const char *name = wanted->names; *name; name += strlen(name) + 1, slot += sizeof(void *)) {
    snprintf(symbol, sizeof symbol, "%.*s%s%s", (int)(star - wanted->pattern), wanted->pattern, name, star + 1);
    void *address = dlsym(library, symbol);
    if (!address) {
      asy_raise(vm, ASY_ImportError, "%s has no function %s: it is too old", wanted->soname, symbol);
      return false;
    }
    memcpy(slot, &address, sizeof address);
  }
  return true;
}

const void *asy_library_table(asy_vm *vm, const asy_library *library) {
  for (loaded *l = vm->libraries; l; l = l->next)
    if (l->library == library) return l->table;
  loaded *l = calloc(1, sizeof *l + library->size);
  if (!l) return asy_raise_no_memory(vm), NULL;
  if (!asy_load_functions(vm, library, l->table)) return free(l), NULL;
  *l = (loaded){.next = vm->libraries, .library = library};
  vm->libraries = l;
  return l->table;
}

void asy_libraries_free(asy_vm *vm) {
  for (loaded *l = vm->libraries, *next; l; l = next) {
    next = l->next;
    free(l);
  }
}
