/* bytes_internal.h - what bytes, bytearray and memoryview share. */
#ifndef ASY_RUNTIME_TYPES_BYTES_INTERNAL_H
#define ASY_RUNTIME_TYPES_BYTES_INTERNAL_H

#include "runtime/types/bytes.h"
#include "runtime/types/str_internal.h"

/* A view of one line of bytes: 1-D, with items of one struct code, and a stride that slices may change. */
typedef struct asy_memoryview {
  asy_obj head;
  uint32_t exports; /* buffers handed out over this view */
  bool readonly;
  char format; /* struct code: B, b, c, h, H, i, I, l, L, q, Q, f, d, ? */
  uint8_t itemsize;
  asy_value owner; /* bytes or bytearray, locked; 0: released */
  uint8_t *data;   /* of item 0 */
  int64_t len;     /* items */
  int64_t stride;  /* bytes from one item to the next */
  int64_t hash;    /* cached; 0 none */
} asy_memoryview;

static inline asy_bytes *bytes_of(asy_value v) { return (asy_bytes *)asy_obj_of(v); }
static inline asy_bytearray *bytearray_of(asy_value v) { return (asy_bytearray *)asy_obj_of(v); }
static inline bool is_bytearray(asy_value v) { return asy_is_kind(v, KIND_BYTEARRAY); }

/* The data of a bytes or bytearray; valid until the bytearray changes. */
static inline const uint8_t *octets(asy_value v, size_t *len) {
  if (is_bytearray(v)) {
    *len = bytearray_of(v)->len;
    return asy_bytearray_data(bytearray_of(v));
  }
  *len = bytes_of(v)->len;
  return bytes_of(v)->data;
}

/* A new object of the kind of `like`: bytes or bytearray. */
asy_value asy_octets_new(asy_vm *vm, asy_value like, const void *data, size_t len);
/* 0..255 from an int or __index__: ValueError "byte must be in range(0, 256)". */
bool asy_to_byte(asy_vm *vm, asy_value v, uint8_t *out);
/* The bytes that bytes(source) or bytearray(source) would hold, appended to an empty bytearray. False: raised. */
bool asy_bytearray_fill(asy_vm *vm, asy_bytearray *out, const char *what, asy_value source, asy_value encoding,
                        asy_value errors);
/* BufferError while buffers are handed out; views that are garbage are collected first. */
bool asy_bytearray_can_resize(asy_vm *vm, asy_bytearray *b);
/* len bytes; new ones are not set. */
bool asy_bytearray_resize(asy_vm *vm, asy_bytearray *b, size_t len);
/* The items of a view as bytes; NULL: raised (released, no memory). */
asy_bytes *asy_memoryview_copy(asy_vm *vm, asy_memoryview *view);
/* repr of the bytes: b'..'. A bytearray's escapes ' inside "" too. */
void asy_text_octets(asy_text *t, const uint8_t *data, size_t len, bool escape_single);

/* Slots both types share: sequences of octets. */
asy_value asy_octets_get_item(asy_vm *vm, asy_value self, asy_value key);
asy_value asy_octets_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op);
asy_value asy_octets_add(asy_vm *vm, asy_value left, asy_value right);
asy_value asy_octets_mul(asy_vm *vm, asy_value left, asy_value right);
asy_value asy_octets_mod(asy_vm *vm, asy_value left, asy_value right);
asy_value asy_octets_iter(asy_vm *vm, asy_value self);
int asy_octets_contains(asy_vm *vm, asy_value self, asy_value item);
asy_value asy_octets_hex(asy_vm *vm, const uint8_t *data, size_t len, asy_value separator, asy_value group);
asy_value asy_octets_str(asy_vm *vm, asy_value self);

/* The methods that bytes and bytearray have in common: X(name, signature, doc). */
#define ASY_OCTETS_METHODS(X)                                                                                          \
  X(capitalize, SIG("(self, /)"), DOC("Return a copy with only its first character capitalized (ASCII)."))             \
  X(center, SIG("(self, width, fillchar=?, /)"), DOC("Return a centered copy of length width."))                       \
  X(count, SIG("(self, sub, start=None, end=None, /)"),                                                                \
    DOC("Return the number of non-overlapping occurrences of sub."))                                                   \
  X(decode, SIG("(self, /, encoding=?, errors=?)"), DOC("Decode the bytes using the codec registered for encoding."))  \
  X(endswith, SIG("(self, suffix, start=None, end=None, /)"), DOC("Return True if the bytes end with the suffix."))    \
  X(expandtabs, SIG("(self, /, tabsize=8)"), DOC("Return a copy where all tab characters are expanded using spaces.")) \
  X(find, SIG("(self, sub, start=None, end=None, /)"), DOC("Return the lowest index where sub is found, or -1."))      \
  X(hex, SIG("(self, /, sep=?, bytes_per_sep=1)"), DOC("Return a string of hexadecimal digits."))                      \
  X(index, SIG("(self, sub, start=None, end=None, /)"),                                                                \
    DOC("Return the lowest index where sub is found, or raise ValueError."))                                           \
  X(isalnum, SIG("(self, /)"), DOC("Return True if all characters are alphanumeric (ASCII)."))                         \
  X(isalpha, SIG("(self, /)"), DOC("Return True if all characters are alphabetic (ASCII)."))                           \
  X(isascii, SIG("(self, /)"), DOC("Return True if all characters are ASCII."))                                        \
  X(isdigit, SIG("(self, /)"), DOC("Return True if all characters are digits."))                                       \
  X(islower, SIG("(self, /)"), DOC("Return True if all cased characters are lowercase."))                              \
  X(isspace, SIG("(self, /)"), DOC("Return True if all characters are whitespace."))                                   \
  X(istitle, SIG("(self, /)"), DOC("Return True if the bytes are titlecased."))                                        \
  X(isupper, SIG("(self, /)"), DOC("Return True if all cased characters are uppercase."))                              \
  X(join, SIG("(self, iterable_of_bytes, /)"),                                                                         \
    DOC("Concatenate any number of bytes objects, with this one between them."))                                       \
  X(ljust, SIG("(self, width, fillchar=?, /)"), DOC("Return a left-justified copy of length width."))                  \
  X(lower, SIG("(self, /)"), DOC("Return a copy with all ASCII characters converted to lowercase."))                   \
  X(lstrip, SIG("(self, bytes=None, /)"), DOC("Strip leading bytes contained in the argument."))                       \
  X(partition, SIG("(self, sep, /)"), DOC("Partition the bytes into three parts using the given separator."))          \
  X(removeprefix, SIG("(self, prefix, /)"), DOC("Return a copy with the given prefix removed if present."))            \
  X(removesuffix, SIG("(self, suffix, /)"), DOC("Return a copy with the given suffix removed if present."))            \
  X(replace, SIG("(self, old, new, count=-1, /)"), DOC("Return a copy with all occurrences of old replaced by new."))  \
  X(rfind, SIG("(self, sub, start=None, end=None, /)"), DOC("Return the highest index where sub is found, or -1."))    \
  X(rindex, SIG("(self, sub, start=None, end=None, /)"),                                                               \
    DOC("Return the highest index where sub is found, or raise ValueError."))                                          \
  X(rjust, SIG("(self, width, fillchar=?, /)"), DOC("Return a right-justified copy of length width."))                 \
  X(rpartition, SIG("(self, sep, /)"), DOC("Partition the bytes into three parts, searching from the end."))           \
  X(rsplit, SIG("(self, /, sep=None, maxsplit=-1)"), DOC("Return a list of the sections, splitting from the end."))    \
  X(rstrip, SIG("(self, bytes=None, /)"), DOC("Strip trailing bytes contained in the argument."))                      \
  X(split, SIG("(self, /, sep=None, maxsplit=-1)"), DOC("Return a list of the sections, using sep as the delimiter.")) \
  X(splitlines, SIG("(self, /, keepends=False)"), DOC("Return a list of the lines, breaking at line boundaries."))     \
  X(startswith, SIG("(self, prefix, start=None, end=None, /)"),                                                        \
    DOC("Return True if the bytes start with the prefix."))                                                            \
  X(strip, SIG("(self, bytes=None, /)"), DOC("Strip leading and trailing bytes contained in the argument."))           \
  X(swapcase, SIG("(self, /)"), DOC("Return a copy with upper-case ASCII converted to lower-case and vice versa."))    \
  X(title, SIG("(self, /)"), DOC("Return a titlecased copy (ASCII)."))                                                 \
  X(translate, SIG("(self, table, /, delete=?)"), DOC("Return a copy with each byte mapped by the table."))            \
  X(upper, SIG("(self, /)"), DOC("Return a copy with all ASCII characters converted to uppercase."))                   \
  X(zfill, SIG("(self, width, /)"), DOC("Pad with zeros on the left."))

#define X(name, signature, doc) asy_value asy_octets_method_##name(asy_vm *vm, const asy_value *args);
ASY_OCTETS_METHODS(X)
#undef X
asy_value asy_octets_fromhex(asy_vm *vm, const asy_value *args);
asy_value asy_octets_maketrans(asy_vm *vm, const asy_value *args);

#define ASY_OCTETS_ROW(name, signature, doc) {#name, signature, asy_octets_method_##name, doc, 0},

#endif
