/* SPDX-License-Identifier: Apache-2.0 */
#include "pen_carrier.h"

/* The frame is made at the end of the buffer and stuffed forward into its beginning. */
static void next_serial(pen_serial *serial, pen_core *pen)
{
    uint8_t *frame = serial->bytes + sizeof serial->bytes - PEN_MAX_FRAME_BYTES;
    size_t size = pen_next_frame(pen, frame, PEN_MAX_FRAME_BYTES);

    serial->sent = 0;
    serial->size = size ? pen_encode_serial(frame, size, serial->bytes, sizeof serial->bytes) : 0;
}

bool pen_serial_pump(pen_serial *serial, pen_core *pen)
{
    bool busy = false;

    for (;;) {
        size_t taken;

        if (serial->sent == serial->size)
            next_serial(serial, pen);
        if (serial->size == 0)
            return busy;
        taken = serial->write(serial->context, serial->bytes + serial->sent, serial->size - serial->sent);
        if (taken == 0)
            return busy;
        serial->sent += taken;
        busy = true;
    }
}

void pen_serial_reset(pen_serial *serial)
{
    serial->size = 0;
    serial->sent = 0;
}

bool pen_ble_pump(pen_ble *ble, pen_core *pen)
{
    bool busy = false;

    for (;;) {
        if (ble->size == 0)
            ble->size = pen_next_frame(pen, ble->value, sizeof ble->value);
        if (ble->size == 0)
            return busy;
        if (!ble->notify(ble->context, ble->value[PEN_FRAME_TYPE_AT] == PEN_TYPE_RSP, ble->value, ble->size))
            return busy;
        ble->size = 0;
        busy = true;
    }
}

void pen_ble_reset(pen_ble *ble)
{
    ble->size = 0;
}
