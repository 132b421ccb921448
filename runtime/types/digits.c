/* digits.c - the ASCII form of a text that int(), float() and complex() read: digits of any script become 0 to 9. */
#include <stdlib.h>

#include "runtime/number.h"
#include "runtime/types/str.h"
#include "runtime/types/unicode.h"

/* Of the ASCII separators 1C to 1F, which str.isspace() knows, none may stand around a number. */
static bool is_space(uint32_t c) { return c < 128 ? c == ' ' || (c >= '\t' && c <= '\r') : asy_unicode_is_space(c); }

static char ascii_of(uint32_t c) {
  if (is_space(c)) return ' ';
  if (c < 128) return (char)c;
  int digit = asy_unicode_decimal(c);
  return digit < 0 ? '?' : (char)('0' + digit);
}

bool asy_number_text(asy_vm *vm, asy_str *s, char *buffer, size_t size, char **out, size_t *length) {
  uint32_t start = 0, end = s->len;
  while (start < end && is_space(asy_str_at(s, start))) start++;
  while (end > start && is_space(asy_str_at(s, end - 1))) end--;
  size_t n = end - start;
  char *text = buffer;
  if (n + 1 > size) {
    text = malloc(n + 1);
    if (!text) {
      asy_raise_no_memory(vm);
      return false;
    }
  }
  for (size_t i = 0; i < n; i++) {
    text[i] = ascii_of(asy_str_at(s, start + (uint32_t)i));
    if (text[i] == '?') n = i + 1; /* no number goes on there */
  }
  text[n] = 0;
  *out = text;
  *length = n;
  return true;
}
