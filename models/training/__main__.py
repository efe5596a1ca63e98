"""`python -m models.training prepare | train | resume | study | compare | evaluate | export | card …`."""

from __future__ import annotations

import json
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import click
import torch
import torch.distributed as dist

from models.training.assess.compare import compare_command
from models.training.assess.shard_samples import read_command
from models.training.commands import card_command, evaluate_command, export_command
from models.training.config import RunConfig, config_from_dump, dump_config, load_config
from models.training.device import choose_device
from models.training.few_samples import few_samples_command
from models.training.font_ink import font_ink_command
from models.training.loop import train
from models.training.material import load_material
from models.training.predict import predict_command
from models.training.prepare import prepare_command
from models.training.quantise import quantise_command
from models.training.run import begin_with, load_run, save_run, start_run
from models.training.run_lock import locked
from models.training.smoke import smoke_command
from models.training.stability import stability_command
from models.training.studies.arms import study_command
from models.training.suspects import suspects_command
from models.training.tune_decoder import tune_decoder_command
from penapp.errors import BadInputError, PenappError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Make a recogniser: corpus, training, evaluation, export."""


@main.command("train")
@click.option("--config", "config_path", type=click.Path(exists=True, path_type=Path))
@click.option("--set", "overrides", multiple=True, help="a.b=value, overrides the file")
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), help="Run folder; by default RUNS/name.")
@click.option("--threads", type=int, default=1, show_default=True)
@click.option(
    "--start-from",
    type=click.Path(exists=True, path_type=Path),
    help="Weights of a checkpoint to begin with.",
)
def train_command(
    config_path: Path | None,
    overrides: tuple[str, ...],
    runs: Path,
    folder: Path | None,
    threads: int,
    start_from: Path | None,
) -> None:
    """Train from a configuration file; a run of this name goes on if its configuration is the same."""
    config = load_config(config_path, overrides)
    folder = folder or runs / config.name
    if _rank() == 0:
        folder.mkdir(parents=True, exist_ok=True)
    with _own(folder):
        if (folder / "last.safetensors").exists() and stored_config(folder) != config:
            raise BadInputError(
                f"{folder} holds a run with another configuration.",
                advice="Choose another name, or resume that run.",
            )
        if _rank() == 0:
            (folder / "config.json").write_text(json.dumps(dump_config(config), indent=1), encoding="utf-8")
        _train(config, folder, threads, start_from)


@main.command("resume")
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option("--threads", type=int, default=1, show_default=True)
def resume_command(folder: Path, threads: int) -> None:
    """Go on with a run where it stopped, with its own configuration."""
    config = stored_config(folder)
    with _own(folder):
        _train(config, folder, threads)


COMMANDS = (
    prepare_command, smoke_command, study_command, predict_command, read_command, compare_command,
    evaluate_command, few_samples_command, stability_command, export_command, quantise_command, card_command,
    font_ink_command, tune_decoder_command, suspects_command,
)  # fmt: skip
for command in COMMANDS:
    main.add_command(command)


def stored_config(folder: Path) -> RunConfig:
    """The configuration a run was started with."""
    path = folder / "config.json"
    try:
        return config_from_dump(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise BadInputError(f"{path} is not the configuration of a run ({error})") from error


def _train(config: RunConfig, folder: Path, threads: int, start_from: Path | None = None) -> None:
    torch.set_num_threads(threads)
    device = choose_device(config.device, config.precision, int(os.environ.get("LOCAL_RANK", "0")))
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        dist.init_process_group("nccl" if device.place.type == "cuda" else "gloo")
    try:
        material = load_material(config)
        run = start_run(config, material.targets, device)
        if (folder / "last.safetensors").exists():
            run = load_run(folder / "last.safetensors", run)
        elif start_from is not None:
            run = begin_with(start_from, run)
            if _rank() == 0:  # whoever resumes before the first checkpoint begins with the same weights
                save_run(run, folder / "last.safetensors")
                print(f"{config.name}: begins with the weights of {start_from}")
        if _rank() == 0:
            print(f"{config.name}: step {run.step} of {config.optim.steps}, on {device}")
        train(run, folder, material)
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def _own(folder: Path) -> AbstractContextManager[None]:
    """The first process of a run holds its folder: two trainings must never write one."""
    return locked(folder) if _rank() == 0 else nullcontext()


def _rank() -> int:
    return int(os.environ.get("RANK", "0"))


def run() -> int:
    """0 all went well, 1 failed (one line says what), 2 wrong usage."""
    try:
        return int(main.main(prog_name="python -m models.training", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except PenappError as error:
        click.echo(f"models.training: {error}", err=True)
        return 1
    except OSError as error:
        click.echo(
            f"models.training: {error}. What was saved stays: make room or access, and resume.", err=True
        )
        return 1


if __name__ == "__main__":
    sys.exit(run())
