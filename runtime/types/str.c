/* str.c - the str object: making, hashing, comparing, concatenating, slicing, and its operators.
 *
 * Concatenation. `s += t` in a loop must not copy s each time. A result of more than BUFFER_MIN bytes whose left part is the longer
 * one gets a buffer with room to grow:
 *
 *     "ab.." ---------------+            s1 + "cd": s1 ends at the watermark `used`, so "cd" is written behind it in place,
 *     "ab..cd" -----------+ |            and only a new header is made. Another s1 + "xy" then finds used moved, and copies.
 *     buffer [ab..........cd|      ]
 *                           ^ used
 *
 * Must stay true: bytes of a buffer below `used` are never written again, so every string over it stays what it was.
 */
#include "runtime/types/str_internal.h"

#include <stdlib.h>

#include "runtime/types/codec.h"
#include "runtime/types/format.h"
#include "runtime/types/iter.h"
#include "runtime/types/lanes.h"
#include "runtime/types/slice.h"
#include "runtime/types/unicode.h"

enum {
  BUFFER_MIN = 256,          /* bytes: shorter concatenations are plain strings */
  MAX_LENGTH = INT32_MAX - 1 /* code points */
};

/* Shape and kind are those of bytes: opaque memory for the collector. */
struct asy_str_buffer {
  asy_obj head;
  uint32_t cap;  /* bytes of data: where bytes has its length */
  uint32_t used; /* bytes written: the watermark */
  uint8_t data[];
};

/* ---- Code points ------------------------------------------------------------------------------------------------- */

void asy_copy_points(void *to, unsigned to_width, const void *from, unsigned from_width, size_t n) {
  if (to_width == from_width) {
    memcpy(to, from, n * to_width);
    return;
  }
  const uint8_t *from1 = from;
  const uint16_t *from2 = from;
  const uint32_t *from4 = from;
  uint8_t *to1 = to;
  uint16_t *to2 = to;
  uint32_t *to4 = to;
  switch (to_width << 4 | from_width) {
    case 0x21:
      for (size_t i = 0; i < n; i++) to2[i] = from1[i];
      break;
    case 0x41:
      for (size_t i = 0; i < n; i++) to4[i] = from1[i];
      break;
    case 0x42:
      for (size_t i = 0; i < n; i++) to4[i] = from2[i];
      break;
    case 0x12:
      for (size_t i = 0; i < n; i++) to1[i] = (uint8_t)from2[i];
      break;
    case 0x14:
      for (size_t i = 0; i < n; i++) to1[i] = (uint8_t)from4[i];
      break;
    default:
      for (size_t i = 0; i < n; i++) to2[i] = (uint16_t)from4[i];
      break;
  }
}

static bool all_ascii(const uint8_t *data, size_t n) {
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    uint64_t w[4];
    memcpy(w, data + i, sizeof w);
    if ((w[0] | w[1] | w[2] | w[3]) & 0x8080808080808080u) return false;
  }
  for (; i + 8 <= n; i += 8) {
    uint64_t w;
    memcpy(&w, data + i, sizeof w);
    if (w & 0x8080808080808080u) return false;
  }
  for (; i < n; i++)
    if (data[i] & 0x80) return false;
  return true;
}

uint32_t asy_max_point(const void *data, unsigned width, size_t n) {
  if (width == 1) return all_ascii(data, n) ? 127 : 255;
  uint32_t all = 0;
  if (width == 2) {
    const uint16_t *points = data;
    asy_lanes16 sum = {0};
    size_t i = 0;
    for (; i + 8 <= n; i += 8) sum |= asy_load16(points + i);
    for (unsigned lane = 0; lane < 8; lane++) all |= sum[lane];
    for (; i < n; i++) all |= points[i];
  } else {
    const uint32_t *points = data;
    asy_lanes32 sum = {0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4) sum |= asy_load32(points + i);
    for (unsigned lane = 0; lane < 4; lane++) all |= sum[lane];
    for (; i < n; i++) all |= points[i];
  }
  return all < 128 ? 127 : all < 256 ? 255 : all < 65536 ? 65535 : 0x10FFFF;
}

/* ---- Making ------------------------------------------------------------------------------------------------------- */

static asy_str *alloc_width(asy_vm *vm, size_t len, unsigned width, unsigned flags, void **data) {
  if (len > MAX_LENGTH) {
    asy_raise_no_memory(vm);
    return NULL;
  }
  asy_str *s = asy_new_kind(vm, KIND_STR, offsetof(asy_str, bytes) + (len + 1) * width);
  if (!s) return NULL;
  s->head.flags = (uint16_t)(width | flags);
  s->len = (uint32_t)len;
  *data = s->bytes;
  return s;
}

asy_str *asy_str_alloc(asy_vm *vm, size_t len, uint32_t max, void **data) {
  return alloc_width(vm, len, asy_width_for(max), max < 128 ? STR_ASCII : 0, data);
}

asy_str *asy_str_new_empty(asy_vm *vm, uint32_t len, unsigned width, void **data) {
  return alloc_width(vm, len, width, 0, data);
}

asy_str *asy_str_char(asy_vm *vm, uint32_t code_point) {
  if (code_point < 256 && vm->latin1[code_point]) return vm->latin1[code_point];
  void *data;
  asy_str *s = asy_str_alloc(vm, 1, code_point, &data);
  if (s) asy_poke(data, asy_str_width(s), 0, code_point);
  return s;
}

asy_str *asy_str_from_points(asy_vm *vm, const void *points, unsigned width, size_t n) {
  if (n == 0 && vm->empty_str) return vm->empty_str;
  if (n == 1) return asy_str_char(vm, asy_peek(points, width, 0));
  void *data;
  asy_str *s = asy_str_alloc(vm, n, asy_max_point(points, width, n), &data);
  if (s) asy_copy_points(data, asy_str_width(s), points, width, n);
  return s;
}

asy_str *asy_str_new_latin1(asy_vm *vm, const uint8_t *text, size_t length) {
  return asy_str_from_points(vm, text, 1, length);
}

asy_str *asy_str_new_ucs4(asy_vm *vm, const uint32_t *text, size_t length) {
  return asy_str_from_points(vm, text, 4, length);
}

/* The length of the sequence that begins with this byte; 0: none does. */
static unsigned utf8_length(uint8_t first) {
  return first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
}

/* ASCII bytes at p, of up to 8 that can be read. */
static inline unsigned ascii_run(const uint8_t *p) {
  uint64_t word;
  memcpy(&word, p, sizeof word);
  word &= 0x8080808080808080u;
  return word ? (unsigned)__builtin_ctzll(word) >> 3 : 8;
}

/* Counts code points of WTF-8. False: malformed. */
static bool utf8_measure(const uint8_t *text, size_t length, size_t *count, uint32_t *max) {
  const uint8_t *p = text, *end = text + length;
  size_t continuations = 0;
  uint32_t all = 0x7F;
  while (p < end) {
    if (*p < 0x80) {
      p += end - p >= 8 ? ascii_run(p) : 1;
      continue;
    }
    unsigned size = utf8_length(*p);
    if (size == 0 || size > (size_t)(end - p) || (p[1] & 0xC0) != 0x80) return false;
    if (size == 2) {
      all |= *p < 0xC4 ? 0xFF : 0x7FF;
    } else {
      if ((p[2] & 0xC0) != 0x80 || (*p == 0xE0 && p[1] < 0xA0)) return false;
      if (size == 4 && ((p[3] & 0xC0) != 0x80 || (*p == 0xF0 && p[1] < 0x90) || (*p == 0xF4 && p[1] > 0x8F)))
        return false;
      all |= size == 3 ? 0xFFFFu : 0x10FFFFu;
    }
    continuations += size - 1;
    p += size;
  }
  *count = length - continuations;
  *max = all;
  return true;
}

static uint32_t utf8_read(const uint8_t **at) {
  const uint8_t *p = *at;
  unsigned size = utf8_length(*p);
  *at = p + size;
  switch (size) {
    case 1: return p[0];
    case 2: return (uint32_t)(p[0] & 0x1F) << 6 | (p[1] & 0x3F);
    case 3: return (uint32_t)(p[0] & 0x0F) << 12 | (uint32_t)(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
    default:
      return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3F) << 12 | (uint32_t)(p[2] & 0x3F) << 6 |
             (p[3] & 0x3F);
  }
}

/* count code points of well-formed text; inlined with a constant width. */
static inline void fill_width(void *data, unsigned width, size_t count, const uint8_t *at) {
  for (size_t i = 0; i < count;) {
    if (*at >= 0x80) {
      asy_poke(data, width, i++, utf8_read(&at));
    } else if (count - i >= 8) { /* eight at once, of which the first few count */
      unsigned run = ascii_run(at);
      for (unsigned k = 0; k < 8; k++) asy_poke(data, width, i + k, at[k]);
      i += run;
      at += run;
    } else {
      asy_poke(data, width, i++, *at++);
    }
  }
}

static void fill_utf8(void *data, unsigned width, size_t count, const uint8_t *text) {
  if (width == 1) fill_width(data, 1, count, text);
  else if (width == 2) fill_width(data, 2, count, text);
  else fill_width(data, 4, count, text);
}

asy_str *asy_str_from_utf8_strict(asy_vm *vm, const uint8_t *text, size_t length, bool *malformed) {
  size_t count;
  uint32_t max;
  void *data;
  *malformed = false;
  if (all_ascii(text, length)) {
    if (length <= 1) return length ? asy_str_char(vm, text[0]) : vm->empty_str;
    asy_str *s = asy_str_alloc(vm, length, 127, &data);
    if (s) memcpy(data, text, length);
    return s;
  }
  *malformed = !utf8_measure(text, length, &count, &max);
  for (const uint8_t *p = text; !*malformed && (p = memchr(p, 0xED, length - (size_t)(p - text))); p++)
    *malformed = p[1] >= 0xA0;
  if (*malformed) return NULL;
  asy_str *s = asy_str_alloc(vm, count, max, &data);
  if (s) fill_utf8(data, asy_str_width(s), count, text);
  return s;
}

asy_str *asy_str_new_utf8(asy_vm *vm, const char *text, size_t length) {
  const uint8_t *bytes = (const uint8_t *)text;
  if (length == 0 && vm->empty_str) return vm->empty_str;
  if (length == 1 && bytes[0] < 0x80) return asy_str_char(vm, bytes[0]);
  void *data;
  if (all_ascii(bytes, length)) {
    asy_str *s = asy_str_alloc(vm, length, 127, &data);
    if (s) memcpy(data, text, length);
    return s;
  }
  size_t count;
  uint32_t max;
  if (!utf8_measure(bytes, length, &count, &max)) return asy_decode(vm, 0, bytes, length, "utf-8", "strict");
  if (count == 1) {
    const uint8_t *at = bytes;
    return asy_str_char(vm, utf8_read(&at));
  }
  asy_str *s = asy_str_alloc(vm, count, max, &data);
  if (!s) return NULL;
  fill_utf8(data, asy_str_width(s), count, bytes);
  return s;
}

asy_str *asy_str_from_cstr(asy_vm *vm, const char *text) { return asy_str_new_utf8(vm, text, strlen(text)); }

asy_value asy_from_text(asy_vm *vm, const char *text, size_t length) {
  asy_str *s = asy_str_new_utf8(vm, text, length);
  return s ? asy_from_obj(s) : ASY_FAILED;
}
asy_value asy_from_cstr(asy_vm *vm, const char *text) { return asy_from_text(vm, text, strlen(text)); }

bool asy_is_str(asy_value v) { return asy_is_kind(v, KIND_STR); }

/* ---- Out to C ------------------------------------------------------------------------------------------------------ */

/* Writes at most 4 bytes a code point and returns their number; *surrogates is set when one is among them. Inlined with a
 * constant width. */
static inline size_t write_width(uint8_t *start, const void *data, unsigned width, size_t n, bool *surrogates) {
  uint8_t *out = start;
  for (size_t i = 0; i < n; i++) {
    uint32_t c = asy_peek(data, width, i);
    if (c < 0x80) {
      *out++ = (uint8_t)c;
    } else if (c < 0x800) {
      out[0] = (uint8_t)(0xC0 | c >> 6);
      out[1] = (uint8_t)(0x80 | (c & 0x3F));
      out += 2;
    } else if (width < 4 || c < 0x10000) {
      if (c >= 0xD800 && c < 0xE000) *surrogates = true;
      out[0] = (uint8_t)(0xE0 | c >> 12);
      out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
      out[2] = (uint8_t)(0x80 | (c & 0x3F));
      out += 3;
    } else {
      out[0] = (uint8_t)(0xF0 | c >> 18);
      out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3F));
      out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
      out[3] = (uint8_t)(0x80 | (c & 0x3F));
      out += 4;
    }
  }
  return (size_t)(out - start);
}

asy_bytes *asy_str_to_utf8(asy_vm *vm, asy_str *s, bool *surrogates) {
  uint8_t small[1024];
  unsigned width = asy_str_width(s);
  size_t most = (size_t)s->len * (width == 1 ? 2 : width == 2 ? 3 : 4), size;
  uint8_t *out = most <= sizeof small ? small : malloc(most);
  *surrogates = false;
  if (!out) {
    asy_raise_no_memory(vm);
    return NULL;
  }
  if (width == 1) size = write_width(out, asy_str_data(s), 1, s->len, surrogates);
  else if (width == 2) size = write_width(out, asy_str_data(s), 2, s->len, surrogates);
  else size = write_width(out, asy_str_data(s), 4, s->len, surrogates);
  asy_bytes *bytes = asy_bytes_new(vm, size ? out : NULL, size);
  if (out != small) free(out);
  return bytes;
}

const char *asy_str_utf8(asy_vm *vm, asy_str *s, size_t *length, asy_value *keep) {
  const uint8_t *data = asy_str_data(s);
  *keep = asy_from_obj(s);
  if (s->head.flags & STR_ASCII) {
    *length = s->len;
    if (!(s->head.flags & STR_BUFFERED)) return (const char *)data;
    asy_bytes *copy = asy_bytes_new(vm, data, s->len); /* what follows in the buffer belongs to other strings */
    if (!copy) return NULL;
    *keep = asy_from_obj(copy);
    return (const char *)copy->data;
  }
  bool surrogates;
  asy_bytes *bytes = asy_str_to_utf8(vm, s, &surrogates);
  if (!bytes) return NULL;
  *keep = asy_from_obj(bytes);
  *length = bytes->len;
  return (const char *)bytes->data;
}

/* The text may lie in an object of its own that only the caller's pointer keeps alive: C stacks are scanned. */
bool asy_to_cstr(asy_vm *vm, asy_value v, const char **out) {
  if (!asy_is_str(v)) {
    asy_raise(vm, ASY_TypeError, "expected str, got %T", v);
    return false;
  }
  size_t length;
  asy_value keep;
  const char *text = asy_str_utf8(vm, str_of(v), &length, &keep);
  if (!text) return false;
  if (memchr(text, 0, length)) {
    asy_raise(vm, ASY_ValueError, "embedded null character");
    return false;
  }
  *out = text;
  return true;
}

/* ---- Equality, order, hash ----------------------------------------------------------------------------------------- */

bool asy_str_equal(const asy_str *a, const asy_str *b) {
  if (a == b) return true;
  if (a->len != b->len || asy_str_width(a) != asy_str_width(b)) return false;
  if (a->head.flags & b->head.flags & STR_INTERNED) return false;
  if (a->hash && b->hash && a->hash != b->hash) return false;
  return asy_same_bytes(asy_str_data(a), asy_str_data(b), (size_t)a->len * asy_str_width(a));
}

int asy_str_compare(const asy_str *a, const asy_str *b) {
  const void *left = asy_str_data(a), *right = asy_str_data(b);
  unsigned left_width = asy_str_width(a), right_width = asy_str_width(b);
  uint32_t n = a->len < b->len ? a->len : b->len;
  if (left_width == 1 && right_width == 1) {
    int order = memcmp(left, right, n);
    if (order != 0) return order < 0 ? -1 : 1;
  } else {
    for (uint32_t i = 0; i < n; i++) {
      uint32_t x = asy_peek(left, left_width, i), y = asy_peek(right, right_width, i);
      if (x != y) return x < y ? -1 : 1;
    }
  }
  return a->len == b->len ? 0 : a->len < b->len ? -1 : 1;
}

bool asy_str_equal_cstr(const asy_str *s, const char *text) {
  return (s->head.flags & STR_ASCII) && strlen(text) == s->len && memcmp(asy_str_data(s), text, s->len) == 0;
}

static inline uint64_t rotate(uint64_t x, int bits) { return x << bits | x >> (64 - bits); }

static inline void sip_round(uint64_t v[4]) {
  v[0] += v[1];
  v[2] += v[3];
  v[1] = rotate(v[1], 13) ^ v[0];
  v[3] = rotate(v[3], 16) ^ v[2];
  v[0] = rotate(v[0], 32);
  v[2] += v[1];
  v[0] += v[3];
  v[1] = rotate(v[1], 17) ^ v[2];
  v[3] = rotate(v[3], 21) ^ v[0];
  v[2] = rotate(v[2], 32);
}

/* SipHash-1-3. */
static uint64_t sip_hash(const uint64_t key[2], const uint8_t *data, size_t n) {
  uint64_t v[4] = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du, key[0] ^ 0x6c7967656e657261u,
                   key[1] ^ 0x7465646279746573u};
  uint64_t last = (uint64_t)n << 56;
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    uint64_t word;
    memcpy(&word, data + i, 8);
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
  }
  for (unsigned shift = 0; i < n; i++, shift += 8) last |= (uint64_t)data[i] << shift;
  v[3] ^= last;
  sip_round(v);
  v[0] ^= last;
  v[2] ^= 0xFF;
  sip_round(v);
  sip_round(v);
  sip_round(v);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint32_t asy_hash_memory(asy_vm *vm, const void *data, size_t length) {
  if (!length) return 0;
  uint64_t hash = sip_hash(vm->hash_key, data, length);
  uint32_t folded = (uint32_t)(hash ^ hash >> 32);
  return folded ? folded : 1;
}

uint32_t asy_str_hash(asy_vm *vm, asy_str *s) {
  if (s->hash == 0) s->hash = asy_hash_memory(vm, asy_str_data(s), (size_t)s->len * asy_str_width(s));
  return s->hash;
}

/* ---- Concatenation, slices, join ----------------------------------------------------------------------------------- */

/* A header over the first `bytes` bytes of the buffer. */
static asy_str *over_buffer(asy_vm *vm, asy_str_buffer *buffer, uint8_t *data, uint32_t len, unsigned flags) {
  asy_str *s = asy_new_kind(vm, KIND_STR, sizeof(asy_str));
  if (!s) return NULL;
  s->head.flags = (uint16_t)(flags | STR_BUFFERED);
  s->len = len;
  s->shared.data = data;
  s->shared.buffer = buffer;
  return s;
}

static asy_str *new_buffered(asy_vm *vm, asy_str *a, asy_str *b, unsigned flags) {
  unsigned width = flags & STR_WIDTH_MASK;
  size_t total = ((size_t)a->len + b->len) * width;
  size_t cap = total + total / 2;
  if (cap > UINT32_MAX) return NULL;
  asy_str_buffer *buffer = asy_new_kind(vm, KIND_BYTES, sizeof(asy_str_buffer) + cap + 1);
  if (!buffer) return NULL;
  buffer->cap = (uint32_t)cap;
  buffer->used = (uint32_t)total;
  asy_copy_points(buffer->data, width, asy_str_data(a), asy_str_width(a), a->len);
  asy_copy_points(asy_at(buffer->data, width, a->len), width, asy_str_data(b), asy_str_width(b), b->len);
  return over_buffer(vm, buffer, buffer->data, a->len + b->len, flags);
}

asy_str *asy_str_concat(asy_vm *vm, asy_str *a, asy_str *b) {
  if (b->len == 0 && a->head.shape == KIND_STR) return a;
  if (a->len == 0 && b->head.shape == KIND_STR) return b;
  size_t len = (size_t)a->len + b->len;
  unsigned wa = asy_str_width(a), wb = asy_str_width(b);
  unsigned width = wa > wb ? wa : wb;
  unsigned ascii = a->head.flags & b->head.flags & STR_ASCII;
  if (len > MAX_LENGTH) {
    asy_raise_no_memory(vm);
    return NULL;
  }
  if (len * width > BUFFER_MIN && a->len >= b->len) {
    if ((a->head.flags & STR_BUFFERED) && wa == width) {
      asy_str_buffer *buffer = a->shared.buffer;
      uint8_t *end = a->shared.data + (size_t)a->len * wa;
      if (end == buffer->data + buffer->used && (size_t)b->len * wa <= buffer->cap - buffer->used) {
        asy_copy_points(end, width, asy_str_data(b), wb, b->len);
        buffer->used += b->len * wa;
        return over_buffer(vm, buffer, a->shared.data, (uint32_t)len, width | ascii);
      }
    }
    if (len * width + len * width / 2 <= UINT32_MAX) return new_buffered(vm, a, b, width | ascii);
  }
  void *data;
  asy_str *s = alloc_width(vm, len, width, ascii, &data);
  if (!s) return NULL;
  asy_copy_points(data, width, asy_str_data(a), wa, a->len);
  asy_copy_points(asy_at(data, width, a->len), width, asy_str_data(b), wb, b->len);
  return s;
}

asy_str *asy_str_slice(asy_vm *vm, asy_str *s, uint32_t start, uint32_t end) {
  if (start >= end) return vm->empty_str;
  if (start == 0 && end == s->len && s->head.shape == KIND_STR) return s;
  unsigned width = asy_str_width(s);
  const void *from = asy_at(asy_str_data(s), width, start);
  size_t n = end - start;
  if (n == 1 && width == 1) return vm->latin1[*(const uint8_t *)from];
  if (!(s->head.flags & STR_ASCII)) return asy_str_from_points(vm, from, width, n);
  void *data;
  asy_str *slice = alloc_width(vm, n, 1, STR_ASCII, &data);
  if (slice) memcpy(data, from, n);
  return slice;
}

asy_str *asy_str_join(asy_vm *vm, asy_str *separator, const asy_value *items, size_t count) {
  if (count == 0) return vm->empty_str;
  if (count == 1 && asy_is_exact(items[0], KIND_STR)) return str_of(items[0]);
  size_t len = 0;
  unsigned width = 1, ascii = STR_ASCII;
  if (separator && separator->len && count > 1) {
    len = (count - 1) * separator->len;
    width = asy_str_width(separator);
    ascii &= separator->head.flags;
  }
  for (size_t i = 0; i < count; i++) {
    asy_str *s = str_of(items[i]);
    len += s->len;
    if (asy_str_width(s) > width) width = asy_str_width(s);
    ascii &= s->head.flags;
  }
  void *data;
  asy_str *joined = alloc_width(vm, len, width, ascii, &data);
  if (!joined) return NULL;
  uint8_t *out = data;
  uint8_t narrow = separator && separator->len == 1 && width == 1 ? *(const uint8_t *)asy_str_data(separator) : 0;
  for (size_t i = 0; i < count; i++) {
    if (i > 0 && narrow) {
      *out++ = narrow;
    } else if (i > 0 && separator && separator->len) {
      asy_copy_points(out, width, asy_str_data(separator), asy_str_width(separator), separator->len);
      out += (size_t)separator->len * width;
    }
    asy_str *s = str_of(items[i]);
    asy_copy_points(out, width, asy_str_data(s), asy_str_width(s), s->len);
    out += (size_t)s->len * width;
  }
  return joined;
}

static asy_value repeat(asy_vm *vm, asy_str *s, int64_t count) {
  if (count <= 0 || s->len == 0) return asy_from_obj(vm->empty_str);
  if (count == 1 && s->head.shape == KIND_STR) return asy_from_obj(s);
  if (count > MAX_LENGTH / s->len) return asy_raise_no_memory(vm);
  void *data;
  unsigned width = asy_str_width(s);
  asy_str *result = alloc_width(vm, (size_t)s->len * (size_t)count, width, s->head.flags & STR_ASCII, &data);
  if (!result) return ASY_FAILED;
  size_t unit = (size_t)s->len * width, total = unit * (size_t)count, done = unit;
  if (unit == 1) {
    memset(data, *(const uint8_t *)asy_str_data(s), total);
    return asy_from_obj(result);
  }
  memcpy(data, asy_str_data(s), unit);
  while (done < total) {
    size_t n = done < total - done ? done : total - done;
    memcpy((uint8_t *)data + done, data, n);
    done += n;
  }
  return asy_from_obj(result);
}

/* ---- Subclass instances --------------------------------------------------------------------------------------------- */

asy_str *asy_str_of_class(asy_vm *vm, asy_class *cls, asy_str *s) {
  unsigned width = asy_str_width(s);
  asy_str *copy = asy_new_variable(vm, cls, asy_str_inline_size(s->len, width));
  if (!copy) return NULL;
  copy->head.flags = (uint16_t)(width | (s->head.flags & STR_ASCII));
  copy->len = s->len;
  copy->hash = s->hash;
  memcpy(copy->bytes, asy_str_data(s), (size_t)s->len * width);
  memset(copy->bytes + (size_t)s->len * width, 0, width);
  return copy;
}

asy_value asy_str_exact(asy_vm *vm, asy_value v) {
  asy_str *s = str_of(v);
  if (s->head.shape == KIND_STR) return v;
  void *data;
  unsigned width = asy_str_width(s);
  asy_str *copy = alloc_width(vm, s->len, width, s->head.flags & STR_ASCII, &data);
  if (!copy) return ASY_FAILED;
  memcpy(data, asy_str_data(s), (size_t)s->len * width);
  return asy_from_obj(copy);
}

/* ---- Arguments shared by text and bytes ----------------------------------------------------------------------------- */

bool asy_to_size(asy_vm *vm, asy_value v, int64_t *out) {
  if (asy_is_int(v)) {
    *out = asy_small(v);
    return true;
  }
  asy_value index = asy_index(vm, v);
  if (asy_failed(index)) return false;
  if (asy_is_number_int64(index, out)) return true;
  asy_raise(vm, ASY_OverflowError, "cannot fit '%T' into an index-sized integer", v);
  return false;
}

bool asy_slice_bound(asy_vm *vm, asy_value v, int64_t otherwise, int64_t len, int64_t *out) {
  int64_t i = otherwise;
  if (v != ASY_NONE && v != ASY_UNBOUND) {
    if (asy_is_int(v)) {
      i = asy_small(v);
    } else {
      if (!asy_is_integer(v) && !asy_has_special(vm, v, ASY_NAME(vm, __index__))) {
        asy_raise(vm, ASY_TypeError, "slice indices must be integers or None or have an __index__ method");
        return false;
      }
      asy_value index = asy_index(vm, v);
      if (asy_failed(index)) return false;
      if (!asy_is_number_int64(index, &i))
        i = asy_less(vm, index, asy_from_small(0)) > 0 ? INT64_MIN / 2 : INT64_MAX / 2;
    }
  }
  if (i < 0) i = i + len < 0 ? 0 : i + len;
  *out = i;
  return true;
}

bool asy_slice_of(asy_vm *vm, asy_value slice, int64_t len, int64_t *start, int64_t *step, int64_t *count) {
  int64_t stop;
  return asy_slice_indices(vm, slice, len, start, &stop, step, count);
}

bool asy_item_index(asy_vm *vm, asy_value key, int64_t len, const char *message, int64_t *out) {
  int64_t i;
  if (asy_is_int(key)) {
    i = asy_small(key);
  } else {
    asy_value index = asy_index(vm, key);
    if (asy_failed(index)) return false;
    if (!asy_is_number_int64(index, &i)) {
      asy_raise(vm, ASY_IndexError, "cannot fit '%T' into an index-sized integer", key);
      return false;
    }
  }
  if (i < 0) i += len;
  if (i < 0 || i >= len) {
    asy_raise(vm, ASY_IndexError, "%s", message);
    return false;
  }
  *out = i;
  return true;
}

bool asy_has_special(asy_vm *vm, asy_value v, asy_str *name) {
  asy_lookup *lookup = asy_class_lookup(vm, asy_class_of(vm, v), name);
  return lookup && lookup->kind != LOOKUP_ABSENT;
}

bool asy_defers_to(asy_vm *vm, asy_value other, asy_str *reflected) {
  return !(asy_class_of(vm, other)->flags & ASY_CLASS_BUILTIN) && asy_has_special(vm, other, reflected);
}

/* ---- Slots ----------------------------------------------------------------------------------------------------------- */

static void str_visit(asy_obj *o, asy_visitor *v) {
  if (o->flags & STR_BUFFERED) asy_visit_obj(v, ((asy_str *)o)->shared.buffer);
}

static bool optional_cstr(asy_vm *vm, asy_value v, const char *name, const char **out) {
  if (v == ASY_UNBOUND) {
    *out = NULL;
    return true;
  }
  if (!asy_is_str(v)) {
    asy_raise(vm, ASY_TypeError, "str() argument '%s' must be str, not %T", name, v);
    return false;
  }
  return asy_to_cstr(vm, v, out);
}

static asy_value decoded(asy_vm *vm, asy_value object, const char *encoding, const char *errors) {
  if (asy_is_str(object)) return asy_raise(vm, ASY_TypeError, "decoding str is not supported");
  if (!asy_is_bytes_like(object)) {
    return asy_raise(vm, ASY_TypeError, "decoding to str: need a bytes-like object, %T found", object);
  }
  asy_buffer buffer;
  if (!asy_buffer_get(vm, object, &buffer)) return ASY_FAILED;
  if (!buffer.len) encoding = errors = NULL; /* whether they exist is not asked */
  asy_str *s = asy_decode(vm, asy_is_kind(object, KIND_BYTES) ? object : 0, buffer.data, buffer.len, encoding, errors);
  asy_buffer_release(vm, &buffer);
  return s ? asy_from_obj(s) : ASY_FAILED;
}

static asy_value str_new(asy_vm *vm, const asy_value *args) {
  asy_class *cls = (asy_class *)asy_obj_of(args[0]);
  asy_value object = args[1], result;
  const char *encoding, *errors;
  if (!optional_cstr(vm, args[2], "encoding", &encoding) || !optional_cstr(vm, args[3], "errors", &errors))
    return ASY_FAILED;
  if (object == ASY_UNBOUND) {
    result = asy_from_obj(vm->empty_str);
  } else if (!encoding && !errors) {
    result = asy_str_of(vm, object);
  } else {
    result = decoded(vm, object, encoding, errors);
  }
  if (asy_failed(result) || cls == vm->classes[KIND_STR]) return result;
  asy_str *s = asy_str_of_class(vm, cls, str_of(result));
  return s ? asy_from_obj(s) : ASY_FAILED;
}

static void repr_point(asy_text *t, uint32_t c, uint32_t quote) {
  static const char digits[] = "0123456789abcdef";
  if (c == quote || c == '\\') {
    asy_text_char(t, '\\');
    asy_text_char(t, c);
  } else if (c == '\t' || c == '\n' || c == '\r') {
    asy_text_char(t, '\\');
    asy_text_char(t, c == '\t' ? 't' : c == '\n' ? 'n' : 'r');
  } else if (asy_unicode_is_printable(c)) {
    asy_text_char(t, c);
  } else {
    unsigned n = c < 0x100 ? 2 : c < 0x10000 ? 4 : 8;
    asy_text_char(t, '\\');
    asy_text_char(t, n == 2 ? 'x' : n == 4 ? 'u' : 'U');
    while (n-- > 0) asy_text_char(t, (uint8_t)digits[c >> 4 * n & 15]);
  }
}

static asy_value str_repr(asy_vm *vm, asy_value self) {
  asy_str *s = str_of(self);
  const void *data = asy_str_data(s);
  unsigned width = asy_str_width(s);
  bool has_single = false, has_double = false, plain = (s->head.flags & STR_ASCII) != 0;
  for (uint32_t i = 0; i < s->len; i++) {
    uint32_t c = asy_peek(data, width, i);
    if (c == '\'') has_single = true;
    if (c == '"') has_double = true;
    if (c < 32 || c == '\\' || c >= 127) plain = false;
  }
  uint8_t quote = has_single && !has_double ? '"' : '\'';
  if (plain && !(has_single && has_double)) {
    void *out;
    asy_str *result = asy_str_alloc(vm, (size_t)s->len + 2, 127, &out);
    if (!result) return ASY_FAILED;
    uint8_t *text = out;
    text[0] = text[s->len + 1] = quote;
    memcpy(text + 1, data, s->len);
    return asy_from_obj(result);
  }
  asy_text t;
  asy_text_init(&t, vm);
  asy_text_char(&t, quote);
  for (uint32_t i = 0; i < s->len; i++) repr_point(&t, asy_peek(asy_str_data(s), width, i), quote);
  asy_text_char(&t, quote);
  asy_str *result = asy_text_finish(&t);
  return result ? asy_from_obj(result) : ASY_FAILED;
}

static asy_value str_str(asy_vm *vm, asy_value self) { return asy_str_exact(vm, self); }

static bool str_hash(asy_vm *vm, asy_value self, int64_t *out) {
  *out = asy_str_hash(vm, str_of(self));
  return true;
}

static asy_value str_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op) {
  (void)vm;
  if (!asy_is_str(other)) return ASY_NOT_IMPLEMENTED;
  asy_str *a = str_of(self), *b = str_of(other);
  if (op == COMPARE_EQ) return asy_from_bool(asy_str_equal(a, b));
  if (op == COMPARE_NE) return asy_from_bool(!asy_str_equal(a, b));
  int order = asy_str_compare(a, b);
  switch (op) {
    case COMPARE_LT: return asy_from_bool(order < 0);
    case COMPARE_LE: return asy_from_bool(order <= 0);
    case COMPARE_GT: return asy_from_bool(order > 0);
    default: return asy_from_bool(order >= 0);
  }
}

static int64_t str_length(asy_vm *vm, asy_value self) {
  (void)vm;
  return str_of(self)->len;
}

static asy_value str_get_item(asy_vm *vm, asy_value self, asy_value key) {
  asy_str *s = str_of(self);
  int64_t start, step, count;
  if (asy_is_kind(key, KIND_SLICE)) {
    if (!asy_slice_of(vm, key, s->len, &start, &step, &count)) return ASY_FAILED;
    asy_str *slice;
    if (count <= 0) return asy_from_obj(vm->empty_str);
    if (step == 1) {
      slice = asy_str_slice(vm, s, (uint32_t)start, (uint32_t)(start + count));
      return slice ? asy_from_obj(slice) : ASY_FAILED;
    }
    unsigned width = asy_str_width(s);
    const void *from = asy_str_data(s);
    uint32_t max = 127;
    if (!(s->head.flags & STR_ASCII)) {
      uint32_t all = 0;
      for (int64_t i = 0; i < count; i++) all |= asy_peek(from, width, (size_t)(start + i * step));
      max = all > 0x10FFFF ? 0x10FFFF : all;
    }
    void *data;
    slice = asy_str_alloc(vm, (size_t)count, max, &data);
    if (!slice) return ASY_FAILED;
    unsigned to_width = asy_str_width(slice);
    for (int64_t i = 0; i < count; i++)
      asy_poke(data, to_width, (size_t)i, asy_peek(from, width, (size_t)(start + i * step)));
    return asy_from_obj(slice);
  }
  if (!asy_is_int(key) && !asy_is_integer(key) && !asy_defers_to(vm, key, ASY_NAME(vm, __index__))) {
    return asy_raise(vm, ASY_TypeError, "string indices must be integers, not '%T'", key);
  }
  if (!asy_item_index(vm, key, s->len, "string index out of range", &start)) return ASY_FAILED;
  asy_str *c = asy_str_char(vm, asy_str_at(s, (uint32_t)start));
  return c ? asy_from_obj(c) : ASY_FAILED;
}

static int str_contains(asy_vm *vm, asy_value self, asy_value item) {
  if (!asy_is_str(item)) {
    asy_raise(vm, ASY_TypeError, "'in <string>' requires string as left operand, not %T", item);
    return -1;
  }
  return asy_str_find(vm, str_of(self), 0, str_of(self)->len, str_of(item)) >= 0;
}

/* The first place of needle in s[start:end]; -1 absent. */
int64_t asy_str_find(asy_vm *vm, asy_str *s, uint32_t start, uint32_t end, asy_str *needle) {
  (void)vm;
  if (start > end || needle->len > end - start) return -1;
  if (needle->len == 0) return start;
  unsigned width = asy_str_width(s), needle_width = asy_str_width(needle);
  if (needle_width > width) return -1;
  const void *hay = asy_at(asy_str_data(s), width, start);
  int64_t found;
  if (needle->len == 1) {
    found = asy_find_point(hay, end - start, asy_str_at(needle, 0), width);
  } else if (needle_width == width) {
    found = asy_find_points(hay, end - start, asy_str_data(needle), needle->len, width);
  } else {
    found = asy_find_narrow(hay, end - start, asy_str_data(needle), needle->len, width, needle_width);
  }
  return found < 0 ? -1 : found + start;
}

static asy_value str_iter(asy_vm *vm, asy_value self) {
  asy_str_iter *iterator = asy_new_kind(vm, KIND_STR_ITER, sizeof(asy_str_iter));
  if (!iterator) return ASY_FAILED;
  iterator->str = str_of(self);
  return asy_from_obj(iterator);
}

static asy_value str_add(asy_vm *vm, asy_value left, asy_value right) {
  if (!asy_is_str(left)) return ASY_NOT_IMPLEMENTED;
  if (!asy_is_str(right)) {
    if (asy_defers_to(vm, right, ASY_NAME(vm, __radd__))) return ASY_NOT_IMPLEMENTED;
    return asy_raise(vm, ASY_TypeError, "can only concatenate str (not \"%T\") to str", right);
  }
  asy_str *s = asy_str_concat(vm, str_of(left), str_of(right));
  return s ? asy_from_obj(s) : ASY_FAILED;
}

static asy_value str_mul(asy_vm *vm, asy_value left, asy_value right) {
  if (!asy_is_str(left)) {
    asy_value swap = left;
    left = right;
    right = swap;
  }
  if (!asy_is_str(left)) return ASY_NOT_IMPLEMENTED;
  if (!asy_is_integer(right)) {
    if (asy_defers_to(vm, right, ASY_NAME(vm, __rmul__)) && !asy_defers_to(vm, right, ASY_NAME(vm, __index__)))
      return ASY_NOT_IMPLEMENTED;
    if (!asy_defers_to(vm, right, ASY_NAME(vm, __index__))) {
      return asy_raise(vm, ASY_TypeError, "can't multiply sequence by non-int of type '%T'", right);
    }
  }
  int64_t count;
  if (!asy_to_size(vm, right, &count)) return ASY_FAILED;
  return repeat(vm, str_of(left), count);
}

static asy_value str_mod(asy_vm *vm, asy_value left, asy_value right) {
  if (!asy_is_str(left)) return ASY_NOT_IMPLEMENTED;
  return asy_str_percent(vm, str_of(left), right);
}

const asy_type asy_str_type = {
  .name = "str",
  .doc =
    "str(object='') -> str\nstr(bytes_or_buffer[, encoding[, errors]]) -> str\n\n"
    "Create a new string object from the given object.",
  .size = sizeof(asy_str),
  .visit = str_visit,
  .new_ = str_new,
  .new_signature = SIG("(cls, object=?, encoding=?, errors=?)"),
  .repr = str_repr,
  .str = str_str,
  .hash = str_hash,
  .compare = str_compare,
  .length = str_length,
  .special = &(const asy_special){.get_item = str_get_item, .contains = str_contains},
  .iter = str_iter,
  .operators = &(
    const asy_operators){.binary = {[BINARY_ADD] = str_add, [BINARY_MUL] = str_mul, [BINARY_MOD] = str_mod}},
  .methods = asy_str_methods,
};

/* ---- The iterator ------------------------------------------------------------------------------------------------------ */

static void str_iter_visit(asy_obj *o, asy_visitor *v) { asy_visit_obj(v, ((asy_str_iter *)o)->str); }

static asy_value str_iter_next(asy_vm *vm, asy_value self) {
  asy_str_iter *iterator = (asy_str_iter *)asy_obj_of(self);
  asy_str *s = iterator->str;
  if (!s) return ASY_END;
  if (iterator->index >= s->len) {
    iterator->str = NULL;
    return ASY_END;
  }
  asy_str *c = asy_str_char(vm, asy_str_at(s, iterator->index++));
  return c ? asy_from_obj(c) : ASY_FAILED;
}

static asy_value iter_self(asy_vm *vm, asy_value self) {
  (void)vm;
  return self;
}

static asy_value str_iter_hint(asy_vm *vm, const asy_value *args) {
  (void)vm;
  asy_str_iter *iterator = (asy_str_iter *)asy_obj_of(args[0]);
  return asy_from_small(iterator->str ? iterator->str->len - iterator->index : 0);
}

static const asy_native str_iter_methods[] = {
  {"__length_hint__", SIG("(self, /)"), str_iter_hint, DOC("Private method returning an estimate of len(list(it))."),
   0},
  ASY_INDEXED_ITERATOR_ROWS,
  {0},
};

const asy_type asy_str_iter_type = {
  .name = "str_iterator",
  .size = sizeof(asy_str_iter),
  .flags = ASY_TYPE_NO_NEW | ASY_TYPE_FINAL,
  .visit = str_iter_visit,
  .iter = iter_self,
  .next = str_iter_next,
  .methods = str_iter_methods,
};
