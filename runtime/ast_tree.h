/* ast_tree.h - the compiler's tree as objects of the module ast, and back. */
#ifndef ASY_RUNTIME_AST_TREE_H
#define ASY_RUNTIME_AST_TREE_H

#include "lang/ast.h"
#include "runtime/asy.h"

/* The node and all below it as instances of the classes of _ast. */
asy_value asy_tree_to_object(asy_vm *vm, const asy_node *node);
/* The tree of such an object, in the arena, for compile() in this mode. NULL with the exception set: it is not well-formed. */
asy_node *asy_tree_from_object(asy_vm *vm, asy_value object, const char *mode, asy_arena *arena);
/* Whether source is an instance of ast.AST: 1, 0, -1 failed. */
int asy_is_tree(asy_vm *vm, asy_value source);

#endif
