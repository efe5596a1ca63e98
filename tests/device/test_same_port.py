"""A USB pen is found again under another port name; anything else keeps its name."""

from __future__ import annotations

from dataclasses import dataclass

from penapp.device.same_port import SamePort


@dataclass
class Port:
    device: str
    vid: int | None = 0x2886
    pid: int | None = 0x8045
    serial_number: str | None = "A1"


class Plugged:
    """The ports that are there now."""

    def __init__(self, *ports):
        self.ports = list(ports)

    def __call__(self):
        return self.ports


def test_a_pen_that_comes_back_under_another_name_is_found():
    there = Plugged(Port("/dev/ttyACM0"))
    same = SamePort("/dev/ttyACM0", there)
    assert same() == "/dev/ttyACM0"
    there.ports = [Port("/dev/ttyACM1")]
    assert same() == "/dev/ttyACM1"
    there.ports = []
    assert same() == "/dev/ttyACM1"


def test_another_device_under_the_old_name_is_not_taken_for_the_pen():
    there = Plugged(Port("/dev/ttyACM0"))
    same = SamePort("/dev/ttyACM0", there)
    same()
    there.ports = [Port("/dev/ttyACM0", serial_number="B2"), Port("/dev/ttyACM1")]
    assert same() == "/dev/ttyACM1"


def test_a_port_without_a_serial_number_keeps_its_name():
    there = Plugged(Port("/dev/ttyUSB0", serial_number=None))
    same = SamePort("/dev/ttyUSB0", there)
    assert same() == "/dev/ttyUSB0"
    there.ports = [Port("/dev/ttyUSB1", serial_number=None)]
    assert same() == "/dev/ttyUSB0"


def test_sockets_and_ptys_keep_their_names():
    for name in ("socket://pen:4000", "/dev/pts/7"):
        assert SamePort(name, Plugged(Port("/dev/ttyACM0")))() == name
