/* task.c - tasks: a step, parking, finishing. See task.h. */
#include "runtime/task.h"

#include "runtime/class.h"
#include "runtime/context.h"
#include "runtime/exc.h"
#include "runtime/gather.h"
#include "runtime/loop.h"

static asy_future_extra *extra_of(asy_task *task) { return (asy_future_extra *)task->future.extra; }
static asy_future_extra *need_extra(asy_vm *vm, asy_task *task) { return asy_future_need_extra(vm, &task->future); }

/* ---- The list of pending tasks -------------------------------------------------------------------------------------- */

static void link_task(asy_vm *vm, asy_task *task) {
  asy_loop *loop = task->future.loop;
  asy_task *next = loop->tasks;
  task->next = next;
  asy_barrier_to(vm, task, next);
  if (next) {
    next->prev = task;
    asy_barrier_to(vm, next, task);
  }
  loop->tasks = task;
  asy_barrier_to(vm, loop, task);
}

static void unlink_task(asy_vm *vm, asy_task *task) {
  asy_task *prev = task->prev, *next = task->next;
  if (prev) {
    prev->next = next;
    asy_barrier_to(vm, prev, next);
  } else {
    task->future.loop->tasks = next;
    asy_barrier_to(vm, task->future.loop, next);
  }
  if (next) {
    next->prev = prev;
    asy_barrier_to(vm, next, prev);
  }
  task->prev = task->next = NULL;
}

/* ---- Making --------------------------------------------------------------------------------------------------------- */

bool asy_is_coroutine(asy_vm *vm, asy_value v) {
  if (asy_is_kind(v, KIND_COROUTINE)) return true;
  if (asy_is_kind(v, KIND_GENERATOR))
    return asy_is_kind(((asy_gen *)asy_obj_of(v))->frame[0], KIND_FUNCTION) &&
           ((asy_func *)asy_obj_of(((asy_gen *)asy_obj_of(v))->frame[0]))->code->flags & CODE_ITERABLE_COROUTINE;
  if (asy_is_kind(v, KIND_AWAITER)) return false;
  asy_value method; /* as collections.abc.Coroutine sees it */
  static const char *const needed[] = {"send", "throw", "close", "__await__"};
  asy_value cls = asy_from_obj(asy_class_of(vm, v));
  for (unsigned i = 0; i < sizeof needed / sizeof *needed; i++) {
    asy_str *name = asy_intern(vm, needed[i]);
    if (!name || asy_find_attr(vm, cls, name, &method) != 1) {
      asy_clear_exception(vm);
      return false;
    }
  }
  return true;
}

static bool set_name(asy_vm *vm, asy_task *task, asy_value name) {
  asy_value text = asy_str_of(vm, name);
  asy_future_extra *extra = asy_failed(text) ? NULL : need_extra(vm, task);
  if (extra) asy_store(vm, extra, &extra->name, text);
  return extra != NULL;
}

/* Where the program stands: the running frame's code and the offset behind its instruction. */
static asy_code *running_code(asy_vm *vm, uint32_t *word) {
  if (!vm->base || !FRAME_FUNC(vm->base)) return NULL;
  asy_code *code = ((asy_func *)asy_obj_of(FRAME_FUNC(vm->base)))->code;
  *word = (uint32_t)((const uint32_t *)(uintptr_t)FRAME_PC(vm->base) - code->words);
  return code;
}

/* The coroutine is adopted: it will be run, and what it says of its origin from now on is the task's. */
static bool set_origin(asy_vm *vm, asy_task *task) {
  uint32_t word;
  asy_code *code = running_code(vm, &word);
  if (!code) return true;
  if (asy_is_kind(task->coro, KIND_COROUTINE)) {
    asy_coro *coro = (asy_coro *)asy_obj_of(task->coro);
    coro->origin_code = code;
    coro->origin_word = word;
    asy_barrier(vm, coro);
    asy_cancel_finalizer(coro);
    return true;
  }
  asy_future_extra *extra = need_extra(vm, task);
  if (!extra) return false;
  extra->origin = code;
  extra->origin_word = word;
  asy_barrier(vm, extra);
  return true;
}

asy_code *asy_task_origin(asy_task *task, uint32_t *word) {
  if (asy_is_kind(task->coro, KIND_COROUTINE)) {
    asy_coro *coro = (asy_coro *)asy_obj_of(task->coro);
    *word = coro->origin_word;
    return coro->origin_code;
  }
  asy_future_extra *extra = extra_of(task);
  if (!extra) return NULL;
  *word = extra->origin_word;
  return extra->origin;
}

/* The first step at once, on a stack of its own: that of the loop is in use by the task that runs. */
static bool start_eagerly(asy_vm *vm, asy_task *task) {
  asy_loop *loop = task->future.loop;
  asy_stack stack, *outer = loop->step_stack;
  bool native = loop->native_step;
  asy_stack_init(vm, &stack, &task->future.head);
  loop->step_stack = &stack;
  loop->native_step = false;
  bool ok = asy_task_step(vm, task);
  loop->step_stack = outer;
  loop->native_step = native;
  return ok;
}

/* Gives a zeroed task its coroutine and puts it on the ready ring. */
static bool start(asy_vm *vm, asy_task *task, asy_loop *loop, asy_value coro, asy_value name, asy_value context,
                  bool eager) {
  if (!asy_is_coroutine(vm, coro)) {
    asy_raise(vm, ASY_TypeError, "a coroutine was expected, got %R", coro);
    return false;
  }
  task->future.loop = loop;
  if (name) vm->loop_state->tasks_named++;
  else task->number = ++vm->loop_state->task_number;
  asy_store(vm, task, &task->coro, coro);
  if (!set_origin(vm, task) || (name && !set_name(vm, task, name))) return false;
  if (!context && vm->context) {
    context = asy_context_snapshot(vm);
    if (asy_failed(context)) return false;
  }
  if (context && context != ASY_NONE) {
    asy_future_extra *extra = need_extra(vm, task);
    if (!extra) return false;
    asy_store(vm, extra, &extra->context, context);
  }
  bool debug = loop->debug;
  if (__builtin_expect(loop->foreign != 0, 0)) {
    int asked = asy_loop_debug(vm, loop);
    if (asked < 0) return false;
    debug = asked;
  }
  if (debug && !asy_future_keep_source(vm, &task->future)) return false;
  if (eager && vm->running_loop == loop) {
    link_task(vm, task);
    return start_eagerly(vm, task);
  }
  if (!asy_loop_push(vm, loop, &task->future.head)) return false;
  link_task(vm, task);
  return true;
}

asy_task *asy_task_new(asy_vm *vm, asy_loop *loop, asy_value coro, asy_value name, asy_value context, bool eager) {
  asy_task *task = asy_new_kind(vm, KIND_TASK, sizeof *task + sizeof(asy_value)); /* room for attributes */
  return task && start(vm, task, loop, coro, name, context, eager) ? task : NULL;
}

/* ---- Between the loop's stack and the task -------------------------------------------------------------------------- */

/* What a parked task keeps, as a stack. */
static void unpack_stack(asy_task *task, asy_stack *s) {
  asy_future_extra *extra = extra_of(task);
  *s = (asy_stack){
    .chunk = task->chunk,
    .base = task->base,
    .top = task->chunk->slots + task->chunk->used,
    .limit = task->chunk->slots + task->chunk->words,
    .depth = task->depth,
    .resume_register = (int32_t)task->resume - 1,
    .handled = extra && extra->handled ? extra->handled : ASY_NONE,
    .owner = &task->future.head,
  };
}

static bool pack_stack(asy_vm *vm, asy_task *task, asy_stack *s) {
  s->chunk->used = (uint32_t)(s->top - s->chunk->slots);
  task->chunk = s->chunk;
  task->base = s->base;
  task->depth = s->depth & ((1u << 23) - 1);
  task->resume = (uint32_t)(s->resume_register + 1) & 511;
  if (s->handled != ASY_NONE || (task->future.extra && extra_of(task)->handled)) {
    asy_future_extra *extra = need_extra(vm, task);
    if (!extra) return false;
    asy_store(vm, extra, &extra->handled, s->handled == ASY_NONE ? 0 : s->handled);
  }
  s->chunk = s->spare = NULL;
  s->base = s->top = s->limit = NULL;
  asy_barrier(vm, task);
  return true;
}

asy_stack *asy_task_stack(asy_task *task) {
  asy_loop *loop = task->future.loop;
  /* A task without frames runs its native on whatever stack the loop runs on. */
  return loop->native_step ? loop->outer_stack : loop->step_stack;
}

/* ---- Finishing ------------------------------------------------------------------------------------------------------ */

static asy_value message_of(asy_task *task) {
  return task->future.head.flags & FUTURE_MESSAGE ? task->future.result : 0;
}

static bool finish(asy_vm *vm, asy_task *task, asy_value result) {
  unlink_task(vm, task);
  task->waiting = 0;
  if (task->future.head.flags & TASK_MUST_CANCEL) /* it was cancelled, and returned before anything could be thrown */
    return asy_future_end_cancelled(vm, &task->future, message_of(task), 0);
  return asy_future_set_result(vm, &task->future, result);
}

/* The pending exception ends the task. false: it leaves the loop too. */
/* The traceback's outermost entry, the task's first frame, says where the task was created. */
static void note_origin(asy_vm *vm, asy_task *task, asy_traceback *outermost) {
  if (!outermost || outermost->task_origin) return;
  outermost->task_origin = asy_task_origin(task, &outermost->task_origin_word);
  asy_barrier(vm, outermost);
}

static bool finish_raising(asy_vm *vm, asy_task *task) {
  bool leaves = asy_raised_is(vm, ASY_KeyboardInterrupt) || asy_raised_is(vm, ASY_SystemExit);
  bool cancelled = asy_raised_is(vm, ASY_CancelledError);
  asy_value exception = asy_take_exception(vm);
  note_origin(vm, task, asy_exception_of(exception)->traceback);
  unlink_task(vm, task);
  task->waiting = 0;
  if (cancelled) return asy_future_end_cancelled(vm, &task->future, 0, exception);
  if (!asy_future_end_failed(vm, &task->future, exception)) return false;
  if (!leaves) return true;
  asy_set_exception(vm, exception);
  return false;
}

/* ---- Waiting -------------------------------------------------------------------------------------------------------- */

void asy_task_wake(asy_vm *vm, asy_task *task) {
  if (asy_future_state(&task->future) != FUTURE_PENDING) return;
  if (asy_is_int(task->waiting)) task->waiting = 0;
  if (!asy_loop_push(vm, task->future.loop, &task->future.head)) return;
}

/* What the await that parks the task will yield; a cancel message that stands there stays. */
static void keep_value(asy_vm *vm, asy_task *task, asy_value value) {
  if (!(task->future.head.flags & TASK_MUST_CANCEL))
    asy_store(vm, task, &task->future.result, value == ASY_NONE ? 0 : value);
}

asy_value asy_task_park_turn(asy_vm *vm, asy_value value) {
  asy_task *task = vm->current_task;
  keep_value(vm, task, value);
  return asy_loop_push(vm, task->future.loop, &task->future.head) ? ASY_PARKED : ASY_FAILED;
}

asy_value asy_task_park_until(asy_vm *vm, int64_t deadline, asy_value value) {
  asy_task *task = vm->current_task;
  if (task->future.head.flags & TASK_MUST_CANCEL) return asy_task_park_turn(vm, value);
  keep_value(vm, task, value);
  return asy_timers_add(vm, &task->future.loop->timers, deadline, &task->future.head) ? ASY_PARKED : ASY_FAILED;
}

bool asy_task_park_on(asy_vm *vm, asy_obj *object) {
  asy_task *task = vm->current_task;
  if (task->future.head.flags & TASK_MUST_CANCEL) return asy_task_park_turn(vm, ASY_NONE), false;
  asy_store(vm, task, &task->waiting, asy_from_obj(object));
  return true;
}

asy_value asy_task_wait_future(asy_vm *vm, asy_value future) {
  asy_future *f = asy_future_of(future);
  if (asy_future_state(f) != FUTURE_PENDING) return asy_future_result(vm, future);
  asy_task *task = vm->current_task;
  if (!task) return asy_raise(vm, ASY_RuntimeError, "await wasn't used with future");
  if (&task->future == f) return asy_raise(vm, ASY_RuntimeError, "Task cannot await on itself: %R", future);
  if (f->loop != task->future.loop)
    return asy_raise(vm, ASY_RuntimeError, "Task %R got Future %R attached to a different loop", asy_from_obj(task),
                     future);
  if (!asy_future_watch(vm, f, asy_from_obj(task))) return ASY_FAILED;
  asy_store(vm, task, &task->waiting, future);
  return ASY_PARKED;
}

/* The done callback of a foreign future. */
static asy_value wake_by_callback(asy_vm *vm, const asy_value *args) {
  asy_task_wake(vm, (asy_task *)asy_obj_of(args[0]));
  return asy_raised(vm) ? ASY_FAILED : ASY_NONE;
}
static const asy_native wakeup = {"task_wakeup", SIG("(self, future, /)"), wake_by_callback, 0, 0};

/* 1 a future with the awaiting protocol, 0 not, -1 failed */
static int is_foreign_future(asy_vm *vm, asy_value v) {
  asy_value blocking;
  int found = asy_is_obj(v) ? asy_find_attr(vm, v, ASY_NAME(vm, _asyncio_future_blocking), &blocking) : 0;
  return found == 1 ? blocking != ASY_NONE : found;
}

static asy_value wait_foreign(asy_vm *vm, asy_task *task, asy_value future) {
  if (!asy_set_attr(vm, future, ASY_NAME(vm, _asyncio_future_blocking), ASY_FALSE)) return ASY_FAILED;
  asy_value callback = asy_new_native(vm, &wakeup, asy_from_obj(task), ASY_NONE);
  if (asy_failed(callback)) return ASY_FAILED;
  if (asy_failed(asy_call_method(vm, future, ASY_NAME(vm, add_done_callback), 1, &callback))) return ASY_FAILED;
  asy_store(vm, task, &task->waiting, future);
  return ASY_PARKED;
}

asy_value asy_task_wait_yielded(asy_vm *vm, asy_value value) {
  asy_task *task = vm->current_task;
  if (asy_is_native_future(value)) {
    asy_future *f = asy_future_of(value);
    if (!(f->head.flags & FUTURE_BLOCKING))
      return asy_raise(vm, ASY_RuntimeError, "yield was used instead of yield from in task %R with %R",
                       asy_from_obj(task), value);
    f->head.flags &= (uint16_t)~FUTURE_BLOCKING;
    if (asy_future_state(f) != FUTURE_PENDING) return asy_task_park_turn(vm, ASY_NONE); /* the iterator asks it again */
    return asy_task_wait_future(vm, value);
  }
  if (value == ASY_NONE) return asy_task_park_turn(vm, ASY_NONE);
  int foreign = is_foreign_future(vm, value);
  if (foreign < 0) return ASY_FAILED;
  if (foreign) return wait_foreign(vm, task, value);
  if (asy_is_kind(value, KIND_GENERATOR))
    return asy_raise(vm, ASY_RuntimeError, "yield was used instead of yield from for generator in task %R with %R",
                     asy_from_obj(task), value);
  return asy_raise(vm, ASY_RuntimeError, "Task got bad yield: %R", value);
}

/* ---- A step --------------------------------------------------------------------------------------------------------- */

/* Parked. A task that cancelled itself before it waited cancels what it waits for now. */
static bool parked(asy_vm *vm, asy_task *task) {
  if (!(task->future.head.flags & TASK_MUST_CANCEL) || !task->waiting || !asy_is_native_future(task->waiting))
    return true;
  int cancelled = asy_future_cancel(vm, asy_future_of(task->waiting), message_of(task));
  if (cancelled < 0) return false;
  if (!cancelled) return true;
  task->future.head.flags &= (uint16_t) ~(TASK_MUST_CANCEL | FUTURE_MESSAGE);
  task->future.result = 0;
  return true;
}

/* The coroutine of an async native, without frames: its first step calls it, its second ends the task. */
static bool step_native(asy_vm *vm, asy_task *task, asy_coro *coro, asy_value sent, asy_value awaited) {
  if (coro->state != CORO_CREATED) { /* it was woken */
    if (awaited && asy_is_native_future(awaited)) sent = asy_future_result(vm, awaited);
    return asy_failed(sent) ? finish_raising(vm, task) : finish(vm, task, sent);
  }
  coro->state = CORO_CLOSED;
  asy_loop *loop = task->future.loop;
  loop->outer_stack = vm->stack;
  loop->native_runs = vm->runs;
  loop->native_step = true;
  asy_value result = ((asy_nativefunc *)asy_obj_of(coro->func))->fn(vm, coro->args);
  loop->native_step = false;
  if (result == ASY_PARKED && vm->pending_future) {
    asy_value future = vm->pending_future;
    vm->pending_future = 0;
    result = asy_task_wait_future(vm, future);
  }
  if (result == ASY_PARKED) return parked(vm, task);
  return asy_failed(result) ? finish_raising(vm, task) : finish(vm, task, result);
}

/* A coroutine that is no asy_coro of a script function: driven through its methods. */
static bool step_foreign(asy_vm *vm, asy_task *task, asy_value sent, asy_value thrown) {
  asy_value yielded = asy_iterator_send(vm, task->coro, sent, thrown);
  if (yielded == ASY_END) {
    asy_value result = vm->stop_value;
    vm->stop_value = ASY_NONE;
    return finish(vm, task, result);
  }
  if (!asy_failed(yielded)) {
    yielded = asy_task_wait_yielded(vm, yielded);
    if (yielded == ASY_PARKED) return parked(vm, task);
    if (!asy_failed(yielded)) { /* it was done already */
      return !asy_failed(asy_task_park_turn(vm, ASY_NONE));
    }
  } else if (asy_raised_is(vm, ASY_StopIteration)) {
    asy_value stop = asy_take_exception(vm);
    return finish(vm, task, asy_stop_value(stop));
  }
  return finish_raising(vm, task);
}

static bool step_frames(asy_vm *vm, asy_task *task, asy_value sent, asy_value thrown) {
  asy_stack *stack = task->future.loop->step_stack;
  if (task->chunk) {
    unpack_stack(task, stack);
    task->chunk = NULL;
  } else {
    asy_stack_init(vm, stack, &task->future.head);
    if (!asy_stack_start_coroutine(vm, stack, (asy_coro *)asy_obj_of(task->coro))) {
      asy_stack_free(vm, stack);
      return finish_raising(vm, task);
    }
  }
  asy_value result;
  asy_run_outcome outcome = asy_resume_stack(vm, stack, sent, thrown, &result);
  if (outcome == ASY_RUN_PARKED) return pack_stack(vm, task, stack) && parked(vm, task);
  asy_stack_free(vm, stack);
  return outcome == ASY_RUN_RETURNED ? finish(vm, task, result) : finish_raising(vm, task);
}

static bool step(asy_vm *vm, asy_task *task, asy_value awaited, asy_value sent, asy_value thrown) {
  if (!asy_is_kind(task->coro, KIND_COROUTINE)) return step_foreign(vm, task, sent, thrown);
  asy_coro *coro = (asy_coro *)asy_obj_of(task->coro);
  if (asy_is_kind(coro->func, KIND_FUNCTION)) {
    if (!thrown || coro->state != CORO_CREATED) return step_frames(vm, task, sent, thrown);
    (void)asy_coro_send(vm, coro, ASY_NONE, thrown); /* cancelled before its first step: the body never runs */
    return finish_raising(vm, task);
  }
  if (!thrown) return step_native(vm, task, coro, sent, awaited);
  coro->state = CORO_CLOSED;
  asy_raise_value(vm, thrown);
  return finish_raising(vm, task);
}

/* The step sets a variable, and the task had no context as yet: it has one now. */
static bool keep_context(asy_vm *vm, asy_task *task, asy_context *made) {
  made->entered = false;
  bool failed = task->future.head.flags & FUTURE_FAILED; /* then the handler of errors runs in it */
  if (asy_future_state(&task->future) != FUTURE_PENDING && !failed) return true;
  asy_future_extra *extra = need_extra(vm, task);
  if (extra) asy_store(vm, extra, &extra->context, asy_from_obj(made));
  return extra != NULL;
}

static bool step_in_context(asy_vm *vm, asy_task *task, asy_value awaited, asy_value sent, asy_value thrown) {
  asy_context *outer = vm->context;
  const asy_future_extra *extra = extra_of(task);
  if (__builtin_expect(extra && extra->context && asy_is_context(vm, extra->context), 0)) {
    asy_context *own = (asy_context *)asy_obj_of(extra->context);
    if (!asy_context_enter(vm, own)) return step(vm, task, awaited, ASY_NONE, asy_take_exception(vm));
    bool ok = step(vm, task, awaited, sent, thrown);
    asy_context_leave(vm, own);
    return ok;
  }
  vm->context = NULL;
  bool ok = step(vm, task, awaited, sent, thrown);
  asy_context *made = vm->context;
  vm->context = outer;
  return __builtin_expect(made != NULL, 0) ? keep_context(vm, task, made) && ok : ok;
}

bool asy_task_step(asy_vm *vm, asy_task *task) {
  asy_future *f = &task->future;
  if (asy_future_state(f) != FUTURE_PENDING) return true;
  asy_value awaited = task->waiting, sent = ASY_NONE, thrown = 0;
  task->waiting = 0;
  if (f->head.flags & TASK_MUST_CANCEL) {
    thrown = asy_cancelled_error(vm, f);
    f->head.flags &= (uint16_t) ~(TASK_MUST_CANCEL | FUTURE_MESSAGE);
    if (asy_failed(thrown)) return false;
  } else if (f->result) {
    sent = f->result;
  }
  f->result = 0;
  asy_task *outer = vm->current_task;
  vm->current_task = task;
  const struct asy_loop_hooks *hooks = awaited && asy_is_obj(awaited) && !thrown
                                         ? asy_loop_hooks_of(vm, asy_obj_of(awaited))
                                         : NULL;
  if (hooks) sent = hooks->resume(vm, asy_obj_of(awaited), task);
  if (sent == ASY_PARKED) {
    vm->current_task = outer;
    return true;
  }
  if (sent == ASY_FAILED) {
    thrown = asy_take_exception(vm);
    sent = ASY_NONE;
  }
  bool ok = step_in_context(vm, task, awaited, sent, thrown);
  vm->current_task = outer;
  return ok;
}

/* ---- The Python side ------------------------------------------------------------------------------------------------ */

static asy_task *self_of(const asy_value *args) { return (asy_task *)asy_obj_of(args[0]); }

static asy_value task_init(asy_vm *vm, const asy_value *args) {
  asy_task *task = self_of(args);
  if (task->coro) return asy_raise(vm, ASY_RuntimeError, "Task is already initialized");
  asy_loop *loop = args[2] == ASY_NONE ? asy_loop_current(vm) : asy_loop_of(vm, args[2]);
  if (!loop || !asy_loop_state_of(vm)) return ASY_FAILED;
  int eager = asy_truth(vm, args[5]);
  if (eager < 0) return ASY_FAILED;
  asy_value name = args[3] == ASY_NONE ? 0 : args[3], context = args[4] == ASY_NONE ? 0 : args[4];
  return start(vm, task, loop, args[1], name, context, eager) ? ASY_NONE : ASY_FAILED;
}

static asy_value task_get_coro(asy_vm *vm, const asy_value *args) {
  return self_of(args)->coro ? self_of(args)->coro : ASY_NONE;
}

static asy_value task_get_name(asy_vm *vm, const asy_value *args) {
  asy_future_extra *extra = extra_of(self_of(args));
  if (extra && extra->name) return extra->name;
  asy_str *name = asy_str_format(vm, "Task-%u", self_of(args)->number);
  return name ? asy_from_obj(name) : ASY_FAILED;
}

static asy_value task_set_name(asy_vm *vm, const asy_value *args) {
  return set_name(vm, self_of(args), args[1]) ? ASY_NONE : ASY_FAILED;
}

static asy_value task_get_context(asy_vm *vm, const asy_value *args) {
  asy_future_extra *extra = extra_of(self_of(args));
  if (extra && extra->context) return extra->context;
  if (vm->current_task == self_of(args) && vm->context) return asy_from_obj(vm->context);
  asy_context *context = asy_context_new(vm);
  extra = context ? need_extra(vm, self_of(args)) : NULL;
  if (!extra) return ASY_FAILED;
  asy_store(vm, extra, &extra->context, asy_from_obj(context));
  return extra->context;
}

static uint32_t cancels(asy_task *task) {
  return (task->future.head.flags >> TASK_CANCELS_SHIFT) + (extra_of(task) ? extra_of(task)->cancels : 0);
}

static asy_value task_cancelling(asy_vm *vm, const asy_value *args) { return asy_from_small(cancels(self_of(args))); }

static asy_value task_uncancel(asy_vm *vm, const asy_value *args) {
  asy_task *task = self_of(args);
  if (!cancels(task)) return asy_from_small(0);
  if (extra_of(task) && extra_of(task)->cancels) extra_of(task)->cancels--;
  else task->future.head.flags -= 1u << TASK_CANCELS_SHIFT;
  if (!cancels(task)) task->future.head.flags &= (uint16_t)~TASK_MUST_CANCEL;
  return asy_from_small(cancels(task));
}

static asy_value by_base_tasks(asy_vm *vm, const char *function, int nargs, const asy_value *args) {
  asy_value module = asy_import(vm, "asyncio.base_tasks");
  asy_value f = asy_failed(module) ? ASY_FAILED : asy_get_attr_cstr(vm, module, function);
  return asy_failed(f) ? ASY_FAILED : asy_call(vm, f, nargs, args);
}

static asy_value task_get_stack(asy_vm *vm, const asy_value *args) {
  return by_base_tasks(vm, "_task_get_stack", 2, args);
}

static asy_value task_print_stack(asy_vm *vm, const asy_value *args) {
  return by_base_tasks(vm, "_task_print_stack", 3, args);
}

static asy_value task_get_log_destroy(asy_vm *vm, const asy_value *args) {
  return asy_from_bool(!(self_of(args)->future.head.flags & TASK_QUIET));
}

static asy_value task_set_log_destroy(asy_vm *vm, const asy_value *args) {
  if (args[1] == ASY_UNBOUND) return asy_raise(vm, ASY_AttributeError, "cannot delete attribute");
  int on = asy_truth(vm, args[1]);
  if (on < 0) return ASY_FAILED;
  self_of(args)->future.head.flags &= (uint16_t)~TASK_QUIET;
  if (!on) self_of(args)->future.head.flags |= TASK_QUIET;
  return ASY_NONE;
}

static asy_value task_get_must_cancel(asy_vm *vm, const asy_value *args) {
  return asy_from_bool(self_of(args)->future.head.flags & TASK_MUST_CANCEL);
}

static asy_value task_get_waiter(asy_vm *vm, const asy_value *args) {
  asy_value waiting = self_of(args)->waiting;
  return waiting && asy_is_obj(waiting) ? asy_waiters_owner(vm, waiting) : ASY_NONE;
}

asy_value asy_task_all(asy_vm *vm, asy_loop *loop) {
  asy_set *all = asy_set_new(vm, KIND_SET);
  if (!all) return ASY_FAILED;
  for (asy_task *task = loop->tasks; task; task = task->next)
    if (asy_set_add(vm, all, asy_from_obj(task)) < 0) return ASY_FAILED;
  return asy_from_obj(all);
}

static void task_visit(asy_obj *o, asy_visitor *v) {
  asy_task *task = (asy_task *)o;
  asy_future_type.visit(o, v);
  asy_visit_value(v, task->coro);
  asy_visit_obj(v, task->prev);
  asy_visit_obj(v, task->next);
  asy_visit_value(v, task->waiting);
  if (!task->chunk) return;
  asy_stack s;
  unpack_stack(task, &s);
  asy_stack_visit(&s, v);
}

static void task_free(asy_vm *vm, asy_obj *o) {
  asy_task *task = (asy_task *)o;
  if (!task->chunk) return;
  asy_stack s = {.chunk = task->chunk};
  asy_stack_free(vm, &s);
  task->chunk = NULL;
}

static const asy_native task_methods[] = {
  {"get_coro", SIG("(self, /)"), task_get_coro, DOC("The coroutine it runs."), 0},
  {"get_name", SIG("(self, /)"), task_get_name, DOC("Its name; Task-N when none was given."), 0},
  {"set_name", SIG("(self, value, /)"), task_set_name, DOC("Give it a name."), 0},
  {"get_context", SIG("(self, /)"), task_get_context, DOC("The context it runs in."), 0},
  {"cancelling", SIG("(self, /)"), task_cancelling, DOC("How many cancel() calls are not taken back."), 0},
  {"uncancel", SIG("(self, /)"), task_uncancel, DOC("Take back one cancel() call; how many are left."), 0},
  {"get_stack", SIG("(self, *, limit=None)"), task_get_stack, DOC("The frames it stands in, outermost first."), 0},
  {"print_stack", SIG("(self, *, limit=None, file=None)"), task_print_stack, DOC("Print where it stands."), 0},
  {"_log_destroy_pending", SIG("(self, /)"), task_get_log_destroy, 0, ASY_NATIVE_GETTER},
  {"_log_destroy_pending", SIG("(self, value, /)"), task_set_log_destroy, 0, ASY_NATIVE_SETTER},
  {"_num_cancels_requested", SIG("(self, /)"), task_cancelling, 0, ASY_NATIVE_GETTER},
  {"_must_cancel", SIG("(self, /)"), task_get_must_cancel, 0, ASY_NATIVE_GETTER},
  {"_fut_waiter", SIG("(self, /)"), task_get_waiter, 0, ASY_NATIVE_GETTER},
  {"_coro", SIG("(self, /)"), task_get_coro, 0, ASY_NATIVE_GETTER},
  {0},
};

const asy_type asy_task_type = {
  .name = "_asyncio.Task",
  .doc = "A coroutine that the event loop runs.",
  .base = &asy_future_type,
  .size = sizeof(asy_task),
  .flags = ASY_TYPE_LATE_FINALIZE,
  .visit = task_visit,
  .free = task_free,
  .special = &(const asy_special){.finalize = asy_future_finalize},
  .init = task_init,
  .init_signature = SIG("(self, coro, *, loop=None, name=None, context=None, eager_start=False)"),
  .methods = task_methods,
};
