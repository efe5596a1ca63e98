"""Recordings of the STABILO challenge as a replay source: scales, gaps, and one message for each fault."""

import asyncio

import numpy as np
import pytest

from firmware_protocol.channels import Quantity
from firmware_protocol.messages import join_samples
from penapp.device.axes import axis_map
from penapp.device.recorded import open_recorded
from penapp.device.replay import ReplaySource
from penapp.device.stabilo import StabiloRecording
from penapp.errors import BadInputError
from penapp.stream.assemble import StreamAssembler
from penapp.stream.block import ACC_FRONT, ACC_REAR, FORCE, GYRO, MAG
from tests.device.stabilo_toys import CALIBRATION, HEADER, toy_counts, toy_lines, toy_recording

G = 9.80665


def played(recording):
    """(assembler, t, values, lost before each block) of the whole recording."""
    assembler = StreamAssembler(recording.descriptor)
    blocks = [b for batch in recording.frames() for f in batch for b in assembler.push(f)]
    t = np.concatenate([b.t for b in blocks])
    return assembler, t, np.concatenate([b.values for b in blocks]), [b.lost for b in blocks]


def made(tmp_path, n=40, calibration=None, **lines):
    return toy_recording(tmp_path / "rec", toy_lines(toy_counts(n), **lines), calibration)


def test_every_count_arrives_in_order(tmp_path):
    recording = StabiloRecording(made(tmp_path, 43))
    frames = [f for batch in recording.frames() for f in batch]
    np.testing.assert_array_equal(join_samples(frames, 13), toy_counts(43))
    assert [f.seq for f in frames] == list(range(len(frames)))
    assert recording.read_bytes == recording.total_bytes > 0


def test_each_frame_knows_when_the_tablet_had_it(tmp_path):
    arrived = [a for batch in StabiloRecording(made(tmp_path, 24)).arrivals() for a in batch]
    assert [a.arrival_ns for a in arrived] == [1_000_000_000, 1_080_000_000, 1_160_000_000]


def test_counts_become_the_units_that_the_maker_states(tmp_path):
    counts = toy_counts(16)
    counts[3] = [16384, 0, 0, 4096, 0, 0, 16384, 0, 0, 4096, 0, 0, 2048]
    _, _, values, _ = played(StabiloRecording(toy_recording(tmp_path, toy_lines(counts))))
    row = values[3]
    np.testing.assert_allclose(row[ACC_FRONT], [G, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(row[ACC_REAR], [G, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(row[GYRO], [np.deg2rad(500.0), 0, 0], rtol=1e-6)
    np.testing.assert_allclose(row[MAG], [1200.0, 0, 0], rtol=1e-6)
    assert row[FORCE] == pytest.approx(2.66)


def test_scales_that_are_not_confirmed_are_named_by_the_pen_and_in_the_notes(tmp_path):
    recording = StabiloRecording(made(tmp_path))
    assert recording.descriptor.name == "STABILO (mag, force unconfirmed)"
    assert type(recording.descriptor).decode(recording.descriptor.encode()) == recording.descriptor
    notes = " ".join(recording.notes)
    assert "magnetometer: 8192 counts taken for 2.4 mT, not confirmed" in notes
    assert "force: 4096 counts taken for 5.32 N, not confirmed" in notes
    assert "front +z and rear +z" in notes


def test_calibration_is_in_the_descriptor_as_the_field_applies_it(tmp_path):
    counts = toy_counts(16)
    _, _, values, _ = played(StabiloRecording(toy_recording(tmp_path, toy_lines(counts), CALIBRATION)))
    np.testing.assert_allclose(
        values[:, 6], (counts[:, 6] - 10) * np.deg2rad(1000.0) / 32768, rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(values[:, 10], (counts[:, 10] - 6) * 2400.0 / 8192 / 2.0, rtol=1e-5, atol=1e-4)


def test_two_pens_have_two_names_for_calibrations_kept(tmp_path):
    plain = StabiloRecording(made(tmp_path / "a")).descriptor
    calibrated = StabiloRecording(made(tmp_path / "b", calibration=CALIBRATION)).descriptor
    assert plain.device_id != calibrated.device_id
    assert calibrated.device_id == StabiloRecording(tmp_path / "b/rec").descriptor.device_id


def test_gaps_of_the_counter_are_exact(tmp_path):
    counter = np.arange(500, 540)
    counter[13:] += 5
    counter[30:] += 2
    assembler, t, _, lost = played(StabiloRecording(made(tmp_path, counter=counter)))
    assert [n for n in lost if n] == [5, 2]
    assert (assembler.counters.samples, assembler.counters.lost, assembler.counters.segments) == (40, 7, 1)
    assert t[13] - t[12] == pytest.approx(0.06)


@pytest.mark.parametrize("bits", [8, 16])
def test_a_counter_that_wraps_loses_nothing(tmp_path, bits):
    n = 600
    counter = (np.arange(n) + (1 << bits) - 100) % (1 << bits)
    assembler, t, _, _ = played(StabiloRecording(made(tmp_path, n, counter=counter)))
    assert (assembler.counters.samples, assembler.counters.lost, assembler.counters.segments) == (n, 0, 1)
    assert (np.diff(t) > 0).all()


def test_a_gap_across_the_wrap_is_exact(tmp_path):
    counter = np.arange(40) + 65_530
    counter[6:] += 4
    millis = 1000 + 10 * (counter - counter[0])
    recording = StabiloRecording(made(tmp_path, counter=counter % 65_536, millis=millis))
    assert played(recording)[0].counters.lost == 4


def test_a_counter_that_begins_anew_is_a_new_segment_and_no_loss(tmp_path):
    counter = np.concatenate([np.arange(500, 524), np.arange(16)])
    assembler, t, _, _ = played(StabiloRecording(made(tmp_path, counter=counter)))
    assert (assembler.counters.samples, assembler.counters.lost, assembler.counters.segments) == (40, 0, 2)
    assert (np.diff(t) > 0).all()


def test_samples_that_came_twice_count_once(tmp_path):
    counter = np.arange(500, 540)
    counter[20:] -= 1
    recording = StabiloRecording(made(tmp_path, counter=counter))
    assert played(recording)[0].counters.samples == 39
    assert any("1 samples came twice" in note for note in recording.notes)


@pytest.mark.parametrize(("period_ms", "rate_hz"), [(10.0, 100.0), (9.9, 100.0), (5.0, 200.0)])
def test_the_rate_is_the_nominal_one_or_what_the_tablet_saw(tmp_path, period_ms, rate_hz):
    n = 800
    millis = np.rint(period_ms * 8 * (np.arange(n) // 8)).astype(int)
    recording = StabiloRecording(made(tmp_path, n, millis=millis))
    assert recording.descriptor.streams[0].rate_hz == pytest.approx(rate_hz, rel=2e-3)
    _, t, _, _ = played(recording)
    assert t[-1] == pytest.approx((n - 1) * period_ms / 1000, rel=2e-3)


def test_a_last_line_cut_short_costs_only_itself(tmp_path):
    lines = toy_lines(toy_counts(40))
    recording = StabiloRecording(toy_recording(tmp_path, [*lines[:-1], lines[-1][:31]]))
    assert played(recording)[0].counters.samples == 39
    assert recording.counters.damaged_frames == 1
    assert any("last line is cut short" in note for note in recording.notes)


def test_columns_in_another_order_are_read_by_name(tmp_path):
    lines = toy_lines(toy_counts(16))
    swapped = [";".join([f[-1], *f[1:-1], f[0]]) for f in (line.split(";") for line in lines)]
    frames = next(StabiloRecording(toy_recording(tmp_path, swapped)).frames())
    np.testing.assert_array_equal(join_samples(frames, 13), toy_counts(16))


def test_columns_with_other_names_are_read_by_place_and_that_is_told(tmp_path):
    header = ";".join(f"spalte {letter}" for letter in "abcdefghijklmno")
    recording = StabiloRecording(made(tmp_path, header=header))
    assert played(recording)[0].counters.samples == 40
    assert any("by their place" in note for note in recording.notes)


def test_axes_said_by_hand_turn_the_values(tmp_path):
    from penapp.device.axes import mounts

    folder = made(tmp_path)
    _, _, plain, _ = played(StabiloRecording(folder))
    _, _, turned, _ = played(StabiloRecording(folder, mounts("y,-x,z", "-x,-y,z")))
    np.testing.assert_array_equal(turned[:, 0], plain[:, 1])
    np.testing.assert_array_equal(turned[:, 7], -plain[:, 6])
    np.testing.assert_array_equal(turned[:, 3:6], plain[:, 3:6] * [-1, -1, 1])


@pytest.mark.parametrize(
    ("text", "reason"), [("x,y", "not understood"), ("x,x,z", "not understood"), ("-x,y,z", "mirror")]
)
def test_axes_that_no_sensor_has_are_refused(text, reason):
    with pytest.raises(BadInputError, match=reason):
        axis_map(text)
    assert axis_map("x, y, z") == ((1, 0, 0), (0, 1, 0), (0, 0, 1))


def without_column(lines, column):
    return [";".join(f[:column] + f[column + 1 :]) for f in (line.split(";") for line in lines)]


LINES = toy_lines(toy_counts(40))
BROKEN = {
    "empty": ([], "is empty"),
    "only a header": ([HEADER], "holds no samples"),
    "no header": (LINES[1:], "begins with numbers"),
    "commas": ([line.replace(";", ",") for line in LINES], "no semicolon"),
    "no force": (without_column(LINES, 13), "has 14 columns and lacks Force"),
    "a renamed force": ([HEADER.replace("Force", "Temp"), *LINES[1:]], "15 columns and lacks Force"),
    "a short line": ([*LINES[:5], LINES[5][:20], *LINES[6:]], "line 6 has . fields, expected 15"),
    "a word": ([*LINES[:5], LINES[5].replace(";", ";n/a;", 1).rsplit(";", 1)[0], *LINES[6:]], "line 6 .*n/a"),
    "not a number": (
        [*LINES[:5], ";".join(["1", "nan", *LINES[5].split(";")[2:]]), *LINES[6:]],
        "Acc1 X of sample 5 is nan",
    ),
    "no time": (
        [*LINES[:5], ";".join(["nan", *LINES[5].split(";")[1:]]), *LINES[6:]],
        "Millis holds something",
    ),
    "physical units": (
        [
            LINES[0],
            *(
                ";".join([f[0], *(f"{int(v) / 16384:.4f}" for v in f[1:14]), f[14]])
                for f in (line.split(";") for line in LINES[1:])
            ),
        ],
        "expected a whole number .* raw counts, not physical units",
    ),
    "another scale": (
        [
            LINES[0],
            *(";".join([f[0], "100", "0", "2048", *f[4:]]) for f in (x.split(";") for x in LINES[1:])),
        ],
        r"front accelerometer reads 0\.13 g at the median, expected about 1 g",
    ),
    "a counter of milliseconds": (
        toy_lines(toy_counts(40), counter=np.arange(0, 400, 10)),
        r"moves on by 1 at only 0 % of the samples \(most often by 10\)",
    ),
    "a counter that never counts": (toy_lines(toy_counts(40), counter=np.zeros(40, int)), "most often by 0"),
    "a negative counter": (toy_lines(toy_counts(40), counter=np.arange(-3, 37)), "sample 1 is -3"),
    "seconds for milliseconds": (
        toy_lines(toy_counts(800), millis=np.arange(800) / 100),
        "holds 100000 samples a second by its column Millis",
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_what_does_not_fit_is_named_in_one_message_with_what_to_do(tmp_path, fault):
    lines, reason = BROKEN[fault]
    folder = toy_recording(tmp_path, lines)
    if not lines:
        (folder / "sensor_data.csv").write_text("")
    with pytest.raises(BadInputError, match=reason) as caught:
        StabiloRecording(folder)
    assert "sensor_data.csv" in str(caught.value)
    assert caught.value.advice
    assert "\n" not in str(caught.value)


def test_a_calibration_that_is_none_is_named(tmp_path):
    with pytest.raises(BadInputError, match=r"calibration\.txt is no calibration: it lacks bgy"):
        StabiloRecording(made(tmp_path, calibration="bgx: 1\n"))


def test_a_binary_file_is_called_so(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(BadInputError, match="is no text"):
        open_recorded(tmp_path / "x.csv")


def test_a_folder_of_recordings_names_the_first(tmp_path):
    made(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInputError, match="holds 1 recordings, rec the first") as caught:
        open_recorded(tmp_path)
    assert str(tmp_path / "rec") in caught.value.advice
    with pytest.raises(BadInputError, match="folder without sensor_data"):
        open_recorded(tmp_path / "empty")


def test_replay_plays_the_folder_like_a_recording(tmp_path):
    folder = made(tmp_path, 100)

    async def everything():
        source = ReplaySource(folder, None)
        descriptor = await source.open()
        await source.start()
        frames = [a.frame async for batch in source.frames() for a in batch]
        done = source.progress
        await source.stop()
        await source.close()
        return descriptor, frames, done, source.counters

    descriptor, frames, done, counters = asyncio.run(everything())
    assert any(c.quantity == Quantity.FORCE for c in descriptor.streams[0].channels)
    np.testing.assert_array_equal(join_samples(frames, 13), toy_counts(100))
    assert (done, counters.frames) == (1.0, len(frames))
