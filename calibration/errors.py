"""What can be wrong with a calibration: what was found, what was expected, what to do."""

from __future__ import annotations

from enum import Enum


class CalibrationError(Exception):
    """An error for the person reading it; `advice` says what to do next."""

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message} {self.advice}".rstrip()


class InvalidCalibrationError(CalibrationError):
    """Numbers that cannot describe a pen: not finite, wrong shape, a gain that cannot be undone."""


class WrongChannelsError(CalibrationError):
    """Samples that are not (n, 13)."""


class NewerCalibrationError(CalibrationError):
    """The record was written by a later version of this program."""


class UnreadableCalibrationError(CalibrationError):
    """The file is damaged, incomplete or belongs to another pen."""


class CalibrationNotSavedError(CalibrationError):
    """The record could not be written; what was there before is untouched."""


class Reason(Enum):
    """Why measurements were refused."""

    TOO_FEW = "too few"
    NOT_SPREAD = "not spread"
    MOVED = "moved"
    SATURATED = "saturated"
    DISTURBED = "disturbed"
    NOT_MONOTONE = "not monotone"
    IMPLAUSIBLE = "implausible"
    NOT_FINITE = "not finite"


class FitRefusedError(CalibrationError):
    """The measurements do not determine the numbers wanted; `reason` names the kind of trouble."""

    def __init__(self, reason: Reason, message: str, *, advice: str) -> None:
        super().__init__(message, advice=advice)
        self.reason = reason
