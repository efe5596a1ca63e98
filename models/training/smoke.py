"""`smoke`: ink to corpus to network to artefact in minutes, to see that everything works on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

from models.training.config import dump_config, load_config
from penapp.errors import BadInputError
from penapp.simulation.demo_ink import DEMO_INK

RECIPE = Path(__file__).with_name("smoke.toml")
FONT_WORDS = 4000
RENDERINGS = 3
"""Copies of the demo words, each by other grips, pens and hands."""


@click.command("smoke")
@click.argument("out", type=click.Path(file_okay=False, path_type=Path), metavar="OUT_FOLDER")
@click.option(
    "--processes", type=click.IntRange(1, 2), default=min(os.cpu_count() or 1, 2), show_default=True
)
@click.option("--steps", type=click.IntRange(1), help="Instead of the recipe's.")
def smoke_command(out: Path, processes: int, steps: int | None) -> None:
    """Make a small recogniser from the demo ink that ships: minutes on two cores, no other data needed."""
    began = time.monotonic()
    corpus, model = out / "corpus", out / "model"
    _all(_corpus_commands(corpus), processes)
    config = load_config(
        RECIPE, (f'data.corpus="{corpus.as_posix()}"', *([f"optim.steps={steps}"] if steps else []))
    )
    out.mkdir(parents=True, exist_ok=True)
    (out / "wanted.json").write_text(json.dumps(dump_config(config), indent=1), encoding="utf-8")
    run = out / "run"
    train = ["-m", "models.training", "train", "--config", str(out / "wanted.json"), "--folder", str(run)]
    if processes > 1:
        train = ["-m", "torch.distributed.run", "--nproc-per-node", str(processes), *train]
    _call(train)
    golden = str(corpus / "val.npz")
    _call(["-m", "models.training", "export", str(run), str(model), "--golden", golden, "--name", "smoke"])
    _call(["-m", "models.training", "predict", str(run), golden])
    print(f"{model}: made in {(time.monotonic() - began) / 60.0:.1f} minutes")


def _corpus_commands(corpus: Path) -> list[list[str]]:
    """The commands that write the shards; one that is there already is not written again."""
    wanted = {f"real-{k}.npz": ["real", "--seed", str(k)] for k in range(1, RENDERINGS + 1)}
    wanted["fonts.npz"] = ["fonts", "--seed", "9", "--words", str(FONT_WORDS)]
    wanted["val.npz"] = ["real", "--split", "val", "--seed", "900", "--plain"]
    return [
        ["-m", "models.training", "prepare", source, str(corpus / name), "--ink", str(DEMO_INK), *options]
        for name, (source, *options) in wanted.items()
        if not (corpus / name).exists()
    ]


def _all(commands: Sequence[list[str]], workers: int) -> None:
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(_call, commands))


def _call(arguments: list[str]) -> None:
    """Run Python with these arguments, one thread a process; BadInputError when it fails."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    code = subprocess.run([sys.executable, *arguments], env=environment, check=False).returncode
    if code:
        raise BadInputError(
            f"`python {' '.join(arguments)}` failed.",
            advice="Its own message stands above; run it again alone.",
        )
