"""The demo's ink appears at the pace of its samples."""

from __future__ import annotations

from pathlib import Path

from penapp.ui.pens import free_name
from penapp.ui.shown_ink import DemoPen


def points(ink):
    return sum(len(stroke) for stroke in ink.strokes)


def test_ink_grows_with_the_samples_read_and_starts_over_with_the_next_word():
    pen = DemoPen()
    assert pen.ink_so_far().strokes == []
    seen, boxes = [], []
    for _ in range(60):
        counts = pen.read(10)
        assert counts is not None
        ink = pen.ink_so_far()
        seen.append(points(ink))
        boxes.append(ink.box)
    grown = [b - a for a, b, p, q in zip(seen, seen[1:], boxes, boxes[1:], strict=False) if p == q]
    assert min(grown) >= 0
    assert max(seen) > 20
    for x, y in (point for stroke in ink.strokes for point in stroke):
        assert ink.box.left <= x <= ink.box.right
        assert ink.box.low <= y <= ink.box.high


def test_a_recording_is_never_replaced(tmp_path: Path):
    path = tmp_path / "a.pen"
    assert free_name(path) == path
    path.touch()
    assert free_name(path).name == "a-2.pen"
    (tmp_path / "a-2.pen").touch()
    assert free_name(path).name == "a-3.pen"
