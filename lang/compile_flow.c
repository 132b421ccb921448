/* compile_flow.c - loops, try, with, and the ways out of them.
 * A guarded stretch of code costs nothing while nothing is raised: a row of the handler table names its range. Code that leaves
 * a block early (return, break, continue) runs what the block owes on the way: the `finally` body, the exit method, the
 * exception that was being handled before. That code is made again for each way out, outside the guard of its own block:
 *
 *   try:             [guarded .................) A [..........)
 *     return x  ->            finally body, return
 *   finally: A       handler: PUSH_HANDLED, A, POP_HANDLED, RERAISE
 */
#include <string.h>

#include "lang/compile_internal.h"

void asy_push_block(asy_compiler *c, asy_block *block) {
  block->outer = c->making->blocks;
  c->making->blocks = block;
  int depth = 0;
  for (asy_block *b = block; b; b = b->outer) depth++;
  if (depth == MAX_BLOCKS + 1) asy_compile_fail(c, block->node, "too many statically nested blocks");
}

void asy_pop_block(asy_compiler *c, asy_block *block) {
  assert(c->making->blocks == block);
  c->making->blocks = block->outer;
}

static bool is_guarded(const asy_block *b) { return b->kind != BLOCK_LOOP; }

/* Calls the exit method of a with block; the result goes to a new temporary. exc: register of the exception, or NO_REG. */
static int call_exit(asy_compiler *c, const asy_block *b, int exc) {
  asy_emitter *e = c->e;
  const asy_node *at = b->node;
  int window = asy_temps(e, 8);
  asy_emit(e, at, OP_MOVE, window, b->exit, 0);
  asy_emit(e, at, OP_MOVE, window + 4, b->exit + 1, 0);
  if (exc != NO_REG) {
    asy_emit(e, at, OP_EXC_INFO, window + 5, exc, 0);
  } else {
    for (int i = 5; i < 8; i++) asy_load_none(c, at, window + i);
  }
  e->top = window + 1;
  if (b->kind == BLOCK_ASYNC_WITH) {
    asy_emit(e, at, OP_AWAIT_CALL_METHOD, window, window, 4);
    asy_emit_await(c, at, window, window, AWAIT_AEXIT);
  } else {
    asy_emit(e, at, OP_CALL_METHOD, window, window, 4);
  }
  return window;
}

/* What a block owes when code leaves it early. Its guard is closed, and it is no longer on the chain. */
static void unwind_block(asy_compiler *c, asy_block *b) {
  asy_emitter *e = c->e;
  int mark = e->top;
  switch (b->kind) {
    case BLOCK_LOOP:
    case BLOCK_TRY: break;
    case BLOCK_FINALLY: asy_body(c, b->finalbody); break;
    case BLOCK_NAMED_HANDLER: asy_name_unbind(c, NULL, b->name); __attribute__((fallthrough));
    case BLOCK_HANDLING: asy_emit(e, b->node, OP_POP_HANDLED, b->save, 0, 0); break;
    case BLOCK_WITH:
    case BLOCK_ASYNC_WITH: call_exit(c, b, NO_REG); break;
  }
  e->top = mark;
}

/* Leaves all blocks inside `until` (NULL: all of the code). The caller then jumps or returns, and calls resume_blocks. */
static void unwind_blocks(asy_compiler *c, asy_block *until) {
  for (asy_block *b = c->making->blocks; b != until; b = b->outer) {
    if (is_guarded(b)) asy_region_close(c->e, &b->region);
    c->making->blocks = b->outer;
    unwind_block(c, b);
  }
}

static void resume_blocks(asy_compiler *c, asy_block *inner, asy_block *until) {
  for (asy_block *b = inner; b != until; b = b->outer)
    if (is_guarded(b)) asy_region_reopen(c->e, &b->region);
  c->making->blocks = inner;
}

/* Does leaving run any code that could change what a local holds? */
static bool unwinding_runs_code(const asy_block *b) {
  for (; b; b = b->outer)
    if (b->kind != BLOCK_LOOP && b->kind != BLOCK_TRY && b->kind != BLOCK_HANDLING) return true;
  return false;
}

static void return_value(asy_compiler *c, const asy_node *node, const asy_node *value) {
  asy_emitter *e = c->e;
  int mark = e->top;
  asy_block *inner = c->making->blocks;
  asy_const k;
  if (value && value->kind == AST_IfExp && !unwinding_runs_code(inner) && !asy_fold(c, value, &k)) { /* two returns */
    asy_label other = asy_label_new(e);
    asy_condition(c, value->if_exp.test, other, false);
    return_value(c, node, value->if_exp.body);
    asy_label_bind(e, other);
    return_value(c, node, value->if_exp.orelse);
    return;
  }
  bool constant = !value || asy_fold(c, value, &k);
  bool none = !value || (constant && k.kind == ASY_CONST_NONE);
  int reg = NO_REG;
  if (!constant) reg = unwinding_runs_code(inner) ? asy_expr_next(c, value) : asy_expr(c, value, NO_REG);
  asy_bound_set bound = e->bound;
  const asy_node *at = unwinding_runs_code(inner) ? NULL : node; /* else its line comes before that code */
  if (!at && constant) asy_emit_mark(e, node);
  unwind_blocks(c, NULL);
  if (none) {
    asy_emit(e, at, OP_RETURN_NONE, 0, 0, 0);
  } else {
    if (constant) asy_load_constant(c, at ? value : NULL, reg = asy_temp(e), &k);
    asy_emit(e, at, OP_RETURN, reg, 0, 0);
  }
  e->bound = bound;
  resume_blocks(c, inner, NULL);
  e->top = mark;
}

void asy_return(asy_compiler *c, const asy_node *node) { return_value(c, node, node->return_.value); }

void asy_leave_loop(asy_compiler *c, const asy_node *node) {
  asy_emitter *e = c->e;
  asy_block *inner = c->making->blocks, *loop = inner;
  while (loop && loop->kind != BLOCK_LOOP) loop = loop->outer;
  if (!loop) return; /* the scope pass has complained */
  asy_bound_set bound = e->bound;
  if (inner != loop) asy_emit_mark(e, node);
  unwind_blocks(c, loop);
  asy_emit_jump(e, inner == loop ? node : NULL, OP_JUMP, 0, 0, 0,
                node->kind == AST_Break ? loop->break_to : loop->continue_to);
  e->bound = bound;
  resume_blocks(c, inner, loop);
}

bool asy_plain_leave(asy_compiler *c, const asy_node *node, asy_label *target) {
  const asy_block *inner = c->making->blocks;
  if ((node->kind != AST_Break && node->kind != AST_Continue) || !inner || inner->kind != BLOCK_LOOP) return false;
  *target = node->kind == AST_Break ? inner->break_to : inner->continue_to;
  return true;
}

/* --- Loops -------------------------------------------------------------------------------------------------------------- */

void asy_while(asy_compiler *c, const asy_node *node) {
  asy_emitter *e = c->e;
  asy_block loop = {.kind = BLOCK_LOOP, .node = node};
  asy_label head = asy_label_new(e), otherwise = asy_label_new(e);
  loop.break_to = asy_label_new(e);
  loop.continue_to = asy_label_new(e);
  asy_push_block(c, &loop);
  asy_label_bind_loop(e, head);
  uint32_t before = e->nwords;
  asy_condition(c, node->while_.test, otherwise, false);
  if (e->nwords == before) asy_emit_mark(e, node);
  asy_body(c, &node->while_.body);
  asy_label_bind(e, loop.continue_to);
  asy_emit_jump(e, node, OP_JUMP_BACK, e->top, 0, 0, head);
  asy_pop_block(c, &loop);
  asy_label_bind(e, otherwise);
  asy_body(c, &node->while_.orelse);
  asy_label_bind(e, loop.break_to);
}

void asy_for(asy_compiler *c, const asy_node *node) {
  asy_emitter *e = c->e;
  int mark = e->top;
  bool async = node->kind == AST_AsyncFor;
  const asy_node *iter = node->for_.iter;
  asy_block loop = {.kind = BLOCK_LOOP, .node = node};
  asy_label head = asy_label_new(e), otherwise = asy_label_new(e), handler = asy_label_new(e);
  loop.break_to = asy_label_new(e);
  loop.continue_to = asy_label_new(e);

  int source = asy_expr(c, iter, NO_REG);
  e->top = mark;
  int it = asy_temps(e, 2), item = it + 1;
  if (!async && node->for_.target->kind == AST_Name) { /* a plain local gets its value at once */
    int local = asy_name_local(c, node->for_.target->name.id);
    if (local != NO_REG) item = local;
  }
  asy_emit(e, iter, async ? OP_GET_AITER : OP_GET_ITER, it, source, 0);
  asy_push_block(c, &loop);
  asy_label_bind_loop(e, head);
  if (async) {
    asy_region region = asy_region_open(e, handler, it + 1);
    asy_emit_jump(e, iter, OP_FOR_AITER, it, 0, 0, otherwise);
    asy_emit_await(c, iter, it + 1, it + 1, AWAIT_ANEXT);
    asy_region_close(e, &region);
  } else {
    asy_emit_jump(e, iter, OP_FOR_ITER, it, item, 0, otherwise);
  }
  if (item == it + 1) asy_store(c, node->for_.target, item);
  else asy_set_bound(e, item);
  e->top = it + 1; /* the item is in its target now */
  asy_body(c, &node->for_.body);
  asy_label_bind(e, loop.continue_to);
  asy_emit_jump(e, node, OP_JUMP_BACK, e->top, 0, 0, head);
  asy_pop_block(c, &loop);
  if (async) {
    asy_label_bind(e, handler);
    asy_emit_jump(e, iter, OP_END_ASYNC_FOR, it + 1, 0, 0, otherwise);
    e->reachable = false;
  }
  asy_label_bind(e, otherwise);
  e->top = mark;
  asy_body(c, &node->for_.orelse);
  asy_label_bind(e, loop.break_to);
}

/* --- try ------------------------------------------------------------------------------------------------------------------ */

/* The end of code that ran while an exception was being handled, when it raised: handle what was handled before, go on raising. */
static void close_handling(asy_compiler *c, asy_block *b, asy_label cleanup, int exc) {
  asy_emitter *e = c->e;
  e->reachable = false;
  asy_label_bind(e, cleanup);
  if (b->kind == BLOCK_NAMED_HANDLER) asy_name_unbind(c, NULL, b->name);
  asy_emit(e, b->node, OP_POP_HANDLED, b->save, 0, 0);
  asy_emit(e, NULL, OP_RERAISE, exc, 0, 0);
}

/* The clauses of an except; the exception lies in exc, and is being handled. Falls through or jumps to `end` when handled. */
static void except_clauses(asy_compiler *c, const asy_node *node, int exc, asy_label end) {
  asy_emitter *e = c->e;
  int save = exc + 1, top = exc + 2;
  const asy_node_list *handlers = &node->try_.handlers;
  asy_block selecting = {.kind = BLOCK_HANDLING, .node = node, .save = save};
  asy_label cleanup = asy_label_new(e);
  bool all_caught = false;
  e->top = exc + 1;
  asy_temp(e);
  asy_emit(e, node, OP_PUSH_HANDLED, save, exc, 0);
  for (uint32_t i = 0; i < handlers->len; i++) {
    const asy_node *h = handlers->items[i];
    asy_label next = asy_label_new(e);
    if (h->except_handler.type) {
      selecting.region = asy_region_open(e, cleanup, top);
      asy_push_block(c, &selecting);
      int type = asy_expr(c, h->except_handler.type, NO_REG);
      e->top = top;
      int matches = asy_temp(e);
      asy_emit(e, h, OP_MATCH_EXC, matches, exc, type);
      asy_emit_jump(e, h->except_handler.type, OP_JUMP_IF_FALSE, matches, 0, 0, next);
      e->top = top;
      asy_region_close(e, &selecting.region);
      asy_pop_block(c, &selecting);
    } else {
      asy_emit_mark(e, h);
      all_caught = true;
    }
    asy_block handling = {.kind = h->except_handler.name ? BLOCK_NAMED_HANDLER : BLOCK_HANDLING,
                          .node = h,
                          .name = h->except_handler.name,
                          .save = save};
    asy_label failed = asy_label_new(e);
    if (handling.name) asy_name_store(c, h, handling.name, exc);
    handling.region = asy_region_open(e, failed, top);
    asy_push_block(c, &handling);
    asy_body(c, &h->except_handler.body);
    asy_region_close(e, &handling.region);
    asy_pop_block(c, &handling);
    unwind_block(c, &handling);
    asy_emit_jump(e, NULL, OP_JUMP, 0, 0, 0, end);
    e->top = top;
    asy_temp(e);
    close_handling(c, &handling, failed, top);
    e->top = top;
    e->reachable = false;
    asy_label_bind(e, next);
  }
  if (!all_caught) {
    asy_emit(e, node, OP_POP_HANDLED, save, 0, 0);
    asy_emit(e, NULL, OP_RERAISE, exc, 0, 0);
  }
  asy_temp(e);
  close_handling(c, &selecting, cleanup, top);
  e->top = exc;
}

/* except*: each clause takes its part of the group; what clauses raised and nobody took is raised at the end.
 *   exc, save, rest, list of what is to be raised, [part, new rest] */
static void except_star_clauses(asy_compiler *c, const asy_node *node, int exc, asy_label end) {
  asy_emitter *e = c->e;
  int save = exc + 1, rest = exc + 2, raised = exc + 3, part = exc + 4;
  const asy_node_list *handlers = &node->try_.handlers;
  asy_label cleanup = asy_label_new(e);
  e->top = exc + 1;
  asy_temps(e, 3);
  asy_emit(e, node, OP_PUSH_HANDLED, save, exc, 0);
  asy_emit(e, NULL, OP_MOVE, rest, exc, 0);
  asy_emit(e, NULL, OP_BUILD_LIST, raised, raised, 0);
  asy_block whole = {.kind = BLOCK_HANDLING, .node = node, .save = save};
  whole.region = asy_region_open(e, cleanup, part);
  asy_push_block(c, &whole);
  for (uint32_t i = 0; i < handlers->len; i++) {
    const asy_node *h = handlers->items[i];
    asy_label next = asy_label_new(e), failed = asy_label_new(e), done = asy_label_new(e);
    e->top = part;
    int type = asy_expr_next(c, h->except_handler.type);
    e->top = part;
    asy_temps(e, 2);
    asy_emit(e, h->except_handler.type, OP_MATCH_EXC_GROUP, part, rest, type);
    asy_emit(e, h, OP_MOVE, rest, part + 1, 0);
    e->top = part + 1;
    asy_emit_jump(e, h, OP_JUMP_IF_NONE, part, 0, 0, next);
    int inner = asy_temp(e);
    asy_emit(e, h, OP_PUSH_HANDLED, inner, part, 0);
    asy_block handling = {.kind = h->except_handler.name ? BLOCK_NAMED_HANDLER : BLOCK_HANDLING,
                          .node = h,
                          .name = h->except_handler.name,
                          .save = inner};
    if (handling.name) asy_name_store(c, h, handling.name, part);
    handling.region = asy_region_open(e, failed, inner + 1);
    asy_push_block(c, &handling);
    asy_body(c, &h->except_handler.body);
    asy_region_close(e, &handling.region);
    asy_pop_block(c, &handling);
    unwind_block(c, &handling);
    asy_emit_jump(e, NULL, OP_JUMP, 0, 0, 0, done);
    asy_label_bind(e, failed); /* what the clause raised is kept for the end */
    asy_temp(e);
    if (handling.name) asy_name_unbind(c, NULL, handling.name);
    asy_emit(e, h, OP_POP_HANDLED, inner, 0, 0);
    asy_emit(e, h, OP_LIST_APPEND, raised, inner + 1, 0);
    asy_label_bind(e, done);
    e->top = part + 1;
    asy_label_bind(e, next);
    e->top = part;
  }
  asy_label nothing = asy_label_new(e), keep = asy_label_new(e);
  asy_emit_jump(e, NULL, OP_JUMP_IF_NONE, rest, 0, 0, keep);
  asy_emit(e, NULL, OP_LIST_APPEND, raised, rest, 0);
  asy_label_bind(e, keep);
  asy_temp(e);
  asy_emit(e, NULL, OP_MERGE_EXC_GROUP, part, exc, raised);
  asy_region_close(e, &whole.region);
  asy_pop_block(c, &whole);
  asy_emit_jump(e, NULL, OP_JUMP_IF_NONE, part, 0, 0, nothing);
  asy_emit(e, node, OP_POP_HANDLED, save, 0, 0);
  asy_emit(e, NULL, OP_RERAISE, part, 0, 0);
  asy_label_bind(e, nothing);
  asy_emit(e, node, OP_POP_HANDLED, save, 0, 0);
  asy_emit_jump(e, NULL, OP_JUMP, 0, 0, 0, end);
  close_handling(c, &whole, cleanup, part);
  e->top = exc;
}

static void try_except(asy_compiler *c, const asy_node *node) {
  asy_emitter *e = c->e;
  if (!node->try_.handlers.len) {
    asy_body(c, &node->try_.body);
    asy_body(c, &node->try_.orelse);
    return;
  }
  int exc = e->top;
  asy_label handler = asy_label_new(e), end = asy_label_new(e);
  asy_block guarded = {.kind = BLOCK_TRY, .node = node, .region = asy_region_open(e, handler, exc)};
  asy_push_block(c, &guarded);
  asy_body(c, &node->try_.body);
  asy_region_close(e, &guarded.region);
  asy_pop_block(c, &guarded);
  asy_body(c, &node->try_.orelse);
  asy_emit_jump(e, NULL, OP_JUMP, 0, 0, 0, end);
  asy_label_bind(e, handler);
  asy_temp(e);
  if (node->kind == AST_TryStar) except_star_clauses(c, node, exc, end);
  else except_clauses(c, node, exc, end);
  asy_label_bind(e, end);
  e->top = exc;
}

void asy_try(asy_compiler *c, const asy_node *node) {
  asy_emitter *e = c->e;
  asy_emit_mark(e, node);
  if (!node->try_.finalbody.len) {
    try_except(c, node);
    return;
  }
  int exc = e->top, save = exc + 1;
  asy_label handler = asy_label_new(e), end = asy_label_new(e), cleanup = asy_label_new(e);
  asy_block guarded = {.kind = BLOCK_FINALLY,
                       .node = node,
                       .finalbody = &node->try_.finalbody,
                       .region = asy_region_open(e, handler, exc)};
  asy_push_block(c, &guarded);
  try_except(c, node);
  asy_region_close(e, &guarded.region);
  asy_pop_block(c, &guarded);
  asy_body(c, &node->try_.finalbody);
  asy_emit_jump(e, NULL, OP_JUMP, 0, 0, 0, end);

  asy_label_bind(e, handler);
  asy_temps(e, 2);
  asy_emit(e, node, OP_PUSH_HANDLED, save, exc, 0);
  asy_block handling = {
    .kind = BLOCK_HANDLING, .node = node, .save = save, .region = asy_region_open(e, cleanup, save + 1)};
  asy_push_block(c, &handling);
  asy_body(c, &node->try_.finalbody);
  asy_region_close(e, &handling.region);
  asy_pop_block(c, &handling);
  asy_emit(e, node, OP_POP_HANDLED, save, 0, 0);
  asy_emit(e, NULL, OP_RERAISE, exc, 0, 0);
  asy_temp(e);
  close_handling(c, &handling, cleanup, save + 1);
  asy_label_bind(e, end);
  e->top = exc;
}

/* --- with ------------------------------------------------------------------------------------------------------------------- */

/*   manager, exit method, its self, [window of the enter method]   then, during the body: manager, exit, self
 * __enter__ is looked up first, then __exit__, then __enter__ is called. */
static void with_item(asy_compiler *c, const asy_node *node, uint32_t index) {
  asy_emitter *e = c->e;
  if (index == node->with.items.len) {
    asy_body(c, &node->with.body);
    return;
  }
  int mark = e->top;
  bool async = node->kind == AST_AsyncWith;
  const asy_node *item = node->with.items.items[index], *at = item->withitem.context_expr;
  asy_block block = {.kind = async ? BLOCK_ASYNC_WITH : BLOCK_WITH, .node = at};
  asy_label handler = asy_label_new(e), end = asy_label_new(e), cleanup = asy_label_new(e),
            suppressed = asy_label_new(e);
  int manager = asy_expr_next(c, at);
  block.exit = asy_temps(e, 2);
  int window = asy_temps(e, 5);
  asy_emit(e, at, OP_LOAD_SPECIAL, window, manager, async ? SPECIAL_AENTER : SPECIAL_ENTER);
  asy_emit(e, at, OP_MOVE, window + 4, window + 1, 0);
  asy_emit(e, at, OP_LOAD_SPECIAL, block.exit, manager, async ? SPECIAL_AEXIT : SPECIAL_EXIT);
  e->top = window + 1;
  asy_emit(e, at, async ? OP_AWAIT_CALL_METHOD : OP_CALL_METHOD, window, window, 1);
  if (async) asy_emit_await(c, at, window, window, AWAIT_AENTER);

  int exc = window, save = exc + 1;
  block.region = asy_region_open(e, handler, exc);
  asy_push_block(c, &block);
  if (item->withitem.optional_vars) asy_store(c, item->withitem.optional_vars, window);
  e->top = window;
  with_item(c, node, index + 1);
  asy_region_close(e, &block.region);
  asy_pop_block(c, &block);
  unwind_block(c, &block);
  asy_emit_jump(e, NULL, OP_JUMP, 0, 0, 0, end);

  asy_label_bind(e, handler);
  asy_temps(e, 2);
  asy_emit(e, at, OP_PUSH_HANDLED, save, exc, 0);
  asy_block handling = {
    .kind = BLOCK_HANDLING, .node = at, .save = save, .region = asy_region_open(e, cleanup, save + 1)};
  asy_push_block(c, &handling);
  int result = call_exit(c, &block, exc);
  asy_emit_jump(e, at, OP_JUMP_IF_TRUE, result, 0, 0, suppressed);
  e->top = save + 1;
  asy_region_close(e, &handling.region);
  asy_pop_block(c, &handling);
  asy_emit(e, at, OP_POP_HANDLED, save, 0, 0);
  asy_emit(e, NULL, OP_RERAISE, exc, 0, 0);
  asy_label_bind(e, suppressed);
  asy_emit(e, at, OP_POP_HANDLED, save, 0, 0);
  asy_emit_jump(e, NULL, OP_JUMP, 0, 0, 0, end);
  asy_temp(e);
  close_handling(c, &handling, cleanup, save + 1);
  asy_label_bind(e, end);
  e->top = mark;
}

void asy_with(asy_compiler *c, const asy_node *node) { with_item(c, node, 0); }
