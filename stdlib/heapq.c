/* heapq.c - the natives behind heapq.asy, as the module _heapq: a list as a binary heap, smallest or largest item first.
 * Must stay true: a comparison may run script code, so list and length are read again after each ("list changed size during
 * iteration" when the length differs).
 */
#include "runtime/asy.h"

typedef enum { SMALLEST, LARGEST } first; /* which item stands at the top */

/* The heap an argument is; `where` names function and argument for the message. */
static asy_list *heap_arg(asy_vm *vm, asy_value v, const char *where) {
  if (asy_is_kind(v, KIND_LIST)) return (asy_list *)asy_obj_of(v);
  asy_raise(vm, ASY_TypeError, "%s must be list, not %T", where, v);
  return NULL;
}

/* Whether a belongs above b: 1, 0, -1 failed. */
static inline int above(asy_vm *vm, asy_list *heap, asy_value a, asy_value b, first top) {
  uint32_t length = heap->len;
  if (asy_both_int(a, b)) return top == SMALLEST ? asy_small(a) < asy_small(b) : asy_small(b) < asy_small(a);
  int less = top == SMALLEST ? asy_less(vm, a, b) : asy_less(vm, b, a);
  if (less >= 0 && heap->len != length) {
    asy_raise(vm, ASY_RuntimeError, "list changed size during iteration");
    return -1;
  }
  return less;
}

static void swap(asy_vm *vm, asy_list *heap, uint32_t i, uint32_t j) {
  asy_value kept = heap->items[i];
  heap->items[i] = heap->items[j];
  heap->items[j] = kept;
  asy_barrier(vm, heap);
}

/* The item at `place` rises towards `start`, as far as it belongs. */
static bool rise(asy_vm *vm, asy_list *heap, uint32_t start, uint32_t place, first top) {
  while (place > start) {
    uint32_t parent = (place - 1) / 2;
    int less = above(vm, heap, heap->items[place], heap->items[parent], top);
    if (less < 0) return false;
    if (!less) break;
    swap(vm, heap, place, parent);
    place = parent;
  }
  return true;
}

/* The item at `place` sinks to a leaf, then rises again: fewer comparisons than stopping on the way. */
static bool sink(asy_vm *vm, asy_list *heap, uint32_t place, first top) {
  uint32_t start = place, end = heap->len;
  while (place < end / 2) {
    uint32_t child = place * 2 + 1;
    if (child + 1 < end) {
      int less = above(vm, heap, heap->items[child], heap->items[child + 1], top);
      if (less < 0) return false;
      child += !less;
    }
    swap(vm, heap, place, child);
    place = child;
  }
  return rise(vm, heap, start, place, top);
}

static asy_value pop(asy_vm *vm, asy_value v, first top) {
  asy_list *heap = heap_arg(vm, v, "heappop() argument");
  if (!heap) return ASY_FAILED;
  if (!heap->len) return asy_raise(vm, ASY_IndexError, "index out of range");
  asy_value last = asy_list_pop(vm, heap, heap->len - 1);
  if (asy_failed(last) || !heap->len) return last;
  asy_value result = heap->items[0];
  asy_list_set(vm, heap, 0, last);
  return sink(vm, heap, 0, top) ? result : ASY_FAILED;
}

static asy_value replace(asy_vm *vm, const asy_value *args, first top) {
  asy_list *heap = heap_arg(vm, args[0], "heapreplace() argument 1");
  if (!heap) return ASY_FAILED;
  if (!heap->len) return asy_raise(vm, ASY_IndexError, "index out of range");
  asy_value result = heap->items[0];
  asy_list_set(vm, heap, 0, args[1]);
  return sink(vm, heap, 0, top) ? result : ASY_FAILED;
}

static asy_value heapify(asy_vm *vm, asy_value v, first top) {
  asy_list *heap = heap_arg(vm, v, "heapify() argument");
  if (!heap) return ASY_FAILED;
  for (uint32_t i = heap->len / 2; i-- > 0;)
    if (!sink(vm, heap, i, top)) return ASY_FAILED;
  return ASY_NONE;
}

static asy_value heapq_heappush(asy_vm *vm, const asy_value *args) {
  asy_list *heap = heap_arg(vm, args[0], "heappush() argument 1");
  if (!heap || !asy_list_append(vm, heap, args[1])) return ASY_FAILED;
  return rise(vm, heap, 0, heap->len - 1, SMALLEST) ? ASY_NONE : ASY_FAILED;
}

static asy_value heapq_heappushpop(asy_vm *vm, const asy_value *args) {
  asy_list *heap = heap_arg(vm, args[0], "heappushpop() argument 1");
  if (!heap) return ASY_FAILED;
  if (!heap->len) return args[1];
  int less = asy_less(vm, heap->items[0], args[1]);
  if (less < 0) return ASY_FAILED;
  return less ? replace(vm, args, SMALLEST) : args[1];
}

static asy_value heapq_heappop(asy_vm *vm, const asy_value *args) { return pop(vm, args[0], SMALLEST); }
static asy_value heapq_heappop_max(asy_vm *vm, const asy_value *args) { return pop(vm, args[0], LARGEST); }
static asy_value heapq_heapreplace(asy_vm *vm, const asy_value *args) { return replace(vm, args, SMALLEST); }
static asy_value heapq_heapreplace_max(asy_vm *vm, const asy_value *args) { return replace(vm, args, LARGEST); }
static asy_value heapq_heapify(asy_vm *vm, const asy_value *args) { return heapify(vm, args[0], SMALLEST); }
static asy_value heapq_heapify_max(asy_vm *vm, const asy_value *args) { return heapify(vm, args[0], LARGEST); }

static const asy_native natives[] = {
  {"_heapify_max", SIG("(heap, /)"), heapq_heapify_max, DOC("Maxheap variant of heapify."), 0},
  {"_heappop_max", SIG("(heap, /)"), heapq_heappop_max, DOC("Maxheap variant of heappop."), 0},
  {"_heapreplace_max", SIG("(heap, item, /)"), heapq_heapreplace_max, DOC("Maxheap variant of heapreplace."), 0},
  {"heapify", SIG("(heap, /)"), heapq_heapify, DOC("Transform list into a heap, in-place, in O(len(heap)) time."), 0},
  {"heappop", SIG("(heap, /)"), heapq_heappop,
   DOC("Pop the smallest item off the heap, maintaining the heap invariant."), 0},
  {"heappush", SIG("(heap, item, /)"), heapq_heappush, DOC("Push item onto heap, maintaining the heap invariant."), 0},
  {"heappushpop", SIG("(heap, item, /)"), heapq_heappushpop,
   DOC("Push item on the heap, then pop and return the smallest item from the heap."), 0},
  {"heapreplace", SIG("(heap, item, /)"), heapq_heapreplace,
   DOC("Pop and return the current smallest value, and add the new item."), 0},
  {0},
};

const asy_module_def asy_module_heapq = {"_heapq", natives, "Natives of heapq.", NULL};
