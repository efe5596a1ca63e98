"""The stage that corrects samples by what is known of the pen."""

from __future__ import annotations

import numpy as np
from platformdirs import user_data_path

from calibration.errors import CalibrationError
from calibration.sensor import PenCalibration
from calibration.store import CalibrationStore
from firmware_protocol.channels import Descriptor
from penapp.errors import BadInputError
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


def stored_calibration(descriptor: Descriptor) -> PenCalibration | None:
    """The newest calibration kept for this pen, None when it never was calibrated.

    Raises:
        BadInputError: there is one, but it cannot be read
    """
    folder = user_data_path("penapp") / "calibration"
    try:
        return CalibrationStore(folder).newest(descriptor.device_id.hex())
    except CalibrationError as error:
        raise BadInputError(str(error), advice="Calibrate the pen again, or remove that file.") from error
