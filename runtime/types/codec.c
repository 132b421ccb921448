/* codec.c - text to bytes and back.
 *
 * A codec is a row: its names, how it decodes, how it encodes. Decoding appends to a text; what it cannot read goes through
 * decode_error, which either appends what the error handler says and names the place to go on, or raises. Encoding is the mirror.
 */
#include "runtime/types/codec_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "runtime/types/unicode.h"

static handler find_handler(const char *name) {
  static const char *const names[HANDLER_UNKNOWN] = {
    "strict",          "ignore",        "replace",           "backslashreplace",
    "surrogateescape", "surrogatepass", "xmlcharrefreplace", "namereplace",
  };
  if (!name) return HANDLER_STRICT;
  for (unsigned i = 0; i < HANDLER_UNKNOWN; i++)
    if (strcmp(names[i], name) == 0) return (handler)i;
  return HANDLER_UNKNOWN;
}

/* ---- Errors ------------------------------------------------------------------------------------------------------------ */

static asy_value raise_unicode(asy_vm *vm, asy_exc_id what, const char *name, asy_value object, size_t start,
                               size_t end, const char *reason) {
  asy_value args[5] = {asy_from_cstr(vm, name), object, asy_from_small((int64_t)start), asy_from_small((int64_t)end),
                       asy_from_cstr(vm, reason)};
  if (asy_failed(args[0]) || asy_failed(args[4])) return ASY_FAILED;
  asy_value exception = asy_call(vm, asy_from_obj(vm->exceptions[what]), 5, args);
  return asy_failed(exception) ? exception : asy_raise_value(vm, exception);
}

asy_value asy_raise_decode_error(asy_vm *vm, const char *name, asy_value object, size_t start, size_t end,
                                 const char *reason) {
  return raise_unicode(vm, ASY_UnicodeDecodeError, name, object, start, end, reason);
}

asy_value asy_raise_encode_error(asy_vm *vm, const char *name, asy_value object, size_t start, size_t end,
                                 const char *reason) {
  return raise_unicode(vm, ASY_UnicodeEncodeError, name, object, start, end, reason);
}

/* Whether surrogates have a form in this codec, which is what the handler surrogatepass is for. */
static bool is_utf(const codec *c) { return strncmp(c->names, "utf", 3) == 0; }

/* The bytes [start, end) cannot be decoded: what the handler says is appended and d->at moved on. False: raised. */
bool asy_codec_decode_error(decoding *d, size_t start, size_t end, const char *reason) {
  switch (d->handler) {
    case HANDLER_IGNORE: d->at = end; return true;
    case HANDLER_REPLACE:
      asy_text_char(&d->text, 0xFFFD);
      d->at = end;
      return true;
    case HANDLER_BACKSLASH:
      for (size_t i = start; i < end; i++) {
        char out[8];
        snprintf(out, sizeof out, "\\x%02x", d->data[i]);
        asy_text_ascii(&d->text, out);
      }
      d->at = end;
      return true;
    case HANDLER_SURROGATEESCAPE: {
      size_t i = start;
      while (i < end && i < start + 4 && d->data[i] >= 0x80) asy_text_char(&d->text, 0xDC00u + d->data[i++]);
      if (i == start) break;
      d->at = i;
      return true;
    }
    case HANDLER_SURROGATEPASS: {
      const uint8_t *p = d->data + start;
      size_t left = d->len - start;
      uint32_t c = 0;
      if (!is_utf(d->codec)) break;
      if (d->unit == 0 && left >= 3 && p[0] == 0xED && (p[1] & 0xE0) == 0xA0 && (p[2] & 0xC0) == 0x80) {
        c = 0xD000u | (uint32_t)(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
        left = 3;
      } else if (d->unit && left >= d->unit) {
        for (unsigned i = 0; i < d->unit; i++) c |= (uint32_t)p[i] << 8 * (d->big ? d->unit - 1 - i : i);
        left = d->unit;
      }
      if (c < 0xD800 || c > 0xDFFF) break;
      asy_text_char(&d->text, c);
      d->at = start + left;
      return true;
    }
    case HANDLER_UNKNOWN: return asy_codec_call_decode_handler(d, start, end, reason);
    case HANDLER_XML:
    case HANDLER_NAME:
      asy_raise(d->vm, ASY_TypeError, "don't know how to handle UnicodeDecodeError in error callback");
      return false;
    case HANDLER_STRICT: break;
  }
  asy_value object = d->object ? d->object : asy_from_bytes(d->vm, d->data, d->len);
  if (!asy_failed(object)) asy_raise_decode_error(d->vm, d->name, object, start, end, reason);
  return false;
}

/* ---- Bytes under construction -------------------------------------------------------------------------------------------- */

static bool reserve(encoding *e, size_t n) {
  if (e->len + n <= e->cap) return true;
  size_t cap = e->cap * 2 > e->len + n ? e->cap * 2 : e->len + n + 64;
  uint8_t *out = realloc(e->out, cap);
  if (!out) {
    asy_raise_no_memory(e->vm);
    return false;
  }
  e->out = out;
  e->cap = cap;
  return true;
}

bool asy_codec_put(encoding *e, const void *data, size_t n) {
  if (!reserve(e, n)) return false;
  memcpy(e->out + e->len, data, n);
  e->len += n;
  return true;
}

static bool put_unit(encoding *e, uint32_t unit) {
  if (!reserve(e, 4)) return false;
  if (e->unit == 0) {
    e->out[e->len++] = (uint8_t)unit;
    return true;
  }
  for (unsigned i = 0; i < e->unit; i++) e->out[e->len++] = (uint8_t)(unit >> 8 * (e->big ? e->unit - 1 - i : i));
  return true;
}

static bool put_ascii(encoding *e, const char *text) {
  for (; *text; text++)
    if (!put_unit(e, (uint8_t)*text)) return false;
  return true;
}

static bool put_utf8(encoding *e, uint32_t c) {
  if (!reserve(e, 4)) return false;
  uint8_t *out = e->out + e->len;
  if (c < 0x80) {
    out[0] = (uint8_t)c;
    e->len += 1;
  } else if (c < 0x800) {
    out[0] = (uint8_t)(0xC0 | c >> 6);
    out[1] = (uint8_t)(0x80 | (c & 0x3F));
    e->len += 2;
  } else if (c < 0x10000) {
    out[0] = (uint8_t)(0xE0 | c >> 12);
    out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
    out[2] = (uint8_t)(0x80 | (c & 0x3F));
    e->len += 3;
  } else {
    out[0] = (uint8_t)(0xF0 | c >> 18);
    out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3F));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
    out[3] = (uint8_t)(0x80 | (c & 0x3F));
    e->len += 4;
  }
  return true;
}

static void backslashed(uint32_t c, char *out) { /* at most 11 characters */
  snprintf(out, 16, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
}

/* "\N{BULLET}", or as backslashreplace for a character without a name. */
static bool put_name(encoding *e, uint32_t c) {
  char name[UNI_NAME_MAX], out[UNI_NAME_MAX + 8];
  if (asy_unicode_name(e->vm, c, name)) snprintf(out, sizeof out, "\\N{%s}", name);
  else backslashed(c, out);
  return put_ascii(e, out);
}

/* The characters [e->at, end) cannot be encoded. False: raised. */
bool asy_codec_encode_error(encoding *e, uint32_t end, const char *reason) {
  uint32_t start = e->at;
  char out[16];
  for (; e->at < end; e->at++) {
    uint32_t c = asy_str_at(e->text, e->at);
    bool done = true;
    switch (e->handler) {
      case HANDLER_IGNORE: break;
      case HANDLER_REPLACE: done = put_unit(e, '?'); break;
      case HANDLER_BACKSLASH:
        backslashed(c, out);
        done = put_ascii(e, out);
        break;
      case HANDLER_XML:
        snprintf(out, sizeof out, "&#%u;", c);
        done = put_ascii(e, out);
        break;
      case HANDLER_NAME: done = put_name(e, c); break;
      case HANDLER_SURROGATEESCAPE:
        if (c < 0xDC80 || c > 0xDCFF || e->unit) {
          if (!e->mapping) start = e->at; /* what came before is written */
          goto strict;
        }
        if (!reserve(e, 1)) return false;
        e->out[e->len++] = (uint8_t)(c - 0xDC00);
        break;
      case HANDLER_SURROGATEPASS:
        if (c < 0xD800 || c > 0xDFFF || !is_utf(e->codec)) goto strict;
        done = e->unit ? put_unit(e, c) : put_utf8(e, c);
        break;
      case HANDLER_UNKNOWN: return asy_codec_call_encode_handler(e, end, reason);
      case HANDLER_STRICT: goto strict;
    }
    if (!done) return false;
  }
  return true;
strict:
  asy_raise_encode_error(e->vm, e->name, asy_from_obj(e->text), start, end, reason);
  return false;
}

/* ---- UTF-8 ------------------------------------------------------------------------------------------------------------------ */

static bool continues(uint8_t c) { return (c & 0xC0) == 0x80; }

/* Bytes of the sequence at p that are right, and in *need how many it should have (0: no start byte). */
static unsigned utf8_prefix(const uint8_t *p, size_t left, unsigned *need) {
  uint8_t low = 0x80, high = 0xBF;
  *need = p[0] < 0x80 ? 1 : p[0] < 0xC2 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : p[0] < 0xF5 ? 4 : 0;
  if (*need < 2) return *need;
  if (p[0] == 0xE0) low = 0xA0;
  if (p[0] == 0xED) high = 0x9F;
  if (p[0] == 0xF0) low = 0x90;
  if (p[0] == 0xF4) high = 0x8F;
  if (left < 2 || p[1] < low || p[1] > high) return 1;
  unsigned n = 2;
  while (n < *need && n < left && continues(p[n])) n++;
  return n;
}

static bool decode_utf8(decoding *d) {
  while (d->at < d->len) {
    const uint8_t *p = d->data + d->at;
    size_t left = d->len - d->at, run = 0;
    while (run < left && p[run] < 0x80) run++;
    if (run) {
      asy_text_ascii_n(&d->text, (const char *)p, run);
      d->at += run;
      continue;
    }
    unsigned need, have = utf8_prefix(p, left, &need);
    if (need && have == need) {
      uint32_t c = p[0] & (0x7Fu >> need);
      for (unsigned i = 1; i < need; i++) c = c << 6 | (p[i] & 0x3F);
      asy_text_char(&d->text, c);
      d->at += need;
    } else if (need && have == left) {
      if (d->partial) return true;
      if (!asy_codec_decode_error(d, d->at, d->len, "unexpected end of data")) return false;
    } else if (!asy_codec_decode_error(d, d->at, d->at + (have ? have : 1),
                                       need ? "invalid continuation byte" : "invalid start byte")) {
      return false;
    }
  }
  return true;
}

static bool is_surrogate(uint32_t c) { return c >= 0xD800 && c < 0xE000; }

/* The end of the surrogates that begin at e->at. */
static uint32_t surrogates_end(encoding *e) {
  uint32_t end = e->at;
  while (end < e->text->len && is_surrogate(asy_str_at(e->text, end))) end++;
  return end;
}

static bool encode_utf8(encoding *e) {
  while (e->at < e->text->len) {
    uint32_t c = asy_str_at(e->text, e->at);
    if (is_surrogate(c)) {
      if (!asy_codec_encode_error(e, surrogates_end(e), "surrogates not allowed")) return false;
      continue;
    }
    if (!put_utf8(e, c)) return false;
    e->at++;
  }
  return true;
}

static bool decode_utf8_sig(decoding *d) {
  if (d->partial && d->len < 3 && memcmp(d->data, "\xEF\xBB\xBF", d->len) == 0) return true;
  if (d->len < 3 || memcmp(d->data, "\xEF\xBB\xBF", 3) != 0) return decode_utf8(d);
  d->data += 3, d->len -= 3; /* errors tell places behind the mark */
  d->object = 0;
  bool good = decode_utf8(d);
  d->data -= 3, d->len += 3, d->at += 3;
  return good;
}

static bool encode_utf8_sig(encoding *e) { return (e->inner || asy_codec_put(e, "\xEF\xBB\xBF", 3)) && encode_utf8(e); }

/* ---- ASCII and Latin-1 -------------------------------------------------------------------------------------------------------- */

static bool decode_ascii(decoding *d) {
  while (d->at < d->len) {
    size_t run = d->at;
    while (run < d->len && d->data[run] < 0x80) run++;
    asy_text_ascii_n(&d->text, (const char *)d->data + d->at, run - d->at);
    d->at = run;
    if (run < d->len && !asy_codec_decode_error(d, run, run + 1, "ordinal not in range(128)")) return false;
  }
  return true;
}

static bool decode_latin1(decoding *d) {
  asy_text_points(&d->text, d->data, 1, d->len);
  d->at = d->len;
  return true;
}

static bool encode_below(encoding *e, uint32_t limit, const char *reason) {
  while (e->at < e->text->len) {
    uint32_t c = asy_str_at(e->text, e->at);
    if (c < limit) {
      if (!put_unit(e, c)) return false;
      e->at++;
      continue;
    }
    uint32_t end = e->at;
    while (end < e->text->len && asy_str_at(e->text, end) >= limit) end++;
    if (!asy_codec_encode_error(e, end, reason)) return false;
  }
  return true;
}

static bool encode_ascii(encoding *e) { return encode_below(e, 128, "ordinal not in range(128)"); }
static bool encode_latin1(encoding *e) { return encode_below(e, 256, "ordinal not in range(256)"); }

/* ---- UTF-16 and UTF-32 ----------------------------------------------------------------------------------------------------------- */

static uint32_t unit_at(const decoding *d, size_t at) {
  uint32_t unit = 0;
  for (unsigned i = 0; i < d->unit; i++) unit |= (uint32_t)d->data[at + i] << 8 * (d->big ? d->unit - 1 - i : i);
  return unit;
}

/* Reads the byte order mark, where one may be. Errors name the codec of the order found. */
static void read_mark(decoding *d) {
  if (d->codec->order != ORDER_MARK || d->order) return;
  d->name = d->unit == 2 ? "utf-16-le" : "utf-32-le";
  if (d->len < d->unit) return;
  uint32_t first = unit_at(d, 0);
  if (first == 0xFEFF) d->order = -1;
  if (first == 0xFEFF) d->at = d->unit;
  else if (first == (d->unit == 2 ? 0xFFFEu : 0xFFFE0000u)) {
    d->big = true;
    d->order = 1;
    d->at = d->unit;
    d->name = d->unit == 2 ? "utf-16-be" : "utf-32-be";
  }
}

static bool decode_utf16(decoding *d) {
  read_mark(d);
  while (d->at < d->len) {
    size_t left = d->len - d->at;
    if (left < 2) {
      if (d->partial) return true;
      if (!asy_codec_decode_error(d, d->at, d->len, "truncated data")) return false;
      continue;
    }
    uint32_t c = unit_at(d, d->at);
    if (!is_surrogate(c)) {
      asy_text_char(&d->text, c);
      d->at += 2;
    } else if (c >= 0xDC00) {
      if (!asy_codec_decode_error(d, d->at, d->at + 2, "illegal encoding")) return false;
    } else if (left < 4) {
      if (d->partial) return true;
      if (!asy_codec_decode_error(d, d->at, d->len, "unexpected end of data")) return false;
    } else {
      uint32_t low = unit_at(d, d->at + 2);
      if (low >= 0xDC00 && low < 0xE000) {
        asy_text_char(&d->text, 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00));
        d->at += 4;
      } else if (!asy_codec_decode_error(d, d->at, d->at + 2, "illegal UTF-16 surrogate")) {
        return false;
      }
    }
  }
  return true;
}

static bool decode_utf32(decoding *d) {
  read_mark(d);
  while (d->at < d->len) {
    if (d->len - d->at < 4) {
      if (d->partial) return true;
      if (!asy_codec_decode_error(d, d->at, d->len, "truncated data")) return false;
      continue;
    }
    uint32_t c = unit_at(d, d->at);
    if (is_surrogate(c)) {
      if (!asy_codec_decode_error(d, d->at, d->at + 4, "code point in surrogate code point range(0xd800, 0xe000)"))
        return false;
    } else if (c > 0x10FFFF) {
      if (!asy_codec_decode_error(d, d->at, d->at + 4, "code point not in range(0x110000)")) return false;
    } else {
      asy_text_char(&d->text, c);
      d->at += 4;
    }
  }
  return true;
}

static bool encode_wide(encoding *e) {
  if (e->codec->order == ORDER_MARK && !e->inner && !put_unit(e, 0xFEFF)) return false;
  while (e->at < e->text->len) {
    uint32_t c = asy_str_at(e->text, e->at);
    if (is_surrogate(c)) {
      if (!asy_codec_encode_error(e, e->at + 1, "surrogates not allowed")) return false;
      continue;
    }
    if (e->unit == 2 && c > 0xFFFF) {
      if (!put_unit(e, 0xD800 + ((c - 0x10000) >> 10)) || !put_unit(e, 0xDC00 + ((c - 0x10000) & 0x3FF))) return false;
    } else if (!put_unit(e, c)) {
      return false;
    }
    e->at++;
  }
  return true;
}

/* ---- unicode_escape ----------------------------------------------------------------------------------------------------------------- */

static bool encode_escape(encoding *e) {
  for (; e->at < e->text->len; e->at++) {
    uint32_t c = asy_str_at(e->text, e->at);
    char out[16];
    if (c == '\\' || c == '\n' || c == '\r' || c == '\t') {
      if (!put_ascii(e, c == '\\' ? "\\\\" : c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t")) return false;
    } else if (c >= 32 && c < 127) {
      if (!put_unit(e, c)) return false;
    } else {
      backslashed(c, out);
      if (!put_ascii(e, out)) return false;
    }
  }
  return true;
}

static int hex_digit(uint8_t c) {
  return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* An escape of n hexadecimal digits behind d->data[d->at]; what is said when it is no code point. */
static bool decode_hex_escape(decoding *d, unsigned n, const char *beyond) {
  size_t start = d->at, at = start + 2;
  uint32_t c = 0;
  unsigned i = 0;
  for (; i < n && at + i < d->len && hex_digit(d->data[at + i]) >= 0; i++)
    c = c << 4 | (uint32_t)hex_digit(d->data[at + i]);
  if (i < n && d->partial && at + i >= d->len) return false; /* the caller stops here */
  if (i < n)
    return asy_codec_decode_error(d, start, at + i,
                                  n == 2   ? "truncated \\xXX escape"
                                  : n == 4 ? "truncated \\uXXXX escape"
                                           : "truncated \\UXXXXXXXX escape");
  if (c > 0x10FFFF) return asy_codec_decode_error(d, start, at + i, beyond);
  asy_text_char(&d->text, c);
  d->at = at + n;
  return true;
}

/* \N{NAME} */
static bool decode_named_escape(decoding *d) {
  const char *name = (const char *)d->data + d->at + 3;
  bool opened = d->at + 2 < d->len && name[-1] == '{';
  const char *end = opened ? memchr(name, '}', d->len - d->at - 3) : NULL;
  if (!end && d->partial) return false;
  if (!end) return asy_codec_decode_error(d, d->at, opened ? d->len : d->at + 2, "malformed \\N character escape");
  if (end == name) return asy_codec_decode_error(d, d->at, d->at + 3, "malformed \\N character escape");
  uint32_t c = asy_unicode_find(d->vm, name, (size_t)(end - name));
  size_t after = (size_t)(end + 1 - (const char *)d->data);
  if (!c) return asy_codec_decode_error(d, d->at, after, "unknown Unicode character name");
  asy_text_char(&d->text, c);
  d->at = after;
  return true;
}

static bool decode_escape(decoding *d) {
  static const char from[] = "\\'\"abfnrtv", to[] = "\\'\"\a\b\f\n\r\t\v";
  while (d->at < d->len) {
    uint8_t c = d->data[d->at];
    if (c != '\\') {
      asy_text_char(&d->text, c);
      d->at++;
      continue;
    }
    if (d->at + 1 == d->len) {
      if (d->partial) return true;
      if (!asy_codec_decode_error(d, d->at, d->len, "\\ at end of string")) return false;
      continue;
    }
    c = d->data[d->at + 1];
    const char *simple = strchr(from, c);
    if (c && simple) {
      asy_text_char(&d->text, (uint8_t)to[simple - from]);
      d->at += 2;
    } else if (c == '\n') {
      d->at += 2;
    } else if (c == 'x' || c == 'u' || c == 'U') {
      if (!decode_hex_escape(d, c == 'x' ? 2 : c == 'u' ? 4 : 8, "illegal Unicode character"))
        return !asy_raised(d->vm);
    } else if (c == 'N') {
      if (!decode_named_escape(d)) return !asy_raised(d->vm);
    } else if (c >= '0' && c <= '7') {
      uint32_t point = 0;
      size_t at = d->at + 1, end = at + 3;
      while (at < end && at < d->len && d->data[at] >= '0' && d->data[at] <= '7')
        point = point * 8 + (d->data[at++] - '0');
      asy_text_char(&d->text, point);
      d->at = at;
    } else {
      asy_text_char(&d->text, '\\');
      d->at++;
    }
  }
  return true;
}

static bool decode_raw_escape(decoding *d) {
  while (d->at < d->len) {
    uint8_t c = d->data[d->at], next = d->at + 1 < d->len ? d->data[d->at + 1] : 0;
    if (c == '\\' && d->partial && d->at + 1 == d->len) return true;
    if (c == '\\' && (next == 'u' || next == 'U')) {
      if (!decode_hex_escape(d, next == 'u' ? 4 : 8, "\\Uxxxxxxxx out of range")) return !asy_raised(d->vm);
    } else {
      asy_text_char(&d->text, c);
      d->at++;
      if (c == '\\' && next == '\\') {
        asy_text_char(&d->text, next);
        d->at++;
      }
    }
  }
  return true;
}

static bool encode_raw_escape(encoding *e) {
  for (; e->at < e->text->len; e->at++) {
    uint32_t c = asy_str_at(e->text, e->at);
    char out[16];
    backslashed(c, out);
    if (c < 256 ? !put_unit(e, c) : !put_ascii(e, out)) return false;
  }
  return true;
}

/* ---- The table ------------------------------------------------------------------------------------------------------------------------ */

static const codec codecs[] = {
  {"utf-8 utf_8 utf8 u8 utf cp65001 utf8_ucs2 utf8_ucs4", decode_utf8, encode_utf8, 0, ORDER_LITTLE},
  {"ascii ascii us_ascii 646 ansi_x3.4_1968 ansi_x3_4_1968 iso646_us us cp367 ibm367", decode_ascii, encode_ascii, 0,
   ORDER_LITTLE},
  {"latin-1 latin_1 latin1 iso_8859_1 iso8859_1 8859 l1 latin cp819 ibm819 iso_ir_100 iso88591", decode_latin1,
   encode_latin1, 0, ORDER_LITTLE},
  {"utf-8 utf_8_sig utf8_sig", decode_utf8_sig, encode_utf8_sig, 0, ORDER_LITTLE},
  {"utf-16 utf_16 utf16 u16", decode_utf16, encode_wide, 2, ORDER_MARK},
  {"utf-16-le utf_16_le utf16_le utf_16le utf16le unicodelittleunmarked", decode_utf16, encode_wide, 2, ORDER_LITTLE},
  {"utf-16-be utf_16_be utf16_be utf_16be utf16be unicodebigunmarked", decode_utf16, encode_wide, 2, ORDER_BIG},
  {"utf-32 utf_32 utf32 u32", decode_utf32, encode_wide, 4, ORDER_MARK},
  {"utf-32-le utf_32_le utf32_le utf_32le utf32le", decode_utf32, encode_wide, 4, ORDER_LITTLE},
  {"utf-32-be utf_32_be utf32_be utf_32be utf32be", decode_utf32, encode_wide, 4, ORDER_BIG},
  {"unicodeescape unicode_escape unicodeescape", decode_escape, encode_escape, 0, ORDER_LITTLE},
  {"rawunicodeescape raw_unicode_escape rawunicodeescape", decode_raw_escape, encode_raw_escape, 0, ORDER_LITTLE},
};

/* Names are compared in lower case with '-' and ' ' as '_'. NULL: unknown. */
static const codec *find_codec(const char *name) {
  char normal[40];
  size_t n = 0;
  if (!name || strcmp(name, "utf-8") == 0) return &codecs[0];
  for (; name[n]; n++) {
    if (n == sizeof normal - 1) return NULL;
    char c = name[n];
    normal[n] = c == '-' || c == ' ' ? '_' : c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
  }
  normal[n] = 0;
  for (size_t i = 0; i < sizeof codecs / sizeof codecs[0]; i++) {
    const char *p = strchr(codecs[i].names, ' ') + 1;
    while (*p) {
      size_t length = strcspn(p, " ");
      if (length == n && memcmp(p, normal, n) == 0) return &codecs[i];
      p += length + (p[length] == ' ');
    }
  }
  return NULL;
}

bool asy_codec_known(const char *name) { return find_codec(name) != NULL; }

asy_codec_kind asy_codec_find(const char *name) {
  const codec *c = find_codec(name);
  if (!c) return ASY_CODEC_UNKNOWN;
  return c - codecs < ASY_CODEC_OTHER ? (asy_codec_kind)(c - codecs) : ASY_CODEC_OTHER;
}

static void codec_name(const codec *c, char out[32]) {
  size_t n = strcspn(c->names, " ");
  memcpy(out, c->names, n);
  out[n] = 0;
}

static const codec *wanted_codec(asy_vm *vm, const char *name) {
  const codec *c = find_codec(name);
  if (!c) asy_raise(vm, ASY_LookupError, "unknown encoding: %s", name);
  return c;
}

asy_str *asy_codec_decode_with(asy_vm *vm, const codec *c, asy_value object, const uint8_t *data, size_t len,
                               const char *errors, asy_value mapping, size_t *used, int *order) {
  char name[32];
  codec_name(c, name);
  decoding d = {
    .vm = vm,
    .codec = c,
    .name = name,
    .errors = errors,
    .handler = find_handler(errors),
    .object = object,
    .data = data,
    .len = len,
    .partial = used != NULL,
    .unit = c->unit,
    .order = order ? *order : 0,
    .big = c->order == ORDER_BIG || (order && *order > 0),
    .mapping = mapping,
  };
  asy_text_init(&d.text, vm);
  if (!c->decode(&d)) {
    asy_text_discard(&d.text);
    return NULL;
  }
  if (used) *used = d.at;
  if (order) *order = d.order;
  return asy_text_finish(&d.text);
}

asy_str *asy_decode_some(asy_vm *vm, const char *name, asy_value object, const uint8_t *data, size_t len,
                         const char *errors, size_t *used, int *order) {
  const codec *c = wanted_codec(vm, name);
  return c ? asy_codec_decode_with(vm, c, object, data, len, errors, 0, used, order) : NULL;
}

asy_str *asy_decode(asy_vm *vm, asy_value object, const uint8_t *data, size_t len, const char *name,
                    const char *errors) {
  const codec *c = find_codec(name);
  if (!c) return asy_codec_decode_registered(vm, name, object, data, len, errors);
  if (c == &codecs[0]) {
    bool malformed;
    asy_str *s = asy_str_from_utf8_strict(vm, data, len, &malformed);
    if (!malformed) return s;
  }
  if (c == &codecs[2]) return asy_str_new_latin1(vm, data, len);
  return asy_codec_decode_with(vm, c, object, data, len, errors, 0, NULL, NULL);
}

asy_str *asy_decode_utf8_partial(asy_vm *vm, const uint8_t *data, size_t len, const char *errors, size_t *used) {
  return asy_codec_decode_with(vm, &codecs[0], 0, data, len, errors, 0, used, NULL);
}

asy_value asy_codec_encode_with(asy_vm *vm, const codec *c, asy_str *text, const char *errors, asy_value mapping) {
  char shown[32];
  codec_name(c, shown);
  encoding e = {
    .vm = vm,
    .codec = c,
    .name = shown,
    .errors = errors,
    .handler = find_handler(errors),
    .text = text,
    .unit = c->unit,
    .big = c->order == ORDER_BIG,
    .mapping = mapping,
  };
  asy_value result = ASY_FAILED;
  if (reserve(&e, (size_t)text->len * (c->unit ? c->unit : asy_str_width(text) == 1 ? 1 : 3)) && c->encode(&e)) {
    result = asy_from_bytes(vm, e.out, e.len);
  }
  free(e.out);
  return result;
}

/* ---- Names of files ---------------------------------------------------------------------------------------------------- */

asy_value asy_fs_decode(asy_vm *vm, const char *bytes, size_t length) {
  asy_str *text = asy_decode(vm, 0, (const uint8_t *)bytes, length, "utf-8", "surrogateescape");
  return text ? asy_from_obj(text) : ASY_FAILED;
}

const char *asy_fs_encode(asy_vm *vm, asy_str *text, size_t *length, asy_value *keep) {
  if (text->head.flags & STR_ASCII) return asy_str_utf8(vm, text, length, keep);
  asy_value bytes = asy_encode(vm, text, "utf-8", "surrogateescape");
  if (asy_failed(bytes)) return NULL;
  *keep = bytes;
  *length = ((const asy_bytes *)asy_obj_of(bytes))->len;
  return (const char *)((const asy_bytes *)asy_obj_of(bytes))->data;
}

asy_value asy_encode(asy_vm *vm, asy_str *text, const char *name, const char *errors) {
  const codec *c = find_codec(name);
  if (!c) return asy_codec_encode_registered(vm, name, text, errors);
  if ((text->head.flags & STR_ASCII) && c <= &codecs[2]) return asy_from_bytes(vm, asy_str_data(text), text->len);
  if (c == &codecs[0]) {
    bool surrogates;
    asy_bytes *bytes = asy_str_to_utf8(vm, text, &surrogates);
    if (!bytes) return ASY_FAILED;
    if (!surrogates) return asy_from_obj(bytes);
  }
  return asy_codec_encode_with(vm, c, text, errors, 0);
}
