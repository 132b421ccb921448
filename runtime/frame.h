/* frame.h - entering and leaving frames: shared by the loop, calls and coroutines; not for natives.
 *
 * Must stay true while script code runs: vm->base is the running frame; vm->top is the first word above it where a call out of a
 * native may put its window; vm->limit is the end of the newest chunk, or NULL while the running frame lies in a generator object,
 * so that every in-place call check fails and the slow path moves the callee to vm->top.
 */
#ifndef ASY_RUNTIME_FRAME_H
#define ASY_RUNTIME_FRAME_H

#include "runtime/coro.h"
#include "runtime/func.h"
#include "runtime/vm.h"

/* What the loop does after a transition that a function made. */
typedef enum {
  ACT_NEXT,   /* go on behind the instruction */
  ACT_RELOAD, /* vm->base has changed or its saved pc has: load base, pc and constants again */
  ACT_UNWIND, /* an exception is pending in the frame vm->base, its saved pc behind the instruction */
  ACT_LEAVE   /* leave asy_run with vm->outcome */
} asy_action;

static inline asy_func *asy_frame_func(const asy_value *base) { return (asy_func *)asy_obj_of(FRAME_FUNC(base)); }
static inline asy_code *asy_frame_code(const asy_value *base) { return asy_frame_func(base)->code; }
static inline asy_value *asy_frame_back(const asy_value *base) { return (asy_value *)(uintptr_t)FRAME_BACK(base); }
static inline const uint32_t *asy_frame_pc(const asy_value *base) {
  return (const uint32_t *)(uintptr_t)FRAME_PC(base);
}
static inline void asy_frame_set_pc(asy_value *base, const uint32_t *pc) { FRAME_PC(base) = (asy_value)(uintptr_t)pc; }
static inline uint32_t asy_frame_word(const asy_value *base) { /* offset behind the running instruction */
  return (uint32_t)(asy_frame_pc(base) - asy_frame_code(base)->words);
}

/* Makes the frame at base, entered before, the running one again. */
static inline void asy_frame_restore(asy_vm *vm, asy_value *base) {
  vm->base = base;
  if (__builtin_expect(FRAME_INFO(base) & FRAME_HEAP, 0)) {
    vm->limit = NULL;
    vm->top = asy_gen_of_base(base)->stack_top;
  } else {
    vm->limit = vm->stack->limit;
    vm->top = base + asy_frame_code(base)->nregs;
  }
}

/* A suspended or new generator becomes the running frame, and no longer. The pc and what is sent are the caller's business;
 * unlinking leaves vm->base, top and limit to asy_frame_restore. */
static inline void asy_gen_link(asy_vm *vm, asy_gen *gen, asy_value info) {
  asy_value *base = asy_gen_base(gen);
  gen->state = GEN_RUNNING;
  gen->outer_handled = vm->handled;
  if (__builtin_expect(gen->handled != 0, 0)) {
    vm->handled = gen->handled;
    gen->handled = 0;
  }
  gen->stack_top = vm->top;
  FRAME_BACK(base) = (asy_value)(uintptr_t)vm->base;
  FRAME_INFO(base) = info | FRAME_HEAP;
  vm->base = base;
  vm->limit = NULL;
  vm->depth++;
}
static inline void asy_gen_unlink(asy_vm *vm, asy_gen *gen) {
  gen->state = GEN_SUSPENDED;
  if (__builtin_expect(vm->handled != gen->outer_handled, 0)) {
    gen->handled = vm->handled;
    vm->handled = gen->outer_handled;
  }
  gen->outer_handled = 0;
  asy_barrier(vm, gen);
  vm->depth--;
}

/* The base of a frame with `nregs` registers and `extra` words below its header: at `window` when that is on the stack and there
 * is room (its header then is window+extra..), else at the top of the stack, *info gets FRAME_MOVED. NULL: MemoryError. */
static inline asy_value *asy_frame_place(asy_vm *vm, asy_value *window, uint32_t extra, uint32_t nregs,
                                         asy_value *info) {
  asy_value *base = window + extra + FRAME_HEADER;
  if (window && vm->limit && base + nregs <= vm->limit) return base;
  *info |= FRAME_MOVED;
  base = vm->top + extra + FRAME_HEADER;
  if (base + nregs <= vm->stack->limit) return base;
  asy_value *slots = asy_stack_reserve(vm, vm->stack, vm->top, extra + FRAME_HEADER + nregs);
  return slots ? slots + extra + FRAME_HEADER : NULL;
}

/* Undoes the chunk that asy_frame_place may have pushed for the moved frame at base. */
static inline void asy_frame_unplace(asy_vm *vm, asy_value *base, uint32_t extra) {
  asy_chunk *chunk = vm->stack->chunk;
  if (chunk->prev && base - FRAME_HEADER - extra == chunk->slots) asy_stack_pop_chunk(vm, vm->stack);
}

/* Links a placed frame whose parameters are set: it becomes the running one, at its first instruction. */
static inline void asy_frame_enter(asy_vm *vm, asy_value *base, asy_func *func, uint32_t nparams, asy_value info) {
  asy_code *code = func->code;
  for (uint32_t i = nparams; i < code->nlocals; i++) base[i] = ASY_UNBOUND;
  FRAME_FUNC(base) = asy_from_obj(func);
  asy_frame_set_pc(base, code->words);
  FRAME_BACK(base) = (asy_value)(uintptr_t)vm->base;
  FRAME_INFO(base) = info;
  vm->base = base;
  vm->limit = vm->stack->limit;
  vm->top = base + code->nregs;
  vm->depth++;
}

static inline uint32_t asy_code_nparams(const asy_code *code) {
  return code->argcount + code->kwonly + !!(code->flags & CODE_VARARGS) + !!(code->flags & CODE_VARKEYWORDS);
}

/* Whether `given` positional arguments and the defaults of func make up its positional parameters. */
static inline bool asy_defaults_reach(const asy_func *func, uint32_t given) {
  uint32_t argcount = func->code->argcount;
  return given < argcount && func->defaults && argcount - given <= func->defaults->len;
}

/* Defaults for the positional parameters from `given` up, which must reach. */
static inline void asy_fill_trailing_defaults(const asy_func *func, asy_value *regs, uint32_t given) {
  uint32_t argcount = func->code->argcount;
  if (given >= argcount) return;
  const asy_value *end = func->defaults->items + func->defaults->len;
  for (uint32_t i = given; i < argcount; i++) regs[i] = end[(int64_t)i - argcount];
}

/* ---- call.c ---- */
/* A call that is not the loop's fast one: callee in window[0], arguments from window+4 (self first when it is not 0), the last
 * ones named by kwnames. ACT_NEXT: done, *result is the value. ACT_RELOAD: a frame was entered with `info` (dst and flags). */
asy_action asy_call_slow(asy_vm *vm, asy_value callee, asy_value self, asy_value *window, const asy_value *args,
                         uint32_t nargs, asy_tuple *kwnames, asy_value info, asy_value *result);
/* The call of CALL_EX: arguments from a tuple or list and a dict (0: none). */
asy_action asy_call_spread(asy_vm *vm, asy_value *window, asy_value args, asy_value kwargs, asy_value info,
                           asy_value *result);
/* Writes the parameters of func from the arguments; regs may overlap args. TypeError as CPython's when they do not fit. */
bool asy_bind_arguments(asy_vm *vm, asy_func *func, asy_value *regs, asy_value self, const asy_value *args,
                        uint32_t nargs, asy_tuple *kwnames);
/* Calls a native with arguments as given. */
asy_value asy_call_native(asy_vm *vm, asy_nativefunc *native, asy_value self, const asy_value *args, uint32_t nargs,
                          asy_tuple *kwnames);
/* The same without making a coroutine of an async native: may return ASY_PARKED. */
asy_value asy_start_native(asy_vm *vm, asy_nativefunc *native, asy_value self, const asy_value *args, uint32_t nargs,
                           asy_tuple *kwnames);
/* An exact native whose parameters are all positional and given runs on the registers as they are. */
static inline bool asy_native_is_exact(const asy_nativefunc *native, uint32_t nargs) {
  return native->signature && native->signature->exact && native->signature->npos == nargs &&
         !(native->def->flags & (ASY_NATIVE_ASYNC | ASY_NATIVE_NEW)) && native->self == ASY_UNBOUND;
}
/* The usual calls of natives, whose parameters are positional arguments and defaults: of a function (self 0) or a method, and of a
 * built-in class. ASY_UNBOUND: nothing has happened, go the general way. */
asy_value asy_call_usual(asy_vm *vm, asy_nativefunc *native, asy_value self, const asy_value *args, uint32_t nargs);
asy_value asy_call_builtin_class(asy_vm *vm, asy_class *cls, const asy_value *args, uint32_t nargs);
/* The call of AWAIT_CALL where the callee's frame does not fit in place: a plain async function with all its parameters given. */
asy_action asy_enter_async(asy_vm *vm, asy_func *func, const asy_value *args, uint32_t nargs, asy_value info);
/* The usual call of a class: its script __init__ with positional arguments, in the window. false: nothing has happened (or
 * memory ran out): go by asy_call_slow. true: the frame was entered; asy_enter_check is still to come. */
bool asy_enter_instance(asy_vm *vm, asy_class *cls, asy_value *window, uint32_t nargs, asy_value dst);
bool asy_enter_check(
  asy_vm *
    vm); /* a frame was entered: interrupts, and the recursion limit, which gives the frame up; false: exception pending */
bool asy_handle_interrupt(asy_vm *vm); /* collect, finalisers, signals; false: exception pending */

/* ---- transfer.c: frames that return, unwind, yield, suspend. Each expects vm->base and its pc saved. ---- */
asy_action asy_return_slow(asy_vm *vm, asy_value value);
asy_action asy_unwind(asy_vm *vm, bool add_traceback);
asy_action asy_yield(asy_vm *vm, asy_value value); /* the register of what is sent is read from the instruction */
asy_action asy_for_iter_generator(asy_vm *vm, asy_gen *gen, unsigned dst); /* FOR_ITER: pc saved is the loop body */
asy_action asy_for_aiter(asy_vm *vm, unsigned a);             /* FOR_AITER: pc saved is the AWAIT behind it */
asy_action asy_await(asy_vm *vm, unsigned dst, unsigned src); /* AWAIT: pc saved is behind it */
asy_action asy_await_native(asy_vm *vm, asy_value callee, asy_value self, const asy_value *args, uint32_t nargs,
                            unsigned dst);
asy_action asy_yield_from(asy_vm *vm, unsigned dst, unsigned src);

/* ---- vm_ops.c: what instructions do when it is not short ---- */
asy_value asy_op_load_special(asy_vm *vm, asy_value *a, asy_value object, unsigned which); /* not FAILED: done */
bool asy_op_unpack(asy_vm *vm, asy_value *regs, asy_value iterable, uint32_t n);
bool asy_op_unpack_ex(asy_vm *vm, asy_value *regs, asy_value iterable, uint32_t before, uint32_t after);
asy_value asy_op_build_string(asy_vm *vm, const asy_value *parts, uint32_t n);
asy_value asy_op_build_map(asy_vm *vm, const asy_value *pairs, uint32_t n);
asy_value asy_op_build_set(asy_vm *vm, const asy_value *items, uint32_t n);
bool asy_op_list_extend(asy_vm *vm, asy_value list, asy_value iterable);
bool asy_op_dict_update(asy_vm *vm, asy_value dict, asy_value mapping);
bool asy_op_dict_merge(asy_vm *vm, asy_value dict, asy_value mapping, asy_value callee);
int asy_is_iterable(asy_vm *vm, asy_value v);           /* has __iter__ or __getitem__: 1, 0, -1 */
asy_str *asy_callee_text(asy_vm *vm, asy_value callee); /* "module.f()", for messages about its arguments */
asy_value asy_op_format(asy_vm *vm, const asy_value *b, unsigned c);
asy_value asy_op_get_aiter(asy_vm *vm, asy_value v);
asy_value asy_op_yield_from_iter(asy_vm *vm, asy_value v);
bool asy_op_match_exc_group(asy_vm *vm, asy_value *a, asy_value exception, asy_value what);
asy_value asy_op_merge_exc_group(asy_vm *vm, asy_value original, asy_value list);
void asy_op_exc_info(asy_vm *vm, asy_value *a, asy_value exception);
asy_value asy_op_import_name(asy_vm *vm, asy_str *name, asy_value fromlist, asy_value level);
asy_value asy_op_import_from(asy_vm *vm, asy_value module, asy_str *name);
bool asy_op_import_star(asy_vm *vm, asy_value module, asy_value ns);
asy_value asy_op_make_function(asy_vm *vm, asy_code *code, const asy_value *parts, unsigned which);
bool asy_op_setup_annotations(asy_vm *vm, asy_value ns);
int asy_op_match_type(asy_vm *vm, asy_value v, uint32_t type_flag);
asy_value asy_op_match_keys(asy_vm *vm, asy_value mapping, asy_value keys);
asy_value asy_op_match_class(asy_vm *vm, asy_value subject, asy_value cls, uint32_t npos, asy_value kwnames);
asy_value asy_op_intrinsic(asy_vm *vm, unsigned which, const asy_value *b);
asy_value asy_op_load_name(asy_vm *vm, asy_value ns, asy_func *func, asy_str *name);
bool asy_op_store_name(asy_vm *vm, asy_value ns, asy_str *name, asy_value v);
bool asy_op_delete_name(asy_vm *vm, asy_value ns, asy_str *name);
asy_value asy_op_load_free_class(asy_vm *vm, asy_value ns, asy_func *func, unsigned i);
bool asy_op_drop(asy_vm *vm, asy_value v);
asy_value asy_raise_name(asy_vm *vm, asy_str *name); /* NameError "name 'x' is not defined", with its name attribute */
asy_value asy_op_unbound(asy_vm *vm, asy_str *name, bool free); /* raises UnboundLocalError or NameError; ASY_FAILED */

/* ---- ic.c ---- see ic.h */

#endif
