"""Recordings of a sensor pen as an archive has them: what every reader gives and every trainer takes."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from models.training.tokens import frames_needed
from penapp.errors import BadInputError
from penapp.stream.block import CHANNEL_COUNT

Signal = NDArray[np.float32]
"""(T, 13) in the field's channel order."""


class Units(StrEnum):
    """What the numbers of a recording are.

    COUNTS: as the sensors gave them; SI: m/s2, rad/s, microtesla, newton
    """

    COUNTS = "counts"
    SI = "si"


class Reason(StrEnum):
    """Why a recording was left out."""

    EMPTY = "no samples"
    LONG = "too many samples"


@dataclass(frozen=True, slots=True)
class Drop:
    """A recording that was left out: its place in the file, why, its label, its samples, and its writer."""

    index: int
    reason: Reason
    label: str
    samples: int
    writer: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One side of one fold of an archive, not yet read.

    source: archive and protocol, "words500-indep-R"
    fold:   name of the folder, None where the archive has no folds
    split:  "train", "test", or "all" where the archive does not divide
    folder: where its files lie in the archive, "" for the top
    """

    source: str
    fold: str | None
    split: str
    folder: str = ""

    def __str__(self) -> str:
        return " ".join(word for word in (self.source, self.fold and f"fold {self.fold}", self.split) if word)


@dataclass(frozen=True)
class SignalSet:
    """The recordings of one part.

    signals: each (T, 13) float32, T >= 1, finite, in `units`
    labels:  text; writers: pseudonyms, None where the archive does not say; one per recording
    index:   place of each in its file, before anything was dropped
    lost:    samples missing inside each recording, as far as the archive tells
    rate_hz: nominal
    """

    part: Part
    signals: tuple[Signal, ...]
    labels: tuple[str, ...]
    writers: tuple[str | None, ...]
    index: tuple[int, ...]
    rate_hz: float = 100.0
    units: Units = Units.COUNTS
    dropped: tuple[Drop, ...] = ()
    lost: tuple[int, ...] = field(default=())

    def __post_init__(self) -> None:
        n = len(self.signals)
        counts = {len(self.labels), len(self.writers), len(self.index), len(self.lost) or n}
        if counts != {n}:
            raise BadInputError(
                f"{self.part}: {n} recordings, but labels, writers and places count {counts}."
            )

    def __len__(self) -> int:
        return len(self.signals)

    @property
    def name(self) -> str:
        return str(self.part)

    def only(self, keep: Sequence[int]) -> SignalSet:
        """The recordings at these places, in this order."""
        return replace(
            self,
            signals=tuple(self.signals[i] for i in keep),
            labels=tuple(self.labels[i] for i in keep),
            writers=tuple(self.writers[i] for i in keep),
            index=tuple(self.index[i] for i in keep),
            lost=tuple(self.lost[i] for i in keep) if self.lost else (),
        )

    def dropped_by_reason(self) -> dict[str, int]:
        return dict(Counter(str(drop.reason) for drop in self.dropped))

    def short_for_label(self, stride: int = 1) -> list[int]:
        """Recordings that CTC cannot read: the network's frames are fewer than the label needs."""
        return [
            i
            for i, (signal, label) in enumerate(zip(self.signals, self.labels, strict=True))
            if (len(signal) + stride - 1) // stride < frames_needed(label)
        ]

    def contents(self) -> list[bytes]:
        """What each recording is known by, wherever it occurs: equal for equal samples."""
        return [content_hash(signal) for signal in self.signals]


@dataclass(frozen=True, slots=True)
class Written:
    """What a conversion wrote: recordings, parts, and recordings that the reader had left out."""

    recordings: int
    parts: int
    left_out: int

    @staticmethod
    def of(sets: Sequence[SignalSet]) -> Written:
        return Written(sum(map(len, sets)), len(sets), sum(len(s.dropped) for s in sets))


def content_hash(signal: Signal) -> bytes:
    """16 bytes of a hash over shape and samples."""
    digest = hashlib.blake2b(str(signal.shape).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(signal, dtype="<f4").tobytes())
    return digest.digest()


class SetBuilder:
    """Collects the recordings of one part and checks each: shape, numbers, label.

    file:     how errors name the place
    letters:  what labels may be made of, None for anything
    max_rows: longer recordings are left out and counted; None keeps them all
    """

    def __init__(self, part: Part, file: str, letters: str | None, max_rows: int | None = None) -> None:
        self._part, self._file, self._letters, self._max_rows = part, file, letters, max_rows
        self._kept: list[tuple[Signal, str, str | None, int, int]] = []
        self._dropped: list[Drop] = []
        self._count = 0

    def add(
        self, samples: object, label: str, writer: str | None, lost: int = 0, place: str | None = None
    ) -> None:
        """One recording; BadInputError names the file (or the place given) and the item that is wrong."""
        index = self._count
        self._count += 1
        where = f"{place or self._file}, item {index} ({label!r})"
        foreign = sorted(set(label) - set(self._letters)) if self._letters is not None else []
        if foreign:
            raise BadInputError(
                f"{where}: {''.join(foreign)!r} is not among the {len(self._letters or '')} letters of "
                f"{self._part.source}.",
                advice="The labels are another archive's, or damaged.",
            )
        signal = _signal(samples, where)
        reason = self._reason(len(signal))
        if reason:
            self._dropped.append(Drop(index, reason, label, len(signal), writer))
        else:
            self._kept.append((signal, label, writer, index, lost))

    def done(self, units: Units = Units.COUNTS, rate_hz: float = 100.0) -> SignalSet:
        columns = tuple(zip(*self._kept, strict=True)) if self._kept else ((), (), (), (), ())
        signals, labels, writers, index, lost = columns
        return SignalSet(
            self._part, signals, labels, writers, index, rate_hz, units, tuple(self._dropped), lost
        )

    def _reason(self, samples: int) -> Reason | None:
        if samples == 0:
            return Reason.EMPTY
        return Reason.LONG if self._max_rows is not None and samples > self._max_rows else None


def _signal(samples: object, where: str) -> Signal:
    """(T, 13) float32 of an array or of nested lists."""
    try:
        found = np.asarray(samples)
        if found.size == 0:
            return np.empty((0, CHANNEL_COUNT), np.float32)
        with np.errstate(over="ignore"):  # what does not fit is reported below
            signal = found.astype(np.float32)
    except (TypeError, ValueError, MemoryError) as error:
        raise BadInputError(f"{where} is no table of numbers ({error}).") from error
    if signal.ndim != 2 or signal.shape[1] != CHANNEL_COUNT:
        raise BadInputError(
            f"{where} has the shape {signal.shape}, expected (samples, {CHANNEL_COUNT}).",
            advice="Channels: front and rear accelerometer, gyroscope, magnetometer xyz, force.",
        )
    if not np.isfinite(signal).all():
        row, column = (int(k) for k in np.argwhere(~np.isfinite(signal))[0])
        raise BadInputError(
            f"{where} holds {signal[row, column]} in sample {row}, channel {column}, expected numbers.",
            advice="Get the archive anew, or take this recording out.",
        )
    return signal
