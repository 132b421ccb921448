/* heap_cycle.c - when the heap is collected, and how a cycle goes.
 *
 *   minor   roots, remembered list and C stack are marked through; what is marked already is old and taken as alive
 *   major   PREPARE: sweep what is left, clear all marks  ->  MARK: in slices between which the program runs  ->  last step:
 *           roots, stacks and objects written since are scanned again, all in one go
 *
 * Both end the same way: unreachable objects with a finaliser are queued and kept, weak slots of the dead are cleared, weak
 * references that live and have a callback are queued behind the finalisers, blocks are handed to the sweeper. While a major cycle is in progress there are no minor ones. The barrier is one and the same: an object
 * that is marked and written goes on the remembered list.
 * Must stay true: between PREPARE's first clearing and the end of the cycle, live[] and marks say nothing about liveness.
 */
#include <stdlib.h>

#include "runtime/heap_internal.h"
#include "runtime/weakref.h"

static const size_t SLICE_BYTES = 512u << 10; /* allocated between two slices */
static const int64_t SLICE_NS = 700 * 1000;
static const size_t SLICE_BLOCKS = 16; /* work between two looks at the clock */
static const size_t SLICE_OBJECTS = 512;
static const unsigned SLICE_ROUNDS = 128;     /* bounds a slice when the clock stands still (virtual time) */
static const unsigned MARK_ROUNDS = 2048;     /* slices of these before the last step of a major cycle takes the rest */
static const size_t EARLY_BYTES = 256u << 10; /* allocated between two slices of a long remembered list */
static const size_t LIST_KEPT = 65536;        /* entries for which the collector keeps room between cycles */
static const size_t MINOR_LEAST = 1u << 20, MINOR_USUAL = 2u << 20,
                    MINOR_MOST = 32u << 20; /* allocated between two minor cycles */
static const int64_t MINOR_NS_FEW = 500 * 1000, MINOR_NS_MOST = 1500 * 1000;
static const size_t BASE_LEAST = 16u << 20; /* heaps below twice this see minor cycles only */

static int64_t now(asy_vm *vm) { return vm->gate.monotonic_ns ? vm->gate.monotonic_ns(vm->gate.context) : 0; }

/* The nursery shrinks while a minor cycle takes longer than a pause should, and grows when the program gets little time between
 * two of them: some of a cycle's work (a long list that was appended to) does not depend on its size. */
static void pace_minor(asy_heap *heap, int64_t start, int64_t end) {
  int64_t pause = end - start, mutator = start - heap->minor_end;
  if (mutator < 12 * pause && heap->minor_bytes < MINOR_MOST) heap->minor_bytes *= 2;
  else if (pause > MINOR_NS_MOST && mutator > 24 * pause && heap->minor_bytes > MINOR_LEAST) heap->minor_bytes /= 2;
  else if (pause < MINOR_NS_FEW && heap->minor_bytes < MINOR_USUAL) heap->minor_bytes *= 2;
  else if (mutator > 48 * pause && heap->minor_bytes > MINOR_USUAL) heap->minor_bytes /= 2;
  heap->minor_end = end;
}

static void count_pause(asy_vm *vm, int64_t start) {
  static const uint64_t limits[7] = {10000, 50000, 100000, 500000, 1000000, 5000000, 20000000};
  asy_heap_stats *stats = &vm->heap->stats;
  uint64_t ns = (uint64_t)(now(vm) - start);
  unsigned bucket = 0;
  while (bucket < 7 && ns >= limits[bucket]) bucket++;
  stats->pauses[bucket]++;
  stats->pause_total_ns += ns;
  if (ns > stats->pause_max_ns) stats->pause_max_ns = ns;
}

/* ---- The end of marking --------------------------------------------------------------------------------------------- */

static bool is_marked(const asy_obj *o) { return (o->gc & ASY_GC_MARKED) != 0; }

/* Queues unreachable objects that have a finaliser, and marks them so that they live until it has run. */
static void queue_finalizers(asy_visitor *v, bool minor) {
  asy_heap *heap = v->heap;
  heap_list *list = &heap->finalizable;
  size_t first = heap->queue.count, kept = minor ? heap->nfinalizable_old : 0;
  for (size_t i = kept; i < list->count; i++) {
    asy_obj *o = list->items[i];
    if (o->gc & ASY_GC_FINALIZED) continue;
    if (is_marked(o) || !heap_list_push(&heap->queue, o)) list->items[kept++] = o;
  }
  /* One that could not be queued for want of memory stays registered, so it must live too. */
  for (size_t i = minor ? heap->nfinalizable_old : 0; i < kept; i++) asy_visit_obj(v, list->items[i]);
  list->count = heap->nfinalizable_old = kept;
  for (size_t i = first; i < heap->queue.count; i++) asy_visit_obj(v, heap->queue.items[i]);
  heap_mark_drain(v, SIZE_MAX);
  if (heap->queue.count > heap->queue_next) asy_interrupt_set(v->vm, ASY_INTERRUPT_FINALIZERS);
}

static void clear_weak_slots(asy_vm *vm, bool minor) {
  asy_heap *heap = vm->heap;
  for (size_t i = heap->nweak; i-- > (minor ? heap->nweak_old : 0);) { /* dropping moves the last one here: go down */
    heap_weak entry = heap->weak[i];
    bool owner_dead = entry.owner && !is_marked(entry.owner);
    if (!owner_dead && *entry.slot && is_marked(*entry.slot)) continue;
    heap_weak_drop(heap, i);
    if (!owner_dead) *entry.slot = NULL;
    if (!owner_dead && entry.owner && asy_weakref_wants_call(entry.owner)) heap_list_push(&heap->queue, entry.owner);
  }
  heap->nweak_old = heap->nweak;
  if (heap->queue.count > heap->queue_next) asy_interrupt_set(vm, ASY_INTERRUPT_FINALIZERS);
}

/* The lists of subclasses are weak. */
static void drop_dead_subclasses(asy_vm *vm) {
  for (uint32_t i = 0; i < vm->nshapes; i++) {
    asy_shape *shape = vm->shapes[i];
    if (!shape || !shape->cls || shape->cls->root != shape || !is_marked(&shape->cls->head)) continue;
    asy_class *cls = shape->cls;
    uint32_t kept = 0;
    for (uint32_t j = 0; j < cls->nsubclasses; j++)
      if (is_marked(&cls->subclasses[j]->head)) cls->subclasses[kept++] = cls->subclasses[j];
    cls->nsubclasses = kept;
  }
}

static void measure(asy_heap *heap) {
  size_t bytes = 0, objects = heap->nlarge;
  for (size_t block = 0; block < heap->nblocks; block++) {
    if (!heap->live[block]) continue;
    objects += heap->live[block];
    bytes += (size_t)heap->live[block] * heap->classes[heap->blocks[block].size_class].size;
  }
  heap->cell_bytes = bytes;
  heap->stats.objects = objects;
  heap->stats.live_bytes = heap_live_bytes(heap);
}

/* Room that this cycle needed and the next may not. */
static void trim(heap_list *list) {
  if (list->cap <= LIST_KEPT || list->count > list->cap / 4) return;
  size_t cap = list->count * 2 > LIST_KEPT ? list->count * 2 : LIST_KEPT;
  asy_obj **items = realloc(list->items, cap * sizeof *items);
  if (!items) return;
  list->items = items;
  list->cap = cap;
}

static void finish_cycle(asy_visitor *v, bool minor) {
  asy_vm *vm = v->vm;
  asy_heap *heap = v->heap;
  queue_finalizers(v, minor);
  clear_weak_slots(vm, minor);
  if (!minor || heap->classes_young) drop_dead_subclasses(vm);
  heap->classes_young = false;
  if (minor) heap_after_minor(vm);
  else heap_after_major(vm);
  measure(heap);
  trim(&heap->marks);
  trim(&heap->remembered);
  trim(&heap->finalizable);
  heap->stats.allocated_bytes += heap->since;
  heap->since = 0;
  heap->trigger = heap->minor_bytes;
  heap->early = EARLY_BYTES;
  if (minor) {
    heap->stats.minors++;
    return;
  }
  heap->stats.majors++;
  heap->major_base = heap_live_bytes(heap); /* counts memory of garbage that is not swept yet, so: */
  heap->major_base_due = true;
}

static void set_major_base(asy_heap *heap) {
  if (heap->major_base_due && !heap->nunswept) {
    heap->major_base = heap_live_bytes(heap);
    heap->major_base_due = false;
  }
  if (heap->major_base < BASE_LEAST) heap->major_base = BASE_LEAST;
}

/* ---- Cycles --------------------------------------------------------------------------------------------------------- */

static void minor(asy_visitor *v) {
  heap_sort_large(v->heap);
  heap_mark_remembered(v, SIZE_MAX);
  heap_mark_roots(v);
  heap_mark_c_stack(v);
  heap_mark_drain(v, SIZE_MAX);
  finish_cycle(v, true);
}

static void begin_major(asy_heap *heap) {
  heap->phase = HEAP_PREPARE;
  heap->prepare_cursor = 0;
  heap->mark_rounds = 0;
}

NO_ASAN static void clear_marks(asy_heap *heap, size_t block) {
  heap->live[block] = 0;
  heap_block *b = &heap->blocks[block];
  if (b->size_class == CLASS_NONE) return;
  const heap_class *c = &heap->classes[b->size_class];
  char *cell = heap->base + (block << BLOCK_SHIFT);
  for (size_t i = 0; i < c->cells; i++, cell += c->size) ((asy_obj *)cell)->gc &= (uint8_t)~ASY_GC_MARKED;
}

static void start_marking(asy_visitor *v) {
  asy_heap *heap = v->heap;
  for (size_t i = 0; i < heap->nlarge; i++) heap->large[i].object->gc &= (uint8_t)~ASY_GC_MARKED;
  for (size_t i = 0; i < heap->remembered.count; i++) heap->remembered.items[i]->gc &= (uint8_t)~ASY_GC_REMEMBERED;
  heap->remembered.count = 0;
  heap->remembered_overflowed = false;
  heap->phase = HEAP_MARK;
  heap_sort_large(heap);
  heap_mark_roots(v);
  if (!heap->viewed) heap_mark_c_stack(v);
}

/* Of the object whose views asy_collect_views looks for: those that only the C stack may refer to, which holds words that calls have
 * long done with. They are released, not freed, so that a native that does use one sees that it is. */
static void release_views(asy_visitor *v) {
  asy_heap *heap = v->heap;
  heap_mark_remembered(v, SIZE_MAX);
  heap_mark_drain(v, SIZE_MAX);
  for (size_t i = 0; i < heap->finalizable.count; i++) {
    asy_obj *o = heap->finalizable.items[i];
    if (o->kind != KIND_MEMORYVIEW || o->gc & ASY_GC_MARKED) continue;
    if (asy_memoryview_owner(o) == heap->viewed) asy_memoryview_finalize(v->vm, o);
  }
}

static void finish_major(asy_visitor *v) {
  heap_sort_large(v->heap);
  heap_mark_roots(v);
  if (v->heap->viewed) release_views(v);
  heap_mark_c_stack(v);
  heap_mark_remembered(v, SIZE_MAX);
  heap_mark_drain(v, SIZE_MAX);
  v->heap->phase = HEAP_IDLE;
  finish_cycle(v, false);
}

/* One piece of the major cycle in progress. */
static void major_piece(asy_visitor *v) {
  asy_heap *heap = v->heap;
  if (heap->phase == HEAP_PREPARE) {
    if (heap->nunswept || heap->release_due) {
      heap_sweep_some(v->vm, SLICE_BLOCKS);
      return;
    }
    for (size_t i = 0; i < SLICE_BLOCKS && heap->prepare_cursor < heap->nblocks; i++)
      clear_marks(heap, heap->prepare_cursor++);
    if (heap->prepare_cursor >= heap->nblocks) start_marking(v);
    return;
  }
  if (!heap_mark_drain(v, SLICE_OBJECTS)) return;
  if (heap->remembered.count > REMEMBERED_MANY && heap->mark_rounds++ < MARK_ROUNDS)
    heap_mark_remembered(v, SLICE_OBJECTS);
  else finish_major(v);
}

static void complete_major(asy_visitor *v) {
  while (v->heap->phase != HEAP_IDLE) major_piece(v);
}

static void major_slice(asy_visitor *v, int64_t start) {
  asy_heap *heap = v->heap;
  /* A program that allocates faster than slices mark would never see the end. */
  if (heap->since > 4 * heap->minor_bytes + heap->cell_bytes) {
    complete_major(v);
    return;
  }
  heap_sort_large(heap);
  for (unsigned i = 0; i < SLICE_ROUNDS && heap->phase != HEAP_IDLE && now(v->vm) - start < SLICE_NS; i++)
    major_piece(v);
  if (heap->phase != HEAP_IDLE) heap->trigger = heap->since + SLICE_BYTES;
}

/* ---- Entries -------------------------------------------------------------------------------------------------------- */

typedef enum { STEP_PACED, STEP_EARLY, STEP_MINOR, STEP_MAJOR } cycle_step;

/* Between cycles: a share of a long remembered list, so that none of it is left when the minor cycle is due. What it reaches is
 * old from now on, which at worst keeps an object that dies meanwhile until the next major cycle. */
static void early_slice(asy_visitor *v) {
  asy_heap *heap = v->heap;
  size_t steps = heap->trigger > heap->since ? (heap->trigger - heap->since) / EARLY_BYTES + 1 : 1;
  heap_sort_large(heap);
  heap_mark_remembered(v, heap->remembered.count / steps + 1);
  heap_mark_drain(v, SIZE_MAX);
  heap->early = heap->since + EARLY_BYTES;
}

static void run_step(asy_vm *vm, cycle_step step) {
  asy_heap *heap = vm->heap;
  if (heap->collecting) return;
  heap->collecting = true;
  int64_t start = now(vm);
  asy_visitor v = {.vm = vm, .heap = heap};
  set_major_base(heap);
  if (step == STEP_MAJOR) {
    complete_major(&v); /* one in progress knows nothing of what died since it began */
    begin_major(heap);
    complete_major(&v);
  } else if (heap->phase != HEAP_IDLE) {
    if (step == STEP_MINOR) complete_major(&v);
    else major_slice(&v, start);
  } else if (step == STEP_EARLY) {
    early_slice(&v);
  } else if (step == STEP_PACED && heap_live_bytes(heap) >= 2 * heap->major_base) {
    begin_major(heap);
    major_slice(&v, start);
  } else {
    minor(&v);
    pace_minor(heap, start, now(vm));
    heap->trigger = heap->minor_bytes;
  }
  count_pause(vm, start);
  heap->collecting = false;
}

/* What earlier calls left in the part of the C stack that the collector itself is going to use would count as references. */
static __attribute__((noinline)) void wipe_c_stack(void) {
  volatile char below[2048];
  for (size_t i = 0; i < sizeof below; i++) below[i] = 0;
}

void asy_collect(asy_vm *vm, asy_collection what) {
  wipe_c_stack();
  run_step(vm, what == ASY_COLLECT_MAJOR ? STEP_MAJOR : STEP_MINOR);
}

void asy_collect_views(asy_vm *vm, asy_obj *viewed) {
  asy_clear_spare_registers(vm);
  vm->heap->viewed = viewed;
  asy_collect(vm, ASY_COLLECT_MAJOR);
  vm->heap->viewed = NULL;
  asy_run_finalizers(vm);
}

void heap_collect_under_pressure(asy_vm *vm) {
  run_step(vm, vm->heap->since >= vm->heap->emergency ? STEP_MINOR : STEP_MAJOR);
  heap_sweep_all(vm); /* `free` gives memory back */
}

void asy_gc_safepoint(asy_vm *vm) {
  asy_heap *heap = vm->heap;
  asy_interrupt_clear(vm, ASY_INTERRUPT_GC);
  if (heap->stress_every) {
    if (++heap->stress_count >= heap->stress_every) {
      heap->stress_count = 0;
      run_step(vm, STEP_MAJOR);
      heap_sweep_all(vm);
    }
  } else if (heap->since >= heap->trigger) {
    run_step(vm, STEP_PACED);
  } else if (heap_early_due(heap)) {
    run_step(vm, STEP_EARLY);
  }
  if (vm->interrupt & ASY_INTERRUPT_FINALIZERS) asy_run_finalizers(vm);
}

/* ---- Finalisers ----------------------------------------------------------------------------------------------------- */

static void finalize(asy_vm *vm, asy_obj *o) {
  const asy_type *type = vm->heap->types[o->kind];
  o->gc |= ASY_GC_FINALIZED;
  if (asy_class_of(vm, asy_from_obj(o))->flags & ASY_CLASS_HAS_FINALIZER) {
    asy_value result = asy_call_special(vm, asy_from_obj(o), ASY_NAME(vm, __del__), 0, NULL);
    if (asy_failed(result)) asy_report_unraisable(vm, asy_from_obj(o));
  }
  if (type && type->special && type->special->finalize) {
    type->special->finalize(vm, o);
    if (asy_raised(vm)) asy_report_unraisable(vm, asy_from_obj(o));
  }
}

bool asy_run_finalizers(asy_vm *vm) {
  asy_heap *heap = vm->heap;
  asy_interrupt_clear(vm, ASY_INTERRUPT_FINALIZERS);
  if (heap->finalizing) return false; /* one that reaches a safepoint: the loop below goes on when it is done */
  heap->finalizing = true;
  asy_value pending = asy_raised(vm) ? asy_take_exception(vm) : 0;
  while (heap->queue_next < heap->queue.count) {
    asy_obj *o = heap->queue.items[heap->queue_next++];
    if (!asy_weakref_call_back(vm, o)) finalize(vm, o);
  }
  bool any = heap->queue.count;
  heap->queue.count = heap->queue_next = 0;
  if (pending) asy_set_exception(vm, pending);
  heap->finalizing = false;
  return any;
}

void asy_finalize_all(asy_vm *vm) {
  asy_heap *heap = vm->heap;
  static const int ROUNDS = 8; /* finalisers may make objects that have one */
  for (int round = 0; round < ROUNDS && heap->finalizable.count; round++) {
    heap_list rest = heap->finalizable;
    heap->finalizable = (heap_list){0};
    heap->nfinalizable_old = 0;
    for (size_t i = 0; i < rest.count; i++)
      if (!(rest.items[i]->gc & ASY_GC_FINALIZED)) heap_list_push(&heap->queue, rest.items[i]);
    heap_list_free(&rest);
    asy_run_finalizers(vm);
  }
}
