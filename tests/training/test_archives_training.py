"""From recordings to what a trainer takes: rows, feasibility, each recording counted once."""

from dataclasses import replace

import numpy as np
import pytest

from models.training.archives.once import repeated_recordings, score_once
from models.training.archives.raw_set import RawSet, gravity_of, to_shard
from models.training.archives.signals import Part, SetBuilder, SignalSet, Units
from models.training.archives.units import in_si, to_si
from models.training.tokens import frames_needed
from penapp.dsp.params import DEFAULT_PARAMS
from penapp.errors import BadInputError
from penapp.pipeline import FrontEnd
from penapp.stream.block import SampleBlock
from tests.training.archive_toys import recording


def signal_set(lengths, labels, writers=None, seed=0, split="test"):
    builder = SetBuilder(Part("toys-indep", "0", split), "toys.pkl", None)
    for i, (n, label) in enumerate(zip(lengths, labels, strict=True)):
        builder.add(recording(n, seed + i), label, writers[i] if writers else None)
    return builder.done()


def test_a_raw_set_has_what_a_shard_has():
    signals = signal_set([5, 9, 3], ["ab", "c", "d"], ["w", None, "w"])
    raw = RawSet.as_recorded(signals)
    assert len(raw) == 3
    assert raw.label.tolist() == ["ab", "c", "d"]
    assert raw.writer.tolist() == ["w", "", "w"]
    assert raw.off.tolist() == [0, 5, 14, 17]
    assert raw.session[0] == raw.session[2] != raw.session[1]
    for i in range(3):
        np.testing.assert_array_equal(raw.word(i), signals.signals[i])


def test_recordings_of_unknown_writers_are_no_session():
    raw = RawSet.as_recorded(signal_set([5, 5, 5], "abc"))
    assert len(set(raw.session.tolist())) == 3


@pytest.mark.parametrize(("label", "frames"), [("", 0), ("a", 1), ("ab", 2), ("aa", 3), ("aaab", 6)])
def test_equal_neighbours_need_a_blank_between_them(label, frames):
    assert frames_needed(label) == frames


def test_recordings_too_short_for_their_label_are_named_and_kept():
    signals = signal_set([20, 3, 4, 12], ["ab", "abcd", "aab", "aaa"])
    assert signals.short_for_label() == [1]
    assert signals.short_for_label(4) == [1, 2, 3]
    assert len(RawSet.as_recorded(signals)) == 4


def test_a_set_refuses_columns_of_different_length():
    one = recording(3).astype(np.float32)
    with pytest.raises(BadInputError, match="1 recordings, but labels"):
        SignalSet(Part("x", None, "all"), (one,), ("a", "b"), (None,), (0,))


def test_a_set_without_recordings_is_refused_by_the_trainer():
    with pytest.raises(BadInputError, match="holds no recordings"):
        RawSet.as_recorded(signal_set([], []))


# penapp's own front end


def test_counts_are_refused_by_the_front_end_and_the_advice_says_what_to_do():
    signals = signal_set([40], ["a"])
    with pytest.raises(BadInputError, match=r"holds counts, the front end needs SI units.*in_si"):
        to_shard(signals)


def test_recordings_that_gravity_does_not_reach_are_in_other_units_than_they_say():
    lying = replace(signal_set([40], ["a"]), units=Units.SI)
    with pytest.raises(BadInputError, match=r"at the median, expected about 9\.81"):
        to_shard(lying)
    assert gravity_of(in_si(signal_set([40], ["a"]))) == pytest.approx(9.81, rel=0.02)


def test_rows_are_those_that_the_front_end_gives_live_between_the_same_times():
    signals = in_si(signal_set([80, 60], ["ab", "c"], ["w", "w"]))
    shard = to_shard(signals)
    assert shard.fingerprint == DEFAULT_PARAMS.fingerprint()
    assert (shard.label.tolist(), shard.writer.tolist()) == (["ab", "c"], ["w", "w"])
    signal = signals.signals[1]
    rest = np.repeat(signal[:1], 120, 0), np.repeat(signal[-1:], 120, 0)
    values = np.concatenate([rest[0], signal, rest[1]])
    live = FrontEnd(100.0, DEFAULT_PARAMS)
    for a in range(0, len(values), 7):
        live.push(SampleBlock(np.arange(a, min(a + 7, len(values))) / 100.0, values[a : a + 7]))
    live.finish()
    expected = live.features_between(1.2, 1.8).values
    np.testing.assert_allclose(shard.word(1), expected, rtol=1e-3, atol=1e-3)


def test_si_recordings_stay_as_they_are():
    signals = in_si(signal_set([5], ["a"]))
    assert in_si(signals) is signals
    np.testing.assert_array_equal(signals.signals[0], to_si(recording(5).astype(np.float32)))


# The same recording counts once


def test_a_recording_tested_in_two_folds_counts_once_with_its_mean():
    contents = [[b"a", b"b"], [b"a", b"c"], [b"a"]]
    score = score_once(contents, [[1.0, 0.0], [0.0, 1.0], [1.0]])
    assert (score.recordings, score.repeated, score.tests) == (3, 1, 5)
    assert score.mean == pytest.approx((2 / 3 + 0.0 + 1.0) / 3)
    assert repeated_recordings(contents) == 1


def test_the_same_recording_is_known_by_its_samples_wherever_it_occurs():
    one, two = signal_set([5, 7], "ab", seed=0), signal_set([7, 5], "ba", seed=0)
    same = replace(two, signals=(two.signals[0], one.signals[0]))
    assert len({*one.contents(), *same.contents()}) == 3
    assert one.contents() == replace(one, labels=("x", "y")).contents()


def test_one_changed_sample_is_another_recording():
    signals = signal_set([5], "a")
    changed = signals.signals[0].copy()
    changed[4, 12] += 1
    assert signals.contents() != replace(signals, signals=(changed,)).contents()


def test_outcomes_that_do_not_fit_the_recordings_are_refused():
    with pytest.raises(BadInputError, match="fold 1 has 1 recordings and 2 outcomes"):
        score_once([[b"a"], [b"b"]], [[1.0], [1.0, 0.0]])
    with pytest.raises(BadInputError, match="nothing to score"):
        score_once([[]], [[]])
    assert repeated_recordings([[], []]) == 0
