/* codec.h - between text and bytes: the built-in codecs and error handlers. */
#ifndef ASY_RUNTIME_TYPES_CODEC_H
#define ASY_RUNTIME_TYPES_CODEC_H

#include "runtime/types/bytes.h"
#include "runtime/types/str.h"

/* encoding and errors are C names; NULL means utf-8 and strict. LookupError for an unknown one. */
asy_value asy_encode(asy_vm *vm, asy_str *text, const char *encoding, const char *errors); /* a bytes object */
/* `object` is what a UnicodeDecodeError shows; 0: a bytes object is made of the data. */
asy_str *asy_decode(asy_vm *vm, asy_value object, const uint8_t *data, size_t len, const char *encoding,
                    const char *errors);
/* Like asy_decode for utf-8, for data that arrives in pieces: an incomplete sequence at the end is left over, *used says where. */
asy_str *asy_decode_utf8_partial(asy_vm *vm, const uint8_t *data, size_t len, const char *errors, size_t *used);
/* By a built-in codec, in pieces when `used` is not NULL; *order (may be NULL): -1 little, 1 big, 0 what a mark says. */
asy_str *asy_decode_some(asy_vm *vm, const char *name, asy_value object, const uint8_t *data, size_t len,
                         const char *errors, size_t *used, int *order);
/* A built-in codec goes by this name ("UTF8", "latin_1"). */
bool asy_codec_known(const char *encoding);
/* Which codec a name means: those before OTHER have a line end in a byte of its own, and no state. */
typedef enum { ASY_CODEC_UTF8, ASY_CODEC_ASCII, ASY_CODEC_LATIN1, ASY_CODEC_OTHER, ASY_CODEC_UNKNOWN } asy_codec_kind;
asy_codec_kind asy_codec_find(const char *encoding);

/* The names of files: asy.h says more. */
asy_value asy_fs_decode(asy_vm *vm, const char *bytes, size_t length);
const char *asy_fs_encode(asy_vm *vm, asy_str *text, size_t *length, asy_value *keep);

void asy_codecs_free(asy_vm *vm); /* what scripts registered */

asy_value asy_raise_decode_error(asy_vm *vm, const char *encoding, asy_value object, size_t start, size_t end,
                                 const char *reason);
asy_value asy_raise_encode_error(asy_vm *vm, const char *encoding, asy_value object, size_t start, size_t end,
                                 const char *reason);

#endif
