/* coro.c - coroutines as objects, driving them by hand, and what can be awaited. */
#include "lang/opcode.h"
#include "runtime/builtins.h"
#include "runtime/class.h"
#include "runtime/drive.h"
#include "runtime/exc.h"
#include "runtime/frame.h"
#include "runtime/future.h"
#include "runtime/task.h"
#include "runtime/types/iter.h"

asy_coro *asy_coro_new(asy_vm *vm, asy_value func, const asy_value *args, uint32_t nargs) {
  uint32_t room = nargs < 2 ? 2 : nargs;
  asy_coro *coro = asy_new_kind(vm, KIND_COROUTINE, offsetof(asy_coro, args) + room * sizeof(asy_value));
  if (!coro) return NULL;
  coro->func = func;
  coro->nargs = (uint8_t)nargs;
  if (nargs) memcpy(coro->args, args, nargs * sizeof *args);
  if (vm->base) {
    coro->origin_code = asy_frame_code(vm->base);
    coro->origin_word = asy_frame_word(vm->base);
  }
  return coro;
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

/* ---- Driving by hand ----------------------------------------------------------------------------------------------- */

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
  if (asy_coro_is_running(vm, coro)) return asy_raise(vm, ASY_ValueError, "coroutine already executing");
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

bool asy_coro_close(asy_vm *vm, asy_coro *coro) {
  if (coro->state == CORO_CREATED) coro->state = CORO_CLOSED;
  if (coro->state == CORO_CLOSED) return true;
  asy_value exit = asy_new_exception(vm, ASY_GeneratorExit, "");
  if (exit == ASY_FAILED) return false;
  return asy_closed_quietly(vm, asy_coro_send(vm, coro, ASY_NONE, exit), "coroutine");
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
      case KIND_FUTURE:
      case KIND_TASK:
        if (asy_future_inherits(vm, v, ASY_NAME(vm, __await__))) return v;
        break;
      case KIND_COROUTINE:
      case KIND_ASYNC_GENERATOR_STEP:
      case KIND_AWAITER: return v;
      case KIND_GENERATOR:
        if (asy_frame_code(asy_gen_base((asy_gen *)asy_obj_of(v)))->flags & CODE_ITERABLE_COROUTINE)
          return awaiter_new(vm, v);
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

/* ---- Coroutines ---------------------------------------------------------------------------------------------------- */

static void coro_visit(asy_obj *o, asy_visitor *v) {
  asy_coro *coro = (asy_coro *)o;
  asy_visit_value(v, coro->func);
  asy_visit_obj(v, coro->origin_code);
  if (coro->state == CORO_CREATED || (coro->state == CORO_ON_STACK && asy_is_kind(coro->func, KIND_NATIVE)))
    asy_visit_values(v, coro->args, coro->nargs);
  else if (coro->head.flags & CORO_PRIVATE) asy_stack_visit(coro->on.stack, v);
  else if (coro->state == CORO_ON_STACK) asy_visit_obj(v, coro->on.owner);
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
  return asy_suspended_repr(vm, "coroutine", coro_name(vm, (asy_coro *)asy_obj_of(self), true), self);
}

static asy_value coro_await(asy_vm *vm, asy_value self) { return awaiter_new(vm, self); }

#define CORO_SELF ((asy_coro *)asy_obj_of(args[0]))
static asy_value coro_get_running(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return asy_from_bool(asy_coro_is_running(vm, CORO_SELF));
}
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
static asy_value coro_get_name(asy_vm *vm, const asy_value *args) {
  return asy_from_obj(coro_name(vm, CORO_SELF, false));
}
static asy_value coro_get_qualname(asy_vm *vm, const asy_value *args) {
  return asy_from_obj(coro_name(vm, CORO_SELF, true));
}
static asy_value coro_get_origin(asy_vm *vm, const asy_value *args) {
  const asy_code *code = CORO_SELF->origin_code;
  if (!code || !vm->origin_depth) return ASY_NONE;
  asy_value line = asy_from_small(asy_code_position(CORO_SELF->origin_code, CORO_SELF->origin_word).line);
  return asy_tuple_of(vm, 1, asy_tuple_of(vm, 3, asy_from_obj(code->filename), line, asy_from_obj(code->name)));
}
#undef CORO_SELF

/* (column, end column) in UTF-8 bytes of the call that made it, for a warning's caret; None when unknown or of several lines */
static asy_value coro_get_origin_columns(asy_vm *vm, const asy_value *args) {
  const asy_coro *coro = (const asy_coro *)asy_obj_of(args[0]);
  if (!coro->origin_code) return ASY_NONE;
  asy_position at = asy_code_position(coro->origin_code, coro->origin_word);
  if (!at.line || at.line != at.end_line) return ASY_NONE;
  return asy_tuple_of(vm, 2, asy_from_small(at.col), asy_from_small(at.end_col));
}

static const asy_native coroutine_methods[] = {
  {"send", SIG("(self, value, /)"), asy_suspended_send, DOC("Resume with a value."), 0},
  {"throw", SIG("(self, typ, val=None, tb=None, /)"), asy_suspended_throw,
   DOC("Raise an exception where the coroutine stands."), 0},
  {"close", SIG("(self, /)"), asy_suspended_close, DOC("Raise GeneratorExit where the coroutine stands."), 0},
  {"cr_running", SIG("(self)"), coro_get_running, DOC("Whether it is running now."), ASY_NATIVE_GETTER},
  {"cr_suspended", SIG("(self)"), coro_get_suspended, DOC("Whether it stands at an await."), ASY_NATIVE_GETTER},
  {"cr_code", SIG("(self)"), coro_get_code, DOC("Its code."), ASY_NATIVE_GETTER},
  {"cr_frame", SIG("(self)"), coro_get_frame, DOC("Its frame; None when finished."), ASY_NATIVE_GETTER},
  {"cr_await", SIG("(self)"), coro_get_await, DOC("What it awaits."), ASY_NATIVE_GETTER},
  {"cr_origin", SIG("(self)"), coro_get_origin,
   DOC("Where it was made, if sys.set_coroutine_origin_tracking_depth() asked for it."), ASY_NATIVE_GETTER},
  {"__name__", SIG("(self)"), coro_get_name, DOC("Name of the function."), ASY_NATIVE_GETTER},
  {"__qualname__", SIG("(self)"), coro_get_qualname, DOC("Qualified name of the function."), ASY_NATIVE_GETTER},
  {"_origin_columns", SIG("(self)"), coro_get_origin_columns, 0, ASY_NATIVE_GETTER},
  {0},
};
const asy_type asy_coroutine_type = {
  .name = "coroutine",
  .size = sizeof(asy_coro),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW,
  .visit = coro_visit,
  .free = coro_free,
  .special = &(const asy_special){.finalize = coro_finalize, .await_ = coro_await},
  .repr = coro_repr,
  .methods = coroutine_methods,
};

static void awaiter_visit(asy_obj *o, asy_visitor *v) { asy_visit_value(v, ((asy_awaiter *)o)->iterator); }

static const asy_native awaiter_methods[] = {
  {"send", SIG("(self, value, /)"), asy_suspended_send, DOC("Resume with a value."), 0},
  {"throw", SIG("(self, typ, val=None, tb=None, /)"), asy_suspended_throw, DOC("Raise an exception where it stands."),
   0},
  {"close", SIG("(self, /)"), asy_suspended_close, DOC("End it."), 0},
  {0},
};
const asy_type asy_awaiter_type = {
  .name = "coroutine_wrapper",
  .size = sizeof(asy_awaiter),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW,
  .visit = awaiter_visit,
  .iter = asy_iter_self,
  .next = asy_suspended_next,
  .methods = awaiter_methods,
};

/* ---- A coroutine that nobody awaited --------------------------------------------------------------------------------- */

void asy_warn_never_awaited(asy_vm *vm, asy_coro *coro) {
  asy_str *name = coro_name(vm, coro, true);
  vm->async_forgotten = true;
  asy_value pending = asy_raised(vm) ? asy_take_exception(vm) : 0;
  asy_str *text = asy_str_format(vm, "coroutine '%U' was never awaited", name);
  asy_str *file = coro->origin_code ? coro->origin_code->filename : asy_intern(vm, "sys");
  int32_t line = coro->origin_code ? asy_code_position(coro->origin_code, coro->origin_word).line : 1;
  if (!text || !file || !asy_warn_about(vm, ASY_RuntimeWarning, text, file, line, asy_from_obj(coro)))
    asy_report_unraisable(vm, asy_from_obj(coro));
  if (pending) asy_set_exception(vm, pending);
}
