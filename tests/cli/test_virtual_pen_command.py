"""`penapp virtual-pen` from outside: another program opens the address that it prints."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from firmware_protocol.descriptor import standard_descriptor
from firmware_protocol.faults import Faults
from penapp.cli.run_cli import run_cli
from penapp.cli.virtual_pen import parse_faults, plugged_in
from penapp.device.serial_source import SerialSource

DESCRIBED = SimpleNamespace(descriptor=standard_descriptor(100.0))
ROOT = Path(__file__).parents[2]


@pytest.fixture
def started():
    """Starts the command with the toy pen; gives (process, what its first line says)."""
    running = []

    def start(*arguments):
        command = [sys.executable, "-m", "tests.cli.toy_cli", "virtual-pen", "--json", *arguments]
        program = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
        )
        running.append(program)
        line = program.stdout.readline()
        assert line, program.stderr.read()
        return program, json.loads(line)

    yield start
    for program in running:
        program.kill()
        program.communicate()


async def samples_from(address, wanted):
    source = SerialSource(address)
    descriptor = await source.open()
    await source.start()
    seen = 0
    async for batch in source.frames():
        seen += sum(a.frame.n for a in batch)
        if seen >= wanted:
            break
    await source.stop()
    await source.close()
    return descriptor, source.counters


def test_nobody_can_connect_before_there_is_a_pen_that_answers(monkeypatch):
    order = []
    monkeypatch.setattr("penapp.simulation.sources.DemoSource", lambda **_: order.append("ink") or DESCRIBED)
    monkeypatch.setattr("penapp.device.far_end.VirtualPen", lambda *_, **__: order.append("pen"))
    plugged_in(lambda: order.append("port"), rate_hz=100.0, speed=1.0, faults=Faults())
    assert order == ["ink", "port", "pen"]


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
@pytest.mark.parametrize("carrier", [["--tcp", "0"], ["--pty"]])
def test_another_program_opens_the_address_twice_and_ctrl_c_unplugs(started, carrier):
    program, told = started(*carrier, "--speed", "5")
    for _ in range(2):
        descriptor, _ = asyncio.run(samples_from(told["address"], 40))
        assert descriptor.name == "toy pen"
    program.send_signal(signal.SIGINT)
    _, errors = program.communicate(timeout=20)
    assert program.returncode == 0
    assert f"penapp live --pen {told['address']}" in errors
    assert "unplugged" in errors
    assert "Traceback" not in errors


def test_faults_asked_for_are_on_the_wire(started):
    _, told = started("--tcp", "0", "--speed", "5", "--faults", "corrupt=0.5,seed=3")
    _, counters = asyncio.run(samples_from(told["address"], 80))
    assert counters.damaged_frames > 2


def test_faults_are_read_as_numbers_of_their_kind():
    faults = parse_faults("drop=0.02, responses=1,seed=3,no-samples")
    assert (faults.drop, faults.responses, faults.seed, faults.no_samples) == (0.02, True, 3, True)
    assert not parse_faults("").any_on_wire


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["--faults", "flood=1"], 1, "there is no fault 'flood'. Known: drop, corrupt"),
        (["--faults", "drop=2"], 1, "fault drop is 2.0, expected a probability"),
        (["--faults", "drop=often"], 1, "expected NAME=NUMBER"),
        (["--tcp", "seven"], 1, "expected PORT or HOST:PORT"),
        (["--tcp", "70000"], 1, "a port from 0 to 65535"),
        (["--tcp", "1", "--pty"], 2, "exclude each other"),
    ],
)
def test_what_is_not_understood_is_named(capsys, arguments, code, reason):
    assert run_cli(["virtual-pen", *arguments]) == code
    assert reason in capsys.readouterr().err
