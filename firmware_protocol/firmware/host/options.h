/* The command line of pen_sim. SPDX-License-Identifier: Apache-2.0 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const char *ink;
    const char *name;
    double speed;          /* 0 = as fast as the host reads */
    double drop;           /* probability that a DATA frame is lost on the way */
    uint32_t rate_mhz;     /* 0 = as the description says */
    uint32_t boot_id;
    uint32_t reboot_after; /* samples; 0 = never */
    uint32_t seed;
    uint16_t port;
    bool tcp;
    bool hang_up;
} pen_options;

/* False after saying what is wrong (or --help, with *status 0). */
bool options_read(pen_options *options, int argc, char **argv, int *status);

#endif
