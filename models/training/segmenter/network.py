"""The judge: the motion around a pen-up, its description and the pen-ups before it, to one logit."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from penapp.segment.past import PAST_NUMBERS
from penapp.segment.pen_up import FEATURE_NAMES
from penapp.segment.window import CHANNELS, STEPS

TIP = 4
"""Numbers of the true tip motion that the network learns to tell besides."""


class JudgeNetwork(nn.Module):
    """Convolutions over the motion, laid flat since the lift stands still in it; means over the past.

    forward: (B, CHANNELS, STEPS), (B, F), (B, PAST, PAST_NUMBERS) -> logit (B,), tip (B, TIP)
    """

    def __init__(self, dropout: float = 0.35) -> None:
        super().__init__()
        self.motion = nn.Sequential(
            nn.Conv1d(CHANNELS, 32, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Conv1d(32, 48, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(48 * STEPS // 4, 64),
        )
        self.past = nn.Sequential(nn.Linear(PAST_NUMBERS, 32), nn.GELU(), nn.Linear(32, 32), nn.GELU())
        self.tip = nn.Sequential(nn.GELU(), nn.Linear(64, 32), nn.GELU(), nn.Linear(32, TIP))
        self.body = nn.Sequential(
            nn.Linear(64 + TIP + 3 * 32 + len(FEATURE_NAMES), 96),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(96, 48),
            nn.GELU(),
            nn.Linear(48, 1),
        )

    def forward(self, motion: Tensor, numbers: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        seen = self.motion(motion)
        tip = self.tip(seen)
        habits = self._means(past)
        logit: Tensor = self.body(torch.cat([nn.functional.gelu(seen), tip, habits, numbers], dim=1))
        return logit[:, 0], tip

    def _means(self, past: Tensor) -> Tensor:
        """Over all pen-ups that there are, over those inside words, over those between them."""
        told, marks = self.past(past), past[:, :, :3]
        total = torch.einsum("bph,bpm->bmh", told, marks) / (marks.sum(dim=1)[:, :, None] + 1.0)
        return total.flatten(1)


class Chance(nn.Module):
    """What ships: the probability alone, of the mean logit of networks fitted from different starts."""

    def __init__(self, networks: Sequence[JudgeNetwork]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, motion: Tensor, numbers: Tensor, past: Tensor) -> Tensor:
        logits = [network(motion, numbers, past)[0] for network in self.networks]
        return torch.sigmoid(torch.stack(logits).mean(dim=0))
