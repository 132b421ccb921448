/* blake2_block.c - one block of BLAKE2b or BLAKE2s (RFC 7693, section 3.2), in vectors of the compiler's.
 *
 * a, b, c, d are the rows of the state, so that each operation works on four columns at once. Between the two halves of a round a, c
 * and d turn against b, which makes columns of the diagonals; b, what the next step waits for, stays. A row of BLAKE2b is one
 * register of AVX2, or two where that is missing.
 */
#include "stdlib/hash/blake2.h"

#include <string.h>

#if defined(__x86_64__) && __has_include(<sys/platform/x86.h>)
#include <sys/platform/x86.h>
#define HAS_AVX2() CPU_FEATURE_ACTIVE(AVX2)
#define FOR_AVX2 __attribute__((target("avx2")))
#else
#define HAS_AVX2() false
#define FOR_AVX2
#endif

static const uint64_t start_b[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
                                    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

static const uint32_t start_s[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are copied as they lie");

static const uint8_t order[10][16] = {
  {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
  {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
  {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
  {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
  {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

typedef uint64_t row_b __attribute__((vector_size(32)));
typedef uint32_t row_s __attribute__((vector_size(16)));
typedef uint64_t word_b __attribute__((aligned(1), may_alias)); /* as it lies in a block */
typedef uint32_t word_s __attribute__((aligned(1), may_alias));

#define ROTATE(x, n) ((x) >> (n) | (x) << ((int)sizeof(x)[0] * 8 - (n)))
#define TURN(x, n) __builtin_shufflevector(x, x, n, (n + 1) % 4, (n + 2) % 4, (n + 3) % 4)
#define ADD_WORDS(i, j, k, l)                                                                                          \
  a += (__typeof__(a)) { m[o[i]], m[o[j]], m[o[k]], m[o[l]] } /* no part of the chain through b */
#define MIX(turn_d, turn_b) (a += b, d = ROTATE(d ^ a, turn_d), c += d, b = ROTATE(b ^ c, turn_b))
#define COMPRESS(row, word, state, start, rounds, r1, r2, r3, r4, ...)                                                 \
  const word *m = (const word *)block;                                                                                 \
  row a, b, c, d, top, bottom;                                                                                         \
  memcpy(&top, state, sizeof top);                                                                                     \
  memcpy(&bottom, (state) + 4, sizeof bottom);                                                                         \
  memcpy(&c, start, sizeof c);                                                                                         \
  memcpy(&d, (start) + 4, sizeof d);                                                                                   \
  a = top, b = bottom, d ^= (row){__VA_ARGS__};                                                                        \
  for (int round = 0; round < rounds; round++) {                                                                       \
    const uint8_t *o = order[round < 10 ? round : round - 10];                                                         \
    ADD_WORDS(0, 2, 4, 6), MIX(r1, r2);                                                                                \
    ADD_WORDS(1, 3, 5, 7), MIX(r3, r4);                                                                                \
    a = TURN(a, 3), c = TURN(c, 1), d = TURN(d, 2);                                                                    \
    ADD_WORDS(14, 8, 10, 12), MIX(r1, r2);                                                                             \
    ADD_WORDS(15, 9, 11, 13), MIX(r3, r4);                                                                             \
    a = TURN(a, 1), c = TURN(c, 3), d = TURN(d, 2);                                                                    \
  }                                                                                                                    \
  top ^= a ^ c, bottom ^= b ^ d;                                                                                       \
  memcpy(state, &top, sizeof top);                                                                                     \
  memcpy((state) + 4, &bottom, sizeof bottom)

static inline __attribute__((always_inline)) void compress_b(blake2_state *s, const uint8_t *block, uint64_t last) {
  COMPRESS(row_b, word_b, s->h.b, start_b, 12, 32, 24, 16, 63, s->counted, 0, last, last & s->last_node);
}
static FOR_AVX2 void compress_b_wide(blake2_state *s, const uint8_t *block, uint64_t last) {
  compress_b(s, block, last);
}
static void compress_b_plain(blake2_state *s, const uint8_t *block, uint64_t last) { compress_b(s, block, last); }

void asy_blake2b_block(blake2_state *s, const uint8_t *block, bool last) {
  (HAS_AVX2() ? compress_b_wide : compress_b_plain)(s, block, last ? UINT64_MAX : 0);
}

void asy_blake2s_block(blake2_state *s, const uint8_t *block, bool is_last) {
  const uint32_t last = is_last ? UINT32_MAX : 0;
  COMPRESS(row_s, word_s, s->h.s, start_s, 10, 16, 12, 8, 7, (uint32_t)s->counted, (uint32_t)(s->counted >> 32), last,
           last & (uint32_t)s->last_node);
}

void asy_blake2_start(blake2_state *s, bool small, const uint8_t *parameters) {
  const size_t size = small ? sizeof start_s : sizeof start_b;
  memcpy(&s->h, small ? (const void *)start_s : start_b, size);
  for (size_t i = 0; i < size; i++) ((uint8_t *)&s->h)[i] ^= parameters[i];
}
