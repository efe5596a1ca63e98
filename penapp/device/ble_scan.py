"""Which Bluetooth pens are near: every advertisement becomes a sighting with its signal strength."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

from firmware_protocol.links import SERVICE_UUID
from penapp.device.ble_diagnosis import Step, ble_error, not_found
from penapp.device.ble_errors import PenNotFoundError, SeveralPensError
from penapp.device.radio import PEN_SERVICES, Radio

if TYPE_CHECKING:
    from bleak import BleakScanner
    from bleak.backends.device import BLEDevice
    from bleak.backends.scanner import AdvertisementData

log = logging.getLogger(__name__)

ROUND_S = 1.5
"""A scan begins anew after so long: one that ran when Bluetooth was switched off stays deaf."""
NO_RSSI_DBM = -127
"""What bleak gives when the system told no signal strength."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A device that was heard.

    device:   what bleak connects to
    name:     as advertised, empty while it is not known
    rssi_dbm: signal strength of the last advertisement, None when the system does not tell
    seen_s:   `time.monotonic` of the last advertisement
    is_pen:   it advertises the pen service (False: the Nordic UART alone, or nothing)
    """

    device: BLEDevice
    name: str
    rssi_dbm: int | None
    seen_s: float
    is_pen: bool

    @property
    def address(self) -> str:
        return self.device.address


class PenScanner:
    """Scans while it is entered; all on one loop. `on_change` follows every advertisement.

    services: what must be advertised; None = anything (to find an address that was named)
    Entering raises the `BluetoothError` that fits an adapter that is absent, off or denied.
    """

    def __init__(
        self,
        radio: Radio,
        *,
        services: tuple[str, ...] | None = PEN_SERVICES,
        on_change: Callable[[], None] | None = None,
    ) -> None:
        self._radio = radio
        self._services = services
        self._on_change = on_change
        self._seen: dict[str, Sighting] = {}
        self._changed = asyncio.Event()
        self._scanner: BleakScanner | None = None

    async def __aenter__(self) -> Self:
        try:
            self._scanner = self._radio.scan(self._heard, services=self._services)
            await self._scanner.start()
        except Exception as error:
            raise ble_error(error, "the pen", Step.SCAN) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._scanner is None:
            return
        try:
            await self._scanner.stop()
        except Exception as fault:  # noqa: BLE001 -- the adapter went away: nothing scans any more
            log.info("scan ended by itself: %s", fault)

    def sightings(self) -> tuple[Sighting, ...]:
        """What is near, pens first and the strongest of them first; what the system forgot is left out."""
        kept = {device.address for device in self._scanner.discovered_devices} if self._scanner else set()
        near = [sighting for address, sighting in self._seen.items() if address in kept]
        return tuple(sorted(near, key=lambda s: (not s.is_pen, -(s.rssi_dbm or NO_RSSI_DBM), s.address)))

    async def wait_for(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Until an advertisement makes `condition` true; False after `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    def _heard(self, device: BLEDevice, heard: AdvertisementData) -> None:
        before = self._seen.get(device.address)
        name = heard.local_name or device.name or (before.name if before else "")
        self._seen[device.address] = Sighting(
            device,
            name,
            heard.rssi if heard.rssi > NO_RSSI_DBM else None,
            time.monotonic(),
            SERVICE_UUID in heard.service_uuids,
        )
        self._changed.set()
        if self._on_change is not None:
            self._on_change()


async def find_pen(radio: Radio, address: str, *, patience_s: float, settle_s: float) -> Sighting:
    """The pen with this address; with an empty one the only pen that is near.

    settle_s: how long to listen for others once a pen without an address was heard
    Raises PenNotFoundError, SeveralPensError or what the adapter has to say.
    """
    if address:
        return await _by_address(radio, address, patience_s)
    async with PenScanner(radio) as scanner:
        if not await scanner.wait_for(lambda: bool(scanner.sightings()), patience_s):
            raise PenNotFoundError(
                f"no pen was heard in {patience_s:g} s.", advice="Switch the pen on and bring it near."
            )
        await scanner.wait_for(lambda: False, settle_s)
        near = scanner.sightings()
    candidates = [sighting for sighting in near if sighting.is_pen] or list(near)
    if len(candidates) > 1:
        raise _several(candidates)
    return candidates[0]


async def _by_address(radio: Radio, address: str, patience_s: float) -> Sighting:
    connected = await radio.connected(address)
    if connected is not None:
        return Sighting(connected, connected.name or "", None, time.monotonic(), is_pen=True)
    wanted = address.casefold()

    def here() -> list[Sighting]:
        return [s for s in scanner.sightings() if s.address.casefold() == wanted]

    until_s = time.monotonic() + patience_s
    while (left_s := until_s - time.monotonic()) > 0:
        async with PenScanner(radio, services=None) as scanner:
            if await scanner.wait_for(lambda: bool(here()), min(ROUND_S, left_s)):
                return here()[0]
    raise not_found(f"a pen with the address {address}")


def _several(near: list[Sighting]) -> SeveralPensError:
    listed = ", ".join(f"{s.name or 'without a name'} ({s.address}, {s.rssi_dbm} dBm)" for s in near)
    return SeveralPensError(
        f"{len(near)} pens are near: {listed}.",
        advice=f"Say which one, for example `--pen ble:{near[0].address}`.",
    )
