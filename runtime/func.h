/* func.h - code, functions, natives, methods, cells: what can be called and what it needs. */
#ifndef ASY_RUNTIME_FUNC_H
#define ASY_RUNTIME_FUNC_H

#include "lang/unit.h"
#include "runtime/asy.h"
#include "runtime/types/dict.h"
#include "runtime/types/str.h"
#include "runtime/types/tuple.h"

/* An inline cache beside the code. What `kind`, `slot` and `payload` mean and when an entry dies is said in ic.h. */
typedef struct {
  uint32_t shape; /* the guard: shape id, or a keys_version */
  uint16_t slot;
  uint16_t kind; /* 0: empty */
  uint64_t payload;
} asy_ic;

typedef struct asy_code {
  asy_obj head;
  uint32_t flags; /* CODE_ bits */
  uint16_t argcount, posonly, kwonly;
  uint16_t nlocals, nregs, nfreevars;
  uint8_t self_register;
  bool simple;       /* plain positional parameters only, not a generator or coroutine: the fast call */
  bool simple_async; /* the same for a plain `async def`: run in place by AWAIT_CALL */
  uint32_t nwords, nconstants, nnames, nsites, nhandlers, npositions;
  uint32_t *words; /* owned, malloc'ed, as are the tables below */
  asy_value *constants;
  asy_ic *ics;          /* nsites */
  asy_str **site_names; /* nsites: the interned name of each site */
  asy_handler *handlers;
  asy_position *positions;
  asy_str **varnames; /* nlocals, interned; empty string for hidden locals */
  bool *is_cell;
  asy_str **freevars;
  asy_str *name, *qualname, *filename;
  int32_t first_line;
  asy_value docstring;                    /* or None */
  struct asy_code *next_code, *prev_code; /* vm->code_list, to flush caches; weak */
} asy_code;

typedef struct asy_cell {
  asy_obj head;
  asy_value value; /* UNBOUND when empty */
} asy_cell;

typedef struct asy_func {
  asy_obj head; /* has attribute slots (function attributes) */
  asy_code *code;
  asy_dict *globals;
  asy_tuple *closure;   /* cells; NULL when none */
  asy_tuple *defaults;  /* NULL when none */
  asy_dict *kwdefaults; /* NULL when none */
  asy_str *name, *qualname;
  asy_value module; /* __module__ */
  asy_value doc;
  asy_value annotations; /* dict, or 0 */
  asy_value type_params; /* tuple, or 0 */
  asy_dict *builtins;
} asy_func;

/* How a call's arguments are laid out: parsed from a native's signature text. Malloc'ed, lives as long as the VM. */
typedef struct asy_signature {
  uint16_t nparams; /* all registers: positional, keyword-only, then *args, then **kwargs?: in the order written */
  uint16_t npos;    /* positional parameters */
  uint16_t nposonly;
  uint16_t nrequired; /* leading positional parameters without default */
  uint16_t nkwonly;
  int16_t varargs;     /* parameter index of *args or -1 */
  int16_t varkw;       /* parameter index of **kwargs or -1 */
  bool exact;          /* positional-only in effect and nothing optional: npos arguments go straight in */
  bool plain;          /* positional arguments and defaults make up all parameters */
  asy_str **names;     /* nparams */
  asy_value *defaults; /* nparams; 0: required; ASY_UNBOUND: optional without value */
} asy_signature;

typedef struct asy_nativefunc {
  asy_obj head;
  const asy_native *def;
  asy_native_fn fn;
  asy_signature *signature; /* NULL until first called */
  asy_value self;           /* bound: module for module functions is not passed; see call.c. UNBOUND when unbound */
  asy_class *owner;         /* class whose method it is, or NULL */
  asy_value module;         /* __module__ name or None */
  asy_str *name;
} asy_nativefunc;

/* Makes the native a descriptor in the class: methods bind, a __new__ does not. */
void asy_native_own(asy_vm *vm, asy_value native, asy_class *cls);

typedef struct asy_method { /* bound method of any callable */
  asy_obj head;
  asy_value func, self;
} asy_method;
bool asy_method_hash(asy_vm *vm, asy_value self, int64_t *out);
asy_value asy_method_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op);

asy_func *asy_func_new(asy_vm *vm, asy_code *code, asy_dict *globals);
asy_code *asy_code_new(asy_vm *vm, const asy_unit_code *unit, asy_str *filename); /* nested codes become constants */
/* Runs the code of a module, exec or class body: R0 is `locals`, a mapping. The frame's value. call.c */
asy_value asy_run_body(asy_vm *vm, asy_func *func, asy_value locals);
asy_value asy_run_code(asy_vm *vm, asy_code *code, asy_dict *globals,
                       asy_value locals); /* of a new function without closure */
asy_value asy_method_new(asy_vm *vm, asy_value func, asy_value self);
asy_cell *asy_cell_new(asy_vm *vm, asy_value value);
asy_signature *asy_native_signature(asy_vm *vm, asy_nativefunc *native); /* parsed on first use; NULL failed */
/* The position of the instruction that ends before `word`; line 0 when there is none. */
asy_position asy_code_position(const asy_code *code, uint32_t word);
uint32_t asy_code_row(const asy_code *code, uint32_t word); /* the first row of positions at or behind word */

#endif
