/* compile_stmt.c - statements, functions, classes, type parameters. */
#include <stdlib.h>
#include <string.h>

#include "lang/compile_internal.h"
#include "lang/unparse.h"

static uint32_t attr_site(asy_compiler *c, asy_name *name) {
  return asy_emit_site(c->e, asy_mangle(c->arena, c->making->scope->class_name, name)->text);
}

/* An assignment to `self.NAME`, for __static_attributes__ of the class around. */
static void note_self_name(asy_compiler *c, const asy_node *target) {
  const asy_node *object = target->attribute.value;
  if (object->kind != AST_Name || strcmp(object->name.id->text, "self") != 0) return;
  asy_making *m = c->making;
  while (m && m->owner->kind != SCOPE_CLASS) m = m->outer;
  asy_name *name = target->attribute.attr;
  for (uint32_t i = 0; m && i < m->nself_names; i++)
    if (m->self_names[i] == name) return;
  if (!m) return;
  if (m->nself_names == m->self_names_cap) {
    uint32_t cap = m->self_names_cap ? m->self_names_cap * 2 : 8;
    asy_name **names = asy_arena_alloc(c->arena, cap * sizeof *names);
    if (!names) return;
    if (m->nself_names) memcpy(names, m->self_names, m->nself_names * sizeof *names);
    m->self_names = names;
    m->self_names_cap = cap;
  }
  m->self_names[m->nself_names++] = name;
}

static void store_own(asy_compiler *c, const asy_node *at, const char *name, int reg) {
  asy_emit_x(c->e, at, OP_STORE_NAME, reg, 0, 0, asy_emit_site(c->e, asy_known(c, name)->text));
}

/* --- Targets ------------------------------------------------------------------------------------------------------------- */

enum { MOST_TARGETS = 128 }; /* more of them are taken from a list, one after the other */

static void store_long_sequence(asy_compiler *c, const asy_node *target, const asy_node_list *elts, int reg) {
  asy_emitter *e = c->e;
  int list = asy_temps(e, 2), item = list + 1;
  asy_emit(e, target, OP_MOVE, list, reg, 0);
  asy_const k = {.kind = ASY_CONST_INT, .integer = elts->len};
  asy_load_constant(c, target, item, &k);
  asy_emit(e, target, OP_INTRINSIC, list, list, INTRINSIC_UNPACK_LIST);
  for (uint32_t i = 0; i < elts->len; i++) {
    k.integer = i;
    asy_load_constant(c, target, item, &k);
    asy_emit(e, target, OP_GET_ITEM, item, list, item);
    asy_store(c, elts->items[i], item);
  }
  e->top = list;
}

static void store_sequence(asy_compiler *c, const asy_node *target, const asy_node_list *elts, int reg) {
  asy_emitter *e = c->e;
  int mark = e->top;
  uint32_t star = elts->len;
  for (uint32_t i = 0; i < elts->len; i++) {
    if (elts->items[i]->kind != AST_Starred) continue;
    if (star < elts->len) {
      asy_compile_fail(c, target, "multiple starred expressions in assignment");
      return;
    }
    star = i;
  }
  if (elts->len > MOST_TARGETS && star == elts->len) {
    store_long_sequence(c, target, elts, reg);
    return;
  }
  int first = asy_temps(e, (int)elts->len);
  if (star < elts->len) asy_emit_x(e, target, OP_UNPACK_EX, first, reg, (int)star, elts->len - star - 1);
  else asy_emit(e, target, OP_UNPACK, first, reg, (int)elts->len);
  for (uint32_t i = 0; i < elts->len; i++) {
    const asy_node *item = elts->items[i];
    asy_store(c, item->kind == AST_Starred ? item->starred.value : item, first + (int)i);
  }
  e->top = mark;
}

/* Assigns what is in reg, which lies below top or is a local. */
void asy_store(asy_compiler *c, const asy_node *target, int reg) {
  asy_emitter *e = c->e;
  int mark = e->top;
  switch (target->kind) {
    case AST_Name: asy_name_store(c, target, target->name.id, reg); break;
    case AST_Attribute: {
      int object = asy_expr(c, target->attribute.value, NO_REG);
      note_self_name(c, target);
      asy_emit_x(e, target, OP_SET_ATTR, object, reg, 0, attr_site(c, target->attribute.attr));
      break;
    }
    case AST_Subscript: {
      int object = asy_expr(c, target->subscript.value, NO_REG), index = asy_expr(c, target->subscript.slice, NO_REG);
      asy_emit(e, target, OP_SET_ITEM, object, index, reg);
      break;
    }
    case AST_List: store_sequence(c, target, &target->list.elts, reg); break;
    case AST_Tuple: store_sequence(c, target, &target->tuple.elts, reg); break;
    case AST_Starred: asy_compile_fail(c, target, "starred assignment target must be in a list or tuple"); break;
    default: asy_compile_fail(c, target, "cannot assign to this expression"); break;
  }
  e->top = mark;
}

static void delete_target(asy_compiler *c, const asy_node *target) {
  asy_emitter *e = c->e;
  int mark = e->top;
  switch (target->kind) {
    case AST_Name: asy_name_delete(c, target, target->name.id); break;
    case AST_Attribute: {
      int object = asy_expr(c, target->attribute.value, NO_REG);
      asy_emit_x(e, target, OP_DEL_ATTR, object, 0, 0, attr_site(c, target->attribute.attr));
      break;
    }
    case AST_Subscript: {
      int object = asy_expr(c, target->subscript.value, NO_REG), index = asy_expr(c, target->subscript.slice, NO_REG);
      asy_emit(e, target, OP_DEL_ITEM, object, index, 0);
      break;
    }
    case AST_List:
      for (uint32_t i = 0; i < target->list.elts.len; i++) delete_target(c, target->list.elts.items[i]);
      break;
    case AST_Tuple:
      for (uint32_t i = 0; i < target->tuple.elts.len; i++) delete_target(c, target->tuple.elts.items[i]);
      break;
    default: asy_compile_fail(c, target, "cannot delete this expression"); break;
  }
  e->top = mark;
}

/* --- Assignment ---------------------------------------------------------------------------------------------------------- */

enum { MAX_PARALLEL = 16 };

/* `a, b = c, d`: no tuple is made. */
static bool assign_in_parallel(asy_compiler *c, const asy_node *target, const asy_node *value) {
  if (target->kind != AST_Tuple || value->kind != AST_Tuple) return false;
  const asy_node_list *to = &target->tuple.elts, *from = &value->tuple.elts;
  if (to->len != from->len || !to->len || to->len > MAX_PARALLEL) return false;
  bool names = true;
  for (uint32_t i = 0; i < to->len; i++) {
    if (to->items[i]->kind == AST_Starred || from->items[i]->kind == AST_Starred) return false;
    names &= to->items[i]->kind == AST_Name;
  }
  asy_emitter *e = c->e;
  int mark = e->top, regs[MAX_PARALLEL];
  for (uint32_t i = 0; i < from->len; i++) {
    const asy_node *item = from->items[i];
    regs[i] = asy_expr(c, item, NO_REG);
    if (regs[i] >= mark) continue;
    bool overwritten = !names; /* a local that an earlier target assigns must be copied first */
    for (uint32_t k = 0; k < i && !overwritten; k++) overwritten = asy_name_local(c, to->items[k]->name.id) == regs[i];
    if (!overwritten) continue;
    int t = asy_temp(e);
    asy_emit(e, item, OP_MOVE, t, regs[i], 0);
    regs[i] = t;
  }
  for (uint32_t i = 0; i < to->len; i++) asy_store(c, to->items[i], regs[i]);
  e->top = mark;
  return true;
}

static void assign(asy_compiler *c, const asy_node *node) {
  const asy_node_list *targets = &node->assign.targets;
  const asy_node *first = targets->items[0], *value = node->assign.value;
  if (targets->len == 1 && assign_in_parallel(c, first, value)) return;
  int mark = c->e->top;
  int want = first->kind == AST_Name ? asy_name_local(c, first->name.id) : NO_REG;
  int reg = asy_expr(c, value, want);
  for (uint32_t i = 0; i < targets->len; i++) asy_store(c, targets->items[i], reg);
  c->e->top = mark;
}

static void augment(asy_compiler *c, const asy_node *node, int dst, int left) {
  asy_emitter *e = c->e;
  asy_ast_op op = node->aug_assign.op;
  const asy_node *value = node->aug_assign.value;
  asy_const k;
  if ((op == AST_Add || op == AST_Sub) && value->kind == AST_Constant && asy_fold(c, value, &k) &&
      k.kind == ASY_CONST_INT && k.integer <= 127) {
    asy_emit(e, node, op == AST_Add ? OP_IADD_I : OP_ISUB_I, dst, left, (int)k.integer);
    return;
  }
  int right = asy_expr(c, value, NO_REG);
  if (op == AST_Add) asy_emit(e, node, OP_IADD, dst, left, right);
  else asy_emit_x(e, node, OP_INPLACE, dst, left, right, (uint32_t)(asy_binary_op_of(op) - OP_ADD));
}

static void aug_assign(asy_compiler *c, const asy_node *node) {
  asy_emitter *e = c->e;
  int mark = e->top;
  const asy_node *target = node->aug_assign.target;
  switch (target->kind) {
    case AST_Name: {
      int left = asy_name_load(c, target, target->name.id, NO_REG);
      int dst = asy_name_local(c, target->name.id);
      if (dst == NO_REG) dst = left;
      augment(c, node, dst, left);
      asy_name_store(c, target, target->name.id, dst);
      break;
    }
    case AST_Attribute: {
      int object = asy_expr(c, target->attribute.value, NO_REG), value = asy_temp(e);
      asy_emit_x(e, target, OP_GET_ATTR, value, object, 0, attr_site(c, target->attribute.attr));
      augment(c, node, value, value);
      asy_emit_x(e, target, OP_SET_ATTR, object, value, 0, attr_site(c, target->attribute.attr));
      break;
    }
    default: {
      int object = asy_expr(c, target->subscript.value, NO_REG), index = asy_expr(c, target->subscript.slice, NO_REG);
      int value = asy_temp(e);
      asy_emit(e, target, OP_GET_ITEM, value, object, index);
      augment(c, node, value, value);
      asy_emit(e, target, OP_SET_ITEM, object, index, value);
      break;
    }
  }
  e->top = mark;
}

/* An annotation as a value: the object, or under `from __future__ import annotations` its text. */
static int annotation_value(asy_compiler *c, const asy_node *node) {
  if (!c->scopes.future_annotations) {
    if (node->kind != AST_Starred) return asy_expr_next(c, node);
    int reg = asy_expr_next(c, node->starred.value); /* *args: *Ts */
    asy_emit(c->e, node, OP_UNPACK, reg, reg, 1);
    return reg;
  }
  asy_buf text = {0};
  asy_unparse(node, &text);
  c->oom |= text.oom;
  const char *kept = asy_arena_copy(c->arena, text.data ? text.data : "", text.len);
  int reg = asy_temp(c->e);
  if (kept) {
    asy_const k = asy_text_constant(kept, text.len);
    asy_load_constant(c, node, reg, &k);
  }
  asy_buf_free(&text);
  return reg;
}

static void ann_assign(asy_compiler *c, const asy_node *node) {
  asy_emitter *e = c->e;
  int mark = e->top;
  const asy_node *target = node->ann_assign.target;
  bool by_name = !asy_scope_is_function(c->making->owner);
  if (node->ann_assign.value) {
    int want = target->kind == AST_Name ? asy_name_local(c, target->name.id) : NO_REG;
    asy_store(c, target, asy_expr(c, node->ann_assign.value, want));
    e->top = mark;
  } else if (target->kind == AST_Attribute) {
    asy_expr(c, target->attribute.value, NO_REG);
  } else if (target->kind == AST_Subscript) {
    asy_expr(c, target->subscript.value, NO_REG);
    asy_expr(c, target->subscript.slice, NO_REG);
  }
  e->top = mark;
  if (by_name && node->ann_assign.simple) {
    int value = annotation_value(c, node->ann_assign.annotation), dict = asy_temp(e), key = asy_temp(e);
    asy_emit_x(e, node, OP_LOAD_NAME, dict, 0, 0, asy_emit_site(e, asy_known(c, "__annotations__")->text));
    asy_load_text(c, node, key, asy_mangle(c->arena, c->making->scope->class_name, target->name.id)->text);
    asy_emit(e, node, OP_SET_ITEM, dict, key, value);
  } else if (by_name && !c->scopes.future_annotations) {
    asy_expr(c, node->ann_assign.annotation, NO_REG);
  }
  e->top = mark;
}

/* --- Small statements ---------------------------------------------------------------------------------------------------- */

static void expression_statement(asy_compiler *c, const asy_node *node) {
  asy_emitter *e = c->e;
  int mark = e->top;
  const asy_node *value = node->expr.value;
  if (c->options->parse.mode == PARSE_SINGLE && c->making->owner->kind == SCOPE_MODULE) {
    int reg = asy_expr(c, value, NO_REG);
    asy_emit(e, node, OP_INTRINSIC, asy_temp(e), reg, INTRINSIC_PRINT);
  } else if (value->kind != AST_Constant) {
    int reg = asy_expr(c, value, NO_REG);
    if (value->kind == AST_Call || value->kind == AST_Await || value->kind == AST_Name)
      asy_emit(e, node, OP_DROP, reg, 0, 0);
  } else if (value->constant.value.kind != CONST_STR) {
    asy_emit_mark(e, node);
  }
  e->top = mark;
}

static void assert_statement(asy_compiler *c, const asy_node *node) {
  asy_emitter *e = c->e;
  asy_suspect_assert(c, node);
  if (c->options->drop_asserts) return;
  int mark = e->top;
  asy_label holds = asy_label_new(e);
  asy_condition(c, node->assert_.test, holds, true);
  int error = asy_temp(e);
  asy_emit(e, node, OP_LOAD_ASSERTION_ERROR, error, 0, 0);
  if (node->assert_.msg) {
    asy_window(c);
    asy_expr_next(c, node->assert_.msg);
    asy_emit(e, node->assert_.test, OP_CALL, error, error, 1);
  }
  asy_emit(e, node->assert_.test, OP_RAISE, error, 0, 1);
  asy_label_bind(e, holds);
  e->top = mark;
}

static void raise(asy_compiler *c, const asy_node *node) {
  asy_emitter *e = c->e;
  int mark = e->top;
  int exc = node->raise.exc ? asy_expr(c, node->raise.exc, NO_REG) : 0;
  int cause = node->raise.cause ? asy_expr(c, node->raise.cause, NO_REG) : 0;
  asy_emit(e, node, OP_RAISE, exc, cause, node->raise.cause ? 2 : node->raise.exc ? 1 : 0);
  e->top = mark;
}

/* IMPORT_NAME into a new temporary. */
static int import_module(asy_compiler *c, const asy_node *at, const char *name, const asy_const *fromlist, int level) {
  asy_emitter *e = c->e;
  int reg = asy_temps(e, 2);
  asy_load_constant(c, at, reg, fromlist);
  asy_load_constant(c, at, reg + 1, &(asy_const){.kind = ASY_CONST_INT, .integer = level});
  asy_emit_x(e, at, OP_IMPORT_NAME, reg, reg, 0, asy_emit_site(e, name));
  e->top = reg + 1;
  return reg;
}

static void import(asy_compiler *c, const asy_node *node) {
  asy_emitter *e = c->e;
  static const asy_const none = {.kind = ASY_CONST_NONE};
  for (uint32_t i = 0; i < node->import.names.len; i++) {
    int mark = e->top;
    const asy_node *alias = node->import.names.items[i];
    const char *name = alias->alias.name->text, *dot = strchr(name, '.');
    int reg = import_module(c, node, name, &none, 0);
    asy_name *to = alias->alias.asname;
    if (!to) {
      to = dot ? asy_arena_intern(c->arena, name, (size_t)(dot - name)) : alias->alias.name;
    } else {
      while (dot) { /* import a.b.c as m: walk down from a */
        const char *part = dot + 1;
        dot = strchr(part, '.');
        asy_name *attr = asy_arena_intern(c->arena, part, dot ? (size_t)(dot - part) : strlen(part));
        if (attr) asy_emit_x(e, node, OP_IMPORT_FROM, reg, reg, 0, asy_emit_site(e, attr->text));
      }
    }
    if (to) asy_name_store(c, node, to, reg);
    e->top = mark;
  }
}

static void import_from(asy_compiler *c, const asy_node *node) {
  asy_emitter *e = c->e;
  int mark = e->top;
  const asy_node_list *names = &node->import_from.names;
  asy_const *items = asy_arena_alloc(c->arena, names->len * sizeof *items);
  if (!items) return;
  for (uint32_t i = 0; i < names->len; i++)
    items[i] = asy_text_constant(names->items[i]->alias.name->text, names->items[i]->alias.name->len);
  asy_const fromlist = {.kind = ASY_CONST_TUPLE, .length = names->len, .items = items};
  const char *module = node->import_from.module ? node->import_from.module->text : asy_known(c, "")->text;
  int reg = import_module(c, node, module, &fromlist, node->import_from.level);
  for (uint32_t i = 0; i < names->len; i++) {
    const asy_node *alias = names->items[i];
    if (!strcmp(alias->alias.name->text, "*")) {
      asy_emit(e, node, OP_IMPORT_STAR, reg, 0, 0);
      continue;
    }
    asy_name *to = alias->alias.asname ? alias->alias.asname : alias->alias.name;
    int value = asy_temp(e);
    asy_emit_x(e, node, OP_IMPORT_FROM, value, reg, 0, asy_emit_site(e, alias->alias.name->text));
    asy_name_store(c, node, to, value);
    e->top = reg + 1;
  }
  e->top = mark;
}

static void if_statement(asy_compiler *c, const asy_node *node) {
  asy_emitter *e = c->e;
  asy_label end = asy_label_new(e);
  for (;;) { /* elif is an If alone in orelse */
    const asy_node_list *orelse = &node->if_.orelse;
    asy_label out;
    if (!orelse->len && node->if_.body.len == 1 && asy_plain_leave(c, node->if_.body.items[0], &out)) {
      uint32_t fixes = e->nfixes;
      asy_condition(c, node->if_.test, out, true);
      asy_emit_mark_jumps(e, node->if_.body.items[0], out, fixes);
      break;
    }
    asy_label other = asy_label_new(e);
    uint32_t before = e->nwords;
    asy_condition(c, node->if_.test, other, false);
    if (e->nwords == before) asy_emit_mark(e, node);
    asy_body(c, &node->if_.body);
    if (orelse->len) asy_emit_jump(e, NULL, OP_JUMP, 0, 0, 0, end);
    asy_label_bind(e, other);
    if (orelse->len == 1 && orelse->items[0]->kind == AST_If) {
      node = orelse->items[0];
      continue;
    }
    asy_body(c, orelse);
    break;
  }
  asy_label_bind(e, end);
}

/* --- Docstrings ---------------------------------------------------------------------------------------------------------- */

/* As inspect.cleandoc: the first line loses its leading blanks, the others their common indentation. */
static char *clean_doc(asy_arena *arena, const char *text, size_t len, size_t *out_len) {
  const char *end = text + len;
  asy_buf expanded = {0}; /* tabs to eight columns */
  size_t column = 0;
  bool tabs = memchr(text, '\t', len) != NULL;
  if (tabs) {
    for (const char *p = text; p < end; p++) {
      if (*p == '\t') {
        do asy_buf_char(&expanded, ' ');
        while (++column % 8);
        continue;
      }
      asy_buf_char(&expanded, *p);
      column = *p == '\n' || *p == '\r' ? 0 : column + ((*p & 0xC0) != 0x80);
    }
    text = expanded.data ? expanded.data : "";
    end = text + expanded.len;
  }
  size_t margin = SIZE_MAX;
  const char *first_end = memchr(text, '\n', (size_t)(end - text));
  for (const char *line = first_end; line && line < end;) {
    const char *start = ++line;
    while (line < end && *line == ' ') line++;
    if (line < end && *line != '\n' && (size_t)(line - start) < margin) margin = (size_t)(line - start);
    line = memchr(line, '\n', (size_t)(end - line));
  }
  if (margin == SIZE_MAX) margin = 0;
  char *result = asy_arena_alloc(arena, (size_t)(end - text) + 1), *to = result;
  const char *from = text;
  while (result && from < end && *from == ' ') from++;
  while (result && from < end) {
    const char *line_end = memchr(from, '\n', (size_t)(end - from));
    size_t part = (size_t)((line_end ? line_end + 1 : end) - from);
    memcpy(to, from, part);
    to += part;
    from += part;
    for (size_t i = 0; i < margin && from < end && *from == ' '; i++) from++;
  }
  asy_buf_free(&expanded);
  if (!result) return NULL;
  *to = 0;
  *out_len = (size_t)(to - result);
  return result;
}

const char *asy_docstring(asy_compiler *c, const asy_node_list *body, size_t *len) {
  if (!body->len || body->items[0]->kind != AST_Expr) return NULL;
  const asy_node *value = body->items[0]->expr.value;
  if (value->kind != AST_Constant || value->constant.value.kind != CONST_STR) return NULL;
  return clean_doc(c->arena, value->constant.value.text, value->constant.value.len, len);
}

/* --- Functions ----------------------------------------------------------------------------------------------------------- */

/* A dict of names that is made at `reg` from pairs pushed one by one; it is built once MOST_PAIRS lie side by side. */
enum { MOST_PAIRS = 16 };
typedef struct {
  int reg, count; /* pairs so far */
} name_map;

/* Takes the pair at the top. */
static void name_map_add(asy_compiler *c, const asy_node *at, name_map *map) {
  if (++map->count < MOST_PAIRS) return;
  if (map->count == MOST_PAIRS) asy_emit(c->e, at, OP_BUILD_MAP, map->reg, map->reg, MOST_PAIRS);
  else asy_emit(c->e, at, OP_MAP_ADD, map->reg, map->reg + 1, map->reg + 2);
  c->e->top = map->reg + 1;
}

/* Leaves the dict at the top; false: no pair came, nothing is there. */
static bool name_map_end(asy_compiler *c, const asy_node *at, const name_map *map) {
  if (map->count && map->count < MOST_PAIRS) {
    asy_emit(c->e, at, OP_BUILD_MAP, map->reg, map->reg, map->count);
    c->e->top = map->reg + 1;
  }
  return map->count != 0;
}

int asy_defaults(asy_compiler *c, const asy_node *args) {
  asy_emitter *e = c->e;
  int parts = 0;
  const asy_node_list *defaults = &args->arguments.defaults, *kw = &args->arguments.kw_defaults;
  if (defaults->len) {
    int first = e->top;
    asy_const *items = asy_arena_alloc(c->arena, defaults->len * sizeof *items);
    bool constant = items != NULL;
    for (uint32_t i = 0; i < defaults->len && constant; i++) constant = asy_fold(c, defaults->items[i], &items[i]);
    if (constant) {
      asy_const k = {.kind = ASY_CONST_TUPLE, .length = defaults->len, .items = items};
      asy_load_constant(c, args, asy_temp(e), &k);
    } else {
      for (uint32_t i = 0; i < defaults->len; i++) asy_expr_next(c, defaults->items[i]);
      asy_emit(e, defaults->items[0], OP_BUILD_TUPLE, first, first, (int)defaults->len);
      e->top = first + 1;
    }
    parts |= PART_DEFAULTS;
  }
  name_map map = {.reg = e->top};
  for (uint32_t i = 0; i < kw->len; i++) {
    if (!kw->items[i]) continue;
    const asy_name *name = asy_mangle(c->arena, c->making->scope->class_name,
                                      args->arguments.kwonlyargs.items[i]->arg.arg);
    asy_load_text(c, kw->items[i], asy_temp(e), name->text);
    asy_expr_next(c, kw->items[i]);
    name_map_add(c, args, &map);
  }
  return name_map_end(c, args, &map) ? parts | PART_KWDEFAULTS : parts;
}

static void annotate(asy_compiler *c, name_map *map, const char *name, const asy_node *annotation) {
  if (!annotation) return;
  asy_load_text(c, annotation, asy_temp(c->e), name);
  annotation_value(c, annotation);
  name_map_add(c, annotation, map);
}

static void annotate_arg(asy_compiler *c, name_map *map, const asy_node *arg) {
  if (!arg) return;
  annotate(c, map, asy_mangle(c->arena, c->making->scope->class_name, arg->arg.arg)->text, arg->arg.annotation);
}

/* Pushes the dict of annotations; PART_ANNOTATIONS or 0. */
static int annotations(asy_compiler *c, const asy_node *node) {
  name_map map = {.reg = c->e->top};
  const asy_node *args = node->function_def.args;
  const asy_node_list *lists[] = {&args->arguments.posonlyargs, &args->arguments.args, &args->arguments.kwonlyargs};
  for (int l = 0; l < 2; l++)
    for (uint32_t i = 0; i < lists[l]->len; i++) annotate_arg(c, &map, lists[l]->items[i]);
  annotate_arg(c, &map, args->arguments.vararg);
  for (uint32_t i = 0; i < lists[2]->len; i++) annotate_arg(c, &map, lists[2]->items[i]);
  annotate_arg(c, &map, args->arguments.kwarg);
  annotate(c, &map, "return", node->function_def.returns);
  return name_map_end(c, node, &map) ? PART_ANNOTATIONS : 0;
}

const asy_unit_code *asy_function_code(asy_compiler *c, const asy_node *node, asy_scope *scope, const char *name) {
  asy_making_begin(c, scope, name, node);
  if (node->kind == AST_Lambda) {
    int reg = asy_expr(c, node->lambda.body, NO_REG);
    asy_emit(c->e, node->lambda.body, OP_RETURN, reg, 0, 0);
    return asy_making_end(c);
  }
  const asy_node_list *body = &node->function_def.body;
  size_t len;
  const char *doc = asy_docstring(c, body, &len);
  if (doc) {
    asy_const k = asy_text_constant(doc, len);
    asy_emit_constant(c->e, &k); /* the first constant */
    c->making->code->flags |= CODE_HAS_DOCSTRING;
  }
  for (uint32_t i = doc ? 1 : 0; i < body->len; i++) asy_statement(c, body->items[i]);
  return asy_making_end(c);
}

/* Evaluates decorators: one window each, the next within the arguments of the one before; many of them are kept in a list. */
enum { MOST_DECORATORS = 8 };
static void begin_decorators(asy_compiler *c, const asy_node_list *decorators) {
  bool many = decorators->len > MOST_DECORATORS;
  int list = many ? asy_temp(c->e) : NO_REG;
  if (many) asy_emit(c->e, decorators->items[0], OP_BUILD_LIST, list, list, 0);
  for (uint32_t i = 0; i < decorators->len; i++) {
    asy_expr_next(c, decorators->items[i]);
    if (many) asy_emit(c->e, decorators->items[i], OP_LIST_APPEND, list, list + 1, 0), c->e->top = list + 1;
    else asy_window(c);
  }
}

/* Calls the decorators in the list at `list`, innermost first, for the object behind it, which ends up at `list`. */
static void call_listed(asy_compiler *c, const asy_node_list *decorators, int list) {
  asy_emitter *e = c->e;
  for (uint32_t i = decorators->len; i-- > 0;) {
    const asy_node *at = decorators->items[i];
    int window = asy_temp(e);
    asy_load_constant(c, at, window, &(asy_const){.kind = ASY_CONST_INT, .integer = i});
    asy_emit(e, at, OP_GET_ITEM, window, list, window);
    asy_window(c);
    asy_emit(e, at, OP_MOVE, asy_temp(e), list + 1, 0);
    asy_emit(e, at, OP_CALL, window, window, 1);
    asy_emit(e, at, OP_MOVE, i ? list + 1 : list, window, 0);
    e->top = i ? window : list + 1;
  }
}

/* The decorated object lies at the top; calls the decorators, innermost first. It ends up at `first`. */
static void end_decorators(asy_compiler *c, const asy_node_list *decorators, int first) {
  if (decorators->len > MOST_DECORATORS) return call_listed(c, decorators, first);
  for (uint32_t i = decorators->len; i-- > 0;) {
    int window = first + (int)i * 4;
    asy_emit(c->e, decorators->items[i], OP_CALL, window, window, 1);
    c->e->top = window + 1;
  }
}

/* --- Type parameters ------------------------------------------------------------------------------------------------------- */

/* The namespace that an annotation scope inside a class looks names up in. */
static void push_namespace(asy_compiler *c, const asy_node *at) {
  if (c->making->owner->kind == SCOPE_CLASS) asy_emit(c->e, at, OP_LOAD_LOCALS, asy_temp(c->e), 0, 0);
  else asy_emit(c->e, at, OP_MOVE, asy_temp(c->e), 0, 0); /* .classdict is the first parameter */
}

/* A function that computes the value of `node` when asked for, in a new temporary; None without a node. */
static int push_type_value(asy_compiler *c, const asy_node *node, const asy_node *at, const char *name) {
  asy_emitter *e = c->e;
  int dst = e->top;
  if (!node) {
    asy_load_none(c, at, asy_temp(e));
    return dst;
  }
  asy_scope *scope = asy_scopes_find(&c->scopes, node);
  int parts = 0;
  if (scope->sees_class) {
    push_namespace(c, node);
    asy_emit(e, node, OP_BUILD_TUPLE, dst, dst, 1);
    parts = PART_DEFAULTS;
  }
  asy_making_begin(c, scope, name, node);
  asy_emit(c->e, node, OP_RETURN, annotation_value(c, node), 0, 0);
  const asy_unit_code *code = asy_making_end(c);
  asy_make_function(c, node, dst, code, scope, parts, dst, NO_REG);
  e->top = dst;
  return asy_temp(e);
}

/* In the code of a type-parameter scope: makes the parameters, binds them, and leaves their tuple in a new temporary. */
static int make_type_params(asy_compiler *c, const asy_node_list *params) {
  asy_emitter *e = c->e;
  int tuple = e->top;
  bool future = c->scopes.future_annotations;
  c->scopes.future_annotations = false; /* these are lazy anyway */
  for (uint32_t i = 0; i < params->len; i++) {
    const asy_node *p = params->items[i];
    bool is_var = p->kind == AST_TypeVar;
    asy_name *name = is_var ? p->type_var.name : p->param_spec.name;
    int first = asy_temp(e);
    asy_load_text(c, p, first, name->text);
    if (is_var) {
      const asy_node *bound = p->type_var.bound;
      bool constraints = bound && bound->kind == AST_Tuple;
      push_type_value(c, constraints ? NULL : bound, p, name->text);
      push_type_value(c, constraints ? bound : NULL, p, name->text);
      push_type_value(c, p->type_var.default_value, p, name->text);
    } else {
      push_type_value(c, p->param_spec.default_value, p, name->text);
    }
    int what = is_var ? INTRINSIC_TYPEVAR : p->kind == AST_ParamSpec ? INTRINSIC_PARAMSPEC : INTRINSIC_TYPEVARTUPLE;
    asy_emit(e, p, OP_INTRINSIC, first, first, what);
    e->top = first + 1;
    asy_name_store(c, p, name, first);
  }
  c->scopes.future_annotations = future;
  asy_emit(e, params->items[0], OP_BUILD_TUPLE, tuple, tuple, (int)params->len);
  e->top = tuple + 1;
  return tuple;
}

static const char *generic_name(asy_compiler *c, const char *name) {
  static const char prefix[] = "<generic parameters of ";
  size_t len = sizeof prefix + strlen(name) + 1;
  char *text = asy_arena_alloc(c->arena, len);
  if (!text) return name;
  memcpy(text, prefix, sizeof prefix - 1);
  strcpy(text + sizeof prefix - 1, name);
  strcat(text, ">");
  return text;
}

/* Makes the function of a type-parameter scope at `window` and pushes the namespace argument where it wants one. */
static int begin_generic_call(asy_compiler *c, const asy_node *at, int window, const asy_unit_code *code,
                              asy_scope *scope) {
  c->e->top = window;
  asy_make_function(c, at, window, code, scope, 0, window, NO_REG);
  c->e->top = window;
  asy_temp(c->e);
  asy_window(c);
  if (!scope->sees_class) return 0;
  push_namespace(c, at);
  return 1;
}

/* The function, into a new temporary. */
static void function_value(asy_compiler *c, const asy_node *node) {
  asy_emitter *e = c->e;
  int mark = e->top;
  const char *name = node->function_def.name->text;
  const asy_node_list *params = &node->function_def.type_params;
  asy_scope *scope = asy_scopes_find(&c->scopes, node);
  if (!params->len) {
    int parts = asy_defaults(c, node->function_def.args);
    parts |= annotations(c, node);
    const asy_unit_code *code = asy_function_code(c, node, scope, name);
    asy_make_function(c, node, mark, code, scope, parts, mark, NO_REG);
    e->top = mark;
    asy_temp(e);
    return;
  }
  asy_scope *around = asy_scopes_find(&c->scopes, params);
  asy_making_begin(c, around, generic_name(c, name), node);
  int tuple = make_type_params(c, params), first = c->e->top, parts = 0;
  const char *const given[] = {".defaults", ".kwdefaults"};
  for (int i = 0; i < 2; i++) {
    asy_symbol *symbol = asy_scope_lookup(around, asy_known(c, given[i]));
    if (!symbol) continue;
    asy_emit(c->e, node, OP_MOVE, asy_temp(c->e), symbol->reg, 0);
    parts |= i ? PART_KWDEFAULTS : PART_DEFAULTS;
  }
  parts |= annotations(c, node);
  const asy_unit_code *inner = asy_function_code(c, node, scope, name);
  asy_make_function(c, node, first, inner, scope, parts, first, tuple);
  asy_emit(c->e, node, OP_RETURN, first, 0, 0);
  const asy_unit_code *code = asy_making_end(c);

  int count = begin_generic_call(c, node, mark, code, around);
  parts = asy_defaults(c, node->function_def.args);
  count += !!(parts & PART_DEFAULTS) + !!(parts & PART_KWDEFAULTS);
  asy_emit(e, node, OP_CALL, mark, mark, count);
  e->top = mark + 1;
}

static void function_def(asy_compiler *c, const asy_node *node) {
  int mark = c->e->top;
  const asy_node_list *decorators = &node->function_def.decorator_list;
  begin_decorators(c, decorators);
  function_value(c, node);
  end_decorators(c, decorators, mark);
  asy_name_store(c, node, node->function_def.name, mark);
  c->e->top = mark;
}

/* --- Classes --------------------------------------------------------------------------------------------------------------- */

static void store_self_names(asy_compiler *c, int reg) {
  const asy_making *m = c->making;
  asy_const *items = asy_arena_alloc(c->arena, (m->nself_names + 1) * sizeof *items);
  if (!items) return;
  for (uint32_t i = 0; i < m->nself_names; i++)
    items[i] = asy_text_constant(m->self_names[i]->text, m->self_names[i]->len);
  asy_load_constant(c, NULL, reg, &(asy_const){.kind = ASY_CONST_TUPLE, .length = m->nself_names, .items = items});
  store_own(c, NULL, "__static_attributes__", reg);
}

static const asy_unit_code *class_code(asy_compiler *c, const asy_node *node, asy_scope *scope) {
  asy_making_begin(c, scope, node->class_def.name->text, node);
  asy_emitter *e = c->e;
  const asy_node_list *body = &node->class_def.body;
  int t = asy_temp(e);
  asy_emit_x(e, node, OP_LOAD_NAME, t, 0, 0, asy_emit_site(e, asy_known(c, "__name__")->text));
  store_own(c, node, "__module__", t);
  asy_load_text(c, node, t, c->making->qualname);
  store_own(c, node, "__qualname__", t);
  asy_load_constant(c, node, t, &(asy_const){.kind = ASY_CONST_INT, .integer = c->making->code->first_line});
  store_own(c, node, "__firstlineno__", t);
  asy_symbol *type_params = asy_scope_lookup(scope, asy_known(c, ".type_params"));
  if (type_params) {
    asy_emit_bx(e, node, OP_LOAD_FREE, t, type_params->free_index);
    store_own(c, node, "__type_params__", t);
  }
  if (scope->has_annotations) asy_emit(e, node, OP_SETUP_ANNOTATIONS, 0, 0, 0);
  size_t len;
  const char *doc = asy_docstring(c, body, &len);
  if (doc) {
    asy_const k = asy_text_constant(doc, len);
    asy_load_constant(c, body->items[0], t, &k);
    store_own(c, body->items[0], "__doc__", t);
  }
  e->top = t;
  for (uint32_t i = doc ? 1 : 0; i < body->len; i++) asy_statement(c, body->items[i]);
  store_self_names(c, asy_temp(e));
  e->top = t;
  if (c->making->class_cell != NO_REG) {
    asy_temp(e);
    asy_emit(e, NULL, OP_MOVE, t, c->making->class_cell, 0);
    store_own(c, NULL, "__classcell__", t);
    asy_emit(e, node, OP_RETURN, t, 0, 0);
    e->top = t;
  }
  return asy_making_end(c);
}

/* __build_class__(function, name, bases ...), into a new temporary. */
static void build_class(asy_compiler *c, const asy_node *node, int generic_base) {
  asy_emitter *e = c->e;
  int window = asy_temp(e);
  asy_emit(e, node, OP_LOAD_BUILD_CLASS, window, 0, 0);
  asy_window(c);
  asy_scope *scope = asy_scopes_find(&c->scopes, node);
  const asy_unit_code *code = class_code(c, node, scope);
  int function = e->top;
  asy_make_function(c, node, function, code, scope, 0, function, NO_REG);
  e->top = function;
  asy_temp(e);
  asy_load_text(c, node, asy_temp(e), node->class_def.name->text);
  asy_emit_call(c, node, window, 2, &node->class_def.bases, &node->class_def.keywords, generic_base, NO_REG);
}

static void class_def(asy_compiler *c, const asy_node *node) {
  asy_emitter *e = c->e;
  int mark = e->top;
  const asy_node_list *decorators = &node->class_def.decorator_list, *params = &node->class_def.type_params;
  begin_decorators(c, decorators);
  int at = e->top;
  if (params->len) {
    asy_scope *around = asy_scopes_find(&c->scopes, params);
    asy_making_begin(c, around, generic_name(c, node->class_def.name->text), node);
    int tuple = make_type_params(c, params);
    asy_name_store(c, node, asy_known(c, ".type_params"), tuple);
    int base = asy_temp(c->e);
    asy_emit(c->e, node, OP_INTRINSIC, base, tuple, INTRINSIC_SUBSCRIPT_GENERIC);
    build_class(c, node, base);
    asy_emit(c->e, node, OP_RETURN, base + 1, 0, 0);
    const asy_unit_code *code = asy_making_end(c);
    int count = begin_generic_call(c, node, at, code, around);
    asy_emit(e, node, OP_CALL, at, at, count);
    e->top = at + 1;
  } else {
    build_class(c, node, NO_REG);
  }
  end_decorators(c, decorators, mark);
  asy_name_store(c, node, node->class_def.name, mark);
  e->top = mark;
}

static void type_alias(asy_compiler *c, const asy_node *node) {
  asy_emitter *e = c->e;
  int mark = e->top;
  asy_name *name = node->type_alias.name->name.id;
  const asy_node_list *params = &node->type_alias.type_params;
  asy_scope *around = params->len ? asy_scopes_find(&c->scopes, params) : NULL;
  int tuple = NO_REG;
  if (around) {
    asy_making_begin(c, around, generic_name(c, name->text), node);
    tuple = make_type_params(c, params);
  }
  bool future = c->scopes.future_annotations;
  c->scopes.future_annotations = false;
  asy_emitter *inner = c->e;
  int first = asy_temps(inner, 2);
  asy_load_text(c, node, first, name->text);
  if (tuple != NO_REG) asy_emit(inner, node, OP_MOVE, first + 1, tuple, 0);
  else asy_load_none(c, node, first + 1);
  push_type_value(c, node->type_alias.value, node, name->text);
  c->scopes.future_annotations = future;
  asy_emit(inner, node, OP_INTRINSIC, first, first, INTRINSIC_TYPEALIAS);
  if (around) {
    asy_emit(inner, node, OP_RETURN, first, 0, 0);
    const asy_unit_code *code = asy_making_end(c);
    int count = begin_generic_call(c, node, mark, code, around);
    asy_emit(e, node, OP_CALL, mark, mark, count);
  }
  asy_name_store(c, node->type_alias.name, name, mark);
  e->top = mark;
}

/* --- All statements -------------------------------------------------------------------------------------------------------- */

void asy_statement(asy_compiler *c, const asy_node *node) {
  switch ((asy_ast_kind)node->kind) {
    case AST_FunctionDef:
    case AST_AsyncFunctionDef: function_def(c, node); break;
    case AST_ClassDef: class_def(c, node); break;
    case AST_Return: asy_return(c, node); break;
    case AST_Delete:
      for (uint32_t i = 0; i < node->delete_.targets.len; i++) delete_target(c, node->delete_.targets.items[i]);
      break;
    case AST_Assign: assign(c, node); break;
    case AST_TypeAlias: type_alias(c, node); break;
    case AST_AugAssign: aug_assign(c, node); break;
    case AST_AnnAssign: ann_assign(c, node); break;
    case AST_For:
    case AST_AsyncFor: asy_for(c, node); break;
    case AST_While: asy_while(c, node); break;
    case AST_If: if_statement(c, node); break;
    case AST_With:
    case AST_AsyncWith: asy_with(c, node); break;
    case AST_Match: asy_match(c, node); break;
    case AST_Raise: raise(c, node); break;
    case AST_Try:
    case AST_TryStar: asy_try(c, node); break;
    case AST_Assert: assert_statement(c, node); break;
    case AST_Import: import(c, node); break;
    case AST_ImportFrom: import_from(c, node); break;
    case AST_Global:
    case AST_Nonlocal: break;
    case AST_Pass: asy_emit_mark(c->e, node); break;
    case AST_Expr: expression_statement(c, node); break;
    case AST_Break:
    case AST_Continue: asy_leave_loop(c, node); break;
    default: assert(!"no statement"); break;
  }
}

void asy_body(asy_compiler *c, const asy_node_list *body) {
  for (uint32_t i = 0; i < body->len; i++) asy_statement(c, body->items[i]);
}
