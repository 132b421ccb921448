/* future.c - futures: state, callbacks, the awaiting protocol, and their reprs. See future.h. */
#include "runtime/future.h"

#include "runtime/class.h"
#include "runtime/context.h"
#include "runtime/coro.h"
#include "runtime/drive.h"
#include "runtime/exc.h"
#include "runtime/gather.h"
#include "runtime/loop.h"
#include "runtime/task.h"

static void set_state(asy_future *f, unsigned state, unsigned add) {
  f->head.flags = (uint16_t)((f->head.flags & ~(unsigned)(FUTURE_STATE | FUTURE_MESSAGE | TASK_MUST_CANCEL)) | state |
                             add);
}

asy_future *asy_future_new(asy_vm *vm, asy_loop *loop) {
  asy_future *f = asy_new_kind(vm, KIND_FUTURE, sizeof *f + sizeof(asy_value)); /* room for attributes */
  if (f) f->loop = loop;
  return f;
}

/* ---- Callbacks ------------------------------------------------------------------------------------------------------ */

/* One callback of a future that is done. */
static bool schedule(asy_vm *vm, asy_future *f, asy_value callback, asy_value context) {
  if (asy_is_kind(callback, KIND_TASK)) {
    asy_task_wake(vm, (asy_task *)asy_obj_of(callback));
    return !asy_raised(vm);
  }
  if (asy_is_kind(callback, KIND_FUTURE)) return asy_gather_child_ended(vm, asy_future_of(callback), f);
  return asy_loop_call_soon(vm, f->loop, callback, asy_from_obj(f), context);
}

static bool schedule_callbacks(asy_vm *vm, asy_future *f) {
  asy_value callbacks = f->callbacks;
  f->callbacks = 0;
  if (!callbacks) return true;
  if (!asy_is_exact(callbacks, KIND_LIST)) return schedule(vm, f, callbacks, ASY_NONE);
  asy_list *list = (asy_list *)asy_obj_of(callbacks);
  for (uint32_t i = 0; i + 1 < list->len; i += 2)
    if (!schedule(vm, f, list->items[i], list->items[i + 1])) return false;
  return true;
}

bool asy_future_add_callback(asy_vm *vm, asy_future *f, asy_value callback, asy_value context) {
  if (!f->callbacks && context == ASY_NONE) {
    asy_store(vm, f, &f->callbacks, callback);
    return true;
  }
  asy_list *list;
  if (f->callbacks && asy_is_exact(f->callbacks, KIND_LIST)) {
    list = (asy_list *)asy_obj_of(f->callbacks);
  } else {
    list = asy_list_new(vm, 4);
    if (!list) return false;
    if (f->callbacks && !(asy_list_append(vm, list, f->callbacks) && asy_list_append(vm, list, ASY_NONE))) return false;
    asy_store(vm, f, &f->callbacks, asy_from_obj(list));
  }
  return asy_list_append(vm, list, callback) && asy_list_append(vm, list, context);
}

static asy_value call_core(asy_vm *vm, const asy_value *args) {
  return schedule(vm, asy_future_of(args[1]), args[0], ASY_NONE) ? ASY_NONE : ASY_FAILED;
}
static const asy_native core_callback = {"task_wakeup", SIG("(self, future, /)"), call_core, 0, 0};

bool asy_future_inherits(asy_vm *vm, asy_value future, asy_str *name) {
  asy_obj *o = asy_obj_of(future);
  if (o->shape == o->kind) return true;
  asy_lookup *own = asy_class_lookup(vm, asy_class_of(vm, future), name);
  asy_lookup *base = asy_class_lookup(vm, vm->classes[KIND_FUTURE], name);
  return own && base && own->value == base->value;
}

bool asy_future_watch(asy_vm *vm, asy_future *f, asy_value callback) {
  asy_value self = asy_from_obj(f);
  if (asy_future_inherits(vm, self, ASY_NAME(vm, add_done_callback)))
    return asy_future_add_callback(vm, f, callback, ASY_NONE);
  asy_value native = asy_new_native(vm, &core_callback, callback, ASY_NONE);
  return !asy_failed(native) && !asy_failed(asy_call_method(vm, self, ASY_NAME(vm, add_done_callback), 1, &native));
}

/* ---- Completing ----------------------------------------------------------------------------------------------------- */

static bool raise_not_pending(asy_vm *vm) {
  asy_raise(vm, ASY_InvalidStateError, "invalid state");
  return false;
}

static bool must_be_pending(asy_vm *vm, const asy_future *f) {
  return asy_future_state(f) == FUTURE_PENDING || raise_not_pending(vm);
}

bool asy_future_set_result(asy_vm *vm, asy_future *f, asy_value result) {
  if (!must_be_pending(vm, f)) return false;
  set_state(f, FUTURE_FINISHED, 0);
  asy_store(vm, f, &f->result, result);
  return schedule_callbacks(vm, f);
}

bool asy_future_end_failed(asy_vm *vm, asy_future *f, asy_value exception) {
  bool ends_program = asy_is_instance(vm, exception, vm->exceptions[ASY_SystemExit]) ||
                      asy_is_instance(vm, exception,
                                      vm->exceptions[ASY_KeyboardInterrupt]); /* it leaves the loop: it is seen */
  set_state(f, FUTURE_FINISHED, ends_program ? FUTURE_FAILED : FUTURE_FAILED | FUTURE_UNRETRIEVED);
  asy_store(vm, f, &f->result, exception);
  if (!(f->head.flags & FUTURE_REGISTERED)) {
    if (!asy_register_finalizer(vm, f)) return false;
    f->head.flags |= FUTURE_REGISTERED;
  }
  return schedule_callbacks(vm, f);
}

bool asy_future_set_exception(asy_vm *vm, asy_future *f, asy_value exception) {
  if (!must_be_pending(vm, f)) return false;
  if (asy_is_kind(exception, KIND_TYPE)) {
    exception = asy_call0(vm, exception);
    if (asy_failed(exception)) return false;
  }
  if (!asy_is_kind(exception, KIND_EXCEPTION)) {
    asy_raise(vm, ASY_TypeError, "invalid exception object");
    return false;
  }
  if (asy_is_instance(vm, exception, vm->exceptions[ASY_StopIteration])) {
    asy_value replacement = asy_new_exception(
      vm, ASY_RuntimeError, "StopIteration interacts badly with generators and cannot be raised into a Future");
    if (asy_failed(replacement)) return false;
    asy_exception_of(replacement)->cause = exception;
    asy_exception_of(replacement)->context = exception;
    asy_barrier(vm, asy_obj_of(replacement));
    exception = replacement;
  }
  return must_be_pending(vm, f) && asy_future_end_failed(vm, f, exception); /* the class may have run script code */
}

bool asy_future_end_cancelled(asy_vm *vm, asy_future *f, asy_value message, asy_value error) {
  set_state(f, FUTURE_CANCELLED, error ? FUTURE_CANCEL_ERROR : message ? FUTURE_MESSAGE : 0);
  asy_store(vm, f, &f->result, error ? error : message);
  return schedule_callbacks(vm, f);
}

void asy_future_remove_callback(asy_future *f, asy_value callback) {
  if (f->callbacks == callback) f->callbacks = 0;
  if (!f->callbacks || !asy_is_exact(f->callbacks, KIND_LIST)) return;
  asy_list *list = (asy_list *)asy_obj_of(f->callbacks);
  uint32_t kept = 0;
  for (uint32_t i = 0; i + 1 < list->len; i += 2) {
    if (list->items[i] == callback) continue;
    list->items[kept] = list->items[i];
    list->items[kept + 1] = list->items[i + 1];
    kept += 2;
  }
  list->len = kept;
}

asy_future_extra *asy_future_need_extra(asy_vm *vm, asy_future *f) {
  if (f->extra) return (asy_future_extra *)f->extra;
  asy_future_extra *extra = asy_new_object(vm, &asy_future_extra_type);
  if (!extra) return NULL;
  f->extra = &extra->head;
  asy_barrier(vm, f);
  return extra;
}

bool asy_future_keep_source(asy_vm *vm, asy_future *f) {
  asy_value source = asy_source_traceback(vm);
  asy_future_extra *extra = asy_failed(source) ? NULL : asy_future_need_extra(vm, f);
  if (extra) asy_store(vm, extra, &extra->source, source);
  return extra != NULL;
}

void asy_future_retrieved(asy_future *f) {
  if (!(f->head.flags & FUTURE_UNRETRIEVED)) return;
  f->head.flags &= (uint16_t)~FUTURE_UNRETRIEVED;
  asy_cancel_finalizer(f);
}

static int cancel_task(asy_vm *vm, asy_task *task, asy_value message);

int asy_future_cancel(asy_vm *vm, asy_future *f, asy_value message) {
  asy_future_retrieved(f);
  if (asy_future_state(f) != FUTURE_PENDING) return 0;
  if (f->head.kind == KIND_TASK) return cancel_task(vm, (asy_task *)f, message);
  if (asy_gather_of(f)) return asy_gather_cancel(vm, f, message);
  return asy_future_end_cancelled(vm, f, message, 0) ? 1 : -1;
}

/* What a task waits for is cancelled, and that wakes it; otherwise its next step throws. */
static int cancel_task(asy_vm *vm, asy_task *task, asy_value message) {
  asy_future *f = &task->future;
  if (f->head.flags >> TASK_CANCELS_SHIFT < TASK_CANCELS_MAX) {
    f->head.flags += 1u << TASK_CANCELS_SHIFT;
  } else {
    asy_future_extra *extra = asy_future_need_extra(vm, f);
    if (!extra) return -1;
    extra->cancels++;
  }
  /* Tasks that wait for each other in a circle: it is gone round once. */
  asy_value waiting = f->head.flags & FUTURE_SEEN ? 0 : task->waiting;
  if (!asy_check_c_stack(vm)) return -1;
  const struct asy_loop_hooks *hooks = waiting && asy_is_obj(waiting) ? asy_loop_hooks_of(vm, asy_obj_of(waiting))
                                                                      : NULL;
  bool woken = false;
  if (hooks && f->head.flags & TASK_MUST_CANCEL) {
    /* cancelled before, and on its way */
  } else if (hooks) {
    woken = hooks->forget(vm, asy_obj_of(waiting), task);
  } else if (waiting && asy_is_native_future(waiting)) {
    f->head.flags |= FUTURE_SEEN;
    int cancelled = asy_future_cancel(vm, asy_future_of(waiting), message);
    f->head.flags &= (uint16_t)~FUTURE_SEEN;
    if (cancelled) return cancelled;
  } else if (waiting && asy_is_obj(waiting)) { /* a foreign future */
    asy_value result = asy_call_method(vm, waiting, ASY_NAME(vm, cancel), 0, NULL);
    int cancelled = asy_failed(result) ? -1 : asy_truth(vm, result);
    if (cancelled) return cancelled;
  }
  f->head.flags |= TASK_MUST_CANCEL;
  f->head.flags &= (uint16_t)~FUTURE_MESSAGE;
  if (message) f->head.flags |= FUTURE_MESSAGE;
  asy_store(vm, f, &f->result, message);
  if (waiting && asy_is_int(waiting)) { /* asleep */
    asy_timers_remove(&f->loop->timers, (uint32_t)asy_small(waiting));
    woken = true;
  }
  if (woken) {
    asy_task_wake(vm, task);
    if (asy_raised(vm)) return -1;
  }
  return 1;
}

asy_value asy_cancelled_error(asy_vm *vm, asy_future *f) {
  if (f->head.flags & FUTURE_CANCEL_ERROR) { /* raised once; later ones are made anew and have no message */
    asy_value error = f->result;
    f->head.flags &= (uint16_t)~FUTURE_CANCEL_ERROR;
    f->result = 0;
    return error;
  }
  asy_value message = f->result;
  asy_value cls = asy_from_obj(vm->exceptions[ASY_CancelledError]);
  return f->head.flags & FUTURE_MESSAGE ? asy_call1(vm, cls, message) : asy_call0(vm, cls);
}

/* ---- What the VM asks ----------------------------------------------------------------------------------------------- */

bool asy_future_done(asy_value future) { return asy_future_state(asy_future_of(future)) != FUTURE_PENDING; }

/* Raises a kept exception: as it was, so that its traceback goes on growing from where it left the task. */
static asy_value raise_kept(asy_vm *vm, asy_value exception) {
  return asy_failed(exception) ? ASY_FAILED : asy_raise_value(vm, exception);
}

/* The exception is raised once more: its traceback begins again where it left the task. */
static void forget_way(asy_vm *vm, asy_future *f) {
  uint32_t word = 0;
  asy_exception *e = asy_exception_of(f->result);
  const asy_code *origin = f->head.kind == KIND_TASK ? asy_task_origin((asy_task *)f, &word) : NULL;
  asy_traceback *entry = origin ? e->traceback : NULL;
  while (entry && (entry->task_origin != origin || entry->task_origin_word != word)) entry = entry->next;
  e->traceback = entry;
  asy_barrier(vm, e);
}

asy_value asy_future_result(asy_vm *vm, asy_value future) {
  asy_future *f = asy_future_of(future);
  switch (asy_future_state(f)) {
    case FUTURE_PENDING: return asy_raise(vm, ASY_InvalidStateError, "Result is not set.");
    case FUTURE_CANCELLED: return raise_kept(vm, asy_cancelled_error(vm, f));
    default: break;
  }
  if (!(f->head.flags & FUTURE_FAILED)) return f->result;
  asy_future_retrieved(f);
  if (f->head.flags & FUTURE_RAISED) forget_way(vm, f);
  f->head.flags |= FUTURE_RAISED;
  return raise_kept(vm, f->result);
}

/* ---- The Python side ------------------------------------------------------------------------------------------------ */

static asy_future *self_of(const asy_value *args) { return asy_future_of(args[0]); }

static asy_value future_new(asy_vm *vm, const asy_value *args) {
  asy_future *f = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  return f ? asy_from_obj(f) : ASY_FAILED;
}

/* The loop that a constructor's argument names. */
static asy_loop *loop_of(asy_vm *vm, asy_value loop) {
  return loop == ASY_NONE ? asy_loop_current(vm) : asy_loop_of(vm, loop);
}

static asy_value future_init(asy_vm *vm, const asy_value *args) {
  asy_future *f = self_of(args);
  asy_loop *loop = loop_of(vm, args[1]);
  if (!loop) return ASY_FAILED;
  f->loop = loop;
  asy_barrier(vm, f);
  int debug = asy_loop_debug(vm, loop);
  return debug < 0 || (debug && !asy_future_keep_source(vm, f)) ? ASY_FAILED : ASY_NONE;
}

/* A subclass may forget super().__init__(). */
static bool is_initialized(asy_vm *vm, const asy_future *f) {
  if (f->loop) return true;
  asy_raise(vm, ASY_RuntimeError, "Future object is not initialized.");
  return false;
}

static asy_value future_result(asy_vm *vm, const asy_value *args) { return asy_future_result(vm, args[0]); }

static asy_value future_exception(asy_vm *vm, const asy_value *args) {
  asy_future *f = self_of(args);
  switch (asy_future_state(f)) {
    case FUTURE_PENDING: return asy_raise(vm, ASY_InvalidStateError, "Exception is not set.");
    case FUTURE_CANCELLED: return raise_kept(vm, asy_cancelled_error(vm, f));
    default: break;
  }
  asy_future_retrieved(f);
  return f->head.flags & FUTURE_FAILED ? f->result : ASY_NONE;
}

static asy_value future_set_result(asy_vm *vm, const asy_value *args) {
  asy_future *f = self_of(args);
  if (!is_initialized(vm, f)) return ASY_FAILED;
  if (f->head.kind == KIND_TASK) return asy_raise(vm, ASY_RuntimeError, "Task does not support set_result operation");
  return asy_future_set_result(vm, f, args[1]) ? ASY_NONE : ASY_FAILED;
}

static asy_value future_set_exception(asy_vm *vm, const asy_value *args) {
  asy_future *f = self_of(args);
  if (!is_initialized(vm, f)) return ASY_FAILED;
  if (f->head.kind == KIND_TASK)
    return asy_raise(vm, ASY_RuntimeError, "Task does not support set_exception operation");
  return asy_future_set_exception(vm, f, args[1]) ? ASY_NONE : ASY_FAILED;
}

static asy_value future_done(asy_vm *vm, const asy_value *args) { return asy_from_bool(asy_future_done(args[0])); }

static asy_value future_cancelled(asy_vm *vm, const asy_value *args) {
  return asy_from_bool(asy_future_state(self_of(args)) == FUTURE_CANCELLED);
}

static asy_value future_cancel(asy_vm *vm, const asy_value *args) {
  if (!is_initialized(vm, self_of(args))) return ASY_FAILED;
  int cancelled = asy_future_cancel(vm, self_of(args), args[1] == ASY_NONE ? 0 : args[1]);
  return cancelled < 0 ? ASY_FAILED : asy_from_bool(cancelled);
}

static asy_value future_add_done_callback(asy_vm *vm, const asy_value *args) {
  asy_future *f = self_of(args);
  if (!is_initialized(vm, f)) return ASY_FAILED;
  asy_value context = asy_context_or_snapshot(vm, args[2]);
  if (asy_failed(context)) return ASY_FAILED;
  bool added = asy_future_state(f) == FUTURE_PENDING ? asy_future_add_callback(vm, f, args[1], context)
                                                     : asy_loop_call_soon(vm, f->loop, args[1], args[0], context);
  return added ? ASY_NONE : ASY_FAILED;
}

static asy_value future_remove_done_callback(asy_vm *vm, const asy_value *args) {
  asy_future *f = self_of(args);
  if (!is_initialized(vm, f)) return ASY_FAILED;
  asy_value callbacks = f->callbacks;
  if (!callbacks) return asy_from_small(0);
  if (!asy_is_exact(callbacks, KIND_LIST)) {
    int same = asy_equal(vm, callbacks, args[1]);
    if (same < 0) return ASY_FAILED;
    if (same && f->callbacks == callbacks) f->callbacks = 0;
    return asy_from_small(same);
  }
  asy_list *list = (asy_list *)asy_obj_of(callbacks);
  asy_list *kept = asy_list_new(vm, list->len);
  if (!kept) return ASY_FAILED;
  int64_t removed = 0;
  for (uint32_t i = 0; i + 1 < list->len; i += 2) {
    int same = asy_equal(vm, list->items[i], args[1]);
    if (same < 0) return ASY_FAILED;
    if (same) removed++;
    else if (i + 1 >= list->len || !asy_list_append(vm, kept, list->items[i]) ||
             !asy_list_append(vm, kept, list->items[i + 1]))
      return ASY_FAILED;
  }
  if (f->callbacks == callbacks) asy_store(vm, f, &f->callbacks, kept->len ? asy_from_obj(kept) : 0);
  return asy_from_small(removed);
}

static asy_value future_get_loop(asy_vm *vm, const asy_value *args) {
  return is_initialized(vm, self_of(args)) ? asy_loop_value(self_of(args)->loop) : ASY_FAILED;
}

static asy_value future_make_cancelled_error(asy_vm *vm, const asy_value *args) {
  return asy_cancelled_error(vm, self_of(args));
}

static asy_value future_get_blocking(asy_vm *vm, const asy_value *args) {
  return asy_from_bool(self_of(args)->head.flags & FUTURE_BLOCKING);
}

static asy_value no_delete(asy_vm *vm) { return asy_raise(vm, ASY_AttributeError, "cannot delete attribute"); }

static asy_value future_set_blocking(asy_vm *vm, const asy_value *args) {
  if (args[1] == ASY_UNBOUND) return no_delete(vm);
  if (!is_initialized(vm, self_of(args))) return ASY_FAILED;
  int on = asy_truth(vm, args[1]);
  if (on < 0) return ASY_FAILED;
  self_of(args)->head.flags &= (uint16_t)~FUTURE_BLOCKING;
  if (on) self_of(args)->head.flags |= FUTURE_BLOCKING;
  return ASY_NONE;
}

static asy_value future_get_state(asy_vm *vm, const asy_value *args) {
  static const char *const names[] = {"PENDING", "CANCELLED", "FINISHED"};
  return asy_from_cstr(vm, names[asy_future_state(self_of(args))]);
}

static asy_value future_get_log(asy_vm *vm, const asy_value *args) {
  return asy_from_bool(self_of(args)->head.flags & FUTURE_UNRETRIEVED);
}

static asy_value future_set_log(asy_vm *vm, const asy_value *args) {
  if (args[1] == ASY_UNBOUND) return no_delete(vm);
  int on = asy_truth(vm, args[1]);
  if (on < 0) return ASY_FAILED;
  if (on) return asy_raise(vm, ASY_ValueError, "_log_traceback can only be set to False");
  asy_future_retrieved(self_of(args));
  return ASY_NONE;
}

static asy_value future_get_exception(asy_vm *vm, const asy_value *args) {
  return self_of(args)->head.flags & FUTURE_FAILED ? self_of(args)->result : ASY_NONE;
}

static asy_value future_get_result(asy_vm *vm, const asy_value *args) {
  asy_future *f = self_of(args);
  bool has = asy_future_state(f) == FUTURE_FINISHED && !(f->head.flags & FUTURE_FAILED);
  return has && f->result ? f->result : ASY_NONE;
}

static asy_value future_get_loop_attr(asy_vm *vm, const asy_value *args) {
  return self_of(args)->loop ? asy_loop_value(self_of(args)->loop) : ASY_NONE;
}

static asy_value future_set_message(asy_vm *vm, const asy_value *args) {
  asy_future *f = self_of(args);
  bool cancelling = f->head.kind != KIND_TASK || f->head.flags & TASK_MUST_CANCEL; /* else `result` is in use */
  if (args[1] == ASY_UNBOUND || asy_future_state(f) == FUTURE_FINISHED || !cancelling) return ASY_NONE;
  if (asy_future_state(f) == FUTURE_PENDING || !(f->head.flags & FUTURE_CANCEL_ERROR)) {
    f->head.flags &= (uint16_t)~FUTURE_MESSAGE;
    if (args[1] != ASY_NONE) f->head.flags |= FUTURE_MESSAGE;
    asy_store(vm, f, &f->result, args[1] == ASY_NONE ? 0 : args[1]);
  }
  return ASY_NONE;
}

static asy_value future_get_message(asy_vm *vm, const asy_value *args) {
  return self_of(args)->head.flags & FUTURE_MESSAGE ? self_of(args)->result : ASY_NONE;
}

static asy_value future_get_source(asy_vm *vm, const asy_value *args) {
  asy_future *f = self_of(args);
  asy_future_extra *extra = asy_gather_of(f) ? NULL : (asy_future_extra *)f->extra;
  return extra && extra->source ? extra->source : ASY_NONE;
}

/* [(callback, context), ..], or None */
static asy_value future_get_callbacks(asy_vm *vm, const asy_value *args) {
  asy_value callbacks = self_of(args)->callbacks;
  if (!callbacks) return ASY_NONE;
  asy_list *list = asy_is_exact(callbacks, KIND_LIST) ? (asy_list *)asy_obj_of(callbacks) : NULL;
  asy_list *pairs = asy_list_new(vm, 1);
  for (uint32_t i = 0; pairs && i + 1 < (list ? list->len : 2); i += 2) {
    asy_value pair = asy_tuple_of(vm, 2, list ? list->items[i] : callbacks, list ? list->items[i + 1] : ASY_NONE);
    if (asy_failed(pair) || !asy_list_append(vm, pairs, pair)) return ASY_FAILED;
  }
  return pairs ? asy_from_obj(pairs) : ASY_FAILED;
}

/* ---- Awaiting by protocol: __await__() ------------------------------------------------------------------------------ */

typedef struct {
  asy_obj head;
  asy_future *future; /* NULL when exhausted */
  bool yielded;
} future_iter;

static void iter_visit(asy_obj *o, asy_visitor *v) { asy_visit_obj(v, ((future_iter *)o)->future); }

static asy_value future_await(asy_vm *vm, asy_value self) {
  asy_class *cls = asy_define_type(vm, &asy_future_iter_type);
  if (!cls) return ASY_FAILED;
  if (!is_initialized(vm, asy_future_of(self))) return ASY_FAILED;
  future_iter *it = asy_new_instance(vm, cls);
  if (!it) return ASY_FAILED;
  it->future = asy_future_of(self);
  return asy_from_obj(it);
}

static asy_value iter_next(asy_vm *vm, asy_value self) {
  future_iter *it = (future_iter *)asy_obj_of(self);
  asy_future *f = it->future;
  if (!f) return ASY_END;
  if (asy_future_state(f) == FUTURE_PENDING) {
    if (it->yielded) return asy_raise(vm, ASY_RuntimeError, "await wasn't used with future");
    it->yielded = true;
    f->head.flags |= FUTURE_BLOCKING;
    return asy_from_obj(f);
  }
  it->future = NULL;
  asy_value result = asy_future_result(vm, asy_from_obj(f));
  if (asy_failed(result)) return ASY_FAILED;
  vm->stop_value = result;
  return ASY_END;
}

static asy_value iter_send(asy_vm *vm, const asy_value *args) {
  asy_value v = iter_next(vm, args[0]);
  return v == ASY_END ? asy_raise_stop(vm, asy_take_stop_value(vm)) : v;
}

static asy_value iter_throw(asy_vm *vm, const asy_value *args) {
  if (args[3] != ASY_NONE && !asy_is_kind(args[3], KIND_TRACEBACK))
    return asy_raise(vm, ASY_TypeError, "throw() third argument must be a traceback");
  bool is_class = asy_is_kind(args[1], KIND_TYPE) && ((asy_class *)asy_obj_of(args[1]))->flags & ASY_CLASS_EXCEPTION;
  if (!is_class && asy_is_kind(args[1], KIND_EXCEPTION) && args[2] != ASY_NONE)
    return asy_raise(vm, ASY_TypeError, "instance exception may not have a separate value");
  if (!is_class && !asy_is_kind(args[1], KIND_EXCEPTION))
    return asy_raise(vm, ASY_TypeError,
                     "exceptions must be classes deriving BaseException or instances of such a class");
  ((future_iter *)asy_obj_of(args[0]))->future = NULL;
  asy_value thrown = asy_thrown_of(vm, args);
  return asy_failed(thrown) ? ASY_FAILED : asy_raise_from(vm, thrown, ASY_UNBOUND);
}

static asy_value iter_close(asy_vm *vm, const asy_value *args) {
  ((future_iter *)asy_obj_of(args[0]))->future = NULL;
  return ASY_NONE;
}

static asy_value iter_iter(asy_vm *vm, asy_value self) { return self; }

static const asy_native iter_methods[] = {
  {"send", SIG("(self, value, /)"), iter_send, DOC("Continue waiting."), 0},
  {"throw", SIG("(self, type, value=None, traceback=None, /)"), iter_throw, DOC("Raise an exception at the await."), 0},
  {"close", SIG("(self, /)"), iter_close, DOC("Stop waiting."), 0},
  {0},
};

const asy_type asy_future_iter_type = {
  .name = "_asyncio.FutureIter",
  .size = sizeof(future_iter),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW,
  .visit = iter_visit,
  .iter = iter_iter,
  .next = iter_next,
  .methods = iter_methods,
};

/* ---- Repr ----------------------------------------------------------------------------------------------------------- */

void asy_text_callback(asy_vm *vm, asy_text *t, asy_value callback) {
  if (asy_is_kind(callback, KIND_TASK)) {
    asy_text_ascii(t, "Task.task_wakeup()");
    return;
  }
  if (asy_is_kind(callback, KIND_FUTURE)) {
    asy_text_ascii(t, "gather()");
    return;
  }
  asy_value helpers = asy_import(vm, "asyncio.format_helpers");
  asy_value format = asy_failed(helpers) ? ASY_FAILED : asy_get_attr_cstr(vm, helpers, "_format_callback_source");
  asy_value text = asy_failed(format) ? ASY_FAILED : asy_call2(vm, format, callback, asy_from_obj(vm->empty_tuple));
  if (asy_is_str(text)) asy_text_str(t, (asy_str *)asy_obj_of(text));
  else t->failed = true;
}

static void repr_callbacks(asy_vm *vm, asy_text *t, asy_value callbacks) {
  asy_text_ascii(t, " cb=[");
  if (!asy_is_exact(callbacks, KIND_LIST)) {
    asy_text_callback(vm, t, callbacks);
  } else {
    asy_list *list = (asy_list *)asy_obj_of(callbacks);
    uint32_t n = list->len / 2;
    asy_value last = list->items[n * 2 - 2];
    asy_text_callback(vm, t, list->items[0]);
    if (n > 2) {
      char more[32];
      snprintf(more, sizeof more, ", <%u more>", n - 2);
      asy_text_ascii(t, more);
    }
    if (n > 1) {
      asy_text_ascii(t, ", ");
      asy_text_callback(vm, t, last);
    }
  }
  asy_text_ascii(t, "]");
}

/* A result's repr, cut in the middle as reprlib does. */
static void repr_result(asy_vm *vm, asy_text *t, asy_value value) {
  enum { MOST = 30, LEFT = (MOST - 3) / 2, RIGHT = MOST - 3 - LEFT };
  asy_value repr;
  if (asy_is_exact(value, KIND_STR)) {
    asy_str *s = (asy_str *)asy_obj_of(value);
    asy_str *head = s->len > MOST ? asy_str_slice(vm, s, 0, MOST) : s;
    repr = head ? asy_repr(vm, asy_from_obj(head)) : ASY_FAILED;
    if (!asy_failed(repr) && ((asy_str *)asy_obj_of(repr))->len > MOST && s->len > LEFT + RIGHT) {
      asy_str *left = asy_str_slice(vm, s, 0, LEFT), *right = asy_str_slice(vm, s, s->len - RIGHT, s->len);
      asy_str *cut = left && right ? asy_str_concat(vm, left, right) : NULL;
      repr = cut ? asy_repr(vm, asy_from_obj(cut)) : ASY_FAILED;
    }
  } else {
    repr = asy_repr(vm, value);
  }
  if (asy_failed(repr)) {
    t->failed = true;
    return;
  }
  asy_str *text = (asy_str *)asy_obj_of(repr);
  bool whole = text->len <= MOST || asy_is_kind(value, KIND_LIST) || asy_is_kind(value, KIND_TUPLE) ||
               asy_is_kind(value, KIND_DICT);
  if (whole) {
    asy_text_str(t, text);
    return;
  }
  asy_text_slice(t, text, 0, LEFT);
  asy_text_ascii(t, "...");
  asy_text_slice(t, text, text->len - RIGHT, text->len);
}

/* "do_some_work() running at FILE:LINE", "f() done, defined at FILE:LINE" */
static void repr_coroutine(asy_vm *vm, asy_text *t, asy_value v) {
  asy_value name = asy_get_attr_cstr(vm, v, "__qualname__");
  if (asy_failed(name)) {
    asy_clear_exception(vm);
    asy_text_repr_of(t, v);
    return;
  }
  if (asy_is_str(name)) asy_text_str(t, (asy_str *)asy_obj_of(name));
  asy_text_ascii(t, "()");
  if (!asy_is_kind(v, KIND_COROUTINE)) return;
  asy_coro *coro = (asy_coro *)asy_obj_of(v);
  asy_code *code = asy_is_kind(coro->func, KIND_FUNCTION) ? asy_coro_code(coro) : NULL;
  if (!code) return;
  bool done = coro->state == CORO_CLOSED;
  char line[24];
  snprintf(line, sizeof line, ":%d", done ? code->first_line : asy_coro_line(vm, coro));
  asy_text_ascii(t, done ? " done, defined at " : " running at ");
  asy_text_str(t, code->filename);
  asy_text_ascii(t, line);
}

static void repr_task(asy_vm *vm, asy_text *t, asy_task *task) {
  asy_future_extra *extra = (asy_future_extra *)task->future.extra;
  if (extra && extra->name) { /* as the tutorial's form has it, a name shows when somebody gave it */
    asy_text_ascii(t, " name=");
    asy_text_repr_of(t, extra->name);
  }
  if (task->coro) {
    asy_text_ascii(t, " coro=<");
    repr_coroutine(vm, t, task->coro);
    asy_text_ascii(t, ">");
  }
  if (!task->waiting) return;
  asy_text_ascii(t, " wait_for=");
  /* A task that sleeps waits for no future; it looks as if it did. */
  if (asy_is_int(task->waiting)) asy_text_ascii(t, "<Future pending cb=[Task.task_wakeup()]>");
  else asy_text_repr_of(t, asy_waiters_owner(vm, task->waiting));
}

static asy_value future_repr(asy_vm *vm, asy_value self) {
  static const char *const states[] = {"pending", "cancelled", "finished"};
  if (!asy_check_c_stack(vm)) return ASY_FAILED;
  asy_future *f = asy_future_of(self);
  asy_text t;
  asy_text_init(&t, vm);
  asy_text_ascii(&t, "<");
  if (asy_gather_of(f)) asy_text_ascii(&t, "_GatheringFuture");
  else asy_text_str(&t, asy_type_of(vm, self)->name);
  asy_text_ascii(&t, " ");
  bool cancelling = asy_future_state(f) == FUTURE_PENDING && f->head.flags >> TASK_CANCELS_SHIFT;
  asy_text_ascii(&t, cancelling ? "cancelling" : states[asy_future_state(f)]);
  if (f->head.kind == KIND_TASK) repr_task(vm, &t, (asy_task *)f);
  if (asy_future_state(f) == FUTURE_FINISHED) {
    bool failed = f->head.flags & FUTURE_FAILED;
    asy_text_ascii(&t, failed ? " exception=" : " result=");
    if (failed) asy_text_repr_of(&t, f->result);
    else repr_result(vm, &t, f->result);
  }
  if (f->callbacks) repr_callbacks(vm, &t, f->callbacks);
  asy_future_extra *extra = asy_gather_of(f) ? NULL : (asy_future_extra *)f->extra;
  if (extra && extra->source) asy_text_source(vm, &t, extra->source);
  asy_text_ascii(&t, ">");
  asy_str *text = asy_text_finish(&t);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

/* ---- Lifetime ------------------------------------------------------------------------------------------------------- */

static void future_visit(asy_obj *o, asy_visitor *v) {
  asy_future *f = (asy_future *)o;
  asy_visit_value(v, f->result);
  asy_visit_value(v, f->callbacks);
  asy_visit_obj(v, f->loop);
  asy_visit_obj(v, f->extra);
}

static bool context_set(asy_vm *vm, asy_dict *context, const char *name, asy_value value) {
  asy_str *key = asy_intern(vm, name);
  return key && !asy_failed(value) && asy_dict_set_str(vm, context, key, value);
}

/* Nobody will ever ask for its exception. */
void asy_future_finalize(asy_vm *vm, asy_obj *o) {
  asy_future *f = (asy_future *)o;
  if (!(f->head.flags & FUTURE_UNRETRIEVED) || !f->loop) return;
  f->head.flags &= (uint16_t)~FUTURE_UNRETRIEVED;
  vm->async_forgotten = true;
  asy_dict *context = asy_dict_new(vm, 4);
  if (!context) return;
  bool task = o->kind == KIND_TASK;
  asy_str *message = asy_str_format(vm, "%s exception was never retrieved", task ? "Task" : "Future");
  if (!message || !context_set(vm, context, "message", asy_from_obj(message)) ||
      !context_set(vm, context, "exception", f->result) || !context_set(vm, context, "future", asy_from_obj(f)))
    return;
  asy_future_extra *extra = asy_gather_of(f) ? NULL : (asy_future_extra *)f->extra;
  if (extra && extra->source && !context_set(vm, context, "source_traceback", extra->source)) return;
  uint32_t word;
  asy_code *origin = task && !(extra && extra->source) ? asy_task_origin((asy_task *)f, &word) : NULL;
  if (origin) {
    asy_position at = asy_code_position(origin, word);
    asy_str *text = asy_str_format(vm, "File \"%U\", line %d, in %U", origin->filename, at.line, origin->name);
    if (!text || !context_set(vm, context, "task created at", asy_from_obj(text))) return;
  }
  asy_loop_call_exception_handler(vm, f->loop, context);
}

static const asy_native future_methods[] = {
  {"result", SIG("(self, /)"), future_result, DOC("The result; raises the exception, or CancelledError."), 0},
  {"exception", SIG("(self, /)"), future_exception, DOC("The exception, or None."), 0},
  {"set_result", SIG("(self, result, /)"), future_set_result, DOC("Finish with a result."), 0},
  {"set_exception", SIG("(self, exception, /)"), future_set_exception, DOC("Finish with an exception."), 0},
  {"done", SIG("(self, /)"), future_done, DOC("Whether it is finished or cancelled."), 0},
  {"cancelled", SIG("(self, /)"), future_cancelled, DOC("Whether it was cancelled."), 0},
  {"cancel", SIG("(self, msg=None)"), future_cancel, DOC("Cancel; False when it is done already."), 0},
  {"add_done_callback", SIG("(self, fn, /, *, context=None)"), future_add_done_callback,
   DOC("Call fn(future) once it is done."), 0},
  {"remove_done_callback", SIG("(self, fn, /)"), future_remove_done_callback,
   DOC("Remove all callbacks equal to fn; their number."), 0},
  {"get_loop", SIG("(self, /)"), future_get_loop, DOC("The event loop it belongs to."), 0},
  {"_make_cancelled_error", SIG("(self, /)"), future_make_cancelled_error, 0, 0},
  {"__class_getitem__", SIG("(cls, item, /)"), asy_class_getitem, 0, ASY_NATIVE_CLASS},
  {"_asyncio_future_blocking", SIG("(self, /)"), future_get_blocking, 0, ASY_NATIVE_GETTER},
  {"_asyncio_future_blocking", SIG("(self, value, /)"), future_set_blocking, 0, ASY_NATIVE_SETTER},
  {"_state", SIG("(self, /)"), future_get_state, 0, ASY_NATIVE_GETTER},
  {"_log_traceback", SIG("(self, /)"), future_get_log, 0, ASY_NATIVE_GETTER},
  {"_log_traceback", SIG("(self, value, /)"), future_set_log, 0, ASY_NATIVE_SETTER},
  {"_exception", SIG("(self, /)"), future_get_exception, 0, ASY_NATIVE_GETTER},
  {"_result", SIG("(self, /)"), future_get_result, 0, ASY_NATIVE_GETTER},
  {"_loop", SIG("(self, /)"), future_get_loop_attr, 0, ASY_NATIVE_GETTER},
  {"_callbacks", SIG("(self, /)"), future_get_callbacks, 0, ASY_NATIVE_GETTER},
  {"_source_traceback", SIG("(self, /)"), future_get_source, 0, ASY_NATIVE_GETTER},
  {"_cancel_message", SIG("(self, /)"), future_get_message, 0, ASY_NATIVE_GETTER},
  {"_cancel_message", SIG("(self, value, /)"), future_set_message, 0, ASY_NATIVE_SETTER},
  {0},
};

const asy_type asy_future_type = {
  .name = "_asyncio.Future",
  .doc = "A value that will be known later.",
  .size = sizeof(asy_future),
  .flags = ASY_TYPE_LATE_FINALIZE | ASY_TYPE_ATTRS,
  .visit = future_visit,
  .special = &(const asy_special){.finalize = asy_future_finalize, .await_ = future_await},
  .new_ = future_new,
  .new_signature = SIG("(cls, *args, **kwargs)"),
  .init = future_init,
  .init_signature = SIG("(self, *, loop=None)"),
  .repr = future_repr,
  .iter = future_await,
  .methods = future_methods,
};

static void extra_visit(asy_obj *o, asy_visitor *v) {
  asy_future_extra *extra = (asy_future_extra *)o;
  asy_visit_value(v, extra->name);
  asy_visit_value(v, extra->context);
  asy_visit_value(v, extra->handled);
  asy_visit_value(v, extra->source);
  asy_visit_value(v, extra->awaited_by);
  asy_visit_obj(v, extra->origin);
}

const asy_type asy_future_extra_type = {
  .name = "_asyncio._FutureExtra",
  .size = sizeof(asy_future_extra),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW,
  .visit = extra_visit,
};
