/* gate.h - the one place through which anything that is not deterministic enters: clocks, randomness, order.
 * Only gate.c may call the clock or the random source of the system; tests replace the functions.
 */
#ifndef ASY_RUNTIME_GATE_H
#define ASY_RUNTIME_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rusage;

typedef struct asy_gate {
  void *context;
  int64_t (*monotonic_ns)(void *context);                    /* never goes back */
  int64_t (*wall_ns)(void *context);                         /* since 1970, UTC */
  int64_t (*cpu_ns)(void *context);                          /* processor time of the process */
  bool (*usage)(void *context, int who, struct rusage *out); /* getrusage: false with errno */
  bool (*random_bytes)(void *context, void *out, size_t length);
  /* which of the n ready entries runs next: 0 is the oldest. NULL: always the oldest. */
  uint32_t (*choose)(void *context, uint32_t n);
  void (*sleep_ns)(void *context, int64_t ns); /* block the thread (time.sleep); may return early when interrupted */
  bool (*hash_key)(void *context, void *out, size_t length); /* random_bytes, but ASYHASHSEED makes it repeatable */
  void (*advance)(void *context, int64_t ns); /* virtual time: the clock jumps. NULL: it goes by itself */
} asy_gate;

asy_gate asy_gate_system(void);

/* What a gate that is not the system's keeps; lives as long as the gate. */
typedef struct {
  asy_gate system; /* what it is made from */
  int64_t ahead;   /* virtual time: ns that its clocks are ahead of the system's */
  uint64_t random; /* seeded: state of its generator */
} asy_gate_state;

/* Virtual time: clocks that jump when asked to, and sleep by jumping. Seeded: the same random bytes and the same order of ready
 * entries for the same seed. Both change a gate in place. */
void asy_gate_virtual(asy_gate *gate, asy_gate_state *state);
void asy_gate_seeded(asy_gate *gate, asy_gate_state *state, uint64_t seed);

/* A clock of the system by its number (time.clock_gettime), or its resolution; also declared in asy.h. False: errno says why. */
bool asy_system_clock(int clock, bool resolution, int64_t *ns);

#endif
