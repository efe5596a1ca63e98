"""Golden vectors: this encoder, an independent one in C, and the decoder agree byte for byte."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from firmware_protocol.framing import (
    Flag,
    Frame,
    FrameDecoder,
    FrameType,
    decode_frame,
    encode_frame,
    to_serial,
)
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


def compiler() -> str:
    found = next((cc for cc in ("gcc", "cc", "clang") if shutil.which(cc)), None)
    if found is None:
        reason = "no C compiler (gcc, cc or clang) on this machine: the C encoder is not compared"
        print(reason, file=sys.stderr)
        pytest.skip(reason)
    return found


@pytest.fixture(scope="module")
def c_encoder(tmp_path_factory):
    program = tmp_path_factory.mktemp("c") / "penproto.exe"
    source = Path(VECTORS_PATH).with_name("penproto.c")
    strict = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-DPENPROTO_MAIN"]
    subprocess.run([compiler(), *strict, str(source), "-o", str(program)], check=True, timeout=60)
    return program


def encode_in_c(program: Path, frames: list[Frame]) -> list[tuple[str, str]]:
    lines = [
        f"{f.type:d} {f.seq} {f.stream} {f.n} {f.flags:d} {f.index} {f.t_us} {f.payload.hex() or '-'}"
        for f in frames
    ]
    done = subprocess.run(
        [str(program)], input="\n".join(lines), capture_output=True, text=True, check=True, timeout=60
    )
    return [(line.split()[0], line.split()[1]) for line in done.stdout.splitlines()]


def encode_here(frames: list[Frame]) -> list[tuple[str, str]]:
    raws = [encode_frame(f) for f in frames]
    return [(raw.hex(), to_serial(raw).hex()) for raw in raws]


def test_independent_c_encoder_gives_the_same_bytes_for_every_vector(c_encoder):
    frames = [decode_frame(bytes.fromhex(e["frame"])) for e in FRAMES]
    assert encode_in_c(c_encoder, frames) == [(e["frame"], e["serial"]) for e in FRAMES]


def test_independent_c_encoder_gives_the_same_bytes_for_random_frames(c_encoder):
    rng = random.Random(5)
    frames = [random_frame(rng, size) for size in range(1005) for _ in range(2)]
    assert encode_in_c(c_encoder, frames) == encode_here(frames)


def random_frame(rng: random.Random, size: int) -> Frame:
    """Half of them without a zero byte, so that full COBS blocks end everywhere."""
    payload = rng.randbytes(size)
    if rng.random() < 0.5:
        payload = payload.replace(b"\x00", b"\x01")
        return Frame(FrameType.LOG, 0x0101, 1, 1, Flag(0x0101), 0x01010101, 0x01010101, payload)
    index, t_us = rng.getrandbits(32), rng.getrandbits(32)
    return Frame(FrameType.LOG, rng.getrandbits(16), 3, rng.getrandbits(8), Flag.NONE, index, t_us, payload)
