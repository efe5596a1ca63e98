/* Bytes to frames and back: header, CRC-32, COBS. Owns no port and no memory but what it is given.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef PEN_WIRE_H
#define PEN_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pen_config.h"

/* The header without version, which is always PEN_VERSION. */
typedef struct {
    uint8_t type;
    uint16_t seq;
    uint8_t stream;
    uint8_t n;
    uint16_t flags;
    uint32_t index;
    uint32_t t_us;
} pen_header;

/* A decoded frame; the payload lies in the buffer it was decoded from. */
typedef struct {
    pen_header header;
    const uint8_t *payload;
    size_t payload_size;
} pen_frame;

typedef enum {
    PEN_FRAME_ACCEPTED,
    PEN_FRAME_DAMAGED,
    PEN_FRAME_FOREIGN_VERSION,
    PEN_FRAME_UNKNOWN_TYPE
} pen_verdict;

/* Takes the bytes of a serial line one by one; keeps the unfinished stretch. */
typedef struct {
    uint8_t bytes[PEN_MAX_STRETCH_BYTES];
    size_t size;
    bool skipping;
    uint32_t accepted;
    uint32_t damaged;
    uint32_t foreign_version;
    uint32_t unknown_type;
} pen_decoder;

/* CRC-32 (IEEE 802.3, reflected, as in zlib); `crc` is 0 or the result for the bytes before. */
uint32_t pen_crc32(uint32_t crc, const uint8_t *bytes, size_t size);

/* Bytes written to out, or 0 if the frame does not fit. */
size_t pen_encode_frame(const pen_header *header, const uint8_t *payload, size_t payload_size, uint8_t *out,
                        size_t room);

/* COBS and one zero byte. Bytes written to out, or 0 if they do not fit.
 * The frame may be the last `size` bytes of out: nothing is overwritten before it is read. */
size_t pen_encode_serial(const uint8_t *frame, size_t size, uint8_t *out, size_t room);

/* Undo COBS in place, without the delimiter; false if the stretch is no COBS. */
bool pen_decode_cobs(uint8_t *stretch, size_t *size);

/* One frame as it is, e.g. a Bluetooth write. */
pen_verdict pen_decode_frame(const uint8_t *raw, size_t size, pen_frame *frame);

void pen_decoder_reset(pen_decoder *decoder);

/* True when this byte ends a good frame; its payload is valid until the next byte. */
bool pen_decoder_push(pen_decoder *decoder, uint8_t byte, pen_frame *frame);

/* Count what pen_decode_frame said; true for a good frame. */
bool pen_decoder_count(pen_decoder *decoder, pen_verdict verdict);

#endif
