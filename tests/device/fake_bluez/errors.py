"""The errors of the fake BlueZ."""

from __future__ import annotations


class BluezError(Exception):
    """A D-Bus error that BlueZ answers with."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(name, text)
        self.name, self.text = f"org.bluez.Error.{name}", text
