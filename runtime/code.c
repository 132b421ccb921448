/* code.c - code objects: made from compiled units, their tables, positions and attributes. */
#include "lang/opcode.h"
#include "runtime/class.h"
#include "runtime/func.h"
#include "runtime/number.h"
#include "runtime/types/bytes.h"
#include "runtime/types/sequence.h"

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
  if (v == ASY_FAILED && asy_raised_is(vm, ASY_ValueError)) { /* more digits than are allowed */
    asy_value why = asy_take_exception(vm);
    return asy_raise(vm, ASY_SyntaxError,
                     "%S - Consider hexadecimal for huge integer literals to avoid decimal conversion limits.", why);
  }
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
  while (low && asy_is_mark(&code->positions[low - 1])) low--;
  return low ? code->positions[low - 1] : (asy_position){0};
}

uint32_t asy_code_row(const asy_code *code, uint32_t word) {
  uint32_t low = 0, high = code->npositions;
  while (low < high) {
    uint32_t mid = (low + high) / 2;
    if (code->positions[mid].word < word) low = mid + 1;
    else high = mid;
  }
  return low;
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

/* ---- Attributes ---- */

#define CODE_SELF ((asy_code *)asy_obj_of(args[0]))
/* The bodies of modules and classes have one register filled by their caller, which is no parameter. */
static asy_value code_get_argcount(asy_vm *vm, const asy_value *args) {
  return asy_from_small(CODE_SELF->flags & CODE_OPTIMIZED ? CODE_SELF->argcount : 0);
}
static asy_value code_get_posonly(asy_vm *vm, const asy_value *args) { return asy_from_small(CODE_SELF->posonly); }
static asy_value code_get_kwonly(asy_vm *vm, const asy_value *args) { return asy_from_small(CODE_SELF->kwonly); }
static asy_value code_get_stacksize(asy_vm *vm, const asy_value *args) { return asy_from_small(CODE_SELF->nregs); }
static asy_value code_get_flags(asy_vm *vm, const asy_value *args) { return asy_from_small(CODE_SELF->flags & 0xffff); }

/* Names of locals that are in their registers, or of those that inner functions share. */
static asy_value local_names(asy_vm *vm, const asy_code *code, bool cells) {
  uint32_t nparams = code->argcount + code->kwonly + !!(code->flags & CODE_VARARGS) +
                     !!(code->flags & CODE_VARKEYWORDS);
  asy_str **names = code->varnames;
  asy_tuple *tuple = asy_tuple_new(vm, NULL, code->nlocals);
  if (!tuple) return ASY_FAILED;
  uint32_t count = 0;
  for (uint32_t i = 0; i < code->nlocals; i++)
    if (names[i]->len && (cells ? code->is_cell[i] : i < nparams || !code->is_cell[i]))
      tuple->items[count++] = asy_from_obj(names[i]);
  return asy_object_or_failed(count == code->nlocals ? tuple : asy_tuple_new(vm, tuple->items, count));
}
static asy_value code_get_varnames(asy_vm *vm, const asy_value *args) { return local_names(vm, CODE_SELF, false); }
static asy_value code_get_cellvars(asy_vm *vm, const asy_value *args) { return local_names(vm, CODE_SELF, true); }
static asy_value code_get_nlocals(asy_vm *vm, const asy_value *args) {
  asy_value names = local_names(vm, CODE_SELF, false);
  return asy_failed(names) ? ASY_FAILED : asy_from_small(((asy_tuple *)asy_obj_of(names))->len);
}
static asy_value code_get_freevars(asy_vm *vm, const asy_value *args) {
  asy_tuple *tuple = asy_tuple_new(vm, NULL, CODE_SELF->nfreevars);
  for (uint32_t i = 0; tuple && i < CODE_SELF->nfreevars; i++) tuple->items[i] = asy_from_obj(CODE_SELF->freevars[i]);
  return asy_object_or_failed(tuple);
}
static asy_value code_get_names(asy_vm *vm, const asy_value *args) {
  asy_dict *names = asy_dict_new(vm, 0); /* each once, in order */
  for (uint32_t i = 0; names && i < CODE_SELF->nsites; i++)
    if (!asy_dict_set_str(vm, names, CODE_SELF->site_names[i], ASY_NONE)) return ASY_FAILED;
  asy_list *list = names ? asy_list_from_iterable(vm, asy_from_obj(names)) : NULL;
  return list ? asy_object_or_failed(asy_list_to_tuple(vm, list)) : ASY_FAILED;
}
static asy_value code_get_consts(asy_vm *vm, const asy_value *args) {
  return asy_object_or_failed(asy_tuple_new(vm, CODE_SELF->constants, CODE_SELF->nconstants));
}
static asy_value code_get_code(asy_vm *vm, const asy_value *args) {
  return asy_from_bytes(vm, CODE_SELF->words, CODE_SELF->nwords * sizeof *CODE_SELF->words);
}
static asy_value code_get_empty(asy_vm *vm, const asy_value *args) { return asy_from_bytes(vm, "", 0); }

/* Rows of a table, as an iterator. */
static asy_value iterate(asy_vm *vm, asy_list *rows) { return rows ? asy_iter(vm, asy_from_obj(rows)) : ASY_FAILED; }

static asy_value position_item(int64_t i) { return i ? asy_from_small(i) : ASY_NONE; }

/* (start, end, line) of each stretch of one line; offsets count two a word, as f_lasti does. */
static asy_value code_lines(asy_vm *vm, const asy_value *args) {
  const asy_code *code = CODE_SELF;
  asy_list *rows = asy_list_new(vm, code->npositions);
  for (uint32_t i = 0; rows && i < code->npositions;) {
    uint32_t first = i;
    int32_t line = code->positions[i].line;
    bool mark = asy_is_mark(&code->positions[i++]); /* nothing from its word to its word */
    while (!mark && i < code->npositions && code->positions[i].line == line && !asy_is_mark(&code->positions[i])) i++;
    uint32_t end = mark ? code->positions[first].word : i < code->npositions ? code->positions[i].word : code->nwords;
    asy_value row = asy_tuple_of(vm, 3, asy_from_small((int64_t)code->positions[first].word * 2),
                                 asy_from_small((int64_t)end * 2), position_item(line));
    if (asy_failed(row) || !asy_list_append(vm, rows, row)) return ASY_FAILED;
  }
  return iterate(vm, rows);
}

/* (line, end_line, column, end_column) of each word. */
static asy_value code_positions(asy_vm *vm, const asy_value *args) {
  const asy_code *code = CODE_SELF;
  asy_list *rows = asy_list_new(vm, code->nwords);
  for (uint32_t word = 0; rows && word < code->nwords; word++) {
    asy_position at = asy_code_position(code, word + 1);
    asy_value row = asy_tuple_of(vm, 4, position_item(at.line), position_item(at.end_line),
                                 at.line ? asy_from_small(at.col) : ASY_NONE,
                                 at.line ? asy_from_small(at.end_col) : ASY_NONE);
    if (asy_failed(row) || !asy_list_append(vm, rows, row)) return ASY_FAILED;
  }
  return iterate(vm, rows);
}

/* ---- replace() ---- */

static void *copied(asy_vm *vm, bool *ok, const void *from, size_t size) {
  void *copy = copy_table(vm, from, size);
  if (!copy) *ok = false;
  return copy;
}

static asy_code *code_copy(asy_vm *vm, const asy_code *from) {
  asy_code *code = asy_new_kind(vm, KIND_CODE, sizeof *code);
  bool ok = true;
  if (!code) return NULL;
  memcpy((char *)code + sizeof code->head, (const char *)from + sizeof from->head, sizeof *code - sizeof code->head);
  code->words = NULL; /* until they are its own */
  code->handlers = NULL, code->positions = NULL, code->is_cell = NULL, code->varnames = code->freevars = NULL;
  code->constants = NULL, code->ics = NULL, code->site_names = NULL;
  code->nlocals = code->nfreevars = 0;
  code->nsites = code->nconstants = 0;
  code->prev_code = NULL;
  code->next_code = vm->code_list;
  if (vm->code_list) vm->code_list->prev_code = code;
  vm->code_list = code;
  code->words = copied(vm, &ok, from->words, from->nwords * sizeof *from->words);
  code->handlers = copied(vm, &ok, from->handlers, from->nhandlers * sizeof *from->handlers);
  code->positions = copied(vm, &ok, from->positions, from->npositions * sizeof *from->positions);
  code->is_cell = copied(vm, &ok, from->is_cell, from->nlocals * sizeof *from->is_cell);
  code->varnames = copied(vm, &ok, from->varnames, from->nlocals * sizeof *from->varnames);
  code->freevars = copied(vm, &ok, from->freevars, from->nfreevars * sizeof *from->freevars);
  code->constants = copied(vm, &ok, from->constants, (from->nconstants + 1) * sizeof *from->constants);
  code->ics = copied(vm, &ok, from->ics, (from->nsites + 1) * sizeof *from->ics);
  code->site_names = copied(vm, &ok, from->site_names, (from->nsites + 1) * sizeof *from->site_names);
  code->nlocals = from->nlocals;
  code->nfreevars = from->nfreevars;
  code->nsites = from->nsites;
  code->nconstants = from->nconstants;
  if (!ok) return NULL;
  asy_barrier(vm, code);
  return code;
}

static bool replace_text(asy_vm *vm, asy_code *code, asy_str **place, const char *name, asy_value value) {
  if (!asy_is_str(value))
    return asy_raise(vm, ASY_TypeError, "replace() argument '%s' must be str, not %T", name, value), false;
  asy_str *text = asy_str_intern(vm, (asy_str *)asy_obj_of(value));
  if (text) *place = text;
  asy_barrier(vm, code);
  return text;
}

static bool replace_line(asy_vm *vm, asy_code *code, asy_value value) {
  int line;
  if (!asy_to_int(vm, value, 0, INT32_MAX, &line)) return false;
  int32_t moved = line - code->first_line;
  for (uint32_t i = 0; i < code->npositions; i++)
    if (code->positions[i].line) {
      if (!asy_is_mark(&code->positions[i])) code->positions[i].end_line += moved;
      code->positions[i].line += moved;
    }
  code->first_line = line;
  return true;
}

static bool replace_constants(asy_vm *vm, asy_code *code, asy_value value) {
  if (!asy_is_kind(value, KIND_TUPLE))
    return asy_raise(vm, ASY_TypeError, "co_consts must be tuple, not %T", value), false;
  const asy_tuple *items = (const asy_tuple *)asy_obj_of(value);
  if (items->len != code->nconstants)
    return asy_raise(vm, ASY_ValueError, "code: co_consts must keep its %u items", code->nconstants), false;
  for (uint32_t i = 0; i < items->len; i++) asy_store(vm, code, &code->constants[i], items->items[i]);
  return true;
}

static bool replace_free(asy_vm *vm, asy_code *code, asy_value value) {
  const asy_tuple *names = asy_is_kind(value, KIND_TUPLE) ? (const asy_tuple *)asy_obj_of(value) : NULL;
  if (!names || names->len != code->nfreevars)
    return asy_raise(vm, ASY_ValueError, "code: co_freevars must keep its %u names", code->nfreevars), false;
  for (uint32_t i = 0; i < names->len; i++)
    if (!replace_text(vm, code, &code->freevars[i], "co_freevars", names->items[i])) return false;
  return true;
}

/* (self, /, **kwargs): a copy; what the words depend on can only be given as it is. */
static asy_value code_replace(asy_vm *vm, const asy_value *args) {
  asy_code *code = code_copy(vm, CODE_SELF);
  if (!code) return ASY_FAILED;
  asy_value key, value;
  asy_dict *given = (asy_dict *)asy_obj_of(args[1]);
  for (uint32_t at = 0; asy_dict_next(given, &at, &key, &value);) {
    asy_str *name = (asy_str *)asy_obj_of(key);
    bool done;
    if (asy_str_equal_cstr(name, "co_name")) done = replace_text(vm, code, &code->name, "co_name", value);
    else if (asy_str_equal_cstr(name, "co_qualname"))
      done = replace_text(vm, code, &code->qualname, "co_qualname", value);
    else if (asy_str_equal_cstr(name, "co_filename"))
      done = replace_text(vm, code, &code->filename, "co_filename", value);
    else if (asy_str_equal_cstr(name, "co_firstlineno")) done = replace_line(vm, code, value);
    else if (asy_str_equal_cstr(name, "co_consts")) done = replace_constants(vm, code, value);
    else if (asy_str_equal_cstr(name, "co_freevars")) done = replace_free(vm, code, value);
    else if (asy_str_equal_cstr(name, "co_flags")) {
      int64_t flags;
      enum { CHANGEABLE = CODE_ITERABLE_COROUTINE | CODE_NESTED | 0x40 };
      done = asy_to_int64(vm, value, &flags);
      if (done && ((uint32_t)flags ^ code->flags) & 0xffff & ~(uint32_t)CHANGEABLE)
        return asy_raise(vm, ASY_ValueError, "code: these co_flags cannot be changed");
      if (done) code->flags = (code->flags & ~(uint32_t)CHANGEABLE) | ((uint32_t)flags & CHANGEABLE);
    } else {
      asy_value current;
      int found = asy_find_attr(vm, args[0], name, &current);
      int same = found > 0 ? asy_equal(vm, current, value) : found;
      if (!found) return asy_raise(vm, ASY_TypeError, "replace() got an unexpected keyword argument '%U'", name);
      done = same > 0;
      if (!same) return asy_raise(vm, ASY_ValueError, "code: %U cannot be changed", name);
    }
    if (!done) return ASY_FAILED;
  }
  return asy_from_obj(code);
}
#undef CODE_SELF

static bool same_words(const asy_code *a, const asy_code *b) {
  if (a->nwords != b->nwords || a->npositions != b->npositions) return false;
  for (uint32_t i = 0; i < a->nwords; i++) {
    if (a->words[i] >> 8 != b->words[i] >> 8) return false;
    if (asy_op_words(asy_op_table[ASY_WORD_OP(a->words[i])].format) == 2 && a->words[i + 1] != b->words[i + 1])
      return false;
    i += asy_op_words(asy_op_table[ASY_WORD_OP(a->words[i])].format) - 1;
  }
  return !memcmp(a->positions, b->positions, a->npositions * sizeof *a->positions);
}

/* Two codes are equal when the same text at the same place made them: opcodes are rewritten while a program runs. */
static asy_value code_compare(asy_vm *vm, asy_value self, asy_value other, asy_compare_op op) {
  if (!asy_is_kind(other, KIND_CODE) || (op != COMPARE_EQ && op != COMPARE_NE)) return ASY_NOT_IMPLEMENTED;
  const asy_code *a = (const asy_code *)asy_obj_of(self), *b = (const asy_code *)asy_obj_of(other);
  bool equal = a == b || (a->name == b->name && a->first_line == b->first_line && a->flags == b->flags &&
                          a->argcount == b->argcount && a->kwonly == b->kwonly && a->nlocals == b->nlocals &&
                          a->nconstants == b->nconstants && a->nsites == b->nsites && same_words(a, b));
  for (uint32_t i = 0; equal && a != b && i < a->nconstants; i++) {
    int same = asy_type_of(vm, a->constants[i]) == asy_type_of(vm, b->constants[i])
                 ? asy_equal(vm, a->constants[i], b->constants[i])
                 : 0;
    if (same < 0) return ASY_FAILED;
    equal = same;
  }
  for (uint32_t i = 0; equal && i < a->nsites; i++) equal = a->site_names[i] == b->site_names[i];
  return asy_from_bool(equal == (op == COMPARE_EQ));
}

static bool code_hash(asy_vm *vm, asy_value self, int64_t *out) {
  const asy_code *code = (const asy_code *)asy_obj_of(self);
  if (!asy_hash(vm, asy_from_obj(code->name), out)) return false;
  *out = (*out ^ code->first_line ^ ((int64_t)code->nwords << 20)) & INT64_C(0x0fffffffffffffff);
  return true;
}

static const asy_native code_methods[] = {
  {"co_argcount", SIG("(self)"), code_get_argcount, DOC("Number of positional parameters."), ASY_NATIVE_GETTER},
  {"co_posonlyargcount", SIG("(self)"), code_get_posonly, DOC("Number of positional-only parameters."),
   ASY_NATIVE_GETTER},
  {"co_kwonlyargcount", SIG("(self)"), code_get_kwonly, DOC("Number of keyword-only parameters."), ASY_NATIVE_GETTER},
  {"co_nlocals", SIG("(self)"), code_get_nlocals, DOC("Number of local variables."), ASY_NATIVE_GETTER},
  {"co_stacksize", SIG("(self)"), code_get_stacksize, DOC("Number of registers."), ASY_NATIVE_GETTER},
  {"co_flags", SIG("(self)"), code_get_flags, DOC("CO_ bits."), ASY_NATIVE_GETTER},
  {"co_varnames", SIG("(self)"), code_get_varnames, DOC("Names of parameters and locals."), ASY_NATIVE_GETTER},
  {"co_freevars", SIG("(self)"), code_get_freevars, DOC("Names of free variables."), ASY_NATIVE_GETTER},
  {"co_cellvars", SIG("(self)"), code_get_cellvars, DOC("Names of locals that inner functions use."),
   ASY_NATIVE_GETTER},
  {"co_names", SIG("(self)"), code_get_names, DOC("Names used besides locals."), ASY_NATIVE_GETTER},
  {"co_consts", SIG("(self)"), code_get_consts, DOC("Constants."), ASY_NATIVE_GETTER},
  {"co_code", SIG("(self)"), code_get_code, DOC("The instructions, four bytes a word."), ASY_NATIVE_GETTER},
  {"co_linetable", SIG("(self)"), code_get_empty, DOC("Empty: see co_positions()."), ASY_NATIVE_GETTER},
  {"co_exceptiontable", SIG("(self)"), code_get_empty, DOC("Empty: dis shows the handlers."), ASY_NATIVE_GETTER},
  {"co_lines", SIG("(self)"), code_lines, DOC("Iterator of (start, end, line)."), 0},
  {"co_positions", SIG("(self)"), code_positions, DOC("Iterator of (line, end line, column, end column) of each word."),
   0},
  {"replace", SIG("(self, /, **changes)"), code_replace, DOC("A copy with other values for some fields."), 0},
  {"__replace__", SIG("(self, /, **changes)"), code_replace, DOC("The same as replace()."), 0},
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
  .hash = code_hash,
  .compare = code_compare,
  .methods = code_methods,
  .members = code_members,
};
