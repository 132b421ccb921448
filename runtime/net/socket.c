/* socket.c - the module _socket: the system's sockets, blocking or with a timeout.
 *
 * A socket without timeout blocks in the system; one with a timeout is non-blocking, and waits in poll. Either way the VM's lock is
 * given up while it waits. Names and numbers are rows of socket_names.h.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/net/address.h"
#include "runtime/net/socket_names.h"
#include "runtime/types/bytes.h"
#include "runtime/vm.h"

enum { NO_TIMEOUT = -1, STACK_BUFFER = 8192, MOST_PIECES = 1024 };
static const int64_t SECOND = 1000000000;

typedef struct {
  asy_obj head;
  int fd; /* -1: closed or detached */
  int32_t family, type, proto;
  int64_t timeout; /* nanoseconds; 0 does not block, NO_TIMEOUT blocks for ever */
} socket_object;

static const asy_type socket_type;

static socket_object *self_of(const asy_value *args) { return (socket_object *)asy_obj_of(args[0]); }
static asy_value raise_errno(asy_vm *vm) { return asy_raise_errno(vm, errno, ASY_UNBOUND); }

static int64_t default_timeout(asy_vm *vm) {
  asy_value module = asy_import(vm, "_socket");
  asy_value ns = asy_failed(module) ? ASY_FAILED : asy_get_attr_cstr(vm, module, "_default_timeout_ns");
  if (asy_is_int(ns)) return asy_small(ns);
  asy_clear_exception(vm);
  return NO_TIMEOUT;
}

/* ---- Waiting -------------------------------------------------------------------------------------------------------- */

static int64_t deadline_of(asy_vm *vm, const socket_object *s) {
  return s->timeout > 0 ? asy_clock_ns(vm, ASY_CLOCK_MONOTONIC) + s->timeout : INT64_MAX;
}

/* Until the socket is ready for events. False: the deadline has come (TimeoutError), a signal handler raised, or poll failed. */
static bool wait_ready(asy_vm *vm, const socket_object *s, short events, int64_t deadline) {
  for (;;) {
    int ms = -1;
    if (deadline != INT64_MAX) {
      int64_t left = deadline - asy_clock_ns(vm, ASY_CLOCK_MONOTONIC);
      if (left <= 0) return asy_raise(vm, ASY_TimeoutError, "timed out"), false;
      left = (left + 999999) / 1000000;
      ms = left > INT_MAX ? INT_MAX : (int)left;
    }
    struct pollfd p = {.fd = s->fd, .events = events};
    asy_thread *self = asy_thread_release(vm);
    int n = poll(&p, 1, ms);
    asy_thread_acquire(vm, self);
    if (n > 0) return true;
    if (n < 0 && errno != EINTR) return raise_errno(vm), false;
    if (n < 0 && !asy_check_signals(vm)) return false;
  }
}

/* One system call on a socket, with what it needs. It must not block: reads and writes get MSG_DONTWAIT. */
typedef struct {
  ssize_t (*call)(int fd, void *context);
  void *context;
  short events;     /* what it waits for */
  bool waits_first; /* the call has no form that does not block */
} operation;

/* The call's result, or -1 with an exception. */
static ssize_t perform(asy_vm *vm, const socket_object *s, const operation *o, int64_t deadline) {
  bool wait = o->waits_first && s->timeout == NO_TIMEOUT;
  for (;;) {
    if (wait && !wait_ready(vm, s, o->events, deadline)) return -1;
    ssize_t n = o->call(s->fd, o->context);
    if (n >= 0) return n;
    if (errno == EINTR) {
      if (!asy_check_signals(vm)) return -1;
    } else if ((errno == EAGAIN || errno == EWOULDBLOCK) && s->timeout != 0) {
      wait = true;
    } else {
      raise_errno(vm);
      return -1;
    }
  }
}

/* ---- Making and closing --------------------------------------------------------------------------------------------- */

static bool set_blocking(asy_vm *vm, int fd, bool blocking) {
  int on = !blocking;
  if (ioctl(fd, FIONBIO, &on) == 0) return true;
  raise_errno(vm);
  return false;
}

static asy_value socket_new(asy_vm *vm, const asy_value *args) {
  socket_object *s = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  if (!s) return ASY_FAILED;
  s->fd = -1;
  s->family = s->type = s->proto = -1;
  s->timeout = NO_TIMEOUT;
  return asy_from_obj(s);
}

static bool option(asy_vm *vm, int fd, int name, int32_t *out) {
  socklen_t length = sizeof *out;
  if (getsockopt(fd, SOL_SOCKET, name, out, &length) == 0) return true;
  raise_errno(vm);
  return false;
}

/* An existing descriptor: what is not said is asked of it. */
static bool adopt(asy_vm *vm, socket_object *s, asy_value fileno) {
  int64_t fd;
  if (asy_is_float(fileno)) return asy_raise(vm, ASY_TypeError, "integer argument expected, got float"), false;
  if (!asy_to_int64(vm, fileno, &fd)) return false;
  if (fd < 0) return asy_raise(vm, ASY_ValueError, "negative file descriptor"), false;
  if (fd > INT_MAX) return errno = EBADF, raise_errno(vm), false;
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
  if (getsockname((int)fd, (struct sockaddr *)&address, &length) == 0) {
    if (s->family == -1) s->family = address.ss_family;
  } else if (errno == EBADF || errno == ENOTSOCK || s->family == -1) {
    return raise_errno(vm), false;
  }
  if (s->type == -1 && !option(vm, (int)fd, SO_TYPE, &s->type)) return false;
  if (s->proto == -1 && !option(vm, (int)fd, SO_PROTOCOL, &s->proto)) return false;
  s->fd = (int)fd;
  return true;
}

static asy_value socket_init(asy_vm *vm, const asy_value *args) {
  socket_object *s = self_of(args);
  int family, type, proto;
  if (!asy_to_int(vm, args[1], INT32_MIN, INT32_MAX, &family) ||
      !asy_to_int(vm, args[2], INT32_MIN, INT32_MAX, &type) || !asy_to_int(vm, args[3], INT32_MIN, INT32_MAX, &proto))
    return ASY_FAILED;
  s->family = family;
  s->type = type;
  s->proto = proto;
  if (args[4] != ASY_NONE) {
    if (!adopt(vm, s, args[4])) return ASY_FAILED;
  } else {
    if (family == -1) s->family = AF_INET;
    if (type == -1) s->type = SOCK_STREAM;
    if (proto == -1) s->proto = 0;
    int fd = socket(s->family, s->type | SOCK_CLOEXEC, s->proto);
    if (fd < 0) return raise_errno(vm);
    s->fd = fd;
  }
  bool non_blocking = s->type & SOCK_NONBLOCK;
  s->type &= ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
  s->timeout = non_blocking ? 0 : default_timeout(vm);
  if (s->timeout != NO_TIMEOUT && !non_blocking && !set_blocking(vm, s->fd, false)) return ASY_FAILED;
  return ASY_NONE;
}

static void socket_free(asy_vm *vm, asy_obj *o) {
  if (((socket_object *)o)->fd >= 0) close(((socket_object *)o)->fd);
}

static asy_value socket_close(asy_vm *vm, const asy_value *args) {
  int fd = self_of(args)->fd;
  self_of(args)->fd = -1;
  if (fd >= 0 && close(fd) < 0 && errno != ECONNRESET) return raise_errno(vm);
  return ASY_NONE;
}

static asy_value socket_detach(asy_vm *vm, const asy_value *args) {
  int fd = self_of(args)->fd;
  self_of(args)->fd = -1;
  return asy_from_small(fd);
}

static asy_value socket_fileno(asy_vm *vm, const asy_value *args) { return asy_from_small(self_of(args)->fd); }

static asy_value socket_repr(asy_vm *vm, asy_value self) {
  socket_object *s = (socket_object *)asy_obj_of(self);
  asy_str *text = asy_str_format(vm, "<socket object, fd=%d, family=%d, type=%d, proto=%d>", s->fd, (int)s->family,
                                 (int)s->type, (int)s->proto);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

/* ---- Timeouts ------------------------------------------------------------------------------------------------------- */

static asy_value timeout_value(asy_vm *vm, int64_t ns) {
  return ns == NO_TIMEOUT ? ASY_NONE : asy_from_double(vm, (double)ns / (double)SECOND);
}

static bool parse_timeout(asy_vm *vm, asy_value value, int64_t *ns) {
  double seconds;
  int64_t whole;
  *ns = NO_TIMEOUT;
  if (value == ASY_NONE) return true;
  bool is_float = asy_is_float(value);
  if (is_float ? !asy_to_double(vm, value, &seconds) : !asy_to_int64(vm, value, &whole)) return false;
  if (!is_float) seconds = (double)whole;
  if (seconds != seconds) return asy_raise(vm, ASY_ValueError, "Invalid value NaN (not a number)"), false;
  if (seconds < 0) return asy_raise(vm, ASY_ValueError, "Timeout value out of range"), false;
  if (seconds >= 9.2e9)
    return asy_raise(
             vm, ASY_OverflowError,
             is_float ? "timestamp out of range for platform time_t" : "timestamp too large to convert to C PyTime_t"),
           false;
  *ns = (int64_t)(seconds * (double)SECOND);
  if (!*ns && seconds > 0) *ns = 1;
  return true;
}

static asy_value socket_settimeout(asy_vm *vm, const asy_value *args) {
  int64_t ns;
  if (!parse_timeout(vm, args[1], &ns) || !set_blocking(vm, self_of(args)->fd, ns == NO_TIMEOUT)) return ASY_FAILED;
  self_of(args)->timeout = ns;
  return ASY_NONE;
}

static asy_value socket_gettimeout(asy_vm *vm, const asy_value *args) {
  return timeout_value(vm, self_of(args)->timeout);
}

static asy_value socket_setblocking(asy_vm *vm, const asy_value *args) {
  int blocking = asy_truth(vm, args[1]);
  if (blocking < 0 || !set_blocking(vm, self_of(args)->fd, blocking)) return ASY_FAILED;
  self_of(args)->timeout = blocking ? NO_TIMEOUT : 0;
  return ASY_NONE;
}

static asy_value socket_getblocking(asy_vm *vm, const asy_value *args) {
  return asy_from_bool(self_of(args)->timeout != 0);
}

static asy_value getdefaulttimeout(asy_vm *vm, const asy_value *args) { return timeout_value(vm, default_timeout(vm)); }

static asy_value setdefaulttimeout(asy_vm *vm, const asy_value *args) {
  int64_t ns;
  asy_value module = asy_import(vm, "_socket");
  if (asy_failed(module) || !parse_timeout(vm, args[0], &ns)) return ASY_FAILED;
  return asy_module_set(vm, module, "_default_timeout_ns", asy_from_small(ns)) ? ASY_NONE : ASY_FAILED;
}

/* ---- Connecting ----------------------------------------------------------------------------------------------------- */

typedef struct {
  struct sockaddr_storage address;
  socklen_t length;
} place;

static bool parse_place(asy_vm *vm, const socket_object *s, asy_value value, const char *caller, place *out) {
  return asy_address_parse(vm, value, s->family, caller, &out->address, &out->length);
}

static asy_value place_value(asy_vm *vm, const place *p) {
  return asy_address_value(vm, (const struct sockaddr *)&p->address, p->length);
}

static asy_value socket_bind(asy_vm *vm, const asy_value *args) {
  place p;
  if (!parse_place(vm, self_of(args), args[1], "bind", &p)) return ASY_FAILED;
  return bind(self_of(args)->fd, (struct sockaddr *)&p.address, p.length) ? raise_errno(vm) : ASY_NONE;
}

static asy_value socket_listen(asy_vm *vm, const asy_value *args) {
  int backlog = SOMAXCONN < 128 ? SOMAXCONN : 128;
  if (args[1] != ASY_UNBOUND && !asy_to_int(vm, args[1], INT_MIN, INT_MAX, &backlog)) return ASY_FAILED;
  return listen(self_of(args)->fd, backlog < 0 ? 0 : backlog) ? raise_errno(vm) : ASY_NONE;
}

/* 0, an errno, or -1 with an exception. */
static int connect_place(asy_vm *vm, const socket_object *s, const place *p) {
  int64_t deadline = deadline_of(vm, s);
  asy_thread *self = s->timeout == NO_TIMEOUT ? asy_thread_release(vm) : NULL;
  int rc = connect(s->fd, (const struct sockaddr *)&p->address, p->length);
  asy_thread_acquire(vm, self);
  if (rc == 0) return 0;
  int error = errno;
  if (error == EINTR && !asy_check_signals(vm)) return -1;
  if (error != EINTR && (error != EINPROGRESS || s->timeout == 0)) return error;
  if (!wait_ready(vm, s, POLLOUT, deadline)) return -1;
  socklen_t length = sizeof error;
  return getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &length) ? errno : error;
}

static asy_value socket_connect(asy_vm *vm, const asy_value *args) {
  place p;
  if (!parse_place(vm, self_of(args), args[1], "connect", &p)) return ASY_FAILED;
  int error = connect_place(vm, self_of(args), &p);
  if (error > 0) return asy_raise_errno(vm, error, ASY_UNBOUND);
  return error ? ASY_FAILED : ASY_NONE;
}

static asy_value socket_connect_ex(asy_vm *vm, const asy_value *args) {
  place p;
  if (!parse_place(vm, self_of(args), args[1], "connect_ex", &p)) return ASY_FAILED;
  int error = connect_place(vm, self_of(args), &p);
  if (error >= 0) return asy_from_small(error);
  if (!asy_raised_is(vm, ASY_TimeoutError)) return ASY_FAILED;
  asy_clear_exception(vm);
  return asy_from_small(EAGAIN);
}

static ssize_t call_accept(int fd, void *context) {
  place *p = context;
  p->length = sizeof p->address;
  return accept4(fd, (struct sockaddr *)&p->address, &p->length, SOCK_CLOEXEC);
}

static asy_value socket_accept(asy_vm *vm, const asy_value *args) {
  place p = {0};
  operation o = {call_accept, &p, POLLIN, true};
  ssize_t fd = perform(vm, self_of(args), &o, deadline_of(vm, self_of(args)));
  if (fd < 0) return ASY_FAILED;
  asy_value address = place_value(vm, &p);
  if (asy_failed(address)) close((int)fd);
  return asy_failed(address) ? ASY_FAILED : asy_tuple_of(vm, 2, asy_from_small(fd), address);
}

static asy_value name_of(asy_vm *vm, const socket_object *s,
                         int (*ask)(int, struct sockaddr *restrict, socklen_t *restrict)) {
  place p = {.length = sizeof p.address};
  return ask(s->fd, (struct sockaddr *)&p.address, &p.length) ? raise_errno(vm) : place_value(vm, &p);
}

static asy_value socket_getsockname(asy_vm *vm, const asy_value *args) {
  return name_of(vm, self_of(args), getsockname);
}
static asy_value socket_getpeername(asy_vm *vm, const asy_value *args) {
  return name_of(vm, self_of(args), getpeername);
}

static asy_value socket_shutdown(asy_vm *vm, const asy_value *args) {
  int how;
  if (!asy_to_int(vm, args[1], INT_MIN, INT_MAX, &how)) return ASY_FAILED;
  return shutdown(self_of(args)->fd, how) ? raise_errno(vm) : ASY_NONE;
}

/* ---- Receiving ------------------------------------------------------------------------------------------------------ */

typedef struct {
  struct msghdr message;
  struct iovec piece;
  place from;
  int flags;
} transfer;

static ssize_t call_recvmsg(int fd, void *context) {
  transfer *t = context;
  return recvmsg(fd, &t->message, t->flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
}

static ssize_t call_recv(int fd, void *context) {
  transfer *t = context;
  return recv(fd, t->piece.iov_base, t->piece.iov_len, t->flags | MSG_DONTWAIT);
}

static ssize_t call_recvfrom(int fd, void *context) {
  transfer *t = context;
  t->from.length = sizeof t->from.address;
  return recvfrom(fd, t->piece.iov_base, t->piece.iov_len, t->flags | MSG_DONTWAIT, (struct sockaddr *)&t->from.address,
                  &t->from.length);
}

static ssize_t receive(asy_vm *vm, const socket_object *s, transfer *t, ssize_t (*call)(int, void *)) {
  operation o = {call, t, POLLIN, false};
  if (t->flags & MSG_WAITALL && s->timeout == NO_TIMEOUT) { /* MSG_DONTWAIT would end it early */
    if (!wait_ready(vm, s, POLLIN, INT64_MAX)) return -1;
    asy_thread *self = asy_thread_release(vm);
    ssize_t n = recv(s->fd, t->piece.iov_base, t->piece.iov_len, t->flags);
    asy_thread_acquire(vm, self);
    if (n < 0) raise_errno(vm);
    return n;
  }
  return perform(vm, s, &o, deadline_of(vm, s));
}

static bool flags_of(asy_vm *vm, asy_value value, int *flags) { return asy_to_int(vm, value, INT_MIN, INT_MAX, flags); }

/* recv and recvfrom: new bytes. */
static asy_value receive_bytes(asy_vm *vm, const asy_value *args, transfer *t, ssize_t (*call)(int, void *),
                               const char *caller) {
  int64_t size;
  char small[STACK_BUFFER];
  if (!asy_to_int64(vm, args[1], &size) || !flags_of(vm, args[2], &t->flags)) return ASY_FAILED;
  if (size < 0) return asy_raise(vm, ASY_ValueError, "negative buffersize in %s", caller);
  char *buffer = size <= STACK_BUFFER ? small : malloc((size_t)size);
  if (!buffer) return asy_raise_no_memory(vm);
  t->piece = (struct iovec){buffer, (size_t)size};
  ssize_t n = receive(vm, self_of(args), t, call);
  asy_value bytes = n < 0 ? ASY_FAILED : asy_from_bytes(vm, buffer, (size_t)n);
  if (buffer != small) free(buffer);
  return bytes;
}

static asy_value socket_recv(asy_vm *vm, const asy_value *args) {
  transfer t = {0};
  return receive_bytes(vm, args, &t, call_recv, "recv");
}

static asy_value socket_recvfrom(asy_vm *vm, const asy_value *args) {
  transfer t = {0};
  asy_value bytes = receive_bytes(vm, args, &t, call_recvfrom, "recvfrom");
  asy_value from = asy_failed(bytes) ? ASY_FAILED : place_value(vm, &t.from);
  return asy_failed(from) ? ASY_FAILED : asy_tuple_of(vm, 2, bytes, from);
}

/* recv_into and recvfrom_into: how many bytes came. */
static asy_value receive_into(asy_vm *vm, const asy_value *args, transfer *t, ssize_t (*call)(int, void *),
                              const char *caller) {
  int64_t size;
  asy_buffer buffer;
  if (!asy_to_int64(vm, args[2], &size) || !flags_of(vm, args[3], &t->flags)) return ASY_FAILED;
  if (size < 0) return asy_raise(vm, ASY_ValueError, "negative buffersize in %s", caller);
  if (!asy_buffer_get_writable(vm, args[1], &buffer)) {
    if (!asy_raised_is(vm, ASY_TypeError)) return ASY_FAILED;
    asy_clear_exception(vm);
    return asy_raise(vm, ASY_TypeError, "%s() argument 1 must be read-write bytes-like object, not %T", caller,
                     args[1]);
  }
  if ((uint64_t)size > buffer.len) {
    asy_buffer_release(vm, &buffer);
    return asy_raise(
      vm, ASY_ValueError,
      caller[4] == '_' ? "buffer too small for requested bytes" : "nbytes is greater than the length of the buffer");
  }
  t->piece = (struct iovec){buffer.data, size ? (size_t)size : buffer.len};
  ssize_t n = receive(vm, self_of(args), t, call);
  asy_buffer_release(vm, &buffer);
  return n < 0 ? ASY_FAILED : asy_from_small(n);
}

static asy_value socket_recv_into(asy_vm *vm, const asy_value *args) {
  transfer t = {0};
  return receive_into(vm, args, &t, call_recv, "recv_into");
}

static asy_value socket_recvfrom_into(asy_vm *vm, const asy_value *args) {
  transfer t = {0};
  asy_value n = receive_into(vm, args, &t, call_recvfrom, "recvfrom_into");
  asy_value from = asy_failed(n) ? ASY_FAILED : place_value(vm, &t.from);
  return asy_failed(from) ? ASY_FAILED : asy_tuple_of(vm, 2, n, from);
}

/* ---- Messages with ancillary data ----------------------------------------------------------------------------------- */

/* The buffers of an iterable, locked; *count of them. NULL failed. */
static asy_buffer *lock_all(asy_vm *vm, asy_value iterable, bool writable, uint32_t *count) {
  *count = 0;
  asy_tuple *all = asy_tuple_from_iterable(vm, iterable);
  if (!all) {
    if (asy_raised_is(vm, ASY_TypeError)) {
      asy_clear_exception(vm);
      asy_raise(vm, ASY_TypeError, "%s() argument 1 must be an iterable", writable ? "recvmsg_into" : "sendmsg");
    }
    return NULL;
  }
  asy_buffer *buffers = calloc(all->len + 1, sizeof *buffers);
  if (!buffers) return asy_raise_no_memory(vm), NULL;
  for (uint32_t i = 0; i < all->len; i++) {
    bool locked = writable ? asy_buffer_get_writable(vm, all->items[i], &buffers[i])
                           : asy_buffer_get(vm, all->items[i], &buffers[i]);
    if (locked) {
      ++*count;
      continue;
    }
    for (uint32_t j = 0; j < i; j++) asy_buffer_release(vm, &buffers[j]);
    free(buffers);
    return NULL;
  }
  return buffers;
}

static void unlock_all(asy_vm *vm, asy_buffer *buffers, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) asy_buffer_release(vm, &buffers[i]);
  free(buffers);
}

static asy_value ancillary_list(asy_vm *vm, struct msghdr *message) {
  asy_list *list = asy_list_new(vm, 1);
  struct cmsghdr *c = list && message->msg_controllen ? CMSG_FIRSTHDR(message) : NULL;
  for (; c; c = CMSG_NXTHDR(message, c)) {
    size_t room = (size_t)((char *)message->msg_control + message->msg_controllen - (char *)CMSG_DATA(c));
    size_t length = c->cmsg_len < CMSG_LEN(0) ? 0 : c->cmsg_len - CMSG_LEN(0);
    asy_value data = asy_from_bytes(vm, CMSG_DATA(c), length < room ? length : room);
    asy_value row = asy_failed(data)
                      ? ASY_FAILED
                      : asy_tuple_of(vm, 3, asy_from_small(c->cmsg_level), asy_from_small(c->cmsg_type), data);
    if (asy_failed(row) || !asy_list_append(vm, list, row)) return ASY_FAILED;
  }
  return list ? asy_from_obj(list) : ASY_FAILED;
}

/* data is what comes first in the result: bytes or a count; 0: the bytes received to t->piece. */
static asy_value receive_message(asy_vm *vm, const socket_object *s, transfer *t, asy_value ancillary_size, bool into) {
  int64_t size;
  if (!asy_to_int64(vm, ancillary_size, &size)) return ASY_FAILED;
  if (size < 0 || size > INT_MAX) return asy_raise(vm, ASY_ValueError, "invalid ancillary data buffer length");
  char *control = size ? calloc(1, (size_t)size) : NULL;
  if (size && !control) return asy_raise_no_memory(vm);
  t->message.msg_name = &t->from.address;
  t->message.msg_namelen = sizeof t->from.address;
  t->message.msg_control = control;
  t->message.msg_controllen = (size_t)size;
  operation o = {call_recvmsg, t, POLLIN, false};
  ssize_t n = perform(vm, s, &o, deadline_of(vm, s));
  asy_value result = ASY_FAILED;
  if (n >= 0) {
    t->from.length = t->message.msg_namelen;
    asy_value data = into ? asy_from_small(n) : asy_from_bytes(vm, t->piece.iov_base, (size_t)n);
    asy_value ancillary = asy_failed(data) ? ASY_FAILED : ancillary_list(vm, &t->message);
    asy_value from = asy_failed(ancillary) ? ASY_FAILED : place_value(vm, &t->from);
    if (!asy_failed(from))
      result = asy_tuple_of(vm, 4, data, ancillary, asy_from_small(t->message.msg_flags & ~MSG_CMSG_CLOEXEC), from);
  }
  free(control);
  return result;
}

static asy_value socket_recvmsg(asy_vm *vm, const asy_value *args) {
  int64_t size;
  transfer t = {0};
  if (!asy_to_int64(vm, args[1], &size) || !flags_of(vm, args[3], &t.flags)) return ASY_FAILED;
  if (size < 0) return asy_raise(vm, ASY_ValueError, "negative buffer size in recvmsg()");
  char *buffer = malloc(size ? (size_t)size : 1);
  if (!buffer) return asy_raise_no_memory(vm);
  t.piece = (struct iovec){buffer, (size_t)size};
  t.message.msg_iov = &t.piece;
  t.message.msg_iovlen = 1;
  asy_value result = receive_message(vm, self_of(args), &t, args[2], false);
  free(buffer);
  return result;
}

/* As iovecs; NULL failed. */
static struct iovec *pieces_of(asy_vm *vm, const asy_buffer *buffers, uint32_t count) {
  struct iovec *pieces = malloc((count + 1) * sizeof *pieces);
  if (!pieces) return asy_raise_no_memory(vm), NULL;
  for (uint32_t i = 0; i < count; i++) pieces[i] = (struct iovec){buffers[i].data, buffers[i].len};
  return pieces;
}

static asy_value socket_recvmsg_into(asy_vm *vm, const asy_value *args) {
  transfer t = {0};
  uint32_t count;
  if (!flags_of(vm, args[3], &t.flags)) return ASY_FAILED;
  asy_buffer *buffers = lock_all(vm, args[1], true, &count);
  struct iovec *pieces = buffers ? pieces_of(vm, buffers, count) : NULL;
  asy_value result = ASY_FAILED;
  t.message.msg_iov = pieces;
  t.message.msg_iovlen = count;
  if (pieces) result = receive_message(vm, self_of(args), &t, args[2], true);
  free(pieces);
  if (buffers) unlock_all(vm, buffers, count);
  return result;
}

/* ---- Sending -------------------------------------------------------------------------------------------------------- */

static ssize_t call_send(int fd, void *context) {
  transfer *t = context;
  return send(fd, t->piece.iov_base, t->piece.iov_len, t->flags | MSG_DONTWAIT | MSG_NOSIGNAL);
}

static ssize_t call_sendmsg(int fd, void *context) {
  transfer *t = context;
  return sendmsg(fd, &t->message, t->flags | MSG_DONTWAIT | MSG_NOSIGNAL);
}

static asy_value socket_send(asy_vm *vm, const asy_value *args) {
  transfer t = {0};
  asy_buffer buffer;
  if (!flags_of(vm, args[2], &t.flags) || !asy_buffer_get(vm, args[1], &buffer)) return ASY_FAILED;
  t.piece = (struct iovec){buffer.data, buffer.len};
  operation o = {call_send, &t, POLLOUT, false};
  ssize_t n = perform(vm, self_of(args), &o, deadline_of(vm, self_of(args)));
  asy_buffer_release(vm, &buffer);
  return n < 0 ? ASY_FAILED : asy_from_small(n);
}

static asy_value socket_sendall(asy_vm *vm, const asy_value *args) {
  transfer t = {0};
  asy_buffer buffer;
  if (!flags_of(vm, args[2], &t.flags) || !asy_buffer_get(vm, args[1], &buffer)) return ASY_FAILED;
  int64_t deadline = deadline_of(vm, self_of(args));
  operation o = {call_send, &t, POLLOUT, false};
  size_t sent = 0;
  while (sent < buffer.len) {
    t.piece = (struct iovec){buffer.data + sent, buffer.len - sent};
    ssize_t n = perform(vm, self_of(args), &o, deadline);
    if (n < 0) break;
    sent += (size_t)n;
  }
  bool good = sent == buffer.len;
  asy_buffer_release(vm, &buffer);
  return good ? ASY_NONE : ASY_FAILED;
}

/* sendto(data, address) or sendto(data, flags, address) */
static asy_value socket_sendto(asy_vm *vm, const asy_value *args) {
  asy_tuple *rest = (asy_tuple *)asy_obj_of(args[2]);
  transfer t = {0};
  asy_buffer buffer;
  if (rest->len < 1 || rest->len > 2)
    return asy_raise(vm, ASY_TypeError, "sendto() takes 2 or 3 arguments (%u given)", rest->len + 1);
  if (rest->len == 2 && !flags_of(vm, rest->items[0], &t.flags)) return ASY_FAILED;
  if (!asy_buffer_get(vm, args[1], &buffer)) return ASY_FAILED;
  ssize_t n = -1;
  if (parse_place(vm, self_of(args), rest->items[rest->len - 1], "sendto", &t.from)) {
    t.piece = (struct iovec){buffer.data, buffer.len};
    t.message = (struct msghdr){&t.from.address, t.from.length, &t.piece, 1, NULL, 0, 0};
    operation o = {call_sendmsg, &t, POLLOUT, false};
    n = perform(vm, self_of(args), &o, deadline_of(vm, self_of(args)));
  }
  asy_buffer_release(vm, &buffer);
  return n < 0 ? ASY_FAILED : asy_from_small(n);
}

/* Ancillary data [(level, type, data), ..] as a control buffer: malloc'ed, NULL and *length 0 for none. False: failed. */
static bool make_control(asy_vm *vm, asy_value ancillary, char **control, size_t *length) {
  *control = NULL;
  *length = 0;
  asy_tuple *rows = asy_tuple_from_iterable(vm, ancillary);
  if (!rows) return false;
  for (uint32_t i = 0; i < rows->len; i++) {
    asy_tuple *row = asy_tuple_from_iterable(vm, rows->items[i]);
    asy_buffer data;
    int level, type;
    if (!row) {
      asy_clear_exception(vm);
      asy_raise(vm, ASY_TypeError, "[sendmsg() ancillary data items]() argument must be 3-item sequence, not %T",
                rows->items[i]);
      return false;
    }
    if (row->len != 3) {
      asy_raise(vm, ASY_TypeError, "[sendmsg() ancillary data items]() argument must be sequence of length 3, not %u",
                row->len);
      return false;
    }
    if (!asy_to_int(vm, row->items[0], INT_MIN, INT_MAX, &level) ||
        !asy_to_int(vm, row->items[1], INT_MIN, INT_MAX, &type) || !asy_buffer_get(vm, row->items[2], &data))
      return false;
    size_t space = CMSG_SPACE(data.len);
    char *grown = realloc(*control, *length + space);
    if (grown) {
      *control = grown;
      memset(grown + *length, 0, space);
      struct cmsghdr *c = (struct cmsghdr *)(void *)(grown + *length);
      *c = (struct cmsghdr){.cmsg_len = CMSG_LEN(data.len), .cmsg_level = level, .cmsg_type = type};
      memcpy(CMSG_DATA(c), data.data, data.len);
      *length += space;
    }
    asy_buffer_release(vm, &data);
    if (!grown) return asy_raise_no_memory(vm), false;
  }
  return true;
}

static asy_value socket_sendmsg(asy_vm *vm, const asy_value *args) {
  transfer t = {0};
  uint32_t count;
  char *control = NULL;
  size_t control_length = 0;
  if (!flags_of(vm, args[3], &t.flags)) return ASY_FAILED;
  asy_buffer *buffers = lock_all(vm, args[1], false, &count);
  struct iovec *pieces = buffers ? pieces_of(vm, buffers, count) : NULL;
  bool good = pieces && (args[2] == ASY_NONE || make_control(vm, args[2], &control, &control_length));
  if (good && args[4] != ASY_NONE) good = parse_place(vm, self_of(args), args[4], "sendmsg", &t.from);
  ssize_t n = -1;
  if (good) {
    t.message = (struct msghdr){
      t.from.length ? &t.from.address : NULL, t.from.length, pieces, count, control, control_length, 0};
    operation o = {call_sendmsg, &t, POLLOUT, false};
    n = perform(vm, self_of(args), &o, deadline_of(vm, self_of(args)));
  }
  free(control);
  free(pieces);
  if (buffers) unlock_all(vm, buffers, count);
  return n < 0 ? ASY_FAILED : asy_from_small(n);
}

/* ---- Options -------------------------------------------------------------------------------------------------------- */

static asy_value socket_setsockopt(asy_vm *vm, const asy_value *args) {
  int level, name, value, rc;
  if (!asy_to_int(vm, args[1], INT_MIN, INT_MAX, &level) || !asy_to_int(vm, args[2], INT_MIN, INT_MAX, &name))
    return ASY_FAILED;
  if (args[3] == ASY_NONE) {
    int64_t length;
    if (args[4] == ASY_UNBOUND) return asy_raise(vm, ASY_TypeError, "a bytes-like object is required, not 'NoneType'");
    if (!asy_to_int64(vm, args[4], &length)) return ASY_FAILED;
    rc = setsockopt(self_of(args)->fd, level, name, NULL, (socklen_t)length);
  } else if (asy_is_integer(args[3])) {
    if (!asy_to_int(vm, args[3], INT_MIN, UINT32_MAX, &value)) return ASY_FAILED;
    rc = setsockopt(self_of(args)->fd, level, name, &value, sizeof value);
  } else {
    asy_buffer buffer;
    if (!asy_buffer_get(vm, args[3], &buffer)) return ASY_FAILED;
    rc = setsockopt(self_of(args)->fd, level, name, buffer.data, (socklen_t)buffer.len);
    asy_buffer_release(vm, &buffer);
  }
  return rc ? raise_errno(vm) : ASY_NONE;
}

static asy_value socket_getsockopt(asy_vm *vm, const asy_value *args) {
  int level, name, size;
  char buffer[1024];
  if (!asy_to_int(vm, args[1], INT_MIN, INT_MAX, &level) || !asy_to_int(vm, args[2], INT_MIN, INT_MAX, &name) ||
      !asy_to_int(vm, args[3], INT_MIN, INT_MAX, &size))
    return ASY_FAILED;
  if (size < 0 || size > (int)sizeof buffer) return asy_raise(vm, ASY_OSError, "getsockopt buflen out of range");
  int number = 0;
  socklen_t length = size ? (socklen_t)size : sizeof number;
  if (getsockopt(self_of(args)->fd, level, name, size ? (void *)buffer : (void *)&number, &length))
    return raise_errno(vm);
  return size ? asy_from_bytes(vm, buffer, length) : asy_from_small(number);
}

static const asy_native socket_methods[] = {
  {"_accept", SIG("(self, /)"), socket_accept, DOC("Wait for an incoming connection: (fd, address)."), 0},
  {"bind", SIG("(self, address, /)"), socket_bind, DOC("Bind the socket to a local address."), 0},
  {"close", SIG("(self, /)"), socket_close, DOC("Close the socket."), 0},
  {"connect", SIG("(self, address, /)"), socket_connect, DOC("Connect the socket to a remote address."), 0},
  {"connect_ex", SIG("(self, address, /)"), socket_connect_ex, DOC("As connect(), but returns an error code."), 0},
  {"detach", SIG("(self, /)"), socket_detach,
   DOC("Close the object without closing the descriptor, which is returned."), 0},
  {"fileno", SIG("(self, /)"), socket_fileno, DOC("The file descriptor."), 0},
  {"getblocking", SIG("(self, /)"), socket_getblocking, DOC("Whether it blocks."), 0},
  {"getpeername", SIG("(self, /)"), socket_getpeername, DOC("The address of the other side."), 0},
  {"getsockname", SIG("(self, /)"), socket_getsockname, DOC("The address of this side."), 0},
  {"getsockopt", SIG("(self, level, option, buffersize=0, /)"), socket_getsockopt, DOC("Get a socket option."), 0},
  {"gettimeout", SIG("(self, /)"), socket_gettimeout, DOC("The timeout in seconds, or None."), 0},
  {"listen", SIG("(self, backlog=?, /)"), socket_listen, DOC("Accept connections."), 0},
  {"recv", SIG("(self, bufsize, flags=0, /)"), socket_recv, DOC("Receive up to bufsize bytes."), 0},
  {"recv_into", SIG("(self, buffer, nbytes=0, flags=0)"), socket_recv_into, DOC("Receive to a buffer."), 0},
  {"recvfrom", SIG("(self, bufsize, flags=0, /)"), socket_recvfrom, DOC("As recv(), with the sender's address."), 0},
  {"recvfrom_into", SIG("(self, buffer, nbytes=0, flags=0)"), socket_recvfrom_into,
   DOC("As recv_into(), with the sender's address."), 0},
  {"recvmsg", SIG("(self, bufsize, ancbufsize=0, flags=0, /)"), socket_recvmsg, DOC("Receive data and ancillary data."),
   0},
  {"recvmsg_into", SIG("(self, buffers, ancbufsize=0, flags=0, /)"), socket_recvmsg_into,
   DOC("As recvmsg(), to buffers."), 0},
  {"send", SIG("(self, data, flags=0, /)"), socket_send, DOC("Send data; how many bytes were taken."), 0},
  {"sendall", SIG("(self, data, flags=0, /)"), socket_sendall, DOC("Send all of data."), 0},
  {"sendmsg", SIG("(self, buffers, ancdata=None, flags=0, address=None, /)"), socket_sendmsg,
   DOC("Send data and ancillary data."), 0},
  {"sendto", SIG("(self, data, /, *flags_and_address)"), socket_sendto, DOC("Send to an address."), 0},
  {"setblocking", SIG("(self, flag, /)"), socket_setblocking, DOC("Set whether it blocks."), 0},
  {"setsockopt", SIG("(self, level, option, value, optlen=?, /)"), socket_setsockopt, DOC("Set a socket option."), 0},
  {"settimeout", SIG("(self, timeout, /)"), socket_settimeout, DOC("Set the timeout in seconds; None blocks for ever."),
   0},
  {"shutdown", SIG("(self, how, /)"), socket_shutdown, DOC("End sending, receiving, or both."), 0},
  {"timeout", SIG("(self)"), socket_gettimeout, DOC("The timeout in seconds, or None."), ASY_NATIVE_GETTER},
  {0},
};

static const asy_member socket_members[] = {
  {"family", offsetof(socket_object, family), MEMBER_INT32, false},
  {"type", offsetof(socket_object, type), MEMBER_INT32, false},
  {"proto", offsetof(socket_object, proto), MEMBER_INT32, false},
  {0},
};

static const asy_type socket_type = {
  .name = "_socket.socket",
  .doc = "A socket of the system.",
  .size = sizeof(socket_object),
  .free = socket_free,
  .new_ = socket_new,
  .new_signature = SIG("(cls, *args, **kwargs)"),
  .init = socket_init,
  .init_signature = SIG("(self, family=-1, type=-1, proto=-1, fileno=None)"),
  .repr = socket_repr,
  .methods = socket_methods,
  .members = socket_members,
};

/* ---- Names and numbers ---------------------------------------------------------------------------------------------- */

static asy_value do_close(asy_vm *vm, const asy_value *args) {
  int fd;
  if (!asy_to_int(vm, args[0], INT_MIN, INT_MAX, &fd)) return ASY_FAILED;
  return close(fd) && errno != ECONNRESET ? raise_errno(vm) : ASY_NONE;
}

static asy_value do_dup(asy_vm *vm, const asy_value *args) {
  int fd;
  if (!asy_to_int(vm, args[0], INT_MIN, INT_MAX, &fd)) return ASY_FAILED;
  int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  return copy < 0 ? raise_errno(vm) : asy_from_small(copy);
}

static asy_value do_socketpair(asy_vm *vm, const asy_value *args) {
  int family = AF_UNIX, type, proto, fds[2];
  if (args[0] != ASY_NONE && !asy_to_int(vm, args[0], INT_MIN, INT_MAX, &family)) return ASY_FAILED;
  if (!asy_to_int(vm, args[1], INT_MIN, INT_MAX, &type) || !asy_to_int(vm, args[2], INT_MIN, INT_MAX, &proto))
    return ASY_FAILED;
  if (socketpair(family, type | SOCK_CLOEXEC, proto, fds)) return raise_errno(vm);
  asy_class *cls = asy_define_type(vm, &socket_type);
  asy_value made[2];
  for (int i = 0; i < 2; i++) {
    asy_value arguments[] = {asy_from_small(family), asy_from_small(type), asy_from_small(proto),
                             asy_from_small(fds[i])};
    made[i] = cls ? asy_call(vm, asy_from_obj(cls), 4, arguments) : ASY_FAILED;
    if (!asy_failed(made[i])) continue;
    for (int j = i; j < 2; j++) close(fds[j]);
    return ASY_FAILED;
  }
  return asy_tuple_of(vm, 2, made[0], made[1]);
}

/* Whether v can be the name of a host. */
static bool is_name(asy_value v) {
  return asy_is_str(v) || asy_is_kind(v, KIND_BYTES) || asy_is_kind(v, KIND_BYTEARRAY);
}

static asy_value do_getaddrinfo(asy_vm *vm, const asy_value *args) {
  const char *host, *service;
  char digits[24];
  asy_value keep[2];
  struct addrinfo hints = {0}, *found = NULL;
  if (args[0] != ASY_NONE && !is_name(args[0]))
    return asy_raise(vm, ASY_TypeError, "getaddrinfo() argument 1 must be string or None");
  if (!asy_host_text(vm, args[0], &host, &keep[0]) || !asy_service_text(vm, args[1], digits, &service, &keep[1]) ||
      !asy_to_int(vm, args[2], INT_MIN, INT_MAX, &hints.ai_family) ||
      !asy_to_int(vm, args[3], INT_MIN, INT_MAX, &hints.ai_socktype) ||
      !asy_to_int(vm, args[4], INT_MIN, INT_MAX, &hints.ai_protocol) ||
      !asy_to_int(vm, args[5], INT_MIN, INT_MAX, &hints.ai_flags))
    return ASY_FAILED;
  asy_thread *self = asy_thread_release(vm);
  int code = getaddrinfo(host, service, &hints, &found);
  asy_thread_acquire(vm, self);
  if (code) return asy_raise_gaierror(vm, code);
  asy_value list = asy_addrinfo_list(vm, found);
  freeaddrinfo(found);
  return list;
}

/* (host, port[, flowinfo[, scopeid]]) with a numeric host. */
static asy_value do_getnameinfo(asy_vm *vm, const asy_value *args) {
  int flags;
  const char *host;
  asy_value keep;
  if (!asy_is_kind(args[0], KIND_TUPLE))
    return asy_raise(vm, ASY_TypeError, "getnameinfo() argument 1 must be a tuple");
  const asy_tuple *address = (const asy_tuple *)asy_obj_of(args[0]);
  if (address->len < 2 || address->len > 4)
    return asy_raise(vm, ASY_TypeError, "getnameinfo(): illegal sockaddr argument");
  if (!asy_to_int(vm, args[1], INT_MIN, INT_MAX, &flags) || !asy_host_text(vm, address->items[0], &host, &keep))
    return ASY_FAILED;
  struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST}, *found = NULL;
  int code = getaddrinfo(host, NULL, &hints, &found);
  if (code) return asy_raise_gaierror(vm, code);
  int family = found->ai_family;
  bool several = found->ai_next;
  freeaddrinfo(found);
  if (several) return asy_raise(vm, ASY_OSError, "sockaddr resolved to multiple addresses");
  if (family == AF_INET && address->len != 2) return asy_raise(vm, ASY_OSError, "IPv4 sockaddr must be 2 tuple");
  place p;
  char name[NI_MAXHOST], port[NI_MAXSERV];
  if (!asy_address_parse(vm, args[0], family, "getnameinfo", &p.address, &p.length)) return ASY_FAILED;
  asy_thread *self = asy_thread_release(vm);
  code = getnameinfo((struct sockaddr *)&p.address, p.length, name, sizeof name, port, sizeof port, flags);
  asy_thread_acquire(vm, self);
  if (code) return asy_raise_gaierror(vm, code);
  return asy_tuple_of(vm, 2, asy_from_cstr(vm, name), asy_from_cstr(vm, port));
}

static asy_value do_gethostname(asy_vm *vm, const asy_value *args) {
  char name[1024] = "";
  return gethostname(name, sizeof name - 1) ? raise_errno(vm) : asy_from_cstr(vm, name);
}

static asy_value do_sethostname(asy_vm *vm, const asy_value *args) {
  const char *name;
  asy_value keep;
  if (!asy_host_text(vm, args[0], &name, &keep)) return ASY_FAILED;
  return !name || sethostname(name, strlen(name)) ? raise_errno(vm) : ASY_NONE;
}

static asy_value do_gethostbyname(asy_vm *vm, const asy_value *args) {
  place p;
  if (!is_name(args[0]))
    return asy_raise(vm, ASY_TypeError, "gethostbyname() argument 1 must be str, bytes or bytearray, not %T", args[0]);
  asy_value pair = asy_tuple_of(vm, 2, args[0], asy_from_small(0));
  if (asy_failed(pair) || !asy_address_parse(vm, pair, AF_INET, "gethostbyname", &p.address, &p.length))
    return ASY_FAILED;
  asy_value address = place_value(vm, &p);
  return asy_failed(address) ? ASY_FAILED : ((asy_tuple *)asy_obj_of(address))->items[0];
}

static asy_value raise_herror(asy_vm *vm, int code) {
  asy_value module = asy_import(vm, "_socket");
  asy_value cls = asy_failed(module) ? ASY_FAILED : asy_get_attr_cstr(vm, module, "herror");
  asy_value text = asy_failed(cls) ? ASY_FAILED : asy_from_cstr(vm, hstrerror(code));
  asy_value exception = asy_failed(text) ? ASY_FAILED : asy_call2(vm, cls, asy_from_small(code), text);
  return asy_failed(exception) ? ASY_FAILED : asy_raise_value(vm, exception);
}

/* (name, aliases, addresses) */
static asy_value hostent_value(asy_vm *vm, const struct hostent *h) {
  asy_list *aliases = asy_list_new(vm, 0), *addresses = asy_list_new(vm, 1);
  if (!aliases || !addresses) return ASY_FAILED;
  for (char **a = h->h_aliases; a && *a; a++) {
    asy_value alias = asy_from_cstr(vm, *a);
    if (asy_failed(alias) || !asy_list_append(vm, aliases, alias)) return ASY_FAILED;
  }
  for (char **a = h->h_addr_list; *a; a++) {
    char text[INET6_ADDRSTRLEN];
    inet_ntop(h->h_addrtype, *a, text, sizeof text);
    asy_value address = asy_from_cstr(vm, text);
    if (asy_failed(address) || !asy_list_append(vm, addresses, address)) return ASY_FAILED;
  }
  return asy_tuple_of(vm, 3, asy_from_cstr(vm, h->h_name), asy_from_obj(aliases), asy_from_obj(addresses));
}

static asy_value host_entry(asy_vm *vm, asy_value host, bool by_address) {
  const char *name;
  asy_value keep;
  struct hostent entry, *found = NULL;
  char buffer[16384];
  int error = 0;
  place p;
  if (host == ASY_NONE) return asy_raise(vm, ASY_TypeError, "str, bytes or bytearray expected, not NoneType");
  if (!asy_host_text(vm, host, &name, &keep)) return ASY_FAILED;
  if (by_address) {
    struct addrinfo *info = NULL;
    asy_thread *self = asy_thread_release(vm);
    int code = getaddrinfo(name, NULL, NULL, &info);
    asy_thread_acquire(vm, self);
    if (code) return asy_raise_gaierror(vm, code);
    memcpy(&p.address, info->ai_addr, info->ai_addrlen);
    freeaddrinfo(info);
  }
  bool six = by_address && p.address.ss_family == AF_INET6;
  const void *raw = six ? (void *)&((struct sockaddr_in6 *)&p.address)->sin6_addr
                        : (void *)&((struct sockaddr_in *)&p.address)->sin_addr;
  asy_thread *self = asy_thread_release(vm);
  if (by_address)
    gethostbyaddr_r(raw, six ? sizeof(struct in6_addr) : sizeof(struct in_addr), p.address.ss_family, &entry, buffer,
                    sizeof buffer, &found, &error);
  else gethostbyname_r(name, &entry, buffer, sizeof buffer, &found, &error);
  asy_thread_acquire(vm, self);
  if (found) return hostent_value(vm, found);
  if (by_address) return raise_herror(vm, error);
  return asy_raise_gaierror(vm, error == TRY_AGAIN ? EAI_AGAIN : EAI_NONAME);
}

static asy_value do_gethostbyname_ex(asy_vm *vm, const asy_value *args) { return host_entry(vm, args[0], false); }
static asy_value do_gethostbyaddr(asy_vm *vm, const asy_value *args) { return host_entry(vm, args[0], true); }

/* The text of an argument; position 0: the only one. */
static bool text_argument(asy_vm *vm, asy_value v, const char *caller, int position, const char **text) {
  if (asy_is_str(v)) return asy_to_cstr(vm, v, text);
  if (position) asy_raise(vm, ASY_TypeError, "%s() argument %d must be str, not %T", caller, position, v);
  else asy_raise(vm, ASY_TypeError, "%s() argument must be str, not %T", caller, v);
  return false;
}

static asy_value do_getservbyname(asy_vm *vm, const asy_value *args) {
  const char *name, *proto = NULL;
  struct servent entry, *found = NULL;
  char buffer[4096];
  if (!text_argument(vm, args[0], "getservbyname", 1, &name) ||
      (args[1] != ASY_UNBOUND && !text_argument(vm, args[1], "getservbyname", 2, &proto)))
    return ASY_FAILED;
  getservbyname_r(name, proto, &entry, buffer, sizeof buffer, &found);
  if (!found) return asy_raise(vm, ASY_OSError, "service/proto not found");
  return asy_from_small(ntohs((uint16_t)found->s_port));
}

static asy_value do_getservbyport(asy_vm *vm, const asy_value *args) {
  int64_t port;
  const char *proto = NULL;
  struct servent entry, *found = NULL;
  char buffer[4096];
  if (!asy_to_int64(vm, args[0], &port) ||
      (args[1] != ASY_UNBOUND && !text_argument(vm, args[1], "getservbyport", 2, &proto)))
    return ASY_FAILED;
  if (port < 0 || port > 65535) return asy_raise(vm, ASY_OverflowError, "getservbyport: port must be 0-65535.");
  getservbyport_r(htons((uint16_t)port), proto, &entry, buffer, sizeof buffer, &found);
  if (!found) return asy_raise(vm, ASY_OSError, "port/proto not found");
  return asy_from_cstr(vm, found->s_name);
}

static asy_value do_getprotobyname(asy_vm *vm, const asy_value *args) {
  const char *name;
  struct protoent entry, *found = NULL;
  char buffer[4096];
  if (!text_argument(vm, args[0], "getprotobyname", 1, &name)) return ASY_FAILED;
  getprotobyname_r(name, &entry, buffer, sizeof buffer, &found);
  return found ? asy_from_small(found->p_proto) : asy_raise(vm, ASY_OSError, "protocol not found");
}

static asy_value swap(asy_vm *vm, asy_value value, bool wide, const char *caller) {
  int64_t x;
  if (wide && !asy_is_integer(value)) return asy_raise(vm, ASY_TypeError, "expected int, %T found", value);
  if (!asy_to_int64(vm, value, &x)) return ASY_FAILED;
  if (wide && x < 0) return asy_raise(vm, ASY_OverflowError, "can't convert negative value to unsigned int");
  if (wide && x > UINT32_MAX) return asy_raise(vm, ASY_OverflowError, "int larger than 32 bits");
  if (x < 0)
    return asy_raise(vm, ASY_OverflowError, "%s: can't convert negative Python int to C 16-bit unsigned integer",
                     caller);
  if (!wide && x > UINT16_MAX)
    return asy_raise(vm, ASY_OverflowError, "%s: Python int too large to convert to C 16-bit unsigned integer", caller);
  return asy_from_small(wide ? (int64_t)htonl((uint32_t)x) : (int64_t)htons((uint16_t)x));
}

static asy_value do_htons(asy_vm *vm, const asy_value *args) { return swap(vm, args[0], false, "htons"); }
static asy_value do_ntohs(asy_vm *vm, const asy_value *args) { return swap(vm, args[0], false, "ntohs"); }
static asy_value do_htonl(asy_vm *vm, const asy_value *args) { return swap(vm, args[0], true, "htonl"); }
static asy_value do_ntohl(asy_vm *vm, const asy_value *args) { return swap(vm, args[0], true, "ntohl"); }

static asy_value do_inet_aton(asy_vm *vm, const asy_value *args) {
  const char *text;
  struct in_addr address;
  if (!text_argument(vm, args[0], "inet_aton", 0, &text)) return ASY_FAILED;
  if (!inet_aton(text, &address)) return asy_raise(vm, ASY_OSError, "illegal IP address string passed to inet_aton");
  return asy_from_bytes(vm, &address, sizeof address);
}

static asy_value do_inet_pton(asy_vm *vm, const asy_value *args) {
  const char *text;
  int family;
  struct in6_addr address;
  if (!asy_to_int(vm, args[0], INT_MIN, INT_MAX, &family) || !text_argument(vm, args[1], "inet_pton", 2, &text))
    return ASY_FAILED;
  int rc = inet_pton(family, text, &address);
  if (rc < 0) return raise_errno(vm);
  if (!rc) return asy_raise_format(vm, ASY_OSError, "illegal IP address string passed to inet_pton");
  return asy_from_bytes(vm, &address, family == AF_INET ? 4 : 16);
}

static asy_value text_of(asy_vm *vm, int family, asy_value packed, const char *wrong_length) {
  asy_buffer b;
  char text[INET6_ADDRSTRLEN];
  if (family != AF_INET && family != AF_INET6)
    return asy_raise(vm, ASY_ValueError, "unknown address family %d", family);
  if (!asy_buffer_get(vm, packed, &b)) return ASY_FAILED;
  bool good = b.len == (family == AF_INET ? 4 : 16);
  if (good) inet_ntop(family, b.data, text, sizeof text);
  asy_buffer_release(vm, &b);
  return good ? asy_from_cstr(vm, text)
              : asy_raise(vm, wrong_length[0] == 'p' ? ASY_OSError : ASY_ValueError, "%s", wrong_length);
}

static asy_value do_inet_ntoa(asy_vm *vm, const asy_value *args) {
  return text_of(vm, AF_INET, args[0], "packed IP wrong length for inet_ntoa");
}

static asy_value do_inet_ntop(asy_vm *vm, const asy_value *args) {
  int family;
  if (!asy_to_int(vm, args[0], INT_MIN, INT_MAX, &family)) return ASY_FAILED;
  return text_of(vm, family, args[1], "invalid length of packed IP address string");
}

static asy_value do_if_nameindex(asy_vm *vm, const asy_value *args) {
  asy_list *list = asy_list_new(vm, 4);
  struct if_nameindex *all = list ? if_nameindex() : NULL;
  if (!all) return list ? raise_errno(vm) : ASY_FAILED;
  bool good = true;
  for (struct if_nameindex *i = all; good && i->if_index; i++) {
    asy_value row = asy_tuple_of(vm, 2, asy_from_small(i->if_index), asy_from_cstr(vm, i->if_name));
    good = !asy_failed(row) && asy_list_append(vm, list, row);
  }
  if_freenameindex(all);
  return good ? asy_from_obj(list) : ASY_FAILED;
}

static asy_value do_if_nametoindex(asy_vm *vm, const asy_value *args) {
  const char *name;
  asy_value keep;
  if (!asy_host_text(vm, args[0], &name, &keep)) return ASY_FAILED;
  unsigned index = name ? if_nametoindex(name) : 0;
  return index ? asy_from_small(index) : asy_raise(vm, ASY_OSError, "no interface with this name");
}

static asy_value do_if_indextoname(asy_vm *vm, const asy_value *args) {
  int64_t index;
  char name[IF_NAMESIZE];
  if (!asy_is_integer(args[0])) return asy_raise(vm, ASY_TypeError, "an integer is required");
  if (!asy_to_int64(vm, args[0], &index)) return ASY_FAILED;
  if (index < 0) return asy_raise(vm, ASY_OverflowError, "can't convert negative value to unsigned int");
  return if_indextoname((unsigned)index, name) ? asy_from_cstr(vm, name) : raise_errno(vm);
}

static asy_value control_size(asy_vm *vm, asy_value value, bool with_padding) {
  int64_t n;
  if (!asy_to_int64(vm, value, &n)) return ASY_FAILED;
  if (n < 0 || n > INT_MAX)
    return asy_raise(vm, ASY_OverflowError, "CMSG_%s() argument out of range", with_padding ? "SPACE" : "LEN");
  return asy_from_small((int64_t)(with_padding ? CMSG_SPACE((size_t)n) : CMSG_LEN((size_t)n)));
}

static asy_value do_CMSG_LEN(asy_vm *vm, const asy_value *args) { return control_size(vm, args[0], false); }
static asy_value do_CMSG_SPACE(asy_vm *vm, const asy_value *args) { return control_size(vm, args[0], true); }

static const asy_native natives[] = {
  {"close", SIG("(fd, /)"), do_close, DOC("Close a socket's descriptor."), 0},
  {"dup", SIG("(fd, /)"), do_dup, DOC("Duplicate a socket's descriptor."), 0},
  {"socketpair", SIG("(family=None, type=1, proto=0, /)"), do_socketpair, DOC("A pair of connected sockets."), 0},
  {"getaddrinfo", SIG("(host, port, family=0, type=0, proto=0, flags=0)"), do_getaddrinfo,
   DOC("Resolve host and port."), 0},
  {"getnameinfo", SIG("(sockaddr, flags, /)"), do_getnameinfo, DOC("The names of an address."), 0},
  {"gethostname", SIG("()"), do_gethostname, DOC("The name of this machine."), 0},
  {"sethostname", SIG("(name, /)"), do_sethostname, DOC("Name this machine."), 0},
  {"gethostbyname", SIG("(host, /)"), do_gethostbyname, DOC("The IPv4 address of a host."), 0},
  {"gethostbyname_ex", SIG("(host, /)"), do_gethostbyname_ex, DOC("(name, aliases, addresses) of a host."), 0},
  {"gethostbyaddr", SIG("(host, /)"), do_gethostbyaddr, DOC("(name, aliases, addresses) of an address."), 0},
  {"getservbyname", SIG("(servicename, protocolname=?, /)"), do_getservbyname, DOC("The port of a service."), 0},
  {"getservbyport", SIG("(port, protocolname=?, /)"), do_getservbyport, DOC("The service of a port."), 0},
  {"getprotobyname", SIG("(name, /)"), do_getprotobyname, DOC("The number of a protocol."), 0},
  {"htons", SIG("(x, /)"), do_htons, DOC("16 bits to network order."), 0},
  {"htonl", SIG("(x, /)"), do_htonl, DOC("32 bits to network order."), 0},
  {"ntohs", SIG("(x, /)"), do_ntohs, DOC("16 bits from network order."), 0},
  {"ntohl", SIG("(x, /)"), do_ntohl, DOC("32 bits from network order."), 0},
  {"inet_aton", SIG("(ip_addr, /)"), do_inet_aton, DOC("An IPv4 address as 4 bytes."), 0},
  {"inet_ntoa", SIG("(packed_ip, /)"), do_inet_ntoa, DOC("4 bytes as an IPv4 address."), 0},
  {"inet_pton", SIG("(af, ip, /)"), do_inet_pton, DOC("An address as bytes."), 0},
  {"inet_ntop", SIG("(af, packed_ip, /)"), do_inet_ntop, DOC("Bytes as an address."), 0},
  {"if_nameindex", SIG("()"), do_if_nameindex, DOC("[(index, name), ...] of the network interfaces."), 0},
  {"if_nametoindex", SIG("(oname, /)"), do_if_nametoindex, DOC("The index of an interface."), 0},
  {"if_indextoname", SIG("(index, /)"), do_if_indextoname, DOC("The name of an interface."), 0},
  {"getdefaulttimeout", SIG("()"), getdefaulttimeout, DOC("The timeout of new sockets, or None."), 0},
  {"setdefaulttimeout", SIG("(timeout, /)"), setdefaulttimeout, DOC("Set the timeout of new sockets."), 0},
  {"CMSG_LEN", SIG("(length, /)"), do_CMSG_LEN, DOC("Size of an ancillary item without padding."), 0},
  {"CMSG_SPACE", SIG("(length, /)"), do_CMSG_SPACE, DOC("Size of an ancillary item."), 0},
  {0},
};

static bool init(asy_vm *vm, asy_value module) {
  if (!asy_module_add_constants(vm, module, &socket_numbers) ||
      !asy_module_add_constants(vm, module, &socket_unsigned_numbers))
    return false;
  asy_class *cls = asy_define_type(vm, &socket_type);
  return cls && asy_module_set(vm, module, "socket", asy_from_obj(cls)) &&
         asy_module_set(vm, module, "SocketType", asy_from_obj(cls)) &&
         asy_module_set(vm, module, "has_ipv6", ASY_TRUE) &&
         asy_module_set(vm, module, "_default_timeout_ns", asy_from_small(NO_TIMEOUT)) &&
         asy_module_set(vm, module, "error", asy_from_obj(vm->exceptions[ASY_OSError])) &&
         asy_module_set(vm, module, "timeout", asy_from_obj(vm->exceptions[ASY_TimeoutError])) &&
         asy_define_exception(vm, module, "socket.gaierror", ASY_OSError) &&
         asy_define_exception(vm, module, "socket.herror", ASY_OSError);
}

const asy_module_def asy_module__socket = {"_socket", natives, "The system's sockets; see the module socket.", init};
