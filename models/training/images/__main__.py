"""`python -m models.training.images pretrain`."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import torch

from models.training.device import choose_device
from models.training.images.pretrain import PretrainConfig, pretrain, resume, start
from models.training.images.read import evaluate
from models.training.images.sampler import Source
from models.training.images.words import Guard, InkWords
from penapp.errors import BadInputError, PenappError

SHARES = ("real-*.npz=0.6", "letters-*.npz=0.25", "fonts-*.npz=0.15")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Make the image recogniser that accompanies the training of a pen recogniser."""


@main.command("pretrain")
@click.option("--corpus", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option(
    "--minutes", type=click.FloatRange(0.0, min_open=True), required=True, help="Of CPU time in all."
)
@click.option("--train", "patterns", multiple=True, default=SHARES, show_default=True, help="shards=share")
@click.option("--val", default="val.npz", show_default=True)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--threads", type=int, default=1, show_default=True)
def pretrain_command(  # noqa: PLR0913 - one parameter per option
    corpus: Path, out: Path, minutes: float, patterns: tuple[str, ...], val: str, device: str, threads: int
) -> None:
    """Train on pictures of the shards' ink, or go on with OUT where it stopped; report the error on VAL."""
    torch.set_num_threads(threads)
    place = choose_device(device)
    run = resume(out, place) if out.exists() else start(PretrainConfig(), place)
    unseen = InkWords.load(corpus / val)
    sources = load_sources(corpus, patterns, Guard.of_validation(unseen))
    weights = sum(p.numel() for p in run.network.parameters())
    pictures = sum(len(source.words) for source in sources)
    print(f"{weights} weights on {place}, {pictures} words with ink, step {run.step}", flush=True)
    pretrain(run, sources, unseen.spread(run.config.val_words), out, 60.0 * minutes)
    for name, look in (("plain", run.config.render.plain()), ("varied", run.config.render)):
        rates = evaluate(run.smooth, unseen, look, run.device)
        print(f"{out}: {name} pictures of {rates.words} words: CER {rates.cer:.2f} %, WER {rates.wer:.2f} %")


def load_sources(corpus: Path, patterns: tuple[str, ...], guard: Guard) -> list[Source]:
    """The ink of the shards by pattern=share; patterns without a shard are said and left out.

    Raises:
        BadInputError: nothing matches, a share is no number, or a shard holds what the guard forbids
    """
    sources = []
    for item in patterns:
        pattern, _, share = item.partition("=")
        paths = sorted(corpus.glob(pattern))
        if not paths:
            print(f"no shard matches {pattern} in {corpus}: left out")
            continue
        parts = [InkWords.load(path) for path in paths]
        for words in parts:
            guard.check(words)
        total = sum(map(len, parts))
        sources += [Source(words, _share(item, share) * len(words) / total) for words in parts]
    if not sources:
        raise BadInputError(
            f"no shard in {corpus} matches {', '.join(patterns)}.", advice="Run `prepare` first."
        )
    return sources


def _share(item: str, text: str) -> float:
    try:
        share = float(text or 1.0)
    except ValueError:
        share = 0.0
    if not share > 0.0:
        raise BadInputError(f"--train {item!r}: expected PATTERN=SHARE with a share above 0")
    return share


def run() -> int:
    """0 all went well, 1 failed (one line says what), 2 wrong usage."""
    try:
        main.main(prog_name="python -m models.training.images", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except PenappError as error:
        click.echo(f"models.training.images: {error}", err=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(run())
