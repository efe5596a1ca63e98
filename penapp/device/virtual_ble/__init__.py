"""BLE without a radio: virtual pens and a Bluetooth adapter inside this process, spoken to through bleak.

    async with SimulatedRadio() as radio:
        pen = await radio.add_pen(ink)
        scanner = BleakScanner(backend=RadioScanner, radio=radio.adapter, service_uuids=[SERVICE_UUID])
        client = BleakClient(pen.address, backend=RadioClient, radio=radio.adapter)

Everything above the radio waves is real on both sides: ATT, GATT, L2CAP and HCI are Bumble's (an optional
dependency). This module alone may be imported without Bumble; a program needs no more than `virtual_ble_pen`.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from penapp.device.source import CountSource
from penapp.errors import DeviceError

if TYPE_CHECKING:
    from penapp.device.virtual_ble.source import VirtualBlePenSource


class SimulatedRadioMissingError(DeviceError):
    """Bumble, which simulates the radio, is not installed."""


def simulated_radio_installed() -> bool:
    """Whether virtual pens can be reached over a simulated radio here."""
    return find_spec("bumble") is not None


def require_simulated_radio() -> None:
    """Raises `SimulatedRadioMissingError` when there is no Bumble."""
    if not simulated_radio_installed():
        raise SimulatedRadioMissingError(
            "the virtual pen over Bluetooth needs a simulated radio: the package bumble is not installed.",
            advice="Install it (pip install 'penapp[radio]'), or choose the virtual pen on the serial line.",
        )


def virtual_ble_pen(ink: CountSource, *, speed: float | None = 1.0) -> VirtualBlePenSource:
    """A `PenSource`: a pen that writes what `ink` holds, over a radio of its own; loads Bumble.

    Raises `SimulatedRadioMissingError` when there is none. speed: 1.0 = real time, None = as fast as it goes
    """
    require_simulated_radio()
    from penapp.device.virtual_ble.source import VirtualBlePenSource

    return VirtualBlePenSource(ink, speed=speed)
