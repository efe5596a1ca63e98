"""Sessions of handwriting for the corpus: real words, words composed of real letters, fonts in motion."""

from __future__ import annotations

import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penapp.decode.alphabet import PENAPP_ALPHABET
from penapp.errors import BadInputError
from penapp.simulation.font_motion import random_writer
from penapp.simulation.font_speed import SpeedLaw, in_motion
from penapp.simulation.ink import InkCorpus, WordInk

SESSION_WORDS = 12
"""Words written in one grip with one pen before another is drawn."""

MAX_WORD_S = 12.0
"""Longer words are recording accidents."""

_DESCENDERS = frozenset("gpqy")
_X_HEIGHT = frozenset("acemnorsuvwxz")
_COMMON = ".,?!-'"


def real_sessions(
    ink: InkCorpus, keep: NDArray[np.bool_], rng: np.random.Generator
) -> Iterator[list[WordInk]]:
    """Every kept word once, in sessions of one writer; an untrusted clock is replaced by one of ours."""
    waiting: dict[int, list[int]] = {}
    sessions: list[list[int]] = []
    for i in rng.permutation(np.flatnonzero(keep)):
        pending = waiting.setdefault(int(ink.writer[i]), [])
        pending.append(int(i))
        if len(pending) == SESSION_WORDS:
            sessions.append(waiting.pop(int(ink.writer[i])))
    sessions += [rest for rest in waiting.values() if rest]
    for k in rng.permutation(len(sessions)):
        words = [ink.word(i) if ink.clock_ok[i] else reclocked(ink.word(i), rng) for i in sessions[k]]
        short = [w for w in words if w.times[-1][-1] - w.times[0][0] <= MAX_WORD_S]
        if short:
            yield short


def reclocked(word: WordInk, rng: np.random.Generator, scale: float | None = None) -> WordInk:
    """The same shape at a speed of our own: curvature decides, as in the font writers.

    scale: of the shape; None brings words of incredible height to a credible one
    """
    if scale is None:
        width, height = np.ptp(np.concatenate(word.strokes), axis=0)
        height = max(float(height), 0.15 * float(width), 1e-3)  # a dash has no height of its own
        scale = rng.uniform(6.0, 10.0) / height if not 3.0 < height < 20.0 else 1.0
    strokes = [_evenly(xy * scale) for xy in word.strokes]
    lengths = np.array([len(s) for s in strokes])
    law = SpeedLaw(gain_mm_s=float(rng.uniform(26.0, 45.0)), exponent=float(rng.uniform(0.25, 0.4)))
    moved, times = in_motion(np.concatenate(strokes), lengths, law)
    return WordInk(word.label, tuple(moved), tuple(times), False, word.writer, word.hand)


def font_sessions(
    words: Words, first_seed: int, split: str, rng: np.random.Generator
) -> Iterator[list[WordInk]]:
    """Endless sessions of font writers; each writer appears once."""
    if split not in ("train", "heldout"):
        raise BadInputError(f"font split {split!r}, expected train or heldout")
    seed = first_seed
    while True:
        writer = random_writer("train" if split == "train" else "heldout", seed)
        yield [writer.write(words.draw(rng), take=k) for k in range(SESSION_WORDS)]
        seed += 1


@dataclass(frozen=True)
class Words:
    """What composed and font writers write.

    common:    words (dictionary, training labels), none of them held out
    forbidden: lower-case held-out labels, which chance (random letters, digits, marks) may not spell either
    random:    share of random letter strings; marked: share with digits or marks; capital: shares of Xxx, XXX
    """

    common: Sequence[str]
    forbidden: frozenset[str] = frozenset()
    random: float = 0.15
    marked: float = 0.15
    capital: tuple[float, float] = (0.2, 0.07)

    def draw(self, rng: np.random.Generator) -> str:
        while (word := self._any(rng)).lower() in self.forbidden:
            continue
        return word

    def _any(self, rng: np.random.Generator) -> str:
        kind = rng.random()
        if kind < self.random:
            return random_string(rng)
        word = self.common[int(rng.integers(len(self.common)))]
        if kind < self.random + self.marked:
            word = _marked(word, rng)
        case = rng.random()
        if case < self.capital[0]:
            return word[:1].upper() + word[1:]
        return word.upper().replace("ẞ", "SS") if case < sum(self.capital) else word


def random_string(rng: np.random.Generator) -> str:
    """Letters that spell nothing, 2-9 of them, mostly small."""
    n = int(rng.integers(2, 10))
    kind = rng.random()
    letters = string.ascii_lowercase + "äöüß"
    if kind > 0.75:
        letters = string.ascii_uppercase + "ÄÖÜ" if kind > 0.88 else string.ascii_letters
    return "".join(letters[int(k)] for k in rng.integers(0, len(letters), n))


class LetterHands:
    """Isolated letters of real people, from which words are composed in one person's hand."""

    def __init__(self, path: Path, exclude_writers: frozenset[int]) -> None:
        with np.load(path, allow_pickle=False) as archive:
            a = {name: archive[name] for name in archive.files}
        self._dxy, self._pen, self._off = a["dxy"], a["pen"], a["off"]
        self._units, self._rate = a["units_per_mm"], a["rate_hz"]
        self._letters: dict[int, dict[str, list[int]]] = {}
        for i in np.flatnonzero(a["split"] == "train"):
            writer, letter = int(a["writer"][i]), str(a["label"][i])
            if writer not in exclude_writers and letter in PENAPP_ALPHABET.letters:
                self._letters.setdefault(writer, {}).setdefault(letter, []).append(int(i))
        self._writers = [w for w, has in self._letters.items() if sum(c.islower() for c in has) >= 15]

    def sessions(self, words: Words, rng: np.random.Generator) -> Iterator[list[WordInk]]:
        """Endless sessions of words composed of one writer's own letters."""
        while True:
            writer = self._writers[int(rng.integers(len(self._writers)))]
            spacing, target = float(rng.uniform(0.12, 0.45)), float(rng.uniform(2.0, 3.8))
            haste = self._haste(writer, rng)
            written: list[WordInk] = []
            for _ in range(SESSION_WORDS * 8):
                label = words.draw(rng)
                if len(written) < SESSION_WORDS and all(c in self._letters[writer] for c in label):
                    written.append(self._compose(writer, label, (spacing, target, haste), rng))
            if written:
                yield written

    def able(self, label: str) -> list[int]:
        """Whose letters spell the label."""
        return [w for w in self._writers if label and all(c in self._letters[w] for c in label)]

    def write(self, label: str, rng: np.random.Generator) -> WordInk:
        """The label in the letters of someone who has all of them; BadInputError when nobody has."""
        able = self.able(label)
        if not able:
            raise BadInputError(f"nobody has all the letters of {label!r}.", advice="Write it with a font.")
        style = (float(rng.uniform(0.12, 0.45)), float(rng.uniform(2.0, 3.8)), 1.0)
        return self._compose(able[int(rng.integers(len(able)))], label, style, rng)

    def _compose(
        self, writer: int, label: str, style: tuple[float, float, float], rng: np.random.Generator
    ) -> WordInk:
        spacing, target_mm, haste = style
        picked = [
            self._letter(self._letters[writer][c][int(rng.integers(len(self._letters[writer][c])))])
            for c in label
        ]
        low = [
            float(np.ptp(np.concatenate(s)[:, 1]))
            for c, (s, _) in zip(label, picked, strict=True)
            if c in _X_HEIGHT
        ]
        tall = [float(np.ptp(np.concatenate(s)[:, 1])) for s, _ in picked]
        x_height = float(np.median(low)) if low else 0.6 * float(np.median(tall))
        scale = target_mm / max(x_height, 0.3)
        strokes: list[NDArray[np.float64]] = []
        times: list[NDArray[np.float64]] = []
        left, now = 0.0, 0.0
        for letter, (shape, clock) in zip(label, picked, strict=True):
            ink = np.concatenate(shape) * scale
            shift = np.array([left - ink[:, 0].min(), _drop(letter, ink, target_mm)])
            shift[1] += rng.normal(0.0, 0.05) * target_mm
            for stroke, t in zip(shape, clock, strict=True):
                strokes.append(stroke * scale + shift)
                times.append(now + (t - t[0]) / haste)
                now = float(times[-1][-1]) + 0.1
            left = (
                float((ink[:, 0] + shift[0]).max()) + max(spacing + rng.normal(0.0, 0.08), 0.02) * target_mm
            )
        return WordInk(label, tuple(strokes), tuple(times), False, str(writer))

    def _haste(self, writer: int, rng: np.random.Generator) -> float:
        """Letters written alone are slow: the factor that brings this writer to 0.2-0.4 s of ink a letter."""
        some = [int(rng.choice(v)) for v in self._letters[writer].values()][:30]
        spent = [sum(float(t[-1] - t[0]) for t in self._letter(i)[1]) for i in some]
        return float(np.clip(np.median(spent) / rng.uniform(0.2, 0.4), 0.8, 4.0))

    def _letter(self, i: int) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
        rows = slice(int(self._off[i]), int(self._off[i + 1]))
        units, rate = float(self._units[i]), float(self._rate[i])
        xy = np.cumsum(self._dxy[rows].astype(np.int64), axis=0) / (units if units > 0 else 20.0)
        pen = self._pen[rows]
        t = np.arange(len(pen)) / (rate if rate >= 50.0 else 100.0)
        starts = np.flatnonzero(pen == 2)
        strokes, times = [], []
        for start, stop in zip(starts, [*starts[1:], len(pen)], strict=True):
            down = np.flatnonzero(pen[start + 1 : stop] != 1)
            end = int(start + 1 + down[0]) if len(down) else int(stop)
            strokes.append(xy[start:end])
            times.append(t[start:end])
        return strokes, times


def heldout_labels(ink: InkCorpus) -> frozenset[str]:
    """Lower-case labels that no training source may write."""
    return frozenset(str(label).lower() for label in ink.label[ink.heldout_word])


def dictionary_words(path: Path, forbidden: frozenset[str]) -> list[str]:
    """Words of a plain list (one a line) that fit the alphabet and are not held out."""
    words = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    return [w for w in words if w and PENAPP_ALPHABET.covers(w) and w.lower() not in forbidden]


def _marked(word: str, rng: np.random.Generator) -> str:
    kind = rng.random()
    if kind < 0.35:
        return "".join(str(d) for d in rng.integers(0, 10, int(rng.integers(1, 6))))
    if kind < 0.45:
        return word + str(int(rng.integers(0, 100)))
    mark = _COMMON[int(rng.choice(6, p=[0.3, 0.3, 0.12, 0.12, 0.08, 0.08]))]
    if mark == "-":
        return word + "-" + word[: int(rng.integers(1, 5))]
    return word + ("'s" if mark == "'" else mark)


def _drop(letter: str, ink: NDArray[np.float64], x_height: float) -> float:
    """Vertical shift that puts a letter (mm) where it sits on a line with baseline 0."""
    bottom, top = float(ink[:, 1].min()), float(ink[:, 1].max())
    if letter in _DESCENDERS:
        return x_height - top
    if letter == "j":
        return 1.45 * x_height - top
    if letter == ",":
        return 0.2 * x_height - top
    if letter == "'":
        return 1.8 * x_height - top
    return 0.5 * x_height - 0.5 * (bottom + top) if letter == "-" else -bottom


def _evenly(xy: NDArray[np.float64], step_mm: float = 0.12) -> NDArray[np.float64]:
    """Points every step_mm along the stroke, two at least."""
    along = (
        np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))]) if len(xy) > 1 else np.zeros(1)
    )
    if along[-1] < step_mm:
        return np.array([xy[0], xy[0] + [0.08, -0.05]])
    where = np.linspace(0.0, along[-1], max(int(along[-1] / step_mm), 2))
    return np.column_stack([np.interp(where, along, xy[:, k]) for k in range(2)])
