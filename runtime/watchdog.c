/* watchdog.c - the thread that sees when a step takes long. See watchdog.h. */
#include "runtime/watchdog.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/builtins.h"
#include "runtime/class.h"
#include "runtime/exc.h"
#include "runtime/frame.h"
#include "runtime/task.h"
#include "runtime/traceback.h"
#include "runtime/vm.h"

enum { LOOKS = 5 }; /* within the limit */

static void look_on(asy_vm *vm) {
  asy_watchdog *w = &vm->watchdog;
  asy_gate clock = asy_gate_system(); /* not the VM's: its time may be virtual */
  uint32_t seen = w->beat, looks = 0, quiet = 0;
  while (!w->ending && quiet < LOOKS) {
    clock.sleep_ns(clock.context, w->limit / LOOKS);
    quiet = w->idle ? quiet + 1 : 0;
    if (w->idle || w->beat != seen) {
      seen = w->beat;
      looks = 0;
    } else if (++looks == LOOKS) {
      asy_interrupt_set(vm, ASY_INTERRUPT_WATCHDOG);
      sem_post(&vm->threads.main->wake); /* it may sleep in a native */
    }
  }
}

static void *watch(void *context) {
  asy_vm *vm = context;
  asy_watchdog *w = &vm->watchdog;
  while (!w->ending) {
    look_on(vm);
    __atomic_store_n(&w->parked, true, __ATOMIC_SEQ_CST);
    if (!w->idle || w->ending) continue;
    (void)sem_wait(&w->wake);
  }
  return NULL;
}

static void start(asy_vm *vm) {
  asy_watchdog *w = &vm->watchdog;
  pthread_attr_t attributes;
  sigset_t all, before;
  w->running = true; /* also when it cannot be started: it is not needed enough to fail */
  sem_init(&w->wake, 0, 0);
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 64 * 1024);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  if (pthread_create(&w->thread, &attributes, watch, vm)) w->limit = 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
}

void asy_watchdog_idle(asy_vm *vm, bool idle) {
  asy_watchdog *w = &vm->watchdog;
  if (!w->limit) return;
  w->beat++;
  w->idle = idle;
  if (idle) return;
  if (!w->running) start(vm);
  else if (w->parked && __atomic_exchange_n(&w->parked, false, __ATOMIC_SEQ_CST)) sem_post(&w->wake);
}

void asy_watchdog_end(asy_vm *vm) {
  asy_watchdog *w = &vm->watchdog;
  if (!w->running || !w->limit) return;
  w->ending = true;
  sem_post(&w->wake);
  pthread_join(w->thread, NULL);
  sem_destroy(&w->wake);
  w->running = false;
}

/* True the first time that a function is seen. */
static bool is_new(asy_vm *vm, asy_str *place) {
  asy_watchdog *w = &vm->watchdog;
  if (!w->places) w->places = asy_list_new(vm, 4);
  if (!w->places) return false;
  for (uint32_t i = 0; i < w->places->len; i++)
    if (asy_str_compare((asy_str *)asy_obj_of(w->places->items[i]), place) == 0) return false;
  return asy_list_append(vm, w->places, asy_from_obj(place));
}

/* The line that runs, and what to write in place of the commonest one. */
static void show_line(asy_vm *vm, const asy_code *code, int line) {
  static const char sleeps[] = "hint: `await asyncio.sleep(..)` lets the other tasks run meanwhile\n";
  size_t length;
  asy_value keep;
  const char *filename = asy_str_utf8(vm, code->filename, &length, &keep);
  const char *text = filename ? asy_file_line(vm, filename, line, &length) : NULL;
  if (!text) return;
  while (length && (*text == ' ' || *text == '\t')) text++, length--;
  asy_sink out = {0};
  asy_sink_text(&out, "    ");
  asy_sink_add(&out, text, length);
  asy_sink_text(&out, "\n");
  if (memmem(text, length, "time.sleep(", 11)) asy_sink_text(&out, sleeps);
  if (!out.failed) (void)asy_write_stderr(vm, out.data, out.len);
  free(out.data);
}

void asy_watchdog_report(asy_vm *vm) {
  asy_interrupt_clear(vm, ASY_INTERRUPT_WATCHDOG);
  asy_task *task = vm->current_task;
  if (!task || !vm->base || !FRAME_FUNC(vm->base)) return;
  asy_value pending = asy_raised(vm) ? asy_take_exception(vm) : 0;
  asy_code *code = asy_frame_code(vm->base);
  int line = (int)asy_code_position(code, asy_frame_word(vm->base)).line;
  asy_str *function = asy_str_format(vm, "%U:%U", code->filename, code->qualname);
  if (function && is_new(vm, function)) {
    asy_value name = asy_call_method(vm, asy_from_obj(task), asy_intern(vm, "get_name"), 0, NULL);
    asy_str *text = asy_failed(name)
                      ? NULL
                      : asy_str_format(vm,
                                       "asy: %S holds the loop for more than %d ms\n  File \"%U\", line %d, in %U\n",
                                       name, (int)(vm->watchdog.limit / 1000000), code->filename, line, code->name);
    size_t length;
    asy_value keep;
    const char *utf8 = text ? asy_str_utf8(vm, text, &length, &keep) : NULL;
    if (utf8) (void)asy_write_stderr(vm, utf8, length);
    if (utf8) show_line(vm, code, line);
  }
  asy_clear_exception(vm);
  if (pending) asy_set_exception(vm, pending);
}
