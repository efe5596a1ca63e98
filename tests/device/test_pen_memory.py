"""The calibration that a pen keeps: written in pieces over the real link and read back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from calibration.sensor import Correction, PenCalibration
from firmware_protocol.messages import Command, Response, Status
from firmware_protocol.pen_state import PenState, carry_out
from penapp.device.errors import CommandRefusedError, PenMemoryError
from penapp.device.pen_memory import PIECE_BYTES, read_calibration, write_calibration
from penapp.device.virtual import VirtualPenSource
from penapp.errors import BadInputError
from penapp.simulation.calibration_pen import CalibrationPen

RECORD = PenCalibration("abc", datetime(2026, 3, 1, tzinfo=UTC), front=Correction((0.1, 0.2, 1.0 / 3.0)))


class Pen:
    """The firmware's own memory, without a link; `spoil` changes what an answer holds."""

    def __init__(self, spoil=lambda _op, data: data):
        self.state = PenState(CalibrationPen().descriptor)
        self.asked = []
        self._spoil = spoil

    async def ask(self, op, args=b""):
        self.asked.append((op, args))
        status, data = carry_out(self.state, Command(op, 1, args))
        if status is not Status.OK:
            raise CommandRefusedError(f"the pen refused {op.name}: {status.name}.")
        return Response(op, 1, status, self._spoil(op, data))


def test_a_record_survives_the_pens_memory_piece_by_piece():
    pen = Pen()
    taken = asyncio.run(write_calibration(pen, RECORD))
    assert taken == len(pen.state.calibration)
    assert len(pen.asked) > 2 * taken / 200
    assert max(len(args) for _, args in pen.asked) <= PIECE_BYTES + 4
    assert asyncio.run(read_calibration(pen)) == RECORD


def bluetooth_pen():
    pytest.importorskip("bumble", reason="the simulated radio needs bumble (extra `radio`)")
    from penapp.device.virtual_ble import virtual_ble_pen

    return virtual_ble_pen(CalibrationPen())


@pytest.mark.parametrize("make", [lambda: VirtualPenSource(CalibrationPen()), bluetooth_pen])
def test_over_the_real_link(make):
    async def there_and_back():
        source = make()
        await source.open()
        try:
            before = await read_calibration(source)
            await write_calibration(source, RECORD)
            return before, await read_calibration(source)
        finally:
            await source.close()

    assert asyncio.run(there_and_back()) == (None, RECORD)


def test_what_is_not_ours_or_damaged_is_one_clear_error():
    pen = Pen()
    pen.state.calibration = b"something else"
    with pytest.raises(BadInputError, match="check sum"):
        asyncio.run(read_calibration(pen))


def test_a_pen_that_keeps_something_else_than_what_was_written_is_told():
    pen = Pen(lambda op, data: data[:-1] + b"x" if op.name == "CAL_READ" and len(data) > 2 else data)
    with pytest.raises(PenMemoryError, match="not what was written"):
        asyncio.run(write_calibration(pen, RECORD))


def test_a_pen_that_promises_bytes_and_gives_none_does_not_hang():
    pen = Pen(lambda op, data: b"\x10\x00" if op.name == "CAL_READ" else data)
    with pytest.raises(PenMemoryError, match="16 bytes"):
        asyncio.run(read_calibration(pen))
