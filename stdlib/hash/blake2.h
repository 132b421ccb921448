/* blake2.h - the compression of BLAKE2, by blocks of 128 bytes (BLAKE2b) or 64 (BLAKE2s). */
#ifndef ASY_STDLIB_HASH_BLAKE2_H
#define ASY_STDLIB_HASH_BLAKE2_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
  union {
    uint64_t b[8];
    uint32_t s[8];
  } h;                /* the digest lies at its beginning in the end */
  uint64_t counted;   /* bytes so far, those of the block that is hashed next included */
  uint64_t last_node; /* 0 or all bits */
} blake2_state;

/* Sets h; the parameter block has 64 bytes, 32 for BLAKE2s. */
void asy_blake2_start(blake2_state *s, bool small, const uint8_t *parameters);
void asy_blake2b_block(blake2_state *s, const uint8_t *block, bool last);
void asy_blake2s_block(blake2_state *s, const uint8_t *block, bool last);

#endif
