/* library.c - PCRE2's libraries, one for each width of units, loaded when the first pattern runs on such a text. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

#include "stdlib/re/re.h"

/* In the order of re_api. */
static const char names[] =
  "compile\0code_free\0jit_compile\0match\0jit_match\0match_data_create_from_pattern\0match_data_free\0get_ovector_"
  "pointer\0"
  "compile_context_create\0set_character_tables\0set_newline\0set_parens_nest_limit\0match_context_create\0set_match_"
  "limit\0"
  "jit_stack_create\0jit_stack_assign\0maketables\0get_error_message\0compile_context_free\0match_context_free\0"
  "jit_stack_free\0maketables_free\0";

static const asy_library libraries[3] = {
  {"libpcre2-8.so.0", "libpcre2-8-0", "pcre2_*_8", names, 0},
  {"libpcre2-16.so.0", "libpcre2-16-0", "pcre2_*_16", names, 0},
  {"libpcre2-32.so.0", "libpcre2-32-0", "pcre2_*_32", names, 0},
};

enum { NEST_LIMIT = 5000, JIT_STACK_FIRST = 32 << 10, JIT_STACK_MOST = 64 << 20 };

/* Where the parts of PCRE2's tables begin: lower case, other case, bit maps of classes, and the classes of each character. */
enum {
  TABLE_LOWER = 0,
  TABLE_FLIP = 256,
  TABLE_SPACE = 512,
  TABLE_WORD = 512 + 160,
  TABLE_TYPES = 512 + 320,
  TABLE_SIZE = 512 + 320 + 256
};

/* The tables of the C locale, made into those of latin-1 as Python sees it. Patterns point to them, and free them not. */
static void make_latin1(uint8_t *tables) {
  uint8_t *types = tables + TABLE_TYPES;
  for (uint32_t c = 0; c < 256; c++) {
    uint8_t bit = (uint8_t)(1 << (c & 7));
    if (re_is_space(c, true)) {
      tables[TABLE_SPACE + (c >> 3)] |= bit;
      types[c] |= types[' '];
    }
    if (c >= 128 && re_is_word(c, true)) {
      tables[TABLE_WORD + (c >> 3)] |= bit;
      types[c] |= types['_'];
    }
    uint32_t low = re_lower(c);
    if (c < 128 || low == c || low > 255) continue;
    tables[TABLE_LOWER + c] = (uint8_t)low;
    tables[TABLE_FLIP + c] = (uint8_t)low;
    tables[TABLE_FLIP + low] = (uint8_t)c;
  }
}

static void *new_context(const re_api *api) {
  void *context = api->compile_context_create(NULL);
  if (!context) return NULL;
  api->set_newline(context, PCRE2_NEWLINE_LF);
  api->set_parens_nest_limit(context, NEST_LIMIT);
  return context;
}

static void unload(re_shared *shared, unsigned i) {
  re_api *api = shared->widths[i].api;
  if (!api) return;
  for (int k = 0; k < 2; k++) api->compile_context_free(shared->widths[i].contexts[k]); /* each takes NULL */
  api->match_context_free(shared->widths[i].match);
  api->jit_stack_free(shared->widths[i].jit_stack);
  if (shared->widths[i].tables) api->maketables_free(NULL, shared->widths[i].tables);
  free(api);
  shared->widths[i].api = NULL;
}

bool re_load(asy_vm *vm, re_shared *shared, unsigned width) {
  unsigned i = re_width_index(width);
  if (shared->widths[i].api) return true;
  re_api *api = malloc(sizeof *api);
  if (!api) return asy_raise_no_memory(vm), false;
  if (!asy_load_functions(vm, &libraries[i], api)) return free(api), false;
  void *ascii = new_context(api), *unicode = new_context(api), *match = api->match_context_create(NULL);
  void *stack = api->jit_stack_create(JIT_STACK_FIRST, JIT_STACK_MOST, NULL);
  uint8_t *tables = width == 1 ? (uint8_t *)(uintptr_t)api->maketables(NULL) : NULL;
  shared->widths[i].api = api;
  shared->widths[i].contexts[0] = ascii;
  shared->widths[i].contexts[1] = unicode;
  shared->widths[i].match = match;
  shared->widths[i].jit_stack = stack;
  shared->widths[i].tables = tables;
  if (!ascii || !unicode || !match || (width == 1 && !tables)) {
    unload(shared, i);
    asy_raise_no_memory(vm);
    return false;
  }
  if (tables) {
    make_latin1(tables);
    api->set_character_tables(unicode, tables);
  }
  if (stack) api->jit_stack_assign(match, NULL, stack);
  return true;
}

void re_unload(re_shared *shared) {
  for (unsigned i = 0; i < 3; i++) unload(shared, i);
}
