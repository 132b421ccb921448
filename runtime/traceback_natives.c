/* traceback_natives.c - the natives behind traceback.asy, as the module _traceback: what only the runtime can say. */
#include <stdlib.h>

#include "runtime/traceback.h"
#include "runtime/vm.h"

static asy_value text_of(asy_vm *vm, asy_sink *sink) {
  asy_value text = sink->failed ? asy_raise_no_memory(vm) : asy_from_text(vm, sink->data ? sink->data : "", sink->len);
  free(sink->data);
  return text;
}

/* (lines, start, end, columns): source lines, indented by four, with the marks below them; start and end are byte columns. */
static asy_value show_source(asy_vm *vm, const asy_value *args) {
  asy_list *lines = asy_list_from_iterable(vm, args[0]);
  asy_list *keep = lines ? asy_list_new(vm, lines->len) : NULL;
  int64_t start, end;
  if (!keep || !asy_to_int64(vm, args[1], &start) || !asy_to_int64(vm, args[2], &end)) return ASY_FAILED;
  asy_source_span *spans = calloc(lines->len + 1, sizeof *spans);
  if (!spans) return asy_raise_no_memory(vm);
  bool ok = true;
  for (uint32_t i = 0; ok && i < lines->len; i++) {
    asy_value kept = ASY_NONE;
    ok = asy_is_str(lines->items[i]);
    if (ok) spans[i].text = asy_str_utf8(vm, (asy_str *)asy_obj_of(lines->items[i]), &spans[i].len, &kept);
    else asy_raise(vm, ASY_TypeError, "a line must be a str, not %T", lines->items[i]);
    ok = ok && spans[i].text && (!asy_is_obj(kept) || asy_list_append(vm, keep, kept));
  }
  asy_sink sink = {0};
  if (ok && lines->len) asy_show_source(&sink, spans, lines->len, (int32_t)start, (int32_t)end, args[3] == ASY_TRUE);
  free(spans);
  if (!ok) {
    free(sink.data);
    return ASY_FAILED;
  }
  return text_of(vm, &sink);
}

/* What the exception's message lacks: ". Did you mean: 'x'?" or nothing. */
static asy_value suggestion(asy_vm *vm, const asy_value *args) {
  asy_sink sink = {0};
  if (asy_is_exception_instance(args[0])) asy_suggest(vm, args[0], &sink);
  return text_of(vm, &sink);
}

/* The lines, each with its newline, of a text that has no file: -c, standard input, the prompt. [] when none is kept. */
static asy_value kept_lines(asy_vm *vm, const asy_value *args) {
  const char *filename;
  asy_list *lines = asy_list_new(vm, 0);
  if (!lines || !asy_to_cstr(vm, args[0], &filename)) return ASY_FAILED;
  size_t length;
  const char *text;
  for (int i = 1; (text = asy_file_line(vm, filename, i, &length)); i++) {
    asy_str *line = asy_str_new_utf8(vm, text, length);
    line = line ? asy_str_format(vm, "%U\n", line) : NULL;
    if (!line || !asy_list_append(vm, lines, asy_from_obj(line))) return ASY_FAILED;
  }
  return asy_from_obj(lines);
}

static const asy_native natives[] = {
  {"kept_lines", SIG("(filename, /)"), kept_lines, DOC("The lines of a text that has no file, as of -c."), 0},
  {"show_source", SIG("(lines, start, end, columns, /)"), show_source,
   DOC("Source lines with marks below them, as text."), 0},
  {"suggestion", SIG("(exception, /)"), suggestion, DOC("What was probably meant, as text that ends the message."), 0},
  {0},
};

const asy_module_def asy_module_traceback = {"_traceback", natives, "Natives of traceback.", NULL};
