/* float.h - the heap box of a double whose exponent lies outside the windows of the value word, or of a subclass instance. */
#ifndef ASY_RUNTIME_TYPES_FLOAT_H
#define ASY_RUNTIME_TYPES_FLOAT_H

#include "runtime/object.h"

typedef struct asy_float {
  asy_obj head;
  double value;
} asy_float;

typedef struct asy_complex {
  asy_obj head;
  double real, imag;
} asy_complex;

#endif
