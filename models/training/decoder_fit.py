"""Weights of the decoder fitted to lists of readings: least expected edits, of known and unknown words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from penapp.decode.alphabet import Alphabet
from penapp.decode.ctc import ctc_scores
from penapp.decode.folding import fold
from penapp.decode.lexicon import Lexicon
from penapp.decode.params import DecoderParams
from penapp.decode.prior import TextPrior, bare
from penapp.decode.ranking import softened
from penapp.decode.trie import from_words
from penapp.scores import edit_distance

FITTED = (
    "letter_insertion",
    "word_insertion",
    "word_weight",
    "rare_weight",
    "letters_weight",
    "capitalised",
    "upper",
    "mixed",
    "noun",
    "mark",
)
"""A reading's bonus is linear in these."""

_IMPOSSIBLE = "----------------"
_RIDGE = 3e-3
"""How hard it is to leave the shipped weights: a few writers are easily overfitted."""

_DRAWN = 1.25
"""How sharply readings are drawn at first: expected edits then come near those of the best readings."""

_STEPS = 150


@dataclass(frozen=True, slots=True)
class Readings:
    """The readings of W words, R in all, one word after the other.

    start:  (W,)   where each word's readings begin
    edits:  (R,)   from the label
    known, unknown: (R, 1 + len(FITTED))  ln p of the network, then what each weight multiplies; `unknown` as
            if the lexicon lacked the label
    letters: (W,)  of the labels
    """

    start: NDArray[np.intp]
    edits: NDArray[np.float64]
    known: NDArray[np.float64]
    unknown: NDArray[np.float64]
    letters: NDArray[np.float64]

    def of(self, words: NDArray[np.intp]) -> Readings:
        ends = np.append(self.start, len(self.edits))
        rows = np.concatenate([np.arange(ends[word], ends[word + 1]) for word in words])
        counts = ends[words + 1] - ends[words]
        start = np.cumsum(counts) - counts
        return Readings(start, self.edits[rows], self.known[rows], self.unknown[rows], self.letters[words])


def readings_of(
    alphabet: Alphabet,
    lexicon: Lexicon,
    sharpness: float,
    outputs: Sequence[NDArray[np.float32]],
    texts: Sequence[Sequence[str]],
    labels: Sequence[str],
) -> Readings:
    """`texts`: the readings that the decoder found for each of `outputs`."""
    strange = Lexicon(from_words({_IMPOSSIBLE: 0.0}), lexicon.letters)
    features = [_Features(lexicon), _Features(strange)]
    edits, known, unknown = [], [], []
    for values, found, label in zip(outputs, texts, labels, strict=True):
        network = ctc_scores(softened(values, sharpness), [alphabet.encode(text) for text in found])
        own = [fold(bare(text)) == fold(bare(label)) for text in found]
        edits.append([edit_distance(label, text) for text in found])
        rows, strange_rows = (np.array([of(text) for text in found]) for of in features)
        known.append(np.column_stack([network - network.max(), rows]))
        rows = np.where(np.array(own)[:, None], strange_rows, rows)
        unknown.append(np.column_stack([network - network.max(), rows]))
    counts = np.array([len(found) for found in texts])
    return Readings(
        np.cumsum(counts) - counts,
        np.concatenate(edits).astype(np.float64),
        np.concatenate(known),
        np.concatenate(unknown),
        np.array([float(len(label)) for label in labels]),
    )


def fit(readings: Readings, unknown_share: float, shipped: DecoderParams) -> DecoderParams:
    """The weights with the least expected edits, readings being drawn by the exponential of their score.

    unknown_share: weight of the same words read as if the lexicon lacked each of them, so that clear words
    outside the lexicon are kept.
    """
    scale = np.maximum(readings.known.std(axis=0), 1e-6)
    scale[0] = 0.0  # how sharply readings are drawn is free
    start = _DRAWN * weights_of(shipped)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        value, slope = _expected(readings, readings.known, weights)
        other, tilt = _expected(readings, readings.unknown, weights)
        ridge = _RIDGE / len(weights) * (weights - start) * scale**2
        total = value + unknown_share * other + float(ridge @ (weights - start))
        return total, slope + unknown_share * tilt + 2 * ridge

    bounds = [(0.1, None), *[(None, None)] * len(FITTED)]  # the network is never held against a reading
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": _STEPS})
    relative = [float(w) for w in found.x[1:] / found.x[0]]
    return with_weights(shipped, np.round(relative, 2).tolist())


def with_weights(params: DecoderParams, weights: Sequence[float]) -> DecoderParams:
    """`weights` in the order of FITTED."""
    named: dict[str, Any] = dict(zip(FITTED, weights, strict=True))
    return replace(params, **named)


def weights_of(params: DecoderParams) -> NDArray[np.float64]:
    return np.array([1.0, *(getattr(params, name) for name in FITTED)])


def cer(readings: Readings, params: DecoderParams, *, unknown: bool = False) -> float:
    """Percent, the best reading of every word taken; `unknown`: as if the lexicon lacked each label."""
    scores = (readings.unknown if unknown else readings.known) @ weights_of(params)
    spans = np.split(np.arange(len(scores)), readings.start[1:])
    return float(100 * sum(readings.edits[s[scores[s].argmax()]] for s in spans) / readings.letters.sum())


def certainty(readings: Readings, params: DecoderParams) -> float:
    """The sharpness of scores at which confidence says best how often the best reading is right."""
    scores = readings.known @ weights_of(params)
    spans = np.split(np.arange(len(scores)), readings.start[1:])
    right = np.array([readings.edits[s[scores[s].argmax()]] == 0 for s in spans])

    def surprise(sharpness: float) -> float:
        shares = np.array([1 / np.exp(sharpness * (scores[s] - scores[s].max())).sum() for s in spans])
        return -float(np.log(np.where(right, shares, 1.0001 - shares)).sum())

    return min((float(x) for x in np.round(np.arange(0.5, 4.0, 0.1), 1)), key=surprise)


def _expected(
    readings: Readings, features: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Expected edits a letter, and its slope."""
    scores = features @ weights
    word = np.repeat(np.arange(len(readings.start)), np.diff(np.append(readings.start, len(scores))))
    share = np.exp(scores - np.maximum.reduceat(scores, readings.start)[word])
    share /= np.add.reduceat(share, readings.start)[word]
    expected = np.add.reduceat(share * readings.edits, readings.start)
    total = readings.letters.sum()
    return float(expected.sum() / total), features.T @ (share * (readings.edits - expected[word])) / total


class _Features:
    """What each weight of FITTED multiplies in a text's bonus."""

    def __init__(self, lexicon: Lexicon) -> None:
        nothing = with_weights(replace(DecoderParams(), context_weight=0.0), [0.0] * len(FITTED))
        rows = np.eye(len(FITTED)).tolist()
        self._priors = [TextPrior(lexicon, with_weights(nothing, row)) for row in rows]

    def __call__(self, text: str) -> list[float]:
        return [prior.of_word(text).bonus if text else 0.0 for prior in self._priors]
