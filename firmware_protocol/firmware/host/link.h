/* The pen's end of a byte stream on this machine: a pseudo-terminal or a TCP port.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LINK_H
#define LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    int listener; /* TCP only, else -1 */
    int fd;       /* what the host talks to; -1 while no TCP host is there */
    int slave;    /* pseudo-terminal only: held open so that a host may come and go */
    char address[64];
} host_link;

/* False with the reason in errno. `address` is what the host opens. */
bool link_open_pty(host_link *link);
bool link_open_tcp(host_link *link, uint16_t port);

/* TCP: take the host that knocks, if one does. True if one is new. */
bool link_accept(host_link *link);

/* Bytes read, 0 if there are none now, -1 if the host is gone. */
long link_read(host_link *link, uint8_t *bytes, size_t room);

/* Bytes taken, 0 if there is no room now. A host that is gone is found by link_read. */
size_t link_write(host_link *link, const uint8_t *bytes, size_t size);

/* True when the host has read all that was written (as far as this machine can tell). */
bool link_is_drained(const host_link *link);

/* The host is sent away (TCP) and may come again. */
void link_hang_up(host_link *link);

void link_close(host_link *link);

#endif
