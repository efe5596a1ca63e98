"""The softmax twin of the triplet: the own image among those of the batch (van den Oord 2018, CLIP 2021).

The images of the batch are the negatives, so the value belongs to one batch; the parts of a step have each
their own, whoever computes them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.training.objectives.distances import Cosine, each
from models.training.objectives.term import Term


class Temperature(nn.Module):
    """A learned positive factor for similarities, exp(t), from 1/0.07; never above `most`."""

    def __init__(self, start: float = 1.0 / 0.07, most: float = 100.0) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(math.log(start)))
        self.most = math.log(most)

    def forward(self) -> Tensor:
        return self.log_scale.clamp(max=self.most).exp()


def same_label(labels: Sequence[str] | Sequence[int]) -> Tensor:
    """(B, B) bool: which examples of a batch carry the same label."""
    number = {label: k for k, label in enumerate(dict.fromkeys(labels))}
    column = torch.tensor([number[label] for label in labels])
    return column[:, None] == column[None, :]


def infonce(
    pen: Tensor, other: Tensor, scale: Tensor, same: Tensor | None = None, hard: Tensor | None = None
) -> Term:
    """Half the cross-entropy of finding the own partner from the pen's side, half from the partner's.

    pen, other: embeddings of B examples, compared by cosine * scale; same (B, B) bool: others of the same
    label are no negatives, yet stay in the batch as anchors; hard: further negatives of each anchor,
    (B, H, D) or (B, H, K, D), on the pen's side.
    """
    logits = scale * (1.0 - Cosine().pairs(pen, other))
    if same is not None:
        own = torch.eye(len(pen), dtype=torch.bool, device=pen.device)
        logits = logits.masked_fill(same.to(pen.device) & ~own, -math.inf)
    target = torch.arange(len(pen), device=pen.device)
    ahead = logits if hard is None else torch.cat([logits, scale * (1.0 - each(Cosine(), pen, hard))], 1)
    there = nn.functional.cross_entropy(ahead, target, reduction="sum")
    back = nn.functional.cross_entropy(logits.T, target, reduction="sum")
    return Term(0.5 * (there + back), len(pen))


def hard_negatives(pen: Tensor, true: Tensor, hard: Tensor, scale: Tensor) -> Term:
    """Cross-entropy of the true partner against the H hard negatives of each anchor (ECHWR's EC).

    pen, true: (B, D) or (B, K, D); hard (B, H, D) or (B, H, K, D)
    """
    candidates = torch.cat([true[:, None], hard], dim=1)
    logits = scale * (1.0 - each(Cosine(), pen, candidates))
    target = torch.zeros(len(pen), dtype=torch.int64, device=pen.device)
    return Term(nn.functional.cross_entropy(logits, target, reduction="sum"), len(pen))
