/* int.h - integers: 63 bits in the value word, anything larger here, on GMP.
 *
 *   asy_int  [head][size][limbs 0 .. |size|-1, least significant first]      size < 0: negative
 *
 * Must stay true: an exact int object never holds a value that fits 63 bits, and its highest limb is not 0. An instance of a
 * script subclass of int is an asy_int as well, of any magnitude (size 0 for zero); its `more` word follows the limbs. So code
 * that reads integers goes through asy_int_view, which takes small ints, bools and objects alike.
 */
#ifndef ASY_RUNTIME_TYPES_INT_H
#define ASY_RUNTIME_TYPES_INT_H

#include <gmp.h>

#include "runtime/asy.h"

enum { ASY_INT_MAX_LIMBS = 1 << 26 }; /* 512 MB: a larger result is a MemoryError */

typedef struct asy_int {
  asy_obj head;
  int32_t size; /* sign times number of limbs */
  uint32_t unused;
  mp_limb_t limbs[];
} asy_int;

/* The magnitude and sign of any integer value. `limbs` may point at the view's own `word`: do not copy a view. */
typedef struct {
  const mp_limb_t *limbs;
  mp_size_t n; /* limbs in use; 0 for zero */
  bool negative;
  mp_limb_t word;
} asy_int_view;

/* v is an integer (asy_is_integer). */
static inline void asy_int_look(asy_value v, asy_int_view *view) {
  if (asy_is_obj(v)) {
    const asy_int *big = (const asy_int *)asy_obj_of(v);
    view->limbs = big->limbs;
    view->negative = big->size < 0;
    view->n = big->size < 0 ? -big->size : big->size;
    return;
  }
  int64_t i = asy_is_int(v) ? asy_small(v) : v == ASY_TRUE;
  view->negative = i < 0;
  view->word = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
  view->n = i != 0;
  view->limbs = &view->word;
}

/* A view as a read-only mpz. `storage` is the caller's. */
static inline mpz_srcptr asy_int_mpz(const asy_int_view *view, mpz_t storage) {
  return mpz_roinit_n(storage, view->limbs, view->negative ? -view->n : view->n);
}

extern const asy_type asy_int_type;

asy_value asy_int_from_mpz(asy_vm *vm, mpz_srcptr z);
asy_value asy_int_from_limbs(asy_vm *vm, const mp_limb_t *limbs, mp_size_t n, bool negative);
/* The int value of an integer, whatever its class: bools and subclass instances become plain ints. */
asy_value asy_int_plain(asy_vm *vm, asy_value integer);
/* An instance of a subclass of int. */
asy_value asy_int_instance(asy_vm *vm, asy_class *cls, asy_value integer);

#endif
