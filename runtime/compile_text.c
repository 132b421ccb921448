/* compile_text.c - a text to a code object, or to a SyntaxError with all its attributes. The only file of the runtime that sees the
 * compiler.
 */
#include "lang/arena.h"
#include "lang/compile.h"
#include "lang/diagnostic.h"
#include "lang/source.h"
#include "runtime/builtins.h"
#include "runtime/class.h"
#include "runtime/func.h"
#include "runtime/import.h"
#include "runtime/types/unicode.h"

static asy_exc_id exception_for(asy_diagnostic_kind kind) {
  switch (kind) {
    case DIAG_INDENTATION: return ASY_IndentationError;
    case DIAG_TAB: return ASY_TabError;
    default: return ASY_SyntaxError;
  }
}

/* The line of the text as SyntaxError.text: with its newline, save the one that was added to an expression; None when there is
 * no such line. */
static asy_value line_text(asy_vm *vm, asy_source *source, uint32_t line, bool is_expression) {
  size_t length;
  const char *text = source->text ? asy_source_line(source, line, &length) : NULL;
  if (!text) return ASY_NONE;
  bool added = source->newline_added && text + length + 1 == source->text + source->len;
  return asy_from_text(vm, text, length + (text[length] == '\n' && !(added && is_expression)));
}

static asy_value raise_syntax(asy_vm *vm, const char *filename, asy_source *source, const asy_diagnostic *diag,
                              asy_compile_mode_id mode) {
  if (diag->kind == DIAG_MEMORY) return asy_raise_no_memory(vm);
  asy_value cls = asy_from_obj(vm->exceptions[exception_for(diag->kind)]);
  asy_value message = asy_from_cstr(vm, diag->message), name = asy_from_cstr(vm, filename), error;
  if (asy_failed(message) || asy_failed(name)) return ASY_FAILED;
  if (diag->line) {
    asy_value text = line_text(vm, source, diag->line, mode == ASY_MODE_EVAL);
    int64_t offset = source->text ? asy_diagnostic_offset(source, diag->line, diag->col) : diag->col + 1;
    int64_t end_line = diag->end_line ? diag->end_line : diag->line;
    int64_t end_offset = diag->end_line && source->text ? asy_diagnostic_offset(source, diag->end_line, diag->end_col)
                                                        : 0;
    if (asy_failed(text)) return ASY_FAILED;
    asy_value details = asy_tuple_of(vm, 6, name, asy_from_small(diag->line), asy_from_small(offset), text,
                                     asy_from_small(end_line), asy_from_small(end_offset));
    error = asy_failed(details) ? ASY_FAILED : asy_call2(vm, cls, message, details);
  } else error = asy_call1(vm, cls, message);
  return asy_failed(error) ? ASY_FAILED : asy_raise_value(vm, error);
}

static const asy_parse_mode parse_modes[] = {
  [ASY_MODE_EXEC] = PARSE_FILE,
  [ASY_MODE_EVAL] = PARSE_EXPR,
  [ASY_MODE_SINGLE] = PARSE_SINGLE,
};

typedef struct {
  asy_vm *vm;
  asy_source *source;
} compilation;

/* "FILE:LINE: SyntaxWarning: text" and the line, as CPython's warnings are shown. */
static void show_warning(void *context, const asy_diagnostic *warning) {
  compilation *c = context;
  asy_buf out = {0};
  size_t length;
  const char *line = asy_source_line(c->source, warning->line, &length);
  asy_buf_format(&out, "%s:%u: SyntaxWarning: %s\n", c->source->name, warning->line, warning->message);
  while (line && length && (*line == ' ' || *line == '\t')) line++, length--;
  if (line) asy_buf_format(&out, "  %.*s\n", (int)length, line);
  if (out.data && !asy_write_stderr(c->vm, out.data, out.len)) asy_clear_exception(c->vm);
  asy_buf_free(&out);
}

asy_value asy_compile_text(asy_vm *vm, const char *text, size_t length, const char *filename, asy_compile_mode_id mode,
                           unsigned flags) {
  if (memchr(text, 0, length)) return asy_raise(vm, ASY_SyntaxError, "source code string cannot contain null bytes");
  asy_str *name = asy_str_from_cstr(vm, filename);
  if (!name) return ASY_FAILED;
  asy_diagnostic diag = {0};
  asy_source source = {0};
  if (!asy_source_init(&source, filename, text, length, &diag)) return raise_syntax(vm, filename, &source, &diag, mode);
  asy_arena arena;
  asy_arena_init(&arena);
  compilation context = {vm, &source};
  asy_compile_options options = {
    .mode = parse_modes[mode],
    .top_level_await = flags & ASY_COMPILE_TOP_LEVEL_AWAIT,
    .drop_asserts = flags & ASY_COMPILE_DROP_ASSERTS,
    .future_annotations = flags & ASY_COMPILE_FUTURE_ANNOTATIONS,
    .find_character = asy_unicode_find,
    .warn = show_warning,
    .context = &context,
  };
  const asy_unit_code *unit = asy_compile(&arena, &source, &options, &diag);
  asy_value result = ASY_FAILED;
  if (unit) {
    asy_code *code = asy_code_new(vm, unit, name);
    if (code) result = asy_from_obj(code);
  } else raise_syntax(vm, filename, &source, &diag, mode);
  asy_arena_free(&arena);
  asy_source_free(&source);
  return result;
}
