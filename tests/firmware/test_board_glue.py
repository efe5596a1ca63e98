"""The glue of the XIAO nRF52840 Sense, compiled against a stand-in for its Arduino core and run here.

That checks types, spelling, registers and the way bytes go; it is no board and no Bluetooth stack.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from firmware_protocol import commands
from firmware_protocol.channels import Descriptor, Quantity, SensorModel, Unit
from firmware_protocol.framing import FrameDecoder, FrameType, decode_frame, encode_frame, to_serial
from firmware_protocol.messages import EventCode, command_frame, parse_event, parse_response, samples
from tests.firmware import c_pen

SKETCH = c_pen.FIRMWARE / "boards" / "xiao_nrf52840_sense"
STAND_IN = Path(__file__).with_name("board")
STRICT = ["-std=gnu++17", "-Wall", "-Wextra", "-Werror", "-Wno-missing-field-initializers"]


@pytest.fixture(scope="session")
def sketch(tmp_path_factory):
    """The sketch as `make sketch` lays it out, built into a program that reads what happens to the board."""
    cxx = c_pen.compiler(("g++", "c++", "clang++"))
    folder = tmp_path_factory.mktemp("sketch")
    shutil.copytree(SKETCH, folder / "xiao")
    shutil.copytree(c_pen.FIRMWARE / "core", folder / "xiao" / "src" / "core")
    objects = folder / "objects"
    objects.mkdir()
    core = [c_pen.compiler(), "-std=c99", "-c", *map(str, c_pen.CORE)]
    subprocess.run(core, cwd=objects, check=True, timeout=60)
    command = [
        cxx, *STRICT, f"-I{STAND_IN}", str(STAND_IN / "run_sketch.cpp"),
        *map(str, sorted((folder / "xiao").glob("*.cpp"))),
        "-x", "c++", str(folder / "xiao" / "xiao_nrf52840_sense.ino"),
        "-x", "none", *map(str, sorted(objects.glob("*.o"))), "-o", str(folder / "board"),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return folder / "board"


def play(sketch, *lines: str) -> list[tuple[str, bytes]]:
    done = subprocess.run(
        [str(sketch)], input="\n".join(lines) + "\n", capture_output=True, text=True, check=False, timeout=20
    )
    assert done.returncode == 0, done.stderr
    said = [line.split(" ", 1) for line in done.stdout.splitlines()]
    return [(what, bytes.fromhex(text)) for what, text in said]


def ask(carrier: str, command: commands.Command) -> str:
    raw = encode_frame(command_frame(command))
    return f"{carrier} {(to_serial(raw) if carrier == 'usb' else raw).hex()}"


def sample(k: int, t_us: int) -> str:
    return f"sample {t_us} " + " ".join(str(n) for n in counts(k))


def counts(k: int) -> list[int]:
    """Thirteen numbers as the sensors can give them (the rear accelerometer has 14 bits, left-aligned)."""
    return [100 + k, -200 - k, 300, 4 * k, -8, 4096, 7, -8 - k, 9, 10, -11 - k, 12, 500 + k]


def usb_frames(said):
    decoder = FrameDecoder()
    return [f for what, raw in said if what == "usb" for f in decoder.feed(raw)]


def described(sketch) -> Descriptor:
    (said,) = [raw for what, raw in play(sketch, "setup", "descriptor") if what == "descriptor"]
    return Descriptor.decode(said)


def test_the_board_describes_itself_on_both_carriers(sketch):
    pen = described(sketch)
    said = play(sketch, "setup", "usb open", ask("usb", commands.hello(1)), *["loop"] * 20)
    (answer,) = [parse_response(f) for f in usb_frames(said) if f.type is FrameType.RSP]
    assert Descriptor.decode(answer.data) == pen
    assert [c.quantity for c in pen.streams[0].channels[::3]] == [
        Quantity.ACC1, Quantity.ACC2, Quantity.GYRO, Quantity.MAG, Quantity.FORCE
    ]  # fmt: skip
    assert pen.streams[0].rate_hz == 104.0
    assert pen.device_id == b"x\x01\x02\x03\x04\x05\x06\x07"
    assert pen.streams[0].channels[9].model == SensorModel.LIS3MDL


def test_scales_are_those_of_the_data_sheets(sketch):
    channels = described(sketch).streams[0].channels
    assert channels[0].scale == pytest.approx(0.122e-3 * 9.80665, rel=1e-3)
    assert channels[3].scale * 4 == pytest.approx(9.80665 / 2048, rel=1e-6), "14 bits of 4 g, left-aligned"
    assert channels[6].scale == pytest.approx(0.035 * 3.14159265 / 180, rel=1e-6)
    assert channels[9].scale == pytest.approx(100 / 6842, rel=1e-6)
    assert {c.unit for c in channels} == {Unit.M_S2, Unit.RAD_S, Unit.MICROTESLA, Unit.NEWTON}


@pytest.mark.parametrize("carrier", ["usb", "ble"])
def test_samples_go_from_registers_to_the_host_with_their_interrupts_time(sketch, carrier):
    schema = described(sketch).schema_hash
    lines = ["setup", f"{carrier} open", "loop", ask(carrier, commands.start(1, schema)), *["loop"] * 3]
    for k in range(16):
        lines += [sample(k, 5_000_000 + 9615 * k), f"wait {5_000_000 + 9615 * k + 700}", "loop"]
    lines += [ask(carrier, commands.stop(2)), *["loop"] * 20]
    said = play(sketch, *lines)
    frames = usb_frames(said) if carrier == "usb" else [decode_frame(raw) for _, raw in said]
    data = [f for f in frames if f.type is FrameType.DATA]
    assert [f.n for f in data] == [8, 8]
    assert [f.t_us for f in data] == [5_000_000, 5_000_000 + 8 * 9615]
    assert [f.index for f in data] == [0, 8]
    rows = [list(map(int, row)) for f in data for row in samples(f, 13)]
    assert rows == [counts(k) for k in range(16)]
    if carrier == "ble":
        assert [what for what, _ in said] == ["response", "data", "data", "response"]


def test_samples_that_nobody_read_in_time_are_counted(sketch):
    schema = described(sketch).schema_hash
    lines = ["setup", "usb open", "loop", ask("usb", commands.start(1, schema)), *["loop"] * 3]
    lines += [sample(0, 1000), "loop", sample(1, 2000), sample(2, 3000), sample(3, 4000), "loop"]
    lines += [ask("usb", commands.stop(2)), *["loop"] * 20]
    data = [f for f in usb_frames(play(sketch, *lines)) if f.type is FrameType.DATA]
    assert [(f.index, f.n, f.t_us) for f in data] == [(0, 1, 1000), (3, 1, 4000)]


def test_time_goes_on_when_the_timer_wraps(sketch):
    wrap = 2**32
    lines = ["setup", sample(0, wrap - 10), "loop", sample(1, wrap + 10), "loop", "usb open", "loop"]
    lines += [ask("usb", commands.time_sync(1, 77)), *["loop"] * 3]
    (answer,) = [parse_response(f) for f in usb_frames(play(sketch, *lines)) if f.type is FrameType.RSP]
    reading = commands.TimeSyncReading.decode(answer.data)
    assert (reading.host_us, reading.device_rx_us) == (77, wrap + 10)


def test_the_descriptor_is_read_from_its_characteristic_over_bluetooth(sketch):
    said = play(sketch, "setup", "ble open", "loop", ask("ble", commands.hello(1)), "loop",
                ask("ble", commands.name(2, "Füller")), "loop", "descriptor")  # fmt: skip
    answers = [parse_response(decode_frame(raw)) for what, raw in said if what == "response"]
    assert [(a.status, a.data) for a in answers] == [(0, b""), (0, "Füller".encode())]
    assert Descriptor.decode(said[-1][1]).name == "Füller"


def test_a_sensor_that_does_not_answer_is_told(sketch):
    said = play(
        sketch,
        f"absent {0x1C}",
        "setup",
        "usb open",
        "loop",
        ask("usb", commands.Command(0x0D, 1)),
        *["loop"] * 3,
    )
    frames = usb_frames(said)
    (event,) = [parse_event(f) for f in frames if f.type is FrameType.EVENT]
    assert (event.code, event.detail) == (EventCode.SENSOR_FAULT, (1 << Quantity.MAG).to_bytes(2, "little"))
    (answer,) = [parse_response(f) for f in frames if f.type is FrameType.RSP]
    assert answer.data == (1 << Quantity.MAG).to_bytes(2, "little")


def test_a_host_that_goes_leaves_a_silent_pen_and_bluetooth_takes_over(sketch):
    schema = described(sketch).schema_hash
    lines = [
        "setup",
        "usb open",
        "ble open",
        "loop",
        ask("usb", commands.start(1, schema)),
        *["loop"] * 3,
        "usb close",
        "loop",
    ]
    for k in range(16):
        lines += [sample(k, 10_000 * k + 1), "loop"]
    lines += [ask("ble", commands.Command(0x09, 5)), *["loop"] * 3]
    said = play(sketch, *lines)
    assert [what for what, _ in said] == ["usb", "response"], "no samples after the plug was pulled"
    counted = commands.PenCounters.decode(parse_response(decode_frame(said[-1][1])).data)
    assert counted.samples_taken == 16


def test_the_rate_goes_into_the_registers_and_a_rate_the_sensor_lacks_is_refused(sketch):
    lines = ["setup", "usb open", "loop", ask("usb", commands.set_rate(1, 0, 416.0)), "loop", "registers x"]
    lines += [ask("usb", commands.set_rate(2, 0, 100.0)), *["loop"] * 3]
    said = play(sketch, *lines)
    assert ("registers", b"\x68\x68") in said
    answers = [parse_response(f) for f in usb_frames(said) if f.type is FrameType.RSP]
    assert [a.ok for a in answers] == [True, False]
