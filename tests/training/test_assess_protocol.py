"""Error rates counted by hand."""

from dataclasses import replace

import pytest

from models.training.assess.predictions import Sample
from models.training.assess.protocol import by_cell, rates_of, score, spread, tally
from penapp.errors import BadInputError
from penapp.scores import error_rates
from tests.training.assess_samples import HEADER, THREE, predictions, samples


def test_edits_are_summed_over_characters_and_no_text_counts_as_deletions():
    rates = rates_of(tally(samples(*THREE)))
    assert (rates.cer, rates.wer) == pytest.approx((40.0, 200 / 3))
    assert (rates.samples, rates.characters, rates.accuracy) == (3, 10, None)
    live = error_rates([label for _, label, _ in THREE], [text for _, _, text in THREE])
    assert (rates.cer, rates.wer) == pytest.approx((live.cer, live.wer))


def test_case_is_forgiven_in_the_extra_figure_alone():
    rates = rates_of(tally(samples(("a", "Straße", "strasse"))))
    assert rates.cer == pytest.approx(100 * 3 / 6)
    assert rates.cer_nocase == pytest.approx(100 * 2 / 6)


def test_single_letters_have_an_accuracy():
    rates = rates_of(tally(samples(("a", "x", "x"), ("a", "y", ""), ("a", "z", "zz"), ("a", "ä", "ä"))))
    assert rates.accuracy == pytest.approx(50.0)


def test_a_sample_seen_twice_counts_once_with_the_mean_of_its_edits():
    a, b = Sample("1", "abcd", "abcd"), Sample("2", "xy", "xy")
    once = rates_of(tally([a, b]))
    assert rates_of(tally([a, b, b, b])) == once
    both = rates_of(tally([a, b, replace(b, text="")]))
    assert (both.samples, both.characters) == (2, 6)
    assert (both.cer, both.wer) == pytest.approx((100 / 6, 25.0))


def test_one_id_for_two_labels_is_refused():
    with pytest.raises(BadInputError, match="sample 1 has the labels"):
        tally([Sample("1", "a", "a"), Sample("1", "b", "b")])


def test_nothing_to_score_is_refused():
    with pytest.raises(BadInputError, match="no sample"):
        tally([])
    with pytest.raises(BadInputError, match="no character"):
        rates_of(tally([Sample("1", "", "a")]))
    with pytest.raises(BadInputError, match="no predictions"):
        score([])


def fold(number, *rows, **header):
    made = predictions(replace(HEADER, fold=number, **header), *rows)
    named = tuple(replace(s, id=f"{number}/{s.id}") for s in made.samples)
    return replace(made, samples=named)


def test_folds_are_averaged_and_both_deviations_told():
    folds = [fold(1, ("b", "abcd", "abxx")), fold(0, ("a", "ab", "ab"), ("a", "cdefghij", "cdefghij"))]
    made = score(folds)
    assert made.folds == (0, 1)
    assert [r.cer for r in made.per_fold] == [0.0, 50.0]
    cer = made.spread("cer")
    assert (cer.mean, cer.population_std, cer.folds) == (25.0, 25.0, 2)
    assert cer.sample_std == pytest.approx(25.0 * 2**0.5)
    assert made.pooled.cer == pytest.approx(100 * 2 / 14)
    assert spread([3.0]).sample_std is None


def test_a_recording_in_two_test_folds_is_counted_once_when_pooled():
    twice = [predictions(replace(HEADER, fold=n), ("a", "abcd", text)) for n, text in enumerate(["abcd", ""])]
    made = score(twice)
    assert [r.cer for r in made.per_fold] == [0.0, 100.0]
    assert (made.pooled.samples, made.pooled.cer) == (1, 50.0)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"selection": "held-out-writers"}, "2 runs, data sets, seeds or selections"),
        ({"seed": 5}, "2 runs, data sets, seeds or selections"),
        ({"split": "WD"}, "2 runs, data sets, seeds or selections"),
        ({"fold": 0}, "one is there twice"),
    ],
)
def test_folds_of_different_things_are_not_averaged(other, said):
    first, second = fold(0, THREE[0]), fold(1, THREE[1])
    with pytest.raises(BadInputError, match=said):
        score([first, replace(second, header=replace(second.header, **other))])


def test_the_four_cells_stand_apart():
    made = [
        Sample("1", "ab", "ab", word_seen=True, writer_seen=True),
        Sample("2", "ab", "xb", word_seen=False, writer_seen=False),
        Sample("3", "ab", "xy", word_seen=True, writer_seen=False),
        Sample("4", "ab", "", word_seen=True),
    ]
    found = {name: rates.cer for name, rates in by_cell(made).items()}
    assert found == {
        "other": 100.0,
        "seen writer, seen word": 0.0,
        "unseen writer, seen word": 100.0,
        "unseen writer, unseen word": 50.0,
    }
