"""Other hands from the same ink: letter shapes bent smoothly, as no two people write them alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from penapp.simulation.ink import WordInk

_WAVES = 4
_WAVE_HEIGHTS = (1.3, 6.0)
"""Wavelengths, in heights of a small letter."""
_BEND = 0.13
"""Largest slope of one wave of the bending field, standard deviation."""
_ASPECT = 0.1
"""Spread of width against height (ln)."""


def another_hand(word: WordInk, rng: np.random.Generator, strength: float = 1.0) -> WordInk:
    """The word on a sheet that was bent smoothly at random (elastic distortion: Simard et al., ICDAR 2003).

    Times stay: what becomes longer was written faster.
    """
    ink = np.concatenate(word.strokes)
    low, high = ink.min(axis=0), ink.max(axis=0)
    small_mm = float(np.clip(0.45 * (high[1] - low[1]), 1.0, 5.0))
    moved = (ink - low) * [np.exp(strength * _ASPECT * rng.standard_normal()), 1.0]
    moved = moved + _field(moved / small_mm, rng) * (strength * small_mm) + low
    ends = np.cumsum([len(stroke) for stroke in word.strokes])[:-1]
    return replace(word, strokes=tuple(np.split(moved, ends)))


def _field(place: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """(n, 2) displacement at the places (n, 2), both in heights of a small letter: a few plane waves."""
    lengths = _WAVE_HEIGHTS[0] * (_WAVE_HEIGHTS[1] / _WAVE_HEIGHTS[0]) ** rng.random(_WAVES)
    heading, phase = rng.uniform(0.0, 2.0 * np.pi, (2, _WAVES))
    number = 2.0 * np.pi / lengths * np.stack([np.cos(heading), np.sin(heading)])
    amplitude = _BEND * lengths[:, None] / (2.0 * np.pi) * rng.standard_normal((_WAVES, 2))
    return np.asarray(np.sin(place @ number + phase) @ amplitude)
