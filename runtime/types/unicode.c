/* unicode.c - case mappings and properties of code points, over the generated tables.
 * A mapping is a difference to the code point (times 2), or, with bit 0 set, a place in asy_unicode_extra (bits 3 and up)
 * and a count (bits 1 and 2).
 */
#include "runtime/types/unicode.h"

static const char *const categories[] = {
  /* the order is that of CATEGORIES in unicode_tables.py */
  "Cn", "Lu", "Ll", "Lt", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Zs", "Zl", "Zp", "Cc", "Cf",
  "Cs", "Co", "Lm", "Lo", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So",
};

static unsigned apply(uint32_t c, int32_t mapping, uint32_t out[3]) {
  if (!(mapping & 1)) {
    out[0] = c + (uint32_t)(mapping >> 1);
    return 1;
  }
  unsigned count = (unsigned)mapping >> 1 & 3;
  for (unsigned i = 0; i < count; i++) out[i] = asy_unicode_extra[((unsigned)mapping >> 3) + i];
  return count;
}

unsigned asy_unicode_upper(uint32_t c, uint32_t out[3]) { return apply(c, asy_unicode_of(c)->upper, out); }
unsigned asy_unicode_lower(uint32_t c, uint32_t out[3]) { return apply(c, asy_unicode_of(c)->lower, out); }
unsigned asy_unicode_title(uint32_t c, uint32_t out[3]) { return apply(c, asy_unicode_of(c)->title, out); }
unsigned asy_unicode_fold(uint32_t c, uint32_t out[3]) { return apply(c, asy_unicode_of(c)->fold, out); }

int asy_unicode_decimal(uint32_t c) {
  if (c < 128) return c >= '0' && c <= '9' ? (int)(c - '0') : -1;
  const asy_unicode_record *record = asy_unicode_of(c);
  return record->flags & UNI_DECIMAL ? record->digit : -1;
}

const char *asy_unicode_category(uint32_t c) { return categories[asy_unicode_of(c)->category]; }

int asy_unicode_columns(uint32_t c) {
  if (c >= 32 && c < 127) return 1;
  const asy_unicode_record *record = asy_unicode_of(c);
  const char *category = categories[record->category];
  if (c == 0 || (category[0] == 'M' && category[1] != 'c') || (category[0] == 'C' && category[1] == 'f')) return 0;
  return record->flags & UNI_WIDE ? 2 : 1;
}
