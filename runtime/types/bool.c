/* bool.c - True and False: constants of the value word that count as the integers 1 and 0. */
#include "runtime/class.h"
#include "runtime/number.h"
#include "runtime/types/int.h"

static asy_value bool_new(asy_vm *vm, const asy_value *args) {
  int truth = asy_truth(vm, args[1]);
  return truth < 0 ? ASY_FAILED : asy_from_bool(truth);
}

static asy_value bool_repr(asy_vm *vm, asy_value self) {
  asy_str *text = asy_intern(vm, self == ASY_TRUE ? "True" : "False");
  return text ? asy_from_obj(text) : ASY_FAILED;
}

static int bool_truth(asy_vm *vm, asy_value self) {
  (void)vm;
  return self == ASY_TRUE;
}

static asy_value bool_bits(asy_vm *vm, asy_binary_op op, asy_value left, asy_value right) {
  if (!asy_is_integer(left) || !asy_is_integer(right)) return ASY_NOT_IMPLEMENTED;
  if (!asy_is_bool(left) || !asy_is_bool(right)) return asy_int_binary(vm, op, left, right);
  bool a = left == ASY_TRUE, b = right == ASY_TRUE;
  return asy_from_bool(op == BINARY_AND ? a && b : op == BINARY_OR ? a || b : a != b);
}

static asy_value bool_and(asy_vm *vm, asy_value left, asy_value right) {
  return bool_bits(vm, BINARY_AND, left, right);
}
static asy_value bool_or(asy_vm *vm, asy_value left, asy_value right) { return bool_bits(vm, BINARY_OR, left, right); }
static asy_value bool_xor(asy_vm *vm, asy_value left, asy_value right) {
  return bool_bits(vm, BINARY_XOR, left, right);
}

const asy_type asy_bool_type = {
  .name = "bool",
  .doc =
    "Returns True when the argument is true, False otherwise.\nThe builtins True and False are the only two instances "
    "of "
    "the class bool.\nThe class bool is a subclass of the class int, and cannot be subclassed.",
  .base = &asy_int_type,
  .flags = ASY_TYPE_FINAL,
  .new_ = bool_new,
  .new_signature = SIG("(cls, object=False, /)"),
  .repr = bool_repr,
  .special = &(const asy_special){.truth = bool_truth},
  .operators = &(
    const asy_operators){.binary = {[BINARY_AND] = bool_and, [BINARY_OR] = bool_or, [BINARY_XOR] = bool_xor}},
};
