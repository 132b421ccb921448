/* compile_expr.c - expressions and conditions. */
#include <stdlib.h>
#include <string.h>

#include "lang/compile_internal.h"

int asy_result(asy_compiler *c, int want) { return want != NO_REG ? want : asy_temp(c->e); }

int asy_expr_next(asy_compiler *c, const asy_node *node) {
  int at = c->e->top;
  int reg = asy_expr(c, node, NO_REG);
  if (reg != at) {
    c->e->top = at;
    asy_temp(c->e);
    asy_emit(c->e, node, OP_MOVE, at, reg, 0);
  }
  return at;
}

void asy_expr_into(asy_compiler *c, const asy_node *node, int local) {
  int mark = c->e->top;
  int reg = asy_expr(c, node, local);
  if (reg != local) asy_emit(c->e, node, OP_MOVE, local, reg, 0);
  c->e->top = mark;
}

static int load_folded(asy_compiler *c, const asy_node *at, const asy_const *k, int want) {
  int dst = asy_result(c, want);
  asy_load_constant(c, at, dst, k);
  return dst;
}

/* A constant that fits the signed byte of an instruction. */
static bool small_int(asy_compiler *c, const asy_node *node, int *out) {
  asy_const k;
  if (node->kind != AST_Constant && node->kind != AST_UnaryOp) return false;
  if (!asy_fold(c, node, &k) || k.kind != ASY_CONST_INT || k.integer < -128 || k.integer > 127) return false;
  *out = (int)k.integer;
  return true;
}

asy_op asy_binary_op_of(asy_ast_op op) {
  static const uint8_t ops[] = {
    [AST_Add] = OP_ADD,           [AST_Sub] = OP_SUB,  [AST_Mult] = OP_MUL,   [AST_MatMult] = OP_MATMUL,
    [AST_Div] = OP_TRUEDIV,       [AST_Mod] = OP_MOD,  [AST_Pow] = OP_POW,    [AST_LShift] = OP_LSHIFT,
    [AST_RShift] = OP_RSHIFT,     [AST_BitOr] = OP_OR, [AST_BitXor] = OP_XOR, [AST_BitAnd] = OP_AND,
    [AST_FloorDiv] = OP_FLOORDIV,
  };
  return ops[op];
}

/* --- Comparison and conditions -------------------------------------------------------------------------------------------- */

static asy_op compare_op_of(asy_ast_op op) {
  static const uint8_t ops[] = {
    [AST_Eq] = OP_EQ,  [AST_NotEq] = OP_NE, [AST_Lt] = OP_LT,        [AST_LtE] = OP_LE, [AST_Gt] = OP_GT,
    [AST_GtE] = OP_GE, [AST_Is] = OP_IS,    [AST_IsNot] = OP_IS_NOT, [AST_In] = OP_IN,  [AST_NotIn] = OP_NOT_IN,
  };
  return ops[op];
}

static bool is_none(const asy_node *node) {
  return node->kind == AST_Constant && node->constant.value.kind == CONST_NONE;
}

/* A list or set display of constants, where nobody can see that it is a tuple or frozenset. */
static bool fold_display(asy_compiler *c, const asy_node *node, asy_const *out) {
  if (node->kind != AST_List && node->kind != AST_Set) return false;
  const asy_node_list *elts = node->kind == AST_List ? &node->list.elts : &node->set.elts;
  for (uint32_t i = 0; i < elts->len; i++) /* cheap refusal first */
    if (elts->items[i]->kind != AST_Constant && elts->items[i]->kind != AST_UnaryOp &&
        elts->items[i]->kind != AST_Tuple)
      return false;
  asy_const *items = asy_arena_alloc(c->arena, elts->len * sizeof *items);
  if (!items) return false;
  for (uint32_t i = 0; i < elts->len; i++)
    if (!asy_fold(c, elts->items[i], &items[i])) return false;
  *out = (asy_const){
    .kind = node->kind == AST_List ? ASY_CONST_TUPLE : ASY_CONST_FROZENSET, .length = elts->len, .items = items};
  return true;
}

/* What stands to the right of `in`. */
static int container_operand(asy_compiler *c, const asy_node *node) {
  asy_const k;
  if (fold_display(c, node, &k)) return load_folded(c, node, &k, NO_REG);
  return asy_expr(c, node, NO_REG);
}

static int right_operand(asy_compiler *c, asy_ast_op op, const asy_node *node) {
  return op == AST_In || op == AST_NotIn ? container_operand(c, node) : asy_expr(c, node, NO_REG);
}

void asy_jump_compare(asy_compiler *c, const asy_node *at, asy_ast_op op, int left, const asy_node *right,
                      asy_label target, bool when) {
  asy_emitter *e = c->e;
  if ((op == AST_Is || op == AST_IsNot) && is_none(right)) {
    asy_emit_jump(e, at, (op == AST_Is) == when ? OP_JUMP_IF_NONE : OP_JUMP_IF_NOT_NONE, left, 0, 0, target);
    return;
  }
  int small;
  if (op >= AST_Eq && op <= AST_GtE && small_int(c, right, &small)) {
    asy_emit_jump(e, at, (asy_op)(compare_op_of(op) - OP_LT + OP_JUMP_LT_I), left, small, when, target);
    return;
  }
  int reg = right_operand(c, op, right);
  switch (op) {
    case AST_Is: asy_emit_jump(e, at, OP_JUMP_IS, left, reg, when, target); break;
    case AST_IsNot: asy_emit_jump(e, at, OP_JUMP_IS, left, reg, !when, target); break;
    case AST_In: asy_emit_jump(e, at, OP_JUMP_IN, left, reg, when, target); break;
    case AST_NotIn: asy_emit_jump(e, at, OP_JUMP_IN, left, reg, !when, target); break;
    default: asy_emit_jump(e, at, (asy_op)(compare_op_of(op) - OP_LT + OP_JUMP_LT), left, reg, when, target); break;
  }
}

_Static_assert(OP_GE - OP_LT == 5 && OP_JUMP_GE - OP_JUMP_LT == 5 && OP_JUMP_GE_I - OP_JUMP_LT_I == 5 &&
                 OP_EQ - OP_LT == OP_JUMP_EQ - OP_JUMP_LT && OP_EQ - OP_LT == OP_JUMP_EQ_I - OP_JUMP_LT_I,
               "comparisons, their jumps and their jumps with an int follow each other in one order");

static void condition_compare(asy_compiler *c, const asy_node *node, asy_label target, bool when) {
  asy_emitter *e = c->e;
  int mark = e->top;
  uint32_t count = node->compare.comparators.len;
  asy_suspect_compare(c, node);
  int left = asy_expr(c, node->compare.left, NO_REG);
  asy_label out = target;
  if (count > 1 && when) out = asy_label_new(e);
  for (uint32_t i = 0; i + 1 < count; i++) { /* a < b < c: each but the last may only leave as false */
    asy_ast_op op = (asy_ast_op)node->compare.ops[i];
    int right = right_operand(c, op, node->compare.comparators.items[i]);
    switch (op) {
      case AST_Is: asy_emit_jump(e, node, OP_JUMP_IS, left, right, false, out); break;
      case AST_IsNot: asy_emit_jump(e, node, OP_JUMP_IS, left, right, true, out); break;
      case AST_In: asy_emit_jump(e, node, OP_JUMP_IN, left, right, false, out); break;
      case AST_NotIn: asy_emit_jump(e, node, OP_JUMP_IN, left, right, true, out); break;
      default: asy_emit_jump(e, node, (asy_op)(compare_op_of(op) - OP_LT + OP_JUMP_LT), left, right, false, out); break;
    }
    if (right >= mark) { /* keep only the new left operand: temporaries stay a stack */
      if (right != mark) asy_emit(e, node, OP_MOVE, mark, right, 0);
      right = mark;
      e->top = mark + 1;
    } else {
      e->top = mark;
    }
    left = right;
  }
  asy_jump_compare(c, node, (asy_ast_op)node->compare.ops[count - 1], left, node->compare.comparators.items[count - 1],
                   target, when);
  if (count > 1 && when) asy_label_bind(e, out);
  e->top = mark;
}

void asy_condition(asy_compiler *c, const asy_node *node, asy_label target, bool when) {
  asy_emitter *e = c->e;
  int mark = e->top;
  switch (node->kind) {
    case AST_UnaryOp:
      if (node->unary_op.op != AST_Not) break;
      asy_condition(c, node->unary_op.operand, target, !when);
      return;
    case AST_BoolOp: {
      const asy_node_list *values = &node->bool_op.values;
      bool decides = node->bool_op.op == AST_Or; /* the truth of one operand that makes it the truth of all */
      asy_label out = decides == when ? target : asy_label_new(e);
      for (uint32_t i = 0; i + 1 < values->len; i++) asy_condition(c, values->items[i], out, decides);
      asy_condition(c, values->items[values->len - 1], target, when);
      if (decides != when) asy_label_bind(e, out);
      return;
    }
    case AST_Compare: condition_compare(c, node, target, when); return;
    case AST_IfExp: {
      asy_label other = asy_label_new(e), end = asy_label_new(e);
      asy_condition(c, node->if_exp.test, other, false);
      asy_condition(c, node->if_exp.body, target, when);
      asy_emit_jump(e, NULL, OP_JUMP, 0, 0, 0, end);
      asy_label_bind(e, other);
      asy_condition(c, node->if_exp.orelse, target, when);
      asy_label_bind(e, end);
      return;
    }
    default: break;
  }
  asy_const k;
  if (asy_fold(c, node, &k)) {
    bool truth;
    switch (k.kind) {
      case ASY_CONST_NONE:
      case ASY_CONST_FALSE: truth = false; break;
      case ASY_CONST_INT: truth = k.integer != 0; break;
      case ASY_CONST_FLOAT: truth = k.real != 0; break;
      case ASY_CONST_COMPLEX: truth = k.real != 0 || k.imaginary != 0; break;
      case ASY_CONST_STR:
      case ASY_CONST_BYTES:
      case ASY_CONST_TUPLE:
      case ASY_CONST_FROZENSET: truth = k.length > 0; break;
      default: truth = true; break;
    }
    if (truth == when) asy_emit_jump(e, node, OP_JUMP, 0, 0, 0, target);
    return;
  }
  int reg = asy_expr(c, node, NO_REG);
  asy_emit_jump(e, node, when ? OP_JUMP_IF_TRUE : OP_JUMP_IF_FALSE, reg, 0, 0, target);
  e->top = mark;
}

static int compare_value(asy_compiler *c, const asy_node *node, int want) {
  asy_emitter *e = c->e;
  int mark = e->top;
  uint32_t count = node->compare.comparators.len;
  asy_suspect_compare(c, node);
  if (count == 1) {
    asy_ast_op op = (asy_ast_op)node->compare.ops[0];
    int left = asy_expr(c, node->compare.left, NO_REG);
    int right = right_operand(c, op, node->compare.comparators.items[0]);
    e->top = mark;
    int dst = asy_result(c, want);
    asy_emit(e, node, compare_op_of(op), dst, left, right);
    return dst;
  }
  asy_label end = asy_label_new(e);
  int dst = asy_expr_next(
    c, node->compare.left); /* left operand; then the result so far at dst, right operand behind it */
  for (uint32_t i = 0; i < count; i++) {
    asy_ast_op op = (asy_ast_op)node->compare.ops[i];
    const asy_node *comparator = node->compare.comparators.items[i];
    if (i + 1 == count) {
      int right = right_operand(c, op, comparator);
      asy_emit(e, node, compare_op_of(op), dst, dst, right);
    } else {
      int right = asy_expr_next(c, comparator);
      asy_emit(e, node, compare_op_of(op), dst, dst, right);
      asy_emit_jump(e, node, OP_JUMP_IF_FALSE, dst, 0, 0, end);
      asy_emit(e, node, OP_MOVE, dst, right, 0);
    }
    e->top = dst + 1;
  }
  asy_label_bind(e, end);
  return dst;
}

static int bool_value(asy_compiler *c, const asy_node *node) {
  asy_emitter *e = c->e;
  const asy_node_list *values = &node->bool_op.values;
  asy_label end = asy_label_new(e);
  int dst = e->top;
  for (uint32_t i = 0; i < values->len; i++) {
    e->top = dst;
    asy_expr_next(c, values->items[i]);
    if (i + 1 < values->len)
      asy_emit_jump(e, node, node->bool_op.op == AST_Or ? OP_JUMP_IF_TRUE : OP_JUMP_IF_FALSE, dst, 0, 0, end);
  }
  asy_label_bind(e, end);
  return dst;
}

static int if_value(asy_compiler *c, const asy_node *node, int want) {
  asy_emitter *e = c->e;
  int mark = e->top;
  asy_label other = asy_label_new(e), end = asy_label_new(e);
  asy_condition(c, node->if_exp.test, other, false);
  if (want != NO_REG) asy_expr_into(c, node->if_exp.body, want);
  else asy_expr_next(c, node->if_exp.body);
  asy_emit_jump(e, NULL, OP_JUMP, 0, 0, 0, end);
  asy_label_bind(e, other);
  e->top = mark;
  if (want != NO_REG) asy_expr_into(c, node->if_exp.orelse, want);
  else asy_expr_next(c, node->if_exp.orelse);
  asy_label_bind(e, end);
  return want != NO_REG ? want : mark;
}

/* --- Displays ------------------------------------------------------------------------------------------------------------- */

static bool has_starred(const asy_node_list *list) {
  for (uint32_t i = 0; i < list->len; i++)
    if (list->items[i]->kind == AST_Starred) return true;
  return false;
}

/* A list (set) of the elements in a new temporary, made in parts where need be; `fixed` values already lie from `dst` on. */
static void build_in_parts(asy_compiler *c, const asy_node *at, int dst, int fixed, const asy_node_list *elts,
                           bool set) {
  asy_emitter *e = c->e;
  uint32_t i = 0;
  for (; i < elts->len && i < MAX_WINDOW && elts->items[i]->kind != AST_Starred; i++) asy_expr_next(c, elts->items[i]);
  if (e->top == dst) asy_temp(e);
  asy_emit(e, at, set ? OP_BUILD_SET : OP_BUILD_LIST, dst, dst, (int)i + fixed);
  e->top = dst + 1;
  for (; i < elts->len; i++) {
    const asy_node *item = elts->items[i];
    bool star = item->kind == AST_Starred;
    int reg = asy_expr(c, star ? item->starred.value : item, NO_REG);
    if (star) asy_emit(e, item, set ? OP_SET_UPDATE : OP_LIST_EXTEND, dst, reg, 0);
    else asy_emit(e, item, set ? OP_SET_ADD : OP_LIST_APPEND, dst, reg, 0);
    e->top = dst + 1;
  }
}

enum { MIN_CONSTANT_DISPLAY = 3 };

static int display(asy_compiler *c, const asy_node *node, const asy_node_list *elts, int want) {
  asy_emitter *e = c->e;
  int mark = e->top;
  asy_const k;
  bool set = node->kind == AST_Set;
  if (node->kind != AST_Tuple && elts->len >= MIN_CONSTANT_DISPLAY && fold_display(c, node, &k)) {
    int dst = asy_temp(e), t = asy_temp(e);
    asy_emit(e, node, set ? OP_BUILD_SET : OP_BUILD_LIST, dst, dst, 0);
    asy_load_constant(c, node, t, &k);
    asy_emit(e, node, set ? OP_SET_UPDATE : OP_LIST_EXTEND, dst, t, 0);
    e->top = dst + 1;
    return dst;
  }
  if (elts->len > MAX_WINDOW || has_starred(elts)) {
    build_in_parts(c, node, mark, 0, elts, set);
    if (node->kind == AST_Tuple) asy_emit(e, node, OP_LIST_TO_TUPLE, mark, mark, 0);
    return mark;
  }
  for (uint32_t i = 0; i < elts->len; i++) asy_expr_next(c, elts->items[i]);
  e->top = mark;
  int dst = asy_result(c, want);
  asy_op op = node->kind == AST_Tuple ? OP_BUILD_TUPLE : set ? OP_BUILD_SET : OP_BUILD_LIST;
  asy_emit(e, node, op, dst, mark, (int)elts->len);
  return dst;
}

static int dict_display(asy_compiler *c, const asy_node *node, int want) {
  asy_emitter *e = c->e;
  int mark = e->top;
  const asy_node_list *keys = &node->dict.keys, *values = &node->dict.values;
  uint32_t i = 0;
  for (; i < keys->len && i < MAX_WINDOW / 2 && keys->items[i]; i++) {
    asy_expr_next(c, keys->items[i]);
    asy_expr_next(c, values->items[i]);
  }
  e->top = mark;
  int dst = i == keys->len ? asy_result(c, want) : asy_temp(e);
  asy_emit(e, node, OP_BUILD_MAP, dst, mark, (int)i);
  for (; i < keys->len; i++) {
    if (keys->items[i]) {
      int key = asy_expr(c, keys->items[i], NO_REG), value = asy_expr(c, values->items[i], NO_REG);
      asy_emit(e, node, OP_MAP_ADD, dst, key, value);
    } else {
      asy_emit(e, node, OP_DICT_UPDATE, dst, asy_expr(c, values->items[i], NO_REG), 0);
    }
    e->top = dst + 1;
  }
  return dst;
}

/* --- Text ----------------------------------------------------------------------------------------------------------------- */

/* `{value!r:spec}` of an f-string. */
static int formatted(asy_compiler *c, const asy_node *node, int want) {
  asy_emitter *e = c->e;
  int mark = e->top;
  int conversion = 0;
  switch (node->formatted_value.conversion) {
    case 's': conversion = 1; break;
    case 'r': conversion = 2; break;
    case 'a': conversion = 3; break;
    default: break;
  }
  const asy_node *spec = node->formatted_value.format_spec;
  int value = spec ? asy_expr_next(c, node->formatted_value.value) : asy_expr(c, node->formatted_value.value, NO_REG);
  if (spec) asy_expr_next(c, spec);
  e->top = mark;
  int dst = asy_result(c, want);
  asy_emit(e, node, OP_FORMAT, dst, value, conversion | (spec ? 4 : 0));
  return dst;
}

static int joined(asy_compiler *c, const asy_node *node, int want) {
  asy_emitter *e = c->e;
  int mark = e->top;
  const asy_node_list *values = &node->joined_str.values;
  if (!values->len) {
    int dst = asy_result(c, want);
    asy_load_text(c, node, dst, "");
    return dst;
  }
  if (values->len == 1) return asy_expr(c, values->items[0], want);
  int count = 0;
  for (uint32_t i = 0; i < values->len; i++) {
    asy_expr_next(c, values->items[i]);
    if (++count == MAX_WINDOW && i + 1 < values->len) {
      asy_emit(e, node, OP_BUILD_STRING, mark, mark, count);
      e->top = mark + 1;
      count = 1;
    }
  }
  e->top = mark;
  int dst = asy_result(c, want);
  asy_emit(e, node, OP_BUILD_STRING, dst, mark, count);
  return dst;
}

/* --- Calls ---------------------------------------------------------------------------------------------------------------- */

/* The callee is evaluated to the register where the window begins; then this reserves the room behind it. */
int asy_window(asy_compiler *c) {
  int window = c->e->top - 1;
  asy_temps(c->e, 3);
  return window;
}

static bool needs_call_ex(const asy_node_list *args, const asy_node_list *keywords, int fixed) {
  if (args->len + keywords->len + (uint32_t)fixed > MAX_WINDOW || has_starred(args)) return true;
  for (uint32_t i = 0; i < keywords->len; i++)
    if (!keywords->items[i]->keyword.arg) return true;
  return false;
}

static void check_keywords(asy_compiler *c, const asy_node_list *keywords) {
  for (uint32_t i = 0; i < keywords->len; i++)
    for (uint32_t j = 0; j < i; j++)
      if (keywords->items[i]->keyword.arg && keywords->items[i]->keyword.arg == keywords->items[j]->keyword.arg)
        asy_compile_fail(c, keywords->items[i], "keyword argument repeated: %s", keywords->items[i]->keyword.arg->text);
}

/* The dict of the keyword arguments, in a new temporary. */
static void keyword_dict(asy_compiler *c, const asy_node *at, int window, const asy_node_list *keywords) {
  asy_emitter *e = c->e;
  int dict = e->top;
  uint32_t i = 0;
  bool made = false;
  while (i < keywords->len || !made) {
    int first = e->top, count = 0;
    for (; i < keywords->len && keywords->items[i]->keyword.arg && count < MAX_WINDOW / 2; i++, count++) {
      asy_load_text(c, keywords->items[i], asy_temp(e), keywords->items[i]->keyword.arg->text);
      asy_expr_next(c, keywords->items[i]->keyword.value);
    }
    if (count || !made) {
      if (e->top == first) asy_temp(e);
      asy_emit(e, at, OP_BUILD_MAP, first, first, count);
      if (made) asy_emit(e, at, OP_DICT_MERGE, dict, first, window);
      made = true;
      e->top = dict + 1;
    }
    if (i < keywords->len && !keywords->items[i]->keyword.arg) {
      int reg = asy_expr(c, keywords->items[i]->keyword.value, NO_REG);
      asy_emit(e, at, OP_DICT_MERGE, dict, reg, window);
      e->top = dict + 1;
      i++;
    }
  }
}

typedef struct {
  int window;       /* register of the callee */
  int fixed;        /* values that already lie in the window: self, or name and function of a class */
  bool method;      /* LOAD_METHOD came before */
  bool await;       /* AWAIT_CALL: no keywords, no stars */
  int generic_base; /* one more base class, or NO_REG */
} call_plan;

/* Arguments and the call itself. The result is in `want` or in the register of the window; with `await` always in the latter. */
static int finish_call(asy_compiler *c, const asy_node *at, const call_plan *plan, const asy_node_list *args,
                       const asy_node_list *keywords, int want) {
  asy_emitter *e = c->e;
  int window = plan->window;
  check_keywords(c, keywords);
  if (needs_call_ex(args, keywords, plan->fixed)) {
    assert(!plan->method);
    if (args->len == 1 && args->items[0]->kind == AST_Starred && !plan->fixed && plan->generic_base == NO_REG)
      asy_expr_next(c, args->items[0]->starred.value); /* f(*x): the call takes any iterable */
    else build_in_parts(c, at, window + 4, plan->fixed, args, false);
    if (plan->generic_base != NO_REG) asy_emit(e, at, OP_LIST_APPEND, window + 4, plan->generic_base, 0);
    if (keywords->len) keyword_dict(c, at, window, keywords);
    e->top = window;
    int dst = asy_result(c, want);
    asy_emit(e, at, OP_CALL_EX, dst, window, keywords->len > 0);
    return dst;
  }
  int count = plan->fixed + (int)args->len + (int)keywords->len;
  for (uint32_t i = 0; i < args->len; i++) asy_expr_next(c, args->items[i]);
  if (plan->generic_base != NO_REG) {
    asy_emit(e, at, OP_MOVE, asy_temp(e), plan->generic_base, 0);
    count++;
  }
  for (uint32_t i = 0; i < keywords->len; i++) asy_expr_next(c, keywords->items[i]->keyword.value);
  e->top = window;
  int dst = asy_result(c, plan->await ? NO_REG : want);
  if (keywords->len) {
    asy_const *items = asy_arena_alloc(c->arena, keywords->len * sizeof *items);
    if (!items || !e->reachable) return dst;
    for (uint32_t i = 0; i < keywords->len; i++) {
      const asy_name *name = keywords->items[i]->keyword.arg;
      items[i] = asy_text_constant(name->text, name->len);
    }
    asy_const k = {.kind = ASY_CONST_TUPLE, .length = keywords->len, .items = items};
    asy_emit_x(e, at, plan->method ? OP_CALL_METHOD_KW : OP_CALL_KW, dst, window, count, asy_emit_constant(e, &k));
  } else if (plan->await) {
    asy_emit(e, at, plan->method ? OP_AWAIT_CALL_METHOD : OP_AWAIT_CALL, dst, window, count);
  } else {
    asy_emit(e, at, plan->method ? OP_CALL_METHOD : OP_CALL, dst, window, count);
  }
  return dst;
}

int asy_emit_call(asy_compiler *c, const asy_node *at, int window, int fixed, const asy_node_list *args,
                  const asy_node_list *keywords, int generic_base, int want) {
  call_plan plan = {.window = window, .fixed = fixed, .generic_base = generic_base};
  return finish_call(c, at, &plan, args, keywords, want);
}

void asy_emit_await(asy_compiler *c, const asy_node *at, int dst, int reg, enum asy_await_origin origin) {
  asy_emit(c->e, at, OP_AWAIT, dst, reg, (int)origin);
}

/* --- Left spines ---------------------------------------------------------------------------------------------------------- */

static void push_spine(asy_compiler *c, const asy_node *node) {
  if (c->nspine == c->spine_cap) {
    uint32_t cap = c->spine_cap ? c->spine_cap * 2 : 64;
    const asy_node **spine = realloc(c->spine, cap * sizeof *spine);
    if (!spine) {
      c->oom = true;
      return;
    }
    c->spine = spine, c->spine_cap = cap;
  }
  c->spine[c->nspine++] = node;
}

static uint32_t attr_site(asy_compiler *c, asy_name *name) {
  return asy_emit_site(c->e, asy_mangle(c->arena, c->making->scope->class_name, name)->text);
}

/* A method call without the indirection of a bound method; `a.b(*args)` has no window for it. */
static bool is_method_call(const asy_node *call) {
  return call->call.func->kind == AST_Attribute && !needs_call_ex(&call->call.args, &call->call.keywords, 1);
}

static int binary(asy_compiler *c, const asy_node *node, int left, int mark, int want) {
  asy_emitter *e = c->e;
  asy_ast_op op = node->bin_op.op;
  int small;
  if ((op == AST_Add || op == AST_Sub) && small_int(c, node->bin_op.right, &small)) {
    e->top = mark;
    int dst = asy_result(c, want);
    asy_emit(e, node, op == AST_Add ? OP_ADD_I : OP_SUB_I, dst, left, small);
    return dst;
  }
  int right = asy_expr(c, node->bin_op.right, NO_REG);
  e->top = mark;
  int dst = asy_result(c, want);
  asy_emit(e, node, asy_binary_op_of(op), dst, left, right);
  return dst;
}

static void slice_part(asy_compiler *c, const asy_node *node, const asy_node *part) {
  if (part) asy_expr_next(c, part);
  else asy_load_none(c, node, asy_temp(c->e));
}

/* Start and stop in two registers from the one that is the answer. */
static int slice_bounds(asy_compiler *c, const asy_node *node) {
  int first = c->e->top;
  slice_part(c, node, node->slice.lower);
  slice_part(c, node, node->slice.upper);
  return first;
}

static int subscript(asy_compiler *c, const asy_node *node, int object, int mark, int want) {
  asy_emitter *e = c->e;
  int small;
  asy_suspect_subscript(c, node);
  if (small_int(c, node->subscript.slice, &small)) {
    e->top = mark;
    int dst = asy_result(c, want);
    asy_emit(e, node, OP_GET_ITEM_I, dst, object, small);
    return dst;
  }
  const asy_node *slice = node->subscript.slice;
  bool simple = slice->kind == AST_Slice && !slice->slice.step;
  int index = simple ? slice_bounds(c, slice) : asy_expr(c, slice, NO_REG);
  e->top = mark;
  int dst = asy_result(c, want);
  asy_emit(e, node, simple ? OP_GET_SLICE : OP_GET_ITEM, dst, object, index);
  return dst;
}

/* Applies one node of a spine to the value of its left child, which lies in `reg`: a local, or the temporary `mark`. */
static int apply(asy_compiler *c, const asy_node *node, int reg, int mark, const asy_node *await, int want) {
  asy_emitter *e = c->e;
  e->top = reg == mark ? mark + 1 : mark;
  switch (node->kind) {
    case AST_BinOp: return binary(c, node, reg, mark, want);
    case AST_Subscript: return subscript(c, node, reg, mark, want);
    case AST_Attribute: {
      e->top = mark;
      int dst = asy_result(c, want);
      asy_emit_x(e, node, OP_GET_ATTR, dst, reg, 0, attr_site(c, node->attribute.attr));
      return dst;
    }
    default: {
      call_plan plan = {.window = mark, .generic_base = NO_REG};
      asy_suspect_call(c, node);
      plan.await = await != NULL;
      if (is_method_call(node)) {
        e->top = mark;
        asy_temps(e, 5);
        asy_emit_x(e, node->call.func, OP_LOAD_METHOD, mark, reg, 0, attr_site(c, node->call.func->attribute.attr));
        plan.method = true;
        plan.fixed = 1;
      } else {
        if (reg != mark) asy_emit(e, node->call.func, OP_MOVE, asy_temp(e), reg, 0);
        asy_window(c);
      }
      int dst = finish_call(c, node, &plan, &node->call.args, &node->call.keywords, want);
      if (await) asy_emit_await(c, await, mark, mark, AWAIT_EXPRESSION);
      return dst;
    }
  }
}

static int leaf(asy_compiler *c, const asy_node *node, int want);

static const asy_node *left_child(const asy_node *node) {
  switch (node->kind) {
    case AST_BinOp: return node->bin_op.left;
    case AST_Attribute: return node->attribute.value;
    case AST_Subscript: return node->subscript.value;
    case AST_Call: return is_method_call(node) ? node->call.func->attribute.value : node->call.func;
    default: return NULL;
  }
}

static int spine(asy_compiler *c, const asy_node *node, const asy_node *await, int want) {
  int mark = c->e->top;
  uint32_t base = c->nspine;
  for (const asy_node *left; (left = left_child(node)) != NULL; node = left) push_spine(c, node);
  asy_const value;
  bool folded = c->nspine > base && c->spine[c->nspine - 1]->kind == AST_BinOp && asy_fold(c, node, &value);
  while (folded && c->nspine > base && c->spine[c->nspine - 1]->kind == AST_BinOp) {
    asy_const more;
    if (!asy_fold(c, c->spine[c->nspine - 1], &more)) break;
    value = more;
    node = c->spine[--c->nspine];
  }
  if (c->nspine == base) return folded ? load_folded(c, node, &value, want) : leaf(c, node, want);
  int reg = folded ? load_folded(c, node, &value, NO_REG) : leaf(c, node, NO_REG);
  while (c->nspine > base) {
    const asy_node *next = c->spine[--c->nspine];
    bool last = c->nspine == base;
    reg = apply(c, next, reg, mark, last ? await : NULL, last ? want : NO_REG);
  }
  return reg;
}

/* --- Comprehensions ------------------------------------------------------------------------------------------------------- */

typedef struct {
  const asy_node *node;
  const asy_node_list *generators;
  int container; /* register of the list, set or dict; NO_REG in a generator expression */
} comprehension;

static void comprehension_item(asy_compiler *c, const comprehension *k) {
  asy_emitter *e = c->e;
  int mark = e->top;
  const asy_node *node = k->node;
  if (node->kind == AST_DictComp) {
    int key = asy_expr(c, node->dict_comp.key, NO_REG), value = asy_expr(c, node->dict_comp.value, NO_REG);
    asy_emit(e, node, OP_MAP_ADD, k->container, key, value);
  } else {
    int item = asy_expr(c, node->list_comp.elt, NO_REG);
    if (node->kind == AST_ListComp) asy_emit(e, node->list_comp.elt, OP_LIST_APPEND, k->container, item, 0);
    else if (node->kind == AST_SetComp) asy_emit(e, node->list_comp.elt, OP_SET_ADD, k->container, item, 0);
    else asy_emit(e, node->list_comp.elt, OP_YIELD, item < mark ? asy_temp(e) : item, item, 0);
  }
  e->top = mark;
}

/* Iterables as a `for` sees them. */
static int iterable(asy_compiler *c, const asy_node *node, bool async) {
  asy_emitter *e = c->e;
  int mark = e->top;
  int reg = async ? asy_expr(c, node, NO_REG) : container_operand(c, node);
  e->top = mark;
  int iter = asy_temps(e, 2);
  asy_emit(e, node, async ? OP_GET_AITER : OP_GET_ITER, iter, reg, 0);
  return iter;
}

/* The loops from generator i on; the first iterator already lies at the two topmost temporaries. */
static void comprehension_loop(asy_compiler *c, const comprehension *k, uint32_t i) {
  asy_emitter *e = c->e;
  const asy_node *g = k->generators->items[i];
  const asy_node *target = g->comprehension.target;
  int mark = e->top;
  bool async = g->comprehension.is_async;
  int iter = i ? iterable(c, g->comprehension.iter, async) : e->top - 2;
  asy_label head = asy_label_new(e), next = asy_label_new(e), end = asy_label_new(e), handler = asy_label_new(e);
  asy_label_bind_loop(e, head);
  if (async) {
    asy_region region = asy_region_open(e, handler, iter + 1);
    asy_emit_jump(e, g->comprehension.iter, OP_FOR_AITER, iter, 0, 0, end);
    asy_emit_await(c, g->comprehension.iter, iter + 1, iter + 1, AWAIT_ANEXT);
    asy_region_close(e, &region);
  } else {
    asy_emit_jump(e, g->comprehension.iter, OP_FOR_ITER, iter, iter + 1, 0, end);
  }
  asy_symbol *symbol = target->kind == AST_Name
                         ? asy_scope_lookup(c->making->scope,
                                            asy_mangle(c->arena, c->making->scope->class_name, target->name.id))
                         : NULL;
  if (symbol && symbol->place == PLACE_LOCAL &&
      symbol->reg == NO_REG) { /* the value is used where the iteration puts it */
    symbol->reg = (int16_t)(iter + 1);
    asy_set_bound(e, iter + 1);
  } else {
    asy_store(c, target, iter + 1);
    e->top = iter + 2;
  }
  for (uint32_t n = 0; n < g->comprehension.ifs.len; n++) asy_condition(c, g->comprehension.ifs.items[n], next, false);
  if (i + 1 < k->generators->len) comprehension_loop(c, k, i + 1);
  else comprehension_item(c, k);
  asy_label_bind(e, next);
  asy_emit_jump(e, k->node, OP_JUMP_BACK, e->top, 0, 0, head);
  if (async) {
    asy_label_bind(e, handler);
    asy_emit_jump(e, g->comprehension.iter, OP_END_ASYNC_FOR, iter + 1, 0, 0, end);
  }
  asy_label_bind(e, end);
  e->top = i ? mark : iter;
}

/* Registers for the variables of an inlined comprehension. A target that is a plain name needs none: it lives where the
 * iteration puts its values. */
static void place_comprehension(asy_compiler *c, asy_scope *scope, const asy_node *at) {
  asy_emitter *e = c->e;
  const asy_node_list *generators = at->kind == AST_DictComp ? &at->dict_comp.generators : &at->list_comp.generators;
  for (uint32_t i = 0; i < scope->nsymbols; i++) {
    asy_symbol *s = scope->symbols[i];
    if (s->place != PLACE_LOCAL) continue;
    s->reg = NO_REG;
    bool direct = false;
    for (uint32_t g = 0; g < generators->len; g++) {
      const asy_node *target = generators->items[g]->comprehension.target;
      direct |= target->kind == AST_Name && asy_mangle(c->arena, scope->class_name, target->name.id) == s->name;
    }
    if (direct && !s->captured && !(s->flags & NAME_USED_FIRST)) continue;
    s->reg = (int16_t)asy_temp(e);
    asy_emit(e, at, OP_CLEAR, s->reg, 0, 0);
    asy_set_unbound(e, s->reg);
    if (s->captured) asy_emit(e, at, OP_MAKE_CELL, s->reg, 0, 0);
  }
}

static int inlined_comprehension(asy_compiler *c, const asy_node *node) {
  asy_emitter *e = c->e;
  int mark = asy_temp(e);
  asy_scope *scope = asy_scopes_find(&c->scopes, node), *around = c->making->scope;
  comprehension k = {node, node->kind == AST_DictComp ? &node->dict_comp.generators : &node->list_comp.generators,
                     mark};
  asy_op build = node->kind == AST_DictComp ? OP_BUILD_MAP : node->kind == AST_SetComp ? OP_BUILD_SET : OP_BUILD_LIST;
  asy_emit(e, node, build, mark, mark, 0);
  place_comprehension(c, scope, node);
  const asy_node *first = k.generators->items[0];
  iterable(c, first->comprehension.iter, first->comprehension.is_async); /* still in the scope around */
  c->making->scope = scope;
  comprehension_loop(c, &k, 0);
  c->making->scope = around;
  e->top = mark + 1;
  return mark;
}

static int generator_expression(asy_compiler *c, const asy_node *node, int want) {
  asy_emitter *e = c->e;
  int mark = e->top;
  asy_scope *scope = asy_scopes_find(&c->scopes, node);
  asy_making_begin(c, scope, "<genexpr>", node);
  comprehension k = {node, &node->list_comp.generators, NO_REG};
  const asy_node *first = k.generators->items[0];
  int iter = asy_temps(c->e, 2);
  asy_emit(c->e, first->comprehension.iter, OP_MOVE, iter, 0, 0);
  comprehension_loop(c, &k, 0);
  const asy_unit_code *code = asy_making_end(c);

  asy_make_function(c, node, mark, code, scope, 0, mark, NO_REG);
  e->top = mark;
  asy_temp(e);
  asy_window(c);
  int reg = asy_expr(c, first->comprehension.iter, NO_REG);
  asy_emit(e, first->comprehension.iter, first->comprehension.is_async ? OP_GET_AITER : OP_GET_ITER, mark + 4, reg, 0);
  e->top = mark + 4;
  asy_temp(e);
  e->top = mark;
  int dst = asy_result(c, want);
  asy_emit(e, node, OP_CALL, dst, mark, 1);
  return dst;
}

/* --- The rest ------------------------------------------------------------------------------------------------------------- */

static int lambda(asy_compiler *c, const asy_node *node, int want) {
  int mark = c->e->top;
  int parts = asy_defaults(c, node->lambda.args);
  asy_scope *scope = asy_scopes_find(&c->scopes, node);
  const asy_unit_code *code = asy_function_code(c, node, scope, "<lambda>");
  asy_make_function(c, node, want != NO_REG ? want : mark, code, scope, parts, mark, NO_REG);
  c->e->top = mark;
  return asy_result(c, want);
}

static int slice(asy_compiler *c, const asy_node *node, int want) {
  asy_emitter *e = c->e;
  int mark = slice_bounds(c, node);
  slice_part(c, node, node->slice.step);
  e->top = mark;
  int dst = asy_result(c, want);
  asy_emit(e, node, OP_BUILD_SLICE, dst, mark, 0);
  return dst;
}

static int await_value(asy_compiler *c, const asy_node *node, int want) {
  asy_emitter *e = c->e;
  int mark = e->top;
  const asy_node *value = node->await.value;
  if (value->kind == AST_Call && !value->call.keywords.len &&
      !needs_call_ex(&value->call.args, &value->call.keywords, 1))
    return spine(c, value, node, NO_REG);
  int reg = asy_expr_next(c, value);
  e->top = mark;
  int dst = asy_result(c, want);
  asy_emit_await(c, node, dst, reg, AWAIT_EXPRESSION);
  return dst;
}

static int yield_value(asy_compiler *c, const asy_node *node, int want) {
  asy_emitter *e = c->e;
  int mark = e->top, reg;
  if (node->kind == AST_YieldFrom) {
    reg = asy_expr(c, node->yield_from.value, NO_REG);
    e->top = mark;
    int iter = asy_temp(e);
    asy_emit(e, node, OP_GET_YIELD_FROM_ITER, iter, reg, 0);
    e->top = mark;
    int dst = asy_result(c, want);
    asy_emit(e, node, OP_YIELD_FROM, dst, iter, 0);
    return dst;
  }
  if (node->yield.value) {
    reg = asy_expr(c, node->yield.value, NO_REG);
  } else {
    reg = asy_temp(e);
    asy_load_none(c, node, reg);
  }
  e->top = mark;
  int dst = asy_result(c, want);
  asy_emit(e, node, OP_YIELD, dst, reg, 0);
  return dst;
}

static int unary(asy_compiler *c, const asy_node *node, int want) {
  asy_emitter *e = c->e;
  int mark = e->top;
  int reg = asy_expr(c, node->unary_op.operand, NO_REG);
  e->top = mark;
  int dst = asy_result(c, want);
  asy_op op = OP_NOT;
  if (node->unary_op.op == AST_USub) op = OP_NEG;
  if (node->unary_op.op == AST_UAdd) op = OP_POS;
  if (node->unary_op.op == AST_Invert) op = OP_INVERT;
  asy_emit(e, node, op, dst, reg, 0);
  return dst;
}

static int walrus(asy_compiler *c, const asy_node *node) {
  int reg = asy_expr_next(c, node->named_expr.value); /* a copy: the name may be assigned again */
  asy_store(c, node->named_expr.target, reg);
  return reg;
}

/* What is no left spine. */
static int leaf(asy_compiler *c, const asy_node *node, int want) {
  asy_const k;
  switch ((asy_ast_kind)node->kind) {
    case AST_Constant: asy_fold(c, node, &k); return load_folded(c, node, &k, want);
    case AST_Name:
      if (asy_fold(c, node, &k)) return load_folded(c, node, &k, want);
      return asy_name_load(c, node, node->name.id, want);
    case AST_BoolOp: return bool_value(c, node);
    case AST_NamedExpr: return walrus(c, node);
    case AST_UnaryOp: return asy_fold(c, node, &k) ? load_folded(c, node, &k, want) : unary(c, node, want);
    case AST_Lambda: return lambda(c, node, want);
    case AST_IfExp: return if_value(c, node, want);
    case AST_Dict: return dict_display(c, node, want);
    case AST_Set: return display(c, node, &node->set.elts, want);
    case AST_List: return display(c, node, &node->list.elts, want);
    case AST_Tuple:
      return asy_fold(c, node, &k) ? load_folded(c, node, &k, want) : display(c, node, &node->tuple.elts, want);
    case AST_ListComp:
    case AST_SetComp:
    case AST_DictComp: return inlined_comprehension(c, node);
    case AST_GeneratorExp: return generator_expression(c, node, want);
    case AST_Await: return await_value(c, node, want);
    case AST_Yield:
    case AST_YieldFrom: return yield_value(c, node, want);
    case AST_Compare: return compare_value(c, node, want);
    case AST_FormattedValue: return formatted(c, node, want);
    case AST_JoinedStr: return joined(c, node, want);
    case AST_Slice: return slice(c, node, want);
    case AST_Starred: asy_compile_fail(c, node, "can't use starred expression here"); return asy_result(c, want);
    default: assert(!"no expression"); return asy_result(c, want);
  }
}

int asy_expr(asy_compiler *c, const asy_node *node, int want) {
  switch (node->kind) {
    case AST_BinOp:
    case AST_Attribute:
    case AST_Subscript:
    case AST_Call: return spine(c, node, NULL, want);
    default: return leaf(c, node, want);
  }
}
