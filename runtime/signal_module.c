/* signal_module.c - the module _signal: handlers of scripts, timers, masks and waiting. Handlers run as signal.h says. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "runtime/coro.h"
#include "runtime/exc.h"
#include "runtime/vm.h"

static const asy_constants constants = CONSTANTS(
  "signal", SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGIOT, SIGBUS, SIGFPE, SIGKILL, SIGUSR1, SIGSEGV,
  SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGSTKFLT, SIGCHLD, SIGCLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG,
  SIGXCPU, SIGXFSZ, SIGPROF, SIGVTALRM, SIGWINCH, SIGIO, SIGPOLL, SIGPWR, SIGSYS, SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK,
  ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF, NSIG);

/* The signal that v names; 0: ValueError. */
static int number_of(asy_vm *vm, asy_value v) {
  int number;
  if (!asy_to_c_int(vm, v, &number)) return 0;
  if (number >= 1 && number < SIGNAL_COUNT) return number;
  asy_raise(vm, ASY_ValueError, "signal number out of range");
  return 0;
}

static asy_value raise_system(asy_vm *vm) { return asy_raise_errno(vm, errno, ASY_UNBOUND); }

/* What has come meanwhile is answered before the call returns. */
static asy_value checked(asy_vm *vm, asy_value result) { return asy_check_signals(vm) ? result : ASY_FAILED; }

/* ---- Handlers -------------------------------------------------------------------------------------------------------- */

static asy_value default_int_handler(asy_vm *vm, const asy_value *args) {
  int number;
  if (!asy_to_c_int(vm, args[0], &number)) return ASY_FAILED;
  return asy_raise(vm, ASY_KeyboardInterrupt, "");
}

static asy_value default_of(asy_vm *vm) {
  asy_value module = asy_import(vm, "_signal");
  return asy_failed(module) ? ASY_FAILED : asy_get_attr_cstr(vm, module, "default_int_handler");
}

/* None: not set by a script. */
static asy_value handler_of(asy_vm *vm, int number) {
  asy_value handler = vm->signals.handlers[number];
  if (handler) return handler;
  struct sigaction now;
  if (sigaction(number, NULL, &now)) return ASY_NONE;
  if (now.sa_handler == SIG_DFL) return asy_from_small(0);
  if (now.sa_handler == SIG_IGN) return asy_from_small(1);
  return number == SIGINT ? default_of(vm) : ASY_NONE;
}

static asy_value signal_getsignal(asy_vm *vm, const asy_value *args) {
  int number = number_of(vm, args[0]);
  return number ? handler_of(vm, number) : ASY_FAILED;
}

static asy_value signal_signal(asy_vm *vm, const asy_value *args) {
  int number;
  int64_t which = -1;
  if (!asy_thread_is_main(vm))
    return asy_raise(vm, ASY_ValueError, "signal only works in main thread of the main interpreter");
  bool plain = asy_is_number_int64(args[1], &which);
  if (!(number = number_of(vm, args[0]))) return ASY_FAILED;
  if (plain ? which != 0 && which != 1 : !asy_callable(vm, args[1]))
    return asy_raise(vm, ASY_TypeError, "signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object");
  asy_value before = handler_of(vm, number), preset = default_of(vm);
  if (asy_failed(before) || asy_failed(preset) || !asy_check_signals(vm)) return ASY_FAILED;
  if (!asy_signal_catch(number, plain ? (int)which : 2)) return raise_system(vm);
  vm->signals.handlers[number] = plain ? asy_from_small(which) : number == SIGINT && args[1] == preset ? 0 : args[1];
  return before;
}

static asy_value signal_siginterrupt(asy_vm *vm, const asy_value *args) {
  int number = number_of(vm, args[0]);
  int interrupts = number ? asy_truth(vm, args[1]) : -1;
  if (interrupts < 0) return ASY_FAILED;
  struct sigaction action;
  if (sigaction(number, NULL, &action)) return raise_system(vm);
  if (interrupts) action.sa_flags &= ~SA_RESTART;
  else action.sa_flags |= SA_RESTART;
  return sigaction(number, &action, NULL) ? raise_system(vm) : ASY_NONE;
}

static asy_value signal_set_wakeup_fd(asy_vm *vm, const asy_value *args) {
  int fd;
  if (!asy_thread_is_main(vm))
    return asy_raise(vm, ASY_ValueError, "set_wakeup_fd only works in main thread of the main interpreter");
  if (!asy_to_int(vm, args[0], INT32_MIN, INT32_MAX, &fd)) return ASY_FAILED;
  if (fd >= 0) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) return raise_system(vm);
    if (!(flags & O_NONBLOCK)) return asy_raise(vm, ASY_ValueError, "the fd %d must be in non-blocking mode", fd);
  }
  int before = vm->signals.wakeup_fd - 1;
  vm->signals.wakeup_fd = fd < 0 ? 0 : fd + 1;
  return asy_from_small(before);
}

/* ---- Sending --------------------------------------------------------------------------------------------------------- */

static asy_value signal_raise(asy_vm *vm, const asy_value *args) {
  int number;
  if (!asy_to_c_int(vm, args[0], &number)) return ASY_FAILED;
  return raise(number) ? raise_system(vm) : checked(vm, ASY_NONE);
}

static asy_value signal_pthread_kill(asy_vm *vm, const asy_value *args) {
  int64_t thread, number;
  if (!asy_to_int64(vm, args[0], &thread) || !asy_to_int64(vm, args[1], &number)) return ASY_FAILED;
  int rc = ESRCH;
  for (asy_thread *t = vm->threads.first; t; t = t->next)
    if ((int64_t)(uintptr_t)t->handle == thread) rc = pthread_kill(t->handle, (int)number);
  return rc ? asy_raise_errno(vm, rc, ASY_UNBOUND) : checked(vm, ASY_NONE);
}

static asy_value signal_pidfd_send(asy_vm *vm, const asy_value *args) {
  int64_t fd, number, flags;
  if (!asy_to_int64(vm, args[0], &fd) || !asy_to_int64(vm, args[1], &number) || !asy_to_int64(vm, args[3], &flags))
    return ASY_FAILED;
  if (args[2] != ASY_NONE) return asy_raise(vm, ASY_TypeError, "siginfo must be None");
  return syscall(SYS_pidfd_send_signal, (int)fd, (int)number, NULL, (unsigned)flags) < 0 ? raise_system(vm)
                                                                                         : checked(vm, ASY_NONE);
}

/* ---- Timers ---------------------------------------------------------------------------------------------------------- */

static asy_value signal_alarm(asy_vm *vm, const asy_value *args) {
  int seconds;
  return asy_to_c_int(vm, args[0], &seconds) ? asy_from_small(alarm((unsigned)seconds)) : ASY_FAILED;
}

/* A time in seconds: a float or what counts as an integer, as CPython has it. */
static bool seconds_of(asy_vm *vm, asy_value v, double *seconds) {
  int64_t whole;
  if (asy_is_float(v)) return asy_to_double(vm, v, seconds);
  if (!asy_to_int64(vm, v, &whole)) return false;
  *seconds = (double)whole;
  return true;
}

static bool to_timeval(asy_vm *vm, asy_value v, struct timeval *out) {
  double seconds;
  if (!seconds_of(vm, v, &seconds)) return false;
  out->tv_sec = (time_t)floor(seconds);
  out->tv_usec = (suseconds_t)((seconds - floor(seconds)) * 1e6);
  return true;
}

static asy_value pair_of(asy_vm *vm, const struct itimerval *t) {
  return asy_tuple_of(vm, 2, asy_from_double(vm, (double)t->it_value.tv_sec + (double)t->it_value.tv_usec / 1e6),
                      asy_from_double(vm, (double)t->it_interval.tv_sec + (double)t->it_interval.tv_usec / 1e6));
}

static asy_value raise_itimer(asy_vm *vm) {
  int code = errno;
  asy_value module = asy_import(vm, "_signal"), text = asy_from_cstr(vm, strerror(code));
  asy_value cls = asy_failed(module) ? ASY_FAILED : asy_get_attr_cstr(vm, module, "itimer_error");
  asy_value error = asy_failed(cls) || asy_failed(text) ? ASY_FAILED : asy_call2(vm, cls, asy_from_small(code), text);
  return asy_failed(error) ? ASY_FAILED : asy_raise_value(vm, error);
}

static asy_value signal_setitimer(asy_vm *vm, const asy_value *args) {
  int which;
  struct itimerval fresh, before;
  if (!asy_to_c_int(vm, args[0], &which) || !to_timeval(vm, args[1], &fresh.it_value) ||
      !to_timeval(vm, args[2], &fresh.it_interval))
    return ASY_FAILED;
  return setitimer(which, &fresh, &before) ? raise_itimer(vm) : pair_of(vm, &before);
}

static asy_value signal_getitimer(asy_vm *vm, const asy_value *args) {
  int which;
  struct itimerval now;
  if (!asy_to_c_int(vm, args[0], &which)) return ASY_FAILED;
  return getitimer(which, &now) ? raise_itimer(vm) : pair_of(vm, &now);
}

/* ---- Masks and waiting ----------------------------------------------------------------------------------------------- */

static bool to_sigset(asy_vm *vm, asy_value signals, sigset_t *out) {
  sigemptyset(out);
  asy_value iterator = asy_iter(vm, signals), item;
  if (asy_failed(iterator)) return false;
  while ((item = asy_next(vm, iterator)) != ASY_END) {
    asy_value index = asy_failed(item) ? ASY_FAILED : asy_index(vm, item);
    int64_t number;
    if (asy_failed(index)) return false;
    if (!asy_is_number_int64(index, &number) || number < 1 || number >= SIGNAL_COUNT) {
      asy_raise(vm, ASY_ValueError, "signal number %S out of range [1; %d]", index, SIGNAL_COUNT - 1);
      return false;
    }
    sigaddset(out, (int)number);
  }
  return true;
}

static asy_value from_sigset(asy_vm *vm, const sigset_t *set) {
  asy_list *list = asy_list_new(vm, 0);
  for (int i = 1; list && i < SIGNAL_COUNT; i++)
    if (sigismember(set, i) == 1 && !asy_list_append(vm, list, asy_from_small(i))) return ASY_FAILED;
  return list ? asy_call1(vm, asy_from_obj(vm->classes[KIND_SET]), asy_from_obj(list)) : ASY_FAILED;
}

static asy_value signal_pthread_sigmask(asy_vm *vm, const asy_value *args) {
  int64_t how;
  sigset_t mask, before;
  if (!asy_to_int64(vm, args[0], &how) || !to_sigset(vm, args[1], &mask)) return ASY_FAILED;
  int rc = pthread_sigmask((int)how, &mask, &before);
  if (rc) return asy_raise_errno(vm, rc, ASY_UNBOUND);
  return checked(vm, from_sigset(vm, &before));
}

static asy_value signal_sigpending(asy_vm *vm, const asy_value *args) {
  sigset_t pending;
  return sigpending(&pending) ? raise_system(vm) : from_sigset(vm, &pending);
}

static asy_value signal_valid_signals(asy_vm *vm, const asy_value *args) {
  sigset_t all;
  sigfillset(&all);
  return from_sigset(vm, &all);
}

/* The siginfo of the next of the signals; deadline INT64_MAX: never gives up. 1, 0 too late, -1 failed. */
static int wait_signal(asy_vm *vm, const sigset_t *set, int64_t deadline, siginfo_t *info) {
  for (;;) {
    int64_t left = deadline == INT64_MAX ? 0 : deadline - asy_clock_ns(vm, ASY_CLOCK_MONOTONIC);
    struct timespec limit = {.tv_sec = left > 0 ? left / 1000000000 : 0, .tv_nsec = left > 0 ? left % 1000000000 : 0};
    asy_thread *self = asy_thread_release(vm);
    int rc = deadline == INT64_MAX ? sigwaitinfo(set, info) : sigtimedwait(set, info, &limit);
    asy_thread_acquire(vm, self);
    if (rc >= 0) return 1;
    if (errno == EAGAIN) return 0;
    if (errno != EINTR) return raise_system(vm), -1;
    if (!asy_check_signals(vm)) return -1;
  }
}

static asy_class *info_class(asy_vm *vm) {
  static const asy_member fields[] = {
    {"si_signo", ASY_RECORD(0), MEMBER_VALUE, false}, {"si_code", ASY_RECORD(1), MEMBER_VALUE, false},
    {"si_errno", ASY_RECORD(2), MEMBER_VALUE, false}, {"si_pid", ASY_RECORD(3), MEMBER_VALUE, false},
    {"si_uid", ASY_RECORD(4), MEMBER_VALUE, false},   {"si_status", ASY_RECORD(5), MEMBER_VALUE, false},
    {"si_band", ASY_RECORD(6), MEMBER_VALUE, false},  {0},
  };
  return asy_define_long_record(vm, "signal.struct_siginfo", fields, 7);
}

static asy_value from_info(asy_vm *vm, const siginfo_t *info) {
  asy_class *cls = info_class(vm);
  const asy_value items[] = {asy_from_small(info->si_signo), asy_from_small(info->si_code),
                             asy_from_small(info->si_errno), asy_from_small(info->si_pid),
                             asy_from_small(info->si_uid),   asy_from_small(info->si_status),
                             asy_from_small(info->si_band)};
  return cls ? asy_record_new(vm, cls, items) : ASY_FAILED;
}

static asy_value signal_sigwait(asy_vm *vm, const asy_value *args) {
  sigset_t set;
  siginfo_t info;
  if (!to_sigset(vm, args[0], &set) || wait_signal(vm, &set, INT64_MAX, &info) < 0) return ASY_FAILED;
  return asy_from_small(info.si_signo);
}

static asy_value signal_sigwaitinfo(asy_vm *vm, const asy_value *args) {
  sigset_t set;
  siginfo_t info;
  if (!to_sigset(vm, args[0], &set) || wait_signal(vm, &set, INT64_MAX, &info) < 0) return ASY_FAILED;
  return from_info(vm, &info);
}

static asy_value signal_sigtimedwait(asy_vm *vm, const asy_value *args) {
  sigset_t set;
  siginfo_t info;
  double seconds;
  if (!to_sigset(vm, args[0], &set) || !seconds_of(vm, args[1], &seconds)) return ASY_FAILED;
  if (seconds < 0) return asy_raise(vm, ASY_ValueError, "timeout must be non-negative");
  int64_t deadline = seconds > 4e9 ? INT64_MAX - 1 : asy_clock_ns(vm, ASY_CLOCK_MONOTONIC) + (int64_t)(seconds * 1e9);
  int got = wait_signal(vm, &set, deadline, &info);
  return got < 0 ? ASY_FAILED : got ? from_info(vm, &info) : ASY_NONE;
}

static asy_value signal_pause(asy_vm *vm, const asy_value *args) {
  asy_thread *self = asy_thread_release(vm);
  (void)pause();
  asy_thread_acquire(vm, self);
  return checked(vm, ASY_NONE);
}

static asy_value signal_strsignal(asy_vm *vm, const asy_value *args) {
  int number = number_of(vm, args[0]);
  if (!number) return ASY_FAILED;
  const char *text = sigdescr_np(number);
  if (text) return asy_from_cstr(vm, text);
  if (number < SIGRTMIN) return ASY_NONE;
  asy_str *made = asy_str_format(vm, "Real-time signal %d", number - SIGRTMIN);
  return made ? asy_from_obj(made) : ASY_FAILED;
}

static bool signal_init(asy_vm *vm, asy_value module) {
  asy_class *record = info_class(vm);
  return record && asy_module_set(vm, module, "struct_siginfo", asy_from_obj(record)) &&
         asy_module_add_constants(vm, module, &constants) && asy_module_set(vm, module, "SIG_DFL", asy_from_small(0)) &&
         asy_module_set(vm, module, "SIG_IGN", asy_from_small(1)) &&
         asy_module_set(vm, module, "SIGRTMIN", asy_from_small(SIGRTMIN)) &&
         asy_module_set(vm, module, "SIGRTMAX", asy_from_small(SIGRTMAX)) &&
         asy_define_exception(vm, module, "signal.itimer_error", ASY_OSError);
}

static const asy_native signal_natives[] = {
  {"signal", SIG("(signalnum, handler, /)"), signal_signal,
   DOC("What to do when a signal comes; what was done before."), 0},
  {"getsignal", SIG("(signalnum, /)"), signal_getsignal,
   DOC("What is done when a signal comes; None: not set by a script."), 0},
  {"default_int_handler", SIG("(signalnum, frame, /)"), default_int_handler, DOC("Raises KeyboardInterrupt."), 0},
  {"raise_signal", SIG("(signalnum, /)"), signal_raise, DOC("Send a signal to this program."), 0},
  {"pthread_kill", SIG("(thread_id, signalnum, /)"), signal_pthread_kill, DOC("Send a signal to a thread."), 0},
  {"pidfd_send_signal", SIG("(pidfd, signalnum, siginfo=None, flags=0, /)"), signal_pidfd_send,
   DOC("Send a signal to the process of a file descriptor."), 0},
  {"alarm", SIG("(seconds, /)"), signal_alarm, DOC("SIGALRM after so many seconds; what was left of the last one."), 0},
  {"setitimer", SIG("(which, seconds, interval=0.0, /)"), signal_setitimer,
   DOC("Signals at intervals; the timer before."), 0},
  {"getitimer", SIG("(which, /)"), signal_getitimer, DOC("(time left, interval)"), 0},
  {"pause", SIG("()"), signal_pause, DOC("Wait for a signal."), 0},
  {"pthread_sigmask", SIG("(how, mask, /)"), signal_pthread_sigmask,
   DOC("Change what this thread blocks; what it blocked."), 0},
  {"sigpending", SIG("()"), signal_sigpending, DOC("The blocked signals that have come."), 0},
  {"sigwait", SIG("(sigset, /)"), signal_sigwait, DOC("Wait for one of the signals; which."), 0},
  {"sigwaitinfo", SIG("(sigset, /)"), signal_sigwaitinfo, DOC("Wait for one of the signals; all about it."), 0},
  {"sigtimedwait", SIG("(sigset, timeout, /)"), signal_sigtimedwait, DOC("The same; None after timeout seconds."), 0},
  {"set_wakeup_fd", SIG("(fd, /, *, warn_on_full_buffer=True)"), signal_set_wakeup_fd,
   DOC("Write the number of each signal to a file descriptor; the one before, or -1."), 0},
  {"siginterrupt", SIG("(signalnum, flag, /)"), signal_siginterrupt, DOC("Whether the signal ends system calls."), 0},
  {"strsignal", SIG("(signalnum, /)"), signal_strsignal, DOC("What the system calls a signal."), 0},
  {"valid_signals", SIG("()"), signal_valid_signals, DOC("All signals there are."), 0},
  {0},
};

const asy_module_def asy_module_signal = {"_signal", signal_natives, "Signals.", signal_init};
