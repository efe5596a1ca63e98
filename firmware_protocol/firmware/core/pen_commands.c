/* What each command does. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "pen_bytes.h"
#include "pen_core.h"
#include "pen_text.h"

/* Contents of the answer are written here; their number comes back through `size`. */
typedef struct {
    const uint8_t *args;
    size_t n_args;
    uint8_t *contents;
    size_t size;
} pen_call;

static uint8_t hello(pen_core *pen, pen_call *call)
{
    call->size = pen_descriptor(pen, call->contents);
    return PEN_STATUS_OK;
}

static uint8_t start(pen_core *pen, pen_call *call)
{
    uint8_t id = pen->description->stream.id;

    if (pen_batch_samples(pen) == 0)
        return PEN_STATUS_MTU_TOO_SMALL;
    if (call->n_args != PEN_START_BYTES)
        return PEN_STATUS_BAD_ARGUMENT;
    if (pen_get_u32(call->args + 4) != pen->schema_hash) {
        pen_put_u32(call->contents, pen->schema_hash);
        call->size = 4;
        return PEN_STATUS_BAD_SCHEMA;
    }
    if (id > 31 || (pen_get_u32(call->args) >> id & 1u) == 0)
        return PEN_STATUS_BAD_ARGUMENT;
    pen->streaming = true;
    return PEN_STATUS_OK;
}

static uint8_t stop(pen_core *pen, pen_call *call)
{
    (void)call;
    pen->streaming = false;
    return PEN_STATUS_OK;
}

static uint8_t set_rate(pen_core *pen, pen_call *call)
{
    const pen_stream *stream = &pen->description->stream;
    const pen_board *board = pen->board;
    uint32_t rate_mhz;

    if (call->n_args != PEN_SET_RATE_BYTES || call->args[0] != stream->id)
        return PEN_STATUS_BAD_ARGUMENT;
    rate_mhz = pen_get_u32(call->args + 1);
    if (rate_mhz < stream->min_rate_mhz || rate_mhz > stream->max_rate_mhz)
        return PEN_STATUS_BAD_ARGUMENT;
    if (board->set_rate != NULL && !board->set_rate(board->context, rate_mhz))
        return PEN_STATUS_BAD_ARGUMENT;
    pen->identity.rate_mhz = rate_mhz;
    pen->epoch ^= PEN_FLAG_EPOCH;
    pen_put_u32(call->contents, rate_mhz);
    call->size = 4;
    return PEN_STATUS_OK;
}

static uint8_t set_range(pen_core *pen, pen_call *call)
{
    const pen_board *board = pen->board;

    if (board->set_range == NULL)
        return PEN_STATUS_NOT_SUPPORTED;
    if (call->n_args != PEN_SET_RANGE_BYTES)
        return PEN_STATUS_BAD_ARGUMENT;
    return board->set_range(board->context, call->args[0], call->args[1]);
}

static uint8_t identify(pen_core *pen, pen_call *call)
{
    if (call->n_args != PEN_IDENTIFY_BYTES)
        return PEN_STATUS_BAD_ARGUMENT;
    if (pen->board->identify != NULL)
        pen->board->identify(pen->board->context, pen_get_u16(call->args));
    return PEN_STATUS_OK;
}

static uint8_t battery(pen_core *pen, pen_call *call)
{
    pen_battery reading;

    if (pen->board->battery == NULL)
        return PEN_STATUS_NOT_SUPPORTED;
    reading = pen->board->battery(pen->board->context);
    call->contents[0] = reading.percent;
    pen_put_u16(call->contents + 1, reading.millivolts);
    call->contents[3] = reading.charging;
    call->size = 4;
    return PEN_STATUS_OK;
}

static uint8_t time_sync(pen_core *pen, pen_call *call)
{
    uint64_t arrived_us = pen->board->now_us(pen->board->context);

    if (call->n_args != PEN_TIME_SYNC_BYTES)
        return PEN_STATUS_BAD_ARGUMENT;
    memcpy(call->contents, call->args, PEN_TIME_SYNC_BYTES);
    pen_put_u64(call->contents + 8, arrived_us);
    pen_put_u64(call->contents + 16, pen->board->now_us(pen->board->context));
    call->size = 24;
    return PEN_STATUS_OK;
}

static uint8_t status(pen_core *pen, pen_call *call)
{
    pen_put_u32(call->contents, pen->index);
    pen_put_u32(call->contents + 4, pen->queue.overruns);
    pen_put_u32(call->contents + 8, pen->frames_sent);
    pen_put_u32(call->contents + 12, pen->queue.high_water);
    pen_put_u32(call->contents + 16, pen->resets);
    call->size = 20;
    return PEN_STATUS_OK;
}

static uint8_t name(pen_core *pen, pen_call *call)
{
    pen_identity *identity = &pen->identity;
    const pen_board *board = pen->board;

    if (call->n_args > PEN_MAX_NAME_BYTES || !pen_is_utf8(call->args, call->n_args))
        return PEN_STATUS_BAD_ARGUMENT;
    if (call->n_args > 0) {
        pen_restore_name(pen, call->args, (uint8_t)call->n_args);
        if (board->keep_name != NULL)
            board->keep_name(board->context, identity->name, identity->name_size);
    }
    memcpy(call->contents, identity->name, identity->name_size);
    call->size = identity->name_size;
    return PEN_STATUS_OK;
}

static uint8_t cal_read(pen_core *pen, pen_call *call)
{
    const pen_calibration *calibration = &pen->calibration;
    size_t offset, piece = 0;

    if (call->n_args != PEN_CAL_READ_BYTES)
        return PEN_STATUS_BAD_ARGUMENT;
    offset = pen_get_u16(call->args);
    if (offset < calibration->stored_size)
        piece = calibration->stored_size - offset;
    if (piece > PEN_CAL_PIECE_BYTES)
        piece = PEN_CAL_PIECE_BYTES;
    pen_put_u16(call->contents, calibration->stored_size);
    if (piece > 0)
        memcpy(call->contents + 2, calibration->stored + offset, piece);
    call->size = 2 + piece;
    return PEN_STATUS_OK;
}

static uint8_t keep_calibration(pen_core *pen)
{
    pen_calibration *calibration = &pen->calibration;
    const pen_board *board = pen->board;

    if (!pen_is_sealed(calibration->incoming, calibration->incoming_size))
        return PEN_STATUS_BAD_CHECKSUM;
    memcpy(calibration->stored, calibration->incoming, calibration->incoming_size);
    calibration->stored_size = calibration->incoming_size;
    if (board->keep_calibration != NULL)
        board->keep_calibration(board->context, calibration->stored, calibration->stored_size);
    return PEN_STATUS_OK;
}

/* Pieces in order; the old calibration stays untouched until the new one is whole and right. */
static uint8_t cal_write(pen_core *pen, pen_call *call)
{
    pen_calibration *calibration = &pen->calibration;
    size_t offset, total, piece;

    if (call->n_args < PEN_CAL_WRITE_BYTES)
        return PEN_STATUS_BAD_ARGUMENT;
    offset = pen_get_u16(call->args);
    total = pen_get_u16(call->args + 2);
    piece = call->n_args - PEN_CAL_WRITE_BYTES;
    if (offset == 0)
        calibration->incoming_size = 0;
    if (offset != calibration->incoming_size || offset + piece > total || total > PEN_CAL_BYTES) {
        pen_put_u16(call->contents, calibration->incoming_size);
        call->size = 2;
        return PEN_STATUS_BAD_ARGUMENT;
    }
    if (piece > 0)
        memcpy(calibration->incoming + offset, call->args + PEN_CAL_WRITE_BYTES, piece);
    calibration->incoming_size = (uint16_t)(offset + piece);
    return calibration->incoming_size < total ? PEN_STATUS_OK : keep_calibration(pen);
}

static uint8_t selftest(pen_core *pen, pen_call *call)
{
    const pen_board *board = pen->board;

    pen_put_u16(call->contents, board->selftest != NULL ? board->selftest(board->context) : 0);
    call->size = 2;
    return PEN_STATUS_OK;
}

static uint8_t update(pen_core *pen, pen_call *call)
{
    (void)call;
    return pen->board->update != NULL ? pen->board->update(pen->board->context) : PEN_STATUS_NOT_SUPPORTED;
}

typedef uint8_t (*handler)(pen_core *pen, pen_call *call);

static handler handler_of(uint8_t op)
{
    static const handler handlers[] = {
        [PEN_OP_HELLO] = hello,         [PEN_OP_START] = start,         [PEN_OP_STOP] = stop,
        [PEN_OP_SET_RATE] = set_rate,   [PEN_OP_SET_RANGE] = set_range, [PEN_OP_IDENTIFY] = identify,
        [PEN_OP_BATTERY] = battery,     [PEN_OP_TIME_SYNC] = time_sync, [PEN_OP_STATUS] = status,
        [PEN_OP_NAME] = name,           [PEN_OP_CAL_READ] = cal_read,   [PEN_OP_CAL_WRITE] = cal_write,
        [PEN_OP_SELFTEST] = selftest,   [PEN_OP_DFU] = update,
    };

    return op < sizeof handlers / sizeof handlers[0] ? handlers[op] : NULL;
}

static void carry_out(pen_core *pen, const pen_frame *frame)
{
    pen_answer *answer = &pen->answer;
    uint8_t op = frame->payload[0];
    handler handle = handler_of(op);
    pen_call call = {frame->payload + 2, frame->payload_size - 2, answer->payload + 3, 0};

    answer->payload[0] = (uint8_t)(op | PEN_RESPONSE_BIT);
    answer->payload[1] = frame->payload[1];
    answer->payload[2] = (uint8_t)(handle != NULL ? handle(pen, &call) : PEN_STATUS_UNKNOWN_OP);
    /* Contents that do not fit a notification stay away; a descriptor is then read from its own characteristic. */
    if (PEN_OVERHEAD_BYTES + 3u + call.size > pen_link_bytes(pen))
        call.size = 0;
    answer->size = (uint16_t)(3u + call.size);
}

void pen_take_command(pen_core *pen, const pen_frame *frame)
{
    pen_answer *answer = &pen->answer;
    uint32_t crc;

    if (frame->header.type != PEN_TYPE_CMD || frame->payload_size < 2)
        return;
    answer->waiting = true;
    crc = pen_crc32(0, frame->payload, frame->payload_size);
    if (answer->known && answer->command_crc == crc && answer->command_size == frame->payload_size)
        return; /* the same one again: answered again, not carried out again */
    answer->known = true;
    answer->command_crc = crc;
    answer->command_size = frame->payload_size;
    answer->after = pen->queue.gone;
    if (frame->payload[0] == PEN_OP_STOP || frame->payload[0] == PEN_OP_SET_RATE) {
        if (pen->streaming)
            pen_close_batch(pen);
        answer->after = pen->queue.gone + pen->queue.count;
    }
    carry_out(pen, frame);
}
