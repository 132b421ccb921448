/* trace.h - sys.settrace and sys.setprofile: telling script functions what the loop does.
 *
 * The loop has no check for it. It goes to the handler of an instruction through vm->dispatch; while some thread has a trace or
 * profile function, every entry of that table is one other handler instead, which calls asy_trace_step before the instruction and
 * then goes to its own. So all loops that run see the change at their next instruction, and untraced code does nothing for it.
 *
 *   off   vm->dispatch:  [ADD] -> do_ADD    [CALL] -> do_CALL ...
 *   on    vm->dispatch:  [ADD] -> traced    [CALL] -> traced ...      traced: asy_trace_step(); goto handlers[op]
 *
 * What there is to tell is read from the instruction and from two flags in FRAME_INFO, which whoever enters a frame or resumes a
 * generator writes anew:
 *
 *   FRAME_SEEN   its `call` event was told, or it began before anybody traced. A step in a frame without it tells of that frame, and
 *                first of the frames below it that go on with it (a chain of awaits, of `yield from`).
 *   FRAME_LOCAL  it has a local trace function (f_trace), which gets lines, opcodes, exceptions and its return.
 *
 *   call       first step in a frame without FRAME_SEEN        return     before RETURN, YIELD; in asy_unwind; when a stack suspends
 *   line       before an instruction on another line than the one before it in that frame, or behind a jump back
 *   exception  in asy_unwind                                   c_call ..  the step makes the call itself, in place of the instruction
 *
 * sys.monitoring is a script (_monitoring.asy) on top: vm->monitor is called with the events in vm->monitored, of all threads.
 *
 * Must stay true: vm->traced is set only while there is a function to tell and this thread is not busy telling one; a step runs script
 * code, so it stands where no value of the loop lives outside of registers.
 */
#ifndef ASY_RUNTIME_TRACE_H
#define ASY_RUNTIME_TRACE_H

#include "runtime/frame.h"

typedef enum {
  TRACE_NOTHING, /* no function is being told an event */
  TRACE_CALL,
  TRACE_LINE,
  TRACE_RETURN,
  TRACE_EXCEPTION,
  TRACE_OPCODE,
  TRACE_C_CALL,
  TRACE_C_RETURN,
  TRACE_C_EXCEPTION
} asy_trace_event;

/* Events of sys.monitoring, as its numbers. */
typedef enum {
  MONITOR_PY_START = 1 << 0,
  MONITOR_PY_RESUME = 1 << 1,
  MONITOR_PY_RETURN = 1 << 2,
  MONITOR_PY_YIELD = 1 << 3,
  MONITOR_CALL = 1 << 4,
  MONITOR_LINE = 1 << 5,
  MONITOR_INSTRUCTION = 1 << 6,
  MONITOR_JUMP = 1 << 7,
  MONITOR_BRANCH = 1 << 8,
  MONITOR_STOP_ITERATION = 1 << 9,
  MONITOR_RAISE = 1 << 10,
  MONITOR_EXCEPTION_HANDLED = 1 << 11,
  MONITOR_PY_UNWIND = 1 << 12,
  MONITOR_PY_THROW = 1 << 13,
  MONITOR_RERAISE = 1 << 14,
  MONITOR_C_RETURN = 1 << 15,
  MONITOR_C_RAISE = 1 << 16,
  MONITOR_ALL = (1 << 17) - 1,
  MONITOR_PLACES = MONITOR_LINE | MONITOR_INSTRUCTION | MONITOR_JUMP | MONITOR_BRANCH /* each instruction matters */
} asy_monitor_event;

/* What a frame object knows of the tracing of its frame. frame_object.c */
typedef struct {
  asy_value function; /* f_trace; 0 none */
  int32_t line;       /* of the last instruction; 0: none was told of yet */
  int32_t word;       /* it; -1 none */
  int32_t behind;     /* where it ends */
  int32_t loop_end;   /* it is a FOR_ITER over a script iterator, and goes on here when that is exhausted; else 0 */
  int32_t mark;       /* line of the statement without instructions that is being told; else 0 */
  bool back;          /* it was behind a jump back, and told nothing */
  bool no_lines;      /* f_trace_lines is False */
  bool opcodes;       /* f_trace_opcodes */
} asy_frame_trace;
asy_frame_trace *asy_frame_trace_of(asy_value frame_object);

/* The running frame stands at base, pc is behind the first word of the instruction. ACT_NEXT: it is to be executed. */
asy_action asy_trace_step(asy_vm *vm, asy_value *base, const uint32_t *pc);
/* For transfer.c, while vm->traced: an exception is pending in the running frame (raised there or by what it called, or raised
 * again); a handler gets it; it leaves the frame; the generator gives a value on (false: the function raised); the stack waits, and goes on. */
void asy_trace_exception(asy_vm *vm, bool raised);
void asy_trace_handled(asy_vm *vm);
void asy_trace_unwound(asy_vm *vm);
bool asy_trace_yield(asy_vm *vm, asy_value value);
bool asy_trace_awaited(asy_vm *vm, asy_value awaiter, asy_value value); /* its iterator has ended with the value */
void asy_trace_suspend(asy_vm *vm, asy_value value);
void asy_trace_resume(asy_vm *vm);

/* The functions of the calling thread; 0: none. In all threads, where UNBOUND leaves one as it is. */
void asy_trace_set(asy_vm *vm, asy_value trace, asy_value profile);
void asy_trace_set_all(asy_vm *vm, asy_value trace, asy_value profile);
void asy_trace_threads_changed(asy_vm *vm); /* one has ended */
void asy_trace_thread_begins(asy_vm *vm);
/* func(*args) traced, although a function is being told an event: sys.call_tracing. */
asy_value asy_trace_call(asy_vm *vm, asy_value func, asy_tuple *args);
/* jump.c: the frame at base, which is told a line, goes on at the first line from `line` on. False: it cannot. */
bool asy_trace_jump(asy_vm *vm, asy_value frame_object, asy_value *base, int64_t line);
/* f_trace of a frame was set or deleted. */
void asy_trace_local(asy_vm *vm, asy_value frame_object, asy_value *base);

/* Fills vm->dispatch. vm.c */
void asy_dispatch_select(asy_vm *vm, bool traced);

#endif
