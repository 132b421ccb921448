/* scope.h - which names are local, in a cell, free, or global.
 * Two walks: the first makes a scope for each block and notes what its code does with each name (and reports what may not be
 * written where); the second resolves each name, outer scopes first.
 *
 *   module -> function f -> comprehension      a comprehension has a scope but no code: it is part of the code around it
 *          -> class C    -> method m
 *
 * A scope that has code of its own is its own `code`; a list, set or dict comprehension shares that of the scope around it.
 */
#ifndef ASY_LANG_SCOPE_H
#define ASY_LANG_SCOPE_H

#include "lang/ast.h"
#include "lang/diagnostic.h"

typedef enum {
  SCOPE_MODULE,
  SCOPE_CLASS,
  SCOPE_FUNCTION,
  SCOPE_LAMBDA,
  SCOPE_GENERATOR,     /* generator expression */
  SCOPE_COMPREHENSION, /* list, set, dict: inlined */
  SCOPE_TYPE_PARAMS,   /* around a generic function, class or alias */
  SCOPE_TYPE_VALUE     /* computes a bound, constraints, default or alias value when asked for */
} asy_scope_kind;

enum {
  NAME_USED = 1,
  NAME_PARAM = 2,
  NAME_ASSIGNED = 4,  /* by any statement that binds: assignment, import, def, class, for ... */
  NAME_GLOBAL = 8,    /* `global` */
  NAME_NONLOCAL = 16, /* `nonlocal` */
  NAME_ITERATED = 32, /* target of a comprehension */
  NAME_WALRUS = 64,   /* `:=` gives it a value */
  NAME_UNBOUND = 128, /* `del` or the end of an except handler takes its value away */
  NAME_ANNOTATED = 256,
  NAME_TYPE_PARAM = 512,
  NAME_USED_FIRST = 1024, /* used before it is assigned, in the order of the text */
  NAME_IMPORTED = 2048,
  NAME_BOUND = NAME_PARAM | NAME_ASSIGNED | NAME_ITERATED | NAME_TYPE_PARAM
};

typedef enum {
  PLACE_UNKNOWN,
  PLACE_LOCAL,  /* a register of the scope's code; holds a cell when `captured` */
  PLACE_OUTER,  /* as `outer` says: a register of the same code that belongs to a scope around a comprehension */
  PLACE_FREE,   /* free variable of the code */
  PLACE_GLOBAL, /* global, then builtin */
  PLACE_NAME    /* by name in the namespace R0: class and module bodies */
} asy_place;

typedef struct asy_symbol {
  asy_name *name;           /* mangled */
  uint16_t flags;           /* NAME_ */
  uint8_t place;            /* asy_place */
  bool captured;            /* some inner code uses it: it lives in a cell */
  int16_t reg;              /* set by the compiler: register; -1 before; ASY_FAR and up: item of the far locals */
  int32_t free_index;       /* among the free variables of the scope's code, or -1 */
  struct asy_symbol *outer; /* of PLACE_OUTER */
  const asy_node *first;    /* where it was first declared or used, for messages */
} asy_symbol;

enum { ASY_FAR = 1000 };

typedef struct asy_scope {
  asy_scope_kind kind;
  const asy_node *node; /* FunctionDef, Lambda, ClassDef, ... ; a type-parameter scope has the node of its owner */
  struct asy_scope *parent;
  struct asy_scope *code; /* see above */
  struct asy_scope *next; /* in order of creation, parents first */
  asy_name *class_name;   /* innermost class around, for mangling; NULL outside */
  asy_symbol **symbols;   /* in order of appearance; in the arena */
  uint32_t nsymbols, symbols_cap;
  asy_symbol **table; /* by name: open addressing; in the arena */
  uint32_t table_size;
  asy_symbol **free; /* free variables, when this scope has code; in the arena */
  uint32_t nfree, free_cap;
  bool is_generator;             /* has a yield, or is a generator expression */
  bool is_async;                 /* async def, or code with an await where the options allow it */
  bool sees_class;               /* annotation scope right inside a class: names are looked up in its namespace first */
  bool has_class_cell;           /* class: a method uses __class__ or super */
  bool has_annotations;          /* class, module: __annotations__ is wanted */
  const char *what;              /* annotation scopes: "a TypeVar bound", for messages; else NULL */
  bool asynchronous;             /* comprehension or generator expression with `async for` or `await` */
  const asy_node *returns_value; /* a `return value`, for the message in async generators */
} asy_scope;

typedef struct {
  asy_arena *arena;
  asy_diagnostic *diagnostic; /* DIAG_NONE while all is well */
  bool top_level_await;
  bool future_annotations;
  asy_scope *module;
  asy_scope *last;
  const void **keys; /* of the map from a node to its scope; owned by malloc */
  asy_scope **scopes;
  uint32_t count, size;
  bool oom;
} asy_scopes;

/* Fills scopes for the tree. False with *diagnostic set when the program is wrong (or memory ran out: arena->oom). */
__attribute__((warn_unused_result)) bool asy_scopes_build(asy_scopes *scopes, asy_arena *arena, const asy_node *tree,
                                                          bool top_level_await, bool future_annotations,
                                                          asy_diagnostic *diagnostic);
void asy_scopes_free(asy_scopes *scopes);

/* The scope made for a key: the node itself; the list of type parameters for the scope around a generic definition. */
asy_scope *asy_scopes_find(const asy_scopes *scopes, const void *key);
asy_symbol *asy_scope_lookup(const asy_scope *scope, const asy_name *name);

/* `__name` inside a class becomes `_Class__name`. */
asy_name *asy_mangle(asy_arena *arena, const asy_name *class_name, asy_name *name);

static inline bool asy_scope_is_function(const asy_scope *s) {
  return s->kind != SCOPE_MODULE && s->kind != SCOPE_CLASS;
}

#endif
