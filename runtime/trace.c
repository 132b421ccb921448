/* trace.c - what a step tells, and how a function is told. See trace.h. */
#include "runtime/trace.h"

#include "lang/opcode.h"
#include "runtime/class.h"
#include "runtime/exc.h"
#include "runtime/types/sequence.h"

static asy_value event_name(asy_vm *vm, asy_trace_event event) {
  static const uint16_t names[] = {
    [TRACE_CALL] = NAME_call,         [TRACE_LINE] = NAME_line,
    [TRACE_RETURN] = NAME_return,     [TRACE_EXCEPTION] = NAME_exception,
    [TRACE_OPCODE] = NAME_opcode,     [TRACE_C_CALL] = NAME_c_call,
    [TRACE_C_RETURN] = NAME_c_return, [TRACE_C_EXCEPTION] = NAME_c_exception,
  };
  return asy_from_obj(vm->names[names[event]]);
}

static bool is_native(asy_value v) { return asy_is_kind(v, KIND_NATIVE); }

/* ---- Functions ------------------------------------------------------------------------------------------------------ */

static void update(asy_vm *vm, asy_vm *fields) {
  fields->traced = fields->trace_event == TRACE_NOTHING && (fields->trace || fields->profile || vm->monitored);
}

void asy_trace_threads_changed(asy_vm *vm) {
  bool any = vm->monitored;
  for (asy_thread *thread = vm->threads.first; thread; thread = thread->next) {
    const asy_vm *fields = asy_thread_fields(vm, thread);
    any |= fields->trace || fields->profile;
  }
  asy_dispatch_select(vm, any);
}

/* The frame goes on from where it stands. */
static void place_frame(asy_frame_trace *state, const asy_value *base) {
  uint32_t word = asy_frame_word(base);
  state->line = word ? asy_code_position(asy_frame_code(base), word).line : 0;
  state->word = -1;
  state->behind = (int32_t)word;
  state->loop_end = state->mark = 0;
  state->back = false;
}

/* Frames that run have begun before: nothing is told of their beginning, and of the lines where they stand. */
static void see_frames(asy_vm *vm, asy_value *base, const asy_stack *stack) {
  while (stack) {
    for (; base; base = asy_frame_back(base)) {
      FRAME_INFO(base) |= FRAME_SEEN;
      if (!(FRAME_INFO(base) & FRAME_LOCAL) && !(vm->monitored & MONITOR_PLACES)) continue;
      asy_value frame = asy_frame_object(vm, base);
      if (asy_failed(frame)) asy_clear_exception(vm);
      else place_frame(asy_frame_trace_of(frame), base);
    }
    stack = stack->below;
    base = stack ? stack->base : NULL;
  }
}

static void set_functions(asy_vm *vm, asy_vm *fields, const asy_stack *stack, asy_value trace, asy_value profile) {
  if (!fields->trace && !fields->profile && !vm->monitored) see_frames(vm, fields->base, stack);
  fields->trace = trace;
  fields->profile = profile;
  update(vm, fields);
}

void asy_trace_set(asy_vm *vm, asy_value trace, asy_value profile) {
  set_functions(vm, vm, vm->stack, trace, profile);
  asy_trace_threads_changed(vm);
}

void asy_trace_set_all(asy_vm *vm, asy_value trace, asy_value profile) {
  for (asy_thread *thread = vm->threads.first; thread; thread = thread->next) {
    asy_vm *fields = asy_thread_fields(vm, thread);
    set_functions(vm, fields, fields->stack, trace == ASY_UNBOUND ? fields->trace : trace,
                  profile == ASY_UNBOUND ? fields->profile : profile);
  }
  asy_trace_threads_changed(vm);
}

asy_value asy_trace_call(asy_vm *vm, asy_value func, asy_tuple *args) {
  asy_trace_event outer = vm->trace_event;
  see_frames(vm, vm->base, vm->stack);
  vm->trace_event = TRACE_NOTHING;
  update(vm, vm);
  asy_value result = asy_call_ex(vm, func, args, NULL);
  vm->trace_event = outer;
  update(vm, vm);
  return result;
}

void asy_trace_thread_begins(asy_vm *vm) { update(vm, vm); }

static void monitor_set(asy_vm *vm, asy_value function, uint32_t events) {
  vm->monitor = function;
  vm->monitored = events;
  for (asy_thread *thread = vm->threads.first; thread; thread = thread->next) {
    asy_vm *fields = asy_thread_fields(vm, thread);
    if (events) see_frames(vm, fields->base, fields->stack);
    update(vm, fields);
  }
  asy_trace_threads_changed(vm);
}

/* Calls a function that is told an event. What a resumed frame is sent or thrown, and an exception on its way, are none of its
 * business; only an exception of its own takes the place of that. */
static asy_value call_told(asy_vm *vm, asy_trace_event event, asy_value function, int n, const asy_value *args) {
  asy_value pending = vm->exception, sent = vm->sent, thrown = vm->thrown, stop_value = vm->stop_value;
  asy_trace_event outer = vm->trace_event;
  vm->exception = vm->thrown = 0;
  vm->sent = vm->stop_value = ASY_NONE;
  vm->trace_event = event;
  update(vm, vm);
  asy_value result = asy_call(vm, function, n, args);
  vm->trace_event = outer;
  vm->sent = sent;
  vm->thrown = thrown;
  vm->stop_value = stop_value;
  update(vm, vm);
  if (!asy_failed(result)) vm->exception = pending;
  return result;
}

/* Calls a trace or profile function; its result, or ASY_FAILED, and then it is no longer set. */
static asy_value tell(asy_vm *vm, asy_value *base, bool profile, asy_value function, asy_trace_event event,
                      asy_value arg) {
  asy_value frame = asy_frame_object(vm, base);
  if (asy_failed(frame)) return ASY_FAILED;
  asy_value args[] = {frame, event_name(vm, event), arg};
  asy_value result = call_told(vm, event, function, 3, args);
  if (!asy_failed(result)) return result;
  asy_trace_set(vm, profile ? vm->trace : 0, profile ? 0 : vm->profile);
  if (!profile) {
    asy_frame_trace_of(frame)->function = 0;
    FRAME_INFO(base) &= ~(asy_value)FRAME_LOCAL;
  }
  return ASY_FAILED;
}

static asy_value offset_of(int64_t word) { return asy_from_small(word * 2); } /* as f_lasti counts */

/* Tells sys.monitoring of an event in the frame: (event, code, offset or line, first, second); UNBOUND: there is none. */
static bool monitor_at(asy_vm *vm, asy_value *base, asy_monitor_event event, asy_value place, asy_value first,
                       asy_value second) {
  if (!(vm->monitored & event) || !vm->traced) return true;
  asy_value args[] = {asy_from_small(event), asy_from_obj(asy_frame_code(base)), place, first, second};
  int n = first == ASY_UNBOUND ? 3 : second == ASY_UNBOUND ? 4 : 5;
  return !asy_failed(call_told(vm, TRACE_LINE, vm->monitor, n, args));
}

static bool monitor(asy_vm *vm, asy_value *base, asy_monitor_event event, asy_value first) {
  uint32_t word = asy_frame_word(base);
  return monitor_at(vm, base, event, offset_of(word ? word - 1 : 0), first, ASY_UNBOUND);
}

static bool tell_profile(asy_vm *vm, asy_value *base, asy_trace_event event, asy_value arg) {
  return !vm->profile || !vm->traced || !asy_failed(tell(vm, base, true, vm->profile, event, arg));
}

/* To the frame's own function; what it returns, unless None, is the next. */
static bool tell_local(asy_vm *vm, asy_value *base, asy_trace_event event, asy_value arg) {
  if (!vm->trace || !vm->traced || !(FRAME_INFO(base) & FRAME_LOCAL)) return true;
  asy_value frame = asy_frame_object(vm, base);
  if (asy_failed(frame)) return false;
  asy_frame_trace *state = asy_frame_trace_of(frame);
  if (!state->function) return true;
  asy_value next = tell(vm, base, false, state->function, event, arg);
  if (asy_failed(next)) return false;
  if (next != ASY_NONE) asy_store(vm, asy_obj_of(frame), &state->function, next);
  return true;
}

void asy_trace_local(asy_vm *vm, asy_value frame_object, asy_value *base) {
  asy_frame_trace *state = asy_frame_trace_of(frame_object);
  if (!base) return;
  FRAME_INFO(base) &= ~(asy_value)FRAME_LOCAL;
  if (!state->function) return;
  FRAME_INFO(base) |= FRAME_LOCAL;
  place_frame(state, base);
}

/* ---- Frames that begin, or go on -------------------------------------------------------------------------------------- */

static bool runs_again(const uint32_t *pc) { /* a resumed frame executes it once more */
  return ASY_WORD_OP(*pc) == OP_AWAIT || ASY_WORD_OP(*pc) == OP_YIELD_FROM;
}

/* The frame at base was entered or resumed; its pc is behind the instruction where it stands, or at its first one. thrown: an
 * exception is thrown into it, or 0. */
static bool tell_call(asy_vm *vm, asy_value *base, asy_value thrown) {
  FRAME_INFO(base) |= FRAME_SEEN;
  asy_value frame = asy_frame_object(vm, base);
  if (asy_failed(frame)) return false;
  asy_frame_trace *state = asy_frame_trace_of(frame);
  if (vm->trace && vm->traced) {
    asy_value next = tell(vm, base, false, vm->trace, TRACE_CALL, ASY_NONE);
    if (asy_failed(next)) return false;
    if (next != ASY_NONE) asy_store(vm, asy_obj_of(frame), &state->function, next);
  }
  place_frame(state, base);
  asy_trace_local(vm, frame, base);
  if (!tell_profile(vm, base, TRACE_CALL, ASY_NONE)) return false;
  if (thrown) return monitor(vm, base, MONITOR_PY_THROW, thrown);
  return monitor(vm, base, asy_frame_word(base) ? MONITOR_PY_RESUME : MONITOR_PY_START, ASY_UNBOUND);
}

/* Tells of the frame at base and of those below it that are not told of, the lowest first. */
static bool tell_calls(asy_vm *vm, asy_value *base) {
  while (!(FRAME_INFO(base) & FRAME_SEEN)) {
    asy_value *at = base;
    while (asy_frame_back(at) && !(FRAME_INFO(asy_frame_back(at)) & FRAME_SEEN)) at = asy_frame_back(at);
    if (!tell_call(vm, at, 0)) return false;
  }
  return true;
}

/* ---- Exceptions --------------------------------------------------------------------------------------------------------- */

static bool tell_exception(asy_vm *vm, asy_value *base, asy_value exception, asy_value traceback) {
  if (!vm->trace || !(FRAME_INFO(base) & FRAME_LOCAL)) return true;
  asy_value pending = vm->exception;
  vm->exception = 0;
  asy_value info = asy_tuple_of(vm, 3, asy_from_obj(asy_class_of(vm, exception)), exception, traceback);
  if (asy_failed(info)) return false;
  vm->exception = pending;
  return tell_local(vm, base, TRACE_EXCEPTION, info);
}

void asy_trace_exception(asy_vm *vm, bool raised) {
  asy_value *base = vm->base;
  if (!(FRAME_INFO(base) & FRAME_SEEN) && !tell_call(vm, base, vm->exception)) return;
  if (!monitor(vm, base, raised ? MONITOR_RAISE : MONITOR_RERAISE, vm->exception) || !raised) return;
  asy_traceback *traceback = asy_exception_of(vm->exception)->traceback;
  (void)tell_exception(vm, base, vm->exception, traceback ? asy_from_obj(traceback) : ASY_NONE);
}

/* A frame gives a value to the one at base without an exception object, where CPython has a StopIteration. */
static bool tell_stop(asy_vm *vm, asy_value *base, asy_exc_id what, asy_value value) {
  bool local = vm->trace && FRAME_INFO(base) & FRAME_LOCAL;
  if (!vm->traced || !(local || vm->monitored & MONITOR_STOP_ITERATION)) return true;
  asy_value stop = asy_call(vm, asy_from_obj(vm->exceptions[what]), value != ASY_NONE, &value);
  return !asy_failed(stop) && tell_exception(vm, base, stop, ASY_NONE) &&
         monitor(vm, base, MONITOR_STOP_ITERATION, stop);
}

/* ---- Returns -------------------------------------------------------------------------------------------------------------- */

static bool tell_return(asy_vm *vm, asy_value *base, asy_value value) {
  return tell_local(vm, base, TRACE_RETURN, value) && tell_profile(vm, base, TRACE_RETURN, value);
}

void asy_trace_handled(asy_vm *vm) { (void)monitor(vm, vm->base, MONITOR_EXCEPTION_HANDLED, vm->exception); }

void asy_trace_unwound(asy_vm *vm) {
  if (tell_return(vm, vm->base, ASY_NONE)) (void)monitor(vm, vm->base, MONITOR_PY_UNWIND, vm->exception);
}

bool asy_trace_yield(asy_vm *vm, asy_value value) {
  for (asy_value *base = vm->base;; base = asy_frame_back(base)) {
    asy_value info = FRAME_INFO(base);
    if (!tell_return(vm, base, value) || !monitor(vm, base, MONITOR_PY_YIELD, value)) return false;
    FRAME_INFO(base) &= ~(asy_value)(FRAME_SEEN | FRAME_LOCAL);
    if (info & FRAME_DELEGATED) continue;
    bool awaited = asy_gen_of_base(base)->head.kind == KIND_ASYNC_GENERATOR && !(info & FRAME_BOUNDARY);
    return !awaited || tell_stop(vm, asy_frame_back(base), ASY_StopIteration, value);
  }
}

/* Before RETURN and RETURN_NONE; what waits for the frame sees a StopIteration. */
static bool tell_returned(asy_vm *vm, asy_value *base, asy_value value) {
  if (!tell_return(vm, base, value) || !monitor(vm, base, MONITOR_PY_RETURN, value)) return false;
  asy_value info = FRAME_INFO(base), *caller = asy_frame_back(base);
  uint32_t flags = asy_frame_code(base)->flags;
  if (info & FRAME_BOUNDARY || !caller) return true;
  if (flags & CODE_ASYNC_GENERATOR) return tell_stop(vm, caller, ASY_StopAsyncIteration, ASY_NONE);
  bool stops = flags & CODE_COROUTINE || info & FRAME_DELEGATED || (flags & CODE_GENERATOR && value != ASY_NONE);
  return !stops || tell_stop(vm, caller, ASY_StopIteration, value);
}

bool asy_trace_awaited(asy_vm *vm, asy_value awaiter, asy_value value) {
  asy_value iterator = ((asy_awaiter *)asy_obj_of(awaiter))->iterator;
  bool stops = asy_is_kind(iterator, KIND_GENERATOR) || asy_is_kind(iterator, KIND_COROUTINE);
  return !stops || tell_stop(vm, vm->base, ASY_StopIteration, value);
}

/* The stack may no longer be stopped from waiting: an exception of the function is reported. */
void asy_trace_suspend(asy_vm *vm, asy_value value) {
  for (asy_value *base = vm->base; base; base = asy_frame_back(base))
    if (FRAME_INFO(base) & FRAME_SEEN && !(tell_return(vm, base, value) && monitor(vm, base, MONITOR_PY_YIELD, value)))
      asy_report_unraisable(vm, ASY_NONE);
}

void asy_trace_resume(asy_vm *vm) {
  for (asy_value *base = vm->base; base; base = asy_frame_back(base))
    FRAME_INFO(base) &= ~(asy_value)(FRAME_SEEN | FRAME_LOCAL);
}

/* ---- Calls of natives ------------------------------------------------------------------------------------------------------ */

/* What c_call events are told of: a builtin function, or a method of a built-in type with its object; 0 for others. */
static asy_value called_native(asy_vm *vm, asy_value callee, const asy_value *args, uint32_t nargs) {
  if (asy_is_exact(callee, KIND_WRAPPER_DESCRIPTOR)) return 0;
  if (asy_is_kind(callee, KIND_METHOD)) return is_native(((asy_method *)asy_obj_of(callee))->func) ? callee : 0;
  if (!is_native(callee)) return 0;
  if (!((asy_nativefunc *)asy_obj_of(callee))->owner) return callee;
  return nargs ? asy_method_new(vm, callee, args[0]) : 0;
}

static bool is_script_function(asy_value callee) {
  if (asy_is_kind(callee, KIND_METHOD)) callee = ((asy_method *)asy_obj_of(callee))->func;
  return asy_is_kind(callee, KIND_FUNCTION);
}

/* A call instruction at pc - 1. ACT_NEXT: nothing has happened but that it was told. */
static asy_action call_native(asy_vm *vm, asy_value *base, const uint32_t *pc) {
  uint32_t word = pc[-1];
  asy_op op = (asy_op)ASY_WORD_OP(word);
  const uint32_t *behind = pc - 1 + asy_op_words(asy_op_table[op].format);
  asy_value *window = &base[ASY_WORD_B(word)], *args = window + FRAME_HEADER;
  uint32_t nargs = ASY_WORD_C(word);
  bool method = op == OP_CALL_METHOD || op == OP_CALL_METHOD_KW || op == OP_AWAIT_CALL_METHOD,
       spread = op == OP_CALL_EX;
  if (method && args[0] == ASY_UNBOUND) args++, nargs--;
  const asy_value *first = args;
  uint32_t given = nargs;
  if (spread) {
    bool known = asy_is_kind(args[0], KIND_TUPLE) || asy_is_kind(args[0], KIND_LIST);
    given = 0;
    if (known) first = asy_elements(asy_obj_of(args[0]), &given);
  }
  asy_value native = vm->profile ? called_native(vm, window[0], first, given) : 0;
  asy_value place = offset_of(pc - 1 - asy_frame_code(base)->words), callee = window[0];
  asy_value arg = given ? first[0] : ASY_UNBOUND;
  if (!monitor_at(vm, base, MONITOR_CALL, place, callee, arg)) return ACT_UNWIND;
  if (!native && (!(vm->monitored & MONITOR_CALL) || is_script_function(callee))) return ACT_NEXT;
  asy_frame_set_pc(base, behind);
  if (native && (asy_failed(native) || !tell_profile(vm, base, TRACE_C_CALL, native))) return ACT_UNWIND;
  asy_value result;
  asy_action action;
  asy_value info = ASY_WORD_A(word);
  if (spread) {
    action = asy_call_spread(vm, window, args[0], nargs ? args[1] : 0, info, &result);
  } else {
    bool named = behind > pc;
    asy_tuple *names = named ? (asy_tuple *)asy_obj_of(asy_frame_code(base)->constants[*pc]) : NULL;
    action = asy_call_slow(vm, window[0], 0, window, args, nargs, names, info, &result);
  }
  if (action == ACT_RELOAD) return action; /* a class, whose __init__ runs now */
  if (action == ACT_UNWIND) {
    if (vm->base == base && (!native || tell_profile(vm, base, TRACE_C_EXCEPTION, native)))
      (void)monitor_at(vm, base, MONITOR_C_RAISE, place, callee, arg);
    return ACT_UNWIND;
  }
  if (native && !tell_profile(vm, base, TRACE_C_RETURN, native)) return ACT_UNWIND;
  if (!monitor_at(vm, base, MONITOR_C_RETURN, place, callee, arg)) return ACT_UNWIND;
  base[info] = result;
  return ACT_RELOAD;
}

/* ---- Lines ------------------------------------------------------------------------------------------------------------------ */

/* Instructions that belong to no statement, or to the one before. */
static bool tells_no_line(uint32_t word) {
  switch (ASY_WORD_OP(word)) {
    case OP_JUMP_BACK:
    case OP_PUSH_HANDLED:
    case OP_POP_HANDLED:
    case OP_RERAISE: return true;
    default: return false;
  }
}

/* The script iterator of the FOR_ITER before has raised StopIteration: told where that stands. */
static bool tell_exhausted(asy_vm *vm, asy_value *base, const asy_frame_trace *state) {
  const uint32_t *pc = asy_frame_pc(base);
  asy_frame_set_pc(base, asy_frame_code(base)->words + state->word + 1);
  bool told = tell_stop(vm, base, ASY_StopIteration, ASY_NONE);
  asy_frame_set_pc(base, pc);
  return told;
}

static bool line_begins(asy_vm *vm, asy_value *base, asy_frame_trace *state, int32_t line) {
  bool other = line != state->line, begins = other || state->back;
  state->line = line;
  state->back = false;
  if (!begins) return true;
  if (!state->no_lines && !tell_local(vm, base, TRACE_LINE, ASY_NONE)) return false;
  asy_value offset = offset_of((int64_t)asy_frame_word(base) - 1);
  return !other || monitor_at(vm, base, MONITOR_LINE, asy_from_small(line), offset, ASY_UNBOUND);
}

/* The instruction before, if it is a jump, has gone to word. */
static bool tell_jump(asy_vm *vm, asy_value *base, const asy_frame_trace *state, int32_t word) {
  if (state->word < 0 || !(vm->monitored & (MONITOR_JUMP | MONITOR_BRANCH))) return true;
  const asy_code *code = asy_frame_code(base);
  asy_op op = (asy_op)ASY_WORD_OP(code->words[state->word]);
  uint8_t effects = asy_op_table[op].effects;
  if (!(effects & EFFECT_JUMPS)) return true;
  if (op == OP_JUMP && !asy_code_position(code, (uint32_t)state->word + 1).line)
    return true; /* over a handler, mostly */
  asy_monitor_event event = effects & EFFECT_ENDS ? MONITOR_JUMP : MONITOR_BRANCH;
  return monitor_at(vm, base, event, offset_of(state->word), offset_of(word), ASY_UNBOUND);
}

/* Statements without instructions, on the way to the instruction at word or in a jump. */
static bool tell_marks(asy_vm *vm, asy_value *base, asy_frame_trace *state, uint32_t word, bool jumped) {
  const asy_code *code = asy_frame_code(base);
  const uint32_t *pc = asy_frame_pc(base);
  bool at_instruction = (int32_t)word == state->word;
  for (uint32_t i = asy_code_row(code, word); i < code->npositions && code->positions[i].word == word; i++) {
    const asy_position *row = &code->positions[i];
    if (!asy_is_mark(row) || (at_instruction && jumped && !row->col)) continue;
    state->mark = row->line;
    bool told = line_begins(vm, base, state, row->line);
    state->mark = 0;
    if (!told || asy_frame_pc(base) != pc) return told;
  }
  return true;
}

static bool tell_line(asy_vm *vm, asy_value *base, const uint32_t *pc) {
  asy_value frame = asy_frame_object(vm, base);
  if (asy_failed(frame)) return false;
  asy_frame_trace *state = asy_frame_trace_of(frame);
  const asy_code *code = asy_frame_code(base);
  int32_t word = (int32_t)asy_frame_word(base) - 1;
  int32_t line = asy_code_position(code, (uint32_t)word + 1).line;
  if (state->loop_end && state->loop_end == word && !tell_exhausted(vm, base, state)) return false;
  if (!tell_jump(vm, base, state, word)) return false;
  bool jumped = word != state->behind, jump = state->behind - state->word == 2;
  state->back |= word < state->word;
  uint32_t jumps = (uint32_t)state->behind - 1;
  state->word = word;
  state->behind = word + (int32_t)asy_op_words(asy_op_table[ASY_WORD_OP(pc[-1])].format);
  state->loop_end = 0;
  if (jumped && jump && !tell_marks(vm, base, state, jumps, true)) return false;
  if (!tell_marks(vm, base, state, (uint32_t)word, jumped)) return false;
  if (asy_frame_pc(base) != pc) return true;
  if (line && !tells_no_line(pc[-1]) && !line_begins(vm, base, state, line)) return false;
  if (ASY_WORD_OP(pc[-1]) == OP_FOR_ITER) {
    asy_value iterator = base[ASY_WORD_A(pc[-1])];
    if (!(asy_class_of(vm, iterator)->flags & ASY_CLASS_BUILTIN)) state->loop_end = word + 2 + (int32_t)*pc;
  }
  if (!monitor_at(vm, base, MONITOR_INSTRUCTION, offset_of(word), ASY_UNBOUND, ASY_UNBOUND)) return false;
  if (state->opcodes && asy_frame_pc(base) == pc) return tell_local(vm, base, TRACE_OPCODE, ASY_NONE);
  return true;
}

/* ---- The step -------------------------------------------------------------------------------------------------------------- */

asy_action asy_trace_step(asy_vm *vm, asy_value *base, const uint32_t *pc) {
  if (!vm->traced) return ACT_NEXT;
  if (!(FRAME_INFO(base) & FRAME_SEEN) && !vm->thrown) { /* of what is thrown, asy_unwind tells */
    asy_frame_set_pc(base, runs_again(pc - 1) ? pc : pc - 1);
    if (!tell_calls(vm, base)) return ACT_UNWIND;
  }
  asy_frame_set_pc(base, pc);
  if (FRAME_INFO(base) & FRAME_LOCAL || vm->monitored & MONITOR_PLACES) {
    if (!tell_line(vm, base, pc)) return ACT_UNWIND;
    if (asy_frame_pc(base) != pc) return ACT_RELOAD; /* f_lineno was set */
  }
  switch (ASY_WORD_OP(pc[-1])) {
    case OP_RETURN: return tell_returned(vm, base, base[ASY_WORD_A(pc[-1])]) ? ACT_NEXT : ACT_UNWIND;
    case OP_RETURN_NONE: return tell_returned(vm, base, ASY_NONE) ? ACT_NEXT : ACT_UNWIND;
    case OP_YIELD: return asy_trace_yield(vm, base[ASY_WORD_B(pc[-1])]) ? ACT_NEXT : ACT_UNWIND;
    case OP_CALL:
    case OP_CALL_METHOD:
    case OP_CALL_KW:
    case OP_CALL_METHOD_KW:
    case OP_AWAIT_CALL:
    case OP_AWAIT_CALL_METHOD:
    case OP_CALL_EX:
      return (vm->profile || vm->monitored & MONITOR_CALL) && vm->traced ? call_native(vm, base, pc) : ACT_NEXT;
    default: return ACT_NEXT;
  }
}

/* ---- The module behind sys.monitoring ---------------------------------------------------------------------------------------- */

static asy_value monitor_module_set(asy_vm *vm, const asy_value *args) {
  int events;
  if (!asy_to_int(vm, args[1], 0, MONITOR_ALL, &events)) return ASY_FAILED;
  monitor_set(vm, args[0], (uint32_t)events);
  return ASY_NONE;
}

static const asy_native monitor_natives[] = {
  {"set", SIG("(function, events, /)"), monitor_module_set, DOC("What is called with these events (bits; 0: no more)."),
   0},
  {0},
};
const asy_module_def asy_module_monitor = {"_monitor", monitor_natives, "What sys.monitoring is made of.", NULL};
