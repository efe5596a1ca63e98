"""`python -m models.training prepare | train | resume | evaluate | export | card`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click
import torch
import torch.distributed as dist

from models.training.config import config_from_dump, dump_config, load_config
from models.training.loop import load_run, start_run, train
from models.training.prepare import prepare_command
from penapp.dsp.params import DEFAULT_PARAMS


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Make a recogniser: corpus, training, evaluation, export."""


main.add_command(prepare_command)


@main.command("train")
@click.option("--config", "config_path", type=click.Path(exists=True, path_type=Path))
@click.option("--set", "overrides", multiple=True, help="a.b=value, overrides the file")
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True)
@click.option("--threads", type=int, default=1, show_default=True)
def train_command(config_path: Path | None, overrides: tuple[str, ...], runs: Path, threads: int) -> None:
    """Train from a configuration file."""
    config = load_config(config_path, overrides)
    folder = runs / config.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(dump_config(config), indent=1), encoding="utf-8")
    _train(folder, threads)


@main.command("resume")
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option("--threads", type=int, default=1, show_default=True)
def resume_command(folder: Path, threads: int) -> None:
    """Go on with a run where it stopped, with its own configuration."""
    _train(folder, threads)


def _train(folder: Path, threads: int) -> None:
    torch.set_num_threads(threads)
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        dist.init_process_group("gloo")
    config = config_from_dump(json.loads((folder / "config.json").read_text(encoding="utf-8")))
    run = start_run(config, DEFAULT_PARAMS.size)
    if (folder / "last.safetensors").exists():
        run = load_run(folder / "last.safetensors", run)
    print(f"{config.name}: step {run.step} of {config.optim.steps}, device cpu, precision bfloat16 autocast")
    train(run, folder)


if __name__ == "__main__":
    main()
