/* compile_text.c - a text to a code object, or to a SyntaxError with all its attributes. With ast_tree.c the only
 * file of the runtime that sees the compiler.
 */
#include "lang/arena.h"
#include "lang/compile.h"
#include "lang/diagnostic.h"
#include "lang/name_tables.h"
#include "lang/source.h"
#include "runtime/ast_tree.h"
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
    int64_t end_offset = 0;
    if (diag->end_col == DIAG_NO_COLUMN) end_offset = -1;
    else if (diag->end_line && source->text) end_offset = asy_diagnostic_offset(source, diag->end_line, diag->end_col);
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
  asy_diagnostic refused; /* a warning that counts as an error */
  bool failed;            /* a warning or a name has raised something else, which is pending */
  asy_value name;         /* the name normalised last */
} compilation;

/* A warning that a filter turns into an error becomes a SyntaxError, kept until the compilation ends. */
static void warn(void *context, const asy_diagnostic *warning) {
  compilation *c = context;
  if (c->refused.kind) return;
  asy_str *filename = asy_str_from_cstr(c->vm, c->source->name);
  if (!filename || asy_warn_explicit(c->vm, ASY_SyntaxWarning, warning->message, filename, (int)warning->line)) return;
  if (!asy_raised_is(c->vm, ASY_SyntaxWarning)) {
    c->failed = true;
    return;
  }
  asy_clear_exception(c->vm);
  c->refused = *warning;
  c->refused.kind = DIAG_SYNTAX;
}

/* What compiling and parsing share: the text decoded, an arena, and the options. */
typedef struct {
  compilation context;
  asy_source source;
  asy_arena arena;
  asy_compile_options options;
  asy_diagnostic diag;
} work;

static uint32_t find_character(void *context, const char *name, size_t length) {
  return asy_unicode_find(((compilation *)context)->vm, name, length);
}

/* What lies below the first character with a compatible form, but three, is in normal form. */
static bool is_normal(const char *name, size_t length) {
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)name[i], next = (unsigned char)name[i + 1];
    if (c > 0xC4 || (c == 0xC4 && next >= 0xB2) || (c == 0xC2 && next >= 0x80)) return false; /* U+0132; ª, µ, º */
  }
  return true;
}

static const char *normalize(void *context, const char *name, size_t length, size_t *normal_length) {
  compilation *c = context;
  *normal_length = length;
  if (is_normal(name, length)) return name;
  asy_vm *vm = c->vm;
  asy_value module = asy_import(vm, "unicodedata");
  asy_value function = asy_failed(module) ? ASY_FAILED : asy_get_attr_cstr(vm, module, "normalize");
  asy_value form = asy_from_cstr(vm, "NFKC"), text = asy_from_text(vm, name, length);
  if (asy_failed(function) || asy_failed(form) || asy_failed(text)) c->name = ASY_FAILED;
  else c->name = asy_call2(vm, function, form, text);
  if (!asy_failed(c->name) && !asy_is_kind(c->name, KIND_STR))
    c->name = asy_raise(vm, ASY_TypeError, "unicodedata.normalize() must return a str, not %T", c->name);
  c->failed = asy_failed(c->name);
  return c->failed ? NULL : asy_str_utf8(vm, (asy_str *)asy_obj_of(c->name), normal_length, &c->name);
}

static void begin(work *w, asy_vm *vm, asy_compile_mode_id mode, unsigned flags) {
  asy_arena_init(&w->arena);
  w->context = (compilation){.vm = vm, .source = &w->source};
  w->options = (asy_compile_options){
    .parse = {parse_modes[mode], find_character, warn, normalize, &w->context},
    .top_level_await = flags & ASY_COMPILE_TOP_LEVEL_AWAIT,
    .drop_asserts = flags & ASY_COMPILE_DROP_ASSERTS,
    .future_annotations = flags & ASY_COMPILE_FUTURE_ANNOTATIONS,
  };
}

static void end(work *w) {
  asy_arena_free(&w->arena);
  asy_source_free(&w->source);
}

/* What a compilation comes to: its result, unless it or one of its warnings is an error. */
static asy_value outcome(work *w, const char *filename, asy_compile_mode_id mode, asy_value result) {
  if (w->context.failed) return ASY_FAILED;
  const asy_diagnostic *wrong = w->diag.kind ? &w->diag : w->context.refused.kind ? &w->context.refused : NULL;
  return wrong ? raise_syntax(w->context.vm, filename, &w->source, wrong, mode) : result;
}

static asy_value code_of(asy_vm *vm, const asy_unit_code *unit, const char *filename) {
  asy_str *name = asy_str_from_cstr(vm, filename);
  asy_code *code = name ? asy_code_new(vm, unit, name) : NULL;
  return code ? asy_from_obj(code) : ASY_FAILED;
}

/* (type, name, line, nested, [(name, flags), ..], [table, ..]) */
static asy_value table_to_object(asy_vm *vm, const asy_name_table *table) {
  asy_list *rows = asy_list_new(vm, table->len), *inner = asy_list_new(vm, 0);
  if (!rows || !inner || !asy_check_c_stack(vm)) return ASY_FAILED;
  for (uint32_t i = 0; i < table->len; i++) {
    asy_value name = asy_from_text(vm, table->rows[i].name->text, table->rows[i].name->len);
    asy_value row = asy_failed(name) ? name : asy_tuple_of(vm, 2, name, asy_from_small(table->rows[i].flags));
    if (asy_failed(row) || !asy_list_append(vm, rows, row)) return ASY_FAILED;
  }
  for (const asy_name_table *t = table->first; t; t = t->next) {
    asy_value item = table_to_object(vm, t);
    if (asy_failed(item) || !asy_list_append(vm, inner, item)) return ASY_FAILED;
  }
  asy_value type = asy_from_cstr(vm, table->type), name = asy_from_cstr(vm, table->name);
  if (asy_failed(type) || asy_failed(name)) return ASY_FAILED;
  return asy_tuple_of(vm, 6, type, name, asy_from_small(table->line), asy_from_bool(table->nested), asy_from_obj(rows),
                      asy_from_obj(inner));
}

asy_value asy_compile_text(asy_vm *vm, const char *text, size_t length, const char *filename, asy_compile_mode_id mode,
                           unsigned flags) {
  if (memchr(text, 0, length)) return asy_raise(vm, ASY_SyntaxError, "source code string cannot contain null bytes");
  work w = {0};
  if (!asy_source_init(&w.source, filename, text, length, &w.diag))
    return raise_syntax(vm, filename, &w.source, &w.diag, mode);
  begin(&w, vm, mode, flags);
  asy_value result = ASY_FAILED;
  if (flags & ASY_COMPILE_ONLY_NAMES) {
    const asy_node *tree = asy_parse_with(&w.arena, &w.source, &w.options.parse, &w.diag);
    const asy_name_table *table = tree ? asy_name_tables(&w.arena, tree, w.options.top_level_await,
                                                         w.options.future_annotations, &w.diag)
                                       : NULL;
    if (table) result = table_to_object(vm, table);
  } else if (flags & ASY_COMPILE_ONLY_AST) {
    const asy_node *tree = asy_parse_with(&w.arena, &w.source, &w.options.parse, &w.diag);
    if (tree) result = asy_tree_to_object(vm, tree);
  } else {
    const asy_unit_code *unit = asy_compile(&w.arena, &w.source, &w.options, &w.diag);
    if (unit) result = code_of(vm, unit, filename);
  }
  result = outcome(&w, filename, mode, result);
  end(&w);
  return result;
}

asy_value asy_compile_object(asy_vm *vm, asy_value tree, const char *filename, asy_compile_mode_id mode,
                             unsigned flags) {
  static const char *const modes[] = {[ASY_MODE_EXEC] = "exec", [ASY_MODE_EVAL] = "eval", [ASY_MODE_SINGLE] = "single"};
  if (flags & ASY_COMPILE_ONLY_AST) return tree;
  work w = {0};
  begin(&w, vm, mode, flags);
  w.source.name = filename;
  const asy_node *node = asy_tree_from_object(vm, tree, modes[mode], &w.arena);
  const asy_unit_code *unit = node ? asy_compile_tree(&w.arena, node, &w.options, &w.diag) : NULL;
  asy_value result = unit ? code_of(vm, unit, filename) : ASY_FAILED;
  if (node) result = outcome(&w, filename, mode, result);
  end(&w);
  return result;
}
