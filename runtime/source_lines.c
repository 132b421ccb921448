/* source_lines.c - the lines that tracebacks show. Files are read when first needed and kept; texts without a file are handed in
 * by whoever compiles them. The list hangs on the VM. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/traceback.h"
#include "runtime/vm.h"

struct asy_source_text {
  struct asy_source_text *next;
  char *filename;
  char *text; /* NULL: there is no such file */
  size_t length;
};
typedef struct asy_source_text source_text;

enum { SOURCE_LARGEST = 64 << 20 };

static char *copy_bytes(const char *text, size_t length) {
  char *copy = malloc(length + 1);
  if (!copy) return NULL;
  memcpy(copy, text, length);
  copy[length] = 0;
  return copy;
}

static source_text *find(asy_vm *vm, const char *filename) {
  source_text *source = vm->sources;
  while (source && strcmp(source->filename, filename) != 0) source = source->next;
  return source;
}

static source_text *add(asy_vm *vm, const char *filename) {
  source_text *source = calloc(1, sizeof *source);
  if (!source) return NULL;
  source->filename = copy_bytes(filename, strlen(filename));
  if (!source->filename) {
    free(source);
    return NULL;
  }
  source->next = vm->sources;
  vm->sources = source;
  return source;
}

bool asy_source_keep(asy_vm *vm, const char *filename, const char *text, size_t length) {
  source_text *source = find(vm, filename);
  if (!source) source = add(vm, filename);
  char *copy = source ? copy_bytes(text, length) : NULL;
  if (!copy) return false;
  free(source->text);
  source->text = copy;
  source->length = length;
  return true;
}

static void read_file(source_text *source) {
  FILE *file = fopen(source->filename, "rb");
  if (!file) return;
  size_t cap = 1 << 14;
  char *text = malloc(cap);
  size_t length = 0;
  while (text) {
    length += fread(text + length, 1, cap - length, file);
    if (length < cap || cap >= SOURCE_LARGEST) break;
    char *grown = realloc(text, cap *= 2);
    if (!grown) free(text);
    text = grown;
  }
  fclose(file);
  source->text = text;
  source->length = text ? length : 0;
}

const char *asy_file_line(asy_vm *vm, const char *filename, int line, size_t *length) {
  source_text *source = find(vm, filename);
  if (!source) {
    source = add(vm, filename);
    if (!source) return NULL;
    if (filename[0] != '<') read_file(source);
  }
  if (!source->text || line < 1) return NULL;
  const char *at = source->text, *end = at + source->length;
  if (source->length >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0) at += 3;
  while (--line > 0) {
    at = memchr(at, '\n', (size_t)(end - at));
    if (!at) return NULL;
    at++;
  }
  if (at >= end) return NULL;
  const char *stop = memchr(at, '\n', (size_t)(end - at));
  *length = (size_t)((stop ? stop : end) - at);
  return at;
}

void asy_sources_free(asy_vm *vm) {
  while (vm->sources) {
    source_text *next = vm->sources->next;
    free(vm->sources->filename);
    free(vm->sources->text);
    free(vm->sources);
    vm->sources = next;
  }
}
