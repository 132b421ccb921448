/* future.h - a value to come.
 *
 *   pending ---set_result / set_exception---> finished     callbacks and waiting tasks go on the loop's ready ring
 *      \------cancel------------------------> cancelled
 *
 * `callbacks` has one inline place, which is all that most futures need: the task that waits, or one callable, or the gather
 * future that counts it; more of them become a list of pairs (callback, context). Must stay true: callbacks run from the ready
 * ring, in the order in which they were added, never inside the call that completes the future.
 */
#ifndef ASY_RUNTIME_FUTURE_H
#define ASY_RUNTIME_FUTURE_H

#include "runtime/vm.h"

typedef struct asy_loop asy_loop;
struct asy_code;

enum { FUTURE_PENDING, FUTURE_CANCELLED, FUTURE_FINISHED };

/* head.flags */
enum {
  FUTURE_STATE = 3,
  FUTURE_FAILED = 4,         /* finished: `result` is the exception */
  FUTURE_UNRETRIEVED = 8,    /* nobody has asked for the exception */
  FUTURE_REGISTERED = 16,    /* the heap will call its finaliser */
  FUTURE_BLOCKING = 32,      /* _asyncio_future_blocking */
  FUTURE_MESSAGE = 64,       /* pending or cancelled: `result` is the cancel message */
  FUTURE_CANCEL_ERROR = 128, /* cancelled: `result` is the CancelledError that ended the task */
  FUTURE_RAISED = 128,       /* failed: the exception has been raised to somebody */
  FUTURE_SEEN = 256,         /* gather: taken already; cancelling goes through it: only set within such a call */
  TASK_MUST_CANCEL = 512,    /* the next step throws CancelledError */
  TASK_QUIET = 1024,         /* nobody is told when it is destroyed while pending */
  TASK_CANCELS_SHIFT = 11,   /* the upper five bits count cancel() calls; more of them are counted in the extra */
  TASK_CANCELS_MAX = 31
};

typedef struct asy_future {
  asy_obj head;
  asy_value result;    /* by state and flags; 0 none. Pending task: also the value the await that parks it will yield */
  asy_value callbacks; /* 0; a task; a callable; a gather future; or a list of (callback, context) pairs */
  asy_loop *loop;
  asy_obj *extra; /* asy_future_extra, or the asy_gather of a gather future; NULL */
} asy_future;

/* What few futures and tasks have, made when it is first needed. */
typedef struct asy_future_extra {
  asy_obj head;
  asy_value name;          /* task: 0 never set */
  asy_value context;       /* task: 0 that of the loop's caller */
  asy_value handled;       /* task, parked: the exception being handled; 0 none */
  asy_value source;        /* debug mode: the stack where it was made; 0 none */
  asy_value awaited_by;    /* a set of futures added by future_add_to_awaited_by; 0 none */
  struct asy_code *origin; /* task: where it was created, when the coroutine cannot say; NULL unknown */
  uint32_t origin_word;
  uint32_t cancels; /* task: cancel() calls beyond TASK_CANCELS_MAX */
} asy_future_extra;

static inline bool asy_is_native_future(asy_value v) {
  return asy_is_obj(v) && (asy_obj_of(v)->kind == KIND_FUTURE || asy_obj_of(v)->kind == KIND_TASK);
}
static inline asy_future *asy_future_of(asy_value v) { return (asy_future *)asy_obj_of(v); }
static inline unsigned asy_future_state(const asy_future *f) { return f->head.flags & FUTURE_STATE; }

asy_future *asy_future_new(asy_vm *vm, asy_loop *loop);
/* Completes a pending future; InvalidStateError when it is not pending. */
bool asy_future_set_result(asy_vm *vm, asy_future *f, asy_value result);
bool asy_future_set_exception(asy_vm *vm, asy_future *f, asy_value exception); /* an instance or class */
/* Future.cancel, or Task.cancel for a task. message 0: none. 1 cancelled now or asked to, 0 was done already, -1 failed. */
int asy_future_cancel(asy_vm *vm, asy_future *f, asy_value message);
/* Ends a pending future as cancelled, by message or by the CancelledError `error` (each 0: none). */
bool asy_future_end_cancelled(asy_vm *vm, asy_future *f, asy_value message, asy_value error);
bool asy_future_end_failed(asy_vm *vm, asy_future *f, asy_value exception); /* an instance */
/* Calls or wakes `callback` when f is done; f must be pending. context None: the current one. */
bool asy_future_add_callback(asy_vm *vm, asy_future *f, asy_value callback, asy_value context);
/* The same for callbacks of the core (a task, a gather future, a loop) on a future of any class: one that has an add_done_callback()
 * of its own gets a function to call. */
bool asy_future_watch(asy_vm *vm, asy_future *f, asy_value callback);
bool asy_future_inherits(asy_vm *vm, asy_value future,
                         asy_str *name); /* its class has no method of its own by this name */
void asy_future_remove_callback(asy_future *f, asy_value callback);  /* by identity */
void asy_future_retrieved(asy_future *f);                            /* its exception needs no report any more */
asy_future_extra *asy_future_need_extra(asy_vm *vm, asy_future *f);  /* not of a gather future; NULL: MemoryError */
bool asy_future_keep_source(asy_vm *vm, asy_future *f);              /* debug mode: notes where it is made */
void asy_text_callback(asy_vm *vm, asy_text *t, asy_value callback); /* "name() at FILE:LINE", for reprs */
asy_value asy_cancelled_error(asy_vm *vm, asy_future *f); /* a new CancelledError with f's message, or the kept one */

void asy_future_finalize(asy_vm *vm, asy_obj *o); /* also of tasks: an exception that nobody asked for is reported */
extern const asy_type asy_future_type;
extern const asy_type asy_future_extra_type;
extern const asy_type asy_future_iter_type;

#endif
