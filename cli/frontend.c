/* frontend.c - commands that need the front end only: listings and the timing of parse and compile. */
#include "cli/frontend.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"
#include "lang/arena.h"
#include "lang/ast.h"
#include "lang/compile.h"
#include "lang/dis.h"
#include "lang/parse.h"
#include "lang/source.h"
#include "runtime/asy.h"

typedef struct {
  asy_source source;
  asy_arena arena;
  asy_diagnostic diag;
  bool has_source;
} work;

/* The content of a file, malloc'ed; NULL after a message. */
static char *read_file(const char *path, size_t *length) {
  FILE *in = fopen(path, "rb");
  char *text = NULL;
  size_t cap = 0, n = 0;
  while (in) {
    if (n == cap) {
      char *grown = realloc(text, cap = cap ? cap * 2 : 65536);
      if (!grown) break;
      text = grown;
    }
    size_t got = fread(text + n, 1, cap - n, in);
    if (!got) break;
    n += got;
  }
  if (!in || ferror(in)) {
    fprintf(stderr, "asy: can't open file '%s': [Errno %d] %s\n", path, errno, strerror(errno));
    free(text);
    text = NULL;
  }
  if (in) fclose(in);
  *length = n;
  return text;
}

static bool begin(work *w, const char *path, const char *text, size_t length) {
  *w = (work){0};
  asy_arena_init(&w->arena);
  w->has_source = asy_source_init(&w->source, path, text, length, &w->diag);
  return w->has_source;
}

static void end(work *w) {
  asy_arena_free(&w->arena);
  if (w->has_source) asy_source_free(&w->source);
}

static int complain(work *w) {
  asy_buf out = {0};
  asy_diagnostic_print(&w->diag, &w->source, &out);
  if (out.data) fputs(out.data, stderr);
  asy_buf_free(&out);
  return STATUS_ERROR;
}

static int print_file(const char *path, bool (*print)(work *w, asy_buf *out)) {
  size_t length;
  char *text = read_file(path, &length);
  if (!text) return STATUS_USAGE;
  work w;
  asy_buf out = {0};
  int status = 0;
  if (!begin(&w, path, text, length) || !print(&w, &out)) status = complain(&w);
  else if (out.data) fwrite(out.data, 1, out.len, stdout);
  asy_buf_free(&out);
  end(&w);
  free(text);
  return status;
}

static bool print_code(work *w, asy_buf *out) {
  const asy_unit_code *code = asy_compile(&w->arena, &w->source, NULL, &w->diag);
  if (code) asy_dis(code, out);
  return code != NULL;
}

static bool print_tree(work *w, asy_buf *out) {
  asy_node *tree = asy_parse(&w->arena, &w->source, PARSE_FILE, &w->diag);
  if (!tree) return false;
  asy_ast_print(tree, out);
  asy_buf_char(out, '\n');
  return true;
}

int asy_print_dis(const char *path) { return print_file(path, print_code); }
int asy_print_ast(const char *path) { return print_file(path, print_tree); }

/* \N{NAME}: names are not looked up here, every one is taken. */
static uint32_t any_character(void *context, const char *name, size_t length) {
  (void)context, (void)name, (void)length;
  return 'x';
}

int asy_parse_bench(const char *list) {
  size_t length;
  char *names = read_file(list, &length);
  asy_vm *vm = names ? asy_vm_new(NULL) : NULL; /* for its clock */
  if (!vm) {
    free(names);
    return STATUS_USAGE;
  }
  const asy_compile_options options = {.parse = {.mode = PARSE_FILE, .find_character = any_character}};
  int64_t spent = 0;
  unsigned files = 0, refused = 0;
  size_t bytes = 0;
  for (char *name = names, *stop = names + length; name < stop;) {
    char *newline = memchr(name, '\n', (size_t)(stop - name));
    char *path = strndup(name, (size_t)((newline ? newline : stop) - name));
    name = newline ? newline + 1 : stop;
    size_t size = 0;
    char *text = path && *path ? read_file(path, &size) : NULL;
    if (text) {
      work w;
      int64_t start = asy_clock_ns(vm, ASY_CLOCK_MONOTONIC);
      bool good = begin(&w, path, text, size) && asy_compile(&w.arena, &w.source, &options, &w.diag);
      spent += asy_clock_ns(vm, ASY_CLOCK_MONOTONIC) - start;
      if (!good) printf("%s:%u: %s\n", path, w.diag.line, w.diag.message);
      end(&w);
      files++;
      bytes += size;
      refused += !good;
    }
    free(text);
    free(path);
  }
  printf("%u files, %zu bytes, %u refused, seconds: %.6f\n", files, bytes, refused, (double)spent / 1e9);
  asy_vm_free(vm);
  free(names);
  return 0;
}
