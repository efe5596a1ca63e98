/* Runs the sketch line by line from standard input:
 *   absent ADDRESS           (before "setup") this sensor is not there
 *   setup | loop
 *   sample T_US c0 ... c12   the sensors measure and the interrupt comes
 *   wait T_US                the clock goes on
 *   usb open | usb close | usb HEX
 *   ble open | ble close | ble HEX
 *   descriptor               prints the value of the descriptor characteristic
 * and prints "usb HEX", "data HEX", "response HEX", "descriptor HEX".
 */
#include <cstdio>
#include <iostream>
#include <sstream>

#include "Arduino.h"
#include "InternalFileSystem.h"
#include "Wire.h"
#include "bluefruit.h"

uint64_t fake_us;
void (*fake_isr)();
int fake_force;
FakeTimer fake_timer;
FakeRandom fake_random;
FakeClock fake_clock;
FakeFactory fake_factory;
FakeSerial Serial;
TwoWire Wire, Wire1;
FakeBluefruit Bluefruit;
Adafruit_LittleFS_Namespace::FakeFiles InternalFS;

static std::vector<BLECharacteristic *> &characteristics()
{
    static std::vector<BLECharacteristic *> all;
    return all;
}

static void print(const char *what, const uint8_t *bytes, size_t size)
{
    std::printf("%s ", what);
    for (size_t i = 0; i < size; i++)
        std::printf("%02x", bytes[i]);
    std::printf("\n");
}

/* The sixteen-bit part of the identifier tells them apart: 2 data, 3 control, 4 response, 5 descriptor. */
static BLECharacteristic *characteristic(int number)
{
    for (BLECharacteristic *one : characteristics()) {
        if (one->id[12] == number)
            return one;
    }
    return nullptr;
}

BLECharacteristic::BLECharacteristic(const uint8_t uuid[16])
{
    memcpy(id, uuid, 16);
    characteristics().push_back(this);
}

bool BLECharacteristic::notify(uint16_t, const void *bytes, uint16_t size)
{
    print(id[12] == 4 ? "response" : "data", (const uint8_t *)bytes, size);
    return size <= Bluefruit.connection.mtu - 3;
}

static void put_le(std::vector<uint8_t> &registers, int at, int value)
{
    registers[at] = (uint8_t)value;
    registers[at + 1] = (uint8_t)(value >> 8);
}

static void measure(std::istringstream &words)
{
    int c[13];

    words >> fake_us;
    for (int &count : c)
        words >> count;
    for (int i = 0; i < 3; i++) {
        put_le(Wire1.devices[0x6A], 0x28 + 2 * i, c[i]);
        put_le(Wire1.devices[0x6A], 0x22 + 2 * i, c[6 + i]);
        if (Wire.devices.count(0x1D)) {
            Wire.devices[0x1D][1 + 2 * i] = (uint8_t)(c[3 + i] >> 8);
            Wire.devices[0x1D][2 + 2 * i] = (uint8_t)c[3 + i];
        }
        if (Wire.devices.count(0x1C))
            put_le(Wire.devices[0x1C], 0x28 + 2 * i, c[9 + i]);
    }
    fake_force = c[12];
    if (fake_isr)
        fake_isr();
}

static std::vector<uint8_t> bytes_of(const std::string &hex)
{
    std::vector<uint8_t> bytes;

    for (size_t i = 0; i + 1 < hex.size(); i += 2)
        bytes.push_back((uint8_t)std::stoi(hex.substr(i, 2), nullptr, 16));
    return bytes;
}

static void usb(const std::string &word)
{
    if (word == "open" || word == "close") {
        Serial.open = word == "open";
        return;
    }
    for (uint8_t byte : bytes_of(word))
        Serial.from_host.push_back(byte);
}

static void ble(const std::string &word)
{
    if (word == "open") {
        Bluefruit.Periph.connected(1);
    } else if (word == "close") {
        Bluefruit.Periph.disconnected(1, 0x13);
    } else {
        std::vector<uint8_t> bytes = bytes_of(word);
        characteristic(3)->on_write(1, characteristic(3), bytes.data(), (uint16_t)bytes.size());
    }
}

static void power_on()
{
    Wire.mask = 0x7F; /* the magnetometer's "count up" bit is no part of the register's number */
    Wire1.devices[0x6A].assign(256, 0);
    Wire.devices[0x1D].assign(256, 0);
    Wire.devices[0x1C].assign(256, 0);
    Wire1.devices[0x6A][0x0F] = 0x6A;
    Wire.devices[0x1D][0x0D] = 0x1A;
    Wire.devices[0x1C][0x0F] = 0x3D;
}

int main()
{
    std::string line, verb, word;

    power_on();
    while (std::getline(std::cin, line)) {
        std::istringstream words(line);
        words >> verb;
        if (verb == "sample") {
            measure(words);
            continue;
        }
        words >> word;
        if (verb == "absent")
            Wire.devices.erase((uint8_t)std::stoi(word));
        else if (verb == "setup")
            setup();
        else if (verb == "loop")
            loop();
        else if (verb == "usb")
            usb(word);
        else if (verb == "wait")
            fake_us = std::stoull(word);
        else if (verb == "ble")
            ble(word);
        else if (verb == "registers")
            std::printf("registers %02x %02x\n", Wire1.devices[0x6A][0x10], Wire1.devices[0x6A][0x11]);
        else
            print("descriptor", characteristic(5)->value.data(), characteristic(5)->value.size());
        if (!Serial.to_host.empty()) {
            print("usb", Serial.to_host.data(), Serial.to_host.size());
            Serial.to_host.clear();
        }
    }
    return 0;
}
