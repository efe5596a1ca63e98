/* Frames on their way into a link that may be busy: nothing is lost, nothing is sent twice.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef PEN_CARRIER_H
#define PEN_CARRIER_H

#include "pen_core.h"

/* A serial line: COBS and a zero byte. `write` takes what it can now and says how much. */
typedef struct {
    size_t (*write)(void *context, const uint8_t *bytes, size_t size);
    void *context;
    uint8_t bytes[PEN_MAX_SERIAL_BYTES];
    size_t size; /* of the frame in `bytes` */
    size_t sent;
} pen_serial;

/* Send until there is nothing to say or the line is busy. True if something was sent. */
bool pen_serial_pump(pen_serial *serial, pen_core *pen);

/* The link is gone: the rest of the frame in hand is forgotten. */
void pen_serial_reset(pen_serial *serial);

/* Bluetooth: one notification is one frame. `notify` is told whether it goes to the response characteristic (RSP) or to
 * the data characteristic (all else), and answers false when the stack is busy. */
typedef struct {
    bool (*notify)(void *context, bool response, const uint8_t *value, size_t size);
    void *context;
    uint8_t value[PEN_MAX_VALUE_BYTES];
    size_t size;
} pen_ble;

bool pen_ble_pump(pen_ble *ble, pen_core *pen);

void pen_ble_reset(pen_ble *ble);

#endif
