/* base.c - the base classes _IOBase, _RawIOBase, _BufferedIOBase and _TextIOBase: what a stream can do by means of the few methods
 * that its class has. Script classes derive from them; the natives replace nearly everything.
 */
#include "runtime/io/io.h"
#include "runtime/types/bytes_internal.h"

asy_value io_unsupported(asy_vm *vm, const char *text) {
  asy_value message = vm->io_state->unsupported ? ASY_NONE : asy_import(vm, "_io"); /* which makes the class */
  if (!asy_failed(message)) message = asy_from_cstr(vm, text);
  asy_value exception = asy_failed(message) ? message : asy_call1(vm, asy_from_obj(vm->io_state->unsupported), message);
  return asy_failed(exception) ? ASY_FAILED : asy_raise_value(vm, exception);
}

bool io_check_open(asy_vm *vm, bool closed) {
  if (closed) asy_raise(vm, ASY_ValueError, "I/O operation on closed file.");
  return !closed;
}

asy_value io_call(asy_vm *vm, asy_value self, const char *method, int nargs, const asy_value *args) {
  asy_str *name = asy_intern(vm, method);
  return name ? asy_call_method(vm, self, name, nargs, args) : ASY_FAILED;
}

int io_is_closed(asy_vm *vm, asy_value stream) {
  asy_value closed = asy_get_attr_cstr(vm, stream, "closed");
  return asy_failed(closed) ? -1 : asy_truth(vm, closed);
}

bool io_size(asy_vm *vm, asy_value v, int64_t *out) {
  *out = -1;
  if (v == ASY_NONE) return true;
  if (asy_is_int(v)) {
    *out = asy_small(v);
    return true;
  }
  asy_value index = asy_index(vm, v);
  if (asy_failed(index)) {
    if (!asy_raised_is(vm, ASY_TypeError)) return false;
    asy_clear_exception(vm);
    asy_raise(vm, ASY_TypeError, "argument should be integer or None, not '%T'", v);
    return false;
  }
  if (asy_is_number_int64(index, out)) return true;
  asy_raise(vm, ASY_OverflowError, "cannot fit 'int' into an index-sized integer");
  return false;
}

asy_value io_self(asy_vm *vm, asy_value self) {
  (void)vm;
  return self;
}

/* ---- The end of a stream ---- */

void io_finalize(asy_vm *vm, asy_obj *o) {
  asy_value self = asy_from_obj(o);
  int closed = io_is_closed(vm, self);
  if (closed < 0) asy_clear_exception(vm);
  if (closed == 0 && asy_failed(asy_call_method(vm, self, ASY_NAME(vm, close), 0, NULL))) asy_clear_exception(vm);
}

static bool is_native_layer(asy_vm *vm, asy_value v) {
  const asy_io_state *io = vm->io_state;
  return io_exactly(vm, v, io->file) || io_exactly(vm, v, io->reader) || io_exactly(vm, v, io->writer) ||
         io_exactly(vm, v, io->random);
}

bool io_adopt(asy_vm *vm, asy_value lower) {
  if (!is_native_layer(vm, lower)) return false;
  asy_cancel_finalizer(asy_obj_of(lower));
  return true;
}

bool io_release(asy_vm *vm, asy_value lower) {
  if (!is_native_layer(vm, lower) || !(asy_obj_of(lower)->gc & ASY_GC_FINALIZED)) return true;
  asy_obj_of(lower)->gc &= (uint8_t)~ASY_GC_FINALIZED;
  return asy_register_finalizer(vm, asy_obj_of(lower));
}

/* ---- _IOBase ---- */

static asy_value check_not_closed(asy_vm *vm, asy_value self) {
  int closed = io_is_closed(vm, self);
  return closed < 0 || !io_check_open(vm, closed) ? ASY_FAILED : ASY_NONE;
}

static asy_value base_new(asy_vm *vm, const asy_value *args) {
  void *o = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  return o ? asy_from_obj(o) : ASY_FAILED;
}

static asy_value base_seek(asy_vm *vm, const asy_value *args) { return io_unsupported(vm, "seek"); }
static asy_value base_truncate(asy_vm *vm, const asy_value *args) { return io_unsupported(vm, "truncate"); }
static asy_value base_fileno(asy_vm *vm, const asy_value *args) { return io_unsupported(vm, "fileno"); }

static asy_value base_tell(asy_vm *vm, const asy_value *args) {
  return io_call(vm, args[0], "seek", 2, (asy_value[]){asy_from_small(0), asy_from_small(1)});
}

static asy_value base_flush(asy_vm *vm, const asy_value *args) { return check_not_closed(vm, args[0]); }

static asy_value base_close(asy_vm *vm, const asy_value *args) {
  io_base *self = (io_base *)asy_obj_of(args[0]);
  if (self->closed) return ASY_NONE;
  asy_value result = asy_call_method(vm, args[0], ASY_NAME(vm, flush), 0, NULL);
  self->closed = true;
  return asy_failed(result) ? result : ASY_NONE;
}

static asy_value base_closed(asy_vm *vm, const asy_value *args) {
  return asy_from_bool(((io_base *)asy_obj_of(args[0]))->closed);
}
static asy_value base_false(asy_vm *vm, const asy_value *args) { return ASY_FALSE; }

static asy_value base_isatty(asy_vm *vm, const asy_value *args) {
  return asy_failed(check_not_closed(vm, args[0])) ? ASY_FAILED : ASY_FALSE;
}

static asy_value base_enter(asy_vm *vm, const asy_value *args) {
  return asy_failed(check_not_closed(vm, args[0])) ? ASY_FAILED : args[0];
}

static asy_value base_exit(asy_vm *vm, const asy_value *args) {
  return asy_call_method(vm, args[0], ASY_NAME(vm, close), 0, NULL);
}

static asy_value base_del(asy_vm *vm, const asy_value *args) {
  io_finalize(vm, asy_obj_of(args[0]));
  return ASY_NONE;
}

static asy_value base_check_closed(asy_vm *vm, const asy_value *args) { return check_not_closed(vm, args[0]); }

static asy_value check_can(asy_vm *vm, asy_value self, const char *method, const char *text) {
  asy_value can = io_call(vm, self, method, 0, NULL);
  if (asy_failed(can)) return can;
  return can == ASY_TRUE ? can : io_unsupported(vm, text);
}
static asy_value base_check_seekable(asy_vm *vm, const asy_value *args) {
  return check_can(vm, args[0], "seekable", "File or stream is not seekable.");
}
static asy_value base_check_readable(asy_vm *vm, const asy_value *args) {
  return check_can(vm, args[0], "readable", "File or stream is not readable.");
}
static asy_value base_check_writable(asy_vm *vm, const asy_value *args) {
  return check_can(vm, args[0], "writable", "File or stream is not writable.");
}

/* How many bytes readline may ask for: up to a line end that peek shows, else one. */
static bool next_piece(asy_vm *vm, asy_value self, asy_value peek, int64_t left, int64_t *out) {
  *out = 1;
  if (peek == ASY_UNBOUND) return true;
  asy_value shown = asy_call1(vm, peek, asy_from_small(1));
  if (asy_failed(shown)) return false;
  if (!asy_is_kind(shown, KIND_BYTES)) {
    asy_raise(vm, ASY_OSError, "peek() should have returned a bytes object, not '%T'", shown);
    return false;
  }
  const asy_bytes *b = (const asy_bytes *)asy_obj_of(shown);
  const uint8_t *newline = memchr(b->data, '\n', b->len);
  if (b->len) *out = newline ? newline - b->data + 1 : (int64_t)b->len;
  if (left >= 0 && *out > left) *out = left;
  return true;
}

static asy_value base_readline(asy_vm *vm, const asy_value *args) {
  int64_t limit;
  asy_value peek = ASY_UNBOUND;
  asy_bytearray *line = asy_bytearray_new(vm, "", 0);
  asy_str *name = asy_intern(vm, "peek");
  if (!line || !name || !io_size(vm, args[1], &limit) || asy_find_attr(vm, args[0], name, &peek) < 0) return ASY_FAILED;
  while (limit < 0 || line->len < limit) {
    int64_t piece;
    if (!next_piece(vm, args[0], peek, limit < 0 ? -1 : limit - line->len, &piece)) return ASY_FAILED;
    asy_value got = io_call(vm, args[0], "read", 1, (asy_value[]){asy_from_small(piece)});
    if (asy_failed(got)) return got;
    if (!asy_is_kind(got, KIND_BYTES))
      return asy_raise(vm, ASY_OSError, "read() should have returned a bytes object, not '%T'", got);
    const asy_bytes *b = (const asy_bytes *)asy_obj_of(got);
    if (!b->len) break;
    if (!asy_bytearray_append(vm, line, b->data, b->len)) return ASY_FAILED;
    if (b->data[b->len - 1] == '\n') break;
  }
  return asy_from_bytes(vm, asy_bytearray_data(line), line->len);
}

static asy_value base_iter(asy_vm *vm, asy_value self) {
  return asy_failed(check_not_closed(vm, self)) ? ASY_FAILED : self;
}

static asy_value base_next(asy_vm *vm, asy_value self) {
  asy_value line = io_call(vm, self, "readline", 0, NULL);
  if (asy_failed(line)) return line;
  int64_t length = asy_length(vm, line);
  return length < 0 ? ASY_FAILED : length ? line : ASY_END;
}

asy_value io_readlines(asy_vm *vm, const asy_value *args) {
  int64_t hint, total = 0;
  asy_list *lines = asy_list_new(vm, 0);
  if (!lines || !io_size(vm, args[1], &hint)) return ASY_FAILED;
  asy_value iterator = asy_iter(vm, args[0]);
  if (asy_failed(iterator)) return ASY_FAILED;
  for (;;) {
    asy_value line = asy_next(vm, iterator);
    if (line == ASY_END) return asy_from_obj(lines);
    if (asy_failed(line) || !asy_list_append(vm, lines, line)) return ASY_FAILED;
    int64_t length = asy_length(vm, line);
    if (length < 0) return ASY_FAILED;
    if (hint > 0 && length > hint - total) return asy_from_obj(lines);
    total += length;
  }
}

static asy_value base_writelines(asy_vm *vm, const asy_value *args) {
  if (asy_failed(check_not_closed(vm, args[0]))) return ASY_FAILED;
  asy_value iterator = asy_iter(vm, args[1]);
  if (asy_failed(iterator)) return ASY_FAILED;
  for (;;) {
    asy_value line = asy_next(vm, iterator);
    if (line == ASY_END) return ASY_NONE;
    if (asy_failed(line) || asy_failed(asy_call_method(vm, args[0], ASY_NAME(vm, write), 1, &line))) return ASY_FAILED;
  }
}

static const asy_native base_methods[] = {
  {"__del__", SIG("(self, /)"), base_del, DOC("Called when the instance is about to be destroyed."), 0},
  {"__enter__", SIG("(self, /)"), base_enter, 0, 0},
  {"__exit__", SIG("(self, /, *args)"), base_exit, 0, 0},
  {"_checkClosed", SIG("(self, msg=None, /)"), base_check_closed, 0, 0},
  {"_checkReadable", SIG("(self, msg=None, /)"), base_check_readable, 0, 0},
  {"_checkSeekable", SIG("(self, msg=None, /)"), base_check_seekable, 0, 0},
  {"_checkWritable", SIG("(self, msg=None, /)"), base_check_writable, 0, 0},
  {"close", SIG("(self, /)"), base_close,
   DOC("Flush and close the IO object. This method has no effect if the file is already closed."), 0},
  {"closed", SIG("(self)"), base_closed, 0, ASY_NATIVE_GETTER},
  {"fileno", SIG("(self, /)"), base_fileno, DOC("Return underlying file descriptor if one exists; OSError if not."), 0},
  {"flush", SIG("(self, /)"), base_flush, DOC("Flush write buffers, if applicable."), 0},
  {"isatty", SIG("(self, /)"), base_isatty, DOC("Return whether this is an 'interactive' stream."), 0},
  {"readable", SIG("(self, /)"), base_false, DOC("Return whether object was opened for reading."), 0},
  {"readline", SIG("(self, size=-1, /)"), base_readline, DOC("Read and return a line from the stream."), 0},
  {"readlines", SIG("(self, hint=-1, /)"), io_readlines, DOC("Return a list of lines from the stream."), 0},
  {"seek", SIG("(self, offset, whence=0, /)"), base_seek, DOC("Change the stream position to the given byte offset."),
   0},
  {"seekable", SIG("(self, /)"), base_false, DOC("Return whether object supports random access."), 0},
  {"tell", SIG("(self, /)"), base_tell, DOC("Return current stream position."), 0},
  {"truncate", SIG("(self, size=None, /)"), base_truncate, DOC("Truncate file to size bytes."), 0},
  {"writable", SIG("(self, /)"), base_false, DOC("Return whether object was opened for writing."), 0},
  {"writelines", SIG("(self, lines, /)"), base_writelines, DOC("Write a list of lines to stream."), 0},
  {0},
};

const asy_type asy_iobase_type = {
  .name = "_io._IOBase",
  .doc = "The abstract base class for all I/O classes.",
  .size = sizeof(io_base),
  .flags = ASY_TYPE_ATTRS,
  .special = &(const asy_special){.finalize = io_finalize},
  .new_ = base_new,
  .new_signature = SIG("(cls, *args, **kwargs)"),
  .iter = base_iter,
  .next = base_next,
  .methods = base_methods,
};

/* ---- _RawIOBase ---- */

static asy_value raw_readall(asy_vm *vm, const asy_value *args) {
  asy_bytearray *all = asy_bytearray_new(vm, "", 0);
  if (!all) return ASY_FAILED;
  for (bool any = false;; any = true) {
    asy_value got = io_call(vm, args[0], "read", 1, (asy_value[]){asy_from_small(IO_BUFFER_SIZE)});
    if (asy_failed(got)) return got;
    if (got == ASY_NONE && !any) return ASY_NONE;
    if (got == ASY_NONE) break;
    if (!asy_is_kind(got, KIND_BYTES)) return asy_raise(vm, ASY_TypeError, "read() should return bytes");
    const asy_bytes *b = (const asy_bytes *)asy_obj_of(got);
    if (!b->len) break;
    if (!asy_bytearray_append(vm, all, b->data, b->len)) return ASY_FAILED;
  }
  return asy_from_bytes(vm, asy_bytearray_data(all), all->len);
}

static asy_value raw_read(asy_vm *vm, const asy_value *args) {
  int64_t size;
  if (!io_size(vm, args[1], &size)) return ASY_FAILED;
  if (size < 0) return io_call(vm, args[0], "readall", 0, NULL);
  asy_bytearray *room = asy_bytearray_new(vm, NULL, (size_t)size);
  if (!room) return ASY_FAILED;
  asy_value count = io_call(vm, args[0], "readinto", 1, (asy_value[]){asy_from_obj(room)});
  int64_t n;
  if (asy_failed(count) || count == ASY_NONE) return count;
  if (!asy_to_int64(vm, count, &n)) return ASY_FAILED;
  if (n < 0 || n > size)
    return asy_raise(vm, ASY_ValueError, "readinto returned %lld outside buffer size %lld", (long long)n,
                     (long long)size);
  if (n > room->len) n = room->len;
  return asy_from_bytes(vm, asy_bytearray_data(room), (size_t)n);
}

static asy_value raw_missing(asy_vm *vm, const asy_value *args) { return asy_raise(vm, ASY_NotImplementedError, ""); }

static const asy_native raw_methods[] = {
  {"read", SIG("(self, size=-1, /)"), raw_read, 0, 0},
  {"readall", SIG("(self, /)"), raw_readall, DOC("Read until EOF, using multiple read() call."), 0},
  {"readinto", SIG("(self, buffer, /)"), raw_missing, 0, 0},
  {"write", SIG("(self, data, /)"), raw_missing, 0, 0},
  {0},
};

const asy_type asy_rawiobase_type = {
  .name = "_io._RawIOBase",
  .doc = "Base class for raw binary I/O.",
  .base = &asy_iobase_type,
  .methods = raw_methods,
};

/* ---- _BufferedIOBase ---- */

static asy_value no_detach(asy_vm *vm, const asy_value *args) { return io_unsupported(vm, "detach"); }
static asy_value no_read(asy_vm *vm, const asy_value *args) { return io_unsupported(vm, "read"); }
static asy_value no_read1(asy_vm *vm, const asy_value *args) { return io_unsupported(vm, "read1"); }
static asy_value no_readline(asy_vm *vm, const asy_value *args) { return io_unsupported(vm, "readline"); }
static asy_value no_write(asy_vm *vm, const asy_value *args) { return io_unsupported(vm, "write"); }

static asy_value read_into_by(asy_vm *vm, const asy_value *args, const char *method) {
  asy_buffer room;
  if (!asy_buffer_get_writable(vm, args[1], &room)) return ASY_FAILED;
  asy_value got = io_call(vm, args[0], method, 1, (asy_value[]){asy_from_small((int64_t)room.len)});
  asy_value result = ASY_FAILED;
  if (!asy_failed(got) && !asy_is_kind(got, KIND_BYTES)) {
    asy_raise(vm, ASY_TypeError, "read() should return bytes");
  } else if (!asy_failed(got)) {
    const asy_bytes *b = (const asy_bytes *)asy_obj_of(got);
    if (b->len > room.len) {
      asy_raise(vm, ASY_ValueError, "read() returned too much data: %zu bytes requested, %u returned", room.len,
                b->len);
    } else {
      memcpy(room.data, b->data, b->len);
      result = asy_from_small(b->len);
    }
  }
  asy_buffer_release(vm, &room);
  return result;
}
static asy_value buffered_readinto(asy_vm *vm, const asy_value *args) { return read_into_by(vm, args, "read"); }
static asy_value buffered_readinto1(asy_vm *vm, const asy_value *args) { return read_into_by(vm, args, "read1"); }

static const asy_native buffered_base_methods[] = {
  {"detach", SIG("(self, /)"), no_detach, DOC("Disconnect this buffer from its underlying raw stream and return it."),
   0},
  {"read", SIG("(self, size=-1, /)"), no_read, DOC("Read and return up to n bytes."), 0},
  {"read1", SIG("(self, size=-1, /)"), no_read1,
   DOC("Read and return up to size bytes, with at most one read() call to the raw stream."), 0},
  {"readinto", SIG("(self, buffer, /)"), buffered_readinto, 0, 0},
  {"readinto1", SIG("(self, buffer, /)"), buffered_readinto1, 0, 0},
  {"write", SIG("(self, b, /)"), no_write, DOC("Write buffer b to the IO stream."), 0},
  {0},
};

const asy_type asy_bufferediobase_type = {
  .name = "_io._BufferedIOBase",
  .doc = "Base class for buffered IO objects.",
  .base = &asy_iobase_type,
  .methods = buffered_base_methods,
};

/* ---- _TextIOBase ---- */

static asy_value text_none(asy_vm *vm, const asy_value *args) { return ASY_NONE; }

static const asy_native text_base_methods[] = {
  {"detach", SIG("(self, /)"), no_detach, DOC("Separate the underlying buffer from the TextIOBase and return it."), 0},
  {"encoding", SIG("(self)"), text_none, DOC("Encoding of the text stream."), ASY_NATIVE_GETTER},
  {"errors", SIG("(self)"), text_none, DOC("The error setting of the decoder or encoder."), ASY_NATIVE_GETTER},
  {"newlines", SIG("(self)"), text_none, DOC("Line endings translated so far."), ASY_NATIVE_GETTER},
  {"read", SIG("(self, size=-1, /)"), no_read, DOC("Read at most size characters from stream."), 0},
  {"readline", SIG("(self, size=-1, /)"), no_readline, DOC("Read until newline or EOF."), 0},
  {"write", SIG("(self, s, /)"), no_write, DOC("Write string s to stream."), 0},
  {0},
};

const asy_type asy_textiobase_type = {
  .name = "_io._TextIOBase",
  .doc = "Base class for text I/O.",
  .base = &asy_iobase_type,
  .methods = text_base_methods,
};
