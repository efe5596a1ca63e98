"""The builder's page is read by machine: its bytes, its program, its commands, its links."""

import re
import shlex
from pathlib import Path

import click
import numpy as np
import pytest

from firmware_protocol.channels import Descriptor
from firmware_protocol.framing import Flag, Frame, FrameDecoder, FrameType, encode_frame, to_serial
from firmware_protocol.messages import samples
from penapp.cli.root import COMMANDS, root
from penapp.lsl.channels import factor_of, place_of
from penapp.stream.assemble import StreamAssembler

PAGE = Path(__file__).parents[2] / "docs/bring-your-own-pen.md"
TEXT = PAGE.read_text(encoding="utf-8")
SAMPLES = [[12, -3, 8192, 5, -6, 40, 820], [10, -2, 8190, 4, -8, 41, 823]]
FRAME = Frame(FrameType.DATA, 30, 0, 2, Flag.NONE, 240, 2_307_692, np.array(SAMPLES, dtype="<i2").tobytes())


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def table_under(header):
    rows = TEXT.split(header + "\n", 1)[1].split("\n\n", 1)[0].splitlines()[1:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_the_worked_frame_is_what_the_encoder_makes():
    cells = [row[0].strip("`") for row in table_under("| bytes | meaning |")]
    assert bytes.fromhex(" ".join(cells)) == encode_frame(FRAME)
    (serial,) = blocks("hex")
    assert bytes.fromhex(serial.replace("\n", " ")) == to_serial(encode_frame(FRAME))


def test_what_the_table_says_of_the_frame_is_what_a_host_reads():
    (serial,) = blocks("hex")
    (frame,) = FrameDecoder().feed(bytes.fromhex(serial.replace("\n", " ")))
    meaning = " ".join(row[1] for row in table_under("| bytes | meaning |"))
    assert f"frame number {frame.seq}" in meaning
    assert f"first sample: {frame.index}" in meaning
    assert f"{frame.t_us:,} microseconds" in meaning
    for row in samples(frame, 7):
        assert f"accelerometer {row[0]}, {row[1]}, {row[2]}" in meaning
        assert f"gyroscope {row[3]}, {row[4]}, {row[5]}" in meaning
        assert f"force {row[6]}" in meaning


def test_the_program_describes_a_pen_whose_frame_reads_as_told(capsys):
    (program,) = blocks("python")
    exec(compile(program, str(PAGE), "exec"), {})
    printed = capsys.readouterr().out
    raw = bytes(int(number, 16) for number in re.findall(r"0x([0-9a-f]{2})\b", printed.split("{")[1]))
    descriptor = Descriptor.decode(raw)
    assert f"{len(raw)} bytes, schema hash {descriptor.schema_hash:#010x}" in printed
    assert raw[24:28] == descriptor.boot_id.to_bytes(4, "little")
    (block,) = StreamAssembler(descriptor).push(FRAME)
    assert block.values[0, 2] == pytest.approx(9.81, abs=0.01)
    assert block.values[0, 0] == pytest.approx(-3 * 4 * 9.80665 / 32768)
    assert block.values[0, 12] == pytest.approx(1.0, abs=0.01)
    assert block.valid.sum() == 7


COMMAND_LINES = [line for block in blocks("sh") for line in block.splitlines() if line.strip()]


@pytest.mark.parametrize("line", COMMAND_LINES)
def test_every_command_on_the_page_is_one_that_penapp_takes(line):
    program, name, *arguments = shlex.split(line)
    assert program == "penapp"
    assert name in COMMANDS
    command = root.get_command(click.Context(root), name)
    command.make_context(name, arguments)


def test_every_label_and_unit_of_an_lsl_stream_on_the_page_is_understood():
    for channel, labels, units in table_under("| channel | labels | units |"):
        places = [place_of(label) for label in re.findall(r"`(\w+)`", labels)]
        assert len({place.quantity for place in places}) == 1, channel
        for unit in units.split(", "):
            assert factor_of(places[0].quantity, unit), (channel, unit)


def test_every_file_that_the_page_points_to_is_there():
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", TEXT)
    assert targets
    for target in targets:
        assert (PAGE.parent / target).exists(), target
