/* scripts.c - the scripts inside the binary; see scripts.h. The texts are unpacked from the front, as far as a program has needed them.
 */
#include "runtime/scripts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/exc.h"
#include "runtime/vm.h"

/* As in embed.py. Of a coded text a byte is itself, but: up to LONGEST_INDENT it is so many times INDENT spaces; ESCAPE says that the
 * next one is itself; from FIRST_WORD on it is one of the SHORT words, behind those, with the byte that follows, one of the others. */
enum { INDENT = 4, LONGEST_INDENT = 8, ESCAPE = 0x7F, FIRST_WORD = 0x80, SHORT = 124 };
enum { WORDS = SHORT + (0x100 - FIRST_WORD - SHORT) * 0x100 };

struct asy_scripts {
  asy_unpacker *texts;
  char *index;
  uint16_t words[WORDS + 1]; /* where each begins in the index; a NUL is before the next */
  asy_embedded modules[];    /* their names are in the index */
};

static void read_index(struct asy_scripts *scripts) {
  char *at = scripts->index;
  for (int i = 0; i < WORDS; i++, at += strlen(at) + 1) scripts->words[i] = (uint16_t)(at - scripts->index);
  scripts->words[WORDS] = (uint16_t)(at - scripts->index);
  uint32_t end = 0;
  for (uint32_t i = 0; i < asy_scripts_count; i++) {
    const char *name = at;
    at += strlen(at) + 1;
    uint32_t start = end;
    end += (uint32_t)strtoul(at, &at, 10);
    scripts->modules[i] = (asy_embedded){.name = name, .start = start, .end = end, .is_package = *at == 'p'};
    at += strlen(at) + 1;
  }
}

static struct asy_scripts *scripts_of(asy_vm *vm) {
  if (vm->scripts) return vm->scripts;
  struct asy_scripts *scripts = calloc(1, sizeof *scripts + (asy_scripts_count + 1) * sizeof(asy_embedded));
  char *index = (char *)asy_unpack(&asy_scripts_index);
  asy_unpacker *texts = asy_unpack_begin(&asy_scripts_texts);
  if (!scripts || !index || !texts) {
    free(scripts);
    free(index);
    asy_unpack_end(texts);
    return asy_raise_no_memory(vm), NULL;
  }
  scripts->index = index;
  scripts->texts = texts;
  read_index(scripts);
  return vm->scripts = scripts;
}

const asy_embedded *asy_embedded_modules(asy_vm *vm) {
  struct asy_scripts *scripts = scripts_of(vm);
  return scripts ? scripts->modules : NULL;
}

bool asy_find_embedded(asy_vm *vm, const char *name, const asy_embedded **found) {
  const asy_embedded *module = asy_embedded_modules(vm);
  if (!module) return false;
  while (module->name && strcmp(module->name, name)) module++;
  *found = module->name ? module : NULL;
  return true;
}

void asy_embedded_path(const asy_embedded *embedded, char path[PATH_MAX]) {
  int n = snprintf(path, PATH_MAX, "<asy>/");
  for (const char *p = embedded->name; *p && n < PATH_MAX - 16; p++) path[n++] = *p == '.' ? '/' : *p;
  strcpy(path + n, embedded->is_package ? "/__init__.asy" : ".asy");
}

/* What the code at *coded, which moves on, stands for. */
static inline const char *read_code(const struct asy_scripts *scripts, const uint8_t **coded, size_t *length) {
  static const char spaces[] = "                                ";
  _Static_assert(sizeof spaces == INDENT * LONGEST_INDENT + 1, "the deepest indentation");
  uint8_t code = *(*coded)++;
  if (code >= FIRST_WORD) {
    unsigned word = code - FIRST_WORD;
    if (word >= SHORT) word = SHORT + (word - SHORT) * 0x100 + *(*coded)++;
    *length = scripts->words[word + 1] - scripts->words[word] - 1u;
    return scripts->index + scripts->words[word];
  }
  *length = code <= LONGEST_INDENT ? code * (size_t)INDENT : 1;
  return code <= LONGEST_INDENT ? spaces : (const char *)(code == ESCAPE ? (*coded)++ : *coded - 1);
}

char *asy_embedded_text(asy_vm *vm, const asy_embedded *embedded, size_t *length) {
  struct asy_scripts *scripts = scripts_of(vm);
  if (!scripts) return NULL;
  const uint8_t *all = asy_unpack_until(scripts->texts, embedded->end), *end = all + embedded->end;
  size_t n;
  *length = 0;
  for (const uint8_t *coded = all + embedded->start; coded < end; *length += n) read_code(scripts, &coded, &n);
  char *text = malloc(*length + 1), *to = text;
  if (!text) return asy_raise_no_memory(vm), NULL;
  for (const uint8_t *coded = all + embedded->start; coded < end; to += n) {
    const char *piece = read_code(scripts, &coded, &n);
    if (n == 1) *to = *piece;
    else memcpy(to, piece, n);
  }
  *to = 0;
  return text;
}

void asy_scripts_free(asy_vm *vm) {
  if (!vm->scripts) return;
  asy_unpack_end(vm->scripts->texts);
  free(vm->scripts->index);
  free(vm->scripts);
}
