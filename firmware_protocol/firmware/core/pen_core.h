/* The pen: commands in, samples in, frames out. No heap, no operating system, no port.
 *
 * All calls on one pen come from one context (the main loop). An interrupt takes the time stamp and leaves it for the
 * loop; it never calls in here.
 *
 *     pen_init(...)                                     once
 *     pen_connect(...), pen_disconnect(...)             when a link comes and goes
 *     pen_receive(...) / pen_receive_frame(...)         what the host sent
 *     pen_take(...)                                     each sample, whether somebody listens or not
 *     pen_next_frame(...)                               what goes out, one frame at a time (see pen_carrier.h)
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef PEN_CORE_H
#define PEN_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pen_description.h"
#include "pen_queue.h"
#include "pen_wire.h"

typedef struct {
    uint8_t percent;
    uint16_t millivolts;
    uint8_t charging;
} pen_battery;

/* What only the board can do. Everything but now_us may be NULL: then IDENTIFY does nothing, BATTERY, SET_RANGE and DFU
 * are NOT_SUPPORTED, SELFTEST finds no fault, every rate within the stream's limits is right, nothing is kept. */
typedef struct {
    void *context;
    uint64_t (*now_us)(void *context);
    void (*identify)(void *context, uint16_t blink_ms);
    pen_battery (*battery)(void *context);
    bool (*set_rate)(void *context, uint32_t rate_mhz);
    uint8_t (*set_range)(void *context, uint8_t quantity, uint8_t code); /* a PEN_STATUS */
    uint16_t (*selftest)(void *context);                                 /* bit k: quantity k has failed */
    uint8_t (*update)(void *context);                                    /* DFU: a PEN_STATUS */
    void (*keep_name)(void *context, const uint8_t *name, uint8_t size);
    void (*keep_calibration)(void *context, const uint8_t *stored, uint16_t size);
} pen_board;

/* The answer to the last command: kept, because the same command may come again. */
typedef struct {
    uint8_t payload[3u + PEN_MAX_DESCRIPTOR_BYTES]; /* op + 0x80, tag, status, contents */
    uint16_t size;
    bool waiting;   /* it has not left yet */
    bool known;     /* there was a command on this link */
    uint32_t after; /* it leaves when so many frames are gone: STOP and SET_RATE do not overtake samples */
    uint32_t command_crc;
    size_t command_size;
} pen_answer;

typedef struct {
    uint8_t type; /* EVENT or LOG */
    uint8_t size;
    uint8_t payload[PEN_NOTICE_BYTES];
} pen_notice;

typedef struct {
    uint8_t stored[PEN_CAL_BYTES]; /* with its CRC-32 */
    uint16_t stored_size;
    uint8_t incoming[PEN_CAL_BYTES];
    uint16_t incoming_size;
} pen_calibration;

typedef struct {
    const pen_description *description;
    const pen_board *board;
    pen_identity identity;
    uint32_t schema_hash;

    uint16_t mtu; /* 0 = a byte stream */
    bool streaming;
    pen_decoder decoder;
    pen_answer answer;

    uint32_t index;   /* samples taken */
    uint64_t last_us; /* time of the last one */
    pen_batch batch;  /* the one being filled */
    uint16_t next_flags;
    uint16_t epoch;
    pen_queue queue;

    pen_notice notices[PEN_QUEUE_NOTICES];
    uint8_t first_notice;
    uint8_t n_notices;

    uint16_t seq_data, seq_response, seq_event, seq_log;
    uint32_t frames_sent;
    uint32_t resets;
    pen_calibration calibration;
} pen_core;

/* Everything to its beginning. boot_id: random at each start; resets: how often the board has started before.
 * False if the description does not fit the wire or PEN_MAX_CHANNELS. Both structures must outlive the pen. */
bool pen_init(pen_core *pen, const pen_description *description, const pen_board *board, uint32_t boot_id,
              uint32_t resets);

/* What the board has kept from an earlier life; a name or calibration that is not right is left alone. */
void pen_restore_name(pen_core *pen, const uint8_t *name, uint8_t size);
void pen_restore_calibration(pen_core *pen, const uint8_t *stored, uint16_t size);

/* A host is there. mtu: 0 for a byte stream, else the ATT MTU. Nothing of an earlier link is left. */
void pen_connect(pen_core *pen, uint16_t mtu);

/* The link agreed on another MTU; one too small for a sample ends the streaming. */
void pen_set_mtu(pen_core *pen, uint16_t mtu);

/* The host is gone: streaming stops, half a command and waiting frames are forgotten, samples keep being counted. */
void pen_disconnect(pen_core *pen);

/* Bytes of a byte stream. Returns how many were taken: fewer while an answer waits to leave. */
size_t pen_receive(pen_core *pen, const uint8_t *bytes, size_t size);

/* One Bluetooth write. False if it was not taken because an answer waits to leave; the host asks again. */
bool pen_receive_frame(pen_core *pen, const uint8_t *value, size_t size);

/* One sample, n_channels counts, with the time stamp of its interrupt. */
void pen_take(pen_core *pen, const int16_t *counts, uint64_t t_us);

/* Samples that the sensors made and nobody read in time: counted, so that the gap is exact. */
void pen_miss(pen_core *pen, uint32_t samples);

/* True if the next sample would push a frame out of the queue. */
bool pen_is_full(const pen_core *pen);

/* Say something of the pen's own accord; the payload is cut to PEN_NOTICE_BYTES, the oldest notice gives way. */
void pen_log(pen_core *pen, const char *text);
void pen_event(pen_core *pen, uint8_t code, const uint8_t *detail, uint8_t size);

/* The next frame as it is. Bytes written to out, 0 if there is nothing to say.
 * A frame that cannot pass this link at all (an MTU below 26) is given up. */
size_t pen_next_frame(pen_core *pen, uint8_t *out, size_t room);

/* Samples in a full DATA frame: at most 80 ms, at most 8, and what the link carries; 0 = not even one. */
uint8_t pen_batch_samples(const pen_core *pen);

/* The longest frame this link carries. */
size_t pen_link_bytes(const pen_core *pen);

/* The descriptor as it stands; bytes written to out (PEN_MAX_DESCRIPTOR_BYTES of room). */
size_t pen_descriptor(const pen_core *pen, uint8_t *out);

/* Used inside: the batch being filled leaves for the queue. */
void pen_close_batch(pen_core *pen);
void pen_take_command(pen_core *pen, const pen_frame *frame);

#endif
