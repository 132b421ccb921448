/* float.c - the float type: doubles in the value word, or in a heap box (float.h) where the exponent does not fit.
 * Every result goes through asy_from_double, which alone decides between the two, so equal doubles are equal words.
 */
#include "runtime/types/float.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "runtime/class.h"
#include "runtime/number.h"
#include "runtime/protocol.h"
#include "runtime/types/bytes.h"
#include "runtime/types/codec.h"
#include "runtime/types/format.h"
#include "runtime/types/int.h"
#include "runtime/types/unicode.h"

/* ---- Values ---- */

asy_value asy_from_double(asy_vm *vm, double d) {
  asy_value word = asy_flonum_encode(d);
  if (asy_is_flonum(word)) return word;
  asy_float *box = asy_new_kind(vm, KIND_FLOAT, sizeof *box);
  if (!box) return ASY_FAILED;
  box->value = d;
  return asy_from_obj(box);
}

bool asy_is_float(asy_value v) { return asy_is_flonum(v) || asy_is_kind(v, KIND_FLOAT); }

double asy_float_value(asy_value v) {
  return asy_is_flonum(v) ? asy_flonum(v) : ((const asy_float *)asy_obj_of(v))->value;
}

/* A number as a double: 1, 0 when v is neither float nor integer, -1 OverflowError. */
static int operand(asy_vm *vm, asy_value v, double *out) {
  if (asy_is_float(v)) {
    *out = asy_float_value(v);
    return 1;
  }
  if (!asy_is_integer(v)) return 0;
  return asy_int_to_double(vm, v, out) ? 1 : -1;
}

/* float(v) of what is no text: by __float__, then __index__. UNBOUND when v has neither. */
static asy_value float_by_method(asy_vm *vm, asy_value v) {
  asy_value result = asy_call_special(vm, v, ASY_NAME(vm, __float__), 0, NULL);
  if (result != ASY_UNBOUND) {
    if (asy_failed(result) || asy_is_flonum(result)) return result;
    asy_str *method = asy_str_format(vm, "%T.__float__", v);
    const char *name;
    if (!method || !asy_to_cstr(vm, asy_from_obj(method), &name)) return ASY_FAILED;
    return asy_converted(vm, result, asy_is_float(result), asy_is_exact(result, KIND_FLOAT), name, "float");
  }
  result = asy_call_special(vm, v, ASY_NAME(vm, __index__), 0, NULL);
  if (result == ASY_UNBOUND || asy_failed(result)) return result;
  double d;
  int is_number = operand(vm, result, &d);
  if (is_number == 1) return asy_from_double(vm, d);
  if (is_number < 0) return ASY_FAILED;
  return asy_raise(vm, ASY_TypeError, "__index__ returned non-int (type %T)", result);
}

bool asy_to_double(asy_vm *vm, asy_value v, double *out) {
  if (asy_is_flonum(v)) {
    *out = asy_flonum(v);
    return true;
  }
  if (!asy_is_obj(v) || asy_is_exact(v, KIND_INT) || asy_is_exact(v, KIND_FLOAT)) {
    int is_number = operand(vm, v, out);
    if (is_number) return is_number > 0;
  }
  asy_value result = float_by_method(vm, v);
  if (result == ASY_UNBOUND) asy_raise(vm, ASY_TypeError, "must be real number, not %T", v);
  if (result == ASY_UNBOUND || asy_failed(result)) return false;
  *out = asy_float_value(result);
  return true;
}

/* ---- Comparison and hash ---- */

int asy_float_compare_int(double a, asy_value integer) {
  if (isnan(a)) return 2;
  int sign = asy_int_sign(integer);
  if (isinf(a)) return a > 0 ? 1 : -1;
  int64_t i;
  if (asy_is_number_int64(integer, &i) && i >= -((int64_t)1 << DBL_MANT_DIG) && i <= (int64_t)1 << DBL_MANT_DIG)
    return a < (double)i ? -1 : a > (double)i;
  int other = a > 0 ? 1 : a < 0 ? -1 : 0;
  if (other != sign) return other < sign ? -1 : 1;
  asy_int_view view;
  asy_int_look(integer, &view);
  mpz_t storage;
  int order = mpz_cmp_d(asy_int_mpz(&view, storage), a);
  return order > 0 ? -1 : order < 0;
}

int64_t asy_float_hash(double d) {
  const uint64_t modulus = ((uint64_t)1 << 61) - 1;
  if (!isfinite(d)) return isinf(d) ? (d > 0 ? 314159 : -314159) : 0;
  int exponent;
  double m = frexp(d, &exponent);
  bool negative = m < 0;
  if (negative) m = -m;
  uint64_t x = 0;
  while (m != 0) { /* 28 bits at a time: x = x * 2^28 + bits, modulo 2^61 - 1 */
    x = (x << 28 & modulus) | x >> (61 - 28);
    m *= 268435456.0;
    exponent -= 28;
    uint64_t y = (uint64_t)m;
    m -= (double)y;
    x += y;
    if (x >= modulus) x -= modulus;
  }
  exponent = exponent >= 0 ? exponent % 61 : 61 - 1 - (-1 - exponent) % 61;
  x = (x << exponent & modulus) | x >> (61 - exponent);
  int64_t hash = negative ? -(int64_t)x : (int64_t)x;
  return hash == -1 ? -2 : hash;
}

static asy_value float_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op) {
  (void)vm;
  if (!asy_is_float(self)) return ASY_NOT_IMPLEMENTED;
  double a = asy_float_value(self);
  int order;
  if (asy_is_float(other)) {
    double b = asy_float_value(other);
    order = a < b ? -1 : a > b ? 1 : a == b ? 0 : 2;
  } else if (asy_is_integer(other)) order = asy_float_compare_int(a, other);
  else return ASY_NOT_IMPLEMENTED;
  if (order == 2) return asy_from_bool(op == COMPARE_NE);
  switch (op) {
    case COMPARE_LT: return asy_from_bool(order < 0);
    case COMPARE_LE: return asy_from_bool(order <= 0);
    case COMPARE_EQ: return asy_from_bool(order == 0);
    case COMPARE_NE: return asy_from_bool(order != 0);
    case COMPARE_GT: return asy_from_bool(order > 0);
    default: return asy_from_bool(order >= 0);
  }
}

static bool float_hash(asy_vm *vm, asy_value self, int64_t *out) {
  double d = asy_float_value(self);
  *out = isnan(d) ? asy_identity_hash(vm, self) : asy_float_hash(d);
  return true;
}

static int float_truth(asy_vm *vm, asy_value self) {
  (void)vm;
  return asy_float_value(self) != 0;
}

/* ---- Arithmetic ---- */

double asy_float_mod(double a, double b) {
  double mod = fmod(a, b);
  if (mod == 0) return copysign(0.0, b);
  return (b < 0) != (mod < 0) ? mod + b : mod;
}

static double floor_divide(double a, double b, double *remainder) {
  double mod = fmod(a, b);
  double div = (a - mod) / b;
  if (mod != 0) {
    if ((b < 0) != (mod < 0)) {
      mod += b;
      div -= 1.0;
    }
  } else mod = copysign(0.0, b);
  *remainder = mod;
  if (div == 0) return copysign(0.0, a / b);
  double floored = floor(div);
  return div - floored > 0.5 ? floored + 1.0 : floored;
}

static asy_value raise_range(asy_vm *vm) {
  asy_value text = asy_from_cstr(vm, "Numerical result out of range");
  if (asy_failed(text)) return ASY_FAILED;
  asy_value error = asy_call2(vm, asy_from_obj(vm->exceptions[ASY_OverflowError]), asy_from_small(ERANGE), text);
  return asy_failed(error) ? ASY_FAILED : asy_raise_value(vm, error);
}

static asy_value float_power(asy_vm *vm, double a, double b) {
  if (a == 0 && b < 0 && isfinite(b))
    return asy_raise(vm, ASY_ZeroDivisionError, "0.0 cannot be raised to a negative power");
  if (a < 0 && isfinite(a) && isfinite(b) && b != floor(b)) return asy_complex_pow(vm, a, 0, b, 0);
  double result = pow(a, b);
  if (isinf(result) && isfinite(a) && isfinite(b)) return raise_range(vm);
  return asy_from_double(vm, result);
}

asy_value asy_float_binary(asy_vm *vm, asy_binary_op op, double a, double b) {
  double remainder;
  switch (op) {
    case BINARY_ADD: return asy_from_double(vm, a + b);
    case BINARY_SUB: return asy_from_double(vm, a - b);
    case BINARY_MUL: return asy_from_double(vm, a * b);
    case BINARY_TRUEDIV:
      if (b == 0) return asy_raise(vm, ASY_ZeroDivisionError, "float division by zero");
      return asy_from_double(vm, a / b);
    case BINARY_FLOORDIV:
      if (b == 0) return asy_raise(vm, ASY_ZeroDivisionError, "float floor division by zero");
      return asy_from_double(vm, floor_divide(a, b, &remainder));
    case BINARY_MOD:
      if (b == 0) return asy_raise(vm, ASY_ZeroDivisionError, "float modulo by zero");
      return asy_from_double(vm, asy_float_mod(a, b));
    case BINARY_POW: return float_power(vm, a, b);
    default: return ASY_NOT_IMPLEMENTED;
  }
}

static asy_value float_slot(asy_vm *vm, asy_binary_op op, asy_value left, asy_value right) {
  double a, b;
  int known = operand(vm, left, &a);
  if (known > 0) known = operand(vm, right, &b);
  if (known <= 0) return known ? ASY_FAILED : ASY_NOT_IMPLEMENTED;
  return asy_float_binary(vm, op, a, b);
}

#define SLOT(op, name)                                                                                                 \
  static asy_value slot_##name(asy_vm *vm, asy_value left, asy_value right) {                                          \
    return float_slot(vm, BINARY_##op, left, right);                                                                   \
  }
SLOT(ADD, add)
SLOT(SUB, sub)
SLOT(MUL, mul)
SLOT(TRUEDIV, truediv)
SLOT(FLOORDIV, floordiv)
SLOT(MOD, mod)
SLOT(POW, pow)
#undef SLOT

static asy_value float_negate(asy_vm *vm, asy_value self) { return asy_from_double(vm, -asy_float_value(self)); }
static asy_value float_positive(asy_vm *vm, asy_value self) { return asy_from_double(vm, asy_float_value(self)); }

/* ---- Text ---- */

size_t asy_float_text(asy_vm *vm, double d, char out[ASY_FLOAT_TEXT]) {
  if (isnan(d)) return strlen(strcpy(out, "nan"));
  if (isinf(d)) return strlen(strcpy(out, d > 0 ? "inf" : "-inf"));
  char *p = out;
  if (signbit(d)) *p++ = '-';
  if (d == 0) return (size_t)(stpcpy(p, "0.0") - out);
  char digits[18];
  int point;
  int n = asy_float_shortest(vm, d, digits, &point);
  if (point > -4 && point <= 16) {
    if (point <= 0) {
      *p++ = '0';
      *p++ = '.';
      for (int i = point; i < 0; i++) *p++ = '0';
      memcpy(p, digits, (size_t)n);
      p += n;
    } else {
      for (int i = 0; i < point; i++) *p++ = i < n ? digits[i] : '0';
      *p++ = '.';
      if (n > point) {
        memcpy(p, digits + point, (size_t)(n - point));
        p += n - point;
      } else *p++ = '0';
    }
    *p = 0;
    return (size_t)(p - out);
  }
  *p++ = digits[0];
  if (n > 1) {
    *p++ = '.';
    memcpy(p, digits + 1, (size_t)n - 1);
    p += n - 1;
  }
  p += sprintf(p, "e%c%02d", point - 1 < 0 ? '-' : '+', abs(point - 1));
  return (size_t)(p - out);
}

asy_str *asy_float_repr(asy_vm *vm, double d) {
  char text[ASY_FLOAT_TEXT];
  size_t length = asy_float_text(vm, d, text);
  return asy_str_new_latin1(vm, (const uint8_t *)text, length);
}

static asy_value float_repr(asy_vm *vm, asy_value self) {
  asy_str *text = asy_float_repr(vm, asy_float_value(self));
  return text ? asy_from_obj(text) : ASY_FAILED;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Copies digits without the underscores between them; false at a misplaced underscore. Stops at the first other character. */
static bool copy_digits(const char **from, const char *end, char **to) {
  const char *p = *from;
  for (; p < end && (is_digit(*p) || *p == '_'); p++) {
    if (*p == '_') {
      if (p == *from || !is_digit(p[-1]) || p + 1 == end || !is_digit(p[1])) return false;
      continue;
    }
    *(*to)++ = *p;
  }
  *from = p;
  return true;
}

static bool special_value(const char *p, size_t length, double *out) {
  if ((length == 3 && !strncasecmp(p, "inf", 3)) || (length == 8 && !strncasecmp(p, "infinity", 8))) *out = HUGE_VAL;
  else if (length == 3 && !strncasecmp(p, "nan", 3)) *out = NAN;
  else return false;
  return true;
}

/* The value of checked text "ddd.ddde+dd" when it is exact in one operation on doubles: up to 2^53, and a power of ten that is
 * exact itself. */
static bool exact_double(const char *p, double *out) {
  static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  const uint64_t largest = (uint64_t)1 << DBL_MANT_DIG;
  uint64_t mantissa = 0;
  int exponent = 0, given = 0;
  bool dot = false;
  for (; is_digit(*p) || *p == '.'; p++) {
    if (*p == '.') {
      dot = true;
      continue;
    }
    mantissa = mantissa * 10 + (uint64_t)(*p - '0');
    if (mantissa > largest) return false;
    exponent -= dot;
  }
  if (*p) {
    bool down = *++p == '-';
    if (*p == '-' || *p == '+') p++;
    for (; *p; p++)
      if ((given = given * 10 + (*p - '0')) > 1000) return false;
    exponent += down ? -given : given;
  }
  if (exponent < -22 || exponent > 22) return false;
  *out = exponent < 0 ? (double)mantissa / powers[-exponent] : (double)mantissa * powers[exponent];
  return true;
}

/* `clean` has room for length + 1 characters. */
static bool parse_double(const char *p, size_t length, char *clean, double *out) {
  const char *end = p + length;
  bool negative = false;
  if (p < end && (*p == '+' || *p == '-')) negative = *p++ == '-';
  if (special_value(p, (size_t)(end - p), out)) {
    *out = copysign(*out, negative ? -1.0 : 1.0);
    return true;
  }
  char *to = clean;
  if (!copy_digits(&p, end, &to)) return false;
  ptrdiff_t digits = to - clean;
  if (p < end && *p == '.') {
    *to++ = *p++;
    char *fraction = to;
    if (!copy_digits(&p, end, &to)) return false;
    digits += to - fraction;
  }
  if (!digits) return false;
  if (p < end && (*p == 'e' || *p == 'E')) {
    *to++ = *p++;
    if (p < end && (*p == '+' || *p == '-')) *to++ = *p++;
    char *exponent = to;
    if (!copy_digits(&p, end, &to) || to == exponent) return false;
  }
  if (p != end) return false;
  *to = 0;
  if (!exact_double(clean, out)) *out = strtod(clean, NULL);
  if (negative) *out = -*out;
  return true;
}

static bool is_space(char c) { return c == ' ' || (c >= 9 && c <= 13); }

bool asy_double_from_text(const char *text, size_t length, double *out) {
  while (length && is_space(*text)) text++, length--;
  while (length && is_space(text[length - 1])) length--;
  char buffer[128];
  char *clean = length < sizeof buffer ? buffer : malloc(length + 1);
  bool good = clean && parse_double(text, length, clean, out);
  if (clean != buffer) free(clean);
  return good;
}

asy_value asy_float_from_str(asy_vm *vm, asy_str *text) {
  char buffer[128], *number;
  size_t length;
  double d;
  if (!asy_number_text(vm, text, buffer, sizeof buffer, &number, &length)) return ASY_FAILED;
  bool good = asy_double_from_text(number, length, &d);
  if (number != buffer) free(number);
  if (good) return asy_from_double(vm, d);
  return asy_raise_format(vm, ASY_ValueError, "could not convert string to float: %R", asy_from_obj(text));
}

static asy_value float_from_bytes(asy_vm *vm, asy_value object) {
  asy_buffer buffer;
  double d;
  if (!asy_buffer_get(vm, object, &buffer)) return ASY_FAILED;
  bool good = asy_double_from_text((const char *)buffer.data, buffer.len, &d);
  asy_buffer_release(vm, &buffer);
  if (good) return asy_from_double(vm, d);
  return asy_raise_format(vm, ASY_ValueError, "could not convert string to float: %R", object);
}

/* ---- Rounding ---- */

/* The nearest integer, ties to even. */
static double round_even(double d) { return rint(d); }

asy_value asy_float_round_to(asy_vm *vm, double d, asy_value ndigits) {
  asy_value index = asy_index(vm, ndigits);
  if (asy_failed(index)) return ASY_FAILED;
  int64_t digits;
  if (!asy_is_number_int64(index, &digits)) digits = asy_int_sign(index) < 0 ? INT64_MIN : INT64_MAX;
  if (!isfinite(d) || d == 0 || digits > 323) return asy_from_double(vm, d);
  if (digits < -308) return asy_from_double(vm, 0.0 * d);
  char text[700];
  double rounded;
  if (digits >= 0) { /* printf rounds the exact decimal value, ties to even */
    snprintf(text, sizeof text, "%.*f", (int)digits, d);
    rounded = strtod(text, NULL);
  } else {
    double whole = trunc(d);
    asy_value integer = asy_int_from_double(vm, whole);
    if (asy_failed(integer)) return ASY_FAILED;
    if (whole != d) { /* a fraction breaks ties away from zero: count in halves */
      asy_value two = asy_from_small(2),
                unit = asy_int_binary(vm, BINARY_POW, asy_from_small(10), asy_from_small(-digits));
      if (asy_failed(unit)) return ASY_FAILED;
      asy_value twice = asy_int_mul(vm, asy_int_abs(vm, integer), two), quotient, remainder;
      if (asy_failed(twice)) return ASY_FAILED;
      twice = asy_int_add(vm, twice, asy_from_small(1));
      asy_value double_unit = asy_int_mul(vm, unit, two);
      if (asy_failed(twice) || asy_failed(double_unit)) return ASY_FAILED;
      if (!asy_int_divmod(vm, twice, double_unit, &quotient, &remainder)) return ASY_FAILED;
      if (asy_int_compare(remainder, unit) > 0) quotient = asy_int_add(vm, quotient, asy_from_small(1));
      integer = asy_failed(quotient) ? quotient : asy_int_mul(vm, quotient, unit);
      if (!asy_failed(integer) && d < 0) integer = asy_int_negate(vm, integer);
    } else integer = asy_int_round_to(vm, integer, index);
    if (asy_failed(integer)) return ASY_FAILED;
    if (!asy_int_to_double(vm, integer, &rounded)) {
      asy_clear_exception(vm);
      rounded = HUGE_VAL;
    } else if (rounded == 0) rounded = copysign(0.0, d);
  }
  if (isinf(rounded)) return asy_raise(vm, ASY_OverflowError, "rounded value too large to represent");
  return asy_from_double(vm, rounded);
}

/* ---- The type ---- */

static asy_value as_class(asy_vm *vm, asy_class *cls, asy_value number) {
  if (asy_failed(number)) return ASY_FAILED;
  if (cls == vm->classes[KIND_FLOAT]) return asy_from_double(vm, asy_float_value(number));
  asy_float *box = asy_new_instance(vm, cls);
  if (!box) return ASY_FAILED;
  box->value = asy_float_value(number);
  return asy_from_obj(box);
}

static asy_value float_of(asy_vm *vm, asy_value x) {
  if (asy_is_flonum(x) || asy_is_exact(x, KIND_FLOAT)) return x;
  if (asy_is_str(x)) return asy_float_from_str(vm, (asy_str *)asy_obj_of(x));
  if (asy_is_int(x)) return asy_from_double(vm, (double)asy_small(x));
  asy_value result = float_by_method(vm, x);
  if (result != ASY_UNBOUND) return result;
  if (asy_is_bytes_like(x)) return float_from_bytes(vm, x);
  return asy_raise(vm, ASY_TypeError, "float() argument must be a string or a real number, not '%T'", x);
}

static asy_value float_new(asy_vm *vm, const asy_value *args) {
  return as_class(vm, (asy_class *)asy_obj_of(args[0]), float_of(vm, args[1]));
}

/* ---- Methods ---- */

static asy_value float_self(asy_vm *vm, const asy_value *args) { return asy_from_double(vm, asy_float_value(args[0])); }
static asy_value float_zero(asy_vm *vm, const asy_value *args) {
  (void)args;
  return asy_from_double(vm, 0.0);
}
static asy_value float_abs(asy_vm *vm, const asy_value *args) {
  return asy_from_double(vm, fabs(asy_float_value(args[0])));
}
static asy_value float_int(asy_vm *vm, const asy_value *args) {
  return asy_int_from_double(vm, asy_float_value(args[0]));
}
static asy_value float_floor(asy_vm *vm, const asy_value *args) {
  return asy_int_from_double(vm, floor(asy_float_value(args[0])));
}
static asy_value float_ceil(asy_vm *vm, const asy_value *args) {
  return asy_int_from_double(vm, ceil(asy_float_value(args[0])));
}

static asy_value float_is_integer(asy_vm *vm, const asy_value *args) {
  (void)vm;
  double d = asy_float_value(args[0]);
  return asy_from_bool(isfinite(d) && floor(d) == d);
}

static asy_value float_round(asy_vm *vm, const asy_value *args) {
  double d = asy_float_value(args[0]);
  if (args[1] == ASY_NONE) return asy_int_from_double(vm, round_even(d));
  return asy_float_round_to(vm, d, args[1]);
}

static asy_value divmod_pair(asy_vm *vm, asy_value left, asy_value right) {
  double a, b, remainder;
  int known = operand(vm, left, &a);
  if (known > 0) known = operand(vm, right, &b);
  if (known <= 0) return known ? ASY_FAILED : ASY_NOT_IMPLEMENTED;
  if (b == 0) return asy_raise(vm, ASY_ZeroDivisionError, "float divmod()");
  asy_value quotient = asy_from_double(vm, floor_divide(a, b, &remainder));
  asy_value rest = asy_from_double(vm, remainder);
  if (asy_failed(quotient) || asy_failed(rest)) return ASY_FAILED;
  return asy_tuple_of(vm, 2, quotient, rest);
}

static asy_value float_divmod(asy_vm *vm, const asy_value *args) { return divmod_pair(vm, args[0], args[1]); }
static asy_value float_rdivmod(asy_vm *vm, const asy_value *args) { return divmod_pair(vm, args[1], args[0]); }

static asy_value float_pow_method(asy_vm *vm, const asy_value *args) {
  if (args[2] != ASY_NONE)
    return asy_raise(vm, ASY_TypeError, "pow() 3rd argument not allowed unless all arguments are integers");
  return float_slot(vm, BINARY_POW, args[0], args[1]);
}

static asy_value float_ratio(asy_vm *vm, const asy_value *args) {
  double d = asy_float_value(args[0]);
  if (isinf(d)) return asy_raise(vm, ASY_OverflowError, "cannot convert Infinity to integer ratio");
  if (isnan(d)) return asy_raise(vm, ASY_ValueError, "cannot convert NaN to integer ratio");
  int exponent;
  double m = frexp(d, &exponent);
  for (int i = 0; i < 300 && m != floor(m); i++) {
    m *= 2;
    exponent--;
  }
  asy_value numerator = asy_int_from_double(vm, m), denominator = asy_from_small(1);
  if (exponent > 0) numerator = asy_int_binary(vm, BINARY_LSHIFT, numerator, asy_from_small(exponent));
  else denominator = asy_int_binary(vm, BINARY_LSHIFT, denominator, asy_from_small(-exponent));
  if (asy_failed(numerator) || asy_failed(denominator)) return ASY_FAILED;
  return asy_tuple_of(vm, 2, numerator, denominator);
}

static asy_value float_hex(asy_vm *vm, const asy_value *args) {
  double d = asy_float_value(args[0]);
  if (!isfinite(d)) {
    asy_str *text = asy_float_repr(vm, d);
    return text ? asy_from_obj(text) : ASY_FAILED;
  }
  const char *sign = signbit(d) ? "-" : "";
  uint64_t bits;
  memcpy(&bits, &d, sizeof bits);
  uint64_t fraction = bits & (((uint64_t)1 << 52) - 1);
  int exponent = (int)(bits >> 52 & 0x7ff);
  char text[40];
  if (d == 0) snprintf(text, sizeof text, "%s0x0.0p+0", sign);
  else
    snprintf(text, sizeof text, "%s0x%d.%013llxp%+d", sign, exponent != 0, (unsigned long long)fraction,
             exponent ? exponent - 1023 : -1022);
  return asy_from_cstr(vm, text);
}

static int hex_value(char c) { return is_digit(c) ? c - '0' : (c | 32) - 'a' + 10; }

/* [+-][0x]h.hhh[p+d] at *start, which is moved behind it; false when it is something else. strtod is no help: glibc rounds some
 * subnormals wrongly. */
static bool parse_hex(const char **start, const char *end, double *out) {
  const char *p = *start;
  bool negative = false, dot = false, sticky = false, any = false;
  if (p < end && (*p == '+' || *p == '-')) negative = *p++ == '-';
  if (end - p >= 2 && p[0] == '0' && (p[1] | 32) == 'x') p += 2;
  uint64_t mantissa = 0;
  int64_t exponent = 0, given = 0;
  for (; p < end && (isxdigit((unsigned char)*p) || (*p == '.' && !dot)); p++) {
    if (*p == '.') {
      dot = true;
      continue;
    }
    any = true;
    if (mantissa >> 60) { /* full: what follows only matters for rounding */
      sticky |= *p != '0';
      exponent += dot ? 0 : 4;
    } else {
      mantissa = mantissa << 4 | (uint64_t)hex_value(*p);
      exponent -= dot ? 4 : 0;
    }
  }
  if (!any) return false;
  if (p < end && (*p | 32) == 'p') {
    bool down = false;
    if (++p < end && (*p == '+' || *p == '-')) down = *p++ == '-';
    if (p == end || !is_digit(*p)) return false;
    for (; p < end && is_digit(*p); p++)
      if (given < INT64_MAX / 16) given = given * 10 + (*p - '0');
    if (down) given = -given;
  }
  *start = p;
  double d = mantissa ? asy_round_scaled(mantissa, exponent + given, sticky) : 0.0;
  *out = negative ? -d : d;
  return true;
}

/* [+-]inf, infinity or nan at *start, which is moved behind it. */
static bool parse_special(const char **start, const char *end, double *out) {
  static const char *const names[] = {"infinity", "inf", "nan"};
  bool negative = *start < end && **start == '-';
  const char *p = *start + (negative || (*start < end && **start == '+'));
  for (int i = 0; i < 3; i++) {
    size_t length = strlen(names[i]);
    if ((size_t)(end - p) < length || !special_value(p, length, out)) continue;
    *out = copysign(*out, negative ? -1.0 : 1.0);
    *start = p + length;
    return true;
  }
  return false;
}

static asy_value float_fromhex(asy_vm *vm, const asy_value *args) {
  if (!asy_is_str(args[1])) return asy_raise(vm, ASY_TypeError, "bad argument type for built-in operation");
  asy_value text = asy_encode(vm, (asy_str *)asy_obj_of(args[1]), "utf-8", NULL);
  if (asy_failed(text)) return ASY_FAILED;
  const asy_bytes *bytes = (asy_bytes *)asy_obj_of(text);
  const char *p = (const char *)bytes->data, *end = p + bytes->len;
  double d;
  while (p < end && is_space(*p)) p++;
  bool special = parse_special(&p, end, &d), good = special || parse_hex(&p, end, &d);
  if (good && !special && isinf(d))
    return asy_raise(vm, ASY_OverflowError, "hexadecimal value too large to represent as a float");
  while (p < end && is_space(*p)) p++;
  if (!good || p != end) return asy_raise(vm, ASY_ValueError, "invalid hexadecimal floating-point string");
  asy_value result = asy_from_double(vm, d);
  if (asy_failed(result) || asy_obj_of(args[0]) == (asy_obj *)vm->classes[KIND_FLOAT]) return result;
  return asy_call1(vm, args[0], result);
}

static asy_value float_getformat(asy_vm *vm, const asy_value *args) {
  const char *name;
  if (!asy_to_cstr(vm, args[1], &name)) return ASY_FAILED;
  if (strcmp(name, "double") && strcmp(name, "float"))
    return asy_raise(vm, ASY_ValueError, "__getformat__() argument 1 must be 'double' or 'float'");
  return asy_from_cstr(vm, "IEEE, little-endian");
}

static asy_value float_getnewargs(asy_vm *vm, const asy_value *args) {
  return asy_tuple_of(vm, 1, float_self(vm, args));
}

static const asy_native float_methods[] = {
  {"__abs__", SIG("(self, /)"), float_abs, DOC("abs(self)"), 0},
  {"__ceil__", SIG("(self, /)"), float_ceil, DOC("Return the ceiling as an Integral."), 0},
  {"__divmod__", SIG("(self, value, /)"), float_divmod, DOC("Return divmod(self, value)."), 0},
  {"__float__", SIG("(self, /)"), float_self, DOC("float(self)"), 0},
  {"__floor__", SIG("(self, /)"), float_floor, DOC("Return the floor as an Integral."), 0},
  {"__format__", SIG("(self, format_spec, /)"), asy_format_float, DOC("Formats the float according to format_spec."),
   0},
  {"__getformat__", SIG("(type, typestr, /)"), float_getformat, 0, ASY_NATIVE_CLASS},
  {"__getnewargs__", SIG("(self, /)"), float_getnewargs, 0, 0},
  {"__int__", SIG("(self, /)"), float_int, DOC("int(self)"), 0},
  {"__pow__", SIG("(self, value, mod=None, /)"), float_pow_method, DOC("Return pow(self, value, mod)."), 0},
  {"__rdivmod__", SIG("(self, value, /)"), float_rdivmod, DOC("Return divmod(value, self)."), 0},
  {"__round__", SIG("(self, ndigits=None, /)"), float_round,
   DOC("Return the Integral closest to x, rounding half toward even.\n\nWhen an argument is passed, work like built-in "
       "round(x, "
       "ndigits)."),
   0},
  {"__trunc__", SIG("(self, /)"), float_int, DOC("Return the Integral closest to x between 0 and x."), 0},
  {"as_integer_ratio", SIG("(self, /)"), float_ratio,
   DOC("Return a pair of integers, whose ratio is exactly equal to the original float."), 0},
  {"conjugate", SIG("(self, /)"), float_self, DOC("Return self, the complex conjugate of any float."), 0},
  {"fromhex", SIG("(type, string, /)"), float_fromhex, DOC("Create a floating-point number from a hexadecimal string."),
   ASY_NATIVE_CLASS},
  {"hex", SIG("(self, /)"), float_hex, DOC("Return a hexadecimal representation of a floating-point number."), 0},
  {"imag", SIG("(self)"), float_zero, DOC("the imaginary part of a complex number"), ASY_NATIVE_GETTER},
  {"is_integer", SIG("(self, /)"), float_is_integer, DOC("Return True if the float is an integer."), 0},
  {"real", SIG("(self)"), float_self, DOC("the real part of a complex number"), ASY_NATIVE_GETTER},
  {0},
};

const asy_type asy_float_type = {
  .name = "float",
  .doc = "Convert a string or number to a floating-point number, if possible.",
  .size = sizeof(asy_float),
  .new_ = float_new,
  .new_signature = SIG("(cls, x=0.0, /)"),
  .repr = float_repr,
  .hash = float_hash,
  .compare = float_compare,
  .special = &(const asy_special){.truth = float_truth},
  .operators = &(const asy_operators){.binary = {[BINARY_ADD] = slot_add,
                                                 [BINARY_SUB] = slot_sub,
                                                 [BINARY_MUL] = slot_mul,
                                                 [BINARY_TRUEDIV] = slot_truediv,
                                                 [BINARY_FLOORDIV] = slot_floordiv,
                                                 [BINARY_MOD] = slot_mod,
                                                 [BINARY_POW] = slot_pow},
                                      .unary = {[UNARY_NEG] = float_negate, [UNARY_POS] = float_positive}},
  .methods = float_methods,
};
