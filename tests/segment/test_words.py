"""Words: exact under any split, closed for a stated reason, in the writer's own tempo, for every pen rate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from penapp.dsp.motion import MotionBlock, MotionEstimator
from penapp.dsp.params import DEFAULT_PARAMS, PenGeometry
from penapp.dsp.resample import Resampler
from penapp.segment.params import SINGLE_WORDS, SegmentParams
from penapp.segment.types import CloseReason, WordSegment
from penapp.segment.words import WordSegmenter
from penapp.simulation.demo_ink import demo_corpus
from penapp.simulation.ink import WordInk
from penapp.simulation.parameters import Pace
from penapp.simulation.pen import SimulatedSession, VirtualWriter
from penapp.stream.block import SampleBlock

ROW_S = 0.01


def flat(*spans: tuple[float, float], until_s: float, start_t: float = 0.0) -> MotionBlock:
    """A pen that presses in the spans and does not move at all."""
    t = start_t + ROW_S * np.arange(round(until_s / ROW_S))
    force = sum(1.5 * ((t >= a - 1e-9) & (t < b - 1e-9)) for a, b in spans) + np.zeros(len(t))
    still = np.zeros((len(t), 3))
    return MotionBlock(t, still, still, still, still, force)


def cut(block: MotionBlock, at: list[int]) -> Iterator[MotionBlock]:
    for a, b in zip([0, *at], [*at, len(block)], strict=True):
        yield MotionBlock(
            block.t[a:b], block.acceleration[a:b], block.velocity[a:b],
            block.position[a:b], block.rate[a:b], block.force_n[a:b],
        )  # fmt: skip


def ink(count: int, *, pen_up_s: float | None = None, writer: int = 0) -> list[WordInk]:
    """Words of one demo writer; every pen-up inside them lasts pen_up_s, if given."""
    corpus = demo_corpus()
    writers = np.unique(corpus.writer[corpus.clock_ok])
    numbers = np.flatnonzero((corpus.writer == writers[writer]) & corpus.clock_ok)[:count]
    words = [corpus.word(int(i)) for i in numbers]
    return words if pen_up_s is None else [paced(word, pen_up_s) for word in words]


def paced(word: WordInk, pen_up_s: float) -> WordInk:
    times, now = [], 0.0
    for t in word.times:
        times.append(now + t - t[0])
        now = float(times[-1][-1]) + pen_up_s
    return replace(word, times=tuple(times), pen_up_known=True)


def session(
    words: list[WordInk], seed: int, *, gap_s: float = 1.3, rate_hz: float = 100.0
) -> SimulatedSession:
    pace = Pace(gap_s=(gap_s - 0.1, gap_s + 0.1))
    return VirtualWriter.draw(seed, hand="R", pace=pace).write(words, seed, rate_hz=rate_hz)


def motion(simulated: SimulatedSession) -> MotionBlock:
    resampler = Resampler(simulated.rate_hz, DEFAULT_PARAMS)
    estimator = MotionEstimator(DEFAULT_PARAMS, PenGeometry())
    rows = resampler.push(SampleBlock(simulated.t, simulated.values)) + resampler.finish()
    blocks = [block for row in rows for block in estimator.push(row)]
    names = ("t", "acceleration", "velocity", "position", "rate", "force_n")
    return MotionBlock(*(np.concatenate([getattr(b, name) for b in blocks]) for name in names))


def words_of(block: MotionBlock, params: SegmentParams | None = None) -> list[WordSegment]:
    segmenter = WordSegmenter(params)
    return segmenter.push(block) + segmenter.finish()


def exact(simulated: SimulatedSession, segments: list[WordSegment]) -> list[bool]:
    """Per word: one segment has all its strokes and no other word's."""
    kept = []
    for word in simulated.words:
        near = [s for s in segments if s.start_t < word.end_t and s.end_t > word.start_t]
        right = len(near) == 1 and abs(near[0].start_t - word.start_t) < 0.06
        kept.append(right and abs(near[0].end_t - word.end_t) < 0.06)
    return kept


def test_how_the_stream_was_cut_does_not_matter():
    block = motion(session(ink(6), 4, gap_s=0.6))
    whole = words_of(block)
    rng = np.random.default_rng(1)
    for at in (sorted(rng.integers(1, len(block), 60).tolist()), list(range(1, len(block)))):
        segmenter = WordSegmenter()
        parts = [word for piece in cut(block, at) for word in segmenter.push(piece)]
        assert parts + segmenter.finish() == whole
    assert len(whole) > 3


@pytest.mark.parametrize("rate_hz", [50.0, 100.0, 104.0, 200.0, 400.0])
def test_words_written_one_by_one_are_cut_exactly_at_every_pen_rate(rate_hz):
    kept = []
    for seed in range(6):
        simulated = session(ink(12, writer=seed), seed, rate_hz=rate_hz)
        kept += exact(simulated, words_of(motion(simulated), SINGLE_WORDS))
    assert sum(kept) >= 0.94 * len(kept)


def test_a_long_pause_ends_a_word_and_says_so():
    words = words_of(flat((0.5, 0.8), (0.9, 1.2), (3.5, 3.9), until_s=6.0), SegmentParams(early_chance=1.1))
    assert [len(w.strokes) for w in words] == [2, 1]
    assert [w.closed for w in words] == [CloseReason.PAUSE, CloseReason.PAUSE]
    longest = SegmentParams().longest_pause_s
    assert all(w.decided_t - w.end_t <= longest + 0.02 for w in words)


def test_an_end_seen_in_hindsight_is_reported_as_moved():
    params = SegmentParams(landed_chance=-1.0, early_chance=1.1)
    words = words_of(flat((0.5, 0.8), (1.2, 2.0), until_s=4.0), params)
    assert words[0].closed is CloseReason.MOVED
    assert len(words[0].strokes) == 1
    assert words[0].decided_t - words[0].end_t < params.commit_delay_s + 0.02


def test_a_sure_end_is_announced_before_the_commit_delay():
    params = SegmentParams(early_chance=-1.0, patient_words=0)
    words = words_of(flat((0.5, 0.8), (3.0, 3.4), until_s=5.0), params)
    assert words[0].closed is CloseReason.MOVED
    assert words[0].decided_t - words[0].end_t == pytest.approx(params.first_look_s, abs=0.02)


def test_the_first_words_of_a_stream_are_not_hurried():
    block = flat((0.5, 0.8), (3.0, 3.4), (6.0, 6.4), (9.0, 9.4), until_s=11.0)
    params = SegmentParams(early_chance=-1.0, calm_chance=1.1, calm_after=1_000_000, patient_words=2)
    waits = [word.decided_t - word.end_t for word in words_of(block, params)]
    assert waits[:2] == pytest.approx([params.calm_longest_s] * 2, abs=0.02)
    assert waits[2:] == pytest.approx([params.first_look_s] * 2, abs=0.02)


def test_the_longest_pause_closes_whatever_the_judge_thinks():
    params = SegmentParams(early_chance=1.1, late_chance=1.1, patient_words=0)
    words = words_of(flat((0.5, 0.8), (5.0, 5.4), until_s=8.0), params)
    assert words[0].decided_t - words[0].end_t == pytest.approx(params.longest_pause_s, abs=0.12)


def test_the_end_of_the_stream_closes_the_open_word():
    segmenter = WordSegmenter()
    assert segmenter.push(flat((0.5, 0.8), (0.9, 1.2), until_s=1.1)) == []
    (word,) = segmenter.finish()
    assert word.closed is CloseReason.END
    assert len(word.strokes) == 2
    assert segmenter.finish() == []


def test_a_gap_in_the_stream_closes_the_open_word():
    segmenter = WordSegmenter()
    assert segmenter.push(flat((0.5, 0.8), until_s=0.9)) == []
    words = segmenter.push(flat((2.2, 2.6), until_s=1.0, start_t=2.0))
    assert [w.closed for w in words] == [CloseReason.GAP]
    assert words[0].end_t < 0.9
    assert [round(w.start_t, 2) for w in segmenter.finish()] == [2.2]


def test_a_word_without_end_is_cut_at_its_longest_pen_up():
    spans = [(0.3 * k + (0.05 if k > 25 else 0.0), 0.3 * k + 0.2) for k in range(1, 60)]
    words = words_of(flat(*spans, until_s=20.0), SegmentParams(max_word_s=12.0))
    assert words[0].closed is CloseReason.TOO_LONG
    assert all(w.end_t - w.start_t <= 12.1 for w in words)
    assert sum(len(w.strokes) for w in words) == 59


def test_a_stroke_without_end_is_cut_too():
    words = words_of(flat((0.5, 30.0), until_s=30.2), SegmentParams(max_word_s=12.0))
    assert [w.closed for w in words] == [CloseReason.TOO_LONG, CloseReason.TOO_LONG, CloseReason.END]
    assert words[0].end_t == pytest.approx(words[1].start_t)


def test_short_pen_ups_never_end_a_word_whatever_the_judge_thinks():
    spans = [(0.5 + 0.3 * k, 0.7 + 0.3 * k) for k in range(12)]
    (word,) = words_of(flat(*spans, until_s=8.0), SegmentParams(landed_chance=-1.0))
    assert len(word.strokes) == 12


def test_a_slow_writers_long_pen_ups_are_learned():
    early, late = [], []
    for writer in (1, 3, 4, 5):
        words = [word for word in ink(16, pen_up_s=0.55, writer=writer) if len(word.strokes) > 1]
        simulated = session(words, writer, gap_s=2.0)
        kept = exact(simulated, words_of(motion(simulated)))
        early += kept[:3]
        late += kept[8:]
    assert np.mean(late) > 0.9
    assert np.mean(late) > np.mean(early) + 0.1


def test_the_open_word_can_be_watched():
    segmenter = WordSegmenter()
    assert segmenter.open_word is None
    segmenter.push(flat((0.5, 0.8), (0.9, 1.2), until_s=1.0))
    assert segmenter.contact
    watched = segmenter.open_word
    assert watched is not None
    assert watched.start_t == pytest.approx(0.5)
    assert len(watched.strokes) == 1
    assert watched.now_t == pytest.approx(0.99)
    segmenter.push(flat(until_s=3.0, start_t=1.0))
    assert not segmenter.contact
    assert segmenter.open_word is None


def test_reset_gives_a_fresh_segmenter():
    block = motion(session(ink(5), 7, gap_s=0.7))
    segmenter = WordSegmenter()
    first = segmenter.push(block) + segmenter.finish()
    segmenter.reset()
    assert segmenter.push(block) + segmenter.finish() == first
