/* options.h - the command line: one table of options (options.c), from which come parsing, --help, the nearest option to a wrong one
 * and the shells' completions; docs/asy.1 is made from --help by docs/man.py. */
#ifndef ASY_CLI_OPTIONS_H
#define ASY_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "runtime/asy.h"

enum { STATUS_ERROR = 1, STATUS_USAGE = 2 };

/* What the program is to do. The first five run something; before RUN_FILE the subject is not a file. */
typedef enum {
  RUN_PROMPT, /* nothing was named and standard input is a terminal */
  RUN_STDIN,
  RUN_TEXT,
  RUN_MODULE,
  RUN_FILE,
  PRINT_DIS,
  PRINT_AST,
  PARSE_BENCH,
  PRINT_COMPLETIONS,
  PRINT_VERSION,
  PRINT_HELP,
  WRONG, /* a message has been printed */
} asy_action;

/* A growing list of texts, none of them owned; it ends with the process. */
typedef struct {
  const char **items;
  int len;
} asy_texts;

typedef struct {
  asy_action what;
  const char *subject; /* file, text, module, list or shell */
  int rest; /* argv index of the first argument that belongs to the script; the word before it becomes sys.argv[0] */
  bool stats, unused;
  int version; /* how often -V was given */
  asy_texts warnings, x_options;
  asy_options options;
} asy_command;

/* Reads the command line, and the variables of the environment that stand for options. */
asy_command asy_read_command(int argc, char **argv);
void asy_print_help(FILE *out);
int asy_print_completions(const char *shell); /* the exit status */
bool asy_texts_add(asy_texts *texts, const char *text);

#endif
