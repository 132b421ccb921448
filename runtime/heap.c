/* heap.c - allocation: cells of size classes, large objects, counted memory; pins and weak slots.
 *
 * asy_alloc takes the next cell of the run at hand: a table look-up, a bump, a store of the header. Runs are zeroed when they
 * are taken, so the cell is zero. Everything else (next run, next block, sweeping, asking for a collection) happens when a run is
 * used up, which is also when bytes are counted. The picture is in heap_internal.h; marking, sweeping and the cycles lie in
 * heap_mark.c, heap_sweep.c and heap_cycle.c.
 */
#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "runtime/class.h"
#include "runtime/heap_internal.h"

static const uint16_t class_sizes[CLASS_COUNT] = {16,  32,  48,  64,  80,  96,  112, 128,  144,  160,  192,  224, 256,
                                                  304, 368, 432, 512, 608, 720, 864, 1024, 1216, 1456, 1728, 2048};

static const size_t MINOR_BYTES = 2u << 20; /* allocated between two minor cycles, at first: fits the cache of a core */
static const size_t MAJOR_BASE = 16u << 20; /* live bytes from which on doubling asks for a major cycle */
static const size_t EMERGENCY_BYTES = 256u << 20; /* allocated without reaching a safepoint: allocation collects */
static const size_t RESERVE_BYTES = (size_t)64 << 30;
static const size_t RESERVE_LEAST = (size_t)256 << 20;

#define X(name, descriptor) extern const asy_type descriptor;
ASY_KINDS(X)
#undef X
static const asy_type *const builtin_types[KIND_COUNT] = {
#define X(name, descriptor) [KIND_##name] = &descriptor,
  ASY_KINDS(X)
#undef X
};

/* ---- Vectors and maps in malloc'ed memory --------------------------------------------------------------------------- */

bool heap_list_push(heap_list *list, asy_obj *o) {
  if (list->count == list->cap) {
    size_t cap = list->cap ? list->cap * 2 : 64;
    asy_obj **items = realloc(list->items, cap * sizeof *items);
    if (!items) return false;
    list->items = items;
    list->cap = cap;
  }
  list->items[list->count++] = o;
  return true;
}

void heap_list_free(heap_list *list) {
  free(list->items);
  *list = (heap_list){0};
}

static size_t map_home(const heap_map *map, const void *key) {
  return ((uintptr_t)key >> 3) * UINT64_C(0x9E3779B97F4A7C15) >> 20 & (map->size - 1);
}

size_t *heap_map_find(const heap_map *map, const void *key) {
  if (!map->size) return NULL;
  for (size_t i = map_home(map, key); map->entries[i].key; i = (i + 1) & (map->size - 1))
    if (map->entries[i].key == key) return &map->entries[i].value;
  return NULL;
}

static bool map_grow(heap_map *map) {
  heap_map bigger = {.size = map->size ? map->size * 2 : 16};
  bigger.entries = calloc(bigger.size, sizeof *bigger.entries);
  if (!bigger.entries) return false;
  for (size_t i = 0; i < map->size; i++)
    if (map->entries[i].key) heap_map_set(&bigger, map->entries[i].key, map->entries[i].value);
  free(map->entries);
  *map = bigger;
  return true;
}

bool heap_map_set(heap_map *map, void *key, size_t value) {
  size_t *found = heap_map_find(map, key);
  if (found) {
    *found = value;
    return true;
  }
  if (map->count * 4 >= map->size * 3 && !map_grow(map)) return false;
  size_t i = map_home(map, key);
  while (map->entries[i].key) i = (i + 1) & (map->size - 1);
  map->entries[i].key = key;
  map->entries[i].value = value;
  map->count++;
  return true;
}

void heap_map_remove(heap_map *map, const void *key) {
  size_t *found = heap_map_find(map, key);
  if (!found) return;
  size_t mask = map->size - 1;
  size_t hole = (size_t)((char *)found - (char *)&map->entries[0].value) / sizeof map->entries[0];
  for (size_t i = (hole + 1) & mask; map->entries[i].key; i = (i + 1) & mask) {
    size_t home = map_home(map, map->entries[i].key);
    if (((i - home) & mask) < ((i - hole) & mask)) continue; /* its home lies behind the hole */
    map->entries[hole] = map->entries[i];
    hole = i;
  }
  map->entries[hole].key = NULL;
  map->count--;
}

/* ---- Blocks --------------------------------------------------------------------------------------------------------- */

void heap_pool_push(asy_heap *heap, size_t block) {
  heap->blocks[block] = (heap_block){.next = heap->pool, .size_class = CLASS_NONE};
  heap->pool = (uint32_t)block + 1;
  heap->npool++;
  ASAN_POISON_MEMORY_REGION(heap->base + (block << BLOCK_SHIFT), BLOCK_SIZE);
}

/* A block of zeroes without owner, from the pool or from fresh address space; SIZE_MAX: no memory. */
static size_t take_empty_block(asy_heap *heap) {
  if (heap->pool) {
    size_t block = heap->pool - 1;
    heap->pool = heap->blocks[block].next;
    heap->npool--;
    ASAN_UNPOISON_MEMORY_REGION(heap->base + (block << BLOCK_SHIFT), BLOCK_SIZE);
    memset(heap->base + (block << BLOCK_SHIFT), 0, BLOCK_SIZE);
    return block;
  }
  if (heap->nblocks == heap->committed) {
    if (heap->committed + COMMIT_BLOCKS > heap->max_blocks) return SIZE_MAX;
    char *start = heap->base + (heap->committed << BLOCK_SHIFT);
    if (mprotect(start, (size_t)COMMIT_BLOCKS << BLOCK_SHIFT, PROT_READ | PROT_WRITE) != 0) return SIZE_MAX;
    heap->committed += COMMIT_BLOCKS;
  }
  return heap->nblocks++;
}

NO_ASAN static heap_run *run_at(const asy_heap *heap, size_t block, size_t cell) {
  return (heap_run *)((char *)heap_cell(heap, block, cell) + sizeof(asy_obj));
}

static void make_current(asy_heap *heap, heap_class *c, size_t block) {
  heap_block *b = &heap->blocks[block];
  c->current = (uint32_t)block + 1;
  b->flags |= BLOCK_YOUNG;
  b->next = heap->young;
  heap->young = (uint32_t)block + 1;
}

/* Free cells are poisoned, save for their headers, which the collector looks at. */
static void poison_cells(const heap_class *c, char *cell, size_t count) {
  for (size_t i = 0; i < count; i++, cell += c->size)
    ASAN_POISON_MEMORY_REGION(cell + sizeof(asy_obj), c->size - sizeof(asy_obj));
}

/* Gives class c a block that has a free run. false: no memory. */
NO_ASAN static bool next_block(asy_vm *vm, heap_class *c) {
  asy_heap *heap = vm->heap;
  if (heap->nunswept || heap->release_due) { /* keep the background sweep ahead of the next major cycle */
    size_t takes = heap->trigger > heap->since ? ((heap->trigger - heap->since) >> BLOCK_SHIFT) + 1 : 1;
    heap_sweep_some(vm, heap->nunswept / takes + 1);
  }
  while (c->available) {
    size_t block = c->available - 1;
    heap_block *b = &heap->blocks[block];
    c->available = b->next;
    b->next = 0;
    if (b->flags & BLOCK_UNSWEPT) heap_sweep_block(vm, block);
    if (!b->first_run) continue;
    make_current(heap, c, block);
    return true;
  }
  size_t block = take_empty_block(heap);
  if (block == SIZE_MAX) return false;
  heap->blocks[block] = (heap_block){.size_class = (uint8_t)(c - heap->classes), .flags = BLOCK_ZEROED, .first_run = 1};
  heap->live[block] = 0;
  *run_at(heap, block, 0) = (heap_run){.count = (uint16_t)c->cells};
  if (HEAP_ASAN) poison_cells(c, heap->base + (block << BLOCK_SHIFT), c->cells);
  make_current(heap, c, block);
  return true;
}

/* Takes the first run of the current block (or a part of it) as the run at hand. */
NO_ASAN static void take_run(asy_heap *heap, heap_class *c) {
  size_t block = c->current - 1;
  heap_block *b = &heap->blocks[block];
  size_t cell = b->first_run - 1u;
  heap_run run = *run_at(heap, block, cell);
  size_t most = heap->single ? 1 : RUN_MAX / c->size;
  size_t count = run.count <= most ? run.count : most;
  char *start = (char *)heap_cell(heap, block, cell);
  if (HEAP_ASAN) ASAN_UNPOISON_MEMORY_REGION(start, count * c->size);
  const size_t head = sizeof(asy_obj) + sizeof(heap_run);
  if (b->flags & BLOCK_ZEROED) memset(start, 0, head);
  else if (c->size <= CELL_PLAIN) memset(start, 0, count * c->size);
  else
    for (size_t i = 0; i < count; i++) memset(start + i * c->size, 0, head);
  if (HEAP_ASAN) poison_cells(c, start, count);
  if (count < run.count) {
    *run_at(heap, block, cell + count) = (heap_run){.next = run.next, .count = (uint16_t)(run.count - count)};
    b->first_run = (uint16_t)(cell + count + 1);
  } else {
    b->first_run = run.next;
  }
  c->cur = start;
  c->end = start + count * c->size;
  heap->since += count * c->size;
}

/* ASY_FAIL_ALLOC: whether this attempt is the one that fails. */
static bool must_fail(asy_heap *heap) { return heap->fail_at && ++heap->attempts == heap->fail_at; }

static void after_counting(asy_vm *vm) {
  asy_heap *heap = vm->heap;
  if (heap->since >= heap->trigger || heap_early_due(heap)) asy_interrupt_set(vm, ASY_INTERRUPT_GC);
  if (heap->since >= heap->emergency && !heap->collecting) heap_collect_under_pressure(vm);
}

/* A cell when the run at hand is used up; NULL with MemoryError set. */
static __attribute__((noinline)) char *refill(asy_vm *vm, heap_class *c) {
  asy_heap *heap = vm->heap;
  if (must_fail(heap)) {
    asy_raise_no_memory(vm);
    return NULL;
  }
  after_counting(vm);
  for (int attempt = 0; !c->current || !heap->blocks[c->current - 1].first_run; attempt++) {
    c->current = 0;
    if (next_block(vm, c)) break;
    if (attempt || heap->collecting) {
      asy_raise_no_memory(vm);
      return NULL;
    }
    heap_collect_under_pressure(vm);
  }
  take_run(heap, c);
  char *cell = c->cur;
  c->cur += c->size;
  return cell;
}

/* ---- Objects -------------------------------------------------------------------------------------------------------- */

static void set_kind(asy_heap *heap, unsigned kind, const asy_type *type) {
  heap->types[kind] = type;
  heap->visits[kind] = type->visit;
  heap->kind_bits[kind] = (uint8_t)((type->free ? KIND_HAS_FREE : 0) |
                                    (type->special && type->special->finalize && !(type->flags & ASY_TYPE_LATE_FINALIZE)
                                       ? KIND_HAS_FINALIZE
                                       : 0) |
                                    (kind == KIND_TYPE ? KIND_IS_CLASS | KIND_HAS_FREE : 0));
}

bool asy_register_finalizer(asy_vm *vm, void *object) {
  if (heap_list_push(&vm->heap->finalizable, object)) return true;
  asy_raise_no_memory(vm);
  return false;
}

/* What some kinds need besides a cell. The object; NULL: MemoryError. */
static __attribute__((noinline)) void *note_kind(asy_vm *vm, asy_obj *o) {
  asy_heap *heap = vm->heap;
  if (heap->kind_bits[o->kind] & KIND_UNKNOWN) set_kind(heap, o->kind, vm->shapes[o->shape]->cls->type);
  unsigned bits = heap->kind_bits[o->kind];
  size_t block = heap_block_of(heap, o);
  if (bits & KIND_HAS_FREE && block != SIZE_MAX) heap->blocks[block].flags |= BLOCK_NEEDS_FREE;
  if (bits & KIND_IS_CLASS) heap->classes_young = true;
  if (!(bits & KIND_HAS_FINALIZE) || asy_register_finalizer(vm, o)) return o;
  o->gc = 0; /* give the cell back: nobody has seen it */
  return NULL;
}

/* A text or an integer, exactly of the built-in class, needs no cleared memory but at its ends, where headers and terminators are:
 * whoever makes it writes its data at once. */
static inline bool is_plain(uint32_t shape, unsigned kind) {
  return shape == kind && (kind == KIND_INT || kind == KIND_STR || kind == KIND_BYTES);
}

static void clear_ends(char *memory, size_t size) {
  memset(memory, 0, 64);
  memset(memory + size - 16, 0, 16);
}

static void *alloc_large(asy_vm *vm, size_t size, bool plain) {
  asy_heap *heap = vm->heap;
  heap->since += size;
  after_counting(vm);
  void *memory = must_fail(heap) ? NULL : plain ? malloc(size) : calloc(1, size);
  if (!memory && !heap->collecting && !heap->fail_at) {
    heap_collect_under_pressure(vm);
    memory = plain ? malloc(size) : calloc(1, size);
  }
  if (heap->nlarge == heap->large_cap && memory) {
    size_t cap = heap->large_cap ? heap->large_cap * 2 : 64;
    heap_large *large = realloc(heap->large, cap * sizeof *large);
    if (large) {
      heap->large = large;
      heap->large_cap = cap;
    } else {
      free(memory);
      memory = NULL;
    }
  }
  if (!memory) {
    asy_raise_no_memory(vm);
    return NULL;
  }
  heap->large[heap->nlarge++] = (heap_large){.object = memory, .size = size};
  heap->nlarge_new++;
  heap->large_bytes += size;
  if ((uintptr_t)memory < heap->large_min) heap->large_min = (uintptr_t)memory;
  if ((uintptr_t)memory + size > heap->large_max) heap->large_max = (uintptr_t)memory + size;
  return memory;
}

static char *alloc_cell(asy_vm *vm, size_t size) {
  asy_heap *heap = vm->heap;
  heap_class *c = &heap->classes[heap->class_of[(size + 15) >> 4]];
  if (c->cur == c->end) return refill(vm, c);
  char *cell = c->cur;
  c->cur += c->size;
  return cell;
}

/* The next run of the block at hand when it is one small cell, as in blocks where every other object lives on: without what
 * refill does for longer ones. NULL: it is not, or there is something else to do. */
static inline char *take_lone_cell(asy_heap *heap, heap_class *c) {
  enum { SMALL = 64 };
  if (HEAP_ASAN || !c->current || c->size > SMALL || heap->fail_at || heap->since >= heap->trigger ||
      heap_early_due(heap))
    return NULL;
  heap_block *b = &heap->blocks[c->current - 1];
  if (!b->first_run || b->flags & BLOCK_ZEROED) return NULL;
  char *cell = heap->base + ((size_t)(c->current - 1) << BLOCK_SHIFT) + (b->first_run - 1u) * (size_t)c->size;
  const heap_run *run = (const heap_run *)(cell + sizeof(asy_obj));
  if (run->count != 1) return NULL;
  b->first_run = run->next;
  for (uint32_t i = 0; i < c->size; i += 16) memset(cell + i, 0, 16);
  heap->since += c->size;
  return cell;
}

/* Where no cell is at hand: a new run; or a big cell, or a large object. */
static __attribute__((noinline)) void *alloc_away(asy_vm *vm, uint32_t shape, unsigned kind, size_t size) {
  asy_heap *heap = vm->heap;
  bool plain = is_plain(shape, kind);
  char *cell = size <= CELL_PLAIN ? take_lone_cell(heap, &heap->classes[heap->class_of[(size + 15) >> 4]]) : NULL;
  if (!cell) cell = size <= CELL_MAX ? alloc_cell(vm, size) : alloc_large(vm, size, plain);
  if (!cell) return NULL;
  if (HEAP_ASAN && size <= CELL_MAX) ASAN_UNPOISON_MEMORY_REGION(cell, size);
  if (size > CELL_PLAIN && plain) clear_ends(cell, size);
  else if (size > CELL_PLAIN && size <= CELL_MAX) memset(cell, 0, size);
  asy_obj *o = (asy_obj *)cell;
  *o = (asy_obj){.shape = shape, .kind = (uint8_t)kind, .gc = ASY_GC_LIVE};
  return heap->kind_bits[kind] ? note_kind(vm, o) : o;
}

/* No call on the usual way but in the last line, so that it needs no frame. */
void *asy_alloc(asy_vm *vm, uint32_t shape, unsigned kind, size_t size) {
  asy_heap *heap = vm->heap;
  if (__builtin_expect(size > CELL_PLAIN, 0)) return alloc_away(vm, shape, kind, size);
  heap_class *c = &heap->classes[heap->class_of[(size + 15) >> 4]];
  char *cell = c->cur;
  if (__builtin_expect(cell == c->end, 0)) return alloc_away(vm, shape, kind, size);
  c->cur = cell + c->size;
  if (HEAP_ASAN) ASAN_UNPOISON_MEMORY_REGION(cell, size);
  asy_obj *o = (asy_obj *)cell;
  *o = (asy_obj){.shape = shape, .kind = (uint8_t)kind, .gc = ASY_GC_LIVE};
  return __builtin_expect(heap->kind_bits[kind], 0) ? note_kind(vm, o) : o;
}

void *asy_new_instance(asy_vm *vm, asy_class *cls) {
  size_t size = cls->slots_offset ? cls->slots_offset + sizeof(asy_value) * (size_t)cls->root->inline_cap
                                  : cls->base_size;
  asy_obj *o = asy_alloc(vm, cls->root->id, cls->kind, size < sizeof *o ? sizeof *o : size);
  if (o && cls->flags & ASY_CLASS_HAS_FINALIZER && !(vm->heap->kind_bits[cls->kind] & KIND_HAS_FINALIZE) &&
      !asy_register_finalizer(vm, o))
    return NULL;
  return o;
}

/* ---- Counted memory ------------------------------------------------------------------------------------------------- */

/* What malloc is asked for: pieces of one class can stand in for each other. */
static size_t piece_size(size_t size) { return size > SPARE_LARGEST ? size : size ? (size + 15) & ~(size_t)15 : 16; }

static inline heap_spare *spare_of(asy_heap *heap, size_t size) {
  return HEAP_ASAN || size > SPARE_LARGEST ? NULL : &heap->spare[piece_size(size) >> 4];
}

static void *take_spare(heap_spare *spare, size_t size) {
  void *piece = spare->first;
  spare->first = *(void **)piece;
  spare->bytes -= piece_size(size);
  return piece;
}

void *asy_mem_alloc(asy_vm *vm, size_t size) {
  asy_heap *heap = vm->heap;
  bool fail = must_fail(heap);
  heap_spare *spare = spare_of(heap, size);
  void *memory = fail ? NULL : spare && spare->first ? take_spare(spare, size) : malloc(piece_size(size));
  if (!memory && !fail && !heap->collecting) {
    heap_collect_under_pressure(vm);
    memory = malloc(piece_size(size));
  }
  if (!memory) {
    asy_raise_no_memory(vm);
    return NULL;
  }
  heap->mem_bytes += size;
  heap->since += size;
  after_counting(vm);
  return memory;
}

void *asy_mem_realloc(asy_vm *vm, void *old, size_t old_size, size_t size) {
  asy_heap *heap = vm->heap;
  if (!old) return asy_mem_alloc(vm, size);
  if (size <= SPARE_LARGEST && piece_size(size) != piece_size(old_size)) { /* between two pieces of the lists */
    void *piece = asy_mem_alloc(vm, size);
    if (!piece) return NULL;
    memcpy(piece, old, old_size < size ? old_size : size);
    asy_mem_free(vm, old, old_size);
    return piece;
  }
  after_counting(vm); /* before: until the caller has stored the new address, `old` may be visited */
  void *memory = must_fail(heap) ? NULL : realloc(old, piece_size(size));
  if (!memory) {
    asy_raise_no_memory(vm);
    return NULL;
  }
  heap->mem_bytes = heap->mem_bytes - old_size + size;
  heap->since += size > old_size ? size - old_size : 0;
  return memory;
}

void asy_mem_free(asy_vm *vm, void *memory, size_t size) {
  if (!memory) return;
  asy_heap *heap = vm->heap;
  heap_spare *spare = heap ? spare_of(heap, size) : NULL; /* the main stack goes after the heap */
  if (heap) heap->mem_bytes -= size;
  if (!spare || spare->bytes >= SPARE_BYTES || malloc_usable_size(memory) < piece_size(size)) {
    free(memory);
    return;
  }
  *(void **)memory = spare->first;
  spare->first = memory;
  spare->bytes += piece_size(size);
}

void asy_mem_note(asy_vm *vm, ptrdiff_t size) {
  asy_heap *heap = vm->heap;
  if (!heap) return;
  heap->mem_bytes += (size_t)size;
  if (size <= 0) return;
  heap->since += (size_t)size;
  after_counting(vm);
}

static void free_spares(asy_heap *heap) {
  for (unsigned i = 0; i < SPARE_CLASSES; i++) {
    for (void *piece = heap->spare[i].first, *next; piece; piece = next) {
      next = *(void **)piece;
      free(piece);
    }
  }
}

/* ---- Barrier, pins, weak slots -------------------------------------------------------------------------------------- */

void asy_remember(asy_vm *vm, asy_obj *o) {
  asy_heap *heap = vm->heap;
  if (heap_list_push(&heap->remembered, o)) o->gc |= ASY_GC_REMEMBERED;
  else heap->remembered_overflowed = true; /* the next cycle looks at everything */
}

void asy_pin(asy_vm *vm, void *object) {
  asy_heap *heap = vm->heap;
  size_t *count = heap_map_find(&heap->pins, object);
  if (count) {
    ++*count;
    return;
  }
  /* Pins are few and taken while something is set up; without memory for one the process cannot go on safely. */
  if (!heap_map_set(&heap->pins, object, 1)) abort();
  ((asy_obj *)object)->gc |= ASY_GC_PINNED;
}

void asy_unpin(asy_vm *vm, void *object) {
  asy_heap *heap = vm->heap;
  size_t *count = heap_map_find(&heap->pins, object);
  if (!count || --*count) return;
  heap_map_remove(&heap->pins, object);
  ((asy_obj *)object)->gc &= (uint8_t)~ASY_GC_PINNED;
}

bool asy_weak_add(asy_vm *vm, void *owner, void **slot) {
  asy_heap *heap = vm->heap;
  asy_weak_remove(vm, slot);
  if (heap->nweak == heap->weak_cap) {
    size_t cap = heap->weak_cap ? heap->weak_cap * 2 : 64;
    heap_weak *weak = realloc(heap->weak, cap * sizeof *weak);
    if (!weak) goto fail;
    heap->weak = weak;
    heap->weak_cap = cap;
  }
  if (!heap_map_set(&heap->weak_index, slot, heap->nweak)) goto fail;
  heap->weak[heap->nweak++] = (heap_weak){.owner = owner, .slot = slot};
  return true;

fail:
  asy_raise_no_memory(vm);
  return false;
}

static void weak_move(asy_heap *heap, size_t from, size_t to) {
  if (from == to) return;
  heap->weak[to] = heap->weak[from];
  *heap_map_find(&heap->weak_index, heap->weak[to].slot) = to;
}

/* Objects begin at multiples of 16: a byte of the target stands for each use. */
static void *shared_key(void *target, asy_weak_use use) { return (char *)target + use; }

void *asy_weak_shared(const asy_vm *vm, asy_obj *target, asy_weak_use use) {
  const size_t *owner = heap_map_find(&vm->heap->weak_shared, shared_key(target, use));
  return owner ? (void *)*owner : NULL;
}

void asy_weak_share(asy_vm *vm, asy_obj *target, asy_weak_use use, void *owner) {
  heap_map_set(&vm->heap->weak_shared, shared_key(target, use), (size_t)owner); /* without memory it is not shared */
}

static void forget_shared(asy_heap *heap, const heap_weak *entry) {
  for (asy_weak_use use = WEAK_REFERENCE; use <= WEAK_PROXY; use++) {
    const size_t *owner = heap_map_find(&heap->weak_shared, shared_key(*entry->slot, use));
    if (owner && *owner == (size_t)entry->owner) heap_map_remove(&heap->weak_shared, shared_key(*entry->slot, use));
  }
}

void heap_weak_drop(asy_heap *heap, size_t i) {
  if (heap->weak[i].owner && *heap->weak[i].slot) forget_shared(heap, &heap->weak[i]);
  heap_map_remove(&heap->weak_index, heap->weak[i].slot);
  if (i < heap->nweak_old) {
    weak_move(heap, --heap->nweak_old, i);
    i = heap->nweak_old;
  }
  weak_move(heap, --heap->nweak, i);
}

void asy_weak_remove(asy_vm *vm, void **slot) {
  size_t *found = heap_map_find(&vm->heap->weak_index, slot);
  if (found) heap_weak_drop(vm->heap, *found);
}

bool asy_weak_owners(asy_vm *vm, asy_value target, asy_list *owners) {
  const asy_heap *heap = vm->heap;
  for (size_t i = 0; i < heap->nweak; i++) {
    const heap_weak *entry = &heap->weak[i];
    if (entry->owner && asy_is_obj(target) && *entry->slot == asy_obj_of(target) &&
        !asy_list_append(vm, owners, asy_from_obj(entry->owner)))
      return false;
  }
  return true;
}

/* ---- Start and end -------------------------------------------------------------------------------------------------- */

static void *reserve(size_t size, int protection) {
  void *memory = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? NULL : memory;
}

static bool reserve_arena(asy_heap *heap) {
  for (size_t bytes = RESERVE_BYTES; bytes >= RESERVE_LEAST; bytes /= 2) {
    char *memory = reserve(bytes + BLOCK_SIZE, PROT_NONE);
    if (!memory) continue;
    /* The arena starts at the first multiple of the block size; what lies before and behind is left reserved and unused. */
    heap->base = (char *)(((uintptr_t)memory + BLOCK_SIZE - 1) & ~(uintptr_t)(BLOCK_SIZE - 1));
    heap->max_blocks = bytes >> BLOCK_SHIFT;
    heap->mapping = memory;
    heap->blocks = reserve(heap->max_blocks * sizeof *heap->blocks, PROT_READ | PROT_WRITE);
    heap->live = reserve(heap->max_blocks * sizeof *heap->live, PROT_READ | PROT_WRITE);
    if (heap->blocks && heap->live) return true;
    if (heap->blocks) munmap(heap->blocks, heap->max_blocks * sizeof *heap->blocks);
    munmap(memory, bytes + BLOCK_SIZE);
  }
  return false;
}

static void init_classes(asy_heap *heap) {
  unsigned c = 0;
  for (unsigned i = 0; i < CLASS_COUNT; i++) {
    heap_class *sizes = &heap->classes[i];
    sizes->size = class_sizes[i];
    sizes->cells = BLOCK_SIZE / sizes->size;
    sizes->inverse = (uint32_t)(((UINT64_C(1) << 32) + sizes->size - 1) / sizes->size);
  }
  for (unsigned i = 0; i <= CELL_MAX / 16; i++) {
    if (class_sizes[c] < i * 16) c++;
    heap->class_of[i] = (uint8_t)c;
  }
}

/* ASY_GC=stress[:N] and ASY_FAIL_ALLOC=k. */
static void read_switches(asy_vm *vm, asy_heap *heap) {
  const char *gc = getenv("ASY_GC");
  if (gc && strncmp(gc, "stress", 6) == 0 && (gc[6] == 0 || gc[6] == ':')) {
    unsigned long every = gc[6] == ':' ? strtoul(gc + 7, NULL, 10) : 1;
    heap->stress_every = every ? (uint32_t)every : 1;
    heap->poison = true;
    asy_interrupt_set(vm, ASY_INTERRUPT_GC_STRESS);
  }
  const char *fail = getenv("ASY_FAIL_ALLOC");
  heap->fail_at = fail ? strtoull(fail, NULL, 10) : 0;
  heap->single = heap->fail_at != 0;
}

bool asy_heap_init(asy_vm *vm) {
  asy_heap *heap = calloc(1, sizeof *heap);
  if (!heap) return false;
  if (!reserve_arena(heap)) {
    free(heap);
    return false;
  }
  vm->heap = heap;
  init_classes(heap);
  for (unsigned kind = 0; kind < KIND_COUNT; kind++) set_kind(heap, kind, builtin_types[kind]);
  memset(heap->kind_bits + KIND_COUNT, KIND_UNKNOWN, sizeof heap->kind_bits - KIND_COUNT);
  heap->large_min = UINTPTR_MAX;
  heap->trigger = heap->minor_bytes = MINOR_BYTES;
  heap->emergency = EMERGENCY_BYTES;
  heap->major_base = MAJOR_BASE;
  read_switches(vm, heap);
  return true;
}

/* Calls `free` of every object left, classes last: dead instances are looked at through theirs. */
NO_ASAN static void free_everything(asy_vm *vm) {
  asy_heap *heap = vm->heap;
  heap_list classes = {0};
  heap->collecting = true;
  for (size_t block = 0; block < heap->nblocks; block++) {
    heap_block *b = &heap->blocks[block];
    if (b->size_class == CLASS_NONE || !(b->flags & BLOCK_NEEDS_FREE)) continue;
    for (size_t i = 0; i < heap->classes[b->size_class].cells; i++) {
      asy_obj *o = heap_cell(heap, block, i);
      if (!(o->gc & (ASY_GC_LIVE | ASY_GC_CONDEMNED))) continue;
      if (heap->kind_bits[o->kind] & KIND_IS_CLASS && heap_list_push(&classes, o)) continue;
      heap_free_object(vm, o);
    }
  }
  for (size_t i = 0; i < heap->nlarge; i++) heap_free_object(vm, heap->large[i].object);
  for (size_t i = 0; i < classes.count; i++) heap_free_object(vm, classes.items[i]);
  for (size_t i = 0; i < heap->nlarge; i++) free(heap->large[i].object);
  heap_list_free(&classes);
}

void asy_heap_destroy(asy_vm *vm) {
  asy_heap *heap = vm->heap;
  if (!heap) return;
  free_everything(vm);
  if (HEAP_ASAN) ASAN_UNPOISON_MEMORY_REGION(heap->base, heap->nblocks << BLOCK_SHIFT);
  munmap(heap->mapping, (heap->max_blocks << BLOCK_SHIFT) + BLOCK_SIZE);
  munmap(heap->blocks, heap->max_blocks * sizeof *heap->blocks);
  munmap(heap->live, heap->max_blocks * sizeof *heap->live);
  heap_list *lists[] = {&heap->marks, &heap->remembered, &heap->condemned, &heap->finalizable, &heap->queue};
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) heap_list_free(lists[i]);
  free(heap->pins.entries);
  free(heap->weak_index.entries);
  free(heap->weak_shared.entries);
  free(heap->weak);
  free_spares(heap);
  free(heap->large);
  free(heap);
  vm->heap = NULL;
}

asy_heap_stats asy_heap_get_stats(asy_vm *vm) {
  asy_heap_stats stats = vm->heap->stats;
  stats.allocated_bytes += vm->heap->since;
  return stats;
}
