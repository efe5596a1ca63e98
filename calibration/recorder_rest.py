"""Step "rest": the pen lies still, the gyroscope's zero comes out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from calibration.draft import Draft, Setup
from calibration.fit_gyro import fit_gyro_bias
from calibration.progress import Progress
from calibration.rest import Rest, RestFinder
from calibration.sensor import Figure, as_vector
from calibration.steps import REST_S, StepId


class RestRecorder:
    """Counts the seconds of the present rest; a knock begins it anew."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._finder = RestFinder(setup.rate_hz)
        self._moved = False

    def push(self, t: NDArray[np.float64], values: NDArray[np.float64]) -> None:
        self._moved = bool(self._finder.push(values)) or self._moved

    @property
    def progress(self) -> Progress:
        rest = self._finder.current
        seconds = len(rest) / self._setup.rate_hz if rest is not None else 0.0
        problem = ""
        if not self._finder.resting:
            problem = (
                "The pen is moving: put it down." if not self._moved else "It moved: the count begins anew."
            )
        return Progress(
            share=min(1.0, seconds / REST_S),
            line=f"{seconds:.0f} of {REST_S:.0f} s still",
            problem=problem,
            enough=seconds >= REST_S,
            resting=self._finder.resting,
        )

    def fit(self, draft: Draft) -> Draft:
        """The zero from the rest that goes on now; what came before it, a hand may have touched."""
        rest = self._finder.current
        rests: tuple[Rest, ...] = (rest,) if rest is not None else ()
        found = fit_gyro_bias(rests, self._setup.rate_hz)
        gyro = replace(draft.calibration.gyro, offset=as_vector(found.offset))
        before = np.linalg.norm(found.offset)
        figure = Figure(
            "gyroscope at rest", "deg/s", float(np.degrees(found.error)), float(np.degrees(before))
        )
        return draft.with_step(StepId.REST, replace(draft.calibration, gyro=gyro), (figure,), rests)
