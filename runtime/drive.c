/* drive.c - sending to, throwing into and closing any iterator that can suspend, whoever wrote it. */
#include "runtime/drive.h"
#include "runtime/class.h"
#include "runtime/exc.h"

void asy_convert_stop_iteration(asy_vm *vm, asy_code *code) {
  bool async_generator = code->flags & CODE_ASYNC_GENERATOR;
  bool async_stop = async_generator && asy_raised_is(vm, ASY_StopAsyncIteration);
  if (!async_stop && !asy_raised_is(vm, ASY_StopIteration)) return;
  asy_value cause = asy_take_exception(vm);
  asy_value error = asy_new_exception(vm, ASY_RuntimeError, "%s raised %s",
                                      async_generator                ? "async generator"
                                      : code->flags & CODE_COROUTINE ? "coroutine"
                                                                     : "generator",
                                      async_stop ? "StopAsyncIteration" : "StopIteration");
  if (error == ASY_FAILED) return;
  asy_exception *e = asy_exception_of(error);
  asy_store(vm, e, &e->cause, cause);
  asy_store(vm, e, &e->context, cause);
  e->suppress_context = true;
  asy_set_exception(vm, error);
}

asy_value asy_take_stop_value(asy_vm *vm) {
  asy_value value = vm->stop_value;
  vm->stop_value = ASY_NONE;
  return value;
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
  if (v == ASY_UNBOUND) { /* a coroutine of another make has send() alone */
    asy_value method;
    int found = asy_find_attr(vm, it, ASY_NAME(vm, send), &method);
    if (found < 0) return ASY_FAILED;
    if (!found) return asy_raise(vm, ASY_TypeError, "'%T' object is not an iterator", it);
    v = asy_call1(vm, method, ASY_NONE);
  }
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

bool asy_iterator_close(asy_vm *vm, asy_value it) {
  if (asy_is_kind(it, KIND_GENERATOR)) return asy_gen_close(vm, (asy_gen *)asy_obj_of(it));
  if (asy_is_kind(it, KIND_COROUTINE)) return asy_coro_close(vm, (asy_coro *)asy_obj_of(it));
  if (asy_is_kind(it, KIND_AWAITER)) return asy_iterator_close(vm, ((asy_awaiter *)asy_obj_of(it))->iterator);
  asy_value close;
  int found = asy_find_attr(vm, it, ASY_NAME(vm, close), &close);
  if (found <= 0) return found == 0;
  return asy_call0(vm, close) != ASY_FAILED;
}

/* After a close: what the frame did with GeneratorExit. */
bool asy_closed_quietly(asy_vm *vm, asy_value outcome, const char *what) {
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

/* ---- The objects' methods, shared: send, throw, close ---------------------------------------------------------------- */

/* The exception of throw(type_or_value, value, tb). */
asy_value asy_thrown_of(asy_vm *vm, const asy_value *args) {
  asy_value what = args[1];
  if ((args[2] != ASY_NONE || args[3] != ASY_NONE) &&
      !asy_warn(vm, ASY_DeprecationWarning,
                "the (type, exc, tb) signature of throw() is deprecated, use the single-arg signature instead.", 1))
    return ASY_FAILED;
  if (args[3] != ASY_NONE && !asy_is_kind(args[3], KIND_TRACEBACK))
    return asy_raise(vm, ASY_TypeError, "throw() third argument must be a traceback object");
  if (args[2] != ASY_NONE && asy_is_kind(what, KIND_EXCEPTION))
    return asy_raise(vm, ASY_TypeError, "instance exception may not have a separate value");
  if (args[2] != ASY_NONE && asy_is_kind(what, KIND_TYPE)) {
    if (asy_is_instance(vm, args[2], (asy_class *)asy_obj_of(what))) what = args[2];
    else
      what = asy_is_kind(args[2], KIND_TUPLE) ? asy_call_ex(vm, what, (asy_tuple *)asy_obj_of(args[2]), NULL)
                                              : asy_call1(vm, what, args[2]);
    if (what == ASY_FAILED) return ASY_FAILED;
  }
  if (asy_is_kind(what, KIND_TYPE) && ((asy_class *)asy_obj_of(what))->flags & ASY_CLASS_EXCEPTION) {
    asy_value made = asy_call0(vm, what);
    if (made == ASY_FAILED) return ASY_FAILED;
    if (!asy_is_kind(made, KIND_EXCEPTION))
      return asy_raise_format(vm, ASY_TypeError, "calling %R should have returned an instance of BaseException, not %T",
                              what, made);
    what = made;
  }
  if (!asy_is_kind(what, KIND_EXCEPTION))
    return asy_raise(vm, ASY_TypeError, "exceptions must be classes or instances deriving from BaseException, not %T",
                     what);
  return what;
}

/* A result of asy_iterator_send as a method returns it: the end is StopIteration. */
static asy_value or_stop(asy_vm *vm, asy_value v) {
  if (v != ASY_END) return v;
  return asy_raise_stop(vm, asy_take_stop_value(vm));
}

asy_value asy_suspended_send(asy_vm *vm, const asy_value *args) {
  return or_stop(vm, asy_iterator_send(vm, args[0], args[1], 0));
}

asy_value asy_suspended_throw(asy_vm *vm, const asy_value *args) {
  asy_value thrown = asy_thrown_of(vm, args);
  if (thrown == ASY_FAILED) return ASY_FAILED;
  return or_stop(vm, asy_iterator_send(vm, args[0], ASY_NONE, thrown));
}

asy_value asy_suspended_close(asy_vm *vm, const asy_value *args) {
  return asy_iterator_close(vm, args[0]) ? ASY_NONE : ASY_FAILED;
}

asy_value asy_suspended_next(asy_vm *vm, asy_value self) { return asy_iterator_send(vm, self, ASY_NONE, 0); }

asy_value asy_suspended_repr(asy_vm *vm, const char *what, asy_str *qualname, asy_value self) {
  asy_str *s = asy_str_format(vm, "<%s object %U at %p>", what, qualname, (void *)(uintptr_t)self);
  return s ? asy_from_obj(s) : ASY_FAILED;
}
