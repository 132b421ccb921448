/* func.c - code objects made from compiled units, functions, natives and bound methods as objects, cells, and the signatures of
 * natives, parsed from their text when first called.
 */
#include <stdlib.h>

#include "runtime/class.h"
#include "runtime/exc.h"
#include "runtime/frame.h"
#include "runtime/number.h"
#include "runtime/types/bytes.h"

/* ---- Code ---------------------------------------------------------------------------------------------------------- */

static asy_value constant_value(asy_vm *vm, const asy_const *c, asy_str *filename);

static asy_value constant_items(asy_vm *vm, const asy_const *c, asy_str *filename) {
  asy_tuple *tuple = asy_tuple_new(vm, NULL, c->length);
  if (!tuple) return ASY_FAILED;
  for (uint32_t i = 0; i < c->length; i++) {
    asy_value item = constant_value(vm, &c->items[i], filename);
    if (item == ASY_FAILED) return ASY_FAILED;
    asy_store(vm, tuple, &tuple->items[i], item);
  }
  if (c->kind == ASY_CONST_TUPLE) return asy_from_obj(tuple);
  asy_set *set = asy_set_new(vm, KIND_FROZENSET);
  return set && asy_set_update(vm, set, asy_from_obj(tuple)) ? asy_from_obj(set) : ASY_FAILED;
}

static asy_value constant_bigint(asy_vm *vm, const asy_const *c) {
  bool negative = c->length && c->text[0] == '-';
  asy_value v = asy_int_from_text(vm, c->text + negative, c->length - negative, 0);
  return v != ASY_FAILED && negative ? asy_int_negate(vm, v) : v;
}

static asy_value constant_value(asy_vm *vm, const asy_const *c, asy_str *filename) {
  switch (c->kind) {
    case ASY_CONST_NONE: return ASY_NONE;
    case ASY_CONST_FALSE: return ASY_FALSE;
    case ASY_CONST_TRUE: return ASY_TRUE;
    case ASY_CONST_ELLIPSIS: return ASY_ELLIPSIS;
    case ASY_CONST_INT: return asy_from_int64(vm, c->integer);
    case ASY_CONST_BIGINT: return constant_bigint(vm, c);
    case ASY_CONST_FLOAT: return asy_from_double(vm, c->real);
    case ASY_CONST_COMPLEX: return asy_complex_new(vm, c->real, c->imaginary);
    case ASY_CONST_STR: {
      asy_str *s = asy_str_new_utf8(vm, c->text, c->length);
      if (s && c->interned) s = asy_str_intern(vm, s);
      return s ? asy_from_obj(s) : ASY_FAILED;
    }
    case ASY_CONST_BYTES: return asy_from_bytes(vm, c->text, c->length);
    case ASY_CONST_TUPLE:
    case ASY_CONST_FROZENSET: return constant_items(vm, c, filename);
    case ASY_CONST_CODE: {
      asy_code *code = asy_code_new(vm, c->code, filename);
      return code ? asy_from_obj(code) : ASY_FAILED;
    }
  }
  __builtin_unreachable();
}

static void *copy_table(asy_vm *vm, const void *from, size_t size) {
  void *copy = asy_mem_alloc(vm, size ? size : 1);
  if (copy && size) memcpy(copy, from, size);
  return copy;
}

static asy_str **intern_all(asy_vm *vm, asy_code *code, const char *const *names, uint32_t n, asy_str ***place, uint16_t *count) {
  asy_str **table = asy_mem_alloc(vm, (n ? n : 1) * sizeof *table);
  if (!table) return NULL;
  *place = table;
  for (uint32_t i = 0; i < n; i++) table[i] = NULL;
  *count = (uint16_t)n;
  for (uint32_t i = 0; i < n; i++) {
    table[i] = asy_intern(vm, names[i]);
    if (!table[i]) return NULL;
    asy_barrier(vm, code);
  }
  return table;
}

static bool fill_sites(asy_vm *vm, asy_code *code, const asy_unit_code *unit) {
  code->ics = asy_mem_alloc(vm, (unit->nsites + 1) * sizeof(asy_ic));
  code->site_names = asy_mem_alloc(vm, (unit->nsites + 1) * sizeof(asy_str *));
  if (!code->ics || !code->site_names) return false;
  memset(code->ics, 0, (unit->nsites + 1) * sizeof(asy_ic));
  memset(code->site_names, 0, (unit->nsites + 1) * sizeof(asy_str *));
  code->nsites = unit->nsites;
  for (uint32_t i = 0; i < unit->nsites; i++) {
    asy_str *name = asy_intern(vm, unit->names[unit->sites[i].name]);
    if (!name) return false;
    code->site_names[i] = name;
    asy_barrier(vm, code);
  }
  return true;
}

static bool fill_constants(asy_vm *vm, asy_code *code, const asy_unit_code *unit) {
  code->constants = asy_mem_alloc(vm, (unit->nconstants + 1) * sizeof(asy_value));
  if (!code->constants) return false;
  for (uint32_t i = 0; i < unit->nconstants; i++) code->constants[i] = ASY_NONE;
  code->nconstants = unit->nconstants;
  for (uint32_t i = 0; i < unit->nconstants; i++) {
    asy_value v = constant_value(vm, &unit->constants[i], code->filename);
    if (v == ASY_FAILED) return false;
    asy_store(vm, code, &code->constants[i], v);
  }
  return true;
}

asy_code *asy_code_new(asy_vm *vm, const asy_unit_code *unit, asy_str *filename) {
  asy_code *code = asy_new_kind(vm, KIND_CODE, sizeof *code);
  if (!code) return NULL;
  code->flags = unit->flags;
  code->argcount = unit->argcount;
  code->posonly = unit->posonly;
  code->kwonly = unit->kwonly;
  code->nregs = unit->nregs;
  code->self_register = unit->self_register;
  code->first_line = unit->first_line;
  code->docstring = ASY_NONE;
  code->filename = filename;
  code->next_code = vm->code_list;
  if (vm->code_list) vm->code_list->prev_code = code;
  vm->code_list = code;
  code->name = asy_intern(vm, unit->name);
  code->qualname = asy_intern(vm, unit->qualname);
  if (!code->name || !code->qualname) return NULL;
  asy_barrier(vm, code);
  code->words = copy_table(vm, unit->words, unit->nwords * sizeof *unit->words);
  code->handlers = copy_table(vm, unit->handlers, unit->nhandlers * sizeof *unit->handlers);
  code->positions = copy_table(vm, unit->positions, unit->npositions * sizeof *unit->positions);
  code->is_cell = copy_table(vm, unit->is_cell, unit->nlocals * sizeof(bool));
  if (!code->words || !code->handlers || !code->positions || !code->is_cell) return NULL;
  code->nwords = unit->nwords;
  code->nhandlers = unit->nhandlers;
  code->npositions = unit->npositions;
  if (!intern_all(vm, code, unit->varnames, unit->nlocals, &code->varnames, &code->nlocals)) return NULL;
  if (!intern_all(vm, code, unit->freevars, unit->nfreevars, &code->freevars, &code->nfreevars)) return NULL;
  if (!fill_sites(vm, code, unit) || !fill_constants(vm, code, unit)) return NULL;
  if (unit->flags & CODE_HAS_DOCSTRING && code->nconstants) asy_store(vm, code, &code->docstring, code->constants[0]);
  bool plain = !(unit->flags & (CODE_VARARGS | CODE_VARKEYWORDS | CODE_GENERATOR | CODE_ASYNC_GENERATOR)) && !unit->kwonly;
  code->simple = plain && !(unit->flags & CODE_COROUTINE);
  code->simple_async = plain && (unit->flags & CODE_COROUTINE);
  return code;
}

asy_position asy_code_position(const asy_code *code, uint32_t word) {
  uint32_t low = 0, high = code->npositions;
  if (word) word--;
  while (low < high) { /* the last row that starts at or before word */
    uint32_t mid = (low + high) / 2;
    if (code->positions[mid].word <= word)
      low = mid + 1;
    else
      high = mid;
  }
  return low ? code->positions[low - 1] : (asy_position){0};
}

static void code_visit(asy_obj *o, asy_visitor *v) {
  asy_code *code = (asy_code *)o;
  if (code->constants) asy_visit_values(v, code->constants, code->nconstants);
  for (uint32_t i = 0; i < code->nsites; i++) asy_visit_obj(v, code->site_names[i]);
  for (uint32_t i = 0; i < code->nlocals; i++) asy_visit_obj(v, code->varnames[i]);
  for (uint32_t i = 0; i < code->nfreevars; i++) asy_visit_obj(v, code->freevars[i]);
  asy_visit_obj(v, code->name);
  asy_visit_obj(v, code->qualname);
  asy_visit_obj(v, code->filename);
  asy_visit_value(v, code->docstring);
}

static void code_free(asy_vm *vm, asy_obj *o) {
  asy_code *code = (asy_code *)o;
  if (code->prev_code)
    code->prev_code->next_code = code->next_code;
  else
    vm->code_list = code->next_code;
  if (code->next_code) code->next_code->prev_code = code->prev_code;
  asy_mem_free(vm, code->words, code->nwords * sizeof *code->words);
  asy_mem_free(vm, code->handlers, code->nhandlers * sizeof *code->handlers);
  asy_mem_free(vm, code->positions, code->npositions * sizeof *code->positions);
  asy_mem_free(vm, code->is_cell, code->nlocals * sizeof(bool));
  asy_mem_free(vm, code->varnames, code->nlocals * sizeof *code->varnames);
  asy_mem_free(vm, code->freevars, code->nfreevars * sizeof *code->freevars);
  asy_mem_free(vm, code->constants, (code->nconstants + 1) * sizeof *code->constants);
  asy_mem_free(vm, code->ics, (code->nsites + 1) * sizeof *code->ics);
  asy_mem_free(vm, code->site_names, (code->nsites + 1) * sizeof *code->site_names);
}

static asy_value code_repr(asy_vm *vm, asy_value self) {
  asy_code *code = (asy_code *)asy_obj_of(self);
  asy_str *s = asy_str_format(vm, "<code object %U at %p, file \"%U\", line %d>", code->name, (void *)code, code->filename,
                              code->first_line);
  return s ? asy_from_obj(s) : ASY_FAILED;
}

static asy_value names_tuple(asy_vm *vm, asy_str **names, uint32_t n) {
  asy_tuple *tuple = asy_tuple_new(vm, NULL, n);
  if (!tuple) return ASY_FAILED;
  uint32_t count = 0;
  for (uint32_t i = 0; i < n; i++)
    if (names[i]->len) tuple->items[count++] = asy_from_obj(names[i]);
  tuple->len = count;
  return asy_from_obj(tuple);
}

#define CODE_SELF ((asy_code *)asy_obj_of(args[0]))
static asy_value code_get_argcount(asy_vm *vm, const asy_value *args) { (void)vm; return asy_from_small(CODE_SELF->argcount); }
static asy_value code_get_posonly(asy_vm *vm, const asy_value *args) { (void)vm; return asy_from_small(CODE_SELF->posonly); }
static asy_value code_get_kwonly(asy_vm *vm, const asy_value *args) { (void)vm; return asy_from_small(CODE_SELF->kwonly); }
static asy_value code_get_nlocals(asy_vm *vm, const asy_value *args) { (void)vm; return asy_from_small(CODE_SELF->nlocals); }
static asy_value code_get_flags(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return asy_from_small(CODE_SELF->flags & 0xffff);
}
static asy_value code_get_varnames(asy_vm *vm, const asy_value *args) {
  return names_tuple(vm, CODE_SELF->varnames, CODE_SELF->nlocals);
}
static asy_value code_get_freevars(asy_vm *vm, const asy_value *args) {
  return names_tuple(vm, CODE_SELF->freevars, CODE_SELF->nfreevars);
}
static asy_value code_get_names(asy_vm *vm, const asy_value *args) {
  return names_tuple(vm, CODE_SELF->site_names, CODE_SELF->nsites);
}
static asy_value code_get_consts(asy_vm *vm, const asy_value *args) {
  asy_tuple *tuple = asy_tuple_new(vm, CODE_SELF->constants, CODE_SELF->nconstants);
  return tuple ? asy_from_obj(tuple) : ASY_FAILED;
}
static asy_value code_get_cellvars(asy_vm *vm, const asy_value *args) {
  asy_code *code = CODE_SELF;
  asy_list *list = asy_list_new(vm, 0);
  if (!list) return ASY_FAILED;
  for (uint32_t i = 0; i < code->nlocals; i++)
    if (code->is_cell[i] && !asy_list_append(vm, list, asy_from_obj(code->varnames[i]))) return ASY_FAILED;
  asy_tuple *tuple = asy_list_to_tuple(vm, list);
  return tuple ? asy_from_obj(tuple) : ASY_FAILED;
}
#undef CODE_SELF

static const asy_native code_methods[] = {
    {"co_argcount", "(self)", code_get_argcount, "Number of positional parameters.", ASY_NATIVE_GETTER},
    {"co_posonlyargcount", "(self)", code_get_posonly, "Number of positional-only parameters.", ASY_NATIVE_GETTER},
    {"co_kwonlyargcount", "(self)", code_get_kwonly, "Number of keyword-only parameters.", ASY_NATIVE_GETTER},
    {"co_nlocals", "(self)", code_get_nlocals, "Number of local variables.", ASY_NATIVE_GETTER},
    {"co_flags", "(self)", code_get_flags, "CO_ bits.", ASY_NATIVE_GETTER},
    {"co_varnames", "(self)", code_get_varnames, "Names of parameters and locals.", ASY_NATIVE_GETTER},
    {"co_freevars", "(self)", code_get_freevars, "Names of free variables.", ASY_NATIVE_GETTER},
    {"co_cellvars", "(self)", code_get_cellvars, "Names of locals that inner functions use.", ASY_NATIVE_GETTER},
    {"co_names", "(self)", code_get_names, "Names used besides locals.", ASY_NATIVE_GETTER},
    {"co_consts", "(self)", code_get_consts, "Constants.", ASY_NATIVE_GETTER},
    {0},
};
static const asy_member code_members[] = {
    {"co_name", offsetof(asy_code, name), MEMBER_OBJECT, false},
    {"co_qualname", offsetof(asy_code, qualname), MEMBER_OBJECT, false},
    {"co_filename", offsetof(asy_code, filename), MEMBER_OBJECT, false},
    {"co_firstlineno", offsetof(asy_code, first_line), MEMBER_INT32, false},
    {0},
};
const asy_type asy_code_type = {
    .name = "code", .size = sizeof(asy_code), .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW,
    .visit = code_visit, .free = code_free, .repr = code_repr, .methods = code_methods, .members = code_members,
};

/* ---- Cells --------------------------------------------------------------------------------------------------------- */

asy_cell *asy_cell_new(asy_vm *vm, asy_value value) {
  asy_cell *cell = asy_new_kind(vm, KIND_CELL, sizeof *cell);
  if (cell) cell->value = value;
  return cell;
}

static void cell_visit(asy_obj *o, asy_visitor *v) { asy_visit_value(v, ((asy_cell *)o)->value); }

static asy_value cell_new(asy_vm *vm, const asy_value *args) {
  asy_cell *cell = asy_cell_new(vm, args[1]);
  return cell ? asy_from_obj(cell) : ASY_FAILED;
}

static asy_value cell_repr(asy_vm *vm, asy_value self) {
  asy_cell *cell = (asy_cell *)asy_obj_of(self);
  asy_str *s = cell->value == ASY_UNBOUND ? asy_str_format(vm, "<cell at %p: empty>", (void *)cell)
                                          : asy_str_format(vm, "<cell at %p: %T object at %p>", (void *)cell, cell->value,
                                                           (void *)(uintptr_t)cell->value);
  return s ? asy_from_obj(s) : ASY_FAILED;
}

static asy_value cell_get_contents(asy_vm *vm, const asy_value *args) {
  asy_value v = ((asy_cell *)asy_obj_of(args[0]))->value;
  return v == ASY_UNBOUND ? asy_raise(vm, ASY_ValueError, "Cell is empty") : v;
}

static asy_value cell_set_contents(asy_vm *vm, const asy_value *args) {
  asy_cell *cell = (asy_cell *)asy_obj_of(args[0]);
  asy_store(vm, cell, &cell->value, args[1]);
  return ASY_NONE;
}

static const asy_native cell_methods[] = {
    {"cell_contents", "(self)", cell_get_contents, "What the cell holds.", ASY_NATIVE_GETTER},
    {"cell_contents", "(self, value)", cell_set_contents, NULL, ASY_NATIVE_SETTER},
    {0},
};
const asy_type asy_cell_type = {
    .name = "cell", .size = sizeof(asy_cell), .flags = ASY_TYPE_FINAL, .visit = cell_visit,
    .new_ = cell_new, .new_signature = "(cls, contents=?, /)", .repr = cell_repr, .methods = cell_methods,
};

/* ---- Functions ----------------------------------------------------------------------------------------------------- */

asy_func *asy_func_new(asy_vm *vm, asy_code *code, asy_dict *globals) {
  asy_func *func = asy_alloc(vm, KIND_FUNCTION, KIND_FUNCTION, sizeof *func + sizeof(asy_value)); /* with `more` */
  if (!func) return NULL;
  func->code = code;
  func->globals = globals;
  func->builtins = vm->builtins;
  func->name = code->name;
  func->qualname = code->qualname;
  func->doc = code->docstring;
  asy_value module = globals ? asy_dict_get_str(vm, globals, ASY_NAME(vm, __name__)) : ASY_UNBOUND;
  func->module = module == ASY_UNBOUND ? ASY_NONE : module;
  return func;
}

static void func_visit(asy_obj *o, asy_visitor *v) {
  asy_func *func = (asy_func *)o;
  asy_visit_obj(v, func->code);
  asy_visit_obj(v, func->globals);
  asy_visit_obj(v, func->builtins);
  asy_visit_obj(v, func->closure);
  asy_visit_obj(v, func->defaults);
  asy_visit_obj(v, func->kwdefaults);
  asy_visit_obj(v, func->name);
  asy_visit_obj(v, func->qualname);
  asy_visit_value(v, func->module);
  asy_visit_value(v, func->doc);
  asy_visit_value(v, func->annotations);
  asy_visit_value(v, func->type_params);
}

static asy_value func_new(asy_vm *vm, const asy_value *args) {
  if (!asy_is_kind(args[1], KIND_CODE) || !asy_is_kind(args[2], KIND_DICT))
    return asy_raise(vm, ASY_TypeError, "function() needs a code object and a dict, not '%T' and '%T'", args[1], args[2]);
  asy_code *code = (asy_code *)asy_obj_of(args[1]);
  asy_value name = args[3], defaults = args[4], closure = args[5], kwdefaults = args[6];
  if (name != ASY_NONE && !asy_is_str(name))
    return asy_raise(vm, ASY_TypeError, "arg 3 (name) must be None or string");
  if (defaults != ASY_NONE && !asy_is_kind(defaults, KIND_TUPLE))
    return asy_raise(vm, ASY_TypeError, "arg 4 (defaults) must be None or tuple");
  uint32_t given = asy_is_kind(closure, KIND_TUPLE) ? ((asy_tuple *)asy_obj_of(closure))->len : 0;
  if (closure != ASY_NONE && !asy_is_kind(closure, KIND_TUPLE))
    return asy_raise(vm, ASY_TypeError, "arg 5 (closure) must be %s", code->nfreevars ? "tuple" : "None or tuple");
  if (given != code->nfreevars)
    return asy_raise(vm, ASY_ValueError, "%U requires closure of length %u, not %u", code->name, (unsigned)code->nfreevars,
                     given);
  for (uint32_t i = 0; i < given; i++)
    if (!asy_is_kind(((asy_tuple *)asy_obj_of(closure))->items[i], KIND_CELL))
      return asy_raise(vm, ASY_TypeError, "arg 5 (closure) expected cell, found %T",
                       ((asy_tuple *)asy_obj_of(closure))->items[i]);
  asy_func *func = asy_func_new(vm, code, (asy_dict *)asy_obj_of(args[2]));
  if (!func) return ASY_FAILED;
  if (name != ASY_NONE) func->name = func->qualname = (asy_str *)asy_obj_of(name);
  if (defaults != ASY_NONE) func->defaults = (asy_tuple *)asy_obj_of(defaults);
  if (closure != ASY_NONE) func->closure = (asy_tuple *)asy_obj_of(closure);
  if (asy_is_kind(kwdefaults, KIND_DICT)) func->kwdefaults = (asy_dict *)asy_obj_of(kwdefaults);
  return asy_from_obj(func);
}

static asy_value func_repr(asy_vm *vm, asy_value self) {
  asy_func *func = (asy_func *)asy_obj_of(self);
  asy_str *s = asy_str_format(vm, "<function %U at %p>", func->qualname, (void *)func);
  return s ? asy_from_obj(s) : ASY_FAILED;
}

static asy_value func_descr_get(asy_vm *vm, asy_value self, asy_value obj, asy_class *owner) {
  (void)owner;
  return obj == ASY_UNBOUND || obj == ASY_NONE ? self : asy_method_new(vm, self, obj);
}

static asy_value func_call(asy_vm *vm, asy_value self, const asy_value *args, int nargs, asy_tuple *kwnames) {
  return asy_call_kw(vm, self, nargs, args, kwnames);
}

#define FUNC_SELF ((asy_func *)asy_obj_of(args[0]))
static asy_value or_none(const void *object) { return object ? asy_from_obj(object) : ASY_NONE; }

static asy_value func_get_defaults(asy_vm *vm, const asy_value *args) { (void)vm; return or_none(FUNC_SELF->defaults); }
static asy_value func_set_defaults(asy_vm *vm, const asy_value *args) {
  bool none = args[1] == ASY_NONE || args[1] == ASY_UNBOUND;
  if (!none && !asy_is_kind(args[1], KIND_TUPLE))
    return asy_raise(vm, ASY_TypeError, "__defaults__ must be set to a tuple object");
  FUNC_SELF->defaults = none ? NULL : (asy_tuple *)asy_obj_of(args[1]);
  asy_barrier(vm, FUNC_SELF);
  return ASY_NONE;
}
static asy_value func_get_kwdefaults(asy_vm *vm, const asy_value *args) { (void)vm; return or_none(FUNC_SELF->kwdefaults); }
static asy_value func_set_kwdefaults(asy_vm *vm, const asy_value *args) {
  bool none = args[1] == ASY_NONE || args[1] == ASY_UNBOUND;
  if (!none && !asy_is_kind(args[1], KIND_DICT))
    return asy_raise(vm, ASY_TypeError, "__kwdefaults__ must be set to a dict object");
  FUNC_SELF->kwdefaults = none ? NULL : (asy_dict *)asy_obj_of(args[1]);
  asy_barrier(vm, FUNC_SELF);
  return ASY_NONE;
}
static asy_value func_set_name(asy_vm *vm, const asy_value *args) {
  if (!asy_is_str(args[1])) return asy_raise(vm, ASY_TypeError, "__name__ must be set to a string object");
  FUNC_SELF->name = (asy_str *)asy_obj_of(args[1]);
  asy_barrier(vm, FUNC_SELF);
  return ASY_NONE;
}
static asy_value func_get_name(asy_vm *vm, const asy_value *args) { (void)vm; return asy_from_obj(FUNC_SELF->name); }
static asy_value func_get_qualname(asy_vm *vm, const asy_value *args) { (void)vm; return asy_from_obj(FUNC_SELF->qualname); }
static asy_value func_set_qualname(asy_vm *vm, const asy_value *args) {
  if (!asy_is_str(args[1])) return asy_raise(vm, ASY_TypeError, "__qualname__ must be set to a string object");
  FUNC_SELF->qualname = (asy_str *)asy_obj_of(args[1]);
  asy_barrier(vm, FUNC_SELF);
  return ASY_NONE;
}
static asy_value func_get_code(asy_vm *vm, const asy_value *args) { (void)vm; return asy_from_obj(FUNC_SELF->code); }
static asy_value func_set_code(asy_vm *vm, const asy_value *args) {
  if (!asy_is_kind(args[1], KIND_CODE)) return asy_raise(vm, ASY_TypeError, "__code__ must be set to a code object");
  asy_code *code = (asy_code *)asy_obj_of(args[1]);
  uint32_t cells = FUNC_SELF->closure ? FUNC_SELF->closure->len : 0;
  if (code->nfreevars != cells)
    return asy_raise(vm, ASY_ValueError, "%U() requires a code object with %u free vars, not %u", FUNC_SELF->name, cells,
                     (unsigned)code->nfreevars);
  FUNC_SELF->code = code;
  asy_barrier(vm, FUNC_SELF);
  return ASY_NONE;
}
static asy_value func_get_annotations(asy_vm *vm, const asy_value *args) {
  asy_func *func = FUNC_SELF;
  if (!func->annotations) {
    asy_dict *dict = asy_dict_new(vm, 0);
    if (!dict) return ASY_FAILED;
    asy_store(vm, func, &func->annotations, asy_from_obj(dict));
  }
  return func->annotations;
}
static asy_value func_set_annotations(asy_vm *vm, const asy_value *args) {
  bool none = args[1] == ASY_NONE || args[1] == ASY_UNBOUND;
  if (!none && !asy_is_kind(args[1], KIND_DICT))
    return asy_raise(vm, ASY_TypeError, "__annotations__ must be set to a dict object");
  asy_store(vm, FUNC_SELF, &FUNC_SELF->annotations, none ? 0 : args[1]);
  return ASY_NONE;
}
static asy_value func_get_type_params(asy_vm *vm, const asy_value *args) {
  return FUNC_SELF->type_params ? FUNC_SELF->type_params : asy_from_obj(vm->empty_tuple);
}
static asy_value func_set_type_params(asy_vm *vm, const asy_value *args) {
  if (!asy_is_kind(args[1], KIND_TUPLE)) return asy_raise(vm, ASY_TypeError, "__type_params__ must be set to a tuple");
  asy_store(vm, FUNC_SELF, &FUNC_SELF->type_params, args[1]);
  return ASY_NONE;
}
#undef FUNC_SELF

static const asy_native func_methods[] = {
    {"__name__", "(self)", func_get_name, "The function's name.", ASY_NATIVE_GETTER},
    {"__name__", "(self, value)", func_set_name, NULL, ASY_NATIVE_SETTER},
    {"__qualname__", "(self)", func_get_qualname, "The name with the places it is nested in.", ASY_NATIVE_GETTER},
    {"__qualname__", "(self, value)", func_set_qualname, NULL, ASY_NATIVE_SETTER},
    {"__code__", "(self)", func_get_code, "The compiled code.", ASY_NATIVE_GETTER},
    {"__code__", "(self, value)", func_set_code, NULL, ASY_NATIVE_SETTER},
    {"__defaults__", "(self)", func_get_defaults, "Defaults of positional parameters.", ASY_NATIVE_GETTER},
    {"__defaults__", "(self, value)", func_set_defaults, NULL, ASY_NATIVE_SETTER},
    {"__kwdefaults__", "(self)", func_get_kwdefaults, "Defaults of keyword-only parameters.", ASY_NATIVE_GETTER},
    {"__kwdefaults__", "(self, value)", func_set_kwdefaults, NULL, ASY_NATIVE_SETTER},
    {"__annotations__", "(self)", func_get_annotations, "Annotations of parameters and result.", ASY_NATIVE_GETTER},
    {"__annotations__", "(self, value)", func_set_annotations, NULL, ASY_NATIVE_SETTER},
    {"__type_params__", "(self)", func_get_type_params, "Type parameters.", ASY_NATIVE_GETTER},
    {"__type_params__", "(self, value)", func_set_type_params, NULL, ASY_NATIVE_SETTER},
    {0},
};
static const asy_member func_members[] = {
    {"__globals__", offsetof(asy_func, globals), MEMBER_OBJECT, false},
    {"__builtins__", offsetof(asy_func, builtins), MEMBER_OBJECT, false},
    {"__closure__", offsetof(asy_func, closure), MEMBER_OBJECT, false},
    {"__module__", offsetof(asy_func, module), MEMBER_VALUE, true},
    {"__doc__", offsetof(asy_func, doc), MEMBER_VALUE, true},
    {0},
};
const asy_type asy_function_type = {
    .name = "function", .size = sizeof(asy_func), .flags = ASY_TYPE_FINAL | ASY_TYPE_ATTRS, .visit = func_visit,
    .new_ = func_new, .new_signature = "(cls, code, globals, name=None, argdefs=None, closure=None, kwdefaults=None)",
    .repr = func_repr, .call = func_call, .descr_get = func_descr_get, .methods = func_methods, .members = func_members,
};

/* ---- Natives ------------------------------------------------------------------------------------------------------- */

asy_value asy_new_native(asy_vm *vm, const asy_native *def, asy_value self, asy_value module_name) {
  asy_str *name = asy_intern(vm, def->name);
  asy_nativefunc *native = name ? asy_new_kind(vm, KIND_NATIVE, sizeof *native) : NULL;
  if (!native) return ASY_FAILED;
  native->def = def;
  native->fn = def->fn;
  native->self = self;
  native->module = module_name;
  native->name = name;
  return asy_from_obj(native);
}

static void native_visit(asy_obj *o, asy_visitor *v) {
  asy_nativefunc *native = (asy_nativefunc *)o;
  asy_visit_value(v, native->self);
  asy_visit_value(v, native->module);
  asy_visit_obj(v, native->owner);
  asy_visit_obj(v, native->name);
  asy_signature *s = native->signature;
  for (uint32_t i = 0; s && i < s->nparams; i++) {
    asy_visit_obj(v, s->names[i]);
    asy_visit_value(v, s->defaults[i]);
  }
}

static void native_free(asy_vm *vm, asy_obj *o) {
  asy_signature *s = ((asy_nativefunc *)o)->signature;
  if (!s) return;
  uint32_t n = s->nparams;
  asy_mem_free(vm, s, sizeof *s + n * (sizeof(asy_str *) + sizeof(asy_value)));
}

static asy_value native_repr(asy_vm *vm, asy_value self) {
  asy_nativefunc *native = (asy_nativefunc *)asy_obj_of(self);
  asy_str *s;
  if (native->owner && native->self == ASY_UNBOUND && !(native->def->flags & ASY_NATIVE_NEW))
    s = asy_str_format(vm, native->name->len > 4 && native->def->name[0] == '_' && native->def->name[1] == '_'
                               ? "<slot wrapper '%U' of '%N' objects>" : "<method '%U' of '%N' objects>",
                       native->name, native->owner);
  else if (native->self != ASY_UNBOUND && !asy_is_kind(native->self, KIND_MODULE))
    s = asy_str_format(vm, "<built-in method %U of %T object at %p>", native->name, native->self,
                       (void *)(uintptr_t)native->self);
  else
    s = asy_str_format(vm, "<built-in function %U>", native->name);
  return s ? asy_from_obj(s) : ASY_FAILED;
}

static asy_value native_call(asy_vm *vm, asy_value self, const asy_value *args, int nargs, asy_tuple *kwnames) {
  return asy_call_kw(vm, self, nargs, args, kwnames);
}

static asy_value native_descr_get(asy_vm *vm, asy_value self, asy_value obj, asy_class *owner) {
  (void)owner;
  asy_nativefunc *native = (asy_nativefunc *)asy_obj_of(self);
  if (!native->owner || native->def->flags & ASY_NATIVE_NEW || obj == ASY_UNBOUND) return self;
  return asy_method_new(vm, self, obj);
}

#define NATIVE_SELF ((asy_nativefunc *)asy_obj_of(args[0]))
static asy_value native_get_qualname(asy_vm *vm, const asy_value *args) {
  asy_nativefunc *native = NATIVE_SELF;
  if (!native->owner) return asy_from_obj(native->name);
  asy_str *s = asy_str_format(vm, "%N.%U", native->owner, native->name);
  return s ? asy_from_obj(s) : ASY_FAILED;
}
static asy_value native_get_doc(asy_vm *vm, const asy_value *args) {
  return NATIVE_SELF->def->doc ? asy_from_cstr(vm, NATIVE_SELF->def->doc) : ASY_NONE;
}
static asy_value native_get_self(asy_vm *vm, const asy_value *args) {
  asy_nativefunc *native = NATIVE_SELF;
  if (native->self != ASY_UNBOUND) return native->self;
  if (native->owner)
    return asy_raise(vm, ASY_AttributeError, "'method_descriptor' object has no attribute '__self__'");
  return ASY_NONE;
}
static asy_value native_get_text_signature(asy_vm *vm, const asy_value *args) {
  return asy_from_cstr(vm, NATIVE_SELF->def->signature);
}
#undef NATIVE_SELF

static const asy_native native_methods[] = {
    {"__qualname__", "(self)", native_get_qualname, "Name with the class.", ASY_NATIVE_GETTER},
    {"__doc__", "(self)", native_get_doc, "What it does.", ASY_NATIVE_GETTER},
    {"__self__", "(self)", native_get_self, "What it is bound to.", ASY_NATIVE_GETTER},
    {"__text_signature__", "(self)", native_get_text_signature, "Its parameters as text.", ASY_NATIVE_GETTER},
    {0},
};
static const asy_member native_members[] = {
    {"__name__", offsetof(asy_nativefunc, name), MEMBER_OBJECT, false},
    {"__module__", offsetof(asy_nativefunc, module), MEMBER_VALUE, true},
    {"__objclass__", offsetof(asy_nativefunc, owner), MEMBER_OBJECT, false},
    {0},
};
const asy_type asy_nativefunc_type = {
    .name = "builtin_function_or_method", .size = sizeof(asy_nativefunc), .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW,
    .visit = native_visit, .free = native_free, .repr = native_repr, .call = native_call, .descr_get = native_descr_get,
    .methods = native_methods, .members = native_members,
};

/* ---- Signatures of natives: "(self, item, /, *, key=None)" ---------------------------------------------------------- */

typedef struct {
  asy_vm *vm;
  const char *at;
} signature_reader;

static void skip_spaces(signature_reader *r) {
  while (*r->at == ' ') r->at++;
}

static bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool starts_with(const char *text, const char *word, signature_reader *r) {
  size_t n = strlen(word);
  if (strncmp(text, word, n) != 0 || is_name_char(text[n])) return false;
  r->at += n;
  return true;
}

/* The default written at r; a literal as object.h lists them. */
static asy_value read_default(signature_reader *r) {
  const char *at = r->at;
  if (*at == '?') {
    r->at++;
    return ASY_UNBOUND;
  }
  if (starts_with(at, "None", r)) return ASY_NONE;
  if (starts_with(at, "True", r)) return ASY_TRUE;
  if (starts_with(at, "False", r)) return ASY_FALSE;
  if (at[0] == '(' && at[1] == ')') {
    r->at += 2;
    return asy_from_obj(r->vm->empty_tuple);
  }
  if (at[0] == 'b' && (at[1] == '\'' || at[1] == '"')) {
    const char *end = strchr(at + 2, at[1]);
    r->at = end + 1;
    return asy_from_bytes(r->vm, at + 2, (size_t)(end - at - 2));
  }
  if (*at == '\'' || *at == '"') {
    char text[32];
    size_t n = 0;
    const char *p = at + 1;
    for (; *p != *at; p++) {
      if (*p == '\\') {
        p++;
        text[n++] = *p == 'n' ? '\n' : *p == 't' ? '\t' : *p;
      } else {
        text[n++] = *p;
      }
    }
    r->at = p + 1;
    return asy_from_text(r->vm, text, n);
  }
  char *end;
  long long i = strtoll(at, &end, 0);
  if (*end == '.' || *end == 'e') {
    double d = strtod(at, &end);
    r->at = end;
    return asy_from_double(r->vm, d);
  }
  r->at = end > at ? end : at + strcspn(at, ",)"); /* another word: shown, but passed as UNBOUND */
  return end > at ? asy_from_int64(r->vm, i) : ASY_UNBOUND;
}

static uint32_t count_parameters(const char *text) {
  uint32_t n = 1;
  for (; *text; text++) n += *text == ',';
  return n;
}

asy_signature *asy_native_signature(asy_vm *vm, asy_nativefunc *native) {
  if (native->signature) return native->signature;
  const char *text = native->def->signature;
  uint32_t cap = count_parameters(text);
  asy_str *names[64];
  asy_value defaults[64];
  asy_signature draft = {.varargs = -1, .varkw = -1};
  if (cap > 64 || text[0] != '(') {
    asy_raise(vm, ASY_SystemError, "native %s: bad signature %s", native->def->name, text);
    return NULL;
  }
  signature_reader r = {vm, text + 1};
  bool keyword_only = false, slash = false, optional = false;
  for (skip_spaces(&r); *r.at && *r.at != ')'; skip_spaces(&r)) {
    if (*r.at == '/') {
      draft.nposonly = draft.nparams;
      slash = true;
      r.at++;
    } else if (*r.at == '*' && (r.at[1] == ',' || r.at[1] == ' ')) {
      keyword_only = true;
      r.at++;
    } else {
      int stars = 0;
      while (*r.at == '*') {
        stars++;
        r.at++;
      }
      const char *name = r.at;
      while (is_name_char(*r.at)) r.at++;
      char buffer[64];
      size_t length = (size_t)(r.at - name) < sizeof buffer ? (size_t)(r.at - name) : sizeof buffer - 1;
      memcpy(buffer, name, length);
      buffer[length] = 0;
      uint32_t i = draft.nparams++;
      names[i] = asy_intern(vm, buffer);
      if (!names[i]) return NULL;
      defaults[i] = 0;
      if (stars == 1) {
        draft.varargs = (int16_t)i;
        keyword_only = true;
      } else if (stars == 2) {
        draft.varkw = (int16_t)i;
      } else if (keyword_only) {
        draft.nkwonly++;
      } else {
        draft.npos++;
      }
      skip_spaces(&r);
      if (*r.at == '=') {
        r.at++;
        skip_spaces(&r);
        defaults[i] = read_default(&r);
        if (defaults[i] == ASY_FAILED) return NULL;
        optional = true;
      } else if (!stars && !keyword_only) {
        draft.nrequired++;
      }
    }
    skip_spaces(&r);
    if (*r.at == ',') r.at++;
  }
  (void)slash;
  draft.exact = !optional && !draft.nkwonly && draft.varargs < 0 && draft.varkw < 0;
  uint32_t n = draft.nparams;
  asy_signature *s = asy_mem_alloc(vm, sizeof *s + n * (sizeof *names + sizeof *defaults));
  if (!s) return NULL;
  *s = draft;
  s->defaults = (asy_value *)(s + 1);
  s->names = (asy_str **)(s->defaults + n);
  memcpy(s->defaults, defaults, n * sizeof *defaults);
  memcpy(s->names, names, n * sizeof *names);
  native->signature = s;
  asy_barrier(vm, native);
  return s;
}

/* ---- Bound methods ------------------------------------------------------------------------------------------------- */

asy_value asy_method_new(asy_vm *vm, asy_value func, asy_value self) {
  asy_method *method = asy_new_kind(vm, KIND_METHOD, sizeof *method);
  if (!method) return ASY_FAILED;
  method->func = func;
  method->self = self;
  return asy_from_obj(method);
}

static void method_visit(asy_obj *o, asy_visitor *v) {
  asy_visit_value(v, ((asy_method *)o)->func);
  asy_visit_value(v, ((asy_method *)o)->self);
}

static asy_value method_new(asy_vm *vm, const asy_value *args) {
  if (!asy_callable(vm, args[1])) return asy_raise(vm, ASY_TypeError, "first argument must be callable");
  if (args[2] == ASY_NONE) return asy_raise(vm, ASY_TypeError, "instance must not be None");
  return asy_method_new(vm, args[1], args[2]);
}

static asy_value method_repr(asy_vm *vm, asy_value self) {
  asy_method *method = (asy_method *)asy_obj_of(self);
  asy_str *s;
  if (asy_is_kind(method->func, KIND_NATIVE)) {
    s = asy_str_format(vm, "<built-in method %U of %T object at %p>",
                       ((asy_nativefunc *)asy_obj_of(method->func))->name, method->self, (void *)(uintptr_t)method->self);
  } else {
    asy_value name;
    if (asy_find_attr(vm, method->func, ASY_NAME(vm, __qualname__), &name) <= 0 || !asy_is_str(name)) {
      if (asy_raised(vm)) return ASY_FAILED;
      s = asy_str_format(vm, "<bound method ? of %R>", method->self);
    } else {
      s = asy_str_format(vm, "<bound method %S of %R>", name, method->self);
    }
  }
  return s ? asy_from_obj(s) : ASY_FAILED;
}

static bool method_hash(asy_vm *vm, asy_value self, int64_t *out) {
  asy_method *method = (asy_method *)asy_obj_of(self);
  int64_t a = 0, b;
  asy_value object = asy_is_obj(method->self) ? asy_from_small((int64_t)(method->self >> 4)) : method->self;
  if (!asy_hash(vm, object, &a) || !asy_hash(vm, method->func, &b)) return false;
  *out = a ^ b;
  if (*out == -1) *out = -2;
  return true;
}

static asy_value method_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op) {
  if (!asy_is_kind(other, KIND_METHOD) || (op != COMPARE_EQ && op != COMPARE_NE)) return ASY_NOT_IMPLEMENTED;
  asy_method *a = (asy_method *)asy_obj_of(self), *b = (asy_method *)asy_obj_of(other);
  int equal = a->self == b->self ? asy_equal(vm, a->func, b->func) : 0;
  if (equal < 0) return ASY_FAILED;
  return asy_from_bool(equal == (op == COMPARE_EQ));
}

static asy_value method_call(asy_vm *vm, asy_value self, const asy_value *args, int nargs, asy_tuple *kwnames) {
  return asy_call_kw(vm, self, nargs, args, kwnames);
}

/* Attributes of a bound method are those of its function, but for its own. */
static asy_value method_get_attr(asy_vm *vm, asy_value self, asy_str *name) {
  asy_lookup *record = asy_class_lookup(vm, vm->classes[KIND_METHOD], name);
  if (!record) return ASY_FAILED;
  if (record->kind != LOOKUP_ABSENT && name != ASY_NAME(vm, __doc__)) return asy_generic_get_attr(vm, self, name);
  return asy_get_attr(vm, ((asy_method *)asy_obj_of(self))->func, name);
}

static const asy_member method_members[] = {
    {"__func__", offsetof(asy_method, func), MEMBER_VALUE, false},
    {"__self__", offsetof(asy_method, self), MEMBER_VALUE, false},
    {0},
};
const asy_type asy_method_type = {
    .name = "method", .size = sizeof(asy_method), .flags = ASY_TYPE_FINAL, .visit = method_visit,
    .new_ = method_new, .new_signature = "(cls, function, instance, /)", .repr = method_repr, .hash = method_hash,
    .compare = method_compare, .call = method_call, .get_attr = method_get_attr, .members = method_members,
};
