/* str_case.c - lower, upper, title and relatives: ASCII text byte by byte, other text by the full Unicode mappings. */
#include "runtime/types/str_case.h"

#include "runtime/types/lanes.h"
#include "runtime/types/str_internal.h"
#include "runtime/types/unicode.h"

static asy_value from_str(asy_str *s) { return s ? asy_from_obj(s) : ASY_FAILED; }

static inline uint8_t ascii_lower(uint8_t c) { return (uint8_t)(c | ((uint8_t)(c - 'A') < 26 ? 0x20 : 0)); }
static inline uint8_t ascii_upper(uint8_t c) { return (uint8_t)(c & ~((uint8_t)(c - 'a') < 26 ? 0x20 : 0)); }

/* to = from with the 26 letters that begin with `first` moved by `change`. */
static void ascii_change(uint8_t *to, const uint8_t *from, size_t n, uint8_t first, uint8_t change) {
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    asy_lanes8 v = asy_load8(from + i);
    asy_lanes8 letters = (asy_lanes8)(v >= asy_all8(first)) & (asy_lanes8)(v < asy_all8((uint8_t)(first + 26)));
    asy_save8(to + i, v + (letters & asy_all8(change)));
  }
  for (; i < n; i++) to[i] = (uint8_t)(from[i] + ((uint8_t)(from[i] - first) < 26 ? change : 0));
}

/* Whether the sigma at i ends a word: a cased character before it and none after, case-ignorable ones aside. */
static bool final_sigma(const asy_str *s, uint32_t i) {
  int64_t k = (int64_t)i - 1;
  while (k >= 0 && asy_unicode_is(asy_str_at(s, (uint32_t)k), UNI_CASE_IGNORABLE)) k--;
  if (k < 0 || !asy_unicode_is(asy_str_at(s, (uint32_t)k), UNI_CASED)) return false;
  k = (int64_t)i + 1;
  while (k < s->len && asy_unicode_is(asy_str_at(s, (uint32_t)k), UNI_CASE_IGNORABLE)) k++;
  return k == s->len || !asy_unicode_is(asy_str_at(s, (uint32_t)k), UNI_CASED);
}

static unsigned lower_at(const asy_str *s, uint32_t i, uint32_t out[3]) {
  uint32_t c = asy_str_at(s, i);
  if (c == 0x3A3) {
    out[0] = final_sigma(s, i) ? 0x3C2 : 0x3C3;
    return 1;
  }
  return asy_unicode_lower(c, out);
}

static unsigned upper_at(const asy_str *s, uint32_t i, uint32_t out[3]) {
  return asy_unicode_upper(asy_str_at(s, i), out);
}
static unsigned fold_at(const asy_str *s, uint32_t i, uint32_t out[3]) {
  return asy_unicode_fold(asy_str_at(s, i), out);
}

static void add_points(asy_text *t, const uint32_t *points, unsigned n) {
  for (unsigned i = 0; i < n; i++) asy_text_char(t, points[i]);
}

static asy_value map_all(asy_vm *vm, asy_str *s, unsigned (*map)(const asy_str *s, uint32_t i, uint32_t out[3])) {
  asy_text t;
  uint32_t out[3];
  asy_text_init(&t, vm);
  for (uint32_t i = 0; i < s->len; i++) {
    uint32_t c = asy_str_at(s, i);
    if (c < 128) {
      asy_text_char(&t, map == upper_at ? ascii_upper((uint8_t)c) : ascii_lower((uint8_t)c));
      continue;
    }
    unsigned n = map(s, i, out);
    if (n == 1) asy_text_char(&t, out[0]);
    else add_points(&t, out, n);
  }
  return from_str(asy_text_finish(&t));
}

/* A new ASCII string as long as s, for the caller to fill in. */
static uint8_t *ascii_like(asy_vm *vm, asy_str *s, asy_str **result) {
  void *data;
  *result = asy_str_alloc(vm, s->len, 127, &data);
  return *result ? data : NULL;
}

static asy_value lower(asy_vm *vm, asy_str *s, unsigned (*map)(const asy_str *s, uint32_t i, uint32_t out[3])) {
  asy_str *result;
  if (!(s->head.flags & STR_ASCII)) return map_all(vm, s, map);
  const uint8_t *from = asy_str_data(s);
  if (s->len == 1) return asy_from_obj(vm->latin1[ascii_lower(from[0])]);
  uint8_t *to = ascii_like(vm, s, &result);
  if (!to) return ASY_FAILED;
  ascii_change(to, from, s->len, 'A', 32);
  return asy_from_obj(result);
}

asy_value asy_str_lower(asy_vm *vm, const asy_value *args) { return lower(vm, str_of(args[0]), lower_at); }
asy_value asy_str_casefold(asy_vm *vm, const asy_value *args) { return lower(vm, str_of(args[0]), fold_at); }

asy_value asy_str_upper(asy_vm *vm, const asy_value *args) {
  asy_str *s = str_of(args[0]), *result;
  if (!(s->head.flags & STR_ASCII)) return map_all(vm, s, upper_at);
  const uint8_t *from = asy_str_data(s);
  if (s->len == 1) return asy_from_obj(vm->latin1[ascii_upper(from[0])]);
  uint8_t *to = ascii_like(vm, s, &result);
  if (!to) return ASY_FAILED;
  ascii_change(to, from, s->len, 'a', (uint8_t)-32);
  return asy_from_obj(result);
}

asy_value asy_str_title(asy_vm *vm, const asy_value *args) {
  asy_str *s = str_of(args[0]);
  asy_text t;
  uint32_t out[3];
  bool inside = false;
  asy_text_init(&t, vm);
  for (uint32_t i = 0; i < s->len; i++) {
    uint32_t c = asy_str_at(s, i);
    add_points(&t, out, inside ? lower_at(s, i, out) : asy_unicode_title(c, out));
    inside = asy_unicode_is(c, UNI_CASED);
  }
  return from_str(asy_text_finish(&t));
}

asy_value asy_str_capitalize(asy_vm *vm, const asy_value *args) {
  asy_str *s = str_of(args[0]), *result;
  if (s->len == 0) return asy_from_obj(vm->empty_str);
  if (s->head.flags & STR_ASCII) {
    const uint8_t *from = asy_str_data(s);
    uint8_t *to = ascii_like(vm, s, &result);
    if (!to) return ASY_FAILED;
    ascii_change(to, from, s->len, 'A', 32);
    to[0] = ascii_upper(from[0]);
    return asy_from_obj(result);
  }
  asy_text t;
  uint32_t out[3];
  asy_text_init(&t, vm);
  add_points(&t, out, asy_unicode_title(asy_str_at(s, 0), out));
  for (uint32_t i = 1; i < s->len; i++) add_points(&t, out, lower_at(s, i, out));
  return from_str(asy_text_finish(&t));
}

asy_value asy_str_swapcase(asy_vm *vm, const asy_value *args) {
  asy_str *s = str_of(args[0]);
  asy_text t;
  uint32_t out[3];
  asy_text_init(&t, vm);
  for (uint32_t i = 0; i < s->len; i++) {
    uint32_t c = asy_str_at(s, i);
    unsigned flags = asy_unicode_of(c)->flags, n = 1;
    out[0] = c;
    if (flags & UNI_UPPER) n = lower_at(s, i, out);
    else if (flags & UNI_LOWER) n = asy_unicode_upper(c, out);
    add_points(&t, out, n);
  }
  return from_str(asy_text_finish(&t));
}
