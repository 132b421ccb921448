/* traceback.h - exceptions as text, and the source lines they show. */
#ifndef ASY_RUNTIME_TRACEBACK_H
#define ASY_RUNTIME_TRACEBACK_H

#include "runtime/exc.h"

/* Text under construction: UTF-8, malloc'ed. A failure is sticky: nothing is added any more. */
typedef struct {
  char *data;
  size_t len, cap;
  bool failed;
  bool color; /* for a terminal: asy_sink_paint's colours go in, which are those of CPython 3.13 */
  bool hints; /* for a person: traceback_hints.c */
} asy_sink;
#define PAINT_NAME "\x1b[35m"
#define PAINT_TYPE "\x1b[1;35m"
#define PAINT_MARK "\x1b[1;31m"
#define PAINT_REST "\x1b[31m" /* of a marked expression */
#define PAINT_END "\x1b[0m"
void asy_sink_paint(asy_sink *sink, const char *color);
void asy_sink_add(asy_sink *sink, const char *text, size_t length);
void asy_sink_text(asy_sink *sink, const char *text);
void asy_sink_format(asy_sink *sink, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The text that print_exception writes; ASY_FAILED: MemoryError. chain false: without causes and contexts. */
asy_value asy_format_exception(asy_vm *vm, asy_value exception, bool chain);
/* The same for the entries of a traceback alone: "  File ..." lines. */
/* "Exception ignored in: where", or message (None: that one), and the exception, to stderr. */
void asy_print_unraisable(asy_vm *vm, asy_value exception, asy_value message, asy_value where);
asy_value asy_format_traceback(asy_vm *vm, asy_traceback *traceback);
/* The last lines alone: type and text, notes. */
asy_value asy_format_exception_only(asy_vm *vm, asy_value exception);
int32_t asy_traceback_line(asy_traceback *entry);

bool asy_wants_color(asy_vm *vm); /* on standard error */

/* ---- source_lines.c: the lines of the programs that run ---- */
/* Text that no file holds is kept by asy_source_keep (asy.h); a later one of the same name replaces it. */
/* Line `line` (from 1) of a file or kept text, without its newline. NULL when there is none. Valid until the next call. */
const char *asy_file_line(asy_vm *vm, const char *filename, int line, size_t *length);
void asy_sources_free(asy_vm *vm);

/* ---- suggest.c ---- */
/* What the exception's message lacks: ". Did you mean: 'x'?" and its like, or nothing. */
asy_str *asy_closest_name(const asy_list *names, const asy_str *wrong); /* the one probably meant, or NULL */
void asy_suggest(asy_vm *vm, asy_value exception, asy_sink *out);
/* The exception names a module of CPython's library that the binary lacks. */
bool asy_is_missing_stdlib(asy_vm *vm, asy_value exception);
/* ---- traceback_hints.c ---- */
/* A line that says what to do about an exception with this text, where we know. */
void asy_add_hint(asy_vm *vm, asy_sink *out, asy_value exception, const char *text);
/* ---- caret.c ---- */
unsigned asy_char_width(uint32_t code_point); /* columns on a terminal: 1 or 2 */
/* The lines [first .. first+n) of a frame with their markers below. start and end are byte columns in the first and last line. */
typedef struct {
  const char *text;
  size_t len;
} asy_source_span;
void asy_show_source(asy_sink *out, const asy_source_span *lines, uint32_t nlines, int32_t start, int32_t end,
                     bool columns);

#endif
