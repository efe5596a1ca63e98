"""The reading's vote: asked only in doubt, moves the decision, sees no future, changes nothing unasked."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from penapp.segment.params import READ_ALONG, VoteParams
from penapp.segment.pen_up import PenUp
from penapp.segment.vote import Scores, Vote
from penapp.segment.words import WordSegmenter
from tests.segment.test_words import cut, ink, motion, session

PARAMS = VoteParams(air_offset=1.0, air_weight=0.5, landed_offset=2.0, landed_weight=0.25, doubt=5.0)


@dataclass
class Told:
    """A reader that scores a stretch by its length, and remembers what it was asked."""

    finished: float = -1.0
    asked: list[tuple[float, float, float]] = field(default_factory=list)

    def __call__(self, start_t: float, end_t: float, until_t: float) -> Scores:
        self.asked.append((start_t, end_t, until_t))
        return Scores(self.finished, -(end_t - start_t))


def logit(chance: float) -> float:
    return math.log(chance / (1.0 - chance))


def test_in_the_air_what_is_written_is_compared_as_a_word_and_as_a_beginning():
    chance = Vote(PARAMS, Told()).chance(0.5, PenUp(2.0, 1, 2.4), 0.0, 2.4)
    assert logit(chance) == pytest.approx(1.0 + 0.5 * (-1.0 + 2.0))


def test_behind_the_landing_two_words_are_compared_with_one():
    chance = Vote(PARAMS, Told()).chance(0.5, PenUp(2.0, 1, 2.9, land_t=2.5), 0.0, 2.9)
    assert logit(chance) == pytest.approx(2.0 + 0.25 * (-1.0 - 0.4 + 2.9))


@pytest.mark.parametrize("judged", [0.001, 0.999, 0.0, 1.0])
def test_where_the_judge_is_sure_nobody_is_asked(judged):
    told = Told()
    assert Vote(PARAMS, told).chance(judged, PenUp(2.0, 1, 2.4), 0.0, 2.4) == judged
    assert told.asked == []


def test_a_stretch_that_is_whole_is_read_once():
    told = Told()
    vote = Vote(PARAMS, told)
    pen_up = PenUp(2.0, 1, 2.4)
    first = vote.chance(0.5, pen_up, 0.0, 2.4)
    assert vote.chance(0.5, pen_up, 0.0, 2.5) == first
    assert len(told.asked) == 1
    vote.chance(0.5, pen_up, 1.0, 2.5)
    assert len(told.asked) == 2


def test_a_stretch_whose_edge_is_still_to_come_is_read_again():
    told = Told()
    vote = Vote(PARAMS, told)
    for now_t in (2.05, 2.4):
        vote.chance(0.5, PenUp(2.0, 1, now_t), 0.0, now_t)
    assert [until_t for _, _, until_t in told.asked] == pytest.approx([2.05, 2.12])


def words_of(block, reader=None, params=READ_ALONG):
    segmenter = WordSegmenter(params, reader=reader)
    return segmenter.push(block) + segmenter.finish()


@pytest.fixture(scope="module")
def block():
    return motion(session(ink(6), 4, gap_s=0.6))


def test_no_reader_means_no_vote_whatever_it_would_weigh(block):
    unweighed = replace(READ_ALONG, vote=VoteParams())
    assert words_of(block) == words_of(block, params=unweighed) == words_of(block, Told(), unweighed)


def test_a_reader_that_finds_every_word_finished_ends_words_sooner_than_one_that_finds_none(block):
    eager, slow = words_of(block, Told(finished=8.0)), words_of(block, Told(finished=-20.0))
    delays = [np.mean([w.decided_t - w.end_t for w in words[:-1]]) for words in (eager, slow)]
    assert delays[0] < delays[1] - 0.1 or len(eager) > len(slow)
    assert eager != slow


def test_how_the_stream_was_cut_changes_neither_words_nor_what_the_reader_is_asked(block):
    whole = Told()
    words = words_of(block, whole)
    assert whole.asked
    rng = np.random.default_rng(1)
    for at in (sorted(rng.integers(1, len(block), 40).tolist()), list(range(1, len(block)))):
        told = Told()
        segmenter = WordSegmenter(READ_ALONG, reader=told)
        parts = [word for piece in cut(block, at) for word in segmenter.push(piece)]
        assert parts + segmenter.finish() == words
        assert told.asked == whole.asked


def test_the_reader_is_asked_about_rows_that_have_been_pushed_only(block):
    seen = [float(block.t[0])]

    def reader(start_t: float, end_t: float, until_t: float) -> Scores:
        assert start_t < end_t
        assert until_t <= seen[0]
        return Scores(-1.0, -1.0)

    segmenter = WordSegmenter(reader=reader)
    for piece in cut(block, list(range(1, len(block)))):
        seen[0] = float(piece.t[-1])
        segmenter.push(piece)
