"""Simulated words stay inside what real pens and hands measured, or the gap is listed."""

from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

from penapp.simulation import imu_figures, tablet_figures
from penapp.simulation.__main__ import main
from penapp.simulation.demo_ink import demo_corpus
from penapp.simulation.measured import measured, sanity_ranges
from penapp.simulation.sanity import KNOWN_GAPS, check, figures, simulated_set


@pytest.fixture(scope="module")
def recordings():
    return list(simulated_set(demo_corpus(), 600, 1))


@pytest.fixture(scope="module")
def checks(recordings):
    return {c.name: c for c in check(recordings)}


@pytest.mark.parametrize("name", [n for n in sanity_ranges() if n not in KNOWN_GAPS])
def test_words_lie_inside_the_measured_range(checks, name):
    c = checks[name]
    assert c.low <= c.q50 <= c.high, c
    assert c.q10 < c.high, c
    assert c.q90 > c.low, c


def test_a_gap_that_closed_is_taken_off_the_list(checks):
    assert [name for name in KNOWN_GAPS if checks[name].holds] == []


def test_most_ranges_hold():
    assert len(KNOWN_GAPS) <= 4
    assert all(len(reason) > 30 for reason in KNOWN_GAPS.values())


def test_every_range_has_a_figure(recordings):
    assert set(figures(recordings[0])) == set(sanity_ranges())


def test_measured_figures_name_their_sources():
    content = measured()
    assert set(content["imu"]) | set(content["pose"]) == set(content["sources"])
    assert "may not be passed on" in content["provenance"]


# The figures themselves, on signals whose answer is known.


def session_of(values, rate_hz=100.0):
    return SimpleNamespace(
        values=values.astype(np.float32), t=np.arange(len(values)) / rate_hz, rate_hz=rate_hz
    )


def test_a_sine_lands_in_its_band_with_its_power():
    t = np.arange(6000) / 100.0
    values = 1e-3 * np.random.default_rng(0).standard_normal((6000, 13))
    values[:, 0] = 9.81 + 2.0 * np.sin(2 * np.pi * 4.5 * t)
    values[:, 6] = 0.3 + 1.0 * np.sin(2 * np.pi * 18.0 * t)
    row = imu_figures.imu_figures(session_of(values))
    assert row["acc_dynamic_rms_3axis_m_s2"] == pytest.approx(np.sqrt(2.0), rel=0.05)
    assert row["acc_centroid_hz"] == pytest.approx(4.5, abs=0.2)
    assert row["acc_share_3_10Hz_of_1_25Hz"] > 0.98
    assert row["gyro_share_15_25Hz_of_1_25Hz"] > 0.98
    assert row["gyro_rms_3axis_rad_s"] == pytest.approx(np.sqrt(0.5), rel=0.25)  # 20 ms means damp 18 Hz


def test_kurtosis_tells_bursts_from_noise():
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((20000, 3))
    assert imu_figures.excess_kurtosis(noise) == pytest.approx(0.0, abs=0.1)
    assert imu_figures.excess_kurtosis(rng.laplace(size=(20000, 3))) == pytest.approx(3.0, abs=0.5)


def test_efold_finds_the_time_constant():
    rng, keep = np.random.default_rng(0), np.exp(-1.0 / 20.0)
    x = np.zeros(40000)
    for i in range(1, len(x)):
        x[i] = keep * x[i - 1] + rng.standard_normal()
    assert tablet_figures.efold_s(x, [(0, 40000)], 100.0) == pytest.approx(0.2, rel=0.2)


def test_runs_are_found_at_the_edges_too():
    mask = np.array([1, 1, 0, 0, 1, 0, 1], dtype=bool)
    assert tablet_figures.runs(mask) == [(0, 2), (4, 5), (6, 7)]


# The report.


def test_report_writes_one_page_and_its_picture(tmp_path):
    pytest.importorskip("matplotlib")
    done = CliRunner().invoke(main, ["report", "--out", str(tmp_path / "r"), "--words", "60"])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "r" / "simulation-report.png").read_bytes().startswith(b"\x89PNG")
    page = (tmp_path / "r" / "index.html").read_text(encoding="utf-8")
    assert all(name in page for name in sanity_ranges())
    assert "Drotar" in page


def test_report_says_what_is_missing_when_matplotlib_is(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    done = CliRunner().invoke(main, ["report", "--out", str(tmp_path), "--words", "12"])
    assert done.exit_code == 1
    assert "matplotlib" in done.output
    assert "extra 'train'" in done.output


def test_report_names_a_broken_ink_file(tmp_path):
    broken = tmp_path / "ink.npz"
    broken.write_bytes(b"no ink")
    done = CliRunner().invoke(main, ["report", "--out", str(tmp_path), "--ink", str(broken)])
    assert done.exit_code == 1
    assert "cannot be read as an ink file" in done.output


def test_both_commands_are_there():
    done = CliRunner().invoke(main, ["--help"])
    assert "report" in done.output
    assert "import-unipen" in done.output
