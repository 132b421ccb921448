/* check.c - what LALR(1) cannot see. */
#include "lang/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void asy_parser_fail(asy_parser *p, asy_span span, const char *format, ...) {
  if (p->error->kind) return;
  char message[sizeof p->error->message];
  va_list args;
  va_start(args, format);
  vsnprintf(message, sizeof message, format, args);
  va_end(args);
  asy_diagnostic_set(p->error, DIAG_SYNTAX, span.line, span.col, span.end_line, span.end_col, "%s", message);
}

asy_node *asy_parser_spare_node(asy_parser *p, asy_ast_kind kind, asy_span span) {
  if (p->reserve_used + sizeof(asy_node) > ASY_PARSER_RESERVE)
    p->reserve_used = 0; /* hundreds of nodes for one token */
  asy_node *node = (asy_node *)(p->reserve + p->reserve_used);
  p->reserve_used += sizeof(asy_node);
  memset(node, 0, sizeof *node);
  node->kind = (uint8_t)kind;
  node->span = span;
  return node;
}

asy_node *asy_check_depth(asy_parser *p, asy_node *node) {
  asy_ast_seal(node);
  if (node->depth > ASY_AST_MAX_DEPTH) {
    asy_parser_fail(p, node->span, "too deeply nested: more than %d levels", ASY_AST_MAX_DEPTH);
    node->depth = 0;
  }
  return node;
}

static asy_span between(asy_span from, asy_span to) { return (asy_span){from.line, from.col, to.end_line, to.end_col}; }

/* The word that a span begins with. */
static asy_span first_word(asy_span span, const char *word) {
  return (asy_span){span.line, span.col, span.line, span.col + (uint32_t)strlen(word)};
}

/* --- Targets --------------------------------------------------------------------------------------------------------- */

static const char *constant_name(const asy_constant *value) {
  switch ((asy_const_kind)value->kind) {
    case CONST_NONE: return "None";
    case CONST_TRUE: return "True";
    case CONST_FALSE: return "False";
    case CONST_ELLIPSIS: return "ellipsis";
    default: return "literal";
  }
}

const char *asy_check_expr_name(const asy_node *node) {
  switch ((asy_ast_kind)node->kind) {
    case AST_Attribute: return "attribute";
    case AST_Subscript: return "subscript";
    case AST_Starred: return "starred";
    case AST_Name: return "name";
    case AST_List: return "list";
    case AST_Tuple: return "tuple";
    case AST_Lambda: return "lambda";
    case AST_Call: return "function call";
    case AST_BoolOp:
    case AST_BinOp:
    case AST_UnaryOp: return "expression";
    case AST_GeneratorExp: return "generator expression";
    case AST_Yield:
    case AST_YieldFrom: return "yield expression";
    case AST_Await: return "await expression";
    case AST_ListComp: return "list comprehension";
    case AST_SetComp: return "set comprehension";
    case AST_DictComp: return "dict comprehension";
    case AST_Dict: return "dict literal";
    case AST_Set: return "set display";
    case AST_JoinedStr:
    case AST_FormattedValue: return "f-string expression";
    case AST_Constant: return constant_name(&node->constant.value);
    case AST_Compare: return "comparison";
    case AST_IfExp: return "conditional expression";
    case AST_NamedExpr: return "named expression";
    default: return "expression";
  }
}

/* Sets ctx; answers the first part that is no target, or NULL. Recursion is bounded by the brackets of the text. */
static asy_node *set_context(asy_node *node, asy_ast_ctx ctx) {
  asy_node_list *elts = NULL;
  switch ((asy_ast_kind)node->kind) {
    case AST_Name: node->name.ctx = ctx; return NULL;
    case AST_Attribute: node->attribute.ctx = ctx; return NULL;
    case AST_Subscript: node->subscript.ctx = ctx; return NULL;
    case AST_Starred:
      if (ctx == AST_Del) return node;
      node->starred.ctx = ctx;
      return set_context(node->starred.value, ctx);
    case AST_Tuple: node->tuple.ctx = ctx, elts = &node->tuple.elts; break;
    case AST_List: node->list.ctx = ctx, elts = &node->list.elts; break;
    default: return node;
  }
  for (uint32_t i = 0; i < elts->len; i++) {
    asy_node *bad = set_context(elts->items[i], ctx);
    if (bad) return bad;
  }
  return NULL;
}

/* What CPython's bitwise_or matches: an operand of a comparison. */
static bool is_operand(const asy_node *node) {
  if (node->parens) return true;
  switch ((asy_ast_kind)node->kind) {
    case AST_BoolOp:
    case AST_Compare:
    case AST_IfExp:
    case AST_Lambda:
    case AST_NamedExpr:
    case AST_Starred:
    case AST_Yield:
    case AST_YieldFrom:
    case AST_Tuple: return false;
    case AST_UnaryOp: return node->unary_op.op != AST_Not;
    default: return true;
  }
}

static bool may_mean_equal(const asy_node *node) {
  if (node->kind == AST_List || node->kind == AST_Tuple || node->kind == AST_GeneratorExp || node->kind == AST_Name)
    return false;
  if (node->kind == AST_Constant && node->constant.value.kind <= CONST_FALSE) return false;
  return is_operand(node);
}

void asy_check_target(asy_parser *p, asy_node *target, asy_target_use use, const asy_node *only) {
  if (target->kind == AST_Yield || target->kind == AST_YieldFrom) {
    if (use == TARGET_ASSIGN && !target->parens)
      return asy_parser_fail(p, target->span, "assignment to yield expression not possible");
  }
  asy_node *bad = set_context(target, use == TARGET_DELETE ? AST_Del : AST_Store);
  if (!bad) {
    if (use == TARGET_ASSIGN && target->kind == AST_Starred)
      asy_parser_fail(p, target->span, "starred assignment target must be in a list or tuple");
    return;
  }
  const char *name = asy_check_expr_name(bad);
  if (use == TARGET_DELETE) return asy_parser_fail(p, bad->span, "cannot delete %s", name);
  const asy_node *last = target; /* what stands before the `=` */
  if (target->kind == AST_Tuple && !target->parens && target->tuple.elts.len)
    last = target->tuple.elts.items[target->tuple.elts.len - 1];
  if (only && only->kind == AST_Tuple && !only->parens && only->tuple.elts.len) only = only->tuple.elts.items[0];
  if (only && last == bad && is_operand(only) && may_mean_equal(bad))
    return asy_parser_fail(p, bad->span, "cannot assign to %s here. Maybe you meant '==' instead of '='?", name);
  asy_parser_fail(p, bad->span, "cannot assign to %s", name);
}

static bool is_single_target(const asy_node *node) {
  return node->kind == AST_Name || node->kind == AST_Attribute || node->kind == AST_Subscript;
}

void asy_check_aug_target(asy_parser *p, asy_node *target) {
  if (is_single_target(target)) (void)set_context(target, AST_Store);
  else
    asy_parser_fail(p, target->span, "'%s' is an illegal expression for augmented assignment",
                    asy_check_expr_name(target));
}

void asy_check_ann_target(asy_parser *p, asy_node *assign) {
  asy_node *target = assign->ann_assign.target;
  assign->ann_assign.simple = target->kind == AST_Name && !target->parens;
  if (is_single_target(target)) {
    (void)set_context(target, AST_Store);
  } else if (target->kind == AST_List || target->kind == AST_Tuple) {
    const asy_node *place = target->kind == AST_Tuple && !target->parens && target->tuple.elts.len
                              ? target->tuple.elts.items[0]
                              : target;
    asy_parser_fail(p, place->span, "only single target (not %s) can be annotated", asy_check_expr_name(target));
  } else {
    asy_parser_fail(p, target->span, "illegal target for annotation");
  }
}

asy_node *asy_check_named_expr(asy_parser *p, asy_node *target, asy_node *value, asy_span span) {
  asy_node *node = asy_parser_node(p, AST_NamedExpr, span);
  if (target->kind != AST_Name || target->parens)
    asy_parser_fail(p, target->span, "cannot use assignment expressions with %s", asy_check_expr_name(target));
  else target->name.ctx = AST_Store;
  node->named_expr.target = target, node->named_expr.value = value;
  return asy_check_depth(p, node);
}

asy_node *asy_check_named_argument(asy_parser *p, asy_node *target, asy_node *value, asy_span span, asy_span walrus) {
  if (target->kind != AST_Name || target->parens) asy_parser_fail(p, walrus, "invalid syntax");
  return asy_check_named_expr(p, target, value, span);
}

/* --- Calls ----------------------------------------------------------------------------------------------------------- */

static bool is_bare_generator(const asy_node *node) { return node->kind == AST_GeneratorExp && !node->parens; }

/* Of the comma after an argument, if it follows at once. */
static asy_span behind(asy_span span) {
  return (asy_span){span.end_line, span.end_col, span.end_line, span.end_col + 1};
}
/* From the comma behind an argument to the end of the next. */
static asy_span comma_and(asy_span before, asy_span next) {
  return (asy_span){before.end_line, before.end_col, next.end_line, next.end_col};
}

static void sort_arguments(asy_parser *p, const asy_node_list *items, asy_node_list *args, asy_node_list *keywords,
                           asy_span end) {
  bool named = false, unpacked = false;
  for (uint32_t i = 0; i < items->len; i++) {
    asy_node *item = items->items[i];
    if (item->kind == AST_keyword) {
      named = true;
      unpacked |= item->keyword.arg == NULL;
      asy_node_list_add(p->arena, keywords, item);
      continue;
    }
    if (is_bare_generator(item) && items->len > 1)
      asy_parser_fail(p, item->span, "Generator expression must be parenthesized");
    if (unpacked && item->kind == AST_Starred)
      asy_parser_fail(p, comma_and(items->items[i - 1]->span, item->span),
                      "iterable argument unpacking follows keyword argument unpacking");
    else if (named && item->kind != AST_Starred)
      asy_parser_fail(p, end, "positional argument follows keyword argument%s", unpacked ? " unpacking" : "");
    asy_node_list_add(p->arena, args, item);
  }
}

asy_node *asy_check_call(asy_parser *p, asy_node *func, const asy_node_list *items, asy_span span, asy_span open) {
  asy_node *call = asy_parser_node(p, AST_Call, span);
  asy_span close = {span.end_line, span.end_col - 1, span.end_line, span.end_col};
  call->call.func = func;
  sort_arguments(p, items, &call->call.args, &call->call.keywords, close);
  if (items->len == 1 && is_bare_generator(items->items[0])) {
    items->items[0]->span = between(open, close);
    items->items[0]->parens = 1;
  }
  return asy_check_depth(p, call);
}

void asy_check_bases(asy_parser *p, asy_node *class_def, const asy_node_list *items) {
  for (uint32_t i = 0; i < items->len; i++)
    if (is_bare_generator(items->items[i]) && items->items[i]->list_comp.generators.len)
      asy_parser_fail(p, first_word(items->items[i]->list_comp.generators.items[0]->span, "for"), "invalid syntax");
  sort_arguments(p, items, &class_def->class_def.bases, &class_def->class_def.keywords, class_def->span);
}

void asy_check_trailing_comma(asy_parser *p, const asy_node_list *items) {
  if (items->len == 1 && is_bare_generator(items->items[0]))
    asy_parser_fail(p, items->items[0]->span, "Generator expression must be parenthesized");
}

asy_node *asy_check_keyword(asy_parser *p, asy_node *name, asy_node *value, asy_span span, asy_span equal) {
  asy_node *node = asy_parser_node(p, AST_keyword, span);
  if (name->kind == AST_Name && !name->parens) node->keyword.arg = name->name.id;
  else if (name->kind == AST_Constant && name->constant.value.kind <= CONST_FALSE && !name->parens)
    asy_parser_fail(p, between(name->span, equal), "cannot assign to %s", constant_name(&name->constant.value));
  else
    asy_parser_fail(p, between(name->span, equal), "expression cannot contain assignment, perhaps you meant \"==\"?");
  node->keyword.value = value;
  return asy_check_depth(p, node);
}

/* --- Parameters ------------------------------------------------------------------------------------------------------ */

static asy_param *reversed(asy_param *list) {
  asy_param *result = NULL;
  while (list) {
    asy_param *next = list->next;
    list->next = result;
    result = list;
    list = next;
  }
  return result;
}

asy_node *asy_check_arguments(asy_parser *p, asy_param *params, bool is_lambda) {
  asy_node *node = asy_parser_node(p, AST_arguments, (asy_span){0});
  asy_node_list *args = &node->arguments.args, *defaults = &node->arguments.defaults;
  bool slash = false, star = false;
  for (asy_param *param = reversed(params); param; param = param->next) {
    if (node->arguments.kwarg) {
      asy_span marker = param->kind == PARAM_PLAIN
                          ? param->arg->span
                          : first_word(param->span, param->kind == PARAM_DOUBLE_STAR ? "**" : "*");
      asy_parser_fail(p, marker, "arguments cannot follow var-keyword argument");
      break;
    }
    switch (param->kind) {
      case PARAM_PLAIN:
        if (star) {
          asy_node_list_add(p->arena, &node->arguments.kwonlyargs, param->arg);
          asy_node_list_add(p->arena, &node->arguments.kw_defaults, param->default_value);
        } else {
          if (defaults->len && !param->default_value)
            asy_parser_fail(p, param->arg->span, "parameter without a default follows parameter with a default");
          asy_node_list_add(p->arena, args, param->arg);
          if (param->default_value) asy_node_list_add(p->arena, defaults, param->default_value);
        }
        break;
      case PARAM_SLASH:
        if (slash) asy_parser_fail(p, param->span, "/ may appear only once");
        else if (star) asy_parser_fail(p, param->span, "/ must be ahead of *");
        else if (!args->len)
          asy_parser_fail(p, param->span, param->next ? "at least one argument must precede /" : "invalid syntax");
        slash = true;
        node->arguments.posonlyargs = *args;
        *args = (asy_node_list){0};
        break;
      case PARAM_BARE_STAR:
      case PARAM_STAR:
        if (star) asy_parser_fail(p, first_word(param->span, "*"), "* argument may appear only once");
        else if (param->kind == PARAM_BARE_STAR && (!param->next || param->next->kind == PARAM_DOUBLE_STAR))
          asy_parser_fail(p, is_lambda ? behind(param->span) : param->span, "named arguments must follow bare *");
        star = true;
        node->arguments.vararg = param->arg;
        break;
      case PARAM_DOUBLE_STAR: node->arguments.kwarg = param->arg; break;
    }
  }
  return asy_check_depth(p, node);
}

/* --- Brackets -------------------------------------------------------------------------------------------------------- */

asy_node *asy_check_paren(asy_parser *p, asy_node_list items, bool comma, asy_span span) {
  bool as = false;
  for (uint32_t i = 0; i < items.len; i++) as |= items.items[i]->kind == AST_withitem;
  if (items.len == 1 && !comma && !as) {
    asy_node *item = items.items[0];
    if (item->kind == AST_Starred) asy_parser_fail(p, item->span, "cannot use starred expression here");
    item->parens += item->parens < 2;
    return item;
  }
  asy_node *node = asy_parser_node(p, AST_Tuple, span);
  node->tuple.elts = items;
  node->parens = 1;
  if (as) {
    if (p->as_tuple) asy_parser_fail(p, p->as_tuple->span, "invalid syntax");
    p->as_tuple = node;
  }
  return asy_check_depth(p, node);
}

void asy_check_statement_end(asy_parser *p) {
  if (!p->as_tuple) return;
  for (uint32_t i = 0; i < p->as_tuple->tuple.elts.len; i++) {
    const asy_node *item = p->as_tuple->tuple.elts.items[i];
    if (item->kind != AST_withitem) continue;
    const asy_node *value = item->withitem.context_expr; /* one blank, then `as` */
    asy_parser_fail(p, (asy_span){value->end_line, value->end_col + 1, value->end_line, value->end_col + 3},
                    "invalid syntax");
  }
}

/* `with (a, b as c):` is two items; `with (a, *b):` and `with ((a, b)):` are a tuple. */
asy_node *asy_check_with(asy_parser *p, asy_node_list items, asy_span with) {
  asy_node *node = asy_parser_node(p, AST_With, with);
  node->with.items = items;
  asy_node *tuple = items.len == 1 ? items.items[0]->withitem.context_expr : NULL;
  if (!tuple || tuple->kind != AST_Tuple || tuple->parens != 1 || !tuple->tuple.elts.len ||
      items.items[0]->withitem.optional_vars)
    return node;
  asy_node_list split = {0};
  for (uint32_t i = 0; i < tuple->tuple.elts.len; i++) {
    asy_node *elt = tuple->tuple.elts.items[i];
    if (!elt->parens && (elt->kind == AST_Starred || elt->kind == AST_NamedExpr)) {
      if (tuple == p->as_tuple) asy_parser_fail(p, elt->span, "invalid syntax");
      return node;
    }
    asy_node *item = elt;
    if (elt->kind == AST_withitem) {
      asy_check_target(p, elt->withitem.optional_vars, TARGET_WITH, NULL);
    } else {
      item = asy_parser_node(p, AST_withitem, elt->span);
      item->withitem.context_expr = elt;
      asy_check_depth(p, item);
    }
    asy_node_list_add(p->arena, &split, item);
  }
  if (tuple == p->as_tuple) p->as_tuple = NULL;
  node->with.items = split;
  return node;
}

asy_node *asy_check_dict(asy_parser *p, asy_node_list items, asy_span span) {
  asy_node *node = asy_parser_node(p, AST_Dict, span);
  for (uint32_t i = 0; i + 1 < items.len; i += 2) {
    asy_node_list_add(p->arena, &node->dict.keys, items.items[i]);
    asy_node_list_add(p->arena, &node->dict.values, items.items[i + 1]);
  }
  return asy_check_depth(p, node);
}

asy_node *asy_check_comprehension(asy_parser *p, asy_ast_kind kind, asy_node_list elts, asy_node_list generators,
                                  asy_span span) {
  asy_node *node = asy_parser_node(p, kind, span);
  if (elts.len == 0) return node; /* memory has run out */
  if (kind == AST_DictComp) {
    asy_node *value = elts.items[elts.len - 1];
    if (!elts.items[0]) {
      asy_span stars = {value->line, value->col - (value->col >= 2 ? 2 : 0), value->line, value->col};
      asy_parser_fail(p, stars, "dict unpacking cannot be used in dict comprehension");
    } else if (elts.len > 2) {
      asy_parser_fail(p, generators.len ? generators.items[0]->span : span, "invalid syntax");
    }
    node->dict_comp.key = elts.items[0], node->dict_comp.value = elts.len > 1 ? elts.items[1] : NULL;
    node->dict_comp.generators = generators;
    return asy_check_depth(p, node);
  }
  asy_node *elt = elts.items[0];
  if (elts.len > 1)
    asy_parser_fail(p, between(elt->span, elts.items[elts.len - 1]->span),
                    "did you forget parentheses around the comprehension target?");
  else if (elt->kind == AST_Starred)
    asy_parser_fail(p, elt->span, "iterable unpacking cannot be used in comprehension");
  else if (elt->kind == AST_withitem) asy_parser_fail(p, elt->span, "invalid syntax");
  node->list_comp.elt = elt, node->list_comp.generators = generators;
  if (kind == AST_GeneratorExp) node->parens = 1;
  return asy_check_depth(p, node);
}

/* --- Statements ------------------------------------------------------------------------------------------------------ */

/* An `except*` handler has `parens` set by the grammar. */
asy_node *asy_check_try(asy_parser *p, asy_node_list body, asy_node_list handlers, asy_node_list orelse,
                        asy_node_list finalbody, asy_span span) {
  bool star = handlers.len && handlers.items[0]->parens;
  for (uint32_t i = 0; i < handlers.len; i++) {
    asy_node *handler = handlers.items[i];
    if ((bool)handler->parens != star) {
      asy_span at = {handler->span.line, handler->span.col, handler->span.line,
                     handler->span.col + (uint32_t)strlen("except")};
      size_t len;
      const char *line = asy_source_line(p->source, at.line, &len);
      const char *mark = !star && line ? memchr(line + at.col, '*', len - at.col) : NULL;
      if (mark) at.end_col = (uint32_t)(mark - line) + 1;
      asy_parser_fail(p, at, "cannot have both 'except' and 'except*' on the same 'try'");
    }
    handler->parens = 0;
    if (!handler->except_handler.type && i + 1 < handlers.len)
      asy_parser_fail(p, handler->span, "default 'except:' must be last");
  }
  asy_node *node = asy_parser_node(p, star ? AST_TryStar : AST_Try, span);
  node->try_.body = body, node->try_.handlers = handlers, node->try_.orelse = orelse, node->try_.finalbody = finalbody;
  return asy_check_depth(p, node);
}

asy_node *asy_check_complex(asy_parser *p, asy_node *sum) {
  const asy_node *real = sum->bin_op.left, *imaginary = sum->bin_op.right;
  if (real->kind == AST_UnaryOp) real = real->unary_op.operand;
  if (real->constant.value.kind == CONST_COMPLEX)
    asy_parser_fail(p, real->span, "real number required in complex literal");
  else if (imaginary->constant.value.kind != CONST_COMPLEX)
    asy_parser_fail(p, imaginary->span, "imaginary number required in complex literal");
  return sum;
}

asy_node *asy_check_type_params(asy_parser *p, asy_node_list params, asy_span span) {
  asy_node *node = asy_parser_node(p, AST_Tuple, span);
  node->tuple.elts = params;
  bool defaults = false;
  for (uint32_t i = 0; i < params.len; i++) {
    const asy_node *param = params.items[i];
    bool has_default = param->kind == AST_TypeVar ? param->type_var.default_value != NULL
                                                  : param->param_spec.default_value != NULL;
    const asy_name *name = param->kind == AST_TypeVar ? param->type_var.name : param->param_spec.name;
    if (defaults && !has_default)
      asy_parser_fail(p, param->span, "non-default type parameter '%s' follows default type parameter", name->text);
    defaults |= has_default;
  }
  return asy_check_depth(p, node);
}
