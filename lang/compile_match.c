/* compile_match.c - the match statement.
 * A pattern is code that jumps to `fail` when the subject does not fit. What it captures goes to temporaries and is bound to
 * the names only when the whole pattern has matched, before the guard.
 *
 *   subject, [captured ...], temporaries of the pattern
 */
#include <string.h>

#include "lang/buf.h"
#include "lang/compile_internal.h"
#include "lang/unparse.h"

typedef struct {
  asy_name *name;
  int reg;
} capture;

typedef struct {
  capture items[ASY_MAX_REGISTERS];
  int count;
} captures;

/* The names that a pattern binds, each once, in order. */
static void collect(asy_compiler *c, const asy_node *pattern, captures *all);

static void collect_name(asy_compiler *c, const asy_node *at, asy_name *name, captures *all) {
  if (!name) return;
  for (int i = 0; i < all->count; i++)
    if (all->items[i].name == name) asy_compile_fail(c, at, "multiple assignments to name '%s' in pattern", name->text);
  if (all->count < ASY_MAX_REGISTERS) all->items[all->count++].name = name;
  else asy_emit_fail(c->e, "too many names in a pattern");
}

static void collect_list(asy_compiler *c, const asy_node_list *patterns, captures *all) {
  for (uint32_t i = 0; i < patterns->len; i++) collect(c, patterns->items[i], all);
}

static bool has_name(const captures *all, int from, const asy_name *name) {
  for (int i = from; i < all->count; i++)
    if (all->items[i].name == name) return true;
  return false;
}

static void refuse_irrefutable(asy_compiler *c, const asy_node *pattern) {
  if (pattern->match_as.name)
    asy_compile_fail(c, pattern, "name capture '%s' makes remaining patterns unreachable",
                     pattern->match_as.name->text);
  else asy_compile_fail(c, pattern, "wildcard makes remaining patterns unreachable");
}

static void collect_or(asy_compiler *c, const asy_node *pattern, captures *all) {
  int before = all->count, after = 0;
  for (uint32_t i = 0; i < pattern->match_or.patterns.len; i++) {
    const asy_node *one = pattern->match_or.patterns.items[i];
    if (one->kind == AST_MatchAs && !one->match_as.pattern && i + 1 < pattern->match_or.patterns.len)
      refuse_irrefutable(c, one);
    if (!i) {
      collect(c, pattern->match_or.patterns.items[0], all);
      after = all->count;
      continue;
    }
    all->count = before; /* the other alternatives: the same names, in any order */
    captures other = {.count = before};
    memcpy(other.items, all->items, (size_t)before * sizeof *all->items);
    collect(c, pattern->match_or.patterns.items[i], &other);
    all->count = after;
    bool same = other.count == after;
    for (int k = before; k < after && same; k++) same = has_name(&other, before, all->items[k].name);
    if (!same) asy_compile_fail(c, pattern, "alternative patterns bind different names");
  }
}

static void collect(asy_compiler *c, const asy_node *pattern, captures *all) {
  switch (pattern->kind) {
    case AST_MatchSequence: collect_list(c, &pattern->match_sequence.patterns, all); break;
    case AST_MatchMapping:
      collect_list(c, &pattern->match_mapping.patterns, all);
      collect_name(c, pattern, pattern->match_mapping.rest, all);
      break;
    case AST_MatchClass:
      collect_list(c, &pattern->match_class.patterns, all);
      collect_list(c, &pattern->match_class.kwd_patterns, all);
      break;
    case AST_MatchStar: collect_name(c, pattern, pattern->match_star.name, all); break;
    case AST_MatchAs:
      if (pattern->match_as.pattern) collect(c, pattern->match_as.pattern, all);
      collect_name(c, pattern, pattern->match_as.name, all);
      break;
    case AST_MatchOr: collect_or(c, pattern, all); break;
    default: break;
  }
}

typedef struct {
  asy_compiler *c;
  const captures *captured;
  asy_label fail;
} matching;

static void match_pattern(const matching *m, const asy_node *pattern, int subject, bool irrefutable_allowed);

static void keep(const matching *m, const asy_node *at, asy_name *name, int reg) {
  for (int i = 0; name && i < m->captured->count; i++)
    if (m->captured->items[i].name == name) asy_emit(m->c->e, at, OP_MOVE, m->captured->items[i].reg, reg, 0);
}

static bool is_wildcard(const asy_node *p) {
  return p->kind == AST_MatchAs && !p->match_as.pattern && !p->match_as.name;
}

/* Fails unless the length in reg is `count`, or, with at_least, more. */
static void check_length(const matching *m, const asy_node *at, int reg, uint32_t count, bool at_least) {
  asy_emitter *e = m->c->e;
  if (count <= 127) {
    asy_emit_jump(e, at, at_least ? OP_JUMP_GE_I : OP_JUMP_EQ_I, reg, (int)count, 0, m->fail);
    return;
  }
  int t = asy_temp(e);
  asy_load_constant(m->c, at, t, &(asy_const){.kind = ASY_CONST_INT, .integer = count});
  asy_emit_jump(e, at, at_least ? OP_JUMP_GE : OP_JUMP_EQ, reg, t, 0, m->fail);
  e->top = t;
}

/* The items before and after `*_`, by index. */
static void match_by_index(const matching *m, const asy_node *pattern, int subject, uint32_t star) {
  asy_emitter *e = m->c->e;
  const asy_node_list *parts = &pattern->match_sequence.patterns;
  int mark = e->top;
  for (uint32_t i = 0; i < parts->len; i++) {
    const asy_node *part = parts->items[i];
    if (i == star || is_wildcard(part)) continue;
    int item = asy_temp(e), index = asy_temp(e);
    if (i < star) {
      asy_load_constant(m->c, part, index, &(asy_const){.kind = ASY_CONST_INT, .integer = i});
    } else {
      asy_emit(e, part, OP_GET_LEN, index, subject, 0);
      asy_load_constant(m->c, part, item, &(asy_const){.kind = ASY_CONST_INT, .integer = parts->len - i});
      asy_emit(e, part, OP_SUB, index, index, item);
    }
    asy_emit(e, part, OP_GET_ITEM, item, subject, index);
    e->top = item + 1;
    match_pattern(m, part, item, true);
    e->top = mark;
  }
}

static void match_sequence(const matching *m, const asy_node *pattern, int subject) {
  asy_emitter *e = m->c->e;
  const asy_node_list *parts = &pattern->match_sequence.patterns;
  uint32_t star = parts->len;
  bool only_wildcards = true, star_wildcard = false;
  for (uint32_t i = 0; i < parts->len; i++) {
    const asy_node *part = parts->items[i];
    if (part->kind != AST_MatchStar) {
      only_wildcards &= is_wildcard(part);
      continue;
    }
    if (star < parts->len) asy_compile_fail(m->c, pattern, "multiple starred names in sequence pattern");
    star = i;
    star_wildcard = !part->match_star.name;
    only_wildcards &= star_wildcard;
  }
  bool has_star = star < parts->len;
  int t = asy_temp(e);
  asy_emit(e, pattern, OP_MATCH_SEQUENCE, t, subject, 0);
  asy_emit_jump(e, pattern, OP_JUMP_IF_FALSE, t, 0, 0, m->fail);
  uint32_t fixed = parts->len - has_star;
  if (fixed || !has_star) {
    asy_emit(e, pattern, OP_GET_LEN, t, subject, 0);
    check_length(m, pattern, t, fixed, has_star);
  }
  e->top = t;
  if (only_wildcards) return;
  if (star_wildcard) {
    match_by_index(m, pattern, subject, star);
    return;
  }
  int first = asy_temps(e, (int)parts->len);
  if (has_star) asy_emit_x(e, pattern, OP_UNPACK_EX, first, subject, (int)star, parts->len - star - 1);
  else asy_emit(e, pattern, OP_UNPACK, first, subject, (int)parts->len);
  for (uint32_t i = 0; i < parts->len; i++) match_pattern(m, parts->items[i], first + (int)i, true);
  e->top = t;
}

/* Numbers are equal across kinds, as in a dict. */
static bool number_of(const asy_const *k, double *real, double *imaginary) {
  *imaginary = 0;
  switch (k->kind) {
    case ASY_CONST_FALSE: *real = 0; return true;
    case ASY_CONST_TRUE: *real = 1; return true;
    case ASY_CONST_INT:
      *real = (double)k->integer;
      return k->integer < (int64_t)1 << 53 && k->integer > -((int64_t)1 << 53);
    case ASY_CONST_FLOAT: *real = k->real; return true;
    case ASY_CONST_COMPLEX: *real = k->real, *imaginary = k->imaginary; return true;
    default: return false;
  }
}

static bool equal_keys(const asy_const *a, const asy_const *b) {
  double ar, ai, br, bi;
  if (number_of(a, &ar, &ai) && number_of(b, &br, &bi)) return ar == br && ai == bi;
  return asy_same_constant(a, b);
}

static void check_duplicate_keys(asy_compiler *c, const asy_node *pattern) {
  const asy_node_list *keys = &pattern->match_mapping.keys;
  for (uint32_t i = 0; i < keys->len; i++) {
    asy_const a, b;
    if (!asy_fold(c, keys->items[i], &a)) continue;
    for (uint32_t j = 0; j < i; j++) {
      if (!asy_fold(c, keys->items[j], &b) || !equal_keys(&a, &b)) continue;
      asy_buf text = {0};
      if (a.kind == ASY_CONST_INT) asy_buf_format(&text, "%lld", (long long)a.integer);
      else asy_unparse(keys->items[i], &text);
      asy_compile_fail(c, pattern, "mapping pattern checks duplicate key (%s)", text.data ? text.data : "");
      asy_buf_free(&text);
      return;
    }
  }
}

static void match_mapping(const matching *m, const asy_node *pattern, int subject) {
  asy_emitter *e = m->c->e;
  const asy_node_list *keys = &pattern->match_mapping.keys;
  int mark = e->top, t = asy_temp(e);
  check_duplicate_keys(m->c, pattern);
  asy_emit(e, pattern, OP_MATCH_MAPPING, t, subject, 0);
  asy_emit_jump(e, pattern, OP_JUMP_IF_FALSE, t, 0, 0, m->fail);
  if (keys->len) {
    asy_emit(e, pattern, OP_GET_LEN, t, subject, 0);
    check_length(m, pattern, t, keys->len, true);
  }
  e->top = mark;
  if (!keys->len && !pattern->match_mapping.rest) return;
  for (uint32_t i = 0; i < keys->len; i++) asy_expr_next(m->c, keys->items[i]);
  if (keys->len > MAX_WINDOW) asy_emit_fail(e, "too many keys in a mapping pattern");
  if (e->top == mark) asy_temp(e);
  asy_emit(e, pattern, OP_BUILD_TUPLE, mark, mark, (int)keys->len);
  e->top = mark + 1;
  int values = asy_temp(e);
  asy_emit(e, pattern, OP_MATCH_KEYS, values, subject, mark);
  asy_emit_jump(e, pattern, OP_JUMP_IF_NONE, values, 0, 0, m->fail);
  if (keys->len) {
    int first = asy_temps(e, (int)keys->len);
    asy_emit(e, pattern, OP_UNPACK, first, values, (int)keys->len);
    for (uint32_t i = 0; i < keys->len; i++)
      match_pattern(m, pattern->match_mapping.patterns.items[i], first + (int)i, true);
  }
  if (pattern->match_mapping.rest) {
    e->top = mark + 1;
    int rest = asy_temp(e);
    asy_emit(e, pattern, OP_BUILD_MAP, rest, rest, 0);
    asy_emit(e, pattern, OP_DICT_UPDATE, rest, subject, 0);
    if (keys->len) {
      int first = asy_temps(e, (int)keys->len);
      asy_emit(e, pattern, OP_UNPACK, first, mark, (int)keys->len);
      for (uint32_t i = 0; i < keys->len; i++) asy_emit(e, pattern, OP_DEL_ITEM, rest, first + (int)i, 0);
    }
    keep(m, pattern, pattern->match_mapping.rest, rest);
  }
  e->top = mark;
}

static void match_class(const matching *m, const asy_node *pattern, int subject) {
  asy_compiler *c = m->c;
  asy_emitter *e = c->e;
  const asy_name_list *attrs = &pattern->match_class.kwd_attrs;
  const asy_node_list *positional = &pattern->match_class.patterns;
  int mark = e->top;
  for (uint32_t i = 0; i < attrs->len; i++)
    for (uint32_t j = 0; j < i; j++)
      if (attrs->items[i] == attrs->items[j])
        asy_compile_fail(c, pattern->match_class.kwd_patterns.items[i], "attribute name repeated in class pattern: %s",
                         attrs->items[i]->text);
  asy_const *names = asy_arena_alloc(c->arena, attrs->len * sizeof *names);
  if (!names) return;
  for (uint32_t i = 0; i < attrs->len; i++) names[i] = asy_text_constant(attrs->items[i]->text, attrs->items[i]->len);
  asy_const k = {.kind = ASY_CONST_TUPLE, .length = attrs->len, .items = names};
  asy_emit(e, pattern, OP_MOVE, asy_temp(e), subject, 0);
  asy_expr_next(c, pattern->match_class.cls);
  if (e->reachable) asy_emit_x(e, pattern, OP_MATCH_CLASS, mark, mark, (int)positional->len, asy_emit_constant(e, &k));
  e->top = mark + 1;
  asy_emit_jump(e, pattern, OP_JUMP_IF_NONE, mark, 0, 0, m->fail);
  int count = (int)(positional->len + attrs->len);
  int first = asy_temps(e, count);
  if (count) asy_emit(e, pattern, OP_UNPACK, first, mark, count);
  for (uint32_t i = 0; i < positional->len; i++) match_pattern(m, positional->items[i], first + (int)i, true);
  for (uint32_t i = 0; i < attrs->len; i++)
    match_pattern(m, pattern->match_class.kwd_patterns.items[i], first + (int)(positional->len + i), true);
  e->top = mark;
}

static void match_or(const matching *m, const asy_node *pattern, int subject, bool irrefutable_allowed) {
  asy_emitter *e = m->c->e;
  const asy_node_list *patterns = &pattern->match_or.patterns;
  asy_label matched = asy_label_new(e);
  for (uint32_t i = 0; i < patterns->len; i++) {
    bool last = i + 1 == patterns->len;
    const asy_node *value = patterns->items[i];
    if (!last && value->kind == AST_MatchValue) {
      asy_jump_compare(m->c, value, AST_Eq, subject, value->match_value.value, matched, true);
      continue;
    }
    matching one = *m;
    if (!last) one.fail = asy_label_new(e);
    match_pattern(&one, patterns->items[i], subject, last && irrefutable_allowed);
    if (last) break;
    asy_emit_jump(e, NULL, OP_JUMP, 0, 0, 0, matched);
    asy_label_bind(e, one.fail);
  }
  asy_label_bind(e, matched);
}

static void match_pattern(const matching *m, const asy_node *pattern, int subject, bool irrefutable_allowed) {
  asy_emitter *e = m->c->e;
  int mark = e->top;
  switch (pattern->kind) {
    case AST_MatchValue:
      asy_jump_compare(m->c, pattern, AST_Eq, subject, pattern->match_value.value, m->fail, false);
      break;
    case AST_MatchSingleton:
      if (pattern->match_singleton.value.kind == CONST_NONE) {
        asy_emit_jump(e, pattern, OP_JUMP_IF_NOT_NONE, subject, 0, 0, m->fail);
      } else {
        int t = asy_temp(e);
        bool truth = pattern->match_singleton.value.kind == CONST_TRUE;
        asy_load_constant(m->c, pattern, t, &(asy_const){.kind = truth ? ASY_CONST_TRUE : ASY_CONST_FALSE});
        asy_emit_jump(e, pattern, OP_JUMP_IS, subject, t, 0, m->fail);
      }
      break;
    case AST_MatchSequence: match_sequence(m, pattern, subject); break;
    case AST_MatchMapping: match_mapping(m, pattern, subject); break;
    case AST_MatchClass: match_class(m, pattern, subject); break;
    case AST_MatchStar: keep(m, pattern, pattern->match_star.name, subject); break;
    case AST_MatchAs: {
      asy_name *name = pattern->match_as.name;
      if (pattern->match_as.pattern) match_pattern(m, pattern->match_as.pattern, subject, irrefutable_allowed);
      else if (!irrefutable_allowed) refuse_irrefutable(m->c, pattern);
      keep(m, pattern, name, subject);
      break;
    }
    case AST_MatchOr: match_or(m, pattern, subject, irrefutable_allowed); break;
    default: assert(!"no pattern"); break;
  }
  e->top = mark;
}

void asy_match(asy_compiler *c, const asy_node *node) {
  asy_emitter *e = c->e;
  int mark = e->top, subject = asy_expr_next(c, node->match.subject);
  asy_label end = asy_label_new(e);
  for (uint32_t i = 0; i < node->match.cases.len; i++) {
    const asy_node *kase = node->match.cases.items[i], *pattern = kase->match_case.pattern,
                   *guard = kase->match_case.guard;
    bool last = i + 1 == node->match.cases.len;
    captures captured;
    captured.count = 0;
    collect(c, pattern, &captured);
    matching m = {c, &captured, asy_label_new(e)};
    e->top = subject + 1;
    bool direct = pattern->kind == AST_MatchAs && !pattern->match_as.pattern;
    if (direct) {
      captured.count = 0;
    } else {
      for (int k = 0; k < captured.count; k++) {
        captured.items[k].reg = asy_temp(e);
        asy_emit(e, pattern, OP_CLEAR, captured.items[k].reg, 0, 0);
      }
    }
    match_pattern(&m, pattern, subject, last || guard);
    if (direct && !pattern->match_as.name && !guard) asy_emit_mark(e, pattern);
    if (direct && pattern->match_as.name) asy_name_store(c, pattern, pattern->match_as.name, subject);
    for (int k = 0; k < captured.count; k++) asy_name_store(c, pattern, captured.items[k].name, captured.items[k].reg);
    e->top = subject + 1;
    if (guard) asy_condition(c, guard, m.fail, false);
    asy_body(c, &kase->match_case.body);
    if (!last) asy_emit_jump(e, NULL, OP_JUMP, 0, 0, 0, end);
    asy_label_bind(e, m.fail);
  }
  asy_label_bind(e, end);
  e->top = mark;
}
