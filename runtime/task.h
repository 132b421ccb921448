/* task.h - a coroutine driven by the loop.
 *
 * While a task runs its frames are reached through the loop's one asy_stack; when it parks, only what is needed to go on is kept:
 * the chunks, the top frame and its depth. So a sleeping task is this struct (96 bytes), its first chunk, the coroutine object
 * and 16 bytes of timer. All pending tasks of a loop are on its doubly linked list, which keeps them alive.
 *
 * What `waiting` says: 0 the task runs, or stands on the ready ring; a small int: its place in the loop's timers; a native
 * future: what it awaits; any other object: a foreign future, whose done callback wakes it.
 */
#ifndef ASY_RUNTIME_TASK_H
#define ASY_RUNTIME_TASK_H

#include "runtime/coro.h"
#include "runtime/future.h"

typedef struct asy_task {
  asy_future future;
  asy_value coro;               /* an asy_coro, or any object with send and throw; never 0 */
  struct asy_task *prev, *next; /* the loop's pending tasks, newest first */
  asy_value waiting;            /* see above */
  asy_chunk
    *chunk; /* parked: newest chunk, its `used` says how much of it; NULL before the first step and without frames */
  asy_value *base;     /* parked: base of the top frame */
  uint32_t number;     /* of Task-N */
  uint32_t depth : 23; /* parked: frames */
  uint32_t resume : 9; /* parked: 1 + register that gets the sent value; 0 none */
} asy_task;

bool asy_is_coroutine(asy_vm *vm, asy_value v); /* something a task can run */
/* A task of its own for `coro` (TypeError when it is none). name and context 0: none given. eager: its first step runs at once
 * when the loop runs. */
asy_task *asy_task_new(asy_vm *vm, asy_loop *loop, asy_value coro, asy_value name, asy_value context, bool eager);
/* Runs a task that the ready ring yields. false: an exception is pending that leaves the loop. */
bool asy_task_step(asy_vm *vm, asy_task *task);
void asy_task_wake(asy_vm *vm, asy_task *task); /* what it waited for is done: it goes on the ready ring */
/* An async native parks the running task: until `deadline`, or for one turn of the loop. The await yields `value`. */
asy_value asy_task_park_until(asy_vm *vm, int64_t deadline, asy_value value);
asy_value asy_task_park_turn(asy_vm *vm, asy_value value);
/* Until asy_task_wake, for an object with loop hooks. False: the task was cancelled and goes on by itself; ASY_PARKED all the same. */
bool asy_task_park_on(asy_vm *vm, asy_obj *object);
/* Where the task was created; NULL unknown. */
asy_code *asy_task_origin(asy_task *task, uint32_t *word);
asy_value asy_task_all(asy_vm *vm, asy_loop *loop); /* a set of its pending tasks */

extern const asy_type asy_task_type;

/* Waiters of locks and queues (waiters.c): what their tasks wait for as others see it; any other value is itself. */
asy_value asy_waiters_owner(asy_vm *vm, asy_value v);
extern const asy_type asy_waiters_type;

#endif
