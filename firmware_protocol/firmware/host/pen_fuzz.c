/* Damaged bytes through decoder and command parser; built with the sanitizers, so that a fault ends it.
 *
 *     pen_fuzz [BYTES [SEED]]      mutated bytes for each of the three campaigns, default 10,000,000
 *
 * stretches:     damaged frames on a serial line, byte by byte
 * notifications: damaged frames as Bluetooth writes, each in a buffer of exactly its size
 * commands:      damaged commands with a right check sum, on a pen that streams; what it says must be in order
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mutate.h"
#include "pen_bytes.h"
#include "pen_carrier.h"
#include "pen_text.h"

#define N_ORIGINALS 96u
#define N_COMMANDS 32u
#define ROOM (2u * PEN_MAX_FRAME_BYTES + 64u)

typedef struct {
    uint8_t raw[PEN_MAX_FRAME_BYTES];
    size_t size;
} original;

static original originals[N_ORIGINALS]; /* the first N_COMMANDS are commands, the others samples */
static random_source source;
static unsigned long long false_accepts, wrong_answers, accepted, refused;

static uint64_t now_us(void *context)
{
    uint64_t *clock_us = context;

    return *clock_us;
}

/* Arguments that mean something, so that damage goes on from there. */
static size_t sensible_payload(uint8_t op, uint8_t tag, uint8_t *out)
{
    memset(out, 0, 64);
    out[0] = op;
    out[1] = tag;
    switch (op) {
    case PEN_OP_START:
        pen_put_u32(out + 2, 1);
        pen_put_u32(out + 6, pen_schema_hash(&pen_standard));
        return 10;
    case PEN_OP_SET_RATE:
        pen_put_u32(out + 3, 100000);
        return 7;
    case PEN_OP_SET_RANGE:
    case PEN_OP_IDENTIFY:
    case PEN_OP_CAL_READ:
        return 4;
    case PEN_OP_TIME_SYNC:
        return 10;
    case PEN_OP_NAME:
        memcpy(out + 2, "F\xC3\xBCller", 7);
        return 9;
    case PEN_OP_CAL_WRITE:
        pen_put_u16(out + 4, 40);
        pen_put_u32(out + 6 + 36, pen_crc32(0, out + 6, 36));
        return 46;
    default:
        return 2;
    }
}

static size_t seal(const pen_header *header, const uint8_t *payload, size_t size, uint8_t *out)
{
    return pen_encode_frame(header, payload, size, out, PEN_MAX_FRAME_BYTES);
}

static void make_originals(void)
{
    uint8_t payload[PEN_MAX_BATCH_SAMPLES * 26];
    unsigned i;

    for (i = 0; i < N_ORIGINALS; i++) {
        pen_header header = {.type = PEN_TYPE_CMD, .seq = (uint16_t)i};
        size_t size;

        if (i < N_COMMANDS) {
            size = sensible_payload((uint8_t)(1 + i % (PEN_OP_DFU + 1)), (uint8_t)i, payload);
        } else {
            header.type = PEN_TYPE_DATA;
            header.n = (uint8_t)(1 + i % PEN_MAX_BATCH_SAMPLES);
            header.index = 8 * i;
            header.t_us = 80000 * i;
            size = 26u * header.n;
            random_bytes(&source, payload, size);
            if (i % 2) /* as pens write: small numbers, many zero bytes */
                memset(payload, 0, size / 2);
        }
        originals[i].size = seal(&header, payload, size, originals[i].raw);
    }
}

static bool is_original(const uint8_t *raw, size_t size)
{
    unsigned i;

    for (i = 0; i < N_ORIGINALS; i++) {
        if (originals[i].size == size && memcmp(originals[i].raw, raw, size) == 0)
            return true;
    }
    return false;
}

/* An accepted frame must be one that was sent. Its bytes lie around the payload. */
static void judge(const pen_frame *frame)
{
    accepted++;
    if (!is_original(frame->payload - PEN_FRAME_RECORD_BYTES, frame->payload_size + PEN_OVERHEAD_BYTES))
        false_accepts++;
}

static const original *any_original(uint32_t limit)
{
    return &originals[random_below(&source, limit)];
}

/* The same stretch without a byte of room around it: reading past its end is a fault. */
static void decode_exactly(const uint8_t *stretch, size_t size)
{
    uint8_t *exact = malloc(size ? size : 1);

    if (exact == NULL)
        abort();
    memcpy(exact, stretch, size);
    pen_decode_cobs(exact, &size);
    free(exact);
}

static unsigned long long stretches(unsigned long long wanted)
{
    static uint8_t a[PEN_MAX_SERIAL_BYTES], b[PEN_MAX_SERIAL_BYTES], damaged[ROOM];
    static pen_decoder decoder;
    unsigned long long bytes = 0;
    pen_frame frame;

    while (bytes < wanted) {
        const original *one = any_original(N_ORIGINALS), *two = any_original(N_ORIGINALS);
        size_t n_a = pen_encode_serial(one->raw, one->size, a, sizeof a) - 1;
        size_t n_b = pen_encode_serial(two->raw, two->size, b, sizeof b) - 1;
        size_t size = mutate(&source, a, n_a, b, n_b, damaged), i;

        decode_exactly(damaged, size);
        damaged[size++] = 0;
        for (i = 0; i < size; i++) {
            if (pen_decoder_push(&decoder, damaged[i], &frame))
                judge(&frame);
        }
        bytes += size;
    }
    refused += decoder.damaged;
    return bytes;
}

static unsigned long long notifications(unsigned long long wanted)
{
    static uint8_t damaged[ROOM];
    unsigned long long bytes = 0;
    pen_frame frame;

    while (bytes < wanted) {
        const original *one = any_original(N_ORIGINALS), *two = any_original(N_ORIGINALS);
        size_t size = mutate(&source, one->raw, one->size, two->raw, two->size, damaged);
        uint8_t *exact = malloc(size ? size : 1);

        if (exact == NULL)
            abort();
        memcpy(exact, damaged, size);
        if (pen_decode_frame(exact, size, &frame) == PEN_FRAME_ACCEPTED)
            judge(&frame);
        else
            refused++;
        free(exact);
        bytes += size;
    }
    return bytes;
}

/* What a pen says must be a frame; samples in order; an answer with a known status. */
static void listen(pen_core *pen, uint32_t *next_index)
{
    static uint8_t raw[PEN_MAX_FRAME_BYTES];
    pen_frame frame;
    size_t size;

    while ((size = pen_next_frame(pen, raw, sizeof raw)) > 0) {
        bool good = size <= pen_link_bytes(pen) && pen_decode_frame(raw, size, &frame) == PEN_FRAME_ACCEPTED;

        if (good && frame.header.type == PEN_TYPE_RSP)
            good = frame.payload_size >= 3 && frame.payload[2] <= PEN_STATUS_FAILED;
        if (good && frame.header.type == PEN_TYPE_DATA) {
            good = frame.header.index >= *next_index && frame.header.n > 0;
            *next_index = frame.header.index + frame.header.n;
        }
        wrong_answers += !good;
    }
}

static void check_memory(const pen_core *pen)
{
    const pen_calibration *calibration = &pen->calibration;
    bool good = pen_is_utf8(pen->identity.name, pen->identity.name_size);

    good &= calibration->stored_size == 0 || pen_is_sealed(calibration->stored, calibration->stored_size);
    good &= pen->identity.rate_mhz >= pen_standard.stream.min_rate_mhz;
    good &= pen->identity.rate_mhz <= pen_standard.stream.max_rate_mhz;
    wrong_answers += !good;
}

static void give_command(pen_core *pen, const uint8_t *payload, size_t size)
{
    static uint8_t raw[PEN_MAX_FRAME_BYTES], wire[PEN_MAX_SERIAL_BYTES];
    pen_header header = {.type = PEN_TYPE_CMD};
    size_t n = seal(&header, payload, size, raw);

    if (pen->mtu != 0)
        pen_receive_frame(pen, raw, n);
    else
        pen_receive(pen, wire, pen_encode_serial(raw, n, wire, sizeof wire));
}

/* A piece of calibration where the pen expects one, of any length and any total: chance would not get that far. */
static size_t next_piece(const pen_core *pen, uint8_t *out)
{
    size_t size = random_below(&source, 900);

    out[0] = PEN_OP_CAL_WRITE;
    out[1] = (uint8_t)random_below(&source, 256);
    pen_put_u16(out + 2, random_below(&source, 64) == 0 ? 0 : pen->calibration.incoming_size);
    pen_put_u16(out + 4, (uint16_t)random_below(&source, 8192));
    random_bytes(&source, out + 6, size);
    return 6 + size;
}

static unsigned long long commands(unsigned long long wanted)
{
    static const uint16_t mtus[5] = {0, 0, 23, 49, 247};
    static pen_core pen;
    static pen_board board;
    static uint64_t clock_us;
    static uint8_t damaged[ROOM];
    unsigned long long bytes = 0;
    uint32_t next_index = 0;

    board.context = &clock_us;
    board.now_us = now_us;
    if (!pen_init(&pen, &pen_standard, &board, 1, 0))
        abort();
    while (bytes < wanted) {
        const original *one = any_original(N_COMMANDS), *two = any_original(N_COMMANDS);
        size_t size = mutate(&source, one->raw + PEN_FRAME_RECORD_BYTES, one->size - PEN_OVERHEAD_BYTES,
                             two->raw + PEN_FRAME_RECORD_BYTES, two->size - PEN_OVERHEAD_BYTES, damaged);
        int16_t counts[13] = {1, -2, 3};
        uint32_t n;

        if (random_below(&source, 16) == 0)
            size = next_piece(&pen, damaged);
        give_command(&pen, damaged, size);
        for (n = random_below(&source, 12); n > 0; n--)
            pen_take(&pen, counts, clock_us += 10000);
        if (random_below(&source, 4) > 0)
            listen(&pen, &next_index);
        if (random_below(&source, 200) == 0)
            pen_connect(&pen, mtus[random_below(&source, 5)]);
        check_memory(&pen);
        bytes += size;
    }
    return bytes;
}

int main(int argc, char **argv)
{
    unsigned long long wanted = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000000u;
    unsigned long long bytes[3];

    source.state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1u;
    make_originals();
    bytes[0] = stretches(wanted);
    bytes[1] = notifications(wanted);
    bytes[2] = commands(wanted);
    printf("pen_fuzz: %llu + %llu + %llu mutated bytes (stretches, notifications, commands), %llu refused, "
           "%llu undamaged among them, %llu false accepts, %llu wrong answers\n",
           bytes[0], bytes[1], bytes[2], refused, accepted, false_accepts, wrong_answers);
    return false_accepts || wrong_answers;
}
