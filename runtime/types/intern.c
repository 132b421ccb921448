/* intern.c - one string object for each identifier, so that names compare by address.
 * An open-addressed table of strings; interned strings are roots and live as long as the VM (they are identifiers of programs
 * and keys made by sys.intern: few, and used again).
 */
#include "runtime/types/str_internal.h"

#include <stdlib.h>

struct asy_intern_table {
  asy_str **slots; /* NULL: empty */
  uint32_t size;   /* a power of two */
  uint32_t used;   /* at most half of size */
};

static bool grow(asy_vm *vm, struct asy_intern_table *table) {
  uint32_t size = table->size ? table->size * 2 : 2048;
  asy_str **slots = calloc(size, sizeof(asy_str *));
  if (!slots) {
    asy_raise_no_memory(vm);
    return false;
  }
  for (uint32_t i = 0; i < table->size; i++) {
    asy_str *s = table->slots[i];
    if (!s) continue;
    uint32_t at = s->hash & (size - 1);
    while (slots[at]) at = (at + 1) & (size - 1);
    slots[at] = s;
  }
  free(table->slots);
  table->slots = slots;
  table->size = size;
  return true;
}

asy_str *asy_str_intern(asy_vm *vm, asy_str *s) {
  if (s->head.flags & STR_INTERNED) return s;
  struct asy_intern_table *table = vm->interned;
  uint32_t mask = table->size - 1, hash = asy_str_hash(vm, s), at = hash & mask;
  for (; table->slots[at]; at = (at + 1) & mask)
    if (table->slots[at]->hash == hash && asy_str_equal(table->slots[at], s)) return table->slots[at];
  if (s->head.shape != KIND_STR ||
      (s->head.flags & STR_BUFFERED)) { /* keep no big buffer or instance alive for a name */
    void *data;
    asy_str *copy = asy_str_alloc(vm, s->len, asy_str_max(s), &data);
    if (!copy) return NULL;
    memcpy(data, asy_str_data(s), (size_t)s->len * asy_str_width(s));
    copy->hash = hash;
    s = copy;
  }
  s->head.flags |= STR_INTERNED;
  table->slots[at] = s;
  if (++table->used * 2 > table->size && !grow(vm, table)) return NULL;
  return s;
}

/* A C text that is interned already is found without making a string of it. */
asy_str *asy_intern(asy_vm *vm, const char *text) {
  size_t length = strlen(text);
  struct asy_intern_table *table = vm->interned;
  uint32_t hash = asy_hash_memory(vm, text, length), mask = table->size - 1;
  for (uint32_t at = hash & mask; table->slots[at]; at = (at + 1) & mask) {
    asy_str *s = table->slots[at];
    if (s->hash == hash && s->len == length && (s->head.flags & STR_ASCII) &&
        memcmp(asy_str_data(s), text, length) == 0)
      return s;
  }
  asy_str *s = asy_str_new_utf8(vm, text, length);
  return s ? asy_str_intern(vm, s) : NULL;
}

void asy_intern_visit(asy_vm *vm, asy_visitor *v) {
  for (uint32_t i = 0; vm->interned && i < vm->interned->size; i++)
    if (vm->interned->slots[i]) asy_visit_obj(v, vm->interned->slots[i]);
}

void asy_strings_free(asy_vm *vm) {
  if (!vm->interned) return;
  free(vm->interned->slots);
  free(vm->interned);
  vm->interned = NULL;
}

bool asy_strings_init(asy_vm *vm) {
  static const char *const names[NAME_COUNT] = {
#define X(name) #name,
    ASY_NAMES(X)
#undef X
  };
  void *data;
  vm->interned = calloc(1, sizeof *vm->interned);
  if (!vm->interned || !grow(vm, vm->interned)) return false;
  if (!(vm->empty_str = asy_str_alloc(vm, 0, 0, &data)) || !asy_str_intern(vm, vm->empty_str)) return false;
  for (uint32_t c = 0; c < 256; c++) {
    asy_str *s = asy_str_alloc(vm, 1, c, &data);
    if (!s) return false;
    ((uint8_t *)data)[0] = (uint8_t)c;
    if (!asy_str_intern(vm, s)) return false;
    vm->latin1[c] = s;
  }
  for (unsigned i = 0; i < NAME_COUNT; i++)
    if (!(vm->names[i] = asy_intern(vm, names[i]))) return false;
  return true;
}
