"""The newest calibration of the pen that connects is used; a damaged one never stops it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from calibration.sensor import Correction, PenCalibration, identity
from calibration.store import CalibrationStore
from firmware_protocol.channels import standard_descriptor
from penapp.calibrate import known_pen, pen_id_of, setup_for
from penapp.device.virtual import VirtualPenSource
from penapp.errors import BadInputError
from penapp.live import LiveSession
from penapp.live_types import Failed, LinkChanged, LinkState
from penapp.pipeline import default_pipeline, geometry_of
from tests.device.toy_pens import ToyInk, ToyPipeline

PEN = standard_descriptor()
DAY = datetime(2026, 3, 1, tzinfo=UTC)
RECORD = PenCalibration(pen_id_of(PEN), DAY, front=Correction((0.1, 0.2, 0.3)), lever_arm_mm=(0.0, 0.0, 91.5))


@pytest.fixture
def store(monkeypatch, tmp_path):
    monkeypatch.setattr("penapp.calibrate.user_data_path", lambda _: tmp_path)
    return CalibrationStore(tmp_path / "calibration")


def used(pipeline):
    return pipeline._front_end._calibrator._calibration


def test_the_pipeline_takes_the_newest_record_of_its_pen(store, toy_model):
    assert used(default_pipeline(PEN, model=toy_model, lexicon=False)) == identity()
    newer = PenCalibration(RECORD.pen_id, DAY + timedelta(days=1), mag=Correction((1.0, 2.0, 3.0)))
    store.save(newer)
    store.save(RECORD)
    store.save(PenCalibration("another", DAY + timedelta(days=9), mag=Correction((9.0, 9.0, 9.0))))
    pipeline = default_pipeline(PEN, model=toy_model, lexicon=False)
    assert used(pipeline) == newer
    assert pipeline.warning is None


def test_a_damaged_record_leaves_the_pen_uncorrected_and_says_so(store, toy_model):
    path = store.save(RECORD)
    path.write_text("{", encoding="utf-8")
    pipeline = default_pipeline(PEN, model=toy_model, lexicon=False)
    assert used(pipeline).is_identity
    assert isinstance(pipeline.warning, BadInputError)
    assert path.name in str(pipeline.warning)
    assert "uncalibrated" in str(pipeline.warning)
    assert pipeline.warning.advice
    assert known_pen(PEN).calibration is None


def test_a_session_tells_the_damage_once_and_goes_on():
    def pipeline(descriptor):
        made = ToyPipeline(descriptor)
        made.warning = BadInputError("the pen is used uncalibrated.", advice="Calibrate it again.")
        return made

    events = []
    session = LiveSession(VirtualPenSource(ToyInk("pen"), speed=None), pipeline, on_event=events.append)
    session.start()
    assert session.wait(20.0)
    session.stop()
    assert [event for event in events if isinstance(event, Failed)] == [
        Failed("the pen is used uncalibrated.", "Calibrate it again.")
    ]
    links = [event.status.link for event in events if isinstance(event, LinkChanged)]
    assert links[-1] is LinkState.ENDED
    assert session.error is None


def test_a_measured_lever_arm_replaces_the_stated_distance():
    stated = geometry_of(PEN)
    measured = geometry_of(PEN, RECORD)
    assert measured.front_mm == stated.front_mm
    assert measured.rear_mm == pytest.approx(stated.front_mm + 91.5)
    assert geometry_of(PEN, identity()) == stated


def test_the_steps_learn_rate_channels_and_limits_from_the_descriptor(store):
    setup = setup_for(PEN, None)
    assert setup.rate_hz == 100.0
    assert setup.valid.all()
    assert setup.limits.mag == pytest.approx(2400.0)
    assert setup.limits.force == pytest.approx(5.32, abs=1e-4)
    assert setup.previous.pen_id == pen_id_of(PEN)
    store.save(RECORD)
    assert setup_for(PEN, known_pen(PEN).calibration).previous == RECORD
