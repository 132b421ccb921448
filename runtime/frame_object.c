/* frame_object.c - frames as script code sees them (sys._getframe, gi_frame, tb_frame).
 *
 * A frame object is made when it is asked for. While its frame lives it looks into the registers, and asking again finds the same
 * object: through vm->live_frames (frames on stacks: strong, until the frame is left) or through the generator. When the frame is left
 * it keeps a copy of the locals and the object of its caller. FRAME_TRACED in the frame's info sends its return the slow way, here.
 */
#include "runtime/class.h"
#include "runtime/exc.h"
#include "runtime/trace.h"

typedef struct asy_frame_obj {
  asy_obj head;
  asy_func *func;
  uint32_t word;              /* left: offset behind its last instruction */
  asy_value back;             /* left: frame object of the caller, or None */
  asy_value locals;           /* left: dict */
  asy_value *base;            /* its registers while the frame lives; NULL: left */
  asy_gen *gen;               /* whose frame it is, or NULL */
  struct asy_frame_obj *next; /* in vm->live_frames */
  asy_frame_trace trace;
} asy_frame_obj;

static asy_frame_obj *frame_of(asy_value v) { return (asy_frame_obj *)asy_obj_of(v); }

asy_func *asy_frame_object_func(asy_value frame) { return frame_of(frame)->func; }

asy_frame_trace *asy_frame_trace_of(asy_value frame_object) { return &frame_of(frame_object)->trace; }

static bool lives(const asy_frame_obj *frame) {
  return frame->base && (!frame->gen || frame->gen->state != GEN_CLOSED);
}

static asy_value *cell_value(asy_value cell) { return &((asy_cell *)asy_obj_of(cell))->value; }

/* The dict gets the name's value, UNBOUND: it has none. */
static bool show_local(asy_vm *vm, asy_dict *dict, asy_str *name, asy_value v) {
  if (!name->len || asy_str_at(name, 0) == '.') return true;
  if (v != ASY_UNBOUND) return asy_dict_set_str(vm, dict, name, v);
  return asy_dict_get_str(vm, dict, name) == ASY_UNBOUND || asy_dict_delete(vm, dict, asy_from_obj(name), NULL) >= 0;
}

/* A frame's dict of locals is always the same one, and made true whenever it is asked for: it keeps what else was put there. */
static asy_value locals_of(asy_vm *vm, asy_frame_obj *frame) {
  const asy_value *base = frame->base;
  const asy_code *code = frame->func->code;
  if (!(code->flags & CODE_OPTIMIZED)) return base[0];
  if (!frame->locals) {
    asy_dict *made = asy_dict_new(vm, code->nlocals);
    if (!made) return ASY_FAILED;
    asy_store(vm, frame, &frame->locals, asy_from_obj(made));
  }
  asy_dict *dict = (asy_dict *)asy_obj_of(frame->locals);
  for (uint32_t i = 0; i < code->nlocals; i++) {
    asy_value v = base[i];
    if (asy_is_kind(v, KIND_CELL) && code->is_cell[i]) v = *cell_value(v);
    if (!show_local(vm, dict, code->varnames[i], v)) return ASY_FAILED;
  }
  asy_tuple *closure = frame->func->closure;
  for (uint32_t i = 0; closure && i < code->nfreevars; i++)
    if (!show_local(vm, dict, code->freevars[i], *cell_value(closure->items[i]))) return ASY_FAILED;
  return frame->locals;
}

void asy_frame_store_locals(asy_vm *vm, asy_value object) {
  asy_frame_obj *frame = frame_of(object);
  const asy_code *code = frame->func->code;
  if (!lives(frame) || !frame->locals || !(code->flags & CODE_OPTIMIZED)) return;
  if (!frame->gen && !asy_live_frame(vm, frame->func, frame->base)) return; /* a suspended stack is not written */
  asy_dict *dict = (asy_dict *)asy_obj_of(frame->locals);
  for (uint32_t i = 0; i < code->nlocals; i++) {
    asy_value v = asy_dict_get_str(vm, dict, code->varnames[i]), *place = &frame->base[i];
    if (v == ASY_UNBOUND || !code->varnames[i]->len) continue;
    if (asy_is_kind(*place, KIND_CELL) && code->is_cell[i]) asy_store(vm, asy_obj_of(*place), cell_value(*place), v);
    else *place = v;
  }
  if (frame->gen) asy_barrier(vm, frame->gen);
  asy_tuple *closure = frame->func->closure;
  for (uint32_t i = 0; closure && i < code->nfreevars; i++) {
    asy_value v = asy_dict_get_str(vm, dict, code->freevars[i]), cell = closure->items[i];
    if (v != ASY_UNBOUND) asy_store(vm, asy_obj_of(cell), cell_value(cell), v);
  }
}

static asy_frame_obj *frame_new(asy_vm *vm, asy_func *func, uint32_t word) {
  asy_frame_obj *frame = asy_new_kind(vm, KIND_FRAME, sizeof *frame);
  if (!frame) return NULL;
  frame->func = func;
  frame->word = word;
  frame->back = ASY_NONE;
  frame->trace.word = -1;
  return frame;
}

asy_value asy_frame_object_at(asy_vm *vm, asy_func *func, uint32_t word) {
  asy_frame_obj *frame = frame_new(vm, func, word);
  return frame ? asy_from_obj(frame) : ASY_FAILED;
}

asy_value asy_frame_object(asy_vm *vm, asy_value *base) {
  asy_gen *gen = FRAME_INFO(base) & FRAME_HEAP ? asy_gen_of_base(base) : NULL;
  if (gen && gen->frame_object) return gen->frame_object;
  for (asy_frame_obj *frame = vm->live_frames; frame && !gen; frame = frame->next)
    if (frame->base == base) return asy_from_obj(frame);
  asy_frame_obj *frame = frame_new(vm, asy_frame_func(base), 0);
  if (!frame) return ASY_FAILED;
  frame->base = base;
  frame->gen = gen;
  if (gen) {
    asy_store(vm, gen, &gen->frame_object, asy_from_obj(frame));
  } else {
    FRAME_INFO(base) |= FRAME_TRACED;
    frame->next = vm->live_frames;
    vm->live_frames = frame;
  }
  return asy_from_obj(frame);
}

/* The frame that called the one at base, across stacks that were resumed; NULL when there is none. */
static asy_value *caller_of(asy_vm *vm, const asy_value *base) {
  if (asy_frame_back(base)) return asy_frame_back(base);
  asy_value *at = vm->base;
  for (asy_stack *stack = vm->stack; stack; stack = stack->below, at = stack ? stack->base : NULL)
    for (; at; at = asy_frame_back(at))
      if (at == base) {
        while (stack->below && !stack->below->base) stack = stack->below;
        return stack->below ? stack->below->base : NULL;
      }
  return NULL;
}

static asy_value back_of(asy_vm *vm, const asy_frame_obj *frame) {
  if (!lives(frame)) return frame->back;
  if (frame->gen && frame->gen->state != GEN_RUNNING) return ASY_NONE;
  asy_value *caller = caller_of(vm, frame->base);
  return caller ? asy_frame_object(vm, caller) : ASY_NONE;
}

/* The frame is about to be left: keep what is asked for later. Out of memory: it keeps less. */
static void detach(asy_vm *vm, asy_frame_obj *frame) {
  asy_value pending = asy_take_exception(vm);
  asy_value locals = locals_of(vm, frame), back = back_of(vm, frame);
  if (!asy_failed(locals)) asy_store(vm, frame, &frame->locals, locals);
  if (!asy_failed(back)) asy_store(vm, frame, &frame->back, back);
  if (asy_raised(vm)) asy_clear_exception(vm);
  vm->exception = pending;
  frame->word = asy_frame_word(frame->base);
  frame->base = NULL;
}

void asy_frame_left(asy_vm *vm, const asy_value *base) {
  for (asy_frame_obj **place = &vm->live_frames; *place; place = &(*place)->next) {
    asy_frame_obj *frame = *place;
    if (frame->base != base) continue;
    detach(vm, frame);
    for (place = &vm->live_frames; *place != frame;) place = &(*place)->next; /* detaching may have added some */
    *place = frame->next;
    return;
  }
}

void asy_gen_frame_left(asy_vm *vm, asy_gen *gen) {
  asy_frame_obj *frame = frame_of(gen->frame_object);
  detach(vm, frame);
  gen->frame_object = 0;
}

void asy_frames_dropped(asy_vm *vm, const asy_value *from, const asy_value *to) {
  asy_frame_obj **place = &vm->live_frames;
  while (*place) {
    asy_frame_obj *frame = *place;
    if (frame->base < from || frame->base >= to) {
      place = &frame->next;
      continue;
    }
    frame->base = NULL;
    *place = frame->next;
  }
}

void asy_frames_visit(asy_vm *vm, asy_visitor *v) {
  for (asy_frame_obj *frame = vm->live_frames; frame; frame = frame->next) asy_visit_obj(v, frame);
}

asy_value asy_getframe(asy_vm *vm, uint32_t depth) {
  asy_value *base = vm->base;
  while (base && depth--) base = caller_of(vm, base);
  return base ? asy_frame_object(vm, base) : asy_raise(vm, ASY_ValueError, "call stack is not deep enough");
}

asy_value *asy_live_frame(asy_vm *vm, const asy_func *func, const asy_value *base) {
  for (asy_value *at = vm->base; at; at = caller_of(vm, at))
    if (at == base) return asy_frame_func(at) == func ? at : NULL;
  return NULL;
}

static void frame_visit(asy_obj *o, asy_visitor *v) {
  asy_frame_obj *frame = (asy_frame_obj *)o;
  asy_visit_obj(v, frame->func);
  asy_visit_obj(v, frame->gen);
  asy_visit_value(v, frame->back);
  if (frame->locals) asy_visit_value(v, frame->locals);
  if (frame->trace.function) asy_visit_value(v, frame->trace.function);
}

#define SELF frame_of(args[0])
static uint32_t word_of(const asy_frame_obj *frame) { return lives(frame) ? asy_frame_word(frame->base) : frame->word; }

static asy_value frame_get_code(asy_vm *vm, const asy_value *args) { return asy_from_obj(SELF->func->code); }
static asy_value frame_get_globals(asy_vm *vm, const asy_value *args) { return asy_from_obj(SELF->func->globals); }
static asy_value frame_get_builtins(asy_vm *vm, const asy_value *args) { return asy_from_obj(SELF->func->builtins); }
static asy_value frame_get_line(asy_vm *vm, const asy_value *args) {
  const asy_code *code = SELF->func->code;
  uint32_t word = word_of(SELF);
  int32_t line = word ? asy_code_position(code, word).line : 0, told = SELF->trace.line;
  if (word && !line) line = told;
  if (SELF->trace.mark) line = SELF->trace.mark;
  while (!line && word) line = asy_code_position(code, word--).line; /* of what has none: as before it */
  return asy_from_small(line ? line : code->first_line);
}
static asy_value frame_put_line(asy_vm *vm, const asy_value *args) {
  if (args[1] == ASY_UNBOUND) return asy_raise(vm, ASY_AttributeError, "cannot delete attribute");
  if (!asy_is_integer(args[1]) || args[1] == ASY_TRUE || args[1] == ASY_FALSE)
    return asy_raise(vm, ASY_ValueError, "lineno must be an integer");
  if (vm->trace_event == TRACE_CALL)
    return asy_raise(vm, ASY_ValueError, "can't jump from the 'call' trace event of a new frame");
  if (!lives(SELF) || !SELF->trace.function || vm->trace_event == TRACE_NOTHING)
    return asy_raise(vm, ASY_ValueError, "f_lineno can only be set in a trace function");
  if (vm->trace_event != TRACE_LINE) return asy_raise(vm, ASY_ValueError, "can only jump from a 'line' trace event");
  int64_t line;
  if (!asy_is_number_int64(args[1], &line) || line != (int32_t)line)
    return asy_raise(vm, ASY_ValueError, "lineno out of range");
  return asy_trace_jump(vm, args[0], SELF->base, line) ? ASY_NONE : ASY_FAILED;
}
static asy_value frame_get_lasti(asy_vm *vm, const asy_value *args) {
  uint32_t word = word_of(SELF);
  return asy_from_small(word ? (int64_t)(word - 1) * 2 : -1);
}
static asy_value frame_get_back(asy_vm *vm, const asy_value *args) { return back_of(vm, SELF); }
static asy_value frame_get_locals(asy_vm *vm, const asy_value *args) {
  if (lives(SELF)) return locals_of(vm, SELF);
  if (!SELF->locals) {
    asy_dict *dict = asy_dict_new(vm, 0);
    if (!dict) return ASY_FAILED;
    asy_store(vm, SELF, &SELF->locals, asy_from_obj(dict));
  }
  return SELF->locals;
}
static asy_value frame_get_generator(asy_vm *vm, const asy_value *args) {
  return SELF->gen ? asy_from_obj(SELF->gen) : ASY_NONE;
}

static asy_value frame_get_trace(asy_vm *vm, const asy_value *args) {
  return SELF->trace.function ? SELF->trace.function : ASY_NONE;
}
static asy_value frame_put_trace(asy_vm *vm, const asy_value *args) {
  bool none = args[1] == ASY_NONE || args[1] == ASY_UNBOUND;
  asy_store(vm, SELF, &SELF->trace.function, none ? 0 : args[1]);
  asy_trace_local(vm, args[0], lives(SELF) ? SELF->base : NULL);
  return ASY_NONE;
}

static bool put_flag(asy_vm *vm, asy_value value, bool *out) {
  if (value == ASY_UNBOUND) return asy_raise(vm, ASY_TypeError, "can't delete numeric/char attribute"), false;
  if (value != ASY_TRUE && value != ASY_FALSE)
    return asy_raise(vm, ASY_TypeError, "attribute value type must be bool"), false;
  *out = value == ASY_TRUE;
  return true;
}
static asy_value frame_get_trace_lines(asy_vm *vm, const asy_value *args) {
  return asy_from_bool(!SELF->trace.no_lines);
}
static asy_value frame_put_trace_lines(asy_vm *vm, const asy_value *args) {
  bool lines;
  if (!put_flag(vm, args[1], &lines)) return ASY_FAILED;
  SELF->trace.no_lines = !lines;
  return ASY_NONE;
}
static asy_value frame_get_trace_opcodes(asy_vm *vm, const asy_value *args) {
  return asy_from_bool(SELF->trace.opcodes);
}
static asy_value frame_put_trace_opcodes(asy_vm *vm, const asy_value *args) {
  return put_flag(vm, args[1], &SELF->trace.opcodes) ? ASY_NONE : ASY_FAILED;
}

static asy_value frame_clear(asy_vm *vm, const asy_value *args) {
  asy_frame_obj *frame = SELF;
  if (!lives(frame)) {
    frame->locals = 0;
    return ASY_NONE;
  }
  bool suspended = frame->gen ? frame->gen->state != GEN_RUNNING : !asy_live_frame(vm, frame->func, frame->base);
  return asy_raise(vm, ASY_RuntimeError, "cannot clear %s frame", suspended ? "a suspended" : "an executing");
}
#undef SELF

static asy_value frame_repr(asy_vm *vm, asy_value self) {
  asy_value line = frame_get_line(vm, &self);
  const asy_code *code = frame_of(self)->func->code;
  asy_str *s = asy_str_format(vm, "<frame at %p, file %R, line %d, code %U>", (void *)frame_of(self),
                              asy_from_obj(code->filename), (int)asy_small(line), code->name);
  return s ? asy_from_obj(s) : ASY_FAILED;
}

static const asy_native frame_methods[] = {
  {"f_code", SIG("(self)"), frame_get_code, DOC("The code that runs."), ASY_NATIVE_GETTER},
  {"f_globals", SIG("(self)"), frame_get_globals, DOC("Its global names."), ASY_NATIVE_GETTER},
  {"f_builtins", SIG("(self)"), frame_get_builtins, DOC("Its builtin names."), ASY_NATIVE_GETTER},
  {"f_locals", SIG("(self)"), frame_get_locals, DOC("Its local names: of a function, a copy."), ASY_NATIVE_GETTER},
  {"f_back", SIG("(self)"), frame_get_back, DOC("The frame of its caller."), ASY_NATIVE_GETTER},
  {"f_lineno", SIG("(self)"), frame_get_line, DOC("The line it is at."), ASY_NATIVE_GETTER},
  {"f_lineno", SIG("(self, value)"), frame_put_line, 0, ASY_NATIVE_SETTER},
  {"f_lasti", SIG("(self)"), frame_get_lasti, DOC("Offset of its instruction."), ASY_NATIVE_GETTER},
  {"f_generator", SIG("(self)"), frame_get_generator, DOC("The generator whose frame it is."), ASY_NATIVE_GETTER},
  {"f_trace", SIG("(self)"), frame_get_trace, DOC("What is told of its lines, its exceptions and its end."),
   ASY_NATIVE_GETTER},
  {"f_trace", SIG("(self, value)"), frame_put_trace, 0, ASY_NATIVE_SETTER},
  {"f_trace_lines", SIG("(self)"), frame_get_trace_lines, DOC("Whether f_trace is told lines."), ASY_NATIVE_GETTER},
  {"f_trace_lines", SIG("(self, value)"), frame_put_trace_lines, 0, ASY_NATIVE_SETTER},
  {"f_trace_opcodes", SIG("(self)"), frame_get_trace_opcodes, DOC("Whether f_trace is told instructions."),
   ASY_NATIVE_GETTER},
  {"f_trace_opcodes", SIG("(self, value)"), frame_put_trace_opcodes, 0, ASY_NATIVE_SETTER},
  {"clear", SIG("(self, /)"), frame_clear, DOC("Drop the locals of a frame that was left."), 0},
  {0},
};
const asy_type asy_frame_type = {
  .name = "frame",
  .size = sizeof(asy_frame_obj),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW,
  .visit = frame_visit,
  .repr = frame_repr,
  .methods = frame_methods,
};
