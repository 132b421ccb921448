/* value.h - the value: one 64-bit word.
 *
 *   ...xxxxxx1  int      63-bit two's complement, value = word >> 1 (arithmetic)
 *   ...xxxxx10  float    self-tagged double: add a constant, rotate left by 4 (after Melancon, Serrano, Feeley,
 *                        arXiv 2411.16544). Magnitudes 2^-896..2^-128 and 2^128..2^896 live in a heap box instead.
 *   ...xxxx000  object   address of a heap object (16-byte aligned); the word 0 is never a value
 *   ...xxxx100  constant None, False, True, Ellipsis, NotImplemented, and the marks UNBOUND, FAILED, PARKED
 *
 * Must stay true: an int that fits 63 bits is never a heap object, and a double whose pattern fits the tag is never boxed,
 * so equal small ints and (bitwise) equal floats are the same word.
 */
#ifndef ASY_RUNTIME_VALUE_H
#define ASY_RUNTIME_VALUE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef uint64_t asy_value;

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

#define ASY_CONSTANT(index) ((asy_value)((index) << 3 | 4))
#define ASY_NONE ASY_CONSTANT(0)
#define ASY_FALSE ASY_CONSTANT(1)
#define ASY_TRUE ASY_CONSTANT(2)
#define ASY_ELLIPSIS ASY_CONSTANT(3)
#define ASY_NOT_IMPLEMENTED ASY_CONSTANT(4)
#define ASY_UNBOUND ASY_CONSTANT(5) /* a variable without a value; an argument that was not passed */
#define ASY_FAILED ASY_CONSTANT(6)  /* a native returns it with the exception set */
#define ASY_PARKED ASY_CONSTANT(7)  /* an async native returns it: the running task now waits */
#define ASY_END ASY_CONSTANT(8)     /* a `next` slot returns it: the iterator is exhausted, no exception is set */

#define ASY_INT_MIN (-((int64_t)1 << 62))
#define ASY_INT_MAX (((int64_t)1 << 62) - 1)

typedef struct asy_obj asy_obj;

static inline bool asy_is_int(asy_value v) { return (v & 1) != 0; } /* a small int; big ones are objects */
static inline bool asy_both_int(asy_value a, asy_value b) { return (a & b & 1) != 0; }
static inline bool asy_is_flonum(asy_value v) { return (v & 3) == 2; } /* a float in the word; others are objects */
static inline bool asy_is_obj(asy_value v) { return (v & 7) == 0; }
static inline bool asy_is_constant(asy_value v) { return (v & 7) == 4; }
static inline bool asy_is_bool(asy_value v) { return v == ASY_FALSE || v == ASY_TRUE; }
static inline bool asy_failed(asy_value v) { return v == ASY_FAILED; }

static inline bool asy_int_fits(int64_t i) { return i >= ASY_INT_MIN && i <= ASY_INT_MAX; }
static inline asy_value asy_from_small(int64_t i) { return (asy_value)i << 1 | 1; } /* i must fit 63 bits */
static inline int64_t asy_small(asy_value v) { return (int64_t)v >> 1; }
static inline asy_value asy_from_bool(bool b) { return b ? ASY_TRUE : ASY_FALSE; }
static inline asy_value asy_from_obj(const void *o) { return (asy_value)(uintptr_t)o; }
static inline asy_obj *asy_obj_of(asy_value v) { return (asy_obj *)(uintptr_t)v; }

#define ASY_FLONUM_BIAS ((uint64_t)(512 - 895) << 52)

/* The word for d when its exponent lies in the tagged windows; otherwise a word whose low two bits are not 10. */
static inline asy_value asy_flonum_encode(double d) {
  uint64_t bits;
  memcpy(&bits, &d, sizeof bits);
  bits += ASY_FLONUM_BIAS;
  return bits << 4 | bits >> 60;
}

static inline double asy_flonum(asy_value v) {
  uint64_t bits = (v >> 4 | v << 60) - ASY_FLONUM_BIAS;
  double d;
  memcpy(&d, &bits, sizeof d);
  return d;
}

#endif
