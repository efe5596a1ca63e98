/* When the sensors of a simulated pen measure, on the pen's own clock.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SAMPLING_H
#define SAMPLING_H

#include <stdbool.h>
#include <stdint.h>

/* speed: how much faster than this machine's clock; 0 = the samples themselves drive the clock. */
typedef struct {
    double speed;
    uint64_t boot_us;   /* this machine's clock at the pen's start */
    uint64_t start_us;  /* pen's clock at the first sample of this stretch */
    uint64_t sampled;   /* samples since then */
    uint64_t unpaced_us; /* pen's clock when it is not paced by this machine's */
    uint32_t rate_mhz;
    bool running;
} sample_clock;

/* This machine's clock, microseconds. */
uint64_t machine_us(void);

void sampling_boot(sample_clock *clock);

/* The pen's clock. */
uint64_t sampling_now_us(const sample_clock *clock);

/* From now on at this rate; nothing happens if it is so already. */
void sampling_run(sample_clock *clock, uint32_t rate_mhz);

void sampling_pause(sample_clock *clock);

/* True if a sample is due; without pace always. The ink waits for a pen that fell far behind. */
bool sampling_is_due(sample_clock *clock);

/* The time of the sample taken now. */
uint64_t sampling_stamp(sample_clock *clock);

/* Milliseconds until the next sample is due, at most `most`. */
int sampling_patience_ms(const sample_clock *clock, int most);

#endif
