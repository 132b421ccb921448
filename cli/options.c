/* options.c - see options.h. A row says how an option is spelled, what it takes, what it does and what --help says of it. */
#include "cli/options.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- The table ---- */

typedef enum {
  SET,     /* the bool at `place` */
  COUNT,   /* the int at `place` goes up */
  COLLECT, /* the argument into the asy_texts at `place` */
  NUMBER,  /* the argument through set_number */
  ISOLATE, /* -I */
  SHOW,    /* the action `value`, when nothing else is asked for */
  TAKE,    /* the action `value` on the argument, which ends the options */
} effect;

typedef struct {
  char letter;          /* 0: long form only */
  const char *name;     /* NULL: short form only */
  const char *argument; /* NULL: takes none */
  const char *choices;  /* of the argument, for completion; NULL: files */
  effect effect;
  int value;
  size_t place;
  const char *help; /* NULL: not shown */
} option;

#define AT(field) offsetof(asy_command, field)

static const option options[] = {
  {'c', NULL, "TEXT", "", TAKE, RUN_TEXT, 0, "run the text; await may stand outside functions, as in .asy files"},
  {'m', NULL, "MODULE", "", TAKE, RUN_MODULE, 0, "run a module or the __main__ of a package"},
  {'i', NULL, NULL, NULL, SET, 0, AT(options.inspect), "prompt when the script has ended"},
  {'q', NULL, NULL, NULL, SET, 0, AT(options.quiet), "no banner at the prompt"},
  {'u', NULL, NULL, NULL, SET, 0, AT(options.unbuffered), "write standard output at once"},
  {'W', NULL, "FILTER", "default error ignore always module once", COLLECT, 0, AT(warnings),
   "a warning filter: ACTION:MESSAGE:CATEGORY:MODULE:LINE"},
  {'X', NULL, "NAME[=VALUE]", "dev faulthandler importtime int_max_str_digits= utf8", COLLECT, 0, AT(x_options),
   "dev, faulthandler, importtime, int_max_str_digits=N; all are in sys._xoptions"},
  {'O', NULL, NULL, NULL, COUNT, 0, AT(options.optimize), "leave out assert statements"},
  {'E', NULL, NULL, NULL, SET, 0, AT(options.ignore_environment), "ignore the variables below"},
  {'I', NULL, NULL, NULL, ISOLATE, 0, 0, "isolated: -E -P -s"},
  {'P', NULL, NULL, NULL, SET, 0, AT(options.safe_path), "do not look for modules beside the script"},
  {'v', NULL, NULL, NULL, SET, 0, AT(options.verbose), "name each imported module on standard error"},
  {'s', NULL, NULL, NULL, SET, 0, AT(options.no_user_site),
   "accepted, as are -S -B -b -d -t: there is nothing to turn off"},
  {'S', NULL, NULL, NULL, SET, 0, AT(options.no_site), NULL},
  {'B', NULL, NULL, NULL, SET, 0, AT(unused), NULL},
  {'b', NULL, NULL, NULL, SET, 0, AT(unused), NULL},
  {'d', NULL, NULL, NULL, SET, 0, AT(unused), NULL},
  {'t', NULL, NULL, NULL, SET, 0, AT(unused), NULL},
  {0, "virtual-time", NULL, NULL, SET, 0, AT(options.virtual_time), "the clock jumps ahead when all tasks sleep"},
  {0, "seed", "N", "", NUMBER, 0, 0, "pick among ready tasks by N: the same N gives the same order"},
  {0, "strict-async", NULL, NULL, SET, 0, AT(options.strict_async),
   "status 1 when a coroutine was never awaited or a task's exception never seen"},
  {0, "watchdog", "MS", "", NUMBER, 0, 0, "name steps of tasks that hold the loop longer; 250, 0 is off"},
  {0, "stats", NULL, NULL, SET, 0, AT(stats), "count tasks, collections and memory on standard error at the end"},
  {0, "dis", "FILE", NULL, TAKE, PRINT_DIS, 0, "print the bytecode"},
  {0, "ast", "FILE", NULL, TAKE, PRINT_AST, 0, "print the syntax tree"},
  {0, "parse-bench", "LIST", NULL, TAKE, PARSE_BENCH, 0, NULL},
  {0, "completions", "SHELL", "bash zsh fish", TAKE, PRINT_COMPLETIONS, 0, "print completions for bash, zsh or fish"},
  {'V', "version", NULL, NULL, COUNT, PRINT_VERSION, AT(version), "print the version; -VV says more"},
  {'h', "help", NULL, NULL, SHOW, PRINT_HELP, 0, "print this"},
};
enum { OPTIONS = sizeof options / sizeof *options };

static const char heading[] =
  "usage: asy [OPTIONS] FILE [ARGS]        run a script, or the __main__ of a folder or zip archive\n"
  "       asy [OPTIONS] -c TEXT [ARGS]\n"
  "       asy [OPTIONS] -m MODULE [ARGS]\n"
  "       asy [OPTIONS] - [ARGS]           run standard input\n"
  "       asy [OPTIONS]                    prompt on a terminal, else run standard input\n"
  "\n"
  "Options:\n";

static const char footing[] =
  "\n"
  "Environment:\n"
  "  ASYPATH              folders in which modules are looked for, separated by colons\n"
  "  ASYWARNINGS          warning filters as of -W, separated by commas\n"
  "  ASYSTARTUP           a script that runs before the first prompt\n"
  "  ASYHASHSEED          a number that makes the hashes of strings repeatable\n"
  "  ASY_WATCHDOG         as --watchdog\n"
  "  ASY_COLORS           1 or 0: colours or none; then count NO_COLOR, FORCE_COLOR, TERM=dumb\n"
  "\n"
  "Exit status:\n"
  "  0 ended, 1 uncaught exception or syntax error, 2 wrong usage or no such file, 13 deadlock,\n"
  "  120 output lost, else what sys.exit was given; Ctrl-C ends the process by SIGINT\n";

/* How an option is written: "-W FILTER", "--seed N", "-h, --help". */
static void spell(const option *o, char out[64]) {
  int n = 0;
  if (o->letter) n = snprintf(out, 64, "-%c%s", o->letter, o->name ? ", " : "");
  if (o->name) n += snprintf(out + n, 64 - (size_t)n, "--%s", o->name);
  if (o->argument) snprintf(out + n, 64 - (size_t)n, " %s", o->argument);
}

void asy_print_help(FILE *out) {
  fputs(heading, out);
  for (int i = 0; i < OPTIONS; i++) {
    char spelled[64];
    spell(&options[i], spelled);
    if (options[i].help) fprintf(out, "  %-19s  %s\n", spelled, options[i].help);
  }
  fputs(footing, out);
}

/* ---- Wrong options ---- */

enum { NAME_MOST = 32 };

static unsigned distance(const char *a, const char *b) {
  size_t n = strlen(b);
  unsigned row[NAME_MOST + 1];
  if (n > NAME_MOST) return NAME_MOST;
  for (size_t j = 0; j <= n; j++) row[j] = (unsigned)j;
  for (size_t i = 0; a[i]; i++) {
    unsigned corner = row[0]++;
    for (size_t j = 0; j < n; j++) {
      unsigned best = corner + (a[i] != b[j]);
      corner = row[j + 1];
      if (corner + 1 < best) best = corner + 1;
      if (row[j] + 1 < best) best = row[j] + 1;
      row[j + 1] = best;
    }
  }
  return row[n];
}

/* The long option that was probably meant; NULL: none is near. */
static const char *nearest(const char *wrong) {
  const char *best = NULL;
  unsigned least = (unsigned)strlen(wrong) / 3 + 1;
  for (int i = 0; i < OPTIONS; i++) {
    if (!options[i].name || !options[i].help) continue;
    unsigned d = distance(wrong, options[i].name);
    if (d > least || (best && d == least)) continue;
    best = options[i].name;
    least = d;
  }
  return best;
}

static bool complain_unknown(const char *word, size_t length) {
  char bare[NAME_MOST + 1];
  size_t skip = strspn(word, "-");
  snprintf(bare, sizeof bare, "%.*s", (int)(length - skip), word + skip);
  const char *meant = strlen(bare) > 1 ? nearest(bare) : NULL;
  fprintf(stderr, "asy: unknown option '%.*s'.", (int)length, word);
  if (meant) fprintf(stderr, " Did you mean '--%s'?", meant);
  fputs(" All options: asy --help\n", stderr);
  return false;
}

/* ---- Reading ---- */

typedef struct {
  asy_command *command;
  int argc;
  char **argv;
  int at;    /* the word that is read */
  bool done; /* no options follow */
} reader;

bool asy_texts_add(asy_texts *texts, const char *text) {
  const char **grown = realloc(texts->items, ((size_t)texts->len + 1) * sizeof *grown);
  if (!grown) return false;
  texts->items = grown;
  texts->items[texts->len++] = text;
  return true;
}

static bool set_number(asy_options *to, const option *o, const char *text) {
  enum { WATCHDOG_MOST_MS = 3600000 };
  char *end;
  uint64_t n = strtoull(text, &end, 10);
  if (*end || end == text || *text == '-') {
    fprintf(stderr, "asy: --%s needs a number, not '%s'. All options: asy --help\n", o->name, text);
    return false;
  }
  if (*o->name == 's') to->seeded = true, to->seed = n;
  else to->watchdog_ms = n > WATCHDOG_MOST_MS ? WATCHDOG_MOST_MS : (int)n;
  return true;
}

static bool apply(reader *r, const option *o, const char *argument) {
  asy_command *c = r->command;
  void *place = (char *)c + o->place;
  switch (o->effect) {
    case SET: *(bool *)place = true; return true;
    case COUNT:
      ++*(int *)place;
      if (o->value) c->what = o->value;
      return true;
    case COLLECT: return asy_texts_add(place, argument);
    case NUMBER: return set_number(&c->options, o, argument);
    case ISOLATE:
      c->options.isolated = c->options.ignore_environment = c->options.safe_path = c->options.no_user_site = true;
      return true;
    case SHOW: c->what = o->value; return true;
    default:
      c->what = o->value;
      c->subject = argument;
      r->done = true;
      return true;
  }
}

/* The argument: what is left of the word, or the next word. */
static const char *argument_of(reader *r, const option *o, const char *left) {
  if (left) return left;
  if (r->at + 1 < r->argc) return r->argv[++r->at];
  char spelled[64];
  spell(o, spelled);
  fprintf(stderr, "asy: an argument is missing: %s. All options: asy --help\n", spelled);
  return NULL;
}

static bool use(reader *r, const option *o, const char *left) {
  const char *argument = o->argument ? argument_of(r, o, left) : NULL;
  return (!o->argument || argument) && apply(r, o, argument);
}

static bool read_long(reader *r, const char *word) {
  size_t length = strcspn(word + 2, "=");
  for (int i = 0; i < OPTIONS; i++) {
    const option *o = &options[i];
    if (!o->name || strlen(o->name) != length || strncmp(word + 2, o->name, length)) continue;
    const char *value = word[2 + length] ? word + length + 3 : NULL;
    if (!value || o->argument) return use(r, o, value);
    fprintf(stderr, "asy: --%s takes no argument. All options: asy --help\n", o->name);
    return false;
  }
  return complain_unknown(word, length + 2);
}

static bool read_letters(reader *r, const char *word) {
  for (const char *p = word + 1; *p && !r->done; p++) {
    const option *found = NULL;
    for (int i = 0; i < OPTIONS && !found; i++)
      if (options[i].letter == *p) found = &options[i];
    if (!found) return complain_unknown(word, strlen(word));
    if (!use(r, found, p[1] ? p + 1 : NULL)) return false;
    if (found->argument) return true;
  }
  return true;
}

static bool read_options(reader *r) {
  for (r->at = 1; r->at < r->argc && !r->done; r->at++) {
    const char *word = r->argv[r->at];
    if (word[0] != '-' || !word[1]) return true;
    if (!strcmp(word, "--")) {
      r->at++;
      return true;
    }
    if (!(word[1] == '-' ? read_long(r, word) : read_letters(r, word))) return false;
  }
  return true;
}

/* Variables that stand for options come before these: what is said later counts. */
static void read_environment(asy_command *c) {
  const char *watchdog = c->options.ignore_environment ? NULL : getenv("ASY_WATCHDOG");
  const char *filters = c->options.ignore_environment ? NULL : getenv("ASYWARNINGS");
  if (c->options.watchdog_ms < 0)
    c->options.watchdog_ms = watchdog && *watchdog ? (int)strtol(watchdog, NULL, 10) : 250;
  asy_texts given = c->warnings;
  c->warnings = (asy_texts){0};
  if (c->options.dev_mode) asy_texts_add(&c->warnings, "default");
  char *list = filters && *filters ? strdup(filters) : NULL;
  for (char *at = list, *filter; (filter = strsep(&at, ","));)
    if (*filter) asy_texts_add(&c->warnings, filter);
  for (int i = 0; i < given.len; i++) asy_texts_add(&c->warnings, given.items[i]);
}

static void read_x_options(asy_command *c) {
  for (int i = 0; i < c->x_options.len; i++) {
    if (!strcmp(c->x_options.items[i], "dev")) c->options.dev_mode = true;
    if (!strcmp(c->x_options.items[i], "importtime")) c->options.import_times = true;
  }
}

asy_command asy_read_command(int argc, char **argv) {
  asy_command c = {.what = RUN_STDIN, .options = {.watchdog_ms = -1}};
  reader r = {.command = &c, .argc = argc, .argv = argv};
  if (!read_options(&r)) {
    c.what = WRONG;
    return c;
  }
  c.rest = r.at;
  if (c.what == RUN_STDIN && r.at < argc) {
    c.rest++;
    c.subject = argv[r.at];
    if (strcmp(c.subject, "-")) c.what = RUN_FILE;
  }
  if (c.what == RUN_STDIN && isatty(STDIN_FILENO)) c.what = RUN_PROMPT;
  read_x_options(&c);
  read_environment(&c);
  c.options.nwarnings = c.warnings.len;
  c.options.warnings = c.warnings.items;
  c.options.nx_options = c.x_options.len;
  c.options.x_options = c.x_options.items;
  c.options.original_argc = argc;
  c.options.original_argv = argv;
  return c;
}

/* ---- Completions ---- */

static void print_words(bool with_argument, const char *separator) {
  const char *before = "";
  for (int i = 0; i < OPTIONS; i++) {
    if (!options[i].help || (with_argument && !options[i].argument)) continue;
    if (options[i].letter) printf("%s-%c", before, options[i].letter), before = separator;
    if (options[i].name) printf("%s--%s", before, options[i].name), before = separator;
  }
}

static void print_bash(void) {
  puts(
    "_asy() {\n  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n  COMPREPLY=()\n  case "
    "$before in");
  for (int i = 0; i < OPTIONS; i++) {
    const option *o = &options[i];
    if (!o->help || !o->choices) continue;
    if (o->letter) printf("    -%c)", o->letter);
    else printf("    --%s)", o->name);
    printf(" COMPREPLY=($(compgen -W '%s' -- \"$word\")); return ;;\n", o->choices);
  }
  fputs("  esac\n  if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '", stdout);
  print_words(false, " ");
  puts("' -- \"$word\")); fi\n}\ncomplete -o default -F _asy asy");
}

/* Text inside single quotes of zsh and fish: what has a meaning there is left out of our texts, but the quote itself. */
static void print_quoted(const char *text, const char *masked) {
  for (; *text; text++) {
    if (*text == '\'') fputs("'\\''", stdout);
    else printf("%s%c", strchr(masked, *text) ? "\\" : "", *text);
  }
}

static void print_zsh(void) {
  puts("#compdef asy\n_arguments -s \\");
  for (int i = 0; i < OPTIONS; i++) {
    const option *o = &options[i];
    for (int form = 0; form < 2 && o->help; form++) {
      if (form ? !o->name : !o->letter) continue;
      putchar(' '), putchar('\''), putchar('*');
      if (form) printf("--%s%s", o->name, o->argument ? "=" : "");
      else printf("-%c%s", o->letter, o->argument ? "+" : "");
      putchar('[');
      print_quoted(o->help, "[]:");
      putchar(']');
      if (o->argument) {
        printf(":%.*s:", (int)strcspn(o->argument, "["), o->argument);
        if (!o->choices) fputs("_files", stdout);
        else if (*o->choices) printf("(%s)", o->choices);
        else putchar(' ');
      }
      puts("' \\");
    }
  }
  puts(" '*:file:_files'");
}

static void print_fish(void) {
  for (int i = 0; i < OPTIONS; i++) {
    const option *o = &options[i];
    if (!o->help) continue;
    fputs("complete -c asy", stdout);
    if (o->letter) printf(" -s %c", o->letter);
    if (o->name) printf(" -l %s", o->name);
    if (o->argument) fputs(o->choices ? " -x" : " -r", stdout);
    if (o->choices && *o->choices) printf(" -a '%s'", o->choices);
    fputs(" -d '", stdout);
    print_quoted(o->help, "");
    puts("'");
  }
}

int asy_print_completions(const char *shell) {
  static const struct {
    const char *shell;
    void (*print)(void);
  } rows[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (strcmp(rows[i].shell, shell)) continue;
    rows[i].print();
    return 0;
  }
  fprintf(stderr, "asy: no completions for '%s'; there are some for bash, zsh and fish\n", shell);
  return STATUS_USAGE;
}
