/* percent.c - "%5.2f %s" % values, for str and bytes.
 * Both run through one walk over text: a bytes format is read as Latin-1, and its result written as Latin-1 again.
 */
#include <math.h>

#include "runtime/number.h"
#include "runtime/types/bytes_internal.h"
#include "runtime/types/codec.h"
#include "runtime/types/format.h"
#include "runtime/types/str_case.h"

enum { FLAG_LEFT = 1, FLAG_SIGN = 2, FLAG_BLANK = 4, FLAG_ALT = 8, FLAG_ZERO = 16 };

typedef struct {
  asy_vm *vm;
  asy_str *format;
  uint32_t at;
  bool bytes;
  asy_value args;      /* the right operand */
  asy_tuple *tuple;    /* args when it is a tuple */
  int64_t next, count; /* arguments used, and how many there are */
  bool mapping;        /* args may be asked for keys */
  asy_value keyed;     /* value of the last %(key), for the directive that follows; 0 none */
  asy_text out;
} walk;

typedef struct {
  unsigned flags;
  int64_t width;     /* 0: none */
  int64_t precision; /* -1: none */
  uint32_t letter;
} directive;

static bool fail(walk *w, asy_exc_id what, const char *message) {
  asy_raise(w->vm, what, "%s", message);
  return false;
}

static bool next_argument(walk *w, asy_value *out) {
  if (w->keyed) {
    *out = w->keyed;
    return true;
  }
  if (w->next >= w->count) return fail(w, ASY_TypeError, "not enough arguments for format string");
  *out = w->tuple ? w->tuple->items[w->next] : w->args;
  w->next++;
  return true;
}

/* ---- Reading a directive ------------------------------------------------------------------------------------------------- */

static uint32_t peek(walk *w) { return w->at < w->format->len ? asy_str_at(w->format, w->at) : 0; }
static bool at_end(walk *w) { return w->at >= w->format->len; }

static bool read_key(walk *w) {
  uint32_t start = ++w->at;
  int depth = 1;
  if (!w->mapping) return fail(w, ASY_TypeError, "format requires a mapping");
  while (depth > 0 && !at_end(w)) {
    uint32_t c = asy_str_at(w->format, w->at++);
    if (c == ')') depth--;
    else if (c == '(') depth++;
  }
  if (depth > 0) return fail(w, ASY_ValueError, "incomplete format key");
  asy_str *name = asy_str_slice(w->vm, w->format, start, w->at - 1);
  if (!name) return false;
  asy_value key = w->bytes ? asy_encode(w->vm, name, "latin-1", NULL) : asy_from_obj(name);
  if (asy_failed(key)) return false;
  w->keyed = asy_get_item(w->vm, w->args, key);
  if (asy_failed(w->keyed)) {
    w->keyed = 0;
    return false;
  }
  w->count = 0;
  w->next = 0;
  return true;
}

/* A number or '*'. */
static bool read_size(walk *w, int64_t *out, bool is_width, const char *too_big) {
  if (peek(w) == '*') {
    asy_value v;
    int64_t n;
    w->at++;
    if (!next_argument(w, &v)) return false;
    if (!asy_is_integer(v)) return fail(w, ASY_TypeError, "* wants int");
    bool fits = asy_is_number_int64(v, &n);
    if (!fits || (!is_width && (n > INT32_MAX || n < INT32_MIN)))
      return fail(
        w, ASY_OverflowError,
        is_width ? "Python int too large to convert to C ssize_t" : "Python int too large to convert to C int");
    *out = n == INT64_MIN ? 0 : n; /* it has no opposite */
    return true;
  }
  int64_t n = 0;
  bool any = false;
  while (peek(w) >= '0' && peek(w) <= '9') {
    uint32_t digit = asy_str_at(w->format, w->at++) - '0';
    if (n > (INT64_MAX - digit) / 10) return fail(w, ASY_ValueError, too_big);
    n = n * 10 + digit;
    any = true;
  }
  if (any) *out = n;
  return true;
}

static bool read_directive(walk *w, directive *d) {
  *d = (directive){.precision = -1};
  w->keyed = 0;
  uint32_t letter = peek(w);
  if (letter == 's' || letter == 'd' || letter == 'r') { /* as most are */
    d->letter = letter;
    w->at++;
    return true;
  }
  if (peek(w) == '(' && !read_key(w)) return false;
  for (;; w->at++) {
    uint32_t c = peek(w);
    unsigned flag = c == '-'   ? FLAG_LEFT
                    : c == '+' ? FLAG_SIGN
                    : c == ' ' ? FLAG_BLANK
                    : c == '#' ? FLAG_ALT
                    : c == '0' ? FLAG_ZERO
                               : 0;
    if (!flag || at_end(w)) break;
    d->flags |= flag;
  }
  if (!read_size(w, &d->width, true, "width too big")) return false;
  if (d->width < 0) {
    d->flags |= FLAG_LEFT;
    d->width = -d->width;
  }
  if (peek(w) == '.') {
    w->at++;
    d->precision = 0;
    if (!read_size(w, &d->precision, false, w->bytes ? "prec too big" : "precision too big")) return false;
    if (d->precision < 0) d->precision = 0;
  }
  if (peek(w) == 'h' || peek(w) == 'l' || peek(w) == 'L') w->at++;
  if (at_end(w)) return fail(w, ASY_ValueError, "incomplete format");
  d->letter = asy_str_at(w->format, w->at++);
  return true;
}

/* ---- Writing ---------------------------------------------------------------------------------------------------------------- */

/* [sign][prefix] are kept in front of zero filling. */
static void put(walk *w, const directive *d, const char *front, asy_str *body, uint32_t start, bool zero) {
  size_t nfront = strlen(front), len = nfront + body->len - start;
  size_t pad = d->width > (int64_t)len ? (size_t)d->width - len : 0;
  if (pad && !zero && !(d->flags & FLAG_LEFT)) asy_text_fill(&w->out, ' ', pad);
  asy_text_ascii_n(&w->out, front, nfront);
  if (pad && zero && !(d->flags & FLAG_LEFT)) asy_text_fill(&w->out, '0', pad);
  asy_text_slice(&w->out, body, start, body->len);
  if (pad && (d->flags & FLAG_LEFT)) asy_text_fill(&w->out, ' ', pad);
}

static const char *sign_text(const directive *d, bool negative) {
  return negative ? "-" : d->flags & FLAG_SIGN ? "+" : d->flags & FLAG_BLANK ? " " : "";
}

static bool put_text(walk *w, const directive *d, asy_str *s) {
  if (!d->width && d->precision < 0) {
    asy_text_str(&w->out, s);
    return true;
  }
  if (d->precision >= 0 && d->precision < s->len && !(s = asy_str_slice(w->vm, s, 0, (uint32_t)d->precision)))
    return false;
  put(w, d, "", s, 0, false);
  return true;
}

/* The integer that d, x and their kin write. */
static asy_value integer_of(walk *w, const directive *d, asy_value v) {
  asy_vm *vm = w->vm;
  bool decimal = d->letter == 'd' || d->letter == 'i' || d->letter == 'u';
  if (asy_is_integer(v)) return v;
  bool number = asy_has_special(vm, v, ASY_NAME(vm, __index__)) ||
                (decimal &&
                 (asy_has_special(vm, v, ASY_NAME(vm, __int__)) || asy_has_special(vm, v, ASY_NAME(vm, __float__))));
  if (number && !asy_is_kind(v, KIND_COMPLEX)) {
    asy_value i = decimal ? asy_call1(vm, asy_from_obj(vm->classes[KIND_INT]), v) : asy_index(vm, v);
    if (!asy_failed(i) || !asy_raised_is(vm, ASY_TypeError)) return i;
    asy_clear_exception(vm);
  }
  if (decimal)
    return asy_raise(vm, ASY_TypeError, "%%%c format: a real number is required, not %T",
                     (uint32_t)(w->bytes && d->letter == 'i' ? 'd' : d->letter), v);
  return asy_raise(vm, ASY_TypeError, "%%%c format: an integer is required, not %T", d->letter, v);
}

static bool put_integer(walk *w, const directive *d, asy_value v) {
  asy_vm *vm = w->vm;
  if (d->letter == 'd' && asy_is_int(v) && !d->flags && !d->width && d->precision < 0) {
    asy_text_int(&w->out, asy_small(v));
    return true;
  }
  asy_value integer = integer_of(w, d, v);
  if (asy_failed(integer)) return false;
  int base = d->letter == 'o' ? 8 : d->letter == 'x' || d->letter == 'X' ? 16 : 10;
  asy_str *digits = asy_int_to_str(vm, integer, base);
  if (!digits) return false;
  bool negative = asy_str_at(digits, 0) == '-';
  uint32_t start = negative;
  if (d->letter == 'X') {
    asy_value lower = asy_from_obj(digits), upper = asy_str_upper(vm, &lower);
    if (asy_failed(upper)) return false;
    digits = str_of(upper);
  }
  if (d->precision > (int64_t)digits->len - start) {
    asy_text t;
    asy_text_init(&t, vm);
    asy_text_fill(&t, '0', (size_t)(d->precision - (digits->len - start)));
    asy_text_slice(&t, digits, start, digits->len);
    if (!(digits = asy_text_finish(&t))) return false;
    start = 0;
  }
  char front[4] = {0};
  strcpy(front, sign_text(d, negative));
  if ((d->flags & FLAG_ALT) && base != 10) {
    size_t n = strlen(front);
    front[n] = '0';
    front[n + 1] = (char)d->letter;
  }
  put(w, d, front, digits, start, (d->flags & FLAG_ZERO) != 0);
  return true;
}

static bool put_float(walk *w, const directive *d, asy_value v) {
  double number;
  if (!asy_to_double(w->vm, v, &number)) {
    if (!w->bytes) return false;
    asy_clear_exception(w->vm);
    return asy_raise(w->vm, ASY_TypeError, "float argument required, not %T", v), false;
  }
  if (d->precision > INT32_MAX - 400) return fail(w, ASY_ValueError, "precision too big");
  int precision = d->precision < 0 ? 6 : (int)d->precision;
  asy_str *s = asy_format_double(w->vm, number, (char)d->letter, precision, d->flags & FLAG_ALT ? FORMAT_ALT : 0);
  if (!s) return false;
  bool negative = asy_str_at(s, 0) == '-';
  put(w, d, sign_text(d, negative), s, negative, (d->flags & FLAG_ZERO) != 0);
  return true;
}

static bool put_char(walk *w, const directive *d, asy_value v) {
  asy_vm *vm = w->vm;
  uint32_t limit = w->bytes ? 256 : 0x110000, c;
  int64_t i;
  if (!w->bytes && asy_is_str(v)) {
    if (str_of(v)->len != 1) { return fail(w, ASY_TypeError, "%c requires int or char"); }
    c = asy_str_at(str_of(v), 0);
  } else if (w->bytes && (asy_is_kind(v, KIND_BYTES) || is_bytearray(v))) {
    size_t len;
    const uint8_t *data = octets(v, &len);
    if (len != 1) { return fail(w, ASY_TypeError, "%c requires an integer in range(256) or a single byte"); }
    c = data[0];
  } else if (asy_is_integer(v) || asy_defers_to(vm, v, ASY_NAME(vm, __index__))) {
    asy_value index = asy_index(vm, v);
    if (asy_failed(index)) return false;
    if (!asy_is_number_int64(index, &i) || i < 0 || i >= limit) {
      return fail(w, ASY_OverflowError, w->bytes ? "%c arg not in range(256)" : "%c arg not in range(0x110000)");
    }
    c = (uint32_t)i;
  } else {
    return fail(w, ASY_TypeError,
                w->bytes ? "%c requires an integer in range(256) or a single byte" : "%c requires int or char");
  }
  asy_str *s = asy_str_char(vm, c);
  if (!s) return false;
  put(w, d, "", s, 0, false);
  return true;
}

/* %b and %s of a bytes format. */
static bool put_octets(walk *w, const directive *d, asy_value v) {
  asy_vm *vm = w->vm;
  asy_buffer b;
  if (!asy_is_bytes_like(v)) {
    asy_value made = asy_call_special(vm, v, ASY_NAME(vm, __bytes__), 0, NULL);
    if (asy_failed(made)) return false;
    if (made == ASY_UNBOUND) {
      asy_raise(vm, ASY_TypeError, "%%b requires a bytes-like object, or an object that implements __bytes__, not '%T'",
                v);
      return false;
    }
    if (!asy_is_kind(made, KIND_BYTES)) {
      asy_raise(vm, ASY_TypeError, "__bytes__ returned non-bytes (type %T)", made);
      return false;
    }
    v = made;
  }
  if (!asy_buffer_get(vm, v, &b)) return false;
  asy_str *s = asy_str_new_latin1(vm, b.data, b.len);
  asy_buffer_release(vm, &b);
  return s && put_text(w, d, s);
}

static bool put_directive(walk *w, const directive *d, uint32_t index) {
  asy_vm *vm = w->vm;
  asy_value v, text;
  if (!next_argument(w, &v)) return false;
  switch (d->letter) {
    case 's':
      if (w->bytes) return put_octets(w, d, v);
      if (asy_is_int(v) && !d->width && d->precision < 0) return asy_text_int(&w->out, asy_small(v)), true;
      text = asy_str_of(vm, v);
      return !asy_failed(text) && put_text(w, d, str_of(text));
    case 'b':
      if (w->bytes) return put_octets(w, d, v);
      break;
    case 'r':
      text = w->bytes ? asy_ascii(vm, v) : asy_repr(vm, v);
      return !asy_failed(text) && put_text(w, d, str_of(text));
    case 'a': text = asy_ascii(vm, v); return !asy_failed(text) && put_text(w, d, str_of(text));
    case 'd':
    case 'i':
    case 'u':
    case 'o':
    case 'x':
    case 'X': return put_integer(w, d, v);
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G': return put_float(w, d, v);
    case 'c': return put_char(w, d, v);
    default: break;
  }
  asy_raise(vm, ASY_ValueError, "unsupported format character '%c' (0x%x) at index %u",
            d->letter >= 31 && d->letter <= 126 ? d->letter : (uint32_t)'?', d->letter, index);
  return false;
}

static bool walk_format(walk *w) {
  asy_str *s = w->format;
  while (w->at < s->len) {
    uint32_t start = w->at;
    int64_t found = asy_find_point(asy_at(asy_str_data(s), asy_str_width(s), start), s->len - start, '%',
                                   asy_str_width(s));
    uint32_t end = found < 0 ? s->len : start + (uint32_t)found;
    asy_text_slice(&w->out, s, start, end);
    w->at = end;
    if (end == s->len) break;
    directive d;
    w->at++;
    if (peek(w) == '%') {
      asy_text_char(&w->out, '%');
      w->at++;
      continue;
    }
    if (!read_directive(w, &d) || !put_directive(w, &d, w->at - 1)) return false;
  }
  if (w->next < w->count && !w->mapping) {
    return fail(w, ASY_TypeError,
                w->bytes ? "not all arguments converted during bytes formatting"
                         : "not all arguments converted during string formatting");
  }
  return true;
}

static asy_str *formatted(asy_vm *vm, asy_str *format, asy_value args, bool bytes) {
  walk w = {.vm = vm, .format = format, .bytes = bytes, .args = args, .count = 1};
  if (asy_is_kind(args, KIND_TUPLE)) {
    w.tuple = (asy_tuple *)asy_obj_of(args);
    w.count = w.tuple->len;
  } else {
    w.mapping = !asy_is_str(args) && !(bytes && asy_is_bytes_like(args)) &&
                asy_has_special(vm, args, ASY_NAME(vm, __getitem__));
  }
  asy_text_init(&w.out, vm);
  if (!walk_format(&w)) {
    asy_text_discard(&w.out);
    return NULL;
  }
  return asy_text_finish(&w.out);
}

asy_value asy_str_percent(asy_vm *vm, asy_str *format, asy_value args) {
  asy_str *s = formatted(vm, format, args, false);
  return s ? asy_from_obj(s) : ASY_FAILED;
}

asy_value asy_bytes_percent(asy_vm *vm, asy_value format, asy_value args) {
  size_t len;
  const uint8_t *data = octets(format, &len);
  asy_str *text = asy_str_new_latin1(vm, data, len);
  if (!text || !(text = formatted(vm, text, args, true))) return ASY_FAILED;
  asy_value encoded = asy_encode(vm, text, "latin-1", NULL);
  if (asy_failed(encoded) || !is_bytearray(format)) return encoded;
  return asy_octets_new(vm, format, bytes_of(encoded)->data, bytes_of(encoded)->len);
}
