"""The recordings file: words of a pen as arrays, in the layout that people who hold such data can write."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penapp.arrays import read_arrays
from penapp.errors import BadInputError
from penapp.stream.block import CHANNEL_COUNT

ADVICE = "Expected .npz with x (sum of n, 13) in SI units, n samples per word, label, writer, rate_hz."


@dataclass(frozen=True)
class Recordings:
    """Words one after the other.

    x: (N, 13) float32 SI units in channel order; n: (W,) samples per word; label, writer: (W,) text
    """

    x: NDArray[np.float32]
    n: NDArray[np.int64]
    label: NDArray[np.str_]
    writer: NDArray[np.str_]
    rate_hz: float

    @staticmethod
    def load(path: Path) -> Recordings:
        """Read and check; BadInputError says what does not fit."""
        a = read_arrays(path, ("x", "n", "label", "writer", "rate_hz"), "a recordings file", ADVICE)
        try:
            x, n, rate_hz = a["x"].astype(np.float32), a["n"].astype(np.int64), float(a["rate_hz"])
        except (TypeError, ValueError) as error:
            raise BadInputError(f"{path} is not a recordings file ({error}).", advice=ADVICE) from error
        wrong = _what_is_wrong(x, n, (a["label"].shape, a["writer"].shape), rate_hz)
        if wrong:
            raise BadInputError(f"{path}: {wrong}.", advice=ADVICE)
        return Recordings(x, n, a["label"].astype(np.str_), a["writer"].astype(np.str_), rate_hz)

    def words(self) -> Iterator[tuple[NDArray[np.float32], str, str]]:
        """Samples, label and writer of every word, in order."""
        for word, label, writer in zip(
            np.split(self.x, np.cumsum(self.n)[:-1]), self.label, self.writer, strict=True
        ):
            yield word, str(label), str(writer)


def _what_is_wrong(
    x: NDArray[np.float32], n: NDArray[np.int64], texts: tuple[tuple[int, ...], ...], rate_hz: float
) -> str:
    """The first thing that does not fit; empty when all does."""
    if x.ndim != 2 or x.shape[1] != CHANNEL_COUNT:
        return f"x has the shape {x.shape}, expected {CHANNEL_COUNT} columns"
    if n.ndim != 1 or len(n) == 0 or int(n.min()) < 1:
        return "n must hold one positive number of samples per word"
    if int(n.sum()) != len(x):
        return f"n sums to {int(n.sum())} samples, x holds {len(x)}"
    for name, shape in zip(("label", "writer"), texts, strict=True):
        if shape != n.shape:
            return f"{name} has the shape {shape}, n counts {len(n)} words"
    if not np.isfinite(x).all():
        return "x holds values that are no numbers"
    return "" if 20.0 <= rate_hz <= 1000.0 else f"rate_hz is {rate_hz:g}, expected 20 to 1000"
