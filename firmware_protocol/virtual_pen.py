"""The pen's side of the wire, without ports or threads: host bytes in, pen bytes out, faults on demand."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from firmware_protocol import commands
from firmware_protocol.descriptor import MAX_NAME_BYTES, Descriptor
from firmware_protocol.errors import ProtocolError
from firmware_protocol.faults import Faults, FaultyWire
from firmware_protocol.framing import (
    OVERHEAD_BYTES,
    Flag,
    Frame,
    FrameDecoder,
    FrameType,
    NotificationDecoder,
    encode_frame,
    to_serial,
)
from firmware_protocol.links import batch_size, notification_bytes, samples_per_notification
from firmware_protocol.messages import Command, Op, Response, Status, parse_command, response_frame
from firmware_protocol.streams import clipped_rows

__all__ = ["Faults", "FaultyWire", "PenFirmware"]

_U16 = 0xFFFF
_U32 = 0xFFFFFFFF
_RESPONSE_HEAD_BYTES = 3
_CAL_PIECE_BYTES = 128
_CAL_MAX_BYTES = 4096
_Answer = tuple[Status, bytes]


class _Batcher:
    """Samples waiting to become a frame: counts (m, C), device time of each, index of the first."""

    def __init__(self, n_channels: int) -> None:
        self.n_channels = n_channels
        self.counts: NDArray[np.int16] = np.empty((0, n_channels), dtype="<i2")
        self.t_us: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self.index = 0

    def add(self, counts: NDArray[np.int16], t_us: NDArray[np.int64], index: int) -> None:
        if not len(self.counts):
            self.index, self.counts, self.t_us = index, counts, t_us
            return
        self.counts = np.concatenate((self.counts, counts))
        self.t_us = np.concatenate((self.t_us, t_us))

    def take(self, n: int) -> tuple[NDArray[np.int16], int, int]:
        """The first n samples, the index and the device time of the first one."""
        taken = self.counts[:n], self.index, int(self.t_us[0])
        self.counts, self.t_us, self.index = self.counts[n:], self.t_us[n:], self.index + n
        return taken


class PenFirmware:
    """A pen with one stream. `receive` takes host bytes, `take` takes what the sensors measured.

    mtu None: a serial line (bytes may be split anyhow, answers are COBS + 0x00); a number: a BLE link with
    that ATT MTU, every item in or out is one notification.
    batch: samples in a DATA frame; None = at most 80 ms, at most 8, and what the link carries.
    """

    def __init__(
        self,
        descriptor: Descriptor,
        *,
        faults: Faults | None = None,
        batch: int | None = None,
        mtu: int | None = None,
    ) -> None:
        self.descriptor = descriptor
        self.streaming = False
        self.resets = 0
        self.identify_ms = 0
        self.battery = commands.BatteryReading(percent=87, millivolts=3920, charging=0)
        self.calibration = b""
        self._faults = faults or Faults()
        self._batch = batch
        self._mtu = mtu
        self._decoder = FrameDecoder() if mtu is None else NotificationDecoder()
        self._wire = FaultyWire(self._faults, delimiter=b"\x00" if mtu is None else b"")
        self._overrun_rng = np.random.default_rng(self._faults.seed)
        self._batcher = _Batcher(len(descriptor.streams[0].channels))
        self._seq = dict.fromkeys(FrameType, 0)
        self._index = self._now_us = self._overruns = self._sent = self._high_water = 0
        self._next_flags = Flag.NONE
        self._epoch = Flag.NONE
        self._last: tuple[Command, list[bytes]] | None = None
        self._cal_incoming = bytearray()

    @property
    def counters(self) -> commands.PenCounters:
        return commands.PenCounters(self._index, self._overruns, self._sent, self._high_water, self.resets)

    @property
    def batch(self) -> int:
        """Samples in a full DATA frame; 0 when the link cannot carry even one."""
        stream = self.descriptor.streams[0]
        wanted = batch_size(stream.rate_hz) if self._batch is None else self._batch
        if self._mtu is None:
            return wanted
        return min(wanted, samples_per_notification(self._mtu, len(stream.channels)))

    def receive(self, raw: bytes, *, now_us: int | None = None) -> list[bytes]:
        """Host bytes in, wire items out; `now_us` is the pen's clock (default: that of the last sample)."""
        if now_us is not None:
            self._now_us = now_us
        replies: list[bytes] = []
        for frame in self._decoder.feed(raw):
            if frame.type is FrameType.CMD:
                replies += self._command(frame)
        return replies

    def take(self, counts: NDArray[np.int16], t_us_first: int) -> list[bytes]:
        """Samples (n, C) the sensors took, the first one at device microsecond `t_us_first`.

        The index counts them always; wire items come out only while streaming. A clock that steps back
        is said in the frame (DISCONTINUITY).
        """
        n = len(counts)
        if not n:
            return []
        index, self._index = self._index, (self._index + n) & _U32
        before, self._now_us = self._now_us, t_us_first + round(n * self.descriptor.streams[0].period_us)
        if not self.streaming:
            return []
        items: list[bytes] = []
        if t_us_first < before - self.descriptor.streams[0].period_us:
            items += self._flush()
            self._next_flags |= Flag.DISCONTINUITY
        t_us = t_us_first + np.rint(np.arange(n) * self.descriptor.streams[0].period_us).astype(np.int64)
        self._batcher.add(np.ascontiguousarray(counts, dtype="<i2"), t_us, index)
        self._high_water = max(self._high_water, len(self._batcher.counts) // self.batch)
        while len(self._batcher.counts) >= self.batch:
            items += self._data_frame(self.batch)
        return items

    def disconnect(self) -> None:
        """The host is gone: streaming stops, half a command is forgotten, samples keep being counted."""
        self.streaming = False
        self._decoder.reset()
        self._wire.reset()
        self._last = None
        self._batcher = _Batcher(self._batcher.n_channels)

    def reboot(self, boot_id: int) -> None:
        """The pen starts again: new boot id, index, sequence numbers and clock from 0."""
        self.disconnect()
        self.descriptor = replace(self.descriptor, boot_id=boot_id)
        self._seq = dict.fromkeys(FrameType, 0)
        self._index = self._now_us = 0
        self.resets += 1

    def log(self, text: str) -> list[bytes]:
        """A line of the pen's own log."""
        return self._send(Frame(FrameType.LOG, self._next_seq(FrameType.LOG), payload=text.encode()))

    def _next_seq(self, kind: FrameType) -> int:
        seq = self._seq[kind]
        self._seq[kind] = (seq + 1) & _U16
        return seq

    def _wrap(self, frame: Frame) -> bytes:
        raw = encode_frame(frame, version=self._faults.version)
        return to_serial(raw) if self._mtu is None else raw

    def _send(self, frame: Frame) -> list[bytes]:
        if self._faults.silent:
            return []
        self._sent += 1
        wire = self._wrap(frame)
        if frame.type is FrameType.RSP and not self._faults.responses:
            return [wire]
        return self._wire.push(wire)

    def _data_frame(self, n: int) -> list[bytes]:
        counts, index, t_us = self._batcher.take(n)
        if self._faults.no_samples:
            return []
        if self._faults.overrun and self._overrun_rng.random() < self._faults.overrun:
            self._overruns += 1
            self._next_flags |= Flag.OVERRUN
            return []
        flags = self._next_flags | self._epoch
        if clipped_rows(counts, self.descriptor.streams[0]).any():
            flags |= Flag.CLIPPED
        self._next_flags = Flag.NONE
        stream_id = self.descriptor.streams[0].id
        seq = self._next_seq(FrameType.DATA)
        return self._send(
            Frame(FrameType.DATA, seq, stream_id, n, flags, index & _U32, t_us & _U32, counts.tobytes())
        )

    def _flush(self) -> list[bytes]:
        """The samples of an unfinished batch, and what the wire held back."""
        waiting = len(self._batcher.counts)
        items = self._data_frame(waiting) if waiting else []
        return items + self._wire.finish()

    def _command(self, frame: Frame) -> list[bytes]:
        try:
            command = parse_command(frame)
        except ProtocolError:
            return []
        if self._last is not None and self._last[0] == command:
            return self._last[1]
        before = self._flush() if command.op == Op.STOP else []
        status, data = self._carry_out(command)
        seq = self._next_seq(FrameType.RSP)
        answer = self._send(response_frame(Response(command.op, command.tag, status, data), seq))
        self._last = (command, answer)
        return before + answer

    def _carry_out(self, command: Command) -> _Answer:
        handler = _HANDLERS.get(command.op)
        if handler is None:
            return Status.UNKNOWN_OP, b""
        try:
            return handler(self, command.args)
        except (struct.error, ProtocolError, UnicodeDecodeError):
            return Status.BAD_ARGUMENT, b""

    def _hello(self, args: bytes) -> _Answer:
        """On a link too small for the descriptor the host reads it from the descriptor characteristic."""
        raw = self.descriptor.encode()
        fits = self._mtu is None or len(raw) <= notification_bytes(self._mtu) - OVERHEAD_BYTES - 3
        return Status.OK, raw if fits else b""

    def _start(self, args: bytes) -> _Answer:
        mask, schema = commands.START_ARGS.unpack(args)
        if schema != self.descriptor.schema_hash:
            return Status.BAD_SCHEMA, self.descriptor.schema_hash.to_bytes(4, "little")
        if not mask >> self.descriptor.streams[0].id & 1:
            return Status.BAD_ARGUMENT, b""
        if self.batch < 1:
            return Status.MTU_TOO_SMALL, b""
        if not self.streaming:
            self._batcher = _Batcher(self._batcher.n_channels)
        self.streaming = True
        return Status.OK, b""

    def _stop(self, args: bytes) -> _Answer:
        self.streaming = False
        return Status.OK, b""

    def _set_rate(self, args: bytes) -> _Answer:
        stream_id, rate_mhz = commands.SET_RATE_ARGS.unpack(args)
        self.descriptor = self.descriptor.with_rate(stream_id, rate_mhz / 1000)
        self._epoch ^= Flag.EPOCH
        return Status.OK, rate_mhz.to_bytes(4, "little")

    def _identify(self, args: bytes) -> _Answer:
        (self.identify_ms,) = commands.IDENTIFY_ARGS.unpack(args)
        return Status.OK, b""

    def _battery(self, args: bytes) -> _Answer:
        return Status.OK, self.battery.encode()

    def _time_sync(self, args: bytes) -> _Answer:
        (host_us,) = commands.TIME_SYNC_ARGS.unpack(args)
        return Status.OK, commands.TimeSyncReading(host_us, self._now_us, self._now_us).encode()

    def _status(self, args: bytes) -> _Answer:
        return Status.OK, self.counters.encode()

    def _name(self, args: bytes) -> _Answer:
        if len(args) > MAX_NAME_BYTES:
            return Status.BAD_ARGUMENT, b""
        if args:
            self.descriptor = replace(self.descriptor, name=args.decode())
        return Status.OK, self.descriptor.name.encode()

    def _cal_read(self, args: bytes) -> _Answer:
        (offset,) = commands.CAL_READ_ARGS.unpack(args)
        total = len(self.calibration)
        return Status.OK, total.to_bytes(2, "little") + self.calibration[offset : offset + _CAL_PIECE_BYTES]

    def _cal_write(self, args: bytes) -> _Answer:
        offset, total = commands.CAL_WRITE_ARGS.unpack_from(args)
        piece = args[commands.CAL_WRITE_ARGS.size :]
        if offset == 0:
            self._cal_incoming.clear()
        if offset != len(self._cal_incoming) or offset + len(piece) > total or total > _CAL_MAX_BYTES:
            return Status.BAD_ARGUMENT, len(self._cal_incoming).to_bytes(2, "little")
        self._cal_incoming += piece
        if len(self._cal_incoming) < total:
            return Status.OK, b""
        return self._store_calibration(bytes(self._cal_incoming))

    def _store_calibration(self, stored: bytes) -> _Answer:
        """The old calibration stays untouched unless the new one is whole."""
        try:
            commands.unseal(stored)
        except ProtocolError:
            return Status.BAD_CHECKSUM, b""
        self.calibration = stored
        return Status.OK, b""

    def _selftest(self, args: bytes) -> _Answer:
        return Status.OK, (0).to_bytes(2, "little")

    def _not_supported(self, args: bytes) -> _Answer:
        return Status.NOT_SUPPORTED, b""


_HANDLERS: dict[int, Callable[[PenFirmware, bytes], _Answer]] = {
    Op.HELLO: PenFirmware._hello,
    Op.START: PenFirmware._start,
    Op.STOP: PenFirmware._stop,
    Op.SET_RATE: PenFirmware._set_rate,
    Op.SET_RANGE: PenFirmware._not_supported,
    Op.IDENTIFY: PenFirmware._identify,
    Op.BATTERY: PenFirmware._battery,
    Op.TIME_SYNC: PenFirmware._time_sync,
    Op.STATUS: PenFirmware._status,
    Op.NAME: PenFirmware._name,
    Op.CAL_READ: PenFirmware._cal_read,
    Op.CAL_WRITE: PenFirmware._cal_write,
    Op.SELFTEST: PenFirmware._selftest,
    Op.DFU: PenFirmware._not_supported,
}
