/* loop.h - the event loop: ready ring, timers, and libuv for what comes from outside.
 *
 *   ready ring  power-of-two array of words: a task, or a handle with bit 0 set. One iteration runs what was ready at its start.
 *   timers      our own heap in nanoseconds; one uv_timer_t wakes the poll for the earliest
 *   poll        blocking when the ring is empty; else at most every 64 steps or 100 us
 *
 * Must stay true: whoever puts something on the ring goes through asy_loop_push; libuv is not started before the first poll,
 * so that a script that never waits pays nothing for it.
 */
#ifndef ASY_RUNTIME_LOOP_H
#define ASY_RUNTIME_LOOP_H

#include <uv.h>

#include "runtime/future.h"
#include "runtime/timer.h"

enum { HANDLE_CANCELLED = 1, HANDLE_ONE_ARG = 2 }; /* head.flags of a handle */

typedef struct asy_handle {
  asy_obj head;
  asy_value callback; /* a callable, a gather future, or the loop itself: stop; None once cancelled */
  asy_value args;     /* a tuple; with HANDLE_ONE_ARG the argument itself; cancelled in debug mode: what the repr was */
  asy_value context;  /* None: the current one */
  asy_value source;   /* debug mode: the stack where it was made; 0 none */
  asy_loop *loop;
} asy_handle;

typedef struct asy_timer_handle {
  asy_handle handle;
  int64_t deadline;                     /* nanoseconds */
  asy_value when;                       /* as it was given; 0: by a delay */
  struct asy_timer_handle *prev, *next; /* the loop's scheduled ones, newest first */
  uint32_t index;                       /* place in the loop's timers; UINT32_MAX when not scheduled */
} asy_timer_handle;

enum { ASY_LOOP_SCRATCH = 256 * 1024, ASY_DEBUG_ORIGIN_DEPTH = 10 };

/* libuv's part of a loop, made at the first poll. Malloc'ed: libuv keeps its address. */
typedef struct {
  uv_loop_t loop;
  uv_timer_t timer; /* armed for the earliest of our timers while the poll blocks */
  uv_async_t wake;  /* for other threads and signal handlers */
  char *scratch;    /* ASY_LOOP_SCRATCH bytes that streams read to; NULL before the first */
} asy_uv;

/* An object that takes part in the loop without callbacks and futures: it may stand on the ready ring, and tasks may wait for it
 * (asy_task_park_on). Hooks it has no use for are NULL. */
struct asy_loop_hooks {
  bool (*run)(asy_vm *vm,
              asy_obj *self); /* its turn on the ring. false: an exception is pending that leaves the loop */
  /* A task that waited for it goes on: what its await yields, ASY_FAILED, or ASY_PARKED after asy_task_park_on. */
  asy_value (*resume)(asy_vm *vm, asy_obj *self, struct asy_task *task);
  /* The task is cancelled. True: it waited and does no more; false: it was on its way already. */
  bool (*forget)(asy_vm *vm, asy_obj *self, struct asy_task *task);
};
/* The hooks of an object, or NULL. */
static inline const struct asy_loop_hooks *asy_loop_hooks_of(asy_vm *vm, const asy_obj *o) {
  return vm->shapes[o->shape]->type->loop_hooks;
}

struct asy_loop {
  asy_obj head;
  uintptr_t *ring;    /* see above; owned */
  uint32_t ring_cap;  /* a power of two, or 0 */
  uint32_t ring_head; /* the oldest */
  uint32_t ring_count;
  uint32_t steps; /* since the last poll */
  uint32_t turns; /* iterations, to look at the clock now and then */
  int64_t now;    /* the clock when it was last read */
  int64_t polled; /* the clock at the last poll */
  asy_timers timers;
  struct asy_task *tasks;    /* pending, newest first */
  asy_timer_handle *handles; /* scheduled, newest first */
  asy_stack stack;           /* of the task that runs */
  asy_stack *step_stack;     /* it, or that of a task which runs its first step within the step of another */
  asy_stack *outer_stack;    /* while native_step: the stack it is called on */
  uint32_t native_runs;      /* vm->runs then */
  uint32_t origin_depth;     /* vm->origin_depth of who runs it: debug mode sets its own */
  bool native_step;          /* the task that runs has no frames: its coroutine is an async native */
  bool running, stopping, closed, debug;
  asy_uv *uv;                  /* NULL before the first poll */
  uint8_t scripted;            /* LOOP_ bits */
  bool async_generators_ended; /* shutdown_asyncgens() was called */
  asy_value foreign;           /* this stands in for a loop of another make: it; else 0 */
  asy_value task_factory;      /* 0: none */
  asy_list *async_generators;  /* weak references to those that have begun; NULL none */
};

/* What a subclass has methods of its own for: the core then calls them. */
enum {
  LOOP_TIME = 1,
  LOOP_RUN_ONCE = 2,
  LOOP_CALL_SOON = 4,
  LOOP_CALL_AT = 8,
  LOOP_CREATE_TASK = 32,
  LOOP_SELECTOR = 16, /* an attribute _selector, which is asked in place of libuv */
};

typedef struct asy_loop_state {
  asy_list *stand_ins;      /* for loops that are not ours */
  asy_dict *entered;        /* _enter_task: loop -> task of another make; NULL none */
  asy_set *registered;      /* _register_task: tasks of another make; NULL none */
  uint32_t task_number;     /* of the newest task that was given no name */
  uint32_t tasks_named;     /* how many were */
  asy_value interrupt_task; /* cancelled by the first SIGINT instead of a KeyboardInterrupt; 0 none */
  bool interrupted;         /* that has happened */
} asy_loop_state;

asy_loop_state *asy_loop_state_of(asy_vm *vm);         /* made on first use; NULL: MemoryError */
void asy_loop_state_visit(asy_vm *vm, asy_visitor *v); /* roots */
void asy_loop_state_free(asy_vm *vm);
void asy_loop_finish(asy_vm *vm); /* at the end of the program: reports tasks that never ended */
/* SIGINT has come. True: the main task of asyncio.run takes it, as a cancellation. */
bool asy_loop_take_interrupt(asy_vm *vm);

asy_loop *asy_loop_running(asy_vm *vm); /* NULL: RuntimeError "no running event loop" */
asy_loop *asy_loop_current(asy_vm *vm); /* running, or as the policy says; NULL failed */
/* An event loop of any make: itself, or its stand-in. And back. */
asy_loop *asy_loop_of(asy_vm *vm, asy_value value);
asy_value asy_loop_value(asy_loop *loop);
void asy_loop_look(asy_vm *vm, asy_loop *loop); /* sets `scripted` */
int asy_loop_debug(asy_vm *vm, asy_loop *loop); /* 0, 1, -1 */
/* A task or handle becomes ready; false: an exception is set. _here: not through a call_soon() of the loop's class. */
bool asy_loop_push(asy_vm *vm, asy_loop *loop, const asy_obj *entry);
bool asy_loop_push_here(asy_vm *vm, asy_loop *loop, const asy_obj *entry);
/* callback(arg) soon. */
bool asy_loop_call_soon(asy_vm *vm, asy_loop *loop, asy_value callback, asy_value arg, asy_value context);
asy_value asy_loop_call_exception_handler(asy_vm *vm, asy_loop *loop, asy_dict *context);
bool asy_loop_run_once(asy_vm *vm, asy_loop *loop); /* one iteration; false: an exception leaves the loop */
bool asy_loop_run_forever(asy_vm *vm, asy_loop *loop);
asy_value asy_loop_run_until_complete(asy_vm *vm, asy_loop *loop, asy_value awaitable);
bool asy_loop_check_open(asy_vm *vm, const asy_loop *loop); /* false: RuntimeError "Event loop is closed" */
void asy_loop_close(asy_vm *vm, asy_loop *loop);
asy_value asy_loop_ready(asy_vm *vm, asy_loop *loop);                        /* a list of what stands on the ring */
asy_value asy_loop_take_async_generators(asy_vm *vm, const asy_value *args); /* (loop,): those still open, once */
void asy_loop_visit(asy_obj *o, asy_visitor *v);
void asy_loop_free(asy_vm *vm, asy_obj *o);

/* Handles (handle.c). */
asy_handle *asy_handle_new(asy_vm *vm, unsigned kind, asy_loop *loop, asy_value callback, asy_value args,
                           asy_value context);
bool asy_handle_run(asy_vm *vm, asy_handle *h);         /* false: an exception is pending that leaves the loop */
bool asy_handle_keep_source(asy_vm *vm, asy_handle *h); /* debug mode: where it is made */
void asy_text_source(asy_vm *vm, asy_text *t, asy_value source); /* " created at FILE:LINE" */
asy_value asy_source_traceback(asy_vm *vm); /* a traceback.StackSummary of where the program stands */
asy_timer_handle *asy_timer_handle_schedule(asy_vm *vm, asy_loop *loop, int64_t deadline, asy_value callback,
                                            asy_value args, asy_value context);
void asy_timer_handle_unlink(asy_vm *vm, asy_timer_handle *t);
int64_t asy_loop_now(asy_vm *vm, asy_loop *loop);                 /* reads the clock */
bool asy_seconds_to_ns(asy_vm *vm, double seconds, int64_t *out); /* clamped; false: ValueError for NaN */
/* Ends what a loop has open outside: net/watch.c. vm NULL: the heap is going away. */
void asy_watches_close_all(asy_vm *vm, uv_loop_t *loop);
asy_uv *asy_loop_uv(asy_vm *vm, asy_loop *loop); /* libuv, started; NULL failed */

extern const asy_type asy_loop_type;
extern const asy_type asy_handle_type;
extern const asy_type asy_timer_handle_type;

#endif
