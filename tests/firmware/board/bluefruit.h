/* As much of the Bluetooth library as the sketch uses; notifications are written to standard output. */
#pragma once
#include "Arduino.h"

enum { CHR_PROPS_READ = 2, CHR_PROPS_WRITE_WO_RESP = 4, CHR_PROPS_WRITE = 8, CHR_PROPS_NOTIFY = 16 };
enum SecureMode_t { SECMODE_NO_ACCESS, SECMODE_OPEN };
enum {
    BLE_GAP_EVENT_LENGTH_DEFAULT = 3,
    BLE_GATTC_WRITE_CMD_TX_QUEUE_SIZE_DEFAULT = 1,
    BLE_GAP_ADV_FLAGS_LE_ONLY_GENERAL_DISC_MODE = 6
};
inline uint32_t sd_clock_hfclk_request() { return 0; }

struct BLEService {
    explicit BLEService(const uint8_t[16]) {}
    uint32_t begin() { return 0; }
};
struct BLECharacteristic {
    typedef void (*write_cb_t)(uint16_t, BLECharacteristic *, uint8_t *, uint16_t);
    uint8_t id[16], properties = 0;
    uint16_t room = 20;
    write_cb_t on_write = nullptr;
    std::vector<uint8_t> value;
    explicit BLECharacteristic(const uint8_t uuid[16]);
    void setProperties(uint8_t wanted) { properties = wanted; }
    void setPermission(SecureMode_t, SecureMode_t) {}
    void setMaxLen(uint16_t length) { room = length; }
    void setWriteCallback(write_cb_t call) { on_write = call; }
    uint32_t begin() { return 0; }
    uint16_t write(const void *bytes, uint16_t size)
    {
        value.assign((const uint8_t *)bytes, (const uint8_t *)bytes + size);
        return size;
    }
    bool notifyEnabled(uint16_t) { return true; }
    bool notify(uint16_t handle, const void *bytes, uint16_t size);
};
struct BLEConnection {
    uint16_t mtu = 23;
    bool requestPHY() { return true; }
    bool requestDataLengthUpdate() { return true; }
    bool requestMtuExchange(uint16_t wanted)
    {
        mtu = wanted;
        return true;
    }
    uint16_t getMtu() { return mtu; }
};
struct FakePeripheral {
    void (*connected)(uint16_t) = nullptr;
    void (*disconnected)(uint16_t, uint8_t) = nullptr;
    void setConnectCallback(void (*call)(uint16_t)) { connected = call; }
    void setDisconnectCallback(void (*call)(uint16_t, uint8_t)) { disconnected = call; }
    bool setConnInterval(uint16_t, uint16_t) { return true; }
};
struct FakeAdvertising {
    bool addFlags(uint8_t) { return true; }
    bool addService(BLEService &) { return true; }
    bool addName() { return true; }
    void restartOnDisconnect(bool) {}
    void setInterval(uint16_t, uint16_t) {}
    bool start(uint16_t) { return true; }
};
struct FakeBluefruit {
    FakePeripheral Periph;
    FakeAdvertising Advertising;
    BLEConnection connection;
    void configPrphConn(uint16_t, uint16_t, uint8_t, uint8_t) {}
    void configAttrTableSize(uint32_t) {}
    bool begin() { return true; }
    void setTxPower(int8_t) {}
    void setName(const char *) {}
    BLEConnection *Connection(uint16_t) { return &connection; }
};
extern FakeBluefruit Bluefruit;
