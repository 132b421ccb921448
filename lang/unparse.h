/* unparse.h - an expression as text, in the form of Python's ast.unparse (annotations under `from __future__ import annotations`). */
#ifndef ASY_LANG_UNPARSE_H
#define ASY_LANG_UNPARSE_H

#include "lang/ast.h"
#include "lang/buf.h"

void asy_unparse(const asy_node *node, asy_buf *out);

/* As the module ast does it, in a place where some forms need no parentheses. */
typedef enum { UNPARSE_BARE_TUPLE = 1, UNPARSE_BARE_YIELD = 2, UNPARSE_PLAIN = 3 } asy_unparse_place;
void asy_unparse_in(const asy_node *node, asy_unparse_place place, asy_buf *out);

#endif
