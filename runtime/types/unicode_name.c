/* unicode_name.c - names of code points, both ways.
 * A name is a row of word codes (see unicode_tables.py): 1..127 for the words used most, 128..255 and a byte 1..255 for the others,
 * 0 ends it. Looking a name up codes its words and searches the row; ideographs and Hangul syllables are named by rule.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "runtime/types/unicode.h"
#include "runtime/vm.h"

enum { SHORT_WORDS = 127, NAMES_PER_ENTRY = 64, WORDS_PER_ENTRY = 16 }; /* as in unicode_tables.py */
enum { COUNT_NAMES, COUNT_ALL, COUNT_RUNS, COUNT_WORDS };

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

/* The names and behind them the words, kept by the VM; NULL: no memory. */
static const uint8_t *unpacked(asy_vm *vm) {
  if (vm->unicode_names) return vm->unicode_names;
  uLongf size = asy_unicode_names_size + asy_unicode_words_size;
  uint8_t *names = malloc(size);
  if (names && uncompress(names, &size, asy_unicode_packed, asy_unicode_packed_size) != Z_OK) {
    free(names);
    names = NULL;
  }
  return vm->unicode_names = names;
}

static const char *word_text(const uint8_t *names, uint32_t word) {
  const char *text = (const char *)names + asy_unicode_names_size + asy_unicode_word_entries[word / WORDS_PER_ENTRY];
  for (uint32_t i = word % WORDS_PER_ENTRY; i > 0; i--) text += strlen(text) + 1;
  return text;
}

static int compare_word(const char *text, const char *word, size_t length) {
  int order = strncmp(text, word, length);
  return order ? order : text[length] != 0;
}

/* The number of a word, or -1. */
static int64_t find_word(const uint8_t *names, const char *word, size_t length) {
  for (uint32_t i = 0; i < SHORT_WORDS; i++)
    if (compare_word(word_text(names, i), word, length) == 0) return i;
  uint32_t low = SHORT_WORDS, high = asy_unicode_counts[COUNT_WORDS];
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    int order = compare_word(word_text(names, middle), word, length);
    if (order == 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return -1;
}

/* The code point of name number n. */
static uint32_t code_of(uint32_t n) {
  uint32_t low = 0, high = asy_unicode_counts[COUNT_RUNS];
  while (high - low > 1) {
    uint32_t middle = low + (high - low) / 2;
    if (asy_unicode_runs[middle * 2] <= n) low = middle;
    else high = middle;
  }
  return asy_unicode_runs[low * 2 + 1] + (n - asy_unicode_runs[low * 2]);
}

/* The number of the name of c, or -1. */
static int64_t number_of(uint32_t c) {
  uint32_t names = asy_unicode_counts[COUNT_NAMES], low = 0, high = names;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2, code = code_of(middle);
    if (code == c) return middle;
    if (code < c) low = middle + 1;
    else high = middle;
  }
  return -1;
}

static size_t spell(const uint8_t *names, uint32_t c, uint32_t n, char out[UNI_NAME_MAX]) {
  const uint8_t *p = names + asy_unicode_name_entries[n / NAMES_PER_ENTRY];
  size_t length = 0;
  for (uint32_t skip = n % NAMES_PER_ENTRY; skip > 0; p++) skip -= *p == 0;
  while (*p) {
    uint32_t word = *p < 128 ? *p - 1u : SHORT_WORDS + (*p - 128u) * 255 + p[1] - 1u;
    p += *p < 128 ? 1 : 2;
    if (length) out[length++] = ' ';
    const char *text = word_text(names, word);
    size_t size = strlen(text);
    memcpy(out + length, text, size);
    length += size;
    if (out[length - 1] == '*') length += (size_t)sprintf(out + length - 1, "%04X", c) - 1;
  }
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
  int64_t n = number_of(c);
  const uint8_t *names = n < 0 ? NULL : unpacked(vm);
  return names ? spell(names, c, (uint32_t)n, out) : 0;
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

/* The words of a name as they are coded, between two zeros. 0: a word is unknown. */
static size_t code_words(const uint8_t *names, const char *name, uint8_t *coded) {
  size_t n = 0;
  coded[n++] = 0;
  while (*name) {
    size_t length = strcspn(name, " ");
    int64_t word = find_word(names, name, length);
    if (word < 0) return 0;
    if (word < SHORT_WORDS) {
      coded[n++] = (uint8_t)(word + 1);
    } else {
      coded[n++] = (uint8_t)(128 + (word - SHORT_WORDS) / 255);
      coded[n++] = (uint8_t)(1 + (word - SHORT_WORDS) % 255);
    }
    name += length + (name[length] == ' ');
  }
  coded[n++] = 0;
  return n;
}

uint32_t asy_unicode_find(asy_vm *vm, const char *name, size_t length) {
  char upper[UNI_NAME_MAX], exact[UNI_NAME_MAX];
  uint8_t coded[UNI_NAME_MAX * 2];
  if (length == 0 || length >= UNI_NAME_MAX) return 0;
  for (size_t i = 0; i < length; i++) upper[i] = (char)(name[i] >= 'a' && name[i] <= 'z' ? name[i] - 32 : name[i]);
  upper[length] = 0;
  if (strncmp(upper, "HANGUL SYLLABLE ", 16) == 0) return find_syllable(upper + 16);
  const char *dash = strrchr(upper, '-');
  uint32_t c = dash ? read_hex(dash + 1, upper + length) : 0;
  if (c && asy_unicode_name(vm, c, exact) && strcmp(exact, upper) == 0) return c;
  const uint8_t *names = unpacked(vm), *found = names - 1;
  size_t n = names ? code_words(names, upper, coded) : 0;
  uint32_t all = asy_unicode_counts[COUNT_ALL];
  if (n == 0) return 0;
  for (uint32_t i = 0; i < all; i++) { /* some 35,000 short rows */
    const uint8_t *row = found + 1;
    found = row;
    while (*found) found++;
    if ((size_t)(found - row) == n - 2 && memcmp(row, coded + 1, n - 2) == 0) return code_of(i);
  }
  return 0;
}
