/* caret.c - source lines of a frame and the marks below them, as CPython 3.13's traceback module draws them.
 *
 *     total = price * count
 *             ~~~~~~^~~~~~~
 * The operator of a binary operation, the brackets of a subscript and the parentheses of a call are anchors: marked ^, the rest
 * of the segment ~. CPython parses the segment again to find them; here its tokens outside brackets are enough.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/traceback.h"

enum { MOST_TOKENS = 256 };

/* A token outside brackets; a whole bracketed part is one token. */
typedef struct {
  enum { TOKEN_NAME, TOKEN_NUMBER, TOKEN_STRING, TOKEN_OPERATOR, TOKEN_GROUP } type;
  size_t start, end; /* bytes of the segment */
} token;

typedef struct {
  const char *text;
  size_t length;
  token tokens[MOST_TOKENS];
  unsigned count;
} segment;

static bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         (unsigned char)c >= 128;
}
static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r'; }

/* The end of the string literal whose quote is at `at`; the length when it is not closed. */
static size_t string_end(const segment *s, size_t at) {
  char quote = s->text[at];
  bool triple = at + 2 < s->length && s->text[at + 1] == quote && s->text[at + 2] == quote;
  size_t i = at + (triple ? 3 : 1);
  for (; i < s->length; i++) {
    if (s->text[i] == '\\') {
      i++;
    } else if (s->text[i] == quote) {
      if (!triple) return i + 1;
      if (i + 2 < s->length && s->text[i + 1] == quote && s->text[i + 2] == quote) return i + 3;
    }
  }
  return s->length;
}

static size_t skip_comment(const segment *s, size_t i) {
  while (i < s->length && s->text[i] != '\n') i++;
  return i;
}

/* The end of the bracketed part that begins at `at`; 0 when it is not closed. */
static size_t group_end(const segment *s, size_t at) {
  unsigned depth = 0;
  for (size_t i = at; i < s->length;) {
    char c = s->text[i];
    if (c == '\'' || c == '"') {
      i = string_end(s, i);
      continue;
    }
    if (c == '#') {
      i = skip_comment(s, i);
      continue;
    }
    if (c == '(' || c == '[' || c == '{') depth++;
    if ((c == ')' || c == ']' || c == '}') && --depth == 0) return i + 1;
    i++;
  }
  return 0;
}

static size_t operator_length(const segment *s, size_t i) {
  static const char *const longer[] = {"**=", "//=", "<<=", ">>=", "...", "**", "//", "<<", ">>", "==", "!=", "<=",
                                       ">=",  ":=",  "->",  "+=",  "-=",  "*=", "/=", "%=", "&=", "|=", "^=", "@="};
  for (unsigned k = 0; k < sizeof longer / sizeof *longer; k++) {
    size_t n = strlen(longer[k]);
    if (i + n <= s->length && memcmp(s->text + i, longer[k], n) == 0) return n;
  }
  return 1;
}

/* Splits the segment; false when it is too long or not well formed. */
static bool tokenize(segment *s) {
  s->count = 0;
  for (size_t i = 0; i < s->length;) {
    char c = s->text[i];
    if (is_blank(c) || c == '\\') {
      i++;
      continue;
    }
    if (c == '#') {
      i = skip_comment(s, i);
      continue;
    }
    if (s->count == MOST_TOKENS) return false;
    token *t = &s->tokens[s->count++];
    t->start = i;
    if (c == '(' || c == '[' || c == '{') {
      t->type = TOKEN_GROUP;
      t->end = group_end(s, i);
      if (!t->end) return false;
    } else if (c == '\'' || c == '"') {
      t->type = TOKEN_STRING;
      t->end = string_end(s, i);
    } else if ((c >= '0' && c <= '9') ||
               (c == '.' && i + 1 < s->length && s->text[i + 1] >= '0' && s->text[i + 1] <= '9')) {
      t->type = TOKEN_NUMBER;
      size_t end = i + 1;
      while (end < s->length &&
             (is_name_byte(s->text[end]) || s->text[end] == '.' ||
              ((s->text[end] == '+' || s->text[end] == '-') && (s->text[end - 1] == 'e' || s->text[end - 1] == 'E') &&
               !(s->text[i] == '0' && (s->text[i + 1] == 'x' || s->text[i + 1] == 'X')))))
        end++;
      t->end = end;
    } else if (is_name_byte(c)) {
      size_t end = i + 1;
      while (end < s->length && is_name_byte(s->text[end])) end++;
      bool prefix = end < s->length && (s->text[end] == '\'' || s->text[end] == '"') && end - i <= 2;
      t->type = prefix ? TOKEN_STRING : TOKEN_NAME;
      t->end = prefix ? string_end(s, end) : end;
    } else if (c == ')' || c == ']' || c == '}') {
      return false;
    } else {
      t->type = TOKEN_OPERATOR;
      t->end = i + operator_length(s, i);
    }
    i = t->end;
  }
  return s->count != 0;
}

static bool token_is(const segment *s, const token *t, const char *text) {
  return t->end - t->start == strlen(text) && memcmp(s->text + t->start, text, t->end - t->start) == 0;
}

/* Words that make of the segment something else than an arithmetic operation, a subscript or a call. */
static bool is_other_keyword(const segment *s, const token *t) {
  static const char *const words[] = {"lambda", "if",    "else",   "and",  "or",     "not",      "in",
                                      "is",     "await", "yield",  "for",  "async",  "return",   "raise",
                                      "assert", "del",   "import", "from", "global", "nonlocal", "pass",
                                      "while",  "with",  "try",    "def",  "class"};
  for (unsigned k = 0; k < sizeof words / sizeof *words; k++)
    if (token_is(s, t, words[k])) return true;
  return false;
}

/* Precedence of a binary arithmetic operator, loosest 1; 0: not one. */
static int precedence(const segment *s, const token *t) {
  static const struct {
    const char *text;
    int level;
  } rows[] = {{"|", 1}, {"^", 2}, {"&", 3}, {"<<", 4}, {">>", 4}, {"+", 5}, {"-", 5},
              {"*", 6}, {"@", 6}, {"/", 6}, {"//", 6}, {"%", 6},  {"**", 8}};
  for (unsigned k = 0; k < sizeof rows / sizeof *rows; k++)
    if (token_is(s, t, rows[k].text)) return rows[k].level;
  return 0;
}

typedef struct {
  bool found;
  bool call; /* a call, of a plain name or not */
  bool call_of_name;
  size_t start, end; /* the anchor, in bytes of the segment */
} anchors;

static anchors find_anchors(segment *s) {
  anchors result = {0};
  if (!tokenize(s)) return result;
  const token *best = NULL;
  int best_level = 9;
  bool operand = false, unary_first = false;
  for (unsigned i = 0; i < s->count; i++) {
    const token *t = &s->tokens[i];
    if (t->type == TOKEN_NAME && is_other_keyword(s, t)) return result;
    if (t->type != TOKEN_OPERATOR) {
      operand = true;
      continue;
    }
    if (token_is(s, t, ".")) continue;
    int level = precedence(s, t);
    if (token_is(s, t, "...")) {
      operand = true;
      continue;
    }
    if (!operand) { /* a sign or ~ before an operand */
      if (level != 5 && !token_is(s, t, "~")) return result;
      if (i == 0) unary_first = true;
      continue;
    }
    if (!level) return result; /* a comparison, a comma, an assignment .. */
    if (level < best_level || (level == best_level && level != 8)) {
      best = t;
      best_level = level;
    }
    operand = false;
  }
  if (best && !(best_level == 8 && unary_first)) {
    result.found = true;
    result.start = best->start;
    result.end = best->end;
    return result;
  }
  if (best || unary_first) return result;
  const token *last = &s->tokens[s->count - 1];
  if (last->type != TOKEN_GROUP) return result;
  if (s->count == 1) { /* in parentheses as a whole: look inside */
    if (s->text[last->start] != '(' || last->end - last->start <= 2) return result;
    segment *inner = malloc(sizeof *inner);
    if (!inner) return result;
    inner->text = s->text + last->start + 1;
    inner->length = last->end - last->start - 2;
    anchors found = find_anchors(inner);
    free(inner);
    found.start += last->start + 1;
    found.end += last->start + 1;
    found.call = found.call_of_name = false;
    return found;
  }
  char open = s->text[last->start];
  const token *before = last - 1;
  if (open == '{' || before->type == TOKEN_OPERATOR) return result;
  result.found = true;
  result.call = open == '(';
  result.call_of_name = result.call && s->count == 2 && before->type == TOKEN_NAME;
  result.start = last->start;
  result.end = last->end;
  return result;
}

/* ---- Drawing --------------------------------------------------------------------------------------------------------------- */

/* Code points that terminals show two columns wide (East_Asian_Width W and F, Unicode 15.1), in order. */
static const struct {
  uint32_t first, last;
} wide_ranges[] = {
  {0x1100, 0x115f},   {0x231a, 0x231b},   {0x2329, 0x232a},   {0x23e9, 0x23ec},   {0x23f0, 0x23f0},
  {0x23f3, 0x23f3},   {0x25fd, 0x25fe},   {0x2614, 0x2615},   {0x2648, 0x2653},   {0x267f, 0x267f},
  {0x2693, 0x2693},   {0x26a1, 0x26a1},   {0x26aa, 0x26ab},   {0x26bd, 0x26be},   {0x26c4, 0x26c5},
  {0x26ce, 0x26ce},   {0x26d4, 0x26d4},   {0x26ea, 0x26ea},   {0x26f2, 0x26f3},   {0x26f5, 0x26f5},
  {0x26fa, 0x26fa},   {0x26fd, 0x26fd},   {0x2705, 0x2705},   {0x270a, 0x270b},   {0x2728, 0x2728},
  {0x274c, 0x274c},   {0x274e, 0x274e},   {0x2753, 0x2755},   {0x2757, 0x2757},   {0x2795, 0x2797},
  {0x27b0, 0x27b0},   {0x27bf, 0x27bf},   {0x2b1b, 0x2b1c},   {0x2b50, 0x2b50},   {0x2b55, 0x2b55},
  {0x2e80, 0x2e99},   {0x2e9b, 0x2ef3},   {0x2f00, 0x2fd5},   {0x2ff0, 0x303e},   {0x3041, 0x3096},
  {0x3099, 0x30ff},   {0x3105, 0x312f},   {0x3131, 0x318e},   {0x3190, 0x31e3},   {0x31ef, 0x321e},
  {0x3220, 0x3247},   {0x3250, 0x4dbf},   {0x4e00, 0xa48c},   {0xa490, 0xa4c6},   {0xa960, 0xa97c},
  {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe10, 0xfe19},   {0xfe30, 0xfe52},   {0xfe54, 0xfe66},
  {0xfe68, 0xfe6b},   {0xff01, 0xff60},   {0xffe0, 0xffe6},   {0x16fe0, 0x16fe4}, {0x16ff0, 0x16ff1},
  {0x17000, 0x187f7}, {0x18800, 0x18cd5}, {0x18d00, 0x18d08}, {0x1aff0, 0x1aff3}, {0x1aff5, 0x1affb},
  {0x1affd, 0x1affe}, {0x1b000, 0x1b122}, {0x1b132, 0x1b132}, {0x1b150, 0x1b152}, {0x1b155, 0x1b155},
  {0x1b164, 0x1b167}, {0x1b170, 0x1b2fb}, {0x1f004, 0x1f004}, {0x1f0cf, 0x1f0cf}, {0x1f18e, 0x1f18e},
  {0x1f191, 0x1f19a}, {0x1f200, 0x1f202}, {0x1f210, 0x1f23b}, {0x1f240, 0x1f248}, {0x1f250, 0x1f251},
  {0x1f260, 0x1f265}, {0x1f300, 0x1f320}, {0x1f32d, 0x1f335}, {0x1f337, 0x1f37c}, {0x1f37e, 0x1f393},
  {0x1f3a0, 0x1f3ca}, {0x1f3cf, 0x1f3d3}, {0x1f3e0, 0x1f3f0}, {0x1f3f4, 0x1f3f4}, {0x1f3f8, 0x1f43e},
  {0x1f440, 0x1f440}, {0x1f442, 0x1f4fc}, {0x1f4ff, 0x1f53d}, {0x1f54b, 0x1f54e}, {0x1f550, 0x1f567},
  {0x1f57a, 0x1f57a}, {0x1f595, 0x1f596}, {0x1f5a4, 0x1f5a4}, {0x1f5fb, 0x1f64f}, {0x1f680, 0x1f6c5},
  {0x1f6cc, 0x1f6cc}, {0x1f6d0, 0x1f6d2}, {0x1f6d5, 0x1f6d7}, {0x1f6dc, 0x1f6df}, {0x1f6eb, 0x1f6ec},
  {0x1f6f4, 0x1f6fc}, {0x1f7e0, 0x1f7eb}, {0x1f7f0, 0x1f7f0}, {0x1f90c, 0x1f93a}, {0x1f93c, 0x1f945},
  {0x1f947, 0x1f9ff}, {0x1fa70, 0x1fa7c}, {0x1fa80, 0x1fa88}, {0x1fa90, 0x1fabd}, {0x1fabf, 0x1fac5},
  {0x1face, 0x1fadb}, {0x1fae0, 0x1fae8}, {0x1faf0, 0x1faf8}, {0x20000, 0x2fffd}, {0x30000, 0x3fffd},
};

unsigned asy_char_width(uint32_t code_point) {
  size_t low = 0, high = sizeof wide_ranges / sizeof *wide_ranges;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (wide_ranges[middle].last < code_point) low = middle + 1;
    else high = middle;
  }
  return low < sizeof wide_ranges / sizeof *wide_ranges && wide_ranges[low].first <= code_point ? 2 : 1;
}

/* Columns that n bytes of UTF-8 take on a terminal. */
static size_t width(const char *text, size_t n) {
  size_t columns = 0;
  for (size_t i = 0; i < n;) {
    unsigned char lead = (unsigned char)text[i];
    unsigned length = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    uint32_t c = length == 1 ? lead : lead & (0x7fu >> length);
    for (unsigned k = 1; k < length && i + k < n; k++) c = c << 6 | ((unsigned char)text[i + k] & 0x3f);
    columns += asy_char_width(c);
    i += length;
  }
  return columns;
}

static size_t blank_prefix(const asy_source_span *line) {
  size_t n = 0;
  while (n < line->len && is_blank(line->text[n])) n++;
  return n;
}

static bool all_blank(const char *text, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (!is_blank(text[i])) return false;
  return true;
}

/* The statement is `x = CALL` or `return NAME(..)` and the call is the segment: marks would say nothing. */
static bool says_nothing(const asy_source_span *first, size_t start, const asy_source_span *last, size_t end,
                         const anchors *a) {
  if (!a->call || !all_blank(last->text + end, last->len - end)) {
    if (!a->call || end >= last->len || last->text[end + strspn(last->text + end, " ")] != '#') return false;
  }
  size_t from = blank_prefix(first), to = start;
  while (to > from && is_blank(first->text[to - 1])) to--;
  const char *text = first->text + from;
  size_t n = to - from;
  if (n == 6 && memcmp(text, "return", 6) == 0) return a->call_of_name;
  if (n < 2 || text[n - 1] != '=' || strchr("+-*/%&|^@<>!=:", text[n - 2])) return false;
  segment *target = malloc(sizeof *target);
  if (!target) return false;
  target->text = text;
  target->length = n - 1;
  bool plain = tokenize(target);
  for (unsigned i = 0; plain && i < target->count; i++) plain = !token_is(target, &target->tokens[i], ":");
  free(target);
  return plain;
}

typedef struct {
  const asy_source_span *lines; /* dedented */
  uint32_t nlines;
  size_t start, end; /* of the segment, in bytes of the first and last line */
  bool carets, anchored;
  uint32_t left_line, right_line; /* the anchor */
  size_t left, right;             /* its columns */
} drawing;

/* What stands below a column: ' ', '^' or '~'. */
static char mark_at(const drawing *d, uint32_t i, size_t column, size_t from, size_t to) {
  if (column < from || column >= to) return ' ';
  bool inside = d->anchored && (i > d->left_line || (i == d->left_line && column >= d->left)) &&
                (i < d->right_line || (i == d->right_line && column < d->right));
  return d->anchored && !inside ? '~' : '^';
}

static void change_paint(asy_sink *out, char *painted, char mark) {
  if (*painted == mark) return;
  if (*painted != ' ') asy_sink_paint(out, PAINT_END);
  if (mark != ' ') asy_sink_paint(out, mark == '^' ? PAINT_MARK : PAINT_REST);
  *painted = mark;
}

static void draw_line(asy_sink *out, const drawing *d, uint32_t i) {
  const asy_source_span *line = &d->lines[i];
  size_t from = blank_prefix(line), to = 0;
  if (d->carets) to = width(line->text, i == d->nlines - 1 ? d->end : line->len);
  if (i == 0 && width(line->text, d->start) > from) from = width(line->text, d->start);
  char painted = ' ';
  asy_sink_text(out, "    ");
  for (size_t at = 0, column = 0; at < line->len;) {
    size_t n = 1;
    while (at + n < line->len && ((unsigned char)line->text[at + n] & 0xc0) == 0x80) n++;
    change_paint(out, &painted, mark_at(d, i, column, from, to));
    asy_sink_add(out, line->text + at, n);
    column += width(line->text + at, n);
    at += n;
  }
  change_paint(out, &painted, ' ');
  asy_sink_text(out, "\n");
  if (!d->carets) return;
  asy_sink_text(out, "    ");
  for (size_t column = 0; column < to; column++) {
    char mark = mark_at(d, i, column, from, to);
    change_paint(out, &painted, mark);
    asy_sink_add(out, &mark, 1);
  }
  change_paint(out, &painted, ' ');
  asy_sink_text(out, "\n");
}

static bool significant(const drawing *d, uint32_t i) {
  if (i == 0 || i == d->nlines - 1) return true;
  if (!d->anchored) return false;
  return (i + 1 >= d->left_line && i <= d->left_line + 1) || (i + 1 >= d->right_line && i <= d->right_line + 1);
}

static void draw(asy_sink *out, const drawing *d) {
  uint32_t previous = 0;
  for (uint32_t i = 0; i < d->nlines; i++) {
    if (!significant(d, i)) continue;
    if (i - previous == 2) draw_line(out, d, i - 1);
    else if (i - previous > 2) asy_sink_format(out, "    ...<%u lines>...\n", i - previous - 1);
    draw_line(out, d, i);
    previous = i;
  }
}

/* Where byte `at` of the segment lies: line and column. The segment begins at byte `start` of line 0. */
static void locate(const drawing *d, size_t at, uint32_t *line, size_t *column) {
  at += d->start;
  uint32_t i = 0;
  while (i + 1 < d->nlines && at > d->lines[i].len) at -= d->lines[i++].len + 1;
  *line = i;
  *column = width(d->lines[i].text, at < d->lines[i].len ? at : d->lines[i].len);
}

static void mark(drawing *d) {
  size_t total = 0;
  for (uint32_t i = 0; i < d->nlines; i++) total += d->lines[i].len + 1;
  char *text = malloc(total + 1);
  segment *s = malloc(sizeof *s);
  if (text && s) {
    size_t n = 0;
    for (uint32_t i = 0; i < d->nlines; i++) {
      size_t from = i == 0 ? d->start : 0, to = i == d->nlines - 1 ? d->end : d->lines[i].len;
      if (to > from) memcpy(text + n, d->lines[i].text + from, to - from), n += to - from;
      if (i < d->nlines - 1) text[n++] = '\n';
    }
    s->text = text;
    s->length = n;
    anchors a = find_anchors(s);
    const asy_source_span *first = &d->lines[0], *last = &d->lines[d->nlines - 1];
    if (!says_nothing(first, d->start, last, d->end, &a)) {
      d->carets = a.found || !all_blank(first->text, d->start) || !all_blank(last->text + d->end, last->len - d->end);
      d->anchored = a.found;
      if (a.found) {
        locate(d, a.start, &d->left_line, &d->left);
        locate(d, a.end, &d->right_line, &d->right);
      }
    }
  }
  free(text);
  free(s);
}

void asy_show_source(asy_sink *out, const asy_source_span *lines, uint32_t nlines, int32_t start, int32_t end,
                     bool columns) {
  asy_source_span *dedented = malloc(nlines * sizeof *dedented);
  if (!dedented) return;
  size_t common = SIZE_MAX;
  for (uint32_t i = 0; i < nlines; i++) {
    dedented[i] = lines[i];
    while (dedented[i].len && is_blank(dedented[i].text[dedented[i].len - 1])) dedented[i].len--;
    size_t prefix = blank_prefix(&dedented[i]);
    if (prefix < dedented[i].len && prefix < common) common = prefix;
  }
  if (common != SIZE_MAX) {
    for (uint32_t i = 0; i < nlines; i++) {
      size_t cut = dedented[i].len < common ? dedented[i].len : common;
      dedented[i].text += cut;
      dedented[i].len -= cut;
    }
    drawing d = {.lines = dedented, .nlines = nlines};
    if (columns) {
      size_t from = start > (int32_t)common ? (size_t)start - common : 0,
             to = end > (int32_t)common ? (size_t)end - common : 0;
      d.start = from < dedented[0].len ? from : dedented[0].len;
      d.end = to < dedented[nlines - 1].len ? to : dedented[nlines - 1].len;
      mark(&d);
      draw(out, &d);
    } else {
      d.nlines = 1;
      draw_line(out, &d, 0);
    }
  }
  free(dedented);
}
