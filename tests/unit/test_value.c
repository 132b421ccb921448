/* test_value.c - the value word: what fits it, and that nothing changes on the way in and out. */
#include <criterion/criterion.h>
#include <math.h>

#include "runtime/number.h"
#include "runtime/types/float.h"
#include "runtime/vm.h"

static asy_vm *vm;

static void open_vm(void) {
  vm = asy_vm_new(&(asy_options){0});
  cr_assert_not_null(vm);
}

static void close_vm(void) { asy_vm_free(vm); }

TestSuite(value, .init = open_vm, .fini = close_vm);

static uint64_t bits_of(double d) {
  uint64_t bits;
  memcpy(&bits, &d, sizeof bits);
  return bits;
}

static double from_bits(uint64_t bits) {
  double d;
  memcpy(&d, &bits, sizeof d);
  return d;
}

/* Through a value and back: the same 64 bits. */
static void check_double(uint64_t bits) {
  asy_value v = asy_from_double(vm, from_bits(bits));
  cr_assert_neq(v, ASY_FAILED);
  cr_assert(asy_is_float(v));
  cr_assert_not(asy_is_int(v));
  cr_assert_not(asy_is_constant(v));
  cr_assert_eq(bits_of(asy_float_value(v)), bits, "%016llx came back as %016llx", (unsigned long long)bits,
               (unsigned long long)bits_of(asy_float_value(v)));
}

Test(value, a_double_of_any_exponent_comes_back_bit_by_bit) {
  static const uint64_t fractions[] = {0, 1, 0x8000000000000, 0xaaaaaaaaaaaaa, 0xffffffffffffe, 0xfffffffffffff};
  for (uint64_t exponent = 0; exponent < 2048; exponent++)
    for (size_t i = 0; i < sizeof fractions / sizeof *fractions; i++)
      for (uint64_t sign = 0; sign < 2; sign++) check_double(sign << 63 | exponent << 52 | fractions[i]);
}

Test(value, common_doubles_need_no_heap_box) {
  static const double common[] = {0.0, -0.0, 1.0, -1.0, 0.1, 3.141592653589793, 1e38, -1e-38, 1e300, 5e-324, 1e-300};
  for (size_t i = 0; i < sizeof common / sizeof *common; i++)
    cr_assert(asy_is_flonum(asy_from_double(vm, common[i])), "%g is boxed", common[i]);
  cr_assert(asy_is_flonum(asy_from_double(vm, INFINITY)));
  cr_assert(asy_is_flonum(asy_from_double(vm, NAN)));
}

Test(value, a_double_outside_the_windows_lies_in_a_box) {
  asy_value v = asy_from_double(vm, ldexp(1.5, 200));
  cr_assert(asy_is_exact(v, KIND_FLOAT));
  cr_assert_eq(asy_float_value(v), ldexp(1.5, 200));
  cr_assert(asy_is_exact(asy_from_double(vm, ldexp(-1.5, -200)), KIND_FLOAT));
}

Test(value, zeros_keep_their_sign) {
  cr_assert_not(signbit(asy_float_value(asy_from_double(vm, 0.0))));
  cr_assert(signbit(asy_float_value(asy_from_double(vm, -0.0))));
  cr_assert_neq(asy_from_double(vm, 0.0), asy_from_double(vm, -0.0));
}

Test(value, small_ints_use_63_bits) {
  static const int64_t ints[] = {0, 1, -1, 42, INT32_MAX, INT32_MIN, ASY_INT_MAX, ASY_INT_MIN};
  for (size_t i = 0; i < sizeof ints / sizeof *ints; i++) {
    asy_value v = asy_from_int64(vm, ints[i]);
    cr_assert(asy_is_int(v));
    cr_assert_eq(asy_small(v), ints[i]);
    cr_assert_not(asy_is_obj(v));
    cr_assert_not(asy_is_float(v));
  }
  cr_assert_not(asy_is_int(asy_from_int64(vm, ASY_INT_MAX + 1)));
  cr_assert_not(asy_is_int(asy_from_int64(vm, ASY_INT_MIN - 1)));
}

Test(value, constants_are_neither_numbers_nor_objects) {
  static const asy_value constants[] = {ASY_NONE,    ASY_FALSE,  ASY_TRUE,   ASY_ELLIPSIS, ASY_NOT_IMPLEMENTED,
                                        ASY_UNBOUND, ASY_FAILED, ASY_PARKED, ASY_END};
  for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) {
    cr_assert(asy_is_constant(constants[i]));
    cr_assert_not(asy_is_int(constants[i]) || asy_is_flonum(constants[i]) || asy_is_obj(constants[i]));
    for (size_t j = 0; j < i; j++) cr_assert_neq(constants[i], constants[j]);
  }
}

Test(value, every_double_reads_back_from_its_repr) {
  uint64_t state = 88172645463325252u;
  for (int i = 0; i < 20000; i++) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    double d = from_bits(state), back;
    char text[ASY_FLOAT_TEXT];
    size_t length = asy_float_text(vm, d, text);
    cr_assert_lt(length, ASY_FLOAT_TEXT);
    cr_assert(asy_double_from_text(text, length, &back), "%s is not read", text);
    if (!isnan(d)) cr_assert_eq(bits_of(back), bits_of(d), "%s", text);
  }
}

Test(value, repr_of_a_double_is_the_shortest) {
  static const struct {
    double d;
    const char *text;
  } rows[] = {
    {0.1, "0.1"},
    {1.0, "1.0"},
    {-2.5, "-2.5"},
    {1e16, "1e+16"},
    {1e15, "1000000000000000.0"},
    {123456789.123, "123456789.123"},
    {0.0001, "0.0001"},
    {0.00001, "1e-05"},
    {5e-324, "5e-324"},
    {1.7976931348623157e308, "1.7976931348623157e+308"},
    {5.684341886080802e-14, "5.684341886080802e-14"},
    {2.2250738585072014e-308, "2.2250738585072014e-308"},
    {9007199254740993.0, "9007199254740992.0"},
    {1e22, "1e+22"},
    {1e23, "1e+23"},
    {0.3, "0.3"},
    {2.0 / 3, "0.6666666666666666"},
    {9.5367431640625e-07, "9.5367431640625e-07"},
    {4.35, "4.35"},
  };
  char text[ASY_FLOAT_TEXT];
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    asy_float_text(vm, rows[i].d, text);
    cr_assert_str_eq(text, rows[i].text);
  }
}
