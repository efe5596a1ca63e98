/* What a pen is and what it measures, as constants; and the bytes that say so to a host.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef PEN_DESCRIPTION_H
#define PEN_DESCRIPTION_H

#include <stddef.h>
#include <stdint.h>

#include "pen_config.h"

/* One int16 column of a sample: value = counts * scale + offset, in `unit`.
 * limit: the largest count magnitude the sensor gives; a count there is said to be clipped. */
typedef struct {
    uint8_t quantity;
    uint8_t axis;
    uint8_t unit;
    float scale;
    float offset;
    float full_scale;
    int16_t limit;
    uint16_t model;
} pen_channel;

/* Channels that are sampled together; rates in thousandths of a hertz. This core has one stream. */
typedef struct {
    uint8_t id;
    uint8_t n_channels;
    uint32_t rate_mhz;
    uint32_t min_rate_mhz;
    uint32_t max_rate_mhz;
    const pen_channel *channels;
} pen_stream;

/* v_pen = axis_map x v_sensor, row by row; lever arm from the tip in 0.1 mm. */
typedef struct {
    uint8_t quantity;
    int8_t axis_map[9];
    int16_t lever_arm[3];
} pen_mount;

typedef struct {
    uint16_t hardware_id;
    uint8_t device_id[8]; /* a board with a serial number of its own gives it to pen_init */
    uint8_t fw_major;
    uint8_t fw_minor;
    uint16_t fw_patch;
    uint32_t clock_hz;
    pen_stream stream;
    uint8_t n_mounts;
    const pen_mount *mounts;
    const char *name; /* UTF-8, at most PEN_MAX_NAME_BYTES */
} pen_description;

/* What changes while the pen runs or from pen to pen. */
typedef struct {
    uint8_t device_id[8];
    uint32_t boot_id;
    uint32_t rate_mhz;
    uint8_t name[PEN_MAX_NAME_BYTES];
    uint8_t name_size;
} pen_identity;

/* The 13-channel pen of the specification, written from the Python schema. */
extern const pen_description pen_standard;

/* CRC-32 over what a sample's bytes mean. */
uint32_t pen_schema_hash(const pen_description *description);

/* Bytes written to out (PEN_MAX_DESCRIPTOR_BYTES of room), or 0 if the descriptor would be longer. */
size_t pen_encode_descriptor(const pen_description *description, const pen_identity *identity, uint8_t *out);

#endif
