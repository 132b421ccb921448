/* Machines side by side: nothing is shared, so two of them run in two threads at once. */
#include <criterion/criterion.h>
#include <pthread.h>

#include "runtime/vm.h"

static const char program[] =
  "import asyncio\n"
  "def fib(n):\n"
  "    return n if n < 2 else fib(n - 1) + fib(n - 2)\n"
  "class Counter:\n"
  "    def __init__(self): self.seen = {}\n"
  "    def add(self, word): self.seen[word] = self.seen.get(word, 0) + 1\n"
  "async def child(n):\n"
  "    await asyncio.sleep(0)\n"
  "    return n * n\n"
  "async def main():\n"
  "    return sum(await asyncio.gather(*[child(i) for i in range(500)]))\n"
  "counter = Counter()\n"
  "for i in range(20000):\n"
  "    counter.add('w%d' % (i % 97))\n"
  "result = (fib(18), len(counter.seen), counter.seen['w3'], asyncio.run(main()), 2 ** 200 % 1000007)\n"
  "text = repr(result)\n";

static const char expected[] = "(2584, 97, 207, 41541750, 446616)";

typedef struct {
  bool right; /* every run gave the expected text */
} outcome;

static bool run_once(void) {
  asy_vm *vm = asy_vm_new(NULL);
  if (!vm) return false;
  asy_value module = asy_run_source(vm, program, sizeof program - 1, "program.asy", "program");
  asy_value text = asy_failed(module) ? ASY_FAILED : asy_get_attr_cstr(vm, module, "text");
  const char *got = "";
  bool right = !asy_failed(text) && asy_to_cstr(vm, text, &got) && strcmp(got, expected) == 0;
  if (asy_raised(vm)) asy_print_exception(vm, asy_take_exception(vm));
  asy_vm_free(vm);
  return right;
}

static void *run_some(void *argument) {
  outcome *o = argument;
  o->right = true;
  for (int i = 0; i < 5; i++) o->right = run_once() && o->right;
  return NULL;
}

Test(vm, two_machines_run_in_two_threads_at_once) {
  pthread_t threads[2];
  outcome outcomes[2];
  for (int i = 0; i < 2; i++) cr_assert_eq(pthread_create(&threads[i], NULL, run_some, &outcomes[i]), 0);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  cr_assert(outcomes[0].right);
  cr_assert(outcomes[1].right);
}

Test(vm, machines_follow_each_other_in_one_thread) {
  for (int i = 0; i < 3; i++) cr_assert(run_once());
}

Test(vm, state_of_one_is_not_seen_by_another) {
  asy_vm *first = asy_vm_new(NULL), *second = asy_vm_new(NULL);
  cr_assert(first && second);
  const char set[] = "import builtins\nbuiltins.shared = 1\n", read[] = "shared\n";
  cr_assert(!asy_failed(asy_run_source(first, set, sizeof set - 1, "a.asy", "a")));
  cr_assert(!asy_failed(asy_run_source(first, read, sizeof read - 1, "b.asy", "b")));
  cr_assert(asy_failed(asy_run_source(second, read, sizeof read - 1, "b.asy", "b")));
  cr_assert(asy_raised_is(second, ASY_NameError));
  asy_clear_exception(second);
  asy_vm_free(second);
  asy_vm_free(first);
}

typedef struct {
  int64_t now;
} fake_clock;

static int64_t fake_now(void *context) { return ((fake_clock *)context)->now += 1000; }

Test(vm, time_comes_through_the_gate) {
  fake_clock clock = {0};
  asy_gate gate = asy_gate_system();
  gate.context = &clock;
  gate.monotonic_ns = fake_now;
  gate.wall_ns = fake_now;
  asy_gate system = asy_gate_system();
  gate.hash_key = system.hash_key;
  asy_vm *vm = asy_vm_new(&(asy_options){.gate = &gate});
  const char text[] = "import time\nearly = time.time() < 1 and time.monotonic() < 1\n";
  asy_value module = asy_run_source(vm, text, sizeof text - 1, "t.asy", "t");
  cr_assert(!asy_failed(module));
  cr_assert_eq(asy_get_attr_cstr(vm, module, "early"), ASY_TRUE);
  asy_vm_free(vm);
}
