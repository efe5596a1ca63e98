"""One update of a run: the losses of its parts, their gradients summed over processes, the smoothed twin."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from models.training.auxiliary.companions import Companions
from models.training.batches import Batch
from models.training.config import OptimConfig
from models.training.easing import flat_share, strength
from models.training.objectives.classification import cross_entropy, ctc
from models.training.objectives.flat_start import even_segments
from models.training.objectives.term import Term
from models.training.objectives.total import Loss, combined
from models.training.objectives.weights import Ramp
from models.training.run import Run
from penapp.errors import BadInputError


@dataclass(frozen=True)
class Part:
    """A batch and what its words are compared with."""

    batch: Batch
    companions: Companions | None = None


def own_parts(parts: int) -> list[int]:
    """Which parts of every step this process computes; BadInputError when they cannot be shared out evenly.

    A step is the sum of its parts whoever computes them, so any number of processes that divides their
    number trains the same network.
    """
    world, rank = (dist.get_world_size(), dist.get_rank()) if dist.is_initialized() else (1, 0)
    if parts % world:
        raise BadInputError(
            f"optim.parts = {parts} cannot be shared by {world} processes.",
            advice=f"Set optim.parts to a multiple of {world}, or start another number of processes.",
        )
    return list(range(rank, parts, world))


def train_step(run: Run, parts: Sequence[Part]) -> dict[str, float]:
    """One update from this process's parts of the step; returns the losses of the whole step by name.

    A step without finite losses and gradients changes nothing, neither weights nor running statistics nor
    the weights of the terms; its losses come back as they are, for the monitor to say so.
    """
    config = run.config.optim
    for group in run.optimiser.param_groups:
        group["lr"] = group.get("scale", 1.0) * learning_rate(config, run.step)
    run.network.train()
    run.dropouts.scale(strength(config, run.step))
    if run.auxiliary is not None:
        run.auxiliary.train()
    run.optimiser.zero_grad()
    names = ["loss", "ctc", *run.config.auxiliary.terms]
    totals = torch.zeros(len(names), device=run.device.place)
    statistics = Statistics(run.network)
    for number, part in zip(own_parts(config.parts), parts, strict=True):
        torch.manual_seed((run.config.seed * 1_000_003 + run.step) * 64 + number)
        loss = _loss(run, part)
        (loss.total / config.parts).backward()  # type: ignore[no-untyped-call]
        found = [loss.total.detach(), *(loss.parts[name] for name in names[1:])]
        totals += torch.stack([value.float() for value in found]) / config.parts
        statistics.after_part()
    _sum_over_processes(_learning(run), [totals, *statistics.sums])
    norm = nn.utils.clip_grad_norm_(_learning(run), config.clip)
    losses = dict(zip(names, totals.tolist(), strict=True))
    if torch.isfinite(norm) and all(math.isfinite(value) for value in losses.values()):
        run.optimiser.step()
        statistics.settle(config.parts)
        _smooth(run.smooth, run.network, min(config.ema, run.step / (run.step + 20.0)))
        if run.weights is not None:
            run.weights = run.weights.after_step(losses)
    elif math.isfinite(losses["loss"]):
        losses["loss"] = math.nan  # the gradient alone was not finite
    return losses if run.auxiliary is not None else {"loss": losses["loss"]}


class Statistics:
    """Running statistics of batch norms: every part starts from the same ones, their mean is kept.

    So they do not depend on which process computed which part.
    """

    def __init__(self, network: nn.Module) -> None:
        self._now = [values for values in network.buffers() if values.is_floating_point()]
        self._before = [values.clone() for values in self._now]
        self.sums = [torch.zeros_like(values) for values in self._now]

    def after_part(self) -> None:
        """Take what one part made of them and put them back."""
        for total, now, before in zip(self.sums, self._now, self._before, strict=True):
            total += now
            now.copy_(before)

    def settle(self, parts: int) -> None:
        """The mean over all parts of the step."""
        for now, total in zip(self._now, self.sums, strict=True):
            now.copy_(total / parts)


def _loss(run: Run, part: Part) -> Loss:
    batch, lengths = part.batch, part.batch.lengths.to(run.device.place)
    with run.device.autocast():
        encoded = run.network.encode(batch.features.to(run.device.place), lengths)
        helping: dict[str, Term] = {}
        if run.auxiliary is not None:
            helping = run.auxiliary.terms(encoded, part.companions, batch)
    if run.config.data.task == "labels":
        own = cross_entropy(encoded.log_probs, batch.targets, encoded.frames)
    else:
        own = ctc(encoded.log_probs, encoded.frames, batch.targets, batch.target_lengths)
        share = flat_share(run.config.optim, run.step)
        if share > 0.0:
            even = even_segments(encoded.log_probs, encoded.frames, batch.targets, batch.target_lengths)
            own = Term((1.0 - share) * own.total + share * even.total, own.count)
    return combined({"ctc": own, **helping}, term_weights(run))


def term_weights(run: Run) -> dict[str, float]:
    """The weight of each term at this step."""
    config = run.config.auxiliary
    weights = {"ctc": 1.0, **config.terms}
    if run.weights is not None:
        shares = run.weights.weights()
        return {name: len(weights) * shares[name] * weight for name, weight in weights.items()}
    if config.schedule == "ramp":
        grown = Ramp(0.0, 1.0, 0.0, config.ramp).at(progress(run))
        return {name: weight if name == "ctc" else grown * weight for name, weight in weights.items()}
    return weights


def progress(run: Run) -> float:
    """0..1: how much of the run is done."""
    return run.step / max(run.config.optim.steps, 1)


def learning_rate(config: OptimConfig, step: int) -> float:
    """Linear warm-up, then cosine decay to one hundredth."""
    warm = max(int(config.warmup * config.steps), 1)
    if step < warm:
        return config.lr * step / warm
    done = (step - warm) / max(config.steps - warm, 1)
    return config.lr * (0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * min(done, 1.0))))


def _learning(run: Run) -> list[nn.Parameter]:
    """The weights that the optimiser changes, in a fixed order."""
    return [weight for group in run.optimiser.param_groups for weight in group["params"]]


def _sum_over_processes(weights: Sequence[nn.Parameter], sums: Sequence[Tensor]) -> None:
    """Add up gradients and the other sums of all processes."""
    for weight in weights:
        if weight.grad is None:  # no word had something for that weight; on another process one may have had
            weight.grad = torch.zeros_like(weight)
    if not dist.is_initialized() or dist.get_world_size() == 1:
        return
    for values in sums:
        dist.all_reduce(values)
    flat = torch.cat([weight.grad.reshape(-1) for weight in weights if weight.grad is not None])
    dist.all_reduce(flat)
    offset = 0
    for weight in weights:
        if weight.grad is not None:
            weight.grad.copy_(flat[offset : offset + weight.numel()].view_as(weight))
            offset += weight.numel()


@torch.no_grad()
def _smooth(smooth: nn.Module, network: nn.Module, keep: float) -> None:
    """The twin follows the weights slowly and takes the running statistics as they are."""
    for slow, fast in zip(smooth.parameters(), network.parameters(), strict=True):
        slow.lerp_(fast, 1.0 - keep)
    for kept, current in zip(smooth.buffers(), network.buffers(), strict=True):
        kept.copy_(current)
