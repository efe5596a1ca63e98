"""From Bumble's view of a peer's GATT table to bleak's."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from bleak.assigned_numbers import gatt_char_props_to_strs
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bumble import core
from bumble.device import Peer
from bumble.gatt_client import CharacteristicProxy


async def discovered(peer: Peer, max_write_bytes: Callable[[], int]) -> BleakGATTServiceCollection:
    """Ask the peer for everything it has: one ATT request after the other."""
    found = BleakGATTServiceCollection()
    for service in await peer.discover_services():
        bleak_service = BleakGATTService(service, service.handle, _text(service.uuid))
        found.add_service(bleak_service)
        for characteristic in await service.discover_characteristics():
            await _add(found, bleak_service, characteristic, max_write_bytes)
    return found


async def _add(
    found: BleakGATTServiceCollection,
    service: BleakGATTService,
    characteristic: CharacteristicProxy[bytes],
    max_write_bytes: Callable[[], int],
) -> None:
    seen = BleakGATTCharacteristic(
        characteristic,
        characteristic.handle,
        _text(characteristic.uuid),
        list(gatt_char_props_to_strs(int(characteristic.properties))),
        max_write_bytes,
        service,
    )
    found.add_characteristic(seen)
    for descriptor in await characteristic.discover_descriptors():
        found.add_descriptor(BleakGATTDescriptor(descriptor, descriptor.handle, _text(descriptor.type), seen))


def _text(uuid: core.UUID) -> str:
    return str(UUID(bytes=uuid.to_bytes(force_128=True)[::-1]))
