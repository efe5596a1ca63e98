"""bleak's scanner on our adapter: `BleakScanner(backend=RadioScanner, radio=radio.adapter)`."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from bleak.backends.scanner import AdvertisementData, AdvertisementDataCallback, BaseBleakScanner
from bleak.uuids import normalize_uuid_16
from bumble.core import AdvertisingData
from bumble.device import Advertisement, Device

from penapp.device.virtual_ble.adapter import Adapter

_UUID128 = (
    AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
    AdvertisingData.INCOMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
)
_UUID16 = (
    AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
    AdvertisingData.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
)
_NAMES = (AdvertisingData.SHORTENED_LOCAL_NAME, AdvertisingData.COMPLETE_LOCAL_NAME)


class RadioScanner(BaseBleakScanner):
    """One scan at a time for each adapter, as on most systems."""

    def __init__(
        self,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        scanning_mode: Literal["active", "passive"],
        *,
        radio: Adapter,
        **_other_systems: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)
        self._adapter = radio
        self._active = scanning_mode == "active"

    async def start(self) -> None:
        """Raises bleak's error for "Bluetooth is off"."""
        self._adapter.require_power()
        self.seen_devices = {}
        device = self._adapter.device
        device.on(Device.EVENT_ADVERTISEMENT, self._heard)
        await device.start_scanning(active=self._active)

    async def stop(self) -> None:
        device = self._adapter.device
        if self._heard in device.listeners(Device.EVENT_ADVERTISEMENT):
            device.remove_listener(Device.EVENT_ADVERTISEMENT, self._heard)
            await device.stop_scanning()

    def _heard(self, advertisement: Advertisement) -> None:
        uuids, name = _uuids(advertisement.data), _name(advertisement.data)
        if not self.is_allowed_uuid(uuids):
            return
        address = advertisement.address.to_string(with_type_qualifier=False)
        made_up = self._adapter.rssi_dbm
        seen = AdvertisementData(
            local_name=name,
            manufacturer_data={},
            service_data={},
            service_uuids=uuids,
            tx_power=None,
            rssi=advertisement.rssi if made_up is None else made_up(address),
            platform_data=(advertisement,),
        )
        device = self.create_or_update_device(address, address, name, advertisement.address, seen)
        self.call_detection_callbacks(device, seen)


def _uuids(heard: AdvertisingData) -> list[str]:
    found: dict[str, None] = {}
    for kind, raw in heard.ad_structures:
        if kind in _UUID128:
            found |= dict.fromkeys(str(UUID(bytes=part[::-1])) for part in _pieces(raw, 16))
        elif kind in _UUID16:
            found |= dict.fromkeys(normalize_uuid_16(int.from_bytes(p, "little")) for p in _pieces(raw, 2))
    return list(found)


def _pieces(raw: bytes, size: int) -> list[bytes]:
    return [raw[k : k + size] for k in range(0, len(raw) - size + 1, size)]


def _name(heard: AdvertisingData) -> str | None:
    names = [raw.decode(errors="replace") for kind, raw in heard.ad_structures if kind in _NAMES]
    return names[-1] if names else None
