/* stdlib.h - the list of the standard library's modules: natives (stdlib.c) and scripts (written by embed.py). */
#ifndef ASY_STDLIB_H
#define ASY_STDLIB_H

#include "runtime/asy.h"

/* asy_embedded, asy_embedded_modules and asy_native_modules are declared by the runtime, which looks modules up in them. */

extern const asy_module_def asy_module_abc;
extern const asy_module_def asy_module_asyncio;
extern const asy_module_def asy_module_time;
extern const asy_module_def asy_module_math;
extern const asy_module_def asy_module_gc;
extern const asy_module_def asy_module_errno;
extern const asy_module_def asy_module_functools;
extern const asy_module_def asy_module_itertools;
extern const asy_module_def asy_module_weakref;

#endif
