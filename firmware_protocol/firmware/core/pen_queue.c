/* SPDX-License-Identifier: Apache-2.0 */
#include "pen_queue.h"

#include <stddef.h>

void pen_queue_clear(pen_queue *queue)
{
    queue->gone += queue->count;
    queue->first = 0;
    queue->count = 0;
}

bool pen_queue_full(const pen_queue *queue)
{
    return queue->count == PEN_QUEUE_FRAMES;
}

void pen_queue_push(pen_queue *queue, const pen_batch *batch)
{
    uint16_t carried = 0;

    if (pen_queue_full(queue)) {
        /* What the dropped frame said of the clock holds for the one behind it. */
        carried = PEN_FLAG_OVERRUN | (queue->slots[queue->first].flags & PEN_FLAG_DISCONTINUITY);
        queue->overruns++;
        pen_queue_pop(queue);
    }
    queue->slots[(queue->first + queue->count) % PEN_QUEUE_FRAMES] = *batch;
    queue->count++;
    queue->slots[queue->first].flags |= carried;
    if (queue->count > queue->high_water)
        queue->high_water = queue->count;
}

const pen_batch *pen_queue_oldest(const pen_queue *queue)
{
    return queue->count ? &queue->slots[queue->first] : NULL;
}

void pen_queue_pop(pen_queue *queue)
{
    queue->first = (queue->first + 1) % PEN_QUEUE_FRAMES;
    queue->count--;
    queue->gone++;
}
