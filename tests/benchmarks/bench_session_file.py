"""One hour of samples into a file: write cost and size of the session file beside other formats.

    python tests/benchmarks/bench_session_file.py [--rate-hz 100] [--minutes 60]

Every format gets the same frames of 8 samples x 13 int16 of a simulated writer and is flushed to the system
every 0.5 s of samples, so that a killed program loses at most that (where the format allows it at all);
nobody calls fsync. Cost is processor time, the best of three. Baseline of the ratios: the pen's bytes alone
(`*.pen`). Formats whose library is missing are named and left out: h5py, pyarrow.
"""

from __future__ import annotations

import argparse
import sqlite3
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from mcap.writer import Writer

sys.path.insert(0, str(Path(__file__).parents[2]))

from firmware_protocol.framing import Flag, Frame, FrameType, encode_frame
from penapp.device.recording import StreamWriter
from penapp.record.head import SessionHead
from penapp.record.session_file import SessionFile
from penapp.simulation.demo_ink import demo_sentences, sentence_ink
from penapp.simulation.sources import SessionSource, write_ink

BATCH = 8
FLUSH_S = 0.5
BASELINE = "pen's bytes alone (.pen)"


class Hour:
    """The frames, and how many of them make half a second."""

    def __init__(self, rate_hz: float, minutes: float) -> None:
        source = SessionSource(
            (write_ink(list(sentence_ink(s)), 1, rate_hz=rate_hz) for s in demo_sentences()), rate_hz
        )
        self.descriptor = source.descriptor
        parts = []
        while (part := source.read(4096)) is not None:
            parts.append(part)
        n = round(rate_hz * 60 * minutes)
        noise = np.random.default_rng(1).integers(-2, 3, (n, 13), dtype=np.int16)
        self.counts = np.resize(np.concatenate(parts), (n, 13)) + noise
        self.rate_hz = rate_hz
        self.frames = [
            Frame(
                FrameType.DATA, k // BATCH % 65536, 0, BATCH, Flag.NONE, k,
                round(k / rate_hz * 1e6) % (1 << 32), self.counts[k : k + BATCH].tobytes(),
            )
            for k in range(0, n - BATCH + 1, BATCH)
        ]  # fmt: skip
        self.per_flush = max(1, round(FLUSH_S * rate_hz / BATCH))

    def halves(self) -> Iterator[list[Frame]]:
        for at in range(0, len(self.frames), self.per_flush):
            yield self.frames[at : at + self.per_flush]

    def rows(self) -> Iterator[np.ndarray]:
        """The same, as samples."""
        step = self.per_flush * BATCH
        for at in range(0, len(self.frames) * BATCH, step):
            yield self.counts[at : at + step]

    def ns(self, frame: Frame) -> int:
        return 1_790_000_000_000_000_000 + round(frame.index / self.rate_hz * 1e9)


def session_file(hour: Hour, path: Path) -> None:
    file = SessionFile(path, SessionHead(hour.descriptor))
    for half in hour.halves():
        for frame in half:
            file.frame(frame, hour.ns(frame))
        file.flush()
    file.finish()


def plain_mcap(hour: Hour, path: Path) -> None:
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start()
        channel = writer.register_channel("/pen/raw", "x-frame", 0)
        for half in hour.halves():
            for frame in half:
                writer.add_message(channel, hour.ns(frame), encode_frame(frame), hour.ns(frame), frame.seq)
            writer.flush()
        writer.finish()


def mcap_large_chunks(hour: Hour, path: Path) -> None:
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start()
        channel = writer.register_channel("/pen/raw", "x-frame", 0)
        for frame in hour.frames:
            writer.add_message(channel, hour.ns(frame), encode_frame(frame), hour.ns(frame), frame.seq)
        writer.finish()


def pen_stream(hour: Hour, path: Path) -> None:
    writer = StreamWriter(path, hour.descriptor)
    for half in hour.halves():
        writer.append(half)
    writer.close()


def sqlite(hour: Hour, path: Path) -> None:
    base = sqlite3.connect(path, isolation_level=None)
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("PRAGMA synchronous=NORMAL")
    base.execute("CREATE TABLE frames (at_ns INTEGER, seq INTEGER, raw BLOB)")
    for half in hour.halves():
        base.execute("BEGIN")
        base.executemany(
            "INSERT INTO frames VALUES (?, ?, ?)", [(hour.ns(f), f.seq, encode_frame(f)) for f in half]
        )
        base.execute("COMMIT")
    base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    base.close()


def xdf(hour: Hour, path: Path) -> None:
    """As LabRecorder writes: a samples chunk for each flush, a time stamp for each sample."""

    def chunk(tag: int, body: bytes) -> bytes:
        return b"\x08" + struct.pack("<QH", len(body) + 2, tag) + body

    row = np.dtype([("size", "u1"), ("t", "<f8"), ("v", "<i2", 13)])
    with path.open("wb", buffering=0) as file:
        file.write(b"XDF:" + chunk(1, b"<info><version>1.0</version></info>"))
        at = 0
        for values in hour.rows():
            table = np.empty(len(values), row)
            table["size"], table["v"] = 8, values
            table["t"] = (at + np.arange(len(values))) / hour.rate_hz
            at += len(values)
            head = struct.pack("<I", 1) + b"\x04" + struct.pack("<I", len(values))
            file.write(chunk(3, head + table.tobytes()))


def hdf5(hour: Hour, path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        table = file.create_dataset(
            "samples", (0, 13), "<i2", maxshape=(None, 13), chunks=(1024, 13), compression="gzip"
        )
        for values in hour.rows():
            table.resize(len(table) + len(values), 0)
            table[-len(values) :] = values
            file.flush()


def arrow(hour: Hour, path: Path) -> None:
    import pyarrow as pa

    schema = pa.schema([(f"c{k}", pa.int16()) for k in range(13)])
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with path.open("wb", buffering=0) as file, pa.ipc.new_stream(file, schema, options=options) as writer:
        for values in hour.rows():
            columns = [pa.array(np.ascontiguousarray(values[:, k])) for k in range(13)]
            writer.write_batch(pa.record_batch(columns, schema=schema))


FORMATS: dict[str, tuple[Callable[[Hour, Path], None], str, str]] = {
    BASELINE: (pen_stream, "", "frames"),
    "session file": (session_file, "", "frames, times, index, counts"),
    "mcap library, flush 0.5 s": (plain_mcap, "", "frames, times, index"),
    "mcap library, 1 MiB chunks": (mcap_large_chunks, "", "the same; minutes lost when killed"),
    "SQLite, WAL": (sqlite, "", "frames, times"),
    "Arrow IPC, zstd": (arrow, "pyarrow", "samples alone"),
    "XDF": (xdf, "", "samples, times"),
    "HDF5, gzip": (hdf5, "h5py", "samples alone; unreadable when killed"),
}


def measured(write: Callable[[Hour, Path], None], hour: Hour) -> tuple[float, int]:
    """Seconds of the processor, the best of three; bytes."""
    best = float("inf")
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "file"
            began = time.process_time()
            write(hour, path)
            best = min(best, time.process_time() - began)
            size = path.stat().st_size
    return best, size


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate-hz", type=float, default=100.0)
    parser.add_argument("--minutes", type=float, default=60.0)
    options = parser.parse_args()
    hour = Hour(options.rate_hz, options.minutes)
    samples = len(hour.frames) * BATCH
    print(f"{samples} samples x 13 int16 = {samples * 26 / 1e6:.1f} MB, {len(hour.frames)} frames")
    base: tuple[float, int] | None = None
    for name, (write, library, holds) in FORMATS.items():
        if library and find_spec(library) is None:
            print(f"{name:28} left out: {library} is not installed")
            continue
        seconds, size = measured(write, hour)
        base = base or (seconds, size)
        ratios = f"x{seconds / base[0]:4.1f}", f"x{size / base[1]:4.2f}"
        each_us = seconds / len(hour.frames) * 1e6
        figures = (
            f"{seconds:6.2f} s  {ratios[0]}   {size / 1e6:6.1f} MB  {ratios[1]}   {each_us:5.0f} us a frame"
        )
        print(f"{name:28} {figures}   ({holds})")


if __name__ == "__main__":
    main()
