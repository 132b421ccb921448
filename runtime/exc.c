/* exc.c - raising, and the class BaseException.
 * The pending exception is vm->exception, an instance always; whoever returns ASY_FAILED has set it. Raising gives an exception
 * its context: what is being handled just then. Must stay true: the chain of contexts has no cycle that passes through the
 * pending exception.
 */
#include "runtime/exc.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "runtime/class.h"
#include "runtime/coro.h"

static bool is_none(asy_value v) { return v == 0 || v == ASY_NONE || v == ASY_UNBOUND; }

bool asy_is_exception_instance(asy_value v) { return asy_is_kind(v, KIND_EXCEPTION); }
bool asy_is_exception_class(asy_value v) {
  return asy_is_kind(v, KIND_TYPE) && ((asy_class *)asy_obj_of(v))->flags & ASY_CLASS_EXCEPTION;
}

/* ---- The pending exception ---------------------------------------------------------------------------------------------------- */

bool asy_raised(asy_vm *vm) { return vm->exception != 0; }
bool asy_raised_is(asy_vm *vm, asy_exc_id what) {
  return vm->exception && vm->exceptions && asy_is_instance(vm, vm->exception, vm->exceptions[what]);
}
asy_value asy_take_exception(asy_vm *vm) {
  asy_value e = vm->exception;
  vm->exception = 0;
  return e;
}
void asy_set_exception(asy_vm *vm, asy_value exception) { vm->exception = exception; }
void asy_clear_exception(asy_vm *vm) { vm->exception = 0; }

void asy_set_context(asy_vm *vm, asy_value e) {
  asy_value handled = vm->handled;
  if (is_none(handled) || handled == e) return;
  asy_value slow = handled;
  bool step = false;
  for (asy_value at = handled;;) {
    asy_exception *x = asy_exception_of(at);
    if (is_none(x->context)) break;
    if (x->context == e) {
      x->context = 0;
      break;
    }
    at = x->context;
    if (at == slow) break; /* a cycle made elsewhere */
    if (step) slow = asy_exception_of(slow)->context;
    step = !step;
  }
  asy_store(vm, asy_obj_of(e), &asy_exception_of(e)->context, handled);
}

static asy_value raise_instance(asy_vm *vm, asy_value e) {
  asy_set_context(vm, e);
  vm->exception = e;
  return ASY_FAILED;
}

/* An instance for `raise what`; ASY_FAILED with an exception set. */
static asy_value instantiate(asy_vm *vm, asy_value what, const char *refusal) {
  if (asy_is_exception_instance(what)) return what;
  if (!asy_is_exception_class(what)) return asy_raise(vm, ASY_TypeError, "%s", refusal);
  asy_value e = asy_call0(vm, what);
  if (e == ASY_FAILED || asy_is_exception_instance(e)) return e;
  return asy_raise(vm, ASY_TypeError, "calling %R should have returned an instance of BaseException, not %R", what,
                   asy_from_obj(asy_class_of(vm, e)));
}

asy_value asy_raise_value(asy_vm *vm, asy_value exception) {
  asy_value e = instantiate(vm, exception, "exceptions must derive from BaseException");
  return e == ASY_FAILED ? ASY_FAILED : raise_instance(vm, e);
}

asy_value asy_raise_from(asy_vm *vm, asy_value what, asy_value cause) {
  asy_value e = instantiate(vm, what, "exceptions must derive from BaseException");
  if (e == ASY_FAILED) return ASY_FAILED;
  if (cause != ASY_UNBOUND) {
    asy_value from = cause == ASY_NONE ? ASY_NONE
                                       : instantiate(vm, cause, "exception causes must derive from BaseException");
    if (from == ASY_FAILED) return ASY_FAILED;
    asy_store(vm, asy_obj_of(e), &asy_exception_of(e)->cause, from == ASY_NONE ? 0 : from);
    asy_exception_of(e)->suppress_context = true;
  }
  return raise_instance(vm, e);
}

asy_value asy_new_exception_object(asy_vm *vm, asy_class *cls, asy_tuple *args) {
  asy_exception *e = asy_new_instance(vm, cls);
  if (!e) return ASY_FAILED;
  e->args = args ? args : vm->empty_tuple;
  asy_barrier(vm, e);
  return asy_from_obj(e);
}

/* An exception with one argument, and the fields that its __init__ would have set. */
static asy_value make_with_message(asy_vm *vm, asy_exc_id what, asy_value message) {
  asy_class *cls = vm->exceptions[what];
  asy_tuple *args = asy_tuple_new(vm, &message, 1);
  asy_value v = args ? asy_new_exception_object(vm, cls, args) : ASY_FAILED;
  if (v == ASY_FAILED) return ASY_FAILED;
  bool first = cls->type == &asy_import_error_type || cls->type == &asy_syntax_error_type ||
               cls->type == &asy_stop_iteration_type || cls->type == &asy_system_exit_type;
  if (first) asy_store(vm, asy_obj_of(v), &asy_exception_of(v)->fields[0], message);
  return v;
}

/* A NameError in a method keeps the method's self: "Did you mean: 'self.x'?" */
static void keep_self(asy_vm *vm, asy_value e) {
  if (!vm->base) return;
  const asy_code *code = ((const asy_func *)asy_obj_of(FRAME_FUNC(vm->base)))->code;
  if (!(code->flags & CODE_OPTIMIZED) || !code->argcount || !asy_str_equal_cstr(code->varnames[0], "self")) return;
  asy_value self = vm->base[0];
  if (code->is_cell[0] && asy_is_exact(self, KIND_CELL)) self = ((asy_cell *)asy_obj_of(self))->value;
  if (self != ASY_UNBOUND) asy_store(vm, asy_obj_of(e), &asy_exception_of(e)->fields[FIELD_OBJ], self);
}

/* An empty format: without arguments. */
static asy_value make_formatted(asy_vm *vm, asy_exc_id what, const char *format, va_list list) {
  if (!*format) return asy_new_exception_object(vm, vm->exceptions[what], NULL);
  asy_str *message = asy_str_vformat(vm, format, list);
  asy_value e = message ? make_with_message(vm, what, asy_from_obj(message)) : ASY_FAILED;
  if (e != ASY_FAILED && what == ASY_NameError) keep_self(vm, e);
  return e;
}

static void raise_formatted(asy_vm *vm, asy_exc_id what, const char *format, va_list list) {
  vm->exception = 0;
  asy_value e = make_formatted(vm, what, format, list);
  if (e != ASY_FAILED) raise_instance(vm, e);
}

asy_value asy_raise_format(asy_vm *vm, asy_exc_id what, const char *format, ...) {
  va_list list;
  va_start(list, format);
  raise_formatted(vm, what, format, list);
  va_end(list);
  return ASY_FAILED;
}

asy_value asy_raise_packed(asy_vm *vm, asy_exc_id what, uint32_t error, ...) {
  const char *format = asy_error_text(vm, error);
  if (!format) return ASY_FAILED;
  va_list list;
  va_start(list, error);
  raise_formatted(vm, what, format, list);
  va_end(list);
  return ASY_FAILED;
}

asy_value asy_new_exception(asy_vm *vm, asy_exc_id what, const char *format, ...) {
  va_list list;
  va_start(list, format);
  asy_value e = make_formatted(vm, what, format, list);
  va_end(list);
  return e;
}

asy_value asy_raise_no_memory(asy_vm *vm) {
  if (vm->memory_error) {
    asy_exception *e = asy_exception_of(vm->memory_error);
    e->traceback = NULL;
    e->context = e->cause = 0;
  }
  vm->exception = vm->memory_error;
  return ASY_FAILED;
}

asy_value asy_raise_key(asy_vm *vm, asy_value key) {
  asy_value e = make_with_message(vm, ASY_KeyError, key);
  return e == ASY_FAILED ? ASY_FAILED : raise_instance(vm, e);
}

asy_value asy_raise_stop(asy_vm *vm, asy_value value) {
  asy_value e = is_none(value) ? asy_new_exception_object(vm, vm->exceptions[ASY_StopIteration], NULL)
                               : make_with_message(vm, ASY_StopIteration, value);
  return e == ASY_FAILED ? ASY_FAILED : raise_instance(vm, e);
}

asy_value asy_stop_value(asy_value stop_iteration) {
  asy_value value = asy_exception_of(stop_iteration)->fields[FIELD_STOP_VALUE];
  return value ? value : ASY_NONE;
}

bool asy_check_c_stack_in(asy_vm *vm, const char *where) {
  if ((char *)__builtin_frame_address(0) >= vm->c_stack_limit) return true;
  asy_raise(vm, ASY_RecursionError, "maximum recursion depth exceeded%s", where);
  return false;
}
bool asy_check_c_stack(asy_vm *vm) { return asy_check_c_stack_in(vm, ""); }

/* ---- Errors of the system --------------------------------------------------------------------------------------------------------- */

asy_exc_id asy_errno_class(int error) {
  switch (error) {
    case EAGAIN:
    case EALREADY:
    case EINPROGRESS: return ASY_BlockingIOError;
    case EPIPE:
    case ESHUTDOWN: return ASY_BrokenPipeError;
    case ECHILD: return ASY_ChildProcessError;
    case ECONNABORTED: return ASY_ConnectionAbortedError;
    case ECONNREFUSED: return ASY_ConnectionRefusedError;
    case ECONNRESET: return ASY_ConnectionResetError;
    case EEXIST: return ASY_FileExistsError;
    case ENOENT: return ASY_FileNotFoundError;
    case EISDIR: return ASY_IsADirectoryError;
    case ENOTDIR: return ASY_NotADirectoryError;
    case EINTR: return ASY_InterruptedError;
    case EACCES:
    case EPERM: return ASY_PermissionError;
    case ESRCH: return ASY_ProcessLookupError;
    case ETIMEDOUT: return ASY_TimeoutError;
    default: return ASY_OSError;
  }
}

/* Either filename may be UNBOUND. */
static asy_value raise_os(asy_vm *vm, int error, const char *text, asy_value filename, asy_value filename2) {
  asy_value message = asy_from_cstr(vm, text);
  if (message == ASY_FAILED) return ASY_FAILED;
  asy_value items[2] = {asy_from_small(error), message};
  asy_tuple *args = asy_tuple_new(vm, items, 2);
  asy_value v = args ? asy_new_exception_object(vm, vm->exceptions[asy_errno_class(error)], args) : ASY_FAILED;
  if (v == ASY_FAILED) return ASY_FAILED;
  asy_exception *e = asy_exception_of(v);
  e->fields[FIELD_ERRNO] = items[0];
  e->fields[FIELD_STRERROR] = message;
  if (filename != ASY_UNBOUND) e->fields[FIELD_FILENAME] = filename;
  if (filename2 != ASY_UNBOUND) e->fields[FIELD_FILENAME2] = filename2;
  asy_barrier(vm, e);
  return raise_instance(vm, v);
}

asy_value asy_raise_errno(asy_vm *vm, int error, asy_value filename) {
  return asy_raise_errno2(vm, error, filename, ASY_UNBOUND);
}

asy_value asy_raise_errno2(asy_vm *vm, int error, asy_value filename, asy_value filename2) {
  char buffer[128];
  return raise_os(vm, error, strerror_r(error, buffer, sizeof buffer), filename, filename2);
}

asy_value asy_raise_uv(asy_vm *vm, int rc, const char *subject) {
  asy_value filename = subject ? asy_from_cstr(vm, subject) : ASY_UNBOUND;
  if (filename == ASY_FAILED) return ASY_FAILED;
  char buffer[128];
  bool system = rc > -4000 && rc > -1000; /* libuv's own codes start at -3000 and have no errno */
  const char *text = system ? strerror_r(-rc, buffer, sizeof buffer) : uv_strerror_r(rc, buffer, sizeof buffer);
  return raise_os(vm, system ? -rc : rc, text, filename, ASY_UNBOUND);
}

/* ---- Matching ------------------------------------------------------------------------------------------------------------------------ */

int asy_exception_matches(asy_vm *vm, asy_value exception, asy_value what) {
  if (asy_is_exception_class(what)) return asy_is_instance(vm, exception, (asy_class *)asy_obj_of(what));
  if (asy_is_kind(what, KIND_TUPLE)) {
    const asy_tuple *tuple = (const asy_tuple *)asy_obj_of(what);
    for (uint32_t i = 0; i < tuple->len; i++) {
      if (!asy_is_exception_class(tuple->items[i])) goto refuse;
    }
    for (uint32_t i = 0; i < tuple->len; i++)
      if (asy_is_instance(vm, exception, (asy_class *)asy_obj_of(tuple->items[i]))) return 1;
    return 0;
  }
refuse:
  asy_raise(vm, ASY_TypeError, "catching classes that do not inherit from BaseException is not allowed");
  return -1;
}

/* ---- BaseException ---------------------------------------------------------------------------------------------------------------------- */

void asy_exception_visit(asy_obj *o, asy_visitor *v) {
  asy_exception *e = (asy_exception *)o;
  asy_visit_obj(v, e->args);
  asy_visit_obj(v, e->traceback);
  asy_visit_value(v, e->cause);
  asy_visit_value(v, e->context);
  asy_visit_values(v, e->fields, sizeof e->fields / sizeof *e->fields);
}

bool asy_exception_set_args(asy_vm *vm, asy_exception *e, asy_value args) {
  if (asy_is_exact(args, KIND_TUPLE)) {
    e->args = (asy_tuple *)asy_obj_of(args);
  } else {
    asy_list *list = asy_list_new(vm, 0);
    if (!list || !asy_list_extend(vm, list, args)) return false;
    asy_tuple *tuple = asy_list_to_tuple(vm, list);
    if (!tuple) return false;
    e->args = tuple;
  }
  asy_barrier(vm, e);
  return true;
}

static asy_value exception_new(asy_vm *vm, const asy_value *args) {
  return asy_new_exception_object(vm, (asy_class *)asy_obj_of(args[0]), (asy_tuple *)asy_obj_of(args[1]));
}

static asy_value exception_init(asy_vm *vm, const asy_value *args);

static bool is_native(asy_value v, asy_native_fn fn) {
  return asy_is_kind(v, KIND_NATIVE) && ((const asy_nativefunc *)asy_obj_of(v))->fn == fn;
}

asy_value asy_exception_call(asy_vm *vm, asy_class *cls, uint32_t nargs, const asy_value *args) {
  const asy_lookup *new_ = asy_class_lookup(vm, cls, ASY_NAME(vm, __new__));
  const asy_lookup *init = asy_class_lookup(vm, cls, ASY_NAME(vm, __init__));
  if (!new_ || !init) return ASY_FAILED;
  if (!is_native(new_->value, exception_new) || !is_native(init->value, exception_init)) return ASY_UNBOUND;
  asy_tuple *tuple = nargs ? asy_tuple_new(vm, args, nargs) : vm->empty_tuple;
  return tuple ? asy_new_exception_object(vm, cls, tuple) : ASY_FAILED;
}

static asy_value exception_init(asy_vm *vm, const asy_value *args) {
  if (asy_is_kind(args[2], KIND_DICT) && ((asy_dict *)asy_obj_of(args[2]))->used)
    return asy_raise(vm, ASY_TypeError, "%T() takes no keyword arguments", args[0]);
  return asy_exception_set_args(vm, asy_exception_of(args[0]), args[1]) ? ASY_NONE : ASY_FAILED;
}

asy_value asy_exception_base_str(asy_vm *vm, asy_value self) {
  asy_tuple *args = asy_exception_of(self)->args;
  switch (args->len) {
    case 0: return asy_from_obj(vm->empty_str);
    case 1: return asy_str_of(vm, args->items[0]);
    default: return asy_str_of(vm, asy_from_obj(args));
  }
}

static asy_value exception_repr(asy_vm *vm, asy_value self) {
  asy_tuple *args = asy_exception_of(self)->args;
  asy_class *cls = asy_class_of(vm, self);
  asy_str *s = args->len == 1 ? asy_str_format(vm, "%N(%R)", cls, args->items[0])
                              : asy_str_format(vm, "%N%R", cls, asy_from_obj(args));
  return s ? asy_from_obj(s) : ASY_FAILED;
}

static asy_value get_args(asy_vm *vm, const asy_value *args) { return asy_from_obj(asy_exception_of(args[0])->args); }
static asy_value set_args(asy_vm *vm, const asy_value *args) {
  if (args[1] == ASY_UNBOUND) return asy_raise(vm, ASY_TypeError, "args may not be deleted");
  return asy_exception_set_args(vm, asy_exception_of(args[0]), args[1]) ? ASY_NONE : ASY_FAILED;
}

static bool check_link(asy_vm *vm, asy_value v, const char *name) {
  if (v == ASY_UNBOUND) {
    asy_raise(vm, ASY_TypeError, "__%s__ may not be deleted", name);
    return false;
  }
  if (v == ASY_NONE || asy_is_exception_instance(v)) return true;
  asy_raise(vm, ASY_TypeError, "exception %s must be None or derive from BaseException", name);
  return false;
}
static asy_value get_cause(asy_vm *vm, const asy_value *args) {
  asy_value cause = asy_exception_of(args[0])->cause;
  return is_none(cause) ? ASY_NONE : cause;
}
static asy_value set_cause(asy_vm *vm, const asy_value *args) {
  if (!check_link(vm, args[1], "cause")) return ASY_FAILED;
  asy_store(vm, asy_obj_of(args[0]), &asy_exception_of(args[0])->cause, args[1] == ASY_NONE ? 0 : args[1]);
  asy_exception_of(args[0])->suppress_context = true;
  return ASY_NONE;
}
static asy_value get_context(asy_vm *vm, const asy_value *args) {
  asy_value context = asy_exception_of(args[0])->context;
  return is_none(context) ? ASY_NONE : context;
}
static asy_value put_context(asy_vm *vm, const asy_value *args) {
  if (!check_link(vm, args[1], "context")) return ASY_FAILED;
  asy_store(vm, asy_obj_of(args[0]), &asy_exception_of(args[0])->context, args[1] == ASY_NONE ? 0 : args[1]);
  return ASY_NONE;
}
static asy_value get_traceback(asy_vm *vm, const asy_value *args) {
  asy_traceback *t = asy_exception_of(args[0])->traceback;
  return t ? asy_from_obj(t) : ASY_NONE;
}
static asy_value set_traceback(asy_vm *vm, const asy_value *args) {
  if (args[1] == ASY_UNBOUND) return asy_raise(vm, ASY_TypeError, "__traceback__ may not be deleted");
  if (args[1] != ASY_NONE && !asy_is_kind(args[1], KIND_TRACEBACK))
    return asy_raise(vm, ASY_TypeError, "__traceback__ must be a traceback or None");
  asy_exception *e = asy_exception_of(args[0]);
  e->traceback = args[1] == ASY_NONE ? NULL : (asy_traceback *)asy_obj_of(args[1]);
  asy_barrier(vm, e);
  return ASY_NONE;
}
static asy_value with_traceback(asy_vm *vm, const asy_value *args) {
  return set_traceback(vm, args) == ASY_FAILED ? ASY_FAILED : args[0];
}

bool asy_exception_add_note(asy_vm *vm, asy_value exception, asy_value note) {
  asy_value notes;
  int found = asy_find_attr(vm, exception, ASY_NAME(vm, __notes__), &notes);
  if (found < 0) return false;
  if (!found) {
    asy_list *list = asy_list_new(vm, 1);
    if (!list || !asy_set_attr(vm, exception, ASY_NAME(vm, __notes__), asy_from_obj(list))) return false;
    notes = asy_from_obj(list);
  }
  if (asy_is_kind(notes, KIND_LIST)) return asy_list_append(vm, (asy_list *)asy_obj_of(notes), note);
  asy_raise(vm, ASY_TypeError, "Cannot add note: __notes__ is not a list");
  return false;
}
static asy_value add_note(asy_vm *vm, const asy_value *args) {
  if (!asy_is_str(args[1])) return asy_raise(vm, ASY_TypeError, "note must be a str, not '%T'", args[1]);
  return asy_exception_add_note(vm, args[0], args[1]) ? ASY_NONE : ASY_FAILED;
}

static asy_value exception_reduce(asy_vm *vm, const asy_value *args) {
  asy_exception *e = asy_exception_of(args[0]);
  asy_dict *dict = asy_instance_dict(vm, &e->head);
  if (!dict) return ASY_FAILED;
  asy_value cls = asy_from_obj(asy_class_of(vm, args[0]));
  if (!dict->used) return asy_tuple_of(vm, 2, cls, asy_from_obj(e->args));
  return asy_tuple_of(vm, 3, cls, asy_from_obj(e->args), asy_from_obj(dict));
}
static asy_value exception_setstate(asy_vm *vm, const asy_value *args) {
  if (args[1] == ASY_NONE) return ASY_NONE;
  if (!asy_is_kind(args[1], KIND_DICT)) return asy_raise(vm, ASY_TypeError, "state is not a dictionary");
  asy_value key, value;
  for (uint32_t at = 0; asy_dict_next((asy_dict *)asy_obj_of(args[1]), &at, &key, &value);)
    if (asy_is_str(key) && !asy_set_attr(vm, args[0], (asy_str *)asy_obj_of(key), value)) return ASY_FAILED;
  return ASY_NONE;
}

static const asy_native exception_methods[] = {
  {"with_traceback", SIG("(self, tb, /)"), with_traceback, DOC("Set self.__traceback__ to tb and return self."), 0},
  {"add_note", SIG("(self, note, /)"), add_note, DOC("Add a note to the exception"), 0},
  {"__reduce__", SIG("(self, /)"), exception_reduce, 0, 0},
  {"__setstate__", SIG("(self, state, /)"), exception_setstate, 0, 0},
  {"args", SIG("(self)"), get_args, 0, ASY_NATIVE_GETTER},
  {"args", SIG("(self, value)"), set_args, 0, ASY_NATIVE_SETTER},
  {"__cause__", SIG("(self)"), get_cause, DOC("exception cause"), ASY_NATIVE_GETTER},
  {"__cause__", SIG("(self, value)"), set_cause, 0, ASY_NATIVE_SETTER},
  {"__context__", SIG("(self)"), get_context, DOC("exception context"), ASY_NATIVE_GETTER},
  {"__context__", SIG("(self, value)"), put_context, 0, ASY_NATIVE_SETTER},
  {"__traceback__", SIG("(self)"), get_traceback, 0, ASY_NATIVE_GETTER},
  {"__traceback__", SIG("(self, value)"), set_traceback, 0, ASY_NATIVE_SETTER},
  {0},
};

static const asy_member exception_members[] = {
  {"__suppress_context__", offsetof(asy_exception, suppress_context), MEMBER_BOOL8, true},
  {0},
};

const asy_type asy_base_exception_type = {
  .name = "BaseException",
  .size = sizeof(asy_exception),
  .flags = ASY_TYPE_ATTRS,
  .visit = asy_exception_visit,
  .doc = "Common base class for all exceptions",
  .new_ = exception_new,
  .new_signature = SIG("(cls, /, *args, **kwargs)"),
  .init = exception_init,
  .init_signature = SIG("(self, /, *args, **kwargs)"),
  .repr = exception_repr,
  .str = asy_exception_base_str,
  .methods = exception_methods,
  .members = exception_members,
};

/* ---- Traceback entries ----------------------------------------------------------------------------------------------------------------------- */

void asy_traceback_add(asy_vm *vm, asy_exception *e, asy_func *func, uint32_t word) {
  asy_traceback *t = asy_new_kind(vm, KIND_TRACEBACK, sizeof *t);
  if (!t) { /* the exception itself matters more than where it passed */
    vm->exception = asy_from_obj(e);
    return;
  }
  t->next = e->traceback;
  t->func = func;
  t->word = word;
  if (vm->base && FRAME_FUNC(vm->base) == asy_from_obj(func)) {
    t->base = vm->base;
    if (FRAME_INFO(vm->base) & FRAME_TRACED || vm->keep_frames) { /* it has an object already, or is to have one */
      asy_value frame = asy_frame_object(vm, vm->base);
      if (!asy_failed(frame)) t->frame = frame;
      else vm->exception = asy_from_obj(e);
    }
  }
  e->traceback = t;
  asy_barrier(vm, e);
}
