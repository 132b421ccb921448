/* timer.c - the 4-ary heap of a loop's timers. See timer.h. */
#include "runtime/timer.h"

#include "runtime/loop.h"
#include "runtime/task.h"

enum { WIDTH = 4, LEAST = 16 };

/* Puts an entry at its place and tells its owner. */
static void place(asy_timers *timers, uint32_t index, asy_timer entry) {
  timers->entries[index] = entry;
  if (entry.owner->kind == KIND_TASK) ((asy_task *)entry.owner)->waiting = asy_from_small(index);
  else ((asy_timer_handle *)entry.owner)->index = index;
}

static void sift_up(asy_timers *timers, uint32_t index, asy_timer entry) {
  while (index) {
    uint32_t parent = (index - 1) / WIDTH;
    if (timers->entries[parent].deadline <= entry.deadline) break;
    place(timers, index, timers->entries[parent]);
    index = parent;
  }
  place(timers, index, entry);
}

static void sift_down(asy_timers *timers, uint32_t index, asy_timer entry) {
  for (;;) {
    uint32_t first = index * WIDTH + 1;
    if (first >= timers->count) break;
    uint32_t end = first + WIDTH < timers->count ? first + WIDTH : timers->count;
    uint32_t least = first;
    for (uint32_t child = first + 1; child < end; child++)
      if (timers->entries[child].deadline < timers->entries[least].deadline) least = child;
    if (timers->entries[least].deadline >= entry.deadline) break;
    place(timers, index, timers->entries[least]);
    index = least;
  }
  place(timers, index, entry);
}

bool asy_timers_add(asy_vm *vm, asy_timers *timers, int64_t deadline, asy_obj *owner) {
  if (timers->count == timers->cap) {
    uint32_t cap = timers->cap ? timers->cap * 2 : LEAST;
    asy_timer *entries = asy_mem_realloc(vm, timers->entries, timers->cap * sizeof *entries, cap * sizeof *entries);
    if (!entries) return false;
    timers->entries = entries;
    timers->cap = cap;
  }
  sift_up(timers, timers->count++, (asy_timer){deadline, owner});
  return true;
}

void asy_timers_remove(asy_timers *timers, uint32_t index) {
  asy_timer last = timers->entries[--timers->count];
  if (index == timers->count) return;
  if (index && last.deadline < timers->entries[(index - 1) / WIDTH].deadline) sift_up(timers, index, last);
  else sift_down(timers, index, last);
}

void asy_timers_free(asy_vm *vm, asy_timers *timers) {
  asy_mem_free(vm, timers->entries, timers->cap * sizeof *timers->entries);
  *timers = (asy_timers){0};
}
