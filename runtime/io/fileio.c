/* fileio.c - FileIO: a descriptor of the system as a raw stream; opening paths. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/io/io.h"
#include "runtime/signal.h"

/* ---- The system's calls ---- */

/* A standard stream may have been made non-blocking by whoever shares it: it is waited for. Others say that they would block. */
static bool wait_if_standard(int fd, short events) {
  if (errno != EAGAIN || fd > STDERR_FILENO) return false;
  struct pollfd wait = {fd, events, 0};
  poll(&wait, 1, -1);
  return true;
}

/* After EINTR: handlers run. False: one raised. */
static bool signals_done(asy_vm *vm) { return !(vm->interrupt & ASY_INTERRUPT_SIGNAL) || asy_signals_run(vm); }

ssize_t io_fd_read(asy_vm *vm, int fd, void *to, size_t length) {
  for (;;) {
    ssize_t n = read(fd, to, length);
    if (n >= 0) return n;
    if (errno == EINTR) {
      if (!signals_done(vm)) return -2;
    } else if (!wait_if_standard(fd, POLLIN)) {
      return -1;
    }
  }
}

ssize_t io_fd_write(asy_vm *vm, int fd, const void *from, size_t length) {
  for (;;) {
    ssize_t n = write(fd, from, length);
    if (n >= 0) return n;
    if (errno == EINTR) {
      if (!signals_done(vm)) return -2;
    } else if (!wait_if_standard(fd, POLLOUT)) {
      return -1;
    }
  }
}

/* ---- Opening ---- */

typedef struct {
  bool reading, writing, appending, creating, updating;
} file_mode;

static bool parse_mode(asy_vm *vm, const char *text, file_mode *mode) {
  *mode = (file_mode){0};
  int ways = 0, pluses = 0;
  for (const char *p = text; *p; p++) {
    switch (*p) {
      case 'r': mode->reading = true, ways++; break;
      case 'w': mode->writing = true, ways++; break;
      case 'a': mode->appending = true, ways++; break;
      case 'x': mode->creating = true, ways++; break;
      case '+': mode->updating = true, pluses++; break;
      case 'b': break;
      default: return asy_raise(vm, ASY_ValueError, "invalid mode: %.200s", text), false;
    }
  }
  if (ways == 1 && pluses <= 1) return true;
  asy_raise(vm, ASY_ValueError,
            ways == 1 || !ways ? "Must have exactly one of create/read/write/append mode and at most one plus"
                               : "must have exactly one of create/read/write/append mode");
  return false;
}

static int open_flags(const file_mode *mode) {
  int flags = mode->updating ? O_RDWR : mode->reading ? O_RDONLY : O_WRONLY;
  if (mode->writing) flags |= O_CREAT | O_TRUNC;
  if (mode->appending) flags |= O_CREAT | O_APPEND;
  if (mode->creating) flags |= O_CREAT | O_EXCL;
  return flags | O_CLOEXEC;
}

/* A path from str, bytes or __fspath__; *keep holds its memory. */
static const char *path_of(asy_vm *vm, asy_value file, asy_value *keep) {
  asy_value path = file;
  if (!asy_is_str(path) && !asy_is_kind(path, KIND_BYTES)) {
    path = asy_call_special(vm, file, ASY_NAME(vm, __fspath__), 0, NULL);
    if (path == ASY_UNBOUND) asy_raise(vm, ASY_TypeError, "expected str, bytes or os.PathLike object, not %T", file);
    if (path == ASY_UNBOUND || asy_failed(path)) return NULL;
  }
  *keep = path;
  size_t length;
  const char *text;
  if (asy_is_kind(path, KIND_BYTES)) {
    text = (const char *)((const asy_bytes *)asy_obj_of(path))->data;
    length = ((const asy_bytes *)asy_obj_of(path))->len;
  } else if (asy_is_str(path)) {
    text = asy_fs_encode(vm, (asy_str *)asy_obj_of(path), &length, keep);
  } else {
    asy_raise(vm, ASY_TypeError, "expected %T.__fspath__() to return str or bytes, not %T", file, path);
    return NULL;
  }
  if (!text || strlen(text) == length) return text;
  asy_raise(vm, ASY_ValueError, "embedded null byte");
  return NULL;
}

static int call_opener(asy_vm *vm, asy_value file, int flags, asy_value opener) {
  asy_value made = asy_call2(vm, opener, file, asy_from_small(flags));
  int64_t fd;
  if (asy_failed(made)) return -1;
  if (!asy_is_integer(made) || !asy_is_number_int64(made, &fd)) {
    asy_raise(vm, ASY_TypeError, "expected integer from opener");
    return -1;
  }
  if (fd < 0 || fd > INT32_MAX) {
    asy_raise(vm, ASY_ValueError, "opener returned %lld", (long long)fd);
    return -1;
  }
  return (int)fd;
}

static int open_path(asy_vm *vm, asy_value file, int flags, asy_value opener) {
  if (opener != ASY_NONE) return call_opener(vm, file, flags, opener);
  asy_value keep = 0;
  const char *path = path_of(vm, file, &keep);
  if (!path) return -1;
  int fd = open(path, flags, 0666);
  if (fd < 0 && (errno == EMFILE || errno == ENFILE)) { /* forgotten files may hold descriptors */
    asy_collect(vm, ASY_COLLECT_MAJOR);
    asy_run_finalizers(vm);
    fd = open(path, flags, 0666);
  }
  while (fd < 0 && errno == EINTR) {
    if (!signals_done(vm)) return -1;
    fd = open(path, flags, 0666);
  }
  if (fd < 0) asy_raise_errno(vm, errno, file);
  return fd;
}

/* Checks the descriptor: a directory is refused, as is what is not open. */
static bool check_descriptor(asy_vm *vm, int fd, asy_value name) {
  struct stat status;
  if (fstat(fd, &status)) {
    asy_raise_errno(vm, errno, name);
    return false;
  }
  if (S_ISDIR(status.st_mode)) {
    asy_raise_errno(vm, EISDIR, name);
    return false;
  }
  return true;
}

static void shut(io_file *file) {
  if (file->fd >= 0 && file->closefd) close(file->fd);
  file->fd = -1;
}

/* Opens into an object that may have been open before. */
static bool file_open(asy_vm *vm, io_file *file, asy_value name, const char *mode_text, bool closefd,
                      asy_value opener) {
  file_mode mode;
  shut(file);
  if (!parse_mode(vm, mode_text, &mode)) return false;
  int fd, flags = open_flags(&mode);
  bool given = asy_is_integer(name);
  if (given) {
    int64_t number;
    if (!asy_is_number_int64(name, &number) || number > INT32_MAX) {
      asy_raise(vm, ASY_OverflowError, "Python int too large to convert to C int");
      return false;
    }
    if (number < 0) {
      asy_raise(vm, ASY_ValueError, "negative file descriptor");
      return false;
    }
    fd = (int)number;
  } else {
    if (!closefd) {
      asy_raise(vm, ASY_ValueError, "Cannot use closefd=False with file name");
      return false;
    }
    fd = open_path(vm, name, flags, opener);
    if (fd < 0) return false;
    if (opener != ASY_NONE) fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  if (!check_descriptor(vm, fd, given ? ASY_UNBOUND : name)) {
    if (!given) close(fd);
    return false;
  }
  file->fd = fd;
  file->closefd = closefd;
  file->readable = mode.reading || mode.updating;
  file->writable = !mode.reading || mode.updating;
  file->appending = mode.appending;
  file->created = mode.creating;
  file->seekable = -1;
  file->base.closed = false;
  asy_store(vm, file, &file->name, name);
  if (mode.appending) lseek(fd, 0, SEEK_END); /* a pipe says no, which is fine */
  return true;
}

static io_file *new_file(asy_vm *vm, asy_class *cls) {
  io_file *file = asy_new_instance(vm, cls);
  if (!file) return NULL;
  file->fd = -1;
  file->seekable = -1;
  file->closefd = true;
  return file;
}

asy_value io_file_open(asy_vm *vm, asy_value name, const char *mode, bool closefd, asy_value opener) {
  if (!asy_is_str(name) && !asy_is_kind(name, KIND_BYTES) &&
      !asy_is_integer(name)) { /* .name and errors show the text */
    asy_value path = asy_call_special(vm, name, ASY_NAME(vm, __fspath__), 0, NULL);
    if (path == ASY_UNBOUND)
      return asy_raise(vm, ASY_TypeError, "expected str, bytes or os.PathLike object, not %T", name);
    if (asy_failed(path)) return ASY_FAILED;
    name = path;
  }
  io_file *file = new_file(vm, vm->io_state->file);
  return file && file_open(vm, file, name, mode, closefd, opener) ? asy_from_obj(file) : ASY_FAILED;
}

asy_value io_file_on(asy_vm *vm, int fd, asy_value name, bool reading) {
  io_file *file = new_file(vm, vm->io_state->file);
  if (!file) return ASY_FAILED;
  file->fd = fd;
  file->closefd = false;
  file->readable = reading;
  file->writable = !reading;
  file->name = name;
  return asy_from_obj(file);
}

/* ---- The type ---- */

static io_file *file_of(asy_value v) { return (io_file *)asy_obj_of(v); }

static bool check_file(asy_vm *vm, const io_file *file) {
  if (file->fd >= 0) return true;
  asy_raise(vm, ASY_ValueError, "I/O operation on closed file");
  return false;
}

static bool check_reads(asy_vm *vm, const io_file *file) {
  if (!check_file(vm, file)) return false;
  if (!file->readable) io_unsupported(vm, "File not open for reading");
  return file->readable;
}

static bool check_writes(asy_vm *vm, const io_file *file) {
  if (!check_file(vm, file)) return false;
  if (!file->writable) io_unsupported(vm, "File not open for writing");
  return file->writable;
}

/* What a system call came to: a count, None where it would block, or the error raised. */
static asy_value outcome(asy_vm *vm, ssize_t n) {
  if (n >= 0) return asy_from_small(n);
  if (n == -2) return ASY_FAILED;
  return errno == EAGAIN ? ASY_NONE : asy_raise_errno(vm, errno, ASY_UNBOUND);
}

static asy_value file_new(asy_vm *vm, const asy_value *args) {
  io_file *file = new_file(vm, (asy_class *)asy_obj_of(args[0]));
  return file ? asy_from_obj(file) : ASY_FAILED;
}

static asy_value file_init(asy_vm *vm, const asy_value *args) {
  const char *mode;
  int closefd = asy_truth(vm, args[3]);
  if (!asy_is_str(args[2]))
    return asy_raise(vm, ASY_TypeError, "FileIO() argument 'mode' must be str, not %T", args[2]);
  if (closefd < 0 || !asy_to_cstr(vm, args[2], &mode)) return ASY_FAILED;
  if (asy_is_float(args[1]))
    return asy_raise(vm, ASY_TypeError, "expected str, bytes or os.PathLike object, not float");
  return file_open(vm, file_of(args[0]), args[1], mode, closefd, args[4]) ? ASY_NONE : ASY_FAILED;
}

static void file_visit(asy_obj *o, asy_visitor *v) { asy_visit_value(v, ((io_file *)o)->name); }

static void file_free(asy_vm *vm, asy_obj *o) {
  (void)vm;
  shut((io_file *)o);
}

asy_value io_file_readall(asy_vm *vm, io_file *file) {
  if (!check_reads(vm, file)) return ASY_FAILED;
  struct stat status;
  off_t at = lseek(file->fd, 0, SEEK_CUR);
  size_t cap = IO_BUFFER_SIZE, n = 0;
  if (!fstat(file->fd, &status) && at >= 0 && status.st_size > at) cap = (size_t)(status.st_size - at) + 1;
  uint8_t *data = NULL;
  asy_value result = ASY_FAILED;
  for (;;) {
    if (!data || n == cap) {
      size_t wanted = data ? cap + (cap > 65536 ? cap >> 1 : cap) : cap;
      uint8_t *grown = realloc(data, wanted);
      if (!grown) {
        asy_raise_no_memory(vm);
        break;
      }
      data = grown;
      cap = wanted;
    }
    ssize_t got = io_fd_read(vm, file->fd, data + n, cap - n);
    if (got < 0 && n && got != -2 && errno == EAGAIN) got = 0; /* what came is given */
    if (got < 0) {
      result = outcome(vm, got);
      break;
    }
    n += (size_t)got;
    if (got == 0) {
      result = asy_from_bytes(vm, data, n);
      break;
    }
  }
  free(data);
  return result;
}

static asy_value file_readall(asy_vm *vm, const asy_value *args) { return io_file_readall(vm, file_of(args[0])); }

static asy_value file_read(asy_vm *vm, const asy_value *args) {
  io_file *file = file_of(args[0]);
  int64_t size;
  if (!check_reads(vm, file) || !io_size(vm, args[1], &size)) return ASY_FAILED;
  if (size < 0) return io_call(vm, args[0], "readall", 0, NULL);
  uint8_t *data = malloc((size_t)size + 1);
  if (!data) return asy_raise_no_memory(vm);
  asy_value got = outcome(vm, io_fd_read(vm, file->fd, data, (size_t)size));
  if (asy_is_int(got)) got = asy_from_bytes(vm, data, (size_t)asy_small(got));
  free(data);
  return got;
}

static asy_value file_readinto(asy_vm *vm, const asy_value *args) {
  io_file *file = file_of(args[0]);
  asy_buffer room;
  if (!asy_buffer_get_writable(vm, args[1], &room)) return ASY_FAILED;
  asy_value got = check_reads(vm, file) ? outcome(vm, io_fd_read(vm, file->fd, room.data, room.len)) : ASY_FAILED;
  asy_buffer_release(vm, &room);
  return got;
}

static asy_value file_write(asy_vm *vm, const asy_value *args) {
  io_file *file = file_of(args[0]);
  asy_buffer data;
  if (!asy_buffer_get(vm, args[1], &data)) return ASY_FAILED;
  asy_value written = check_writes(vm, file) ? outcome(vm, io_fd_write(vm, file->fd, data.data, data.len)) : ASY_FAILED;
  asy_buffer_release(vm, &data);
  return written;
}

static asy_value file_seek(asy_vm *vm, const asy_value *args) {
  io_file *file = file_of(args[0]);
  int64_t offset;
  int whence;
  if (!check_file(vm, file)) return ASY_FAILED;
  if (asy_is_float(args[1])) return asy_raise(vm, ASY_TypeError, "an integer is required");
  if (!asy_to_int64(vm, args[1], &offset) || !asy_to_int(vm, args[2], INT32_MIN, INT32_MAX, &whence)) return ASY_FAILED;
  off_t at = lseek(file->fd, (off_t)offset, whence);
  if (file->seekable < 0) file->seekable = at >= 0;
  return at < 0 ? asy_raise_errno(vm, errno, ASY_UNBOUND) : asy_from_int64(vm, at);
}

static asy_value file_tell(asy_vm *vm, const asy_value *args) {
  io_file *file = file_of(args[0]);
  if (!check_file(vm, file)) return ASY_FAILED;
  off_t at = lseek(file->fd, 0, SEEK_CUR);
  return at < 0 ? asy_raise_errno(vm, errno, ASY_UNBOUND) : asy_from_int64(vm, at);
}

static asy_value file_truncate(asy_vm *vm, const asy_value *args) {
  io_file *file = file_of(args[0]);
  if (!check_writes(vm, file)) return ASY_FAILED;
  asy_value at = args[1] == ASY_NONE ? file_tell(vm, args) : args[1];
  int64_t size;
  if (asy_failed(at) || !asy_to_int64(vm, at, &size)) return ASY_FAILED;
  if (ftruncate(file->fd, (off_t)size)) return asy_raise_errno(vm, errno, ASY_UNBOUND);
  return at;
}

static asy_value file_close(asy_vm *vm, const asy_value *args) {
  io_file *file = file_of(args[0]);
  bool exact = io_exactly(vm, args[0], vm->io_state->file);
  if (!exact) { /* a script class may override flush */
    asy_value base = asy_class_get(vm, vm->io_state->raw_base, ASY_NAME(vm, close));
    if (base == ASY_UNBOUND || asy_failed(base) || asy_failed(asy_call1(vm, base, args[0]))) {
      shut(file);
      return ASY_FAILED;
    }
  }
  file->base.closed = true;
  int fd = file->fd;
  file->fd = -1;
  asy_cancel_finalizer(file);
  if (fd < 0 || !file->closefd || !close(fd) || errno == EINTR) return ASY_NONE;
  return asy_raise_errno(vm, errno, ASY_UNBOUND);
}

static asy_value file_fileno(asy_vm *vm, const asy_value *args) {
  return check_file(vm, file_of(args[0])) ? asy_from_small(file_of(args[0])->fd) : ASY_FAILED;
}
static asy_value file_isatty(asy_vm *vm, const asy_value *args) {
  return check_file(vm, file_of(args[0])) ? asy_from_bool(isatty(file_of(args[0])->fd)) : ASY_FAILED;
}
static asy_value file_readable(asy_vm *vm, const asy_value *args) {
  return check_file(vm, file_of(args[0])) ? asy_from_bool(file_of(args[0])->readable) : ASY_FAILED;
}
static asy_value file_writable(asy_vm *vm, const asy_value *args) {
  return check_file(vm, file_of(args[0])) ? asy_from_bool(file_of(args[0])->writable) : ASY_FAILED;
}
static asy_value file_seekable(asy_vm *vm, const asy_value *args) {
  io_file *file = file_of(args[0]);
  if (!check_file(vm, file)) return ASY_FAILED;
  if (file->seekable < 0) file->seekable = lseek(file->fd, 0, SEEK_CUR) >= 0;
  return asy_from_bool(file->seekable);
}
static asy_value file_closed(asy_vm *vm, const asy_value *args) { return asy_from_bool(file_of(args[0])->fd < 0); }
static asy_value file_closefd(asy_vm *vm, const asy_value *args) { return asy_from_bool(file_of(args[0])->closefd); }

static const char *mode_text(const io_file *file) {
  if (file->created) return file->readable ? "xb+" : "xb";
  if (file->appending) return file->readable ? "ab+" : "ab";
  if (file->readable) return file->writable ? "rb+" : "rb";
  return "wb";
}
static asy_value file_mode_attr(asy_vm *vm, const asy_value *args) {
  return asy_from_cstr(vm, mode_text(file_of(args[0])));
}

static asy_value file_repr(asy_vm *vm, asy_value self) {
  const io_file *file = file_of(self);
  asy_str *cls = asy_type_of(vm, self)->name, *text;
  const char *closefd = file->closefd ? "True" : "False";
  if (file->fd < 0) text = asy_str_format(vm, "<_io.%U [closed]>", cls);
  else if (!file->name)
    text = asy_str_format(vm, "<_io.%U fd=%d mode='%s' closefd=%s>", cls, file->fd, mode_text(file), closefd);
  else text = asy_str_format(vm, "<_io.%U name=%R mode='%s' closefd=%s>", cls, file->name, mode_text(file), closefd);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

static const asy_native file_methods[] = {
  {"close", SIG("(self, /)"), file_close, DOC("Close the file."), 0},
  {"closed", SIG("(self)"), file_closed, DOC("True if the file is closed"), ASY_NATIVE_GETTER},
  {"closefd", SIG("(self)"), file_closefd, DOC("True if the file descriptor will be closed by close()."),
   ASY_NATIVE_GETTER},
  {"fileno", SIG("(self, /)"), file_fileno, DOC("Return the underlying file descriptor (an integer)."), 0},
  {"isatty", SIG("(self, /)"), file_isatty, DOC("True if the file is connected to a TTY device."), 0},
  {"mode", SIG("(self)"), file_mode_attr, DOC("String giving the file mode"), ASY_NATIVE_GETTER},
  {"read", SIG("(self, size=-1, /)"), file_read, DOC("Read at most size bytes, returned as bytes."), 0},
  {"readable", SIG("(self, /)"), file_readable, DOC("True if file was opened in a read mode."), 0},
  {"readall", SIG("(self, /)"), file_readall, DOC("Read all data from the file, returned as bytes."), 0},
  {"readinto", SIG("(self, buffer, /)"), file_readinto, DOC("Same as RawIOBase.readinto()."), 0},
  {"seek", SIG("(self, pos, whence=0, /)"), file_seek, DOC("Move to new file position and return the file position."),
   0},
  {"seekable", SIG("(self, /)"), file_seekable, DOC("True if file supports random-access."), 0},
  {"tell", SIG("(self, /)"), file_tell, DOC("Current file position."), 0},
  {"truncate", SIG("(self, size=None, /)"), file_truncate,
   DOC("Truncate the file to at most size bytes and return the truncated size."), 0},
  {"writable", SIG("(self, /)"), file_writable, DOC("True if file was opened in a write mode."), 0},
  {"write", SIG("(self, b, /)"), file_write, DOC("Write buffer b to file, return number of bytes written."), 0},
  {0},
};

static const asy_member file_members[] = {
  {"name", offsetof(io_file, name), MEMBER_VALUE, true},
  {0},
};

const asy_type asy_fileio_type = {
  .name = "_io.FileIO",
  .doc = "Open a file.",
  .base = &asy_rawiobase_type,
  .size = sizeof(io_file),
  .flags = ASY_TYPE_ATTRS,
  .visit = file_visit,
  .free = file_free,
  .special = &(const asy_special){.finalize = io_finalize},
  .new_ = file_new,
  .new_signature = SIG("(cls, *args, **kwargs)"),
  .init = file_init,
  .init_signature = SIG("(self, file, mode='r', closefd=True, opener=None)"),
  .repr = file_repr,
  .methods = file_methods,
  .members = file_members,
};
