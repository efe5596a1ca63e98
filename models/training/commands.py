"""`export`, `evaluate` and `card`: from a run's checkpoint to a folder that ships."""

from __future__ import annotations

from pathlib import Path

import click

from models.training.card import read_result, write_card
from models.training.export import export
from models.training.shards import Shard, first_words
from penapp.errors import BadInputError
from penapp.recognise.artefact import read_manifest

GOLDEN_WORDS = 200
"""Words of the golden shard on which torch and ONNX must agree."""

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("export")
@click.argument("run", type=click.Path(exists=True, path_type=Path), metavar="RUN_OR_CHECKPOINT")
@click.argument("out", type=click.Path(file_okay=False, path_type=Path), metavar="OUT_FOLDER")
@click.option("--golden", type=_FILE, required=True, help="Shard on which ONNX must read what torch reads.")
@click.option("--name", default="recogniser", show_default=True)
@click.option("--version", type=click.IntRange(1), default=1, show_default=True)
def export_command(run: Path, out: Path, golden: Path, name: str, version: int) -> None:
    """Write model.onnx and manifest.json; OUT_FOLDER stays as it was when ONNX and torch disagree."""
    words = first_words(Shard.load(golden), GOLDEN_WORDS)
    manifest = export(checkpoint_of(run), out, words, name=name, version=version)
    print(
        f"{out}: {manifest.parameters} weights, features {manifest.fingerprint}, equal on {len(words)} words"
    )


@click.command("evaluate", context_settings={"ignore_unknown_options": True})
@click.argument("model", type=_FOLDER, metavar="OUT_FOLDER")
@click.argument("corpus", type=click.Path(exists=True, path_type=Path))
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def evaluate_command(model: Path, corpus: Path, options: tuple[str, ...]) -> int:
    """Error rates of an exported artefact: `penapp evaluate CORPUS --model OUT_FOLDER …`.

    Every option of `penapp evaluate` may follow; reported figures come from the live pipeline alone.
    """
    from penapp.cli.evaluate import evaluate

    arguments = [str(corpus), "--model", str(model), *options]
    return int(evaluate.main(arguments, prog_name="evaluate", standalone_mode=False) or 0)


@click.command("card")
@click.argument("folder", type=_FOLDER, metavar="OUT_FOLDER")
@click.argument("results", nargs=-1, required=True, type=_FILE, metavar="EVALUATION.json…")
@click.option("--template", type=_FILE, default=Path(__file__).with_name("card.md"), show_default=True)
def card_command(folder: Path, results: tuple[Path, ...], template: Path) -> None:
    """Write CARD.md from the manifest, the outputs of `penapp evaluate --json` and a template."""
    manifest = read_manifest(folder)
    write_card(folder, manifest, [read_result(path) for path in results], template)
    print(f"{folder / 'CARD.md'}: {len(results)} evaluations")


def checkpoint_of(run: Path) -> Path:
    """The best checkpoint of a run folder, or the checkpoint itself."""
    if not run.is_dir():
        return run
    for name in ("best.safetensors", "last.safetensors"):
        if (run / name).exists():
            return run / name
    raise BadInputError(
        f"{run} holds no checkpoint.", advice="Name a folder of `train`, or a .safetensors file."
    )
