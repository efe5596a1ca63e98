"""One font writer's habits, drawn once and kept for all words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Hand = Literal["R", "L"]


@dataclass(frozen=True, slots=True)
class WriterStyle:
    """Habits of one writer; lengths in mm or in ascender heights (asc), probabilities per case.

    ascender_mm:        height of l, 4-9
    slant:              lean to the right, dx per dy, -0.25 to 0.6
    width:              letter width against the font's, 0.75-1.3
    letter_gap:         added space between letters, asc, -0.08 to 0.12
    letter_warp:        the writer's own letter shapes: displacement (one sigma), asc
    instance_warp:      how much two writings of one letter differ, asc
    rounding_mm:        smoothing of corners (one sigma), 0.08-0.5
    mixing:             share of letters taken from other fonts, 0-1
    lift:               letters written with the pen lifted instead of retraced
    reverse:            strokes of a letter drawn the other way round
    reorder:            letters whose strokes come in another order
    join:               neighbouring letters connected on the paper
    delay_marks:        words whose dots and t-bars wait until the word is written
    baseline_drift:     slope of the line, dy per dx, and its waver
    half_cycle_s:       duration of a vertical half cycle, 0.075-0.140
    exponent:           of the speed law, 0.25-0.4
    landing_mm_s:       speed at the first point of a stroke, 3-35
    leaving_mm_s:       speed at its last point, 8-70
    accel_mm_s2:        acceleration at stroke ends
    dot_s:              least duration of a stroke
    """

    ascender_mm: float = 6.0
    slant: float = 0.1
    width: float = 1.0
    letter_gap: float = 0.02
    letter_warp: float = 0.04
    instance_warp: float = 0.02
    rounding_mm: float = 0.2
    mixing: float = 0.25
    lift: float = 0.5
    reverse: float = 0.03
    reorder: float = 0.05
    join: float = 0.0
    delay_marks: float = 0.3
    baseline_drift: float = 0.01
    half_cycle_s: float = 0.1
    exponent: float = 0.33
    landing_mm_s: float = 12.0
    leaving_mm_s: float = 30.0
    accel_mm_s2: float = 700.0
    dot_s: float = 0.05
    hand: Hand = "R"


def random_style(rng: np.random.Generator) -> WriterStyle:
    """A writer drawn from the population: some print, some join a few letters, some join nearly all."""
    kind = int(rng.choice(3, p=[0.2, 0.3, 0.5]))
    join = (0.0, float(rng.uniform(0.2, 0.7)), float(rng.uniform(0.85, 1.0)))[kind]
    return WriterStyle(
        ascender_mm=float(np.clip(rng.normal(6.2, 1.1), 4.0, 9.0)),
        slant=float(np.clip(rng.normal(0.08, 0.18), -0.25, 0.6)),
        width=float(np.clip(rng.lognormal(-0.05, 0.14), 0.75, 1.3)),
        letter_gap=float(rng.uniform(-0.08, 0.12)),
        letter_warp=float(rng.uniform(0.02, 0.065)),
        instance_warp=float(rng.uniform(0.01, 0.035)),
        rounding_mm=float(rng.uniform(0.08, 0.5)),
        lift=float(rng.uniform(0, (1.0, 0.6, 0.3)[kind])),
        reverse=float(rng.choice([0.0, 0.03, 0.1])),
        reorder=float(rng.choice([0.0, 0.05, 0.2])),
        join=join,
        delay_marks=float(rng.uniform(0.5, 1.0)) if kind == 2 else float(rng.uniform(0, 0.6)),
        baseline_drift=float(rng.uniform(0.005, 0.04)),
        half_cycle_s=float(np.clip(rng.lognormal(np.log(0.097), 0.16), 0.075, 0.14)),
        exponent=float(rng.uniform(0.25, 0.4)),
        landing_mm_s=float(np.clip(rng.lognormal(np.log(13), 0.5), 3, 35)),
        leaving_mm_s=float(np.clip(rng.lognormal(np.log(28), 0.45), 8, 70)),
        accel_mm_s2=float(rng.uniform(600, 1600)),
        dot_s=float(rng.uniform(0.035, 0.09)),
        hand="L" if rng.random() < 0.1 else "R",
    )
