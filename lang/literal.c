/* literal.c - the value of a number, a string, an f-string. */
#include "lang/literal.h"

#include <stdlib.h>
#include <string.h>

static asy_node *constant_of(asy_parser *p, asy_const_kind kind, asy_span span) {
  asy_node *node = asy_parser_node(p, AST_Constant, span);
  node->constant.value.kind = (uint8_t)kind;
  return node;
}

/* --- Numbers --------------------------------------------------------------------------------------------------------- */

static int digit_value(char c) { return c <= '9' ? c - '0' : (c | 32) - 'a' + 10; }

/* `1if x` is legal; what stands behind the literal says so. */
static void warn_joined(asy_parser *p, char after, int base, bool imaginary, asy_span span) {
  bool is_name = (after | 32) >= 'a' && (after | 32) <= 'z';
  if (!is_name || !p->options->warn) return;
  asy_diagnostic warning;
  const char *kind = imaginary    ? "imaginary"
                     : base == 16 ? "hexadecimal"
                     : base == 8  ? "octal"
                     : base == 2  ? "binary"
                                  : "decimal";
  asy_diagnostic_set(&warning, DIAG_WARNING, span.line, span.col, span.end_line, span.end_col, "invalid %s literal",
                     kind);
  p->options->warn(p->options->context, &warning);
}

asy_node *asy_literal_number(asy_parser *p, const char *text, uint32_t len, asy_span span) {
  char *digits = asy_arena_alloc(p->arena, len + 1); /* without underscores, lower case */
  asy_node *node = constant_of(p, CONST_INT, span);
  asy_constant *value = &node->constant.value;
  if (!digits) return node;
  uint32_t n = 0;
  bool is_float = false;
  for (uint32_t i = 0; i < len; i++) {
    char c = text[i] >= 'A' && text[i] <= 'Z' ? text[i] | 32 : text[i];
    if (c != '_') digits[n++] = c;
  }
  digits[n] = 0;
  int base = digits[0] != '0' || n < 2 ? 10 : digits[1] == 'x' ? 16 : digits[1] == 'o' ? 8 : digits[1] == 'b' ? 2 : 10;
  if (base == 10) is_float = strpbrk(digits, ".ej") != NULL;
  warn_joined(p, text[len], base, is_float && digits[n - 1] == 'j', span);
  if (is_float) {
    value->kind = digits[n - 1] == 'j' ? CONST_COMPLEX : CONST_FLOAT;
    value->d = strtod(digits, NULL);
    return node;
  }
  uint32_t prefix = base == 10 ? 0 : 2, first = prefix;
  while (first + 1 < n && digits[first] == '0') first++;
  int64_t i = 0;
  const int64_t limit = (int64_t)1 << 62;
  for (uint32_t k = first; k < n; k++) {
    int digit = digit_value(digits[k]);
    if (i > (limit - 1 - digit) / base) {
      memmove(digits + prefix, digits + first, n - first + 1);
      value->kind = CONST_BIGINT, value->text = digits, value->len = n - first + prefix;
      return node;
    }
    i = i * base + digit;
  }
  value->i = i;
  return node;
}

/* --- Escapes --------------------------------------------------------------------------------------------------------- */

/* Where a literal is read from and written to: what comes out is never longer than what went in. */
typedef struct {
  asy_parser *p;
  asy_span span;     /* of the literal, for errors */
  const char *begin; /* of its text */
  char *out;
  bool bytes, raw;
  bool fstring; /* {{ and }} stand for one brace */
} decoder;

static void put_utf8(decoder *d, uint32_t c) {
  if (c < 0x80) {
    *d->out++ = (char)c;
  } else if (c < 0x800) {
    *d->out++ = (char)(0xC0 | c >> 6), *d->out++ = (char)(0x80 | (c & 63));
  } else if (c < 0x10000) {
    *d->out++ = (char)(0xE0 | c >> 12), *d->out++ = (char)(0x80 | (c >> 6 & 63)), *d->out++ = (char)(0x80 | (c & 63));
  } else {
    *d->out++ = (char)(0xF0 | c >> 18), *d->out++ = (char)(0x80 | (c >> 12 & 63));
    *d->out++ = (char)(0x80 | (c >> 6 & 63)), *d->out++ = (char)(0x80 | (c & 63));
  }
}

static void warn_escape(decoder *d, const char *text, int len) {
  const asy_parse_options *options = d->p->options;
  if (!options->warn) return;
  asy_diagnostic warning;
  asy_diagnostic_set(&warning, DIAG_WARNING, d->span.line, d->span.col, d->span.end_line, d->span.end_col,
                     "invalid %sescape sequence '%.*s'", len > 2 ? "octal " : "", len, text);
  options->warn(options->context, &warning);
}

/* `from` and `to` are CPython's: characters of the escape that were understood, in the text of the literal. */
static const char *bad_unicode(decoder *d, const char *escape, const char *end, const char *why) {
  asy_parser_fail(d->p, d->span, "(unicode error) 'unicodeescape' codec can't decode bytes in position %zu-%zu: %s",
                  (size_t)(escape - d->begin), (size_t)(end - 1 - d->begin), why);
  return NULL;
}

static bool is_hex(char c) { return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'f'); }

static const char *hex_escape(decoder *d, const char *text, const char *end, int digits) {
  const char *escape = text - 2;
  uint32_t c = 0;
  int n = 0;
  for (; n < digits && text < end && is_hex(*text); n++) c = c * 16 + (uint32_t)digit_value(*text++);
  if (n < digits && d->bytes) {
    asy_parser_fail(d->p, d->span, "(value error) invalid \\x escape at position %zu", (size_t)(escape - d->begin));
    return NULL;
  }
  if (n < digits)
    return bad_unicode(d, escape, text,
                       digits == 2   ? "truncated \\xXX escape"
                       : digits == 4 ? "truncated \\uXXXX escape"
                                     : "truncated \\UXXXXXXXX escape");
  if (c > 0x10FFFF) return bad_unicode(d, escape, text, "illegal Unicode character");
  if (d->bytes) *d->out++ = (char)c;
  else put_utf8(d, c);
  return text;
}

static const char *named_escape(decoder *d, const char *text, const char *end) {
  const char *escape = text - 2;
  const char *close = text < end && *text == '{' ? memchr(text, '}', (size_t)(end - text)) : NULL;
  if (!close || close == text + 1) return bad_unicode(d, escape, close ? close : end, "malformed \\N character escape");
  const asy_parse_options *options = d->p->options;
  uint32_t c = options->find_character ? options->find_character(options->context, text + 1, (size_t)(close - text - 1))
                                       : 0;
  if (!c) return bad_unicode(d, escape, close + 1, "unknown Unicode character name");
  put_utf8(d, c);
  return close + 1;
}

/* The escape after the backslash at text[-1]; NULL after an error. */
static const char *escape(decoder *d, const char *text, const char *end) {
  char c = *text++;
  switch (c) {
    case '\n': return text;
    case '\\':
    case '\'':
    case '"': *d->out++ = c; return text;
    case 'a': *d->out++ = '\a'; return text;
    case 'b': *d->out++ = '\b'; return text;
    case 'f': *d->out++ = '\f'; return text;
    case 'n': *d->out++ = '\n'; return text;
    case 'r': *d->out++ = '\r'; return text;
    case 't': *d->out++ = '\t'; return text;
    case 'v': *d->out++ = '\v'; return text;
    case 'x': return hex_escape(d, text, end, 2);
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7': {
      const char *begin = text - 2;
      uint32_t value = (uint32_t)(c - '0');
      for (int i = 0; i < 2 && text < end && *text >= '0' && *text <= '7'; i++)
        value = value * 8 + (uint32_t)(*text++ - '0');
      if (value > 255) warn_escape(d, begin, (int)(text - begin));
      if (d->bytes) *d->out++ = (char)value;
      else put_utf8(d, value);
      return text;
    }
    case 'u':
      if (!d->bytes) return hex_escape(d, text, end, 4);
      break;
    case 'U':
      if (!d->bytes) return hex_escape(d, text, end, 8);
      break;
    case 'N':
      if (!d->bytes) return named_escape(d, text, end);
      break;
  }
  if ((unsigned char)c < 0x80) warn_escape(d, text - 2, 2);
  *d->out++ = '\\';
  return text - 1; /* kept as it is */
}

/* Fills a constant with the text between begin and end. */
static void decode(decoder *d, asy_constant *value, const char *begin, const char *end) {
  char *buffer = asy_arena_alloc(d->p->arena, (size_t)(end - begin) + 1);
  value->kind = d->bytes ? CONST_BYTES : CONST_STR;
  value->text = "";
  if (!buffer) return;
  d->begin = begin;
  d->out = buffer;
  if (!d->fstring && (d->raw || !memchr(begin, '\\', (size_t)(end - begin)))) {
    memcpy(buffer, begin, (size_t)(end - begin));
    d->out += end - begin;
  } else {
    for (const char *p = begin; p && p < end;) {
      if (*p == '\\' && !d->raw && p + 1 < end) {
        p = escape(d, p + 1, end);
      } else {
        if (d->fstring && (*p == '{' || *p == '}') && p + 1 < end && p[1] == *p) p++;
        *d->out++ = *p++;
      }
    }
  }
  *d->out = 0;
  value->text = buffer;
  value->len = (uint32_t)(d->out - buffer);
}

/* --- Strings --------------------------------------------------------------------------------------------------------- */

asy_node *asy_literal_string(asy_parser *p, const char *text, uint32_t len, asy_span span) {
  const char *begin = text, *end = text + len;
  decoder d = {.p = p, .span = span};
  bool u_prefix = (*text | 32) == 'u';
  for (; *begin != '"' && *begin != '\''; begin++) {
    if ((*begin | 32) == 'b') d.bytes = true;
    if ((*begin | 32) == 'r') d.raw = true;
  }
  uint32_t quotes = end - begin >= 6 && begin[1] == *begin && begin[2] == *begin ? 3 : 1;
  begin += quotes;
  end -= quotes;
  asy_node *node = constant_of(p, CONST_STR, span);
  node->constant.value.u_prefix = u_prefix;
  if (d.bytes)
    for (const char *c = begin; c < end; c++)
      if ((unsigned char)*c >= 0x80) {
        asy_parser_fail(p, span, "bytes can only contain ASCII literal characters");
        break;
      }
  decode(&d, &node->constant.value, begin, end);
  return node;
}

asy_node *asy_literal_fstring_text(asy_parser *p, const char *text, uint32_t len, bool raw, bool spec, asy_span span) {
  decoder d = {.p = p, .span = span, .raw = raw, .fstring = !spec};
  asy_node *node = constant_of(p, CONST_STR, span);
  decode(&d, &node->constant.value, text, text + len);
  return node;
}

void asy_literal_debug_text(asy_parser *p, asy_node_list *values, asy_node *field, asy_span from, asy_span to) {
  size_t len;
  const char *begin = asy_source_line(p->source, from.end_line, &len), *end = asy_source_line(p->source, to.line, &len);
  asy_node *node = constant_of(p, CONST_STR, (asy_span){from.end_line, from.end_col, to.line, to.col});
  if (begin && end) {
    node->constant.value.len = (uint32_t)(end + to.col - (begin + from.end_col));
    node->constant.value.text = asy_arena_copy(p->arena, begin + from.end_col, node->constant.value.len);
  }
  if (!node->constant.value.text) node->constant.value.text = "", node->constant.value.len = 0;
  asy_node_list_add(p->arena, values, node);
  if (field->formatted_value.conversion == -1 && !field->formatted_value.format_spec)
    field->formatted_value.conversion = 'r';
}

/* Appends a value; adjacent texts are gathered in a run, which is joined once. */
typedef struct {
  asy_node_list values;
  uint32_t run; /* texts at the end of values that belong together */
} joiner;

static void end_run(asy_parser *p, joiner *j) {
  uint32_t first = j->values.len - j->run;
  if (j->run == 1) {
    if (!j->values.items[first]->constant.value.len) j->values.len--;
  } else if (j->run > 1) {
    size_t len = 0;
    for (uint32_t i = first; i < j->values.len; i++) len += j->values.items[i]->constant.value.len;
    asy_node *last = j->values.items[j->values.len - 1], *begin = j->values.items[first];
    asy_node *node = constant_of(p, begin->constant.value.kind, begin->span);
    node->span.end_line = last->end_line, node->span.end_col = last->end_col;
    node->constant.value.u_prefix = begin->constant.value.u_prefix;
    char *text = asy_arena_alloc(p->arena, len + 1), *out = text;
    node->constant.value.text = "";
    if (text) {
      for (uint32_t i = first; i < j->values.len; i++) {
        const asy_constant *value = &j->values.items[i]->constant.value;
        memcpy(out, value->text, value->len);
        out += value->len;
      }
      *out = 0;
      node->constant.value.text = text;
      node->constant.value.len = (uint32_t)len;
    }
    j->values.items[first] = node;
    j->values.len = len ? first + 1 : first;
  }
  j->run = 0;
}

static void join(asy_parser *p, joiner *j, asy_node *value) {
  bool text = value->kind == AST_Constant;
  if (!text) end_run(p, j);
  uint32_t len = j->values.len;
  asy_node_list_add(p->arena, &j->values, value);
  if (text && j->values.len > len) j->run++;
}

asy_node *asy_literal_joined(asy_parser *p, asy_node_list values, asy_span span) {
  joiner j = {0};
  for (uint32_t i = 0; i < values.len; i++) join(p, &j, values.items[i]);
  end_run(p, &j);
  asy_node *node = asy_parser_node(p, AST_JoinedStr, span);
  node->joined_str.values = j.values;
  return asy_check_depth(p, node);
}

asy_node *asy_literal_concat(asy_parser *p, asy_node_list parts, asy_span span) {
  if (parts.len == 1) return parts.items[0];
  bool joined = false, bytes = false, text = false;
  for (uint32_t i = 0; i < parts.len; i++) {
    const asy_node *part = parts.items[i];
    joined |= part->kind == AST_JoinedStr;
    if (part->kind == AST_Constant && part->constant.value.kind == CONST_BYTES) bytes = true;
    else text = true;
  }
  if (bytes && text) asy_parser_fail(p, p->token.span, "cannot mix bytes and nonbytes literals");
  if (!parts.len || (bytes && text)) return constant_of(p, CONST_NONE, span);
  joiner j = {0};
  for (uint32_t i = 0; i < parts.len; i++) {
    const asy_node *part = parts.items[i];
    if (part->kind == AST_Constant) join(p, &j, parts.items[i]);
    else
      for (uint32_t k = 0; k < part->joined_str.values.len; k++) join(p, &j, part->joined_str.values.items[k]);
  }
  end_run(p, &j);
  if (!joined) {
    asy_node *node = j.values.len ? j.values.items[0] : parts.items[0]; /* all empty: any of them */
    node->span = span;
    node->constant.value.u_prefix = parts.items[0]->constant.value.u_prefix;
    return node;
  }
  asy_node *node = asy_parser_node(p, AST_JoinedStr, span);
  node->joined_str.values = j.values;
  return asy_check_depth(p, node);
}
