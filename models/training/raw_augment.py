"""Variations of raw recordings, the pen's thirteen channels as archives keep them (OnHW and its kin).

Order and strengths are REWI's (Li et al., iWOAR 2025, arXiv 2502.20954); joining recordings of one writer is
from "Tokenization vs. Augmentation" (Li et al., arXiv 2603.16883, 2026).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.training.distortions import (
    Signal,
    drift_curves,
    proportional_noise,
    unevenly_paced,
    with_dropped_runs,
)
from models.training.missing import OFTEN_MISSING, SENSORS

_SPREAD_FLOOR = 1e-6
_STILL = 1e-6
"""Share of a channel's largest value; a smaller spread is the rounding of float32 (steps of 1e-7)."""


@dataclass(frozen=True, slots=True)
class RawWord:
    """One recording: values (n, 13) float32 in field order and any unit, and what was written."""

    values: Signal
    label: str


@dataclass(frozen=True)
class RawAugmentConfig:
    """Off as it stands: `chance` is the probability of each of the first four variations.

    A strength of 0 switches its variation off alone.
    noise: sd of noise in proportion to the value; drift: largest relative change by a smooth drift of
    drift_points points
    drop: share of values lost in runs, the value before them stays on
    speed_changes, speed_ratio: how often the pace changes, and its fastest against its slowest
    missing: probability that a whole sensor (rear accelerometer, magnetometer) is absent
    extra: recordings of the same writer that are joined to each one
    """

    chance: float = 0.0
    noise: float = 0.05
    drift: float = 0.1
    drift_points: int = 40
    drop: float = 0.05
    speed_changes: int = 5
    speed_ratio: float = 4.0
    missing: float = 0.0
    extra: int = 0


REWI = RawAugmentConfig(chance=0.25)
"""As published with REWI."""

JOINED = RawAugmentConfig(chance=0.25, extra=3)
"""As published in "Tokenization vs. Augmentation", its best number of extra recordings."""


def presented(
    word: RawWord, mates: Sequence[RawWord], config: RawAugmentConfig, rng: np.random.Generator
) -> RawWord:
    """One presentation in training: joined, varied, then standardised; mates are of the same writer."""
    word = joined_with(word, mates, config.extra, rng)
    return RawWord(standardised(varied(word.values, config, rng)), word.label)


def varied(values: Signal, config: RawAugmentConfig, rng: np.random.Generator) -> Signal:
    """A varied copy of (n, 13) values, n unchanged: noise, drift, dropped runs, pace, and a sensor gone."""

    def now(strength: float) -> bool:
        return strength > 0.0 and rng.random() < config.chance

    if now(config.noise):
        values = proportional_noise(values, config.noise, rng)
    if now(config.drift):
        values = values * (1.0 + drift_curves(_shape(values), config.drift_points, config.drift, rng))
    if now(config.drop):
        values = with_dropped_runs(values, config.drop, rng)
    if now(config.speed_changes):
        values = unevenly_paced(values, config.speed_changes, config.speed_ratio, rng)
    values = values.copy()
    if config.missing and rng.random() < config.missing:
        values[:, SENSORS[OFTEN_MISSING[int(rng.integers(len(OFTEN_MISSING)))]]] = 0.0
    return values


def joined_with(word: RawWord, mates: Sequence[RawWord], extra: int, rng: np.random.Generator) -> RawWord:
    """The word with `extra` drawn mates glued before or after it, labels without a separator.

    None are joined when there are no mates; one mate may be drawn twice.
    """
    for _ in range(extra if len(mates) else 0):
        mate = mates[int(rng.integers(len(mates)))]
        first, second = (mate, word) if rng.random() < 0.5 else (word, mate)
        word = RawWord(np.concatenate([first.values, second.values]), first.label + second.label)
    return word


def standardised(values: Signal) -> Signal:
    """Every channel of one recording with mean 0 and spread 1; one that stands still becomes 0.

    A channel that wobbles by the rounding of its numbers alone stands still.
    """
    exact = values.astype(np.float64)
    centred, spread = exact - exact.mean(axis=0), exact.std(axis=0)
    still = spread <= _STILL * np.abs(exact).max(axis=0)
    return np.where(still, 0.0, centred / (spread + _SPREAD_FLOOR)).astype(np.float32)


def _shape(values: Signal) -> tuple[int, int]:
    return len(values), values.shape[1]
