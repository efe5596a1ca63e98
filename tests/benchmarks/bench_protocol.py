"""Samples per second through the whole parse path: COBS, CRC-32, header, int16, scale to units.

python tests/benchmarks/bench_protocol.py      one core; baseline: struct and Python numbers, sample by sample
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from zlib import crc32

import numpy as np
from cobs import cobs

from firmware_protocol.channels import StreamSpec, counts_to_si, standard_descriptor
from firmware_protocol.framing import HEADER, Frame, FrameDecoder, FrameType, encode_frame, to_serial
from firmware_protocol.messages import join_samples, samples

FRAMES, BATCH, READ_BYTES, REPEATS = 5_000, 8, 4096, 7
TARGET_PER_S = 800_000


def recording(stream: StreamSpec) -> bytes:
    counts = (
        np.random.default_rng(1).integers(-2000, 2000, (FRAMES, BATCH, len(stream.channels))).astype("<i2")
    )
    frames = (
        Frame(FrameType.DATA, k, 0, BATCH, index=8 * k, payload=c.tobytes()) for k, c in enumerate(counts)
    )
    return b"".join(to_serial(encode_frame(frame)) for frame in frames)


def reads(stored: bytes) -> list[bytes]:
    return [stored[at : at + READ_BYTES] for at in range(0, len(stored), READ_BYTES)]


def full_path(stored: bytes, stream: StreamSpec) -> int:
    """As the live stages do it: one read of the link at a time."""
    decoder, done = FrameDecoder(), 0
    for chunk in reads(stored):
        frames = decoder.feed(chunk)
        done += len(counts_to_si(join_samples(frames, len(stream.channels)), stream))
    return done


def frame_by_frame(stored: bytes, stream: StreamSpec) -> int:
    decoder, done = FrameDecoder(), 0
    for chunk in reads(stored):
        for frame in decoder.feed(chunk):
            done += len(counts_to_si(samples(frame, len(stream.channels)), stream))
    return done


def naive(stored: bytes, stream: StreamSpec) -> int:
    """Struct per sample, Python floats; the same checks."""
    scales = [c.scale for c in stream.channels]
    sample, done = struct.Struct(f"<{len(scales)}h"), 0
    for stretch in stored.split(b"\x00")[:-1]:
        raw = cobs.decode(stretch)
        if crc32(raw[:-4]) != int.from_bytes(raw[-4:], "little"):
            raise ValueError("damaged frame in the benchmark's own recording")
        n = HEADER.unpack_from(raw)[4]
        for k in range(n):
            counts = sample.unpack_from(raw, HEADER.size + k * sample.size)
            values = [c * s for c, s in zip(counts, scales, strict=True)]
            done += bool(values)
    return done


def per_second(path: Callable[[bytes, StreamSpec], int], stored: bytes, stream: StreamSpec) -> float:
    """Best of some repeats."""
    best = float("inf")
    for _ in range(REPEATS):
        started = time.perf_counter()
        done = path(stored, stream)
        best = min(best, time.perf_counter() - started)
        if done != FRAMES * BATCH:
            raise ValueError(f"{done} samples came out, expected {FRAMES * BATCH}")
    return FRAMES * BATCH / best


def main() -> None:
    stream = standard_descriptor(400.0).streams[0]
    stored = recording(stream)
    baseline = per_second(naive, stored, stream)
    print(f"{FRAMES} frames of {BATCH} samples, 13 channels, reads of {READ_BYTES} bytes, best of {REPEATS}")
    for name, path in (
        ("naive: struct per sample", naive),
        ("frame by frame", frame_by_frame),
        ("full path", full_path),
    ):
        rate = per_second(path, stored, stream)
        ratios = f"{rate / baseline:5.1f} x naive  {rate / TARGET_PER_S:5.2f} x target"
        print(f"{name:26s} {rate / 1e6:6.2f} M samples/s  {ratios}")


if __name__ == "__main__":
    main()
