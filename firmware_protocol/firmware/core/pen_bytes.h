/* Little-endian numbers in byte arrays, whatever the processor's own order and alignment.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef PEN_BYTES_H
#define PEN_BYTES_H

#include <stdint.h>
#include <string.h>

static inline void pen_put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value & 0xFFu);
    at[1] = (uint8_t)(value >> 8);
}

static inline void pen_put_u32(uint8_t *at, uint32_t value)
{
    pen_put_u16(at, (uint16_t)(value & 0xFFFFu));
    pen_put_u16(at + 2, (uint16_t)(value >> 16));
}

static inline void pen_put_u64(uint8_t *at, uint64_t value)
{
    pen_put_u32(at, (uint32_t)(value & 0xFFFFFFFFu));
    pen_put_u32(at + 4, (uint32_t)(value >> 32));
}

/* The processor must keep floats in IEEE 754 single precision. */
static inline void pen_put_f32(uint8_t *at, float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    pen_put_u32(at, bits);
}

static inline uint16_t pen_get_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] | (uint16_t)at[1] << 8);
}

static inline uint32_t pen_get_u32(const uint8_t *at)
{
    return (uint32_t)pen_get_u16(at) | (uint32_t)pen_get_u16(at + 2) << 16;
}

static inline uint64_t pen_get_u64(const uint8_t *at)
{
    return (uint64_t)pen_get_u32(at) | (uint64_t)pen_get_u32(at + 4) << 32;
}

#endif
