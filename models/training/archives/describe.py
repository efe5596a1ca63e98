"""What an archive holds, in lines for a person: counts, writers, labels, and everything that was left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.training.archives.catalogue import detect
from models.training.archives.catalogue import read as read_parts
from models.training.archives.layouts import ReadOptions
from models.training.archives.once import repeated_recordings
from models.training.archives.onhw_lists import unlisted_writers
from models.training.archives.raw_set import gravity_of
from models.training.archives.signals import Part, SignalSet
from models.training.archives.tree import open_tree

STRIDES = (1, 4, 8)
"""Down-samplings of the field's networks: for each, how many recordings are too short for their label."""

PUBLISHED_SIZES = {
    ("words500-dep-R", "train"): (20163, 20160, 20160, 20158, 20161),
    ("words500-dep-R", "test"): (5036, 5039, 5039, 5041, 5038),
    ("words500-indep-R", "train"): (19907, 20078, 20202, 20520, 20089),
    ("words500-indep-R", "test"): (5292, 5121, 4997, 4679, 5110),
}
"""Recordings of every fold in published work, without the empty ones and those above 1,024 samples."""

PUBLISHED_MAX_ROWS = 1024


@dataclass(frozen=True, slots=True)
class PartSummary:
    """What is kept of a part after its recordings have been let go."""

    part: Part
    contents: tuple[bytes, ...]
    writers: frozenset[str]
    words: frozenset[str]
    lines: tuple[str, ...]


def describe(path: Path, options: ReadOptions | None = None) -> Iterator[str]:
    """Lines about every part, one part in memory at a time, and about the archive as a whole."""
    options = options or ReadOptions()
    finding = detect(path)
    yield f"{path}: {finding.layout.name}, {len(finding.parts)} parts"
    summaries: list[PartSummary] = []
    unlisted: set[str] = set()
    for signals in read_parts(path, options=options):
        summaries.append(summary_of(signals, options))
        yield from summaries[-1].lines
        with open_tree(path) as tree:
            unlisted |= set(unlisted_writers(tree, [signals]))
    yield from _fold_lines(summaries)
    if unlisted:
        yield f"writers that ids_info.txt does not name: {', '.join(sorted(unlisted))}"


def summary_of(signals: SignalSet, options: ReadOptions) -> PartSummary:
    writers = frozenset(writer for writer in signals.writers if writer is not None)
    return PartSummary(
        signals.part,
        tuple(signals.contents()),
        writers,
        frozenset(signals.labels),
        tuple(_lines(signals, writers, options)),
    )


def _lines(signals: SignalSet, writers: frozenset[str], options: ReadOptions) -> Iterator[str]:
    told = f"{len(writers)} writers" if writers else "writers not told"
    yield f"{signals.part}: {len(signals)} recordings{_as_published(signals, options)}, {told}"
    if len(signals):
        yield f"  samples {_spread(len(s) for s in signals.signals)}"
        lengths = _spread(len(label) for label in signals.labels)
        yield f"  label length {lengths}, {_different(signals.labels)}"
        yield f"  {signals.units} at {signals.rate_hz:g} Hz, gravity reads {gravity_of(signals):.5g}"
    dropped = signals.dropped_by_reason()
    yield f"  left out: {', '.join(f'{n} ({why})' for why, n in sorted(dropped.items())) or 'none'}"
    short = {stride: len(signals.short_for_label(stride)) for stride in STRIDES}
    if any(short.values()):
        told = ", ".join(f"{n} at stride {stride}" for stride, n in short.items())
        yield f"  too short for CTC (kept): {told}"
    if sum(signals.lost):
        holed = sum(lost > 0 for lost in signals.lost)
        yield f"  lost packets: {sum(signals.lost)} samples in {holed} recordings"


def _fold_lines(summaries: Sequence[PartSummary]) -> Iterator[str]:
    for source in dict.fromkeys(s.part.source for s in summaries):
        own = [s for s in summaries if s.part.source == source]
        for fold in dict.fromkeys(s.part.fold for s in own):
            sides = {s.part.split: s for s in own if s.part.fold == fold}
            if "train" in sides and "test" in sides:
                yield _sides_line(source, fold, sides["train"], sides["test"])
        tests = [s.contents for s in own if s.part.split == "test"]
        if len(tests) > 1:
            distinct = len({content for contents in tests for content in contents})
            repeated = repeated_recordings(tests)
            yield f"{source}: {repeated} of {distinct} recordings are tested more than once"


def _sides_line(source: str, fold: str | None, train: PartSummary, test: PartSummary) -> str:
    leaked = len(set(train.contents) & set(test.contents))
    name = f"{source} fold {fold}" if fold is not None else source
    return (
        f"{name}: {len(train.writers & test.writers)} writers on both sides, "
        f"{len(test.words - train.words)} of {len(test.words)} test labels not in training, "
        f"{leaked} test recordings also in training"
    )


def _as_published(signals: SignalSet, options: ReadOptions) -> str:
    sizes = PUBLISHED_SIZES.get((signals.part.source, signals.part.split), ())
    fold = signals.part.fold
    if (
        options.max_rows != PUBLISHED_MAX_ROWS
        or fold is None
        or not fold.isdecimal()
        or int(fold) >= len(sizes)
    ):
        return ""
    size = sizes[int(fold)]
    return " (as published)" if size == len(signals) else f" (published: {size})"


def _spread(values: Iterable[int]) -> str:
    low, middle, high = np.quantile(list(values), [0.0, 0.5, 1.0])
    return f"{low:g} to {high:g}, median {middle:g}"


def _different(labels: Sequence[str]) -> str:
    empty = sum(not label for label in labels)
    return f"{len(set(labels))} different" + (f", {empty} EMPTY" if empty else "")
