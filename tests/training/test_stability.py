"""How much of the tentative text changes later."""

import numpy as np
import pytest
from click.testing import CliRunner

from models.training.stability import Stability, stability, stability_command, successive_texts
from penapp.dsp.params import DEFAULT_PARAMS, FeatureParams
from penapp.recognise.artefact import SHIPPED
from tests.training.toy_training import demo_shard


@pytest.mark.parametrize(
    ("texts", "shown", "changed"),
    [
        (["word"], 0, 0),
        (["w", "wo", "word"], 3, 0),
        (["v", "wo", "word"], 3, 1),
        (["ward", "word"], 4, 3),
        (["words", "word"], 5, 1),
        (["", "a", ""], 1, 1),
    ],
)
def test_a_letter_counts_as_changed_when_the_final_text_does_not_begin_like_it(texts, shown, changed):
    assert stability(texts) == Stability(shown, changed)


def test_the_share_is_over_all_words():
    total = stability(["ab", "ab"]) + stability(["ab", "xy"])
    assert total.share == pytest.approx(50.0)
    assert Stability(0, 0).share == 0.0


def test_a_word_is_read_five_times_a_second_and_whole_at_the_end():
    word = np.ones((105, DEFAULT_PARAMS.size), np.float32)
    texts = successive_texts(word, lambda rows: str(len(rows)), DEFAULT_PARAMS)
    assert texts == ["40", "60", "80", "100", "105"]


def test_with_per_segment_normalisation_each_beginning_is_its_own_measure():
    """A word that grows: its beginning alone is scaled by the small motion it knows of."""
    word = np.ones((80, DEFAULT_PARAMS.size), np.float32)
    word[40:, :12] = 9.0
    first = {}
    for kind in ("causal", "per-segment"):
        params = FeatureParams(normalisation=kind)
        successive_texts(word, lambda rows, k=kind: first.setdefault((k, len(rows)), rows[0, 0]), params)
    assert first["causal", 40] == first["causal", 80] == 1.0
    assert first["per-segment", 40] > 3 * first["per-segment", 80]


def test_the_command_tells_the_share_of_the_shipped_recogniser(tmp_path):
    demo_shard("val", 1).save(tmp_path / "val.npz")
    done = CliRunner().invoke(stability_command, [str(SHIPPED), str(tmp_path / "val.npz"), "--words", "6"])
    assert done.exit_code == 0, done.output
    assert "of 6 words later changed" in done.output
    assert 0.0 < float(done.output.split("causal: ")[1].split(" %")[0]) < 100.0
