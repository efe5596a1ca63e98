"""Fonts set in motion: a font writer writes words as a pen-tip trajectory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from penapp.errors import BadInputError
from penapp.simulation.font_letters import STEP_MM, Letter, LetterCase, Points, warped
from penapp.simulation.font_speed import RATE_HZ, SpeedLaw, in_motion
from penapp.simulation.font_style import WriterStyle, random_style
from penapp.simulation.fonts import Font, Split, load_fonts
from penapp.simulation.ink import WordInk

SLOWEST_MM_S, FASTEST_MM_S = 24.0, 45.0
"""Range of a writer's mean speed with the pen down."""
RARE_FONTS = {"EMSOsmotron": 0.3, "EMSElfin": 0.7}
"""Fonts that fewer writers have: they look least like handwriting."""
CALIBRATION_TEXT = "Handelsfrage"
"""What a writer writes once to find the gain of the speed law."""


@dataclass(slots=True)
class _Page:
    """Strokes of the word so far, and what still waits to be drawn."""

    strokes: list[Points] = field(default_factory=list)
    waiting: list[Points] = field(default_factory=list)
    joinable: bool = False


class FontWriter:
    """A writer made of one font, a style and a seed; the same label always comes out the same.

    others: fonts from which the style's share of letters is taken
    """

    def __init__(
        self, font: Font, style: WriterStyle, seed: int, *, others: tuple[Font, ...] = (), name: str = ""
    ) -> None:
        self.font, self.style, self.seed = font, style, seed
        self.name = name or f"font-{font.name}-{seed}"
        fonts = (font, *(other for other in others if other.name != font.name))
        self._letters = LetterCase(fonts, style, seed)
        self.law = SpeedLaw(
            30.0, style.exponent, style.landing_mm_s, style.leaving_mm_s, style.accel_mm_s2, style.dot_s
        )
        self._calibrate()

    def write(self, label: str, *, take: int = 0) -> WordInk:
        """The word's strokes at RATE_HZ; `take` numbers repetitions of one label, which differ a little."""
        if not label or label.isspace():
            raise BadInputError("there is nothing to write", advice="Give a word of the penapp alphabet.")
        rng = np.random.default_rng((self.seed, take, *label.encode()))
        strokes = self._laid_out(label, rng)
        lengths = np.array([len(stroke) for stroke in strokes])
        path = self._on_paper(np.concatenate(strokes), rng)
        sampled, times = in_motion(path, lengths, self.law)
        return WordInk(label, tuple(sampled), tuple(times), False, self.name, self.style.hand)

    def _laid_out(self, label: str, rng: np.random.Generator) -> list[Points]:
        page = _Page()
        delay = rng.random() < self.style.delay_marks
        joins = rng.random(len(label)) < self.style.join
        cursor = 0.0
        for letter, join in zip(label, joins, strict=True):
            if letter == " ":
                cursor += 0.5 * self.style.ascender_mm
                page.joinable = False
                continue
            cursor += self._add(page, self._letters[letter], cursor, bool(join) and letter.islower(), delay)
            page.joinable = page.joinable and letter.isalpha()
        return page.strokes + page.waiting

    def _add(self, page: _Page, letter: Letter, x: float, join: bool, delay: bool) -> float:
        offset = np.array([x, 0.0])
        body = [stroke + offset for stroke in letter.body]
        marks = [stroke + offset for stroke in letter.marks]
        bridge = self._bridge(page.strokes[-1][-1], body[0][0]) if join and page.joinable and body else None
        if bridge is not None:
            page.strokes[-1] = np.concatenate([page.strokes[-1], bridge, body[0]])
            body = body[1:]
        page.strokes += body
        (page.waiting if delay else page.strokes).extend(marks)
        page.joinable = delay or not marks
        return letter.advance_mm

    def _bridge(self, start: Points, stop: Points) -> Points | None:
        """A sagging line between two letters, or None where no hand would connect them."""
        asc = self.style.ascender_mm
        dx, dy = stop - start
        if not (-0.25 * asc < dx < 0.8 * asc and abs(dy) < 0.8 * asc):
            return None
        count = max(2, round(float(np.hypot(dx, dy)) / STEP_MM))
        u = np.linspace(0, 1, count + 1)[1:-1, None]
        control = start + np.array([0.5 * dx, min(0.0, dy) * 0.5 - 0.06 * asc])
        return np.asarray((1 - u) ** 2 * start + 2 * u * (1 - u) * control + u**2 * stop)

    def _on_paper(self, path: Points, rng: np.random.Generator) -> Points:
        """This instance's own warp, and a baseline that neither lies flat nor straight."""
        asc, drift = self.style.ascender_mm, self.style.baseline_drift
        xy = warped(path / asc, self.style.instance_warp, rng) * asc * rng.normal(1.0, 0.03)
        slope, waver, phase = rng.normal(0, drift), rng.normal(0, drift) * asc, rng.uniform(0, 6)
        xy[:, 1] += slope * xy[:, 0] + waver * np.sin(xy[:, 0] / (3 * asc) + phase)
        return xy

    def _calibrate(self) -> None:
        """Gain of the speed law: the style's vertical half cycle, within the range of mean speeds."""
        for _ in range(2):
            ink, before = self.write(CALIBRATION_TEXT), self.law.gain_mm_s
            quicker = half_cycle_s(ink) / self.style.half_cycle_s
            speed = mean_speed_mm_s(ink) * quicker
            gain = before * quicker * float(np.clip(speed, SLOWEST_MM_S, FASTEST_MM_S)) / speed
            self.law = replace(self.law, gain_mm_s=gain)


def random_writer(split: Split, seed: int) -> FontWriter:
    """A writer with a font of the split and a random style; other letters come from the same split."""
    rng = np.random.default_rng((seed, 0 if split == "train" else 1))
    fonts = load_fonts(split)
    chance = np.array([RARE_FONTS.get(font.name, 1.0) for font in fonts])
    font = fonts[rng.choice(len(fonts), p=chance / chance.sum())]
    return FontWriter(font, random_style(rng), seed, others=tuple(fonts), name=f"font-{split}-{seed}")


def half_cycle_s(ink: WordInk) -> float:
    """Median time between two vertical turning points at least a millimetre apart, s."""
    spans: list[float] = []
    for stroke, t in zip(ink.strokes, ink.times, strict=True):
        turns = np.flatnonzero(np.diff(np.sign(np.diff(stroke[:, 1]))) != 0) + 1
        if len(turns) > 1:
            tall = np.abs(np.diff(stroke[turns, 1])) > 1.0
            spans += list(np.diff(t[turns])[tall])
    return float(np.median(spans)) if spans else 0.1


def mean_speed_mm_s(ink: WordInk) -> float:
    """Path length over time with the pen down, mm/s."""
    length = sum(float(np.hypot(*np.diff(stroke, axis=0).T).sum()) for stroke in ink.strokes)
    seconds: float = sum(float(t[-1] - t[0]) for t in ink.times)
    return length / max(seconds, 1.0 / RATE_HZ)
