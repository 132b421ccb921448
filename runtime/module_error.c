/* module_error.c - exception classes that belong to a module of natives: struct.error, binascii.Error, zlib.error.
 * The module's dict holds the class; whoever raises it asks for it there, which only the unhappy way pays for.
 */
#include "runtime/class.h"

bool asy_define_exception(asy_vm *vm, asy_value module, const char *name, asy_exc_id base) {
  const char *dot = strrchr(name, '.');
  asy_value home = asy_from_text(vm, name, (size_t)(dot - name));
  asy_tuple *bases = asy_tuple_new(vm, (asy_value[]){asy_from_obj(vm->exceptions[base])}, 1);
  asy_dict *ns = asy_dict_new(vm, 1);
  asy_str *own = asy_intern(vm, dot + 1);
  if (asy_failed(home) || !bases || !ns || !own || !asy_dict_set_str(vm, ns, ASY_NAME(vm, __module__), home))
    return false;
  asy_value cls = asy_class_new(vm, vm->classes[KIND_TYPE], own, bases, ns, NULL);
  return !asy_failed(cls) && asy_module_set(vm, module, dot + 1, cls);
}

asy_value asy_raise_own(asy_vm *vm, const char *module, const char *name, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  asy_str *text = asy_str_vformat(vm, format, arguments);
  va_end(arguments);
  asy_value home = text ? asy_import(vm, module) : ASY_FAILED;
  asy_value cls = asy_failed(home) ? ASY_FAILED : asy_get_attr_cstr(vm, home, name);
  asy_value exception = asy_failed(cls) ? ASY_FAILED : asy_call1(vm, cls, asy_from_obj(text));
  return asy_failed(exception) ? ASY_FAILED : asy_raise_value(vm, exception);
}
