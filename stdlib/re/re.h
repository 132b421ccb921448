/* re.h - what the files of the module _sre share.
 *
 * reader.c has their tokens and errors; translate.c reads Python's pattern language and writes the same pattern for PCRE2; library.c knows PCRE2's functions; pattern.c has
 * Pattern and runs it; match.c has Match; template.c reads replacement texts; module.c has the cache and the functions.
 */
#ifndef ASY_STDLIB_RE_H
#define ASY_STDLIB_RE_H

#include "runtime/asy.h"

enum {
  RE_IGNORECASE = 2,
  RE_LOCALE = 4,
  RE_MULTILINE = 8,
  RE_DOTALL = 16,
  RE_UNICODE = 32,
  RE_VERBOSE = 64,
  RE_DEBUG = 128,
  RE_ASCII = 256,
  RE_TYPE_FLAGS = RE_ASCII | RE_LOCALE | RE_UNICODE
};
enum { RE_MAX_GROUPS = 65535 }; /* of PCRE2 */

/* ---- Errors and texts (translate.c) ---- */
/* Raises re.PatternError(message, pattern, position); position -1: none. Always false. */
bool re_fail(asy_vm *vm, asy_value pattern, int64_t position, asy_str *message);

/* Bytes under construction, malloc'ed; failure is sticky. */
typedef struct {
  char *data;
  size_t len, cap;
  bool failed;
} re_text;
void re_text_add(re_text *t, const void *data, size_t n);
void re_text_free(re_text *t);

/* The tokens of a pattern or template: one code point, or a backslash with the one behind it. */
enum { RE_END = UINT32_MAX };
typedef struct {
  asy_vm *vm;
  asy_value source; /* str or bytes-like */
  asy_value str;    /* its text: source itself, or its bytes as latin-1 */
  bool is_text;
  uint32_t index; /* behind the next token */
  uint32_t next;  /* the code point of the next token (behind a backslash), or RE_END */
  bool escaped;   /* the next token begins with a backslash */
  bool failed;    /* an exception is set */
} re_reader;
bool re_reader_text(re_reader *r, asy_vm *vm, asy_value source); /* r->str = source, bytes-like, as latin-1 */
bool re_reader_init(re_reader *r, asy_vm *vm, asy_value source);
void re_reader_advance(re_reader *r);
static inline bool re_at(const re_reader *r, uint32_t c) { return r->next == c && !r->escaped; }
static inline bool re_accept(re_reader *r, uint32_t c) {
  if (!re_at(r, c)) return false;
  re_reader_advance(r);
  return true;
}
static inline uint32_t re_tell(const re_reader *r) { return r->index - (r->next == RE_END ? 0 : r->escaped ? 2 : 1); }
/* Raises an error `offset` before the next token, unless one is set already. Always false. */
bool re_reader_fail(re_reader *r, int64_t offset, const char *format, ...);
/* The text up to `terminator`, which is passed. NULL failed. */
asy_str *re_read_until(re_reader *r, uint32_t terminator, const char *what);
bool re_check_name(re_reader *r, asy_str *name, int64_t offset);
bool re_decimal(const asy_str *name, uint64_t *out); /* all ASCII digits; saturates */

/* ---- Translation (translate.c) ---- */
typedef struct {
  re_text text;         /* ASCII */
  uint32_t flags;       /* the pattern's, with those it sets itself */
  uint32_t groups;      /* captures */
  asy_dict *names;      /* name -> number */
  uint32_t *closing;    /* malloc'ed: group - 1 -> its place in the order of closing brackets */
  bool captures_repeat; /* a group lies in a repetition: the closing order is not that of the brackets */
  bool atomic;          /* there is an atomic group */
} re_translation;
/* Reads the pattern and writes it for subjects of `width` bytes a unit. False: an exception is set, nothing to free. */
bool re_translate(asy_vm *vm, asy_value source, uint32_t flags, unsigned width, re_translation *out);
void re_translation_free(re_translation *t);
bool re_is_word(uint32_t c, bool unicode);
bool re_is_space(uint32_t c, bool unicode);
uint32_t re_lower(uint32_t c); /* the simple mapping */

/* ---- PCRE2 (library.c) ---- */
typedef struct {
  void *(*compile)(const void *, size_t, uint32_t, int *, size_t *, void *);
  void (*code_free)(void *);
  int (*jit_compile)(void *, uint32_t);
  int (*match)(const void *, const void *, size_t, size_t, uint32_t, void *, void *);
  int (*jit_match)(const void *, const void *, size_t, size_t, uint32_t, void *, void *);
  void *(*match_data_create_from_pattern)(const void *, void *);
  void (*match_data_free)(void *);
  size_t *(*get_ovector_pointer)(void *);
  void *(*compile_context_create)(void *);
  int (*set_character_tables)(void *, const uint8_t *);
  int (*set_newline)(void *, uint32_t);
  int (*set_parens_nest_limit)(void *, uint32_t);
  void *(*match_context_create)(void *);
  int (*set_match_limit)(void *, uint32_t);
  void *(*jit_stack_create)(size_t, size_t, void *);
  void (*jit_stack_assign)(void *, void *, void *);
  const uint8_t *(*maketables)(void *);
  int (*get_error_message)(int, void *, size_t);
  void (*compile_context_free)(void *);
  void (*match_context_free)(void *);
  void (*jit_stack_free)(void *);
  void (*maketables_free)(void *, const uint8_t *);
} re_api;

/* What all patterns of a VM share: an object that they and the functions of the module refer to. */
typedef struct {
  asy_obj head;
  asy_dict *cache; /* (class, pattern, flags) -> Pattern */
  struct {
    re_api *api;       /* owned; NULL: not loaded */
    void *contexts[2]; /* compile contexts: 0 ASCII, 1 Unicode */
    void *match;       /* match context, with the limit and the JIT stack */
    void *jit_stack;
    const uint8_t *tables; /* of the Unicode context, of width 1 only */
  } widths[3];             /* 1, 2, 4 bytes a unit */
} re_shared;
static inline unsigned re_width_index(unsigned width) { return width >> 1; } /* 1, 2, 4 -> 0, 1, 2 */
/* Loads the library for units of this width. False: ImportError. */
bool re_load(asy_vm *vm, re_shared *shared, unsigned width);
void re_unload(re_shared *shared);

/* ---- Patterns (pattern.c) ---- */
typedef enum { RE_SEARCH, RE_MATCH, RE_FULLMATCH, RE_MODES } re_mode;

typedef struct {
  void *code;      /* PCRE2's; NULL: not compiled yet */
  void *data;      /* PCRE2's match data */
  uint64_t weight; /* of the work done so far: decides about the JIT */
  bool jitted;
} re_code;

/* The compiled forms for one width of units, with what frees them: `shared` may die in the same collection as the pattern. */
typedef struct {
  void (*code_free)(void *);
  void (*data_free)(void *);
  re_code modes[RE_MODES];
} re_codes;

typedef struct {
  asy_obj head;
  re_shared *shared;
  asy_value source;
  asy_dict *names;      /* name -> number */
  asy_tuple *by_number; /* number -> name or None; items[0] is None */
  uint32_t flags, groups;
  uint32_t *closing;                         /* owned; see re_translation */
  re_text text;                              /* for units of one byte; dropped when compiled */
  asy_value template_source, template_parts; /* of the last replacement text; 0: none */
  re_codes *codes[3];                        /* owned; NULL: nothing compiled for this width */
  bool is_text, captures_repeat, atomic;
  bool large; /* too much for PCRE2 with narrow units: every subject is widened to 4 bytes a unit */
} re_pattern;

/* A text being matched; open while matching, closed before script code runs. */
typedef struct {
  const void *data;
  uint32_t len;
  unsigned width;
  asy_buffer buffer;
  uint32_t *widened; /* malloc'ed copy for a large pattern, or NULL */
} re_subject;

static inline re_pattern *re_pattern_of(asy_value v) { return (re_pattern *)asy_obj_of(v); }
asy_value re_pattern_new(asy_vm *vm, re_shared *shared, asy_value source, uint32_t flags);
bool re_is_pattern(asy_vm *vm, asy_value v);
bool re_subject_open(asy_vm *vm, const re_pattern *p, asy_value string, re_subject *out);
void re_subject_close(asy_vm *vm, re_subject *s);
/* Runs the pattern on the subject up to `end`, from `start`. 1: *spans has 2 * (groups + 1) places, SIZE_MAX where a group is unset,
 * valid until the next run; 0; -1 failed. */
int re_run(asy_vm *vm, re_pattern *p, re_subject *s, re_mode mode, uint32_t start, uint32_t end, bool not_empty,
           const size_t **spans);
asy_value re_slice(asy_vm *vm, asy_value string, uint32_t start, uint32_t end); /* of a str or bytes-like */
bool re_define_pattern(asy_vm *vm, asy_value module);
asy_value re_do_match(asy_vm *vm, asy_value pattern, asy_value string, asy_value pos, asy_value endpos, re_mode mode);
asy_value re_do_findall(asy_vm *vm, asy_value pattern, asy_value string, asy_value pos, asy_value endpos);
asy_value re_do_finditer(asy_vm *vm, asy_value pattern, asy_value string, asy_value pos, asy_value endpos);
asy_value re_do_split(asy_vm *vm, asy_value pattern, asy_value string, asy_value maxsplit);
asy_value re_do_sub(asy_vm *vm, asy_value pattern, asy_value repl, asy_value string, asy_value count, bool with_count);

/* ---- Matches (match.c) ---- */
typedef struct {
  asy_obj head;
  re_pattern *pattern;
  asy_value string;
  uint32_t pos, endpos;
  uint32_t last;    /* lastindex; 0: None */
  uint32_t count;   /* groups + 1 */
  uint32_t spans[]; /* start and end of each, RE_UNSET both where unset */
} re_match;
enum { RE_UNSET = UINT32_MAX };
asy_value re_match_new(asy_vm *vm, re_pattern *p, asy_value string, const size_t *spans, uint32_t pos, uint32_t endpos);
asy_value re_match_group(asy_vm *vm, const re_match *m, uint32_t group, asy_value otherwise);
bool re_define_match(asy_vm *vm, asy_value module);

/* ---- Templates (template.c) ---- */
/* A tuple of literals (str or bytes) and group numbers. Kept for the last template. NULL failed. */
asy_tuple *re_template(asy_vm *vm, re_pattern *p, asy_value source);

/* The pieces of a result: all text or all bytes. */
typedef struct {
  asy_vm *vm;
  bool is_text;
  uint32_t items; /* for the error when one is of the wrong type */
  asy_text text;
  re_text bytes;
} re_joined;
void re_joined_init(re_joined *j, asy_vm *vm, bool is_text);
bool re_joined_add(re_joined *j, asy_value item); /* str or bytes-like; else TypeError */
void re_joined_slice(re_joined *j, const re_subject *s, uint32_t start, uint32_t end);
asy_value re_joined_finish(re_joined *j); /* frees */
void re_joined_discard(re_joined *j);

#endif
