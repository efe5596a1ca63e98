"""Golden vectors: encoder and decoder agree byte for byte (the C ones too: tests/firmware)."""

from __future__ import annotations

import json

import pytest

from firmware_protocol.framing import FrameDecoder, decode_frame
from firmware_protocol.vectors.make_vectors import VECTORS_PATH, document

DOCUMENT = json.loads(VECTORS_PATH.read_text(encoding="utf-8"))
FRAMES = DOCUMENT["frames"]
BY_NAME = {entry["name"]: entry for entry in FRAMES}
PUBLISHED_FRAMES = {
    "data at the wrap": """
        0110ffff00020000feffffff00ffffff0100feff2c0104000500a8fdbc0208000900f6ff0b000c00ff07
        0200ffff2d0105000600a9fdbd0209000a00f7ff0c000d00000836127700""",
    "data of zeros": """
        0110000000010000000000000000000000000000000000000000000000000000000000000000000000001283579f""",
}
PUBLISHED_SERIAL = {
    "data at the wrap": """
        050110ffff02020105feffffff05ffffff0106feff2c0104020506a8fdbc0208020904f6ff0b020c04ff07
        0206ffff2d0105020606a9fdbd0209020a04f7ff0c020d0105083612770100""",
    "data of zeros": """
        030110010102010101010101010101010101010101010101010101010101010101010101010101010101051283579f00""",
}


def test_vectors_are_what_the_encoder_gives_today():
    assert document() == DOCUMENT


@pytest.mark.parametrize("name", PUBLISHED_FRAMES)
def test_data_frames_stand_as_they_were_published(name):
    assert BY_NAME[name]["frame"] == "".join(PUBLISHED_FRAMES[name].split())
    assert BY_NAME[name]["serial"] == "".join(PUBLISHED_SERIAL[name].split())


def test_command_frames_are_the_published_ones_with_the_tag_behind_the_op():
    untagged = bytes.fromhex("0120070000000000000000000000000003231f7e5b")[:-4]
    assert bytes.fromhex(BY_NAME["stop"]["frame"])[:-4] == untagged + b"\x21"


@pytest.mark.parametrize("entry", FRAMES, ids=lambda e: e["name"])
def test_decoder_reads_every_vector(entry):
    frame = decode_frame(bytes.fromhex(entry["frame"]))
    assert FrameDecoder().feed(bytes.fromhex(entry["serial"])) == [frame]
    fields = {k: entry[k] for k in ("type", "seq", "stream", "n", "flags", "index", "t_us")}
    assert {k: int(getattr(frame, k)) for k in fields} == fields
    assert frame.payload.hex() == entry["payload"]


@pytest.mark.parametrize("entry", DOCUMENT["refused"], ids=lambda e: e["name"])
def test_decoder_refuses_and_counts_every_damaged_vector(entry):
    decoder = FrameDecoder()
    assert decoder.feed(bytes.fromhex(entry["serial"])) == []
    assert getattr(decoder.counters, entry["counter"]) >= 1
    assert decoder.counters.accepted == 0
