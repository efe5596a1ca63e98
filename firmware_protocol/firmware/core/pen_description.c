/* SPDX-License-Identifier: Apache-2.0 */
#include "pen_description.h"

#include <string.h>

#include "pen_bytes.h"
#include "pen_wire.h"

static void put_channel(uint8_t *at, const pen_channel *channel)
{
    memset(at, 0, PEN_CHANNEL_RECORD_BYTES);
    at[PEN_CHANNEL_QUANTITY_AT] = channel->quantity;
    at[PEN_CHANNEL_AXIS_AT] = channel->axis;
    at[PEN_CHANNEL_TYPE_AT] = PEN_NUMBER_TYPE_INT16;
    at[PEN_CHANNEL_UNIT_AT] = channel->unit;
    pen_put_f32(at + PEN_CHANNEL_SCALE_AT, channel->scale);
    pen_put_f32(at + PEN_CHANNEL_OFFSET_AT, channel->offset);
    pen_put_f32(at + PEN_CHANNEL_FULL_SCALE_AT, channel->full_scale);
    pen_put_u16(at + PEN_CHANNEL_MODEL_AT, channel->model);
}

static void put_stream(uint8_t *at, const pen_stream *stream, uint32_t rate_mhz)
{
    memset(at, 0, PEN_STREAM_RECORD_BYTES);
    at[PEN_STREAM_ID_AT] = stream->id;
    at[PEN_STREAM_N_CHANNELS_AT] = stream->n_channels;
    at[PEN_STREAM_SAMPLE_BYTES_AT] = (uint8_t)(2u * stream->n_channels);
    pen_put_u32(at + PEN_STREAM_RATE_MHZ_AT, rate_mhz);
    pen_put_u32(at + PEN_STREAM_MIN_RATE_MHZ_AT, stream->min_rate_mhz);
    pen_put_u32(at + PEN_STREAM_MAX_RATE_MHZ_AT, stream->max_rate_mhz);
}

static void put_mount(uint8_t *at, const pen_mount *mount)
{
    unsigned i;

    at[PEN_MOUNT_QUANTITY_AT] = mount->quantity;
    for (i = 0; i < 9; i++)
        at[PEN_MOUNT_AXIS_MAP_AT + i] = (uint8_t)mount->axis_map[i];
    for (i = 0; i < 3; i++)
        pen_put_u16(at + PEN_MOUNT_LEVER_ARM_AT + 2 * i, (uint16_t)mount->lever_arm[i]);
}

uint32_t pen_schema_hash(const pen_description *description)
{
    const pen_stream *stream = &description->stream;
    uint8_t head[3], channel[PEN_CHANNEL_RECORD_BYTES];
    uint32_t crc;
    unsigned i;

    head[0] = stream->id;
    head[1] = stream->n_channels;
    head[2] = (uint8_t)(2u * stream->n_channels);
    crc = pen_crc32(0, head, sizeof head);
    for (i = 0; i < stream->n_channels; i++) {
        put_channel(channel, &stream->channels[i]);
        crc = pen_crc32(crc, channel, sizeof channel);
    }
    return crc;
}

static size_t descriptor_bytes(const pen_description *description, const pen_identity *identity)
{
    size_t size = PEN_DESCRIPTOR_RECORD_BYTES + PEN_STREAM_RECORD_BYTES;

    size += (size_t)description->stream.n_channels * PEN_CHANNEL_RECORD_BYTES;
    size += (size_t)description->n_mounts * PEN_MOUNT_RECORD_BYTES;
    return size + (identity->name_size ? 2u + identity->name_size : 0u);
}

static void put_head(uint8_t *at, const pen_description *description, const pen_identity *identity, size_t size)
{
    memset(at, 0, PEN_DESCRIPTOR_RECORD_BYTES);
    memcpy(at + PEN_DESCRIPTOR_MAGIC_AT, "PENA", 4);
    at[PEN_DESCRIPTOR_VER_AT] = PEN_DESCRIPTOR_VERSION;
    at[PEN_DESCRIPTOR_N_STREAMS_AT] = 1;
    at[PEN_DESCRIPTOR_N_MOUNTS_AT] = description->n_mounts;
    pen_put_u16(at + PEN_DESCRIPTOR_LENGTH_AT, (uint16_t)size);
    pen_put_u16(at + PEN_DESCRIPTOR_HW_ID_AT, description->hardware_id);
    memcpy(at + PEN_DESCRIPTOR_DEVICE_ID_AT, identity->device_id, sizeof identity->device_id);
    at[PEN_DESCRIPTOR_FW_MAJOR_AT] = description->fw_major;
    at[PEN_DESCRIPTOR_FW_MINOR_AT] = description->fw_minor;
    pen_put_u16(at + PEN_DESCRIPTOR_FW_PATCH_AT, description->fw_patch);
    pen_put_u32(at + PEN_DESCRIPTOR_BOOT_ID_AT, identity->boot_id);
    pen_put_u32(at + PEN_DESCRIPTOR_CLOCK_HZ_AT, description->clock_hz);
    pen_put_u32(at + PEN_DESCRIPTOR_SCHEMA_HASH_AT, pen_schema_hash(description));
}

size_t pen_encode_descriptor(const pen_description *description, const pen_identity *identity, uint8_t *out)
{
    size_t size = descriptor_bytes(description, identity);
    uint8_t *at = out;
    unsigned i;

    if (size > PEN_MAX_DESCRIPTOR_BYTES)
        return 0;
    put_head(at, description, identity, size);
    at += PEN_DESCRIPTOR_RECORD_BYTES;
    put_stream(at, &description->stream, identity->rate_mhz);
    at += PEN_STREAM_RECORD_BYTES;
    for (i = 0; i < description->stream.n_channels; i++, at += PEN_CHANNEL_RECORD_BYTES)
        put_channel(at, &description->stream.channels[i]);
    for (i = 0; i < description->n_mounts; i++, at += PEN_MOUNT_RECORD_BYTES)
        put_mount(at, &description->mounts[i]);
    if (identity->name_size > 0) {
        at[0] = PEN_TLV_NAME;
        at[1] = identity->name_size;
        memcpy(at + 2, identity->name, identity->name_size);
    }
    return size;
}
