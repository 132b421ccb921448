/* loop_object.c - the event loop as scripts see it: the native half of asyncio.BaseEventLoop, whose other half is script. */
#include <stdlib.h>

#include "runtime/class.h"
#include "runtime/context.h"
#include "runtime/gather.h"
#include "runtime/loop.h"
#include "runtime/task.h"
#include "runtime/weakref.h"

static asy_loop *self_of(const asy_value *args) { return (asy_loop *)asy_obj_of(args[0]); }

static asy_value loop_make(asy_vm *vm, const asy_value *args) {
  asy_loop *loop = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  if (!loop || !asy_loop_state_of(vm)) return ASY_FAILED;
  asy_stack_init(vm, &loop->stack, NULL);
  loop->step_stack = &loop->stack;
  loop->debug = vm->options.dev_mode || asy_environment(vm, "PYTHONASYNCIODEBUG");
  asy_loop_look(vm, loop);
  return asy_from_obj(loop);
}

/* ---- Running -------------------------------------------------------------------------------------------------------- */

static asy_value loop_run_forever(asy_vm *vm, const asy_value *args) {
  return asy_loop_run_forever(vm, self_of(args)) ? ASY_NONE : ASY_FAILED;
}

static asy_value loop_run_until_complete(asy_vm *vm, const asy_value *args) {
  return asy_loop_run_until_complete(vm, self_of(args), args[1]);
}

static asy_value loop_run_once(asy_vm *vm, const asy_value *args) {
  asy_loop *loop = self_of(args);
  if (!loop->running) asy_loop_look(vm, loop);
  return asy_loop_run_once(vm, loop) ? ASY_NONE : ASY_FAILED;
}

static asy_value loop_stop(asy_vm *vm, const asy_value *args) {
  self_of(args)->stopping = true;
  return ASY_NONE;
}

static asy_value loop_close(asy_vm *vm, const asy_value *args) {
  asy_loop *loop = self_of(args);
  if (loop->running) return asy_raise(vm, ASY_RuntimeError, "Cannot close a running event loop");
  if (!loop->closed) asy_loop_close(vm, loop);
  return ASY_NONE;
}

static asy_value loop_check_closed(asy_vm *vm, const asy_value *args) {
  return asy_loop_check_open(vm, self_of(args)) ? ASY_NONE : ASY_FAILED;
}

static asy_value loop_is_running(asy_vm *vm, const asy_value *args) { return asy_from_bool(self_of(args)->running); }
static asy_value loop_is_closed(asy_vm *vm, const asy_value *args) { return asy_from_bool(self_of(args)->closed); }
static asy_value loop_get_debug(asy_vm *vm, const asy_value *args) { return asy_from_bool(self_of(args)->debug); }
static asy_value loop_is_stopping(asy_vm *vm, const asy_value *args) { return asy_from_bool(self_of(args)->stopping); }

static asy_value loop_set_debug(asy_vm *vm, const asy_value *args) {
  int on = asy_truth(vm, args[1]);
  if (on < 0) return ASY_FAILED;
  asy_loop *loop = self_of(args);
  loop->debug = on;
  if (loop->running) vm->origin_depth = on ? ASY_DEBUG_ORIGIN_DEPTH : loop->origin_depth;
  return ASY_NONE;
}

static asy_value loop_set_stopping(asy_vm *vm, const asy_value *args) {
  int on = asy_truth(vm, args[1]);
  if (on < 0) return ASY_FAILED;
  self_of(args)->stopping = on;
  return ASY_NONE;
}

static asy_value loop_time(asy_vm *vm, const asy_value *args) {
  return asy_from_double(vm, (double)asy_clock_ns(vm, ASY_CLOCK_MONOTONIC) / 1e9);
}

static asy_value loop_wake(asy_vm *vm, const asy_value *args) {
  asy_uv *uv = self_of(args)->uv;
  if (uv) uv_async_send(&uv->wake);
  return ASY_NONE;
}

/* ---- Callbacks ------------------------------------------------------------------------------------------------------ */

/* Debug mode asks more of a callback, and that its loop is the one that runs here. */
static bool check_call(asy_vm *vm, asy_loop *loop, asy_value callback, const char *method, bool any_thread) {
  if (!asy_loop_check_open(vm, loop)) return false;
  if (!loop->debug) {
    if (asy_callable(vm, callback)) return true;
  } else if (!any_thread && loop->running && vm->running_loop != loop) {
    asy_raise(vm, ASY_RuntimeError, "Non-thread-safe operation invoked on an event loop other than the current one");
    return false;
  }
  asy_value args[] = {callback, asy_from_cstr(vm, method)};
  if (loop->head.shape == KIND_LOOP) return true;
  return !asy_failed(asy_call_method(vm, asy_from_obj(loop), asy_intern(vm, "_check_callback"), 2, args));
}

static asy_value soon(asy_vm *vm, const asy_value *args, const char *method, bool any_thread) {
  asy_loop *loop = self_of(args);
  if (!check_call(vm, loop, args[1], method, any_thread)) return ASY_FAILED;
  asy_value context = asy_context_or_snapshot(vm, args[3]);
  asy_handle *h = asy_failed(context) ? NULL : asy_handle_new(vm, KIND_HANDLE, loop, args[1], args[2], context);
  if (!h || (loop->debug && !asy_handle_keep_source(vm, h))) return ASY_FAILED;
  return asy_loop_push_here(vm, loop, &h->head) ? asy_from_obj(h) : ASY_FAILED;
}

static asy_value loop_call_soon(asy_vm *vm, const asy_value *args) { return soon(vm, args, "call_soon", false); }

static asy_value loop_call_soon_threadsafe(asy_vm *vm, const asy_value *args) {
  asy_value handle = soon(vm, args, "call_soon_threadsafe", true);
  asy_loop *loop = self_of(args);
  if (asy_failed(handle)) return handle;
  if (loop->head.shape != KIND_LOOP) { /* a class may have its own way to wake it */
    asy_value woken = asy_call_method(vm, args[0], asy_intern(vm, "_write_to_self"), 0, NULL);
    return asy_failed(woken) ? woken : handle;
  }
  loop_wake(vm, args);
  return handle;
}

static asy_value add_callback(asy_vm *vm, const asy_value *args) {
  if (!asy_is_kind(args[1], KIND_HANDLE) && !asy_is_kind(args[1], KIND_TIMER_HANDLE))
    return asy_raise(vm, ASY_TypeError, "A Handle is required here");
  if (asy_obj_of(args[1])->flags & HANDLE_CANCELLED) return ASY_NONE;
  return asy_loop_push_here(vm, self_of(args), asy_obj_of(args[1])) ? ASY_NONE : ASY_FAILED;
}

static asy_value add_callback_signalsafe(asy_vm *vm, const asy_value *args) {
  return asy_failed(add_callback(vm, args)) ? ASY_FAILED : loop_wake(vm, args);
}

static asy_value at(asy_vm *vm, const asy_value *args, int64_t deadline, const char *method) {
  asy_loop *loop = self_of(args);
  if (!check_call(vm, loop, args[2], method, false)) return ASY_FAILED;
  asy_value context = asy_context_or_snapshot(vm, args[4]);
  if (asy_failed(context)) return ASY_FAILED;
  asy_timer_handle *t = asy_timer_handle_schedule(vm, loop, deadline, args[2], args[3], context);
  if (!t || (loop->debug && !asy_handle_keep_source(vm, &t->handle))) return ASY_FAILED;
  return asy_from_obj(t);
}

/* self.call_at(self.time() + delay, callback, *args, context=context): for classes with their own call_at */
static asy_value later_by_call_at(asy_vm *vm, const asy_value *args) {
  asy_value now = asy_call_method(vm, args[0], asy_intern(vm, "time"), 0, NULL);
  asy_value when = asy_failed(now) ? ASY_FAILED : asy_binary(vm, BINARY_ADD, now, args[1]);
  asy_value method = asy_failed(when) ? ASY_FAILED : asy_get_attr_cstr(vm, args[0], "call_at");
  asy_tuple *rest = (asy_tuple *)asy_obj_of(args[3]);
  asy_tuple *all = asy_failed(method) ? NULL : asy_tuple_new(vm, NULL, rest->len + 2);
  asy_dict *named = all ? asy_dict_new(vm, 1) : NULL;
  if (!named || !asy_dict_set_str(vm, named, asy_intern(vm, "context"), args[4])) return ASY_FAILED;
  all->items[0] = when;
  all->items[1] = args[2];
  if (rest->len) memcpy(all->items + 2, rest->items, rest->len * sizeof *rest->items);
  asy_barrier(vm, all);
  return asy_call_ex(vm, method, all, named);
}

static asy_value loop_call_later(asy_vm *vm, const asy_value *args) {
  if (args[1] == ASY_NONE) return asy_raise(vm, ASY_TypeError, "delay must not be None");
  asy_loop *loop = self_of(args);
  if (loop->scripted & (LOOP_CALL_AT | LOOP_TIME)) return later_by_call_at(vm, args);
  double delay;
  int64_t ns;
  if (!asy_to_double(vm, args[1], &delay) || !asy_seconds_to_ns(vm, delay, &ns)) return ASY_FAILED;
  return at(vm, args, asy_loop_now(vm, loop) + ns, "call_later");
}

static asy_value loop_call_at(asy_vm *vm, const asy_value *args) {
  if (args[1] == ASY_NONE) return asy_raise(vm, ASY_TypeError, "when cannot be None");
  double when;
  int64_t ns;
  if (!asy_to_double(vm, args[1], &when) || !asy_seconds_to_ns(vm, when, &ns)) return ASY_FAILED;
  asy_value handle = at(vm, args, ns, "call_at");
  if (asy_failed(handle)) return handle;
  asy_timer_handle *t = (asy_timer_handle *)asy_obj_of(handle);
  asy_store(vm, t, &t->when, args[1]);
  return handle;
}

static asy_value get_ready(asy_vm *vm, const asy_value *args) { return asy_loop_ready(vm, self_of(args)); }

static asy_value get_scheduled(asy_vm *vm, const asy_value *args) {
  asy_loop *loop = self_of(args);
  asy_list *list = asy_list_new(vm, loop->timers.count);
  for (uint32_t i = 0; list && i < loop->timers.count; i++)
    if (!asy_list_append(vm, list, asy_from_obj(loop->timers.entries[i].owner))) return ASY_FAILED;
  return list ? asy_from_obj(list) : ASY_FAILED;
}

/* (tasks, ready, timers, timer handles, handles that libuv watches): what tests compare with the start */
static asy_value loop_counters(asy_vm *vm, const asy_value *args) {
  asy_loop *loop = self_of(args);
  int64_t tasks = 0, handles = 0;
  for (asy_task *task = loop->tasks; task; task = task->next) tasks++;
  for (asy_timer_handle *t = loop->handles; t; t = t->next) handles++;
  int64_t watched = loop->uv ? (int64_t)loop->uv->loop.active_handles : 0;
  return asy_tuple_of(vm, 5, asy_from_small(tasks), asy_from_small(loop->ring_count),
                      asy_from_small(loop->timers.count), asy_from_small(handles), asy_from_small(watched));
}

/* ---- Futures and tasks ---------------------------------------------------------------------------------------------- */

static asy_value loop_create_future(asy_vm *vm, const asy_value *args) {
  asy_future *f = asy_future_new(vm, self_of(args));
  if (!f || (f->loop->debug && !asy_future_keep_source(vm, f))) return ASY_FAILED;
  return asy_from_obj(f);
}

/* factory(loop, coro, **kwargs) */
static asy_value make_by_factory(asy_vm *vm, asy_loop *loop, asy_value coro, asy_value name, asy_value context) {
  asy_value with[3] = {asy_from_obj(loop), coro, context};
  asy_value keyword = asy_from_cstr(vm, "context");
  asy_tuple *names = asy_failed(keyword) ? NULL : asy_tuple_new(vm, &keyword, 1);
  if (!names) return ASY_FAILED;
  asy_value task = context == ASY_NONE ? asy_call2(vm, loop->task_factory, with[0], coro)
                                       : asy_call_kw(vm, loop->task_factory, 3, with, names);
  asy_value set_name;
  if (asy_failed(task) || name == ASY_NONE) return task;
  int found = asy_find_attr(vm, task, asy_intern(vm, "set_name"), &set_name);
  if (found <= 0) return found ? ASY_FAILED : task;
  return asy_failed(asy_call1(vm, set_name, name)) ? ASY_FAILED : task;
}

static asy_value loop_create_task(asy_vm *vm, const asy_value *args) {
  asy_loop *loop = self_of(args);
  asy_value name = args[2], context = args[3];
  if (!asy_loop_check_open(vm, loop)) return ASY_FAILED;
  int eager = args[4] == ASY_NONE ? 0 : asy_truth(vm, args[4]);
  if (eager < 0) return ASY_FAILED;
  if (loop->task_factory) return make_by_factory(vm, loop, args[1], name, context);
  asy_task *task = asy_task_new(vm, loop, args[1], name == ASY_NONE ? 0 : name, context == ASY_NONE ? 0 : context,
                                eager);
  return task ? asy_from_obj(task) : ASY_FAILED;
}

static asy_value loop_set_task_factory(asy_vm *vm, const asy_value *args) {
  if (args[1] != ASY_NONE && !asy_callable(vm, args[1]))
    return asy_raise(vm, ASY_TypeError, "task factory must be a callable or None");
  asy_store(vm, self_of(args), &self_of(args)->task_factory, args[1] == ASY_NONE ? 0 : args[1]);
  return ASY_NONE;
}

static asy_value loop_get_task_factory(asy_vm *vm, const asy_value *args) {
  return self_of(args)->task_factory ? self_of(args)->task_factory : ASY_NONE;
}

static const asy_native loop_methods[] = {
  {"run_forever", SIG("(self)"), loop_run_forever, DOC("Run until stop() is called."), 0},
  {"run_until_complete", SIG("(self, future)"), loop_run_until_complete,
   DOC("Run until the future is done; its result."), 0},
  {"stop", SIG("(self)"), loop_stop, DOC("Stop at the end of this iteration."), 0},
  {"close", SIG("(self)"), loop_close, DOC("Release what the loop holds; it cannot run again."), 0},
  {"is_running", SIG("(self)"), loop_is_running, DOC("Whether it runs."), 0},
  {"is_closed", SIG("(self)"), loop_is_closed, DOC("Whether it was closed."), 0},
  {"time", SIG("(self)"), loop_time, DOC("The loop's clock, in seconds."), 0},
  {"call_soon", SIG("(self, callback, *args, context=None)"), loop_call_soon, DOC("Call in the next iteration."), 0},
  {"call_soon_threadsafe", SIG("(self, callback, *args, context=None)"), loop_call_soon_threadsafe,
   DOC("call_soon() from another thread."), 0},
  {"call_later", SIG("(self, delay, callback, *args, context=None)"), loop_call_later, DOC("Call after delay seconds."),
   0},
  {"call_at", SIG("(self, when, callback, *args, context=None)"), loop_call_at,
   DOC("Call at a time of the loop's clock."), 0},
  {"create_future", SIG("(self)"), loop_create_future, DOC("A new future of this loop."), 0},
  {"create_task", SIG("(self, coro, *, name=None, context=None, eager_start=None)"), loop_create_task,
   DOC("Run a coroutine as a task."), 0},
  {"set_task_factory", SIG("(self, factory)"), loop_set_task_factory,
   DOC("Let factory(loop, coro, **kwargs) make the tasks."), 0},
  {"get_task_factory", SIG("(self)"), loop_get_task_factory, DOC("The task factory, or None."), 0},
  {"get_debug", SIG("(self)"), loop_get_debug, DOC("Whether debug mode is on."), 0},
  {"set_debug", SIG("(self, enabled)"), loop_set_debug, DOC("Turn debug mode on or off."), 0},
  {"_run_once", SIG("(self)"), loop_run_once, 0, 0},
  {"_check_closed", SIG("(self)"), loop_check_closed, 0, 0},
  {"_wake", SIG("(self)"), loop_wake, 0, 0},
  {"_add_callback", SIG("(self, handle)"), add_callback, 0, 0},
  {"_add_callback_signalsafe", SIG("(self, handle)"), add_callback_signalsafe, 0, 0},
  {"_take_asyncgens", SIG("(self)"), asy_loop_take_async_generators, 0, 0},
  {"_counters", SIG("(self)"), loop_counters, DOC("(tasks, ready, timers, timer handles, what libuv watches)."), 0},
  {"_ready", SIG("(self, /)"), get_ready, 0, ASY_NATIVE_GETTER},
  {"_scheduled", SIG("(self, /)"), get_scheduled, 0, ASY_NATIVE_GETTER},
  {"_closed", SIG("(self, /)"), loop_is_closed, 0, ASY_NATIVE_GETTER},
  {"_debug", SIG("(self, /)"), loop_get_debug, 0, ASY_NATIVE_GETTER},
  {"_debug", SIG("(self, value, /)"), loop_set_debug, 0, ASY_NATIVE_SETTER},
  {"_stopping", SIG("(self, /)"), loop_is_stopping, 0, ASY_NATIVE_GETTER},
  {"_stopping", SIG("(self, value, /)"), loop_set_stopping, 0, ASY_NATIVE_SETTER},
  {"_task_factory", SIG("(self, /)"), loop_get_task_factory, 0, ASY_NATIVE_GETTER},
  {0},
};

const asy_type asy_loop_type = {
  .name = "_asyncio.EventLoop",
  .doc = "Runs tasks and callbacks.",
  .size = sizeof(asy_loop),
  .visit = asy_loop_visit,
  .free = asy_loop_free,
  .new_ = loop_make,
  .new_signature = SIG("(cls, *args, **kwargs)"),
  .methods = loop_methods,
};
