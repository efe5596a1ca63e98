"""Variations of a word's feature rows, drawn anew at every presentation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.training.config import AugmentConfig
from models.training.distortions import drift_curves, proportional_noise, with_dropped_runs
from penapp.dsp.features import with_style
from penapp.dsp.params import ROW_NAMES
from penapp.dsp.style import STYLE_NAMES, USUAL_FORCE, writing_style

_Rows = NDArray[np.float32]

_STYLE = len(ROW_NAMES)
"""First column of the style."""
_RATE, _FORCE, _STROKE = (STYLE_NAMES.index(f"style_{name}") for name in ("rate", "force", "stroke"))
_DRIFT = slice(STYLE_NAMES.index("style_drift_forward"), STYLE_NAMES.index("style_drift_side") + 1)
_INK = STYLE_NAMES.index("style_ink")

DRIFT_POINTS = 40
"""Points of the relative drift of one word, as in REWI (arXiv 2502.20954)."""

SLOW_ROWS = 100
"""The drift that adds takes about this long from point to point: 1 s."""


def augmented(features: _Rows, config: AugmentConfig, rng: np.random.Generator) -> _Rows:
    """One varied copy of a word's (T, F) features; the style tells of the same variation as the rows."""
    rows, tempo = _retimed(features[:, :_STYLE], config, rng)
    style = features[0, _STYLE:].astype(np.float64)
    style[_STROKE] -= np.log(tempo)
    bend, turn = _linear_maps(config, rng)
    size = float(np.exp(config.size * rng.standard_normal()))
    swing = float(np.exp(config.size * rng.standard_normal()))
    press = float(np.exp(config.force * rng.standard_normal()))
    for k, gain in enumerate((size * tempo * tempo, size * tempo, size)):
        _mapped(rows[:, 3 * k : 3 * k + 2], gain * bend)
        rows[:, 3 * k + 2] *= gain
        style[3 * k : 3 * k + 3] = _mapped_spread(style[3 * k : 3 * k + 3], gain * bend)
    style[_DRIFT] = size * tempo * bend @ style[_DRIFT]
    _mapped(rows[:, 9:11], tempo * swing * turn)
    rows[:, 11] *= tempo * swing
    style[_RATE] += np.log(tempo * swing)
    rows[:, 12] *= press
    style[_FORCE] += (press - 1.0) * (style[_FORCE] + USUAL_FORCE)
    _blur(rows, config, rng)
    rows = _worn(rows, config, rng)
    if config.gyro and rng.random() < config.gyro:
        _without_gyroscope(rows, style)
    _spoil(rows, config, rng)
    return with_style(rows, style.astype(np.float32))


def joined(first: _Rows, second: _Rows) -> _Rows:
    """Two words of one session as one, without the pause between them; the style is the later word's."""
    rows = np.concatenate([first[:, :_STYLE], second[:, :_STYLE]])
    return with_style(rows, second[0, _STYLE:])


def _retimed(rows: _Rows, config: AugmentConfig, rng: np.random.Generator) -> tuple[_Rows, float]:
    """Resample at another tempo with a smooth local warp; returns the tempo (> 1 = faster)."""
    n = len(rows)
    tempo = float(np.exp(rng.uniform(-1.0, 1.0) * np.log1p(config.stretch)))
    count = max(round(n / tempo), 4)
    knots = max(n // 40, 2) + 1
    pace = np.exp(config.warp * rng.standard_normal(knots))
    flow = np.interp(np.linspace(0, knots - 1, count), np.arange(knots), pace)
    where = np.concatenate([[0.0], np.cumsum(flow)[:-1]])
    where *= (n - 1) / max(where[-1], 1e-9)
    low = np.minimum(where.astype(np.int64), n - 2) if n > 1 else np.zeros(count, dtype=np.int64)
    share = (where - low)[:, None].astype(np.float32)
    return rows[low] * (1.0 - share) + rows[np.minimum(low + 1, n - 1)] * share, tempo


def _linear_maps(
    config: AugmentConfig, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Another heading, slant and aspect: one linear map of forward and side, and its rotation alone.

    The turning rates take part in the rotation only; how fingers turn the pen is the grip's own affair.
    """
    angle = np.deg2rad(config.turn_deg) * rng.standard_normal()
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s], [s, c]])
    return turn @ (np.eye(2) + config.shear * rng.standard_normal((2, 2))), turn


def _mapped(pair: _Rows, matrix: NDArray[np.float64]) -> None:
    """(n, 2) forward and side through a linear map, in place."""
    pair[:] = pair @ matrix.T.astype(np.float32)


def _mapped_spread(spread: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logs of the rms of both directions and their correlation after the map, as a covariance goes."""
    forward, side = np.exp(spread[:2])
    tie = forward * side * spread[2]
    moments = matrix @ np.array([[forward**2, tie], [tie, side**2]]) @ matrix.T
    forward, side = np.sqrt(np.maximum(np.diag(moments), 1e-8))
    return np.array([np.log(forward), np.log(side), moments[0, 1] / (forward * side)])


def _spoil(rows: _Rows, config: AugmentConfig, rng: np.random.Generator) -> None:
    """Noise, blanked stretches, a blanked vector group."""
    if config.noise:
        rows += config.noise * rng.standard_normal(rows.shape, dtype=np.float32)
    while rng.random() < config.mask:
        width = int(rng.integers(3, 16))
        start = int(rng.integers(0, max(len(rows) - width, 1)))
        rows[start : start + width] = 0.0
    if rng.random() < config.channel:
        group = int(rng.integers(0, 4))
        rows[:, 3 * group : 3 * group + 3] = 0.0


def _worn(rows: _Rows, config: AugmentConfig, rng: np.random.Generator) -> _Rows:
    """Faults of the sensors: proportional noise, drifts, dropped runs; the contact row is only ever dropped.

    A draw is made only for what is switched on, so that a run without them stays the run that it was.
    """

    def now(strength: float) -> bool:
        return strength > 0.0 and rng.random() < config.chance

    sensed, motion = rows[:, :13], rows[:, :12]
    if now(config.noise_gain):
        sensed[:] = proportional_noise(sensed, config.noise_gain, rng)
    if now(config.drift):
        sensed *= 1.0 + drift_curves((len(rows), 13), DRIFT_POINTS, config.drift, rng)
    if now(config.offset):
        motion += drift_curves((len(rows), 12), len(rows) // SLOW_ROWS + 2, config.offset, rng)
    return with_dropped_runs(rows, config.drop, rng) if now(config.drop) else rows


def _without_gyroscope(rows: _Rows, style: NDArray[np.float64]) -> None:
    """Rows and style as a pen that measures no turning gives them, in place; its attitude is not modelled."""
    rows[:, 9:12] = 0.0
    ink = np.zeros((round(60.0 * float(np.expm1(style[_INK] + 1.5))), _STYLE), dtype=np.float32)
    ink[:, ROW_NAMES.index("contact")] = 1.0
    style[_RATE] = writing_style(ink)[_RATE]


def _blur(rows: _Rows, config: AugmentConfig, rng: np.random.Generator) -> None:
    """Smoother or edgier writing: motion at 8-16 Hz is weakened or strengthened (three taps, 30 ms apart)."""
    if config.blur == 0.0 or len(rows) < 7:
        return
    amount = np.float32(np.clip(config.blur * rng.standard_normal(), -0.2, 0.24))
    motion = rows[:, :12].copy()
    motion[3:-3] += amount * (rows[6:, :12] + rows[:-6, :12] - 2.0 * rows[3:-3, :12])
    rows[:, :12] = motion
