/* timer.h - the timers of a loop: a 4-ary heap of {deadline, owner}, the earliest first.
 * The owner, a task that sleeps or a timer handle, knows its place (back-index), so that cancelling takes it out at once: a
 * million cancelled timeouts leave nothing behind. A wide heap moves fewer entries and looks at neighbours in one cache line.
 */
#ifndef ASY_RUNTIME_TIMER_H
#define ASY_RUNTIME_TIMER_H

#include "runtime/asy.h"

typedef struct {
  int64_t deadline; /* nanoseconds of the gate's monotonic clock */
  asy_obj *owner;   /* KIND_TASK or KIND_TIMER_HANDLE; kept alive by the loop's lists of these */
} asy_timer;

typedef struct {
  asy_timer *entries;
  uint32_t count, cap;
} asy_timers;

bool asy_timers_add(asy_vm *vm, asy_timers *timers, int64_t deadline, asy_obj *owner); /* false: MemoryError */
void asy_timers_remove(asy_timers *timers, uint32_t index);
static inline int64_t asy_timers_next(
  const asy_timers *timers) { /* the earliest deadline; INT64_MAX when there is none */
  return timers->count ? timers->entries[0].deadline : INT64_MAX;
}
void asy_timers_free(asy_vm *vm, asy_timers *timers);

#endif
