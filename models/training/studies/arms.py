"""A study: the same run with one thing changed at a time, over several seeds, as one command.

Every arm of every seed is an ordinary run folder: it resumes, it can be evaluated, exported and compared.
"""

from __future__ import annotations

import copy
import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

import click

from models.training.config import RunConfig, config_from_dump, dump_config
from penapp.errors import BadInputError

POLL_S = 2.0
"""Seconds between two looks at the running trainings."""


@dataclass(frozen=True)
class Study:
    """One base configuration and what each arm changes in it; the others are held against the first arm.

    start_from: a checkpoint whose weights every run begins with; "": fresh ones
    """

    name: str
    seeds: tuple[int, ...]
    run: dict[str, Any]
    arms: dict[str, dict[str, Any]]
    start_from: str = ""

    def config(self, arm: str, seed: int) -> RunConfig:
        """The configuration of one run; BadInputError names an unknown arm or key."""
        if arm not in self.arms:
            raise BadInputError(f"no arm is called {arm!r}.", advice=f"There are: {', '.join(self.arms)}.")
        table = _overlaid(self.run, self.arms[arm])
        return replace(config_from_dump(table), name=arm, seed=seed)


@dataclass(frozen=True, slots=True)
class Job:
    """One run of a study, and its folder."""

    arm: str
    seed: int
    folder: Path


Going = tuple[Job, list[list[str]], subprocess.Popen[bytes]]
"""A job under way: what is still to be run after the command that runs."""


def read_study(path: Path) -> Study:
    """A study from TOML: name, seeds, [run] and [arms.NAME]; BadInputError says what is wrong."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        study = Study(
            str(table.pop("name")),
            tuple(int(seed) for seed in table.pop("seeds")),
            dict(table.pop("run")),
            {str(arm): dict(changes) for arm, changes in table.pop("arms").items()},
            str(table.pop("start_from", "")),
        )
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInputError(
            f"{path} is no study ({type(error).__name__}: {error}).",
            advice="Expected name, seeds, [run] and one [arms.NAME] for each arm.",
        ) from error
    if table or not study.arms or not study.seeds:
        raise BadInputError(
            f"{path}: {', '.join(table) or 'no arms or no seeds'}.",
            advice="Expected name, seeds, [run] and one [arms.NAME] for each arm, and nothing else.",
        )
    for arm in study.arms:
        study.config(arm, study.seeds[0])
    return study


@click.command("study")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="STUDY.toml")
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True)
@click.option("--arm", "arms", multiple=True, help="Only these arms.")
@click.option("--seed", "seeds", type=int, multiple=True, help="Only these seeds.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Runs at a time.")
@click.option(
    "--read",
    "shards",
    type=click.Path(exists=True, path_type=Path),
    multiple=True,
    help="Shards to read.",
)
def study_command(
    path: Path,
    runs: Path,
    arms: tuple[str, ...],
    seeds: tuple[int, ...],
    workers: int,
    shards: tuple[Path, ...],
) -> None:
    """Train every arm of a study with every seed; what is finished is not trained again."""
    study = read_study(path)
    jobs = list(jobs_of(study, runs, arms or tuple(study.arms), seeds or study.seeds))
    for job in jobs:
        job.folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(dump_config(study.config(job.arm, job.seed)), indent=1)
        (job.folder / "wanted.json").write_text(text, encoding="utf-8")
    failed = run_all([_commands(job, shards, study.start_from) for job in jobs], jobs, workers)
    if failed:
        raise BadInputError(
            f"{len(failed)} of {len(jobs)} runs failed: {', '.join(str(job.folder) for job in failed)}.",
            advice="Each folder's log.txt says why; the same command goes on with what is missing.",
        )
    print(f"compare with: python -m models.training compare {' '.join(str(job.folder) for job in jobs)}")


def jobs_of(study: Study, runs: Path, arms: Sequence[str], seeds: Sequence[int]) -> Iterator[Job]:
    """All arms of the first seed, then of the next: a study cut short still compares every arm."""
    for seed in seeds:
        for arm in arms:
            study.config(arm, seed)
            yield Job(arm, seed, runs / study.name / f"{arm}-{seed}")


def run_all(commands: Sequence[Sequence[list[str]]], jobs: Sequence[Job], workers: int) -> list[Job]:
    """Run each job's commands one after the other, `workers` jobs at a time; returns those that failed.

    Whatever ends this ends the runs under way too: two trainings must never write one folder.
    """
    waiting = list(zip(jobs, commands, strict=True))
    going: list[Going] = []
    failed: list[Job] = []
    before = signal.signal(signal.SIGTERM, _terminated)
    try:
        while waiting or going:
            while waiting and len(going) < workers:
                job, todo = waiting.pop(0)
                print(f"{job.arm}, seed {job.seed}: begins, {len(waiting)} waiting", flush=True)
                going.append((job, list(todo[1:]), _started(job, todo[0])))
            time.sleep(POLL_S)
            failed += _looked_after(going)
    finally:
        signal.signal(signal.SIGTERM, before)
        for _, _, process in going:
            process.terminate()
        for _, _, process in going:
            process.wait()
    return failed


def _looked_after(going: list[Going]) -> list[Job]:
    """Start the next command of every job whose last one ended well; the jobs that failed."""
    failed = []
    for entry in list(going):
        job, rest, process = entry
        code = process.poll()
        if code is None:
            continue
        going.remove(entry)
        if code:
            failed.append(job)
            print(f"{job.arm}, seed {job.seed}: failed, see {job.folder / 'log.txt'}", flush=True)
        elif rest:
            going.append((job, rest[1:], _started(job, rest[0])))
        else:
            print(f"{job.arm}, seed {job.seed}: done", flush=True)
    return failed


def _terminated(_number: int, _frame: FrameType | None) -> None:
    """`kill` of a study, as Ctrl-C."""
    raise KeyboardInterrupt


def _started(job: Job, command: list[str]) -> subprocess.Popen[bytes]:
    with (job.folder / "log.txt").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=_environment())


def _environment() -> dict[str, str]:
    """One thread a process: the workers share the cores."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def _commands(job: Job, shards: Sequence[Path], start_from: str) -> list[list[str]]:
    program = [sys.executable, "-m", "models.training"]
    config = str(job.folder / "wanted.json")
    begin = ["--start-from", start_from] if start_from else []
    train = [*program, "train", "--config", config, "--folder", str(job.folder), *begin]
    return [train, *([*program, "predict", str(job.folder), str(shard)] for shard in shards)]


def _overlaid(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A copy of nested tables with the changes put in; lists and terms are replaced whole."""
    table = copy.deepcopy(base)
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(table.get(key), dict) and key != "terms":
            table[key] = _overlaid(table[key], value)
        else:
            table[key] = copy.deepcopy(value)
    return table
