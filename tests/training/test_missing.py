"""Corpora of pens that lack sensors: as their blocks arrive live, and only where that was asked for."""

from functools import cache

import numpy as np
import pytest
from click.testing import CliRunner

from models.training.missing import SENSORS, absent_sensors, block_without, sensor_names
from models.training.prepare import prepare_command
from models.training.shards import Shard
from penapp.dsp.params import DEFAULT_PARAMS
from penapp.errors import BadInputError
from penapp.simulation.demo_ink import DEMO_INK
from penapp.stream.block import ACC_REAR, CHANNEL_COUNT, MAG


@cache
def prepared(folder, *options):
    out = folder / f"{len(list(folder.iterdir()))}.npz"
    arguments = ["real", str(out), "--ink", str(DEMO_INK), "--words", "20", "--seed", "1", *options]
    done = CliRunner().invoke(prepare_command, arguments)
    assert done.exit_code == 0, done.output
    return Shard.load(out)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("missing")


def session_rows(shard):
    return {int(s): shard.rows[shard.off[i] : shard.off[i + 1]] for i, s in enumerate(shard.session)}


def test_words_of_pens_without_rear_accelerometer_have_other_rows_and_the_same_features(folder):
    whole, lacking = prepared(folder), prepared(folder, "--without", "rear")
    assert lacking.fingerprint == whole.fingerprint == DEFAULT_PARAMS.fingerprint()
    assert np.isfinite(lacking.rows.astype(np.float32)).all()
    for session, rows in session_rows(lacking).items():
        assert not np.array_equal(rows, session_rows(whole).get(session))


def test_the_magnetometer_changes_no_row_of_the_live_stages(folder):
    whole, lacking = prepared(folder), prepared(folder, "--without", "magnetometer")
    np.testing.assert_array_equal(lacking.rows, whole.rows)


def test_a_share_of_nothing_is_the_corpus_that_always_was_and_all_is_every_session(folder):
    whole = prepared(folder)
    np.testing.assert_array_equal(prepared(folder, "--missing", "0").rows, whole.rows)
    without = prepared(folder, "--without", "magnetometer", "--missing", "1")  # the rear one alone is left
    np.testing.assert_array_equal(without.rows, prepared(folder, "--without", "rear").rows)


def test_a_block_without_a_sensor_is_zero_there_and_says_so():
    values = np.ones((4, CHANNEL_COUNT), np.float32)
    block = block_without(np.arange(4) / 100.0, values, ("rear", "magnetometer"))
    assert np.flatnonzero(~block.valid).tolist() == [3, 4, 5, 9, 10, 11]
    assert not block.values[:, ACC_REAR].any()
    assert not block.values[:, MAG].any()
    assert block.values[:, block.valid].all()
    assert values.all()
    assert block_without(block.t, values).valid.all()


def test_the_share_of_sessions_that_lack_a_sensor_is_the_one_asked_for():
    drawn = [absent_sensors((), 0.15, [3, number]) for number in range(4000)]
    assert np.mean([len(absent) == 1 for absent in drawn]) == pytest.approx(0.15, abs=0.015)
    assert {name for absent in drawn for name in absent} == {"rear", "magnetometer"}
    assert drawn == [absent_sensors((), 0.15, [3, number]) for number in range(4000)]
    assert drawn != [absent_sensors((), 0.15, [4, number]) for number in range(4000)]


def test_sensors_that_are_always_absent_stay_absent_and_are_not_drawn_again():
    drawn = {absent_sensors(("rear",), 0.5, [3, number]) for number in range(100)}
    assert drawn == {("rear",), ("rear", "magnetometer")}


def test_no_session_loses_both_accelerometers():
    drawn = {absent_sensors(("front",), 1.0, [3, number]) for number in range(100)}
    assert drawn == {("front", "magnetometer")}


def test_sensor_names_are_read_from_a_list_with_commas():
    assert sensor_names("") == ()
    assert sensor_names("rear, magnetometer") == ("rear", "magnetometer")
    assert set(sensor_names("rear,gyro,magnetometer")) < set(SENSORS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rear,nose", "nose is no sensor.*front, rear"),
        ("force", "force"),
        ("front,rear", "no motion to read"),
    ],
)
def test_names_that_no_pen_can_be_read_without_are_refused(text, message):
    with pytest.raises(BadInputError, match=message):
        sensor_names(text)
