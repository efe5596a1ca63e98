/* SPDX-License-Identifier: Apache-2.0 */
#include "links.h"

#include <Adafruit_TinyUSB.h>
#include <Arduino.h>
#include <bluefruit.h>

static const uint8_t SERVICE_ID[16] = PEN_UUID_SERVICE_BYTES, DATA_ID[16] = PEN_UUID_DATA_BYTES;
static const uint8_t CONTROL_ID[16] = PEN_UUID_CONTROL_BYTES, RESPONSE_ID[16] = PEN_UUID_RESPONSE_BYTES;
static const uint8_t DESCRIPTOR_ID[16] = PEN_UUID_DESCRIPTOR_BYTES;
static const uint16_t MTU = 247; /* 8 samples in a notification */

static BLEService service(SERVICE_ID);
static BLECharacteristic data_out(DATA_ID), control(CONTROL_ID), response(RESPONSE_ID), descriptor(DESCRIPTOR_ID);

/* Bluetooth calls back from a task of its own; it leaves things here and the loop takes them. */
static volatile bool connected;
static volatile uint16_t connection;
static volatile uint16_t write_size; /* 0 = nothing there */
static uint8_t write_bytes[MTU];

enum link_kind { NO_LINK, USB_LINK, BLE_LINK };
static link_kind current;
static uint16_t agreed_mtu;
static pen_serial serial;
static pen_ble ble;
static uint8_t usb_bytes[64];
static size_t usb_size, usb_at;

static void on_connect(uint16_t handle)
{
    BLEConnection *host = Bluefruit.Connection(handle);

    host->requestPHY();
    host->requestDataLengthUpdate();
    host->requestMtuExchange(MTU);
    connection = handle;
    connected = true;
}

static void on_disconnect(uint16_t, uint8_t)
{
    connected = false;
}

/* A second command before the first was taken is dropped: the host asks again after a second. */
static void on_write(uint16_t, BLECharacteristic *, uint8_t *bytes, uint16_t size)
{
    if (write_size != 0 || size > sizeof write_bytes)
        return;
    memcpy(write_bytes, bytes, size);
    write_size = size;
}

static bool notify(void *, bool is_response, const uint8_t *value, size_t size)
{
    BLECharacteristic &out = is_response ? response : data_out;

    if (!out.notifyEnabled(connection))
        return true; /* nobody wants it: gone */
    return out.notify(connection, value, (uint16_t)size);
}

static size_t write_usb(void *, const uint8_t *bytes, size_t size)
{
    size_t room = (size_t)Serial.availableForWrite();

    return room == 0 ? 0 : Serial.write(bytes, size < room ? size : room);
}

static void begin_characteristic(BLECharacteristic &one, uint8_t properties, SecureMode_t write, uint16_t length)
{
    one.setProperties(properties);
    one.setPermission(SECMODE_OPEN, write);
    one.setMaxLen(length);
    one.begin();
}

static void begin_bluetooth(pen_core *pen)
{
    static uint8_t described[PEN_MAX_DESCRIPTOR_BYTES];

    Bluefruit.configPrphConn(MTU, BLE_GAP_EVENT_LENGTH_DEFAULT, 8, BLE_GATTC_WRITE_CMD_TX_QUEUE_SIZE_DEFAULT);
    Bluefruit.configAttrTableSize(0x1000);
    Bluefruit.begin();
    sd_clock_hfclk_request(); /* for the time stamps: see sensors.cpp */
    Bluefruit.setTxPower(4);
    Bluefruit.setName("penapp");
    Bluefruit.Periph.setConnectCallback(on_connect);
    Bluefruit.Periph.setDisconnectCallback(on_disconnect);
    Bluefruit.Periph.setConnInterval(12, 24); /* 15 to 30 ms */
    service.begin();
    begin_characteristic(data_out, CHR_PROPS_NOTIFY, SECMODE_NO_ACCESS, MTU - PEN_ATT_OVERHEAD_BYTES);
    control.setWriteCallback(on_write);
    begin_characteristic(control, CHR_PROPS_WRITE | CHR_PROPS_WRITE_WO_RESP, SECMODE_OPEN, MTU - PEN_ATT_OVERHEAD_BYTES);
    begin_characteristic(response, CHR_PROPS_NOTIFY, SECMODE_NO_ACCESS, MTU - PEN_ATT_OVERHEAD_BYTES);
    begin_characteristic(descriptor, CHR_PROPS_READ, SECMODE_NO_ACCESS, PEN_MAX_DESCRIPTOR_BYTES);
    descriptor.write(described, (uint16_t)pen_descriptor(pen, described));
}

static void begin_advertising()
{
    Bluefruit.Advertising.addFlags(BLE_GAP_ADV_FLAGS_LE_ONLY_GENERAL_DISC_MODE);
    Bluefruit.Advertising.addService(service);
    Bluefruit.Advertising.addName(); /* 31 bytes: flags 3, service 18, name 8 */
    Bluefruit.Advertising.restartOnDisconnect(true);
    Bluefruit.Advertising.setInterval(160, 400);
    Bluefruit.Advertising.start(0);
}

void links_begin(pen_core *pen)
{
    serial.write = write_usb;
    ble.notify = notify;
    Serial.begin(PEN_SERIAL_BAUD);
    begin_bluetooth(pen);
    begin_advertising();
}

/* The link that is there keeps the pen; another one waits until it is gone. */
static void choose_link(pen_core *pen)
{
    bool alive = (current == USB_LINK && Serial) || (current == BLE_LINK && connected);

    if (alive)
        return;
    if (current != NO_LINK) {
        pen_disconnect(pen);
        pen_serial_reset(&serial);
        pen_ble_reset(&ble);
        usb_size = usb_at = 0;
        write_size = 0;
    }
    current = Serial ? USB_LINK : connected ? BLE_LINK : NO_LINK;
    agreed_mtu = current == BLE_LINK ? Bluefruit.Connection(connection)->getMtu() : 0;
    if (current != NO_LINK)
        pen_connect(pen, agreed_mtu);
}

static void poll_usb(pen_core *pen)
{
    if (usb_at == usb_size) {
        usb_at = usb_size = 0;
        while (usb_size < sizeof usb_bytes && Serial.available() > 0)
            usb_bytes[usb_size++] = (uint8_t)Serial.read();
    }
    usb_at += pen_receive(pen, usb_bytes + usb_at, usb_size - usb_at);
    if (pen_serial_pump(&serial, pen))
        Serial.flush();
}

/* The descriptor names rate and pen name, which commands change. */
static void refresh_descriptor(const pen_core *pen)
{
    static uint8_t described[PEN_MAX_DESCRIPTOR_BYTES];

    descriptor.write(described, (uint16_t)pen_descriptor(pen, described));
}

static void poll_bluetooth(pen_core *pen)
{
    uint16_t mtu = Bluefruit.Connection(connection)->getMtu();

    if (mtu != agreed_mtu)
        pen_set_mtu(pen, agreed_mtu = mtu);
    if (write_size != 0 && pen_receive_frame(pen, write_bytes, write_size)) {
        write_size = 0;
        refresh_descriptor(pen);
    }
    pen_ble_pump(&ble, pen);
}

void links_poll(pen_core *pen)
{
    choose_link(pen);
    if (current == USB_LINK)
        poll_usb(pen);
    else if (current == BLE_LINK)
        poll_bluetooth(pen);
}
