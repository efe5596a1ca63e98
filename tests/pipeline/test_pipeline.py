"""The chain behind the stream: blocks in, words out, whatever happens to the stream."""

from functools import cache

import numpy as np
import pytest

from firmware_protocol.channels import standard_descriptor
from penapp.decode.lexicon import Lexicon
from penapp.decode.types import TextState
from penapp.decode.word_decoder import WordDecoder
from penapp.dsp.params import DEFAULT_PARAMS, PenGeometry
from penapp.errors import BadInputError
from penapp.pipeline import FrontEnd, Pipeline, default_pipeline, geometry_of
from penapp.read_along import StretchScorer
from penapp.recognise.looks import further_looks
from penapp.recognise.session import OnnxRecogniser
from penapp.segment.types import CloseReason
from penapp.simulation.demo_ink import demo_corpus, demo_sentences
from penapp.simulation.sources import write_ink
from penapp.stream.block import SampleBlock

FRAME = 8
"""Samples in one frame of the pen: what is lost together."""


@cache
def session(rate_hz=100.0, words=5, seed=4, gap_s=(1.2, 1.5)):
    """The first words of a demo sentence, with plain pauses between them unless said otherwise."""
    ink = [demo_corpus().word(i) for i in demo_sentences()[0].words[:words]]
    return write_ink(ink, seed, rate_hz=rate_hz, gap_s=gap_s)


def blocks(written, size=FRAME, lost=frozenset(), until=None):
    """Blocks of `size` samples without those whose number is in `lost`; the next one tells the loss."""
    missing = 0
    for number, a in enumerate(range(0, len(written.t[:until]), size)):
        rows = slice(a, min(a + size, len(written.t[:until])))
        if number in lost:
            missing += rows.stop - rows.start
            continue
        yield SampleBlock(written.t[rows], written.values[rows], missing)
        missing = 0


@pytest.fixture(scope="module")
def recogniser(toy_model):
    return OnnxRecogniser(toy_model)


@pytest.fixture
def make(recogniser):
    def build(rate_hz=100.0):
        front_end = FrontEnd(rate_hz, DEFAULT_PARAMS)
        return Pipeline(front_end, recogniser, WordDecoder(recogniser.manifest.alphabet))

    return build


def read(pipeline, stream):
    words = [word for block in stream for word in pipeline.push(block)]
    return words + pipeline.finish()


@pytest.mark.parametrize("rate_hz", [50.0, 100.0, 200.0, 400.0])
def test_committed_words_do_not_depend_on_how_the_stream_was_cut(make, rate_hz):
    """Text, times, candidates, confidence: everything, exactly."""
    written = session(rate_hz)
    whole = read(make(rate_hz), [SampleBlock(written.t, written.values)])
    assert len(whole) == len(written.words)
    for size in (1, 8, 37, 500):
        assert read(make(rate_hz), blocks(written, size)) == whole
    edges = np.sort(np.random.default_rng(3).integers(0, len(written.t), 60))
    ragged = [
        SampleBlock(t, v)
        for t, v in zip(np.split(written.t, edges), np.split(written.values, edges), strict=True)
    ]
    assert read(make(rate_hz), ragged) == whole


def test_a_stream_may_come_in_blocks_longer_than_rows_are_kept():
    """As a recording does: rows are forgotten as the segmenter goes on, not when the block is taken in."""

    def cut(stream):
        front_end = FrontEnd(100.0, DEFAULT_PARAMS, keep_s=10.5)
        words = [word for block in stream for word in front_end.push(block)]
        return words + front_end.finish()

    written = session(words=8, gap_s=(3.0, 3.5))
    assert written.t[-1] > 25.0
    parts, whole = cut(blocks(written, 16)), cut(blocks(written, 1500))
    assert [word.segment for word in parts] == [word.segment for word in whole]
    assert len(parts) >= 6
    for one, other in zip(parts, whole, strict=True):
        np.testing.assert_array_equal(one.features.values, other.features.values)


class Counting:
    """A scorer that counts what it is asked."""

    def __init__(self, scorer):
        self.scorer, self.asked = scorer, 0

    def __call__(self, features):
        self.asked += 1
        return self.scorer(features)


def known_words():
    return Lexicon.from_words({"the": 0.2, "then": 0.1, "and": 0.2, "house": 0.1})


def test_with_the_reading_in_the_vote_words_do_not_depend_on_how_the_stream_was_cut_either(recogniser):
    def voting():
        scorer = Counting(StretchScorer(recogniser, known_words()))
        front_end = FrontEnd(100.0, DEFAULT_PARAMS, score=scorer)
        decoder = WordDecoder(recogniser.manifest.alphabet, known_words())
        return Pipeline(front_end, recogniser, decoder), scorer

    written = session(gap_s=(0.45, 0.7))
    (pipeline, scorer) = voting()
    whole = read(pipeline, [SampleBlock(written.t, written.values)])
    assert scorer.asked >= 3
    for size in (1, 37):
        (pipeline, parts) = voting()
        assert read(pipeline, blocks(written, size)) == whole
        assert parts.asked == scorer.asked


def test_a_stretch_is_scored_the_same_whatever_was_scored_before_it(recogniser):
    written, front_end = session(), FrontEnd(100.0, DEFAULT_PARAMS, keep_s=float("inf"))
    front_end.push(SampleBlock(written.t, written.values))
    stretches = [front_end.features_between(word.start_t, word.end_t) for word in written.words]
    scorer = StretchScorer(recogniser, known_words())
    once = [scorer(stretch) for stretch in stretches]
    assert [scorer(stretch) for stretch in reversed(stretches)] == once[::-1]
    assert len({score.finished for score in once}) == len(once)


def test_a_word_is_committed_with_its_times_before_the_next_one_begins(make):
    written, pipeline = session(), make()
    seen = []
    for block in blocks(written):
        seen += [(word, float(block.t[-1])) for word in pipeline.push(block)]
    seen += [(word, np.inf) for word in pipeline.finish()]
    for (word, now), truth, following in zip(seen, written.words, [*written.words[1:], None], strict=True):
        assert word.state is TextState.COMMITTED
        assert word.start_t == pytest.approx(truth.start_t, abs=0.1)
        assert word.end_t == pytest.approx(truth.end_t, abs=0.1)
        if following is not None:
            assert truth.end_t < now < following.start_t


def test_finish_reads_the_word_that_was_being_written(make):
    written, pipeline = session(), make()
    last = written.words[-1]
    until = int(np.searchsorted(written.t, last.end_t))
    words = [word for block in blocks(written, until=until) for word in pipeline.push(block)]
    assert len(words) == len(written.words) - 1
    (final,) = pipeline.finish()
    assert final.start_t == pytest.approx(last.start_t, abs=0.1)
    assert pipeline.finish() == []


def test_finish_of_a_stream_in_which_nothing_was_written_is_nothing(make):
    written, pipeline = session(), make()
    until = int(np.searchsorted(written.t, written.words[0].start_t)) - 20
    assert read(pipeline, blocks(written, until=until)) == []
    assert make().finish() == []


def test_after_reset_a_pipeline_is_as_new(make):
    written, pipeline = session(), make()
    fresh = read(make(), blocks(written))
    for block in blocks(written, until=len(written.t) // 2):
        pipeline.push(block)
    pipeline.reset()
    assert pipeline.tentative() is None
    assert read(pipeline, blocks(written)) == fresh


@pytest.mark.parametrize("seed", range(5))
def test_with_five_percent_of_the_frames_lost_every_word_is_still_read(make, seed):
    written = session()
    count = len(written.t) // FRAME
    rng = np.random.default_rng(seed)
    lost = frozenset(1 + rng.choice(count - 2, round(0.05 * count), replace=False))
    words = read(make(), blocks(written, lost=lost))
    assert len(words) == len(written.words)
    for word, truth in zip(words, written.words, strict=True):
        assert word.start_t == pytest.approx(truth.start_t, abs=0.15)
        assert word.end_t == pytest.approx(truth.end_t, abs=0.15)


def gap_in_word(written, k, seconds):
    """Frame numbers lost from the middle of word k on."""
    first = int((written.words[k].start_t + written.words[k].end_t) / 2 * written.rate_hz / FRAME)
    return frozenset(range(first, first + int(seconds * written.rate_hz / FRAME)))


def test_a_long_gap_closes_the_word_and_reading_goes_on_behind_it():
    written = session()
    cut = []
    front_end = FrontEnd(100.0, DEFAULT_PARAMS)
    length = written.words[1].end_t - written.words[1].start_t
    lost = gap_in_word(written, 1, length / 2 + 0.5)
    for block in blocks(written, lost=lost):
        cut += front_end.push(block)
    cut += front_end.finish()
    assert [word.segment.closed for word in cut].count(CloseReason.GAP) == 1
    assert len(cut) == len(written.words)
    torn, truth = cut[1], written.words[1]
    assert torn.segment.closed is CloseReason.GAP
    assert torn.segment.start_t == pytest.approx(truth.start_t, abs=0.1)
    assert torn.segment.end_t < truth.end_t - 0.1
    for word, after in zip(cut[2:], written.words[2:], strict=True):
        assert word.segment.start_t == pytest.approx(after.start_t, abs=0.15)
        assert np.isfinite(word.features.values).all()


def test_words_behind_a_long_gap_do_not_depend_on_what_was_before_it(make):
    """The stages start afresh: nothing of the time before the gap leaks into the words after it."""
    written = session()
    rest = int(written.words[2].end_t * 100) + 30
    behind = SampleBlock(written.t[rest:], written.values[rest:], lost=200)
    pipeline = make()
    for block in blocks(written, until=rest - 200):
        pipeline.push(block)
    leftover = len(pipeline.push(SampleBlock(behind.t[:1], behind.values[:1], 200)))
    after_gap = read(pipeline, [SampleBlock(behind.t[1:], behind.values[1:])])
    alone = read(make(), [SampleBlock(behind.t, behind.values)])
    assert leftover <= 1
    assert [w.text for w in after_gap] == [w.text for w in alone]
    assert len(alone) == 2


def test_a_short_gap_is_bridged():
    written = session()
    front_end, cut = FrontEnd(100.0, DEFAULT_PARAMS), []
    for block in blocks(written, lost=gap_in_word(written, 1, 0.24)):
        cut += front_end.push(block)
    cut += front_end.finish()
    assert CloseReason.GAP not in {word.segment.closed for word in cut}
    assert len(cut) == len(written.words)


def test_tentative_text_comes_while_a_word_is_written_and_only_then(make):
    written, pipeline = session(), make()
    word, seen = written.words[1], {"before": [], "within": [], "after": []}
    for block in blocks(written):
        committed = pipeline.push(block)
        now, hypothesis = float(block.t[-1]), pipeline.tentative()
        if written.words[0].end_t + 1.0 < now < word.start_t - 0.05:
            seen["before"].append(hypothesis)
        elif word.start_t + 0.4 < now < word.end_t:
            assert committed == []
            seen["within"].append(hypothesis)
        elif committed and now > word.end_t:
            seen["after"].append(hypothesis)
            break
    assert set(seen["before"]) <= {None}
    assert seen["after"] == [None]
    assert len(seen["within"]) > 3
    for hypothesis in seen["within"]:
        assert hypothesis.state is TextState.TENTATIVE
        assert hypothesis.text
        assert hypothesis.start_t == pytest.approx(word.start_t, abs=0.25)
    ends = [hypothesis.end_t for hypothesis in seen["within"]]
    assert ends == sorted(ends)
    assert ends[-1] > ends[0] + 0.1


def test_asking_for_tentative_text_changes_nothing(make):
    written, asked = session(), make()
    plain = read(make(), blocks(written))
    words = []
    for block in blocks(written):
        words += asked.push(block)
        asked.tentative()
    assert words + asked.finish() == plain


def test_contact_follows_the_pen(make):
    written, pipeline = session(), make()
    found, truth = [], []
    for block in blocks(written, 1):
        pipeline.push(block)
        found.append(pipeline.contact)
        truth.append(written.down[len(truth)])
    agreement = np.mean(np.array(found) == np.array(truth))
    assert agreement > 0.9


def test_boundaries_from_outside_give_the_rows_between_them():
    written = session()
    front_end = FrontEnd(100.0, DEFAULT_PARAMS, keep_s=float("inf"))
    cut = front_end.push(SampleBlock(written.t, written.values)) + front_end.finish()
    for word in cut:
        given = front_end.features_between(word.segment.start_t, word.segment.end_t)
        n = min(len(given.values), len(word.features.values))
        np.testing.assert_array_equal(given.values[:n], word.features.values[:n])
        assert given.fingerprint == DEFAULT_PARAMS.fingerprint()


def test_a_front_end_that_saw_nothing_has_no_rows():
    front_end = FrontEnd(100.0, DEFAULT_PARAMS)
    assert front_end.finish() == []
    assert len(front_end.features_between(0.0, 1.0).values) == 0
    assert front_end.open_features() is None
    assert front_end.contact is False


def test_the_pen_says_where_its_accelerometers_sit():
    assert geometry_of(standard_descriptor()) == PenGeometry(25.0, 115.0)
    from dataclasses import replace

    plain = standard_descriptor()
    assert geometry_of(replace(plain, mounts=())) == PenGeometry()
    moved = tuple(
        replace(m, lever_arm_mm=(0.0, 0.0, m.lever_arm_mm[2] + 7.0)) if m.lever_arm_mm[2] else m
        for m in plain.mounts
    )
    assert geometry_of(replace(plain, mounts=moved)) == PenGeometry(32.0, 122.0)


def test_the_default_pipeline_takes_a_model_folder_and_says_what_is_wrong_with_it(toy_model, tmp_path):
    written = session()
    pipeline = default_pipeline(standard_descriptor(), model=toy_model)
    assert len(read(pipeline, blocks(written))) == len(written.words)
    without = default_pipeline(standard_descriptor(), model=toy_model, lexicon=False)
    assert len(read(without, blocks(written))) == len(written.words)
    with pytest.raises(BadInputError, match="is not a recogniser manifest"):
        default_pipeline(standard_descriptor(), model=tmp_path)


def test_a_committed_word_is_looked_at_several_times_and_a_tentative_one_once(make, recogniser):
    """The live program commits what evaluation reads: the mean over all looks."""
    written, pipeline = session(), make()
    front_end = FrontEnd(100.0, DEFAULT_PARAMS)
    stream = SampleBlock(written.t, written.values)
    cuts = front_end.push(stream) + front_end.finish()
    decoder = WordDecoder(recogniser.manifest.alphabet)
    for cut, hypothesis in zip(cuts, read(pipeline, [stream]), strict=True):
        further = further_looks(recogniser, cut.features)
        expected = decoder.decode(recogniser(cut.features), TextState.COMMITTED, further)
        assert hypothesis.text == expected.text
        assert hypothesis.confidence == expected.confidence
