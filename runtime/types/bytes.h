/* bytes.h - bytes, bytearray, and the view of bytes-like objects that natives use.
 *
 *   bytes      [head][len][hash][data ... NUL]
 *   bytearray  [head][len][cap][start][exports][*store]     store: malloc'ed, `start` bytes of slack, then len bytes, NUL
 *
 * Must stay true: while exports > 0 neither len nor store changes (BufferError); a bytes object never changes.
 */
#ifndef ASY_RUNTIME_TYPES_BYTES_H
#define ASY_RUNTIME_TYPES_BYTES_H

#include "runtime/object.h"

typedef struct asy_bytes {
  asy_obj head;
  uint32_t len;
  uint32_t hash;  /* 0: not computed yet */
  uint8_t data[]; /* len bytes and a NUL */
} asy_bytes;

typedef struct asy_bytearray {
  asy_obj head;
  uint32_t len;
  uint32_t cap;     /* bytes of store */
  uint32_t start;   /* data begins here: deleting from the front is cheap */
  uint32_t exports; /* buffers handed out: the size is locked */
  uint8_t *store;   /* owned; NULL while cap is 0 */
} asy_bytearray;

static inline uint8_t *asy_bytearray_data(const asy_bytearray *b) {
  return b->store ? b->store + b->start : (uint8_t *)"";
}

asy_bytes *asy_bytes_new(asy_vm *vm, const void *data, size_t len); /* data NULL: zeroes, to be filled in at once */
asy_bytearray *asy_bytearray_new(asy_vm *vm, const void *data, size_t len); /* data NULL: zeroes */
bool asy_bytearray_append(asy_vm *vm, asy_bytearray *b, const void *data, size_t len);
bool asy_bytearray_delete_front(asy_vm *vm, asy_bytearray *b, size_t len); /* amortised O(1) */

/* The bytes of a bytes-like object (bytes, bytearray, memoryview), locked until released. */
typedef struct asy_buffer {
  uint8_t *data; /* write only when `writable` */
  size_t len;
  asy_value owner; /* what must be kept and unlocked; 0: nothing */
  bool writable;
  char format;      /* struct code of the items; 0: bytes ('B') */
  uint8_t itemsize; /* 0: 1 */
} asy_buffer;

bool asy_is_bytes_like(asy_value v);
asy_value asy_script_buffer(asy_vm *vm,
                            asy_value v); /* what __buffer__ of a script's class gives; UNBOUND: it has none */
/* TypeError "a bytes-like object is required, not 'T'" when v is none; BufferError for a view with gaps. */
bool asy_buffer_get(asy_vm *vm, asy_value v, asy_buffer *out) __attribute__((warn_unused_result));
bool asy_buffer_get_writable(asy_vm *vm, asy_value v, asy_buffer *out) __attribute__((warn_unused_result));
void asy_buffer_release(asy_vm *vm, asy_buffer *buffer);

#endif
