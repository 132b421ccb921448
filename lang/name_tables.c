/* name_tables.c - scopes as tables. A comprehension has no table of its own: what it binds stands in the one around it, as CPython has it
 * since 3.12. */
#include "lang/name_tables.h"

#include <string.h>

#include "lang/scope.h"

/* CPython's kinds of scope, and where they begin in the flags. */
enum { SCOPE_SHIFT = 12, IS_LOCAL = 1, IS_GLOBAL, IS_IMPLICIT_GLOBAL, IS_FREE, IS_CELL };

static const struct {
  uint16_t ours, theirs;
} flag_pairs[] = {{NAME_GLOBAL, 1},      {NAME_ASSIGNED | NAME_ITERATED, 2},
                  {NAME_PARAM, 4},       {NAME_NONLOCAL, 8},
                  {NAME_USED, 16},       {NAME_IMPORTED, 128},
                  {NAME_ANNOTATED, 256}, {NAME_TYPE_PARAM, 1024 | 2}};

static unsigned scope_of(const asy_symbol *s) {
  if (s->flags & NAME_GLOBAL) return IS_GLOBAL;
  switch (s->place) {
    case PLACE_FREE: return IS_FREE;
    case PLACE_GLOBAL: return IS_IMPLICIT_GLOBAL;
    case PLACE_NAME: return s->flags & (NAME_BOUND | NAME_UNBOUND) ? IS_LOCAL : IS_IMPLICIT_GLOBAL;
    default: return s->captured ? IS_CELL : IS_LOCAL;
  }
}

static unsigned flags_of(const asy_symbol *s) {
  unsigned flags = 0;
  for (size_t i = 0; i < sizeof flag_pairs / sizeof *flag_pairs; i++)
    if (s->flags & flag_pairs[i].ours) flags |= flag_pairs[i].theirs;
  if (s->flags & NAME_IMPORTED && !(s->flags & NAME_UNBOUND))
    flags &= ~2u; /* not told apart: imported, and assigned too */
  return flags | scope_of(s) << SCOPE_SHIFT;
}

/* The type parameter whose bound or default is computed in a scope; what is computed, where that is not found. */
static const char *parameter_of(const asy_scope *s) {
  const asy_node *owner = s->parent->kind == SCOPE_TYPE_PARAMS ? s->parent->node : NULL;
  const asy_node_list *params = !owner                         ? NULL
                                : owner->kind == AST_TypeAlias ? &owner->type_alias.type_params
                                : owner->kind == AST_ClassDef  ? &owner->class_def.type_params
                                                               : &owner->function_def.type_params;
  for (uint32_t i = 0; params && i < params->len; i++) {
    const asy_node *p = params->items[i];
    bool is_var = p->kind == AST_TypeVar;
    if (is_var && (p->type_var.bound == s->node || p->type_var.default_value == s->node)) return p->type_var.name->text;
    if (!is_var && p->param_spec.default_value == s->node) return p->param_spec.name->text;
  }
  return s->what;
}

static void name_table(asy_name_table *table, const asy_scope *s) {
  const asy_node *node = s->node;
  table->type = "function";
  switch (s->kind) {
    case SCOPE_MODULE: table->type = "module", table->name = "top"; return;
    case SCOPE_CLASS: table->type = "class", table->name = node->class_def.name->text; return;
    case SCOPE_LAMBDA: table->name = "lambda"; return;
    case SCOPE_GENERATOR: table->name = "genexpr"; return;
    case SCOPE_TYPE_VALUE:
      table->type = strstr(s->what, "alias") ? "type alias" : "type variable";
      table->name = parameter_of(s);
      return;
    case SCOPE_TYPE_PARAMS: table->type = "type parameters"; break;
    default: break;
  }
  table->name = node->kind == AST_TypeAlias  ? node->type_alias.name->name.id->text
                : node->kind == AST_ClassDef ? node->class_def.name->text
                                             : node->function_def.name->text;
}

static const asy_scope *table_of(const asy_scope *s) {
  while (s && s->kind == SCOPE_COMPREHENSION) s = s->parent;
  return s;
}

static bool is_nested(const asy_scope *s) {
  while ((s = s->parent))
    if (asy_scope_is_function(s)) return true;
  return false;
}

/* The names of s go into the table of `owner`: s itself, or what a comprehension is in. */
static void add_names(asy_name_table *table, const asy_scope *s, const asy_scope *owner) {
  for (uint32_t i = 0; i < s->nsymbols; i++) {
    const asy_symbol *symbol = s->symbols[i];
    if (s != owner && (!(symbol->flags & NAME_BOUND) || asy_scope_lookup(owner, symbol->name))) continue;
    table->rows[table->len++] = (asy_table_row){symbol->name, flags_of(symbol)};
  }
}

static asy_name_table *make_table(asy_arena *arena, const asy_scope *s) {
  uint32_t most = s->nsymbols;
  for (const asy_scope *inner = s->next; inner; inner = inner->next) /* outer scopes are made first */
    if (inner->kind == SCOPE_COMPREHENSION && table_of(inner) == s) most += inner->nsymbols;
  asy_name_table *table = asy_arena_alloc(arena, sizeof *table);
  asy_table_row *rows = asy_arena_alloc(arena, (most + 1) * sizeof *rows);
  if (!table || !rows) return NULL;
  *table = (asy_name_table){.line = s->kind == SCOPE_MODULE ? 0 : s->node->line, .nested = is_nested(s), .rows = rows};
  name_table(table, s);
  add_names(table, s, s);
  asy_name_table **link = &table->first;
  for (const asy_scope *inner = s->next; inner; inner = inner->next) {
    if (inner->kind == SCOPE_COMPREHENSION) {
      if (table_of(inner) == s) add_names(table, inner, s);
    } else if (table_of(inner->parent) == s) {
      if (!(*link = make_table(arena, inner))) return NULL;
      link = &(*link)->next;
    }
  }
  return table;
}

const asy_name_table *asy_name_tables(asy_arena *arena, const asy_node *tree, bool top_level_await,
                                      bool future_annotations, asy_diagnostic *out) {
  asy_scopes scopes = {0};
  const asy_name_table *table = NULL;
  *out = (asy_diagnostic){.kind = DIAG_NONE};
  if (asy_scopes_build(&scopes, arena, tree, top_level_await, future_annotations, out))
    table = make_table(arena, scopes.module);
  bool oom = scopes.oom || arena->oom;
  asy_scopes_free(&scopes);
  if (out->kind == DIAG_NONE && oom) asy_diagnostic_set(out, DIAG_MEMORY, 0, 0, 0, 0, "out of memory");
  return out->kind == DIAG_NONE ? table : NULL;
}
