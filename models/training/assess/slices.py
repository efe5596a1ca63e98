"""Error rates along one property of the samples: length of the label, speed of writing, writer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.training.assess.bootstrap import interval, writer_sums
from models.training.assess.predictions import Sample
from models.training.assess.protocol import rates_of, tally
from models.training.assess.systems import System

_RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Slice:
    """Some samples of a system. cer: percent, mean over seeds; low, high: 95 %, None without known writers.

    at: where it stands on the axis; samples: different ones, however many seeds read them
    """

    name: str
    at: float
    samples: int
    cer: float
    low: float | None
    high: float | None


def by_length(system: System, longest: int = 12) -> list[Slice]:
    """By letters of the label; those of `longest` and more are one slice, whose name ends in +."""

    def place(sample: Sample) -> float | None:
        return min(len(sample.label), longest) if sample.label else None

    return [_slice(system, place, at, f"{at:.0f}{'+' * (at == longest)}") for at in _places(system, place)]


def by_speed(system: System, edges: NDArray[np.float64]) -> list[Slice]:
    """By letters a second between the edges, each slice at its median; samples without time are left out."""

    def place(sample: Sample) -> float | None:
        speed = letters_per_s(sample)
        return None if speed is None else float(np.searchsorted(edges, speed, side="right"))

    slices = []
    for number in _places(system, place):
        speeds = [letters_per_s(s) or 0.0 for s in system.samples if place(s) == number]
        middle = float(np.median(speeds))
        made = _slice(system, place, number, f"{middle:.2f}")
        slices.append(Slice(made.name, middle, made.samples, made.cer, made.low, made.high))
    return slices


def speed_edges(system: System, slices: int = 6) -> NDArray[np.float64]:
    """(slices - 1,) letters a second that cut the samples into equally many; empty when no time is known."""
    speeds = [v for v in map(letters_per_s, system.samples) if v is not None]
    if not speeds:
        return np.empty(0)
    edges: NDArray[np.float64] = np.unique(np.quantile(speeds, np.linspace(0, 1, slices + 1)[1:-1]))
    return edges


def letters_per_s(sample: Sample) -> float | None:
    """Letters of the label over seconds of writing, None when the time is not known."""
    return len(sample.label) / sample.seconds if sample.seconds else None


def by_writer(system: System) -> dict[str, float]:
    """CER in percent of every writer, lowest first."""
    sums = writer_sums(system.tallies)
    rates = dict(zip(sums.writers.tolist(), sums.writer_rates.tolist(), strict=True))
    return dict(sorted(rates.items(), key=lambda item: (item[1], item[0])))


def _places(system: System, place: Callable[[Sample], float | None]) -> list[float]:
    return sorted({p for p in map(place, system.samples) if p is not None})


def _slice(system: System, place: Callable[[Sample], float | None], at: float, name: str) -> Slice:
    seeds = [_within(folds, place, at) for folds in _read(system)]
    tallies = [tally(samples) for samples in seeds if samples]
    cer = float(np.mean([rates_of(t).cer for t in tallies]))
    if bool((tallies[0].writers == "").any()):
        return Slice(name, at, len(tallies[0]), cer, None, None)
    found = interval(writer_sums(tallies), resamples=_RESAMPLES)
    return Slice(name, at, len(tallies[0]), cer, found.low, found.high)


def _read(system: System) -> list[list[Sample]]:
    return [[s for p in folds for s in p.samples] for folds in system.seeds]


def _within(samples: Sequence[Sample], place: Callable[[Sample], float | None], at: float) -> list[Sample]:
    return [s for s in samples if place(s) == at]
