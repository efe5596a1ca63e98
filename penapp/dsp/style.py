"""What the recent ink says about its writer: size, slant, tempo, pressure; known before the word is read.

A capital is large for its writer and a slanted stroke is upright for its writer: letters alone do not tell.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STYLE_NAMES = (
    "style_acc_forward", "style_acc_side", "style_acc_tie",
    "style_vel_forward", "style_vel_side", "style_vel_tie",
    "style_pos_forward", "style_pos_side", "style_pos_tie",
    "style_rate", "style_force", "style_drift_forward", "style_drift_side", "style_stroke", "style_ink",
)  # fmt: skip
"""On paper alone. Per vector group: ln of the rms forward and to the side, correlation of the two;
then ln rms of the turning rate, mean force, mean velocity, ln of the stroke length, ln of the ink seen."""

RECENT_ROWS = 2000
"""Ink older than this is another posture."""

INK_ROWS = 600
"""Rows on paper that make a style: the last six seconds of ink."""

USUAL_FORCE = 1.7
"""Mean of the force feature on paper; style_force tells the difference from it."""

_PRIOR_ROWS = 40.0
_PRIOR_SQUARE = ((0.38, 0.77), (0.77, 1.35), (0.5, 0.92))
_PRIOR_RATE = 2.6
_PRIOR_STROKE_ROWS = 40.0
_DRIFT_GAIN = 4.0

_VECTORS = ((0, 1), (3, 4), (6, 7))
_VELOCITY, _RATE, _FORCE, _CONTACT = slice(3, 5), slice(9, 12), 12, 13


def writing_style(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """(S,) STYLE_NAMES of the ink in the last of the rows (n, R), with priors where little is seen."""
    recent = rows[-RECENT_ROWS:]
    down = recent[:, _CONTACT] > 0.5
    where = np.flatnonzero(down)[-INK_ROWS:]
    ink = recent[where].astype(np.float64)
    n = len(ink)
    touchdowns = 1 + int(np.count_nonzero(np.diff(where) > 1)) if n else 0
    trust = n + _PRIOR_ROWS
    spreads = [
        part
        for pair, prior in zip(_VECTORS, _PRIOR_SQUARE, strict=True)
        for part in _spread(ink[:, pair[0]], ink[:, pair[1]], prior)
    ]
    rate = (float((ink[:, _RATE] ** 2).sum()) + _PRIOR_ROWS * _PRIOR_RATE) / trust
    force = (float(ink[:, _FORCE].sum()) + _PRIOR_ROWS * USUAL_FORCE) / trust
    drift = _DRIFT_GAIN * ink[:, _VELOCITY].sum(axis=0) / trust
    stroke = trust / (touchdowns + _PRIOR_ROWS / _PRIOR_STROKE_ROWS) / _PRIOR_STROKE_ROWS
    style = [
        *spreads,
        0.5 * np.log(rate),
        force - USUAL_FORCE,
        *drift,
        np.log(stroke),
        np.log1p(n / 60.0) - 1.5,
    ]
    return np.array(style, dtype=np.float32)


def _spread(
    forward: NDArray[np.float64], side: NDArray[np.float64], prior: tuple[float, float]
) -> tuple[float, float, float]:
    """Logs of the rms of both directions, and their correlation."""
    trust = len(forward) + _PRIOR_ROWS
    ff = (float((forward * forward).sum()) + _PRIOR_ROWS * prior[0]) / trust
    ss = (float((side * side).sum()) + _PRIOR_ROWS * prior[1]) / trust
    fs = float((forward * side).sum()) / trust
    return float(0.5 * np.log(ff)), float(0.5 * np.log(ss)), float(fs / np.sqrt(ff * ss))
