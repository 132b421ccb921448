/* transfer.c - what happens to frames other than the fast call and return: slow returns, unwinding, generators' yields, awaits.
 * Every function finds the running frame in vm->base with its pc saved and says by an asy_action how the loop goes on.
 */
#include "lang/opcode.h"
#include "runtime/class.h"
#include "runtime/exc.h"
#include "runtime/frame.h"
#include "runtime/future.h"
#include "runtime/loop.h"
#include "runtime/task.h"
#include "runtime/trace.h"

static inline asy_value take_sent(asy_vm *vm) {
  asy_value sent = vm->sent;
  vm->sent = ASY_NONE;
  return sent;
}

static asy_action leave(asy_vm *vm, asy_run_outcome outcome, asy_value result) {
  vm->outcome = outcome;
  vm->result = result;
  return ACT_LEAVE;
}

/* ---- Generators: entering and leaving ------------------------------------------------------------------------------- */

bool asy_gen_enter(asy_vm *vm, asy_gen *gen, asy_value info, asy_value sent) {
  asy_value *base = asy_gen_base(gen);
  if (vm->depth >= vm->recursion_limit) {
    asy_raise(vm, ASY_RecursionError, "maximum recursion depth exceeded");
    return false;
  }
  if (gen->state == GEN_SUSPENDED) {
    const uint32_t *pc = asy_frame_pc(base);
    if (ASY_WORD_OP(*pc) == OP_YIELD_FROM) vm->sent = sent;
    else base[ASY_WORD_A(pc[-1])] = sent;
  }
  asy_gen_link(vm, gen, info);
  return true;
}

/* The generator's frame is left for good. */
static void close_generator(asy_vm *vm, asy_gen *gen) {
  if (gen->frame_object) asy_gen_frame_left(vm, gen);
  gen->state = GEN_CLOSED;
  vm->handled = gen->outer_handled;
  gen->outer_handled = 0;
  vm->depth--;
  asy_value *base = asy_gen_base(gen);
  for (uint32_t i = 0; i < gen->nregs; i++) base[i] = ASY_UNBOUND;
}

static bool is_async_generator(const asy_gen *gen) { return gen->head.kind == KIND_ASYNC_GENERATOR; }

/* The FOR_ITER or FOR_AITER that runs a generator in the frame `caller` is at its end. */
static void jump_to_loop_end(asy_value *caller, bool async) {
  const uint32_t *pc = asy_frame_pc(caller);
  if (async) /* FOR_AITER, X, AWAIT: pc is behind the AWAIT; the distance counts from it */
    asy_frame_set_pc(caller, pc - 1 + (int32_t)pc[-2]);
  else asy_frame_set_pc(caller, pc + (int32_t)pc[-1]);
}

static asy_action generator_returned(asy_vm *vm, asy_value *base, asy_value info, asy_value value) {
  asy_gen *gen = asy_gen_of_base(base);
  asy_value *caller = asy_frame_back(base);
  close_generator(vm, gen);
  bool async = is_async_generator(gen);
  if (info & FRAME_BOUNDARY) {
    if (!async || gen->step == GEN_STEP_CLOSE) return leave(vm, ASY_RUN_RETURNED, value);
    asy_raise(vm, ASY_StopAsyncIteration, "");
    return leave(vm, ASY_RUN_RAISED, ASY_NONE);
  }
  asy_frame_restore(vm, caller);
  if (info & FRAME_FOR) {
    jump_to_loop_end(caller, async);
    return ACT_RELOAD;
  }
  if (async && gen->step != GEN_STEP_CLOSE) {
    asy_raise(vm, ASY_StopAsyncIteration, "");
    return ACT_UNWIND;
  }
  caller[info & 0xff] = value;
  return ACT_RELOAD;
}

asy_action asy_yield(asy_vm *vm, asy_value value) {
  asy_value *base = vm->base;
  asy_gen *gen = asy_gen_of_base(base);
  asy_value info = FRAME_INFO(base);
  asy_gen_unlink(vm, gen);
  while (info & FRAME_DELEGATED) { /* up a chain of delegations: what one yields, the one below yields too */
    base = asy_frame_back(base);
    asy_frame_set_pc(base, asy_frame_pc(base) - 1); /* the YIELD_FROM runs again on resume */
    gen = asy_gen_of_base(base);
    info = FRAME_INFO(base);
    asy_gen_unlink(vm, gen);
  }
  bool async = is_async_generator(gen);
  bool ignored_exit = async && gen->step == GEN_STEP_CLOSE;
  if (info & FRAME_BOUNDARY) {
    if (ignored_exit) {
      asy_raise(vm, ASY_RuntimeError, "async generator ignored GeneratorExit");
      return leave(vm, ASY_RUN_RAISED, ASY_NONE);
    }
    return leave(vm, async ? ASY_RUN_RETURNED : ASY_RUN_YIELDED, value);
  }
  asy_value *caller = asy_frame_back(base);
  asy_frame_restore(vm, caller);
  if (ignored_exit) {
    asy_raise(vm, ASY_RuntimeError, "async generator ignored GeneratorExit");
    return ACT_UNWIND;
  }
  caller[info & 0xff] = value;
  return ACT_RELOAD;
}

asy_action asy_for_iter_generator(asy_vm *vm, asy_gen *gen, unsigned dst) {
  if (gen->state == GEN_RUNNING) {
    asy_raise(vm, ASY_ValueError, "generator already executing");
    return ACT_UNWIND;
  }
  if (gen->state == GEN_CLOSED) {
    jump_to_loop_end(vm->base, false);
    return ACT_RELOAD;
  }
  return asy_gen_enter(vm, gen, FRAME_FOR | dst, ASY_NONE) ? ACT_RELOAD : ACT_UNWIND;
}

static asy_action yield_from_iterator(asy_vm *vm, unsigned dst, asy_value it, asy_value sent) {
  asy_value v = asy_iterator_send(vm, it, sent, 0);
  if (v == ASY_FAILED) return ACT_UNWIND;
  asy_value *base = vm->base;
  if (v == ASY_END) {
    base[dst] = asy_take_stop_value(vm);
    return ACT_RELOAD; /* the frame may be one further down than the instruction loop knows */
  }
  if (UNLIKELY(vm->traced) && !asy_trace_yield(vm, v)) return ACT_UNWIND;
  asy_frame_set_pc(base, asy_frame_pc(base) - 1);
  return asy_yield(vm, v);
}

asy_action asy_yield_from(asy_vm *vm, unsigned dst, unsigned src) {
  asy_value sent = take_sent(vm);
  for (;;) { /* down a chain of delegations, without going through the instruction loop at each */
    asy_value it = vm->base[src];
    asy_gen *gen = asy_is_exact(it, KIND_GENERATOR) ? (asy_gen *)asy_obj_of(it) : NULL;
    bool suspended = gen && gen->state == GEN_SUSPENDED;
    if (!suspended && !(gen && gen->state == GEN_CREATED && sent == ASY_NONE))
      return yield_from_iterator(vm, dst, it, sent);
    if (vm->depth >= vm->recursion_limit) {
      asy_raise(vm, ASY_RecursionError, "maximum recursion depth exceeded");
      return ACT_UNWIND;
    }
    asy_gen_link(vm, gen, FRAME_DELEGATED | dst);
    if (!suspended) return ACT_RELOAD;
    asy_value *base = asy_gen_base(gen);
    const uint32_t *pc = asy_frame_pc(base);
    if (ASY_WORD_OP(*pc) != OP_YIELD_FROM) {
      base[ASY_WORD_A(pc[-1])] = sent;
      return ACT_RELOAD;
    }
    asy_frame_set_pc(base, pc + 1);
    dst = ASY_WORD_A(*pc);
    src = ASY_WORD_B(*pc);
  }
}

/* ---- Returning and unwinding ---------------------------------------------------------------------------------------- */

asy_action asy_return_slow(asy_vm *vm, asy_value value) {
  asy_value *base = vm->base;
  asy_value info = FRAME_INFO(base);
  asy_value *caller = asy_frame_back(base);
  if (info & FRAME_HEAP) return generator_returned(vm, base, info, value);
  if (info & FRAME_TRACED) asy_frame_left(vm, base);
  bool bad_init = false;
  if (info & FRAME_INIT) {
    bad_init = value != ASY_NONE;
    if (bad_init) asy_raise(vm, ASY_TypeError, "__init__() should return None, not '%T'", value);
    value = base[-FRAME_HEADER - 1];
  }
  if (info & FRAME_CORO) asy_coro_closed(vm, (asy_coro *)asy_obj_of(base[asy_frame_code(base)->self_register]));
  if (info & FRAME_MOVED) asy_frame_unplace(vm, base, (info & FRAME_INIT) != 0);
  vm->depth--;
  if (info & FRAME_BOUNDARY) return leave(vm, bad_init ? ASY_RUN_RAISED : ASY_RUN_RETURNED, value);
  asy_frame_restore(vm, caller);
  if (bad_init) return ACT_UNWIND;
  caller[info & 0xff] = value;
  return ACT_RELOAD;
}

static const asy_handler *find_handler(const asy_code *code, uint32_t word) {
  for (uint32_t i = 0; i < code->nhandlers; i++)
    if (code->handlers[i].start <= word && word < code->handlers[i].end) return &code->handlers[i];
  return NULL;
}

/* An exception leaves the frame of a generator. True: it ends here, the caller goes on. */
static bool leave_generator_raising(asy_vm *vm, asy_value *base, asy_value info) {
  asy_gen *gen = asy_gen_of_base(base);
  asy_convert_stop_iteration(vm, asy_frame_code(base));
  close_generator(vm, gen);
  if (!is_async_generator(gen) || gen->step != GEN_STEP_CLOSE) return false;
  /* aclose() ends quietly when the generator lets GeneratorExit through */
  if (!asy_raised_is(vm, ASY_GeneratorExit) && !asy_raised_is(vm, ASY_StopAsyncIteration)) return false;
  asy_clear_exception(vm);
  if (!(info & FRAME_BOUNDARY)) {
    asy_value *caller = asy_frame_back(base);
    asy_frame_restore(vm, caller);
    caller[info & 0xff] = ASY_NONE;
  }
  return true;
}

asy_action asy_unwind(asy_vm *vm, bool add_traceback) {
  for (;;) {
    asy_value *base = vm->base;
    asy_func *func = asy_frame_func(base);
    asy_code *code = func->code;
    uint32_t word = asy_frame_word(base);
    if (add_traceback) asy_traceback_add(vm, asy_exception_of(vm->exception), func, word);
    if (UNLIKELY(vm->traced)) asy_trace_exception(vm, add_traceback);
    add_traceback = true;
    const asy_handler *handler = find_handler(code, word ? word - 1 : 0);
    if (handler) {
      if (UNLIKELY(vm->traced)) asy_trace_handled(vm);
      base[handler->reg] = vm->exception;
      vm->exception = 0;
      asy_frame_set_pc(base, code->words + handler->target);
      return ACT_RELOAD;
    }
    if (UNLIKELY(vm->traced)) asy_trace_unwound(vm);
    asy_value info = FRAME_INFO(base);
    asy_value *caller = asy_frame_back(base); /* read now: the chunk below may be freed */
    if (info & FRAME_HEAP) {
      if (leave_generator_raising(vm, base, info))
        return info & FRAME_BOUNDARY ? leave(vm, ASY_RUN_RETURNED, ASY_NONE) : ACT_RELOAD;
    } else {
      if (info & FRAME_TRACED) asy_frame_left(vm, base);
      if (code->flags & CODE_COROUTINE) asy_convert_stop_iteration(vm, code);
      if (info & FRAME_CORO) asy_coro_closed(vm, (asy_coro *)asy_obj_of(base[code->self_register]));
      if (info & FRAME_MOVED) asy_frame_unplace(vm, base, (info & FRAME_INIT) != 0);
      vm->depth--;
    }
    if (info & FRAME_BOUNDARY) return leave(vm, ASY_RUN_RAISED, ASY_NONE);
    asy_frame_restore(vm, caller);
  }
}

/* ---- Suspending ----------------------------------------------------------------------------------------------------- */

/* Leaves the running stack where it stands, to go on at pc. */
static asy_action suspend(asy_vm *vm, const uint32_t *pc, asy_run_outcome outcome, asy_value result) {
  asy_stack *stack = vm->stack;
  asy_value *base = vm->base;
  if (UNLIKELY(vm->traced)) asy_trace_suspend(vm, result);
  asy_frame_set_pc(base, pc);
  stack->base = base;
  stack->top = vm->top;
  stack->depth = vm->depth;
  bool of_resumer = stack->below && vm->handled == stack->below->handled; /* inherited: not its own */
  stack->handled = of_resumer ? ASY_NONE : vm->handled;
  if (FRAME_INFO(base) & FRAME_HEAP) asy_barrier(vm, asy_gen_of_base(base));
  if (stack->owner) asy_barrier(vm, stack->owner);
  if (stack->spare) asy_stack_drop_spare(vm, stack);
  return leave(vm, outcome, result);
}

bool asy_can_park(asy_vm *vm) {
  if (!vm->current_task || vm->stack != asy_task_stack(vm->current_task)) return false;
  const asy_loop *loop = vm->current_task->future.loop;
  return vm->runs == (loop->native_step ? loop->native_runs : vm->stack->run);
}

/* The result of an async native that was called to be awaited into dst; pc is behind the AWAIT. */
static asy_action native_awaited(asy_vm *vm, asy_value result, unsigned dst, const uint32_t *pc) {
  asy_value *base = vm->base;
  if (result == ASY_FAILED) return ACT_UNWIND;
  if (result != ASY_PARKED) {
    base[dst] = result;
    asy_frame_set_pc(base, pc);
    return ACT_RELOAD;
  }
  if (vm->pending_future) { /* it made a future instead: await that */
    base[dst] = vm->pending_future;
    vm->pending_future = 0;
    asy_frame_set_pc(base, pc);
    return asy_await(vm, dst, dst);
  }
  vm->stack->resume_register = (int32_t)dst;
  return suspend(vm, pc, ASY_RUN_PARKED, ASY_NONE);
}

asy_action asy_await_native(asy_vm *vm, asy_value callee, asy_value self, const asy_value *args, uint32_t nargs,
                            unsigned dst) {
  /* pc is at the AWAIT that follows the AWAIT_CALL, and whose registers are both dst */
  const uint32_t *behind = asy_frame_pc(vm->base) + 1;
  asy_frame_set_pc(vm->base, behind);
  asy_value result = asy_start_native(vm, (asy_nativefunc *)asy_obj_of(callee), self, args, nargs, NULL);
  return native_awaited(vm, result, dst, behind);
}

/* ---- Await ---------------------------------------------------------------------------------------------------------- */

static asy_action raise_reuse(asy_vm *vm, const asy_coro *coro) {
  if (coro->state != CORO_ON_STACK) asy_raise(vm, ASY_RuntimeError, "cannot reuse already awaited coroutine");
  else if (!asy_is_kind(coro->func, KIND_NATIVE) && asy_coro_is_running(vm, coro))
    asy_raise(vm, ASY_ValueError, "coroutine already executing");
  else asy_raise(vm, ASY_RuntimeError, "coroutine is being awaited already");
  return ACT_UNWIND;
}

static asy_action await_coroutine(asy_vm *vm, asy_coro *coro, unsigned dst) {
  if (coro->state != CORO_CREATED) return raise_reuse(vm, coro);
  if (asy_is_kind(coro->func, KIND_NATIVE)) {
    asy_nativefunc *native = (asy_nativefunc *)asy_obj_of(coro->func);
    coro->state = CORO_CLOSED;
    asy_cancel_finalizer(coro);
    return native_awaited(vm, native->fn(vm, coro->args), dst, asy_frame_pc(vm->base));
  }
  asy_func *func = (asy_func *)asy_obj_of(coro->func);
  asy_code *code = func->code;
  asy_value info = dst | FRAME_CORO;
  asy_value *base = asy_frame_place(vm, vm->limit ? vm->top : NULL, 0, code->nregs, &info);
  if (!base) return ACT_UNWIND;
  if (FRAME_INFO(vm->base) & FRAME_HEAP) asy_barrier(vm, asy_gen_of_base(vm->base));
  memcpy(base, coro->args, coro->nargs * sizeof(asy_value));
  asy_frame_enter(vm, base, func, coro->nargs, info);
  base[code->self_register] = asy_from_obj(coro);
  coro->state = CORO_ON_STACK;
  asy_cancel_finalizer(coro);
  coro->on.owner = vm->stack->owner;
  coro->on.base = base;
  if ((vm->depth > vm->recursion_limit || vm->interrupt) && !asy_enter_check(vm)) return ACT_UNWIND;
  return ACT_RELOAD;
}

static const char *const step_names[] = {"anext", "asend", "athrow", "aclose"};

/* Whether a step may begin; *done: it ends at once with None. */
static bool begin_step(asy_vm *vm, asy_agen_step *step, bool *done) {
  asy_gen *gen = step->gen;
  *done = false;
  if (step->state != CORO_CREATED) {
    asy_raise(vm, ASY_RuntimeError, "cannot reuse already awaited %s",
              step->kind <= GEN_STEP_SEND ? "__anext__()/asend()" : "aclose()/athrow()");
    return false;
  }
  step->state = CORO_CLOSED;
  if (gen->state == GEN_RUNNING) {
    asy_raise(vm, ASY_RuntimeError, "%s(): asynchronous generator is already running", step_names[step->kind]);
    return false;
  }
  if (step->kind >= GEN_STEP_THROW && gen->state == GEN_CREATED) {
    gen->state = GEN_CLOSED;
    if (step->kind == GEN_STEP_THROW) {
      asy_raise_from(vm, step->value, ASY_UNBOUND);
      return false;
    }
  }
  if (gen->state == GEN_CLOSED) {
    *done = step->kind >= GEN_STEP_THROW;
    if (!*done) asy_raise(vm, ASY_StopAsyncIteration, "");
    return *done;
  }
  gen->step = step->kind;
  if (gen->state == GEN_CREATED && step->kind == GEN_STEP_SEND && step->value != ASY_NONE) {
    asy_raise(vm, ASY_TypeError, "can't send non-None value to a just-started async generator");
    return false;
  }
  return true;
}

/* The exception that a throw or close step raises inside the generator; 0 for the others. */
static asy_value step_exception(asy_vm *vm, asy_agen_step *step) {
  if (step->kind < GEN_STEP_THROW) return 0;
  if (step->kind == GEN_STEP_CLOSE) return asy_new_exception(vm, ASY_GeneratorExit, "");
  asy_raise_from(vm, step->value, ASY_UNBOUND);
  return asy_take_exception(vm);
}

static asy_action await_step(asy_vm *vm, asy_agen_step *step, unsigned dst) {
  bool done;
  if (!begin_step(vm, step, &done)) return ACT_UNWIND;
  if (done) {
    vm->base[dst] = ASY_NONE;
    return ACT_NEXT;
  }
  asy_value thrown = step_exception(vm, step);
  if (thrown == ASY_FAILED) return ACT_UNWIND;
  asy_value sent = step->kind == GEN_STEP_SEND ? step->value : ASY_NONE;
  bool handling = step->gen->handled;
  if (!asy_gen_enter(vm, step->gen, dst, sent)) return ACT_UNWIND;
  if (!thrown) return ACT_RELOAD;
  if (handling) asy_set_context(vm, thrown);
  asy_set_exception(vm, thrown);
  return ACT_UNWIND;
}

asy_value asy_agen_step_send(asy_vm *vm, asy_agen_step *step, asy_value sent, asy_value thrown) {
  asy_value *base = vm->base, *top = vm->top, *limit = vm->limit;
  asy_value result;
  asy_run_outcome outcome;
  if (step->stack) { /* suspended in an await inside the generator */
    outcome = asy_resume_stack(vm, step->stack, sent, thrown, &result);
  } else {
    bool done;
    if (thrown) { /* thrown before it began: the generator sees it in place of the step */
      step->value = thrown;
      step->kind = GEN_STEP_THROW;
    } else if (sent != ASY_NONE && step->kind <= GEN_STEP_SEND && step->state == CORO_CREATED) {
      step->value = sent;
      step->kind = GEN_STEP_SEND;
    }
    if (!begin_step(vm, step, &done)) return ASY_FAILED;
    if (done) {
      vm->stop_value = ASY_NONE;
      return ASY_END;
    }
    thrown = step_exception(vm, step);
    if (thrown == ASY_FAILED) return ASY_FAILED;
    asy_stack *stack = asy_mem_alloc(vm, sizeof *stack);
    if (!stack) return ASY_FAILED;
    asy_stack_init(vm, stack, &step->head);
    stack->top = asy_stack_reserve(vm, stack, NULL, FRAME_HEADER);
    step->stack = stack;
    asy_barrier(vm, step);
    stack->handled = ASY_NONE;
    /* enter the generator's frame as the first one of the private stack */
    asy_stack *outer = vm->stack;
    uint32_t depth = vm->depth;
    outer->base = base;
    outer->top = top;
    stack->below = outer;
    vm->stack = stack;
    vm->base = NULL;
    vm->top = stack->top;
    bool entered = asy_gen_enter(vm, step->gen, FRAME_BOUNDARY, step->kind == GEN_STEP_SEND ? step->value : ASY_NONE);
    outcome = entered ? asy_run(vm, vm->base, thrown, &result) : ASY_RUN_RAISED;
    vm->stack = outer;
    vm->depth = depth;
  }
  vm->base = base;
  vm->top = top;
  vm->limit = limit;
  if (outcome == ASY_RUN_YIELDED) return result;
  asy_stack_free(vm, step->stack);
  asy_mem_free(vm, step->stack, sizeof(asy_stack));
  step->stack = NULL;
  if (outcome == ASY_RUN_RAISED) return ASY_FAILED;
  vm->stop_value = result;
  return ASY_END;
}

/* A value yielded by a foreign awaitable, or a future, goes to the task or to whoever drives the stack. */
static asy_action await_yielded(asy_vm *vm, asy_value value) {
  const uint32_t *again = asy_frame_pc(vm->base) - 1;
  if (!asy_can_park(vm)) return suspend(vm, again, ASY_RUN_YIELDED, value);
  asy_value result = asy_task_wait_yielded(vm, value);
  if (result == ASY_FAILED) return ACT_UNWIND;
  return suspend(vm, again, ASY_RUN_PARKED, value);
}

static asy_action await_future(asy_vm *vm, asy_value future, unsigned dst) {
  asy_value result;
  if (asy_future_done(future)) {
    result = asy_future_result(vm, future);
  } else if (!asy_can_park(vm)) {
    asy_obj_of(future)->flags |= FUTURE_BLOCKING; /* as its __await__ does when it yields itself */
    return suspend(vm, asy_frame_pc(vm->base) - 1, ASY_RUN_YIELDED, future);
  } else {
    result = asy_task_wait_future(vm, future);
    if (result == ASY_PARKED) return suspend(vm, asy_frame_pc(vm->base) - 1, ASY_RUN_PARKED, future);
  }
  if (result == ASY_FAILED) return ACT_UNWIND;
  vm->base[dst] = result;
  return ACT_NEXT;
}

/* TypeError of a value that cannot be awaited, in the words of the statement it comes from. */
static void explain_not_awaitable(asy_vm *vm, asy_value v, unsigned origin) {
  if (origin == AWAIT_EXPRESSION || !asy_raised_is(vm, ASY_TypeError)) return;
  asy_value fn, self, cause = asy_take_exception(vm);
  int found = asy_find_special(vm, v, ASY_NAME(vm, __await__), &fn, &self);
  if (origin == AWAIT_ANEXT) { /* CPython chains the first message */
    asy_value e = asy_new_exception(vm, ASY_TypeError, "'async for' received an invalid object from __anext__: %T", v);
    if (e != ASY_FAILED) asy_raise_from(vm, e, cause);
    return;
  }
  if (found) {
    if (found > 0) asy_set_exception(vm, cause);
    return;
  }
  asy_raise(vm, ASY_TypeError, "'async with' received an object from %s that does not implement __await__: %T",
            origin == AWAIT_AENTER ? "__aenter__" : "__aexit__", v);
}

asy_action asy_await(asy_vm *vm, unsigned dst, unsigned src) {
  asy_value *base = vm->base;
  asy_value v = base[src];
  asy_value sent = take_sent(vm), thrown = vm->thrown;
  vm->thrown = 0;
  for (;;) {
    if (asy_is_obj(v)) {
      switch (asy_obj_of(v)->kind) {
        case KIND_COROUTINE: return await_coroutine(vm, (asy_coro *)asy_obj_of(v), dst);
        case KIND_FUTURE:
        case KIND_TASK:
          if (asy_future_inherits(vm, v, ASY_NAME(vm, __await__))) return await_future(vm, v, dst);
          break;
        case KIND_ASYNC_GENERATOR_STEP: return await_step(vm, (asy_agen_step *)asy_obj_of(v), dst);
        case KIND_AWAITER: {
          asy_value out = asy_iterator_send(vm, ((asy_awaiter *)asy_obj_of(v))->iterator, sent, thrown);
          if (out == ASY_FAILED) return ACT_UNWIND;
          if (out != ASY_END) return await_yielded(vm, out);
          base[dst] = asy_take_stop_value(vm);
          if (UNLIKELY(vm->traced) && !asy_trace_awaited(vm, v, base[dst])) return ACT_UNWIND;
          return ACT_NEXT;
        }
      }
    }
    asy_value awaitable = asy_get_awaitable(vm, v);
    if (awaitable == ASY_FAILED) {
      explain_not_awaitable(vm, v, ASY_WORD_C(asy_frame_pc(base)[-1]));
      return ACT_UNWIND;
    }
    v = awaitable;
    base[src] = v;
  }
}

asy_action asy_for_aiter(asy_vm *vm, unsigned a) {
  asy_value *base = vm->base;
  asy_value it = base[a];
  if (asy_is_exact(it, KIND_ASYNC_GENERATOR)) {
    asy_gen *gen = (asy_gen *)asy_obj_of(it);
    if (gen->state == GEN_RUNNING) {
      asy_raise(vm, ASY_RuntimeError, "anext(): asynchronous generator is already running");
      return ACT_UNWIND;
    }
    if (!asy_agen_hook(vm, gen)) return ACT_UNWIND;
    asy_frame_set_pc(base, asy_frame_pc(base) + 1); /* behind the AWAIT */
    if (gen->state == GEN_CLOSED) {
      jump_to_loop_end(base, true);
      return ACT_RELOAD;
    }
    gen->step = GEN_STEP_NEXT;
    return asy_gen_enter(vm, gen, FRAME_FOR | (a + 1), ASY_NONE) ? ACT_RELOAD : ACT_UNWIND;
  }
  asy_value awaitable = asy_call_special(vm, it, ASY_NAME(vm, __anext__), 0, NULL);
  if (awaitable == ASY_UNBOUND)
    awaitable = asy_raise(vm, ASY_TypeError, "'async for' requires an iterator with __anext__ method, got %T", it);
  if (awaitable == ASY_FAILED) return ACT_UNWIND;
  base[a + 1] = awaitable;
  return ACT_NEXT;
}

/* ---- Stacks --------------------------------------------------------------------------------------------------------- */

bool asy_stack_start_coroutine(asy_vm *vm, asy_stack *stack, asy_coro *coro) {
  if (coro->state != CORO_CREATED) return raise_reuse(vm, coro) == ACT_NEXT;
  asy_func *func = (asy_func *)asy_obj_of(coro->func);
  asy_code *code = func->code;
  asy_value *slots = asy_stack_reserve(vm, stack, NULL, FRAME_HEADER + code->nregs);
  if (!slots) return false;
  asy_value *base = slots + FRAME_HEADER;
  memcpy(base, coro->args, coro->nargs * sizeof(asy_value));
  for (uint32_t i = coro->nargs; i < code->nlocals; i++) base[i] = ASY_UNBOUND;
  base[code->self_register] = asy_from_obj(coro);
  FRAME_FUNC(base) = asy_from_obj(func);
  asy_frame_set_pc(base, code->words);
  FRAME_BACK(base) = 0;
  FRAME_INFO(base) = FRAME_BOUNDARY | FRAME_CORO;
  stack->base = base;
  stack->top = base + code->nregs;
  stack->depth = 1;
  stack->handled = ASY_NONE;
  stack->resume_register = -1;
  coro->state = CORO_ON_STACK;
  asy_cancel_finalizer(coro);
  coro->on.owner = stack->owner;
  coro->on.base = base;
  return true;
}

asy_run_outcome asy_resume_stack(asy_vm *vm, asy_stack *stack, asy_value sent, asy_value thrown, asy_value *result) {
  asy_stack *outer = vm->stack;
  asy_value *outer_limit = vm->limit;
  uint32_t outer_depth = vm->depth;
  asy_value outer_handled = vm->handled;
  asy_value *base = stack->base;
  outer->base = vm->base;
  outer->top = vm->top;
  outer->handled = outer_handled;
  stack->below = outer;
  vm->stack = stack;
  vm->depth = stack->depth;
  vm->handled = stack->handled == ASY_NONE ? outer_handled : stack->handled;
  asy_frame_restore(vm, base);

  const uint32_t *pc = asy_frame_pc(base);
  if (thrown && ASY_WORD_OP(*pc) == OP_AWAIT && stack->resume_register < 0 && pc != asy_frame_code(base)->words) {
    if (asy_is_kind(base[ASY_WORD_B(*pc)], KIND_AWAITER)) {
      vm->thrown = thrown; /* into the iterator */
      thrown = 0;
    } else {
      asy_frame_set_pc(base, pc + 1);
    }
  }
  if (thrown && stack->handled != ASY_NONE) asy_set_context(vm, thrown); /* it is raised while that is handled */
  if (!thrown) {
    if (stack->resume_register >= 0) base[stack->resume_register] = sent;
    else vm->sent = sent;
  }
  stack->resume_register = -1;
  stack->base = NULL;
  stack->run = vm->runs + 1;
  if (UNLIKELY(vm->traced)) asy_trace_resume(vm);
  asy_run_outcome outcome = asy_run(vm, base, thrown, result);

  stack->below = NULL;
  vm->stack = outer;
  vm->base = outer->base;
  vm->top = outer->top;
  vm->limit = outer_limit;
  vm->depth = outer_depth;
  vm->handled = outer_handled;
  vm->sent = ASY_NONE;
  return outcome;
}
