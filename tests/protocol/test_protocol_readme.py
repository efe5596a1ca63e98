"""The specification is read by machine: its tables and hex examples must be what the code does."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from pathlib import Path
from zlib import crc32

import pytest

import firmware_protocol
from firmware_protocol import descriptor, framing, links
from firmware_protocol.channels import Quantity, SensorModel, Unit, standard_descriptor
from firmware_protocol.messages import ARRIVAL_MARK, WALL_CLOCK, EventCode, Op, Status
from firmware_protocol.vectors.make_vectors import document

TEXT = (Path(firmware_protocol.__file__).parent / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```hex (\w+): (.+)\n([0-9a-f\s]+)```", TEXT)
LETTERS = {
    "u8": "B",
    "i8": "b",
    "u16": "H",
    "i16": "h",
    "u32": "I",
    "u64": "Q",
    "f32": "f",
    "pad": "x",
    "bytes": "s",
}


def rows_under(title: str, header: str) -> list[list[str]]:
    """Cells of the first table with this header line behind a heading."""
    section = TEXT.split(f"### {title}\n", 1)[1] if title else TEXT
    table = section.split(header + "\n", 1)[1].split("\n\n", 1)[0]
    return [[c.strip() for c in line.strip("|").split("|")] for line in table.splitlines()[1:]]


def codes(header: str) -> dict[int, str]:
    return {int(row[0], 0): row[1] for row in rows_under("", header)}


def struct_letter(kind: str) -> str:
    name, count = re.fullmatch(r"(\w+?)(?:\[(\d+)\])?", kind).groups()
    return (count or "") + LETTERS[name]


@pytest.mark.parametrize(
    ("title", "record"),
    [
        ("Header", framing.HEADER),
        ("Descriptor header", descriptor.HEADER),
        ("Stream", descriptor.STREAM),
        ("Channel", descriptor.CHANNEL),
        ("Mount", descriptor.MOUNT),
        ("Arrival", struct.Struct(ARRIVAL_MARK.format + WALL_CLOCK.format.lstrip("<"))),
    ],
)
def test_offsets_and_types_are_those_of_the_code(title, record):
    expected_offset, letters = 0, ""
    for offset, kind, _field, _meaning in rows_under(title, "| off | type | field | meaning |"):
        assert int(offset) == expected_offset
        letters += struct_letter(kind)
        expected_offset = struct.calcsize("<" + letters)
    assert expected_offset == record.size
    sample = bytes(range(1, record.size + 1))
    assert repr(struct.unpack("<" + letters, sample)) == repr(record.unpack(sample))


@pytest.mark.parametrize(
    ("header", "table"),
    [
        ("| type | name | payload |", framing.FrameType),
        ("| event | name |", EventCode),
        ("| quantity | name |", Quantity),
        ("| unit | name |", Unit),
        ("| model | name |", SensorModel),
        ("| op | name | arguments | contents of the answer |", Op),
        ("| status | name |", Status),
    ],
)
def test_code_tables_are_complete(header, table):
    assert codes(header) == {int(member): member.name for member in table}


def test_flag_table_is_complete():
    named = {int(flag): flag.name for flag in framing.Flag if flag}
    assert codes("| flag | name | meaning |") == named


@pytest.mark.parametrize(("kind", "name", "text"), [b for b in BLOCKS if b[0] != "descriptor"])
def test_hex_examples_are_the_golden_vectors(kind, name, text):
    vectors = {e["name"]: e for e in document()["refused" if kind == "refused" else "frames"]}
    expected = vectors[name]["serial" if kind == "refused" else kind]
    assert bytes.fromhex(text).hex() == expected


def test_hex_of_the_descriptor_adds_up_to_the_standard_pen():
    parts: Iterable[str] = (text for kind, _, text in BLOCKS if kind == "descriptor")
    raw = b"".join(bytes.fromhex(part) for part in parts)
    assert raw == standard_descriptor(boot_id=0x1234ABCD).encode()
    assert f"takes {len(raw)} bytes" in TEXT


def test_examples_were_found_at_all():
    assert len(BLOCKS) >= 20


def test_notification_sizes_are_those_of_the_code():
    stated = {int(mtu): int(n) for mtu, n in rows_under("", "| ATT MTU | samples |")}
    assert stated == {mtu: links.samples_per_notification(mtu, 13) for mtu in stated}


def test_identifiers_are_those_of_the_code():
    stated = {row[0]: row[1] for row in rows_under("", "| characteristic | UUID | properties |")}
    assert stated == {
        "service": links.SERVICE_UUID,
        "data": links.DATA_UUID,
        "control": links.CONTROL_UUID,
        "response": links.RESPONSE_UUID,
        "descriptor": links.DESCRIPTOR_UUID,
    }


def test_check_sum_example_is_right():
    stated = re.search(r"CRC-32 of `(\d+)` is `([0-9a-f]{8})`", TEXT)
    assert crc32(stated[1].encode()) == int(stated[2], 16)


def test_files_that_are_named_exist():
    folder = Path(firmware_protocol.__file__).parent
    for name in re.findall(r"\b[\w/]+\.(?:py|c|json)\b", TEXT.split("## 7.")[1]):
        assert list(folder.rglob(name)), name
