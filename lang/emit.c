/* emit.c - instructions, labels, registers, tables. */
#include "lang/emit.h"

#include <stdlib.h>
#include <string.h>

#define NOWHERE UINT32_MAX

/* Room for one more item in an array that the emitter owns; false and sticky when memory runs out. */
static bool grow(asy_emitter *e, void *array, uint32_t count, uint32_t *cap, size_t size) {
  if (count < *cap) return true;
  if (e->oom) return false;
  uint32_t wanted = *cap ? *cap * 2 : 32;
  void **slot = array;
  void *items = realloc(*slot, wanted * size);
  if (!items) return e->oom = true, false;
  *slot = items;
  *cap = wanted;
  return true;
}
#define GROW(e, array, count) grow(e, &(e)->array, (e)->count, &(e)->array##_cap, sizeof *(e)->array)

void asy_emit_init(asy_emitter *e, asy_arena *arena) {
  *e = (asy_emitter){.arena = arena};
  asy_emit_reset(e);
}

void asy_emit_reset(asy_emitter *e) {
  e->nwords = e->nlabels = e->nfixes = e->nhandlers = e->npositions = e->nconstants = e->nnames = e->nsites = 0;
  if (e->constant_table) memset(e->constant_table, 0, e->constant_table_size * sizeof *e->constant_table);
  if (e->name_table) memset(e->name_table, 0, e->name_table_size * sizeof *e->name_table);
  e->top = e->max = 0;
  e->failure = NULL;
  e->failure_at = (asy_position){0};
  e->reachable = true;
  e->bound_at = NOWHERE;
  e->bound = e->may_be_unbound = (asy_bound_set){0};
}

void asy_emit_fail(asy_emitter *e, const char *message) {
  if (e->failure) return;
  e->failure = message;
  if (e->npositions) e->failure_at = e->positions[e->npositions - 1];
}

void asy_emit_free(asy_emitter *e) {
  free(e->words);
  free(e->labels);
  free(e->fixes);
  free(e->handlers);
  free(e->handler_labels);
  free(e->positions);
  free(e->constants);
  free(e->names);
  free(e->sites);
  free(e->constant_table);
  free(e->name_table);
}

/* --- Instructions ---------------------------------------------------------------------------------------------------- */

static void add_word(asy_emitter *e, uint32_t word) {
  if (GROW(e, words, nwords)) e->words[e->nwords++] = word;
}

static uint16_t clamp16(uint32_t n) { return n > UINT16_MAX ? UINT16_MAX : (uint16_t)n; }

static void locate(asy_emitter *e, const asy_node *at) {
  asy_position p = {.word = e->nwords};
  if (at) {
    p.line = (int32_t)at->line;
    p.end_line = (int32_t)at->end_line;
    p.col = clamp16(at->col);
    p.end_col = clamp16(at->end_col);
  }
  uint32_t rows = e->npositions;
  while (rows && asy_is_mark(&e->positions[rows - 1])) rows--;
  if (rows) {
    asy_position *last = &e->positions[rows - 1];
    if (last->line == p.line && last->col == p.col && last->end_line == p.end_line && last->end_col == p.end_col)
      return;
    if (last->word == p.word) {
      *last = p;
      return;
    }
  }
  if (GROW(e, positions, npositions)) e->positions[e->npositions++] = p;
}

static void insert_mark(asy_emitter *e, uint32_t word, uint16_t always, const asy_node *at) {
  if (!GROW(e, positions, npositions)) return;
  uint32_t i = e->npositions++;
  for (; i && e->positions[i - 1].word > word; i--) e->positions[i] = e->positions[i - 1];
  e->positions[i] = (asy_position){.word = word, .line = (int32_t)at->line, .col = always};
}

void asy_emit_mark(asy_emitter *e, const asy_node *at) {
  if (e->reachable) insert_mark(e, e->nwords, e->bound_at == e->nwords, at);
}

void asy_emit_mark_jumps(asy_emitter *e, const asy_node *at, asy_label target, uint32_t fixes) {
  if (e->oom) return;
  for (uint32_t f = e->labels[target.id].fixes; f != NOWHERE && f >= fixes; f = e->fixes[f].next)
    if (!e->fixes[f].one_word) insert_mark(e, e->fixes[f].word + 1, 0, at);
}

static void after(asy_emitter *e, asy_op op) {
  if (asy_op_table[op].effects & EFFECT_ENDS) e->reachable = false;
}

static uint32_t word_abc(asy_op op, int a, int b, int c) {
  return (uint32_t)op | (uint32_t)(a & 0xff) << 8 | (uint32_t)(b & 0xff) << 16 | (uint32_t)(c & 0xff) << 24;
}

void asy_emit(asy_emitter *e, const asy_node *at, asy_op op, int a, int b, int c) {
  assert(asy_op_table[op].format <= FORMAT_ABC);
  assert(e->failure || (a >= 0 && a <= 255));
  if (!e->reachable) return;
  locate(e, at);
  add_word(e, word_abc(op, a, b, c));
  after(e, op);
}

void asy_emit_bx(asy_emitter *e, const asy_node *at, asy_op op, int a, int32_t bx) {
  assert(asy_op_table[op].format == FORMAT_ABX);
  if (!e->reachable) return;
  if (bx > UINT16_MAX) asy_emit_fail(e, "too many constants or variables in one block");
  locate(e, at);
  add_word(e, (uint32_t)op | (uint32_t)(a & 0xff) << 8 | (uint32_t)bx << 16);
}

void asy_emit_x(asy_emitter *e, const asy_node *at, asy_op op, int a, int b, int c, uint32_t x) {
  assert(asy_op_words(asy_op_table[op].format) == 2);
  if (!e->reachable) return;
  locate(e, at);
  add_word(e, word_abc(op, a, b, c));
  add_word(e, x);
  after(e, op);
}

/* --- Labels ------------------------------------------------------------------------------------------------------------ */

static void meet(asy_bound_set *into, const asy_bound_set *other) {
  for (int i = 0; i < 4; i++) into->bits[i] &= other->bits[i];
}

static void reach(asy_emitter *e, asy_label label, const asy_bound_set *bound) {
  asy_label_state *state = &e->labels[label.id];
  if (state->reached) meet(&state->bound, bound);
  else state->bound = *bound;
  state->reached = true;
}

asy_label asy_label_new(asy_emitter *e) {
  if (!GROW(e, labels, nlabels)) return (asy_label){0};
  e->labels[e->nlabels] = (asy_label_state){.word = NOWHERE, .fixes = NOWHERE};
  return (asy_label){e->nlabels++};
}

void asy_emit_jump(asy_emitter *e, const asy_node *at, asy_op op, int a, int b, int c, asy_label target) {
  if (!e->reachable || e->oom) return;
  reach(e, target, &e->bound);
  bool one_word = asy_op_table[op].format == FORMAT_SJ;
  if (!GROW(e, fixes, nfixes)) return;
  e->fixes[e->nfixes] = (asy_fix){.word = e->nwords, .next = e->labels[target.id].fixes, .one_word = one_word};
  e->labels[target.id].fixes = e->nfixes++;
  locate(e, at);
  add_word(e, word_abc(op, a, b, c));
  if (!one_word) add_word(e, 0);
  after(e, op);
}

void asy_label_bind(asy_emitter *e, asy_label label) {
  if (e->oom) return;
  asy_label_state *state = &e->labels[label.id];
  assert(state->word == NOWHERE);
  const asy_position *last = e->npositions ? &e->positions[e->npositions - 1] : NULL;
  if (state->reached && e->reachable && last && asy_is_mark(last) && last->word == e->nwords) {
    int32_t line = last->line; /* who jumps here does not pass the statement: it must be an instruction */
    e->npositions--;
    asy_emit(e, &(asy_node){.line = (uint32_t)line, .end_line = (uint32_t)line}, OP_NOP, 0, 0, 0);
  }
  state->word = e->bound_at = e->nwords;
  if (!state->reached) return;
  if (e->reachable) meet(&e->bound, &state->bound);
  else e->bound = state->bound;
  e->reachable = true;
}

void asy_label_bind_loop(asy_emitter *e, asy_label label) {
  for (int i = 0; i < 4; i++) e->bound.bits[i] &= ~e->may_be_unbound.bits[i];
  asy_label_bind(e, label);
}

/* --- Handlers ------------------------------------------------------------------------------------------------------------ */

asy_region asy_region_open(asy_emitter *e, asy_label target, int reg) {
  asy_region region = {.start = e->nwords, .target = target, .reg = reg, .bound = e->bound};
  for (int i = 0; i < 4; i++) region.bound.bits[i] &= ~e->may_be_unbound.bits[i];
  return region;
}

void asy_region_reopen(asy_emitter *e, asy_region *region) { region->start = e->nwords; }

static bool can_raise(const asy_emitter *e, uint32_t from) {
  for (uint32_t pc = from; pc < e->nwords;) {
    const asy_op_info *info = &asy_op_table[ASY_WORD_OP(e->words[pc])];
    if (info->effects & (EFFECT_CALLS | EFFECT_RAISES | EFFECT_SUSPENDS)) return true;
    pc += asy_op_words(info->format);
  }
  return false;
}

void asy_region_close(asy_emitter *e, asy_region *region) {
  if (e->oom || region->start == e->nwords) return;
  if (!can_raise(e, region->start)) {
    region->start = e->nwords;
    return;
  }
  if (!GROW(e, handlers, nhandlers) ||
      !grow(e, &e->handler_labels, e->nhandlers, &e->handler_labels_cap, sizeof(uint32_t)))
    return;
  reach(e, region->target, &region->bound);
  e->handler_labels[e->nhandlers] = region->target.id;
  e->handlers[e->nhandlers++] = (asy_handler){.start = region->start, .end = e->nwords, .reg = (uint8_t)region->reg};
  region->start = e->nwords;
}

/* --- Registers ----------------------------------------------------------------------------------------------------------- */

int asy_temps(asy_emitter *e, int count) {
  int first = e->top;
  if (first + count > ASY_MAX_REGISTERS) {
    asy_emit_fail(e, "too many nested expressions");
    return ASY_MAX_REGISTERS - 10; /* any register: the code is thrown away */
  }
  e->top += count;
  if (e->top > e->max) e->max = e->top;
  return first;
}

int asy_temp(asy_emitter *e) { return asy_temps(e, 1); }

/* --- Tables -------------------------------------------------------------------------------------------------------------- */

static uint32_t hash_bytes(uint32_t h, const void *bytes, size_t len) {
  const unsigned char *p = bytes;
  for (size_t i = 0; i < len; i++) h = (h ^ p[i]) * 16777619u;
  return h;
}

static uint32_t hash_constant(const asy_const *k) {
  uint32_t h = 2166136261u ^ k->kind;
  switch (k->kind) {
    case ASY_CONST_NONE:
    case ASY_CONST_FALSE:
    case ASY_CONST_TRUE:
    case ASY_CONST_ELLIPSIS: return h * 16777619u;
    case ASY_CONST_INT: return hash_bytes(h, &k->integer, sizeof k->integer);
    case ASY_CONST_FLOAT: return hash_bytes(h, &k->real, sizeof k->real);
    case ASY_CONST_COMPLEX:
      return hash_bytes(hash_bytes(h, &k->real, sizeof k->real), &k->imaginary, sizeof k->imaginary);
    case ASY_CONST_BIGINT:
    case ASY_CONST_STR:
    case ASY_CONST_BYTES: return hash_bytes(h ^ k->length, k->text, k->length < 64 ? k->length : 64);
    case ASY_CONST_TUPLE:
    case ASY_CONST_FROZENSET:
      for (uint32_t i = 0; i < k->length && i < 64; i++) h = (h ^ hash_constant(&k->items[i])) * 16777619u;
      return h ^ k->length;
    case ASY_CONST_CODE: return hash_bytes(h, &k->code, sizeof k->code);
  }
  return h;
}

bool asy_same_constant(const asy_const *a, const asy_const *b) {
  if (a->kind != b->kind || a->length != b->length) return false;
  switch (a->kind) {
    case ASY_CONST_NONE:
    case ASY_CONST_FALSE:
    case ASY_CONST_TRUE:
    case ASY_CONST_ELLIPSIS: return true;
    case ASY_CONST_INT: return a->integer == b->integer;
    case ASY_CONST_FLOAT: return !memcmp(&a->real, &b->real, sizeof a->real);
    case ASY_CONST_COMPLEX:
      return !memcmp(&a->real, &b->real, sizeof a->real) && !memcmp(&a->imaginary, &b->imaginary, sizeof a->imaginary);
    case ASY_CONST_BIGINT:
    case ASY_CONST_STR:
    case ASY_CONST_BYTES: return !memcmp(a->text, b->text, a->length);
    case ASY_CONST_TUPLE:
    case ASY_CONST_FROZENSET:
      for (uint32_t i = 0; i < a->length; i++)
        if (!asy_same_constant(&a->items[i], &b->items[i])) return false;
      return true;
    case ASY_CONST_CODE: return a->code == b->code;
  }
  return false;
}

static uint32_t hash_address(const void *p) { return (uint32_t)((uintptr_t)p >> 3) * 2654435761u; }

/* Doubles a table of indices when it is more than half full. `hash_of` gives the hash of an entry. */
static bool table_room(asy_emitter *e, uint32_t **table, uint32_t *size, uint32_t count,
                       uint32_t (*hash_of)(const asy_emitter *, uint32_t)) {
  if (count * 2 < *size) return true;
  uint32_t wanted = *size ? *size * 2 : 32;
  uint32_t *fresh = calloc(wanted, sizeof *fresh);
  if (!fresh) return e->oom = true, false;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t slot = hash_of(e, i) & (wanted - 1);
    while (fresh[slot]) slot = (slot + 1) & (wanted - 1);
    fresh[slot] = i + 1;
  }
  free(*table);
  *table = fresh;
  *size = wanted;
  return true;
}

static uint32_t hash_of_constant(const asy_emitter *e, uint32_t i) { return hash_constant(&e->constants[i]); }
static uint32_t hash_of_name(const asy_emitter *e, uint32_t i) { return hash_address(e->names[i]); }

uint32_t asy_emit_constant(asy_emitter *e, const asy_const *constant) {
  if (!table_room(e, &e->constant_table, &e->constant_table_size, e->nconstants, hash_of_constant)) return 0;
  uint32_t slot = hash_constant(constant) & (e->constant_table_size - 1);
  for (; e->constant_table[slot]; slot = (slot + 1) & (e->constant_table_size - 1))
    if (asy_same_constant(&e->constants[e->constant_table[slot] - 1], constant)) return e->constant_table[slot] - 1;
  if (!GROW(e, constants, nconstants)) return 0;
  e->constants[e->nconstants] = *constant;
  e->constant_table[slot] = e->nconstants + 1;
  return e->nconstants++;
}

uint32_t asy_emit_name(asy_emitter *e, const char *name) {
  if (!table_room(e, &e->name_table, &e->name_table_size, e->nnames, hash_of_name)) return 0;
  uint32_t slot = hash_address(name) & (e->name_table_size - 1);
  for (; e->name_table[slot]; slot = (slot + 1) & (e->name_table_size - 1))
    if (e->names[e->name_table[slot] - 1] == name) return e->name_table[slot] - 1;
  if (!GROW(e, names, nnames)) return 0;
  e->names[e->nnames] = name;
  e->name_table[slot] = e->nnames + 1;
  return e->nnames++;
}

uint32_t asy_emit_site(asy_emitter *e, const char *name) {
  if (!e->reachable) return 0;
  uint32_t index = asy_emit_name(e, name);
  if (!GROW(e, sites, nsites)) return 0;
  e->sites[e->nsites] = (asy_site){.name = index};
  return e->nsites++;
}

/* --- The end ------------------------------------------------------------------------------------------------------------- */

/* A jump to a return is that return. */
static bool is_return(uint32_t word) { return ASY_WORD_OP(word) == OP_RETURN || ASY_WORD_OP(word) == OP_RETURN_NONE; }

/* How many rows of positions begin at or before word. */
static uint32_t rows_until(const asy_emitter *e, uint32_t word) {
  uint32_t low = 0, high = e->npositions;
  while (low < high) {
    uint32_t mid = (low + high) / 2;
    if (e->positions[mid].word <= word) low = mid + 1;
    else high = mid;
  }
  return low;
}

static asy_position *row_of(asy_emitter *e, uint32_t word) {
  uint32_t rows = rows_until(e, word);
  while (rows && asy_is_mark(&e->positions[rows - 1])) rows--;
  return rows ? &e->positions[rows - 1] : NULL;
}

static bool has_mark(const asy_emitter *e, uint32_t word) {
  for (uint32_t rows = rows_until(e, word); rows && e->positions[rows - 1].word == word; rows--)
    if (asy_is_mark(&e->positions[rows - 1])) return true;
  return false;
}

/* Whether the jump at word may become the return at target: a trace of lines then sees all the same statements. */
static bool may_return(asy_emitter *e, uint32_t word, uint32_t target) {
  const asy_position *from = row_of(e, word), *to = row_of(e, target);
  return !has_mark(e, target) && !(from && to && from->line && to->line);
}

/* The jump at word, which has no location, has become the return at `target`: it gets that one's. */
static void return_row(asy_emitter *e, uint32_t word, uint32_t target) {
  asy_position *row = row_of(e, word), *of = row_of(e, target), *behind = row_of(e, word + 1);
  if (!row || !of || row->word != word || row->line || row == behind) return;
  *row = *of;
  row->word = word;
}

static void patch(asy_emitter *e) {
  for (uint32_t i = 0; i < e->nlabels; i++) {
    const asy_label_state *label = &e->labels[i];
    for (uint32_t f = label->fixes; f != NOWHERE; f = e->fixes[f].next) {
      const asy_fix *fix = &e->fixes[f];
      assert(label->word != NOWHERE);
      if (fix->one_word && is_return(e->words[label->word]) && may_return(e, fix->word, label->word)) {
        e->words[fix->word] = e->words[label->word];
        return_row(e, fix->word, label->word);
      } else if (fix->one_word) {
        int32_t distance = (int32_t)(label->word - (fix->word + 1));
        if (distance >= 1 << 23 || distance < -(1 << 23)) asy_emit_fail(e, "too much code in one block");
        e->words[fix->word] |= (uint32_t)distance << 8;
      } else {
        e->words[fix->word + 1] = label->word - (fix->word + 2);
      }
    }
  }
  uint32_t kept = 0;
  for (uint32_t i = 0; i < e->nhandlers; i++) {
    e->handlers[i].target = e->labels[e->handler_labels[i]].word;
    if (e->handlers[i].target != NOWHERE) e->handlers[kept++] = e->handlers[i];
  }
  e->nhandlers = kept;
}

static const void *keep(asy_emitter *e, const void *items, uint32_t count, size_t size) {
  if (!count) return NULL;
  void *copy = asy_arena_alloc(e->arena, count * size);
  if (copy) memcpy(copy, items, count * size);
  return copy;
}
#define KEEP(array, count) keep(e, e->array, e->count, sizeof *e->array)

bool asy_emit_finish(asy_emitter *e, asy_unit_code *code) {
  assert(!e->reachable);
  if (e->oom) return false;
  patch(e);
  code->words = KEEP(words, nwords), code->nwords = e->nwords;
  code->constants = KEEP(constants, nconstants), code->nconstants = e->nconstants;
  code->names = KEEP(names, nnames), code->nnames = e->nnames;
  code->sites = KEEP(sites, nsites), code->nsites = e->nsites;
  code->handlers = KEEP(handlers, nhandlers), code->nhandlers = e->nhandlers;
  code->positions = KEEP(positions, npositions), code->npositions = e->npositions;
  code->nregs = (uint16_t)(e->max ? e->max : 1); /* a bare raise names register 0 */
  return !e->arena->oom && !e->failure;
}
