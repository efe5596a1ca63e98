/* SPDX-License-Identifier: Apache-2.0 */
#include "mutate.h"

#include <string.h>

/* splitmix64 */
static uint64_t next(random_source *random)
{
    uint64_t z = random->state += 0x9E3779B97F4A7C15u;

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

uint32_t random_below(random_source *random, uint32_t limit)
{
    return (uint32_t)(next(random) % limit);
}

void random_bytes(random_source *random, uint8_t *out, size_t size)
{
    size_t i;

    for (i = 0; i < size; i++)
        out[i] = (uint8_t)next(random);
}

static uint32_t place(random_source *random, size_t size)
{
    return random_below(random, (uint32_t)size);
}

static void flip_bits(random_source *random, uint8_t *out, size_t size)
{
    static const uint8_t numbers[6] = {1, 1, 1, 2, 3, 8};
    unsigned left = numbers[random_below(random, 6)];

    while (left--)
        out[place(random, size)] ^= (uint8_t)(1u << random_below(random, 8));
}

static size_t cut_out(random_source *random, uint8_t *out, size_t size)
{
    size_t at = place(random, size), n = 1 + random_below(random, 12);

    if (n > size - at)
        n = size - at;
    memmove(out + at, out + at + n, size - at - n);
    return size - n;
}

static size_t put_in(random_source *random, uint8_t *out, size_t size)
{
    size_t at = place(random, size + 1), n = 1 + random_below(random, 4);

    memmove(out + at + n, out + at, size - at);
    random_bytes(random, out + at, n);
    return size + n;
}

static void burst(random_source *random, uint8_t *out, size_t size)
{
    size_t at = place(random, size), n = 1 + random_below(random, 12);

    random_bytes(random, out + at, n < size - at ? n : size - at);
}

static void swap(random_source *random, uint8_t *out, size_t size)
{
    size_t a = place(random, size), b = place(random, size);
    uint8_t kept = out[a];

    out[a] = out[b];
    out[b] = kept;
}

static size_t splice(random_source *random, uint8_t *out, size_t size, const uint8_t *other, size_t other_size)
{
    size_t head = place(random, size), from = place(random, other_size);

    memcpy(out + head, other + from, other_size - from);
    return head + other_size - from;
}

size_t mutate(random_source *random, const uint8_t *bytes, size_t size, const uint8_t *other, size_t other_size,
              uint8_t *out)
{
    memcpy(out, bytes, size);
    if (size == 0 || other_size == 0)
        return put_in(random, out, size);
    switch (random_below(random, 8)) {
    case 0:
        burst(random, out, size);
        return size;
    case 1:
        return cut_out(random, out, size);
    case 2:
        return put_in(random, out, size);
    case 3:
        return splice(random, out, size, other, other_size);
    case 4:
        swap(random, out, size);
        return size;
    case 5:
        size = random_below(random, (uint32_t)size + 64);
        random_bytes(random, out, size);
        return size;
    default:
        flip_bits(random, out, size);
        return size;
    }
}
