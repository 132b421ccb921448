/* watch.h - what libuv watches for the loop: a descriptor, or a signal.
 *
 * A watch is malloc'ed, because libuv keeps its address, and pins its owner while it is open. Its callback runs inside uv_run: it
 * may allocate and wake tasks, and never runs bytecode. Closing the descriptor comes after closing its watch.
 */
#ifndef ASY_RUNTIME_NET_WATCH_H
#define ASY_RUNTIME_NET_WATCH_H

#include "runtime/loop.h"

/* events: UV_READABLE and UV_WRITABLE; after an error of the descriptor both, so that the next system call tells it. For a
 * signal its number. */
typedef void (*asy_watch_fn)(asy_vm *vm, asy_obj *owner, int events);

typedef struct asy_watch {
  union {
    uv_handle_t handle;
    uv_poll_t poll;
    uv_signal_t signal;
  } uv; /* its `data` is the watch */
  asy_vm *vm;
  asy_uv *loop;
  asy_obj *owner;
  asy_watch_fn happened;
  int events; /* asked for */
} asy_watch;

/* NULL: OSError; RuntimeError when the descriptor has a watch already. The descriptor becomes non-blocking. */
asy_watch *asy_watch_fd(asy_vm *vm, asy_loop *loop, int fd, void *owner, asy_watch_fn happened);
asy_watch *asy_watch_signal(asy_vm *vm, asy_loop *loop, int signum, void *owner, asy_watch_fn happened);
void asy_watch_set(asy_watch *watch, int events); /* which events count; 0 none */
void asy_watch_close(asy_vm *vm, asy_watch *watch);

#endif
