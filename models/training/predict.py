"""`predict`: what a run reads, as a predictions file beside the run: a shard, or its archive's test fold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from models.training.archives.raw_set import RawSet
from models.training.archives.signals import Reason, SignalSet
from models.training.assess.predictions import (
    BEST_ON_TEST,
    HELD_OUT_WRITERS,
    LAST,
    Header,
    Predictions,
    Sample,
    write_predictions,
)
from models.training.assess.shard_samples import Trained, samples_of, trained_on
from models.training.checkpoint import load_checkpoint
from models.training.commands import checkpoint_of
from models.training.config import RunConfig, config_from_dump
from models.training.export import load_network
from models.training.material import (
    Targets,
    archive_part,
    archive_sides,
    feature_params,
    presenter_of,
)
from models.training.shards import Shard
from models.training.validate import Reader, greedy_texts
from penapp.errors import BadInputError
from penapp.scores import error_rates

PUBLISHED_SPLITS = {"indep": "WI", "dep": "WD"}
"""What the literature calls the protocols: writer-independent, writer-dependent."""


@click.command("predict")
@click.argument("run", type=click.Path(exists=True, path_type=Path), metavar="RUN_OR_CHECKPOINT")
@click.argument("shard", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dataset", default="unipen-words", show_default=True, help="What a shard is of.")
@click.option("--last", is_flag=True, help="The last checkpoint instead of the best on validation words.")
def predict_command(run: Path, shard: Path | None, dataset: str, last: bool) -> None:
    """Read with a run's network and write predictions-*.jsonl beside it, for `compare`.

    A run on an archive reads its test fold; any other run reads SHARD, words that the virtual pen wrote,
    between the cuts that made the shard. Figures on the shard that chose the checkpoint (data.val) are
    labelled best-on-test; those of the last checkpoint, which nothing chose, are labelled last. Reported
    figures of a shipped artefact come from `evaluate`, through the live pipeline.
    """
    checkpoint = run / "last.safetensors" if last and run.is_dir() else checkpoint_of(run)
    _, state = load_checkpoint(checkpoint)
    config = config_from_dump(state["config"])
    if bool(config.data.archive) == bool(shard):
        raise BadInputError(
            f"{run} was trained on {config.data.archive or 'shards'}.",
            advice="Name a shard to read for a run on shards, and none for a run on an archive.",
        )
    made = of_shard(checkpoint, config, shard, dataset) if shard else of_archive(checkpoint, config)
    name = made.header.split if shard else f"test-fold{made.header.fold or 0}"
    path = checkpoint.parent / f"predictions-{name}-{made.header.selection}.jsonl"
    write_predictions(path, made)
    rates = error_rates([s.label for s in made.samples], [s.text for s in made.samples])
    print(
        f"{config.name}, seed {config.seed}: greedy CER {rates.cer:.2f}, WER {rates.wer:.2f} % "
        f"on {len(made.samples)} of {made.header.split}"
    )
    print(path)


def of_shard(checkpoint: Path, config: RunConfig, path: Path, dataset: str) -> Predictions:
    """The predictions of a checkpoint on every word of a shard."""
    params = feature_params(config)
    shard = Shard.load(path).normalised(params)
    texts = greedy_texts(load_network(checkpoint), shard, reader=stored_reader(checkpoint, config))
    samples = samples_of(shard, texts, params.rate_hz, name=path.stem, trained=_trained(config))
    header = Header(
        run=config.name,
        dataset=dataset,
        split=path.stem,
        fold=None,
        selection=selection_of(checkpoint, by_these=chose_the_checkpoint(config, path)),
        simulated=True,
        seed=config.seed,
    )
    return Predictions(header, tuple(samples))


def selection_of(checkpoint: Path, *, by_these: bool) -> str:
    """What chose a checkpoint of a run: nothing if it is the last, else the samples read now, or others."""
    if checkpoint.name == "last.safetensors":
        return LAST
    return BEST_ON_TEST if by_these else HELD_OUT_WRITERS


def chose_the_checkpoint(config: RunConfig, shard: Path) -> bool:
    """Whether the run's best checkpoint was chosen on words of this very shard."""
    val = Path(config.data.corpus) / config.data.val
    return val.exists() and shard.samefile(val)


def _trained(config: RunConfig) -> Trained | None:
    """What the run's training shards hold; None, said in a line, where they are not there any more."""
    corpus = Path(config.data.corpus)
    found = {pattern: sorted(corpus.glob(pattern)) for pattern in config.data.train}
    missing = [pattern for pattern, paths in found.items() if not paths]
    if missing:
        print(f"no {', '.join(missing)} in {corpus}: which words and writers were seen is not known")
        return None
    return trained_on(path for paths in found.values() for path in paths)


def of_archive(checkpoint: Path, config: RunConfig) -> Predictions:
    """The predictions of a checkpoint on the recordings of its archive's test fold, short ones too.

    A recording without samples is read as nothing: an error, not an exception. One of more than data.max_rows
    samples has no prediction, as in the literature; a line tells how many there are.
    """
    train, test = archive_sides(config)[0], archive_part(config, "test")
    long = sum(drop.reason == Reason.LONG for drop in test.dropped)
    if long:
        print(f"{test.name}: {long} not scored, more than {config.data.max_rows} samples (data.max_rows)")
    texts = greedy_texts(
        load_network(checkpoint), RawSet.as_recorded(test), reader=stored_reader(checkpoint, config)
    )
    dataset, split = published_name(test.part.source)
    header = Header(
        run=config.name,
        dataset=dataset,
        split=split,
        fold=int(test.part.fold) if test.part.fold and test.part.fold.isdecimal() else None,
        selection=selection_of(checkpoint, by_these=config.data.selection == "best-on-test"),
        simulated=False,
        seed=config.seed,
    )
    return Predictions(header, tuple(_samples(test, train, texts)))


def published_name(source: str) -> tuple[str, str]:
    """A source of an archive ("words500-indep-R") as data set and split of the published tables."""
    words = source.split("-")
    split = next((PUBLISHED_SPLITS[word] for word in words if word in PUBLISHED_SPLITS), "all")
    hand = "left" if words[-1] in ("L", "left") else "right"
    kept = [word for word in words if word not in (*PUBLISHED_SPLITS, "L", "R", "left", "right")]
    return "-".join([*kept, hand]), split


def _samples(test: SignalSet, train: SignalSet, texts: Sequence[str]) -> list[Sample]:
    labels, writers = set(train.labels), set(train.writers)

    def sample(index: int, label: str, text: str, writer: str | None, rows: int, content: str) -> Sample:
        return Sample(
            f"{test.name}/{index}",
            label,
            text,
            writer or "",
            label in labels,
            None if writer is None else writer in writers,
            float(np.round(rows / test.rate_hz, 3)),
            rows,
            content,
        )

    sizes = [len(signal) for signal in test.signals]
    contents = [content.hex() for content in test.contents()]
    columns = zip(test.index, test.labels, texts, test.writers, sizes, contents, strict=True)
    empty = [drop for drop in test.dropped if drop.reason == Reason.EMPTY]
    return [sample(*row) for row in columns] + [sample(d.index, d.label, "", d.writer, 0, "") for d in empty]


def stored_reader(checkpoint: Path, config: RunConfig) -> Reader:
    """How the output of a checkpoint's network becomes texts."""
    _, state = load_checkpoint(checkpoint)
    alphabet = Targets.of(state.get("targets", {})).alphabet
    return Reader(alphabet, config.data.task == "labels", presenter_of(config))
