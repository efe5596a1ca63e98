import numpy as np
import pytest

from models.training.shards import Shard, first_words, join
from models.training.strokes import PackedInk
from penapp.dsp.features import word_features
from penapp.dsp.params import DEFAULT_PARAMS, FeatureParams
from penapp.errors import BadInputError, ModelMismatchError

OURS = DEFAULT_PARAMS.fingerprint()
PER_SEGMENT = FeatureParams(normalisation="per-segment")


def shard_of_lengths(lengths, fingerprint=OURS):
    rng = np.random.default_rng(sum(lengths))
    n = len(lengths)
    return Shard(
        rng.standard_normal((sum(lengths), 14)).astype(np.float16),
        rng.standard_normal((n, 15)).astype(np.float32),
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        np.array([f"w{k}" for k in range(n)]),
        np.array(["me"] * n),
        np.arange(n) // 2,
        PackedInk.none(n),
        fingerprint,
    )


def test_a_shard_comes_back_from_disk_as_it_was(tmp_path):
    shard = shard_of_lengths([5, 9, 3])
    shard.save(tmp_path / "new" / "s.npz")
    found = Shard.load(tmp_path / "new" / "s.npz")
    for i in range(3):
        np.testing.assert_array_equal(found.word(i), shard.word(i))
    assert found.label.tolist() == ["w0", "w1", "w2"]
    assert found.fingerprint == shard.fingerprint
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["s.npz"]


def test_joined_shards_hold_all_words_and_keep_sessions_apart():
    one, two = shard_of_lengths([5, 9, 3]), shard_of_lengths([4, 4])
    both = join([one, two])
    assert len(both) == 5
    np.testing.assert_array_equal(both.word(1), one.word(1))
    np.testing.assert_array_equal(both.word(4), two.word(1))
    assert set(both.session[:3]) & set(both.session[3:]) == set()


def test_shards_of_different_features_are_not_joined_and_both_are_named():
    other = shard_of_lengths([4], fingerprint="feedfeedfeedfeed")
    with pytest.raises(ModelMismatchError) as error:
        join([shard_of_lengths([5]), other])
    assert "feedfeedfeedfeed" in str(error.value)
    assert DEFAULT_PARAMS.fingerprint() in str(error.value)


def test_the_first_words_are_a_whole_shard():
    shard = shard_of_lengths([5, 9, 3])
    few = first_words(shard, 2)
    assert (len(few), len(few.rows), few.label.tolist()) == (2, 14, ["w0", "w1"])
    assert len(first_words(shard, 99)) == 3


def test_picked_words_keep_all_that_is_theirs_and_the_order_they_are_named_in():
    shard = shard_of_lengths([5, 9, 3, 4])
    few = shard.only(np.array([3, 0, 1]))
    assert few.label.tolist() == ["w3", "w0", "w1"]
    assert few.off.tolist() == [0, 4, 9, 18]
    assert few.session.tolist() == [1, 0, 0]
    for i, same in enumerate([3, 0, 1]):
        np.testing.assert_array_equal(few.word(i), shard.word(same))
    none = shard.only(np.array([], dtype=np.int64))
    assert (len(none), none.rows.shape, none.off.tolist()) == (0, (0, 14), [0])


def test_another_normalisation_of_a_shard_is_what_the_live_stage_would_have_made():
    shard = shard_of_lengths([50, 90])
    turned = shard.normalised(PER_SEGMENT)
    assert turned.fingerprint == PER_SEGMENT.fingerprint() != shard.fingerprint
    for i in range(2):
        rows = shard.rows[shard.off[i] : shard.off[i + 1]].astype(np.float32)
        live = word_features(np.empty(0), rows, shard.style[i], PER_SEGMENT).values
        np.testing.assert_allclose(turned.word(i), live, rtol=1e-3, atol=1e-3)
        np.testing.assert_array_equal(turned.style[i], shard.style[i])
    assert shard.normalised(DEFAULT_PARAMS) is shard


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"PK\x03\x04 torn", None],
    ids=["empty", "text", "torn", "missing"],
)
def test_a_file_that_is_no_shard_is_named(tmp_path, content):
    path = tmp_path / "s.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInputError, match=r"s\.npz is not a feature shard"):
        Shard.load(path)


def test_a_truncated_or_flipped_shard_is_an_error(tmp_path):
    path = tmp_path / "s.npz"
    shard_of_lengths([50, 90]).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInputError):
        Shard.load(path)
    flipped = bytearray(whole)
    flipped[len(whole) // 3] ^= 1
    path.write_bytes(flipped)
    with pytest.raises(BadInputError, match="CRC"):
        Shard.load(path)


def test_a_shard_that_lacks_an_array_says_which(tmp_path):
    np.savez(tmp_path / "s.npz", rows=np.zeros((3, 14)), off=[0, 3])
    with pytest.raises(BadInputError, match="it lacks style, label, writer, session, fingerprint"):
        Shard.load(tmp_path / "s.npz")


def test_arrays_of_python_objects_are_refused(tmp_path):
    """They would be unpickled, and a pickle runs what its author wants."""
    names = ("rows", "style", "off", "label", "writer", "session", "fingerprint")
    np.savez(tmp_path / "s.npz", **{name: np.array([{}], dtype=object) for name in names})
    with pytest.raises(BadInputError):
        Shard.load(tmp_path / "s.npz")


def test_rows_that_are_no_numbers_are_named_with_their_word(tmp_path):
    shard = shard_of_lengths([5, 9, 3])
    shard.rows[7, 3] = np.nan
    shard.save(tmp_path / "s.npz")
    with pytest.raises(BadInputError, match=r"s\.npz: word 1 \(w1\) holds 1 rows that are no numbers"):
        Shard.load(tmp_path / "s.npz")
