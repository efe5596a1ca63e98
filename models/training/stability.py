"""How much of the tentative text changes later: a word is read again and again while it is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from models.training.shards import Shard, first_words
from penapp.dsp.features import Features, normalised, with_style
from penapp.dsp.params import ROW_NAMES, FeatureParams
from penapp.recognise.session import OnnxRecogniser

EVERY_S = 0.2
"""Seconds between two tentative readings: five a second, as the window shows them."""

MIN_ROWS = 40
"""Rows of a word before its first tentative reading."""

Read = Callable[[NDArray[np.float32]], str]
"""(T, F) features of a word, or of its beginning, to text."""


@dataclass(frozen=True, slots=True)
class Stability:
    """Letters shown before the word was finished, and those of them that the finished word took back.

    A shown letter is taken back when the final text does not begin like the reading up to it.
    """

    shown: int
    changed: int

    @property
    def share(self) -> float:
        """Percent of the shown letters that later changed."""
        return 100.0 * self.changed / max(self.shown, 1)

    def __add__(self, other: Stability) -> Stability:
        return Stability(self.shown + other.shown, self.changed + other.changed)


def stability(texts: Sequence[str]) -> Stability:
    """Of the successive readings of one word, the last being final."""
    *tentative, final = texts
    shown = sum(len(text) for text in tentative)
    return Stability(shown, shown - sum(_common_beginning(text, final) for text in tentative))


def _common_beginning(one: str, other: str) -> int:
    same = (a == b for a, b in zip(one, other, strict=False))
    return sum(1 for _ in takewhile(bool, same))


def successive_texts(word: NDArray[np.float32], read: Read, params: FeatureParams) -> list[str]:
    """Readings of a word (T, F) at every EVERY_S of its writing and at its end.

    The rows come as a causal run made them; with per-segment normalisation each beginning of the word is
    normalised by itself, as it would be live.
    """
    rows, style = word[:, : len(ROW_NAMES)], word[0, len(ROW_NAMES) :]
    step = round(EVERY_S * params.rate_hz)
    ends = [*range(max(MIN_ROWS, step), len(rows), step), len(rows)]
    return [read(with_style(normalised(rows[:end], params), style)) for end in ends]


@click.command("stability")
@click.argument("artefact", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("shard", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--words", type=click.IntRange(1), default=500, show_default=True)
def stability_command(artefact: Path, shard: Path, words: int) -> None:
    """Percent of the tentative letters of an artefact that later change, on the words of a causal shard."""
    recogniser = OnnxRecogniser(artefact)
    alphabet, params = recogniser.manifest.alphabet, recogniser.manifest.params

    def read(rows: NDArray[np.float32]) -> str:
        features = Features(np.arange(len(rows)) / params.rate_hz, rows, params.fingerprint())
        return alphabet.collapse(recogniser(features).values.argmax(1).tolist())

    chosen = first_words(Shard.load(shard), words)
    total = Stability(0, 0)
    for i in range(len(chosen)):
        total += stability(successive_texts(chosen.word(i), read, params))
    print(
        f"{artefact.name}, {params.normalisation}: {total.share:.1f} % of {total.shown} tentative letters "
        f"of {len(chosen)} words later changed (a reading every {EVERY_S} s)"
    )
