/* A bus with register files on it; the registers count up, as those of the real sensors are told to. */
#pragma once
#include "Arduino.h"

struct TwoWire {
    std::map<uint8_t, std::vector<uint8_t>> devices;
    uint8_t address = 0, reg = 0, mask = 0xFF;
    bool first = false;
    void begin() {}
    void setClock(uint32_t) {}
    void beginTransmission(uint8_t to)
    {
        address = to;
        first = true;
    }
    size_t write(uint8_t byte)
    {
        if (first)
            reg = byte & mask;
        else if (devices.count(address))
            devices[address][reg++] = byte;
        first = false;
        return 1;
    }
    uint8_t endTransmission(bool = true) { return devices.count(address) ? 0 : 2; }
    size_t requestFrom(uint8_t from, uint8_t size) { return devices.count(from) ? size : 0; }
    int read() { return devices[address][reg++]; }
};
extern TwoWire Wire, Wire1;
