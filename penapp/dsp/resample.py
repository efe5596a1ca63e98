"""Samples at the pen's own rate become rows at one fixed rate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import bilinear_zpk, butter, sosfilt, zpk2sos

from penapp.dsp.params import FeatureParams
from penapp.stream.block import FORCE, SampleBlock, all_valid

MAX_FILL_S = 0.3
"""Longer gaps are not bridged: whoever drives the stages starts afresh behind them."""


class Resampler:
    """SampleBlocks at pen_rate_hz in, at params.rate_hz out; how they were cut does not matter.

    Works on sample numbers, not on time stamps, so jitter of the stamps cannot shake the signal. Missing
    samples up to MAX_FILL_S are bridged by straight lines. Rows lie at exact fractions of sample numbers,
    Catmull-Rom between the neighbours (exact where a row meets a sample), straight lines for the force, which
    must not swing below its zero behind a lift-off.
    """

    def __init__(self, pen_rate_hz: float, params: FeatureParams) -> None:
        self._step = pen_rate_hz / params.rate_hz
        self._pen_rate_hz = pen_rate_hz
        self._filters = _low_passes(params.lowpass_hz, pen_rate_hz) if self._step > 1.25 else None
        self.reset()

    def reset(self) -> None:
        self._t = np.empty(0)
        self._values: NDArray[np.float64] = np.empty((0, 0))
        self._first = 0
        self._next_row = 0
        self._state: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
        self._last_raw: NDArray[np.float64] | None = None
        self._valid = all_valid()

    def push(self, block: SampleBlock) -> list[SampleBlock]:
        if len(block) == 0:
            return []
        self._valid = block.valid
        t, raw = self._bridged(block)
        filtered = self._filter(raw)
        if len(self._t) == 0:
            # a copy of the first sample in front gives the first interval its left neighbour
            self._t, self._values, self._first = np.array([t[0]]), filtered[:1], -1
        self._t = np.concatenate([self._t, t])
        self._values = np.concatenate([self._values, filtered])
        return self._rows(ahead=2)

    def finish(self) -> list[SampleBlock]:
        """Rows that were still waiting for right neighbours (the last sample is repeated)."""
        if len(self._t) == 0:
            return []
        self._t = np.concatenate([self._t, self._t[-1:], self._t[-1:]])
        self._values = np.concatenate([self._values, self._values[-1:], self._values[-1:]])
        return self._rows(ahead=3)

    def _bridged(self, block: SampleBlock) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        values = block.values.astype(np.float64)
        t = block.t
        if block.lost and self._last_raw is not None and block.lost <= MAX_FILL_S * self._pen_rate_hz:
            share = (np.arange(1, block.lost + 1) / (block.lost + 1))[:, None]
            fill = self._last_raw + share * (values[0] - self._last_raw)
            last_t = self._t[-1]
            t = np.concatenate([last_t + share[:, 0] * (t[0] - last_t), t])
            values = np.concatenate([fill, values])
        self._last_raw = values[-1]
        return t, values

    def _filter(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        if self._filters is None:
            return raw
        motion, force = self._filters
        if self._state is None:
            self._state = (_steady(motion, raw[0]), _steady(force, raw[0, FORCE : FORCE + 1]))
        filtered, of_motion = sosfilt(motion, raw, axis=0, zi=self._state[0])
        filtered[:, FORCE : FORCE + 1], of_force = sosfilt(
            force, raw[:, FORCE : FORCE + 1], axis=0, zi=self._state[1]
        )
        self._state = (of_motion, of_force)
        return np.asarray(filtered)

    def _rows(self, ahead: int) -> list[SampleBlock]:
        last = self._first + len(self._t) - ahead  # last sample number with enough right neighbours
        count = int(np.floor(last / self._step + 1e-9)) - self._next_row + 1
        if count <= 0:
            return []
        rows = np.arange(self._next_row, self._next_row + count)
        where = rows * self._step
        whole = np.floor(where + 1e-9).astype(np.int64)
        u = np.maximum(where - whole, 0.0)
        i = whole - self._first
        t = self._t[i] + u * (self._t[i + 1] - self._t[i])
        values = _catmull_rom(self._values, i, u[:, None])
        force = self._values[:, FORCE]
        values[:, FORCE] = force[i] + u * (force[i + 1] - force[i])
        self._next_row += count
        needed = int(np.floor(self._next_row * self._step + 1e-9)) - 1 - self._first
        keep = min(needed, len(self._t) - 1)
        if keep > 0:
            self._t, self._values = self._t[keep:], self._values[keep:]
            self._first += keep
        return [SampleBlock(t, values.astype(np.float32), 0, self._valid)]


def _low_passes(corner_hz: float, rate_hz: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Second-order sections for motion (Butterworth) and force (four equal real poles, the same delay).

    The Butterworth filter swings below zero behind every lift-off, where the sensor's zero is looked for;
    equal real poles never do.
    """
    pole = -min(2.0 * np.pi * corner_hz * 4.0 / 2.613, 1.9 * rate_hz)
    zpk = bilinear_zpk(np.empty(0), np.full(4, pole), pole**4, rate_hz)
    return butter(4, corner_hz, fs=rate_hz, output="sos"), zpk2sos(*zpk)


def _steady(sos: NDArray[np.float64], level: NDArray[np.float64]) -> NDArray[np.float64]:
    """The filter's state after it has seen these values (C,) for ever."""
    steady = np.empty((len(sos), 2))
    gain = 1.0
    for i, section in enumerate(sos):
        y = gain * section[:3].sum() / section[3:].sum()
        z1 = section[2] * gain - section[5] * y
        steady[i] = [section[1] * gain - section[4] * y + z1, z1]
        gain = y
    return np.asarray(steady[:, :, None] * level)


def _catmull_rom(
    samples: NDArray[np.float64], i: NDArray[np.int64], u: NDArray[np.float64]
) -> NDArray[np.float64]:
    p0, p1, p2 = samples[i - 1], samples[i], samples[i + 1]
    p3 = samples[np.minimum(i + 2, len(samples) - 1)]
    bent = p1 + 0.5 * u * ((p2 - p0) + u * ((2 * p0 - 5 * p1 + 4 * p2 - p3) + u * (3 * (p1 - p2) + p3 - p0)))
    return np.where(u < 1e-9, p1, bent)
