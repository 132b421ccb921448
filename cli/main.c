/* main.c - the program `asy`: what the command line asks for is run, and becomes an exit status. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "cli/frontend.h"
#include "cli/options.h"
#include "cli/repl.h"

/* All of standard input; malloc'ed. NULL: no memory. */
static char *read_stdin(size_t *length) {
  size_t cap = 65536, n = 0;
  char *text = malloc(cap);
  while (text) {
    ssize_t got = read(0, text + n, cap - n);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    n += (size_t)got;
    if (n < cap) continue;
    char *grown = realloc(text, cap *= 2);
    if (!grown) free(text);
    text = grown;
  }
  *length = n;
  return text;
}

/* ---- --stats ---- */

static void print_stats(asy_vm *vm) {
  static const char *const limits[] = {"< 10 us", "< 50 us", "< 100 us", "< 500 us",
                                       "< 1 ms",  "< 5 ms",  "< 20 ms",  "more"};
  asy_heap_stats s = asy_heap_get_stats(vm);
  struct rusage usage;
  double peak = asy_usage(vm, RUSAGE_SELF, &usage) ? (double)usage.ru_maxrss / 1024 : 0;
  fprintf(stderr, "tasks: %u\n", asy_tasks_made(vm));
  fprintf(stderr, "memory: %.1f MB at the peak\n", peak);
  fprintf(stderr, "collections: %llu minor, %llu major\n", (unsigned long long)s.minors, (unsigned long long)s.majors);
  fprintf(stderr, "allocated: %.1f MB in all; live after the last collection: %.1f MB, %llu objects\n",
          (double)s.allocated_bytes / 1e6, (double)s.live_bytes / 1e6, (unsigned long long)s.objects);
  fprintf(stderr, "pauses: longest %.3f ms, all together %.3f ms\n", (double)s.pause_max_ns / 1e6,
          (double)s.pause_total_ns / 1e6);
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
    fprintf(stderr, "  %-8s %llu\n", limits[i], (unsigned long long)s.pauses[i]);
}

/* ---- -X ---- */

/* Calls module.function(n), or without an argument. */
static void call(asy_vm *vm, const char *module_name, const char *function, asy_value argument) {
  asy_value module = asy_import(vm, module_name);
  asy_value fn = asy_failed(module) ? ASY_FAILED : asy_get_attr_cstr(vm, module, function);
  if (!asy_failed(fn)) (void)asy_call(vm, fn, argument == ASY_UNBOUND ? 0 : 1, &argument);
}

/* The options that do something at the start; false: an exception is set. */
static bool apply_x_options(asy_vm *vm, const asy_command *c) {
  static const char digits[] = "int_max_str_digits=";
  for (int i = 0; i < c->x_options.len && !asy_raised(vm); i++) {
    const char *text = c->x_options.items[i];
    if (!strcmp(text, "dev") || !strcmp(text, "faulthandler")) call(vm, "faulthandler", "enable", ASY_UNBOUND);
    if (!strncmp(text, digits, sizeof digits - 1))
      call(vm, "sys", "set_int_max_str_digits", asy_from_int64(vm, strtoll(text + sizeof digits - 1, NULL, 10)));
  }
  return !asy_raised(vm);
}

/* ---- Running ---- */

/* A file in the way of a zip archive, maybe behind a line `#!`: the end of one stands at its end, but its beginning tells enough. */
static bool is_archive(const char *path) {
  char start[512];
  FILE *in = fopen(path, "rb");
  size_t length = in ? fread(start, 1, sizeof start, in) : 0;
  if (in) fclose(in);
  const char *p = start, *line_end = length > 2 && !memcmp(start, "#!", 2) ? memchr(start, '\n', length) : NULL;
  if (line_end) p = line_end + 1;
  return start + length - p >= 4 && !memcmp(p, "PK\3\4", 4);
}

static void run_path(asy_vm *vm, const char *path) {
  struct stat status;
  bool folder = !stat(path, &status) && S_ISDIR(status.st_mode);
  (void)(folder || is_archive(path) ? asy_run_folder(vm, path) : asy_run_file(vm, path));
}

static void run_stdin(asy_vm *vm) {
  size_t length;
  char *text = read_stdin(&length);
  if (text) (void)asy_run_source(vm, text, length, "<stdin>", "__main__");
  else asy_raise_no_memory(vm);
  free(text);
}

static void run(asy_vm *vm, const asy_command *c) {
  if (!apply_x_options(vm, c)) return;
  switch (c->what) {
    case RUN_TEXT: (void)asy_run_source(vm, c->subject, strlen(c->subject), "<string>", "__main__"); return;
    case RUN_MODULE: (void)asy_run_module(vm, c->subject); return;
    case RUN_STDIN: run_stdin(vm); return;
    default: run_path(vm, c->subject); return;
  }
}

/* The status of the process, unless it is to die of a signal: then a shell sees what ended it. */
static int end_process(int status) {
  if (status <= ASY_STATUS_SIGNAL) return status;
  signal(status - ASY_STATUS_SIGNAL, SIG_DFL);
  raise(status - ASY_STATUS_SIGNAL);
  return 128 + status - ASY_STATUS_SIGNAL;
}

static int fail(const char *message) {
  fprintf(stderr, "asy: %s\n", message);
  return STATUS_ERROR;
}

static bool can_open(const char *path) {
  if (!access(path, R_OK)) return true;
  int why = errno;
  char cwd[4096];
  const char *folder = *path != '/' && getcwd(cwd, sizeof cwd) ? cwd : "";
  fprintf(stderr, "asy: can't open file '%s%s%s': [Errno %d] %s\n", folder, *folder ? "/" : "", path, why,
          strerror(why));
  return false;
}

static int run_command(const asy_command *c, int argc, char **argv) {
  static const char *const names[] = {[RUN_PROMPT] = "", [RUN_TEXT] = "-c", [RUN_MODULE] = "-m"};
  /* `-m asyncio` alone is the prompt; with ps or pstree it is a module. */
  bool asyncio = c->what == RUN_MODULE && c->rest == argc && !strcmp(c->subject, "asyncio");
  bool prompts = c->what == RUN_PROMPT || asyncio;
  if (c->what == RUN_FILE && !can_open(c->subject)) return STATUS_USAGE;
  int given = argc - c->rest;
  char **script_argv = calloc((size_t)given + 2, sizeof *script_argv);
  if (!script_argv) return fail("no memory");
  script_argv[0] = (char *)(c->subject && c->what != RUN_TEXT && c->what != RUN_MODULE ? c->subject : names[c->what]);
  if (!script_argv[0]) script_argv[0] = (char *)"";
  memcpy(script_argv + 1, argv + c->rest, (size_t)given * sizeof *argv);
  asy_options options = c->options;
  options.argc = given + 1;
  options.argv = script_argv;
  if (prompts || options.inspect) options.watchdog_ms = 0; /* nobody holds up a person who types */
  asy_vm *vm = asy_vm_new(&options);
  if (!vm) return fail("no memory");
  asy_signals_attach(vm);
  if (!prompts) run(vm, c);
  else if (!apply_x_options(vm, c)) asy_clear_exception(vm);
  asy_repl_options prompt = {.quiet = options.quiet, .keeps = !prompts, .asyncio = asyncio};
  int status = prompts || options.inspect ? asy_repl(vm, &prompt) : asy_finish(vm);
  if (c->stats) print_stats(vm);
  asy_vm_free(vm);
  free(script_argv);
  return end_process(status);
}

/* Large tables that grow and go are served from memory that is kept: fresh pages of the kernel cost more than the copy. */
static void keep_memory(void) {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
}

static int print_version(bool all) {
  printf("asy " ASY_VERSION);
  if (all)
    printf(" (Python 3.13; libuv %s; cc " __VERSION__ "; %s)", uv_version_string(),
           sizeof(void *) == 8 ? "64 bit" : "32 bit");
  putchar('\n');
  return fflush(stdout) ? STATUS_ERROR : 0;
}

int main(int argc, char **argv) {
  keep_memory();
  asy_command c = asy_read_command(argc, argv);
  switch (c.what) {
    case PRINT_DIS: return asy_print_dis(c.subject);
    case PRINT_AST: return asy_print_ast(c.subject);
    case PARSE_BENCH: return asy_parse_bench(c.subject);
    case PRINT_COMPLETIONS: return asy_print_completions(c.subject);
    case PRINT_VERSION: return print_version(c.version > 1);
    case PRINT_HELP: asy_print_help(stdout); return fflush(stdout) ? STATUS_ERROR : 0;
    case WRONG: return STATUS_USAGE;
    default: return run_command(&c, argc, argv);
  }
}
