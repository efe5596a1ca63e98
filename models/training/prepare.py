"""`prepare`: ink files and fonts to feature shards, deterministic by seed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from models.training.corpus import CutWord, cut_words, shard_of, simulate, training_mask
from models.training.inks import (
    LetterHands,
    Words,
    dictionary_words,
    font_sessions,
    heldout_labels,
    real_sessions,
)
from models.training.missing import OFTEN_MISSING, SENSORS, absent_sensors, sensor_names
from penapp.decode.alphabet import PENAPP_ALPHABET
from penapp.dsp.params import DEFAULT_PARAMS
from penapp.simulation.ink import InkCorpus, WordInk

CORPUS_WORDS = Path(__file__).with_name("corpus_words.txt")
"""What fonts and composed letters spell, in training and in the test sets: the words of the first lexicon.

Frozen, so that a new lexicon changes no test set. Adapted from wordfreq 3.1.1 (doi 10.5281/zenodo.7199437),
CC BY-SA 4.0.
"""

PEN_RATES_HZ = (100.0, 100.0, 100.0, 100.0, 200.0, 50.0)
"""Rates of the pens that write the corpus; each session draws one."""


@click.command("prepare")
@click.argument("source", type=click.Choice(["real", "reclocked", "letters", "fonts"]))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--ink", type=click.Path(exists=True, path_type=Path), required=True, help="unipen-words .npz")
@click.option("--letters", type=click.Path(exists=True, path_type=Path), help="unipen-chars .npz")
@click.option("--split", default="train", show_default=True)
@click.option("--seed", type=int, required=True)
@click.option("--words", "limit", type=int, default=1_000_000, help="stop after so many words")
@click.option("--spread", type=float, default=1.0, show_default=True, help="strength of size, speed, slant")
@click.option("--plain", is_flag=True, help="donor's own size and speed, 100 Hz: for validation")
@click.option("--without", default="", help=f"sensors no pen has, by comma: {', '.join(SENSORS)}")
@click.option(
    "--missing",
    type=click.FloatRange(0.0, 1.0),
    default=0.0,
    show_default=True,
    help=f"share of sessions whose pen lacks one of {', '.join(OFTEN_MISSING)}",
)
def prepare_command(  # noqa: PLR0913 - one parameter per option
    source: str,
    out: Path,
    ink: Path,
    letters: Path | None,
    split: str,
    seed: int,
    limit: int,
    plain: bool,
    spread: float,
    without: str,
    missing: float,
) -> None:
    """Write a feature shard: the virtual pen writes the ink, the live stages read it."""
    always = sensor_names(without)
    corpus = InkCorpus.load(ink)
    rng = np.random.default_rng([seed, 11])
    sessions = sessions_for(source, corpus, letters, split, seed, rng)
    words: list[CutWord] = []
    written = 0
    for number, session in enumerate(sessions):
        rate = 100.0 if plain else float(rng.choice(PEN_RATES_HZ))
        played, inks = simulate(session, [seed, number], rate, 0.0 if plain else spread)
        absent = absent_sensors(always, missing, [seed, number])
        words += cut_words(played, inks, number, DEFAULT_PARAMS, absent)
        written += len(session)
        if len(words) >= limit:
            break
    shard_of(words, DEFAULT_PARAMS).save(out)
    print(f"{out}: {len(words)} words cut exactly of {written} written")


def sessions_for(
    source: str, ink: InkCorpus, letters: Path | None, split: str, seed: int, rng: np.random.Generator
) -> Iterator[list[WordInk]]:
    """Sessions of the named source; held-out words never occur in a training source."""
    if source in ("real", "reclocked"):
        keep = covered(ink) & (training_mask(ink) if split == "train" else ink.split == split)
        return real_sessions(ink, keep & (ink.clock_ok == (source == "real")), rng)
    words = Words(common_words(ink), heldout_labels(ink))
    if source == "fonts":
        return font_sessions(words, seed * 100_000, split, rng)
    if letters is None:
        raise click.UsageError("the source letters needs --letters")
    outside = frozenset(int(w) for w in np.unique(ink.writer[(ink.split == "test") | (ink.split == "val")]))
    return LetterHands(letters, outside).sessions(words, rng)


def covered(ink: InkCorpus) -> NDArray[np.bool_]:
    """Words whose labels the alphabet can spell."""
    return np.array([PENAPP_ALPHABET.covers(str(label)) for label in ink.label])


def common_words(ink: InkCorpus) -> list[str]:
    """Training labels and the frozen list of English and German words, none of them held out."""
    trained = sorted({str(x) for x in ink.label[training_mask(ink) & covered(ink)]})
    return trained + dictionary_words(CORPUS_WORDS, heldout_labels(ink))
