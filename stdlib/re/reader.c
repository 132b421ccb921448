/* reader.c - the tokens of patterns and templates, and the errors that name a place in them. */
#include <stdlib.h>

#include "stdlib/re/re.h"

/* ---- Bytes under construction ---- */

void re_text_add(re_text *t, const void *data, size_t n) {
  if (t->failed) return;
  if (n > t->cap - t->len) {
    size_t cap = t->cap * 2 > t->len + n ? t->cap * 2 : t->len + n + 64;
    char *grown = realloc(t->data, cap);
    if (!grown) {
      t->failed = true;
      return;
    }
    t->data = grown;
    t->cap = cap;
  }
  if (n) memcpy(t->data + t->len, data, n);
  t->len += n;
}

void re_text_free(re_text *t) {
  free(t->data);
  *t = (re_text){0};
}

/* ---- Errors ---- */

bool re_fail(asy_vm *vm, asy_value pattern, int64_t position, asy_str *message) {
  asy_value module = message ? asy_import(vm, "re") : ASY_FAILED;
  asy_value cls = asy_failed(module) ? ASY_FAILED : asy_get_attr_cstr(vm, module, "PatternError");
  if (asy_failed(cls)) return false;
  asy_value args[3] = {asy_from_obj(message), pattern, position < 0 ? ASY_NONE : asy_from_small(position)};
  asy_value error = asy_call(vm, cls, 3, args);
  if (!asy_failed(error)) asy_raise_value(vm, error);
  return false;
}

bool re_reader_fail(re_reader *r, int64_t offset, const char *format, ...) {
  if (r->failed) return false;
  r->failed = true;
  va_list arguments;
  va_start(arguments, format);
  asy_str *message = asy_str_vformat(r->vm, format, arguments);
  va_end(arguments);
  if (message && !r->is_text && !(message->head.flags & STR_ASCII)) { /* as .encode('ascii', 'backslashreplace') */
    asy_text t;
    asy_text_init(&t, r->vm);
    for (uint32_t i = 0; i < message->len; i++) {
      uint32_t c = asy_str_at(message, i);
      char escape[8] = {'\\', 'x', "0123456789abcdef"[c >> 4 & 15], "0123456789abcdef"[c & 15], 0};
      if (c < 128) asy_text_char(&t, c);
      else asy_text_ascii(&t, escape);
    }
    message = asy_text_finish(&t);
  }
  return re_fail(r->vm, r->source, (int64_t)re_tell(r) - offset, message);
}

/* ---- Tokens ---- */

bool re_reader_text(re_reader *r, asy_vm *vm, asy_value source) {
  asy_buffer bytes;
  if (!asy_buffer_get(vm, source, &bytes)) return false;
  asy_str *text = asy_str_new_latin1(vm, bytes.data, bytes.len);
  asy_buffer_release(vm, &bytes);
  r->str = text ? asy_from_obj(text) : ASY_FAILED;
  return text != NULL;
}

bool re_reader_init(re_reader *r, asy_vm *vm, asy_value source) {
  *r = (re_reader){.vm = vm, .source = source, .is_text = asy_is_str(source), .str = source};
  if (!r->is_text && !re_reader_text(r, vm, source)) return false;
  re_reader_advance(r);
  return !r->failed;
}

void re_reader_advance(re_reader *r) {
  const asy_str *s = (const asy_str *)asy_obj_of(r->str);
  r->escaped = false;
  r->next = RE_END;
  if (r->index >= s->len) return;
  uint32_t c = asy_str_at(s, r->index);
  if (c != '\\') {
    r->index++;
    r->next = c;
  } else if (r->index + 1 == s->len) {
    if (!r->failed) re_fail(r->vm, r->source, r->index, asy_str_from_cstr(r->vm, "bad escape (end of pattern)"));
    r->failed = true;
    r->index = s->len;
  } else {
    r->escaped = true;
    r->next = asy_str_at(s, r->index + 1);
    r->index += 2;
  }
}

asy_str *re_read_until(re_reader *r, uint32_t terminator, const char *what) {
  asy_text t;
  asy_text_init(&t, r->vm);
  for (;;) {
    uint32_t c = r->next;
    bool escaped = r->escaped;
    re_reader_advance(r);
    if (r->failed) break;
    if (c == RE_END && t.len) {
      re_reader_fail(r, t.len, "missing %c, unterminated name", (int)terminator);
    } else if (c == RE_END) {
      re_reader_fail(r, 0, "missing %s", what);
    } else if (c == terminator && !escaped) {
      if (t.len) return asy_text_finish(&t);
      re_reader_fail(r, 1, "missing %s", what);
    }
    if (r->failed) break;
    if (escaped) asy_text_char(&t, '\\');
    asy_text_char(&t, c);
  }
  asy_text_discard(&t);
  return NULL;
}

bool re_check_name(re_reader *r, asy_str *name, int64_t offset) {
  bool ascii = (name->head.flags & STR_ASCII) != 0;
  if ((r->is_text || ascii) && asy_str_is_identifier(name)) return true;
  asy_value shown = r->is_text || ascii ? asy_repr(r->vm, asy_from_obj(name)) : asy_ascii(r->vm, asy_from_obj(name));
  if (asy_failed(shown)) return !(r->failed = true);
  return re_reader_fail(r, name->len + offset, "bad character in group name %S", shown);
}

bool re_decimal(const asy_str *name, uint64_t *out) {
  *out = 0;
  for (uint32_t i = 0; i < name->len; i++) {
    uint32_t c = asy_str_at(name, i);
    if (c < '0' || c > '9') return false;
    if (*out < UINT32_MAX) *out = *out * 10 + (c - '0');
  }
  return name->len > 0;
}
