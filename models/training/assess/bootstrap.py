"""How sure a difference is: writers, and seeds where there are several, drawn again and again.

Words of one writer fail together, so the unit that is drawn is the writer. Both systems see the same writers
in every draw (paired); their seeds are drawn independently of each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.training.assess.protocol import Tally
from penapp.errors import BadInputError

RESAMPLES = 10_000
FEW_WRITERS = 10
"""With fewer writers, or seeds fewer than five, an interval of this kind is known to be too narrow."""


@dataclass(frozen=True)
class WriterSums:
    """One system: errors of S seeds on W writers.

    writers: (W,) names; errors: (S, W) edits or wrong samples; units: (W,) characters or samples
    """

    writers: NDArray[np.str_]
    errors: NDArray[np.float64]
    units: NDArray[np.float64]

    @property
    def rate(self) -> float:
        """Percent, all writers and the mean over seeds."""
        return 100.0 * float(self.errors.mean(0).sum() / self.units.sum())

    @property
    def writer_rates(self) -> NDArray[np.float64]:
        """(W,) percent of each writer, mean over seeds; a writer without units has 0."""
        rates: NDArray[np.float64] = 100.0 * self.errors.mean(0) / np.maximum(self.units, 1.0)
        return rates


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure in percent or points and where 95 % of the draws lie."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0.0 or self.high < 0.0


@dataclass(frozen=True, slots=True)
class Difference:
    """`other` minus `base`: in points of error rate, in percent of base (None if base may make no error)."""

    points: Interval
    relative: Interval | None
    writers: int
    seeds: tuple[int, int]
    resamples: int


def writer_sums(tallies: Sequence[Tally], measure: str = "cer") -> WriterSums:
    """The tallies of one system, one a seed, summed by writer; measure: "cer", "cer_nocase" or "wer".

    Raises:
        BadInputError: seeds that read different samples, or a sample whose writer is not known
    """
    first = tallies[0]
    for other in tallies[1:]:
        _check_same(first, other)
    if bool((first.writers == "").any()):
        raise BadInputError(
            f"{int((first.writers == '').sum())} of {len(first)} samples name no writer.",
            advice="Without writers there is no honest interval; give the figures alone.",
        )
    writers, place = np.unique(first.writers, return_inverse=True)
    units = np.ones(len(first)) if measure == "wer" else first.characters
    errors = [np.bincount(place, _errors(t, measure), len(writers)) for t in tallies]
    totals = np.bincount(place, units, len(writers))
    return WriterSums(writers, np.array(errors), totals.astype(np.float64))


def interval(sums: WriterSums, *, resamples: int = RESAMPLES, seed: int = 1) -> Interval:
    """The error rate of one system, with its interval over writers (and seeds)."""
    draws = _Draws(len(sums.writers), resamples, seed)
    return _interval(sums.rate, draws.rates(sums))


def difference(
    base: Sequence[Tally],
    other: Sequence[Tally],
    measure: str = "cer",
    *,
    resamples: int = RESAMPLES,
    seed: int = 1,
) -> Difference:
    """Paired difference of two systems on the same samples; BadInputError when the samples differ."""
    _check_same(base[0], other[0])
    first, second = writer_sums(base, measure), writer_sums(other, measure)
    draws = _Draws(len(first.writers), resamples, seed)
    before, after = draws.rates(first), draws.rates(second)
    relative = None
    if bool((before > 0.0).all()):
        change = 100.0 * (second.rate / first.rate - 1.0)
        relative = _interval(change, 100.0 * (after / before - 1.0))
    return Difference(
        _interval(second.rate - first.rate, after - before),
        relative,
        len(first.writers),
        (len(base), len(other)),
        resamples,
    )


def statement(base: str, other: str, found: Difference, measure: str = "CER") -> str:
    """One plain line: who is better, by how much, how sure."""
    points = found.points
    span = f"95 % interval {points.low:+.2f} to {points.high:+.2f}"
    if not points.excludes_zero:
        said = f"no difference shown between {other} and {base}: {points.value:+.2f} points {measure} ({span}"
    else:
        word = "fewer" if points.value < 0.0 else "more"
        said = f"{other} makes {word} errors than {base}: {points.value:+.2f} points {measure} ({span}"
    if found.relative is not None:
        r = found.relative
        said += f"; relative {r.value:+.1f} %, {r.low:+.1f} to {r.high:+.1f}"
    seeds = "" if found.seeds == (1, 1) else f", {found.seeds[0]} against {found.seeds[1]} seeds"
    said += f"; {found.writers} writers{seeds})"
    if found.writers < FEW_WRITERS:
        said += f"; with {found.writers} writers the interval is too narrow"
    if found.seeds == (1, 1):
        said += "; one seed each: luck of training is not in the interval"
    return said


class _Draws:
    """How often each writer is drawn, the same for all systems: (R, W); seeds are drawn anew for each."""

    def __init__(self, writers: int, resamples: int, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._counts = self._random.multinomial(writers, np.full(writers, 1.0 / writers), resamples)

    def rates(self, sums: WriterSums) -> NDArray[np.float64]:
        """(R,) percent."""
        seeds = len(sums.errors)
        share = self._random.multinomial(seeds, np.full(seeds, 1.0 / seeds), len(self._counts)) / seeds
        errors = ((share @ sums.errors) * self._counts).sum(1)
        rates: NDArray[np.float64] = 100.0 * errors / np.maximum(self._counts @ sums.units, 1.0)
        return rates


def _interval(value: float, draws: NDArray[np.float64]) -> Interval:
    low, high = np.percentile(draws, [2.5, 97.5])
    return Interval(value, float(low), float(high))


def _errors(counted: Tally, measure: str) -> NDArray[np.float64]:
    known = {"cer": counted.edits, "cer_nocase": counted.edits_nocase, "wer": counted.wrong}
    if measure not in known:
        raise BadInputError(f"unknown measure {measure!r}.", advice=f"Known: {', '.join(known)}.")
    return known[measure]


def _check_same(one: Tally, other: Tally) -> None:
    if np.array_equal(one.ids, other.ids):
        if np.array_equal(one.characters, other.characters) and np.array_equal(one.writers, other.writers):
            return
        said = "the same ids have other labels or writers"
    else:
        a, b = set(one.ids.tolist()), set(other.ids.tolist())
        said = (
            f"{len(a - b)} samples only in the first, {len(b - a)} only in the second, {len(a & b)} in both"
        )
    raise BadInputError(
        f"the two systems did not read the same samples: {said}.",
        advice="Read the same test set with both; a paired comparison needs it.",
    )
