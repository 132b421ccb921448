/* coders.c - the module _coders: the streams of libbz2 and liblzma, as bz2.asy and lzma.asy need them.
 *
 * A coder is one stream in one direction. `step` feeds it bytes and says what came out, whether the stream has ended, and how many
 * bytes it took; what is left over, and what may be called when, is the scripts' business. Libraries are loaded by the first coder. */
#include <bzlib.h>
#include <lzma.h>
#include <stdlib.h>

#include "runtime/asy.h"

enum { FIRST_OUTPUT = 16384, FIELDS = 8 };

/* clang-format off */
#define BZ2_FUNCTIONS(X) X(CompressInit) X(Compress) X(CompressEnd) X(DecompressInit) X(Decompress) X(DecompressEnd)
#define LZMA_FUNCTIONS(X)                                                                                                     \
  X(easy_encoder) X(stream_encoder) X(alone_encoder) X(raw_encoder) X(auto_decoder) X(stream_decoder) X(alone_decoder)         \
  X(raw_decoder) X(code) X(end) X(get_check) X(check_is_supported) X(lzma_preset) X(properties_size) X(properties_encode)      \
  X(properties_decode)
/* clang-format on */

typedef struct {
#define X(name) __typeof__(&BZ2_bz##name) name;
  BZ2_FUNCTIONS(X)
#undef X
} bz2_library;

typedef struct {
#define X(name) __typeof__(&lzma_##name) name;
  LZMA_FUNCTIONS(X)
#undef X
} lzma_library;

#define X(name) #name "\0"
static const asy_library bz2 = {"libbz2.so.1.0", "libbz2-1.0", "BZ2_bz*", BZ2_FUNCTIONS(X), 0};
static const asy_library lzma = {"liblzma.so.5", "liblzma5", "lzma_*", LZMA_FUNCTIONS(X), 0};
#undef X

static bool load_bz2(asy_vm *vm, bz2_library *lib) { return asy_load_functions(vm, &bz2, lib); }
static bool load_lzma(asy_vm *vm, lzma_library *lib) { return asy_load_functions(vm, &lzma, lib); }

typedef struct {
  asy_obj head;
  enum { CLOSED, BZ2_IN, BZ2_OUT, LZMA } kind; /* IN unpacks */
  union {
    struct {
      bz_stream stream;
      bz2_library lib;
    } bz2;
    struct {
      lzma_stream stream;
      lzma_library lib;
    } lzma;
  };
} coder;

extern const asy_type asy_coder_type;

static void coder_free(asy_vm *vm, asy_obj *o) {
  (void)vm;
  coder *c = (coder *)o;
  if (c->kind == BZ2_IN) c->bz2.lib.DecompressEnd(&c->bz2.stream);
  else if (c->kind == BZ2_OUT) c->bz2.lib.CompressEnd(&c->bz2.stream);
  else if (c->kind == LZMA) c->lzma.lib.end(&c->lzma.stream);
}

/* ---- Failures ---- */

typedef struct {
  int code;
  asy_exc_id what;
  const char *text;
} failure;

static asy_value fail_bz2(asy_vm *vm, int code) {
  static const failure rows[] = {
    {BZ_PARAM_ERROR, ASY_ValueError, "Internal error - invalid parameters passed to libbzip2"},
    {BZ_DATA_ERROR, ASY_OSError, "Invalid data stream"},
    {BZ_DATA_ERROR_MAGIC, ASY_OSError, "Invalid data stream"},
    {BZ_IO_ERROR, ASY_OSError, "Unknown I/O error"},
    {BZ_UNEXPECTED_EOF, ASY_EOFError, "Compressed file ended before the logical end-of-stream was detected"},
    {BZ_SEQUENCE_ERROR, ASY_RuntimeError, "Internal error - Invalid sequence of commands sent to libbzip2"},
  };
  if (code == BZ_MEM_ERROR) return asy_raise_no_memory(vm);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (rows[i].code == code) return asy_raise(vm, rows[i].what, "%s", rows[i].text);
  return asy_raise(vm, ASY_OSError, "Unrecognized error from libbzip2: %d", code);
}

static asy_value fail_lzma(asy_vm *vm, lzma_ret code) {
  static const char *const texts[] = {
    [LZMA_UNSUPPORTED_CHECK] = "Unsupported integrity check",
    [LZMA_MEMLIMIT_ERROR] = "Memory usage limit exceeded",
    [LZMA_FORMAT_ERROR] = "Input format not supported by decoder",
    [LZMA_OPTIONS_ERROR] = "Invalid or unsupported options",
    [LZMA_DATA_ERROR] = "Corrupt input data",
    [LZMA_BUF_ERROR] = "Insufficient buffer space",
    [LZMA_PROG_ERROR] = "Internal error",
  };
  if (code == LZMA_MEM_ERROR) return asy_raise_no_memory(vm);
  if ((size_t)code < sizeof texts / sizeof *texts && texts[code])
    return asy_raise_own(vm, "_coders", "LZMAError", "%s", texts[code]);
  return asy_raise_own(vm, "_coders", "LZMAError", "Unrecognized error from liblzma: %d", (int)code);
}

/* ---- Making coders ---- */

static asy_value new_bz2(asy_vm *vm, const asy_value *args) {
  int level;
  coder *c = asy_new_object(vm, &asy_coder_type);
  if (!c || !asy_to_int(vm, args[0], 0, 9, &level) || !load_bz2(vm, &c->bz2.lib)) return ASY_FAILED;
  int code = level ? c->bz2.lib.CompressInit(&c->bz2.stream, level, 0, 0)
                   : c->bz2.lib.DecompressInit(&c->bz2.stream, 0, 0);
  if (code != BZ_OK) return fail_bz2(vm, code);
  c->kind = level ? BZ2_OUT : BZ2_IN;
  return asy_from_obj(c);
}

typedef struct {
  lzma_filter chain[LZMA_FILTERS_MAX + 1];
  union {
    lzma_options_lzma lzma;
    lzma_options_delta delta;
    lzma_options_bcj bcj;
  } options[LZMA_FILTERS_MAX];
} filters;

static bool is_lzma_filter(lzma_vli id) { return id == LZMA_FILTER_LZMA1 || id == LZMA_FILTER_LZMA2; }

/* One filter: a tuple (id, preset, eight numbers or None). For delta the first number is the distance, for a BCJ filter the offset
 * of the start. */
static bool read_filter(asy_vm *vm, const lzma_library *lib, asy_value spec, filters *f, size_t at) {
  int64_t id, preset, fields[FIELDS];
  bool given[FIELDS];
  const asy_tuple *t = (asy_tuple *)asy_obj_of(spec);
  if (!asy_to_int64(vm, t->items[0], &id) || !asy_to_int64(vm, t->items[1], &preset)) return false;
  for (int i = 0; i < FIELDS; i++) {
    given[i] = t->items[2 + i] != ASY_NONE;
    fields[i] = 0;
    if (given[i] && !asy_to_int64(vm, t->items[2 + i], &fields[i])) return false;
  }
  f->chain[at] = (lzma_filter){.id = (lzma_vli)id, .options = &f->options[at]};
  if (id == LZMA_FILTER_DELTA) {
    f->options[at].delta = (lzma_options_delta){.type = LZMA_DELTA_TYPE_BYTE,
                                                .dist = given[0] ? (uint32_t)fields[0] : 1};
  } else if (!is_lzma_filter(f->chain[at].id)) {
    f->options[at].bcj = (lzma_options_bcj){.start_offset = (uint32_t)fields[0]};
  } else {
    lzma_options_lzma *o = &f->options[at].lzma;
    if (lib->lzma_preset(o, (uint32_t)preset)) {
      asy_raise_own(vm, "_coders", "LZMAError", "Invalid compression preset: %lld", (long long)preset);
      return false;
    }
    uint32_t *places[FIELDS] = {&o->dict_size, &o->lc, &o->lp, &o->pb, NULL, &o->nice_len, NULL, &o->depth};
    for (int i = 0; i < FIELDS; i++)
      if (given[i] && places[i]) *places[i] = (uint32_t)fields[i];
    if (given[4]) o->mode = (lzma_mode)fields[4];
    if (given[6]) o->mf = (lzma_match_finder)fields[6];
  }
  return true;
}

/* `specs` is a tuple of filters, checked by the script. */
static bool read_filters(asy_vm *vm, const lzma_library *lib, asy_value specs, filters *f) {
  const asy_tuple *t = (asy_tuple *)asy_obj_of(specs);
  for (uint32_t i = 0; i < t->len; i++)
    if (!read_filter(vm, lib, t->items[i], f, i)) return false;
  f->chain[t->len].id = LZMA_VLI_UNKNOWN;
  return true;
}

enum { FORMAT_AUTO, FORMAT_XZ, FORMAT_ALONE, FORMAT_RAW };

static coder *new_lzma(asy_vm *vm) {
  coder *c = asy_new_object(vm, &asy_coder_type);
  return c && load_lzma(vm, &c->lzma.lib) ? c : NULL;
}

static asy_value finish_lzma(asy_vm *vm, coder *c, lzma_ret code) {
  if (code != LZMA_OK) return fail_lzma(vm, code);
  c->kind = LZMA;
  return asy_from_obj(c);
}

/* filters: () to go by the preset. */
static asy_value lzma_encoder_new(asy_vm *vm, const asy_value *args) {
  int format, check;
  int64_t preset;
  filters f;
  coder *c = new_lzma(vm);
  if (!c || !asy_to_int(vm, args[0], 0, FORMAT_RAW, &format) ||
      !asy_to_int(vm, args[1], INT32_MIN, INT32_MAX, &check) || !asy_to_int64(vm, args[2], &preset) ||
      !read_filters(vm, &c->lzma.lib, args[3], &f))
    return ASY_FAILED;
  lzma_stream *s = &c->lzma.stream;
  const lzma_library *lib = &c->lzma.lib;
  if (format == FORMAT_RAW) return finish_lzma(vm, c, lib->raw_encoder(s, f.chain));
  if (format == FORMAT_ALONE) {
    if (f.chain[0].id == LZMA_FILTER_LZMA1 && f.chain[1].id == LZMA_VLI_UNKNOWN)
      return finish_lzma(vm, c, lib->alone_encoder(s, &f.options[0].lzma));
    return asy_raise(vm, ASY_ValueError, "Invalid filter chain for FORMAT_ALONE - must be a single LZMA1 filter");
  }
  if (f.chain[0].id == LZMA_VLI_UNKNOWN)
    return finish_lzma(vm, c, lib->easy_encoder(s, (uint32_t)preset, (lzma_check)check));
  return finish_lzma(vm, c, lib->stream_encoder(s, f.chain, (lzma_check)check));
}

static asy_value lzma_decoder_new(asy_vm *vm, const asy_value *args) {
  enum { FLAGS = LZMA_TELL_ANY_CHECK | LZMA_TELL_NO_CHECK };
  int format;
  filters f;
  coder *c = new_lzma(vm);
  if (!c || !asy_to_int(vm, args[0], 0, FORMAT_RAW, &format) || !read_filters(vm, &c->lzma.lib, args[2], &f))
    return ASY_FAILED;
  uint64_t limit = UINT64_MAX;
  if (args[1] != ASY_NONE && !asy_int_to_uint64(args[1], &limit))
    return asy_raise(vm, ASY_OverflowError, "int too big to convert");
  lzma_stream *s = &c->lzma.stream;
  const lzma_library *lib = &c->lzma.lib;
  return finish_lzma(vm, c,
                     format == FORMAT_AUTO    ? lib->auto_decoder(s, limit, FLAGS)
                     : format == FORMAT_XZ    ? lib->stream_decoder(s, limit, FLAGS)
                     : format == FORMAT_ALONE ? lib->alone_decoder(s, limit)
                                              : lib->raw_decoder(s, f.chain));
}

/* ---- A step ---- */

typedef struct {
  uint8_t *data; /* malloc'ed */
  size_t len, cap;
} output;

static bool grow(asy_vm *vm, output *out, size_t most) {
  size_t cap = out->cap ? out->cap * 2 : FIRST_OUTPUT;
  if (cap > most) cap = most;
  if (cap > INT32_MAX) cap = INT32_MAX;
  uint8_t *grown = cap > out->cap ? realloc(out->data, cap) : NULL;
  if (!grown) return asy_raise_no_memory(vm), false;
  out->data = grown;
  out->cap = cap;
  return true;
}

/* One call of the library between *in and the room in `out`. False: an exception is set. */
static bool step_bz2(asy_vm *vm, coder *c, const asy_buffer *in, size_t *taken, output *out, bool finish, bool *ended) {
  bz_stream *s = &c->bz2.stream;
  size_t left = in->len - *taken, room = out->cap - out->len;
  s->next_in = (char *)in->data + *taken;
  s->avail_in = (unsigned)left;
  s->next_out = (char *)out->data + out->len;
  s->avail_out = (unsigned)room;
  int code = c->kind == BZ2_IN ? c->bz2.lib.Decompress(s)
             : finish || left  ? c->bz2.lib.Compress(s, finish ? BZ_FINISH : BZ_RUN)
                               : BZ_OK;
  *taken += left - s->avail_in;
  out->len += room - s->avail_out;
  *ended = code == BZ_STREAM_END;
  return code >= 0 || (fail_bz2(vm, code), false);
}

static bool step_lzma(asy_vm *vm, coder *c, const asy_buffer *in, size_t *taken, output *out, bool finish,
                      bool *ended) {
  lzma_stream *s = &c->lzma.stream;
  size_t left = in->len - *taken, room = out->cap - out->len;
  s->next_in = in->data + *taken;
  s->avail_in = left;
  s->next_out = out->data + out->len;
  s->avail_out = room;
  lzma_ret code;
  do code = c->lzma.lib.code(s, finish ? LZMA_FINISH : LZMA_RUN);
  while (code == LZMA_GET_CHECK || code == LZMA_NO_CHECK); /* only said once */
  *taken += left - s->avail_in;
  out->len += room - s->avail_out;
  *ended = code == LZMA_STREAM_END;
  bool good = code == LZMA_OK || code == LZMA_STREAM_END || (code == LZMA_BUF_ERROR && !s->avail_in && s->avail_out);
  return good || (fail_lzma(vm, code), false);
}

/* step(data, finish, most) -> (output, ended, bytes taken): as long as something goes in or comes out, at most `most` bytes of
 * output (below 0: any number). */
static asy_value coder_step(asy_vm *vm, const asy_value *args) {
  coder *c = (coder *)asy_obj_of(args[0]);
  int finish = asy_truth(vm, args[2]);
  int64_t limit;
  asy_buffer in;
  if (finish < 0 || !asy_to_int64(vm, args[3], &limit) || !asy_buffer_get(vm, args[1], &in)) return ASY_FAILED;
  size_t most = limit < 0 ? SIZE_MAX : (size_t)limit, taken = 0, before;
  output out = {0};
  bool ended = false, good = most == 0 || grow(vm, &out, most), more = most > 0;
  while (good && more) {
    before = taken + out.len;
    good = (c->kind == LZMA ? step_lzma : step_bz2)(vm, c, &in, &taken, &out, finish, &ended);
    bool full = out.len == out.cap;
    more = !ended && (full ? out.len < most : taken + out.len > before && (taken < in.len || finish));
    if (good && more && full) good = grow(vm, &out, most);
  }
  asy_buffer_release(vm, &in);
  asy_value text = good ? asy_from_bytes(vm, out.data ? out.data : (uint8_t *)"", out.len) : ASY_FAILED;
  free(out.data);
  return asy_failed(text) ? ASY_FAILED
                          : asy_tuple_of(vm, 3, text, ended ? ASY_TRUE : ASY_FALSE, asy_from_small((int64_t)taken));
}

static asy_value coder_check(asy_vm *vm, const asy_value *args) {
  (void)vm;
  coder *c = (coder *)asy_obj_of(args[0]);
  return asy_from_small((int64_t)c->lzma.lib.get_check(&c->lzma.stream));
}

static const asy_native coder_methods[] = {
  {"check", SIG("(self, /)"), coder_check, DOC("The integrity check of an LZMA stream that has been decoded so far."),
   0},
  {"step", SIG("(self, data, finish, most, /)"), coder_step, DOC("Feed the stream: (output, ended, bytes taken)."), 0},
  {0},
};

const asy_type asy_coder_type = {
  .name = "_coders.Coder",
  .size = sizeof(coder),
  .flags = ASY_TYPE_NO_NEW | ASY_TYPE_FINAL,
  .free = coder_free,
  .methods = coder_methods,
};

/* ---- LZMA's other questions ---- */

static asy_value lzma_supported(asy_vm *vm, const asy_value *args) {
  int check;
  lzma_library lib;
  if (!asy_to_int(vm, args[0], INT32_MIN, INT32_MAX, &check) || !load_lzma(vm, &lib)) return ASY_FAILED;
  return lib.check_is_supported((lzma_check)check) ? ASY_TRUE : ASY_FALSE;
}

static asy_value lzma_encode_properties(asy_vm *vm, const asy_value *args) {
  filters f;
  uint32_t size;
  lzma_library lib;
  if (!load_lzma(vm, &lib) || !read_filter(vm, &lib, args[0], &f, 0)) return ASY_FAILED;
  lzma_ret code = lib.properties_size(&size, f.chain);
  uint8_t bytes[64];
  if (code == LZMA_OK && size > sizeof bytes) code = LZMA_OPTIONS_ERROR;
  if (code == LZMA_OK) code = lib.properties_encode(f.chain, bytes);
  return code == LZMA_OK ? asy_from_bytes(vm, bytes, size) : fail_lzma(vm, code);
}

/* (id, numbers ...): of LZMA1 dict_size, lc, lp, pb; of LZMA2 dict_size; of delta dist; of others start_offset when there is one. */
static asy_value lzma_decode_properties(asy_vm *vm, const asy_value *args) {
  int64_t id;
  asy_buffer b;
  lzma_library lib;
  if (!asy_to_int64(vm, args[0], &id) || !load_lzma(vm, &lib) || !asy_buffer_get(vm, args[1], &b)) return ASY_FAILED;
  lzma_filter filter = {.id = (lzma_vli)id};
  lzma_ret code = lib.properties_decode(&filter, NULL, b.data, b.len);
  asy_buffer_release(vm, &b);
  if (code != LZMA_OK) return fail_lzma(vm, code);
  asy_value number = asy_from_int64(vm, id), result;
  const lzma_options_lzma *o = filter.options;
  if (filter.id == LZMA_FILTER_LZMA1)
    result = asy_tuple_of(vm, 5, number, asy_from_small(o->dict_size), asy_from_small(o->lc), asy_from_small(o->lp),
                          asy_from_small(o->pb));
  else if (filter.id == LZMA_FILTER_LZMA2) result = asy_tuple_of(vm, 2, number, asy_from_small(o->dict_size));
  else if (filter.id == LZMA_FILTER_DELTA)
    result = asy_tuple_of(vm, 2, number, asy_from_small(((lzma_options_delta *)filter.options)->dist));
  else if (filter.options)
    result = asy_tuple_of(vm, 2, number, asy_from_small(((lzma_options_bcj *)filter.options)->start_offset));
  else result = asy_tuple_of(vm, 1, number);
  free(filter.options);
  return result;
}

static const asy_native coders_natives[] = {
  {"bz2", SIG("(level, /)"), new_bz2, DOC("A coder of bzip2 streams; level 0: one that unpacks."), 0},
  {"lzma_decode_properties", SIG("(id, data, /)"), lzma_decode_properties, DOC("A filter's properties as numbers."), 0},
  {"lzma_decoder", SIG("(format, memlimit, filters, /)"), lzma_decoder_new, DOC("A coder that unpacks."), 0},
  {"lzma_encode_properties", SIG("(filter, /)"), lzma_encode_properties, DOC("A filter's properties as bytes."), 0},
  {"lzma_encoder", SIG("(format, check, preset, filters, /)"), lzma_encoder_new, DOC("A coder that packs."), 0},
  {"lzma_supported", SIG("(check, /)"), lzma_supported, DOC("Whether the library knows an integrity check."), 0},
  {0},
};

static bool coders_init(asy_vm *vm, asy_value module) {
  return asy_define_exception(vm, module, "_lzma.LZMAError", ASY_Exception);
}

const asy_module_def asy_module__coders = {"_coders", coders_natives, "Streams of bzip2 and LZMA.", coders_init};
