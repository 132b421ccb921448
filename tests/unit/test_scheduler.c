/* test_scheduler.c - the loop with a clock of its own: order of callbacks, timers, tasks, cancelling; two VMs in two threads. */
#include <criterion/criterion.h>
#include <pthread.h>

#include "runtime/loop.h"
#include "runtime/task.h"
#include "runtime/timer.h"

static asy_vm *vm;

static void start(void) {
  vm = asy_vm_new(NULL);
  cr_assert_not_null(vm);
}
static void stop(void) { asy_vm_free(vm); }
TestSuite(scheduler, .init = start, .fini = stop);

/* repr of the variable `out` of a script. */
static const char *out_of(asy_vm *machine, const char *text) {
  asy_value module = asy_run_source(machine, text, strlen(text), "<test>", "test");
  if (asy_failed(module)) asy_print_exception(machine, asy_take_exception(machine));
  cr_assert_neq(module, ASY_FAILED);
  asy_value repr = asy_repr(machine, asy_get_attr_cstr(machine, module, "out"));
  const char *utf8;
  cr_assert(asy_to_cstr(machine, repr, &utf8));
  return utf8;
}

static void expect(const char *text, const char *expected) { cr_assert_str_eq(out_of(vm, text), expected); }

/* ---- Timers ---- */

Test(scheduler, the_timer_heap_gives_deadlines_in_order_and_forgets_cancelled_ones) {
  enum { N = 5000 };
  static asy_task *tasks[N];
  asy_timers timers = {0};
  uint32_t seed = 7;
  for (int i = 0; i < N; i++) {
    seed = seed * 1664525 + 1013904223;
    tasks[i] = asy_new_kind(vm, KIND_TASK, sizeof(asy_task));
    asy_pin(vm, tasks[i]);
    cr_assert(asy_timers_add(vm, &timers, seed % 100000, &tasks[i]->future.head));
  }
  for (int i = 0; i < N; i += 3) {
    asy_timers_remove(&timers, (uint32_t)asy_small(tasks[i]->waiting));
    tasks[i]->waiting = 0;
  }
  int64_t last = -1;
  int left = 0;
  while (timers.count) {
    int64_t deadline = asy_timers_next(&timers);
    cr_assert_leq(last, deadline);
    last = deadline;
    cr_assert_eq(asy_small(((asy_task *)timers.entries[0].owner)->waiting), 0);
    asy_timers_remove(&timers, 0);
    left++;
  }
  cr_assert_eq(left, N - (N + 2) / 3);
  asy_timers_free(vm, &timers);
}

/* ---- Order ---- */

Test(scheduler, callbacks_run_in_the_order_of_call_soon) {
  expect(
    "import asyncio\nout = []\nloop = asyncio.new_event_loop()\n"
    "for i in range(5): loop.call_soon(out.append, i)\n"
    "loop.call_soon(loop.stop)\nloop.run_forever()\n",
    "[0, 1, 2, 3, 4]");
}

Test(scheduler, an_iteration_runs_what_was_ready_at_its_start) {
  expect(
    "import asyncio\nout = []\nloop = asyncio.new_event_loop()\n"
    "def first():\n  out.append('first')\n  loop.call_soon(out.append, 'next turn')\n  loop.stop()\n"
    "loop.call_soon(first)\nloop.call_soon(out.append, 'second')\nloop.run_forever()\n",
    "['first', 'second']");
}

Test(scheduler, sleepers_wake_in_the_order_of_their_deadlines) {
  expect(
    "import asyncio\nout = []\n"
    "async def f(n):\n  await asyncio.sleep(n / 1000)\n  out.append(n)\n"
    "async def main():\n  await asyncio.gather(*[f(n) for n in (30, 10, 20, 5, 25)])\n"
    "asyncio.run(main())\n",
    "[5, 10, 20, 25, 30]");
}

Test(scheduler, tasks_take_turns) {
  expect(
    "import asyncio\nout = []\n"
    "async def f(name):\n  for i in range(3):\n    out.append(name + str(i))\n    await asyncio.sleep(0)\n"
    "async def main():\n  await asyncio.gather(f('a'), f('b'))\n"
    "asyncio.run(main())\n",
    "['a0', 'b0', 'a1', 'b1', 'a2', 'b2']");
}

/* ---- Cancelling ---- */

Test(scheduler, cancel_reaches_the_innermost_await) {
  expect(
    "import asyncio\nout = []\n"
    "async def inner():\n  try:\n    await asyncio.sleep(100)\n  except asyncio.CancelledError as e:\n"
    "    out.append(e.args)\n    raise\n"
    "async def outer():\n  try:\n    await inner()\n  finally:\n    out.append('outer')\n"
    "async def main():\n  t = asyncio.create_task(outer())\n  await asyncio.sleep(0)\n  t.cancel('stop')\n"
    "  try:\n    await t\n  except asyncio.CancelledError:\n    out.append((t.cancelled(), t.cancelling()))\n"
    "asyncio.run(main())\n",
    "[('stop',), 'outer', (True, 1)]");
}

Test(scheduler, a_cancelled_timer_leaves_nothing_behind) {
  out_of(vm,
         "import asyncio\nout = 0\n"
         "async def main():\n  loop = asyncio.get_running_loop()\n"
         "  for i in range(10000): loop.call_later(1000, print).cancel()\n"
         "loop = asyncio.new_event_loop()\nloop.run_until_complete(main())\nasyncio.set_event_loop(loop)\n");
  cr_assert_eq(vm->current_loop->timers.count, 0);
  cr_assert_null(vm->current_loop->handles);
}

/* ---- Bookkeeping ---- */

Test(scheduler, pending_tasks_hang_on_their_loop_until_they_are_done) {
  out_of(vm,
         "import asyncio\nout = 0\nasync def f(): await asyncio.sleep(0.001)\n"
         "loop = asyncio.new_event_loop()\nasyncio.set_event_loop(loop)\n"
         "for i in range(10): loop.create_task(f())\n");
  asy_loop *loop = vm->current_loop;
  int n = 0;
  for (asy_task *t = loop->tasks; t; t = t->next) n++;
  cr_assert_eq(n, 10);
  out_of(vm,
         "import asyncio\nout = 0\nasync def g(): await "
         "asyncio.sleep(0.01)\nasyncio.get_event_loop().run_until_complete(g())\n");
  cr_assert_null(loop->tasks);
}

Test(scheduler, a_sleeping_task_is_96_bytes_and_one_small_chunk) {
  cr_assert_leq(sizeof(asy_task), 96);
  out_of(vm,
         "import asyncio\nout = 0\nasync def f(d): await asyncio.sleep(d)\n"
         "loop = asyncio.new_event_loop()\nasyncio.set_event_loop(loop)\n"
         "t = loop.create_task(f(1000))\nloop.call_soon(loop.call_soon, loop.stop)\nloop.run_forever()\n");
  asy_task *task = vm->current_loop->tasks;
  cr_assert_not_null(task->chunk);
  cr_assert_null(task->chunk->prev);
#ifndef ASY_HOSTILE
  cr_assert_leq(sizeof(asy_chunk) + task->chunk->words * sizeof(asy_value), 128);
#endif
}

Test(scheduler, a_task_knows_where_it_was_created) {
  out_of(vm,
         "import asyncio\nout = 0\nasync def f(): pass\n"
         "loop = asyncio.new_event_loop()\nasyncio.set_event_loop(loop)\nc = f()\n\n\nt = loop.create_task(c)\n");
  uint32_t word;
  asy_code *code = asy_task_origin(vm->current_loop->tasks, &word);
  cr_assert_not_null(code);
  cr_assert_eq(asy_code_position(code, word).line, 9);
}

/* ---- No globals ---- */

static void *run_machine(void *seed) {
  asy_vm *machine = asy_vm_new(NULL);
  if (!machine) return "no VM";
  char text[400];
  snprintf(text, sizeof text,
           "import asyncio\nout = 0\n"
           "async def f(n):\n  global out\n  for i in range(50):\n    await asyncio.sleep(0)\n    out += n\n"
           "async def main():\n  await asyncio.gather(*[f(%d) for i in range(100)])\n"
           "  for i in range(20000): [i] * 10\n"
           "asyncio.run(main())\n",
           (int)(intptr_t)seed);
  asy_value module = asy_run_source(machine, text, strlen(text), "<test>", "test");
  const char *problem = NULL;
  if (asy_failed(module)) problem = "the script failed";
  else if (asy_get_attr_cstr(machine, module, "out") != asy_from_small(5000 * (int64_t)(intptr_t)seed))
    problem = "wrong sum";
  asy_vm_free(machine);
  return (void *)(uintptr_t)problem;
}

Test(scheduler, two_machines_run_in_two_threads) {
  pthread_t threads[2];
  for (intptr_t i = 0; i < 2; i++) cr_assert_eq(pthread_create(&threads[i], NULL, run_machine, (void *)(i + 1)), 0);
  for (int i = 0; i < 2; i++) {
    void *problem;
    pthread_join(threads[i], &problem);
    cr_assert_null(problem, "%s", (char *)problem);
  }
}
