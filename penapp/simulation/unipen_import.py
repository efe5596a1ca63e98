"""A folder of UNIPEN files to the arrays of an ink corpus."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penapp.errors import BadInputError
from penapp.simulation.ink import InkCorpus
from penapp.simulation.unipen import Component, Segment, UnipenFormatError, read_unipen

CREDIBLE_RATE_HZ = (40.0, 500.0)
CREDIBLE_SPEED_MM_S = (4.0, 250.0)


@dataclass(slots=True)
class ImportReport:
    """What came in and what did not: counts by reason, and one line per unreadable file."""

    words: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Word:
    dxy: NDArray[np.int16]
    pen: NDArray[np.uint8]
    label: str
    writer: str
    donor: str
    hand: str
    units_per_mm: float
    rate_hz: float


def unipen_files(folder: Path) -> list[Path]:
    """The top files of a data set: *.dat below `data` (or below the folder), never those below `include`."""
    root = folder / "data" if (folder / "data").is_dir() else folder
    files = [p for p in root.rglob("*.dat") if "include" not in p.relative_to(folder).parts[:-1]]
    if not files:
        raise BadInputError(
            f"{folder} holds no UNIPEN files",
            advice="Expected the unpacked data set: folders data (with *.dat files) and include.",
        )
    return sorted(files)


def import_unipen(
    folder: Path, *, level: str = "WORD", progress: Callable[[int, int], None] | None = None
) -> tuple[InkCorpus, ImportReport]:
    """All segments of `level`; unreadable files are reported, not fatal, unless nothing is left."""
    report, words = ImportReport(), []
    files = unipen_files(folder)
    for k, path in enumerate(files):
        if progress is not None:
            progress(k, len(files))
        try:
            words += _words(path, folder, level, report)
        except UnipenFormatError as error:
            report.problems.append(str(error))
    report.words = len(words)
    if not words:
        first = f" The first problem: {report.problems[0]}" if report.problems else ""
        raise BadInputError(f"{folder}: no {level} segment with ink in {len(files)} files.{first}")
    return _corpus(words), report


def save_corpus(corpus: InkCorpus, path: Path) -> None:
    """Write the npz beside its place, then rename: a broken write leaves the old file."""
    arrays = {name: getattr(corpus, name) for name in InkCorpus.__dataclass_fields__}
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        np.savez_compressed(file, **arrays)
    partial.replace(path)


def _words(path: Path, folder: Path, level: str, report: ImportReport) -> list[_Word]:
    document = read_unipen(path, folder / "include")
    donor = path.relative_to(folder).parent.name or folder.name
    words = []
    for segment in document.segments:
        if segment.level != level:
            continue
        pieces = document.pieces(segment)
        reason = _why_not(segment, pieces)
        word = None if reason else _word(segment, pieces, donor)
        if word is None:
            report.skipped[reason or "points too far apart"] += 1
        else:
            words.append(word)
    return words


def _why_not(segment: Segment, pieces: list[Component]) -> str:
    if any(piece.withheld for piece in pieces):
        return "ink withheld by the publisher"
    if not segment.label.strip():
        return "no label"
    return "" if any(piece.down for piece in pieces) else "no ink"


def _word(segment: Segment, pieces: list[Component], donor: str) -> _Word | None:
    """The word's arrays, from the first pen-down on; None when a step does not fit 16 bits."""
    while not pieces[0].down:
        pieces = pieces[1:]
    said = pieces[0].recording
    xy = np.concatenate([piece.xy for piece in pieces])
    if said.x_per_mm > 0 and said.y_per_mm > 0:
        xy = xy * [1.0, said.x_per_mm / said.y_per_mm]
    finer = 100.0 if not np.array_equal(xy, np.rint(xy)) and said.x_per_mm < 50.0 else 1.0
    steps = np.diff(np.rint(xy * finer), axis=0, prepend=np.rint(xy[:1] * finer))
    if np.abs(steps).max() > np.iinfo(np.int16).max:
        return None
    pen = np.concatenate([_pen_codes(piece) for piece in pieces])
    return _Word(
        steps.astype(np.int16), pen, segment.label, f"{donor}/{said.writer}", donor, said.hand,
        said.x_per_mm * finer, said.rate_hz or _rate_from_times(pieces),
    )  # fmt: skip


def _pen_codes(piece: Component) -> NDArray[np.uint8]:
    codes = np.full(len(piece.xy), 1 if piece.down else 0, np.uint8)
    codes[0] = 2 if piece.down else 3
    return codes


def _rate_from_times(pieces: list[Component]) -> float:
    """Points per second by the points' own times (ms), 0 when there are none."""
    steps = np.concatenate([np.diff(piece.t_ms) for piece in pieces])
    steps = steps[steps > 0]
    return float(1000.0 / np.median(steps)) if len(steps) else 0.0


def _corpus(words: list[_Word]) -> InkCorpus:
    writers = {name: k for k, name in enumerate(sorted({word.writer for word in words}))}
    donors = {name: k for k, name in enumerate(sorted({word.donor for word in words}))}
    return InkCorpus(
        dxy=np.concatenate([word.dxy for word in words]),
        pen=np.concatenate([word.pen for word in words]),
        off=np.cumsum([0, *(len(word.pen) for word in words)]).astype(np.int64),
        label=np.array([word.label for word in words]),
        writer=np.array([writers[word.writer] for word in words], np.int16),
        donor=np.array([donors[word.donor] for word in words], np.int16),
        hand=np.array([word.hand for word in words]),
        units_per_mm=np.array([word.units_per_mm for word in words]),
        rate_hz=np.array([word.rate_hz for word in words]),
        clock_ok=np.array([_credible(word) for word in words]),
        split=np.array([_split(word) for word in words]),
        heldout_word=np.array([_share(word.label.lower()) < 0.1 for word in words]),
    )


def _credible(word: _Word) -> bool:
    if word.units_per_mm <= 0 or not CREDIBLE_RATE_HZ[0] <= word.rate_hz <= CREDIBLE_RATE_HZ[1]:
        return False
    steps = np.hypot(*word.dxy[word.pen == 1].T.astype(float)) / word.units_per_mm
    speed = float(steps.mean()) * word.rate_hz if len(steps) else 0.0
    return CREDIBLE_SPEED_MM_S[0] <= speed <= CREDIBLE_SPEED_MM_S[1]


def _split(word: _Word) -> str:
    """Its own split, by hash: 5 % of the writers val, 15 % test; of the rest a tenth is not trained on."""
    writer = _share(word.writer)
    if writer < 0.2:
        return "val" if writer < 0.05 else "test"
    return "seen_writer" if _share(word.writer + " " + word.label + str(len(word.pen))) < 0.1 else "train"


def _share(text: str) -> float:
    """A fixed number in [0, 1) for a text."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) / 2**32
