/* vm.h - one virtual machine: everything that would be global elsewhere.
 * Several VMs may live in one process, one per thread. The runtime's own files include this; modules and embedders see asy.h.
 */
#ifndef ASY_RUNTIME_VM_H
#define ASY_RUNTIME_VM_H

#include <stdio.h>
#include <uv.h>

#include "runtime/asy.h"
#include "runtime/gate.h"
#include "runtime/names.h"
#include "runtime/signal.h"
#include "runtime/stack.h"
#include "runtime/thread.h"
#include "runtime/types/dict.h"
#include "runtime/types/list.h"
#include "runtime/types/str.h"
#include "runtime/types/tuple.h"
#include "runtime/watchdog.h"

/* vm->interrupt: looked at by calls, backward jumps and loop turns */
enum {
  ASY_INTERRUPT_GC = 1,
  ASY_INTERRUPT_FINALIZERS = 2,
  ASY_INTERRUPT_SIGNAL = 4,
  ASY_INTERRUPT_SWITCH = 8,     /* another thread waits for the lock */
  ASY_INTERRUPT_GC_STRESS = 16, /* stays set: collect at every safepoint */
  ASY_INTERRUPT_WATCHDOG = 32,  /* a step of a task holds the loop for long */
};

struct asy_loop_state; /* runtime/loop.h */

enum { ASY_DISPATCH_SLOTS = 160 }; /* at least one for each opcode */

struct asy_vm {
  volatile uint32_t interrupt; /* ASY_INTERRUPT_ bits; changed by asy_interrupt_set and _clear */
  uint32_t recursion_limit;

  /* From here to `shapes`: what belongs to the running thread. Put away as one block while another runs: thread.h.
   * First the running frame, as far as natives need it. */
  asy_value *base;     /* registers of the running frame */
  asy_value *top;      /* first register that is free above it; natives that call back push there */
  asy_value *limit;    /* end of the chunk; NULL while the frame lies in a heap object, so that calls go the slow way */
  asy_stack *stack;    /* the stack it runs on */
  uint32_t depth;      /* frames on it */
  uint32_t runs;       /* nested runs of the loop */
  asy_value exception; /* pending exception (an exception object), 0 when none */
  asy_value handled;   /* the exception being handled, or None */
  char *c_stack_limit; /* below this address natives must not recurse */
  struct asy_task *current_task;
  struct asy_loop *running_loop; /* NULL: none runs in this thread */
  struct asy_loop *current_loop; /* asyncio.set_event_loop; NULL none */
  bool current_loop_set;         /* it was set, if only to None */
  asy_value result;              /* what the run that ended returned or yielded */
  int outcome;                   /* asy_run_outcome of the run that ends */
  asy_value sent;                /* what a resumed frame is sent, until it is taken */
  asy_value stop_value; /* after ASY_END of a generator, coroutine or asy_next: what StopIteration would carry */
  asy_value thrown;     /* an exception on its way into the iterator that a resumed AWAIT waits for; 0 none */
  asy_tuple *spread;    /* the tuple whose items are the arguments of the call being bound, or NULL: *args may be it */
  asy_value pending_future;           /* see asy_yield_future */
  asy_value async_gen_hooks[2];       /* sys.set_asyncgen_hooks: firstiter, finalizer; 0 none */
  struct asy_repr_guard *repr_guards; /* containers whose repr is being made, innermost first: types/sequence.h */
  struct asy_context *context;        /* the current contextvars.Context; NULL: none was needed yet */
  asy_thread *thread;                 /* it */
  asy_value trace, profile;           /* sys.settrace, sys.setprofile: trace.h; 0 none */
  bool traced;                        /* steps have something to tell */
  uint8_t trace_event;                /* asy_trace_event that a function is being told */

  /* classes and shapes */
  asy_shape **shapes; /* by id */
  uint32_t nshapes, shapes_cap;
  asy_class *classes[KIND_COUNT]; /* the built-in class of each kind */
  asy_class **exceptions;         /* by asy_exc_id */
  asy_str *names[NAME_COUNT];
  uint32_t next_keys_version;
  uint32_t next_kind; /* for module-defined types */

  /* program */
  asy_dict *builtins; /* namespace of the builtins module */
  asy_dict *modules;  /* sys.modules */
  asy_list *path;     /* sys.path */
  asy_value sys_module;
  asy_value main_module;
  asy_value stdout_file, stderr_file, stdin_file; /* see builtins.c */
  int argc;
  char **argv;
  asy_options options; /* as given */

  /* shared strings */
  asy_str *empty_str;
  asy_str *latin1[256];
  asy_tuple *empty_tuple;
  struct asy_intern_table *interned;
  uint64_t hash_key[2]; /* of SipHash; from the gate */

  asy_heap *heap;
  asy_gate gate;
  asy_gate_state gate_state;         /* of a gate with virtual time or a seed */
  bool strict_async;                 /* a forgotten await or task exception makes the exit status 1 */
  bool async_forgotten;              /* that has happened */
  struct asy_loop_state *loop_state; /* NULL until asyncio or a loop is used */
  asy_value memory_error;            /* made at start: raised when nothing can be allocated */
  struct asy_import_state *import_state;
  struct asy_loaded_library *libraries; /* library.c: tables of functions; freed last, by asy_libraries_free */
  void *chunk_pool;                     /* stack.c: free small chunks */
  struct asy_frame_obj *live_frames;    /* frame_object.c: of frames on stacks that are not left yet */
  struct asy_code *code_list;           /* ic.c: all code objects, to flush their caches */
  uint32_t builtins_version;            /* keys_version of builtins that the inline caches know */
  asy_value monitor;                    /* what is told the events `monitored` (asy_monitor_event) of all threads; 0 */
  uint32_t monitored;
  bool keep_frames;                        /* frames that an exception leaves keep their locals: sys._keep_frames */
  bool ic_off;                             /* ASY_IC=off */
  bool ic_verify;                          /* ASY_IC=verify: a hit is checked against the slow lookup */
  uint32_t origin_depth;                   /* sys.set_coroutine_origin_tracking_depth */
  uint32_t int_max_str_digits;             /* sys.set_int_max_str_digits; 0: no limit */
  void *float_powers;                      /* types/shortest.c: powers of ten; malloc'ed, NULL until used */
  struct asy_class_state *class_state;     /* class.h */
  struct asy_unicode_names *unicode_names; /* types/unicode_name.c: unpacked when first asked for */
  struct asy_native_texts *native_texts;   /* native_texts.c: unpacked when first asked for */
  struct asy_scripts *scripts;             /* scripts.c: the library's, made when first needed */
  struct asy_source_text *sources;         /* source_lines.c: texts that tracebacks show */
  struct asy_io_state *io_state;           /* io/io.h */
  struct asy_codec_state *codec_state;     /* types/codec.h: what scripts registered */
  asy_threads threads;
  asy_signals signals;
  uint32_t context_variables; /* contextvars.ContextVar objects made so far */
  asy_watchdog watchdog;
  const void *dispatch[ASY_DISPATCH_SLOTS]; /* what executes each opcode: its handler, or the tracer. trace.h */
};

/* Also from other threads and from signal handlers. */
static inline void asy_interrupt_set(asy_vm *vm, uint32_t bits) {
  __atomic_or_fetch(&vm->interrupt, bits, __ATOMIC_SEQ_CST);
}
static inline void asy_interrupt_clear(asy_vm *vm, uint32_t bits) {
  __atomic_and_fetch(&vm->interrupt, ~bits, __ATOMIC_SEQ_CST);
}

#define ASY_NAME(vm, name) ((vm)->names[NAME_##name])
#define ASY_NAME_VALUE(vm, name) asy_from_obj((vm)->names[NAME_##name])

static inline asy_class *asy_class_of(asy_vm *vm, asy_value v) {
  if (asy_is_obj(v)) return vm->shapes[asy_obj_of(v)->shape]->cls;
  if (asy_is_int(v)) return vm->classes[KIND_INT];
  if (asy_is_flonum(v)) return vm->classes[KIND_FLOAT];
  switch (v) {
    case ASY_NONE: return vm->classes[KIND_NONE];
    case ASY_ELLIPSIS: return vm->classes[KIND_ELLIPSIS];
    case ASY_NOT_IMPLEMENTED: return vm->classes[KIND_NOT_IMPLEMENTED];
    default: return vm->classes[KIND_BOOL];
  }
}

/* Visits every root that the VM holds besides the heap's own lists: fields above, running stacks, modules. vm.c */
void asy_vm_visit_roots(asy_vm *vm, asy_visitor *v);

void asy_libraries_free(asy_vm *vm); /* library.c */

#endif
