/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char USAGE[] =
    "pen_sim: the reference firmware on a pseudo-terminal or a TCP port of this machine\n"
    "\n"
    "usage: pen_sim --ink FILE [options]\n"
    "  --ink FILE        raw counts, int16 little-endian, 13 to a sample; - = standard input\n"
    "                    (python -m penapp.simulation export-counts FILE writes them)\n"
    "  --tcp [PORT]      listen on 127.0.0.1 instead of a pseudo-terminal; without PORT the system chooses one\n"
    "  --speed X         1 = real time (default), 0 = as fast as the host reads, nothing is dropped then\n"
    "  --rate HZ         samples per second, 25 to 400 (default 100)\n"
    "  --name TEXT       the pen's name\n"
    "  --boot-id N       boot id of the first start (default: from the clock)\n"
    "  --reboot-after N  start again once, after N samples\n"
    "  --drop P          lose each frame of samples with probability P\n"
    "  --seed N          of the losses (default 1)\n"
    "  --hang-up         leave when the ink is over and the host has read it (default: stay and answer)\n"
    "\n"
    "The first line of output is the address to open, e.g. `penapp live --pen /dev/pts/3`.\n";

static bool to_number(const char *text, double low, double high, double *number)
{
    char *end;

    errno = 0;
    *number = strtod(text, &end);
    return errno == 0 && end != text && *end == '\0' && *number >= low && *number <= high;
}

/* The value of option `name`, checked; complains and gives false otherwise. */
static bool value_of(const char *name, const char *text, double low, double high, double *number)
{
    if (text != NULL && to_number(text, low, high, number))
        return true;
    fprintf(stderr, "pen_sim: %s is %s, expected a number from %g to %g (--help)\n", name,
            text != NULL ? text : "without its value", low, high);
    return false;
}

/* One option with a number; *known tells whether there is such an option. */
static bool number_option(pen_options *options, const char *name, const char *text, bool *known)
{
    double number = 0;

    *known = true;
    if (strcmp(name, "--speed") == 0)
        return value_of(name, text, 0, 1e6, &options->speed);
    if (strcmp(name, "--drop") == 0)
        return value_of(name, text, 0, 1, &options->drop);
    if (strcmp(name, "--rate") == 0) {
        if (!value_of(name, text, 25, 400, &number))
            return false;
        options->rate_mhz = (uint32_t)(number * 1000 + 0.5);
        return true;
    }
    *known = strcmp(name, "--boot-id") == 0 || strcmp(name, "--reboot-after") == 0 || strcmp(name, "--seed") == 0;
    if (!*known || !value_of(name, text, 0, 4294967295.0, &number))
        return false;
    if (strcmp(name, "--boot-id") == 0)
        options->boot_id = (uint32_t)number;
    else if (strcmp(name, "--reboot-after") == 0)
        options->reboot_after = (uint32_t)number;
    else
        options->seed = (uint32_t)number;
    return true;
}

static bool text_option(pen_options *options, const char *name, const char *text)
{
    if (strcmp(name, "--ink") != 0 && strcmp(name, "--name") != 0) {
        fprintf(stderr, "pen_sim: there is no option %s (--help)\n", name);
        return false;
    }
    if (text == NULL) {
        fprintf(stderr, "pen_sim: %s is without its value (--help)\n", name);
        return false;
    }
    *(strcmp(name, "--ink") == 0 ? &options->ink : &options->name) = text;
    return true;
}

/* Reads argv[i]; how many of them it took, 0 = wrong. */
static int one_option(pen_options *options, int argc, char **argv, int i)
{
    const char *name = argv[i], *text = i + 1 < argc ? argv[i + 1] : NULL;
    double port;
    bool known;

    if (strcmp(name, "--hang-up") == 0) {
        options->hang_up = true;
        return 1;
    }
    if (strcmp(name, "--tcp") == 0) {
        options->tcp = true;
        if (text == NULL || !to_number(text, 0, 65535, &port))
            return 1;
        options->port = (uint16_t)port;
        return 2;
    }
    if (number_option(options, name, text, &known))
        return 2;
    return !known && text_option(options, name, text) ? 2 : 0;
}

bool options_read(pen_options *options, int argc, char **argv, int *status)
{
    int i, taken;

    memset(options, 0, sizeof *options);
    options->speed = 1;
    options->seed = 1;
    *status = 2;
    for (i = 1; i < argc; i += taken) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(USAGE, stdout);
            *status = 0;
            return false;
        }
        taken = one_option(options, argc, argv, i);
        if (taken == 0)
            return false;
    }
    if (options->ink == NULL) {
        fputs("pen_sim: nothing to write, expected --ink FILE (--help)\n", stderr);
        return false;
    }
    return true;
}
