"""The GATT table of a pen: our service, battery, device information; and the advertisement."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bumble import att, gatt
from bumble.core import UUID, AdvertisingData
from bumble.device import Connection
from bumble.gatt_server import Server
from bumble.profiles.battery_service import BatteryService
from bumble.profiles.device_information_service import DeviceInformationService

from firmware_protocol.descriptor import Descriptor
from firmware_protocol.links import (
    CONTROL_UUID,
    DATA_UUID,
    DESCRIPTOR_UUID,
    RESPONSE_UUID,
    SERVICE_UUID,
)

ADVERTISEMENT_BYTES = 31
NAME_BYTES = 8
"""What flags (3) and a 128-bit UUID (18) leave of 31 bytes, less two for the name's own header."""
_FLAGS = bytes([2, AdvertisingData.FLAGS, 0x06])
_Property = gatt.Characteristic.Properties
_OPEN = att.Attribute.Permissions.READABLE | att.Attribute.Permissions.WRITEABLE


@dataclass(frozen=True, slots=True)
class PenCallbacks:
    """What the GATT table asks the pen.

    describe:        the capability descriptor as it is now
    battery_percent: 0-100
    command:         one CMD frame from the host
    denied:          nobody may do anything (no pairing)
    """

    describe: Callable[[], Descriptor]
    battery_percent: Callable[[], int]
    command: Callable[[bytes], Awaitable[None]]
    denied: Callable[[], bool]


class PenServices:
    """The characteristics of one pen. data, response: what notifications go out on."""

    def __init__(self, ask: PenCallbacks) -> None:
        self._ask = ask
        self.data = gatt.Characteristic[bytes](DATA_UUID, _Property.NOTIFY, _OPEN)
        self.response = gatt.Characteristic[bytes](RESPONSE_UUID, _Property.NOTIFY, _OPEN)
        control = gatt.Characteristic[bytes](
            CONTROL_UUID,
            _Property.WRITE | _Property.WRITE_WITHOUT_RESPONSE,
            _OPEN,
            gatt.CharacteristicValue(write=self._write),
        )
        descriptor = gatt.Characteristic[bytes](
            DESCRIPTOR_UUID, _Property.READ, _OPEN, gatt.CharacteristicValue(read=self._read)
        )
        pen = gatt.Service(SERVICE_UUID, [self.data, control, self.response, descriptor])
        battery = BatteryService(lambda _connection: ask.battery_percent())
        self._services = [pen, battery, _about(ask.describe())]

    def attach(self, server: Server) -> None:
        """Put everything into a GATT server. Subscribing asks for permission like reading and writing."""
        for characteristic in (self.data, self.response):
            characteristic.descriptors = (self._subscription(server, characteristic),)
        server.add_services(self._services)

    def _subscription(self, server: Server, characteristic: gatt.Characteristic[bytes]) -> gatt.Descriptor:
        def write(bearer: att.Bearer, value: bytes) -> None:
            self._check()
            server.write_cccd(bearer, characteristic, value)

        return gatt.Descriptor(
            gatt.GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR,
            _OPEN,
            att.AttributeValueV2(lambda bearer: server.read_cccd(bearer, characteristic), write),
        )

    def _read(self, _connection: Connection) -> bytes:
        self._check()
        return self._ask.describe().encode()

    async def _write(self, _connection: Connection, frame: bytes) -> None:
        self._check()
        await self._ask.command(bytes(frame))

    def _check(self) -> None:
        if self._ask.denied():
            raise att.ATT_Error(att.ErrorCode.INSUFFICIENT_AUTHENTICATION)


def _about(descriptor: Descriptor) -> DeviceInformationService:
    return DeviceInformationService(
        manufacturer_name="penapp",
        model_number=f"hardware {descriptor.hardware_id}",
        serial_number=descriptor.device_id.hex(),
        firmware_revision=descriptor.firmware,
    )


def advertisement(name: str) -> bytes:
    """Flags, service UUID and as much of the name as fits (then marked as shortened), at most 31 bytes."""
    whole = name.encode()
    short = whole[:NAME_BYTES].decode(errors="ignore").encode()
    name_type = (
        AdvertisingData.COMPLETE_LOCAL_NAME if short == whole else AdvertisingData.SHORTENED_LOCAL_NAME
    )
    uuid = bytes(UUID(SERVICE_UUID))
    parts = [
        _FLAGS,
        bytes([1 + len(uuid), AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS]) + uuid,
        bytes([1 + len(short), name_type]) + short,
    ]
    return b"".join(parts)
