"""The demo as a file of raw counts, for pens that are not ours."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

from penapp.errors import BadInputError
from penapp.simulation.__main__ import main
from penapp.simulation.export_counts import write_counts
from penapp.simulation.sources import DemoSource
from tests.device.toy_pens import ToyInk


def test_the_file_holds_what_the_source_reads(tmp_path):
    ink = ToyInk("abc")
    assert write_counts(ToyInk("abc"), tmp_path / "abc.i16") == 300
    read = np.fromfile(tmp_path / "abc.i16", dtype="<i2").reshape(-1, 13)
    np.testing.assert_array_equal(read, ink.counts)


def test_it_stops_where_it_is_told(tmp_path):
    assert write_counts(ToyInk(endless=True), tmp_path / "some.i16", at_most=1234) == 1234
    assert (tmp_path / "some.i16").stat().st_size == 1234 * 26


def test_the_command_writes_the_demo(tmp_path):
    path = tmp_path / "demo.i16"
    done = CliRunner().invoke(main, ["export-counts", str(path), "--seconds", "2"])
    assert done.output == f"200 samples, 2 s at 100 Hz: {path}\n"
    expected = DemoSource(once=True).read(200)
    np.testing.assert_array_equal(np.fromfile(path, dtype="<i2").reshape(-1, 13), expected)


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(BadInputError, match="nowhere/x cannot be written: No such file"):
        write_counts(ToyInk(), tmp_path / "nowhere" / "x")
