"""`predict`: what a run reads on a shard, as a predictions file beside the run."""

from __future__ import annotations

from pathlib import Path

import click

from models.training.assess.predictions import (
    HELD_OUT_WRITERS,
    Header,
    Predictions,
    write_predictions,
)
from models.training.assess.shard_samples import samples_of, trained_on
from models.training.checkpoint import load_checkpoint
from models.training.commands import checkpoint_of
from models.training.config import config_from_dump
from models.training.export import load_network
from models.training.run import feature_params
from models.training.shards import Shard
from models.training.validate import greedy_texts
from penapp.scores import error_rates


@click.command("predict")
@click.argument("run", type=click.Path(exists=True, path_type=Path), metavar="RUN_OR_CHECKPOINT")
@click.argument("shard", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dataset", default="unipen-words", show_default=True, help="What the samples are of.")
@click.option("--last", is_flag=True, help="The last checkpoint instead of the best on validation writers.")
def predict_command(run: Path, shard: Path, dataset: str, last: bool) -> None:
    """Read a shard of simulated words with a run's network and write predictions-*.jsonl beside it.

    Words stand between the cuts that made the shard; figures that are reported come from `evaluate`, through
    the live pipeline.
    """
    path = predict(run / "last.safetensors" if last and run.is_dir() else checkpoint_of(run), shard, dataset)
    print(path)


def predict(checkpoint: Path, shard_path: Path, dataset: str) -> Path:
    """Write the predictions of a checkpoint on every word of a shard; returns the file."""
    _, state = load_checkpoint(checkpoint)
    config = config_from_dump(state["config"])
    params = feature_params(config)
    shard = Shard.load(shard_path).normalised(params)
    texts = greedy_texts(load_network(checkpoint), shard)
    corpus = Path(config.data.corpus)
    trained = trained_on(path for pattern in config.data.train for path in sorted(corpus.glob(pattern)))
    samples = samples_of(shard, texts, params.rate_hz, name=shard_path.stem, trained=trained)
    header = Header(
        run=config.name,
        dataset=dataset,
        split=shard_path.stem,
        fold=None,
        selection=HELD_OUT_WRITERS,
        simulated=True,
        seed=config.seed,
    )
    path = checkpoint.parent / f"predictions-{shard_path.stem}-{HELD_OUT_WRITERS}.jsonl"
    write_predictions(path, Predictions(header, tuple(samples)))
    rates = error_rates([sample.label for sample in samples], [sample.text for sample in samples])
    print(
        f"{config.name}, seed {config.seed}: greedy CER {rates.cer:.2f}, WER {rates.wer:.2f} % "
        f"on {len(samples)} words of {shard_path.stem}"
    )
    return path
