"""The training loop: one function, resumable at any step, the same on one process or several."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from models.training.auxiliary.branch import ImageAuxiliary
from models.training.auxiliary.companions import PictureDrawer
from models.training.batches import Corpus, Sampler
from models.training.config import RunConfig
from models.training.monitor import Monitor
from models.training.run import Run, feature_params, save_run
from models.training.shards import Shard, first_words, join
from models.training.step import Part, learning_rate, own_parts, train_step
from models.training.validate import evaluate_shard
from penapp.decode.alphabet import PENAPP_ALPHABET
from penapp.errors import BadInputError


def train(run: Run, folder: Path, *, until: int | None = None) -> Run:
    """Train to `until` (or the configured number of) steps; writes last/best checkpoints and metrics."""
    config = run.config
    val = load_val(config)
    parts_of = part_maker(run, load_corpora(config), val)
    end = min(until or config.optim.steps, config.optim.steps)
    if own_parts(config.optim.parts)[0] != 0:  # the first process alone reports and writes
        for step in range(run.step + 1, end + 1):
            run.step = step
            train_step(run, parts_of(step))
            _end_of_epoch(run)
        return run
    with Monitor(folder, run.step, end, tensorboard=config.tensorboard) as monitor:
        for step in range(run.step + 1, end + 1):
            run.step = step
            parts = parts_of(step)
            monitor.step(train_step(run, parts), sum(len(part.batch.labels) for part in parts))
            _end_of_epoch(run)
            if step % config.evaluate_every == 0 or step == end:
                rates = evaluate_shard(run.smooth, val, run.device)
                monitor.report(step, rates, learning_rate(config.optim, step))
                if rates.cer < run.best_cer:
                    run.best_cer = rates.cer
                    save_run(run, folder / "best.safetensors")
            if step % config.checkpoint_every == 0 or step == end:
                save_run(run, folder / "last.safetensors")
    return run


def part_maker(run: Run, corpora: list[Corpus], val: Shard) -> Callable[[int], list[Part]]:
    """What makes this process's parts of a step: a function of the step alone."""
    config = run.config
    own = own_parts(config.optim.parts)
    sampler = Sampler(corpora, config, PENAPP_ALPHABET, run.network.output_length)
    drawer: PictureDrawer | None = None
    if isinstance(run.auxiliary, ImageAuxiliary):
        height = run.auxiliary.network.config.height
        drawer = PictureDrawer(corpora, val, config.auxiliary, seed=config.seed, height=height)

    def parts(step: int) -> list[Part]:
        made = []
        for number in own:
            batch = sampler.batch(step, number)
            done = step / max(config.optim.steps, 1)
            beside = None if drawer is None else drawer.draw(batch, step, number, done)
            made.append(Part(batch, beside))
        return made

    return parts


def _end_of_epoch(run: Run) -> None:
    """Dynamic weights look back from validation to validation."""
    if run.weights is not None and run.step % run.config.evaluate_every == 0:
        run.weights = run.weights.after_epoch()


def load_corpora(config: RunConfig) -> list[Corpus]:
    """The training shards by pattern; BadInputError when a pattern matches nothing."""
    corpora = []
    for pattern, share in config.data.train.items():
        paths = sorted(Path(config.data.corpus).glob(pattern))
        if not paths:
            raise BadInputError(
                f"no shard matches {pattern} in {config.data.corpus}.", advice="Run `prepare` first."
            )
        shard = join([Shard.load(p) for p in paths]).normalised(feature_params(config))
        corpora.append(Corpus(shard, share))
    return corpora


def load_val(config: RunConfig) -> Shard:
    """The first `val_words` words of the validation shard."""
    shard = Shard.load(Path(config.data.corpus) / config.data.val)
    return first_words(shard, config.data.val_words).normalised(feature_params(config))
