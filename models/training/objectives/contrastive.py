"""Pairs with the same label come together, others go at least a margin apart (Hadsell et al. 2006)."""

from __future__ import annotations

import torch
from torch import Tensor

from models.training.objectives.distances import Distance
from models.training.objectives.term import Term


def contrastive(a: Tensor, b: Tensor, same: Tensor, margin: float | Tensor, distance: Distance) -> Term:
    """Same * d + (1 - same) * max(0, margin - d) over B pairs; a, b embeddings, same (B,) 1 or 0."""
    gaps = distance.rows(a, b)
    alike = same.to(gaps)
    room = torch.as_tensor(margin, dtype=gaps.dtype, device=gaps.device)
    pushed = (room - gaps).clamp(min=0.0)
    return Term((alike * gaps + (1.0 - alike) * pushed).sum(), len(gaps))
