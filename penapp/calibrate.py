"""The stage that corrects samples by what is known of the pen."""

from __future__ import annotations

import numpy as np

from calibration.sensor import PenCalibration
from penapp.stream.block import SampleBlock


class Calibrator:
    """SampleBlocks in, corrected SampleBlocks out; channels that the pen lacks stay invalid and zero."""

    def __init__(self, calibration: PenCalibration) -> None:
        self._calibration = calibration

    def push(self, block: SampleBlock) -> list[SampleBlock]:
        if self._calibration.is_identity or len(block) == 0:
            return [block]
        values = self._calibration.apply(block.values)
        values = np.where(block.valid, values, np.float32(0.0))
        return [SampleBlock(block.t, values, block.lost, block.valid)]

    def finish(self) -> list[SampleBlock]:
        return []

    def reset(self) -> None:
        """Nothing is remembered between blocks."""
