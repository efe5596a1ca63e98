"""Isolated characters: splits by writer, sizes and clocks made credible, shards of single labels."""

from functools import cache

import numpy as np
import pytest
from click.testing import CliRunner

from models.training.archives.__main__ import main
from models.training.archives.characters import (
    KINDS,
    SPLITS,
    CharacterInk,
    CharacterPlan,
    character_shard,
    kind_of,
    writer_tenth,
)
from models.training.inks import reclocked
from models.training.shards import Shard
from penapp.dsp.params import DEFAULT_PARAMS
from penapp.errors import BadInputError
from penapp.simulation.ink import WordInk

LABELS = "aB7.-"
KINDS_OF_LABELS = ("lower", "upper", "digit", "symbol", "symbol")


@cache
def writers_of_tenths():
    """A writer for each of: kept apart for validation, for test, left for training (two)."""
    by_tenth = {tenth: [w for w in range(200) if writer_tenth(w) == tenth] for tenth in range(3)}
    return by_tenth[0][0], by_tenth[1][0], by_tenth[2][0], by_tenth[2][1]


def write_ink(path, units=20.0, clocks=True):
    """Five characters of six people in the layout of unipen-chars: strokes of 20 points, a dot, a dash."""
    writers = [*writers_of_tenths(), 501, 502]
    splits = ["train"] * 4 + ["val", "test"]
    tall = np.column_stack([np.full(20, 3), np.full(20, 8)])
    dot, dash = np.zeros((1, 2)), np.column_stack([np.full(12, 6), np.zeros(12)])
    shapes = [tall * [1, 0.5], tall, tall, dot, dash]
    dxy = np.concatenate([*shapes] * len(writers)).astype(np.int16)
    pen = np.concatenate([[2] + [1] * (len(s) - 1) for s in shapes] * len(writers)).astype(np.uint8)
    lengths = [len(s) for s in shapes] * len(writers)
    n = len(LABELS) * len(writers)
    np.savez(
        path,
        dxy=dxy,
        pen=pen,
        off=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        label=np.array(list(LABELS) * len(writers)),
        writer=np.repeat(writers, len(LABELS)).astype(np.int16),
        donor=np.full(n, 1, np.int16),
        split=np.repeat(splits, len(LABELS)),
        units_per_mm=np.full(n, units, np.float32),
        rate_hz=np.full(n, 100.0 if clocks else np.nan, np.float32),
        kind=np.array(KINDS_OF_LABELS * len(writers)),
    )
    return path


def heights(word):
    return float(np.ptp(np.concatenate(word.strokes)[:, 1]))


def test_the_splits_share_no_writer_and_leave_nobody_out(tmp_path):
    characters = CharacterInk.load(write_ink(tmp_path / "c.npz"))
    val, test, *train = writers_of_tenths()
    writers = {split: set(characters.ink.writer[characters.keep(split)].tolist()) for split in SPLITS}
    assert writers == {
        "train": set(train),
        "writers_val": {val},
        "writers_test": {test},
        "val": {501},
        "test": {502},
    }
    with pytest.raises(BadInputError, match="split 'dev', expected one of train"):
        characters.keep("dev")


def test_the_tenth_of_a_writer_never_changes():
    assert [writer_tenth(w) for w in range(12)] == [2, 6, 3, 1, 4, 1, 1, 3, 7, 8, 7, 1]


@pytest.mark.parametrize("clocks", [True, False], ids=["clocks", "no clocks"])
@pytest.mark.parametrize(("units", "credible"), [(20.0, True), (2.0, False), (200.0, False)])
def test_a_writer_of_incredible_size_is_brought_to_a_credible_one_as_a_whole(
    tmp_path, units, credible, clocks
):
    characters = CharacterInk.load(write_ink(tmp_path / "c.npz", units, clocks))
    words = [characters.written(i, np.random.default_rng(1)) for i in range(5)]
    assert 4.5 < heights(words[1]) < 9.5
    assert (characters.scale[0] == 1.0) == credible
    assert heights(words[3]) < 0.2  # a dot stays a dot
    assert heights(words[4]) < 0.2
    assert heights(words[0]) / heights(words[1]) == pytest.approx(0.5, abs=0.05)
    assert all(t[-1] >= t[0] for word in words for t in word.times)


def test_a_dot_alone_can_be_put_in_motion():
    dot = WordInk(".", (np.zeros((1, 2)),), (np.zeros(1),), False, "me")
    moved = reclocked(dot, np.random.default_rng(1), 1.0)
    assert np.isfinite(np.concatenate(moved.strokes)).all()
    assert moved.times[0][-1] >= 0.04


@pytest.mark.parametrize("cut", ["given", "segmenter"])
def test_a_shard_holds_the_characters_of_its_split_with_their_writers(tmp_path, cut):
    characters = CharacterInk.load(write_ink(tmp_path / "c.npz"))
    shard, written = character_shard(characters, "writers_val", CharacterPlan(3, plain=True, cut=cut))
    assert written == 5
    assert set(shard.label.tolist()) <= set(LABELS)
    assert set(shard.writer.tolist()) == {str(writers_of_tenths()[0])}
    assert shard.fingerprint == DEFAULT_PARAMS.fingerprint()
    assert np.isfinite(shard.rows.astype(np.float32)).all()
    if cut == "given":
        assert sorted(shard.label.tolist()) == sorted(LABELS)
    assert len(shard) >= 3


def test_the_same_seed_gives_the_same_shard_and_the_limit_holds(tmp_path):
    characters = CharacterInk.load(write_ink(tmp_path / "c.npz"))
    one, two = (character_shard(characters, "val", CharacterPlan(3, limit=4))[0] for _ in range(2))
    np.testing.assert_array_equal(one.rows, two.rows)
    assert one.label.tolist() == two.label.tolist()
    assert len(one) == 4


@pytest.mark.parametrize(("label", "kind"), [*zip(LABELS, KINDS_OF_LABELS, strict=True), ("ß", "lower")])
def test_the_kind_of_a_character_is_told_by_the_character(label, kind):
    assert kind_of(label) == kind
    assert kind in KINDS


def test_a_split_without_characters_is_an_error(tmp_path):
    path = write_ink(tmp_path / "c.npz")
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    np.savez(path, **{**arrays, "split": np.full(len(arrays["split"]), "train")})
    with pytest.raises(BadInputError, match="the split test holds no characters"):
        character_shard(CharacterInk.load(path), "test", CharacterPlan(1))


def test_a_file_that_lacks_an_array_says_which(tmp_path):
    np.savez(tmp_path / "c.npz", dxy=np.zeros((3, 2)), off=[0, 3])
    with pytest.raises(BadInputError, match="it lacks pen, label"):
        CharacterInk.load(tmp_path / "c.npz")


def test_the_command_writes_a_shard_and_counts_the_kinds(tmp_path):
    ink, out = write_ink(tmp_path / "c.npz"), tmp_path / "val.npz"
    result = CliRunner().invoke(
        main, ["characters", str(out), "--ink", str(ink), "--split", "val", "--seed", "2"]
    )
    assert result.exit_code == 0, result.output
    assert "5 characters cut of 5 written (1 lower, 1 upper, 1 digit, 2 symbol)" in result.output
    assert sorted(Shard.load(out).label.tolist()) == sorted(LABELS)
