"""Which characteristics of a connected device carry the pen's frames, and how many bytes fit them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from firmware_protocol.links import (
    ATT_OVERHEAD_BYTES,
    CONTROL_UUID,
    DATA_UUID,
    DESCRIPTOR_UUID,
    NORDIC_UART_RX_UUID,
    NORDIC_UART_TX_UUID,
    NORDIC_UART_UUID,
    RESPONSE_UUID,
    SERVICE_UUID,
)
from penapp.device.ble_diagnosis import not_a_pen

if TYPE_CHECKING:
    from bleak.backends.characteristic import BleakGATTCharacteristic
    from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection

DEFAULT_MTU = 23


@dataclass(frozen=True, slots=True)
class PenGatt:
    """The characteristics in use.

    control:    where commands are written
    notifying:  where answers and samples come from, in the order in which they are subscribed to
    descriptor: read for the capability descriptor; None = ask with HELLO
    serial:     True = the serial byte stream over the Nordic UART, False = one frame in each notification
    """

    control: BleakGATTCharacteristic
    notifying: tuple[BleakGATTCharacteristic, ...]
    descriptor: BleakGATTCharacteristic | None
    serial: bool

    @property
    def write_bytes(self) -> int:
        """What one write without response may carry."""
        return self.control.max_write_without_response_size

    def needs_answer(self, size: int) -> bool:
        """Whether a write of `size` bytes must be one with response."""
        plain = "write-without-response" in self.control.properties
        return not plain or size > self.write_bytes

    @property
    def mtu(self) -> int | None:
        """The ATT MTU; None where the system does not tell (BlueZ before 5.62)."""
        mtu = self.write_bytes + ATT_OVERHEAD_BYTES
        return None if mtu == DEFAULT_MTU and _unknown(self.control) else mtu


def pen_gatt(services: BleakGATTServiceCollection, place: str) -> PenGatt:
    """The pen service if it is there, else the Nordic UART; NotAPenError names what is there instead."""
    ours, uart = services.get_service(SERVICE_UUID), services.get_service(NORDIC_UART_UUID)
    if ours is not None:
        wanted = _all(ours, CONTROL_UUID, RESPONSE_UUID, DATA_UUID)
        if wanted is not None:
            control, *notifying = wanted
            return PenGatt(control, tuple(notifying), ours.get_characteristic(DESCRIPTOR_UUID), serial=False)
    elif uart is not None:
        wanted = _all(uart, NORDIC_UART_RX_UUID, NORDIC_UART_TX_UUID)
        if wanted is not None:
            return PenGatt(wanted[0], (wanted[1],), None, serial=True)
    raise not_a_pen(place, (service.description for service in services))


def _all(service: BleakGATTService, *uuids: str) -> list[BleakGATTCharacteristic] | None:
    found = [service.get_characteristic(uuid) for uuid in uuids]
    present = [characteristic for characteristic in found if characteristic is not None]
    return present if len(present) == len(uuids) else None


def _unknown(control: BleakGATTCharacteristic) -> bool:
    """BlueZ keeps a characteristic as (path, properties); an old one has no MTU among them."""
    kept = control.obj
    return isinstance(kept, tuple) and len(kept) > 1 and isinstance(kept[1], dict) and "MTU" not in kept[1]
