/* SPDX-License-Identifier: Apache-2.0 */
#include "pen_wire.h"

#include <string.h>

#include "pen_bytes.h"

/* Four bits at a time: a table of 64 bytes. */
uint32_t pen_crc32(uint32_t crc, const uint8_t *bytes, size_t size)
{
    static const uint32_t nibble[16] = {
        0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u,
        0x4DB26158u, 0x5005713Cu, 0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu,
        0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu,
    };
    size_t i;

    crc ^= 0xFFFFFFFFu;
    for (i = 0; i < size; i++) {
        crc ^= bytes[i];
        crc = (crc >> 4) ^ nibble[crc & 0x0Fu];
        crc = (crc >> 4) ^ nibble[crc & 0x0Fu];
    }
    return crc ^ 0xFFFFFFFFu;
}

size_t pen_encode_frame(const pen_header *header, const uint8_t *payload, size_t payload_size, uint8_t *out,
                        size_t room)
{
    size_t body = PEN_FRAME_RECORD_BYTES + payload_size;

    if (payload_size > PEN_MAX_FRAME_BYTES - PEN_OVERHEAD_BYTES || room < body + PEN_CRC_BYTES)
        return 0;
    out[PEN_FRAME_VER_AT] = PEN_VERSION;
    out[PEN_FRAME_TYPE_AT] = header->type;
    pen_put_u16(out + PEN_FRAME_SEQ_AT, header->seq);
    out[PEN_FRAME_STREAM_AT] = header->stream;
    out[PEN_FRAME_N_AT] = header->n;
    pen_put_u16(out + PEN_FRAME_FLAGS_AT, header->flags);
    pen_put_u32(out + PEN_FRAME_INDEX_AT, header->index);
    pen_put_u32(out + PEN_FRAME_T_US_AT, header->t_us);
    if (payload_size > 0)
        memcpy(out + PEN_FRAME_RECORD_BYTES, payload, payload_size);
    pen_put_u32(out + body, pen_crc32(0, out, body));
    return body + PEN_CRC_BYTES;
}

size_t pen_encode_serial(const uint8_t *frame, size_t size, uint8_t *out, size_t room)
{
    size_t code_at = 0; /* where the length of the open block goes */
    size_t used = 1;
    size_t i;
    uint8_t code = 1;

    if (room < size + size / 254u + 2u)
        return 0;
    for (i = 0; i < size; i++) {
        uint8_t byte = frame[i];

        if (byte != 0) {
            out[used++] = byte;
            code++;
        }
        /* A full block at the very end needs no block behind it. */
        if (byte == 0 || (code == 0xFFu && i + 1 < size)) {
            out[code_at] = code;
            code_at = used++;
            code = 1;
        }
    }
    out[code_at] = code;
    out[used++] = 0;
    return used;
}

bool pen_decode_cobs(uint8_t *stretch, size_t *size)
{
    size_t from = 0, to = 0;

    while (from < *size) {
        uint8_t code = stretch[from++];
        size_t run = (size_t)code - 1u;

        if (code == 0 || run > *size - from)
            return false;
        memmove(stretch + to, stretch + from, run);
        to += run;
        from += run;
        if (code != 0xFFu && from < *size)
            stretch[to++] = 0;
    }
    *size = to;
    return true;
}

static bool is_known(uint8_t type)
{
    switch (type) {
    case PEN_TYPE_DATA:
    case PEN_TYPE_EVENT:
    case PEN_TYPE_CMD:
    case PEN_TYPE_RSP:
    case PEN_TYPE_STATUS:
    case PEN_TYPE_LOG:
        return true;
    default:
        return false;
    }
}

pen_verdict pen_decode_frame(const uint8_t *raw, size_t size, pen_frame *frame)
{
    pen_header *header = &frame->header;

    if (size < PEN_OVERHEAD_BYTES || size > PEN_MAX_FRAME_BYTES)
        return PEN_FRAME_DAMAGED;
    if (pen_crc32(0, raw, size - PEN_CRC_BYTES) != pen_get_u32(raw + size - PEN_CRC_BYTES))
        return PEN_FRAME_DAMAGED;
    if (raw[PEN_FRAME_VER_AT] != PEN_VERSION)
        return PEN_FRAME_FOREIGN_VERSION;
    header->type = raw[PEN_FRAME_TYPE_AT];
    header->seq = pen_get_u16(raw + PEN_FRAME_SEQ_AT);
    header->stream = raw[PEN_FRAME_STREAM_AT];
    header->n = raw[PEN_FRAME_N_AT];
    header->flags = pen_get_u16(raw + PEN_FRAME_FLAGS_AT);
    header->index = pen_get_u32(raw + PEN_FRAME_INDEX_AT);
    header->t_us = pen_get_u32(raw + PEN_FRAME_T_US_AT);
    frame->payload = raw + PEN_FRAME_RECORD_BYTES;
    frame->payload_size = size - PEN_OVERHEAD_BYTES;
    if (!is_known(header->type))
        return PEN_FRAME_UNKNOWN_TYPE;
    if (header->type == PEN_TYPE_DATA && (header->n == 0 || frame->payload_size % (2u * header->n) != 0))
        return PEN_FRAME_DAMAGED;
    return PEN_FRAME_ACCEPTED;
}

void pen_decoder_reset(pen_decoder *decoder)
{
    decoder->size = 0;
    decoder->skipping = false;
}

bool pen_decoder_count(pen_decoder *decoder, pen_verdict verdict)
{
    switch (verdict) {
    case PEN_FRAME_ACCEPTED:
        decoder->accepted++;
        return true;
    case PEN_FRAME_FOREIGN_VERSION:
        decoder->foreign_version++;
        return false;
    case PEN_FRAME_UNKNOWN_TYPE:
        decoder->unknown_type++;
        return false;
    case PEN_FRAME_DAMAGED:
        break;
    }
    decoder->damaged++;
    return false;
}

/* The stretch between two delimiters is whole. */
static bool closed(pen_decoder *decoder, pen_frame *frame)
{
    size_t size = decoder->size;
    bool counted = decoder->skipping;

    pen_decoder_reset(decoder);
    if (size == 0 || counted)
        return false;
    if (!pen_decode_cobs(decoder->bytes, &size))
        return pen_decoder_count(decoder, PEN_FRAME_DAMAGED);
    return pen_decoder_count(decoder, pen_decode_frame(decoder->bytes, size, frame));
}

bool pen_decoder_push(pen_decoder *decoder, uint8_t byte, pen_frame *frame)
{
    if (byte == 0)
        return closed(decoder, frame);
    if (decoder->skipping)
        return false;
    if (decoder->size < sizeof decoder->bytes) {
        decoder->bytes[decoder->size++] = byte;
        return false;
    }
    decoder->skipping = true;
    return pen_decoder_count(decoder, PEN_FRAME_DAMAGED);
}
