/* compile.h - a text, or its tree, to a code unit. */
#ifndef ASY_LANG_COMPILE_H
#define ASY_LANG_COMPILE_H

#include "lang/parse.h"
#include "lang/unit.h"

typedef struct {
  asy_parse_options parse;
  bool
    top_level_await; /* `await` may stand outside functions; the module body is then CODE_COROUTINE when it has one */
  bool drop_asserts; /* as `python -O`: no assert statements, __debug__ is False */
  bool future_annotations; /* as if the text began with `from __future__ import annotations` */
} asy_compile_options;

/* The unit, all of it in the arena; NULL and *out filled when the program is wrong or memory ran out. Options NULL: a file. */
__attribute__((warn_unused_result)) const asy_unit_code *asy_compile(asy_arena *arena, asy_source *source,
                                                                     const asy_compile_options *options,
                                                                     asy_diagnostic *out);
__attribute__((warn_unused_result)) const asy_unit_code *asy_compile_tree(asy_arena *arena, const asy_node *tree,
                                                                          const asy_compile_options *options,
                                                                          asy_diagnostic *out);

#endif
