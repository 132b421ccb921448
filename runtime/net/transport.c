/* transport.c - stream sockets and pipes on the loop. See transport.h. */
#include "runtime/net/transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "runtime/class.h"
#include "runtime/context.h"
#include "runtime/coro.h"
#include "runtime/exc.h"
#include "runtime/net/address.h"

enum { HIGH_WATER = 65536, MOST_PIECES = 64, LOST_WRITES_WARNED = 5 };

static asy_transport *self_of(const asy_value *args) { return (asy_transport *)asy_obj_of(args[0]); }

static bool is_transport(asy_vm *vm, asy_value v) {
  return asy_is_obj(v) && vm->shapes[asy_obj_of(v)->shape]->type == &asy_transport_type;
}

/* ---- What libuv shall watch ----------------------------------------------------------------------------------------- */

static bool wants_reading(const asy_transport *t) {
  if (t->closing || t->eof) return false;
  if (t->kind == TRANSPORT_WRITE_PIPE) return true; /* to see that the other end is closed */
  return !t->paused && !(t->reader && t->reader->paused);
}

static int wanted_events(const asy_transport *t) {
  return (wants_reading(t) ? UV_READABLE : 0) | (t->count ? UV_WRITABLE : 0);
}

/* Starts what is wanted and not watched; what is not wanted any more stays until it happens. */
static void watch_more(asy_transport *t) {
  if (t->watch && t->loop->uv) asy_watch_set(t->watch, t->watch->events | wanted_events(t));
}

static void watch_exactly(asy_transport *t) {
  if (t->watch && t->loop->uv) asy_watch_set(t->watch, wanted_events(t));
}

static void stop_watching(asy_vm *vm, asy_transport *t) {
  if (t->watch && t->loop->uv) asy_watch_close(vm, t->watch);
  t->watch = NULL;
}

/* ---- The ready ring ------------------------------------------------------------------------------------------------- */

static void schedule(asy_vm *vm, asy_transport *t, unsigned what) {
  t->todo |= (uint8_t)what;
  if (t->queued) return;
  t->queued = asy_loop_push(vm, t->loop, &t->head);
  if (!t->queued) asy_clear_exception(vm); /* no memory for the ring: the next event tries again */
}

static void drop_queue(asy_transport *t) {
  t->count = 0;
  t->queued_bytes = 0;
}

static void wake_drainers(asy_vm *vm, asy_transport *t) {
  asy_list *drainers = t->drainers;
  t->drainers = NULL;
  for (uint32_t i = 0; drainers && i < drainers->len; i++)
    asy_task_wake(vm, (asy_task *)asy_obj_of(drainers->items[i]));
}

/* The connection ends now, whatever is queued. failure 0: none. */
static void force_close(asy_vm *vm, asy_transport *t, asy_value failure) {
  if (t->lost || t->todo & TODO_LOST) return;
  t->closing = true;
  drop_queue(t);
  watch_exactly(t);
  asy_store(vm, t, &t->failure, failure);
  schedule(vm, t, TODO_LOST);
}

/* The pending exception ends the connection. */
static void fail(asy_vm *vm, asy_transport *t) { force_close(vm, t, asy_take_exception(vm)); }

static void fail_errno(asy_vm *vm, asy_transport *t, int error) {
  asy_raise_errno(vm, error, ASY_UNBOUND);
  fail(vm, t);
}

static bool is_transient(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

/* ---- Reading -------------------------------------------------------------------------------------------------------- */

static char *scratch_of(asy_vm *vm, asy_transport *t) {
  asy_uv *uv = asy_loop_uv(vm, t->loop);
  if (!uv) return NULL;
  if (!uv->scratch) uv->scratch = malloc(ASY_LOOP_SCRATCH);
  if (!uv->scratch) asy_raise_no_memory(vm);
  return uv->scratch;
}

/* Bytes read to the scratch memory: 0 end, -1 nothing now or failed. */
static ssize_t read_scratch(asy_vm *vm, asy_transport *t, char *scratch) {
  ssize_t n = t->kind == TRANSPORT_SOCKET ? recv(t->fd, scratch, ASY_LOOP_SCRATCH, 0)
                                          : read(t->fd, scratch, ASY_LOOP_SCRATCH);
  if (n < 0 && !is_transient(errno)) fail_errno(vm, t, errno);
  return n;
}

static void read_to_reader(asy_vm *vm, asy_transport *t) {
  asy_reader *r = t->reader;
  char *scratch = scratch_of(vm, t);
  ssize_t n = scratch ? read_scratch(vm, t, scratch) : -1;
  if (n > 0 && !asy_reader_feed(vm, r, scratch, (size_t)n)) n = -1;
  if (n > 0) {
    r->paused = asy_reader_is_full(r);
  } else if (n == 0) {
    t->eof = true;
    asy_reader_feed_eof(vm, r);
    watch_exactly(t);
    if (t->kind == TRANSPORT_READ_PIPE) force_close(vm, t, 0);
  } else if (asy_raised(vm)) {
    fail(vm, t);
  }
}

static bool leaves_loop(asy_vm *vm) {
  return asy_raised_is(vm, ASY_SystemExit) || asy_raised_is(vm, ASY_KeyboardInterrupt);
}

/* The pending exception of a call of the protocol: reported, and unless quiet the end of the connection. */
static bool report(asy_vm *vm, asy_transport *t, const char *message, bool closes) {
  if (leaves_loop(vm)) return false;
  asy_value exception = asy_take_exception(vm), text = asy_from_cstr(vm, message);
  asy_dict *context = asy_dict_new(vm, 4);
  if (!context || asy_failed(text) || !asy_dict_set_str(vm, context, asy_intern(vm, "message"), text) ||
      !asy_dict_set_str(vm, context, asy_intern(vm, "exception"), exception) ||
      !asy_dict_set_str(vm, context, asy_intern(vm, "transport"), asy_from_obj(t)) ||
      !asy_dict_set_str(vm, context, asy_intern(vm, "protocol"), t->protocol ? t->protocol : ASY_NONE) ||
      asy_failed(asy_loop_call_exception_handler(vm, t->loop, context)))
    return false;
  if (closes) force_close(vm, t, exception);
  return true;
}

static asy_value call_protocol(asy_vm *vm, asy_transport *t, const char *method, int nargs, const asy_value *args) {
  asy_str *name = asy_intern(vm, method);
  return name ? asy_call_method(vm, t->protocol, name, nargs, args) : ASY_FAILED;
}

static void close_transport(asy_vm *vm, asy_transport *t);

/* The other side will send no more. */
static bool end_of_input(asy_vm *vm, asy_transport *t) {
  t->eof = true;
  watch_exactly(t);
  asy_value keep_open = call_protocol(vm, t, "eof_received", 0, NULL);
  int open = asy_failed(keep_open) ? -1 : asy_truth(vm, keep_open);
  if (open < 0) return report(vm, t, "Fatal error: protocol.eof_received() call failed.", true);
  if (t->kind == TRANSPORT_READ_PIPE) force_close(vm, t, 0);
  else if (!open) close_transport(vm, t);
  return true;
}

static bool read_to_buffer(asy_vm *vm, asy_transport *t) {
  asy_value hint = asy_from_small(-1), target = call_protocol(vm, t, "get_buffer", 1, &hint);
  asy_buffer buffer;
  if (asy_failed(target) || !asy_buffer_get_writable(vm, target, &buffer))
    return report(vm, t, "Fatal error: protocol.get_buffer() call failed.", true);
  if (!buffer.len) {
    asy_buffer_release(vm, &buffer);
    asy_raise(vm, ASY_RuntimeError, "get_buffer() returned an empty buffer");
    return report(vm, t, "Fatal error: protocol.get_buffer() call failed.", true);
  }
  ssize_t n = read(t->fd, buffer.data, buffer.len);
  int error = errno;
  asy_buffer_release(vm, &buffer);
  if (n < 0) {
    if (!is_transient(error)) fail_errno(vm, t, error);
    return true;
  }
  if (n == 0) return end_of_input(vm, t);
  asy_value count = asy_from_small(n);
  if (!asy_failed(call_protocol(vm, t, "buffer_updated", 1, &count))) return true;
  return report(vm, t, "Fatal error: protocol.buffer_updated() call failed.", true);
}

static bool read_to_protocol(asy_vm *vm, asy_transport *t) {
  if (!wants_reading(t)) return true;
  if (t->reader) return read_to_reader(vm, t), true;
  if (t->buffered) return read_to_buffer(vm, t);
  char *scratch = scratch_of(vm, t);
  ssize_t n = scratch ? read_scratch(vm, t, scratch) : -1;
  if (n < 0) {
    if (asy_raised(vm)) fail(vm, t);
    return true;
  }
  if (n == 0) return end_of_input(vm, t);
  asy_value data = asy_from_bytes(vm, scratch, (size_t)n);
  if (!asy_failed(data) && !asy_failed(call_protocol(vm, t, "data_received", 1, &data))) return true;
  return report(vm, t, "Fatal error: protocol.data_received() call failed.", true);
}

/* ---- Writing -------------------------------------------------------------------------------------------------------- */

/* Bytes the system took; -1: an error that ends the connection, in errno. */
static ssize_t write_now(asy_transport *t, const void *data, size_t length) {
  ssize_t n = t->kind == TRANSPORT_SOCKET ? send(t->fd, data, length, MSG_NOSIGNAL) : write(t->fd, data, length);
  return n < 0 && is_transient(errno) ? 0 : n;
}

static bool enqueue(asy_vm *vm, asy_transport *t, asy_value owner, const uint8_t *data, size_t length) {
  if (t->first + t->count == t->cap) {
    if (t->first > t->cap / 2) {
      memmove(t->queue, t->queue + t->first, t->count * sizeof *t->queue);
    } else {
      uint32_t cap = t->cap ? t->cap * 2 : 4;
      asy_unsent *queue = asy_mem_alloc(vm, cap * sizeof *queue);
      if (!queue) return false;
      if (t->count) memcpy(queue, t->queue + t->first, t->count * sizeof *queue);
      if (t->queue) asy_mem_free(vm, t->queue, t->cap * sizeof *queue);
      t->queue = queue;
      t->cap = cap;
    }
    t->first = 0;
  }
  t->queue[t->first + t->count++] = (asy_unsent){owner, data, length};
  t->queued_bytes += length;
  asy_barrier(vm, t);
  watch_more(t);
  return true;
}

/* Tells the protocol that too much is queued. */
static bool pause_protocol(asy_vm *vm, asy_transport *t) {
  if (t->protocol_paused || t->queued_bytes <= t->high) return true;
  t->protocol_paused = true;
  if (t->reader || !asy_failed(call_protocol(vm, t, "pause_writing", 0, NULL))) return true;
  return report(vm, t, "protocol.pause_writing() failed", false);
}

static void resume_protocol(asy_vm *vm, asy_transport *t) {
  if (!t->protocol_paused || t->queued_bytes > t->low) return;
  t->protocol_paused = false;
  wake_drainers(vm, t);
  if (!t->reader) schedule(vm, t, TODO_RESUME);
}

/* The queue is empty: what waited for that. */
static void flushed(asy_vm *vm, asy_transport *t) {
  t->first = 0;
  if (t->closing) schedule(vm, t, TODO_LOST);
  else if (t->eof_sent && t->kind == TRANSPORT_SOCKET) shutdown(t->fd, SHUT_WR);
}

static void flush(asy_vm *vm, asy_transport *t) {
  struct iovec pieces[MOST_PIECES];
  int n = 0;
  for (; n < MOST_PIECES && (uint32_t)n < t->count; n++) {
    asy_unsent *u = &t->queue[t->first + (uint32_t)n];
    pieces[n] = (struct iovec){(void *)(uintptr_t)u->data, u->length};
  }
  struct msghdr message = {.msg_iov = pieces, .msg_iovlen = (size_t)n};
  ssize_t written = t->kind == TRANSPORT_SOCKET ? sendmsg(t->fd, &message, MSG_NOSIGNAL) : writev(t->fd, pieces, n);
  if (written < 0) {
    if (!is_transient(errno)) fail_errno(vm, t, errno);
    return;
  }
  t->queued_bytes -= (size_t)written;
  for (size_t left = (size_t)written; left;) {
    asy_unsent *u = &t->queue[t->first];
    if (left < u->length) {
      u->data += left;
      u->length -= left;
      break;
    }
    left -= u->length;
    t->first++;
    t->count--;
  }
  if (!t->count) flushed(vm, t);
  resume_protocol(vm, t);
}

static bool check_write(asy_vm *vm, asy_transport *t, asy_value data) {
  if (!asy_is_bytes_like(data)) {
    asy_raise(vm, ASY_TypeError, "data argument must be a bytes-like object, not '%T'", data);
    return false;
  }
  if (!t->eof_sent && !t->held) return true;
  asy_raise(vm, ASY_RuntimeError,
            t->held ? "unable to write; sendfile is in progress" : "Cannot call write() after write_eof()");
  return false;
}

/* Writing to a connection that is lost is ignored, and after a few times said. */
static bool write_is_lost(asy_vm *vm, asy_transport *t) {
  if (!t->lost && !(t->todo & TODO_LOST) && !(t->closing && t->kind == TRANSPORT_WRITE_PIPE)) return false;
  if (++t->writes_lost >= LOST_WRITES_WARNED) {
    asy_value module = asy_import(vm, "asyncio.log");
    asy_value logger = asy_failed(module) ? ASY_FAILED : asy_get_attr_cstr(vm, module, "logger");
    asy_value text = asy_from_cstr(vm, "socket.send() raised exception.");
    asy_str *warning = asy_intern(vm, "warning");
    if (asy_failed(logger) || !warning || asy_failed(asy_call_method(vm, logger, warning, 1, &text)))
      asy_clear_exception(vm);
  }
  return true;
}

static asy_value write_bytes(asy_vm *vm, asy_transport *t, asy_value data) {
  asy_buffer buffer;
  if (!check_write(vm, t, data) || !asy_buffer_get(vm, data, &buffer)) return ASY_FAILED;
  const uint8_t *bytes = buffer.data;
  size_t length = buffer.len;
  asy_value result = ASY_NONE;
  if (!length || write_is_lost(vm, t)) goto done;
  if (!t->count) {
    ssize_t n = write_now(t, bytes, length);
    if (n < 0) {
      fail_errno(vm, t, errno);
      goto done;
    }
    bytes += n;
    length -= (size_t)n;
    if (!length) goto done;
  }
  asy_value owner = data;
  if (!asy_is_kind(data, KIND_BYTES)) { /* it may change before it is sent */
    owner = asy_from_bytes(vm, bytes, length);
    if (!asy_failed(owner)) bytes = ((asy_bytes *)asy_obj_of(owner))->data;
  }
  bool good = !asy_failed(owner) && enqueue(vm, t, owner, bytes, length) && pause_protocol(vm, t);
  if (!good) result = ASY_FAILED;
done:
  asy_buffer_release(vm, &buffer);
  return result;
}

/* ---- Events --------------------------------------------------------------------------------------------------------- */

static void happened(asy_vm *vm, asy_obj *owner, int events) {
  asy_transport *t = (asy_transport *)owner;
  if (events & UV_READABLE && wants_reading(t)) {
    if (t->kind == TRANSPORT_WRITE_PIPE) {
      if (t->count) {
        asy_raise_errno(vm, EPIPE, ASY_UNBOUND);
        fail(vm, t);
      } else {
        force_close(vm, t, 0);
      }
    } else if (t->reader) {
      read_to_reader(vm, t);
    } else {
      schedule(vm, t, TODO_READ);
    }
  }
  if (events & UV_WRITABLE && t->count) flush(vm, t);
  if (t->watch && (events & ~wanted_events(t) || !t->watch->events)) watch_exactly(t);
}

/* connection_lost, then the descriptor is closed. */
static bool lose(asy_vm *vm, asy_transport *t) {
  if (t->lost) return true;
  t->lost = true;
  stop_watching(vm, t);
  wake_drainers(vm, t);
  asy_value failure = t->failure ? t->failure : ASY_NONE;
  bool good = true;
  if (t->protocol && asy_failed(call_protocol(vm, t, "connection_lost", 1, &failure)))
    good = report(vm, t, "Fatal error: protocol.connection_lost() call failed.", false);
  asy_value kept = good ? 0 : asy_take_exception(vm);
  int fd = t->fd;
  t->fd = -1;
  asy_cancel_finalizer(t); /* it is closed: __del__ has nothing to say */
  if (t->sock) {
    asy_str *close_name = asy_intern(vm, "close");
    if (!close_name || asy_failed(asy_call_method(vm, t->sock, close_name, 0, NULL))) asy_clear_exception(vm);
  } else {
    close(fd);
  }
  asy_value server = t->server, self = asy_from_obj(t);
  t->protocol = t->server = 0;
  t->reader = NULL;
  if (server) {
    asy_str *detach = asy_intern(vm, "_detach");
    if (!detach || asy_failed(asy_call_method(vm, server, detach, 1, &self))) {
      if (kept) asy_clear_exception(vm);
      else good = report(vm, t, "Server._detach() failed", false);
    }
  }
  if (kept) asy_set_exception(vm, kept);
  return good;
}

static bool run(asy_vm *vm, asy_obj *self) {
  asy_transport *t = (asy_transport *)self;
  unsigned todo = t->todo;
  t->queued = false;
  t->todo = 0;
  if (t->lost) return true;
  if (todo & TODO_READ && !(todo & TODO_LOST) && !read_to_protocol(vm, t)) return false;
  if (todo & TODO_RESUME && t->protocol && asy_failed(call_protocol(vm, t, "resume_writing", 0, NULL)) &&
      !report(vm, t, "protocol.resume_writing() failed", false))
    return false;
  return !(todo & TODO_LOST) || lose(vm, t);
}

static bool run_in_context(asy_vm *vm, asy_obj *self) {
  asy_transport *t = (asy_transport *)self;
  asy_context *outer = asy_context_begin(vm, t->context);
  bool ok = run(vm, self);
  asy_context_end(vm, t, &t->context, outer);
  return ok;
}

static void close_transport(asy_vm *vm, asy_transport *t) {
  if (t->closing) return;
  t->closing = true;
  watch_exactly(t);
  if (!t->count) schedule(vm, t, TODO_LOST);
}

/* ---- drain() -------------------------------------------------------------------------------------------------------- */

static asy_value park_drainer(asy_vm *vm, asy_transport *t) {
  if (!asy_task_park_on(vm, &t->head)) return ASY_PARKED;
  if (!t->drainers) {
    t->drainers = asy_list_new(vm, 1);
    if (!t->drainers) return ASY_FAILED;
    asy_barrier(vm, t);
  }
  return asy_list_append(vm, t->drainers, asy_from_obj(vm->current_task)) ? ASY_PARKED : ASY_FAILED;
}

static asy_value resume_drainer(asy_vm *vm, asy_obj *self, asy_task *task) {
  asy_transport *t = (asy_transport *)self;
  if (t->lost) return t->failure ? asy_raise_value(vm, t->failure) : ASY_NONE;
  return t->protocol_paused ? park_drainer(vm, t) : ASY_NONE;
}

static bool forget_drainer(asy_vm *vm, asy_obj *self, asy_task *task) {
  asy_list *drainers = ((asy_transport *)self)->drainers;
  for (uint32_t i = 0; drainers && i < drainers->len; i++) {
    if (drainers->items[i] != asy_from_obj(task)) continue;
    asy_list_pop(vm, drainers, i);
    return true;
  }
  return false;
}

static const struct asy_loop_hooks transport_hooks = {
  .run = run_in_context, .resume = resume_drainer, .forget = forget_drainer};

static const asy_native transport_methods[];

static asy_value transport_drain(asy_vm *vm, const asy_value *args) {
  asy_transport *t = self_of(args);
  if (t->lost || t->todo & TODO_LOST) return asy_raise(vm, ASY_ConnectionResetError, "Connection lost");
  if (!t->protocol_paused) return ASY_NONE;
  return asy_can_park(vm) ? park_drainer(vm, t) : asy_wait_elsewhere(vm, &transport_methods[0], args, 1);
}

/* ---- The Python side ------------------------------------------------------------------------------------------------ */

static asy_value transport_new(asy_vm *vm, const asy_value *args) {
  asy_transport *t = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  if (!t) return ASY_FAILED;
  t->fd = -1;
  t->lost = t->closing = true; /* until __init__ */
  t->context = ASY_NONE;
  return asy_from_obj(t);
}

static asy_value set_protocol(asy_vm *vm, asy_transport *t, asy_value protocol, asy_value buffered) {
  int truth = asy_truth(vm, buffered);
  if (truth < 0) return ASY_FAILED;
  asy_store(vm, t, &t->protocol, protocol);
  t->buffered = truth;
  t->reader = NULL;
  return ASY_NONE;
}

static asy_value value_or_0(asy_value v) { return v == ASY_NONE ? 0 : v; }

static asy_value transport_init(asy_vm *vm, const asy_value *args) {
  asy_transport *t = self_of(args);
  int fd, kind;
  if (!asy_is_kind(args[1], KIND_LOOP))
    return asy_raise(vm, ASY_TypeError, "loop must be an event loop, not '%T'", args[1]);
  if (t->loop) return asy_raise(vm, ASY_RuntimeError, "the transport is initialized already");
  if (!asy_to_int(vm, args[2], 0, INT32_MAX, &fd) || !asy_to_int(vm, args[3], 0, TRANSPORT_WRITE_PIPE, &kind))
    return ASY_FAILED;
  t->loop = (asy_loop *)asy_obj_of(args[1]);
  t->kind = (uint8_t)kind;
  t->high = HIGH_WATER;
  t->low = HIGH_WATER / 4;
  asy_store(vm, t, &t->sock, value_or_0(args[4]));
  asy_store(vm, t, &t->extra, value_or_0(args[5]));
  asy_store(vm, t, &t->server, value_or_0(args[6]));
  asy_barrier(vm, t);
  if (kind == TRANSPORT_SOCKET) {
    t->here.length = t->there.length = sizeof(struct sockaddr_storage);
    if (getsockname(fd, (struct sockaddr *)&t->here.address, &t->here.length)) t->here.length = 0;
    if (getpeername(fd, (struct sockaddr *)&t->there.address, &t->there.length)) t->there.length = 0;
  }
  struct stat status;
  bool device = kind == TRANSPORT_WRITE_PIPE && fstat(fd, &status) == 0 && S_ISCHR(status.st_mode);
  t->eof = device; /* what can be read from a terminal says nothing about its other end */
  t->watch = asy_watch_fd(vm, t->loop, fd, t, happened);
  if (!t->watch && device && asy_raised_is(vm, ASY_PermissionError)) asy_clear_exception(vm); /* such as /dev/null */
  else if (!t->watch) return ASY_FAILED;
  t->context = asy_context_or_snapshot(vm, ASY_NONE);
  if (asy_failed(t->context)) return t->context = ASY_NONE, ASY_FAILED;
  t->fd = fd;
  t->lost = t->closing = false;
  return ASY_NONE;
}

/* The protocol has been told: reading may begin, unless it has paused that. */
static asy_value transport_start(asy_vm *vm, const asy_value *args) {
  watch_more(self_of(args));
  return ASY_NONE;
}

/* Bytes go straight to a StreamReader; the protocol hears of the end alone. */
static asy_value transport_feed_reader(asy_vm *vm, const asy_value *args) {
  asy_transport *t = self_of(args);
  if (!asy_is_reader(vm, args[1])) return asy_raise(vm, ASY_TypeError, "a StreamReader is needed, not '%T'", args[1]);
  t->reader = (asy_reader *)asy_obj_of(args[1]);
  asy_barrier(vm, t);
  return ASY_NONE;
}

static asy_value transport_get_protocol(asy_vm *vm, const asy_value *args) {
  return self_of(args)->protocol ? self_of(args)->protocol : ASY_NONE;
}

static asy_value transport_set_protocol(asy_vm *vm, const asy_value *args) {
  return set_protocol(vm, self_of(args), args[1], args[2]);
}

static asy_value transport_is_closing(asy_vm *vm, const asy_value *args) {
  return asy_from_bool(self_of(args)->closing);
}

/* The protocol hears of the end in the context of who has asked for it. */
static bool take_context(asy_vm *vm, asy_transport *t) {
  asy_value context = asy_context_or_snapshot(vm, ASY_NONE);
  if (!asy_failed(context)) asy_store(vm, t, &t->context, context);
  return !asy_failed(context);
}

static asy_value transport_close(asy_vm *vm, const asy_value *args) {
  asy_transport *t = self_of(args);
  if (!t->closing && !take_context(vm, t)) return ASY_FAILED;
  close_transport(vm, t);
  return ASY_NONE;
}

static asy_value transport_abort(asy_vm *vm, const asy_value *args) {
  asy_transport *t = self_of(args);
  if (!t->loop) return ASY_NONE;
  if (!t->closing && !take_context(vm, t)) return ASY_FAILED;
  force_close(vm, t, value_or_0(args[1]));
  return ASY_NONE;
}

static asy_value transport_write(asy_vm *vm, const asy_value *args) { return write_bytes(vm, self_of(args), args[1]); }

static asy_value transport_writelines(asy_vm *vm, const asy_value *args) {
  asy_tuple *pieces = asy_tuple_from_iterable(vm, args[1]);
  if (!pieces) return ASY_FAILED;
  if (pieces->len == 1) return write_bytes(vm, self_of(args), pieces->items[0]);
  asy_value empty = asy_from_bytes(vm, NULL, 0), all = asy_from_obj(pieces);
  asy_str *join = asy_intern(vm, "join");
  all = asy_failed(empty) || !join ? ASY_FAILED : asy_call_method(vm, empty, join, 1, &all);
  return asy_failed(all) ? ASY_FAILED : write_bytes(vm, self_of(args), all);
}

static asy_value transport_hold_writes(asy_vm *vm, const asy_value *args) {
  self_of(args)->held = args[1] == ASY_TRUE;
  return ASY_NONE;
}

static asy_value transport_write_eof(asy_vm *vm, const asy_value *args) {
  asy_transport *t = self_of(args);
  if (t->closing || t->eof_sent) return ASY_NONE;
  if (t->kind == TRANSPORT_WRITE_PIPE) {
    close_transport(vm, t);
    return ASY_NONE;
  }
  t->eof_sent = true;
  if (!t->count) shutdown(t->fd, SHUT_WR);
  return ASY_NONE;
}

static asy_value transport_can_write_eof(asy_vm *vm, const asy_value *args) {
  return asy_from_bool(self_of(args)->kind != TRANSPORT_READ_PIPE);
}

static asy_value transport_pause_reading(asy_vm *vm, const asy_value *args) {
  self_of(args)->paused = true;
  return ASY_NONE;
}

static asy_value transport_resume_reading(asy_vm *vm, const asy_value *args) {
  asy_transport *t = self_of(args);
  if (t->closing) return ASY_NONE;
  t->paused = false;
  watch_more(t);
  return ASY_NONE;
}

static asy_value transport_is_reading(asy_vm *vm, const asy_value *args) {
  asy_transport *t = self_of(args);
  return asy_from_bool(!t->closing && !t->paused && !(t->reader && t->reader->paused));
}

static asy_value call_transport(asy_vm *vm, asy_value transport, const char *method) {
  asy_str *name = asy_intern(vm, method);
  return name ? asy_call_method(vm, transport, name, 0, NULL) : ASY_FAILED;
}

asy_value asy_transport_pause_reading(asy_vm *vm, asy_value transport) {
  return call_transport(vm, transport, "pause_reading");
}

/* After reader->paused has been cleared. */
asy_value asy_transport_resume_reading(asy_vm *vm, asy_value transport) {
  if (is_transport(vm, transport) && ((asy_transport *)asy_obj_of(transport))->reader)
    return watch_more((asy_transport *)asy_obj_of(transport)), ASY_NONE;
  return transport && transport != ASY_NONE ? call_transport(vm, transport, "resume_reading") : ASY_NONE;
}

static asy_value transport_set_limits(asy_vm *vm, const asy_value *args) {
  asy_transport *t = self_of(args);
  int64_t high = HIGH_WATER, low;
  if (args[1] != ASY_NONE) {
    if (!asy_to_int64(vm, args[1], &high)) return ASY_FAILED;
  } else if (args[2] != ASY_NONE) {
    if (!asy_to_int64(vm, args[2], &low)) return ASY_FAILED;
    high = 4 * low;
  }
  low = high >> 2;
  if (args[2] != ASY_NONE && !asy_to_int64(vm, args[2], &low)) return ASY_FAILED;
  if (high < low || low < 0)
    return asy_raise(vm, ASY_ValueError, "high (%lld) must be >= low (%lld) must be >= 0", (long long)high,
                     (long long)low);
  t->high = (size_t)high;
  t->low = (size_t)low;
  return pause_protocol(vm, t) ? ASY_NONE : ASY_FAILED;
}

static asy_value transport_get_limits(asy_vm *vm, const asy_value *args) {
  asy_transport *t = self_of(args);
  return asy_tuple_of(vm, 2, asy_from_small((int64_t)t->low), asy_from_small((int64_t)t->high));
}

static asy_value transport_get_size(asy_vm *vm, const asy_value *args) {
  return asy_from_small((int64_t)self_of(args)->queued_bytes);
}

static asy_value transport_address(asy_vm *vm, const asy_value *args) {
  asy_transport *t = self_of(args);
  int there = asy_truth(vm, args[1]);
  if (there < 0) return ASY_FAILED;
  asy_peer *peer = there ? &t->there : &t->here;
  return peer->length ? asy_address_value(vm, (struct sockaddr *)&peer->address, peer->length) : ASY_NONE;
}

/* "fd=7 read=polling write=<idle, bufsize=0>" of a socket, "fd=7 polling" of a pipe */
static asy_value transport_repr(asy_vm *vm, asy_value self) {
  asy_transport *t = (asy_transport *)asy_obj_of(self);
  asy_str *name = asy_type_of(vm, self)->name;
  const char *state = t->lost ? " closed" : t->closing ? " closing" : "";
  const char *reads = wants_reading(t) ? "polling" : "idle", *writes = t->count ? "polling" : "idle";
  bool alive = !t->lost && t->loop && t->loop->uv;
  asy_str *text;
  if (t->kind == TRANSPORT_SOCKET && alive)
    text = asy_str_format(vm, "<%U%s fd=%d read=%s write=<%s, bufsize=%zu>>", name, state, t->fd, reads, writes,
                          t->queued_bytes);
  else if (t->kind == TRANSPORT_SOCKET || t->lost) text = asy_str_format(vm, "<%U%s fd=%d>", name, state, t->fd);
  else if (!alive) text = asy_str_format(vm, "<%U%s fd=%d open>", name, state, t->fd);
  else if (t->kind == TRANSPORT_READ_PIPE) text = asy_str_format(vm, "<%U%s fd=%d %s>", name, state, t->fd, reads);
  else text = asy_str_format(vm, "<%U%s fd=%d %s bufsize=%zu>", name, state, t->fd, writes, t->queued_bytes);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

static void transport_visit(asy_obj *o, asy_visitor *v) {
  asy_transport *t = (asy_transport *)o;
  asy_visit_obj(v, t->loop);
  asy_visit_obj(v, t->reader);
  asy_visit_value(v, t->protocol);
  asy_visit_value(v, t->sock);
  asy_visit_value(v, t->extra);
  asy_visit_value(v, t->server);
  asy_visit_value(v, t->failure);
  asy_visit_value(v, t->context);
  asy_visit_obj(v, t->drainers);
  for (uint32_t i = 0; i < t->count; i++) asy_visit_value(v, t->queue[t->first + i].owner);
}

static void transport_free(asy_vm *vm, asy_obj *o) {
  asy_transport *t = (asy_transport *)o;
  if (t->queue) asy_mem_free(vm, t->queue, t->cap * sizeof *t->queue);
  if (t->fd >= 0 && !t->sock) close(t->fd); /* its loop was closed before it */
}

static const asy_native transport_methods[] = {
  {"_drain", SIG("(self, /)"), transport_drain, DOC("Wait until it is right to write more."),
   ASY_NATIVE_ASYNC}, /* the first */
  {"_start", SIG("(self, /)"), transport_start, DOC("Begin to read."), 0},
  {"_feed_reader", SIG("(self, reader, /)"), transport_feed_reader, DOC("Let what comes go straight to reader."), 0},
  {"_hold_writes", SIG("(self, held, /)"), transport_hold_writes, DOC("Refuse write(): something else is sent."), 0},
  {"_address", SIG("(self, there, /)"), transport_address, DOC("The socket's own address, or that of the other side."),
   0},
  {"_force_close", SIG("(self, exc=None, /)"), transport_abort, DOC("Close at once because of exc."), 0},
  {"_set_protocol", SIG("(self, protocol, buffered, /)"), transport_set_protocol, DOC("Set the protocol."), 0},
  {"get_protocol", SIG("(self)"), transport_get_protocol, DOC("The current protocol."), 0},
  {"is_closing", SIG("(self)"), transport_is_closing, DOC("Whether it is closing or closed."), 0},
  {"close", SIG("(self)"), transport_close, DOC("Close when all that was written is sent."), 0},
  {"write", SIG("(self, data)"), transport_write, DOC("Send data as soon as the other side takes it."), 0},
  {"writelines", SIG("(self, list_of_data)"), transport_writelines, DOC("Send several pieces."), 0},
  {"write_eof", SIG("(self)"), transport_write_eof, DOC("Say that nothing more will be sent."), 0},
  {"can_write_eof", SIG("(self)"), transport_can_write_eof, DOC("Whether write_eof() works."), 0},
  {"pause_reading", SIG("(self)"), transport_pause_reading, DOC("Let nothing be received until resume_reading()."), 0},
  {"resume_reading", SIG("(self)"), transport_resume_reading, DOC("Receive again."), 0},
  {"is_reading", SIG("(self)"), transport_is_reading, DOC("Whether it receives."), 0},
  {"set_write_buffer_limits", SIG("(self, high=None, low=None)"), transport_set_limits,
   DOC("How much may be queued before the protocol is paused, and when it goes on."), 0},
  {"get_write_buffer_limits", SIG("(self)"), transport_get_limits, DOC("(low, high)."), 0},
  {"get_write_buffer_size", SIG("(self)"), transport_get_size, DOC("Bytes queued."), 0},
  {0},
};

static const asy_member transport_members[] = {
  {"_loop", offsetof(asy_transport, loop), MEMBER_OBJECT, false},
  {"_sock", offsetof(asy_transport, sock), MEMBER_VALUE, true},
  {"_extra", offsetof(asy_transport, extra), MEMBER_VALUE, true},
  {"_server", offsetof(asy_transport, server), MEMBER_VALUE, false},
  {"_fd", offsetof(asy_transport, fd), MEMBER_INT32, false},
  {"_protocol_paused", offsetof(asy_transport, protocol_paused), MEMBER_BOOL8, false},
  {0},
};

const asy_type asy_transport_type = {
  .name = "_asyncio_net.Transport",
  .doc = "A stream socket or pipe on the loop.",
  .size = sizeof(asy_transport),
  .visit = transport_visit,
  .free = transport_free,
  .new_ = transport_new,
  .init = transport_init,
  .init_signature = SIG("(self, loop, fd, kind, sock=None, extra=None, server=None)"),
  .repr = transport_repr,
  .loop_hooks = &transport_hooks,
  .methods = transport_methods,
  .members = transport_members,
};
