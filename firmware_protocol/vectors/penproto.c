/* Encoder of the pen's wire protocol, version 1: frame header, CRC-32, COBS.
 *
 * Portable C99, no heap, no operating system: made to be compiled into firmware.
 * It shares no code with the Python encoder; tests compare the two byte for byte.
 * With -DPENPROTO_MAIN it reads frames from standard input, one in a line
 *     type seq stream n flags index t_us payload-hex      ("-" = no payload)
 * and prints "frame-hex serial-hex" for each.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PENPROTO_VERSION 1u
#define PENPROTO_HEADER_BYTES 16u
#define PENPROTO_CRC_BYTES 4u
#define PENPROTO_MAX_FRAME_BYTES 1024u
/* One code byte for every 254 bytes begun, and the delimiter. */
#define PENPROTO_MAX_SERIAL_BYTES (PENPROTO_MAX_FRAME_BYTES + PENPROTO_MAX_FRAME_BYTES / 254u + 2u)

typedef struct {
    uint8_t type;
    uint16_t seq;
    uint8_t stream;
    uint8_t n;
    uint16_t flags;
    uint32_t index;
    uint32_t t_us;
} penproto_header;

uint32_t penproto_crc32(const uint8_t *bytes, size_t size);
size_t penproto_frame(const penproto_header *header, const uint8_t *payload, size_t payload_size,
                      uint8_t *out, size_t out_size);
size_t penproto_serial(const uint8_t *frame, size_t size, uint8_t *out, size_t out_size);

/* CRC-32 (IEEE 802.3, reflected, as in zlib), four bits at a time: a table of 64 bytes. */
uint32_t penproto_crc32(const uint8_t *bytes, size_t size)
{
    static const uint32_t nibble[16] = {
        0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u,
        0x4DB26158u, 0x5005713Cu, 0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu,
        0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu,
    };
    uint32_t crc = 0xFFFFFFFFu;
    size_t i;

    for (i = 0; i < size; i++) {
        crc ^= bytes[i];
        crc = (crc >> 4) ^ nibble[crc & 0x0Fu];
        crc = (crc >> 4) ^ nibble[crc & 0x0Fu];
    }
    return crc ^ 0xFFFFFFFFu;
}

static uint8_t *put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value & 0xFFu);
    at[1] = (uint8_t)(value >> 8);
    return at + 2;
}

static uint8_t *put_u32(uint8_t *at, uint32_t value)
{
    at = put_u16(at, (uint16_t)(value & 0xFFFFu));
    return put_u16(at, (uint16_t)(value >> 16));
}

/* Bytes written to out, or 0 if the frame does not fit. */
size_t penproto_frame(const penproto_header *header, const uint8_t *payload, size_t payload_size,
                      uint8_t *out, size_t out_size)
{
    const size_t fixed = PENPROTO_HEADER_BYTES + PENPROTO_CRC_BYTES;
    uint8_t *at = out;

    if (payload_size > PENPROTO_MAX_FRAME_BYTES - fixed || out_size < fixed + payload_size)
        return 0;
    *at++ = PENPROTO_VERSION;
    *at++ = header->type;
    at = put_u16(at, header->seq);
    *at++ = header->stream;
    *at++ = header->n;
    at = put_u16(at, header->flags);
    at = put_u32(at, header->index);
    at = put_u32(at, header->t_us);
    if (payload_size > 0)
        memcpy(at, payload, payload_size);
    at += payload_size;
    at = put_u32(at, penproto_crc32(out, (size_t)(at - out)));
    return (size_t)(at - out);
}

/* COBS and one zero byte. Bytes written to out, or 0 if they do not fit. */
size_t penproto_serial(const uint8_t *frame, size_t size, uint8_t *out, size_t out_size)
{
    size_t code_at = 0; /* where the length of the open block goes */
    size_t used = 1;
    size_t i;
    uint8_t code = 1;

    if (out_size < size + size / 254u + 2u)
        return 0;
    for (i = 0; i < size; i++) {
        if (frame[i] != 0) {
            out[used++] = frame[i];
            code++;
        }
        /* A full block at the very end needs no block behind it. */
        if (frame[i] == 0 || (code == 0xFFu && i + 1 < size)) {
            out[code_at] = code;
            code_at = used++;
            code = 1;
        }
    }
    out[code_at] = code;
    out[used++] = 0;
    return used;
}

#ifdef PENPROTO_MAIN
#include <inttypes.h>
#include <stdio.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

static size_t read_hex(const char *text, uint8_t *out, size_t out_size)
{
    size_t n = 0;

    while (n < out_size && hex_digit(text[2 * n]) >= 0 && hex_digit(text[2 * n + 1]) >= 0) {
        out[n] = (uint8_t)(hex_digit(text[2 * n]) * 16 + hex_digit(text[2 * n + 1]));
        n++;
    }
    return n;
}

static void print_hex(const uint8_t *bytes, size_t size, char end)
{
    size_t i;

    for (i = 0; i < size; i++)
        printf("%02x", (unsigned)bytes[i]);
    putchar(end);
}

int main(void)
{
    static char hex[2 * PENPROTO_MAX_FRAME_BYTES + 2];
    static uint8_t payload[PENPROTO_MAX_FRAME_BYTES];
    static uint8_t frame[PENPROTO_MAX_FRAME_BYTES];
    static uint8_t serial[PENPROTO_MAX_SERIAL_BYTES];
    unsigned type, seq, stream, n, flags;
    uint32_t index, t_us;

    while (scanf("%u %u %u %u %u %" SCNu32 " %" SCNu32 " %2049s", &type, &seq, &stream, &n, &flags, &index,
                 &t_us, hex) == 8) {
        penproto_header header;
        size_t size;

        header.type = (uint8_t)type;
        header.seq = (uint16_t)seq;
        header.stream = (uint8_t)stream;
        header.n = (uint8_t)n;
        header.flags = (uint16_t)flags;
        header.index = index;
        header.t_us = t_us;
        size = penproto_frame(&header, payload, read_hex(hex, payload, sizeof payload), frame, sizeof frame);
        print_hex(frame, size, ' ');
        print_hex(serial, penproto_serial(frame, size, serial, sizeof serial), '\n');
    }
    return 0;
}
#endif
