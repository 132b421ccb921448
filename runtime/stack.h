/* stack.h - the frames of one task.
 * A stack owns a chain of chunks that never move; a frame never straddles two. Suspending saves the frame's base and pc, so it
 * costs the same at every await depth, and nothing is copied.
 *
 *   frame in place (called from the frame below, registers overlap the call window):
 *     caller's registers ... [callee][header: 3 words][arg 0 = R0][arg 1 = R1] ... R(nregs-1)
 *                            ^ base-4                  ^ base
 *   frame moved: the window would not fit into the chunk, or the caller is a generator whose registers lie in its heap object:
 *     callee and arguments are copied to the top of the stack, FRAME_MOVED is set, and returning goes the slow way.
 *
 * Header words, below base:
 *   FRAME_FUNC   base[-4]  the asy_func (a value)
 *   FRAME_PC     base[-3]  this frame's own next instruction, saved before anything that can raise, call or suspend
 *   FRAME_BACK   base[-2]  caller's base (0 for the first frame of a run)
 *   FRAME_INFO   base[-1]  register of the caller that gets the result, FRAME_ flags, and the chunk to return to when moved
 *
 * Must stay true: no C pointer into a chunk outlives a call that can pop it; a suspended stack is not written.
 */
#ifndef ASY_RUNTIME_STACK_H
#define ASY_RUNTIME_STACK_H

#include "runtime/heap.h"

typedef struct asy_chunk {
  struct asy_chunk *prev; /* older chunk, or NULL */
  uint32_t words;         /* capacity of `slots` */
  uint32_t used;          /* words in use when a newer chunk lies above; else unknown */
  asy_value slots[];
} asy_chunk;

/* FRAME_INFO: bits 0..7 dst register, 8..23 flags */
enum {
  FRAME_BOUNDARY = 1 << 8, /* returning leaves asy_run: the caller is C */
  FRAME_MOVED = 1 << 9,    /* see above */
  FRAME_HEAP = 1 << 10,    /* registers lie in a generator object (generator, async generator) */
  FRAME_FOR = 1 << 11,     /* a generator run by FOR_ITER or FOR_AITER: a yield continues the loop, a return ends it */
  FRAME_DELEGATED = 1 << 12,  /* a generator run by YIELD_FROM of the frame below */
  FRAME_CORO = 1 << 13,       /* self_register holds the coroutine object */
  FRAME_INIT = 1 << 14,       /* __init__ called by a class: returning gives self_value kept in the caller's dst */
  FRAME_SKIP_AWAIT = 1 << 15, /* called by AWAIT_CALL: return behind the AWAIT that follows */
  FRAME_TRACED = 1 << 16,     /* has a frame object */
  FRAME_SEEN = 1 << 17,       /* see trace.h; likewise the next */
  FRAME_LOCAL = 1 << 18
};

#define FRAME_FUNC(base) ((base)[-4])
#define FRAME_PC(base) ((base)[-3])
#define FRAME_BACK(base) ((base)[-2])
#define FRAME_INFO(base) ((base)[-1])
enum { FRAME_HEADER = 4 };

/* The stack of a task, of a coroutine driven by hand, or of a thread's script code. Not a heap object: owned by one. */
typedef struct asy_stack {
  asy_chunk *chunk; /* newest */
  asy_chunk *spare; /* one empty chunk kept against ping-pong, dropped on suspend */
  asy_value *base;  /* suspended: base of the top frame; NULL when nothing runs on it */
  asy_value *top;   /* suspended: first free word of the newest chunk */
  asy_value *limit; /* end of the newest chunk */
  uint32_t depth;   /* frames */
  int32_t
    resume_register; /* suspended by an async native: register of the top frame that gets the sent value; else -1 */
  uint32_t run;      /* running: vm->runs of the run that executes it; deeper ones are called by natives */
  asy_value handled; /* the exception being handled, or None */
  struct asy_stack *below; /* the stack that resumed this one, while it runs */
  asy_obj *owner;          /* task or coroutine; NULL for a main stack */
} asy_stack;

void asy_stack_init(asy_vm *vm, asy_stack *s, asy_obj *owner);
void asy_stack_free(asy_vm *vm, asy_stack *s);
void asy_stack_pop_chunk(asy_vm *vm, asy_stack *s); /* back to the older chunk; the popped one becomes the spare */
void asy_stack_drop_spare(asy_vm *vm, asy_stack *s);
void asy_stack_pool_free(asy_vm *vm); /* at the end of the VM */
/* Room for `words` above `top` in one chunk: a new chunk when needed. NULL with MemoryError set. */
asy_value *asy_stack_reserve(asy_vm *vm, asy_stack *s, asy_value *top, size_t words);
void asy_stack_visit(asy_stack *s, asy_visitor *v);
/* frame_object.c: the frames between these addresses go without having been left. Allocates nothing. */
void asy_frames_dropped(asy_vm *vm, const asy_value *from, const asy_value *to);

#endif
