/* thread_module.c - the module _thread: starting threads, locks, storage that each thread has of its own.
 *
 * What a lock says is only looked at by who holds the VM's lock, so it is plain data. A thread that must wait links itself into the
 * lock's list and blocks on its own semaphore; whoever releases the lock wakes the oldest, which tries again.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "runtime/class.h"
#include "runtime/descriptors.h"
#include "runtime/exc.h"
#include "runtime/frame.h"
#include "runtime/module.h"

static const int64_t TIMEOUT_MAX_NS = INT64_C(9223372036) * 1000000000;

static asy_value ident_of(asy_vm *vm, const asy_thread *thread) {
  return asy_from_uint64(vm, (uint64_t)(uintptr_t)thread->handle);
}

/* ---- Waiting --------------------------------------------------------------------------------------------------------- */

typedef struct waiter { /* on the C stack of the thread that waits */
  asy_thread *thread;
  struct waiter *next;
  bool woken;
} waiter;

typedef struct {
  bool taken;
  waiter *first; /* oldest first */
} latch;

static void link_waiter(latch *l, waiter *w) {
  waiter **at = &l->first;
  while (*at) at = &(*at)->next;
  *at = w;
}

static void unlink_waiter(latch *l, const waiter *w) {
  waiter **at = &l->first;
  while (*at != w) at = &(*at)->next;
  *at = w->next;
}

static void wake_first(latch *l) {
  if (!l->first || l->first->woken) return;
  l->first->woken = true;
  sem_post(&l->first->thread->wake);
}

/* 1 taken, 0 not until the deadline, -1 a signal handler raised. When the program has ended nobody can release it any more. */
static int take_latch(asy_vm *vm, latch *l, int64_t deadline) {
  if (!l->taken || vm->threads.ended) return l->taken = true;
  if (deadline == 0) return 0;
  waiter self = {.thread = vm->thread};
  link_waiter(l, &self);
  int result = -1;
  while (asy_check_signals(vm)) {
    result = l->taken ? 0 : 1;
    if (result || (deadline != INT64_MAX && asy_clock_ns(vm, ASY_CLOCK_MONOTONIC) >= deadline)) break;
    result = -1;
    self.woken = false;
    asy_thread_wait(vm, deadline);
  }
  unlink_waiter(l, &self);
  if (result == 1) l->taken = true;
  else if (!l->taken) wake_first(l); /* the wake-up was meant for whoever can use it */
  return result;
}

static void free_latch(latch *l) {
  l->taken = false;
  wake_first(l);
}

/* blocking and timeout of acquire: 0 do not wait, INT64_MAX for ever, else when to stop. False: an exception is set. */
static bool read_deadline(asy_vm *vm, asy_value blocking, asy_value timeout, int64_t *deadline) {
  int blocks = asy_truth(vm, blocking);
  double seconds;
  if (blocks < 0 || !asy_to_double(vm, timeout, &seconds)) return false;
  const char *problem = NULL;
  if (isnan(seconds)) problem = "Invalid value NaN (not a number)";
  else if (!blocks && seconds != -1) problem = "can't specify a timeout for a non-blocking call";
  else if (seconds < 0 && seconds != -1) problem = "timeout value must be a non-negative number";
  if (problem) {
    asy_raise(vm, ASY_ValueError, "%s", problem);
    return false;
  }
  if (seconds > (double)(TIMEOUT_MAX_NS / 1000000000)) {
    asy_raise(vm, ASY_OverflowError, "timestamp %s",
              seconds >= 0x1p63 ? "out of range for platform time_t" : "too large to convert to C PyTime_t");
    return false;
  }
  int64_t now = asy_clock_ns(vm, ASY_CLOCK_MONOTONIC);
  if (!blocks || seconds == 0) *deadline = 0;
  else if (seconds < 0 || (double)(INT64_MAX - now) <= seconds * 1e9) *deadline = INT64_MAX;
  else *deadline = now + (int64_t)ceil(seconds * 1e9);
  return true;
}

/* ---- lock ------------------------------------------------------------------------------------------------------------ */

typedef struct {
  asy_obj head;
  latch latch;
} lock;

static const asy_type lock_type;

static lock *lock_of(asy_value v) { return (lock *)asy_obj_of(v); }

static asy_value make_lock(asy_vm *vm) {
  lock *made = asy_new_object(vm, &lock_type);
  return made ? asy_from_obj(made) : ASY_FAILED;
}

static asy_value lock_new(asy_vm *vm, const asy_value *args) { return (void)args, make_lock(vm); }

static asy_value lock_acquire(asy_vm *vm, const asy_value *args) {
  int64_t deadline;
  if (!read_deadline(vm, args[1], args[2], &deadline)) return ASY_FAILED;
  int taken = take_latch(vm, &lock_of(args[0])->latch, deadline);
  return taken < 0 ? ASY_FAILED : asy_from_bool(taken);
}

static asy_value lock_enter(asy_vm *vm, const asy_value *args) {
  return take_latch(vm, &lock_of(args[0])->latch, INT64_MAX) < 0 ? ASY_FAILED : ASY_TRUE;
}

static asy_value lock_release(asy_vm *vm, const asy_value *args) {
  latch *l = &lock_of(args[0])->latch;
  if (!l->taken) return asy_raise(vm, ASY_RuntimeError, "release unlocked lock");
  free_latch(l);
  return ASY_NONE;
}

static asy_value lock_locked(asy_vm *vm, const asy_value *args) { return asy_from_bool(lock_of(args[0])->latch.taken); }

static asy_value lock_reinit(asy_vm *vm, const asy_value *args) {
  lock_of(args[0])->latch = (latch){0};
  return ASY_NONE;
}

static asy_value lock_repr(asy_vm *vm, asy_value self) {
  char address[32];
  snprintf(address, sizeof address, "%p", (void *)asy_obj_of(self));
  asy_str *text = asy_str_format(vm, "<%s _thread.lock object at %s>",
                                 lock_of(self)->latch.taken ? "locked" : "unlocked", address);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

static const asy_native lock_methods[] = {
  {"acquire", SIG("(self, /, blocking=True, timeout=-1)"), lock_acquire, DOC("Lock it; False when that took too long."),
   0},
  {"release", SIG("(self, /)"), lock_release, DOC("Unlock it: the next one that waits goes on."), 0},
  {"locked", SIG("(self, /)"), lock_locked, DOC("Whether it is locked."), 0},
  {"acquire_lock", SIG("(self, /, blocking=True, timeout=-1)"), lock_acquire, 0, 0},
  {"release_lock", SIG("(self, /)"), lock_release, 0, 0},
  {"locked_lock", SIG("(self, /)"), lock_locked, 0, 0},
  {"__enter__", SIG("(self, /)"), lock_enter, 0, 0},
  {"__exit__", SIG("(self, /, *exc)"), lock_release, 0, 0},
  {"_at_fork_reinit", SIG("(self, /)"), lock_reinit, 0, 0},
  {0},
};

static const asy_type lock_type = {
  .name = "_thread.lock",
  .doc = "A lock that one thread takes and any thread gives back.",
  .size = sizeof(lock),
  .flags = ASY_TYPE_FINAL,
  .new_ = lock_new,
  .new_signature = SIG("(cls, /)"),
  .repr = lock_repr,
  .methods = lock_methods,
};

static asy_value allocate_lock(asy_vm *vm, const asy_value *args) { return (void)args, make_lock(vm); }

/* ---- RLock ----------------------------------------------------------------------------------------------------------- */

typedef struct {
  asy_obj head;
  latch latch;
  pthread_t owner;
  uint64_t count; /* how often the owner has taken it */
} rlock;

static rlock *rlock_of(asy_value v) { return (rlock *)asy_obj_of(v); }

static bool owns(asy_vm *vm, const rlock *r) { return r->count && pthread_equal(r->owner, vm->thread->handle); }

static asy_value rlock_new(asy_vm *vm, const asy_value *args) {
  rlock *r = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  return r ? asy_from_obj(r) : ASY_FAILED;
}

static asy_value take_rlock(asy_vm *vm, asy_value self, int64_t deadline) {
  rlock *r = rlock_of(self);
  if (!owns(vm, r)) {
    int taken = take_latch(vm, &r->latch, deadline);
    if (taken < 1) return taken < 0 ? ASY_FAILED : ASY_FALSE;
    r->owner = vm->thread->handle;
    r->count = 0;
  }
  r->count++;
  return ASY_TRUE;
}

static asy_value rlock_acquire(asy_vm *vm, const asy_value *args) {
  int64_t deadline;
  return read_deadline(vm, args[1], args[2], &deadline) ? take_rlock(vm, args[0], deadline) : ASY_FAILED;
}

static asy_value rlock_enter(asy_vm *vm, const asy_value *args) { return take_rlock(vm, args[0], INT64_MAX); }

static asy_value rlock_release(asy_vm *vm, const asy_value *args) {
  rlock *r = rlock_of(args[0]);
  if (!owns(vm, r)) return asy_raise(vm, ASY_RuntimeError, "cannot release un-acquired lock");
  if (!--r->count) free_latch(&r->latch);
  return ASY_NONE;
}

static asy_value rlock_is_owned(asy_vm *vm, const asy_value *args) {
  return asy_from_bool(owns(vm, rlock_of(args[0])));
}

static asy_value rlock_recursion_count(asy_vm *vm, const asy_value *args) {
  return asy_from_uint64(vm, owns(vm, rlock_of(args[0])) ? rlock_of(args[0])->count : 0);
}

/* Gives it up whatever the count, and says what _acquire_restore needs: for conditions. */
static asy_value rlock_release_save(asy_vm *vm, const asy_value *args) {
  rlock *r = rlock_of(args[0]);
  if (!r->count) return asy_raise(vm, ASY_RuntimeError, "cannot release un-acquired lock");
  asy_value count = asy_from_uint64(vm, r->count);
  asy_value state = asy_failed(count) ? ASY_FAILED : asy_tuple_of(vm, 2, count, ident_of(vm, vm->thread));
  if (asy_failed(state)) return ASY_FAILED;
  r->count = 0;
  free_latch(&r->latch);
  return state;
}

static asy_value rlock_acquire_restore(asy_vm *vm, const asy_value *args) {
  rlock *r = rlock_of(args[0]);
  int64_t count;
  if (!asy_is_kind(args[1], KIND_TUPLE) || ((asy_tuple *)asy_obj_of(args[1]))->len != 2)
    return asy_raise(vm, ASY_TypeError, "_acquire_restore() needs what _release_save() gave");
  if (!asy_to_int64(vm, ((asy_tuple *)asy_obj_of(args[1]))->items[0], &count)) return ASY_FAILED;
  if (take_latch(vm, &r->latch, INT64_MAX) < 0) return ASY_FAILED;
  r->owner = vm->thread->handle;
  r->count = (uint64_t)count;
  return ASY_NONE;
}

static asy_value rlock_reinit(asy_vm *vm, const asy_value *args) {
  rlock_of(args[0])->latch = (latch){0};
  rlock_of(args[0])->count = 0;
  return ASY_NONE;
}

static asy_value rlock_repr(asy_vm *vm, asy_value self) {
  const rlock *r = rlock_of(self);
  char rest[96];
  snprintf(rest, sizeof rest, "owner=%llu count=%llu at %p", r->count ? (unsigned long long)r->owner : 0,
           (unsigned long long)r->count, (void *)asy_obj_of(self));
  const char *state = r->count ? "locked" : "unlocked";
  bool exact = asy_class_of(vm, self)->flags & ASY_CLASS_BUILTIN;
  asy_str *text = exact ? asy_str_format(vm, "<%s _thread.RLock object %s>", state, rest)
                        : asy_str_format(vm, "<%s %T object %s>", state, self, rest);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

static const asy_native rlock_methods[] = {
  {"acquire", SIG("(self, /, blocking=True, timeout=-1)"), rlock_acquire,
   DOC("Lock it, once more if this thread has it."), 0},
  {"release", SIG("(self, /)"), rlock_release, DOC("Take back one acquire."), 0},
  {"__enter__", SIG("(self, /)"), rlock_enter, 0, 0},
  {"__exit__", SIG("(self, /, *exc)"), rlock_release, 0, 0},
  {"_is_owned", SIG("(self, /)"), rlock_is_owned, 0, 0},
  {"_recursion_count", SIG("(self, /)"), rlock_recursion_count, 0, 0},
  {"_release_save", SIG("(self, /)"), rlock_release_save, 0, 0},
  {"_acquire_restore", SIG("(self, state, /)"), rlock_acquire_restore, 0, 0},
  {"_at_fork_reinit", SIG("(self, /)"), rlock_reinit, 0, 0},
  {0},
};

static const asy_type rlock_type = {
  .name = "_thread.RLock",
  .doc = "A lock that its owner may take again.",
  .size = sizeof(rlock),
  .new_ = rlock_new,
  .new_signature = SIG("(cls, /, *args, **kwargs)"),
  .repr = rlock_repr,
  .methods = rlock_methods,
};

/* ---- Storage of each thread's own ------------------------------------------------------------------------------------ */

/* The attributes of each thread are a dict here, by the thread's number. Every such object is known to vm->threads, weakly, so that
 * a thread that ends takes its attributes with it. */
typedef struct {
  asy_obj head;
  asy_dict *dicts; /* number of a thread -> its attributes */
  asy_tuple *args; /* for __init__ of a subclass, which each thread calls */
  asy_dict *kwargs;
} local;

typedef struct asy_known_local { /* malloc'ed */
  void *local;                   /* weak: NULL once it is dead */
  struct asy_known_local *next;
} known_local;

static local *local_of(asy_value v) { return (local *)asy_obj_of(v); }

static void local_visit(asy_obj *o, asy_visitor *v) {
  asy_visit_obj(v, ((local *)o)->dicts);
  asy_visit_obj(v, ((local *)o)->args);
  asy_visit_obj(v, ((local *)o)->kwargs);
}

static bool make_known(asy_vm *vm, local *l) {
  known_local *known = malloc(sizeof *known);
  if (!known) {
    asy_raise_no_memory(vm);
    return false;
  }
  *known = (known_local){.local = l, .next = vm->threads.locals};
  if (!asy_weak_add(vm, NULL, &known->local)) {
    free(known);
    return false;
  }
  vm->threads.locals = known;
  return true;
}

/* Forgets what dead objects leave behind and, number not 0, the attributes of a thread. */
static void sweep_locals(asy_vm *vm, asy_value number) {
  for (known_local **link = &vm->threads.locals, *known; (known = *link);) {
    if (known->local) {
      if (number && ((local *)known->local)->dicts)
        (void)asy_dict_delete(vm, ((local *)known->local)->dicts, number, NULL);
      link = &known->next;
    } else {
      *link = known->next;
      free(known);
    }
  }
}

void asy_locals_end(asy_vm *vm) {
  for (known_local *known = vm->threads.locals, *next; known; known = next) {
    next = known->next;
    asy_weak_remove(vm, &known->local);
    free(known);
  }
  vm->threads.locals = NULL;
}

static asy_value number_of_this(asy_vm *vm) { return asy_from_small((int64_t)vm->thread->number); }

static asy_dict *new_own(asy_vm *vm, asy_value self) {
  asy_dict *own = asy_dict_new(vm, 0);
  return own && asy_dict_set(vm, local_of(self)->dicts, number_of_this(vm), asy_from_obj(own)) ? own : NULL;
}

/* The dict of the running thread. NULL: an exception is set. */
static asy_dict *own_dict(asy_vm *vm, asy_value self) {
  asy_value found;
  int has = asy_dict_get(vm, local_of(self)->dicts, number_of_this(vm), &found);
  if (has) return has > 0 ? (asy_dict *)asy_obj_of(found) : NULL;
  asy_dict *own = new_own(vm, self);
  if (!own) return NULL;
  asy_class *cls = asy_class_of(vm, self);
  if (cls->flags & ASY_CLASS_BUILTIN) return own;
  asy_value init = asy_get_attr_cstr(vm, asy_from_obj(cls), "__init__");
  asy_tuple *args = asy_tuple_new(vm, NULL, local_of(self)->args->len + 1);
  if (asy_failed(init) || !args) return NULL;
  args->items[0] = self;
  memcpy(args->items + 1, local_of(self)->args->items, (args->len - 1) * sizeof *args->items);
  if (!asy_failed(asy_call_ex(vm, init, args, local_of(self)->kwargs))) return own;
  asy_value exception = asy_take_exception(vm);
  (void)asy_dict_delete(vm, local_of(self)->dicts, number_of_this(vm), NULL);
  asy_set_exception(vm, exception);
  return NULL;
}

static asy_value local_new(asy_vm *vm, const asy_value *args) {
  asy_class *cls = (asy_class *)asy_obj_of(args[0]);
  asy_tuple *rest = (asy_tuple *)asy_obj_of(args[1]);
  asy_dict *kwargs = (asy_dict *)asy_obj_of(args[2]);
  asy_lookup *init = asy_class_lookup(vm, cls, ASY_NAME(vm, __init__));
  if (!init) return ASY_FAILED;
  if ((rest->len || kwargs->used) && (!init->owner || init->owner->flags & ASY_CLASS_BUILTIN))
    return asy_raise(vm, ASY_TypeError, "Initialization arguments are not supported");
  local *l = asy_new_instance(vm, cls);
  if (!l) return ASY_FAILED;
  l->args = rest;
  l->kwargs = kwargs;
  l->dicts = asy_dict_new(vm, 1);
  asy_barrier(vm, l);
  if (!l->dicts || !make_known(vm, l)) return ASY_FAILED;
  if (++vm->threads.locals_made % 64 == 0) sweep_locals(vm, 0);
  return new_own(vm, asy_from_obj(l)) ? asy_from_obj(l) : ASY_FAILED; /* __init__ follows in this thread */
}

/* A data descriptor of the class comes before what the thread has. */
static bool is_data(asy_vm *vm, asy_value self, asy_str *name) {
  asy_value value;
  asy_class *owner;
  return asy_class_find(vm, asy_class_of(vm, self), name, &value, &owner) == LOOKUP_DATA;
}

static asy_value local_get_attr(asy_vm *vm, asy_value self, asy_str *name) {
  asy_dict *own = own_dict(vm, self);
  name = own ? asy_str_intern(vm, name) : NULL;
  if (!name) return ASY_FAILED;
  if (asy_str_equal_cstr(name, "__dict__")) return asy_from_obj(own);
  asy_value value = is_data(vm, self, name) ? ASY_UNBOUND : asy_dict_get_str(vm, own, name);
  return value == ASY_UNBOUND ? asy_generic_get_attr(vm, self, name) : value;
}

static bool local_set_attr(asy_vm *vm, asy_value self, asy_str *name, asy_value value) {
  asy_dict *own = own_dict(vm, self);
  name = own ? asy_str_intern(vm, name) : NULL;
  if (!name) return false;
  if (asy_str_equal_cstr(name, "__dict__")) {
    asy_raise(vm, ASY_AttributeError, "'%T' object attribute '__dict__' is read-only", self);
    return false;
  }
  if (is_data(vm, self, name)) return asy_generic_set_attr(vm, self, name, value);
  if (value != ASY_UNBOUND) return asy_dict_set_str(vm, own, name, value);
  int deleted = asy_dict_delete(vm, own, asy_from_obj(name), NULL);
  if (!deleted) asy_raise_no_attribute(vm, self, name);
  return deleted > 0;
}

static const asy_type local_type = {
  .name = "_thread._local",
  .doc = "Attributes that each thread has for itself.",
  .size = sizeof(local),
  .visit = local_visit,
  .new_ = local_new,
  .new_signature = SIG("(cls, /, *args, **kwargs)"),
  .special = &(const asy_special){.get_attr = local_get_attr, .set_attr = local_set_attr},
};

/* ---- Handles --------------------------------------------------------------------------------------------------------- */

typedef struct { /* stands for a thread that can be waited for */
  asy_obj head;
  latch running; /* taken from the start to the end */
  asy_value ident;
  pthread_t thread; /* the system's: join() sees it gone, since until then signals may be delivered to it */
  bool joinable;    /* it is neither joined nor detached */
  uint32_t forks;   /* threads.forks when it started: a child of a fork has not got it */
} handle;

static handle *handle_of(asy_value v) { return (handle *)asy_obj_of(v); }

static void handle_visit(asy_obj *o, asy_visitor *v) { asy_visit_value(v, ((handle *)o)->ident); }

static bool is_ours(asy_vm *vm, const handle *h) { return h->joinable && h->forks == vm->threads.forks; }

static void handle_free(asy_vm *vm, asy_obj *o) {
  handle *h = (handle *)o;
  if (is_ours(vm, h)) pthread_detach(h->thread);
  h->joinable = false;
}

static asy_value handle_new(asy_vm *vm, const asy_value *args) {
  handle *h = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  if (!h) return ASY_FAILED;
  h->ident = asy_from_small(0);
  return asy_from_obj(h);
}

static asy_value handle_join(asy_vm *vm, const asy_value *args) {
  int64_t deadline = INT64_MAX;
  double seconds;
  if (args[1] != ASY_NONE) {
    if (!asy_to_double(vm, args[1], &seconds)) return ASY_FAILED;
    asy_value timeout = asy_from_double(vm, seconds < 0 ? 0 : seconds);
    if (!read_deadline(vm, ASY_TRUE, timeout, &deadline)) return ASY_FAILED;
  }
  latch *l = &handle_of(args[0])->running;
  if (l->taken && asy_equal(vm, handle_of(args[0])->ident, ident_of(vm, vm->thread)) == 1)
    return asy_raise(vm, ASY_RuntimeError, "Cannot join current thread");
  int taken = take_latch(vm, l, deadline);
  if (taken < 0) return ASY_FAILED;
  if (!taken) return ASY_NONE;
  free_latch(l);
  if (vm->threads.ended) return ASY_NONE; /* the program ends: nobody is waited for */
  handle *h = handle_of(args[0]);
  if (is_ours(vm, h)) pthread_join(h->thread, NULL); /* it has given up the VM's lock */
  h->joinable = false;
  return ASY_NONE;
}

static asy_value handle_is_done(asy_vm *vm, const asy_value *args) {
  return asy_from_bool(!handle_of(args[0])->running.taken);
}

static asy_value handle_set_done(asy_vm *vm, const asy_value *args) {
  handle_free(vm, asy_obj_of(args[0]));
  free_latch(&handle_of(args[0])->running);
  return ASY_NONE;
}

static const asy_native handle_methods[] = {
  {"join", SIG("(self, timeout=None, /)"), handle_join, DOC("Wait until the thread has ended."), 0},
  {"is_done", SIG("(self, /)"), handle_is_done, DOC("Whether it has ended."), 0},
  {"_set_done", SIG("(self, /)"), handle_set_done, 0, 0},
  {0},
};

static const asy_member handle_members[] = {
  {"ident", offsetof(handle, ident), MEMBER_VALUE, false},
  {0},
};

static const asy_type handle_type = {
  .name = "_thread._ThreadHandle",
  .size = sizeof(handle),
  .flags = ASY_TYPE_FINAL,
  .visit = handle_visit,
  .free = handle_free,
  .new_ = handle_new,
  .new_signature = SIG("(cls, /)"),
  .methods = handle_methods,
  .members = handle_members,
};

/* ---- Starting -------------------------------------------------------------------------------------------------------- */

/* Calls what the thread is for. What it raises ends with it; SystemExit is a way to end. */
static void run_thread(asy_vm *vm, asy_thread *self) {
  asy_tuple *call = (asy_tuple *)asy_obj_of(self->call);
  self->call = 0;
  asy_value kwargs = call->items[2];
  asy_value result = asy_call_ex(vm, call->items[0], (asy_tuple *)asy_obj_of(call->items[1]),
                                 kwargs == ASY_NONE ? NULL : (asy_dict *)asy_obj_of(kwargs));
  if (!asy_failed(result)) return;
  if (asy_raised_is(vm, ASY_SystemExit)) asy_clear_exception(vm);
  else asy_report_unraisable(vm, call->items[0]);
}

static void *thread_main(void *argument) {
  asy_thread *self = argument;
  asy_vm *vm = self->vm;
  asy_thread_begin(vm, self);
  if (asy_thread_enter(vm, self)) {
    if (self->join) asy_store(vm, asy_obj_of(self->join), &handle_of(self->join)->ident, ident_of(vm, self));
    run_thread(vm, self);
  }
  sweep_locals(vm, number_of_this(vm));
  if (self->join) free_latch(&handle_of(self->join)->running);
  asy_thread_finish(vm, self);
  return NULL;
}

static asy_value start_thread(asy_vm *vm, asy_value function, asy_value args, asy_value kwargs, asy_value join) {
  asy_value call = asy_tuple_of(vm, 3, function, args, kwargs);
  asy_thread *thread = asy_failed(call) ? NULL : calloc(1, sizeof *thread);
  if (!thread) return asy_failed(call) ? ASY_FAILED : asy_raise_no_memory(vm);
  thread->call = call;
  thread->join = join;
  asy_thread_init(vm, thread);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  if (!join) pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  if (vm->threads.stack_size) pthread_attr_setstacksize(&attributes, vm->threads.stack_size);
  if (join) handle_of(join)->running.taken = true;
  pthread_t made;
  int rc = vm->threads.ended ? EAGAIN : pthread_create(&made, &attributes, thread_main, thread);
  pthread_attr_destroy(&attributes);
  if (!rc) {
    thread->handle = made;
    if (!join) return ident_of(vm, thread);
    handle *h = handle_of(join);
    h->ident = ident_of(vm, thread);
    h->thread = made;
    h->joinable = true;
    h->forks = vm->threads.forks;
    return join;
  }
  if (join) free_latch(&handle_of(join)->running);
  asy_thread_drop(vm, thread);
  free(thread);
  return asy_raise(vm, ASY_RuntimeError, "can't start new thread");
}

static asy_value start_new_thread(asy_vm *vm, const asy_value *args) {
  if (!asy_callable(vm, args[0])) return asy_raise(vm, ASY_TypeError, "first arg must be callable");
  if (!asy_is_kind(args[1], KIND_TUPLE)) return asy_raise(vm, ASY_TypeError, "2nd arg must be a tuple");
  if (args[2] != ASY_UNBOUND && !asy_is_kind(args[2], KIND_DICT))
    return asy_raise(vm, ASY_TypeError, "optional 3rd arg must be a dictionary");
  return start_thread(vm, args[0], args[1], args[2] == ASY_UNBOUND ? ASY_NONE : args[2], 0);
}

static asy_value start_joinable_thread(asy_vm *vm, const asy_value *args) {
  if (!asy_callable(vm, args[0])) return asy_raise(vm, ASY_TypeError, "thread function must be callable");
  asy_class *cls = asy_define_type(vm, &handle_type);
  asy_value class_value = cls ? asy_from_obj(cls) : ASY_FAILED;
  asy_value join = args[1] == ASY_NONE && cls ? handle_new(vm, &class_value) : args[1];
  if (!cls || asy_failed(join)) return ASY_FAILED;
  if (asy_class_of(vm, join) != cls) return asy_raise(vm, ASY_TypeError, "'handle' must be a _ThreadHandle");
  if (handle_of(join)->running.taken) return asy_raise(vm, ASY_RuntimeError, "thread already started");
  return start_thread(vm, args[0], asy_from_obj(vm->empty_tuple), ASY_NONE, join);
}

static asy_value make_handle(asy_vm *vm, const asy_value *args) { /* for a thread that is not ours to join: it runs */
  asy_class *cls = asy_define_type(vm, &handle_type);
  asy_value class_value = cls ? asy_from_obj(cls) : ASY_FAILED;
  asy_value made = cls ? handle_new(vm, &class_value) : ASY_FAILED;
  if (asy_failed(made)) return ASY_FAILED;
  handle_of(made)->running.taken = true;
  handle_of(made)->ident = args[0];
  return made;
}

static asy_value raise_exit(asy_vm *vm, const asy_value *args) {
  (void)args;
  return asy_raise(vm, ASY_SystemExit, "");
}

/* ---- Facts ----------------------------------------------------------------------------------------------------------- */

static asy_value get_ident(asy_vm *vm, const asy_value *args) { return (void)args, ident_of(vm, vm->thread); }
static asy_value main_ident(asy_vm *vm, const asy_value *args) { return (void)args, ident_of(vm, vm->threads.main); }

static asy_value get_native_id(asy_vm *vm, const asy_value *args) {
  (void)args;
  return asy_from_small(vm->thread->native_id);
}

static asy_value count_threads(asy_vm *vm, const asy_value *args) {
  (void)args;
  return asy_from_small((int64_t)vm->threads.count - 1);
}

static asy_value stack_size(asy_vm *vm, const asy_value *args) {
  int64_t size, before = (int64_t)vm->threads.stack_size;
  if (args[0] == ASY_UNBOUND) return asy_from_int64(vm, before);
  if (!asy_to_int64(vm, args[0], &size)) return ASY_FAILED;
  if (size < 0) return asy_raise(vm, ASY_ValueError, "size must be 0 or a positive value");
  if (size && size < 32768) return asy_raise(vm, ASY_ValueError, "size not valid: %lld bytes", (long long)size);
  vm->threads.stack_size = (size_t)size;
  return asy_from_int64(vm, before);
}

static asy_value interrupt_main(asy_vm *vm, const asy_value *args) {
  int64_t number;
  if (!asy_to_int64(vm, args[0], &number)) return ASY_FAILED;
  if (number < 1 || number >= SIGNAL_COUNT) return asy_raise(vm, ASY_ValueError, "signal number out of range");
  asy_signal_simulate(vm, (int)number);
  return asy_check_signals(vm) ? ASY_NONE : ASY_FAILED;
}

static bool thread_init(asy_vm *vm, asy_value module) {
  static const struct {
    const char *name;
    const asy_type *type;
  } types[] = {{"lock", &lock_type},
               {"LockType", &lock_type},
               {"RLock", &rlock_type},
               {"_local", &local_type},
               {"_ThreadHandle", &handle_type}};
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    if (!asy_module_add_type(vm, module, types[i].name, types[i].type)) return false;
  }
  return asy_module_set(vm, module, "error", asy_from_obj(vm->exceptions[ASY_RuntimeError])) &&
         asy_module_set(vm, module, "TIMEOUT_MAX", asy_from_double(vm, (double)(TIMEOUT_MAX_NS / 1000000000)));
}

static const asy_native thread_natives[] = {
  {"start_new_thread", SIG("(function, args, kwargs=?, /)"), start_new_thread,
   DOC("Run function(*args) in a new thread."), 0},
  {"start_new", SIG("(function, args, kwargs=?, /)"), start_new_thread, 0, 0},
  {"start_joinable_thread", SIG("(function, handle=None, daemon=True)"), start_joinable_thread,
   DOC("Run function() in a new thread; the handle to join it."), 0},
  {"_make_thread_handle", SIG("(ident, /)"), make_handle, 0, 0},
  {"allocate_lock", SIG("()"), allocate_lock, DOC("A new lock."), 0},
  {"allocate", SIG("()"), allocate_lock, 0, 0},
  {"exit", SIG("()"), raise_exit, DOC("End this thread: raises SystemExit."), 0},
  {"exit_thread", SIG("()"), raise_exit, 0, 0},
  {"get_ident", SIG("()"), get_ident, DOC("The number of this thread, as long as it lives."), 0},
  {"_get_main_thread_ident", SIG("()"), main_ident, 0, 0},
  {"get_native_id", SIG("()"), get_native_id, DOC("The kernel's number of this thread."), 0},
  {"_count", SIG("()"), count_threads, DOC("How many threads there are besides the main one."), 0},
  {"stack_size", SIG("(size=?, /)"), stack_size, DOC("Bytes of C stack that new threads get; 0: the system's."), 0},
  {"interrupt_main", SIG("(signum=2, /)"), interrupt_main, DOC("As if the signal had come."), 0},
  {0},
};

const asy_module_def asy_module_thread = {"_thread", thread_natives, "Threads of one program, which take turns.",
                                          thread_init};
