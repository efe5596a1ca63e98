"""Pre-training of the offline recogniser on its own: CTC on pictures of the training ink."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from models.training.checkpoint import (
    load_checkpoint,
    load_weights,
    optimiser_tensors,
    restore_optimiser,
    save_checkpoint,
)
from models.training.device import Device, choose_device
from models.training.images.look import RenderConfig
from models.training.images.read import evaluate
from models.training.images.recogniser import ImageNetworkConfig, ImageRecogniser
from models.training.images.sampler import PictureSampler, Source
from models.training.images.words import InkWords
from penapp.decode.alphabet import PENAPP_ALPHABET
from penapp.errors import BadInputError

KIND = "image-recogniser"
"""What the state of a checkpoint says it is of."""


@dataclass(frozen=True)
class PretrainConfig:
    """A pre-training.

    pictures: of one step
    lr: the highest, reached after `warm` of the time; then along a cosine to 1/100 at the end
    evaluate_every: steps between checkpoints and points of the learning curve, on `val_words` plain pictures
    """

    seed: int = 1
    pictures: int = 64
    lr: float = 3e-3
    warm: float = 0.03
    weight_decay: float = 0.02
    clip: float = 1.0
    ema: float = 0.998
    evaluate_every: int = 250
    val_words: int = 600
    network: ImageNetworkConfig = field(default_factory=ImageNetworkConfig)
    render: RenderConfig = field(default_factory=RenderConfig)


@dataclass
class Pretraining:
    """A pre-training in progress: the network, its smoothed twin, the optimiser, steps and CPU seconds spent.

    curve: points [step, seconds, mean loss since the last point, CER in percent]
    """

    config: PretrainConfig
    network: ImageRecogniser
    smooth: ImageRecogniser
    optimiser: torch.optim.Optimizer
    device: Device
    step: int = 0
    spent_s: float = 0.0
    curve: list[list[float]] = field(default_factory=list)


def start(config: PretrainConfig, device: Device | None = None) -> Pretraining:
    """At step 0; the first weights depend on the seed alone."""
    device = device or choose_device("cpu", "auto")
    torch.manual_seed(config.seed)
    network, smooth = (ImageRecogniser(config.network, PENAPP_ALPHABET.size).to(device.place) for _ in "ab")
    smooth.load_state_dict(network.state_dict())
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=config.lr, weight_decay=config.weight_decay, betas=(0.9, 0.98)
    )
    return Pretraining(config, network, smooth, optimiser, device)


def pretrain(  # noqa: PLR0913 - the clock is for tests
    run: Pretraining,
    sources: Sequence[Source],
    val: InkWords,
    out: Path,
    seconds: float,
    *,
    until: int | None = None,
    clock: Callable[[], float] = time.process_time,
) -> Pretraining:
    """Train until `seconds` of CPU time have been spent in all (or to step `until`), saving to `out`.

    CPU time, because the learning rate follows it: a machine shared with other work trains the same network.
    """
    sampler = PictureSampler(sources, run.config.render, run.config.pictures, run.config.seed)
    before = clock() - run.spent_s
    losses: list[float] = []
    while run.spent_s < seconds and (until is None or run.step < until):
        run.step += 1
        losses.append(train_step(run, sampler.batch(run.step), run.spent_s / seconds))
        run.spent_s = clock() - before
        if run.step % run.config.evaluate_every == 0:
            _report(run, val, losses, out)
    if losses:
        _report(run, val, losses, out)
    return run


def train_step(run: Pretraining, batch: tuple[Tensor, Tensor, list[str]], progress: float) -> float:
    """One update at `progress` (0-1) of the training; returns the loss, mean over words of loss / letters."""
    images, widths, labels = batch
    config, place = run.config, run.device.place
    for group in run.optimiser.param_groups:
        group["lr"] = config.lr * _rate(progress, config.warm)
    run.network.train()
    torch.manual_seed(config.seed * 1_000_003 + run.step)
    with run.device.autocast():
        reading = run.network(images.to(place), widths.to(place))
    loss = ctc_of(reading.log_probs, reading.lengths, labels)
    run.optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    norm = nn.utils.clip_grad_norm_(run.network.parameters(), config.clip)
    if torch.isfinite(norm):
        run.optimiser.step()
    _smooth(run.smooth, run.network, min(config.ema, run.step / (run.step + 20.0)))
    return float(loss.detach())


def ctc_of(log_probs: Tensor, lengths: Tensor, labels: Sequence[str]) -> Tensor:
    """CTC loss of log-probabilities (B, T, V), mean over words of loss / letters."""
    codes = [PENAPP_ALPHABET.encode(label) for label in labels]
    targets = torch.tensor([c for code in codes for c in code], device=log_probs.device)
    sizes = torch.tensor([len(code) for code in codes], device=log_probs.device)
    return nn.functional.ctc_loss(log_probs.transpose(0, 1), targets, lengths, sizes, zero_infinity=True)


def save(run: Pretraining, path: Path) -> None:
    """Everything the next step needs, atomically."""
    tensors = {f"network.{k}": v for k, v in run.network.state_dict().items()}
    tensors |= {f"smooth.{k}": v for k, v in run.smooth.state_dict().items()}
    tensors |= optimiser_tensors(run.optimiser)
    best = min((point[3] for point in run.curve), default=math.inf)
    state = {"step": run.step, "best_cer": best, "config": asdict(run.config)}
    save_checkpoint(path, tensors, state | {"spent_s": run.spent_s, "curve": run.curve, "kind": KIND})


def resume(path: Path, device: Device | None = None) -> Pretraining:
    """Go on where a checkpoint was written, with its own configuration; BadInputError for another file."""
    tensors, state = load_checkpoint(path)
    run = start(_stored_config(state, path), device)
    load_weights(run.network, tensors, "network.", path)
    load_weights(run.smooth, tensors, "smooth.", path)
    restore_optimiser(run.optimiser, tensors)
    run.step, run.spent_s, run.curve = int(state["step"]), float(state["spent_s"]), list(state["curve"])
    return run


def load_image_recogniser(path: Path) -> tuple[ImageRecogniser, RenderConfig]:
    """The smoothed network of a checkpoint, ready to read, and how its pictures were made."""
    tensors, state = load_checkpoint(path)
    config = _stored_config(state, path)
    network = ImageRecogniser(config.network, PENAPP_ALPHABET.size)
    load_weights(network, tensors, "smooth.", path)
    return network.eval(), config.render


def _stored_config(state: dict[str, Any], path: Path) -> PretrainConfig:
    table = state["config"]
    try:
        if state.get("kind") != KIND or not isinstance(table, dict):
            raise ValueError(f"it is not marked as {KIND}")
        stored = table["render"].items()
        looks: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in stored}
        parts = {"network": ImageNetworkConfig(**table["network"]), "render": RenderConfig(**looks)}
        return PretrainConfig(**(table | parts))
    except (KeyError, TypeError, ValueError) as error:
        raise BadInputError(
            f"{path} holds no image recogniser of this version ({error}).",
            advice="Make one with `python -m models.training.images pretrain`.",
        ) from error


def _report(run: Pretraining, val: InkWords, losses: list[float], out: Path) -> None:
    rates = evaluate(run.smooth, val, run.config.render.plain(), run.device)
    loss = sum(losses) / len(losses)
    losses.clear()
    run.curve.append([run.step, round(run.spent_s, 1), round(loss, 4), round(rates.cer, 3)])
    save(run, out)
    print(
        f"step {run.step}  {run.spent_s / 60:.1f} min  loss {loss:.3f}  val CER {rates.cer:.2f} %", flush=True
    )


def _rate(progress: float, warm: float) -> float:
    if progress < warm:
        return 0.05 + 0.95 * progress / warm
    done = min((progress - warm) / (1.0 - warm), 1.0)
    return 0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * done))


@torch.no_grad()
def _smooth(smooth: nn.Module, network: nn.Module, keep: float) -> None:
    for slow, fast in zip(smooth.parameters(), network.parameters(), strict=True):
        slow.lerp_(fast, 1.0 - keep)
