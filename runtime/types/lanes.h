/* lanes.h - sixteen bytes at a time, by the vector types that gcc and clang both know: the compiler picks the instructions.
 * A comparison gives lanes of all ones or all zeros.
 */
#ifndef ASY_RUNTIME_TYPES_LANES_H
#define ASY_RUNTIME_TYPES_LANES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t asy_lanes8 __attribute__((vector_size(16)));
typedef uint16_t asy_lanes16 __attribute__((vector_size(16)));
typedef uint32_t asy_lanes32 __attribute__((vector_size(16)));
typedef uint64_t asy_lanes64 __attribute__((vector_size(16)));

static inline asy_lanes8 asy_load8(const void *from) {
  asy_lanes8 v;
  memcpy(&v, from, sizeof v);
  return v;
}
static inline asy_lanes16 asy_load16(const void *from) {
  asy_lanes16 v;
  memcpy(&v, from, sizeof v);
  return v;
}
static inline asy_lanes32 asy_load32(const void *from) {
  asy_lanes32 v;
  memcpy(&v, from, sizeof v);
  return v;
}
static inline void asy_save8(void *to, asy_lanes8 v) { memcpy(to, &v, sizeof v); }

static inline asy_lanes8 asy_all8(uint8_t x) { return (asy_lanes8){0} + x; }
static inline asy_lanes16 asy_all16(uint16_t x) { return (asy_lanes16){0} + x; }

static inline bool asy_any(asy_lanes64 v) { return (v[0] | v[1]) != 0; }

#endif
