"""Readings of a field of constant strength lie on an ellipsoid; this finds what makes it a sphere.

Model: |gain @ (reading - centre)| = 1 with a symmetric gain, so nine numbers. A rotation of the sensor
changes no length and cannot be found here; the symmetric gain is the one that turns nothing.

Sources: Merayo et al., Meas. Sci. Technol. 11 (2000) 120 (the algebraic form, linear in nine unknowns);
Tedaldi et al., ICRA 2014 (lengths as the cost); Triggs et al., LNCS 1883 (robust cost).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.coverage import centres

MAX_ITERATIONS = 60
_PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ellipsoid:
    """centre (3,) in the sensor's unit; gain (3, 3) symmetric, 1 / unit."""

    centre: Array
    gain: Array

    def unit(self, readings: Array) -> Array:
        """(n, 3) readings on the unit sphere."""
        return np.asarray((readings - self.centre) @ self.gain)


@dataclass(frozen=True, slots=True)
class Refined:
    """A fitted ellipsoid and how well it is determined.

    residual:  (n,) length - 1 of every reading
    sigma:     spread of the residuals, robust
    worst:     expected error of a corrected unit vector in the worst direction of the sphere, from the
               covariance of the nine numbers: (across = direction, along = length)
    converged: False when the iterations ran out
    """

    ellipsoid: Ellipsoid
    residual: Array
    sigma: float
    worst_across: float
    worst_along: float
    condition: float
    converged: bool


def algebraic(readings: Array) -> Ellipsoid | None:
    """The ellipsoid of least squared algebraic distance; None when the best quadric is no ellipsoid."""
    middle = readings.mean(axis=0)
    scale = float(np.sqrt(((readings - middle) ** 2).sum(axis=1).mean()))
    if not scale > 0.0:
        return None
    x, y, z = ((readings - middle) / scale).T
    square = x * x + y * y + z * z
    columns = [square - 3 * z * z, square - 3 * y * y, 2 * x * y, 2 * x * z, 2 * y * z, 2 * x, 2 * y, 2 * z]
    design = np.stack([*columns, np.ones_like(x)], axis=1)
    u = np.linalg.lstsq(design, square, rcond=None)[0]
    shape = np.array(
        [
            [1 - u[0] - u[1], -u[2], -u[3]],
            [-u[2], 1 - u[0] + 2 * u[1], -u[4]],
            [-u[3], -u[4], 1 + 2 * u[0] - u[1]],
        ]
    )
    values, vectors = np.linalg.eigh(shape)
    if values[0] <= 1e-6 * values[2] or values[2] <= 0.0:
        return None
    centre = np.linalg.solve(shape, u[5:8])
    radius2 = u[8] + centre @ shape @ centre
    if radius2 <= 0.0:
        return None
    gain = (vectors * np.sqrt(values / radius2)) @ vectors.T / scale
    return Ellipsoid(centre * scale + middle, gain)


def refine(readings: Array, start: Ellipsoid, *, soft: float | None, least_sigma: float = 0.0) -> Refined:
    """Geometric fit from `start`. soft: residual (share of the radius) from which on a reading counts less
    (soft L1); None = least squares. least_sigma: noise that is there whatever the residuals say.
    """
    points = np.asarray(readings, dtype=np.float64)
    origin, size = start.centre, float(np.cbrt(np.linalg.det(start.gain)))
    scaled = (points - origin) * size
    first = np.concatenate([np.zeros(3), _packed(start.gain / size)])
    p, converged = _minimised(scaled, first, soft)
    residual, jacobian = _linear(scaled, p)
    ellipsoid = Ellipsoid(p[:3] / size + origin, _symmetric(p[3:]) * size)
    sigma = max(_spread(residual), least_sigma)
    across, along, condition = _determined(p, jacobian, sigma)
    return Refined(ellipsoid, residual, sigma, across, along, condition, converged)


def _linear(points: Array, p: Array) -> tuple[Array, Array]:
    """Residuals (n,) of the nine numbers (centre, packed gain) and their derivatives (n, 9)."""
    gain = _symmetric(p[3:])
    moved = points - p[:3]
    turned = moved @ gain
    length = np.maximum(np.sqrt(np.einsum("ni,ni->n", turned, turned)), 1e-12)
    along = turned / length[:, None]
    columns = [along[:, i] * moved[:, j] + (along[:, j] * moved[:, i] if i != j else 0.0) for i, j in _PAIRS]
    return length - 1.0, np.column_stack([-(along @ gain), *columns])


def _minimised(points: Array, p: Array, soft: float | None) -> tuple[Array, bool]:
    """Levenberg-Marquardt with soft-L1 weights; False when the iterations run out."""
    cost, normal, slope = _weighted(points, p, soft)
    damping = 1e-4
    for _ in range(MAX_ITERATIONS):
        step = np.linalg.solve(normal + damping * np.diag(np.diag(normal) + 1e-12), -slope)
        tried = _weighted(points, p + step, soft)
        if tried[0] > cost:
            damping *= 8.0
            if damping > 1e8:
                return p, True
            continue
        gained, p = cost - tried[0], p + step
        cost, normal, slope = tried
        damping = max(damping / 8.0, 1e-10)
        if gained <= 1e-10 * cost or float(np.abs(step).max()) < 1e-9:
            return p, True
    return p, False


def _weighted(points: Array, p: Array, soft: float | None) -> tuple[float, Array, Array]:
    """Cost, normal matrix (9, 9) and slope (9,) at p."""
    residual, jacobian = _linear(points, p)
    if soft is None:
        cost, weight = float(residual @ residual), np.ones_like(residual)
    else:
        root = np.sqrt(1.0 + (residual / soft) ** 2)
        cost, weight = float(2.0 * soft * soft * (root - 1.0).sum()), 1.0 / root
    weighted = jacobian * weight[:, None]
    return cost, weighted.T @ jacobian, weighted.T @ residual


def _spread(residual: Array) -> float:
    """Standard deviation, robust for many readings; corrected for the nine numbers that were fitted."""
    n = len(residual)
    freedom = np.sqrt(n / max(n - 9, 1))
    robust = 1.4826 * float(np.median(np.abs(residual)))
    plain = float(np.sqrt(np.mean(residual**2)))
    return float(freedom * (robust if n > 100 else plain))


def _determined(p: Array, jacobian: Array, sigma: float) -> tuple[float, float, float]:
    """Expected error across and along the worst of 48 directions, and the condition of the problem."""
    _, singular, right = np.linalg.svd(jacobian / np.linalg.norm(jacobian, axis=0), full_matrices=False)
    condition = float(singular[0] / max(singular[-1], 1e-300))
    if condition > 1e9:
        return float("inf"), float("inf"), condition
    root = (right.T / singular) / np.linalg.norm(jacobian, axis=0)[:, None]
    gain = _symmetric(p[3:])
    back = np.linalg.inv(gain)
    worst_across = worst_along = 0.0
    for u in centres():
        moved = back @ u
        change = np.zeros((3, 9))
        change[:, :3] = -gain
        for k, (i, j) in enumerate(_PAIRS):
            change[i, 3 + k] += moved[j]
            if i != j:
                change[j, 3 + k] += moved[i]
        spread = change @ root * sigma
        along = u @ spread
        across = spread - np.outer(u, along)
        worst_across = max(worst_across, float(np.linalg.norm(across)))
        worst_along = max(worst_along, float(np.linalg.norm(along)))
    return worst_across, worst_along, condition


def _symmetric(six: Array) -> Array:
    xx, yy, zz, xy, xz, yz = six
    return np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])


def _packed(gain: Array) -> Array:
    return np.array([gain[i, j] for i, j in _PAIRS])
