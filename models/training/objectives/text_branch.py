"""The published text branch, for comparison: ECHWR (Li et al. 2026, arXiv 2602.07049).

A transformer reads the label; its CLS token is the text's embedding. BC finds the own text among the batch's,
EC among corrupted copies of it. The branch is for training alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from models.training.objectives.attention import GatedAttention
from models.training.objectives.corruptions import corrupted
from models.training.objectives.distances import unit, wide
from models.training.objectives.infonce import hard_negatives, infonce, same_label
from models.training.objectives.term import Term
from penapp.decode.alphabet import Alphabet
from penapp.errors import BadInputError


@dataclass(frozen=True)
class TextConfig:
    """The published sizes; `context`: letters at most, `embedding`: entries of the result.

    mask_padding: places behind the label are not looked at (the published branch looks at them)
    """

    width: int = 512
    depth: int = 3
    heads: int = 8
    context: int = 64
    embedding: int = 512
    dropout: float = 0.1
    mask_padding: bool = False


class TextBranch(nn.Module):
    """Texts to unit embeddings (B, embedding)."""

    def __init__(self, config: TextConfig, alphabet: Alphabet) -> None:
        super().__init__()
        self.config, self.alphabet = config, alphabet
        self.letters = nn.Embedding(alphabet.size, config.width)  # the column of the blank is the padding
        nn.init.normal_(self.letters.weight, std=0.02)  # as small as the places: which and where weigh alike
        self.places = nn.Parameter(torch.randn(config.context + 1, config.width) * 0.02)
        self.whole = nn.Parameter(torch.randn(config.width) * 0.02)
        self.blocks = nn.ModuleList(
            TextBlock(config.width, config.heads, config.dropout) for _ in range(config.depth)
        )
        self.norm = nn.RMSNorm(config.width)
        self.project = nn.Linear(config.width, config.embedding)

    def tokens(self, texts: Sequence[str]) -> Tensor:
        """(B, context) letter columns, padded with the blank.

        Raises:
            BadInputError: a text is longer than the context or has foreign letters
        """
        columns = torch.full((len(texts), self.config.context), self.alphabet.blank)
        for k, text in enumerate(texts):
            if len(text) > self.config.context:
                raise BadInputError(
                    f"{text!r} has {len(text)} letters, expected {self.config.context} at most."
                )
            columns[k, : len(text)] = torch.tensor(self.alphabet.encode(text), dtype=columns.dtype)
        return columns.to(self.places.device)

    def forward(self, tokens: Tensor) -> Tensor:
        whole = self.whole.expand(len(tokens), 1, -1)
        x = torch.cat([whole, self.letters(tokens)], dim=1) + self.places[: tokens.shape[1] + 1]
        valid = None
        if self.config.mask_padding:
            valid = nn.functional.pad(tokens != self.alphabet.blank, (1, 0), value=True)
        for block in self.blocks:
            x = block(x, valid)
        return unit(wide(self.project(self.norm(x[:, 0]))))

    def embed(self, texts: Sequence[str]) -> Tensor:
        """`forward` of the texts' tokens."""
        embedding: Tensor = self(self.tokens(texts))
        return embedding


class TextBlock(nn.Module):
    """Pre-normalised gated attention, then an MLP of four times the width with QuickGELU."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.RMSNorm(width)
        self.attention = GatedAttention(width, heads, dropout)
        self.mlp_norm = nn.RMSNorm(width)
        self.widen = nn.Linear(width, 4 * width)
        self.narrow = nn.Linear(4 * width, width)

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        calm = self.attention_norm(x)
        x = x + self.attention(calm, calm, valid)
        wider = self.widen(self.mlp_norm(x))
        narrow: Tensor = self.narrow(wider * torch.sigmoid(1.702 * wider))
        return x + narrow


def text_terms(
    pen: Tensor, labels: Sequence[str], branch: TextBranch, scale: Tensor, rng: np.random.Generator, sets: int
) -> dict[str, Term]:
    """`text` (BC) and, for `sets` > 0, `text_errors` (EC) of pen embeddings (B, D) and their labels.

    Words of the same label are masked as negatives of each other (published: left out of the batch).
    """
    letters = branch.alphabet.letters
    wrong = [word for label in labels for word in corrupted(label, letters, rng, sets)]
    embedded = branch.embed([*labels, *wrong])
    true = embedded[: len(labels)]
    terms = {"text": infonce(pen, true, scale, same_label(labels))}
    if sets:
        hard = embedded[len(labels) :].view(len(labels), -1, embedded.shape[1])
        terms["text_errors"] = hard_negatives(pen, true, hard, scale)
    return terms
