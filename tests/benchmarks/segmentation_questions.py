"""What the segmenter would ask, and the answers: `segmentation_questions.py INK.npz OUT.npz`.

The segmenter runs over lines of one part of the ink file (segmentation_gaps.toml: running lines, a third as
many with pauses untied from the tempo, half as many single words) with the truth in place of its own opinion;
every pen-up it asks about is kept, at moments drawn anew for every session. `python -m
models.training.segmenter` fits the judge to them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from segmentation_lines import GAPS, Lines, Setting, line_sessions

from penapp.dsp.params import DEFAULT_PARAMS
from penapp.segment.params import SegmentParams
from penapp.segment.pen_up import PenUp
from penapp.segment.question import Question
from penapp.segment.words import WordSegmenter
from penapp.simulation.ink import InkCorpus
from penapp.simulation.pen import SIMULATOR_VERSION

WHEN_TAUGHT = SegmentParams(longest_pause_s=5.0, early_chance=0.5, calm_after=1_000_000)
LONGEST_TAUGHT_S = 1.6
WRONGLY_TAUGHT = 0.1
"""At most this share of decisions is wrong, so that the judge knows what its own errors lead to."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question and the truth.

    tip: along the line and up the page since the lift, to the landing or to now; height now (mm); between ink
         of the word and what is behind the landing (mm, negative: behind the word's right edge)
    """

    question: Question
    between: bool
    landed: bool
    tip: tuple[float, float, float, float]


_NOBODY: Any = object()
"""The taught segmenter asks no judge, and there may be none yet."""


class TaughtSegmenter(WordSegmenter):
    """Knows the truth; keeps what it was asked."""

    def __init__(self, lines: Lines, rng: np.random.Generator) -> None:
        super().__init__(looking(rng), judge=_NOBODY)
        self._lines, self._rng = lines, rng
        self._wrong = rng.uniform(0.0, WRONGLY_TAUGHT)
        self._starts = np.array([word.start_t for word in lines.words])
        self._ends = np.array([word.end_t for word in lines.words])
        self.asked: list[Asked] = []

    def _opinion(self, pen_up: PenUp) -> float:
        word = int(np.searchsorted(self._starts - 0.03, pen_up.lift_t, side="right")) - 1
        between = pen_up.lift_t > self._ends[word] - 0.035
        landed = pen_up.land_t is not None
        tip = self._tip(pen_up, float(self._starts[max(word, 0)]))
        self.asked.append(Asked(self._question(pen_up), bool(between), landed, tip))
        if landed:
            return float(between != (self._rng.random() < self._wrong))
        return float(between and self._now - pen_up.lift_t > LONGEST_TAUGHT_S)

    def _tip(self, pen_up: PenUp, word_t: float) -> tuple[float, float, float, float]:
        land_t = self._now if pen_up.land_t is None else pen_up.land_t
        t, tip = self._lines.tip_t, self._lines.tip_m * 1e3
        start, lift, land, now = np.searchsorted(t, [word_t, pen_up.lift_t, land_t, self._now]).clip(
            0, len(t) - 1
        )
        moved = tip[land] - tip[lift]
        right = tip[min(start, lift) : lift + 1, 0].max()
        gap = tip[land : now + 1, 0].min() - right
        return float(moved[0]), float(moved[1]), float(tip[land, 2]), float(gap)


def looking(rng: np.random.Generator) -> SegmentParams:
    """When this session's pen-ups are looked at."""
    return replace(
        WHEN_TAUGHT,
        first_look_s=rng.uniform(0.25, 0.55),
        look_again_s=rng.uniform(0.12, 0.3),
        look_s=rng.uniform(0.2, 0.6),
        least_look_s=rng.uniform(0.15, 0.5),
    )


def questions(sessions: Iterator[Lines], seed: int) -> Iterator[Asked]:
    for number, session in enumerate(sessions):
        segmenter = TaughtSegmenter(session, np.random.default_rng([seed, number]))
        for block in session.motion:
            segmenter.push(block)
        yield from segmenter.asked


def lines_of(corpus: InkCorpus, part: str, repeat: int) -> Iterator[Lines]:
    yield from line_sessions(corpus, part, repeat=3 * repeat)
    yield from line_sessions(corpus, part, setting=Setting.UNTIED, every=3, repeat=3 * repeat + 1)
    yield from line_sessions(corpus, part, setting=Setting.ISOLATED, every=2, repeat=3 * repeat + 2)


def table(asked: Sequence[Asked]) -> dict[str, NDArray[np.generic]]:
    return {
        "motion": np.array([a.question.motion for a in asked], dtype=np.float16),
        "numbers": np.array([a.question.numbers for a in asked]),
        "past": np.array([a.question.past for a in asked], dtype=np.float16),
        "between": np.array([a.between for a in asked], dtype=np.float32),
        "landed": np.array([a.landed for a in asked]),
        "tip": np.array([a.tip for a in asked], dtype=np.float32),
        "versions": np.array([GAPS["version"], int(SIMULATOR_VERSION), DEFAULT_PARAMS.version]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("ink", type=Path)
    parser.add_argument(
        "out", type=Path, help="one file for each repetition is written beside it: OUT-0.npz ..."
    )
    parser.add_argument("--part", default="train", choices=("train", "val"))
    parser.add_argument("--repeats", type=int, nargs=2, default=(0, 8), metavar=("FIRST", "END"))
    options = parser.parse_args()
    corpus = InkCorpus.load(options.ink)
    for repeat in range(*options.repeats):
        asked = list(questions(lines_of(corpus, options.part, repeat), repeat))
        path = options.out.with_name(f"{options.out.stem}-{repeat}.npz")
        np.savez(path, **table(asked))
        print(f"{path}: {len(asked)} questions", flush=True)


if __name__ == "__main__":
    main()
