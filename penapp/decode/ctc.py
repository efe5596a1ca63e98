"""Exact CTC: the probability of given texts, and which frame wrote which letter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FLOOR = -30.0
"""Natural-log probabilities are taken as at least this: keeps the scaled recursion from underflowing."""

_RESCALE_EVERY = 8


@dataclass(frozen=True, slots=True)
class Span:
    """The frames [first, last] that one letter owns on the best path, and the frame of its peak."""

    first: int
    last: int
    peak: int


def ctc_scores(
    log_probs: NDArray[np.floating], labels: Sequence[Sequence[int]], blank: int = 0
) -> NDArray[np.float64]:
    """The log probability of every label sequence given the frames, summed over all alignments.

    log_probs: (T, V); labels: B sequences of columns, the empty one included. -inf where T is too short
    or the label is more than 700 nats worse than silence.
    """
    if not labels:
        return np.zeros(0)
    states, skip = _states(labels, blank)
    emissions, offset = _emissions(log_probs, states)
    alpha, after = _Lanes(states.shape), _Lanes(states.shape)
    alpha.here[0] = 1.0
    log_scale = np.full(len(labels), offset)
    jumped = np.empty(states.shape)
    for index, emission in enumerate(emissions, start=1):
        np.add(alpha.here, alpha.one_back, out=after.here)
        np.multiply(alpha.two_back, skip, out=jumped)
        after.here += jumped
        after.here *= emission
        alpha, after = after, alpha
        if index % _RESCALE_EVERY == 0:
            log_scale += _rescale(alpha.here)
    return log_scale + _final(alpha.here, labels)


class _Lanes:
    """State probabilities (S, B) behind two rows of zeros, so that states look back without an edge."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        rows = np.zeros((shape[0] + 2, shape[1]))
        self.here, self.one_back, self.two_back = rows[2:], rows[1:-1], rows[:-2]


def _rescale(alpha: NDArray[np.float64]) -> NDArray[np.float64]:
    """Makes every label's best state 1 and returns the ln of what was divided out."""
    peak = alpha.max(axis=0)
    peak[peak == 0.0] = 1.0
    alpha /= peak
    return np.asarray(np.log(peak))


def _final(alpha: NDArray[np.float64], labels: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    rows = np.arange(len(labels))
    ends = np.array([2 * len(label) for label in labels])
    mass = alpha[ends, rows] + np.where(ends > 0, alpha[np.maximum(ends - 1, 0), rows], 0.0)
    with np.errstate(divide="ignore"):
        scores: NDArray[np.float64] = np.log(mass)
    return scores


def _states(labels: Sequence[Sequence[int]], blank: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The blank-interleaved columns (S, B), padded with blanks, and 1.0 where a blank may be jumped over."""
    longest = max(len(label) for label in labels)
    states = np.full((2 * longest + 1, len(labels)), blank, dtype=np.intp)
    for column, label in enumerate(labels):
        states[1 : 2 * len(label) : 2, column] = label
    skip = np.zeros(states.shape)
    skip[2:] = (states[2:] != blank) & (states[2:] != states[:-2])
    return states, skip


def _emissions(
    log_probs: NDArray[np.floating], states: NDArray[np.intp]
) -> tuple[NDArray[np.float64], float]:
    """Probabilities (T, S, B) relative to each frame's best column, and the sum of what was divided out."""
    floored = np.maximum(log_probs.astype(np.float64), FLOOR)
    best = floored.max(axis=1, keepdims=True) if len(floored) else np.zeros((0, 1))
    return np.exp(floored - best)[:, states], float(best.sum())


def align(log_probs: NDArray[np.floating], label: Sequence[int], blank: int = 0) -> list[Span]:
    """The most probable frames of every letter of `label` (forced alignment); [] if T is too short."""
    if not label:
        return []
    states, skip = _states([label], blank)
    emissions = np.maximum(log_probs.astype(np.float64), FLOOR)[:, states[:, 0]]
    jump = np.where(skip[:, 0] > 0, 0.0, -np.inf)
    best = np.full((len(emissions) + 1, len(states) + 2), -np.inf)
    best[0, 2] = 0.0
    for before, now, emission in zip(best[:-1], best[1:, 2:], emissions, strict=True):
        np.add(before[:-2], jump, out=now)
        np.maximum(now, before[1:-1], out=now)
        np.maximum(now, before[2:], out=now)
        now += emission
    path = _trace(best[1:, 2:].tolist(), jump.tolist())
    return [_span(path, emissions, 2 * i + 1) for i in range(len(label))] if path else []


def _trace(best: list[list[float]], jump: list[float]) -> list[int]:
    """The state of every frame on the best path, or [] where there is none."""
    if not best or max(best[-1][-2:]) == -np.inf:
        return []
    state = len(jump) - 1 if best[-1][-1] >= best[-1][-2] else len(jump) - 2
    path = [state]
    for row in best[-2::-1]:
        top, origin = row[state], state
        if state >= 1 and row[state - 1] > top:
            top, origin = row[state - 1], state - 1
        if state >= 2 and row[state - 2] + jump[state] > top:
            origin = state - 2
        state = origin
        path.append(state)
    return path[::-1]


def _span(path: list[int], emissions: NDArray[np.float64], state: int) -> Span:
    first = path.index(state)
    last = first + path.count(state) - 1
    peak = first + int(emissions[first : last + 1, state].argmax())
    return Span(first, last, peak)
