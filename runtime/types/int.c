/* int.c - integers of any size, and the int type.
 * Small ints are computed in C integers where both operands fit 63 bits; everything else goes through views (int.h) and GMP's
 * mpn functions, which write straight into the new object; the rarer operations use mpz and copy the result.
 * GMP aborts when it gets no memory, so sizes are bounded by ASY_INT_MAX_LIMBS before it is called.
 */
#include "runtime/types/int.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/class.h"
#include "runtime/number.h"
#include "runtime/types/bytes.h"
#include "runtime/types/format.h"
#include "runtime/types/str_internal.h"

static const uint64_t HASH_MODULUS = ((uint64_t)1 << 61) - 1;

/* ---- Making integers ---- */

/* GMP ends the process when it gets no memory for its scratch space. Before work on numbers of millions of bits we ask for
 * that much ourselves. */
static bool has_scratch(mp_size_t limbs) {
  if (limbs < 1 << 16) return true;
  void *scratch = malloc((size_t)limbs * 6 * sizeof(mp_limb_t));
  free(scratch);
  return scratch != NULL;
}

/* An int object with room for n limbs, to be written (only the last is 0) and handed to finish. NULL: MemoryError. */
static asy_int *new_int(asy_vm *vm, mp_size_t n) {
  if (n > ASY_INT_MAX_LIMBS || !has_scratch(n)) {
    asy_raise_no_memory(vm);
    return NULL;
  }
  return asy_new_kind(vm, KIND_INT, sizeof(asy_int) + (size_t)n * sizeof(mp_limb_t));
}

static bool small_of(const mp_limb_t *limbs, mp_size_t n, bool negative, asy_value *out) {
  if (n > 1) return false;
  uint64_t magnitude = n ? limbs[0] : 0;
  if (magnitude > (uint64_t)ASY_INT_MAX + negative) return false;
  *out = asy_from_small(negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude);
  return true;
}

static mp_size_t trimmed(const mp_limb_t *limbs, mp_size_t n) {
  while (n > 0 && limbs[n - 1] == 0) n--;
  return n;
}

/* The value of `big`, whose n limbs have been written: itself, or a small int. */
static asy_value finish(asy_int *big, mp_size_t n, bool negative) {
  n = trimmed(big->limbs, n);
  asy_value small;
  if (small_of(big->limbs, n, negative, &small)) return small;
  big->size = (int32_t)(negative ? -n : n);
  return asy_from_obj(big);
}

asy_value asy_int_from_limbs(asy_vm *vm, const mp_limb_t *limbs, mp_size_t n, bool negative) {
  n = trimmed(limbs, n);
  asy_value small;
  if (small_of(limbs, n, negative, &small)) return small;
  asy_int *big = new_int(vm, n);
  if (!big) return ASY_FAILED;
  memcpy(big->limbs, limbs, (size_t)n * sizeof *limbs);
  big->size = (int32_t)(negative ? -n : n);
  return asy_from_obj(big);
}

asy_value asy_int_from_mpz(asy_vm *vm, mpz_srcptr z) {
  return asy_int_from_limbs(vm, mpz_limbs_read(z), (mp_size_t)mpz_size(z), mpz_sgn(z) < 0);
}

static asy_value take_mpz(asy_vm *vm, mpz_ptr z) {
  asy_value result = asy_int_from_mpz(vm, z);
  mpz_clear(z);
  return result;
}

asy_value asy_from_int64(asy_vm *vm, int64_t i) {
  if (asy_int_fits(i)) return asy_from_small(i);
  mp_limb_t magnitude = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
  return asy_int_from_limbs(vm, &magnitude, 1, i < 0);
}

asy_value asy_from_uint64(asy_vm *vm, uint64_t i) {
  mp_limb_t magnitude = i;
  return asy_int_from_limbs(vm, &magnitude, 1, false);
}

static asy_value from_int128(asy_vm *vm, __int128 i) {
  unsigned __int128 magnitude = i < 0 ? 0 - (unsigned __int128)i : (unsigned __int128)i;
  mp_limb_t limbs[2] = {(mp_limb_t)magnitude, (mp_limb_t)(magnitude >> 64)};
  return asy_int_from_limbs(vm, limbs, 2, i < 0);
}

asy_value asy_int_plain(asy_vm *vm, asy_value integer) {
  if (asy_is_int(integer) || asy_is_exact(integer, KIND_INT)) return integer;
  asy_int_view view;
  asy_int_look(integer, &view);
  return asy_int_from_limbs(vm, view.limbs, view.n, view.negative);
}

asy_value asy_int_instance(asy_vm *vm, asy_class *cls, asy_value integer) {
  asy_int_view view;
  asy_int_look(integer, &view);
  size_t size = sizeof(asy_int) + (size_t)view.n * sizeof(mp_limb_t) + sizeof(asy_value);
  asy_int *big = asy_alloc(vm, cls->root->id, KIND_INT, size);
  if (!big || (cls->flags & ASY_CLASS_HAS_FINALIZER && !asy_register_finalizer(vm, big))) return ASY_FAILED;
  memcpy(big->limbs, view.limbs, (size_t)view.n * sizeof(mp_limb_t));
  big->size = (int32_t)(view.negative ? -view.n : view.n);
  return asy_from_obj(big);
}

/* ---- Reading integers ---- */

bool asy_is_integer(asy_value v) { return asy_is_int(v) || asy_is_kind(v, KIND_INT) || asy_is_bool(v); }

bool asy_is_number_int64(asy_value v, int64_t *out) {
  if (asy_is_int(v)) {
    *out = asy_small(v);
    return true;
  }
  if (!asy_is_integer(v)) return false;
  asy_int_view view;
  asy_int_look(v, &view);
  uint64_t magnitude = view.n ? view.limbs[0] : 0;
  if (view.n > 1 || magnitude > (uint64_t)INT64_MAX + view.negative) return false;
  *out = (int64_t)(view.negative ? 0 - magnitude : magnitude);
  return true;
}

bool asy_int_to_uint64(asy_value a, uint64_t *out) {
  asy_int_view view;
  asy_int_look(a, &view);
  if (view.negative || view.n > 1) return false;
  *out = view.n ? view.limbs[0] : 0;
  return true;
}

uint64_t asy_int_mask64(asy_value a) {
  asy_int_view view;
  asy_int_look(a, &view);
  uint64_t low = view.n ? view.limbs[0] : 0;
  return view.negative ? 0 - low : low;
}

int asy_int_sign(asy_value a) {
  asy_int_view view;
  asy_int_look(a, &view);
  return view.n == 0 ? 0 : view.negative ? -1 : 1;
}

bool asy_int_is_odd(asy_value a) { return asy_int_mask64(a) & 1; }

static uint64_t view_bits(const asy_int_view *view) {
  if (!view->n) return 0;
  return (uint64_t)view->n * 64 - (uint64_t)__builtin_clzll(view->limbs[view->n - 1]);
}

uint64_t asy_int_bit_length(asy_value a) {
  asy_int_view view;
  asy_int_look(a, &view);
  return view_bits(&view);
}

static int compare_views(const asy_int_view *a, const asy_int_view *b) {
  if (a->negative != b->negative) return a->negative ? -1 : 1;
  int order;
  if (a->n != b->n) order = a->n < b->n ? -1 : 1;
  else order = a->n ? mpn_cmp(a->limbs, b->limbs, a->n) : 0;
  if (order) order = order < 0 ? -1 : 1;
  return a->negative ? -order : order;
}

int asy_int_compare(asy_value a, asy_value b) {
  if (asy_both_int(a, b)) return asy_small(a) < asy_small(b) ? -1 : asy_small(a) > asy_small(b);
  asy_int_view x, y;
  asy_int_look(a, &x);
  asy_int_look(b, &y);
  return compare_views(&x, &y);
}

int64_t asy_int_hash(asy_value a) {
  asy_int_view view;
  asy_int_look(a, &view);
  int64_t hash = view.n ? (int64_t)mpn_mod_1(view.limbs, view.n, HASH_MODULUS) : 0;
  if (view.negative) hash = -hash;
  return hash == -1 ? -2 : hash;
}

double asy_round_scaled(uint64_t mantissa, int64_t exponent, bool sticky) {
  int bits = 64 - __builtin_clzll(mantissa);
  int64_t lowest = exponent + bits - DBL_MANT_DIG; /* weight of the result's last bit */
  if (lowest < DBL_MIN_EXP - DBL_MANT_DIG) lowest = DBL_MIN_EXP - DBL_MANT_DIG;
  int64_t drop = lowest - exponent;
  if (drop > 64) return 0;
  if (drop > 0) {
    uint64_t kept = drop == 64 ? 0 : mantissa >> drop;
    uint64_t half = (uint64_t)1 << (drop - 1), rest = drop == 64 ? mantissa : mantissa & ((half << 1) - 1);
    if (rest > half || (rest == half && (sticky || (kept & 1)))) kept++;
    mantissa = kept;
    exponent = lowest;
  }
  if (exponent > 2000) return HUGE_VAL;
  return ldexp((double)mantissa, (int)exponent);
}

/* The top 64 bits of a magnitude, its exponent, and whether any lower bit is set. */
static uint64_t top_bits(const mp_limb_t *limbs, mp_size_t n, int64_t *exponent, bool *sticky) {
  *sticky = false;
  if (n == 1) {
    *exponent = 0;
    return limbs[0];
  }
  int shift = __builtin_clzll(limbs[n - 1]);
  uint64_t top = limbs[n - 1] << shift;
  if (shift) {
    top |= limbs[n - 2] >> (64 - shift);
    *sticky = limbs[n - 2] << shift != 0;
  } else *sticky = limbs[n - 2] != 0;
  for (mp_size_t i = n - 3; i >= 0 && !*sticky; i--) *sticky = limbs[i] != 0;
  *exponent = (int64_t)(n - 1) * 64 - shift;
  return top;
}

bool asy_int_to_double(asy_vm *vm, asy_value a, double *out) {
  if (asy_is_int(a)) {
    *out = (double)asy_small(a);
    return true;
  }
  asy_int_view view;
  asy_int_look(a, &view);
  if (!view.n) {
    *out = 0;
    return true;
  }
  int64_t exponent;
  bool sticky;
  uint64_t top = top_bits(view.limbs, view.n, &exponent, &sticky);
  double d = asy_round_scaled(top, exponent, sticky);
  if (isinf(d)) {
    asy_raise(vm, ASY_OverflowError, "int too large to convert to float");
    return false;
  }
  *out = view.negative ? -d : d;
  return true;
}

asy_value asy_int_from_double(asy_vm *vm, double d) {
  if (d > -4611686018427387904.0 && d < 4611686018427387904.0) return asy_from_small((int64_t)d);
  if (isnan(d)) return asy_raise(vm, ASY_ValueError, "cannot convert float NaN to integer");
  if (isinf(d)) return asy_raise(vm, ASY_OverflowError, "cannot convert float infinity to integer");
  mpz_t z;
  mpz_init_set_d(z, d);
  return take_mpz(vm, z);
}

/* ---- Arithmetic ---- */

static asy_value add_magnitudes(asy_vm *vm, const asy_int_view *a, const asy_int_view *b, bool negative) {
  if (a->n < b->n) {
    const asy_int_view *swap = a;
    a = b;
    b = swap;
  }
  asy_int *r = new_int(vm, a->n + 1);
  if (!r) return ASY_FAILED;
  if (b->n) r->limbs[a->n] = mpn_add(r->limbs, a->limbs, a->n, b->limbs, b->n);
  else memcpy(r->limbs, a->limbs, (size_t)a->n * sizeof(mp_limb_t));
  return finish(r, a->n + 1, negative);
}

/* |a| - |b|, negated when `negative`. */
static asy_value subtract_magnitudes(asy_vm *vm, const asy_int_view *a, const asy_int_view *b, bool negative) {
  int order = a->n != b->n ? (a->n < b->n ? -1 : 1) : a->n ? mpn_cmp(a->limbs, b->limbs, a->n) : 0;
  if (!order) return asy_from_small(0);
  if (order < 0) {
    const asy_int_view *swap = a;
    a = b;
    b = swap;
    negative = !negative;
  }
  asy_int *r = new_int(vm, a->n);
  if (!r) return ASY_FAILED;
  if (b->n) mpn_sub(r->limbs, a->limbs, a->n, b->limbs, b->n);
  else memcpy(r->limbs, a->limbs, (size_t)a->n * sizeof(mp_limb_t));
  return finish(r, a->n, negative);
}

asy_value asy_int_add(asy_vm *vm, asy_value a, asy_value b) {
  if (asy_both_int(a, b)) return asy_from_int64(vm, asy_small(a) + asy_small(b));
  asy_int_view x, y;
  asy_int_look(a, &x);
  asy_int_look(b, &y);
  if (x.negative == y.negative) return add_magnitudes(vm, &x, &y, x.negative);
  return subtract_magnitudes(vm, &x, &y, x.negative);
}

asy_value asy_int_sub(asy_vm *vm, asy_value a, asy_value b) {
  if (asy_both_int(a, b)) return asy_from_int64(vm, asy_small(a) - asy_small(b));
  asy_int_view x, y;
  asy_int_look(a, &x);
  asy_int_look(b, &y);
  if (x.negative != y.negative) return add_magnitudes(vm, &x, &y, x.n ? x.negative : !y.negative);
  return subtract_magnitudes(vm, &x, &y, x.negative);
}

asy_value asy_int_mul(asy_vm *vm, asy_value a, asy_value b) {
  if (asy_both_int(a, b)) return from_int128(vm, (__int128)asy_small(a) * asy_small(b));
  asy_int_view left, right;
  asy_int_look(a, &left);
  asy_int_look(b, &right);
  if (!left.n || !right.n) return asy_from_small(0);
  const asy_int_view *x = &left, *y = &right;
  if (x->n < y->n) {
    x = &right;
    y = &left;
  }
  asy_int *r = new_int(vm, x->n + y->n);
  if (!r) return ASY_FAILED;
  if (y->n == 1) r->limbs[x->n] = mpn_mul_1(r->limbs, x->limbs, x->n, y->limbs[0]);
  else if (x->limbs == y->limbs) mpn_sqr(r->limbs, x->limbs, x->n);
  else mpn_mul(r->limbs, x->limbs, x->n, y->limbs, y->n);
  return finish(r, x->n + y->n, left.negative != right.negative);
}

asy_value asy_int_negate(asy_vm *vm, asy_value a) {
  if (asy_is_int(a)) return asy_from_int64(vm, -asy_small(a));
  asy_int_view view;
  asy_int_look(a, &view);
  return asy_int_from_limbs(vm, view.limbs, view.n, !view.negative);
}

asy_value asy_int_abs(asy_vm *vm, asy_value a) {
  return asy_int_sign(a) < 0 ? asy_int_negate(vm, a) : asy_int_plain(vm, a);
}

/* Floored division of magnitudes with signs. */
static bool divide_views(asy_vm *vm, const asy_int_view *a, const asy_int_view *b, asy_value *quotient,
                         asy_value *remainder) {
  mp_size_t qn = a->n >= b->n ? a->n - b->n + 1 : 1;
  asy_int *q = new_int(vm, qn + 1);
  asy_int *r = q ? new_int(vm, b->n) : NULL;
  if (!r) return false;
  if (a->n >= b->n) mpn_tdiv_qr(q->limbs, r->limbs, 0, a->limbs, a->n, b->limbs, b->n);
  else { /* the quotient of the magnitudes is 0, the rest is a */ q->limbs[0] = 0;
    memcpy(r->limbs, a->limbs, (size_t)a->n * sizeof(mp_limb_t));
    memset(r->limbs + a->n, 0, (size_t)(b->n - a->n) * sizeof(mp_limb_t));
  }
  if (a->negative != b->negative && trimmed(r->limbs, b->n)) {
    mpn_sub_n(r->limbs, b->limbs, r->limbs, b->n);
    q->limbs[qn] = mpn_add_1(q->limbs, q->limbs, qn, 1);
  }
  *quotient = finish(q, qn + 1, a->negative != b->negative);
  *remainder = finish(r, b->n, b->negative);
  return true;
}

bool asy_int_divmod(asy_vm *vm, asy_value a, asy_value b, asy_value *quotient, asy_value *remainder) {
  if (asy_both_int(a, b)) {
    int64_t x = asy_small(a), y = asy_small(b), q = x / y, r = x % y;
    if (r && (r < 0) != (y < 0)) {
      q--;
      r += y;
    }
    *quotient = asy_from_int64(vm, q);
    *remainder = asy_from_small(r);
    return !asy_failed(*quotient);
  }
  asy_int_view x, y;
  asy_int_look(a, &x);
  asy_int_look(b, &y);
  return divide_views(vm, &x, &y, quotient, remainder);
}

static asy_value int_floordiv(asy_vm *vm, asy_value a, asy_value b) {
  if (!asy_int_sign(b)) return asy_raise(vm, ASY_ZeroDivisionError, "integer division or modulo by zero");
  asy_value quotient, remainder;
  return asy_int_divmod(vm, a, b, &quotient, &remainder) ? quotient : ASY_FAILED;
}

static asy_value int_mod(asy_vm *vm, asy_value a, asy_value b) {
  if (!asy_int_sign(b)) return asy_raise(vm, ASY_ZeroDivisionError, "integer modulo by zero");
  asy_value quotient, remainder;
  return asy_int_divmod(vm, a, b, &quotient, &remainder) ? remainder : ASY_FAILED;
}

/* |a| / |b| rounded once: the quotient is computed to 64 bits or more, its lower part and the remainder are sticky. */
static double divide_to_double(const asy_int_view *a, const asy_int_view *b) {
  int64_t scale = 66 - ((int64_t)view_bits(a) - (int64_t)view_bits(b));
  if (scale > 1200 + 66) return 0; /* below half of the least subnormal */
  mpz_t x, y, q, r, shifted;
  asy_int_mpz(a, x);
  asy_int_mpz(b, y);
  mpz_inits(q, r, shifted, NULL);
  if (scale >= 0) {
    mpz_mul_2exp(shifted, x, (mp_bitcnt_t)scale);
    mpz_tdiv_qr(q, r, shifted, y);
  } else {
    mpz_mul_2exp(shifted, y, (mp_bitcnt_t)-scale);
    mpz_tdiv_qr(q, r, x, shifted);
  }
  int64_t exponent;
  bool sticky;
  uint64_t top = top_bits(mpz_limbs_read(q), (mp_size_t)mpz_size(q), &exponent, &sticky);
  double d = asy_round_scaled(top, exponent - scale, sticky || mpz_sgn(r) != 0);
  mpz_clears(q, r, shifted, NULL);
  return d;
}

static asy_value int_truediv(asy_vm *vm, asy_value a, asy_value b) {
  asy_int_view x, y;
  asy_int_look(a, &x);
  asy_int_look(b, &y);
  if (!y.n) return asy_raise_format(vm, ASY_ZeroDivisionError, "division by zero");
  if (!x.n) return asy_from_double(vm, y.negative ? -0.0 : 0.0);
  double d;
  const uint64_t exact = (uint64_t)1 << DBL_MANT_DIG;
  if (x.n == 1 && y.n == 1 && x.limbs[0] <= exact && y.limbs[0] <= exact) d = (double)x.limbs[0] / (double)y.limbs[0];
  else {
    x.negative ^= y.negative;
    bool negative = x.negative;
    x.negative = y.negative = false;
    d = divide_to_double(&x, &y);
    if (isinf(d)) return asy_raise(vm, ASY_OverflowError, "integer division result too large for a float");
    return asy_from_double(vm, negative ? -d : d);
  }
  return asy_from_double(vm, x.negative != y.negative ? -d : d);
}

static asy_value int_power(asy_vm *vm, asy_value a, asy_value b) {
  asy_int_view x, y;
  asy_int_look(a, &x);
  asy_int_look(b, &y);
  if (y.negative) {
    double base, exponent;
    if (!asy_int_to_double(vm, a, &base) || !asy_int_to_double(vm, b, &exponent)) return ASY_FAILED;
    return asy_float_binary(vm, BINARY_POW, base, exponent);
  }
  if (!y.n) return asy_from_small(1);
  if (!x.n) return asy_from_small(0);
  if (x.n == 1 && x.limbs[0] == 1) return asy_from_small(x.negative && (y.limbs[0] & 1) ? -1 : 1);
  uint64_t bits;
  if (y.n > 1 || __builtin_mul_overflow(view_bits(&x) - 1, y.limbs[0], &bits) || bits / 64 >= ASY_INT_MAX_LIMBS ||
      !has_scratch((mp_size_t)(bits / 64)))
    return asy_raise_no_memory(vm);
  if (x.n == 1) { /* small results without mpz */
    uint64_t base = x.limbs[0], exponent = y.limbs[0], result = 1;
    bool fits = true;
    while (fits) {
      if (exponent & 1) fits = !__builtin_mul_overflow(result, base, &result);
      exponent >>= 1;
      if (!exponent) break;
      if (fits) fits = !__builtin_mul_overflow(base, base, &base);
    }
    if (fits) {
      mp_limb_t limb = result;
      return asy_int_from_limbs(vm, &limb, 1, x.negative && (y.limbs[0] & 1));
    }
  }
  mpz_t storage, r;
  mpz_init(r);
  mpz_pow_ui(r, asy_int_mpz(&x, storage), y.limbs[0]);
  return take_mpz(vm, r);
}

static asy_value power_modulo(asy_vm *vm, asy_value base, asy_value exponent, asy_value modulus) {
  asy_int_view x, y, m;
  asy_int_look(base, &x);
  asy_int_look(exponent, &y);
  asy_int_look(modulus, &m);
  if (!m.n) return asy_raise(vm, ASY_ValueError, "pow() 3rd argument cannot be 0");
  mpz_t xs, ys, ms, r;
  mpz_init(r);
  asy_int_mpz(&x, xs);
  asy_int_mpz(&y, ys);
  asy_int_mpz(&m, ms);
  if (y.negative) {
    if (!mpz_invert(r, xs, ms)) {
      mpz_clear(r);
      return asy_raise(vm, ASY_ValueError, "base is not invertible for the given modulus");
    }
    mpz_t positive;
    mpz_init(positive);
    mpz_neg(positive, ys);
    mpz_powm(r, r, positive, ms);
    mpz_clear(positive);
  } else mpz_powm(r, xs, ys, ms);
  mpz_fdiv_r(r, r, ms);
  return take_mpz(vm, r);
}

asy_value asy_int_gcd(asy_vm *vm, asy_value a, asy_value b) {
  asy_int_view x, y;
  asy_int_look(a, &x);
  asy_int_look(b, &y);
  mpz_t xs, ys, r;
  mpz_init(r);
  mpz_gcd(r, asy_int_mpz(&x, xs), asy_int_mpz(&y, ys));
  return take_mpz(vm, r);
}

asy_value asy_int_sqrt(asy_vm *vm, asy_value a) {
  asy_int_view x;
  asy_int_look(a, &x);
  mpz_t xs, r;
  mpz_init(r);
  mpz_sqrt(r, asy_int_mpz(&x, xs));
  return take_mpz(vm, r);
}

/* ---- Bits ---- */

static asy_value int_shift_left(asy_vm *vm, asy_value a, asy_value b) {
  asy_int_view x, y;
  asy_int_look(a, &x);
  asy_int_look(b, &y);
  if (y.negative) return asy_raise(vm, ASY_ValueError, "negative shift count");
  if (!x.n) return asy_from_small(0);
  if (y.n > 1 || (y.n && y.limbs[0] > INT64_MAX)) return asy_raise(vm, ASY_OverflowError, "too many digits in integer");
  uint64_t count = y.n ? y.limbs[0] : 0;
  if (x.n == 1 && view_bits(&x) + count < 64) {
    mp_limb_t limb = x.limbs[0] << count;
    return asy_int_from_limbs(vm, &limb, 1, x.negative);
  }
  if (count / 64 >= ASY_INT_MAX_LIMBS) return asy_raise_no_memory(vm);
  mp_size_t whole = (mp_size_t)(count / 64);
  asy_int *r = new_int(vm, x.n + whole + 1);
  if (!r) return ASY_FAILED;
  memset(r->limbs, 0, (size_t)whole * sizeof(mp_limb_t));
  if (count % 64) r->limbs[x.n + whole] = mpn_lshift(r->limbs + whole, x.limbs, x.n, (unsigned)(count % 64));
  else memcpy(r->limbs + whole, x.limbs, (size_t)x.n * sizeof(mp_limb_t));
  return finish(r, x.n + whole + 1, x.negative);
}

static asy_value int_shift_right(asy_vm *vm, asy_value a, asy_value b) {
  asy_int_view x, y;
  asy_int_look(a, &x);
  asy_int_look(b, &y);
  if (y.negative) return asy_raise(vm, ASY_ValueError, "negative shift count");
  uint64_t count = y.n == 1 ? y.limbs[0] : y.n ? UINT64_MAX : 0;
  if (count / 64 >= (uint64_t)x.n) return asy_from_small(x.negative && x.n ? -1 : 0);
  if (asy_is_int(a)) return asy_from_small(asy_small(a) >> count);
  mp_size_t whole = (mp_size_t)(count / 64), n = x.n - whole;
  asy_int *r = new_int(vm, n + 1);
  if (!r) return ASY_FAILED;
  bool dropped = trimmed(x.limbs, whole) != 0;
  if (count % 64) dropped |= mpn_rshift(r->limbs, x.limbs + whole, n, (unsigned)(count % 64)) != 0;
  else memcpy(r->limbs, x.limbs + whole, (size_t)n * sizeof(mp_limb_t));
  if (x.negative && dropped) r->limbs[n] = mpn_add_1(r->limbs, r->limbs, n, 1);
  return finish(r, n + 1, x.negative);
}

static inline mp_limb_t limb_bits(asy_binary_op op, mp_limb_t a, mp_limb_t b) {
  return op == BINARY_AND ? a & b : op == BINARY_OR ? a | b : a ^ b;
}

/* Of two magnitudes, x the longer one. */
static asy_value bits_of_naturals(asy_vm *vm, asy_binary_op op, const asy_int_view *x, const asy_int_view *y) {
  mp_size_t n = op == BINARY_AND ? y->n : x->n;
  asy_int *r = new_int(vm, n);
  if (!r) return ASY_FAILED;
  for (mp_size_t i = 0; i < y->n; i++) r->limbs[i] = limb_bits(op, x->limbs[i], y->limbs[i]);
  if (n > y->n) memcpy(r->limbs + y->n, x->limbs + y->n, (size_t)(n - y->n) * sizeof(mp_limb_t));
  return finish(r, n, false);
}

static asy_value int_bits(asy_vm *vm, asy_binary_op op, asy_value a, asy_value b) {
  asy_int_view x, y;
  asy_int_look(a, &x);
  asy_int_look(b, &y);
  if (!x.negative && !y.negative)
    return x.n < y.n ? bits_of_naturals(vm, op, &y, &x) : bits_of_naturals(vm, op, &x, &y);
  mpz_t xs, ys, r;
  mpz_init(r);
  asy_int_mpz(&x, xs);
  asy_int_mpz(&y, ys);
  if (op == BINARY_AND) mpz_and(r, xs, ys);
  else if (op == BINARY_OR) mpz_ior(r, xs, ys);
  else mpz_xor(r, xs, ys);
  return take_mpz(vm, r);
}

static asy_value int_bits_of_small(asy_binary_op op, int64_t a, int64_t b) {
  return asy_from_small(op == BINARY_AND ? a & b : op == BINARY_OR ? a | b : a ^ b);
}

static asy_value int_invert(asy_vm *vm, asy_value a) {
  if (asy_is_int(a)) return asy_from_small(~asy_small(a));
  asy_value negated = asy_int_negate(vm, a);
  return asy_failed(negated) ? ASY_FAILED : asy_int_sub(vm, negated, asy_from_small(1));
}

asy_value asy_int_binary(asy_vm *vm, asy_binary_op op, asy_value a, asy_value b) {
  switch (op) {
    case BINARY_ADD: return asy_int_add(vm, a, b);
    case BINARY_SUB: return asy_int_sub(vm, a, b);
    case BINARY_MUL: return asy_int_mul(vm, a, b);
    case BINARY_TRUEDIV: return int_truediv(vm, a, b);
    case BINARY_FLOORDIV: return int_floordiv(vm, a, b);
    case BINARY_MOD: return int_mod(vm, a, b);
    case BINARY_POW: return int_power(vm, a, b);
    case BINARY_LSHIFT: return int_shift_left(vm, a, b);
    case BINARY_RSHIFT: return int_shift_right(vm, a, b);
    case BINARY_AND:
    case BINARY_OR:
    case BINARY_XOR:
      if (asy_both_int(a, b)) return int_bits_of_small(op, asy_small(a), asy_small(b));
      return int_bits(vm, op, a, b);
    default: return ASY_NOT_IMPLEMENTED;
  }
}

/* ---- Text ---- */

uint32_t asy_int_max_str_digits(asy_vm *vm) { return vm->int_max_str_digits; }
void asy_int_set_max_str_digits(asy_vm *vm, uint32_t limit) { vm->int_max_str_digits = limit; }

enum { DIGITS_NEVER_CHECKED = 640 }; /* shorter texts are converted whatever the limit */

static asy_value raise_too_many_digits(asy_vm *vm, uint64_t digits) {
  return asy_raise(vm, ASY_ValueError,
                   "Exceeds the limit (%u digits) for integer string conversion: value has %zu digits; use "
                   "sys.set_int_max_str_digits() to increase the limit",
                   vm->int_max_str_digits, (size_t)digits);
}

static bool is_power_of_two(int base) { return (base & (base - 1)) == 0; }

/* Two digits at a time: a division takes longer than all the rest. */
char *asy_decimal(char *end, int64_t value) {
  static const char pairs[] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748"
    "49505152535455565758596061626364656667686970717273747576777879808182838485868788899091929394959697"
    "9899";
  uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  char *p = end;
  for (; rest >= 100; rest /= 100) memcpy(p -= 2, pairs + rest % 100 * 2, 2);
  if (rest >= 10) memcpy(p -= 2, pairs + rest * 2, 2);
  else *--p = (char)('0' + rest);
  if (value < 0) *--p = '-';
  return p;
}

static asy_str *small_to_str(asy_vm *vm, int64_t value) {
  if (value >= 0 && value < 10) return asy_str_char(vm, '0' + (uint32_t)value);
  char digits[ASY_DECIMAL_MOST], *end = digits + sizeof digits, *start = asy_decimal(end, value);
  void *data;
  asy_str *text = asy_str_alloc(vm, (size_t)(end - start), 127, &data);
  if (text) memcpy(data, start, (size_t)(end - start));
  return text;
}

asy_str *asy_int_to_str(asy_vm *vm, asy_value integer, int base) {
  if (base == 10 && asy_is_int(integer)) return small_to_str(vm, asy_small(integer));
  char small[72];
  asy_int_view view;
  asy_int_look(integer, &view);
  if (view.n <= 1) {
    char *end = small + sizeof small, *p = end;
    uint64_t rest = view.n ? view.limbs[0] : 0;
    do *--p = "0123456789abcdefghijklmnopqrstuvwxyz"[rest % (unsigned)base];
    while (rest /= (unsigned)base);
    if (view.negative) *--p = '-';
    return asy_str_new_latin1(vm, (const uint8_t *)p, (size_t)(end - p));
  }
  uint32_t limit = vm->int_max_str_digits;
  bool limited = limit && !is_power_of_two(base) && view_bits(&view) > (uint64_t)DIGITS_NEVER_CHECKED * 3;
  if (limited && view_bits(&view) / 3.4 > limit) goto too_long; /* certainly too long: do not even convert */
  mpz_t storage;
  mpz_srcptr z = asy_int_mpz(&view, storage);
  size_t size = mpz_sizeinbase(z, base) + 2;
  char *buffer = size <= sizeof small ? small : malloc(size);
  if (!buffer) {
    asy_raise_no_memory(vm);
    return NULL;
  }
  mpz_get_str(buffer, base, z);
  size_t length = strlen(buffer);
  asy_str *text = NULL;
  bool fits = !limited || length - view.negative <= limit;
  if (fits) text = asy_str_new_latin1(vm, (const uint8_t *)buffer, length);
  if (buffer != small) free(buffer);
  if (fits) return text;
too_long:
  asy_raise(vm, ASY_ValueError,
            "Exceeds the limit (%u digits) for integer string conversion; use sys.set_int_max_str_digits() to increase "
            "the limit",
            limit);
  return NULL;
}

static int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'z') return c - 'a' + 10;
  if (c >= 'A' && c <= 'Z') return c - 'A' + 10;
  return 99;
}

static int prefix_base(char letter) {
  switch (letter | 32) {
    case 'x': return 16;
    case 'o': return 8;
    case 'b': return 2;
    default: return 0;
  }
}

/* ASCII text without surrounding white space. UNBOUND when it is no integer literal of this base. */
static asy_value parse_digits(asy_vm *vm, const char *p, size_t length, int base) {
  const char *end = p + length;
  bool negative = false;
  if (p < end && (*p == '+' || *p == '-')) negative = *p++ == '-';
  bool nonzero_refused = false;
  if (end - p >= 2 && *p == '0' && prefix_base(p[1]) && (base == 0 || base == prefix_base(p[1]))) {
    base = prefix_base(p[1]);
    p += 2;
    if (p < end && *p == '_') p++;
  } else if (base == 0) {
    nonzero_refused = p < end && *p == '0'; /* 010 is no decimal; 00 is 0 */
    base = 10;
  }
  if (p == end || *p == '_') return ASY_UNBOUND;

  uint64_t value = 0;
  size_t digits = 0;
  bool overflow = false;
  for (const char *q = p; q < end; q++) {
    if (*q == '_') {
      if (q + 1 == end || q[1] == '_') return ASY_UNBOUND;
      continue;
    }
    int digit = digit_value(*q);
    if (digit >= base) return ASY_UNBOUND;
    digits++;
    if (!overflow)
      overflow = __builtin_mul_overflow(value, (uint64_t)base, &value) ||
                 __builtin_add_overflow(value, (uint64_t)digit, &value);
  }
  if (nonzero_refused && (value || overflow)) return ASY_UNBOUND;
  if (!overflow) {
    mp_limb_t limb = value;
    return asy_int_from_limbs(vm, &limb, 1, negative);
  }
  if (vm->int_max_str_digits && !is_power_of_two(base) && digits > DIGITS_NEVER_CHECKED &&
      digits > vm->int_max_str_digits)
    return raise_too_many_digits(vm, digits);
  if (digits / 8 > (size_t)ASY_INT_MAX_LIMBS) return asy_raise_no_memory(vm);

  unsigned char *values = malloc(digits);
  mp_limb_t *limbs = malloc((digits / 8 + 2) * sizeof *limbs); /* at most 6 bits a digit */
  asy_value result = ASY_FAILED;
  if (values && limbs) {
    size_t n = 0;
    for (const char *q = p; q < end; q++)
      if (*q != '_') values[n++] = (unsigned char)digit_value(*q);
    size_t skip = 0;
    while (values[skip] == 0) skip++; /* mpn_set_str wants a leading digit; there is one, or nothing overflowed */
    result = asy_int_from_limbs(vm, limbs, mpn_set_str(limbs, values + skip, n - skip, base), negative);
  } else asy_raise_no_memory(vm);
  free(values);
  free(limbs);
  return result;
}

/* ValueError with the repr of what was given, cut to 200 characters. */
static asy_value raise_invalid(asy_vm *vm, asy_value text, int base) {
  asy_value repr = asy_repr(vm, text);
  if (asy_failed(repr)) return ASY_FAILED;
  asy_str *shown = (asy_str *)asy_obj_of(repr);
  if (shown->len > 200) shown = asy_str_slice(vm, shown, 0, 200);
  if (!shown) return ASY_FAILED;
  return asy_raise_format(vm, ASY_ValueError, "invalid literal for int() with base %d: %U", base, shown);
}

static bool is_ascii_space(char c) { return c == ' ' || (c >= 9 && c <= 13); }

asy_value asy_int_from_text(asy_vm *vm, const char *text, size_t length, int base) {
  const char *p = text, *end = text + length;
  while (p < end && is_ascii_space(*p)) p++;
  while (end > p && is_ascii_space(end[-1])) end--;
  asy_value result = parse_digits(vm, p, (size_t)(end - p), base);
  if (result != ASY_UNBOUND) return result;
  asy_value shown = asy_from_text(vm, text, length);
  return asy_failed(shown) ? ASY_FAILED : raise_invalid(vm, shown, base);
}

asy_value asy_int_from_str(asy_vm *vm, asy_str *text, int base) {
  char buffer[128], *digits;
  size_t length;
  if (!asy_number_text(vm, text, buffer, sizeof buffer, &digits, &length)) return ASY_FAILED;
  asy_value result = parse_digits(vm, digits, length, base);
  if (digits != buffer) free(digits);
  if (result != ASY_UNBOUND) return result;
  return raise_invalid(vm, asy_from_obj(text), base);
}

static asy_value int_from_bytes_text(asy_vm *vm, asy_value object, int base) {
  asy_buffer buffer;
  if (!asy_buffer_get(vm, object, &buffer)) return ASY_FAILED;
  const char *p = (const char *)buffer.data, *end = p + buffer.len;
  while (p < end && is_ascii_space(*p)) p++;
  while (end > p && is_ascii_space(end[-1])) end--;
  asy_value result = parse_digits(vm, p, (size_t)(end - p), base);
  asy_value shown = result == ASY_UNBOUND ? asy_from_bytes(vm, buffer.data, buffer.len) : ASY_NONE;
  asy_buffer_release(vm, &buffer);
  if (result != ASY_UNBOUND) return result;
  return asy_failed(shown) ? ASY_FAILED : raise_invalid(vm, shown, base);
}

/* ---- To C ---- */

bool asy_to_int64(asy_vm *vm, asy_value v, int64_t *out) {
  if (asy_is_number_int64(v, out)) return true;
  asy_value integer = asy_is_integer(v) ? v : asy_index(vm, v);
  if (asy_failed(integer)) return false;
  if (asy_is_number_int64(integer, out)) return true;
  asy_raise(vm, ASY_OverflowError, "Python int too large to convert to C ssize_t");
  return false;
}

bool asy_to_c_int(asy_vm *vm, asy_value v, int *out) {
  int64_t i;
  asy_value integer = asy_is_integer(v) ? v : asy_index(vm, v);
  if (asy_failed(integer)) return false;
  if (!asy_is_number_int64(integer, &i) || i < INT_MIN || i > INT_MAX) {
    asy_raise(vm, ASY_OverflowError, "Python int too large to convert to C int");
    return false;
  }
  *out = (int)i;
  return true;
}

bool asy_to_int(asy_vm *vm, asy_value v, int64_t min, int64_t max, int *out) {
  int64_t i;
  if (!asy_to_int64(vm, v, &i)) return false;
  if (i < min || i > max) {
    asy_raise(vm, ASY_ValueError, "%lld is not in %lld..%lld", (long long)i, (long long)min, (long long)max);
    return false;
  }
  *out = (int)i;
  return true;
}

/* ---- The type ---- */

/* A value of cls: the integer itself for int. */
static asy_value as_class(asy_vm *vm, asy_class *cls, asy_value integer) {
  if (asy_failed(integer)) return ASY_FAILED;
  if (cls == vm->classes[KIND_INT]) return asy_int_plain(vm, integer);
  return asy_int_instance(vm, cls, integer);
}

/* int(x) of what is neither an exact int nor text; UNBOUND when x has none of the conversion methods. */
static asy_value int_by_method(asy_vm *vm, asy_value x) {
  asy_value result = asy_call_special(vm, x, ASY_NAME(vm, __int__), 0, NULL);
  if (result != ASY_UNBOUND) { return asy_converted_int(vm, result, "__int__"); }
  result = asy_call_special(vm, x, ASY_NAME(vm, __index__), 0, NULL);
  if (result != ASY_UNBOUND) { return asy_converted_int(vm, result, "__index__"); }
  result = asy_call_special(vm, x, ASY_NAME(vm, __trunc__), 0, NULL);
  if (result != ASY_UNBOUND && !asy_failed(result) &&
      !asy_warn(vm, ASY_DeprecationWarning, "The delegation of int() to __trunc__ is deprecated.", 1))
    return ASY_FAILED;
  if (result == ASY_UNBOUND || asy_failed(result) || asy_is_integer(result)) return result;
  asy_value index = asy_call_special(vm, result, ASY_NAME(vm, __index__), 0, NULL);
  if (index != ASY_UNBOUND) return index;
  return asy_raise(vm, ASY_TypeError, "__trunc__ returned non-Integral (type %T)", result);
}

static asy_value int_of(asy_vm *vm, asy_value x) {
  if (asy_is_int(x) || asy_is_bool(x) || asy_is_exact(x, KIND_INT)) return x;
  if (asy_is_flonum(x)) return asy_int_from_double(vm, asy_flonum(x));
  if (asy_is_exact(x, KIND_STR)) return asy_int_from_str(vm, (asy_str *)asy_obj_of(x), 10);
  asy_value result = int_by_method(vm, x);
  if (result != ASY_UNBOUND) return result;
  if (asy_is_str(x)) return asy_int_from_str(vm, (asy_str *)asy_obj_of(x), 10);
  if (asy_is_bytes_like(x)) return int_from_bytes_text(vm, x, 10);
  return asy_raise(vm, ASY_TypeError, "int() argument must be a string, a bytes-like object or a real number, not '%T'",
                   x);
}

static asy_value int_of_text(asy_vm *vm, asy_value x, asy_value base_value) {
  int64_t base;
  asy_value integer = asy_index(vm, base_value);
  if (asy_failed(integer)) return ASY_FAILED;
  if (!asy_is_number_int64(integer, &base) || (base != 0 && (base < 2 || base > 36)))
    return asy_raise(vm, ASY_ValueError, "int() base must be >= 2 and <= 36, or 0");
  if (asy_is_str(x)) return asy_int_from_str(vm, (asy_str *)asy_obj_of(x), (int)base);
  if (asy_is_kind(x, KIND_BYTES) || asy_is_kind(x, KIND_BYTEARRAY)) return int_from_bytes_text(vm, x, (int)base);
  return asy_raise(vm, ASY_TypeError, "int() can't convert non-string with explicit base");
}

static asy_value int_new(asy_vm *vm, const asy_value *args) {
  asy_class *cls = (asy_class *)asy_obj_of(args[0]);
  asy_value x = args[1], base = args[2];
  if (cls == vm->classes[KIND_BOOL])
    return asy_raise(vm, ASY_TypeError, "int.__new__(bool) is not safe, use bool.__new__()");
  if (x == ASY_UNBOUND) {
    if (base != ASY_UNBOUND) return asy_raise(vm, ASY_TypeError, "int() missing string argument");
    return as_class(vm, cls, asy_from_small(0));
  }
  return as_class(vm, cls, base == ASY_UNBOUND ? int_of(vm, x) : int_of_text(vm, x, base));
}

static asy_value int_repr(asy_vm *vm, asy_value self) {
  asy_str *text = asy_int_to_str(vm, self, 10);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

static bool int_hash(asy_vm *vm, asy_value self, int64_t *out) {
  (void)vm;
  *out = asy_int_hash(self);
  return true;
}

static asy_value int_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op) {
  (void)vm;
  if (!asy_is_integer(self) || !asy_is_integer(other)) return ASY_NOT_IMPLEMENTED;
  int order = asy_int_compare(self, other);
  switch (op) {
    case COMPARE_LT: return asy_from_bool(order < 0);
    case COMPARE_LE: return asy_from_bool(order <= 0);
    case COMPARE_EQ: return asy_from_bool(order == 0);
    case COMPARE_NE: return asy_from_bool(order != 0);
    case COMPARE_GT: return asy_from_bool(order > 0);
    default: return asy_from_bool(order >= 0);
  }
}

static int int_truth(asy_vm *vm, asy_value self) {
  (void)vm;
  return asy_int_sign(self) != 0;
}

static asy_value int_index(asy_vm *vm, asy_value self) { return asy_int_plain(vm, self); }
static asy_value int_positive(asy_vm *vm, asy_value self) { return asy_int_plain(vm, self); }

#define SLOT(op, name)                                                                                                 \
  static asy_value slot_##name(asy_vm *vm, asy_value left, asy_value right) {                                          \
    if (!asy_is_integer(left) || !asy_is_integer(right)) return ASY_NOT_IMPLEMENTED;                                   \
    return asy_int_binary(vm, BINARY_##op, left, right);                                                               \
  }
SLOT(ADD, add)
SLOT(SUB, sub)
SLOT(MUL, mul)
SLOT(TRUEDIV, truediv)
SLOT(FLOORDIV, floordiv)
SLOT(MOD, mod)
SLOT(POW, pow)
SLOT(LSHIFT, lshift)
SLOT(RSHIFT, rshift)
SLOT(AND, and)
SLOT(OR, or)
SLOT(XOR, xor)
#undef SLOT

/* ---- Methods ---- */

static asy_value int_plain_method(asy_vm *vm, const asy_value *args) { return asy_int_plain(vm, args[0]); }
static asy_value int_zero(asy_vm *vm, const asy_value *args) {
  (void)vm, (void)args;
  return asy_from_small(0);
}
static asy_value int_one(asy_vm *vm, const asy_value *args) {
  (void)vm, (void)args;
  return asy_from_small(1);
}
static asy_value int_abs_method(asy_vm *vm, const asy_value *args) { return asy_int_abs(vm, args[0]); }

static asy_value int_float(asy_vm *vm, const asy_value *args) {
  double d;
  return asy_int_to_double(vm, args[0], &d) ? asy_from_double(vm, d) : ASY_FAILED;
}

static asy_value int_bit_length(asy_vm *vm, const asy_value *args) {
  return asy_from_uint64(vm, asy_int_bit_length(args[0]));
}

static asy_value int_bit_count(asy_vm *vm, const asy_value *args) {
  (void)vm;
  asy_int_view view;
  asy_int_look(args[0], &view);
  return asy_from_small(view.n ? (int64_t)mpn_popcount(view.limbs, view.n) : 0);
}

static asy_value divmod_pair(asy_vm *vm, asy_value a, asy_value b) {
  if (!asy_is_integer(a) || !asy_is_integer(b)) return ASY_NOT_IMPLEMENTED;
  if (!asy_int_sign(b)) return asy_raise(vm, ASY_ZeroDivisionError, "integer division or modulo by zero");
  asy_value quotient, remainder;
  if (!asy_int_divmod(vm, a, b, &quotient, &remainder)) return ASY_FAILED;
  return asy_tuple_of(vm, 2, quotient, remainder);
}

static asy_value int_divmod_method(asy_vm *vm, const asy_value *args) { return divmod_pair(vm, args[0], args[1]); }
static asy_value int_rdivmod_method(asy_vm *vm, const asy_value *args) { return divmod_pair(vm, args[1], args[0]); }

static asy_value int_pow_method(asy_vm *vm, const asy_value *args) {
  if (!asy_is_integer(args[1])) return ASY_NOT_IMPLEMENTED;
  if (args[2] == ASY_NONE) return int_power(vm, args[0], args[1]);
  if (!asy_is_integer(args[2])) return ASY_NOT_IMPLEMENTED;
  return power_modulo(vm, args[0], args[1], args[2]);
}

/* a rounded to a multiple of 10^-ndigits, ties to even. */
asy_value asy_int_round_to(asy_vm *vm, asy_value a, asy_value ndigits) {
  asy_value index = asy_index(vm, ndigits);
  if (asy_failed(index)) return ASY_FAILED;
  if (asy_int_sign(index) >= 0) return asy_int_plain(vm, a);
  int64_t digits;
  if (!asy_is_number_int64(index, &digits) || digits < -((int64_t)ASY_INT_MAX_LIMBS * 20)) return asy_from_small(0);
  asy_int_view x;
  asy_int_look(a, &x);
  if (-digits > (int64_t)x.n * 20) return asy_from_small(0); /* less than half a unit: a limb has 20 digits at most */
  asy_value unit = int_power(vm, asy_from_small(10), asy_from_small(-digits));
  if (asy_failed(unit)) return ASY_FAILED;
  asy_value quotient, remainder;
  if (!asy_int_divmod(vm, a, unit, &quotient, &remainder)) return ASY_FAILED;
  asy_value twice = asy_int_add(vm, remainder, remainder);
  if (asy_failed(twice)) return ASY_FAILED;
  int order = asy_int_compare(twice, unit);
  asy_value base = asy_int_sub(vm, asy_int_plain(vm, a), remainder);
  if (asy_failed(base)) return ASY_FAILED;
  return order > 0 || (order == 0 && asy_int_is_odd(quotient)) ? asy_int_add(vm, base, unit) : base;
}

static asy_value int_round(asy_vm *vm, const asy_value *args) {
  if (args[1] == ASY_UNBOUND) return asy_int_plain(vm, args[0]);
  return asy_int_round_to(vm, args[0], args[1]);
}

static asy_value int_ratio(asy_vm *vm, const asy_value *args) {
  asy_value plain = asy_int_plain(vm, args[0]);
  return asy_failed(plain) ? ASY_FAILED : asy_tuple_of(vm, 2, plain, asy_from_small(1));
}

static asy_value int_is_integer(asy_vm *vm, const asy_value *args) {
  (void)vm, (void)args;
  return ASY_TRUE;
}

/* 1 little, 0 big, -1 ValueError. */
static int byte_order(asy_vm *vm, asy_value v, const char *function) {
  if (!asy_is_str(v)) {
    asy_raise(vm, ASY_TypeError,
              v == ASY_NONE ? "%s() argument 'byteorder' must be str, not None"
                            : "%s() argument 'byteorder' must be str, not %T",
              function, v);
    return -1;
  }
  const asy_str *name = (const asy_str *)asy_obj_of(v);
  if (asy_str_equal_cstr(name, "little")) return 1;
  if (asy_str_equal_cstr(name, "big")) return 0;
  asy_raise(vm, ASY_ValueError, "byteorder must be either 'little' or 'big'");
  return -1;
}

static asy_value int_to_bytes(asy_vm *vm, const asy_value *args) {
  int64_t length;
  if (!asy_to_int64(vm, args[1], &length)) return ASY_FAILED;
  int little = byte_order(vm, args[2], "to_bytes");
  int is_signed = little < 0 ? -1 : asy_truth(vm, args[3]);
  if (is_signed < 0) return ASY_FAILED;
  if (length < 0) return asy_raise(vm, ASY_ValueError, "length argument must be non-negative");
  asy_int_view view;
  asy_int_look(args[0], &view);
  if (view.negative && !is_signed) return asy_raise(vm, ASY_OverflowError, "can't convert negative int to unsigned");
  uint64_t bits = view_bits(&view);
  if (is_signed) { /* the magnitude 2^k itself fits k+1 bits when negative */
    bool power = view.negative && mpn_popcount(view.limbs, view.n) == 1;
    bits = power && bits == 1 ? 0 : bits + (view.n && !power); /* CPython puts -1 into no bytes at all */
  }
  if (bits > (uint64_t)length * 8) return asy_raise(vm, ASY_OverflowError, "int too big to convert");
  asy_bytes *bytes = asy_bytes_new(vm, NULL, (size_t)length);
  if (!bytes) return ASY_FAILED;
  asy_int_look(args[0], &view);
  unsigned carry = 1; /* of the two's complement */
  for (int64_t i = 0; i < length; i++) {
    uint8_t byte = i / 8 < view.n ? (uint8_t)(view.limbs[i / 8] >> (i % 8 * 8)) : 0;
    if (view.negative) {
      unsigned sum = (uint8_t)~byte + carry;
      byte = (uint8_t)sum;
      carry = sum >> 8;
    }
    bytes->data[little ? i : length - 1 - i] = byte;
  }
  return asy_from_obj(bytes);
}

/* The bytes that an argument of from_bytes stands for: bytes-like, or an iterable of ints. */
static asy_value bytes_argument(asy_vm *vm, asy_value v) {
  if (asy_is_bytes_like(v)) return v;
  if (asy_is_str(v) || asy_is_integer(v)) return asy_raise(vm, ASY_TypeError, "cannot convert '%T' object to bytes", v);
  return asy_call1(vm, asy_from_obj(vm->classes[KIND_BYTES]), v);
}

static asy_value int_from_bytes(asy_vm *vm, const asy_value *args) {
  int little = byte_order(vm, args[2], "from_bytes");
  int is_signed = little < 0 ? -1 : asy_truth(vm, args[3]);
  if (is_signed < 0) return ASY_FAILED;
  asy_value source = bytes_argument(vm, args[1]);
  asy_buffer buffer;
  if (asy_failed(source) || !asy_buffer_get(vm, source, &buffer)) return ASY_FAILED;
  mp_size_t n = (mp_size_t)(buffer.len + 7) / 8;
  asy_int *r = new_int(vm, n);
  if (!r) {
    asy_buffer_release(vm, &buffer);
    return ASY_FAILED;
  }
  size_t length = buffer.len;
  memset(r->limbs, 0, (size_t)n * sizeof(mp_limb_t));
  bool negative = is_signed && length && buffer.data[little ? length - 1 : 0] & 0x80;
  unsigned carry = 1;
  for (size_t i = 0; i < length; i++) {
    uint8_t byte = buffer.data[little ? i : length - 1 - i];
    if (negative) {
      unsigned sum = (uint8_t)~byte + carry;
      byte = (uint8_t)sum;
      carry = sum >> 8;
    }
    r->limbs[i / 8] |= (mp_limb_t)byte << (i % 8 * 8);
  }
  asy_buffer_release(vm, &buffer);
  asy_value value = finish(r, n, negative);
  asy_class *cls = (asy_class *)asy_obj_of(args[0]);
  if (cls == vm->classes[KIND_INT]) return value;
  return asy_call1(vm, args[0], value);
}

static asy_value int_getnewargs(asy_vm *vm, const asy_value *args) {
  asy_value plain = asy_int_plain(vm, args[0]);
  return asy_failed(plain) ? ASY_FAILED : asy_tuple_of(vm, 1, plain);
}

static const asy_native int_methods[] = {
  {"__abs__", SIG("(self, /)"), int_abs_method, DOC("abs(self)"), 0},
  {"__ceil__", SIG("(self, /)"), int_plain_method, DOC("Ceiling of an Integral returns itself."), 0},
  {"__divmod__", SIG("(self, value, /)"), int_divmod_method, DOC("Return divmod(self, value)."), 0},
  {"__float__", SIG("(self, /)"), int_float, DOC("float(self)"), 0},
  {"__floor__", SIG("(self, /)"), int_plain_method, DOC("Flooring an Integral returns itself."), 0},
  {"__format__", SIG("(self, format_spec, /)"), asy_format_int, DOC("Convert to a string according to format_spec."),
   0},
  {"__getnewargs__", SIG("(self, /)"), int_getnewargs, 0, 0},
  {"__int__", SIG("(self, /)"), int_plain_method, DOC("int(self)"), 0},
  {"__pow__", SIG("(self, value, mod=None, /)"), int_pow_method, DOC("Return pow(self, value, mod)."), 0},
  {"__rdivmod__", SIG("(self, value, /)"), int_rdivmod_method, DOC("Return divmod(value, self)."), 0},
  {"__round__", SIG("(self, ndigits=?, /)"), int_round,
   DOC("Rounding an Integral returns itself; with ndigits it rounds to tens."), 0},
  {"__trunc__", SIG("(self, /)"), int_plain_method, DOC("Truncating an Integral returns itself."), 0},
  {"as_integer_ratio", SIG("(self, /)"), int_ratio,
   DOC("Return a pair of integers, whose ratio is equal to the original int."), 0},
  {"bit_count", SIG("(self, /)"), int_bit_count,
   DOC("Number of ones in the binary representation of the absolute value of self."), 0},
  {"bit_length", SIG("(self, /)"), int_bit_length, DOC("Number of bits necessary to represent self in binary."), 0},
  {"conjugate", SIG("(self, /)"), int_plain_method, DOC("Returns self, the complex conjugate of any int."), 0},
  {"denominator", SIG("(self)"), int_one, DOC("the denominator of a rational number in lowest terms"),
   ASY_NATIVE_GETTER},
  {"from_bytes", SIG("(type, /, bytes, byteorder='big', *, signed=False)"), int_from_bytes,
   DOC("Return the integer represented by the given array of bytes."), ASY_NATIVE_CLASS},
  {"imag", SIG("(self)"), int_zero, DOC("the imaginary part of a complex number"), ASY_NATIVE_GETTER},
  {"is_integer", SIG("(self, /)"), int_is_integer,
   DOC("Returns True. Exists for duck type compatibility with float.is_integer."), 0},
  {"numerator", SIG("(self)"), int_plain_method, DOC("the numerator of a rational number in lowest terms"),
   ASY_NATIVE_GETTER},
  {"real", SIG("(self)"), int_plain_method, DOC("the real part of a complex number"), ASY_NATIVE_GETTER},
  {"to_bytes", SIG("(self, /, length=1, byteorder='big', *, signed=False)"), int_to_bytes,
   DOC("Return an array of bytes representing an integer."), 0},
  {0},
};

const asy_type asy_int_type = {
  .name = "int",
  .doc =
    "int([x]) -> integer\nint(x, base=10) -> integer\n\nConvert a number or string to an integer, or return 0 if no "
    "arguments\nare given.",
  .size = sizeof(asy_int),
  .new_ = int_new,
  .new_signature = SIG("(cls, x=?, /, base=?)"),
  .repr = int_repr,
  .hash = int_hash,
  .compare = int_compare,
  .special = &(const asy_special){.truth = int_truth, .index = int_index},
  .operators =
    &(const asy_operators){
      .binary = {[BINARY_ADD] = slot_add,
                 [BINARY_SUB] = slot_sub,
                 [BINARY_MUL] = slot_mul,
                 [BINARY_TRUEDIV] = slot_truediv,
                 [BINARY_FLOORDIV] = slot_floordiv,
                 [BINARY_MOD] = slot_mod,
                 [BINARY_POW] = slot_pow,
                 [BINARY_LSHIFT] = slot_lshift,
                 [BINARY_RSHIFT] = slot_rshift,
                 [BINARY_AND] = slot_and,
                 [BINARY_OR] = slot_or,
                 [BINARY_XOR] = slot_xor},
      .unary = {[UNARY_NEG] = asy_int_negate, [UNARY_POS] = int_positive, [UNARY_INVERT] = int_invert}},
  .methods = int_methods,
};

/* ---- pow, divmod, abs of any values ---- */

asy_value asy_pow(asy_vm *vm, asy_value base, asy_value exponent, asy_value modulus) {
  if (modulus == ASY_NONE) return asy_binary(vm, BINARY_POW, base, exponent);
  asy_lookup *own = asy_class_lookup(vm, asy_class_of(vm, base), ASY_NAME(vm, __pow__));
  if (!own) return ASY_FAILED;
  bool scripts = own->kind != LOOKUP_ABSENT && !(own->owner->flags & ASY_CLASS_BUILTIN);
  if (!scripts && asy_is_integer(base) && asy_is_integer(exponent) && asy_is_integer(modulus))
    return power_modulo(vm, base, exponent, modulus);
  asy_value pair[2] = {exponent, modulus};
  bool numbers = !scripts && (asy_is_integer(base) || asy_is_float(base) || asy_is_kind(base, KIND_COMPLEX));
  asy_value result = numbers ? ASY_NOT_IMPLEMENTED : asy_call_special(vm, base, ASY_NAME(vm, __pow__), 2, pair);
  if (result != ASY_UNBOUND && result != ASY_NOT_IMPLEMENTED) return result;
  if (asy_is_float(base) || asy_is_float(exponent) || asy_is_float(modulus))
    return asy_raise(vm, ASY_TypeError, "pow() 3rd argument not allowed unless all arguments are integers");
  if (asy_is_kind(base, KIND_COMPLEX)) return asy_raise(vm, ASY_ValueError, "complex modulo");
  return asy_raise(vm, ASY_TypeError, "unsupported operand type(s) for ** or pow(): '%T', '%T', '%T'", base, exponent,
                   modulus);
}

asy_value asy_divmod(asy_vm *vm, asy_value a, asy_value b) {
  if (asy_is_integer(a) && asy_is_integer(b) && !asy_is_obj(a) && !asy_is_obj(b)) return divmod_pair(vm, a, b);
  asy_class *left = asy_type_of(vm, a), *right = asy_type_of(vm, b);
  bool right_first = left != right && asy_is_subclass(right, left);
  for (int i = 0; i < 2; i++) {
    bool reflected = (i == 0) == right_first;
    if (reflected && left == right) continue;
    asy_value result = reflected ? asy_call_special(vm, b, ASY_NAME(vm, __rdivmod__), 1, &a)
                                 : asy_call_special(vm, a, ASY_NAME(vm, __divmod__), 1, &b);
    if (result != ASY_UNBOUND && result != ASY_NOT_IMPLEMENTED) return result;
  }
  return asy_raise(vm, ASY_TypeError, "unsupported operand type(s) for divmod(): '%T' and '%T'", a, b);
}

asy_value asy_absolute(asy_vm *vm, asy_value v) {
  if (asy_is_int(v)) return asy_int_abs(vm, v);
  if (asy_is_flonum(v)) return asy_from_double(vm, fabs(asy_flonum(v)));
  asy_value result = asy_call_special(vm, v, ASY_NAME(vm, __abs__), 0, NULL);
  if (result != ASY_UNBOUND) return result;
  return asy_raise(vm, ASY_TypeError, "bad operand type for abs(): '%T'", v);
}
