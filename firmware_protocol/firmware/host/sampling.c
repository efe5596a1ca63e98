/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#include "sampling.h"

#include <time.h>

#define MAX_CATCH_UP_US 500000.0 /* of this machine's clock */

uint64_t machine_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

void sampling_boot(sample_clock *clock)
{
    clock->boot_us = machine_us();
    clock->unpaced_us = 0;
    clock->running = false;
}

uint64_t sampling_now_us(const sample_clock *clock)
{
    if (clock->speed <= 0)
        return clock->unpaced_us;
    return (uint64_t)((double)(machine_us() - clock->boot_us) * clock->speed);
}

/* Pen's clock at sample k of this stretch, to the nearest microsecond. */
static uint64_t time_of(const sample_clock *clock, uint64_t k)
{
    return clock->start_us + (k * 1000000000u + clock->rate_mhz / 2) / clock->rate_mhz;
}

void sampling_run(sample_clock *clock, uint32_t rate_mhz)
{
    if (clock->running && rate_mhz == clock->rate_mhz)
        return;
    clock->start_us = clock->running ? time_of(clock, clock->sampled) : sampling_now_us(clock);
    clock->rate_mhz = rate_mhz;
    clock->sampled = 0;
    clock->running = true;
}

void sampling_pause(sample_clock *clock)
{
    clock->running = false;
}

bool sampling_is_due(sample_clock *clock)
{
    uint64_t now;

    if (clock->speed <= 0)
        return true;
    now = sampling_now_us(clock);
    if ((double)now > (double)time_of(clock, clock->sampled) + MAX_CATCH_UP_US * clock->speed) {
        clock->start_us = now;
        clock->sampled = 0;
    }
    return now >= time_of(clock, clock->sampled);
}

uint64_t sampling_stamp(sample_clock *clock)
{
    uint64_t t_us = time_of(clock, clock->sampled++);

    clock->unpaced_us = time_of(clock, clock->sampled);
    return t_us;
}

int sampling_patience_ms(const sample_clock *clock, int most)
{
    uint64_t now = sampling_now_us(clock), due = time_of(clock, clock->sampled);

    if (due <= now)
        return 1;
    due = (uint64_t)((double)(due - now) / clock->speed) / 1000u + 1u;
    return due < (uint64_t)most ? (int)due : most;
}
