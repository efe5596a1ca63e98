"""What a pen remembers and what each command does to it: the part of the far end that is not the wire."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from firmware_protocol import commands
from firmware_protocol.descriptor import MAX_NAME_BYTES, Descriptor
from firmware_protocol.errors import ProtocolError
from firmware_protocol.framing import Flag
from firmware_protocol.messages import Command, Op, Status

CAL_PIECE_BYTES = 128
CAL_MAX_BYTES = 4096
Answer = tuple[Status, bytes]


@dataclass(slots=True)
class PenState:
    """The pen's memory.

    now_us:      the pen's clock, microseconds since it started
    index:       samples taken since it started
    calibration: the stored blob with its CRC-32, empty if there is none
    epoch:       EPOCH or NONE, toggles when the configuration changes
    """

    descriptor: Descriptor
    streaming: bool = False
    now_us: int = 0
    index: int = 0
    epoch: Flag = Flag.NONE
    overruns: int = 0
    frames_sent: int = 0
    queue_high_water: int = 0
    resets: int = 0
    identify_ms: int = 0
    battery: commands.BatteryReading = field(default_factory=lambda: commands.BatteryReading(87, 3920, 0))
    calibration: bytes = b""
    cal_incoming: bytearray = field(default_factory=bytearray)

    @property
    def counters(self) -> commands.PenCounters:
        return commands.PenCounters(
            self.index, self.overruns, self.frames_sent, self.queue_high_water, self.resets
        )


def carry_out(pen: PenState, command: Command) -> Answer:
    """Do what the command says; what cannot be done is answered with a status, never raised."""
    handler = _HANDLERS.get(command.op)
    if handler is None:
        return Status.UNKNOWN_OP, b""
    try:
        return handler(pen, command.args)
    except (struct.error, ProtocolError, UnicodeDecodeError):
        return Status.BAD_ARGUMENT, b""


def _hello(pen: PenState, _args: bytes) -> Answer:
    return Status.OK, pen.descriptor.encode()


def _start(pen: PenState, args: bytes) -> Answer:
    mask, schema = commands.START_ARGS.unpack(args)
    if schema != pen.descriptor.schema_hash:
        return Status.BAD_SCHEMA, pen.descriptor.schema_hash.to_bytes(4, "little")
    if not any(mask >> stream.id & 1 for stream in pen.descriptor.streams):
        return Status.BAD_ARGUMENT, b""
    pen.streaming = True
    return Status.OK, b""


def _stop(pen: PenState, _args: bytes) -> Answer:
    pen.streaming = False
    return Status.OK, b""


def _set_rate(pen: PenState, args: bytes) -> Answer:
    stream_id, rate_mhz = commands.SET_RATE_ARGS.unpack(args)
    pen.descriptor = pen.descriptor.with_rate(stream_id, rate_mhz / 1000)
    pen.epoch ^= Flag.EPOCH
    return Status.OK, rate_mhz.to_bytes(4, "little")


def _identify(pen: PenState, args: bytes) -> Answer:
    (pen.identify_ms,) = commands.IDENTIFY_ARGS.unpack(args)
    return Status.OK, b""


def _battery(pen: PenState, _args: bytes) -> Answer:
    return Status.OK, pen.battery.encode()


def _time_sync(pen: PenState, args: bytes) -> Answer:
    (host_us,) = commands.TIME_SYNC_ARGS.unpack(args)
    return Status.OK, commands.TimeSyncReading(host_us, pen.now_us, pen.now_us).encode()


def _status(pen: PenState, _args: bytes) -> Answer:
    return Status.OK, pen.counters.encode()


def _name(pen: PenState, args: bytes) -> Answer:
    if len(args) > MAX_NAME_BYTES:
        return Status.BAD_ARGUMENT, b""
    if args:
        pen.descriptor = replace(pen.descriptor, name=args.decode())
    return Status.OK, pen.descriptor.name.encode()


def _cal_read(pen: PenState, args: bytes) -> Answer:
    (offset,) = commands.CAL_READ_ARGS.unpack(args)
    total = len(pen.calibration)
    return Status.OK, total.to_bytes(2, "little") + pen.calibration[offset : offset + CAL_PIECE_BYTES]


def _cal_write(pen: PenState, args: bytes) -> Answer:
    """Pieces in order; the old calibration stays untouched until the new one is whole and right."""
    offset, total = commands.CAL_WRITE_ARGS.unpack_from(args)
    piece = args[commands.CAL_WRITE_ARGS.size :]
    if offset == 0:
        pen.cal_incoming.clear()
    if offset != len(pen.cal_incoming) or offset + len(piece) > total or total > CAL_MAX_BYTES:
        return Status.BAD_ARGUMENT, len(pen.cal_incoming).to_bytes(2, "little")
    pen.cal_incoming += piece
    return Status.OK if len(pen.cal_incoming) < total else _store_calibration(pen), b""


def _store_calibration(pen: PenState) -> Status:
    stored = bytes(pen.cal_incoming)
    try:
        commands.unseal(stored)
    except ProtocolError:
        return Status.BAD_CHECKSUM
    pen.calibration = stored
    return Status.OK


def _selftest(_pen: PenState, _args: bytes) -> Answer:
    return Status.OK, (0).to_bytes(2, "little")


def _not_supported(_pen: PenState, _args: bytes) -> Answer:
    return Status.NOT_SUPPORTED, b""


_HANDLERS: dict[int, Callable[[PenState, bytes], Answer]] = {
    Op.HELLO: _hello,
    Op.START: _start,
    Op.STOP: _stop,
    Op.SET_RATE: _set_rate,
    Op.SET_RANGE: _not_supported,
    Op.IDENTIFY: _identify,
    Op.BATTERY: _battery,
    Op.TIME_SYNC: _time_sync,
    Op.STATUS: _status,
    Op.NAME: _name,
    Op.CAL_READ: _cal_read,
    Op.CAL_WRITE: _cal_write,
    Op.SELFTEST: _selftest,
    Op.DFU: _not_supported,
}
