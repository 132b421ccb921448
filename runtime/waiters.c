/* waiters.c - the tasks that wait for a lock, an event, a place in a queue: _asyncio._Waiters, first in, first out.
 * A task waits here itself, parked, without a future; woken, it counts until it runs, because the places of those who were woken
 * are taken. A coroutine that is driven by hand cannot be parked: it adds a future and awaits that.
 *
 *   entries  ring of [task][future][0][task]     0: cancelled meanwhile
 *             ^ first, number `seq`              a parked task's `result` is its number: cancelling finds its entry at once
 *
 * Must stay true: a task with a number in `result` and us in `waiting` stands in its entry; `woken` counts those taken out that
 * have not run; one that is cancelled after it was woken is counted in `lost`, and whoever handles the cancellation takes it.
 */
#include "runtime/class.h"
#include "runtime/coro.h"
#include "runtime/loop.h"
#include "runtime/task.h"

enum { LEAST = 4 };

typedef struct {
  asy_obj head;
  asy_value *entries; /* owned */
  uint32_t cap;       /* a power of two, or 0 */
  uint32_t first;     /* index of the oldest */
  uint32_t count;     /* entries, cancelled ones too */
  uint32_t waiting;   /* of these, not cancelled as far as known */
  uint32_t futures;   /* of these, futures, which may be done without our knowing */
  uint32_t woken, lost;
  int64_t seq;     /* number of the oldest entry */
  asy_value owner; /* the lock or queue: what the tasks wait for as others see it */
} waiters;

static waiters *self_of(const asy_value *args) { return (waiters *)asy_obj_of(args[0]); }
static asy_value *entry(waiters *w, uint32_t i) { return &w->entries[(w->first + i) & (w->cap - 1)]; }

static bool push(asy_vm *vm, waiters *w, asy_value value) {
  if (w->count == w->cap) {
    uint32_t cap = w->cap ? w->cap * 2 : LEAST;
    asy_value *entries = asy_mem_alloc(vm, cap * sizeof *entries);
    if (!entries) return false;
    for (uint32_t i = 0; i < w->count; i++) entries[i] = *entry(w, i);
    asy_mem_free(vm, w->entries, w->cap * sizeof *entries);
    w->entries = entries;
    w->cap = cap;
    w->first = 0;
  }
  *entry(w, w->count++) = value;
  w->waiting++;
  asy_barrier(vm, w);
  return true;
}

static void drop_first(waiters *w) {
  w->first = (w->first + 1) & (w->cap - 1);
  w->count--;
  w->seq++;
}

/* Entries of futures that were cancelled are given up. */
static void prune(waiters *w) {
  for (uint32_t i = 0; w->futures && i < w->count; i++) {
    asy_value v = *entry(w, i);
    if (!v || !asy_is_kind(v, KIND_FUTURE) || !asy_future_done(v)) continue;
    *entry(w, i) = 0;
    w->waiting--;
    w->futures--;
  }
}

static bool wake_one(asy_vm *vm, waiters *w, asy_value v) {
  w->waiting--;
  if (asy_is_kind(v, KIND_FUTURE)) w->futures--;
  if (!asy_is_kind(v, KIND_TASK)) {
    asy_value result = ASY_TRUE;
    return !asy_failed(asy_call_method(vm, v, ASY_NAME(vm, set_result), 1, &result));
  }
  asy_task *task = (asy_task *)asy_obj_of(v);
  task->future.result = 0;
  w->woken++;
  asy_task_wake(vm, task);
  return !asy_raised(vm);
}

/* ---- What the loop asks --------------------------------------------------------------------------------------------- */

static asy_value resume(asy_vm *vm, asy_obj *self, asy_task *task) {
  (void)vm, (void)task;
  ((waiters *)self)->woken--;
  return ASY_TRUE;
}

static bool forget(asy_vm *vm, asy_obj *self, asy_task *task) {
  (void)vm;
  waiters *w = (waiters *)self;
  if (!asy_is_int(task->future.result)) { /* woken, and on its way */
    w->woken--;
    w->lost++;
    return false;
  }
  *entry(w, (uint32_t)(asy_small(task->future.result) - w->seq)) = 0;
  w->waiting--;
  while (w->count && !*entry(w, 0)) drop_first(w);
  return true;
}

static const struct asy_loop_hooks hooks = {.resume = resume, .forget = forget};

/* ---- The Python side ------------------------------------------------------------------------------------------------ */

static asy_value wait_here(asy_vm *vm, const asy_value *args) {
  waiters *w = self_of(args);
  if (!asy_can_park(vm)) return asy_raise(vm, ASY_RuntimeError, "this coroutine cannot be parked: see parks()");
  asy_task *task = vm->current_task;
  if (!asy_task_park_on(vm, &w->head)) return ASY_PARKED;
  task->future.result = asy_from_small(w->seq + w->count);
  if (push(vm, w, asy_from_obj(task))) return ASY_PARKED;
  task->waiting = task->future.result = 0;
  return ASY_FAILED;
}

static asy_value parks(asy_vm *vm, const asy_value *args) { return asy_from_bool(asy_can_park(vm)); }

static asy_value append(asy_vm *vm, const asy_value *args) {
  if (!asy_is_obj(args[1]) || asy_is_kind(args[1], KIND_TASK))
    return asy_raise(vm, ASY_TypeError, "a future is expected, got %R", args[1]);
  if (!push(vm, self_of(args), args[1])) return ASY_FAILED;
  if (asy_is_kind(args[1], KIND_FUTURE)) self_of(args)->futures++;
  return ASY_NONE;
}

static asy_value wake(asy_vm *vm, const asy_value *args) {
  waiters *w = self_of(args);
  int64_t n = 0, most;
  if (!asy_to_int64(vm, args[1], &most)) return ASY_FAILED;
  prune(w);
  while (n < most && w->count) {
    asy_value v = *entry(w, 0);
    drop_first(w);
    if (!v) continue;
    n++;
    if (!wake_one(vm, w, v)) return ASY_FAILED;
  }
  return asy_from_small(n);
}

static asy_value lose(asy_vm *vm, const asy_value *args) {
  self_of(args)->lost++;
  return ASY_NONE;
}

static asy_value take_lost(asy_vm *vm, const asy_value *args) {
  waiters *w = self_of(args);
  if (!w->lost) return ASY_FALSE;
  w->lost--;
  return ASY_TRUE;
}

static int64_t length(asy_vm *vm, asy_value self) {
  waiters *w = (waiters *)asy_obj_of(self);
  if (w->futures) prune(w);
  return (int64_t)w->waiting + w->woken;
}

static int truth(asy_vm *vm, asy_value self) { return length(vm, self) != 0; }

static asy_value make(asy_vm *vm, const asy_value *args) {
  waiters *w = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  if (!w) return ASY_FAILED;
  w->owner = args[1];
  return asy_from_obj(w);
}

static void visit(asy_obj *o, asy_visitor *v) {
  waiters *w = (waiters *)o;
  for (uint32_t i = 0; i < w->count; i++) asy_visit_value(v, *entry(w, i));
  asy_visit_value(v, w->owner);
}

static void release(asy_vm *vm, asy_obj *o) {
  waiters *w = (waiters *)o;
  asy_mem_free(vm, w->entries, w->cap * sizeof *w->entries);
}

static const asy_member members[] = {
  {.name = "owner", .offset = offsetof(waiters, owner), .type = MEMBER_VALUE, .writable = false},
  {0},
};

static const asy_native methods[] = {
  {"wait", SIG("(self, /)"), wait_here, DOC("Wait until wake(); parks() must be true."), ASY_NATIVE_ASYNC},
  {"parks", SIG("(self, /)"), parks,
   DOC("Whether the running coroutine can wait(); else it adds a future and awaits that."), 0},
  {"append", SIG("(self, future, /)"), append, DOC("A future waits: wake() sets its result."), 0},
  {"wake", SIG("(self, n=1, /)"), wake, DOC("Wake the n that have waited longest; how many there were."), 0},
  {"lose", SIG("(self, /)"), lose, DOC("One that was woken will not come."), 0},
  {"take_lost", SIG("(self, /)"), take_lost, DOC("Whether one was cancelled after it was woken; asked once for each."),
   0},
  {0},
};

const asy_type asy_waiters_type = {
  .name = "_asyncio._Waiters",
  .doc = "Tasks that wait for something, first in, first out.",
  .size = sizeof(waiters),
  .flags = ASY_TYPE_FINAL,
  .visit = visit,
  .free = release,
  .new_ = make,
  .new_signature = SIG("(cls, owner)"),
  .special = &(const asy_special){.truth = truth},
  .length = length,
  .loop_hooks = &hooks,
  .members = members,
  .methods = methods,
};

asy_value asy_waiters_owner(asy_vm *vm, asy_value v) {
  asy_class *cls = asy_class_for(vm, &asy_waiters_type);
  return cls && asy_type_of(vm, v) == cls ? ((waiters *)asy_obj_of(v))->owner : v;
}
