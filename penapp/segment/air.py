"""Where the tip went while it was in the air."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_KNOT_S = 0.15
_SPEED_SD = 0.1
"""m/s: what is not known of the velocity at the window's start."""
_BIAS_SD = 0.4
"""m/s2: constant error of the acceleration (tilt, sensor)."""
_WANDER_SD = 0.03
"""m/s2: change of that error from knot to knot."""
_PLACE_SD = 0.05
"""m: where a stretch of writing lies."""
_CONTACT_SPEED_SD = 0.13
"""m/s per row: the tip's speed on paper, widened because neighbouring rows agree."""
_BAND_SD = 0.006
"""m per row: how far the tip strays from the place where it writes, widened likewise."""
_PAPER_SD = 0.0015
"""m per row: how flat the paper is, widened likewise."""

_Rows = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AirMove:
    """How the tip moved, metres.

    forward_m, side_m: displacement in the air
    height_m:          (k,) above the paper while in the air
    path_m:            (n, 3) forward and side from the place of the lift, height; every row of the window
    """

    forward_m: float
    side_m: float
    height_m: _Rows
    path_m: _Rows


def air_move(t: _Rows, acceleration: _Rows, down: NDArray[np.bool_], lift_t: float, land_t: float) -> AirMove:
    """Integrate the acceleration twice, its slow error fitted so that the pen, on paper, does what pens do.

    On paper the tip stays at height zero, its velocity averages to nothing much and it keeps to the place
    where it writes, one place before lift_t and another after land_t: rows marked `down` hold the
    integration. The error is a constant that wanders (least squares with priors). acceleration (n, 3) m/s2
    forward, side, up at the uniform times t.
    """
    n = len(t)
    dt = (t[-1] - t[0]) / (n - 1)
    since = t - t[0]
    knots = np.arange(_KNOT_S, since[-1], _KNOT_S)
    wander = np.maximum(since[:, None] - knots, 0.0) * _WANDER_SD
    speed = np.concatenate([np.full((n, 1), _SPEED_SD), since[:, None] * _BIAS_SD, wander], axis=1)
    path = np.cumsum(speed, axis=0) * dt
    velocity = np.cumsum(acceleration, axis=0) * dt
    position = np.cumsum(velocity, axis=0) * dt
    a, b = int(np.searchsorted(t, lift_t, side="right")), int(np.searchsorted(t, land_t, side="right"))
    early = np.arange(n) < (a + b) // 2
    level = position[:, :2] - path @ _level_error(
        np.column_stack([path, early * _PLACE_SD, ~early * _PLACE_SD])[down],
        position[down, :2],
        speed[down],
        velocity[down, :2],
    )
    rise = np.column_stack([path, np.full(n, _PLACE_SD)])
    height = position[:, 2] - rise @ _solve(rise[down], position[down, 2], _PAPER_SD)
    level -= level[max(a - 1, 0)]
    path_m = np.column_stack([level, height])
    return AirMove(float(level[b - 1, 0]), float(level[b - 1, 1]), height[a:b], path_m)


def _level_error(place: _Rows, position: _Rows, speed: _Rows, velocity: _Rows) -> _Rows:
    """The weights (k, 2) of the error's basis that position and velocity on paper make most probable."""
    k = speed.shape[1]
    normal = _gram(place) / _BAND_SD**2 + np.eye(place.shape[1])
    seen = place.T @ position / _BAND_SD**2
    normal[:k, :k] += _gram(speed) / _CONTACT_SPEED_SD**2
    seen[:k] += speed.T @ velocity / _CONTACT_SPEED_SD**2
    return np.asarray(np.linalg.solve(normal, seen)[:k])


def _solve(basis: _Rows, seen: _Rows, sd: float) -> _Rows:
    normal = _gram(basis) + np.eye(basis.shape[1]) * sd**2
    return np.asarray(np.linalg.solve(normal, basis.T @ seen))


def _gram(basis: _Rows) -> _Rows:
    """basis.T @ basis, without the threads that a linear algebra library would start for it."""
    return np.asarray(np.einsum("ni,nj->ij", basis, basis))
