"""Tables that others published, and ours beside them with what makes the comparison unfair."""

from __future__ import annotations

import statistics
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from models.training.assess.predictions import BEST_ON_TEST
from models.training.assess.protocol import Score, Spread
from penapp.errors import BadInputError

TAGS = {
    "T": "read in the paper",
    "K": "read in a public repository or result file",
    "2": "second-hand",
    "D": "derived",
}
"""How sure a published number is."""

ACCURACY = "accuracy"
_FILE = Path(__file__).with_name("published.toml")


@dataclass(frozen=True)
class PublishedRow:
    """One system on one split. figures: (CER, WER) or (accuracy,), percent; std: population, over folds."""

    system: str
    split: str
    figures: tuple[float, ...]
    std: tuple[float, ...] | None
    parameters_m: float | None
    macs_m: float | None


@dataclass(frozen=True)
class PublishedTable:
    """One source. selection: of the epoch; folds: of a mean, 0 when not stated; measure: of the figures."""

    key: str
    source: str
    tag: str
    dataset: str
    measure: str
    selection: str
    folds: int
    cautions: tuple[str, ...]
    rows: tuple[PublishedRow, ...]


@dataclass(frozen=True)
class Published:
    """All tables. bars: (data set, split, name) to figures; noise: (data set, split) to CER points."""

    tables: tuple[PublishedTable, ...]
    bars: Mapping[tuple[str, str, str], tuple[float, ...]]
    noise: Mapping[tuple[str, str], float]

    def of(self, dataset: str, split: str) -> list[tuple[PublishedTable, PublishedRow]]:
        """Every row of a data set and split, in order of the sources."""
        return [(t, r) for t in self.tables if t.dataset == dataset for r in t.rows if r.split == split]


@cache
def published() -> Published:
    """The shipped tables."""
    return load_published(_FILE)


def load_published(path: Path) -> Published:
    """BadInputError when the file is not a list of such tables."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        tables = tuple(_table(entry) for entry in content["table"])
        bars = {
            (bar["dataset"], split, bar["name"]): tuple(map(float, bar[split]))
            for bar in content.get("bar", [])
            for split in ("WI", "WD")
        }
        noise = {
            (entry["dataset"], split): float(entry[split])
            for entry in content.get("noise", [])
            for split in ("WI", "WD")
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInputError(f"{path} holds no published tables ({type(error).__name__}: {error}).") from error
    return Published(tables, bars, noise)


def side_by_side(ours: Sequence[Score], dataset: str, split: str, tables: Published | None = None) -> str:
    """Published rows of a data set and split, our scores below, and a line for everything that differs.

    Raises:
        BadInputError: our figures are of simulated data or of another set, or nothing is published on it
    """
    tables = tables or published()
    rows = tables.of(dataset, split)
    _check_comparable(ours, dataset, split)
    if not rows:
        known = sorted({f"{t.dataset} {r.split}" for t in tables.tables for r in t.rows})
        raise BadInputError(
            f"no published figures of {dataset} {split} are at hand.", advice=f"Known: {', '.join(known)}."
        )
    accuracy = rows[0][0].measure == ACCURACY
    head = "accuracy" if accuracy else "CER    WER"
    lines = [f"{dataset} {split}, percent", f"{'system':44s}{head:>15s}   folds  selection of the epoch"]
    lines += [_published_line(table, row) for table, row in rows]
    lines += [_our_line(score, accuracy=accuracy) for score in ours]
    bars = {name: bar for (d, s, name), bar in tables.bars.items() if (d, s) == (dataset, split)}
    lines += [
        _bar_line(run, scores, n, bar) for run, scores in _runs(ours).items() for n, bar in bars.items()
    ]
    return "\n".join([*lines, *_cautions(ours, rows, tables.noise.get((dataset, split)))])


def _check_comparable(ours: Sequence[Score], dataset: str, split: str) -> None:
    for score in ours:
        header = score.header
        if header.simulated:
            raise BadInputError(
                f"{header.run} was scored on a simulated pen ({header.dataset}); published figures are of "
                "real pens, and the two are never put side by side.",
                advice=f"Score it on {dataset} itself.",
            )
        if (header.dataset, header.split) != (dataset, split):
            raise BadInputError(
                f"{header.run} was scored on {header.dataset} {header.split}, not on {dataset} {split}.",
                advice="Compare on the same data and split.",
            )


def _published_line(table: PublishedTable, row: PublishedRow) -> str:
    folds = str(table.folds) if table.folds else "?"
    where = f"{table.source} [{table.tag}]"
    std = f"; std over folds {_slashed(row.std)} (population)" if row.std else ""
    return f"{row.system:44s}{_figures(row.figures):>15s}   {folds:>5s}  {table.selection}{std}; {where}"


def _our_line(score: Score, *, accuracy: bool) -> str:
    measures = ("accuracy",) if accuracy else ("cer", "wer")
    if any(getattr(rates, m) is None for rates in score.per_fold for m in measures):
        raise BadInputError(
            f"{score.header.run} has labels of several letters, the published figure is an accuracy.",
            advice="Score single letters.",
        )
    spreads = [score.spread(m) for m in measures]
    shown = _figures([s.mean for s in spreads])
    name = f"ours: {score.header.run}, seed {score.header.seed}"
    return f"{name:44s}{shown:>15s}   {len(score.folds):5d}  {score.header.selection}{_stds(spreads)}"


def _stds(spreads: Sequence[Spread]) -> str:
    if spreads[0].sample_std is None:
        return ""
    of_all = _slashed([s.population_std for s in spreads])
    unbiased = _slashed([s.sample_std or 0.0 for s in spreads])
    return f"; std over folds {of_all} (population, as published), {unbiased} (sample)"


def _runs(ours: Sequence[Score]) -> dict[str, list[Score]]:
    """The seeds of every run and selection."""
    runs: dict[str, list[Score]] = {}
    for score in ours:
        runs.setdefault(f"{score.header.run}, {score.header.selection}", []).append(score)
    return runs


def _bar_line(run: str, scores: Sequence[Score], name: str, bar: Sequence[float]) -> str:
    """Whether the mean over folds and seeds is as low as a bar."""
    mean = [statistics.fmean(s.spread(measure).mean for s in scores) for measure in ("cer", "wer")]
    reached = all(value <= limit for value, limit in zip(mean, bar, strict=True))
    said = "reached" if reached else "not reached"
    return f"{run}: {said} by {_slashed(mean)}: {_slashed(bar)}, {name}"


def _cautions(
    ours: Sequence[Score], rows: Sequence[tuple[PublishedTable, PublishedRow]], noise: float | None
) -> list[str]:
    said = []
    if any(table.selection == BEST_ON_TEST for table, _ in rows):
        said.append("published epochs were chosen on the test fold itself; only best-on-test is like them")
    for score in ours:
        run, folds = score.header.run, len(score.folds)
        if folds != max(table.folds for table, _ in rows):
            said.append(
                f"{run} has {folds} fold(s): folds differ by an order of magnitude, means do not compare"
            )
        if score.header.decoding != "greedy":
            said.append(f"{run} was decoded with {score.header.decoding}; published figures are greedy")
    if noise is not None:
        said.append(f"differences below about {noise} CER points are noise between runs of one recipe")
    said += [caution for table in dict.fromkeys(t.key for t, _ in rows) for caution in _of(rows, table)]
    return [f"caution: {line}" for line in dict.fromkeys(said)]


def _of(rows: Sequence[tuple[PublishedTable, PublishedRow]], key: str) -> list[str]:
    table = next(table for table, _ in rows if table.key == key)
    return [f"{table.source}: {caution}" for caution in table.cautions]


def _figures(figures: Sequence[float]) -> str:
    return "  ".join(f"{value:5.2f}" for value in figures)


def _slashed(figures: Sequence[float]) -> str:
    return " / ".join(f"{value:.2f}" for value in figures)


def _table(entry: Mapping[str, object]) -> PublishedTable:
    rows = entry["rows"]
    if not isinstance(rows, list) or entry["tag"] not in TAGS:
        raise TypeError(f"rows or tag of {entry['key']}")
    names = ("key", "source", "tag", "dataset", "measure", "selection")
    key, source, tag, dataset, measure, selection = (str(entry[name]) for name in names)
    cautions = entry["cautions"]
    return PublishedTable(
        key,
        source,
        tag,
        dataset,
        measure,
        selection,
        int(str(entry["folds"])),
        tuple(map(str, cautions if isinstance(cautions, list) else [])),
        tuple(made for row in rows for made in _rows(row)),
    )


def _rows(row: Mapping[str, object]) -> list[PublishedRow]:
    splits = [name for name in ("WI", "WD", "unnamed") if name in row]
    return [
        PublishedRow(
            str(row["system"]),
            split,
            _numbers(row[split]),
            _numbers(row[f"std_{split}"]) if f"std_{split}" in row else None,
            _number(row.get("parameters_m")),
            _number(row.get("macs_m")),
        )
        for split in splits
    ]


def _numbers(value: object) -> tuple[float, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list of figures")
    return tuple(float(v) for v in value)


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))
