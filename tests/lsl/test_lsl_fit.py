"""Which LSL streams are pens: names, units, rates, and what the others are told. No library needed."""

import math
from dataclasses import replace

import numpy as np
import pytest

from firmware_protocol.channels import Quantity, standard_descriptor
from penapp.lsl.channels import LABELS, UNITS, Place, factor_of, place_of
from penapp.lsl.fit import LslChannel, LslFacts, fit
from penapp.lsl.library import LslMissingError, LslStreamError, load_pylsl
from penapp.stream.layout import ChannelLayout

OURS = tuple(LslChannel(label, unit) for label, unit in zip(LABELS, UNITS, strict=True))
FACTS = LslFacts("MyPen", 100.0, True, OURS, "board-7", "uid-1")


def without(*labels):
    return replace(FACTS, channels=tuple(c for c in OURS if c.label not in labels))


@pytest.mark.parametrize(
    ("label", "place"),
    [
        *((label, Place(Quantity(1 + k // 3), k % 3 if k < 12 else 0)) for k, label in enumerate(LABELS)),
        ("AccX", Place(Quantity.ACC1, 0)),
        ("Accelerometer Y", Place(Quantity.ACC1, 1)),
        ("Accel2-Z", Place(Quantity.ACC2, 2)),
        ("acc_rear_x", Place(Quantity.ACC2, 0)),
        ("Gyroscope.Z", Place(Quantity.GYRO, 2)),
        ("MagX", Place(Quantity.MAG, 0)),
        ("Force", Place(Quantity.FORCE, 0)),
        ("Fp1", None),
        ("x", None),
        ("", None),
        ("temperature", None),
        ("acc3_x", None),
    ],
)
def test_names_of_channels(label, place):
    assert place_of(label) == place


@pytest.mark.parametrize(
    ("quantity", "unit", "factor"),
    [
        (Quantity.ACC1, "m/s^2", 1.0),
        (Quantity.ACC1, "m/s²", 1.0),
        (Quantity.ACC2, "g", 9.80665),
        (Quantity.ACC1, "mg", 9.80665e-3),
        (Quantity.GYRO, "deg/s", math.pi / 180),
        (Quantity.GYRO, "°/s", math.pi / 180),
        (Quantity.GYRO, "rad/s", 1.0),
        (Quantity.MAG, "µT", 1.0),
        (Quantity.MAG, "G", 100.0),
        (Quantity.MAG, "mT", 1000.0),
        (Quantity.FORCE, "N", 1.0),
        (Quantity.FORCE, "mN", 1e-3),
        (Quantity.FORCE, "g", None),
        (Quantity.ACC1, "microvolts", None),
        (Quantity.GYRO, "", None),
    ],
)
def test_units_are_those_of_the_quantity_or_refused(quantity, unit, factor):
    assert factor_of(quantity, unit) == (None if factor is None else pytest.approx(factor))


def test_a_whole_pen_is_understood():
    found = fit(FACTS)
    assert found.descriptor.name == "LSL MyPen"
    assert ChannelLayout.of(found.descriptor).valid.all()
    assert type(found.descriptor).decode(found.descriptor.encode()) == found.descriptor


def test_what_a_stream_lacks_stays_invalid():
    found = fit(without("acc2_x", "acc2_y", "acc2_z", "mag_y"))
    valid = ChannelLayout.of(found.descriptor).valid
    np.testing.assert_array_equal(np.flatnonzero(~valid), [3, 4, 5, 10])


def test_a_channel_that_is_said_not_to_be_measured_is_left_out():
    channels = tuple(replace(c, absent=c.label.startswith("mag")) for c in OURS)
    valid = ChannelLayout.of(fit(replace(FACTS, channels=channels)).descriptor).valid
    np.testing.assert_array_equal(np.flatnonzero(~valid), [9, 10, 11])


def test_columns_may_stand_anywhere_among_others():
    channels = (LslChannel("battery", "%"), *reversed(OURS))
    found = fit(replace(FACTS, channels=channels))
    assert [channels[c].label for c in found.columns] == list(reversed(LABELS))


def test_the_resolution_of_the_sensor_is_taken_where_the_stream_states_it():
    stated = standard_descriptor().streams[0].channels
    channels = tuple(
        replace(c, scale=s.scale, full_scale=s.full_scale) for c, s in zip(OURS, stated, strict=True)
    )
    found = fit(replace(FACTS, channels=channels)).descriptor.streams[0]
    np.testing.assert_array_equal(found.scale_row, standard_descriptor().streams[0].scale_row)
    in_g = fit(replace(FACTS, channels=tuple(replace(c, unit="g") if c.unit == "m/s2" else c for c in OURS)))
    assert in_g.factors[0] == pytest.approx(9.80665)
    assert in_g.descriptor.streams[0].channels[0].full_scale == pytest.approx(8 * 9.80665)


def test_a_sender_that_started_again_is_another_boot_of_the_same_pen():
    first, second = fit(FACTS).descriptor, fit(replace(FACTS, uid="uid-2")).descriptor
    assert first.boot_id != second.boot_id
    assert first.device_id == second.device_id != fit(replace(FACTS, source_id="x")).descriptor.device_id


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (replace(FACTS, numeric=False), "its values are text"),
        (replace(FACTS, rate_hz=0.0), r"\(no regular rate, 13 channel\(s\): acc1_x.*its rate does not fit"),
        (replace(FACTS, rate_hz=1000.0), r"1000 Hz.*its rate does not fit"),
        (
            replace(FACTS, channels=(LslChannel("Fp1", "microvolts"),) * 8),
            "Fp1, .* an accelerometer with x, y, z and the force",
        ),
        (replace(FACTS, channels=(LslChannel(""),) * 13), r"13 channel\(s\): \?, .*it lacks"),
        (without("force"), "it lacks the force"),
        (without("acc1_x", "acc2_z"), "it lacks an accelerometer with x, y, z"),
        (
            replace(FACTS, channels=(LslChannel("AccX", "g"), *OURS)),
            "its channels 'AccX' and 'acc1_x' mean the same",
        ),
        (
            replace(FACTS, channels=(replace(OURS[0], unit=""), *OURS[1:])),
            "its channel 'acc1_x' has no unit",
        ),
        (replace(FACTS, channels=(*OURS[:12], LslChannel("force", "V"))), "its channel 'force' has 'V'"),
    ],
)
def test_a_stream_that_is_no_pen_is_told_what_it_is_and_what_a_pen_has(facts, reason):
    with pytest.raises(LslStreamError, match=reason) as caught:
        fit(facts)
    assert "'MyPen'" in str(caught.value)
    assert caught.value.advice.startswith("Expected a numeric stream of 50 to 400 Hz")


def test_without_the_library_one_line_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pylsl", None)
    with pytest.raises(LslMissingError, match="LSL needs pylsl, which is not installed") as caught:
        load_pylsl()
    assert 'pip install "penapp[lsl]"' in caught.value.advice


def test_a_library_that_does_not_load_is_told_apart(monkeypatch):
    def broken(_):
        raise RuntimeError("LSL binary library file was not found.\nPlease ...")

    monkeypatch.setattr("penapp.lsl.library.import_module", broken)
    with pytest.raises(LslMissingError, match="does not load: LSL binary library file was not found"):
        load_pylsl()


def test_the_window_and_the_terminal_take_an_lsl_stream_where_they_take_a_port():
    from penapp.app import choice_from
    from penapp.cli.sources import source_for
    from penapp.ui.pens import pen_source

    for source in (source_for("lsl:MyPen", None), pen_source(choice_from("lsl:MyPen"))[0]):
        assert source.name == "lsl:MyPen"
