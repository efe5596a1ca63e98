"""A monotone curve from shown to true newton, straight beyond both ends."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from calibration.errors import InvalidCalibrationError

MOST_KNOTS = 64


@dataclass(frozen=True, slots=True)
class ForceCurve:
    """Knots, both strictly rising: shown_n to true_n."""

    shown_n: tuple[float, ...]
    true_n: tuple[float, ...]

    def __post_init__(self) -> None:
        shown, true = np.asarray(self.shown_n), np.asarray(self.true_n)
        if shown.shape != true.shape or shown.ndim != 1 or not 2 <= len(shown) <= MOST_KNOTS:
            raise InvalidCalibrationError(
                f"a force curve has {shown.shape} shown and {true.shape} true values, "
                f"expected as many of each, 2 to {MOST_KNOTS}"
            )
        if not (np.isfinite(shown).all() and np.isfinite(true).all()):
            raise InvalidCalibrationError("a force curve holds numbers that are not finite")
        if (np.diff(shown) <= 0.0).any() or (np.diff(true) <= 0.0).any():
            raise InvalidCalibrationError(
                "a force curve does not rise from knot to knot", advice="Calibrate the force sensor again."
            )

    def apply(self, shown_n: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n,) to (n,), each value by itself."""
        curve, low_slope, high_slope = _prepared(self)
        low, high = self.shown_n[0], self.shown_n[-1]
        inside = curve(np.clip(shown_n, low, high))
        below = np.minimum(shown_n - low, 0.0) * low_slope
        above = np.maximum(shown_n - high, 0.0) * high_slope
        return np.asarray(inside + below + above)


@lru_cache(maxsize=16)
def _prepared(curve: ForceCurve) -> tuple[PchipInterpolator, float, float]:
    """The interpolant and the slopes of its first and last piece."""
    x, y = np.asarray(curve.shown_n), np.asarray(curve.true_n)
    slopes = np.diff(y) / np.diff(x)
    return PchipInterpolator(x, y), float(slopes[0]), float(slopes[-1])
