/* asyncio.c - the native core of asyncio, module _asyncio: what is hot, or touches the loop. The rest is script, in stdlib/asyncio. */
#include "runtime/asy.h"
#include "runtime/class.h"
#include "runtime/coro.h"
#include "runtime/gather.h"
#include "runtime/loop.h"
#include "runtime/task.h"
#include "runtime/traceback.h"

/* ---- Loops ---------------------------------------------------------------------------------------------------------- */

static asy_value or_failed(const void *object) { return object ? asy_from_obj(object) : ASY_FAILED; }

static asy_value loop_or_none(asy_loop *loop) { return loop ? asy_loop_value(loop) : ASY_NONE; }

static asy_value get_running_loop(asy_vm *vm, const asy_value *args) {
  asy_loop *loop = asy_loop_running(vm);
  return loop ? asy_loop_value(loop) : ASY_FAILED;
}

static asy_value get_running_loop_or_none(asy_vm *vm, const asy_value *args) { return loop_or_none(vm->running_loop); }

static asy_value set_running_loop(asy_vm *vm, const asy_value *args) {
  asy_loop *loop = args[0] == ASY_NONE ? NULL : asy_loop_of(vm, args[0]);
  if (args[0] != ASY_NONE && !loop) return ASY_FAILED;
  vm->running_loop = loop;
  return ASY_NONE;
}

/* (loop of this thread, whether it was ever set, whether this is the main thread) */
static asy_value get_current_loop(asy_vm *vm, const asy_value *args) {
  return asy_tuple_of(vm, 3, loop_or_none(vm->current_loop), asy_from_bool(vm->current_loop_set),
                      asy_from_bool(asy_thread_is_main(vm)));
}

static asy_value set_current_loop(asy_vm *vm, const asy_value *args) {
  asy_loop *loop = args[0] == ASY_NONE ? NULL : asy_loop_of(vm, args[0]);
  if (args[0] != ASY_NONE && !loop) return ASY_FAILED;
  vm->current_loop = loop;
  vm->current_loop_set = true;
  return ASY_NONE;
}

/* ---- Tasks ---------------------------------------------------------------------------------------------------------- */

static asy_value create_task(asy_vm *vm, const asy_value *args) {
  asy_loop *loop = asy_loop_running(vm);
  if (!loop) return ASY_FAILED;
  int eager = args[3] == ASY_NONE ? 0 : asy_truth(vm, args[3]);
  if (eager < 0) return ASY_FAILED;
  if (!loop->task_factory && !(loop->scripted & LOOP_CREATE_TASK)) {
    asy_value name = args[1] == ASY_NONE ? 0 : args[1], context = args[2] == ASY_NONE ? 0 : args[2];
    return or_failed(asy_task_new(vm, loop, args[0], name, context, eager));
  }
  asy_value method = asy_get_attr_cstr(vm, asy_loop_value(loop), "create_task");
  asy_dict *named = asy_failed(method) ? NULL : asy_dict_new(vm, 2);
  asy_tuple *plain = named ? asy_tuple_new(vm, args, 1) : NULL;
  if (!plain || (args[1] != ASY_NONE && !asy_dict_set_str(vm, named, asy_intern(vm, "name"), args[1])) ||
      (args[2] != ASY_NONE && !asy_dict_set_str(vm, named, asy_intern(vm, "context"), args[2])))
    return ASY_FAILED;
  return asy_call_ex(vm, method, plain, named);
}

static asy_value ensure_future(asy_vm *vm, const asy_value *args) {
  asy_loop *loop = args[1] == ASY_NONE ? NULL : asy_loop_of(vm, args[1]);
  if (args[1] != ASY_NONE && !loop) return ASY_FAILED;
  return asy_ensure_future(vm, args[0], loop);
}

static asy_value gather(asy_vm *vm, const asy_value *args) {
  asy_tuple *awaitables = (asy_tuple *)asy_obj_of(args[0]);
  int exceptions = asy_truth(vm, args[1]);
  return exceptions < 0 ? ASY_FAILED : asy_gather_new(vm, awaitables->items, awaitables->len, exceptions);
}

static asy_loop *loop_argument(asy_vm *vm, asy_value loop) {
  return loop == ASY_NONE ? asy_loop_running(vm) : asy_loop_of(vm, loop);
}

/* Tasks of other makes, entered by _enter_task: a dict of loop -> task. NULL: MemoryError. */
static asy_dict *entered_tasks(asy_vm *vm) {
  asy_loop_state *state = asy_loop_state_of(vm);
  if (state && !state->entered) state->entered = asy_dict_new(vm, 1);
  return state ? state->entered : NULL;
}

static asy_value current_of(asy_vm *vm, asy_loop *loop) {
  asy_task *task = vm->current_task;
  if (task && task->future.loop == loop) return asy_from_obj(task);
  asy_value entered;
  if (!vm->loop_state || !vm->loop_state->entered) return ASY_NONE;
  int found = asy_dict_get(vm, vm->loop_state->entered, asy_loop_value(loop), &entered);
  return found < 0 ? ASY_FAILED : found ? entered : ASY_NONE;
}

static bool make_current(asy_vm *vm, asy_loop *loop, asy_value task) {
  if (asy_is_kind(task, KIND_TASK) || (task == ASY_NONE && vm->current_task)) {
    vm->current_task = task == ASY_NONE ? NULL : (asy_task *)asy_obj_of(task);
    return true;
  }
  asy_dict *entered = entered_tasks(vm);
  if (!entered) return false;
  if (task != ASY_NONE) return asy_dict_set(vm, entered, asy_loop_value(loop), task);
  return asy_dict_delete(vm, entered, asy_loop_value(loop), NULL) >= 0;
}

static asy_value current_task(asy_vm *vm, const asy_value *args) {
  asy_loop *loop = loop_argument(vm, args[0]);
  return loop ? current_of(vm, loop) : ASY_FAILED;
}

static asy_value enter_task(asy_vm *vm, const asy_value *args) {
  asy_loop *loop = asy_loop_of(vm, args[0]);
  asy_value current = loop ? current_of(vm, loop) : ASY_FAILED;
  if (asy_failed(current)) return ASY_FAILED;
  if (current != ASY_NONE)
    return asy_raise(vm, ASY_RuntimeError, "Cannot enter into task %R while another task %R is being executed.",
                     args[1], current);
  return make_current(vm, loop, args[1]) ? ASY_NONE : ASY_FAILED;
}

static asy_value leave_task(asy_vm *vm, const asy_value *args) {
  asy_loop *loop = asy_loop_of(vm, args[0]);
  asy_value current = loop ? current_of(vm, loop) : ASY_FAILED;
  if (asy_failed(current)) return ASY_FAILED;
  if (current != args[1])
    return asy_raise(vm, ASY_RuntimeError, "Leaving task %R does not match the current task %R.", args[1], current);
  return make_current(vm, loop, ASY_NONE) ? ASY_NONE : ASY_FAILED;
}

static asy_value swap_task(asy_vm *vm, const asy_value *args) {
  asy_loop *loop = asy_loop_of(vm, args[0]);
  asy_value current = loop ? current_of(vm, loop) : ASY_FAILED;
  return !asy_failed(current) && make_current(vm, loop, args[1]) ? current : ASY_FAILED;
}

/* Tasks of other makes that all_tasks() shows; ours are on their loop's list. */
static asy_value register_task(asy_vm *vm, const asy_value *args) {
  asy_loop_state *state = asy_loop_state_of(vm);
  if (!state) return ASY_FAILED;
  if (asy_is_kind(args[0], KIND_TASK)) return ASY_NONE;
  if (!state->registered) state->registered = asy_set_new(vm, KIND_SET);
  return state->registered && asy_set_add(vm, state->registered, args[0]) >= 0 ? ASY_NONE : ASY_FAILED;
}

static asy_value unregister_task(asy_vm *vm, const asy_value *args) {
  asy_loop_state *state = asy_loop_state_of(vm);
  if (!state) return ASY_FAILED;
  if (!state->registered) return ASY_NONE;
  return asy_call_method(vm, asy_from_obj(state->registered), asy_intern(vm, "discard"), 1, args);
}

/* Those of a loop that are not done. */
static bool add_registered(asy_vm *vm, asy_set *all, asy_value loop) {
  asy_value tasks = asy_import(vm, "asyncio.tasks");
  asy_value pick = asy_failed(tasks) ? ASY_FAILED : asy_get_attr_cstr(vm, tasks, "_pending_of");
  asy_value found = asy_failed(pick) ? ASY_FAILED : asy_call2(vm, pick, asy_from_obj(vm->loop_state->registered), loop);
  return !asy_failed(found) && !asy_failed(asy_call_method(vm, asy_from_obj(all), asy_intern(vm, "update"), 1, &found));
}

static asy_value all_tasks(asy_vm *vm, const asy_value *args) {
  asy_loop *loop = loop_argument(vm, args[0]);
  asy_value all = loop ? asy_task_all(vm, loop) : ASY_FAILED;
  if (asy_failed(all) || !vm->loop_state || !vm->loop_state->registered) return all;
  return add_registered(vm, (asy_set *)asy_obj_of(all), asy_loop_value(loop)) ? all : ASY_FAILED;
}

/* Pending tasks in the order of their creation. */
static asy_value pending_tasks(asy_vm *vm, const asy_value *args) {
  asy_loop *loop = loop_argument(vm, args[0]);
  asy_list *list = loop ? asy_list_new(vm, 8) : NULL;
  if (!list) return ASY_FAILED;
  for (asy_task *task = loop->tasks; task; task = task->next)
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
  state->interrupt_task = args[0] == ASY_NONE ? 0 : args[0];
  state->interrupted = false;
  return asy_from_bool(interrupted);
}

/* ---- Who awaits whom ------------------------------------------------------------------------------------------------ */

/* What future_add_to_awaited_by() has added: a set, or None. */
static asy_value awaited_by(asy_vm *vm, const asy_value *args) {
  asy_future *f = asy_is_native_future(args[0]) ? asy_future_of(args[0]) : NULL;
  asy_future_extra *extra = f && !asy_gather_of(f) ? (asy_future_extra *)f->extra : NULL;
  return extra && extra->awaited_by ? extra->awaited_by : ASY_NONE;
}

static asy_value add_awaited_by(asy_vm *vm, const asy_value *args) {
  if (!asy_is_native_future(args[0]) || !asy_is_native_future(args[1]) || asy_gather_of(asy_future_of(args[0])))
    return ASY_NONE;
  asy_future_extra *extra = asy_future_need_extra(vm, asy_future_of(args[0]));
  if (!extra) return ASY_FAILED;
  if (!extra->awaited_by) {
    asy_set *set = asy_set_new(vm, KIND_SET);
    if (!set) return ASY_FAILED;
    asy_store(vm, extra, &extra->awaited_by, asy_from_obj(set));
  }
  return asy_set_add(vm, (asy_set *)asy_obj_of(extra->awaited_by), args[1]) < 0 ? ASY_FAILED : ASY_NONE;
}

static asy_value discard_awaited_by(asy_vm *vm, const asy_value *args) {
  asy_value set = awaited_by(vm, args);
  return set == ASY_NONE ? set : asy_call_method(vm, set, asy_intern(vm, "discard"), 1, args + 1);
}

/* The futures of a gather future, or None. */
static asy_value gathered(asy_vm *vm, const asy_value *args) {
  asy_gather *g = asy_is_native_future(args[0]) ? asy_gather_of(asy_future_of(args[0])) : NULL;
  return g ? asy_from_obj(g->children) : ASY_NONE;
}

static asy_value source_line(asy_vm *vm, const asy_value *args) {
  const char *path;
  int64_t line;
  size_t length;
  if (!asy_to_cstr(vm, args[0], &path) || !asy_to_int64(vm, args[1], &line)) return ASY_FAILED;
  const char *text = line > 0 ? asy_file_line(vm, path, (int)line, &length) : NULL;
  return text ? asy_from_text(vm, text, length) : asy_from_obj(vm->empty_str);
}

/* ---- sleep ---------------------------------------------------------------------------------------------------------- */

static asy_value set_sleep_result(asy_vm *vm, const asy_value *args) {
  if (asy_future_done(args[0])) return ASY_NONE;
  return asy_future_set_result(vm, asy_future_of(args[0]), args[1]) ? ASY_NONE : ASY_FAILED;
}
static const asy_native wake_sleeper = {"_set_result_unless_cancelled", SIG("(future, result, /)"), set_sleep_result, 0,
                                        0};

/* Where the task cannot be parked itself (a coroutine is driven by hand in between): a future, and a timer that completes it. */
static asy_value sleep_by_future(asy_vm *vm, asy_loop *loop, asy_value delay, asy_value result) {
  asy_future *f = asy_future_new(vm, loop);
  asy_value wake = f ? asy_new_native(vm, &wake_sleeper, ASY_UNBOUND, ASY_NONE) : ASY_FAILED;
  if (asy_failed(wake)) return ASY_FAILED;
  asy_value args[] = {delay, wake, asy_from_obj(f), result};
  asy_str *call_later = asy_intern(vm, "call_later");
  if (!call_later || asy_failed(asy_call_method(vm, asy_loop_value(loop), call_later, 4, args))) return ASY_FAILED;
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
  bool scripted = __builtin_expect(loop->scripted & (LOOP_CALL_AT | LOOP_TIME), 0);
  if (!asy_can_park(vm) || (scripted && seconds > 0)) return sleep_by_future(vm, loop, args[0], args[1]);
  if (seconds <= 0) return asy_task_park_turn(vm, args[1]);
  return asy_task_park_until(vm, asy_loop_now(vm, loop) + ns, args[1]);
}

/* ---- Questions ------------------------------------------------------------------------------------------------------ */

static asy_value iscoroutine(asy_vm *vm, const asy_value *args) {
  return asy_from_bool(!asy_is_kind(args[0], KIND_GENERATOR) && asy_is_coroutine(vm, args[0]));
}

/* Marked as one: by mocks and inspect.markcoroutinefunction; or the function of a partial is one. */
static asy_value is_marked_coroutine(asy_vm *vm, asy_value f) {
  if (asy_is_kind(f, KIND_TYPE)) return ASY_FALSE;
  asy_value module = asy_import(vm, "asyncio.coroutines");
  asy_value ask = asy_failed(module) ? ASY_FAILED : asy_get_attr_cstr(vm, module, "_is_marked");
  return asy_failed(ask) ? ASY_FAILED : asy_call1(vm, ask, f);
}

static asy_value iscoroutinefunction(asy_vm *vm, const asy_value *args) {
  asy_value f = args[0];
  while (asy_is_kind(f, KIND_METHOD)) f = ((asy_method *)asy_obj_of(f))->func;
  if (asy_is_kind(f, KIND_FUNCTION) && ((asy_func *)asy_obj_of(f))->code->flags & CODE_COROUTINE) return ASY_TRUE;
  if (asy_is_kind(f, KIND_NATIVE))
    return asy_from_bool(((asy_nativefunc *)asy_obj_of(f))->def->flags & ASY_NATIVE_ASYNC);
  return asy_is_obj(f) ? is_marked_coroutine(vm, f) : ASY_FALSE;
}

static asy_value isfuture(asy_vm *vm, const asy_value *args) {
  if (asy_is_native_future(args[0])) return ASY_TRUE;
  asy_value blocking, cls = asy_get_attr(vm, args[0], ASY_NAME(vm, __class__)); /* a mock says what it stands for */
  if (asy_failed(cls)) return ASY_FAILED;
  int found = asy_find_attr(vm, cls, ASY_NAME(vm, _asyncio_future_blocking), &blocking);
  if (found != 1) return found < 0 ? ASY_FAILED : ASY_FALSE;
  blocking = asy_get_attr(vm, args[0], ASY_NAME(vm, _asyncio_future_blocking));
  return asy_failed(blocking) ? ASY_FAILED : asy_from_bool(blocking != ASY_NONE);
}

static bool add_class(asy_vm *vm, asy_value module, const char *name, const void *cls) {
  return cls && asy_module_set(vm, module, name, asy_from_obj(cls));
}

static bool init(asy_vm *vm, asy_value module) {
  return add_class(vm, module, "_Waiters", asy_define_type(vm, &asy_waiters_type)) &&
         add_class(vm, module, "Future", vm->classes[KIND_FUTURE]) &&
         add_class(vm, module, "Task", vm->classes[KIND_TASK]) &&
         add_class(vm, module, "EventLoop", vm->classes[KIND_LOOP]) &&
         add_class(vm, module, "Handle", vm->classes[KIND_HANDLE]) &&
         add_class(vm, module, "TimerHandle", vm->classes[KIND_TIMER_HANDLE]) &&
         add_class(vm, module, "CancelledError", vm->exceptions[ASY_CancelledError]) &&
         add_class(vm, module, "InvalidStateError", vm->exceptions[ASY_InvalidStateError]);
}

static const asy_native natives[] = {
  {"get_running_loop", SIG("()"), get_running_loop, DOC("The running loop; RuntimeError when there is none."), 0},
  {"_get_running_loop", SIG("()"), get_running_loop_or_none, DOC("The running loop, or None."), 0},
  {"_set_running_loop", SIG("(loop, /)"), set_running_loop,
   DOC("Make loop the running one: for loops of another make."), 0},
  {"_get_current_loop", SIG("()"), get_current_loop, 0, 0},
  {"_set_current_loop", SIG("(loop, /)"), set_current_loop, 0, 0},
  {"create_task", SIG("(coro, *, name=None, context=None, eager_start=None)"), create_task,
   DOC("Run a coroutine as a task of the running loop."), 0},
  {"_enter_task", SIG("(loop, task)"), enter_task, DOC("Make task, of another make than ours, the current one."), 0},
  {"_leave_task", SIG("(loop, task)"), leave_task, DOC("End what _enter_task() began."), 0},
  {"_swap_current_task", SIG("(loop, task)"), swap_task, DOC("Make task the current one; which one it was."), 0},
  {"_register_task", SIG("(task)"), register_task, DOC("Let all_tasks() show a task of another make than ours."), 0},
  {"_unregister_task", SIG("(task)"), unregister_task, DOC("End what _register_task() began."), 0},
  {"_set_result_unless_cancelled", SIG("(future, result, /)"), set_sleep_result, 0, 0},
  {"ensure_future", SIG("(coro_or_future, *, loop=None)"), ensure_future, DOC("A future for any awaitable."), 0},
  {"gather", SIG("(*coros_or_futures, return_exceptions=False)"), gather, DOC("A future of the list of all results."),
   0},
  {"current_task", SIG("(loop=None)"), current_task, DOC("The task that runs, or None."), 0},
  {"all_tasks", SIG("(loop=None)"), all_tasks, DOC("The set of the loop's unfinished tasks."), 0},
  {"_pending_tasks", SIG("(loop=None)"), pending_tasks, DOC("The loop's unfinished tasks, oldest first."), 0},
  {"_set_interrupt_task", SIG("(task, /)"), set_interrupt_task, 0, 0},
  {"_awaited_by", SIG("(future, /)"), awaited_by, 0, 0},
  {"_gathered", SIG("(future, /)"), gathered, 0, 0},
  {"_source_line", SIG("(filename, line, /)"), source_line, 0, 0},
  {"future_add_to_awaited_by", SIG("(fut, waiter, /)"), add_awaited_by, DOC("Note that waiter waits for fut."), 0},
  {"future_discard_from_awaited_by", SIG("(fut, waiter, /)"), discard_awaited_by,
   DOC("End what future_add_to_awaited_by() noted."), 0},
  {"sleep", SIG("(delay, result=None)"), asyncio_sleep, DOC("Wait for delay seconds; then the result."),
   ASY_NATIVE_ASYNC},
  {"iscoroutine", SIG("(obj)"), iscoroutine, DOC("Whether obj is a coroutine object."), 0},
  {"iscoroutinefunction", SIG("(func)"), iscoroutinefunction, DOC("Whether func was defined by async def."), 0},
  {"isfuture", SIG("(obj)"), isfuture, DOC("Whether obj is a future."), 0},
  {0},
};

const asy_module_def asy_module_asyncio = {"_asyncio", natives, "The native core of asyncio.", init};
