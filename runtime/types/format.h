/* format.h - the format mini-language: format(), f-strings, str.format and %.
 * The natives below are the __format__ rows of their types' method tables: signature "(self, format_spec, /)".
 */
#ifndef ASY_RUNTIME_TYPES_FORMAT_H
#define ASY_RUNTIME_TYPES_FORMAT_H

#include "runtime/object.h"

asy_value asy_format_str(asy_vm *vm, const asy_value *args);     /* (self: a str, spec) */
asy_value asy_format_int(asy_vm *vm, const asy_value *args);     /* (self: an integer, spec); bool with "" gives True */
asy_value asy_format_float(asy_vm *vm, const asy_value *args);   /* (self: a float, spec) */
asy_value asy_format_complex(asy_vm *vm, const asy_value *args); /* (self: a complex, spec) */

/* A float as `%.{precision}{type}` writes it, with Python's rules: type one of e E f F g G r (r: repr; precision ignored). flags: */
enum { FORMAT_SIGN = 1 /* + too */, FORMAT_ADD_DOT_0 = 2, FORMAT_ALT = 4, FORMAT_NO_NEG_0 = 8 };
asy_str *asy_format_double(asy_vm *vm, double d, char type, int precision, unsigned flags);

/* str.format and % */
asy_value asy_str_format_method(asy_vm *vm, asy_str *format, asy_tuple *args, asy_dict *kwargs, asy_value mapping);
asy_value asy_str_percent(asy_vm *vm, asy_str *format, asy_value args);
asy_value asy_bytes_percent(asy_vm *vm, asy_value format, asy_value args); /* format: bytes or bytearray */

#endif
