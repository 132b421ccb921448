/* emit.h - the code of one function, class or module while it is being made.
 * Instructions are appended; jumps name labels and are patched at the end. Temporaries are a stack above the locals: `top` is
 * the first free register, `max` the most ever used.
 *
 *   registers  R0 [parameters][other locals][temporaries ... top)  ... max
 *
 * Code behind a jump, a return or a raise is unreachable until a label that something jumps to is bound: there, additions are
 * dropped, so a caller never asks whether its code can run. Each label also carries the locals that certainly have a value
 * when control gets there (`bound`), which decides where a check is needed.
 *
 * Errors are sticky (`failed`, `failure`): additions go on, the compiler asks at the end.
 */
#ifndef ASY_LANG_EMIT_H
#define ASY_LANG_EMIT_H

#include "lang/ast.h"
#include "lang/opcode.h"
#include "lang/unit.h"

enum { ASY_MAX_REGISTERS = 255 };

/* One bit for each register that is a local. */
typedef struct {
  uint64_t bits[4];
} asy_bound_set;

typedef struct {
  uint32_t id;
} asy_label;

typedef struct {
  uint32_t word;       /* where it is bound, or UINT32_MAX */
  uint32_t fixes;      /* last jump to it (index into `fixes`), or UINT32_MAX */
  bool reached;        /* something jumps here */
  asy_bound_set bound; /* valid when reached */
} asy_label_state;

typedef struct {
  uint32_t word, next;
  bool one_word;
} asy_fix;

/* A stretch of guarded code, open until asy_region_close. */
typedef struct {
  uint32_t start;
  asy_label target;
  int reg;
  asy_bound_set bound; /* locals that have a value wherever in the stretch an exception is raised */
} asy_region;

typedef struct asy_emitter {
  asy_arena *arena;
  struct asy_emitter *next_free; /* emitters are used again */
  uint32_t *words;               /* all arrays: owned by malloc until asy_emit_finish copies them to the arena */
  asy_label_state *labels;
  asy_fix *fixes;
  asy_handler *handlers;
  uint32_t *handler_labels; /* parallel to handlers: target is known at the end */
  asy_position *positions;
  asy_const *constants;
  const char **names;
  asy_site *sites;
  uint32_t nwords, words_cap, nlabels, labels_cap, nfixes, fixes_cap, nhandlers, handlers_cap, handler_labels_cap;
  uint32_t npositions, positions_cap, nconstants, constants_cap, nnames, names_cap, nsites, sites_cap;
  uint32_t *constant_table, *name_table; /* open addressing: index + 1 */
  uint32_t constant_table_size, name_table_size;
  int top, max; /* see above */
  bool reachable;
  uint32_t bound_at;            /* word at which a label was bound last, or UINT32_MAX */
  asy_bound_set bound;          /* locals that certainly have a value here */
  asy_bound_set may_be_unbound; /* locals that some `del` or handler name unbinds */
  bool oom;
  const char *failure;     /* a limit was passed: text of the message; NULL while all is well */
  asy_position failure_at; /* of the instruction before */
} asy_emitter;

void asy_emit_init(asy_emitter *e, asy_arena *arena);
void asy_emit_reset(asy_emitter *e); /* forgets the content, keeps the memory */
void asy_emit_free(asy_emitter *e);

/* Instructions. `at` is the node whose span the instruction gets; NULL means no location. Each format has its function; B and
 * C of a format that lacks them are 0. */
void asy_emit(asy_emitter *e, const asy_node *at, asy_op op, int a, int b, int c);
void asy_emit_bx(asy_emitter *e, const asy_node *at, asy_op op, int a, int32_t bx);
void asy_emit_x(asy_emitter *e, const asy_node *at, asy_op op, int a, int b, int c, uint32_t x);
void asy_emit_jump(asy_emitter *e, const asy_node *at, asy_op op, int a, int b, int c, asy_label target);

/* A statement without an instruction: a trace of lines sees it between the instructions around it. Jumps to `target` that were made
 * since there were `fixes`, and are that statement. */
void asy_emit_mark(asy_emitter *e, const asy_node *at);
void asy_emit_mark_jumps(asy_emitter *e, const asy_node *at, asy_label target, uint32_t fixes);

/* A limit was passed: the first message stays. */
void asy_emit_fail(asy_emitter *e, const char *message);

asy_label asy_label_new(asy_emitter *e);
void asy_label_bind(asy_emitter *e, asy_label label);
/* The head of a loop: jumps to it come later, from below. */
void asy_label_bind_loop(asy_emitter *e, asy_label label);

/* Handler rows: code from open to close is guarded. Regions close inner first, which orders the rows. */
asy_region asy_region_open(asy_emitter *e, asy_label target, int reg);
void asy_region_close(asy_emitter *e, asy_region *region); /* may be opened again by asy_region_reopen */
void asy_region_reopen(asy_emitter *e, asy_region *region);

/* Registers. */
int asy_temp(asy_emitter *e);             /* one more temporary */
int asy_temps(asy_emitter *e, int count); /* count in a row; the first */

static inline bool asy_is_bound(const asy_emitter *e, int reg) { return e->bound.bits[reg >> 6] >> (reg & 63) & 1; }
static inline void asy_set_bound(asy_emitter *e, int reg) { e->bound.bits[reg >> 6] |= (uint64_t)1 << (reg & 63); }
static inline void asy_set_unbound(asy_emitter *e, int reg) { e->bound.bits[reg >> 6] &= ~((uint64_t)1 << (reg & 63)); }

/* Tables: the index of an entry, shared where equal (0.0 and -0.0 differ; 1, 1.0 and True differ). */
bool asy_same_constant(const asy_const *a, const asy_const *b);
uint32_t asy_emit_constant(asy_emitter *e, const asy_const *constant);
uint32_t asy_emit_name(asy_emitter *e, const char *name); /* names are interned in the arena: compared by address */
uint32_t asy_emit_site(asy_emitter *e, const char *name); /* a new inline-cache site */

/* Patches the jumps and moves everything into the arena; fills the tables and `nregs` of code. False when memory ran out or a
 * limit was passed. */
__attribute__((warn_unused_result)) bool asy_emit_finish(asy_emitter *e, asy_unit_code *code);

#endif
