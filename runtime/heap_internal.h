/* heap_internal.h - the collector's own data: blocks, size classes, lists. Only heap*.c include this.
 *
 *   arena   one reservation of address space, committed as it fills: block i lies at base + i * 32 KiB, so a word is looked up
 *           by a subtraction and a shift. What is said about a block lies in a table beside the arena, not in the block.
 *   block   cells of one size class. A free cell has gc == 0 (no GC_LIVE); free cells in a row form a run, whose first cell
 *           says how long it is and where the next one starts.
 *   young   a block that was allocated from since the last cycle. Only these are looked at after a minor cycle.
 *   large   objects over 2 KiB are malloc'ed and stand in an array sorted by address.
 *
 *   a block's life:   pool --take--> current --run out--> full
 *                       ^               | cycle             | cycle (young), or major
 *                       +-- all dead ---+---- UNSWEPT, available --sweep--> runs, available --take--> current
 *
 * Must stay true: in an UNSWEPT block an unmarked cell is garbage, and so are the cells it refers to; nothing may look at it but
 * the sweeper. Marks are cleared only when no block is UNSWEPT. live[b] is the number of marked cells of block b.
 */
#ifndef ASY_RUNTIME_HEAP_INTERNAL_H
#define ASY_RUNTIME_HEAP_INTERNAL_H

#include "runtime/vm.h"

#if defined(__SANITIZE_ADDRESS__)
#define HEAP_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HEAP_ASAN 1
#endif
#endif
#ifndef HEAP_ASAN
#define HEAP_ASAN 0
#endif
#if HEAP_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif
#define NO_ASAN __attribute__((no_sanitize("address")))

enum {
  BLOCK_SHIFT = 15,
  BLOCK_SIZE = 1 << BLOCK_SHIFT,
  CELL_MAX = 2048,  /* larger objects are malloc'ed */
  CELL_PLAIN = 512, /* runs of larger cells are not cleared: alloc_away clears the object, unless nobody needs that */
  CLASS_COUNT = 25,
  CLASS_NONE = 255,       /* a block in the pool */
  COMMIT_BLOCKS = 32,     /* the arena grows by this many */
  REMEMBERED_MANY = 4096, /* entries too many for one pause: worked on in slices */
  RUN_MAX = 4096, /* bytes zeroed at once: they are still in the first-level cache when the cells are handed out */
};

enum {                       /* block.flags */
       BLOCK_YOUNG = 1,      /* on the young list */
       BLOCK_UNSWEPT = 2,    /* unmarked cells are garbage that nobody has collected yet */
       BLOCK_NEEDS_FREE = 4, /* may hold an object whose type has `free` */
       BLOCK_ZEROED = 8,     /* cells behind the current run are all zero already */
};

typedef struct {
  uint32_t next;      /* number + 1 of the next block of the list it is on (available, young, pool); 0 ends it */
  uint16_t first_run; /* cell number + 1 of the first free run of a swept block; 0 none */
  uint8_t size_class;
  uint8_t flags;
} heap_block;

typedef struct {  /* in the first cell of a free run, behind the header word */
  uint16_t next;  /* cell number + 1 of the next run; 0 none */
  uint16_t count; /* cells */
} heap_run;

typedef struct {
  char *cur, *end;    /* the run being handed out; equal when there is none */
  uint32_t size;      /* bytes of a cell */
  uint32_t cells;     /* of a block */
  uint32_t inverse;   /* ceil(2^32 / size): cell number = offset * inverse >> 32 */
  uint32_t current;   /* number + 1 of the block the run belongs to; 0 none */
  uint32_t available; /* list of blocks that have, or may have, free cells */
} heap_class;

typedef struct {
  asy_obj *object;
  size_t size : 63;
  size_t old : 1; /* survived a cycle: minor cycles need not look at it */
} heap_large;

typedef struct { /* a vector of object pointers in malloc'ed memory */
  asy_obj **items;
  size_t count, cap;
} heap_list;

typedef struct { /* open-addressed map from an address to a number; linear probing, no tombstones */
  struct {
    void *key;
    size_t value;
  } * entries;
  size_t count, size; /* size is a power of two, or 0 */
} heap_map;

typedef struct {
  asy_obj *owner; /* heap object the slot lies in, or NULL */
  void **slot;
} heap_weak;

/* Small pieces of counted memory (tables of dicts and sets, items of lists) come and go in masses, mostly when blocks are swept: a
 * list a size keeps some, which is several times faster than malloc and free. Pieces are linked through their first word. */
typedef struct {
  void *first;
  size_t bytes; /* at most SPARE_BYTES */
} heap_spare;
enum { SPARE_LARGEST = 512, SPARE_CLASSES = SPARE_LARGEST / 16 + 1, SPARE_BYTES = 512 << 10 };

/* kind_bits: what asy_alloc must do besides handing out a cell; 0 for most kinds */
enum {
  KIND_HAS_FREE = 1,
  KIND_HAS_FINALIZE = 2,
  KIND_IS_CLASS = 4,
  KIND_UNKNOWN = 8, /* defined by a module: not looked at yet */
};

typedef enum { HEAP_IDLE, HEAP_PREPARE, HEAP_MARK } heap_phase; /* of a major cycle in progress */

struct asy_heap {
  heap_class classes[CLASS_COUNT];
  uint8_t class_of[CELL_MAX / 16 + 1]; /* by (size + 15) / 16 */
  uint8_t kind_bits[256];
  const asy_type *types[256];                    /* by kind; NULL unknown */
  void (*visits[256])(asy_obj *, asy_visitor *); /* types[kind]->visit */

  void *mapping;     /* what mmap gave */
  char *base;        /* of the arena: mapping rounded up to a block */
  size_t nblocks;    /* handed out so far: blocks [0, nblocks) exist */
  size_t committed;  /* blocks that may be touched */
  size_t max_blocks; /* reserved */
  heap_block *blocks;
  uint16_t *live; /* marked cells, by block */
  uint32_t pool;  /* list of empty blocks */
  size_t npool;
  uint32_t young;      /* list of young blocks */
  size_t nunswept;     /* blocks with BLOCK_UNSWEPT */
  bool release_due;    /* a major cycle's garbage is being swept: release() follows */
  size_t sweep_cursor; /* the background sweep has passed the blocks below */

  heap_spare spare[SPARE_CLASSES]; /* freed counted memory kept for reuse, by (size + 15) / 16 */

  heap_large *large; /* sorted by address, save for the last nlarge_new */
  size_t nlarge, large_cap, nlarge_new;
  size_t large_bytes;
  uintptr_t large_min, large_max; /* all lie in [min, max) */

  heap_list marks;       /* mark stack */
  bool marks_overflowed; /* it could not grow: some marked objects were not visited */
  heap_list remembered;
  bool remembered_overflowed;
  heap_list condemned; /* dead classes, freed when every dead instance is swept */
  bool classes_young;  /* a class was made since the last cycle */

  heap_list finalizable; /* objects with a finaliser; [0, nfinalizable_old) are old */
  size_t nfinalizable_old;
  const asy_obj *viewed; /* asy_collect_views is looking for views of it; else NULL */
  heap_list queue;       /* unreachable, waiting for their finaliser, oldest first */
  size_t queue_next;
  bool finalizing;

  heap_map pins;   /* object -> count */
  heap_weak *weak; /* [0, nweak_old) refer to old objects */
  size_t nweak, nweak_old, weak_cap;
  heap_map weak_index;  /* slot -> place in weak */
  heap_map weak_shared; /* see asy_weak_share: place in `target` -> owner */

  heap_phase phase;
  size_t prepare_cursor;
  unsigned mark_rounds; /* times the remembered list was drained in this major cycle */

  size_t since;        /* bytes allocated since the last cycle ended */
  size_t minor_bytes;  /* allocated between two minor cycles */
  int64_t minor_end;   /* when the last one ended */
  size_t trigger;      /* value of since that asks for the next step */
  size_t early;        /* value of since at which a long remembered list is worked on ahead of the cycle */
  size_t emergency;    /* value of since at which allocation itself collects */
  size_t mem_bytes;    /* held by asy_mem_alloc */
  size_t cell_bytes;   /* live cells after the last cycle */
  size_t major_base;   /* live bytes after the last major cycle */
  bool major_base_due; /* to be taken once its garbage is swept */
  bool collecting;
  bool poison; /* freed cells are filled with 0xDB */
  bool single; /* hand out one cell at a time (ASY_FAIL_ALLOC counts them) */
  uint32_t stress_every, stress_count;
  uint64_t fail_at, attempts; /* ASY_FAIL_ALLOC */
  asy_heap_stats stats;
};

struct asy_visitor {
  asy_vm *vm;
  asy_heap *heap;
  void (*check)(asy_visitor *v, asy_obj *target); /* verifying: called for each reference instead of marking */
  bool in_generator;                              /* scanning a running generator found on a stack */
  asy_obj *source;                                /* verifying: the object being visited */
  const char *problem;                            /* verifying: the first one found */
};

static inline asy_obj *heap_cell(const asy_heap *heap, size_t block, size_t cell) {
  return (asy_obj *)(heap->base + (block << BLOCK_SHIFT) + cell * heap->classes[heap->blocks[block].size_class].size);
}
/* The number of the block a word points into, or SIZE_MAX. */
static inline size_t heap_block_of(const asy_heap *heap, const void *address) {
  size_t block = ((uintptr_t)address - (uintptr_t)heap->base) >> BLOCK_SHIFT;
  return block < heap->nblocks ? block : SIZE_MAX;
}
static inline bool heap_early_due(const asy_heap *heap) {
  return heap->since >= heap->early && heap->remembered.count > REMEMBERED_MANY && heap->phase == HEAP_IDLE;
}
static inline size_t heap_live_bytes(const asy_heap *heap) {
  return heap->cell_bytes + heap->large_bytes + heap->mem_bytes;
}

/* heap.c */
bool heap_list_push(heap_list *list, asy_obj *o); /* false: no memory */
void heap_list_free(heap_list *list);
bool heap_map_set(heap_map *map, void *key, size_t value);
size_t *heap_map_find(const heap_map *map, const void *key); /* NULL when absent */
void heap_map_remove(heap_map *map, const void *key);
void heap_weak_drop(asy_heap *heap, size_t i); /* takes entry i out, keeping old and young apart */
void heap_pool_push(asy_heap *heap, size_t block);

/* heap_mark.c */
asy_obj *heap_find(asy_heap *heap, uintptr_t word); /* the live object a word points to or into, or NULL */
void heap_mark_roots(asy_visitor *v);               /* roots, pins, queue */
void heap_mark_c_stack(asy_visitor *v);
void heap_mark_remembered(asy_visitor *v,
                          size_t budget); /* visits up to budget objects of the remembered list and drops them */
bool heap_mark_drain(asy_visitor *v, size_t budget); /* scans up to budget objects; true when none is left */
void heap_scan(asy_obj *o, asy_visitor *v);          /* visits everything o refers to */

void heap_sort_large(asy_heap *heap); /* before words are looked up */

/* heap_sweep.c */
void heap_sweep_block(asy_vm *vm, size_t block); /* which is unswept */
void heap_sweep_all(asy_vm *vm);
void heap_sweep_some(asy_vm *vm, size_t count); /* background: the next `count` unswept blocks */
void heap_after_minor(asy_vm *vm);              /* marking is complete: young blocks become available */
void heap_after_major(asy_vm *vm);              /* all blocks do */
void heap_free_object(asy_vm *vm, asy_obj *o);  /* calls the type's `free` */

/* heap_cycle.c */
void heap_collect_under_pressure(asy_vm *vm); /* from allocation */

#endif
