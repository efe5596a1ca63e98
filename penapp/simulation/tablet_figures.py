"""Figures of pose, force and pen-ups, as measured on tablets."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from penapp.simulation.attitude import Pose
from penapp.simulation.parameters import FORCE_FULL_SCALE_N
from penapp.simulation.path import TipPath
from penapp.simulation.pen import SimulatedSession

PROFILE_STROKE_S = 0.3
"""Shorter strokes have no force profile."""

LONG_STROKE_S = 0.5
"""Force correlations were measured up to this lag, inside one stroke."""

WORD_MOVE_S = (0.038, 0.6)
WORD_MOVE_MM = 10.0
"""A pen-up this long and this far counts as a move inside a word (the tablet sets know no words)."""

STRETCH_S = 2.0
"""Pose dynamics need writing at least this long without a longer pen-up."""

Runs = list[tuple[int, int]]


def runs(mask: NDArray[np.bool_]) -> Runs:
    """(first, past the last) of every run of True."""
    edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def pose_figures(path: TipPath, pose: Pose) -> dict[str, float]:
    """Level, spread and time constant of the pose on paper, degrees and seconds."""
    altitude, azimuth = np.rad2deg(pose.altitude), np.rad2deg(np.unwrap(pose.azimuth))
    strokes, stretches = runs(path.down), _stretches(path)
    middle = float(azimuth[path.down].mean()) % 360.0
    return {
        "altitude_mean_deg": float(altitude[path.down].mean()),
        "azimuth_mean_deg_tail_right": middle if middle < 180.0 else float("nan"),
        "altitude_sd_within_stroke_deg": _sd_within(altitude, strokes),
        "azimuth_sd_within_stroke_deg": _sd_within(azimuth, strokes),
        "altitude_sd_within_person_deg": float(altitude[path.down].std()),
        "altitude_efold_s": efold_s(altitude, stretches, path.rate_hz),
        "azimuth_efold_s": efold_s(azimuth, stretches, path.rate_hz),
    }


def pressure_figures(session: SimulatedSession, zero_n: float) -> dict[str, float]:
    """Contact force as a share of full scale, its spread and its shape; zero_n is the sensor's own zero."""
    force = pressure(session, zero_n)
    strokes = runs(session.down)
    long = [(a, b) for a, b in strokes if b - a >= LONG_STROKE_S * session.rate_hz]
    mean = float(force[session.down].mean())
    return {
        "pressure_mean_full_scale_children": mean,
        "pressure_mean_full_scale_signers": mean,
        "pressure_cv": float(force[session.down].std()) / mean,
        "pressure_first_sample_over_mean": float(np.median([force[a] for a, _ in strokes])) / mean,
        "pressure_last_sample_over_mean": float(np.median([force[b - 1] for _, b in strokes])) / mean,
        "pressure_efold_within_stroke_s_children": efold_s(force, long, session.rate_hz),
        "rise_to_90pct_ms": _rise_ms(force, strokes, session.rate_hz),
    }


def pen_up_figures(path: TipPath) -> dict[str, float]:
    """How long and how fast the tip is in the air and on paper."""
    step = np.linalg.norm(np.diff(path.position[:, :2], axis=0, prepend=path.position[:1, :2]), axis=1)
    speed = step * path.rate_hz
    moves = word_moves(path)
    moved_s = [(b - a) / path.rate_hz for a, b in moves]
    ups = inside_pen_ups_s(path)
    on_paper = float(speed[path.down].mean())
    in_air = float(np.concatenate([speed[a:b] for a, b in moves]).mean()) if moves else float("nan")
    contact_s = float(path.down.sum()) / path.rate_hz
    return {
        "word_air_move_median_s_children_by_samples": _median(moved_s),
        "pen_up_median_s_signers": _median(ups),
        "air_over_paper_mean_speed_word_moves": in_air / on_paper,
        "paper_speed_mean_mm_s_children": on_paper,
        "in_air_share_words": sum(moved_s) / (sum(moved_s) + contact_s),
    }


def pressure(session: SimulatedSession, zero_n: float) -> NDArray[np.float64]:
    """(n,) force as a share of full scale, never negative."""
    force = session.values[:, 12].astype(np.float64) - zero_n
    return np.clip(force / FORCE_FULL_SCALE_N, 0.0, None)


def word_moves(path: TipPath) -> Runs:
    """Pen-ups that the tablet sets would call moves inside a word."""
    kept = []
    for (_, a), (b, _) in pairwise(runs(path.down)):
        chord = float(np.linalg.norm(path.position[b, :2] - path.position[a - 1, :2]))
        if WORD_MOVE_S[0] <= (b - a) / path.rate_hz <= WORD_MOVE_S[1] and chord < WORD_MOVE_MM:
            kept.append((a, b))
    return kept


def inside_pen_ups_s(path: TipPath) -> list[float]:
    """Seconds of every pen-up inside a word, from the truth."""
    return [b[0] - a[1] for word in path.words for a, b in pairwise(word.stroke_t)]


def profiles(
    session: SimulatedSession, zero_n: float, *, rising: bool, span_s: float = 0.15
) -> NDArray[np.float64]:
    """(strokes, samples) force over the stroke's mid median, from touchdown on or up to lift-off."""
    force, n = pressure(session, zero_n), round(span_s * session.rate_hz) + 1
    rows = [
        (force[a : a + n] if rising else force[b - n : b]) / _mid_median(force[a:b])
        for a, b in runs(session.down)
        if b - a >= PROFILE_STROKE_S * session.rate_hz
    ]
    return np.array(rows).reshape(-1, n)


def efold_s(x: NDArray[np.float64], parts: Runs, rate_hz: float) -> float:
    """Lag at which the autocorrelation inside the parts, their means removed, falls to 1/e (NaN: never)."""
    pieces = [x[a:b] - x[a:b].mean() for a, b in parts if b - a > 2]
    power = sum(float((p**2).mean() * len(p)) for p in pieces) / max(sum(len(p) for p in pieces), 1)
    before = 1.0
    for lag in range(1, int(3.0 * rate_hz)):
        long = [p for p in pieces if len(p) > lag]
        count = sum(len(p) - lag for p in long)
        if not count or power <= 0.0:
            break
        now = sum(float(p[:-lag] @ p[lag:]) for p in long) / count / power
        if now < np.exp(-1.0):
            return float(lag - (np.exp(-1.0) - now) / (before - now)) / rate_hz
        before = now
    return float("nan")


def _rise_ms(force: NDArray[np.float64], strokes: Runs, rate_hz: float) -> float:
    times = []
    for a, b in strokes:
        if b - a >= PROFILE_STROKE_S * rate_hz:
            there = np.flatnonzero(force[a:b] >= 0.9 * _mid_median(force[a:b]))
            times.append(1000.0 * there[0] / rate_hz)
    return _median(times)


def _mid_median(stroke: NDArray[np.float64]) -> float:
    quarter = len(stroke) // 4
    return max(float(np.median(stroke[quarter : len(stroke) - quarter])), 1e-6)


def _sd_within(x: NDArray[np.float64], strokes: Runs) -> float:
    square = sum(float(x[a:b].var()) * (b - a) for a, b in strokes)
    return float(np.sqrt(square / sum(b - a for a, b in strokes)))


def _stretches(path: TipPath) -> Runs:
    """Strokes joined over pen-ups below 0.6 s, at least STRETCH_S long."""
    joined: Runs = []
    for a, b in runs(path.down):
        if joined and (a - joined[-1][1]) / path.rate_hz < WORD_MOVE_S[1]:
            joined[-1] = (joined[-1][0], b)
        else:
            joined.append((a, b))
    return [(a, b) for a, b in joined if (b - a) / path.rate_hz >= STRETCH_S]


def _median(values: Sequence[float]) -> float:
    return float(np.median(values)) if len(values) else float("nan")
