/* codec_internal.h - what codec.c, which has the codecs, shares with codec_registry.c, which has what scripts may add to them. */
#ifndef ASY_RUNTIME_TYPES_CODEC_INTERNAL_H
#define ASY_RUNTIME_TYPES_CODEC_INTERNAL_H

#include "runtime/types/codec.h"
#include "runtime/types/str_internal.h"

typedef enum {
  HANDLER_STRICT,
  HANDLER_IGNORE,
  HANDLER_REPLACE,
  HANDLER_BACKSLASH,
  HANDLER_SURROGATEESCAPE,
  HANDLER_SURROGATEPASS,
  HANDLER_XML,
  HANDLER_NAME,
  HANDLER_UNKNOWN
} handler;

typedef struct codec codec;

typedef struct {
  asy_vm *vm;
  const codec *codec;
  const char *name; /* shown in errors */
  const char *errors;
  handler handler;
  asy_value object; /* bytes to decode, for errors; 0: made when needed */
  const uint8_t *data;
  size_t len, at;
  bool partial;      /* an incomplete sequence at the end is left */
  unsigned unit;     /* bytes of a code unit */
  bool big;          /* big-endian */
  int order;         /* found by a mark, or given: -1 little, 1 big, 0 none yet */
  asy_value mapping; /* of charmap; 0 none */
  asy_text text;
} decoding;

typedef struct {
  asy_vm *vm;
  const codec *codec;
  const char *name;
  const char *errors;
  handler handler;
  asy_str *text;
  uint32_t at;
  unsigned unit;
  bool big;
  bool inner;        /* the text of an error handler: no mark before it */
  asy_value mapping; /* of charmap; 0 none */
  uint8_t *out;      /* malloc'ed */
  size_t len, cap;
} encoding;

struct codec {
  const char *names; /* separated by spaces; the first is shown in errors */
  bool (*decode)(decoding *d);
  bool (*encode)(encoding *e);
  unsigned unit; /* of UTF-16 and 32 */
  enum { ORDER_LITTLE, ORDER_BIG, ORDER_MARK } order;
};

/* What the error handler says about the bytes [start, end), or the characters [e->at, end). False: raised. */
bool asy_codec_decode_error(decoding *d, size_t start, size_t end, const char *reason);
bool asy_codec_encode_error(encoding *e, uint32_t end, const char *reason);
bool asy_codec_put(encoding *e, const void *data, size_t n);
/* Runs a codec whose row is not in the table. */
asy_str *asy_codec_decode_with(asy_vm *vm, const codec *c, asy_value object, const uint8_t *data, size_t len,
                               const char *errors, asy_value mapping, size_t *used, int *order);
asy_value asy_codec_encode_with(asy_vm *vm, const codec *c, asy_str *text, const char *errors, asy_value mapping);

/* codec_registry.c: handlers that scripts registered. */
bool asy_codec_call_decode_handler(decoding *d, size_t start, size_t end, const char *reason);
bool asy_codec_call_encode_handler(encoding *e, uint32_t end, const char *reason);
asy_str *asy_codec_decode_registered(asy_vm *vm, const char *name, asy_value object, const uint8_t *data, size_t len,
                                     const char *errors);
asy_value asy_codec_encode_registered(asy_vm *vm, const char *name, asy_str *text, const char *errors);

#endif
