/* module.c - module objects: a namespace with a name. Attributes are the dict's entries; there are no slots. */
#include "runtime/module.h"

#include "runtime/class.h"
#include "runtime/descriptors.h"
#include "runtime/import.h"

static asy_module *module_of(asy_value v) { return (asy_module *)asy_obj_of(v); }

static bool set_basics(asy_vm *vm, asy_dict *dict, asy_value name, asy_value doc) {
  return asy_dict_set_str(vm, dict, ASY_NAME(vm, __name__), name) &&
         asy_dict_set_str(vm, dict, ASY_NAME(vm, __doc__), doc) &&
         asy_dict_set_str(vm, dict, ASY_NAME(vm, __package__), ASY_NONE) &&
         asy_dict_set_str(vm, dict, ASY_NAME(vm, __loader__), ASY_NONE) &&
         asy_dict_set_str(vm, dict, ASY_NAME(vm, __spec__), ASY_NONE);
}

static asy_module *new_module(asy_vm *vm, asy_class *cls) {
  asy_module *module = asy_new_instance(vm, cls);
  if (!module) return NULL;
  asy_dict *dict = asy_dict_new(vm, 16);
  if (!dict) return NULL;
  module->dict = dict;
  asy_barrier(vm, module);
  return module;
}

asy_module *asy_module_new(asy_vm *vm, asy_str *name) {
  asy_module *module = new_module(vm, vm->classes[KIND_MODULE]);
  return module && set_basics(vm, module->dict, asy_from_obj(name), ASY_NONE) ? module : NULL;
}

bool asy_module_set(asy_vm *vm, asy_value module, const char *name, asy_value value) {
  if (asy_failed(value)) return false;
  asy_str *key = asy_intern(vm, name);
  return key && asy_dict_set_str(vm, module_of(module)->dict, key, value);
}

bool asy_module_add_type(asy_vm *vm, asy_value module, const char *name, const asy_type *type) {
  asy_class *cls = asy_define_type(vm, type);
  return cls && asy_module_set(vm, module, name, asy_from_obj(cls));
}

bool asy_module_add_constants(asy_vm *vm, asy_value module, const asy_constants *constants) {
  return asy_add_constants(vm, module_of(module)->dict, constants, 0);
}

asy_module *asy_module_from_def(asy_vm *vm, const asy_module_def *def) {
  asy_str *name = asy_intern(vm, def->name);
  asy_module *module = name ? asy_module_new(vm, name) : NULL;
  if (!module) return NULL;
  asy_value self = asy_from_obj(module);
  asy_value doc = def->doc ? asy_from_cstr(vm, def->doc) : ASY_NONE;
  if (!asy_module_set(vm, self, "__doc__", doc)) return NULL;
  if (!asy_module_set(vm, self, "__package__", asy_from_obj(vm->empty_str))) return NULL;
  for (const asy_native *native = def->natives; native && native->name; native++) {
    asy_value function = asy_new_native(vm, native, ASY_UNBOUND, asy_from_obj(name));
    if (!asy_module_set(vm, self, native->name, function)) return NULL;
  }
  return !def->init || def->init(vm, self) ? module : NULL;
}

/* ---- The type ---- */

static void module_visit(asy_obj *o, asy_visitor *v) { asy_visit_obj(v, ((asy_module *)o)->dict); }

static asy_value module_new(asy_vm *vm, const asy_value *args) {
  asy_module *module = new_module(vm, (asy_class *)asy_obj_of(args[0]));
  return module ? asy_from_obj(module) : ASY_FAILED;
}

static asy_value module_init(asy_vm *vm, const asy_value *args) {
  if (!asy_is_str(args[1]))
    return asy_raise(vm, ASY_TypeError, "module() argument 'name' must be str, not %T", args[1]);
  return set_basics(vm, module_of(args[0])->dict, args[1], args[2]) ? ASY_NONE : ASY_FAILED;
}

static asy_value entry(asy_vm *vm, asy_value module, asy_str *name) {
  return asy_dict_get_str(vm, module_of(module)->dict, name);
}

static asy_value module_repr(asy_vm *vm, asy_value self) {
  asy_value name = entry(vm, self, ASY_NAME(vm, __name__));
  asy_value file = entry(vm, self, ASY_NAME(vm, __file__)), path = entry(vm, self, ASY_NAME(vm, __path__));
  asy_value spec = entry(vm, self, ASY_NAME(vm, __spec__));
  if (name == ASY_UNBOUND || !asy_is_str(name)) name = asy_from_cstr(vm, "?");
  if (asy_failed(name)) return ASY_FAILED;
  asy_str *text;
  if (file != ASY_UNBOUND && file != ASY_NONE) text = asy_str_format(vm, "<module %R from %R>", name, file);
  else if (path != ASY_UNBOUND) text = asy_str_format(vm, "<module %R (namespace) from %R>", name, path);
  else if (spec != ASY_UNBOUND && spec != ASY_NONE) {
    asy_value from = asy_get_attr_cstr(vm, spec, "origin");
    if (from == ASY_NONE) from = asy_get_attr_cstr(vm, spec, "loader");
    if (asy_failed(from)) asy_clear_exception(vm);
    text = asy_failed(from) || from == ASY_NONE ? asy_str_format(vm, "<module %R>", name)
           : asy_is_str(from)                   ? asy_str_format(vm, "<module %R (%S)>", name, from)
                                                : asy_str_format(vm, "<module %R (%R)>", name, from);
  } else text = asy_str_format(vm, "<module %R>", name);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

/* The file lies beside the main script, so it may hide a module of the same name that was meant. */
static bool beside_script(asy_vm *vm, asy_value file) {
  if (!asy_is_str(file) || !vm->path->len || !asy_is_str(vm->path->items[0])) return false;
  const asy_str *path = (const asy_str *)asy_obj_of(file), *folder = (const asy_str *)asy_obj_of(vm->path->items[0]);
  uint32_t slash = path->len;
  while (slash > 0 && asy_str_at(path, slash - 1) != '/') slash--;
  if (slash != folder->len + 1) return false;
  for (uint32_t i = 0; i < folder->len; i++)
    if (asy_str_at(path, i) != asy_str_at(folder, i)) return false;
  return true;
}

static asy_value raise_absent(asy_vm *vm, asy_value self, asy_str *name) {
  asy_value own_name = entry(vm, self, ASY_NAME(vm, __name__)), file = entry(vm, self, ASY_NAME(vm, __file__));
  if (own_name == ASY_UNBOUND || !asy_is_str(own_name))
    return asy_raise_attribute(vm, self, name, "module has no attribute '%U'", name);
  if (!(module_of(self)->head.flags & MODULE_INITIALIZING))
    return asy_raise_attribute(vm, self, name, "module %R has no attribute '%U'", own_name, name);
  if (beside_script(vm, file))
    return asy_raise_attribute(
      vm, self, name,
      "module %R has no attribute '%U' (consider renaming %R if it has the same name as a third-party "
      "module you intended to import)",
      own_name, name, file);
  return asy_raise_attribute(
    vm, self, name, "partially initialized module %R has no attribute '%U' (most likely due to a circular import)",
    own_name, name);
}

static asy_value module_get_attr(asy_vm *vm, asy_value self, asy_str *name) {
  asy_lookup *found = asy_class_lookup(vm, asy_class_of(vm, self), name);
  if (!found) return ASY_FAILED;
  if (found->kind == LOOKUP_DATA) return asy_generic_get_attr(vm, self, name);
  asy_value value = entry(vm, self, name);
  if (value != ASY_UNBOUND) return value;
  if (found->kind != LOOKUP_ABSENT) return asy_generic_get_attr(vm, self, name);
  asy_value hook = entry(vm, self, ASY_NAME(vm, __getattr__));
  return hook == ASY_UNBOUND ? raise_absent(vm, self, name) : asy_call1(vm, hook, asy_from_obj(name));
}

static bool module_set_attr(asy_vm *vm, asy_value self, asy_str *name, asy_value value) {
  asy_lookup *found = asy_class_lookup(vm, asy_class_of(vm, self), name);
  if (!found) return false;
  if (found->kind == LOOKUP_DATA) return asy_generic_set_attr(vm, self, name, value);
  if (value != ASY_UNBOUND) return asy_dict_set_str(vm, module_of(self)->dict, name, value);
  int deleted = asy_dict_delete(vm, module_of(self)->dict, asy_from_obj(name), NULL);
  if (!deleted) asy_raise_no_attribute(vm, self, name);
  return deleted > 0;
}

static asy_value module_dict(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return asy_from_obj(module_of(args[0])->dict);
}

static asy_value module_dir(asy_vm *vm, const asy_value *args) {
  asy_value dict = asy_get_attr(vm, args[0], ASY_NAME(vm, __dict__));
  if (asy_failed(dict)) return ASY_FAILED;
  if (!asy_is_kind(dict, KIND_DICT)) return asy_raise(vm, ASY_TypeError, "<module>.__dict__ is not a dictionary");
  asy_value hook = asy_dict_get_str(vm, (asy_dict *)asy_obj_of(dict), ASY_NAME(vm, __dir__));
  if (hook != ASY_UNBOUND) return asy_call0(vm, hook);
  asy_list *names = asy_list_new(vm, 0);
  return names && asy_list_extend(vm, names, dict) ? asy_from_obj(names) : ASY_FAILED;
}

static asy_value module_annotations(asy_vm *vm, const asy_value *args) {
  asy_dict *dict = module_of(args[0])->dict;
  asy_value found = asy_dict_get_str(vm, dict, ASY_NAME(vm, __annotations__));
  if (found != ASY_UNBOUND) return found;
  asy_dict *made = asy_dict_new(vm, 0);
  if (!made || !asy_dict_set_str(vm, dict, ASY_NAME(vm, __annotations__), asy_from_obj(made))) return ASY_FAILED;
  return asy_from_obj(made);
}

static asy_value module_set_annotations(asy_vm *vm, const asy_value *args) {
  asy_dict *dict = module_of(args[0])->dict;
  if (args[1] != ASY_UNBOUND)
    return asy_dict_set_str(vm, dict, ASY_NAME(vm, __annotations__), args[1]) ? ASY_NONE : ASY_FAILED;
  int deleted = asy_dict_delete(vm, dict, ASY_NAME_VALUE(vm, __annotations__), NULL);
  if (!deleted) return raise_absent(vm, args[0], ASY_NAME(vm, __annotations__));
  return deleted < 0 ? ASY_FAILED : ASY_NONE;
}

static const asy_native module_methods[] = {
  {"__dict__", SIG("(self)"), module_dict, 0, ASY_NATIVE_GETTER},
  {"__annotations__", SIG("(self)"), module_annotations, 0, ASY_NATIVE_GETTER},
  {"__annotations__", SIG("(self, value)"), module_set_annotations, 0, ASY_NATIVE_SETTER},
  {"__dir__", SIG("(self, /)"), module_dir, DOC("__dir__() -> list\nspecialized dir() implementation"), 0},
  {0},
};

const asy_type asy_module_type = {
  .name = "module",
  .doc = "Create a module object.\n\nThe name must be a string; the optional docstring can have any type.",
  .size = sizeof(asy_module),
  .flags =
    ASY_TYPE_ATTRS, /* for subclasses, with which an instance may change its class; a module itself uses its dict */
  .visit = module_visit,
  .new_ = module_new,
  .new_signature = SIG("(cls, *args, **kwargs)"),
  .init = module_init,
  .init_signature = SIG("(self, name, doc=None)"),
  .repr = module_repr,
  .special = &(const asy_special){.get_attr = module_get_attr, .set_attr = module_set_attr},
  .methods = module_methods,
};
