"""When the pen lies still: a variance test on short cells of the stream (Tedaldi et al., ICRA 2014)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.sensor import CHANNEL_COUNT

MOTION = slice(0, 9)
"""The channels that tell rest from motion: both accelerometers and the gyroscope."""


@dataclass(frozen=True, slots=True)
class RestParams:
    """What counts as rest.

    cell_s:            length of a cell, s
    min_s:             shortest rest, s, without the settling cells at both ends
    acc_sd, gyro_sd:   largest spread inside a cell, m/s2 and rad/s, at 100 Hz (noise grows with the root of
                       the rate)
    acc_step, gyro_step: largest difference between a cell's mean and that of its rest so far
    """

    cell_s: float = 0.25
    min_s: float = 1.0
    acc_sd: float = 0.12
    gyro_sd: float = 0.03
    acc_step: float = 0.06
    gyro_step: float = 0.02


@dataclass(frozen=True, slots=True)
class Rest:
    """One rest: first and last sample (exclusive) in the stream, mean and spread of all channels (13,)."""

    start: int
    stop: int
    mean: NDArray[np.float64]
    sd: NDArray[np.float64]

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class _Cell:
    start: int
    n: int
    mean: NDArray[np.float64]
    square: NDArray[np.float64]


class RestFinder:
    """Samples in, rests out; a rest comes out when the pen moves again. Cuts of the stream do not matter."""

    def __init__(self, rate_hz: float, params: RestParams | None = None) -> None:
        self._p = params or RestParams()
        self._cell = max(4, round(self._p.cell_s * rate_hz))
        self._needed = max(1, round(self._p.min_s * rate_hz / self._cell))
        white = float(np.sqrt(max(1.0, rate_hz / 100.0)))
        p = self._p
        self._sd = np.array([p.acc_sd] * 6 + [p.gyro_sd] * 3) * white
        self._step = np.array([p.acc_step] * 6 + [p.gyro_step] * 3)
        self._rate_hz = rate_hz
        self.reset()

    def reset(self) -> None:
        self._tail: NDArray[np.float64] = np.empty((0, CHANNEL_COUNT))
        self._seen = 0
        self._run: list[_Cell] = []

    @property
    def resting(self) -> bool:
        """Still during the last cell."""
        return bool(self._run)

    @property
    def resting_s(self) -> float:
        """How long the pen has been still, s."""
        return len(self._run) * self._cell / self._rate_hz

    @property
    def current(self) -> Rest | None:
        """The rest that goes on now, if it is long enough already; without its first and last cell."""
        return _rest(self._run[1:-1]) if len(self._run) >= self._needed + 2 else None

    def push(self, values: NDArray[np.floating]) -> list[Rest]:
        """(n, 13) SI units."""
        self._tail = np.concatenate([self._tail, np.asarray(values, dtype=np.float64)])
        found: list[Rest] = []
        while len(self._tail) >= self._cell:
            part, self._tail = self._tail[: self._cell], self._tail[self._cell :]
            found += self._take(part)
            self._seen += self._cell
        return found

    def finish(self) -> list[Rest]:
        found = self._ended()
        self._tail = self._tail[:0]
        return found

    def _take(self, part: NDArray[np.float64]) -> list[Rest]:
        mean = part.mean(axis=0)
        square = ((part - mean) ** 2).sum(axis=0)
        cell = _Cell(self._seen, len(part), mean, square)
        still = bool((np.sqrt(square[MOTION] / len(part)) <= self._sd).all())
        if still and (not self._run or self._close(cell)):
            self._run.append(cell)
            return []
        found = self._ended()
        self._run = [cell] if still else []
        return found

    def _close(self, cell: _Cell) -> bool:
        so_far = np.mean([c.mean[MOTION] for c in self._run[-8:]], axis=0)
        return bool((np.abs(cell.mean[MOTION] - so_far) <= self._step).all())

    def _ended(self) -> list[Rest]:
        rest = self.current
        self._run = []
        return [rest] if rest is not None else []


def find_rests(
    values: NDArray[np.floating], rate_hz: float, params: RestParams | None = None
) -> tuple[Rest, ...]:
    """All rests in (n, 13) samples."""
    finder = RestFinder(rate_hz, params)
    return (*finder.push(values), *finder.finish())


def _rest(cells: list[_Cell]) -> Rest:
    n = sum(c.n for c in cells)
    mean = np.sum([c.n * c.mean for c in cells], axis=0) / n
    square = np.sum([c.square + c.n * (c.mean - mean) ** 2 for c in cells], axis=0)
    return Rest(cells[0].start, cells[-1].start + cells[-1].n, mean, np.sqrt(square / n))
