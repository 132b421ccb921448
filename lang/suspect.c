/* suspect.c - what is legal and surely meant otherwise, in CPython's words. Nothing here changes the code that is made. */
#include <stdarg.h>
#include <stdio.h>

#include "lang/compile_internal.h"

__attribute__((format(printf, 3, 4))) static void warn(asy_compiler *c, const asy_node *at, const char *format, ...) {
  if (!c->options->parse.warn) return;
  asy_diagnostic warning = {.kind = DIAG_WARNING, .line = at->line, .col = at->col};
  warning.end_line = at->end_line;
  warning.end_col = at->end_col;
  va_list list;
  va_start(list, format);
  vsnprintf(warning.message, sizeof warning.message, format, list);
  va_end(list);
  c->options->parse.warn(c->options->parse.context, &warning);
}

static const char *constant_type(const asy_constant *k) {
  switch ((asy_const_kind)k->kind) {
    case CONST_NONE: return "NoneType";
    case CONST_TRUE:
    case CONST_FALSE: return "bool";
    case CONST_ELLIPSIS: return "ellipsis";
    case CONST_INT:
    case CONST_BIGINT: return "int";
    case CONST_FLOAT: return "float";
    case CONST_COMPLEX: return "complex";
    case CONST_STR: return "str";
    case CONST_BYTES: return "bytes";
  }
  return NULL;
}

/* The type that an expression is of whatever happens; NULL when that is not known. */
static const char *type_of(const asy_node *node) {
  switch (node->kind) {
    case AST_Tuple: return "tuple";
    case AST_List:
    case AST_ListComp: return "list";
    case AST_Dict:
    case AST_DictComp: return "dict";
    case AST_Set:
    case AST_SetComp: return "set";
    case AST_GeneratorExp: return "generator";
    case AST_Lambda: return "function";
    case AST_JoinedStr:
    case AST_FormattedValue: return "str";
    case AST_Constant: return constant_type(&node->constant.value);
    default: return NULL;
  }
}

static bool may_be_identical(const asy_node *node) {
  if (node->kind == AST_Tuple) { /* of constants it is one */
    for (uint32_t i = 0; i < node->tuple.elts.len; i++) {
      const asy_node *item = node->tuple.elts.items[i];
      if (item->kind == AST_Tuple ? may_be_identical(item) : item->kind != AST_Constant) return true;
    }
    return false;
  }
  return node->kind != AST_Constant || node->constant.value.kind <= CONST_ELLIPSIS;
}

void asy_suspect_compare(asy_compiler *c, const asy_node *node) {
  const asy_node *left = node->compare.left;
  for (uint32_t i = 0; i < node->compare.comparators.len; i++) {
    const asy_node *right = node->compare.comparators.items[i];
    bool is = node->compare.ops[i] == AST_Is, is_not = node->compare.ops[i] == AST_IsNot;
    if ((is || is_not) && (!may_be_identical(left) || !may_be_identical(right)))
      warn(c, node,
           is ? "\"is\" with '%s' literal. Did you mean \"==\"?" : "\"is not\" with '%s' literal. Did you mean \"!=\"?",
           type_of(may_be_identical(left) ? right : left));
    left = right;
  }
}

void asy_suspect_call(asy_compiler *c, const asy_node *node) {
  const asy_node *callee = node->call.func;
  if (callee->kind == AST_Lambda || !type_of(callee)) return;
  warn(c, node, "'%s' object is not callable; perhaps you missed a comma?", type_of(callee));
}

void asy_suspect_subscript(asy_compiler *c, const asy_node *node) {
  const asy_node *value = node->subscript.value, *slice = node->subscript.slice;
  const char *type = type_of(value), *index = type_of(slice);
  if (!type || value->kind == AST_Dict || value->kind == AST_DictComp) return;
  bool sequence = value->kind == AST_Tuple || !strcmp(type, "list") || !strcmp(type, "str") || !strcmp(type, "bytes");
  if (!sequence) warn(c, node, "'%s' object is not subscriptable; perhaps you missed a comma?", type);
  else if (index && strcmp(index, "int") && strcmp(index, "bool"))
    warn(c, node, "%s indices must be integers or slices, not %s; perhaps you missed a comma?", type, index);
}

void asy_suspect_assert(asy_compiler *c, const asy_node *node) {
  if (node->assert_.test->kind == AST_Tuple && node->assert_.test->tuple.elts.len)
    warn(c, node, "assertion is always true, perhaps remove parentheses?");
}
