"""`font-ink`: words of font writers as an ink file, for `penapp evaluate`; fixed seeds, fixed test sets."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from models.training.inks import Words, heldout_labels, random_string
from models.training.prepare import common_words, covered
from penapp.simulation.font_motion import random_writer
from penapp.simulation.font_speed import RATE_HZ
from penapp.simulation.ink import InkCorpus, WordInk
from penapp.simulation.unipen_import import save_corpus

UNITS_PER_MM = 100.0
WORDS_A_WRITER = 12
FIRST_TEST_SEED = 900_000_000
"""Training writers have seeds far below: these have never been seen."""


@click.command("font-ink")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--ink", type=click.Path(exists=True, path_type=Path), required=True, help="unipen-words .npz")
@click.option("--fonts", type=click.Choice(["train", "heldout"]), required=True)
@click.option("--text", type=click.Choice(["words", "random"]), default="words", show_default=True)
@click.option("--writers", type=int, default=60, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
def font_ink_command(out: Path, ink: Path, fonts: str, text: str, writers: int, seed: int) -> None:
    """Write an ink file of unseen font writers: half their words held out, or random letters."""
    real = InkCorpus.load(ink)
    heldout = heldout_labels(real)
    seen, unseen = Words(common_words(real)), sorted(heldout_spellings(real))
    rng = np.random.default_rng([FIRST_TEST_SEED, seed])
    words, flags = [], []
    for k in range(writers):
        writer = random_writer("train" if fonts == "train" else "heldout", FIRST_TEST_SEED + 1000 * seed + k)
        for take in range(WORDS_A_WRITER):
            label = random_string(rng) if text == "random" else seen.draw(rng)
            if text == "words" and take % 2:
                label = unseen[int(rng.integers(len(unseen)))]
            words.append(writer.write(label, take=take))
            flags.append(label.lower() in heldout)
    save_corpus(corpus_of(words, np.array(flags), WORDS_A_WRITER), out)
    print(f"{out}: {len(words)} words of {writers} writers in {fonts} fonts, {sum(flags)} of them held out")


def heldout_spellings(ink: InkCorpus) -> set[str]:
    """Held-out labels that the alphabet can spell, as written."""
    return {str(label) for label in ink.label[ink.heldout_word & covered(ink)]}


def corpus_of(words: list[WordInk], heldout: NDArray[np.bool_], per_writer: int) -> InkCorpus:
    """Ink in the layout of unipen-words, split `test`, writers numbered in order."""
    points = [_points(word) for word in words]
    n = len(words)
    return InkCorpus(
        dxy=np.concatenate([dxy for dxy, _ in points]),
        pen=np.concatenate([pen for _, pen in points]),
        off=np.concatenate([[0], np.cumsum([len(pen) for _, pen in points])]).astype(np.int64),
        label=np.array([w.label for w in words]),
        writer=(np.arange(n) // per_writer).astype(np.int16),
        donor=np.zeros(n, dtype=np.int16),
        hand=np.array([w.hand for w in words]),
        units_per_mm=np.full(n, UNITS_PER_MM),
        rate_hz=np.full(n, RATE_HZ, dtype=np.float64),
        clock_ok=np.ones(n, dtype=np.bool_),
        split=np.array(["test"] * n),
        heldout_word=heldout,
    )


def _points(word: WordInk) -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
    xy = np.rint(np.concatenate(word.strokes) * UNITS_PER_MM).astype(np.int64)
    pen = np.concatenate([np.array([2] + [1] * (len(s) - 1), dtype=np.uint8) for s in word.strokes])
    return np.diff(xy, axis=0, prepend=xy[:1]).astype(np.int16), pen
