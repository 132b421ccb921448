/* parse.h - text to tree. */
#ifndef ASY_LANG_PARSE_H
#define ASY_LANG_PARSE_H

#include "lang/ast.h"
#include "lang/diagnostic.h"
#include "lang/source.h"

typedef enum {
  PARSE_FILE,  /* -> Module */
  PARSE_EXPR,  /* one expression -> Expression */
  PARSE_SINGLE /* what was typed at a prompt -> Interactive */
} asy_parse_mode;

typedef struct {
  asy_parse_mode mode;
  /* The code point of `\N{NAME}`, or 0 when there is none; NULL makes every `\N{...}` an error. */
  uint32_t (*find_character)(void *context, const char *name, size_t len);
  /* Told of what is legal but suspicious (`"\d"`); NULL: nobody listens. */
  void (*warn)(void *context, const asy_diagnostic *warning);
  /* The normal form NFKC of a name beyond ASCII, valid until the next call; NULL: it failed, and the parser gives up. No
   * function: names stay as they are written. */
  const char *(*normalize)(void *context, const char *name, size_t len, size_t *normal_len);
  void *context; /* handed to all */
} asy_parse_options;

/* The tree, in the arena; NULL and *out filled when the text is wrong or memory has run out. `await`, `yield` and `return` are
 * accepted anywhere: where they may stand is for the scope pass. */
__attribute__((warn_unused_result)) asy_node *asy_parse(asy_arena *arena, asy_source *source, asy_parse_mode mode,
                                                        asy_diagnostic *out);
__attribute__((warn_unused_result)) asy_node *asy_parse_with(asy_arena *arena, asy_source *source,
                                                             const asy_parse_options *options, asy_diagnostic *out);

typedef enum {
  PARSE_COMPLETE,   /* can be run as it is */
  PARSE_INCOMPLETE, /* a line more may complete it: an open bracket, string or block */
  PARSE_INVALID     /* no line more can help */
} asy_completeness;

/* What a prompt asks after each line: a compound statement is complete once a line without text follows it. */
asy_completeness asy_parse_completeness(const char *text, size_t len);

#endif
