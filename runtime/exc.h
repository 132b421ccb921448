/* exc.h - exception objects and tracebacks.
 * A traceback is collected while frames unwind: one asy_traceback entry a frame, outermost first when printed. The VM appends
 * by asy_traceback_add as it leaves each frame. */
#ifndef ASY_RUNTIME_EXC_H
#define ASY_RUNTIME_EXC_H

#include "runtime/func.h"
#include "runtime/types/list.h"

typedef struct asy_traceback {
  asy_obj head;
  struct asy_traceback *next; /* the inner entry: nearer to the raise */
  asy_func *func;             /* its code says file and name; globals for loaders */
  uint32_t word;              /* instruction offset + its length: as saved pc */
  int32_t line;               /* computed when asked: 0 unknown */
  asy_value frame;            /* tb_frame, made when asked; 0 before */
  const asy_value *base;      /* where the frame was, to find it while it lives; only compared */
  asy_code *task_origin;      /* outermost frame of a task: where the task was created; else NULL */
  uint32_t task_origin_word;
} asy_traceback;

/* One struct for every exception class: special attributes of OSError, StopIteration, SyntaxError, ImportError, NameError,
 * AttributeError, SystemExit, Unicode errors, groups live in `fields`, named by a table in exc.c. */
typedef struct asy_exception {
  asy_obj head; /* has attribute slots */
  asy_tuple *args;
  asy_traceback *traceback; /* NULL none */
  asy_value cause;          /* 0 or None: none */
  asy_value context;        /* 0 or None: none */
  bool suppress_context;
  asy_value fields[6]; /* 0: None. [0] value of StopIteration, code of SystemExit, errno, name... */
} asy_exception;

static inline asy_exception *asy_exception_of(asy_value v) { return (asy_exception *)asy_obj_of(v); }
/* Adds an entry at the outer end. */
/* e gets what is being handled as its context; a chain that would come back to e is cut. */
void asy_set_context(asy_vm *vm, asy_value e);
void asy_traceback_add(asy_vm *vm, asy_exception *e, asy_func *func, uint32_t word);
/* Whether an `except what` catches e: class or tuple of classes. 1, 0, -1 (TypeError: not an exception class). */
int asy_exception_matches(asy_vm *vm, asy_value exception, asy_value what);
/* An exception instance from `raise what` [from cause]; -> pending. Always ASY_FAILED. cause UNBOUND: no from. */
asy_value asy_raise_from(asy_vm *vm, asy_value what, asy_value cause);
asy_value asy_stop_value(asy_value stop_iteration); /* its value, None when none */
/* The descriptor that begins at this exception class: its own text, attributes, __init__. NULL: as its base. */
const asy_type *asy_exception_family(asy_exc_id id);
const char *asy_exception_doc(asy_exc_id id); /* NULL when the family's descriptor has it */
bool asy_exception_add_note(asy_vm *vm, asy_value exception, asy_value note);
/* A group or single exception divided by `what` (class, tuple of classes, or predicate): None where a part is empty. */
bool asy_group_split(asy_vm *vm, asy_value exception, asy_value what, asy_value *matching, asy_value *rest);
/* except* what: as asy_group_split after checking `what`; a naked exception that matches comes wrapped in a group. */
bool asy_exception_group_match(asy_vm *vm, asy_value exception, asy_value what, asy_value *matching, asy_value *rest);
/* The end of except*: what is to be raised of `list` (exceptions raised in the handlers and unhandled parts of `original`). */
asy_value asy_exception_group_merge(asy_vm *vm, asy_value original, asy_list *list); /* or None */
asy_value asy_new_exception_object(asy_vm *vm, asy_class *cls,
                                   asy_tuple *args); /* no __init__ runs; ASY_FAILED: MemoryError */
bool asy_is_exception_instance(asy_value v);
bool asy_is_exception_class(asy_value v);

/* What `fields` mean, by family. */
enum {
  FIELD_STOP_VALUE = 0,
  FIELD_EXIT_CODE = 0,
  FIELD_ERRNO = 0,
  FIELD_STRERROR = 1,
  FIELD_FILENAME = 2,
  FIELD_FILENAME2 = 3,
  FIELD_IMPORT_MSG = 0,
  FIELD_IMPORT_NAME = 1,
  FIELD_IMPORT_PATH = 2,
  FIELD_IMPORT_FROM = 3,
  FIELD_NAME = 0,
  FIELD_OBJ = 1, /* NameError, AttributeError */
  FIELD_SYNTAX_MSG = 0,
  FIELD_SYNTAX_FILE = 1,
  FIELD_SYNTAX_LINE = 2,
  FIELD_SYNTAX_OFFSET = 3,
  FIELD_SYNTAX_TEXT = 4,
  FIELD_SYNTAX_END = 5, /* tuple (end_lineno, end_offset) */
  FIELD_ENCODING = 0,
  FIELD_OBJECT = 1,
  FIELD_START = 2,
  FIELD_END = 3,
  FIELD_REASON = 4,
  FIELD_MESSAGE = 0,
  FIELD_EXCEPTIONS = 1 /* groups: str, tuple */
};
extern const asy_type asy_os_error_type, asy_stop_iteration_type, asy_system_exit_type, asy_key_error_type,
  asy_import_error_type, asy_name_error_type, asy_attribute_error_type, asy_syntax_error_type,
  asy_unicode_decode_error_type, asy_unicode_encode_error_type, asy_unicode_translate_error_type,
  asy_exception_group_type;
/* Parts that exc.c shares with the files of its families. */
void asy_exception_visit(asy_obj *o, asy_visitor *v);
asy_value asy_exception_base_str(asy_vm *vm, asy_value self); /* BaseException.__str__ */
bool asy_exception_set_args(asy_vm *vm, asy_exception *e, asy_value args);
asy_exc_id asy_errno_class(int error); /* OSError or the subclass for an errno */

/* cls(*args) when BaseException's own __new__ and __init__ make it, without the calls; else UNBOUND. */
asy_value asy_exception_call(asy_vm *vm, asy_class *cls, uint32_t nargs, const asy_value *args);

#endif
