/* pattern.c - Pattern: compiled for a width of units and a way of matching when it is first needed, and run.
 *
 * A pattern may be compiled up to nine times: for texts of 1, 2 and 4 bytes a unit, to search, to match at the start and to match it
 * all. The JIT comes when a pattern has done some work: it takes longer than many short matches do. A run that takes too many steps
 * is begun again with a higher limit, after a look at the VM's interrupts.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

#include "stdlib/re/re.h"

extern const asy_type re_pattern_type;

/* Steps of a first try, and how often it is multiplied; units of text and runs that make the JIT worth while. */
enum { FIRST_LIMIT = 1 << 22, LIMIT_FACTOR = 2, JIT_WEIGHT = 1500, RUN_WEIGHT = 50 };

/* ---- Compiling ---- */

asy_value re_pattern_new(asy_vm *vm, re_shared *shared, asy_value source, uint32_t flags) {
  re_translation t;
  if (!re_translate(vm, source, flags, 1, &t)) return ASY_FAILED;
  asy_class *cls = asy_class_for(vm, &re_pattern_type);
  asy_tuple *by_number = t.names->used ? asy_tuple_new(vm, NULL, t.groups + 1) : asy_tuple_new(vm, NULL, 0);
  re_pattern *p = cls && by_number ? asy_new_instance(vm, cls) : NULL;
  if (!p) {
    re_translation_free(&t);
    return ASY_FAILED;
  }
  p->shared = shared;
  p->source = source;
  p->names = t.names;
  p->by_number = by_number;
  p->flags = t.flags;
  p->groups = t.groups;
  p->closing = t.closing;
  p->text = t.text;
  p->is_text = asy_is_str(source);
  p->captures_repeat = t.captures_repeat;
  p->atomic = t.atomic;
  uint32_t position = 0;
  asy_value name, number;
  while (asy_dict_next(t.names, &position, &name, &number)) by_number->items[asy_small(number)] = name;
  asy_barrier(vm, by_number);
  return asy_from_obj(p);
}

bool re_is_pattern(asy_vm *vm, asy_value v) {
  return asy_is_obj(v) && asy_type_of(vm, v) == asy_class_for(vm, &re_pattern_type);
}

/* The text for units of this width, with what the mode puts around it, as units. malloc'ed; NULL failed. */
static void *units_of(asy_vm *vm, re_pattern *p, re_mode mode, unsigned width, size_t *length) {
  re_translation t = {.groups = 0};
  if (width != 1 || !p->text.data) {
    if (!re_translate(vm, p->source, p->flags, width, &t)) return NULL;
  } else {
    t.text = p->text;
    p->text = (re_text){0};
  }
  const char *before = mode == RE_FULLMATCH ? "(?:" : "", *behind = mode == RE_FULLMATCH ? ")\\z" : "";
  size_t head = strlen(before), tail = strlen(behind), n = head + t.text.len + tail;
  uint8_t *units = malloc((n + 1) * width);
  for (size_t i = 0; units && i < n; i++) {
    char c = i < head ? before[i] : i < head + t.text.len ? t.text.data[i - head] : behind[i - head - t.text.len];
    if (width == 1) units[i] = (uint8_t)c;
    else if (width == 2) ((uint16_t *)(void *)units)[i] = (uint8_t)c;
    else ((uint32_t *)(void *)units)[i] = (uint8_t)c;
  }
  re_translation_free(&t);
  if (!units) asy_raise_no_memory(vm);
  *length = n;
  return units;
}

/* PCRE2 cannot compile what Python's re could: the text says why. */
static bool refused(asy_vm *vm, const re_pattern *p, int error, const re_api *api, unsigned width) {
  char raw[4 * 128] = "", text[128];
  size_t n = 0;
  int length = api->get_error_message(error, raw, sizeof raw / width);
  while (n < sizeof text - 1 && (int)n < length) text[n] = raw[n * width], n++;
  text[n] = 0;
  asy_str *message = asy_str_format(vm, "PCRE2 cannot compile the pattern: %s", text);
  return re_fail(vm, p->source, -1, message);
}

enum { TOO_LARGE = 120 }; /* PCRE2's error: offsets in a compiled pattern have 16 bits, save where units have 32 */

/* True without code: the pattern is found to be large. */
static bool compile(asy_vm *vm, re_pattern *p, re_mode mode, unsigned width) {
  size_t length, place;
  int error;
  unsigned i = re_width_index(width);
  if (!re_load(vm, p->shared, width)) return false;
  const re_api *api = p->shared->widths[i].api;
  if (!p->codes[i]) p->codes[i] = calloc(1, sizeof *p->codes[i]);
  if (!p->codes[i]) return asy_raise_no_memory(vm), false;
  p->codes[i]->code_free = api->code_free;
  p->codes[i]->data_free = api->match_data_free;
  re_code *code = &p->codes[i]->modes[mode];
  void *units = units_of(vm, p, mode, width, &length);
  if (!units) return false;
  bool unicode = p->flags & RE_UNICODE;
  uint32_t options = PCRE2_MULTILINE | PCRE2_ALT_CIRCUMFLEX | PCRE2_NEVER_UTF |
                     (width > 1 && p->is_text ? PCRE2_UCP : 0) | (mode == RE_SEARCH ? 0 : PCRE2_ANCHORED);
  /* PCRE2 10.42 takes a* before (?>(?:ab)*) for a*+, and its JIT tries the second branch of (?i:(?>b*c|d)) after the first. */
  if (p->atomic) options |= PCRE2_NO_AUTO_POSSESS | PCRE2_NO_START_OPTIMIZE;
  code->code = api->compile(units, length, options, &error, &place, p->shared->widths[i].contexts[unicode]);
  free(units);
  if (!code->code && error == TOO_LARGE && width < 4) return p->large = true;
  if (!code->code) return refused(vm, p, error, api, width);
  code->data = api->match_data_create_from_pattern(code->code, NULL);
  if (code->data) return true;
  api->code_free(code->code);
  code->code = NULL;
  asy_raise_no_memory(vm);
  return false;
}

/* ---- Subjects ---- */

bool re_subject_open(asy_vm *vm, const re_pattern *p, asy_value string, re_subject *out) {
  out->buffer.owner = 0;
  out->widened = NULL;
  if (asy_is_str(string)) {
    const asy_str *s = (const asy_str *)asy_obj_of(string);
    if (!p->is_text) {
      asy_raise(vm, ASY_TypeError, "cannot use a bytes pattern on a string-like object");
      return false;
    }
    out->data = asy_str_data(s);
    out->len = s->len;
    out->width = asy_str_width(s);
    return true;
  }
  if (!asy_is_bytes_like(string)) {
    asy_raise(vm, ASY_TypeError, "expected string or bytes-like object, got '%T'", string);
    return false;
  }
  if (p->is_text) {
    asy_raise(vm, ASY_TypeError, "cannot use a string pattern on a bytes-like object");
    return false;
  }
  if (!asy_buffer_get(vm, string, &out->buffer)) return false;
  out->data = out->buffer.data;
  out->len = (uint32_t)out->buffer.len;
  out->width = 1;
  return true;
}

void re_subject_close(asy_vm *vm, re_subject *s) {
  if (s->buffer.owner) asy_buffer_release(vm, &s->buffer);
  free(s->widened);
  s->widened = NULL;
}

static bool widen(asy_vm *vm, re_subject *s) {
  s->widened = malloc((size_t)s->len * sizeof *s->widened + 1);
  if (!s->widened) return asy_raise_no_memory(vm), false;
  for (uint32_t i = 0; i < s->len; i++)
    s->widened[i] = s->width == 1 ? ((const uint8_t *)s->data)[i] : ((const uint16_t *)s->data)[i];
  return true;
}

asy_value re_slice(asy_vm *vm, asy_value string, uint32_t start, uint32_t end) {
  if (asy_is_str(string)) {
    asy_str *s = (asy_str *)asy_obj_of(string);
    if (end > s->len) end = s->len;
    asy_str *part = asy_str_slice(vm, s, start < end ? start : end, end);
    return part ? asy_from_obj(part) : ASY_FAILED;
  }
  asy_buffer bytes;
  if (!asy_buffer_get(vm, string, &bytes)) return ASY_FAILED;
  if (end > bytes.len) end = (uint32_t)bytes.len;
  if (start > end) start = end;
  bool all = start == 0 && end == bytes.len && asy_is_exact(string, KIND_BYTES);
  asy_value part = all ? string : asy_from_bytes(vm, bytes.data + start, end - start);
  asy_buffer_release(vm, &bytes);
  return part;
}

/* ---- Running ---- */

static int run_once(const re_api *api, re_code *code, const re_subject *s, uint32_t start, uint32_t end,
                    uint32_t options, void *context) {
  const void *data = s->widened ? s->widened : s->data;
  if (code->jitted) {
    int rc = api->jit_match(code->code, data, end, start, options, code->data, context);
    if (rc != PCRE2_ERROR_JIT_STACKLIMIT) return rc;
    options |= PCRE2_NO_JIT; /* slower, but its stack is the heap */
  }
  return api->match(code->code, data, end, start, options, code->data, context);
}

/* The steps of a first try were not enough: higher and higher limits, and a look at the interrupts between. */
static int run_long(asy_vm *vm, const re_api *api, re_code *code, const re_subject *s, uint32_t start, uint32_t end,
                    uint32_t options, void *context) {
  int rc = PCRE2_ERROR_MATCHLIMIT;
  for (uint64_t limit = (uint64_t)FIRST_LIMIT * LIMIT_FACTOR; rc == PCRE2_ERROR_MATCHLIMIT && limit < UINT32_MAX;
       limit *= LIMIT_FACTOR) {
    if (!asy_check_signals(vm)) return 0;
    api->set_match_limit(context, (uint32_t)limit);
    rc = run_once(api, code, s, start, end, options, context);
  }
  api->set_match_limit(context, FIRST_LIMIT);
  return rc;
}

int re_run(asy_vm *vm, re_pattern *p, re_subject *s, re_mode mode, uint32_t start, uint32_t end, bool not_empty,
           const size_t **spans) {
  if (start > end) return 0;
  unsigned units = p->large ? 4 : s->width, width = re_width_index(units);
  if (units > s->width && !s->widened && !widen(vm, s)) return -1;
  if (!p->codes[width] || !p->codes[width]->modes[mode].code) {
    bool large = p->large;
    if (!compile(vm, p, mode, units)) return -1;
    if (large != p->large) return re_run(vm, p, s, mode, start, end, not_empty, spans);
  }
  re_code *code = &p->codes[width]->modes[mode];
  const re_api *api = p->shared->widths[width].api;
  if (!code->jitted) {
    code->weight += end - start + RUN_WEIGHT;
    if (code->weight > JIT_WEIGHT) {
      code->jitted = api->jit_compile(code->code, PCRE2_JIT_COMPLETE) == 0;
      if (!code->jitted) code->weight = 0; /* no JIT for it: ask again much later */
    }
  }
  uint32_t options = not_empty ? PCRE2_NOTEMPTY_ATSTART : 0;
  void *context = p->shared->widths[width].match;
  int rc = run_once(api, code, s, start, end, options, context);
  if (rc == PCRE2_ERROR_MATCHLIMIT) {
    rc = run_long(vm, api, code, s, start, end, options, context);
    if (asy_raised(vm)) return -1;
  }
  if (rc == PCRE2_ERROR_NOMATCH) return 0;
  if (rc == PCRE2_ERROR_MATCHLIMIT || rc == PCRE2_ERROR_HEAPLIMIT || rc == PCRE2_ERROR_DEPTHLIMIT) {
    asy_raise(vm, ASY_RuntimeError, "the pattern %R takes too many steps on this text", p->source);
    return -1;
  }
  if (rc == PCRE2_ERROR_NOMEMORY) return asy_raise_no_memory(vm), -1;
  if (rc < 0) return asy_raise(vm, ASY_RuntimeError, "PCRE2 error %d while matching %R", rc, p->source), -1;
  size_t *found = api->get_ovector_pointer(code->data);
  for (size_t i = 2 * (size_t)rc; i < 2 * ((size_t)p->groups + 1); i++) found[i] = PCRE2_UNSET;
  *spans = found;
  return 1;
}

/* An argument pos or endpos, clamped to 0..len. */
static bool clamp(asy_vm *vm, asy_value v, uint32_t len, uint32_t *out) {
  int64_t i;
  if (!asy_is_number_int64(v, &i)) {
    v = asy_index(vm, v);
    if (asy_failed(v)) return false;
    if (!asy_is_number_int64(v, &i)) i = asy_int_sign(v) < 0 ? 0 : len;
  }
  *out = i < 0 ? 0 : i > len ? len : (uint32_t)i;
  return true;
}

/* pos and endpos before the subject is open: __index__ may run script code. */
static bool bounds(asy_vm *vm, asy_value pos, asy_value endpos, uint32_t *start, uint32_t *end) {
  return clamp(vm, pos, UINT32_MAX, start) && clamp(vm, endpos, UINT32_MAX, end);
}

/* A pass over a subject: each turn finds the next match that does not overlap the one before. */
typedef struct {
  re_pattern *p;
  re_subject s;
  uint32_t start, end; /* where the next search begins; where the subject ends */
  bool not_empty;      /* the match before was empty: the next one here may not be */
} pass;

static bool pass_open(asy_vm *vm, pass *t, asy_value pattern, asy_value string, asy_value pos, asy_value endpos) {
  t->p = re_pattern_of(pattern);
  t->not_empty = false;
  if (!bounds(vm, pos, endpos, &t->start, &t->end) || !re_subject_open(vm, t->p, string, &t->s)) return false;
  if (t->start > t->s.len) t->start = t->s.len;
  if (t->end > t->s.len) t->end = t->s.len;
  return true;
}

static int pass_next(asy_vm *vm, pass *t, re_mode mode, const size_t **spans) {
  int found = re_run(vm, t->p, &t->s, mode, t->start, t->end, t->not_empty, spans);
  if (found <= 0) return found;
  t->start = (uint32_t)(*spans)[1];
  t->not_empty = (*spans)[0] == (*spans)[1];
  return 1;
}

asy_value re_do_match(asy_vm *vm, asy_value pattern, asy_value string, asy_value pos, asy_value endpos, re_mode mode) {
  pass t;
  const size_t *spans;
  if (!pass_open(vm, &t, pattern, string, pos, endpos)) return ASY_FAILED;
  uint32_t start = t.start;
  int found = pass_next(vm, &t, mode, &spans);
  re_subject_close(vm, &t.s);
  if (found <= 0) return found < 0 ? ASY_FAILED : ASY_NONE;
  return re_match_new(vm, t.p, string, spans, start, t.end);
}

static asy_value group_or(asy_vm *vm, asy_value string, const size_t *span, asy_value otherwise) {
  return span[0] == PCRE2_UNSET ? otherwise : re_slice(vm, string, (uint32_t)span[0], (uint32_t)span[1]);
}

/* What findall has for a match: the only group, or a tuple of all, or the match; unset groups are empty. */
static asy_value findall_item(asy_vm *vm, asy_value string, const size_t *spans, uint32_t groups) {
  asy_value empty = groups ? re_slice(vm, string, 0, 0) : ASY_NONE;
  if (groups < 2) return asy_failed(empty) ? ASY_FAILED : group_or(vm, string, spans + 2 * groups, empty);
  asy_tuple *all = asy_failed(empty) ? NULL : asy_tuple_new(vm, NULL, groups);
  for (uint32_t i = 0; all && i < groups; i++) {
    asy_value part = group_or(vm, string, spans + 2 * (i + 1), empty);
    if (asy_failed(part)) return ASY_FAILED;
    asy_store(vm, all, &all->items[i], part);
  }
  return all ? asy_from_obj(all) : ASY_FAILED;
}

asy_value re_do_findall(asy_vm *vm, asy_value pattern, asy_value string, asy_value pos, asy_value endpos) {
  pass t;
  const size_t *spans;
  int found = -1;
  if (!pass_open(vm, &t, pattern, string, pos, endpos)) return ASY_FAILED;
  asy_list *list = asy_list_new(vm, 0);
  while (list && (found = pass_next(vm, &t, RE_SEARCH, &spans)) > 0) {
    asy_value item = findall_item(vm, string, spans, t.p->groups);
    if (asy_failed(item) || !asy_list_append(vm, list, item)) {
      found = -1;
      break;
    }
  }
  re_subject_close(vm, &t.s);
  return found < 0 ? ASY_FAILED : asy_from_obj(list);
}

static bool add_groups(asy_vm *vm, asy_list *list, asy_value string, const size_t *spans, uint32_t groups) {
  for (uint32_t i = 1; i <= groups; i++) {
    asy_value part = group_or(vm, string, spans + 2 * i, ASY_NONE);
    if (asy_failed(part) || !asy_list_append(vm, list, part)) return false;
  }
  return true;
}

asy_value re_do_split(asy_vm *vm, asy_value pattern, asy_value string, asy_value maxsplit) {
  pass t;
  const size_t *spans;
  int64_t most;
  int found = 0;
  uint32_t last = 0;
  if (!asy_to_int64(vm, maxsplit, &most)) return ASY_FAILED;
  if (!pass_open(vm, &t, pattern, string, asy_from_small(0), asy_from_small(UINT32_MAX))) return ASY_FAILED;
  asy_list *list = asy_list_new(vm, 0);
  bool good = list != NULL;
  for (int64_t n = 0; good && (!most || n < most); n++) {
    found = pass_next(vm, &t, RE_SEARCH, &spans);
    if (found <= 0) break;
    uint32_t end = (uint32_t)spans[1];
    asy_value part = re_slice(vm, string, last, (uint32_t)spans[0]);
    good = !asy_failed(part) && asy_list_append(vm, list, part) && add_groups(vm, list, string, spans, t.p->groups);
    last = end;
  }
  asy_value rest = good && found >= 0 ? re_slice(vm, string, last, t.s.len) : ASY_FAILED;
  re_subject_close(vm, &t.s);
  return !asy_failed(rest) && asy_list_append(vm, list, rest) ? asy_from_obj(list) : ASY_FAILED;
}

/* ---- sub ---- */

/* The replacement of one match, appended. parts: of a template, or NULL: `repl` is called. */
static bool add_replacement(asy_vm *vm, re_joined *out, pass *t, asy_value string, asy_value repl,
                            const asy_tuple *parts, const size_t *spans, uint32_t pos) {
  if (parts) {
    for (uint32_t i = 0; i < parts->len; i++) {
      asy_value part = parts->items[i];
      if (!asy_is_int(part)) {
        if (!re_joined_add(out, part)) return false;
      } else if (spans[2 * asy_small(part)] != PCRE2_UNSET) {
        re_joined_slice(out, &t->s, (uint32_t)spans[2 * asy_small(part)], (uint32_t)spans[2 * asy_small(part) + 1]);
      }
    }
    return true;
  }
  asy_value match = re_match_new(vm, t->p, string, spans, pos, t->s.len);
  if (asy_failed(match)) return false;
  asy_value text = asy_call1(vm, repl, match);
  if (t->p->is_text)
    t->s.data = asy_str_data((const asy_str *)asy_obj_of(string)); /* an appended str may move its data */
  return !asy_failed(text) && (text == ASY_NONE || re_joined_add(out, text));
}

static bool has_backslash(asy_value v) {
  if (asy_is_str(v)) {
    const asy_str *s = (const asy_str *)asy_obj_of(v);
    if (asy_str_width(s) == 1) return memchr(asy_str_data(s), '\\', s->len) != NULL;
    for (uint32_t i = 0; i < s->len; i++)
      if (asy_str_at(s, i) == '\\') return true;
    return false;
  }
  return true;
}

asy_value re_do_sub(asy_vm *vm, asy_value pattern, asy_value repl, asy_value string, asy_value count, bool with_count) {
  pass t;
  const size_t *spans;
  int64_t most, n = 0;
  int found = 0;
  uint32_t last = 0;
  asy_tuple *parts = NULL;
  if (!asy_to_int64(vm, count, &most)) return ASY_FAILED;
  if (!asy_callable(vm, repl)) {
    parts = has_backslash(repl) ? re_template(vm, re_pattern_of(pattern), repl) : asy_tuple_new(vm, &repl, 1);
    if (!parts) return ASY_FAILED;
  }
  if (!pass_open(vm, &t, pattern, string, asy_from_small(0), asy_from_small(UINT32_MAX))) return ASY_FAILED;
  re_joined out;
  re_joined_init(&out, vm, t.p->is_text);
  bool good = true;
  for (; good && (!most || n < most); n++) {
    uint32_t pos = t.start;
    found = pass_next(vm, &t, RE_SEARCH, &spans);
    if (found <= 0) break;
    if (last < spans[0]) re_joined_slice(&out, &t.s, last, (uint32_t)spans[0]);
    last = (uint32_t)spans[1];
    good = add_replacement(vm, &out, &t, string, repl, parts, spans, pos);
  }
  asy_value result = ASY_FAILED;
  if (good && found >= 0 && n == 0) {
    re_joined_discard(&out);
    result = re_slice(vm, string, 0, t.s.len);
  } else if (good && found >= 0) {
    re_joined_slice(&out, &t.s, last, t.s.len);
    result = re_joined_finish(&out);
  } else {
    re_joined_discard(&out);
  }
  re_subject_close(vm, &t.s);
  if (asy_failed(result) || !with_count) return result;
  return asy_tuple_of(vm, 2, result, asy_from_small(n));
}

/* ---- Scanners: finditer's iterator and Pattern.scanner ---- */

typedef struct {
  asy_obj head;
  re_pattern *pattern; /* NULL: exhausted */
  asy_value string;
  uint32_t start, end;
  bool not_empty;
} scanner;

static void scanner_visit(asy_obj *o, asy_visitor *v) {
  asy_visit_obj(v, ((scanner *)o)->pattern);
  asy_visit_value(v, ((scanner *)o)->string);
}

static asy_value scanner_turn(asy_vm *vm, asy_value self, re_mode mode) {
  scanner *sc = (scanner *)asy_obj_of(self);
  if (sc->start == RE_UNSET) return ASY_NONE;
  const size_t *spans;
  pass t = {.p = sc->pattern, .start = sc->start, .not_empty = sc->not_empty};
  if (!re_subject_open(vm, t.p, sc->string, &t.s)) return ASY_FAILED;
  t.end = sc->end < t.s.len ? sc->end : t.s.len;
  int found = pass_next(vm, &t, mode, &spans);
  re_subject_close(vm, &t.s);
  if (found < 0) return ASY_FAILED;
  uint32_t pos = sc->start;
  sc->start = found ? t.start : RE_UNSET;
  sc->not_empty = t.not_empty;
  return found ? re_match_new(vm, t.p, sc->string, spans, pos, t.end) : ASY_NONE;
}

static asy_value finditer_next(asy_vm *vm, asy_value self) {
  asy_value match = scanner_turn(vm, self, RE_SEARCH);
  return match == ASY_NONE ? ASY_END : match;
}
static asy_value itself(asy_vm *vm, asy_value self) { return self; }
static asy_value scanner_search(asy_vm *vm, const asy_value *args) { return scanner_turn(vm, args[0], RE_SEARCH); }
static asy_value scanner_match(asy_vm *vm, const asy_value *args) { return scanner_turn(vm, args[0], RE_MATCH); }

static const asy_native scanner_methods[] = {
  {"match", SIG("(self, /)"), scanner_match, DOC("Match at the place where the last match ended."), 0},
  {"search", SIG("(self, /)"), scanner_search, DOC("Search from the place where the last match ended."), 0},
  {0},
};
static const asy_member scanner_members[] = {{"pattern", offsetof(scanner, pattern), MEMBER_OBJECT, false}, {0}};

const asy_type re_scanner_type = {
  .name = "_sre.SRE_Scanner",
  .size = sizeof(scanner),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW,
  .visit = scanner_visit,
  .methods = scanner_methods,
  .members = scanner_members,
};
const asy_type re_finditer_type = {
  .name = "callable_iterator",
  .size = sizeof(scanner),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW,
  .visit = scanner_visit,
  .iter = itself,
  .next = finditer_next,
};

static asy_value new_scanner(asy_vm *vm, const asy_type *type, asy_value pattern, asy_value string, asy_value pos,
                             asy_value endpos) {
  pass t;
  if (!pass_open(vm, &t, pattern, string, pos, endpos)) return ASY_FAILED;
  re_subject_close(vm, &t.s);
  scanner *sc = asy_new_object(vm, type);
  if (!sc) return ASY_FAILED;
  sc->pattern = t.p;
  sc->string = string;
  sc->start = t.start;
  sc->end = t.end;
  return asy_from_obj(sc);
}

asy_value re_do_finditer(asy_vm *vm, asy_value pattern, asy_value string, asy_value pos, asy_value endpos) {
  return new_scanner(vm, &re_finditer_type, pattern, string, pos, endpos);
}

/* ---- Pattern ---- */

static void pattern_visit(asy_obj *o, asy_visitor *v) {
  const re_pattern *p = (const re_pattern *)o;
  asy_visit_obj(v, p->shared);
  asy_visit_value(v, p->source);
  asy_visit_obj(v, p->names);
  asy_visit_obj(v, p->by_number);
  asy_visit_value(v, p->template_source);
  asy_visit_value(v, p->template_parts);
}

static void pattern_free(asy_vm *vm, asy_obj *o) {
  re_pattern *p = (re_pattern *)o;
  free(p->closing);
  re_text_free(&p->text);
  for (int width = 0; width < 3; width++) {
    re_codes *codes = p->codes[width];
    for (int mode = 0; codes && mode < RE_MODES; mode++) {
      if (!codes->modes[mode].code) continue;
      codes->data_free(codes->modes[mode].data);
      codes->code_free(codes->modes[mode].code);
    }
    free(codes);
  }
}

static const struct {
  uint32_t flag;
  const char *name;
} flag_names[] = {
  {RE_IGNORECASE, "re.IGNORECASE"}, {RE_LOCALE, "re.LOCALE"},   {RE_MULTILINE, "re.MULTILINE"},
  {RE_DOTALL, "re.DOTALL"},         {RE_UNICODE, "re.UNICODE"}, {RE_VERBOSE, "re.VERBOSE"},
  {RE_DEBUG, "re.DEBUG"},           {RE_ASCII, "re.ASCII"},
};
enum { MAX_SHOWN = 200 }; /* characters of the pattern in its repr */

static asy_value pattern_repr(asy_vm *vm, asy_value self) {
  const re_pattern *p = re_pattern_of(self);
  uint32_t flags = p->flags;
  if (p->is_text && (flags & (RE_LOCALE | RE_UNICODE | RE_ASCII)) == RE_UNICODE) flags &= ~(uint32_t)RE_UNICODE;
  asy_value source = asy_repr(vm, p->source);
  if (asy_failed(source)) return ASY_FAILED;
  asy_str *shown = (asy_str *)asy_obj_of(source);
  asy_text t;
  asy_text_init(&t, vm);
  asy_text_ascii(&t, "re.compile(");
  asy_text_slice(&t, shown, 0, shown->len < MAX_SHOWN ? shown->len : MAX_SHOWN);
  const char *separator = ", ";
  for (size_t i = 0; i < sizeof flag_names / sizeof *flag_names; i++) {
    if (!(flags & flag_names[i].flag)) continue;
    asy_text_ascii(&t, separator);
    asy_text_ascii(&t, flag_names[i].name);
    flags &= ~flag_names[i].flag;
    separator = "|";
  }
  if (flags) {
    char rest[16];
    snprintf(rest, sizeof rest, "0x%x", (unsigned)flags);
    asy_text_ascii(&t, separator);
    asy_text_ascii(&t, rest);
  }
  asy_text_char(&t, ')');
  asy_str *text = asy_text_finish(&t);
  return text ? asy_from_obj(text) : ASY_FAILED;
}

static asy_value pattern_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op) {
  if ((op != COMPARE_EQ && op != COMPARE_NE) || !re_is_pattern(vm, other)) return ASY_NOT_IMPLEMENTED;
  const re_pattern *a = re_pattern_of(self), *b = re_pattern_of(other);
  int same = a == b;
  if (!same && a->flags == b->flags && a->is_text == b->is_text) same = asy_equal(vm, a->source, b->source);
  return same < 0 ? ASY_FAILED : asy_from_bool(same == (op == COMPARE_EQ));
}

static bool pattern_hash(asy_vm *vm, asy_value self, int64_t *out) {
  const re_pattern *p = re_pattern_of(self);
  if (!asy_hash(vm, p->source, out)) return false;
  *out ^= (int64_t)p->flags << 7;
  if (*out == -1) *out = -2;
  return true;
}

static asy_value pattern_match(asy_vm *vm, const asy_value *args) {
  return re_do_match(vm, args[0], args[1], args[2], args[3], RE_MATCH);
}
static asy_value pattern_fullmatch(asy_vm *vm, const asy_value *args) {
  return re_do_match(vm, args[0], args[1], args[2], args[3], RE_FULLMATCH);
}
static asy_value pattern_search(asy_vm *vm, const asy_value *args) {
  return re_do_match(vm, args[0], args[1], args[2], args[3], RE_SEARCH);
}
static asy_value pattern_findall(asy_vm *vm, const asy_value *args) {
  return re_do_findall(vm, args[0], args[1], args[2], args[3]);
}
static asy_value pattern_finditer(asy_vm *vm, const asy_value *args) {
  return re_do_finditer(vm, args[0], args[1], args[2], args[3]);
}
static asy_value pattern_scanner(asy_vm *vm, const asy_value *args) {
  return new_scanner(vm, &re_scanner_type, args[0], args[1], args[2], args[3]);
}
static asy_value pattern_split(asy_vm *vm, const asy_value *args) { return re_do_split(vm, args[0], args[1], args[2]); }
static asy_value pattern_sub(asy_vm *vm, const asy_value *args) {
  return re_do_sub(vm, args[0], args[1], args[2], args[3], false);
}
static asy_value pattern_subn(asy_vm *vm, const asy_value *args) {
  return re_do_sub(vm, args[0], args[1], args[2], args[3], true);
}
static asy_value pattern_copy(asy_vm *vm, const asy_value *args) { return args[0]; }
static asy_value pattern_flags(asy_vm *vm, const asy_value *args) {
  return asy_from_small(re_pattern_of(args[0])->flags);
}
static asy_value pattern_groupindex(asy_vm *vm, const asy_value *args) {
  return asy_mapping_proxy_new(vm, asy_from_obj(re_pattern_of(args[0])->names));
}

static asy_value pattern_reduce(asy_vm *vm, const asy_value *args) {
  const re_pattern *p = re_pattern_of(args[0]);
  asy_value module = asy_import(vm, "re");
  asy_value make = asy_failed(module) ? ASY_FAILED : asy_get_attr_cstr(vm, module, "_compile");
  if (asy_failed(make)) return ASY_FAILED;
  return asy_tuple_of(vm, 2, make, asy_tuple_of(vm, 2, p->source, asy_from_small(p->flags)));
}

#define POSITIONS SIG("(self, /, string, pos=0, endpos=9223372036854775807)")
static const asy_native pattern_methods[] = {
  {"match", POSITIONS, pattern_match, DOC("Matches zero or more characters at the beginning of the string."), 0},
  {"fullmatch", POSITIONS, pattern_fullmatch, DOC("Matches against all of the string."), 0},
  {"search", POSITIONS, pattern_search,
   DOC("Scan through string looking for a match, and return a corresponding match object instance."), 0},
  {"findall", POSITIONS, pattern_findall, DOC("Return a list of all non-overlapping matches of pattern in string."), 0},
  {"finditer", POSITIONS, pattern_finditer,
   DOC("Return an iterator over all non-overlapping matches for the RE pattern in string."), 0},
  {"scanner", POSITIONS, pattern_scanner, 0, 0},
  {"split", SIG("(self, /, string, maxsplit=0)"), pattern_split, DOC("Split string by the occurrences of pattern."), 0},
  {"sub", SIG("(self, /, repl, string, count=0)"), pattern_sub,
   DOC("Return the string obtained by replacing the leftmost non-overlapping occurrences of pattern in string by the "
       "replacement repl."),
   0},
  {"subn", SIG("(self, /, repl, string, count=0)"), pattern_subn,
   DOC("Return the tuple (new_string, number_of_subs_made) found by replacing the leftmost non-overlapping occurrences "
       "of "
       "pattern with the replacement repl."),
   0},
  {"__copy__", SIG("(self, /)"), pattern_copy, 0, 0},
  {"__deepcopy__", SIG("(self, memo, /)"), pattern_copy, 0, 0},
  {"__reduce__", SIG("(self, /)"), pattern_reduce, 0, 0},
  {"__reduce_ex__", SIG("(self, protocol, /)"), pattern_reduce, 0, 0},
  {"__class_getitem__", SIG("(cls, item, /)"), asy_class_getitem, DOC("See PEP 585"), ASY_NATIVE_CLASS},
  {"flags", SIG("(self)"), pattern_flags, DOC("The regex matching flags."), ASY_NATIVE_GETTER},
  {"groupindex", SIG("(self)"), pattern_groupindex, DOC("A dictionary mapping group names to group numbers."),
   ASY_NATIVE_GETTER},
  {0},
};
#undef POSITIONS

static const asy_member pattern_members[] = {
  {"pattern", offsetof(re_pattern, source), MEMBER_VALUE, false},
  {"groups", offsetof(re_pattern, groups), MEMBER_UINT32, false},
  {0},
};

const asy_type re_pattern_type = {
  .name = "re.Pattern",
  .doc = "Compiled regular expression object.",
  .size = sizeof(re_pattern),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW,
  .visit = pattern_visit,
  .free = pattern_free,
  .repr = pattern_repr,
  .compare = pattern_compare,
  .hash = pattern_hash,
  .methods = pattern_methods,
  .members = pattern_members,
};

bool re_define_pattern(asy_vm *vm, asy_value module) {
  return asy_module_add_type(vm, module, "Pattern", &re_pattern_type);
}
