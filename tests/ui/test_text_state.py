"""Committed and tentative text, candidates, corrections."""

from __future__ import annotations

from penapp.decode.types import Candidate
from penapp.ui.text_state import RunKind, TextView, candidate_rows, common_prefix, text_runs, word_at


def written(read, *texts):
    view = TextView()
    for text in texts:
        view = view.commit(read(text, "other", "ohter"))
    return view


def test_committed_words_stand_before_the_tentative_one_and_look_different(read):
    runs = text_runs(written(read, "the", "fox").write("jum"))
    assert "".join(run.text for run in runs) == "the fox jum"
    assert runs[-1].kind is RunKind.TENTATIVE
    assert all(run.kind is RunKind.COMMITTED for run in runs[:-1])


def test_committing_replaces_the_tentative_word(read):
    view = written(read, "the").write("fx").commit(read("fox"))
    assert (view.plain, view.tentative) == ("the fox", "")


def test_a_reading_without_letters_is_no_word(read):
    assert written(read, "the").write("?").commit(read("")).plain == "the"


def test_only_the_tail_is_painted_anew_when_the_tentative_word_changes(read):
    view = written(read, "the", "fox")
    before, after = text_runs(view.write("ju")), text_runs(view.write("jum"))
    assert common_prefix(before, after) == len(before) - 1


def test_taking_a_reading_changes_that_word_alone(read):
    view = written(read, "the", "fox", "runs").select(1).take("ohter")
    assert view.plain == "the ohter runs"
    assert view.take("fox").plain == "the fox runs"


def test_readings_belong_to_the_last_word_until_one_is_selected(read):
    view = written(read, "the", "fox")
    assert candidate_rows(view)[0].reading == "fox"
    assert candidate_rows(view.select(0))[0].reading == "the"
    assert candidate_rows(view.commit(read("runs")))[0].reading == "runs"
    assert candidate_rows(view.select(9))[0].reading == "fox"


def test_the_letters_without_lexicon_are_never_cut_off(read):
    many = read("fox", "for", "fax", "tox", "box", "pox", "cox", "lox", "ffox")
    rows = candidate_rows(TextView().commit(many), limit=6)
    assert len(rows) == 6
    assert (rows[-1].reading, rows[-1].note) == ("ffox", "as written")


def test_rows_tell_the_decoders_own_confidence_and_the_taken_reading_is_marked(read):
    word = read("fox", "for", "ffox")
    rows = candidate_rows(TextView().commit(word).take("for"))
    assert [row.taken for row in rows] == [False, True, False]
    assert [row.share for row in rows] == [candidate.confidence for candidate in word.candidates]
    assert rows[0].share > rows[1].share > 0.0


def test_a_word_without_candidates_still_shows_its_own_reading(read):
    bare = read("fox")
    object.__setattr__(bare, "candidates", ())
    assert [row.reading for row in candidate_rows(TextView().commit(bare))] == ["fox"]


def test_repeated_readings_are_shown_once(read):
    twice = read("fox")
    object.__setattr__(twice, "candidates", (Candidate("fox", 0.0, True, 1.0), Candidate("fox", 0.0, False)))
    assert len(candidate_rows(TextView().commit(twice))) == 1


def test_undo_removes_the_last_word_and_clear_removes_all(read):
    view = written(read, "the", "fox").select(1)
    assert view.undo().plain == "the"
    assert view.undo().selected is None
    assert view.write("ju").clear() == TextView(tentative="ju")
    assert TextView().undo() == TextView()


def test_steps_stay_inside_the_text(read):
    view = written(read, "a", "b", "c")
    assert view.step(-1).selected == 1
    assert view.step(-9).selected == 0
    assert view.select(0).step(9).selected == 2
    assert TextView().step(1).selected is None


def test_a_click_finds_its_word_and_nothing_beside_the_words(read):
    runs = text_runs(written(read, "the", "fox").write("jum"))
    assert [word_at(runs, position) for position in (0, 2, 3, 4, 6, 8, 40)] == [0, 0, None, 1, 1, None, None]
