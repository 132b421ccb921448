/* translate.c - from Python's pattern language to PCRE2's, in one pass.
 *
 * Each construct is written when it has been read; only what a quantifier, a look-behind or a reference must know is kept: where the
 * last item begins in the output, what sort it is, and how wide it and the groups are. What depends on the subject's width (one byte a
 * unit: sets become bit maps of 256) or on flags that end with a group is written so that PCRE2 needs no option for it: sets list their
 * characters, case variants included. Two options are toggled in the output, (?i) and (?s), and `written` says how they stand.
 *
 * Must stay true: errors are those of CPython's re, in its order; an atom of one character is one atom of PCRE2, even when it can match
 * nothing, so that look-behinds keep their widths.
 */
#include <stdio.h>
#include <stdlib.h>

#include "stdlib/re/re.h"

#define MAX_WIDTH UINT64_MAX
enum { MAX_REPEAT = UINT32_MAX, PCRE_REPEAT = 65535, MAX_BEHIND = 65535 };

typedef struct {
  uint64_t low, high; /* saturated at MAX_WIDTH */
} extent;

typedef enum { ITEM_NONE, ITEM_UNIT, ITEM_AT, ITEM_REPEAT, ITEM_GROUP, ITEM_LOOK } item_kind;

typedef struct {
  extent width;
  bool closed;
} group_state;

typedef struct {
  re_reader in;
  re_text out;
  uint32_t flags;   /* of the whole pattern */
  unsigned width;   /* bytes a unit of the subjects */
  uint32_t written; /* RE_IGNORECASE and RE_DOTALL as PCRE2 has them at the end of the output */
  group_state *group;
  uint32_t groups, group_cap; /* group 0 counts */
  uint32_t *closing, closed;
  uint32_t look_behind; /* groups there were when the outermost look-behind began; 0: in none */
  asy_dict *names;
  bool captures_repeat, atomic, loose_behind, far_behind;
  asy_dict *forward; /* groups not seen yet that conditions ask for -> where first; NULL: none */
} translator;

static bool fail_memory(translator *t) {
  if (!t->in.failed) asy_raise_no_memory(t->in.vm);
  t->in.failed = true;
  return false;
}

/* ---- Widths ---- */

static uint64_t add_width(uint64_t a, uint64_t b) { return a > MAX_WIDTH - b ? MAX_WIDTH : a + b; }
static uint64_t multiply_width(uint64_t a, uint64_t b) {
  uint64_t product;
  return __builtin_mul_overflow(a, b, &product) ? MAX_WIDTH : product;
}
static void extend(extent *e, extent by) {
  e->low = add_width(e->low, by.low);
  e->high = add_width(e->high, by.high);
}
static const extent one = {1, 1};

/* ---- Characters ---- */

uint32_t re_lower(uint32_t c) {
  uint32_t out[3];
  if (c < 128) return c - 'A' < 26u ? c + 32 : c;
  asy_unicode_lower(c, out);
  return out[0];
}

static bool is_alnum(uint32_t c) { return asy_unicode_is(c, UNI_ALPHA | UNI_DECIMAL | UNI_DIGIT | UNI_NUMERIC); }

bool re_is_word(uint32_t c, bool unicode) {
  if (c < 128 || !unicode) return (c | 32) - 'a' < 26u || c - '0' < 10u || c == '_';
  return is_alnum(c);
}

bool re_is_space(uint32_t c, bool unicode) {
  if (c < 128) return c - 9 < 5u || c == ' ' || (unicode && c - 28 < 4u);
  return unicode && asy_unicode_is_space(c);
}

static bool is_digit(uint32_t c, bool unicode) {
  return c < 128 ? c - '0' < 10u : unicode && asy_unicode_decimal(c) >= 0;
}

/* Lower-case letters that are variants of each other though lower() keeps them apart: they have the same upper case. */
static const uint16_t variants[][3] = {
  {0x69, 0x131},           {0x73, 0x17F},   {0xB5, 0x3BC},   {0x345, 0x3B9, 0x1FBE}, {0x390, 0x1FD3},  {0x3B0, 0x1FE3},
  {0x3B2, 0x3D0},          {0x3B5, 0x3F5},  {0x3B8, 0x3D1},  {0x3BA, 0x3F0},         {0x3C0, 0x3D6},   {0x3C1, 0x3F1},
  {0x3C2, 0x3C3},          {0x3C6, 0x3D5},  {0x432, 0x1C80}, {0x434, 0x1C81},        {0x43E, 0x1C82},  {0x441, 0x1C83},
  {0x442, 0x1C84, 0x1C85}, {0x44A, 0x1C86}, {0x463, 0x1C87}, {0xA64B, 0x1C88},       {0x1E61, 0x1E9B}, {0xFB05, 0xFB06},
};
/* Letters whose lower() is not undone by upper() or title(). */
static const uint16_t one_way[][2] = {{0x130, 0x69},  {0x212A, 0x6B},  {0x212B, 0xE5},
                                      {0x3F4, 0x3B8}, {0x2126, 0x3C9}, {0x1E9E, 0xDF}};
enum { MAX_VARIANTS = 16 };

/* The characters whose lower() is `low`. */
static unsigned add_cases(uint32_t low, uint32_t *out, unsigned n) {
  uint32_t mapped[3];
  out[n++] = low;
  unsigned upper = asy_unicode_upper(low, mapped);
  if (upper == 1 && mapped[0] != low && re_lower(mapped[0]) == low) out[n++] = mapped[0];
  uint32_t first = mapped[0];
  if (asy_unicode_title(low, mapped) == 1 && mapped[0] != low && !(upper == 1 && mapped[0] == first) &&
      re_lower(mapped[0]) == low)
    out[n++] = mapped[0];
  for (size_t i = 0; i < sizeof one_way / sizeof *one_way; i++)
    if (one_way[i][1] == low) out[n++] = one_way[i][0];
  return n;
}

/* What c matches when case is ignored: c itself, too. */
static unsigned variants_of(uint32_t c, bool unicode, uint32_t out[MAX_VARIANTS]) {
  if (!unicode) {
    out[0] = c;
    if ((c | 32) - 'a' >= 26u || c > 127) return 1;
    out[1] = c ^ 32;
    return 2;
  }
  uint32_t low = re_lower(c);
  unsigned n = add_cases(low, out, 0);
  for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
    const uint16_t *row = variants[i];
    if (row[0] != low && row[1] != low && (!row[2] || row[2] != low)) continue;
    for (int k = 0; k < 3 && row[k]; k++)
      if (row[k] != low) n = add_cases(row[k], out, n);
  }
  return n;
}

/* ---- Output ---- */

static void put(translator *t, const char *text) { re_text_add(&t->out, text, strlen(text)); }

/* One character, as it may stand inside and outside of sets. */
static void put_char(translator *t, uint32_t c) {
  char text[16];
  if (c < 128 && re_is_word(c, false)) text[0] = (char)c, text[1] = 0;
  else if (c > 32 && c < 127) text[0] = '\\', text[1] = (char)c, text[2] = 0;
  else snprintf(text, sizeof text, "\\x{%x}", (unsigned)c);
  put(t, text);
}

static void put_range(translator *t, uint32_t first, uint32_t last) {
  put_char(t, first);
  if (last > first + 1) put(t, "-");
  if (last > first) put_char(t, last);
}

static void insert(translator *t, size_t at, const char *text) {
  size_t n = strlen(text);
  put(t, text);
  if (t->out.failed) return;
  memmove(t->out.data + at + n, t->out.data + at, t->out.len - n - at);
  memcpy(t->out.data + at, text, n);
}

/* PCRE2's option `flag` as the next atom needs it. */
static void want(translator *t, uint32_t flag, bool on) {
  if (((t->written & flag) != 0) == on) return;
  t->written ^= flag;
  put(t, flag == RE_IGNORECASE ? (on ? "(?i)" : "(?-i)") : on ? "(?s)" : "(?-s)");
}

static uint32_t unit_limit(const translator *t) { return t->width == 1 ? 0xFF : t->width == 2 ? 0xFFFF : 0x10FFFF; }
static bool is_unicode(const translator *t, uint32_t flags) { return t->in.is_text && !(flags & RE_ASCII); }

static void put_never(translator *t) {
  put(t, t->width == 1 ? "[^\\x00-\\xff]" : t->width == 2 ? "[^\\x00-\\x{ffff}]" : "[^\\x00-\\x{ffffffff}]");
}

static void put_any(translator *t, bool newline_too) {
  want(t, RE_DOTALL, newline_too);
  put(t, ".");
}

/* ---- Sets ---- */

enum { CATEGORY_DIGIT = 1, CATEGORY_SPACE = 2, CATEGORY_WORD = 4 }; /* and the same times 8: not */

typedef struct {
  struct {
    uint32_t first, last;
  } * ranges; /* malloc'ed */
  uint32_t count, cap;
  unsigned categories;
  bool negated, failed;
} char_set;

static void add_range(char_set *s, uint32_t first, uint32_t last) {
  if (s->count == s->cap) {
    uint32_t cap = s->cap ? s->cap * 2 : 16;
    void *grown = realloc(s->ranges, cap * sizeof *s->ranges);
    if (!grown) {
      s->failed = true;
      return;
    }
    s->ranges = grown;
    s->cap = cap;
  }
  s->ranges[s->count].first = first;
  s->ranges[s->count++].last = last;
}

static bool in_categories(uint32_t c, unsigned categories, bool unicode) {
  return (categories & CATEGORY_DIGIT && is_digit(c, unicode)) ||
         (categories & CATEGORY_DIGIT << 3 && !is_digit(c, unicode)) ||
         (categories & CATEGORY_SPACE && re_is_space(c, unicode)) ||
         (categories & CATEGORY_SPACE << 3 && !re_is_space(c, unicode)) ||
         (categories & CATEGORY_WORD && re_is_word(c, unicode)) ||
         (categories & CATEGORY_WORD << 3 && !re_is_word(c, unicode));
}

/* The last code point that any case mapping knows. */
enum { LAST_CASED = 0x1E943 };

/* Adds the case variants of the set's own ranges. */
static void fold_set(char_set *s, bool unicode, uint32_t limit) {
  uint32_t own = s->count, found[MAX_VARIANTS];
  for (uint32_t i = 0; i < own && !s->failed; i++) {
    uint32_t first = s->ranges[i].first, last = s->ranges[i].last;
    if (first == 0 && last >= limit) continue;
    if (last > LAST_CASED) last = LAST_CASED;
    for (uint32_t c = first; c <= last; c++) {
      unsigned n = variants_of(c, unicode, found);
      for (unsigned k = 0; k < n; k++)
        if (found[k] <= limit && (found[k] < first || found[k] > last)) add_range(s, found[k], found[k]);
    }
  }
}

typedef struct {
  uint8_t bits[32];
} byte_set;
static bool has_byte(const byte_set *b, unsigned c) { return b->bits[c >> 3] >> (c & 7) & 1; }

static unsigned count_runs(const byte_set *b, bool value) {
  unsigned runs = 0;
  for (unsigned c = 0; c < 256; c++) runs += has_byte(b, c) == value && (c == 0 || has_byte(b, c - 1) != value);
  return runs;
}

static void put_runs(translator *t, const byte_set *b, bool value) {
  for (unsigned c = 0; c < 256; c++) {
    if (has_byte(b, c) != value) continue;
    unsigned last = c;
    while (last < 255 && has_byte(b, last + 1) == value) last++;
    put_range(t, c, last);
    c = last;
  }
}

/* \d, \s, \w or their opposites, when the set is just that and PCRE2's tables mean the same. */
static bool put_category(translator *t, const byte_set *b, bool unicode) {
  if (unicode != is_unicode(t, t->flags)) return false;
  for (unsigned category = CATEGORY_DIGIT; category <= CATEGORY_WORD << 3; category <<= 1) {
    unsigned c = 0;
    while (c < 256 && has_byte(b, c) == in_categories(c, category, unicode)) c++;
    if (c < 256) continue;
    char text[] = {'\\',
                   category & (CATEGORY_DIGIT | CATEGORY_DIGIT << 3)   ? 'd'
                   : category & (CATEGORY_SPACE | CATEGORY_SPACE << 3) ? 's'
                                                                       : 'w',
                   0};
    if (category > CATEGORY_WORD) text[1] = (char)(text[1] - 32);
    put(t, text);
    return true;
  }
  return false;
}

static void put_byte_set(translator *t, const char_set *s, uint32_t flags) {
  byte_set b = {{0}};
  bool unicode = is_unicode(t, flags);
  for (uint32_t i = 0; i < s->count; i++)
    for (uint32_t c = s->ranges[i].first; c <= s->ranges[i].last && c < 256; c++)
      b.bits[c >> 3] |= (uint8_t)(1 << (c & 7));
  if (s->categories)
    for (unsigned c = 0; c < 256; c++)
      if (in_categories(c, s->categories, unicode)) b.bits[c >> 3] |= (uint8_t)(1 << (c & 7));
  if (s->negated)
    for (int i = 0; i < 32; i++) b.bits[i] = (uint8_t)~b.bits[i];
  unsigned in = count_runs(&b, true), out = count_runs(&b, false);
  if (!in) {
    put_never(t);
  } else if (!out) {
    put_any(t, true);
  } else if (!s->categories || !put_category(t, &b, unicode)) {
    want(t, RE_IGNORECASE, false);
    put(t, out < in ? "[^" : "[");
    put_runs(t, &b, in <= out);
    put(t, "]");
  }
}

/* The categories of text, for units of two and four bytes. Word characters that are newer than PCRE2's tables come behind. */
static const struct {
  unsigned category;
  const char *ascii, *unicode;
} category_text[] = {
  {CATEGORY_DIGIT, "0-9", "\\p{Nd}"},
  {CATEGORY_DIGIT << 3, "\\x00-/:-\\x{10ffff}", "\\P{Nd}"},
  {CATEGORY_SPACE, "\\t-\\r ",
   "\\t-\\r\\x1c- \\x85\\xa0\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"},
  {CATEGORY_SPACE << 3, "\\x00-\\x08\\x0e-\\x1f!-\\x{10ffff}",
   "\\x00-\\x08\\x0e-\\x1b!-\\x84\\x86-\\x9f\\xa1-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}"
   "\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{10ffff}"},
  {CATEGORY_WORD, "0-9A-Z_a-z", "0-9A-Z_a-z\\p{L}\\p{N}"},
  {CATEGORY_WORD << 3, "\\x00-/:-@[-^`{-\\x{10ffff}", "\\W"},
};
static const char new_words[] =
  "\\x{1123f}-\\x{11240}\\x{11f02}\\x{11f04}-\\x{11f10}\\x{11f12}-\\x{11f33}\\x{11f50}-\\x{11f59}\\x{1342f}\\x{13441}-"
  "\\x{13446}\\x{1b132}\\x{1b155}\\x{1d2c0}-\\x{1d2d3}\\x{1df25}-\\x{1df2a}\\x{1e030}-\\x{1e06d}\\x{1e4d0}-\\x{1e4eb}"
  "\\x{1e4f0}-\\x{1e4f9}\\x{2b739}\\x{2ebf0}-\\x{2ee5d}\\x{31350}-\\x{323af}";

/* The text of a category, with the end of ranges as the width wants it. */
static void put_category_text(translator *t, const char *text) {
  const char *end = strstr(text, "{10ffff}");
  re_text_add(&t->out, text, end ? (size_t)(end - text) : strlen(text));
  if (end) put(t, t->width == 2 ? "{ffff}" : "{10ffff}");
}

static void put_wide_set(translator *t, const char_set *s, uint32_t flags) {
  bool unicode = is_unicode(t, flags), any = false;
  uint32_t limit = unit_limit(t);
  size_t at = t->out.len;
  want(t, RE_IGNORECASE, false);
  put(t, s->negated ? "[^" : "[");
  for (uint32_t i = 0; i < s->count; i++) {
    if (s->ranges[i].first > limit) continue;
    put_range(t, s->ranges[i].first, s->ranges[i].last < limit ? s->ranges[i].last : limit);
    any = true;
  }
  for (size_t i = 0; i < sizeof category_text / sizeof *category_text; i++) {
    if (!(s->categories & category_text[i].category)) continue;
    put_category_text(t, unicode ? category_text[i].unicode : category_text[i].ascii);
    if (unicode && t->width == 4 && category_text[i].category == CATEGORY_WORD) put(t, new_words);
    any = true;
  }
  put(t, "]");
  if (any || t->out.failed) return;
  t->out.len = at;
  if (s->negated) put_any(t, true);
  else put_never(t);
}

static bool put_set(translator *t, char_set *s, uint32_t flags) {
  if (flags & RE_IGNORECASE && s->count) fold_set(s, is_unicode(t, flags), unit_limit(t));
  if (!s->failed && t->width == 1) put_byte_set(t, s, flags);
  else if (!s->failed) put_wide_set(t, s, flags);
  return !s->failed || fail_memory(t);
}

static bool put_literal(translator *t, uint32_t c, uint32_t flags) {
  uint32_t found[MAX_VARIANTS], limit = unit_limit(t);
  unsigned n = 1, kept = 0;
  found[0] = c;
  if (flags & RE_IGNORECASE) n = variants_of(c, is_unicode(t, flags), found);
  for (unsigned i = 0; i < n; i++)
    if (found[i] <= limit) found[kept++] = found[i];
  if (kept == 0) {
    put_never(t);
  } else if (kept == 1) {
    if ((found[0] | 32) - 'a' < 26u || found[0] > 127) want(t, RE_IGNORECASE, false);
    put_char(t, found[0]);
  } else if (kept == 2 && t->width == 1 && (found[0] ^ found[1]) == 32 && found[0] < 128) {
    want(t, RE_IGNORECASE, true); /* an ASCII letter */
    put_char(t, found[0]);
  } else {
    char_set s = {0};
    for (unsigned i = 0; i < kept; i++) add_range(&s, found[i], found[i]);
    bool good = put_set(t, &s, flags & ~(uint32_t)RE_IGNORECASE);
    free(s.ranges);
    return good;
  }
  return true;
}

static bool put_one_category(translator *t, unsigned category, uint32_t flags) {
  char_set s = {.categories = category};
  return put_set(t, &s, flags);
}

/* ---- Escapes ---- */

static int digit_value(uint32_t c, int base) {
  int value = c - '0' < 10u ? (int)(c - '0') : (c | 32) - 'a' < 6u ? (int)((c | 32) - 'a') + 10 : 99;
  return c < 128 && value < base ? value : -1;
}

static bool next_is_digit(const translator *t, int base) {
  return t->in.next != RE_END && !t->in.escaped && digit_value(t->in.next, base) >= 0;
}

/* The text from `start` to the next token, for an error about it. */
static bool bad_text(translator *t, uint32_t start, const char *format) {
  asy_str *s = (asy_str *)asy_obj_of(t->in.str);
  uint32_t end = re_tell(&t->in);
  asy_str *text = t->in.failed ? NULL : asy_str_slice(t->in.vm, s, start, end);
  if (!text) return !(t->in.failed = true);
  return re_reader_fail(&t->in, end - start, format, text);
}

/* A hexadecimal escape of exactly n digits that begins at `start`. */
static bool read_hex(translator *t, uint32_t start, int n, uint32_t *out) {
  uint64_t value = 0;
  int got = 0;
  for (; got < n && next_is_digit(t, 16); got++) {
    value = value * 16 + (uint64_t)digit_value(t->in.next, 16);
    re_reader_advance(&t->in);
  }
  if (got < n) return bad_text(t, start, "incomplete escape %U");
  if (value > 0x10FFFF) return bad_text(t, start, "bad escape %U");
  *out = (uint32_t)value;
  return !t->in.failed;
}

static bool read_named(translator *t, uint32_t *out) {
  if (!re_accept(&t->in, '{')) return re_reader_fail(&t->in, 0, "missing {");
  asy_str *name = re_read_until(&t->in, '}', "character name");
  if (!name) return !(t->in.failed = true);
  asy_value keep;
  size_t length;
  const char *text = asy_str_utf8(t->in.vm, name, &length, &keep);
  if (!text) return !(t->in.failed = true);
  *out = asy_unicode_find(t->in.vm, text, length);
  if (*out) return true;
  return re_reader_fail(&t->in, (int64_t)name->len + 4, "undefined character name %R", asy_from_obj(name));
}

/* Escapes that mean one character in sets and outside alike. 1: *out; 0: another escape; -1 failed. The token \c has been read. */
static int read_char_escape(translator *t, uint32_t c, uint32_t start, uint32_t *out) {
  static const char letters[] = "afnrtv", values[] = "\a\f\n\r\t\v";
  const char *place = c && c < 128 ? strchr(letters, (int)c) : NULL;
  if (place) *out = (uint8_t)values[place - letters];
  else if (c == 'x') return read_hex(t, start, 2, out) ? 1 : -1;
  else if (c == 'u' && t->in.is_text) return read_hex(t, start, 4, out) ? 1 : -1;
  else if (c == 'U' && t->in.is_text) return read_hex(t, start, 8, out) ? 1 : -1;
  else if (c == 'N' && t->in.is_text) return read_named(t, out) ? 1 : -1;
  else if (c < 128 && ((c | 32) - 'a' < 26u || c - '0' < 10u)) return 0;
  else *out = c;
  return 1;
}

/* The rest of an octal escape whose first digits are `value`: up to `more` digits. */
static bool read_octal(translator *t, uint32_t start, uint32_t value, int more, uint32_t *out) {
  for (; more > 0 && next_is_digit(t, 8); more--) {
    value = value * 8 + (uint32_t)digit_value(t->in.next, 8);
    re_reader_advance(&t->in);
  }
  *out = value;
  if (value > 0377) return bad_text(t, start, "octal escape value %U outside of range 0-0o377");
  return !t->in.failed;
}

static unsigned category_of(uint32_t c) {
  switch (c) {
    case 'd': return CATEGORY_DIGIT;
    case 'D': return CATEGORY_DIGIT << 3;
    case 's': return CATEGORY_SPACE;
    case 'S': return CATEGORY_SPACE << 3;
    case 'w': return CATEGORY_WORD;
    case 'W': return CATEGORY_WORD << 3;
    default: return 0;
  }
}

/* ---- Groups ---- */

static bool open_group(translator *t, uint32_t *number) {
  if (t->groups == t->group_cap) {
    uint32_t cap = t->group_cap ? t->group_cap * 2 : 8;
    group_state *group = realloc(t->group, cap * sizeof *group);
    if (!group) return fail_memory(t);
    t->group = group;
    uint32_t *closing = realloc(t->closing, cap * sizeof *closing);
    if (!closing) return fail_memory(t);
    t->closing = closing;
    t->group_cap = cap;
  }
  *number = t->groups;
  t->group[t->groups++] = (group_state){{0, 0}, false};
  return true;
}

static bool is_closed(const translator *t, uint32_t number) { return number < t->groups && t->group[number].closed; }

static bool check_behind(translator *t, uint32_t number) {
  if (!t->look_behind) return true;
  if (!is_closed(t, number)) return re_reader_fail(&t->in, 0, "cannot refer to an open group");
  if (number >= t->look_behind)
    return re_reader_fail(&t->in, 0, "cannot refer to group defined in the same lookbehind subpattern");
  return true;
}

/* What has been read of a sequence: its last item, for the quantifiers. */
typedef struct {
  extent width; /* of the items before the last */
  extent last;
  size_t at;        /* where the last item begins in the output */
  uint32_t groups;  /* that there were before it */
  uint32_t written; /* as it was before it */
  uint32_t length;  /* items */
  item_kind kind;
} sequence;

static void begin_item(const translator *t, sequence *s) {
  extend(&s->width, s->last);
  s->last = (extent){0, 0};
  s->at = t->out.len;
  s->groups = t->groups;
  s->written = t->written;
  s->length++;
}

static void end_item(sequence *s, item_kind kind, extent width) {
  s->kind = kind;
  s->last = width;
}

static bool parse_branches(translator *t, uint32_t flags, bool nested, extent *width, sequence *only);
static bool parse_branch(translator *t, uint32_t *flags, bool nested, bool first, extent *width, sequence *s);

static bool put_reference(translator *t, uint32_t number, uint32_t flags) {
  char text[24];
  want(t, RE_IGNORECASE, flags & RE_IGNORECASE);
  snprintf(text, sizeof text, "\\g{%u}", (unsigned)number);
  put(t, text);
  return true;
}

/* \1 to \99, or an octal escape of three digits. */
static bool parse_number_escape(translator *t, uint32_t c, uint32_t start, uint32_t flags, sequence *s) {
  uint32_t value = c - '0';
  if (next_is_digit(t, 10)) {
    uint32_t second = t->in.next;
    re_reader_advance(&t->in);
    if (c < '8' && second < '8' && next_is_digit(t, 8)) {
      uint32_t literal;
      if (!read_octal(t, start, value * 8 + (second - '0'), 1, &literal)) return false;
      end_item(s, ITEM_UNIT, one);
      return put_literal(t, literal, flags);
    }
    value = value * 10 + (second - '0');
  }
  int64_t length = re_tell(&t->in) - start;
  if (value >= t->groups) return re_reader_fail(&t->in, length - 1, "invalid group reference %u", value);
  if (!is_closed(t, value)) return re_reader_fail(&t->in, length, "cannot refer to an open group");
  if (!check_behind(t, value)) return false;
  end_item(s, ITEM_GROUP, t->group[value].width);
  return put_reference(t, value, flags);
}

/* \b and \B by the characters beside, where PCRE2's own would not mean the same. */
static bool put_boundary(translator *t, bool boundary, uint32_t flags) {
  bool native = is_unicode(t, flags) == is_unicode(t, t->flags) && (t->width == 1 || is_unicode(t, flags));
  if (!boundary) put(t, "(?!\\A\\z)"); /* \B does not match the empty text */
  if (native) {
    put(t, boundary ? "\\b" : "\\B");
    return true;
  }
  char_set word = {.categories = CATEGORY_WORD};
  static const char *const parts[2][5] = {{"(?:(?<=", ")(?=", ")|(?<!", ")(?!", "))"},
                                          {"(?:(?<=", ")(?!", ")|(?<!", ")(?=", "))"}};
  want(t, RE_IGNORECASE, false);
  for (int i = 0; i < 5; i++) {
    put(t, parts[boundary][i]);
    if (i < 4 && !put_set(t, &word, flags)) return false;
  }
  return true;
}

static bool parse_escape(translator *t, uint32_t c, uint32_t flags, sequence *s) {
  uint32_t start = re_tell(&t->in) - 2, literal;
  unsigned category = category_of(c);
  if (category) {
    end_item(s, ITEM_UNIT, one);
    return put_one_category(t, category, flags);
  }
  end_item(s, ITEM_AT, (extent){0, 0});
  switch (c) {
    case 'A': return put(t, "\\A"), true;
    case 'Z': return put(t, "\\z"), true;
    case 'b': return put_boundary(t, true, flags);
    case 'B': return put_boundary(t, false, flags);
    default: break;
  }
  end_item(s, ITEM_UNIT, one);
  if (c == '0') return read_octal(t, start, 0, 2, &literal) && put_literal(t, literal, flags);
  if (c - '0' < 10u) return parse_number_escape(t, c, start, flags, s);
  int found = read_char_escape(t, c, start, &literal);
  if (found < 0) return false;
  return found ? put_literal(t, literal, flags) : bad_text(t, start, "bad escape %U");
}

/* ---- [...] ---- */

/* A member of a set whose first token was (c, escaped): a character, or a category and *category. */
static bool parse_member(translator *t, uint32_t c, bool escaped, uint32_t *out, unsigned *category) {
  *out = c;
  *category = 0;
  if (!escaped) return true;
  uint32_t start = re_tell(&t->in) - 2;
  *category = category_of(c);
  if (*category) return true;
  if (c == 'b') return *out = '\b', true;
  if (c - '0' < 8u) return read_octal(t, start, c - '0', 2, out);
  int found = read_char_escape(t, c, start, out);
  return found > 0 || (!found && bad_text(t, start, "bad escape %U"));
}

static bool warn_set(translator *t, const char *what, int64_t at) {
  asy_value module = asy_import(t->in.vm, "warnings");
  asy_value warn = asy_failed(module) ? ASY_FAILED : asy_get_attr_cstr(t->in.vm, module, "warn");
  asy_str *text = asy_failed(warn) ? NULL
                                   : asy_str_format(t->in.vm, "Possible %s at position %lld", what, (long long)at);
  asy_value builtins = text ? asy_import(t->in.vm, "builtins") : ASY_FAILED;
  asy_value category = asy_failed(builtins) ? ASY_FAILED : asy_get_attr_cstr(t->in.vm, builtins, "FutureWarning");
  if (asy_failed(category)) return !(t->in.failed = true);
  asy_value args[] = {asy_from_obj(text), category, asy_from_small(2)};
  if (asy_failed(asy_call(t->in.vm, warn, 3, args))) return !(t->in.failed = true);
  return true;
}

static bool unterminated_set(translator *t, uint32_t here) {
  return re_reader_fail(&t->in, (int64_t)re_tell(&t->in) - here, "unterminated character set");
}

static bool parse_set_body(translator *t, char_set *set, uint32_t here, bool *single) {
  re_reader *in = &t->in;
  uint32_t members = 0;
  if (re_at(in, '[') && !warn_set(t, "nested set", re_tell(in))) return false;
  set->negated = re_accept(in, '^');
  for (;;) {
    uint32_t c = in->next, low, high, start = re_tell(in);
    bool escaped = in->escaped;
    unsigned category, other;
    re_reader_advance(in);
    if (in->failed) return false;
    if (c == RE_END) return unterminated_set(t, here);
    if (c == ']' && !escaped && members) return true;
    if (members && !escaped && c < 128 && c && strchr("-&~|", (int)c) && re_at(in, c) &&
        !warn_set(t,
                  c == '-'   ? "set difference"
                  : c == '&' ? "set intersection"
                  : c == '~' ? "set symmetric difference"
                             : "set union",
                  (int64_t)re_tell(in) - 1))
      return false;
    if (!parse_member(t, c, escaped, &low, &category)) return false;
    members++;
    *single = members == 1 && !category;
    if (!re_accept(in, '-')) {
      if (category) set->categories |= category;
      else add_range(set, low, low);
      continue;
    }
    c = in->next;
    escaped = in->escaped;
    re_reader_advance(in);
    if (in->failed) return false;
    if (c == RE_END) return unterminated_set(t, here);
    *single = false;
    if (c == ']' && !escaped) {
      if (category) set->categories |= category;
      else add_range(set, low, low);
      add_range(set, '-', '-');
      return true;
    }
    if (c == '-' && !escaped && !warn_set(t, "set difference", (int64_t)re_tell(in) - 2)) return false;
    if (!parse_member(t, c, escaped, &high, &other)) return false;
    if (category || other || high < low) return bad_text(t, start, "bad character range %U");
    add_range(set, low, high);
  }
}

static bool parse_set(translator *t, uint32_t flags) {
  char_set set = {0};
  bool single = false;
  bool good = parse_set_body(t, &set, re_tell(&t->in) - 1, &single) && !t->in.failed;
  if (good && single && !set.negated && set.count == 1) good = put_literal(t, set.ranges[0].first, flags);
  else if (good) good = put_set(t, &set, flags);
  free(set.ranges);
  return good;
}

/* ---- Quantifiers ---- */

static bool repeat_number(translator *t, uint64_t *out, bool *given) {
  *given = false;
  uint64_t value = 0;
  for (; next_is_digit(t, 10); re_reader_advance(&t->in)) {
    if (value <= MAX_REPEAT) value = value * 10 + (t->in.next - '0');
    *given = true;
  }
  if (*given) *out = value;
  return !t->in.failed;
}

static bool too_large(translator *t) {
  if (!t->in.failed) asy_raise(t->in.vm, ASY_OverflowError, "the repetition number is too large");
  return !(t->in.failed = true);
}

static void put_count(translator *t, uint64_t low, uint64_t high) {
  char text[48];
  if (low == 0 && high == 1) put(t, "?");
  else if (high == MAX_REPEAT && low < 2) put(t, low ? "+" : "*");
  else if (low == high) snprintf(text, sizeof text, "{%u}", (unsigned)low), put(t, text);
  else if (high == MAX_REPEAT) snprintf(text, sizeof text, "{%u,}", (unsigned)low), put(t, text);
  else snprintf(text, sizeof text, "{%u,%u}", (unsigned)low, (unsigned)high), put(t, text);
}

/* The item with counts that PCRE2 allows: X{m,n} is X{65535}X{m - 65535,n - 65535}, or X{m,65534}. */
static void put_pieces(translator *t, const char *item, size_t length, uint64_t low, uint64_t high, char mode) {
  char suffix[2] = {mode == '+' ? 0 : mode, 0};
  bool plain = high == MAX_REPEAT ? low <= PCRE_REPEAT : high <= PCRE_REPEAT, choice = low < PCRE_REPEAT;
  if (plain) {
    re_text_add(&t->out, item, length);
    put_count(t, low, high);
    put(t, suffix);
    return;
  }
  if (choice) put(t, "(?:");
  if (choice && mode == '?') {
    put_pieces(t, item, length, low, PCRE_REPEAT - 1, mode);
    put(t, "|");
  }
  put_pieces(t, item, length, PCRE_REPEAT, PCRE_REPEAT, mode);
  put_pieces(t, item, length, choice ? 0 : low - PCRE_REPEAT, high == MAX_REPEAT ? high : high - PCRE_REPEAT, mode);
  if (choice && mode != '?') {
    put(t, "|");
    put_pieces(t, item, length, low, PCRE_REPEAT - 1, mode);
  }
  if (choice) put(t, ")");
}

static void put_big_count(translator *t, const sequence *s, uint64_t low, uint64_t high, char mode) {
  size_t length = t->out.len - s->at;
  char *item = malloc(length + 1);
  if (!item || t->out.failed) {
    free(item);
    t->out.failed = true;
    return;
  }
  if (high > INT32_MAX) high = MAX_REPEAT; /* no text is longer */
  if (low > INT32_MAX) low = INT32_MAX;
  memcpy(item, t->out.data + s->at, length);
  t->out.len = s->at;
  put(t, mode == '+' ? "(?>" : "(?:");
  put_pieces(t, item, length, low, high, mode);
  put(t, ")");
  free(item);
}

/* Brackets around the output since the item began. */
static void enclose(translator *t, const sequence *s, const char *bracket) {
  insert(t, s->at, bracket);
  put(t, ")");
  t->written = s->written;
}

/* The item no times. Only its captures count, and PCRE2 takes a \\A in (X|\\A){0} for one that must hold; a look-ahead has no width in a
 * look-behind either. */
static void put_no_times(translator *t, const sequence *s) {
  if (s->groups == t->groups) t->out.len = s->at;
  else insert(t, s->at, "(?!(?!)"), put(t, ")");
  t->written = s->written;
}

/* The quantifier c was read. False with *literal: a `{` that is none. A possessive one of groups takes no turn back, in no part:
 * (?>(?>X)*), as CPython does it; PCRE2's own (X)*+ looks for other ways in earlier turns, and its JIT leaves captures set. */
static bool parse_repeat(translator *t, uint32_t c, sequence *s, bool *literal) {
  re_reader *in = &t->in;
  uint32_t here = re_tell(in);
  uint64_t low = c == '+', high = c == '?' ? 1 : MAX_REPEAT;
  *literal = false;
  if (c == '{') {
    re_reader start = *in;
    bool given_low = false, given_high = false;
    if (re_at(in, '}')) return !(*literal = true);
    if (!repeat_number(t, &low, &given_low)) return false;
    if (re_accept(in, ',')) {
      if (!repeat_number(t, &high, &given_high)) return false;
    } else if (given_low) {
      high = low, given_high = true;
    }
    if (!re_at(in, '}')) {
      *in = start;
      return !(*literal = true);
    }
    re_reader_advance(in);
    if (in->failed) return false;
    if ((given_low && low >= MAX_REPEAT) || (given_high && high >= MAX_REPEAT)) return too_large(t);
    if (given_high && high < low)
      return re_reader_fail(in, (int64_t)re_tell(in) - here, "min repeat greater than max repeat");
  }
  if (s->kind == ITEM_NONE || s->kind == ITEM_AT)
    return re_reader_fail(in, (int64_t)re_tell(in) - here + 1, "nothing to repeat");
  if (s->kind == ITEM_REPEAT) return re_reader_fail(in, (int64_t)re_tell(in) - here + 1, "multiple repeat");
  char mode = re_accept(in, '?') ? '?' : re_accept(in, '+') ? '+' : 0;
  if (s->groups < t->groups && high > 1) t->captures_repeat = true;
  bool big = (low > PCRE_REPEAT) || (high > PCRE_REPEAT && high != MAX_REPEAT);
  bool atomic = mode == '+' && s->kind == ITEM_GROUP;
  if (atomic) t->atomic = true;
  if (atomic || s->kind == ITEM_LOOK || (big && s->kind != ITEM_UNIT)) enclose(t, s, atomic ? "(?>" : "(?:");
  if (high == 0 && s->kind != ITEM_UNIT) {
    put_no_times(t, s);
  } else if (big) {
    put_big_count(t, s, low, high, mode);
    t->written = s->written;
  } else {
    char suffix[2] = {atomic ? 0 : mode, 0};
    put_count(t, low, high);
    put(t, suffix);
    if (atomic) enclose(t, s, "(?>");
  }
  extent repeated = {multiply_width(s->last.low, low),
                     high == MAX_REPEAT && s->last.high ? MAX_WIDTH : multiply_width(s->last.high, high)};
  end_item(s, ITEM_REPEAT, repeated);
  return !in->failed;
}

/* ---- (...) ---- */

static uint32_t flag_of(uint32_t c) {
  switch (c) {
    case 'i': return RE_IGNORECASE;
    case 'L': return RE_LOCALE;
    case 'm': return RE_MULTILINE;
    case 's': return RE_DOTALL;
    case 'x': return RE_VERBOSE;
    case 'a': return RE_ASCII;
    case 'u': return RE_UNICODE;
    default: return 0;
  }
}

/* The next token of flags: a flag's letter, or one of `ends`. Anything else: `missing` or "unknown flag". */
static bool next_flag(translator *t, const char *ends, const char *missing, uint32_t *c) {
  re_reader *in = &t->in;
  *c = in->next;
  bool escaped = in->escaped;
  re_reader_advance(in);
  if (in->failed) return false;
  if (*c == RE_END) return re_reader_fail(in, 0, "%s", missing);
  if (!escaped && *c < 128 && *c && strchr(ends, (int)*c)) return true;
  if (!escaped && flag_of(*c)) return true;
  bool letter = !escaped && (*c < 128 ? (*c | 32) - 'a' < 26u : asy_unicode_is(*c, UNI_ALPHA));
  return re_reader_fail(in, escaped ? 2 : 1, "%s", letter ? "unknown flag" : missing);
}

/* What follows `(?` and the first letter c. *global: (?flags) */
static bool parse_flags(translator *t, uint32_t c, uint32_t *add, uint32_t *remove, bool *global) {
  re_reader *in = &t->in;
  *add = *remove = 0;
  while (c != '-') {
    uint32_t flag = flag_of(c);
    if (in->is_text && c == 'L')
      return re_reader_fail(in, 0, "bad inline flags: cannot use 'L' flag with a str pattern");
    if (!in->is_text && c == 'u')
      return re_reader_fail(in, 0, "bad inline flags: cannot use 'u' flag with a bytes pattern");
    *add |= flag;
    if (flag & RE_TYPE_FLAGS && (*add & RE_TYPE_FLAGS) != flag)
      return re_reader_fail(in, 0, "bad inline flags: flags 'a', 'u' and 'L' are incompatible");
    if (!next_flag(t, ")-:", "missing -, : or )", &c)) return false;
    if (c == ')') return *global = true;
    if (c == ':') return true;
  }
  if (!next_flag(t, "", "missing flag", &c)) return false;
  for (;;) {
    if (flag_of(c) & RE_TYPE_FLAGS)
      return re_reader_fail(in, 0, "bad inline flags: cannot turn off flags 'a', 'u' and 'L'");
    *remove |= flag_of(c);
    if (!next_flag(t, ":", "missing :", &c)) return false;
    if (c == ':') break;
  }
  if (*add & *remove) return re_reader_fail(in, 1, "bad inline flags: flag turned on and off");
  return true;
}

static bool close_bracket(translator *t, uint32_t start) {
  if (re_accept(&t->in, ')')) return !t->in.failed;
  return re_reader_fail(&t->in, (int64_t)re_tell(&t->in) - start, "missing ), unterminated subpattern");
}

/* The inside of brackets already opened in the output, its closing bracket too. */
static bool parse_inside(translator *t, uint32_t flags, uint32_t start, extent *width) {
  uint32_t written = t->written;
  sequence only;
  if (!parse_branches(t, flags, true, width, &only) || !close_bracket(t, start)) return false;
  put(t, ")");
  t->written = written;
  return true;
}

static bool parse_look(translator *t, uint32_t c, uint32_t flags, uint32_t start, sequence *s) {
  re_reader *in = &t->in;
  bool behind = c == '<';
  if (behind) {
    c = in->next;
    bool escaped = in->escaped;
    re_reader_advance(in);
    if (in->failed) return false;
    if (c == RE_END) return re_reader_fail(in, 0, "unexpected end of pattern");
    if (escaped || (c != '=' && c != '!'))
      return re_reader_fail(in, escaped ? 4 : 3, escaped ? "unknown extension ?<\\%c" : "unknown extension ?<%c",
                            (int)c);
  }
  uint32_t outer = t->look_behind;
  if (behind && !outer) t->look_behind = t->groups;
  put(t, behind ? (c == '=' ? "(?<=" : "(?<!") : c == '=' ? "(?=" : "(?!");
  extent width;
  if (!parse_inside(t, flags, start, &width)) return false;
  t->look_behind = outer;
  if (behind && width.low != width.high) t->loose_behind = true;
  if (behind && width.low > MAX_BEHIND) t->far_behind = true;
  end_item(s, ITEM_LOOK, (extent){0, 0});
  return true;
}

static bool note_forward(translator *t, uint32_t number, uint32_t at) {
  asy_value old;
  if (!t->forward) t->forward = asy_dict_new(t->in.vm, 0);
  int has = t->forward ? asy_dict_get(t->in.vm, t->forward, asy_from_small(number), &old) : -1;
  bool good = has > 0 || (!has && asy_dict_set(t->in.vm, t->forward, asy_from_small(number), asy_from_small(at)));
  return good || !(t->in.failed = true);
}

/* (?(group)yes|no) */
static bool parse_condition(translator *t, uint32_t flags, uint32_t start, sequence *s) {
  re_reader *in = &t->in;
  asy_str *name = re_read_until(in, ')', "group name");
  if (!name) return !(in->failed = true);
  uint64_t number;
  if (!re_decimal(name, &number)) {
    if (!re_check_name(in, name, 1)) return false;
    asy_value found;
    int has = asy_dict_get(in->vm, t->names, asy_from_obj(name), &found);
    if (has < 0) return !(in->failed = true);
    if (!has) return re_reader_fail(in, (int64_t)name->len + 1, "unknown group name %R", asy_from_obj(name));
    number = (uint64_t)asy_small(found);
  } else {
    if (!number) return re_reader_fail(in, (int64_t)name->len + 1, "bad group number");
    if (number >= RE_MAX_GROUPS) return re_reader_fail(in, (int64_t)name->len + 1, "invalid group reference %U", name);
    if (number >= t->groups && !note_forward(t, (uint32_t)number, re_tell(in) - name->len - 1)) return false;
  }
  if (!check_behind(t, (uint32_t)number)) return false;
  char text[24];
  snprintf(text, sizeof text, "(?(%u)", (unsigned)number);
  put(t, text);
  uint32_t written = t->written;
  extent yes = {0, 0}, no = {0, 0};
  sequence inner = {0};
  if (!parse_branch(t, &flags, true, false, &yes, &inner)) return false;
  if (re_accept(in, '|')) {
    inner = (sequence){0};
    put(t, "|");
    if (!parse_branch(t, &flags, true, false, &no, &inner)) return false;
    if (re_at(in, '|')) return re_reader_fail(in, 0, "conditional backref with more than two branches");
  }
  if (!close_bracket(t, start)) return false;
  put(t, ")");
  t->written = written;
  end_item(s, ITEM_GROUP, (extent){yes.low < no.low ? yes.low : no.low, yes.high > no.high ? yes.high : no.high});
  return true;
}

static bool parse_named_reference(translator *t, uint32_t flags, sequence *s) {
  re_reader *in = &t->in;
  asy_str *name = re_read_until(in, ')', "group name");
  if (!name) return !(in->failed = true);
  if (!re_check_name(in, name, 1)) return false;
  asy_value found;
  int has = asy_dict_get(in->vm, t->names, asy_from_obj(name), &found);
  if (has < 0) return !(in->failed = true);
  if (!has) return re_reader_fail(in, (int64_t)name->len + 1, "unknown group name %R", asy_from_obj(name));
  uint32_t number = (uint32_t)asy_small(found);
  if (!is_closed(t, number)) return re_reader_fail(in, (int64_t)name->len + 1, "cannot refer to an open group");
  if (!check_behind(t, number)) return false;
  end_item(s, ITEM_GROUP, t->group[number].width);
  return put_reference(t, number, flags);
}

static bool skip_comment(translator *t, uint32_t start) {
  re_reader *in = &t->in;
  for (;;) {
    if (in->failed) return false;
    if (in->next == RE_END) return re_reader_fail(in, (int64_t)re_tell(in) - start, "missing ), unterminated comment");
    if (re_accept(in, ')')) return !in->failed;
    re_reader_advance(in);
  }
}

static bool name_group(translator *t, asy_str *name, uint32_t number) {
  asy_vm *vm = t->in.vm;
  asy_value key = asy_from_obj(name), old;
  int has = asy_dict_get(vm, t->names, key, &old);
  if (has > 0)
    return re_reader_fail(&t->in, (int64_t)name->len + 1, "redefinition of group name %R as group %u; was group %d",
                          key, number, (int)asy_small(old));
  if (has < 0 || !asy_dict_set(vm, t->names, key, asy_from_small(number))) return !(t->in.failed = true);
  return true;
}

/* A group that only brackets one unit is that unit: PCRE2 repeats it in place. */
static void unwrap(translator *t, size_t at, size_t opening, const sequence *only, sequence *s) {
  if (only->length != 1 || only->kind != ITEM_UNIT || only->at != at + opening || t->out.failed) return;
  memmove(t->out.data + at, t->out.data + at + opening, t->out.len - at - opening - 1);
  t->out.len -= opening + 1;
  s->kind = ITEM_UNIT;
}

/* In the last branch of a group whose branches may end in different places. The JIT of PCRE2 10.42 remembers how far a repetition behind the
 * group came from the end of one branch, and then does not try it from an earlier end of another, as (?:ab|a)b*bc on abbc needs it; what is
 * repeated no times costs nothing and ends that. */
static const char forget_ends[] = "(?:a){0}";

/* Everything behind the bracket that `start` is at. *skip: nothing was written (a comment, global flags). */
static bool parse_group(translator *t, uint32_t *flags, uint32_t start, bool global_allowed, sequence *s, bool *skip) {
  re_reader *in = &t->in;
  uint32_t inner_flags = *flags, number = 0;
  bool capture = true, plain = false;
  asy_str *name = NULL;
  size_t at = t->out.len;
  *skip = false;
  if (re_accept(in, '?')) {
    uint32_t c = in->next;
    bool escaped = in->escaped;
    re_reader_advance(in);
    if (in->failed) return false;
    if (c == RE_END) return re_reader_fail(in, 0, "unexpected end of pattern");
    if (escaped) return re_reader_fail(in, 3, "unknown extension ?\\%c", (int)c);
    capture = false;
    if (c == 'P' && re_accept(in, '<')) {
      name = re_read_until(in, '>', "group name");
      if (!name) return !(in->failed = true);
      if (!re_check_name(in, name, 1)) return false;
      capture = true;
    } else if (c == 'P' && re_accept(in, '=')) {
      return parse_named_reference(t, *flags, s);
    } else if (c == 'P') {
      c = in->next;
      escaped = in->escaped;
      re_reader_advance(in);
      if (in->failed) return false;
      if (c == RE_END) return re_reader_fail(in, 0, "unexpected end of pattern");
      return re_reader_fail(in, escaped ? 4 : 3, escaped ? "unknown extension ?P\\%c" : "unknown extension ?P%c",
                            (int)c);
    } else if (c == '#') {
      *skip = true;
      return skip_comment(t, start);
    } else if (c == '=' || c == '!' || c == '<') {
      return parse_look(t, c, *flags, start, s);
    } else if (c == '(') {
      return parse_condition(t, *flags, start, s);
    } else if (c == '>') {
      t->atomic = true;
      put(t, "(?>");
    } else if (c == ':') {
      put(t, "(?:");
      plain = true;
    } else if (c == '-' || flag_of(c)) {
      uint32_t add, remove;
      bool global = false;
      if (!parse_flags(t, c, &add, &remove, &global)) return false;
      if (global) {
        if (!global_allowed)
          return re_reader_fail(in, (int64_t)re_tell(in) - start, "global flags not at the start of the expression");
        *flags = t->flags |= add;
        return *skip = true;
      }
      if (add & RE_TYPE_FLAGS) inner_flags &= ~(uint32_t)RE_TYPE_FLAGS;
      inner_flags = (inner_flags | add) & ~remove;
      put(t, "(?:");
    } else {
      return re_reader_fail(in, 2, "unknown extension ?%c", (int)c);
    }
  }
  if (capture) {
    if (t->groups > RE_MAX_GROUPS) return re_reader_fail(in, name ? (int64_t)name->len + 1 : 0, "too many groups");
    if (!open_group(t, &number) || (name && !name_group(t, name, number))) return false;
    put(t, "(");
  }
  uint32_t written = t->written;
  extent width;
  sequence only;
  if (!parse_branches(t, inner_flags, true, &width, &only)) return false;
  if (!close_bracket(t, start)) return false;
  if (only.length == 0 && width.low != width.high) put(t, forget_ends);
  put(t, ")");
  end_item(s, ITEM_GROUP, width);
  if (plain && t->written == written) unwrap(t, at, 3, &only, s);
  t->written = written;
  if (capture) {
    t->group[number] = (group_state){width, true};
    t->closing[number - 1] = t->closed++;
  }
  return true;
}

/* ---- Sequences and alternatives ---- */

static bool skip_verbose(translator *t, uint32_t c) {
  if (c == ' ' || (c >= 9 && c <= 13)) return true;
  if (c != '#') return false;
  while (!t->in.failed && t->in.next != RE_END) {
    bool end = re_at(&t->in, '\n');
    re_reader_advance(&t->in);
    if (end) break;
  }
  return true;
}

static bool parse_branch(translator *t, uint32_t *flags, bool nested, bool first, extent *width, sequence *s) {
  re_reader *in = &t->in;
  if (!asy_check_c_stack(in->vm)) return !(in->failed = true);
  while (!in->failed && in->next != RE_END && !re_at(in, '|') && !re_at(in, ')')) {
    uint32_t c = in->next, start = re_tell(in);
    bool escaped = in->escaped, good = true;
    re_reader_advance(in);
    if (in->failed) break;
    if (!escaped && *flags & RE_VERBOSE && skip_verbose(t, c)) continue;
    if (!escaped && (c == '*' || c == '+' || c == '?' || c == '{')) {
      bool literal;
      if (parse_repeat(t, c, s, &literal)) continue;
      if (!literal || in->failed) break;
    }
    sequence before = *s;
    begin_item(t, s);
    end_item(s, ITEM_UNIT, one);
    if (escaped) {
      good = parse_escape(t, c, *flags, s);
    } else if (c == '[') {
      good = parse_set(t, *flags);
    } else if (c == '.') {
      put_any(t, *flags & RE_DOTALL);
    } else if (c == '(') {
      bool skip;
      good = parse_group(t, flags, start, first && !nested && before.length == 0, s, &skip);
      if (skip) *s = before;
    } else if (c == '^' || c == '$') {
      bool lines = *flags & RE_MULTILINE;
      put(t, c == '^' ? (lines ? "^" : "\\A") : lines ? "$" : "\\Z");
      end_item(s, ITEM_AT, (extent){0, 0});
    } else {
      good = put_literal(t, c, *flags);
    }
    if (!good) {
      in->failed = true;
      break;
    }
  }
  *width = s->width;
  extend(width, s->last);
  return !in->failed;
}

/* *only: what was read, when it is one branch; else without items. */
static bool parse_branches(translator *t, uint32_t flags, bool nested, extent *width, sequence *only) {
  *only = (sequence){0};
  for (bool first = true;; first = false) {
    extent branch;
    sequence s = {0};
    if (!parse_branch(t, &flags, nested, first, &branch, &s)) return false;
    if (first) *width = branch;
    width->low = branch.low < width->low ? branch.low : width->low;
    width->high = branch.high > width->high ? branch.high : width->high;
    if (first) *only = s;
    else only->length = 0;
    if (!re_accept(&t->in, '|')) return !t->in.failed;
    put(t, "|");
  }
}

/* The flags that the pattern ends up with, as CPython checks them. */
static bool fix_flags(translator *t) {
  const char *wrong = NULL;
  if (t->in.is_text) {
    if (t->flags & RE_LOCALE) wrong = "cannot use LOCALE flag with a str pattern";
    else if (!(t->flags & RE_ASCII)) t->flags |= RE_UNICODE;
    else if (t->flags & RE_UNICODE) wrong = "ASCII and UNICODE flags are incompatible";
  } else if (t->flags & RE_UNICODE) {
    wrong = "cannot use UNICODE flag with a bytes pattern";
  } else if (t->flags & RE_LOCALE && t->flags & RE_ASCII) {
    wrong = "ASCII and LOCALE flags are incompatible";
  }
  if (!wrong) return true;
  asy_raise(t->in.vm, ASY_ValueError, "%s", wrong);
  return !(t->in.failed = true);
}

static bool translate(translator *t) {
  extent width;
  sequence only;
  uint32_t none;
  asy_vm *vm = t->in.vm;
  if (!open_group(t, &none) || !parse_branches(t, t->flags, false, &width, &only) || !fix_flags(t)) return false;
  if (t->in.next != RE_END) return re_reader_fail(&t->in, 0, "unbalanced parenthesis");
  uint32_t position = 0;
  asy_value number, at;
  while (t->forward && asy_dict_next(t->forward, &position, &number, &at))
    if (asy_small(number) >= t->groups)
      return re_fail(vm, t->in.source, asy_small(at), asy_str_format(vm, "invalid group reference %R", number));
  if (t->far_behind) return re_fail(vm, ASY_NONE, -1, asy_str_from_cstr(vm, "looks too much behind"));
  if (t->loose_behind)
    return re_fail(vm, ASY_NONE, -1, asy_str_from_cstr(vm, "look-behind requires fixed-width pattern"));
  return !t->out.failed || fail_memory(t);
}

bool re_translate(asy_vm *vm, asy_value source, uint32_t flags, unsigned width, re_translation *out) {
  translator t = {.flags = flags, .width = width, .names = asy_dict_new(vm, 0)};
  bool good = t.names && re_reader_init(&t.in, vm, source) && translate(&t);
  free(t.group);
  if (!good) {
    free(t.closing);
    re_text_free(&t.out);
    return false;
  }
  *out = (re_translation){t.out, t.flags, t.groups - 1, t.names, t.closing, t.captures_repeat, t.atomic};
  return true;
}

void re_translation_free(re_translation *t) {
  re_text_free(&t->text);
  free(t->closing);
  t->closing = NULL;
}
