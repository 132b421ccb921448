/* asy_parse_dump.c - parses files and shows trees or errors, for tests/parse_corpus.py.
 * asy_parse_dump [-t|-p] FILE...    for each file one line: the dump, or "!KIND LINE OFFSET MESSAGE"
 *   -t: only parse and print the time taken; -p: with positions; FILE "-": names from standard input, a line each
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lang/ast.h"
#include "lang/buf.h"
#include "lang/parse.h"

static bool positions, timing;
static double seconds;
static size_t total;

static uint32_t no_name(void *context, const char *name, size_t len) {
  (void)context, (void)name, (void)len;
  return 0xFFFD; /* what names stand for is not the parser's business: parse_corpus.py puts U+FFFD there as well */
}

static void dump(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) {
    printf("!OSError 0 0 cannot open %s\n", path);
    return;
  }
  asy_buf bytes = {0};
  char chunk[65536];
  for (size_t n; (n = fread(chunk, 1, sizeof chunk, file)) > 0;) asy_buf_add(&bytes, chunk, n);
  fclose(file);
  asy_source source;
  asy_diagnostic error = {0};
  asy_arena arena;
  asy_arena_init(&arena);
  asy_node *tree = NULL;
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  bool read = asy_source_init(&source, path, bytes.data ? bytes.data : "", bytes.len, &error);
  if (read)
    tree = asy_parse_with(&arena, &source, &(asy_parse_options){.mode = PARSE_FILE, .find_character = no_name}, &error);
  clock_gettime(CLOCK_MONOTONIC, &end);
  seconds += (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
  total += bytes.len;
  if (timing) {
  } else if (tree) {
    asy_buf out = {0};
    if (positions) asy_ast_print_positions(tree, &out);
    else asy_ast_print(tree, &out);
    puts(out.data);
    asy_buf_free(&out);
  } else {
    uint32_t offset = read && error.line ? asy_diagnostic_offset(&source, error.line, error.col) : 0;
    printf("!%s %u %u %s\n", asy_diagnostic_kind_name(error.kind), error.line, offset, error.message);
  }
  fflush(stdout);
  asy_arena_free(&arena);
  if (read) asy_source_free(&source);
  asy_buf_free(&bytes);
}

int main(int argc, char **argv) {
  char line[4096];
  for (int i = 1; i < argc; i++) {
    if (!strcmp(argv[i], "-t")) timing = true;
    else if (!strcmp(argv[i], "-p")) positions = true;
    else if (strcmp(argv[i], "-")) dump(argv[i]);
    else
      while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        dump(line);
      }
  }
  if (timing) printf("%zu bytes in %.3f s\n", total, seconds);
}
