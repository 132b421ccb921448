/* unicode.h - what is known about each code point: its kind, case mappings and digit value.
 * The tables are made at build time by unicode_tables.py; characters that behave alike share a record.
 */
#ifndef ASY_RUNTIME_TYPES_UNICODE_H
#define ASY_RUNTIME_TYPES_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/unpack.h"

enum {                  /* the order is that of FLAGS in unicode_tables.py */
       UNI_ALPHA = 1,   /* a letter: str.isalpha */
       UNI_DECIMAL = 2, /* a decimal digit: may be used in numbers */
       UNI_DIGIT = 4,   /* a digit, superscripts included */
       UNI_NUMERIC = 8, /* has a numeric value, fractions and ideographs included */
       UNI_LOWER = 16,
       UNI_UPPER = 32,
       UNI_TITLE = 64,
       UNI_SPACE = 128,
       UNI_PRINTABLE = 256, /* repr shows it as it is */
       UNI_XID_START = 512,
       UNI_XID_CONTINUE = 1024,
       UNI_CASED = 2048,
       UNI_CASE_IGNORABLE = 4096,
       UNI_LINE_BREAK = 8192, /* splitlines splits here */
       UNI_WIDE = 16384,      /* takes two columns of a terminal */
       UNI_COMBINING = 32768  /* combining class other than 0 */
};

typedef struct {
  uint16_t flags;
  int8_t digit;                      /* value of a decimal or digit, or -1 */
  uint8_t category;                  /* row of asy_unicode_categories */
  int32_t upper, lower, title, fold; /* difference * 2, or place and count in asy_unicode_extra: bit 0 set */
} asy_unicode_record;

extern const asy_unicode_record asy_unicode_records[];
extern const uint32_t asy_unicode_extra[];
/* Tables of tables: a shelf tells its sixteen books, a book its eight pages, a page the records of its four code points. */
extern const uint8_t asy_unicode_shelf_of[];
extern const uint16_t asy_unicode_shelves[], asy_unicode_books[], asy_unicode_pages[];

extern const asy_packed asy_unicode_names; /* see unicode_tables.py */
extern const uint32_t asy_unicode_name_counts
  []; /* names, names with aliases, their length in all with a byte behind each, where letters begin */
extern const asy_packed asy_unicode_properties; /* what only the module unicodedata asks for; see unicodedata.asy */

static inline const asy_unicode_record *asy_unicode_of(uint32_t c) {
  if (c >= 0x110000) c = 0xFFFF; /* no character */
  uint32_t book = asy_unicode_shelves[(uint32_t)asy_unicode_shelf_of[c >> 9] << 4 | (c >> 5 & 15)];
  uint32_t page = asy_unicode_books[book << 3 | (c >> 2 & 7)];
  return &asy_unicode_records[asy_unicode_pages[page << 2 | (c & 3)]];
}
static inline bool asy_unicode_is(uint32_t c, unsigned flags) { return (asy_unicode_of(c)->flags & flags) != 0; }
static inline bool asy_unicode_is_space(uint32_t c) {
  if (c < 128) return c == 32 || (c >= 9 && c <= 13) || (c >= 28 && c <= 31);
  return asy_unicode_is(c, UNI_SPACE);
}
static inline bool asy_unicode_is_printable(uint32_t c) { return c < 127 ? c >= 32 : asy_unicode_is(c, UNI_PRINTABLE); }
static inline bool asy_unicode_is_line_break(uint32_t c) {
  return c < 128 ? (c >= 10 && c <= 13) || (c >= 28 && c <= 30) : asy_unicode_is(c, UNI_LINE_BREAK);
}

/* The full case mappings: 1 to 3 code points. */
unsigned asy_unicode_upper(uint32_t c, uint32_t out[3]);
unsigned asy_unicode_lower(uint32_t c, uint32_t out[3]);
unsigned asy_unicode_title(uint32_t c, uint32_t out[3]);
unsigned asy_unicode_fold(uint32_t c, uint32_t out[3]);
int asy_unicode_decimal(uint32_t c);          /* value of a decimal digit, or -1 */
const char *asy_unicode_category(uint32_t c); /* "Lu" */

/* The name of a code point ("LATIN SMALL LETTER A") with a NUL behind; its length, 0 when it has none. The names are unpacked when
 * they are first asked for; without memory for that (1.2 MB) no character has a name. */
enum { UNI_NAME_MAX = 128 };
struct asy_vm;
size_t asy_unicode_name(struct asy_vm *vm, uint32_t c, char out[UNI_NAME_MAX]);
/* The code point of a name or alias, in any case; 0 when there is none. */
uint32_t asy_unicode_find(struct asy_vm *vm, const char *name, size_t length);
int asy_unicode_columns(uint32_t c); /* of a terminal: 0, 1 or 2 */

#endif
