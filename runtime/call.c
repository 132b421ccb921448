/* call.c - calling anything that is not the loop's fast call, and calls from C.
 *
 * A call is resolved in steps until it reaches a script function (a frame is entered), a native (called at once), or a class
 * (an instance is made; its script __init__ is entered as a frame that yields the instance). Arguments stay where they are, in
 * registers, a tuple or a C array, until they are bound to parameters.
 */
#include <stdlib.h>

#include "lang/opcode.h"
#include "runtime/class.h"
#include "runtime/exc.h"
#include "runtime/frame.h"
#include "runtime/ic.h"
#include "runtime/loop.h"
#include "runtime/traceback.h"

enum { MAX_DIRECT = 64 }; /* arguments copied in a C array; more of them in a tuple */

/* Overlapping is fine; `from` may be NULL when n is 0. */
static inline void copy_values(asy_value *to, const asy_value *from, uint32_t n) {
  if (n) memmove(to, from, n * sizeof *to);
}

/* ---- Binding arguments to a script function's parameters ----------------------------------------------------------- */

static void append_names(asy_text *t, asy_str **names, const uint32_t *which, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    if (i) asy_text_ascii(t, n == 2 ? " and " : i + 1 == n ? ", and " : ", ");
    asy_text_char(t, '\'');
    asy_text_str(t, names[which[i]]);
    asy_text_char(t, '\'');
  }
}

static bool raise_missing(asy_vm *vm, asy_func *func, const uint32_t *which, uint32_t n, bool positional) {
  asy_text t;
  asy_text_init(&t, vm);
  append_names(&t, func->code->varnames, which, n);
  asy_str *names = asy_text_finish(&t);
  if (!names) return false;
  asy_raise(vm, ASY_TypeError, "%U() missing %u required %s argument%s: %U", func->qualname, n,
            positional ? "positional" : "keyword-only", n == 1 ? "" : "s", names);
  return false;
}

static bool raise_too_many(asy_vm *vm, asy_func *func, const asy_value *regs, uint32_t given) {
  asy_code *code = func->code;
  uint32_t defaults = func->defaults ? func->defaults->len : 0;
  uint32_t named_given = 0;
  for (uint32_t i = 0; i < code->kwonly; i++) named_given += regs[code->argcount + i] != ASY_UNBOUND;
  bool plural = code->argcount != 1 || defaults;
  asy_str *takes = defaults ? asy_str_format(vm, "from %u to %u", code->argcount - defaults, (unsigned)code->argcount)
                            : asy_str_format(vm, "%u", (unsigned)code->argcount);
  if (!takes) return false;
  asy_str *extra = named_given ? asy_str_format(vm, " positional argument%s (and %u keyword-only argument%s)",
                                                given == 1 ? "" : "s", named_given, named_given == 1 ? "" : "s")
                               : asy_str_format(vm, "");
  if (!extra) return false;
  asy_raise(vm, ASY_TypeError, "%U() takes %U positional argument%s but %u%U %s given", func->qualname, takes,
            plural ? "s" : "", given, extra, given == 1 && !named_given ? "was" : "were");
  return false;
}

/* The register of the parameter a keyword names; -1 none, -2 positional-only. */
static int find_parameter(asy_code *code, asy_str *name) {
  uint32_t n = code->argcount + code->kwonly;
  for (uint32_t i = code->posonly; i < n; i++)
    if (code->varnames[i] == name) return (int)i;
  for (uint32_t i = 0; i < n; i++)
    if (asy_str_equal(code->varnames[i], name)) return i < code->posonly ? -2 : (int)i;
  return -1;
}

static bool raise_posonly_as_keyword(asy_vm *vm, asy_func *func, asy_tuple *kwnames) {
  asy_text t;
  asy_text_init(&t, vm);
  bool first = true;
  for (uint32_t p = 0; p < func->code->posonly; p++) {
    for (uint32_t i = 0; i < kwnames->len; i++) {
      asy_str *name = (asy_str *)asy_obj_of(kwnames->items[i]);
      if (!asy_str_equal(name, func->code->varnames[p])) continue;
      if (!first) asy_text_ascii(&t, ", ");
      first = false;
      asy_text_str(&t, name);
    }
  }
  asy_str *names = asy_text_finish(&t);
  if (names)
    asy_raise(vm, ASY_TypeError, "%U() got some positional-only arguments passed as keyword arguments: '%U'",
              func->qualname, names);
  return false;
}

static void raise_unexpected_keyword(asy_vm *vm, asy_func *func, asy_str *name) {
  asy_code *code = func->code;
  asy_list *names = asy_list_new(vm, 0);
  for (uint32_t i = code->posonly; names && i < (uint32_t)code->argcount + code->kwonly; i++)
    if (!asy_list_append(vm, names, asy_from_obj(code->varnames[i]))) return;
  asy_str *meant = names ? asy_closest_name(names, name) : NULL;
  if (meant)
    asy_raise(vm, ASY_TypeError, "%U() got an unexpected keyword argument '%U'. Did you mean '%U'?", func->qualname,
              name, meant);
  else if (names) asy_raise(vm, ASY_TypeError, "%U() got an unexpected keyword argument '%U'", func->qualname, name);
}

static bool bind_keywords(asy_vm *vm, asy_func *func, asy_value *regs, const asy_value *values, asy_tuple *kwnames,
                          asy_dict *extra) {
  asy_code *code = func->code;
  for (uint32_t i = 0; i < kwnames->len; i++) {
    asy_str *name = (asy_str *)asy_obj_of(kwnames->items[i]);
    int at = find_parameter(code, name);
    if (at >= 0) {
      if (regs[at] != ASY_UNBOUND) {
        asy_raise(vm, ASY_TypeError, "%U() got multiple values for argument '%U'", func->qualname, name);
        return false;
      }
      regs[at] = values[i];
    } else if (extra) {
      if (!asy_dict_set(vm, extra, kwnames->items[i], values[i])) return false;
    } else if (at == -2) {
      return raise_posonly_as_keyword(vm, func, kwnames);
    } else {
      raise_unexpected_keyword(vm, func, name);
      return false;
    }
  }
  return true;
}

/* Defaults for what is still UNBOUND; TypeError names what has none. */
static bool fill_defaults(asy_vm *vm, asy_func *func, asy_value *regs) {
  asy_code *code = func->code;
  uint32_t ndefaults = func->defaults ? func->defaults->len : 0;
  uint32_t first_default = code->argcount >= ndefaults ? code->argcount - ndefaults : 0;
  uint32_t missing[256];
  uint32_t nmissing = 0;
  for (uint32_t i = 0; i < first_default; i++)
    if (regs[i] == ASY_UNBOUND) missing[nmissing++] = i;
  if (nmissing) return raise_missing(vm, func, missing, nmissing, true);
  for (uint32_t i = first_default; i < code->argcount; i++)
    if (regs[i] == ASY_UNBOUND) regs[i] = func->defaults->items[i - first_default];
  for (uint32_t i = code->argcount; i < (uint32_t)code->argcount + code->kwonly; i++) {
    if (regs[i] != ASY_UNBOUND) continue;
    asy_value v = func->kwdefaults ? asy_dict_get_str(vm, func->kwdefaults, code->varnames[i]) : ASY_UNBOUND;
    if (v == ASY_UNBOUND) missing[nmissing++] = i;
    else regs[i] = v;
  }
  return nmissing == 0 || raise_missing(vm, func, missing, nmissing, false);
}

/* The last `rest` of the positional arguments (self, when there is one, and npositional more) as a tuple: the one that was
 * spread, when they are all of it. */
static asy_tuple *rest_arguments(asy_vm *vm, asy_value self, const asy_value *args, uint32_t npositional,
                                 uint32_t rest) {
  if (vm->spread && args == vm->spread->items && rest == npositional && rest == vm->spread->len) return vm->spread;
  asy_tuple *tuple = asy_tuple_new(vm, NULL, rest);
  if (!tuple) return NULL;
  uint32_t own = rest > npositional; /* self goes to *args too */
  if (own) tuple->items[0] = self;
  copy_values(tuple->items + own, args + (npositional - (rest - own)), rest - own);
  return tuple;
}

bool asy_bind_arguments(asy_vm *vm, asy_func *func, asy_value *regs, asy_value self, const asy_value *args,
                        uint32_t nargs, asy_tuple *kwnames) {
  asy_code *code = func->code;
  uint32_t nnamed = kwnames ? kwnames->len : 0;
  uint32_t shift = self != 0;
  uint32_t given = nargs - nnamed + shift; /* positional arguments */
  uint32_t named = (uint32_t)code->argcount + code->kwonly;

  if (!(code->flags & (CODE_VARARGS | CODE_VARKEYWORDS)) && !kwnames && !code->kwonly &&
      (given == code->argcount || asy_defaults_reach(func, given))) {
    copy_values(regs + shift, args, nargs);
    if (shift) regs[0] = self;
    asy_fill_trailing_defaults(func, regs, given);
    return true;
  }

  asy_value copy[256]; /* the registers may lie over the arguments */
  if (args < regs + code->nregs + 1 && args + nargs > regs && nargs <= 256) {
    copy_values(copy, args, nargs);
    args = copy;
  }
  asy_value varargs = ASY_UNBOUND;
  asy_dict *extra = NULL;
  uint32_t direct = given < code->argcount ? given : code->argcount;
  if (code->flags & CODE_VARARGS) {
    asy_tuple *tuple = rest_arguments(vm, self, args, nargs - nnamed, given - direct);
    if (!tuple) return false;
    varargs = asy_from_obj(tuple);
  }
  if (code->flags & CODE_VARKEYWORDS) {
    extra = asy_dict_new(vm, nnamed);
    if (!extra) return false;
  }
  for (uint32_t i = 0; i < named; i++) regs[i] = ASY_UNBOUND;
  if (direct) {
    if (shift) regs[0] = self;
    copy_values(regs + shift, args, direct - shift);
  }
  if (nnamed && !bind_keywords(vm, func, regs, args + (nargs - nnamed), kwnames, extra)) return false;
  if (given > code->argcount && !(code->flags & CODE_VARARGS)) return raise_too_many(vm, func, regs, given);
  if (!fill_defaults(vm, func, regs)) return false;
  if (code->flags & CODE_VARARGS) regs[named++] = varargs;
  if (extra) regs[named] = asy_from_obj(extra);
  return true;
}

/* ---- Natives ------------------------------------------------------------------------------------------------------- */

static bool is_constructor(const asy_nativefunc *native) {
  return native->owner && (native->def->flags & ASY_NATIVE_NEW || strcmp(native->def->name, "__init__") == 0);
}

/* The name CPython gives a native in its messages: the class for a constructor, "list.append" where `qualified`. */
static asy_str *native_title(asy_vm *vm, const asy_nativefunc *native, bool qualified) {
  if (is_constructor(native)) return asy_str_format(vm, "%N", native->owner);
  if (qualified && native->owner) return asy_str_format(vm, "%N.%s", native->owner, native->def->name);
  return asy_str_format(vm, "%s", native->def->name);
}

static bool starts_with_self(const asy_signature *s) {
  return s->npos > 0 && (asy_str_equal_cstr(s->names[0], "self") || asy_str_equal_cstr(s->names[0], "cls"));
}

/* TypeError for a number of positional arguments that does not fit, in the words CPython has for each form of signature. */
static bool native_error(asy_vm *vm, asy_nativefunc *native, asy_signature *s, uint32_t given) {
  uint32_t npos = s->npos, required = s->nrequired;
  bool has_self = starts_with_self(s);
  if (has_self && given == 0) {
    if (native->owner)
      asy_raise(vm, ASY_TypeError, "unbound method %N.%s() needs an argument", native->owner, native->def->name);
    else asy_raise(vm, ASY_TypeError, "unbound method %s() needs an argument", native->def->name);
    return false;
  }
  npos -= has_self;
  required -= has_self;
  given -= has_self;
  asy_str *name = native_title(vm, native, npos == required && npos <= 1);
  if (!name) return false;
  bool named = s->nposonly < s->npos || s->nkwonly; /* some parameters may be given by name */
  const char *plural = npos == 1 ? "" : "s";
  if (npos == 0 && s->nkwonly) asy_raise(vm, ASY_TypeError, "%U() takes no positional arguments", name);
  else if (npos == 0) asy_raise(vm, ASY_TypeError, "%U() takes no arguments (%u given)", name, given);
  else if (npos == 1 && required == 1 && !s->nkwonly && !is_constructor(native))
    asy_raise(vm, ASY_TypeError, "%U() takes exactly one argument (%u given)", name, given);
  else if (npos == required && s->nposonly >= s->npos)
    asy_raise(vm, ASY_TypeError, "%U expected %u argument%s, got %u", name, npos, plural, given);
  else if (npos == required && npos == 1 && !s->nkwonly)
    asy_raise(vm, ASY_TypeError, "%U expected 1 argument, got %u", name, given);
  else if (npos == required)
    asy_raise(vm, ASY_TypeError, "%U() takes exactly %u positional argument%s (%u given)", name, npos, plural, given);
  else if (given > npos && named)
    asy_raise(vm, ASY_TypeError, "%U() takes at most %u argument%s (%u given)", name, npos + s->nkwonly,
              npos + s->nkwonly == 1 ? "" : "s", given);
  else if (given > npos)
    asy_raise(vm, ASY_TypeError, "%U expected at most %u argument%s, got %u", name, npos, plural, given);
  else if (named)
    asy_raise(vm, ASY_TypeError, "%U() takes at least %u positional argument%s (%u given)", name, required,
              required == 1 ? "" : "s", given);
  else
    asy_raise(vm, ASY_TypeError, "%U expected at least %u argument%s, got %u", name, required, required == 1 ? "" : "s",
              given);
  return false;
}

/* Whether a method's self is of the class it belongs to. A call through an attribute of the object itself need not ask. */
static bool check_self(asy_vm *vm, const asy_nativefunc *native, asy_value self) {
  if (!native->owner || native->def->flags & (ASY_NATIVE_STATIC | ASY_NATIVE_CLASS | ASY_NATIVE_NEW)) return true;
  if (asy_class_of(vm, self) == native->owner || asy_is_instance(vm, self, native->owner)) return true;
  if (strncmp(native->def->name, "__", 2) == 0)
    asy_raise(vm, ASY_TypeError, "descriptor '%s' requires a '%N' object but received a '%T'", native->def->name,
              native->owner, self);
  else
    asy_raise(vm, ASY_TypeError, "descriptor '%s' for '%N' objects doesn't apply to a '%T' object", native->def->name,
              native->owner, self);
  return false;
}

static int find_native_parameter(asy_signature *s, asy_str *name) {
  for (int i = s->nposonly; i < s->nparams; i++)
    if (i != s->varargs && i != s->varkw && asy_str_equal(s->names[i], name)) return i;
  return -1;
}

/* A constructor without keywords ignores those that the other half of a subclass takes: float.__new__, when the class has an
 * __init__ of its own, and list.__init__, when it has a __new__. */
static bool leaves_keywords(asy_vm *vm, const asy_nativefunc *native, asy_value first) {
  bool is_new = native->def->flags & ASY_NATIVE_NEW;
  if (!native->owner || !first || (!is_new && strcmp(native->def->name, "__init__") != 0)) return false;
  if (is_new && !asy_is_kind(first, KIND_TYPE)) return false;
  asy_class *cls = is_new ? (asy_class *)asy_obj_of(first) : asy_class_of(vm, first);
  const asy_lookup *other = asy_class_lookup(vm, cls, is_new ? ASY_NAME(vm, __init__) : ASY_NAME(vm, __new__));
  return other && other->kind != LOOKUP_ABSENT && !(other->owner->flags & ASY_CLASS_BUILTIN);
}

static void raise_unexpected_in_native(asy_vm *vm, asy_nativefunc *native, const asy_signature *s, asy_str *name) {
  asy_list *names = asy_list_new(vm, s->nparams);
  for (uint32_t i = s->nposonly; names && i < s->nparams; i++)
    if (s->names[i] && !asy_list_append(vm, names, asy_from_obj(s->names[i]))) return;
  asy_str *meant = names ? asy_closest_name(names, name) : NULL;
  asy_str *function = names ? native_title(vm, native, false) : NULL;
  if (!function) return;
  if (meant)
    asy_raise(vm, ASY_TypeError, "%U() got an unexpected keyword argument '%U'. Did you mean '%U'?", function, name,
              meant);
  else asy_raise(vm, ASY_TypeError, "%U() got an unexpected keyword argument '%U'", function, name);
}

static bool bind_native(asy_vm *vm, asy_nativefunc *native, asy_signature *s, asy_value *out, asy_value self,
                        const asy_value *args, uint32_t nargs, asy_tuple *kwnames) {
  uint32_t nnamed = kwnames ? kwnames->len : 0;
  uint32_t npositional = nargs - nnamed, shift = self != 0, given = npositional + shift;
  for (uint32_t i = 0; i < s->nparams; i++) out[i] = 0;
  uint32_t direct = given < s->npos ? given : s->npos;
  if (direct) {
    if (shift) out[0] = self;
    copy_values(out + shift, args, direct - shift);
  }
  if (s->varargs >= 0) {
    asy_tuple *tuple = rest_arguments(vm, self, args, npositional, given - direct);
    if (!tuple) return false;
    out[s->varargs] = asy_from_obj(tuple);
  } else if (given > s->npos) {
    return native_error(vm, native, s, given);
  }
  asy_dict *extra = NULL;
  if (s->varkw >= 0) {
    extra = asy_dict_new(vm, nnamed);
    if (!extra) return false;
    out[s->varkw] = asy_from_obj(extra);
  }
  for (uint32_t i = 0; i < nnamed; i++) {
    asy_str *name = (asy_str *)asy_obj_of(kwnames->items[i]);
    int at = find_native_parameter(s, name);
    if (at >= 0) {
      if (out[at]) {
        asy_str *title = native_title(vm, native, false);
        if (title)
          asy_raise(vm, ASY_TypeError, "argument for %U() given by name ('%U') and position (%d)", title, name,
                    at + 1 - starts_with_self(s));
        return false;
      }
      out[at] = args[npositional + i];
    } else if (extra) {
      if (!asy_dict_set(vm, extra, kwnames->items[i], args[npositional + i])) return false;
    } else if (s->nkwonly == 0 && s->nposonly >= s->npos) {
      if (leaves_keywords(vm, native, out[0])) break;
      asy_str *title = native_title(vm, native, true);
      if (title) asy_raise(vm, ASY_TypeError, "%U() takes no keyword arguments", title);
      return false;
    } else {
      raise_unexpected_in_native(vm, native, s, name);
      return false;
    }
  }
  for (uint32_t i = 0; i < s->nparams; i++) {
    if (out[i]) continue;
    out[i] = s->defaults[i];
    if (out[i]) continue;
    if (s->nposonly > i) return native_error(vm, native, s, given);
    asy_str *title = native_title(vm, native, false);
    if (title)
      asy_raise(vm, ASY_TypeError, "%U() missing required argument '%U' (pos %u)", title, s->names[i],
                i + 1 - starts_with_self(s));
    return false;
  }
  return true;
}

/* The usual call of a native: positional arguments, and defaults for the rest: 1. 0: bind_native must look; -1: MemoryError. */
static inline int bind_native_positional(asy_vm *vm, const asy_signature *s, asy_value *out, asy_value self,
                                         const asy_value *args, uint32_t nargs) {
  uint32_t shift = self != 0, given = nargs + shift, direct = given;
  asy_tuple *rest = NULL;
  if (given < s->nrequired || s->varkw >= 0) return 0;
  if (s->varargs >= 0) {
    if (given > s->npos) direct = s->npos;
    if (!(rest = rest_arguments(vm, self, args, nargs, given - direct))) return -1;
  } else if (given > s->npos) {
    return 0;
  }
  if (shift && direct) out[0] = self;
  for (uint32_t i = shift; i < direct; i++) out[i] = args[i - shift];
  for (uint32_t i = direct; i < s->nparams; i++) {
    out[i] = (int)i == s->varargs ? asy_from_obj(rest) : s->defaults[i];
    if (!out[i]) return 0; /* a required keyword */
  }
  return 1;
}

asy_value asy_call_usual(asy_vm *vm, asy_nativefunc *native, asy_value self, const asy_value *args, uint32_t nargs) {
  asy_value bound[MAX_DIRECT];
  const asy_signature *s = native->signature;
  if (!s || native->self != ASY_UNBOUND || native->def->flags & (ASY_NATIVE_ASYNC | ASY_NATIVE_NEW)) return ASY_UNBOUND;
  if (self && native->owner && !(native->def->flags & (ASY_NATIVE_STATIC | ASY_NATIVE_CLASS)) &&
      asy_class_of(vm, self) != native->owner)
    return ASY_UNBOUND;
  if (s->plain && !self && nargs >= s->nrequired && nargs <= s->npos) {
    uint32_t i = 0, n = s->nparams;
    for (; i < nargs; i++) bound[i] = args[i];
    for (; i < n; i++) bound[i] = s->defaults[i];
    return native->fn(vm, bound);
  }
  int usual = bind_native_positional(vm, s, bound, self, args, nargs);
  return usual > 0 ? native->fn(vm, bound) : usual < 0 ? ASY_FAILED : ASY_UNBOUND;
}

asy_value asy_call_builtin_class(asy_vm *vm, asy_class *cls, const asy_value *args, uint32_t nargs) {
  asy_value bound[MAX_DIRECT];
  const asy_nativefunc *native = cls->direct_new;
  if (!native) return ASY_UNBOUND;
  if (!asy_check_c_stack(vm)) return ASY_FAILED;
  int usual = bind_native_positional(vm, native->signature, bound, asy_from_obj(cls), args, nargs);
  return usual > 0 ? native->fn(vm, bound) : usual < 0 ? ASY_FAILED : ASY_UNBOUND;
}

asy_value asy_start_native(asy_vm *vm, asy_nativefunc *native, asy_value self, const asy_value *args, uint32_t nargs,
                           asy_tuple *kwnames) {
  asy_signature *s = native->signature ? native->signature : asy_native_signature(vm, native);
  if (!s) return ASY_FAILED;
  if (self == 0 && native->self != ASY_UNBOUND) self = native->self;
  asy_value bound[MAX_DIRECT];
  if (!s->exact || self || kwnames || nargs != s->npos) {
    int usual = kwnames ? 0 : bind_native_positional(vm, s, bound, self, args, nargs);
    if (usual < 0 || (!usual && !bind_native(vm, native, s, bound, self, args, nargs, kwnames))) return ASY_FAILED;
    args = bound;
  }
  if (native->def->flags & ASY_NATIVE_NEW && !asy_check_new(vm, native, args[0])) return ASY_FAILED;
  if (native->owner && !check_self(vm, native, args[0])) return ASY_FAILED;
  return native->fn(vm, args);
}

asy_value asy_call_native(asy_vm *vm, asy_nativefunc *native, asy_value self, const asy_value *args, uint32_t nargs,
                          asy_tuple *kwnames) {
  if (!(native->def->flags & ASY_NATIVE_ASYNC)) return asy_start_native(vm, native, self, args, nargs, kwnames);
  asy_signature *s = asy_native_signature(vm, native);
  if (!s) return ASY_FAILED;
  if (self == 0 && native->self != ASY_UNBOUND) self = native->self;
  asy_value bound[MAX_DIRECT];
  if (!bind_native(vm, native, s, bound, self, args, nargs, kwnames)) return ASY_FAILED;
  asy_coro *coro = asy_coro_new(vm, asy_from_obj(native), bound, s->nparams);
  return coro ? asy_from_obj(coro) : ASY_FAILED;
}

/* ---- Entering script functions --------------------------------------------------------------------------------------- */

bool asy_handle_interrupt(asy_vm *vm) {
  if (vm->interrupt & (ASY_INTERRUPT_GC | ASY_INTERRUPT_GC_STRESS)) asy_gc_safepoint(vm);
  if (vm->interrupt & ASY_INTERRUPT_FINALIZERS) asy_run_finalizers(vm);
  if (vm->interrupt & ASY_INTERRUPT_SWITCH) asy_thread_yield(vm);
  if (vm->interrupt & ASY_INTERRUPT_WATCHDOG) asy_watchdog_report(vm);
  return !(vm->interrupt & ASY_INTERRUPT_SIGNAL) || asy_signals_run(vm);
}

/* The frame just entered is given up: its caller runs again. */
static void abandon_frame(asy_vm *vm) {
  asy_value *base = vm->base, *caller = asy_frame_back(base);
  asy_value info = FRAME_INFO(base);
  if (info & FRAME_CORO) asy_coro_closed(vm, (asy_coro *)asy_obj_of(base[asy_frame_code(base)->self_register]));
  if (info & FRAME_MOVED) asy_frame_unplace(vm, base, (info & FRAME_INIT) != 0);
  vm->depth--;
  if (caller) asy_frame_restore(vm, caller);
  else vm->base = NULL;
}

bool asy_enter_check(asy_vm *vm) {
  if (vm->depth > vm->recursion_limit) {
    abandon_frame(vm);
    asy_raise(vm, ASY_RecursionError, "maximum recursion depth exceeded");
    return false;
  }
  return !vm->interrupt || asy_handle_interrupt(vm);
}

/* A generator or coroutine object in place of a frame. */
static asy_value make_suspended(asy_vm *vm, asy_func *func, asy_value self, const asy_value *args, uint32_t nargs,
                                asy_tuple *kwnames) {
  asy_code *code = func->code;
  if (code->flags & CODE_COROUTINE) {
    asy_value bound[256];
    if (!asy_bind_arguments(vm, func, bound, self, args, nargs, kwnames)) return ASY_FAILED;
    asy_coro *coro = asy_coro_new(vm, asy_from_obj(func), bound, asy_code_nparams(code));
    return coro ? asy_from_obj(coro) : ASY_FAILED;
  }
  asy_gen *gen = asy_gen_new(vm, func);
  if (!gen || !asy_bind_arguments(vm, func, asy_gen_base(gen), self, args, nargs, kwnames)) return ASY_FAILED;
  asy_barrier(vm, gen);
  return asy_from_obj(gen);
}

static asy_action enter_function(asy_vm *vm, asy_func *func, asy_value self, asy_value *window, const asy_value *args,
                                 uint32_t nargs, asy_tuple *kwnames, asy_value instance, asy_value info,
                                 asy_value *result) {
  asy_code *code = func->code;
  if (code->flags & (CODE_GENERATOR | CODE_COROUTINE | CODE_ASYNC_GENERATOR)) {
    *result = make_suspended(vm, func, self, args, nargs, kwnames);
    return *result == ASY_FAILED ? ACT_UNWIND : ACT_NEXT;
  }
  if (info & FRAME_BOUNDARY) window = NULL;
  asy_value *caller_base = vm->base, *caller_top = vm->top, *caller_limit = vm->limit;
  asy_value *base = asy_frame_place(vm, window, instance != 0, code->nregs, &info);
  if (!base) return ACT_UNWIND;
  /* Binding may collect or run script code (a dict of keywords): keep the new frame's room out of its way. */
  if (base + code->nregs > vm->top) vm->top = base + code->nregs;
  bool bound = asy_bind_arguments(vm, func, base, self, args, nargs, kwnames);
  vm->top = caller_top;
  if (!bound) {
    if (info & FRAME_MOVED) asy_frame_unplace(vm, base, instance != 0);
    vm->base = caller_base;
    vm->limit = caller_limit ? vm->stack->limit : NULL;
    return ACT_UNWIND;
  }
  if (instance) {
    base[-FRAME_HEADER - 1] = instance;
    info |= FRAME_INIT;
  }
  asy_frame_enter(vm, base, func, asy_code_nparams(code), info);
  if ((vm->depth > vm->recursion_limit || vm->interrupt) && !asy_enter_check(vm)) { return ACT_UNWIND; }
  return ACT_RELOAD;
}

asy_action asy_enter_async(asy_vm *vm, asy_func *func, const asy_value *args, uint32_t nargs, asy_value info) {
  asy_value *base = asy_frame_place(vm, NULL, 0, func->code->nregs, &info);
  if (!base) return ACT_UNWIND;
  if (FRAME_INFO(vm->base) & FRAME_HEAP) asy_barrier(vm, asy_gen_of_base(vm->base));
  copy_values(base, args, nargs);
  asy_frame_enter(vm, base, func, nargs, info);
  if ((vm->depth > vm->recursion_limit || vm->interrupt) && !asy_enter_check(vm)) return ACT_UNWIND;
  return ACT_RELOAD;
}

static asy_action enter_class(asy_vm *vm, asy_class *cls, asy_value *window, const asy_value *args, uint32_t nargs,
                              asy_tuple *kwnames, asy_value info, asy_value *result) {
  if (cls->init_fn) {
    asy_obj *instance = asy_new_instance(vm, cls);
    if (!instance) return ACT_UNWIND;
    return enter_function(vm, cls->init_fn, asy_from_obj(instance), window, args, nargs, kwnames,
                          asy_from_obj(instance), info, result);
  }
  *result = asy_class_call(vm, cls, nargs, args, kwnames);
  return *result == ASY_FAILED ? ACT_UNWIND : ACT_NEXT;
}

bool asy_enter_instance(asy_vm *vm, asy_class *cls, asy_value *window, uint32_t nargs, asy_value dst) {
  asy_func *init = cls->init_fn;
  if (!init || !init->code->simple) return false;
  asy_code *code = init->code;
  asy_value *base = window + 1 + FRAME_HEADER; /* the instance lies below the header */
  if (base + code->nregs > vm->limit || (nargs + 1u != code->argcount && !asy_defaults_reach(init, nargs + 1)))
    return false;
  asy_obj *instance = asy_new_instance(vm, cls);
  if (!instance) {
    asy_clear_exception(vm);
    return false;
  }
  for (uint32_t i = nargs; i--;) base[i + 1] = window[FRAME_HEADER + i];
  base[0] = base[-FRAME_HEADER - 1] = asy_from_obj(instance);
  asy_fill_trailing_defaults(init, base, nargs + 1);
  asy_frame_enter(vm, base, init, code->argcount, dst | FRAME_INIT);
  return true;
}

/* Arguments with one more in front, as a tuple: for the rare callees that need it. */
static asy_tuple *prepend(asy_vm *vm, asy_value first, const asy_value *args, uint32_t nargs) {
  asy_tuple *all = asy_tuple_new(vm, NULL, nargs + 1);
  if (!all) return NULL;
  all->items[0] = first;
  copy_values(all->items + 1, args, nargs);
  return all;
}

asy_action asy_call_slow(asy_vm *vm, asy_value callee, asy_value self, asy_value *window, const asy_value *args,
                         uint32_t nargs, asy_tuple *kwnames, asy_value info, asy_value *result) {
  for (uint32_t steps = 0;; steps++) {
    if (asy_is_kind(callee, KIND_FUNCTION))
      return enter_function(vm, (asy_func *)asy_obj_of(callee), self, window, args, nargs, kwnames, 0, info, result);
    if (asy_is_kind(callee, KIND_NATIVE)) {
      *result = asy_call_native(vm, (asy_nativefunc *)asy_obj_of(callee), self, args, nargs, kwnames);
      return *result == ASY_FAILED ? ACT_UNWIND : ACT_NEXT;
    }
    if (self) { /* every other callee takes plain arguments */
      asy_tuple *all = prepend(vm, self, args, nargs);
      if (!all) return ACT_UNWIND;
      args = all->items;
      nargs++;
      self = 0;
    }
    if (asy_is_kind(callee, KIND_METHOD)) {
      asy_method *method = (asy_method *)asy_obj_of(callee);
      callee = method->func;
      self = method->self;
      continue;
    }
    asy_class *cls = asy_class_of(vm, callee);
    if (cls == vm->classes[KIND_TYPE])
      return enter_class(vm, (asy_class *)asy_obj_of(callee), window, args, nargs, kwnames, info, result);
    if (cls->flags & ASY_CLASS_BUILTIN && cls->type->special && cls->type->special->call) {
      *result = cls->type->special->call(vm, callee, args, (int)nargs, kwnames);
      return *result == ASY_FAILED ? ACT_UNWIND : ACT_NEXT;
    }
    asy_value fn, bound;
    int found = asy_find_special(vm, callee, ASY_NAME(vm, __call__), &fn, &bound);
    if (found < 0) return ACT_UNWIND;
    if (!found) {
      asy_raise(vm, ASY_TypeError, "'%T' object is not callable", callee);
      return ACT_UNWIND;
    }
    if (steps > vm->recursion_limit) { /* a __call__ that is its own callee */
      asy_raise(vm, ASY_RecursionError, "maximum recursion depth exceeded");
      return ACT_UNWIND;
    }
    callee = fn;
    self = bound == ASY_UNBOUND ? 0 : bound;
  }
}

/* Names of kwargs as a tuple and the values behind the positional ones, in one tuple *all. */
static bool spread(asy_vm *vm, asy_value callee, const asy_value *items, uint32_t n, asy_dict *kwargs, asy_tuple **all,
                   asy_tuple **names) {
  *all = asy_tuple_new(vm, NULL, n + kwargs->used);
  *names = asy_tuple_new(vm, NULL, kwargs->used);
  if (!*all || !*names) return false;
  copy_values((*all)->items, items, n);
  uint32_t position = 0, i = 0;
  asy_value key, value;
  while (asy_dict_next(kwargs, &position, &key, &value)) {
    if (!asy_is_str(key)) {
      if (asy_callable(vm, callee)) asy_raise(vm, ASY_TypeError, "keywords must be strings");
      else asy_raise(vm, ASY_TypeError, "'%T' object is not callable", callee);
      return false;
    }
    (*names)->items[i] = key;
    (*all)->items[n + i++] = value;
  }
  return true;
}

/* The items of the one * argument of a call. */
static asy_list *iterable_argument(asy_vm *vm, asy_value callee, asy_value v) {
  int found = asy_is_iterable(vm, v);
  if (found == 0) {
    asy_str *text = asy_callee_text(vm, callee);
    if (text) asy_raise(vm, ASY_TypeError, "%U argument after * must be an iterable, not %T", text, v);
  }
  asy_list *list = found > 0 ? asy_list_new(vm, 0) : NULL;
  return list && asy_list_extend(vm, list, v) ? list : NULL;
}

asy_action asy_call_spread(asy_vm *vm, asy_value *window, asy_value args, asy_value kwargs, asy_value info,
                           asy_value *result) {
  asy_tuple *tuple = NULL, *names = NULL;
  asy_value callee = window[0];
  if (asy_is_exact(args, KIND_TUPLE)) {
    tuple = (asy_tuple *)asy_obj_of(args);
  } else {
    asy_list *list = asy_is_exact(args, KIND_LIST) ? (asy_list *)asy_obj_of(args) : iterable_argument(vm, callee, args);
    tuple = list ? asy_list_to_tuple(vm, list) : NULL;
    if (!tuple) return ACT_UNWIND;
  }
  window[FRAME_HEADER] = asy_from_obj(tuple);
  if (kwargs && ((asy_dict *)asy_obj_of(kwargs))->used &&
      !spread(vm, callee, tuple->items, tuple->len, (asy_dict *)asy_obj_of(kwargs), &tuple, &names))
    return ACT_UNWIND;
  /* The callee's frame may lie over the window, so the tuples live on the C stack until they are bound. */
  vm->spread = names ? NULL : tuple;
  asy_action action = asy_call_slow(vm, callee, 0, window, tuple->items, tuple->len, names, info, result);
  vm->spread = NULL;
  __asm__ volatile("" : : "r"(tuple), "r"(names) : "memory");
  return action;
}

/* ---- From C -------------------------------------------------------------------------------------------------------- */

/* What needs no frame and no arguments arranged: built-in classes and most natives. ASY_UNBOUND: go the general way. */
static inline asy_value call_at_once(asy_vm *vm, asy_value callee, const asy_value *args, uint32_t nargs) {
  if (asy_is_exact(callee, KIND_TYPE)) return asy_call_builtin_class(vm, (asy_class *)asy_obj_of(callee), args, nargs);
  if (!asy_is_kind(callee, KIND_NATIVE)) return ASY_UNBOUND;
  const asy_nativefunc *native = (const asy_nativefunc *)asy_obj_of(callee);
  return !native->owner && asy_native_is_exact(native, nargs) ? native->fn(vm, args) : ASY_UNBOUND;
}

asy_value asy_call_kw(asy_vm *vm, asy_value callee, int nargs, const asy_value *args, asy_tuple *kwnames) {
  if (!asy_check_c_stack(vm)) return ASY_FAILED;
  asy_value at_once = kwnames ? ASY_UNBOUND : call_at_once(vm, callee, args, (uint32_t)nargs);
  if (at_once != ASY_UNBOUND) return at_once;
  asy_value *base = vm->base, *top = vm->top;
  bool heap_frame = vm->limit == NULL;
  asy_value result = ASY_FAILED;
  asy_action action = asy_call_slow(vm, callee, 0, NULL, args, (uint32_t)nargs, kwnames, FRAME_BOUNDARY, &result);
  if (action == ACT_NEXT) return result;
  if (vm->base == base) return ASY_FAILED; /* no frame was entered */
  if (action == ACT_UNWIND) {              /* raised on entry: unwind that frame */
    asy_value e = asy_take_exception(vm);
    asy_run_outcome outcome = asy_run(vm, vm->base, e, &result);
    (void)outcome;
    result = ASY_FAILED;
  } else if (asy_run(vm, vm->base, 0, &result) != ASY_RUN_RETURNED) {
    result = ASY_FAILED;
  }
  vm->base = base;
  vm->top = top;
  vm->limit = heap_frame ? NULL : vm->stack->limit;
  return result;
}

asy_value asy_call(asy_vm *vm, asy_value callee, int nargs, const asy_value *args) {
  return asy_call_kw(vm, callee, nargs, args, NULL);
}

asy_value asy_call_ex(asy_vm *vm, asy_value callee, asy_tuple *args, asy_dict *kwargs) {
  asy_tuple *names = NULL;
  if (kwargs && kwargs->used && !spread(vm, callee, args->items, args->len, kwargs, &args, &names)) return ASY_FAILED;
  return asy_call_kw(vm, callee, (int)args->len, args->items, names);
}

asy_value asy_call0(asy_vm *vm, asy_value callee) { return asy_call_kw(vm, callee, 0, NULL, NULL); }

asy_value asy_call1(asy_vm *vm, asy_value callee, asy_value a) { return asy_call_kw(vm, callee, 1, &a, NULL); }

asy_value asy_call2(asy_vm *vm, asy_value callee, asy_value a, asy_value b) {
  asy_value args[] = {a, b};
  return asy_call_kw(vm, callee, 2, args, NULL);
}

asy_value asy_call_method(asy_vm *vm, asy_value self, asy_str *name, int nargs, const asy_value *args) {
  asy_value window[FRAME_HEADER + 1 + MAX_DIRECT];
  window[FRAME_HEADER] = ASY_UNBOUND;
  if (!asy_ic_load_method(vm, window, self, name, NULL)) return ASY_FAILED;
  if (window[FRAME_HEADER] == ASY_UNBOUND) return asy_call(vm, window[0], nargs, args);
  copy_values(window + FRAME_HEADER + 1, args, (uint32_t)nargs);
  return asy_call(vm, window[0], nargs + 1, window + FRAME_HEADER);
}

/* The register behind those that the instruction uses, which lie at the top of the temporaries; UINT32_MAX: that is not known. */
static uint32_t registers_used(const asy_code *code, uint32_t word) {
  uint32_t a = ASY_WORD_A(word), b = ASY_WORD_B(word), c = ASY_WORD_C(word), highest;
  switch (ASY_WORD_OP(word)) {
    case OP_CALL:
    case OP_CALL_METHOD:
    case OP_CALL_KW:
    case OP_CALL_METHOD_KW: return b + FRAME_HEADER + c;
    case OP_DEL_ITEM: highest = a > b ? a : b; break;
    case OP_SET_ITEM: highest = a > b ? a : b; break;
    case OP_IADD:
    case OP_INPLACE: highest = b; break;
    default: return UINT32_MAX;
  }
  bool reads_c = ASY_WORD_OP(word) != OP_DEL_ITEM;
  if (reads_c && c > highest) highest = c;
  return highest >= code->nlocals ? highest + 1 : UINT32_MAX;
}

void asy_clear_spare_registers(asy_vm *vm) {
  asy_value *base = vm->base;
  if (!base) return;
  const asy_code *code = asy_frame_code(base);
  uint32_t behind = asy_frame_word(base), at = 0, next = 0;
  while (next < behind) { /* instructions have one word or two: found from the start only */
    at = next;
    next += asy_op_words(asy_op_table[ASY_WORD_OP(code->words[at])].format);
  }
  if (next != behind || !behind) return;
  for (uint32_t i = registers_used(code, code->words[at]); i < code->nregs; i++) base[i] = ASY_UNBOUND;
}
