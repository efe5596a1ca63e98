"""The flat start: until CTC has found out where the letters are, take them to be spread evenly over the word.

A CTC network trained from nothing first learns to say blank everywhere and needs hundreds of steps to leave
that. Speech recognisers of old began with even segments instead (the flat start of HTK, Young et al., The
HTK Book); here that is a second term which fades away within the first steps.
"""

from __future__ import annotations

import torch
from torch import Tensor

from models.training.objectives.term import Term


def even_segments(
    log_probs: Tensor, frames: Tensor, targets: Tensor, target_lengths: Tensor, *, per_letter: bool = True
) -> Term:
    """Cross-entropy in nats with each word's frames shared out evenly among its letters.

    log_probs (B, T, V) natural log; frames (B,) valid frames; targets flat with target_lengths (B,), as of
    `ctc`. A word's loss is the mean over its frames (`per_letter`) or their sum. An empty word counts 0.
    """
    place = log_probs.device
    targets, sizes = targets.to(place), target_lengths.to(place)
    first = torch.cumsum(sizes, 0) - sizes
    at = torch.arange(log_probs.shape[1], device=place)[None, :]
    letter = at * sizes[:, None] // frames[:, None].clamp(min=1)
    valid = (at < frames[:, None]) & (sizes[:, None] > 0)
    places = (first[:, None] + letter).clamp(max=max(len(targets) - 1, 0)).masked_fill(~valid, 0)
    wanted = targets[places] if len(targets) else torch.zeros_like(places)
    nats = -log_probs.gather(2, wanted[:, :, None])[:, :, 0].masked_fill(~valid, 0.0)
    words = nats.sum(1)
    if per_letter:
        words = words / frames.clamp(min=1)
    return Term(words.sum(), len(words))
