/* grammar.y - the grammar. Built with: bison -Wall -Wno-yacc --defines=grammar.h --output=grammar.c grammar.y
 * LALR(1) without conflicts but those of the operators, which precedences resolve: with a rule for each level an operand would be
 * reduced a dozen times. Actions build nodes and do nothing else: what needs thought is in check.c, the values of literals are in
 * literal.c, messages for what is no sentence of the grammar are in parse.c.
 * The order of rules follows https://docs.python.org/3.13/reference/grammar.html; the shape is that of the LL(1) grammar before it.
 */
%code requires {
#include "lang/check.h"
}

%define api.pure full
%define api.push-pull push
%define api.prefix {asy_grammar_}
%define api.token.prefix {TOKEN_}
%define api.location.type {asy_span}
%define parse.error custom
%locations
%expect 0
%parse-param {asy_parser *p}

%union {
  struct { const char *start; uint32_t len; bool raw; } token;
  asy_name *name;
  asy_node *node;
  asy_node_list list;
  asy_name_list names;
  asy_param *param;
  int op;
}

%code provides {
/* What parse.c wants to know of the parser where it got stuck. */
typedef struct {
  int symbol;        /* asy_grammar_kind_t of the stack, from the top: 0 at the bottom */
  asy_span span;
  asy_node *node;    /* the expression, or the last one of a list; else NULL */
  asy_node *keyword; /* `name=node` of an argument, else NULL */
} asy_grammar_item;
asy_grammar_item asy_grammar_stack_item(asy_grammar_pstate *ps, int from_top);
int asy_grammar_token_of(int symbol);   /* the token, or 0 for a nonterminal */
bool asy_grammar_is_or_test(int symbol);
asy_node *asy_grammar_statement_value(asy_grammar_pstate *ps); /* the operand that ended an expression statement just now */
bool asy_grammar_is_dict(asy_grammar_pstate *ps);
void asy_parse_stuck(asy_parser *p, asy_grammar_pstate *ps, const int *expected, int expected_count);
}

%code {
#include <stdlib.h>
#include <string.h>

#include "lang/literal.h"

/* Layout tokens are pushed with the end of the token before them, so @$ of a statement ends where its text ends. */
#define YYMAXDEPTH 20000
#define YYLTYPE_IS_TRIVIAL 1
#define YYSTYPE_IS_TRIVIAL 1
#define YYLLOC_DEFAULT(here, rhs, n)                                                                        \
  do {                                                                                                      \
    if (n) (here) = (asy_span){YYRHSLOC(rhs, 1).line, YYRHSLOC(rhs, 1).col, YYRHSLOC(rhs, n).end_line, YYRHSLOC(rhs, n).end_col}; \
    else (here) = (asy_span){YYRHSLOC(rhs, 0).end_line, YYRHSLOC(rhs, 0).end_col, YYRHSLOC(rhs, 0).end_line, YYRHSLOC(rhs, 0).end_col}; \
  } while (0)

static void asy_grammar_error(const asy_span *span, asy_parser *p, const char *message) {
  (void)message;
  asy_parser_fail(p, *span, "too deeply nested");   /* "memory exhausted": YYMAXDEPTH */
}

#define NEW(kind, span) asy_parser_node(p, AST_##kind, span)
#define SEAL(node) asy_check_depth(p, node)
#define ADD(list, node) asy_node_list_add(p->arena, &(list), node)
#define NO_LIST ((asy_node_list){0})

static asy_span between(asy_span from, asy_span to) { return (asy_span){from.line, from.col, to.end_line, to.end_col}; }

static asy_node_list one(asy_parser *p, asy_node *node) {
  asy_node_list list = {0};
  ADD(list, node);
  return list;
}

static asy_node *name_node(asy_parser *p, asy_name *id, asy_span span) {
  asy_node *node = NEW(Name, span);
  node->name.id = id;
  return node;
}

static asy_node *constant(asy_parser *p, asy_const_kind kind, asy_span span) {
  asy_node *node = NEW(Constant, span);
  node->constant.value.kind = (uint8_t)kind;
  return node;
}

static asy_node *binary(asy_parser *p, asy_node *left, asy_ast_op op, asy_node *right, asy_span span) {
  asy_node *node = NEW(BinOp, span);
  node->bin_op.left = left, node->bin_op.op = op, node->bin_op.right = right;
  return SEAL(node);
}

static asy_node *unary(asy_parser *p, asy_ast_op op, asy_node *operand, asy_span span) {
  asy_node *node = NEW(UnaryOp, span);
  node->unary_op.op = op, node->unary_op.operand = operand;
  return SEAL(node);
}

/* `a and b and c` is one node with three values. */
static asy_node *boolean(asy_parser *p, asy_node *left, asy_ast_op op, asy_node *right, asy_span span) {
  asy_node *node = left;
  if (left->kind != AST_BoolOp || left->bool_op.op != op || left->parens) {
    node = NEW(BoolOp, span);
    node->bool_op.op = op;
    ADD(node->bool_op.values, left);
    if (left->depth >= node->depth) node->depth = left->depth + 1;
  }
  ADD(node->bool_op.values, right);
  node->span = span;
  if (right->depth >= node->depth) node->depth = right->depth + 1;
  return node;
}

/* So is `a < b < c`. */
static asy_node *compare(asy_parser *p, asy_node *left, asy_ast_op op, asy_node *right, asy_span span) {
  asy_node *node = left;
  if (left->kind != AST_Compare || left->parens) {
    node = NEW(Compare, span);
    node->compare.left = left;
    node->depth = left->depth + 1;
  }
  uint32_t cap = node->compare.comparators.cap;
  ADD(node->compare.comparators, right);
  if (node->compare.comparators.cap != cap) {
    uint8_t *ops = asy_arena_alloc(p->arena, node->compare.comparators.cap);
    if (!ops) return node->compare.comparators = NO_LIST, node;
    if (cap) memcpy(ops, node->compare.ops, cap);
    node->compare.ops = ops;
  }
  if (node->compare.comparators.len) node->compare.ops[node->compare.comparators.len - 1] = (uint8_t)op;
  node->span = span;
  if (right->depth >= node->depth) node->depth = right->depth + 1;
  return node;
}

static asy_node *tuple(asy_parser *p, asy_node_list elts, asy_span span) {
  asy_node *node = NEW(Tuple, span);
  node->tuple.elts = elts;
  return SEAL(node);
}

static asy_node *parens(asy_node *node) { return node->parens += node->parens < 2, node; }

static asy_param *param(asy_parser *p, asy_param_kind kind, asy_name *name, asy_node *annotation, asy_node *default_value,
                        asy_span arg_span, asy_span span) {
  asy_param *param = asy_arena_alloc(p->arena, sizeof *param);
  if (!param) return NULL;
  *param = (asy_param){.kind = kind, .default_value = default_value, .span = span};
  if (!name) return param;
  param->arg = NEW(arg, arg_span);
  param->arg->arg.arg = name, param->arg->arg.annotation = annotation;
  SEAL(param->arg);
  return param;
}

static asy_param *linked(asy_param *list, asy_param *last) {
  if (last) last->next = list;   /* last first; check.c turns it round */
  return last;
}

static asy_node *function(asy_parser *p, asy_name *name, asy_node *type_params, asy_param *params, asy_node *returns,
                          asy_node_list body, asy_span span) {
  asy_node *node = NEW(FunctionDef, span);
  node->function_def.name = name;
  node->function_def.args = asy_check_arguments(p, params, false);
  node->function_def.returns = returns;
  node->function_def.body = body;
  if (type_params) node->function_def.type_params = type_params->tuple.elts;
  return SEAL(node);
}

/* `elif` clauses, each an If without orelse, become a chain, from the last one to the first. */
static asy_node_list elif_chain(asy_parser *p, asy_node_list clauses, asy_node_list orelse, asy_span end) {
  for (uint32_t i = clauses.len; i-- > 0;) {
    asy_node *clause = clauses.items[i];
    clause->if_.orelse = orelse;
    clause->span = between(clause->span, end);
    orelse = one(p, SEAL(clause));
  }
  return orelse;
}

static asy_node *if_clause(asy_parser *p, asy_node *test, asy_node_list body, asy_span span) {
  asy_node *node = NEW(If, span);
  node->if_.test = test, node->if_.body = body;
  return node;
}

static asy_node *handler(asy_parser *p, asy_span span, bool star, asy_node *type, asy_name *name, asy_node_list body) {
  asy_node *node = NEW(ExceptHandler, span);
  node->except_handler.type = type, node->except_handler.name = name, node->except_handler.body = body;
  node->parens = star;
  return SEAL(node);
}

static asy_node *import_alias(asy_parser *p, asy_name *name, asy_name *asname, asy_span span) {
  asy_node *node = NEW(alias, span);
  node->alias.name = name, node->alias.asname = asname;
  return node;
}

static asy_name *dotted(asy_parser *p, asy_name *left, asy_name *right) {
  if (!left || !right) return left;
  size_t len = (size_t)left->len + right->len + 1;
  char *text = asy_arena_alloc(p->arena, len);
  if (!text) return left;
  memcpy(text, left->text, left->len);
  text[left->len] = '.';
  memcpy(text + left->len + 1, right->text, right->len);
  asy_name *name = asy_arena_intern(p->arena, text, len);
  return name ? name : left;
}

static asy_node *pattern_value(asy_parser *p, asy_node *value, asy_span span) {
  asy_node *node = NEW(MatchValue, span);
  node->match_value.value = value;
  return SEAL(node);
}

static asy_node *pattern_singleton(asy_parser *p, asy_const_kind kind, asy_span span) {
  asy_node *node = NEW(MatchSingleton, span);
  node->match_singleton.value.kind = (uint8_t)kind;
  return node;
}

static bool is_wildcard(const asy_name *name) { return name && name->len == 1 && name->text[0] == '_'; }

static asy_node *pattern_as(asy_parser *p, asy_node *pattern, asy_name *name, asy_span span) {
  asy_node *node = NEW(MatchAs, span);
  node->match_as.pattern = pattern, node->match_as.name = name;
  return SEAL(node);
}

static asy_node *pattern_sequence(asy_parser *p, asy_node_list patterns, asy_span span) {
  asy_node *node = NEW(MatchSequence, span);
  node->match_sequence.patterns = patterns;
  return SEAL(node);
}

static asy_node *attribute(asy_parser *p, asy_node *value, asy_name *attr, asy_span span) {
  asy_node *node = NEW(Attribute, span);
  node->attribute.value = value, node->attribute.attr = attr;
  return SEAL(node);
}

static asy_node *slice(asy_parser *p, asy_node *lower, asy_node *upper, asy_node *step, asy_span span) {
  asy_node *node = NEW(Slice, span);
  node->slice.lower = lower, node->slice.upper = upper, node->slice.step = step;
  return SEAL(node);
}

static asy_node_list joined_lists(asy_parser *p, asy_node_list list, asy_node_list more) {
  for (uint32_t i = 0; i < more.len; i++) ADD(list, more.items[i]);
  return list;
}

static asy_node *field(asy_parser *p, asy_node *node, asy_node *value, asy_span span) {
  node->formatted_value.value = value;
  node->span = span;
  return SEAL(node);
}

static asy_node *conversion(asy_parser *p, asy_name *name, asy_span name_span, asy_span span) {
  asy_node *node = NEW(FormattedValue, span);
  node->formatted_value.conversion = name ? name->text[0] : -1;
  if (name && (name->len != 1 || !strchr("sra", name->text[0])))
    asy_parser_fail(p, name_span, "f-string: invalid conversion character '%s': expected 's', 'r', or 'a'", name->text);
  return node;
}

static asy_node *starred(asy_parser *p, asy_node *value, asy_span span) {
  asy_node *node = NEW(Starred, span);
  node->starred.value = value;
  return SEAL(node);
}
}

/* --- Tokens. Their texts are in token.h. ----------------------------------------------------------------------------- */

%token END 0
%token NEWLINE INDENT DEDENT START_FILE START_EXPR START_SINGLE
%token FALSE NONE TRUE AND AS ASSERT ASYNC AWAIT BREAK CLASS CONTINUE DEF DEL ELIF ELSE EXCEPT FINALLY FOR FROM GLOBAL IF
%token IMPORT IN IS LAMBDA NONLOCAL NOT OR PASS RAISE RETURN TRY WHILE WITH YIELD MATCH CASE TYPE
%token EQ NE LE GE LSHIFT RSHIFT POW FLOORDIV ARROW WALRUS ELLIPSIS
%token ADD_ASSIGN SUB_ASSIGN MUL_ASSIGN DIV_ASSIGN FLOORDIV_ASSIGN MOD_ASSIGN MATMUL_ASSIGN AND_ASSIGN OR_ASSIGN XOR_ASSIGN
%token LSHIFT_ASSIGN RSHIFT_ASSIGN POW_ASSIGN
%token <name> NAME
%token <token> NUMBER STRING FSTRING_START FSTRING_MIDDLE FSTRING_END

%left OR
%left AND
%precedence NOT
%left '|'
%left '^'
%left '&'
%left LSHIFT RSHIFT
%left '+' '-'
%left '*' '/' '%' '@' FLOORDIV
%precedence SIGN
%right POW

%type <list> stmts simple_line simple_list block else_opt finally_opt elifs handlers decorators with_items cases
%type <node> stmt simple_stmt expr_stmt compound_stmt assign if_stmt while_stmt for_stmt try_stmt with_stmt with_header
%type <node> funcdef classdef decorated async_stmt match_stmt match_case guard_opt handler with_item
%type <node> test namedexpr or_test comparison expr primary star_expr star_or_test testlist testlist_star yield_expr value_expr
%type <node> test_opt slices slice_item
%type <node> exprlist expr_or_star comp_for paren_item set_item argument named_argument lambda subject star_or_named returns_opt annotation_star
%type <node> type_params_opt type_param field_tail strings_part
%type <list> testlist_items testlist_star_items exprlist_items comps paren_items set_items dict_items arguments arguments_opt ifs
%type <list> slice_items type_params strings subject_items
%type <op> augassign comp_op dots
%type <name> dotted_name as_name_opt import_module
%type <names> name_list
%type <list> import_names dotted_as_names from_names
%type <node> dotted_as_name from_name
%type <param> params params_opt param lambda_params lambda_params_opt lambda_param
%type <node> pattern or_pattern closed_pattern open_pattern star_pattern sequence_item name_or_attr pattern_literal signed_number
%type <node> mapping_key
%type <list> pattern_items fstring_parts spec_parts field or_patterns
%type <node> mapping_items class_items

%%

start:
    START_FILE file_body END
  | START_EXPR testlist newlines END      { p->result = NEW(Expression, @2); p->result->expression.body = $2; SEAL(p->result); }
  | START_SINGLE stmts END                { p->result = NEW(Interactive, @2); p->result->interactive.body = $2; SEAL(p->result); }
  ;

file_body:
    stmts                                 { p->result = NEW(Module, @1); p->result->module.body = $1; SEAL(p->result); }
  ;

newlines: %empty | newlines NEWLINE ;

/* --- Statements ------------------------------------------------------------------------------------------------------ */

stmts:
    %empty                                { $$ = NO_LIST; }
  | stmts stmt                            { $$ = $1; ADD($$, $2); }
  | stmts simple_line                     { $$ = joined_lists(p, $1, $2); }
  ;

stmt: compound_stmt ;

simple_line:
    simple_list NEWLINE
  | simple_list ';' NEWLINE
  ;

simple_list:
    simple_stmt                           { $$ = one(p, $1); }
  | simple_list ';' simple_stmt           { $$ = $1; ADD($$, $3); }
  ;

block:
    simple_line
  | NEWLINE INDENT stmts DEDENT           { $$ = $3; }
  ;

simple_stmt:
    expr_stmt
  | DEL testlist_star {
      $$ = NEW(Delete, @$);
      if ($2->kind == AST_Tuple && !$2->parens) $$->delete_.targets = $2->tuple.elts;
      else ADD($$->delete_.targets, $2);
      for (uint32_t i = 0; i < $$->delete_.targets.len; i++) asy_check_target(p, $$->delete_.targets.items[i], TARGET_DELETE, NULL);
      SEAL($$);
    }
  | PASS                                  { $$ = NEW(Pass, @$); }
  | BREAK                                 { $$ = NEW(Break, @$); }
  | CONTINUE                              { $$ = NEW(Continue, @$); }
  | RETURN                                { $$ = NEW(Return, @$); }
  | RETURN testlist_star                  { $$ = NEW(Return, @$); $$->return_.value = $2; SEAL($$); }
  | RAISE                                 { $$ = NEW(Raise, @$); }
  | RAISE test                            { $$ = NEW(Raise, @$); $$->raise.exc = $2; SEAL($$); }
  | RAISE test FROM test                  { $$ = NEW(Raise, @$); $$->raise.exc = $2; $$->raise.cause = $4; SEAL($$); }
  | GLOBAL name_list                      { $$ = NEW(Global, @$); $$->global.names = $2; }
  | NONLOCAL name_list                    { $$ = NEW(Nonlocal, @$); $$->global.names = $2; }
  | ASSERT test                           { $$ = NEW(Assert, @$); $$->assert_.test = $2; SEAL($$); }
  | ASSERT test ',' test                  { $$ = NEW(Assert, @$); $$->assert_.test = $2; $$->assert_.msg = $4; SEAL($$); }
  | IMPORT dotted_as_names                { $$ = NEW(Import, @$); $$->import.names = $2; SEAL($$); }
  | FROM dots import_module IMPORT import_names {
      $$ = NEW(ImportFrom, @$);
      $$->import_from.module = $3, $$->import_from.names = $5, $$->import_from.level = $2;
      SEAL($$);
    }
  | FROM dotted_name IMPORT import_names {
      $$ = NEW(ImportFrom, @$);
      $$->import_from.module = $2, $$->import_from.names = $4;
      SEAL($$);
    }
  | TYPE NAME type_params_opt '=' test {
      $$ = NEW(TypeAlias, @$);
      $$->type_alias.name = name_node(p, $2, @2), $$->type_alias.value = $5;
      $$->type_alias.name->name.ctx = AST_Store;
      if ($3) $$->type_alias.type_params = $3->tuple.elts;
      SEAL($$);
    }
  ;

expr_stmt:
    value_expr                            { $$ = NEW(Expr, @$); $$->expr.value = $1; SEAL($$); }
  | testlist_star ':' test                { $$ = NEW(AnnAssign, @$); $$->ann_assign.target = $1; $$->ann_assign.annotation = $3;
                                            asy_check_ann_target(p, $$); SEAL($$); }
  | testlist_star ':' test '=' value_expr { $$ = NEW(AnnAssign, @$); $$->ann_assign.target = $1; $$->ann_assign.annotation = $3;
                                            $$->ann_assign.value = $5; asy_check_ann_target(p, $$); SEAL($$); }
  | testlist_star augassign value_expr    { asy_check_aug_target(p, $1); $$ = NEW(AugAssign, @$); $$->aug_assign.target = $1;
                                            $$->aug_assign.op = (asy_ast_op)$2; $$->aug_assign.value = $3; SEAL($$); }
  | assign {
      asy_node_list *targets = &$1->assign.targets;
      for (uint32_t i = 0; i < targets->len; i++)
        asy_check_target(p, targets->items[i], TARGET_ASSIGN, targets->len == 1 ? $1->assign.value : NULL);
      $$ = SEAL($1);
    }
  ;

/* Every expression but the last is a target. */
assign:
    value_expr '=' value_expr             { $$ = NEW(Assign, @$); ADD($$->assign.targets, $1); $$->assign.value = $3; }
  | assign '=' value_expr                 { $$ = $1; ADD($$->assign.targets, $$->assign.value); $$->assign.value = $3; $$->span = @$; }
  ;

value_expr: testlist_star | yield_expr ;

augassign:
    ADD_ASSIGN      { $$ = AST_Add; }     | SUB_ASSIGN    { $$ = AST_Sub; }    | MUL_ASSIGN    { $$ = AST_Mult; }
  | DIV_ASSIGN      { $$ = AST_Div; }     | MOD_ASSIGN    { $$ = AST_Mod; }    | MATMUL_ASSIGN { $$ = AST_MatMult; }
  | FLOORDIV_ASSIGN { $$ = AST_FloorDiv; } | AND_ASSIGN   { $$ = AST_BitAnd; } | OR_ASSIGN     { $$ = AST_BitOr; }
  | XOR_ASSIGN      { $$ = AST_BitXor; }  | LSHIFT_ASSIGN { $$ = AST_LShift; } | RSHIFT_ASSIGN { $$ = AST_RShift; }
  | POW_ASSIGN      { $$ = AST_Pow; }
  ;

name_list:
    NAME                                  { $$ = (asy_name_list){0}; asy_name_list_add(p->arena, &$$, $1); }
  | name_list ',' NAME                    { $$ = $1; asy_name_list_add(p->arena, &$$, $3); }
  ;

dotted_name:
    NAME
  | dotted_name '.' NAME                  { $$ = dotted(p, $1, $3); }
  ;

as_name_opt:
    %empty                                { $$ = NULL; }
  | AS NAME                               { $$ = $2; }
  ;

dotted_as_name: dotted_name as_name_opt   { $$ = import_alias(p, $1, $2, $2 ? @$ : @1); } ;

dotted_as_names:
    dotted_as_name                        { $$ = one(p, $1); }
  | dotted_as_names ',' dotted_as_name    { $$ = $1; ADD($$, $3); }
  ;

dots:
    '.'                                   { $$ = 1; }
  | ELLIPSIS                              { $$ = 3; }
  | dots '.'                              { $$ = $1 + 1; }
  | dots ELLIPSIS                         { $$ = $1 + 3; }
  ;

import_module:
    %empty                                { $$ = NULL; }
  | dotted_name
  ;

import_names:
    '*'                                   { $$ = one(p, import_alias(p, asy_arena_intern(p->arena, "*", 1), NULL, @1)); }
  | from_names
  | '(' from_names ')'                    { $$ = $2; }
  | '(' from_names ',' ')'                { $$ = $2; }
  ;

from_name: NAME as_name_opt               { $$ = import_alias(p, $1, $2, $2 ? @$ : @1); } ;

from_names:
    from_name                             { $$ = one(p, $1); }
  | from_names ',' from_name              { $$ = $1; ADD($$, $3); }
  ;

/* --- Compound statements --------------------------------------------------------------------------------------------- */

compound_stmt: if_stmt | while_stmt | for_stmt | try_stmt | with_stmt | funcdef | classdef | decorated | async_stmt | match_stmt ;

else_opt:
    %empty                                { $$ = NO_LIST; }
  | ELSE ':' block                        { $$ = $3; }
  ;

finally_opt:
    %empty                                { $$ = NO_LIST; }
  | FINALLY ':' block                     { $$ = $3; }
  ;

if_stmt:
    IF namedexpr ':' block elifs else_opt {
      asy_node *first = if_clause(p, $2, $4, @1);
      asy_node_list clauses = one(p, first);
      for (uint32_t i = 0; i < $5.len; i++) ADD(clauses, $5.items[i]);
      elif_chain(p, clauses, $6, @$);
      $$ = first;
    }
  ;

elifs:
    %empty                                { $$ = NO_LIST; }
  | elifs ELIF namedexpr ':' block        { $$ = $1; ADD($$, if_clause(p, $3, $5, @2)); }
  ;

while_stmt:
    WHILE namedexpr ':' block else_opt {
      $$ = NEW(While, @$);
      $$->while_.test = $2, $$->while_.body = $4, $$->while_.orelse = $5;
      SEAL($$);
    }
  ;

for_stmt:
    FOR exprlist IN testlist_star ':' block else_opt {
      $$ = NEW(For, @$);
      asy_check_target(p, $2, TARGET_FOR, NULL);
      $$->for_.target = $2, $$->for_.iter = $4, $$->for_.body = $6, $$->for_.orelse = $7;
      SEAL($$);
    }
  ;

try_stmt:
    TRY ':' block handlers else_opt finally_opt {
      $$ = asy_check_try(p, $3, $4, $5, $6, @$);
    }
  | TRY ':' block FINALLY ':' block       { $$ = asy_check_try(p, $3, NO_LIST, NO_LIST, $6, @$); }
  ;

handlers:
    handler                               { $$ = one(p, $1); }
  | handlers handler                      { $$ = $1; ADD($$, $2); }
  ;

handler:
    EXCEPT ':' block                      { $$ = handler(p, @$, false, NULL, NULL, $3); }
  | EXCEPT test as_name_opt ':' block     { $$ = handler(p, @$, false, $2, $3, $5); }
  | EXCEPT '*' test as_name_opt ':' block { $$ = handler(p, @$, true, $3, $4, $6); }
  ;

with_stmt: with_header block              { $$ = $1; $$->with.body = $2; $$->span = @$; SEAL($$); } ;

with_header: WITH with_items ':'          { $$ = asy_check_with(p, $2, @1); } ;

with_items:
    with_item                             { $$ = one(p, $1); }
  | with_items ',' with_item              { $$ = $1; ADD($$, $3); }
  ;

with_item:
    test                                  { $$ = NEW(withitem, @$); $$->withitem.context_expr = $1; SEAL($$); }
  | test AS expr                          { $$ = NEW(withitem, @$); $$->withitem.context_expr = $1; $$->withitem.optional_vars = $3;
                                            asy_check_target(p, $3, TARGET_WITH, NULL); SEAL($$); }
  ;

funcdef:
    DEF NAME type_params_opt '(' params_opt ')' returns_opt ':' block { $$ = function(p, $2, $3, $5, $7, $9, @$); }
  ;

returns_opt:
    %empty                                { $$ = NULL; }
  | ARROW test                            { $$ = $2; }
  ;

params_opt:
    %empty                                { $$ = NULL; }
  | params
  | params ','
  ;

params:
    param
  | params ',' param                      { $$ = linked($1, $3); }
  ;

param:
    NAME                                  { $$ = param(p, PARAM_PLAIN, $1, NULL, NULL, @1, @$); }
  | NAME ':' test                         { $$ = param(p, PARAM_PLAIN, $1, $3, NULL, @$, @$); }
  | NAME '=' test                         { $$ = param(p, PARAM_PLAIN, $1, NULL, $3, @1, @$); }
  | NAME ':' test '=' test                { $$ = param(p, PARAM_PLAIN, $1, $3, $5, between(@1, @3), @$); }
  | '*'                                   { $$ = param(p, PARAM_BARE_STAR, NULL, NULL, NULL, @1, @$); }
  | '*' NAME                              { $$ = param(p, PARAM_STAR, $2, NULL, NULL, @2, @$); }
  | '*' NAME ':' annotation_star          { $$ = param(p, PARAM_STAR, $2, $4, NULL, between(@2, @4), @$); }
  | POW NAME                              { $$ = param(p, PARAM_DOUBLE_STAR, $2, NULL, NULL, @2, @$); }
  | POW NAME ':' test                     { $$ = param(p, PARAM_DOUBLE_STAR, $2, $4, NULL, between(@2, @4), @$); }
  | '/'                                   { $$ = param(p, PARAM_SLASH, NULL, NULL, NULL, @1, @$); }
  ;

annotation_star: test | star_expr ;

lambda_params_opt:
    %empty                                { $$ = NULL; }
  | lambda_params
  | lambda_params ','
  ;

lambda_params:
    lambda_param
  | lambda_params ',' lambda_param        { $$ = linked($1, $3); }
  ;

lambda_param:
    NAME                                  { $$ = param(p, PARAM_PLAIN, $1, NULL, NULL, @1, @$); }
  | NAME '=' test                         { $$ = param(p, PARAM_PLAIN, $1, NULL, $3, @1, @$); }
  | '*'                                   { $$ = param(p, PARAM_BARE_STAR, NULL, NULL, NULL, @1, @$); }
  | '*' NAME                              { $$ = param(p, PARAM_STAR, $2, NULL, NULL, @2, @$); }
  | POW NAME                              { $$ = param(p, PARAM_DOUBLE_STAR, $2, NULL, NULL, @2, @$); }
  | '/'                                   { $$ = param(p, PARAM_SLASH, NULL, NULL, NULL, @1, @$); }
  ;

classdef:
    CLASS NAME type_params_opt ':' block {
      $$ = NEW(ClassDef, @$);
      $$->class_def.name = $2, $$->class_def.body = $5;
      if ($3) $$->class_def.type_params = $3->tuple.elts;
      SEAL($$);
    }
  | CLASS NAME type_params_opt '(' arguments_opt ')' ':' block {
      $$ = NEW(ClassDef, @$);
      $$->class_def.name = $2, $$->class_def.body = $8;
      if ($3) $$->class_def.type_params = $3->tuple.elts;
      asy_check_bases(p, $$, &$5);
      SEAL($$);
    }
  ;

decorated:
    decorators funcdef                    { $$ = $2; $$->function_def.decorator_list = $1; SEAL($$); }
  | decorators classdef                   { $$ = $2; $$->class_def.decorator_list = $1; SEAL($$); }
  | decorators ASYNC funcdef              { $$ = $3; $$->kind = AST_AsyncFunctionDef; $$->span = between(@2, $$->span);
                                            $$->function_def.decorator_list = $1; SEAL($$); }
  ;

decorators:
    '@' namedexpr NEWLINE                 { $$ = one(p, $2); }
  | decorators '@' namedexpr NEWLINE      { $$ = $1; ADD($$, $3); }
  ;

async_stmt:
    ASYNC funcdef                         { $$ = $2; $$->kind = AST_AsyncFunctionDef; $$->span = between(@1, $$->span); }
  | ASYNC with_stmt                       { $$ = $2; $$->kind = AST_AsyncWith; $$->span = between(@1, $$->span); }
  | ASYNC for_stmt                        { $$ = $2; $$->kind = AST_AsyncFor; $$->span = between(@1, $$->span); }
  ;

type_params_opt:
    %empty                                { $$ = NULL; }
  | '[' type_params ']'                   { $$ = asy_check_type_params(p, $2, @$); }
  | '[' type_params ',' ']'               { $$ = asy_check_type_params(p, $2, @$); }
  ;

type_params:
    type_param                            { $$ = one(p, $1); }
  | type_params ',' type_param            { $$ = $1; ADD($$, $3); }
  ;

type_param:
    NAME                                  { $$ = NEW(TypeVar, @$); $$->type_var.name = $1; }
  | NAME ':' test                         { $$ = NEW(TypeVar, @$); $$->type_var.name = $1; $$->type_var.bound = $3; SEAL($$); }
  | NAME '=' test                         { $$ = NEW(TypeVar, @$); $$->type_var.name = $1; $$->type_var.default_value = $3; SEAL($$); }
  | NAME ':' test '=' test                { $$ = NEW(TypeVar, @$); $$->type_var.name = $1; $$->type_var.bound = $3;
                                            $$->type_var.default_value = $5; SEAL($$); }
  | '*' NAME                              { $$ = NEW(TypeVarTuple, @$); $$->param_spec.name = $2; }
  | '*' NAME '=' annotation_star          { $$ = NEW(TypeVarTuple, @$); $$->param_spec.name = $2; $$->param_spec.default_value = $4; SEAL($$); }
  | POW NAME                              { $$ = NEW(ParamSpec, @$); $$->param_spec.name = $2; }
  | POW NAME '=' test                     { $$ = NEW(ParamSpec, @$); $$->param_spec.name = $2; $$->param_spec.default_value = $4; SEAL($$); }
  ;

/* --- match ----------------------------------------------------------------------------------------------------------- */

match_stmt:
    MATCH subject ':' NEWLINE INDENT cases DEDENT {
      $$ = NEW(Match, @$);
      $$->match.subject = $2, $$->match.cases = $6;
      SEAL($$);
    }
  ;

subject:
    star_or_named
  | star_or_named ','                     { $$ = tuple(p, one(p, $1), @$); }
  | subject_items                         { $$ = tuple(p, $1, @$); }
  | subject_items ','                     { $$ = tuple(p, $1, @$); }
  ;

subject_items:
    star_or_named ',' star_or_named       { $$ = one(p, $1); ADD($$, $3); }
  | subject_items ',' star_or_named       { $$ = $1; ADD($$, $3); }
  ;

star_or_named: namedexpr | star_expr ;

cases:
    match_case                            { $$ = one(p, $1); }
  | cases match_case                      { $$ = $1; ADD($$, $2); }
  ;

match_case:
    CASE open_pattern guard_opt ':' block { $$ = NEW(match_case, @$); $$->match_case.pattern = $2; $$->match_case.guard = $3;
                                            $$->match_case.body = $5; SEAL($$); }
  ;

guard_opt:
    %empty                                { $$ = NULL; }
  | IF namedexpr                          { $$ = $2; }
  ;

open_pattern:
    sequence_item {
      $$ = $1;
      if ($1->kind == AST_MatchStar) asy_parser_fail(p, @1, "invalid syntax");
    }
  | sequence_item ','                     { $$ = pattern_sequence(p, one(p, $1), @$); }
  | sequence_item ',' pattern_items       { $$ = pattern_sequence(p, joined_lists(p, one(p, $1), $3), @$); }
  | sequence_item ',' pattern_items ','   { $$ = pattern_sequence(p, joined_lists(p, one(p, $1), $3), @$); }
  ;

pattern_items:
    sequence_item                         { $$ = one(p, $1); }
  | pattern_items ',' sequence_item       { $$ = $1; ADD($$, $3); }
  ;

sequence_item: pattern | star_pattern ;

star_pattern: '*' NAME                    { $$ = NEW(MatchStar, @$); $$->match_star.name = is_wildcard($2) ? NULL : $2; } ;

pattern:
    or_pattern
  | or_pattern AS NAME {
      if (is_wildcard($3)) asy_parser_fail(p, @3, "cannot use '_' as a target");
      $$ = pattern_as(p, $1, $3, @$);
    }
  ;

or_pattern:
    or_patterns {
      $$ = $1.len ? $1.items[0] : NEW(MatchOr, @$);
      if ($1.len > 1) { $$ = NEW(MatchOr, @$); $$->match_or.patterns = $1; SEAL($$); }
    }
  ;

or_patterns:
    closed_pattern                        { $$ = one(p, $1); }
  | or_patterns '|' closed_pattern        { $$ = $1; ADD($$, $3); }
  ;

closed_pattern:
    pattern_literal                       { $$ = pattern_value(p, $1, @$); }
  | NONE                                  { $$ = pattern_singleton(p, CONST_NONE, @$); }
  | TRUE                                  { $$ = pattern_singleton(p, CONST_TRUE, @$); }
  | FALSE                                 { $$ = pattern_singleton(p, CONST_FALSE, @$); }
  | name_or_attr {
      if ($1->kind == AST_Attribute) $$ = pattern_value(p, $1, @$);
      else $$ = pattern_as(p, NULL, is_wildcard($1->name.id) ? NULL : $1->name.id, @$);
    }
  | '(' pattern ')'                       { $$ = $2; }
  | '(' ')'                               { $$ = pattern_sequence(p, NO_LIST, @$); }
  | '(' star_pattern ')'                  { $$ = $2; asy_parser_fail(p, @2, "invalid syntax"); }
  | '(' sequence_item ',' ')'             { $$ = pattern_sequence(p, one(p, $2), @$); }
  | '(' sequence_item ',' pattern_items ')' { $$ = pattern_sequence(p, joined_lists(p, one(p, $2), $4), @$); }
  | '(' sequence_item ',' pattern_items ',' ')' { $$ = pattern_sequence(p, joined_lists(p, one(p, $2), $4), @$); }
  | '[' ']'                               { $$ = pattern_sequence(p, NO_LIST, @$); }
  | '[' pattern_items ']'                 { $$ = pattern_sequence(p, $2, @$); }
  | '[' pattern_items ',' ']'             { $$ = pattern_sequence(p, $2, @$); }
  | '{' '}'                               { $$ = NEW(MatchMapping, @$); }
  | '{' mapping_items '}'                 { $$ = $2; $$->span = @$; SEAL($$); }
  | '{' mapping_items ',' '}'             { $$ = $2; $$->span = @$; SEAL($$); }
  | name_or_attr '(' ')'                  { $$ = NEW(MatchClass, @$); $$->match_class.cls = $1; SEAL($$); }
  | name_or_attr '(' class_items ')'      { $$ = $3; $$->span = @$; $$->match_class.cls = $1; SEAL($$); }
  | name_or_attr '(' class_items ',' ')'  { $$ = $3; $$->span = @$; $$->match_class.cls = $1; SEAL($$); }
  ;

name_or_attr:
    NAME                                  { $$ = name_node(p, $1, @$); }
  | name_or_attr '.' NAME                 { $$ = attribute(p, $1, $3, @$); }
  ;

pattern_literal:
    signed_number
  | signed_number '+' NUMBER              { $$ = asy_check_complex(p, binary(p, $1, AST_Add, asy_literal_number(p, $3.start, $3.len, @3), @$)); }
  | signed_number '-' NUMBER              { $$ = asy_check_complex(p, binary(p, $1, AST_Sub, asy_literal_number(p, $3.start, $3.len, @3), @$)); }
  | strings {
      $$ = asy_literal_concat(p, $1, @$);
      if ($$->kind == AST_JoinedStr) asy_parser_fail(p, @$, "patterns may only match literals and attribute lookups");
    }
  ;

signed_number:
    NUMBER                                { $$ = asy_literal_number(p, $1.start, $1.len, @1); }
  | '-' NUMBER                            { $$ = unary(p, AST_USub, asy_literal_number(p, $2.start, $2.len, @2), @$); }
  ;

mapping_items:
    mapping_key ':' pattern               { $$ = NEW(MatchMapping, @$); ADD($$->match_mapping.keys, $1); ADD($$->match_mapping.patterns, $3); }
  | POW NAME                              { $$ = NEW(MatchMapping, @$); $$->match_mapping.rest = $2; }
  | mapping_items ',' mapping_key ':' pattern {
      $$ = $1;
      if ($1->match_mapping.rest) asy_parser_fail(p, @3, "invalid syntax");
      ADD($$->match_mapping.keys, $3);
      ADD($$->match_mapping.patterns, $5);
    }
  | mapping_items ',' POW NAME {
      $$ = $1;
      if ($1->match_mapping.rest) asy_parser_fail(p, @3, "invalid syntax");
      $$->match_mapping.rest = $4;
    }
  ;

mapping_key:
    pattern_literal
  | NONE                                  { $$ = constant(p, CONST_NONE, @$); }
  | TRUE                                  { $$ = constant(p, CONST_TRUE, @$); }
  | FALSE                                 { $$ = constant(p, CONST_FALSE, @$); }
  | name_or_attr                          { $$ = $1; if ($1->kind == AST_Name) asy_parser_fail(p, @1, "invalid syntax"); }
  ;

class_items:
    pattern                               { $$ = NEW(MatchClass, @$); ADD($$->match_class.patterns, $1); }
  | NAME '=' pattern                      { $$ = NEW(MatchClass, @$); asy_name_list_add(p->arena, &$$->match_class.kwd_attrs, $1);
                                            ADD($$->match_class.kwd_patterns, $3); }
  | class_items ',' pattern {
      $$ = $1;
      if ($1->match_class.kwd_patterns.len) asy_parser_fail(p, @3, "positional patterns follow keyword patterns");
      ADD($$->match_class.patterns, $3);
    }
  | class_items ',' NAME '=' pattern      { $$ = $1; asy_name_list_add(p->arena, &$$->match_class.kwd_attrs, $3);
                                            ADD($$->match_class.kwd_patterns, $5); }
  ;

/* --- Expressions ----------------------------------------------------------------------------------------------------- */

testlist:
    test
  | test ','                              { $$ = tuple(p, one(p, $1), @$); }
  | testlist_items                        { $$ = tuple(p, $1, @$); }
  | testlist_items ','                    { $$ = tuple(p, $1, @$); }
  ;

testlist_items:
    test ',' test                         { $$ = one(p, $1); ADD($$, $3); }
  | testlist_items ',' test               { $$ = $1; ADD($$, $3); }
  ;

testlist_star:
    star_or_test
  | star_or_test ','                      { $$ = tuple(p, one(p, $1), @$); }
  | testlist_star_items                   { $$ = tuple(p, $1, @$); }
  | testlist_star_items ','               { $$ = tuple(p, $1, @$); }
  ;

testlist_star_items:
    star_or_test ',' star_or_test         { $$ = one(p, $1); ADD($$, $3); }
  | testlist_star_items ',' star_or_test  { $$ = $1; ADD($$, $3); }
  ;

star_or_test: test | star_expr ;

star_expr: '*' expr                       { $$ = starred(p, $2, @$); } ;

/* Targets of `for` and `del`: below comparison, so that `in` ends them. */
exprlist:
    expr_or_star
  | expr_or_star ','                      { $$ = tuple(p, one(p, $1), @$); }
  | exprlist_items                        { $$ = tuple(p, $1, @$); }
  | exprlist_items ','                    { $$ = tuple(p, $1, @$); }
  ;

exprlist_items:
    expr_or_star ',' expr_or_star         { $$ = one(p, $1); ADD($$, $3); }
  | exprlist_items ',' expr_or_star       { $$ = $1; ADD($$, $3); }
  ;

expr_or_star: expr | star_expr ;

yield_expr:
    YIELD                                 { $$ = NEW(Yield, @$); }
  | YIELD testlist_star                   { $$ = NEW(Yield, @$); $$->yield.value = $2; SEAL($$); }
  | YIELD FROM test                       { $$ = NEW(YieldFrom, @$); $$->yield_from.value = $3; SEAL($$); }
  ;

namedexpr:
    test
  | test WALRUS test                      { $$ = asy_check_named_expr(p, $1, $3, @$); }
  ;

test:
    or_test
  | or_test IF or_test ELSE test          { $$ = NEW(IfExp, @$); $$->if_exp.body = $1; $$->if_exp.test = $3; $$->if_exp.orelse = $5;
                                            SEAL($$); }
  | lambda
  ;

lambda: LAMBDA lambda_params_opt ':' test { $$ = NEW(Lambda, @$); $$->lambda.args = asy_check_arguments(p, $2, true);
                                            $$->lambda.body = $4; SEAL($$); } ;

or_test:
    comparison
  | or_test OR or_test                    { $$ = boolean(p, $1, AST_Or, $3, @$); }
  | or_test AND or_test                   { $$ = boolean(p, $1, AST_And, $3, @$); }
  | NOT or_test                           { $$ = unary(p, AST_Not, $2, @$); }
  ;

comparison:
    expr
  | comparison comp_op expr               { $$ = compare(p, $1, (asy_ast_op)$2, $3, @$); }
  ;

comp_op:
    EQ  { $$ = AST_Eq; } | NE { $$ = AST_NotEq; } | '<' { $$ = AST_Lt; } | LE     { $$ = AST_LtE; }   | '>'    { $$ = AST_Gt; }
  | GE  { $$ = AST_GtE; } | IN { $$ = AST_In; }   | IS  { $$ = AST_Is; } | NOT IN { $$ = AST_NotIn; } | IS NOT { $$ = AST_IsNot; }
  ;

expr:
    primary
  | AWAIT primary                         { $$ = NEW(Await, @$); $$->await.value = $2; SEAL($$); }
  | expr '|' expr                         { $$ = binary(p, $1, AST_BitOr, $3, @$); }
  | expr '^' expr                         { $$ = binary(p, $1, AST_BitXor, $3, @$); }
  | expr '&' expr                         { $$ = binary(p, $1, AST_BitAnd, $3, @$); }
  | expr LSHIFT expr                      { $$ = binary(p, $1, AST_LShift, $3, @$); }
  | expr RSHIFT expr                      { $$ = binary(p, $1, AST_RShift, $3, @$); }
  | expr '+' expr                         { $$ = binary(p, $1, AST_Add, $3, @$); }
  | expr '-' expr                         { $$ = binary(p, $1, AST_Sub, $3, @$); }
  | expr '*' expr                         { $$ = binary(p, $1, AST_Mult, $3, @$); }
  | expr '/' expr                         { $$ = binary(p, $1, AST_Div, $3, @$); }
  | expr '%' expr                         { $$ = binary(p, $1, AST_Mod, $3, @$); }
  | expr '@' expr                         { $$ = binary(p, $1, AST_MatMult, $3, @$); }
  | expr FLOORDIV expr                    { $$ = binary(p, $1, AST_FloorDiv, $3, @$); }
  | '+' expr %prec SIGN                   { $$ = unary(p, AST_UAdd, $2, @$); }
  | '-' expr %prec SIGN                   { $$ = unary(p, AST_USub, $2, @$); }
  | '~' expr %prec SIGN                   { $$ = unary(p, AST_Invert, $2, @$); }
  | expr POW expr                         { $$ = binary(p, $1, AST_Pow, $3, @$); }
  ;

primary:
    NAME                                  { $$ = name_node(p, $1, @$); }
  | NUMBER                                { $$ = asy_literal_number(p, $1.start, $1.len, @1); }
  | strings                               { $$ = asy_literal_concat(p, $1, @$); }
  | NONE                                  { $$ = constant(p, CONST_NONE, @$); }
  | TRUE                                  { $$ = constant(p, CONST_TRUE, @$); }
  | FALSE                                 { $$ = constant(p, CONST_FALSE, @$); }
  | ELLIPSIS                              { $$ = constant(p, CONST_ELLIPSIS, @$); }
  | '(' ')'                               { $$ = parens(tuple(p, NO_LIST, @$)); }
  | '(' yield_expr ')'                    { $$ = parens($2); }
  | '(' paren_items ')'                   { $$ = asy_check_paren(p, $2, false, @$); }
  | '(' paren_items ',' ')'               { $$ = asy_check_paren(p, $2, true, @$); }
  | '(' paren_item comps ')'              { $$ = asy_check_comprehension(p, AST_GeneratorExp, one(p, $2), $3, @$); }
  | '[' ']'                               { $$ = NEW(List, @$); }
  | '[' set_items ']'                     { $$ = NEW(List, @$); $$->list.elts = $2; SEAL($$); }
  | '[' set_items ',' ']'                 { $$ = NEW(List, @$); $$->list.elts = $2; SEAL($$); }
  | '[' set_items comps ']'               { $$ = asy_check_comprehension(p, AST_ListComp, $2, $3, @$); }
  | '{' '}'                               { $$ = NEW(Dict, @$); }
  | '{' set_items '}'                     { $$ = NEW(Set, @$); $$->set.elts = $2; SEAL($$); }
  | '{' set_items ',' '}'                 { $$ = NEW(Set, @$); $$->set.elts = $2; SEAL($$); }
  | '{' set_items comps '}'               { $$ = asy_check_comprehension(p, AST_SetComp, $2, $3, @$); }
  | '{' dict_items '}'                    { $$ = asy_check_dict(p, $2, @$); }
  | '{' dict_items ',' '}'                { $$ = asy_check_dict(p, $2, @$); }
  | '{' dict_items comps '}'              { $$ = asy_check_comprehension(p, AST_DictComp, $2, $3, @$); }
  | primary '.' NAME                      { $$ = attribute(p, $1, $3, @$); }
  | primary '(' arguments_opt ')'         { $$ = asy_check_call(p, $1, &$3, @$, @2); }
  | primary '[' slices ']'                { $$ = NEW(Subscript, @$); $$->subscript.value = $1; $$->subscript.slice = $3; SEAL($$); }
  ;

paren_items:
    paren_item                            { $$ = one(p, $1); }
  | paren_items ',' paren_item            { $$ = $1; ADD($$, $3); }
  ;

paren_item:
    namedexpr
  | star_expr
  | test AS expr                          { $$ = NEW(withitem, @$); $$->withitem.context_expr = $1; $$->withitem.optional_vars = $3; SEAL($$); }
  ;

set_items:
    set_item                              { $$ = one(p, $1); }
  | set_items ',' set_item                { $$ = $1; ADD($$, $3); }
  ;

set_item: namedexpr | star_expr ;

/* Keys and values in turn; NULL is the key of `**value`. */
dict_items:
    test ':' test                         { $$ = one(p, $1); ADD($$, $3); }
  | POW expr                              { $$ = one(p, NULL); ADD($$, $2); }
  | dict_items ',' test ':' test          { $$ = $1; ADD($$, $3); ADD($$, $5); }
  | dict_items ',' POW expr               { $$ = $1; ADD($$, NULL); ADD($$, $4); }
  ;

slices:
    slice_item                            { $$ = $1; if ($1->kind == AST_Starred) $$ = tuple(p, one(p, $1), @$); }
  | slice_item ','                        { $$ = tuple(p, one(p, $1), @$); }
  | slice_items                           { $$ = tuple(p, $1, @$); }
  | slice_items ','                       { $$ = tuple(p, $1, @$); }
  ;

slice_items:
    slice_item ',' slice_item             { $$ = one(p, $1); ADD($$, $3); }
  | slice_items ',' slice_item            { $$ = $1; ADD($$, $3); }
  ;

slice_item:
    namedexpr
  | star_expr
  | test_opt ':' test_opt                 { $$ = slice(p, $1, $3, NULL, between($1 ? @1 : @2, $3 ? @3 : @2)); }
  | test_opt ':' test_opt ':' test_opt    { $$ = slice(p, $1, $3, $5, between($1 ? @1 : @2, $5 ? @5 : @4)); }
  ;

test_opt:
    %empty                                { $$ = NULL; }
  | test
  ;

arguments_opt:
    %empty                                { $$ = NO_LIST; }
  | arguments
  | arguments ','                         { $$ = $1; asy_check_trailing_comma(p, &$1); }
  ;

arguments:
    argument                              { $$ = one(p, $1); }
  | arguments ',' argument                { $$ = $1; ADD($$, $3); }
  ;

named_argument:
    test
  | test WALRUS test                      { $$ = asy_check_named_argument(p, $1, $3, @$, @2); }
  ;

argument:
    named_argument
  | named_argument comps                  { $$ = asy_check_comprehension(p, AST_GeneratorExp, one(p, $1), $2, @$); $$->parens = 0; }
  | test '=' test                         { $$ = asy_check_keyword(p, $1, $3, @$, @2); }
  | '*' test                              { $$ = starred(p, $2, @$); }
  | POW test                              { $$ = NEW(keyword, @$); $$->keyword.value = $2; SEAL($$); }
  ;

comps:
    comp_for                              { $$ = one(p, $1); }
  | comps comp_for                        { $$ = $1; ADD($$, $2); }
  ;

comp_for:
    FOR exprlist IN or_test ifs {
      $$ = NEW(comprehension, @$);
      asy_check_target(p, $2, TARGET_FOR, NULL);
      $$->comprehension.target = $2, $$->comprehension.iter = $4, $$->comprehension.ifs = $5;
      SEAL($$);
    }
  | ASYNC FOR exprlist IN or_test ifs {
      $$ = NEW(comprehension, @$);
      asy_check_target(p, $3, TARGET_FOR, NULL);
      $$->comprehension.target = $3, $$->comprehension.iter = $5, $$->comprehension.ifs = $6, $$->comprehension.is_async = 1;
      SEAL($$);
    }
  ;

ifs:
    %empty                                { $$ = NO_LIST; }
  | ifs IF or_test                        { $$ = $1; ADD($$, $3); }
  ;

/* --- Strings --------------------------------------------------------------------------------------------------------- */

strings:
    strings_part                          { $$ = one(p, $1); }
  | strings strings_part                  { $$ = $1; ADD($$, $2); }
  ;

strings_part:
    STRING                                { $$ = asy_literal_string(p, $1.start, $1.len, @1); }
  | FSTRING_START fstring_parts FSTRING_END { $$ = asy_literal_joined(p, $2, @$); }
  ;

fstring_parts:
    %empty                                { $$ = NO_LIST; }
  | fstring_parts FSTRING_MIDDLE          { $$ = $1; ADD($$, asy_literal_fstring_text(p, $2.start, $2.len, $2.raw, false, @2)); }
  | fstring_parts field                   { $$ = joined_lists(p, $1, $2); }
  ;

spec_parts:
    %empty                                { $$ = NO_LIST; }
  | spec_parts FSTRING_MIDDLE             { $$ = $1; ADD($$, asy_literal_fstring_text(p, $2.start, $2.len, $2.raw, true, @2)); }
  | spec_parts field                      { $$ = joined_lists(p, $1, $2); }
  ;

/* The FormattedValue, and before it, with `=`, the text of the expression. */
field:
    '{' value_expr field_tail             { $$ = one(p, field(p, $3, $2, @$)); }
  | '{' value_expr '=' field_tail         { $$ = NO_LIST; asy_literal_debug_text(p, &$$, $4, @1, @4); ADD($$, field(p, $4, $2, @$)); }
  ;

field_tail:
    '}'                                   { $$ = NEW(FormattedValue, @$); $$->formatted_value.conversion = -1; }
  | '!' NAME '}'                          { $$ = conversion(p, $2, @2, @$); }
  | ':' spec_parts '}'                    { $$ = NEW(FormattedValue, @$); $$->formatted_value.conversion = -1;
                                            $$->formatted_value.format_spec = asy_literal_joined(p, $2, between(@1, @2)); }
  | '!' NAME ':' spec_parts '}'           { $$ = conversion(p, $2, @2, @$);
                                            $$->formatted_value.format_spec = asy_literal_joined(p, $4, between(@3, @4)); }
  ;

%%

/* The expression a symbol stands for, or the last one of a list of them; NULL when it is something else. */
static asy_node *expression_of(int symbol, const YYSTYPE *value) {
  switch (symbol) {
    case YYSYMBOL_test: case YYSYMBOL_namedexpr: case YYSYMBOL_or_test:
    case YYSYMBOL_comparison: case YYSYMBOL_expr: case YYSYMBOL_primary: case YYSYMBOL_testlist_star:
    case YYSYMBOL_star_or_test: case YYSYMBOL_value_expr: case YYSYMBOL_star_or_named: case YYSYMBOL_argument: case YYSYMBOL_named_argument:
    case YYSYMBOL_set_item: case YYSYMBOL_paren_item: case YYSYMBOL_slice_item: return value->node;
    case YYSYMBOL_set_items: case YYSYMBOL_paren_items: case YYSYMBOL_dict_items: case YYSYMBOL_arguments: case YYSYMBOL_slice_items:
    case YYSYMBOL_arguments_opt: case YYSYMBOL_testlist_star_items: case YYSYMBOL_subject_items:
      return value->list.len ? value->list.items[value->list.len - 1] : NULL;
  }
  return NULL;
}

asy_grammar_item asy_grammar_stack_item(yypstate *ps, int from_top) {
  yy_state_t *state = ps->yyssp - from_top;
  if (state <= ps->yyss) return (asy_grammar_item){.symbol = -1};
  int symbol = yystos[*state];
  asy_node *node = expression_of(symbol, &ps->yyvsp[-from_top]);
  asy_span span = ps->yylsp[-from_top];
  asy_node *keyword = node && node->kind == AST_keyword ? node : NULL;
  if (keyword) node = keyword->keyword.value;
  if (node && !node->parens) span = node->span;
  return (asy_grammar_item){.symbol = symbol, .span = span, .node = node, .keyword = keyword};
}

int asy_grammar_token_of(int symbol) {
  if (symbol == YYSYMBOL_with_header) return TOKEN_WITH;
  for (int token = 0; token < 512; token++)
    if (YYTRANSLATE(token) == symbol && symbol != YYSYMBOL_YYUNDEF) return token;
  return 0;
}

bool asy_grammar_is_or_test(int symbol) { return symbol == YYSYMBOL_or_test; }

asy_node *asy_grammar_statement_value(yypstate *ps) {
  const YYSTYPE *value = ps->yyvsp;
  if (yystos[*ps->yyssp] != YYSYMBOL_simple_list || !value->list.len) return NULL;
  const asy_node *statement = value->list.items[value->list.len - 1];
  asy_node *node = statement->kind == AST_Expr ? statement->expr.value : NULL;
  if (node && node->kind == AST_Tuple && !node->parens) node = node->tuple.elts.items[node->tuple.elts.len - 1];
  bool is_operand = node && node->kind != AST_Starred && ((node->kind != AST_Yield && node->kind != AST_YieldFrom) || node->parens);
  return is_operand ? node : NULL;
}

/* Whether the innermost open bracket holds the items of a dict. */
bool asy_grammar_is_dict(yypstate *ps) {
  for (int depth = 0;; depth++) {
    int symbol = asy_grammar_stack_item(ps, depth).symbol;
    if (symbol == YYSYMBOL_dict_items) return true;
    int token = symbol < 0 ? TOKEN_NEWLINE : asy_grammar_token_of(symbol);
    if (token == TOKEN_NEWLINE || token == '(' || token == '[') return false;
    if (token == '{') return depth == 2 && asy_grammar_token_of(asy_grammar_stack_item(ps, 0).symbol) == ':';
  }
}

static int yyreport_syntax_error(const yypcontext_t *context, asy_parser *p) {
  yysymbol_kind_t expected[8];
  int count = yypcontext_expected_tokens(context, expected, 8), tokens[8];
  for (int i = 0; i < count; i++) tokens[i] = asy_grammar_token_of(expected[i]);
  asy_parse_stuck(p, context->yyps, tokens, count);
  return 0;
}
