/* watchdog.h - names a step of a task that holds the loop, while it still does.
 *
 * A thread looks a few times a second at a counter that the loop advances with each step. When it has not moved for the limit, the
 * thread asks the VM, by its interrupt flag, to say where it stands; each place is named once. While the loop waits in its poll the
 * thread waits too, so an idle program stays idle.
 *
 *   idle --loop has work--> watching --no step ended within the limit--> ASY_INTERRUPT_WATCHDOG --safepoint--> one line on stderr
 *
 * Must stay true: the thread reads `beat` and `idle` and sets the flag; it touches nothing else of the VM.
 */
#ifndef ASY_RUNTIME_WATCHDOG_H
#define ASY_RUNTIME_WATCHDOG_H

#include <pthread.h>
#include <semaphore.h>

#include "runtime/asy.h"

typedef struct asy_watchdog {
  volatile uint32_t beat; /* steps begun */
  volatile bool idle;     /* no loop runs, or it polls */
  volatile bool parked;   /* the thread waits on `wake` until the loop has work */
  volatile bool ending;   /* the thread is to end */
  bool running;           /* there is a thread */
  int64_t limit;          /* ns that a step may take; 0: nobody watches */
  pthread_t thread;
  sem_t wake;
  struct asy_list *places; /* texts that were printed; NULL none */
} asy_watchdog;

void asy_watchdog_idle(asy_vm *vm, bool idle); /* the loop begins or ends to wait; the first work starts the thread */
void asy_watchdog_report(asy_vm *vm);          /* at a safepoint: names the place */
void asy_watchdog_end(asy_vm *vm);

#endif
