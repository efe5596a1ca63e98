"""Pictures to compare a pen's word with: of its own ink, of the same label by others, of other labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.training.images.glyphs import GlyphFonts
from models.training.images.look import RenderConfig
from models.training.images.render import render
from models.training.images.words import Guard, InkWords
from models.training.inks import LetterHands
from penapp.simulation.font_motion import FontWriter, random_writer

ANYONE = ""
"""No writer is called so: a word of whoever wrote it."""
FONT_WRITERS = 200
"""Writers in single-stroke fonts, each made when it is first wanted."""
FIRST_FONT_SEED = 800_000_000
"""Seeds of the font writers of training corpora lie far below, those of the test sets above."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture (H, W) uint8 of a label.

    source: "own" (the word's own ink), "ink" (another word of a shard), "letters" (composed of one person's
    letters), "strokes" (a single-stroke font), "glyphs" (a font of the operating system)
    """

    image: NDArray[np.uint8]
    label: str
    source: str


class InkIndex:
    """Who wrote which label where: label to writer to places (shard, word)."""

    def __init__(self, shards: Sequence[InkWords], guard: Guard) -> None:
        """Takes every word with ink; BadInputError when the guard forbids one of them."""
        self.shards = list(shards)
        self._places: dict[str, dict[str, list[tuple[int, int]]]] = {}
        for number, words in enumerate(self.shards):
            guard.check(words)
            for i in np.flatnonzero(words.ink.known()):
                by_writer = self._places.setdefault(str(words.label[i]), {})
                by_writer.setdefault(str(words.writer[i]), []).append((number, int(i)))

    def __contains__(self, label: str) -> bool:
        return label in self._places

    def labels(self) -> list[str]:
        """All labels that someone wrote, sorted."""
        return sorted(self._places)

    def writers(self, label: str, but: str = ANYONE) -> list[str]:
        """Who wrote it, except `but`."""
        return [writer for writer in self._places.get(label, {}) if writer != but]

    def draw(self, label: str, rng: np.random.Generator, but: str = ANYONE) -> tuple[int, int]:
        """A place of the label: every writer except `but` is as likely; KeyError when nobody wrote it."""
        able = self.writers(label, but)
        if not able:
            raise KeyError(label)
        places = self._places[label][able[int(rng.integers(len(able)))]]
        return places[int(rng.integers(len(places)))]


class WordPictures:
    """Pictures by label and writer from an index; labels that nobody wrote are drawn by fonts and letters."""

    def __init__(
        self,
        index: InkIndex,
        config: RenderConfig | None = None,
        *,
        letters: LetterHands | None = None,
        glyphs: GlyphFonts | None = None,
    ) -> None:
        """`letters` and `glyphs` are further sources; single-stroke fonts are always there."""
        self.index, self.config = index, config or RenderConfig()
        self._letters, self._glyphs = letters, glyphs or GlyphFonts(())
        self._fonts: dict[int, FontWriter] = {}

    def own(self, words: InkWords, i: int, rng: np.random.Generator) -> Picture:
        """The very ink of word i; where it is not known, its label by somebody else."""
        label, strokes = str(words.label[i]), words.ink.word(i)
        if not strokes:
            return self.same_label(label, str(words.writer[i]), rng)
        return Picture(render(strokes, self.config, rng), label, "own")

    def same_label(self, label: str, writer: str, rng: np.random.Generator) -> Picture:
        """The label written by anyone but the writer."""
        if not self.index.writers(label, writer):
            return self._invented(label, rng)
        shard, i = self.index.draw(label, rng, writer)
        return Picture(render(self.index.shards[shard].ink.word(i), self.config, rng), label, "ink")

    def of_label(self, label: str, rng: np.random.Generator) -> Picture:
        """Another label, chosen elsewhere, by anyone: the picture of a negative."""
        return self.same_label(label, ANYONE, rng)

    def _invented(self, label: str, rng: np.random.Generator) -> Picture:
        """The label as nobody of the index wrote it, by one of the sources that can, drawn evenly."""
        able = ["strokes"]
        if self._letters is not None and self._letters.able(label):
            able.append("letters")
        if self._glyphs.able(label):
            able.append("glyphs")
        source = able[int(rng.integers(len(able)))]
        if source == "glyphs":
            return Picture(self._glyphs.picture(label, self.config, rng), label, source)
        if source == "letters" and self._letters is not None:
            word = self._letters.write(label, rng)
        else:
            word = self._font_writer(rng).write(label, take=int(rng.integers(1000)))
        return Picture(render(word.strokes, self.config, rng), label, source)

    def _font_writer(self, rng: np.random.Generator) -> FontWriter:
        number = int(rng.integers(FONT_WRITERS))
        if number not in self._fonts:
            self._fonts[number] = random_writer("train", FIRST_FONT_SEED + number)
        return self._fonts[number]
