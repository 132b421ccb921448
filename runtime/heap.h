/* heap.h - allocation and collection, as the rest of the runtime sees it.
 *
 * Tracing, non-moving, generational by sticky mark bits: an object that survived a cycle stays marked, and marked means old.
 * A minor cycle traces from the roots and the remembered list only. The one rule for everybody: after storing a reference into
 * a heap object that is not brand new, the store barrier runs (asy_store does both). Collection happens at safepoints (calls,
 * backward jumps, loop turns) and in asy_alloc only under memory pressure; the C stack and the registers of the running frame
 * are scanned conservatively, so natives need no handles. Registers of a suspended task are not visited by a minor cycle unless
 * the task ran since the last one: whoever suspends a stack or a generator runs asy_barrier on its owner.
 */
#ifndef ASY_RUNTIME_HEAP_H
#define ASY_RUNTIME_HEAP_H

#include "runtime/object.h"

typedef struct asy_heap asy_heap;
struct asy_list;

/* A zeroed object of `size` bytes with its header set. NULL with MemoryError set when there is no memory. The result is kept
 * alive by the C stack or registers alone until it is stored somewhere. */
void *asy_alloc(asy_vm *vm, uint32_t shape, unsigned kind, size_t size) __attribute__((warn_unused_result));

/* A new instance of cls: C struct zeroed, attribute slots empty (UNBOUND is not needed: the shape says what is there).
 * Registers a finaliser when the class has one. */
void *asy_new_instance(asy_vm *vm, asy_class *cls) __attribute__((warn_unused_result));
/* The same for an exact built-in kind with a C struct of `size` bytes (variable-sized kinds pass their own size). */
static inline void *asy_new_kind(asy_vm *vm, unsigned kind, size_t size) { return asy_alloc(vm, kind, kind, size); }

/* Memory owned by an object (list items, dict tables), counted towards the next collection. NULL with MemoryError set. The
 * caller remembers the size. Freed by the type's `free`. */
void *asy_mem_alloc(asy_vm *vm, size_t size) __attribute__((warn_unused_result));
void *asy_mem_realloc(asy_vm *vm, void *old, size_t old_size, size_t size) __attribute__((warn_unused_result));
void asy_mem_free(asy_vm *vm, void *memory, size_t size);
/* A library holds that much more (or less) for an object: counted as well. */
void asy_mem_note(asy_vm *vm, ptrdiff_t size);

void asy_remember(asy_vm *vm, asy_obj *o); /* slow half of the barrier */
static inline void asy_barrier(asy_vm *vm, void *object) {
  asy_obj *o = (asy_obj *)object;
  if ((o->gc & (ASY_GC_MARKED | ASY_GC_REMEMBERED)) == ASY_GC_MARKED) asy_remember(vm, o);
}
/* The barrier after storing `target` (may be NULL), or a value, into object: nothing when that is old, so that a big table of old
 * things is not looked at again for each of them. */
static inline void asy_barrier_to(asy_vm *vm, void *object, const void *target) {
  asy_obj *o = (asy_obj *)object;
  if ((o->gc & (ASY_GC_MARKED | ASY_GC_REMEMBERED)) == ASY_GC_MARKED && target &&
      !(((const asy_obj *)target)->gc & ASY_GC_MARKED))
    asy_remember(vm, o);
}
static inline void asy_barrier_value(asy_vm *vm, void *object, asy_value value) {
  if (asy_is_obj(value)) asy_barrier_to(vm, object, asy_obj_of(value));
}
static inline void asy_store(asy_vm *vm, void *object, asy_value *slot, asy_value value) {
  *slot = value;
  asy_barrier_value(vm, object, value);
}

/* Called by visit functions. NULL objects and values that are not references are fine. */
void asy_visit_value(asy_visitor *v, asy_value value);
void asy_visit_obj(asy_visitor *v, const void *object);
void asy_visit_values(asy_visitor *v, const asy_value *values, size_t count);
/* The word may be stale or no reference at all: marks the object only when it is the address of (or into) a live cell. */
void asy_visit_conservative(asy_visitor *v, uintptr_t word);

typedef enum { ASY_COLLECT_MINOR, ASY_COLLECT_MAJOR } asy_collection;
/* What earlier calls left in the registers above those of the running call keeps objects alive: gone. */
void asy_clear_spare_registers(asy_vm *vm);
void asy_collect(asy_vm *vm, asy_collection what); /* now; finalisers are queued, see asy_run_finalizers */
/* The object whose bytes a memoryview shows; lets go of it. memoryview.c */
asy_obj *asy_memoryview_owner(const asy_obj *view);
void asy_memoryview_finalize(asy_vm *vm, asy_obj *view);
/* A major collection that releases the views of an object that nothing but stale words of the C stack refers to. */
void asy_collect_views(asy_vm *vm, asy_obj *viewed);
void asy_gc_safepoint(asy_vm *vm); /* vm->interrupt has ASY_INTERRUPT_GC: collect as the pacing asks, run finalisers */
bool asy_run_finalizers(asy_vm *vm); /* script code may run; whether there were any */
void asy_finalize_all(asy_vm *vm);   /* at the end of the program: all finalisers that have not run */
/* Objects whose type has `finalize` are registered by asy_alloc, instances of a class with __del__ by asy_new_instance; a type
 * with ASY_TYPE_LATE_FINALIZE registers an object when there is something to do. false: MemoryError. */
bool asy_register_finalizer(asy_vm *vm, void *object);
static inline void asy_cancel_finalizer(void *object) {
  ((asy_obj *)object)->gc |= ASY_GC_FINALIZED;
} /* nothing to do any more */

void asy_pin(asy_vm *vm, void *object); /* a root until unpinned; counts nest */
void asy_unpin(asy_vm *vm, void *object);

/* *slot is set to NULL when *object dies (before finalisers of the same cycle when the object has none). The slot lies in a
 * heap object `owner` or in malloc'ed memory (owner NULL) and is removed with asy_weak_remove. */
bool asy_weak_add(asy_vm *vm, void *owner, void **slot); /* false: MemoryError */
void asy_weak_remove(asy_vm *vm, void **slot);

/* What all who ask for an object of this use (WEAK_...) of target share: `owner`, whose slot refers to it; NULL while there is none. It
 * is forgotten when one of the two dies. */
typedef enum { WEAK_REFERENCE, WEAK_PROXY } asy_weak_use;
void *asy_weak_shared(const asy_vm *vm, asy_obj *target, asy_weak_use use);
void asy_weak_share(asy_vm *vm, asy_obj *target, asy_weak_use use, void *owner);
bool asy_weak_owners(asy_vm *vm, asy_value target,
                     struct asy_list *owners); /* appends the owners of all slots with target; looks at all */

bool asy_heap_init(asy_vm *vm);    /* reads ASY_GC */
void asy_heap_destroy(asy_vm *vm); /* frees every object; calls `free`, not `finalize` */
bool asy_heap_verify(asy_vm *vm,
                     const char **problem); /* every reference hits a live cell; no unremembered old-to-young edge */

typedef struct {
  uint64_t minors, majors;              /* cycles */
  uint64_t allocated_bytes, live_bytes; /* since start; after the last cycle */
  uint64_t objects;                     /* live after the last cycle */
  uint64_t pause_max_ns, pause_total_ns;
  uint64_t pauses[8]; /* histogram: <10us <50us <100us <500us <1ms <5ms <20ms more */
} asy_heap_stats;
asy_heap_stats asy_heap_get_stats(asy_vm *vm);
/* heap_inspect.c: lists for the module gc, of what may refer to others, of what refers to one of a tuple's objects, of what those
 * refer to. */
asy_value asy_heap_objects(asy_vm *vm);
asy_value asy_heap_referrers(asy_vm *vm, asy_value objects);
asy_value asy_heap_referents(asy_vm *vm, asy_value objects);

#endif
