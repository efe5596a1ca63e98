"""Frames over Bluetooth LE: one in each notification, or the serial stream over the Nordic UART."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from firmware_protocol.descriptor import DESCRIPTOR_VERSION, MAGIC, Descriptor
from firmware_protocol.framing import (
    DELIMITER,
    Frame,
    FrameDecoder,
    NotificationDecoder,
    encode_frame,
    to_serial,
)
from firmware_protocol.links import MIN_MTU, min_mtu
from penapp.device.ble_connect import BleTiming, connect, disconnect
from penapp.device.ble_diagnosis import Step, ble_error, lost, mtu_too_small
from penapp.device.ble_gatt import PenGatt, pen_gatt
from penapp.device.ble_scan import Sighting, find_pen
from penapp.device.diagnosis import no_answer
from penapp.device.errors import PenLostError, ProtocolVersionError
from penapp.device.radio import Radio
from penapp.device.source import LinkCounters
from penapp.device.transport import LinkStage, Sink
from penapp.errors import DeviceError

if TYPE_CHECKING:
    from bleak import BleakClient
    from bleak.backends.characteristic import BleakGATTCharacteristic

log = logging.getLogger(__name__)

KEPT_FIRST_BYTES = 24
VERSION_AT = len(MAGIC)
"""Where a descriptor states its version, in this and every later version."""
MTU_POLL_S = 0.02


class BleTransport:
    """`Transport` over one GATT connection. Pairing is left to the system.

    pen: an address as the system writes it, a sighting from a scan, or "" for the only pen that is near
    """

    def __init__(
        self, pen: str | Sighting = "", *, radio: Radio | None = None, timing: BleTiming | None = None
    ) -> None:
        self._pen = pen
        self._radio = radio or Radio()
        self._timing = timing or BleTiming()
        self._decoder: FrameDecoder | NotificationDecoder = NotificationDecoder()
        self._client: BleakClient | None = None
        self._gatt: PenGatt | None = None
        self._opening: asyncio.Task[None] | None = None
        self._sink: Sink | None = None
        self._ready = self._broken = self._closed = False
        self._received = 0
        self._first_bytes = b""
        self._address = ""
        self.name = _name(pen) if isinstance(pen, Sighting) else pen or "the pen nearby"

    @property
    def address(self) -> str:
        """Of the pen that was found; "" before."""
        return self._address

    @property
    def counters(self) -> LinkCounters:
        seen = self._decoder.counters
        return LinkCounters(self._received, seen.accepted, seen.damaged, seen.foreign_version)

    async def open(self, sink: Sink) -> None:
        """Find, connect, discover, subscribe; raises the `BluetoothError` that fits."""
        self._sink = sink
        self._opening = asyncio.get_running_loop().create_task(self._open(sink))
        try:
            await self._opening
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._closed and not (task is not None and task.cancelling()):
                raise DeviceError(f"{self.name} was closed while it was being opened.") from None
            raise

    async def descriptor(self) -> Descriptor | None:
        """The long read of the descriptor characteristic; None = ask with HELLO. Checks the MTU."""
        gatt, client = self._connected()
        if gatt.descriptor is None:
            if not gatt.serial:
                await self._check_mtu(gatt, MIN_MTU)
            return None
        try:
            raw = bytes(await client.read_gatt_char(gatt.descriptor))
        except Exception as error:
            raise ble_error(error, self.name, Step.TALK, connected=client.is_connected) from error
        if raw[:VERSION_AT] == MAGIC and raw[VERSION_AT:] and raw[VERSION_AT] != DESCRIPTOR_VERSION:
            raise ProtocolVersionError(
                f"{self.name} describes itself in version {raw[VERSION_AT]}, this build reads "
                f"{DESCRIPTOR_VERSION}.",
                advice="Update the older of the two: the pen's firmware or penapp.",
            )
        described = Descriptor.decode(raw)
        await self._check_mtu(gatt, max(min_mtu(len(stream.channels)) for stream in described.streams))
        return described

    async def send(self, frame: Frame) -> None:
        """One command; without response where the pen and the size allow it."""
        raw = encode_frame(frame)
        await self._write(to_serial(raw) if self._connected()[0].serial else raw)

    def release(self) -> None:
        """A radio link knows no back-pressure."""

    async def close(self) -> None:
        """Disconnect; bounded by `close_s` even when the system's Bluetooth hangs."""
        self._closed, self._ready = True, False
        if self._opening is not None and not self._opening.done():
            self._opening.cancel()
            await asyncio.wait([self._opening], timeout=self._timing.close_s)
        await self._disconnect()

    def no_answer(self) -> DeviceError:
        foreign = self._decoder.counters.last_foreign_version
        return no_answer(self.name, self.counters, foreign, self._first_bytes)

    def lost(self) -> PenLostError:
        return lost(self.name)

    async def _open(self, sink: Sink) -> None:
        try:
            sink.stage(LinkStage.SCANNING)
            pen = await self._find()
            self.name, self._address = _name(pen), pen.address
            sink.stage(LinkStage.CONNECTING)
            started_s = time.monotonic()
            self._client = self._radio.client(
                pen.device, self._disconnected, timeout_s=self._timing.connect_s
            )
            await connect(self._client, self.name, self._timing)
            sink.stage(LinkStage.DISCOVERING)
            self._gatt = pen_gatt(self._client.services, self.name)
            await self._subscribe(self._gatt, self._client)
        except BaseException:
            await self._disconnect()
            raise
        self._ready = True
        log.info(
            "connected pen=%s mtu=%s after=%.2f s", self.name, self._gatt.mtu, time.monotonic() - started_s
        )

    async def _find(self) -> Sighting:
        if isinstance(self._pen, Sighting):
            return self._pen
        timing = self._timing
        return await find_pen(self._radio, self._pen, patience_s=timing.scan_s, settle_s=timing.settle_s)

    async def _subscribe(self, gatt: PenGatt, client: BleakClient) -> None:
        if gatt.serial:
            self._decoder = FrameDecoder()
        try:
            for characteristic in gatt.notifying:
                await client.start_notify(characteristic, self._arrived)
        except Exception as error:
            raise ble_error(error, self.name, Step.TALK, connected=client.is_connected) from error
        if gatt.serial:
            await self._write(DELIMITER)

    async def _check_mtu(self, gatt: PenGatt, needed: int) -> None:
        """Systems agree on the MTU a moment after the connection: wait for it, then say what was found."""
        deadline = time.monotonic() + self._timing.mtu_s
        while (mtu := gatt.mtu) is not None and mtu < needed:
            if time.monotonic() >= deadline:
                raise mtu_too_small(self.name, mtu, needed)
            await asyncio.sleep(MTU_POLL_S)

    async def _write(self, raw: bytes) -> None:
        gatt, client = self._connected()
        size = gatt.write_bytes if gatt.serial else len(raw)
        for start in range(0, len(raw), size):
            piece = raw[start : start + size]
            try:
                await client.write_gatt_char(gatt.control, piece, response=gatt.needs_answer(len(piece)))
            except Exception as error:
                found = ble_error(error, self.name, Step.TALK, connected=client.is_connected)
                if isinstance(found, PenLostError):
                    raise ConnectionResetError(str(error)) from error
                raise found from error

    def _connected(self) -> tuple[PenGatt, BleakClient]:
        if self._gatt is None or self._client is None or not self._client.is_connected:
            raise ConnectionResetError(f"{self.name} is not connected")
        return self._gatt, self._client

    async def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await disconnect(client, self.name, self._timing.close_s)

    def _arrived(self, _from: BleakGATTCharacteristic, value: bytearray) -> None:
        arrival_ns = time.perf_counter_ns()
        self._received += len(value)
        if len(self._first_bytes) < KEPT_FIRST_BYTES:
            self._first_bytes = (self._first_bytes + bytes(value))[:KEPT_FIRST_BYTES]
        frames = self._decoder.feed(bytes(value))
        if frames and self._sink is not None:
            self._sink.deliver(frames, arrival_ns)

    def _disconnected(self) -> None:
        """Called by bleak, also after our own disconnect and while connecting; tell only a loss in use."""
        if self._ready and not self._broken and self._sink is not None:
            self._broken = True
            self._sink.gone(ConnectionResetError(f"{self.name} disconnected"))


def _name(pen: Sighting) -> str:
    return f"{pen.name} ({pen.address})" if pen.name else pen.address
