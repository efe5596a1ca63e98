/* Registers as in the data sheets of LSM6DS3TR-C, MMA8451Q and LIS3MDL. SPDX-License-Identifier: Apache-2.0 */
#include "sensors.h"

#include <Arduino.h>
#include <Wire.h>

#include "core.h"

/* On the board, on the inner bus. */
static const uint8_t LSM6_ADDRESS = 0x6A, LSM6_WHO_AM_I = 0x0F, LSM6_IS = 0x6A;
static const uint8_t LSM6_DRDY_PULSE = 0x0B, LSM6_INT1_CTRL = 0x0D;
static const uint8_t LSM6_CTRL1_XL = 0x10, LSM6_CTRL2_G = 0x11, LSM6_CTRL3_C = 0x12;
static const uint8_t LSM6_OUTX_L_G = 0x22; /* gyroscope xyz, then accelerometer xyz */
static const uint8_t LSM6_FS_4G = 0x08, LSM6_FS_1000DPS = 0x08;

/* On pins D4 (SDA) and D5 (SCL). */
static const uint8_t MMA_ADDRESS = 0x1D, MMA_WHO_AM_I = 0x0D, MMA_IS = 0x1A;
static const uint8_t MMA_OUT_X_MSB = 0x01, MMA_XYZ_DATA_CFG = 0x0E, MMA_CTRL_REG1 = 0x2A;
static const uint8_t LIS_ADDRESS = 0x1C, LIS_WHO_AM_I = 0x0F, LIS_IS = 0x3D;
static const uint8_t LIS_CTRL_REG1 = 0x20, LIS_CTRL_REG2 = 0x21, LIS_CTRL_REG3 = 0x22, LIS_CTRL_REG4 = 0x23;
static const uint8_t LIS_OUT_X_L = 0x28, LIS_MORE = 0x80; /* the register number counts up */

static const int FORCE_PIN = A0;

static uint16_t failed;

static void put(TwoWire &bus, uint8_t address, uint8_t reg, uint8_t value)
{
    bus.beginTransmission(address);
    bus.write(reg);
    bus.write(value);
    bus.endTransmission();
}

/* Zeros from a sensor that does not answer: its quantity is in `failed`, the host was told. */
static void get(TwoWire &bus, uint8_t address, uint8_t reg, uint8_t *out, uint8_t size)
{
    uint8_t got = 0;

    memset(out, 0, size);
    bus.beginTransmission(address);
    bus.write(reg);
    if (bus.endTransmission(false) == 0)
        got = (uint8_t)bus.requestFrom(address, size);
    for (uint8_t i = 0; i < got && i < size; i++)
        out[i] = (uint8_t)bus.read();
}

static bool answers(TwoWire &bus, uint8_t address, uint8_t reg, uint8_t expected)
{
    uint8_t found;

    get(bus, address, reg, &found, 1);
    return found == expected;
}

/* The clock: a hardware timer at 1 MHz. The crystal stays on, or it would run from an oscillator that is 1 % off. */
static const unsigned CAPTURE_ISR = 0, CAPTURE_LOOP = 1;

static void clock_begin()
{
    NRF_CLOCK->TASKS_HFCLKSTART = 1; /* links_begin asks the SoftDevice for it too */
    NRF_TIMER4->MODE = TIMER_MODE_MODE_Timer;
    NRF_TIMER4->BITMODE = TIMER_BITMODE_BITMODE_32Bit;
    NRF_TIMER4->PRESCALER = 4;
    NRF_TIMER4->TASKS_CLEAR = 1;
    NRF_TIMER4->TASKS_START = 1;
}

static uint32_t captured(unsigned channel)
{
    NRF_TIMER4->TASKS_CAPTURE[channel] = 1;
    return NRF_TIMER4->CC[channel];
}

uint64_t sensors_now_us()
{
    static uint32_t last, wraps;
    uint32_t now = captured(CAPTURE_LOOP);

    if (now < last)
        wraps++;
    last = now;
    return (uint64_t)wraps << 32 | now;
}

/* Written by the interrupt alone, read by the loop alone. */
static const uint32_t N_STAMPS = 16;
static volatile uint32_t stamps[N_STAMPS], n_stamped;
static uint32_t n_taken;

static void on_data_ready()
{
    stamps[n_stamped % N_STAMPS] = captured(CAPTURE_ISR);
    n_stamped = n_stamped + 1;
}

bool sensors_next(sensor_stamp *stamp)
{
    uint32_t ready = n_stamped, low;
    uint64_t now = sensors_now_us();

    if (ready == n_taken)
        return false;
    /* The registers hold the newest sample only: the ones before it are gone. */
    stamp->missed = ready - n_taken - 1;
    low = stamps[(ready - 1) % N_STAMPS];
    n_taken = ready;
    stamp->t_us = now - (uint32_t)((uint32_t)now - low);
    return true;
}

bool sensors_set_rate(uint32_t rate_mhz)
{
    static const uint32_t rates[5] = {26000, 52000, 104000, 208000, 416000};

    for (uint8_t i = 0; i < 5; i++) {
        uint8_t odr = (uint8_t)((i + 2) << 4);

        if (rates[i] != rate_mhz)
            continue;
        put(Wire1, LSM6_ADDRESS, LSM6_CTRL1_XL, odr | LSM6_FS_4G);
        put(Wire1, LSM6_ADDRESS, LSM6_CTRL2_G, odr | LSM6_FS_1000DPS);
        return true;
    }
    return false;
}

static void front_begin()
{
    pinMode(PIN_LSM6DS3TR_C_POWER, OUTPUT);
    digitalWrite(PIN_LSM6DS3TR_C_POWER, HIGH);
    delay(20);
    Wire1.begin();
    Wire1.setClock(400000);
    if (!answers(Wire1, LSM6_ADDRESS, LSM6_WHO_AM_I, LSM6_IS))
        failed |= 1u << PEN_QUANTITY_ACC1 | 1u << PEN_QUANTITY_GYRO;
    put(Wire1, LSM6_ADDRESS, LSM6_CTRL3_C, 0x44); /* a reading stays whole; the register number counts up */
    /* A pulse for every sample, read or not: otherwise the line stays high and a missed sample is not counted. */
    put(Wire1, LSM6_ADDRESS, LSM6_DRDY_PULSE, 0x80);
    put(Wire1, LSM6_ADDRESS, LSM6_INT1_CTRL, 0x02); /* INT1 = gyroscope ready, the accelerometer is in step with it */
}

static void rear_begin()
{
    Wire.begin();
    Wire.setClock(400000);
    if (!answers(Wire, MMA_ADDRESS, MMA_WHO_AM_I, MMA_IS))
        failed |= 1u << PEN_QUANTITY_ACC2;
    put(Wire, MMA_ADDRESS, MMA_CTRL_REG1, 0x00);    /* standby, or it cannot be set */
    put(Wire, MMA_ADDRESS, MMA_XYZ_DATA_CFG, 0x01); /* 4 g */
    put(Wire, MMA_ADDRESS, MMA_CTRL_REG1, 0x01);    /* active, 800 Hz */
    if (!answers(Wire, LIS_ADDRESS, LIS_WHO_AM_I, LIS_IS))
        failed |= 1u << PEN_QUANTITY_MAG;
    put(Wire, LIS_ADDRESS, LIS_CTRL_REG2, 0x00); /* 4 gauss */
    put(Wire, LIS_ADDRESS, LIS_CTRL_REG1, 0x42); /* xy: high performance, 300 Hz */
    put(Wire, LIS_ADDRESS, LIS_CTRL_REG4, 0x08); /* z the same */
    put(Wire, LIS_ADDRESS, LIS_CTRL_REG3, 0x00); /* continuous */
}

bool sensors_begin()
{
    clock_begin();
    front_begin();
    rear_begin();
    analogReference(AR_VDD4); /* the divider hangs on the same supply, so that cancels */
    analogReadResolution(12);
    analogOversampling(4);
    pinMode(PIN_LSM6DS3TR_C_INT1, INPUT);
    attachInterrupt(digitalPinToInterrupt(PIN_LSM6DS3TR_C_INT1), on_data_ready, RISING);
    sensors_set_rate(104000);
    return failed == 0;
}

uint16_t sensors_failed()
{
    return failed;
}

void sensors_read(int16_t counts[N_CHANNELS])
{
    uint8_t raw[12];

    get(Wire1, LSM6_ADDRESS, LSM6_OUTX_L_G, raw, 12);
    for (int i = 0; i < 3; i++) {
        counts[6 + i] = (int16_t)(raw[2 * i] | raw[2 * i + 1] << 8);
        counts[i] = (int16_t)(raw[6 + 2 * i] | raw[7 + 2 * i] << 8);
    }
    get(Wire, MMA_ADDRESS, MMA_OUT_X_MSB, raw, 6);
    for (int i = 0; i < 3; i++)
        counts[3 + i] = (int16_t)(raw[2 * i] << 8 | raw[2 * i + 1]);
    get(Wire, LIS_ADDRESS, LIS_OUT_X_L | LIS_MORE, raw, 6);
    for (int i = 0; i < 3; i++)
        counts[9 + i] = (int16_t)(raw[2 * i] | raw[2 * i + 1] << 8);
    counts[12] = (int16_t)analogRead(FORCE_PIN);
}
