"""The pen's side of the wire, without ports or threads: host bytes in, pen bytes out, faults on demand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from firmware_protocol import commands
from firmware_protocol.descriptor import Descriptor
from firmware_protocol.errors import ProtocolError
from firmware_protocol.faults import Faults, FaultyWire
from firmware_protocol.framing import (
    DELIMITER,
    MAX_FRAME_BYTES,
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
from firmware_protocol.pen_state import PenState, carry_out
from firmware_protocol.streams import StreamSpec, clipped_rows

__all__ = ["Faults", "FaultyWire", "PenFirmware"]

_U16 = 0xFFFF
_U32 = 0xFFFFFFFF
_ANSWER_HEAD_BYTES = 3


class _Batcher:
    """Samples waiting to become a frame: counts (m, C), device time of each, index of the first."""

    def __init__(self, n_channels: int) -> None:
        self.n_channels = n_channels
        self.counts: NDArray[np.int16] = np.empty((0, n_channels), dtype="<i2")
        self.t_us: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self.index = 0

    def __len__(self) -> int:
        return len(self.counts)

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
        self.state = PenState(descriptor)
        self._wanted_batch = batch
        self._mtu = mtu
        self.set_faults(faults or Faults())
        self._decoder = FrameDecoder() if mtu is None else NotificationDecoder()
        self._waiting = _Batcher(len(self._stream.channels))
        self._seq = dict.fromkeys(FrameType, 0)
        self._last_sample_us: int | None = None
        self._next_flags = Flag.NONE
        self._last: tuple[Command, Response] | None = None

    def set_faults(self, faults: Faults) -> None:
        """From now on these go wrong; what the wire still held back is lost."""
        self._faults = faults
        self._wire = FaultyWire(faults, delimiter=DELIMITER if self._mtu is None else b"")
        self._overrun_rng = np.random.default_rng(faults.seed)

    @property
    def descriptor(self) -> Descriptor:
        """As commands have changed it (rate, name)."""
        return self.state.descriptor

    @property
    def streaming(self) -> bool:
        return self.state.streaming

    @property
    def counters(self) -> commands.PenCounters:
        return self.state.counters

    @property
    def batch(self) -> int:
        """Samples in a full DATA frame; 0 when the link cannot carry even one."""
        wanted = self._wanted_batch or batch_size(self._stream.rate_hz)
        if self._mtu is None:
            return min(wanted, (MAX_FRAME_BYTES - OVERHEAD_BYTES) // self._stream.sample_bytes)
        return min(wanted, samples_per_notification(self._mtu, len(self._stream.channels)))

    def link_mtu(self, mtu: int) -> None:
        """The ATT MTU that this connection agreed on (BLE only): what frames and answers may hold."""
        if self._mtu is None:
            raise ValueError("a pen on a serial line has no MTU.")
        self._mtu = mtu

    def receive(self, raw: bytes, *, now_us: int | None = None) -> list[bytes]:
        """Host bytes in, wire items out; `now_us` is the pen's clock (default: that of the last sample)."""
        if now_us is not None:
            self.state.now_us = now_us
        items: list[bytes] = []
        for frame in self._decoder.feed(raw):
            if frame.type is FrameType.CMD:
                items += self._command(frame)
        return items

    def take(self, counts: NDArray[np.int16], t_us_first: int) -> list[bytes]:
        """Samples (n, C) the sensors took, the first one at device microsecond `t_us_first`.

        The index counts them always; wire items come out only while streaming. A clock that steps back
        is said in the frame (DISCONTINUITY).
        """
        if not len(counts):
            return []
        index, stepped_back = self._count(len(counts), t_us_first)
        if not self.streaming:
            return []
        items: list[bytes] = []
        if stepped_back:
            items += self._flush()
            self._next_flags |= Flag.DISCONTINUITY
        t_us = t_us_first + np.rint(np.arange(len(counts)) * self._stream.period_us).astype(np.int64)
        self._waiting.add(np.ascontiguousarray(counts, dtype="<i2"), t_us, index)
        while len(self._waiting) >= self.batch:
            items += self._data_frame(self.batch)
        return items

    def log(self, text: str) -> list[bytes]:
        """A line of the pen's own log."""
        return self._send(Frame(FrameType.LOG, self._next_seq(FrameType.LOG), payload=text.encode()))

    def disconnect(self) -> None:
        """The host is gone: streaming stops, half a command is forgotten, samples keep being counted."""
        self.state.streaming = False
        self._decoder.reset()
        self._wire.reset()
        self._last = None
        self._waiting = _Batcher(self._waiting.n_channels)

    def reboot(self, boot_id: int) -> None:
        """The pen starts again: new boot id; index, sequence numbers and clock from 0; settings are kept."""
        self.disconnect()
        old = self.state
        descriptor = replace(old.descriptor, boot_id=boot_id)
        self.state = PenState(descriptor, resets=old.resets + 1, calibration=old.calibration)
        self._seq = dict.fromkeys(FrameType, 0)
        self._last_sample_us = None
        self._next_flags = Flag.NONE

    @property
    def _stream(self) -> StreamSpec:
        return self.state.descriptor.streams[0]

    def _count(self, n: int, t_us_first: int) -> tuple[int, bool]:
        """Index of the first of n new samples, and whether the clock stepped back before it."""
        index, last_us = self.state.index, self._last_sample_us
        period_us = self._stream.period_us
        self.state.index = (index + n) & _U32
        self.state.now_us = t_us_first + round(n * period_us)
        self._last_sample_us = t_us_first + round((n - 1) * period_us)
        return index, last_us is not None and t_us_first < last_us

    def _next_seq(self, kind: FrameType) -> int:
        seq = self._seq[kind]
        self._seq[kind] = (seq + 1) & _U16
        return seq

    def _send(self, frame: Frame) -> list[bytes]:
        if self._faults.silent:
            return []
        self.state.frames_sent += 1
        raw = encode_frame(frame, version=self._faults.version)
        wire = to_serial(raw) if self._mtu is None else raw
        if frame.type is FrameType.RSP and not self._faults.responses:
            return [wire]
        return self._wire.push(wire)

    def _data_frame(self, n: int) -> list[bytes]:
        """The sequence number is given when a frame leaves the queue: a dropped one makes no gap in it."""
        counts, index, t_us = self._waiting.take(n)
        if self._faults.no_samples or self._overrun():
            return []
        flags = self._next_flags | self.state.epoch
        if clipped_rows(counts, self._stream).any():
            flags |= Flag.CLIPPED
        self._next_flags = Flag.NONE
        seq = self._next_seq(FrameType.DATA)
        return self._send(
            Frame(FrameType.DATA, seq, self._stream.id, n, flags, index & _U32, t_us & _U32, counts.tobytes())
        )

    def _overrun(self) -> bool:
        if not self._faults.overrun or self._overrun_rng.random() >= self._faults.overrun:
            return False
        self.state.overruns += 1
        self._next_flags |= Flag.OVERRUN
        return True

    def _flush(self) -> list[bytes]:
        """The samples of an unfinished batch, and what the wire held back."""
        items = self._data_frame(len(self._waiting)) if len(self._waiting) else []
        return items + self._wire.finish()

    def _command(self, frame: Frame) -> list[bytes]:
        try:
            command = parse_command(frame)
        except ProtocolError:
            return []
        if self._last is not None and self._last[0] == command:
            return self._answer(self._last[1])
        before = self._flush() if self.streaming and command.op in (Op.STOP, Op.SET_RATE) else []
        was_streaming = self.streaming
        response = self._carry_out(command)
        if self.streaming and not was_streaming:
            self._waiting = _Batcher(self._waiting.n_channels)
        self._last = (command, response)
        return before + self._answer(response)

    def _carry_out(self, command: Command) -> Response:
        if command.op == Op.START and self.batch < 1:
            return Response(command.op, command.tag, Status.MTU_TOO_SMALL)
        status, contents = carry_out(self.state, command)
        if self._mtu is not None and len(contents) > self._room(self._mtu):
            contents = b""
        return Response(command.op, command.tag, status, contents)

    @staticmethod
    def _room(mtu: int) -> int:
        """Bytes an answer can carry; a descriptor that is longer is read from its own characteristic."""
        return notification_bytes(mtu) - OVERHEAD_BYTES - _ANSWER_HEAD_BYTES

    def _answer(self, response: Response) -> list[bytes]:
        return self._send(response_frame(response, self._next_seq(FrameType.RSP)))
