/* compile_internal.h - what the parts of the compiler share; nobody else includes it.
 *
 * Code generation is driven by destinations. asy_expr(c, node, want) answers the register that holds the value:
 *   - the register of a local, when the expression is one (no instruction at all),
 *   - `want`, a local that the value is for; only the last instruction of the expression writes it,
 *   - else a new temporary, which is the register that was `top` before; `top` is then one more.
 * Whatever else the expression used is free again. So `s = s + i * i` is MUL t i i; ADD s s t.
 *
 * A local whose register is handed out may not change before it is read. Only `:=` can do that within a statement, so a local
 * that some `:=` assigns is copied whenever it is read (NAME_WALRUS).
 */
#ifndef ASY_LANG_COMPILE_INTERNAL_H
#define ASY_LANG_COMPILE_INTERNAL_H

#include "lang/compile.h"
#include "lang/emit.h"
#include "lang/scope.h"

enum {
  NO_REG = -1,
  MAX_FAST_LOCALS = 180, /* more locals than this live in a list */
  MAX_WINDOW = 100,      /* longer argument lists and displays are made in parts */
  MAX_BLOCKS = 20        /* nested statements that guard code, as in CPython */
};

/* Statements that code leaves when it returns, breaks or continues: innermost first. */
typedef enum {
  BLOCK_LOOP,          /* break_to, continue_to */
  BLOCK_TRY,           /* guarded, nothing to do on the way out */
  BLOCK_FINALLY,       /* guarded; finalbody runs on the way out */
  BLOCK_HANDLING,      /* guarded; an exception is being handled: save */
  BLOCK_NAMED_HANDLER, /* as BLOCK_HANDLING; the name is unbound on the way out */
  BLOCK_WITH,          /* guarded; exit registers are called on the way out */
  BLOCK_ASYNC_WITH
} asy_block_kind;

typedef struct asy_block {
  asy_block_kind kind;
  struct asy_block *outer;
  const asy_node *node;
  asy_region region; /* of guarded blocks; open while their code is being made */
  asy_label break_to, continue_to;
  const asy_node_list *finalbody;
  asy_name *name;
  int save; /* register of PUSH_HANDLED */
  int exit; /* register of the exit method; exit + 1 is its self */
} asy_block;

/* The code being made. */
typedef struct asy_making {
  struct asy_making *outer;
  asy_emitter emitter;
  asy_scope *owner; /* the scope that has this code */
  asy_scope *scope; /* innermost: owner or a comprehension in it */
  asy_block *blocks;
  const char *qualname;
  asy_unit_code *code;
  int far_list;          /* register of the list of far locals, or NO_REG */
  int class_cell;        /* class body: register of the __class__ cell, or NO_REG */
  asy_name **self_names; /* class body: what its functions assign to attributes of `self`, each once; in the arena */
  uint32_t nself_names, self_names_cap;
} asy_making;

typedef struct {
  asy_arena *arena;
  const asy_compile_options *options;
  asy_diagnostic *out;
  asy_scopes scopes;
  asy_making *making;     /* innermost */
  asy_emitter *e;         /* of making */
  asy_making *spare;      /* to be used again */
  const asy_node **spine; /* left spines being compiled; owned by malloc */
  uint32_t nspine, spine_cap;
  bool oom;
} asy_compiler;

__attribute__((format(printf, 3, 4))) void asy_compile_fail(asy_compiler *c, const asy_node *at, const char *format,
                                                            ...);

/* --- compile.c: code objects, names, constants --- */
void asy_making_begin(asy_compiler *c, asy_scope *scope, const char *name, const asy_node *node);
const asy_unit_code *asy_making_end(asy_compiler *c);
asy_name *asy_known(asy_compiler *c, const char *text); /* the interned name */
const asy_symbol *asy_name_symbol(asy_compiler *c, asy_name *name);
int asy_name_load(asy_compiler *c, const asy_node *at, asy_name *name, int want);
void asy_name_store(asy_compiler *c, const asy_node *at, asy_name *name, int reg);
void asy_name_delete(asy_compiler *c, const asy_node *at, asy_name *name);
void asy_name_unbind(asy_compiler *c, const asy_node *at,
                     asy_name *name);                /* end of `except ... as name`: no error when unbound */
int asy_name_local(asy_compiler *c, asy_name *name); /* the register when the name is a plain local, else NO_REG */
void asy_load_constant(asy_compiler *c, const asy_node *at, int dst, const asy_const *k);
void asy_load_none(asy_compiler *c, const asy_node *at, int dst);
void asy_load_text(asy_compiler *c, const asy_node *at, int dst, const char *text);
asy_const asy_text_constant(const char *text, size_t len);
bool asy_fold(asy_compiler *c, const asy_node *node, asy_const *out); /* node is a constant, perhaps after folding */
/* MAKE_FUNCTION into dst; parts 1, 2, 4 already lie at `first`, and top is behind them. type_params: register or NO_REG. */
void asy_make_function(asy_compiler *c, const asy_node *at, int dst, const asy_unit_code *code, asy_scope *scope,
                       int parts, int first, int type_params);

/* --- compile_expr.c --- */
int asy_expr(asy_compiler *c, const asy_node *node, int want);
int asy_expr_next(asy_compiler *c, const asy_node *node);             /* always in a new temporary */
void asy_expr_into(asy_compiler *c, const asy_node *node, int local); /* in that register */
void asy_condition(asy_compiler *c, const asy_node *node, asy_label target, bool when);
/* Jumps to target when `left op right` is as `when` says. */
void asy_jump_compare(asy_compiler *c, const asy_node *at, asy_ast_op op, int left, const asy_node *right,
                      asy_label target, bool when);
int asy_emit_call(asy_compiler *c, const asy_node *at, int window, int fixed, const asy_node_list *args,
                  const asy_node_list *keywords, int generic_base, int want);
int asy_window(asy_compiler *c); /* callee's register; top is at the first argument */
int asy_result(asy_compiler *c, int want);
asy_op asy_binary_op_of(asy_ast_op op);
void asy_emit_await(asy_compiler *c, const asy_node *at, int dst, int reg, enum asy_await_origin origin);

/* --- compile_stmt.c --- */
void asy_body(asy_compiler *c, const asy_node_list *body);
void asy_statement(asy_compiler *c, const asy_node *node);
void asy_store(asy_compiler *c, const asy_node *target, int reg);
const char *asy_docstring(asy_compiler *c, const asy_node_list *body,
                          size_t *len); /* cleaned; NULL when there is none */
const asy_unit_code *asy_function_code(asy_compiler *c, const asy_node *node, asy_scope *scope, const char *name);
int asy_defaults(asy_compiler *c, const asy_node *args); /* pushes the parts; PART_ bits */

/* --- compile_flow.c --- */
void asy_for(asy_compiler *c, const asy_node *node);
void asy_while(asy_compiler *c, const asy_node *node);
void asy_try(asy_compiler *c, const asy_node *node);
void asy_with(asy_compiler *c, const asy_node *node);
void asy_return(asy_compiler *c, const asy_node *node);
void asy_leave_loop(asy_compiler *c, const asy_node *node); /* Break, Continue */
/* The statement is a break or continue that does nothing but jump: where to. */
bool asy_plain_leave(asy_compiler *c, const asy_node *node, asy_label *target);
void asy_push_block(asy_compiler *c, asy_block *block);
void asy_pop_block(asy_compiler *c, asy_block *block);

/* --- suspect.c: a warning when the program surely means something else --- */
void asy_suspect_compare(asy_compiler *c, const asy_node *node);
void asy_suspect_call(asy_compiler *c, const asy_node *node);
void asy_suspect_subscript(asy_compiler *c, const asy_node *node);
void asy_suspect_assert(asy_compiler *c, const asy_node *node);

/* --- compile_match.c --- */
void asy_match(asy_compiler *c, const asy_node *node);

#endif
