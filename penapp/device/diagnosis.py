"""From what a link delivered to the error that names the situation."""

from __future__ import annotations

from firmware_protocol.framing import VERSION
from penapp.device.errors import (
    PenLostError,
    PenSilentError,
    ProtocolVersionError,
    WrongDeviceError,
)
from penapp.device.socket_port import SCHEME
from penapp.device.source import LinkCounters
from penapp.errors import DeviceError

RESTART = "Switch the pen off and on, then connect again."


def no_answer(name: str, counters: LinkCounters, foreign_version: int, first_bytes: bytes) -> DeviceError:
    """HELLO was never answered: say what arrived instead."""
    if counters.frames:
        return PenSilentError(
            f"the pen at {name} sends frames but does not answer HELLO.",
            advice=RESTART,
        )
    if counters.foreign_frames:
        return ProtocolVersionError(
            f"the pen at {name} speaks protocol version {foreign_version}, this build speaks {VERSION}.",
            advice="Update the older of the two: the pen's firmware or penapp.",
        )
    if counters.received_bytes:
        return WrongDeviceError(
            f"what is at {name} is no pen: {counters.received_bytes} bytes arrived and not one valid frame, "
            f"the first were {shown(first_bytes)}.",
            advice="Choose another port: `penapp devices` lists them.",
        )
    return PenSilentError(
        f"nothing at {name} answers.",
        advice="Is the pen switched on, and is this its port? `penapp devices` lists them.",
    )


def no_samples(name: str, seconds: float) -> PenSilentError:
    return PenSilentError(
        f"the pen at {name} answers but has sent no samples for {seconds:g} s.",
        advice=RESTART,
    )


def fell_silent(name: str, seconds: float) -> PenSilentError:
    """Samples came and then stopped; whether the pen would still answer is not known."""
    return PenSilentError(f"the pen at {name} has sent no samples for {seconds:g} s.", advice=RESTART)


def lost(name: str) -> PenLostError:
    if name.startswith(SCHEME):
        return PenLostError(
            f"the pen at {name} is gone: it closed the connection, or its machine is out of reach.",
            advice="A pen serves one program at a time: is another one using it? What was recorded is kept.",
        )
    return PenLostError(
        f"the pen at {name} is gone: unplugged, switched off or out of reach.",
        advice="Plug it in again and connect; what was recorded so far is kept.",
    )


def shown(raw: bytes) -> str:
    """Bytes for a reader: as text when it is text, else in hexadecimal."""
    if raw and all(32 <= b < 127 or b in b"\r\n\t" for b in raw):
        return repr(raw.decode("ascii"))
    return raw.hex(" ")
