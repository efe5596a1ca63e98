"""What can go wrong between a Bluetooth pen and us: one class for each situation."""

from __future__ import annotations

from typing import ClassVar

from penapp.device.errors import WrongDeviceError
from penapp.errors import DeviceError


class BluetoothError(DeviceError):
    """Bluetooth could not be used; subclasses say why."""


class NoBluetoothError(BluetoothError):
    """This machine has no Bluetooth adapter, or nothing here that speaks for it (BlueZ, D-Bus)."""

    lasting: ClassVar[bool] = True


class BluetoothOffError(BluetoothError):
    """There is an adapter, and it is switched off."""


class BluetoothDeniedError(BluetoothError):
    """This user or program may not use Bluetooth."""

    lasting: ClassVar[bool] = True


class PenNotFoundError(BluetoothError):
    """No advertisement of the pen was heard."""


class SeveralPensError(BluetoothError):
    """More than one pen is near and none was named."""


class PenRefusedError(BluetoothError):
    """The pen was heard, but no connection came about."""


class SlowDiscoveryError(BluetoothError):
    """The connection stands, but the pen's services were not told in time."""


class NotAPenError(BluetoothError, WrongDeviceError):
    """What answers has neither the pen service nor the Nordic UART."""

    lasting: ClassVar[bool] = True


class PairingNeededError(BluetoothError):
    """The pen talks to paired hosts alone."""

    lasting: ClassVar[bool] = True


class MtuTooSmallError(BluetoothError):
    """Not even one sample fits a notification of this link."""

    lasting: ClassVar[bool] = True
