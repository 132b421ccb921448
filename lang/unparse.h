/* unparse.h - an expression as text, in the form of Python's ast.unparse (annotations under `from __future__ import annotations`). */
#ifndef ASY_LANG_UNPARSE_H
#define ASY_LANG_UNPARSE_H

#include "lang/ast.h"
#include "lang/buf.h"

void asy_unparse(const asy_node *node, asy_buf *out);

#endif
