/* asy.h - all that natives of the standard library and embedders may use.
 *
 * Conventions: a function that can fail returns ASY_FAILED, NULL, false or -1 with the exception set, and its caller passes that
 * on. Values need no handles: the C stack is scanned. Ownership of C memory is said at each function. Texts given to asy_raise
 * know: %s C text (UTF-8), %d int, %u unsigned, %lld, %zu, %c code point, %% and, taking an asy_value: %R repr, %S str, %T name of
 * its type; taking an asy_str *: %U; taking an asy_class *: %N its name.
 */
#ifndef ASY_H
#define ASY_H

#include "runtime/exceptions.h"
#include "runtime/heap.h"
#include "runtime/object.h"
#include "runtime/unpack.h"
#include "runtime/value.h"

/* ---- The machine (vm.c) ---- */
typedef struct {
  int argc;
  char **argv;                 /* sys.argv; not copied */
  const struct asy_gate *gate; /* NULL: the system's */
  bool virtual_time;           /* the clock jumps when everybody sleeps */
  bool strict_async;           /* a coroutine never awaited, a task exception never looked at: exit status 1 */
  bool seeded;                 /* ready tasks are picked by `seed`, and random numbers come from it */
  uint64_t seed;
  int watchdog_ms; /* a step of a task that takes longer is named on stderr while it runs; 0: off */
  /* What sys.flags, sys.warnoptions and sys._xoptions show, and what lies behind it. Texts are not copied. */
  bool inspect, quiet, verbose, isolated, ignore_environment, no_user_site, no_site, safe_path, dev_mode, unbuffered;
  bool import_times; /* each import is timed on stderr */
  int optimize;      /* above 0: no assert statements */
  int nwarnings, nx_options;
  const char *const *warnings;  /* "action:message:category:module:line" */
  const char *const *x_options; /* "name" or "name=value" */
  int original_argc;            /* sys.orig_argv; 0: as argv */
  char **original_argv;
} asy_options;
asy_vm *asy_vm_new(const asy_options *options); /* NULL: no memory */
void asy_vm_free(asy_vm *vm);
void asy_interrupt(
  asy_vm *vm); /* from a signal handler or another thread: as SIGINT, KeyboardInterrupt in the main thread */
void asy_signals_attach(
  asy_vm *vm); /* SIGINT and signals that scripts handle come to this VM from now on; NULL: to none */
/* Compiles and runs text as the module `name` with __file__ = path. The module, or ASY_FAILED. */
asy_value asy_run_source(asy_vm *vm, const char *text, size_t length, const char *path, const char *name);
asy_value asy_run_file(asy_vm *vm, const char *path); /* as __main__; sys.path[0] becomes its folder */
/* A module found by name, or the __main__ of a package, folder or zip archive, as __main__: python -m. */
asy_value asy_run_module(asy_vm *vm, const char *name);
asy_value asy_run_folder(asy_vm *vm, const char *path);
/* The end of a program: a pending exception is shown (SystemExit is not), atexit callbacks and finalisers run, output is
 * flushed. The exit status: 0, 1 after an exception, 120 when output was lost, SystemExit's own; ASY_STATUS_SIGNAL + n: the program
 * is to die of signal n, so that its parent sees it. */
enum { ASY_STATUS_SIGNAL = 256 };
int asy_finish(asy_vm *vm);
/* A variable of the environment that is meant for us; NULL when it is not set or empty, or with ignore_environment. */
const char *asy_environment(asy_vm *vm, const char *name);

/* ---- Errors (exc.c) ---- */
/* Always ASY_FAILED. A literal as text is packed (native_texts.h): the first such error unpacks them all, so what many programs catch is
 * raised by asy_raise_format. */
#define asy_raise(vm, what, format, ...)                                                                               \
  __builtin_choose_expr(IS_PACKED_ERROR(format), asy_raise_packed, asy_raise_format)(                                  \
    vm, what, __builtin_choose_expr(IS_PACKED_ERROR(format), ERROR_NUMBER(format), format), ##__VA_ARGS__)
asy_value asy_raise_format(asy_vm *vm, asy_exc_id what, const char *format, ...);
asy_value asy_raise_packed(asy_vm *vm, asy_exc_id what, uint32_t error, ...);
asy_value asy_raise_value(asy_vm *vm, asy_value exception); /* an instance or class; sets __context__ */
asy_value asy_raise_no_memory(asy_vm *vm);
asy_value asy_raise_errno(asy_vm *vm, int error,
                          asy_value filename); /* OSError's right subclass; filename UNBOUND: none */
asy_value asy_raise_errno2(asy_vm *vm, int error, asy_value filename,
                           asy_value filename2);                 /* of two files: rename, link */
asy_value asy_raise_uv(asy_vm *vm, int rc, const char *subject); /* subject may be NULL */
asy_value asy_raise_key(asy_vm *vm, asy_value key);              /* KeyError(key) */
asy_value asy_raise_stop(asy_vm *vm, asy_value value);   /* StopIteration(value); UNBOUND or None: without value */
bool asy_raised(asy_vm *vm);                             /* an exception is pending */
bool asy_raised_is(asy_vm *vm, asy_exc_id what);         /* pending and an instance of it */
asy_value asy_take_exception(asy_vm *vm);                /* the pending exception; none is pending any more */
void asy_set_exception(asy_vm *vm, asy_value exception); /* pending again as it was: no context, no traceback added */
void asy_clear_exception(asy_vm *vm);
asy_value asy_new_exception(asy_vm *vm, asy_exc_id what, const char *format, ...); /* not raised */
void asy_report_unraisable(asy_vm *vm, asy_value where);   /* pending exception to stderr, cleared */
void asy_print_exception(asy_vm *vm, asy_value exception); /* traceback as CPython's, to stderr */
/* A warning, as warnings.warn: of the stacklevel-th script frame (1: the one that runs). false: a filter made it an exception. */
bool asy_warn(asy_vm *vm, asy_exc_id category, const char *text, int stacklevel);
bool asy_warn_explicit(asy_vm *vm, asy_exc_id category, const char *text, asy_str *filename, int line);
/* The same, about an object: the warning's `source`; None there is none. */
bool asy_warn_about(asy_vm *vm, asy_exc_id category, asy_str *text, asy_str *filename, int line, asy_value source);
/* The lines that tracebacks show of a text that no file holds (-c, the REPL), kept under its name; copied. false: no memory. */
bool asy_source_keep(asy_vm *vm, const char *filename, const char *text, size_t length);
bool asy_check_c_stack(asy_vm *vm);                       /* false: RecursionError is set */
bool asy_check_c_stack_in(asy_vm *vm, const char *where); /* where: " in comparison", added to its text */

/* ---- From C to values and back (number.c, str.c) ---- */
asy_value asy_from_int64(asy_vm *vm, int64_t i);
asy_value asy_from_uint64(asy_vm *vm, uint64_t i);
asy_value asy_from_double(asy_vm *vm, double d);
asy_value asy_from_cstr(asy_vm *vm, const char *text);                /* UTF-8 */
asy_value asy_from_text(asy_vm *vm, const char *text, size_t length); /* UTF-8 */
asy_value asy_from_bytes(asy_vm *vm, const void *bytes, size_t length);
asy_value asy_tuple_of(asy_vm *vm, uint32_t n, ...);      /* n asy_values */
bool asy_to_int64(asy_vm *vm, asy_value v, int64_t *out); /* int or __index__; OverflowError outside */
bool asy_to_c_int(asy_vm *vm, asy_value v, int *out);     /* OverflowError as for an argument that is an int of C */
bool asy_to_int(asy_vm *vm, asy_value v, int64_t min, int64_t max, int *out); /* ValueError names value and range */
bool asy_to_double(asy_vm *vm, asy_value v, double *out);                     /* float, int, __float__, __index__ */
bool asy_to_cstr(asy_vm *vm, asy_value v, const char **out); /* a str without NUL; lives as long as v */
/* Names of files and what the environment holds are bytes; as text they are UTF-8, and what is not lies in lone surrogates. */
asy_value asy_fs_decode(asy_vm *vm, const char *bytes, size_t length);
const char *asy_fs_encode(asy_vm *vm, asy_str *text, size_t *length,
                          asy_value *keep); /* as asy_str_utf8; UnicodeEncodeError */
asy_value asy_complex_new(asy_vm *vm, double real, double imag);
void asy_complex_parts(asy_value v, double *real, double *imag); /* v is of KIND_COMPLEX */
bool asy_is_str(asy_value v);                                    /* str or a subclass; likewise below */
bool asy_is_float(asy_value v);                                  /* any float: in the word or boxed */
bool asy_is_integer(asy_value v);                                /* small, big, bool or a subclass instance */
bool asy_is_number_int64(asy_value v, int64_t *out); /* an integer that fits int64 (no __index__); no error set */
double asy_float_value(asy_value v);                 /* v is a float */

/* ---- Integers of any size (types/int.c): v must be asy_is_integer ---- */
int asy_int_sign(asy_value a);                       /* -1, 0, 1 */
asy_value asy_int_from_double(asy_vm *vm, double d); /* truncated; ValueError, OverflowError for NaN, infinity */
asy_value asy_int_gcd(asy_vm *vm, asy_value a, asy_value b);
asy_value asy_int_sqrt(asy_vm *vm, asy_value a); /* floor of the root; a >= 0 */
uint64_t asy_int_bit_length(asy_value a);
bool asy_int_is_odd(asy_value a);
uint64_t asy_int_mask64(asy_value a);               /* the low 64 bits of the two's complement */
bool asy_int_to_uint64(asy_value a, uint64_t *out); /* false when it does not fit; no error set */
asy_value asy_int_binary(asy_vm *vm, asy_binary_op op, asy_value a, asy_value b); /* two integers; any row but MATMUL */
/* a < b: -1, 0, 1; 2 when unordered (a NaN). Exact: no rounding of the int. */
int asy_float_compare_int(double a, asy_value integer);

/* ---- The object protocol (object.c); each may run script code unless it says otherwise ---- */
asy_class *asy_type_of(asy_vm *vm, asy_value v);                     /* runs nothing */
bool asy_is_instance(asy_vm *vm, asy_value v, const asy_class *cls); /* by the mro only; runs nothing */
bool asy_is_subclass(const asy_class *cls, const asy_class *of);
int asy_isinstance(asy_vm *vm, asy_value v,
                   asy_value cls_or_tuple); /* with __instancecheck__, tuples, unions: 0, 1, -1 */
int asy_issubclass(asy_vm *vm, asy_value cls, asy_value cls_or_tuple);
int asy_truth(asy_vm *vm, asy_value v);      /* 0, 1, -1 */
asy_value asy_repr(asy_vm *vm, asy_value v); /* a str */
/* show(self), or `again` where self is being shown already: for reprs of what may contain itself. */
asy_value asy_repr_guarded(asy_vm *vm, asy_value self, asy_value (*show)(asy_vm *, asy_value), const char *again);
asy_value asy_str_of(asy_vm *vm, asy_value v);                 /* str(v) */
asy_value asy_format(asy_vm *vm, asy_value v, asy_value spec); /* format(v, spec); spec a str */
asy_value asy_ascii(asy_vm *vm, asy_value v);
bool asy_hash(asy_vm *vm, asy_value v, int64_t *out);
asy_value asy_compare(asy_vm *vm, asy_value a, asy_value b, asy_compare_op op); /* the full protocol; any value */
int asy_equal(asy_vm *vm, asy_value a, asy_value b); /* identity first, as containers do: 0, 1, -1 */
int asy_less(asy_vm *vm, asy_value a, asy_value b);  /* a < b: 0, 1, -1 */
asy_value asy_binary(asy_vm *vm, asy_binary_op op, asy_value a, asy_value b);
asy_value asy_inplace(asy_vm *vm, asy_binary_op op, asy_value a, asy_value b);
asy_value asy_unary(asy_vm *vm, asy_unary_op op, asy_value a);
int64_t asy_length(asy_vm *vm, asy_value v); /* -1 failed */
int64_t asy_length_hint(asy_vm *vm, asy_value v, int64_t otherwise);
asy_value asy_get_item(asy_vm *vm, asy_value v, asy_value key);
bool asy_set_item(asy_vm *vm, asy_value v, asy_value key, asy_value value);
bool asy_del_item(asy_vm *vm, asy_value v, asy_value key);
int asy_contains(asy_vm *vm, asy_value v, asy_value item);
asy_value asy_index(asy_vm *vm, asy_value v); /* operator.index: an integer */
asy_value asy_iter(asy_vm *vm, asy_value v);
asy_value asy_next(asy_vm *vm, asy_value iterator); /* the item, ASY_END (nothing set), or ASY_FAILED */
/* As asy_next, but the iterator may run on through items that the taker takes: the first that it does not take. */
asy_value asy_next_into(asy_vm *vm, asy_value iterator, const asy_taker *taker);
asy_value asy_take_stop_value(asy_vm *vm); /* after ASY_END: the iterator's StopIteration.value */
bool asy_callable(asy_vm *vm, asy_value v);
asy_value asy_get_attr(asy_vm *vm, asy_value v, asy_str *name);
int asy_find_attr(asy_vm *vm, asy_value v, asy_str *name,
                  asy_value *out); /* 1; 0 absent, AttributeError swallowed; -1 */
bool asy_set_attr(asy_vm *vm, asy_value v, asy_str *name, asy_value value);
bool asy_del_attr(asy_vm *vm, asy_value v, asy_str *name);
asy_value asy_get_attr_cstr(asy_vm *vm, asy_value v, const char *name);
bool asy_set_attr_cstr(asy_vm *vm, asy_value v, const char *name, asy_value value);
asy_value asy_generic_get_attr(asy_vm *vm, asy_value v, asy_str *name);             /* object.__getattribute__ */
bool asy_generic_set_attr(asy_vm *vm, asy_value v, asy_str *name, asy_value value); /* UNBOUND deletes */
/* A special method looked up on the class, bound: *fn to call with *self first, or *self UNBOUND when already bound. 1, 0, -1 */
int asy_find_special(asy_vm *vm, asy_value v, asy_str *name, asy_value *fn, asy_value *self);
/* Calls v's special method with up to 2 arguments. UNBOUND (no exception) when the class has none. */
asy_value asy_call_special(asy_vm *vm, asy_value v, asy_str *name, int nargs, const asy_value *args);

/* ---- Calls (call.c): a nested run when the callee is script code ---- */
asy_value asy_call(asy_vm *vm, asy_value callee, int nargs, const asy_value *args);
/* The last kwnames->len of the nargs arguments are named. kwnames may be NULL. */
asy_value asy_call_kw(asy_vm *vm, asy_value callee, int nargs, const asy_value *args, asy_tuple *kwnames);
asy_value asy_call_ex(asy_vm *vm, asy_value callee, asy_tuple *args, asy_dict *kwargs); /* kwargs may be NULL */
asy_value asy_call0(asy_vm *vm, asy_value callee);
asy_value asy_call1(asy_vm *vm, asy_value callee, asy_value a);
asy_value asy_call2(asy_vm *vm, asy_value callee, asy_value a, asy_value b);
asy_value asy_call_method(asy_vm *vm, asy_value self, asy_str *name, int nargs, const asy_value *args);

/* ---- Modules and types (module.c, class.c) ---- */
typedef struct asy_module_def {
  const char *name;
  const asy_native *natives; /* ends with {0}; may be NULL */
  const char *doc;
  bool (*init)(asy_vm *vm, asy_value module); /* may be NULL: constants, types */
} asy_module_def;
/* An exception class of a module: "struct.error". It is put into the module under its last name; asy_raise_own raises it: `module`
 * is the module's name for import. */
bool asy_define_exception(asy_vm *vm, asy_value module, const char *name, asy_exc_id base);
asy_value asy_raise_own(asy_vm *vm, const char *module, const char *name, const char *format, ...);
/* The class of a descriptor, made on first use in this VM; `kind` is chosen then. NULL failed. */
asy_class *asy_define_type(asy_vm *vm, const asy_type *type);
asy_class *asy_class_for(asy_vm *vm, const asy_type *type); /* the class made by asy_define_type, or NULL */
/* An instance of a descriptor's class, which is defined first where it must be. NULL failed. */
void *asy_new_object(asy_vm *vm, const asy_type *type) __attribute__((warn_unused_result));
/* A constant of a class just defined, which nobody has looked at yet (datetime.min). False: MemoryError. */
bool asy_class_constant(asy_vm *vm, asy_class *cls, const char *name, asy_value value);
/* A class of tuples whose items have names too (sys.version_info, time.struct_time). fields: MEMBER_VALUE rows at ASY_RECORD(i),
 * kept by the class. asy_record_new takes one value a field. */
#define ASY_RECORD(i) (offsetof(asy_tuple, items) + (i) * sizeof(asy_value))
asy_class *asy_define_record(asy_vm *vm, const char *name, const asy_member *fields);
/* A record of which only the first `visible` values are items of the tuple: the fields behind them (os.stat_result) are named
 * only, and values that no row names are items only. The class is made once per VM and table of fields, as by asy_define_type. */
asy_class *asy_define_long_record(asy_vm *vm, const char *name, const asy_member *fields, uint32_t visible);
asy_value asy_record_new(asy_vm *vm, asy_class *cls, const asy_value *items);
/* An object that only has attributes, as types.SimpleNamespace. */
asy_value asy_namespace_new(asy_vm *vm);
asy_value asy_method_new(asy_vm *vm, asy_value func, asy_value self); /* a bound method */
asy_value asy_class_getitem(asy_vm *vm, const asy_value *args);       /* a native __class_getitem__(cls, item, /) */
bool asy_module_set(asy_vm *vm, asy_value module, const char *name, asy_value value);
bool asy_module_add_type(asy_vm *vm, asy_value module, const char *name, const asy_type *type); /* its class */
bool asy_module_add_constants(asy_vm *vm, asy_value module, const asy_constants *constants);    /* CONSTANTS(...) */
asy_value asy_import(asy_vm *vm, const char *name); /* absolute name; the module itself, not the top package */
asy_value asy_new_native(asy_vm *vm, const asy_native *def, asy_value self, asy_value module_name);
/* The modules of the standard library. Natives are sorted by name, a NULL ends them; a NULL name ends the scripts (scripts.h). */
typedef struct {
  const char *name;
  uint32_t start, end; /* of the coded text */
  bool is_package;
} asy_embedded;
const asy_embedded *asy_embedded_modules(asy_vm *vm); /* NULL: MemoryError */
extern const asy_module_def *const asy_native_modules[];

/* ---- Threads (thread.c) ---- */
/* Around what blocks: others may run between the two, so nothing of the VM is touched, no value is made or read there (memory that
 * an object owns is safe while the object cannot change: a locked buffer, a str). NULL: there is only one thread. errno stays. */
typedef struct asy_thread asy_thread;
asy_thread *asy_thread_release(asy_vm *vm) __attribute__((warn_unused_result));
void asy_thread_acquire(asy_vm *vm, asy_thread *self);
/* After EINTR: runs signal handlers when this is the main thread. False: one raised; else call again what was interrupted. */
bool asy_check_signals(asy_vm *vm);

/* ---- Libraries loaded when they are first needed (library.c) ---- */
/* A shared library, and the functions of which a table of pointers is filled, in the order of the names. It stays loaded. */
typedef struct {
  const char *soname, *package; /* package: Debian's, for the error */
  const char *pattern;          /* of the symbols: * stands for a name */
  const char *names;            /* each with its NUL, and one more at the end */
  size_t size;                  /* of the table, for asy_library_table */
} asy_library;
/* False: ImportError names the library, or the function that it lacks. */
bool asy_load_functions(asy_vm *vm, const asy_library *library, void *table);
/* A table that the VM keeps: loaded by the first call, the same afterwards, also while objects are freed. NULL: ImportError. */
const void *asy_library_table(asy_vm *vm, const asy_library *library);

/* ---- Time (gate.c's, through the VM) ---- */
uint32_t asy_tasks_made(asy_vm *vm); /* since the start */
typedef enum { ASY_CLOCK_MONOTONIC, ASY_CLOCK_WALL, ASY_CLOCK_CPU } asy_clock_id;
int64_t asy_clock_ns(asy_vm *vm, asy_clock_id clock);
/* A clock by the system's number, or its resolution: thread times, clocks that only time.clock_gettime names. False: errno. */
bool asy_system_clock(int clock, bool resolution, int64_t *ns);
bool asy_sleep_ns(asy_vm *vm, int64_t ns); /* blocks the thread; false: a signal handler raised */
struct rusage;
bool asy_usage(asy_vm *vm, int who, struct rusage *out);     /* getrusage: false with errno */
bool asy_random_bytes(asy_vm *vm, void *out, size_t length); /* false: OSError */
/* In the child of a fork: the calling thread is the only one; loops that ran or were set are the parent's, none is running. */
bool asy_after_fork(asy_vm *vm);

#include "runtime/types/bytes.h"
#include "runtime/types/dict.h"
#include "runtime/types/list.h"
#include "runtime/types/str.h"
#include "runtime/types/tuple.h"
#include "runtime/types/unicode.h"

#endif
