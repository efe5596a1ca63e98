"""What can go wrong between a pen and us: one class for each situation."""

from __future__ import annotations

from typing import ClassVar

from penapp.errors import DeviceError


class PortError(DeviceError):
    """The port could not be opened; subclasses say why."""


class PortAbsentError(PortError):
    """There is no such port (or nothing answers at that address)."""


class PortPermissionError(PortError):
    """The port is there, but this user may not open it."""

    lasting: ClassVar[bool] = True


class PortBusyError(PortError):
    """Another program holds the port."""


class WrongDeviceError(DeviceError):
    """Bytes arrive, but they are not a pen's."""


class ProtocolVersionError(DeviceError):
    """The pen speaks another version of the protocol."""

    lasting: ClassVar[bool] = True


class PenSilentError(DeviceError):
    """The pen does not answer, or it answers and then sends no samples."""


class PenLostError(DeviceError):
    """The link broke while it was in use: unplugged, switched off, out of reach."""


class CommandRefusedError(DeviceError):
    """The pen answered a command with a refusal."""

    lasting: ClassVar[bool] = True


class AnotherPenError(DeviceError):
    """Where the session's pen was there is a pen now, but not the same one."""


class PenChangedError(DeviceError):
    """The pen came back with other channels or another rate."""

    lasting: ClassVar[bool] = True


class RecordingError(DeviceError):
    """The recording cannot be written (disk full, no permission); what is in the file stays."""


class PenMemoryError(DeviceError):
    """The pen's own copy of its calibration cannot be written or read."""
