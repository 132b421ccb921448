/* format.c - the format mini-language of format(), f-strings and str.format: [[fill]align][sign][z][#][0][width][,_][.precision][type]
 *
 * A number is laid out as   [left pad][sign][prefix][inner pad][digits, grouped][rest: point, fraction, exponent][right pad]
 * where zero filling goes into the digits, so that separators reach into the zeros.
 */
#include "runtime/types/format.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/number.h"
#include "runtime/types/str_internal.h"
#include "runtime/types/unicode.h"

typedef struct {
  uint32_t fill;
  char align;     /* < > = ^ */
  char sign;      /* + - space, or 0 */
  bool no_neg_0;  /* z */
  bool alternate; /* # */
  bool fill_given, align_given;
  int64_t width;     /* -1: none */
  int64_t precision; /* -1: none */
  char separator;    /* ',' '_' or 0 */
  uint32_t type;     /* 0: none */
} format_spec;

static asy_value from_str(asy_str *s) { return s ? asy_from_obj(s) : ASY_FAILED; }

/* ---- Parsing ----------------------------------------------------------------------------------------------------------- */

static bool is_align(uint32_t c) { return c == '<' || c == '>' || c == '=' || c == '^'; }

/* Decimal digits at *at. False: too many (ValueError). *value stays when there are none. */
static bool read_number(asy_vm *vm, asy_str *s, uint32_t *at, int64_t *value) {
  int64_t n = 0;
  uint32_t start = *at;
  for (; *at < s->len; (*at)++) {
    int digit = asy_unicode_decimal(asy_str_at(s, *at));
    if (digit < 0) break;
    if (n > (INT64_MAX - digit) / 10) {
      asy_raise(vm, ASY_ValueError, "Too many decimal digits in format string");
      return false;
    }
    n = n * 10 + digit;
  }
  if (*at > start) *value = n;
  return true;
}

static bool unknown_type(asy_vm *vm, uint32_t type, asy_value object) {
  if (type > 32 && type < 128)
    asy_raise(vm, ASY_ValueError, "Unknown format code '%c' for object of type '%T'", type, object);
  else asy_raise(vm, ASY_ValueError, "Unknown format code '\\x%x' for object of type '%T'", type, object);
  return false;
}

static bool check_separator(asy_vm *vm, format_spec *f) {
  if (!f->separator || f->type == 0 || (f->type < 128 && strchr("defgEG%F", (int)f->type))) return true;
  if (f->separator == '_' && f->type < 128 && strchr("boxX", (int)f->type)) return true;
  if (f->type > 32 && f->type < 128)
    asy_raise(vm, ASY_ValueError, "Cannot specify '%c' with '%c'.", f->separator, f->type);
  else asy_raise(vm, ASY_ValueError, "Cannot specify '%c' with '\\x%x'.", f->separator, f->type);
  return false;
}

static bool parse_spec(asy_vm *vm, asy_str *s, asy_value object, uint32_t type, char align, format_spec *f) {
  uint32_t at = 0, n = s->len;
  *f = (format_spec){.fill = ' ', .align = align, .width = -1, .precision = -1, .type = type};
  if (n >= 2 && is_align(asy_str_at(s, 1))) {
    f->fill = asy_str_at(s, 0);
    f->align = (char)asy_str_at(s, 1);
    f->fill_given = f->align_given = true;
    at = 2;
  } else if (n >= 1 && is_align(asy_str_at(s, 0))) {
    f->align = (char)asy_str_at(s, 0);
    f->align_given = true;
    at = 1;
  }
  uint32_t c = at < n ? asy_str_at(s, at) : 0;
  if (c == '+' || c == '-' || c == ' ') f->sign = (char)c, at++;
  if (at < n && asy_str_at(s, at) == 'z') f->no_neg_0 = true, at++;
  if (at < n && asy_str_at(s, at) == '#') f->alternate = true, at++;
  if (!f->fill_given && at < n && asy_str_at(s, at) == '0') {
    f->fill = '0';
    if (!f->align_given && align == '>') f->align = '=';
    at++;
  }
  if (!read_number(vm, s, &at, &f->width)) return false;
  if (at < n && asy_str_at(s, at) == ',') f->separator = ',', at++;
  if (at < n && asy_str_at(s, at) == '_') {
    if (f->separator) goto both;
    f->separator = '_';
    at++;
  }
  if (at < n && asy_str_at(s, at) == ',' && f->separator == '_') goto both;
  if (at < n && asy_str_at(s, at) == '.') {
    at++;
    if (!read_number(vm, s, &at, &f->precision)) return false;
    if (f->precision < 0) {
      asy_raise(vm, ASY_ValueError, "Format specifier missing precision");
      return false;
    }
  }
  if (n - at > 1) {
    asy_raise(vm, ASY_ValueError, "Invalid format specifier '%U' for object of type '%T'", s, object);
    return false;
  }
  if (at < n) f->type = asy_str_at(s, at);
  return check_separator(vm, f);
both:
  asy_raise(vm, ASY_ValueError, "Cannot specify both ',' and '_'.");
  return false;
}

static bool spec_arg(asy_vm *vm, asy_value v, asy_str **out) {
  if (!asy_is_str(v)) {
    asy_raise(vm, ASY_TypeError, "__format__() argument must be str, not %T", v);
    return false;
  }
  *out = str_of(v);
  return true;
}

/* How much goes to the left and right of `len` characters. */
static void padding(const format_spec *f, size_t len, char align, size_t *left, size_t *right) {
  size_t total = f->width > (int64_t)len ? (size_t)f->width - len : 0;
  *left = align == '>' ? total : align == '^' ? total / 2 : 0;
  *right = total - *left;
}

/* ---- str ------------------------------------------------------------------------------------------------------------------ */

asy_value asy_format_str(asy_vm *vm, const asy_value *args) {
  asy_str *s = str_of(args[0]), *text;
  format_spec f;
  if (!spec_arg(vm, args[1], &text)) return ASY_FAILED;
  if (text->len == 0) return asy_is_exact(args[0], KIND_STR) ? args[0] : asy_str_of(vm, args[0]);
  if (!parse_spec(vm, text, args[0], 's', '<', &f)) return ASY_FAILED;
  if (f.type != 's') return unknown_type(vm, f.type, args[0]) ? ASY_NONE : ASY_FAILED;
  if (f.sign) {
    return asy_raise(
      vm, ASY_ValueError,
      f.sign == ' ' ? "Space not allowed in string format specifier" : "Sign not allowed in string format specifier");
  }
  if (f.no_neg_0)
    return asy_raise(vm, ASY_ValueError, "Negative zero coercion (z) not allowed in string format specifier");
  if (f.alternate) return asy_raise(vm, ASY_ValueError, "Alternate form (#) not allowed in string format specifier");
  if (f.align == '=') return asy_raise(vm, ASY_ValueError, "'=' alignment not allowed in string format specifier");
  uint32_t len = f.precision >= 0 && f.precision < s->len ? (uint32_t)f.precision : s->len;
  size_t left, right;
  padding(&f, len, f.align, &left, &right);
  if (left + right == 0) return from_str(asy_str_slice(vm, s, 0, len));
  asy_text t;
  asy_text_init(&t, vm);
  asy_text_fill(&t, f.fill, left);
  asy_text_slice(&t, s, 0, len);
  asy_text_fill(&t, f.fill, right);
  return from_str(asy_text_finish(&t));
}

/* ---- The layout of a number --------------------------------------------------------------------------------------------------- */

typedef struct {
  char sign;          /* 0: none */
  const char *prefix; /* "0x" */
  const char *digits; /* before the point */
  size_t ndigits;
  const char *rest; /* the point and all that follows */
  size_t nrest;
} number;

static char sign_of(const format_spec *f, bool negative) {
  return negative ? '-' : f->sign == '+' || f->sign == ' ' ? f->sign : 0;
}

/* Digits in groups from the right, zeros in front to fill `least` characters. */
static void put_digits(asy_text *t, const number *n, unsigned group, char separator, int64_t least) {
  if (n->ndigits == 0) return;
  if (!separator || least > INT32_MAX) { /* too wide for memory: the fill says so */
    if (least > (int64_t)n->ndigits) asy_text_fill(t, '0', (size_t)least - n->ndigits);
    asy_text_ascii_n(t, n->digits, n->ndigits);
    return;
  }
  /* total digits, zeros included: the fewest with which digits and separators fill `least` */
  size_t total = n->ndigits;
  if (least > 0) {
    size_t wanted = (size_t)least, full = wanted / (group + 1) * group, over = wanted % (group + 1);
    size_t needed = over ? full + over : full;
    if (wanted % (group + 1) == 0) needed = full + 1; /* a separator never comes first: one digit more */
    if (needed > total) total = needed;
  }
  for (size_t i = 0; i < total; i++) {
    size_t left = total - i;
    if (i && left % group == 0) asy_text_char(t, (uint8_t)separator);
    asy_text_char(t, left > n->ndigits ? '0' : (uint8_t)n->digits[n->ndigits - left]);
  }
}

static size_t grouped_length(size_t ndigits, unsigned group, char separator) {
  return ndigits && separator ? ndigits + (ndigits - 1) / group : ndigits;
}

static void put_number(asy_text *t, const format_spec *f, const number *n, unsigned group) {
  size_t prefix = n->prefix ? strlen(n->prefix) : 0;
  size_t around = (n->sign != 0) + prefix + n->nrest, left = 0, right = 0, inner = 0;
  int64_t least = f->fill == '0' && f->align == '=' ? f->width - (int64_t)around : 0;
  size_t digits = grouped_length(n->ndigits, group, f->separator);
  if (n->ndigits == 0 || least <= (int64_t)digits) {
    padding(f, around + digits, f->align, &left, &right);
    least = 0;
    if (f->align == '=') inner = right, right = 0;
  }
  asy_text_fill(t, f->fill, left);
  if (n->sign) asy_text_char(t, (uint8_t)n->sign);
  if (prefix) asy_text_ascii_n(t, n->prefix, prefix);
  asy_text_fill(t, f->fill, inner);
  put_digits(t, n, group, f->separator, least);
  asy_text_ascii_n(t, n->rest, n->nrest);
  asy_text_fill(t, f->fill, right);
}

/* ---- int --------------------------------------------------------------------------------------------------------------------------- */

static asy_value format_char(asy_vm *vm, asy_value v, const format_spec *f) {
  int64_t c;
  if (f->sign) return asy_raise(vm, ASY_ValueError, "Sign not allowed with integer format specifier 'c'");
  if (f->alternate)
    return asy_raise(vm, ASY_ValueError, "Alternate form (#) not allowed with integer format specifier 'c'");
  if (!asy_is_number_int64(v, &c)) return asy_raise(vm, ASY_OverflowError, "Python int too large to convert to C long");
  if (c < 0 || c > 0x10FFFF) return asy_raise(vm, ASY_OverflowError, "%%c arg not in range(0x110000)");
  size_t left, right;
  asy_text t;
  padding(f, 1, f->align == '=' ? '>' : f->align, &left, &right);
  asy_text_init(&t, vm);
  asy_text_fill(&t, f->fill, left);
  asy_text_char(&t, (uint32_t)c);
  asy_text_fill(&t, f->fill, right);
  return from_str(asy_text_finish(&t));
}

/* Digits of i in a base up to 16, at the end of the buffer. */
static char *small_digits(int64_t i, unsigned base, bool upper, char *end) {
  const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  uint64_t u = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
  if (base == 10) {
    do *--end = (char)('0' + u % 10);
    while (u /= 10);
  } else {
    do *--end = digits[u % base];
    while (u /= base);
  }
  return end;
}

static asy_value format_integer(asy_vm *vm, asy_value v, const format_spec *f) {
  char small[72], *big = NULL;
  unsigned base = f->type == 'b' ? 2 : f->type == 'o' ? 8 : f->type == 'x' || f->type == 'X' ? 16 : 10;
  number n = {.prefix = !f->alternate || base == 10 ? NULL
                        : base == 2                 ? "0b"
                        : base == 8                 ? "0o"
                        : f->type == 'X'            ? "0X"
                                                    : "0x",
              .rest = ""};
  int64_t i;
  if (f->precision >= 0) return asy_raise(vm, ASY_ValueError, "Precision not allowed in integer format specifier");
  if (f->no_neg_0)
    return asy_raise(vm, ASY_ValueError, "Negative zero coercion (z) not allowed in integer format specifier");
  if (f->type == 'c') return format_char(vm, v, f);
  if (asy_is_number_int64(v, &i)) {
    char *end = small + sizeof small;
    n.digits = small_digits(i, base, f->type == 'X', end);
    n.ndigits = (size_t)(end - n.digits);
    n.sign = sign_of(f, i < 0);
  } else {
    asy_str *digits = asy_int_to_str(vm, v, (int)base);
    if (!digits) return ASY_FAILED;
    bool negative = asy_str_at(digits, 0) == '-';
    n.sign = sign_of(f, negative);
    n.digits = (const char *)asy_str_data(digits) + negative;
    n.ndigits = digits->len - negative;
    if (f->type == 'X') {
      if (!(big = malloc(n.ndigits))) return asy_raise_no_memory(vm);
      for (size_t k = 0; k < n.ndigits; k++) big[k] = (char)(n.digits[k] >= 'a' ? n.digits[k] - 32 : n.digits[k]);
      n.digits = big;
    }
  }
  asy_text t;
  asy_text_init(&t, vm);
  put_number(&t, f, &n, base == 10 ? 3 : 4);
  free(big);
  return from_str(asy_text_finish(&t));
}

static asy_value format_float_spec(asy_vm *vm, double d, const format_spec *f);

asy_value asy_format_int(asy_vm *vm, const asy_value *args) {
  asy_str *text;
  format_spec f;
  double d;
  if (!spec_arg(vm, args[1], &text)) return ASY_FAILED;
  if (text->len == 0) {
    if (asy_is_obj(args[0]) || asy_is_bool(args[0])) return asy_str_of(vm, args[0]);
    return from_str(asy_int_to_str(vm, args[0], 10));
  }
  if (!parse_spec(vm, text, args[0], 'd', '>', &f)) return ASY_FAILED;
  switch (f.type) {
    case 'b':
    case 'c':
    case 'd':
    case 'o':
    case 'x':
    case 'X':
    case 'n': return format_integer(vm, args[0], &f);
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
    case '%':
      if (!asy_int_to_double(vm, args[0], &d)) return ASY_FAILED;
      return format_float_spec(vm, d, &f);
    default: unknown_type(vm, f.type, args[0]); return ASY_FAILED;
  }
}

/* ---- float ------------------------------------------------------------------------------------------------------------------------------ */

/* Text of a double, malloc'ed unless it fits `small`. */
typedef struct {
  char small[64];
  char *text;
  size_t len;
} double_text;

static void release_double(double_text *out) {
  if (out->text != out->small) free(out->text);
}

/* %.{precision}f of a number whose digits fit a word: d is mantissa * 2^-shift, so that d * 10^precision is exact in 128 bits, and is
 * rounded once, to even. false: too large. */
static bool print_fixed(double d, int precision, double_text *out) {
  static const int64_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};
  enum { MANTISSA_BITS = 53, SHIFT_MOST = 126 };
  if ((unsigned)precision >= sizeof powers / sizeof *powers || !(fabs(d) < 0x1p53)) return false;
  int exponent;
  unsigned __int128 scaled = (unsigned __int128)(int64_t)ldexp(frexp(fabs(d), &exponent), MANTISSA_BITS);
  int shift = d == 0 ? 1 : MANTISSA_BITS - exponent;
  if (shift > SHIFT_MOST) shift = SHIFT_MOST; /* less than half of anything shown, as before */
  scaled *= (unsigned __int128)powers[precision];
  unsigned __int128 whole = scaled >> shift, rest = scaled - (whole << shift),
                    half = shift ? (unsigned __int128)1 << (shift - 1) : 0;
  if (shift && (rest > half || (rest == half && whole & 1))) whole++;
  if (whole > INT64_MAX) return false;
  char digits[ASY_DECIMAL_MOST], *end = digits + sizeof digits, *first = asy_decimal(end, (int64_t)whole);
  int zeros = precision + 1 - (int)(end - first); /* "5" of 0.05 */
  char *to = out->text = out->small;
  if (signbit(d)) *to++ = '-';
  for (int at = (int)(end - first) + (zeros > 0 ? zeros : 0); at > 0; at--) { /* the digit `at` places before the end */
    *to++ = at > end - first ? '0' : end[-at];
    if (at == precision + 1 && precision) *to++ = '.';
  }
  *to = 0;
  out->len = (size_t)(to - out->text);
  return true;
}

/* %.{precision}{letter} by libc, which rounds exactly, save for what is usual. */
static bool print_double(asy_vm *vm, double d, char letter, int precision, bool alternate, double_text *out) {
  if ((letter == 'f' || letter == 'F') && !alternate && print_fixed(d, precision, out)) return true;
  char directive[8] = {'%', '.', '*', letter, 0};
  if (alternate) memcpy(directive, (char[]){'%', '#', '.', '*', letter, 0}, 6);
  out->text = out->small;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  int n = snprintf(out->small, sizeof out->small, directive, precision, d);
  if (n >= (int)sizeof out->small) {
    out->text = malloc((size_t)n + 1);
    if (out->text) n = snprintf(out->text, (size_t)n + 1, directive, precision, d);
  }
#pragma GCC diagnostic pop
  if (n < 0 || !out->text) {
    out->text = out->small;
    asy_raise_no_memory(vm);
    return false;
  }
  out->len = (size_t)n;
  return true;
}

static void set_text(double_text *out, const char *text) {
  out->text = out->small;
  out->len = strlen(text);
  memcpy(out->small, text, out->len + 1);
}

/* Drops trailing zeros of the fraction; keeps one digit of it. */
static void trim_zeros(double_text *out) {
  if (!memchr(out->text, '.', out->len)) {
    memcpy(out->text + out->len, ".0", 3); /* small: precision is at most 17 here or the text was longer before */
    out->len += 2;
    return;
  }
  while (out->text[out->len - 1] == '0' && out->text[out->len - 2] != '.') out->len--;
  out->text[out->len] = 0;
}

/* Precision without a type: like g, but a number without exponent keeps a fraction, and the exponent comes one digit earlier. */
static bool print_general(asy_vm *vm, double d, int precision, bool alternate, double_text *out) {
  if (!print_double(vm, d, 'e', precision - 1, alternate, out)) return false;
  int exponent = atoi(strchr(out->text, 'e') + 1);
  if (exponent < -4 || exponent >= precision - (precision > 0)) {
    if (exponent >= -4 && exponent < precision - 1) return true;
    release_double(out);
    char *end;
    if (!print_double(vm, d, 'e', precision - 1, alternate, out)) return false;
    if (alternate || !(end = memchr(out->text, '.', out->len))) return true;
    char *mark = strchr(out->text, 'e'), *last = mark;
    while (last[-1] == '0') last--;
    if (last[-1] == '.') last--;
    memmove(last, mark, strlen(mark) + 1);
    out->len -= (size_t)(mark - last);
    return true;
  }
  release_double(out);
  int decimals = precision - 1 - exponent;
  if (!print_double(vm, d, 'f', decimals < 1 ? 1 : decimals, alternate, out)) return false;
  if (!alternate) trim_zeros(out);
  return true;
}

static bool make_double_text(asy_vm *vm, double d, char type, int precision, unsigned flags, double_text *out) {
  bool upper = type == 'E' || type == 'F' || type == 'G', alternate = (flags & FORMAT_ALT) != 0;
  if (isnan(d) || isinf(d)) {
    set_text(out, isnan(d) ? (upper ? "NAN" : "nan") : d < 0 ? (upper ? "-INF" : "-inf") : upper ? "INF" : "inf");
  } else if (type == 'r') {
    char repr[ASY_FLOAT_TEXT];
    asy_float_text(vm, d, repr);
    if (!(flags & FORMAT_ADD_DOT_0)) {
      size_t n = strlen(repr);
      if (n > 2 && strcmp(repr + n - 2, ".0") == 0) repr[n - 2] = 0;
    }
    set_text(out, repr);
    if (alternate && !strchr(out->text, '.')) {
      char *mark = strchr(out->text, 'e');
      if (!mark) mark = out->text + out->len;
      memmove(mark + 1, mark, strlen(mark) + 1);
      *mark = '.';
      out->len++;
    }
  } else if (type == 'g' && (flags & FORMAT_ADD_DOT_0)) {
    if (!print_general(vm, d, precision < 1 ? 1 : precision, alternate, out)) return false;
  } else if (!print_double(vm, d, type, precision, alternate, out)) {
    return false;
  }
  if ((flags & FORMAT_NO_NEG_0) && out->text[0] == '-' && isfinite(d) &&
      strcspn(out->text, "123456789e") >= strcspn(out->text, "e")) {
    memmove(out->text, out->text + 1, out->len--);
  }
  return true;
}

asy_str *asy_format_double(asy_vm *vm, double d, char type, int precision, unsigned flags) {
  double_text text;
  if (!make_double_text(vm, d, type, precision, flags, &text)) return NULL;
  asy_text t;
  asy_text_init(&t, vm);
  if ((flags & FORMAT_SIGN) && text.text[0] != '-') asy_text_char(&t, '+');
  asy_text_ascii_n(&t, text.text, text.len);
  release_double(&text);
  return asy_text_finish(&t);
}

static bool precision_fits(asy_vm *vm, const format_spec *f) {
  if (f->precision > INT32_MAX - 400) asy_raise(vm, ASY_ValueError, "precision too big");
  return f->precision <= INT32_MAX - 400;
}

/* A double as the specification wants it, without padding when `bare`. */
static bool put_double(asy_vm *vm, asy_text *t, double d, const format_spec *f, bool bare) {
  int64_t precision = f->precision;
  char type = (char)f->type;
  unsigned flags = (f->alternate ? FORMAT_ALT : 0) | (f->no_neg_0 ? FORMAT_NO_NEG_0 : 0);
  bool percent = type == '%';
  if (!precision_fits(vm, f)) return false;
  if (type == 0) {
    type = precision < 0 ? 'r' : 'g';
    if (!bare) flags |= FORMAT_ADD_DOT_0;
  }
  if (type == 'n') type = 'g';
  if (percent) {
    type = 'f';
    d *= 100;
  }
  double_text text;
  if (!make_double_text(vm, d, type, precision < 0 ? 6 : (int)precision, flags, &text)) return false;
  bool negative = text.text[0] == '-';
  number n = {.sign = sign_of(f, negative), .digits = text.text + negative};
  while (n.digits[n.ndigits] >= '0' && n.digits[n.ndigits] <= '9') n.ndigits++;
  n.rest = n.digits + n.ndigits;
  n.nrest = text.len - negative - n.ndigits;
  char *with_percent = NULL;
  if (percent) {
    with_percent = malloc(n.nrest + 1);
    if (!with_percent) {
      release_double(&text);
      asy_raise_no_memory(vm);
      return false;
    }
    memcpy(with_percent, n.rest, n.nrest);
    with_percent[n.nrest++] = '%';
    n.rest = with_percent;
  }
  format_spec unpadded = *f;
  if (bare) unpadded.width = -1, unpadded.fill = ' ', unpadded.align = '<';
  put_number(t, &unpadded, &n, 3);
  free(with_percent);
  release_double(&text);
  return true;
}

static asy_value format_float_spec(asy_vm *vm, double d, const format_spec *f) {
  asy_text t;
  asy_text_init(&t, vm);
  if (!put_double(vm, &t, d, f, false)) {
    asy_text_discard(&t);
    return ASY_FAILED;
  }
  return from_str(asy_text_finish(&t));
}

static bool is_float_type(uint32_t type) { return type == 0 || (type < 128 && strchr("eEfFgGn%", (int)type)); }

asy_value asy_format_float(asy_vm *vm, const asy_value *args) {
  asy_str *text;
  format_spec f;
  if (!spec_arg(vm, args[1], &text)) return ASY_FAILED;
  if (text->len == 0) return asy_str_of(vm, args[0]);
  if (!parse_spec(vm, text, args[0], 0, '>', &f)) return ASY_FAILED;
  if (!is_float_type(f.type)) return unknown_type(vm, f.type, args[0]) ? ASY_NONE : ASY_FAILED;
  return format_float_spec(vm, asy_float_value(args[0]), &f);
}

asy_value asy_format_complex(asy_vm *vm, const asy_value *args) {
  asy_str *text;
  format_spec f;
  double real, imaginary;
  if (!spec_arg(vm, args[1], &text)) return ASY_FAILED;
  if (text->len == 0) return asy_str_of(vm, args[0]);
  if (!parse_spec(vm, text, args[0], 0, '>', &f)) return ASY_FAILED;
  if (!is_float_type(f.type) || f.type == '%') return unknown_type(vm, f.type, args[0]) ? ASY_NONE : ASY_FAILED;
  if (!precision_fits(vm, &f)) return ASY_FAILED;
  if (f.fill == '0') return asy_raise(vm, ASY_ValueError, "Zero padding is not allowed in complex format specifier");
  if (f.align == '=')
    return asy_raise(vm, ASY_ValueError, "'=' alignment flag is not allowed in complex format specifier");
  asy_complex_parts(args[0], &real, &imaginary);
  bool skip_real = f.type == 0 && real == 0 && !signbit(real), parens = f.type == 0 && !skip_real;
  asy_text t;
  format_spec second = f;
  asy_text_init(&t, vm);
  if (parens) asy_text_char(&t, '(');
  bool good = skip_real || put_double(vm, &t, real, &f, true);
  if (!skip_real) second.sign = '+';
  good = good && put_double(vm, &t, imaginary, &second, true);
  asy_text_char(&t, 'j');
  if (parens) asy_text_char(&t, ')');
  if (!good) {
    asy_text_discard(&t);
    return ASY_FAILED;
  }
  asy_str *body = asy_text_finish(&t);
  if (!body) return ASY_FAILED;
  size_t left, right;
  padding(&f, body->len, f.align, &left, &right);
  if (left + right == 0) return asy_from_obj(body);
  asy_text_init(&t, vm);
  asy_text_fill(&t, f.fill, left);
  asy_text_str(&t, body);
  asy_text_fill(&t, f.fill, right);
  return from_str(asy_text_finish(&t));
}
