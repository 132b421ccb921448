/* loop.c - running what is ready, waiting for what is not. See loop.h. */
#include "runtime/loop.h"

#include <math.h>
#include <poll.h>
#include <stdlib.h>

#include "runtime/class.h"
#include "runtime/coro.h"
#include "runtime/exc.h"
#include "runtime/frame.h"
#include "runtime/gather.h"
#include "runtime/task.h"

enum {
#ifdef ASY_HOSTILE
  RING_LEAST = 2,
#else
  RING_LEAST = 64,
#endif
  RING_KEPT = 4096, /* a larger ring is given back when the loop goes to sleep */
  POLL_STEPS = 64,  /* steps between two polls of a loop that is never idle */
  CLOCK_TURNS = 4,  /* iterations between two looks at the clock in between */
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
  asy_visit_obj(v, state->current);
  asy_visit_obj(v, state->running);
  asy_visit_obj(v, state->interrupt_task);
  asy_visit_obj(v, vm->current_task);
}

void asy_loop_state_free(asy_vm *vm) {
  free(vm->loop_state);
  vm->loop_state = NULL;
}

bool asy_loop_take_interrupt(asy_vm *vm) {
  asy_loop_state *state = vm->loop_state;
  if (!state || !state->interrupt_task || state->interrupted) return false;
  if (asy_future_done(asy_from_obj(state->interrupt_task))) return false;
  state->interrupted = true;
  asy_value pending = asy_raised(vm) ? asy_take_exception(vm) : 0;
  if (asy_future_cancel(vm, &state->interrupt_task->future, 0) < 0) asy_clear_exception(vm);
  if (pending) asy_set_exception(vm, pending);
  return true;
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

bool asy_loop_push(asy_vm *vm, asy_loop *loop, const asy_obj *entry) {
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

/* ---- Handles -------------------------------------------------------------------------------------------------------- */

static asy_handle *handle_new(asy_vm *vm, unsigned kind, size_t size, asy_loop *loop, asy_value callback,
                              asy_value args, asy_value context) {
  asy_handle *h = asy_new_kind(vm, kind, size);
  if (!h) return NULL;
  h->callback = callback;
  h->args = args;
  h->context = context;
  h->loop = loop;
  return h;
}

bool asy_loop_call_soon(asy_vm *vm, asy_loop *loop, asy_value callback, asy_value arg, asy_value context) {
  asy_handle *h = handle_new(vm, KIND_HANDLE, sizeof *h, loop, callback, arg, context);
  if (!h) return false;
  h->head.flags |= HANDLE_ONE_ARG;
  return asy_loop_push(vm, loop, &h->head);
}

/* The future that run_until_complete waits for is done. */
static void stop_when_complete(asy_vm *vm, asy_loop *loop, asy_future *f) {
  if (f->head.flags & FUTURE_FAILED && (asy_is_instance(vm, f->result, vm->exceptions[ASY_SystemExit]) ||
                                        asy_is_instance(vm, f->result, vm->exceptions[ASY_KeyboardInterrupt])))
    return; /* it leaves the loop by itself */
  loop->stopping = true;
}

/* context.run(callback, *args), or callback(*args) */
static asy_value call_in_context(asy_vm *vm, asy_handle *h) {
  bool one = h->head.flags & HANDLE_ONE_ARG;
  asy_tuple *args = one ? NULL : (asy_tuple *)asy_obj_of(h->args);
  if (h->context == ASY_NONE)
    return one ? asy_call1(vm, h->callback, h->args) : asy_call(vm, h->callback, (int)args->len, args->items);
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

/* "name() at FILE:LINE": a callback in messages and reprs. NULL: an exception is set. */
static asy_str *callback_text(asy_vm *vm, asy_value callback) {
  asy_value name;
  int found = asy_find_attr(vm, callback, asy_intern(vm, "__qualname__"), &name);
  if (found < 0) return NULL;
  if (!found) return asy_str_format(vm, "%R()", callback);
  asy_value func = asy_is_kind(callback, KIND_METHOD) ? ((asy_method *)asy_obj_of(callback))->func : callback;
  if (!asy_is_kind(func, KIND_FUNCTION)) return asy_str_format(vm, "%S()", name);
  const asy_code *code = ((asy_func *)asy_obj_of(func))->code;
  return asy_str_format(vm, "%S() at %U:%d", name, code->filename, (int)code->first_line);
}

static bool report_callback(asy_vm *vm, asy_handle *h) {
  asy_value exception = asy_take_exception(vm);
  asy_dict *context = asy_dict_new(vm, 3);
  asy_str *callback = context ? callback_text(vm, h->callback) : NULL;
  asy_str *message = callback ? asy_str_format(vm, "Exception in callback %U", callback) : NULL;
  if (!message || !asy_dict_set_str(vm, context, asy_intern(vm, "message"), asy_from_obj(message)) ||
      !asy_dict_set_str(vm, context, asy_intern(vm, "exception"), exception) ||
      !asy_dict_set_str(vm, context, asy_intern(vm, "handle"), asy_from_obj(h)))
    return false;
  return !asy_failed(asy_loop_call_exception_handler(vm, h->loop, context));
}

/* false: an exception is pending that leaves the loop. */
static bool run_handle(asy_vm *vm, asy_handle *h) {
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
  return !leaves_loop(vm) && report_callback(vm, h);
}

static void unlink_timer_handle(asy_vm *vm, asy_timer_handle *t) {
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

static asy_timer_handle *call_at(asy_vm *vm, asy_loop *loop, int64_t deadline, asy_value callback, asy_value args,
                                 asy_value context) {
  asy_timer_handle *t = (asy_timer_handle *)handle_new(vm, KIND_TIMER_HANDLE, sizeof *t, loop, callback, args, context);
  if (!t) return NULL;
  t->deadline = deadline;
  t->index = UINT32_MAX;
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

/* ---- Time ----------------------------------------------------------------------------------------------------------- */

int64_t asy_loop_now(asy_vm *vm, asy_loop *loop) { return loop->now = vm->gate.monotonic_ns(vm->gate.context); }

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
      pushed = asy_loop_push(vm, loop, owner);
      if (pushed) unlink_timer_handle(vm, (asy_timer_handle *)owner);
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

void asy_loop_entered(asy_vm *vm, asy_uv *uv) {
  (void)vm;
  uv->released = NULL;
}

/* vm NULL: the heap is going away, other objects are not touched. */
static void stop_uv(asy_vm *vm, asy_loop *loop) {
  asy_uv *uv = loop->uv;
  if (!uv) return;
  loop->uv = NULL;
  uv_close((uv_handle_t *)&uv->timer, NULL);
  uv_close((uv_handle_t *)&uv->wake, NULL);
  asy_watches_close_all(vm, &uv->loop);
  uv_run(&uv->loop, UV_RUN_DEFAULT);
  uv_loop_close(&uv->loop);
  free(uv->scratch);
  free(uv);
}

/* One poll that blocks. With several threads the wait is our own, without the VM's lock, and libuv only looks before and after. */
static void wait_for_uv(asy_vm *vm, asy_loop *loop) {
  uv_loop_t *uv = &loop->uv->loop;
  bool main = asy_thread_is_main(vm);
  if (main) vm->threads.main_poll = &loop->uv->wake;
  if (vm->threads.count == 1) {
    if (!vm->interrupt) uv_run(uv, UV_RUN_ONCE);
  } else {
    uv_run(uv, UV_RUN_NOWAIT); /* what was added since the last poll is watched from here on */
    if (!loop->ring_count && !vm->interrupt) {
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

/* Waits until something happens or the first timer is due. */
static bool poll_blocking(asy_vm *vm, asy_loop *loop) {
  if (loop->ring_cap > RING_KEPT) free_ring(vm, loop);
  int64_t next = asy_timers_next(&loop->timers);
  if (next <= asy_loop_now(vm, loop)) return true;
  asy_uv *uv = asy_loop_uv(vm, loop);
  if (!uv) return false;
  if (next != INT64_MAX) {
    uint64_t ms = ((uint64_t)(next - loop->now) + 999999) / 1000000;
    uv_update_time(&uv->loop);
    uv_timer_start(&uv->timer, on_timer, ms, 0);
  }
  uv_ref((uv_handle_t *)&uv->wake);
  if (!vm->interrupt) wait_for_uv(vm, loop);
  uv_unref((uv_handle_t *)&uv->wake);
  uv_timer_stop(&uv->timer);
  asy_loop_now(vm, loop);
  loop->polled = loop->now;
  loop->steps = 0;
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

/* Runs what is ready now. false: an exception is pending that leaves the loop. */
static bool run_iteration(asy_vm *vm, asy_loop *loop) {
  uint32_t n = loop->ring_count;
  loop->steps += n;
  for (; n; n--) {
    if (__builtin_expect(vm->gate.choose != NULL, 0)) choose_order(vm, loop, n);
    uintptr_t word = pop_word(loop);
    asy_obj *entry = (asy_obj *)(word & ~TAG_MASK);
    bool ok;
    if (word & TAG_FIRED) ok = asy_loop_push(vm, loop, entry);
    else if (word & TAG_HANDLE) ok = run_handle(vm, (asy_handle *)entry);
    else ok = asy_task_step(vm, (asy_task *)entry);
    if (!ok) return false;
    if (vm->interrupt && !asy_handle_interrupt(vm)) return false;
  }
  return true;
}

static bool run_turns(asy_vm *vm, asy_loop *loop) {
  loop->polled = asy_loop_now(vm, loop);
  for (;;) {
    if (loop->ring_count || loop->stopping) poll_in_passing(vm, loop);
    else if (!poll_blocking(vm, loop)) return false;
    if (vm->interrupt && !asy_handle_interrupt(vm)) return false;
    if (!fire_timers(vm, loop)) return false;
    if (!run_iteration(vm, loop)) return false;
    if (loop->stopping) break;
  }
  loop->stopping = false;
  return true;
}

static bool check_closed(asy_vm *vm, const asy_loop *loop) {
  if (loop->closed) asy_raise(vm, ASY_RuntimeError, "Event loop is closed");
  return !loop->closed;
}

static asy_value remember_async_generator(asy_vm *vm, const asy_value *args);
static const asy_native firstiter_hook = {"_asyncgen_firstiter_hook", "(self, agen, /)", remember_async_generator, NULL,
                                          0};

static bool run_forever(asy_vm *vm, asy_loop *loop) {
  asy_loop_state *state = asy_loop_state_of(vm);
  if (!state || !check_closed(vm, loop)) return false;
  if (loop->running) {
    asy_raise(vm, ASY_RuntimeError, "This event loop is already running");
    return false;
  }
  if (state->running) {
    asy_raise(vm, ASY_RuntimeError, "Cannot run the event loop while another loop is running");
    return false;
  }
  asy_value hook = asy_new_native(vm, &firstiter_hook, asy_from_obj(loop), ASY_NONE);
  if (asy_failed(hook)) return false;
  asy_value outer_hook = vm->async_gen_hooks[0];
  asy_task *outer_task = vm->current_task;
  vm->async_gen_hooks[0] = hook;
  vm->current_task = NULL;
  state->running = loop;
  loop->running = true;
  bool ok = run_turns(vm, loop);
  loop->running = loop->stopping = false;
  state->running = NULL;
  vm->current_task = outer_task;
  vm->async_gen_hooks[0] = outer_hook;
  return ok;
}

static asy_value run_until_complete(asy_vm *vm, asy_loop *loop, asy_value awaitable) {
  if (!check_closed(vm, loop)) return ASY_FAILED;
  if (loop->running) return asy_raise(vm, ASY_RuntimeError, "This event loop is already running");
  bool ours = !asy_is_native_future(awaitable);
  asy_value future = asy_ensure_future(vm, awaitable, loop);
  if (asy_failed(future)) return ASY_FAILED;
  asy_future *f = asy_future_of(future);
  if (f->loop != loop)
    return asy_raise(vm, ASY_ValueError,
                     "The future belongs to a different loop than the one specified as the loop argument");
  bool added = asy_future_done(future) ? asy_loop_call_soon(vm, loop, asy_from_obj(loop), future, ASY_NONE)
                                       : asy_future_add_callback(vm, f, asy_from_obj(loop), ASY_NONE);
  if (!added) return ASY_FAILED;
  bool ok = run_forever(vm, loop);
  if (!ok && ours && asy_future_done(future)) asy_cancel_finalizer(f); /* the exception is on its way already */
  if (!ok) return ASY_FAILED;
  if (!asy_future_done(future)) return asy_raise(vm, ASY_RuntimeError, "Event loop stopped before Future completed.");
  return asy_future_result(vm, future);
}

/* ---- Errors nobody waits for ---------------------------------------------------------------------------------------- */

static bool write_error(asy_vm *vm, asy_str *text) {
  asy_value argument = asy_from_obj(text);
  return !vm->stderr_file || !asy_failed(asy_call_method(vm, vm->stderr_file, ASY_NAME(vm, write), 1, &argument));
}

static int by_text(const void *a, const void *b) {
  return asy_str_compare((asy_str *)asy_obj_of(*(const asy_value *)a), (asy_str *)asy_obj_of(*(const asy_value *)b));
}

/* "message\nkey: value\n.." with the keys in order. NULL failed. */
static asy_str *describe(asy_vm *vm, asy_dict *context, asy_value message) {
  asy_list *keys = asy_list_new(vm, context->used);
  asy_value key, value;
  for (uint32_t i = 0; keys && asy_dict_next(context, &i, &key, &value);)
    if (asy_is_str(key) && !asy_list_append(vm, keys, key)) return NULL;
  if (!keys) return NULL;
  if (keys->len) qsort(keys->items, keys->len, sizeof *keys->items, by_text);
  asy_text t;
  asy_text_init(&t, vm);
  asy_value text = asy_str_of(vm, message);
  if (asy_failed(text)) return NULL;
  asy_text_str(&t, (asy_str *)asy_obj_of(text));
  asy_text_ascii(&t, "\n");
  for (uint32_t i = 0; i < keys->len; i++) {
    asy_str *name = (asy_str *)asy_obj_of(keys->items[i]);
    if (asy_str_equal_cstr(name, "message") || asy_str_equal_cstr(name, "exception")) continue;
    if (asy_dict_get(vm, context, keys->items[i], &value) != 1) continue;
    asy_text_str(&t, name);
    asy_text_ascii(&t, ": ");
    if (asy_str_equal_cstr(name, "task created at") && asy_is_str(value))
      asy_text_str(&t, (asy_str *)asy_obj_of(value));
    else asy_text_repr_of(&t, value);
    asy_text_ascii(&t, "\n");
  }
  return asy_text_finish(&t);
}

static asy_value default_exception_handler(asy_vm *vm, asy_dict *context) {
  asy_value message, exception;
  int found = asy_dict_get(vm, context, asy_from_obj(asy_intern(vm, "message")), &message);
  if (found < 0) return ASY_FAILED;
  if (!found) message = asy_from_cstr(vm, "Unhandled exception in event loop");
  if (asy_failed(message)) return ASY_FAILED;
  asy_str *text = describe(vm, context, message);
  if (!text || !write_error(vm, text)) return ASY_FAILED;
  found = asy_dict_get(vm, context, asy_from_obj(asy_intern(vm, "exception")), &exception);
  if (found < 0) return ASY_FAILED;
  if (found && asy_is_kind(exception, KIND_EXCEPTION)) asy_print_exception(vm, exception);
  return ASY_NONE;
}

asy_value asy_loop_call_exception_handler(asy_vm *vm, asy_loop *loop, asy_dict *context) {
  if (!loop->exception_handler) {
    if (!asy_failed(default_exception_handler(vm, context))) return ASY_NONE;
  } else {
    asy_value result = asy_call2(vm, loop->exception_handler, asy_from_obj(loop), asy_from_obj(context));
    if (!asy_failed(result)) return ASY_NONE;
  }
  if (leaves_loop(vm)) return ASY_FAILED;
  asy_report_unraisable(vm, loop->exception_handler ? loop->exception_handler : asy_from_obj(loop));
  return ASY_NONE;
}

void asy_loop_finish(asy_vm *vm) {
  asy_loop *loop = vm->loop_state ? vm->loop_state->current : NULL;
  for (asy_task *task = loop ? loop->tasks : NULL; task; task = task->next) {
    asy_dict *context = asy_dict_new(vm, 2);
    asy_value message = asy_from_cstr(vm, "Task was destroyed but it is pending!");
    if (!context || asy_failed(message) || !asy_dict_set_str(vm, context, asy_intern(vm, "message"), message) ||
        !asy_dict_set_str(vm, context, asy_intern(vm, "task"), asy_from_obj(task)) ||
        asy_failed(asy_loop_call_exception_handler(vm, loop, context))) {
      asy_clear_exception(vm);
      return;
    }
  }
}

/* ---- Loops ---------------------------------------------------------------------------------------------------------- */

asy_loop *asy_loop_new(asy_vm *vm) {
  if (!asy_loop_state_of(vm)) return NULL;
  asy_loop *loop = asy_new_kind(vm, KIND_LOOP, sizeof *loop);
  if (loop) asy_stack_init(vm, &loop->stack, NULL);
  return loop;
}

asy_loop *asy_loop_running(asy_vm *vm) {
  if (vm->loop_state && vm->loop_state->running) return vm->loop_state->running;
  asy_raise(vm, ASY_RuntimeError, "no running event loop");
  return NULL;
}

asy_loop *asy_loop_current(asy_vm *vm) {
  asy_loop_state *state = asy_loop_state_of(vm);
  if (!state) return NULL;
  if (state->running) return state->running;
  if (!state->current) state->current = asy_loop_new(vm);
  return state->current;
}

static void loop_visit(asy_obj *o, asy_visitor *v) {
  asy_loop *loop = (asy_loop *)o;
  for (uint32_t i = 0; i < loop->ring_count; i++) {
    uintptr_t word = loop->ring[(loop->ring_head + i) & (loop->ring_cap - 1)];
    if (word & TAG_HANDLE) asy_visit_obj(v, (asy_obj *)(word & ~TAG_MASK)); /* tasks hang on the list */
  }
  asy_visit_obj(v, loop->tasks);
  asy_visit_obj(v, loop->handles);
  asy_visit_value(v, loop->exception_handler);
  asy_visit_value(v, loop->task_factory);
  asy_visit_value(v, loop->failure);
  asy_visit_obj(v, loop->async_generators);
}

static void loop_free(asy_vm *vm, asy_obj *o) {
  asy_loop *loop = (asy_loop *)o;
  stop_uv(NULL, loop);
  free_ring(vm, loop);
  asy_timers_free(vm, &loop->timers);
}

static asy_loop *self_of(const asy_value *args) { return (asy_loop *)asy_obj_of(args[0]); }

static asy_value loop_make(asy_vm *vm, const asy_value *args) {
  asy_loop *loop = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  if (!loop || !asy_loop_state_of(vm)) return ASY_FAILED;
  asy_stack_init(vm, &loop->stack, NULL);
  return asy_from_obj(loop);
}

static asy_value loop_repr(asy_vm *vm, asy_value self) {
  asy_loop *loop = (asy_loop *)asy_obj_of(self);
  static const char *const words[] = {"False", "True"};
  asy_str *text = asy_str_format(vm, "<%U running=%s closed=%s debug=%s>", asy_type_of(vm, self)->name,
                                 words[loop->running], words[loop->closed], words[loop->debug]);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

static asy_value loop_run_forever(asy_vm *vm, const asy_value *args) {
  return run_forever(vm, self_of(args)) ? ASY_NONE : ASY_FAILED;
}

static asy_value loop_run_until_complete(asy_vm *vm, const asy_value *args) {
  return run_until_complete(vm, self_of(args), args[1]);
}

static asy_value loop_stop(asy_vm *vm, const asy_value *args) {
  self_of(args)->stopping = true;
  return ASY_NONE;
}

static asy_value loop_close(asy_vm *vm, const asy_value *args) {
  asy_loop *loop = self_of(args);
  if (loop->running) return asy_raise(vm, ASY_RuntimeError, "Cannot close a running event loop");
  if (loop->closed) return ASY_NONE;
  loop->closed = true;
  while (loop->handles) {
    asy_timers_remove(&loop->timers, loop->handles->index);
    unlink_timer_handle(vm, loop->handles);
  }
  free_ring(vm, loop);
  stop_uv(vm, loop);
  return ASY_NONE;
}

static asy_value loop_is_running(asy_vm *vm, const asy_value *args) { return asy_from_bool(self_of(args)->running); }
static asy_value loop_is_closed(asy_vm *vm, const asy_value *args) { return asy_from_bool(self_of(args)->closed); }
static asy_value loop_get_debug(asy_vm *vm, const asy_value *args) { return asy_from_bool(self_of(args)->debug); }

static asy_value loop_set_debug(asy_vm *vm, const asy_value *args) {
  int on = asy_truth(vm, args[1]);
  if (on < 0) return ASY_FAILED;
  self_of(args)->debug = on;
  return ASY_NONE;
}

static asy_value loop_time(asy_vm *vm, const asy_value *args) {
  return asy_from_double(vm, (double)asy_loop_now(vm, self_of(args)) / 1e9);
}

static bool check_callback(asy_vm *vm, asy_value callback, const char *method) {
  if (asy_callable(vm, callback)) return true;
  if (asy_is_kind(callback, KIND_COROUTINE))
    asy_raise(vm, ASY_TypeError, "coroutines cannot be used with %s()", method);
  else asy_raise(vm, ASY_TypeError, "a callable object was expected by %s(), got %R", method, callback);
  return false;
}

static asy_value soon(asy_vm *vm, const asy_value *args, const char *method) {
  asy_loop *loop = self_of(args);
  if (!check_closed(vm, loop) || !check_callback(vm, args[1], method)) return ASY_FAILED;
  asy_handle *h = handle_new(vm, KIND_HANDLE, sizeof *h, loop, args[1], args[2], args[3]);
  return h && asy_loop_push(vm, loop, &h->head) ? asy_from_obj(h) : ASY_FAILED;
}

static asy_value loop_call_soon(asy_vm *vm, const asy_value *args) { return soon(vm, args, "call_soon"); }

static asy_value loop_call_soon_threadsafe(asy_vm *vm, const asy_value *args) {
  asy_value handle = soon(vm, args, "call_soon_threadsafe");
  asy_uv *uv = self_of(args)->uv;
  if (!asy_failed(handle) && uv) uv_async_send(&uv->wake);
  return handle;
}

static asy_value at(asy_vm *vm, const asy_value *args, int64_t deadline, const char *method) {
  asy_loop *loop = self_of(args);
  if (!check_closed(vm, loop) || !check_callback(vm, args[2], method)) return ASY_FAILED;
  asy_timer_handle *t = call_at(vm, loop, deadline, args[2], args[3], args[4]);
  return t ? asy_from_obj(t) : ASY_FAILED;
}

static asy_value loop_call_later(asy_vm *vm, const asy_value *args) {
  if (args[1] == ASY_NONE) return asy_raise(vm, ASY_TypeError, "delay must not be None");
  double delay;
  int64_t ns;
  if (!asy_to_double(vm, args[1], &delay) || !asy_seconds_to_ns(vm, delay, &ns)) return ASY_FAILED;
  return at(vm, args, asy_loop_now(vm, self_of(args)) + ns, "call_later");
}

static asy_value loop_call_at(asy_vm *vm, const asy_value *args) {
  if (args[1] == ASY_NONE) return asy_raise(vm, ASY_TypeError, "when cannot be None");
  double when;
  int64_t ns;
  if (!asy_to_double(vm, args[1], &when) || !asy_seconds_to_ns(vm, when, &ns)) return ASY_FAILED;
  return at(vm, args, ns, "call_at");
}

static asy_value loop_create_future(asy_vm *vm, const asy_value *args) {
  asy_future *f = asy_future_new(vm, self_of(args));
  return f ? asy_from_obj(f) : ASY_FAILED;
}

static asy_value loop_create_task(asy_vm *vm, const asy_value *args) {
  asy_loop *loop = self_of(args);
  asy_value name = args[2], context = args[3];
  if (!check_closed(vm, loop)) return ASY_FAILED;
  if (!loop->task_factory) {
    asy_task *task = asy_task_new(vm, loop, args[1], name == ASY_NONE ? 0 : name, context == ASY_NONE ? 0 : context);
    return task ? asy_from_obj(task) : ASY_FAILED;
  }
  asy_value task;
  if (context == ASY_NONE) {
    task = asy_call2(vm, loop->task_factory, args[0], args[1]);
  } else {
    asy_value with[3] = {args[0], args[1], context};
    asy_value keyword = asy_from_cstr(vm, "context");
    asy_tuple *names = asy_failed(keyword) ? NULL : asy_tuple_new(vm, &keyword, 1);
    task = names ? asy_call_kw(vm, loop->task_factory, 3, with, names) : ASY_FAILED;
  }
  if (asy_failed(task) || name == ASY_NONE) return task;
  asy_str *set_name = asy_intern(vm, "set_name");
  return set_name && !asy_failed(asy_call_method(vm, task, set_name, 1, &name)) ? task : ASY_FAILED;
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

static asy_value loop_set_exception_handler(asy_vm *vm, const asy_value *args) {
  if (args[1] != ASY_NONE && !asy_callable(vm, args[1]))
    return asy_raise(vm, ASY_TypeError, "A callable object or None is expected, got %R", args[1]);
  asy_store(vm, self_of(args), &self_of(args)->exception_handler, args[1] == ASY_NONE ? 0 : args[1]);
  return ASY_NONE;
}

static asy_value loop_get_exception_handler(asy_vm *vm, const asy_value *args) {
  return self_of(args)->exception_handler ? self_of(args)->exception_handler : ASY_NONE;
}

static asy_dict *context_of(asy_vm *vm, asy_value context) {
  if (asy_is_kind(context, KIND_DICT)) return (asy_dict *)asy_obj_of(context);
  asy_raise(vm, ASY_TypeError, "context must be a dict, not '%T'", context);
  return NULL;
}

static asy_value loop_call_exception_handler(asy_vm *vm, const asy_value *args) {
  asy_dict *context = context_of(vm, args[1]);
  return context ? asy_loop_call_exception_handler(vm, self_of(args), context) : ASY_FAILED;
}

static asy_value loop_default_exception_handler(asy_vm *vm, const asy_value *args) {
  asy_dict *context = context_of(vm, args[1]);
  return context ? default_exception_handler(vm, context) : ASY_FAILED;
}

/* ---- Async generators: closed at the end of asyncio.run ------------------------------------------------------------- */

static asy_value remember_async_generator(asy_vm *vm, const asy_value *args) {
  asy_loop *loop = self_of(args);
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
      if (((asy_gen *)asy_obj_of(list->items[i]))->state != GEN_CLOSED) list->items[kept++] = list->items[i];
    list->len = kept;
    asy_barrier(vm, list);
  }
  return asy_list_append(vm, list, args[1]) ? ASY_NONE : ASY_FAILED;
}

static asy_value done_future(asy_vm *vm, asy_loop *loop) {
  asy_future *f = asy_future_new(vm, loop);
  return f && asy_future_set_result(vm, f, ASY_NONE) ? asy_from_obj(f) : ASY_FAILED;
}

/* An awaitable that closes every async generator still suspended. */
static asy_value loop_shutdown_asyncgens(asy_vm *vm, const asy_value *args) {
  asy_loop *loop = self_of(args);
  asy_list *list = loop->async_generators;
  loop->async_generators = NULL;
  asy_list *closing = asy_list_new(vm, 4);
  asy_str *aclose = asy_intern(vm, "aclose");
  if (!closing || !aclose) return ASY_FAILED;
  for (uint32_t i = 0; list && i < list->len; i++) {
    if (((asy_gen *)asy_obj_of(list->items[i]))->state == GEN_CLOSED) continue;
    asy_value step = asy_call_method(vm, list->items[i], aclose, 0, NULL);
    asy_value future = asy_failed(step) ? ASY_FAILED : asy_ensure_future(vm, step, loop);
    if (asy_failed(future) || !asy_list_append(vm, closing, future)) return ASY_FAILED;
  }
  if (!closing->len) return done_future(vm, loop);
  asy_tuple *all = asy_list_to_tuple(vm, closing);
  return all ? asy_gather_new(vm, all->items, all->len, true) : ASY_FAILED;
}

static asy_value loop_shutdown_default_executor(asy_vm *vm, const asy_value *args) {
  return done_future(vm, self_of(args));
}

static const asy_native loop_methods[] = {
  {"run_forever", "(self, /)", loop_run_forever, "Run until stop() is called.", 0},
  {"run_until_complete", "(self, future, /)", loop_run_until_complete, "Run until the future is done; its result.", 0},
  {"stop", "(self, /)", loop_stop, "Stop at the end of this iteration.", 0},
  {"close", "(self, /)", loop_close, "Release what the loop holds; it cannot run again.", 0},
  {"is_running", "(self, /)", loop_is_running, "Whether it runs.", 0},
  {"is_closed", "(self, /)", loop_is_closed, "Whether it was closed.", 0},
  {"time", "(self, /)", loop_time, "The loop's clock, in seconds.", 0},
  {"call_soon", "(self, callback, /, *args, context=None)", loop_call_soon, "Call in the next iteration.", 0},
  {"call_soon_threadsafe", "(self, callback, /, *args, context=None)", loop_call_soon_threadsafe,
   "call_soon() from another thread.", 0},
  {"call_later", "(self, delay, callback, /, *args, context=None)", loop_call_later, "Call after delay seconds.", 0},
  {"call_at", "(self, when, callback, /, *args, context=None)", loop_call_at, "Call at a time of the loop's clock.", 0},
  {"create_future", "(self, /)", loop_create_future, "A new future of this loop.", 0},
  {"create_task", "(self, coro, /, *, name=None, context=None)", loop_create_task, "Run a coroutine as a task.", 0},
  {"set_task_factory", "(self, factory, /)", loop_set_task_factory, "Let factory(loop, coro) make the tasks.", 0},
  {"get_task_factory", "(self, /)", loop_get_task_factory, "The task factory, or None.", 0},
  {"set_exception_handler", "(self, handler, /)", loop_set_exception_handler,
   "Call handler(loop, context) for lost errors.", 0},
  {"get_exception_handler", "(self, /)", loop_get_exception_handler, "The exception handler, or None.", 0},
  {"call_exception_handler", "(self, context, /)", loop_call_exception_handler, "Report a lost error.", 0},
  {"default_exception_handler", "(self, context, /)", loop_default_exception_handler, "Write a lost error to stderr.",
   0},
  {"get_debug", "(self, /)", loop_get_debug, "Whether debug mode is on.", 0},
  {"set_debug", "(self, enabled, /)", loop_set_debug, "Turn debug mode on or off.", 0},
  {"shutdown_asyncgens", "(self, /)", loop_shutdown_asyncgens, "Close all async generators; to be awaited.", 0},
  {"shutdown_default_executor", "(self, timeout=None)", loop_shutdown_default_executor, "Nothing to do; to be awaited.",
   0},
  {0},
};

const asy_type asy_loop_type = {
  .name = "asyncio.EventLoop",
  .doc = "Runs tasks and callbacks.",
  .size = sizeof(asy_loop),
  .visit = loop_visit,
  .free = loop_free,
  .new_ = loop_make,
  .new_signature = "(cls, *args, **kwargs)",
  .repr = loop_repr,
  .methods = loop_methods,
};

/* ---- Handles from the Python side ----------------------------------------------------------------------------------- */

static void handle_visit(asy_obj *o, asy_visitor *v) {
  asy_handle *h = (asy_handle *)o;
  asy_visit_value(v, h->callback);
  asy_visit_value(v, h->args);
  asy_visit_value(v, h->context);
  asy_visit_obj(v, h->loop);
  if (o->kind != KIND_TIMER_HANDLE) return;
  asy_visit_obj(v, ((asy_timer_handle *)o)->prev);
  asy_visit_obj(v, ((asy_timer_handle *)o)->next);
}

static asy_value handle_cancel(asy_vm *vm, const asy_value *args) {
  asy_handle *h = (asy_handle *)asy_obj_of(args[0]);
  if (h->head.flags & HANDLE_CANCELLED) return ASY_NONE;
  h->head.flags = HANDLE_CANCELLED;
  h->callback = h->args = ASY_NONE;
  if (h->head.kind != KIND_TIMER_HANDLE) return ASY_NONE;
  asy_timer_handle *t = (asy_timer_handle *)h;
  if (t->index == UINT32_MAX) return ASY_NONE;
  asy_timers_remove(&h->loop->timers, t->index);
  unlink_timer_handle(vm, t);
  return ASY_NONE;
}

static asy_value handle_cancelled(asy_vm *vm, const asy_value *args) {
  return asy_from_bool(asy_obj_of(args[0])->flags & HANDLE_CANCELLED);
}

static asy_value handle_when(asy_vm *vm, const asy_value *args) {
  return asy_from_double(vm, (double)((asy_timer_handle *)asy_obj_of(args[0]))->deadline / 1e9);
}

static asy_value handle_repr(asy_vm *vm, asy_value self) {
  asy_handle *h = (asy_handle *)asy_obj_of(self);
  asy_text t;
  asy_text_init(&t, vm);
  asy_text_ascii(&t, "<");
  asy_text_str(&t, asy_type_of(vm, self)->name);
  bool cancelled = h->head.flags & HANDLE_CANCELLED;
  if (cancelled) asy_text_ascii(&t, " cancelled");
  if (h->head.kind == KIND_TIMER_HANDLE) {
    asy_text_ascii(&t, " when=");
    asy_text_repr_of(&t, handle_when(vm, &self));
  }
  if (!cancelled) {
    asy_text_ascii(&t, " ");
    asy_text_callback(vm, &t, h->callback);
  }
  asy_text_ascii(&t, ">");
  asy_str *text = asy_text_finish(&t);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

static const asy_native handle_methods[] = {
  {"cancel", "(self, /)", handle_cancel, "The callback will not be called.", 0},
  {"cancelled", "(self, /)", handle_cancelled, "Whether it was cancelled.", 0},
  {0},
};

static const asy_native timer_handle_methods[] = {
  {"when", "(self, /)", handle_when, "When the callback is due, by the loop's clock.", 0},
  {0},
};

const asy_type asy_handle_type = {
  .name = "asyncio.events.Handle",
  .size = sizeof(asy_handle),
  .flags = ASY_TYPE_NO_NEW,
  .visit = handle_visit,
  .repr = handle_repr,
  .methods = handle_methods,
};

const asy_type asy_timer_handle_type = {
  .name = "asyncio.events.TimerHandle",
  .base = &asy_handle_type,
  .size = sizeof(asy_timer_handle),
  .flags = ASY_TYPE_NO_NEW,
  .visit = handle_visit,
  .repr = handle_repr,
  .methods = timer_handle_methods,
};
