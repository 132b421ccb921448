/* codec_registry.c - the module _codecs: what scripts add to the codecs (search functions, error handlers), codecs by a table of
 * characters, and every built-in codec as a pair of functions that work in pieces.
 * The state is made when the module is first used; its containers are pinned.
 */
#include <stdio.h>
#include <stdlib.h>

#include "runtime/class.h"
#include "runtime/types/codec_internal.h"

typedef struct asy_codec_state {
  asy_dict *handlers; /* name -> callable */
  asy_dict *cache;    /* normal name -> CodecInfo */
  asy_list *search;   /* functions: normal name -> CodecInfo or None */
} asy_codec_state;

static asy_codec_state *state_of(asy_vm *vm) {
  if (vm->codec_state) return vm->codec_state;
  asy_codec_state made = {asy_dict_new(vm, 0), asy_dict_new(vm, 0), asy_list_new(vm, 0)};
  if (!made.handlers || !made.cache || !made.search) return NULL;
  asy_codec_state *state = malloc(sizeof *state);
  if (!state) return asy_raise_no_memory(vm), NULL;
  *state = made;
  asy_pin(vm, made.handlers);
  asy_pin(vm, made.cache);
  asy_pin(vm, made.search);
  return vm->codec_state = state;
}

void asy_codecs_free(asy_vm *vm) {
  free(vm->codec_state);
  vm->codec_state = NULL;
}

/* ---- Error handlers of scripts ---- */

static asy_value find_handler(asy_vm *vm, const char *name) {
  asy_codec_state *state = state_of(vm);
  asy_str *key = state ? asy_intern(vm, name) : NULL;
  asy_value callee = key ? asy_dict_get_str(vm, state->handlers, key) : ASY_FAILED;
  return callee == ASY_UNBOUND ? asy_raise(vm, ASY_LookupError, "unknown error handler name '%s'", name) : callee;
}

/* Calls the handler with the exception: its text (or bytes) and the place to go on from, counted from the start. */
static asy_value ask_handler(asy_vm *vm, const char *errors, asy_exc_id what, const asy_value *fields, size_t len,
                             bool encodes, size_t *next) {
  asy_value callee = find_handler(vm, errors);
  asy_value exception = asy_failed(callee) ? callee : asy_call(vm, asy_from_obj(vm->exceptions[what]), 5, fields);
  asy_value answer = asy_failed(exception) ? exception : asy_call1(vm, callee, exception);
  if (asy_failed(answer)) return answer;
  const asy_tuple *pair = asy_is_kind(answer, KIND_TUPLE) ? (const asy_tuple *)asy_obj_of(answer) : NULL;
  int64_t at;
  if (!pair || pair->len != 2 ||
      !(asy_is_str(pair->items[0]) || (encodes && asy_is_kind(pair->items[0], KIND_BYTES))) ||
      !asy_is_integer(pair->items[1]))
    return asy_raise(vm, ASY_TypeError,
                     encodes ? "encoding error handler must return (str/bytes, int) tuple"
                             : "decoding error handler must return (str, int) tuple");
  if (!asy_to_int64(vm, pair->items[1], &at)) return ASY_FAILED;
  int64_t place = at < 0 ? at + (int64_t)len : at;
  if (place < 0 || place > (int64_t)len)
    return asy_raise(vm, ASY_IndexError, "position %lld from error handler out of bounds", (long long)place);
  *next = (size_t)place;
  return pair->items[0];
}

bool asy_codec_call_decode_handler(decoding *d, size_t start, size_t end, const char *reason) {
  asy_vm *vm = d->vm;
  asy_value object = d->object ? d->object : asy_from_bytes(vm, d->data, d->len);
  asy_value fields[5] = {asy_from_cstr(vm, d->name), object, asy_from_small((int64_t)start),
                         asy_from_small((int64_t)end), asy_from_cstr(vm, reason)};
  if (asy_failed(fields[0]) || asy_failed(object) || asy_failed(fields[4])) return false;
  asy_value text = ask_handler(vm, d->errors, ASY_UnicodeDecodeError, fields, d->len, false, &d->at);
  if (asy_failed(text)) return false;
  asy_text_str(&d->text, (asy_str *)asy_obj_of(text));
  return true;
}

bool asy_codec_call_encode_handler(encoding *e, uint32_t end, const char *reason) {
  asy_vm *vm = e->vm;
  asy_value fields[5] = {asy_from_cstr(vm, e->name), asy_from_obj(e->text), asy_from_small(e->at), asy_from_small(end),
                         asy_from_cstr(vm, reason)};
  size_t next;
  if (asy_failed(fields[0]) || asy_failed(fields[4])) return false;
  asy_value text = ask_handler(vm, e->errors, ASY_UnicodeEncodeError, fields, e->text->len, true, &next);
  if (asy_failed(text)) return false;
  if (asy_is_str(text)) { /* to be encoded by the same codec, with the position of the original in errors */
    encoding part = *e;
    part.handler = HANDLER_STRICT;
    part.errors = "strict";
    part.text = (asy_str *)asy_obj_of(text);
    part.at = 0;
    part.inner = true;
    bool good = e->codec->encode(&part);
    e->out = part.out;
    e->len = part.len;
    e->cap = part.cap;
    if (!good) return false;
  } else {
    const asy_bytes *bytes = (const asy_bytes *)asy_obj_of(text);
    if (e->unit && bytes->len % e->unit)
      return asy_raise_encode_error(vm, e->name, fields[1], e->at, end, reason), false;
    if (!asy_codec_put(e, bytes->data, bytes->len)) return false;
  }
  e->at = (uint32_t)next;
  return true;
}

/* ---- Codecs of scripts ---- */

static asy_str *normal_name(asy_vm *vm, const char *name) {
  char normal[200];
  size_t n = 0;
  for (; name[n] && n < sizeof normal - 1; n++) {
    char c = name[n];
    normal[n] = c == ' ' || c == '-' ? '_' : c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
  }
  normal[n] = 0;
  return asy_intern(vm, normal);
}

/* The CodecInfo that a search function has for the name. */
static asy_value lookup(asy_vm *vm, const char *name) {
  asy_codec_state *state = state_of(vm);
  asy_str *key = state ? normal_name(vm, name) : NULL;
  if (!key) return ASY_FAILED;
  asy_value info = asy_dict_get_str(vm, state->cache, key);
  if (info != ASY_UNBOUND) return info;
  if (asy_failed(asy_import(vm, "encodings"))) return ASY_FAILED; /* which adds the first search function */
  for (uint32_t i = 0; i < state->search->len; i++) {
    info = asy_call1(vm, state->search->items[i], asy_from_obj(key));
    if (asy_failed(info)) return info;
    if (info == ASY_NONE) continue;
    if (!asy_is_kind(info, KIND_TUPLE) || ((asy_tuple *)asy_obj_of(info))->len != 4)
      return asy_raise(vm, ASY_TypeError, "codec search functions must return 4-tuples");
    return asy_dict_set_str(vm, state->cache, key, info) ? info : ASY_FAILED;
  }
  return asy_raise(vm, ASY_LookupError, "unknown encoding: %s", name);
}

/* The first of what the codec's function `which` (0 encodes, 1 decodes) returns. */
static asy_value run_codec(asy_vm *vm, asy_value info, const char *name, int which, asy_value input,
                           const char *errors) {
  asy_value args[2] = {input, asy_from_cstr(vm, errors ? errors : "strict")};
  if (asy_failed(args[1])) return ASY_FAILED;
  asy_value pair = asy_call(vm, ((asy_tuple *)asy_obj_of(info))->items[which], 2, args);
  if (asy_failed(pair)) {
    if (asy_raised_is(vm, ASY_SystemExit)) return pair;
    asy_value exception = asy_take_exception(vm);
    asy_str *note = asy_str_format(vm, which ? "decoding with '%s' codec failed" : "encoding with '%s' codec failed",
                                   name);
    asy_value text = note ? asy_from_obj(note) : ASY_FAILED;
    asy_str *add = asy_intern(vm, "add_note");
    if (asy_failed(text) || asy_failed(asy_call_method(vm, exception, add, 1, &text))) asy_clear_exception(vm);
    asy_set_exception(vm, exception);
    return ASY_FAILED;
  }
  if (asy_is_kind(pair, KIND_TUPLE) && ((asy_tuple *)asy_obj_of(pair))->len == 2)
    return ((asy_tuple *)asy_obj_of(pair))->items[0];
  return asy_raise(
    vm, ASY_TypeError,
    which ? "decoder must return a tuple (object,integer)" : "encoder must return a tuple (object, integer)");
}

static bool must_be_text(asy_vm *vm, asy_value info, const char *name, const char *function) {
  asy_value is_text = asy_get_attr_cstr(vm, info, "_is_text_encoding");
  if (asy_failed(is_text)) asy_clear_exception(vm);
  if (is_text != ASY_FALSE) return true;
  asy_raise(vm, ASY_LookupError, "'%s' is not a text encoding; use %s to handle arbitrary codecs", name, function);
  return false;
}

asy_str *asy_codec_decode_registered(asy_vm *vm, const char *name, asy_value object, const uint8_t *data, size_t len,
                                     const char *errors) {
  asy_value info = lookup(vm, name);
  if (asy_failed(info) || !must_be_text(vm, info, name, "codecs.decode()")) return NULL;
  if (!object) object = asy_from_bytes(vm, data, len);
  asy_value text = asy_failed(object) ? object : run_codec(vm, info, name, 1, object, errors);
  if (asy_failed(text)) return NULL;
  if (asy_is_str(text)) return (asy_str *)asy_obj_of(text);
  asy_raise(vm, ASY_TypeError,
            "'%s' decoder returned '%T' instead of 'str'; use codecs.decode() to decode to arbitrary types", name,
            text);
  return NULL;
}

asy_value asy_codec_encode_registered(asy_vm *vm, const char *name, asy_str *text, const char *errors) {
  asy_value info = lookup(vm, name);
  if (asy_failed(info) || !must_be_text(vm, info, name, "codecs.encode()")) return ASY_FAILED;
  asy_value bytes = run_codec(vm, info, name, 0, asy_from_obj(text), errors);
  if (asy_failed(bytes) || asy_is_kind(bytes, KIND_BYTES)) return bytes;
  return asy_raise(vm, ASY_TypeError,
                   "'%s' encoder returned '%T' instead of 'bytes'; use codecs.encode() to encode to arbitrary types",
                   name, bytes);
}

/* ---- Codecs by a table ---- */

static bool decode_charmap(decoding *d) {
  const asy_str *table = asy_is_str(d->mapping) ? (const asy_str *)asy_obj_of(d->mapping) : NULL;
  while (d->at < d->len) {
    uint32_t c = 0xFFFE;
    uint8_t byte = d->data[d->at];
    if (table) {
      if (byte < table->len) c = asy_str_at(table, byte);
    } else {
      asy_value v = asy_get_item(d->vm, d->mapping, asy_from_small(byte));
      if (asy_failed(v)) {
        if (!asy_raised_is(d->vm, ASY_LookupError)) return false;
        asy_clear_exception(d->vm);
      } else if (asy_is_str(v)) {
        const asy_str *s = (const asy_str *)asy_obj_of(v);
        if (s->len != 1 || asy_str_at(s, 0) != 0xFFFE) {
          asy_text_str(&d->text, s);
          d->at++;
          continue;
        }
      } else if (asy_is_int(v)) {
        if (asy_small(v) < 0 || asy_small(v) > 0x10FFFF)
          return asy_raise(d->vm, ASY_TypeError, "character mapping must be in range(0x110000)"), false;
        c = (uint32_t)asy_small(v);
      } else if (v != ASY_NONE) {
        return asy_raise(d->vm, ASY_TypeError, "character mapping must return integer, None or str"), false;
      }
    }
    if (c == 0xFFFE) {
      if (!asy_codec_decode_error(d, d->at, d->at + 1, "character maps to <undefined>")) return false;
      continue;
    }
    asy_text_char(&d->text, c);
    d->at++;
  }
  return true;
}

/* 1 written, 0 no such character, -1 raised. */
static int put_mapped(encoding *e, uint32_t c) {
  asy_value v;
  if (asy_is_kind(e->mapping, KIND_DICT)) {
    int found = asy_dict_get(e->vm, (asy_dict *)asy_obj_of(e->mapping), asy_from_small(c), &v);
    if (found <= 0) return found;
  } else {
    v = asy_get_item(e->vm, e->mapping, asy_from_small(c));
    if (asy_failed(v)) {
      if (!asy_raised_is(e->vm, ASY_LookupError)) return -1;
      asy_clear_exception(e->vm);
      return 0;
    }
  }
  if (v == ASY_NONE) return 0;
  if (asy_is_kind(v, KIND_BYTES))
    return asy_codec_put(e, ((asy_bytes *)asy_obj_of(v))->data, ((asy_bytes *)asy_obj_of(v))->len) ? 1 : -1;
  if (!asy_is_int(v))
    return asy_raise(e->vm, ASY_TypeError, "character mapping must return integer, bytes or None, not %T", v), -1;
  if (asy_small(v) < 0 || asy_small(v) > 255)
    return asy_raise(e->vm, ASY_TypeError, "character mapping must be in range(256)"), -1;
  uint8_t byte = (uint8_t)asy_small(v);
  return asy_codec_put(e, &byte, 1) ? 1 : -1;
}

static bool encode_charmap(encoding *e) {
  while (e->at < e->text->len) {
    int put = put_mapped(e, asy_str_at(e->text, e->at));
    if (put < 0) return false;
    if (put) {
      e->at++;
      continue;
    }
    uint32_t end = e->at + 1; /* behind all that cannot be written */
    for (size_t len = e->len; end < e->text->len; end++) {
      put = put_mapped(e, asy_str_at(e->text, end));
      e->len = len;
      if (put < 0) return false;
      if (put) break;
    }
    if (!asy_codec_encode_error(e, end, "character maps to <undefined>")) return false;
  }
  return true;
}

static const codec charmap = {.names = "charmap ", .decode = decode_charmap, .encode = encode_charmap};

static bool optional_errors(asy_vm *vm, asy_value v, const char **out) {
  *out = NULL;
  return v == ASY_NONE || asy_to_cstr(vm, v, out);
}

static asy_value pair_of(asy_vm *vm, asy_value result, size_t used) {
  return asy_failed(result) ? result : asy_tuple_of(vm, 2, result, asy_from_small((int64_t)used));
}

static asy_value codecs_charmap_decode(asy_vm *vm, const asy_value *args) {
  const char *errors;
  asy_buffer b;
  if (!optional_errors(vm, args[1], &errors) || !asy_buffer_get(vm, args[0], &b)) return ASY_FAILED;
  size_t len = b.len;
  asy_str *s = args[2] == ASY_NONE ? asy_str_new_latin1(vm, b.data, len)
                                   : asy_codec_decode_with(vm, &charmap, asy_is_kind(args[0], KIND_BYTES) ? args[0] : 0,
                                                           b.data, len, errors, args[2], NULL, NULL);
  asy_buffer_release(vm, &b);
  return s ? pair_of(vm, asy_from_obj(s), len) : ASY_FAILED;
}

static asy_value codecs_charmap_encode(asy_vm *vm, const asy_value *args) {
  const char *errors;
  if (!asy_is_str(args[0]))
    return asy_raise(vm, ASY_TypeError, "charmap_encode() argument 1 must be str, not %T", args[0]);
  if (!optional_errors(vm, args[1], &errors)) return ASY_FAILED;
  asy_str *text = (asy_str *)asy_obj_of(args[0]);
  return pair_of(vm,
                 args[2] == ASY_NONE ? asy_encode(vm, text, "latin-1", errors)
                                     : asy_codec_encode_with(vm, &charmap, text, errors, args[2]),
                 text->len);
}

static asy_value codecs_charmap_build(asy_vm *vm, const asy_value *args) {
  if (!asy_is_str(args[0]))
    return asy_raise(vm, ASY_TypeError, "charmap_build() argument must be str, not %T", args[0]);
  const asy_str *table = (const asy_str *)asy_obj_of(args[0]);
  asy_dict *map = asy_dict_new(vm, 256);
  for (uint32_t i = 0; map && i < table->len && i < 256; i++) {
    uint32_t c = asy_str_at(table, i);
    if (c != 0xFFFE && !asy_dict_set(vm, map, asy_from_small(c), asy_from_small(i))) return ASY_FAILED;
  }
  return map ? asy_from_obj(map) : ASY_FAILED;
}

/* ---- The registry, as functions ---- */

static asy_value codecs_register(asy_vm *vm, const asy_value *args) {
  asy_codec_state *state = state_of(vm);
  if (!asy_callable(vm, args[0])) return asy_raise(vm, ASY_TypeError, "argument must be callable");
  return state && asy_list_append(vm, state->search, args[0]) ? ASY_NONE : ASY_FAILED;
}

static asy_value codecs_unregister(asy_vm *vm, const asy_value *args) {
  asy_codec_state *state = state_of(vm);
  for (uint32_t i = 0; state && i < state->search->len; i++) {
    if (state->search->items[i] != args[0]) continue;
    asy_list_pop(vm, state->search, i);
    asy_dict_clear(vm, state->cache);
    break;
  }
  return state ? ASY_NONE : ASY_FAILED;
}

static bool name_argument(asy_vm *vm, asy_value v, const char *function, const char **out) {
  if (asy_is_str(v)) return asy_to_cstr(vm, v, out);
  asy_raise(vm, ASY_TypeError, "%s() argument must be str, not %T", function, v);
  return false;
}

static asy_value codecs_lookup(asy_vm *vm, const asy_value *args) {
  const char *name;
  return name_argument(vm, args[0], "lookup", &name) ? lookup(vm, name) : ASY_FAILED;
}

static asy_value run_any(asy_vm *vm, const asy_value *args, int which) {
  const char *name, *errors;
  if (!name_argument(vm, args[1], which ? "decode" : "encode", &name) ||
      !name_argument(vm, args[2], which ? "decode" : "encode", &errors))
    return ASY_FAILED;
  asy_value info = lookup(vm, name);
  return asy_failed(info) ? info : run_codec(vm, info, name, which, args[0], errors);
}
static asy_value codecs_encode(asy_vm *vm, const asy_value *args) { return run_any(vm, args, 0); }
static asy_value codecs_decode(asy_vm *vm, const asy_value *args) { return run_any(vm, args, 1); }

static asy_value codecs_register_error(asy_vm *vm, const asy_value *args) {
  asy_codec_state *state = state_of(vm);
  if (!asy_is_str(args[0]))
    return asy_raise(vm, ASY_TypeError, "register_error() argument 1 must be str, not %T", args[0]);
  if (!asy_callable(vm, args[1])) return asy_raise(vm, ASY_TypeError, "handler must be callable");
  return state && asy_dict_set(vm, state->handlers, args[0], args[1]) ? ASY_NONE : ASY_FAILED;
}

static asy_value codecs_lookup_error(asy_vm *vm, const asy_value *args) {
  const char *name;
  if (!name_argument(vm, args[0], "lookup_error", &name)) return ASY_FAILED;
  return asy_failed(asy_import(vm, "codecs")) ? ASY_FAILED : find_handler(vm, name); /* which registers those we know */
}

/* ---- The built-in codecs, as functions ---- */

static asy_value do_decode(asy_vm *vm, const char *name, const asy_value *args, asy_value final) {
  const char *errors;
  asy_buffer b;
  int whole = asy_truth(vm, final);
  if (whole < 0 || !optional_errors(vm, args[1], &errors)) return ASY_FAILED;
  asy_value input = args[0];
  if (asy_is_str(input) && (input = asy_encode(vm, (asy_str *)asy_obj_of(input), "utf-8", NULL)) == ASY_FAILED)
    return ASY_FAILED;
  if (!asy_buffer_get(vm, input, &b)) return ASY_FAILED;
  size_t used = b.len;
  asy_str *s = asy_decode_some(vm, name, asy_is_kind(input, KIND_BYTES) ? input : 0, b.data, b.len, errors,
                               whole ? NULL : &used, NULL);
  asy_buffer_release(vm, &b);
  return s ? pair_of(vm, asy_from_obj(s), used) : ASY_FAILED;
}

static asy_value do_encode(asy_vm *vm, const char *name, const asy_value *args) {
  const char *errors;
  if (!asy_is_str(args[0])) return asy_raise(vm, ASY_TypeError, "encode() argument 1 must be str, not %T", args[0]);
  if (!optional_errors(vm, args[1], &errors)) return ASY_FAILED;
  asy_str *text = (asy_str *)asy_obj_of(args[0]);
  return pair_of(vm, asy_encode(vm, text, name, errors), text->len);
}

/* X(function, codec): those that decode in pieces have `final`, which is true for the escapes if it is not given. */
/* clang-format off */
#define STREAMED(X) \
  X(utf_8, "utf-8") X(utf_16, "utf-16") X(utf_16_le, "utf-16-le") \
  X(utf_16_be, "utf-16-be") X(utf_32, "utf-32") X(utf_32_le, "utf-32-le") \
  X(utf_32_be, "utf-32-be")
#define ESCAPES(X) X(unicode_escape, "unicode_escape") X(raw_unicode_escape, "raw_unicode_escape")
#define WHOLE(X) X(latin_1, "latin-1") X(ascii, "ascii")
/* clang-format on */

#define FUNCTIONS(function, codec_name)                                                                                \
  static asy_value codecs_##function##_encode(asy_vm *vm, const asy_value *args) {                                     \
    return do_encode(vm, codec_name, args);                                                                            \
  }
STREAMED(FUNCTIONS)
ESCAPES(FUNCTIONS)
WHOLE(FUNCTIONS)
#undef FUNCTIONS
#define FUNCTIONS(function, codec_name)                                                                                \
  static asy_value codecs_##function##_decode(asy_vm *vm, const asy_value *args) {                                     \
    return do_decode(vm, codec_name, args, args[2]);                                                                   \
  }
STREAMED(FUNCTIONS)
ESCAPES(FUNCTIONS)
#undef FUNCTIONS
#define FUNCTIONS(function, codec_name)                                                                                \
  static asy_value codecs_##function##_decode(asy_vm *vm, const asy_value *args) {                                     \
    return do_decode(vm, codec_name, args, ASY_TRUE);                                                                  \
  }
WHOLE(FUNCTIONS)
#undef FUNCTIONS

/* UTF-16 or 32 with the byte order as an argument and a result. */
static asy_value decode_ordered(asy_vm *vm, const char *name, const asy_value *args) {
  const char *errors;
  asy_buffer b;
  int order, whole = asy_truth(vm, args[3]);
  if (whole < 0 || !optional_errors(vm, args[1], &errors) || !asy_to_int(vm, args[2], INT32_MIN, INT32_MAX, &order) ||
      !asy_buffer_get(vm, args[0], &b))
    return ASY_FAILED;
  size_t used = b.len;
  asy_str *s = asy_decode_some(vm, name, asy_is_kind(args[0], KIND_BYTES) ? args[0] : 0, b.data, b.len, errors,
                               whole ? NULL : &used, &order);
  asy_buffer_release(vm, &b);
  return s ? asy_tuple_of(vm, 3, asy_from_obj(s), asy_from_small((int64_t)used), asy_from_small(order)) : ASY_FAILED;
}
static asy_value codecs_utf_16_ex_decode(asy_vm *vm, const asy_value *args) {
  return decode_ordered(vm, "utf-16", args);
}
static asy_value codecs_utf_32_ex_decode(asy_vm *vm, const asy_value *args) {
  return decode_ordered(vm, "utf-32", args);
}

static asy_value codecs_readbuffer_encode(asy_vm *vm, const asy_value *args) {
  if (asy_is_str(args[0])) {
    asy_value bytes = asy_encode(vm, (asy_str *)asy_obj_of(args[0]), "utf-8", NULL);
    return asy_failed(bytes) ? bytes : pair_of(vm, bytes, ((asy_bytes *)asy_obj_of(bytes))->len);
  }
  asy_buffer b;
  if (!asy_buffer_get(vm, args[0], &b)) return ASY_FAILED;
  size_t len = b.len;
  asy_value bytes = asy_from_bytes(vm, b.data, len);
  asy_buffer_release(vm, &b);
  return pair_of(vm, bytes, len);
}

/* ---- escape_encode, escape_decode: bytes as in a bytes literal ---- */

static asy_value codecs_escape_encode(asy_vm *vm, const asy_value *args) {
  static const char from[] = "\t\n\r\\'", to[] = "tnr\\'";
  if (!asy_is_kind(args[0], KIND_BYTES))
    return asy_raise(vm, ASY_TypeError, "escape_encode() argument 1 must be bytes, not %T", args[0]);
  const asy_bytes *in = (const asy_bytes *)asy_obj_of(args[0]);
  uint8_t *out = malloc((size_t)in->len * 4 + 1), *p = out;
  if (!out) return asy_raise_no_memory(vm);
  for (uint32_t i = 0; i < in->len; i++) {
    uint8_t c = in->data[i];
    const char *special = c ? strchr(from, c) : NULL;
    if (special) {
      *p++ = '\\';
      *p++ = (uint8_t)to[special - from];
    } else if (c >= ' ' && c < 127) {
      *p++ = c;
    } else {
      p += sprintf((char *)p, "\\x%02x", c);
    }
  }
  asy_value result = asy_from_bytes(vm, out, (size_t)(p - out));
  free(out);
  return pair_of(vm, result, in->len);
}

static int hex_digit(uint8_t c) {
  return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* One escape at data[i] (which is the backslash): bytes appended at *p; the place behind it, or SIZE_MAX with the exception set. */
static size_t unescape(asy_vm *vm, const uint8_t *data, size_t len, size_t i, uint8_t **p, const char *errors) {
  static const char from[] = "\\'\"abfnrtv", to[] = "\\'\"\a\b\f\n\r\t\v";
  if (i + 1 == len) return asy_raise(vm, ASY_ValueError, "Trailing \\ in string"), SIZE_MAX;
  uint8_t c = data[i + 1];
  const char *simple = c ? strchr(from, c) : NULL;
  if (simple) {
    *(*p)++ = (uint8_t)to[simple - from];
  } else if (c >= '0' && c <= '7') {
    uint32_t value = 0;
    size_t at = i + 1;
    while (at < i + 4 && at < len && data[at] >= '0' && data[at] <= '7') value = value * 8 + (data[at++] - '0');
    *(*p)++ = (uint8_t)value;
    return at;
  } else if (c == 'x') {
    if (i + 3 < len && hex_digit(data[i + 2]) >= 0 && hex_digit(data[i + 3]) >= 0) {
      *(*p)++ = (uint8_t)(hex_digit(data[i + 2]) << 4 | hex_digit(data[i + 3]));
      return i + 4;
    }
    if (!errors || !strcmp(errors, "strict"))
      return asy_raise(vm, ASY_ValueError, "invalid \\x escape at position %zu", i), SIZE_MAX;
    if (!strcmp(errors, "replace")) *(*p)++ = '?';
    else if (strcmp(errors, "ignore") != 0)
      return asy_raise(vm, ASY_ValueError, "decoding error; unknown error handling code: %s", errors), SIZE_MAX;
    return i + 2 + (i + 2 < len && hex_digit(data[i + 2]) >= 0);
  } else if (c != '\n') {
    *(*p)++ = '\\';
    *(*p)++ = c;
  }
  return i + 2;
}

static asy_value codecs_escape_decode(asy_vm *vm, const asy_value *args) {
  const char *errors;
  asy_value input = args[0];
  asy_buffer b;
  if (!optional_errors(vm, args[1], &errors)) return ASY_FAILED;
  if (asy_is_str(input) && (input = asy_encode(vm, (asy_str *)asy_obj_of(input), "utf-8", NULL)) == ASY_FAILED)
    return ASY_FAILED;
  if (!asy_buffer_get(vm, input, &b)) return ASY_FAILED;
  uint8_t *out = malloc(b.len + 1), *p = out;
  size_t i = 0, len = b.len;
  while (out && i < len) {
    if (b.data[i] != '\\') *p++ = b.data[i++];
    else if ((i = unescape(vm, b.data, len, i, &p, errors)) == SIZE_MAX) break;
  }
  asy_value result = !out            ? asy_raise_no_memory(vm)
                     : i == SIZE_MAX ? ASY_FAILED
                                     : asy_from_bytes(vm, out, (size_t)(p - out));
  free(out);
  asy_buffer_release(vm, &b);
  return pair_of(vm, result, len);
}

static const asy_native codecs_natives[] = {
#define ROWS(function, name) {#function "_encode", SIG("(str, errors=None, /)"), codecs_##function##_encode, 0, 0},
  STREAMED(ROWS) ESCAPES(ROWS) WHOLE(ROWS)
#undef ROWS
#define ROWS(function, name)                                                                                           \
  {#function "_decode", SIG("(data, errors=None, final=True, /)"), codecs_##function##_decode, 0, 0},
    ESCAPES(ROWS)
#undef ROWS
#define ROWS(function, name)                                                                                           \
  {#function "_decode", SIG("(data, errors=None, final=False, /)"), codecs_##function##_decode, 0, 0},
      STREAMED(ROWS)
#undef ROWS
#define ROWS(function, name) {#function "_decode", SIG("(data, errors=None, /)"), codecs_##function##_decode, 0, 0},
        WHOLE(ROWS)
#undef ROWS
          {"charmap_build", SIG("(map, /)"), codecs_charmap_build, 0, 0},
  {"charmap_decode", SIG("(data, errors=None, mapping=None, /)"), codecs_charmap_decode, 0, 0},
  {"charmap_encode", SIG("(str, errors=None, mapping=None, /)"), codecs_charmap_encode, 0, 0},
  {"decode", SIG("(obj, encoding='utf-8', errors='strict')"), codecs_decode,
   DOC("Decodes obj using the codec registered for encoding."), 0},
  {"encode", SIG("(obj, encoding='utf-8', errors='strict')"), codecs_encode,
   DOC("Encodes obj using the codec registered for encoding."), 0},
  {"escape_decode", SIG("(data, errors=None, /)"), codecs_escape_decode, 0, 0},
  {"escape_encode", SIG("(data, errors=None, /)"), codecs_escape_encode, 0, 0},
  {"lookup", SIG("(encoding, /)"), codecs_lookup,
   DOC("Looks up a codec tuple in the Python codec registry and returns a CodecInfo object."), 0},
  {"lookup_error", SIG("(name, /)"), codecs_lookup_error, DOC("lookup_error(errors) -> handler"), 0},
  {"readbuffer_encode", SIG("(data, errors=None, /)"), codecs_readbuffer_encode, 0, 0},
  {"register", SIG("(search_function, /)"), codecs_register, DOC("Register a codec search function."), 0},
  {"register_error", SIG("(errors, handler, /)"), codecs_register_error,
   DOC("Register the specified error handler under the name errors."), 0},
  {"unregister", SIG("(search_function, /)"), codecs_unregister,
   DOC("Unregister a codec search function and clear the registry's cache."), 0},
  {"utf_16_ex_decode", SIG("(data, errors=None, byteorder=0, final=False, /)"), codecs_utf_16_ex_decode, 0, 0},
  {"utf_32_ex_decode", SIG("(data, errors=None, byteorder=0, final=False, /)"), codecs_utf_32_ex_decode, 0, 0},
  {0},
};

const asy_module_def asy_module_codecs = {"_codecs", codecs_natives, "The codec registry.", NULL};
