"""What a model read, as a file: JSON Lines, a header and then one sample a line."""

from __future__ import annotations

import json
import math
import os
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TypeVar

from penapp.errors import BadInputError

SCHEMA = 1
"""Version of the file format; a reader refuses any other."""

BEST_ON_TEST = "best-on-test"
HELD_OUT_WRITERS = "held-out-writers"
LAST = "last"
SELECTIONS = (BEST_ON_TEST, HELD_OUT_WRITERS, LAST)
"""What chose the epoch: the very samples scored here, as in the literature, other writers, or nothing."""

_ADVICE = "Write it again with the model that read it."
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Sample:
    """One label and what was read; texts are kept in Unicode's composed form, so that ä is one character.

    id:          the same for every model that reads this sample
    writer:      empty when the data set does not tell
    word_seen, writer_seen: whether training held the label or the writer; None when not known
    seconds:     of writing, None when not known; rows: of network input
    content:     hex digest of the recording's samples, the same wherever it occurs; empty when not known
    """

    id: str
    label: str
    text: str
    writer: str = ""
    word_seen: bool | None = None
    writer_seen: bool | None = None
    seconds: float | None = None
    rows: int | None = None
    content: str = ""

    def __post_init__(self) -> None:
        for name in ("label", "text"):
            object.__setattr__(self, name, unicodedata.normalize("NFC", getattr(self, name)))


@dataclass(frozen=True, slots=True)
class Header:
    """What the samples are and who read them.

    run:       name of the system, the same for all its folds and seeds
    dataset, split: of the samples ("words500-right", "WI"); fold: None when there are none
    selection: one of SELECTIONS
    simulated: whether a virtual pen felt them; such figures never stand beside a real pen's
    decoding:  "greedy", or what helped
    """

    run: str
    dataset: str
    split: str
    fold: int | None
    selection: str
    simulated: bool
    seed: int = 0
    decoding: str = "greedy"

    def __post_init__(self) -> None:
        if self.selection not in SELECTIONS:
            raise BadInputError(
                f"selection is {self.selection!r}.", advice=f"Expected one of {', '.join(SELECTIONS)}."
            )


@dataclass(frozen=True)
class Predictions:
    """A whole file."""

    header: Header
    samples: tuple[Sample, ...]


def file_name(header: Header) -> str:
    """Where a run folder keeps them: `predictions-<selection>[-fold<n>].jsonl`."""
    fold = "" if header.fold is None else f"-fold{header.fold}"
    return f"predictions-{header.selection}{fold}.jsonl"


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Write under a temporary name, then rename; BadInputError when there is no sample."""
    if not predictions.samples:
        raise BadInputError(f"{path}: no sample to write.", advice="Read at least one.")
    head = {"schema": SCHEMA, "samples": len(predictions.samples), **asdict(predictions.header)}
    rows = [head, *map(asdict, predictions.samples)]
    lines = [json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.replace(part, path)  # noqa: PTH105 - one atomic call


def read_predictions(path: Path) -> Predictions:
    """BadInputError says what is wrong: no such file, empty, cut short, damaged, of another version."""
    lines = _lines(path)
    head = _row(path, 1, lines[0])
    if head.get("schema") != SCHEMA:
        found = f"schema {head['schema']}" if "schema" in head else "no schema in its first line"
        raise BadInputError(f"{path} is no predictions file of schema {SCHEMA}: {found}.", advice=_ADVICE)
    header = _made(Header, path, 1, head, extra=("schema", "samples"))
    count = head.get("samples")
    if count != len(lines) - 1:
        raise BadInputError(
            f"{path} holds {len(lines) - 1} samples, its header says {count}: it was cut short or joined.",
            advice=_ADVICE,
        )
    samples = tuple(_made(Sample, path, k, _row(path, k, line)) for k, line in enumerate(lines[1:], 2))
    return Predictions(header, samples)


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise BadInputError(f"{path} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise BadInputError(f"{path} is damaged: no UTF-8 text ({error.reason}).", advice=_ADVICE) from error
    if not text.strip():
        raise BadInputError(f"{path} is empty.", advice=_ADVICE)
    if not text.endswith("\n"):
        raise BadInputError(f"{path} was cut short: its last line does not end.", advice=_ADVICE)
    return text.rstrip("\n").split("\n")


def _row(path: Path, number: int, line: str) -> dict[str, object]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise BadInputError(
            f"{path} is damaged in line {number}: no JSON ({error}).", advice=_ADVICE
        ) from error
    if not isinstance(row, dict):
        raise BadInputError(f"{path} is damaged in line {number}: expected an object.", advice=_ADVICE)
    return row


def _made(
    kind: type[_T], path: Path, number: int, row: Mapping[str, object], extra: Sequence[str] = ()
) -> _T:
    """A dataclass from the fields of one line, each of the type that it was declared with."""
    values = {name: value for name, value in row.items() if name not in extra}
    declared = {f.name: str(f.type) for f in fields(kind)}  # type: ignore[arg-type]
    wrong = [n for n, v in values.items() if n not in declared or not _fits(v, declared[n])]
    try:
        if wrong:
            raise TypeError(f"{wrong[0]} is {values[wrong[0]]!r}")
        return kind(**values)
    except TypeError as error:
        raise BadInputError(f"{path} is damaged in line {number}: {error}.", advice=_ADVICE) from error


def _fits(value: object, declared: str) -> bool:
    if value is None:
        return declared.endswith("| None")
    kind = declared.removesuffix(" | None")
    if kind == "float":
        return isinstance(value, int | float) and not isinstance(value, bool) and _sane(value)
    return type(value).__name__ == kind


def _sane(value: float) -> bool:
    return math.isfinite(value) and value >= 0.0
