/* gather.h - many awaitables as one future; native because it is the hot way to run many tasks. */
#ifndef ASY_RUNTIME_GATHER_H
#define ASY_RUNTIME_GATHER_H

#include "runtime/loop.h"
#include "runtime/task.h"

enum { EXTRA_IS_GATHER = 1 };

typedef struct asy_gather {
  asy_obj head;        /* flags: EXTRA_IS_GATHER */
  asy_tuple *children; /* futures, one for each argument */
  uint32_t count;      /* different ones among them */
  uint32_t ended;      /* of these, done */
  bool return_exceptions;
  bool cancel_requested;
} asy_gather;

static inline asy_gather *asy_gather_of(const asy_future *f) {
  return f->extra && f->extra->flags & EXTRA_IS_GATHER ? (asy_gather *)f->extra : NULL;
}

/* asyncio.gather(*awaitables): a future. */
asy_value asy_gather_new(asy_vm *vm, const asy_value *awaitables, uint32_t n, bool return_exceptions);
/* The future of an awaitable, as asyncio.ensure_future. loop NULL: the current one. */
asy_value asy_ensure_future(asy_vm *vm, asy_value awaitable, asy_loop *loop);
bool asy_gather_child_ended(asy_vm *vm, asy_future *outer,
                            asy_future *child);                             /* at completion: counts, may schedule: */
bool asy_gather_callback(asy_vm *vm, asy_future *outer, asy_future *child); /* from the ready ring */
int asy_gather_cancel(asy_vm *vm, asy_future *outer, asy_value message);

extern const asy_type asy_gather_type;

#endif
