/* select.c - the module select: select, poll and epoll. The VM's lock is given up while they wait. */
#include <errno.h>
#include <limits.h>
#include <linux/limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <unistd.h>

#include "runtime/asy.h"

/* The descriptor of an int or of an object with fileno(); -1 failed. */
static int descriptor_of(asy_vm *vm, asy_value v) {
  int64_t fd;
  if (!asy_is_integer(v)) {
    asy_value method;
    int found = asy_find_attr(vm, v, asy_intern(vm, "fileno"), &method);
    if (found < 0) return -1;
    if (!found) return asy_raise(vm, ASY_TypeError, "argument must be an int, or have a fileno() method."), -1;
    v = asy_call0(vm, method);
    if (asy_failed(v)) return -1;
    if (!asy_is_integer(v)) return asy_raise(vm, ASY_TypeError, "fileno() returned a non-integer"), -1;
  }
  if (!asy_to_int64(vm, v, &fd)) return -1;
  if (fd >= 0 && fd <= INT_MAX) return (int)fd;
  if (fd > INT_MAX) asy_raise(vm, ASY_OverflowError, "Python int too large to convert to C int");
  else asy_raise(vm, ASY_ValueError, "file descriptor cannot be a negative integer (%lld)", (long long)fd);
  return -1;
}

/* When to stop waiting, for a timeout in units of `unit` nanoseconds: INT64_MAX for None (and, if asked, for negative ones). */
static bool deadline_of(asy_vm *vm, asy_value timeout, double unit, const char *complaint, bool negative_waits,
                        int64_t *deadline) {
  double time;
  *deadline = INT64_MAX;
  if (timeout == ASY_NONE) return true;
  if (!asy_is_integer(timeout) && !asy_is_float(timeout)) return asy_raise(vm, ASY_TypeError, "%s", complaint), false;
  if (!asy_to_double(vm, timeout, &time)) return false;
  if (time != time) return asy_raise(vm, ASY_ValueError, "Invalid value NaN (not a number)"), false;
  if (time < 0 && negative_waits) return true;
  if (time * unit >= 9.2e18)
    return asy_raise(vm, ASY_OverflowError,
                     asy_is_float(timeout) ? "timestamp out of range for platform time_t"
                                           : "timestamp too large to convert to C PyTime_t"),
           false;
  *deadline = asy_clock_ns(vm, ASY_CLOCK_MONOTONIC) + (int64_t)(time * unit);
  return true;
}

/* Milliseconds until then, rounded up; -1 for ever. */
static int left_ms(asy_vm *vm, int64_t deadline) {
  if (deadline == INT64_MAX) return -1;
  int64_t left = deadline - asy_clock_ns(vm, ASY_CLOCK_MONOTONIC);
  if (left <= 0) return 0;
  left = (left + 999999) / 1000000;
  return left > INT_MAX ? INT_MAX : (int)left;
}

/* poll() until the deadline, whatever signals come. -1: an exception is set. */
static int poll_until(asy_vm *vm, struct pollfd *fds, nfds_t n, int64_t deadline) {
  for (;;) {
    int ms = left_ms(vm, deadline);
    asy_thread *self = asy_thread_release(vm);
    int count = poll(fds, n, ms);
    asy_thread_acquire(vm, self);
    if (count >= 0) return count;
    if (errno != EINTR) return asy_raise_errno(vm, errno, ASY_UNBOUND), -1;
    if (!asy_check_signals(vm)) return -1;
  }
}

/* ---- select(): done by poll, which knows no largest descriptor ---- */

static asy_value ready_list(asy_vm *vm, const asy_tuple *given, const struct pollfd *fds, short events) {
  asy_list *list = asy_list_new(vm, 0);
  for (uint32_t i = 0; list && i < given->len; i++)
    if (fds[i].revents & events && !asy_list_append(vm, list, given->items[i])) return ASY_FAILED;
  return list ? asy_from_obj(list) : ASY_FAILED;
}

static asy_value select_select(asy_vm *vm, const asy_value *args) {
  static const short asked[] = {POLLIN, POLLOUT, POLLPRI};
  static const short counts[] = {POLLIN | POLLHUP | POLLERR, POLLOUT | POLLERR, POLLPRI};
  asy_tuple *given[3];
  asy_value lists[3];
  int64_t deadline;
  uint32_t total = 0;
  for (int i = 0; i < 3; i++) {
    given[i] = asy_tuple_from_iterable(vm, args[i]);
    if (!given[i]) {
      if (asy_raised_is(vm, ASY_TypeError)) {
        asy_clear_exception(vm);
        asy_raise(vm, ASY_TypeError, "arguments 1-3 must be sequences");
      }
      return ASY_FAILED;
    }
    total += given[i]->len;
  }
  if (!deadline_of(vm, args[3], 1e9, "timeout must be a float or None", false, &deadline)) return ASY_FAILED;
  if (deadline < asy_clock_ns(vm, ASY_CLOCK_MONOTONIC) - 1000000000)
    return asy_raise(vm, ASY_ValueError, "timeout must be non-negative");
  struct pollfd *fds = malloc((total + 1) * sizeof *fds);
  if (!fds) return asy_raise_no_memory(vm);
  uint32_t n = 0;
  for (int i = 0; i < 3; i++) {
    for (uint32_t j = 0; j < given[i]->len; j++) {
      int fd = descriptor_of(vm, given[i]->items[j]);
      if (fd < 0) goto fail;
      fds[n++] = (struct pollfd){.fd = fd, .events = asked[i]};
    }
  }
  if (poll_until(vm, fds, n, deadline) < 0) goto fail;
  for (uint32_t i = 0; i < n; i++) {
    if (!(fds[i].revents & POLLNVAL)) continue;
    asy_raise_errno(vm, EBADF, ASY_UNBOUND);
    goto fail;
  }
  const struct pollfd *at = fds;
  for (int i = 0; i < 3; i++) {
    lists[i] = ready_list(vm, given[i], at, counts[i]);
    if (asy_failed(lists[i])) goto fail;
    at += given[i]->len;
  }
  free(fds);
  return asy_tuple_of(vm, 3, lists[0], lists[1], lists[2]);

fail:
  free(fds);
  return ASY_FAILED;
}

/* ---- poll objects ---- */

typedef struct {
  asy_obj head;
  struct pollfd *fds; /* owned, in the order of registration */
  uint32_t count, cap;
  bool polling;
} poll_object;

static poll_object *poll_of(const asy_value *args) { return (poll_object *)asy_obj_of(args[0]); }

static struct pollfd *find(poll_object *p, int fd) {
  for (uint32_t i = 0; i < p->count; i++)
    if (p->fds[i].fd == fd) return &p->fds[i];
  return NULL;
}

static bool event_mask(asy_vm *vm, asy_value v, int *mask) {
  int64_t n;
  if (!asy_is_integer(v)) return asy_raise(vm, ASY_TypeError, "an integer is required"), false;
  if (!asy_to_int64(vm, v, &n)) return false;
  if (n < 0) return asy_raise(vm, ASY_ValueError, "value must be positive"), false;
  if (n > USHRT_MAX) return asy_raise(vm, ASY_OverflowError, "Python int too large for C unsigned short"), false;
  *mask = (int)n;
  return true;
}

static asy_value poll_register(asy_vm *vm, const asy_value *args) {
  poll_object *p = poll_of(args);
  int mask, fd = descriptor_of(vm, args[1]);
  if (fd < 0 || !event_mask(vm, args[2], &mask)) return ASY_FAILED;
  struct pollfd *entry = find(p, fd);
  if (!entry) {
    if (p->count == p->cap) {
      uint32_t cap = p->cap ? p->cap * 2 : 8;
      struct pollfd *grown = realloc(p->fds, cap * sizeof *grown);
      if (!grown) return asy_raise_no_memory(vm);
      p->fds = grown;
      p->cap = cap;
    }
    entry = &p->fds[p->count++];
    entry->fd = fd;
  }
  entry->events = (short)mask;
  return ASY_NONE;
}

static asy_value poll_modify(asy_vm *vm, const asy_value *args) {
  int mask, fd = descriptor_of(vm, args[1]);
  if (fd < 0 || !event_mask(vm, args[2], &mask)) return ASY_FAILED;
  struct pollfd *entry = find(poll_of(args), fd);
  if (!entry) return asy_raise_errno(vm, ENOENT, ASY_UNBOUND);
  entry->events = (short)mask;
  return ASY_NONE;
}

static asy_value poll_unregister(asy_vm *vm, const asy_value *args) {
  poll_object *p = poll_of(args);
  int fd = descriptor_of(vm, args[1]);
  if (fd < 0) return ASY_FAILED;
  struct pollfd *entry = find(p, fd);
  if (!entry) return asy_raise_key(vm, asy_from_small(fd));
  size_t behind = (size_t)(p->fds + p->count - entry) - 1;
  memmove(entry, entry + 1, behind * sizeof *entry);
  p->count--;
  return ASY_NONE;
}

static asy_value poll_poll(asy_vm *vm, const asy_value *args) {
  poll_object *p = poll_of(args);
  int64_t deadline;
  if (!deadline_of(vm, args[1], 1e6, "timeout must be an integer or None", true, &deadline)) return ASY_FAILED;
  if (p->polling) return asy_raise(vm, ASY_RuntimeError, "concurrent poll() invocation");
  uint32_t n = p->count;
  struct pollfd *fds = malloc((n + 1) * sizeof *fds); /* others may register while it waits */
  if (!fds) return asy_raise_no_memory(vm);
  if (n) memcpy(fds, p->fds, n * sizeof *fds);
  p->polling = true;
  int count = poll_until(vm, fds, n, deadline);
  p->polling = false;
  asy_list *list = count < 0 ? NULL : asy_list_new(vm, (uint32_t)count);
  for (uint32_t i = 0; list && i < n; i++) {
    if (!fds[i].revents) continue;
    asy_value row = asy_tuple_of(vm, 2, asy_from_small(fds[i].fd), asy_from_small((uint16_t)fds[i].revents));
    if (asy_failed(row) || !asy_list_append(vm, list, row)) list = NULL;
  }
  free(fds);
  return list ? asy_from_obj(list) : ASY_FAILED;
}

static void poll_free(asy_vm *vm, asy_obj *o) { free(((poll_object *)o)->fds); }

static const asy_native poll_methods[] = {
  {"register", SIG("(self, fd, eventmask=7, /)"), poll_register, DOC("Watch a descriptor."), 0},
  {"modify", SIG("(self, fd, eventmask, /)"), poll_modify, DOC("Change the events of a registered descriptor."), 0},
  {"unregister", SIG("(self, fd, /)"), poll_unregister, DOC("Watch a descriptor no more."), 0},
  {"poll", SIG("(self, timeout=None, /)"), poll_poll,
   DOC("Wait, for timeout milliseconds at most: [(fd, event), ...]."), 0},
  {0},
};

static const asy_type poll_type = {
  .name = "select.poll",
  .size = sizeof(poll_object),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW,
  .free = poll_free,
  .methods = poll_methods,
};

static asy_value select_poll(asy_vm *vm, const asy_value *args) {
  poll_object *p = asy_new_object(vm, &poll_type);
  return p ? asy_from_obj(p) : ASY_FAILED;
}

/* ---- epoll objects ---- */

typedef struct {
  asy_obj head;
  int fd; /* -1 once closed */
} epoll_object;

static epoll_object *epoll_of(const asy_value *args) { return (epoll_object *)asy_obj_of(args[0]); }

static bool is_open(asy_vm *vm, const epoll_object *e) {
  if (e->fd >= 0) return true;
  asy_raise(vm, ASY_ValueError, "I/O operation on closed epoll object");
  return false;
}

static asy_value epoll_from(asy_vm *vm, asy_class *cls, int fd) {
  epoll_object *e = asy_new_instance(vm, cls);
  if (!e) {
    close(fd);
    return ASY_FAILED;
  }
  e->fd = fd;
  return asy_from_obj(e);
}

static asy_value epoll_new(asy_vm *vm, const asy_value *args) {
  int64_t sizehint, flags;
  if (!asy_to_int64(vm, args[1], &sizehint) || !asy_to_int64(vm, args[2], &flags)) return ASY_FAILED;
  if (sizehint != -1 && sizehint <= 0) return asy_raise(vm, ASY_ValueError, "negative sizehint");
  if (flags && flags != EPOLL_CLOEXEC) return asy_raise(vm, ASY_OSError, "invalid flags");
  int fd = epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) return asy_raise_errno(vm, errno, ASY_UNBOUND);
  return epoll_from(vm, (asy_class *)asy_obj_of(args[0]), fd);
}

static asy_value epoll_fromfd(asy_vm *vm, const asy_value *args) {
  int fd;
  if (!asy_to_int(vm, args[1], INT_MIN, INT_MAX, &fd)) return ASY_FAILED;
  return epoll_from(vm, (asy_class *)asy_obj_of(args[0]), fd);
}

static asy_value epoll_close(asy_vm *vm, const asy_value *args) {
  int fd = epoll_of(args)->fd;
  epoll_of(args)->fd = -1;
  return fd >= 0 && close(fd) ? asy_raise_errno(vm, errno, ASY_UNBOUND) : ASY_NONE;
}

static void epoll_free(asy_vm *vm, asy_obj *o) {
  if (((epoll_object *)o)->fd >= 0) close(((epoll_object *)o)->fd);
}

static asy_value epoll_closed(asy_vm *vm, const asy_value *args) { return asy_from_bool(epoll_of(args)->fd < 0); }

static asy_value epoll_fileno(asy_vm *vm, const asy_value *args) {
  return is_open(vm, epoll_of(args)) ? asy_from_small(epoll_of(args)->fd) : ASY_FAILED;
}

static asy_value control(asy_vm *vm, const asy_value *args, int operation, asy_value mask) {
  int64_t events = 0;
  if (!is_open(vm, epoll_of(args))) return ASY_FAILED;
  int fd = descriptor_of(vm, args[1]);
  if (fd < 0 || (mask && !asy_to_int64(vm, mask, &events))) return ASY_FAILED;
  struct epoll_event event = {.events = (uint32_t)events, .data.fd = fd};
  return epoll_ctl(epoll_of(args)->fd, operation, fd, &event) ? asy_raise_errno(vm, errno, ASY_UNBOUND) : ASY_NONE;
}

static asy_value epoll_register(asy_vm *vm, const asy_value *args) { return control(vm, args, EPOLL_CTL_ADD, args[2]); }
static asy_value epoll_modify(asy_vm *vm, const asy_value *args) { return control(vm, args, EPOLL_CTL_MOD, args[2]); }
static asy_value epoll_unregister(asy_vm *vm, const asy_value *args) { return control(vm, args, EPOLL_CTL_DEL, 0); }

static asy_value epoll_poll(asy_vm *vm, const asy_value *args) {
  int64_t deadline, most;
  if (!is_open(vm, epoll_of(args)) || !asy_to_int64(vm, args[2], &most) ||
      !deadline_of(vm, args[1], 1e9, "timeout must be an integer or None", true, &deadline))
    return ASY_FAILED;
  if (most == -1) most = FD_SETSIZE - 1;
  if (most <= 0 || most > INT_MAX)
    return asy_raise(vm, ASY_ValueError, "maxevents must be greater than 0, got %lld", (long long)most);
  struct epoll_event *events = malloc((size_t)most * sizeof *events);
  if (!events) return asy_raise_no_memory(vm);
  asy_list *list = NULL;
  for (;;) {
    int ms = left_ms(vm, deadline), fd = epoll_of(args)->fd;
    asy_thread *self = asy_thread_release(vm);
    int count = epoll_wait(fd, events, (int)most, ms);
    asy_thread_acquire(vm, self);
    if (count < 0 && errno == EINTR && asy_check_signals(vm)) continue;
    if (count < 0) {
      if (!asy_raised(vm)) asy_raise_errno(vm, errno, ASY_UNBOUND);
      break;
    }
    list = asy_list_new(vm, (uint32_t)count);
    for (int i = 0; list && i < count; i++) {
      asy_value row = asy_tuple_of(vm, 2, asy_from_small(events[i].data.fd), asy_from_small(events[i].events));
      if (asy_failed(row) || !asy_list_append(vm, list, row)) list = NULL;
    }
    break;
  }
  free(events);
  return list ? asy_from_obj(list) : ASY_FAILED;
}

static asy_value epoll_enter(asy_vm *vm, const asy_value *args) {
  return is_open(vm, epoll_of(args)) ? args[0] : ASY_FAILED;
}
static asy_value epoll_exit(asy_vm *vm, const asy_value *args) { return epoll_close(vm, args); }

static const asy_native epoll_methods[] = {
  {"fromfd", SIG("(cls, fd, /)"), epoll_fromfd, DOC("An epoll object of an existing descriptor."), ASY_NATIVE_CLASS},
  {"close", SIG("(self, /)"), epoll_close, DOC("Close the descriptor."), 0},
  {"closed", SIG("(self)"), epoll_closed, DOC("Whether it is closed."), ASY_NATIVE_GETTER},
  {"fileno", SIG("(self, /)"), epoll_fileno, DOC("The descriptor."), 0},
  {"register", SIG("(self, fd, eventmask=7)"), epoll_register, DOC("Watch a descriptor."), 0},
  {"modify", SIG("(self, fd, eventmask)"), epoll_modify, DOC("Change the events of a registered descriptor."), 0},
  {"unregister", SIG("(self, fd)"), epoll_unregister, DOC("Watch a descriptor no more."), 0},
  {"poll", SIG("(self, timeout=None, maxevents=-1)"), epoll_poll,
   DOC("Wait, for timeout seconds at most: [(fd, event), ...]."), 0},
  {"__enter__", SIG("(self, /)"), epoll_enter, 0, 0},
  {"__exit__", SIG("(self, exc_type=None, exc_value=None, exc_tb=None, /)"), epoll_exit, 0, 0},
  {0},
};

static const asy_type epoll_type = {
  .name = "select.epoll",
  .doc = "Waits for events of descriptors.",
  .size = sizeof(epoll_object),
  .free = epoll_free,
  .new_ = epoll_new,
  .new_signature = SIG("(cls, sizehint=-1, flags=0)"),
  .methods = epoll_methods,
};

/* ---- The module ---- */

static const asy_native natives[] = {
  {"select", SIG("(rlist, wlist, xlist, timeout=None, /)"), select_select, DOC("Wait until descriptors are ready."), 0},
  {"poll", SIG("()"), select_poll, DOC("A polling object."), 0},
  {0},
};

static const asy_constants numbers = UNSIGNED_CONSTANTS(
  "select", POLLIN, POLLPRI, POLLOUT, POLLERR, POLLHUP, POLLNVAL, POLLRDNORM, POLLRDBAND, POLLWRNORM, POLLWRBAND,
  POLLMSG, POLLRDHUP, EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLERR, EPOLLHUP, EPOLLRDHUP, EPOLLET, EPOLLONESHOT,
  EPOLLEXCLUSIVE, EPOLLRDNORM, EPOLLRDBAND, EPOLLWRNORM, EPOLLWRBAND, EPOLLMSG, EPOLL_CLOEXEC, PIPE_BUF);

static bool init(asy_vm *vm, asy_value module) {
  return asy_module_add_constants(vm, module, &numbers) && asy_module_add_type(vm, module, "epoll", &epoll_type) &&
         asy_module_set(vm, module, "error", asy_get_attr_cstr(vm, asy_import(vm, "builtins"), "OSError"));
}

const asy_module_def asy_module_select = {"select", natives, "Waiting for input and output of several descriptors.",
                                          init};
