/* net.c - the module _asyncio_net: the outside as asyncio's scripts see it.
 *
 * Transport and StreamReader are in files of their own. Here: accepting connections, callbacks for descriptors and signals, and
 * name look-ups in libuv's pool. What libuv reports goes on the ready ring; scripts run from there.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/class.h"
#include "runtime/context.h"
#include "runtime/exc.h"
#include "runtime/net/address.h"
#include "runtime/net/transport.h"

static bool loop_argument(asy_vm *vm, asy_value v, asy_loop **loop) {
  if (asy_is_kind(v, KIND_LOOP)) {
    *loop = (asy_loop *)asy_obj_of(v);
    return true;
  }
  asy_raise(vm, ASY_TypeError, "loop must be an event loop, not '%T'", v);
  return false;
}

/* ---- Listeners ------------------------------------------------------------------------------------------------------ */

/* A listening socket: accepted(fd) for each connection; refused(exception) when the system has no room for one, after which it
 * does not listen until start() is called again. */
typedef struct {
  asy_obj head;
  asy_loop *loop;
  asy_watch *watch; /* NULL: not listening */
  int fd;           /* not owned */
  int backlog;      /* connections accepted in one turn */
  bool queued;
  asy_value accepted, refused;
  asy_value context; /* of which each call of `accepted` has a copy; None: empty */
} listener;

static void listener_happened(asy_vm *vm, asy_obj *owner, int events) {
  listener *l = (listener *)owner;
  if (!l->queued) l->queued = asy_loop_push(vm, l->loop, owner);
  if (!l->queued) asy_clear_exception(vm);
}

static void listener_stop(asy_vm *vm, listener *l) {
  if (l->watch && l->loop->uv) asy_watch_close(vm, l->watch);
  l->watch = NULL;
}

/* The pending exception is reported as an error of a callback is. False: it leaves the loop. */
static bool report_callback(asy_vm *vm, asy_loop *loop) {
  if (asy_raised_is(vm, ASY_SystemExit) || asy_raised_is(vm, ASY_KeyboardInterrupt)) return false;
  asy_value exception = asy_take_exception(vm),
            text = asy_from_cstr(vm, "Error on transport creation for incoming connection");
  asy_dict *context = asy_dict_new(vm, 2);
  return context && !asy_failed(text) && asy_dict_set_str(vm, context, asy_intern(vm, "message"), text) &&
         asy_dict_set_str(vm, context, asy_intern(vm, "exception"), exception) &&
         !asy_failed(asy_loop_call_exception_handler(vm, loop, context));
}

static bool listener_run(asy_vm *vm, asy_obj *self) {
  listener *l = (listener *)self;
  l->queued = false;
  for (int i = 0; i <= l->backlog && l->watch; i++) {
    int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    asy_value result;
    if (fd >= 0) {
      asy_value own = asy_context_copy(vm, l->context);
      if (asy_failed(own)) return close(fd), false;
      asy_context *outer = asy_context_begin(vm, own);
      result = asy_call1(vm, l->accepted, asy_from_small(fd));
      asy_context_end(vm, l, &own, outer);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      asy_raise_errno(vm, errno, ASY_UNBOUND);
      asy_value exception = asy_take_exception(vm);
      listener_stop(vm, l);
      result = asy_call1(vm, l->refused, exception);
    } else { /* nothing more, or a connection that ended before it was accepted */
      return true;
    }
    if (asy_failed(result) && !report_callback(vm, l->loop)) return false;
  }
  return true;
}

static const struct asy_loop_hooks listener_hooks = {.run = listener_run};

static asy_value listener_init(asy_vm *vm, const asy_value *args) {
  listener *l = (listener *)asy_obj_of(args[0]);
  if (!loop_argument(vm, args[1], &l->loop) || !asy_to_int(vm, args[2], 0, INT_MAX, &l->fd) ||
      !asy_to_int(vm, args[3], INT_MIN, INT_MAX, &l->backlog))
    return ASY_FAILED;
  asy_store(vm, l, &l->accepted, args[4]);
  asy_store(vm, l, &l->refused, args[5]);
  asy_barrier(vm, l);
  l->context = asy_context_or_snapshot(vm, ASY_NONE);
  return asy_failed(l->context) ? ASY_FAILED : ASY_NONE;
}

static asy_value listener_start(asy_vm *vm, const asy_value *args) {
  listener *l = (listener *)asy_obj_of(args[0]);
  if (l->watch) return ASY_NONE;
  l->watch = asy_watch_fd(vm, l->loop, l->fd, l, listener_happened);
  if (!l->watch) return ASY_FAILED;
  asy_watch_set(l->watch, UV_READABLE);
  return ASY_NONE;
}

static asy_value listener_stop_native(asy_vm *vm, const asy_value *args) {
  listener_stop(vm, (listener *)asy_obj_of(args[0]));
  return ASY_NONE;
}

static void listener_visit(asy_obj *o, asy_visitor *v) {
  listener *l = (listener *)o;
  asy_visit_obj(v, l->loop);
  asy_visit_value(v, l->accepted);
  asy_visit_value(v, l->refused);
  asy_visit_value(v, l->context);
}

static const asy_native listener_methods[] = {
  {"start", SIG("(self, /)"), listener_start, DOC("Accept connections."), 0},
  {"stop", SIG("(self, /)"), listener_stop_native, DOC("Accept no more."), 0},
  {0},
};

static const asy_type listener_type = {
  .name = "_asyncio_net.Listener",
  .doc = "Accepts the connections of a listening socket.",
  .size = sizeof(listener),
  .visit = listener_visit,
  .init = listener_init,
  .init_signature = SIG("(self, loop, fd, backlog, accepted, refused)"),
  .loop_hooks = &listener_hooks,
  .methods = listener_methods,
};

/* ---- Handles run when a descriptor is ready, or a signal has come --------------------------------------------------- */

typedef struct {
  asy_obj head;
  asy_loop *loop;
  asy_watch *watch;         /* NULL: closed */
  asy_value reader, writer; /* handles of the loop; 0: that event is not watched. Of a signal: the reader */
  int signum;               /* 0: a descriptor */
  struct sigaction before;  /* what the signal did */
} watcher;

static void push_handle(asy_vm *vm, watcher *w, asy_value handle) {
  if (handle && !asy_loop_push(vm, w->loop, asy_obj_of(handle))) asy_clear_exception(vm);
}

static void watcher_happened(asy_vm *vm, asy_obj *owner, int events) {
  watcher *w = (watcher *)owner;
  if (w->signum || events & UV_READABLE) push_handle(vm, w, w->reader);
  if (!w->signum && events & UV_WRITABLE) push_handle(vm, w, w->writer);
  if (!w->signum && w->watch && !w->watch->events) /* stopped by an error: the callbacks will meet it */
    asy_watch_set(w->watch, (w->reader ? UV_READABLE : 0) | (w->writer ? UV_WRITABLE : 0));
}

static asy_value watcher_init(asy_vm *vm, const asy_value *args) {
  watcher *w = (watcher *)asy_obj_of(args[0]);
  int fd, signum;
  if (!loop_argument(vm, args[1], &w->loop) || !asy_to_int(vm, args[2], -1, INT_MAX, &fd) ||
      !asy_to_int(vm, args[3], 0, NSIG - 1, &signum))
    return ASY_FAILED;
  w->signum = signum;
  asy_barrier(vm, w);
  if (signum && sigaction(signum, NULL, &w->before)) return asy_raise_errno(vm, errno, ASY_UNBOUND);
  w->watch = signum ? asy_watch_signal(vm, w->loop, signum, w, watcher_happened)
                    : asy_watch_fd(vm, w->loop, fd, w, watcher_happened);
  return w->watch ? ASY_NONE : ASY_FAILED;
}

static bool is_handle(asy_value v) { return asy_is_kind(v, KIND_HANDLE) || asy_is_kind(v, KIND_TIMER_HANDLE); }

static asy_value watcher_set(asy_vm *vm, const asy_value *args) {
  watcher *w = (watcher *)asy_obj_of(args[0]);
  for (int i = 1; i <= 2; i++)
    if (args[i] != ASY_NONE && !is_handle(args[i]))
      return asy_raise(vm, ASY_TypeError, "a handle is needed, not '%T'", args[i]);
  asy_store(vm, w, &w->reader, args[1] == ASY_NONE ? 0 : args[1]);
  asy_store(vm, w, &w->writer, args[2] == ASY_NONE ? 0 : args[2]);
  if (!w->signum && w->watch && w->loop->uv)
    asy_watch_set(w->watch, (w->reader ? UV_READABLE : 0) | (w->writer ? UV_WRITABLE : 0));
  return ASY_NONE;
}

static asy_value watcher_close(asy_vm *vm, const asy_value *args) {
  watcher *w = (watcher *)asy_obj_of(args[0]);
  if (w->watch && w->loop->uv) {
    if (w->signum) uv_signal_stop(&w->watch->uv.signal);
    asy_watch_close(vm, w->watch);
  }
  if (w->watch && w->signum) sigaction(w->signum, &w->before, NULL);
  w->watch = NULL;
  w->reader = w->writer = 0;
  return ASY_NONE;
}

static asy_value get_handle(asy_value handle) { return handle ? handle : ASY_NONE; }
static asy_value watcher_get_reader(asy_vm *vm, const asy_value *args) {
  return get_handle(((watcher *)asy_obj_of(args[0]))->reader);
}
static asy_value watcher_get_writer(asy_vm *vm, const asy_value *args) {
  return get_handle(((watcher *)asy_obj_of(args[0]))->writer);
}

static void watcher_visit(asy_obj *o, asy_visitor *v) {
  watcher *w = (watcher *)o;
  asy_visit_obj(v, w->loop);
  asy_visit_value(v, w->reader);
  asy_visit_value(v, w->writer);
}

static const asy_native watcher_methods[] = {
  {"set", SIG("(self, reader, writer, /)"), watcher_set, DOC("The handles to run; None watches nothing."), 0},
  {"close", SIG("(self, /)"), watcher_close, DOC("Watch no more."), 0},
  {"reader", SIG("(self)"), watcher_get_reader, DOC("The handle run when there is something to read."),
   ASY_NATIVE_GETTER},
  {"writer", SIG("(self)"), watcher_get_writer, DOC("The handle run when it can be written."), ASY_NATIVE_GETTER},
  {0},
};

static const asy_type watcher_type = {
  .name = "_asyncio_net.Watcher",
  .doc = "Runs handles when a descriptor is ready, or when a signal has come.",
  .size = sizeof(watcher),
  .visit = watcher_visit,
  .init = watcher_init,
  .init_signature = SIG("(self, loop, fd, signum=0)"),
  .methods = watcher_methods,
};

/* ---- Names, looked up in libuv's pool ------------------------------------------------------------------------------- */

typedef struct {
  union {
    uv_req_t req;
    uv_getaddrinfo_t addresses;
    uv_getnameinfo_t names;
  } uv; /* its `data` is the lookup */
  asy_vm *vm;
  asy_uv *loop;
  asy_future *future; /* pinned */
} lookup;

static lookup *lookup_new(asy_vm *vm, asy_loop *loop) {
  asy_uv *uv = asy_loop_uv(vm, loop);
  asy_future *future = uv ? asy_future_new(vm, loop) : NULL;
  lookup *l = future ? calloc(1, sizeof *l) : NULL;
  if (!l) {
    if (future) asy_raise_no_memory(vm);
    return NULL;
  }
  *l = (lookup){.vm = vm, .loop = uv, .future = future};
  l->uv.req.data = l;
  asy_pin(vm, future);
  return l;
}

/* libuv's codes of getaddrinfo as the system's. */
static int gai_code(int rc) {
  static const int codes[][2] = {{UV_EAI_ADDRFAMILY, EAI_ADDRFAMILY}, {UV_EAI_AGAIN, EAI_AGAIN},
                                 {UV_EAI_BADFLAGS, EAI_BADFLAGS},     {UV_EAI_FAIL, EAI_FAIL},
                                 {UV_EAI_FAMILY, EAI_FAMILY},         {UV_EAI_MEMORY, EAI_MEMORY},
                                 {UV_EAI_NODATA, EAI_NODATA},         {UV_EAI_NONAME, EAI_NONAME},
                                 {UV_EAI_OVERFLOW, EAI_OVERFLOW},     {UV_EAI_SERVICE, EAI_SERVICE},
                                 {UV_EAI_SOCKTYPE, EAI_SOCKTYPE}};
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
    if (codes[i][0] == rc) return codes[i][1];
  return EAI_FAIL;
}

/* Completes the future by `value`, or by the pending exception; the lookup is freed. */
static void looked_up(lookup *l, int rc, asy_value value) {
  asy_vm *vm = l->vm;
  asy_future *future = l->future;
  asy_unpin(vm, future);
  free(l);
  if (asy_future_done(asy_from_obj(future))) { /* cancelled */
    asy_clear_exception(vm);
    return;
  }
  if (rc) value = asy_raise_gaierror(vm, gai_code(rc));
  if (!asy_failed(value)) asy_future_set_result(vm, future, value);
  else asy_future_set_exception(vm, future, asy_take_exception(vm));
  if (asy_raised(vm)) asy_report_unraisable(vm, asy_from_obj(future));
}

static void on_addresses(uv_getaddrinfo_t *req, int status, struct addrinfo *found) {
  lookup *l = req->data;
  looked_up(l, status, status ? ASY_NONE : asy_addrinfo_list(l->vm, found));
  uv_freeaddrinfo(found);
}

static void on_names(uv_getnameinfo_t *req, int status, const char *host, const char *service) {
  lookup *l = req->data;
  asy_value pair = ASY_NONE;
  if (!status) pair = asy_tuple_of(l->vm, 2, asy_from_cstr(l->vm, host), asy_from_cstr(l->vm, service));
  looked_up(l, status, pair);
}

static asy_value started(asy_vm *vm, lookup *l, int rc) {
  asy_future *future = l->future;
  if (rc == 0) return asy_from_obj(future);
  asy_unpin(vm, future);
  free(l);
  return rc <= -3000 ? asy_raise_gaierror(vm, gai_code(rc)) : asy_raise_errno(vm, -rc, ASY_UNBOUND);
}

static asy_value net_getaddrinfo(asy_vm *vm, const asy_value *args) {
  asy_loop *loop;
  const char *host, *service;
  char digits[24];
  asy_value keep[2];
  struct addrinfo hints = {0};
  if (!loop_argument(vm, args[0], &loop) || !asy_host_text(vm, args[1], &host, &keep[0]) ||
      !asy_service_text(vm, args[2], digits, &service, &keep[1]) ||
      !asy_to_int(vm, args[3], INT_MIN, INT_MAX, &hints.ai_family) ||
      !asy_to_int(vm, args[4], INT_MIN, INT_MAX, &hints.ai_socktype) ||
      !asy_to_int(vm, args[5], INT_MIN, INT_MAX, &hints.ai_protocol) ||
      !asy_to_int(vm, args[6], INT_MIN, INT_MAX, &hints.ai_flags))
    return ASY_FAILED;
  if (!host && !service) return asy_raise_gaierror(vm, EAI_NONAME);
  lookup *l = lookup_new(vm, loop);
  return l ? started(vm, l, uv_getaddrinfo(&l->loop->loop, &l->uv.addresses, on_addresses, host, service, &hints))
           : ASY_FAILED;
}

static asy_value net_getnameinfo(asy_vm *vm, const asy_value *args) {
  asy_loop *loop;
  int flags;
  const char *host;
  asy_value keep;
  struct sockaddr_storage address;
  socklen_t length;
  struct in6_addr six;
  if (!loop_argument(vm, args[0], &loop) || !asy_to_int(vm, args[2], INT_MIN, INT_MAX, &flags)) return ASY_FAILED;
  if (!asy_is_kind(args[1], KIND_TUPLE) || !((asy_tuple *)asy_obj_of(args[1]))->len)
    return asy_raise(vm, ASY_TypeError, "getnameinfo() argument 1 must be a tuple");
  if (!asy_host_text(vm, ((asy_tuple *)asy_obj_of(args[1]))->items[0], &host, &keep)) return ASY_FAILED;
  int family = host && inet_pton(AF_INET6, host, &six) == 1 ? AF_INET6 : AF_INET;
  if (!asy_address_parse(vm, args[1], family, "getnameinfo", &address, &length)) return ASY_FAILED;
  lookup *l = lookup_new(vm, loop);
  return l ? started(vm, l, uv_getnameinfo(&l->loop->loop, &l->uv.names, on_names, (struct sockaddr *)&address, flags))
           : ASY_FAILED;
}

/* ---- The module ----------------------------------------------------------------------------------------------------- */

static asy_value net_pidfd_open(asy_vm *vm, const asy_value *args) {
  int pid;
  if (!asy_to_int(vm, args[0], 0, INT_MAX, &pid)) return ASY_FAILED;
  long fd = syscall(SYS_pidfd_open, pid, 0);
  return fd < 0 ? asy_raise_errno(vm, errno, ASY_UNBOUND) : asy_from_small(fd);
}

/* Handles that libuv has open for the loop, its own two not counted. */
static void count_one(uv_handle_t *handle, void *count) {
  if (!uv_is_closing(handle)) ++*(int *)count;
}

static asy_value net_open_handles(asy_vm *vm, const asy_value *args) {
  asy_loop *loop;
  int count = -2;
  if (!loop_argument(vm, args[0], &loop)) return ASY_FAILED;
  if (!loop->uv) return asy_from_small(0);
  uv_walk(&loop->uv->loop, count_one, &count);
  return asy_from_small(count);
}

static const asy_native natives[] = {
  {"getaddrinfo", SIG("(loop, host, port, family, type, proto, flags, /)"), net_getaddrinfo,
   DOC("A future of addresses."), 0},
  {"getnameinfo", SIG("(loop, sockaddr, flags, /)"), net_getnameinfo, DOC("A future of (host, service)."), 0},
  {"pidfd_open", SIG("(pid, /)"), net_pidfd_open, DOC("A descriptor that is readable when the process has ended."), 0},
  {"open_handles", SIG("(loop, /)"), net_open_handles, DOC("How many descriptors and signals the loop watches."), 0},
  {0},
};

static bool init(asy_vm *vm, asy_value module) {
  static const struct {
    const char *name;
    const asy_type *type;
  } types[] = {
    {"StreamReader", &asy_reader_type},
    {"Transport", &asy_transport_type},
    {"Listener", &listener_type},
    {"Watcher", &watcher_type},
  };
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    if (!asy_module_add_type(vm, module, types[i].name, types[i].type)) return false;
  }
  return true;
}

const asy_module_def asy_module__asyncio_net = {"_asyncio_net", natives, "The native core of asyncio's network.", init};
