/* heap_sweep.c - taking back what is dead.
 *
 * A cycle only says which blocks hold garbage (BLOCK_UNSWEPT); cells are taken back when the allocator wants the block or when
 * the background sweep, which allocation drives, passes by. A block without a single mark is taken back whole, unlooked at,
 * unless a type wants to free memory. Must stay true: `free` runs no script code and touches no other object.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "runtime/class.h"
#include "runtime/heap_internal.h"

void heap_free_object(asy_vm *vm, asy_obj *o) {
  const asy_type *type = vm->heap->types[o->kind];
  if (type && type->free) type->free(vm, o);
}

/* Dead classes go last: their dead instances may look at them while they are swept. */
static void free_condemned(asy_vm *vm) {
  asy_heap *heap = vm->heap;
  while (heap->condemned.count) {
    asy_obj *o = heap->condemned.items[--heap->condemned.count];
    heap_free_object(vm, o);
    *o = (asy_obj){0}; /* a free cell, on no run until its block is swept again */
  }
}

/* The dead object o of a block being swept. false: a class, which must wait. */
NO_ASAN static bool reclaim(asy_vm *vm, const heap_class *c, asy_obj *o) {
  asy_heap *heap = vm->heap;
  unsigned bits = heap->kind_bits[o->kind];
  if (bits & KIND_IS_CLASS && heap_list_push(&heap->condemned, o)) {
    o->gc = ASY_GC_CONDEMNED;
    return false;
  }
  if (bits & KIND_HAS_FREE) heap_free_object(vm, o);
  if (heap->poison && !HEAP_ASAN) memset(o, 0xDB, c->size);
  *o = (asy_obj){0};
  if (HEAP_ASAN) ASAN_POISON_MEMORY_REGION((char *)o + sizeof *o, c->size - sizeof *o);
  return true;
}

/* Takes back the garbage of a block and strings its free cells into runs. */
NO_ASAN void heap_sweep_block(asy_vm *vm, size_t block) {
  asy_heap *heap = vm->heap;
  heap_block *b = &heap->blocks[block];
  const heap_class *c = &heap->classes[b->size_class];
  uint16_t *link = &b->first_run; /* where the number of the next run goes */
  heap_run *run = NULL;           /* the run being extended */
  unsigned needs_free = 0;
  const size_t cells = c->cells, size = c->size;
  char *cell = heap->base + (block << BLOCK_SHIFT);
  for (size_t i = 0; i < cells; i++, cell += size) {
    asy_obj *o = (asy_obj *)cell;
    if (o->gc & (ASY_GC_MARKED | ASY_GC_CONDEMNED)) {
      needs_free |= heap->kind_bits[o->kind] & KIND_HAS_FREE;
      run = NULL;
      continue;
    }
    if (o->gc & ASY_GC_LIVE && !reclaim(vm, c, o)) {
      needs_free = KIND_HAS_FREE;
      run = NULL;
      continue;
    }
    if (run) {
      run->count++;
      continue;
    }
    run = (heap_run *)(cell + sizeof(asy_obj));
    run->count = 1;
    *link = (uint16_t)(i + 1);
    link = &run->next;
  }
  *link = 0;
  b->flags &= (uint8_t) ~(BLOCK_UNSWEPT | BLOCK_ZEROED | BLOCK_NEEDS_FREE);
  if (needs_free) b->flags |= BLOCK_NEEDS_FREE;
  if (!--heap->nunswept) free_condemned(vm);
}

/* ---- Lists of blocks ------------------------------------------------------------------------------------------------ */

static bool is_current(const asy_heap *heap, size_t block) {
  return heap->classes[heap->blocks[block].size_class].current == block + 1;
}

static void make_available(asy_heap *heap, size_t block) {
  heap_block *b = &heap->blocks[block];
  heap_class *c = &heap->classes[b->size_class];
  b->next = c->available;
  c->available = (uint32_t)block + 1;
}

/* Marking has ended: the block goes to the pool when it is empty, and is left to the sweeper otherwise. */
static void settle(asy_heap *heap, size_t block) {
  heap_block *b = &heap->blocks[block];
  b->flags &= (uint8_t)~BLOCK_YOUNG;
  b->next = 0;
  b->first_run = 0;
  if (!heap->live[block] && !(b->flags & BLOCK_NEEDS_FREE) && !heap->poison) {
    heap_pool_push(heap, block);
    return;
  }
  if (heap->live[block] == heap->classes[b->size_class].cells) return; /* full */
  b->flags |= BLOCK_UNSWEPT;
  heap->nunswept++;
  make_available(heap, block);
}

static void drop_runs(asy_heap *heap) {
  for (unsigned i = 0; i < CLASS_COUNT; i++) {
    heap->classes[i].cur = heap->classes[i].end = NULL;
    heap->classes[i].current = 0;
  }
}

/* Frees unmarked large objects and keeps the array sorted; it is so when this is called. */
static void sweep_large(asy_vm *vm, bool minor) {
  asy_heap *heap = vm->heap;
  size_t kept = 0;
  for (size_t i = 0; i < heap->nlarge; i++) {
    heap_large entry = heap->large[i];
    if (!(minor && entry.old) && !(entry.object->gc & ASY_GC_MARKED)) {
      heap_free_object(vm, entry.object);
      heap->large_bytes -= entry.size;
      free(entry.object);
      continue;
    }
    entry.old = 1;
    heap->large[kept++] = entry;
  }
  heap->nlarge = kept;
  if (!kept) heap->large_max = 0;
  heap->large_min = kept ? (uintptr_t)heap->large[0].object : UINTPTR_MAX;
}

void heap_after_minor(asy_vm *vm) {
  asy_heap *heap = vm->heap;
  drop_runs(heap);
  for (uint32_t next = heap->young; next;) {
    size_t block = next - 1;
    next = heap->blocks[block].next;
    settle(heap, block);
  }
  heap->young = 0;
  heap->sweep_cursor = 0;
  sweep_large(vm, true);
}

void heap_after_major(asy_vm *vm) {
  asy_heap *heap = vm->heap;
  drop_runs(heap);
  for (unsigned i = 0; i < CLASS_COUNT; i++) heap->classes[i].available = 0;
  heap->young = 0;
  for (size_t block = 0; block < heap->nblocks; block++)
    if (heap->blocks[block].size_class != CLASS_NONE) settle(heap, block);
  heap->sweep_cursor = 0;
  heap->release_due = true;
  sweep_large(vm, false);
}

/* The garbage of a major cycle is swept: blocks that are empty now go to the pool, and when that holds more than half of all
 * blocks its memory goes back to the system. */
static void release(asy_heap *heap) {
  heap->release_due = false;
  for (unsigned i = 0; i < CLASS_COUNT; i++) heap->classes[i].available = 0;
  for (size_t block = 0; block < heap->nblocks; block++) {
    heap_block *b = &heap->blocks[block];
    if (b->size_class == CLASS_NONE || b->flags & BLOCK_YOUNG) continue;
    bool empty = !heap->live[block] && !(b->flags & BLOCK_NEEDS_FREE) && !is_current(heap, block);
    if (empty) heap_pool_push(heap, block);
    else if (b->first_run) make_available(heap, block);
  }
  if (heap->npool <= heap->nblocks / 2) return;
  for (uint32_t next = heap->pool; next; next = heap->blocks[next - 1].next)
    madvise(heap->base + ((size_t)(next - 1) << BLOCK_SHIFT), BLOCK_SIZE, MADV_DONTNEED);
}

void heap_sweep_some(asy_vm *vm, size_t count) {
  asy_heap *heap = vm->heap;
  for (; count && heap->nunswept; heap->sweep_cursor++) {
    if (heap->sweep_cursor >= heap->nblocks) heap->sweep_cursor = 0;
    if (!(heap->blocks[heap->sweep_cursor].flags & BLOCK_UNSWEPT)) continue;
    heap_sweep_block(vm, heap->sweep_cursor);
    count--;
  }
  if (!heap->nunswept && heap->release_due) release(heap); /* due only while no marks are being cleared */
}

void heap_sweep_all(asy_vm *vm) { heap_sweep_some(vm, SIZE_MAX); }
