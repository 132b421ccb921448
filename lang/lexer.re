/* lexer.re - text to tokens. Built with: re2c -W --no-generation-date -o lexer.c lexer.re */
#include "lang/lexer.h"

#include <string.h>

#include "lang/token.h"

/* --- Errors ---------------------------------------------------------------------------------------------------------- */

static asy_token token_at(const asy_lexer *lexer, int kind, const char *start) {
  uint32_t col = (uint32_t)(start - lexer->line_start), len = (uint32_t)(lexer->cursor - start);
  return (asy_token){.kind = kind, .start = start, .len = len, .span = {lexer->line, col, lexer->line, col + len}};
}

static asy_token failed(const asy_lexer *lexer) { return (asy_token){.kind = LEX_ERROR, .start = lexer->cursor}; }

/* An error at one byte of the current line. */
#define COLUMN(place) ((uint32_t)((place) - lexer->line_start))
#define FAIL_FROM(start, end_line, end_col, ...) \
  (asy_diagnostic_set(lexer->error, DIAG_SYNTAX, lexer->line, COLUMN(start), end_line, end_col, __VA_ARGS__), failed(lexer))
#define FAIL_AT(place, ...) FAIL_FROM(place, lexer->line, COLUMN(place), __VA_ARGS__)

static asy_token fail_indent(asy_lexer *lexer, asy_diagnostic_kind kind, const char *message, uint32_t col) {
  bool known = kind == DIAG_INDENTATION && col;
  asy_diagnostic_set(lexer->error, kind, lexer->line, col, known ? lexer->line : 0, known ? DIAG_NO_COLUMN : 0, "%s", message);
  lexer->yields = true;
  return failed(lexer);
}

static uint32_t code_point(const char *text, const char **next) {
  const unsigned char *p = (const unsigned char *)text;
  uint32_t len = *p < 0x80 ? 1 : *p < 0xE0 ? 2 : *p < 0xF0 ? 3 : 4;
  uint32_t c = len == 1 ? *p : *p & (0xFFu >> (len + 1));
  for (uint32_t i = 1; i < len; i++) c = c << 6 | (p[i] & 63);
  *next = text + len;
  return c;
}

/* --- Characters beyond ASCII ----------------------------------------------------------------------------------------- */

typedef struct { uint32_t first, last; } range;

static bool in_ranges(uint32_t c, const range *ranges, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (c >= ranges[i].first && c <= ranges[i].last) return true;
  return false;
}

/* Blocks without letters, digits or marks; what is not listed may stand in a name. */
static const range no_name[] = {
  {0x80, 0xA9}, {0xAB, 0xB4}, {0xB6, 0xB6}, {0xB8, 0xB9}, {0xBB, 0xBF}, {0xD7, 0xD7}, {0xF7, 0xF7}, {0x2C2, 0x2C5},
  {0x2D2, 0x2DF}, {0x37E, 0x37E}, {0x55A, 0x55F}, {0x589, 0x58F}, {0x600, 0x60F}, {0x61B, 0x61F}, {0x66A, 0x66D},
  {0x6D4, 0x6D4}, {0x700, 0x70F}, {0x964, 0x965}, {0xE3F, 0xE3F}, {0x1680, 0x1680}, {0x2000, 0x203E}, {0x2041, 0x2053},
  {0x2055, 0x2070}, {0x2072, 0x207E}, {0x2080, 0x208F}, {0x20A0, 0x20CF}, {0x2100, 0x2101}, {0x2103, 0x2106},
  {0x2108, 0x2109}, {0x2116, 0x2117}, {0x211E, 0x2123}, {0x2190, 0x2BFF}, {0x2E00, 0x2FFF}, {0x3000, 0x3004},
  {0x3008, 0x3020}, {0x3030, 0x3030}, {0x303D, 0x3040}, {0x30FB, 0x30FB}, {0xD800, 0xF8FF}, {0xFD3E, 0xFD3F},
  {0xFE10, 0xFE1F}, {0xFE30, 0xFE32}, {0xFE35, 0xFE4C}, {0xFE50, 0xFE6F}, {0xFEFF, 0xFEFF}, {0xFF00, 0xFF0F}, {0xFF1A, 0xFF20},
  {0xFF3B, 0xFF3E}, {0xFF40, 0xFF40}, {0xFF5B, 0xFF65}, {0xFFE0, 0xFFFF}, {0x1D000, 0x1D164}, {0x1F000, 0x1FBEF},
  {0xE0000, 0xE00FF}, {0xF0000, 0x10FFFF},
};

/* The zeros of other scripts' decimal digits, below and above U+10000 (less that): digits may not begin a name. */
static const uint16_t zeros[] = {
  0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6, 0x0E50, 0x0ED0, 0x0F20,
  0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0,
  0xA9F0, 0xAA50, 0xABF0, 0xFF10,
}, high_zeros[] = {
  0x04A0, 0x0D30, 0x1066, 0x10F0, 0x1136, 0x11D0, 0x12F0, 0x1450, 0x14D0, 0x1650, 0x16C0, 0x1730, 0x18E0, 0x1950, 0x1C50, 0x1D50,
  0x1DA0, 0x1F50, 0x6A60, 0x6AC0, 0x6B50, 0xD7CE, 0xD7D8, 0xD7E2, 0xD7EC, 0xD7F6, 0xE140, 0xE2F0, 0xE4F0, 0xE950, 0xFBF0,
};

static bool is_other_digit(uint32_t c) {
  const uint16_t *table = c < 0x10000 ? zeros : high_zeros;
  size_t count = c < 0x10000 ? sizeof zeros / sizeof *zeros : sizeof high_zeros / sizeof *high_zeros;
  for (size_t i = 0; i < count && c >> 16 <= 1; i++)
    if ((uint16_t)c - (unsigned)table[i] < 10) return true;
  return false;
}

static const range not_printable[] = {
  {0x80, 0xA0}, {0xAD, 0xAD}, {0x1680, 0x1680}, {0x2000, 0x200F}, {0x2028, 0x202F}, {0x205F, 0x206F}, {0x3000, 0x3000},
  {0xD800, 0xF8FF}, {0xFEFF, 0xFEFF}, {0xFFF0, 0xFFFB}, {0xE0000, 0xE00FF}, {0xF0000, 0x10FFFF},
};

static asy_token bad_character(asy_lexer *lexer, const char *place) {
  const char *next;
  uint32_t c = code_point(place, &next);
  lexer->cursor = next;
  if (c < 0x20 || c == 0x7F || (c >= 0x80 && in_ranges(c, not_printable, sizeof not_printable / sizeof *not_printable)))
    return FAIL_AT(place, "invalid non-printable character U+%04X", c);
  if (c < 0x80) return token_at(lexer, *place, place);   /* `$`, `?`: no token of the grammar */
  return FAIL_AT(place, "invalid character '%.*s' (U+%04X)", (int)(next - place), place, c);
}

/* Checks the name that ends at the cursor; on failure the error token is in *bad. */
static bool check_name(asy_lexer *lexer, const char *start, asy_token *bad) {
  for (const char *p = start, *next; p < lexer->cursor; p = next) {
    uint32_t c = code_point(p, &next);
    if (c < 0x80 || (!in_ranges(c, no_name, sizeof no_name / sizeof *no_name) && !(p == start && is_other_digit(c)))) continue;
    *bad = bad_character(lexer, p);
    return false;
  }
  return true;
}

/* --- Numbers --------------------------------------------------------------------------------------------------------- */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_'; }
static bool is_name_char(char c) { return is_letter(c) || is_digit(c) || (unsigned char)c >= 0x80; }

static bool is_digit_of(char c, int base) {
  if (base == 16) return is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'f');
  return c >= '0' && c < '0' + base;
}

/* `1if x else y` is fine, `1x` is not; what is not ASCII is another token. */
static bool ends_number(const char *p) {
  static const char *const followers[] = {"if", "in", "is", "and", "else", "for", "not", "or"};
  if (!is_letter(*p) && !is_digit(*p)) return true;
  for (size_t i = 0; i < sizeof followers / sizeof *followers; i++) {
    size_t length = strlen(followers[i]);
    if (!strncmp(p, followers[i], length)) return i < 3 || !is_name_char(p[length]); /* as CPython has it: `1inx` is fine */
  }
  return false;
}

/* Digits with single underscores between them, the first one at p; NULL when an underscore is not followed by a digit. */
static const char *decimal_digits(asy_lexer *lexer, const char *p) {
  for (;;) {
    while (is_digit(*p)) p++;
    if (*p != '_') return p;
    if (!is_digit(p[1])) return (void)FAIL_AT(p, "invalid decimal literal"), NULL;
    p++;
  }
}

static asy_token prefixed_number(asy_lexer *lexer, const char *start, int base) {
  const char *name = base == 16 ? "hexadecimal" : base == 8 ? "octal" : "binary";
  const char *p = start + 2;
  do {
    if (*p == '_') p++;
    if (!is_digit_of(*p, base)) {
      if (is_digit(*p)) return FAIL_AT(p, "invalid digit '%c' in %s literal", *p, name);
      return FAIL_AT(p - 1, "invalid %s literal", name);
    }
    while (is_digit_of(*p, base)) p++;
  } while (*p == '_');
  if (is_digit(*p)) return FAIL_AT(p, "invalid digit '%c' in %s literal", *p, name);
  if (!ends_number(p)) return FAIL_AT(p - 1, "invalid %s literal", name);
  lexer->cursor = p;
  return token_at(lexer, TOKEN_NUMBER, start);
}

static asy_token number(asy_lexer *lexer, const char *start) {
  const char *p = start;
  if (*p == '0' && (p[1] | 32) == 'x') return prefixed_number(lexer, start, 16);
  if (*p == '0' && (p[1] | 32) == 'o') return prefixed_number(lexer, start, 8);
  if (*p == '0' && (p[1] | 32) == 'b') return prefixed_number(lexer, start, 2);

  const char *zeros_end = NULL;   /* leading zeros are fine before `.`, `e` and `j` only */
  bool is_int = true;
  if (*p != '.' && !(p = decimal_digits(lexer, p))) return failed(lexer);
  if (*start == '0' && p > start) {
    for (zeros_end = start; *zeros_end == '0' || *zeros_end == '_';) zeros_end++;
    if (!is_digit(*zeros_end)) zeros_end = NULL;
  }
  if (*p == '.') {
    is_int = false;
    if (is_digit(*++p) && !(p = decimal_digits(lexer, p))) return failed(lexer);
  }
  if ((*p | 32) == 'e') {
    const char *digits = p + 1 + (p[1] == '+' || p[1] == '-');
    if (is_digit(*digits)) {
      is_int = false;
      if (!(p = decimal_digits(lexer, digits))) return failed(lexer);
    } else if (digits > p + 1) {
      return FAIL_AT(p + 1, "invalid decimal literal");
    }
  }
  bool imaginary = (*p | 32) == 'j';
  if (imaginary) p++;
  bool bad_exponent = is_int && (*p | 32) == 'e' && !ends_number(p);
  if (is_int && !imaginary && zeros_end && !bad_exponent) {
    uint32_t col = (uint32_t)(start - lexer->line_start);
    asy_diagnostic_set(lexer->error, DIAG_SYNTAX, lexer->line, col, lexer->line, col + (uint32_t)(zeros_end - start),
                       "leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers");
    return failed(lexer);
  }
  if (!ends_number(p)) return FAIL_AT(p - 1, "invalid %s literal", imaginary ? "imaginary" : "decimal");
  lexer->cursor = p;
  return token_at(lexer, TOKEN_NUMBER, start);
}

/* --- Strings --------------------------------------------------------------------------------------------------------- */

static asy_token unterminated(asy_lexer *lexer, uint32_t line, uint32_t col, bool triple, bool fstring) {
  asy_diagnostic_set(lexer->error, DIAG_SYNTAX, line, col, line, col, "unterminated %s%sstring literal (detected at line %u)",
                     triple ? "triple-quoted " : "", fstring ? "f-" : "", lexer->line);
  lexer->ends_early = triple;
  lexer->yields = fstring;
  return failed(lexer);
}

static void next_line(asy_lexer *lexer, const char *start) {
  lexer->line++;
  lexer->line_start = start;
}

/* A string whose opening quotes begin at `quotes`; start is that of its prefix. */
static asy_token string(asy_lexer *lexer, const char *start, const char *quotes) {
  char quote = *quotes;
  bool triple = quotes[1] == quote && quotes[2] == quote;
  const char *p = quotes + (triple ? 3 : 1);
  asy_token token = token_at(lexer, TOKEN_STRING, start);
  for (;; p++) {
    if (*p == quote && (!triple || (p[1] == quote && p[2] == quote))) break;
    if (*p == '\\') {
      p++;
      if (*p == '\n') next_line(lexer, p + 1);
      if (*p) continue;
    }
    if (p == lexer->limit || (*p == '\n' && !triple)) {
      if (p == lexer->limit) lexer->line--;   /* the text ended on the line before */
      const asy_lexer_fstring *outer = lexer->fstring_count ? &lexer->fstrings[lexer->fstring_count - 1] : NULL;
      if (outer && outer->quote == quote && outer->triple == triple && *start == quote) {
        asy_diagnostic_set(lexer->error, DIAG_SYNTAX, token.span.line, token.span.col, 0, 0, "f-string: expecting '}'");
        lexer->ends_early = triple;
        return failed(lexer);
      }
      return unterminated(lexer, token.span.line, token.span.col, triple, false);
    }
    if (*p == '\n') next_line(lexer, p + 1);
  }
  lexer->cursor = p + (triple ? 3 : 1);
  token.len = (uint32_t)(lexer->cursor - start);
  token.span.end_line = lexer->line;
  token.span.end_col = (uint32_t)(lexer->cursor - lexer->line_start);
  return token;
}

static asy_token fstring_start(asy_lexer *lexer, const char *start, const char *quotes) {
  if (lexer->fstring_count == LEX_MAX_FSTRINGS) return FAIL_AT(start, "too many nested f-strings");
  bool triple = quotes[1] == *quotes && quotes[2] == *quotes;
  lexer->cursor = quotes + (triple ? 3 : 1);
  asy_token token = token_at(lexer, TOKEN_FSTRING_START, start);
  lexer->fstrings[lexer->fstring_count++] = (asy_lexer_fstring){
    .line = token.span.line, .col = token.span.col, .base = lexer->paren_count, .quote = *quotes, .triple = triple,
    .raw = (start[0] | 32) == 'r' || (start[1] | 32) == 'r',
  };
  return token;
}

static bool in_field(const asy_lexer *lexer) { return lexer->paren_count && lexer->parens[lexer->paren_count - 1].field; }

static bool in_fstring_text(const asy_lexer *lexer) {
  if (!lexer->fstring_count) return false;
  if (lexer->paren_count == lexer->fstrings[lexer->fstring_count - 1].base) return true;
  return in_field(lexer) && lexer->parens[lexer->paren_count - 1].spec;
}

static asy_token open_paren(asy_lexer *lexer, const char *start, bool field) {
  if (lexer->paren_count == LEX_MAX_PARENS) return FAIL_AT(start, "too many nested parentheses");
  asy_token token = token_at(lexer, *start, start);
  lexer->parens[lexer->paren_count++] =
    (asy_lexer_paren){.line = token.span.line, .col = token.span.col, .open = *start, .field = field};
  return token;
}

static asy_token close_paren(asy_lexer *lexer, const char *start) {
  if (!lexer->paren_count) return FAIL_AT(start, "unmatched '%c'", *start);
  asy_lexer_paren open = lexer->parens[lexer->paren_count - 1];
  char expected = open.open == '(' ? ')' : open.open == '[' ? ']' : '}';
  if (*start != expected) {
    if (open.field) return FAIL_AT(start, "f-string: unmatched '%c'", *start);
    if (open.line != lexer->line)
      return FAIL_AT(start, "closing parenthesis '%c' does not match opening parenthesis '%c' on line %u", *start, open.open, open.line);
    return FAIL_AT(start, "closing parenthesis '%c' does not match opening parenthesis '%c'", *start, open.open);
  }
  lexer->paren_count--;
  return token_at(lexer, *start, start);
}

/* The text of an f-string up to a field or its end, or of a format spec up to a field or the end of the spec; then that itself. */
static asy_token fstring_text(asy_lexer *lexer) {
  asy_lexer_fstring *fstring = &lexer->fstrings[lexer->fstring_count - 1];
  bool spec = lexer->paren_count > fstring->base;
  const char *start = lexer->cursor, *p = start;
  asy_token token = token_at(lexer, TOKEN_FSTRING_MIDDLE, start);
  for (;; p++) {
    if (*p == fstring->quote && (!fstring->triple || (p[1] == *p && p[2] == *p))) break;
    if (*p == '{') {
      if (spec || p[1] != '{') break;
      p++;
    } else if (*p == '}') {
      if (spec) break;
      if (p[1] != '}') return FAIL_AT(p, "f-string: single '}' is not allowed");
      p++;
    } else if (*p == '\\') {
      if (p[1] == 'N' && p[2] == '{' && !fstring->raw) {
        while (*p && *p != '}' && *p != '\n' && *p != fstring->quote) p++;
        if (*p != '}') p--;
      } else if (p[1] && p[1] != '{' && p[1] != '}') {
        p++;
        if (*p == '\n') next_line(lexer, p + 1);
      }
    } else if (p == lexer->limit || (*p == '\n' && !fstring->triple)) {
      if (spec && *p == '\n') break;
      if (p == lexer->limit) lexer->line--;
      return unterminated(lexer, fstring->line, fstring->col, fstring->triple, true);
    } else if (*p == '\n') {
      next_line(lexer, p + 1);
    }
  }
  lexer->cursor = p;
  if (p > start) {
    token.raw = fstring->raw;
    token.len = (uint32_t)(p - start);
    token.span.end_line = lexer->line;
    token.span.end_col = (uint32_t)(p - lexer->line_start);
    return token;
  }
  if (*p == '{') return lexer->cursor++, open_paren(lexer, p, true);
  if (*p == '}') return lexer->cursor++, close_paren(lexer, p);
  if (spec && *p == '\n') return FAIL_AT(p, "f-string: newlines are not allowed in format specifiers for single quoted f-strings");
  size_t quotes = fstring->triple ? 3 : 1;
  if (spec) return FAIL_FROM(p, lexer->line, COLUMN(p + quotes), "f-string: expecting '}', or format specs");
  lexer->cursor += quotes;
  lexer->fstring_count--;
  return token_at(lexer, TOKEN_FSTRING_END, p);
}

/* --- Lines and soft keywords ----------------------------------------------------------------------------------------- */

static asy_token end_of_text(asy_lexer *lexer) {
  if (lexer->paren_count) {
    const asy_lexer_paren *open = &lexer->parens[lexer->paren_count - 1];
    asy_diagnostic_set(lexer->error, DIAG_SYNTAX, open->line, open->col, 0, 0, "'%c' was never closed", open->open);
    lexer->ends_early = lexer->never_closed = true;
    return failed(lexer);
  }
  if (lexer->indent_count > 1) {
    lexer->pending = 1 - (int)lexer->indent_count;
    lexer->indent_count = 1;
  }
  return token_at(lexer, TOKEN_END, lexer->cursor);
}

/* After the backslash at the very end. */
static asy_token unexpected_end(asy_lexer *lexer, const char *backslash) {
  lexer->ends_early = lexer->yields = true;
  return FAIL_FROM(backslash + 1, lexer->line, DIAG_NO_COLUMN, "unexpected EOF while parsing");
}

/* Skips lines without tokens, measures the next one and sets `pending`. False: the diagnostic is filled. */
static bool begin_line(asy_lexer *lexer) {
  uint32_t col = 0, alt_col = 0;
  for (const char *p = lexer->cursor;;) {
    if (*p == ' ') {
      col++, alt_col++, p++;
    } else if (*p == '\t') {
      col = (col / 8 + 1) * 8, alt_col++, p++;
    } else if (*p == '\f') {
      col = alt_col = 0, p++;
    } else if (*p == '\\' && p[1] == '\n') {   /* the indentation is that of the first of the joined lines */
      uint32_t kept = col, kept_alt = alt_col;
      if (p + 2 == lexer->limit) return unexpected_end(lexer, p), false;
      p += 2;
      next_line(lexer, p);
      while (*p == ' ' || *p == '\t') p++;
      if (kept) col = kept, alt_col = kept_alt;
      else for (const char *q = lexer->line_start; q < p; q++) col = *q == ' ' ? col + 1 : (col / 8 + 1) * 8, alt_col++;
    } else if (*p == '#') {
      p = strchr(p, '\n');
    } else if (*p == '\n') {
      next_line(lexer, ++p);
      col = alt_col = 0;
    } else {
      lexer->cursor = p;
      break;
    }
  }
  lexer->line_begins = false;
  lexer->first_in_line = true;
  if (lexer->cursor == lexer->limit) col = alt_col = 0;

  asy_lexer_indent *top = &lexer->indents[lexer->indent_count - 1];
  static const char mixed[] = "inconsistent use of tabs and spaces in indentation";
  if (col > top->col) {
    if (alt_col <= top->alt_col) return fail_indent(lexer, DIAG_TAB, mixed, 0), false;
    if (lexer->indent_count == LEX_MAX_INDENTS) return fail_indent(lexer, DIAG_INDENTATION, "too many levels of indentation", 0), false;
    lexer->indents[lexer->indent_count++] = (asy_lexer_indent){.col = col, .alt_col = alt_col, .cases = lexer->cases_next};
    lexer->pending = 1;
    lexer->cases_next = false;
    return true;
  }
  while (col < top->col) top--, lexer->indent_count--, lexer->pending--;
  if (col != top->col) {
    const char *eol = strchr(lexer->cursor, '\n');
    col = eol ? (uint32_t)(eol - lexer->line_start) : 0;
    return fail_indent(lexer, DIAG_INDENTATION, "unindent does not match any outer indentation level", col), false;
  }
  if (alt_col != top->alt_col) return fail_indent(lexer, DIAG_TAB, mixed, 0), false;
  return true;
}

/* Whether the logical line that goes on at the cursor ends in a colon, which no statement but a header does. */
static bool line_ends_in_colon(const asy_lexer *lexer) {
  asy_lexer copy = *lexer;
  asy_diagnostic ignored;
  copy.error = &ignored;
  copy.looking_ahead = true;
  for (int before = 0;;) {
    asy_token token = asy_lexer_next(&copy);
    if (token.kind == TOKEN_NEWLINE || token.kind == TOKEN_END || token.kind == LEX_ERROR) return before == ':';
    before = token.kind;
  }
}

static bool name_follows(const asy_lexer *lexer) {
  const char *p = lexer->cursor;
  while (*p == ' ' || *p == '\t' || (*p == '\\' && p[1] == '\n')) p += *p == '\\' ? 2 : 1;
  if (!is_letter(*p) && (unsigned char)*p < 0x80) return false;
  asy_lexer copy = *lexer;
  asy_diagnostic ignored;
  copy.error = &ignored;
  copy.looking_ahead = true;
  return asy_lexer_next(&copy).kind == TOKEN_NAME;
}

static int soft_keyword(asy_lexer *lexer, int keyword, bool first) {
  if (keyword == TOKEN_TYPE) return !lexer->paren_count && name_follows(lexer) ? TOKEN_TYPE : TOKEN_NAME;
  if (!first) return TOKEN_NAME;
  if (keyword == TOKEN_CASE) return lexer->indents[lexer->indent_count - 1].cases ? TOKEN_CASE : TOKEN_NAME;
  if (!line_ends_in_colon(lexer) && !name_follows(lexer)) return TOKEN_NAME;
  lexer->cases_next = true;
  return TOKEN_MATCH;
}

/* A name, a keyword, or a soft keyword where it is one. */
static asy_token name(asy_lexer *lexer, const char *start, bool first) {
  asy_token token = token_at(lexer, TOKEN_NAME, start);
  token.name = asy_arena_intern(lexer->arena, start, token.len);
  if (!token.name) {
    asy_diagnostic_set(lexer->error, DIAG_MEMORY, 0, 0, 0, 0, "out of memory");
    return failed(lexer);
  }
  switch (token.name->token) {
    case 0: break;
    case TOKEN_MATCH: case TOKEN_CASE: case TOKEN_TYPE:
      if (!lexer->looking_ahead) token.kind = soft_keyword(lexer, (int)token.name->token, first);
      break;
    default: token.kind = (int)token.name->token;
  }
  return token;
}

/* --- Tokens ---------------------------------------------------------------------------------------------------------- */

void asy_lexer_init(asy_lexer *lexer, asy_arena *arena, const asy_source *source, asy_diagnostic *error) {
  *lexer = (asy_lexer){
    .arena = arena, .error = error, .cursor = source->text, .limit = source->text + source->len, .line_start = source->text,
    .line = 1, .line_begins = true, .indent_count = 1,
  };
  asy_name *keyword;
#define KEYWORD(kind, text) if ((keyword = asy_arena_intern(arena, text, sizeof text - 1))) keyword->token = TOKEN_##kind;
  ASY_KEYWORDS(KEYWORD)
  ASY_SOFT_KEYWORDS(KEYWORD)
#undef KEYWORD
}

#define TOKEN(kind) return lexer->cursor = cursor, token_at(lexer, TOKEN_##kind, start)
#define YYCTYPE unsigned char

asy_token asy_lexer_next(asy_lexer *lexer) {
  if (lexer->fstring_count && in_fstring_text(lexer)) return fstring_text(lexer);
  if (lexer->line_begins && !begin_line(lexer)) return failed(lexer);
  if (lexer->pending > 0) return lexer->pending--, token_at(lexer, TOKEN_INDENT, lexer->cursor);
  if (lexer->pending < 0) return lexer->pending++, token_at(lexer, TOKEN_DEDENT, lexer->cursor);
  bool first = lexer->first_in_line;
  lexer->first_in_line = false;

  const char *cursor = lexer->cursor, *marker, *start;
  asy_token bad;
scan:
  start = cursor;
  /*!re2c
    re2c:yyfill:enable = 0;
    re2c:define:YYCURSOR = "cursor";
    re2c:define:YYMARKER = "marker";

    letter = [a-zA-Z_];
    digit = [0-9];
    wide = [\x80-\xff];

    [ \t\f]+            { goto scan; }
    "#" [^\n\x00]*      { goto scan; }
    "\n" {
      lexer->cursor = cursor;
      if (lexer->paren_count) { next_line(lexer, cursor); goto scan; }
      asy_token token = token_at(lexer, TOKEN_NEWLINE, start);
      next_line(lexer, cursor);
      lexer->line_begins = true;
      return token;
    }
    "\\\n" {
      if (cursor < lexer->limit) { next_line(lexer, cursor); goto scan; }
      lexer->cursor = cursor;
      if (lexer->paren_count) return end_of_text(lexer);
      return unexpected_end(lexer, start);
    }
    "\\"                { lexer->cursor = cursor; lexer->yields = true; return FAIL_FROM(cursor, 0, 0, "unexpected character after line continuation character"); }
    "\x00"              { lexer->cursor = start; return end_of_text(lexer); }
    *                   { lexer->cursor = cursor; return bad_character(lexer, start); }

    letter (letter | digit)* { lexer->cursor = cursor; return name(lexer, start, first); }
    (letter | wide) (letter | digit | wide)* {
      lexer->cursor = cursor;
      if (!check_name(lexer, start, &bad)) return bad;
      asy_token token = name(lexer, start, first);
      token.wide = true;
      return token;
    }
    "."? digit          { return number(lexer, start); }
    (('r' 'b'?) | ('b' 'r'?) | 'u')? ['"]    { return string(lexer, start, cursor - 1); }
    ('f' 'r'? | 'r' 'f') ['"]              { return fstring_start(lexer, start, cursor - 1); }

    [([{]               { lexer->cursor = cursor; return open_paren(lexer, start, false); }
    [)\]}]              { lexer->cursor = cursor; return close_paren(lexer, start); }
    ":" {
      lexer->cursor = cursor;
      if (in_field(lexer)) lexer->parens[lexer->paren_count - 1].spec = true;
      return token_at(lexer, ':', start);
    }
    ":=" {
      if (!in_field(lexer)) TOKEN(WALRUS);
      lexer->cursor = cursor - 1;
      lexer->parens[lexer->paren_count - 1].spec = true;
      return token_at(lexer, ':', start);
    }
    [-+*/%@&|^~<>=.,;!] { lexer->cursor = cursor; return token_at(lexer, *start, start); }
    "<>"  { lexer->cursor = cursor; return token_at(lexer, '!', start); }   /* no operator any more: '!' fits nowhere */
    "=="  { TOKEN(EQ); }      "!="  { TOKEN(NE); }      "<="  { TOKEN(LE); }       ">="  { TOKEN(GE); }
    "<<"  { TOKEN(LSHIFT); }  ">>"  { TOKEN(RSHIFT); }  "**"  { TOKEN(POW); }      "//"  { TOKEN(FLOORDIV); }
    "->"  { TOKEN(ARROW); }   "..." { TOKEN(ELLIPSIS); }
    "+="  { TOKEN(ADD_ASSIGN); }     "-="  { TOKEN(SUB_ASSIGN); }     "*="  { TOKEN(MUL_ASSIGN); }
    "/="  { TOKEN(DIV_ASSIGN); }     "//=" { TOKEN(FLOORDIV_ASSIGN); } "%="  { TOKEN(MOD_ASSIGN); }
    "@="  { TOKEN(MATMUL_ASSIGN); }  "&="  { TOKEN(AND_ASSIGN); }     "|="  { TOKEN(OR_ASSIGN); }
    "^="  { TOKEN(XOR_ASSIGN); }     "<<=" { TOKEN(LSHIFT_ASSIGN); }  ">>=" { TOKEN(RSHIFT_ASSIGN); }
    "**=" { TOKEN(POW_ASSIGN); }
  */
}

#undef TOKEN
#undef YYCTYPE
#undef FAIL_AT
#undef FAIL_FROM
#undef COLUMN

const char *asy_token_text(int kind, char one_char[2]) {
  switch (kind) {
#define ROW(name, text) case TOKEN_##name: return text;
    ASY_KEYWORDS(ROW)
    ASY_SOFT_KEYWORDS(ROW)
    ASY_PUNCTUATION(ROW)
    ASY_LAYOUT_TOKENS(ROW)
#undef ROW
    case LEX_ERROR: return "ERROR";
  }
  one_char[0] = (char)kind, one_char[1] = 0;
  return one_char;
}
