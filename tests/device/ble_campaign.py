"""The campaign of faults over Bluetooth: pens on one air, each host with a chip of its own."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter, defaultdict
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from firmware_protocol.fault_plan import FaultKind
from penapp.device.ble_errors import MtuTooSmallError, PairingNeededError
from penapp.device.looked_after import ble_pen
from penapp.device.radio import Radio
from penapp.device.recorded import open_recorded
from penapp.device.virtual_ble.client import RadioClient
from penapp.device.virtual_ble.faults import DEFAULT_MTU, SMALLEST_MTU
from penapp.device.virtual_ble.hci_tcp import ChipServer, RemoteAdapter
from penapp.device.virtual_ble.radio import SimulatedRadio
from penapp.device.virtual_ble.scanner import RadioScanner
from penapp.live import LiveSession, TextCommitted
from penapp.stream.assemble import StreamAssembler
from tests.device.fault_campaign import Campaign, CensusPipeline, EndlessInk, PenRun, letter
from tests.device.toy_pens import EventLog

SPEED = 4.0
EVERY_SAMPLES = 200
PATIENCE_S = 30.0
"""For things that must happen; only a failing campaign waits that long."""
APART = 10_000_000
"""Samples between the first numbers of two pens: what one of them wrote is known as its own."""


class AirThread:
    """`with AirThread() as air`: pens live on a thread of their own, as far from the hosts as real ones."""

    def __enter__(self):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="penapp-air", daemon=True)
        self._thread.start()
        self.radio = self.call(self._begin())
        return self

    def __exit__(self, *_error):
        try:
            self.call(self._end())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def call(self, coroutine):
        """What it comes to; runs where the pens live."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE_S)

    def do(self, act, *arguments):
        """The same for a plain function."""

        async def acting():
            return act(*arguments)

        return self.call(acting())

    async def _begin(self):
        radio = SimulatedRadio()
        await radio.start()
        return radio

    async def _end(self):
        await self.radio.stop()
        for _ in range(3):
            await asyncio.sleep(0)
        await self._loop.shutdown_default_executor()


class Host:
    """One computer on the air: its chip lives where the pens live, its host stack where its session does."""

    def __init__(self, air):
        self._air = air
        self._chips = ChipServer(air.radio.air)
        air.call(self._chips.__aenter__())
        self.source = None

    def pen(self, address):
        """A looked-after pen; its link is `ble_pen`'s."""
        self.source = HostSource(address, self._chips.address)
        return self.source

    def switch(self, on):
        """Bluetooth off or on; called where the pens live."""
        self._chips.switch(on)
        self.source.power(on)

    def close(self):
        self._air.call(self._chips.__aexit__(None, None, None))


class HostSource:
    """`ble_pen` on a host stack that lives as long as it is open."""

    def __init__(self, address, chips):
        self._options = {}
        self._chips = chips
        self._stack = AsyncExitStack()
        self._loop = None
        self._pen = ble_pen(
            address, radio=Radio("the simulated radio", RadioScanner, RadioClient, self._options)
        )
        self.follow, self.time_sync = self._pen.follow, self._pen.time_sync
        self.start, self.frames, self.stop = self._pen.start, self._pen.frames, self._pen.stop

    @property
    def name(self):
        return self._pen.name

    @property
    def counters(self):
        return self._pen.counters

    @property
    def report(self):
        return self._pen.report

    async def open(self):
        self._loop = asyncio.get_running_loop()
        self._options["radio"] = await self._stack.enter_async_context(RemoteAdapter(self._chips))
        return await self._pen.open()

    async def close(self):
        await self._pen.close()
        await self._stack.aclose()

    def power(self, on):
        self._loop.call_soon_threadsafe(partial(self._options["radio"].power, on=on))


class BlePenRun(PenRun):
    """One Bluetooth pen with its plan, one session on it."""

    SUFFIX, PLACE = "mcap", "PEN"
    air: AirThread

    def _plugged_in(self, plan):
        self._host = Host(self.air)
        self._ink.at = self._first = self._ink.descriptor.boot_id % 100 * APART
        pen = self.air.call(
            self.air.radio.add_faulty_pen(
                self._ink, plan, speed=SPEED, on_fault=self._host_stall, received=self._receives
            )
        )
        pen.switch_adapter = self._host.switch
        return pen

    def _source(self):
        return self._host.pen(self._address)

    def stop(self):
        self._session.stop()
        self.air.call(self.air.radio.remove_pen(self._address))
        self._host.close()

    def _misread(self, runs):
        foreign = [run for run in runs if not self._first <= run[0] <= run[1] < self._first + APART]
        return [f"samples of another pen: {run}" for run in foreign] + super()._misread(runs)


def ble_campaign(air: AirThread, count: int, pens: int, seed: int, kinds=tuple(FaultKind)) -> Campaign:
    """Not run yet."""
    make_run = type("BlePenRunHere", (BlePenRun,), {"air": air})
    return Campaign(
        count, pens, seed, every_samples=EVERY_SAMPLES, carrier="Bluetooth", make_run=make_run, kinds=kinds
    )


REFUSALS = {
    "MTU 23": (MtuTooSmallError, "an MTU of 23 bytes, one sample of this pen needs 49"),
    "access denied": (PairingNeededError, "talks to paired computers alone"),
}


class Refusals:
    """A pen refuses: on the first connect; then, after a good session, in mid-session. Each said as it is.

    done:    how often each kind was refused as it must be
    seconds: from the loss of the link to the end of the session, for each kind in mid-session
    """

    def __init__(self, air: AirThread, times: int) -> None:
        self.kind = ""
        self.done: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self._air, self._times = air, times

    def run(self) -> None:
        host = Host(self._air)
        pen = self._air.call(self._air.radio.add_pen(EndlessInk(9000), speed=SPEED))
        try:
            for k in range(self._times):
                self.kind, later = list(REFUSALS)[:: -1 if k % 2 else 1]
                self._refuse(pen, refusing=True)
                self._refused_at_first(host, pen)
                self._refuse(pen, refusing=False)
                self.kind = later
                self._refused_later(host, pen)
                self._refuse(pen, refusing=False)
        except Exception as error:  # noqa: BLE001 -- told by the campaign
            self.wrong.append(f"{self.kind}: {type(error).__name__}: {error}")
        finally:
            self._air.call(self._air.radio.remove_pen(pen.address))
            host.close()

    def _refuse(self, pen, *, refusing):
        if self.kind == "MTU 23":
            self._air.do(pen.limit_mtu, SMALLEST_MTU if refusing else DEFAULT_MTU)
        else:
            self._air.do(setattr, pen, "denied", refusing)

    def _refused_at_first(self, host, pen):
        session = LiveSession(host.pen(pen.address), CensusPipeline, on_event=EventLog())
        session.start()
        self._expect(session, "at first")

    def _refused_later(self, host, pen):
        log = EventLog()
        with TemporaryDirectory() as folder:
            path = Path(folder) / "session.mcap"
            session = LiveSession(host.pen(pen.address), CensusPipeline, record_to=path, on_event=log)
            session.start()
            log.wait_for(lambda event: isinstance(event, TextCommitted), PATIENCE_S)
            began_s = time.monotonic()
            self._refuse(pen, refusing=True)
            self._air.do(pen.lose_link)
            self._expect(session, "in mid-session")
            self.seconds[self.kind].append(time.monotonic() - began_s)
            self._kept(log, session, path)

    def _expect(self, session, when):
        if not session.wait(PATIENCE_S):
            session.stop()
            self.wrong.append(f"{self.kind} {when}: the session went on")
            return
        kind, words = REFUSALS[self.kind]
        if not isinstance(session.error, kind) or words not in str(session.error):
            self.wrong.append(f"{self.kind} {when}: {session.error!r}")
        self.done[self.kind] += 1

    def _kept(self, log, session, path):
        words = [event.hypothesis.text for event in log.of(TextCommitted)]
        for word in words[:-1]:  # the first may have begun before the session, the last was cut off
            if word[0] != letter(int(word[1:])):
                self.wrong.append(f"{self.kind}: {word} was read")
        recording = open_recorded(path)
        assembler = StreamAssembler(recording.descriptor)
        for frames in recording.frames():
            for frame in frames:
                assembler.push(frame)
        recording.close()
        recorded, seen = assembler.counters.samples, session.status().samples
        if recorded != seen or not seen:
            self.wrong.append(f"{self.kind}: {recorded} samples recorded, {seen} seen")
