/* module.c - the module _io: open(), the decoder of line ends, the standard streams, and the names that io.asy builds on. */
#include <stdlib.h>
#include <unistd.h>

#include "runtime/file.h"
#include "runtime/io/io.h"
#include "runtime/types/str_internal.h"

/* ---- IncrementalNewlineDecoder ---- */

typedef struct {
  asy_obj head;
  asy_value decoder, errors; /* decoder None: str is given */
  bool translate, pending_cr;
  uint8_t seen;
} newline_decoder;

static newline_decoder *decoder_of(const asy_value *args) { return (newline_decoder *)asy_obj_of(args[0]); }

static void decoder_visit(asy_obj *o, asy_visitor *v) {
  asy_visit_value(v, ((newline_decoder *)o)->decoder);
  asy_visit_value(v, ((newline_decoder *)o)->errors);
}

static asy_value decoder_init(asy_vm *vm, const asy_value *args) {
  newline_decoder *d = decoder_of(args);
  int translate = asy_truth(vm, args[2]);
  if (translate < 0) return ASY_FAILED;
  asy_store(vm, d, &d->decoder, args[1]);
  asy_store(vm, d, &d->errors, args[3]);
  d->translate = translate;
  d->pending_cr = false;
  d->seen = 0;
  return ASY_NONE;
}

/* The text with its line ends noted, and translated where that is asked for. */
static asy_str *note_ends(asy_vm *vm, newline_decoder *d, asy_str *s) {
  const void *data = asy_str_data(s);
  unsigned width = asy_str_width(s);
  if (asy_find_point(data, s->len, '\r', width) < 0) {
    if (!(d->seen & SEEN_LF) && asy_find_point(data, s->len, '\n', width) >= 0) d->seen |= SEEN_LF;
    return s;
  }
  asy_text out;
  asy_text_init(&out, vm);
  for (uint32_t i = 0; i < s->len; i++) {
    uint32_t c = asy_peek(data, width, i);
    bool pair = c == '\r' && i + 1 < s->len && asy_peek(data, width, i + 1) == '\n';
    if (pair) d->seen |= SEEN_CRLF;
    else if (c == '\r' || c == '\n') d->seen |= c == '\r' ? SEEN_CR : SEEN_LF;
    if (pair) i++;
    asy_text_char(&out, c == '\r' ? '\n' : c);
  }
  if (d->translate) return asy_text_finish(&out);
  asy_text_discard(&out);
  return s;
}

static asy_value decoder_decode(asy_vm *vm, const asy_value *args) {
  newline_decoder *d = decoder_of(args);
  int final = asy_truth(vm, args[2]);
  if (final < 0) return ASY_FAILED;
  if (!d->decoder) return asy_raise(vm, ASY_ValueError, "IncrementalNewlineDecoder.__init__() not called");
  asy_value text = args[1];
  if (d->decoder != ASY_NONE) text = io_call(vm, d->decoder, "decode", 2, (asy_value[]){args[1], asy_from_bool(final)});
  if (asy_failed(text)) return text;
  if (!asy_is_str(text)) return asy_raise(vm, ASY_TypeError, "decoder should return a string result, not '%T'", text);
  asy_str *s = (asy_str *)asy_obj_of(text);
  if (d->pending_cr && (final || s->len)) {
    asy_str *cr = asy_str_char(vm, '\r');
    if (!cr || !(s = asy_str_concat(vm, cr, s))) return ASY_FAILED;
    d->pending_cr = false;
  }
  if (!final && s->len && asy_str_at(s, s->len - 1) == '\r') {
    if (!(s = asy_str_slice(vm, s, 0, s->len - 1))) return ASY_FAILED;
    d->pending_cr = true;
  }
  s = note_ends(vm, d, s);
  return s ? asy_from_obj(s) : ASY_FAILED;
}

static asy_value decoder_getstate(asy_vm *vm, const asy_value *args) {
  newline_decoder *d = decoder_of(args);
  asy_value buffer = asy_from_bytes(vm, "", 0), flags = asy_from_small(0);
  if (d->decoder && d->decoder != ASY_NONE) {
    asy_value state = io_call(vm, d->decoder, "getstate", 0, NULL);
    if (asy_failed(state)) return state;
    if (!asy_is_kind(state, KIND_TUPLE) || ((asy_tuple *)asy_obj_of(state))->len != 2)
      return asy_raise(vm, ASY_TypeError, "illegal decoder state");
    buffer = ((asy_tuple *)asy_obj_of(state))->items[0];
    flags = ((asy_tuple *)asy_obj_of(state))->items[1];
    if (!asy_is_integer(flags)) return asy_raise(vm, ASY_TypeError, "illegal decoder state");
  }
  flags = asy_binary(vm, BINARY_LSHIFT, flags, asy_from_small(1));
  if (!asy_failed(flags) && d->pending_cr) flags = asy_binary(vm, BINARY_OR, flags, asy_from_small(1));
  return asy_failed(flags) || asy_failed(buffer) ? ASY_FAILED : asy_tuple_of(vm, 2, buffer, flags);
}

static asy_value decoder_setstate(asy_vm *vm, const asy_value *args) {
  newline_decoder *d = decoder_of(args);
  if (!asy_is_kind(args[1], KIND_TUPLE)) return asy_raise(vm, ASY_TypeError, "state argument must be a tuple");
  const asy_tuple *state = (const asy_tuple *)asy_obj_of(args[1]);
  if (state->len != 2 || !asy_is_integer(state->items[1]))
    return asy_raise(vm, ASY_TypeError, "setstate(): illegal state argument");
  asy_value flags = asy_binary(vm, BINARY_RSHIFT, state->items[1], asy_from_small(1));
  d->pending_cr = asy_int_is_odd(state->items[1]);
  if (asy_failed(flags) || !d->decoder || d->decoder == ASY_NONE) return asy_failed(flags) ? flags : ASY_NONE;
  asy_value inner = asy_tuple_of(vm, 2, state->items[0], flags);
  return asy_failed(inner) ? inner : io_call(vm, d->decoder, "setstate", 1, &inner);
}

static asy_value decoder_reset(asy_vm *vm, const asy_value *args) {
  newline_decoder *d = decoder_of(args);
  d->seen = 0;
  d->pending_cr = false;
  return d->decoder && d->decoder != ASY_NONE ? io_call(vm, d->decoder, "reset", 0, NULL) : ASY_NONE;
}

static asy_value decoder_newlines(asy_vm *vm, const asy_value *args) {
  static const char *const names[] = {"\r", "\n", "\r\n"};
  asy_value found[3];
  uint32_t n = 0;
  for (int i = 0; i < 3; i++) {
    if (!(decoder_of(args)->seen & 1 << i)) continue;
    found[n] = asy_from_cstr(vm, names[i]);
    if (asy_failed(found[n++])) return ASY_FAILED;
  }
  if (n < 2) return n ? found[0] : ASY_NONE;
  asy_tuple *tuple = asy_tuple_new(vm, found, n);
  return tuple ? asy_from_obj(tuple) : ASY_FAILED;
}

static const asy_native decoder_methods[] = {
  {"decode", SIG("(self, /, input, final=False)"), decoder_decode, 0, 0},
  {"getstate", SIG("(self, /)"), decoder_getstate, 0, 0},
  {"newlines", SIG("(self)"), decoder_newlines, 0, ASY_NATIVE_GETTER},
  {"reset", SIG("(self, /)"), decoder_reset, 0, 0},
  {"setstate", SIG("(self, state, /)"), decoder_setstate, 0, 0},
  {0},
};

static const asy_member decoder_members[] = {
  {"errors", offsetof(newline_decoder, errors), MEMBER_VALUE, false},
  {0},
};

const asy_type asy_newline_decoder_type = {
  .name = "_io.IncrementalNewlineDecoder",
  .doc = "Codec used when reading a file in universal newlines mode.",
  .size = sizeof(newline_decoder),
  .visit = decoder_visit,
  .init = decoder_init,
  .init_signature = SIG("(self, decoder, translate, errors='strict')"),
  .methods = decoder_methods,
  .members = decoder_members,
};

/* ---- open() ---- */

typedef struct {
  bool reading, writing, appending, creating, updating, text, binary;
} open_mode;

static bool parse_mode(asy_vm *vm, const char *text, open_mode *mode) {
  *mode = (open_mode){0};
  bool *const flags[128] = {
    ['r'] = &mode->reading,  ['w'] = &mode->writing, ['a'] = &mode->appending, ['x'] = &mode->creating,
    ['+'] = &mode->updating, ['t'] = &mode->text,    ['b'] = &mode->binary};
  for (const char *p = text; *p; p++) {
    bool *flag = (unsigned char)*p < 128 ? flags[(unsigned char)*p] : NULL;
    if (!flag || *flag) {
      asy_raise(vm, ASY_ValueError, "invalid mode: '%s'", text);
      return false;
    }
    *flag = true;
  }
  int ways = mode->reading + mode->writing + mode->appending + mode->creating;
  const char *wrong = NULL;
  if (mode->text && mode->binary) wrong = "can't have text and binary mode at once";
  else if (ways > 1) wrong = "must have exactly one of create/read/write/append mode";
  else if (!ways) wrong = "Must have exactly one of create/read/write/append mode and at most one plus";
  if (wrong) asy_raise(vm, ASY_ValueError, "%s", wrong);
  return !wrong;
}

/* Binary mode takes no text options; text needs a buffer. */
static bool check_options(asy_vm *vm, const open_mode *mode, int64_t buffering, asy_value encoding, asy_value errors,
                          asy_value newline) {
  const char *wrong = NULL;
  if (mode->binary && encoding != ASY_NONE) wrong = "binary mode doesn't take an encoding argument";
  else if (mode->binary && errors != ASY_NONE) wrong = "binary mode doesn't take an errors argument";
  else if (mode->binary && newline != ASY_NONE) wrong = "binary mode doesn't take a newline argument";
  else if (!mode->binary && buffering == 0) wrong = "can't have unbuffered text I/O";
  io_newline kind;
  if (wrong) asy_raise(vm, ASY_ValueError, "%s", wrong);
  return !wrong && io_newline_of(vm, newline, "open", &kind);
}

static asy_value close_after_failure(asy_vm *vm, asy_value stream) {
  asy_value error = asy_take_exception(vm);
  if (asy_failed(asy_call_method(vm, stream, ASY_NAME(vm, close), 0, NULL))) asy_clear_exception(vm);
  asy_set_exception(vm, error);
  return ASY_FAILED;
}

asy_value asy_file_open(asy_vm *vm, asy_value name, const char *mode_text, int64_t buffering, asy_value encoding,
                        asy_value errors, asy_value newline, bool closefd, asy_value opener) {
  const asy_io_state *io = vm->io_state;
  open_mode mode;
  if (!parse_mode(vm, mode_text, &mode) || !check_options(vm, &mode, buffering, encoding, errors, newline))
    return ASY_FAILED;
  if (mode.binary && buffering == 1 &&
      !asy_warn(vm, ASY_RuntimeWarning,
                "line buffering (buffering=1) isn't supported in binary mode, the default buffer size will be used", 1))
    return ASY_FAILED;
  char raw_mode[8], *p = raw_mode;
  for (const char *m = mode_text; *m; m++)
    if (*m != 't' && *m != 'b') *p++ = *m;
  *p = 0;
  io_flush_dirty(vm);
  asy_value raw = io_file_open(vm, name, raw_mode, closefd, opener);
  if (asy_failed(raw)) return raw;
  bool line_buffering = buffering == 1 || (buffering < 0 && isatty(((io_file *)asy_obj_of(raw))->fd));
  if (buffering < 0 || buffering == 1) buffering = IO_BUFFER_SIZE;
  if (buffering == 0) return raw;
  asy_class *cls = mode.updating ? io->random : mode.reading ? io->reader : io->writer;
  if (mode.updating) {
    asy_value can = io_call(vm, raw, "seekable", 0, NULL);
    if (can == ASY_FALSE) io_unsupported(vm, "File or stream is not seekable.");
    if (can != ASY_TRUE) return close_after_failure(vm, raw);
  }
  asy_value buffer = io_buffered_on(vm, cls, raw, buffering);
  if (asy_failed(buffer)) return close_after_failure(vm, raw);
  if (mode.binary) return buffer;
  asy_value text = io_text_on(vm, buffer, encoding, errors, newline, line_buffering, false);
  if (asy_failed(text)) return close_after_failure(vm, buffer);
  asy_value mode_value = asy_from_cstr(vm, mode_text);
  if (asy_failed(mode_value)) return close_after_failure(vm, text);
  asy_store(vm, asy_obj_of(text), &((io_text *)asy_obj_of(text))->mode, mode_value);
  return text;
}

asy_value asy_open_native(asy_vm *vm, const asy_value *args) {
  const char *mode;
  int64_t buffering;
  if (!asy_is_str(args[1])) return asy_raise(vm, ASY_TypeError, "open() argument 'mode' must be str, not %T", args[1]);
  if (!asy_to_cstr(vm, args[1], &mode) || !asy_to_int64(vm, args[2], &buffering)) return ASY_FAILED;
  static const char *const names[] = {"encoding", "errors", "newline"};
  for (int i = 0; i < 3; i++)
    if (args[3 + i] != ASY_NONE && !asy_is_str(args[3 + i]))
      return asy_raise(vm, ASY_TypeError, "open() argument '%s' must be str or None, not %T", names[i], args[3 + i]);
  int closefd = asy_truth(vm, args[6]);
  if (closefd < 0) return ASY_FAILED;
  return asy_file_open(vm, args[0], mode, buffering, args[3], args[4], args[5], closefd, args[7]);
}

static asy_value io_open_code(asy_vm *vm, const asy_value *args) {
  if (!asy_is_str(args[0]))
    return asy_raise(vm, ASY_TypeError, "open_code() argument 'path' must be str, not %T", args[0]);
  return asy_file_open(vm, args[0], "rb", -1, ASY_NONE, ASY_NONE, ASY_NONE, true, ASY_NONE);
}

static asy_value io_text_encoding(asy_vm *vm, const asy_value *args) {
  return args[0] == ASY_NONE ? asy_from_cstr(vm, "utf-8") : args[0];
}

/* ---- The standard streams ---- */

asy_value asy_file_standard(asy_vm *vm, int fd, const char *name, bool reading) {
  const asy_io_state *io = vm->io_state;
  asy_value name_text = asy_from_cstr(vm, name);
  asy_value raw = asy_failed(name_text) ? name_text : io_file_on(vm, fd, name_text, reading);
  asy_value buffer = asy_failed(raw) ? raw
                                     : io_buffered_on(vm, reading ? io->reader : io->writer, raw, 4 * IO_BUFFER_SIZE);
  asy_value encoding = asy_from_cstr(vm, "utf-8"),
            errors = asy_from_cstr(vm, fd == STDERR_FILENO ? "backslashreplace" : "strict");
  if (asy_failed(buffer) || asy_failed(encoding) || asy_failed(errors)) return ASY_FAILED;
  bool lines = !reading && !vm->options.unbuffered && (fd == STDERR_FILENO || isatty(fd));
  asy_value newline = reading ? ASY_NONE : asy_from_cstr(vm, "\n");
  asy_value text = asy_failed(newline)
                     ? newline
                     : io_text_on(vm, buffer, encoding, errors, newline, lines, vm->options.unbuffered);
  if (asy_failed(text)) return text;
  asy_value mode = asy_from_cstr(vm, reading ? "r" : "w");
  if (asy_failed(mode)) return mode;
  asy_store(vm, asy_obj_of(text), &((io_text *)asy_obj_of(text))->mode, mode);
  ((io_buffered *)asy_obj_of(buffer))->unbuffered = vm->options.unbuffered && !reading;
  asy_cancel_finalizer(asy_obj_of(text)); /* asy_flush_std writes what is left; the descriptors stay open */
  return text;
}

/* ---- The module ---- */

bool asy_io_init(asy_vm *vm) {
  asy_io_state *io = vm->io_state = calloc(1, sizeof *io);
  if (!io) return asy_raise_no_memory(vm), false;
  const struct {
    asy_class **cls;
    const asy_type *type;
  } rows[] = {
    {&io->base, &asy_iobase_type},
    {&io->raw_base, &asy_rawiobase_type},
    {&io->buffered_base, &asy_bufferediobase_type},
    {&io->text_base, &asy_textiobase_type},
    {&io->file, &asy_fileio_type},
    {&io->reader, &asy_buffered_reader_type},
    {&io->writer, &asy_buffered_writer_type},
    {&io->random, &asy_buffered_random_type},
    {&io->bytes, &asy_bytesio_type},
    {&io->string, &asy_stringio_type},
    {&io->text, &asy_textio_type},
    {&io->newline_decoder, &asy_newline_decoder_type},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (!(*rows[i].cls = asy_define_type(vm, rows[i].type))) return false;
  return true;
}

void asy_io_free(asy_vm *vm) {
  free(vm->io_state);
  vm->io_state = NULL;
}

static const asy_native io_natives[] = {
  {"open", SIG("(file, mode='r', buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None)"),
   asy_open_native, DOC("Open file and return a stream.  Raise OSError upon failure."), 0},
  {"open_code", SIG("(path)"), io_open_code, DOC("Opens the provided file with the intent to import the contents."), 0},
  {"text_encoding", SIG("(encoding, stacklevel=2, /)"), io_text_encoding,
   DOC("A helper function to choose the text encoding."), 0},
  {0},
};

/* class io.UnsupportedOperation(OSError, ValueError) */
static bool make_unsupported(asy_vm *vm, asy_value module) {
  asy_value bases[2] = {asy_from_obj(vm->exceptions[ASY_OSError]), asy_from_obj(vm->exceptions[ASY_ValueError])};
  asy_tuple *both = asy_tuple_new(vm, bases, 2);
  asy_dict *ns = asy_dict_new(vm, 1);
  asy_str *name = asy_intern(vm, "UnsupportedOperation");
  asy_value home = asy_from_cstr(vm, "io");
  if (!both || !ns || !name || asy_failed(home) || !asy_dict_set_str(vm, ns, ASY_NAME(vm, __module__), home))
    return false;
  asy_value cls = asy_class_new(vm, vm->classes[KIND_TYPE], name, both, ns, NULL);
  if (asy_failed(cls)) return false;
  asy_pin(vm, asy_obj_of(cls));
  vm->io_state->unsupported = (asy_class *)asy_obj_of(cls);
  return asy_module_set(vm, module, "UnsupportedOperation", cls);
}

static bool io_init(asy_vm *vm, asy_value module) {
  asy_io_state *io = vm->io_state;
  asy_class *classes[] = {io->base,   io->raw_base, io->buffered_base, io->text_base, io->file, io->reader,
                          io->writer, io->random,   io->bytes,         io->string,    io->text, io->newline_decoder};
  for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
    const char *name = strrchr(classes[i]->type->name, '.') + 1;
    if (!asy_module_set(vm, module, name, asy_from_obj(classes[i]))) return false;
  }
  return make_unsupported(vm, module) &&
         asy_module_set(vm, module, "DEFAULT_BUFFER_SIZE", asy_from_small(IO_BUFFER_SIZE)) &&
         asy_module_set(vm, module, "BlockingIOError", asy_from_obj(vm->exceptions[ASY_BlockingIOError]));
}

const asy_module_def asy_module_io = {"_io", io_natives, "The io module's natives.", io_init};
