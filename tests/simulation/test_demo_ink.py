"""The ink that ships: what it promises about itself."""

from pathlib import Path

import numpy as np
import pytest

import penapp.simulation.demo_ink as demo
from penapp.decode.alphabet import PENAPP_ALPHABET


@pytest.fixture(scope="module")
def corpus():
    return demo.demo_corpus()


def test_it_is_small_and_says_where_it_comes_from():
    assert demo.DEMO_INK.stat().st_size <= 3_000_000
    notice = Path(demo.__file__).with_name("DEMO_INK.md").read_text(encoding="utf-8")
    for needed in ("CC BY 4.0", "10.5281/zenodo.1195803", "10.1109/ICPR.1994.576870", "selling the"):
        assert needed in notice


def test_every_word_is_readable_and_has_a_clock(corpus):
    assert corpus.clock_ok.all()
    assert all(PENAPP_ALPHABET.covers(str(label)) for label in corpus.label)
    for i in range(0, len(corpus), 97):
        word = corpus.word(i)
        assert word.strokes
        assert all(np.isfinite(stroke).all() for stroke in word.strokes)


def test_there_are_words_for_demo_and_trainer(corpus):
    count = {split: int((corpus.split == split).sum()) for split in ("test", "train", "val", "seen_writer")}
    assert count["test"] >= 1000
    assert count["train"] >= 1000
    assert count["val"] >= 200
    assert count["seen_writer"] >= 100
    assert corpus.heldout_word[corpus.split == "test"].sum() >= 100
    assert len(set(corpus.writer[corpus.split == "test"])) >= 25


def test_no_test_writer_is_in_another_split(corpus):
    test = set(corpus.writer[corpus.split == "test"])
    assert not test & set(corpus.writer[corpus.split != "test"])
    assert set(corpus.writer[corpus.split == "seen_writer"]) <= set(corpus.writer[corpus.split == "train"])


def test_sentences_are_what_one_test_writer_wrote(corpus):
    sentences = demo.demo_sentences()
    assert len(sentences) >= 5
    for sentence in sentences:
        ink = demo.sentence_ink(sentence)
        assert " ".join(word.label for word in ink) == sentence.text
        assert {word.writer for word in ink} == {sentence.writer}
        assert {str(corpus.split[i]) for i in sentence.words} == {"test"}


def test_the_notice_counts_the_words(corpus):
    notice = Path(demo.__file__).with_name("DEMO_INK.md").read_text(encoding="utf-8")
    for split in ("test", "train", "val", "seen_writer"):
        mask = corpus.split == split
        assert f"| {split} | {mask.sum():,} | {len(set(corpus.writer[mask]))}" in notice
