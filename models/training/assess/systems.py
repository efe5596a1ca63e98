"""From files and run folders to the systems that are compared."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from models.training.assess.predictions import Header, Predictions, Sample, read_predictions
from models.training.assess.protocol import Score, Tally, score, tally
from penapp.errors import BadInputError


@dataclass(frozen=True, slots=True)
class Curve:
    """Validation CER (percent) of a run at the steps where it was measured, first to last."""

    name: str
    steps: tuple[int, ...]
    cer: tuple[float, ...]

    def first_step_at(self, cer: float) -> int | None:
        """The first measured step with that CER or less."""
        return next((s for s, c in zip(self.steps, self.cer, strict=True) if c <= cer), None)


@dataclass(frozen=True)
class System:
    """One run, data set, split and selection, with all its seeds and their folds.

    header: of the first file, without fold; curves: of the run folders, one a folder that has metrics
    """

    name: str
    header: Header
    scores: tuple[Score, ...]
    seeds: tuple[tuple[Predictions, ...], ...]
    curves: tuple[Curve, ...]

    @cached_property
    def tallies(self) -> tuple[Tally, ...]:
        """One a seed, every sample of all folds once."""
        return tuple(tally(s for p in folds for s in p.samples) for folds in self.seeds)

    @property
    def samples(self) -> list[Sample]:
        """What all seeds read, in order of the seeds."""
        return [s for folds in self.seeds for p in folds for s in p.samples]


def load_systems(paths: Sequence[Path]) -> list[System]:
    """Systems in the order of the paths; a folder stands for its predictions-*.jsonl files.

    Files of the same run, data set, split, selection and decoding are one system, whatever path they came by.
    """
    grouped: dict[tuple[str, str, str, str, str], list[tuple[Predictions, Path]]] = {}
    for path in paths:
        for file in _files(path):
            read = read_predictions(file)
            grouped.setdefault(_kind(read.header), []).append((read, file.parent))
    short = len({kind[0] for kind in grouped}) == len(grouped)
    return [_system(kind, found, short=short) for kind, found in grouped.items()]


def read_curve(folder: Path, name: str) -> Curve | None:
    """The learning curve in metrics.jsonl, None without that file; BadInputError when it is none."""
    path = folder / "metrics.jsonl"
    if not path.exists():
        return None
    points: dict[int, float] = {}
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            points[int(row["step"])] = float(row["val_cer"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInputError(
            f"{path} is no learning curve ({type(error).__name__}: {error}).",
            advice="Expected a line with step and val_cer for every validation.",
        ) from error
    steps = sorted(points)
    return Curve(name, tuple(steps), tuple(points[s] for s in steps)) if steps else None


def common_cer(systems: Sequence[System]) -> float | None:
    """The lowest CER that every curve reaches, percent; None without curves."""
    lowest = [min(curve.cer) for system in systems for curve in system.curves]
    return max(lowest) if lowest else None


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(path.glob("predictions-*.jsonl"))
    if not found:
        raise BadInputError(
            f"{path} holds no predictions-*.jsonl.", advice="Name a run folder in which a test set was read."
        )
    return found


def _kind(header: Header) -> tuple[str, str, str, str, str]:
    return (header.run, header.dataset, header.split, header.selection, header.decoding)


def _system(
    kind: tuple[str, str, str, str, str], found: list[tuple[Predictions, Path]], *, short: bool
) -> System:
    by_seed: dict[int, list[Predictions]] = {}
    for read, _ in found:
        by_seed.setdefault(read.header.seed, []).append(read)
    seeds = tuple(tuple(by_seed[seed]) for seed in sorted(by_seed))
    name = kind[0] if short else ", ".join(kind)
    folders = dict.fromkeys(folder for _, folder in found)
    labels = {folder: name if len(folders) == 1 else f"{name} ({folder.name})" for folder in folders}
    curves = [read_curve(folder, labels[folder]) for folder in folders]
    header = replace(found[0][0].header, fold=None)
    scores = tuple(score(folds) for folds in seeds)
    return System(name, header, scores, seeds, tuple(c for c in curves if c is not None))
