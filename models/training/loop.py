"""The training loop: one function, resumable at any step, the same on one process or several."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from models.training.auxiliary.branch import ImageAuxiliary
from models.training.auxiliary.companions import PictureDrawer
from models.training.batches import Sampler
from models.training.material import Material, load_material
from models.training.monitor import Monitor
from models.training.run import Run, save_run
from models.training.step import Part, learning_rate, own_parts, train_step
from models.training.validate import Reader, evaluate_words


def train(run: Run, folder: Path, material: Material | None = None, *, until: int | None = None) -> Run:
    """Train to `until` (or the configured number of) steps; writes last/best checkpoints and metrics."""
    config = run.config
    material = material or load_material(config)
    parts_of = part_maker(run, material)
    reader = reader_of(run, material)
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
                rates = evaluate_words(run.smooth, material.val, reader)
                monitor.report(step, rates, learning_rate(config.optim, step))
                if rates.cer < run.best_cer:
                    run.best_cer = rates.cer
                    save_run(run, folder / "best.safetensors")
            if step % config.checkpoint_every == 0 or step == end:
                save_run(run, folder / "last.safetensors")
    return run


def part_maker(run: Run, material: Material) -> Callable[[int], list[Part]]:
    """What makes this process's parts of a step: a function of the step alone."""
    config = run.config
    own = own_parts(config.optim.parts)
    corpora = material.corpora
    sampler = Sampler(corpora, config, run.targets.alphabet, material.presenter, run.network.output_length)
    if own[0] == 0:
        for note in material.notes:
            print(note)
        for corpus, reasons in zip(corpora, sampler.left_out, strict=True):
            why = "; ".join(f"{count} {reason}" for reason, count in reasons.items()) or "none"
            print(f"{len(corpus.shard)} words to train on, left out: {why}")
    drawer: PictureDrawer | None = None
    if isinstance(run.auxiliary, ImageAuxiliary):
        height = run.auxiliary.network.config.height
        apart = material.val if material.apart is None else material.apart
        drawer = PictureDrawer(corpora, apart, config.auxiliary, seed=config.seed, height=height)

    def parts(step: int) -> list[Part]:
        made = []
        for number in own:
            batch = sampler.batch(step, number)
            done = step / max(config.optim.steps, 1)
            beside = None if drawer is None else drawer.draw(batch, step, number, done)
            made.append(Part(batch, beside))
        return made

    return parts


def reader_of(run: Run, material: Material) -> Reader:
    """How this run's output becomes texts."""
    return Reader(run.targets.alphabet, run.config.data.task == "labels", material.presenter, run.device)


def _end_of_epoch(run: Run) -> None:
    """Dynamic weights look back from validation to validation."""
    if run.weights is not None and run.step % run.config.evaluate_every == 0:
        run.weights = run.weights.after_epoch()
