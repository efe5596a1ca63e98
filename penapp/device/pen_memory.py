"""The copy of its calibration that a pen keeps: CAL_WRITE and CAL_READ, in pieces, with a check sum."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from calibration.content import from_blob, to_blob
from calibration.errors import CalibrationError
from calibration.sensor import PenCalibration
from firmware_protocol.commands import CAL_READ_ARGS, CAL_WRITE_ARGS, seal, unseal
from firmware_protocol.errors import ProtocolError
from firmware_protocol.messages import Op, Response
from penapp.device.diagnosis import RESTART
from penapp.device.errors import PenMemoryError, PenSilentError
from penapp.device.requests import NoAnswerError
from penapp.errors import BadInputError

PIECE_BYTES = 96
MAX_BYTES = 4096
"""What the protocol's own pens keep; a pen with less refuses the first piece."""


@runtime_checkable
class Asks(Protocol):
    """An open pen that answers commands, such as `PenLink`."""

    async def ask(self, op: Op, args: bytes = b"") -> Response: ...


async def write_calibration(pen: Asks, calibration: PenCalibration) -> int:
    """Put a copy into the pen and read it back; the bytes it took."""
    stored = seal(to_blob(calibration))
    if len(stored) > MAX_BYTES:
        raise PenMemoryError(
            f"the record takes {len(stored)} bytes, a pen keeps at most {MAX_BYTES}.",
            advice="The copy on this computer is complete; the pen works without one of its own.",
        )
    for offset in range(0, len(stored), PIECE_BYTES):
        head = CAL_WRITE_ARGS.pack(offset, len(stored))
        await _asked(pen, Op.CAL_WRITE, head + stored[offset : offset + PIECE_BYTES])
    if await _read(pen) != stored:
        raise PenMemoryError(
            "what the pen gives back is not what was written to it.", advice="Write it again."
        )
    return len(stored)


async def read_calibration(pen: Asks) -> PenCalibration | None:
    """The pen's own copy; None when it has none."""
    stored = await _read(pen)
    if not stored:
        return None
    try:
        return from_blob(unseal(stored))
    except (ProtocolError, CalibrationError) as error:
        raise BadInputError(error.args[0], advice=error.advice) from error


async def _read(pen: Asks) -> bytes:
    stored, total = b"", 1
    while len(stored) < total:
        answer = await _asked(pen, Op.CAL_READ, CAL_READ_ARGS.pack(len(stored)))
        total, piece = int.from_bytes(answer.data[:2], "little"), answer.data[2:]
        if total and not piece:
            raise PenMemoryError(
                f"the pen states {total} bytes of calibration and gives {len(stored)}.",
                advice="Write the calibration to it again.",
            )
        stored += piece
    return stored


async def _asked(pen: Asks, op: Op, args: bytes) -> Response:
    try:
        return await pen.ask(op, args)
    except NoAnswerError:
        raise PenSilentError(f"the pen does not answer {op.name}.", advice=RESTART) from None
