"""The Python schema is the only source: what C and the specification took from it is what it says today."""

from __future__ import annotations

import re

import pytest

from firmware_protocol import generate_c
from firmware_protocol.channels import standard_descriptor
from firmware_protocol.layouts import LAYOUTS, Field
from firmware_protocol.messages import Op
from firmware_protocol.spec_tables import TABLE_NAMES, fill_tables, table_names
from tests.firmware import c_pen

HEADER = generate_c.schema_header()


@pytest.mark.parametrize("path", generate_c.generated(), ids=lambda p: p.name)
def test_files_are_what_the_schema_gives_today(path):
    assert path.read_text(encoding="utf-8") == generate_c.generated()[path], (
        "run `python -m firmware_protocol.generate_c`"
    )


def test_a_stale_file_is_named_and_written_anew(tmp_path, monkeypatch, capsys):
    for path in generate_c.generated():
        copy = tmp_path / path.relative_to(generate_c.HERE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(generate_c, "HERE", tmp_path)
    assert generate_c.main(["--check"]) == 0
    stale = tmp_path / "README.md"
    whole = stale.read_text(encoding="utf-8")
    stale.write_text(whole.replace("| 0x03 | STOP |", "| 0x04 | STOP |"), encoding="utf-8")
    assert generate_c.main(["--check"]) == 1
    assert capsys.readouterr().out == "stale README.md\n"
    assert generate_c.main([]) == 0
    assert stale.read_text(encoding="utf-8") == whole


def test_every_table_is_in_the_specification_once():
    text = (generate_c.HERE / "README.md").read_text(encoding="utf-8")
    assert table_names(text) == TABLE_NAMES
    assert text.count("<!-- table: ") == len(TABLE_NAMES)


def test_a_mark_nobody_knows_is_refused():
    with pytest.raises(KeyError, match="nonsense"):
        fill_tables("<!-- table: nonsense -->\n| a |\n")


def test_a_field_kind_nobody_knows_is_refused():
    with pytest.raises(ValueError, match="u24"):
        _ = Field("u24", "x").code


def test_header_holds_every_code_and_every_offset():
    defined = dict(re.findall(r"#define (PEN_\w+) (0x[0-9A-F]+|\d+)u\n", HEADER))
    assert {name: int(defined[f"PEN_OP_{name}"], 0) for name in Op.__members__} == dict(Op.__members__)
    for layout in LAYOUTS:
        prefix = f"PEN_{layout.name.upper()}"
        assert int(defined[f"{prefix}_RECORD_BYTES"]) == layout.struct.size
        stated = [int(defined[f"{prefix}_{f.name.upper()}_AT"]) for _, f in layout.offsets() if f.name]
        assert stated == [at for at, f in layout.offsets() if f.name]


def test_no_number_of_the_protocol_is_written_into_the_core_by_hand():
    """UUIDs, op and status codes stand in the generated header alone."""
    for source in c_pen.CORE:
        if source.name == "pen_standard.c":
            continue
        text = source.read_text(encoding="utf-8")
        assert "94de" not in text.lower()
        assert not re.search(r"case 0x|return 0x|== 0x1[01]|== 0x2[012]", text), source.name


def test_the_standard_pen_in_c_names_every_channel_of_the_python_one():
    source = generate_c.standard_source(standard_descriptor())
    rows = re.findall(
        r"\{PEN_QUANTITY_(\w+), (\d)u, PEN_UNIT_(\w+), ([^,]+)f, .*?, (\d+), PEN_MODEL_(\w+)\}", source
    )
    channels = standard_descriptor().streams[0].channels
    assert [(r[0], int(r[1]), r[2], int(r[4])) for r in rows] == [
        (c.quantity.name, c.axis, c.unit.name, c.limit_counts) for c in channels
    ]
