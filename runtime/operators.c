/* operators.c - comparison, arithmetic and their reflected and in-place forms, in CPython's order.
 *
 * a op b asks a's class, then b's for the reflected method; b's first when its class is a proper subclass that has its own
 * reflected method. Concatenation and repetition of sequences come last, as there: [1] + x asks x.__radd__ before list refuses.
 */
#include "runtime/exc.h"
#include "runtime/number.h"
#include "runtime/protocol.h"

typedef asy_value (*binary_slot)(asy_vm *vm, asy_value left, asy_value right);

static const char *const binary_symbols[BINARY_COUNT] = {
#define X(name, symbol, ...) [BINARY_##name] = symbol,
  ASY_BINARY_OPS(X)
#undef X
};

static asy_str *binary_name(asy_vm *vm, asy_binary_op op) {
  switch (op) {
#define X(name, symbol, method, reflected, inplace)                                                                    \
  case BINARY_##name: return ASY_NAME(vm, method);
    ASY_BINARY_OPS(X)
#undef X
    default: return NULL;
  }
}
static asy_str *reflected_name(asy_vm *vm, asy_binary_op op) {
  switch (op) {
#define X(name, symbol, method, reflected, inplace)                                                                    \
  case BINARY_##name: return ASY_NAME(vm, reflected);
    ASY_BINARY_OPS(X)
#undef X
    default: return NULL;
  }
}
static asy_str *inplace_name(asy_vm *vm, asy_binary_op op) {
  switch (op) {
#define X(name, symbol, method, reflected, inplace)                                                                    \
  case BINARY_##name: return ASY_NAME(vm, inplace);
    ASY_BINARY_OPS(X)
#undef X
    default: return NULL;
  }
}

/* ---- Binary operators ---------------------------------------------------------------------------------------------------------- */

static bool is_sequence(const asy_type *type) {
  while (type->base) type = type->base;
  return type->flags & ASY_TYPE_SEQUENCE || type == &asy_str_type || type == &asy_bytes_type ||
         type == &asy_bytearray_type;
}

static asy_value raise_operands(asy_vm *vm, const char *symbol, const char *suffix, asy_value a, asy_value b) {
  return asy_raise(vm, ASY_TypeError, "unsupported operand type(s) for %s%s: '%T' and '%T'", symbol, suffix, a, b);
}

static asy_value raise_unsupported(asy_vm *vm, asy_binary_op op, asy_value a, asy_value b) {
  if (op == BINARY_RSHIFT && asy_is_kind(a, KIND_NATIVE) &&
      asy_str_equal_cstr(((const asy_nativefunc *)asy_obj_of(a))->name, "print"))
    return asy_raise(vm, ASY_TypeError,
                     "unsupported operand type(s) for >>: '%T' and '%T'. Did you mean \"print(<message>, "
                     "file=<output_stream>)\"?",
                     a, b);
  return raise_operands(vm, binary_symbols[op], "", a, b);
}

/* One side's answer: way is that of self's class; a and b are the operands in their written order. */
static asy_value ask(asy_vm *vm, asy_binary_op op, const asy_way *way, asy_value self, asy_value a, asy_value b) {
  if (way->type) {
    binary_slot slot = ASY_OPERATOR(way->type, binary[op]);
    return slot ? slot(vm, a, b) : ASY_NOT_IMPLEMENTED;
  }
  if (way->value == ASY_UNBOUND) return ASY_NOT_IMPLEMENTED;
  asy_value other = self == a ? b : a;
  return asy_call_way(vm, self, way, 1, &other);
}

static bool same_way(const asy_way *x, const asy_way *y, asy_binary_op op) {
  if (x->type && y->type) return ASY_OPERATOR(x->type, binary[op]) == ASY_OPERATOR(y->type, binary[op]);
  return x->type == y->type && x->value == y->value;
}

/* Both classes are built in: slots alone decide. */
static asy_value binary_builtin(asy_vm *vm, asy_binary_op op, asy_value a, const asy_class *ca, asy_value b,
                                const asy_class *cb) {
  binary_slot left = ASY_OPERATOR(ca->type, binary[op]);
  if (ca == cb) return left ? left(vm, a, b) : ASY_NOT_IMPLEMENTED;
  binary_slot right = ASY_OPERATOR(cb->type, binary[op]);
  if (right == left) right = NULL;
  bool right_first = right && left && asy_is_subclass(cb, ca);
  asy_value result = ASY_NOT_IMPLEMENTED;
  if (right_first) {
    result = right(vm, a, b);
    if (result != ASY_NOT_IMPLEMENTED) return result;
    right = NULL;
  }
  if (left) result = left(vm, a, b);
  if (result == ASY_NOT_IMPLEMENTED && right) result = right(vm, a, b);
  return result;
}

/* A bool as the integer it counts as. */
static inline asy_value counted(asy_value v) { return asy_is_bool(v) ? asy_from_small(v == ASY_TRUE) : v; }

/* NOT_IMPLEMENTED when nobody can. */
static asy_value try_binary(asy_vm *vm, asy_binary_op op, asy_value a, asy_value b) {
  if (op == BINARY_ADD && (asy_is_bool(a) || asy_is_bool(b)) && asy_both_int(counted(a), counted(b)))
    return asy_int_binary(vm, op, counted(a), counted(b));
  asy_class *ca = asy_class_of(vm, a), *cb = asy_class_of(vm, b);
  if (ca->flags & cb->flags & ASY_CLASS_BUILTIN) return binary_builtin(vm, op, a, ca, b, cb);
  asy_way left, right;
  if (!asy_find_way(vm, ca, binary_name(vm, op), &left)) return ASY_FAILED;
  bool right_first = false, ask_right = false;
  if (ca != cb) {
    if (!asy_find_way(vm, cb, reflected_name(vm, op), &right)) return ASY_FAILED;
    asy_way ours;
    ask_right = right.type ? ASY_OPERATOR(right.type, binary[op]) != NULL : right.value != ASY_UNBOUND;
    if (ask_right && asy_is_subclass(cb, ca)) {
      if (!asy_find_way(vm, ca, reflected_name(vm, op), &ours)) return ASY_FAILED;
      right_first = !same_way(&ours, &right, op);
    }
    /* sequences concatenate and repeat only when nobody else knows better */
    if ((op == BINARY_ADD || op == BINARY_MUL) && left.type && !right.type && is_sequence(left.type))
      right_first = ask_right;
  }
  asy_value result = ASY_NOT_IMPLEMENTED;
  if (right_first) {
    result = ask(vm, op, &right, b, a, b);
    if (result != ASY_NOT_IMPLEMENTED) return result;
  }
  result = ask(vm, op, &left, a, a, b);
  if (result == ASY_NOT_IMPLEMENTED && ask_right && !right_first) result = ask(vm, op, &right, b, a, b);
  return result;
}

/* Two integers, exactly of the class, have nobody else to ask, and no in-place form. */
static inline bool plain_ints(asy_binary_op op, asy_value a, asy_value b) {
  return (asy_is_int(a) || asy_is_exact(a, KIND_INT)) && (asy_is_int(b) || asy_is_exact(b, KIND_INT)) &&
         op != BINARY_MATMUL;
}

asy_value asy_binary(asy_vm *vm, asy_binary_op op, asy_value a, asy_value b) {
  if (plain_ints(op, a, b)) return asy_int_binary(vm, op, a, b);
  asy_value result = try_binary(vm, op, a, b);
  return result == ASY_NOT_IMPLEMENTED ? raise_unsupported(vm, op, a, b) : result;
}

asy_value asy_inplace(asy_vm *vm, asy_binary_op op, asy_value a, asy_value b) {
  if (plain_ints(op, a, b)) return asy_int_binary(vm, op, a, b);
  asy_class *cls = asy_class_of(vm, a);
  asy_way way = {.type = cls->type, .value = ASY_UNBOUND}; /* of a built-in class: its slot */
  if (!(cls->flags & ASY_CLASS_BUILTIN) && !asy_find_way(vm, cls, inplace_name(vm, op), &way)) return ASY_FAILED;
  asy_value result = ASY_NOT_IMPLEMENTED;
  binary_slot slot = way.type ? ASY_OPERATOR(way.type, inplace[op]) : NULL;
  bool sequence = slot && (op == BINARY_ADD || op == BINARY_MUL) && is_sequence(way.type);
  if (sequence &&
      !(asy_class_of(vm, b)->flags & ASY_CLASS_BUILTIN)) { /* as for +: the other operand's method comes first */
    asy_way right;
    if (!asy_find_way(vm, asy_class_of(vm, b), reflected_name(vm, op), &right)) return ASY_FAILED;
    if (!right.type) result = ask(vm, op, &right, b, a, b);
    if (result != ASY_NOT_IMPLEMENTED) return result;
  }
  if (slot) result = slot(vm, a, b);
  else if (way.value != ASY_UNBOUND) result = asy_call_way(vm, a, &way, 1, &b);
  if (result == ASY_NOT_IMPLEMENTED) result = try_binary(vm, op, a, b);
  if (result != ASY_NOT_IMPLEMENTED) return result;
  return raise_operands(vm, op == BINARY_POW ? "**" : binary_symbols[op], "=", a, b);
}

/* ---- Unary operators --------------------------------------------------------------------------------------------------------------- */

asy_value asy_unary(asy_vm *vm, asy_unary_op op, asy_value a) {
  static const char *const symbols[UNARY_COUNT] = {"-", "+", "~"};
  asy_str *names[UNARY_COUNT] = {ASY_NAME(vm, __neg__), ASY_NAME(vm, __pos__), ASY_NAME(vm, __invert__)};
  asy_way way;
  if (!asy_find_way(vm, asy_class_of(vm, a), names[op], &way)) return ASY_FAILED;
  if (way.value != ASY_UNBOUND) return asy_call_way(vm, a, &way, 0, NULL);
  asy_value (*slot)(asy_vm *, asy_value) = way.type ? ASY_OPERATOR(way.type, unary[op]) : NULL;
  return slot ? slot(vm, a) : asy_raise(vm, ASY_TypeError, "bad operand type for unary %s: '%T'", symbols[op], a);
}

/* ---- Comparison ---------------------------------------------------------------------------------------------------------------------- */

static const asy_compare_op swapped[COMPARE_COUNT] = {COMPARE_GT, COMPARE_GE, COMPARE_EQ,
                                                      COMPARE_NE, COMPARE_LT, COMPARE_LE};
static const char *const compare_symbols[COMPARE_COUNT] = {"<", "<=", "==", "!=", ">", ">="};

static asy_str *compare_name(asy_vm *vm, asy_compare_op op) {
  switch (op) {
    case COMPARE_LT: return ASY_NAME(vm, __lt__);
    case COMPARE_LE: return ASY_NAME(vm, __le__);
    case COMPARE_EQ: return ASY_NAME(vm, __eq__);
    case COMPARE_NE: return ASY_NAME(vm, __ne__);
    case COMPARE_GT: return ASY_NAME(vm, __gt__);
    default: return ASY_NAME(vm, __ge__);
  }
}

static asy_value compare_half(asy_vm *vm, const asy_way *way, asy_value a, asy_value b, asy_compare_op op);

asy_value asy_compare_inverted(asy_vm *vm, asy_value a, asy_value b) {
  asy_way way;
  if (!asy_find_way(vm, asy_class_of(vm, a), ASY_NAME(vm, __eq__), &way)) return ASY_FAILED;
  asy_value equal = compare_half(vm, &way, a, b, COMPARE_EQ);
  if (equal == ASY_FAILED || equal == ASY_NOT_IMPLEMENTED) return equal;
  int truth = asy_truth(vm, equal);
  return truth < 0 ? ASY_FAILED : asy_from_bool(!truth);
}

/* What a's own method says. */
static asy_value compare_half(asy_vm *vm, const asy_way *way, asy_value a, asy_value b, asy_compare_op op) {
  if (way->value != ASY_UNBOUND) {
    if (way->kind == LOOKUP_METHOD) return asy_call_way(vm, a, way, 1, &b);
    asy_value fn = asy_bind(vm, way->value, (asy_lookup_kind)way->kind, a, asy_class_of(vm, a));
    if (fn != ASY_FAILED) return asy_call1(vm, fn, b);
    asy_clear_exception(vm); /* as CPython: a comparison method that cannot be got at is one that is not there */
    return ASY_NOT_IMPLEMENTED;
  }
  asy_value (*slot)(asy_vm *, asy_value, asy_value, asy_compare_op) = way->type ? ASY_SLOT(way->type, compare) : NULL;
  if (slot) return slot(vm, a, b, op);
  switch (op) { /* object's */
    case COMPARE_EQ: return a == b ? ASY_TRUE : ASY_NOT_IMPLEMENTED;
    case COMPARE_NE:
      if (way->type != &asy_object_type) return a == b ? ASY_FALSE : ASY_NOT_IMPLEMENTED;
      return asy_compare_inverted(vm, a, b);
    default: return ASY_NOT_IMPLEMENTED;
  }
}

asy_value asy_compare(asy_vm *vm, asy_value a, asy_value b, asy_compare_op op) {
  if (asy_both_int(a, b)) {
    int64_t x = (int64_t)a, y = (int64_t)b;
    switch (op) {
      case COMPARE_LT: return asy_from_bool(x < y);
      case COMPARE_LE: return asy_from_bool(x <= y);
      case COMPARE_EQ: return asy_from_bool(x == y);
      case COMPARE_NE: return asy_from_bool(x != y);
      case COMPARE_GT: return asy_from_bool(x > y);
      default: return asy_from_bool(x >= y);
    }
  }
  if (!asy_check_c_stack_in(vm, " in comparison")) return ASY_FAILED;
  asy_class *ca = asy_class_of(vm, a), *cb = asy_class_of(vm, b);
  asy_way left, right;
  if (!asy_find_way(vm, ca, compare_name(vm, op), &left)) return ASY_FAILED;
  asy_value result = ASY_NOT_IMPLEMENTED;
  bool right_asked = false;
  if (ca != cb && asy_is_subclass(cb, ca)) {
    right_asked = true;
    if (!asy_find_way(vm, cb, compare_name(vm, swapped[op]), &right)) return ASY_FAILED;
    result = compare_half(vm, &right, b, a, swapped[op]);
  }
  if (result == ASY_NOT_IMPLEMENTED) result = compare_half(vm, &left, a, b, op);
  if (result == ASY_NOT_IMPLEMENTED && !right_asked) {
    if (!asy_find_way(vm, cb, compare_name(vm, swapped[op]), &right)) return ASY_FAILED;
    result = compare_half(vm, &right, b, a, swapped[op]);
  }
  if (result != ASY_NOT_IMPLEMENTED) return result;
  if (op == COMPARE_EQ) return asy_from_bool(a == b);
  if (op == COMPARE_NE) return asy_from_bool(a != b);
  return asy_raise(vm, ASY_TypeError, "'%s' not supported between instances of '%T' and '%T'", compare_symbols[op], a,
                   b);
}

static int truth_of(asy_vm *vm, asy_value result) {
  if (asy_is_bool(result)) return result == ASY_TRUE;
  return result == ASY_FAILED ? -1 : asy_truth(vm, result);
}

int asy_equal(asy_vm *vm, asy_value a, asy_value b) {
  if (a == b) return 1;
  if (asy_both_int(a, b)) return 0;
  if (asy_is_exact(a, KIND_STR) && asy_is_exact(b, KIND_STR))
    return asy_str_equal((const asy_str *)asy_obj_of(a), (const asy_str *)asy_obj_of(b));
  return truth_of(vm, asy_compare(vm, a, b, COMPARE_EQ));
}

int asy_less(asy_vm *vm, asy_value a, asy_value b) {
  if (asy_both_int(a, b)) return (int64_t)a < (int64_t)b;
  return truth_of(vm, asy_compare(vm, a, b, COMPARE_LT));
}
