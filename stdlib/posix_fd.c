/* posix_fd.c - the functions of posix that take a descriptor. */
#include <fcntl.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include "stdlib/posix.h"

/* ---- Opening, closing, doubling ---- */

static asy_value p_close(asy_vm *vm, const asy_value *args) {
  int fd;
  if (!posix_fd(vm, args[0], &fd)) return ASY_FAILED;
  asy_thread *self = asy_thread_release(vm);
  int rc = close(fd);
  asy_thread_acquire(vm, self);
  return rc && errno != EINTR ? posix_error(vm) : ASY_NONE; /* interrupted: it is closed nevertheless */
}

static asy_value p_closerange(asy_vm *vm, const asy_value *args) {
  int low, high;
  if (!posix_fd(vm, args[0], &low) || !posix_fd(vm, args[1], &high)) return ASY_FAILED;
  if (low < 0) low = 0;
  if (low < high) close_range((unsigned)low, (unsigned)high - 1, 0);
  return ASY_NONE;
}

static asy_value p_dup(asy_vm *vm, const asy_value *args) {
  int fd;
  return posix_fd(vm, args[0], &fd) ? posix_number(vm, fcntl(fd, F_DUPFD_CLOEXEC, 0)) : ASY_FAILED;
}

/* (fd, fd2, inheritable=True) */
static asy_value p_dup2(asy_vm *vm, const asy_value *args) {
  int fd, fd2, rc;
  bool inheritable;
  if (!posix_fd(vm, args[0], &fd) || !posix_fd(vm, args[1], &fd2) || !posix_flag(vm, args[2], &inheritable))
    return ASY_FAILED;
  POSIX_WAIT(vm, rc, inheritable || fd == fd2 ? dup2(fd, fd2) : dup3(fd, fd2, O_CLOEXEC));
  return posix_number(vm, rc);
}

static asy_value make_pipe(asy_vm *vm, int flags) {
  int fds[2];
  if (pipe2(fds, flags)) return posix_error(vm);
  return asy_tuple_of(vm, 2, asy_from_small(fds[0]), asy_from_small(fds[1]));
}
static asy_value p_pipe(asy_vm *vm, const asy_value *args) { return make_pipe(vm, O_CLOEXEC); }
static asy_value p_pipe2(asy_vm *vm, const asy_value *args) {
  int flags;
  return posix_int(vm, args[0], &flags) ? make_pipe(vm, flags) : ASY_FAILED;
}

/* ---- Flags of a descriptor ---- */

/* Sets or clears `bit` of what get reads. */
static int change_flag(int fd, int get, int set, int bit, bool on) {
  int flags = fcntl(fd, get);
  if (flags < 0) return -1;
  int wanted = on ? flags | bit : flags & ~bit;
  return wanted == flags ? 0 : fcntl(fd, set, wanted);
}

static asy_value p_get_inheritable(asy_vm *vm, const asy_value *args) {
  int fd;
  if (!posix_fd(vm, args[0], &fd)) return ASY_FAILED;
  int flags = fcntl(fd, F_GETFD);
  return flags < 0 ? posix_error(vm) : asy_from_bool(!(flags & FD_CLOEXEC));
}
static asy_value p_set_inheritable(asy_vm *vm, const asy_value *args) {
  int fd, on;
  if (!posix_fd(vm, args[0], &fd) || !posix_int(vm, args[1], &on)) return ASY_FAILED;
  return posix_done(vm, change_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC, !on));
}
static asy_value p_get_blocking(asy_vm *vm, const asy_value *args) {
  int fd;
  if (!posix_fd(vm, args[0], &fd)) return ASY_FAILED;
  int flags = fcntl(fd, F_GETFL);
  return flags < 0 ? posix_error(vm) : asy_from_bool(!(flags & O_NONBLOCK));
}
static asy_value p_set_blocking(asy_vm *vm, const asy_value *args) {
  int fd;
  bool on;
  if (!posix_fd(vm, args[0], &fd) || !posix_flag(vm, args[1], &on)) return ASY_FAILED;
  return posix_done(vm, change_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK, !on));
}

/* ---- Reading and writing ---- */

/* offset -1: where the descriptor stands */
static asy_value read_bytes(asy_vm *vm, asy_value where, asy_value how_many, int64_t offset) {
  int fd;
  int64_t size;
  ssize_t n;
  if (!posix_fd(vm, where, &fd) || !asy_to_int64(vm, how_many, &size)) return ASY_FAILED;
  if (size < 0) return asy_raise_errno(vm, EINVAL, ASY_UNBOUND);
  if (size > INT_MAX) size = INT_MAX;
  asy_value result = ASY_FAILED;
  char small[4096];
  char *room = size <= (int64_t)sizeof small ? small : malloc((size_t)size);
  if (!room) return asy_raise_no_memory(vm);
  if (offset < 0) POSIX_WAIT(vm, n, read(fd, room, (size_t)size));
  else POSIX_WAIT(vm, n, pread(fd, room, (size_t)size, offset));
  result = n < 0 ? posix_error(vm) : asy_from_bytes(vm, room, (size_t)n);
  if (room != small) free(room);
  return result;
}

static asy_value p_read(asy_vm *vm, const asy_value *args) { return read_bytes(vm, args[0], args[1], -1); }

static bool offset_of(asy_vm *vm, asy_value v, int64_t *out) {
  if (!asy_to_int64(vm, v, out)) return false;
  if (*out >= 0) return true;
  asy_raise_errno(vm, EINVAL, ASY_UNBOUND);
  return false;
}
static asy_value p_pread(asy_vm *vm, const asy_value *args) {
  int64_t offset;
  return offset_of(vm, args[2], &offset) ? read_bytes(vm, args[0], args[1], offset) : ASY_FAILED;
}

static asy_value write_bytes(asy_vm *vm, asy_value where, asy_value data, int64_t offset) {
  int fd;
  asy_buffer buffer;
  ssize_t n;
  if (!posix_fd(vm, where, &fd) || !asy_buffer_get(vm, data, &buffer)) return ASY_FAILED;
  size_t size = buffer.len < INT_MAX ? buffer.len : INT_MAX;
  if (offset < 0) POSIX_WAIT(vm, n, write(fd, buffer.data, size));
  else POSIX_WAIT(vm, n, pwrite(fd, buffer.data, size, offset));
  asy_value result = posix_number(vm, n);
  asy_buffer_release(vm, &buffer);
  return result;
}

static asy_value p_write(asy_vm *vm, const asy_value *args) { return write_bytes(vm, args[0], args[1], -1); }
static asy_value p_pwrite(asy_vm *vm, const asy_value *args) {
  int64_t offset;
  return offset_of(vm, args[2], &offset) ? write_bytes(vm, args[0], args[1], offset) : ASY_FAILED;
}

/* Several buffers in one call. */
typedef struct {
  asy_buffer buffers[IOV_MAX];
  struct iovec parts[IOV_MAX];
  int count;
} vectors;

static void vectors_release(asy_vm *vm, vectors *v) {
  for (int i = 0; i < v->count; i++) asy_buffer_release(vm, &v->buffers[i]);
  free(v);
}

/* NULL: an exception is set. The buffers stay alive by the list in *keep. */
static vectors *vectors_of(asy_vm *vm, asy_value sequence, const char *function, bool writable, asy_list **keep) {
  if (asy_is_str(sequence) || asy_is_kind(sequence, KIND_DICT) || asy_is_any_set(sequence) ||
      asy_length(vm, sequence) < 0) {
    if (asy_raised(vm)) asy_clear_exception(vm);
    asy_raise(vm, ASY_TypeError, "%s() arg 2 must be a sequence", function);
    return NULL;
  }
  *keep = asy_list_from_iterable(vm, sequence);
  if (!*keep) return NULL;
  if ((*keep)->len > IOV_MAX) return asy_raise_errno(vm, EINVAL, ASY_UNBOUND), NULL;
  vectors *v = calloc(1, sizeof *v);
  if (!v) return asy_raise_no_memory(vm), NULL;
  for (; v->count < (int)(*keep)->len; v->count++) {
    asy_buffer *buffer = &v->buffers[v->count];
    asy_value item = (*keep)->items[v->count];
    if (writable && asy_is_kind(item, KIND_BYTES)) {
      asy_raise(vm, ASY_BufferError, "Object is not writable.");
      vectors_release(vm, v);
      return NULL;
    }
    if (!(writable ? asy_buffer_get_writable(vm, item, buffer) : asy_buffer_get(vm, item, buffer))) {
      vectors_release(vm, v);
      return NULL;
    }
    v->parts[v->count] = (struct iovec){buffer->data, buffer->len};
  }
  return v;
}

static asy_value transfer(asy_vm *vm, const asy_value *args, const char *function, bool reads, int64_t offset,
                          int flags) {
  int fd;
  asy_list *keep;
  ssize_t n;
  if (!posix_fd(vm, args[0], &fd)) return ASY_FAILED;
  vectors *v = vectors_of(vm, args[1], function, reads, &keep);
  if (!v) return ASY_FAILED;
  if (reads && offset < 0) POSIX_WAIT(vm, n, readv(fd, v->parts, v->count));
  else if (reads) POSIX_WAIT(vm, n, preadv2(fd, v->parts, v->count, offset, flags));
  else if (offset < 0) POSIX_WAIT(vm, n, writev(fd, v->parts, v->count));
  else POSIX_WAIT(vm, n, pwritev2(fd, v->parts, v->count, offset, flags));
  asy_value result = posix_number(vm, n);
  vectors_release(vm, v);
  __asm__ volatile("" : : "r"(keep) : "memory"); /* owns what the system wrote to */
  return result;
}

static asy_value p_readv(asy_vm *vm, const asy_value *args) { return transfer(vm, args, "readv", true, -1, 0); }
static asy_value p_writev(asy_vm *vm, const asy_value *args) { return transfer(vm, args, "writev", false, -1, 0); }

/* (fd, buffers, offset, flags=0) */
static asy_value p_preadv(asy_vm *vm, const asy_value *args) {
  int64_t offset;
  int flags;
  if (!offset_of(vm, args[2], &offset) || !posix_int(vm, args[3], &flags)) return ASY_FAILED;
  return transfer(vm, args, "preadv", true, offset, flags);
}
static asy_value p_pwritev(asy_vm *vm, const asy_value *args) {
  int64_t offset;
  int flags;
  if (!offset_of(vm, args[2], &offset) || !posix_int(vm, args[3], &flags)) return ASY_FAILED;
  return transfer(vm, args, "pwritev", false, offset, flags);
}

static asy_value p_lseek(asy_vm *vm, const asy_value *args) {
  int fd, whence;
  int64_t position, at;
  if (!posix_fd(vm, args[0], &fd) || !asy_to_int64(vm, args[1], &position) || !posix_int(vm, args[2], &whence))
    return ASY_FAILED;
  POSIX_WAIT(vm, at, lseek(fd, position, whence));
  return posix_number(vm, at);
}

/* An offset that may be None: NULL, nothing is moved. */
static bool optional_offset(asy_vm *vm, asy_value v, off_t *room, off_t **out) {
  int64_t offset;
  *out = NULL;
  if (v == ASY_NONE) return true;
  if (!asy_to_int64(vm, v, &offset)) return false;
  *room = offset;
  *out = room;
  return true;
}

/* (out_fd, in_fd, offset, count) */
static asy_value p_sendfile(asy_vm *vm, const asy_value *args) {
  int out, in;
  off_t room, *offset;
  int64_t count;
  ssize_t n;
  if (!posix_fd(vm, args[0], &out) || !posix_fd(vm, args[1], &in) || !optional_offset(vm, args[2], &room, &offset) ||
      !asy_to_int64(vm, args[3], &count))
    return ASY_FAILED;
  POSIX_WAIT(vm, n, sendfile(out, in, offset, (size_t)count));
  return posix_number(vm, n);
}

typedef struct {
  int from, to;
  size_t count;
  off_t rooms[2], *from_offset, *to_offset;
} copying;

/* (src, dst, count, offset_src=None, offset_dst=None, flags=0) */
static bool copying_of(asy_vm *vm, const asy_value *args, copying *c) {
  int64_t count;
  if (!posix_fd(vm, args[0], &c->from) || !posix_fd(vm, args[1], &c->to) || !asy_to_int64(vm, args[2], &count) ||
      !optional_offset(vm, args[3], &c->rooms[0], &c->from_offset) ||
      !optional_offset(vm, args[4], &c->rooms[1], &c->to_offset))
    return false;
  if (count < 0) return asy_raise(vm, ASY_ValueError, "negative value for 'count' not allowed"), false;
  c->count = (size_t)count;
  return true;
}
static asy_value p_copy_file_range(asy_vm *vm, const asy_value *args) {
  copying c;
  ssize_t n;
  if (!copying_of(vm, args, &c)) return ASY_FAILED;
  POSIX_WAIT(vm, n, copy_file_range(c.from, c.from_offset, c.to, c.to_offset, c.count, 0));
  return posix_number(vm, n);
}
static asy_value p_splice(asy_vm *vm, const asy_value *args) {
  copying c;
  int flags;
  ssize_t n;
  if (!copying_of(vm, args, &c) || !posix_int(vm, args[5], &flags)) return ASY_FAILED;
  POSIX_WAIT(vm, n, splice(c.from, c.from_offset, c.to, c.to_offset, c.count, (unsigned)flags));
  return posix_number(vm, n);
}

/* ---- Lengths, locks, disks ---- */

static asy_value p_ftruncate(asy_vm *vm, const asy_value *args) {
  int fd, rc;
  int64_t length;
  if (!posix_fd(vm, args[0], &fd) || !asy_to_int64(vm, args[1], &length)) return ASY_FAILED;
  POSIX_WAIT(vm, rc, ftruncate(fd, length));
  return posix_done(vm, rc);
}
static asy_value p_fsync(asy_vm *vm, const asy_value *args) {
  int fd, rc;
  if (!posix_fd_or_file(vm, args[0], &fd)) return ASY_FAILED;
  POSIX_WAIT(vm, rc, fsync(fd));
  return posix_done(vm, rc);
}
static asy_value p_fdatasync(asy_vm *vm, const asy_value *args) {
  int fd, rc;
  if (!posix_fd_or_file(vm, args[0], &fd)) return ASY_FAILED;
  POSIX_WAIT(vm, rc, fdatasync(fd));
  return posix_done(vm, rc);
}
/* These two return the error instead of setting errno. */
static int as_errno(int error) { return error ? errno = error, -1 : 0; }

static asy_value p_posix_fallocate(asy_vm *vm, const asy_value *args) {
  int fd, rc;
  int64_t offset, length;
  if (!posix_fd(vm, args[0], &fd) || !asy_to_int64(vm, args[1], &offset) || !asy_to_int64(vm, args[2], &length))
    return ASY_FAILED;
  POSIX_WAIT(vm, rc, as_errno(posix_fallocate(fd, offset, length)));
  return posix_done(vm, rc);
}
static asy_value p_posix_fadvise(asy_vm *vm, const asy_value *args) {
  int fd, advice, rc;
  int64_t offset, length;
  if (!posix_fd(vm, args[0], &fd) || !asy_to_int64(vm, args[1], &offset) || !asy_to_int64(vm, args[2], &length) ||
      !posix_int(vm, args[3], &advice))
    return ASY_FAILED;
  POSIX_WAIT(vm, rc, as_errno(posix_fadvise(fd, offset, length, advice)));
  return posix_done(vm, rc);
}
static asy_value p_lockf(asy_vm *vm, const asy_value *args) {
  int fd, command, rc;
  int64_t length;
  if (!posix_fd(vm, args[0], &fd) || !posix_int(vm, args[1], &command) || !asy_to_int64(vm, args[2], &length))
    return ASY_FAILED;
  POSIX_WAIT(vm, rc, lockf(fd, command, length));
  return posix_done(vm, rc);
}

/* ---- Descriptors of other things ---- */

static asy_value p_eventfd(asy_vm *vm, const asy_value *args) {
  int64_t start;
  int flags;
  if (!asy_to_int64(vm, args[0], &start) || !posix_int(vm, args[1], &flags)) return ASY_FAILED;
  return posix_number(vm, eventfd((unsigned)start, flags));
}
static asy_value p_eventfd_read(asy_vm *vm, const asy_value *args) {
  int fd, rc;
  eventfd_t value;
  if (!posix_fd_or_file(vm, args[0], &fd)) return ASY_FAILED;
  POSIX_WAIT(vm, rc, eventfd_read(fd, &value));
  return rc ? posix_error(vm) : asy_from_uint64(vm, value);
}
static asy_value p_eventfd_write(asy_vm *vm, const asy_value *args) {
  int fd, rc;
  if (!posix_fd_or_file(vm, args[0], &fd)) return ASY_FAILED;
  asy_value number = asy_index(vm, args[1]);
  if (asy_failed(number)) return ASY_FAILED;
  uint64_t value = asy_int_mask64(number);
  POSIX_WAIT(vm, rc, eventfd_write(fd, value));
  return posix_done(vm, rc);
}

static asy_value p_memfd_create(asy_vm *vm, const asy_value *args) {
  posix_path name;
  int flags;
  if (!posix_path_of(vm, args[0], "memfd_create", "name", PATH_ONLY, &name) || !posix_int(vm, args[1], &flags))
    return ASY_FAILED;
  return posix_number(vm, memfd_create(name.name, (unsigned)flags));
}

static asy_value p_timerfd_create(asy_vm *vm, const asy_value *args) {
  int clock, flags;
  if (!posix_int(vm, args[0], &clock) || !posix_int(vm, args[1], &flags)) return ASY_FAILED;
  return posix_number(vm, timerfd_create(clock, flags));
}

static asy_value timer_value(asy_vm *vm, const struct itimerspec *t, bool nanoseconds) {
  const struct timespec *parts[] = {&t->it_value, &t->it_interval};
  asy_value items[2];
  for (int i = 0; i < 2; i++)
    items[i] = nanoseconds ? asy_from_int64(vm, parts[i]->tv_sec * 1000000000 + parts[i]->tv_nsec)
                           : asy_from_double(vm, (double)parts[i]->tv_sec + 1e-9 * (double)parts[i]->tv_nsec);
  return asy_tuple_of(vm, 2, items[0], items[1]);
}

static bool timer_part(asy_vm *vm, asy_value v, bool nanoseconds, struct timespec *out) {
  int64_t ns;
  double seconds;
  if (nanoseconds) {
    if (!asy_to_int64(vm, v, &ns)) return false;
  } else {
    if (!asy_to_double(vm, v, &seconds)) return false;
    if (!(seconds > -9e9 && seconds < 9e9)) return asy_raise(vm, ASY_ValueError, "time value out of range"), false;
    ns = (int64_t)(seconds * 1e9);
  }
  *out = (struct timespec){ns / 1000000000, ns % 1000000000};
  return true;
}

/* (fd, *, flags=0, initial, interval) */
static asy_value set_timer(asy_vm *vm, const asy_value *args, bool nanoseconds) {
  int fd, flags;
  struct itimerspec timer, old;
  if (!posix_fd_or_file(vm, args[0], &fd) || !posix_int(vm, args[1], &flags) ||
      !timer_part(vm, args[2], nanoseconds, &timer.it_value) ||
      !timer_part(vm, args[3], nanoseconds, &timer.it_interval))
    return ASY_FAILED;
  return timerfd_settime(fd, flags, &timer, &old) ? posix_error(vm) : timer_value(vm, &old, nanoseconds);
}
static asy_value p_timerfd_settime(asy_vm *vm, const asy_value *args) { return set_timer(vm, args, false); }
static asy_value p_timerfd_settime_ns(asy_vm *vm, const asy_value *args) { return set_timer(vm, args, true); }

static asy_value get_timer(asy_vm *vm, asy_value v, bool nanoseconds) {
  int fd;
  struct itimerspec timer;
  if (!posix_fd_or_file(vm, v, &fd)) return ASY_FAILED;
  return timerfd_gettime(fd, &timer) ? posix_error(vm) : timer_value(vm, &timer, nanoseconds);
}
static asy_value p_timerfd_gettime(asy_vm *vm, const asy_value *args) { return get_timer(vm, args[0], false); }
static asy_value p_timerfd_gettime_ns(asy_vm *vm, const asy_value *args) { return get_timer(vm, args[0], true); }

/* ---- Terminals ---- */

static asy_value p_isatty(asy_vm *vm, const asy_value *args) {
  int fd;
  return posix_fd(vm, args[0], &fd) ? asy_from_bool(isatty(fd)) : ASY_FAILED;
}
static asy_value p_ttyname(asy_vm *vm, const asy_value *args) {
  int fd;
  char name[PATH_MAX];
  if (!posix_fd(vm, args[0], &fd)) return ASY_FAILED;
  return as_errno(ttyname_r(fd, name, sizeof name)) ? posix_error(vm) : asy_fs_decode(vm, name, strlen(name));
}
static asy_value p_ctermid(asy_vm *vm, const asy_value *args) {
  char name[L_ctermid] = "";
  ctermid(name);
  return asy_from_text(vm, name, strlen(name));
}

static const asy_member terminal_size_fields[] = {
  {"columns", ASY_RECORD(0), MEMBER_VALUE, false}, {"lines", ASY_RECORD(1), MEMBER_VALUE, false}, {0}};

/* (fd=?): the standard output */
static asy_value p_get_terminal_size(asy_vm *vm, const asy_value *args) {
  int fd = STDOUT_FILENO;
  struct winsize size;
  if (args[0] != ASY_UNBOUND && !posix_fd(vm, args[0], &fd)) return ASY_FAILED;
  if (ioctl(fd, TIOCGWINSZ, &size)) return posix_error(vm);
  asy_class *cls = asy_define_record(vm, "os.terminal_size", terminal_size_fields);
  asy_value items[] = {asy_from_small(size.ws_col), asy_from_small(size.ws_row)};
  return cls ? asy_record_new(vm, cls, items) : ASY_FAILED;
}

static asy_value p_device_encoding(asy_vm *vm, const asy_value *args) {
  int fd;
  if (!posix_fd(vm, args[0], &fd)) return ASY_FAILED;
  return isatty(fd) ? asy_from_cstr(vm, "utf-8") : ASY_NONE;
}

static asy_value p_tcgetpgrp(asy_vm *vm, const asy_value *args) {
  int fd;
  return posix_fd(vm, args[0], &fd) ? posix_number(vm, tcgetpgrp(fd)) : ASY_FAILED;
}
static asy_value p_tcsetpgrp(asy_vm *vm, const asy_value *args) {
  int fd, group;
  if (!posix_fd(vm, args[0], &fd) || !posix_int(vm, args[1], &group)) return ASY_FAILED;
  return posix_done(vm, tcsetpgrp(fd, group));
}

static void keep_private(int fd) { fcntl(fd, F_SETFD, FD_CLOEXEC); }

static asy_value p_openpty(asy_vm *vm, const asy_value *args) {
  int leader, follower;
  if (openpty(&leader, &follower, NULL, NULL, NULL)) return posix_error(vm);
  keep_private(leader);
  keep_private(follower);
  return asy_tuple_of(vm, 2, asy_from_small(leader), asy_from_small(follower));
}
static asy_value p_login_tty(asy_vm *vm, const asy_value *args) {
  int fd;
  return posix_fd_or_file(vm, args[0], &fd) ? posix_done(vm, login_tty(fd)) : ASY_FAILED;
}
static asy_value p_posix_openpt(asy_vm *vm, const asy_value *args) {
  int flags;
  if (!posix_int(vm, args[0], &flags)) return ASY_FAILED;
  int fd = posix_openpt(flags);
  if (fd >= 0) keep_private(fd);
  return posix_number(vm, fd);
}
static asy_value p_grantpt(asy_vm *vm, const asy_value *args) {
  int fd;
  return posix_fd_or_file(vm, args[0], &fd) ? posix_done(vm, grantpt(fd)) : ASY_FAILED;
}
static asy_value p_unlockpt(asy_vm *vm, const asy_value *args) {
  int fd;
  return posix_fd_or_file(vm, args[0], &fd) ? posix_done(vm, unlockpt(fd)) : ASY_FAILED;
}
static asy_value p_ptsname(asy_vm *vm, const asy_value *args) {
  int fd;
  char name[PATH_MAX];
  if (!posix_fd_or_file(vm, args[0], &fd)) return ASY_FAILED;
  return as_errno(ptsname_r(fd, name, sizeof name)) ? posix_error(vm) : asy_fs_decode(vm, name, strlen(name));
}

static const asy_native natives[] = {
  {"close", SIG("(fd)"), p_close, DOC("Close a file descriptor."), 0},
  {"closerange", SIG("(fd_low, fd_high, /)"), p_closerange,
   DOC("Close all descriptors in [fd_low, fd_high), errors ignored."), 0},
  {"copy_file_range", SIG("(src, dst, count, offset_src=None, offset_dst=None)"), p_copy_file_range,
   DOC("Copy count bytes from one file to another within the system."), 0},
  {"ctermid", SIG("()"), p_ctermid, DOC("Return the name of the controlling terminal for this process."), 0},
  {"device_encoding", SIG("(fd)"), p_device_encoding,
   DOC("The encoding of a terminal's text; None for other descriptors."), 0},
  {"dup", SIG("(fd, /)"), p_dup, DOC("Return a duplicate of a file descriptor."), 0},
  {"dup2", SIG("(fd, fd2, inheritable=True)"), p_dup2, DOC("Duplicate file descriptor."), 0},
  {"eventfd", SIG("(initval, flags=524288)"), p_eventfd,
   DOC("Creates and returns an event notification file descriptor."), 0},
  {"eventfd_read", SIG("(fd)"), p_eventfd_read, DOC("Read eventfd value."), 0},
  {"eventfd_write", SIG("(fd, value)"), p_eventfd_write, DOC("Write eventfd value."), 0},
  {"fdatasync", SIG("(fd)"), p_fdatasync, DOC("Force write of fd to disk without forcing update of metadata."), 0},
  {"fsync", SIG("(fd)"), p_fsync, DOC("Force write of fd to disk."), 0},
  {"ftruncate", SIG("(fd, length, /)"), p_ftruncate, DOC("Truncate a file to a specific length."), 0},
  {"get_blocking", SIG("(fd, /)"), p_get_blocking, DOC("Whether O_NONBLOCK is not set."), 0},
  {"get_inheritable", SIG("(fd, /)"), p_get_inheritable,
   DOC("Whether programs that are started inherit the descriptor."), 0},
  {"get_terminal_size", SIG("(fd=?, /)"), p_get_terminal_size,
   DOC("Return the size of the terminal window: (columns, lines)."), 0},
  {"grantpt", SIG("(fd, /)"), p_grantpt, DOC("Grant access to the slave pseudo-terminal device."), 0},
  {"isatty", SIG("(fd, /)"), p_isatty, DOC("Return True if the fd is connected to a terminal."), 0},
  {"lockf", SIG("(fd, command, length, /)"), p_lockf,
   DOC("Apply, test or remove a POSIX lock on an open file descriptor."), 0},
  {"login_tty", SIG("(fd, /)"), p_login_tty,
   DOC("Prepare the tty of which fd is a descriptor for a new login session."), 0},
  {"lseek", SIG("(fd, position, whence, /)"), p_lseek,
   DOC("Set the position of a file descriptor; returns the new one."), 0},
  {"memfd_create", SIG("(name, flags=1)"), p_memfd_create, DOC("A file in memory."), 0},
  {"openpty", SIG("()"), p_openpty, DOC("Open a pseudo-terminal; returns (master_fd, slave_fd)."), 0},
  {"pipe", SIG("()"), p_pipe, DOC("Create a pipe; returns (read_fd, write_fd)."), 0},
  {"pipe2", SIG("(flags, /)"), p_pipe2, DOC("Create a pipe with flags set atomically."), 0},
  {"posix_fadvise", SIG("(fd, offset, length, advice, /)"), p_posix_fadvise, DOC("Announce how a file will be read."),
   0},
  {"posix_fallocate", SIG("(fd, offset, length, /)"), p_posix_fallocate,
   DOC("Make sure that a file has room on the disk."), 0},
  {"posix_openpt", SIG("(oflag, /)"), p_posix_openpt, DOC("Open the master side of a pseudo-terminal."), 0},
  {"pread", SIG("(fd, length, offset, /)"), p_pread, DOC("Read bytes from a place in a file."), 0},
  {"preadv", SIG("(fd, buffers, offset, flags=0, /)"), p_preadv, DOC("Read from a place in a file into buffers."), 0},
  {"ptsname", SIG("(fd, /)"), p_ptsname, DOC("Return the name of the slave pseudo-terminal device."), 0},
  {"pwrite", SIG("(fd, buffer, offset, /)"), p_pwrite, DOC("Write bytes to a place in a file."), 0},
  {"pwritev", SIG("(fd, buffers, offset, flags=0, /)"), p_pwritev, DOC("Write buffers to a place in a file."), 0},
  {"read", SIG("(fd, length, /)"), p_read, DOC("Read from a file descriptor. Returns a bytes object."), 0},
  {"readv", SIG("(fd, buffers, /)"), p_readv, DOC("Read from a file descriptor into writable buffers."), 0},
  {"sendfile", SIG("(out_fd, in_fd, offset, count)"), p_sendfile,
   DOC("Copy count bytes from one descriptor to another."), 0},
  {"set_blocking", SIG("(fd, blocking, /)"), p_set_blocking,
   DOC("Set the blocking mode of the specified file descriptor."), 0},
  {"set_inheritable", SIG("(fd, inheritable, /)"), p_set_inheritable, DOC("Set the inheritable flag of a descriptor."),
   0},
  {"splice", SIG("(src, dst, count, offset_src=None, offset_dst=None, flags=0)"), p_splice,
   DOC("Move count bytes between two descriptors of which one is a pipe."), 0},
  {"tcgetpgrp", SIG("(fd, /)"), p_tcgetpgrp, DOC("Return the process group associated with the terminal."), 0},
  {"tcsetpgrp", SIG("(fd, pgid, /)"), p_tcsetpgrp, DOC("Set the process group associated with the terminal."), 0},
  {"timerfd_create", SIG("(clockid, /, *, flags=524288)"), p_timerfd_create,
   DOC("A descriptor that a timer makes readable."), 0},
  {"timerfd_gettime", SIG("(fd, /)"), p_timerfd_gettime, DOC("(time left, interval) in seconds."), 0},
  {"timerfd_gettime_ns", SIG("(fd, /)"), p_timerfd_gettime_ns, DOC("(time left, interval) in nanoseconds."), 0},
  {"timerfd_settime", SIG("(fd, /, *, flags=0, initial=0.0, interval=0.0)"), p_timerfd_settime,
   DOC("Start or stop a timer; returns what it was before."), 0},
  {"timerfd_settime_ns", SIG("(fd, /, *, flags=0, initial=0, interval=0)"), p_timerfd_settime_ns,
   DOC("As timerfd_settime, in nanoseconds."), 0},
  {"ttyname", SIG("(fd, /)"), p_ttyname, DOC("Return the name of the terminal device."), 0},
  {"unlockpt", SIG("(fd, /)"), p_unlockpt, DOC("Unlock a pseudo-terminal master/slave pair."), 0},
  {"write", SIG("(fd, data, /)"), p_write, DOC("Write a bytes object to a file descriptor."), 0},
  {"writev", SIG("(fd, buffers, /)"), p_writev, DOC("Write buffers to a file descriptor."), 0},
  {0},
};

bool posix_init_fd(asy_vm *vm, asy_value module) {
  asy_class *cls = asy_define_record(vm, "os.terminal_size", terminal_size_fields);
  return cls && asy_module_set(vm, module, "terminal_size", asy_from_obj(cls)) && posix_add(vm, module, natives);
}
