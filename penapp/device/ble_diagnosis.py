"""From what bleak and the system raise to the error that names the situation."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from enum import Enum

from penapp.device.ble_errors import (
    BluetoothDeniedError,
    BluetoothError,
    BluetoothOffError,
    MtuTooSmallError,
    NoBluetoothError,
    NotAPenError,
    PairingNeededError,
    PenNotFoundError,
    PenRefusedError,
    SlowDiscoveryError,
)
from penapp.device.diagnosis import RESTART
from penapp.device.errors import PenLostError
from penapp.errors import DeviceError

NEAR = "Switch the pen on, bring it near, and close other programs that may hold it."
PAIR = "Pair it in the system's Bluetooth settings, then connect again."
SERIAL = "A pen on a cable works without: `penapp devices` lists the ports."
AUTHENTICATION = (0x05, 0x08, 0x0C, 0x0F)
"""ATT error codes of a pen that wants an authenticated, authorised or encrypted link."""


_GONE = ("Not connected", "not connected", "UnknownObject", "UnknownMethod", "DoesNotExist")
"""What BlueZ says of a pen that went a moment before it says that it went."""


class Step(Enum):
    """What was being done when it failed."""

    SCAN = "looking for pens"
    CONNECT = "connecting"
    TALK = "talking to the pen"


def ble_error(error: BaseException, place: str, step: Step, *, connected: bool = False) -> DeviceError:
    """The one error for what was raised while `step` went on with the pen `place`.

    connected: whether the link still stands; then a failure while talking is the pen's answer, no loss
    """
    if isinstance(error, DeviceError):
        return error
    found = _adapter_error(error) or _pen_error(error, place)
    if found is not None:
        return found
    said = " ".join(str(error).split()) or type(error).__name__
    if step is Step.CONNECT:
        return refused(place, said)
    if step is Step.TALK and (not connected or any(sign in said for sign in _GONE)):
        return lost(place)
    if step is Step.TALK:
        return BluetoothError(f"{place} answered with an error: {said}.", advice=RESTART)
    return BluetoothError(f"Bluetooth failed while {step.value}: {said}.", advice="Switch it off and on.")


def _adapter_error(error: BaseException) -> DeviceError | None:
    """What is wrong on our side of the air."""
    from bleak.exc import BleakBluetoothNotAvailableError, BleakDBusError

    if isinstance(error, BleakBluetoothNotAvailableError):
        return _unavailable(error.reason.name)
    if isinstance(error, BleakDBusError):
        return _dbus_error(error.dbus_error)
    if isinstance(error, PermissionError) or type(error).__name__ == "AuthError":
        return denied()
    if isinstance(error, FileNotFoundError | ConnectionRefusedError):
        return absent("there is no D-Bus system bus here")
    return None


def _unavailable(reason: str) -> DeviceError:
    if reason == "POWERED_OFF":
        return BluetoothOffError(
            "Bluetooth is switched off.", advice="Switch it on in the system's settings."
        )
    if reason.startswith("DENIED"):
        return denied()
    if reason == "NO_BLE_CENTRAL_ROLE":
        return absent("the adapter here cannot do Bluetooth Low Energy")
    return absent("no adapter was found")


def _dbus_error(name: str) -> DeviceError | None:
    kind = name.rpartition(".")[2]
    if kind in {"ServiceUnknown", "NameHasNoOwner", "NoServer"} or ".Spawn." in name:
        return absent("the Bluetooth service (BlueZ) is not running")
    if kind == "AccessDenied":
        return denied()
    if kind in {"NotReady", "NotPowered"}:
        return _unavailable("POWERED_OFF")
    return None


def _pen_error(error: BaseException, place: str) -> DeviceError | None:
    """What is wrong on the pen's side of the air."""
    from bleak.exc import BleakDBusError, BleakDeviceNotFoundError, BleakGATTProtocolError

    if isinstance(error, BleakDeviceNotFoundError):
        return not_found(place)
    if isinstance(error, BleakGATTProtocolError) and error.code in AUTHENTICATION:
        return pairing_needed(place)
    if isinstance(error, BleakDBusError):
        kind = error.dbus_error.rpartition(".")[2]
        if kind.startswith("Authentication") or kind in {"NotAuthorized", "NotPermitted"}:
            return pairing_needed(place)
    return None


def absent(found: str) -> NoBluetoothError:
    return NoBluetoothError(
        f"this machine has no Bluetooth that can be used: {found}.",
        advice=f"Plug in an adapter or start the Bluetooth service. {SERIAL}",
    )


def denied() -> BluetoothDeniedError:
    return BluetoothDeniedError(
        "the system does not let this program use Bluetooth.", advice=_PERMISSION.get(sys.platform, _POLICY)
    )


_POLICY = (
    "On Linux the D-Bus policy of BlueZ decides: log in at the machine itself, or join the group "
    "`bluetooth` and log in again."
)
_PERMISSION = {
    "darwin": "Allow it under System Settings > Privacy & Security > Bluetooth, then start again.",
    "win32": "Allow it under Settings > Privacy & security > Radios, then start again.",
}


def not_found(place: str) -> PenNotFoundError:
    return PenNotFoundError(f"{place} was not heard.", advice=NEAR)


def refused(place: str, said: str) -> PenRefusedError:
    return PenRefusedError(f"{place} is near, but no connection came about: {said}.", advice=NEAR)


def slow_discovery(place: str, seconds: float) -> SlowDiscoveryError:
    return SlowDiscoveryError(
        f"{place} is connected, but has not told its services within {seconds:g} s.",
        advice="Bring it nearer, or switch it off and on; if it was paired before, forget it in the "
        "system's Bluetooth settings first.",
    )


def pairing_needed(place: str) -> PairingNeededError:
    return PairingNeededError(f"{place} talks to paired computers alone.", advice=PAIR)


def not_a_pen(place: str, services: Iterable[str]) -> NotAPenError:
    seen = ", ".join(services) or "none"
    return NotAPenError(
        f"{place} is no pen: it has neither the pen service nor the Nordic UART; its services: {seen}.",
        advice="`penapp devices` lists the pens that are near.",
    )


def mtu_too_small(place: str, found: int, needed: int) -> MtuTooSmallError:
    return MtuTooSmallError(
        f"the link to {place} has an MTU of {found} bytes, one sample of this pen needs {needed}.",
        advice="The pen's firmware or this computer's Bluetooth must agree to a larger MTU; "
        "another adapter may, a cable always does.",
    )


def lost(place: str) -> PenLostError:
    return PenLostError(
        f"{place} is gone: switched off, out of reach, or taken by another program.",
        advice="Bring it near and connect again; what was recorded so far is kept.",
    )
