"""The training loop: one function, resumable at any step, the same on one process or several."""

from __future__ import annotations

import math
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn

from models.training.batches import Batch, Corpus, Sampler
from models.training.config import OptimConfig, RunConfig
from models.training.monitor import Monitor
from models.training.run import Run, feature_params, save_run
from models.training.shards import Shard, first_words, join
from models.training.validate import evaluate_shard
from penapp.decode.alphabet import PENAPP_ALPHABET
from penapp.errors import BadInputError


def train(run: Run, folder: Path, *, until: int | None = None) -> Run:
    """Train to `until` (or the configured number of) steps; writes last/best checkpoints and metrics."""
    config = run.config
    own = own_parts(config.optim.parts)
    sampler = Sampler(load_corpora(config), config, PENAPP_ALPHABET, run.network.output_length)
    val = load_val(config)
    end = min(until or config.optim.steps, config.optim.steps)
    chief = own[0] == 0
    if not chief:
        for step in range(run.step + 1, end + 1):
            run.step = step
            train_step(run, [sampler.batch(step, part) for part in own])
        return run
    with Monitor(folder, run.step, end, tensorboard=config.tensorboard) as monitor:
        for step in range(run.step + 1, end + 1):
            run.step = step
            batches = [sampler.batch(step, part) for part in own]
            losses = train_step(run, batches)
            monitor.step(losses, sum(len(batch.labels) for batch in batches))
            if step % config.evaluate_every == 0 or step == end:
                rates = evaluate_shard(run.smooth, val, run.device)
                monitor.report(step, rates, learning_rate(config.optim, step))
                if rates.cer < run.best_cer:
                    run.best_cer = rates.cer
                    save_run(run, folder / "best.safetensors")
            if step % config.checkpoint_every == 0 or step == end:
                save_run(run, folder / "last.safetensors")
    return run


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


def train_step(run: Run, batches: list[Batch]) -> dict[str, float]:
    """One update from this process's parts of the step; returns the losses of the whole step by name."""
    config = run.config.optim
    for group in run.optimiser.param_groups:
        group["lr"] = learning_rate(config, run.step)
    run.network.train()
    run.optimiser.zero_grad()
    total = torch.zeros(())
    own = own_parts(config.parts)
    for part, batch in zip(own, batches, strict=True):
        torch.manual_seed(
            (run.config.seed * 1_000_003 + run.step) * 64 + part
        )  # dropout: of the step and part
        loss = _loss(run, batch) / config.parts
        loss.backward()  # type: ignore[no-untyped-call]
        total += loss.detach().cpu()
    _sum_over_processes(run.network, total)
    norm = nn.utils.clip_grad_norm_(run.network.parameters(), config.clip)
    if torch.isfinite(norm):
        run.optimiser.step()
    _smooth(run.smooth, run.network, min(config.ema, run.step / (run.step + 20.0)))
    return {"loss": float(total)}


def _loss(run: Run, batch: Batch) -> Tensor:
    lengths = batch.lengths.to(run.device.place)
    with run.device.autocast():
        log_probs = run.network(batch.features.to(run.device.place), lengths)
    return ctc_term(log_probs, run.network.output_length(lengths), batch)


def ctc_term(log_probs: Tensor, frames: Tensor, batch: Batch) -> Tensor:
    """CTC loss, mean over words of loss / letters."""
    return nn.functional.ctc_loss(
        log_probs.transpose(0, 1),
        batch.targets.to(log_probs.device),
        frames,
        batch.target_lengths.to(log_probs.device),
        zero_infinity=True,
    )


def learning_rate(config: OptimConfig, step: int) -> float:
    """Linear warm-up, then cosine decay to one hundredth."""
    warm = max(int(config.warmup * config.steps), 1)
    if step < warm:
        return config.lr * step / warm
    progress = (step - warm) / max(config.steps - warm, 1)
    return config.lr * (0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * min(progress, 1.0))))


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


def _sum_over_processes(network: nn.Module, total: Tensor) -> None:
    """Add up the gradients and the loss of all processes."""
    if not dist.is_initialized() or dist.get_world_size() == 1:
        return
    dist.all_reduce(total)
    for statistics in network.buffers():  # batch normalisation: each process saw its own parts of the step
        if statistics.is_floating_point():
            dist.all_reduce(statistics)
            statistics /= dist.get_world_size()
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    flat = torch.cat([g.reshape(-1) for g in gradients])
    dist.all_reduce(flat)
    offset = 0
    for gradient in gradients:
        gradient.copy_(flat[offset : offset + gradient.numel()].view_as(gradient))
        offset += gradient.numel()


@torch.no_grad()
def _smooth(smooth: nn.Module, network: nn.Module, keep: float) -> None:
    """The twin follows the weights slowly and takes the running statistics as they are."""
    for slow, fast in zip(smooth.parameters(), network.parameters(), strict=True):
        slow.lerp_(fast, 1.0 - keep)
    for kept, current in zip(smooth.buffers(), network.buffers(), strict=True):
        kept.copy_(current)
