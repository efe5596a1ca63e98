/* Seeded damage to byte strings. SPDX-License-Identifier: Apache-2.0 */
#ifndef MUTATE_H
#define MUTATE_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t state;
} random_source;

/* Uniform in 0 .. limit - 1; limit > 0. */
uint32_t random_below(random_source *random, uint32_t limit);

void random_bytes(random_source *random, uint8_t *out, size_t size);

/* A damaged copy of `bytes` in `out` (room for size + 64 + other_size); returns its size. May come out unchanged.
 * Flipped bits, bursts, bytes cut out, put in or swapped, two strings spliced, or nothing but noise. */
size_t mutate(random_source *random, const uint8_t *bytes, size_t size, const uint8_t *other, size_t other_size,
              uint8_t *out);

#endif
