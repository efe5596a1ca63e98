"""The virtual pen that can be calibrated: known errors, and a hand that does what each step asks for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from calibration.steps import MASSES_G, StepId
from firmware_protocol.channels import Descriptor, si_to_counts, standard_descriptor
from penapp.simulation.calibration_motion import Hand, Piece
from penapp.simulation.imperfections import Imperfections
from penapp.simulation.pen import OVERSAMPLING
from penapp.simulation.sensors import RigidMotion, field_vector, report

DEVICE_ID = b"virtcal1"
NAME = "virtual pen to calibrate"

Array = NDArray[np.float64]


class CalibrationPen:
    """A CountSource that never ends. `perform` may be called from any thread; the hand turns to it after the
    piece of motion that it is in.
    """

    def __init__(self, rate_hz: float = 100.0, *, seed: int = 1) -> None:
        self.imperfections = Imperfections.draw(seed)
        self._descriptor = replace(standard_descriptor(rate_hz, name=NAME), device_id=DEVICE_ID)
        self._rng = np.random.default_rng((seed, 1))
        self._hand = Hand(OVERSAMPLING * rate_hz, seed)
        self._field = field_vector(self.imperfections.device, self._rng)
        self._white = float(np.sqrt(rate_hz / 100.0))
        self._asked: StepId | None = None
        self._doing: StepId | None = None
        self._motion: Iterator[Piece] = self._hand.rest()
        self._counts: NDArray[np.int16] = np.empty((0, 13), dtype=np.int16)

    @property
    def descriptor(self) -> Descriptor:
        return self._descriptor

    def perform(self, step: StepId | None) -> None:
        """What the wizard asks for now; None: lie still."""
        self._asked = step

    def read(self, n: int) -> NDArray[np.int16] | None:
        while len(self._counts) == 0:
            if self._asked is not self._doing:
                self._doing = self._asked
                self._motion = self._moves(self._doing)
            self._counts = self._sensed(next(self._motion))
        taken, self._counts = self._counts[:n], self._counts[n:]
        return taken

    def _moves(self, step: StepId | None) -> Iterator[Piece]:
        if step is StepId.POSES:
            return self._hand.poses()
        if step is StepId.TUMBLE:
            return self._hand.tumble()
        if step is StepId.FORCE:
            return self._hand.levels(MASSES_G)
        return self._hand.rest()

    def _sensed(self, piece: Piece) -> NDArray[np.int16]:
        fine_hz = OVERSAMPLING * self._descriptor.streams[0].rate_hz
        device = replace(self.imperfections.device, acc_noise=0.0, gyro_noise=0.0, mag_noise=0.0)
        motion = _rigid(piece, fine_hz)
        true = report(motion, piece.force_n, device, self._field, self._rng).astype(np.float64)
        n = len(true) // OVERSAMPLING
        mean = true[: n * OVERSAMPLING].reshape(n, OVERSAMPLING, 13).mean(axis=1)
        unloading = piece.unloading[: n * OVERSAMPLING : OVERSAMPLING]
        read = self.imperfections.distorted(mean, unloading, self._rng)
        return si_to_counts(read, self._descriptor.streams[0])[0]


def _rigid(piece: Piece, rate_hz: float) -> RigidMotion:
    """The piece's turning rate and the acceleration of the pen's long axis; at rest before and after."""
    body = piece.turn.as_matrix()
    axes = np.swapaxes(body, 1, 2)
    ends = Rotation.from_quat(
        np.concatenate([piece.turn.as_quat()[:1], piece.turn.as_quat(), piece.turn.as_quat()[-1:]])
    )
    rate = (ends[:-2].inv() * ends[2:]).as_rotvec() * (rate_hz / 2.0)
    long = np.concatenate([axes[:1, 2], axes[:, 2], axes[-1:, 2]])
    swing = (long[2:] - 2.0 * long[1:-1] + long[:-2]) * rate_hz**2
    return RigidMotion(rate_hz, axes, piece.tip, swing, rate, np.zeros_like(piece.tip), piece.force_n)
