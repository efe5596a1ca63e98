"""The firmware as a program on a real port: what a host sees of it."""

from __future__ import annotations

import itertools
import subprocess

import numpy as np
import pytest

from firmware_protocol import commands
from firmware_protocol.channels import Descriptor, standard_descriptor
from firmware_protocol.framing import Flag, FrameType, encode_frame, to_serial
from firmware_protocol.messages import Command, Op, command_frame, join_samples
from tests.firmware.sim import line, running, write_ink

SCHEMA = standard_descriptor().schema_hash


def ramp(n: int) -> np.ndarray:
    return (np.arange(n)[:, None] + np.arange(13)).astype(np.int16)


@pytest.fixture
def ink(tmp_path):
    return write_ink(tmp_path / "ramp.i16", ramp(2000))


def read_all(pen, n: int) -> None:
    while sum(f.n for f in pen.samples()) < n:
        assert pen.read(), "the pen hung up"


@pytest.mark.parametrize("carrier", [(), ("--tcp",)], ids=["pseudo-terminal", "tcp"])
def test_every_sample_of_the_ink_arrives_once_with_its_number_and_time(pen_sim, ink, carrier):
    """Unpaced: the host sets the pace, nothing is dropped."""
    with running(pen_sim, ink, "--speed", "0", "--boot-id", "7", *carrier) as sim, line(sim.address) as pen:
        assert Descriptor.decode(pen.ask(commands.hello(1)).data) == standard_descriptor(boot_id=7)
        assert pen.ask(commands.start(2, SCHEMA)).ok
        read_all(pen, 2000)
        assert pen.ask(commands.stop(3)).ok
        np.testing.assert_array_equal(join_samples(pen.samples(), 13), ramp(2000))
        assert [(f.index, f.t_us) for f in pen.samples()] == [(8 * k, 80_000 * k) for k in range(250)]
        assert [f.seq for f in pen.samples()] == list(range(250))
    assert "2000 samples, 253 frames sent, 0 overruns" in sim.said


def test_a_paced_pen_goes_on_without_its_reader_and_the_gap_is_exact(pen_sim, tmp_path):
    """Nobody reads until pseudo-terminal and queue have run over."""
    everything = ramp(12_000)
    ink = write_ink(tmp_path / "long.i16", everything)
    with running(pen_sim, ink, "--speed", "400") as sim, line(sim.address) as pen:
        pen.write(to_serial(encode_frame(command_frame(commands.start(1, SCHEMA)))))
        assert "the ink is over" in sim.process.stderr.readline()
        assert pen.ask(commands.stop(2)).ok
        pairs = list(itertools.pairwise(pen.samples()))
        gaps = [b.index - a.index - a.n for a, b in pairs]
        assert [gap > 0 for gap in gaps] == [bool(b.flags & Flag.OVERRUN) for _, b in pairs]
        assert sum(gaps) > 0
        assert sum(f.n for f in pen.samples()) + sum(gaps) == len(everything)
        for frame in pen.samples():
            rows = slice(frame.index, frame.index + frame.n)
            np.testing.assert_array_equal(join_samples([frame], 13), everything[rows])


def test_a_pen_that_starts_again_has_a_new_clock_and_keeps_name_and_calibration(pen_sim, ink):
    options = ("--speed", "0", "--boot-id", "7", "--reboot-after", "804", "--tcp")
    with running(pen_sim, ink, *options) as sim:
        with line(sim.address) as pen:
            assert pen.ask(commands.name(1, "Füller")).ok
            sealed = commands.seal(b"mine")
            assert pen.ask(commands.cal_write(2, 0, len(sealed), sealed)).ok
            assert pen.ask(commands.start(3, SCHEMA)).ok
            while pen.read():
                pass
            assert sum(f.n for f in pen.samples()) <= 804
        with line(sim.address) as pen:
            again = Descriptor.decode(pen.ask(commands.hello(1)).data)
            assert (again.boot_id, again.name) == (8, "Füller")
            assert commands.unseal(pen.ask(commands.cal_read(2, 0)).data[2:]) == b"mine"
            assert commands.PenCounters.decode(pen.ask(Command(Op.STATUS, 3)).data).resets == 1
            assert pen.ask(commands.start(4, SCHEMA)).ok
            read_all(pen, 1000)
            first = pen.samples()[0]
            assert (first.index, first.t_us, first.seq) == (0, 0, 0)
            np.testing.assert_array_equal(join_samples([first], 13), ramp(2000)[804:812])


def test_a_host_that_goes_and_comes_back_finds_a_silent_pen_that_goes_on(pen_sim, ink):
    with running(pen_sim, ink, "--speed", "20", "--tcp") as sim:
        with line(sim.address) as pen:
            assert pen.ask(commands.start(1, SCHEMA)).ok
            read_all(pen, 80)
        with line(sim.address) as pen:
            taken = commands.PenCounters.decode(pen.ask(Command(Op.STATUS, 1)).data).samples_taken
            assert pen.samples() == []
            assert pen.ask(commands.start(1, SCHEMA)).ok
            read_all(pen, 80)
            assert pen.samples()[0].index == taken >= 80


def test_lost_frames_leave_gaps_in_the_sequence(pen_sim, ink):
    with (
        running(pen_sim, ink, "--speed", "0", "--drop", "0.1", "--seed", "3") as sim,
        line(sim.address) as pen,
    ):
        assert pen.ask(commands.start(1, SCHEMA)).ok
        read_all(pen, 1600)
        lost = sum((b.seq - a.seq - 1) % 65536 for a, b in itertools.pairwise(pen.samples()))
        missing = sum(b.index - a.index - a.n for a, b in itertools.pairwise(pen.samples()))
        assert missing == 8 * lost
        assert 5 <= lost <= 50


def test_ink_from_a_pipe_and_the_program_leaves_when_it_is_read(pen_sim, tmp_path):
    path = tmp_path / "pipe"
    path.write_bytes(ramp(500).tobytes() + b"torn!")
    with path.open("rb") as pipe:
        command = [str(pen_sim), "--ink", "-", "--speed", "0", "--hang-up"]
        with subprocess.Popen(
            command, stdin=pipe, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            with line(process.stdout.readline().strip()) as pen:
                assert pen.ask(commands.start(1, SCHEMA)).ok
                while pen.read():
                    pass
                np.testing.assert_array_equal(join_samples(pen.samples(), 13), ramp(500))
            _, said = process.communicate(timeout=10)
    assert process.returncode == 0
    assert "ends within a sample of 13 channels" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "nothing to write, expected --ink FILE"),
        (("--ink",), "--ink is without its value"),
        (("--ink", "x", "--speed", "fast"), "--speed is fast, expected a number from 0"),
        (("--ink", "x", "--drop", "2"), "--drop is 2, expected a number from 0 to 1"),
        (("--ink", "x", "--colour", "red"), "there is no option --colour"),
        (("--ink", "/no/such/ink"), "/no/such/ink cannot be opened: No such file"),
    ],
)
def test_wrong_arguments_are_named(pen_sim, arguments, said):
    done = subprocess.run([str(pen_sim), *arguments], capture_output=True, text=True, check=False, timeout=10)
    assert done.returncode != 0
    assert said in done.stderr
    assert done.stdout == ""


def test_another_rate_while_streaming_keeps_the_clock_and_toggles_the_epoch(pen_sim, ink):
    with running(pen_sim, ink, "--speed", "0", "--reboot-after", "0") as sim, line(sim.address) as pen:
        assert pen.ask(commands.start(1, SCHEMA)).ok
        assert pen.ask(commands.set_rate(2, 0, 400.0)).ok
        answered = max(k for k, f in enumerate(pen.frames) if f.type is FrameType.RSP)
        changed_at = sum(f.n for f in pen.frames[:answered])
        read_all(pen, 2000)
        before = [f for f in pen.samples() if f.index < changed_at]
        after = [f for f in pen.samples() if f.index >= changed_at]
        assert {bool(f.flags & Flag.EPOCH) for f in before} == {False}
        assert {bool(f.flags & Flag.EPOCH) for f in after} == {True}
        assert not any(f.flags & Flag.DISCONTINUITY for f in pen.samples())
        assert after[0].t_us == 10_000 * changed_at
        assert after[1].t_us - after[0].t_us == 8 * 2_500
