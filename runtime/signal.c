/* signal.c - noting signals and answering them; the module _signal. See signal.h. */
#include "runtime/signal.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "runtime/coro.h"
#include "runtime/loop.h"
#include "runtime/thread.h"

/* A signal handler has no argument, and signals are of the process: the VM that gets them. */
static asy_vm *volatile receiver;

const void *asy_signals_receiver(void) { return (const void *)&receiver; }

/* Async-signal-safe; also from other threads. */
static void note(asy_vm *vm, int number) {
  __atomic_or_fetch(&vm->signals.pending, UINT64_C(1) << (number - 1), __ATOMIC_SEQ_CST);
  asy_interrupt_set(vm, ASY_INTERRUPT_SIGNAL);
  sem_post(&vm->threads.main->wake);
  uv_async_t *poll = vm->threads.main_poll;
  if (poll) uv_async_send(poll);
}

void asy_interrupt(asy_vm *vm) { note(vm, SIGINT); }

void asy_signal_simulate(asy_vm *vm, int number) {
  asy_value handler = vm->signals.handlers[number];
  if (handler ? asy_is_obj(handler) : number == SIGINT) note(vm, number);
}

static void on_signal(int number) {
  int error = errno;
  asy_vm *vm = receiver;
  if (vm) {
    note(vm, number);
    int fd = vm->signals.wakeup_fd - 1;
    unsigned char byte = (unsigned char)number;
    if (fd >= 0) {
      ssize_t n = write(fd, &byte, 1);
      (void)n;
    }
  }
  errno = error;
}

bool asy_signal_catch(int number, int how) {
  struct sigaction action = {.sa_handler = how == 0 ? SIG_DFL : how == 1 ? SIG_IGN : on_signal};
  return !sigaction(number, &action, NULL);
}

void asy_signals_attach(asy_vm *vm) {
  receiver = vm;
  if (!vm) return;
  struct sigaction now;
  if (!sigaction(SIGINT, NULL, &now) && now.sa_handler == SIG_DFL) asy_signal_catch(SIGINT, 2);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
}

void asy_signals_detach(asy_vm *vm) {
  if (receiver == vm) receiver = NULL;
}

/* SIGINT as long as no script has set another handler. */
static bool interrupt(asy_vm *vm) {
  if (asy_loop_take_interrupt(vm)) return true; /* asyncio.run cancels its main task first */
  asy_raise(vm, ASY_KeyboardInterrupt, "");
  return false;
}

static bool answer(asy_vm *vm, int number) {
  asy_value handler = vm->signals.handlers[number];
  if (!handler) return number != SIGINT || interrupt(vm);
  if (!asy_is_obj(handler)) return true; /* ignored meanwhile */
  asy_value frame = vm->base ? asy_getframe(vm, 0) : ASY_NONE;
  return !asy_failed(frame) && !asy_failed(asy_call2(vm, handler, asy_from_small(number), frame));
}

bool asy_signals_run(asy_vm *vm) {
  asy_interrupt_clear(vm, ASY_INTERRUPT_SIGNAL);
  if (!asy_thread_is_main(vm)) return true; /* the main thread sets the bit again when it takes the lock */
  uint64_t pending = __atomic_exchange_n(&vm->signals.pending, 0, __ATOMIC_SEQ_CST);
  while (pending) {
    int number = __builtin_ctzll(pending) + 1;
    pending &= pending - 1;
    if (answer(vm, number)) continue;
    __atomic_or_fetch(&vm->signals.pending, pending, __ATOMIC_SEQ_CST);
    if (pending) asy_interrupt_set(vm, ASY_INTERRUPT_SIGNAL);
    return false;
  }
  return true;
}

bool asy_check_signals(asy_vm *vm) { return !vm->signals.pending || !asy_thread_is_main(vm) || asy_signals_run(vm); }

void asy_signals_visit(asy_vm *vm, asy_visitor *v) {
  for (int i = 0; i < SIGNAL_COUNT; i++)
    if (vm->signals.handlers[i]) asy_visit_value(v, vm->signals.handlers[i]);
}
