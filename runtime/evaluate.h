/* evaluate.h - the builtins that compile, run, or look at namespaces: rows that builtins.c adds to its module. */
#ifndef ASY_RUNTIME_EVALUATE_H
#define ASY_RUNTIME_EVALUATE_H

#include "runtime/asy.h"

extern const asy_native asy_evaluate_natives[];
asy_value asy_current_locals(asy_vm *vm); /* locals() of the running script frame: a mapping */
asy_dict *asy_current_globals(
  asy_vm *vm); /* of the running frame, else of __main__; NULL with an exception when none */

#endif
