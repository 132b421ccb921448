/* arena.h - memory for one compilation, freed at once.
 * Blocks are chained and never move, so a pointer into the arena stays good until asy_arena_free.
 *   last -> [block 64 KB: used | next..limit] -> [block] -> NULL
 * Running out of memory is sticky: `oom` is set and every later allocation answers NULL as well; a caller may therefore
 * go on and ask once at the end.
 * Names are unique within an arena: two asy_name pointers are equal exactly when their texts are.
 */
#ifndef ASY_LANG_ARENA_H
#define ASY_LANG_ARENA_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct asy_name {
  struct asy_name *next; /* of the same bucket in the arena's table */
  uint32_t hash;
  uint32_t len;            /* bytes, without the final NUL */
  uint32_t token;          /* the token when this is a keyword of the lexer, else 0 */
  struct asy_name *normal; /* of a name beyond ASCII: its normal form (NFKC), once the parser has asked for it */
  char text[];             /* UTF-8, NUL-terminated */
} asy_name;

typedef struct asy_arena_block asy_arena_block;

typedef struct {
  char *next;            /* first free byte of the last block, 8-aligned */
  char *limit;           /* end of the last block */
  asy_arena_block *last; /* owned chain */
  asy_name **buckets;    /* table of names; owned by malloc, NULL while there is no name */
  uint32_t bucket_count; /* a power of two */
  uint32_t name_count;
  bool oom;                     /* an allocation has failed; everything made since may be NULL */
  _Alignas(16) char wreck[256]; /* see asy_arena_wreck */
} asy_arena;

void asy_arena_init(asy_arena *arena);
void asy_arena_free(asy_arena *arena);

/* Out of line: takes a new block. NULL and `oom` when memory runs out. */
void *asy_arena_more(asy_arena *arena, size_t size);

/* Bytes aligned to 8, not cleared. NULL and `oom` when memory runs out. */
static inline void *asy_arena_alloc(asy_arena *arena, size_t size) {
  size = (size + 7) & ~(size_t)7;
  if (size > (size_t)(arena->limit - arena->next)) return asy_arena_more(arena, size);
  void *bytes = arena->next;
  arena->next += size;
  return bytes;
}

/* What stands in for an object that could not be had, so that the caller can go on to its next look at `oom`: zeroed bytes, the
 * same for everybody, never to be read for what they say. */
static inline void *asy_arena_wreck(asy_arena *arena, size_t size) {
  assert(size <= sizeof arena->wreck);
  arena->oom = true;
  return memset(arena->wreck, 0, size);
}

/* A copy of text with a NUL after it. NULL and `oom` when memory runs out. */
char *asy_arena_copy(asy_arena *arena, const char *text, size_t len);

/* The one name with this text. NULL and `oom` when memory runs out. */
asy_name *asy_arena_intern(asy_arena *arena, const char *text, size_t len);

#endif
