"""Exact CTC: the probability of given texts, and which frame wrote which letter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FLOOR = -30.0
"""Natural-log probabilities are taken as at least this: keeps the scaled recursion from underflowing."""

_RESCALE_EVERY = 4


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
    alpha = np.zeros(states.shape)
    alpha[:, :1] = 1.0
    log_scale = np.full(len(labels), offset)
    for index, emission in enumerate(emissions):
        alpha = _step(alpha, skip, emission, first=index == 0)
        if index % _RESCALE_EVERY == 0 or index == len(emissions) - 1:
            peak = alpha.max(axis=1)
            peak[peak == 0.0] = 1.0
            alpha /= peak[:, None]
            log_scale += np.log(peak)
    return log_scale + _final(alpha, labels)


def _step(
    alpha: NDArray[np.float64], skip: NDArray[np.float64], emission: NDArray[np.float64], *, first: bool
) -> NDArray[np.float64]:
    """One frame: stay, move one state on, or jump over a blank between two different letters."""
    moved = alpha.copy()
    moved[:, 1:] += alpha[:, :-1]
    if not first:
        moved[:, 2:] += alpha[:, :-2] * skip[:, 2:]
    moved *= emission
    return moved


def _final(alpha: NDArray[np.float64], labels: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    rows = np.arange(len(labels))
    ends = np.array([2 * len(label) for label in labels])
    mass = alpha[rows, ends] + np.where(ends > 0, alpha[rows, np.maximum(ends - 1, 0)], 0.0)
    with np.errstate(divide="ignore"):
        scores: NDArray[np.float64] = np.log(mass)
    return scores


def _states(labels: Sequence[Sequence[int]], blank: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The blank-interleaved columns (B, S), padded with blanks, and where a jump over a blank is allowed."""
    longest = max(len(label) for label in labels)
    states = np.full((len(labels), 2 * longest + 1), blank, dtype=np.intp)
    for row, label in zip(states, labels, strict=True):
        row[1 : 2 * len(label) : 2] = label
    skip = np.zeros(states.shape)
    skip[:, 2:] = (states[:, 2:] != blank) & (states[:, 2:] != states[:, :-2])
    return states, skip


def _emissions(
    log_probs: NDArray[np.floating], states: NDArray[np.intp]
) -> tuple[NDArray[np.float64], float]:
    """Probabilities (T, B, S) relative to each frame's best column, and the sum of what was divided out."""
    floored = np.maximum(log_probs.astype(np.float64), FLOOR)
    best = floored.max(axis=1, keepdims=True) if len(floored) else np.zeros((0, 1))
    return np.exp(floored - best)[:, states], float(best.sum())


def align(log_probs: NDArray[np.floating], label: Sequence[int], blank: int = 0) -> list[Span]:
    """The most probable frames of every letter of `label` (forced alignment); [] if T is too short."""
    if not label:
        return []
    states, skip = _states([label], blank)
    emissions = np.maximum(log_probs.astype(np.float64), FLOOR)[:, states[0]]
    jump = np.where(skip[0] > 0, 0.0, -np.inf)
    best = np.full(emissions.shape, -np.inf)
    if len(best):
        best[0, :2] = emissions[0, :2]
    for before, now, emission in zip(best[:-1], best[1:], emissions[1:], strict=True):
        now[:] = before
        np.maximum(now[1:], before[:-1], out=now[1:])
        np.maximum(now[2:], before[:-2] + jump[2:], out=now[2:])
        now += emission
    path = _trace(best, jump)
    return [_span(path, emissions, 2 * i + 1) for i in range(len(label))] if path else []


def _trace(best: NDArray[np.float64], jump: NDArray[np.float64]) -> list[int]:
    """The state of every frame on the best path, or [] where there is none."""
    frames, count = best.shape
    if frames == 0 or not np.isfinite(best[-1, -2:]).any():
        return []
    state = count - 1 if best[-1, -1] >= best[-1, -2] else count - 2
    path = [state]
    for row in best[-2::-1].tolist():
        options = [(row[state], state)]
        if state >= 1:
            options.append((row[state - 1], state - 1))
        if state >= 2:
            options.append((row[state - 2] + jump[state], state - 2))
        state = max(options)[1]
        path.append(state)
    return path[::-1]


def _span(path: list[int], emissions: NDArray[np.float64], state: int) -> Span:
    first = path.index(state)
    last = first + path.count(state) - 1
    peak = first + int(emissions[first : last + 1, state].argmax())
    return Span(first, last, peak)
