/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#include "ink.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "pen_bytes.h"

bool ink_open(ink_source *ink, const char *path)
{
    memset(ink, 0, sizeof *ink);
    ink->fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY);
    return ink->fd >= 0 && fcntl(ink->fd, F_SETFL, O_NONBLOCK) == 0;
}

/* Whatever has come, behind what is left. */
static void refill(ink_source *ink)
{
    ssize_t got;

    memmove(ink->bytes, ink->bytes + ink->at, ink->size - ink->at);
    ink->size -= ink->at;
    ink->at = 0;
    got = read(ink->fd, ink->bytes + ink->size, sizeof ink->bytes - ink->size);
    if (got > 0)
        ink->size += (size_t)got;
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        ink->over = true;
}

bool ink_next(ink_source *ink, int16_t *counts, size_t n_channels)
{
    size_t i;

    if (ink->size - ink->at < 2 * n_channels && !ink->over)
        refill(ink);
    if (ink->size - ink->at < 2 * n_channels) {
        ink->torn = ink->over && ink->size > ink->at;
        return false;
    }
    for (i = 0; i < n_channels; i++)
        counts[i] = (int16_t)pen_get_u16(ink->bytes + ink->at + 2 * i);
    ink->at += 2 * n_channels;
    return true;
}

void ink_close(ink_source *ink)
{
    if (ink->fd > STDIN_FILENO)
        close(ink->fd);
}
