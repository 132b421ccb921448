/* compile.c - the entry of the compiler, code objects, names and constants. */
#include "lang/compile.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lang/compile_internal.h"
#include "lang/verify.h"

void asy_compile_fail(asy_compiler *c, const asy_node *at, const char *format, ...) {
  if (c->out->kind != DIAG_NONE) return;
  char text[sizeof c->out->message];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  asy_diagnostic_set(c->out, DIAG_SYNTAX, at->line, at->col, at->end_line, at->end_col, "%s", text);
}

/* --- Code objects ------------------------------------------------------------------------------------------------------ */

asy_name *asy_known(asy_compiler *c, const char *text) {
  asy_name *name = asy_arena_intern(c->arena, text, strlen(text));
  return name ? name : asy_arena_wreck(c->arena, sizeof(asy_name) + 1);
}

static const char *qualname_of(asy_compiler *c, asy_scope *scope, const char *name) {
  asy_making *around = c->making;
  if (around && around->owner->kind == SCOPE_TYPE_PARAMS) around = around->outer;
  if (!around || around->owner->kind == SCOPE_MODULE) return name;
  if (scope->kind == SCOPE_FUNCTION || scope->kind == SCOPE_CLASS) {
    asy_name *mangled = asy_mangle(c->arena, around->owner->class_name, asy_known(c, name));
    asy_symbol *symbol = asy_scope_lookup(around->owner, mangled);
    if (symbol && symbol->flags & NAME_GLOBAL) return name;
  }
  const char *between = around->owner->kind == SCOPE_CLASS ? "." : ".<locals>.";
  size_t len = strlen(around->qualname) + strlen(between) + strlen(name);
  char *text = asy_arena_alloc(c->arena, len + 1);
  if (!text) return name;
  snprintf(text, len + 1, "%s%s%s", around->qualname, between, name);
  return text;
}

static asy_making *take_making(asy_compiler *c) {
  asy_making *m = c->spare;
  if (m) {
    c->spare = m->outer;
    asy_emitter emitter = m->emitter;
    *m = (asy_making){.emitter = emitter};
    asy_emit_reset(&m->emitter);
    return m;
  }
  m = calloc(1, sizeof *m);
  if (m) asy_emit_init(&m->emitter, c->arena);
  return m;
}

typedef struct {
  asy_compiler *c;
  const char **names; /* of the registers so far */
  bool *is_cell;
  int count;
} local_table;

static int add_local(local_table *t, const char *name, bool is_cell) {
  if (t->count >= ASY_MAX_REGISTERS) {
    asy_emit_fail(t->c->e, "too many parameters or captured variables");
    return 0;
  }
  t->names[t->count] = name;
  t->is_cell[t->count] = is_cell;
  return t->count++;
}

static void place_locals(asy_compiler *c, asy_scope *scope, asy_unit_code *code, bool suspends) {
  const char *names[ASY_MAX_REGISTERS];
  bool is_cell[ASY_MAX_REGISTERS];
  local_table t = {c, names, is_cell, 0};
  asy_emitter *e = c->e;
  uint32_t far = 0;
  if (!asy_scope_is_function(scope)) {
    code->argcount = 1;
    add_local(&t, "", false);
    if (scope->has_class_cell) c->making->class_cell = add_local(&t, "__class__", true);
  }
  for (int pass = 0; pass < 3; pass++) { /* parameters; what must have a register; the rest */
    for (uint32_t i = 0; i < scope->nsymbols && asy_scope_is_function(scope); i++) {
      asy_symbol *s = scope->symbols[i];
      bool param = s->flags & NAME_PARAM;
      if (s->place != PLACE_LOCAL || pass != (param ? 0 : s->captured ? 1 : 2)) continue;
      if (pass == 2 && t.count >= MAX_FAST_LOCALS) {
        s->reg = (int16_t)(ASY_FAR + far);
        if (far < INT16_MAX - ASY_FAR) far++;
        else asy_emit_fail(e, "too many local variables");
        continue;
      }
      s->reg = (int16_t)add_local(&t, s->name->text, s->captured);
      if (param) asy_set_bound(e, s->reg);
      if (s->flags & NAME_UNBOUND) e->may_be_unbound.bits[s->reg >> 6] |= (uint64_t)1 << (s->reg & 63);
    }
  }
  if (suspends) code->self_register = (uint8_t)add_local(&t, "", false);
  if (far) c->making->far_list = add_local(&t, "", false);
  code->nlocals = (uint16_t)t.count;
  const char **kept_names = asy_arena_alloc(c->arena, (size_t)t.count * sizeof *kept_names + 1);
  bool *kept_cells = asy_arena_alloc(c->arena, (size_t)t.count * sizeof *kept_cells + 1);
  if (kept_names && kept_cells) {
    memcpy(kept_names, names, (size_t)t.count * sizeof *kept_names);
    memcpy(kept_cells, is_cell, (size_t)t.count * sizeof *kept_cells);
  }
  code->varnames = kept_names;
  code->is_cell = kept_cells;
  e->top = e->max = t.count;

  for (int i = 0; i < t.count; i++)
    if (is_cell[i]) asy_emit(e, NULL, OP_MAKE_CELL, i, 0, 0);
  if (far) { /* a list of `far` unbound items */
    int list = c->making->far_list, t0 = asy_temp(e);
    asy_emit(e, NULL, OP_CLEAR, t0, 0, 0);
    asy_emit(e, NULL, OP_BUILD_LIST, list, t0, 1);
    uint32_t have = 1;
    for (; have * 2 <= far; have *= 2) asy_emit(e, NULL, OP_LIST_EXTEND, list, list, 0);
    for (; have < far; have++) asy_emit(e, NULL, OP_LIST_APPEND, list, t0, 0);
    e->top = t0;
  }
}

static void count_arguments(asy_unit_code *code, const asy_node *args) {
  code->posonly = (uint16_t)args->arguments.posonlyargs.len;
  code->argcount = (uint16_t)(args->arguments.posonlyargs.len + args->arguments.args.len);
  code->kwonly = (uint16_t)args->arguments.kwonlyargs.len;
  if (args->arguments.vararg) code->flags |= CODE_VARARGS;
  if (args->arguments.kwarg) code->flags |= CODE_VARKEYWORDS;
}

void asy_making_begin(asy_compiler *c, asy_scope *scope, const char *name, const asy_node *node) {
  asy_making *m = take_making(c);
  asy_unit_code *code = asy_arena_alloc(c->arena, sizeof *code);
  if (!m || !code) { /* go on in a place where nothing can break */
    c->oom = true;
    if (!m) {
      fputs("asy: out of memory\n", stderr); /* 600 bytes are not to be had */
      abort();
    }
    code = asy_arena_wreck(c->arena, sizeof *code);
  }
  *code = (asy_unit_code){.name = name, .qualname = qualname_of(c, scope, name), .first_line = (int32_t)node->line};
  bool function = asy_scope_is_function(scope);
  if (function) code->flags = CODE_OPTIMIZED | CODE_NEWLOCALS;
  if (scope->kind == SCOPE_CLASS) code->flags = CODE_CLASS_BODY;
  if (scope->kind == SCOPE_MODULE) code->flags = CODE_MODULE_BODY, code->first_line = 1;
  if (scope->parent && asy_scope_is_function(scope->parent)) code->flags |= CODE_NESTED;
  if (scope->is_generator) code->flags |= scope->is_async ? CODE_ASYNC_GENERATOR : CODE_GENERATOR;
  else if (scope->is_async) code->flags |= CODE_COROUTINE;
  const asy_node_list *decorators = NULL;
  if (scope->kind == SCOPE_FUNCTION) decorators = &node->function_def.decorator_list;
  if (scope->kind == SCOPE_CLASS) decorators = &node->class_def.decorator_list;
  if (decorators && decorators->len) code->first_line = (int32_t)decorators->items[0]->line;

  m->outer = c->making;
  m->owner = m->scope = scope;
  m->code = code;
  m->qualname = code->qualname;
  m->far_list = m->class_cell = NO_REG;
  m->self_names = NULL;
  m->nself_names = m->self_names_cap = 0;
  c->making = m;
  c->e = &m->emitter;
  if (scope->kind == SCOPE_FUNCTION) count_arguments(code, node->function_def.args);
  else if (scope->kind == SCOPE_LAMBDA) count_arguments(code, node->lambda.args);
  else
    for (uint32_t i = 0; i < scope->nsymbols; i++) code->argcount += (scope->symbols[i]->flags & NAME_PARAM) != 0;
  place_locals(c, scope, code, scope->is_generator || scope->is_async);
}

const asy_unit_code *asy_making_end(asy_compiler *c) {
  asy_making *m = c->making;
  asy_unit_code *code = m->code;
  asy_scope *scope = m->owner;
  asy_emit(c->e, NULL, OP_RETURN_NONE, 0, 0, 0);
  code->nfreevars = (uint16_t)scope->nfree;
  const char **names = asy_arena_alloc(c->arena, scope->nfree * sizeof *names + 1);
  for (uint32_t i = 0; names && i < scope->nfree; i++) names[i] = scope->free[i]->name->text;
  code->freevars = names;
  if (!asy_emit_finish(c->e, code)) {
    if (c->e->failure && !c->e->oom && c->out->kind == DIAG_NONE) {
      asy_position at = c->e->failure_at;
      if (!at.line) at.line = (int32_t)scope->node->line;
      asy_diagnostic_set(c->out, DIAG_SYNTAX, (uint32_t)at.line, at.col, (uint32_t)at.end_line, at.end_col, "%s",
                         c->e->failure);
    }
    c->oom |= c->e->oom || c->arena->oom;
  }
  c->making = m->outer;
  c->e = m->outer ? &m->outer->emitter : NULL;
  m->outer = c->spare;
  c->spare = m;
  return code;
}

/* --- Constants ------------------------------------------------------------------------------------------------------------ */

static bool is_identifier(const char *text, size_t len) {
  for (size_t i = 0; i < len; i++) {
    char ch = text[i];
    if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '_')) return false;
  }
  return true;
}

asy_const asy_text_constant(const char *text, size_t len) {
  return (asy_const){
    .kind = ASY_CONST_STR, .interned = is_identifier(text, len), .length = (uint32_t)len, .text = text};
}

static asy_const int_constant(int64_t i) { return (asy_const){.kind = ASY_CONST_INT, .integer = i}; }
static asy_const float_constant(double d) { return (asy_const){.kind = ASY_CONST_FLOAT, .real = d}; }

static bool is_number(const asy_const *k) {
  return k->kind == ASY_CONST_INT || k->kind == ASY_CONST_FLOAT || k->kind == ASY_CONST_COMPLEX;
}

static bool fold_int(asy_ast_op op, int64_t a, int64_t b, asy_const *out) {
  int64_t r;
  switch (op) {
    case AST_Add:
      if (__builtin_add_overflow(a, b, &r)) return false;
      break;
    case AST_Sub:
      if (__builtin_sub_overflow(a, b, &r)) return false;
      break;
    case AST_Mult:
      if (__builtin_mul_overflow(a, b, &r)) return false;
      break;
    case AST_FloorDiv:
    case AST_Mod: {
      if (!b || a == INT64_MIN) return false;
      int64_t quotient = a / b, rest = a % b;
      if (rest && (rest < 0) != (b < 0)) quotient--, rest += b;
      r = op == AST_Mod ? rest : quotient;
      break;
    }
    case AST_Div:
      if (!b || llabs(a) > (int64_t)1 << 53 || llabs(b) > (int64_t)1 << 53) return false;
      *out = float_constant((double)a / (double)b);
      return true;
    case AST_Pow:
      if (b < 0 || b > 64) return false;
      r = 1;
      for (int64_t i = 0; i < b; i++)
        if (__builtin_mul_overflow(r, a, &r)) return false;
      break;
    case AST_LShift:
      if (b < 0 || b > 61 || llabs(a) >= (int64_t)1 << (61 - b)) return false;
      r = a * ((int64_t)1 << b);
      break;
    case AST_RShift:
      if (b < 0) return false;
      r = b > 62 ? (a < 0 ? -1 : 0) : a >> b;
      break;
    case AST_BitOr: r = a | b; break;
    case AST_BitXor: r = a ^ b; break;
    case AST_BitAnd: r = a & b; break;
    default: return false;
  }
  if (r < -((int64_t)1 << 62) || r >= (int64_t)1 << 62) return false;
  *out = int_constant(r);
  return true;
}

static bool fold_float(asy_ast_op op, double a, double b, asy_const *out) {
  switch (op) {
    case AST_Add: *out = float_constant(a + b); return true;
    case AST_Sub: *out = float_constant(a - b); return true;
    case AST_Mult: *out = float_constant(a * b); return true;
    case AST_Div:
      if (b == 0) return false;
      *out = float_constant(a / b);
      return true;
    default: return false;
  }
}

enum { MAX_FOLDED_TEXT = 4096 };

static bool fold_text(asy_compiler *c, asy_ast_op op, const asy_const *a, const asy_const *b, asy_const *out) {
  uint64_t times = 1;
  size_t len;
  if (op == AST_Add && a->kind == b->kind) {
    len = (size_t)a->length + b->length;
  } else if (op == AST_Mult && b->kind == ASY_CONST_INT && b->integer >= 0 && b->integer <= MAX_FOLDED_TEXT) {
    times = (uint64_t)b->integer;
    len = times * a->length;
  } else {
    return false;
  }
  if (len > MAX_FOLDED_TEXT) return false;
  char *text = asy_arena_alloc(c->arena, len + 1);
  if (!text) return false;
  char *end = text;
  for (uint64_t i = 0; i < times; i++) memcpy(end, a->text, a->length), end += a->length;
  if (op == AST_Add) memcpy(end, b->text, b->length), end += b->length;
  *end = 0;
  *out = asy_text_constant(text, len);
  if (a->kind == ASY_CONST_BYTES) out->kind = ASY_CONST_BYTES, out->interned = false;
  return true;
}

static bool fold_binary(asy_compiler *c, asy_ast_op op, const asy_const *a, const asy_const *b, asy_const *out) {
  if (a->kind == ASY_CONST_STR || a->kind == ASY_CONST_BYTES) return fold_text(c, op, a, b, out);
  if (!is_number(a) || !is_number(b)) return false;
  if (a->kind == ASY_CONST_INT && b->kind == ASY_CONST_INT) return fold_int(op, a->integer, b->integer, out);
  if (a->kind == ASY_CONST_INT && llabs(a->integer) > (int64_t)1 << 53) return false;
  if (b->kind == ASY_CONST_INT && llabs(b->integer) > (int64_t)1 << 53) return false;
  double x = a->kind == ASY_CONST_INT ? (double)a->integer : a->real;
  double y = b->kind == ASY_CONST_INT ? (double)b->integer : b->real;
  if (a->kind != ASY_CONST_COMPLEX && b->kind != ASY_CONST_COMPLEX) return fold_float(op, x, y, out);
  double xi = a->kind == ASY_CONST_COMPLEX ? a->imaginary : 0, yi = b->kind == ASY_CONST_COMPLEX ? b->imaginary : 0;
  if (op == AST_Add) *out = (asy_const){.kind = ASY_CONST_COMPLEX, .real = x + y, .imaginary = xi + yi};
  else if (op == AST_Sub) *out = (asy_const){.kind = ASY_CONST_COMPLEX, .real = x - y, .imaginary = xi - yi};
  else return false;
  return true;
}

static bool fold_unary(asy_compiler *c, asy_ast_op op, const asy_const *k, asy_const *out) {
  *out = *k;
  if (op == AST_Not) {
    bool truth;
    switch (k->kind) {
      case ASY_CONST_NONE:
      case ASY_CONST_FALSE: truth = false; break;
      case ASY_CONST_TRUE: truth = true; break;
      case ASY_CONST_INT: truth = k->integer != 0; break;
      case ASY_CONST_STR: truth = k->length > 0; break;
      default: return false;
    }
    *out = (asy_const){.kind = truth ? ASY_CONST_FALSE : ASY_CONST_TRUE};
    return true;
  }
  switch (k->kind) {
    case ASY_CONST_INT:
      if (op == AST_USub) out->integer = -k->integer;
      if (op == AST_Invert) out->integer = ~k->integer;
      return true;
    case ASY_CONST_FLOAT:
      if (op == AST_USub) out->real = -k->real;
      return op != AST_Invert;
    case ASY_CONST_COMPLEX:
      if (op == AST_USub) out->real = -k->real, out->imaginary = -k->imaginary;
      return op != AST_Invert;
    case ASY_CONST_BIGINT: {
      if (op == AST_UAdd) return true;
      if (op != AST_USub) return false;
      bool negative = k->text[0] == '-';
      char *text = asy_arena_alloc(c->arena, k->length + 2);
      if (!text) return false;
      text[0] = '-';
      memcpy(text + !negative, k->text + negative, k->length + 1 - negative);
      if (negative) memmove(text, k->text + 1, k->length);
      out->text = text;
      out->length = negative ? k->length - 1 : k->length + 1;
      return true;
    }
    default: return false;
  }
}

static asy_const constant_of(const asy_constant *value) {
  switch ((asy_const_kind)value->kind) {
    case CONST_NONE: return (asy_const){.kind = ASY_CONST_NONE};
    case CONST_TRUE: return (asy_const){.kind = ASY_CONST_TRUE};
    case CONST_FALSE: return (asy_const){.kind = ASY_CONST_FALSE};
    case CONST_ELLIPSIS: return (asy_const){.kind = ASY_CONST_ELLIPSIS};
    case CONST_INT: return int_constant(value->i);
    case CONST_BIGINT: return (asy_const){.kind = ASY_CONST_BIGINT, .length = value->len, .text = value->text};
    case CONST_FLOAT: return float_constant(value->d);
    case CONST_COMPLEX: return (asy_const){.kind = ASY_CONST_COMPLEX, .imaginary = value->d};
    case CONST_STR: return asy_text_constant(value->text, value->len);
    case CONST_BYTES: return (asy_const){.kind = ASY_CONST_BYTES, .length = value->len, .text = value->text};
  }
  return (asy_const){.kind = ASY_CONST_NONE};
}

enum { MAX_FOLD_SPINE = 64 };

bool asy_fold(asy_compiler *c, const asy_node *node, asy_const *out) {
  const asy_node *spine[MAX_FOLD_SPINE];
  int depth = 0;
  for (; node->kind == AST_BinOp; node = node->bin_op.left) {
    uint8_t right = node->bin_op.right->kind; /* cheap refusal first: most operands are names and calls */
    if (depth == MAX_FOLD_SPINE || (right != AST_Constant && right != AST_UnaryOp && right != AST_BinOp)) return false;
    spine[depth++] = node;
  }
  switch (node->kind) {
    case AST_Constant: *out = constant_of(&node->constant.value); break;
    case AST_Name:
      if (node->name.ctx != AST_Load || strcmp(node->name.id->text, "__debug__")) return false;
      *out = (asy_const){.kind = c->options->drop_asserts ? ASY_CONST_FALSE : ASY_CONST_TRUE};
      break;
    case AST_UnaryOp: {
      asy_const operand;
      if (!asy_fold(c, node->unary_op.operand, &operand) || !fold_unary(c, node->unary_op.op, &operand, out))
        return false;
      break;
    }
    case AST_Tuple: {
      uint32_t len = node->tuple.elts.len;
      if (node->tuple.ctx != AST_Load) return false;
      for (uint32_t i = 0; i < len; i++) { /* cheap refusal first */
        uint8_t kind = node->tuple.elts.items[i]->kind;
        if (kind != AST_Constant && kind != AST_UnaryOp && kind != AST_Tuple && kind != AST_BinOp) return false;
      }
      asy_const *items = asy_arena_alloc(c->arena, len * sizeof *items);
      if (!items && len) return false;
      for (uint32_t i = 0; i < len; i++)
        if (!asy_fold(c, node->tuple.elts.items[i], &items[i])) return false;
      *out = (asy_const){.kind = ASY_CONST_TUPLE, .length = len, .items = items};
      break;
    }
    default: return false;
  }
  while (depth) {
    const asy_node *op = spine[--depth];
    asy_const left = *out, right;
    if (!asy_fold(c, op->bin_op.right, &right) || !fold_binary(c, op->bin_op.op, &left, &right, out)) return false;
  }
  return true;
}

void asy_load_constant(asy_compiler *c, const asy_node *at, int dst, const asy_const *k) {
  if (!c->e->reachable) return;
  if (k->kind == ASY_CONST_INT && k->integer >= INT16_MIN && k->integer <= INT16_MAX)
    asy_emit_bx(c->e, at, OP_LOAD_I, dst, (uint16_t)k->integer);
  else asy_emit_bx(c->e, at, OP_LOAD_K, dst, (int32_t)asy_emit_constant(c->e, k));
}

void asy_load_none(asy_compiler *c, const asy_node *at, int dst) {
  asy_load_constant(c, at, dst, &(asy_const){.kind = ASY_CONST_NONE});
}

void asy_load_text(asy_compiler *c, const asy_node *at, int dst, const char *text) {
  asy_const k = asy_text_constant(text, strlen(text));
  asy_load_constant(c, at, dst, &k);
}

/* --- Names ---------------------------------------------------------------------------------------------------------------- */

const asy_symbol *asy_name_symbol(asy_compiler *c, asy_name *name) {
  static const asy_symbol global = {.place = PLACE_GLOBAL, .reg = -1, .free_index = -1};
  asy_symbol *s = asy_scope_lookup(c->making->scope, asy_mangle(c->arena, c->making->scope->class_name, name));
  if (!s) return &global;
  while (s->place == PLACE_OUTER) s = s->outer;
  return s;
}

int asy_name_local(asy_compiler *c, asy_name *name) {
  const asy_symbol *s = asy_name_symbol(c, name);
  return s->place == PLACE_LOCAL && !s->captured && s->reg < ASY_FAR ? s->reg : NO_REG;
}

static asy_name *mangled(asy_compiler *c, asy_name *name) {
  return asy_mangle(c->arena, c->making->scope->class_name, name);
}

static uint32_t site(asy_compiler *c, asy_name *name) { return asy_emit_site(c->e, mangled(c, name)->text); }

/* A class body, or an annotation scope in one, looks free variables up in its namespace first. */
static bool class_first(asy_compiler *c) {
  const asy_scope *s = c->making->scope;
  return s->kind == SCOPE_CLASS || s->sees_class;
}

int asy_name_load(asy_compiler *c, const asy_node *at, asy_name *name, int want) {
  const asy_symbol *s = asy_name_symbol(c, name);
  asy_emitter *e = c->e;
  int dst;
  switch (s->place) {
    case PLACE_LOCAL:
      if (s->reg >= ASY_FAR) {
        dst = asy_result(c, want);
        asy_emit_bx(e, at, OP_LOAD_FAR, dst, s->reg - ASY_FAR);
        return dst;
      }
      if (s->captured) {
        dst = asy_result(c, want);
        asy_emit(e, at, OP_LOAD_CELL, dst, s->reg, 0);
        return dst;
      }
      if (!asy_is_bound(e, s->reg)) {
        asy_emit(e, at, OP_CHECK_BOUND, s->reg, 0, 0);
        asy_set_bound(e, s->reg);
      }
      if (!(s->flags & NAME_WALRUS)) return s->reg;
      dst = asy_result(c, want);
      asy_emit(e, at, OP_MOVE, dst, s->reg, 0);
      return dst;
    case PLACE_FREE:
      dst = asy_result(c, want);
      asy_emit_bx(e, at, class_first(c) ? OP_LOAD_FREE_CLASS : OP_LOAD_FREE, dst, s->free_index);
      return dst;
    case PLACE_NAME:
      dst = asy_result(c, want);
      asy_emit_x(e, at, OP_LOAD_NAME, dst, 0, 0, site(c, name));
      return dst;
    default:
      dst = asy_result(c, want);
      asy_emit_x(e, at, OP_LOAD_GLOBAL, dst, 0, 0, site(c, name));
      return dst;
  }
}

void asy_name_store(asy_compiler *c, const asy_node *at, asy_name *name, int reg) {
  const asy_symbol *s = asy_name_symbol(c, name);
  asy_emitter *e = c->e;
  switch (s->place) {
    case PLACE_LOCAL:
      if (s->reg >= ASY_FAR) {
        asy_emit_bx(e, at, OP_STORE_FAR, reg, s->reg - ASY_FAR);
      } else if (s->captured) {
        asy_emit(e, at, OP_STORE_CELL, s->reg, reg, 0);
      } else {
        if (s->reg != reg) asy_emit(e, at, OP_MOVE, s->reg, reg, 0);
        asy_set_bound(e, s->reg);
      }
      return;
    case PLACE_FREE: asy_emit_bx(e, at, OP_STORE_FREE, reg, s->free_index); return;
    case PLACE_NAME: asy_emit_x(e, at, OP_STORE_NAME, reg, 0, 0, site(c, name)); return;
    default: asy_emit_x(e, at, OP_STORE_GLOBAL, reg, 0, 0, site(c, name)); return;
  }
}

void asy_name_delete(asy_compiler *c, const asy_node *at, asy_name *name) {
  const asy_symbol *s = asy_name_symbol(c, name);
  asy_emitter *e = c->e;
  switch (s->place) {
    case PLACE_LOCAL:
      if (s->reg >= ASY_FAR) {
        int t = asy_name_load(c, at, name, NO_REG);
        asy_emit(e, at, OP_CLEAR, t, 0, 0);
        asy_emit_bx(e, at, OP_STORE_FAR, t, s->reg - ASY_FAR);
        e->top = t;
      } else if (s->captured) {
        asy_emit(e, at, OP_DEL_CELL, s->reg, 0, 0);
      } else {
        asy_emit(e, at, asy_is_bound(e, s->reg) ? OP_CLEAR : OP_DEL_LOCAL, s->reg, 0, 0);
        asy_set_unbound(e, s->reg);
      }
      return;
    case PLACE_FREE: asy_emit_bx(e, at, OP_DEL_FREE, 0, s->free_index); return;
    case PLACE_NAME: asy_emit_x(e, at, OP_DEL_NAME, 0, 0, 0, site(c, name)); return;
    default: asy_emit_x(e, at, OP_DEL_GLOBAL, 0, 0, 0, site(c, name)); return;
  }
}

void asy_name_unbind(asy_compiler *c, const asy_node *at, asy_name *name) {
  const asy_symbol *s = asy_name_symbol(c, name);
  if (s->place == PLACE_LOCAL && !s->captured && s->reg < ASY_FAR) {
    asy_emit(c->e, at, OP_CLEAR, s->reg, 0, 0);
    asy_set_unbound(c->e, s->reg);
    return;
  }
  int t = asy_temp(c->e); /* a value first, so that deleting cannot fail */
  asy_load_none(c, at, t);
  asy_name_store(c, at, name, t);
  c->e->top = t;
  asy_name_delete(c, at, name);
}

/* Where the code being made keeps the cell of a variable that inner code wants. */
static void load_cell(asy_compiler *c, const asy_node *at, int dst, asy_name *name) {
  asy_making *m = c->making;
  for (asy_scope *s = m->scope;; s = s->parent) {
    asy_symbol *symbol = asy_scope_lookup(s, name);
    if (s == m->owner && m->class_cell != NO_REG && !strcmp(name->text, "__class__")) {
      asy_emit(c->e, at, OP_MOVE, dst, m->class_cell, 0);
      return;
    }
    if (symbol) {
      while (symbol->place == PLACE_OUTER) symbol = symbol->outer;
      if (symbol->place == PLACE_LOCAL) {
        asy_emit(c->e, at, OP_MOVE, dst, symbol->reg, 0);
        return;
      }
      if (symbol->free_index >= 0) {
        asy_emit_bx(c->e, at, OP_LOAD_CLOSURE, dst, symbol->free_index);
        return;
      }
    }
    if (s == m->owner) break;
  }
  assert(!"a free variable without a cell");
}

void asy_make_function(asy_compiler *c, const asy_node *at, int dst, const asy_unit_code *code, asy_scope *scope,
                       int parts, int first, int type_params) {
  asy_emitter *e = c->e;
  assert(parts || first == e->top);
  if (scope->nfree) {
    int tuple = e->top;
    for (uint32_t i = 0; i < scope->nfree; i++) load_cell(c, at, asy_temp(e), scope->free[i]->name);
    asy_emit(e, at, OP_BUILD_TUPLE, tuple, tuple, (int)scope->nfree);
    if (scope->nfree > 200) asy_emit_fail(e, "too many free variables");
    e->top = tuple + 1;
    parts |= PART_CLOSURE;
  }
  if (type_params != NO_REG) {
    asy_emit(e, at, OP_MOVE, asy_temp(e), type_params, 0);
    parts |= PART_TYPE_PARAMS;
  }
  if (!e->reachable) return;
  asy_const k = {.kind = ASY_CONST_CODE, .code = code};
  asy_emit_x(e, at, OP_MAKE_FUNCTION, dst, parts ? first : 0, parts, asy_emit_constant(e, &k));
}

/* --- The entry -------------------------------------------------------------------------------------------------------------- */

static void module_body(asy_compiler *c, const asy_node_list *body) {
  size_t len;
  const char *doc = c->options->parse.mode == PARSE_FILE ? asy_docstring(c, body, &len) : NULL;
  if (c->making->owner->has_annotations) asy_emit(c->e, body->items[0], OP_SETUP_ANNOTATIONS, 0, 0, 0);
  if (doc) {
    int t = asy_temp(c->e);
    asy_const k = asy_text_constant(doc, len);
    asy_load_constant(c, body->items[0], t, &k);
    asy_emit_x(c->e, body->items[0], OP_STORE_NAME, t, 0, 0, asy_emit_site(c->e, asy_known(c, "__doc__")->text));
    c->e->top = t;
  }
  for (uint32_t i = doc ? 1 : 0; i < body->len; i++) asy_statement(c, body->items[i]);
}

static const asy_unit_code *compile_module(asy_compiler *c, const asy_node *tree) {
  asy_making_begin(c, c->scopes.module, "<module>", tree);
  switch (tree->kind) {
    case AST_Module: module_body(c, &tree->module.body); break;
    case AST_Interactive: module_body(c, &tree->interactive.body); break;
    default: asy_emit(c->e, tree->expression.body, OP_RETURN, asy_expr(c, tree->expression.body, NO_REG), 0, 0); break;
  }
  return asy_making_end(c);
}

const asy_unit_code *asy_compile_tree(asy_arena *arena, const asy_node *tree, const asy_compile_options *options,
                                      asy_diagnostic *out) {
  static const asy_compile_options defaults = {.parse = {.mode = PARSE_FILE}};
  asy_compiler c = {.arena = arena, .options = options ? options : &defaults, .out = out};
  *out = (asy_diagnostic){.kind = DIAG_NONE};
  const asy_unit_code *code = NULL;
  if (asy_scopes_build(&c.scopes, arena, tree, c.options->top_level_await, c.options->future_annotations, out))
    code = compile_module(&c, tree);
  while (c.spare) {
    asy_making *m = c.spare;
    c.spare = m->outer;
    asy_emit_free(&m->emitter);
    free(m);
  }
  free(c.spine);
  c.oom |= c.scopes.oom || arena->oom;
  asy_scopes_free(&c.scopes);
  if (out->kind == DIAG_NONE && c.oom) asy_diagnostic_set(out, DIAG_MEMORY, 0, 0, 0, 0, "out of memory");
  if (out->kind != DIAG_NONE) return NULL;
#ifndef NDEBUG
  asy_verify_or_abort(code);
#endif
  return code;
}

const asy_unit_code *asy_compile(asy_arena *arena, asy_source *source, const asy_compile_options *options,
                                 asy_diagnostic *out) {
  const asy_parse_options file = {.mode = PARSE_FILE};
  const asy_node *tree = asy_parse_with(arena, source, options ? &options->parse : &file, out);
  return tree ? asy_compile_tree(arena, tree, options, out) : NULL;
}
