"""The one error root of the wire protocol: what was found, what was expected, what to do."""

from __future__ import annotations


class ProtocolError(Exception):
    """Bytes or arguments that the protocol does not allow; `advice` says what to do next."""

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message} {self.advice}".rstrip()


class FrameError(ProtocolError):
    """A damaged or malformed frame."""


class VersionError(ProtocolError):
    """An undamaged frame of a protocol version that this build does not speak."""

    def __init__(self, found: int, expected: int) -> None:
        super().__init__(
            f"the pen speaks protocol version {found}, this build speaks version {expected}.",
            advice="Update the older of the two: the pen's firmware or this program.",
        )
        self.found = found
        self.expected = expected


class DescriptorError(ProtocolError):
    """A capability descriptor that cannot be read."""
