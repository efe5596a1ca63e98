"""Thinning keeps what matters, gaps are seen, scales stay calm."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from penapp.ui import strip_math, strip_state
from penapp.ui.strip_layout import strip_layout


def signal(n, rate_hz=400.0):
    t = np.arange(n) / rate_hz
    rng = np.random.default_rng(5)
    return t, rng.normal(size=(n, 13)).astype(np.float32)


def thin(t, values, width=300, window_s=10.0):
    return strip_math.traces(t, values, window_s=window_s, width=width, gap_s=0.01)


def test_thinning_keeps_every_extreme_and_at_most_two_points_a_column():
    t, values = signal(4000)
    values[1777, 3] = 99.0
    values[2001, 3] = -99.0
    shown = thin(t, values)
    assert len(shown.x) <= 2 * 301
    assert shown.values[:, 3].max() == 99.0
    assert shown.values[:, 3].min() == -99.0


def test_every_column_spans_exactly_its_samples():
    t, values = signal(4000)
    shown = thin(t, values)
    column = np.floor(t / (10.0 / 300)).astype(int)
    for i in (0, 57, 211):
        inside = values[column == column[0] + i]
        pair = shown.values[2 * i : 2 * i + 2]
        np.testing.assert_array_equal(pair.min(axis=0), inside.min(axis=0))
        np.testing.assert_array_equal(pair.max(axis=0), inside.max(axis=0))


def test_columns_do_not_shimmer_while_the_trace_scrolls():
    t, values = signal(4400)
    early, late = thin(t[:4000], values[:4000]), thin(t[:4026], values[:4026])
    moved = late.x[-1] - late.x[-40]
    assert moved == early.x[-1] - early.x[-40]
    common = early.values[200:400, 0]
    joined = np.lib.stride_tricks.sliding_window_view(late.values[:, 0], len(common))
    assert np.any(np.all(joined == common, axis=1))


def test_few_samples_are_drawn_as_they_are_up_to_the_right_edge():
    t, values = signal(100, rate_hz=100.0)
    shown = thin(t, values, window_s=2.0)
    np.testing.assert_array_equal(shown.values, values)
    assert shown.x[-1] == 299
    assert shown.x[0] == pytest.approx(299 - 99 / 2 * 3.0)


@pytest.mark.parametrize("n", [300, 4000])
def test_a_hole_in_the_samples_breaks_the_line(n):
    t, values = signal(n)
    t[n // 2 :] += 0.2
    shown = thin(t, values)
    assert len(shown.breaks) == 1
    left, right = shown.x[shown.breaks[0] - 1], shown.x[shown.breaks[0]]
    assert right - left == pytest.approx(0.2 * 30, abs=2.0)
    assert strip_math.gap_spans(t, gap_s=0.01) == [(t[n // 2 - 1], t[n // 2])]


def test_no_samples_is_no_trace():
    shown = thin(np.empty(0), np.empty((0, 13), np.float32))
    assert len(shown.x) == len(shown.values) == 0


def test_after_a_restart_of_the_pen_only_its_new_clock_counts():
    t = np.concatenate((np.arange(50.0, 51.0, 0.01), np.arange(0.0, 0.5, 0.01)))
    assert strip_math.newest_run(t) == 100
    assert strip_math.newest_run(t[:100]) == 0


@pytest.mark.parametrize(
    ("peak", "least", "scale"),
    [(0.0, 1.0, 1.0), (1.01, 1.0, 2.0), (4.2, 1.0, 5.0), (71, 1.0, 100.0), (0.3, 0.1, 0.5)],
)
def test_scales_are_round_numbers(peak, least, scale):
    assert strip_math.nice_scale(peak, least) == pytest.approx(scale)


def test_scales_grow_at_once_and_shrink_late():
    assert strip_math.next_scale(2.0, 2.1, 1.0) == 5.0
    assert strip_math.next_scale(5.0, 2.1, 1.0) == 5.0
    assert strip_math.next_scale(5.0, 1.0, 1.0) == 2.0
    assert strip_math.next_scale(5.0, float("nan"), 1.0) == 5.0


def test_the_sample_under_the_cursor_is_the_nearest():
    t = np.array([0.0, 1.0, 3.0])
    assert [strip_math.sample_at(t, x) for x in (-5, 0.4, 0.6, 2.1, 9)] == [0, 0, 1, 2, 2]
    assert strip_math.sample_at(t[:1], 7.0) == 0


def test_all_channels_have_a_row_below_their_group_and_none_overlap():
    layout = strip_layout(strip_state.STRIP_GROUPS, 500, 600)
    assert len(layout.rows) == 13
    edges = sorted([*layout.rows, *layout.headers], key=lambda band: band.top)
    assert all(a.bottom <= b.top + 1e-6 for a, b in pairwise(edges))
    assert edges[-1].bottom <= 600 - layout.axis_height + 1


def test_values_carry_the_digits_that_fit_their_size():
    gyro = next(group for group in strip_state.STRIP_GROUPS if group.name == "Gyroscope")
    force = strip_state.STRIP_GROUPS[-1]
    assert strip_state.value_text(force, 1.234) == "1.23"
    assert strip_state.value_text(force, 12.34) == "12.3"
    assert strip_state.value_text(gyro, 1.234) == "1.2"
    assert strip_state.value_text(force, float("nan")) == "–"


def test_windows_step_from_2_to_60_seconds():
    assert strip_state.step_window(10.0, 1) == 20.0
    assert strip_state.step_window(2.0, -1) == 2.0
    assert strip_state.step_window(60.0, 1) == 60.0
    assert all(
        2 <= seconds / strip_state.tick_seconds(seconds) <= 10 for seconds in strip_state.WINDOW_CHOICES_S
    )


def test_time_labels_never_run_into_each_other():
    assert [strip_state.label_every(px) for px in (80.0, 40.0, 26.0, 13.5, 0.0)] == [1, 1, 2, 3, 40]


def test_a_touchdown_spike_does_not_flatten_the_writing():
    writing = np.sin(np.linspace(0, 60, 1000))[:, None].repeat(13, axis=1).astype(np.float32)
    writing[500:503] = 80.0
    peak = strip_math.group_peak(writing, (0, 1, 2), np.zeros(13))
    assert 0.95 < peak < 1.01
    assert strip_math.group_peak(writing[:0], (0,), np.zeros(13)) == 0.0
