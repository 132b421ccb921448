/* source.c - the text of one file, ready for the lexer. */
#include "lang/source.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef enum { CODING_UTF8, CODING_LATIN1, CODING_ASCII, CODING_UNKNOWN } coding;

static const struct {
  const char *name;
  coding coding;
} codings[] = {
  {"utf-8", CODING_UTF8},       {"utf8", CODING_UTF8},          {"u8", CODING_UTF8},     {"utf-8-sig", CODING_UTF8},
  {"latin-1", CODING_LATIN1},   {"latin1", CODING_LATIN1},      {"l1", CODING_LATIN1},   {"iso-8859-1", CODING_LATIN1},
  {"iso8859-1", CODING_LATIN1}, {"iso-latin-1", CODING_LATIN1}, {"8859", CODING_LATIN1}, {"ascii", CODING_ASCII},
  {"us-ascii", CODING_ASCII},   {"646", CODING_ASCII},
};

/* "UTF_8-unix" is "utf-8": lower case, `_` as `-`, and what follows the known name after a `-` is ignored. */
static coding find_coding(const char *name, size_t len) {
  char normal[32];
  if (len >= sizeof normal) return CODING_UNKNOWN;
  for (size_t i = 0; i < len; i++)
    normal[i] = name[i] == '_' ? '-' : name[i] >= 'A' && name[i] <= 'Z' ? name[i] | 32 : name[i];
  normal[len] = 0;
  for (size_t i = 0; i < sizeof codings / sizeof *codings; i++)
    if (!strcmp(normal, codings[i].name)) return codings[i].coding;
  if (!strncmp(normal, "utf-8-", 6)) return CODING_UTF8;
  if (!strncmp(normal, "latin-1-", 8) || !strncmp(normal, "iso-8859-1-", 11)) return CODING_LATIN1;
  return CODING_UNKNOWN;
}

static bool is_coding_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

/* The name in `# ... coding: name` on the first line, or on the second when the first is blank or a comment. */
static bool find_cookie(const char *text, size_t len, const char **name, size_t *name_len, uint32_t *line) {
  const char *end = text + len;
  for (*line = 1; *line <= 2; ++*line) {
    const char *eol = text;
    while (eol < end && *eol != '\n' && *eol != '\r') eol++;
    const char *p = text;
    while (p < eol && (*p == ' ' || *p == '\t' || *p == '\f')) p++;
    if (p < eol && *p != '#') return false;
    for (; p + 7 < eol; p++) {
      if (memcmp(p, "coding", 6) || (p[6] != ':' && p[6] != '=')) continue;
      const char *begin = p + 7;
      while (begin < eol && (*begin == ' ' || *begin == '\t')) begin++;
      const char *stop = begin;
      while (stop < eol && is_coding_char(*stop)) stop++;
      if (stop == begin) continue;
      *name = begin, *name_len = (size_t)(stop - begin);
      return true;
    }
    if (eol < end && *eol == '\r') eol++;
    if (eol < end && *eol == '\n') eol++;
    text = eol;
  }
  return false;
}

/* Length of the valid UTF-8 sequence at p, 0 when there is none. */
static size_t utf8_sequence(const unsigned char *p, const unsigned char *end) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  size_t len = *p < 0x80 ? 1 : *p < 0xC2 ? 0 : *p < 0xE0 ? 2 : *p < 0xF0 ? 3 : *p < 0xF5 ? 4 : 0;
  if (len < 2) return len;
  if ((size_t)(end - p) < len) return 0;
  uint32_t c = *p & (0xFF >> (len + 1));
  for (size_t i = 1; i < len; i++) {
    if ((p[i] & 0xC0) != 0x80) return 0;
    c = c << 6 | (p[i] & 63);
  }
  return c < least[len] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF) ? 0 : len;
}

/* First byte that is not UTF-8 (not ASCII with `ascii`), or len. */
static size_t valid_prefix(const char *text, size_t len, bool ascii) {
  const unsigned char *p = (const unsigned char *)text, *end = p + len;
  while (p < end) {
    uint64_t word;
    while (end - p >= 8 && (memcpy(&word, p, 8), !(word & 0x8080808080808080u))) p += 8;
    while (p < end && *p < 0x80) p++;
    if (p == end) break;
    size_t sequence = ascii ? 0 : utf8_sequence(p, end);
    if (!sequence) break;
    p += sequence;
  }
  return (size_t)(p - (const unsigned char *)text);
}

static uint32_t line_of(const char *text, size_t offset) {
  uint32_t line = 1;
  for (size_t i = 0; i < offset; i++) line += text[i] == '\n' || (text[i] == '\r' && text[i + 1] != '\n');
  return line;
}

static char *copy_latin1(char *to, const char *from, size_t len) {
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)from[i];
    if (c < 0x80) {
      *to++ = (char)c;
    } else {
      *to++ = (char)(0xC0 | c >> 6);
      *to++ = (char)(0x80 | (c & 63));
    }
  }
  return to;
}

/* `\r\n` and `\r` become `\n`, in place. Answers the new end. */
static char *unify_newlines(char *text, char *end) {
  char *to = memchr(text, '\r', (size_t)(end - text));
  if (!to) return end;
  for (char *from = to; from < end; from++) {
    if (*from == '\r') {
      *to++ = '\n';
      if (from + 1 < end && from[1] == '\n') from++;
    } else {
      *to++ = *from;
    }
  }
  return to;
}

bool asy_source_init(asy_source *source, const char *name, const char *bytes, size_t len, asy_diagnostic *out) {
  *source = (asy_source){.name = name};
  bool marked = len >= 3 && !memcmp(bytes, "\xEF\xBB\xBF", 3);
  if (marked) bytes += 3, len -= 3;
  if (len >= UINT32_MAX / 2) {
    asy_diagnostic_set(out, DIAG_MEMORY, 0, 0, 0, 0, "source of %zu bytes is too long", len);
    return false;
  }

  coding how = CODING_UTF8;
  const char *cookie = NULL;
  size_t cookie_len = 0;
  uint32_t line;
  if (find_cookie(bytes, len, &cookie, &cookie_len, &line)) {
    how = find_coding(cookie, cookie_len);
    if (how == CODING_UNKNOWN) {
      asy_diagnostic_set(out, DIAG_SYNTAX, 0, 0, 0, 0, "unknown encoding: %.*s",
                         (int)(cookie_len < 80 ? cookie_len : 80), cookie);
      return false;
    }
    bool said_utf8 = cookie_len >= 5 && !strncasecmp(cookie, "utf", 3) && (cookie[3] == '-' || cookie[3] == '_') &&
                     cookie[4] == '8';
    if (marked && !said_utf8) {
      asy_diagnostic_set(out, DIAG_SYNTAX, 0, 0, 0, 0, "encoding problem: %.*s with BOM", (int)cookie_len, cookie);
      return false;
    }
  }

  const char *nul = memchr(bytes, 0, len);
  if (nul) {
    asy_diagnostic_set(out, DIAG_SYNTAX, line_of(bytes, (size_t)(nul - bytes)), 0, 0, 0,
                       "source code cannot contain null bytes");
    return false;
  }
  size_t valid = how == CODING_LATIN1 ? len : valid_prefix(bytes, len, how == CODING_ASCII);
  if (valid < len) {
    uint32_t bad_line = line_of(bytes, valid);
    if (cookie)
      asy_diagnostic_set(out, DIAG_SYNTAX, bad_line, 0, 0, 0,
                         "(unicode error) '%.*s' codec can't decode byte 0x%02x in position %zu", (int)cookie_len,
                         cookie, (unsigned char)bytes[valid], valid);
    else
      asy_diagnostic_set(out, DIAG_SYNTAX, bad_line, 0, 0, 0,
                         "Non-UTF-8 code starting with '\\x%02x' in file %s on line %u, but no encoding declared; "
                         "see https://peps.python.org/pep-0263/ for details",
                         (unsigned char)bytes[valid], name, bad_line);
    return false;
  }

  source->text = malloc((how == CODING_LATIN1 ? 2 * len : len) + 2);
  if (!source->text) {
    asy_diagnostic_set(out, DIAG_MEMORY, 0, 0, 0, 0, "out of memory");
    return false;
  }
  char *end = source->text + len;
  if (how == CODING_LATIN1) end = copy_latin1(source->text, bytes, len);
  else memcpy(source->text, bytes, len);
  end = unify_newlines(source->text, end);
  if (end == source->text || end[-1] != '\n') {
    source->newline_added = true;
    *end++ = '\n';
  }
  *end = 0;
  source->len = (size_t)(end - source->text);
  return true;
}

void asy_source_free(asy_source *source) {
  free(source->text);
  free(source->line_starts);
  *source = (asy_source){0};
}

static bool index_lines(asy_source *source) {
  uint32_t count = 0;
  for (const char *p = source->text; (p = strchr(p, '\n')); p++) count++;
  source->line_starts = malloc((count + 1) * sizeof *source->line_starts);
  if (!source->line_starts) return false;
  source->line_starts[0] = 0;
  for (const char *p = source->text; (p = strchr(p, '\n'));)
    source->line_starts[++source->line_count] = (uint32_t)(++p - source->text);
  return true;
}

const char *asy_source_line(asy_source *source, uint32_t line, size_t *len) {
  *len = 0;
  if (!source->text || (!source->line_starts && !index_lines(source))) return NULL;
  if (line < 1 || line > source->line_count) return NULL;
  *len = source->line_starts[line] - source->line_starts[line - 1] - 1;
  return source->text + source->line_starts[line - 1];
}
