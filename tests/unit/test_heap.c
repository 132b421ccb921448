/* test_heap.c - the collector: what lives, what dies, weak slots, finalisers, the barrier, incremental cycles. */
#include <criterion/criterion.h>

#include "runtime/vm.h"

static asy_vm *vm;

static void start(void) {
  vm = asy_vm_new(NULL);
  cr_assert_not_null(vm);
}
static void stop(void) { asy_vm_free(vm); }
TestSuite(heap, .init = start, .fini = stop);

/* A list of n lists, [[], [], ...]; held by nobody. */
static __attribute__((noinline)) asy_list *make_lists(uint32_t n) {
  asy_list *list = asy_list_new(vm, 0);
  for (uint32_t i = 0; i < n; i++) cr_assert(asy_list_append(vm, list, asy_from_obj(asy_list_new(vm, 1))));
  return list;
}

/* The C stack may still hold stale words of calls that have returned: overwrite them. */
static __attribute__((noinline)) void clear_c_stack(void) {
  volatile char junk[16384];
  for (size_t i = 0; i < sizeof junk; i++) junk[i] = 0;
}

static uint64_t live_objects(void) {
  clear_c_stack();
  asy_collect(vm, ASY_COLLECT_MAJOR);
  return asy_heap_get_stats(vm).objects;
}

static void assert_sound(void) {
  const char *problem = NULL;
  cr_assert(asy_heap_verify(vm, &problem), "%s", problem);
}

Test(heap, a_new_object_is_zeroed_and_aligned) {
  for (size_t size = sizeof(asy_obj); size < 5000; size += 24) {
    char *o = asy_alloc(vm, KIND_OBJECT, KIND_OBJECT, size);
    cr_assert_eq((uintptr_t)o % 16, 0);
    for (size_t i = sizeof(asy_obj); i < size; i++) cr_assert_eq(o[i], 0, "byte %zu of %zu", i, size);
    memset(o + sizeof(asy_obj), 0xAA, size - sizeof(asy_obj));
    if (size % 1000 == 0) asy_collect(vm, ASY_COLLECT_MAJOR);
  }
}

/* Deep in the C stack, so that no word of it lies where later frames have holes. */
static __attribute__((noinline)) void make_garbage(void) {
  volatile char room[2048];
  room[0] = room[sizeof room - 1] = 0;
  (void)make_lists(10000);
  room[1] = 0;
}

Test(heap, what_nobody_holds_dies) {
  uint64_t before = live_objects();
  make_garbage();
  cr_assert_leq(live_objects(), before + 50);
}

Test(heap, a_local_variable_keeps_a_graph_alive) {
  asy_list *volatile list = make_lists(1000);
  asy_collect(vm, ASY_COLLECT_MAJOR);
  asy_collect(vm, ASY_COLLECT_MINOR);
  cr_assert_eq(list->len, 1000);
  for (uint32_t i = 0; i < 1000; i++) cr_assert(asy_is_exact(list->items[i], KIND_LIST));
  assert_sound();
}

Test(heap, an_interior_pointer_keeps_its_object) {
  asy_tuple *t = asy_tuple_new(vm, NULL, 300); /* larger than a cell: malloc'ed */
  asy_value *volatile middle = &t->items[200];
  t->items[299] = asy_from_obj(make_lists(10));
  t = NULL;
  clear_c_stack();
  asy_collect(vm, ASY_COLLECT_MAJOR);
  asy_list *list = (asy_list *)asy_obj_of(middle[99]);
  cr_assert_eq(list->len, 10);
}

static __attribute__((noinline)) void make_cycle(void) {
  asy_list *a = asy_list_new(vm, 1), *b = asy_list_new(vm, 1);
  cr_assert(asy_list_append(vm, a, asy_from_obj(b)) && asy_list_append(vm, b, asy_from_obj(a)));
}

Test(heap, cycles_die) {
  uint64_t before = live_objects();
  for (int i = 0; i < 1000; i++) make_cycle();
  cr_assert_leq(live_objects(), before + 50);
}

Test(heap, a_minor_cycle_keeps_what_an_old_object_got) {
  asy_list *old = asy_list_new(vm, 0);
  asy_pin(vm, old);
  asy_collect(vm, ASY_COLLECT_MAJOR);
  for (int round = 0; round < 20; round++) {
    for (int i = 0; i < 100; i++) cr_assert(asy_list_append(vm, old, asy_from_obj(make_lists(1))));
    assert_sound();
    clear_c_stack();
    asy_collect(vm, ASY_COLLECT_MINOR);
    assert_sound();
  }
  for (uint32_t i = 0; i < old->len; i++) cr_assert_eq(((asy_list *)asy_obj_of(old->items[i]))->len, 1);
  asy_unpin(vm, old);
}

Test(heap, the_verifier_finds_a_store_without_barrier) {
  asy_list *old = asy_list_new(vm, 1);
  cr_assert(asy_list_append(vm, old, ASY_NONE));
  asy_pin(vm, old);
  asy_collect(vm, ASY_COLLECT_MAJOR);
  assert_sound();
  old->items[0] = asy_from_obj(asy_list_new(vm, 0));
  cr_assert_not(asy_heap_verify(vm, NULL));
  asy_barrier(vm, old);
  assert_sound();
  asy_unpin(vm, old);
}

static void *weak_slot;

/* Asked in a function of its own, so that no word of the caller's frame is the address. */
static __attribute__((noinline)) bool weak_slot_is_set(void) { return weak_slot != NULL; }

static __attribute__((noinline)) void refer_weakly(asy_list *holder) {
  asy_list *target = asy_list_new(vm, 0);
  weak_slot = target;
  cr_assert(asy_weak_add(vm, NULL, &weak_slot));
  cr_assert(asy_list_append(vm, holder, asy_from_obj(target)));
}

Test(heap, a_weak_slot_is_cleared_when_its_object_dies) {
  asy_list *volatile holder = asy_list_new(vm, 1);
  refer_weakly(holder);
  clear_c_stack();
  asy_collect(vm, ASY_COLLECT_MAJOR);
  cr_assert(weak_slot_is_set());
  holder->items[0] = ASY_NONE;
  clear_c_stack();
  asy_collect(vm, ASY_COLLECT_MINOR);
  cr_assert(weak_slot_is_set()); /* old by now */
  asy_collect(vm, ASY_COLLECT_MAJOR);
  cr_assert_not(weak_slot_is_set());
}

Test(heap, pins_nest) {
  asy_list *list = make_lists(3);
  uintptr_t hidden = ~(uintptr_t)list; /* the scan of the C stack must not see it */
  asy_pin(vm, list);
  asy_pin(vm, list);
  asy_unpin(vm, list);
  list = NULL;
  clear_c_stack();
  asy_collect(vm, ASY_COLLECT_MAJOR);
  list = (asy_list *)~hidden;
  cr_assert_eq(list->len, 3);
  cr_assert(asy_is_exact(list->items[2], KIND_LIST));
  asy_unpin(vm, list);
}

static __attribute__((noinline)) asy_list *run_script(const char *text) {
  asy_value module = asy_run_source(vm, text, strlen(text), "<test>", "test");
  if (asy_failed(module)) asy_print_exception(vm, asy_take_exception(vm));
  cr_assert_neq(module, ASY_FAILED);
  return (asy_list *)asy_obj_of(asy_get_attr_cstr(vm, module, "log"));
}

Test(heap, a_finaliser_runs_once_and_may_resurrect) {
  asy_list *log = run_script(
    "log = []\n"
    "class C:\n"
    "  def __del__(self):\n"
    "    log.append(self)\n"
    "for i in range(100): C()\n");
  clear_c_stack();
  asy_collect(vm, ASY_COLLECT_MAJOR);
  asy_run_finalizers(vm);
  uint32_t n = log->len;
  cr_assert_geq(n, 98);
  for (uint32_t i = 0; i < n; i++) log->items[i] = ASY_NONE;
  clear_c_stack();
  for (int i = 0; i < 3; i++) {
    asy_collect(vm, ASY_COLLECT_MAJOR);
    asy_run_finalizers(vm);
  }
  cr_assert_leq(log->len, 100);
  assert_sound();
}

/* Objects die and are born, and the program writes, between the slices of a major cycle. */
Test(heap, an_incremental_cycle_loses_nothing) {
  enum { WIDTH = 20000 };
  asy_list *table = asy_list_new(vm, WIDTH);
  asy_pin(vm, table);
  for (uint32_t i = 0; i < WIDTH; i++) {
    asy_list *row = make_lists(3);
    cr_assert(asy_list_append(vm, row, asy_from_small(i)) && asy_list_append(vm, table, asy_from_obj(row)));
  }
  uint64_t majors = asy_heap_get_stats(vm).majors;
  uint32_t seed = 1;
  for (int i = 0; i < 12000000 && asy_heap_get_stats(vm).majors < majors + 3; i++) {
    seed = seed * 1664525 + 1013904223;
    uint32_t from = seed % WIDTH, to = (seed >> 12) % WIDTH;
    asy_list *row = make_lists(3); /* a new row, and two that change places behind the marker's back */
    cr_assert(asy_list_append(vm, row, ((asy_list *)asy_obj_of(table->items[from]))->items[3]));
    asy_list_set(vm, table, from, asy_from_obj(row));
    asy_value swapped = table->items[to];
    asy_list_set(vm, table, to, table->items[from]);
    asy_list_set(vm, table, from, swapped);
    if (vm->interrupt) asy_gc_safepoint(vm);
  }
  cr_assert_geq(asy_heap_get_stats(vm).majors, majors + 3);
  for (uint32_t i = 0; i < WIDTH; i++) {
    asy_list *row = (asy_list *)asy_obj_of(table->items[i]);
    cr_assert_eq(row->len, 4);
    for (int j = 0; j < 3; j++) cr_assert(asy_is_exact(row->items[j], KIND_LIST));
  }
  assert_sound();
  asy_unpin(vm, table);
}

Test(heap, churn_stays_in_bounded_memory) {
  asy_list *volatile kept = NULL;
  for (int i = 0; i < 10000000; i++) {
    asy_list *list = asy_list_new(vm, 0);
    if (i % 1000 == 0) kept = list;
    if (vm->interrupt) asy_gc_safepoint(vm);
  }
  cr_assert_not_null(kept);
  asy_heap_stats stats = asy_heap_get_stats(vm);
  cr_assert_geq(stats.minors, 10);
  cr_assert_leq(stats.live_bytes, 32u << 20);
}

Test(heap, large_objects_come_and_go) {
  asy_tuple *volatile kept[50];
  uint64_t before = live_objects();
  for (int i = 0; i < 2000; i++) kept[i % 50] = asy_tuple_new(vm, NULL, 300 + (uint32_t)i);
  asy_collect(vm, ASY_COLLECT_MINOR);
  for (int i = 0; i < 50; i++) cr_assert_eq(kept[i]->len, 300 + 1950 + i);
  cr_assert_leq(live_objects(), before + 150);
  assert_sound();
}
