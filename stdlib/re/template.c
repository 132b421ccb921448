/* template.c - replacement texts: literals and group references; and joining the pieces of a result. */
#include <stdlib.h>

#include "stdlib/re/re.h"

/* ---- Reading a template ---- */

typedef struct {
  re_reader in;
  const re_pattern *pattern;
  asy_list *parts;
  asy_text literal;
} reader;

static bool add_literal(reader *r) {
  asy_vm *vm = r->in.vm;
  if (!r->literal.len) return true;
  asy_str *text = asy_text_finish(&r->literal);
  asy_text_init(&r->literal, vm);
  if (!text) return false;
  asy_value part = asy_from_obj(text);
  if (!r->in.is_text) part = asy_from_bytes(vm, asy_str_data(text), text->len); /* all are below 256 */
  return !asy_failed(part) && asy_list_append(vm, r->parts, part);
}

static bool add_group(reader *r, uint64_t number, int64_t offset) {
  if (number > r->pattern->groups)
    return re_reader_fail(&r->in, offset, "invalid group reference %llu", (unsigned long long)number);
  return add_literal(r) && asy_list_append(r->in.vm, r->parts, asy_from_small((int64_t)number));
}

/* \g<name> or \g<number> */
static bool read_named(reader *r) {
  re_reader *in = &r->in;
  if (!re_accept(in, '<')) return re_reader_fail(in, 0, "missing <");
  asy_str *name = re_read_until(in, '>', "group name");
  uint64_t number;
  if (!name) return false;
  if (re_decimal(name, &number)) {
    if (number >= RE_MAX_GROUPS) return re_reader_fail(in, (int64_t)name->len + 1, "invalid group reference %U", name);
    return add_group(r, number, (int64_t)name->len + 1);
  }
  if (!re_check_name(in, name, 1)) return false;
  asy_value found;
  int has = asy_dict_get(in->vm, r->pattern->names, asy_from_obj(name), &found);
  if (has > 0) return add_group(r, (uint64_t)asy_small(found), (int64_t)name->len + 1);
  if (!has) asy_raise(in->vm, ASY_IndexError, "unknown group name %R", asy_from_obj(name));
  return false;
}

static bool next_digit(re_reader *in, uint32_t base, uint32_t *out) {
  if (in->next == RE_END || in->escaped || in->next - '0' >= base) return false;
  *out = in->next - '0';
  re_reader_advance(in);
  return true;
}

/* \0, \12, \123: octal when it begins with 0 or has three octal digits; else a group. */
static bool read_number(reader *r, uint32_t first) {
  re_reader *in = &r->in;
  uint32_t start = re_tell(in) - 2, second, third;
  if (first == 0) {
    uint32_t value = 0;
    if (next_digit(in, 8, &second)) value = second;
    if (value + 1 && re_tell(in) == start + 3 && next_digit(in, 8, &third)) value = value * 8 + third;
    asy_text_char(&r->literal, value & 0xFF);
    return !in->failed;
  }
  if (!next_digit(in, 10, &second)) return !in->failed && add_group(r, first, (int64_t)re_tell(in) - start - 1);
  if (first < 8 && second < 8 && next_digit(in, 8, &third)) {
    uint32_t value = first * 64 + second * 8 + third;
    if (in->failed) return false;
    if (value > 0377)
      return re_reader_fail(in, 4, "octal escape value \\%u%u%u outside of range 0-0o377", first, second, third);
    asy_text_char(&r->literal, value);
    return true;
  }
  return !in->failed && add_group(r, first * 10 + second, (int64_t)re_tell(in) - start - 1);
}

static bool read_escape(reader *r, uint32_t c) {
  static const char letters[] = "abfnrtv\\", values[] = "\a\b\f\n\r\t\v\\";
  const char *place = c && c < 128 ? strchr(letters, (int)c) : NULL;
  if (c == 'g') return read_named(r);
  if (c - '0' < 10u) return read_number(r, c - '0');
  if (place) asy_text_char(&r->literal, (uint8_t)values[place - letters]);
  else if (c < 128 && (c | 32) - 'a' < 26u) return re_reader_fail(&r->in, 2, "bad escape \\%c", (int)c);
  else {
    asy_text_char(&r->literal, '\\');
    asy_text_char(&r->literal, c);
  }
  return true;
}

static bool read_template(reader *r) {
  while (r->in.next != RE_END) {
    uint32_t c = r->in.next;
    bool escaped = r->in.escaped;
    re_reader_advance(&r->in);
    if (r->in.failed) return false;
    if (!escaped) asy_text_char(&r->literal, c);
    else if (!read_escape(r, c)) return false;
  }
  return !r->in.failed && add_literal(r);
}

asy_tuple *re_template(asy_vm *vm, re_pattern *p, asy_value source) {
  if (p->template_source == source && source) return (asy_tuple *)asy_obj_of(p->template_parts);
  reader r = {.pattern = p, .parts = asy_list_new(vm, 0)};
  if (!asy_is_str(source) && !asy_is_bytes_like(source)) {
    asy_raise(vm, ASY_TypeError, "decoding to str: need a bytes-like object, %T found", source);
    return NULL;
  }
  if (!r.parts || !re_reader_init(&r.in, vm, source)) return NULL;
  asy_text_init(&r.literal, vm);
  bool good = read_template(&r);
  asy_text_discard(&r.literal);
  asy_tuple *parts = good ? asy_list_to_tuple(vm, r.parts) : NULL;
  if (!parts || !(asy_is_exact(source, KIND_STR) || asy_is_exact(source, KIND_BYTES))) return parts;
  asy_store(vm, p, &p->template_source, source);
  asy_store(vm, p, &p->template_parts, asy_from_obj(parts));
  return parts;
}

/* ---- Joining ---- */

void re_joined_init(re_joined *j, asy_vm *vm, bool is_text) {
  *j = (re_joined){.vm = vm, .is_text = is_text};
  asy_text_init(&j->text, vm);
}

bool re_joined_add(re_joined *j, asy_value item) {
  if (j->is_text && asy_is_str(item)) {
    asy_text_str(&j->text, (const asy_str *)asy_obj_of(item));
  } else if (j->is_text) {
    asy_raise(j->vm, ASY_TypeError, "sequence item %u: expected str instance, %T found", j->items, item);
    return false;
  } else if (!asy_is_bytes_like(item)) {
    asy_raise(j->vm, ASY_TypeError, "sequence item %u: expected a bytes-like object, %T found", j->items, item);
    return false;
  } else {
    asy_buffer bytes;
    if (!asy_buffer_get(j->vm, item, &bytes)) return false;
    re_text_add(&j->bytes, bytes.data, bytes.len);
    asy_buffer_release(j->vm, &bytes);
  }
  j->items++;
  return true;
}

void re_joined_slice(re_joined *j, const re_subject *s, uint32_t start, uint32_t end) {
  const uint8_t *at = (const uint8_t *)s->data + (size_t)start * s->width;
  if (j->is_text) asy_text_points(&j->text, at, s->width, end - start);
  else re_text_add(&j->bytes, at, end - start);
  j->items++;
}

asy_value re_joined_finish(re_joined *j) {
  if (j->is_text) {
    asy_str *text = asy_text_finish(&j->text);
    return text ? asy_from_obj(text) : ASY_FAILED;
  }
  asy_value result = j->bytes.failed ? asy_raise_no_memory(j->vm) : asy_from_bytes(j->vm, j->bytes.data, j->bytes.len);
  re_text_free(&j->bytes);
  return result;
}

void re_joined_discard(re_joined *j) {
  asy_text_discard(&j->text);
  re_text_free(&j->bytes);
}
