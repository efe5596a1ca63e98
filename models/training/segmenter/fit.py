"""Fit the judge: cross-entropy of the answer, and the true motion of the tip as a second lesson."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, smooth_l1_loss

from models.training.segmenter.network import JudgeNetwork
from models.training.segmenter.questions import Batch, Questions


@dataclass(frozen=True, slots=True)
class FitConfig:
    """How the judge is fitted.

    blur:       how much every question is varied: sd of the gain of each channel and of each number
    forget:     share of the past pen-ups left out
    tip_weight: of the second lesson; smooth: decay of the running mean of the weights, which is what ships
    """

    steps: int = 800
    batch: int = 384
    rate: float = 2e-3
    decay: float = 0.1
    blur: float = 0.1
    forget: float = 0.15
    tip_weight: float = 0.3
    smooth: float = 0.99
    seed: int = 0
    report_every: int = 400


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Mean cross-entropy and share of wrong answers, in the air and landed; median error of the move."""

    air_loss: float
    air_wrong: float
    landed_loss: float
    landed_wrong: float
    move_mm: float

    def line(self) -> str:
        return (
            f"air {self.air_loss:.4f} ({100 * self.air_wrong:.1f} % wrong), landed {self.landed_loss:.4f} "
            f"({100 * self.landed_wrong:.1f} %), move off by {self.move_mm:.1f} mm"
        )


def fit(train: Questions, val: Questions, config: FitConfig) -> JudgeNetwork:
    """The smoothed network after the last step; progress and val figures are printed."""
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    network = JudgeNetwork()
    smooth = copy.deepcopy(network).eval()
    optimiser = torch.optim.AdamW(network.parameters(), config.rate, weight_decay=config.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, config.rate, total_steps=config.steps, pct_start=0.05
    )
    start = time.monotonic()
    for step in range(1, config.steps + 1):
        rows = rng.integers(0, len(train), config.batch)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = step_loss(network, varied(train.batch(rows), config), config.tip_weight)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        follow(smooth, network, config.smooth)
        if step % config.report_every == 0 or step == config.steps:
            spent = time.monotonic() - start
            print(f"step {step} {spent:.0f} s: {held_out(smooth, val).line()}", flush=True)
    return smooth


def varied(batch: Batch, config: FitConfig) -> Batch:
    """The same questions from slightly other pens and slightly other memories."""
    gain = 1.0 + config.blur * torch.randn(*batch.motion.shape[:2], 1)
    noise = config.blur * torch.randn_like(batch.numbers)
    kept = (torch.rand(*batch.past.shape[:2], 1) >= config.forget).float()
    return replace(batch, motion=batch.motion * gain, numbers=batch.numbers + noise, past=batch.past * kept)


def step_loss(network: JudgeNetwork, batch: Batch, tip_weight: float) -> Tensor:
    logit, tip = network(batch.motion, batch.numbers, batch.past)
    answer = binary_cross_entropy_with_logits(logit, batch.between)
    return answer + tip_weight * smooth_l1_loss(tip, batch.tip)


@torch.no_grad()
def held_out(network: JudgeNetwork, val: Questions) -> HeldOut:
    logits, tips = [], []
    for batch in val.batches(1024):
        logit, tip = network(batch.motion, batch.numbers, batch.past)
        logits.append(logit)
        tips.append(tip)
    truth = val.batch(slice(None, None))
    logit, tip = torch.cat(logits), torch.cat(tips)
    loss = binary_cross_entropy_with_logits(logit, truth.between, reduction="none")
    wrong = ((logit > 0.0) != (truth.between > 0.5)).float()
    off = 5.0 * torch.linalg.vector_norm(tip[:, :2] - truth.tip[:, :2], dim=1)
    landed = torch.from_numpy(val.landed)
    air, down = ~landed, landed
    return HeldOut(
        float(loss[air].mean()),
        float(wrong[air].mean()),
        float(loss[down].mean()),
        float(wrong[down].mean()),
        float(off.median()),
    )


@torch.no_grad()
def follow(smooth: JudgeNetwork, network: JudgeNetwork, keep: float) -> None:
    """The running mean of the weights goes a little towards them."""
    for mean, now in zip(smooth.parameters(), network.parameters(), strict=True):
        mean.lerp_(now, 1.0 - keep)
