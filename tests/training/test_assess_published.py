"""Published figures are those of the sources, and nothing that differs from ours goes unsaid."""

from dataclasses import replace

import pytest

from models.training.assess.protocol import score
from models.training.assess.published import TAGS, load_published, published, side_by_side
from penapp.errors import BadInputError
from tests.training.assess_samples import HEADER, predictions


def ours(folds=1, rows=(("w", "abcdefghij", "abcdefghix"),), **header):
    return score(
        [
            predictions(replace(HEADER, **header, fold=n), *[(w, label, text) for w, label, text in rows])
            for n in range(folds)
        ]
    )


def best(split, position):
    rows = published().of("words500-right", split)
    return min((row.figures[position], row.system) for _, row in rows)


@pytest.mark.parametrize(
    ("split", "position", "figure", "system"),
    [
        ("WI", 0, 6.70, "AR + hybrid CTC + noise"),
        ("WI", 1, 10.17, "AR + hybrid CTC"),
        ("WD", 0, 9.73, "TVA: 3 words joined"),
        ("WD", 1, 27.42, "AR + hybrid CTC"),
    ],
)
def test_the_best_of_the_tables_are_the_known_ones(split, position, figure, system):
    assert best(split, position) == (figure, system)


def test_every_table_says_where_it_is_from():
    for table in published().tables:
        assert table.tag in TAGS
        assert table.source
        assert table.rows
        size = 1 if table.measure == "accuracy" else 2
        assert all(len(row.figures) == size for row in table.rows)
        assert all(0.0 < value < 100.0 for row in table.rows for value in row.figures)


def test_known_figures_stand_where_they_belong():
    rows = {(t.key, r.system, r.split): r for t in published().tables for r in t.rows}
    assert rows["rewi", "REWI-B", "WI"].figures == (7.37, 15.12)
    assert rows["rewi", "REWI-B", "WI"].parameters_m == 3.89
    assert rows["ijdar", "CNN+BiLSTM, as first published", "WD"].figures == (17.16, 51.95)
    assert rows["hwrformer", "REWI wide (BiLSTM 3 x 164)", "WD"].std == (3.84, 7.84)
    assert rows["chars-both", "CNN+BiLSTM", "WI"].figures == (68.06,)


def test_ours_stand_below_the_published_with_every_caution():
    said = side_by_side([ours(selection="held-out-writers", decoding="lexicon")], "words500-right", "WI")
    assert "REWI-B" in said
    assert "ours: base, seed 0" in said
    assert "10.00  100.00" in said
    assert "held-out-writers" in said
    for caution in (
        "only best-on-test is like them",
        "base has 1 fold(s)",
        "base was decoded with lexicon",
        "below about 0.1 CER points are noise",
        "skips samples whose label stands twice",
    ):
        assert caution in said
    assert "held-out-writers: not reached by 10.00 / 100.00: 6.79 / 13.65, a gain by a training-time" in said


def test_five_folds_are_shown_with_both_deviations_and_bars_that_were_reached():
    rows = [("w", "abcdefghij" * 5, "abcdefghij" * 5)]
    said = side_by_side([ours(5, rows, split="WD")], "words500-right", "WD")
    assert "std over folds 0.00 / 0.00 (population, as published), 0.00 / 0.00 (sample)" in said
    assert "base, best-on-test: reached by 0.00 / 0.00: 14.50 / 44.00" in said
    assert "fold(s)" not in said


def test_simulated_figures_are_never_beside_a_real_pens():
    with pytest.raises(BadInputError, match=r"simulated pen.*real pens.*never put side by side"):
        side_by_side([ours(), ours(simulated=True)], "words500-right", "WI")


def test_seeds_of_a_run_reach_a_bar_together_and_a_caution_is_said_once():
    right, wrong = ([("w", "a" * 50, "a" * n)] for n in (50, 47))
    said = side_by_side([ours(1, right, seed=1), ours(1, wrong, seed=2)], "words500-right", "WI")
    assert "not reached by 3.00 / 50.00: 7.40 / 15.20" in said
    assert said.count("base has 1 fold(s)") == 1


@pytest.mark.parametrize("other", [{"dataset": "mine"}, {"split": "WD"}])
def test_another_set_is_not_put_beside_it(other):
    with pytest.raises(BadInputError, match="not on words500-right WI"):
        side_by_side([ours(**other)], "words500-right", "WI")


def test_a_set_that_nobody_published_on_is_named_with_the_known_ones():
    with pytest.raises(BadInputError, match=r"mine WI.*Known: .*words500-right WI"):
        side_by_side([ours(dataset="mine")], "mine", "WI")


def test_letters_are_compared_by_accuracy():
    letters = [("w", "a", "a"), ("w", "b", "b"), ("w", "c", "c"), ("w", "d", "x")]
    said = side_by_side([ours(rows=letters, dataset="chars-both-right")], "chars-both-right", "WI")
    line = next(line for line in said.splitlines() if line.startswith("ours"))
    assert "75.00" in line
    assert "68.06" in said
    with pytest.raises(BadInputError, match="labels of several letters"):
        side_by_side([ours(dataset="chars-both-right")], "chars-both-right", "WI")


@pytest.mark.parametrize("text", ["", "table = 1", "[[table]]\nkey = 'x'", "not toml"])
def test_a_file_without_tables_is_named(tmp_path, text):
    path = tmp_path / "p.toml"
    path.write_text(text)
    with pytest.raises(BadInputError, match=r"p\.toml holds no published tables"):
        load_published(path)
