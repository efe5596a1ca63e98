/* SPDX-License-Identifier: Apache-2.0 */
#include "pen_setup.h"

#include <Adafruit_LittleFS.h>
#include <Arduino.h>
#include <InternalFileSystem.h>

#include "sensors.h"

using namespace Adafruit_LittleFS_Namespace;

/* 4 g over 15 bits; 4 gauss = 400 uT over 27368 counts. */
static const float ACC = 4.0f * 9.80665f, ACC_STEP = ACC / 32768.0f;
static const float MAG = 400.0f, MAG_STEP = MAG / 27368.0f;
/* The LSM6DS3TR-C gives 35 mdps per count at 1000 deg/s, a little more than 1000 / 32768. */
static const float GYRO_STEP = 0.035f * 0.0174532925f, GYRO = GYRO_STEP * 32768.0f;
/* A force-sensing resistor has no scale of its own: this is a beginning, `penapp calibrate` finds yours. */
static const float FORCE = 5.32f, FORCE_STEP = FORCE / 4096.0f;

#define XYZ(quantity, unit, step, full, limit, model) \
    {quantity, 0, unit, step, 0.0f, full, limit, model}, {quantity, 1, unit, step, 0.0f, full, limit, model}, \
    {quantity, 2, unit, step, 0.0f, full, limit, model}

static const pen_channel channels[N_CHANNELS] = {
    XYZ(PEN_QUANTITY_ACC1, PEN_UNIT_M_S2, ACC_STEP, ACC, 32767, PEN_MODEL_LSM6DS3TR_C),
    XYZ(PEN_QUANTITY_ACC2, PEN_UNIT_M_S2, ACC_STEP, ACC, 32764, PEN_MODEL_MMA8451Q),
    XYZ(PEN_QUANTITY_GYRO, PEN_UNIT_RAD_S, GYRO_STEP, GYRO, 32767, PEN_MODEL_LSM6DS3TR_C),
    XYZ(PEN_QUANTITY_MAG, PEN_UNIT_MICROTESLA, MAG_STEP, MAG, 27367, PEN_MODEL_LIS3MDL),
    {PEN_QUANTITY_FORCE, 0, PEN_UNIT_NEWTON, FORCE_STEP, 0.0f, FORCE, 4095, PEN_MODEL_UNSTATED},
};

/* Measure yours: tip to sensor in 0.1 mm; how the sensor's axes lie in the pen (z along it, towards the tail). */
static const pen_mount mounts[4] = {
    {PEN_QUANTITY_ACC1, {1, 0, 0, 0, 1, 0, 0, 0, 1}, {0, 0, 250}},
    {PEN_QUANTITY_ACC2, {1, 0, 0, 0, 1, 0, 0, 0, 1}, {0, 0, 1150}},
    {PEN_QUANTITY_GYRO, {1, 0, 0, 0, 1, 0, 0, 0, 1}, {0, 0, 250}},
    {PEN_QUANTITY_MAG, {1, 0, 0, 0, 1, 0, 0, 0, 1}, {0, 0, 600}},
};

static const pen_description description = {
    2, {0}, 1, 0, 0, 1000000, {0, N_CHANNELS, 104000, 26000, 416000, channels}, 4, mounts, "penapp XIAO pen",
};

static const char NAME_FILE[] = "/name", CALIBRATION_FILE[] = "/calibration";
static uint32_t blink_until_ms;
static bool name_is_new, calibration_is_new;
static pen_core *kept;

static uint64_t now_us(void *)
{
    return sensors_now_us();
}

static void identify(void *, uint16_t blink_ms)
{
    blink_until_ms = millis() + blink_ms;
}

static bool set_rate(void *, uint32_t rate_mhz)
{
    return sensors_set_rate(rate_mhz);
}

static uint16_t selftest(void *)
{
    return sensors_failed();
}

/* Flash takes tens of milliseconds to write: that waits for setup_poll. */
static void keep_name(void *, const uint8_t *, uint8_t)
{
    name_is_new = true;
}

static void keep_calibration(void *, const uint8_t *, uint16_t)
{
    calibration_is_new = true;
}

static const pen_board board = {
    nullptr, now_us, identify, nullptr, set_rate, nullptr, selftest, nullptr, keep_name, keep_calibration,
};

static uint16_t load(const char *path, uint8_t *out, uint16_t room)
{
    File file(InternalFS);
    int got = 0;

    if (!file.open(path, FILE_O_READ))
        return 0;
    got = file.read(out, room);
    file.close();
    return got > 0 ? (uint16_t)got : 0;
}

static void save(const char *path, const uint8_t *bytes, uint16_t size)
{
    File file(InternalFS);

    InternalFS.remove(path);
    if (!file.open(path, FILE_O_WRITE))
        return;
    file.write(bytes, size);
    file.close();
}

/* A number that differs at each start; the radio is not up yet, so the generator is ours. */
static uint32_t drawn()
{
    uint32_t number = 0;

    NRF_RNG->TASKS_START = 1;
    for (int i = 0; i < 4; i++) {
        NRF_RNG->EVENTS_VALRDY = 0;
        while (NRF_RNG->EVENTS_VALRDY == 0) {
        }
        number = number << 8 | (NRF_RNG->VALUE & 0xFFu);
    }
    NRF_RNG->TASKS_STOP = 1;
    return number;
}

bool setup_pen(pen_core *pen)
{
    static uint8_t stored[PEN_CAL_BYTES];
    uint16_t size;

    kept = pen;
    if (!pen_init(pen, &description, &board, drawn(), 0))
        return false;
    pen->identity.device_id[0] = 'x';
    for (int i = 0; i < 7; i++)
        pen->identity.device_id[1 + i] = (uint8_t)(NRF_FICR->DEVICEID[i / 4] >> (8 * (i % 4)));
    InternalFS.begin();
    size = load(NAME_FILE, stored, PEN_MAX_NAME_BYTES);
    pen_restore_name(pen, stored, (uint8_t)size);
    size = load(CALIBRATION_FILE, stored, sizeof stored);
    pen_restore_calibration(pen, stored, size);
    return true;
}

void setup_poll()
{
    digitalWrite(LED_BUILTIN, (int32_t)(blink_until_ms - millis()) > 0 && millis() / 100 % 2 ? LOW : HIGH);
    if (kept->streaming)
        return; /* a sample would be missed */
    if (name_is_new)
        save(NAME_FILE, kept->identity.name, kept->identity.name_size);
    if (calibration_is_new)
        save(CALIBRATION_FILE, kept->calibration.stored, kept->calibration.stored_size);
    name_is_new = calibration_is_new = false;
}
