/* ast.h - the syntax tree.
 * The tree is CPython 3.13's (Parser/Python.asdl): same kinds, same field names, same positions, so that `ast.dump` of the
 * two can be compared text by text. Everything lives in the arena of the compilation and is never freed alone.
 *
 *   asy_node  [kind|parens|depth|line col end_line end_col| union of one struct per kind ]
 *             node->kind == AST_BinOp  ->  node->bin_op.left, node->bin_op.op, node->bin_op.right
 *
 * Must stay true:
 * - A node is allocated with the size of its own struct only: never copy `*node` whole, never write another kind's fields.
 * - `depth` bounds the recursion of a walk: it is at most ASY_AST_MAX_DEPTH, and it does NOT count the left spine
 *   (BinOp.left, Attribute.value, Subscript.value, Call.func) nor an `elif` (an If that is the only node of If.orelse).
 *   Walk these in a loop; recurse into everything else. A list, BoolOp.values and Compare are flat.
 * - Lines count from 1; columns are byte offsets in the UTF-8 text of the line, from 0; the end is exclusive.
 */
#ifndef ASY_LANG_AST_H
#define ASY_LANG_AST_H

#include "lang/arena.h"

enum { ASY_AST_MAX_DEPTH = 1000 };

/* clang-format off */
/* NODE(kind, member, fields): a kind with a struct of its own, node->member.
 * SAME(kind, as, member): a kind that shares the struct, and the fields, of another one.
 * Fields: REQ node; OPT node or NULL; LIST of nodes; HOLES list whose items may be NULL; ID name; OPTID name or NULL;
 * IDS list of names; OPER an asy_ast_op; OPERS one asy_ast_op (a byte) for each item of `comparators`; CTX Load, Store, Del;
 * INT int; CONST asy_constant. Order is the order of Python's ast. */
#define ASY_AST_KINDS(NODE, SAME)                                                                                      \
  NODE(Module, module, LIST(body))                                                                                     \
  NODE(Interactive, interactive, LIST(body))                                                                           \
  NODE(Expression, expression, REQ(body))                                                                              \
  /* statements */                                                                                                     \
  NODE(FunctionDef, function_def,                                                                                      \
       ID(name) REQ(args) LIST(body) LIST(decorator_list) OPT(returns) LIST(type_params))                              \
  SAME(AsyncFunctionDef, FunctionDef, function_def)                                                                    \
  NODE(ClassDef, class_def,                                                                                            \
       ID(name) LIST(bases) LIST(keywords) LIST(body) LIST(decorator_list) LIST(type_params))                          \
  NODE(Return, return_, OPT(value))                                                                                    \
  NODE(Delete, delete_, LIST(targets))                                                                                 \
  NODE(Assign, assign, LIST(targets) REQ(value))                                                                       \
  NODE(TypeAlias, type_alias, REQ(name) LIST(type_params) REQ(value))                                                  \
  NODE(AugAssign, aug_assign, REQ(target) OPER(op) REQ(value))                                                         \
  NODE(AnnAssign, ann_assign, REQ(target) REQ(annotation) OPT(value) INT(simple))                                      \
  NODE(For, for_, REQ(target) REQ(iter) LIST(body) LIST(orelse))                                                       \
  SAME(AsyncFor, For, for_)                                                                                            \
  NODE(While, while_, REQ(test) LIST(body) LIST(orelse))                                                               \
  NODE(If, if_, REQ(test) LIST(body) LIST(orelse))                                                                     \
  NODE(With, with, LIST(items) LIST(body))                                                                             \
  SAME(AsyncWith, With, with)                                                                                          \
  NODE(Match, match, REQ(subject) LIST(cases))                                                                         \
  NODE(Raise, raise, OPT(exc) OPT(cause))                                                                              \
  NODE(Try, try_, LIST(body) LIST(handlers) LIST(orelse) LIST(finalbody))                                              \
  SAME(TryStar, Try, try_)                                                                                             \
  NODE(Assert, assert_, REQ(test) OPT(msg))                                                                            \
  NODE(Import, import, LIST(names))                                                                                    \
  NODE(ImportFrom, import_from, OPTID(module) LIST(names) INT(level))                                                  \
  NODE(Global, global, IDS(names))                                                                                     \
  SAME(Nonlocal, Global, global)                                                                                       \
  NODE(Expr, expr, REQ(value))                                                                                         \
  NODE(Pass, pass, )                                                                                                   \
  NODE(Break, break_, )                                                                                                \
  NODE(Continue, continue_, )                                                                                          \
  /* expressions */                                                                                                    \
  NODE(BoolOp, bool_op, OPER(op) LIST(values))                                                                         \
  NODE(NamedExpr, named_expr, REQ(target) REQ(value))                                                                  \
  NODE(BinOp, bin_op, REQ(left) OPER(op) REQ(right))                                                                   \
  NODE(UnaryOp, unary_op, OPER(op) REQ(operand))                                                                       \
  NODE(Lambda, lambda, REQ(args) REQ(body))                                                                            \
  NODE(IfExp, if_exp, REQ(test) REQ(body) REQ(orelse))                                                                 \
  NODE(Dict, dict, HOLES(keys) LIST(values))         /* a NULL key is `**value` */                                     \
  NODE(Set, set, LIST(elts))                                                                                           \
  NODE(ListComp, list_comp, REQ(elt) LIST(generators))                                                                 \
  SAME(SetComp, ListComp, list_comp)                                                                                   \
  NODE(DictComp, dict_comp, REQ(key) REQ(value) LIST(generators))                                                      \
  SAME(GeneratorExp, ListComp, list_comp)                                                                              \
  NODE(Await, await, REQ(value))                                                                                       \
  NODE(Yield, yield, OPT(value))                                                                                       \
  NODE(YieldFrom, yield_from, REQ(value))                                                                              \
  NODE(Compare, compare, REQ(left) OPERS(ops) LIST(comparators))                                                       \
  NODE(Call, call, REQ(func) LIST(args) LIST(keywords))                                                                \
  NODE(FormattedValue, formatted_value, REQ(value) INT(conversion) OPT(format_spec)) /* -1, 's', 'r', 'a' */           \
  NODE(JoinedStr, joined_str, LIST(values))                                                                            \
  NODE(Constant, constant, CONST(value))                                                                               \
  NODE(Attribute, attribute, REQ(value) ID(attr) CTX(ctx))                                                             \
  NODE(Subscript, subscript, REQ(value) REQ(slice) CTX(ctx))                                                           \
  NODE(Starred, starred, REQ(value) CTX(ctx))                                                                          \
  NODE(Name, name, ID(id) CTX(ctx))                                                                                    \
  NODE(List, list, LIST(elts) CTX(ctx))                                                                                \
  NODE(Tuple, tuple, LIST(elts) CTX(ctx))                                                                              \
  NODE(Slice, slice, OPT(lower) OPT(upper) OPT(step))                                                                  \
  /* parts */                                                                                                          \
  NODE(comprehension, comprehension, REQ(target) REQ(iter) LIST(ifs) INT(is_async))                                    \
  NODE(ExceptHandler, except_handler, OPT(type) OPTID(name) LIST(body))                                                \
  NODE(arguments, arguments,                                                                                           \
       LIST(posonlyargs) LIST(args) OPT(vararg) LIST(kwonlyargs) HOLES(kw_defaults) OPT(kwarg) LIST(defaults))         \
  NODE(arg, arg, ID(arg) OPT(annotation))                                                                              \
  NODE(keyword, keyword, OPTID(arg) REQ(value))      /* arg NULL is `**value` */                                       \
  NODE(alias, alias, ID(name) OPTID(asname))                                                                           \
  NODE(withitem, withitem, REQ(context_expr) OPT(optional_vars))                                                       \
  NODE(match_case, match_case, REQ(pattern) OPT(guard) LIST(body))                                                     \
  /* patterns */                                                                                                       \
  NODE(MatchValue, match_value, REQ(value))                                                                            \
  NODE(MatchSingleton, match_singleton, CONST(value))                                                                  \
  NODE(MatchSequence, match_sequence, LIST(patterns))                                                                  \
  NODE(MatchMapping, match_mapping, LIST(keys) LIST(patterns) OPTID(rest))                                             \
  NODE(MatchClass, match_class, REQ(cls) LIST(patterns) IDS(kwd_attrs) LIST(kwd_patterns))                             \
  NODE(MatchStar, match_star, OPTID(name))                                                                             \
  NODE(MatchAs, match_as, OPT(pattern) OPTID(name))  /* both NULL: the wildcard `_` */                                 \
  NODE(MatchOr, match_or, LIST(patterns))                                                                              \
  /* type parameters */                                                                                                \
  NODE(TypeVar, type_var, ID(name) OPT(bound) OPT(default_value))                                                      \
  NODE(ParamSpec, param_spec, ID(name) OPT(default_value))                                                             \
  SAME(TypeVarTuple, ParamSpec, param_spec)

/* clang-format on */

typedef enum {
#define NODE(kind, member, fields) AST_##kind,
#define SAME(kind, as, member) AST_##kind,
  ASY_AST_KINDS(NODE, SAME)
#undef NODE
#undef SAME
    AST_COUNT_
} asy_ast_kind;

/* clang-format off */
/* OP(name, text, wording in a message). Order matters: a family is a range. */
#define ASY_AST_OPS(OP)                                                                                                \
  OP(Add, "+") OP(Sub, "-") OP(Mult, "*") OP(MatMult, "@") OP(Div, "/") OP(Mod, "%") OP(Pow, "**") OP(LShift, "<<")    \
  OP(RShift, ">>") OP(BitOr, "|") OP(BitXor, "^") OP(BitAnd, "&") OP(FloorDiv, "//")     /* BinOp, AugAssign */        \
  OP(Invert, "~") OP(Not, "not") OP(UAdd, "+") OP(USub, "-")                             /* UnaryOp */                 \
  OP(And, "and") OP(Or, "or")                                                            /* BoolOp */                  \
  OP(Eq, "==") OP(NotEq, "!=") OP(Lt, "<") OP(LtE, "<=") OP(Gt, ">") OP(GtE, ">=") OP(Is, "is") OP(IsNot, "is not")    \
  OP(In, "in") OP(NotIn, "not in")                                                       /* Compare */

/* clang-format on */

typedef enum {
#define OP(name, text) AST_##name,
  ASY_AST_OPS(OP)
#undef OP
    AST_OP_COUNT_
} asy_ast_op;

typedef enum { AST_Load, AST_Store, AST_Del } asy_ast_ctx;

typedef enum {
  CONST_NONE,
  CONST_TRUE,
  CONST_FALSE,
  CONST_ELLIPSIS,
  CONST_INT,     /* .i, in 0 .. 2^62-1 */
  CONST_BIGINT,  /* .text: digits with their prefix (0x, 0o, 0b), lower case, no underscores, no leading zeros */
  CONST_FLOAT,   /* .d */
  CONST_COMPLEX, /* .d is the imaginary part, the real part is 0 */
  CONST_STR,     /* .text: UTF-8; a lone surrogate (from an escape) is its three bytes, as in WTF-8 */
  CONST_BYTES    /* .text */
} asy_const_kind;

typedef struct {
  uint8_t kind;  /* asy_const_kind */
  bool u_prefix; /* the first of the literals was written u"..." */
  uint32_t len;  /* bytes of .text */
  union {
    int64_t i;
    double d;
    const char *text; /* in the arena, NUL-terminated, may contain NUL bytes as well */
  };
} asy_constant;

typedef struct asy_node asy_node;

typedef struct {
  uint32_t len, cap;
  asy_node **items; /* in the arena; NULL while cap is 0 */
} asy_node_list;

typedef struct {
  uint32_t len, cap;
  asy_name **items; /* in the arena; NULL while cap is 0 */
} asy_name_list;

typedef struct {
  uint32_t line, col, end_line, end_col;
} asy_span;

#define REQ(field) asy_node *field;
#define OPT(field) asy_node *field;
#define LIST(field) asy_node_list field;
#define HOLES(field) asy_node_list field;
#define ID(field) asy_name *field;
#define OPTID(field) asy_name *field;
#define IDS(field) asy_name_list field;
#define OPER(field) asy_ast_op field;
#define OPERS(field) uint8_t *field;
#define CTX(field) asy_ast_ctx field;
#define INT(field) int field;
#define CONST(field) asy_constant field;

/* clang-format off */
struct asy_node {
  uint8_t kind;   /* asy_ast_kind */
  uint8_t parens; /* pairs of parentheses around it, those of a tuple or generator included; stops at 2 */
  uint16_t depth; /* see above */
  union {
    struct { uint32_t line, col, end_line, end_col; };
    asy_span span;
  };
  union {
#define NODE(kind, member, fields) struct { fields } member;
#define SAME(kind, as, member)
    ASY_AST_KINDS(NODE, SAME)
#undef NODE
#undef SAME
  };
};
/* clang-format on */

#undef REQ
#undef OPT
#undef LIST
#undef HOLES
#undef ID
#undef OPTID
#undef IDS
#undef OPER
#undef OPERS
#undef CTX
#undef INT
#undef CONST

const char *asy_ast_kind_name(asy_ast_kind kind); /* "BinOp" */
const char *asy_ast_op_name(asy_ast_op op);       /* "Add" */
const char *asy_ast_op_text(asy_ast_op op);       /* "+" */

/* One field of a kind; a walk that is the same for every kind goes by this table. */
typedef enum {
  FIELD_END,
  FIELD_NODE,
  FIELD_LIST,
  FIELD_NAME,
  FIELD_NAMES,
  FIELD_OP,
  FIELD_OPS,
  FIELD_CTX,
  FIELD_INT,
  FIELD_CONSTANT
} asy_ast_field_type;

typedef struct {
  const char *name;
  uint8_t type;   /* asy_ast_field_type */
  uint8_t offset; /* from the union of the node */
} asy_ast_field;

const asy_ast_field *asy_ast_fields(asy_ast_kind kind); /* ends with FIELD_END */

#define ASY_AST_FIELDS_OFFSET offsetof(asy_node, module)
static inline void *asy_ast_field_of(const asy_node *node, const asy_ast_field *field) {
  return (char *)node + ASY_AST_FIELDS_OFFSET + field->offset;
}

/* BinOp.left and its like: the first field goes down the left spine. */
static inline bool asy_ast_has_left_spine(const asy_node *node) {
  return node->kind == AST_BinOp || node->kind == AST_Call || node->kind == AST_Attribute ||
         node->kind == AST_Subscript;
}

/* Computes depth from the fields, which must be set. */
void asy_ast_seal(asy_node *node);

/* A new node with all fields cleared and depth 0, or NULL (arena->oom). The caller sets the fields, then the depth. */
asy_node *asy_ast_new(asy_arena *arena, asy_ast_kind kind, asy_span span);

/* Append; silently nothing when memory runs out (arena->oom tells). */
void asy_node_list_add(asy_arena *arena, asy_node_list *list, asy_node *node);
void asy_name_list_add(asy_arena *arena, asy_name_list *list, asy_name *name);

static inline bool asy_ast_is_stmt(const asy_node *node) {
  return node->kind >= AST_FunctionDef && node->kind <= AST_Continue;
}
static inline bool asy_ast_is_expr(const asy_node *node) { return node->kind >= AST_BoolOp && node->kind <= AST_Slice; }
static inline bool asy_ast_is_pattern(const asy_node *node) {
  return node->kind >= AST_MatchValue && node->kind <= AST_MatchOr;
}

/* The text of CPython's ast.dump(tree), into a buffer (ast_print.c). */
struct asy_buf;
void asy_ast_print(const asy_node *node, struct asy_buf *out);

/* The same with lineno, col_offset, end_lineno and end_col_offset: ast.dump(tree, include_attributes=True). */
void asy_ast_print_positions(const asy_node *node, struct asy_buf *out);

#endif
