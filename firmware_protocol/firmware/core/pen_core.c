/* SPDX-License-Identifier: Apache-2.0 */
#include "pen_core.h"

#include <string.h>

#include "pen_bytes.h"
#include "pen_text.h"

bool pen_init(pen_core *pen, const pen_description *description, const pen_board *board, uint32_t boot_id,
              uint32_t resets)
{
    size_t name_size = strlen(description->name);

    memset(pen, 0, sizeof *pen);
    pen->description = description;
    pen->board = board;
    pen->resets = resets;
    pen->identity.boot_id = boot_id;
    pen->identity.rate_mhz = description->stream.rate_mhz;
    memcpy(pen->identity.device_id, description->device_id, sizeof pen->identity.device_id);
    if (description->stream.n_channels > PEN_MAX_CHANNELS || name_size > PEN_MAX_NAME_BYTES)
        return false;
    memcpy(pen->identity.name, description->name, name_size);
    pen->identity.name_size = (uint8_t)name_size;
    pen->schema_hash = pen_schema_hash(description);
    /* pen->answer.payload has room for the longest descriptor. */
    return pen_descriptor(pen, pen->answer.payload) > 0;
}

void pen_restore_name(pen_core *pen, const uint8_t *name, uint8_t size)
{
    if (size == 0 || size > PEN_MAX_NAME_BYTES || !pen_is_utf8(name, size))
        return;
    memcpy(pen->identity.name, name, size);
    pen->identity.name_size = size;
}

void pen_restore_calibration(pen_core *pen, const uint8_t *stored, uint16_t size)
{
    if (size > PEN_CAL_BYTES || !pen_is_sealed(stored, size))
        return;
    memcpy(pen->calibration.stored, stored, size);
    pen->calibration.stored_size = size;
}

void pen_connect(pen_core *pen, uint16_t mtu)
{
    pen_disconnect(pen);
    pen->mtu = mtu;
}

void pen_set_mtu(pen_core *pen, uint16_t mtu)
{
    pen->mtu = mtu;
    if (pen_batch_samples(pen) == 0)
        pen->streaming = false;
}

void pen_disconnect(pen_core *pen)
{
    pen->streaming = false;
    pen->answer.known = false;
    pen->answer.waiting = false;
    pen->batch.n = 0;
    pen_decoder_reset(&pen->decoder);
    pen_queue_clear(&pen->queue);
}

size_t pen_receive(pen_core *pen, const uint8_t *bytes, size_t size)
{
    pen_frame frame;
    size_t i;

    for (i = 0; i < size && !pen->answer.waiting; i++) {
        if (pen_decoder_push(&pen->decoder, bytes[i], &frame))
            pen_take_command(pen, &frame);
    }
    return i;
}

bool pen_receive_frame(pen_core *pen, const uint8_t *value, size_t size)
{
    pen_frame frame;

    if (pen->answer.waiting)
        return false;
    if (pen_decoder_count(&pen->decoder, pen_decode_frame(value, size, &frame)))
        pen_take_command(pen, &frame);
    return true;
}

static bool is_clipped(const pen_stream *stream, const int16_t *counts)
{
    unsigned i;

    for (i = 0; i < stream->n_channels; i++) {
        int32_t magnitude = counts[i] < 0 ? -(int32_t)counts[i] : counts[i];

        if (magnitude >= stream->channels[i].limit)
            return true;
    }
    return false;
}

static void add_to_batch(pen_core *pen, const int16_t *counts, uint32_t index, uint64_t t_us)
{
    const pen_stream *stream = &pen->description->stream;
    pen_batch *batch = &pen->batch;
    uint8_t *at = batch->samples + (size_t)batch->n * 2u * stream->n_channels;
    unsigned i;

    if (batch->n == 0) {
        batch->index = index;
        batch->t_us = (uint32_t)t_us;
        batch->flags = 0;
    }
    for (i = 0; i < stream->n_channels; i++)
        pen_put_u16(at + 2 * i, (uint16_t)counts[i]);
    if (is_clipped(stream, counts))
        batch->flags |= PEN_FLAG_CLIPPED;
    batch->n++;
}

void pen_take(pen_core *pen, const int16_t *counts, uint64_t t_us)
{
    uint32_t index = pen->index++;
    bool stepped_back = t_us < pen->last_us;

    pen->last_us = t_us;
    if (!pen->streaming)
        return;
    if (stepped_back) {
        pen_close_batch(pen);
        pen->next_flags |= PEN_FLAG_DISCONTINUITY;
    }
    add_to_batch(pen, counts, index, t_us);
    if (pen->batch.n >= pen_batch_samples(pen))
        pen_close_batch(pen);
}

void pen_miss(pen_core *pen, uint32_t samples)
{
    pen_close_batch(pen);
    pen->index += samples;
}

void pen_close_batch(pen_core *pen)
{
    if (pen->batch.n == 0)
        return;
    pen->batch.flags |= pen->next_flags | pen->epoch;
    pen->next_flags = 0;
    pen_queue_push(&pen->queue, &pen->batch);
    pen->batch.n = 0;
}

bool pen_is_full(const pen_core *pen)
{
    return pen_queue_full(&pen->queue);
}

size_t pen_link_bytes(const pen_core *pen)
{
    size_t value;

    if (pen->mtu == 0)
        return PEN_MAX_FRAME_BYTES;
    value = pen->mtu > PEN_ATT_OVERHEAD_BYTES ? pen->mtu - PEN_ATT_OVERHEAD_BYTES : 0;
    return value < PEN_MAX_VALUE_BYTES ? value : PEN_MAX_VALUE_BYTES;
}

uint8_t pen_batch_samples(const pen_core *pen)
{
    uint32_t samples = pen->identity.rate_mhz / (1000000u / PEN_MAX_BATCH_MS);
    size_t room = pen_link_bytes(pen);
    size_t sample = 2u * pen->description->stream.n_channels;
    size_t fit = room < PEN_OVERHEAD_BYTES ? 0 : (room - PEN_OVERHEAD_BYTES) / sample;

    if (samples < 1)
        samples = 1;
    if (samples > PEN_MAX_BATCH_SAMPLES)
        samples = PEN_MAX_BATCH_SAMPLES;
    return (uint8_t)(fit < samples ? fit : samples);
}

static void add_notice(pen_core *pen, uint8_t type, const void *head, size_t head_size, const void *tail,
                       size_t size)
{
    pen_notice *notice;

    if (pen->n_notices == PEN_QUEUE_NOTICES) {
        pen->first_notice = (uint8_t)((pen->first_notice + 1u) % PEN_QUEUE_NOTICES);
        pen->n_notices--;
    }
    notice = &pen->notices[(pen->first_notice + pen->n_notices) % PEN_QUEUE_NOTICES];
    pen->n_notices++;
    if (size > PEN_NOTICE_BYTES - head_size)
        size = PEN_NOTICE_BYTES - head_size;
    notice->type = type;
    notice->size = (uint8_t)(head_size + size);
    if (head_size > 0)
        memcpy(notice->payload, head, head_size);
    if (size > 0)
        memcpy(notice->payload + head_size, tail, size);
}

void pen_log(pen_core *pen, const char *text)
{
    add_notice(pen, PEN_TYPE_LOG, NULL, 0, text, strlen(text));
}

void pen_event(pen_core *pen, uint8_t code, const uint8_t *detail, uint8_t size)
{
    add_notice(pen, PEN_TYPE_EVENT, &code, 1, detail, size);
}

static size_t next_answer(pen_core *pen, uint8_t *out, size_t room)
{
    pen_header header = {.type = PEN_TYPE_RSP, .seq = pen->seq_response++};

    pen->answer.waiting = false;
    return pen_encode_frame(&header, pen->answer.payload, pen->answer.size, out, room);
}

static size_t next_notice(pen_core *pen, uint8_t *out, size_t room)
{
    const pen_notice *notice = &pen->notices[pen->first_notice];
    pen_header header = {.type = notice->type};

    header.seq = notice->type == PEN_TYPE_EVENT ? pen->seq_event++ : pen->seq_log++;
    pen->first_notice = (uint8_t)((pen->first_notice + 1u) % PEN_QUEUE_NOTICES);
    pen->n_notices--;
    return pen_encode_frame(&header, notice->payload, notice->size, out, room);
}

static size_t next_samples(pen_core *pen, uint8_t *out, size_t room)
{
    const pen_batch *batch = pen_queue_oldest(&pen->queue);
    const pen_stream *stream = &pen->description->stream;
    pen_header header = {.type = PEN_TYPE_DATA, .stream = stream->id};
    size_t size;

    header.seq = pen->seq_data++;
    header.n = batch->n;
    header.flags = batch->flags;
    header.index = batch->index;
    header.t_us = batch->t_us;
    size = pen_encode_frame(&header, batch->samples, (size_t)batch->n * 2u * stream->n_channels, out, room);
    pen_queue_pop(&pen->queue);
    return size;
}

size_t pen_next_frame(pen_core *pen, uint8_t *out, size_t room)
{
    bool samples;
    size_t size = 0;

    if (room > pen_link_bytes(pen))
        room = pen_link_bytes(pen);
    while (size == 0) {
        samples = pen_queue_oldest(&pen->queue) != NULL;
        if (pen->answer.waiting && (int32_t)(pen->queue.gone - pen->answer.after) >= 0)
            size = next_answer(pen, out, room);
        else if (pen->n_notices > 0)
            size = next_notice(pen, out, room);
        else if (samples)
            size = next_samples(pen, out, room);
        else
            return 0;
    }
    pen->frames_sent++;
    return size;
}

size_t pen_descriptor(const pen_core *pen, uint8_t *out)
{
    return pen_encode_descriptor(pen->description, &pen->identity, out);
}
