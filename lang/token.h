/* token.h - keywords and punctuation.
 * The grammar declares the tokens (%token in grammar.y); this table gives each its text. The lexer enters the keywords into
 * the arena's table of names, so that looking up an identifier tells at once whether it is one.
 */
#ifndef ASY_LANG_TOKEN_H
#define ASY_LANG_TOKEN_H

#include "lang/grammar.h"

/* clang-format off */
/* KEYWORD(token, text) can never be a name. */
#define ASY_KEYWORDS(KEYWORD)                                                                                          \
  KEYWORD(FALSE, "False") KEYWORD(NONE, "None") KEYWORD(TRUE, "True") KEYWORD(AND, "and") KEYWORD(AS, "as")            \
  KEYWORD(ASSERT, "assert") KEYWORD(ASYNC, "async") KEYWORD(AWAIT, "await") KEYWORD(BREAK, "break")                    \
  KEYWORD(CLASS, "class") KEYWORD(CONTINUE, "continue") KEYWORD(DEF, "def") KEYWORD(DEL, "del") KEYWORD(ELIF, "elif")  \
  KEYWORD(ELSE, "else") KEYWORD(EXCEPT, "except") KEYWORD(FINALLY, "finally") KEYWORD(FOR, "for") KEYWORD(FROM, "from") \
  KEYWORD(GLOBAL, "global") KEYWORD(IF, "if") KEYWORD(IMPORT, "import") KEYWORD(IN, "in") KEYWORD(IS, "is")            \
  KEYWORD(LAMBDA, "lambda") KEYWORD(NONLOCAL, "nonlocal") KEYWORD(NOT, "not") KEYWORD(OR, "or") KEYWORD(PASS, "pass")  \
  KEYWORD(RAISE, "raise") KEYWORD(RETURN, "return") KEYWORD(TRY, "try") KEYWORD(WHILE, "while") KEYWORD(WITH, "with")  \
  KEYWORD(YIELD, "yield")

/* SOFT(token, text) is a name except where the lexer sees that a statement of its own begins. */
#define ASY_SOFT_KEYWORDS(SOFT) SOFT(MATCH, "match") SOFT(CASE, "case") SOFT(TYPE, "type")

/* PUNCT(token, text): of more than one character; the others are tokens by their character. */
#define ASY_PUNCTUATION(PUNCT)                                                                                         \
  PUNCT(EQ, "==") PUNCT(NE, "!=") PUNCT(LE, "<=") PUNCT(GE, ">=") PUNCT(LSHIFT, "<<") PUNCT(RSHIFT, ">>")              \
  PUNCT(POW, "**") PUNCT(FLOORDIV, "//") PUNCT(ARROW, "->") PUNCT(WALRUS, ":=") PUNCT(ELLIPSIS, "...")                 \
  PUNCT(ADD_ASSIGN, "+=") PUNCT(SUB_ASSIGN, "-=") PUNCT(MUL_ASSIGN, "*=") PUNCT(DIV_ASSIGN, "/=")                      \
  PUNCT(FLOORDIV_ASSIGN, "//=") PUNCT(MOD_ASSIGN, "%=") PUNCT(MATMUL_ASSIGN, "@=") PUNCT(AND_ASSIGN, "&=")             \
  PUNCT(OR_ASSIGN, "|=") PUNCT(XOR_ASSIGN, "^=") PUNCT(LSHIFT_ASSIGN, "<<=") PUNCT(RSHIFT_ASSIGN, ">>=")               \
  PUNCT(POW_ASSIGN, "**=")

/* LAYOUT(token, text): what has no text of its own, or any. */
#define ASY_LAYOUT_TOKENS(LAYOUT)                                                                                      \
  LAYOUT(END, "END") LAYOUT(NEWLINE, "NEWLINE") LAYOUT(INDENT, "INDENT") LAYOUT(DEDENT, "DEDENT") LAYOUT(NAME, "NAME") \
  LAYOUT(NUMBER, "NUMBER") LAYOUT(STRING, "STRING") LAYOUT(FSTRING_START, "FSTRING_START")                             \
  LAYOUT(FSTRING_MIDDLE, "FSTRING_MIDDLE") LAYOUT(FSTRING_END, "FSTRING_END")

/* clang-format on */

#endif
