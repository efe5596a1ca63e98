"""Carriers: Bluetooth LE identifiers and packet sizes, serial settings."""

from __future__ import annotations

from firmware_protocol.framing import OVERHEAD_BYTES

_BASE = "94de{:04x}-680d-45fc-bb2c-4d267aab3cf7"
SERVICE_UUID = _BASE.format(0x0001)
DATA_UUID = _BASE.format(0x0002)
"""Notify: DATA, EVENT, STATUS and LOG frames, one in each notification."""
CONTROL_UUID = _BASE.format(0x0003)
"""Write and write without response: CMD frames."""
RESPONSE_UUID = _BASE.format(0x0004)
"""Notify: RSP frames."""
DESCRIPTOR_UUID = _BASE.format(0x0005)
"""Read: the capability descriptor, at most 512 bytes."""

BATTERY_SERVICE_UUID = "0000180f-0000-1000-8000-00805f9b34fb"
DEVICE_INFORMATION_UUID = "0000180a-0000-1000-8000-00805f9b34fb"
NORDIC_UART_UUID = "6e400001-b5a3-f393-e0a9-e50e24dcca9e"
"""A pen that has only this sends the serial byte stream (COBS) over it."""
NORDIC_UART_RX_UUID = "6e400002-b5a3-f393-e0a9-e50e24dcca9e"
"""Write and write without response: to the pen."""
NORDIC_UART_TX_UUID = "6e400003-b5a3-f393-e0a9-e50e24dcca9e"
"""Notify: from the pen."""

ATT_OVERHEAD_BYTES = 3
MAX_VALUE_BYTES = 512
MAX_BATCH_SAMPLES = 8
MAX_BATCH_S = 0.08
SERIAL_BAUD = 921_600
"""For pens behind a real UART; USB serial ports ignore it."""


def notification_bytes(mtu: int) -> int:
    """Largest value of one notification for this ATT MTU."""
    return min(mtu - ATT_OVERHEAD_BYTES, MAX_VALUE_BYTES)


def samples_per_notification(mtu: int, n_channels: int) -> int:
    """Whole samples that fit one notification; 0 if not even one does."""
    return max(0, (notification_bytes(mtu) - OVERHEAD_BYTES) // (2 * n_channels))


def min_mtu(n_channels: int) -> int:
    """Smallest ATT MTU that carries one sample; a pen refuses START below it."""
    return ATT_OVERHEAD_BYTES + OVERHEAD_BYTES + 2 * n_channels


MIN_MTU = min_mtu(13)


def batch_size(rate_hz: float) -> int:
    """Samples per DATA frame: at most 80 ms of them, at most 8, at least 1."""
    return max(1, min(MAX_BATCH_SAMPLES, int(rate_hz * MAX_BATCH_S + 1e-9)))
