/* lexer.h - text to tokens.
 * The lexer answers one token a call. It does indentation, line joining, soft keywords and the inside of f-strings; it decodes
 * no literal: a token is a piece of the text, which the parser looks into.
 *
 *   f"a{x:>{w}}"   FSTRING_START(f") FSTRING_MIDDLE(a) { NAME(x) : FSTRING_MIDDLE(>) { NAME(w) } } FSTRING_END(")
 *
 * The mode is a function of the two stacks: inside the text of an f-string when no bracket was opened since the f-string began,
 * or when the innermost bracket is a field whose format spec has begun; everywhere else, ordinary tokens.
 * An asy_lexer is copied to look ahead; it owns nothing.
 */
#ifndef ASY_LANG_LEXER_H
#define ASY_LANG_LEXER_H

#include "lang/ast.h"
#include "lang/diagnostic.h"
#include "lang/source.h"

/* clang-format off */
enum {
  LEX_MAX_PARENS = 200, LEX_MAX_INDENTS = 100, LEX_MAX_FSTRINGS = 150, /* as in CPython */
  LEX_ERROR = -1                                                       /* instead of a token: the diagnostic is filled */
};

/* clang-format on */

typedef struct {
  int kind;  /* TOKEN_..., a character, or LEX_ERROR */
  bool raw;  /* FSTRING_MIDDLE of an rf"..." */
  bool wide; /* a NAME with characters beyond ASCII */
  uint32_t len;
  const char *start; /* in the source text */
  asy_name *name;    /* of NAME and keywords; else NULL */
  asy_span span;
} asy_token;

typedef struct {
  uint32_t line, col;
  char open;  /* ( [ { */
  bool field; /* { of an f-string */
  bool spec;  /* a field after its `:` */
} asy_lexer_paren;

typedef struct {
  uint32_t col, alt_col; /* tabs to 8, tabs to 1: both must agree on the order of two lines */
  bool cases;            /* the block of a `match`: a line that begins with `case` is a case */
} asy_lexer_indent;

typedef struct {
  uint32_t line, col; /* where it began */
  uint32_t base;      /* brackets open when it began */
  char quote;
  bool triple, raw;
} asy_lexer_fstring;

typedef struct {
  asy_arena *arena;
  asy_diagnostic *error;
  const char *cursor;
  const char *limit;      /* the final NUL of the text */
  const char *line_start; /* of the current line */
  uint32_t line;
  int pending;        /* INDENT (1) or DEDENTs (negative) still to be answered */
  bool line_begins;   /* the indentation of a line has to be measured */
  bool first_in_line; /* no token of this logical line has been answered yet */
  bool ends_early;    /* the error is that the text stops inside something: more text may help */
  bool yields;        /* an error of the parser further up is the one to report */
  bool never_closed;  /* the error is about an open bracket */
  bool looking_ahead; /* a copy */
  bool cases_next;    /* `match` seen: the next block holds cases */
  uint32_t paren_count, indent_count, fstring_count;
  asy_lexer_paren parens[LEX_MAX_PARENS];
  asy_lexer_indent indents[LEX_MAX_INDENTS]; /* [0] is column 0 */
  asy_lexer_fstring fstrings[LEX_MAX_FSTRINGS];
} asy_lexer;

/* Enters the keywords into the arena; the source must outlive the lexer. */
void asy_lexer_init(asy_lexer *lexer, asy_arena *arena, const asy_source *source, asy_diagnostic *error);

/* The next token; after TOKEN_END, TOKEN_END again; after LEX_ERROR the lexer is of no use. */
asy_token asy_lexer_next(asy_lexer *lexer);

/* The token in a message or a test: "if", "NEWLINE", "**", "(". */
const char *asy_token_text(int kind, char one_char[2]);

#endif
