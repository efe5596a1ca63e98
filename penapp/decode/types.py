"""What recognition hands to decoding and decoding hands to the people who read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class LogProbs:
    """Network output for one word or for the part of it written so far.

    values:  (T, V) float32  natural-log probabilities per frame, rows sum to 1 in probability;
             column order and blank belong to the Alphabet
    t:       (T,)   float64  seconds on the pen's clock, centre of each frame
    """

    values: NDArray[np.float32]
    t: NDArray[np.float64]


class TextState(Enum):
    """Committed text never changes again, tentative text may."""

    TENTATIVE = "tentative"
    COMMITTED = "committed"


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter of a hypothesis: when it was written and how sure the network is (0..1)."""

    text: str
    t: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """An alternative reading.

    score:      natural logarithm, comparable within one word only
    confidence: 0..1, how likely it is the right one among all readings looked at
    """

    text: str
    score: float
    in_lexicon: bool
    confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """The reading of one word.

    text:         the best reading
    letters:      one entry per letter of `text`
    candidates:   best first, `text` is the first; the reading without lexicon is always among them
    confidence:   0..1, probability mass of `text` among the candidates
    start_t, end_t: seconds on the pen's clock
    """

    text: str
    letters: tuple[Letter, ...]
    candidates: tuple[Candidate, ...]
    confidence: float
    state: TextState
    start_t: float = 0.0
    end_t: float = 0.0
