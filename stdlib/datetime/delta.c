/* delta.c - timedelta. Sums and products are made in 128-bit microseconds: the range needs 67 bits, a double's mantissa 53, so
 * that a product of both is exact and is rounded once, to even.
 */
#include <math.h>

#include "stdlib/datetime/datetime.h"

wide asy_delta_us(const delta *d) { return (wide)d->days * DAY_US + d->seconds * SECOND_US + d->microseconds; }

asy_value asy_wide_int(asy_vm *vm, wide n) {
  if (n >= INT64_MIN && n <= INT64_MAX) return asy_from_int64(vm, (int64_t)n);
  asy_value high = asy_int_binary(vm, BINARY_LSHIFT, asy_from_int64(vm, (int64_t)(n >> 64)), asy_from_small(64));
  asy_value low = asy_from_uint64(vm, (uint64_t)n);
  return asy_failed(high) || asy_failed(low) ? ASY_FAILED : asy_int_binary(vm, BINARY_ADD, high, low);
}

static asy_value too_large(asy_vm *vm) {
  return asy_raise(vm, ASY_OverflowError, "Python int too large to convert to C int");
}

static bool split(asy_vm *vm, wide us, int32_t *days, int32_t *seconds, int32_t *micros) {
  int64_t small = (int64_t)us;
  if (small == us) { /* without a division of 128 bits; 2^63 is less than the greatest delta */
    int64_t in_day = small % DAY_US;
    *days = (int32_t)(small / DAY_US) - (in_day < 0);
    if (in_day < 0) in_day += DAY_US;
    *seconds = (int32_t)(in_day / SECOND_US);
    *micros = (int32_t)(in_day % SECOND_US);
    return true;
  }
  wide whole = us / DAY_US, rest = us % DAY_US;
  if (rest < 0) rest += DAY_US, whole--;
  if (whole < INT32_MIN || whole > INT32_MAX) return too_large(vm), false;
  if (whole < -999999999 || whole > 999999999) {
    asy_raise(vm, ASY_OverflowError, "days=%d; must have magnitude <= 999999999", (int)whole);
    return false;
  }
  *days = (int32_t)whole;
  *seconds = (int32_t)((int64_t)rest / SECOND_US);
  *micros = (int32_t)((int64_t)rest % SECOND_US);
  return true;
}

static asy_value make(asy_vm *vm, asy_class *cls, wide us) {
  int32_t days, seconds, micros;
  if (!split(vm, us, &days, &seconds, &micros)) return ASY_FAILED;
  delta *d = asy_new_instance(vm, cls);
  if (!d) return ASY_FAILED;
  d->days = days;
  d->seconds = seconds;
  d->microseconds = micros;
  return asy_from_obj(d);
}

asy_value asy_delta_new(asy_vm *vm, wide us) { return make(vm, asy_class_for(vm, &asy_delta_type), us); }

/* ---- timedelta(...) ---- */

/* An integer, or the nearest of +-2^120. */
static bool saturated(asy_vm *vm, asy_value v, wide *out) {
  int64_t n;
  if (asy_is_number_int64(v, &n)) return *out = n, true;
  uint64_t low;
  asy_value high = asy_int_binary(vm, BINARY_RSHIFT, v, asy_from_small(64)), mask = asy_from_uint64(vm, UINT64_MAX),
            rest = asy_failed(high) || asy_failed(mask) ? ASY_FAILED : asy_int_binary(vm, BINARY_AND, v, mask);
  if (asy_failed(rest)) return false;
  bool fits = asy_int_to_uint64(rest, &low) && asy_is_number_int64(high, &n) && n >= -((int64_t)1 << 56) &&
              n < (int64_t)1 << 56;
  wide most = (wide)1 << 120;
  *out = fits ? n * ((wide)1 << 64) + low : asy_int_sign(v) < 0 ? -most : most;
  return true;
}

/* Adds n * factor to the integer *sum. */
static bool accumulate_huge(asy_vm *vm, asy_value *sum, asy_value n, int64_t factor) {
  asy_value product = asy_failed(n) ? ASY_FAILED : asy_int_binary(vm, BINARY_MUL, n, asy_from_int64(vm, factor));
  if (!asy_failed(product)) *sum = asy_int_binary(vm, BINARY_ADD, *sum, product);
  return !asy_failed(product) && !asy_failed(*sum);
}

/* Adds v * factor to *sum, or to *huge when 64 bits do not hold v; what is less than a microsecond goes to *rest. */
static bool accumulate(asy_vm *vm, wide *sum, double *rest, asy_value *huge, asy_value v, const char *name,
                       int64_t factor) {
  int64_t n;
  if (asy_is_integer(v)) {
    if (!asy_is_number_int64(v, &n)) return accumulate_huge(vm, huge, v, factor);
    *sum += (wide)n * factor;
    return true;
  }
  if (!asy_is_float(v)) {
    asy_raise(vm, ASY_TypeError, "unsupported type for timedelta %s component: %T", name, v);
    return false;
  }
  double whole, fraction = modf(asy_float_value(v), &whole);
  if (isnan(whole)) return asy_raise(vm, ASY_ValueError, "cannot convert float NaN to integer"), false;
  if (isinf(whole)) return asy_raise(vm, ASY_OverflowError, "cannot convert float infinity to integer"), false;
  if (fabs(whole) > 1e18) return accumulate_huge(vm, huge, asy_int_from_double(vm, whole), factor);
  double micros, part = modf(fraction * (double)factor, &micros);
  *sum += (wide)(int64_t)whole * factor + (int64_t)micros;
  *rest += part;
  return true;
}

static asy_value delta_new(asy_vm *vm, const asy_value *args) {
  static const struct {
    const char *name;
    int arg;
    int64_t factor;
  } parts[] = {
    {"microseconds", 3, 1},         {"milliseconds", 4, 1000},      {"seconds", 2, SECOND_US},
    {"minutes", 5, 60 * SECOND_US}, {"hours", 6, 3600 * SECOND_US}, {"days", 1, DAY_US},
    {"weeks", 7, 7 * DAY_US},
  };
  wide sum = 0;
  double rest = 0;
  asy_value huge = asy_from_small(0);
  for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++) {
    asy_value v = args[parts[i].arg];
    if (v != asy_from_small(0) && !accumulate(vm, &sum, &rest, &huge, v, parts[i].name, parts[i].factor))
      return ASY_FAILED;
  }
  if (huge != asy_from_small(0)) {
    asy_value all = asy_wide_int(vm, sum);
    if (!asy_failed(all)) all = asy_int_binary(vm, BINARY_ADD, all, huge);
    if (asy_failed(all) || !saturated(vm, all, &sum)) return ASY_FAILED;
  }
  if (rest != 0) { /* to the nearest microsecond of the sum, ties to even */
    double whole = round(rest);
    if (fabs(whole - rest) == 0.5) {
      int odd = (int)(sum & 1);
      whole = 2.0 * round((rest + odd) * 0.5) - odd;
    }
    sum += (int64_t)whole;
  }
  return make(vm, class_arg(args[0]), sum);
}

/* ---- Arithmetic ---- */

static wide floor_wide(wide a, wide b) {
  wide q = a / b;
  return a % b != 0 && (a % b < 0) != (b < 0) ? q - 1 : q;
}

asy_value asy_round_ratio(asy_vm *vm, wide a, wide b) {
  if (b < 0) a = -a, b = -b;
  wide q = floor_wide(a, b), rest = a - q * b, other = b - rest;
  if (rest > other || (rest == other && (q & 1))) q++;
  return asy_delta_new(vm, q);
}

static asy_value by_zero(asy_vm *vm) {
  return asy_raise(vm, ASY_ZeroDivisionError, "integer division or modulo by zero");
}

static unsigned bits_of(wide n) {
  unsigned __int128 u = n < 0 ? -(unsigned __int128)n : (unsigned __int128)n;
  uint64_t high = (uint64_t)(u >> 64), low = (uint64_t)u;
  return high ? 128 - (unsigned)__builtin_clzll(high) : low ? 64 - (unsigned)__builtin_clzll(low) : 0;
}

/* us * f, or us / f: f is mantissa * 2^exponent. */
static asy_value scale(asy_vm *vm, wide us, double f, bool divide) {
  if (isnan(f)) return asy_raise(vm, ASY_ValueError, "cannot convert NaN to integer ratio");
  if (isinf(f)) return asy_raise(vm, ASY_OverflowError, "cannot convert Infinity to integer ratio");
  if (divide && f == 0) return by_zero(vm);
  int exponent;
  int64_t mantissa = (int64_t)ldexp(frexp(f, &exponent), 53);
  exponent -= 53;
  if (us == 0 || mantissa == 0) return asy_delta_new(vm, 0);
  wide a = divide ? us : us * mantissa, b = divide ? mantissa : 1;
  bool up = divide ? exponent < 0 : exponent > 0; /* the numerator is shifted, else the denominator */
  unsigned by = (unsigned)(exponent < 0 ? -exponent : exponent);
  if (bits_of(up ? a : b) + by > 126) return up ? too_large(vm) : asy_delta_new(vm, 0);
  if (up) a *= (wide)1 << by;
  else b *= (wide)1 << by;
  return asy_round_ratio(vm, a, b);
}

/* Whether v is an integer; *ok is false when an exception is set. */
static bool integer_operand(asy_vm *vm, asy_value v, wide *n, bool *ok) {
  *ok = true;
  return asy_is_integer(v) && ((*ok = saturated(vm, v, n)), true);
}

static asy_value delta_add(asy_vm *vm, asy_value a, asy_value b) {
  if (is_delta(vm, a) && is_delta(vm, b))
    return asy_delta_new(vm, asy_delta_us(delta_of(a)) + asy_delta_us(delta_of(b)));
  return asy_add_dates(vm, a, b);
}

static asy_value delta_sub(asy_vm *vm, asy_value a, asy_value b) {
  if (is_delta(vm, a) && is_delta(vm, b))
    return asy_delta_new(vm, asy_delta_us(delta_of(a)) - asy_delta_us(delta_of(b)));
  return asy_sub_dates(vm, a, b);
}

static asy_value delta_mul(asy_vm *vm, asy_value a, asy_value b) {
  wide n;
  bool ok;
  if (!is_delta(vm, a)) {
    asy_value other = a;
    a = b;
    b = other;
  }
  wide us = asy_delta_us(delta_of(a)), product;
  if (asy_is_float(b)) return scale(vm, us, asy_float_value(b), false);
  if (!integer_operand(vm, b, &n, &ok)) return ASY_NOT_IMPLEMENTED;
  if (!ok) return ASY_FAILED;
  return __builtin_mul_overflow(us, n, &product) ? too_large(vm) : asy_delta_new(vm, product);
}

static asy_value delta_floordiv(asy_vm *vm, asy_value a, asy_value b) {
  wide n;
  bool ok;
  if (!is_delta(vm, a)) return ASY_NOT_IMPLEMENTED;
  wide us = asy_delta_us(delta_of(a));
  if (is_delta(vm, b)) {
    wide other = asy_delta_us(delta_of(b));
    return other ? asy_wide_int(vm, floor_wide(us, other)) : by_zero(vm);
  }
  if (!integer_operand(vm, b, &n, &ok)) return ASY_NOT_IMPLEMENTED;
  if (!ok) return ASY_FAILED;
  return n ? asy_delta_new(vm, floor_wide(us, n)) : by_zero(vm);
}

static asy_value delta_truediv(asy_vm *vm, asy_value a, asy_value b) {
  wide n;
  bool ok;
  if (!is_delta(vm, a)) return ASY_NOT_IMPLEMENTED;
  wide us = asy_delta_us(delta_of(a));
  if (is_delta(vm, b)) {
    asy_value left = asy_wide_int(vm, us), right = asy_wide_int(vm, asy_delta_us(delta_of(b)));
    return asy_failed(left) || asy_failed(right) ? ASY_FAILED : asy_int_binary(vm, BINARY_TRUEDIV, left, right);
  }
  if (asy_is_float(b)) return scale(vm, us, asy_float_value(b), true);
  if (!integer_operand(vm, b, &n, &ok)) return ASY_NOT_IMPLEMENTED;
  if (!ok) return ASY_FAILED;
  return n ? asy_round_ratio(vm, us, n) : by_zero(vm);
}

static asy_value delta_mod(asy_vm *vm, asy_value a, asy_value b) {
  if (!is_delta(vm, a) || !is_delta(vm, b)) return ASY_NOT_IMPLEMENTED;
  wide us = asy_delta_us(delta_of(a)), other = asy_delta_us(delta_of(b));
  return other ? asy_delta_new(vm, us - floor_wide(us, other) * other) : by_zero(vm);
}

static asy_value delta_divmod(asy_vm *vm, const asy_value *args) {
  asy_value quotient = is_delta(vm, args[1]) ? delta_floordiv(vm, args[0], args[1]) : ASY_NOT_IMPLEMENTED;
  if (asy_failed(quotient) || quotient == ASY_NOT_IMPLEMENTED) return quotient;
  asy_value rest = delta_mod(vm, args[0], args[1]);
  return asy_failed(rest) ? ASY_FAILED : asy_tuple_of(vm, 2, quotient, rest);
}

static asy_value delta_rdivmod(asy_vm *vm, const asy_value *args) {
  const asy_value turned[] = {args[1], args[0]};
  return is_delta(vm, args[1]) ? delta_divmod(vm, turned) : ASY_NOT_IMPLEMENTED;
}

static asy_value delta_neg(asy_vm *vm, asy_value self) { return asy_delta_new(vm, -asy_delta_us(delta_of(self))); }
static asy_value delta_pos(asy_vm *vm, asy_value self) { return asy_delta_new(vm, asy_delta_us(delta_of(self))); }
static asy_value delta_abs(asy_vm *vm, const asy_value *args) {
  return delta_of(args[0])->days < 0 ? delta_neg(vm, args[0]) : delta_pos(vm, args[0]);
}

static asy_value delta_compare(asy_vm *vm, asy_value a, asy_value b, asy_compare_op op) {
  if (!is_delta(vm, b)) return ASY_NOT_IMPLEMENTED;
  wide x = asy_delta_us(delta_of(a)), y = asy_delta_us(delta_of(b));
  const bool answers[] = {
    [COMPARE_LT] = x<y, [COMPARE_LE] = x <= y, [COMPARE_EQ] = x == y, [COMPARE_NE] = x != y, [COMPARE_GT] = x> y,
    [COMPARE_GE] = x >= y};
  return asy_from_bool(answers[op]);
}

static bool delta_hash(asy_vm *vm, asy_value self, int64_t *out) {
  const delta *d = delta_of(self);
  *out = asy_hash_memory(vm, &d->days, 3 * sizeof d->days);
  return true;
}

static int delta_truth(asy_vm *vm, asy_value self) {
  const delta *d = delta_of(self);
  return (void)vm, d->days || d->seconds || d->microseconds;
}

/* ---- Text, copies ---- */

static asy_value delta_repr(asy_vm *vm, asy_value self) {
  const delta *d = delta_of(self);
  const struct {
    const char *name;
    int value;
  } parts[] = {{"days", d->days}, {"seconds", d->seconds}, {"microseconds", d->microseconds}};
  asy_text text;
  asy_value head = asy_type_text(vm, self, "datetime.timedelta(");
  if (asy_failed(head)) return ASY_FAILED;
  asy_text_init(&text, vm);
  asy_text_str(&text, (asy_str *)asy_obj_of(head));
  const char *separator = "";
  for (int i = 0; i < 3; i++) {
    if (!parts[i].value) continue;
    char part[48];
    snprintf(part, sizeof part, "%s%s=%d", separator, parts[i].name, parts[i].value);
    asy_text_ascii(&text, part);
    separator = ", ";
  }
  asy_text_ascii(&text, *separator ? ")" : "0)");
  return or_failed(asy_text_finish(&text));
}

static asy_value delta_str(asy_vm *vm, asy_value self) {
  const delta *d = delta_of(self);
  char text[64];
  int n = 0;
  if (d->days) n = snprintf(text, sizeof text, "%d day%s, ", d->days, d->days == 1 || d->days == -1 ? "" : "s");
  n += snprintf(text + n, sizeof text - (size_t)n, "%d:%02d:%02d", d->seconds / 3600, d->seconds / 60 % 60,
                d->seconds % 60);
  if (d->microseconds) snprintf(text + n, sizeof text - (size_t)n, ".%06d", d->microseconds);
  return asy_from_cstr(vm, text);
}

static asy_value delta_total_seconds(asy_vm *vm, const asy_value *args) {
  wide us = asy_delta_us(delta_of(args[0]));
  if (us < (1LL << 53) && us > -(1LL << 53)) return asy_from_double(vm, (double)(int64_t)us / 1e6);
  asy_value whole = asy_wide_int(vm, us);
  return asy_failed(whole) ? ASY_FAILED : asy_int_binary(vm, BINARY_TRUEDIV, whole, asy_from_small(SECOND_US));
}

static asy_value delta_reduce(asy_vm *vm, const asy_value *args) {
  const delta *d = delta_of(args[0]);
  asy_value state = asy_tuple_of(vm, 3, asy_from_small(d->days), asy_from_small(d->seconds),
                                 asy_from_small(d->microseconds));
  return asy_failed(state) ? ASY_FAILED : asy_tuple_of(vm, 2, asy_from_obj(asy_type_of(vm, args[0])), state);
}

static const asy_native methods[] = {
  {"total_seconds", SIG("(self, /)"), delta_total_seconds, DOC("Total seconds in the duration."), 0},
  {"__abs__", SIG("(self, /)"), delta_abs, DOC("abs(self)"), 0},
  {"__divmod__", SIG("(self, value, /)"), delta_divmod, DOC("Return divmod(self, value)."), 0},
  {"__rdivmod__", SIG("(self, value, /)"), delta_rdivmod, DOC("Return divmod(value, self)."), 0},
  {"__reduce__", SIG("(self, /)"), delta_reduce, DOC("__reduce__() -> (cls, state)"), 0},
  {0},
};

static const asy_member members[] = {
  {"days", offsetof(delta, days), MEMBER_INT32, false},
  {"seconds", offsetof(delta, seconds), MEMBER_INT32, false},
  {"microseconds", offsetof(delta, microseconds), MEMBER_INT32, false},
  {0},
};

const asy_type asy_delta_type = {
  .name = "datetime.timedelta",
  .doc = "Difference between two datetime values.",
  .size = sizeof(delta),
  .new_ = delta_new,
  .new_signature = SIG("(cls, days=0, seconds=0, microseconds=0, milliseconds=0, minutes=0, hours=0, weeks=0)"),
  .repr = delta_repr,
  .str = delta_str,
  .hash = delta_hash,
  .compare = delta_compare,
  .special = &(const asy_special){.truth = delta_truth},
  .operators = &(const asy_operators){.binary = {[BINARY_ADD] = delta_add,
                                                 [BINARY_SUB] = delta_sub,
                                                 [BINARY_MUL] = delta_mul,
                                                 [BINARY_TRUEDIV] = delta_truediv,
                                                 [BINARY_FLOORDIV] = delta_floordiv,
                                                 [BINARY_MOD] = delta_mod},
                                      .unary = {[UNARY_NEG] = delta_neg, [UNARY_POS] = delta_pos}},
  .methods = methods,
  .members = members,
};
