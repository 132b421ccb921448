/* loop.c - running what is ready, waiting for what is not. See loop.h. */
#include "runtime/loop.h"

#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>

#include "runtime/class.h"
#include "runtime/coro.h"
#include "runtime/exc.h"
#include "runtime/frame.h"
#include "runtime/gather.h"
#include "runtime/task.h"
#include "runtime/weakref.h"

enum {
#ifdef ASY_HOSTILE
  RING_LEAST = 2,
#else
  RING_LEAST = 64,
#endif
  RING_KEPT = 4096,     /* a larger ring is given back when the loop goes to sleep */
  POLL_STEPS = 64,      /* steps between two polls of a loop that is never idle */
  STATUS_DEADLOCK = 13, /* of the program, as node's when nothing can go on */
  CLOCK_TURNS = 4,      /* iterations between two looks at the clock in between */
};
static const int64_t POLL_NS = 100 * 1000;

/* tags of ring words */
static const uintptr_t TAG_HANDLE = 1;
static const uintptr_t TAG_FIRED =
  2; /* a task whose timer fired: it goes on in the next iteration, as behind a future */
static const uintptr_t TAG_MASK = 3;

/* ---- State of the VM ------------------------------------------------------------------------------------------------ */

asy_loop_state *asy_loop_state_of(asy_vm *vm) {
  if (!vm->loop_state) {
    vm->loop_state = calloc(1, sizeof(asy_loop_state));
    if (!vm->loop_state) asy_raise_no_memory(vm);
  }
  return vm->loop_state;
}

void asy_loop_state_visit(asy_vm *vm, asy_visitor *v) {
  asy_loop_state *state = vm->loop_state;
  if (!state) return;
  asy_visit_value(v, state->interrupt_task);
  asy_visit_obj(v, state->stand_ins);
  asy_visit_obj(v, state->entered);
  asy_visit_obj(v, state->registered);
  asy_visit_obj(v, vm->current_task);
}

void asy_loop_state_free(asy_vm *vm) {
  free(vm->loop_state);
  vm->loop_state = NULL;
}

/* 1 cancelled, 0 it was done already, -1 failed; a task of any make */
static int cancel_any(asy_vm *vm, asy_value task) {
  if (asy_is_native_future(task)) return asy_future_cancel(vm, asy_future_of(task), 0);
  asy_value done = asy_call_method(vm, task, asy_intern(vm, "done"), 0, NULL);
  int is_done = asy_failed(done) ? -1 : asy_truth(vm, done);
  if (is_done) return is_done < 0 ? -1 : 0;
  return asy_failed(asy_call_method(vm, task, ASY_NAME(vm, cancel), 0, NULL)) ? -1 : 1;
}

bool asy_loop_take_interrupt(asy_vm *vm) {
  asy_loop_state *state = vm->loop_state;
  if (!state || !state->interrupt_task || state->interrupted) return false;
  asy_value pending = asy_raised(vm) ? asy_take_exception(vm) : 0;
  int cancelled = cancel_any(vm, state->interrupt_task);
  if (cancelled < 0) asy_clear_exception(vm);
  if (pending) asy_set_exception(vm, pending);
  return state->interrupted = cancelled != 0;
}

/* ---- The ready ring ------------------------------------------------------------------------------------------------- */

static bool grow_ring(asy_vm *vm, asy_loop *loop) {
  uint32_t cap = loop->ring_cap ? loop->ring_cap * 2 : RING_LEAST;
  uintptr_t *ring = asy_mem_alloc(vm, cap * sizeof *ring);
  if (!ring) return false;
  for (uint32_t i = 0; i < loop->ring_count; i++) ring[i] = loop->ring[(loop->ring_head + i) & (loop->ring_cap - 1)];
  asy_mem_free(vm, loop->ring, loop->ring_cap * sizeof *ring);
  loop->ring = ring;
  loop->ring_cap = cap;
  loop->ring_head = 0;
  return true;
}

static bool push_word(asy_vm *vm, asy_loop *loop, uintptr_t word) {
  if (loop->ring_count == loop->ring_cap && !grow_ring(vm, loop)) return false;
  loop->ring[(loop->ring_head + loop->ring_count++) & (loop->ring_cap - 1)] = word;
  if (word & TAG_HANDLE) asy_barrier(vm, loop);
  return true;
}

bool asy_loop_push_here(asy_vm *vm, asy_loop *loop, const asy_obj *entry) {
  return push_word(vm, loop, (uintptr_t)entry | (entry->kind == KIND_TASK ? 0 : TAG_HANDLE));
}

static uintptr_t pop_word(asy_loop *loop) {
  uintptr_t word = loop->ring[loop->ring_head];
  loop->ring_head = (loop->ring_head + 1) & (loop->ring_cap - 1);
  loop->ring_count--;
  return word;
}

static void free_ring(asy_vm *vm, asy_loop *loop) {
  asy_mem_free(vm, loop->ring, loop->ring_cap * sizeof *loop->ring);
  loop->ring = NULL;
  loop->ring_cap = loop->ring_head = loop->ring_count = 0;
}

/* Lets the gate choose which of the n oldest entries comes first (seeded replay of other orders). */
static void choose_order(asy_vm *vm, asy_loop *loop, uint32_t n) {
  uint32_t chosen = vm->gate.choose(vm->gate.context, n);
  if (!chosen || chosen >= n) return;
  uint32_t mask = loop->ring_cap - 1;
  uintptr_t word = loop->ring[(loop->ring_head + chosen) & mask];
  for (uint32_t i = chosen; i; i--)
    loop->ring[(loop->ring_head + i) & mask] = loop->ring[(loop->ring_head + i - 1) & mask];
  loop->ring[loop->ring_head] = word;
}

/* ---- Loops that are not ours ---------------------------------------------------------------------------------------- */

asy_value asy_loop_value(asy_loop *loop) { return loop->foreign ? loop->foreign : asy_from_obj(loop); }

asy_loop *asy_loop_of(asy_vm *vm, asy_value value) {
  if (asy_is_kind(value, KIND_LOOP)) return (asy_loop *)asy_obj_of(value);
  asy_loop_state *state = asy_loop_state_of(vm);
  if (!state) return NULL;
  for (uint32_t i = state->stand_ins ? state->stand_ins->len : 0; i; i--) {
    asy_loop *loop = (asy_loop *)asy_obj_of(state->stand_ins->items[i - 1]);
    if (loop->foreign == value) return loop;
  }
  if (!state->stand_ins) state->stand_ins = asy_list_new(vm, 4);
  asy_loop *loop = state->stand_ins ? asy_new_kind(vm, KIND_LOOP, sizeof *loop) : NULL;
  if (!loop) return NULL;
  asy_stack_init(vm, &loop->stack, NULL);
  loop->step_stack = &loop->stack;
  loop->foreign = value;
  loop->scripted = LOOP_CALL_SOON | LOOP_CALL_AT | LOOP_CREATE_TASK;
  return asy_list_append(vm, state->stand_ins, asy_from_obj(loop)) ? loop : NULL;
}

static asy_value step_entry(asy_vm *vm, const asy_value *args) {
  asy_obj *entry = asy_obj_of(args[0]);
  bool ok = entry->kind == KIND_TASK ? asy_task_step(vm, (asy_task *)entry) : asy_handle_run(vm, (asy_handle *)entry);
  return ok ? ASY_NONE : ASY_FAILED;
}
static const asy_native task_step = {"TaskStepMethWrapper", SIG("(self, /)"), step_entry, 0, 0};

/* loop.call_soon(callback[, arg], context=context); arg UNBOUND: none */
static bool call_its_call_soon(asy_vm *vm, asy_loop *loop, asy_value callback, asy_value arg, asy_value context) {
  asy_value method = asy_get_attr_cstr(vm, asy_loop_value(loop), "call_soon");
  if (asy_failed(method)) return false;
  asy_value args[] = {callback, arg, context};
  int n = arg == ASY_UNBOUND ? 1 : 2;
  args[n] = context;
  if (context == ASY_NONE) return !asy_failed(asy_call(vm, method, n, args));
  asy_value name = asy_from_cstr(vm, "context");
  asy_tuple *names = asy_failed(name) ? NULL : asy_tuple_new(vm, &name, 1);
  return names && !asy_failed(asy_call_kw(vm, method, n + 1, args, names));
}

bool asy_loop_push(asy_vm *vm, asy_loop *loop, const asy_obj *entry) {
  if (!(loop->scripted & LOOP_CALL_SOON)) return asy_loop_push_here(vm, loop, entry);
  asy_value callback = asy_new_native(vm, &task_step, asy_from_obj(entry), ASY_NONE);
  return !asy_failed(callback) && call_its_call_soon(vm, loop, callback, ASY_UNBOUND, ASY_NONE);
}

bool asy_loop_call_soon(asy_vm *vm, asy_loop *loop, asy_value callback, asy_value arg, asy_value context) {
  bool own = asy_is_native_future(callback) || asy_is_kind(callback, KIND_LOOP);
  if (!own && loop->scripted & LOOP_CALL_SOON) return call_its_call_soon(vm, loop, callback, arg, context);
  asy_handle *h = asy_handle_new(vm, KIND_HANDLE, loop, callback, arg, context);
  if (!h) return false;
  h->head.flags |= HANDLE_ONE_ARG;
  return asy_loop_push(vm, loop, &h->head);
}

int asy_loop_debug(asy_vm *vm, asy_loop *loop) {
  if (!loop->foreign) return loop->debug;
  asy_value debug = asy_call_method(vm, loop->foreign, asy_intern(vm, "get_debug"), 0, NULL);
  return asy_failed(debug) ? -1 : asy_truth(vm, debug);
}

/* Whether a class or an instance below ours has a method of its own in place of ours. */
static bool overrides(asy_vm *vm, asy_loop *loop, const char *name) {
  asy_str *key = asy_intern(vm, name);
  asy_value value, ours;
  if (!key || asy_find_attr(vm, asy_from_obj(vm->classes[KIND_LOOP]), key, &ours) != 1 ||
      asy_find_attr(vm, asy_from_obj(loop), key, &value) != 1) {
    asy_clear_exception(vm);
    return false;
  }
  if (asy_is_kind(value, KIND_METHOD)) value = ((asy_method *)asy_obj_of(value))->func;
  return !asy_is_kind(value, KIND_NATIVE) || !asy_is_kind(ours, KIND_NATIVE) ||
         ((asy_nativefunc *)asy_obj_of(value))->def != ((asy_nativefunc *)asy_obj_of(ours))->def;
}

void asy_loop_look(asy_vm *vm, asy_loop *loop) {
  static const struct {
    const char *name;
    uint8_t flag;
  } rows[] = {{"time", LOOP_TIME},
              {"_run_once", LOOP_RUN_ONCE},
              {"call_soon", LOOP_CALL_SOON},
              {"call_at", LOOP_CALL_AT},
              {"create_task", LOOP_CREATE_TASK}};
  if (loop->foreign) return;
  loop->scripted = 0;
  if (loop->head.shape == KIND_LOOP) return;
  for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
    if (overrides(vm, loop, rows[i].name)) loop->scripted |= rows[i].flag;
  asy_value selector;
  asy_str *name = asy_intern(vm, "_selector");
  if (name && asy_find_attr(vm, asy_from_obj(loop), name, &selector) == 1) loop->scripted |= LOOP_SELECTOR;
  asy_clear_exception(vm);
}

/* ---- Time ----------------------------------------------------------------------------------------------------------- */

/* The time of a loop that has a time() of its own; the clock's when that fails. */
static int64_t scripted_now(asy_vm *vm, asy_loop *loop) {
  asy_value time = asy_call_method(vm, asy_loop_value(loop), asy_intern(vm, "time"), 0, NULL);
  double seconds;
  int64_t ns;
  if (!asy_failed(time) && asy_to_double(vm, time, &seconds) && asy_seconds_to_ns(vm, seconds, &ns)) return ns;
  asy_clear_exception(vm);
  return vm->gate.monotonic_ns(vm->gate.context);
}

int64_t asy_loop_now(asy_vm *vm, asy_loop *loop) {
  bool scripted = loop->foreign || loop->scripted & LOOP_TIME;
  return loop->now = scripted ? scripted_now(vm, loop) : vm->gate.monotonic_ns(vm->gate.context);
}

bool asy_seconds_to_ns(asy_vm *vm, double seconds, int64_t *out) {
  if (isnan(seconds)) {
    asy_raise(vm, ASY_ValueError, "Invalid delay: NaN (not a number)");
    return false;
  }
  static const double LIMIT = 4e9; /* 127 years, whose nanoseconds fit with room for the clock */
  seconds = seconds > LIMIT ? LIMIT : seconds < -LIMIT ? -LIMIT : seconds;
  *out = (int64_t)llround(seconds * 1e9);
  return true;
}

/* Timers that are due become ready, in the order of their deadlines. */
static bool fire_timers(asy_vm *vm, asy_loop *loop) {
  while (loop->timers.count && loop->timers.entries[0].deadline <= loop->now) {
    asy_obj *owner = loop->timers.entries[0].owner;
    bool pushed;
    if (owner->kind == KIND_TASK) {
      pushed = push_word(vm, loop, (uintptr_t)owner | TAG_FIRED);
      if (pushed) ((asy_task *)owner)->waiting = 0;
    } else {
      pushed = asy_loop_push_here(vm, loop, owner);
      if (pushed) asy_timer_handle_unlink(vm, (asy_timer_handle *)owner);
    }
    if (!pushed) return false;
    asy_timers_remove(&loop->timers, 0);
  }
  return true;
}

/* ---- libuv ---------------------------------------------------------------------------------------------------------- */

static void on_wake(uv_async_t *wake) { (void)wake; /* the poll has ended: that is all */ }
/* libuv before 1.45 runs due timers first and then polls, for ever when no other timer is left: this ends the poll. */
static void on_timer(uv_timer_t *timer) { uv_stop(timer->loop); }

asy_uv *asy_loop_uv(asy_vm *vm, asy_loop *loop) {
  if (loop->uv) return loop->uv;
  asy_uv *uv = calloc(1, sizeof *uv);
  if (!uv) {
    asy_raise_no_memory(vm);
    return NULL;
  }
  int rc = uv_loop_init(&uv->loop);
  if (rc < 0) goto fail;
  rc = uv_async_init(&uv->loop, &uv->wake, on_wake);
  if (rc < 0) {
    uv_loop_close(&uv->loop);
    goto fail;
  }
  uv_timer_init(&uv->loop, &uv->timer);
  uv_unref((uv_handle_t *)&uv->wake); /* alive means: others than these two are */
  uv_unref((uv_handle_t *)&uv->timer);
  loop->uv = uv;
  return uv;

fail:
  free(uv);
  asy_raise_uv(vm, rc, "event loop");
  return NULL;
}

/* vm NULL: the heap is going away, other objects are not touched. */
static void stop_uv(asy_vm *vm, asy_loop *loop) {
  asy_uv *uv = loop->uv;
  if (!uv) return;
  loop->uv = NULL;
  uv_close((uv_handle_t *)&uv->timer, NULL);
  uv_close((uv_handle_t *)&uv->wake, NULL);
  asy_watches_close_all(vm, &uv->loop);
  if (!vm && uv->loop.active_reqs.count) return; /* a name is still being looked up, for a future that is gone */
  uv_run(&uv->loop, UV_RUN_DEFAULT);
  uv_loop_close(&uv->loop);
  free(uv->scratch);
  free(uv);
}

/* Something has to be done before the thread may wait. The stressed collector, which always has, does not count. */
static bool must_look_up(asy_vm *vm) { return vm->interrupt & ~(uint32_t)ASY_INTERRUPT_GC_STRESS; }

/* One poll that blocks. With several threads the wait is our own, without the VM's lock, and libuv only looks before and after. */
static void wait_for_uv(asy_vm *vm, asy_loop *loop) {
  uv_loop_t *uv = &loop->uv->loop;
  bool main = asy_thread_is_main(vm);
  if (main) vm->threads.main_poll = &loop->uv->wake;
  if (vm->threads.count == 1) {
    if (!must_look_up(vm)) uv_run(uv, UV_RUN_ONCE);
  } else {
    uv_run(uv, UV_RUN_NOWAIT); /* what was added since the last poll is watched from here on */
    if (!loop->ring_count && !must_look_up(vm)) {
      struct pollfd outside = {.fd = uv_backend_fd(uv), .events = POLLIN};
      int timeout = uv_backend_timeout(uv);
      asy_thread *self = asy_thread_release(vm);
      (void)poll(&outside, 1, timeout);
      asy_thread_acquire(vm, self);
      uv_run(uv, UV_RUN_NOWAIT);
    }
  }
  if (main) vm->threads.main_poll = NULL;
}

/* Whether something other than our own timers may wake the loop. */
static bool outside_is_alive(asy_vm *vm, const asy_loop *loop) {
  if ((loop->uv && uv_loop_alive(&loop->uv->loop)) || vm->threads.count > 1) return true;
  for (int i = 1; i < SIGNAL_COUNT; i++)
    if (i != SIGINT && vm->signals.handlers[i] && !asy_is_int(vm->signals.handlers[i])) return true;
  return false;
}

/* Nothing can ever become ready again: says who waits for whom, and ends the program. Always false. */
static bool end_deadlocked(asy_vm *vm, asy_loop *loop) {
  asy_value module = asy_import(vm, "asyncio._deadlock");
  asy_value report = asy_failed(module) ? ASY_FAILED : asy_get_attr_cstr(vm, module, "report");
  if (!asy_failed(report)) report = asy_call1(vm, report, asy_from_obj(loop));
  if (asy_failed(report)) asy_report_unraisable(vm, asy_from_obj(loop));
  asy_value status = asy_from_small(STATUS_DEADLOCK);
  asy_value end = asy_call1(vm, asy_from_obj(vm->exceptions[ASY_SystemExit]), status);
  if (!asy_failed(end)) asy_raise_value(vm, end);
  return false;
}

/* Waits until something happens or the first timer is due. */
static bool poll_blocking(asy_vm *vm, asy_loop *loop) {
  if (loop->ring_cap > RING_KEPT) free_ring(vm, loop);
  int64_t next = asy_timers_next(&loop->timers);
  if (next <= asy_loop_now(vm, loop)) return true;
  if (!outside_is_alive(vm, loop)) {
    if (next == INT64_MAX) return end_deadlocked(vm, loop);
    if (vm->gate.advance) { /* virtual time: nothing but the clock could end this wait */
      vm->gate.advance(vm->gate.context, next - loop->now);
      asy_loop_now(vm, loop);
      return true;
    }
  }
  asy_uv *uv = asy_loop_uv(vm, loop);
  if (!uv) return false;
  if (next != INT64_MAX) {
    uint64_t ms = ((uint64_t)(next - loop->now) + 999999) / 1000000;
    uv_update_time(&uv->loop);
    uv_timer_start(&uv->timer, on_timer, ms, 0);
  }
  uv_ref((uv_handle_t *)&uv->wake);
  asy_watchdog_idle(vm, true);
  if (!must_look_up(vm)) wait_for_uv(vm, loop);
  asy_watchdog_idle(vm, false);
  uv_unref((uv_handle_t *)&uv->wake);
  uv_timer_stop(&uv->timer);
  asy_loop_now(vm, loop);
  loop->polled = loop->now;
  loop->steps = 0;
  return true;
}

/* self._process_events(self._selector.select(timeout)): for loops whose class keeps a selector. */
static bool poll_selector(asy_vm *vm, asy_loop *loop) {
  int64_t next = loop->ring_count || loop->stopping ? 0 : asy_timers_next(&loop->timers);
  asy_value timeout = ASY_NONE, self = asy_from_obj(loop);
  if (next != INT64_MAX) {
    int64_t left = next ? next - asy_loop_now(vm, loop) : 0;
    timeout = left > 0 ? asy_from_double(vm, (double)left / 1e9) : asy_from_small(0);
  }
  asy_value selector = asy_get_attr_cstr(vm, self, "_selector");
  if (asy_failed(selector)) return false;
  asy_value events = asy_call_method(vm, selector, asy_intern(vm, "select"), 1, &timeout);
  if (asy_failed(events)) return false;
  if (asy_failed(asy_call_method(vm, self, asy_intern(vm, "_process_events"), 1, &events))) return false;
  asy_loop_now(vm, loop);
  return true;
}

/* The loop has work: looks at the outside only when enough steps or time have gone by. */
static void poll_in_passing(asy_vm *vm, asy_loop *loop) {
  if (loop->steps < POLL_STEPS) {
    if (++loop->turns % CLOCK_TURNS) return;
    if (asy_loop_now(vm, loop) - loop->polled < POLL_NS) return;
  }
  if (loop->uv && uv_loop_alive(&loop->uv->loop)) uv_run(&loop->uv->loop, UV_RUN_NOWAIT);
  asy_loop_now(vm, loop);
  loop->polled = loop->now;
  loop->steps = 0;
}

/* ---- Running -------------------------------------------------------------------------------------------------------- */

/* Debug mode: a step that took long is logged. */
static bool log_slow(asy_vm *vm, asy_loop *loop, asy_obj *entry, int64_t spent) {
  asy_value self = asy_from_obj(loop), limit = asy_get_attr_cstr(vm, self, "slow_callback_duration");
  double seconds = (double)spent / 1e9, least;
  if (asy_failed(limit) || !asy_to_double(vm, limit, &least)) return false;
  if (seconds < least) return true;
  asy_value args[] = {asy_from_obj(entry), asy_from_double(vm, seconds)};
  return !asy_failed(asy_call_method(vm, self, asy_intern(vm, "_log_slow"), 2, args));
}

static bool run_word(asy_vm *vm, asy_loop *loop, uintptr_t word) {
  asy_obj *entry = (asy_obj *)(word & ~TAG_MASK);
  if (word & TAG_FIRED) return asy_loop_push_here(vm, loop, entry);
  return word & TAG_HANDLE ? asy_handle_run(vm, (asy_handle *)entry) : asy_task_step(vm, (asy_task *)entry);
}

static __attribute__((noinline)) bool run_word_debugging(asy_vm *vm, asy_loop *loop, uintptr_t word) {
  asy_obj *entry = (asy_obj *)(word & ~TAG_MASK);
  asy_str *current = word & TAG_HANDLE && loop->head.shape != KIND_LOOP ? asy_intern(vm, "_current_handle") : NULL;
  int64_t start = asy_clock_ns(vm, ASY_CLOCK_MONOTONIC);
  if (current && !asy_set_attr(vm, asy_from_obj(loop), current, asy_from_obj(entry))) return false;
  bool ok = run_word(vm, loop, word);
  if (current && ok && !asy_set_attr(vm, asy_from_obj(loop), current, ASY_NONE)) return false;
  return ok && log_slow(vm, loop, entry, asy_clock_ns(vm, ASY_CLOCK_MONOTONIC) - start);
}

/* Runs what is ready now. false: an exception is pending that leaves the loop. */
static bool run_iteration(asy_vm *vm, asy_loop *loop) {
  uint32_t n = loop->ring_count;
  loop->steps += n;
  for (; n; n--) {
    if (__builtin_expect(vm->gate.choose != NULL, 0)) choose_order(vm, loop, n);
    uintptr_t word = pop_word(loop);
    vm->watchdog.beat++;
    bool ok = __builtin_expect(loop->debug, 0) ? run_word_debugging(vm, loop, word) : run_word(vm, loop, word);
    if (!ok) return false;
    if (vm->interrupt && !asy_handle_interrupt(vm)) return false;
  }
  return true;
}

bool asy_loop_run_once(asy_vm *vm, asy_loop *loop) {
  if (loop->scripted & LOOP_SELECTOR) {
    if (!poll_selector(vm, loop)) return false;
  } else if (loop->ring_count || loop->stopping) {
    poll_in_passing(vm, loop);
  } else if (!poll_blocking(vm, loop)) {
    return false;
  }
  if (vm->interrupt && !asy_handle_interrupt(vm)) return false;
  return fire_timers(vm, loop) && run_iteration(vm, loop);
}

static bool run_turns(asy_vm *vm, asy_loop *loop) {
  loop->polled = asy_loop_now(vm, loop);
  asy_value run_once = 0;
  if (loop->scripted & LOOP_RUN_ONCE) {
    run_once = asy_get_attr_cstr(vm, asy_from_obj(loop), "_run_once");
    if (asy_failed(run_once)) return false;
  }
  do {
    if (!(run_once ? !asy_failed(asy_call0(vm, run_once)) : asy_loop_run_once(vm, loop))) return false;
  } while (!loop->stopping);
  return true;
}

bool asy_loop_check_open(asy_vm *vm, const asy_loop *loop) {
  if (loop->closed) asy_raise(vm, ASY_RuntimeError, "Event loop is closed");
  return !loop->closed;
}

static bool check_not_running(asy_vm *vm, const asy_loop *loop) {
  if (!loop->running && !vm->running_loop) return true;
  asy_raise(
    vm, ASY_RuntimeError,
    loop->running ? "This event loop is already running" : "Cannot run the event loop while another loop is running");
  return false;
}

static asy_value remember_async_generator(asy_vm *vm, const asy_value *args);
static const asy_native firstiter_hook = {"_asyncgen_firstiter_hook", SIG("(self, agen, /)"), remember_async_generator,
                                          0, 0};

bool asy_loop_run_forever(asy_vm *vm, asy_loop *loop) {
  if (!asy_loop_state_of(vm) || !asy_loop_check_open(vm, loop) || !check_not_running(vm, loop)) return false;
  asy_loop_look(vm, loop);
  asy_value hooks[2] = {asy_new_native(vm, &firstiter_hook, asy_from_obj(loop), ASY_NONE), 0};
  if (asy_failed(hooks[0])) return false;
  if (loop->head.shape != KIND_LOOP) hooks[1] = asy_get_attr_cstr(vm, asy_from_obj(loop), "_asyncgen_finalizer_hook");
  if (asy_failed(hooks[1])) return false;
  asy_value outer_hooks[2] = {vm->async_gen_hooks[0], vm->async_gen_hooks[1]};
  asy_task *outer_task = vm->current_task;
  memcpy(vm->async_gen_hooks, hooks, sizeof hooks);
  vm->current_task = NULL;
  vm->running_loop = loop;
  loop->running = true;
  loop->origin_depth = vm->origin_depth;
  if (loop->debug) vm->origin_depth = ASY_DEBUG_ORIGIN_DEPTH;
  asy_watchdog_idle(vm, false);
  bool ok = run_turns(vm, loop);
  asy_watchdog_idle(vm, true);
  loop->running = loop->stopping = false;
  vm->origin_depth = loop->origin_depth;
  vm->running_loop = NULL;
  vm->current_task = outer_task;
  memcpy(vm->async_gen_hooks, outer_hooks, sizeof outer_hooks);
  return ok;
}

static bool add_stop_callback(asy_vm *vm, asy_loop *loop, asy_value future) {
  if (!asy_is_native_future(future)) {
    asy_value module = asy_import(vm, "asyncio.base_events");
    asy_value stop = asy_failed(module) ? ASY_FAILED : asy_get_attr_cstr(vm, module, "_run_until_complete_cb");
    return !asy_failed(stop) && !asy_failed(asy_call_method(vm, future, ASY_NAME(vm, add_done_callback), 1, &stop));
  }
  return asy_future_done(future) ? asy_loop_call_soon(vm, loop, asy_from_obj(loop), future, ASY_NONE)
                                 : asy_future_watch(vm, asy_future_of(future), asy_from_obj(loop));
}

asy_value asy_loop_run_until_complete(asy_vm *vm, asy_loop *loop, asy_value awaitable) {
  if (!asy_loop_check_open(vm, loop) || !check_not_running(vm, loop)) return ASY_FAILED;
  bool native = asy_is_native_future(awaitable), ours = !native;
  asy_value future = asy_ensure_future(vm, awaitable, loop);
  if (asy_failed(future)) return ASY_FAILED;
  native = asy_is_native_future(future);
  asy_future *f = native ? asy_future_of(future) : NULL;
  if (native && f->loop != loop)
    return asy_raise(vm, ASY_ValueError,
                     "The future belongs to a different loop than the one specified as the loop argument");
  if (!add_stop_callback(vm, loop, future)) return ASY_FAILED;
  bool ok = asy_loop_run_forever(vm, loop);
  if (!native) return ok ? asy_call_method(vm, future, asy_intern(vm, "result"), 0, NULL) : ASY_FAILED;
  bool done = asy_future_done(future);
  if (!ok) {
    if (ours && done) asy_future_retrieved(f); /* the exception is on its way already */
    else if (!done) asy_future_remove_callback(f, asy_from_obj(loop));
    return ASY_FAILED;
  }
  if (!done) {
    asy_future_remove_callback(f, asy_from_obj(loop));
    return asy_raise(vm, ASY_RuntimeError, "Event loop stopped before Future completed.");
  }
  return asy_future_result(vm, future);
}

/* ---- Errors nobody waits for ---------------------------------------------------------------------------------------- */

asy_value asy_loop_call_exception_handler(asy_vm *vm, asy_loop *loop, asy_dict *context) {
  asy_value argument = asy_from_obj(context);
  asy_value result = asy_call_method(vm, asy_loop_value(loop), asy_intern(vm, "call_exception_handler"), 1, &argument);
  if (!asy_failed(result)) return ASY_NONE;
  if (asy_raised_is(vm, ASY_SystemExit) || asy_raised_is(vm, ASY_KeyboardInterrupt)) return ASY_FAILED;
  asy_report_unraisable(vm, asy_loop_value(loop));
  return ASY_NONE;
}

void asy_loop_finish(asy_vm *vm) {
  asy_loop *loop = vm->current_loop;
  for (asy_task *task = loop ? loop->tasks : NULL; task; task = task->next) {
    asy_dict *context = asy_dict_new(vm, 2);
    asy_value message = asy_from_cstr(vm, "Task was destroyed but it is pending!");
    if (task->future.head.flags & TASK_QUIET) continue;
    if (!context || asy_failed(message) || !asy_dict_set_str(vm, context, asy_intern(vm, "message"), message) ||
        !asy_dict_set_str(vm, context, asy_intern(vm, "task"), asy_from_obj(task)) ||
        asy_failed(asy_loop_call_exception_handler(vm, loop, context))) {
      asy_clear_exception(vm);
      return;
    }
  }
}

uint32_t asy_tasks_made(asy_vm *vm) {
  return vm->loop_state ? vm->loop_state->task_number + vm->loop_state->tasks_named : 0;
}

/* ---- Loops ---------------------------------------------------------------------------------------------------------- */

asy_loop *asy_loop_running(asy_vm *vm) {
  if (vm->running_loop) return vm->running_loop;
  asy_raise(vm, ASY_RuntimeError, "no running event loop");
  return NULL;
}

asy_loop *asy_loop_current(asy_vm *vm) {
  if (vm->running_loop) return vm->running_loop;
  asy_value events = asy_import(vm, "asyncio.events");
  asy_value get = asy_failed(events) ? ASY_FAILED : asy_get_attr_cstr(vm, events, "get_event_loop");
  asy_value loop = asy_failed(get) ? ASY_FAILED : asy_call0(vm, get);
  return asy_failed(loop) ? NULL : asy_loop_of(vm, loop);
}

void asy_loop_close(asy_vm *vm, asy_loop *loop) {
  loop->closed = true;
  while (loop->handles) {
    asy_timers_remove(&loop->timers, loop->handles->index);
    asy_timer_handle_unlink(vm, loop->handles);
  }
  free_ring(vm, loop);
  stop_uv(vm, loop);
}

void asy_loop_visit(asy_obj *o, asy_visitor *v) {
  asy_loop *loop = (asy_loop *)o;
  for (uint32_t i = 0; i < loop->ring_count; i++) {
    uintptr_t word = loop->ring[(loop->ring_head + i) & (loop->ring_cap - 1)];
    if (word & TAG_HANDLE) asy_visit_obj(v, (asy_obj *)(word & ~TAG_MASK)); /* tasks hang on the list */
  }
  asy_visit_obj(v, loop->tasks);
  asy_visit_obj(v, loop->handles);
  asy_visit_value(v, loop->task_factory);
  asy_visit_value(v, loop->foreign);
  asy_visit_obj(v, loop->async_generators);
}

void asy_loop_free(asy_vm *vm, asy_obj *o) {
  asy_loop *loop = (asy_loop *)o;
  stop_uv(NULL, loop);
  free_ring(vm, loop);
  asy_timers_free(vm, &loop->timers);
}

asy_value asy_loop_ready(asy_vm *vm, asy_loop *loop) {
  asy_list *list = asy_list_new(vm, loop->ring_count);
  for (uint32_t i = 0; list && i < loop->ring_count; i++) {
    uintptr_t word = loop->ring[(loop->ring_head + i) & (loop->ring_cap - 1)];
    if (!asy_list_append(vm, list, asy_from_obj((asy_obj *)(word & ~TAG_MASK)))) return ASY_FAILED;
  }
  return list ? asy_from_obj(list) : ASY_FAILED;
}

/* ---- Async generators: known to the loop that iterates them, as long as they live ------------------------------------ */

static bool is_open(asy_value ref) {
  asy_value agen = asy_weakref_get(ref);
  return agen != ASY_NONE && ((asy_gen *)asy_obj_of(agen))->state != GEN_CLOSED;
}

static asy_value remember_async_generator(asy_vm *vm, const asy_value *args) {
  asy_loop *loop = (asy_loop *)asy_obj_of(args[0]);
  if (loop->async_generators_ended && loop->head.shape != KIND_LOOP) {
    asy_value told = asy_call_method(vm, args[0], asy_intern(vm, "_asyncgen_late"), 1, args + 1);
    if (asy_failed(told)) return told;
  }
  asy_list *list = loop->async_generators;
  if (!list) {
    list = asy_list_new(vm, 8);
    if (!list) return ASY_FAILED;
    loop->async_generators = list;
    asy_barrier(vm, loop);
  }
  if (list->len == list->cap) { /* before it grows, drop those that have ended */
    uint32_t kept = 0;
    for (uint32_t i = 0; i < list->len; i++)
      if (is_open(list->items[i])) list->items[kept++] = list->items[i];
    list->len = kept;
    asy_barrier(vm, list);
  }
  asy_value ref = asy_call1(vm, asy_from_obj(vm->classes[KIND_WEAKREF]), args[1]);
  return !asy_failed(ref) && asy_list_append(vm, list, ref) ? ASY_NONE : ASY_FAILED;
}

asy_value asy_loop_take_async_generators(asy_vm *vm, const asy_value *args) {
  asy_loop *loop = (asy_loop *)asy_obj_of(args[0]);
  asy_list *all = loop->async_generators, *open = asy_list_new(vm, 4);
  loop->async_generators = NULL;
  loop->async_generators_ended = true;
  for (uint32_t i = 0; open && all && i < all->len; i++)
    if (is_open(all->items[i]) && !asy_list_append(vm, open, asy_weakref_get(all->items[i]))) return ASY_FAILED;
  return open ? asy_from_obj(open) : ASY_FAILED;
}
