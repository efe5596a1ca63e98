"""Force between tip and paper: rise, wobble, dips, fall, and what an imperfect sensor makes of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from penapp.simulation.parameters import FORCE_FULL_SCALE_N, Device, Touch
from penapp.simulation.path import TipPath


def contact_force(path: TipPath, touch: Touch, rng: np.random.Generator) -> NDArray[np.float64]:
    """True force on the tip, (n,) newton: 0 in the air.

    Shapes follow measured pressure profiles: slow rise, most force shortly before lift-off, fall in ~10 ms.
    """
    rate, n = path.rate_hz, len(path.down)
    wobble = _ou(rng, n, touch.wobble_s * rate) * touch.within_sd
    force = np.zeros(n)
    level = touch.force_n
    for word in path.words:
        for start, end in word.stroke_t:
            a, b = int(np.ceil(start * rate)), min(int(np.floor(end * rate)) + 1, n)
            since, left = np.arange(b - a) / rate, np.arange(b - a)[::-1] / rate
            rise = 0.12 + 0.88 * (1.0 - np.exp(-since / touch.rise_s))
            press = 1.0 + 0.2 * np.exp(-left / 0.07)
            fall = 1.0 - 0.85 * np.exp(-left / touch.fall_s)
            stroke = level * (1.0 + touch.between_sd * rng.standard_normal() * 0.7)
            force[a:b] = max(stroke, 0.25 * level) * rise * press * fall
    force *= np.maximum(1.0 + wobble, 0.15)
    _dip(force, path, touch, rng)
    return np.clip(force, 0.0, 1.3 * FORCE_FULL_SCALE_N)


def sensed_force(
    force: NDArray[np.float64], rate_hz: float, device: Device, rng: np.random.Generator
) -> NDArray[np.float64]:
    """What the force sensor reports, (n,) newton: dead zone, lag, leakage, drift, noise."""
    n = len(force)
    seen = np.maximum(force - device.force_dead_n, 0.0) * device.force_gain
    if device.force_lag_s > 0.0:
        keep = float(np.exp(-1.0 / (device.force_lag_s * rate_hz)))
        seen = lfilter([1.0 - keep], [1.0, -keep], seen)
    drift = _ou(rng, n, 8.0 * rate_hz) * device.force_drift_n
    noise = rng.standard_normal(n) * device.force_noise * np.sqrt(rate_hz / 100.0)
    return np.asarray(seen + device.force_zero_n + drift + noise)


def _dip(force: NDArray[np.float64], path: TipPath, touch: Touch, rng: np.random.Generator) -> None:
    """Soft dips: the tip nearly loses the paper for 15-45 ms inside a stroke."""
    rate = path.rate_hz
    for word in path.words:
        for start, end in word.stroke_t:
            for _ in range(int(rng.poisson(touch.dip_rate_hz * (end - start)))):
                centre = rng.uniform(start, end) * rate
                width = rng.uniform(0.006, 0.018) * rate
                a, b = int(max(centre - 4 * width, 0)), int(min(centre + 4 * width, len(force)))
                shape = np.exp(-0.5 * ((np.arange(a, b) - centre) / width) ** 2)
                force[a:b] *= 1.0 - rng.uniform(0.6, 0.97) * shape


def _ou(rng: np.random.Generator, n: int, tau: float) -> NDArray[np.float64]:
    """Ornstein-Uhlenbeck noise of unit standard deviation, time constant tau in samples."""
    keep = float(np.exp(-1.0 / tau))
    start = rng.standard_normal()
    white = rng.standard_normal(n) * np.sqrt(1.0 - keep**2)
    filtered, _ = lfilter([1.0], [1.0, -keep], white, zi=[keep * start])
    return np.asarray(filtered)
