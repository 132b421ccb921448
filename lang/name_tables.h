/* name_tables.h - what the scopes of a program know of their names, as plain data in the arena, for the module symtable. */
#ifndef ASY_LANG_NAME_TABLES_H
#define ASY_LANG_NAME_TABLES_H

#include "lang/ast.h"
#include "lang/diagnostic.h"

typedef struct {
  const asy_name *name; /* mangled */
  uint32_t flags;       /* CPython's, with the kind of scope above them: see name_tables.c */
} asy_table_row;

typedef struct asy_name_table {
  const char *type, *name; /* "function", "f"; a module is "top" */
  uint32_t line;           /* 0: a module */
  bool nested;             /* somewhere inside a function */
  uint32_t len;
  asy_table_row *rows;
  struct asy_name_table *first, *next; /* the tables inside, in the order of the text */
} asy_name_table;

/* The table of the module; NULL with *out set when the program is wrong or memory ran out. */
const asy_name_table *asy_name_tables(asy_arena *arena, const asy_node *tree, bool top_level_await,
                                      bool future_annotations, asy_diagnostic *out);

#endif
