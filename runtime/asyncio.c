/* asyncio.c - the native core of asyncio, module _asyncio: what is hot, or touches the loop. The rest is script, in stdlib/asyncio. */
#include "runtime/asy.h"
#include "runtime/class.h"
#include "runtime/coro.h"
#include "runtime/gather.h"
#include "runtime/loop.h"
#include "runtime/task.h"

/* ---- Loops ---------------------------------------------------------------------------------------------------------- */

static asy_value or_none(const void *object) { return object ? asy_from_obj(object) : ASY_NONE; }
static asy_value or_failed(const void *object) { return object ? asy_from_obj(object) : ASY_FAILED; }

static asy_value get_event_loop(asy_vm *vm, const asy_value *args) { return or_failed(asy_loop_current(vm)); }
static asy_value get_running_loop(asy_vm *vm, const asy_value *args) { return or_failed(asy_loop_running(vm)); }
static asy_value new_event_loop(asy_vm *vm, const asy_value *args) { return or_failed(asy_loop_new(vm)); }

static asy_value get_running_loop_or_none(asy_vm *vm, const asy_value *args) {
  return or_none(vm->loop_state ? vm->loop_state->running : NULL);
}

static asy_value set_event_loop(asy_vm *vm, const asy_value *args) {
  if (args[0] != ASY_NONE && !asy_is_kind(args[0], KIND_LOOP))
    return asy_raise(vm, ASY_TypeError, "loop must be an instance of AbstractEventLoop or None, not '%T'", args[0]);
  asy_loop_state *state = asy_loop_state_of(vm);
  if (!state) return ASY_FAILED;
  state->current = args[0] == ASY_NONE ? NULL : (asy_loop *)asy_obj_of(args[0]);
  return ASY_NONE;
}

/* ---- Tasks ---------------------------------------------------------------------------------------------------------- */

static asy_value create_task(asy_vm *vm, const asy_value *args) {
  asy_loop *loop = asy_loop_running(vm);
  if (!loop) return ASY_FAILED;
  if (!loop->task_factory) {
    asy_value name = args[1] == ASY_NONE ? 0 : args[1], context = args[2] == ASY_NONE ? 0 : args[2];
    return or_failed(asy_task_new(vm, loop, args[0], name, context));
  }
  asy_value method = asy_get_attr_cstr(vm, asy_from_obj(loop), "create_task");
  if (asy_failed(method)) return ASY_FAILED;
  asy_value names[] = {asy_from_cstr(vm, "name"), asy_from_cstr(vm, "context")};
  asy_tuple *kwnames = asy_failed(names[0]) || asy_failed(names[1]) ? NULL : asy_tuple_new(vm, names, 2);
  return kwnames ? asy_call_kw(vm, method, 3, args, kwnames) : ASY_FAILED;
}

static asy_value ensure_future(asy_vm *vm, const asy_value *args) {
  if (args[1] != ASY_NONE && !asy_is_kind(args[1], KIND_LOOP))
    return asy_raise(vm, ASY_TypeError, "loop must be an event loop, not '%T'", args[1]);
  return asy_ensure_future(vm, args[0], args[1] == ASY_NONE ? NULL : (asy_loop *)asy_obj_of(args[1]));
}

static asy_value gather(asy_vm *vm, const asy_value *args) {
  asy_tuple *awaitables = (asy_tuple *)asy_obj_of(args[0]);
  int exceptions = asy_truth(vm, args[1]);
  return exceptions < 0 ? ASY_FAILED : asy_gather_new(vm, awaitables->items, awaitables->len, exceptions);
}

static asy_value loop_argument(asy_vm *vm, asy_value loop) {
  if (loop == ASY_NONE) return or_failed(asy_loop_running(vm));
  if (asy_is_kind(loop, KIND_LOOP)) return loop;
  return asy_raise(vm, ASY_TypeError, "loop must be an event loop, not '%T'", loop);
}

static asy_value current_task(asy_vm *vm, const asy_value *args) {
  asy_value loop = loop_argument(vm, args[0]);
  if (asy_failed(loop)) return ASY_FAILED;
  asy_task *task = vm->current_task;
  return or_none(task && asy_from_obj(task->future.loop) == loop ? task : NULL);
}

static asy_value all_tasks(asy_vm *vm, const asy_value *args) {
  asy_value loop = loop_argument(vm, args[0]);
  return asy_failed(loop) ? ASY_FAILED : asy_task_all(vm, (asy_loop *)asy_obj_of(loop));
}

/* Pending tasks in the order of their creation. */
static asy_value pending_tasks(asy_vm *vm, const asy_value *args) {
  asy_value loop = loop_argument(vm, args[0]);
  asy_list *list = asy_failed(loop) ? NULL : asy_list_new(vm, 8);
  if (!list) return ASY_FAILED;
  for (asy_task *task = ((asy_loop *)asy_obj_of(loop))->tasks; task; task = task->next)
    if (!asy_list_append(vm, list, asy_from_obj(task))) return ASY_FAILED;
  for (uint32_t i = 0; i < list->len / 2; i++) {
    asy_value last = list->items[list->len - 1 - i];
    list->items[list->len - 1 - i] = list->items[i];
    list->items[i] = last;
  }
  return asy_from_obj(list);
}

/* The task that the first SIGINT cancels; None ends that and says whether it has happened. */
static asy_value set_interrupt_task(asy_vm *vm, const asy_value *args) {
  asy_loop_state *state = asy_loop_state_of(vm);
  if (!state) return ASY_FAILED;
  bool interrupted = state->interrupted;
  state->interrupt_task = asy_is_kind(args[0], KIND_TASK) ? (asy_task *)asy_obj_of(args[0]) : NULL;
  state->interrupted = false;
  return asy_from_bool(interrupted);
}

/* ---- sleep ---------------------------------------------------------------------------------------------------------- */

static asy_value set_sleep_result(asy_vm *vm, const asy_value *args) {
  if (asy_future_done(args[0])) return ASY_NONE;
  return asy_future_set_result(vm, asy_future_of(args[0]), args[1]) ? ASY_NONE : ASY_FAILED;
}
static const asy_native wake_sleeper = {"_set_result_unless_cancelled", "(future, result, /)", set_sleep_result, NULL,
                                        0};

/* Where the task cannot be parked itself (a coroutine is driven by hand in between): a future, and a timer that completes it. */
static asy_value sleep_by_future(asy_vm *vm, asy_loop *loop, asy_value delay, asy_value result) {
  asy_future *f = asy_future_new(vm, loop);
  asy_value wake = f ? asy_new_native(vm, &wake_sleeper, ASY_UNBOUND, ASY_NONE) : ASY_FAILED;
  if (asy_failed(wake)) return ASY_FAILED;
  asy_value args[] = {delay, wake, asy_from_obj(f), result};
  asy_str *call_later = asy_intern(vm, "call_later");
  if (!call_later || asy_failed(asy_call_method(vm, asy_from_obj(loop), call_later, 4, args))) return ASY_FAILED;
  return asy_yield_future(vm, asy_from_obj(f));
}

static asy_value asyncio_sleep(asy_vm *vm, const asy_value *args) {
  double seconds = 0;
  int64_t ns = 0;
  bool zero = args[0] == asy_from_small(0); /* the usual way to give way to others */
  if (!zero && !asy_to_double(vm, args[0], &seconds)) return ASY_FAILED;
  if (!zero && !asy_seconds_to_ns(vm, seconds, &ns)) return ASY_FAILED;
  asy_loop *loop = asy_loop_running(vm);
  if (!loop) return ASY_FAILED;
  if (!asy_can_park(vm)) return sleep_by_future(vm, loop, args[0], args[1]);
  if (seconds <= 0) return asy_task_park_turn(vm, args[1]);
  return asy_task_park_until(vm, asy_loop_now(vm, loop) + ns, args[1]);
}

/* ---- Questions ------------------------------------------------------------------------------------------------------ */

static asy_value iscoroutine(asy_vm *vm, const asy_value *args) {
  return asy_from_bool(!asy_is_kind(args[0], KIND_GENERATOR) && asy_is_coroutine(vm, args[0]));
}

static asy_value iscoroutinefunction(asy_vm *vm, const asy_value *args) {
  asy_value f = args[0];
  while (asy_is_kind(f, KIND_METHOD)) f = ((asy_method *)asy_obj_of(f))->func;
  if (asy_is_kind(f, KIND_FUNCTION)) return asy_from_bool(((asy_func *)asy_obj_of(f))->code->flags & CODE_COROUTINE);
  return asy_from_bool(asy_is_kind(f, KIND_NATIVE) && ((asy_nativefunc *)asy_obj_of(f))->def->flags & ASY_NATIVE_ASYNC);
}

static asy_value isfuture(asy_vm *vm, const asy_value *args) {
  if (asy_is_native_future(args[0])) return ASY_TRUE;
  asy_value blocking, cls = asy_from_obj(asy_class_of(vm, args[0]));
  int found = asy_find_attr(vm, cls, ASY_NAME(vm, _asyncio_future_blocking), &blocking);
  if (found != 1) return found < 0 ? ASY_FAILED : ASY_FALSE;
  blocking = asy_get_attr(vm, args[0], ASY_NAME(vm, _asyncio_future_blocking));
  return asy_failed(blocking) ? ASY_FAILED : asy_from_bool(blocking != ASY_NONE);
}

static bool add_class(asy_vm *vm, asy_value module, const char *name, const void *cls) {
  return cls && asy_module_set(vm, module, name, asy_from_obj(cls));
}

static bool init(asy_vm *vm, asy_value module) {
  return add_class(vm, module, "Future", vm->classes[KIND_FUTURE]) &&
         add_class(vm, module, "Task", vm->classes[KIND_TASK]) &&
         add_class(vm, module, "EventLoop", vm->classes[KIND_LOOP]) &&
         add_class(vm, module, "Handle", vm->classes[KIND_HANDLE]) &&
         add_class(vm, module, "TimerHandle", vm->classes[KIND_TIMER_HANDLE]) &&
         add_class(vm, module, "CancelledError", vm->exceptions[ASY_CancelledError]) &&
         add_class(vm, module, "InvalidStateError", vm->exceptions[ASY_InvalidStateError]);
}

static const asy_native natives[] = {
  {"get_event_loop", "()", get_event_loop, "The running loop, or the current one, made when there is none.", 0},
  {"get_running_loop", "()", get_running_loop, "The running loop; RuntimeError when there is none.", 0},
  {"_get_running_loop", "()", get_running_loop_or_none, "The running loop, or None.", 0},
  {"new_event_loop", "()", new_event_loop, "A new event loop.", 0},
  {"set_event_loop", "(loop, /)", set_event_loop, "Make loop the current one.", 0},
  {"create_task", "(coro, *, name=None, context=None)", create_task, "Run a coroutine as a task of the running loop.",
   0},
  {"ensure_future", "(coro_or_future, *, loop=None)", ensure_future, "A future for any awaitable.", 0},
  {"gather", "(*coros_or_futures, return_exceptions=False)", gather, "A future of the list of all results.", 0},
  {"current_task", "(loop=None)", current_task, "The task that runs, or None.", 0},
  {"all_tasks", "(loop=None)", all_tasks, "The set of the loop's unfinished tasks.", 0},
  {"_pending_tasks", "(loop=None)", pending_tasks, "The loop's unfinished tasks, oldest first.", 0},
  {"_set_interrupt_task", "(task, /)", set_interrupt_task, NULL, 0},
  {"sleep", "(delay, result=None)", asyncio_sleep, "Wait for delay seconds; then the result.", ASY_NATIVE_ASYNC},
  {"iscoroutine", "(obj)", iscoroutine, "Whether obj is a coroutine object.", 0},
  {"iscoroutinefunction", "(func)", iscoroutinefunction, "Whether func was defined by async def.", 0},
  {"isfuture", "(obj)", isfuture, "Whether obj is a future.", 0},
  {0},
};

const asy_module_def asy_module_asyncio = {"_asyncio", natives, "The native core of asyncio.", init};
