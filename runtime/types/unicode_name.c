/* unicode_name.c - names of code points, both ways.
 * The packed text (see unicode_tables.py) is written out at first use, a name a line, with tables of where the names begin and whose
 * they are. Looking a name up is searching the text; ideographs and Hangul syllables are named by rule.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/types/unicode.h"
#include "runtime/vm.h"

enum { COUNT_NAMES, COUNT_ALL, TEXT_LENGTH, LETTERS }; /* of asy_unicode_name_counts */
enum { WORD_CODE = 0x80 };                             /* as in unicode_tables.py */

/* One piece of memory. Names of characters come first, by code point, then the aliases. */
struct asy_unicode_names {
  uint32_t *starts; /* of each name in text */
  uint32_t *codes;  /* whose name it is */
  char *text;       /* a line feed before the first name and behind each */
};

static const struct {
  uint32_t first, last;
  const char *prefix;
} ideographs[] = {
  {0x3400, 0x4DBF, "CJK UNIFIED IDEOGRAPH-"},   {0x4E00, 0x9FFF, "CJK UNIFIED IDEOGRAPH-"},
  {0x20000, 0x2A6DF, "CJK UNIFIED IDEOGRAPH-"}, {0x2A700, 0x2B739, "CJK UNIFIED IDEOGRAPH-"},
  {0x2B740, 0x2B81D, "CJK UNIFIED IDEOGRAPH-"}, {0x2B820, 0x2CEA1, "CJK UNIFIED IDEOGRAPH-"},
  {0x2CEB0, 0x2EBE0, "CJK UNIFIED IDEOGRAPH-"}, {0x2EBF0, 0x2EE5D, "CJK UNIFIED IDEOGRAPH-"},
  {0x30000, 0x3134A, "CJK UNIFIED IDEOGRAPH-"}, {0x31350, 0x323AF, "CJK UNIFIED IDEOGRAPH-"},
  {0x17000, 0x187F7, "TANGUT IDEOGRAPH-"},      {0x18D00, 0x18D08, "TANGUT IDEOGRAPH-"},
};

enum { HANGUL_FIRST = 0xAC00, HANGUL_LAST = 0xD7A3 };
static const char *const hangul_leads[] = {"G",  "GG", "N", "D",  "DD", "R", "M", "B", "BB", "S",
                                           "SS", "",   "J", "JJ", "C",  "K", "T", "P", "H"};
static const char *const hangul_vowels[] = {"A",  "AE", "YA", "YAE", "EO", "E",  "YEO", "YE", "O",  "WA", "WAE",
                                            "OE", "YO", "U",  "WEO", "WE", "WI", "YU",  "EU", "YI", "I"};
static const char *const hangul_tails[] = {"",   "G",  "GG", "GS", "N",  "NJ", "NH", "D", "L",  "LG",
                                           "LM", "LB", "LS", "LT", "LP", "LH", "M",  "B", "BS", "S",
                                           "SS", "NG", "J",  "C",  "K",  "T",  "P",  "H"};

static struct asy_unicode_names *make_names(void) {
  uint32_t count = asy_unicode_name_counts[COUNT_ALL];
  struct asy_unicode_names *names = malloc(sizeof *names + 2 * count * sizeof(uint32_t) +
                                           asy_unicode_name_counts[TEXT_LENGTH] + 1);
  if (!names) return NULL;
  names->starts = (uint32_t *)(names + 1);
  names->codes = names->starts + count;
  names->text = (char *)(names->codes + count);
  return names;
}

/* The first `words` words of the name at `from`, with the space behind each; what was written ends at the result. */
static char *copy_words(char *to, const char *from, unsigned words) {
  for (; words > 0; words--) do
      *to++ = *from;
    while (*from++ != ' ');
  return to;
}

/* Writes the name that follows on the one at `from`: its last letter or its number is one more. */
static char *copy_successor(char *to, const char *from) {
  while (*from != '\n') *to++ = *from++;
  char *last = to;
  while (*--last == '9') *last = '0';
  ++*last;
  return to;
}

/* Writes a line of the packed text, for this code point; `words` are the lines of the frequent words. */
static char *copy_line(char *to, const char *line, const char *const *words, uint32_t code) {
  for (; *line != '\n'; line++)
    if ((uint8_t)*line >= WORD_CODE) to = copy_words(to, words[(uint8_t)*line - WORD_CODE], 1);
    else if (*line == '*') to += sprintf(to, "%04X", code);
    else *to++ = *line;
  return to[-1] == ' ' ? to - 1 : to;
}

static const char *next_line(const char *line) { return strchr(line, '\n') + 1; }

/* The names, kept by the VM; NULL: no memory. */
static const struct asy_unicode_names *unpacked(asy_vm *vm) {
  if (vm->unicode_names) return vm->unicode_names;
  uint8_t *packed = asy_unpack(&asy_unicode_names);
  struct asy_unicode_names *names = packed ? make_names() : NULL;
  if (!names) return free(packed), NULL;
  const char *line = (const char *)packed, *letter = line + asy_unicode_name_counts[LETTERS], *before = NULL;
  const char *words[256 - WORD_CODE];
  for (int i = 0; i < 256 - WORD_CODE; i++, line = next_line(line)) words[i] = line;
  char *to = names->text;
  *to++ = '\n';
  uint32_t code = 0;
  for (uint32_t i = 0; i < asy_unicode_name_counts[COUNT_ALL]; i++, code++) {
    if (*letter == '=') {
      char *end;
      uint32_t number = (uint32_t)strtoul(letter + 1, &end, 16);
      code = i < asy_unicode_name_counts[COUNT_NAMES] ? code + number : number;
      letter = end + 1;
    }
    char *start = to;
    if (*letter == '+') to = copy_successor(to, before);
    else {
      to = copy_line(copy_words(to, before, (unsigned)(*letter - 'A')), line, words, code);
      line = next_line(line);
    }
    *to++ = '\n';
    letter++;
    names->starts[i] = (uint32_t)(start - names->text);
    names->codes[i] = code;
    before = start;
  }
  free(packed);
  return vm->unicode_names = names;
}

/* The place of the greatest of n sorted numbers that is at most x; the first one is. */
static uint32_t place_of(const uint32_t *sorted, uint32_t n, uint32_t x) {
  uint32_t low = 0, high = n;
  while (high - low > 1) {
    uint32_t middle = low + (high - low) / 2;
    if (sorted[middle] <= x) low = middle;
    else high = middle;
  }
  return low;
}

static size_t spell(const struct asy_unicode_names *names, uint32_t c, char out[UNI_NAME_MAX]) {
  uint32_t i = place_of(names->codes, asy_unicode_name_counts[COUNT_NAMES], c);
  if (names->codes[i] != c) return 0;
  const char *name = names->text + names->starts[i];
  size_t length = (size_t)(strchr(name, '\n') - name);
  memcpy(out, name, length);
  out[length] = 0;
  return length;
}

size_t asy_unicode_name(asy_vm *vm, uint32_t c, char out[UNI_NAME_MAX]) {
  for (size_t i = 0; i < sizeof ideographs / sizeof ideographs[0]; i++)
    if (c >= ideographs[i].first && c <= ideographs[i].last)
      return (size_t)sprintf(out, "%s%04X", ideographs[i].prefix, c);
  if (c >= HANGUL_FIRST && c <= HANGUL_LAST) {
    uint32_t i = c - HANGUL_FIRST;
    return (size_t)sprintf(out, "HANGUL SYLLABLE %s%s%s", hangul_leads[i / 588], hangul_vowels[i / 28 % 21],
                           hangul_tails[i % 28]);
  }
  const struct asy_unicode_names *names = asy_unicode_of(c)->category ? unpacked(vm) : NULL;
  return names ? spell(names, c, out) : 0;
}

static uint32_t read_hex(const char *text, const char *end) {
  uint32_t c = 0;
  if (end - text < 4 || end - text > 6) return 0;
  for (; text < end; text++) {
    if (*text >= '0' && *text <= '9') c = c * 16 + (uint32_t)(*text - '0');
    else if (*text >= 'A' && *text <= 'F') c = c * 16 + (uint32_t)(*text - 'A' + 10);
    else return 0;
  }
  return c;
}

/* The longest of the strings that `text` begins with: its number, or -1. */
static int longest(const char *const *strings, int n, const char *text) {
  int best = -1;
  for (int i = 0; i < n; i++)
    if (strncmp(text, strings[i], strlen(strings[i])) == 0 && (best < 0 || strlen(strings[i]) > strlen(strings[best])))
      best = i;
  return best;
}

static uint32_t find_syllable(const char *text) {
  int lead = longest(hangul_leads, 19, text);
  text += strlen(hangul_leads[lead]);
  int vowel = longest(hangul_vowels, 21, text);
  if (vowel < 0) return 0;
  text += strlen(hangul_vowels[vowel]);
  for (int tail = 0; tail < 28; tail++)
    if (strcmp(text, hangul_tails[tail]) == 0) return HANGUL_FIRST + (uint32_t)((lead * 21 + vowel) * 28 + tail);
  return 0;
}

uint32_t asy_unicode_find(asy_vm *vm, const char *name, size_t length) {
  char line[UNI_NAME_MAX + 2], exact[UNI_NAME_MAX], *upper = line + 1;
  if (length == 0 || length >= UNI_NAME_MAX) return 0;
  for (size_t i = 0; i < length; i++) upper[i] = (char)(name[i] >= 'a' && name[i] <= 'z' ? name[i] - 32 : name[i]);
  upper[length] = 0;
  if (strncmp(upper, "HANGUL SYLLABLE ", 16) == 0) return find_syllable(upper + 16);
  const char *dash = strrchr(upper, '-');
  uint32_t c = dash ? read_hex(dash + 1, upper + length) : 0;
  if (c && asy_unicode_name(vm, c, exact) && strcmp(exact, upper) == 0) return c;
  const struct asy_unicode_names *names = unpacked(vm);
  if (!names || strchr(upper, '\n')) return 0;
  line[0] = upper[length] = '\n';
  const char *found = memmem(names->text, asy_unicode_name_counts[TEXT_LENGTH] + 1, line, length + 2);
  if (!found) return 0;
  uint32_t start = (uint32_t)(found + 1 - names->text);
  return names->codes[place_of(names->starts, asy_unicode_name_counts[COUNT_ALL], start)];
}
