/* code.c - code objects: made from compiled units, their tables, positions and attributes. */
#include "runtime/class.h"
#include "runtime/func.h"
#include "runtime/number.h"
#include "runtime/types/bytes.h"

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

static asy_str **intern_all(asy_vm *vm, asy_code *code, const char *const *names, uint32_t n, asy_str ***place,
                            uint16_t *count) {
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
  bool plain = !(unit->flags & (CODE_VARARGS | CODE_VARKEYWORDS | CODE_GENERATOR | CODE_ASYNC_GENERATOR)) &&
               !unit->kwonly;
  code->simple = plain && !(unit->flags & CODE_COROUTINE);
  code->simple_async = plain && (unit->flags & CODE_COROUTINE);
  return code;
}

asy_position asy_code_position(const asy_code *code, uint32_t word) {
  uint32_t low = 0, high = code->npositions;
  if (word) word--;
  while (low < high) { /* the last row that starts at or before word */
    uint32_t mid = (low + high) / 2;
    if (code->positions[mid].word <= word) low = mid + 1;
    else high = mid;
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
  if (code->prev_code) code->prev_code->next_code = code->next_code;
  else vm->code_list = code->next_code;
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
  asy_str *s = asy_str_format(vm, "<code object %U at %p, file \"%U\", line %d>", code->name, (void *)code,
                              code->filename, code->first_line);
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
static asy_value code_get_argcount(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return asy_from_small(CODE_SELF->argcount);
}
static asy_value code_get_posonly(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return asy_from_small(CODE_SELF->posonly);
}
static asy_value code_get_kwonly(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return asy_from_small(CODE_SELF->kwonly);
}
static asy_value code_get_nlocals(asy_vm *vm, const asy_value *args) {
  (void)vm;
  return asy_from_small(CODE_SELF->nlocals);
}
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
  .name = "code",
  .size = sizeof(asy_code),
  .flags = ASY_TYPE_FINAL | ASY_TYPE_NO_NEW,
  .visit = code_visit,
  .free = code_free,
  .repr = code_repr,
  .methods = code_methods,
  .members = code_members,
};
