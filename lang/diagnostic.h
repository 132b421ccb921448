/* diagnostic.h - what is wrong with a text, and where. */
#ifndef ASY_LANG_DIAGNOSTIC_H
#define ASY_LANG_DIAGNOSTIC_H

#include <stdint.h>

#include "lang/buf.h"

typedef enum { DIAG_NONE, DIAG_SYNTAX, DIAG_INDENTATION, DIAG_TAB, DIAG_WARNING, DIAG_MEMORY } asy_diagnostic_kind;

enum { DIAG_NO_COLUMN = UINT32_MAX }; /* as end_col: CPython's end_offset is -1 */

typedef struct {
  asy_diagnostic_kind kind;   /* DIAG_NONE until something is wrong */
  uint32_t line;              /* from 1; 0 when the whole text is meant */
  uint32_t col;               /* byte offset in the line, from 0 */
  uint32_t end_line, end_col; /* exclusive; where it began: a point; end_line 0: CPython's end_offset is 0 */
  char message[400];          /* UTF-8, cut when longer */
} asy_diagnostic;

struct asy_source;

/* "SyntaxError", "IndentationError", "TabError", "SyntaxWarning", "MemoryError" */
const char *asy_diagnostic_kind_name(asy_diagnostic_kind kind);

__attribute__((format(printf, 7, 8))) void asy_diagnostic_set(asy_diagnostic *diag, asy_diagnostic_kind kind,
                                                              uint32_t line, uint32_t col, uint32_t end_line,
                                                              uint32_t end_col, const char *format, ...);

/* CPython's layout: file and line, the source line without its indentation, carets, kind and message. */
void asy_diagnostic_print(const asy_diagnostic *diag, struct asy_source *source, asy_buf *out);

/* CPython's `offset`: 1 + the number of characters before byte `col` of the line; 0 when the line is not known. */
uint32_t asy_diagnostic_offset(struct asy_source *source, uint32_t line, uint32_t col);

#endif
