/* bytesio.c - BytesIO: a stream over a bytearray of its own, which getbuffer() hands out as a memoryview (and which then keeps its
 * size). The position may lie behind the end; writing there fills the gap with zeroes.
 */
#include "runtime/io/io.h"
#include "runtime/types/bytes_internal.h"

typedef struct {
  io_base base;
  asy_bytearray *data; /* NULL: never initialised, or closed */
  size_t at;
} io_bytes;

static io_bytes *self_of(const asy_value *args) { return (io_bytes *)asy_obj_of(args[0]); }

static bool check(asy_vm *vm, const io_bytes *b) { return io_check_open(vm, b->base.closed || !b->data); }

static bool can_resize(asy_vm *vm, io_bytes *b) {
  if (!b->data || !b->data->exports || asy_bytearray_can_resize(vm, b->data)) return true;
  if (asy_raised_is(vm, ASY_BufferError)) asy_clear_exception(vm);
  asy_raise(vm, ASY_BufferError, "Existing exports of data: object cannot be re-sized");
  return false;
}

static asy_value bytes_new(asy_vm *vm, const asy_value *args) {
  io_bytes *b = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  if (!b) return ASY_FAILED;
  asy_value self = asy_from_obj(b);
  if (((asy_class *)asy_obj_of(args[0]))->flags & ASY_CLASS_BUILTIN) asy_cancel_finalizer(b); /* nothing to flush */
  asy_bytearray *data = asy_bytearray_new(vm, "", 0);
  if (!data) return ASY_FAILED;
  b->data = data;
  asy_barrier(vm, b);
  return self;
}

static asy_value bytes_init(asy_vm *vm, const asy_value *args) {
  io_bytes *b = self_of(args);
  if (!can_resize(vm, b)) return ASY_FAILED;
  asy_buffer initial = {.data = (uint8_t *)""};
  if (args[1] != ASY_NONE && !asy_buffer_get(vm, args[1], &initial)) return ASY_FAILED;
  asy_bytearray *data = asy_bytearray_new(vm, initial.data, initial.len);
  asy_buffer_release(vm, &initial);
  if (!data) return ASY_FAILED;
  b->data = data;
  b->at = 0;
  b->base.closed = false;
  asy_barrier(vm, b);
  return ASY_NONE;
}

static void bytes_visit(asy_obj *o, asy_visitor *v) { asy_visit_obj(v, ((io_bytes *)o)->data); }

/* Up to size bytes from the position on (size < 0: all); *n says how many. */
static const uint8_t *next_bytes(io_bytes *b, int64_t size, size_t *n) {
  size_t left = b->at < b->data->len ? b->data->len - b->at : 0;
  *n = size < 0 || (uint64_t)size > left ? left : (size_t)size;
  return *n ? asy_bytearray_data(b->data) + b->at : (const uint8_t *)"";
}

static asy_value give(asy_vm *vm, io_bytes *b, size_t n) {
  asy_value result = asy_from_bytes(vm, n ? asy_bytearray_data(b->data) + b->at : (const uint8_t *)"", n);
  if (!asy_failed(result)) b->at += n;
  return result;
}

static asy_value bytes_read(asy_vm *vm, const asy_value *args) {
  io_bytes *b = self_of(args);
  int64_t size;
  size_t n;
  if (!io_size(vm, args[1], &size) || !check(vm, b)) return ASY_FAILED;
  next_bytes(b, size, &n);
  return give(vm, b, n);
}

static size_t line_length(io_bytes *b, int64_t limit) {
  size_t n;
  const uint8_t *start = next_bytes(b, limit, &n), *newline = n ? memchr(start, '\n', n) : NULL;
  return newline ? (size_t)(newline - start) + 1 : n;
}

static asy_value bytes_readline(asy_vm *vm, const asy_value *args) {
  io_bytes *b = self_of(args);
  int64_t limit;
  if (!io_size(vm, args[1], &limit) || !check(vm, b)) return ASY_FAILED;
  return give(vm, b, line_length(b, limit));
}

static asy_value bytes_iter(asy_vm *vm, asy_value self) { return check(vm, self_of(&self)) ? self : ASY_FAILED; }

static asy_value bytes_next(asy_vm *vm, asy_value self) {
  io_bytes *b = self_of(&self);
  if (!check(vm, b)) return ASY_FAILED;
  if (!(asy_type_of(vm, self)->flags & ASY_CLASS_BUILTIN)) {
    asy_value line = io_call(vm, self, "readline", 0, NULL);
    int64_t length = asy_failed(line) ? -1 : asy_length(vm, line);
    return length > 0 ? line : length ? ASY_FAILED : ASY_END;
  }
  size_t n = line_length(b, -1);
  return n ? give(vm, b, n) : ASY_END;
}

static asy_value bytes_readlines(asy_vm *vm, const asy_value *args) {
  io_bytes *b = self_of(args);
  int64_t hint, total = 0;
  asy_list *lines = asy_list_new(vm, 0);
  if (!lines || !io_size(vm, args[1], &hint) || !check(vm, b)) return ASY_FAILED;
  for (size_t n; (n = line_length(b, -1));) {
    asy_value line = give(vm, b, n);
    if (asy_failed(line) || !asy_list_append(vm, lines, line)) return ASY_FAILED;
    if (hint > 0 && (total += (int64_t)n) >= hint) break;
  }
  return asy_from_obj(lines);
}

static asy_value bytes_readinto(asy_vm *vm, const asy_value *args) {
  io_bytes *b = self_of(args);
  asy_buffer room;
  size_t n;
  if (!asy_buffer_get_writable(vm, args[1], &room)) return ASY_FAILED;
  bool good = check(vm, b); /* not before: __buffer__ may have closed it */
  if (good) {
    const uint8_t *from = next_bytes(b, (int64_t)room.len, &n);
    memmove(room.data, from, n);
    b->at += n;
  }
  asy_buffer_release(vm, &room);
  return good ? asy_from_small((int64_t)n) : ASY_FAILED;
}

static bool write_at(asy_vm *vm, io_bytes *b, const uint8_t *data, size_t length) {
  size_t end = b->at + length, old = b->data->len;
  if (end > INT32_MAX) return asy_raise_no_memory(vm), false;
  if (!length) return true;
  if (end > old) {
    if (!asy_bytearray_resize(vm, b->data, end)) return false;
    if (b->at > old) memset(asy_bytearray_data(b->data) + old, 0, b->at - old);
  }
  memcpy(asy_bytearray_data(b->data) + b->at, data, length);
  b->at = end;
  return true;
}

static asy_value bytes_write(asy_vm *vm, const asy_value *args) {
  io_bytes *b = self_of(args);
  asy_buffer data;
  if (!check(vm, b) || !can_resize(vm, b) || !asy_buffer_get(vm, args[1], &data)) return ASY_FAILED;
  size_t length = data.len;
  bool good = check(vm, b) && can_resize(vm, b) &&
              write_at(vm, b, data.data, length); /* again: __buffer__ was called */
  asy_buffer_release(vm, &data);
  return good ? asy_from_small((int64_t)length) : ASY_FAILED;
}

static asy_value bytes_seek(asy_vm *vm, const asy_value *args) {
  io_bytes *b = self_of(args);
  int64_t offset, whence;
  if (!asy_to_int64(vm, args[1], &offset) || !asy_to_int64(vm, args[2], &whence) || !check(vm, b)) return ASY_FAILED;
  if (whence < 0 || whence > 2)
    return asy_raise(vm, ASY_ValueError, "invalid whence (%lld, should be 0, 1 or 2)", (long long)whence);
  if (!whence && offset < 0) return asy_raise(vm, ASY_ValueError, "negative seek value %lld", (long long)offset);
  int64_t from = whence == 1 ? (int64_t)b->at : whence == 2 ? (int64_t)b->data->len : 0;
  if (__builtin_add_overflow(from, offset, &offset)) return asy_raise(vm, ASY_OverflowError, "new position too large");
  b->at = offset < 0 ? 0 : (size_t)offset;
  return asy_from_int64(vm, (int64_t)b->at);
}

static asy_value bytes_tell(asy_vm *vm, const asy_value *args) {
  return check(vm, self_of(args)) ? asy_from_int64(vm, (int64_t)self_of(args)->at) : ASY_FAILED;
}

static asy_value bytes_truncate(asy_vm *vm, const asy_value *args) {
  io_bytes *b = self_of(args);
  int64_t size = (int64_t)b->at;
  if (!check(vm, b) || !can_resize(vm, b)) return ASY_FAILED;
  if (args[1] != ASY_NONE) {
    if (!io_size(vm, args[1], &size)) return ASY_FAILED;
    if (size < 0) return asy_raise(vm, ASY_ValueError, "negative size value %lld", (long long)size);
  }
  if (!check(vm, b) || !can_resize(vm, b)) return ASY_FAILED; /* __index__ may have closed or exported it */
  if (size < b->data->len && !asy_bytearray_resize(vm, b->data, (size_t)size)) return ASY_FAILED;
  return asy_from_int64(vm, size);
}

static asy_value bytes_getvalue(asy_vm *vm, const asy_value *args) {
  io_bytes *b = self_of(args);
  return check(vm, b) ? asy_from_bytes(vm, asy_bytearray_data(b->data), b->data->len) : ASY_FAILED;
}

static asy_value bytes_getbuffer(asy_vm *vm, const asy_value *args) {
  io_bytes *b = self_of(args);
  return check(vm, b) ? asy_call1(vm, asy_from_obj(vm->classes[KIND_MEMORYVIEW]), asy_from_obj(b->data)) : ASY_FAILED;
}

static asy_value bytes_close(asy_vm *vm, const asy_value *args) {
  io_bytes *b = self_of(args);
  if (!can_resize(vm, b)) return ASY_FAILED;
  b->data = NULL;
  b->base.closed = true;
  return ASY_NONE;
}

static asy_value bytes_closed(asy_vm *vm, const asy_value *args) { return asy_from_bool(!self_of(args)->data); }
static asy_value bytes_true(asy_vm *vm, const asy_value *args) {
  return check(vm, self_of(args)) ? ASY_TRUE : ASY_FAILED;
}
static asy_value bytes_false(asy_vm *vm, const asy_value *args) {
  return check(vm, self_of(args)) ? ASY_FALSE : ASY_FAILED;
}
static asy_value bytes_flush(asy_vm *vm, const asy_value *args) {
  return check(vm, self_of(args)) ? ASY_NONE : ASY_FAILED;
}

static asy_value bytes_getstate(asy_vm *vm, const asy_value *args) {
  asy_value value = bytes_getvalue(vm, args);
  asy_dict *dict = asy_failed(value) ? NULL : asy_instance_dict(vm, asy_obj_of(args[0]));
  asy_dict *copy = dict ? asy_dict_copy(vm, dict) : NULL;
  if (asy_failed(value) || asy_raised(vm)) return ASY_FAILED;
  return asy_tuple_of(vm, 3, value, asy_from_int64(vm, (int64_t)self_of(args)->at),
                      copy && copy->used ? asy_from_obj(copy) : ASY_NONE);
}

static asy_value bytes_setstate(asy_vm *vm, const asy_value *args) {
  io_bytes *b = self_of(args);
  int64_t at;
  if (!check(vm, b)) return ASY_FAILED;
  if (!asy_is_kind(args[1], KIND_TUPLE) || ((asy_tuple *)asy_obj_of(args[1]))->len < 3)
    return asy_raise(vm, ASY_TypeError, "%T.__setstate__ argument should be 3-tuple, got %T", args[0], args[1]);
  const asy_tuple *state = (asy_tuple *)asy_obj_of(args[1]);
  if (asy_failed(bytes_init(vm, (asy_value[]){args[0], state->items[0]}))) return ASY_FAILED;
  if (!asy_is_integer(state->items[1]))
    return asy_raise(vm, ASY_TypeError, "second item of state must be an integer, not %T", state->items[1]);
  if (!asy_to_int64(vm, state->items[1], &at)) return ASY_FAILED;
  if (at < 0) return asy_raise(vm, ASY_ValueError, "position value cannot be negative");
  b->at = (size_t)at;
  if (state->items[2] == ASY_NONE) return ASY_NONE;
  if (!asy_is_kind(state->items[2], KIND_DICT))
    return asy_raise(vm, ASY_TypeError, "third item of state should be a dict, got a %T", state->items[2]);
  asy_dict *dict = asy_instance_dict(vm, asy_obj_of(args[0]));
  return dict && asy_dict_update(vm, dict, state->items[2]) ? ASY_NONE : ASY_FAILED;
}

static const asy_native bytes_methods[] = {
  {"__getstate__", SIG("(self, /)"), bytes_getstate, 0, 0},
  {"__setstate__", SIG("(self, state, /)"), bytes_setstate, 0, 0},
  {"close", SIG("(self, /)"), bytes_close, DOC("Disable all I/O operations."), 0},
  {"closed", SIG("(self)"), bytes_closed, DOC("True if the file is closed."), ASY_NATIVE_GETTER},
  {"flush", SIG("(self, /)"), bytes_flush, DOC("Does nothing."), 0},
  {"getbuffer", SIG("(self, /)"), bytes_getbuffer,
   DOC("Get a read-write view over the contents of the BytesIO object."), 0},
  {"getvalue", SIG("(self, /)"), bytes_getvalue, DOC("Retrieve the entire contents of the BytesIO object."), 0},
  {"isatty", SIG("(self, /)"), bytes_false, DOC("Always returns False."), 0},
  {"read", SIG("(self, size=-1, /)"), bytes_read, DOC("Read at most size bytes, returned as a bytes object."), 0},
  {"read1", SIG("(self, size=-1, /)"), bytes_read, DOC("Read at most size bytes, returned as a bytes object."), 0},
  {"readable", SIG("(self, /)"), bytes_true, DOC("Returns True if the IO object can be read."), 0},
  {"readinto", SIG("(self, buffer, /)"), bytes_readinto, DOC("Read bytes into buffer."), 0},
  {"readinto1", SIG("(self, buffer, /)"), bytes_readinto, DOC("Read bytes into buffer."), 0},
  {"readline", SIG("(self, size=-1, /)"), bytes_readline, DOC("Next line from the file, as a bytes object."), 0},
  {"readlines", SIG("(self, size=None, /)"), bytes_readlines, DOC("List of bytes objects, each a line from the file."),
   0},
  {"seek", SIG("(self, pos, whence=0, /)"), bytes_seek, DOC("Change stream position."), 0},
  {"seekable", SIG("(self, /)"), bytes_true, DOC("Returns True if the IO object can be seeked."), 0},
  {"tell", SIG("(self, /)"), bytes_tell, DOC("Current file position, an integer."), 0},
  {"truncate", SIG("(self, size=None, /)"), bytes_truncate, DOC("Truncate the file to at most size bytes."), 0},
  {"writable", SIG("(self, /)"), bytes_true, DOC("Returns True if the IO object can be written."), 0},
  {"write", SIG("(self, b, /)"), bytes_write, DOC("Write bytes to file."), 0},
  {0},
};

const asy_type asy_bytesio_type = {
  .name = "_io.BytesIO",
  .doc = "Buffered I/O implementation using an in-memory bytes buffer.",
  .base = &asy_bufferediobase_type,
  .size = sizeof(io_bytes),
  .flags = ASY_TYPE_ATTRS,
  .visit = bytes_visit,
  .special = &(const asy_special){.finalize = io_finalize},
  .new_ = bytes_new,
  .new_signature = SIG("(cls, *args, **kwargs)"),
  .init = bytes_init,
  .init_signature = SIG("(self, initial_bytes=None)"),
  .iter = bytes_iter,
  .next = bytes_next,
  .methods = bytes_methods,
};
