"""Isolated characters of real people (unipen-chars), written by the virtual pen: shards of single labels.

A few per cent of the labels are wrong. Before training on them blindly, let a model trained on other writers
name the items it most disagrees with (`models.training suspects`), look at them, and leave them out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.training.corpus import CutWord, cut_words, shard_of, simulate
from models.training.inks import MAX_WORD_S, SESSION_WORDS, reclocked
from models.training.shards import Shard
from penapp.arrays import read_arrays
from penapp.dsp.params import DEFAULT_PARAMS, ROW_NAMES, FeatureParams
from penapp.errors import BadInputError
from penapp.pipeline import FrontEnd
from penapp.simulation.ink import InkCorpus, WordInk
from penapp.simulation.pen import SimulatedSession
from penapp.stream.block import SampleBlock

SPLITS = ("train", "writers_val", "writers_test", "val", "test")
"""The file's own val and test hold three people; a fixed tenth each of its train writers is set apart too.

Words composed of letters (`prepare letters`) use those tenths: never judge a word recogniser on them.
"""

KINDS = ("lower", "upper", "digit", "symbol")
RATES_HZ = (100.0, 100.0, 100.0, 100.0, 200.0, 50.0)
"""Rates of the pens that write; each session draws one."""

_WANTED = ("dxy", "pen", "off", "label", "writer", "donor", "split", "units_per_mm", "rate_hz", "kind")
_TALL_MM = (2.5, 16.0)
"""Credible heights of a writer's capitals and digits; others are brought to 5-9 mm."""


@dataclass(frozen=True)
class CharacterInk:
    """The characters of a file, their kinds, and a scale per character that makes its writer credible."""

    ink: InkCorpus
    kind: NDArray[np.str_]
    scale: NDArray[np.float64]

    @staticmethod
    def load(path: Path) -> CharacterInk:
        """Read unipen_chars.npz; BadInputError names what is missing."""
        a = read_arrays(path, _WANTED, "a character file", "Expected the layout of unipen-chars.")
        n = len(a["label"])
        ink = InkCorpus(
            **{name: a[name] for name in _WANTED if name != "kind"},
            hand=np.full(n, "?"),
            clock_ok=np.asarray(a["rate_hz"] >= 50.0),
            heldout_word=np.zeros(n, np.bool_),
        )
        kind = a["kind"].astype(np.str_)
        return CharacterInk(ink, kind, _scales(ink, kind))

    def __len__(self) -> int:
        return len(self.ink)

    def keep(self, split: str) -> NDArray[np.bool_]:
        """(W,) the characters of a split."""
        if split not in SPLITS:
            raise BadInputError(f"split {split!r}, expected one of {', '.join(SPLITS)}.")
        if split in ("val", "test"):
            return np.asarray(self.ink.split == split)
        tenth = np.array([writer_tenth(int(w)) for w in self.ink.writer])
        side = {"writers_val": tenth == 0, "writers_test": tenth == 1, "train": tenth > 1}[split]
        return np.asarray((self.ink.split == "train") & side)

    def written(self, i: int, rng: np.random.Generator) -> WordInk:
        """Character i in a credible size; where the file has no clock it gets one of ours."""
        word, scale = self.ink.word(i), float(self.scale[i])
        if not self.ink.clock_ok[i]:
            return reclocked(word, rng, scale)
        return replace(word, strokes=tuple(stroke * scale for stroke in word.strokes))

    def sessions(self, split: str, rng: np.random.Generator) -> Iterator[list[WordInk]]:
        """Every character of a split once, in sessions of one writer; recording accidents are left out."""
        order = rng.permutation(np.flatnonzero(self.keep(split)))
        order = order[np.argsort(self.ink.writer[order], kind="stable")]
        ends = np.flatnonzero(np.diff(self.ink.writer[order])) + 1
        groups = [
            own[k : k + SESSION_WORDS]
            for own in np.split(order, ends)
            for k in range(0, len(own), SESSION_WORDS)
        ]
        for number in rng.permutation(len(groups)):
            words = [self.written(int(i), rng) for i in groups[number]]
            short = [w for w in words if w.times[-1][-1] - w.times[0][0] <= MAX_WORD_S]
            if short:
                yield short


def writer_tenth(writer: int) -> int:
    """0 to 9, by hash of the pseudonym: fixed whatever else a file holds."""
    digest = hashlib.blake2b(f"character writer {writer}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % 10


def kind_of(label: str) -> str:
    """One of KINDS."""
    if label.isdigit():
        return "digit"
    return "lower" if label.islower() else "upper" if label.isupper() else "symbol"


def given_cuts(
    session: SimulatedSession, inks: list[WordInk], number: int, params: FeatureParams
) -> Iterator[CutWord]:
    """Run the live stages over a session; every character comes out, cut where it truly lies.

    Isolated characters are recorded between a start and a stop, so their boundaries are known.
    """
    front_end = FrontEnd(session.rate_hz, params, keep_s=float("inf"))
    front_end.push(SampleBlock(session.t, session.values))
    front_end.finish()
    for word, ink in zip(session.words, inks, strict=True):
        values = front_end.features_between(word.start_t, word.end_t).values
        rows = values[:, : len(ROW_NAMES)].astype(np.float16)
        yield CutWord(word.label, ink.writer, number, rows, values[0, len(ROW_NAMES) :], ink)


@dataclass(frozen=True, slots=True)
class CharacterPlan:
    """How a shard of characters is made.

    seed:   of grips, pens and variation
    plain:  donor's own shape and 100 Hz, for validation
    cut:    "given": where the character lies; "segmenter": as the live segmenter cuts, else left out
    limit:  stop after so many characters
    """

    seed: int
    plain: bool = False
    cut: str = "given"
    limit: int = 1_000_000


def character_shard(
    characters: CharacterInk, split: str, plan: CharacterPlan, params: FeatureParams = DEFAULT_PARAMS
) -> tuple[Shard, int]:
    """The shard of a split, label = the character, and how many characters were written for it."""
    rng = np.random.default_rng([plan.seed, 13])
    cuts: list[CutWord] = []
    written = 0
    for number, session in enumerate(characters.sessions(split, rng)):
        rate = 100.0 if plan.plain else float(rng.choice(RATES_HZ))
        played, inks = simulate(session, [plan.seed, number], rate, 0.0 if plan.plain else 1.0)
        cutter = given_cuts if plan.cut == "given" else cut_words
        cuts += cutter(played, list(inks), number, params)
        written += len(session)
        if len(cuts) >= plan.limit:
            break
    if not cuts:
        raise BadInputError(f"the split {split} holds no characters that could be cut.")
    return shard_of(cuts[: plan.limit], params), written


def _scales(ink: InkCorpus, kind: NDArray[np.str_]) -> NDArray[np.float64]:
    """(W,) one factor a writer: 1 where the capitals and digits have a credible height."""
    heights = _heights_mm(ink)
    tall = np.isin(kind, ("upper", "digit"))
    scales = np.ones(len(ink))
    for writer in np.unique(ink.writer):
        own = ink.writer == writer
        sample = heights[own & tall] if (own & tall).any() else 1.5 * heights[own]
        height = max(float(np.median(sample)), 1e-3)
        if not _TALL_MM[0] < height < _TALL_MM[1]:
            rng = np.random.default_rng([int(writer), 17])
            scales[own] = rng.uniform(5.0, 9.0) / height
    return scales


def _heights_mm(ink: InkCorpus) -> NDArray[np.float64]:
    """(W,) heights of the pen-down ink."""
    y = np.cumsum(ink.dxy[:, 1].astype(np.int64))
    down = np.isin(ink.pen, (1, 2))
    first = ink.off[:-1]
    top = np.maximum.reduceat(np.where(down, y, np.iinfo(np.int64).min), first)
    bottom = np.minimum.reduceat(np.where(down, y, np.iinfo(np.int64).max), first)
    scale = np.where(ink.units_per_mm > 0, ink.units_per_mm, 100.0)
    return np.asarray((top - bottom) / scale)
