/* stack.c - the chunks that hold the frames of one task.
 * A stack owns a chain of chunks that never move; a frame never straddles two. The first chunk is made to the measure of the first
 * frame, because a million sleeping tasks have just that one; later ones grow, so that deep recursion needs few.
 *   chunk 112 B [main.....] <- chunk 256 B [fetch|read|....] <- chunk 512 B [readline|....]      top ^
 * Chunks up to 512 bytes are cut from slabs and kept on free lists by size (vm->chunk_pool), so they cost no malloc header and
 * their turnover costs a few instructions; larger ones are malloc'ed.
 * Must stay true: no C pointer into a chunk outlives a call that can pop it; a suspended stack is not written.
 */
#include "runtime/stack.h"

#include <stdlib.h>

#include "runtime/vm.h"

enum {
  FIRST_BYTES = 96,      /* least size of a first chunk */
  MAIN_BYTES = 64 << 10, /* first chunk of a stack without owner */
  SMALL_BYTES = 512,     /* up to here from slabs */
  SLAB_BYTES = 64 << 10,
  LARGEST_BYTES = 256 << 10, /* chunks grow no further, save for a frame that needs more */
};
static const size_t STACK_MAX = (size_t)1 << 30; /* bytes of one stack: MemoryError beyond */

typedef struct slab {
  struct slab *next;
  uint64_t unused; /* keeps what follows 16-byte aligned */
} slab;

typedef struct {
  asy_chunk *free[SMALL_BYTES / 8 + 1]; /* by size / 8, linked by prev */
  slab *slabs;
  char *cur, *end; /* uncut rest of the newest slab */
} chunk_pool;

/* ---- Memory for chunks ---------------------------------------------------------------------------------------------- */

static size_t chunk_bytes(const asy_chunk *chunk) { return sizeof *chunk + sizeof(asy_value) * (size_t)chunk->words; }

static chunk_pool *pool_of(asy_vm *vm) {
  if (!vm->chunk_pool) {
    vm->chunk_pool = calloc(1, sizeof(chunk_pool));
    if (!vm->chunk_pool) asy_raise_no_memory(vm);
  }
  return vm->chunk_pool;
}

static void *small_chunk(asy_vm *vm, size_t bytes) {
  chunk_pool *pool = pool_of(vm);
  if (!pool) return NULL;
  asy_chunk *chunk = pool->free[bytes / 8];
  if (chunk) {
    pool->free[bytes / 8] = chunk->prev;
    return chunk;
  }
  if ((size_t)(pool->end - pool->cur) < bytes) {
    slab *fresh = asy_mem_alloc(vm, SLAB_BYTES); /* counted: a task costs its stack, too */
    if (!fresh) return NULL;
    fresh->next = pool->slabs;
    pool->slabs = fresh;
    pool->cur = (char *)(fresh + 1);
    pool->end = (char *)fresh + SLAB_BYTES;
  }
  chunk = (asy_chunk *)(void *)pool->cur;
  pool->cur += bytes;
  return chunk;
}

/* NULL with MemoryError set. */
static asy_chunk *chunk_new(asy_vm *vm, size_t bytes) {
  bytes = (bytes + 7) & ~(size_t)7;
  asy_chunk *chunk = bytes <= SMALL_BYTES ? small_chunk(vm, bytes) : asy_mem_alloc(vm, bytes);
  if (!chunk) return NULL;
  *chunk = (asy_chunk){.words = (uint32_t)((bytes - sizeof *chunk) / sizeof(asy_value))};
  return chunk;
}

static void chunk_free(asy_vm *vm, asy_chunk *chunk) {
  size_t bytes = chunk_bytes(chunk);
  if (bytes > SMALL_BYTES) {
    asy_mem_free(vm, chunk, bytes);
    return;
  }
  chunk_pool *pool = vm->chunk_pool;
  chunk->prev = pool->free[bytes / 8];
  pool->free[bytes / 8] = chunk;
}

void asy_stack_pool_free(asy_vm *vm) {
  chunk_pool *pool = vm->chunk_pool;
  if (!pool) return;
  for (slab *s = pool->slabs, *next; s; s = next) {
    next = s->next;
    asy_mem_free(vm, s, SLAB_BYTES);
  }
  free(pool);
  vm->chunk_pool = NULL;
}

/* ---- Stacks --------------------------------------------------------------------------------------------------------- */

void asy_stack_init(asy_vm *vm, asy_stack *s, asy_obj *owner) {
  (void)vm;
  *s = (asy_stack){.owner = owner, .handled = ASY_NONE, .resume_register = -1};
}

void asy_stack_drop_spare(asy_vm *vm, asy_stack *s) {
  if (!s->spare) return;
  chunk_free(vm, s->spare);
  s->spare = NULL;
}

void asy_stack_free(asy_vm *vm, asy_stack *s) {
  asy_stack_drop_spare(vm, s);
  for (asy_chunk *chunk = s->chunk, *prev; chunk; chunk = prev) {
    prev = chunk->prev;
    if (vm->live_frames) asy_frames_dropped(vm, chunk->slots, chunk->slots + chunk->words);
    chunk_free(vm, chunk);
  }
  s->chunk = NULL;
  s->base = s->top = s->limit = NULL;
  s->depth = 0;
}

/* The size of the chunk that follows `chunk`, when a frame needs `need` bytes with the chunk's header. */
static size_t next_size(const asy_stack *s, size_t need) {
#ifdef ASY_HOSTILE
  (void)s;
  return need;
#else
  if (!s->chunk) {
    size_t first = s->owner ? FIRST_BYTES : MAIN_BYTES;
    return need > first ? need : first;
  }
  size_t last = chunk_bytes(s->chunk);
  size_t size = last < 256 ? 256 : last < 512 ? 512 : last < 2048 ? 2048 : last < 16384 ? 16384 : last * 2;
  if (size > LARGEST_BYTES) size = LARGEST_BYTES;
  return need > size ? need : size;
#endif
}

/* Bytes of all chunks; looked at only when large chunks are added. */
static size_t stack_bytes(const asy_stack *s) {
  size_t total = 0;
  for (const asy_chunk *chunk = s->chunk; chunk; chunk = chunk->prev) total += chunk_bytes(chunk);
  return total;
}

static bool fits(const asy_stack *s, const asy_value *top, size_t words) {
#ifdef ASY_HOSTILE
  return s->chunk && top == s->chunk->slots && (size_t)(s->limit - top) >= words;
#else
  return s->chunk && (size_t)(s->limit - top) >= words;
#endif
}

asy_value *asy_stack_reserve(asy_vm *vm, asy_stack *s, asy_value *top, size_t words) {
  if (fits(s, top, words)) return top;
  asy_chunk *chunk = s->spare;
  s->spare = NULL;
  if (chunk && chunk->words < words) {
    chunk_free(vm, chunk);
    chunk = NULL;
  }
  if (!chunk) {
    size_t size;
    if (__builtin_mul_overflow(words, sizeof(asy_value), &size) || __builtin_add_overflow(size, sizeof *chunk, &size) ||
        size > STACK_MAX)
      goto fail;
    size = next_size(s, size);
    if (size >= LARGEST_BYTES && stack_bytes(s) + size > STACK_MAX) goto fail;
    chunk = chunk_new(vm, size);
    if (!chunk) return NULL;
  }
  if (s->chunk) s->chunk->used = (uint32_t)(top - s->chunk->slots);
  chunk->prev = s->chunk;
  s->chunk = chunk;
  s->limit = chunk->slots + chunk->words;
  return chunk->slots;

fail:
  asy_raise_no_memory(vm);
  return NULL;
}

void asy_stack_pop_chunk(asy_vm *vm, asy_stack *s) {
  asy_chunk *popped = s->chunk;
  s->chunk = popped->prev;
  s->limit = s->chunk ? s->chunk->slots + s->chunk->words : NULL;
  /* The larger one is worth keeping: recursion that goes up and down crosses this boundary again. */
  asy_chunk *spare = s->spare;
  if (spare && spare->words > popped->words) {
    chunk_free(vm, popped);
    return;
  }
  if (spare) chunk_free(vm, spare);
  s->spare = popped;
}

/* Every word of every frame, whether it is live or not; `base` and the words that link frames name running generators. */
void asy_stack_visit(asy_stack *s, asy_visitor *v) {
  asy_visit_value(v, s->handled);
  asy_visit_conservative(v, (uintptr_t)s->base);
  asy_value *end = s->chunk && s->top >= s->chunk->slots && s->top <= s->limit ? s->top : s->limit;
  for (asy_chunk *chunk = s->chunk; chunk; chunk = chunk->prev) {
    for (asy_value *word = chunk->slots; word < end; word++)
      if ((*word & 7) == 0) asy_visit_conservative(v, *word);
    if (chunk->prev) end = chunk->prev->slots + chunk->prev->used;
  }
}
