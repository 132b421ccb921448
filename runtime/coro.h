/* coro.h - coroutines, generators, async generators: frames that suspend.
 *
 * A coroutine object holds its bound arguments until it first runs; then its frame lies on the stack of whoever awaits it (a
 * task, or a private stack when it is driven by hand with send), pushed by AWAIT like an ordinary call. A generator's frame lies
 * in its own heap object and is linked into whatever stack resumes it.
 *
 *   asy_coro  CREATED  [func][origin][args ...]      ON_STACK [func][origin][stack][base]     CLOSED
 *   asy_gen   [state][stack_top][frame: header, registers]
 */
#ifndef ASY_RUNTIME_CORO_H
#define ASY_RUNTIME_CORO_H

#include "runtime/func.h"
#include "runtime/vm.h"

enum { CORO_CREATED, CORO_ON_STACK, CORO_CLOSED };

typedef struct asy_coro {
  asy_obj head;   /* flags: CORO_PRIVATE when `stack` is its own and freed with it */
  asy_value func; /* asy_func, or an asy_nativefunc that is ASY_NATIVE_ASYNC */
  uint8_t state;
  bool running;          /* a frame of it is executing now */
  bool warned;           /* "never awaited" has been said */
  uint8_t nargs;         /* CREATED: values in args */
  uint32_t origin_word;  /* where it was created */
  asy_code *origin_code; /* NULL unknown */
  union {
    /* ON_STACK: CORO_PRIVATE: its own stack; else the task, coroutine or step on whose stack it lies */
    struct {
      union {
        asy_stack *stack;
        asy_obj *owner;
      };
      asy_value *base;
    } on;
    asy_value args[2]; /* CREATED: parameters as bound; the cell is as large as needed */
  };
} asy_coro;
enum { CORO_PRIVATE = 1 };

enum { GEN_CREATED, GEN_SUSPENDED, GEN_RUNNING, GEN_CLOSED };

typedef struct asy_gen { /* KIND_GENERATOR and KIND_ASYNC_GENERATOR */
  asy_obj head;
  uint8_t state;
  uint8_t step;        /* async generator: GEN_STEP_ kind of the step that runs */
  bool hooked;         /* async generator: the first-iteration hook has run */
  bool closed_by_step; /* async generator: aclose or athrow has begun */
  uint32_t nregs;
  asy_value *stack_top;    /* RUNNING: where frames called from it go */
  asy_value outer_handled; /* RUNNING: the resumer's handled exception */
  asy_value handled;       /* SUSPENDED: the exception being handled inside, or 0 */
  asy_str *name, *qualname;
  asy_value frame_object; /* gi_frame, once asked for; 0 */
  union {
    const struct asy_taker *taker; /* generator, RUNNING for asy_next_into: who takes what it yields; else NULL */
    asy_value finalizer;           /* async generator: the hook that was set when it was first iterated, or 0 */
  };
  asy_value frame[]; /* header (FRAME_HEADER words) and registers */
} asy_gen;
enum { GEN_STEP_NEXT, GEN_STEP_SEND, GEN_STEP_THROW, GEN_STEP_CLOSE };

static inline asy_value *asy_gen_base(asy_gen *g) { return g->frame + FRAME_HEADER; }
static inline asy_gen *asy_gen_of_base(asy_value *base) {
  return (asy_gen *)((char *)(base - FRAME_HEADER) - offsetof(asy_gen, frame));
}

/* What agen.asend(v), athrow(..), aclose() and __anext__() return: an awaitable, used once. */
typedef struct asy_agen_step {
  asy_obj head;
  asy_gen *gen;
  uint8_t kind;     /* GEN_STEP_ */
  uint8_t state;    /* CORO_ */
  asy_value value;  /* what is sent or thrown */
  asy_stack *stack; /* private stack when driven by hand, else NULL */
} asy_agen_step;

/* The iterator behind an `await` of an object that is not native: what AWAIT keeps while it is suspended. */
typedef struct asy_awaiter {
  asy_obj head;
  asy_value iterator; /* for coroutine.__await__(): the coroutine itself */
} asy_awaiter;

/* ---- Running a stack ---------------------------------------------------------------------------------------------- */

typedef enum {
  ASY_RUN_RETURNED, /* the first frame returned *result; the stack is empty */
  ASY_RUN_RAISED,   /* an exception left the first frame and is pending; the stack is empty */
  ASY_RUN_PARKED,   /* task stacks only: a native or AWAIT has registered the task with what it waits for */
  ASY_RUN_YIELDED   /* *result was yielded to whoever drives the stack by hand */
} asy_run_outcome;

/* Pushes the first frame of a CREATED coroutine on an empty stack; it runs at the next asy_resume_stack. A coroutine that is not
 * CREATED is RuntimeError "cannot reuse already awaited coroutine". Not for native coroutines. false: failed. */
bool asy_stack_start_coroutine(asy_vm *vm, asy_stack *stack, asy_coro *coro);

/* Runs a suspended stack. `thrown` (an exception object, or 0) is raised where it stands, else `sent` (None) arrives there.
 * vm->current_task is the caller's business: set it before, restore it after. */
asy_run_outcome asy_resume_stack(asy_vm *vm, asy_stack *stack, asy_value sent, asy_value thrown, asy_value *result);

/* An async native asks: may I return ASY_PARKED for the current task? True when the code that awaits it runs directly on the
 * task's own stack. Otherwise it makes a future and returns asy_yield_future(vm, future): the driver gets the future, and the
 * await ends with the future's result. */
bool asy_can_park(asy_vm *vm);
static inline asy_value asy_yield_future(asy_vm *vm, asy_value future) {
  vm->pending_future = future;
  return ASY_PARKED;
}

/* Written in runtime/task.c.
 * wait_future: the running task waits for a native future or task: ASY_PARKED, or at once its result (ASY_FAILED with its
 * exception) when it is done. wait_yielded: a foreign awaitable yielded `value` inside a task: a future of any sort parks the task
 * until it is done, None parks it until the next turn of the loop; else ASY_FAILED with RuntimeError "Task got bad yield: ...".
 * future_result: result or exception of a done native future, as Future.result(). */
asy_value asy_task_wait_future(asy_vm *vm, asy_value future);
asy_value asy_task_wait_yielded(asy_vm *vm, asy_value value);
bool asy_future_done(asy_value future);
asy_value asy_future_result(asy_vm *vm, asy_value future);
asy_stack *asy_task_stack(struct asy_task *task); /* the task's own stack */

/* ---- Generators and coroutines by hand ----------------------------------------------------------------------------- */

/* The next value, ASY_END (finished; its value in vm->stop_value), or ASY_FAILED. thrown 0: none. */
asy_value asy_gen_resume(asy_vm *vm, asy_gen *gen, asy_value sent, asy_value thrown);
/* The same for a coroutine driven by hand. */
asy_value asy_coro_send(asy_vm *vm, asy_coro *coro, asy_value sent, asy_value thrown);
bool asy_gen_close(asy_vm *vm, asy_gen *gen);
bool asy_coro_close(asy_vm *vm, asy_coro *coro);
/* One step of an async generator's awaitable by hand. */
asy_value asy_agen_step_send(asy_vm *vm, asy_agen_step *step, asy_value sent, asy_value thrown);
/* Sends to (thrown 0) or throws into any iterator; as asy_gen_resume. */
asy_value asy_iterator_send(asy_vm *vm, asy_value iterator, asy_value sent, asy_value thrown);

asy_coro *asy_coro_new(asy_vm *vm, asy_value func, const asy_value *args,
                       uint32_t nargs);           /* origin: the running frame */
asy_gen *asy_gen_new(asy_vm *vm, asy_func *func); /* registers UNBOUND; the caller writes the parameters */
asy_value asy_agen_step_new(asy_vm *vm, asy_gen *gen, unsigned kind, asy_value value);
bool asy_iterator_close(asy_vm *vm, asy_value iterator); /* close() of any iterator that has one */
void asy_warn_never_awaited(asy_vm *vm,
                            asy_coro *coro); /* RuntimeWarning with where it was created; errors are reported */
/* Frames as objects: of a live frame; of a function at a word of its code; of the depth-th caller; a frame's locals as a dict. */
asy_value asy_frame_object(asy_vm *vm, asy_value *base);
asy_value asy_frame_object_at(asy_vm *vm, asy_func *func, uint32_t word);
asy_func *asy_frame_object_func(asy_value frame);
asy_value asy_getframe(asy_vm *vm, uint32_t depth);
/* The frame at base, if it is on the way down from the running one and runs func; else NULL. */
asy_value *asy_live_frame(asy_vm *vm, const asy_func *func, const asy_value *base);
void asy_frame_store_locals(asy_vm *vm, asy_value frame); /* f_locals, as scripts have changed it, into the registers */
void asy_frame_left(asy_vm *vm, const asy_value *base);   /* a frame with FRAME_TRACED is being left */
void asy_gen_frame_left(asy_vm *vm, asy_gen *gen); /* likewise the frame of a generator that has a frame_object */
void asy_frames_visit(asy_vm *vm, asy_visitor *v);
/* What `await v` iterates: itself for native awaitables (coroutine, future, task, step, awaiter), else __await__()'s iterator in
 * an awaiter. ASY_FAILED with CPython's TypeError when v is not awaitable. */
asy_value asy_get_awaitable(asy_vm *vm, asy_value v);
/* Makes a suspended or new generator the running frame; info: dst and FRAME_ flags. false: exception pending in the caller. */
bool asy_gen_enter(asy_vm *vm, asy_gen *gen, asy_value info, asy_value sent);
bool asy_coro_is_running(asy_vm *vm, const asy_coro *coro); /* its stack, or one that this resumed, executes now */
bool asy_agen_hook(asy_vm *vm, asy_gen *gen);               /* sys.set_asyncgen_hooks: the first iteration */
void asy_coro_closed(asy_vm *vm, asy_coro *coro);           /* its frame is gone */
/* RuntimeError in place of a StopIteration that leaves a generator or coroutine. */
void asy_convert_stop_iteration(asy_vm *vm, asy_code *code);
/* Name, file:line and state of a coroutine for reprs: the function's code and current line (0 when closed). */
asy_code *asy_coro_code(asy_coro *coro);
int32_t asy_coro_line(asy_vm *vm, asy_coro *coro);

/* Entry of the loop; vm.c. Runs from `base` (whose frame has FRAME_BOUNDARY) at FRAME_PC(base) until that frame is left. */
asy_run_outcome asy_run(asy_vm *vm, asy_value *base, asy_value thrown, asy_value *result);

#endif
