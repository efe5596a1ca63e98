"""Encoders of every kind in sizes for tests, and random words for them.

Importing this module needs torch: test files say `pytest.importorskip("torch")` first.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from models.training.encoders.contract import PenEncoder
from models.training.encoders.factory import build_encoder
from models.training.encoders.settings import (
    CldnnConfig,
    CnnBilstmConfig,
    NetworkConfig,
    RewiConfig,
    StreamingConfig,
)

FEATURES, CLASSES = 7, 11

TOYS = {
    "penapp": NetworkConfig(stride=4, stem=8, width=8, blocks=1, fine=1, deep=1, hidden=6),
    "cnn_bilstm": CnnBilstmConfig(filters=12, hidden=6, dense=10),
    "cldnn": CldnnConfig(filters=16, hidden=6, dense=10),
    "rewi_s": RewiConfig(width=8, blocks=1, hidden=6, layers=2),
    "rewi_b": RewiConfig(width=6, blocks=2, hidden=6, layers=3),
    "streaming": StreamingConfig(stride=4, width=10, hidden=9, lookahead_frames=2),
}


def toy_encoder(kind: str, **changes: int) -> PenEncoder:
    """A small encoder in evaluation mode with statistics and weights that no layer is blind to."""
    torch.manual_seed(4)
    config = TOYS[kind]
    if changes:
        config = type(config)(**{**{f: getattr(config, f) for f in type(config).__slots__}, **changes})
    encoder = build_encoder(kind, FEATURES, CLASSES, config)
    for module in encoder.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 2.0)
    with torch.no_grad():
        for name, parameter in encoder.named_parameters():
            if name.endswith("bias"):
                parameter.uniform_(-0.3, 0.3)
            elif not parameter.any():
                parameter.normal_(std=0.2)
    return encoder.eval()


def random_words(*lengths: int) -> list[Tensor]:
    rng = np.random.default_rng(2)
    return [torch.from_numpy(rng.standard_normal((n, FEATURES)).astype(np.float32)) for n in lengths]


def padded(words: list[Tensor], rubbish: float = 0.0, beyond: int = 0) -> tuple[Tensor, Tensor]:
    """A batch (B, longest + beyond, F) with `rubbish` in the padding, and its lengths."""
    lengths = torch.tensor([len(word) for word in words])
    batch = torch.full((len(words), int(lengths.max()) + beyond, FEATURES), rubbish, dtype=words[0].dtype)
    for k, word in enumerate(words):
        batch[k, : len(word)] = word
    return batch, lengths
