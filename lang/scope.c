/* scope.c - which names are local, in a cell, free, or global. */
#include "lang/scope.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  asy_scopes *scopes;
  asy_arena *arena;
  asy_scope *scope;    /* the block being walked */
  int loops;           /* loops around, within the block */
  bool except_star;    /* in the body of an `except*`, outside any loop or function of its own */
  bool iterable;       /* in the iterable of a comprehension */
  bool targets;        /* in the target of a comprehension */
  bool future_allowed; /* only the docstring and __future__ imports came before */
  asy_name *super, *class_, *debug;
} walker;

static void visit(walker *w, const asy_node *node);
static void visit_body(walker *w, const asy_node_list *body);

__attribute__((format(printf, 3, 4))) static void fail(walker *w, const asy_node *at, const char *format, ...) {
  asy_diagnostic *diag = w->scopes->diagnostic;
  if (diag->kind != DIAG_NONE) return;
  char text[sizeof diag->message];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  asy_diagnostic_set(diag, DIAG_SYNTAX, at->line, at->col, at->end_line, at->end_col, "%s", text);
}

/* --- Scopes and symbols -------------------------------------------------------------------------------------------------- */

static uint32_t hash_address(const void *p) { return (uint32_t)((uintptr_t)p >> 3) * 2654435761u >> 7; }

asy_name *asy_mangle(asy_arena *arena, const asy_name *class_name, asy_name *name) {
  if (!class_name || !name || name->text[0] != '_' || name->text[1] != '_') return name;
  if ((name->len >= 2 && !memcmp(name->text + name->len - 2, "__", 2)) || strchr(name->text, '.')) return name;
  const char *class_text = class_name->text;
  while (*class_text == '_') class_text++;
  if (!*class_text) return name;
  size_t class_len = strlen(class_text), len = 1 + class_len + name->len;
  char *text = asy_arena_alloc(arena, len + 1);
  if (!text) return name;
  text[0] = '_';
  memcpy(text + 1, class_text, class_len);
  memcpy(text + 1 + class_len, name->text, name->len + 1);
  asy_name *mangled = asy_arena_intern(arena, text, len);
  return mangled ? mangled : name;
}

static void map_put(asy_scopes *s, const void *key, asy_scope *scope) {
  if (s->count * 2 >= s->size) {
    uint32_t size = s->size ? s->size * 2 : 64;
    const void **keys = calloc(size, sizeof *keys);
    asy_scope **values = calloc(size, sizeof *values);
    if (!keys || !values) {
      free(keys), free(values);
      s->oom = true;
      return;
    }
    for (uint32_t i = 0; i < s->size; i++) {
      if (!s->keys[i]) continue;
      uint32_t slot = hash_address(s->keys[i]) & (size - 1);
      while (keys[slot]) slot = (slot + 1) & (size - 1);
      keys[slot] = s->keys[i], values[slot] = s->scopes[i];
    }
    free(s->keys), free(s->scopes);
    s->keys = keys, s->scopes = values, s->size = size;
  }
  uint32_t slot = hash_address(key) & (s->size - 1);
  while (s->keys[slot]) slot = (slot + 1) & (s->size - 1);
  s->keys[slot] = key, s->scopes[slot] = scope, s->count++;
}

asy_scope *asy_scopes_find(const asy_scopes *s, const void *key) {
  if (!s->size) return NULL;
  uint32_t slot = hash_address(key) & (s->size - 1);
  for (; s->keys[slot]; slot = (slot + 1) & (s->size - 1))
    if (s->keys[slot] == key) return s->scopes[slot];
  return NULL;
}

asy_symbol *asy_scope_lookup(const asy_scope *scope, const asy_name *name) {
  if (!scope->table_size) {
    for (uint32_t i = 0; i < scope->nsymbols; i++)
      if (scope->symbols[i]->name == name) return scope->symbols[i];
    return NULL;
  }
  uint32_t slot = hash_address(name) & (scope->table_size - 1);
  for (; scope->table[slot]; slot = (slot + 1) & (scope->table_size - 1))
    if (scope->table[slot]->name == name) return scope->table[slot];
  return NULL;
}

static void table_put(asy_scope *scope, asy_symbol *symbol) {
  uint32_t slot = hash_address(symbol->name) & (scope->table_size - 1);
  while (scope->table[slot]) slot = (slot + 1) & (scope->table_size - 1);
  scope->table[slot] = symbol;
}

/* A bigger array in the arena; the old one is left there. */
static bool grow(asy_arena *arena, asy_symbol ***items, uint32_t count, uint32_t *cap) {
  if (count < *cap) return true;
  uint32_t wanted = *cap ? *cap * 2 : 8;
  asy_symbol **fresh = asy_arena_alloc(arena, wanted * sizeof *fresh);
  if (!fresh) return false;
  if (count) memcpy(fresh, *items, count * sizeof *fresh);
  *items = fresh, *cap = wanted;
  return true;
}

enum { LINEAR_SYMBOLS = 8 }; /* up to here a scope is searched without a table */

static asy_symbol *symbol_of(asy_arena *arena, asy_scope *scope, asy_name *name, const asy_node *at) {
  asy_symbol *symbol = asy_scope_lookup(scope, name);
  if (symbol) return symbol;
  symbol = asy_arena_alloc(arena, sizeof *symbol);
  if (!symbol || !grow(arena, &scope->symbols, scope->nsymbols, &scope->symbols_cap))
    return asy_arena_wreck(arena, sizeof *symbol);
  *symbol = (asy_symbol){.name = name, .reg = -1, .free_index = -1, .first = at};
  scope->symbols[scope->nsymbols++] = symbol;
  if (scope->nsymbols > LINEAR_SYMBOLS && scope->nsymbols * 2 > scope->table_size) {
    uint32_t size = scope->table_size ? scope->table_size * 2 : 32;
    asy_symbol **table = asy_arena_alloc(arena, size * sizeof *table);
    if (!table) return symbol;
    memset(table, 0, size * sizeof *table);
    scope->table = table, scope->table_size = size;
    for (uint32_t i = 0; i < scope->nsymbols; i++) table_put(scope, scope->symbols[i]);
  } else if (scope->table_size) {
    table_put(scope, symbol);
  }
  return symbol;
}

static asy_scope *scope_new(walker *w, asy_scope_kind kind, const asy_node *node, const void *key) {
  asy_scope *scope = asy_arena_alloc(w->arena, sizeof *scope);
  if (!scope) return w->scope;
  *scope = (asy_scope){.kind = kind, .node = node, .parent = w->scope};
  scope->code = kind == SCOPE_COMPREHENSION ? w->scope->code : scope;
  if (w->scope) {
    scope->class_name = w->scope->class_name;
    scope->sees_class = w->scope->kind == SCOPE_CLASS ? kind == SCOPE_TYPE_PARAMS || kind == SCOPE_TYPE_VALUE
                                                      : kind == SCOPE_TYPE_VALUE && w->scope->sees_class;
  }
  if (w->scopes->last) w->scopes->last->next = scope;
  w->scopes->last = scope;
  map_put(w->scopes, key, scope);
  return scope;
}

typedef struct {
  asy_scope *scope;
  int loops;
  bool except_star, iterable, targets;
} saved_walk;

static saved_walk enter(walker *w, asy_scope *scope) {
  saved_walk saved = {w->scope, w->loops, w->except_star, w->iterable, w->targets};
  w->scope = scope;
  w->loops = 0;
  w->except_star = w->targets = false; /* what is within an iterable stays within it */
  return saved;
}

static void leave(walker *w, saved_walk saved) {
  w->scope = saved.scope;
  w->loops = saved.loops;
  w->except_star = saved.except_star;
  w->iterable = saved.iterable;
  w->targets = saved.targets;
}

/* --- Names ------------------------------------------------------------------------------------------------------------------ */

static asy_symbol *note(walker *w, asy_name *name, unsigned flags, const asy_node *at) {
  name = asy_mangle(w->arena, w->scope->class_name, name);
  asy_symbol *symbol = symbol_of(w->arena, w->scope, name, at);
  if (flags & NAME_USED && !(symbol->flags & NAME_BOUND)) symbol->flags |= NAME_USED_FIRST;
  symbol->flags |= flags;
  return symbol;
}

static void assign(walker *w, asy_name *name, unsigned flags, const asy_node *at) {
  if (name == w->debug) fail(w, at, flags & NAME_UNBOUND ? "cannot delete __debug__" : "cannot assign to __debug__");
  if (w->targets) {
    asy_symbol *symbol = asy_scope_lookup(w->scope, asy_mangle(w->arena, w->scope->class_name, name));
    if (symbol && symbol->flags & (NAME_GLOBAL | NAME_NONLOCAL))
      fail(w, at, "comprehension inner loop cannot rebind assignment expression target '%s'", name->text);
    flags |= NAME_ITERATED;
  }
  note(w, name, flags | NAME_ASSIGNED, at);
}

static void declare_param(walker *w, const asy_node *arg) {
  asy_name *name = asy_mangle(w->arena, w->scope->class_name, arg->arg.arg);
  if (arg->arg.arg == w->debug) fail(w, arg, "cannot assign to __debug__");
  asy_symbol *symbol = asy_scope_lookup(w->scope, name);
  if (symbol && symbol->flags & NAME_PARAM) fail(w, arg, "duplicate argument '%s' in function definition", name->text);
  note(w, arg->arg.arg, NAME_PARAM, arg);
}

static void visit_global(walker *w, const asy_node *node) {
  bool nonlocal = node->kind == AST_Nonlocal;
  const char *what = nonlocal ? "nonlocal" : "global";
  if (nonlocal && w->scope->kind == SCOPE_MODULE) fail(w, node, "nonlocal declaration not allowed at module level");
  for (uint32_t i = 0; i < node->global.names.len; i++) {
    asy_name *name = asy_mangle(w->arena, w->scope->class_name, node->global.names.items[i]);
    asy_symbol *symbol = asy_scope_lookup(w->scope, name);
    unsigned flags = symbol ? symbol->flags : 0;
    if (flags & NAME_PARAM) fail(w, node, "name '%s' is parameter and %s", name->text, what);
    else if (flags & NAME_USED) fail(w, node, "name '%s' is used prior to %s declaration", name->text, what);
    else if (flags & NAME_ANNOTATED) fail(w, node, "annotated name '%s' can't be %s", name->text, what);
    else if (flags & (NAME_ASSIGNED | NAME_UNBOUND))
      fail(w, node, "name '%s' is assigned to before %s declaration", name->text, what);
    symbol = note(w, node->global.names.items[i], nonlocal ? NAME_NONLOCAL : NAME_GLOBAL, node);
    if (!(flags & (NAME_NONLOCAL | NAME_GLOBAL))) symbol->first = node;
    /* It is the global one outside of functions too: exec may run the text with other locals than globals. */
    if (!nonlocal) symbol_of(w->arena, w->scopes->module, name, node)->flags |= NAME_GLOBAL;
  }
}

/* An annotation scope is no place for `await`, `yield` and `:=`. */
static bool refuse_in_annotation(walker *w, const asy_node *node, const char *expression) {
  if (!w->scope->what) return false;
  fail(w, node, "%s expression cannot be used within %s", expression, w->scope->what);
  return true;
}

static bool is_comprehension(const asy_scope *s) {
  return s->kind == SCOPE_COMPREHENSION || s->kind == SCOPE_GENERATOR;
}

static void visit_walrus(walker *w, const asy_node *node) {
  const asy_node *target = node->named_expr.target;
  asy_name *name = target->name.id;
  visit(w, node->named_expr.value);
  if (w->iterable) {
    fail(w, node, "assignment expression cannot be used in a comprehension iterable expression");
    return;
  }
  if (refuse_in_annotation(w, node, "named")) return;
  if (!is_comprehension(w->scope)) {
    assign(w, name, NAME_WALRUS, target);
    return;
  }
  asy_name *mangled = asy_mangle(w->arena, w->scope->class_name, name);
  asy_scope *owner = w->scope;
  for (; is_comprehension(owner); owner = owner->parent) {
    asy_symbol *symbol = asy_scope_lookup(owner, mangled);
    if (symbol && symbol->flags & NAME_ITERATED)
      fail(w, target, "assignment expression cannot rebind comprehension iteration variable '%s'", name->text);
  }
  if (owner->kind == SCOPE_CLASS)
    fail(w, target, "assignment expression within a comprehension cannot be used in a class body");
  if (owner->what)
    fail(w, target, "assignment expression within a comprehension cannot be used %s %s",
         owner->kind == SCOPE_TYPE_PARAMS ? "within" : "in", owner->what);
  asy_symbol *outer = asy_scope_lookup(owner, mangled);
  bool global = owner->kind == SCOPE_MODULE || (outer && outer->flags & NAME_GLOBAL);
  for (asy_scope *s = w->scope; s != owner; s = s->parent)
    symbol_of(w->arena, s, mangled, target)->flags |= global ? NAME_GLOBAL : NAME_NONLOCAL;
  asy_scope *here = w->scope;
  w->scope = owner;
  assign(w, name, NAME_WALRUS, target);
  w->scope = here;
}

/* --- Blocks ----------------------------------------------------------------------------------------------------------------- */

static void visit_list(walker *w, const asy_node_list *list) {
  for (uint32_t i = 0; i < list->len; i++)
    if (list->items[i]) visit(w, list->items[i]);
}

static void visit_opt(walker *w, const asy_node *node) {
  if (node) visit(w, node);
}

static void visit_annotation(walker *w, const asy_node *node) {
  if (node && !w->scopes->future_annotations) visit(w, node);
}

static void visit_arg_annotations(walker *w, const asy_node_list *args) {
  for (uint32_t i = 0; i < args->len; i++) visit_annotation(w, args->items[i]->arg.annotation);
}

static void visit_annotations(walker *w, const asy_node *args, const asy_node *returns) {
  visit_arg_annotations(w, &args->arguments.posonlyargs);
  visit_arg_annotations(w, &args->arguments.args);
  if (args->arguments.vararg) visit_annotation(w, args->arguments.vararg->arg.annotation);
  visit_arg_annotations(w, &args->arguments.kwonlyargs);
  if (args->arguments.kwarg) visit_annotation(w, args->arguments.kwarg->arg.annotation);
  visit_annotation(w, returns);
}

static void declare_params(walker *w, const asy_node *args) {
  const asy_node_list *lists[] = {&args->arguments.posonlyargs, &args->arguments.args, &args->arguments.kwonlyargs};
  for (int l = 0; l < 3; l++)
    for (uint32_t i = 0; i < lists[l]->len; i++) declare_param(w, lists[l]->items[i]);
  if (args->arguments.vararg) declare_param(w, args->arguments.vararg);
  if (args->arguments.kwarg) declare_param(w, args->arguments.kwarg);
}

static void hidden(walker *w, const char *name, unsigned flags, const asy_node *at) {
  asy_name *n = asy_arena_intern(w->arena, name, strlen(name));
  if (n) symbol_of(w->arena, w->scope, n, at)->flags |= flags;
}

static void visit_type_value(walker *w, const asy_node *node, const char *what) {
  if (!node) return;
  saved_walk saved = enter(w, scope_new(w, SCOPE_TYPE_VALUE, node, node));
  w->scope->what = what;
  if (w->scope->sees_class) hidden(w, ".classdict", NAME_PARAM, node);
  visit(w, node);
  leave(w, saved);
}

/* Enters the scope around a generic definition and declares its parameters; the caller leaves it. */
static saved_walk enter_type_params(walker *w, const asy_node *owner, const asy_node_list *params) {
  saved_walk saved = enter(w, scope_new(w, SCOPE_TYPE_PARAMS, owner, params));
  w->scope->what = "the definition of a generic";
  if (w->scope->sees_class) hidden(w, ".classdict", NAME_PARAM, owner);
  bool defaults = false;
  for (uint32_t i = 0; i < params->len; i++) {
    const asy_node *p = params->items[i];
    bool is_var = p->kind == AST_TypeVar;
    asy_name *name = is_var ? p->type_var.name : p->param_spec.name;
    const asy_node *default_value = is_var ? p->type_var.default_value : p->param_spec.default_value;
    asy_symbol *symbol = asy_scope_lookup(w->scope, asy_mangle(w->arena, w->scope->class_name, name));
    if (symbol && symbol->flags & NAME_TYPE_PARAM) fail(w, p, "duplicate type parameter '%s'", name->text);
    note(w, name, NAME_TYPE_PARAM, p);
    if (is_var && p->type_var.bound)
      visit_type_value(w, p->type_var.bound,
                       p->type_var.bound->kind == AST_Tuple ? "a TypeVar constraint" : "a TypeVar bound");
    if (default_value) defaults = true;
    else if (defaults) fail(w, p, "non-default type parameter '%s' follows default type parameter", name->text);
    const char *what = is_var                     ? "a TypeVar default"
                       : p->kind == AST_ParamSpec ? "a ParamSpec default"
                                                  : "a TypeVarTuple default";
    visit_type_value(w, default_value, what);
  }
  return saved;
}

static void visit_function(walker *w, const asy_node *node) {
  const asy_node *args = node->function_def.args;
  assign(w, node->function_def.name, 0, node);
  visit_list(w, &node->function_def.decorator_list);
  visit_list(w, &args->arguments.defaults);
  visit_list(w, &args->arguments.kw_defaults);
  saved_walk around = {0};
  bool generic = node->function_def.type_params.len > 0;
  if (generic) {
    around = enter_type_params(w, node, &node->function_def.type_params);
    if (args->arguments.defaults.len) hidden(w, ".defaults", NAME_PARAM, node);
    bool kwdefaults = false;
    for (uint32_t i = 0; i < args->arguments.kw_defaults.len; i++)
      kwdefaults |= args->arguments.kw_defaults.items[i] != NULL;
    if (kwdefaults) hidden(w, ".kwdefaults", NAME_PARAM, node);
  }
  visit_annotations(w, args, node->function_def.returns);
  saved_walk saved = enter(w, scope_new(w, SCOPE_FUNCTION, node, node));
  w->scope->is_async = node->kind == AST_AsyncFunctionDef;
  declare_params(w, args);
  visit_body(w, &node->function_def.body);
  if (w->scope->is_async && w->scope->is_generator && w->scope->returns_value)
    fail(w, w->scope->returns_value, "'return' with value in async generator");
  leave(w, saved);
  if (generic) leave(w, around);
}

static void visit_lambda(walker *w, const asy_node *node) {
  visit_list(w, &node->lambda.args->arguments.defaults);
  visit_list(w, &node->lambda.args->arguments.kw_defaults);
  saved_walk saved = enter(w, scope_new(w, SCOPE_LAMBDA, node, node));
  declare_params(w, node->lambda.args);
  visit(w, node->lambda.body);
  leave(w, saved);
}

static void visit_class(walker *w, const asy_node *node) {
  assign(w, node->class_def.name, 0, node);
  visit_list(w, &node->class_def.decorator_list);
  saved_walk around = {0};
  bool generic = node->class_def.type_params.len > 0;
  if (generic) {
    around = enter_type_params(w, node, &node->class_def.type_params);
    w->scope->class_name = node->class_def.name;
    hidden(w, ".type_params", NAME_ASSIGNED, node);
  }
  visit_list(w, &node->class_def.bases);
  visit_list(w, &node->class_def.keywords);
  saved_walk saved = enter(w, scope_new(w, SCOPE_CLASS, node, node));
  w->scope->class_name = node->class_def.name;
  if (generic) hidden(w, ".type_params", NAME_USED, node);
  visit_body(w, &node->class_def.body);
  leave(w, saved);
  if (generic) leave(w, around);
}

static void visit_type_alias(walker *w, const asy_node *node) {
  assign(w, node->type_alias.name->name.id, 0, node->type_alias.name);
  bool generic = node->type_alias.type_params.len > 0;
  saved_walk around = {0};
  if (generic) around = enter_type_params(w, node, &node->type_alias.type_params);
  visit_type_value(w, node->type_alias.value, "a type alias");
  if (generic) leave(w, around);
}

static const char *comprehension_name(const asy_node *node) {
  switch (node->kind) {
    case AST_ListComp: return "list comprehension";
    case AST_SetComp: return "set comprehension";
    case AST_DictComp: return "dict comprehension";
    default: return "generator expression";
  }
}

static void visit_comprehension(walker *w, const asy_node *node) {
  const asy_node_list *generators = node->kind == AST_DictComp ? &node->dict_comp.generators
                                                               : &node->list_comp.generators;
  const asy_node *first = generators->items[0];
  bool iterable = w->iterable;
  w->iterable = true;
  visit(w, first->comprehension.iter);
  w->iterable = iterable;
  bool inlined = node->kind != AST_GeneratorExp;
  saved_walk saved = enter(w, scope_new(w, inlined ? SCOPE_COMPREHENSION : SCOPE_GENERATOR, node, node));
  asy_scope *scope = w->scope;
  if (!inlined) {
    scope->is_generator = true;
    hidden(w, ".0", NAME_PARAM, node);
  }
  for (uint32_t i = 0; i < generators->len; i++) {
    const asy_node *g = generators->items[i];
    if (i) {
      w->iterable = true;
      visit(w, g->comprehension.iter);
      w->iterable = iterable;
    }
    if (g->comprehension.is_async) scope->asynchronous = true;
    w->targets = true;
    visit(w, g->comprehension.target);
    w->targets = false;
    visit_list(w, &g->comprehension.ifs);
  }
  if (node->kind == AST_DictComp) {
    visit(w, node->dict_comp.value); /* in CPython's order, which decides which error is reported */
    visit(w, node->dict_comp.key);
  } else {
    visit(w, node->list_comp.elt);
  }
  leave(w, saved);
  if (!scope->asynchronous) return;
  if (!inlined) {
    scope->is_async = true;
    return;
  }
  if (is_comprehension(w->scope)) w->scope->asynchronous = true;
  else if (w->scope->kind == SCOPE_MODULE && w->scopes->top_level_await) w->scope->is_async = true;
  else if (!w->scope->is_async) fail(w, node, "asynchronous comprehension outside of an asynchronous function");
}

/* --- Statements and expressions ------------------------------------------------------------------------------------------- */

/* await, async for, async with: may they stand here? */
static void need_async(walker *w, const asy_node *node, const char *what, bool expression) {
  if (is_comprehension(w->scope)) {
    w->scope->asynchronous = true;
    return;
  }
  if (w->scope->is_async || refuse_in_annotation(w, node, "await")) return;
  if (w->scope->kind == SCOPE_MODULE && w->scopes->top_level_await) {
    w->scope->is_async = true;
    return;
  }
  bool function = asy_scope_is_function(w->scope);
  if (expression && !function) fail(w, node, "'%s' outside function", what);
  else fail(w, node, "'%s' outside async function", what);
}

static void visit_yield(walker *w, const asy_node *node) {
  if (is_comprehension(w->scope)) {
    fail(w, node, "'yield' inside %s", comprehension_name(w->scope->node));
    return;
  }
  if (refuse_in_annotation(w, node, "yield")) return;
  if (!asy_scope_is_function(w->scope)) {
    fail(w, node, "'yield%s' outside function", node->kind == AST_YieldFrom ? " from" : "");
    return;
  }
  if (node->kind == AST_YieldFrom && w->scope->is_async) fail(w, node, "'yield from' inside async function");
  w->scope->is_generator = true;
}

static void visit_import(walker *w, const asy_node *node) {
  bool from = node->kind == AST_ImportFrom;
  const asy_node_list *names = from ? &node->import_from.names : &node->import.names;
  if (from && node->import_from.module && !node->import_from.level &&
      !strcmp(node->import_from.module->text, "__future__")) {
    if (!w->future_allowed) fail(w, node, "from __future__ imports must occur at the beginning of the file");
  }
  for (uint32_t i = 0; i < names->len; i++) {
    const asy_node *alias = names->items[i];
    asy_name *name = alias->alias.name;
    if (from && !strcmp(name->text, "*")) {
      if (w->scope->kind != SCOPE_MODULE) fail(w, alias, "import * only allowed at module level");
      continue;
    }
    if (alias->alias.asname) {
      name = alias->alias.asname;
    } else if (!from) {
      const char *dot = strchr(name->text, '.');
      if (dot) name = asy_arena_intern(w->arena, name->text, (size_t)(dot - name->text));
    }
    if (name) assign(w, name, NAME_IMPORTED, alias);
  }
}

static void visit_ann_assign(walker *w, const asy_node *node) {
  const asy_node *target = node->ann_assign.target;
  if (target->kind == AST_Name) {
    asy_symbol *symbol = asy_scope_lookup(w->scope, asy_mangle(w->arena, w->scope->class_name, target->name.id));
    if (symbol && node->ann_assign.simple && symbol->flags & (NAME_GLOBAL | NAME_NONLOCAL) &&
        w->scope->kind != SCOPE_MODULE)
      fail(w, node, "annotated name '%s' can't be %s", target->name.id->text,
           symbol->flags & NAME_GLOBAL ? "global" : "nonlocal");
    if (node->ann_assign.simple) {
      assign(w, target->name.id, NAME_ANNOTATED, node);
      if (!asy_scope_is_function(w->scope)) w->scope->has_annotations = true;
    } else if (node->ann_assign.value) {
      assign(w, target->name.id, 0, target);
    }
  } else {
    visit(w, target);
  }
  visit_annotation(w, node->ann_assign.annotation);
  visit_opt(w, node->ann_assign.value);
}

static void visit_try(walker *w, const asy_node *node) {
  visit_body(w, &node->try_.body);
  for (uint32_t i = 0; i < node->try_.handlers.len; i++) {
    const asy_node *h = node->try_.handlers.items[i];
    if (!h->except_handler.type && i + 1 < node->try_.handlers.len) fail(w, h, "default 'except:' must be last");
    visit_opt(w, h->except_handler.type);
    if (h->except_handler.name) assign(w, h->except_handler.name, NAME_UNBOUND, h);
    int loops = w->loops;
    bool star = w->except_star;
    if (node->kind == AST_TryStar) w->except_star = true, w->loops = 0;
    visit_body(w, &h->except_handler.body);
    w->loops = loops, w->except_star = star;
  }
  visit_body(w, &node->try_.orelse);
  visit_body(w, &node->try_.finalbody);
}

static void visit_loop_body(walker *w, const asy_node_list *body, const asy_node_list *orelse) {
  w->loops++;
  visit_body(w, body);
  w->loops--;
  visit_body(w, orelse);
}

static void leave_by(walker *w, const asy_node *node, const char *message) {
  if (w->except_star && !w->loops) fail(w, node, "'break', 'continue' and 'return' cannot appear in an except* block");
  else if (!w->loops) fail(w, node, "%s", message);
}

static void visit_name(walker *w, const asy_node *node) {
  asy_name *name = node->name.id;
  if (node->name.ctx == AST_Load) {
    note(w, name, NAME_USED, node);
    if (name == w->super && asy_scope_is_function(w->scope)) note(w, w->class_, NAME_USED, node);
  } else if (node->name.ctx == AST_Store) {
    assign(w, name, 0, node);
  } else {
    assign(w, name, NAME_UNBOUND, node);
  }
}

static void visit(walker *w, const asy_node *node) {
  for (;;) { /* left spines and elif chains */
    switch ((asy_ast_kind)node->kind) {
      case AST_FunctionDef:
      case AST_AsyncFunctionDef: visit_function(w, node); return;
      case AST_ClassDef: visit_class(w, node); return;
      case AST_Return:
        if (w->except_star) fail(w, node, "'break', 'continue' and 'return' cannot appear in an except* block");
        if (w->scope->kind != SCOPE_FUNCTION) fail(w, node, "'return' outside function");
        if (!node->return_.value) return;
        if (!w->scope->returns_value) w->scope->returns_value = node;
        node = node->return_.value;
        continue;
      case AST_Delete: visit_list(w, &node->delete_.targets); return;
      case AST_Assign:
        visit_list(w, &node->assign.targets);
        node = node->assign.value;
        continue;
      case AST_TypeAlias: visit_type_alias(w, node); return;
      case AST_AugAssign:
        visit(w, node->aug_assign.target);
        if (node->aug_assign.target->kind == AST_Name) note(w, node->aug_assign.target->name.id, NAME_USED, node);
        node = node->aug_assign.value;
        continue;
      case AST_AnnAssign: visit_ann_assign(w, node); return;
      case AST_AsyncFor: need_async(w, node, "async for", false); __attribute__((fallthrough));
      case AST_For:
        visit(w, node->for_.target);
        visit(w, node->for_.iter);
        visit_loop_body(w, &node->for_.body, &node->for_.orelse);
        return;
      case AST_While:
        visit(w, node->while_.test);
        visit_loop_body(w, &node->while_.body, &node->while_.orelse);
        return;
      case AST_If:
        visit(w, node->if_.test);
        visit_body(w, &node->if_.body);
        if (node->if_.orelse.len == 1 && node->if_.orelse.items[0]->kind == AST_If) {
          node = node->if_.orelse.items[0];
          continue;
        }
        visit_body(w, &node->if_.orelse);
        return;
      case AST_AsyncWith: need_async(w, node, "async with", false); __attribute__((fallthrough));
      case AST_With:
        visit_list(w, &node->with.items);
        visit_body(w, &node->with.body);
        return;
      case AST_withitem:
        visit(w, node->withitem.context_expr);
        visit_opt(w, node->withitem.optional_vars);
        return;
      case AST_Match:
        visit(w, node->match.subject);
        visit_list(w, &node->match.cases);
        return;
      case AST_match_case:
        visit(w, node->match_case.pattern);
        visit_opt(w, node->match_case.guard);
        visit_body(w, &node->match_case.body);
        return;
      case AST_Raise:
        visit_opt(w, node->raise.exc);
        visit_opt(w, node->raise.cause);
        return;
      case AST_Try:
      case AST_TryStar: visit_try(w, node); return;
      case AST_Assert:
        visit(w, node->assert_.test);
        visit_opt(w, node->assert_.msg);
        return;
      case AST_Import:
      case AST_ImportFrom: visit_import(w, node); return;
      case AST_Global:
      case AST_Nonlocal: visit_global(w, node); return;
      case AST_Expr: node = node->expr.value; continue;
      case AST_Pass: return;
      case AST_Break: leave_by(w, node, "'break' outside loop"); return;
      case AST_Continue: leave_by(w, node, "'continue' not properly in loop"); return;

      case AST_BoolOp: visit_list(w, &node->bool_op.values); return;
      case AST_NamedExpr: visit_walrus(w, node); return;
      case AST_BinOp:
        visit(w, node->bin_op.right);
        node = node->bin_op.left;
        continue;
      case AST_UnaryOp: node = node->unary_op.operand; continue;
      case AST_Lambda: visit_lambda(w, node); return;
      case AST_IfExp:
        visit(w, node->if_exp.test);
        visit(w, node->if_exp.body);
        node = node->if_exp.orelse;
        continue;
      case AST_Dict:
        visit_list(w, &node->dict.keys);
        visit_list(w, &node->dict.values);
        return;
      case AST_Set: visit_list(w, &node->set.elts); return;
      case AST_ListComp:
      case AST_SetComp:
      case AST_DictComp:
      case AST_GeneratorExp: visit_comprehension(w, node); return;
      case AST_Await:
        need_async(w, node, "await", true);
        node = node->await.value;
        continue;
      case AST_Yield:
        visit_yield(w, node);
        visit_opt(w, node->yield.value);
        return;
      case AST_YieldFrom:
        visit_yield(w, node);
        node = node->yield_from.value;
        continue;
      case AST_Compare:
        visit_list(w, &node->compare.comparators);
        node = node->compare.left;
        continue;
      case AST_Call:
        visit_list(w, &node->call.args);
        visit_list(w, &node->call.keywords);
        node = node->call.func;
        continue;
      case AST_keyword:
        if (node->keyword.arg == w->debug && w->debug) fail(w, node, "cannot assign to __debug__");
        node = node->keyword.value;
        continue;
      case AST_FormattedValue:
        visit(w, node->formatted_value.value);
        visit_opt(w, node->formatted_value.format_spec);
        return;
      case AST_JoinedStr: visit_list(w, &node->joined_str.values); return;
      case AST_Constant: return;
      case AST_Attribute:
        if (node->attribute.ctx != AST_Load && node->attribute.attr == w->debug)
          fail(w, node, node->attribute.ctx == AST_Store ? "cannot assign to __debug__" : "cannot delete __debug__");
        node = node->attribute.value;
        continue;
      case AST_Subscript:
        visit(w, node->subscript.slice);
        node = node->subscript.value;
        continue;
      case AST_Starred: node = node->starred.value; continue;
      case AST_Name: visit_name(w, node); return;
      case AST_List: visit_list(w, &node->list.elts); return;
      case AST_Tuple: visit_list(w, &node->tuple.elts); return;
      case AST_Slice:
        visit_opt(w, node->slice.lower);
        visit_opt(w, node->slice.upper);
        visit_opt(w, node->slice.step);
        return;

      case AST_MatchValue: node = node->match_value.value; continue;
      case AST_MatchSingleton: return;
      case AST_MatchSequence: visit_list(w, &node->match_sequence.patterns); return;
      case AST_MatchMapping:
        visit_list(w, &node->match_mapping.keys);
        visit_list(w, &node->match_mapping.patterns);
        if (node->match_mapping.rest) assign(w, node->match_mapping.rest, 0, node);
        return;
      case AST_MatchClass:
        visit(w, node->match_class.cls);
        visit_list(w, &node->match_class.patterns);
        visit_list(w, &node->match_class.kwd_patterns);
        return;
      case AST_MatchStar:
        if (node->match_star.name) assign(w, node->match_star.name, 0, node);
        return;
      case AST_MatchAs:
        visit_opt(w, node->match_as.pattern);
        if (node->match_as.name) assign(w, node->match_as.name, 0, node);
        return;
      case AST_MatchOr: visit_list(w, &node->match_or.patterns); return;

      case AST_Module:
      case AST_Interactive:
      case AST_Expression:
      case AST_comprehension:
      case AST_ExceptHandler:
      case AST_arguments:
      case AST_arg:
      case AST_alias:
      case AST_TypeVar:
      case AST_ParamSpec:
      case AST_TypeVarTuple:
      case AST_COUNT_: return; /* reached through their owners */
    }
  }
}

static void visit_body(walker *w, const asy_node_list *body) { visit_list(w, body); }

/* --- __future__ -------------------------------------------------------------------------------------------------------------- */

static void check_future(walker *w, const asy_node *node) {
  static const char *const known[] = {"nested_scopes",  "generators",     "division",         "absolute_import",
                                      "with_statement", "print_function", "unicode_literals", "barry_as_FLUFL",
                                      "generator_stop", "annotations"};
  for (uint32_t i = 0; i < node->import_from.names.len; i++) {
    const asy_node *alias = node->import_from.names.items[i];
    const char *feature = alias->alias.name->text;
    bool found = false;
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) found |= !strcmp(feature, known[k]);
    const asy_node place = {
      .kind = node->kind, .line = node->line, .col = node->col, .end_line = node->line, .end_col = node->col};
    if (!strcmp(feature, "braces")) fail(w, &place, "not a chance");
    else if (!found) fail(w, node, "future feature %s is not defined", feature);
    if (!strcmp(feature, "annotations")) w->scopes->future_annotations = true;
  }
}

static bool is_future(const asy_node *node) {
  return node->kind == AST_ImportFrom && node->import_from.module && !node->import_from.level &&
         !strcmp(node->import_from.module->text, "__future__");
}

static void visit_module(walker *w, const asy_node_list *body) {
  w->future_allowed = true;
  for (uint32_t i = 0; i < body->len; i++) {
    const asy_node *node = body->items[i];
    bool docstring = i == 0 && node->kind == AST_Expr && node->expr.value->kind == AST_Constant &&
                     node->expr.value->constant.value.kind == CONST_STR;
    if (is_future(node)) check_future(w, node);
    else if (!docstring) w->future_allowed = false;
    visit(w, node);
  }
}

/* --- Resolution ------------------------------------------------------------------------------------------------------------- */

static void add_free(asy_arena *arena, asy_scope *code, asy_name *name) {
  asy_symbol *symbol = asy_scope_lookup(code, name);
  if (!symbol) {
    symbol = symbol_of(arena, code, name, NULL);
    symbol->place = PLACE_FREE;
  }
  if (symbol->free_index >= 0 || !grow(arena, &code->free, code->nfree, &code->free_cap)) return;
  symbol->free_index = (int32_t)code->nfree;
  code->free[code->nfree++] = symbol;
}

/* Looks a name up in the scopes around. True when it was found as a variable of a function; the symbol is then placed. */
static bool resolve_outer(walker *w, asy_scope *scope, asy_symbol *symbol) {
  for (asy_scope *p = scope->parent; p; p = p->parent) {
    asy_symbol *found = NULL;
    if (p->kind == SCOPE_CLASS) {
      if (symbol->name != w->class_ || p->code == scope->code) continue;
      p->has_class_cell = true;
    } else if (p->kind == SCOPE_MODULE) {
      return false;
    } else {
      found = asy_scope_lookup(p, symbol->name);
      if (!found || !(found->flags & (NAME_BOUND | NAME_GLOBAL)) || found->flags & NAME_NONLOCAL) continue;
      if (found->flags & NAME_GLOBAL) return false;
      if (p->code == scope->code) {
        symbol->place = PLACE_OUTER;
        symbol->outer = found;
        return true;
      }
      found->captured = true;
    }
    for (asy_scope *q = scope->code; q != p->code; q = q->parent->code) add_free(w->arena, q, symbol->name);
    symbol->place = PLACE_FREE;
    symbol->free_index = asy_scope_lookup(scope->code, symbol->name)->free_index;
    return true;
  }
  return false;
}

static void resolve(walker *w, asy_scope *scope, asy_symbol *symbol) {
  bool by_name = !asy_scope_is_function(scope);
  if (symbol->flags & NAME_GLOBAL) {
    if (symbol->flags & NAME_NONLOCAL) fail(w, symbol->first, "name '%s' is nonlocal and global", symbol->name->text);
    symbol->place = PLACE_GLOBAL;
  } else if (symbol->flags & NAME_NONLOCAL) {
    if (resolve_outer(w, scope, symbol)) {
      asy_scope *s = scope->parent; /* the nearest scope that binds the name */
      asy_symbol *found = NULL;
      for (; s && !(found && found->flags & NAME_BOUND && !(found->flags & NAME_NONLOCAL)); s = s->parent)
        found = s->kind == SCOPE_CLASS ? NULL : asy_scope_lookup(s, symbol->name);
      if (found && found->flags & NAME_TYPE_PARAM)
        fail(w, symbol->first, "nonlocal binding not allowed for type parameter '%s'", symbol->name->text);
    } else {
      fail(w, symbol->first, "no binding for nonlocal '%s' found", symbol->name->text);
      symbol->place = PLACE_GLOBAL;
    }
  } else if (symbol->flags & NAME_BOUND) {
    symbol->place = by_name ? PLACE_NAME : PLACE_LOCAL;
  } else if (symbol->flags) {
    if (scope->kind == SCOPE_MODULE) {
      symbol->place = PLACE_NAME;
      return;
    }
    if (scope->sees_class) {
      asy_scope *cls = scope->parent;
      while (cls->kind != SCOPE_CLASS) cls = cls->parent;
      asy_symbol *in_class = asy_scope_lookup(cls, symbol->name);
      if (in_class && in_class->flags & NAME_GLOBAL) {
        symbol->place = PLACE_GLOBAL;
        return;
      }
    }
    by_name |= scope->sees_class || scope->code->kind == SCOPE_MODULE; /* exec may give a module locals of its own */
    if (!resolve_outer(w, scope, symbol)) symbol->place = by_name ? PLACE_NAME : PLACE_GLOBAL;
  }
}

static int by_text(const void *a, const void *b) {
  return strcmp((*(asy_symbol *const *)a)->name->text, (*(asy_symbol *const *)b)->name->text);
}

/* The free variables of a code in the order of their names, as CPython has them: what builds a closure by hand relies on it. */
static void order_free(asy_scope *first) {
  for (asy_scope *s = first; s; s = s->next) {
    if (s->nfree > 1) qsort(s->free, s->nfree, sizeof *s->free, by_text);
    for (uint32_t i = 0; i < s->nfree; i++) s->free[i]->free_index = (int32_t)i;
  }
  for (asy_scope *s = first; s; s = s->next) { /* scopes inlined into a code see its indices */
    if (s->code == s) continue;
    for (uint32_t i = 0; i < s->nsymbols; i++)
      if (s->symbols[i]->place == PLACE_FREE)
        s->symbols[i]->free_index = asy_scope_lookup(s->code, s->symbols[i]->name)->free_index;
  }
}

bool asy_scopes_build(asy_scopes *scopes, asy_arena *arena, const asy_node *tree, bool top_level_await,
                      bool future_annotations, asy_diagnostic *diagnostic) {
  *scopes = (asy_scopes){.arena = arena,
                         .diagnostic = diagnostic,
                         .top_level_await = top_level_await,
                         .future_annotations = future_annotations};
  diagnostic->kind = DIAG_NONE;
  walker w = {.scopes = scopes, .arena = arena};
  w.super = asy_arena_intern(arena, "super", 5);
  w.class_ = asy_arena_intern(arena, "__class__", 9);
  w.debug = asy_arena_intern(arena, "__debug__", 9);
  if (arena->oom) return false;
  w.scope = scopes->module = scope_new(&w, SCOPE_MODULE, tree, tree);
  if (arena->oom) return false;
  switch (tree->kind) {
    case AST_Module: visit_module(&w, &tree->module.body); break;
    case AST_Interactive: visit_module(&w, &tree->interactive.body); break;
    default: visit(&w, tree->expression.body); break;
  }
  for (asy_scope *s = scopes->module; s && !arena->oom; s = s->next)
    for (uint32_t i = 0; i < s->nsymbols; i++) resolve(&w, s, s->symbols[i]);
  bool good = diagnostic->kind == DIAG_NONE && !arena->oom && !scopes->oom;
  if (good) order_free(scopes->module);
  return good;
}

void asy_scopes_free(asy_scopes *scopes) {
  free(scopes->keys);
  free(scopes->scopes);
}
