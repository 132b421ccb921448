/* stringio.c - StringIO: a text stream over code points in memory, as wide as the widest written so far. The position counts
 * characters and may lie behind the end. Line ends are translated when they are written, not when they are read.
 */
#include <stdlib.h>

#include "runtime/io/io.h"
#include "runtime/types/str_internal.h"

typedef struct {
  io_base base;
  bool ready;
  uint8_t width; /* bytes of a code point: 1, 2, 4 */
  uint8_t seen;  /* SEEN_ bits */
  io_newline newline;
  uint8_t *data; /* malloc'ed */
  size_t len, cap, at;
} io_string;

static io_string *self_of(const asy_value *args) { return (io_string *)asy_obj_of(args[0]); }

static bool check(asy_vm *vm, const io_string *s) {
  if (s->base.closed) return asy_raise(vm, ASY_ValueError, "I/O operation on closed file"), false;
  if (!s->ready) asy_raise(vm, ASY_ValueError, "I/O operation on uninitialized object");
  return s->ready;
}

/* Room for `len` code points of `width` bytes. */
static bool make_room(asy_vm *vm, io_string *s, size_t len, unsigned width) {
  if (width < s->width) width = s->width;
  if (len <= s->cap && width == s->width) return true;
  size_t cap = len > s->cap ? (len > s->cap + s->cap / 2 ? len : s->cap + s->cap / 2) : s->cap;
  if (cap < 64) cap = 64;
  if (len > INT32_MAX) return asy_raise_no_memory(vm), false;
  uint8_t *grown = width == s->width ? realloc(s->data, cap * width) : malloc(cap * width);
  if (!grown) return asy_raise_no_memory(vm), false;
  if (width != s->width) {
    asy_copy_points(grown, width, s->data, s->width, s->len);
    free(s->data);
    s->width = (uint8_t)width;
  }
  s->data = grown;
  s->cap = cap;
  return true;
}

static bool write_points(asy_vm *vm, io_string *s, const void *points, unsigned width, size_t n) {
  if (!n) return true;
  if (!make_room(vm, s, s->at + n, width)) return false;
  if (s->at > s->len) memset(s->data + s->len * s->width, 0, (s->at - s->len) * s->width);
  asy_copy_points(s->data + s->at * s->width, s->width, points, width, n);
  s->at += n;
  if (s->at > s->len) s->len = s->at;
  return true;
}

/* The text with its line ends as this stream keeps them. */
static bool write_translated(asy_vm *vm, io_string *s, asy_str *text) {
  const void *data = asy_str_data(text);
  unsigned width = asy_str_width(text);
  if (s->newline == NEWLINE_LF) return write_points(vm, s, data, width, text->len);
  bool to_lf = s->newline == NEWLINE_UNIVERSAL, keep = s->newline == NEWLINE_UNIVERSAL_KEPT;
  static const uint8_t lf = '\n', crlf[2] = "\r\n";
  uint32_t from = 0;
  for (uint32_t i = 0; i < text->len; i++) {
    uint32_t c = asy_peek(data, width, i);
    if (c != '\n' && c != '\r') continue;
    bool pair = c == '\r' && i + 1 < text->len && asy_peek(data, width, i + 1) == '\n';
    if (to_lf || keep) s->seen |= pair ? SEEN_CRLF : c == '\r' ? SEEN_CR : SEEN_LF;
    if (keep || (!to_lf && c == '\r') || (to_lf && c == '\n')) {
      i += keep && pair;
      continue;
    }
    if (!write_points(vm, s, asy_at(data, width, from), width, i - from)) return false;
    if (to_lf ? !write_points(vm, s, &lf, 1, 1) : !write_points(vm, s, crlf, 1, s->newline == NEWLINE_CR ? 1 : 2))
      return false;
    i += to_lf && pair;
    from = i + 1;
  }
  return write_points(vm, s, asy_at(data, width, from), width, text->len - from);
}

static asy_value string_new(asy_vm *vm, const asy_value *args) {
  io_string *s = asy_new_instance(vm, (asy_class *)asy_obj_of(args[0]));
  if (!s) return ASY_FAILED;
  s->width = 1;
  if (((asy_class *)asy_obj_of(args[0]))->flags & ASY_CLASS_BUILTIN) asy_cancel_finalizer(s);
  return asy_from_obj(s);
}

static asy_value string_init(asy_vm *vm, const asy_value *args) {
  io_string *s = self_of(args);
  s->ready = false;
  if (args[2] != ASY_NONE && !asy_is_str(args[2]))
    return asy_raise(vm, ASY_TypeError, "newline must be str or None, not %T", args[2]);
  if (!io_newline_of(vm, args[2], "StringIO", &s->newline)) return ASY_FAILED;
  if (args[1] != ASY_NONE && !asy_is_str(args[1]))
    return asy_raise(vm, ASY_TypeError, "initial_value must be str or None, not %T", args[1]);
  s->len = s->at = 0;
  s->seen = 0;
  s->base.closed = false;
  s->ready = true;
  if (args[1] != ASY_NONE && !write_translated(vm, s, (asy_str *)asy_obj_of(args[1]))) return ASY_FAILED;
  s->at = 0;
  return ASY_NONE;
}

static void string_free(asy_vm *vm, asy_obj *o) {
  (void)vm;
  free(((io_string *)o)->data);
}

static asy_value string_write(asy_vm *vm, const asy_value *args) {
  if (!asy_is_str(args[1])) return asy_raise(vm, ASY_TypeError, "string argument expected, got '%T'", args[1]);
  asy_str *text = (asy_str *)asy_obj_of(args[1]);
  return check(vm, self_of(args)) && write_translated(vm, self_of(args), text) ? asy_from_small(text->len) : ASY_FAILED;
}

static asy_value give(asy_vm *vm, io_string *s, size_t n) {
  asy_str *text = n ? asy_str_from_points(vm, s->data + s->at * s->width, s->width, n) : vm->empty_str;
  if (!text) return ASY_FAILED;
  s->at += n;
  return asy_from_obj(text);
}

static size_t left_of(const io_string *s) { return s->at < s->len ? s->len - s->at : 0; }

static asy_value string_read(asy_vm *vm, const asy_value *args) {
  io_string *s = self_of(args);
  int64_t size;
  if (!io_size(vm, args[1], &size) || !check(vm, s)) return ASY_FAILED;
  size_t left = left_of(s);
  return give(vm, s, size < 0 || (uint64_t)size > left ? left : (size_t)size);
}

/* Characters of the next line with its end. */
static size_t line_length(const io_string *s) {
  size_t left = left_of(s);
  const uint8_t *from = s->data + s->at * s->width;
  if (!left) return 0;
  if (s->newline == NEWLINE_UNIVERSAL || s->newline == NEWLINE_LF) {
    int64_t at = asy_find_point(from, left, '\n', s->width);
    return at < 0 ? left : (size_t)at + 1;
  }
  for (size_t i = 0; i < left; i++) {
    uint32_t c = asy_peek(from, s->width, i);
    if (c != '\r' && c != '\n') continue;
    bool pair = c == '\r' && i + 1 < left && asy_peek(from, s->width, i + 1) == '\n';
    if (s->newline == NEWLINE_UNIVERSAL_KEPT) return i + (pair ? 2 : 1);
    if (s->newline == NEWLINE_CR && c == '\r') return i + 1;
    if (s->newline == NEWLINE_CRLF && pair) return i + 2;
  }
  return left;
}

static asy_value string_readline(asy_vm *vm, const asy_value *args) {
  io_string *s = self_of(args);
  int64_t limit;
  if (!io_size(vm, args[1], &limit) || !check(vm, s)) return ASY_FAILED;
  size_t n = line_length(s);
  return give(vm, s, limit >= 0 && (uint64_t)limit < n ? (size_t)limit : n);
}

static asy_value string_iter(asy_vm *vm, asy_value self) { return check(vm, self_of(&self)) ? self : ASY_FAILED; }

static asy_value string_next(asy_vm *vm, asy_value self) {
  io_string *s = self_of(&self);
  if (!check(vm, s)) return ASY_FAILED;
  if (!(asy_type_of(vm, self)->flags & ASY_CLASS_BUILTIN)) {
    asy_value line = io_call(vm, self, "readline", 0, NULL);
    if (asy_failed(line)) return line;
    if (!asy_is_str(line))
      return asy_raise(vm, ASY_OSError, "readline() should have returned a str object, not '%T'", line);
    return ((asy_str *)asy_obj_of(line))->len ? line : ASY_END;
  }
  size_t n = line_length(s);
  return n ? give(vm, s, n) : ASY_END;
}

static asy_value string_getvalue(asy_vm *vm, const asy_value *args) {
  io_string *s = self_of(args);
  if (!check(vm, s)) return ASY_FAILED;
  asy_str *text = s->len ? asy_str_from_points(vm, s->data, s->width, s->len) : vm->empty_str;
  return text ? asy_from_obj(text) : ASY_FAILED;
}

static asy_value string_seek(asy_vm *vm, const asy_value *args) {
  io_string *s = self_of(args);
  int64_t offset, whence;
  if (!asy_to_int64(vm, args[1], &offset) || !asy_to_int64(vm, args[2], &whence) || !check(vm, s)) return ASY_FAILED;
  if (whence < 0 || whence > 2)
    return asy_raise(vm, ASY_ValueError, "Invalid whence (%lld, should be 0, 1 or 2)", (long long)whence);
  if (!whence && offset < 0) return asy_raise(vm, ASY_ValueError, "Negative seek position %lld", (long long)offset);
  if (whence && offset) return asy_raise(vm, ASY_OSError, "Can't do nonzero cur-relative seeks");
  if (whence == 2) s->at = s->len;
  else if (!whence) s->at = (size_t)offset;
  return asy_from_int64(vm, (int64_t)s->at);
}

static asy_value string_tell(asy_vm *vm, const asy_value *args) {
  return check(vm, self_of(args)) ? asy_from_int64(vm, (int64_t)self_of(args)->at) : ASY_FAILED;
}

static asy_value string_truncate(asy_vm *vm, const asy_value *args) {
  io_string *s = self_of(args);
  int64_t size = (int64_t)s->at;
  if (!check(vm, s)) return ASY_FAILED;
  if (args[1] != ASY_NONE && !io_size(vm, args[1], &size)) return ASY_FAILED;
  if (size < 0) return asy_raise(vm, ASY_ValueError, "Negative size value %lld", (long long)size);
  if ((uint64_t)size < s->len) s->len = (size_t)size;
  return asy_from_int64(vm, size);
}

static asy_value string_close(asy_vm *vm, const asy_value *args) {
  io_string *s = self_of(args);
  free(s->data);
  s->data = NULL;
  s->len = s->cap = 0;
  s->base.closed = true;
  return ASY_NONE;
}

static asy_value string_closed(asy_vm *vm, const asy_value *args) { return asy_from_bool(self_of(args)->base.closed); }
static asy_value string_true(asy_vm *vm, const asy_value *args) {
  return check(vm, self_of(args)) ? ASY_TRUE : ASY_FAILED;
}
static asy_value string_false(asy_vm *vm, const asy_value *args) {
  return check(vm, self_of(args)) ? ASY_FALSE : ASY_FAILED;
}

static asy_value string_newlines(asy_vm *vm, const asy_value *args) {
  static const char *const names[] = {"\r", "\n", "\r\n"};
  asy_value found[3];
  uint32_t n = 0;
  for (int i = 0; i < 3; i++) {
    if (!(self_of(args)->seen & 1 << i)) continue;
    found[n] = asy_from_cstr(vm, names[i]);
    if (asy_failed(found[n++])) return ASY_FAILED;
  }
  if (n < 2) return n ? found[0] : ASY_NONE;
  asy_tuple *tuple = asy_tuple_new(vm, found, n);
  return tuple ? asy_from_obj(tuple) : ASY_FAILED;
}

static asy_value string_getstate(asy_vm *vm, const asy_value *args) {
  static const char *const names[] = {NULL, "", "\n", "\r", "\r\n"};
  io_string *s = self_of(args);
  asy_value value = string_getvalue(vm, args);
  if (asy_failed(value)) return value;
  asy_value newline = names[s->newline] ? asy_from_cstr(vm, names[s->newline]) : ASY_NONE;
  asy_dict *dict = asy_instance_dict(vm, asy_obj_of(args[0])), *copy = dict ? asy_dict_copy(vm, dict) : NULL;
  if (asy_failed(newline) || asy_raised(vm)) return ASY_FAILED;
  return asy_tuple_of(vm, 4, value, newline, asy_from_int64(vm, (int64_t)s->at),
                      copy && copy->used ? asy_from_obj(copy) : ASY_NONE);
}

static asy_value string_setstate(asy_vm *vm, const asy_value *args) {
  io_string *s = self_of(args);
  if (!asy_is_kind(args[1], KIND_TUPLE) || ((asy_tuple *)asy_obj_of(args[1]))->len < 4)
    return asy_raise(vm, ASY_TypeError, "%T.__setstate__ argument should be 4-tuple, got %T", args[0], args[1]);
  const asy_tuple *state = (asy_tuple *)asy_obj_of(args[1]);
  int64_t at;
  if ((s->ready && !check(vm, s)) || asy_failed(string_init(vm, (asy_value[]){args[0], ASY_NONE, state->items[1]})))
    return ASY_FAILED;
  if (!asy_is_str(state->items[0]))
    return asy_raise(vm, ASY_TypeError, "first item of state must be a str, got %T", state->items[0]);
  asy_str *text = (asy_str *)asy_obj_of(state->items[0]); /* its line ends are translated already */
  if (!write_points(vm, s, asy_str_data(text), asy_str_width(text), text->len)) return ASY_FAILED;
  if (!asy_is_integer(state->items[2]))
    return asy_raise(vm, ASY_TypeError, "third item of state must be an integer, got %T", state->items[2]);
  if (!asy_to_int64(vm, state->items[2], &at)) return ASY_FAILED;
  if (at < 0) return asy_raise(vm, ASY_ValueError, "position value cannot be negative");
  s->at = (size_t)at;
  if (state->items[3] == ASY_NONE) return ASY_NONE;
  if (!asy_is_kind(state->items[3], KIND_DICT))
    return asy_raise(vm, ASY_TypeError, "fourth item of state should be a dict, got a %T", state->items[3]);
  asy_dict *dict = asy_instance_dict(vm, asy_obj_of(args[0]));
  return dict && asy_dict_update(vm, dict, state->items[3]) ? ASY_NONE : ASY_FAILED;
}

static const asy_native string_methods[] = {
  {"__getstate__", SIG("(self, /)"), string_getstate, 0, 0},
  {"__setstate__", SIG("(self, state, /)"), string_setstate, 0, 0},
  {"close", SIG("(self, /)"), string_close, DOC("Close the IO object."), 0},
  {"closed", SIG("(self)"), string_closed, 0, ASY_NATIVE_GETTER},
  {"getvalue", SIG("(self, /)"), string_getvalue, DOC("Retrieve the entire contents of the object."), 0},
  {"line_buffering", SIG("(self)"), string_false, 0, ASY_NATIVE_GETTER},
  {"newlines", SIG("(self)"), string_newlines, 0, ASY_NATIVE_GETTER},
  {"read", SIG("(self, size=-1, /)"), string_read, DOC("Read at most size characters, returned as a string."), 0},
  {"readable", SIG("(self, /)"), string_true, DOC("Returns True if the IO object can be read."), 0},
  {"readline", SIG("(self, size=-1, /)"), string_readline, DOC("Read until newline or EOF."), 0},
  {"seek", SIG("(self, pos, whence=0, /)"), string_seek, DOC("Change stream position."), 0},
  {"seekable", SIG("(self, /)"), string_true, DOC("Returns True if the IO object can be seeked."), 0},
  {"tell", SIG("(self, /)"), string_tell, DOC("Tell the current file position."), 0},
  {"truncate", SIG("(self, pos=None, /)"), string_truncate, DOC("Truncate size to pos."), 0},
  {"writable", SIG("(self, /)"), string_true, DOC("Returns True if the IO object can be written."), 0},
  {"write", SIG("(self, s, /)"), string_write, DOC("Write string to file."), 0},
  {0},
};

const asy_type asy_stringio_type = {
  .name = "_io.StringIO",
  .doc = "Text I/O implementation using an in-memory buffer.",
  .base = &asy_textiobase_type,
  .size = sizeof(io_string),
  .flags = ASY_TYPE_ATTRS,
  .free = string_free,
  .special = &(const asy_special){.finalize = io_finalize},
  .new_ = string_new,
  .new_signature = SIG("(cls, *args, **kwargs)"),
  .init = string_init,
  .init_signature = SIG("(self, initial_value='', newline='\\n')"),
  .iter = string_iter,
  .next = string_next,
  .methods = string_methods,
};
