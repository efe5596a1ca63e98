"""From readings to figures: what is joined, what counts, and what can never be dropped."""

from types import SimpleNamespace

import numpy as np
import pytest

from penapp.evaluation.reading import Reading, Reference, Texts, matched
from penapp.evaluation.report import as_table, figures, table
from penapp.evaluation.run import Evaluation, grouped
from penapp.scores import edit_distance, error_rates


def reference(label, start_t=0.0, end_t=1.0, writer="w", group="all cells"):
    return Reference(label, writer, group, start_t, end_t)


def heard(*segments, start_t=0.0):
    """A listening pipeline that cut these (start, end, greedy, decoded)."""
    words = [
        (
            SimpleNamespace(segment=SimpleNamespace(start_t=a + start_t, end_t=b + start_t)),
            Texts(greedy, decoded, decoded.upper()),
        )
        for a, b, greedy, decoded in segments
    ]
    return SimpleNamespace(words=words, start_t=start_t, given=lambda a, b: (f"g{a}-{b}", f"d{a}-{b}"))


def test_the_parts_of_an_over_cut_word_are_joined_in_time():
    (reading,) = matched(heard((0.0, 0.4, "hel", "Hel"), (0.6, 1.0, "lo", "lo")), [reference("hello")])
    assert (reading.greedy, reading.decoded, reading.segments) == ("hello", "Hello", 2)
    assert reading.decoded_session == "HELLO"


def test_a_word_of_which_nothing_was_read_counts_as_deletions():
    one, two = reference("one", 0.0, 1.0), reference("three", 2.0, 3.0)
    readings = matched(heard((0.0, 1.0, "one", "one")), [one, two])
    assert (readings[1].greedy, readings[1].decoded, readings[1].segments) == ("", "", 0)
    assert error_rates(["one", "three"], [r.greedy for r in readings]).cer == pytest.approx(100 * 5 / 8)


def test_two_words_cut_as_one_are_charged_to_the_word_they_cover_most():
    one, two = reference("ab", 0.0, 1.0), reference("cdef", 1.5, 3.5)
    readings = matched(heard((0.0, 3.5, "abcdef", "abcdef")), [one, two])
    assert [r.greedy for r in readings] == ["", "abcdef"]


@pytest.mark.parametrize(("at", "owner"), [(1.3, 0), (1.9, 1), (-5.0, 0), (99.0, 1)])
def test_noise_between_words_goes_to_the_nearest_one_and_is_never_dropped(at, owner):
    one, two = reference("one", 0.0, 1.0), reference("two", 2.2, 3.0)
    noise = (at, at + 0.05, "x", "x")
    readings = matched(heard((0.0, 1.0, "one", "one"), (2.2, 3.0, "two", "two"), noise), [one, two])
    assert "".join(sorted("".join(r.greedy for r in readings))) == "".join(sorted("onetwox"))
    assert readings[owner].greedy.count("x") == 1


def test_times_count_from_the_first_sample_whatever_the_pens_clock_says():
    one, two = reference("one", 0.0, 1.0), reference("two", 2.0, 3.0)
    readings = matched(heard((0.1, 0.9, "a", "a"), (2.1, 2.9, "b", "b"), start_t=5000.0), [one, two])
    assert [r.greedy for r in readings] == ["a", "b"]


def test_the_reading_between_true_boundaries_stands_beside():
    (reading,) = matched(heard(), [reference("x", 0.25, 0.75)])
    assert (reading.greedy_given, reading.decoded_given) == ("g0.25-0.75", "d0.25-0.75")


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [
        ("", "", 0),
        ("abc", "", 3),
        ("", "abc", 3),
        ("kitten", "sitting", 3),
        ("Haus", "haus", 1),
        ("ab", "ba", 2),
    ],
)
def test_edit_distance(a, b, distance):
    assert edit_distance(a, b) == edit_distance(b, a) == distance


def test_error_rates_are_corpus_level():
    """Edits over characters of all words: a long word weighs more than a short one."""
    rates = error_rates(["a", "abcdefghi"], ["x", "abcdefghi"])
    assert (rates.cer, rates.wer, rates.words) == (10.0, 50.0, 2)
    assert error_rates([], []).cer == 0.0
    assert error_rates(["ab"], ["abxxxx"]).cer == 200.0


def reading(label, greedy, decoded=None, *, writer="w", group="g", segments=1, given=None):
    ref = Reference(label, writer, group, 0.0, 1.0)
    given = label if given is None else given
    return Reading(ref, greedy, greedy if decoded is None else decoded, given, given, segments)


def test_figures_of_a_group():
    readings = [
        reading("ab", "ab", "ab"),
        reading("cd", "cx", "cd", segments=2),
        reading("efgh", "", "", segments=0),
        reading("ij", "ij", "xx", given="i"),
    ]
    found = figures("mine", readings, [True, True, False, False])
    assert (found.group, found.words, found.writers) == ("mine", 4, 1)
    assert (found.greedy_cer, found.greedy_wer) == (50.0, 50.0)
    assert (found.decoded_cer, found.decoded_wer) == (60.0, 50.0)
    assert (found.greedy_cer_given, found.decoded_cer_given) == (10.0, 10.0)
    assert found.exact_cuts == 50.0
    assert found.session_cer == 100.0
    assert (found.oov, found.in_cer, found.oov_cer) == (50.0, 0.0, 100.0)


def test_percentiles_are_over_writers_not_over_words():
    """Eleven writers with 0, 10, ... 100 % errors; the worst wrote most."""
    readings = []
    for k in range(11):
        readings += [reading("abcdefghij", "abcdefghij"[: 10 - k], writer=f"w{k:02}")] * (1 + 20 * (k == 10))
    found = figures("all", readings, [True] * len(readings))
    assert found.writer_cer == (10.0, 50.0, 90.0)
    assert found.greedy_cer > 75.0


def test_groups_stand_apart_and_together_and_writers_on_demand():
    readings = [
        reading("ab", "ab", writer="1", group="seen"),
        reading("ab", "xx", writer="2", group="unseen"),
        reading("ab", "ab", writer="2", group="unseen"),
    ]
    result = Evaluation(readings, [True, True, True])
    rows = grouped(result)
    assert [(r.group, r.words, r.greedy_cer) for r in rows] == [
        ("seen", 1, 0.0),
        ("unseen", 2, 50.0),
        ("all", 3, 33.33),
    ]
    named = [r.group for r in grouped(result, by_writer=True)]
    assert named == ["seen", "unseen", "all", "writer 1", "writer 2"]


def test_the_table_has_a_line_a_group_and_shows_the_figures():
    rows = grouped(Evaluation([reading("ab", "ax")], [True]))
    lines = table(rows).splitlines()
    assert len(lines) == 2 + len(rows)
    assert "50.00" in lines[-1]
    assert lines[-1].startswith("all")


def test_rows_for_json_are_plain_values():
    row = as_table(figures("all", [reading("ab", "ax")], [False]))
    assert {type(v) for v in row.values()} <= {str, int, float, tuple}
    assert np.isfinite([v for v in row.values() if isinstance(v, float)]).all()


def test_every_reading_can_be_written_down():
    result = Evaluation([reading("ab", "ax", "ab", writer="7")], [True])
    (line,) = result.lines()
    assert line["label"] == "ab"
    assert (line["greedy"], line["decoded"], line["writer"], line["in_lexicon"]) == ("ax", "ab", "7", True)
