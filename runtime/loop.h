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
  asy_value callback; /* a callable, or a gather future; None once cancelled */
  asy_value args;     /* a tuple; with HANDLE_ONE_ARG the argument itself */
  asy_value context;  /* None: the current one */
  asy_loop *loop;
} asy_handle;

typedef struct asy_timer_handle {
  asy_handle handle;
  int64_t deadline;                     /* nanoseconds */
  struct asy_timer_handle *prev, *next; /* the loop's scheduled ones, newest first */
  uint32_t index;                       /* place in the loop's timers; UINT32_MAX when not scheduled */
} asy_timer_handle;

enum { ASY_LOOP_SCRATCH = 256 * 1024 };

/* libuv's part of a loop, made at the first poll. Malloc'ed: libuv keeps its address. */
typedef struct {
  uv_loop_t loop;
  uv_timer_t timer; /* armed for the earliest of our timers while the poll blocks */
  uv_async_t wake;  /* for other threads and signal handlers */
  char *scratch;    /* ASY_LOOP_SCRATCH bytes that streams read to; NULL before the first */
  struct asy_thread *released; /* while the poll blocks without the VM's lock: who takes it again; else NULL */
} asy_uv;

/* An object that takes part in the loop without callbacks and futures: it may stand on the ready ring, and tasks may wait for it
 * (asy_task_park_on). Hooks it has no use for are NULL. */
struct asy_loop_hooks {
  bool (*run)(asy_vm *vm, asy_obj *self); /* its turn on the ring. false: an exception is pending that leaves the loop */
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
  asy_stack *outer_stack;    /* while native_step: the stack it is called on */
  bool native_step;          /* the task that runs has no frames: its coroutine is an async native */
  bool running, stopping, closed, debug;
  asy_uv *uv;                  /* NULL before the first poll */
  asy_value exception_handler; /* 0: the default */
  asy_value task_factory;      /* 0: none */
  asy_value failure;           /* the exception that run_forever leaves with; 0 none */
  asy_list *async_generators;  /* started and not finished as far as known; NULL none */
};

typedef struct asy_loop_state {
  asy_loop *current; /* set_event_loop */
  asy_loop *running;
  uint32_t task_number;            /* of the newest task */
  struct asy_task *interrupt_task; /* cancelled by the first SIGINT instead of a KeyboardInterrupt; NULL none */
  bool interrupted;                /* that has happened */
} asy_loop_state;

asy_loop_state *asy_loop_state_of(asy_vm *vm);         /* made on first use; NULL: MemoryError */
void asy_loop_state_visit(asy_vm *vm, asy_visitor *v); /* roots */
void asy_loop_state_free(asy_vm *vm);
void asy_loop_finish(asy_vm *vm); /* at the end of the program: reports tasks that never ended */
/* SIGINT has come. True: the main task of asyncio.run takes it, as a cancellation. */
bool asy_loop_take_interrupt(asy_vm *vm);

asy_loop *asy_loop_new(asy_vm *vm);
asy_loop *asy_loop_running(asy_vm *vm); /* NULL: RuntimeError "no running event loop" */
asy_loop *asy_loop_current(asy_vm *vm); /* running or set, else a new one that is set; NULL failed */
bool asy_loop_push(asy_vm *vm, asy_loop *loop,
                   const asy_obj *entry); /* a task or handle becomes ready; false: MemoryError */
/* callback(arg) soon. */
bool asy_loop_call_soon(asy_vm *vm, asy_loop *loop, asy_value callback, asy_value arg, asy_value context);
asy_value asy_loop_call_exception_handler(asy_vm *vm, asy_loop *loop, asy_dict *context);
int64_t asy_loop_now(asy_vm *vm, asy_loop *loop);                 /* reads the clock */
bool asy_seconds_to_ns(asy_vm *vm, double seconds, int64_t *out); /* clamped; false: ValueError for NaN */
/* The first thing a libuv callback does: the poll may have given up the VM's lock. */
void asy_loop_entered(asy_vm *vm, asy_uv *uv);
/* Ends what a loop has open outside: net/watch.c. vm NULL: the heap is going away. */
void asy_watches_close_all(asy_vm *vm, uv_loop_t *loop);
asy_uv *asy_loop_uv(asy_vm *vm, asy_loop *loop);                  /* libuv, started; NULL failed */

extern const asy_type asy_loop_type;
extern const asy_type asy_handle_type;
extern const asy_type asy_timer_handle_type;

#endif
