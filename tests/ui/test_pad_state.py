"""Pixels become millimetres, time never runs back, ink turns its page."""

from __future__ import annotations

import pytest

from penapp.ui.pad_state import NO_INK, Box, EventClock, PadGeometry, PadInk, PadPoint, ShownInk, fitted


def test_millimetres_run_right_and_away_from_the_writer():
    geometry = PadGeometry(640, 200, px_per_mm=10.0)
    assert geometry.to_mm(0, 200) == (0.0, 0.0)
    assert geometry.to_mm(100, 0) == (10.0, 20.0)
    assert geometry.to_px(*geometry.to_mm(321, 45)) == pytest.approx((321, 45))


def test_ruled_lines_lie_inside_the_pad():
    lines = PadGeometry(640, 210).ruled_lines()
    assert len(lines) >= 2
    assert all(0 < y < 210 for y in lines)


def test_seconds_follow_the_event_stamps_and_never_repeat():
    clock = EventClock()
    first = clock.seconds(5000, host_s=100.0)
    assert clock.seconds(5008, host_s=170.0) - first == pytest.approx(0.008)
    same = clock.seconds(5008, host_s=170.0)
    assert clock.seconds(5007, host_s=170.0) > same


def test_the_host_clock_fills_in_where_events_carry_no_time():
    clock = EventClock()
    assert clock.seconds(0, host_s=3.0) == 3.0
    assert clock.seconds(0, host_s=3.5) == 3.5


def stroke(ink, *xs, t=0.0):
    for x in xs:
        ink.add(PadPoint(x, 5.0, True, 0.0, t))
    ink.add(PadPoint(xs[-1], 5.0, False, 0.0, t))


def test_committed_ink_steps_back_and_the_next_word_turns_the_page():
    ink = PadInk()
    stroke(ink, 1.0, 2.0)
    ink.dim()
    assert (len(ink.strokes), len(ink.dimmed)) == (0, 1)
    stroke(ink, 7.0, 8.0)
    assert (len(ink.strokes), len(ink.dimmed)) == (1, 0)


def test_a_stroke_in_progress_is_not_dimmed():
    ink = PadInk()
    stroke(ink, 1.0, 2.0)
    ink.add(PadPoint(4.0, 5.0, True, 0.0, 0.0))
    ink.dim()
    assert (len(ink.strokes), len(ink.dimmed)) == (1, 1)


def test_hovering_leaves_no_ink():
    ink = PadInk()
    ink.add(PadPoint(1.0, 1.0, False, 0.0, 0.0))
    assert ink.strokes == []


def test_ink_of_another_pen_is_moved_into_the_pad():
    geometry = PadGeometry(600, 200, px_per_mm=10.0)
    box = Box(500.0, 899.0, 700.0, 903.0)
    shown = fitted(ShownInk([[(500.0, 900.0), (700.0, 903.0)], [(600.0, 899.0)]], box), geometry)
    for part in shown:
        for x, y in part:
            px, py = geometry.to_px(x, y)
            assert 0 <= px <= 600
            assert 0 <= py <= 200
    assert fitted(NO_INK, geometry) == []


def test_shown_ink_stays_where_it_is_while_its_word_grows():
    geometry = PadGeometry(600, 200, px_per_mm=10.0)
    box = Box(0.0, 0.0, 30.0, 8.0)
    early = fitted(ShownInk([[(0.0, 1.0)]], box), geometry)
    late = fitted(ShownInk([[(0.0, 1.0), (30.0, 8.0)]], box), geometry)
    assert late[0][0] == early[0][0]
