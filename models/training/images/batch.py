"""Pictures of different widths as one tensor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from penapp.errors import BadInputError


def batch_of(images: Sequence[NDArray[np.uint8]]) -> tuple[Tensor, Tensor]:
    """Pictures (H, W_i) uint8 of one height to (B, 1, H, max W) float32 in 0-1 and their widths (B,) int64.

    Beyond each picture's width there is white paper, 0; the recogniser masks it at every layer.

    Raises:
        BadInputError: no picture, or pictures of different heights
    """
    heights = sorted({image.shape[0] for image in images})
    if len(heights) != 1:
        found = " and ".join(map(str, heights)) or "none"
        raise BadInputError(f"pictures of heights {found} in one batch, expected one height.")
    widths = [image.shape[1] for image in images]
    pixels = np.zeros((len(images), 1, heights[0], max(widths)), dtype=np.float32)
    for row, image in zip(pixels[:, 0], images, strict=True):
        row[:, : image.shape[1]] = image
    return torch.from_numpy(pixels / np.float32(255.0)), torch.tensor(widths)
