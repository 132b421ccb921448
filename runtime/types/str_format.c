/* str_format.c - str.format and format_map: "{0.name[key]!r:>{width}}".
 * The text is walked as it stands; a nested specification is rendered the same way, one level deep.
 */
#include "runtime/number.h"
#include "runtime/types/format.h"
#include "runtime/types/str_internal.h"
#include "runtime/types/unicode.h"

typedef struct {
  asy_vm *vm;
  asy_tuple *args;   /* NULL: format_map */
  asy_dict *kwargs;  /* NULL: format_map */
  asy_value mapping; /* of format_map */
  enum { NUMBERS_UNKNOWN, NUMBERS_AUTO, NUMBERS_MANUAL } numbering;
  int64_t next; /* automatic number */
} formatter;

typedef struct {
  uint32_t name_start, name_end, spec_start, spec_end;
  uint32_t conversion; /* 0: none */
  bool nested;         /* the specification has fields of its own */
} field;

static bool value_error(asy_vm *vm, const char *message) {
  asy_raise(vm, ASY_ValueError, "%s", message);
  return false;
}

/* Reads a field whose '{' has been passed; *at ends behind its '}'. */
static bool read_field(asy_vm *vm, asy_str *s, uint32_t *at, uint32_t end, field *f) {
  uint32_t i = *at, c = 0;
  *f = (field){.name_start = i};
  while (i < end) {
    c = asy_str_at(s, i++);
    if (c == '{') return value_error(vm, "unexpected '{' in field name");
    if (c == '[') {
      while (i < end && asy_str_at(s, i) != ']') i++;
      continue;
    }
    if (c == '}' || c == ':' || c == '!') break;
  }
  f->name_end = i - 1;
  *at = i;
  if (c == '}' && f->name_end >= f->name_start) return true;
  if (c != '!' && c != ':') return value_error(vm, "expected '}' before end of string");
  if (c == '!') {
    if (i >= end) return value_error(vm, "end of string while looking for conversion specifier");
    f->conversion = asy_str_at(s, i++);
    if (i < end) {
      c = asy_str_at(s, i++);
      *at = i;
      if (c == '}') return true;
      if (c != ':') return value_error(vm, "expected ':' after conversion specifier");
    }
  }
  f->spec_start = i;
  for (int depth = 1; i < end;) {
    c = asy_str_at(s, i++);
    if (c == '{') {
      f->nested = true;
      depth++;
    } else if (c == '}' && --depth == 0) {
      f->spec_end = i - 1;
      *at = i;
      return true;
    }
  }
  return value_error(vm, "unmatched '{' in format spec");
}

/* s[start:end] as a number: -1 when it is none (or empty), -2 failed. */
static int64_t index_of(asy_vm *vm, asy_str *s, uint32_t start, uint32_t end) {
  int64_t n = 0;
  if (start == end) return -1;
  for (uint32_t i = start; i < end; i++) {
    int digit = asy_unicode_decimal(asy_str_at(s, i));
    if (digit < 0) return -1;
    if (n > (INT64_MAX - digit) / 10) {
      value_error(vm, "Too many decimal digits in format string");
      return -2;
    }
    n = n * 10 + digit;
  }
  return n;
}

static bool choose_numbering(formatter *f, bool automatic) {
  if (f->numbering == NUMBERS_UNKNOWN) f->numbering = automatic ? NUMBERS_AUTO : NUMBERS_MANUAL;
  if (f->numbering == NUMBERS_MANUAL && automatic) {
    return value_error(f->vm, "cannot switch from manual field specification to automatic field numbering");
  }
  if (f->numbering == NUMBERS_AUTO && !automatic) {
    return value_error(f->vm, "cannot switch from automatic field numbering to manual field specification");
  }
  return true;
}

/* The argument that the first part of a field name means. */
static asy_value argument(formatter *f, asy_str *s, uint32_t start, uint32_t end) {
  asy_vm *vm = f->vm;
  int64_t index = index_of(vm, s, start, end);
  if (index == -2) return ASY_FAILED;
  bool automatic = start == end;
  if (automatic || index >= 0) {
    if (!choose_numbering(f, automatic)) return ASY_FAILED;
    if (automatic) index = f->next++;
    if (!f->args) return asy_raise(vm, ASY_ValueError, "Format string contains positional fields");
    if (index >= f->args->len) {
      return asy_raise(vm, ASY_IndexError, "Replacement index %lld out of range for positional args tuple",
                       (long long)index);
    }
    return f->args->items[index];
  }
  asy_str *name = asy_str_slice(vm, s, start, end);
  if (!name) return ASY_FAILED;
  if (!f->kwargs) return asy_get_item(vm, f->mapping, asy_from_obj(name));
  asy_value value;
  int found = asy_dict_get(vm, f->kwargs, asy_from_obj(name), &value);
  if (found > 0) return value;
  return found < 0 ? ASY_FAILED : asy_raise_key(vm, asy_from_obj(name));
}

/* The object of a field name: an argument, then .attributes and [items]. */
static asy_value find_object(formatter *f, asy_str *s, uint32_t start, uint32_t end) {
  asy_vm *vm = f->vm;
  uint32_t i = start;
  while (i < end && asy_str_at(s, i) != '.' && asy_str_at(s, i) != '[') i++;
  asy_value object = argument(f, s, start, i);
  while (!asy_failed(object) && i < end) {
    uint32_t c = asy_str_at(s, i++), from = i;
    if (c == '.') {
      while (i < end && asy_str_at(s, i) != '.' && asy_str_at(s, i) != '[') i++;
      if (i == from) return asy_raise(vm, ASY_ValueError, "Empty attribute in format string");
      asy_str *name = asy_str_slice(vm, s, from, i);
      if (!name || !(name = asy_str_intern(vm, name))) return ASY_FAILED;
      object = asy_get_attr(vm, object, name);
    } else if (c == '[') {
      while (i < end && asy_str_at(s, i) != ']') i++;
      if (i == end) return asy_raise(vm, ASY_ValueError, "Missing ']' in format string");
      if (i == from) return asy_raise(vm, ASY_ValueError, "Empty attribute in format string");
      int64_t index = index_of(vm, s, from, i);
      asy_str *key = index < 0 ? asy_str_slice(vm, s, from, i) : NULL;
      if (index == -2 || (index < 0 && !key)) return ASY_FAILED;
      object = asy_get_item(vm, object, index >= 0 ? asy_from_int64(vm, index) : asy_from_obj(key));
      i++;
    } else {
      return asy_raise(vm, ASY_ValueError, "Only '.' or '[' may follow ']' in format field specifier");
    }
  }
  return object;
}

static asy_value convert(asy_vm *vm, asy_value object, uint32_t conversion) {
  switch (conversion) {
    case 0: return object;
    case 'r': return asy_repr(vm, object);
    case 's': return asy_str_of(vm, object);
    case 'a': return asy_ascii(vm, object);
    default:
      if (conversion > 32 && conversion < 127)
        return asy_raise(vm, ASY_ValueError, "Unknown conversion specifier %c", conversion);
      return asy_raise(vm, ASY_ValueError, "Unknown conversion specifier \\x%x", conversion);
  }
}

static bool render(formatter *f, asy_str *s, uint32_t start, uint32_t end, int depth, asy_text *out);

static bool render_field(formatter *f, asy_str *s, const field *found, int depth, asy_text *out) {
  asy_vm *vm = f->vm;
  asy_value object = find_object(f, s, found->name_start, found->name_end);
  if (asy_failed(object)) return false;
  object = convert(vm, object, found->conversion);
  if (asy_failed(object)) return false;
  asy_str *spec = vm->empty_str;
  if (found->nested) {
    asy_text nested;
    asy_text_init(&nested, vm);
    if (!render(f, s, found->spec_start, found->spec_end, depth - 1, &nested)) {
      asy_text_discard(&nested);
      return false;
    }
    spec = asy_text_finish(&nested);
  } else if (found->spec_end > found->spec_start) {
    spec = asy_str_slice(vm, s, found->spec_start, found->spec_end);
  }
  if (!spec) return false;
  asy_value text = asy_format(vm, object, asy_from_obj(spec));
  if (asy_failed(text)) return false;
  asy_text_str(out, str_of(text));
  return true;
}

static bool render(formatter *f, asy_str *s, uint32_t start, uint32_t end, int depth, asy_text *out) {
  asy_vm *vm = f->vm;
  if (depth < 0) return value_error(vm, "Max string recursion exceeded");
  for (uint32_t i = start; i < end;) {
    uint32_t from = i, c = 0;
    while (i < end && (c = asy_str_at(s, i)) != '{' && c != '}') i++;
    asy_text_slice(out, s, from, i);
    if (i == end) break;
    i++;
    if (i < end && asy_str_at(s, i) == c) {
      asy_text_char(out, c);
      i++;
      continue;
    }
    if (c == '}') return value_error(vm, "Single '}' encountered in format string");
    if (i == end) return value_error(vm, "Single '{' encountered in format string");
    field found;
    if (!read_field(vm, s, &i, end, &found) || !render_field(f, s, &found, depth, out)) return false;
  }
  return true;
}

asy_value asy_str_format_method(asy_vm *vm, asy_str *format, asy_tuple *args, asy_dict *kwargs, asy_value mapping) {
  formatter f = {.vm = vm, .args = args, .kwargs = kwargs, .mapping = mapping};
  asy_text out;
  asy_text_init(&out, vm);
  if (!render(&f, format, 0, format->len, 1, &out)) {
    asy_text_discard(&out);
    return ASY_FAILED;
  }
  asy_str *s = asy_text_finish(&out);
  return s ? asy_from_obj(s) : ASY_FAILED;
}

/* ---- The module _string: the same syntax, piece by piece, for string.Formatter ---- */

static asy_value text_or_failed(asy_str *s) { return s ? asy_from_obj(s) : ASY_FAILED; }

static bool check_text(asy_vm *vm, asy_value v) {
  if (!asy_is_str(v)) asy_raise(vm, ASY_TypeError, "expected str, got %T", v);
  return asy_is_str(v);
}

/* One piece from s[*at]: the text before a field, and the field; or text alone, which may end with a doubled bracket. */
static asy_value piece(asy_vm *vm, asy_str *s, uint32_t *at) {
  uint32_t from = *at, i = from, c = 0;
  while (i < s->len && (c = asy_str_at(s, i)) != '{' && c != '}') i++;
  bool doubled = i + 1 < s->len && asy_str_at(s, i + 1) == c;
  asy_value text = text_or_failed(asy_str_slice(vm, s, from, i + (i < s->len && doubled)));
  if (asy_failed(text)) return ASY_FAILED;
  *at = i + 2;
  if (i >= s->len || doubled) return asy_tuple_of(vm, 4, text, ASY_NONE, ASY_NONE, ASY_NONE);
  if (c == '}') return asy_raise(vm, ASY_ValueError, "Single '}' encountered in format string");
  if (i + 1 == s->len) return asy_raise(vm, ASY_ValueError, "Single '{' encountered in format string");
  field found;
  *at = i + 1;
  if (!read_field(vm, s, at, s->len, &found)) return ASY_FAILED;
  asy_value name = text_or_failed(asy_str_slice(vm, s, found.name_start, found.name_end));
  asy_value spec = text_or_failed(asy_str_slice(vm, s, found.spec_start, found.spec_end));
  asy_value conversion = found.conversion ? text_or_failed(asy_str_char(vm, found.conversion)) : ASY_NONE;
  if (asy_failed(name) || asy_failed(spec) || asy_failed(conversion)) return ASY_FAILED;
  return asy_tuple_of(vm, 4, text, name, spec, conversion);
}

static asy_value string_parser(asy_vm *vm, const asy_value *args) {
  asy_list *pieces = check_text(vm, args[0]) ? asy_list_new(vm, 0) : NULL;
  if (!pieces) return ASY_FAILED;
  for (uint32_t at = 0; at < str_of(args[0])->len;) {
    asy_value next = piece(vm, str_of(args[0]), &at);
    if (asy_failed(next) || !asy_list_append(vm, pieces, next)) return ASY_FAILED;
  }
  return asy_iter(vm, asy_from_obj(pieces));
}

/* s[start:end] as a key: an int when it is digits. */
static asy_value key_of(asy_vm *vm, asy_str *s, uint32_t start, uint32_t end) {
  int64_t index = index_of(vm, s, start, end);
  if (index == -2) return ASY_FAILED;
  return index >= 0 ? asy_from_int64(vm, index) : text_or_failed(asy_str_slice(vm, s, start, end));
}

static asy_value string_split(asy_vm *vm, const asy_value *args) {
  asy_list *rest = check_text(vm, args[0]) ? asy_list_new(vm, 0) : NULL;
  if (!rest) return ASY_FAILED;
  asy_str *s = str_of(args[0]);
  uint32_t i = 0;
  while (i < s->len && asy_str_at(s, i) != '.' && asy_str_at(s, i) != '[') i++;
  asy_value first = key_of(vm, s, 0, i);
  while (!asy_failed(first) && i < s->len) {
    uint32_t c = asy_str_at(s, i++), from = i;
    bool attribute = c == '.';
    if (!attribute && c != '[')
      return asy_raise(vm, ASY_ValueError, "Only '.' or '[' may follow ']' in format field specifier");
    while (i < s->len && (attribute ? asy_str_at(s, i) != '.' && asy_str_at(s, i) != '[' : asy_str_at(s, i) != ']'))
      i++;
    if (!attribute && i == s->len) return asy_raise(vm, ASY_ValueError, "Missing ']' in format string");
    if (i == from) return asy_raise(vm, ASY_ValueError, "Empty attribute in format string");
    asy_value key = attribute ? text_or_failed(asy_str_slice(vm, s, from, i)) : key_of(vm, s, from, i);
    asy_value step = asy_failed(key) ? ASY_FAILED : asy_tuple_of(vm, 2, asy_from_bool(attribute), key);
    if (asy_failed(step) || !asy_list_append(vm, rest, step)) return ASY_FAILED;
    i += !attribute;
  }
  asy_value steps = asy_failed(first) ? ASY_FAILED : asy_iter(vm, asy_from_obj(rest));
  return asy_failed(steps) ? ASY_FAILED : asy_tuple_of(vm, 2, first, steps);
}

static const asy_native string_natives[] = {
  {"formatter_parser", SIG("(text, /)"), string_parser, DOC("parse the argument as a format string"), 0},
  {"formatter_field_name_split", SIG("(name, /)"), string_split, DOC("split the argument as a field name"), 0},
  {0},
};

const asy_module_def asy_module_string = {"_string", string_natives, "string helper module", NULL};
