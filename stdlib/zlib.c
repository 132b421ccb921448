/* zlib.c - the module zlib, over the library of that name, which is loaded when the module is imported. Output grows in one malloc'ed
 * buffer; a stream object owns its z_stream. */
#include <stdlib.h>
#include <zlib.h>

#include "runtime/asy.h"

/* clang-format off */
#define FUNCTIONS(X)                                                                                                           \
  X(deflateInit2_) X(deflate) X(deflateEnd) X(deflateCopy) X(deflateSetDictionary)                                             \
  X(inflateInit2_) X(inflate) X(inflateEnd) X(inflateCopy) X(inflateSetDictionary) X(adler32_z) X(crc32_z) X(zlibVersion)
/* clang-format on */

typedef struct {
#define X(name) __typeof__(&name) name;
  FUNCTIONS(X)
#undef X
} zlib_functions;

#define X(name) #name "\0"
static const asy_library library = {"libz.so.1", "zlib1g", "*", FUNCTIONS(X), sizeof(zlib_functions)};
#undef X
#undef FUNCTIONS

/* Never NULL: the module could be imported. */
static const zlib_functions *lib(asy_vm *vm) { return asy_library_table(vm, &library); }

static int start_deflate(asy_vm *vm, z_stream *z, int level, int method, int wbits, int memory, int strategy) {
  return lib(vm)->deflateInit2_(z, level, method, wbits, memory, strategy, ZLIB_VERSION, (int)sizeof *z);
}

static int start_inflate(asy_vm *vm, z_stream *z, int wbits) {
  return lib(vm)->inflateInit2_(z, wbits, ZLIB_VERSION, (int)sizeof *z);
}

enum { FIRST_OUTPUT = 16384, MAX_PIECE = 1 << 30 };

typedef struct {
  uint8_t *data; /* malloc'ed */
  size_t len, cap;
} output;

static bool grow(asy_vm *vm, output *out, size_t most) {
  size_t cap = out->cap ? out->cap * 2 : FIRST_OUTPUT;
  if (cap > most) cap = most;
  if (cap > INT32_MAX) cap = INT32_MAX;
  uint8_t *grown = cap > out->cap || !out->data ? realloc(out->data, cap ? cap : 1) : NULL;
  if (!grown) return asy_raise_no_memory(vm), false;
  out->data = grown;
  out->cap = cap;
  return true;
}

static asy_value finish(asy_vm *vm, output *out, bool good) {
  asy_value result = good ? asy_from_bytes(vm, out->data ? out->data : (uint8_t *)"", out->len) : ASY_FAILED;
  free(out->data);
  return result;
}

static bool raise_zlib(asy_vm *vm, const z_stream *z, int code, const char *what) {
  const char *text = code == Z_VERSION_ERROR ? "library version mismatch" : z->msg;
  if (!text) {
    if (code == Z_BUF_ERROR) text = "incomplete or truncated stream";
    else if (code == Z_STREAM_ERROR) text = "inconsistent stream state";
    else if (code == Z_DATA_ERROR) text = "invalid input data";
  }
  if (code == Z_MEM_ERROR) asy_raise_no_memory(vm);
  else if (text) asy_raise_own(vm, "zlib", "error", "Error %d %s: %.200s", code, what, text);
  else asy_raise_own(vm, "zlib", "error", "Error %d %s", code, what);
  return false;
}

/* One call of deflate or inflate until the output has room left or the stream says stop; Z_OK, Z_STREAM_END, Z_BUF_ERROR or
 * another code, Z_MEM_ERROR with the exception set. At most `most` bytes of output. */
static int pump(asy_vm *vm, z_stream *z, output *out, int (*step)(z_stream *, int), int flush, size_t most) {
  int code = Z_OK;
  do {
    if (out->len == out->cap) {
      if (out->len >= most) return code;
      if (!grow(vm, out, most)) return Z_MEM_ERROR;
    }
    size_t room = out->cap - out->len;
    z->next_out = out->data + out->len;
    z->avail_out = room > MAX_PIECE ? MAX_PIECE : (uInt)room;
    uInt before = z->avail_out;
    code = step(z, flush);
    out->len += before - z->avail_out;
    if (code != Z_OK && code != Z_BUF_ERROR) return code;
  } while (z->avail_out == 0);
  return code;
}

/* ---- At once ---- */

static asy_value zlib_compress(asy_vm *vm, const asy_value *args) {
  int level, wbits;
  asy_buffer b;
  if (!asy_to_int(vm, args[1], INT32_MIN, INT32_MAX, &level) ||
      !asy_to_int(vm, args[2], INT32_MIN, INT32_MAX, &wbits) || !asy_buffer_get(vm, args[0], &b))
    return ASY_FAILED;
  z_stream z = {.next_in = b.data, .avail_in = (uInt)b.len};
  output out = {0};
  int code = start_deflate(vm, &z, level, Z_DEFLATED, wbits, 8, Z_DEFAULT_STRATEGY);
  bool good = false;
  if (code == Z_STREAM_ERROR) asy_raise_own(vm, "zlib", "error", "Bad compression level");
  else if (code != Z_OK) raise_zlib(vm, &z, code, "while compressing data");
  else {
    code = pump(vm, &z, &out, lib(vm)->deflate, Z_FINISH, SIZE_MAX);
    good = code == Z_STREAM_END;
    if (!good && !asy_raised(vm)) raise_zlib(vm, &z, code, "while compressing data");
    lib(vm)->deflateEnd(&z);
  }
  asy_buffer_release(vm, &b);
  return finish(vm, &out, good);
}

static asy_value zlib_decompress(asy_vm *vm, const asy_value *args) {
  int wbits;
  int64_t size;
  asy_buffer b;
  if (!asy_to_int(vm, args[1], INT32_MIN, INT32_MAX, &wbits) || !asy_to_int64(vm, args[2], &size)) return ASY_FAILED;
  if (size < 0) return asy_raise(vm, ASY_ValueError, "bufsize must be non-negative");
  if (!asy_buffer_get(vm, args[0], &b)) return ASY_FAILED;
  z_stream z = {.next_in = b.data, .avail_in = (uInt)b.len};
  output out = {0};
  int code = start_inflate(vm, &z, wbits);
  bool good = false;
  if (code != Z_OK) {
    raise_zlib(vm, &z, code, "while preparing to decompress data");
  } else {
    code = pump(vm, &z, &out, lib(vm)->inflate, Z_SYNC_FLUSH, SIZE_MAX);
    good = code == Z_STREAM_END;
    if (!good && !asy_raised(vm))
      raise_zlib(vm, &z,
                 code == Z_OK          ? Z_BUF_ERROR
                 : code == Z_NEED_DICT ? Z_NEED_DICT
                                       : code,
                 "while decompressing data");
    lib(vm)->inflateEnd(&z);
  }
  asy_buffer_release(vm, &b);
  return finish(vm, &out, good);
}

/* ---- Streams ---- */

typedef struct {
  asy_obj head;
  bool open, compresses;
  bool eof;
  z_stream z;
  asy_value unused_data, unconsumed_tail; /* bytes */
  asy_value dictionary;                   /* 0 none */
} stream;

extern const asy_type asy_zlib_compress_type, asy_zlib_decompress_type;

static stream *stream_of(asy_value v) { return (stream *)asy_obj_of(v); }

static void stream_visit(asy_obj *o, asy_visitor *v) {
  asy_visit_value(v, ((stream *)o)->unused_data);
  asy_visit_value(v, ((stream *)o)->unconsumed_tail);
  asy_visit_value(v, ((stream *)o)->dictionary);
}

static void stream_free(asy_vm *vm, asy_obj *o) {
  stream *s = (stream *)o;
  if (!s->open) return;
  if (s->compresses) lib(vm)->deflateEnd(&s->z);
  else lib(vm)->inflateEnd(&s->z);
}

static stream *new_stream(asy_vm *vm, const asy_type *type) {
  asy_class *cls = asy_define_type(vm, type);
  asy_value empty = asy_from_bytes(vm, "", 0);
  stream *s = cls && !asy_failed(empty) ? asy_new_instance(vm, cls) : NULL;
  if (!s) return NULL;
  s->unused_data = s->unconsumed_tail = empty;
  s->compresses = type == &asy_zlib_compress_type;
  return s;
}

static asy_value zlib_compressobj(asy_vm *vm, const asy_value *args) {
  int options[5];
  for (int i = 0; i < 5; i++)
    if (!asy_to_int(vm, args[i], INT32_MIN, INT32_MAX, &options[i])) return ASY_FAILED;
  stream *s = new_stream(vm, &asy_zlib_compress_type);
  if (!s) return ASY_FAILED;
  int code = start_deflate(vm, &s->z, options[0], options[1], options[2], options[3], options[4]);
  if (code == Z_STREAM_ERROR) return asy_raise(vm, ASY_ValueError, "Invalid initialization option");
  if (code != Z_OK) return raise_zlib(vm, &s->z, code, "while creating compression object"), ASY_FAILED;
  s->open = true;
  if (args[5] == ASY_UNBOUND || args[5] == ASY_NONE) return asy_from_obj(s);
  asy_buffer b;
  if (!asy_buffer_get(vm, args[5], &b)) return ASY_FAILED;
  code = lib(vm)->deflateSetDictionary(&s->z, b.data, (uInt)b.len);
  asy_buffer_release(vm, &b);
  if (code == Z_STREAM_ERROR) return asy_raise(vm, ASY_ValueError, "Invalid dictionary");
  return code == Z_OK ? asy_from_obj(s) : asy_raise(vm, ASY_ValueError, "deflateSetDictionary()");
}

static bool set_inflate_dictionary(asy_vm *vm, stream *s) {
  asy_buffer b;
  if (!asy_buffer_get(vm, s->dictionary, &b)) return false;
  int code = lib(vm)->inflateSetDictionary(&s->z, b.data, (uInt)b.len);
  asy_buffer_release(vm, &b);
  return code == Z_OK || raise_zlib(vm, &s->z, code, "while setting zdict");
}

static asy_value zlib_decompressobj(asy_vm *vm, const asy_value *args) {
  int wbits;
  if (!asy_to_int(vm, args[0], INT32_MIN, INT32_MAX, &wbits)) return ASY_FAILED;
  bool has_dictionary = args[1] != ASY_UNBOUND && args[1] != ASY_NONE;
  if (has_dictionary && !asy_is_bytes_like(args[1]))
    return asy_raise(vm, ASY_TypeError, "zdict argument must support the buffer protocol");
  stream *s = new_stream(vm, &asy_zlib_decompress_type);
  if (!s) return ASY_FAILED;
  if (has_dictionary) s->dictionary = args[1];
  int code = start_inflate(vm, &s->z, wbits);
  if (code == Z_STREAM_ERROR) return asy_raise(vm, ASY_ValueError, "Invalid initialization option");
  if (code != Z_OK) return raise_zlib(vm, &s->z, code, "while creating decompression object"), ASY_FAILED;
  s->open = true;
  return has_dictionary && wbits < 0 && !set_inflate_dictionary(vm, s) ? ASY_FAILED : asy_from_obj(s);
}

static bool check_open(asy_vm *vm, stream *s, const char *what) {
  return s->open || raise_zlib(vm, &s->z, Z_STREAM_ERROR, what);
}

static asy_value compress_compress(asy_vm *vm, const asy_value *args) {
  stream *s = stream_of(args[0]);
  asy_buffer b;
  output out = {0};
  if (!check_open(vm, s, "while compressing data") || !asy_buffer_get(vm, args[1], &b)) return ASY_FAILED;
  s->z.next_in = b.data;
  s->z.avail_in = (uInt)b.len;
  int code = pump(vm, &s->z, &out, lib(vm)->deflate, Z_NO_FLUSH, SIZE_MAX);
  bool good = code == Z_OK || code == Z_BUF_ERROR;
  if (!good && !asy_raised(vm)) raise_zlib(vm, &s->z, code, "while compressing data");
  asy_buffer_release(vm, &b);
  return finish(vm, &out, good);
}

static asy_value compress_flush(asy_vm *vm, const asy_value *args) {
  stream *s = stream_of(args[0]);
  int mode;
  output out = {0};
  if (!asy_to_int(vm, args[1], INT32_MIN, INT32_MAX, &mode)) return ASY_FAILED;
  if (mode == Z_NO_FLUSH) return asy_from_bytes(vm, "", 0);
  if (!check_open(vm, s, "while flushing")) return ASY_FAILED;
  s->z.avail_in = 0;
  int code = pump(vm, &s->z, &out, lib(vm)->deflate, mode, SIZE_MAX);
  bool good = code == Z_OK || code == Z_BUF_ERROR || code == Z_STREAM_END;
  if (code == Z_STREAM_END && mode == Z_FINISH) {
    lib(vm)->deflateEnd(&s->z);
    s->open = false;
  }
  if (!good && !asy_raised(vm)) raise_zlib(vm, &s->z, code, "while flushing");
  return finish(vm, &out, good);
}

static asy_value copy_stream(asy_vm *vm, const asy_value *args) {
  stream *s = stream_of(args[0]);
  if (!s->open) return asy_raise(vm, ASY_ValueError, "Inconsistent stream state");
  stream *copy = new_stream(vm, s->compresses ? &asy_zlib_compress_type : &asy_zlib_decompress_type);
  if (!copy) return ASY_FAILED;
  int code = s->compresses ? lib(vm)->deflateCopy(&copy->z, &s->z) : lib(vm)->inflateCopy(&copy->z, &s->z);
  if (code == Z_STREAM_ERROR) return asy_raise(vm, ASY_ValueError, "Inconsistent stream state");
  if (code != Z_OK) return raise_zlib(vm, &s->z, code, "while copying object"), ASY_FAILED;
  copy->open = true;
  copy->eof = s->eof;
  asy_store(vm, copy, &copy->unused_data, s->unused_data);
  asy_store(vm, copy, &copy->unconsumed_tail, s->unconsumed_tail);
  if (s->dictionary) asy_store(vm, copy, &copy->dictionary, s->dictionary);
  return asy_from_obj(copy);
}

static asy_value deep_copy_stream(asy_vm *vm, const asy_value *args) { return copy_stream(vm, args); }

/* What inflate did not take goes to unused_data (behind the end) or unconsumed_tail. */
static bool save_rest(asy_vm *vm, stream *s, bool ended) {
  asy_value rest = asy_from_bytes(vm, s->z.avail_in ? s->z.next_in : (uint8_t *)"", s->z.avail_in);
  if (asy_failed(rest)) return false;
  if (!ended) {
    if (s->z.avail_in || ((asy_bytes *)asy_obj_of(s->unconsumed_tail))->len)
      asy_store(vm, s, &s->unconsumed_tail, rest);
    return true;
  }
  asy_value all = asy_binary(vm, BINARY_ADD, s->unused_data, rest);
  asy_value empty = asy_from_bytes(vm, "", 0);
  if (asy_failed(all) || asy_failed(empty)) return false;
  asy_store(vm, s, &s->unused_data, all);
  asy_store(vm, s, &s->unconsumed_tail, empty);
  return true;
}

static asy_value inflate_into(asy_vm *vm, stream *s, asy_buffer *b, size_t most, int flush) {
  output out = {0};
  s->z.next_in = b->data;
  s->z.avail_in = (uInt)b->len;
  int code = pump(vm, &s->z, &out, lib(vm)->inflate, flush, most);
  if (code == Z_NEED_DICT && s->dictionary) {
    if (!set_inflate_dictionary(vm, s)) return finish(vm, &out, false);
    code = pump(vm, &s->z, &out, lib(vm)->inflate, flush, most);
  }
  bool good = code == Z_OK || code == Z_BUF_ERROR || code == Z_STREAM_END;
  if (code == Z_STREAM_END) s->eof = true;
  if (good) good = save_rest(vm, s, code == Z_STREAM_END);
  else if (!asy_raised(vm)) raise_zlib(vm, &s->z, code, "while decompressing data");
  return finish(vm, &out, good);
}

static asy_value decompress_decompress(asy_vm *vm, const asy_value *args) {
  stream *s = stream_of(args[0]);
  int64_t most;
  asy_buffer b;
  if (!asy_to_int64(vm, args[2], &most)) return ASY_FAILED;
  if (most < 0) return asy_raise(vm, ASY_ValueError, "max_length must be non-negative");
  if (!asy_buffer_get(vm, args[1], &b)) return ASY_FAILED;
  asy_value result;
  if (s->eof || !s->open) { /* all of it lies behind the end */
    s->z.next_in = b.data;
    s->z.avail_in = (uInt)b.len;
    result = save_rest(vm, s, true) ? asy_from_bytes(vm, "", 0) : ASY_FAILED;
  } else {
    result = inflate_into(vm, s, &b, most ? (size_t)most : SIZE_MAX, Z_SYNC_FLUSH);
  }
  asy_buffer_release(vm, &b);
  return result;
}

static asy_value decompress_flush(asy_vm *vm, const asy_value *args) {
  stream *s = stream_of(args[0]);
  int64_t length;
  asy_buffer b;
  if (!asy_to_int64(vm, args[1], &length)) return ASY_FAILED;
  if (length <= 0) return asy_raise(vm, ASY_ValueError, "length must be greater than zero");
  if (s->eof || !s->open) return asy_from_bytes(vm, "", 0);
  asy_value tail = s->unconsumed_tail;
  if (!asy_buffer_get(vm, tail, &b)) return ASY_FAILED;
  asy_value result = inflate_into(vm, s, &b, SIZE_MAX, Z_FINISH);
  asy_buffer_release(vm, &b);
  if (s->eof && s->open) {
    lib(vm)->inflateEnd(&s->z);
    s->open = false;
  }
  return result;
}

static const asy_native compress_methods[] = {
  {"__copy__", SIG("(self, /)"), copy_stream, 0, 0},
  {"__deepcopy__", SIG("(self, memo, /)"), deep_copy_stream, 0, 0},
  {"compress", SIG("(self, data, /)"), compress_compress, DOC("Returns a bytes object containing compressed data."), 0},
  {"copy", SIG("(self, /)"), copy_stream, DOC("Return a copy of the compression object."), 0},
  {"flush", SIG("(self, mode=4, /)"), compress_flush,
   DOC("Return a bytes object containing any remaining compressed data."), 0},
  {0},
};

static const asy_native decompress_methods[] = {
  {"__copy__", SIG("(self, /)"), copy_stream, 0, 0},
  {"__deepcopy__", SIG("(self, memo, /)"), deep_copy_stream, 0, 0},
  {"copy", SIG("(self, /)"), copy_stream, DOC("Return a copy of the decompression object."), 0},
  {"decompress", SIG("(self, data, /, max_length=0)"), decompress_decompress,
   DOC("Return a bytes object containing the decompressed version of the data."), 0},
  {"flush", SIG("(self, length=16384, /)"), decompress_flush,
   DOC("Return a bytes object containing any remaining decompressed data."), 0},
  {0},
};

static const asy_member decompress_members[] = {
  {"eof", offsetof(stream, eof), MEMBER_BOOL8, false},
  {"unconsumed_tail", offsetof(stream, unconsumed_tail), MEMBER_VALUE, false},
  {"unused_data", offsetof(stream, unused_data), MEMBER_VALUE, false},
  {0},
};

const asy_type asy_zlib_compress_type = {
  .name = "zlib.Compress",
  .size = sizeof(stream),
  .flags = ASY_TYPE_NO_NEW | ASY_TYPE_FINAL,
  .visit = stream_visit,
  .free = stream_free,
  .methods = compress_methods,
};

const asy_type asy_zlib_decompress_type = {
  .name = "zlib.Decompress",
  .size = sizeof(stream),
  .flags = ASY_TYPE_NO_NEW | ASY_TYPE_FINAL,
  .visit = stream_visit,
  .free = stream_free,
  .methods = decompress_methods,
  .members = decompress_members,
};

/* ---- _ZlibDecompressor, for gzip: input it has not used up is kept ---- */

typedef struct {
  asy_obj head;
  bool open, eof, needs_input;
  z_stream z;
  asy_value unused_data, kept; /* bytes */
  asy_value dictionary;
} decompressor;

static void decompressor_visit(asy_obj *o, asy_visitor *v) {
  asy_visit_value(v, ((decompressor *)o)->unused_data);
  asy_visit_value(v, ((decompressor *)o)->kept);
  asy_visit_value(v, ((decompressor *)o)->dictionary);
}

static void decompressor_free(asy_vm *vm, asy_obj *o) {
  if (((decompressor *)o)->open) lib(vm)->inflateEnd(&((decompressor *)o)->z);
}

static asy_value decompressor_new(asy_vm *vm, const asy_value *args) {
  int wbits;
  asy_value empty = asy_from_bytes(vm, "", 0);
  if (asy_failed(empty) || !asy_to_int(vm, args[1], INT32_MIN, INT32_MAX, &wbits)) return ASY_FAILED;
  decompressor *d = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  if (!d) return ASY_FAILED;
  d->unused_data = d->kept = empty;
  d->dictionary = args[2] == ASY_UNBOUND || args[2] == ASY_NONE ? 0 : args[2];
  d->needs_input = true;
  if (start_inflate(vm, &d->z, wbits) != Z_OK) return asy_raise(vm, ASY_ValueError, "Invalid initialization option");
  d->open = true;
  return asy_from_obj(d);
}

static asy_value decompressor_decompress(asy_vm *vm, const asy_value *args) {
  decompressor *d = (decompressor *)asy_obj_of(args[0]);
  int64_t most;
  asy_buffer b;
  if (!asy_to_int64(vm, args[2], &most)) return ASY_FAILED;
  if (d->eof) return asy_raise(vm, ASY_EOFError, "End of stream already reached");
  asy_value input = ((asy_bytes *)asy_obj_of(d->kept))->len ? asy_binary(vm, BINARY_ADD, d->kept, args[1]) : args[1];
  if (asy_failed(input) || !asy_buffer_get(vm, input, &b)) return ASY_FAILED;
  output out = {0};
  d->z.next_in = b.data;
  d->z.avail_in = (uInt)b.len;
  int code = pump(vm, &d->z, &out, lib(vm)->inflate, Z_SYNC_FLUSH, most < 0 ? SIZE_MAX : (size_t)most);
  bool good = code == Z_OK || code == Z_BUF_ERROR || code == Z_STREAM_END;
  if (!good && !asy_raised(vm)) raise_zlib(vm, &d->z, code, "while decompressing data");
  if (good) {
    asy_value rest = asy_from_bytes(vm, d->z.avail_in ? d->z.next_in : (uint8_t *)"", d->z.avail_in);
    asy_value empty = asy_from_bytes(vm, "", 0);
    good = !asy_failed(rest) && !asy_failed(empty);
    if (good) {
      d->eof = code == Z_STREAM_END;
      asy_store(vm, d, &d->unused_data, d->eof ? rest : empty);
      asy_store(vm, d, &d->kept, d->eof ? empty : rest);
      d->needs_input = !d->eof && !d->z.avail_in && (most < 0 || out.len < (size_t)most);
    }
  }
  asy_buffer_release(vm, &b);
  return finish(vm, &out, good);
}

static const asy_native decompressor_methods[] = {
  {"decompress", SIG("(self, /, data, max_length=-1)"), decompressor_decompress,
   DOC("Decompress data, returning uncompressed data as bytes."), 0},
  {0},
};

static const asy_member decompressor_members[] = {
  {"eof", offsetof(decompressor, eof), MEMBER_BOOL8, false},
  {"needs_input", offsetof(decompressor, needs_input), MEMBER_BOOL8, false},
  {"unused_data", offsetof(decompressor, unused_data), MEMBER_VALUE, false},
  {0},
};

const asy_type asy_zlib_decompressor_type = {
  .name = "zlib._ZlibDecompressor",
  .doc = "Create a decompressor object for decompressing data incrementally.",
  .size = sizeof(decompressor),
  .visit = decompressor_visit,
  .free = decompressor_free,
  .new_ = decompressor_new,
  .new_signature = SIG("(cls, wbits=15, zdict=?)"),
  .methods = decompressor_methods,
  .members = decompressor_members,
};

/* ---- Checksums and the module ---- */

static asy_value checksum(asy_vm *vm, const asy_value *args, uLong (*sum)(uLong, const Bytef *, z_size_t)) {
  asy_buffer b;
  asy_value start = asy_index(vm, args[1]);
  if (asy_failed(start) || !asy_buffer_get(vm, args[0], &b)) return ASY_FAILED;
  uLong value = sum((uint32_t)asy_int_mask64(start), b.data, b.len);
  asy_buffer_release(vm, &b);
  return asy_from_small((int64_t)(uint32_t)value);
}
static asy_value zlib_adler32(asy_vm *vm, const asy_value *args) { return checksum(vm, args, lib(vm)->adler32_z); }
static asy_value zlib_crc32(asy_vm *vm, const asy_value *args) { return checksum(vm, args, lib(vm)->crc32_z); }

static const asy_native zlib_natives[] = {
  {"adler32", SIG("(data, value=1, /)"), zlib_adler32, DOC("Compute an Adler-32 checksum of data."), 0},
  {"compress", SIG("(data, /, level=-1, wbits=15)"), zlib_compress,
   DOC("Returns a bytes object containing compressed data."), 0},
  {"compressobj", SIG("(level=-1, method=8, wbits=15, memLevel=8, strategy=0, zdict=?)"), zlib_compressobj,
   DOC("Return a compressor object."), 0},
  {"crc32", SIG("(data, value=0, /)"), zlib_crc32, DOC("Compute a CRC-32 checksum of data."), 0},
  {"decompress", SIG("(data, /, wbits=15, bufsize=16384)"), zlib_decompress,
   DOC("Returns a bytes object containing the uncompressed data."), 0},
  {"decompressobj", SIG("(wbits=15, zdict=?)"), zlib_decompressobj, DOC("Return a decompressor object."), 0},
  {0},
};

enum { DEFLATED = Z_DEFLATED, DEF_MEM_LEVEL = 8, DEF_BUF_SIZE = 16384 };
static const asy_constants constants = CONSTANTS(
  "zlib", MAX_WBITS, DEFLATED, DEF_MEM_LEVEL, DEF_BUF_SIZE, Z_NO_COMPRESSION, Z_BEST_SPEED, Z_BEST_COMPRESSION,
  Z_DEFAULT_COMPRESSION, Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED, Z_NO_FLUSH, Z_PARTIAL_FLUSH,
  Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_FINISH, Z_BLOCK, Z_TREES);

static bool zlib_init(asy_vm *vm, asy_value module) {
  return asy_library_table(vm, &library) && asy_module_add_constants(vm, module, &constants) &&
         asy_module_add_type(vm, module, "_ZlibDecompressor", &asy_zlib_decompressor_type) &&
         asy_module_set(vm, module, "ZLIB_VERSION", asy_from_cstr(vm, ZLIB_VERSION)) &&
         asy_module_set(vm, module, "ZLIB_RUNTIME_VERSION", asy_from_cstr(vm, lib(vm)->zlibVersion())) &&
         asy_module_set(vm, module, "__version__", asy_from_cstr(vm, "1.0")) &&
         asy_define_exception(vm, module, "zlib.error", ASY_Exception);
}

const asy_module_def asy_module_zlib = {"zlib", zlib_natives, "Compression and decompression as gzip does it.",
                                        zlib_init};
