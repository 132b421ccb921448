/* encode.c - values to JSON text, in one pass into one buffer.
 *
 * Script code runs for `default`, for keys' and subclasses' conversions and for mappings' items; it may change the containers being
 * written. So lists are read again at each item, and dicts are written from a list of their items where that could matter.
 * Circular references are found on the chain of open containers; deep down only at every 64th level, which a cycle cannot escape.
 */
#include <math.h>

#include "stdlib/json/json.h"

typedef struct {
  asy_obj head;
  asy_value fallback;                      /* called with what is no JSON; None: TypeError */
  asy_value indent;                        /* None or the str of one level */
  asy_str *item_separator, *key_separator; /* between items, behind a key */
  bool skipkeys, ascii, circular, allow_nan, sort_keys;
} encoder;

typedef struct level {
  const struct level *up;
  asy_value container;
  uint32_t depth;
} level;

typedef struct {
  asy_vm *vm;
  const encoder *how;
  asy_text out;
} writer;

enum { EVERY_LEVEL = 100, SOME_LEVELS = 64 };

static bool write_value(writer *w, asy_value v, const level *up);

/* ---- Strings ---- */

enum { ROW = 240, ESCAPE_MOST = 12 };

static inline char *put_unit(char *to, uint32_t unit) {
  static const char digits[] = "0123456789abcdef";
  const char text[] = {
    '\\', 'u', digits[unit >> 12 & 15], digits[unit >> 8 & 15], digits[unit >> 4 & 15], digits[unit & 15]};
  memcpy(to, text, sizeof text);
  return to + sizeof text;
}

/* The escape of a code point; where it ends. */
static char *put_escape(char *to, uint32_t c) {
  static const char from[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
  const char *simple = c && c < 128 ? strchr(from, (int)c) : NULL;
  if (simple) {
    *to++ = '\\';
    *to++ = letters[simple - from];
    return to;
  }
  if (c < 0x10000) return put_unit(to, c);
  return put_unit(put_unit(to, 0xD800 + ((c - 0x10000) >> 10)), 0xDC00 + ((c - 0x10000) & 0x3FF));
}

static inline bool stands_for_itself(uint32_t c, bool ascii) {
  return c >= ' ' && c != '"' && c != '\\' && (!ascii || c < 127);
}

static inline char *put_point(char *to, uint32_t c) {
  if (c >= 128 && c < 0x10000) return put_unit(to, c);
  if (!stands_for_itself(c, true)) return put_escape(to, c);
  *to = (char)c;
  return to + 1;
}

enum { LANES = 8 };
typedef uint16_t units __attribute__((vector_size(2 * LANES)));
typedef uint8_t octets __attribute__((vector_size(2 * LANES)));

/* The hexadecimal digits of the nibbles in the bytes of each lane. */
static inline units hex_digits(units nibbles) {
  octets n = (octets)nibbles;
  return (units)(n + '0' + ((octets)(n > 9) & ('a' - '0' - 10)));
}

/* LANES points: their digits are made at once, two in the order of memory in each lane. */
static inline char *put_lanes(char *to, const uint16_t *points) {
  units u;
  memcpy(&u, points, sizeof u);
  units first = hex_digits(u >> 12 | (u & 0x0F00)), last = hex_digits((u >> 4 & 15) | (u & 15) << 8);
  uint16_t digits[2][LANES];
  memcpy(digits[0], &first, sizeof first);
  memcpy(digits[1], &last, sizeof last);
  for (unsigned i = 0; i < LANES; i++) {
    if (points[i] < 128) {
      to = put_point(to, points[i]);
      continue;
    }
    memcpy(to, "\\u", 2);
    memcpy(to + 2, &digits[0][i], 2);
    memcpy(to + 4, &digits[1][i], 2);
    to += 6;
  }
  return to;
}

/* A string most of whose code points need an escape, as ASCII; out is narrow. */
static void write_escaped(asy_text *out, const asy_str *s) {
  enum { CHUNK = 128 * LANES }; /* code points for which room is made at once */
  bool wide = asy_str_width(s) == 4;
  const uint16_t *narrow = asy_str_data(s);
  const uint32_t *points = asy_str_data(s);
  for (uint32_t i = 0; i < s->len;) {
    uint32_t stop = s->len - i < CHUNK ? s->len : i + CHUNK;
    char *end = asy_text_open(out, (size_t)(stop - i) * ESCAPE_MOST + 2);
    if (!end) return;
    if (i == 0) *end++ = '"';
    for (; !wide && i + LANES <= stop; i += LANES) end = put_lanes(end, narrow + i);
    for (; i < stop; i++) end = put_point(end, wide ? points[i] : narrow[i]);
    if (i == s->len) *end++ = '"';
    asy_text_close(out, end);
  }
}

/* One in which most stand for themselves. */
static void write_runs(asy_text *out, const asy_str *s, bool ascii) {
  bool narrow = asy_str_width(s) == 1;
  const uint8_t *bytes = asy_str_data(s);
  asy_text_char(out, '"');
  for (uint32_t i = 0; i < s->len;) {
    uint32_t begin = i;
    if (narrow)
      while (i < s->len && stands_for_itself(bytes[i], ascii)) i++;
    else
      while (i < s->len && stands_for_itself(asy_str_at(s, i), ascii)) i++;
    if (i > begin) asy_text_slice(out, s, begin, i);
    char row[ROW], *end = row;
    for (; i < s->len && end - row <= ROW - ESCAPE_MOST; i++) {
      uint32_t c = asy_str_at(s, i);
      if (stands_for_itself(c, ascii)) break;
      end = c >= 128 && c < 0x10000 ? put_unit(end, c) : put_escape(end, c);
    }
    if (end != row) asy_text_ascii_n(out, row, (size_t)(end - row));
  }
  asy_text_char(out, '"');
}

static void write_string(asy_text *out, const asy_str *s, bool ascii) {
  if (ascii && asy_str_width(s) > 1 && out->width == 1) write_escaped(out, s);
  else write_runs(out, s, ascii);
}

static asy_value quoted(asy_vm *vm, asy_value v, bool ascii) {
  if (!asy_is_str(v)) return asy_raise(vm, ASY_TypeError, "first argument must be a string, not %T", v);
  asy_text out;
  asy_text_init(&out, vm);
  write_string(&out, (asy_str *)asy_obj_of(v), ascii);
  asy_str *text = asy_text_finish(&out);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

asy_value asy_json_quote(asy_vm *vm, const asy_value *args) { return quoted(vm, args[0], false); }
asy_value asy_json_quote_ascii(asy_vm *vm, const asy_value *args) { return quoted(vm, args[0], true); }

/* ---- Numbers ---- */

static bool write_str_value(writer *w, asy_value text) {
  if (asy_failed(text)) return false;
  asy_text_str(&w->out, (asy_str *)asy_obj_of(text));
  return true;
}

static bool write_int(writer *w, asy_value v) {
  if (asy_is_int(v)) {
    asy_text_int(&w->out, asy_small(v));
    return true;
  }
  /* plain, whatever a subclass says: int.__repr__ */
  asy_value plain = asy_int_binary(w->vm, BINARY_ADD, v, asy_from_small(0));
  return write_str_value(w, asy_failed(plain) ? plain : asy_repr(w->vm, plain));
}

static bool write_float(writer *w, asy_value v) {
  double d = asy_float_value(v);
  if (!isfinite(d)) {
    if (!w->how->allow_nan) {
      asy_raise(w->vm, ASY_ValueError, "Out of range float values are not JSON compliant: %R", v);
      return false;
    }
    asy_text_ascii(&w->out, isnan(d) ? "NaN" : d > 0 ? "Infinity" : "-Infinity");
    return true;
  }
  asy_value plain = asy_from_double(w->vm, d);
  return write_str_value(w, asy_failed(plain) ? plain : asy_repr(w->vm, plain));
}

/* ---- Containers ---- */

static bool enter(writer *w, level *here) {
  if (!asy_check_c_stack_in(w->vm, " while encoding a JSON object")) return false;
  if (!w->how->circular || (here->depth > EVERY_LEVEL && here->depth % SOME_LEVELS)) return true;
  for (const level *l = here->up; l; l = l->up) {
    if (l->container != here->container) continue;
    asy_raise(w->vm, ASY_ValueError, "Circular reference detected");
    return false;
  }
  return true;
}

static void new_line(writer *w, uint32_t depth) {
  if (w->how->indent == ASY_NONE) return;
  asy_text_char(&w->out, '\n');
  for (uint32_t i = 0; i < depth; i++) asy_text_str(&w->out, (asy_str *)asy_obj_of(w->how->indent));
}

static void separate(writer *w, bool first, uint32_t depth) {
  if (!first) asy_text_str(&w->out, w->how->item_separator);
  new_line(w, depth);
}

static uint32_t sequence_length(asy_value v) {
  return asy_is_kind(v, KIND_LIST) ? ((asy_list *)asy_obj_of(v))->len : ((asy_tuple *)asy_obj_of(v))->len;
}

static asy_value sequence_item(asy_value v, uint32_t i) {
  return asy_is_kind(v, KIND_LIST) ? ((asy_list *)asy_obj_of(v))->items[i] : ((asy_tuple *)asy_obj_of(v))->items[i];
}

/* A subclass that iterates in its own way is written as it iterates. */
static asy_value as_sequence(asy_vm *vm, asy_value v) {
  if (asy_is_exact(v, KIND_LIST) || asy_is_exact(v, KIND_TUPLE)) return v;
  asy_list *list = asy_list_new(vm, 0);
  return list && asy_list_extend(vm, list, v) ? asy_from_obj(list) : ASY_FAILED;
}

static bool write_sequence(writer *w, asy_value v, const level *up) {
  level here = {.up = up, .container = v, .depth = up ? up->depth + 1 : 1};
  asy_value items = as_sequence(w->vm, v);
  if (asy_failed(items) || !enter(w, &here)) return false;
  asy_text_char(&w->out, '[');
  uint32_t i = 0;
  for (; i < sequence_length(items); i++) {
    separate(w, i == 0, here.depth);
    if (!write_value(w, sequence_item(items, i), &here)) return false;
  }
  if (i) new_line(w, here.depth - 1);
  asy_text_char(&w->out, ']');
  return true;
}

/* A key as its text: 1; 0 to be skipped; -1 failed. */
static int write_key(writer *w, asy_value key) {
  asy_text *out = &w->out;
  if (asy_is_str(key)) {
    write_string(out, (asy_str *)asy_obj_of(key), w->how->ascii);
    return 1;
  }
  asy_text_char(out, '"');
  bool done = true;
  if (key == ASY_NONE) asy_text_ascii(out, "null");
  else if (asy_is_bool(key)) asy_text_ascii(out, key == ASY_TRUE ? "true" : "false");
  else if (asy_is_float(key)) done = write_float(w, key);
  else done = write_int(w, key);
  asy_text_char(out, '"');
  return done ? 1 : -1;
}

static bool can_be_key(asy_value key) {
  return asy_is_str(key) || key == ASY_NONE || asy_is_float(key) || asy_is_integer(key);
}

/* Writes one member unless its key is skipped; *written counts. */
static bool write_member(writer *w, asy_value key, asy_value value, const level *here, uint32_t *written) {
  if (!can_be_key(key)) {
    if (!w->how->skipkeys) asy_raise(w->vm, ASY_TypeError, "keys must be str, int, float, bool or None, not %T", key);
    return w->how->skipkeys;
  }
  separate(w, *written == 0, here->depth);
  ++*written;
  if (write_key(w, key) < 0) return false;
  asy_text_str(&w->out, w->how->key_separator);
  return write_value(w, value, here);
}

/* The items as a list of pairs, sorted when that is wanted. */
static asy_list *item_list(writer *w, asy_value v) {
  asy_value method = asy_get_attr_cstr(w->vm, v, "items"),
            items = asy_failed(method) ? ASY_FAILED : asy_call0(w->vm, method);
  asy_list *list = asy_failed(items) ? NULL : asy_list_from_iterable(w->vm, items);
  if (list && w->how->sort_keys && !asy_list_sort(w->vm, list, ASY_NONE, false)) return NULL;
  return list;
}

static bool write_pairs(writer *w, asy_value v, const level *here, uint32_t *written) {
  asy_list *pairs = item_list(w, v);
  if (!pairs) return false;
  for (uint32_t i = 0; i < pairs->len; i++) {
    asy_value pair = pairs->items[i];
    if (!asy_is_kind(pair, KIND_TUPLE) || ((asy_tuple *)asy_obj_of(pair))->len != 2) {
      asy_raise(w->vm, ASY_ValueError, "items must return 2-tuples");
      return false;
    }
    const asy_tuple *two = (asy_tuple *)asy_obj_of(pair);
    if (!write_member(w, two->items[0], two->items[1], here, written)) return false;
  }
  return true;
}

static bool write_dict(writer *w, asy_value v, const level *up) {
  level here = {.up = up, .container = v, .depth = up ? up->depth + 1 : 1};
  if (!enter(w, &here)) return false;
  uint32_t written = 0;
  asy_text_char(&w->out, '{');
  if (asy_is_exact(v, KIND_DICT) && !w->how->sort_keys) {
    asy_dict *dict = (asy_dict *)asy_obj_of(v);
    uint32_t position = 0, mutations = dict->mutations;
    asy_value key, value;
    while (asy_dict_next(dict, &position, &key, &value)) {
      if (!write_member(w, key, value, &here, &written)) return false;
      if (dict->mutations == mutations) continue;
      asy_raise(w->vm, ASY_RuntimeError, "dictionary changed size during iteration");
      return false;
    }
  } else if (!write_pairs(w, v, &here, &written)) {
    return false;
  }
  int filled = written ? 1 : w->how->indent == ASY_NONE ? 0 : asy_truth(w->vm, v);
  if (filled < 0) return false;
  if (filled && !written) new_line(w, here.depth); /* every key was skipped */
  if (filled) new_line(w, here.depth - 1);
  asy_text_char(&w->out, '}');
  return true;
}

/* What is no JSON: what `fallback` makes of it. */
static bool write_other(writer *w, asy_value v, const level *up) {
  level here = {.up = up, .container = v, .depth = up ? up->depth : 0};
  if (w->how->fallback == ASY_NONE) {
    asy_raise(w->vm, ASY_TypeError, "Object of type %T is not JSON serializable", v);
    return false;
  }
  if (!enter(w, &here)) return false;
  asy_value made = asy_call1(w->vm, w->how->fallback, v);
  return !asy_failed(made) && write_value(w, made, &here);
}

static bool write_value(writer *w, asy_value v, const level *up) {
  asy_text *out = &w->out;
  if (asy_is_str(v)) write_string(out, (asy_str *)asy_obj_of(v), w->how->ascii);
  else if (asy_is_int(v)) asy_text_int(out, asy_small(v));
  else if (v == ASY_NONE) asy_text_ascii(out, "null");
  else if (asy_is_bool(v)) asy_text_ascii(out, v == ASY_TRUE ? "true" : "false");
  else if (asy_is_float(v)) return write_float(w, v);
  else if (asy_is_integer(v)) return write_int(w, v);
  else if (asy_is_kind(v, KIND_DICT)) return write_dict(w, v, up);
  else if (asy_is_kind(v, KIND_LIST) || asy_is_kind(v, KIND_TUPLE)) return write_sequence(w, v, up);
  else return write_other(w, v, up);
  return true;
}

/* ---- The type ---- */

static asy_value encoder_call(asy_vm *vm, asy_value self, const asy_value *args, int nargs, asy_tuple *kwnames) {
  if (nargs != 1 || kwnames) return asy_raise(vm, ASY_TypeError, "an encoder takes one value");
  writer w = {.vm = vm, .how = (encoder *)asy_obj_of(self)};
  asy_text_init(&w.out, vm);
  if (!write_value(&w, args[0], NULL)) {
    asy_text_discard(&w.out);
    return ASY_FAILED;
  }
  asy_str *text = asy_text_finish(&w.out);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

static asy_value encoder_new(asy_vm *vm, const asy_value *args) {
  enum { CLS, DEFAULT, SKIPKEYS, ASCII, CIRCULAR, ALLOW_NAN, SORT_KEYS, INDENT, ITEM, KEY };
  int truth[KEY + 1];
  for (int i = SKIPKEYS; i <= SORT_KEYS; i++) {
    truth[i] = asy_truth(vm, args[i]);
    if (truth[i] < 0) return ASY_FAILED;
  }
  for (int i = INDENT; i <= KEY; i++)
    if (!asy_is_str(args[i]) && !(i == INDENT && args[i] == ASY_NONE))
      return asy_raise(vm, ASY_TypeError, "%s must be a str, not %T",
                       i == INDENT ? "indent"
                       : i == ITEM ? "item_separator"
                                   : "key_separator",
                       args[i]);
  encoder *e = asy_new_instance(vm, (asy_class *)asy_obj_of(args[CLS]));
  if (!e) return ASY_FAILED;
  e->fallback = args[DEFAULT];
  e->indent = args[INDENT];
  e->item_separator = (asy_str *)asy_obj_of(args[ITEM]);
  e->key_separator = (asy_str *)asy_obj_of(args[KEY]);
  e->skipkeys = truth[SKIPKEYS];
  e->ascii = truth[ASCII];
  e->circular = truth[CIRCULAR];
  e->allow_nan = truth[ALLOW_NAN];
  e->sort_keys = truth[SORT_KEYS];
  return asy_from_obj(e);
}

static void encoder_visit(asy_obj *o, asy_visitor *v) {
  const encoder *e = (const encoder *)o;
  asy_visit_value(v, e->fallback);
  asy_visit_value(v, e->indent);
  asy_visit_obj(v, e->item_separator);
  asy_visit_obj(v, e->key_separator);
}

const asy_type asy_json_encoder_type = {
  .name = "_json.Encoder",
  .doc = "JSON encoder object",
  .size = sizeof(encoder),
  .visit = encoder_visit,
  .new_ = encoder_new,
  .new_signature = SIG(
    "(cls, default, skipkeys, ensure_ascii, check_circular, allow_nan, sort_keys, indent, item_separator, "
    "key_separator)"),
  .special = &(const asy_special){.call = encoder_call},
};
