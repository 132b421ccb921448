/* gate.h - the one place through which anything that is not deterministic enters: clocks, randomness, order.
 * Only gate.c may call the clock or the random source of the system; tests replace the functions.
 */
#ifndef ASY_RUNTIME_GATE_H
#define ASY_RUNTIME_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct asy_gate {
  void *context;
  int64_t (*monotonic_ns)(void *context); /* never goes back */
  int64_t (*wall_ns)(void *context);      /* since 1970, UTC */
  int64_t (*cpu_ns)(void *context);       /* processor time of the process */
  bool (*random_bytes)(void *context, void *out, size_t length);
  /* which of the n ready entries runs next: 0 is the oldest. NULL: always the oldest. */
  uint32_t (*choose)(void *context, uint32_t n);
  void (*sleep_ns)(void *context, int64_t ns); /* block the thread (time.sleep); may return early when interrupted */
  bool (*hash_key)(void *context, void *out, size_t length); /* random_bytes, but ASY_HASHSEED makes it repeatable */
} asy_gate;

asy_gate asy_gate_system(void);

#endif
