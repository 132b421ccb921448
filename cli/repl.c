/* repl.c - the natives of the prompt: colours from the lexer, columns of characters, the raw terminal; see repl.h.
 * The terminal is put back by whatever ends the process while it is raw: leaving, or a fatal signal, whose handler has no
 * argument and so needs the one static of this file. What nothing can catch (kill -9) the next start mends: it takes for the
 * normal state of the terminal what it finds, with line editing and echo switched on.
 */
#include "cli/repl.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "lang/arena.h"
#include "lang/lexer.h"
#include "lang/token.h"

/* ---- Colours ---- */

/* One letter for each character of the text: what the theme of editor.asy colours. */
enum style { PLAIN = ' ', KEYWORD = 'k', STRING = 's', NUMBER = 'n', COMMENT = 'c', BUILTIN = 'b', DEFINED = 'd' };

static bool is_keyword(int kind) {
  switch (kind) {
#define ROW(token, text) case TOKEN_##token:
    ASY_KEYWORDS(ROW)
    ASY_SOFT_KEYWORDS(ROW)
#undef ROW
    return true;
    default: return false;
  }
}

static bool is_builtin(asy_vm *vm, asy_dict *builtins, const asy_token *token) {
  asy_str *name = asy_str_new_utf8(vm, token->start, token->len);
  return name && asy_dict_find_str(vm, builtins, name);
}

static enum style style_of(asy_vm *vm, asy_dict *builtins, const asy_token *token, int before) {
  switch (token->kind) {
    case TOKEN_STRING:
    case TOKEN_FSTRING_START:
    case TOKEN_FSTRING_MIDDLE:
    case TOKEN_FSTRING_END: return STRING;
    case TOKEN_NUMBER: return NUMBER;
    case TOKEN_NAME:
      if (before == TOKEN_DEF || before == TOKEN_CLASS) return DEFINED;
      return before != '.' && is_builtin(vm, builtins, token) ? BUILTIN : PLAIN;
    default: return is_keyword(token->kind) ? KEYWORD : PLAIN;
  }
}

/* Comments lie between tokens. */
static void paint_gap(char *styles, const char *text, size_t start, size_t end) {
  for (size_t i = start; i < end; i++) {
    if (text[i] != '#') continue;
    for (; i < end && text[i] != '\n'; i++) styles[i] = COMMENT;
  }
}

/* From where the lexer has given up: an open string is one, to the end of its line at least. */
static void paint_rest(char *styles, const char *text, size_t start, size_t end) {
  const char *quote = memchr(text + start, '\'', end - start), *other = memchr(text + start, '"', end - start);
  if (other && (!quote || other < quote)) quote = other;
  const char *comment = memchr(text + start, '#', end - start);
  if (comment && (!quote || comment < quote)) {
    paint_gap(styles, text, start, end);
    return;
  }
  if (!quote) return;
  bool triple = quote + 2 < text + end && quote[1] == *quote && quote[2] == *quote;
  for (size_t i = (size_t)(quote - text); i < end && (triple || text[i] != '\n'); i++) styles[i] = STRING;
}

/* A letter for each byte of the source's text. */
static void paint(asy_vm *vm, asy_dict *builtins, const asy_source *source, char *styles) {
  asy_arena arena;
  asy_diagnostic error = {0};
  asy_lexer *lexer = malloc(sizeof *lexer);
  if (!lexer) return;
  asy_arena_init(&arena);
  asy_lexer_init(lexer, &arena, source, &error);
  size_t done = 0;
  for (int before = 0;;) {
    asy_token token = asy_lexer_next(lexer);
    if (token.kind == LEX_ERROR || token.kind == TOKEN_END) {
      if (token.kind == LEX_ERROR) paint_rest(styles, source->text, done, source->len);
      else paint_gap(styles, source->text, done, source->len);
      break;
    }
    size_t start = (size_t)(token.start - source->text);
    if (!token.len || start < done || start + token.len > source->len) continue;
    paint_gap(styles, source->text, done, start);
    done = start + token.len;
    memset(styles + start, style_of(vm, builtins, &token, before), token.len);
    before = token.kind;
  }
  asy_arena_free(&arena);
  free(lexer);
}

static asy_value styles(asy_vm *vm, const asy_value *args) {
  asy_value keep = 0;
  size_t length;
  if (!asy_is_str(args[0])) return asy_raise(vm, ASY_TypeError, "styles() needs a str, not %T", args[0]);
  const asy_str *string = (asy_str *)asy_obj_of(args[0]);
  const char *text = asy_str_utf8(vm, (asy_str *)asy_obj_of(args[0]), &length, &keep);
  asy_value builtins = text ? asy_import(vm, "builtins") : ASY_FAILED;
  asy_value names = asy_failed(builtins) ? ASY_FAILED : asy_get_attr_cstr(vm, builtins, "__dict__");
  if (asy_failed(names)) return ASY_FAILED;
  asy_source source;
  asy_diagnostic error = {0};
  char *bytes = malloc(length + 2), *points = malloc(length + 1);
  asy_value result = ASY_FAILED;
  if (!bytes || !points) {
    asy_raise_no_memory(vm);
    goto end;
  }
  memset(bytes, PLAIN, length + 2);
  if (asy_source_init(&source, "", text, length, &error)) {
    if (source.len <= length + 1) paint(vm, (asy_dict *)asy_obj_of(names), &source, bytes);
    asy_source_free(&source);
  }
  size_t n = 0;
  for (size_t i = 0; i < length; i++) /* a character has the style of its first byte */
    if (((unsigned char)text[i] & 0xC0) != 0x80) points[n++] = bytes[i];
  while (n < string->len) points[n++] = PLAIN;
  result = asy_from_text(vm, points, n);
end:
  free(bytes);
  free(points);
  return result;
}

/* ---- Columns ---- */

enum { ZERO_WIDTH_JOINER = 0x200D, EMOJI_PRESENTATION = 0xFE0F };

static bool is_regional(uint32_t c) { return c >= 0x1F1E6 && c <= 0x1F1FF; }
static bool is_skin(uint32_t c) { return c >= 0x1F3FB && c <= 0x1F3FF; }

/* Where the character that begins at i, with all that combines with it, ends; *columns it takes. */
static uint32_t cluster(const asy_str *s, uint32_t i, int *columns) {
  uint32_t c = asy_str_at(s, i++);
  *columns = asy_unicode_columns(c);
  if (is_regional(c) && i < s->len && is_regional(asy_str_at(s, i))) {
    *columns = 2;
    return i + 1;
  }
  for (; i < s->len; i++) {
    uint32_t next = asy_str_at(s, i);
    if (next == ZERO_WIDTH_JOINER && i + 1 < s->len && asy_str_at(s, i + 1) > 127) i++;
    else if (next == EMOJI_PRESENTATION) *columns = 2;
    else if (next < 128 || (asy_unicode_columns(next) != 0 && !is_skin(next))) break;
  }
  return i;
}

static asy_value cells(asy_vm *vm, const asy_value *args) {
  if (!asy_is_str(args[0])) return asy_raise(vm, ASY_TypeError, "cells() needs a str, not %T", args[0]);
  asy_str *s = (asy_str *)asy_obj_of(args[0]);
  asy_list *list = asy_list_new(vm, s->len);
  if (!list) return ASY_FAILED;
  for (uint32_t i = 0; i < s->len;) {
    int columns;
    uint32_t end = cluster(s, i, &columns);
    asy_str *piece = asy_str_slice(vm, s, i, end);
    asy_value pair = piece ? asy_tuple_of(vm, 2, asy_from_obj(piece), asy_from_small(columns)) : ASY_FAILED;
    if (asy_failed(pair) || !asy_list_append(vm, list, pair)) return ASY_FAILED;
    i = end;
  }
  return asy_from_obj(list);
}

/* ---- The terminal ---- */

static struct {
  struct termios normal;
  int fd;
  volatile sig_atomic_t is_raw;
} raw_terminal; /* what a fatal signal puts back */

static const int fatal_signals[] = {SIGHUP, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGTERM};
static const char end_of_editing[] = "\x1b[?2004l\x1b[0m\r\n";

/* Async-signal-safe. The signal has its default effect again when this runs. */
static void on_fatal_signal(int number) {
  if (raw_terminal.is_raw) {
    raw_terminal.is_raw = 0;
    tcsetattr(raw_terminal.fd, TCSANOW, &raw_terminal.normal);
    ssize_t n = write(raw_terminal.fd, end_of_editing, sizeof end_of_editing - 1);
    (void)n;
  }
  raise(number);
}

static void guard(bool on) {
  for (size_t i = 0; i < sizeof fatal_signals / sizeof *fatal_signals; i++) {
    struct sigaction now,
      wanted = {.sa_handler = on ? on_fatal_signal : SIG_DFL, .sa_flags = SA_RESETHAND | SA_NODEFER};
    if (sigaction(fatal_signals[i], NULL, &now)) continue;
    if (now.sa_handler == (on ? SIG_DFL : on_fatal_signal)) sigaction(fatal_signals[i], &wanted, NULL);
  }
}

static asy_value enter_raw(asy_vm *vm, const asy_value *args) {
  int fd;
  if (!asy_to_int(vm, args[0], 0, INT32_MAX, &fd)) return ASY_FAILED;
  if (raw_terminal.is_raw) return ASY_NONE;
  if (tcgetattr(fd, &raw_terminal.normal)) return asy_raise_errno(vm, errno, ASY_UNBOUND);
  raw_terminal.normal.c_lflag |= ICANON | ECHO | ISIG | IEXTEN;
  raw_terminal.normal.c_iflag |= ICRNL;
  raw_terminal.normal.c_oflag |= OPOST;
  struct termios raw = raw_terminal.normal;
  raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN); /* Ctrl-C stays a signal: it must end a task that never yields */
  raw.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IXON | ISTRIP);
  raw.c_cc[VSUSP] = raw.c_cc[VQUIT] = _POSIX_VDISABLE;
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  raw_terminal.fd = fd;
  if (tcsetattr(fd, TCSADRAIN, &raw)) return asy_raise_errno(vm, errno, ASY_UNBOUND);
  raw_terminal.is_raw = 1;
  guard(true);
  return ASY_NONE;
}

static asy_value leave_raw(asy_vm *vm, const asy_value *args) {
  if (!raw_terminal.is_raw) return ASY_NONE;
  raw_terminal.is_raw = 0;
  guard(false);
  tcsetattr(raw_terminal.fd, TCSADRAIN, &raw_terminal.normal);
  return ASY_NONE;
}

/* ---- The session ---- */

static asy_value keep_source(asy_vm *vm, const asy_value *args) {
  const char *name, *text;
  if (!asy_to_cstr(vm, args[0], &name) || !asy_to_cstr(vm, args[1], &text)) return ASY_FAILED;
  return asy_source_keep(vm, name, text, strlen(text)) ? ASY_NONE : asy_raise_no_memory(vm);
}

static asy_value library_modules(asy_vm *vm, const asy_value *args) {
  asy_list *names = asy_list_new(vm, 0);
  const asy_embedded *module = names ? asy_embedded_modules(vm) : NULL;
  if (!module) return ASY_FAILED;
  for (; module->name; module++) {
    asy_value name = asy_from_cstr(vm, module->name);
    if (asy_failed(name) || !asy_list_append(vm, names, name)) return ASY_FAILED;
  }
  return asy_from_obj(names);
}

static asy_value show_exception(asy_vm *vm, const asy_value *args) {
  asy_print_exception(vm, args[0]);
  return ASY_NONE;
}

static const asy_native natives[] = {
  {"styles", SIG("(text, /)"), styles, DOC("A letter for each character: how it is coloured."), 0},
  {"cells", SIG("(text, /)"), cells, DOC("(character with what combines with it, columns it takes) of each."), 0},
  {"enter_raw", SIG("(fd, /)"), enter_raw, DOC("Let each key come as it is typed."), 0},
  {"leave_raw", SIG("()"), leave_raw, DOC("Make the terminal what it was."), 0},
  {"keep_source", SIG("(filename, text, /)"), keep_source, DOC("Let tracebacks show these lines."), 0},
  {"library_modules", SIG("()"), library_modules, DOC("The names of the modules inside the program, dotted."), 0},
  {"show_exception", SIG("(exception, /)"), show_exception, DOC("Print it with its traceback."), 0},
  {0},
};

/* The module _repl with the natives in it. */
static asy_value load(asy_vm *vm) {
  asy_value module = asy_import(vm, "_repl"), name = asy_from_cstr(vm, "_repl");
  if (asy_failed(module) || asy_failed(name)) return ASY_FAILED;
  for (const asy_native *native = natives; native->name; native++) {
    asy_value function = asy_new_native(vm, native, ASY_UNBOUND, name);
    if (asy_failed(function) || !asy_module_set(vm, module, native->name, function)) return ASY_FAILED;
  }
  return module;
}

int asy_repl(asy_vm *vm, const asy_repl_options *options) {
  if (asy_raised(vm)) {
    asy_value exception = asy_take_exception(vm);
    asy_print_exception(vm, exception);
  }
  asy_value module = load(vm);
  asy_value start = asy_failed(module) ? ASY_FAILED : asy_get_attr_cstr(vm, module, "main");
  asy_value settings[] = {asy_from_bool(options->quiet), asy_from_bool(options->keeps),
                          asy_from_bool(options->asyncio)};
  if (!asy_failed(start)) (void)asy_call(vm, start, 3, settings); /* SystemExit is what asy_finish looks at */
  return asy_finish(vm);
}
