/* native_texts.c - the texts behind SIG, DOC and CONSTANTS; see native_texts.h. A call needs its signature once, so those are found
 * by a table; doc strings and constants are searched one by one.
 */
#include "runtime/native_texts.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/class.h"
#include "runtime/exc.h"
#include "runtime/types/dict.h"
#include "runtime/vm.h"

enum { SLOTS = 1 << 11 }; /* a power of two, more than twice as many as there are signatures */

struct asy_native_texts {
  char *docs, *signatures, *constants; /* NULL until first needed */
  uint16_t slots[SLOTS];               /* by number: 1 + where the signature begins; 0 is free */
};

static struct asy_native_texts *texts_of(asy_vm *vm) {
  if (!vm->native_texts) vm->native_texts = calloc(1, sizeof *vm->native_texts);
  if (!vm->native_texts) asy_raise_no_memory(vm);
  return vm->native_texts;
}

static bool unpack_signatures(asy_vm *vm, struct asy_native_texts *texts) {
  char *all = (char *)asy_unpack(&asy_native_signatures);
  if (!all) return asy_raise_no_memory(vm), false;
  size_t size;
  for (const char *text = all; text < all + asy_native_signatures.length; text += size) {
    size = strlen(text) + 1;
    uint32_t slot = TEXT_NUMBER(text, size) % SLOTS;
    while (texts->slots[slot]) slot = (slot + 1) % SLOTS;
    texts->slots[slot] = (uint16_t)(1 + (text - all));
  }
  texts->signatures = all;
  return true;
}

const char *asy_signature_text(asy_vm *vm, uint32_t signature) {
  struct asy_native_texts *texts = texts_of(vm);
  if (!texts || (!texts->signatures && !unpack_signatures(vm, texts))) return NULL;
  for (uint32_t slot = signature % SLOTS; texts->slots[slot]; slot = (slot + 1) % SLOTS) {
    const char *text = texts->signatures + texts->slots[slot] - 1;
    if (TEXT_NUMBER(text, strlen(text) + 1) == signature) return text;
  }
  asy_raise(vm, ASY_SystemError, "a native's signature is not in the binary");
  return NULL;
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

void asy_native_texts_free(asy_vm *vm) {
  if (!vm->native_texts) return;
  free(vm->native_texts->docs);
  free(vm->native_texts->constants);
  free(vm->native_texts->signatures);
  free(vm->native_texts);
}
