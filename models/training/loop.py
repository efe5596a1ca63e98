"""The training loop: one function, resumable at any step, the same on one process or several."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from models.training.batches import Batch, Corpus, Sampler, collate
from models.training.checkpoint import load_checkpoint, optimiser_tensors, restore_optimiser, save_checkpoint
from models.training.config import OptimConfig, RunConfig, dump_config
from models.training.network import Recogniser
from models.training.shards import Shard, first_words, join
from penapp.decode.alphabet import PENAPP_ALPHABET, Alphabet
from penapp.dsp.params import DEFAULT_PARAMS, FeatureParams
from penapp.errors import BadInputError
from penapp.scores import ErrorRates, error_rates


@dataclass
class Run:
    """A run in progress: the network, its smoothed twin, the optimiser and the step."""

    config: RunConfig
    network: Recogniser
    smooth: Recogniser
    optimiser: torch.optim.Optimizer
    step: int = 0
    best_cer: float = math.inf


@dataclass(frozen=True, slots=True)
class Pace:
    """Words trained per second since this process began, and seconds to the end at that speed."""

    words_per_s: float
    left_s: float


def start_run(config: RunConfig, features: int, alphabet: Alphabet = PENAPP_ALPHABET) -> Run:
    torch.manual_seed(config.seed)
    network = Recogniser(config.network, features, alphabet.size)
    smooth = Recogniser(config.network, features, alphabet.size)
    smooth.load_state_dict(network.state_dict())
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=config.optim.lr, weight_decay=config.optim.weight_decay, betas=(0.9, 0.98)
    )
    return Run(config, network, smooth, optimiser)


def train(run: Run, folder: Path, *, until: int | None = None) -> Run:
    """Train to `until` (or the configured number of) steps; writes last/best checkpoints and metrics."""
    rank = dist.get_rank() if dist.is_initialized() else 0
    config = run.config
    sampler = Sampler(load_corpora(config), config, PENAPP_ALPHABET)
    val = load_val(config)
    end = min(until or config.optim.steps, config.optim.steps)
    began, seen, first = time.monotonic(), 0, run.step
    losses: list[float] = []
    for step in range(run.step + 1, end + 1):
        run.step = step
        batch = sampler.batch(run.step, rank)
        losses.append(train_step(run, batch))
        seen += len(batch.labels)
        if rank:
            continue
        if run.step % config.evaluate_every == 0 or run.step == end:
            rates = evaluate_shard(run.smooth, val)
            spent_s = time.monotonic() - began
            left_s = (end - run.step) * spent_s / (run.step - first)
            _report(folder, run, float(np.mean(losses)), rates, Pace(seen / spent_s, left_s))
            losses.clear()
            if rates.cer < run.best_cer:
                run.best_cer = rates.cer
                save_run(run, folder / "best.safetensors")
        if run.step % config.checkpoint_every == 0 or run.step == end:
            save_run(run, folder / "last.safetensors")
    return run


def train_step(run: Run, batch: Batch) -> float:
    """One update; gradients are averaged over processes. Returns the loss per word."""
    config = run.config.optim
    for group in run.optimiser.param_groups:
        group["lr"] = learning_rate(config, run.step)
    run.network.train()
    torch.manual_seed(run.config.seed * 1_000_003 + run.step)  # dropout depends on the step alone
    with torch.autocast("cpu", dtype=torch.bfloat16):
        log_probs = run.network(batch.features, batch.lengths)
    loss = ctc_term(log_probs, run.network.output_length(batch.lengths), batch)
    run.optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    _average_gradients(run.network)
    norm = nn.utils.clip_grad_norm_(run.network.parameters(), config.clip)
    if torch.isfinite(norm):
        run.optimiser.step()
    _smooth(run.smooth, run.network, min(config.ema, run.step / (run.step + 20.0)))
    return float(loss.detach())


def ctc_term(log_probs: Tensor, frames: Tensor, batch: Batch) -> Tensor:
    """CTC loss, mean over words of loss / letters."""
    return nn.functional.ctc_loss(
        log_probs.transpose(0, 1), batch.targets, frames, batch.target_lengths, zero_infinity=True
    )


def learning_rate(config: OptimConfig, step: int) -> float:
    """Linear warm-up, then cosine decay to one hundredth."""
    warm = max(int(config.warmup * config.steps), 1)
    if step < warm:
        return config.lr * step / warm
    progress = (step - warm) / max(config.steps - warm, 1)
    return config.lr * (0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * min(progress, 1.0))))


@torch.no_grad()
def greedy_texts(network: Recogniser, shard: Shard, batch: int = 64) -> list[str]:
    """Best-path readings of every word of a shard, in order."""
    network.eval()
    order = np.argsort(np.diff(shard.off), kind="stable")
    texts = [""] * len(shard)
    for part in _parts(order, batch):
        inputs = collate([(shard.word(int(i)), "") for i in part], PENAPP_ALPHABET)
        paths = network(inputs.features, inputs.lengths).argmax(2)
        frames = network.output_length(inputs.lengths)
        for i, path, n in zip(part, paths, frames, strict=True):
            texts[int(i)] = PENAPP_ALPHABET.collapse(path[: int(n)].tolist())
    return texts


def evaluate_shard(network: Recogniser, shard: Shard) -> ErrorRates:
    return error_rates([str(label) for label in shard.label], greedy_texts(network, shard))


def feature_params(config: RunConfig) -> FeatureParams:
    """The features this run reads: the default ones with the configured normalisation."""
    return replace(DEFAULT_PARAMS, normalisation=config.data.normalisation)


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


def save_run(run: Run, path: Path) -> None:
    tensors = {f"network.{k}": v for k, v in run.network.state_dict().items()}
    tensors |= {f"smooth.{k}": v for k, v in run.smooth.state_dict().items()}
    tensors |= optimiser_tensors(run.optimiser)
    state = {"step": run.step, "best_cer": run.best_cer, "config": dump_config(run.config)}
    save_checkpoint(path, tensors, state)


def load_run(path: Path, run: Run) -> Run:
    """Put a checkpoint into a freshly started run; BadInputError when it is not one of this network."""
    tensors, state = load_checkpoint(path)
    load_weights(run.network, tensors, "network.", path)
    load_weights(run.smooth, tensors, "smooth.", path)
    restore_optimiser(run.optimiser, tensors)
    run.step, run.best_cer = int(state["step"]), float(state["best_cer"])
    return run


def begin_with(path: Path, run: Run) -> Run:
    """Take the smoothed weights of a checkpoint as the start of a fresh run.

    Residual blocks that the checkpoint lacks keep their start: they add nothing yet.
    """
    tensors, _ = load_checkpoint(path)
    grown = ("smooth.fine.", "smooth.deep.")
    fresh = {f"smooth.{k}": v for k, v in run.network.state_dict().items()}
    tensors |= {k: v for k, v in fresh.items() if k.startswith(grown) and k not in tensors}
    load_weights(run.network, tensors, "smooth.", path)
    load_weights(run.smooth, tensors, "smooth.", path)
    return run


def load_weights(network: nn.Module, tensors: dict[str, Tensor], prefix: str, path: Path) -> None:
    """The tensors named with the prefix, into the network; `path` is for the error."""
    own = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    try:
        network.load_state_dict(own)
    except RuntimeError as error:
        reason = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise BadInputError(
            f"{path} holds no weights of this network ({reason}).",
            advice="Use the configuration that the checkpoint was made with.",
        ) from error


def _parts(order: np.ndarray, size: int) -> Iterator[np.ndarray]:
    for start in range(0, len(order), size):
        yield order[start : start + size]


def _average_gradients(network: nn.Module) -> None:
    if not dist.is_initialized():
        return
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    flat = torch.cat([g.reshape(-1) for g in gradients])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    offset = 0
    for gradient in gradients:
        gradient.copy_(flat[offset : offset + gradient.numel()].view_as(gradient))
        offset += gradient.numel()


@torch.no_grad()
def _smooth(smooth: nn.Module, network: nn.Module, keep: float) -> None:
    for slow, fast in zip(smooth.parameters(), network.parameters(), strict=True):
        slow.lerp_(fast, 1.0 - keep)


def _report(folder: Path, run: Run, loss: float, rates: ErrorRates, pace: Pace) -> None:
    line = {
        "step": run.step,
        "loss": round(loss, 4),
        "val_cer": round(rates.cer, 2),
        "val_wer": round(rates.wer, 2),
        "words_per_s": round(pace.words_per_s, 1),
    }
    print(json.dumps(line), f"about {pace.left_s / 60.0:.0f} min left", flush=True)
    with (folder / "metrics.jsonl").open("a", encoding="utf-8") as metrics:
        metrics.write(json.dumps(line) + "\n")
