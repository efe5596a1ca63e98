"""A recording of the STABILO challenge as a stream of frames, through the ordinary path.

Layout: a folder with `sensor_data.csv` and, where the pen was calibrated, `calibration.txt`. The sample
counter gives exact gaps; the receive times of the tablet are too coarse for more than the mean rate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.channels import G_M_S2, Descriptor, Mount, StreamSpec, clipped_rows
from firmware_protocol.framing import Flag, Frame, FrameType
from firmware_protocol.messages import Op, Response, Status, response_frame
from penapp.device.axes import FRONT_MM, REAR_MM
from penapp.device.source import ArrivedFrame, LinkCounters
from penapp.device.stabilo_clock import NOMINAL_HZ, Counter, follow_counter, mean_rate_hz
from penapp.device.stabilo_table import read_table
from penapp.device.stabilo_units import MAX_COUNTS, MAX_SI, UNCONFIRMED, PenCounts, channels, read_calibration
from penapp.errors import BadInputError

SENSORS, CALIBRATION = "sensor_data.csv", "calibration.txt"
NAME = "STABILO (mag, force unconfirmed)"
"""What every descriptor of such a recording says of itself; 32 bytes is all there is room for."""
FRAME_SAMPLES = 8
BATCH_FRAMES = 32
GRAVITY_SHARE = (0.5, 1.5)
"""The median reading of an accelerometer, as a share of gravity: outside of it the units are wrong."""


class StabiloRecording:
    """A `RecordedStream`; raises `BadInputError` for a file that does not fit, saying where.

    mounts: how the sensors sit in the pen, see `penapp.device.axes`; as they are, when nothing is said
    notes:  what a reader of the text should know: guesses, rates, what was left out
    """

    def __init__(self, path: Path, mounts: tuple[Mount, ...] = ()) -> None:
        self.path = path / SENSORS if path.is_dir() else path
        self._table = read_table(self.path)
        self._counter = follow_counter(self._table, self.path)
        self._rate_hz = mean_rate_hz(self._table, self._counter, self.path)
        self.descriptor = _descriptor(self.path.parent, self._rate_hz, mounts)
        stream = self.descriptor.streams[0]
        self._clipped = clipped_rows(self._table.counts, stream)
        _check_gravity(self._table.counts, self.path)
        self.notes = self._notes()
        self.total_bytes = self.path.stat().st_size
        self.read_bytes = 0
        self._frames = 0

    @property
    def counters(self) -> LinkCounters:
        return LinkCounters(self.read_bytes, self._frames, int(self._table.torn))

    def frames(self) -> Iterator[list[Frame]]:
        """DATA frames in batches; a counter that began anew is a pen that started again."""
        for batch in self.arrivals():
            yield [arrived.frame for arrived in batch]

    def arrivals(self) -> Iterator[list[ArrivedFrame]]:
        """The same, each with the time at which the tablet had received its last sample."""
        batch: list[ArrivedFrame] = []
        for arrived in self._all_frames():
            self._frames += 1
            batch.append(arrived)
            if len(batch) == BATCH_FRAMES:
                yield batch
                batch = []
        self.read_bytes = self.total_bytes
        yield batch

    def close(self) -> None:
        """Nothing is held open."""

    def _all_frames(self) -> Iterator[ArrivedFrame]:
        rows, boot, seq = self._counter.rows, self._counter.boot, 0
        for start, stop in _runs(self._counter):
            if start and boot[start] != boot[start - 1]:
                yield ArrivedFrame(self._hello(int(boot[start])), self._arrival_ns(start))
            for first in range(start, stop, FRAME_SAMPLES):
                part = slice(first, min(first + FRAME_SAMPLES, stop))
                yield ArrivedFrame(self._frame(seq, part), self._arrival_ns(part.stop - 1))
                seq += 1
                self.read_bytes = self.total_bytes * (part.stop) // (len(rows) + 1)

    def _arrival_ns(self, sample: int) -> int:
        return round(1e6 * float(self._table.millis[self._counter.rows[sample]]))

    def _frame(self, seq: int, part: slice) -> Frame:
        rows, index = self._counter.rows[part], int(self._counter.index[part.start])
        counts = np.ascontiguousarray(self._table.counts[rows], dtype="<i2")
        flags = Flag.CLIPPED if self._clipped[rows].any() else Flag.NONE
        t_us = round(index * 1e6 / self._rate_hz)
        return Frame(
            FrameType.DATA, seq & 0xFFFF, 0, len(rows), flags, index & 0xFFFFFFFF, t_us & 0xFFFFFFFF,
            counts.tobytes(),
        )  # fmt: skip

    def _hello(self, boot: int) -> Frame:
        descriptor = replace(self.descriptor, boot_id=boot + 1)
        return response_frame(Response(Op.HELLO, 0, Status.OK, descriptor.encode()))

    def _notes(self) -> tuple[str, ...]:
        table, counter = self._table, self._counter
        notes = [*UNCONFIRMED, f"accelerometers taken to sit {FRONT_MM:g} and {REAR_MM:g} mm from the tip"]
        if not self.descriptor.mounts:
            notes.append(_where_gravity_lies(table.counts))
        if not (self.path.parent / CALIBRATION).is_file():
            notes.append(f"no {CALIBRATION} beside it: biases of gyroscope and magnetometer are taken as 0")
        if table.by_place:
            notes.append("the header names the columns in its own way: they were taken by their place")
        if counter.repeated:
            notes.append(f"{counter.repeated} samples came twice (same counter) and were left out")
        if table.torn:
            notes.append("the last line is cut short and was left out")
        notes.append(f"{self._rate_hz:.2f} samples a second by the tablet's clock")
        return tuple(notes)


def _runs(counter: Counter) -> list[tuple[int, int]]:
    """[start, stop) of samples that follow each other without a gap."""
    breaks = np.flatnonzero((np.diff(counter.index) != 1) | (np.diff(counter.boot) != 0)) + 1
    edges = [0, *breaks.tolist(), len(counter.rows)]
    return list(pairwise(edges))


def _descriptor(folder: Path, rate_hz: float, mounts: tuple[Mount, ...]) -> Descriptor:
    text = _calibration_text(folder)
    pen = read_calibration(text, str(folder / CALIBRATION)) if text is not None else PenCounts()
    stated_hz = NOMINAL_HZ if abs(rate_hz / NOMINAL_HZ - 1.0) < 0.03 else round(rate_hz, 1)
    return Descriptor(
        device_id=blake2b((text or "").encode(), digest_size=8, person=b"stabilo").digest(),
        firmware="0.0.0",
        hardware_id=0,
        boot_id=1,
        clock_hz=1000,
        streams=(StreamSpec(0, stated_hz, stated_hz, stated_hz, channels(pen)),),
        mounts=mounts,
        name=NAME,
    )


def _calibration_text(folder: Path) -> str | None:
    path = folder / CALIBRATION
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(
            f"{path} cannot be read: {error}.", advice="Move it away to go on without it."
        ) from error


def _gravities(counts: NDArray[np.int16]) -> tuple[float, float]:
    """Median length of the front and the rear accelerometer's reading, in g."""
    si = counts[:, :6] * (MAX_SI / MAX_COUNTS)[:6] / G_M_S2
    front, rear = np.linalg.norm(si[:, :3], axis=1), np.linalg.norm(si[:, 3:], axis=1)
    return float(np.median(front)), float(np.median(rear))


def _check_gravity(counts: NDArray[np.int16], path: Path) -> None:
    low, high = GRAVITY_SHARE
    for place, gravity in zip(("front", "rear"), _gravities(counts), strict=True):
        if not low < gravity < high:
            raise BadInputError(
                f"{path}: the {place} accelerometer reads {gravity:.2f} g at the median, expected about 1 g.",
                advice="The counts are in other units than the Digipen's, or of another pen.",
            )


def _where_gravity_lies(counts: NDArray[np.int16]) -> str:
    """How the axes may sit: the pen's frame has z along the pen, up to the tail."""
    parts = []
    for place, columns in (("front", slice(0, 3)), ("rear", slice(3, 6))):
        mean = counts[:, columns].mean(axis=0)
        axis = int(np.argmax(np.abs(mean)))
        parts.append(f"{place} {'-' if mean[axis] < 0 else '+'}{'xyz'[axis]}")
    return (
        f"axes not confirmed by the maker, taken as they are (x, y, z = pen's x, y, z); gravity lies mostly "
        f"along {' and '.join(parts)}, a pen that writes has most of it along +z"
    )
