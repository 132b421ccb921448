/* decode.c - JSON text straight into values: one pass over the text, no tokens in between.
 *
 * A parse holds the text, which cannot change, and the values made so far, which lie on the C stack or in containers that do; so
 * nothing needs to be rooted by hand. Hooks are script code and may raise, but cannot reach what is being parsed.
 * Errors are JSONDecodeError with CPython's texts. A place where a value is missing is reported apart (`missing`), since
 * Scanner.__call__ turns it into StopIteration and decode into an error.
 */
#include <math.h>
#include <stdlib.h>

#include "stdlib/json/json.h"

typedef struct {
  asy_obj head;
  asy_value object_hook, object_pairs_hook; /* None: a dict */
  asy_value parse_float, parse_int;         /* None: the built-in types */
  asy_value parse_constant;                 /* None: nan and the infinities */
  bool strict;                              /* control characters in strings are errors */
} scanner;

enum { NAMES = 64, NAME_LONGEST = 32 };

typedef struct {
  asy_vm *vm;
  const scanner *how;
  asy_str *text;
  const void *data;
  unsigned width;
  uint32_t length, at;
  int64_t missing;       /* where a value was expected, -1: nowhere */
  asy_str *names[NAMES]; /* names of members met lately, by a hash: most repeat */
} parser;

static asy_value parse_value(parser *p);

static inline uint32_t point(const parser *p, uint32_t i) {
  if (i >= p->length) return 0;
  if (p->width == 1) return ((const uint8_t *)p->data)[i];
  return p->width == 2 ? ((const uint16_t *)p->data)[i] : ((const uint32_t *)p->data)[i];
}

static asy_value fail_at(asy_vm *vm, const char *message, asy_value text, int64_t at) {
  asy_value module = asy_import(vm, "json.decoder");
  asy_value cls = asy_failed(module) ? ASY_FAILED : asy_get_attr_cstr(vm, module, "JSONDecodeError");
  if (asy_failed(cls)) return ASY_FAILED;
  asy_value args[] = {asy_from_cstr(vm, message), text, asy_from_small(at)};
  asy_value error = asy_failed(args[0]) ? ASY_FAILED : asy_call(vm, cls, 3, args);
  return asy_failed(error) ? ASY_FAILED : asy_raise_value(vm, error);
}

static asy_value fail(parser *p, const char *message, int64_t at) {
  return fail_at(p->vm, message, asy_from_obj(p->text), at);
}

static asy_value missing_value(parser *p, uint32_t at) {
  p->missing = at;
  return ASY_FAILED;
}

static inline void skip_space(parser *p) {
  for (;;) {
    uint32_t c = point(p, p->at);
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') return;
    p->at++;
  }
}

/* ---- Strings ---- */

/* Four hexadecimal digits at `at`; -1: they are not. All at once, a character in each byte of a word: what the digits' values make
 * when they are written again must be the characters. */
static int32_t four_digits(const parser *p, uint32_t at) {
  const uint32_t ones = 0x01010101;
  uint32_t word = 0, beyond = 0;
  if (p->width == 1) {
    memcpy(&word, (const uint8_t *)p->data + at, 4);
  } else {
    for (uint32_t i = 0; i < 4; i++) {
      beyond |= point(p, at + i);
      word |= (point(p, at + i) & 255) << 8 * i;
    }
  }
  uint32_t letters = word >> 6 & ones, values = (word & ones * 15) + letters * 9;
  uint32_t written = values + ones * '0' + letters * ('a' - '0' - 10);
  bool good = beyond < 256 && !(values & ones * 0xF0) && ((values + ones * 6) >> 4 & ones) == letters &&
              written == (word | letters * 32);
  return good ? (int32_t)((values & 15) << 12 | (values >> 8 & 15) << 8 | (values >> 16 & 15) << 4 | values >> 24) : -1;
}

/* Whether one of eight bytes is a quote, a backslash or a control character: borrows of a subtraction reach the top bits (the
 * classic test for a zero byte; a false alarm only ends the fast loop early). */
static inline bool has_special(uint64_t word) {
  const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
  uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\';
  return (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) | ((word - ones * ' ') & ~word)) & tops;
}

/* The end of the characters that stand for themselves. */
static uint32_t plain_end(const parser *p, uint32_t i) {
  bool strict = p->how->strict;
  if (p->width == 1) {
    const uint8_t *s = p->data;
    for (uint64_t word; i + sizeof word <= p->length; i += sizeof word) {
      memcpy(&word, s + i, sizeof word);
      if (has_special(word)) break;
    }
    while (i < p->length && s[i] != '"' && s[i] != '\\' && (s[i] >= ' ' || !strict)) i++;
    return i;
  }
  for (; i < p->length; i++) {
    uint32_t c = point(p, i);
    if (c == '"' || c == '\\' || (c < ' ' && strict)) break;
  }
  return i;
}

/* What the escape at p->at (behind the backslash) stands for; -1 failed. */
static int64_t read_escape(parser *p) {
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  uint32_t c = point(p, p->at);
  if (c != 'u') {
    const char *simple = c && c < 128 ? strchr(from, (int)c) : NULL;
    if (!simple) return fail(p, "Invalid \\escape", (int64_t)p->at - 1), -1;
    p->at++;
    return (uint8_t)to[simple - from];
  }
  int32_t first = p->at + 5 < p->length ? four_digits(p, p->at + 1) : -1;
  if (first < 0) return fail(p, "Invalid \\uXXXX escape", p->at), -1;
  p->at += 5;
  if (first >= 0xD800 && first < 0xDC00 && p->at + 6 < p->length && point(p, p->at) == '\\' &&
      point(p, p->at + 1) == 'u') {
    int32_t second = four_digits(p, p->at + 2);
    if (second < 0) return fail(p, "Invalid \\uXXXX escape", p->at + 1), -1;
    if (second >= 0xDC00 && second < 0xE000) {
      p->at += 6;
      return 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
    }
  }
  return first;
}

/* Appends a row of escapes; p->at is behind the first backslash, and afterwards behind the last escape. */
static bool read_escapes(parser *p, asy_text *out) {
  uint32_t row[64], n = 0;
  bool more = true;
  while (more) {
    int64_t c = read_escape(p);
    if (c < 0) return false;
    row[n++] = (uint32_t)c;
    more = n < sizeof row / sizeof *row && p->at + 1 < p->length && point(p, p->at) == '\\';
    p->at += more;
  }
  asy_text_points(out, row, sizeof *row, n);
  return true;
}

/* A string with escapes; `begin` is behind its quote. */
static asy_value read_escaped(parser *p, uint32_t begin) {
  asy_text out;
  asy_text_init(&out, p->vm);
  for (;;) {
    uint32_t end = plain_end(p, p->at);
    asy_text_slice(&out, p->text, p->at, end);
    p->at = end + 1;
    bool more = end < p->length && point(p, end) == '\\' && p->at < p->length;
    if (more && read_escapes(p, &out)) continue;
    if (more || (end < p->length && point(p, end) == '"')) break;
    if (end < p->length && point(p, end) != '\\') fail(p, "Invalid control character at", end);
    else fail(p, "Unterminated string starting at", (int64_t)begin - 1);
    break;
  }
  if (asy_raised(p->vm)) {
    asy_text_discard(&out);
    return ASY_FAILED;
  }
  asy_str *text = asy_text_finish(&out);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

/* The string whose quote is before p->at. */
static asy_value read_string(parser *p) {
  uint32_t begin = p->at, end = plain_end(p, begin);
  if (end >= p->length || point(p, end) != '"') return read_escaped(p, begin);
  p->at = end + 1;
  asy_str *text = asy_str_slice(p->vm, p->text, begin, end);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

/* As read_string, for a name: one object for equal names. */
static asy_value read_name(parser *p) {
  uint32_t begin = p->at, end = plain_end(p, begin);
  if (p->width != 1 || end - begin > NAME_LONGEST || point(p, end) != '"') return read_string(p);
  const uint8_t *s = (const uint8_t *)p->data + begin;
  uint32_t length = end - begin, hash = length;
  for (uint32_t i = 0; i < length; i++) hash = hash * 31 + s[i];
  asy_str **slot = &p->names[(hash ^ hash >> 8) % NAMES];
  if (*slot && (*slot)->len == length && asy_str_width(*slot) == 1 && !memcmp(asy_str_data(*slot), s, length)) {
    p->at = end + 1;
    return asy_from_obj(*slot);
  }
  asy_value name = read_string(p);
  if (!asy_failed(name)) *slot = (asy_str *)asy_obj_of(name);
  return name;
}

/* ---- Numbers and constants ---- */

static inline bool is_digit(uint32_t c) { return c >= '0' && c <= '9'; }

static asy_value call_with_slice(parser *p, asy_value callee, uint32_t begin, uint32_t end) {
  asy_str *slice = asy_str_slice(p->vm, p->text, begin, end);
  return slice ? asy_call1(p->vm, callee, asy_from_obj(slice)) : ASY_FAILED;
}

/* Exact when the digits fit 53 bits and the power of ten is exact too (W. Clinger, "How to read floating point numbers
 * accurately", 1990); else libc's strtod, which rounds correctly. */
static asy_value read_float(parser *p, uint32_t begin, uint32_t end) {
  static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  uint64_t digits = 0;
  int count = 0, scale = 0, exponent = 0;
  bool point_seen = false, negative = point(p, begin) == '-', exponent_negative = false;
  uint32_t i = begin + negative;
  for (; i < end; i++) {
    uint32_t c = point(p, i);
    if (c == '.') {
      point_seen = true;
      continue;
    }
    if (!is_digit(c)) break;
    if (digits || c != '0') count++;
    if (count <= 18) digits = digits * 10 + (c - '0');
    scale -= point_seen;
  }
  if (i < end) {
    uint32_t sign = point(p, ++i);
    exponent_negative = sign == '-';
    i += sign == '-' || sign == '+';
    for (; i < end && exponent < 10000; i++) exponent = exponent * 10 + (int)(point(p, i) - '0');
  }
  scale += exponent_negative ? -exponent : exponent;
  if (count <= 18 && digits <= (uint64_t)1 << 53 && scale >= -22 && scale <= 22) {
    double d = scale < 0 ? (double)digits / powers[-scale] : (double)digits * powers[scale];
    return asy_from_double(p->vm, negative ? -d : d);
  }
  char small[64], *copy = end - begin < sizeof small ? small : malloc(end - begin + 1);
  if (!copy) return asy_raise_no_memory(p->vm);
  for (i = begin; i < end; i++) copy[i - begin] = (char)point(p, i);
  copy[end - begin] = 0;
  double d = strtod(copy, NULL);
  if (copy != small) free(copy);
  return asy_from_double(p->vm, d);
}

static asy_value read_int(parser *p, uint32_t begin, uint32_t end) {
  bool negative = point(p, begin) == '-';
  if (end - begin - negative > 18) {
    asy_value builtins = asy_import(p->vm, "builtins");
    asy_value convert = asy_failed(builtins) ? ASY_FAILED : asy_get_attr_cstr(p->vm, builtins, "int");
    return asy_failed(convert) ? ASY_FAILED : call_with_slice(p, convert, begin, end);
  }
  int64_t value = 0;
  for (uint32_t i = begin + negative; i < end; i++) value = value * 10 + (int64_t)(point(p, i) - '0');
  return asy_from_small(negative ? -value : value);
}

static asy_value read_number(parser *p) {
  uint32_t begin = p->at, i = begin + (point(p, begin) == '-');
  bool is_float = false;
  if (!is_digit(point(p, i))) return missing_value(p, begin);
  if (point(p, i) == '0') i++;
  else
    while (is_digit(point(p, i))) i++;
  if (point(p, i) == '.' && is_digit(point(p, i + 1))) {
    is_float = true;
    for (i++; is_digit(point(p, i));) i++;
  }
  if (point(p, i) == 'e' || point(p, i) == 'E') {
    uint32_t digits = i + 1 + (point(p, i + 1) == '-' || point(p, i + 1) == '+');
    if (is_digit(point(p, digits))) {
      is_float = true;
      for (i = digits; is_digit(point(p, i));) i++;
    }
  }
  p->at = i;
  asy_value hook = is_float ? p->how->parse_float : p->how->parse_int;
  if (hook != ASY_NONE) return call_with_slice(p, hook, begin, i);
  return is_float ? read_float(p, begin, i) : read_int(p, begin, i);
}

static bool take_word(parser *p, const char *word) {
  uint32_t i = p->at;
  for (; *word; word++, i++)
    if (point(p, i) != (uint8_t)*word) return false;
  p->at = i;
  return true;
}

static asy_value constant(parser *p, const char *name, double value) {
  if (p->how->parse_constant == ASY_NONE) return asy_from_double(p->vm, value);
  asy_value text = asy_from_cstr(p->vm, name);
  return asy_failed(text) ? ASY_FAILED : asy_call1(p->vm, p->how->parse_constant, text);
}

/* ---- Containers ---- */

static asy_value read_array(parser *p) {
  asy_list *list = asy_list_new(p->vm, 0);
  if (!list) return ASY_FAILED;
  skip_space(p);
  if (point(p, p->at) == ']') {
    p->at++;
    return asy_from_obj(list);
  }
  for (;;) {
    asy_value item = parse_value(p);
    if (asy_failed(item) || !asy_list_append(p->vm, list, item)) return ASY_FAILED;
    skip_space(p);
    uint32_t c = point(p, p->at), comma = p->at;
    if (c == ']') break;
    if (c != ',') return fail(p, "Expecting ',' delimiter", p->at);
    p->at++;
    skip_space(p);
    if (point(p, p->at) == ']') return fail(p, "Illegal trailing comma before end of array", comma);
  }
  p->at++;
  return asy_from_obj(list);
}

/* One member: its name, and its value in *value. */
static asy_value read_member(parser *p, asy_value *value) {
  if (point(p, p->at) != '"') return fail(p, "Expecting property name enclosed in double quotes", p->at);
  p->at++;
  asy_value name = read_name(p);
  if (asy_failed(name)) return ASY_FAILED;
  skip_space(p);
  if (point(p, p->at) != ':') return fail(p, "Expecting ':' delimiter", p->at);
  p->at++;
  skip_space(p);
  *value = parse_value(p);
  return asy_failed(*value) ? ASY_FAILED : name;
}

/* After a member: 1 another follows, 0 the object is closed, -1 failed. */
static int after_member(parser *p) {
  skip_space(p);
  uint32_t c = point(p, p->at), comma = p->at;
  if (c != '}' && c != ',') {
    fail(p, "Expecting ',' delimiter", p->at);
    return -1;
  }
  p->at++;
  if (c == '}') return 0;
  skip_space(p);
  if (point(p, p->at) != '}') return 1;
  fail(p, "Illegal trailing comma before end of object", comma);
  return -1;
}

static asy_value read_object(parser *p) {
  asy_vm *vm = p->vm;
  bool pairs = p->how->object_pairs_hook != ASY_NONE;
  asy_dict *dict = pairs ? NULL : asy_dict_new(vm, 0);
  asy_list *list = pairs ? asy_list_new(vm, 0) : NULL;
  if (!dict && !list) return ASY_FAILED;
  skip_space(p);
  int more = point(p, p->at) != '}';
  if (!more) p->at++;
  while (more) {
    asy_value value = ASY_NONE, name = read_member(p, &value);
    if (asy_failed(name)) return ASY_FAILED;
    asy_value pair = pairs ? asy_tuple_of(vm, 2, name, value) : ASY_NONE;
    if (asy_failed(pair)) return ASY_FAILED;
    if (!(pairs ? asy_list_append(vm, list, pair) : asy_dict_set_str(vm, dict, (asy_str *)asy_obj_of(name), value)))
      return ASY_FAILED;
    more = after_member(p);
    if (more < 0) return ASY_FAILED;
  }
  if (pairs) return asy_call1(vm, p->how->object_pairs_hook, asy_from_obj(list));
  return p->how->object_hook != ASY_NONE ? asy_call1(vm, p->how->object_hook, asy_from_obj(dict)) : asy_from_obj(dict);
}

static asy_value parse_container(parser *p, uint32_t c) {
  if (!asy_check_c_stack_in(p->vm, c == '[' ? " while decoding a JSON array from a unicode string"
                                            : " while decoding a JSON object from a unicode string"))
    return ASY_FAILED;
  p->at++;
  return c == '[' ? read_array(p) : read_object(p);
}

/* The value at p->at, which no space precedes. */
static asy_value parse_value(parser *p) {
  uint32_t c = point(p, p->at);
  switch (c) {
    case '"': p->at++; return read_string(p);
    case '[':
    case '{': return parse_container(p, c);
    case 't':
      if (take_word(p, "true")) return ASY_TRUE;
      break;
    case 'f':
      if (take_word(p, "false")) return ASY_FALSE;
      break;
    case 'n':
      if (take_word(p, "null")) return ASY_NONE;
      break;
    case 'N':
      if (take_word(p, "NaN")) return constant(p, "NaN", NAN);
      break;
    case 'I':
      if (take_word(p, "Infinity")) return constant(p, "Infinity", INFINITY);
      break;
    case '-':
      if (take_word(p, "-Infinity")) return constant(p, "-Infinity", -INFINITY);
      return read_number(p);
    default: return read_number(p);
  }
  return missing_value(p, p->at);
}

/* ---- The type ---- */

static bool start(asy_vm *vm, parser *p, const scanner *how, asy_value text) {
  if (!asy_is_str(text)) {
    asy_raise(vm, ASY_TypeError, "first argument must be a string, not %T", text);
    return false;
  }
  *p = (parser){.vm = vm, .how = how, .text = (asy_str *)asy_obj_of(text), .missing = -1};
  p->data = asy_str_data(p->text);
  p->width = asy_str_width(p->text);
  p->length = p->text->len;
  return true;
}

static asy_value scanner_call(asy_vm *vm, asy_value self, const asy_value *args, int nargs, asy_tuple *kwnames) {
  parser p;
  int64_t index;
  if (nargs != 2 || kwnames) return asy_raise(vm, ASY_TypeError, "a scanner takes a string and an index");
  if (!start(vm, &p, (scanner *)asy_obj_of(self), args[0]) || !asy_to_int64(vm, args[1], &index)) return ASY_FAILED;
  if (index < 0) return asy_raise(vm, ASY_ValueError, "idx cannot be negative");
  if (index >= p.length) return asy_raise_stop(vm, args[1]);
  p.at = (uint32_t)index;
  asy_value value = parse_value(&p);
  if (p.missing >= 0) return asy_raise_stop(vm, asy_from_small(p.missing));
  return asy_failed(value) ? ASY_FAILED : asy_tuple_of(vm, 2, value, asy_from_small(p.at));
}

static asy_value scanner_decode(asy_vm *vm, const asy_value *args) {
  parser p;
  if (!start(vm, &p, (scanner *)asy_obj_of(args[0]), args[1])) return ASY_FAILED;
  skip_space(&p);
  asy_value value = parse_value(&p);
  if (p.missing >= 0) return fail(&p, "Expecting value", (uint32_t)p.missing);
  if (asy_failed(value)) return ASY_FAILED;
  skip_space(&p);
  return p.at == p.length ? value : fail(&p, "Extra data", p.at);
}

asy_value asy_json_scanstring(asy_vm *vm, const asy_value *args) {
  int strict = asy_truth(vm, args[2]);
  int64_t end;
  parser p;
  scanner how = {.strict = strict == 1};
  if (strict < 0 || !start(vm, &p, &how, args[0]) || !asy_to_int64(vm, args[1], &end)) return ASY_FAILED;
  if (end < 0 || end > p.length) return asy_raise(vm, ASY_ValueError, "end is out of bounds");
  p.at = (uint32_t)end;
  asy_value text = read_string(&p);
  return asy_failed(text) ? ASY_FAILED : asy_tuple_of(vm, 2, text, asy_from_small(p.at));
}

/* A hook as it is called; None when it is `usual`, which the scanner does itself. */
static bool hook(asy_vm *vm, asy_value context, const char *name, const char *usual, asy_value *out) {
  *out = asy_get_attr_cstr(vm, context, name);
  if (asy_failed(*out)) return false;
  if (!usual || *out == ASY_NONE) return true;
  asy_value builtins = asy_import(vm, "builtins"),
            own = asy_failed(builtins) ? ASY_FAILED : asy_get_attr_cstr(vm, builtins, usual);
  if (*out == own) *out = ASY_NONE;
  return !asy_failed(own);
}

static asy_value scanner_new(asy_vm *vm, const asy_value *args) {
  asy_value context = args[1], strict = asy_get_attr_cstr(vm, context, "strict");
  scanner made = {.object_hook = ASY_NONE};
  int truth = asy_failed(strict) ? -1 : asy_truth(vm, strict);
  if (truth < 0 || !hook(vm, context, "object_hook", NULL, &made.object_hook) ||
      !hook(vm, context, "object_pairs_hook", NULL, &made.object_pairs_hook) ||
      !hook(vm, context, "parse_float", "float", &made.parse_float) ||
      !hook(vm, context, "parse_int", "int", &made.parse_int) ||
      !hook(vm, context, "parse_constant", NULL, &made.parse_constant))
    return ASY_FAILED;
  scanner *s = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  if (!s) return ASY_FAILED;
  made.head = s->head;
  made.strict = truth;
  *s = made;
  return asy_from_obj(s);
}

static void scanner_visit(asy_obj *o, asy_visitor *v) {
  const scanner *s = (const scanner *)o;
  const asy_value held[] = {s->object_hook, s->object_pairs_hook, s->parse_float, s->parse_int, s->parse_constant};
  for (size_t i = 0; i < sizeof held / sizeof *held; i++) asy_visit_value(v, held[i]);
}

static const asy_member members[] = {
  {"object_hook", offsetof(scanner, object_hook), MEMBER_VALUE, false},
  {"object_pairs_hook", offsetof(scanner, object_pairs_hook), MEMBER_VALUE, false},
  {"parse_float", offsetof(scanner, parse_float), MEMBER_VALUE, false},
  {"parse_int", offsetof(scanner, parse_int), MEMBER_VALUE, false},
  {"parse_constant", offsetof(scanner, parse_constant), MEMBER_VALUE, false},
  {"strict", offsetof(scanner, strict), MEMBER_BOOL8, false},
  {0},
};

static const asy_native methods[] = {
  {"decode", SIG("(self, text, /)"), scanner_decode, DOC("The value of a text that holds one."), 0},
  {0},
};

const asy_type asy_json_scanner_type = {
  .name = "_json.Scanner",
  .doc = "JSON scanner object",
  .size = sizeof(scanner),
  .visit = scanner_visit,
  .new_ = scanner_new,
  .new_signature = SIG("(cls, context)"),
  .special = &(const asy_special){.call = scanner_call},
  .methods = methods,
  .members = members,
};
