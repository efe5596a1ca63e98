"""The stage that corrects samples by what is known of the pen."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
from platformdirs import user_data_path

from calibration.draft import Limits, Setup
from calibration.errors import CalibrationError
from calibration.sensor import PenCalibration, identity
from calibration.store import CalibrationStore
from firmware_protocol.channels import Descriptor, Quantity
from penapp import __version__
from penapp.errors import BadInputError
from penapp.stream.block import SampleBlock
from penapp.stream.layout import ChannelLayout

log = logging.getLogger(__name__)


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


@dataclass(frozen=True, slots=True)
class KnownPen:
    """What is known of a pen when it connects: its newest calibration (None: never calibrated, or not
    readable), and in the latter case why.
    """

    calibration: PenCalibration | None
    problem: BadInputError | None = None


def known_pen(descriptor: Descriptor) -> KnownPen:
    """The newest calibration kept for this pen. A damaged file never stops a pen: it writes uncorrected, and
    the problem is there to be shown.
    """
    try:
        return KnownPen(calibration_store().newest(pen_id_of(descriptor)))
    except CalibrationError as error:
        problem = BadInputError(
            f"the pen is used uncalibrated: {error.args[0]}.",
            advice=error.advice or "Calibrate the pen again.",
        )
        log.warning("%s", problem)
        return KnownPen(None, problem)


def calibration_store() -> CalibrationStore:
    """The user's own records."""
    return CalibrationStore(user_data_path("penapp") / "calibration")


def pen_id_of(descriptor: Descriptor) -> str:
    """How records name the pen: its device id, in hexadecimal."""
    return descriptor.device_id.hex()


def setup_for(descriptor: Descriptor, previous: PenCalibration | None, *, automatic: bool = False) -> Setup:
    """What the calibration steps need to know of the pen described."""
    layout = ChannelLayout.of(descriptor)
    scales: dict[int, float] = {}
    for channel in layout.stream.channels:
        scales.setdefault(int(channel.quantity), channel.full_scale)
    quantities = (Quantity.ACC1, Quantity.ACC2, Quantity.MAG, Quantity.FORCE)
    return Setup(
        rate_hz=layout.stream.rate_hz,
        valid=layout.valid,
        limits=Limits(*(scales.get(int(quantity)) for quantity in quantities)),
        previous=previous or identity(pen_id_of(descriptor)),
        automatic=automatic,
        software=f"penapp {__version__}",
    )
