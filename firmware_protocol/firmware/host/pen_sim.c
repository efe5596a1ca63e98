/* The reference firmware on this machine: a second virtual pen that shares no code with the first.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "ink.h"
#include "link.h"
#include "options.h"
#include "pen_carrier.h"
#include "sampling.h"

#define UNPACED_SAMPLES 64u
#define IDLE_MS 200
#define DRAINED_US 100000u

typedef struct {
    pen_options options;
    pen_core pen;
    pen_board board;
    pen_serial serial;
    host_link link;
    ink_source ink;
    uint8_t received[512];
    size_t n_received, at_received;

    sample_clock clock;
    uint64_t total;
    uint64_t dropped;
    uint32_t random;
    bool told_end;
    uint64_t busy_us; /* this machine's clock when the line was last seen busy after the end */
} simulation;

static volatile sig_atomic_t stopping;

static void on_signal(int number)
{
    (void)number;
    stopping = 1;
}

static uint64_t now_us(void *context)
{
    return sampling_now_us(&((simulation *)context)->clock);
}

static void identify(void *context, uint16_t blink_ms)
{
    (void)context;
    fprintf(stderr, "pen_sim: here I am (blinks for %u ms)\n", (unsigned)blink_ms);
}

static pen_battery battery(void *context)
{
    static const pen_battery full = {87, 3920, 0};

    (void)context;
    return full;
}

static bool is_lost(simulation *sim)
{
    sim->random ^= sim->random << 13;
    sim->random ^= sim->random >> 17;
    sim->random ^= sim->random << 5;
    return sim->random < sim->options.drop * 4294967296.0;
}

/* The type of a frame stands behind one code byte and the version, neither of which is zero. */
static size_t write_link(void *context, const uint8_t *bytes, size_t size)
{
    simulation *sim = context;

    if (sim->options.drop > 0 && sim->serial.sent == 0 && bytes[2] == PEN_TYPE_DATA && is_lost(sim)) {
        sim->dropped++;
        return size;
    }
    return link_write(&sim->link, bytes, size);
}

static bool boot(simulation *sim, uint32_t boot_id, uint32_t resets)
{
    if (!pen_init(&sim->pen, &pen_standard, &sim->board, boot_id, resets))
        return false;
    if (sim->options.name != NULL)
        pen_restore_name(&sim->pen, (const uint8_t *)sim->options.name, (uint8_t)strlen(sim->options.name));
    if (sim->options.rate_mhz != 0)
        sim->pen.identity.rate_mhz = sim->options.rate_mhz;
    sampling_boot(&sim->clock);
    pen_connect(&sim->pen, 0);
    return true;
}

/* As when the battery was out for a moment: calibration and name are kept, the clock and all counters are not. */
static void reboot(simulation *sim)
{
    static pen_calibration kept;
    pen_identity identity = sim->pen.identity;
    uint32_t resets = sim->pen.resets + 1;

    kept = sim->pen.calibration;
    link_hang_up(&sim->link);
    pen_serial_reset(&sim->serial);
    sim->n_received = sim->at_received = 0;
    sim->options.reboot_after = 0;
    boot(sim, identity.boot_id + 1, resets);
    pen_restore_name(&sim->pen, identity.name, identity.name_size);
    pen_restore_calibration(&sim->pen, kept.stored, kept.stored_size);
    fprintf(stderr, "pen_sim: started again after %llu samples\n", (unsigned long long)sim->total);
}

/* Without pace the host sets it: nothing is taken that would push a frame out of the queue. */
static bool may_sample(simulation *sim)
{
    return sim->clock.speed <= 0 ? !pen_is_full(&sim->pen) : sampling_is_due(&sim->clock);
}

static void end_ink(simulation *sim)
{
    if (sim->told_end)
        return;
    sim->told_end = true;
    sim->busy_us = machine_us();
    pen_close_batch(&sim->pen);
    if (sim->ink.torn)
        fprintf(stderr, "pen_sim: %s ends within a sample of %u channels\n", sim->options.ink,
                (unsigned)pen_standard.stream.n_channels);
    fprintf(stderr, "pen_sim: the ink is over after %llu samples\n", (unsigned long long)sim->total);
}

/* Let the sensors measure what is due; true if there may be more at once. */
static bool take_samples(simulation *sim)
{
    int16_t counts[PEN_MAX_CHANNELS];
    unsigned n;

    if (!sim->pen.streaming) {
        sampling_pause(&sim->clock);
        return false;
    }
    sampling_run(&sim->clock, sim->pen.identity.rate_mhz);
    for (n = 0; n < UNPACED_SAMPLES && may_sample(sim); n++) {
        if (!ink_next(&sim->ink, counts, pen_standard.stream.n_channels)) {
            if (sim->ink.over)
                end_ink(sim);
            return false;
        }
        pen_take(&sim->pen, counts, sampling_stamp(&sim->clock));
        sim->total++;
        if (sim->options.reboot_after != 0 && sim->total >= sim->options.reboot_after) {
            reboot(sim);
            return false;
        }
    }
    return n > 0;
}

static void lose_host(simulation *sim)
{
    link_hang_up(&sim->link);
    pen_disconnect(&sim->pen);
    pen_serial_reset(&sim->serial);
    sim->n_received = sim->at_received = 0;
}

/* What the host said; true if there was something. */
static bool listen_to_host(simulation *sim)
{
    size_t before = sim->at_received;
    long got;

    if (link_accept(&sim->link))
        pen_connect(&sim->pen, 0);
    if (sim->at_received == sim->n_received) {
        got = link_read(&sim->link, sim->received, sizeof sim->received);
        if (got < 0)
            lose_host(sim);
        before = sim->at_received = 0;
        sim->n_received = got > 0 ? (size_t)got : 0;
    }
    sim->at_received += pen_receive(&sim->pen, sim->received + sim->at_received, sim->n_received - sim->at_received);
    return sim->at_received > before;
}

/* What was written may still be on its way through the system: the line must be empty for a while. */
static bool is_done(simulation *sim)
{
    bool sent = pen_queue_oldest(&sim->pen.queue) == NULL && sim->serial.sent == sim->serial.size;

    if (!sim->options.hang_up || !sim->told_end)
        return false;
    if (!sent || !link_is_drained(&sim->link))
        sim->busy_us = machine_us();
    return machine_us() - sim->busy_us > DRAINED_US;
}

static int patience_ms(simulation *sim)
{
    if (sim->told_end && sim->options.hang_up)
        return 10;
    if (!sim->pen.streaming || sim->told_end || sim->clock.speed <= 0)
        return IDLE_MS;
    return sampling_patience_ms(&sim->clock, IDLE_MS);
}

static void wait_for_something(simulation *sim, int timeout_ms)
{
    struct pollfd places[2];
    nfds_t n = 1;

    places[0].fd = sim->link.fd >= 0 ? sim->link.fd : sim->link.listener;
    places[0].events = (short)(sim->at_received == sim->n_received ? POLLIN : 0);
    if (sim->serial.sent < sim->serial.size)
        places[0].events |= POLLOUT;
    if (sim->pen.streaming && !sim->ink.over && sim->clock.speed <= 0 && !pen_is_full(&sim->pen)) {
        places[1].fd = sim->ink.fd;
        places[1].events = POLLIN;
        n = 2;
    }
    poll(places, n, timeout_ms);
}

static void run(simulation *sim)
{
    while (!stopping && !is_done(sim)) {
        bool busy = listen_to_host(sim);

        busy |= take_samples(sim);
        busy |= pen_serial_pump(&sim->serial, &sim->pen);
        if (!busy)
            wait_for_something(sim, patience_ms(sim));
    }
}

static bool set_up(simulation *sim)
{
    const char *what = sim->options.ink;
    bool good = ink_open(&sim->ink, what);

    if (good) {
        what = sim->options.tcp ? "the TCP port" : "a pseudo-terminal";
        good = sim->options.tcp ? link_open_tcp(&sim->link, sim->options.port) : link_open_pty(&sim->link);
    }
    if (!good) {
        fprintf(stderr, "pen_sim: %s cannot be opened: %s\n", what, strerror(errno));
        return false;
    }
    sim->board.context = sim->serial.context = sim;
    sim->board.now_us = now_us;
    sim->board.identify = identify;
    sim->board.battery = battery;
    sim->serial.write = write_link;
    sim->clock.speed = sim->options.speed;
    sim->random = (sim->options.seed * 2654435761u) | 1u;
    return boot(sim, sim->options.boot_id != 0 ? sim->options.boot_id : (uint32_t)machine_us(), 0);
}

static void handle_signals(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}

int main(int argc, char **argv)
{
    static simulation sim;
    int status;

    if (!options_read(&sim.options, argc, argv, &status))
        return status;
    handle_signals();
    if (!set_up(&sim))
        return 1;
    printf("%s\n", sim.link.address);
    fflush(stdout);
    run(&sim);
    fprintf(stderr, "pen_sim: %llu samples, %lu frames sent, %lu overruns, %llu lost on the way\n",
            (unsigned long long)sim.total, (unsigned long)sim.pen.frames_sent,
            (unsigned long)sim.pen.queue.overruns, (unsigned long long)sim.dropped);
    ink_close(&sim.ink);
    link_close(&sim.link);
    return 0;
}
