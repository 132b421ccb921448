/* cmath.c - the module cmath: libm's complex functions, with Python's errors. */
#include <complex.h>
#include <math.h>

#include "runtime/asy.h"

typedef double complex number;

static bool read_number(asy_vm *vm, asy_value v, number *out) {
  double real, imag = 0;
  if (!asy_is_kind(v, KIND_COMPLEX) && !asy_is_float(v) && !asy_is_integer(v)) {
    asy_str *name = asy_intern(vm, "__complex__");
    asy_value made = name ? asy_call_special(vm, v, name, 0, NULL) : ASY_FAILED;
    if (asy_failed(made)) return false;
    if (made != ASY_UNBOUND && !asy_is_kind(made, KIND_COMPLEX)) {
      asy_raise(vm, ASY_TypeError, "__complex__ returned non-complex (type %T)", made);
      return false;
    }
    if (made != ASY_UNBOUND) v = made;
  }
  if (asy_is_kind(v, KIND_COMPLEX)) asy_complex_parts(v, &real, &imag);
  else if (!asy_to_double(vm, v, &real)) return false;
  *out = __builtin_complex(real, imag);
  return true;
}

static bool is_finite(number z) { return isfinite(creal(z)) && isfinite(cimag(z)); }
static bool is_nan(number z) { return isnan(creal(z)) || isnan(cimag(z)); }
static bool is_inf(number z) { return isinf(creal(z)) || isinf(cimag(z)); }

static asy_value domain_error(asy_vm *vm) { return asy_raise(vm, ASY_ValueError, "math domain error"); }
static asy_value from_number(asy_vm *vm, number z) { return asy_complex_new(vm, creal(z), cimag(z)); }

/* Where a function of e ** z oscillates for ever: an infinite angle with a radius that is no NaN. */
static bool never(double x) { return (void)x, false; }
static bool known(double radius) { return !isnan(radius); }
static bool not_small(double radius) { return isfinite(radius) || radius > 0; }
static bool finite_radius(double radius) { return isfinite(radius); }

/* name, libm's function, which part is the angle (0: none), the radius at which an infinite angle is an error, doc. A pole, where
 * finite numbers give an infinity, is an error of the domain for the functions without an angle. */
#define FUNCTIONS(X)                                                                                                   \
  X(acos, cacos, 0, never, DOC("Return the arc cosine of z."))                                                         \
  X(acosh, cacosh, 0, never, DOC("Return the inverse hyperbolic cosine of z."))                                        \
  X(asin, casin, 0, never, DOC("Return the arc sine of z."))                                                           \
  X(asinh, casinh, 0, never, DOC("Return the inverse hyperbolic sine of z."))                                          \
  X(atan, catan, 0, never, DOC("Return the arc tangent of z."))                                                        \
  X(atanh, catanh, 0, never, DOC("Return the inverse hyperbolic tangent of z."))                                       \
  X(cos, ccos, 'r', known, DOC("Return the cosine of z."))                                                             \
  X(cosh, ccosh, 'i', known, DOC("Return the hyperbolic cosine of z."))                                                \
  X(exp, cexp, 'i', not_small, DOC("Return the exponential value e**z."))                                              \
  X(sin, csin, 'r', known, DOC("Return the sine of z."))                                                               \
  X(sinh, csinh, 'i', known, DOC("Return the hyperbolic sine of z."))                                                  \
  X(sqrt, csqrt, 0, never, DOC("Return the square root of z."))                                                        \
  X(tan, ctan, 'r', finite_radius, DOC("Return the tangent of z."))                                                    \
  X(tanh, ctanh, 'i', finite_radius, DOC("Return the hyperbolic tangent of z."))

static asy_value apply(asy_vm *vm, asy_value v, number (*f)(number), char angle, bool (*endless)(double)) {
  number z;
  if (!read_number(vm, v, &z)) return ASY_FAILED;
  double turn = angle == 'r' ? creal(z) : cimag(z), radius = angle == 'r' ? cimag(z) : creal(z);
  if (angle && isinf(turn) && endless(radius)) return domain_error(vm);
  number result = f(z);
  if (is_finite(z) && !is_finite(result))
    return angle ? asy_raise(vm, ASY_OverflowError, "math range error") : domain_error(vm);
  return from_number(vm, result);
}

#define X(name, f, angle, endless, doc)                                                                                \
  static asy_value cmath_##name(asy_vm *vm, const asy_value *args) { return apply(vm, args[0], f, angle, endless); }
FUNCTIONS(X)
#undef X

static asy_value cmath_log(asy_vm *vm, const asy_value *args) {
  number z, base;
  if (!read_number(vm, args[0], &z)) return ASY_FAILED;
  if (z == 0) return domain_error(vm);
  number result = clog(z);
  if (args[1] == ASY_UNBOUND) return from_number(vm, result);
  if (!read_number(vm, args[1], &base)) return ASY_FAILED;
  if (base == 0) return domain_error(vm);
  return asy_binary(vm, BINARY_TRUEDIV, from_number(vm, result), from_number(vm, clog(base)));
}

static asy_value cmath_log10(asy_vm *vm, const asy_value *args) {
  number z;
  if (!read_number(vm, args[0], &z)) return ASY_FAILED;
  if (z == 0) return domain_error(vm);
  number result = clog(z);
  return asy_complex_new(vm, creal(result) / M_LN10, cimag(result) / M_LN10);
}

static asy_value cmath_phase(asy_vm *vm, const asy_value *args) {
  number z;
  return read_number(vm, args[0], &z) ? asy_from_double(vm, atan2(cimag(z), creal(z))) : ASY_FAILED;
}

static asy_value cmath_polar(asy_vm *vm, const asy_value *args) {
  number z;
  if (!read_number(vm, args[0], &z)) return ASY_FAILED;
  double radius = hypot(creal(z), cimag(z));
  if (is_finite(z) && isinf(radius)) return asy_raise(vm, ASY_OverflowError, "absolute value too large");
  return asy_tuple_of(vm, 2, asy_from_double(vm, radius), asy_from_double(vm, atan2(cimag(z), creal(z))));
}

static asy_value cmath_rect(asy_vm *vm, const asy_value *args) {
  double r, phi;
  if (!asy_to_double(vm, args[0], &r) || !asy_to_double(vm, args[1], &phi)) return ASY_FAILED;
  if (isinf(phi) && r != 0 && !isnan(r)) return domain_error(vm);
  if (phi == 0) return asy_complex_new(vm, r, isinf(r) ? copysign(1, r) * phi : r * phi);
  if (r == 0 && !isfinite(phi)) return asy_complex_new(vm, 0, 0);
  if (isinf(r) && isfinite(phi))
    return asy_complex_new(vm, copysign(INFINITY, cos(phi)) * copysign(1, r),
                           copysign(INFINITY, sin(phi)) * copysign(1, r));
  if (isinf(r)) return asy_complex_new(vm, INFINITY, NAN);
  return asy_complex_new(vm, r * cos(phi), r * sin(phi));
}

#define TEST(name)                                                                                                     \
  static asy_value cmath_##name(asy_vm *vm, const asy_value *args) {                                                   \
    number z;                                                                                                          \
    return read_number(vm, args[0], &z) ? asy_from_bool(TEST_##name(z)) : ASY_FAILED;                                  \
  }
#define TEST_isfinite is_finite
#define TEST_isinf is_inf
#define TEST_isnan is_nan
TEST(isfinite)
TEST(isinf)
TEST(isnan)
#undef TEST
#undef TEST_isfinite
#undef TEST_isinf
#undef TEST_isnan

static asy_value cmath_isclose(asy_vm *vm, const asy_value *args) {
  number a, b;
  double relative, absolute;
  if (!read_number(vm, args[0], &a) || !read_number(vm, args[1], &b) || !asy_to_double(vm, args[2], &relative) ||
      !asy_to_double(vm, args[3], &absolute))
    return ASY_FAILED;
  if (relative < 0 || absolute < 0) return asy_raise(vm, ASY_ValueError, "tolerances must be non-negative");
  if (a == b) return ASY_TRUE;
  if (is_inf(a) || is_inf(b)) return ASY_FALSE;
  double apart = cabs(a - b);
  return asy_from_bool(apart <= relative * cabs(b) || apart <= relative * cabs(a) || apart <= absolute);
}

static const asy_native natives[] = {
#define X(name, f, angle, endless, doc) {#name, SIG("(z, /)"), cmath_##name, doc, 0},
  FUNCTIONS(X)
#undef X
    {"log", SIG("(z, base=?, /)"), cmath_log, DOC("log(z[, base]) -> the logarithm of z to the given base."), 0},
  {"log10", SIG("(z, /)"), cmath_log10, DOC("Return the base-10 logarithm of z."), 0},
  {"phase", SIG("(z, /)"), cmath_phase, DOC("Return argument, also known as the phase angle, of a complex."), 0},
  {"polar", SIG("(z, /)"), cmath_polar, DOC("Convert a complex from rectangular coordinates to polar coordinates."), 0},
  {"rect", SIG("(r, phi, /)"), cmath_rect, DOC("Convert from polar coordinates to rectangular coordinates."), 0},
  {"isfinite", SIG("(z, /)"), cmath_isfinite,
   DOC("Return True if both the real and imaginary parts of z are finite, else False."), 0},
  {"isinf", SIG("(z, /)"), cmath_isinf, DOC("Checks if the real or imaginary part of z is infinite."), 0},
  {"isnan", SIG("(z, /)"), cmath_isnan, DOC("Checks if the real or imaginary part of z not a number (NaN)."), 0},
  {"isclose", SIG("(a, b, *, rel_tol=1e-09, abs_tol=0.0)"), cmath_isclose,
   DOC("Determine whether two complex numbers are close in value."), 0},
  {0},
};

static bool init(asy_vm *vm, asy_value module) {
  const struct {
    const char *name;
    double real, imag;
    bool complex_value;
  } constants[] = {
    {"pi", M_PI, 0, false}, {"e", M_E, 0, false},        {"tau", 2 * M_PI, 0, false}, {"inf", INFINITY, 0, false},
    {"nan", NAN, 0, false}, {"infj", 0, INFINITY, true}, {"nanj", 0, NAN, true},
  };
  for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) {
    asy_value value = constants[i].complex_value ? asy_complex_new(vm, constants[i].real, constants[i].imag)
                                                 : asy_from_double(vm, constants[i].real);
    if (asy_failed(value) || !asy_module_set(vm, module, constants[i].name, value)) return false;
  }
  return true;
}

const asy_module_def asy_module_cmath = {"cmath", natives, "Mathematical functions for complex numbers.", init};
