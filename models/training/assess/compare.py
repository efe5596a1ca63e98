"""`compare`: systems side by side, with how sure their differences are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from models.training.assess.bootstrap import RESAMPLES, difference, interval, statement, writer_sums
from models.training.assess.protocol import LABELLED, Score, by_cell, counted_once
from models.training.assess.published import side_by_side
from models.training.assess.systems import System, common_cer, load_systems
from penapp.errors import BadInputError

SIMULATED = "Simulated pen: these figures say nothing about how well a real pen is read."
_MEASURES = {"cer": "CER", "cer_nocase": "CER without case", "wer": "WER"}


@click.command("compare")
@click.argument(
    "paths",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="FILE_OR_RUN_FOLDER…",
)
@click.option("--resamples", type=click.IntRange(100), default=RESAMPLES, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the resampling.")
@click.option("--reach", type=float, help="CER for 'steps needed'; by default the lowest that all reach.")
@click.option("--published", "beside", is_flag=True, help="Beside the published table of the same data.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a report page as well.")
def compare_command(
    paths: tuple[Path, ...], resamples: int, seed: int, reach: float | None, beside: bool, html: Path | None
) -> None:
    """Error rates of two or more systems, and their differences to the first one.

    A system is a predictions file, or a run folder that holds predictions-*.jsonl (folds); runs of one name
    and several seeds are one system. Intervals are over writers, and over seeds where there are several.
    """
    systems = load_systems(paths)
    if any(system.header.simulated for system in systems):
        print(SIMULATED)
    for system in systems:
        print("\n" + "\n".join(system_lines(system, resamples, seed)))
    print("\n" + "\n".join(difference_lines(systems, resamples, seed)))
    lines = step_lines(systems, reach)
    if lines:
        print("\n" + "\n".join(lines))
    if beside:
        print("\n" + published_tables(systems))
    if html is not None:
        from models.training.assess.report import write_report

        write_report(html, systems, resamples=resamples, seed=seed, reach=reach)
        print(f"\n{html}")


def system_lines(system: System, resamples: int = RESAMPLES, seed: int = 1) -> list[str]:
    """What one system reads: rates with intervals, folds, cells, spread over writers."""
    header, pooled = system.header, system.scores[0].pooled
    count = f"{pooled.samples} samples, {pooled.characters} characters, {seeds_text(system)}"
    lines = [
        f"{system.name}: {header.dataset} {header.split}, {count}",
        f"  selection {LABELLED[header.selection]}; decoding {header.decoding}",
        "  all samples: "
        + "; ".join(f"{said} {rate_text(system, m, resamples, seed)}" for m, said in _MEASURES.items()),
    ]
    if pooled.accuracy is not None:
        mean = np.mean([s.pooled.accuracy for s in system.scores])
        lines.append(f"  accuracy of single letters {mean:.2f} %")
    lines += once_lines(system)
    lines += [line for score in system.scores if len(score.folds) > 1 for line in _fold_lines(score)]
    cells = by_cell(system.samples)
    if set(cells) != {"other"}:
        lines += [f"  {name}: CER {r.cer:.2f}, WER {r.wer:.2f} % ({r.samples})" for name, r in cells.items()]
    spread = writer_spread(system)
    if spread is not None:
        low, middle, high = spread
        lines.append(f"  writers, CER at 10 / 50 / 90 %: {low:.2f} / {middle:.2f} / {high:.2f} %")
    return lines


def once_lines(system: System) -> list[str]:
    """The rate with each distinct recording counted once, where some are tested more than once; else none."""
    found = [counted_once(folds) for folds in system.seeds]
    most = max(found, key=lambda once: once.repeated)
    if not most.repeated:
        return []
    single = system.scores[0].pooled.accuracy is not None
    rate = np.mean([once.accuracy if single else once.cer for once in found])
    said = f"{'accuracy' if single else 'CER'} {rate:.2f} %"
    repeated = f"{most.repeated} of {most.recordings} were tested more than once"
    return [f"  each recording counted once: {said}; {repeated}"]


def rate_text(system: System, measure: str, resamples: int = RESAMPLES, seed: int = 1) -> str:
    """A rate in percent with its 95 % interval over writers, where writers are known."""
    rate = float(np.mean([getattr(s.pooled, measure) for s in system.scores]))
    if not knows_writers(system):
        return f"{rate:.2f} % (no writers known, no interval)"
    found = interval(writer_sums(system.tallies, measure), resamples=resamples, seed=seed)
    return f"{rate:.2f} % ({found.low:.2f} to {found.high:.2f})"


def difference_lines(systems: Sequence[System], resamples: int = RESAMPLES, seed: int = 1) -> list[str]:
    """Every system against the first, or why not."""
    lines, base = [], systems[0]
    for other in systems[1:]:
        why = _incomparable(base, other)
        if why:
            lines.append(f"{other.name} and {base.name} are not compared: {why}")
            continue
        for measure in ("cer", "wer"):
            found = difference(base.tallies, other.tallies, measure, resamples=resamples, seed=seed)
            lines.append(statement(base.name, other.name, found, _MEASURES[measure]))
    return lines or ["One system: nothing to compare it with."]


def writer_spread(system: System) -> tuple[float, float, float] | None:
    """10, 50, 90 percentile over writers of their CER; None when writers are not known."""
    if not knows_writers(system):
        return None
    low, middle, high = np.percentile(writer_sums(system.tallies).writer_rates, [10, 50, 90])
    return float(low), float(middle), float(high)


def step_lines(systems: Sequence[System], reach: float | None = None) -> list[str]:
    """Steps until the validation CER was down to `reach` percent, a line a curve; none without curves."""
    target = common_cer(systems) if reach is None else reach
    if target is None:
        return []
    lines = [f"Steps until the validation CER was {target:.2f} % or less:"]
    for curve in (c for system in systems for c in system.curves):
        step = curve.first_step_at(target)
        said = f"{step:,}" if step is not None else f"not reached in {curve.steps[-1]:,} steps"
        lines.append(f"  {curve.name}: {said} (lowest {min(curve.cer):.2f} %)")
    return lines


def published_tables(systems: Sequence[System]) -> str:
    """Our scores beside what others published on the same data; BadInputError for simulated data."""
    sets = dict.fromkeys((system.header.dataset, system.header.split) for system in systems)
    tables = []
    for dataset, split in sets:
        ours = [s for system in systems for s in system.scores if _is_of(system, dataset, split)]
        tables.append(side_by_side(ours, dataset, split))
    return "\n\n".join(tables)


def seeds_text(system: System) -> str:
    """How many seeds, in words."""
    count = len(system.scores)
    return "1 seed" if count == 1 else f"{count} seeds"


def knows_writers(system: System) -> bool:
    """Whether every sample names its writer."""
    return all(sample.writer for sample in system.samples)


def _is_of(system: System, dataset: str, split: str) -> bool:
    return (system.header.dataset, system.header.split) == (dataset, split)


def _incomparable(base: System, other: System) -> str:
    one, two = base.header, other.header
    for name in ("dataset", "split", "selection", "simulated"):
        if getattr(one, name) != getattr(two, name):
            return f"{name} {getattr(one, name)} against {getattr(two, name)}"
    if not (knows_writers(base) and knows_writers(other)):
        return "the samples name no writers, so there is no interval"
    try:
        difference(base.tallies, other.tallies, resamples=100)
    except BadInputError as error:
        return str(error)
    return ""


def _fold_lines(score: Score) -> list[str]:
    each = ", ".join(f"{n}: {r.cer:.2f}" for n, r in zip(score.folds, score.per_fold, strict=True))
    lines = [f"  seed {score.header.seed}, CER of the folds {each}"]
    for measure in ("cer", "wer"):
        s = score.spread(measure)
        stds = f"std {s.population_std:.2f} (population), {s.sample_std or 0.0:.2f} (sample)"
        seed = f"seed {score.header.seed}"
        lines.append(f"  {seed}, mean over {s.folds} folds: {_MEASURES[measure]} {s.mean:.2f} %, {stds}")
    return lines
