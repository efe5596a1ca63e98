"""The one error root of the application: what was found, what was expected, what to do."""

from __future__ import annotations

from typing import ClassVar


class PenappError(Exception):
    """An error for the person reading it; `advice` says what to do next."""

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message} {self.advice}".rstrip()


class BadInputError(PenappError):
    """A file, argument or corpus is not what was expected."""


class DeviceError(PenappError):
    """The pen or its link failed; subclasses in `penapp.device` name the situation.

    lasting: waiting and trying again cannot heal it, somebody has to do something
    """

    lasting: ClassVar[bool] = False


class ModelMismatchError(PenappError):
    """A recogniser artefact does not fit this build (fingerprint, hash, alphabet)."""
