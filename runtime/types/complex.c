/* complex.c - the complex type: two doubles. The arithmetic follows CPython's Objects/complexobject.c, special cases included. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <strings.h>

#include "runtime/class.h"
#include "runtime/number.h"
#include "runtime/types/float.h"
#include "runtime/types/format.h"

typedef struct {
  double real, imag;
} pair;

asy_value asy_complex_new(asy_vm *vm, double real, double imag) {
  asy_complex *c = asy_new_kind(vm, KIND_COMPLEX, sizeof *c);
  if (!c) return ASY_FAILED;
  c->real = real;
  c->imag = imag;
  return asy_from_obj(c);
}

void asy_complex_parts(asy_value v, double *real, double *imag) {
  const asy_complex *c = (const asy_complex *)asy_obj_of(v);
  *real = c->real;
  *imag = c->imag;
}

static pair parts_of(asy_value v) {
  pair p;
  asy_complex_parts(v, &p.real, &p.imag);
  return p;
}

static asy_value from_pair(asy_vm *vm, pair p) { return asy_complex_new(vm, p.real, p.imag); }

/* 1, 0 when v is no number, -1 OverflowError. */
static int operand(asy_vm *vm, asy_value v, pair *out) {
  out->imag = 0;
  if (asy_is_kind(v, KIND_COMPLEX)) *out = parts_of(v);
  else if (asy_is_float(v)) out->real = asy_float_value(v);
  else if (!asy_is_integer(v)) return 0;
  else if (!asy_int_to_double(vm, v, &out->real)) return -1;
  return 1;
}

static pair product(pair a, pair b) {
  return (pair){a.real * b.real - a.imag * b.imag, a.real * b.imag + a.imag * b.real};
}

/* Smith's method; b is not 0. */
static pair quotient(pair a, pair b) {
  double abs_real = fabs(b.real), abs_imag = fabs(b.imag);
  if (abs_real >= abs_imag) {
    double ratio = b.imag / b.real, denominator = b.real + b.imag * ratio;
    return (pair){(a.real + a.imag * ratio) / denominator, (a.imag - a.real * ratio) / denominator};
  }
  if (abs_imag >= abs_real) {
    double ratio = b.real / b.imag, denominator = b.real * ratio + b.imag;
    return (pair){(a.real * ratio + a.imag) / denominator, (a.imag * ratio - a.real) / denominator};
  }
  return (pair){NAN, NAN};
}

static pair power_of_int(pair x, long n) {
  pair result = {1, 0}, p = x;
  for (long mask = 1; mask <= n; mask <<= 1) {
    if (n & mask) result = product(result, p);
    p = product(p, p);
  }
  return result;
}

static bool is_zero(pair p) { return p.real == 0 && p.imag == 0; }

asy_value asy_complex_pow(asy_vm *vm, double real, double imag, double exponent_real, double exponent_imag) {
  pair base = {real, imag}, exponent = {exponent_real, exponent_imag}, result;
  if (is_zero(exponent)) return asy_complex_new(vm, 1, 0);
  bool outside;
  if (exponent.imag == 0 && exponent.real == floor(exponent.real) && fabs(exponent.real) <= 100) {
    result = power_of_int(base, labs((long)exponent.real));
    outside = exponent.real < 0 && is_zero(result);
    if (exponent.real < 0) result = quotient((pair){1, 0}, result);
  } else if (is_zero(base)) {
    result = (pair){0, 0};
    outside = exponent.imag != 0 || exponent.real < 0;
  } else {
    double size = hypot(base.real, base.imag), length = pow(size, exponent.real);
    double angle = atan2(base.imag, base.real), phase = angle * exponent.real;
    if (exponent.imag != 0) {
      length /= exp(angle * exponent.imag);
      phase += exponent.imag * log(size);
    }
    result = (pair){length * cos(phase), length * sin(phase)};
    outside = isinf(phase);
  }
  if (outside) return asy_raise(vm, ASY_ZeroDivisionError, "0.0 to a negative or complex power");
  if (isinf(result.real) || isinf(result.imag)) return asy_raise(vm, ASY_OverflowError, "complex exponentiation");
  return from_pair(vm, result);
}

static asy_value complex_slot(asy_vm *vm, asy_binary_op op, asy_value left, asy_value right) {
  pair a, b;
  int known = operand(vm, left, &a);
  if (known > 0) known = operand(vm, right, &b);
  if (known <= 0) return known ? ASY_FAILED : ASY_NOT_IMPLEMENTED;
  switch (op) {
    case BINARY_ADD: return asy_complex_new(vm, a.real + b.real, a.imag + b.imag);
    case BINARY_SUB: return asy_complex_new(vm, a.real - b.real, a.imag - b.imag);
    case BINARY_MUL: return from_pair(vm, product(a, b));
    case BINARY_TRUEDIV:
      if (is_zero(b)) return asy_raise(vm, ASY_ZeroDivisionError, "complex division by zero");
      return from_pair(vm, quotient(a, b));
    default: return asy_complex_pow(vm, a.real, a.imag, b.real, b.imag);
  }
}

#define SLOT(op, name)                                                                                                 \
  static asy_value slot_##name(asy_vm *vm, asy_value left, asy_value right) {                                          \
    return complex_slot(vm, BINARY_##op, left, right);                                                                 \
  }
SLOT(ADD, add)
SLOT(SUB, sub)
SLOT(MUL, mul)
SLOT(TRUEDIV, truediv)
SLOT(POW, pow)
#undef SLOT

static asy_value complex_negate(asy_vm *vm, asy_value self) {
  pair p = parts_of(self);
  return asy_complex_new(vm, -p.real, -p.imag);
}
static asy_value complex_positive(asy_vm *vm, asy_value self) { return from_pair(vm, parts_of(self)); }

static int complex_truth(asy_vm *vm, asy_value self) {
  (void)vm;
  return !is_zero(parts_of(self));
}

static asy_value complex_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op) {
  (void)vm;
  if ((op != COMPARE_EQ && op != COMPARE_NE) || !asy_is_kind(self, KIND_COMPLEX)) return ASY_NOT_IMPLEMENTED;
  pair a = parts_of(self);
  bool equal;
  if (asy_is_kind(other, KIND_COMPLEX)) {
    pair b = parts_of(other);
    equal = a.real == b.real && a.imag == b.imag;
  } else if (asy_is_float(other)) equal = a.imag == 0 && a.real == asy_float_value(other);
  else if (asy_is_integer(other)) equal = a.imag == 0 && asy_float_compare_int(a.real, other) == 0;
  else return ASY_NOT_IMPLEMENTED;
  return asy_from_bool(equal == (op == COMPARE_EQ));
}

static bool complex_hash(asy_vm *vm, asy_value self, int64_t *out) {
  (void)vm;
  pair p = parts_of(self);
  int64_t hash = (int64_t)((uint64_t)asy_float_hash(p.real) + 1000003 * (uint64_t)asy_float_hash(p.imag));
  *out = hash == -1 ? -2 : hash;
  return true;
}

/* As repr of a float, without a closing ".0". */
static size_t part_text(asy_vm *vm, double d, char text[ASY_FLOAT_TEXT]) {
  size_t length = asy_float_text(vm, d, text);
  if (length > 2 && !strcmp(text + length - 2, ".0")) text[length -= 2] = 0;
  return length;
}

static asy_value complex_repr(asy_vm *vm, asy_value self) {
  pair p = parts_of(self);
  char real[ASY_FLOAT_TEXT], imag[ASY_FLOAT_TEXT];
  part_text(vm, p.real, real);
  part_text(vm, p.imag, imag);
  asy_str *text;
  if (p.real == 0 && !signbit(p.real)) text = asy_str_format(vm, "%sj", imag);
  else text = asy_str_format(vm, "(%s%s%sj)", real, imag[0] == '-' ? "" : "+", imag);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

/* ---- Parsing ---- */

/* The end of the longest float literal at p (NUL-terminated, no underscores), its value in *out; p itself when there is none. */
static const char *scan_float(const char *p, double *out) {
  const char *start = p;
  if (*p == '+' || *p == '-') p++;
  if (!isdigit((unsigned char)*p) && *p != '.' && strncasecmp(p, "inf", 3) && strncasecmp(p, "nan", 3)) return start;
  if (p[0] == '0' && (p[1] | 32) == 'x') { /* strtod would read hexadecimal */
    *out = 0;
    return p + 1;
  }
  char *end;
  *out = strtod(start, &end);
  if (end > start && end[-1] == ')' && !strncasecmp(p, "nan(", 4)) end = (char *)p + 3;
  return end;
}

/* Removes underscores between digits; false when one stands elsewhere. */
static bool drop_underscores(char *text) {
  char *to = text;
  for (const char *p = text; *p; p++) {
    if (*p != '_') *to++ = *p;
    else if (p == text || !isdigit((unsigned char)p[-1]) || !isdigit((unsigned char)p[1])) return false;
  }
  *to = 0;
  return true;
}

static bool parse_complex(char *s, size_t length, pair *out) {
  if (strlen(s) != length) return false;
  while (*s == ' ') s++;
  bool bracket = *s == '(';
  if (bracket) do
      s++;
    while (*s == ' ');
  double first = 0, second = 0;
  const char *p = s, *end = scan_float(p, &first);
  if (end == p && (*p == '+' || *p == '-')) { /* +j, -j */
    first = *p == '-' ? -1 : 1;
    end = p + 1;
    if ((*end | 32) != 'j') return false;
  } else if (end == p) {
    if ((*p | 32) != 'j') return false;
    first = 1;
  }
  if ((*end | 32) == 'j') {
    *out = (pair){0, first};
    end++;
  } else {
    *out = (pair){first, 0};
    if (*end == '+' || *end == '-') {
      p = end;
      end = scan_float(p, &second);
      if (end == p) {
        second = *p == '-' ? -1 : 1;
        end = p + 1;
      }
      if ((*end | 32) != 'j') return false;
      end++;
      out->imag = second;
    }
  }
  while (*end == ' ') end++;
  if (bracket) {
    if (*end++ != ')') return false;
    while (*end == ' ') end++;
  }
  return *end == 0;
}

static asy_value from_text(asy_vm *vm, asy_value text, pair *out) {
  char buffer[128], *number;
  size_t length;
  if (!asy_number_text(vm, (asy_str *)asy_obj_of(text), buffer, sizeof buffer, &number, &length)) return ASY_FAILED;
  bool separated = strchr(number, '_') != NULL;
  if (separated && (strlen(number) != length || !drop_underscores(number))) {
    if (number != buffer) free(number);
    return asy_raise(vm, ASY_ValueError, "could not convert string to complex: %R", text);
  }
  bool good = parse_complex(number, separated ? strlen(number) : length, out);
  if (number != buffer) free(number);
  return good ? ASY_NONE : asy_raise(vm, ASY_ValueError, "complex() arg is a malformed string");
}

/* ---- The type ---- */

/* A part given to complex(): a number, or an object with __complex__ (first part only), __float__ or __index__. */
static bool argument(asy_vm *vm, asy_value v, bool is_first, pair *out, bool *is_complex) {
  *is_complex = asy_is_kind(v, KIND_COMPLEX);
  if (is_first) {
    asy_value made = asy_call_special(vm, v, ASY_NAME(vm, __complex__), 0, NULL);
    if (asy_failed(made)) return false;
    if (made != ASY_UNBOUND) {
      *is_complex = asy_is_kind(made, KIND_COMPLEX);
      if (!*is_complex) {
        asy_raise(vm, ASY_TypeError, "%T.__complex__() must return a complex, not %T", v, made);
        return false;
      }
      *out = parts_of(made);
      return true;
    }
  }
  int known = operand(vm, v, out);
  if (known) return known > 0;
  if (asy_to_double(vm, v, &out->real)) return true;
  if (!asy_raised_is(vm, ASY_TypeError)) return false;
  asy_clear_exception(vm);
  if (is_first) asy_raise(vm, ASY_TypeError, "complex() first argument must be a string or a number, not '%T'", v);
  else asy_raise(vm, ASY_TypeError, "complex() second argument must be a number, not '%T'", v);
  return false;
}

static asy_value make(asy_vm *vm, asy_class *cls, pair p) {
  if (cls == vm->classes[KIND_COMPLEX]) return from_pair(vm, p);
  asy_complex *c = asy_new_instance(vm, cls);
  if (!c) return ASY_FAILED;
  c->real = p.real;
  c->imag = p.imag;
  return asy_from_obj(c);
}

static asy_value complex_new(asy_vm *vm, const asy_value *args) {
  asy_class *cls = (asy_class *)asy_obj_of(args[0]);
  asy_value real = args[1], imag = args[2];
  pair first = {0, 0}, second = {0, 0};
  bool first_complex = false, second_complex = false;
  if (real != ASY_UNBOUND && asy_is_str(real)) {
    if (imag != ASY_UNBOUND)
      return asy_raise(vm, ASY_TypeError, "complex() can't take second arg if first is a string");
    return asy_failed(from_text(vm, real, &first)) ? ASY_FAILED : make(vm, cls, first);
  }
  if (imag != ASY_UNBOUND && asy_is_str(imag))
    return asy_raise(vm, ASY_TypeError, "complex() second arg can't be a string");
  if (imag == ASY_UNBOUND && real != ASY_UNBOUND && asy_is_exact(real, KIND_COMPLEX) &&
      cls == vm->classes[KIND_COMPLEX])
    return real;
  if (real != ASY_UNBOUND && !argument(vm, real, true, &first, &first_complex)) return ASY_FAILED;
  if (imag != ASY_UNBOUND && !argument(vm, imag, false, &second, &second_complex)) return ASY_FAILED;
  if (imag == ASY_UNBOUND) return make(vm, cls, first);
  pair result = {first.real, second.real}; /* first + second * 1j, without turning zeros */
  if (second_complex) result.real -= second.imag;
  if (first_complex) result.imag += first.imag;
  return make(vm, cls, result);
}

static asy_value complex_real(asy_vm *vm, const asy_value *args) { return asy_from_double(vm, parts_of(args[0]).real); }
static asy_value complex_imag(asy_vm *vm, const asy_value *args) { return asy_from_double(vm, parts_of(args[0]).imag); }
static asy_value complex_self(asy_vm *vm, const asy_value *args) { return from_pair(vm, parts_of(args[0])); }

static asy_value complex_conjugate(asy_vm *vm, const asy_value *args) {
  pair p = parts_of(args[0]);
  return asy_complex_new(vm, p.real, -p.imag);
}

static asy_value complex_abs(asy_vm *vm, const asy_value *args) {
  pair p = parts_of(args[0]);
  double size = hypot(p.real, p.imag);
  if (isinf(size) && isfinite(p.real) && isfinite(p.imag))
    return asy_raise(vm, ASY_OverflowError, "absolute value too large");
  return asy_from_double(vm, size);
}

static asy_value complex_pow_method(asy_vm *vm, const asy_value *args) {
  if (args[2] != ASY_NONE) return asy_raise(vm, ASY_ValueError, "complex modulo");
  return complex_slot(vm, BINARY_POW, args[0], args[1]);
}

static asy_value complex_getnewargs(asy_vm *vm, const asy_value *args) {
  return asy_tuple_of(vm, 2, complex_real(vm, args), complex_imag(vm, args));
}

static const asy_native complex_methods[] = {
  {"__abs__", SIG("(self, /)"), complex_abs, DOC("abs(self)"), 0},
  {"__complex__", SIG("(self, /)"), complex_self, DOC("Convert this value to exact type complex."), 0},
  {"__format__", SIG("(self, format_spec, /)"), asy_format_complex,
   DOC("Convert to a string according to format_spec."), 0},
  {"__getnewargs__", SIG("(self, /)"), complex_getnewargs, 0, 0},
  {"__pow__", SIG("(self, value, mod=None, /)"), complex_pow_method, DOC("Return pow(self, value, mod)."), 0},
  {"conjugate", SIG("(self, /)"), complex_conjugate,
   DOC("Return the complex conjugate of its argument. (3-4j).conjugate() == 3+4j."), 0},
  {"imag", SIG("(self)"), complex_imag, DOC("the imaginary part of a complex number"), ASY_NATIVE_GETTER},
  {"real", SIG("(self)"), complex_real, DOC("the real part of a complex number"), ASY_NATIVE_GETTER},
  {0},
};

const asy_type asy_complex_type = {
  .name = "complex",
  .doc =
    "Create a complex number from a string or numbers.\n\nIf a string is given, parse it as a complex number.\nIf a "
    "single "
    "number is given, convert it to a complex number.\nIf the 'real' or 'imag' arguments are given, create a complex "
    "number\n"
    "with the specified real and imaginary components.",
  .size = sizeof(asy_complex),
  .new_ = complex_new,
  .new_signature = SIG("(cls, real=?, imag=?)"),
  .repr = complex_repr,
  .hash = complex_hash,
  .compare = complex_compare,
  .special = &(const asy_special){.truth = complex_truth},
  .operators = &(const asy_operators){.binary = {[BINARY_ADD] = slot_add,
                                                 [BINARY_SUB] = slot_sub,
                                                 [BINARY_MUL] = slot_mul,
                                                 [BINARY_TRUEDIV] = slot_truediv,
                                                 [BINARY_POW] = slot_pow},
                                      .unary = {[UNARY_NEG] = complex_negate, [UNARY_POS] = complex_positive}},
  .methods = complex_methods,
};
