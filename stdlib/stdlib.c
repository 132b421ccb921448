/* stdlib.c - the modules of natives. Scripts are found by embed.py. */
#include "stdlib/stdlib.h"

const asy_module_def *const asy_native_modules[] = {
  &asy_module_abc,       &asy_module_asyncio, &asy_module_errno, &asy_module_functools, &asy_module_gc,
  &asy_module_itertools, &asy_module_math,    &asy_module_time,  &asy_module_weakref,   NULL,
};
