/* context.h - contextvars: variables whose values belong to the flow of work. What tasks, handles and threads run in.
 *
 * A Context names a persistent map from variable to value (context.c), so that a copy is one object. vm->context is the running
 * thread's current one; NULL stands for an empty one that nobody has needed yet, so programs without variables pay nothing.
 * Must stay true: a context that is current, or that a run() above has left for another, has `entered` set.
 */
#ifndef ASY_RUNTIME_CONTEXT_H
#define ASY_RUNTIME_CONTEXT_H

#include "runtime/vm.h"

typedef struct asy_context {
  asy_obj head;
  asy_tuple *map;               /* the root node; NULL empty */
  struct asy_context *previous; /* current before it was entered; NULL none */
  bool entered;
} asy_context;

extern const asy_type asy_context_type;

/* What work that is put off runs in: a copy of the current context; None when that is empty. ASY_FAILED: no memory. */
asy_value asy_context_snapshot(asy_vm *vm);
/* The context= that was given; None: a snapshot. */
static inline asy_value asy_context_or_snapshot(asy_vm *vm, asy_value given) {
  return given != ASY_NONE || !vm->context ? given : asy_context_snapshot(vm);
}
asy_context *asy_context_new(asy_vm *vm);                  /* empty */
asy_value asy_context_copy(asy_vm *vm, asy_value context); /* of a Context; None: None */
bool asy_is_context(asy_vm *vm, asy_value v);
/* Makes it the current one. False: RuntimeError, it is entered already. */
bool asy_context_enter(asy_vm *vm, asy_context *context);
void asy_context_leave(asy_vm *vm, asy_context *context); /* what was current before is so again */
/* Around work that runs in a Context of its own, or with None in an empty one: begin gives what end is to make current again, and a
 * context that the work was the first to need is then in *slot, of owner. */
asy_context *asy_context_begin(asy_vm *vm, asy_value own);
void asy_context_end(asy_vm *vm, void *owner, asy_value *slot, asy_context *outer);

#endif
