/* Four sensors by their registers, one time stamp for each sample.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SENSORS_H
#define SENSORS_H

#include <stdint.h>

#define N_CHANNELS 13

/* When a sample was ready, on the pen's clock; missed: samples before it that nobody read in time. */
struct sensor_stamp {
    uint64_t t_us;
    uint32_t missed;
};

/* Starts clock, sensors and interrupt. False if a sensor does not answer (see sensors_failed). */
bool sensors_begin();

/* Bit k: quantity k (PEN_QUANTITY_...) does not answer. */
uint16_t sensors_failed();

/* 26, 52, 104, 208 or 416 samples a second (in thousandths); false for any other. */
bool sensors_set_rate(uint32_t rate_mhz);

/* The pen's clock: microseconds since sensors_begin. Call it at least once in 71 minutes. */
uint64_t sensors_now_us();

/* The next sample that is ready; false if there is none. */
bool sensors_next(sensor_stamp *stamp);

/* The newest reading of everything: front and rear accelerometer, gyroscope, magnetometer, force. */
void sensors_read(int16_t counts[N_CHANNELS]);

#endif
