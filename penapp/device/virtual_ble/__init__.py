"""BLE without a radio: virtual pens and a Bluetooth adapter inside this process, spoken to through bleak.

    async with SimulatedRadio() as radio:
        pen = await radio.add_pen(ink)
        scanner = BleakScanner(backend=RadioScanner, radio=radio.adapter, service_uuids=[SERVICE_UUID])
        client = BleakClient(pen.address, backend=RadioClient, radio=radio.adapter)

Everything above the radio waves is real on both sides: ATT, GATT, L2CAP and HCI are Bumble's (an optional
dependency). This module alone may be imported without Bumble.
"""

from __future__ import annotations

from importlib.util import find_spec

from penapp.errors import DeviceError


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
            advice="Install it (pip install bumble), or choose the virtual pen on the serial line.",
        )
