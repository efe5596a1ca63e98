"""The first steps of a run are made easy: letters spread evenly, words as they were written, no dropout.

CTC from fresh weights sits on a plateau where every frame is blank. What makes a network robust later (varied
words, dropout) keeps it there: on the simulated corpus it left after 600 steps or more
with them, after 250 to 450 eased in (`models/training/LOG.md`, `docs/studies.md`).
"""

from __future__ import annotations

from torch import nn

from models.training.config import OptimConfig
from models.training.encoders.masked import WordDropout


def strength(config: OptimConfig, step: int) -> float:
    """0..1 of variation and dropout: none for the first half of `ease_in` steps, then growing to full."""
    if not config.ease_in:
        return 1.0
    return min(max(2.0 * step / config.ease_in - 1.0, 0.0), 1.0)


def flat_share(config: OptimConfig, step: int) -> float:
    """Share of the loss that takes the letters to be spread evenly: from 1 to 0 over `flat_start` steps."""
    return max(1.0 - step / config.flat_start, 0.0) if config.flat_start else 0.0


class Dropouts:
    """All dropout of a network, to be weakened and restored."""

    def __init__(self, network: nn.Module) -> None:
        kinds = (nn.Dropout, WordDropout)
        self._full = [(part, part.p) for part in network.modules() if isinstance(part, kinds)]

    def scale(self, strength: float) -> None:
        """Every rate times `strength`, 0..1 of its configured value."""
        for part, full in self._full:
            part.p = strength * full
