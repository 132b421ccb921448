/* codec_iconv.c - the module _multibyte: encodings of several bytes a character, by the converters of the C library (iconv).
 *
 * A Converter is one direction of one encoding and its shift state; text is UTF-32 in native order ("WCHAR_T") on its other side.
 * It is a codec like those of codec.c, so the error handlers are theirs. iconv stops in front of what it cannot convert: that is
 * the place of an error, one byte or character long. Pieces are small enough for their result to fit, so iconv never lacks room
 * and keeps back no character of a pair for that reason.
 */
#include <errno.h>
#include <iconv.h>
#include <stdlib.h>

#include "runtime/class.h"
#include "runtime/types/codec_internal.h"

enum { PIECE = 128, BYTES_OF_CHARACTER = 16 /* with the shift sequences in front of it */ };

typedef struct {
  asy_obj head;
  codec codec;
  iconv_t state; /* NULL: not open */
  char name[32]; /* shown in errors */
  bool ascii;    /* single bytes are ASCII, where the C library has a currency or an overline for some */
} converter;

static const iconv_t NOT_OPEN = (iconv_t)-1;
static const char ILLEGAL[] = "illegal multibyte sequence", INCOMPLETE[] = "incomplete multibyte sequence";

static converter *converter_of(asy_value v) { return (converter *)asy_obj_of(v); }
static const converter *converter_with(const codec *c) {
  return (const converter *)(const void *)((const char *)c - offsetof(converter, codec));
}

/* ---- Decoding ---- */

/* What the C library makes of the bytes 0x5C and 0x7E, and of them only, in the encodings that are flagged. */
static uint32_t as_ascii(uint32_t point) {
  return point == 0xA5 || point == 0x20A9 ? '\\' : point == 0x203E ? '~' : point;
}

static bool decode_pieces(decoding *d) {
  const converter *c = converter_with(d->codec);
  while (d->at < d->len) {
    uint32_t points[PIECE * 2];
    size_t piece = d->len - d->at, room = sizeof points;
    bool last = piece <= PIECE;
    if (!last) piece = PIECE;
    char *in = (char *)(uintptr_t)(d->data + d->at), *out = (char *)points;
    size_t rest = piece;
    int error = iconv(c->state, &in, &rest, &out, &room) == (size_t)-1 ? errno : 0;
    size_t count = (sizeof points - room) / 4;
    for (size_t i = 0; c->ascii && i < count; i++) points[i] = as_ascii(points[i]);
    asy_text_points(&d->text, points, 4, count);
    d->at += piece - rest;
    if (!error || (error == EINVAL && !last && rest < piece)) continue;
    if (error == EINVAL && d->partial) return true;
    bool cut = error == EINVAL && last;
    if (!asy_codec_decode_error(d, d->at, cut ? d->len : d->at + 1, cut ? INCOMPLETE : ILLEGAL)) return false;
  }
  return true;
}

/* decode(data, errors, final): the text and how many bytes were used. */
static asy_value do_decode(asy_vm *vm, const asy_value *args) {
  const char *errors;
  asy_buffer b;
  int final = asy_truth(vm, args[3]);
  if (final < 0 || !asy_to_cstr(vm, args[2], &errors) || !asy_buffer_get(vm, args[1], &b)) return ASY_FAILED;
  size_t used = b.len;
  asy_value object = asy_is_kind(args[1], KIND_BYTES) ? args[1] : 0;
  asy_str *text = asy_codec_decode_with(vm, &converter_of(args[0])->codec, object, b.data, b.len, errors, 0,
                                        final ? NULL : &used, NULL);
  asy_buffer_release(vm, &b);
  return text ? asy_tuple_of(vm, 2, asy_from_obj(text), asy_from_small((int64_t)used)) : ASY_FAILED;
}

/* ---- Encoding ---- */

/* As many of the points as go into the encoding, at most PIECE; *used says how many. False: no memory. */
static bool put_points(encoding *e, const uint32_t *points, size_t count, size_t *used) {
  char bytes[PIECE * BYTES_OF_CHARACTER], *out = bytes, *in = (char *)(uintptr_t)points;
  size_t rest = count * 4, room = sizeof bytes;
  iconv(converter_with(e->codec)->state, &in, &rest, &out, &room);
  *used = count - rest / 4;
  return asy_codec_put(e, bytes, sizeof bytes - room);
}

/* The character at e->at has no form. What the built-in handlers put in its place is ASCII, to be encoded in the state we are in. */
static bool bad_character(encoding *e) {
  uint32_t point = asy_str_at(e->text, e->at);
  if (point < 128 && converter_with(e->codec)->ascii) {
    e->at++;
    return asy_codec_put(e, &(uint8_t){(uint8_t)point}, 1);
  }
  if (e->handler == HANDLER_STRICT || e->handler == HANDLER_SURROGATEESCAPE || e->handler == HANDLER_UNKNOWN)
    return asy_codec_encode_error(e, e->at + 1, ILLEGAL);
  encoding aside = *e;
  aside.out = NULL;
  aside.len = aside.cap = 0;
  bool good = asy_codec_encode_error(&aside, e->at + 1, ILLEGAL);
  for (size_t i = 0; good && i < aside.len; i++) {
    size_t used;
    point = aside.out[i];
    good = put_points(e, &point, 1, &used) && (used || asy_codec_put(e, aside.out + i, 1));
  }
  free(aside.out);
  e->at = aside.at;
  return good;
}

static bool encode_pieces(encoding *e) {
  while (e->at < e->text->len) {
    uint32_t points[PIECE];
    size_t count = e->text->len - e->at, used;
    unsigned width = asy_str_width(e->text);
    if (count > PIECE) count = PIECE;
    asy_copy_points(points, 4, asy_at(asy_str_data(e->text), width, e->at), width, count);
    if (!put_points(e, points, count, &used)) return false;
    e->at += (uint32_t)used;
    if (used < count && !bad_character(e)) return false;
  }
  return true;
}

/* reset(): the initial state again; the bytes that lead there from what was encoded. */
static asy_value do_reset(asy_vm *vm, const asy_value *args) {
  char bytes[BYTES_OF_CHARACTER * 2], *out = bytes;
  size_t room = sizeof bytes;
  iconv(converter_of(args[0])->state, NULL, NULL, &out, &room);
  return asy_from_bytes(vm, bytes, sizeof bytes - room);
}

/* encode(text, errors): the bytes, in the state that was left by what came before. */
static asy_value do_encode(asy_vm *vm, const asy_value *args) {
  const char *errors;
  if (!asy_is_str(args[1])) return asy_raise(vm, ASY_TypeError, "couldn't convert the object to str.");
  if (!asy_to_cstr(vm, args[2], &errors)) return ASY_FAILED;
  return asy_codec_encode_with(vm, &converter_of(args[0])->codec, str_of(args[1]), errors, 0);
}

/* ---- The type ---- */

static void converter_free(asy_vm *vm, asy_obj *o) {
  (void)vm;
  converter *c = (converter *)o;
  if (c->state) iconv_close(c->state);
}

/* (cls, name, charset, encodes, ascii): charset is the name that iconv knows. */
static asy_value converter_new(asy_vm *vm, const asy_value *args) {
  const char *name, *charset;
  int encodes = asy_truth(vm, args[3]), ascii = asy_truth(vm, args[4]);
  if (encodes < 0 || ascii < 0 || !asy_to_cstr(vm, args[1], &name) || !asy_to_cstr(vm, args[2], &charset))
    return ASY_FAILED;
  converter *c = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  if (!c) return ASY_FAILED;
  iconv_t state = encodes ? iconv_open(charset, "WCHAR_T") : iconv_open("WCHAR_T", charset);
  if (state == NOT_OPEN) return asy_raise(vm, ASY_LookupError, "unknown encoding: %s", name);
  c->state = state;
  c->ascii = ascii;
  strncpy(c->name, name, sizeof c->name - 1);
  c->codec = (codec){.names = c->name, .decode = decode_pieces, .encode = encode_pieces};
  return asy_from_obj(c);
}

static const asy_native converter_methods[] = {
  {"decode", SIG("(self, data, errors, final, /)"), do_decode, 0, 0},
  {"encode", SIG("(self, text, errors, /)"), do_encode, 0, 0},
  {"reset", SIG("(self, /)"), do_reset, 0, 0},
  {0},
};

const asy_type asy_converter_type = {
  .name = "_multibyte.Converter",
  .size = sizeof(converter),
  .free = converter_free,
  .new_ = converter_new,
  .new_signature = SIG("(cls, name, charset, encodes, ascii, /)"),
  .methods = converter_methods,
};

static bool multibyte_init(asy_vm *vm, asy_value module) {
  return asy_module_add_type(vm, module, "Converter", &asy_converter_type);
}

const asy_module_def asy_module_multibyte = {"_multibyte", NULL, "Encodings of several bytes a character.",
                                             multibyte_init};
