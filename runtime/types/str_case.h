/* str_case.h - the natives of str that change case, for the method table. */
#ifndef ASY_RUNTIME_TYPES_STR_CASE_H
#define ASY_RUNTIME_TYPES_STR_CASE_H

#include "runtime/object.h"

asy_value asy_str_lower(asy_vm *vm, const asy_value *args);
asy_value asy_str_upper(asy_vm *vm, const asy_value *args);
asy_value asy_str_title(asy_vm *vm, const asy_value *args);
asy_value asy_str_capitalize(asy_vm *vm, const asy_value *args);
asy_value asy_str_swapcase(asy_vm *vm, const asy_value *args);
asy_value asy_str_casefold(asy_vm *vm, const asy_value *args);

#endif
