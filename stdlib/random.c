/* random.c - the module _random: the Mersenne Twister MT19937 (Matsumoto and Nishimura, 1998; mt19937ar of 2002 for the seeding by
 * an array), whose numbers are those of CPython for the same seed.
 *
 * Must stay true: index <= WORDS; WORDS means that the next number first makes a new batch.
 */
#include <math.h>

#include "runtime/asy.h"

enum { WORDS = 624, MIDDLE = 397 };

typedef struct {
  asy_obj head;
  uint32_t index;
  uint32_t state[WORDS];
} generator;

static generator *generator_of(asy_value v) { return (generator *)asy_obj_of(v); }

static uint32_t twist(uint32_t upper, uint32_t lower) {
  uint32_t y = (upper & 0x80000000u) | (lower & 0x7fffffffu);
  return y >> 1 ^ (lower & 1 ? 0x9908b0dfu : 0);
}

static void next_batch(generator *g) {
  uint32_t *s = g->state;
  for (int i = 0; i < WORDS; i++) s[i] = s[(i + MIDDLE) % WORDS] ^ twist(s[i], s[(i + 1) % WORDS]);
  g->index = 0;
}

static uint32_t next_word(generator *g) {
  if (g->index >= WORDS) next_batch(g);
  uint32_t y = g->state[g->index++];
  y ^= y >> 11;
  y ^= y << 7 & 0x9d2c5680u;
  y ^= y << 15 & 0xefc60000u;
  return y ^ y >> 18;
}

/* ---- Seeding ---- */

static void seed_word(generator *g, uint32_t seed) {
  g->state[0] = seed;
  for (uint32_t i = 1; i < WORDS; i++) g->state[i] = 1812433253u * (g->state[i - 1] ^ g->state[i - 1] >> 30) + i;
  g->index = WORDS;
}

static void seed_array(generator *g, const uint32_t *key, uint32_t length) {
  uint32_t *s = g->state, i = 1, j = 0;
  seed_word(g, 19650218u);
  for (uint32_t k = length > WORDS ? length : WORDS; k; k--) {
    s[i] = (s[i] ^ (s[i - 1] ^ s[i - 1] >> 30) * 1664525u) + key[j] + j;
    if (++i == WORDS) {
      s[0] = s[WORDS - 1];
      i = 1;
    }
    if (++j == length) j = 0;
  }
  for (uint32_t k = WORDS - 1; k; k--) {
    s[i] = (s[i] ^ (s[i - 1] ^ s[i - 1] >> 30) * 1566083941u) - i;
    if (++i == WORDS) {
      s[0] = s[WORDS - 1];
      i = 1;
    }
  }
  s[0] = 0x80000000u;
}

/* The magnitude of an integer as 32-bit words, the lowest first. */
static asy_value seed_integer(asy_vm *vm, generator *g, asy_value n) {
  if (asy_int_sign(n) < 0) n = asy_int_binary(vm, BINARY_SUB, asy_from_small(0), n);
  if (asy_failed(n)) return ASY_FAILED;
  uint64_t bits = asy_int_bit_length(n);
  uint32_t count = bits ? (uint32_t)((bits + 31) / 32) : 1;
  uint32_t *key = asy_mem_alloc(vm, count * sizeof *key);
  if (!key) return ASY_FAILED;
  for (uint32_t i = 0; i < count && !asy_failed(n); i++) {
    key[i] = (uint32_t)asy_int_mask64(n);
    n = asy_int_binary(vm, BINARY_RSHIFT, n, asy_from_small(32));
  }
  if (!asy_failed(n)) seed_array(g, key, count);
  asy_mem_free(vm, key, count * sizeof *key);
  return asy_failed(n) ? ASY_FAILED : ASY_NONE;
}

static asy_value random_seed(asy_vm *vm, const asy_value *args) {
  generator *g = generator_of(args[0]);
  if (args[1] == ASY_NONE || args[1] == ASY_UNBOUND) {
    uint32_t key[WORDS];
    if (!asy_random_bytes(vm, key, sizeof key)) return ASY_FAILED;
    seed_array(g, key, WORDS);
    return ASY_NONE;
  }
  if (asy_is_integer(args[1])) return seed_integer(vm, g, args[1]);
  int64_t hash;
  if (!asy_hash(vm, args[1], &hash)) return ASY_FAILED;
  asy_value n = asy_from_uint64(vm, (uint64_t)hash);
  return asy_failed(n) ? ASY_FAILED : seed_integer(vm, g, n);
}

/* ---- Numbers ---- */

/* 53 bits: 27 of one word, 26 of the next. */
static asy_value random_random(asy_vm *vm, const asy_value *args) {
  generator *g = generator_of(args[0]);
  uint32_t a = next_word(g) >> 5, b = next_word(g) >> 6;
  return asy_from_double(vm, (a * 67108864.0 + b) * (1.0 / 9007199254740992.0));
}

static asy_value random_bits(asy_vm *vm, const asy_value *args) {
  generator *g = generator_of(args[0]);
  int64_t k;
  if (!asy_to_int64(vm, args[1], &k)) return ASY_FAILED;
  if (k < 0) return asy_raise(vm, ASY_ValueError, "number of bits must be non-negative");
  if (k == 0) return asy_from_small(0);
  if (k <= 32) return asy_from_small(next_word(g) >> (32 - k));
  if (k > INT32_MAX) return asy_raise_no_memory(vm);
  size_t count = ((size_t)k + 31) / 32;
  asy_bytes *bytes = asy_bytes_new(vm, NULL, count * 4);
  if (!bytes) return ASY_FAILED;
  for (size_t i = 0; i < count; i++, k -= 32) {
    uint32_t word = k >= 32 ? next_word(g) : next_word(g) >> (32 - k);
    for (int b = 0; b < 4; b++) bytes->data[i * 4 + (size_t)b] = (uint8_t)(word >> b * 8);
  }
  asy_value from_bytes = asy_get_attr_cstr(vm, asy_from_obj(asy_type_of(vm, asy_from_small(0))), "from_bytes");
  asy_value order = asy_failed(from_bytes) ? ASY_FAILED : asy_from_cstr(vm, "little");
  return asy_failed(order) ? ASY_FAILED : asy_call2(vm, from_bytes, asy_from_obj(bytes), order);
}

/* ---- State ---- */

static asy_value random_getstate(asy_vm *vm, const asy_value *args) {
  const generator *g = generator_of(args[0]);
  asy_tuple *state = asy_tuple_new(vm, NULL, WORDS + 1);
  if (!state) return ASY_FAILED;
  for (int i = 0; i < WORDS; i++) state->items[i] = asy_from_small(g->state[i]);
  state->items[WORDS] = asy_from_small(g->index);
  return asy_from_obj(state);
}

static asy_value random_setstate(asy_vm *vm, const asy_value *args) {
  generator *g = generator_of(args[0]);
  if (!asy_is_kind(args[1], KIND_TUPLE)) return asy_raise(vm, ASY_TypeError, "state vector must be a tuple");
  const asy_tuple *given = (asy_tuple *)asy_obj_of(args[1]);
  if (given->len != WORDS + 1) return asy_raise(vm, ASY_ValueError, "state vector is the wrong size");
  uint32_t state[WORDS];
  for (int i = 0; i <= WORDS; i++) {
    int64_t word;
    if (!asy_to_int64(vm, given->items[i], &word)) return ASY_FAILED;
    if (i < WORDS) state[i] = (uint32_t)word;
    else if (word < 0 || word > WORDS) return asy_raise(vm, ASY_ValueError, "invalid state");
    else g->index = (uint32_t)word;
  }
  memcpy(g->state, state, sizeof state);
  return ASY_NONE;
}

static const asy_native methods[] = {
  {"random", SIG("(self, /)"), random_random, DOC("random() -> x in the interval [0, 1)."), 0},
  {"seed", SIG("(self, n=None, /)"), random_seed,
   DOC("Defaults to use urandom and falls back to a combination of the current time and the process identifier."), 0},
  {"getrandbits", SIG("(self, k, /)"), random_bits, DOC("getrandbits(k) -> x.  Generates an int with k random bits."),
   0},
  {"getstate", SIG("(self, /)"), random_getstate, DOC("getstate() -> tuple containing the current state."), 0},
  {"setstate", SIG("(self, state, /)"), random_setstate, DOC("setstate(state) -> None.  Restores generator state."), 0},
  {0},
};

static const asy_type random_type = {
  .name = "_random.Random",
  .doc = "Random() -> create a random number generator with its own internal state.",
  .size = sizeof(generator),
  .init = random_seed, /* a script subclass seeds in its own way */
  .init_signature = SIG("(self, seed=None, /)"),
  .methods = methods,
};

static bool init(asy_vm *vm, asy_value module) { return asy_module_add_type(vm, module, "Random", &random_type); }

const asy_module_def asy_module_random = {"_random", NULL,
                                          "Module implements the Mersenne Twister random number generator.", init};
