"""A host that speaks to pens on the simulated radio with nothing but bleak."""

from __future__ import annotations

import asyncio
import contextlib
import functools

import numpy as np
from bleak import BleakClient, BleakScanner

from firmware_protocol.commands import ALL_STREAMS, START_ARGS
from firmware_protocol.descriptor import Descriptor, standard_descriptor
from firmware_protocol.framing import FrameType, NotificationDecoder, encode_frame
from firmware_protocol.links import CONTROL_UUID, DATA_UUID, DESCRIPTOR_UUID, RESPONSE_UUID, SERVICE_UUID
from firmware_protocol.messages import Command, Op, command_frame, join_samples, parse_response
from penapp.device.virtual_ble.client import RadioClient
from penapp.device.virtual_ble.radio import SimulatedRadio
from penapp.device.virtual_ble.scanner import RadioScanner

PATIENCE_S = 20.0
"""For things that must happen; only a failing test waits that long."""


class CountingInk:
    """n samples at 400 Hz; channel 0 counts them modulo 30,000, so that none can be mistaken for another."""

    def __init__(self, n, rate_hz=400.0, *, boot_id=7):
        self.descriptor = standard_descriptor(rate_hz, boot_id=boot_id, name="counting pen")
        self.n, self.at = n, 0

    def read(self, n):
        if self.at >= self.n:
            return None
        part = counted(self.at, min(n, self.n - self.at))
        self.at += len(part)
        return part


def counted(first, n):
    """(n, 13) int16: what `CountingInk` says from sample `first` on."""
    counts = np.zeros((n, 13), dtype=np.int16)
    counts[:] = ((first + np.arange(n)) % 30_000)[:, None]
    counts[:, 1:] -= np.arange(1, 13, dtype=np.int16)
    return counts


def scanner(radio, on_seen=None, services=(SERVICE_UUID,)):
    """radio: a simulated one, or any adapter."""
    adapter = getattr(radio, "adapter", radio)
    return BleakScanner(on_seen, list(services) or None, backend=RadioScanner, radio=adapter)


async def found(radio, address):
    """The pen's BLEDevice, as soon as it is heard."""
    async with asyncio.timeout(PATIENCE_S), scanner(radio) as scan:
        async for device, _ in scan.advertisement_data():
            if device.address == address:
                return device
    return None


async def eventually(true):
    """Wait for a state that nobody announces."""
    async with asyncio.timeout(PATIENCE_S):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


class Host:
    """One connection to one pen: `async with Host(radio, pen) as host`."""

    def __init__(self, radio, pen, *, timeout=PATIENCE_S):
        self.lost = asyncio.Event()
        self.client = BleakClient(
            pen if isinstance(pen, str) else pen.address,
            lambda _client: self.lost.set(),
            timeout=timeout,
            backend=RadioClient,
            radio=getattr(radio, "adapter", radio),
        )
        self.decoder = NotificationDecoder()
        self.frames, self.answers = [], []
        self._news = asyncio.Event()
        self._tag = 0
        self.descriptor = None

    async def __aenter__(self):
        await self.client.connect()
        return self

    async def __aexit__(self, *_error):
        await self.client.disconnect()

    async def listen(self):
        self.descriptor = Descriptor.decode(bytes(await self.client.read_gatt_char(DESCRIPTOR_UUID)))
        for uuid in (RESPONSE_UUID, DATA_UUID):
            await self.client.start_notify(uuid, self._arrived)

    def _arrived(self, _from, value):
        for frame in self.decoder.feed(bytes(value)):
            if frame.type is FrameType.RSP:
                self.answers.append(parse_response(frame))
            else:
                self.frames.append(frame)
        self._news.set()

    async def gone(self):
        """Wait to be told that the link has ended."""
        async with asyncio.timeout(PATIENCE_S):
            await self.lost.wait()

    async def until(self, true):
        """Wait for a condition over what has arrived."""
        async with asyncio.timeout(PATIENCE_S):
            while not true():
                self._news.clear()
                await self._news.wait()

    async def ask(self, op, args=b"", *, response=True):
        self._tag += 1
        raw = encode_frame(command_frame(Command(op, self._tag, args), self._tag))
        await self.client.write_gatt_char(CONTROL_UUID, raw, response=response)
        await self.until(lambda: any(a.tag == self._tag for a in self.answers))
        return self.answers[-1]

    async def start(self):
        return await self.ask(Op.START, START_ARGS.pack(ALL_STREAMS, self.descriptor.schema_hash))

    async def samples(self, n):
        """Wait until at least n samples have arrived; what has arrived, (m, 13) counts."""
        await self.until(lambda: sum(f.n for f in self.frames) >= n)
        return join_samples(self.frames, 13)

    async def all_samples(self, n):
        """Every sample of an ink of n, the unfinished batch at its end included."""
        await self.samples(n - n % 8)
        await self.ask(Op.STOP)
        return join_samples(self.frames, 13)

    def gaps(self):
        """Samples missing before each frame but the first."""
        pairs = zip(self.frames, self.frames[1:], strict=False)
        return [later.index - earlier.index - earlier.n for earlier, later in pairs]


def on_radio(test):
    """Run an async test in a loop of its own with a radio; nothing may be left running on it."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        async def body():
            async with SimulatedRadio() as radio:
                await test(radio, *args, **kwargs)
            for _ in range(3):
                await asyncio.sleep(0)
            return asyncio.all_tasks() - {asyncio.current_task()}

        assert asyncio.run(body()) == set()

    del run.__wrapped__
    run.__signature__ = _without_radio(test)
    return run


def _without_radio(test):
    import inspect

    signature = inspect.signature(test)
    return signature.replace(parameters=list(signature.parameters.values())[1:])


@contextlib.asynccontextmanager
async def listening(radio, pen):
    async with Host(radio, pen) as host:
        await host.listen()
        yield host
