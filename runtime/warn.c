/* warn.c - warnings from C: handed to the module warnings, which is imported for the first. */
#include "runtime/vm.h"

static bool call(asy_vm *vm, const char *name, int nargs, const asy_value *args) {
  asy_value pending = asy_raised(vm) ? asy_take_exception(vm) : ASY_UNBOUND;
  asy_value module = asy_import(vm, "warnings");
  asy_value fn = asy_failed(module) ? ASY_FAILED : asy_get_attr_cstr(vm, module, name);
  bool ok = !asy_failed(fn) && !asy_failed(asy_call(vm, fn, nargs, args));
  if (ok && pending != ASY_UNBOUND) asy_set_exception(vm, pending);
  return ok;
}

bool asy_warn(asy_vm *vm, asy_exc_id category, const char *text, int stacklevel) {
  asy_value message = asy_from_cstr(vm, text);
  asy_value args[] = {message, asy_from_obj(vm->exceptions[category]), asy_from_small(stacklevel)};
  return !asy_failed(message) && call(vm, "warn", 3, args);
}

bool asy_warn_about(asy_vm *vm, asy_exc_id category, asy_str *text, asy_str *filename, int line, asy_value source) {
  asy_value args[] = {asy_from_obj(text),
                      asy_from_obj(vm->exceptions[category]),
                      asy_from_obj(filename),
                      asy_from_small(line),
                      ASY_NONE,
                      ASY_NONE,
                      ASY_NONE,
                      source};
  return call(vm, "warn_explicit", source == ASY_NONE ? 4 : 8, args);
}

bool asy_warn_explicit(asy_vm *vm, asy_exc_id category, const char *text, asy_str *filename, int line) {
  asy_value message = asy_from_cstr(vm, text);
  return !asy_failed(message) && asy_warn_about(vm, category, (asy_str *)asy_obj_of(message), filename, line, ASY_NONE);
}
