/* Written by `python -m firmware_protocol.generate_c` from the Python schema: do not edit. */

#include "pen_description.h"

/* quantity, axis, unit, scale, offset, full scale, limit (counts), model */
static const pen_channel channels[13] = {
    {PEN_QUANTITY_ACC1, 0u, PEN_UNIT_M_S2, 0.0011971008498221636f, 0.0f, 39.226600646972656f, 32767, PEN_MODEL_LSM6DSL},
    {PEN_QUANTITY_ACC1, 1u, PEN_UNIT_M_S2, 0.0011971008498221636f, 0.0f, 39.226600646972656f, 32767, PEN_MODEL_LSM6DSL},
    {PEN_QUANTITY_ACC1, 2u, PEN_UNIT_M_S2, 0.0011971008498221636f, 0.0f, 39.226600646972656f, 32767, PEN_MODEL_LSM6DSL},
    {PEN_QUANTITY_ACC2, 0u, PEN_UNIT_M_S2, 0.0011971008498221636f, 0.0f, 39.226600646972656f, 32767, PEN_MODEL_MMA8451Q},
    {PEN_QUANTITY_ACC2, 1u, PEN_UNIT_M_S2, 0.0011971008498221636f, 0.0f, 39.226600646972656f, 32767, PEN_MODEL_MMA8451Q},
    {PEN_QUANTITY_ACC2, 2u, PEN_UNIT_M_S2, 0.0011971008498221636f, 0.0f, 39.226600646972656f, 32767, PEN_MODEL_MMA8451Q},
    {PEN_QUANTITY_GYRO, 0u, PEN_UNIT_RAD_S, 0.000532632227987051f, 0.0f, 17.453292846679688f, 32767, PEN_MODEL_LSM6DSL},
    {PEN_QUANTITY_GYRO, 1u, PEN_UNIT_RAD_S, 0.000532632227987051f, 0.0f, 17.453292846679688f, 32767, PEN_MODEL_LSM6DSL},
    {PEN_QUANTITY_GYRO, 2u, PEN_UNIT_RAD_S, 0.000532632227987051f, 0.0f, 17.453292846679688f, 32767, PEN_MODEL_LSM6DSL},
    {PEN_QUANTITY_MAG, 0u, PEN_UNIT_MICROTESLA, 0.29296875f, 0.0f, 2400.0f, 8191, PEN_MODEL_HSCDTD008A},
    {PEN_QUANTITY_MAG, 1u, PEN_UNIT_MICROTESLA, 0.29296875f, 0.0f, 2400.0f, 8191, PEN_MODEL_HSCDTD008A},
    {PEN_QUANTITY_MAG, 2u, PEN_UNIT_MICROTESLA, 0.29296875f, 0.0f, 2400.0f, 8191, PEN_MODEL_HSCDTD008A},
    {PEN_QUANTITY_FORCE, 0u, PEN_UNIT_NEWTON, 0.0012988281669095159f, 0.0f, 5.320000171661377f, 4095, PEN_MODEL_HSFPAR003A},
};

/* quantity, axis map row by row, lever arm in 0.1 mm */
static const pen_mount mounts[4] = {
    {PEN_QUANTITY_ACC1, {1, 0, 0, 0, 1, 0, 0, 0, 1}, {0, 0, 250}},
    {PEN_QUANTITY_ACC2, {1, 0, 0, 0, 1, 0, 0, 0, 1}, {0, 0, 1150}},
    {PEN_QUANTITY_GYRO, {1, 0, 0, 0, 1, 0, 0, 0, 1}, {0, 0, 250}},
    {PEN_QUANTITY_MAG, {1, 0, 0, 0, 1, 0, 0, 0, 1}, {0, 0, 600}},
};

const pen_description pen_standard = {
    .hardware_id = 1u,
    .device_id = {118u, 105u, 114u, 116u, 117u, 97u, 108u, 49u},
    .fw_major = 1u,
    .fw_minor = 0u,
    .fw_patch = 0u,
    .clock_hz = 1000000u,
    .stream = {0u, 13u, 100000u, 25000u, 400000u, channels},
    .n_mounts = 4u,
    .mounts = mounts,
    .name = "penapp virtual pen",
};
