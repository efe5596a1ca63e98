"""Error rates as the field prints them: per fold, over folds, every sample counted once."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.training.archives.once import OnceScore, score_once
from models.training.assess.predictions import (
    BEST_ON_TEST,
    HELD_OUT_WRITERS,
    LAST,
    Header,
    Predictions,
    Sample,
)
from penapp.errors import BadInputError
from penapp.scores import edit_distance

LABELLED = {
    BEST_ON_TEST: "best-on-test (as published: the epoch was chosen on these samples, optimistic)",
    HELD_OUT_WRITERS: "held-out-writers (clean: the epoch was chosen on other writers)",
    LAST: "last (none: the last checkpoint)",
}
"""How the model selections are called in print."""


@dataclass(frozen=True)
class Tally:
    """Errors of n different samples, in order of their ids.

    ids, writers: (n,) text, writer "" when not known
    edits, characters: (n,) of the label; a sample that was read more than once has the mean of its edits
    edits_nocase: (n,) the same without upper and lower case; wrong: (n,) 1 when not read exactly
    """

    ids: NDArray[np.str_]
    writers: NDArray[np.str_]
    edits: NDArray[np.float64]
    characters: NDArray[np.float64]
    edits_nocase: NDArray[np.float64]
    wrong: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Rates:
    """Percent. cer: edits / characters of all samples; wer: samples not read exactly / samples.

    cer_nocase: both sides in lower case; accuracy: read exactly, None unless all labels are one letter
    """

    cer: float
    wer: float
    cer_nocase: float
    accuracy: float | None
    samples: int
    characters: int


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean over n folds and both standard deviations, divided by n (population) and by n - 1 (sample)."""

    mean: float
    population_std: float
    sample_std: float | None
    folds: int


@dataclass(frozen=True)
class Score:
    """One run with one seed and one selection: rates of every fold in order, and of all samples together.

    Published means are means over folds; `pooled` counts a sample of several test folds once.
    """

    header: Header
    folds: tuple[int | None, ...]
    per_fold: tuple[Rates, ...]
    pooled: Rates

    def spread(self, measure: str) -> Spread:
        """Over folds, of "cer", "wer", "cer_nocase" or "accuracy"."""
        return spread([float(getattr(rates, measure)) for rates in self.per_fold])


@dataclass(frozen=True, slots=True)
class Once:
    """Percent over distinct recordings, each counted once, however many folds test it.

    cer: edits / characters; accuracy: recordings read exactly
    recordings: distinct ones; repeated: those tested more than once
    """

    cer: float
    accuracy: float
    recordings: int
    repeated: int


def tally(samples: Iterable[Sample]) -> Tally:
    """Count errors; an empty text is as many deletions as the label has letters, nothing is left out.

    Raises:
        BadInputError: no sample, or an id that stands for two labels or two writers
    """
    seen: dict[str, list[Sample]] = {}
    for sample in samples:
        seen.setdefault(sample.id, []).append(sample)
    if not seen:
        raise BadInputError("no sample to score.", advice="Name a set that holds some.")
    for name, group in seen.items():
        if len({(s.label, s.writer) for s in group}) > 1:
            raise BadInputError(
                f"sample {name} has the labels and writers {sorted({(s.label, s.writer) for s in group})}.",
                advice="Ids must be unique over folds; put the fold's own numbering behind a prefix.",
            )
    groups = [seen[name] for name in sorted(seen)]
    first = [group[0] for group in groups]
    return Tally(
        np.array([s.id for s in first]),
        np.array([s.writer for s in first]),
        np.array([statistics.fmean(_edits(s.label, s.text) for s in g) for g in groups]),
        np.array([len(s.label) for s in first], np.float64),
        np.array([statistics.fmean(_edits(s.label.lower(), s.text.lower()) for s in g) for g in groups]),
        np.array([statistics.fmean(s.label != s.text for s in g) for g in groups]),
    )


def rates_of(counted: Tally) -> Rates:
    """Corpus-level rates; BadInputError when there is no character to read."""
    characters = float(counted.characters.sum())
    if characters == 0.0:
        raise BadInputError("the labels hold no character.", advice="Leave samples without a label out.")
    wer = 100.0 * float(counted.wrong.mean())
    return Rates(
        100.0 * float(counted.edits.sum()) / characters,
        wer,
        100.0 * float(counted.edits_nocase.sum()) / characters,
        100.0 - wer if bool((counted.characters == 1).all()) else None,
        len(counted),
        int(characters),
    )


def score(folds: Sequence[Predictions]) -> Score:
    """All folds of one run, seed and selection; BadInputError when they are not, or a fold is there twice."""
    if not folds:
        raise BadInputError("no predictions to score.", advice="Name at least one file.")
    ordered = sorted(folds, key=lambda p: -1 if p.header.fold is None else p.header.fold)
    numbers = tuple(p.header.fold for p in ordered)
    kinds = {_kind(p.header) for p in ordered}
    if len(kinds) > 1:
        raise BadInputError(
            f"these folds are of {len(kinds)} runs, data sets, seeds or selections: {sorted(kinds)}.",
            advice="Score them one by one.",
        )
    if len(set(numbers)) < len(numbers):
        raise BadInputError(
            f"run {ordered[0].header.run}, seed {ordered[0].header.seed}, has folds {numbers}: one is there "
            "twice.",
            advice="Give different systems different run names, and repetitions different seeds.",
        )
    per_fold = tuple(rates_of(tally(p.samples)) for p in ordered)
    pooled = rates_of(tally(s for p in ordered for s in p.samples))
    return Score(ordered[0].header, numbers, per_fold, pooled)


def counted_once(folds: Sequence[Predictions]) -> Once:
    """From what the folds of one seed read; a sample of unknown content is a recording of its own.

    A recording that was tested k times counts with the mean of its k outcomes.
    """
    keys = [[(s.content or f"sample {s.id}").encode() for s in p.samples] for p in folds]

    def mean(outcome: Callable[[Sample], float]) -> OnceScore:
        return score_once(keys, [[outcome(s) for s in p.samples] for p in folds])

    edits, letters = mean(lambda s: _edits(s.label, s.text)), mean(lambda s: len(s.label))
    right = mean(lambda s: s.label == s.text)
    return Once(100.0 * edits.mean / letters.mean, 100.0 * right.mean, right.recordings, right.repeated)


def spread(values: Sequence[float]) -> Spread:
    """Mean and deviations of one number a fold."""
    sample = statistics.stdev(values) if len(values) > 1 else None
    return Spread(statistics.fmean(values), statistics.pstdev(values), sample, len(values))


def by_cell(samples: Sequence[Sample]) -> dict[str, Rates]:
    """Rates of {seen, unseen} writers x {seen, unseen} words; samples of which one is not known: "other"."""
    return by_group(samples, cell)


def by_group(samples: Sequence[Sample], name: Callable[[Sample], str]) -> dict[str, Rates]:
    """Rates of the samples under each name, names in order."""
    groups: dict[str, list[Sample]] = {}
    for sample in samples:
        groups.setdefault(name(sample), []).append(sample)
    return {key: rates_of(tally(groups[key])) for key in sorted(groups)}


def cell(sample: Sample) -> str:
    """Which of the four cells a sample is in."""
    if sample.writer_seen is None or sample.word_seen is None:
        return "other"
    word = {True: "seen", False: "unseen"}
    return f"{word[sample.writer_seen]} writer, {word[sample.word_seen]} word"


def _kind(header: Header) -> tuple[str, str, str, str, int, str, bool]:
    h = header
    return (h.run, h.dataset, h.split, h.selection, h.seed, h.decoding, h.simulated)


def _edits(label: str, text: str) -> int:
    return 0 if label == text else edit_distance(label, text)
