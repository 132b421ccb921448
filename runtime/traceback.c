/* traceback.c - exceptions as text, word for word as CPython 3.13 writes them: chains, groups, notes, syntax errors; and the class
 * traceback. Text is built as UTF-8 in malloc'ed memory, so that an exception can be shown when little else works. */
#include "runtime/traceback.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/builtins.h"
#include "runtime/class.h"
#include "runtime/coro.h"
#include "runtime/sys.h"

enum { SAME_LINE_MOST = 3, GROUP_WIDTH = 15, GROUP_DEPTH = 10, CHAIN_MOST = 1000 };

/* ---- Sinks ---------------------------------------------------------------------------------------------------------------- */

void asy_sink_add(asy_sink *sink, const char *text, size_t length) {
  if (sink->failed) return;
  if (sink->len + length + 1 > sink->cap) {
    size_t cap = (sink->len + length + 1) * 2;
    char *grown = realloc(sink->data, cap);
    if (!grown) {
      sink->failed = true;
      return;
    }
    sink->data = grown;
    sink->cap = cap;
  }
  memcpy(sink->data + sink->len, text, length);
  sink->len += length;
  sink->data[sink->len] = 0;
}
void asy_sink_text(asy_sink *sink, const char *text) { asy_sink_add(sink, text, strlen(text)); }
void asy_sink_format(asy_sink *sink, const char *format, ...) {
  char buffer[256];
  va_list list;
  va_start(list, format);
  int n = vsnprintf(buffer, sizeof buffer, format, list);
  va_end(list);
  if (n > 0) asy_sink_add(sink, buffer, (size_t)n < sizeof buffer ? (size_t)n : sizeof buffer - 1);
}

void asy_sink_paint(asy_sink *sink, const char *color) {
  if (sink->color) asy_sink_text(sink, color);
}

static void add_str(asy_vm *vm, asy_sink *sink, asy_str *s) {
  size_t length;
  asy_value keep;
  const char *text = asy_str_utf8(vm, s, &length, &keep);
  if (text) asy_sink_add(sink, text, length);
  else asy_clear_exception(vm);
}

static void add_painted(asy_vm *vm, asy_sink *sink, const char *color, asy_str *s) {
  asy_sink_paint(sink, color);
  add_str(vm, sink, s);
  asy_sink_paint(sink, PAINT_END);
}

static asy_value finish(asy_vm *vm, asy_sink *sink) {
  asy_value result = sink->failed ? asy_raise_no_memory(vm)
                                  : asy_from_text(vm, sink->data ? sink->data : "", sink->len);
  free(sink->data);
  return result;
}

/* str(v) or repr(v); when that fails, a text that says so. */
static void add_safely(asy_vm *vm, asy_sink *sink, asy_value v, const char *what,
                       asy_value (*convert)(asy_vm *, asy_value)) {
  asy_value text = convert(vm, v);
  if (text != ASY_FAILED) {
    add_str(vm, sink, (asy_str *)asy_obj_of(text));
    return;
  }
  asy_clear_exception(vm);
  asy_sink_format(sink, "<%s %s() failed>", what, convert == asy_repr ? "repr" : "str");
}

/* `  File "name", line 3` */
static void add_place(asy_sink *out, const char *filename, const char *line) {
  asy_sink_text(out, "  File ");
  asy_sink_paint(out, PAINT_NAME);
  asy_sink_text(out, "\"");
  asy_sink_text(out, filename);
  asy_sink_text(out, "\"");
  asy_sink_paint(out, PAINT_END);
  asy_sink_text(out, ", line ");
  asy_sink_paint(out, PAINT_NAME);
  asy_sink_text(out, line);
  asy_sink_paint(out, PAINT_END);
}

/* ---- Entries ---------------------------------------------------------------------------------------------------------------- */

int32_t asy_traceback_line(asy_traceback *entry) {
  if (!entry->line) {
    asy_position position = asy_code_position(entry->func->code, entry->word);
    entry->line = position.line ? position.line : entry->func->code->first_line;
  }
  return entry->line;
}

enum { SHOWN_LINES_MOST = 512 };

static void add_source(asy_vm *vm, asy_sink *out, asy_traceback *entry, const char *filename) {
  asy_position position = asy_code_position(entry->func->code, entry->word);
  int32_t line = asy_traceback_line(entry);
  int32_t end_line = position.line && position.end_line >= line ? position.end_line : line;
  bool columns = position.line && (position.end_col || position.col);
  if (end_line - line >= SHOWN_LINES_MOST) {
    end_line = line;
    columns = false;
  }
  uint32_t n = (uint32_t)(end_line - line + 1);
  asy_source_span *spans = calloc(n, sizeof *spans);
  if (!spans) return;
  bool any = false;
  for (uint32_t i = 0; i < n; i++) {
    spans[i].text = asy_file_line(vm, filename, line + (int)i, &spans[i].len);
    if (!spans[i].text) spans[i] = (asy_source_span){"", 0};
    else any = true;
  }
  if (any) asy_show_source(out, spans, n, position.col, position.end_col, columns);
  free(spans);
}

/* The frames from here on ran in a task of their own: where that was created. Not for tasks that our own modules make. */
static void add_task_origin(asy_vm *vm, asy_sink *out, const asy_traceback *entry) {
  if (!entry->task_origin || asy_str_at(entry->task_origin->filename, 0) == '<') return;
  asy_sink_text(out, "  In a task created at \"");
  add_str(vm, out, entry->task_origin->filename);
  asy_sink_format(out, "\", line %d, in ", asy_code_position(entry->task_origin, entry->task_origin_word).line);
  add_str(vm, out, entry->task_origin->name);
  asy_sink_text(out, ":\n");
}

static void add_entry(asy_vm *vm, asy_sink *out, asy_traceback *entry) {
  asy_code *code = entry->func->code;
  asy_value keep;
  size_t length;
  const char *filename = asy_str_utf8(vm, code->filename, &length, &keep);
  if (!filename) {
    asy_clear_exception(vm);
    filename = "???";
  }
  char line[16];
  snprintf(line, sizeof line, "%d", asy_traceback_line(entry));
  add_task_origin(vm, out, entry);
  add_place(out, filename, line);
  asy_sink_text(out, ", in ");
  add_painted(vm, out, PAINT_NAME, code->name);
  asy_sink_text(out, "\n");
  add_source(vm, out, entry, filename);
}

static void add_repeats(asy_sink *out, unsigned count) {
  if (count <= SAME_LINE_MOST) return;
  count -= SAME_LINE_MOST;
  asy_sink_format(out, "  [Previous line repeated %u more time%s]\n", count, count > 1 ? "s" : "");
}

static void add_entries(asy_vm *vm, asy_sink *out, asy_traceback *first) {
  asy_traceback *last = NULL;
  unsigned count = 0;
  for (asy_traceback *entry = first; entry; entry = entry->next) {
    bool same = last && asy_traceback_line(last) == asy_traceback_line(entry) &&
                asy_str_equal(last->func->code->filename, entry->func->code->filename) &&
                asy_str_equal(last->func->code->name, entry->func->code->name);
    if (!same) {
      add_repeats(out, count);
      count = 0;
      last = entry;
    }
    if (++count <= SAME_LINE_MOST) add_entry(vm, out, entry);
  }
  add_repeats(out, count);
}

/* ---- The last line ------------------------------------------------------------------------------------------------------------ */

static void add_type_name(asy_vm *vm, asy_sink *out, asy_class *cls) {
  asy_value module = asy_dict_get_str(vm, cls->dict, ASY_NAME(vm, __module__));
  bool builtin = cls->flags & ASY_CLASS_BUILTIN && module == ASY_UNBOUND;
  if (!builtin && !asy_is_str(module)) {
    asy_sink_text(out, "<unknown>.");
  } else if (!builtin) {
    asy_str *name = (asy_str *)asy_obj_of(module);
    if (!asy_str_equal_cstr(name, "__main__") && !asy_str_equal_cstr(name, "builtins")) {
      add_str(vm, out, name);
      asy_sink_text(out, ".");
    }
  }
  add_str(vm, out, cls->qualname);
}

/* `Type: text`, or the type alone. */
static void add_last_line(asy_vm *vm, asy_sink *out, asy_value exception, const asy_sink *text) {
  asy_sink_paint(out, PAINT_TYPE);
  add_type_name(vm, out, asy_class_of(vm, exception));
  asy_sink_paint(out, PAINT_END);
  if (!text->len) return;
  asy_sink_text(out, ": ");
  asy_sink_paint(out, PAINT_NAME);
  asy_sink_add(out, text->data, text->len);
  asy_sink_paint(out, PAINT_END);
}
/* What comes below it. The text is freed. */
static void end_last_line(asy_vm *vm, asy_sink *out, asy_value exception, asy_sink *text) {
  if (out->hints) asy_add_hint(vm, out, exception, text->data);
  free(text->data);
}

static int64_t int_field(const asy_exception *e, unsigned i, int64_t otherwise) {
  int64_t n;
  return e->fields[i] && asy_is_number_int64(e->fields[i], &n) ? n : otherwise;
}

static void add_part(asy_vm *vm, asy_sink *out, asy_str *text, int64_t from, int64_t to) {
  if (to > (int64_t)text->len) to = text->len;
  asy_str *part = from < to ? asy_str_slice(vm, text, (uint32_t)from, (uint32_t)to) : NULL;
  if (part) add_str(vm, out, part);
  else if (from < to) asy_clear_exception(vm);
}

/* A line whose characters [from .. to) are wrong. */
static void add_shown(asy_vm *vm, asy_sink *out, asy_str *line, int64_t from, int64_t to) {
  asy_sink_text(out, "    ");
  if (out->color && from >= 0 && from < to) {
    add_part(vm, out, line, 0, from);
    asy_sink_paint(out, PAINT_MARK);
    add_part(vm, out, line, from, to);
    asy_sink_paint(out, PAINT_END);
    add_part(vm, out, line, to, line->len);
  } else {
    add_str(vm, out, line);
  }
  asy_sink_text(out, "\n");
}

/* The text of a syntax error's line with carets; offsets count characters from 1. */
static void add_syntax_line(asy_vm *vm, asy_sink *out, const asy_exception *e, asy_str *text) {
  uint32_t length = text->len, start = 0;
  while (length && asy_str_at(text, length - 1) == '\n') length--;
  while (start < length &&
         (asy_str_at(text, start) == ' ' || asy_str_at(text, start) == '\n' || asy_str_at(text, start) == '\f'))
    start++;
  asy_str *shown = asy_str_slice(vm, text, start, length);
  if (!shown) {
    asy_clear_exception(vm);
    return;
  }
  int64_t offset = int_field(e, FIELD_SYNTAX_OFFSET, INT64_MIN);
  if (offset == INT64_MIN) return add_shown(vm, out, shown, 0, 0);
  int64_t line = int_field(e, FIELD_SYNTAX_LINE, -1), end_line = -2, end_offset = 0;
  asy_value end = e->fields[FIELD_SYNTAX_END];
  if (end && asy_is_kind(end, KIND_TUPLE)) {
    const asy_tuple *pair = (const asy_tuple *)asy_obj_of(end);
    if (!asy_is_number_int64(pair->items[0], &end_line)) end_line = -2;
    if (!asy_is_number_int64(pair->items[1], &end_offset)) end_offset = 0;
  }
  if (end_line == -2 || line == end_line) end_offset = end_offset ? end_offset : offset;
  else end_offset = (int64_t)length + 1;
  if (text->len && offset > (int64_t)text->len) offset = (int64_t)length + 1;
  if (text->len && end_offset > (int64_t)text->len) end_offset = (int64_t)length + 1;
  if (offset >= end_offset || end_offset < 0) end_offset = offset + 1;
  int64_t column = offset - 1 - start, end_column = end_offset - 1 - start;
  add_shown(vm, out, shown, column, end_column);
  if (column < 0) return;
  asy_sink_text(out, "    ");
  for (int64_t i = 0; i < column; i++) {
    uint32_t c = i < (int64_t)shown->len ? asy_str_at(shown, (uint32_t)i) : ' ';
    asy_sink_text(out, c == '\t' ? "\t" : " ");
  }
  asy_sink_paint(out, PAINT_MARK);
  for (int64_t i = column; i < end_column; i++) asy_sink_text(out, "^");
  asy_sink_paint(out, PAINT_END);
  asy_sink_text(out, "\n");
}

static void add_syntax_error(asy_vm *vm, asy_sink *out, asy_value exception) {
  const asy_exception *e = asy_exception_of(exception);
  asy_value file = e->fields[FIELD_SYNTAX_FILE], line = e->fields[FIELD_SYNTAX_LINE],
            text = e->fields[FIELD_SYNTAX_TEXT];
  bool named = file && asy_is_str(file);
  if (line && line != ASY_NONE) {
    asy_sink name = {0}, number = {0};
    if (named) add_str(vm, &name, (asy_str *)asy_obj_of(file));
    else asy_sink_text(&name, "<string>");
    add_safely(vm, &number, line, "line", asy_str_of);
    add_place(out, name.data ? name.data : "", number.data ? number.data : "");
    asy_sink_text(out, "\n");
    free(name.data);
    free(number.data);
  }
  if (text && asy_is_str(text)) add_syntax_line(vm, out, e, (asy_str *)asy_obj_of(text));
  asy_sink text_of_it = {0};
  asy_value message = e->fields[FIELD_SYNTAX_MSG];
  if (message && message != ASY_NONE) add_safely(vm, &text_of_it, message, "message", asy_str_of);
  else asy_sink_text(&text_of_it, "<no detail available>");
  add_last_line(vm, out, exception, &text_of_it);
  if (!(line && line != ASY_NONE) && named) {
    asy_sink_text(out, " (");
    add_str(vm, out, (asy_str *)asy_obj_of(file));
    asy_sink_text(out, ")");
  }
  asy_sink_text(out, "\n");
  end_last_line(vm, out, exception, &text_of_it);
}

static void add_notes(asy_vm *vm, asy_sink *out, asy_value exception) {
  asy_value notes;
  int found = asy_find_attr(vm, exception, ASY_NAME(vm, __notes__), &notes);
  if (found < 0) asy_clear_exception(vm);
  if (found <= 0 || notes == ASY_NONE) return;
  if (!asy_is_kind(notes, KIND_LIST) && !asy_is_kind(notes, KIND_TUPLE)) {
    add_safely(vm, out, notes, "__notes__", asy_repr);
    asy_sink_text(out, "\n");
    return;
  }
  int64_t n = asy_length(vm, notes);
  for (int64_t i = 0; i < n; i++) {
    asy_value note = asy_get_item(vm, notes, asy_from_small(i));
    if (note == ASY_FAILED) {
      asy_clear_exception(vm);
      return;
    }
    add_safely(vm, out, note, "note", asy_str_of);
    asy_sink_text(out, "\n");
  }
}

static void add_exception_only(asy_vm *vm, asy_sink *out, asy_value exception) {
  if (asy_is_instance(vm, exception, vm->exceptions[ASY_SyntaxError])) {
    add_syntax_error(vm, out, exception);
  } else {
    asy_sink text = {0};
    add_safely(vm, &text, exception, "exception", asy_str_of);
    asy_suggest(vm, exception, &text);
    add_last_line(vm, out, exception, &text);
    asy_sink_text(out, "\n");
    end_last_line(vm, out, exception, &text);
  }
  add_notes(vm, out, exception);
}

/* ---- Chains and groups ------------------------------------------------------------------------------------------------------------ */

/* What is being printed: the sink, the exceptions seen so far, and how deep in groups. */
typedef struct {
  asy_vm *vm;
  asy_sink *out;
  asy_list *seen;
  unsigned depth;
  bool need_close;
  bool chain;
} printer;

static bool was_seen(printer *p, asy_value e) {
  for (uint32_t i = 0; i < p->seen->len; i++)
    if (p->seen->items[i] == e) return true;
  return false;
}
static void see(printer *p, asy_value e) {
  if (!asy_list_append(p->vm, p->seen, e)) asy_clear_exception(p->vm);
}

static void add_indent(printer *p) {
  for (unsigned i = 0; i < p->depth; i++) asy_sink_text(p->out, "  ");
}

/* Moves a block's lines to the output, each behind the margin of the group. */
static void emit(printer *p, asy_sink *block, char margin) {
  for (size_t at = 0; at < block->len;) {
    char *newline = memchr(block->data + at, '\n', block->len - at);
    size_t end = newline ? (size_t)(newline - block->data) + 1 : block->len;
    add_indent(p);
    if (p->depth) asy_sink_add(p->out, (char[2]){margin, ' '}, 2);
    asy_sink_add(p->out, block->data + at, end - at);
    at = end;
  }
  if (block->failed) p->out->failed = true;
  free(block->data);
  *block = (asy_sink){.color = block->color, .hints = block->hints};
}

static void print_chain(printer *p, asy_value exception);

static void print_members(printer *p, asy_tuple *members) {
  uint32_t n = members->len <= GROUP_WIDTH ? members->len : GROUP_WIDTH + 1;
  p->need_close = false;
  for (uint32_t i = 0; i < n; i++) {
    bool last = i == n - 1, truncated = i >= GROUP_WIDTH;
    if (last) p->need_close = true;
    add_indent(p);
    asy_sink_text(p->out, i == 0 ? "+-" : "  ");
    if (truncated) asy_sink_text(p->out, "+---------------- ... ----------------\n");
    else asy_sink_format(p->out, "+---------------- %u ----------------\n", i + 1);
    p->depth++;
    if (truncated) {
      asy_sink block = {0};
      uint32_t remaining = members->len - GROUP_WIDTH;
      asy_sink_format(&block, "and %u more exception%s\n", remaining, remaining > 1 ? "s" : "");
      emit(p, &block, '|');
    } else {
      print_chain(p, members->items[i]);
    }
    if (last && p->need_close) {
      add_indent(p);
      asy_sink_text(p->out, "+------------------------------------\n");
      p->need_close = false;
    }
    p->depth--;
  }
}

static void print_one(printer *p, asy_value exception) {
  asy_vm *vm = p->vm;
  asy_exception *e = asy_exception_of(exception);
  asy_sink block = {.color = p->out->color, .hints = p->out->hints};
  bool group = asy_is_instance(vm, exception, vm->exceptions[ASY_BaseExceptionGroup]);
  if (!group) {
    if (e->traceback) {
      asy_sink_text(&block, "Traceback (most recent call last):\n");
      add_entries(vm, &block, e->traceback);
    }
    add_exception_only(vm, &block, exception);
    emit(p, &block, '|');
    return;
  }
  if (p->depth > GROUP_DEPTH) {
    asy_sink_format(&block, "... (max_group_depth is %d)\n", GROUP_DEPTH);
    emit(p, &block, '|');
    return;
  }
  bool top = p->depth == 0;
  if (top) p->depth++;
  if (e->traceback) {
    asy_sink_text(&block, "Exception Group Traceback (most recent call last):\n");
    emit(p, &block, top ? '+' : '|');
    add_entries(vm, &block, e->traceback);
  }
  add_exception_only(vm, &block, exception);
  emit(p, &block, '|');
  print_members(p, (asy_tuple *)asy_obj_of(e->fields[FIELD_EXCEPTIONS]));
  if (top) p->depth = 0;
}

static bool is_link(asy_value v) { return v && asy_is_exception_instance(v); }

/* The exception and, before it, what it came from. */
static void print_chain(printer *p, asy_value exception) {
  static const char *const messages[] = {NULL,
                                         "\nThe above exception was the direct cause of the following exception:\n\n",
                                         "\nDuring handling of the above exception, another exception occurred:\n\n"};
  asy_list *chain = asy_list_new(p->vm, 4);
  if (!chain || !asy_check_c_stack(p->vm)) {
    asy_clear_exception(p->vm);
    return;
  }
  char kinds[CHAIN_MOST];
  see(p, exception);
  for (asy_value at = exception; at;) {
    const asy_exception *e = asy_exception_of(at);
    asy_value next = 0;
    kinds[chain->len] = 0;
    if (p->chain && is_link(e->cause) && !was_seen(p, e->cause)) {
      next = e->cause;
      kinds[chain->len] = 1;
    } else if (p->chain && is_link(e->context) && !e->suppress_context && !was_seen(p, e->context)) {
      next = e->context;
      kinds[chain->len] = 2;
    }
    if (!asy_list_append(p->vm, chain, at) || chain->len == CHAIN_MOST) break;
    at = next;
    if (at) see(p, at);
  }
  for (uint32_t i = chain->len; i-- > 0;) {
    if (kinds[i] && i + 1 < chain->len) {
      asy_sink block = {0};
      asy_sink_text(&block, messages[(unsigned char)kinds[i]]);
      emit(p, &block, '|');
    }
    print_one(p, chain->items[i]);
  }
}

/* Runs f with no exception pending, and leaves pending what was. */
static void render(asy_vm *vm, asy_sink *out, asy_value exception, bool chain) {
  asy_value pending = asy_take_exception(vm);
  printer p = {.vm = vm, .out = out, .seen = asy_list_new(vm, 8), .chain = chain};
  if (p.seen) print_chain(&p, exception);
  vm->exception = pending;
}

asy_value asy_format_exception(asy_vm *vm, asy_value exception, bool chain) {
  asy_sink out = {0};
  render(vm, &out, exception, chain);
  return finish(vm, &out);
}

asy_value asy_format_traceback(asy_vm *vm, asy_traceback *traceback) {
  asy_sink out = {0};
  add_entries(vm, &out, traceback);
  return finish(vm, &out);
}

asy_value asy_format_exception_only(asy_vm *vm, asy_value exception) {
  asy_sink out = {0};
  add_exception_only(vm, &out, exception);
  return finish(vm, &out);
}

/* Colours of standard error: as the environment says, else when it is a terminal. */
bool asy_wants_color(asy_vm *vm) {
  const char *asked = asy_environment(vm, "ASY_COLORS"), *terminal = asy_environment(vm, "TERM");
  if (asked) return *asked != '0';
  if (asy_environment(vm, "NO_COLOR")) return false;
  if (asy_environment(vm, "FORCE_COLOR")) return true;
  if (terminal && !strcmp(terminal, "dumb")) return false;
  asy_str *name = asy_intern(vm, "stderr");
  asy_value file = name ? asy_sys_get(vm, name) : ASY_UNBOUND;
  if (file == ASY_UNBOUND || file == ASY_NONE) return false;
  if (file == vm->stderr_file) return isatty(STDERR_FILENO);
  asy_value isatty_method = asy_get_attr_cstr(vm, file, "isatty"); /* a script's own, as at the prompt */
  asy_value answer = asy_failed(isatty_method) ? ASY_FAILED : asy_call0(vm, isatty_method);
  if (asy_failed(answer)) asy_clear_exception(vm);
  return answer == ASY_TRUE;
}

void asy_print_exception(asy_vm *vm, asy_value exception) {
  asy_sink out = {.color = asy_wants_color(vm), .hints = true};
  render(vm, &out, exception, true);
  asy_value pending = asy_take_exception(vm);
  if (out.data) asy_write_stderr(vm, out.data, out.len);
  vm->exception = pending;
  free(out.data);
}

void asy_print_unraisable(asy_vm *vm, asy_value exception, asy_value message, asy_value where) {
  asy_sink out = {0};
  if (message == ASY_NONE) asy_sink_text(&out, "Exception ignored in");
  else add_safely(vm, &out, message, "message", asy_str_of);
  if (where != ASY_NONE) {
    asy_sink_text(&out, ": ");
    add_safely(vm, &out, where, "object", asy_repr);
    asy_sink_text(&out, "\n");
  } else asy_sink_text(&out, message == ASY_NONE ? ": None\n" : ":\n");
  render(vm, &out, exception, false);
  if (out.data) asy_write_stderr(vm, out.data, out.len);
  free(out.data);
  if (asy_raised(vm)) asy_clear_exception(vm);
}

void asy_report_unraisable(asy_vm *vm, asy_value where) {
  static const asy_member fields[] = {
    {"exc_type", ASY_RECORD(0), MEMBER_VALUE, false},      {"exc_value", ASY_RECORD(1), MEMBER_VALUE, false},
    {"exc_traceback", ASY_RECORD(2), MEMBER_VALUE, false}, {"err_msg", ASY_RECORD(3), MEMBER_VALUE, false},
    {"object", ASY_RECORD(4), MEMBER_VALUE, false},        {0}};
  asy_value exception = asy_take_exception(vm);
  if (!exception) return;
  if (where == ASY_UNBOUND || !where) where = ASY_NONE;
  asy_str *name = asy_intern(vm, "unraisablehook"), *original = asy_intern(vm, "__unraisablehook__");
  asy_value hook = name ? asy_sys_get(vm, name) : ASY_UNBOUND;
  asy_value usual = original ? asy_sys_get(vm, original) : ASY_UNBOUND;
  if (hook == ASY_UNBOUND || hook == ASY_NONE || hook == usual)
    return asy_print_unraisable(vm, exception, ASY_NONE, where);
  asy_class *cls = asy_define_record(vm, "UnraisableHookArgs", fields);
  asy_traceback *traceback = asy_exception_of(exception)->traceback;
  asy_value items[] = {asy_from_obj(asy_type_of(vm, exception)), exception,
                       traceback ? asy_from_obj(traceback) : ASY_NONE, ASY_NONE, where};
  asy_value record = cls ? asy_record_new(vm, cls, items) : ASY_FAILED;
  if (asy_failed(record) || asy_failed(asy_call1(vm, hook, record))) {
    asy_value failure = asy_take_exception(vm);
    asy_value message = asy_from_cstr(vm, "Exception ignored in sys.unraisablehook");
    if (failure) asy_print_unraisable(vm, failure, asy_failed(message) ? ASY_NONE : message, hook);
  }
}

/* ---- The class traceback ------------------------------------------------------------------------------------------------------------- */

static asy_traceback *entry_of(asy_value v) { return (asy_traceback *)asy_obj_of(v); }

static void traceback_visit(asy_obj *o, asy_visitor *v) {
  asy_visit_obj(v, ((asy_traceback *)o)->next);
  asy_visit_obj(v, ((asy_traceback *)o)->func);
  asy_visit_value(v, ((asy_traceback *)o)->frame);
  asy_visit_obj(v, ((asy_traceback *)o)->task_origin);
}

static asy_value get_line(asy_vm *vm, const asy_value *args) {
  return asy_from_small(asy_traceback_line(entry_of(args[0])));
}
static asy_value get_lasti(asy_vm *vm, const asy_value *args) {
  return asy_from_small((int64_t)entry_of(args[0])->word * 2 - 2);
}
static asy_value get_frame(asy_vm *vm, const asy_value *args) {
  asy_traceback *entry = entry_of(args[0]);
  if (!entry->frame) {
    asy_value *base = asy_live_frame(vm, entry->func, entry->base);
    asy_value frame = base ? asy_frame_object(vm, base) : asy_frame_object_at(vm, entry->func, entry->word);
    if (frame == ASY_FAILED) return ASY_FAILED;
    asy_store(vm, entry, &entry->frame, frame);
  }
  return entry->frame;
}
static asy_value get_next(asy_vm *vm, const asy_value *args) {
  asy_traceback *next = entry_of(args[0])->next;
  return next ? asy_from_obj(next) : ASY_NONE;
}
static asy_value set_next(asy_vm *vm, const asy_value *args) {
  if (args[1] == ASY_UNBOUND) return asy_raise(vm, ASY_TypeError, "can't delete tb_next attribute");
  if (args[1] != ASY_NONE && !asy_is_kind(args[1], KIND_TRACEBACK))
    return asy_raise(vm, ASY_TypeError, "expected traceback object, got '%T'", args[1]);
  asy_traceback *next = args[1] == ASY_NONE ? NULL : entry_of(args[1]);
  for (asy_traceback *at = next; at; at = at->next)
    if (at == entry_of(args[0])) return asy_raise(vm, ASY_ValueError, "traceback loop detected");
  entry_of(args[0])->next = next;
  asy_barrier(vm, entry_of(args[0]));
  return ASY_NONE;
}

/* types.TracebackType(tb_next, tb_frame, tb_lasti, tb_lineno) */
static asy_value traceback_new(asy_vm *vm, const asy_value *args) {
  int lasti, line;
  if (!asy_is_kind(args[2], KIND_FRAME))
    return asy_raise(vm, ASY_TypeError, "traceback() argument 'tb_frame' must be frame, not %T", args[2]);
  if (!asy_to_int(vm, args[3], INT32_MIN, INT32_MAX, &lasti) || !asy_to_int(vm, args[4], INT32_MIN, INT32_MAX, &line))
    return ASY_FAILED;
  if (args[1] != ASY_NONE && !asy_is_kind(args[1], KIND_TRACEBACK))
    return asy_raise(vm, ASY_TypeError, "expected traceback object or None, got '%T'", args[1]);
  asy_traceback *entry = asy_new_kind(vm, KIND_TRACEBACK, sizeof *entry);
  if (!entry) return ASY_FAILED;
  entry->next = args[1] == ASY_NONE ? NULL : entry_of(args[1]);
  entry->func = asy_frame_object_func(args[2]);
  entry->frame = args[2];
  entry->word = (uint32_t)(lasti < 0 ? 0 : lasti / 2 + 1);
  entry->line = line;
  return asy_from_obj(entry);
}

static const asy_native traceback_methods[] = {
  {"tb_lineno", SIG("(self)"), get_line, 0, ASY_NATIVE_GETTER},
  {"tb_lasti", SIG("(self)"), get_lasti, 0, ASY_NATIVE_GETTER},
  {"tb_frame", SIG("(self)"), get_frame, 0, ASY_NATIVE_GETTER},
  {"tb_next", SIG("(self)"), get_next, 0, ASY_NATIVE_GETTER},
  {"tb_next", SIG("(self, value)"), set_next, 0, ASY_NATIVE_SETTER},
  {0},
};

const asy_type asy_traceback_type = {
  .name = "traceback",
  .size = sizeof(asy_traceback),
  .flags = ASY_TYPE_FINAL,
  .visit = traceback_visit,
  .new_ = traceback_new,
  .new_signature = SIG("(cls, tb_next, tb_frame, tb_lasti, tb_lineno)"),
  .methods = traceback_methods,
};
