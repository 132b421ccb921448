/* heap_verify.c - checks what must be true of the heap between cycles.
 * Every reference of every object that may be alive hits the start of a live cell, and an old object refers to young ones only
 * when it is on the remembered list. Running stacks are exempt from the second rule: the roots see them.
 */
#include "runtime/heap_internal.h"

static void check_live(asy_visitor *v, asy_obj *target) {
  if (v->problem) return;
  if (heap_find(v->heap, (uintptr_t)target) != target) v->problem = "a reference to a cell that is not alive";
}

static bool has_stack(const asy_obj *o) {
  return o->kind == KIND_TASK || o->kind == KIND_GENERATOR || o->kind == KIND_COROUTINE ||
         o->kind == KIND_ASYNC_GENERATOR;
}

static void check_edge(asy_visitor *v, asy_obj *target) {
  check_live(v, target);
  if (v->problem || v->heap->phase != HEAP_IDLE || v->heap->remembered_overflowed || has_stack(v->source)) return;
  bool old = (v->source->gc & (ASY_GC_MARKED | ASY_GC_REMEMBERED)) == ASY_GC_MARKED;
  if (old && !(target->gc & ASY_GC_MARKED)) v->problem = "an old object refers to a young one and is not remembered";
}

static void check_object(asy_visitor *v, asy_obj *o) {
  v->source = o;
  heap_scan(o, v);
}

bool asy_heap_verify(asy_vm *vm, const char **problem) {
  asy_heap *heap = vm->heap;
  heap_sort_large(heap);
  asy_visitor v = {.vm = vm, .heap = heap, .check = check_live};
  asy_vm_visit_roots(vm, &v);
  v.check = check_edge;
  for (size_t block = 0; block < heap->nblocks && !v.problem; block++) {
    heap_block *b = &heap->blocks[block];
    if (b->size_class == CLASS_NONE) continue;
    for (size_t i = 0; i < heap->classes[b->size_class].cells && !v.problem; i++) {
      asy_obj *o = heap_cell(heap, block, i);
      bool garbage = b->flags & BLOCK_UNSWEPT && !(o->gc & ASY_GC_MARKED);
      if (o->gc & ASY_GC_LIVE && !garbage) check_object(&v, o);
    }
  }
  for (size_t i = 0; i < heap->nlarge && !v.problem; i++) check_object(&v, heap->large[i].object);
  if (problem) *problem = v.problem;
  return !v.problem;
}
