/* math.c - the module math: libm with Python's errors, and number theory on integers of any size. */
#include <errno.h>
#include <float.h>
#include <math.h>

#include "runtime/asy.h"

static asy_value domain_error(asy_vm *vm) { return asy_raise(vm, ASY_ValueError, "math domain error"); }
static asy_value range_error(asy_vm *vm) { return asy_raise(vm, ASY_OverflowError, "math range error"); }

/* What CPython makes of a result: NaN from a number is a domain error, infinity from finite numbers as the function says. */
static asy_value checked(asy_vm *vm, double result, bool nan_given, bool finite_given, bool can_overflow) {
  if (isnan(result) && !nan_given) return domain_error(vm);
  if (isinf(result) && finite_given) return can_overflow ? range_error(vm) : domain_error(vm);
  return asy_from_double(vm, result);
}

static asy_value unary(asy_vm *vm, const asy_value *args, double (*f)(double), bool can_overflow) {
  double x;
  if (!asy_to_double(vm, args[0], &x)) return ASY_FAILED;
  return checked(vm, f(x), isnan(x), isfinite(x), can_overflow);
}

/* name, C function, whether an infinite result is an overflow (else a pole: domain error), doc */
#define UNARY(X)                                                                                                       \
  X(acos, acos, false, DOC("Return the arc cosine (measured in radians) of x."))                                       \
  X(acosh, acosh, false, DOC("Return the inverse hyperbolic cosine of x."))                                            \
  X(asin, asin, false, DOC("Return the arc sine (measured in radians) of x."))                                         \
  X(asinh, asinh, false, DOC("Return the inverse hyperbolic sine of x."))                                              \
  X(atan, atan, false, DOC("Return the arc tangent (measured in radians) of x."))                                      \
  X(atanh, atanh, false, DOC("Return the inverse hyperbolic tangent of x."))                                           \
  X(cbrt, cbrt, false, DOC("Return the cube root of x."))                                                              \
  X(cos, cos, false, DOC("Return the cosine of x (measured in radians)."))                                             \
  X(cosh, cosh, true, DOC("Return the hyperbolic cosine of x."))                                                       \
  X(erf, erf, false, DOC("Error function at x."))                                                                      \
  X(erfc, erfc, false, DOC("Complementary error function at x."))                                                      \
  X(exp, exp, true, DOC("Return e raised to the power of x."))                                                         \
  X(exp2, exp2, true, DOC("Return 2 raised to the power of x."))                                                       \
  X(expm1, expm1, true, DOC("Return exp(x)-1."))                                                                       \
  X(fabs, fabs, false, DOC("Return the absolute value of the float x."))                                               \
  X(log1p, log1p, false, DOC("Return the natural logarithm of 1+x (base e)."))                                         \
  X(sin, sin, false, DOC("Return the sine of x (measured in radians)."))                                               \
  X(sinh, sinh, true, DOC("Return the hyperbolic sine of x."))                                                         \
  X(sqrt, sqrt, false, DOC("Return the square root of x."))                                                            \
  X(tan, tan, false, DOC("Return the tangent of x (measured in radians)."))                                            \
  X(tanh, tanh, false, DOC("Return the hyperbolic tangent of x."))

#define X(name, f, can_overflow, doc)                                                                                  \
  static asy_value math_##name(asy_vm *vm, const asy_value *args) { return unary(vm, args, f, can_overflow); }
UNARY(X)
#undef X

static asy_value math_gamma(asy_vm *vm, const asy_value *args) {
  double x;
  if (!asy_to_double(vm, args[0], &x)) return ASY_FAILED;
  if (x == 0 || x == -INFINITY || (x < 0 && isfinite(x) && x == floor(x))) return domain_error(vm);
  return checked(vm, tgamma(x), isnan(x), isfinite(x), true);
}

static asy_value math_lgamma(asy_vm *vm, const asy_value *args) {
  double x;
  int sign;
  if (!asy_to_double(vm, args[0], &x)) return ASY_FAILED;
  if (isinf(x)) return asy_from_double(vm, INFINITY);
  if (x <= 0 && x == floor(x)) return domain_error(vm);
  return checked(vm, lgamma_r(x, &sign), isnan(x), true, true);
}

/* ---- Logarithms: also of integers too large for a double ---- */

static asy_value log_of(asy_vm *vm, asy_value v, double (*f)(double), double *out) {
  double x;
  if (asy_is_integer(v)) {
    if (asy_int_sign(v) <= 0) return domain_error(vm);
    uint64_t bits = asy_int_bit_length(v);
    if (bits > 1000) { /* log(m * 2^k) */
      int64_t shift = (int64_t)bits - 64;
      asy_value top = asy_int_binary(vm, BINARY_RSHIFT, v, asy_from_int64(vm, shift));
      if (asy_failed(top) || !asy_to_double(vm, top, &x)) return ASY_FAILED;
      *out = f(x) + f(2.0) * (double)shift;
      return ASY_NONE;
    }
  }
  if (!asy_to_double(vm, v, &x)) return ASY_FAILED;
  if (x <= 0) return domain_error(vm);
  *out = f(x);
  return ASY_NONE;
}

static asy_value math_log(asy_vm *vm, const asy_value *args) {
  double x, base;
  if (asy_failed(log_of(vm, args[0], log, &x))) return ASY_FAILED;
  if (args[1] == ASY_UNBOUND) return asy_from_double(vm, x);
  if (asy_failed(log_of(vm, args[1], log, &base))) return ASY_FAILED;
  if (base == 0) return asy_raise(vm, ASY_ZeroDivisionError, "float division by zero");
  return asy_from_double(vm, x / base);
}

static asy_value math_log2(asy_vm *vm, const asy_value *args) {
  double x;
  return asy_failed(log_of(vm, args[0], log2, &x)) ? ASY_FAILED : asy_from_double(vm, x);
}

static asy_value math_log10(asy_vm *vm, const asy_value *args) {
  double x;
  return asy_failed(log_of(vm, args[0], log10, &x)) ? ASY_FAILED : asy_from_double(vm, x);
}

/* ---- Two arguments ---- */

static bool two(asy_vm *vm, const asy_value *args, double *x, double *y) {
  return asy_to_double(vm, args[0], x) && asy_to_double(vm, args[1], y);
}

static asy_value math_atan2(asy_vm *vm, const asy_value *args) {
  double y, x;
  return two(vm, args, &y, &x) ? asy_from_double(vm, atan2(y, x)) : ASY_FAILED;
}

static asy_value math_copysign(asy_vm *vm, const asy_value *args) {
  double x, y;
  return two(vm, args, &x, &y) ? asy_from_double(vm, copysign(x, y)) : ASY_FAILED;
}

static asy_value math_fmod(asy_vm *vm, const asy_value *args) {
  double x, y;
  if (!two(vm, args, &x, &y)) return ASY_FAILED;
  return checked(vm, fmod(x, y), isnan(x) || isnan(y), true, true);
}

static asy_value math_remainder(asy_vm *vm, const asy_value *args) {
  double x, y;
  if (!two(vm, args, &x, &y)) return ASY_FAILED;
  return checked(vm, remainder(x, y), isnan(x) || isnan(y), true, true);
}

static asy_value math_pow(asy_vm *vm, const asy_value *args) {
  double x, y;
  if (!two(vm, args, &x, &y)) return ASY_FAILED;
  if (x == 0 && y < 0 && isfinite(y)) return domain_error(vm);
  return checked(vm, pow(x, y), isnan(x) || isnan(y), isfinite(x) && isfinite(y), true);
}

static asy_value math_ldexp(asy_vm *vm, const asy_value *args) {
  double x;
  int64_t exponent;
  if (!asy_to_double(vm, args[0], &x)) return ASY_FAILED;
  if (!asy_is_integer(args[1])) return asy_raise(vm, ASY_TypeError, "Expected an int as second argument to ldexp.");
  if (!asy_is_number_int64(args[1], &exponent)) exponent = asy_int_sign(args[1]) < 0 ? INT32_MIN : INT32_MAX;
  int e = exponent > 100000 ? 100000 : exponent < -100000 ? -100000 : (int)exponent;
  return checked(vm, ldexp(x, e), isnan(x), isfinite(x), true);
}

static asy_value math_frexp(asy_vm *vm, const asy_value *args) {
  double x;
  int exponent = 0;
  if (!asy_to_double(vm, args[0], &x)) return ASY_FAILED;
  double mantissa = isfinite(x) ? frexp(x, &exponent) : x;
  return asy_tuple_of(vm, 2, asy_from_double(vm, mantissa), asy_from_small(exponent));
}

static asy_value math_modf(asy_vm *vm, const asy_value *args) {
  double x, whole;
  if (!asy_to_double(vm, args[0], &x)) return ASY_FAILED;
  double fraction = modf(x, &whole);
  return asy_tuple_of(vm, 2, asy_from_double(vm, fraction), asy_from_double(vm, whole));
}

static asy_value math_fma(asy_vm *vm, const asy_value *args) {
  double x, y, z;
  if (!two(vm, args, &x, &y) || !asy_to_double(vm, args[2], &z)) return ASY_FAILED;
  double result = fma(x, y, z);
  if (isnan(result) && !isnan(x) && !isnan(y) && !isnan(z))
    return asy_raise(vm, ASY_ValueError, "invalid operation in fma");
  if (isinf(result) && isfinite(x) && isfinite(y) && isfinite(z))
    return asy_raise(vm, ASY_OverflowError, "overflow in fma");
  return asy_from_double(vm, result);
}

/* The place of a double in the order of all: 0 has 0. */
static int64_t place_of(double x) {
  double size = fabs(x);
  int64_t bits;
  memcpy(&bits, &size, sizeof bits);
  return x < 0 ? -bits : bits;
}

static asy_value math_nextafter(asy_vm *vm, const asy_value *args) {
  double x, y;
  int64_t steps = 1;
  if (!two(vm, args, &x, &y)) return ASY_FAILED;
  if (args[2] != ASY_NONE && !asy_to_int64(vm, args[2], &steps)) return ASY_FAILED;
  if (steps < 0) return asy_raise(vm, ASY_ValueError, "steps must be a non-negative integer");
  if (isnan(x) || isnan(y)) return asy_from_double(vm, NAN);
  if (args[2] == ASY_NONE) return asy_from_double(vm, nextafter(x, y)); /* to -0.0 from below, whatever the sign of y */
  if (x == y || !steps) return asy_from_double(vm, steps ? y : x);
  int64_t from = place_of(x), to = place_of(y);
  uint64_t left = to > from ? (uint64_t)to - (uint64_t)from : (uint64_t)from - (uint64_t)to;
  if ((uint64_t)steps >= left) return asy_from_double(vm, y);
  from += to > from ? steps : -steps;
  int64_t bits = from < 0 ? -from : from;
  double result;
  memcpy(&result, &bits, sizeof result);
  return asy_from_double(vm, from < 0 || (from == 0 && x < 0) ? -result : result);
}

static asy_value math_ulp(asy_vm *vm, const asy_value *args) {
  double x;
  if (!asy_to_double(vm, args[0], &x)) return ASY_FAILED;
  if (isnan(x)) return asy_from_double(vm, x);
  x = fabs(x);
  if (isinf(x)) return asy_from_double(vm, x);
  double above = nextafter(x, INFINITY);
  return asy_from_double(vm, isinf(above) ? x - nextafter(x, 0) : above - x);
}

static asy_value math_degrees(asy_vm *vm, const asy_value *args) {
  double x;
  return asy_to_double(vm, args[0], &x) ? asy_from_double(vm, x * (180.0 / M_PI)) : ASY_FAILED;
}

static asy_value math_radians(asy_vm *vm, const asy_value *args) {
  double x;
  return asy_to_double(vm, args[0], &x) ? asy_from_double(vm, x * (M_PI / 180.0)) : ASY_FAILED;
}

static asy_value math_isfinite(asy_vm *vm, const asy_value *args) {
  double x;
  return asy_to_double(vm, args[0], &x) ? asy_from_bool(isfinite(x)) : ASY_FAILED;
}
static asy_value math_isinf(asy_vm *vm, const asy_value *args) {
  double x;
  return asy_to_double(vm, args[0], &x) ? asy_from_bool(isinf(x)) : ASY_FAILED;
}
static asy_value math_isnan(asy_vm *vm, const asy_value *args) {
  double x;
  return asy_to_double(vm, args[0], &x) ? asy_from_bool(isnan(x)) : ASY_FAILED;
}

static asy_value math_isclose(asy_vm *vm, const asy_value *args) {
  double a, b, relative, absolute;
  if (!two(vm, args, &a, &b) || !two(vm, args + 2, &relative, &absolute)) return ASY_FAILED;
  if (relative < 0 || absolute < 0) return asy_raise(vm, ASY_ValueError, "tolerances must be non-negative");
  if (a == b) return ASY_TRUE;
  if (isinf(a) || isinf(b)) return ASY_FALSE;
  double difference = fabs(b - a);
  return asy_from_bool(difference <= fabs(relative * b) || difference <= fabs(relative * a) || difference <= absolute);
}

/* ---- Rounding: to an int, or by the type's own method ---- */

/* No instance of a subclass, whose methods may be its own. */
static bool is_plain_float(asy_value v) {
  return asy_is_float(v) && (!asy_is_obj(v) || asy_obj_of(v)->shape == KIND_FLOAT);
}

static asy_value rounding(asy_vm *vm, asy_value v, const char *method, double (*f)(double)) {
  if (is_plain_float(v)) return asy_int_from_double(vm, f(asy_float_value(v)));
  asy_str *name = asy_intern(vm, method);
  asy_value result = name ? asy_call_special(vm, v, name, 0, NULL) : ASY_FAILED;
  if (result != ASY_UNBOUND) return result;
  double x;
  if (!strcmp(method, "__trunc__")) return asy_raise(vm, ASY_TypeError, "type %T doesn't define __trunc__ method", v);
  return asy_to_double(vm, v, &x) ? asy_int_from_double(vm, f(x)) : ASY_FAILED;
}

static asy_value math_ceil(asy_vm *vm, const asy_value *args) { return rounding(vm, args[0], "__ceil__", ceil); }
static asy_value math_floor(asy_vm *vm, const asy_value *args) { return rounding(vm, args[0], "__floor__", floor); }
static asy_value math_trunc(asy_vm *vm, const asy_value *args) { return rounding(vm, args[0], "__trunc__", trunc); }

/* ---- Sums ---- */

static asy_list *list_of(asy_vm *vm, asy_value iterable) {
  asy_list *list = asy_list_new(vm, 0);
  return list && asy_list_extend(vm, list, iterable) ? list : NULL;
}

/* Shewchuk: partial sums that do not overlap hold the exact sum. */
enum { MAX_PARTIALS = 1100 }; /* a bit each, and not side by side: all that doubles have */

static asy_value math_fsum(asy_vm *vm, const asy_value *args) {
  double partials[MAX_PARTIALS], special = 0, infinite = 0;
  int n = 0;
  asy_value iterator = asy_iter(vm, args[0]);
  if (asy_failed(iterator)) return ASY_FAILED;
  for (;;) {
    asy_value item = asy_next(vm, iterator);
    double x, given;
    if (item == ASY_END) break;
    if (asy_failed(item) || !asy_to_double(vm, item, &x)) return ASY_FAILED;
    given = x;
    int kept = 0;
    for (int i = 0; i < n; i++) {
      double y = partials[i];
      if (fabs(x) < fabs(y)) {
        double swap = x;
        x = y;
        y = swap;
      }
      double high = x + y, low = y - (high - x);
      if (low != 0) partials[kept++] = low;
      x = high;
    }
    n = kept;
    if (x == 0) continue;
    if (!isfinite(x)) {
      if (isfinite(given)) return asy_raise(vm, ASY_OverflowError, "intermediate overflow in fsum");
      if (isinf(given)) infinite += given;
      special += given;
      n = 0;
      continue;
    }
    if (n == MAX_PARTIALS) return asy_raise(vm, ASY_OverflowError, "fsum: more than %d partial sums", MAX_PARTIALS);
    partials[n++] = x;
  }
  if (special != 0) {
    if (isnan(infinite)) return asy_raise(vm, ASY_ValueError, "-inf + inf in fsum");
    return asy_from_double(vm, special);
  }
  double high = 0, low = 0;
  if (n) high = partials[--n];
  while (n) {
    double x = high, y = partials[--n];
    high = x + y;
    low = y - (high - x);
    if (low != 0) break;
  }
  if (n &&
      ((low < 0 && partials[n - 1] < 0) || (low > 0 && partials[n - 1] > 0))) { /* round half to even over all parts */
    double y = low * 2, x = high + y;
    if (y == x - high) high = x;
  }
  return asy_from_double(vm, high);
}

static asy_value math_prod(asy_vm *vm, const asy_value *args) {
  asy_value iterator = asy_iter(vm, args[0]), result = args[1];
  if (asy_failed(iterator)) return ASY_FAILED;
  for (;;) {
    asy_value item = asy_next(vm, iterator);
    if (item == ASY_END) return result;
    result = asy_failed(item) ? ASY_FAILED : asy_binary(vm, BINARY_MUL, result, item);
    if (asy_failed(result)) return ASY_FAILED;
  }
}

/* A sum of doubles in three parts, each the rounding error of the one before. */
typedef struct {
  double high, low, tiny;
} triple;

static double add_exactly(double a, double b, double *error) {
  double sum = a + b, part = sum - a;
  *error = (a - (sum - part)) + (b - part);
  return sum;
}

static void add_product(triple *total, double x, double y) {
  double product = x * y, rest = fma(x, y, -product), error_high, error_low, error_rest;
  total->high = add_exactly(total->high, product, &error_high);
  double low = add_exactly(total->low, rest, &error_low);
  total->low = add_exactly(low, error_high, &error_rest);
  total->tiny += error_low + error_rest;
}

/* Integers are summed first, until another pair comes; then those with a float, exactly, until another comes; then by the operators. */
typedef struct {
  enum { INTS, FLOATS, OPERATORS } stage;
  asy_value total;
  int64_t ints;
  triple floats;
  double plain; /* the floats' sum without the error terms, which are no numbers where it is none */
} dot;

static bool add_to_total(asy_vm *vm, dot *d, asy_value v) {
  d->total = asy_failed(v) ? ASY_FAILED : asy_binary(vm, BINARY_ADD, d->total, v);
  return !asy_failed(d->total);
}

/* Adds what a stage has summed. */
static bool end_stage(asy_vm *vm, dot *d, bool any) {
  double sum = d->floats.high + (d->floats.low + d->floats.tiny);
  bool ints = d->stage == INTS;
  d->stage = ints ? FLOATS : OPERATORS;
  return !any ||
         add_to_total(vm, d, ints ? asy_from_int64(vm, d->ints) : asy_from_double(vm, isfinite(sum) ? sum : d->plain));
}

static bool add_pair(asy_vm *vm, dot *d, asy_value x, asy_value y, bool *any) {
  int64_t product;
  if (d->stage == INTS) {
    if (asy_is_int(x) && asy_is_int(y) && !__builtin_mul_overflow(asy_small(x), asy_small(y), &product) &&
        !__builtin_add_overflow(d->ints, product, &product)) {
      d->ints = product;
      return *any = true;
    }
    if (!end_stage(vm, d, *any)) return false;
    *any = false;
  }
  if (d->stage == FLOATS) {
    bool float_x = is_plain_float(x), float_y = is_plain_float(y);
    if ((float_x && (float_y || asy_is_int(y))) || (float_y && asy_is_int(x))) {
      double a = float_x ? asy_float_value(x) : (double)asy_small(x),
             b = float_y ? asy_float_value(y) : (double)asy_small(y);
      add_product(&d->floats, a, b);
      d->plain += a * b;
      return *any = true;
    }
    if (!end_stage(vm, d, *any)) return false;
  }
  return add_to_total(vm, d, asy_binary(vm, BINARY_MUL, x, y));
}

static asy_value math_sumprod(asy_vm *vm, const asy_value *args) {
  asy_list *p = list_of(vm, args[0]), *q = p ? list_of(vm, args[1]) : NULL;
  if (!q) return ASY_FAILED;
  if (p->len != q->len) return asy_raise(vm, ASY_ValueError, "Inputs are not the same length");
  dot d = {.total = asy_from_small(0)};
  bool any = false; /* in this stage */
  for (uint32_t i = 0; i < p->len && i < q->len; i++)
    if (!add_pair(vm, &d, p->items[i], q->items[i], &any)) return ASY_FAILED;
  return d.stage == OPERATORS || end_stage(vm, &d, any) ? d.total : ASY_FAILED;
}

/* The length of a vector: scaled by a power of two, squares summed in two doubles, and the root corrected once. */
static double vector_length(const double *x, uint32_t n) {
  double largest = 0, sum = 0, rest = 0;
  bool nan = false;
  for (uint32_t i = 0; i < n; i++) {
    nan |= isnan(x[i]);
    if (fabs(x[i]) > largest) largest = fabs(x[i]);
  }
  if (isinf(largest) || largest == 0) return nan && largest == 0 ? NAN : largest;
  if (nan) return NAN;
  int exponent;
  frexp(largest, &exponent);
  for (uint32_t i = 0; i < n; i++) {
    double v = ldexp(x[i], -exponent), square = v * v, t = sum + square;
    rest += fma(v, v, -square) + (fabs(sum) >= square ? (sum - t) + square : (square - t) + sum);
    sum = t;
  }
  double root = sqrt(sum + rest);
  root += (fma(-root, root, sum) + rest) / (2 * root);
  return ldexp(root, exponent);
}

/* Doubles of up to this many coordinates lie on the C stack. */
enum { FEW = 16 };

static asy_value length_of(asy_vm *vm, const asy_value *a, const asy_value *b, uint32_t n) {
  double few[FEW], *x = n <= FEW ? few : asy_mem_alloc(vm, n * sizeof *x);
  if (!x) return ASY_FAILED;
  bool good = true;
  for (uint32_t i = 0; i < n && good; i++) {
    double other = 0;
    good = asy_to_double(vm, a[i], &x[i]) && (!b || asy_to_double(vm, b[i], &other));
    x[i] -= other;
  }
  double length = good ? vector_length(x, n) : 0;
  if (x != few) asy_mem_free(vm, x, n * sizeof *x);
  return good ? asy_from_double(vm, length) : ASY_FAILED;
}

static asy_value math_hypot(asy_vm *vm, const asy_value *args) {
  const asy_tuple *coordinates = (const asy_tuple *)asy_obj_of(args[0]);
  return length_of(vm, coordinates->items, NULL, coordinates->len);
}

/* A point as a tuple, which script code cannot change while it is read. */
static asy_tuple *point(asy_vm *vm, asy_value v) {
  if (asy_is_kind(v, KIND_TUPLE)) return (asy_tuple *)asy_obj_of(v);
  asy_list *list = list_of(vm, v);
  return list ? asy_list_to_tuple(vm, list) : NULL;
}

static asy_value math_dist(asy_vm *vm, const asy_value *args) {
  asy_tuple *p = point(vm, args[0]), *q = p ? point(vm, args[1]) : NULL;
  if (!q) return ASY_FAILED;
  if (p->len != q->len) return asy_raise(vm, ASY_ValueError, "both points must have the same number of dimensions");
  return length_of(vm, p->items, q->items, p->len);
}

/* ---- Number theory ---- */

static asy_value math_gcd(asy_vm *vm, const asy_value *args) {
  const asy_tuple *numbers = (const asy_tuple *)asy_obj_of(args[0]);
  asy_value result = asy_from_small(0);
  for (uint32_t i = 0; i < numbers->len; i++) {
    asy_value number = asy_index(vm, numbers->items[i]);
    result = asy_failed(number) ? ASY_FAILED : asy_int_gcd(vm, result, number);
    if (asy_failed(result)) return ASY_FAILED;
  }
  return result;
}

static asy_value math_lcm(asy_vm *vm, const asy_value *args) {
  const asy_tuple *numbers = (const asy_tuple *)asy_obj_of(args[0]);
  asy_value result = asy_from_small(1);
  for (uint32_t i = 0; i < numbers->len; i++) {
    asy_value number = asy_index(vm, numbers->items[i]);
    if (asy_failed(number)) return ASY_FAILED;
    if (!asy_int_sign(number) || !asy_int_sign(result)) {
      result = asy_from_small(0);
      continue;
    }
    asy_value divisor = asy_int_gcd(vm, result, number);
    asy_value part = asy_failed(divisor) ? ASY_FAILED : asy_int_binary(vm, BINARY_FLOORDIV, result, divisor);
    result = asy_failed(part) ? ASY_FAILED : asy_int_binary(vm, BINARY_MUL, part, number);
    if (!asy_failed(result) && asy_int_sign(result) < 0)
      result = asy_int_binary(vm, BINARY_SUB, asy_from_small(0), result);
    if (asy_failed(result)) return ASY_FAILED;
  }
  return result;
}

static asy_value math_isqrt(asy_vm *vm, const asy_value *args) {
  asy_value number = asy_index(vm, args[0]);
  if (asy_failed(number)) return ASY_FAILED;
  if (asy_int_sign(number) < 0) return asy_raise(vm, ASY_ValueError, "isqrt() argument must be nonnegative");
  return asy_int_sqrt(vm, number);
}

/* low * (low + 1) * .. * high, halved until the factors are small: big products of like size are fast. */
static asy_value product(asy_vm *vm, int64_t low, int64_t high) {
  if (low > high) return asy_from_small(1);
  if (high - low < 8) {
    asy_value result = asy_from_int64(vm, low);
    for (int64_t i = low + 1; i <= high && !asy_failed(result); i++)
      result = asy_int_binary(vm, BINARY_MUL, result, asy_from_int64(vm, i));
    return result;
  }
  int64_t middle = low + (high - low) / 2;
  asy_value left = product(vm, low, middle), right = asy_failed(left) ? ASY_FAILED : product(vm, middle + 1, high);
  return asy_failed(right) ? ASY_FAILED : asy_int_binary(vm, BINARY_MUL, left, right);
}

static asy_value math_factorial(asy_vm *vm, const asy_value *args) {
  int64_t n;
  asy_value number = asy_index(vm, args[0]);
  if (asy_failed(number)) return ASY_FAILED;
  if (asy_int_sign(number) < 0) return asy_raise(vm, ASY_ValueError, "factorial() not defined for negative values");
  if (!asy_is_number_int64(number, &n))
    return asy_raise(vm, ASY_OverflowError, "factorial() argument should not exceed %lld", (long long)INT64_MAX);
  if (n > ((int64_t)1 << 28)) return asy_raise_no_memory(vm); /* the result would pass the limit of an int's size */
  return product(vm, 2, n);
}

/* n and k of comb and perm. */
static bool choose_arguments(asy_vm *vm, const asy_value *args, asy_value *n, asy_value *k) {
  *n = asy_index(vm, args[0]);
  *k = asy_failed(*n) ? ASY_FAILED : args[1] == ASY_NONE ? *n : asy_index(vm, args[1]);
  if (asy_failed(*k)) return false;
  const char *negative = asy_int_sign(*n) < 0 ? "n" : asy_int_sign(*k) < 0 ? "k" : NULL;
  if (negative) asy_raise(vm, ASY_ValueError, "%s must be a non-negative integer", negative);
  return !negative;
}

static asy_value minus(asy_vm *vm, asy_value a, asy_value b) { return asy_int_binary(vm, BINARY_SUB, a, b); }

/* n * (n-1) * .. of k factors, divided by k! when `divide`. */
static asy_value falling(asy_vm *vm, asy_value n, int64_t k, bool divide) {
  asy_value result = asy_from_small(1);
  for (int64_t i = 0; i < k; i++) {
    asy_value factor = minus(vm, n, asy_from_small(i));
    result = asy_failed(factor) ? ASY_FAILED : asy_int_binary(vm, BINARY_MUL, result, factor);
    if (!asy_failed(result) && divide) result = asy_int_binary(vm, BINARY_FLOORDIV, result, asy_from_small(i + 1));
    if (asy_failed(result)) return ASY_FAILED;
  }
  return result;
}

static asy_value math_comb(asy_vm *vm, const asy_value *args) {
  asy_value n, k;
  int64_t count;
  if (!choose_arguments(vm, args, &n, &k)) return ASY_FAILED;
  asy_value other = minus(vm, n, k);
  if (asy_failed(other)) return ASY_FAILED;
  if (asy_int_sign(other) < 0) return asy_from_small(0);
  asy_value gap = minus(vm, other, k);
  if (asy_failed(gap)) return ASY_FAILED;
  if (asy_int_sign(gap) < 0) k = other;
  if (!asy_is_number_int64(k, &count))
    return asy_raise(vm, ASY_OverflowError, "min(n - k, k) must not exceed %lld", (long long)INT64_MAX);
  return falling(vm, n, count, true);
}

static asy_value math_perm(asy_vm *vm, const asy_value *args) {
  asy_value n, k;
  int64_t count;
  if (!choose_arguments(vm, args, &n, &k)) return ASY_FAILED;
  asy_value other = minus(vm, n, k);
  if (asy_failed(other)) return ASY_FAILED;
  if (asy_int_sign(other) < 0) return asy_from_small(0);
  if (!asy_is_number_int64(k, &count))
    return asy_raise(vm, ASY_OverflowError, "k must not exceed %lld", (long long)INT64_MAX);
  return falling(vm, n, count, false);
}

static const asy_native natives[] = {
#define X(name, f, can_overflow, doc) {#name, SIG("(x, /)"), math_##name, doc, 0},
  UNARY(X)
#undef X
    {"atan2", SIG("(y, x, /)"), math_atan2, DOC("Return the arc tangent (measured in radians) of y/x."), 0},
  {"ceil", SIG("(x, /)"), math_ceil, DOC("Return the ceiling of x as an Integral."), 0},
  {"comb", SIG("(n, k, /)"), math_comb,
   DOC("Number of ways to choose k items from n items without repetition and without order."), 0},
  {"copysign", SIG("(x, y, /)"), math_copysign, DOC("Return a float with the magnitude of x but the sign of y."), 0},
  {"degrees", SIG("(x, /)"), math_degrees, DOC("Convert angle x from radians to degrees."), 0},
  {"dist", SIG("(p, q, /)"), math_dist, DOC("Return the Euclidean distance between two points p and q."), 0},
  {"factorial", SIG("(n, /)"), math_factorial, DOC("Find n!."), 0},
  {"floor", SIG("(x, /)"), math_floor, DOC("Return the floor of x as an Integral."), 0},
  {"fma", SIG("(x, y, z, /)"), math_fma, DOC("Fused multiply-add operation."), 0},
  {"fmod", SIG("(x, y, /)"), math_fmod, DOC("Return fmod(x, y), according to platform C."), 0},
  {"frexp", SIG("(x, /)"), math_frexp, DOC("Return the mantissa and exponent of x, as pair (m, e)."), 0},
  {"fsum", SIG("(seq, /)"), math_fsum, DOC("Return an accurate floating-point sum of values in the iterable seq."), 0},
  {"gamma", SIG("(x, /)"), math_gamma, DOC("Gamma function at x."), 0},
  {"gcd", SIG("(*integers)"), math_gcd, DOC("Greatest Common Divisor."), 0},
  {"hypot", SIG("(*coordinates)"), math_hypot, DOC("Multidimensional Euclidean distance from the origin to a point."),
   0},
  {"isclose", SIG("(a, b, *, rel_tol=1e-09, abs_tol=0.0)"), math_isclose,
   DOC("Determine whether two numbers are close in value."), 0},
  {"isfinite", SIG("(x, /)"), math_isfinite, DOC("Return True if x is neither an infinity nor a NaN."), 0},
  {"isinf", SIG("(x, /)"), math_isinf, DOC("Return True if x is a positive or negative infinity."), 0},
  {"isnan", SIG("(x, /)"), math_isnan, DOC("Return True if x is a NaN (not a number)."), 0},
  {"isqrt", SIG("(n, /)"), math_isqrt, DOC("Return the integer part of the square root of the input."), 0},
  {"lcm", SIG("(*integers)"), math_lcm, DOC("Least Common Multiple."), 0},
  {"ldexp", SIG("(x, i, /)"), math_ldexp, DOC("Return x * (2**i)."), 0},
  {"lgamma", SIG("(x, /)"), math_lgamma, DOC("Natural logarithm of absolute value of Gamma function at x."), 0},
  {"log", SIG("(x, base=?, /)"), math_log, DOC("Return the logarithm of x to the given base."), 0},
  {"log10", SIG("(x, /)"), math_log10, DOC("Return the base 10 logarithm of x."), 0},
  {"log2", SIG("(x, /)"), math_log2, DOC("Return the base 2 logarithm of x."), 0},
  {"modf", SIG("(x, /)"), math_modf, DOC("Return the fractional and integer parts of x."), 0},
  {"nextafter", SIG("(x, y, /, *, steps=None)"), math_nextafter,
   DOC("Return the floating-point value the given number of steps after x towards y."), 0},
  {"perm", SIG("(n, k=None, /)"), math_perm,
   DOC("Number of ways to choose k items from n items without repetition and with order."), 0},
  {"pow", SIG("(x, y, /)"), math_pow, DOC("Return x**y (x to the power of y)."), 0},
  {"prod", SIG("(iterable, /, *, start=1)"), math_prod,
   DOC("Calculate the product of all the elements in the input iterable."), 0},
  {"radians", SIG("(x, /)"), math_radians, DOC("Convert angle x from degrees to radians."), 0},
  {"remainder", SIG("(x, y, /)"), math_remainder, DOC("Difference between x and the closest integer multiple of y."),
   0},
  {"sumprod", SIG("(p, q, /)"), math_sumprod, DOC("Return the sum of products of values from two iterables p and q."),
   0},
  {"trunc", SIG("(x, /)"), math_trunc, DOC("Truncates the Real x to the nearest Integral toward 0."), 0},
  {"ulp", SIG("(x, /)"), math_ulp, DOC("Return the value of the least significant bit of the float x."), 0},
  {0},
};
#undef UNARY

static bool init(asy_vm *vm, asy_value module) {
  return asy_module_set(vm, module, "pi", asy_from_double(vm, M_PI)) &&
         asy_module_set(vm, module, "e", asy_from_double(vm, M_E)) &&
         asy_module_set(vm, module, "tau", asy_from_double(vm, 2 * M_PI)) &&
         asy_module_set(vm, module, "inf", asy_from_double(vm, INFINITY)) &&
         asy_module_set(vm, module, "nan", asy_from_double(vm, NAN));
}

const asy_module_def asy_module_math = {"math", natives, "This module provides access to the mathematical functions.",
                                        init};
