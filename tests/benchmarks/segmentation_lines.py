"""Lines of one writer's words, spaced and paused as segmentation_gaps.toml says, with the truth."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penapp.decode.alphabet import PENAPP_ALPHABET
from penapp.dsp.motion import MotionBlock, MotionEstimator
from penapp.dsp.params import DEFAULT_PARAMS, PenGeometry
from penapp.dsp.resample import Resampler
from penapp.simulation.ink import InkCorpus, WordInk
from penapp.simulation.parameters import Pace
from penapp.simulation.path import PathBuilder, TipPath, WordTruth
from penapp.simulation.pen import OVERSAMPLING, SimulatedSession, VirtualWriter
from penapp.stream.block import SampleBlock

GAPS = tomllib.loads((Path(__file__).parent / "segmentation_gaps.toml").read_text(encoding="utf-8"))

Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Lines:
    """One session as the segmenter sees it, and the truth (seconds on the pen's clock).

    tip_t, tip_m: (n,), (n, 3) where the tip was: right, away from the writer, up
    """

    writer: int
    motion: tuple[MotionBlock, ...]
    words: tuple[WordTruth, ...]
    tip_t: NDArray[np.float64]
    tip_m: NDArray[np.float64]


class Setting(Enum):
    """What is written: running lines, lines with pauses untied from the writer's tempo, single words."""

    LINES = "lines"
    UNTIED = "untied"
    ISOLATED = "isolated"


class LineBuilder(PathBuilder):
    """Pauses, spaces and hesitations of one writer, drawn from the file."""

    def __init__(self, writer: VirtualWriter, rng: Rng, ink: Sequence[WordInk], setting: Setting) -> None:
        super().__init__(writer.touch, writer.pace, rng)
        untied = GAPS["untied"] if setting is Setting.UNTIED else {}
        self._gaps = GAPS["between_words"] | untied.get("between_words", {})
        self._inside = GAPS["inside_words"] | untied.get("inside_words", {})
        self._draws, self._isolated = rng, setting is Setting.ISOLATED
        self._height_mm = float(np.median([np.ptp(np.concatenate(word.strokes)[:, 1]) for word in ink]))
        own_s = self._gaps["tempo_ratio"] * median_pen_up_s(ink)
        self._median_s = max(draw(rng, self._gaps["writer_median_s"]), own_s)
        self._hesitates = rng.uniform(*self._inside["writer_probability"])
        self._line = self._written = 0
        self._between = False

    def write(self, word: WordInk) -> None:
        """The next word, on the next line when this one is full."""
        gaps = self._gaps
        pause_s = draw(self._draws, gaps["pause_s"], median=self._median_s)
        if self._isolated:
            pause_s = float(self._draws.uniform(*GAPS["isolated"]["pause_s"]))
        elif self._written and self._written % GAPS["lines"]["words_per_line"] == 0:
            pause_s = draw(self._draws, GAPS["line_break"]["pause_s"])
            self._line_x, self._line = 0.0, self._line + 1
        space = max(draw(self._draws, gaps["space_heights"]) * self._height_mm, gaps["space_mm_low"])
        self._pace = replace(self._pace, gap_mm=space)
        down = np.array([0.0, self._line * GAPS["lines"]["line_pitch_heights"] * self._height_mm])
        self._between = self._written > 0
        self._written += 1
        self.add(replace(word, strokes=tuple(xy - down for xy in word.strokes)), pause_s)

    def _pen_up_s(
        self, word: WordInk, times: list[NDArray[np.float64]], i: int, target: NDArray[np.float64]
    ) -> float:
        pause_s = super()._pen_up_s(word, times, i, target)
        if word.pen_up_known or self._draws.random() > self._hesitates:
            return pause_s
        return max(pause_s, draw(self._draws, self._inside["pause_s"]))

    def _hop(self, target: NDArray[np.float64], duration_s: float) -> None:
        inside = self._inside
        if duration_s < inside["hover_from_s"] or self._draws.random() > inside["hover_probability"]:
            super()._hop(target, duration_s)
            return
        height_mm = draw(self._draws, inside["lift_mm"])
        rest = self._draws.uniform(*inside["rest_share"])
        super()._travel(target, duration_s, height_mm=height_mm, rest=rest)

    def _travel(
        self,
        target: NDArray[np.float64],
        duration_s: float,
        *,
        height_mm: float,
        rest: float,
        land: bool = True,
    ) -> None:
        if self._between and land:
            gaps, self._between = self._gaps, False
            if self._draws.random() < gaps["direct_probability"]:
                super()._hop(target, duration_s)
                return
            height_mm = draw(self._draws, gaps["lift_mm"])
            rest = self._draws.uniform(*gaps["rest_share"])
        super()._travel(target, duration_s, height_mm=height_mm, rest=rest, land=land)


def draw(rng: Rng, law: dict[str, float], median: float | None = None) -> float:
    """One lognormal draw inside the law's limits."""
    centre = law["median"] if median is None else median
    return float(np.clip(rng.lognormal(np.log(centre), law["sigma"]), law["low"], law["high"]))


def median_pen_up_s(words: Sequence[WordInk]) -> float:
    """The writer's median recorded pen-up inside words; 0 where none was recorded."""
    ups = [b[0] - a[-1] for word in words if word.pen_up_known for a, b in pairwise(word.times)]
    return float(np.median(ups)) if ups else 0.0


def usable_words(corpus: InkCorpus, split: str) -> dict[int, list[int]]:
    """Word numbers of each writer of the split that the file admits."""
    law = GAPS["words"]
    fits = np.array([PENAPP_ALPHABET.covers(str(label)) for label in corpus.label])
    mask = corpus.clock_ok & (corpus.split == split) & fits
    words: dict[int, list[int]] = {}
    for i in corpus.select(mask):
        rows = slice(int(corpus.off[i]), int(corpus.off[i + 1]))
        strokes = int(np.count_nonzero(corpus.pen[rows] == 2))
        if (
            strokes <= law["max_strokes"]
            and (rows.stop - rows.start) / corpus.rate_hz[i] <= law["max_word_s"]
        ):
            words.setdefault(int(corpus.writer[i]), []).append(i)
    return {w: found for w, found in sorted(words.items()) if len(found) >= law["min_words_of_writer"]}


def line_sessions(
    corpus: InkCorpus,
    part: str,
    *,
    setting: Setting = Setting.LINES,
    rate_hz: float | None = None,
    every: int = 1,
    repeat: int = 0,
) -> Iterator[Lines]:
    """Every session of one part (train, val or test) of the file; other ones for another `repeat`."""
    law: dict[str, Any] = GAPS[part]
    for writer, numbers in list(usable_words(corpus, law["split"]).items())[::every]:
        for session in range(law["sessions_per_writer"]):
            seed = [law["seed"] + 1000 * repeat, writer, session]
            simulated, path = _session(corpus, numbers, seed, rate_hz or law["rate_hz"], setting)
            clock = float(simulated.t[-1]) * simulated.rate_hz / (len(simulated.t) - 1)
            words = tuple(_on_clock(word, clock) for word in simulated.words)
            tip_t = np.arange(len(path.position)) / path.rate_hz * clock
            yield Lines(writer, tuple(motion_of(simulated)), words, tip_t, path.position * 1e-3)


def motion_of(simulated: SimulatedSession, *, block: int = 0) -> Iterator[MotionBlock]:
    """The live stages in front of the segmenter; the stream is cut every `block` samples (0: not at all)."""
    resampler = Resampler(simulated.rate_hz, DEFAULT_PARAMS)
    estimator = MotionEstimator(DEFAULT_PARAMS, PenGeometry())
    step = block or len(simulated.t)
    for a in range(0, len(simulated.t), step):
        for rows in resampler.push(SampleBlock(simulated.t[a : a + step], simulated.values[a : a + step])):
            yield from estimator.push(rows)
    for rows in resampler.finish():
        yield from estimator.push(rows)


def _session(
    corpus: InkCorpus, numbers: list[int], seed: list[int], rate_hz: float, setting: Setting
) -> tuple[SimulatedSession, TipPath]:
    rng = np.random.default_rng([*seed, 1])
    count = min(GAPS["lines"]["words_per_line"] * GAPS["lines"]["lines_per_session"], len(numbers))
    words = [corpus.word(int(i)) for i in rng.choice(numbers, count, replace=False)]
    writer = VirtualWriter.draw([*seed, 2], hand=words[0].hand, pace=Pace())
    builder = LineBuilder(writer, rng, words, setting)
    for word in words:
        builder.write(word)
    path = builder.build(OVERSAMPLING * rate_hz)
    return writer.sense(path, rng), path


def _on_clock(word: WordTruth, clock: float) -> WordTruth:
    spans = tuple((a * clock, b * clock) for a, b in word.stroke_t)
    return WordTruth(word.label, word.start_t * clock, word.end_t * clock, spans)
