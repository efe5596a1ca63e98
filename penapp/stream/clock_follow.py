"""A live clock that follows an assembler from frame to frame, and the time that breaks took."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import hypot, inf

from firmware_protocol.commands import TimeSyncReading
from firmware_protocol.errors import ProtocolError
from firmware_protocol.framing import Frame, FrameType
from firmware_protocol.messages import Op, parse_response
from penapp.device.source import ArrivedFrame
from penapp.stream.assemble import StreamAssembler
from penapp.stream.clock import MAX_SKEW, ClockReading, HostTime, Ping
from penapp.stream.clock_live import LiveClock
from penapp.stream.moment import Break, Moment
from penapp.stream.unwrap import signed

LONG_GAP_S = 1.0
"""A gap within one boot is listed as a break from this length on; shorter ones are in `SampleBlock.lost`."""
KEPT_BREAKS = 1024
REFINE_S = 120.0
"""So long after a restart of the pen its new clock may still say better when it began."""
STAMP_S = 1e-6


@dataclass(frozen=True, slots=True)
class _Placed:
    """The newest placed frame: where it stood, and what the clock said of it (None: no arrival time)."""

    moment: Moment
    host: HostTime | None


class ClockFollower:
    """Feed it the frames that an assembler has placed, with their arrivals.

    A new boot begins a new clock; a gap within one boot leaves the clock as it is. Frames without an arrival
    (0: recordings of old) say nothing about the host's clock. One thread pushes, any thread reads `reading`
    and `breaks`.

    reading: how the clock of the running segment stands
    breaks:  between segments, and gaps of a second and more within one; the last 1,024, oldest first
    """

    def __init__(self, clock: LiveClock | None = None) -> None:
        self._clock = clock or LiveClock()
        self.reset()

    def reset(self) -> None:
        self._clock.reset()
        self._placed: _Placed | None = None
        self._ended: HostTime | None = None
        self._restarted = False
        self._best_s = inf
        self.reading = ClockReading()
        self.breaks: tuple[Break, ...] = ()

    @property
    def newest(self) -> HostTime | None:
        """When the newest sample was taken, on the host's clock; None where nobody knows."""
        return self._placed.host if self._placed is not None else None

    def following(self, assembler: StreamAssembler, batch: Iterable[ArrivedFrame]) -> Iterator[Frame]:
        """The frames of a batch; whoever takes them pushes each to the assembler before taking the next."""
        for arrived in batch:
            before = assembler.newest
            yield arrived.frame
            if assembler.newest is not None and assembler.newest is not before:
                self.push(assembler.newest, arrived.arrival_ns)
            elif arrived.frame.type is FrameType.RSP:
                self.answer(arrived)

    def push(self, moment: Moment, arrival_ns: int) -> Break | None:
        """A frame was placed, its bytes arrived then; returns the break before it, if there was one."""
        last = self._placed
        if last is not None and moment.segment != last.moment.segment:
            self._begin_segment(last, restarted=moment.lost is None)
        host = self._clock.push(moment.last_s, arrival_ns * 1e-9) if arrival_ns else None
        self._placed = _Placed(moment, host)
        self.reading = self._clock.reading
        found = self._break(last, moment) if last is not None else None
        if found is not None:
            self.breaks = (*self.breaks[1 - KEPT_BREAKS :], found)
        elif self._restarted and moment.last_s < REFINE_S:
            self._refine(moment.segment)
        return found

    def answer(self, arrived: ArrivedFrame) -> None:
        """An answer to TIME_SYNC; any other frame, or an answer that fits no moment, is left alone."""
        reading = _time_sync(arrived.frame)
        if reading is None or self._placed is None or self._placed.host is None:
            return
        moment = self._placed.moment
        rx_s, tx_s = (_in_segment(us, moment) for us in (reading.device_rx_us, reading.device_tx_us))
        ping = Ping(reading.host_us * 1e-6, rx_s, tx_s, arrived.arrival_ns * 1e-9)
        if 0.0 <= ping.round_trip_s < LONG_GAP_S and abs(rx_s - moment.last_s) < REFINE_S:
            self._clock.ping(ping)

    def _begin_segment(self, last: _Placed, *, restarted: bool) -> None:
        self._ended = self._clock.at(last.moment.last_s) if last.host is not None else None
        self._restarted = restarted
        self._best_s = inf
        self._clock.reset()

    def _break(self, last: _Placed, moment: Moment) -> Break | None:
        if moment.lost is None:
            return self._across_boots(moment.segment)
        if moment.segment != last.moment.segment:
            duration_s, rate_sd = (moment.lost + 1) * moment.period_s, MAX_SKEW
        else:
            duration_s, rate_sd = moment.first_s - last.moment.last_s, self.reading.skew_sd_ppm * 1e-6
            if not moment.lost or duration_s < LONG_GAP_S:
                return None
        host_s = duration_s * (1.0 + self.reading.skew_ppm * 1e-6)
        return Break(moment.segment, host_s, hypot(STAMP_S, duration_s * rate_sd), moment.lost)

    def _across_boots(self, segment: int) -> Break:
        """Only the host's clock saw both sides."""
        if self._ended is None or self.newest is None:
            return Break(segment, 0.0, inf, None)
        began = self._clock.at(0.0)
        duration_s = max(0.0, began.host_s - self._ended.host_s)
        return Break(segment, duration_s, hypot(began.uncertainty_s, self._ended.uncertainty_s), None)

    def _refine(self, segment: int) -> None:
        """The new clock has settled a little: it may say better now when its segment began."""
        now = self._across_boots(segment)
        if now.uncertainty_s < self._best_s:
            self._best_s = now.uncertainty_s
            self.breaks = tuple(now if b.segment == segment and b.lost is None else b for b in self.breaks)


def _time_sync(frame: Frame) -> TimeSyncReading | None:
    try:
        response = parse_response(frame)
        if response.op != Op.TIME_SYNC or not response.ok:
            return None
        return TimeSyncReading.decode(response.data)
    except ProtocolError:
        return None


def _in_segment(device_us: int, moment: Moment) -> float:
    """Seconds since the first sample of the segment, from a stamp near the newest frame."""
    return moment.first_s + signed(device_us - moment.t_us) * 1e-6
