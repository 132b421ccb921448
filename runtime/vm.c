/* vm.c - the instruction loop.
 * Handlers are written once and build three ways: computed goto (gcc, the release), switch (fuzzing, coverage), tail calls
 * (clang). A handler is a pure function of (vm, pc, base, k): frame state lives in the frame, never in C locals that outlast an
 * instruction. Anything slow is a call of a function that is not inlined; before it, the handler saves pc in the frame (SAVE), so
 * that tracebacks and collection see where the frame stands.
 */
#include <math.h>

#include "lang/opcode.h"
#include "runtime/descriptors.h"
#include "runtime/exc.h"
#include "runtime/frame.h"
#include "runtime/ic.h"
#include "runtime/number.h"
#include "runtime/protocol.h"
#include "runtime/trace.h"
#include "runtime/types/bytes.h"
#include "runtime/types/iter.h"
#include "runtime/types/range.h"
#include "runtime/types/sequence.h"
#include "runtime/types/slice.h"

#define R(i) base[i]
#define A ASY_WORD_A(w)
#define B ASY_WORD_B(w)
#define C ASY_WORD_C(w)
#define SAVE() asy_frame_set_pc(base, pc)
#define CODE() asy_frame_code(base)
#define IC(x) (&CODE()->ics[x])
#define SITE_NAME(x) (CODE()->site_names[x])

#if defined(ASY_DISPATCH_TAIL)
#define ARGS asy_vm *vm, const uint32_t *pc, asy_value *base, const asy_value *k, uint64_t w
#define PASS vm, pc, base, k, w
typedef asy_run_outcome (*handler)(ARGS);
static const handler handlers[OP_COUNT_];
#define HANDLER(name) static asy_run_outcome do_##name(ARGS)
#define MUSTTAIL __attribute__((musttail))
#define NEXT()                                                                                                         \
  do {                                                                                                                 \
    w = *pc++;                                                                                                         \
    MUSTTAIL return ((handler)vm->dispatch[ASY_WORD_OP(w)])(PASS);                                                     \
  } while (0)
static asy_run_outcome go_unwind(ARGS);
static asy_run_outcome go_unwind_again(ARGS);
static asy_run_outcome go_reload(ARGS);
#define UNWIND() MUSTTAIL return go_unwind(PASS)
#define UNWIND_AGAIN() MUSTTAIL return go_unwind_again(PASS)
#define RELOAD() MUSTTAIL return go_reload(PASS)
#define LEAVE() return (asy_run_outcome)vm->outcome
#else
#if defined(ASY_DISPATCH_SWITCH)
#define HANDLER(name) case OP_##name:
#define NEXT() goto next
#else
#define HANDLER(name) do_##name:
#define NEXT()                                                                                                         \
  do {                                                                                                                 \
    w = *pc++;                                                                                                         \
    goto * vm->dispatch[ASY_WORD_OP(w)];                                                                               \
  } while (0)
#endif
#define UNWIND() goto unwind
#define UNWIND_AGAIN() goto unwind_again
#define RELOAD() goto reload
#define LEAVE() return (asy_run_outcome)vm->outcome
#endif

/* Goes on as a transition function says; `next` is how when that is the next instruction. */
#define ACT_OR(expr, next)                                                                                             \
  do {                                                                                                                 \
    switch (expr) {                                                                                                    \
      case ACT_NEXT: next;                                                                                             \
      case ACT_RELOAD: RELOAD();                                                                                       \
      case ACT_UNWIND: UNWIND();                                                                                       \
      case ACT_LEAVE: LEAVE();                                                                                         \
    }                                                                                                                  \
    __builtin_unreachable();                                                                                           \
  } while (0)
#define ACT(expr) ACT_OR(expr, NEXT())

/* A = expr, or unwinds. */
#define SET_A(expr)                                                                                                    \
  do {                                                                                                                 \
    asy_value set_ = (expr);                                                                                           \
    if (UNLIKELY(set_ == ASY_FAILED)) UNWIND();                                                                        \
    R(A) = set_;                                                                                                       \
  } while (0)
#define CHECK(expr)                                                                                                    \
  do {                                                                                                                 \
    if (UNLIKELY(!(expr))) UNWIND();                                                                                   \
  } while (0)

/* ---- Fast arithmetic: false means "go the general way" ------------------------------------------------------------ */

static inline bool add_ints(asy_value *out, asy_value a, asy_value b) {
  int64_t sum;
  if (!asy_both_int(a, b) || __builtin_add_overflow((int64_t)a, (int64_t)(b - 1), &sum)) return false;
  *out = (asy_value)sum;
  return true;
}

static inline bool sub_ints(asy_value *out, asy_value a, asy_value b) {
  int64_t difference;
  if (!asy_both_int(a, b) || __builtin_sub_overflow((int64_t)a, (int64_t)(b - 1), &difference)) return false;
  *out = (asy_value)difference;
  return true;
}

static inline bool mul_ints(asy_value *out, asy_value a, asy_value b) {
  int64_t product;
  if (!asy_both_int(a, b) || __builtin_mul_overflow((int64_t)(a - 1), asy_small(b), &product)) return false;
  *out = (asy_value)product | 1;
  return true;
}

static inline bool both_floats(asy_value a, asy_value b) { return asy_is_flonum(a) && asy_is_flonum(b); }

static inline bool as_double(asy_value v, double *out) {
  if (asy_is_flonum(v)) {
    *out = asy_flonum(v);
    return true;
  }
  if (asy_is_int(v)) { /* exact below 2^53; beyond, rounding is what int + float does too */
    *out = (double)asy_small(v);
    return true;
  }
  return false;
}

/* Stores d as a float value when it needs no box. */
static inline bool put_float(asy_value *out, double d) {
  asy_value v = asy_flonum_encode(d);
  if (UNLIKELY(!asy_is_flonum(v))) return false;
  *out = v;
  return true;
}

static inline bool floats(asy_value a, asy_value b, double *x, double *y) {
  if (both_floats(a, b)) {
    *x = asy_flonum(a);
    *y = asy_flonum(b);
    return true;
  }
  return !asy_both_int(a, b) && as_double(a, x) && as_double(b, y);
}

static __attribute__((noinline)) asy_value arithmetic_slow(asy_vm *vm, asy_binary_op op, asy_value a, asy_value b) {
  return asy_binary(vm, op, a, b);
}

static inline int64_t floor_div(int64_t a, int64_t b) {
  int64_t q = a / b;
  return q - ((a % b != 0) & ((a < 0) != (b < 0)));
}

static inline int64_t floor_mod(int64_t a, int64_t b) {
  int64_t r = a % b;
  return r + (b & -(int64_t)((r != 0) & ((r < 0) != (b < 0))));
}

/* 1 or 0 for values whose truth needs no call, else -2. */
static inline int fast_truth(asy_value v) {
  if (v == ASY_TRUE) return 1;
  if (v == ASY_FALSE || v == ASY_NONE) return 0;
  if (asy_is_int(v)) return v != asy_from_small(0);
  return -2;
}

static __attribute__((noinline)) int compare_slow(asy_vm *vm, asy_value a, asy_value b, asy_compare_op op) {
  asy_value v = asy_compare(vm, a, b, op);
  if (v == ASY_FAILED) return -1;
  int truth = fast_truth(v);
  return truth >= 0 ? truth : asy_truth(vm, v);
}

static inline bool strings_equal(asy_value a, asy_value b, bool *equal) {
  if (!asy_is_exact(a, KIND_STR) || !asy_is_exact(b, KIND_STR)) return false;
  *equal = asy_str_equal((asy_str *)asy_obj_of(a), (asy_str *)asy_obj_of(b));
  return true;
}

/* Registers from `live` up hold nothing that is used again, but would keep objects alive, and make them old. */
static __attribute__((noinline)) void clear_registers(asy_value *base, uint32_t live) {
  for (uint32_t i = live, n = CODE()->nregs; i < n; i++) base[i] = ASY_UNBOUND;
}

/* ---- Items -------------------------------------------------------------------------------------------------------- */

static inline bool list_index(uint32_t len, asy_value key, uint32_t *out) {
  if (!asy_is_int(key)) return false;
  int64_t i = asy_small(key);
  if (i < 0) i += len;
  if (i < 0 || i >= len) return false;
  *out = (uint32_t)i;
  return true;
}

/* The item of an exact list or tuple at an index in range; nothing is called. */
static inline bool item_of_sequence(asy_value v, asy_value key, asy_value *out) {
  uint32_t i;
  if (LIKELY(asy_is_exact(v, KIND_LIST))) {
    asy_list *list = (asy_list *)asy_obj_of(v);
    if (UNLIKELY(!list_index(list->len, key, &i))) return false;
    *out = list->items[i];
    return true;
  }
  if (asy_is_exact(v, KIND_TUPLE)) {
    asy_tuple *tuple = (asy_tuple *)asy_obj_of(v);
    if (UNLIKELY(!list_index(tuple->len, key, &i))) return false;
    *out = tuple->items[i];
    return true;
  }
  return false;
}

static __attribute__((noinline)) asy_value get_item_slow(asy_vm *vm, asy_value v, asy_value key) {
  uint32_t i;
  if (asy_is_exact(v, KIND_STR) && list_index(((const asy_str *)asy_obj_of(v))->len, key, &i)) {
    asy_str *c = asy_str_char(vm, asy_str_at((const asy_str *)asy_obj_of(v), i));
    return c ? asy_from_obj(c) : ASY_FAILED;
  }
  if (asy_is_exact(v, KIND_BYTES) && list_index(((const asy_bytes *)asy_obj_of(v))->len, key, &i))
    return asy_from_small(((const asy_bytes *)asy_obj_of(v))->data[i]);
  if (!asy_is_exact(v, KIND_DICT)) return asy_get_item(vm, v, key);
  asy_value out;
  int found = asy_dict_get(vm, (asy_dict *)asy_obj_of(v), key, &out);
  if (found > 0) return out;
  return found < 0 ? ASY_FAILED : asy_raise_key(vm, key);
}

/* A bound of a slice as a place in 0..length; `otherwise` for None. False: it is no small int. */
static inline bool slice_bound(asy_value v, int64_t length, int64_t otherwise, uint32_t *out) {
  int64_t i = asy_is_int(v) ? asy_small(v) : otherwise;
  if (i < 0) i = i + length < 0 ? 0 : i + length;
  *out = (uint32_t)(i < length ? i : length);
  return asy_is_int(v) || v == ASY_NONE;
}

static __attribute__((noinline)) asy_value get_slice(asy_vm *vm, asy_value v, const asy_value *bounds) {
  bool text = asy_is_exact(v, KIND_STR), list = asy_is_exact(v, KIND_LIST);
  if (text || list || asy_is_exact(v, KIND_TUPLE)) {
    uint32_t length, start, stop;
    const asy_value *items = NULL;
    if (text) length = ((asy_str *)asy_obj_of(v))->len;
    else items = asy_elements(asy_obj_of(v), &length);
    if (slice_bound(bounds[0], length, 0, &start) && slice_bound(bounds[1], length, length, &stop)) {
      uint32_t n = start < stop ? stop - start : 0;
      if (!list && n == length) return v;
      const void *part = text   ? (void *)asy_str_slice(vm, (asy_str *)asy_obj_of(v), start, start + n)
                         : list ? (void *)asy_list_from(vm, items + start, n)
                                : (void *)asy_tuple_new(vm, items + start, n);
      return part ? asy_from_obj(part) : ASY_FAILED;
    }
  }
  asy_value slice = asy_slice_new(vm, bounds[0], bounds[1], ASY_NONE);
  return slice == ASY_FAILED ? ASY_FAILED : asy_get_item(vm, v, slice);
}

static __attribute__((noinline)) bool set_item_slow(asy_vm *vm, asy_value v, asy_value key, asy_value item) {
  if (asy_is_exact(v, KIND_DICT)) return asy_dict_set(vm, (asy_dict *)asy_obj_of(v), key, item);
  return asy_set_item(vm, v, key, item);
}

/* ---- Attributes --------------------------------------------------------------------------------------------------- */

/* The script function that reads a property whose entry this is; UNBOUND: another entry, or it does not fit. */
static inline asy_value getter_hit(asy_value v, const asy_ic *ic) {
  if (ic->kind != IC_PROPERTY || !asy_is_obj(v) || asy_obj_of(v)->shape != ic->shape) return ASY_UNBOUND;
  asy_value getter = ((const asy_property *)(uintptr_t)ic->payload)->fget;
  return asy_is_kind(getter, KIND_FUNCTION) ? getter : ASY_UNBOUND;
}

/* ---- Iteration ---------------------------------------------------------------------------------------------------- */

/* Whether FOR_ITER goes on in the generator at once: it stands behind a YIELD, and there is room for its frame. */
static inline bool resumes_in_place(const asy_vm *vm, const asy_gen *gen) {
  return gen->state == GEN_SUSPENDED && vm->depth < vm->recursion_limit &&
         ASY_WORD_OP(*asy_frame_pc(gen->frame + FRAME_HEADER)) != OP_YIELD_FROM;
}

/* Whether `word`, behind a FOR_ITER into register b, takes a pair apart that nothing else sees: b is a temporary. */
static inline bool takes_pair(const asy_code *code, unsigned b, uint32_t word) {
  return ASY_WORD_OP(word) == OP_UNPACK && ASY_WORD_B(word) == b && ASY_WORD_C(word) == 2 && b >= code->nlocals;
}

static inline asy_value iter_known(asy_vm *vm, asy_value v) {
  if (LIKELY(asy_is_obj(v) && asy_obj_of(v)->shape < KIND_COUNT)) { /* exactly of a built-in class */
    asy_value (*iter)(asy_vm *, asy_value) = vm->shapes[asy_obj_of(v)->shape]->type->iter;
    if (LIKELY(iter != NULL)) return iter(vm, v);
  }
  return asy_iter(vm, v);
}

/* How many items an iterator that the loop knows has still to give; 0: unknown. */
static uint64_t items_left(asy_value it) {
  if (asy_is_exact(it, KIND_RANGE_ITER)) return (uint64_t)((const asy_range_iter *)asy_obj_of(it))->remaining;
  if (!asy_is_exact(it, KIND_LIST_ITER)) return 0;
  const asy_list_iter *iter = (const asy_list_iter *)asy_obj_of(it);
  return iter->list && iter->index < iter->list->len ? iter->list->len - iter->index : 0;
}

/* LIST_APPEND to a full list. A comprehension's first room is for what its loop has still to give, if that is little. */
static __attribute__((noinline)) bool append_slow(asy_vm *vm, asy_list *list, asy_value item, const asy_value *base,
                                                  const uint32_t *pc) {
  enum { FIRST_MOST = 16 };
  if (!list->cap && ASY_WORD_OP(*pc) == OP_JUMP_BACK) {
    uint32_t loop = pc[2 + (int32_t)pc[1]];
    uint64_t more = ASY_WORD_OP(loop) == OP_FOR_ITER ? items_left(base[ASY_WORD_A(loop)]) : 0;
    if (more && more < FIRST_MOST && !asy_list_reserve(vm, list, (uint32_t)more + 1)) return false;
  }
  return asy_list_append(vm, list, item);
}

/* ---- Calls -------------------------------------------------------------------------------------------------------- */

/* The fast call of a plain function whose window has room. base is the caller's, its pc saved. The new base. */
static inline asy_value *enter_in_place(asy_vm *vm, asy_value *base, asy_func *func, asy_code *code, asy_value *args,
                                        uint32_t nargs, asy_value info) {
  uint32_t nlocals = code->nlocals;
  vm->top = args + code->nregs;
  for (uint32_t i = nargs; i < nlocals; i++) args[i] = ASY_UNBOUND;
  FRAME_FUNC(args) = asy_from_obj(func);
  FRAME_BACK(args) = (asy_value)(uintptr_t)base;
  FRAME_INFO(args) = info;
  vm->base = args;
  vm->depth++;
  return args;
}

#define ENTER_FUNCTION(func, code, args, nargs, info)                                                                  \
  do {                                                                                                                 \
    base = enter_in_place(vm, base, func, code, args, nargs, info);                                                    \
    pc = (code)->words;                                                                                                \
    k = (code)->constants;                                                                                             \
    if (UNLIKELY(vm->depth > vm->recursion_limit || vm->interrupt)) {                                                  \
      SAVE();                                                                                                          \
      CHECK(asy_enter_check(vm));                                                                                      \
    }                                                                                                                  \
    NEXT();                                                                                                            \
  } while (0)

/* Whether the arguments are all of func's parameters, or become so by its defaults, which are written behind them. */
static __attribute__((noinline)) bool add_defaults(const asy_func *func, asy_value *args, uint32_t n) {
  if (!asy_defaults_reach(func, n)) return false;
  asy_fill_trailing_defaults(func, args, n);
  return true;
}

/* The coroutine or generator of a plain function whose arguments are all given; UNBOUND: the general way. */
static __attribute__((noinline)) asy_value plain_suspended(asy_vm *vm, asy_func *func, const asy_value *args,
                                                           uint32_t n) {
  const asy_code *code = func->code;
  if (code->argcount != n) return ASY_UNBOUND;
  if (code->simple_async) {
    asy_coro *coro = asy_coro_new(vm, asy_from_obj(func), args, n);
    return coro ? asy_from_obj(coro) : ASY_FAILED;
  }
  if (!(code->flags & CODE_GENERATOR) || code->flags & (CODE_VARARGS | CODE_VARKEYWORDS) || code->kwonly)
    return ASY_UNBOUND;
  asy_gen *gen = asy_gen_new(vm, func);
  if (!gen) return ASY_FAILED;
  memcpy(asy_gen_base(gen), args, n * sizeof *args);
  return asy_from_obj(gen);
}

#define CALL_WINDOW(window, args, nargs, self, kwnames, info)                                                          \
  do {                                                                                                                 \
    asy_value result_;                                                                                                 \
    asy_action action_ = asy_call_slow(vm, (window)[0], self, window, args, nargs, kwnames, info, &result_);           \
    if (action_ == ACT_NEXT) {                                                                                         \
      R(A) = result_;                                                                                                  \
      NEXT();                                                                                                          \
    }                                                                                                                  \
    ACT(action_);                                                                                                      \
  } while (0)

/* A = what the call gave, unless that is UNBOUND: then it has not happened. */
#define TRY_CALL(expr)                                                                                                 \
  do {                                                                                                                 \
    asy_value called_ = (expr);                                                                                        \
    if (called_ != ASY_UNBOUND) {                                                                                      \
      SET_A(called_);                                                                                                  \
      NEXT();                                                                                                          \
    }                                                                                                                  \
  } while (0)

/* The call of window[0] with n plain arguments; the pc is saved. */
#define CALL_FUNCTION(window, n)                                                                                       \
  do {                                                                                                                 \
    asy_value *args_ = (window) + FRAME_HEADER;                                                                        \
    asy_value callee_ = (window)[0];                                                                                   \
    if (LIKELY(asy_is_kind(callee_, KIND_FUNCTION))) {                                                                 \
      asy_func *func_ = (asy_func *)asy_obj_of(callee_);                                                               \
      asy_code *code_ = func_->code;                                                                                   \
      if (LIKELY(code_->simple && args_ + code_->nregs <= vm->limit) &&                                                \
          (LIKELY(code_->argcount == n) || add_defaults(func_, args_, n)))                                             \
        ENTER_FUNCTION(func_, code_, args_, code_->argcount, A);                                                       \
      TRY_CALL(plain_suspended(vm, func_, args_, n));                                                                  \
    } else if (asy_is_kind(callee_, KIND_NATIVE)) {                                                                    \
      asy_nativefunc *native_ = (asy_nativefunc *)asy_obj_of(callee_);                                                 \
      if (!native_->owner) { /* a method called as a function: its self is checked */                                  \
        if (LIKELY(asy_native_is_exact(native_, n))) {                                                                 \
          SET_A(native_->fn(vm, args_));                                                                               \
          NEXT();                                                                                                      \
        }                                                                                                              \
        TRY_CALL(asy_call_usual(vm, native_, 0, args_, n));                                                            \
      }                                                                                                                \
    } else if (asy_is_exact(callee_, KIND_TYPE)) {                                                                     \
      asy_class *cls_ = (asy_class *)asy_obj_of(callee_);                                                              \
      if (asy_enter_instance(vm, cls_, window, n, A)) {                                                                \
        if (UNLIKELY(vm->depth > vm->recursion_limit || vm->interrupt)) CHECK(asy_enter_check(vm));                    \
        RELOAD();                                                                                                      \
      }                                                                                                                \
      if (cls_->direct_new) TRY_CALL(asy_call_builtin_class(vm, cls_, args_, n));                                      \
    } else if (asy_is_kind(callee_, KIND_METHOD)) {                                                                    \
      asy_method *method_ = (asy_method *)asy_obj_of(callee_);                                                         \
      if (asy_is_kind(method_->func, KIND_NATIVE))                                                                     \
        TRY_CALL(asy_call_usual(vm, (asy_nativefunc *)asy_obj_of(method_->func), method_->self, args_, n));            \
    }                                                                                                                  \
    CALL_WINDOW(window, args_, n, 0, NULL, A);                                                                         \
  } while (0)

/* A step of trace.h, and then the instruction. */
#define ACT_TRACED(execute) ACT_OR(asy_trace_step(vm, base, pc), w = pc[-1]; execute)

/* How the loop starts; the last two fill vm->dispatch, since labels are known inside of it only. */
enum start { START_RUNNING, START_THROWING, START_PLAIN, START_TRACED };

#if defined(ASY_DISPATCH_TAIL)
#include "runtime/vm_handlers.h"

#define OP(name, ...) [OP_##name] = do_##name,
static const handler handlers[OP_COUNT_] = {ASY_OPCODES(OP)};
#undef OP

static asy_run_outcome go_reload(ARGS) {
  base = vm->base;
  pc = asy_frame_pc(base);
  k = CODE()->constants;
  NEXT();
}

static asy_run_outcome go_unwind(ARGS) {
  switch (asy_unwind(vm, true)) {
    case ACT_LEAVE: LEAVE();
    default: RELOAD();
  }
}

static asy_run_outcome go_unwind_again(ARGS) {
  switch (asy_unwind(vm, false)) {
    case ACT_LEAVE: LEAVE();
    default: RELOAD();
  }
}

static asy_run_outcome go_traced(ARGS) { ACT_TRACED(MUSTTAIL return handlers[ASY_WORD_OP(w)](PASS)); }

void asy_dispatch_select(asy_vm *vm, bool traced) {
  for (unsigned i = 0; i < OP_COUNT_; i++) vm->dispatch[i] = (const void *)(traced ? go_traced : handlers[i]);
}

static asy_run_outcome loop(asy_vm *vm, enum start how) {
  asy_value *base = vm->base;
  const uint32_t *pc = asy_frame_pc(base);
  const asy_value *k = CODE()->constants;
  uint64_t w = 0;
  return how == START_THROWING ? go_unwind(PASS) : go_reload(PASS);
}

#else

static asy_run_outcome loop(asy_vm *vm, enum start how) {
#if !defined(ASY_DISPATCH_SWITCH)
  static const void *const handlers[OP_COUNT_] = {
#define OP(name, ...) [OP_##name] = &&do_##name,
    ASY_OPCODES(OP)
#undef OP
  };
  if (UNLIKELY(how >= START_PLAIN)) {
    for (unsigned i = 0; i < OP_COUNT_; i++) vm->dispatch[i] = how == START_PLAIN ? handlers[i] : &&traced;
    return ASY_RUN_RETURNED;
  }
#endif
  asy_value *base = vm->base;
  const uint32_t *pc = asy_frame_pc(base);
  const asy_value *k = CODE()->constants;
  uint64_t w; /* the instruction; 64 bits, so that its operands index without a conversion */
  if (how == START_THROWING) UNWIND();
#if defined(ASY_DISPATCH_SWITCH)
next:
  w = *pc++;
  if (UNLIKELY(vm->dispatch[0] != NULL)) ACT_TRACED(goto execute);
execute:
  switch ((asy_op)ASY_WORD_OP(w)) {
#include "runtime/vm_handlers.h"
    case OP_COUNT_: __builtin_unreachable();
  }
  __builtin_unreachable();
#else
  NEXT();
#include "runtime/vm_handlers.h"
#endif

reload:
  base = vm->base;
  pc = asy_frame_pc(base);
  k = CODE()->constants;
  NEXT();

unwind:
  if (asy_unwind(vm, true) == ACT_LEAVE) LEAVE();
  RELOAD();

unwind_again:
  if (asy_unwind(vm, false) == ACT_LEAVE) LEAVE();
  RELOAD();

#if defined(ASY_DISPATCH_SWITCH)
}

/* Any word that is not NULL: every instruction is a step. */
void asy_dispatch_select(asy_vm *vm, bool traced) { vm->dispatch[0] = traced ? vm : NULL; }
#else
traced:
  ACT_TRACED(goto * handlers[ASY_WORD_OP(w)]);
}

void asy_dispatch_select(asy_vm *vm, bool traced) { (void)loop(vm, traced ? START_TRACED : START_PLAIN); }
#endif
#endif

asy_run_outcome asy_run(asy_vm *vm, asy_value *base, asy_value thrown, asy_value *result) {
  vm->base = base;
  if (thrown) asy_set_exception(vm, thrown);
  vm->runs++;
  asy_run_outcome outcome = loop(vm, thrown ? START_THROWING : START_RUNNING);
  vm->runs--;
  *result = vm->result;
  vm->result = ASY_NONE;
  return outcome;
}
