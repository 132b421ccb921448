/* repl.h - the interactive prompt: a script (stdlib/_repl) on a few natives that run at each key. */
#ifndef ASY_CLI_REPL_H
#define ASY_CLI_REPL_H

#include <stdbool.h>

#include "runtime/asy.h"

typedef struct {
  bool quiet;   /* -q: no banner */
  bool keeps;   /* -i: what __main__ holds stays; without: a new __main__, and ASYSTARTUP is run */
  bool asyncio; /* -m asyncio: that is imported, and the banner says so */
} asy_repl_options;

/* Prompts until exit() or the end of the input, then ends the program as asy_finish does: its exit status. An exception that is
 * pending at the call (the script of -i failed) is shown first. */
int asy_repl(asy_vm *vm, const asy_repl_options *options);

#endif
