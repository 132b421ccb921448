/* thread.c - the lock of a VM and its hand-over. See thread.h. */
#include "runtime/thread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "runtime/frame.h"
#include "runtime/trace.h"

enum {
  C_STACK_RESERVE = 256 * 1024, /* natives stop recursing this far before the end */
  SWITCH_NS = 5 * 1000 * 1000,
};

#define NO_ASAN __attribute__((no_sanitize("address")))

/* ---- The C stack ---------------------------------------------------------------------------------------------------- */

extern void *__libc_stack_end; /* glibc: highest address of the main thread's stack */

void *asy_find_c_stack(char **limit) {
  if (syscall(SYS_gettid) == getpid()) {
    struct rlimit size;
    size_t bytes = getrlimit(RLIMIT_STACK, &size) == 0 && size.rlim_cur != RLIM_INFINITY ? size.rlim_cur
                                                                                         : (size_t)8 << 20;
    if (bytes > (size_t)64 << 20) bytes = (size_t)64 << 20;
    *limit = (char *)__libc_stack_end - bytes + (bytes > 2 * C_STACK_RESERVE ? C_STACK_RESERVE : bytes / 2);
    return __libc_stack_end;
  }
  pthread_attr_t attributes;
  void *low = NULL;
  size_t bytes = 0;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return NULL;
  pthread_attr_getstack(&attributes, &low, &bytes);
  pthread_attr_destroy(&attributes);
  *limit = (char *)low + (bytes > 2 * C_STACK_RESERVE ? C_STACK_RESERVE : bytes / 2);
  return (char *)low + bytes;
}

/* ---- What belongs to the running thread ------------------------------------------------------------------------------ */

enum { SAVED_FROM = offsetof(asy_vm, base), SAVED_BYTES = offsetof(asy_vm, shapes) - SAVED_FROM };
_Static_assert(SAVED_BYTES <= THREAD_SAVED_WORDS * sizeof(uintptr_t), "asy_thread.saved is too small");

static NO_ASAN __attribute__((noinline)) void copy_frame(asy_thread *self, const uintptr_t *end) {
  const uintptr_t *word = __builtin_frame_address(0);
  for (size_t i = 0; i < THREAD_SPILLED_WORDS; i++) self->spilled[i] = word < end ? *word++ : 0;
}

/* Callee-saved registers are written into this frame; their values may be all that names an object of the caller. */
static __attribute__((noinline)) void spill_registers(asy_thread *self) {
  __builtin_unwind_init();
  copy_frame(self, (const uintptr_t *)__builtin_frame_address(0) + 16);
  __asm__ volatile("" ::: "memory");
}

static void save(asy_vm *vm, asy_thread *self) {
  spill_registers(self);
  self->parked = __builtin_frame_address(0);
  if (vm->stack) {
    vm->stack->top = vm->top;
    vm->stack->base = vm->base;
  }
  self->top_stack = vm->stack;
  memcpy(self->saved, (char *)vm + SAVED_FROM, SAVED_BYTES);
}

static void restore(asy_vm *vm, asy_thread *self) { memcpy((char *)vm + SAVED_FROM, self->saved, SAVED_BYTES); }

asy_vm *asy_thread_fields(asy_vm *vm, asy_thread *thread) {
  return thread == vm->thread ? vm : (asy_vm *)(void *)((char *)thread->saved - SAVED_FROM);
}

/* Sees every word of a thread's C stack that existed when it gave up the lock. */
static NO_ASAN void visit_c_stack(const asy_thread *thread, asy_visitor *v) {
  for (const uintptr_t *word = (const uintptr_t *)(const void *)thread->parked;
       (const char *)word < thread->c_stack_base; word++)
    asy_visit_conservative(v, *word);
}

static void visit_thread(asy_thread *thread, asy_visitor *v) {
  const asy_value own[] = {thread->call, thread->join};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    if (own[i]) asy_visit_value(v, own[i]);
  if (thread == thread->vm->thread || !thread->parked) return;
  for (size_t i = 0; i < THREAD_SPILLED_WORDS; i++) asy_visit_conservative(v, thread->spilled[i]);
  for (size_t i = 0; i < THREAD_SAVED_WORDS; i++) asy_visit_conservative(v, thread->saved[i]);
  for (asy_stack *s = thread->top_stack; s; s = s->below) asy_stack_visit(s, v);
  visit_c_stack(thread, v);
}

void asy_threads_visit(asy_vm *vm, asy_visitor *v) {
  for (asy_thread *thread = vm->threads.first; thread; thread = thread->next) visit_thread(thread, v);
}

/* ---- The lock -------------------------------------------------------------------------------------------------------- */

static struct timespec as_timespec(int64_t ns) {
  return (struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
}

static int64_t now(asy_vm *vm) { return asy_clock_ns(vm, ASY_CLOCK_MONOTONIC); }

/* The mutex is held. A thread that comes when the program has ended stays here. */
static void take(asy_vm *vm, asy_thread *self) {
  asy_threads *threads = &vm->threads;
  threads->waiting++;
  while (threads->holder || threads->ended) {
    if (threads->ended) {
      pthread_cond_wait(&threads->freed, &threads->mutex);
      continue;
    }
    uint64_t seen = threads->switches;
    struct timespec until = as_timespec(now(vm) + threads->interval);
    int rc = pthread_cond_clockwait(&threads->freed, &threads->mutex, CLOCK_MONOTONIC, &until);
    if (rc == ETIMEDOUT && threads->holder && threads->switches == seen) asy_interrupt_set(vm, ASY_INTERRUPT_SWITCH);
  }
  threads->waiting--;
  threads->holder = self;
  threads->switches++;
  pthread_cond_broadcast(&threads->taken);
}

static void give_up(asy_threads *threads) {
  threads->holder = NULL;
  if (threads->waiting) pthread_cond_signal(&threads->freed);
}

asy_thread *asy_thread_release(asy_vm *vm) {
  asy_threads *threads = &vm->threads;
  if (threads->count == 1 || threads->ended) return NULL;
  asy_thread *self = vm->thread;
  save(vm, self);
  pthread_mutex_lock(&threads->mutex);
  give_up(threads);
  pthread_mutex_unlock(&threads->mutex);
  return self;
}

void asy_thread_acquire(asy_vm *vm, asy_thread *self) {
  if (!self) return;
  int error = errno;
  pthread_mutex_lock(&vm->threads.mutex);
  take(vm, self);
  pthread_mutex_unlock(&vm->threads.mutex);
  restore(vm, self);
  if (self == vm->threads.main && vm->signals.pending) asy_interrupt_set(vm, ASY_INTERRUPT_SIGNAL);
  errno = error;
}

void asy_thread_yield(asy_vm *vm) {
  asy_threads *threads = &vm->threads;
  asy_interrupt_clear(vm, ASY_INTERRUPT_SWITCH);
  if (threads->count == 1 || threads->ended) return;
  asy_thread *self = vm->thread;
  save(vm, self);
  pthread_mutex_lock(&threads->mutex);
  uint64_t seen = threads->switches;
  give_up(threads);
  while (threads->waiting && threads->switches == seen) pthread_cond_wait(&threads->taken, &threads->mutex);
  take(vm, self);
  pthread_mutex_unlock(&threads->mutex);
  restore(vm, self);
  if (self == threads->main && vm->signals.pending) asy_interrupt_set(vm, ASY_INTERRUPT_SIGNAL);
}

void asy_thread_wait(asy_vm *vm, int64_t deadline) {
  sem_t *wake = &vm->thread->wake;
  struct timespec until = as_timespec(deadline);
  asy_thread *self = asy_thread_release(vm);
  if (deadline == INT64_MAX) (void)sem_wait(wake);
  else (void)sem_clockwait(wake, CLOCK_MONOTONIC, &until);
  asy_thread_acquire(vm, self);
}

bool asy_thread_is_main(asy_vm *vm) { return vm->thread == vm->threads.main; }

bool asy_sleep_ns(asy_vm *vm, int64_t ns) {
  int64_t deadline = now(vm) + ns;
  bool watched = vm->watchdog.limit && vm->running_loop; /* then it wakes to say so when that takes long */
  int64_t most = vm->watchdog.limit + vm->watchdog.limit / 2;
  do {
    asy_thread *self = asy_thread_release(vm);
    vm->gate.sleep_ns(vm->gate.context, watched && ns > most ? most : ns);
    asy_thread_acquire(vm, self);
    if (vm->interrupt & ASY_INTERRUPT_WATCHDOG) asy_watchdog_report(vm);
    if (!asy_check_signals(vm)) return false;
    ns = deadline - now(vm);
  } while (ns > 0);
  return true;
}

/* ---- Beginning and end ----------------------------------------------------------------------------------------------- */

void asy_thread_init(asy_vm *vm, asy_thread *thread) {
  thread->vm = vm;
  sem_init(&thread->wake, 0, 0);
  asy_stack_init(vm, &thread->stack, NULL);
  thread->next = vm->threads.first;
  if (thread->next) thread->next->prev = thread;
  vm->threads.first = thread;
  thread->number = ++vm->threads.started;
  vm->threads.count++;
}

void asy_thread_drop(asy_vm *vm, asy_thread *thread) {
  if (thread->prev) thread->prev->next = thread->next;
  else vm->threads.first = thread->next;
  if (thread->next) thread->next->prev = thread->prev;
  vm->threads.count--;
  asy_stack_free(vm, &thread->stack);
  sem_destroy(&thread->wake);
}

void asy_thread_begin(asy_vm *vm, asy_thread *self) {
  pthread_mutex_lock(&vm->threads.mutex);
  take(vm, self);
  pthread_mutex_unlock(&vm->threads.mutex);
  memset((char *)vm + SAVED_FROM, 0, SAVED_BYTES);
  asy_trace_thread_begins(vm);
}

void asy_thread_finish(asy_vm *vm, asy_thread *self) {
  asy_thread_drop(vm, self);
  if (vm->trace || vm->profile) asy_trace_threads_changed(vm);
  vm->thread = NULL;
  free(self);
  pthread_mutex_lock(&vm->threads.mutex);
  give_up(&vm->threads);
  pthread_mutex_unlock(&vm->threads.mutex); /* the VM may be gone behind this */
}

/* The calling thread's bounds, and its stack of script code ready for a first frame. False: no memory. */
bool asy_thread_enter(asy_vm *vm, asy_thread *self) {
  vm->thread = self;
  self->native_id = syscall(SYS_gettid);
  self->handle = pthread_self();
  self->c_stack_base = asy_find_c_stack(&vm->c_stack_limit);
  if (!self->c_stack_base) return false;
  vm->handled = vm->sent = vm->stop_value = vm->result = ASY_NONE;
  vm->stack = &self->stack;
  vm->top = asy_stack_reserve(vm, &self->stack, NULL, FRAME_HEADER);
  vm->limit = self->stack.limit;
  return vm->top != NULL;
}

bool asy_threads_init(asy_vm *vm) {
  asy_threads *threads = &vm->threads;
  pthread_mutex_init(&threads->mutex, NULL);
  pthread_cond_init(&threads->freed, NULL);
  pthread_cond_init(&threads->taken, NULL);
  threads->interval = SWITCH_NS;
  threads->holder = threads->main = &threads->original;
  asy_thread_init(vm, threads->main);
  return asy_thread_enter(vm, threads->main);
}

bool asy_threads_end(asy_vm *vm) {
  asy_threads *threads = &vm->threads;
  pthread_mutex_lock(&threads->mutex); /* whoever ended last is out of it */
  threads->ended = true;
  pthread_mutex_unlock(&threads->mutex);
  if (threads->count > 1) return false;
  asy_locals_end(vm);
  asy_thread_drop(vm, threads->main);
  pthread_cond_destroy(&threads->freed);
  pthread_cond_destroy(&threads->taken);
  pthread_mutex_destroy(&threads->mutex);
  return true;
}

void asy_threads_after_fork(asy_vm *vm) {
  asy_threads *threads = &vm->threads;
  asy_thread *self = vm->thread;
  pthread_mutex_init(&threads->mutex, NULL);
  pthread_cond_init(&threads->freed, NULL);
  pthread_cond_init(&threads->taken, NULL);
  threads->forks++;
  threads->waiting = 0;
  threads->holder = self;
  threads->first = self; /* the others are gone; what they held stays */
  threads->count = 1;
  threads->main = self;
  self->prev = self->next = NULL;
  self->native_id = syscall(SYS_gettid);
  asy_interrupt_clear(vm, ASY_INTERRUPT_SWITCH);
}
