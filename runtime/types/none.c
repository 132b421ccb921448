/* none.c - None, NotImplemented and Ellipsis: constants of the value word, without C structs. */
#include "runtime/class.h"

static asy_value text_of(asy_vm *vm, const char *text) {
  asy_str *s = asy_intern(vm, text);
  return s ? asy_from_obj(s) : ASY_FAILED;
}

static asy_value none_repr(asy_vm *vm, asy_value self) {
  (void)self;
  return text_of(vm, "None");
}
static asy_value not_implemented_repr(asy_vm *vm, asy_value self) {
  (void)self;
  return text_of(vm, "NotImplemented");
}
static asy_value ellipsis_repr(asy_vm *vm, asy_value self) {
  (void)self;
  return text_of(vm, "Ellipsis");
}

/* The hashes are constants, so that the order of sets and the output of scripts do not vary. */
static bool constant_hash(asy_vm *vm, asy_value self, int64_t *out) {
  (void)vm;
  *out = 0xfca86420 + (int64_t)(self - ASY_NONE);
  return true;
}

static int none_truth(asy_vm *vm, asy_value self) {
  (void)vm, (void)self;
  return 0;
}
static int constant_true(asy_vm *vm, asy_value self) {
  (void)vm, (void)self;
  return 1;
}

/* The one instance, for NoneType() and the like. */
static asy_value the_constant(asy_vm *vm, const asy_value *args, asy_value constant) {
  const asy_tuple *rest = (const asy_tuple *)asy_obj_of(args[1]);
  if (rest->len) return asy_raise(vm, ASY_TypeError, "%N takes no arguments", (asy_class *)asy_obj_of(args[0]));
  return constant;
}
static asy_value none_new(asy_vm *vm, const asy_value *args) { return the_constant(vm, args, ASY_NONE); }
static asy_value not_implemented_new(asy_vm *vm, const asy_value *args) {
  return the_constant(vm, args, ASY_NOT_IMPLEMENTED);
}
static asy_value ellipsis_new(asy_vm *vm, const asy_value *args) { return the_constant(vm, args, ASY_ELLIPSIS); }

static asy_value not_implemented_reduce(asy_vm *vm, const asy_value *args) {
  (void)args;
  return text_of(vm, "NotImplemented");
}
static asy_value ellipsis_reduce(asy_vm *vm, const asy_value *args) {
  (void)args;
  return text_of(vm, "Ellipsis");
}

static const asy_native not_implemented_methods[] = {{"__reduce__", SIG("(self, /)"), not_implemented_reduce, 0, 0},
                                                     {0}};
static const asy_native ellipsis_methods[] = {{"__reduce__", SIG("(self, /)"), ellipsis_reduce, 0, 0}, {0}};

const asy_type asy_none_type = {
  .name = "NoneType",
  .flags = ASY_TYPE_FINAL,
  .new_ = none_new,
  .new_signature = SIG("(cls, *args)"),
  .repr = none_repr,
  .hash = constant_hash,
  .special = &(const asy_special){.truth = none_truth},
};

const asy_type asy_not_implemented_type = {
  .name = "NotImplementedType",
  .flags = ASY_TYPE_FINAL,
  .new_ = not_implemented_new,
  .new_signature = SIG("(cls, *args)"),
  .repr = not_implemented_repr,
  .hash = constant_hash,
  .special = &(const asy_special){.truth = constant_true},
  .methods = not_implemented_methods,
};

const asy_type asy_ellipsis_type = {
  .name = "ellipsis",
  .flags = ASY_TYPE_FINAL,
  .new_ = ellipsis_new,
  .new_signature = SIG("(cls, *args)"),
  .repr = ellipsis_repr,
  .hash = constant_hash,
  .special = &(const asy_special){.truth = constant_true},
  .methods = ellipsis_methods,
};
