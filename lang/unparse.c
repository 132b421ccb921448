/* unparse.c - an expression as text. Follows CPython's Lib/ast.py (_Unparser), which decides where parentheses go by precedence. */
#include "lang/unparse.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef enum {
  PREC_NAMED,
  PREC_TUPLE,
  PREC_YIELD,
  PREC_TEST,
  PREC_OR,
  PREC_AND,
  PREC_NOT,
  PREC_CMP,
  PREC_BOR,
  PREC_BXOR,
  PREC_BAND,
  PREC_SHIFT,
  PREC_ARITH,
  PREC_TERM,
  PREC_FACTOR,
  PREC_POWER,
  PREC_AWAIT,
  PREC_ATOM,
  PREC_EXPR = PREC_BOR
} precedence;

typedef struct {
  asy_buf text;
  int depth; /* forms around */
  bool
    rising; /* as Python's ast.unparse, unlike its compiler: each value of `a or b or c` binds tighter than the one before */
} printer;

enum { MAX_DEPTH = 2000 }; /* what lies deeper is cut: no annotation does */

static void put(const asy_node *node, precedence around, printer *out);

static void put_list(const asy_node_list *list, printer *out) {
  for (uint32_t i = 0; i < list->len; i++) {
    if (i) asy_buf_text(&out->text, ", ");
    put(list->items[i], PREC_TEST, out);
  }
}

/* --- Text and numbers ----------------------------------------------------------------------------------------------------- */

static void put_escaped(const char *text, uint32_t len, char quote, bool bytes, printer *out) {
  for (uint32_t i = 0; i < len; i++) {
    unsigned char ch = (unsigned char)text[i];
    if (ch == '\\' || ch == quote) asy_buf_format(&out->text, "\\%c", ch);
    else if (ch == '\n') asy_buf_text(&out->text, "\\n");
    else if (ch == '\r') asy_buf_text(&out->text, "\\r");
    else if (ch == '\t') asy_buf_text(&out->text, "\\t");
    else if (ch < 32 || ch == 127 || (bytes && ch >= 128)) asy_buf_format(&out->text, "\\x%02x", ch);
    else asy_buf_char(&out->text, (char)ch);
  }
}

static void put_quoted(const char *text, uint32_t len, bool bytes, printer *out) {
  char quote = memchr(text, '\'', len) && !memchr(text, '"', len) ? '"' : '\'';
  asy_buf_char(&out->text, quote);
  put_escaped(text, len, quote, bytes, out);
  asy_buf_char(&out->text, quote);
}

/* repr of a float; infinity as a literal that means it. */
static void put_real(double d, bool imaginary, printer *out) {
  if (isinf(d)) {
    asy_buf_text(&out->text, imaginary ? "1e309j" : "1e309");
    return;
  }
  char digits[40];
  int precision = 1;
  for (; precision < 18; precision++) {
    snprintf(digits, sizeof digits, "%.*e", precision - 1, d);
    if (strtod(digits, NULL) == d) break;
  }
  int exponent = atoi(strchr(digits, 'e') + 1);
  if (exponent >= -4 && exponent < 16) {
    int decimals = precision - 1 - exponent;
    asy_buf_format(&out->text, "%.*f", decimals > 0 ? decimals : 0, d);
    if (decimals <= 0 && !imaginary) asy_buf_text(&out->text, ".0");
  } else {
    snprintf(digits, sizeof digits, "%.*e", precision - 1,
             d); /* C writes at least two digits of exponent, as Python does */
    asy_buf_text(&out->text, digits);
  }
  if (imaginary) asy_buf_char(&out->text, 'j');
}

static void put_constant(const asy_constant *k, printer *out) {
  switch ((asy_const_kind)k->kind) {
    case CONST_NONE: asy_buf_text(&out->text, "None"); break;
    case CONST_TRUE: asy_buf_text(&out->text, "True"); break;
    case CONST_FALSE: asy_buf_text(&out->text, "False"); break;
    case CONST_ELLIPSIS: asy_buf_text(&out->text, "..."); break;
    case CONST_INT: asy_buf_format(&out->text, "%lld", (long long)k->i); break;
    case CONST_BIGINT: asy_buf_add(&out->text, k->text, k->len); break;
    case CONST_FLOAT: put_real(k->d, false, out); break;
    case CONST_COMPLEX: put_real(k->d, true, out); break;
    case CONST_STR:
      if (k->u_prefix) asy_buf_char(&out->text, 'u');
      put_quoted(k->text, k->len, false, out);
      break;
    case CONST_BYTES:
      asy_buf_char(&out->text, 'b');
      put_quoted(k->text, k->len, true, out);
      break;
  }
}

static void put_fstring_part(const asy_node *node, printer *out);

static void put_field(const asy_node *node, printer *out) {
  printer inner = {.depth = out->depth};
  put(node->formatted_value.value, PREC_TEST + 1, &inner);
  asy_buf_text(&out->text, inner.text.data && inner.text.data[0] == '{' ? "{ " : "{");
  asy_buf_add(&out->text, inner.text.data, inner.text.len);
  out->text.oom |= inner.text.oom;
  asy_buf_free(&inner.text);
  if (node->formatted_value.conversion > 0) asy_buf_format(&out->text, "!%c", node->formatted_value.conversion);
  if (node->formatted_value.format_spec) {
    asy_buf_char(&out->text, ':');
    put_fstring_part(node->formatted_value.format_spec, out);
  }
  asy_buf_char(&out->text, '}');
}

static void put_fstring_part(const asy_node *node, printer *out) {
  for (uint32_t i = 0; node->kind == AST_JoinedStr && i < node->joined_str.values.len; i++)
    put_fstring_part(node->joined_str.values.items[i], out);
  if (node->kind == AST_FormattedValue) put_field(node, out);
  if (node->kind != AST_Constant) return;
  const asy_constant *k = &node->constant.value;
  for (uint32_t i = 0; i < k->len; i++) {
    if (k->text[i] == '{' || k->text[i] == '}') asy_buf_char(&out->text, k->text[i]);
    put_escaped(k->text + i, 1, 0, false, out);
  }
}

static void put_fstring(const asy_node *node, printer *out) {
  printer body = {.depth = out->depth};
  put_fstring_part(node, &body);
  const char *quotes[] = {"'", "\"", "'''", "\"\"\""};
  const char *quote = "\"\"\"";
  for (int i = 0; i < 4; i++) {
    if (body.text.data && strstr(body.text.data, quotes[i])) continue;
    quote = quotes[i];
    break;
  }
  asy_buf_format(&out->text, "f%s", quote);
  asy_buf_add(&out->text, body.text.data, body.text.len);
  asy_buf_text(&out->text, quote);
  out->text.oom |= body.text.oom;
  asy_buf_free(&body.text);
}

/* --- Expressions ------------------------------------------------------------------------------------------------------------ */

static precedence binary_precedence(asy_ast_op op) {
  switch (op) {
    case AST_BitOr: return PREC_BOR;
    case AST_BitXor: return PREC_BXOR;
    case AST_BitAnd: return PREC_BAND;
    case AST_LShift:
    case AST_RShift: return PREC_SHIFT;
    case AST_Add:
    case AST_Sub: return PREC_ARITH;
    case AST_Pow: return PREC_POWER;
    default: return PREC_TERM;
  }
}

static void put_arguments(const asy_node *args, printer *out) {
  bool first = true;
  const asy_node_list *posonly = &args->arguments.posonlyargs, *plain = &args->arguments.args;
  uint32_t total = posonly->len + plain->len, undefaulted = total - args->arguments.defaults.len;
  for (uint32_t i = 0; i < total; i++) {
    const asy_node *arg = i < posonly->len ? posonly->items[i] : plain->items[i - posonly->len];
    asy_buf_format(&out->text, "%s%s", first ? "" : ", ", arg->arg.arg->text);
    first = false;
    if (i >= undefaulted) {
      asy_buf_char(&out->text, '=');
      put(args->arguments.defaults.items[i - undefaulted], PREC_TEST, out);
    }
    if (i + 1 == posonly->len) asy_buf_text(&out->text, ", /");
  }
  if (args->arguments.vararg || args->arguments.kwonlyargs.len) {
    asy_buf_text(&out->text, first ? "*" : ", *");
    first = false;
    if (args->arguments.vararg) asy_buf_text(&out->text, args->arguments.vararg->arg.arg->text);
  }
  for (uint32_t i = 0; i < args->arguments.kwonlyargs.len; i++) {
    asy_buf_format(&out->text, ", %s", args->arguments.kwonlyargs.items[i]->arg.arg->text);
    if (args->arguments.kw_defaults.items[i]) {
      asy_buf_char(&out->text, '=');
      put(args->arguments.kw_defaults.items[i], PREC_TEST, out);
    }
  }
  if (args->arguments.kwarg)
    asy_buf_format(&out->text, "%s**%s", first ? "" : ", ", args->arguments.kwarg->arg.arg->text);
}

static void put_generators(const asy_node_list *generators, printer *out) {
  for (uint32_t i = 0; i < generators->len; i++) {
    const asy_node *g = generators->items[i];
    asy_buf_text(&out->text, g->comprehension.is_async ? " async for " : " for ");
    put(g->comprehension.target, PREC_TUPLE, out);
    asy_buf_text(&out->text, " in ");
    put(g->comprehension.iter, PREC_TEST + 1, out);
    for (uint32_t k = 0; k < g->comprehension.ifs.len; k++) {
      asy_buf_text(&out->text, " if ");
      put(g->comprehension.ifs.items[k], PREC_TEST + 1, out);
    }
  }
}

static void put_comprehension(const asy_node *node, char open, char close, printer *out) {
  asy_buf_char(&out->text, open);
  put(node->list_comp.elt, PREC_TEST, out);
  put_generators(&node->list_comp.generators, out);
  asy_buf_char(&out->text, close);
}

static void put_subscript(const asy_node *node, printer *out) {
  const asy_node *index = node->subscript.slice;
  put(node->subscript.value, PREC_ATOM, out);
  asy_buf_char(&out->text, '[');
  if (index->kind == AST_Tuple && index->tuple.elts.len) { /* no parentheses around a tuple that is not empty */
    put_list(&index->tuple.elts, out);
    if (index->tuple.elts.len == 1) asy_buf_char(&out->text, ',');
  } else {
    put(index, PREC_TEST, out);
  }
  asy_buf_char(&out->text, ']');
}

static void put_call(const asy_node *node, printer *out) {
  put(node->call.func, PREC_ATOM, out);
  asy_buf_char(&out->text, '(');
  put_list(&node->call.args, out);
  for (uint32_t i = 0; i < node->call.keywords.len; i++) {
    const asy_node *k = node->call.keywords.items[i];
    if (i || node->call.args.len) asy_buf_text(&out->text, ", ");
    if (k->keyword.arg) asy_buf_format(&out->text, "%s=", k->keyword.arg->text);
    else asy_buf_text(&out->text, "**");
    put(k->keyword.value, PREC_TEST, out);
  }
  asy_buf_char(&out->text, ')');
}

static void put_dict(const asy_node *node, printer *out) {
  asy_buf_char(&out->text, '{');
  for (uint32_t i = 0; i < node->dict.keys.len; i++) {
    if (i) asy_buf_text(&out->text, ", ");
    if (node->dict.keys.items[i]) {
      put(node->dict.keys.items[i], PREC_TEST, out);
      asy_buf_text(&out->text, ": ");
      put(node->dict.values.items[i], PREC_TEST, out);
    } else {
      asy_buf_text(&out->text, "**");
      put(node->dict.values.items[i], PREC_EXPR, out);
    }
  }
  asy_buf_char(&out->text, '}');
}

/* The precedence of a node's own form: parentheses when the place asks for more. */
static precedence own_precedence(const asy_node *node) {
  switch (node->kind) {
    case AST_NamedExpr: return PREC_NAMED;
    case AST_Tuple: return node->tuple.elts.len ? PREC_TUPLE : PREC_ATOM;
    case AST_Yield:
    case AST_YieldFrom: return PREC_YIELD;
    case AST_Lambda:
    case AST_IfExp: return PREC_TEST;
    case AST_BoolOp: return node->bool_op.op == AST_Or ? PREC_OR : PREC_AND;
    case AST_Compare: return PREC_CMP;
    case AST_BinOp: return binary_precedence(node->bin_op.op);
    case AST_UnaryOp: return node->unary_op.op == AST_Not ? PREC_NOT : PREC_FACTOR;
    case AST_Await: return PREC_AWAIT;
    default: return PREC_ATOM;
  }
}

static void put_form(const asy_node *node, printer *out) {
  precedence own = own_precedence(node);
  switch (node->kind) {
    case AST_Name: asy_buf_text(&out->text, node->name.id->text); break;
    case AST_Constant: put_constant(&node->constant.value, out); break;
    case AST_JoinedStr:
    case AST_FormattedValue: put_fstring(node, out); break;
    case AST_Attribute:
      put(node->attribute.value, PREC_ATOM, out);
      if (node->attribute.value->kind == AST_Constant && node->attribute.value->constant.value.kind == CONST_INT)
        asy_buf_char(&out->text, ' ');
      asy_buf_format(&out->text, ".%s", node->attribute.attr->text);
      break;
    case AST_Subscript: put_subscript(node, out); break;
    case AST_Call: put_call(node, out); break;
    case AST_Starred:
      asy_buf_char(&out->text, '*');
      put(node->starred.value, PREC_EXPR, out);
      break;
    case AST_Slice:
      if (node->slice.lower) put(node->slice.lower, PREC_TEST, out);
      asy_buf_char(&out->text, ':');
      if (node->slice.upper) put(node->slice.upper, PREC_TEST, out);
      if (node->slice.step) {
        asy_buf_char(&out->text, ':');
        put(node->slice.step, PREC_TEST, out);
      }
      break;
    case AST_NamedExpr:
      put(node->named_expr.target, PREC_ATOM, out);
      asy_buf_text(&out->text, " := ");
      put(node->named_expr.value, PREC_ATOM, out);
      break;
    case AST_Tuple:
      if (!node->tuple.elts.len) asy_buf_text(&out->text, "()");
      put_list(&node->tuple.elts, out);
      if (node->tuple.elts.len == 1) asy_buf_char(&out->text, ',');
      break;
    case AST_List:
      asy_buf_char(&out->text, '[');
      put_list(&node->list.elts, out);
      asy_buf_char(&out->text, ']');
      break;
    case AST_Set:
      asy_buf_char(&out->text, '{');
      put_list(&node->set.elts, out);
      asy_buf_char(&out->text, '}');
      break;
    case AST_Dict: put_dict(node, out); break;
    case AST_ListComp: put_comprehension(node, '[', ']', out); break;
    case AST_SetComp: put_comprehension(node, '{', '}', out); break;
    case AST_GeneratorExp: put_comprehension(node, '(', ')', out); break;
    case AST_DictComp:
      asy_buf_char(&out->text, '{');
      put(node->dict_comp.key, PREC_TEST, out);
      asy_buf_text(&out->text, ": ");
      put(node->dict_comp.value, PREC_TEST, out);
      put_generators(&node->dict_comp.generators, out);
      asy_buf_char(&out->text, '}');
      break;
    case AST_Yield:
      asy_buf_text(&out->text, node->yield.value ? "yield " : "yield");
      if (node->yield.value) put(node->yield.value, PREC_ATOM, out);
      break;
    case AST_YieldFrom:
      asy_buf_text(&out->text, "yield from ");
      put(node->yield_from.value, PREC_ATOM, out);
      break;
    case AST_Await:
      asy_buf_text(&out->text, "await ");
      put(node->await.value, PREC_ATOM, out);
      break;
    case AST_Lambda:
      asy_buf_text(&out->text, "lambda");
      {
        size_t before = out->text.len;
        asy_buf_char(&out->text, ' ');
        put_arguments(node->lambda.args, out);
        if (out->text.len == before + 1 && out->text.data) out->text.len = before;
      }
      asy_buf_text(&out->text, ": ");
      put(node->lambda.body, PREC_TEST, out);
      break;
    case AST_IfExp:
      put(node->if_exp.body, PREC_TEST + 1, out);
      asy_buf_text(&out->text, " if ");
      put(node->if_exp.test, PREC_TEST + 1, out);
      asy_buf_text(&out->text, " else ");
      put(node->if_exp.orelse, PREC_TEST, out);
      break;
    case AST_BoolOp:
      for (uint32_t i = 0; i < node->bool_op.values.len; i++) {
        if (i) asy_buf_format(&out->text, " %s ", asy_ast_op_text(node->bool_op.op));
        {
          precedence level = own + 1 + (out->rising ? i : 0);
          put(node->bool_op.values.items[i], level < PREC_ATOM ? level : PREC_ATOM, out);
        }
      }
      break;
    case AST_Compare:
      put(node->compare.left, own + 1, out);
      for (uint32_t i = 0; i < node->compare.comparators.len; i++) {
        asy_buf_format(&out->text, " %s ", asy_ast_op_text((asy_ast_op)node->compare.ops[i]));
        put(node->compare.comparators.items[i], own + 1, out);
      }
      break;
    case AST_BinOp: {
      bool power = node->bin_op.op == AST_Pow;
      put(node->bin_op.left, power ? own + 1 : own, out);
      asy_buf_format(&out->text, " %s ", asy_ast_op_text(node->bin_op.op));
      put(node->bin_op.right, power ? own : own + 1, out);
      break;
    }
    case AST_UnaryOp:
      asy_buf_text(&out->text, asy_ast_op_text(node->unary_op.op));
      if (node->unary_op.op == AST_Not) asy_buf_char(&out->text, ' ');
      put(node->unary_op.operand, own, out);
      break;
    default: break;
  }
}

static void put(const asy_node *node, precedence around, printer *out) {
  if (out->depth >= MAX_DEPTH) {
    asy_buf_text(&out->text, "...");
    return;
  }
  out->depth++;
  bool parens = own_precedence(node) < around;
  if (parens) asy_buf_char(&out->text, '(');
  put_form(node, out);
  if (parens) asy_buf_char(&out->text, ')');
  out->depth--;
}

void asy_unparse_in(const asy_node *node, asy_unparse_place place, asy_buf *out) {
  static const precedence places[] = {
    [UNPARSE_BARE_TUPLE] = PREC_TUPLE, [UNPARSE_BARE_YIELD] = PREC_YIELD, [UNPARSE_PLAIN] = PREC_TEST};
  printer p = {.text = *out, .rising = true};
  put(node, places[place], &p);
  *out = p.text;
}

void asy_unparse(const asy_node *node, asy_buf *out) {
  printer p = {.text = *out};
  put(node, PREC_TEST, &p);
  *out = p.text;
}
