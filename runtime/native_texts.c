/* native_texts.c - the texts behind SIG, DOC, CONSTANTS and asy_raise; see native_texts.h. A call needs its signature once, and errors may
 * be raised in a loop: those are found by tables; doc strings and constants are searched one by one.
 */
#include "runtime/native_texts.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/class.h"
#include "runtime/exc.h"
#include "runtime/types/dict.h"
#include "runtime/vm.h"

typedef struct {
  uint32_t number, at; /* of a text and where it begins, one more than that; 0 is free */
} text_slot;

typedef struct {
  char *all;
  uint32_t mask; /* of slots: a power of two, more than twice as many as there are texts, less one */
  text_slot slots[];
} text_set;

struct asy_native_texts {
  char *docs, *constants;        /* NULL until first needed */
  text_set *signatures, *errors; /* the same */
};

static struct asy_native_texts *texts_of(asy_vm *vm) {
  if (!vm->native_texts) vm->native_texts = calloc(1, sizeof *vm->native_texts);
  if (!vm->native_texts) asy_raise_no_memory(vm);
  return vm->native_texts;
}

/* Where the text of this number is, or belongs. */
static text_slot *slot_of(text_set *set, uint32_t number) {
  uint32_t slot = number & set->mask;
  while (set->slots[slot].at && set->slots[slot].number != number) slot = (slot + 1) & set->mask;
  return &set->slots[slot];
}

static text_set *unpack_set(const asy_packed *packed, uint32_t count) {
  char *all = (char *)asy_unpack(packed);
  if (!all) return NULL;
  uint32_t slots = 4u << (31 - __builtin_clz(count));
  text_set *set = calloc(1, sizeof *set + slots * sizeof set->slots[0]);
  if (!set) return free(all), NULL;
  set->all = all;
  set->mask = slots - 1;
  size_t size;
  for (const char *text = all; text < all + packed->length; text += size) {
    size = strlen(text) + 1;
    uint32_t number = TEXT_NUMBER(text, size);
    *slot_of(set, number) = (text_slot){number, (uint32_t)(text - all) + 1};
  }
  return set;
}

static const char *find_text(asy_vm *vm, text_set **set, const asy_packed *packed, uint32_t count, uint32_t number) {
  if (!*set) *set = unpack_set(packed, count);
  if (!*set) return asy_raise_no_memory(vm), NULL;
  uint32_t at = slot_of(*set, number)->at;
  if (!at) asy_raise_format(vm, ASY_SystemError, "a text is not in the binary");
  return at ? (*set)->all + at - 1 : NULL;
}

const char *asy_signature_text(asy_vm *vm, uint32_t signature) {
  struct asy_native_texts *texts = texts_of(vm);
  return texts ? find_text(vm, &texts->signatures, &asy_native_signatures, asy_native_signatures_count, signature)
               : NULL;
}

const char *asy_error_text(asy_vm *vm, uint32_t error) {
  struct asy_native_texts *texts = texts_of(vm);
  return texts ? find_text(vm, &texts->errors, &asy_native_errors, asy_native_errors_count, error) : NULL;
}

asy_value asy_doc_text(asy_vm *vm, uint32_t doc) {
  struct asy_native_texts *texts = doc ? texts_of(vm) : NULL;
  if (!texts) return doc ? ASY_FAILED : ASY_NONE;
  if (!texts->docs) texts->docs = (char *)asy_unpack(&asy_native_docs);
  if (!texts->docs) return asy_raise_no_memory(vm);
  size_t size;
  for (const char *text = texts->docs; text < texts->docs + asy_native_docs.length; text += size) {
    size = strlen(text) + 1;
    if (DOC_NUMBER(text, size) == doc) return asy_from_cstr(vm, text);
  }
  return asy_raise(vm, ASY_SystemError, "a native's doc string is not in the binary");
}

/* The first name of a list. NULL: MemoryError. */
static const char *constant_names(asy_vm *vm, const char *tag) {
  struct asy_native_texts *texts = texts_of(vm);
  if (!texts) return NULL;
  if (!texts->constants) texts->constants = (char *)asy_unpack(&asy_constant_names);
  if (!texts->constants) return asy_raise_no_memory(vm), NULL;
  const char *text = texts->constants;
  while (strcmp(text, tag)) text += strlen(text) + 1; /* the tag is there, and no constant is called like one */
  return text + strlen(text) + 1;
}

static int64_t constant_value(const asy_constants *constants, unsigned i) {
  int32_t value = constants->values[i];
  return constants->is_unsigned ? (int64_t)(uint32_t)value : value;
}

bool asy_add_constants(asy_vm *vm, asy_dict *dict, const asy_constants *constants, unsigned skip) {
  const char *name = constant_names(vm, constants->tag);
  for (unsigned i = 0; name && i < constants->count; i++, name += strlen(name) + 1) {
    asy_str *key = asy_intern(vm, name + skip);
    if (!key || !asy_dict_set_str(vm, dict, key, asy_from_small(constant_value(constants, i)))) return false;
  }
  return name != NULL;
}

int asy_find_constant(asy_vm *vm, const asy_constants *constants, unsigned skip, const char *name, int64_t *value) {
  const char *known = constant_names(vm, constants->tag);
  if (!known) return -1;
  for (unsigned i = 0; i < constants->count; i++, known += strlen(known) + 1) {
    if (strcmp(known + skip, name)) continue;
    *value = constant_value(constants, i);
    return 1;
  }
  return 0;
}

static void free_set(text_set *set) {
  if (set) free(set->all);
  free(set);
}

void asy_native_texts_free(asy_vm *vm) {
  if (!vm->native_texts) return;
  free(vm->native_texts->docs);
  free(vm->native_texts->constants);
  free_set(vm->native_texts->signatures);
  free_set(vm->native_texts->errors);
  free(vm->native_texts);
}
