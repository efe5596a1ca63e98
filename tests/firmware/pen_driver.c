/* Flat functions around the firmware core, for tests that drive it through ctypes. */
#include <stdlib.h>
#include <string.h>

#include "pen_carrier.h"

typedef struct {
    pen_core pen;
    pen_board board;
    uint64_t now_us;
    uint32_t blink_ms;
    uint32_t room; /* bytes or notifications the link takes now */
    uint8_t out[1 << 16];
    uint32_t n_out;
    pen_serial serial;
    pen_ble ble;
} driver;

static uint64_t now_us(void *context)
{
    return ((driver *)context)->now_us;
}

static void identify(void *context, uint16_t blink_ms)
{
    ((driver *)context)->blink_ms = blink_ms;
}

static pen_battery battery(void *context)
{
    static const pen_battery full = {87, 3920, 0};

    (void)context;
    return full;
}

static size_t write_serial(void *context, const uint8_t *bytes, size_t size)
{
    driver *d = context;
    size_t taken = size < d->room ? size : d->room;

    memcpy(d->out + d->n_out, bytes, taken);
    d->n_out += (uint32_t)taken;
    d->room -= (uint32_t)taken;
    return taken;
}

/* Each notification as it stands, behind the characteristic (1 = response) and its length (u16). */
static bool notify(void *context, bool response, const uint8_t *value, size_t size)
{
    driver *d = context;

    if (d->room == 0)
        return false;
    d->room--;
    d->out[d->n_out] = response;
    d->out[d->n_out + 1] = (uint8_t)(size & 0xFFu);
    d->out[d->n_out + 2] = (uint8_t)(size >> 8);
    memcpy(d->out + d->n_out + 3, value, size);
    d->n_out += (uint32_t)(3 + size);
    return true;
}

driver *driver_new(uint32_t boot_id, uint32_t mtu)
{
    driver *d = calloc(1, sizeof *d);

    if (d == NULL)
        return NULL;
    d->board.context = d->serial.context = d->ble.context = d;
    d->board.now_us = now_us;
    d->board.identify = identify;
    d->board.battery = battery;
    d->serial.write = write_serial;
    d->ble.notify = notify;
    if (!pen_init(&d->pen, &pen_standard, &d->board, boot_id, 0))
        abort();
    pen_connect(&d->pen, (uint16_t)mtu);
    return d;
}

void driver_free(driver *d)
{
    free(d);
}

uint32_t driver_receive(driver *d, const uint8_t *bytes, uint32_t size)
{
    if (d->pen.mtu != 0)
        return pen_receive_frame(&d->pen, bytes, size) ? size : 0;
    return (uint32_t)pen_receive(&d->pen, bytes, size);
}

/* One sample; the pen's clock goes on to t_us + period_us. */
void driver_take(driver *d, const int16_t *counts, uint64_t t_us, uint32_t period_us)
{
    pen_take(&d->pen, counts, t_us);
    d->now_us = t_us + period_us;
}

/* What leaves while the link takes `room`; bytes in d->out. */
uint32_t driver_pump(driver *d, uint32_t room)
{
    d->room = room;
    d->n_out = 0;
    if (d->pen.mtu != 0)
        pen_ble_pump(&d->ble, &d->pen);
    else
        pen_serial_pump(&d->serial, &d->pen);
    return d->n_out;
}

const uint8_t *driver_out(const driver *d)
{
    return d->out;
}

void driver_set_mtu(driver *d, uint32_t mtu)
{
    pen_set_mtu(&d->pen, (uint16_t)mtu);
}

void driver_disconnect(driver *d)
{
    pen_disconnect(&d->pen);
    pen_serial_reset(&d->serial);
    pen_ble_reset(&d->ble);
}

void driver_log(driver *d, const char *text)
{
    pen_log(&d->pen, text);
}

void driver_event(driver *d, uint32_t code, const uint8_t *detail, uint32_t size)
{
    pen_event(&d->pen, (uint8_t)code, detail, (uint8_t)size);
}

/* streaming, index, overruns, high water, blink, accepted, damaged, foreign version, unknown type */
void driver_state(const driver *d, uint32_t *out)
{
    const pen_decoder *decoder = &d->pen.decoder;

    out[0] = d->pen.streaming;
    out[1] = d->pen.index;
    out[2] = d->pen.queue.overruns;
    out[3] = d->pen.queue.high_water;
    out[4] = d->blink_ms;
    out[5] = decoder->accepted;
    out[6] = decoder->damaged;
    out[7] = decoder->foreign_version;
    out[8] = decoder->unknown_type;
}

void driver_set_index(driver *d, uint32_t index)
{
    d->pen.index = index;
}

/* Frame and serial form of one header and payload, for the golden vectors. */
uint32_t driver_encode(const uint32_t *h, const uint8_t *payload, uint32_t size, uint8_t *frame, uint8_t *wire,
                       uint32_t *wire_size)
{
    pen_header header;
    size_t n;

    header.type = (uint8_t)h[0];
    header.seq = (uint16_t)h[1];
    header.stream = (uint8_t)h[2];
    header.n = (uint8_t)h[3];
    header.flags = (uint16_t)h[4];
    header.index = h[5];
    header.t_us = h[6];
    n = pen_encode_frame(&header, payload, size, frame, PEN_MAX_FRAME_BYTES);
    *wire_size = (uint32_t)pen_encode_serial(frame, n, wire, PEN_MAX_SERIAL_BYTES);
    return (uint32_t)n;
}

/* Frames of a byte stream through the serial decoder: for each header (7 x u32), payload size (u32), payload. */
uint32_t driver_decode(const uint8_t *bytes, uint32_t size, uint8_t *out, uint32_t room, uint32_t *counters)
{
    static pen_decoder decoder;
    pen_frame frame;
    uint32_t used = 0, i;

    memset(&decoder, 0, sizeof decoder);
    for (i = 0; i < size; i++) {
        uint32_t record[8];

        if (!pen_decoder_push(&decoder, bytes[i], &frame))
            continue;
        record[0] = frame.header.type;
        record[1] = frame.header.seq;
        record[2] = frame.header.stream;
        record[3] = frame.header.n;
        record[4] = frame.header.flags;
        record[5] = frame.header.index;
        record[6] = frame.header.t_us;
        record[7] = (uint32_t)frame.payload_size;
        if (used + sizeof record + frame.payload_size > room)
            break;
        memcpy(out + used, record, sizeof record);
        memcpy(out + used + sizeof record, frame.payload, frame.payload_size);
        used += (uint32_t)(sizeof record + frame.payload_size);
    }
    counters[0] = decoder.accepted;
    counters[1] = decoder.damaged;
    counters[2] = decoder.foreign_version;
    counters[3] = decoder.unknown_type;
    return used;
}
