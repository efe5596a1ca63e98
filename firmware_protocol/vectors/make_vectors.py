"""Write vectors.json anew: python -m firmware_protocol.vectors.make_vectors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from firmware_protocol import commands
from firmware_protocol.channels import standard_descriptor
from firmware_protocol.framing import Flag, Frame, FrameType, encode_frame, to_serial
from firmware_protocol.messages import (
    ArrivalMark,
    Command,
    Event,
    EventCode,
    Op,
    Response,
    Status,
    arrival_frame,
    command_frame,
    event_frame,
    response_frame,
)

VECTORS_PATH = Path(__file__).with_name("vectors.json")
_SAMPLE = [1, -2, 300, 4, 5, -600, 700, 8, 9, -10, 11, 12, 2047]


def frames() -> Iterator[tuple[str, Frame]]:
    """Named frames that every encoder must give byte for byte."""
    descriptor = standard_descriptor(boot_id=0x1234ABCD)
    yield "stop", command_frame(commands.stop(0x21), 7)
    yield "time sync", command_frame(commands.time_sync(0x22, 1234567890123456), 8)
    yield "hello", command_frame(commands.hello(1))
    yield "start", command_frame(commands.start(2, descriptor.schema_hash, 1), 1)
    yield "set rate", command_frame(commands.set_rate(3, 0, 208.0), 2)
    yield "answer to hello", response_frame(Response(Op.HELLO, 1, Status.OK, descriptor.encode()))
    yield "answer to start", response_frame(Response(Op.START, 2, Status.MTU_TOO_SMALL), 1)
    yield "answer to battery", response_frame(_answer(Op.BATTERY, commands.BatteryReading(87, 3920, 0)), 2)
    sync = commands.TimeSyncReading(1234567890123456, 5_000_000_000, 5_000_000_120)
    yield "answer to time sync", response_frame(_answer(Op.TIME_SYNC, sync), 3)
    yield "answer to status", response_frame(_answer(Op.STATUS, commands.PenCounters(1000, 2, 125, 3, 0)), 4)
    yield from _sample_frames()
    yield "event", event_frame(Event(EventCode.BUTTON, b"\x01"), 9)
    mark = ArrivalMark(123_456_789_000_000, 2, 1_700_000_000_000_000_000)
    yield "arrival of two frames", arrival_frame(mark, 13)
    yield "log", Frame(FrameType.LOG, 10, payload="sensor füllt".encode())
    yield "log without a zero byte for 254 bytes", Frame(FrameType.LOG, 11, payload=b"x" * 254)
    yield "log without a zero byte for 700 bytes", Frame(FrameType.LOG, 12, payload=bytes(range(1, 176)) * 4)
    full = Frame(FrameType.LOG, 0x0101, 1, 1, Flag(0x0101), 0x01010101, 0x01010101, b"y" * 238)
    yield "header without a zero byte", full


def damaged() -> Iterator[tuple[str, bytes, str]]:
    """Named serial stretches that every decoder must refuse, with the counter that must count them."""
    raw = encode_frame(command_frame(commands.stop(0x21), 7))
    yield "wrong check sum", to_serial(raw[:-1] + bytes((raw[-1] ^ 1,))), "damaged"
    yield "shorter than a header", to_serial(raw[:12]), "damaged"
    yield "block that ends early", b"\x20\x01\x02\x00", "damaged"
    yield (
        "protocol version 2",
        to_serial(encode_frame(command_frame(Command(Op.STOP)), version=2)),
        ("foreign_version"),
    )
    yield "unknown type", to_serial(_with_type(0x7E)), "unknown_type"
    yield (
        "255 samples in 26 bytes",
        to_serial(encode_frame(Frame(FrameType.DATA, n=255, payload=bytes(26)))),
        ("damaged"),
    )


def document() -> dict[str, Any]:
    return {
        "protocol": 1,
        "frames": [_entry(name, frame) for name, frame in frames()],
        "refused": [{"name": n, "serial": s.hex(), "counter": c} for n, s, c in damaged()],
    }


def main() -> None:
    VECTORS_PATH.write_text(json.dumps(document(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"wrote {len(document()['frames'])} frames to {VECTORS_PATH.name}")


def _answer(op: Op, contents: commands.Contents) -> Response:
    return Response(op, 0x30, Status.OK, contents.encode())


def _sample_frames() -> Iterator[tuple[str, Frame]]:
    sample = np.array([_SAMPLE], dtype="<i2")
    two = np.concatenate((sample, sample + 1)).astype("<i2")
    yield (
        "data at the wrap",
        Frame(FrameType.DATA, 65535, n=2, index=0xFFFFFFFE, t_us=0xFFFFFF00, payload=two.tobytes()),
    )
    yield "data of zeros", Frame(FrameType.DATA, n=1, payload=bytes(26))
    eight = (np.arange(104, dtype=np.int32).reshape(8, 13) * 631 - 32768).astype("<i2")
    flags = Flag.OVERRUN | Flag.CLIPPED | Flag.EPOCH | Flag.DISCONTINUITY
    yield "data with every flag", Frame(FrameType.DATA, 513, 0, 8, flags, 4096, 40_960_000, eight.tobytes())


def _with_type(code: int) -> bytes:
    raw = encode_frame(Frame(FrameType.LOG))
    body = raw[:1] + bytes((code,)) + raw[2:-4]
    return commands.seal(body)


def _entry(name: str, frame: Frame) -> dict[str, Any]:
    raw = encode_frame(frame)
    return {
        "name": name,
        "type": int(frame.type),
        "seq": frame.seq,
        "stream": frame.stream,
        "n": frame.n,
        "flags": int(frame.flags),
        "index": frame.index,
        "t_us": frame.t_us,
        "payload": frame.payload.hex(),
        "frame": raw.hex(),
        "serial": to_serial(raw).hex(),
    }


if __name__ == "__main__":
    main()
