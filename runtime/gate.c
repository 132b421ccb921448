/* gate.c - the system's clocks and random source. The only file that calls them; ASYHASHSEED=n makes random bytes repeatable. */
#include "runtime/gate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>

static int64_t read_clock(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t monotonic_ns(void *context) {
  (void)context;
  return read_clock(CLOCK_MONOTONIC);
}

static int64_t wall_ns(void *context) {
  (void)context;
  return read_clock(CLOCK_REALTIME);
}

static int64_t cpu_ns(void *context) {
  (void)context;
  return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

static bool usage(void *context, int who, struct rusage *out) {
  (void)context;
  return getrusage((__rusage_who_t)who, out) == 0;
}

bool asy_system_clock(int clock, bool resolution, int64_t *ns) {
  struct timespec t;
  if ((resolution ? clock_getres : clock_gettime)((clockid_t)clock, &t) != 0) return false;
  *ns = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
  return true;
}

static uint64_t splitmix64(uint64_t *state) {
  uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
  z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
  return z ^ z >> 31;
}

/* The same bytes for the same state, which goes on. */
static void seeded_bytes(uint64_t *state, unsigned char *out, size_t length) {
  while (length) {
    uint64_t z = splitmix64(state);
    size_t n = length < sizeof z ? length : sizeof z;
    memcpy(out, &z, n);
    out += n;
    length -= n;
  }
}

static bool random_bytes(void *context, void *out, size_t length) {
  (void)context;
  for (size_t done = 0; done < length;) {
    ssize_t n = getrandom((char *)out + done, length - done, 0);
    if (n < 0 && errno != EINTR) return false;
    if (n > 0) done += (size_t)n;
  }
  return true;
}

/* The key of str hashes, which ASYHASHSEED makes repeatable. */
static bool hash_key(void *context, void *out, size_t length) {
  const char *seed = getenv("ASYHASHSEED");
  if (!seed || !*seed) return random_bytes(context, out, length);
  uint64_t state = strtoull(seed, NULL, 10);
  seeded_bytes(&state, out, length);
  return true;
}

static void sleep_ns(void *context, int64_t ns) {
  (void)context;
  if (ns <= 0) return;
  struct timespec left = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
  nanosleep(&left, NULL);
}

asy_gate asy_gate_system(void) {
  return (asy_gate){.monotonic_ns = monotonic_ns,
                    .wall_ns = wall_ns,
                    .cpu_ns = cpu_ns,
                    .usage = usage,
                    .random_bytes = random_bytes,
                    .hash_key = hash_key,
                    .sleep_ns = sleep_ns};
}

/* ---- Gates for tests ------------------------------------------------------------------------------------------------ */

static void set_up(asy_gate *gate, asy_gate_state *state) {
  if (gate->context == state) return;
  state->system = *gate;
  gate->context = state;
}

static int64_t monotonic_ahead(void *context) {
  asy_gate_state *state = context;
  return state->system.monotonic_ns(state->system.context) + state->ahead;
}

static int64_t wall_ahead(void *context) {
  asy_gate_state *state = context;
  return state->system.wall_ns(state->system.context) + state->ahead;
}

static void advance(void *context, int64_t ns) {
  if (ns > 0) ((asy_gate_state *)context)->ahead += ns;
}

void asy_gate_virtual(asy_gate *gate, asy_gate_state *state) {
  set_up(gate, state);
  gate->monotonic_ns = monotonic_ahead;
  gate->wall_ns = wall_ahead;
  gate->sleep_ns = gate->advance = advance;
}

static bool seeded_random(void *context, void *out, size_t length) {
  seeded_bytes(&((asy_gate_state *)context)->random, out, length);
  return true;
}

static uint32_t seeded_choice(void *context, uint32_t n) {
  return (uint32_t)(splitmix64(&((asy_gate_state *)context)->random) % n);
}

void asy_gate_seeded(asy_gate *gate, asy_gate_state *state, uint64_t seed) {
  set_up(gate, state);
  state->random = seed;
  gate->random_bytes = gate->hash_key = seeded_random;
  gate->choose = seeded_choice;
}
