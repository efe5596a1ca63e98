/* SPDX-License-Identifier: Apache-2.0 */
#include "pen_text.h"

#include "pen_bytes.h"
#include "pen_wire.h"

/* Bytes behind the first one of a character, and the range of the first of them; -1 if no character begins so. */
static int tail_of(uint8_t first, uint8_t *low, uint8_t *high)
{
    *low = 0x80;
    *high = 0xBF;
    if (first < 0x80)
        return 0;
    if (first >= 0xC2 && first <= 0xDF)
        return 1;
    if (first >= 0xE0 && first <= 0xEF) {
        if (first == 0xE0)
            *low = 0xA0;
        if (first == 0xED)
            *high = 0x9F;
        return 2;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        if (first == 0xF0)
            *low = 0x90;
        if (first == 0xF4)
            *high = 0x8F;
        return 3;
    }
    return -1;
}

bool pen_is_utf8(const uint8_t *bytes, size_t size)
{
    size_t i = 0;

    while (i < size) {
        uint8_t low, high;
        int left = tail_of(bytes[i++], &low, &high);

        if (left < 0)
            return false;
        for (; left > 0; left--, i++) {
            if (i >= size || bytes[i] < low || bytes[i] > high)
                return false;
            low = 0x80;
            high = 0xBF;
        }
    }
    return true;
}

bool pen_is_sealed(const uint8_t *stored, size_t size)
{
    if (size < PEN_CRC_BYTES)
        return false;
    size -= PEN_CRC_BYTES;
    return pen_crc32(0, stored, size) == pen_get_u32(stored + size);
}
