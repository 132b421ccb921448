/* handle.c - handles: a callback with its arguments, on its way to be called, and what scripts see of it.
 * A timer handle is on its loop's list and in its heap of timers while it is scheduled, and in neither afterwards.
 */
#include <math.h>

#include "runtime/class.h"
#include "runtime/context.h"
#include "runtime/gather.h"
#include "runtime/loop.h"

asy_handle *asy_handle_new(asy_vm *vm, unsigned kind, asy_loop *loop, asy_value callback, asy_value args,
                           asy_value context) {
  asy_handle *h = asy_new_kind(vm, kind, kind == KIND_HANDLE ? sizeof(asy_handle) : sizeof(asy_timer_handle));
  if (!h) return NULL;
  h->callback = callback;
  h->args = args;
  h->context = context;
  h->loop = loop;
  if (kind == KIND_TIMER_HANDLE) ((asy_timer_handle *)h)->index = UINT32_MAX;
  return h;
}

bool asy_handle_keep_source(asy_vm *vm, asy_handle *h) {
  asy_value source = asy_source_traceback(vm);
  if (!asy_failed(source)) asy_store(vm, h, &h->source, source);
  return !asy_failed(source);
}

asy_value asy_source_traceback(asy_vm *vm) {
  asy_value helpers = asy_import(vm, "asyncio.format_helpers");
  asy_value extract = asy_failed(helpers) ? ASY_FAILED : asy_get_attr_cstr(vm, helpers, "extract_stack");
  asy_value frame = asy_failed(extract) ? ASY_FAILED : asy_getframe(vm, 0);
  return asy_failed(frame) ? ASY_FAILED : asy_call1(vm, extract, frame);
}

/* ---- Calling -------------------------------------------------------------------------------------------------------- */

/* context.run(callback, *args), or callback(*args) */
static asy_value call_in_context(asy_vm *vm, asy_handle *h) {
  bool one = h->head.flags & HANDLE_ONE_ARG;
  asy_tuple *args = one ? NULL : (asy_tuple *)asy_obj_of(h->args);
  if (h->context == ASY_NONE) {
    asy_context *outer = asy_context_begin(vm, ASY_NONE);
    asy_value result = one ? asy_call1(vm, h->callback, h->args)
                           : asy_call(vm, h->callback, (int)args->len, args->items);
    asy_context_end(vm, h, &h->context, outer); /* a handler of errors runs in it */
    return result;
  }
  asy_value run = asy_get_attr_cstr(vm, h->context, "run");
  if (asy_failed(run)) return ASY_FAILED;
  if (one) return asy_call2(vm, run, h->callback, h->args);
  asy_tuple *all = asy_tuple_new(vm, NULL, args->len + 1);
  if (!all) return ASY_FAILED;
  all->items[0] = h->callback;
  memcpy(all->items + 1, args->items, args->len * sizeof *args->items);
  return asy_call(vm, run, (int)all->len, all->items);
}

static bool leaves_loop(asy_vm *vm) {
  return asy_raised_is(vm, ASY_SystemExit) || asy_raised_is(vm, ASY_KeyboardInterrupt);
}

static asy_value args_tuple(asy_vm *vm, asy_handle *h) {
  return h->head.flags & HANDLE_ONE_ARG ? asy_tuple_of(vm, 1, h->args) : h->args;
}

/* "name() at FILE:LINE", with the arguments in debug mode; a str. */
static asy_value callback_text(asy_vm *vm, asy_handle *h) {
  asy_value helpers = asy_import(vm, "asyncio.format_helpers");
  asy_value format = asy_failed(helpers) ? ASY_FAILED : asy_get_attr_cstr(vm, helpers, "_format_callback_source");
  asy_value args = asy_failed(format) ? ASY_FAILED : args_tuple(vm, h);
  int debug = asy_failed(args) ? -1 : asy_loop_debug(vm, h->loop);
  if (debug < 0) return ASY_FAILED;
  asy_value all[] = {h->callback, args, asy_from_bool(debug)};
  return asy_call(vm, format, 3, all);
}

static bool report(asy_vm *vm, asy_handle *h) {
  asy_value exception = asy_take_exception(vm);
  asy_dict *context = asy_dict_new(vm, 4);
  asy_value callback = context ? callback_text(vm, h) : ASY_FAILED;
  asy_str *message = asy_failed(callback) ? NULL : asy_str_format(vm, "Exception in callback %S", callback);
  if (!message || !asy_dict_set_str(vm, context, asy_intern(vm, "message"), asy_from_obj(message)) ||
      !asy_dict_set_str(vm, context, asy_intern(vm, "exception"), exception) ||
      !asy_dict_set_str(vm, context, asy_intern(vm, "handle"), asy_from_obj(h)) ||
      (h->source && !asy_dict_set_str(vm, context, asy_intern(vm, "source_traceback"), h->source)))
    return false;
  return !asy_failed(asy_loop_call_exception_handler(vm, h->loop, context));
}

/* The future that run_until_complete waits for is done. */
static void stop_when_complete(asy_vm *vm, asy_loop *loop, asy_future *f) {
  if (f->head.flags & FUTURE_FAILED && (asy_is_instance(vm, f->result, vm->exceptions[ASY_SystemExit]) ||
                                        asy_is_instance(vm, f->result, vm->exceptions[ASY_KeyboardInterrupt])))
    return; /* it leaves the loop by itself */
  loop->stopping = true;
}

bool asy_handle_run(asy_vm *vm, asy_handle *h) {
  if (h->head.kind != KIND_HANDLE && h->head.kind != KIND_TIMER_HANDLE)
    return asy_loop_hooks_of(vm, &h->head)->run(vm, &h->head);
  if (h->head.flags & HANDLE_CANCELLED) return true;
  if (asy_is_kind(h->callback, KIND_LOOP)) {
    stop_when_complete(vm, h->loop, asy_future_of(h->args));
    return true;
  }
  if (asy_is_native_future(h->callback))
    return asy_gather_callback(vm, asy_future_of(h->callback), asy_future_of(h->args));
  asy_value result = call_in_context(vm, h);
  if (!asy_failed(result)) return true;
  return !leaves_loop(vm) && report(vm, h);
}

/* ---- Timer handles -------------------------------------------------------------------------------------------------- */

void asy_timer_handle_unlink(asy_vm *vm, asy_timer_handle *t) {
  asy_loop *loop = t->handle.loop;
  if (t->prev) {
    t->prev->next = t->next;
    asy_barrier(vm, t->prev);
  } else {
    loop->handles = t->next;
    asy_barrier(vm, loop);
  }
  if (t->next) {
    t->next->prev = t->prev;
    asy_barrier(vm, t->next);
  }
  t->prev = t->next = NULL;
  t->index = UINT32_MAX;
}

asy_timer_handle *asy_timer_handle_schedule(asy_vm *vm, asy_loop *loop, int64_t deadline, asy_value callback,
                                            asy_value args, asy_value context) {
  asy_timer_handle *t = (asy_timer_handle *)asy_handle_new(vm, KIND_TIMER_HANDLE, loop, callback, args, context);
  if (!t) return NULL;
  t->deadline = deadline;
  if (!asy_timers_add(vm, &loop->timers, deadline, &t->handle.head)) return NULL;
  t->next = loop->handles;
  asy_barrier(vm, t);
  if (t->next) {
    t->next->prev = t;
    asy_barrier(vm, t->next);
  }
  loop->handles = t;
  asy_barrier(vm, loop);
  return t;
}

/* ---- From the Python side ------------------------------------------------------------------------------------------- */

static asy_handle *self_of(const asy_value *args) { return (asy_handle *)asy_obj_of(args[0]); }

static asy_value new_handle(asy_vm *vm, const asy_value *args) {
  asy_handle *h = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  if (!h) return ASY_FAILED;
  h->callback = h->args = h->context = ASY_NONE;
  if (h->head.kind == KIND_TIMER_HANDLE) ((asy_timer_handle *)h)->index = UINT32_MAX;
  return asy_from_obj(h);
}

/* args: self, callback, args, loop, context */
static asy_value init_handle(asy_vm *vm, const asy_value *args) {
  asy_handle *h = self_of(args);
  asy_tuple *arguments = asy_is_kind(args[2], KIND_TUPLE) ? (asy_tuple *)asy_obj_of(args[2]) : NULL;
  if (!arguments && args[2] == ASY_NONE) arguments = vm->empty_tuple;
  if (!arguments) {
    asy_value list = asy_call1(vm, asy_from_obj(vm->classes[KIND_TUPLE]), args[2]);
    if (asy_failed(list)) return ASY_FAILED;
    arguments = (asy_tuple *)asy_obj_of(list);
  }
  h->loop = asy_loop_of(vm, args[3]);
  if (!h->loop) return ASY_FAILED;
  h->callback = args[1];
  h->args = asy_from_obj(arguments);
  h->context = asy_context_or_snapshot(vm, args[4]);
  if (asy_failed(h->context)) return h->context = ASY_NONE, ASY_FAILED;
  asy_barrier(vm, h);
  int debug = asy_loop_debug(vm, h->loop);
  return debug < 0 || (debug && !asy_handle_keep_source(vm, h)) ? ASY_FAILED : ASY_NONE;
}

/* args: self, when, callback, args, loop, context */
static asy_value init_timer(asy_vm *vm, const asy_value *args) {
  asy_timer_handle *t = (asy_timer_handle *)asy_obj_of(args[0]);
  double when;
  if (!asy_to_double(vm, args[1], &when) || !asy_seconds_to_ns(vm, when, &t->deadline)) return ASY_FAILED;
  asy_store(vm, t, &t->when, args[1]);
  asy_value rest[] = {args[0], args[2], args[3], args[4], args[5]};
  return init_handle(vm, rest);
}

static asy_value get_callback(asy_vm *vm, const asy_value *args) {
  return self_of(args)->head.flags & HANDLE_CANCELLED ? ASY_NONE : self_of(args)->callback;
}

static asy_value get_args(asy_vm *vm, const asy_value *args) {
  return self_of(args)->head.flags & HANDLE_CANCELLED ? ASY_NONE : args_tuple(vm, self_of(args));
}

static asy_value get_loop(asy_vm *vm, const asy_value *args) {
  return self_of(args)->loop ? asy_loop_value(self_of(args)->loop) : ASY_NONE;
}

/* One that was empty when the handle was made is made now. */
static asy_value get_context(asy_vm *vm, const asy_value *args) {
  asy_handle *h = self_of(args);
  if (h->context != ASY_NONE) return h->context;
  asy_context *context = asy_context_new(vm);
  if (!context) return ASY_FAILED;
  asy_store(vm, h, &h->context, asy_from_obj(context));
  return h->context;
}

static asy_value get_source(asy_vm *vm, const asy_value *args) {
  return self_of(args)->source ? self_of(args)->source : ASY_NONE;
}

static asy_value get_scheduled(asy_vm *vm, const asy_value *args) {
  return asy_from_bool(((asy_timer_handle *)asy_obj_of(args[0]))->index != UINT32_MAX);
}

static asy_value when(asy_vm *vm, const asy_value *args) {
  asy_timer_handle *t = (asy_timer_handle *)asy_obj_of(args[0]);
  return t->when ? t->when : asy_from_double(vm, (double)t->deadline / 1e9);
}

static asy_value run(asy_vm *vm, const asy_value *args) {
  return asy_handle_run(vm, self_of(args)) ? ASY_NONE : ASY_FAILED;
}

static asy_value cancelled(asy_vm *vm, const asy_value *args) {
  return asy_from_bool(self_of(args)->head.flags & HANDLE_CANCELLED);
}

static asy_value cancel(asy_vm *vm, const asy_value *args) {
  asy_handle *h = self_of(args);
  if (h->head.flags & HANDLE_CANCELLED) return ASY_NONE;
  asy_value text = ASY_NONE;
  if (h->source) { /* debug mode: what it was is shown even then */
    h->head.flags |= HANDLE_CANCELLED;
    text = asy_repr(vm, args[0]);
    if (asy_failed(text)) return ASY_FAILED;
  }
  h->head.flags = HANDLE_CANCELLED;
  h->callback = ASY_NONE;
  asy_store(vm, h, &h->args, text);
  if (h->head.kind != KIND_TIMER_HANDLE) return ASY_NONE;
  asy_timer_handle *t = (asy_timer_handle *)h;
  if (t->index != UINT32_MAX) {
    asy_timers_remove(&h->loop->timers, t->index);
    asy_timer_handle_unlink(vm, t);
  }
  if (!h->loop->foreign) return ASY_NONE;
  asy_value loop = h->loop->foreign; /* it keeps its timers itself */
  return asy_call_method(vm, loop, asy_intern(vm, "_timer_handle_cancelled"), 1, args);
}

/* "created at FILE:LINE" of the innermost frame of a source traceback */
void asy_text_source(asy_vm *vm, asy_text *t, asy_value source) {
  asy_value last = asy_get_item(vm, source, asy_from_small(-1));
  asy_value file = asy_failed(last) ? ASY_FAILED : asy_get_item(vm, last, asy_from_small(0));
  asy_value line = asy_failed(file) ? ASY_FAILED : asy_get_item(vm, last, asy_from_small(1));
  asy_str *text = asy_failed(line) ? NULL : asy_str_format(vm, " created at %S:%S", file, line);
  if (text) asy_text_str(t, text);
  else t->failed = true;
}

static asy_value handle_repr(asy_vm *vm, asy_value self) {
  asy_handle *h = (asy_handle *)asy_obj_of(self);
  bool gone = h->head.flags & HANDLE_CANCELLED;
  if (gone && asy_is_str(h->args)) return h->args;
  asy_text t;
  asy_text_init(&t, vm);
  asy_text_ascii(&t, "<");
  asy_text_str(&t, asy_type_of(vm, self)->name);
  if (gone) asy_text_ascii(&t, " cancelled");
  if (h->head.kind == KIND_TIMER_HANDLE) {
    asy_text_ascii(&t, " when=");
    asy_text_repr_of(&t, when(vm, &self));
  }
  if (h->callback != ASY_NONE) {
    asy_value text = callback_text(vm, h);
    asy_text_ascii(&t, " ");
    if (asy_failed(text)) t.failed = true;
    else asy_text_str(&t, (asy_str *)asy_obj_of(text));
  }
  if (h->source) asy_text_source(vm, &t, h->source);
  asy_text_ascii(&t, ">");
  asy_str *text = asy_text_finish(&t);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

/* Timer handles compare by their time; equal ones have the same callback too. */
static asy_value timer_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op) {
  if (!asy_is_kind(other, KIND_TIMER_HANDLE)) return ASY_NOT_IMPLEMENTED;
  asy_timer_handle *a = (asy_timer_handle *)asy_obj_of(self), *b = (asy_timer_handle *)asy_obj_of(other);
  if (op == COMPARE_LT) return asy_from_bool(a->deadline < b->deadline);
  if (op == COMPARE_GT) return asy_from_bool(a->deadline > b->deadline);
  if (op == COMPARE_LE && a->deadline < b->deadline) return ASY_TRUE;
  if (op == COMPARE_GE && a->deadline > b->deadline) return ASY_TRUE;
  int same = a->deadline == b->deadline && a->handle.head.flags == b->handle.head.flags;
  if (same) same = asy_equal(vm, a->handle.callback, b->handle.callback);
  if (same > 0) same = asy_equal(vm, a->handle.args, b->handle.args);
  return same < 0 ? ASY_FAILED : asy_from_bool(op == COMPARE_NE ? !same : same);
}

static bool timer_hash(asy_vm *vm, asy_value self, int64_t *out) { return asy_hash(vm, when(vm, &self), out); }

static void handle_visit(asy_obj *o, asy_visitor *v) {
  asy_handle *h = (asy_handle *)o;
  asy_visit_value(v, h->callback);
  asy_visit_value(v, h->args);
  asy_visit_value(v, h->context);
  asy_visit_value(v, h->source);
  asy_visit_obj(v, h->loop);
  if (o->kind != KIND_TIMER_HANDLE) return;
  asy_visit_value(v, ((asy_timer_handle *)o)->when);
  asy_visit_obj(v, ((asy_timer_handle *)o)->prev);
  asy_visit_obj(v, ((asy_timer_handle *)o)->next);
}

static const asy_native handle_methods[] = {
  {"cancel", SIG("(self, /)"), cancel, DOC("The callback will not be called."), 0},
  {"cancelled", SIG("(self, /)"), cancelled, DOC("Whether it was cancelled."), 0},
  {"get_context", SIG("(self, /)"), get_context, DOC("The context it runs in."), 0},
  {"_run", SIG("(self, /)"), run, 0, 0},
  {"_callback", SIG("(self, /)"), get_callback, 0, ASY_NATIVE_GETTER},
  {"_args", SIG("(self, /)"), get_args, 0, ASY_NATIVE_GETTER},
  {"_loop", SIG("(self, /)"), get_loop, 0, ASY_NATIVE_GETTER},
  {"_context", SIG("(self, /)"), get_context, 0, ASY_NATIVE_GETTER},
  {"_cancelled", SIG("(self, /)"), cancelled, 0, ASY_NATIVE_GETTER},
  {"_source_traceback", SIG("(self, /)"), get_source, 0, ASY_NATIVE_GETTER},
  {0},
};

static const asy_native timer_methods[] = {
  {"when", SIG("(self, /)"), when, DOC("When the callback is due, by the loop's clock."), 0},
  {"_when", SIG("(self, /)"), when, 0, ASY_NATIVE_GETTER},
  {"_scheduled", SIG("(self, /)"), get_scheduled, 0, ASY_NATIVE_GETTER},
  {0},
};

const asy_type asy_handle_type = {
  .name = "asyncio.events.Handle",
  .doc = "A callback that will be called, unless it is cancelled.",
  .size = sizeof(asy_handle),
  .visit = handle_visit,
  .new_ = new_handle,
  .new_signature = SIG("(cls, *args, **kwargs)"),
  .init = init_handle,
  .init_signature = SIG("(self, callback, args, loop, context=None)"),
  .repr = handle_repr,
  .methods = handle_methods,
};

const asy_type asy_timer_handle_type = {
  .name = "asyncio.events.TimerHandle",
  .doc = "A callback that will be called at a time of the loop's clock.",
  .base = &asy_handle_type,
  .size = sizeof(asy_timer_handle),
  .visit = handle_visit,
  .init = init_timer,
  .init_signature = SIG("(self, when, callback, args, loop, context=None)"),
  .repr = handle_repr,
  .compare = timer_compare,
  .hash = timer_hash,
  .methods = timer_methods,
};
