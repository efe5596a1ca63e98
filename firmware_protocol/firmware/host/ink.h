/* What the sensors of a simulated pen read: raw counts, int16 little-endian, n_channels in a row, from a file or a pipe.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef INK_H
#define INK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pen_config.h"

typedef struct {
    int fd;
    bool over;
    bool torn; /* it ended within a sample */
    uint8_t bytes[64u * PEN_MAX_SAMPLE_BYTES];
    size_t size, at;
} ink_source;

/* "-" is standard input. False with the reason in errno. */
bool ink_open(ink_source *ink, const char *path);

/* The next sample; false if there is none now (see `over`). */
bool ink_next(ink_source *ink, int16_t *counts, size_t n_channels);

void ink_close(ink_source *ink);

#endif
