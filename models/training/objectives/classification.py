"""What was written: CTC for words, cross-entropy for single labels."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.training.objectives.term import Term


def ctc(
    log_probs: Tensor,
    frames: Tensor,
    targets: Tensor,
    target_lengths: Tensor,
    *,
    blank: int = 0,
    per_letter: bool = True,
) -> Term:
    """CTC loss of words; a word that does not fit into its frames counts 0 and gives no gradient.

    log_probs (B, T, V) natural log; frames (B,) valid frames of each word; targets flat (sum of lengths,)
    with target_lengths (B,). per_letter: each word's loss over its number of letters, so that long words
    weigh no more than short ones; otherwise nats per word.
    """
    lengths = target_lengths.to(log_probs.device)
    nats: Tensor = nn.functional.ctc_loss(
        log_probs.transpose(0, 1),
        targets.to(log_probs.device),
        frames,
        lengths,
        blank=blank,
        reduction="none",
        zero_infinity=True,
    )
    if per_letter:
        nats = nats / lengths.clamp(min=1)
    return Term(nats.sum(), len(nats))


def cross_entropy(logits: Tensor, labels: Tensor, lengths: Tensor | None = None) -> Term:
    """Cross-entropy in nats of one label per example.

    labels (B,) int64; logits (B, V), or (B, T, V) with lengths (B,): then their mean over the valid frames.
    """
    if lengths is not None:
        valid = torch.arange(logits.shape[1], device=logits.device)[None, :] < lengths[:, None]
        logits = logits.masked_fill(~valid[:, :, None], 0.0).sum(1) / lengths.clamp(min=1)[:, None]
    nats = nn.functional.cross_entropy(logits.float(), labels.to(logits.device), reduction="sum")
    return Term(nats, len(labels))
