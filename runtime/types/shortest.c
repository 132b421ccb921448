/* shortest.c - the shortest decimal that reads back as a given double: Schubfach (Raffaello Giulietti, "The Schubfach way to render
 * doubles"), with integers of 128 bits.
 *
 * A double c * 2^q is scaled by a power of ten g, known to 128 bits, so that the interval of decimals that read back as it lies
 * around an integer; then at most two candidates of 16 digits and two of 17 are compared with its ends.
 *
 * The powers 10^k, k from -292 to 324, are computed by GMP when first needed and kept in vm->float_powers.
 */
#include <stdlib.h>

#include "runtime/number.h"
#include "runtime/types/int.h"
#include "runtime/vm.h"

enum { MIN_POWER = -292, MAX_POWER = 324, FRACTION_BITS = 52, EXPONENT_BIAS = 1075 };

typedef unsigned __int128 uint128;

static int log10_of_power_of_2(int e) { return (e * 1262611) >> 22; }              /* floor, |e| <= 1500 */
static int log10_of_3_4_power_of_2(int e) { return (e * 1262611 - 524031) >> 22; } /* of 3/4 * 2^e */
static int log2_of_power_of_10(int e) { return (e * 1741647) >> 19; }              /* floor, |e| <= 1233 */

/* The top 128 bits of 10^k, rounded up: the first of them is 1. */
static uint128 compute_power(int k) {
  mpz_t ten, scaled;
  mpz_inits(ten, scaled, NULL);
  mpz_ui_pow_ui(ten, 10, (unsigned long)abs(k));
  int shift = 127 - log2_of_power_of_10(k); /* 10^k * 2^shift has 128 bits before the point */
  if (k >= 0) {
    if (shift >= 0) mpz_mul_2exp(scaled, ten, (mp_bitcnt_t)shift);
    else mpz_cdiv_q_2exp(scaled, ten, (mp_bitcnt_t)-shift);
  } else {
    mpz_set_ui(scaled, 1);
    mpz_mul_2exp(scaled, scaled, (mp_bitcnt_t)shift);
    mpz_cdiv_q(scaled, scaled, ten);
  }
  uint128 power = (uint128)mpz_getlimbn(scaled, 1) << 64 | mpz_getlimbn(scaled, 0);
  mpz_clears(ten, scaled, NULL);
  return power;
}

static uint128 power_of_10(asy_vm *vm, int k) {
  if (!vm->float_powers) vm->float_powers = calloc(MAX_POWER - MIN_POWER + 1, sizeof(uint128));
  uint128 *known = vm->float_powers;
  if (!known) return compute_power(k);
  if (!known[k - MIN_POWER]) known[k - MIN_POWER] = compute_power(k);
  return known[k - MIN_POWER];
}

/* The upper 64 bits of power * x; the last bit is set when anything below is not 0. */
static uint64_t scale(uint128 power, uint64_t x) {
  uint128 low = (uint128)(uint64_t)power * x, high = (uint128)(uint64_t)(power >> 64) * x + (uint64_t)(low >> 64);
  return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

typedef struct {
  uint64_t digits;
  int exponent;
} decimal;

static decimal schubfach(asy_vm *vm, uint64_t fraction, int biased) {
  uint64_t c = biased ? fraction | (uint64_t)1 << FRACTION_BITS : fraction;
  int q = (biased ? biased : 1) - EXPONENT_BIAS;
  if (q <= 0 && q > -FRACTION_BITS - 1 && !(c & (((uint64_t)1 << -q) - 1)))
    return (decimal){c >> -q, 0}; /* an integer */
  bool even = !(c & 1), closer_below = !fraction && biased > 1;
  int k = closer_below ? log10_of_3_4_power_of_2(q) : log10_of_power_of_2(q);
  int h = q + log2_of_power_of_10(-k) + 1;
  uint128 power = power_of_10(vm, -k);
  uint64_t lower = scale(power, (4 * c - 2 + closer_below) << h) + !even;
  uint64_t value = scale(power, 4 * c << h);
  uint64_t upper = scale(power, (4 * c + 2) << h) - !even;
  uint64_t s = value / 4;
  if (s >= 10) { /* one digit fewer */
    uint64_t shorter = s / 10;
    bool below = lower <= 40 * shorter, above = 40 * shorter + 40 <= upper;
    if (below != above) return (decimal){shorter + above, k + 1};
  }
  bool below = lower <= 4 * s, above = 4 * s + 4 <= upper;
  if (below != above) return (decimal){s + above, k};
  uint64_t middle = 4 * s + 2;
  return (decimal){s + (value > middle || (value == middle && (s & 1))), k};
}

int asy_float_shortest(asy_vm *vm, double d, char digits[18], int *point) {
  uint64_t bits;
  memcpy(&bits, &d, sizeof bits);
  decimal result = schubfach(vm, bits & (((uint64_t)1 << FRACTION_BITS) - 1), (int)(bits >> FRACTION_BITS & 0x7ff));
  char text[20], *end = text + sizeof text, *p = end;
  for (uint64_t rest = result.digits; rest; rest /= 10) *--p = (char)('0' + rest % 10);
  *point = (int)(end - p) + result.exponent;
  while (end > p + 1 && end[-1] == '0') end--;
  memcpy(digits, p, (size_t)(end - p));
  return (int)(end - p);
}
