"""What the pen wrote, kept beside what it felt."""

from __future__ import annotations

import numpy as np
import pytest

from models.training.shards import Shard, first_words, join
from models.training.strokes import STEP_MM, UNITS_PER_MM, PackedInk, pack
from penapp.simulation.ink import WordInk
from tests.training.toy_training import demo_shard


def word(*strokes):
    return WordInk(
        "x",
        tuple(np.array(s, dtype=float) for s in strokes),
        tuple(np.arange(float(len(s))) for s in strokes),
        False,
        "me",
    )


def test_strokes_come_back_at_their_places_from_the_words_own_corner():
    ink = pack([word([[10, 5], [11, 5], [12, 7]], [[9, 9]]), word([[0, 0], [0.5, 0]])])
    first, second = ink.word(0), ink.word(1)
    np.testing.assert_allclose(first[0], [[1, 0], [2, 0], [3, 2]], atol=0.5 / UNITS_PER_MM)
    np.testing.assert_allclose(first[1], [[0, 4]], atol=0.5 / UNITS_PER_MM)
    np.testing.assert_allclose(second[0], [[0, 0], [0.5, 0]], atol=0.5 / UNITS_PER_MM)


def test_a_slow_stroke_is_thinned_and_keeps_its_ends():
    crawl = np.column_stack([np.linspace(0, 1, 500), np.zeros(500)])
    (stroke,) = pack([word(crawl)]).word(0)
    assert len(stroke) < 1.5 / STEP_MM
    assert stroke[0, 0] == 0.0
    assert stroke[-1, 0] == pytest.approx(1.0)


def test_a_shard_keeps_the_ink_of_its_words_through_disk_join_and_cut(tmp_path):
    shard = demo_shard(sessions=2)
    assert shard.ink.known().all()
    shard.save(tmp_path / "s.npz")
    both = join([Shard.load(tmp_path / "s.npz"), first_words(shard, 3)])
    picked = both.only(np.array([len(shard) + 2, 0, len(shard) - 1]))
    last = len(shard) - 1
    for ink, i, same in (
        (both.ink, 0, 0), (both.ink, last, last), (both.ink, last + 3, 2),
        (picked.ink, 0, 2), (picked.ink, 1, 0), (picked.ink, 2, last),
    ):  # fmt: skip
        for found, kept in zip(ink.word(i), shard.ink.word(same), strict=True):
            np.testing.assert_array_equal(found, kept)


def test_a_shard_without_ink_is_read_as_one(tmp_path):
    shard = demo_shard(sessions=1)
    shard.save(tmp_path / "s.npz")
    with np.load(tmp_path / "s.npz") as archive:
        arrays = {k: archive[k] for k in archive.files if not k.startswith("ink_")}
    np.savez(tmp_path / "old.npz", **arrays)
    old = Shard.load(tmp_path / "old.npz")
    assert not old.ink.known().any()
    assert old.ink.word(0) == []
    assert len(join([old, shard]).ink) == 2 * len(shard)
    assert PackedInk.none(2).first(1).off.tolist() == [0, 0]
