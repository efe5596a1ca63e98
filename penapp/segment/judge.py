"""The learned part of the decision: is this pen-up inside a word or between two?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Judge:
    """A network of one hidden layer: description of a pen-up to the probability that it lies between words.

    inner: (F, H) float64, inner_bias: (H,), outer: (H,), direct: (F,), bias: float
    """

    inner: NDArray[np.float64]
    inner_bias: NDArray[np.float64]
    outer: NDArray[np.float64]
    direct: NDArray[np.float64]
    bias: float

    def chance(self, description: NDArray[np.float64]) -> float:
        hidden = np.tanh(description @ self.inner + self.inner_bias)
        logit = float(hidden @ self.outer + description @ self.direct) + self.bias
        return 1.0 / (1.0 + math.exp(-min(max(logit, -30.0), 30.0)))
