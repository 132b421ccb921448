/* buffered.c - BufferedReader, BufferedWriter and BufferedRandom: one struct, with a buffer for each direction.
 * Only one of them holds something at any time: writing first moves the raw stream back over what was read ahead, reading first
 * writes what waits. The position is that of the raw stream, less what is read ahead, plus what waits.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/io/io.h"
#include "runtime/types/bytes_internal.h"

static io_buffered *buffered_of(asy_value v) { return (io_buffered *)asy_obj_of(v); }

/* ---- The dirty list ---- */

static void clean(io_buffered *b) {
  b->out_len = 0;
  if (!b->dirty) return;
  *b->dirty = b->next_dirty;
  if (b->next_dirty) b->next_dirty->dirty = b->dirty;
  b->dirty = NULL;
  b->next_dirty = NULL;
}

static void make_dirty(asy_vm *vm, io_buffered *b) {
  if (b->dirty || !b->file || b->file->fd <= STDERR_FILENO) return;
  b->dirty = &vm->io_state->dirty;
  b->next_dirty = *b->dirty;
  if (b->next_dirty) b->next_dirty->dirty = &b->next_dirty;
  *b->dirty = b;
}

/* A file that was written and forgotten is not closed at once, as CPython does, but only at the next collection: at least what
 * it holds can be read. */
void io_flush_dirty(asy_vm *vm) {
  io_buffered *next;
  for (io_buffered *b = vm->io_state->dirty; b; b = next) {
    next = b->next_dirty;
    if (b->file->fd < 0 || b->busy) continue;
    ssize_t n = write(b->file->fd, b->out, b->out_len);
    if (n <= 0) continue;
    memmove(b->out, b->out + n, b->out_len - (size_t)n);
    if ((b->out_len -= (size_t)n) == 0) clean(b);
  }
}

/* ---- The raw stream ---- */

static bool check_ready(asy_vm *vm, const io_buffered *b) {
  if (b->ready) return true;
  asy_raise(vm, ASY_ValueError, b->detached ? "raw stream has been detached" : "I/O operation on uninitialized object");
  return false;
}

static int is_closed(asy_vm *vm, io_buffered *b) {
  if (!b->ready) return 0;
  return b->file ? b->file->fd < 0 : io_is_closed(vm, b->raw);
}

static bool check_open(asy_vm *vm, io_buffered *b, const char *what) {
  if (!check_ready(vm, b)) return false;
  int closed = is_closed(vm, b);
  if (closed > 0) asy_raise(vm, ASY_ValueError, "%s closed file", what);
  return closed == 0;
}

static bool enter(asy_vm *vm, io_buffered *b) {
  if (b->busy) {
    asy_raise(vm, ASY_RuntimeError, "reentrant call inside %R", asy_from_obj(b));
    return false;
  }
  b->busy = true;
  return true;
}

/* A count that a method of the raw stream gave: -2 for None, -1 raised. */
static int64_t raw_count(asy_vm *vm, asy_value given, size_t most, const char *method) {
  int64_t n;
  if (asy_failed(given)) return -1;
  if (given == ASY_NONE) return -2;
  if (!asy_to_int64(vm, given, &n)) return -1;
  if (n >= 0 && (uint64_t)n <= most) return n;
  asy_raise(vm, ASY_OSError, "raw %s() returned invalid length %lld (should have been between 0 and %zu)", method,
            (long long)n, most);
  return -1;
}

static int64_t system_count(asy_vm *vm, ssize_t n) {
  if (n >= 0) return n;
  if (n == -2) return -1;
  if (errno == EAGAIN) return -2;
  asy_raise_errno(vm, errno, ASY_UNBOUND);
  return -1;
}

static int64_t readinto_script(asy_vm *vm, io_buffered *b, uint8_t *to, size_t length) {
  asy_bytearray *room = asy_bytearray_new(vm, NULL, length);
  asy_value view = room ? asy_call1(vm, asy_from_obj(vm->classes[KIND_MEMORYVIEW]), asy_from_obj(room)) : ASY_FAILED;
  if (asy_failed(view)) return -1;
  int64_t n = raw_count(vm, io_call(vm, b->raw, "readinto", 1, &view), length, "readinto");
  if (n > 0) memcpy(to, asy_bytearray_data(room), (size_t)n);
  return n;
}

/* At most `length` bytes: 0 at the end, -1 failed, -2 would block. */
static int64_t raw_read(asy_vm *vm, io_buffered *b, uint8_t *to, size_t length) {
  if (!enter(vm, b)) return -1;
  int64_t n;
  if (b->file && b->file->fd >= 0) n = system_count(vm, io_fd_read(vm, b->file->fd, to, length));
  else n = readinto_script(vm, b, to, length);
  b->busy = false;
  return n;
}

static bool is_stdout(const io_buffered *b) { return b->file && b->file->fd == STDOUT_FILENO; }

/* Bytes taken; -1 failed, -2 would block. */
static int64_t raw_write(asy_vm *vm, io_buffered *b, const uint8_t *from, size_t length) {
  if (!enter(vm, b)) return -1;
  int64_t n;
  if (b->file && b->file->fd >= 0) {
    ssize_t written = io_fd_write(vm, b->file->fd, from, length);
    if (written == -1 && errno == EPIPE && is_stdout(b)) vm->io_state->stdout_broken = true;
    n = system_count(vm, written);
  } else {
    asy_value bytes = asy_from_bytes(vm, from, length);
    n = asy_failed(bytes) ? -1 : raw_count(vm, io_call(vm, b->raw, "write", 1, &bytes), length, "write");
  }
  b->busy = false;
  return n;
}

/* The raw stream's position after moving; -1 failed. */
static int64_t raw_seek(asy_vm *vm, io_buffered *b, int64_t offset, int whence) {
  int64_t at;
  if (b->file && b->file->fd >= 0) {
    at = lseek(b->file->fd, (off_t)offset, whence);
    if (at < 0) asy_raise_errno(vm, errno, ASY_UNBOUND);
    return at;
  }
  asy_value place = asy_from_int64(vm, offset);
  asy_value given = io_call(vm, b->raw, "seek", 2, (asy_value[]){place, asy_from_small(whence)});
  if (asy_failed(given) || !asy_to_int64(vm, given, &at)) return -1;
  if (at < 0) asy_raise(vm, ASY_OSError, "Raw stream returned invalid position %lld", (long long)at);
  return at < 0 ? -1 : at;
}

static int64_t raw_tell(asy_vm *vm, io_buffered *b) {
  if (b->file && b->file->fd >= 0) return raw_seek(vm, b, 0, SEEK_CUR);
  int64_t at;
  asy_value given = io_call(vm, b->raw, "tell", 0, NULL);
  if (asy_failed(given) || !asy_to_int64(vm, given, &at)) return -1;
  if (at < 0) asy_raise(vm, ASY_OSError, "Raw stream returned invalid position %lld", (long long)at);
  return at < 0 ? -1 : at;
}

/* ---- Writing ---- */

static asy_value raise_would_block(asy_vm *vm, size_t written) {
  asy_value args[2] = {asy_from_small(EAGAIN), asy_from_cstr(vm, "write could not complete without blocking")};
  asy_value exception = asy_call(vm, asy_from_obj(vm->exceptions[ASY_BlockingIOError]), 2, args);
  if (asy_failed(exception) ||
      !asy_set_attr_cstr(vm, exception, "characters_written", asy_from_small((int64_t)written)))
    return ASY_FAILED;
  return asy_raise_value(vm, exception);
}

/* What was printed before an error message is seen before it. */
static void flush_stdout_first(asy_vm *vm, const io_buffered *b) {
  if (!b->file || b->file->fd != STDERR_FILENO || !vm->stdout_file ||
      !io_exactly(vm, vm->stdout_file, vm->io_state->text))
    return;
  io_buffered *out = ((io_text *)asy_obj_of(vm->stdout_file))->direct;
  if (out && out->out_len && out->ready && out->file && out->file->fd >= 0 && !io_buffered_flush(vm, out))
    asy_clear_exception(vm);
}

/* Writes out[0 .. out_len); what a stream that would block did not take stays. */
bool io_buffered_flush(asy_vm *vm, io_buffered *b) {
  size_t done = 0;
  if (b->out_len) flush_stdout_first(vm, b);
  while (done < b->out_len) {
    int64_t n = raw_write(vm, b, b->out + done, b->out_len - done);
    if (n <= 0) {
      if (n == -2 || n == 0) raise_would_block(vm, 0);
      if (done > b->out_len) done = b->out_len; /* the raw stream's method closed us */
      bool lost = is_stdout(b) && vm->io_state->stdout_broken;
      memmove(b->out, b->out + done, b->out_len - done);
      b->out_len -= done;
      if (lost) clean(b);
      return false;
    }
    done += (size_t)n;
  }
  clean(b);
  return true;
}

/* Bytes read ahead are given back, so that the raw stream stands where the script is. */
static bool drop_input(asy_vm *vm, io_buffered *b) {
  int64_t ahead = (int64_t)(b->in_end - b->in_start);
  b->in_start = b->in_end = 0;
  return !ahead || raw_seek(vm, b, -ahead, SEEK_CUR) >= 0;
}

static bool need_buffer(asy_vm *vm, uint8_t **buffer, size_t size) {
  if (!*buffer && !(*buffer = malloc(size))) asy_raise_no_memory(vm);
  return *buffer != NULL;
}

/* Bytes too many for the buffer go straight to the raw stream, which may stop to take them: as many as fit are kept. */
static bool write_long(asy_vm *vm, io_buffered *b, const uint8_t *data, size_t length) {
  if (!io_buffered_flush(vm, b)) {
    if (!asy_raised_is(vm, ASY_BlockingIOError)) return false;
    size_t room = b->size - b->out_len, taken = length < room ? length : room;
    asy_clear_exception(vm);
    memcpy(b->out + b->out_len, data, taken);
    b->out_len += taken;
    if (taken < length) raise_would_block(vm, taken);
    return taken == length;
  }
  if (length >= b->size) flush_stdout_first(vm, b);
  size_t done = 0;
  while (length - done >= b->size) {
    int64_t n = raw_write(vm, b, data + done, length - done);
    if (n == -2 || n == 0) {
      memcpy(b->out, data + done, b->size);
      b->out_len = b->size;
      make_dirty(vm, b);
      if (length - done == b->size) return true;
      raise_would_block(vm, done + b->size);
    }
    if (n <= 0) return false;
    done += (size_t)n;
  }
  memcpy(b->out, data + done, length - done);
  b->out_len = length - done;
  if (b->out_len) make_dirty(vm, b);
  return true;
}

bool io_buffered_write(asy_vm *vm, io_buffered *b, const void *data, size_t length) {
  if (b->in_end && !drop_input(vm, b)) return false;
  if (!need_buffer(vm, &b->out, b->size)) return false;
  if (length > b->size - b->out_len) return write_long(vm, b, data, length);
  memcpy(b->out + b->out_len, data, length);
  if (!b->out_len && length) make_dirty(vm, b);
  b->out_len += length;
  return !b->unbuffered || io_buffered_flush(vm, b);
}

/* ---- Reading ---- */

static bool ready_to_read(asy_vm *vm, io_buffered *b) { return !b->out_len || io_buffered_flush(vm, b); }

/* Reads ahead when nothing is: bytes there are then, 0 at the end, -1 failed, -2 would block. */
static int64_t fill(asy_vm *vm, io_buffered *b) {
  if (!need_buffer(vm, &b->in, b->size)) return -1;
  b->in_start = b->in_end = 0;
  int64_t n = raw_read(vm, b, b->in, b->size);
  if (n > 0) b->in_end = (size_t)n;
  return n;
}

static size_t take(io_buffered *b, uint8_t *to, size_t length) {
  size_t n = b->in_end - b->in_start;
  if (n > length) n = length;
  if (n) memcpy(to, b->in + b->in_start, n);
  b->in_start += n;
  if (b->in_start == b->in_end) b->in_start = b->in_end = 0;
  return n;
}

int64_t io_buffered_read1(asy_vm *vm, io_buffered *b, uint8_t *to, size_t length) {
  if (!ready_to_read(vm, b)) return -1;
  if (b->in_start < b->in_end) return (int64_t)take(b, to, length);
  if (length >= b->size) return raw_read(vm, b, to, length);
  int64_t n = fill(vm, b);
  return n > 0 ? (int64_t)take(b, to, length) : n;
}

/* `length` bytes unless the end or a stream that would block comes first: -2 for the latter when there is none at all. */
static int64_t read_exactly(asy_vm *vm, io_buffered *b, uint8_t *to, size_t length) {
  size_t done = take(b, to, length);
  while (done < length) {
    size_t left = length - done;
    int64_t n;
    if (left >= b->size) {
      n = raw_read(vm, b, to + done, left - left % b->size);
      if (n > 0) done += (size_t)n;
    } else {
      n = fill(vm, b);
      if (n > 0) done += take(b, to + done, left);
    }
    if (n == -1) return -1;
    if (n == -2 && !done) return -2;
    if (n <= 0) break;
  }
  return (int64_t)done;
}

/* What a count of `n` bytes in malloc'ed `data` is to the script; frees data. */
static asy_value give(asy_vm *vm, uint8_t *data, int64_t n) {
  asy_value result = n == -1 ? ASY_FAILED : n == -2 ? ASY_NONE : asy_from_bytes(vm, data, (size_t)n);
  free(data);
  return result;
}

static asy_value read_all(asy_vm *vm, io_buffered *b) {
  asy_value ahead = asy_from_bytes(vm, b->in_end ? b->in + b->in_start : (uint8_t *)"", b->in_end - b->in_start);
  if (asy_failed(ahead)) return ahead;
  b->in_start = b->in_end = 0;
  asy_str *name = asy_intern(vm, "readall");
  asy_value readall = ASY_UNBOUND, rest;
  asy_bytes *first = (asy_bytes *)asy_obj_of(ahead);
  if (b->file) {
    rest = io_file_readall(vm, b->file);
  } else {
    int found = name ? asy_find_attr(vm, b->raw, name, &readall) : -1;
    if (found < 0) return ASY_FAILED;
    if (found) {
      rest = asy_call0(vm, readall);
    } else {
      asy_bytearray *all = asy_bytearray_new(vm, "", 0);
      if (!all) return ASY_FAILED;
      for (rest = ASY_NONE;;) {
        asy_value piece = io_call(vm, b->raw, "read", 0, NULL);
        if (asy_failed(piece)) return piece;
        if (piece != ASY_NONE && !asy_is_kind(piece, KIND_BYTES))
          return asy_raise(vm, ASY_TypeError, "read() should return bytes");
        if (piece == ASY_NONE || !((asy_bytes *)asy_obj_of(piece))->len) {
          if (piece != ASY_NONE || all->len) rest = asy_from_bytes(vm, asy_bytearray_data(all), all->len);
          break;
        }
        if (!asy_bytearray_append(vm, all, ((asy_bytes *)asy_obj_of(piece))->data,
                                  ((asy_bytes *)asy_obj_of(piece))->len))
          return ASY_FAILED;
      }
    }
  }
  if (asy_failed(rest)) return rest;
  if (rest == ASY_NONE) return first->len ? ahead : rest;
  if (!asy_is_kind(rest, KIND_BYTES)) return asy_raise(vm, ASY_TypeError, "readall() should return bytes");
  return first->len ? asy_binary(vm, BINARY_ADD, ahead, rest) : rest;
}

static bool begin_read(asy_vm *vm, const asy_value *args, const char *what) {
  io_buffered *b = buffered_of(args[0]);
  return check_open(vm, b, what) && ready_to_read(vm, b);
}

static asy_value buffered_read(asy_vm *vm, const asy_value *args) {
  io_buffered *b = buffered_of(args[0]);
  int64_t size;
  if (!io_size(vm, args[1], &size)) return ASY_FAILED;
  if (size < -1) return asy_raise(vm, ASY_ValueError, "read length must be non-negative or -1");
  if (!begin_read(vm, args, "read of")) return ASY_FAILED;
  if (size < 0) return read_all(vm, b);
  if ((size_t)size <= b->in_end - b->in_start) { /* the usual case: it is there */
    asy_value result = asy_from_bytes(vm, b->in ? b->in + b->in_start : (uint8_t *)"", (size_t)size);
    b->in_start += (size_t)size;
    return result;
  }
  uint8_t *data = malloc((size_t)size + 1);
  if (!data) return asy_raise_no_memory(vm);
  return give(vm, data, read_exactly(vm, b, data, (size_t)size));
}

static asy_value buffered_read1(asy_vm *vm, const asy_value *args) {
  io_buffered *b = buffered_of(args[0]);
  int64_t size;
  if (!io_size(vm, args[1], &size) || !begin_read(vm, args, "read of")) return ASY_FAILED;
  if (size < 0) size = (int64_t)b->size;
  if (!size) return asy_from_bytes(vm, "", 0);
  if (b->in_end > b->in_start && (size_t)size > b->in_end - b->in_start) size = (int64_t)(b->in_end - b->in_start);
  uint8_t *data = malloc((size_t)size + 1);
  if (!data) return asy_raise_no_memory(vm);
  int64_t n = io_buffered_read1(vm, b, data, (size_t)size);
  return give(vm, data, n == -2 ? 0 : n);
}

static asy_value read_into(asy_vm *vm, const asy_value *args, bool once) {
  io_buffered *b = buffered_of(args[0]);
  asy_buffer room;
  if (!asy_buffer_get_writable(vm, args[1], &room)) return ASY_FAILED;
  int64_t n = !begin_read(vm, args, "readinto of") ? -1
              : !room.len                          ? 0
              : once                               ? io_buffered_read1(vm, b, room.data, room.len)
                                                   : read_exactly(vm, b, room.data, room.len);
  asy_buffer_release(vm, &room);
  return n == -1 ? ASY_FAILED : n == -2 ? ASY_NONE : asy_from_small(n);
}
static asy_value buffered_readinto(asy_vm *vm, const asy_value *args) { return read_into(vm, args, false); }
static asy_value buffered_readinto1(asy_vm *vm, const asy_value *args) { return read_into(vm, args, true); }

static asy_value buffered_peek(asy_vm *vm, const asy_value *args) {
  io_buffered *b = buffered_of(args[0]);
  int64_t size;
  if (!io_size(vm, args[1], &size) || !begin_read(vm, args, "peek of")) return ASY_FAILED;
  if (b->in_start == b->in_end && fill(vm, b) == -1) return ASY_FAILED;
  return asy_from_bytes(vm, b->in + b->in_start, b->in_end - b->in_start);
}

/* The next line, at most `limit` bytes (< 0: any number); UNBOUND at the end. */
static asy_value read_line(asy_vm *vm, io_buffered *b, int64_t limit) {
  asy_bytearray *line = NULL; /* what earlier buffers had of it */
  for (;;) {
    size_t have = b->in_end - b->in_start, before = line ? line->len : 0;
    const uint8_t *start = b->in ? b->in + b->in_start : NULL;
    const uint8_t *newline = have ? memchr(start, '\n', have) : NULL;
    size_t n = newline ? (size_t)(newline - start) + 1 : have;
    bool done = newline != NULL;
    if (limit >= 0 && before + n >= (size_t)limit) {
      n = (size_t)limit - before;
      done = true;
    }
    if (done && !line) {
      b->in_start += n;
      return asy_from_bytes(vm, n ? start : (const uint8_t *)"", n);
    }
    if (!line && n && !(line = asy_bytearray_new(vm, "", 0))) return ASY_FAILED;
    if (n && !asy_bytearray_append(vm, line, start, n)) return ASY_FAILED;
    b->in_start += n;
    if (!done) {
      int64_t got = fill(vm, b);
      if (got == -1) return ASY_FAILED;
      done = got <= 0;
    }
    if (done) return line ? asy_from_bytes(vm, asy_bytearray_data(line), line->len) : ASY_UNBOUND;
  }
}

static asy_value buffered_readline(asy_vm *vm, const asy_value *args) {
  int64_t limit;
  if (!io_size(vm, args[1], &limit) || !begin_read(vm, args, "readline of")) return ASY_FAILED;
  asy_value line = read_line(vm, buffered_of(args[0]), limit);
  return line == ASY_UNBOUND ? asy_from_bytes(vm, "", 0) : line;
}

static asy_value buffered_next(asy_vm *vm, asy_value self) {
  if (!begin_read(vm, &self, "readline of")) return ASY_FAILED;
  asy_value line;
  if (asy_type_of(vm, self)->flags & ASY_CLASS_BUILTIN) {
    line = read_line(vm, buffered_of(self), -1);
  } else { /* a script class may have a readline of its own */
    line = io_call(vm, self, "readline", 0, NULL);
    int64_t length = asy_failed(line) ? -1 : asy_length(vm, line);
    if (length <= 0) return length ? ASY_FAILED : ASY_END;
  }
  return line == ASY_UNBOUND ? ASY_END : line;
}

static asy_value buffered_iter(asy_vm *vm, asy_value self) {
  return check_open(vm, buffered_of(self), "I/O operation on") ? self : ASY_FAILED;
}

/* ---- Writing, as methods ---- */

static asy_value buffered_write(asy_vm *vm, const asy_value *args) {
  io_buffered *b = buffered_of(args[0]);
  asy_buffer data;
  if (asy_is_str(args[1])) return asy_raise(vm, ASY_TypeError, "a bytes-like object is required, not 'str'");
  if (!check_ready(vm, b) || !asy_buffer_get(vm, args[1], &data)) return ASY_FAILED;
  size_t length = data.len;
  bool good = check_open(vm, b, "write to") && io_buffered_write(vm, b, data.data, length);
  asy_buffer_release(vm, &data);
  return good ? asy_from_small((int64_t)length) : ASY_FAILED;
}

static asy_value buffered_flush(asy_vm *vm, const asy_value *args) {
  io_buffered *b = buffered_of(args[0]);
  if (!check_open(vm, b, "flush of")) return ASY_FAILED;
  if (b->out_len && !io_buffered_flush(vm, b)) return ASY_FAILED;
  if (b->writable && b->in_end > b->in_start && !drop_input(vm, b)) return ASY_FAILED;
  return ASY_NONE;
}

static asy_value reader_flush(asy_vm *vm, const asy_value *args) {
  io_buffered *b = buffered_of(args[0]);
  return check_ready(vm, b) ? io_call(vm, b->raw, "flush", 0, NULL) : ASY_FAILED;
}

/* ---- Position ---- */

int64_t io_buffered_tell(asy_vm *vm, io_buffered *b) {
  int64_t at = raw_tell(vm, b);
  if (at < 0) return -1;
  at += (int64_t)b->out_len - (int64_t)(b->in_end - b->in_start);
  return at < 0 ? 0 : at;
}

static asy_value buffered_tell(asy_vm *vm, const asy_value *args) {
  io_buffered *b = buffered_of(args[0]);
  if (!check_ready(vm, b)) return ASY_FAILED;
  int64_t at = io_buffered_tell(vm, b);
  return at < 0 ? ASY_FAILED : asy_from_int64(vm, at);
}

static asy_value buffered_seek(asy_vm *vm, const asy_value *args) {
  io_buffered *b = buffered_of(args[0]);
  int64_t offset, whence;
  if (!asy_to_int64(vm, args[2], &whence)) return ASY_FAILED;
  if (whence < 0 || whence > 4)
    return asy_raise(vm, ASY_ValueError, "whence value %lld unsupported", (long long)whence);
  if (!check_open(vm, b, "seek of")) return ASY_FAILED;
  asy_value can = io_call(vm, b->raw, "seekable", 0, NULL);
  if (asy_failed(can)) return can;
  if (can != ASY_TRUE) return io_unsupported(vm, "File or stream is not seekable.");
  if (!asy_to_int64(vm, args[1], &offset) || !check_open(vm, b, "seek of"))
    return ASY_FAILED;                         /* __index__ may close it */
  if (b->in_end > b->in_start && whence < 2) { /* a place that is read ahead */
    int64_t raw = raw_tell(vm, b), ahead = (int64_t)(b->in_end - b->in_start);
    if (raw < 0) return ASY_FAILED;
    int64_t delta = offset;
    if (!whence)
      (void)__builtin_sub_overflow(offset, raw - ahead, &delta); /* places too far away wrap, as in CPython */
    if (delta <= ahead && delta >= -(int64_t)b->in_start) {
      b->in_start = (size_t)((int64_t)b->in_start + delta);
      return asy_from_int64(vm, raw - ahead + delta);
    }
    if (whence == 1) (void)__builtin_sub_overflow(offset, ahead, &offset);
  }
  if (b->out_len && !io_buffered_flush(vm, b)) return ASY_FAILED;
  int64_t at = raw_seek(vm, b, offset, (int)whence);
  if (at < 0) return ASY_FAILED;
  b->in_start = b->in_end = 0;
  return asy_from_int64(vm, at);
}

static asy_value buffered_truncate(asy_vm *vm, const asy_value *args) {
  io_buffered *b = buffered_of(args[0]);
  if (!check_open(vm, b, "truncate of")) return ASY_FAILED;
  if (!b->writable) return io_unsupported(vm, "truncate");
  if (b->out_len && !io_buffered_flush(vm, b)) return ASY_FAILED;
  if (b->in_end > b->in_start && !drop_input(vm, b)) return ASY_FAILED;
  return io_call(vm, b->raw, "truncate", 1, &args[1]);
}

/* ---- Its life ---- */

static void visit(asy_obj *o, asy_visitor *v) { asy_visit_value(v, ((io_buffered *)o)->raw); }

static void release_buffers(io_buffered *b) {
  free(b->in);
  free(b->out);
  b->in = b->out = NULL;
}

static void free_buffers(asy_vm *vm, asy_obj *o) {
  (void)vm;
  io_buffered *b = (io_buffered *)o;
  clean(b);
  release_buffers(b);
}

static bool start(asy_vm *vm, io_buffered *b, asy_value raw, int64_t size) {
  if (size <= 0) return asy_raise(vm, ASY_ValueError, "buffer size must be strictly positive"), false;
  if (size > INT32_MAX) return asy_raise_no_memory(vm), false;
  if (b->busy) return asy_raise(vm, ASY_RuntimeError, "reentrant call inside %T", asy_from_obj(b)), false;
  clean(b);
  release_buffers(b);
  b->in_start = b->in_end = 0;
  b->size = (size_t)size;
  b->file = io_exactly(vm, raw, vm->io_state->file) ? (io_file *)asy_obj_of(raw) : NULL;
  asy_store(vm, b, &b->raw, raw);
  io_adopt(vm, raw);
  b->ready = true;
  b->detached = false;
  return true;
}

static bool demand(asy_vm *vm, asy_value raw, const char *method, const char *text) {
  asy_value can = io_call(vm, raw, method, 0, NULL);
  if (asy_failed(can)) return false;
  if (can != ASY_TRUE) io_unsupported(vm, text);
  return can == ASY_TRUE;
}

static asy_value buffered_init(asy_vm *vm, const asy_value *args) {
  io_buffered *b = buffered_of(args[0]);
  int64_t size;
  b->ready = b->detached = false;
  if (b->writable && b->readable && !demand(vm, args[1], "seekable", "File or stream is not seekable."))
    return ASY_FAILED;
  if (b->readable && !demand(vm, args[1], "readable", "File or stream is not readable.")) return ASY_FAILED;
  if (b->writable && !demand(vm, args[1], "writable", "File or stream is not writable.")) return ASY_FAILED;
  return asy_to_int64(vm, args[2], &size) && start(vm, b, args[1], size) ? ASY_NONE : ASY_FAILED;
}

static asy_value allocate(asy_vm *vm, asy_value cls, bool readable, bool writable) {
  io_buffered *b = asy_new_instance(vm, (asy_class *)asy_obj_of(cls));
  if (!b) return ASY_FAILED;
  b->readable = readable;
  b->writable = writable;
  return asy_from_obj(b);
}
static asy_value reader_new(asy_vm *vm, const asy_value *args) { return allocate(vm, args[0], true, false); }
static asy_value writer_new(asy_vm *vm, const asy_value *args) { return allocate(vm, args[0], false, true); }
static asy_value random_new(asy_vm *vm, const asy_value *args) { return allocate(vm, args[0], true, true); }

asy_value io_buffered_on(asy_vm *vm, asy_class *cls, asy_value raw, int64_t size) {
  const asy_io_state *io = vm->io_state;
  asy_value self = allocate(vm, asy_from_obj(cls), cls != io->writer, cls != io->reader);
  return !asy_failed(self) && start(vm, buffered_of(self), raw, size) ? self : ASY_FAILED;
}

static asy_value buffered_close(asy_vm *vm, const asy_value *args) {
  io_buffered *b = buffered_of(args[0]);
  if (!check_ready(vm, b)) return ASY_FAILED;
  int closed = is_closed(vm, b);
  if (closed) return closed < 0 ? ASY_FAILED : ASY_NONE;
  asy_value flushed = io_call(vm, args[0], "flush", 0, NULL);
  asy_value error = asy_failed(flushed) ? asy_take_exception(vm) : 0;
  asy_value shut = io_call(vm, b->raw, "close", 0, NULL);
  clean(b);
  b->in_start = b->in_end = 0;
  if (!b->busy) release_buffers(b);
  if (asy_type_of(vm, args[0])->flags & ASY_CLASS_BUILTIN) asy_cancel_finalizer(b);
  if (!error) return asy_failed(shut) ? ASY_FAILED : ASY_NONE;
  if (!asy_failed(shut)) asy_set_exception(vm, error);
  else { /* the second error carries the first as its context */ asy_value second = asy_take_exception(vm);
    asy_set_attr_cstr(vm, second, "__context__", error);
    asy_set_exception(vm, second);
  }
  return ASY_FAILED;
}

static asy_value buffered_detach(asy_vm *vm, const asy_value *args) {
  io_buffered *b = buffered_of(args[0]);
  if (!check_ready(vm, b) || asy_failed(io_call(vm, args[0], "flush", 0, NULL))) return ASY_FAILED;
  asy_value raw = b->raw;
  b->raw = 0;
  b->file = NULL;
  b->ready = false;
  b->detached = true;
  return io_release(vm, raw) ? raw : ASY_FAILED;
}

static asy_value of_raw(asy_vm *vm, const asy_value *args, const char *method) {
  io_buffered *b = buffered_of(args[0]);
  return check_ready(vm, b) ? io_call(vm, b->raw, method, 0, NULL) : ASY_FAILED;
}
static asy_value buffered_seekable(asy_vm *vm, const asy_value *args) { return of_raw(vm, args, "seekable"); }
static asy_value buffered_fileno(asy_vm *vm, const asy_value *args) { return of_raw(vm, args, "fileno"); }
static asy_value buffered_isatty(asy_vm *vm, const asy_value *args) { return of_raw(vm, args, "isatty"); }
static asy_value raw_readable(asy_vm *vm, const asy_value *args) { return of_raw(vm, args, "readable"); }
static asy_value raw_writable(asy_vm *vm, const asy_value *args) { return of_raw(vm, args, "writable"); }

static asy_value attribute_of_raw(asy_vm *vm, const asy_value *args, const char *name) {
  io_buffered *b = buffered_of(args[0]);
  return check_ready(vm, b) ? asy_get_attr_cstr(vm, b->raw, name) : ASY_FAILED;
}
static asy_value buffered_closed(asy_vm *vm, const asy_value *args) { return attribute_of_raw(vm, args, "closed"); }
static asy_value buffered_name(asy_vm *vm, const asy_value *args) { return attribute_of_raw(vm, args, "name"); }
static asy_value buffered_mode(asy_vm *vm, const asy_value *args) { return attribute_of_raw(vm, args, "mode"); }

static asy_value buffered_repr(asy_vm *vm, asy_value self) {
  asy_value name = asy_get_attr_cstr(vm, self, "name");
  asy_str *cls = asy_type_of(vm, self)->name;
  if (asy_failed(name)) {
    if (!asy_raised_is(vm, ASY_AttributeError) && !asy_raised_is(vm, ASY_ValueError)) return ASY_FAILED;
    asy_clear_exception(vm);
  }
  asy_str *text = asy_failed(name) ? asy_str_format(vm, "<_io.%U>", cls)
                                   : asy_str_format(vm, "<_io.%U name=%R>", cls, name);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

static asy_value no_pickle(asy_vm *vm, const asy_value *args) {
  return asy_raise(vm, ASY_TypeError, "cannot pickle '%N' instances", asy_class_of(vm, args[0]));
}

/* Every type has these ... */
#define COMMON_ROWS                                                                                                    \
  {"__getstate__", SIG("(self, /)"), no_pickle, 0, 0}, {"__reduce__", SIG("(self, /)"), no_pickle, 0, 0},              \
    {"__reduce_ex__", SIG("(self, proto, /)"), no_pickle, 0, 0}, {"close", SIG("(self, /)"), buffered_close, 0, 0},    \
    {"closed", SIG("(self)"), buffered_closed, 0, ASY_NATIVE_GETTER},                                                  \
    {"detach", SIG("(self, /)"), buffered_detach, 0, 0}, {"fileno", SIG("(self, /)"), buffered_fileno, 0, 0},          \
    {"isatty", SIG("(self, /)"), buffered_isatty, 0, 0}, {"mode", SIG("(self)"), buffered_mode, 0, ASY_NATIVE_GETTER}, \
    {"name", SIG("(self)"), buffered_name, 0, ASY_NATIVE_GETTER},                                                      \
    {"seek", SIG("(self, target, whence=0, /)"), buffered_seek, 0, 0},                                                 \
    {"seekable", SIG("(self, /)"), buffered_seekable, 0, 0}, {"tell", SIG("(self, /)"), buffered_tell, 0, 0}, {        \
    "truncate", SIG("(self, pos=None, /)"), buffered_truncate, 0, 0                                                    \
  }
/* ... and these those that read or write. */
#define READER_ROWS                                                                                                    \
  {"peek", SIG("(self, size=0, /)"), buffered_peek, 0, 0},                                                             \
    {"read", SIG("(self, size=-1, /)"), buffered_read,                                                                 \
     DOC("Read and return up to size bytes; all when negative or None."), 0},                                          \
    {"read1", SIG("(self, size=-1, /)"), buffered_read1, 0, 0}, {"readable", SIG("(self, /)"), raw_readable, 0, 0},    \
    {"readinto", SIG("(self, buffer, /)"), buffered_readinto, 0, 0},                                                   \
    {"readinto1", SIG("(self, buffer, /)"), buffered_readinto1, 0, 0}, {                                               \
    "readline", SIG("(self, size=-1, /)"), buffered_readline, 0, 0                                                     \
  }
#define WRITER_ROWS                                                                                                    \
  {"flush", SIG("(self, /)"), buffered_flush, 0, 0}, {"writable", SIG("(self, /)"), raw_writable, 0, 0}, {             \
    "write", SIG("(self, buffer, /)"), buffered_write, DOC("Write the given buffer to the IO stream."), 0              \
  }

static const asy_native reader_methods[] = {
  COMMON_ROWS, READER_ROWS, {"flush", SIG("(self, /)"), reader_flush, 0, 0}, {0}};
static const asy_native writer_methods[] = {COMMON_ROWS, WRITER_ROWS, {0}};
static const asy_native random_methods[] = {COMMON_ROWS, READER_ROWS, WRITER_ROWS, {0}};
#undef COMMON_ROWS
#undef READER_ROWS
#undef WRITER_ROWS

static const asy_member buffered_members[] = {
  {"raw", offsetof(io_buffered, raw), MEMBER_VALUE, false},
  {0},
};

#define BUFFERED_TYPE(which, title, text)                                                                              \
  const asy_type asy_buffered_##which##_type = {                                                                       \
    .name = "_io." title,                                                                                              \
    .doc = text,                                                                                                       \
    .base = &asy_bufferediobase_type,                                                                                  \
    .size = sizeof(io_buffered),                                                                                       \
    .flags = ASY_TYPE_ATTRS,                                                                                           \
    .visit = visit,                                                                                                    \
    .free = free_buffers,                                                                                              \
    .special = &(const asy_special){.finalize = io_finalize},                                                          \
    .new_ = which##_new,                                                                                               \
    .new_signature = SIG("(cls, *args, **kwargs)"),                                                                    \
    .init = buffered_init,                                                                                             \
    .init_signature = SIG("(self, raw, buffer_size=8192)"),                                                            \
    .repr = buffered_repr,                                                                                             \
    .iter = buffered_iter,                                                                                             \
    .next = buffered_next,                                                                                             \
    .methods = which##_methods,                                                                                        \
    .members = buffered_members,                                                                                       \
  }
BUFFERED_TYPE(reader, "BufferedReader", "Create a new buffered reader using the given readable raw IO object.");
BUFFERED_TYPE(writer, "BufferedWriter", "A buffer for a writeable sequential RawIO object.");
BUFFERED_TYPE(random, "BufferedRandom", "A buffered interface to random access streams.");
#undef BUFFERED_TYPE
