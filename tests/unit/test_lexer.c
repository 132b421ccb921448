/* test_lexer.c - texts to tokens, and what is no token. */
#include <criterion/criterion.h>

#include "lang/buf.h"
#include "lang/lexer.h"
#include "lang/token.h"

/* The tokens of a text, or those before an error and its message. Names, numbers and strings are shown as written. */
static const char *tokens_of(const char *text) {
  static asy_buf out; /* lives as long as the test */
  asy_buf_free(&out);
  asy_source source;
  asy_diagnostic error = {0};
  asy_arena arena;
  asy_lexer lexer;
  if (!asy_source_init(&source, "test", text, strlen(text), &error)) {
    asy_buf_text(&out, error.message);
    return out.data;
  }
  asy_arena_init(&arena);
  asy_lexer_init(&lexer, &arena, &source, &error);
  for (;;) {
    asy_token token = asy_lexer_next(&lexer);
    if (out.len) asy_buf_char(&out, ' ');
    if (token.kind == LEX_ERROR) {
      asy_buf_format(&out, "%s at %u:%u: %s", asy_diagnostic_kind_name(error.kind), error.line, error.col,
                     error.message);
      break;
    }
    char one_char[2];
    bool literal = token.kind == TOKEN_NAME || token.kind == TOKEN_NUMBER || token.kind == TOKEN_STRING ||
                   token.kind == TOKEN_FSTRING_MIDDLE;
    if (literal) asy_buf_add(&out, token.start, token.len);
    else asy_buf_text(&out, asy_token_text(token.kind, one_char));
    if (token.kind == TOKEN_END) break;
  }
  asy_arena_free(&arena);
  asy_source_free(&source);
  return out.data;
}

#define TOKENS(text, expected)                                                                                         \
  cr_assert_str_eq(tokens_of(text), expected, "%s\n  got:      %s\n  expected: %s", text, tokens_of(text), expected)

Test(lexer, dedent_closes_every_open_block) {
  TOKENS("if a:\n  if b:\n    c\nd\n",
         "if a : NEWLINE INDENT if b : NEWLINE INDENT c NEWLINE DEDENT DEDENT d NEWLINE END");
}

Test(lexer, end_of_text_closes_blocks_and_lines) { TOKENS("if a:\n  b", "if a : NEWLINE INDENT b NEWLINE DEDENT END"); }

Test(lexer, lines_without_tokens_do_not_count) {
  TOKENS("if a:\n  b\n# c\n\n     \n  c\n", "if a : NEWLINE INDENT b NEWLINE c NEWLINE DEDENT END");
}

Test(lexer, brackets_and_backslashes_join_lines) {
  TOKENS("a = (1,\n  2)\nb = \\\n  3\n", "a = ( 1 , 2 ) NEWLINE b = 3 NEWLINE END");
}

Test(lexer, tabs_and_spaces_must_agree) {
  TOKENS("if a:\n\tb\n        c\n",
         "if a : NEWLINE INDENT b NEWLINE TabError at 3:0: inconsistent use of tabs and spaces in indentation");
}

Test(lexer, unindent_must_match) {
  TOKENS(
    "if a:\n    b\n  c\n",
    "if a : NEWLINE INDENT b NEWLINE IndentationError at 3:3: unindent does not match any outer indentation level");
}

/* Names in tokens_of look like keywords, so count them by what the lexer says. */
static int first_kind(const char *text) {
  asy_source source;
  asy_diagnostic error = {0};
  asy_arena arena;
  asy_lexer lexer;
  cr_assert(asy_source_init(&source, "test", text, strlen(text), &error));
  asy_arena_init(&arena);
  asy_lexer_init(&lexer, &arena, &source, &error);
  int kind = asy_lexer_next(&lexer).kind;
  asy_arena_free(&arena);
  asy_source_free(&source);
  return kind;
}

Test(lexer, match_and_type_are_keywords_only_where_a_statement_needs_them) {
  cr_assert_eq(first_kind("match x:\n case y: z\n"), TOKEN_MATCH);
  cr_assert_eq(first_kind("match (x):\n case y: z\n"), TOKEN_MATCH);
  cr_assert_eq(first_kind("match -x:\n case y: z\n"), TOKEN_MATCH);
  cr_assert_eq(first_kind("match(x)\n"), TOKEN_NAME);
  cr_assert_eq(first_kind("match: int\n"), TOKEN_NAME);
  cr_assert_eq(first_kind("match[a:b] = c\n"), TOKEN_NAME);
  cr_assert_eq(first_kind("type X = int\n"), TOKEN_TYPE);
  cr_assert_eq(first_kind("type(x)\n"), TOKEN_NAME);
  cr_assert_eq(first_kind("type = 1\n"), TOKEN_NAME);
  cr_assert_eq(first_kind("type if x else y\n"), TOKEN_NAME);
  cr_assert_eq(first_kind("case = 1\n"), TOKEN_NAME);
}

Test(lexer, all_forms_of_numbers) {
  TOKENS("1 1_000 0x_ff 0b1 0o17 1.5 .5 1. 1e5 1E-5 1j 1.5e3j 0 00 0_0 09.5\n",
         "1 1_000 0x_ff 0b1 0o17 1.5 .5 1. 1e5 1E-5 1j 1.5e3j 0 00 0_0 09.5 NEWLINE END");
}

Test(lexer, wrong_numbers_say_why) {
  TOKENS("1_", "SyntaxError at 1:1: invalid decimal literal");
  TOKENS("0x", "SyntaxError at 1:1: invalid hexadecimal literal");
  TOKENS("0o8", "SyntaxError at 1:2: invalid digit '8' in octal literal");
  TOKENS("0777",
         "SyntaxError at 1:0: leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal "
         "integers");
  TOKENS("1abc", "SyntaxError at 1:0: invalid decimal literal");
}

Test(lexer, a_number_may_touch_a_keyword) { TOKENS("1if 2else 3\n", "1 if 2 else 3 NEWLINE END"); }

Test(lexer, strings_with_every_prefix) {
  TOKENS("r'\\d' b'c' Rb'd' u'e' '''f\n'g'''\n", "r'\\d' b'c' Rb'd' u'e' '''f\n'g''' NEWLINE END");
}

Test(lexer, strings_must_end) {
  TOKENS("x = 'abc\n", "x = SyntaxError at 1:4: unterminated string literal (detected at line 1)");
  TOKENS("'''a\nb\n", "SyntaxError at 1:0: unterminated triple-quoted string literal (detected at line 2)");
}

Test(lexer, fstrings_nest) {
  TOKENS("f'a{f'{b!r}'}c'\n", "FSTRING_START a { FSTRING_START { b ! r } FSTRING_END } c FSTRING_END NEWLINE END");
  TOKENS("f'{a:>{w}.2}'\n", "FSTRING_START { a : > { w } .2 } FSTRING_END NEWLINE END");
  TOKENS("f'{{a}}'\n", "FSTRING_START {{a}} FSTRING_END NEWLINE END");
}

Test(lexer, a_colon_ends_the_expression_of_a_field_only_outside_brackets) {
  TOKENS("f'{a[1:2]:x}'\n", "FSTRING_START { a [ 1 : 2 ] : x } FSTRING_END NEWLINE END");
  TOKENS("f'{x:=5}'\n", "FSTRING_START { x : =5 } FSTRING_END NEWLINE END");
}

Test(lexer, brackets_must_match) {
  TOKENS("(]\n", "( SyntaxError at 1:1: closing parenthesis ']' does not match opening parenthesis '('");
  TOKENS("(\n]\n", "( SyntaxError at 2:0: closing parenthesis ']' does not match opening parenthesis '(' on line 1");
  TOKENS(")\n", "SyntaxError at 1:0: unmatched ')'");
  TOKENS("f(\n", "f ( SyntaxError at 1:1: '(' was never closed");
}

Test(lexer, names_may_be_unicode_but_not_anything) {
  TOKENS("\u00e4\u4e16 = 1\n", "\u00e4\u4e16 = 1 NEWLINE END");
  TOKENS("a = \u20ac\n", "a = SyntaxError at 1:4: invalid character '\u20ac' (U+20AC)");
  TOKENS("a\u00a0= 1\n", "SyntaxError at 1:1: invalid non-printable character U+00A0");
}

Test(lexer, line_ends_and_byte_order_mark_are_normalised) {
  TOKENS(
    "\xEF\xBB\xBF"
    "a\r\nb\rc",
    "a NEWLINE b NEWLINE c NEWLINE END");
}

Test(lexer, a_text_may_be_latin_1) { TOKENS("# coding: latin-1\n'\xe9'\n", "'\u00e9' NEWLINE END"); }

Test(lexer, every_keyword_is_a_token_of_its_own) {
#define KEYWORD(kind, text) TOKENS(text "\n", text " NEWLINE END");
  ASY_KEYWORDS(KEYWORD)
#undef KEYWORD
}

Test(lexer, soft_keywords_are_names) {
  TOKENS("match = case = type = _ = 1\n", "match = case = type = _ = 1 NEWLINE END");
}
