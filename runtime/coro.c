/* coro.c - coroutine, generator and async generator objects: making them, driving them by hand, their attributes.
 * How their frames enter and leave the loop is in transfer.c.
 */
#include "runtime/coro.h"

#include "lang/opcode.h"
#include "runtime/builtins.h"
#include "runtime/class.h"
#include "runtime/exc.h"
#include "runtime/frame.h"
#include "runtime/future.h"
#include "runtime/task.h"

/* ---- Making -------------------------------------------------------------------------------------------------------- */

asy_coro *asy_coro_new(asy_vm *vm, asy_value func, const asy_value *args, uint32_t nargs) {
  uint32_t room = nargs < 2 ? 2 : nargs;
  asy_coro *coro = asy_new_kind(vm, KIND_COROUTINE, offsetof(asy_coro, args) + room * sizeof(asy_value));
  if (!coro) return NULL;
  coro->func = func;
  coro->nargs = (uint8_t)nargs;
  memcpy(coro->args, args, nargs * sizeof *args);
  if (vm->base) {
    coro->origin_code = asy_frame_code(vm->base);
    coro->origin_word = asy_frame_word(vm->base);
  }
  return coro;
}

asy_gen *asy_gen_new(asy_vm *vm, asy_func *func) {
  asy_code *code = func->code;
  unsigned kind = code->flags & CODE_ASYNC_GENERATOR ? KIND_ASYNC_GENERATOR : KIND_GENERATOR;
  asy_gen *gen = asy_new_kind(vm, kind, offsetof(asy_gen, frame) + (FRAME_HEADER + code->nregs) * sizeof(asy_value));
  if (!gen) return NULL;
  gen->name = func->name;
  gen->qualname = func->qualname;
  asy_value *base = asy_gen_base(gen);
  for (uint32_t i = 0; i < code->nregs; i++) base[i] = ASY_UNBOUND;
  gen->nregs = code->nregs;
  FRAME_FUNC(base) = asy_from_obj(func);
  asy_frame_set_pc(base, code->words);
  /* only one with a `finally` or `with` has something to do when it is dropped */
  bool late = kind == KIND_ASYNC_GENERATOR || code->nhandlers;
  return !late || asy_register_finalizer(vm, gen) ? gen : NULL;
}

asy_value asy_agen_step_new(asy_vm *vm, asy_gen *gen, unsigned kind, asy_value value) {
  if (!asy_agen_hook(vm, gen)) return ASY_FAILED;
  asy_agen_step *step = asy_new_kind(vm, KIND_ASYNC_GENERATOR_STEP, sizeof *step);
  if (!step) return ASY_FAILED;
  step->gen = gen;
  step->kind = (uint8_t)kind;
  step->value = value;
  return asy_from_obj(step);
}

bool asy_agen_hook(asy_vm *vm, asy_gen *gen) {
  if (gen->hooked) return true;
  gen->hooked = true;
  if (!vm->async_gen_hooks[0]) return true;
  return asy_call1(vm, vm->async_gen_hooks[0], asy_from_obj(gen)) != ASY_FAILED;
}

asy_code *asy_coro_code(asy_coro *coro) {
  return asy_is_kind(coro->func, KIND_FUNCTION) ? ((asy_func *)asy_obj_of(coro->func))->code : NULL;
}

int32_t asy_coro_line(asy_vm *vm, asy_coro *coro) {
  (void)vm;
  asy_code *code = asy_coro_code(coro);
  if (!code || coro->state == CORO_CLOSED) return 0;
  if (coro->state == CORO_CREATED) return code->first_line;
  return asy_code_position(code, asy_frame_word(coro->on.base)).line;
}

static void drop_private_stack(asy_vm *vm, asy_coro *coro) {
  if (!(coro->head.flags & CORO_PRIVATE)) return;
  coro->head.flags &= (uint16_t)~CORO_PRIVATE;
  asy_stack *stack = coro->on.stack;
  coro->on.stack = NULL;
  asy_stack_free(vm, stack);
  asy_mem_free(vm, stack, sizeof *stack);
}

void asy_coro_closed(asy_vm *vm, asy_coro *coro) {
  (void)vm;
  coro->state = CORO_CLOSED;
  coro->running = false;
}

void asy_convert_stop_iteration(asy_vm *vm, asy_code *code) {
  bool async_generator = code->flags & CODE_ASYNC_GENERATOR;
  bool async_stop = async_generator && asy_raised_is(vm, ASY_StopAsyncIteration);
  if (!async_stop && !asy_raised_is(vm, ASY_StopIteration)) return;
  asy_value cause = asy_take_exception(vm);
  asy_value error = asy_new_exception(vm, ASY_RuntimeError, "%s raised %s",
                                      async_generator ? "async generator" : code->flags & CODE_COROUTINE ? "coroutine" : "generator",
                                      async_stop ? "StopAsyncIteration" : "StopIteration");
  if (error == ASY_FAILED) return;
  asy_exception *e = asy_exception_of(error);
  asy_store(vm, e, &e->cause, cause);
  asy_store(vm, e, &e->context, cause);
  e->suppress_context = true;
  asy_set_exception(vm, error);
}

/* ---- Driving by hand ----------------------------------------------------------------------------------------------- */

asy_value asy_take_stop_value(asy_vm *vm) {
  asy_value value = vm->stop_value;
  vm->stop_value = ASY_NONE;
  return value;
}

static asy_value delegate_throw(asy_vm *vm, asy_gen *gen, asy_value *thrown);

asy_value asy_gen_resume(asy_vm *vm, asy_gen *gen, asy_value sent, asy_value thrown) {
  vm->stop_value = ASY_NONE;
  if (gen->state == GEN_RUNNING) return asy_raise(vm, ASY_ValueError, "generator already executing");
  if (gen->state == GEN_CREATED && thrown) {
    gen->state = GEN_CLOSED;
    asy_set_exception(vm, thrown);
    asy_traceback_add(vm, asy_exception_of(thrown), asy_frame_func(asy_gen_base(gen)), 0);
    return ASY_FAILED;
  }
  if (gen->state == GEN_CLOSED) {
    if (!thrown) return ASY_END;
    asy_set_exception(vm, thrown);
    return ASY_FAILED;
  }
  if (gen->state == GEN_CREATED && sent != ASY_NONE)
    return asy_raise(vm, ASY_TypeError, "can't send non-None value to a just-started generator");
  if (!asy_check_c_stack(vm)) return ASY_FAILED;
  if (thrown && gen->state == GEN_SUSPENDED && ASY_WORD_OP(*asy_frame_pc(asy_gen_base(gen))) == OP_YIELD_FROM) {
    asy_value yielded = delegate_throw(vm, gen, &thrown);
    if (yielded != ASY_UNBOUND) return yielded;
  }
  asy_value *base = vm->base, *top = vm->top, *limit = vm->limit;
  asy_value result;
  const uint32_t *pc = asy_frame_pc(asy_gen_base(gen));
  asy_value resumed = ASY_UNBOUND;
  if (!thrown && gen->state == GEN_SUSPENDED && ASY_WORD_OP(*pc) != OP_YIELD_FROM && ASY_WORD_OP(pc[-1]) == OP_YIELD_FROM)
    resumed = asy_gen_base(gen)[ASY_WORD_A(pc[-1])]; /* delegate_throw has ended the delegation with this value */
  if (!asy_gen_enter(vm, gen, FRAME_BOUNDARY, resumed != ASY_UNBOUND ? resumed : sent)) return ASY_FAILED;
  asy_run_outcome outcome = asy_run(vm, vm->base, thrown, &result);
  vm->base = base;
  vm->top = top;
  vm->limit = limit;
  if (outcome == ASY_RUN_YIELDED) return result;
  if (outcome == ASY_RUN_RAISED) return ASY_FAILED;
  vm->stop_value = result;
  return ASY_END;
}

/* A throw into a generator that stands in `yield from it`: it first gets the exception. UNBOUND: go on resuming the generator,
 * with *thrown 0 (the delegation returned) or the exception that came out of it. Else what was yielded. */
static asy_value delegate_throw(asy_vm *vm, asy_gen *gen, asy_value *thrown) {
  asy_value *base = asy_gen_base(gen);
  const uint32_t *pc = asy_frame_pc(base);
  asy_value it = base[ASY_WORD_B(*pc)];
  gen->state = GEN_RUNNING;
  asy_value v;
  if (asy_is_instance(vm, *thrown, vm->exceptions[ASY_GeneratorExit])) {
    bool closed = asy_iterator_close(vm, it);
    v = ASY_FAILED;
    if (closed) asy_set_exception(vm, *thrown);
  } else {
    v = asy_iterator_send(vm, it, ASY_NONE, *thrown);
  }
  gen->state = GEN_SUSPENDED;
  if (v != ASY_FAILED && v != ASY_END) return v;
  asy_frame_set_pc(base, pc + 1);
  *thrown = 0;
  if (v == ASY_FAILED) {
    *thrown = asy_take_exception(vm);
  } else {
    base[ASY_WORD_A(*pc)] = vm->stop_value;
    vm->stop_value = ASY_NONE;
    asy_barrier(vm, gen);
  }
  return ASY_UNBOUND;
}

static asy_value native_coro_send(asy_vm *vm, asy_coro *coro, asy_value thrown) {
  if (coro->state == CORO_CREATED) {
    asy_nativefunc *native = (asy_nativefunc *)asy_obj_of(coro->func);
    if (thrown) {
      coro->state = CORO_CLOSED;
      asy_set_exception(vm, thrown);
      return ASY_FAILED;
    }
    coro->state = CORO_ON_STACK;
    vm->runs++; /* it must not park the task: whoever sends is to get a future */
    asy_value result = native->fn(vm, coro->args);
    vm->runs--;
    if (result == ASY_PARKED) {
      asy_value future = vm->pending_future;
      vm->pending_future = 0;
      asy_store(vm, coro, &coro->args[0], future);
      coro->nargs = 1;
      asy_obj_of(future)->flags |= FUTURE_BLOCKING;
      return future;
    }
    coro->state = CORO_CLOSED;
    vm->stop_value = result;
    return result == ASY_FAILED ? ASY_FAILED : ASY_END;
  }
  if (!thrown && !asy_future_done(coro->args[0])) {
    asy_obj_of(coro->args[0])->flags |= FUTURE_BLOCKING;
    return coro->args[0];
  }
  coro->state = CORO_CLOSED;
  if (thrown) {
    asy_set_exception(vm, thrown);
    return ASY_FAILED;
  }
  vm->stop_value = asy_future_result(vm, coro->args[0]);
  return vm->stop_value == ASY_FAILED ? ASY_FAILED : ASY_END;
}

bool asy_coro_is_running(asy_vm *vm, const asy_coro *coro) {
  if (coro->state != CORO_ON_STACK || !asy_coro_code((asy_coro *)coro)) return false;
  for (const asy_stack *s = vm->stack; s; s = s->below)
    if (coro->head.flags & CORO_PRIVATE ? s == coro->on.stack : s->owner && s->owner == coro->on.owner) return true;
  return false;
}

/* The top frame of the suspended stack that a coroutine lies on; NULL unknown. */
static asy_value *suspended_top(const asy_coro *coro) {
  if (coro->head.flags & CORO_PRIVATE) return coro->on.stack->base;
  asy_obj *owner = coro->on.owner;
  if (!owner) return NULL;
  if (owner->kind == KIND_TASK) return ((asy_task *)owner)->base;
  if (owner->kind == KIND_COROUTINE && owner->flags & CORO_PRIVATE) return ((asy_coro *)owner)->on.stack->base;
  return NULL;
}

asy_value asy_coro_send(asy_vm *vm, asy_coro *coro, asy_value sent, asy_value thrown) {
  vm->stop_value = ASY_NONE;
  if (coro->running) return asy_raise(vm, ASY_ValueError, "coroutine already executing");
  if (coro->state == CORO_CLOSED) return asy_raise(vm, ASY_RuntimeError, "cannot reuse already awaited coroutine");
  if (!asy_check_c_stack(vm)) return ASY_FAILED;
  if (asy_is_kind(coro->func, KIND_NATIVE)) return native_coro_send(vm, coro, thrown);
  if (asy_coro_is_running(vm, coro))
    return asy_raise(vm, ASY_ValueError, "coroutine already executing");
  if (coro->state == CORO_ON_STACK && !(coro->head.flags & CORO_PRIVATE))
    return asy_raise(vm, ASY_RuntimeError, "coroutine is being awaited already");
  if (coro->state == CORO_CREATED) {
    if (thrown) {
      coro->state = CORO_CLOSED;
      asy_set_exception(vm, thrown);
      asy_traceback_add(vm, asy_exception_of(thrown), (asy_func *)asy_obj_of(coro->func), 0);
      return ASY_FAILED;
    }
    if (sent != ASY_NONE) return asy_raise(vm, ASY_TypeError, "can't send non-None value to a just-started coroutine");
    asy_stack *stack = asy_mem_alloc(vm, sizeof *stack);
    if (!stack) return ASY_FAILED;
    asy_stack_init(vm, stack, &coro->head);
    if (!asy_stack_start_coroutine(vm, stack, coro)) {
      asy_stack_free(vm, stack);
      asy_mem_free(vm, stack, sizeof *stack);
      return ASY_FAILED;
    }
    stack->depth = vm->depth + 1;
    coro->head.flags |= CORO_PRIVATE;
    coro->on.stack = stack;
    coro->head.gc &= (uint8_t)~ASY_GC_FINALIZED; /* dropped while suspended, it is closed */
  }
  coro->running = true;
  asy_value result;
  asy_run_outcome outcome = asy_resume_stack(vm, coro->on.stack, sent, thrown, &result);
  coro->running = false;
  if (outcome == ASY_RUN_YIELDED) return result;
  drop_private_stack(vm, coro);
  coro->state = CORO_CLOSED;
  if (outcome == ASY_RUN_RAISED) return ASY_FAILED;
  vm->stop_value = result;
  return ASY_END;
}

/* After a close: what the frame did with GeneratorExit. */
static bool closed_quietly(asy_vm *vm, asy_value outcome, const char *what) {
  if (outcome == ASY_END) {
    vm->stop_value = ASY_NONE;
    return true;
  }
  if (outcome != ASY_FAILED) {
    asy_raise(vm, ASY_RuntimeError, "%s ignored GeneratorExit", what);
    return false;
  }
  if (!asy_raised_is(vm, ASY_GeneratorExit) && !asy_raised_is(vm, ASY_StopIteration)) return false;
  asy_clear_exception(vm);
  return true;
}

bool asy_gen_close(asy_vm *vm, asy_gen *gen) {
  if (gen->state == GEN_CREATED) gen->state = GEN_CLOSED;
  if (gen->state == GEN_CLOSED) return true;
  asy_value exit = asy_new_exception(vm, ASY_GeneratorExit, "");
  if (exit == ASY_FAILED) return false;
  return closed_quietly(vm, asy_gen_resume(vm, gen, ASY_NONE, exit), "generator");
}

bool asy_coro_close(asy_vm *vm, asy_coro *coro) {
  if (coro->state == CORO_CREATED) coro->state = CORO_CLOSED;
  if (coro->state == CORO_CLOSED) return true;
  asy_value exit = asy_new_exception(vm, ASY_GeneratorExit, "");
  if (exit == ASY_FAILED) return false;
  return closed_quietly(vm, asy_coro_send(vm, coro, ASY_NONE, exit), "coroutine");
}

bool asy_iterator_close(asy_vm *vm, asy_value it) {
  if (asy_is_kind(it, KIND_GENERATOR)) return asy_gen_close(vm, (asy_gen *)asy_obj_of(it));
  if (asy_is_kind(it, KIND_COROUTINE)) return asy_coro_close(vm, (asy_coro *)asy_obj_of(it));
  asy_value close;
  int found = asy_find_attr(vm, it, ASY_NAME(vm, close), &close);
  if (found <= 0) return found == 0;
  return asy_call0(vm, close) != ASY_FAILED;
}

/* What a call of send, throw or __next__ gave: a StopIteration is the end, with its value. */
static asy_value end_of_stop(asy_vm *vm, asy_value v) {
  if (v != ASY_FAILED || !asy_raised_is(vm, ASY_StopIteration)) return v;
  vm->stop_value = asy_stop_value(asy_take_exception(vm));
  return ASY_END;
}

static asy_value foreign_send(asy_vm *vm, asy_value it, asy_value sent, asy_value thrown) {
  vm->stop_value = ASY_NONE;
  if (thrown) {
    asy_value method;
    int found = asy_find_attr(vm, it, ASY_NAME(vm, throw), &method);
    if (found < 0) return ASY_FAILED;
    if (!found) {
      asy_set_exception(vm, thrown);
      return ASY_FAILED;
    }
    return end_of_stop(vm, asy_call1(vm, method, thrown));
  }
  if (sent != ASY_NONE) return end_of_stop(vm, asy_call_method(vm, it, ASY_NAME(vm, send), 1, &sent));
  asy_class *cls = asy_class_of(vm, it);
  if (cls->flags & ASY_CLASS_BUILTIN) return asy_next(vm, it);
  asy_value v = asy_call_special(vm, it, ASY_NAME(vm, __next__), 0, NULL);
  if (v == ASY_UNBOUND) return asy_raise(vm, ASY_TypeError, "'%T' object is not an iterator", it);
  return end_of_stop(vm, v);
}

asy_value asy_iterator_send(asy_vm *vm, asy_value it, asy_value sent, asy_value thrown) {
  if (asy_is_obj(it)) {
    asy_obj *o = asy_obj_of(it);
    switch (o->kind) {
      case KIND_GENERATOR: return asy_gen_resume(vm, (asy_gen *)o, sent, thrown);
      case KIND_COROUTINE: return asy_coro_send(vm, (asy_coro *)o, sent, thrown);
      case KIND_ASYNC_GENERATOR_STEP: return asy_agen_step_send(vm, (asy_agen_step *)o, sent, thrown);
      case KIND_AWAITER: return asy_iterator_send(vm, ((asy_awaiter *)o)->iterator, sent, thrown);
    }
  }
  return foreign_send(vm, it, sent, thrown);
}

/* ---- Awaitables ---------------------------------------------------------------------------------------------------- */

static asy_value awaiter_new(asy_vm *vm, asy_value iterator) {
  asy_awaiter *awaiter = asy_new_kind(vm, KIND_AWAITER, sizeof *awaiter);
  if (!awaiter) return ASY_FAILED;
  awaiter->iterator = iterator;
  return asy_from_obj(awaiter);
}

asy_value asy_get_awaitable(asy_vm *vm, asy_value v) {
  if (asy_is_obj(v)) {
    switch (asy_obj_of(v)->kind) {
      case KIND_COROUTINE:
      case KIND_FUTURE:
      case KIND_TASK:
      case KIND_ASYNC_GENERATOR_STEP:
      case KIND_AWAITER: return v;
      case KIND_GENERATOR:
        if (asy_frame_code(asy_gen_base((asy_gen *)asy_obj_of(v)))->flags & CODE_ITERABLE_COROUTINE) return awaiter_new(vm, v);
    }
  }
  asy_value it = asy_call_special(vm, v, ASY_NAME(vm, __await__), 0, NULL);
  if (it == ASY_UNBOUND) return asy_raise(vm, ASY_TypeError, "object %T can't be used in 'await' expression", v);
  if (it == ASY_FAILED) return ASY_FAILED;
  if (asy_is_kind(it, KIND_COROUTINE)) return asy_raise(vm, ASY_TypeError, "__await__() returned a coroutine");
  if (asy_is_kind(it, KIND_AWAITER)) return it;
  asy_value fn, self;
  int found = asy_find_special(vm, it, ASY_NAME(vm, __next__), &fn, &self);
  if (found < 0) return ASY_FAILED;
  if (!found) return asy_raise(vm, ASY_TypeError, "__await__() returned non-iterator of type '%T'", it);
  return awaiter_new(vm, it);
}

/* ---- The objects' methods, shared: send, throw, close ---------------------------------------------------------------- */

/* The exception of throw(type_or_value, value, tb). */
static asy_value thrown_of(asy_vm *vm, const asy_value *args) {
  asy_value what = args[1];
  if (args[2] != ASY_NONE && asy_is_kind(what, KIND_TYPE)) {
    if (asy_is_instance(vm, args[2], (asy_class *)asy_obj_of(what)))
      what = args[2];
    else
      what = asy_is_kind(args[2], KIND_TUPLE) ? asy_call_ex(vm, what, (asy_tuple *)asy_obj_of(args[2]), NULL)
                                              : asy_call1(vm, what, args[2]);
    if (what == ASY_FAILED) return ASY_FAILED;
  }
  if (asy_is_kind(what, KIND_TYPE) && ((asy_class *)asy_obj_of(what))->flags & ASY_CLASS_EXCEPTION) {
    what = asy_call0(vm, what);
    if (what == ASY_FAILED) return ASY_FAILED;
  }
  if (!asy_is_kind(what, KIND_EXCEPTION))
    return asy_raise(vm, ASY_TypeError, "exceptions must be classes or instances deriving from BaseException, not %T", what);
  return what;
}

/* A result of asy_iterator_send as a method returns it: the end is StopIteration. */
static asy_value or_stop(asy_vm *vm, asy_value v) {
  if (v != ASY_END) return v;
  return asy_raise_stop(vm, asy_take_stop_value(vm));
}

static asy_value iterator_send(asy_vm *vm, const asy_value *args) {
  return or_stop(vm, asy_iterator_send(vm, args[0], args[1], 0));
}

static asy_value iterator_throw(asy_vm *vm, const asy_value *args) {
  asy_value thrown = thrown_of(vm, args);
  if (thrown == ASY_FAILED) return ASY_FAILED;
  return or_stop(vm, asy_iterator_send(vm, args[0], ASY_NONE, thrown));
}

static asy_value coroutine_close(asy_vm *vm, const asy_value *args) {
  return asy_iterator_close(vm, args[0]) ? ASY_NONE : ASY_FAILED;
}

/* CPython 3.13: close() of a generator gives the value it returned. */
static asy_value generator_close(asy_vm *vm, const asy_value *args) {
  asy_gen *gen = (asy_gen *)asy_obj_of(args[0]);
  if (gen->state == GEN_CREATED) gen->state = GEN_CLOSED;
  if (gen->state == GEN_CLOSED) return ASY_NONE;
  asy_value exit = asy_new_exception(vm, ASY_GeneratorExit, "");
  if (exit == ASY_FAILED) return ASY_FAILED;
  asy_value outcome = asy_gen_resume(vm, gen, ASY_NONE, exit);
  if (outcome == ASY_END) {
    asy_value value = vm->stop_value;
    vm->stop_value = ASY_NONE;
    return value;
  }
  return closed_quietly(vm, outcome, "generator") ? ASY_NONE : ASY_FAILED;
}

static asy_value itself(asy_vm *vm, asy_value self) {
  (void)vm;
  return self;
}

static asy_value next_of(asy_vm *vm, asy_value self) {
  return asy_iterator_send(vm, self, ASY_NONE, 0);
}

/* ---- Generators ---------------------------------------------------------------------------------------------------- */

static void gen_visit(asy_obj *o, asy_visitor *v) {
  asy_gen *gen = (asy_gen *)o;
  asy_visit_obj(v, gen->name);
  asy_visit_obj(v, gen->qualname);
  asy_visit_value(v, gen->handled);
  asy_visit_value(v, gen->outer_handled);
  asy_value *base = asy_gen_base(gen);
  asy_visit_value(v, FRAME_FUNC(base));
  for (uint32_t i = 0; i < gen->nregs; i++) asy_visit_conservative(v, base[i]);
}

/* A suspended generator that nobody can resume is closed, so that its finally blocks run. */
static void gen_finalize(asy_vm *vm, asy_obj *o) {
  asy_gen *gen = (asy_gen *)o;
  if (gen->state != GEN_SUSPENDED) return;
  if (gen->head.kind == KIND_ASYNC_GENERATOR) {
    if (vm->async_gen_hooks[1] && asy_call1(vm, vm->async_gen_hooks[1], asy_from_obj(o)) == ASY_FAILED)
      asy_report_unraisable(vm, asy_from_obj(o));
    return;
  }
  if (!asy_gen_close(vm, gen)) asy_report_unraisable(vm, asy_from_obj(o));
}

static asy_value object_repr(asy_vm *vm, const char *what, asy_str *qualname, asy_value self) {
  asy_str *s = asy_str_format(vm, "<%s object %U at %p>", what, qualname, (void *)(uintptr_t)self);
  return s ? asy_from_obj(s) : ASY_FAILED;
}

static asy_value gen_repr(asy_vm *vm, asy_value self) {
  asy_gen *gen = (asy_gen *)asy_obj_of(self);
  return object_repr(vm, gen->head.kind == KIND_GENERATOR ? "generator" : "async_generator", gen->qualname, self);
}

#define GEN_SELF ((asy_gen *)asy_obj_of(args[0]))
static asy_value gen_get_running(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return asy_from_bool(GEN_SELF->state == GEN_RUNNING);
}
static asy_value gen_get_suspended(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return asy_from_bool(GEN_SELF->state == GEN_SUSPENDED);
}
static asy_value gen_get_code(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return asy_from_obj(asy_frame_code(asy_gen_base(GEN_SELF)));
}
static asy_value gen_get_frame(asy_vm *vm, const asy_value *args) {
  asy_gen *gen = GEN_SELF;
  return gen->state == GEN_CLOSED ? ASY_NONE : asy_frame_object(vm, asy_gen_base(gen));
}
static asy_value gen_get_yieldfrom(asy_vm *vm, const asy_value *args) {
  (void)vm;
  asy_gen *gen = GEN_SELF;
  asy_value *base = asy_gen_base(gen);
  const uint32_t *pc = asy_frame_pc(base);
  if (gen->state != GEN_SUSPENDED || ASY_WORD_OP(*pc) != OP_YIELD_FROM) return ASY_NONE;
  return base[ASY_WORD_B(*pc)];
}
static asy_value set_str(asy_vm *vm, void *owner, asy_str **place, asy_value v, const char *name) {
  if (!asy_is_str(v)) return asy_raise(vm, ASY_TypeError, "%s must be set to a string object", name);
  *place = (asy_str *)asy_obj_of(v);
  asy_barrier(vm, owner);
  return ASY_NONE;
}
static asy_value gen_get_name(asy_vm *vm, const asy_value *args) { (void)vm; return asy_from_obj(GEN_SELF->name); }
static asy_value gen_set_name(asy_vm *vm, const asy_value *args) {
  return set_str(vm, GEN_SELF, &GEN_SELF->name, args[1], "__name__");
}
static asy_value gen_get_qualname(asy_vm *vm, const asy_value *args) { (void)vm; return asy_from_obj(GEN_SELF->qualname); }
static asy_value gen_set_qualname(asy_vm *vm, const asy_value *args) {
  return set_str(vm, GEN_SELF, &GEN_SELF->qualname, args[1], "__qualname__");
}

#define NAME_ROWS                                                                                       \
  {"__name__", "(self)", gen_get_name, "Name of the function.", ASY_NATIVE_GETTER},                     \
  {"__name__", "(self, value)", gen_set_name, NULL, ASY_NATIVE_SETTER},                                 \
  {"__qualname__", "(self)", gen_get_qualname, "Qualified name of the function.", ASY_NATIVE_GETTER},   \
  {"__qualname__", "(self, value)", gen_set_qualname, NULL, ASY_NATIVE_SETTER}

static const asy_native generator_methods[] = {
    {"send", "(self, value, /)", iterator_send, "Resume with a value; the next one yielded.", 0},
    {"throw", "(self, typ, val=None, tb=None, /)", iterator_throw, "Raise an exception where the generator stands.", 0},
    {"close", "(self, /)", generator_close, "Raise GeneratorExit where the generator stands.", 0},
    {"gi_running", "(self)", gen_get_running, "Whether it is running now.", ASY_NATIVE_GETTER},
    {"gi_suspended", "(self)", gen_get_suspended, "Whether it stands at a yield.", ASY_NATIVE_GETTER},
    {"gi_code", "(self)", gen_get_code, "Its code.", ASY_NATIVE_GETTER},
    {"gi_frame", "(self)", gen_get_frame, "Its frame; None when finished.", ASY_NATIVE_GETTER},
    {"gi_yieldfrom", "(self)", gen_get_yieldfrom, "The iterator it delegates to.", ASY_NATIVE_GETTER},
    NAME_ROWS,
    {0},
};
const asy_type asy_generator_type = {
    .name = "generator", .size = sizeof(asy_gen), .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW | ASY_TYPE_LATE_FINALIZE,
    .visit = gen_visit,
    .finalize = gen_finalize, .repr = gen_repr, .iter = itself, .next = next_of, .methods = generator_methods,
};

/* ---- Async generators ---------------------------------------------------------------------------------------------- */

static asy_value agen_anext(asy_vm *vm, const asy_value *args) { return asy_agen_step_new(vm, GEN_SELF, GEN_STEP_NEXT, ASY_NONE); }
static asy_value agen_asend(asy_vm *vm, const asy_value *args) { return asy_agen_step_new(vm, GEN_SELF, GEN_STEP_SEND, args[1]); }
static asy_value agen_aclose(asy_vm *vm, const asy_value *args) {
  return asy_agen_step_new(vm, GEN_SELF, GEN_STEP_CLOSE, ASY_NONE);
}
static asy_value agen_athrow(asy_vm *vm, const asy_value *args) {
  asy_value thrown = thrown_of(vm, args);
  return thrown == ASY_FAILED ? ASY_FAILED : asy_agen_step_new(vm, GEN_SELF, GEN_STEP_THROW, thrown);
}
static asy_value agen_aiter(asy_vm *vm, const asy_value *args) { (void)vm; return args[0]; }
static asy_value agen_get_await(asy_vm *vm, const asy_value *args) { (void)vm; (void)args; return ASY_NONE; }
#undef GEN_SELF

static const asy_native agen_methods[] = {
    {"__aiter__", "(self, /)", agen_aiter, "Itself.", 0},
    {"__anext__", "(self, /)", agen_anext, "Awaitable of the next value.", 0},
    {"asend", "(self, value, /)", agen_asend, "Awaitable: resume with a value.", 0},
    {"athrow", "(self, typ, val=None, tb=None, /)", agen_athrow, "Awaitable: raise where the generator stands.", 0},
    {"aclose", "(self, /)", agen_aclose, "Awaitable: raise GeneratorExit where the generator stands.", 0},
    {"ag_running", "(self)", gen_get_running, "Whether it is running now.", ASY_NATIVE_GETTER},
    {"ag_code", "(self)", gen_get_code, "Its code.", ASY_NATIVE_GETTER},
    {"ag_frame", "(self)", gen_get_frame, "Its frame; None when finished.", ASY_NATIVE_GETTER},
    {"ag_await", "(self)", agen_get_await, "What it awaits.", ASY_NATIVE_GETTER},
    NAME_ROWS,
    {0},
};
const asy_type asy_async_generator_type = {
    .name = "async_generator", .size = sizeof(asy_gen), .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW | ASY_TYPE_LATE_FINALIZE,
    .visit = gen_visit,
    .finalize = gen_finalize, .repr = gen_repr, .methods = agen_methods,
};

static void step_visit(asy_obj *o, asy_visitor *v) {
  asy_agen_step *step = (asy_agen_step *)o;
  asy_visit_obj(v, step->gen);
  asy_visit_value(v, step->value);
  if (step->stack) asy_stack_visit(step->stack, v);
}

static void step_free(asy_vm *vm, asy_obj *o) {
  asy_agen_step *step = (asy_agen_step *)o;
  if (!step->stack) return;
  asy_stack_free(vm, step->stack);
  asy_mem_free(vm, step->stack, sizeof(asy_stack));
}

static const asy_native step_methods[] = {
    {"send", "(self, value, /)", iterator_send, "Resume with a value.", 0},
    {"throw", "(self, typ, val=None, tb=None, /)", iterator_throw, "Raise an exception where it stands.", 0},
    {"close", "(self, /)", coroutine_close, "End it.", 0},
    {0},
};
const asy_type asy_async_generator_step_type = {
    .name = "async_generator_asend", .size = sizeof(asy_agen_step), .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW,
    .visit = step_visit, .free = step_free, .iter = itself, .next = next_of, .await_ = itself, .methods = step_methods,
};

/* ---- Coroutines ---------------------------------------------------------------------------------------------------- */

static void coro_visit(asy_obj *o, asy_visitor *v) {
  asy_coro *coro = (asy_coro *)o;
  asy_visit_value(v, coro->func);
  asy_visit_obj(v, coro->origin_code);
  if (coro->state == CORO_CREATED || (coro->state == CORO_ON_STACK && asy_is_kind(coro->func, KIND_NATIVE)))
    asy_visit_values(v, coro->args, coro->nargs);
  else if (coro->head.flags & CORO_PRIVATE)
    asy_stack_visit(coro->on.stack, v);
  else if (coro->state == CORO_ON_STACK)
    asy_visit_obj(v, coro->on.owner);
}

static void coro_free(asy_vm *vm, asy_obj *o) { drop_private_stack(vm, (asy_coro *)o); }

static asy_str *coro_name(asy_vm *vm, asy_coro *coro, bool qualified) {
  (void)vm;
  if (asy_is_kind(coro->func, KIND_NATIVE)) return ((asy_nativefunc *)asy_obj_of(coro->func))->name;
  asy_func *func = (asy_func *)asy_obj_of(coro->func);
  return qualified ? func->qualname : func->name;
}

static void coro_finalize(asy_vm *vm, asy_obj *o) {
  asy_coro *coro = (asy_coro *)o;
  if (coro->state == CORO_CREATED && !coro->warned) {
    coro->warned = true;
    asy_warn_never_awaited(vm, coro);
  } else if (coro->state == CORO_ON_STACK && coro->head.flags & CORO_PRIVATE && !asy_coro_close(vm, coro)) {
    asy_report_unraisable(vm, asy_from_obj(o));
  }
}

static asy_value coro_repr(asy_vm *vm, asy_value self) {
  return object_repr(vm, "coroutine", coro_name(vm, (asy_coro *)asy_obj_of(self), true), self);
}

static asy_value coro_await(asy_vm *vm, asy_value self) { return awaiter_new(vm, self); }

#define CORO_SELF ((asy_coro *)asy_obj_of(args[0]))
static asy_value coro_get_running(asy_vm *vm, const asy_value *args) { (void)vm; return asy_from_bool(asy_coro_is_running(vm, CORO_SELF)); }
static asy_value coro_get_suspended(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return asy_from_bool(CORO_SELF->state == CORO_ON_STACK && !asy_coro_is_running(vm, CORO_SELF));
}
static asy_value coro_get_code(asy_vm *vm, const asy_value *args) {
  (void)vm;
  asy_code *code = asy_coro_code(CORO_SELF);
  return code ? asy_from_obj(code) : ASY_NONE;
}
static asy_value coro_get_frame(asy_vm *vm, const asy_value *args) {
  asy_coro *coro = CORO_SELF;
  if (coro->state == CORO_CLOSED || !asy_coro_code(coro)) return ASY_NONE;
  return coro->state == CORO_ON_STACK ? asy_frame_object(vm, coro->on.base)
                                      : asy_frame_object_at(vm, (asy_func *)asy_obj_of(coro->func), 0);
}
/* The frame that a suspended coroutine's frame awaits; NULL when that is the top one. */
static asy_value *frame_above(const asy_coro *coro) {
  asy_value *above = NULL;
  for (asy_value *at = suspended_top(coro); at && at != coro->on.base; at = asy_frame_back(at)) above = at;
  return above;
}

/* The coroutine object of a frame; one that AWAIT_CALL entered without any gets it now. None for other frames. */
static asy_value coroutine_of_frame(asy_vm *vm, asy_obj *owner, asy_value *base) {
  asy_code *code = asy_frame_code(base);
  if (!(code->flags & CODE_COROUTINE)) return ASY_NONE;
  if (FRAME_INFO(base) & FRAME_CORO) return base[code->self_register];
  asy_coro *coro = asy_coro_new(vm, FRAME_FUNC(base), NULL, 0);
  if (!coro) return ASY_FAILED;
  coro->state = CORO_ON_STACK;
  asy_cancel_finalizer(coro);
  coro->on.owner = owner;
  coro->on.base = base;
  base[code->self_register] = asy_from_obj(coro);
  FRAME_INFO(base) |= FRAME_CORO;
  if (owner) asy_barrier(vm, owner);
  return asy_from_obj(coro);
}

static asy_value coro_get_await(asy_vm *vm, const asy_value *args) {
  (void)vm;
  asy_coro *coro = CORO_SELF;
  if (coro->state != CORO_ON_STACK || !asy_coro_code(coro) || asy_coro_is_running(vm, coro)) return ASY_NONE;
  asy_value *above = frame_above(coro);
  if (above) return coroutine_of_frame(vm, coro->head.flags & CORO_PRIVATE ? &coro->head : coro->on.owner, above);
  const uint32_t *pc = asy_frame_pc(coro->on.base);
  if (ASY_WORD_OP(*pc) != OP_AWAIT) return ASY_NONE;
  asy_value v = coro->on.base[ASY_WORD_B(*pc)];
  return asy_is_kind(v, KIND_AWAITER) ? ((asy_awaiter *)asy_obj_of(v))->iterator : v;
}
static asy_value coro_get_name(asy_vm *vm, const asy_value *args) { return asy_from_obj(coro_name(vm, CORO_SELF, false)); }
static asy_value coro_get_qualname(asy_vm *vm, const asy_value *args) { return asy_from_obj(coro_name(vm, CORO_SELF, true)); }
static asy_value coro_get_origin(asy_vm *vm, const asy_value *args) { (void)vm; (void)args; return ASY_NONE; }
#undef CORO_SELF

static const asy_native coroutine_methods[] = {
    {"send", "(self, value, /)", iterator_send, "Resume with a value.", 0},
    {"throw", "(self, typ, val=None, tb=None, /)", iterator_throw, "Raise an exception where the coroutine stands.", 0},
    {"close", "(self, /)", coroutine_close, "Raise GeneratorExit where the coroutine stands.", 0},
    {"cr_running", "(self)", coro_get_running, "Whether it is running now.", ASY_NATIVE_GETTER},
    {"cr_suspended", "(self)", coro_get_suspended, "Whether it stands at an await.", ASY_NATIVE_GETTER},
    {"cr_code", "(self)", coro_get_code, "Its code.", ASY_NATIVE_GETTER},
    {"cr_frame", "(self)", coro_get_frame, "Its frame; None when finished.", ASY_NATIVE_GETTER},
    {"cr_await", "(self)", coro_get_await, "What it awaits.", ASY_NATIVE_GETTER},
    {"cr_origin", "(self)", coro_get_origin, "Always None: tracebacks show where tasks were created.", ASY_NATIVE_GETTER},
    {"__name__", "(self)", coro_get_name, "Name of the function.", ASY_NATIVE_GETTER},
    {"__qualname__", "(self)", coro_get_qualname, "Qualified name of the function.", ASY_NATIVE_GETTER},
    {0},
};
const asy_type asy_coroutine_type = {
    .name = "coroutine", .size = sizeof(asy_coro), .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW, .visit = coro_visit,
    .free = coro_free, .finalize = coro_finalize, .repr = coro_repr, .await_ = coro_await, .methods = coroutine_methods,
};

static void awaiter_visit(asy_obj *o, asy_visitor *v) { asy_visit_value(v, ((asy_awaiter *)o)->iterator); }

static const asy_native awaiter_methods[] = {
    {"send", "(self, value, /)", iterator_send, "Resume with a value.", 0},
    {"throw", "(self, typ, val=None, tb=None, /)", iterator_throw, "Raise an exception where it stands.", 0},
    {"close", "(self, /)", coroutine_close, "End it.", 0},
    {0},
};
const asy_type asy_awaiter_type = {
    .name = "coroutine_wrapper", .size = sizeof(asy_awaiter), .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW,
    .visit = awaiter_visit, .iter = itself, .next = next_of, .methods = awaiter_methods,
};

/* ---- A coroutine that nobody awaited --------------------------------------------------------------------------------- */

void asy_warn_never_awaited(asy_vm *vm, asy_coro *coro) {
  asy_str *name = coro_name(vm, coro, true);
  asy_value pending = asy_raised(vm) ? asy_take_exception(vm) : 0;
  asy_str *text;
  if (coro->origin_code) {
    int32_t line = asy_code_position(coro->origin_code, coro->origin_word).line;
    text = asy_str_format(vm, "%U:%d: RuntimeWarning: coroutine '%U' was never awaited\n", coro->origin_code->filename, line,
                          name);
  } else {
    text = asy_str_format(vm, "RuntimeWarning: coroutine '%U' was never awaited\n", name);
  }
  size_t length;
  asy_value keep;
  const char *utf8 = text ? asy_str_utf8(vm, text, &length, &keep) : NULL;
  if (!utf8 || !asy_write_stderr(vm, utf8, length)) asy_clear_exception(vm);
  if (pending) asy_set_exception(vm, pending);
}
