/* check.h - what LALR(1) cannot see.
 * The grammar accepts more than the language: any expression as a target, any order of parameters and arguments. The functions
 * here turn what was parsed into what was meant, or say what is wrong in CPython's words. The first error wins; after one
 * the parser goes on to the end of the token and stops there.
 */
#ifndef ASY_LANG_CHECK_H
#define ASY_LANG_CHECK_H

#include "lang/ast.h"
#include "lang/diagnostic.h"
#include "lang/lexer.h"
#include "lang/parse.h"

/* One run of the parser. */
typedef struct asy_parser {
  asy_arena *arena;
  asy_source *source;
  asy_diagnostic *error; /* kind DIAG_NONE until the first error */
  const asy_parse_options *options;
  asy_node *result;
  asy_node *as_tuple;        /* `(a as b, c)` that no `with` has claimed yet */
  asy_token token;           /* the one being pushed */
  asy_token before, earlier; /* the one before, and the one before that */
  asy_span text_end;         /* end of the last token that is no layout */
  bool in_field;             /* the token before is inside the braces of an f-string, and no bracket in there */
  uint32_t parens_before;    /* brackets open after it */
  asy_token first;           /* the first of its statement */
  asy_lexer lexer;
  char *reserve; /* for the nodes of one more token once memory has run out; ASY_PARSER_RESERVE bytes */
  size_t reserve_used;
} asy_parser;

typedef enum { PARAM_PLAIN, PARAM_STAR, PARAM_BARE_STAR, PARAM_DOUBLE_STAR, PARAM_SLASH } asy_param_kind;

/* One item between the parentheses of a `def` or after `lambda`. */
typedef struct asy_param {
  struct asy_param *next;
  asy_param_kind kind;
  asy_node *arg;           /* NULL for `*` and `/` */
  asy_node *default_value; /* or NULL */
  asy_span span;
} asy_param;

/* Records the first error; later ones are dropped. */
__attribute__((format(printf, 3, 4))) void asy_parser_fail(asy_parser *p, asy_span span, const char *format, ...);

enum { ASY_PARSER_RESERVE = 64 * 1024 };

/* A node from the reserve. */
asy_node *asy_parser_spare_node(asy_parser *p, asy_ast_kind kind, asy_span span);

/* A new node, never NULL: after memory has run out, the actions of the current token still find nodes to fill. */
static inline asy_node *asy_parser_node(asy_parser *p, asy_ast_kind kind, asy_span span) {
  asy_node *node = asy_ast_new(p->arena, kind, span);
  return node ? node : asy_parser_spare_node(p, kind, span);
}

/* Computes depth, and refuses a tree too deep to walk. */
asy_node *asy_check_depth(asy_parser *p, asy_node *node);

/* "function call", "literal", as in "cannot assign to ..." */
const char *asy_check_expr_name(const asy_node *node);

typedef enum { TARGET_ASSIGN, TARGET_FOR, TARGET_WITH, TARGET_DELETE } asy_target_use;

/* Sets ctx in a target, or fails. `only`: for TARGET_ASSIGN, the value when this is the only target, else NULL. */
void asy_check_target(asy_parser *p, asy_node *target, asy_target_use use, const asy_node *only);
void asy_check_aug_target(asy_parser *p, asy_node *target);
void asy_check_ann_target(asy_parser *p, asy_node *assign);

/* A call, with the arguments sorted into args and keywords; `open` is the span of the opening parenthesis. */
asy_node *asy_check_call(asy_parser *p, asy_node *func, const asy_node_list *items, asy_span span, asy_span open);
void asy_check_bases(asy_parser *p, asy_node *class_def, const asy_node_list *items);
asy_node *asy_check_keyword(asy_parser *p, asy_node *name, asy_node *value, asy_span span, asy_span equal);

asy_node *asy_check_arguments(asy_parser *p, asy_param *params, bool is_lambda);
asy_node *asy_check_with(asy_parser *p, asy_node_list items, asy_span with);
asy_node *asy_check_named_expr(asy_parser *p, asy_node *target, asy_node *value, asy_span span);
/* The same as an argument of a call, where CPython has no words for a wrong target. */
asy_node *asy_check_named_argument(asy_parser *p, asy_node *target, asy_node *value, asy_span span, asy_span walrus);
asy_node *asy_check_comprehension(asy_parser *p, asy_ast_kind kind, asy_node_list elts, asy_node_list generators,
                                  asy_span span);
asy_node *asy_check_paren(asy_parser *p, asy_node_list items, bool comma, asy_span span);
asy_node *asy_check_try(asy_parser *p, asy_node_list body, asy_node_list handlers, asy_node_list orelse,
                        asy_node_list finalbody, asy_span span);
asy_node *asy_check_dict(asy_parser *p, asy_node_list keys_and_values, asy_span span);
void asy_check_trailing_comma(asy_parser *p, const asy_node_list *items);
asy_node *asy_check_complex(asy_parser *p, asy_node *sum); /* of a pattern: real + imaginary */
asy_node *asy_check_type_params(asy_parser *p, asy_node_list params, asy_span span);
void asy_check_statement_end(asy_parser *p); /* a `(a as b)` that no `with` has claimed is an error */

#endif
