/* main.c - the program `asy`: options, one script, its exit status. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/frontend.h"
#include "runtime/asy.h"

enum { STATUS_ERROR = 1, STATUS_USAGE = 2 };

static const char usage[] =
  "usage: asy [options] FILE [ARGS]   run a script\n"
  "       asy [options] -c TEXT [ARGS]\n"
  "       asy [options] - [ARGS]      run standard input\n"
  "\n"
  "  --strict-async     exit with 1 when a coroutine was never awaited or a task's exception never looked at\n"
  "  --virtual-time     the clock jumps ahead when all tasks sleep\n"
  "  --seed N           pick among ready tasks by N: the same N gives the same order\n"
  "  --watchdog MS      name steps of tasks that hold the loop for longer; 250 unless ASY_WATCHDOG says other, 0 off\n"
  "\n"
  "  --dis FILE    print the bytecode\n"
  "  --ast FILE    print the syntax tree\n"
  "  --stats       print heap statistics to standard error at the end\n"
  "  --version     print the version\n"
  "  --help        print this\n";

typedef struct {
  enum { RUN_FILE, RUN_TEXT, RUN_STDIN, PRINT_DIS, PRINT_AST, PARSE_BENCH, PRINT_VERSION, PRINT_HELP, WRONG } what;
  const char *subject; /* file, text or list */
  bool stats;
  int rest; /* argv index of sys.argv[0] */
  asy_options options;
} command;

/* An option of the machine at argv[i]: how many words it takes; 0: it is none. */
static int read_machine_option(asy_options *options, int argc, char **argv, int i) {
  if (!strcmp(argv[i], "--strict-async")) return options->strict_async = true;
  if (!strcmp(argv[i], "--virtual-time")) return options->virtual_time = true;
  if (i + 1 >= argc) return 0;
  char *end;
  uint64_t n = strtoull(argv[i + 1], &end, 10);
  if (*end || end == argv[i + 1]) return 0;
  if (!strcmp(argv[i], "--seed")) options->seeded = true, options->seed = n;
  else if (!strcmp(argv[i], "--watchdog")) options->watchdog_ms = n > 3600000 ? 3600000 : (int)n;
  else return 0;
  return 2;
}

static int default_watchdog(void) {
  enum { DEFAULT_MS = 250 };
  const char *text = getenv("ASY_WATCHDOG");
  return text && *text ? (int)strtol(text, NULL, 10) : DEFAULT_MS;
}

static command read_command(int argc, char **argv) {
  static const struct {
    const char *option;
    int what;
  } subjects[] = {
    {"-c", RUN_TEXT},
    {"--dis", PRINT_DIS},
    {"--ast", PRINT_AST},
    {"--parse-bench", PARSE_BENCH},
  };
  command c = {.what = WRONG, .options = {.watchdog_ms = default_watchdog()}};
  int i = 1;
  for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
    if (!strcmp(argv[i], "--stats")) {
      c.stats = true;
      continue;
    }
    int words = read_machine_option(&c.options, argc, argv, i);
    if (words) {
      i += words - 1;
      continue;
    }
    if (!strcmp(argv[i], "--version") || !strcmp(argv[i], "-V")) c.what = PRINT_VERSION;
    else if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) c.what = PRINT_HELP;
    if (c.what != WRONG) return c;
    for (size_t s = 0; s < sizeof subjects / sizeof *subjects; s++) {
      if (strcmp(argv[i], subjects[s].option) || i + 1 >= argc) continue;
      c.what = subjects[s].what;
      c.subject = argv[i + 1];
      c.rest = i + 1;
      return c;
    }
    fprintf(stderr, "asy: unknown option or missing argument: %s\n", argv[i]);
    return c;
  }
  if (i >= argc) return c;
  c.what = strcmp(argv[i], "-") ? RUN_FILE : RUN_STDIN;
  c.subject = argv[i];
  c.rest = i;
  return c;
}

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

static void print_stats(asy_vm *vm) {
  static const char *const limits[] = {"< 10 us", "< 50 us", "< 100 us", "< 500 us",
                                       "< 1 ms",  "< 5 ms",  "< 20 ms",  "more"};
  asy_heap_stats s = asy_heap_get_stats(vm);
  fprintf(stderr, "collections: %llu minor, %llu major\n", (unsigned long long)s.minors, (unsigned long long)s.majors);
  fprintf(stderr, "allocated: %.1f MB in all; live after the last collection: %.1f MB, %llu objects\n",
          (double)s.allocated_bytes / 1e6, (double)s.live_bytes / 1e6, (unsigned long long)s.objects);
  fprintf(stderr, "pauses: longest %.3f ms, all together %.3f ms\n", (double)s.pause_max_ns / 1e6,
          (double)s.pause_total_ns / 1e6);
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
    fprintf(stderr, "  %-8s %llu\n", limits[i], (unsigned long long)s.pauses[i]);
}

static void run(asy_vm *vm, const command *c) {
  size_t length;
  if (c->what == RUN_FILE) {
    (void)asy_run_file(vm, c->subject);
  } else if (c->what == RUN_TEXT) {
    (void)asy_run_source(vm, c->subject, strlen(c->subject), "<string>", "__main__");
  } else {
    char *text = read_stdin(&length);
    if (text) (void)asy_run_source(vm, text, length, "<stdin>", "__main__");
    else asy_raise_no_memory(vm);
    free(text);
  }
}

/* A script that Ctrl-C has ended dies of the signal itself, so that a shell sees it. */
static void die_of_interrupt(void) {
  signal(SIGINT, SIG_DFL);
  raise(SIGINT);
}

static int run_script(const command *c, int argc, char **argv) {
  if (c->what == RUN_FILE && access(c->subject, R_OK)) {
    fprintf(stderr, "asy: can't open file '%s': [Errno %d] %s\n", c->subject, errno, strerror(errno));
    return STATUS_USAGE;
  }
  if (c->what == RUN_TEXT) argv[c->rest] = "-c";
  asy_options options = c->options;
  options.argc = argc - c->rest;
  options.argv = argv + c->rest;
  asy_vm *vm = asy_vm_new(&options);
  if (!vm) {
    fputs("asy: no memory\n", stderr);
    return STATUS_ERROR;
  }
  asy_signals_attach(vm);
  run(vm, c);
  bool interrupted = asy_raised_is(vm, ASY_KeyboardInterrupt);
  int status = asy_finish(vm);
  if (c->stats) print_stats(vm);
  asy_vm_free(vm);
  if (interrupted) die_of_interrupt();
  return status;
}

/* Large tables that grow and go are served from memory that is kept: fresh pages of the kernel cost more than the copy. */
static void keep_memory(void) {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
}

int main(int argc, char **argv) {
  keep_memory();
  command c = read_command(argc, argv);
  switch (c.what) {
    case RUN_FILE:
    case RUN_TEXT:
    case RUN_STDIN: return run_script(&c, argc, argv);
    case PRINT_DIS: return asy_print_dis(c.subject);
    case PRINT_AST: return asy_print_ast(c.subject);
    case PARSE_BENCH: return asy_parse_bench(c.subject);
    case PRINT_VERSION: return puts("asy " ASY_VERSION) < 0;
    case PRINT_HELP: return fputs(usage, stdout) < 0;
    default: fputs(usage, stderr); return STATUS_USAGE;
  }
}
