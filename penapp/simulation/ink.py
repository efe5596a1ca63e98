"""Handwriting as pen-tip trajectories: real people's words in the layout of `unipen-words`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penapp.errors import BadInputError


@dataclass(frozen=True, slots=True)
class WordInk:
    """The pen-down strokes of one written word.

    label:        the word as written
    strokes:      per stroke (n, 2) float64 mm, x to the right, y away from the writer; n >= 1
    times:        per stroke (n,) float64 s on one clock within the word, increasing
    pen_up_known: whether the time between two strokes was recorded; otherwise it means nothing
    writer:       pseudonym
    hand:         "R", "L" or "?"
    """

    label: str
    strokes: tuple[NDArray[np.float64], ...]
    times: tuple[NDArray[np.float64], ...]
    pen_up_known: bool
    writer: str
    hand: str = "?"


@dataclass(frozen=True)
class InkCorpus:
    """A file in the layout of `unipen-words`, opened once; words are cut out on demand."""

    dxy: NDArray[np.int16]
    pen: NDArray[np.uint8]
    off: NDArray[np.int64]
    label: NDArray[np.str_]
    writer: NDArray[np.int16]
    donor: NDArray[np.int16]
    hand: NDArray[np.str_]
    units_per_mm: NDArray[np.float64]
    rate_hz: NDArray[np.float64]
    clock_ok: NDArray[np.bool_]
    split: NDArray[np.str_]
    heldout_word: NDArray[np.bool_]

    @staticmethod
    def load(path: Path | str) -> InkCorpus:
        """Read the arrays; BadInputError names what is missing."""
        try:
            with np.load(path, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
        except (OSError, ValueError, EOFError) as error:
            raise BadInputError(
                f"{path} cannot be read as an ink file ({error})",
                advice="Expected an .npz in the layout of unipen-words.",
            ) from error
        wanted = list(InkCorpus.__dataclass_fields__)
        missing = [name for name in wanted if name not in arrays]
        if missing:
            raise BadInputError(
                f"{path} lacks the arrays {', '.join(missing)}",
                advice="Expected an .npz in the layout of unipen-words.",
            )
        return InkCorpus(**{name: arrays[name] for name in wanted})

    def __len__(self) -> int:
        return len(self.label)

    def word(self, i: int) -> WordInk:
        """Word i in millimetres and seconds; an untrusted clock is taken as it stands."""
        rows = slice(int(self.off[i]), int(self.off[i + 1]))
        scale, rate = self._scale_and_rate(i)
        xy = np.cumsum(self.dxy[rows].astype(np.int64), axis=0) / scale
        pen = self.pen[rows]
        t = np.arange(len(pen)) / rate
        starts = np.flatnonzero(pen == 2)
        strokes, times = [], []
        for start, stop in zip(starts, [*starts[1:], len(pen)], strict=True):
            length = _down_length(pen[start:stop])
            strokes.append(xy[start : start + length])
            times.append(t[start : start + length])
        return WordInk(
            label=str(self.label[i]),
            strokes=tuple(strokes),
            times=tuple(times),
            pen_up_known=bool(np.any((pen == 3) | (pen == 0))),
            writer=str(self.writer[i]),
            hand=str(self.hand[i]),
        )

    def _scale_and_rate(self, i: int) -> tuple[float, float]:
        scale, rate = float(self.units_per_mm[i]), float(self.rate_hz[i])
        return (scale if scale > 0 else 100.0), (rate if rate > 0 else 100.0)

    def select(self, mask: NDArray[np.bool_]) -> Iterator[int]:
        """Indices of the words that the mask keeps, in file order."""
        yield from (int(i) for i in np.flatnonzero(mask))


def _down_length(pen: NDArray[np.uint8]) -> int:
    """Points of the pen-down stroke that begins at row 0 (codes 2, 1, 1, ...)."""
    after = np.flatnonzero(pen[1:] != 1)
    return len(pen) if len(after) == 0 else int(after[0]) + 1
