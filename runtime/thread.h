/* thread.h - several threads inside one VM: who runs, and how the others are kept.
 *
 * One lock, and whoever holds it runs. What asy_vm says about the running thread (from `base` to `shapes`) is put away as one
 * block when the lock is given up, and brought back when it is taken; so a program with one thread pays nothing.
 *
 *   thread A  runs ......... release: fields -> A.saved; blocks in a system call ......... acquire: A.saved -> fields; runs
 *   thread B                 acquire ... runs ... safepoint, A has waited 5 ms: gives up
 *
 * The collector finds a thread that waits by its block and its C stack from where it gave up the lock (`parked`), with a copy of
 * the registers of that moment: between release and acquire a native makes no new values.
 * Must stay true: only the holder touches the VM. Exceptions are asy_interrupt, asy_interrupt_set, and what the mutex guards.
 */
#ifndef ASY_RUNTIME_THREAD_H
#define ASY_RUNTIME_THREAD_H

#include <pthread.h>
#include <semaphore.h>

#include <uv.h>

#include "runtime/asy.h"
#include "runtime/stack.h"

enum {
  THREAD_SAVED_WORDS = 40, /* room for the fields of asy_vm that belong to the running thread */
  THREAD_SPILLED_WORDS = 64,
};

struct asy_thread {
  struct asy_thread *prev, *next; /* all threads of the VM, the main thread last */
  asy_vm *vm;
  asy_stack stack;          /* of its script code */
  const char *c_stack_base; /* highest address of its C stack */
  const char *parked;       /* while another runs: its C stack counts from here; NULL before it has run */
  uintptr_t spilled[THREAD_SPILLED_WORDS]; /* the registers when it gave up the lock */
  uintptr_t saved[THREAD_SAVED_WORDS];     /* fields of asy_vm, while another runs */
  asy_stack *top_stack;                    /* the stack it runs on, while another runs */
  sem_t wake;                              /* posted by whoever has something for it: a lock, a signal */
  pthread_t handle;
  int64_t native_id; /* the kernel's; 0 before it has started */
  asy_value call;    /* (function, args, kwargs) until it has started, else 0 */
  uint64_t number;   /* never used again */
  asy_obj *import;   /* the module whose body it waits for, which another thread runs; NULL none */
  asy_value join;    /* the _ThreadHandle that waits for its end, or 0 */
};

/* The lock of a VM and its threads. `mutex` guards holder, waiting, switches. */
typedef struct asy_threads {
  pthread_mutex_t mutex;
  pthread_cond_t freed, taken;
  asy_thread *holder;             /* NULL: free, or the VM has only one thread and nobody looks */
  uint32_t waiting;               /* threads that wait for the lock */
  uint64_t switches;              /* times it was taken */
  asy_thread *first;              /* list */
  uint32_t count;                 /* threads that exist, those about to start too */
  uint32_t forks;                 /* that led to this process, since its program began */
  bool ended;                     /* the program has ended: others that want the lock wait for ever */
  int64_t interval;               /* ns that a thread runs while another waits */
  size_t stack_size;              /* of the C stacks of new threads; 0: the system's */
  struct asy_body_run *bodies;    /* import.c: bodies of modules that run */
  struct asy_known_local *locals; /* thread_module.c: the _thread._local objects */
  uint64_t locals_made, started;  /* such objects and threads so far */
  asy_thread original;            /* the one that made the VM */
  asy_thread *main;               /* it, or in a child process the one that forked: it answers signals */
  uv_async_t *volatile main_poll; /* ends the poll that the main thread is blocked in */
} asy_threads;

/* The calling thread becomes the main thread of a new VM. False: no memory. */
bool asy_threads_init(asy_vm *vm);
/* False: threads that cannot be ended live on and will look at the VM: it must not be freed. */
bool asy_threads_end(asy_vm *vm);
void asy_threads_visit(asy_vm *vm, asy_visitor *v);   /* threads that do not run */
void asy_threads_after_fork(asy_vm *vm);              /* in the child: only the calling thread is left */
void asy_thread_init(asy_vm *vm, asy_thread *thread); /* links a zeroed one that is about to start */
bool asy_thread_enter(asy_vm *vm,
                      asy_thread *self); /* the calling thread, which holds the lock, is it. False: no memory */
void asy_thread_begin(asy_vm *vm, asy_thread *self);  /* the first thing a new thread does: takes the lock */
void asy_thread_finish(asy_vm *vm, asy_thread *self); /* the last thing: gives it up, and self is gone */
void asy_thread_drop(asy_vm *vm, asy_thread *thread); /* unlinks it and frees what it owns, not itself */
void asy_locals_end(asy_vm *vm);                      /* thread_module.c: at the end of the VM */
bool asy_thread_is_main(asy_vm *vm);
/* Where the fields of asy_vm that belong to a thread are found, and nothing else: the VM, or a view of what is put away. */
asy_vm *asy_thread_fields(asy_vm *vm, asy_thread *thread);
/* At a safepoint, somebody waits: gives up the lock for one turn. */
void asy_thread_yield(asy_vm *vm);
/* Blocks without the lock until the thread's semaphore is posted, the monotonic clock reaches deadline (INT64_MAX: never), or a
 * signal comes. May return for no reason. */
void asy_thread_wait(asy_vm *vm, int64_t deadline);
/* The bounds of the calling thread's C stack: the highest address; *limit: natives must not recurse below. NULL: unknown. */
void *asy_find_c_stack(char **limit);

#endif
