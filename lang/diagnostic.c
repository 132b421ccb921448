/* diagnostic.c - what is wrong with a text, and where. */
#include "lang/diagnostic.h"

#include <stdarg.h>
#include <stdio.h>

#include "lang/source.h"

static const char *const kind_names[] = {
  [DIAG_NONE] = "",        [DIAG_SYNTAX] = "SyntaxError",    [DIAG_INDENTATION] = "IndentationError",
  [DIAG_TAB] = "TabError", [DIAG_WARNING] = "SyntaxWarning", [DIAG_MEMORY] = "MemoryError",
};

const char *asy_diagnostic_kind_name(asy_diagnostic_kind kind) { return kind_names[kind]; }

void asy_diagnostic_set(asy_diagnostic *diag, asy_diagnostic_kind kind, uint32_t line, uint32_t col, uint32_t end_line,
                        uint32_t end_col, const char *format, ...) {
  *diag = (asy_diagnostic){.kind = kind, .line = line, .col = col, .end_line = end_line, .end_col = end_col};
  va_list args;
  va_start(args, format);
  int len = vsnprintf(diag->message, sizeof diag->message, format, args);
  va_end(args);
  if (len < (int)sizeof diag->message) return;
  size_t end = sizeof diag->message - 1; /* cut: not in the middle of a character */
  while (end > 0 && (diag->message[end - 1] & 0xC0) == 0x80) end--;
  if (end > 0 && (unsigned char)diag->message[end - 1] >= 0xC0) end--;
  diag->message[end] = 0;
}

static uint32_t count_chars(const char *text, size_t len) {
  uint32_t count = 0;
  for (size_t i = 0; i < len; i++) count += (text[i] & 0xC0) != 0x80;
  return count;
}

uint32_t asy_diagnostic_offset(asy_source *source, uint32_t line, uint32_t col) {
  size_t len;
  const char *text = asy_source_line(source, line, &len);
  if (!text) return 0;
  return col <= len ? 1 + count_chars(text, col) : 1 + count_chars(text, len) + (uint32_t)(col - len);
}

void asy_diagnostic_print(const asy_diagnostic *diag, asy_source *source, asy_buf *out) {
  size_t len = 0;
  const char *text = diag->line ? asy_source_line(source, diag->line, &len) : NULL;
  asy_buf_format(out, "  File \"%s\"", source->name);
  if (diag->line) asy_buf_format(out, ", line %u", diag->line);
  asy_buf_char(out, '\n');
  if (text) {
    size_t indent = 0;
    while (indent < len && (text[indent] == ' ' || text[indent] == '\t' || text[indent] == '\f')) indent++;
    asy_buf_text(out, "    ");
    asy_buf_add(out, text + indent, len - indent);
    asy_buf_text(out, "\n");
    size_t col = diag->col;
    size_t end = diag->end_line > diag->line ? len : col + 1;
    if (diag->end_line == diag->line && diag->end_col > col && diag->end_col != DIAG_NO_COLUMN) end = diag->end_col;
    if (diag->kind != DIAG_INDENTATION && diag->kind != DIAG_TAB && col >= indent) {
      asy_buf_text(out, "    ");
      for (size_t i = indent; i < col && i < len; i++) /* a tab stays a tab, so that the carets stand below the text */
        if ((text[i] & 0xC0) != 0x80) asy_buf_char(out, text[i] == '\t' ? '\t' : ' ');
      for (size_t i = len; i < col; i++) asy_buf_char(out, ' ');
      asy_buf_char(out, '^');
      for (size_t i = col + 1; i < end && i < len; i++)
        if ((text[i] & 0xC0) != 0x80) asy_buf_char(out, '^');
      asy_buf_char(out, '\n');
    }
  }
  asy_buf_format(out, "%s: %s\n", asy_diagnostic_kind_name(diag->kind), diag->message);
}
