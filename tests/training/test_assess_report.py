"""Which letters are taken for which, error rates along length and speed, a page that needs nothing else."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="the report needs matplotlib (extra `train`)")

from models.training.assess.alignment import (
    aligned,
    confusion_matrix,
    letter_pairs,
    top_confusions,
    worst,
)
from models.training.assess.predictions import Predictions, Sample
from models.training.assess.report import write_report
from models.training.assess.slices import by_length, by_speed, by_writer, speed_edges
from models.training.assess.systems import load_systems
from penapp.scores import edit_distance
from tests.training.assess_samples import HEADER, samples
from tests.training.test_assess_compare import stored

ROWS = [
    ("ann", "house", "hause"),
    ("ann", "of", "o"),
    ("bob", "tea<b>$x$", "tea<b>$y$"),
    ("bob", "no", "noo"),
    ("cyd", "mine", ""),
]


@pytest.fixture
def system(tmp_path):
    (made,) = load_systems([stored(tmp_path, HEADER, *ROWS, seconds=2.0, curve=[(1, 50.0), (2, 40.0)])])
    return made


def test_an_alignment_is_one_of_the_cheapest():
    assert aligned("house", "hause") == [("h", "h"), ("o", "a"), ("u", "u"), ("s", "s"), ("e", "e")]
    assert aligned("of", "") == [("o", ""), ("f", "")]
    assert aligned("", "x") == [("", "x")]
    assert aligned("", "") == []
    random = np.random.default_rng(0)
    for _ in range(50):
        label, text = ("".join(random.choice(list("abc"), random.integers(0, 7))) for _ in range(2))
        pairs = aligned(label, text)
        assert sum(a != b for a, b in pairs) == edit_distance(label, text)
        assert "".join(a for a, _ in pairs) == label
        assert "".join(b for _, b in pairs) == text


def test_confusions_are_counted_with_what_was_left_out_and_put_in():
    pairs = letter_pairs(samples(("a", "aab", "oob"), ("a", "ab", "b"), ("a", "b", "bo")))
    assert top_confusions(pairs) == [("a", "o", 2), ("", "o", 1), ("a", "", 1)]
    found = confusion_matrix(pairs)
    assert found.letters == ("a", "o")
    np.testing.assert_array_equal(found.counts, [[0, 2], [0, 0]])
    np.testing.assert_array_equal(found.left_out, [1, 0])
    np.testing.assert_array_equal(found.put_in, [0, 1])


def test_the_worst_words_have_most_edits_a_letter():
    found = worst(samples(*ROWS), 3)
    assert [(s.label, edits) for s, edits in found] == [("mine", 4), ("of", 1), ("no", 1)]


def test_lengths_beyond_the_longest_are_one_slice(system):
    found = [(s.name, s.samples, s.cer) for s in by_length(system, longest=5)]
    assert found == [("2", 2, 50.0), ("4", 1, 100.0), ("5+", 2, pytest.approx(100 * 2 / 14))]


def test_speed_is_letters_a_second_in_equal_groups(system):
    edges = speed_edges(system, slices=2)
    np.testing.assert_allclose(edges, [2.0])
    found = [(s.at, s.samples, s.cer) for s in by_speed(system, edges)]
    assert found == [(1.0, 2, 50.0), (2.5, 3, pytest.approx(100 * 6 / 18))]
    for s in by_speed(system, edges):
        assert s.low <= s.cer <= s.high


def test_without_times_there_is_no_speed(tmp_path):
    (made,) = load_systems([stored(tmp_path, HEADER, *ROWS)])
    assert len(speed_edges(made)) == 0


def test_writers_are_in_order_of_their_error_rate(system):
    assert by_writer(system) == pytest.approx({"bob": 100 * 2 / 11, "ann": 100 * 2 / 7, "cyd": 100.0})
    assert list(by_writer(system)) == ["bob", "ann", "cyd"]


class Page(HTMLParser):
    """Ids, addresses and text of a page."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.words = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.ids += [named["id"]] if "id" in named else []
        self.links += [v for k, v in attrs if k in ("src", "href", "xlink:href")]

    def handle_data(self, data):
        self.words.append(data)


def written(tmp_path, systems):
    path = tmp_path / "report.html"
    write_report(path, systems, resamples=100)
    assert not list(tmp_path.glob("*.part"))
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """The page of two systems."""
    folder = tmp_path_factory.mktemp("page")
    curve = [(1, 50.0), (2, 40.0)]
    (one,) = load_systems([stored(folder, HEADER, *ROWS, seconds=2.0, curve=curve)])
    return written(folder, [one, replace(one, name="other & <more>")])


def test_the_page_holds_everything_itself(text):
    page = Page(text)
    assert len(page.ids) == len(set(page.ids)) > 50
    assert all(link.startswith("#") for link in page.links)
    assert {link[1:] for link in page.links} <= set(page.ids)
    assert not re.search(r"<script|@import|url\((?!#)", text)
    words = " ".join(page.words)
    for heading in ("By writer", "By word length", "By speed of writing", "Learning", "Read worst"):
        assert heading in words
    for label in ("validation CER (%)", "training steps", "CER (%)", "letters a second of writing"):
        assert label in words


def test_texts_are_shown_as_they_are(text):
    assert "other &amp; &lt;more&gt;" in text
    assert "tea&lt;b&gt;$x$" in text
    assert "<mark>y</mark>" in text
    assert "<mark>nothing</mark>" in text
    assert "tea<b>" not in text


def test_colours_are_the_pages_so_that_it_suits_light_and_dark(text):
    assert "prefers-color-scheme: dark" in text
    figures = "".join(re.findall(r"<svg.*?</svg>", text, re.DOTALL))
    assert set(re.findall(r"#[0-9a-f]{6}\b", figures)) <= {"#ffffff"}
    assert "var(--ink)" in figures


def test_simulated_readings_are_called_so_on_the_page(tmp_path):
    header = replace(HEADER, simulated=True)
    (made,) = load_systems([stored(tmp_path, header, *ROWS[:2])])
    assert "Simulated pen" in written(tmp_path, [made])


def test_a_page_without_errors_writers_or_times_is_still_a_page(tmp_path):
    perfect = (Sample("1", "ab", "ab"), Sample("2", "c", "c"))
    folder = stored(tmp_path, HEADER, ("", "x", "x"))
    (made,) = load_systems([folder])
    made = replace(made, seeds=((Predictions(HEADER, perfect),),))
    text = written(tmp_path, [made])
    assert "Everything was read exactly." in text
    assert "By writer" not in text
