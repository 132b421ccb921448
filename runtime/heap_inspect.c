/* heap_inspect.c - what lies in the heap and what refers to what, for the module gc.
 * Lists are made in two walks, which allocate nothing: one counts, the other fills. What the machine keeps for itself
 * (KIND_SLOTS) is looked through; what died and was not swept yet is left out.
 */
#include "runtime/heap_internal.h"
#include "runtime/types/list.h"

typedef struct {
  asy_visitor visitor;    /* first: its check() gets this back */
  const asy_tuple *among; /* the objects asked about */
  asy_list *list;         /* NULL while counting */
  size_t count;
  bool hit; /* the object being scanned refers to one of among */
} inspection;

static void add(inspection *in, asy_obj *o) {
  if (in->list && in->count < in->list->cap) {
    in->list->items[in->count] = asy_from_obj(o);
    in->list->len = (uint32_t)in->count + 1;
  }
  in->count++;
}

static void add_target(asy_visitor *v, asy_obj *target) {
  if (target->kind == KIND_SLOTS) heap_scan(target, v);
  else add((inspection *)v, target);
}

static void look_for_target(asy_visitor *v, asy_obj *target) {
  inspection *in = (inspection *)v;
  if (target->kind == KIND_SLOTS) heap_scan(target, v);
  for (uint32_t i = 0; i < in->among->len; i++)
    if (in->among->items[i] == asy_from_obj(target)) in->hit = true;
}

static void list_referents(inspection *in) {
  in->visitor.check = add_target;
  for (uint32_t i = 0; i < in->among->len; i++)
    if (asy_is_obj(in->among->items[i])) heap_scan(asy_obj_of(in->among->items[i]), &in->visitor);
}

/* With among: what refers to one of them, save among itself; without: what may refer to others at all. */
static void list_object(inspection *in, asy_obj *o) {
  if (o->kind == KIND_SLOTS || o == (const asy_obj *)in->among || o == (const asy_obj *)in->list) return;
  bool container = in->visitor.heap->visits[o->kind] || o->shape >= KIND_COUNT;
  if (in->among) {
    in->hit = false;
    heap_scan(o, &in->visitor);
  }
  if (container && (!in->among || in->hit)) add(in, o);
}

static void list_objects(inspection *in) {
  asy_heap *heap = in->visitor.heap;
  in->visitor.check = look_for_target;
  for (size_t block = 0; block < heap->nblocks; block++) {
    heap_block *b = &heap->blocks[block];
    if (b->size_class == CLASS_NONE) continue;
    for (size_t i = 0; i < heap->classes[b->size_class].cells; i++) {
      asy_obj *o = heap_cell(heap, block, i);
      bool garbage = b->flags & BLOCK_UNSWEPT && !(o->gc & ASY_GC_MARKED);
      if (o->gc & ASY_GC_LIVE && !garbage) list_object(in, o);
    }
  }
  for (size_t i = 0; i < heap->nlarge; i++) list_object(in, heap->large[i].object);
}

static asy_value inspect(asy_vm *vm, const asy_tuple *among, void (*walk)(inspection *)) {
  inspection in = {.visitor = {.vm = vm, .heap = vm->heap}, .among = among};
  walk(&in);
  if (in.count > INT32_MAX) return asy_raise_no_memory(vm);
  in.list = asy_list_new(vm, (uint32_t)in.count + 64);
  if (!in.list) return ASY_FAILED;
  in.count = 0;
  walk(&in);
  return asy_from_obj(in.list);
}

asy_value asy_heap_objects(asy_vm *vm) { return inspect(vm, NULL, list_objects); }
asy_value asy_heap_referrers(asy_vm *vm, asy_value objects) {
  return inspect(vm, (asy_tuple *)asy_obj_of(objects), list_objects);
}
asy_value asy_heap_referents(asy_vm *vm, asy_value objects) {
  return inspect(vm, (asy_tuple *)asy_obj_of(objects), list_referents);
}
