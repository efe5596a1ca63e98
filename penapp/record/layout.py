"""The session file's channels: names, numbers, encodings, schemas. See docs/sessions.md."""

from __future__ import annotations

import json
from dataclasses import dataclass

from penapp.record.json_form import schema_of
from penapp.record.types import ClockSegment, LabelEdit, PromptEvent, SessionEvent, SessionRecord

FORMAT_VERSION = 1
PROFILE = "penapp"
SUFFIX = ".mcap"

RAW = "/pen/raw"
EVENTS = "/pen/events"
PROMPTS = "/pen/prompts"
LABELS = "/pen/labels"
CLOCK = "/pen/clock"

FRAME_ENCODING = "penapp-frame-v1"
FRAME_SCHEMA = (
    "One message is one frame of the pen's wire protocol, version 1, byte for byte, without COBS. "
    "Little-endian: ver u8, type u8, seq u16, stream u8, n u8, flags u16, index u32, t_us u32, payload, "
    "CRC-32 u32. "
    "DATA (type 0x10): payload = n x (i16 for each channel of the descriptor). "
    "The descriptor is in the metadata record penapp.descriptor."
)


@dataclass(frozen=True, slots=True)
class ChannelPlan:
    """One channel; number: of the channel and of its schema, the same in every file of this version."""

    number: int
    topic: str
    message_encoding: str
    schema_name: str
    schema_encoding: str
    schema: bytes


def _json_channel(number: int, topic: str, record: type[SessionRecord]) -> ChannelPlan:
    name = f"penapp.{record.__name__}"
    schema = json.dumps(schema_of(record, name), indent=1).encode()
    return ChannelPlan(number, topic, "json", name, "jsonschema", schema)


CHANNELS = (
    ChannelPlan(1, RAW, FRAME_ENCODING, "penapp.Frame", "text/plain", FRAME_SCHEMA.encode()),
    _json_channel(2, EVENTS, SessionEvent),
    _json_channel(3, PROMPTS, PromptEvent),
    _json_channel(4, LABELS, LabelEdit),
    _json_channel(5, CLOCK, ClockSegment),
)
NUMBER = {plan.topic: plan.number for plan in CHANNELS}
TOPIC = {plan.number: plan.topic for plan in CHANNELS}
RECORD_TYPES: dict[str, type[SessionRecord]] = {
    EVENTS: SessionEvent,
    PROMPTS: PromptEvent,
    LABELS: LabelEdit,
    CLOCK: ClockSegment,
}
TOPIC_OF: dict[type[SessionRecord], str] = {record: topic for topic, record in RECORD_TYPES.items()}
