"""The pen's embedding nearer to an image of its own word than to another's (Ott et al., arXiv 2202.07901).

The dynamic margin asks for more room where the labels differ more.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from models.training.objectives.distances import Distance
from models.training.objectives.term import Term
from penapp.scores import edit_distance


def triplet(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float | Tensor, distance: Distance
) -> Term:
    """max(0, d(anchor, positive) - d(anchor, negative) + margin) over B triplets; margin (B,) or one."""
    return hinge(distance.rows(anchor, positive), distance.rows(anchor, negative), margin)


def hinge(near: Tensor, far: Tensor, margin: float | Tensor, valid: Tensor | None = None) -> Term:
    """The same of distances: near (B,), far (B,) or (B, N) for N negatives each, whose mean counts.

    margin: a number or the shape of far; valid (B, N) bool: which are negatives. An anchor without any
    counts 0.
    """
    room = torch.as_tensor(margin, dtype=far.dtype, device=far.device).expand(far.shape)
    if far.ndim == 1:
        far, room = far[:, None], room[:, None]
    short = (near[:, None] - far + room).clamp(min=0.0)
    counted = torch.ones_like(short) if valid is None else valid.to(short)
    losses = (short * counted).sum(1) / counted.sum(1).clamp(min=1.0)
    return Term(losses.sum(), len(losses))


def label_margin(anchors: Tensor, negatives: Tensor, scale: float) -> Tensor:
    """Single ordered labels (B,), such as frequency classes: scale * |difference|, (B,) float32."""
    return scale * (anchors - negatives).abs().float()


def edit_margin(
    anchors: Sequence[str], negatives: Sequence[str], beta: float, *, per_letter: bool = False
) -> Tensor:
    """Words: beta * edit distance, (B,) float32; per_letter: over the number of letters of the anchor."""
    edits = [
        edit_distance(anchor, negative) / (max(len(anchor), 1) if per_letter else 1)
        for anchor, negative in zip(anchors, negatives, strict=True)
    ]
    return beta * torch.tensor(edits, dtype=torch.float32)
