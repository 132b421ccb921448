/* match.c - Match: the spans of a match, and what can be asked about them. */
#include <stdio.h>

#include "stdlib/re/re.h"

extern const asy_type re_match_type;

static re_match *match_of(asy_value v) { return (re_match *)asy_obj_of(v); }

/* The group whose bracket was closed last. Where no group is repeated that is the order of the brackets; else the one that ends last
 * counts (PCRE2 does not say more), but a group always closes behind those inside it. */
static uint32_t last_group(const re_pattern *p, const size_t *spans) {
  uint32_t last = 0;
  for (uint32_t i = 1; i <= p->groups; i++) {
    if (spans[2 * i] == SIZE_MAX) continue;
    bool inside = last && p->closing[last - 1] > p->closing[i - 1]; /* groups are numbered as they open */
    if (!last) last = i;
    else if (inside) continue;
    else if (!p->captures_repeat || spans[2 * i + 1] >= spans[2 * last + 1]) last = i;
  }
  return last;
}

asy_value re_match_new(asy_vm *vm, re_pattern *p, asy_value string, const size_t *spans, uint32_t pos,
                       uint32_t endpos) {
  uint32_t count = p->groups + 1;
  asy_class *cls = asy_class_for(vm, &re_match_type);
  re_match *m = asy_alloc(vm, cls->root->id, cls->kind, sizeof *m + sizeof(uint32_t[2]) * count);
  if (!m) return ASY_FAILED;
  m->pattern = p;
  m->string = string;
  m->pos = pos;
  m->endpos = endpos;
  m->count = count;
  m->last = count > 1 ? last_group(p, spans) : 0;
  for (uint32_t i = 0; i < 2 * count; i++) m->spans[i] = spans[i] == SIZE_MAX ? RE_UNSET : (uint32_t)spans[i];
  return asy_from_obj(m);
}

static void match_visit(asy_obj *o, asy_visitor *v) {
  asy_visit_obj(v, ((re_match *)o)->pattern);
  asy_visit_value(v, ((re_match *)o)->string);
}

asy_value re_match_group(asy_vm *vm, const re_match *m, uint32_t group, asy_value otherwise) {
  if (m->spans[2 * group] == RE_UNSET) return otherwise;
  return re_slice(vm, m->string, m->spans[2 * group], m->spans[2 * group + 1]);
}

/* The number of a group given by number or name; IndexError. */
static bool find_group(asy_vm *vm, const re_match *m, asy_value key, uint32_t *out) {
  int64_t i = -1;
  asy_value found = key;
  if (!asy_is_integer(key)) {
    int has = asy_is_str(key) || !asy_is_obj(key) ? asy_dict_get(vm, m->pattern->names, key, &found) : 0;
    if (has < 0) asy_clear_exception(vm);
    if (has <= 0) {
      found = asy_is_str(key) ? ASY_NONE : asy_index(vm, key);
      if (asy_failed(found)) asy_clear_exception(vm);
    }
  }
  if (asy_failed(found) || !asy_is_number_int64(found, &i) || i < 0 || i >= m->count) {
    asy_raise(vm, ASY_IndexError, "no such group");
    return false;
  }
  *out = (uint32_t)i;
  return true;
}

static asy_value group_by_key(asy_vm *vm, const re_match *m, asy_value key) {
  uint32_t group;
  return find_group(vm, m, key, &group) ? re_match_group(vm, m, group, ASY_NONE) : ASY_FAILED;
}

static asy_value match_group(asy_vm *vm, const asy_value *args) {
  const re_match *m = match_of(args[0]);
  const asy_tuple *keys = (const asy_tuple *)asy_obj_of(args[1]);
  if (!keys->len) return re_match_group(vm, m, 0, ASY_NONE);
  if (keys->len == 1) return group_by_key(vm, m, keys->items[0]);
  asy_tuple *all = asy_tuple_new(vm, NULL, keys->len);
  for (uint32_t i = 0; all && i < keys->len; i++) {
    asy_value part = group_by_key(vm, m, keys->items[i]);
    if (asy_failed(part)) return ASY_FAILED;
    asy_store(vm, all, &all->items[i], part);
  }
  return all ? asy_from_obj(all) : ASY_FAILED;
}

static asy_value match_get_item(asy_vm *vm, asy_value self, asy_value key) {
  return group_by_key(vm, match_of(self), key);
}

static asy_value match_groups(asy_vm *vm, const asy_value *args) {
  const re_match *m = match_of(args[0]);
  asy_tuple *all = asy_tuple_new(vm, NULL, m->count - 1);
  for (uint32_t i = 1; all && i < m->count; i++) {
    asy_value part = re_match_group(vm, m, i, args[1]);
    if (asy_failed(part)) return ASY_FAILED;
    asy_store(vm, all, &all->items[i - 1], part);
  }
  return all ? asy_from_obj(all) : ASY_FAILED;
}

static asy_value match_groupdict(asy_vm *vm, const asy_value *args) {
  const re_match *m = match_of(args[0]);
  asy_dict *dict = asy_dict_new(vm, m->pattern->names->used);
  uint32_t position = 0;
  asy_value name, number;
  while (dict && asy_dict_next(m->pattern->names, &position, &name, &number)) {
    asy_value part = re_match_group(vm, m, (uint32_t)asy_small(number), args[1]);
    if (asy_failed(part) || !asy_dict_set(vm, dict, name, part)) return ASY_FAILED;
  }
  return dict ? asy_from_obj(dict) : ASY_FAILED;
}

static asy_value place(uint32_t at) { return asy_from_small(at == RE_UNSET ? -1 : (int64_t)at); }

static asy_value span_of(asy_vm *vm, const re_match *m, uint32_t group) {
  return asy_tuple_of(vm, 2, place(m->spans[2 * group]), place(m->spans[2 * group + 1]));
}

static asy_value match_start(asy_vm *vm, const asy_value *args) {
  uint32_t group;
  const re_match *m = match_of(args[0]);
  return find_group(vm, m, args[1], &group) ? place(m->spans[2 * group]) : ASY_FAILED;
}
static asy_value match_end(asy_vm *vm, const asy_value *args) {
  uint32_t group;
  const re_match *m = match_of(args[0]);
  return find_group(vm, m, args[1], &group) ? place(m->spans[2 * group + 1]) : ASY_FAILED;
}
static asy_value match_span(asy_vm *vm, const asy_value *args) {
  uint32_t group;
  const re_match *m = match_of(args[0]);
  return find_group(vm, m, args[1], &group) ? span_of(vm, m, group) : ASY_FAILED;
}

static asy_value match_expand(asy_vm *vm, const asy_value *args) {
  const re_match *m = match_of(args[0]);
  const asy_tuple *parts = re_template(vm, m->pattern, args[1]);
  if (!parts) return ASY_FAILED;
  re_joined out;
  re_joined_init(&out, vm, m->pattern->is_text);
  for (uint32_t i = 0; i < parts->len; i++) {
    asy_value part = parts->items[i];
    if (asy_is_int(part)) part = re_match_group(vm, m, (uint32_t)asy_small(part), ASY_NONE);
    if (part == ASY_NONE) continue;
    if (asy_failed(part) || !re_joined_add(&out, part)) return re_joined_discard(&out), ASY_FAILED;
  }
  return re_joined_finish(&out);
}

static asy_value match_regs(asy_vm *vm, const asy_value *args) {
  const re_match *m = match_of(args[0]);
  asy_tuple *all = asy_tuple_new(vm, NULL, m->count);
  for (uint32_t i = 0; all && i < m->count; i++) {
    asy_value span = span_of(vm, m, i);
    if (asy_failed(span)) return ASY_FAILED;
    asy_store(vm, all, &all->items[i], span);
  }
  return all ? asy_from_obj(all) : ASY_FAILED;
}

static asy_value match_lastindex(asy_vm *vm, const asy_value *args) {
  const re_match *m = match_of(args[0]);
  return m->last ? asy_from_small(m->last) : ASY_NONE;
}
static asy_value match_lastgroup(asy_vm *vm, const asy_value *args) {
  const re_match *m = match_of(args[0]);
  const asy_tuple *names = m->pattern->by_number;
  return m->last < names->len ? names->items[m->last] : ASY_NONE;
}
static asy_value match_copy(asy_vm *vm, const asy_value *args) { return args[0]; }

static asy_value match_repr(asy_vm *vm, asy_value self) {
  const re_match *m = match_of(self);
  asy_value text = re_match_group(vm, m, 0, ASY_NONE);
  asy_str *s = asy_failed(text)
                 ? NULL
                 : asy_str_format(vm, "<re.Match object; span=(%u, %u), match=%R>", m->spans[0], m->spans[1], text);
  return s ? asy_from_obj(s) : ASY_FAILED;
}

static const asy_native match_methods[] = {
  {"group", SIG("(self, /, *args)"), match_group, DOC("group([group1, ...]) -> str or tuple."), 0},
  {"groups", SIG("(self, /, default=None)"), match_groups,
   DOC("Return a tuple containing all the subgroups of the match, from 1."), 0},
  {"groupdict", SIG("(self, /, default=None)"), match_groupdict,
   DOC("Return a dictionary containing all the named subgroups of the match, keyed by the subgroup name."), 0},
  {"start", SIG("(self, group=0, /)"), match_start, DOC("Return index of the start of the substring matched by group."),
   0},
  {"end", SIG("(self, group=0, /)"), match_end, DOC("Return index of the end of the substring matched by group."), 0},
  {"span", SIG("(self, group=0, /)"), match_span,
   DOC("For match object m, return the 2-tuple (m.start(group), m.end(group))."), 0},
  {"expand", SIG("(self, /, template)"), match_expand,
   DOC(
     "Return the string obtained by doing backslash substitution on the string template, as done by the sub() method."),
   0},
  {"__copy__", SIG("(self, /)"), match_copy, 0, 0},
  {"__deepcopy__", SIG("(self, memo, /)"), match_copy, 0, 0},
  {"__class_getitem__", SIG("(cls, item, /)"), asy_class_getitem, DOC("See PEP 585"), ASY_NATIVE_CLASS},
  {"regs", SIG("(self)"), match_regs, 0, ASY_NATIVE_GETTER},
  {"lastindex", SIG("(self)"), match_lastindex, DOC("The integer index of the last matched capturing group."),
   ASY_NATIVE_GETTER},
  {"lastgroup", SIG("(self)"), match_lastgroup, DOC("The name of the last matched capturing group."),
   ASY_NATIVE_GETTER},
  {0},
};

static const asy_member match_members[] = {
  {"re", offsetof(re_match, pattern), MEMBER_OBJECT, false},
  {"string", offsetof(re_match, string), MEMBER_VALUE, false},
  {"pos", offsetof(re_match, pos), MEMBER_UINT32, false},
  {"endpos", offsetof(re_match, endpos), MEMBER_UINT32, false},
  {0},
};

const asy_type re_match_type = {
  .name = "re.Match",
  .doc = "The result of re.match() and re.search().",
  .size = sizeof(re_match),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW,
  .visit = match_visit,
  .repr = match_repr,
  .special = &(const asy_special){.get_item = match_get_item},
  .methods = match_methods,
  .members = match_members,
};

bool re_define_match(asy_vm *vm, asy_value module) { return asy_module_add_type(vm, module, "Match", &re_match_type); }
