/* signal.h - signals: noted by the C handler, answered by the main thread at a safepoint.
 * The C handler sets a bit and wakes the main thread, whatever it waits for; script code never runs in it. A signal is of the
 * process: the VM that asy_signals_attach names last gets them.
 */
#ifndef ASY_RUNTIME_SIGNAL_H
#define ASY_RUNTIME_SIGNAL_H

#include "runtime/asy.h"

enum { SIGNAL_COUNT = 65 };

typedef struct asy_signals {
  volatile uint64_t pending;        /* bit n - 1: signal n has come */
  asy_value handlers[SIGNAL_COUNT]; /* of scripts: a callable, or the int of SIG_DFL, SIG_IGN; 0: never set */
  volatile int wakeup_fd;           /* + 1: the C handler writes the number there; 0 none */
} asy_signals;

bool asy_signals_run(
  asy_vm *vm); /* in the main thread: calls the handlers of what has come; false: an exception is pending */
/* From now on the signal has its default effect (how 0), is ignored (1), or noted (2). False: errno says why not. */
bool asy_signal_catch(int number, int how);
void asy_signal_simulate(asy_vm *vm, int number); /* as if it had come; nothing when it is ignored */
void asy_signals_detach(asy_vm *vm);              /* it gets no signals any more */
const void *asy_signals_receiver(void);           /* where the address of the VM that gets signals is kept */
void asy_signals_visit(asy_vm *vm, asy_visitor *v);

#endif
