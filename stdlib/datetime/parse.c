/* parse.c - texts read: ISO 8601 in all its forms, and strptime for formats of plain numbers.
 *
 * ASCII is read where it lies. Other text is copied first, a character beyond becoming DEL, which matches nothing: offsets stay
 * those of the text. Must stay true: every read lies before `end`.
 */
#include "stdlib/datetime/datetime.h"

enum { TEXT_MAX = 128, NO_ZONE = 0, HAS_ZONE = 1 };

typedef struct {
  const char *at, *end;
} reader;

static bool open_text(reader *r, char copy[TEXT_MAX], const asy_str *s) {
  if (s->len >= TEXT_MAX) return false;
  bool ascii = s->head.flags & STR_ASCII;
  for (uint32_t i = 0; i < s->len && !ascii; i++) {
    uint32_t c = asy_str_at(s, i);
    copy[i] = c < 128 ? (char)c : 127;
  }
  r->at = ascii ? asy_str_data(s) : copy;
  r->end = r->at + s->len;
  return true;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool peek(const reader *r, char c) { return r->at < r->end && *r->at == c; }

/* `count` digits, no fewer. */
static inline bool digits(reader *r, int count, int32_t *out) {
  const char *at = r->at;
  int32_t value = 0;
  if (r->end - at < count) return false;
  for (int i = 0; i < count; i++) {
    unsigned digit = (unsigned)(at[i] - '0');
    if (digit > 9) return false;
    value = value * 10 + (int32_t)digit;
  }
  r->at = at + count;
  *out = value;
  return true;
}

static asy_value malformed(asy_vm *vm, asy_value text) {
  return asy_raise(vm, ASY_ValueError, "Invalid isoformat string: %R", text);
}

/* YYYY-MM-DD, YYYYMMDD, YYYY-Www[-D], YYYYWww[D]: all of the text up to `end`. */
static bool read_date(asy_vm *vm, reader *r, const char *end, fields *out) {
  reader part = {.at = r->at, .end = end};
  if (!digits(&part, 4, &out->year)) return false;
  bool dashes = peek(&part, '-');
  part.at += dashes;
  if (peek(&part, 'W')) {
    int32_t week, day = 1;
    part.at++;
    if (!digits(&part, 2, &week)) return false;
    if (part.at < end) {
      if (dashes && *part.at++ != '-') return false;
      if (!digits(&part, 1, &day)) return false;
    }
    if (part.at != end) return false;
    r->at = end;
    if (asy_iso_to_date(vm, out->year, week, day, out)) return true;
    asy_clear_exception(vm);
    return false;
  }
  if (!digits(&part, 2, &out->month) || (dashes && (!peek(&part, '-') || !part.at++))) return false;
  if (!digits(&part, 2, &out->day) || part.at != end) return false;
  r->at = end;
  return true;
}

/* HH[:MM[:SS]] or without colons, then a fraction of a second, up to `end`. */
static bool read_clock(const char *at, const char *end, int32_t parts[4]) {
  reader r = {.at = at, .end = end};
  bool colons = false;
  for (int i = 0; i < 3; i++) {
    if (!digits(&r, 2, &parts[i])) return false;
    if (r.at == end) return true;
    char c = *r.at++;
    if (i == 0) colons = c == ':';
    if (r.at == end) return false;
    if (c == '.' || c == ',') {
      int32_t scale = 100000;
      for (parts[3] = 0; r.at < end && is_digit(*r.at); r.at++, scale /= 10) parts[3] += (*r.at - '0') * scale;
      return r.at == end;
    }
    if (i == 2 || (colons && c != ':')) return false;
    if (!colons) r.at--;
  }
  return false;
}

/* A time with an optional zone, to the end. */
static int read_time(asy_vm *vm, reader *r, fields *out) {
  const char *zone = r->at;
  int32_t offset[4] = {0}, clock[4] = {0};
  while (zone < r->end && *zone != '+' && *zone != '-' && *zone != 'Z') zone++;
  if (!read_clock(r->at, zone, clock)) return 0;
  out->hour = clock[0];
  out->minute = clock[1];
  out->second = clock[2];
  out->microsecond = clock[3];
  out->zone = ASY_NONE;
  if (zone == r->end) return 1;
  if (*zone == 'Z' ? zone + 1 != r->end : !read_clock(zone + 1, r->end, offset)) return 0;
  if (!offset[0] && !offset[1] && !offset[2]) { /* a fraction alone is nothing, as in CPython */
    out->zone = asy_utc(vm);
    return asy_failed(out->zone) ? -1 : 1;
  }
  wide us = ((int64_t)offset[0] * 3600 + offset[1] * 60 + offset[2]) * SECOND_US + offset[3];
  asy_value distance = asy_delta_new(vm, *zone == '-' ? -us : us);
  out->zone = asy_failed(distance) ? ASY_FAILED : asy_timezone_new(vm, delta_of(distance), 0);
  return asy_failed(out->zone) ? -1 : 1;
}

bool asy_parse_iso_date(asy_vm *vm, asy_value text, fields *out) {
  reader r;
  char copy[TEXT_MAX];
  size_t length = ((asy_str *)asy_obj_of(text))->len;
  bool fits = (length == 7 || length == 8 || length == 10) && open_text(&r, copy, (asy_str *)asy_obj_of(text));
  bool good = fits && read_date(vm, &r, r.end, out);
  if (!good) malformed(vm, text);
  return good;
}

bool asy_parse_iso_time(asy_vm *vm, asy_value text, fields *out) {
  reader r;
  char copy[TEXT_MAX];
  bool fits = open_text(&r, copy, (asy_str *)asy_obj_of(text));
  if (fits && peek(&r, 'T')) r.at++;
  int good = fits ? read_time(vm, &r, out) : 0;
  if (good == 0) malformed(vm, text);
  return good > 0;
}

/* Where the date ends; the character there may be anything. 0: malformed. */
static size_t date_length(const char *s, size_t length) {
  if (length < 7) return 0;
  if (length == 7) return 7;
  if (s[4] == '-') {
    if (s[5] != 'W') return 10;
    if (length > 8 && s[8] == '-') {
      if (length == 9) return 0;
      return length > 10 && is_digit(s[10]) ? 8 : 10;
    }
    return 8;
  }
  if (s[4] != 'W') return 8;
  size_t end = 7;
  while (end < length && is_digit(s[end])) end++;
  if (end < 9) return end;
  return end % 2 == 0 ? 7 : 8;
}

bool asy_parse_iso_datetime(asy_vm *vm, asy_value text, fields *out) {
  reader r;
  char copy[TEXT_MAX];
  int good = 0;
  if (open_text(&r, copy, (asy_str *)asy_obj_of(text))) {
    size_t length = (size_t)(r.end - r.at), date_end = date_length(r.at, length);
    good = date_end && date_end <= length && read_date(vm, &r, r.at + date_end, out);
    if (good > 0 && r.at < r.end) {
      r.at++;
      good = read_time(vm, &r, out);
    }
  }
  if (good == 0) malformed(vm, text);
  return good > 0;
}

/* ---- strptime ---- */

/* Directives of numbers: their least and greatest value, and how many digits at most. */
static const struct {
  char directive;
  uint8_t width, min, max;
  uint16_t offset;
} numbers[] = {
  {'m', 2, 1, 12, offsetof(fields, month)},  {'d', 2, 1, 31, offsetof(fields, day)},
  {'H', 2, 0, 23, offsetof(fields, hour)},   {'M', 2, 0, 59, offsetof(fields, minute)},
  {'S', 2, 0, 59, offsetof(fields, second)},
};

/* As many digits as the directive takes at once. */
static bool read_number(reader *r, char directive, fields *f) {
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    if (numbers[i].directive != directive) continue;
    int32_t value = 0;
    int n = 0;
    while (n < numbers[i].width && r->at < r->end && is_digit(*r->at)) {
      int32_t next = value * 10 + *r->at - '0';
      if (n && next > numbers[i].max) break;
      value = next;
      r->at++;
      n++;
    }
    if (n == 0 || value < numbers[i].min || value > numbers[i].max) return false;
    memcpy((char *)f + numbers[i].offset, &value, sizeof value);
    return true;
  }
  return false;
}

static bool read_fraction(reader *r, fields *f) {
  int n = 0;
  f->microsecond = 0;
  for (int32_t scale = 100000; n < 6 && r->at < r->end && is_digit(*r->at); n++, r->at++, scale /= 10)
    f->microsecond += (*r->at - '0') * scale;
  return n > 0;
}

int asy_parse_simple(asy_vm *vm, asy_str *text, asy_str *format, fields *out) {
  reader r, pattern;
  char text_copy[TEXT_MAX], format_copy[TEXT_MAX];
  if (!open_text(&r, text_copy, text) || !open_text(&pattern, format_copy, format)) return 0;
  *out = (fields){.year = 1900, .month = 1, .day = 1, .zone = ASY_NONE};
  unsigned seen[4] = {0};
  for (; pattern.at < pattern.end; pattern.at++) {
    char c = *pattern.at;
    if (c == 127) return 0;
    if (c != '%') {
      if (c == ' ' || (c >= '\t' && c <= '\r')) { /* any run of white space matches any other */
        while (pattern.at + 1 < pattern.end &&
               (pattern.at[1] == ' ' || (pattern.at[1] >= '\t' && pattern.at[1] <= '\r')))
          pattern.at++;
        if (!(peek(&r, ' ') || (r.at < r.end && *r.at >= '\t' && *r.at <= '\r'))) return 0;
        while (r.at < r.end && (*r.at == ' ' || (*r.at >= '\t' && *r.at <= '\r'))) r.at++;
        continue;
      }
      if (!peek(&r, c)) return 0; /* letters match without regard to case: the script knows */
      r.at++;
      continue;
    }
    if (++pattern.at == pattern.end) return 0;
    c = *pattern.at;
    if (seen[c >> 5 & 3] >> (c & 31) & 1) return 0;
    seen[c >> 5 & 3] |= 1u << (c & 31);
    bool good = c == 'Y' ? digits(&r, 4, &out->year) : c == 'f' ? read_fraction(&r, out) : read_number(&r, c, out);
    if (!good) return 0;
  }
  bool day_alone = (seen['d' >> 5] >> ('d' & 31) & 1) &&
                   !(seen['Y' >> 5] >> ('Y' & 31) & 1); /* a warning: the script's */
  if (r.at != r.end || day_alone) return 0;
  bool exists = out->year >= 1 && out->day <= asy_days_in_month(out->year, out->month);
  return (void)vm, exists;
}
