/* The frames that wait for the link: a ring that drops the oldest frame whole and says so in the next one.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef PEN_QUEUE_H
#define PEN_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "pen_config.h"

/* Consecutive samples on their way to a DATA frame; the sequence number is given when it leaves. */
typedef struct {
    uint32_t index; /* number of the first sample */
    uint32_t t_us;  /* pen's clock at the first sample, low 32 bits */
    uint16_t flags;
    uint8_t n;
    uint8_t samples[PEN_MAX_BATCH_SAMPLES * PEN_MAX_SAMPLE_BYTES];
} pen_batch;

typedef struct {
    pen_batch slots[PEN_QUEUE_FRAMES];
    uint32_t first;
    uint32_t count;
    uint32_t high_water;
    uint32_t overruns; /* frames dropped */
    uint32_t gone;     /* frames that left or were dropped; wraps */
} pen_queue;

void pen_queue_clear(pen_queue *queue);

bool pen_queue_full(const pen_queue *queue);

/* Copy a batch to the end; when there is no room the oldest one goes and the next one carries OVERRUN. */
void pen_queue_push(pen_queue *queue, const pen_batch *batch);

/* The oldest batch, or NULL. It stays until pen_queue_pop. */
const pen_batch *pen_queue_oldest(const pen_queue *queue);

void pen_queue_pop(pen_queue *queue);

#endif
