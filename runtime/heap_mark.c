/* heap_mark.c - finding what is alive: the visitor, the mark stack, roots and the conservative scan of the C stack.
 *
 * A mark bit is set when an object is first reached; objects that refer to others then wait on the mark stack until their visit
 * function has run. Nothing here recurses. Must stay true: whoever sets a mark either pushes the object or knows it is a leaf.
 */
#include <stdlib.h>

#include "runtime/coro.h"
#include "runtime/heap_internal.h"

/* ---- Marking one object --------------------------------------------------------------------------------------------- */

static inline void mark(asy_heap *heap, asy_obj *o) {
  if (o->gc & ASY_GC_MARKED) return;
  o->gc |= ASY_GC_MARKED;
  size_t block = heap_block_of(heap, o);
  if (block != SIZE_MAX) heap->live[block]++;
  if (!heap->visits[o->kind] && o->shape < KIND_COUNT)
    return; /* a leaf, exactly of a built-in class, without attributes */
  if (!heap_list_push(&heap->marks, o)) heap->marks_overflowed = true;
}

static inline void reach(asy_visitor *v, asy_obj *o) {
  if (__builtin_expect(v->check != NULL, 0)) v->check(v, o);
  else mark(v->heap, o);
}

void asy_visit_obj(asy_visitor *v, const void *object) {
  if (object) reach(v, (asy_obj *)(uintptr_t)object);
}

void asy_visit_value(asy_visitor *v, asy_value value) {
  if (asy_is_obj(value) && value) reach(v, asy_obj_of(value));
}

void asy_visit_values(asy_visitor *v, const asy_value *values, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (asy_is_obj(values[i]) && values[i]) reach(v, asy_obj_of(values[i]));
}

/* ---- Conservative words --------------------------------------------------------------------------------------------- */

static int by_address(const void *a, const void *b) {
  uintptr_t left = (uintptr_t)((const heap_large *)a)->object, right = (uintptr_t)((const heap_large *)b)->object;
  return left < right ? -1 : left > right;
}

void heap_sort_large(asy_heap *heap) {
  if (!heap->nlarge_new) return;
  size_t old = heap->nlarge - heap->nlarge_new;
  qsort(heap->large + old, heap->nlarge_new, sizeof *heap->large, by_address);
  size_t bytes = heap->nlarge_new * sizeof *heap->large;
  heap_large *fresh = malloc(bytes);
  if (fresh) { /* merge from the end */
    memcpy(fresh, heap->large + old, bytes);
    size_t to = heap->nlarge, i = old, j = heap->nlarge_new;
    while (j) {
      bool take_old = i && (uintptr_t)heap->large[i - 1].object > (uintptr_t)fresh[j - 1].object;
      heap->large[--to] = take_old ? heap->large[--i] : fresh[--j];
    }
    free(fresh);
  } else {
    qsort(heap->large, heap->nlarge, sizeof *heap->large, by_address);
  }
  heap->nlarge_new = 0;
}

static asy_obj *find_large(asy_heap *heap, uintptr_t word) {
  size_t low = 0, high = heap->nlarge;
  while (low < high) { /* the first that lies above word */
    size_t middle = low + (high - low) / 2;
    if ((uintptr_t)heap->large[middle].object > word) high = middle;
    else low = middle + 1;
  }
  if (!low) return NULL;
  heap_large *entry = &heap->large[low - 1];
  return word - (uintptr_t)entry->object < entry->size ? entry->object : NULL;
}

NO_ASAN asy_obj *heap_find(asy_heap *heap, uintptr_t word) {
  size_t offset = word - (uintptr_t)heap->base;
  if (offset < heap->nblocks << BLOCK_SHIFT) {
    size_t block = offset >> BLOCK_SHIFT;
    heap_block *b = &heap->blocks[block];
    if (b->size_class == CLASS_NONE) return NULL;
    heap_class *c = &heap->classes[b->size_class];
    size_t cell = (uint64_t)(offset & (BLOCK_SIZE - 1)) * c->inverse >> 32;
    if (cell >= c->cells) return NULL;
    asy_obj *o = (asy_obj *)(heap->base + (block << BLOCK_SHIFT) + cell * c->size);
    if (!(o->gc & ASY_GC_LIVE)) return NULL;
    if (b->flags & BLOCK_UNSWEPT && !(o->gc & ASY_GC_MARKED)) return NULL;
    return o;
  }
  return word >= heap->large_min && word < heap->large_max ? find_large(heap, word) : NULL;
}

void asy_visit_conservative(asy_visitor *v, uintptr_t word) {
  if (v->check) return; /* a stale word is no error */
  asy_obj *o = heap_find(v->heap, word);
  if (!o) return;
  mark(v->heap, o);
  /* The registers of a running generator are written without a barrier: it is part of the stack that the word stands on. */
  if ((o->kind == KIND_GENERATOR || o->kind == KIND_ASYNC_GENERATOR) && ((asy_gen *)o)->state == GEN_RUNNING &&
      !v->in_generator) {
    v->in_generator = true;
    heap_scan(o, v);
    v->in_generator = false;
  }
}

/* ---- Scanning ------------------------------------------------------------------------------------------------------- */

static void scan_attributes(asy_obj *o, asy_visitor *v) {
  asy_shape *shape = v->vm->shapes[o->shape];
  asy_class *cls = shape->cls;
  asy_visit_obj(v, cls);
  if (!(cls->flags & ASY_CLASS_HAS_ATTRS) && !cls->slots_offset) return;
  asy_value *more = asy_more_of(o, cls);
  asy_visit_obj(v, asy_obj_of(*more));
  uint32_t count = shape->count < shape->inline_cap ? shape->count : shape->inline_cap;
  asy_visit_values(v, more + 1, count);
}

void heap_scan(asy_obj *o, asy_visitor *v) {
  void (*visit)(asy_obj *, asy_visitor *) = v->heap->visits[o->kind];
  if (visit) visit(o, v);
  if (o->shape >= KIND_COUNT) scan_attributes(o, v);
}

/* The mark stack once could not grow: scans every marked object again. */
static void scan_all_marked(asy_visitor *v) {
  asy_heap *heap = v->heap;
  heap->marks_overflowed = false;
  for (size_t block = 0; block < heap->nblocks; block++) {
    heap_block *b = &heap->blocks[block];
    if (b->size_class == CLASS_NONE) continue;
    for (size_t i = 0; i < heap->classes[b->size_class].cells; i++) {
      asy_obj *o = heap_cell(heap, block, i);
      if ((o->gc & (ASY_GC_LIVE | ASY_GC_MARKED)) == (ASY_GC_LIVE | ASY_GC_MARKED)) heap_scan(o, v);
    }
  }
  for (size_t i = 0; i < heap->nlarge; i++)
    if (heap->large[i].object->gc & ASY_GC_MARKED) heap_scan(heap->large[i].object, v);
}

bool heap_mark_drain(asy_visitor *v, size_t budget) {
  asy_heap *heap = v->heap;
  for (;;) {
    while (heap->marks.count) {
      if (!budget--) return false;
      heap_scan(heap->marks.items[--heap->marks.count], v);
    }
    if (!heap->marks_overflowed) return true;
    scan_all_marked(v);
  }
}

/* ---- Roots ---------------------------------------------------------------------------------------------------------- */

NO_ASAN static __attribute__((noinline)) void scan_frames(asy_visitor *v) {
  const uintptr_t *low = __builtin_frame_address(0);
  for (const uintptr_t *word = low; (const char *)word < v->vm->thread->c_stack_base; word++)
    asy_visit_conservative(v, *word);
}

/* What callers keep in registers is written into this function's frame, which scan_frames sees above its own. (setjmp would
 * not do: glibc stores the frame pointer mangled.) */
__attribute__((noinline)) void heap_mark_c_stack(asy_visitor *v) {
  __builtin_unwind_init();
  scan_frames(v);
  __asm__ volatile("" ::: "memory"); /* no tail call: the frame must be there */
}

void heap_mark_roots(asy_visitor *v) {
  asy_heap *heap = v->heap;
  asy_vm_visit_roots(v->vm, v);
  for (size_t i = 0; i < heap->pins.size; i++) asy_visit_obj(v, heap->pins.entries[i].key);
  for (size_t i = heap->queue_next; i < heap->queue.count; i++) asy_visit_obj(v, heap->queue.items[i]);
}

void heap_mark_remembered(asy_visitor *v, size_t budget) {
  asy_heap *heap = v->heap;
  while (heap->remembered.count && budget--) {
    asy_obj *o = heap->remembered.items[--heap->remembered.count];
    o->gc &= (uint8_t)~ASY_GC_REMEMBERED;
    heap_scan(o, v);
  }
  if (heap->remembered_overflowed && !heap->remembered.count) {
    heap->remembered_overflowed = false;
    scan_all_marked(v);
  }
}
