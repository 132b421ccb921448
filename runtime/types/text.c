/* text.c - text under construction, and the directives of asy_raise.
 *
 *   data [code points .. of width w][room]     w grows when a wider code point arrives; `max` is in the class of the widest one
 *
 * Short text lies in the struct itself: most text is short, and malloc takes longer than writing it.
 *
 * A failure is sticky: later appends do nothing and finish returns NULL with the exception that is set.
 */
#include <stdio.h>
#include <stdlib.h>

#include "runtime/number.h"
#include "runtime/types/str_internal.h"

enum { FIRST_CAP = 128 }; /* code points */

void asy_text_init(asy_text *t, asy_vm *vm) {
  t->vm = vm;
  t->data = NULL;
  t->len = t->cap = t->max = 0;
  t->width = 1;
  t->failed = false;
}

static void free_data(asy_text *t) {
  if (t->data != t->first) free(t->data);
  t->data = NULL;
}

/* Room for n more code points up to max. Out of line: the appends below check for room first. */
static bool make_room(asy_text *t, size_t n, uint32_t max) {
  if (t->failed) return false;
  unsigned width = asy_width_for(max);
  if (width < t->width) width = t->width;
  size_t need = t->len + n;
  if (width == t->width && need <= t->cap) return true;
  if (!t->data && need * width <= sizeof t->first) {
    t->data = t->first;
    t->cap = (uint32_t)(sizeof t->first / width);
    t->width = (uint8_t)width;
    return true;
  }
  size_t cap = t->cap;
  if (need > cap) cap = need > (size_t)t->cap * 2 ? need : (size_t)t->cap * 2;
  if (cap < FIRST_CAP) cap = FIRST_CAP;
  if (cap > INT32_MAX) cap = INT32_MAX;
  bool in_place = width == t->width && t->data != t->first;
  uint8_t *data = need > INT32_MAX - 1 ? NULL : in_place ? realloc(t->data, cap * width) : malloc(cap * width);
  if (!data) {
    t->failed = true;
    asy_raise_no_memory(t->vm);
    return false;
  }
  if (!in_place) {
    if (t->len) asy_copy_points(data, width, t->data, t->width, t->len);
    free_data(t);
  }
  t->data = data;
  t->cap = (uint32_t)cap;
  t->width = (uint8_t)width;
  return true;
}

static inline bool has_room(asy_text *t, size_t n, uint32_t max) {
  bool fits = t->len + n <= t->cap && (t->width == 4 || max < (t->width == 1 ? 0x100u : 0x10000u)) && !t->failed;
  if (!fits && !make_room(t, n, max)) return false;
  if (max > t->max) t->max = max;
  return true;
}

void asy_text_char(asy_text *t, uint32_t code_point) {
  if (!has_room(t, 1, code_point)) return;
  asy_poke(t->data, t->width, t->len++, code_point);
}

void asy_text_points(asy_text *t, const void *points, unsigned width, size_t n) {
  if (n == 0 || !has_room(t, n, asy_max_point(points, width, n))) return;
  asy_copy_points(asy_at(t->data, t->width, t->len), t->width, points, width, n);
  t->len += (uint32_t)n;
}

void asy_text_fill(asy_text *t, uint32_t code_point, size_t n) {
  if (n == 0 || !has_room(t, n, code_point)) return;
  if (t->width == 1) memset(t->data + t->len, (int)code_point, n);
  else
    for (size_t i = 0; i < n; i++) asy_poke(t->data, t->width, t->len + i, code_point);
  t->len += (uint32_t)n;
}

void asy_text_ascii_n(asy_text *t, const char *text, size_t length) {
  if (length == 0 || !has_room(t, length, 127)) return;
  asy_copy_points(asy_at(t->data, t->width, t->len), t->width, text, 1, length);
  t->len += (uint32_t)length;
}

void asy_text_ascii(asy_text *t, const char *text) { asy_text_ascii_n(t, text, strlen(text)); }

void asy_text_int(asy_text *t, int64_t value) {
  char digits[ASY_DECIMAL_MOST], *end = digits + sizeof digits, *start = asy_decimal(end, value);
  asy_text_ascii_n(t, start, (size_t)(end - start));
}

char *asy_text_open(asy_text *t, size_t n) {
  return t->width == 1 && has_room(t, n, 127) ? (char *)t->data + t->len : NULL;
}

void asy_text_utf8(asy_text *t, const char *text, size_t length) {
  if (t->failed) return;
  asy_str *s = asy_str_new_utf8(t->vm, text, length);
  if (s) asy_text_str(t, s);
  else t->failed = true;
}

void asy_text_str(asy_text *t, const asy_str *s) {
  if (s->len == 0) return;
  unsigned width = asy_str_width(s);
  uint32_t max = s->head.flags & STR_ASCII ? 127 : width == 1 ? 255 : width == 2 ? 0xFFFF : 0x10FFFF;
  if (!has_room(t, s->len, max)) return;
  asy_copy_points(asy_at(t->data, t->width, t->len), t->width, asy_str_data(s), width, s->len);
  t->len += s->len;
}

void asy_text_slice(asy_text *t, const asy_str *s, uint32_t start, uint32_t end) {
  if (start >= end) return;
  unsigned width = asy_str_width(s);
  const void *from = asy_at(asy_str_data(s), width, start);
  if (s->head.flags & STR_ASCII) asy_text_ascii_n(t, from, end - start);
  else asy_text_points(t, from, width, end - start);
}

void asy_text_repr_of(asy_text *t, asy_value v) {
  if (t->failed) return;
  asy_value repr = asy_repr(t->vm, v);
  if (asy_failed(repr)) t->failed = true;
  else asy_text_str(t, str_of(repr));
}

asy_str *asy_text_finish(asy_text *t) {
  asy_str *s = NULL;
  void *data;
  if (t->failed) {
  } else if (t->len <= 1) {
    s = t->len == 0 ? t->vm->empty_str : asy_str_char(t->vm, asy_peek(t->data, t->width, 0));
  } else if (asy_width_for(t->max) < t->width || t->max == 255) {
    s = asy_str_from_points(t->vm, t->data, t->width, t->len); /* something wide was taken back, or came as a bound */
  } else if ((s = asy_str_alloc(t->vm, t->len, t->max, &data))) {
    memcpy(data, t->data, (size_t)t->len * t->width);
  }
  free_data(t);
  return s;
}

void asy_text_discard(asy_text *t) {
  free_data(t);
  t->len = t->cap = 0;
}

/* ---- asy_raise's directives ------------------------------------------------------------------------------------------- */

/* A printf directive: %[flags][width][.precision][length]letter */
typedef struct {
  char text[24]; /* as written, for snprintf */
  int precision; /* -1: none */
  int longs;     /* 0 int, 1 long, 2 long long, 3 size_t */
  char letter;
} directive;

static const char *read_directive(const char *p, directive *d) {
  const char *start = p - 1;
  d->precision = -1;
  d->longs = 0;
  while (*p && strchr("-+ #0123456789", *p)) p++;
  if (*p == '.') {
    d->precision = 0;
    for (p++; *p >= '0' && *p <= '9'; p++) d->precision = d->precision * 10 + (*p - '0');
  }
  for (; *p == 'l'; p++) d->longs++;
  if (*p == 'z') {
    d->longs = 3;
    p++;
  }
  d->letter = *p ? *p++ : 0;
  size_t n = (size_t)(p - start);
  if (n >= sizeof d->text) n = sizeof d->text - 1;
  memcpy(d->text, start, n);
  d->text[n] = 0;
  return p;
}

static void add_integer(asy_text *t, const directive *d, va_list *arguments) {
  char out[80];
  int n = 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  switch (d->longs) {
    case 0: n = snprintf(out, sizeof out, d->text, va_arg(*arguments, int)); break;
    case 1: n = snprintf(out, sizeof out, d->text, va_arg(*arguments, long)); break;
    case 2: n = snprintf(out, sizeof out, d->text, va_arg(*arguments, long long)); break;
    default: n = snprintf(out, sizeof out, d->text, va_arg(*arguments, size_t)); break;
  }
#pragma GCC diagnostic pop
  if (n > 0) asy_text_ascii_n(t, out, (size_t)n < sizeof out ? (size_t)n : sizeof out - 1);
}

static void add_str(asy_text *t, const asy_str *s, int precision) {
  if (precision >= 0 && s->len > (uint32_t)precision) asy_text_slice(t, s, 0, (uint32_t)precision);
  else asy_text_str(t, s);
}

static void add_value(asy_text *t, const directive *d, asy_value v) {
  if (t->failed) return;
  asy_value text = d->letter == 'R' ? asy_repr(t->vm, v) : asy_str_of(t->vm, v);
  if (asy_failed(text)) t->failed = true;
  else add_str(t, str_of(text), d->precision);
}

static void add_c_text(asy_text *t, const char *text, int precision) {
  if (!text) text = "(null)";
  size_t n = precision >= 0 ? strnlen(text, (size_t)precision) : strlen(text);
  while (n > 0 && precision >= 0 && ((uint8_t)text[n] & 0xC0) == 0x80) n--; /* cut between characters */
  asy_text_utf8(t, text, n);
}

/* The name of v's type in messages: a class in C of a module carries the module's name, as in CPython. */
static void add_type_name(asy_text *t, asy_value v, int precision) {
  const asy_class *cls = asy_type_of(t->vm, v);
  const char *dot = cls->flags & ASY_CLASS_BUILTIN ? strchr(cls->type->name, '.') : NULL;
  if (dot && !strchr(dot + 1, '.')) add_c_text(t, cls->type->name, precision);
  else add_str(t, cls->name, precision);
}

asy_str *asy_str_vformat(asy_vm *vm, const char *format, va_list arguments) {
  asy_text t;
  directive d;
  va_list rest;
  asy_text_init(&t, vm);
  va_copy(rest, arguments);
  while (*format) {
    size_t n = strcspn(format, "%");
    if (n) asy_text_utf8(&t, format, n);
    format += n;
    if (!*format) break;
    format = read_directive(format + 1, &d);
    switch (d.letter) {
      case '%': asy_text_char(&t, '%'); break;
      case 's': add_c_text(&t, va_arg(rest, const char *), d.precision); break;
      case 'c': asy_text_char(&t, va_arg(rest, uint32_t)); break;
      case 'R':
      case 'S': add_value(&t, &d, va_arg(rest, asy_value)); break;
      case 'T': add_type_name(&t, va_arg(rest, asy_value), d.precision); break;
      case 'N': add_str(&t, va_arg(rest, asy_class *)->name, d.precision); break;
      case 'U': add_str(&t, va_arg(rest, asy_str *), d.precision); break;
      case 'p': {
        char out[32];
        snprintf(out, sizeof out, "%p", va_arg(rest, void *));
        asy_text_ascii(&t, out);
        break;
      }
      default: add_integer(&t, &d, &rest); break;
    }
  }
  va_end(rest);
  return asy_text_finish(&t);
}

asy_str *asy_str_format(asy_vm *vm, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  asy_str *s = asy_str_vformat(vm, format, arguments);
  va_end(arguments);
  return s;
}
