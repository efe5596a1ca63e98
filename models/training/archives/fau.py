"""The converted layout of the FAU line (REWI, ECHWR, TVA): train.json, val.json and one .csv a recording."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from models.training.archives.layouts import SPLITS, Layout, ReadOptions, beside, folder_of
from models.training.archives.signals import Part, SetBuilder, Signal, SignalSet, Units, Written
from models.training.archives.tree import Tree
from penapp.errors import BadInputError
from penapp.stream.block import CHANNEL_COUNT

SENSORS = ("AF", "AR", "G", "M", "F")
_ADVICE = "Expected info, categories and annotations {fold: [{filename, label, …}]}."
_SIDES = {"train": "train", "test": "val", "all": "train"}


@dataclass(frozen=True, slots=True)
class _Item:
    filename: str
    label: str
    writer: str | None


@dataclass(frozen=True, slots=True)
class _Index:
    """One of the two .json files: letters of the labels, independent writers, recordings of every fold."""

    letters: str
    independent: bool
    rate_hz: float
    units: Units
    folds: Mapping[str, Sequence[_Item]]


def _parts(tree: Tree) -> list[Part]:
    parts = []
    for name in tree.names:
        if tree.parts(name)[-1] in ("train.json", "val.json"):
            index, folder = _index(tree, name), folder_of(name)
            source = f"fau-{'indep' if index.independent else 'dep'}"
            side = tree.parts(name)[-1].removesuffix(".json")
            parts += [
                Part(source, fold, SPLITS[side], folder) for fold, items in index.folds.items() if items
            ]
    return parts


def _read(tree: Tree, part: Part, options: ReadOptions) -> SignalSet:
    """One fold by its name in the file; its number follows their listing order, not the archive's folders."""
    side = _SIDES[part.split]
    name = beside(part.folder, f"{side}.json")
    index = _index(tree, name)
    builder = SetBuilder(part, tree.place(name), index.letters, options.max_rows)
    fold = part.fold or ""
    for item in index.folds[fold]:
        builder.add(_signal(tree, (part.folder, fold, side), item.filename), item.label, item.writer)
    return builder.done(index.units, index.rate_hz)


def _signal(tree: Tree, at: tuple[str, str, str], filename: str) -> NDArray[np.float64]:
    """(T, 13) of one .csv; the index names it by its path from the top or by the file alone."""
    folder, fold, side = at
    file = filename.replace("\\", "/").rpartition("/")[2]
    places = [beside(folder, filename), beside(folder, f"data/{fold}/{side}/{file}")]
    name = next((place for place in places if place in tree), places[-1])
    text = tree.text(name)
    if not text.strip():
        return np.empty((0, CHANNEL_COUNT))
    try:
        return np.loadtxt(io.StringIO(text), delimiter=";", ndmin=2)
    except ValueError as error:
        raise BadInputError(f"{tree.place(name)} is no table of numbers: {error}.") from error


def _index(tree: Tree, name: str) -> _Index:
    try:
        whole = json.loads(tree.text(name))
        details, categories = whole["info"], whole["categories"]
        folds = {
            _fold(fold): [_item(entry) for entry in items] for fold, items in whole["annotations"].items()
        }
        return _Index(
            "".join(_texts(categories)),
            bool(details.get("writer_independent", False)),
            float(details.get("rate", 100.0)),
            Units(details.get("units", Units.COUNTS)),
            folds,
        )
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise BadInputError(
            f"{tree.place(name)} is not an index of the FAU layout ({error!r:.80}).", advice=_ADVICE
        ) from error


def _texts(categories: object) -> list[str]:
    if not isinstance(categories, list) or not all(isinstance(c, str) for c in categories):
        raise ValueError("categories are not a list of letters")
    return cast("list[str]", categories)


def _fold(name: str) -> str:
    if not re.fullmatch(r"[\w-]+", name):  # it becomes a folder when it is written again
        raise ValueError(f"a fold is named {name!r}")
    return name


def _item(entry: Mapping[str, object]) -> _Item:
    writer = entry.get("id_writer")
    return _Item(str(entry["filename"]), str(entry["label"]), None if writer is None else str(writer))


@dataclass(frozen=True, slots=True)
class _WrittenPart:
    """What the index says about a part whose samples are on disk."""

    part: Part
    rate_hz: float
    units: Units
    entries: tuple[Mapping[str, object], ...]
    letters: frozenset[str]
    left_out: int

    @property
    def fold(self) -> str:
        return self.part.fold or "0"


def write_fau(sets: Iterable[SignalSet], out: Path) -> Written:
    """Write the parts of one source into the new folder `out`, one in memory at a time.

    A set without folds becomes fold 0, one without sides its train side. Samples survive exactly.
    """
    if out.exists():
        raise BadInputError(f"{out} exists already.", advice="Name a new folder.")
    unfinished = out.with_name(out.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        parts = [_write_signals(signals, unfinished) for signals in sets]
        sources = sorted({written.part.source for written in parts})
        if len(sources) != 1:
            raise BadInputError(
                f"{', '.join(sources) or 'nothing'} to be written, expected one source.",
                advice="Choose one with --source.",
            )
        for side in ("train", "val"):
            index = json.dumps(_index_of(parts, side), ensure_ascii=False)
            (unfinished / f"{side}.json").write_text(index, encoding="utf-8")
        os.replace(unfinished, out)  # noqa: PTH105 - one atomic call
    except OSError as error:
        raise BadInputError(f"{out} cannot be written: {error}.") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return Written(sum(len(p.entries) for p in parts), len(parts), sum(p.left_out for p in parts))


def _place(part: Part, number: int) -> str:
    return f"data/{part.fold or '0'}/{_SIDES[part.split]}/{number:08d}.csv"


def _write_signals(signals: SignalSet, out: Path) -> _WrittenPart:
    (out / _place(signals.part, 0)).parent.mkdir(parents=True, exist_ok=True)
    for number, signal in enumerate(signals.signals):
        (out / _place(signals.part, number)).write_text(_csv(signal), encoding="utf-8")
    letters = frozenset(letter for label in signals.labels for letter in label)
    left_out = len(signals.dropped)
    return _WrittenPart(
        signals.part, signals.rate_hz, signals.units, tuple(_entries(signals)), letters, left_out
    )


def _csv(signal: Signal) -> str:
    """Nine digits bring a float32 back exactly."""
    lines = (";".join(f"{value:.9g}" for value in row) for row in signal.tolist())
    return "\n".join(lines) + "\n"


def _index_of(parts: Sequence[_WrittenPart], side: str) -> dict[str, object]:
    first = parts[0]
    own = [p for p in parts if _SIDES[p.part.split] == side]
    folds = sorted({p.fold for p in parts})
    return {
        "info": {
            "num_channel": CHANNEL_COUNT,
            "rate": first.rate_hz,
            "sensors": list(SENSORS),
            "num_fold": len(folds),
            "writer_independent": "-indep" in first.part.source,
            "units": str(first.units),
        },
        "categories": sorted({letter for p in parts for letter in p.letters}),
        "annotations": {fold: [e for p in own if p.fold == fold for e in p.entries] for fold in folds},
    }


def _entries(signals: SignalSet) -> Iterator[dict[str, object]]:
    for number, (label, writer) in enumerate(zip(signals.labels, signals.writers, strict=True)):
        yield {
            "filename": _place(signals.part, number),
            "id": number,
            "label": label,
            "id_writer": _number(writer),
            "rate_sample_orig": signals.rate_hz,
        }


def _number(writer: str | None) -> int | str | None:
    """A number where the pseudonym is one and comes back from it as it was."""
    return int(writer) if writer is not None and writer.isdecimal() and str(int(writer)) == writer else writer


FAU = Layout("FAU (train.json, val.json)", "train.json and val.json beside data/", _parts, _read)
