/* frame_object.c - frames as script code sees them: snapshots, made only when asked for (sys._getframe, cr_frame, tb_frame). */
#include "runtime/class.h"
#include "runtime/exc.h"
#include "runtime/frame.h"

typedef struct asy_frame_obj {
  asy_obj head;
  asy_func *func;
  uint32_t word;    /* offset behind its running instruction, when the snapshot was made */
  asy_value back;   /* frame object of the caller, or None */
  asy_value locals; /* dict */
} asy_frame_obj;

static asy_value locals_of(asy_vm *vm, const asy_value *base, asy_code *code) {
  if (!(code->flags & CODE_OPTIMIZED)) return base[0];
  asy_dict *dict = asy_dict_new(vm, code->nlocals);
  if (!dict) return ASY_FAILED;
  for (uint32_t i = 0; i < code->nlocals; i++) {
    asy_value v = base[i];
    if (asy_is_kind(v, KIND_CELL) && code->is_cell[i]) v = ((asy_cell *)asy_obj_of(v))->value;
    if (v == ASY_UNBOUND || !code->varnames[i]->len) continue;
    if (!asy_dict_set_str(vm, dict, code->varnames[i], v)) return ASY_FAILED;
  }
  asy_tuple *closure = asy_frame_func(base)->closure;
  for (uint32_t i = 0; closure && i < code->nfreevars; i++) {
    asy_value v = ((asy_cell *)asy_obj_of(closure->items[i]))->value;
    if (v != ASY_UNBOUND && !asy_dict_set_str(vm, dict, code->freevars[i], v)) return ASY_FAILED;
  }
  return asy_from_obj(dict);
}

asy_value asy_frame_locals(asy_vm *vm, const asy_value *base) { return locals_of(vm, base, asy_frame_code(base)); }

asy_value asy_frame_object_at(asy_vm *vm, asy_func *func, uint32_t word) {
  asy_frame_obj *frame = asy_new_kind(vm, KIND_FRAME, sizeof *frame);
  if (!frame) return ASY_FAILED;
  frame->func = func;
  frame->word = word;
  frame->back = ASY_NONE;
  asy_dict *locals = asy_dict_new(vm, 0);
  if (!locals) return ASY_FAILED;
  asy_store(vm, frame, &frame->locals, asy_from_obj(locals));
  return asy_from_obj(frame);
}

asy_value asy_frame_object(asy_vm *vm, asy_value *base) {
  asy_value v = asy_frame_object_at(vm, asy_frame_func(base), asy_frame_word(base));
  if (v == ASY_FAILED) return ASY_FAILED;
  asy_frame_obj *frame = (asy_frame_obj *)asy_obj_of(v);
  asy_value locals = locals_of(vm, base, asy_frame_code(base));
  if (locals == ASY_FAILED) return ASY_FAILED;
  asy_store(vm, frame, &frame->locals, locals);
  return v;
}

asy_value asy_getframe(asy_vm *vm, uint32_t depth) {
  asy_value *base = vm->base;
  asy_stack *stack = vm->stack;
  asy_value innermost = 0;
  asy_frame_obj *inner = NULL;
  while (base || (stack && stack->below)) {
    if (!base) { /* the frames below a stack that was resumed */
      stack = stack->below;
      base = stack->base;
      continue;
    }
    if (depth > 0) {
      depth--;
    } else {
      asy_value v = asy_frame_object(vm, base);
      if (v == ASY_FAILED) return ASY_FAILED;
      if (inner) asy_store(vm, inner, &inner->back, v);
      inner = (asy_frame_obj *)asy_obj_of(v);
      if (!innermost) innermost = v;
    }
    base = asy_frame_back(base);
  }
  return innermost ? innermost : asy_raise(vm, ASY_ValueError, "call stack is not deep enough");
}

static void frame_visit(asy_obj *o, asy_visitor *v) {
  asy_frame_obj *frame = (asy_frame_obj *)o;
  asy_visit_obj(v, frame->func);
  asy_visit_value(v, frame->back);
  asy_visit_value(v, frame->locals);
}

#define SELF ((asy_frame_obj *)asy_obj_of(args[0]))
static asy_value frame_get_code(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return asy_from_obj(SELF->func->code);
}
static asy_value frame_get_globals(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return asy_from_obj(SELF->func->globals);
}
static asy_value frame_get_builtins(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return asy_from_obj(SELF->func->builtins);
}
static asy_value frame_get_line(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return asy_from_small(asy_code_position(SELF->func->code, SELF->word).line);
}
static asy_value frame_get_lasti(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return asy_from_small(SELF->word);
}
static asy_value frame_get_trace(asy_vm *vm, const asy_value *args) {
  (void)vm;
  (void)args;
  return ASY_NONE;
}
static asy_value frame_clear(asy_vm *vm, const asy_value *args) {
  (void)vm;
  (void)args;
  return ASY_NONE;
}

static asy_value frame_repr(asy_vm *vm, asy_value self) {
  asy_frame_obj *frame = (asy_frame_obj *)asy_obj_of(self);
  asy_str *s = asy_str_format(vm, "<frame at %p, file '%U', line %d, code %U>", (void *)frame,
                              frame->func->code->filename, asy_code_position(frame->func->code, frame->word).line,
                              frame->func->code->name);
  return s ? asy_from_obj(s) : ASY_FAILED;
}

static const asy_native frame_methods[] = {
  {"f_code", "(self)", frame_get_code, "The code that runs.", ASY_NATIVE_GETTER},
  {"f_globals", "(self)", frame_get_globals, "Its global names.", ASY_NATIVE_GETTER},
  {"f_builtins", "(self)", frame_get_builtins, "Its builtin names.", ASY_NATIVE_GETTER},
  {"f_lineno", "(self)", frame_get_line, "The line it is at.", ASY_NATIVE_GETTER},
  {"f_lasti", "(self)", frame_get_lasti, "Offset of its instruction.", ASY_NATIVE_GETTER},
  {"f_trace", "(self)", frame_get_trace, "Always None.", ASY_NATIVE_GETTER},
  {"clear", "(self, /)", frame_clear, "Nothing: a snapshot holds no running frame.", 0},
  {0},
};
static const asy_member frame_members[] = {
  {"f_back", offsetof(asy_frame_obj, back), MEMBER_VALUE, false},
  {"f_locals", offsetof(asy_frame_obj, locals), MEMBER_VALUE, false},
  {0},
};
const asy_type asy_frame_type = {
  .name = "frame",
  .size = sizeof(asy_frame_obj),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW,
  .visit = frame_visit,
  .repr = frame_repr,
  .methods = frame_methods,
  .members = frame_members,
};
