/* source.h - the text of one file, ready for the lexer.
 * Whatever the file holds, the text is valid UTF-8 with `\n` line ends, without byte order mark and without NUL bytes,
 * ends in a newline (one is added when it is missing) and in a NUL that is not counted.
 */
#ifndef ASY_LANG_SOURCE_H
#define ASY_LANG_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lang/diagnostic.h"

typedef struct asy_source {
  const char *name;      /* as shown in messages; not owned */
  char *text;            /* owned */
  size_t len;            /* bytes of text, without the NUL */
  bool newline_added;    /* the last line of the file had no newline */
  uint32_t *line_starts; /* owned; offset of each line; NULL until a line has been asked for */
  uint32_t line_count;
} asy_source;

/* Copies and decodes: byte order mark, coding cookie (PEP 263: UTF-8, Latin-1, ASCII), line ends. False and *out filled
 * when the bytes are no text; the source is then empty and needs no free. */
__attribute__((warn_unused_result)) bool asy_source_init(asy_source *source, const char *name, const char *bytes,
                                                         size_t len, asy_diagnostic *out);
void asy_source_free(asy_source *source);

/* A line without its newline, not NUL-terminated; lines count from 1. NULL when there is no such line. */
const char *asy_source_line(asy_source *source, uint32_t line, size_t *len);

#endif
