/* gen.c - generators and async generators as objects: making them, resuming them by hand, their attributes. */
#include "lang/opcode.h"
#include "runtime/class.h"
#include "runtime/drive.h"
#include "runtime/exc.h"
#include "runtime/frame.h"
#include "runtime/protocol.h"
#include "runtime/types/iter.h"

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

bool asy_agen_hook(asy_vm *vm, asy_gen *gen) {
  if (gen->hooked) return true;
  gen->hooked = true;
  asy_store(vm, gen, &gen->finalizer, vm->async_gen_hooks[1]);
  if (!vm->async_gen_hooks[0]) return true;
  return asy_call1(vm, vm->async_gen_hooks[0], asy_from_obj(gen)) != ASY_FAILED;
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
  bool handling = gen->handled; /* what is thrown in is raised while that is handled */
  if (!thrown && gen->state == GEN_SUSPENDED && ASY_WORD_OP(*pc) != OP_YIELD_FROM &&
      ASY_WORD_OP(pc[-1]) == OP_YIELD_FROM)
    resumed = asy_gen_base(gen)[ASY_WORD_A(pc[-1])]; /* delegate_throw has ended the delegation with this value */
  if (!asy_gen_enter(vm, gen, FRAME_BOUNDARY, resumed != ASY_UNBOUND ? resumed : sent)) return ASY_FAILED;
  if (thrown && handling) asy_set_context(vm, thrown);
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

bool asy_gen_close(asy_vm *vm, asy_gen *gen) {
  if (gen->state == GEN_CREATED) gen->state = GEN_CLOSED;
  if (gen->state == GEN_CLOSED) return true;
  asy_value exit = asy_new_exception(vm, ASY_GeneratorExit, "");
  if (exit == ASY_FAILED) return false;
  return asy_closed_quietly(vm, asy_gen_resume(vm, gen, ASY_NONE, exit), "generator");
}

/* ---- Generators ---------------------------------------------------------------------------------------------------- */

static void gen_visit(asy_obj *o, asy_visitor *v) {
  asy_gen *gen = (asy_gen *)o;
  asy_visit_obj(v, gen->name);
  asy_visit_obj(v, gen->qualname);
  asy_visit_value(v, gen->handled);
  asy_visit_value(v, gen->outer_handled);
  if (gen->frame_object) asy_visit_value(v, gen->frame_object);
  if (o->kind == KIND_ASYNC_GENERATOR) asy_visit_value(v, gen->finalizer);
  asy_value *base = asy_gen_base(gen);
  asy_visit_value(v, FRAME_FUNC(base));
  for (uint32_t i = 0; i < gen->nregs; i++) asy_visit_conservative(v, base[i]);
}

/* A suspended generator that nobody can resume is closed, so that its finally blocks run. */
static void gen_finalize(asy_vm *vm, asy_obj *o) {
  asy_gen *gen = (asy_gen *)o;
  if (gen->state != GEN_SUSPENDED) return;
  if (gen->head.kind == KIND_ASYNC_GENERATOR) {
    if (gen->finalizer && asy_call1(vm, gen->finalizer, asy_from_obj(o)) == ASY_FAILED)
      asy_report_unraisable(vm, asy_from_obj(o));
    return;
  }
  if (!asy_gen_close(vm, gen)) asy_report_unraisable(vm, asy_from_obj(o));
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
  return asy_closed_quietly(vm, outcome, "generator") ? ASY_NONE : ASY_FAILED;
}

static asy_value gen_repr(asy_vm *vm, asy_value self) {
  asy_gen *gen = (asy_gen *)asy_obj_of(self);
  return asy_suspended_repr(vm, gen->head.kind == KIND_GENERATOR ? "generator" : "async_generator", gen->qualname,
                            self);
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
static asy_value gen_get_name(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return asy_from_obj(GEN_SELF->name);
}
static asy_value gen_set_name(asy_vm *vm, const asy_value *args) {
  return set_str(vm, GEN_SELF, &GEN_SELF->name, args[1], "__name__");
}
static asy_value gen_get_qualname(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return asy_from_obj(GEN_SELF->qualname);
}
static asy_value gen_set_qualname(asy_vm *vm, const asy_value *args) {
  return set_str(vm, GEN_SELF, &GEN_SELF->qualname, args[1], "__qualname__");
}

#define NAME_ROWS                                                                                                      \
  {"__name__", SIG("(self)"), gen_get_name, DOC("Name of the function."), ASY_NATIVE_GETTER},                          \
    {"__name__", SIG("(self, value)"), gen_set_name, 0, ASY_NATIVE_SETTER},                                            \
    {"__qualname__", SIG("(self)"), gen_get_qualname, DOC("Qualified name of the function."), ASY_NATIVE_GETTER}, {    \
    "__qualname__", SIG("(self, value)"), gen_set_qualname, 0, ASY_NATIVE_SETTER                                       \
  }

static const asy_native generator_methods[] = {
  {"send", SIG("(self, value, /)"), asy_suspended_send, DOC("Resume with a value; the next one yielded."), 0},
  {"throw", SIG("(self, typ, val=None, tb=None, /)"), asy_suspended_throw,
   DOC("Raise an exception where the generator stands."), 0},
  {"close", SIG("(self, /)"), generator_close, DOC("Raise GeneratorExit where the generator stands."), 0},
  {"gi_running", SIG("(self)"), gen_get_running, DOC("Whether it is running now."), ASY_NATIVE_GETTER},
  {"gi_suspended", SIG("(self)"), gen_get_suspended, DOC("Whether it stands at a yield."), ASY_NATIVE_GETTER},
  {"gi_code", SIG("(self)"), gen_get_code, DOC("Its code."), ASY_NATIVE_GETTER},
  {"gi_frame", SIG("(self)"), gen_get_frame, DOC("Its frame; None when finished."), ASY_NATIVE_GETTER},
  {"gi_yieldfrom", SIG("(self)"), gen_get_yieldfrom, DOC("The iterator it delegates to."), ASY_NATIVE_GETTER},
  NAME_ROWS,
  {0},
};
const asy_type asy_generator_type = {
  .name = "generator",
  .size = sizeof(asy_gen),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW | ASY_TYPE_LATE_FINALIZE,
  .visit = gen_visit,
  .special = &(const asy_special){.finalize = gen_finalize},
  .repr = gen_repr,
  .iter = asy_iter_self,
  .next = asy_suspended_next,
  .methods = generator_methods,
};

/* ---- Async generators ---------------------------------------------------------------------------------------------- */

asy_value asy_agen_step_new(asy_vm *vm, asy_gen *gen, unsigned kind, asy_value value) {
  if (!asy_agen_hook(vm, gen)) return ASY_FAILED;
  asy_agen_step *step = asy_new_kind(vm, KIND_ASYNC_GENERATOR_STEP, sizeof *step);
  if (!step) return ASY_FAILED;
  step->gen = gen;
  step->kind = (uint8_t)kind;
  step->value = value;
  return asy_from_obj(step);
}

static asy_value agen_anext(asy_vm *vm, const asy_value *args) {
  return asy_agen_step_new(vm, GEN_SELF, GEN_STEP_NEXT, ASY_NONE);
}
static asy_value agen_asend(asy_vm *vm, const asy_value *args) {
  return asy_agen_step_new(vm, GEN_SELF, GEN_STEP_SEND, args[1]);
}
static asy_value agen_aclose(asy_vm *vm, const asy_value *args) {
  return asy_agen_step_new(vm, GEN_SELF, GEN_STEP_CLOSE, ASY_NONE);
}
static asy_value agen_athrow(asy_vm *vm, const asy_value *args) {
  asy_value thrown = asy_thrown_of(vm, args);
  return thrown == ASY_FAILED ? ASY_FAILED : asy_agen_step_new(vm, GEN_SELF, GEN_STEP_THROW, thrown);
}
static asy_value agen_aiter(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return args[0];
}
static asy_value agen_get_await(asy_vm *vm, const asy_value *args) {
  (void)vm;
  (void)args;
  return ASY_NONE;
}
#undef GEN_SELF

static const asy_native agen_methods[] = {
  {"__aiter__", SIG("(self, /)"), agen_aiter, DOC("Itself."), 0},
  {"__anext__", SIG("(self, /)"), agen_anext, DOC("Awaitable of the next value."), 0},
  {"asend", SIG("(self, value, /)"), agen_asend, DOC("Awaitable: resume with a value."), 0},
  {"athrow", SIG("(self, typ, val=None, tb=None, /)"), agen_athrow, DOC("Awaitable: raise where the generator stands."),
   0},
  {"aclose", SIG("(self, /)"), agen_aclose, DOC("Awaitable: raise GeneratorExit where the generator stands."), 0},
  {"ag_running", SIG("(self)"), gen_get_running, DOC("Whether it is running now."), ASY_NATIVE_GETTER},
  {"ag_suspended", SIG("(self)"), gen_get_suspended, DOC("Whether it stands at a yield."), ASY_NATIVE_GETTER},
  {"ag_code", SIG("(self)"), gen_get_code, DOC("Its code."), ASY_NATIVE_GETTER},
  {"ag_frame", SIG("(self)"), gen_get_frame, DOC("Its frame; None when finished."), ASY_NATIVE_GETTER},
  {"ag_await", SIG("(self)"), agen_get_await, DOC("What it awaits."), ASY_NATIVE_GETTER},
  NAME_ROWS,
  {0},
};
const asy_type asy_async_generator_type = {
  .name = "async_generator",
  .size = sizeof(asy_gen),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW | ASY_TYPE_LATE_FINALIZE,
  .visit = gen_visit,
  .special = &(const asy_special){.finalize = gen_finalize},
  .repr = gen_repr,
  .methods = agen_methods,
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
  {"send", SIG("(self, value, /)"), asy_suspended_send, DOC("Resume with a value."), 0},
  {"throw", SIG("(self, typ, val=None, tb=None, /)"), asy_suspended_throw, DOC("Raise an exception where it stands."),
   0},
  {"close", SIG("(self, /)"), asy_suspended_close, DOC("End it."), 0},
  {0},
};
const asy_type asy_async_generator_step_type = {
  .name = "async_generator_asend",
  .size = sizeof(asy_agen_step),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW,
  .visit = step_visit,
  .free = step_free,
  .iter = asy_iter_self,
  .next = asy_suspended_next,
  .special = &(const asy_special){.await_ = asy_iter_self},
  .methods = step_methods,
};
