/* str_internal.h - what the files that implement text share: code points of any width, spans, arguments. */
#ifndef ASY_RUNTIME_TYPES_STR_INTERNAL_H
#define ASY_RUNTIME_TYPES_STR_INTERNAL_H

#include "runtime/class.h"
#include "runtime/types/bytes.h"
#include "runtime/vm.h"

static inline asy_str *str_of(asy_value v) { return (asy_str *)asy_obj_of(v); }

static inline uint32_t asy_peek(const void *data, unsigned width, size_t i) {
  switch (width) {
    case 1: return ((const uint8_t *)data)[i];
    case 2: return ((const uint16_t *)data)[i];
    default: return ((const uint32_t *)data)[i];
  }
}
static inline void asy_poke(void *data, unsigned width, size_t i, uint32_t c) {
  switch (width) {
    case 1: ((uint8_t *)data)[i] = (uint8_t)c; break;
    case 2: ((uint16_t *)data)[i] = (uint16_t)c; break;
    default: ((uint32_t *)data)[i] = c;
  }
}
static inline unsigned asy_width_for(uint32_t max) { return max < 0x100 ? 1 : max < 0x10000 ? 2 : 4; }
static inline void *asy_at(const void *data, unsigned width, size_t i) {
  return (uint8_t *)(uintptr_t)data + i * width;
}

/* Copies n code points to a span of the same or another width; a narrower one must fit them. */
void asy_copy_points(void *to, unsigned to_width, const void *from, unsigned from_width, size_t n);
/* A number in the same class (below 128, 256, 65536) as the largest of the n code points. */
uint32_t asy_max_point(const void *data, unsigned width, size_t n);
static inline uint32_t asy_str_max(const asy_str *s) {
  if (s->head.flags & STR_ASCII) return 127;
  return asy_max_point(asy_str_data(s), asy_str_width(s), s->len);
}
/* A new string of len code points of which `max` is the largest, or in its class; to be filled in full. */
asy_str *asy_str_alloc(asy_vm *vm, size_t len, uint32_t max, void **data);
/* A string of the n code points at data, as narrow as can be. */
asy_str *asy_str_from_points(asy_vm *vm, const void *data, unsigned width, size_t n);
/* Strict UTF-8: NULL with *malformed when it is not (nothing raised), else NULL for no memory. */
asy_str *asy_str_from_utf8_strict(asy_vm *vm, const uint8_t *text, size_t length, bool *malformed);
asy_bytes *asy_str_to_utf8(asy_vm *vm, asy_str *s, bool *surrogates); /* WTF-8; *surrogates: it is not UTF-8 */
asy_str *asy_str_of_class(asy_vm *vm, asy_class *cls, asy_str *s);    /* an instance of the str subclass cls */
asy_value asy_str_exact(asy_vm *vm, asy_value s); /* s itself, or an exact str with the text of a subclass instance */

/* Bytes of the C struct and data of a variable-sized object, rounded to 8: the place of `more` in subclass instances. */
static inline size_t asy_str_inline_size(uint32_t len, unsigned width) {
  size_t size = offsetof(asy_str, bytes) + ((size_t)len + 1) * width;
  if (size < sizeof(asy_str)) size = sizeof(asy_str);
  return (size + 7) & ~(size_t)7;
}
static inline size_t asy_bytes_inline_size(uint32_t len) {
  return (sizeof(asy_bytes) + (size_t)len + 1 + 7) & ~(size_t)7;
}

/* A subclass instance of a variable-sized kind: `size` bytes of C struct and data, then `more`. */
static inline void *asy_new_variable(asy_vm *vm, asy_class *cls, size_t size) {
  void *o = asy_alloc(vm, cls->root->id, cls->kind, size + sizeof(asy_value));
  if (o && (cls->flags & ASY_CLASS_HAS_FINALIZER) && !asy_register_finalizer(vm, o)) return NULL;
  return o;
}

/* ---- Spans of code points: search (search.c). The same width on both sides. -1: absent ---- */
int64_t asy_find_points(const void *hay, size_t n, const void *needle, size_t m, unsigned width);
/* The same with a needle of a narrower width. */
int64_t asy_find_narrow(const void *hay, size_t n, const void *needle, size_t m, unsigned width, unsigned needle_width);
int64_t asy_rfind_points(const void *hay, size_t n, const void *needle, size_t m, unsigned width);
size_t asy_count_points(const void *hay, size_t n, const void *needle, size_t m, unsigned width, size_t most);
int64_t asy_find_point(const void *hay, size_t n, uint32_t c, unsigned width);
int64_t asy_rfind_point(const void *hay, size_t n, uint32_t c, unsigned width);

/* ---- Arguments ---- */
/* An optional slice bound (None, UNBOUND or an index) as in s[start:end]: clamped to 0..len. */
bool asy_slice_bound(asy_vm *vm, asy_value v, int64_t otherwise, int64_t len, int64_t *out);
/* An int as a size: OverflowError "cannot fit 'int' into an index-sized integer"; TypeError as operator.index. */
bool asy_to_size(asy_vm *vm, asy_value v, int64_t *out);
/* start, step and count of a slice object over a sequence of len items. */
bool asy_slice_of(asy_vm *vm, asy_value slice, int64_t len, int64_t *start, int64_t *step, int64_t *count);
/* An item index, negative ones counted from the end; IndexError with `message`. */
bool asy_item_index(asy_vm *vm, asy_value key, int64_t len, const char *message, int64_t *out);
/* The class of v has the special method. */
bool asy_has_special(asy_vm *vm, asy_value v, asy_str *name);
/* The other operand may still know what to do: an instance of a script class with the method `reflected`. */
bool asy_defers_to(asy_vm *vm, asy_value other, asy_str *reflected);

extern const asy_native asy_str_methods[];

#endif
