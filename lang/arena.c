/* arena.c - memory for one compilation, freed at once. */
#include "lang/arena.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 64 * 1024, FIRST_BUCKETS = 512 };

struct asy_arena_block {
  asy_arena_block *before;
  char bytes[];
};

void asy_arena_init(asy_arena *arena) { *arena = (asy_arena){0}; }

void asy_arena_free(asy_arena *arena) {
  for (asy_arena_block *block = arena->last; block;) {
    asy_arena_block *before = block->before;
    free(block);
    block = before;
  }
  free(arena->buckets);
  *arena = (asy_arena){0};
}

/* A large request gets a block of its own, chained behind the last one, whose room is kept. */
void *asy_arena_more(asy_arena *arena, size_t size) {
  if (arena->oom) return NULL;
  size_t wanted = size > BLOCK_SIZE / 4 ? size : BLOCK_SIZE;
  if (size > SIZE_MAX - sizeof(asy_arena_block)) return arena->oom = true, NULL;
  asy_arena_block *block = malloc(sizeof *block + wanted);
  if (!block) return arena->oom = true, NULL;
  if (wanted == size && arena->last) {
    block->before = arena->last->before;
    arena->last->before = block;
    return block->bytes;
  }
  block->before = arena->last;
  arena->last = block;
  arena->next = block->bytes + size;
  arena->limit = block->bytes + wanted;
  return block->bytes;
}

char *asy_arena_copy(asy_arena *arena, const char *text, size_t len) {
  char *copy = asy_arena_alloc(arena, len + 1);
  if (!copy) return NULL;
  memcpy(copy, text, len);
  copy[len] = 0;
  return copy;
}

static bool grow_buckets(asy_arena *arena) {
  uint32_t count = arena->bucket_count ? arena->bucket_count * 4 : FIRST_BUCKETS;
  asy_name **buckets = calloc(count, sizeof *buckets);
  if (!buckets) return arena->oom = true, false;
  for (uint32_t i = 0; i < arena->bucket_count; i++) {
    for (asy_name *name = arena->buckets[i]; name;) {
      asy_name *next = name->next;
      name->next = buckets[name->hash & (count - 1)];
      buckets[name->hash & (count - 1)] = name;
      name = next;
    }
  }
  free(arena->buckets);
  arena->buckets = buckets;
  arena->bucket_count = count;
  return true;
}

asy_name *asy_arena_intern(asy_arena *arena, const char *text, size_t len) {
  uint32_t hash = 2166136261u;
  for (size_t i = 0; i < len; i++) hash = (hash ^ (unsigned char)text[i]) * 16777619u;
  hash ^= hash >> 15;
  if (arena->name_count >= arena->bucket_count && !grow_buckets(arena)) return NULL;
  asy_name **bucket = &arena->buckets[hash & (arena->bucket_count - 1)];
  for (asy_name *name = *bucket; name; name = name->next)
    if (name->hash == hash && name->len == len && !memcmp(name->text, text, len)) return name;
  if (len > UINT32_MAX) return arena->oom = true, NULL;
  asy_name *name = asy_arena_alloc(arena, sizeof *name + len + 1);
  if (!name) return NULL;
  *name = (asy_name){.next = *bucket, .hash = hash, .len = (uint32_t)len};
  memcpy(name->text, text, len);
  name->text[len] = 0;
  arena->name_count++;
  return *bucket = name;
}
