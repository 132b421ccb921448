/* script.c - from text to running code: compiling, SyntaxError objects, the main script, the end of a program. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "lang/arena.h"
#include "lang/compile.h"
#include "lang/diagnostic.h"
#include "lang/source.h"
#include "runtime/builtins.h"
#include "runtime/class.h"
#include "runtime/file.h"
#include "runtime/func.h"
#include "runtime/import.h"
#include "runtime/module.h"
#include "runtime/types/unicode.h"

/* ---- Compiling ---- */

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
    int64_t end_offset = diag->end_line && source->text ? asy_diagnostic_offset(source, diag->end_line, diag->end_col) : 0;
    if (asy_failed(text)) return ASY_FAILED;
    asy_value details = asy_tuple_of(vm, 6, name, asy_from_small(diag->line), asy_from_small(offset), text,
                                     asy_from_small(end_line), asy_from_small(end_offset));
    error = asy_failed(details) ? ASY_FAILED : asy_call2(vm, cls, message, details);
  } else error = asy_call1(vm, cls, message);
  return asy_failed(error) ? ASY_FAILED : asy_raise_value(vm, error);
}

static const asy_parse_mode parse_modes[] = {
  [ASY_MODE_EXEC] = PARSE_FILE, [ASY_MODE_EVAL] = PARSE_EXPR, [ASY_MODE_SINGLE] = PARSE_SINGLE,
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

/* ---- Running ---- */

static asy_value run_module(asy_vm *vm, asy_value code, const char *path, const char *name) {
  asy_str *module_name = asy_intern(vm, name);
  asy_module *module = module_name ? asy_module_new(vm, module_name) : NULL;
  if (!module) return ASY_FAILED;
  asy_value self = asy_from_obj(module);
  if (*path != '<' && !asy_module_set(vm, self, "__file__", asy_from_cstr(vm, path))) return ASY_FAILED;
  asy_value builtins = asy_dict_get_str(vm, vm->modules, ASY_NAME(vm, builtins));
  if (!asy_dict_set_str(vm, module->dict, ASY_NAME(vm, __builtins__), builtins)) return ASY_FAILED;
  if (!asy_dict_set_str(vm, vm->modules, module_name, self)) return ASY_FAILED;
  if (!strcmp(name, "__main__")) vm->main_module = self;
  asy_value result = asy_run_code(vm, (asy_code *)asy_obj_of(code), module->dict, asy_from_obj(module->dict));
  return asy_failed(result) ? ASY_FAILED : self;
}

asy_value asy_run_source(asy_vm *vm, const char *text, size_t length, const char *path, const char *name) {
  asy_value code = asy_compile_text(vm, text, length, path, ASY_MODE_EXEC, 0);
  return asy_failed(code) ? ASY_FAILED : run_module(vm, code, path, name);
}

/* As CPython: the script's path is made absolute by putting the current folder in front. */
static void absolute(const char *path, char out[PATH_MAX]) {
  char cwd[PATH_MAX];
  int n = -1;
  if (*path != '/' && getcwd(cwd, sizeof cwd)) n = snprintf(out, PATH_MAX, "%s/%s", cwd, path);
  if (n < 0 || n >= PATH_MAX) snprintf(out, PATH_MAX, "%s", path);
}

static bool set_script_folder(asy_vm *vm, const char *path) {
  char real[PATH_MAX];
  if (!realpath(path, real)) snprintf(real, sizeof real, "%s", path);
  char *slash = strrchr(real, '/');
  size_t length = slash ? (size_t)(slash == real ? 1 : slash - real) : 0;
  asy_value folder = asy_from_text(vm, real, length);
  return !asy_failed(folder) && asy_list_insert(vm, vm->path, 0, folder);
}

asy_value asy_run_file(asy_vm *vm, const char *path) {
  char full[PATH_MAX], *text;
  size_t length;
  absolute(path, full);
  if (!asy_read_whole_file(vm, path, &text, &length)) return ASY_FAILED;
  asy_value code = set_script_folder(vm, path) ? asy_compile_text(vm, text, length, full, ASY_MODE_EXEC, 0) : ASY_FAILED;
  free(text);
  return asy_failed(code) ? ASY_FAILED : run_module(vm, code, full, "__main__");
}

/* ---- The end ---- */

/* The status that SystemExit asks for; a code that is no int is printed. */
static int exit_code(asy_vm *vm, asy_value exception) {
  asy_value code = asy_get_attr_cstr(vm, exception, "code");
  if (asy_failed(code)) {
    asy_clear_exception(vm);
    return 1;
  }
  int64_t status;
  if (code == ASY_NONE) return 0;
  if (asy_is_integer(code)) return asy_is_number_int64(code, &status) ? (int)(status & 0xff) : 255;
  asy_value text = asy_str_of(vm, code);
  if (asy_failed(text)) {
    asy_clear_exception(vm);
    return 1;
  }
  asy_value keep = 0;
  size_t length;
  const char *utf8 = asy_str_utf8(vm, (asy_str *)asy_obj_of(text), &length, &keep);
  if (utf8) asy_write_stderr(vm, utf8, length);
  asy_write_stderr(vm, "\n", 1);
  return 1;
}

static int take_status(asy_vm *vm) {
  if (!asy_raised(vm)) return 0;
  bool is_exit = asy_raised_is(vm, ASY_SystemExit);
  asy_value exception = asy_take_exception(vm);
  if (is_exit) return exit_code(vm, exception);
  asy_print_exception(vm, exception);
  return 1;
}

static void run_atexit(asy_vm *vm) {
  asy_str *name = asy_intern(vm, "atexit");
  asy_value module = name ? asy_dict_get_str(vm, vm->modules, name) : ASY_UNBOUND;
  if (module == ASY_UNBOUND) return;
  asy_value run = asy_get_attr_cstr(vm, module, "_run_exitfuncs");
  if (asy_failed(run) || asy_failed(asy_call0(vm, run))) asy_report_unraisable(vm, module);
}

int asy_finish(asy_vm *vm) {
  int status = take_status(vm);
  run_atexit(vm);
  asy_run_finalizers(vm);
  asy_flush_std(vm);
  return status;
}
