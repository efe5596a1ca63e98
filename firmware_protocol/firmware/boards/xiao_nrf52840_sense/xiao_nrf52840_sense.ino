/* A sensor pen on a XIAO nRF52840 Sense: sensors in, frames out over Bluetooth LE or USB. See README.md beside this.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <Arduino.h>

#include "links.h"
#include "pen_setup.h"
#include "sensors.h"

static pen_core pen;

void setup()
{
    bool sensors_ok;

    pinMode(LED_BUILTIN, OUTPUT);
    sensors_ok = sensors_begin();
    if (!setup_pen(&pen))
        for (;;) /* the description in pen_setup.cpp does not fit the wire */
            digitalWrite(LED_BUILTIN, LOW);
    links_begin(&pen);
    if (!sensors_ok) {
        uint8_t failed[2] = {(uint8_t)(sensors_failed() & 0xFFu), (uint8_t)(sensors_failed() >> 8)};

        pen_event(&pen, PEN_EVENT_SENSOR_FAULT, failed, sizeof failed);
    }
}

void loop()
{
    sensor_stamp stamp;

    while (sensors_next(&stamp)) {
        int16_t counts[N_CHANNELS];

        if (stamp.missed > 0)
            pen_miss(&pen, stamp.missed);
        sensors_read(counts);
        pen_take(&pen, counts, stamp.t_us);
    }
    links_poll(&pen);
    setup_poll();
    delay(1);
}
