/* test_int.c - integers: across the edge between the word and GMP, and Python's rules for signs. */
#include <criterion/criterion.h>
#include <math.h>

#include "runtime/number.h"
#include "runtime/types/int.h"
#include "runtime/vm.h"

static asy_vm *vm;

static void open_vm(void) {
  vm = asy_vm_new(&(asy_options){0});
  cr_assert_not_null(vm);
}

static void close_vm(void) { asy_vm_free(vm); }

TestSuite(integer, .init = open_vm, .fini = close_vm);

static asy_value number(const char *text) {
  asy_value v = asy_int_from_text(vm, text, strlen(text), 0);
  cr_assert_neq(v, ASY_FAILED, "%s", text);
  return v;
}

static const char *text_of(asy_value v) {
  static char texts[4][2048];
  static int next;
  cr_assert_neq(v, ASY_FAILED);
  asy_str *s = asy_int_to_str(vm, v, 10);
  cr_assert_not_null(s);
  char *text = texts[next++ % 4];
  snprintf(text, sizeof *texts, "%s", (const char *)asy_str_data(s));
  return text;
}

/* Small exactly when it fits, else normalised. */
static void check_form(asy_value v) {
  cr_assert(asy_is_integer(v));
  if (asy_is_int(v)) return;
  const asy_int *big = (const asy_int *)asy_obj_of(v);
  int n = big->size < 0 ? -big->size : big->size;
  cr_assert_gt(n, 0);
  cr_assert_neq(big->limbs[n - 1], 0);
  int64_t i;
  if (asy_is_number_int64(v, &i)) cr_assert_not(asy_int_fits(i), "%lld fits the word", (long long)i);
}

static asy_value op(asy_binary_op which, const char *a, const char *b) {
  asy_value v = asy_int_binary(vm, which, number(a), number(b));
  if (!asy_failed(v) && asy_is_integer(v)) check_form(v);
  return v;
}

#define EQUAL(value, text) cr_assert_str_eq(text_of(value), text)

Test(integer, counting_crosses_the_edge_of_the_word_both_ways) {
  for (int sign = -1; sign <= 1; sign += 2) {
    asy_value step = asy_from_small(sign), v = asy_from_small(sign > 0 ? ASY_INT_MAX - 3 : ASY_INT_MIN + 3);
    asy_value first = v;
    for (int i = 0; i < 8; i++) {
      v = asy_int_add(vm, v, step);
      check_form(v);
      cr_assert_eq(asy_is_int(v), i < 3);
    }
    for (int i = 0; i < 8; i++) {
      v = asy_int_sub(vm, v, step);
      check_form(v);
    }
    cr_assert_eq(v, first);
  }
}

Test(integer, the_edge_has_one_number_more_below_zero) {
  cr_assert(asy_is_int(number("-4611686018427387904")));
  cr_assert_not(asy_is_int(number("4611686018427387904")));
  cr_assert_not(asy_is_int(asy_int_negate(vm, number("-4611686018427387904"))));
  cr_assert(asy_is_int(asy_int_negate(vm, number("4611686018427387904"))));
  EQUAL(op(BINARY_FLOORDIV, "-4611686018427387904", "-1"), "4611686018427387904");
}

Test(integer, int64_and_uint64_come_and_go) {
  static const int64_t values[] = {INT64_MIN,       INT64_MIN + 1,  -1, 0, 1, INT64_MAX - 1, INT64_MAX,
                                   ASY_INT_MAX + 1, ASY_INT_MIN - 1};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    int64_t back;
    asy_value v = asy_from_int64(vm, values[i]);
    check_form(v);
    cr_assert(asy_is_number_int64(v, &back));
    cr_assert_eq(back, values[i]);
  }
  uint64_t back;
  cr_assert(asy_int_to_uint64(asy_from_uint64(vm, UINT64_MAX), &back));
  cr_assert_eq(back, UINT64_MAX);
  int64_t none;
  cr_assert_not(asy_is_number_int64(number("9223372036854775808"), &none));
  cr_assert(asy_is_number_int64(number("-9223372036854775808"), &none));
  cr_assert_not(asy_is_number_int64(number("-9223372036854775809"), &none));
}

Test(integer, products_and_powers) {
  EQUAL(op(BINARY_MUL, "4611686018427387903", "4611686018427387903"), "21267647932558653957237540927630737409");
  EQUAL(op(BINARY_MUL, "-4611686018427387904", "-4611686018427387904"), "21267647932558653966460912964485513216");
  EQUAL(op(BINARY_MUL, "340282366920938463463374607431768211456", "-3"), "-1020847100762815390390123822295304634368");
  EQUAL(op(BINARY_MUL, "340282366920938463463374607431768211456", "0"), "0");
  EQUAL(op(BINARY_POW, "-3", "41"), "-36472996377170786403");
  EQUAL(op(BINARY_POW, "2", "62"), "4611686018427387904");
  EQUAL(op(BINARY_POW, "-2", "62"), "4611686018427387904");
  EQUAL(op(BINARY_POW, "10", "30"), "1000000000000000000000000000000");
  EQUAL(op(BINARY_POW, "0", "0"), "1");
}

Test(integer, division_rounds_down_and_the_remainder_has_the_divisors_sign) {
  static const struct {
    const char *a, *b, *quotient, *remainder;
  } rows[] = {
    {"7", "2", "3", "1"},
    {"-7", "2", "-4", "1"},
    {"7", "-2", "-4", "-1"},
    {"-7", "-2", "3", "-1"},
    {"6", "-3", "-2", "0"},
    {"1000000000000000000000000000000", "7", "142857142857142857142857142857", "1"},
    {"-1000000000000000000000000000000", "7", "-142857142857142857142857142858", "6"},
    {"1000000000000000000000000000000", "-1000000000000000000000", "-1000000000", "0"},
    {"-1", "1000000000000000000000000000000", "-1", "999999999999999999999999999999"},
    {"1", "-1000000000000000000000000000000", "-1", "-999999999999999999999999999999"},
    {"-18446744073709551616", "18446744073709551616", "-1", "0"},
    {"-18446744073709551617", "18446744073709551616", "-2", "18446744073709551615"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    asy_value quotient, remainder;
    cr_assert(asy_int_divmod(vm, number(rows[i].a), number(rows[i].b), &quotient, &remainder));
    check_form(quotient);
    check_form(remainder);
    EQUAL(quotient, rows[i].quotient);
    EQUAL(remainder, rows[i].remainder);
  }
}

Test(integer, bit_operations_see_an_endless_twos_complement) {
  EQUAL(op(BINARY_AND, "-1", "1267650600228229401496703205376"), "1267650600228229401496703205376");
  EQUAL(op(BINARY_OR, "-1267650600228229401496703205376", "1"), "-1267650600228229401496703205375");
  EQUAL(op(BINARY_XOR, "-1", "1267650600228229401496703205375"), "-1267650600228229401496703205376");
  EQUAL(op(BINARY_LSHIFT, "-1", "100"), "-1267650600228229401496703205376");
  EQUAL(op(BINARY_LSHIFT, "1", "62"), "4611686018427387904");
  EQUAL(op(BINARY_LSHIFT, "0", "100000000000000000000000"), "0");
  EQUAL(op(BINARY_RSHIFT, "-1267650600228229401496703205377", "100"), "-2");
  EQUAL(op(BINARY_RSHIFT, "-1267650600228229401496703205376", "100"), "-1");
  EQUAL(op(BINARY_RSHIFT, "-5", "1"), "-3");
  EQUAL(op(BINARY_RSHIFT, "-5", "100000000000000000000000"), "-1");
  EQUAL(op(BINARY_RSHIFT, "36893488147419103233", "1"), "18446744073709551616");
}

Test(integer, huge_shifts_and_powers_fail_before_they_allocate) {
  static const struct {
    asy_binary_op op;
    const char *a, *b;
    asy_exc_id error;
  } rows[] = {
    {BINARY_LSHIFT, "1", "4611686018427387904", ASY_MemoryError},
    {BINARY_LSHIFT, "1", "36893488147419103232", ASY_OverflowError},
    {BINARY_LSHIFT, "1", "-1", ASY_ValueError},
    {BINARY_POW, "3", "4611686018427387904", ASY_MemoryError},
    {BINARY_FLOORDIV, "1", "0", ASY_ZeroDivisionError},
    {BINARY_TRUEDIV, "1", "0", ASY_ZeroDivisionError},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    cr_assert_eq(op(rows[i].op, rows[i].a, rows[i].b), ASY_FAILED);
    cr_assert(asy_raised_is(vm, rows[i].error), "row %zu", i);
    asy_clear_exception(vm);
  }
}

Test(integer, division_to_a_float_is_rounded_once) {
  static const struct {
    const char *a, *b;
    double d;
  } rows[] = {
    {"1", "3", 1.0 / 3},
    {"9007199254740993", "1", 9007199254740992.0},
    {"9007199254740995", "1", 9007199254740996.0},
    {"1000000000000000000000000000000", "3", 3.333333333333333e29},
    {"-7", "2", -3.5},
    {"1", "340282366920938463463374607431768211456", 0x1p-128},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    cr_assert_eq(asy_float_value(op(BINARY_TRUEDIV, rows[i].a, rows[i].b)), rows[i].d, "row %zu", i);
  asy_value tiny = asy_int_binary(vm, BINARY_LSHIFT, asy_from_small(1), asy_from_small(1074));
  cr_assert_eq(asy_float_value(asy_int_binary(vm, BINARY_TRUEDIV, asy_from_small(1), tiny)), 5e-324);
  asy_value half = asy_int_binary(vm, BINARY_LSHIFT, asy_from_small(1), asy_from_small(1075));
  cr_assert_eq(asy_float_value(asy_int_binary(vm, BINARY_TRUEDIV, asy_from_small(1), half)), 0.0);
  cr_assert_eq(asy_float_value(asy_int_binary(vm, BINARY_TRUEDIV, asy_from_small(3), half)), 1e-323);
}

Test(integer, conversion_to_double_rounds_to_even) {
  static const struct {
    const char *text;
    double d;
  } rows[] = {
    {"9007199254740993", 9007199254740992.0},
    {"9007199254740995", 9007199254740996.0},
    {"18446744073709551615", 0x1p64},
    {"-36893488147419103232", -0x1p65},
    {"36893488147419107329", 36893488147419111424.0},
    {"36893488147419107328", 0x1p65},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    double d;
    cr_assert(asy_int_to_double(vm, number(rows[i].text), &d));
    cr_assert_eq(d, rows[i].d, "%s gave %.17g", rows[i].text, d);
  }
}

Test(integer, comparison_with_a_double_is_exact) {
  cr_assert_eq(asy_float_compare_int(9007199254740992.0, number("9007199254740993")), -1);
  cr_assert_eq(asy_float_compare_int(9007199254740992.0, number("9007199254740992")), 0);
  cr_assert_eq(asy_float_compare_int(0x1p64, number("18446744073709551615")), 1);
  cr_assert_eq(asy_float_compare_int(-0.5, number("0")), -1);
  cr_assert_eq(asy_float_compare_int(INFINITY, number("1000000000000000000000000000000000000")), 1);
  cr_assert_eq(asy_float_compare_int(NAN, number("1")), 2);
}

Test(integer, equal_numbers_have_equal_hashes) {
  cr_assert_eq(asy_int_hash(number("2305843009213693951")), 0);
  cr_assert_eq(asy_int_hash(number("-1")), -2);
  cr_assert_eq(asy_int_hash(number("1000000000000000000000000000000")), 465258685558744706);
  for (int i = 0; i < 1000; i += 7) {
    asy_value v = asy_int_binary(vm, BINARY_LSHIFT, asy_from_small(3), asy_from_small(i));
    cr_assert_eq(asy_int_hash(v), asy_float_hash(ldexp(3, i)));
  }
}

Test(integer, text_in_any_base_comes_back) {
  EQUAL(number("0xffffffffffffffffffffffff"), "79228162514264337593543950335");
  EQUAL(number("-0b1"), "-1");
  EQUAL(number("0o777"), "511");
  EQUAL(number(" 1_000_000 "), "1000000");
  asy_value v = asy_int_binary(vm, BINARY_POW, asy_from_small(-7), asy_from_small(77));
  for (int base = 2; base <= 36; base++) {
    asy_str *text = asy_int_to_str(vm, v, base);
    cr_assert_not_null(text);
    asy_value back = asy_int_from_str(vm, text, base);
    cr_assert_eq(asy_int_compare(back, v), 0, "base %d", base);
  }
}

Test(integer, malformed_text_is_refused) {
  static const char *const texts[] = {"", " ", "+", "1__0", "_1", "1_", "0x", "0b2", "12a", "1 2", "0x_", "--1", "010"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    cr_assert_eq(asy_int_from_text(vm, texts[i], strlen(texts[i]), 0), ASY_FAILED, "%s", texts[i]);
    cr_assert(asy_raised_is(vm, ASY_ValueError));
    asy_clear_exception(vm);
  }
}

Test(integer, very_long_decimal_texts_need_permission) {
  asy_value big = asy_int_binary(vm, BINARY_POW, asy_from_small(10), asy_from_small(4300));
  cr_assert_null(asy_int_to_str(vm, big, 10));
  cr_assert(asy_raised_is(vm, ASY_ValueError));
  asy_clear_exception(vm);
  cr_assert_not_null(asy_int_to_str(vm, big, 16));
  asy_int_set_max_str_digits(vm, 0);
  cr_assert_eq(asy_int_to_str(vm, big, 10)->len, 4301);
}

Test(integer, bools_count_as_integers) {
  cr_assert_eq(asy_int_add(vm, ASY_TRUE, ASY_TRUE), asy_from_small(2));
  cr_assert_eq(asy_int_compare(ASY_TRUE, asy_from_small(1)), 0);
  EQUAL(asy_int_binary(vm, BINARY_LSHIFT, ASY_TRUE, asy_from_small(64)), "18446744073709551616");
}
