/* key.h - keys of dicts and sets: the hashes and comparisons that need no call.
 */
#ifndef ASY_RUNTIME_TYPES_KEY_H
#define ASY_RUNTIME_TYPES_KEY_H

#include "runtime/vm.h"

#define ASY_HASH_MODULUS (((int64_t)1 << 61) - 1) /* numbers hash to their value modulo this prime */

static inline int64_t asy_text_hash(asy_vm *vm, asy_str *s) { return s->hash ? s->hash : asy_str_hash(vm, s); }

/* The hash of any key; false: unhashable, or __hash__ raised. */
static inline bool asy_key_hash(asy_vm *vm, asy_value key, int64_t *out) {
  if (asy_is_int(key)) {
    int64_t i = asy_small(key);
    if (i > -ASY_HASH_MODULUS && i < ASY_HASH_MODULUS) {
      *out = i == -1 ? -2 : i;
      return true;
    }
  } else if (asy_is_exact(key, KIND_STR)) {
    *out = asy_text_hash(vm, (asy_str *)asy_obj_of(key));
    return true;
  }
  return asy_hash(vm, key, out);
}

/* a == b as far as it can be said without a call: 1, 0, or -1 when asy_equal must be asked. Of tuples: when it can of their items. */
static inline int asy_quick_equal_plain(asy_value a, asy_value b) {
  if (a == b) return 1;
  if (asy_both_int(a, b)) return 0;
  if (asy_is_exact(a, KIND_STR) && asy_is_exact(b, KIND_STR)) {
    return asy_str_equal((const asy_str *)asy_obj_of(a), (const asy_str *)asy_obj_of(b));
  }
  return -1;
}
static inline int asy_quick_equal(asy_value a, asy_value b) {
  int equal = asy_quick_equal_plain(a, b);
  if (equal >= 0 || !asy_is_exact(a, KIND_TUPLE) || !asy_is_exact(b, KIND_TUPLE)) return equal;
  const asy_tuple *left = (const asy_tuple *)asy_obj_of(a), *right = (const asy_tuple *)asy_obj_of(b);
  if (left->len != right->len) return -1;
  equal = 1;
  for (uint32_t i = 0; i < left->len && equal == 1; i++) equal = asy_quick_equal_plain(left->items[i], right->items[i]);
  return equal;
}

/* Identity, then ==: 1, 0, -1 failed. May run script code. */
static inline int asy_same(asy_vm *vm, asy_value a, asy_value b) {
  int quick = asy_quick_equal(a, b);
  return quick >= 0 ? quick : asy_equal(vm, a, b);
}

#endif
