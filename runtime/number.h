/* number.h - arithmetic of int and float, as the VM and the other types use it. `integer` parameters are values for which
 * asy_is_integer holds: small, big, bool or an instance of a subclass.
 */
#ifndef ASY_RUNTIME_NUMBER_H
#define ASY_RUNTIME_NUMBER_H

#include "runtime/asy.h"

/* ---- int (types/int.c); more of it in asy.h ---- */
asy_value asy_int_add(asy_vm *vm, asy_value a, asy_value b);
asy_value asy_int_sub(asy_vm *vm, asy_value a, asy_value b);
asy_value asy_int_mul(asy_vm *vm, asy_value a, asy_value b);
asy_value asy_int_negate(asy_vm *vm, asy_value a);
asy_value asy_int_abs(asy_vm *vm, asy_value a);
bool asy_int_divmod(asy_vm *vm, asy_value a, asy_value b, asy_value *quotient,
                    asy_value *remainder);                              /* floored; b not 0 */
int asy_int_compare(asy_value a, asy_value b);                          /* -1, 0, 1 */
int64_t asy_int_hash(asy_value a);                                      /* modulo 2^61 - 1, as CPython */
bool asy_int_to_double(asy_vm *vm, asy_value a, double *out);           /* rounded to even; OverflowError */
asy_value asy_int_round_to(asy_vm *vm, asy_value a, asy_value ndigits); /* int.__round__ */

/* As int(text, base): surrounding white space, sign, prefix, underscores. ValueError names the text. Base 0 reads the prefix. */
/* What a conversion method has returned: it, or ASY_FAILED: TypeError when it is not `wanted`; DeprecationWarning when it is not
 * `exact` either, so an instance of a subclass. */
asy_value asy_converted(asy_vm *vm, asy_value result, bool wanted, bool exact, const char *method, const char *type);
asy_value asy_converted_int(asy_vm *vm, asy_value result, const char *method);
asy_value asy_int_from_text(asy_vm *vm, const char *text, size_t length, int base);
asy_value asy_int_from_str(asy_vm *vm, asy_str *text, int base);
/* Digits with a leading '-' and no prefix, lower case. ValueError past the limit of sys.set_int_max_str_digits. */
asy_str *asy_int_to_str(asy_vm *vm, asy_value integer, int base);
enum { ASY_DECIMAL_MOST = 20 };
char *asy_decimal(char *end, int64_t value); /* writes the digits, and a '-', before `end`; returns where they begin */
uint32_t asy_int_max_str_digits(asy_vm *vm); /* 0: no limit */
void asy_int_set_max_str_digits(asy_vm *vm, uint32_t limit);

asy_value asy_pow(asy_vm *vm, asy_value base, asy_value exponent,
                  asy_value modulus);                       /* builtin pow; modulus may be None */
asy_value asy_divmod(asy_vm *vm, asy_value a, asy_value b); /* builtin divmod; any values */
asy_value asy_absolute(asy_vm *vm, asy_value v);            /* builtin abs */

/* ---- float (types/float.c) ---- */
enum { ASY_FLOAT_TEXT = 32 };
/* The shortest digits that read back as d: *digits (not NUL-terminated) gets up to 17, returns their number; d is finite and
 * not 0, the value is 0.DIGITS times 10 to *point. */
int asy_float_shortest(asy_vm *vm, double d, char digits[18], int *point); /* types/shortest.c */
size_t asy_float_text(asy_vm *vm, double d, char text[ASY_FLOAT_TEXT]); /* repr, NUL-terminated; returns its length */
asy_str *asy_float_repr(asy_vm *vm, double d);
asy_value asy_float_from_str(asy_vm *vm, asy_str *text);
bool asy_double_from_text(const char *text, size_t length,
                          double *out); /* as float(text) with ASCII text; false: malformed */
asy_value asy_float_binary(asy_vm *vm, asy_binary_op op, double a, double b); /* + - * / // % ** */
double asy_float_mod(double a, double b);                                     /* Python's %: sign of b; b not 0 */
int64_t asy_float_hash(double d);
asy_value asy_float_round_to(asy_vm *vm, double d, asy_value ndigits);

/* mantissa * 2^exponent, `sticky` telling that the exact value lies a little above: rounded to even, infinity when too large.
 * mantissa is not 0. */
double asy_round_scaled(uint64_t mantissa, int64_t exponent, bool sticky);

/* ---- text of numbers (types/digits.c) ---- */
/* The text with digits of any script as ASCII digits, white space as ' ', other non-ASCII characters as '?': *out is malloc'ed
 * unless it is `buffer` (of `size` bytes). Without surrounding white space. False: MemoryError. */
bool asy_number_text(asy_vm *vm, asy_str *s, char *buffer, size_t size, char **out, size_t *length);

/* ---- complex (types/complex.c) ---- */
asy_value asy_complex_pow(asy_vm *vm, double real, double imag, double exponent_real, double exponent_imag);

#endif
