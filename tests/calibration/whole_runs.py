"""A virtual pen through the whole procedure, without a wire."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.draft import Setup
from calibration.procedure import Procedure, StepResult
from calibration.sensor import Figure, PenCalibration
from calibration.steps import StepId
from firmware_protocol.channels import counts_to_si
from penapp.calibrate import setup_for
from penapp.simulation.calibration_pen import CalibrationPen
from penapp.simulation.calibration_truth import remaining

READ = 16


@dataclass(frozen=True)
class WholeRun:
    """What came out, how long the hand moved, and what is left of the pen's true errors."""

    calibration: PenCalibration
    results: tuple[StepResult, ...]
    seconds: float
    remaining: tuple[Figure, ...]


def virtual_setup(pen: CalibrationPen) -> Setup:
    return setup_for(pen.descriptor, None, automatic=True)


def samples(
    pen: CalibrationPen, read: int = READ
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float32]]]:
    """t and values as they come, for ever."""
    stream, n = pen.descriptor.streams[0], 0
    while True:
        counts = pen.read(read)
        assert counts is not None
        yield (n + np.arange(len(counts))) / stream.rate_hz, counts_to_si(counts, stream)
        n += len(counts)


def played(
    pen: CalibrationPen, step: StepId, seconds: float
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """So many seconds of one kind of motion."""
    pen.perform(step)
    wanted, t, values = round(seconds * pen.descriptor.streams[0].rate_hz), [], []
    for times, rows in samples(pen, 256):
        t.append(times)
        values.append(rows)
        if sum(map(len, t)) >= wanted:
            return np.concatenate(t)[:wanted], np.concatenate(values)[:wanted]
    raise AssertionError


def whole_run(seed: int, rate_hz: float = 100.0, *, limit_s: float = 400.0) -> WholeRun:
    pen = CalibrationPen(rate_hz, seed=seed)
    procedure = Procedure(virtual_setup(pen))
    for t, values in samples(pen):
        assert procedure.step is not None
        pen.perform(procedure.step.id)
        procedure.push(t, values)
        if procedure.progress.enough:
            procedure.accept()
        if procedure.step is None:
            found = procedure.calibration()
            left = remaining(pen.imperfections.truth, found)
            return WholeRun(found, procedure.results, float(t[-1]), left)
        assert t[-1] < limit_s, f"never got through the step {procedure.step.title}"
    raise AssertionError
