/* watch.c - libuv handles for descriptors and signals. See watch.h. */
#include "runtime/net/watch.h"

#include <errno.h>
#include <stdlib.h>

static asy_watch *watch_new(asy_vm *vm, asy_loop *loop, void *owner, asy_watch_fn happened) {
  asy_uv *uv = asy_loop_uv(vm, loop);
  if (!uv) return NULL;
  asy_watch *watch = calloc(1, sizeof *watch);
  if (!watch) {
    asy_raise_no_memory(vm);
    return NULL;
  }
  watch->vm = vm;
  watch->loop = uv;
  watch->owner = owner;
  watch->happened = happened;
  return watch;
}

static asy_watch *opened(asy_watch *watch) {
  watch->uv.handle.data = watch;
  asy_pin(watch->vm, watch->owner);
  return watch;
}

asy_watch *asy_watch_fd(asy_vm *vm, asy_loop *loop, int fd, void *owner, asy_watch_fn happened) {
  asy_watch *watch = watch_new(vm, loop, owner, happened);
  if (!watch) return NULL;
  int rc = uv_poll_init(&watch->loop->loop, &watch->uv.poll, fd);
  if (rc == 0) return opened(watch);
  free(watch);
  if (rc == UV_EEXIST) asy_raise(vm, ASY_RuntimeError, "File descriptor %d is used by transport", fd);
  else asy_raise_errno(vm, -rc, ASY_UNBOUND);
  return NULL;
}

static void on_poll(uv_poll_t *poll, int status, int events) {
  asy_watch *watch = poll->data;
  if (status < 0) { /* libuv has stopped it */
    events = watch->events;
    watch->events = 0;
  }
  watch->happened(watch->vm, watch->owner, events);
}

void asy_watch_set(asy_watch *watch, int events) {
  if (events == watch->events) return;
  watch->events = events;
  if (events) uv_poll_start(&watch->uv.poll, events, on_poll);
  else uv_poll_stop(&watch->uv.poll);
}

static void on_signal(uv_signal_t *signal, int signum) {
  asy_watch *watch = signal->data;
  watch->happened(watch->vm, watch->owner, signum);
}

asy_watch *asy_watch_signal(asy_vm *vm, asy_loop *loop, int signum, void *owner, asy_watch_fn happened) {
  asy_watch *watch = watch_new(vm, loop, owner, happened);
  if (!watch) return NULL;
  uv_signal_init(&watch->loop->loop, &watch->uv.signal);
  opened(watch);
  int rc = uv_signal_start(&watch->uv.signal, on_signal, signum);
  if (rc == 0) return watch;
  asy_watch_close(vm, watch);
  asy_raise_errno(vm, -rc, ASY_UNBOUND);
  return NULL;
}

static void on_closed(uv_handle_t *handle) { free(handle->data); }

void asy_watch_close(asy_vm *vm, asy_watch *watch) {
  asy_unpin(vm, watch->owner);
  uv_close(&watch->uv.handle, on_closed);
}

static void close_one(uv_handle_t *handle, void *vm) {
  if (uv_is_closing(handle)) return;
  asy_watch *watch = handle->data;
  if (vm) asy_unpin(vm, watch->owner);
  uv_close(handle, on_closed);
}

void asy_watches_close_all(asy_vm *vm, uv_loop_t *loop) { uv_walk(loop, close_one, vm); }
