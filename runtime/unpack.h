/* unpack.h - the scripts and tables inside the binary, unpacked when they are first needed.
 *
 * What is packed is the blocks of one Zstandard frame (RFC 8878) without the frame's header, written by pack.py. It is trusted: it is
 * part of the binary. libzstd itself would be twenty times the size of this decoder, and loading scripts must not depend on a library.
 */
#ifndef ASY_RUNTIME_UNPACK_H
#define ASY_RUNTIME_UNPACK_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
  const uint8_t *data; /* 8 bytes of padding lie behind */
  uint32_t length;     /* unpacked */
} asy_packed;

/* The text, malloc'ed. NULL: no memory. */
uint8_t *asy_unpack(const asy_packed *packed);

/* The same piece by piece: a text of which the first `length` bytes, or more, are unpacked by now. The unpacker owns it. */
typedef struct asy_unpacker asy_unpacker;
asy_unpacker *asy_unpack_begin(const asy_packed *packed); /* NULL: no memory */
const uint8_t *asy_unpack_until(asy_unpacker *u, size_t length);
void asy_unpack_end(asy_unpacker *u); /* of NULL too */

#endif
