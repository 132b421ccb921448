/* str.h - text. Fixed-width code points: 1, 2 or 4 bytes each, the narrowest that fits; the ASCII flag says all are < 128.
 *
 *   inline:    [head][len][hash][bytes ... NUL]
 *   buffered:  [head][len][hash][*buffer]      s += t appends in place while len == buffer->used (watermark); old prefixes stay
 *
 * Must stay true: width is canonical (no 2-byte string whose code points all fit one byte), so equal strings have equal bytes;
 * data is followed by a NUL of its width (buffered ones: only guaranteed after asy_str_cstr).
 */
#ifndef ASY_RUNTIME_TYPES_STR_H
#define ASY_RUNTIME_TYPES_STR_H

#include <stdarg.h>

#include "runtime/object.h"

enum {
  STR_WIDTH_MASK = 7, /* head.flags: bytes per code point: 1, 2 or 4 */
  STR_ASCII = 8,
  STR_INTERNED = 16, /* equal interned strings are the same object */
  STR_BUFFERED = 32
};

typedef struct asy_str_buffer asy_str_buffer; /* malloc'ed or a heap object: str.c decides */

struct asy_str {
  asy_obj head;
  uint32_t len;  /* code points */
  uint32_t hash; /* 0: not computed yet */
  union {
    uint8_t bytes[8]; /* inline data; the cell is as large as needed */
    struct {
      uint8_t *data;
      asy_str_buffer *buffer;
    } shared;
  };
};

typedef struct asy_str_iter {
  asy_obj head;
  asy_str *str;   /* NULL: exhausted */
  uint32_t index; /* of the next code point */
} asy_str_iter;

static inline unsigned asy_str_width(const asy_str *s) { return s->head.flags & STR_WIDTH_MASK; }
static inline const void *asy_str_data(const asy_str *s) {
  return s->head.flags & STR_BUFFERED ? (const void *)s->shared.data : (const void *)s->bytes;
}
static inline uint32_t asy_str_at(const asy_str *s, uint32_t i) {
  const void *data = asy_str_data(s);
  switch (asy_str_width(s)) {
    case 1: return ((const uint8_t *)data)[i];
    case 2: return ((const uint16_t *)data)[i];
    default: return ((const uint32_t *)data)[i];
  }
}

/* The first and the last `size` bytes, which may overlap. */
static inline bool asy_same_ends(const uint8_t *a, const uint8_t *b, size_t n, size_t size) {
  uint64_t words[4] = {0};
  memcpy(&words[0], a, size);
  memcpy(&words[1], b, size);
  memcpy(&words[2], a + n - size, size);
  memcpy(&words[3], b + n - size, size);
  return ((words[0] ^ words[1]) | (words[2] ^ words[3])) == 0;
}
/* memcmp's answer for texts as short as most are, without its call. */
static inline bool asy_same_bytes(const uint8_t *a, const uint8_t *b, size_t n) {
  if (n > 16) return memcmp(a, b, n) == 0;
  if (n >= 8) return asy_same_ends(a, b, n, 8);
  if (n >= 4) return asy_same_ends(a, b, n, 4);
  return n >= 2 ? asy_same_ends(a, b, n, 2) : n == 0 || *a == *b;
}

asy_str *asy_str_new_utf8(asy_vm *vm, const char *text,
                          size_t length); /* WTF-8 accepted; NULL: MemoryError or UnicodeDecodeError */
asy_str *asy_str_new_latin1(asy_vm *vm, const uint8_t *text, size_t length);
asy_str *asy_str_new_ucs4(asy_vm *vm, const uint32_t *text, size_t length);
asy_str *asy_str_new_empty(asy_vm *vm, uint32_t len, unsigned width,
                           void **data); /* to be filled in full by the caller, with the width canonical */
asy_str *asy_str_from_cstr(asy_vm *vm, const char *text);
asy_str *asy_str_char(asy_vm *vm, uint32_t code_point); /* one-character string; latin-1 ones are shared */
asy_str *asy_str_intern(asy_vm *vm, asy_str *s);
asy_str *asy_intern(asy_vm *vm, const char *text); /* interned string of C text (UTF-8) */
asy_str *asy_str_vformat(asy_vm *vm, const char *format, va_list arguments);
asy_str *asy_str_format(asy_vm *vm, const char *format, ...); /* asy_raise's directives */
asy_str *asy_str_concat(asy_vm *vm, asy_str *a, asy_str *b);  /* amortised O(len b) for repeated += */
asy_str *asy_str_slice(asy_vm *vm, asy_str *s, uint32_t start, uint32_t end);
asy_str *asy_str_join(asy_vm *vm, asy_str *separator, const asy_value *items, size_t count); /* items must be str */
bool asy_str_equal(const asy_str *a, const asy_str *b);
int asy_str_compare(const asy_str *a, const asy_str *b); /* by code point: <0, 0, >0 */
bool asy_str_is_identifier(const asy_str *s);
bool asy_str_equal_cstr(const asy_str *s, const char *text);
int64_t asy_str_find(asy_vm *vm, asy_str *s, uint32_t start, uint32_t end,
                     asy_str *needle);                                 /* place in s[start:end], -1 absent */
uint32_t asy_hash_memory(asy_vm *vm, const void *data, size_t length); /* the same hash of bytes; never 0 */
uint32_t asy_str_hash(asy_vm *vm, asy_str *s); /* keyed SipHash-1-3 cut to 32 bits, never 0, cached */
/* UTF-8 of s (lone surrogates as WTF-8) in memory that lives as long as s or the returned `bytes` object kept in *keep: ASCII
 * strings are returned as they are. NUL-terminated. NULL with MemoryError set. */
const char *asy_str_utf8(asy_vm *vm, asy_str *s, size_t *length, asy_value *keep);

/* The interned strings are roots: called by asy_vm_visit_roots. The shared strings (vm->names, latin1, empty_str) are made by
 * asy_strings_init, first of all at start; false: no memory. */
bool asy_strings_init(asy_vm *vm);
void asy_intern_visit(asy_vm *vm, asy_visitor *v);
void asy_strings_free(asy_vm *vm);

/* Text under construction: code points appended, widened as needed. Initialise with asy_text_init, never copy; ends with
 * asy_text_finish (makes the str, frees) or asy_text_discard. Failure is sticky: finish returns NULL with MemoryError set. */
typedef struct {
  asy_vm *vm;
  uint8_t *data;     /* NULL: nothing yet; `first`, or malloc'ed when that is too small */
  uint32_t len, cap; /* code points */
  uint32_t max;      /* the widest one, or in its class */
  uint8_t width;     /* bytes of one */
  bool failed;
  _Alignas(8) uint8_t first[112];
} asy_text;
void asy_text_init(asy_text *t, asy_vm *vm);
void asy_text_char(asy_text *t, uint32_t code_point);
void asy_text_ascii(asy_text *t, const char *text); /* C text, ASCII */
void asy_text_ascii_n(asy_text *t, const char *text, size_t length);
void asy_text_int(asy_text *t, int64_t value); /* in decimal */
/* Room for n ASCII characters at the end, and where the caller that wrote some ended. NULL: failed, or the text is wide. */
char *asy_text_open(asy_text *t, size_t n);
static inline void asy_text_close(asy_text *t, const char *end) { t->len = (uint32_t)((const uint8_t *)end - t->data); }
void asy_text_utf8(asy_text *t, const char *text, size_t length);
void asy_text_str(asy_text *t, const asy_str *s);
void asy_text_fill(asy_text *t, uint32_t code_point, size_t n); /* n times */
void asy_text_points(asy_text *t, const void *points, unsigned width, size_t n);
void asy_text_slice(asy_text *t, const asy_str *s, uint32_t start, uint32_t end);
void asy_text_repr_of(asy_text *t, asy_value v); /* repr(v); a failure is sticky with its exception */
asy_str *asy_text_finish(asy_text *t);
void asy_text_discard(asy_text *t);

#endif
