"""The wizard's steps, as data: what to do, why, and when it is enough. Window and terminal show the same."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray


class StepId(Enum):
    REST = "rest"
    POSES = "poses"
    TUMBLE = "tumble"
    FORCE = "force"


class Way(Enum):
    """Which way a load came."""

    LOADING = "loading"
    UNLOADING = "unloading"


class Shows(Enum):
    """What helps to see while a step goes on."""

    REST = "how long the pen has been still"
    POSES = "the poses taken, on a sphere"
    COVERAGE = "the directions seen, on a sphere"
    LEVELS = "the mass wanted, and the force"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do with the pen.

    instruction: what to do; why: what it is good for
    needs:       columns (of the 13) that the pen must have for it
    enough:      how much is enough, in `unit`
    """

    id: StepId
    title: str
    instruction: str
    why: str
    needs: tuple[int, ...]
    enough: float
    unit: str
    shows: Shows


MASSES_G = (0.0, 20.0, 50.0, 100.0, 200.0, 300.0, 400.0, 200.0, 100.0, 50.0, 20.0, 0.0)
"""Up and down again, so that hysteresis and drift show; 400 g is 3.9 N, harder than people write."""

REST_S, POSES, COVERAGE_SHARE = 10.0, 24.0, 0.9

STEPS = (
    Step(
        StepId.REST,
        "Rest",
        "Put the pen on a table and take your hand away. Nobody touches the table for ten seconds.",
        "finds what the gyroscope reads when nothing turns",
        (6, 7, 8),
        REST_S,
        "s still",
        Shows.REST,
    ),
    Step(
        StepId.POSES,
        "Poses",
        "Lean the pen against books or a cup in 24 poses: tip up, tip down, lying, and rolled to every side. "
        "Leave it still for two seconds in each; the counter moves when a pose is taken.",
        "finds zero and scale of both accelerometers, how they sit to each other, and the gyroscope's axes",
        (0, 1, 2),
        POSES,
        "poses",
        Shows.POSES,
    ),
    Step(
        StepId.TUMBLE,
        "Tumble",
        "Take the pen in your hand, away from steel and loudspeakers, and turn it every way, briskly: end "
        "over end and about its long axis, until the sphere is filled.",
        "finds what iron in the pen does to the magnetometer, and how far the accelerometers are apart",
        (6, 7, 8),
        COVERAGE_SHARE,
        "of the sphere",
        Shows.COVERAGE,
    ),
    Step(
        StepId.FORCE,
        "Force",
        "Press the tip on a kitchen scale until it shows the mass asked for, and hold still for two seconds.",
        "finds what the force sensor really feels",
        (12,),
        float(len(MASSES_G)),
        "levels",
        Shows.LEVELS,
    ),
)


def steps_for(valid: NDArray[np.bool_]) -> tuple[Step, ...]:
    """The steps that make sense for a pen with these channels (13,)."""
    return tuple(step for step in STEPS if all(valid[column] for column in step.needs))
