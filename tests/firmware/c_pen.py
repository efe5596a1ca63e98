"""The C firmware for tests: built with the machine's compiler, driven through ctypes."""

from __future__ import annotations

import ctypes
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

import firmware_protocol
from firmware_protocol.framing import Flag, Frame, FrameType

FIRMWARE = Path(firmware_protocol.__file__).parent / "firmware"
CORE = sorted((FIRMWARE / "core").glob("*.c"))
HOST = FIRMWARE / "host"
PEN_SIM = [HOST / f"{name}.c" for name in ("pen_sim", "sampling", "link", "ink", "options")]
PEN_FUZZ = [HOST / f"{name}.c" for name in ("pen_fuzz", "mutate")]
STRICT = [
    "-std=c99",
    "-pedantic",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wconversion",
    "-Wshadow",
    "-Wstrict-prototypes",
]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g"]
STATE = (
    "streaming",
    "index",
    "overruns",
    "high_water",
    "blink_ms",
    "accepted",
    "damaged",
    "foreign",
    "unknown",
)


def skip(reason: str) -> None:
    print(reason, file=sys.stderr)
    pytest.skip(reason)


def compiler(names: tuple[str, ...] = ("gcc", "cc", "clang")) -> str:
    found = next((name for name in names if shutil.which(name)), None)
    if found is None or sys.platform == "win32":
        skip(f"no POSIX C compiler ({', '.join(names)}) on this machine: the C firmware is not built")
    return found


def build(target: Path, sources: list[Path], *options: str) -> Path:
    """Compile and link; the compiler's own words when it fails."""
    command = [compiler(), *STRICT, *options, f"-I{FIRMWARE / 'core'}", *map(str, sources), "-o", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return target


class CPen:
    """One pen of the core behind flat functions; the same verbs as `PenFirmware`."""

    def __init__(self, library: ctypes.CDLL, boot_id: int = 7, mtu: int | None = None) -> None:
        self._lib = library
        self.mtu = mtu
        self._pen = ctypes.c_void_p(library.driver_new(boot_id, mtu or 0))

    def close(self) -> None:
        self._lib.driver_free(self._pen)

    def receive(self, raw: bytes) -> int:
        return self._lib.driver_receive(self._pen, raw, len(raw))

    def take(self, counts, t_us_first: int, period_us: int = 10_000) -> None:
        for k, row in enumerate(counts):
            raw = row.astype("<i2").tobytes()
            t_us = ctypes.c_uint64(t_us_first + k * period_us)
            self._lib.driver_take(self._pen, raw, t_us, period_us)

    def pump(self, room: int = 1 << 30) -> bytes:
        size = self._lib.driver_pump(self._pen, room)
        return ctypes.string_at(self._lib.driver_out(self._pen), size)

    def notifications(self, room: int = 1 << 30) -> list[tuple[bool, bytes]]:
        """(goes to the response characteristic, value) of each notification."""
        raw, at, got = self.pump(room), 0, []
        while at < len(raw):
            response, size = struct.unpack_from("<?H", raw, at)
            got.append((response, raw[at + 3 : at + 3 + size]))
            at += 3 + size
        return got

    def state(self) -> dict[str, int]:
        out = (ctypes.c_uint32 * len(STATE))()
        self._lib.driver_state(self._pen, out)
        return dict(zip(STATE, out, strict=True))

    def set_mtu(self, mtu: int) -> None:
        self._lib.driver_set_mtu(self._pen, mtu)

    def set_index(self, index: int) -> None:
        self._lib.driver_set_index(self._pen, ctypes.c_uint32(index))

    def disconnect(self) -> None:
        self._lib.driver_disconnect(self._pen)

    def log(self, text: str) -> None:
        self._lib.driver_log(self._pen, text.encode())

    def event(self, code: int, detail: bytes) -> None:
        self._lib.driver_event(self._pen, code, detail, len(detail))


def load(path: Path) -> ctypes.CDLL:
    library = ctypes.CDLL(str(path))
    library.driver_new.restype = ctypes.c_void_p
    library.driver_out.restype = ctypes.c_void_p
    library.driver_take.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint64, ctypes.c_uint32]
    return library


def encode_in_c(library: ctypes.CDLL, frame: Frame) -> tuple[bytes, bytes]:
    fields = (frame.type, frame.seq, frame.stream, frame.n, frame.flags, frame.index, frame.t_us)
    header = (ctypes.c_uint32 * 7)(*map(int, fields))
    raw, wire = ctypes.create_string_buffer(1024), ctypes.create_string_buffer(1100)
    wire_size = ctypes.c_uint32()
    size = library.driver_encode(
        header, frame.payload, len(frame.payload), raw, wire, ctypes.byref(wire_size)
    )
    return raw.raw[:size], wire.raw[: wire_size.value]


def decode_in_c(library: ctypes.CDLL, stream: bytes) -> tuple[list[Frame], dict[str, int]]:
    room = 4 * len(stream) + 4096
    out, counters = ctypes.create_string_buffer(room), (ctypes.c_uint32 * 4)()
    size = library.driver_decode(stream, len(stream), out, room, counters)
    frames, at = [], 0
    while at < size:
        kind, seq, channel, n, flags, index, t_us, length = struct.unpack_from("=8I", out, at)
        payload = out.raw[at + 32 : at + 32 + length]
        frames.append(Frame(FrameType(kind), seq, channel, n, Flag(flags), index, t_us, payload))
        at += 32 + length
    names = ("accepted", "damaged", "foreign_version", "unknown_type")
    return frames, dict(zip(names, counters, strict=True))
