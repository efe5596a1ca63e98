"""Other looks at a word: what changes with the tempo of the pen, what with a delay, and what never does."""

from __future__ import annotations

import numpy as np
import pytest

from penapp.dsp.features import Features, with_style
from penapp.dsp.params import DEFAULT_PARAMS, FEATURE_NAMES, ROW_NAMES
from penapp.dsp.style import STYLE_NAMES
from penapp.recognise.looks import FURTHER_LOOKS, Look, further_looks


def word(n: int = 101) -> Features:
    """Rows that grow linearly and a style of distinct values."""
    rows = (np.arange(n)[:, None] * np.linspace(0.01, 0.02, len(ROW_NAMES))).astype(np.float32)
    style = np.linspace(-0.7, 0.7, len(STYLE_NAMES)).astype(np.float32)
    return Features(3.0 + np.arange(n) / 100.0, with_style(rows, style), DEFAULT_PARAMS.fingerprint())


def column(features: Features, name: str) -> np.ndarray:
    return features.values[:, FEATURE_NAMES.index(name)]


def test_at_the_real_tempo_and_without_delay_a_look_is_the_word_itself() -> None:
    np.testing.assert_array_equal(Look()(word()).values, word().values)


@pytest.mark.parametrize(
    ("name", "gain"),
    [("pos_side", 1.0), ("vel_side", 0.8), ("acc_up", 0.64), ("rate_up", 0.8), ("force", 1.0)],
)
def test_a_slower_pen_takes_longer_over_the_same_path(name: str, gain: float) -> None:
    slow = Look(tempo=0.8)(word())
    assert len(slow.values) == len(slow.t) == round(101 / 0.8)
    np.testing.assert_allclose(column(slow, name)[[0, -1]], gain * column(word(), name)[[0, -1]], rtol=1e-5)
    assert np.ptp(np.diff(column(slow, name))) < 1e-5
    assert (slow.t[0], slow.t[-1]) == (3.0, 4.0)


@pytest.mark.parametrize(
    ("name", "shift"),
    [
        ("style_acc_side", 2 * np.log(0.8)),
        ("style_vel_forward", np.log(0.8)),
        ("style_pos_forward", 0.0),
        ("style_vel_tie", 0.0),
        ("style_rate", np.log(0.8)),
        ("style_stroke", -np.log(0.8)),
        ("style_ink", 0.0),
    ],
)
def test_the_style_tells_of_the_same_slower_pen(name: str, shift: float) -> None:
    changed = column(Look(tempo=0.8)(word()), name) - column(word(), name)[0]
    np.testing.assert_allclose(changed, shift, atol=1e-6)


def test_the_mean_velocity_of_the_style_is_scaled() -> None:
    slow, name = Look(tempo=0.8)(word()), "style_drift_side"
    np.testing.assert_allclose(column(slow, name), 0.8 * column(word(), name)[0], rtol=1e-5)


def test_a_delay_is_rest_before_the_word() -> None:
    late = Look(delay=4)(word())
    np.testing.assert_array_equal(late.values[4:], word().values)
    assert (late.values[:4] == word().values[0]).all()
    assert (late.t[:4] == 3.0).all()


@pytest.mark.parametrize("rows", [0, 1, 2, 9])
@pytest.mark.parametrize("look", FURTHER_LOOKS)
def test_very_short_words_survive(look: Look, rows: int) -> None:
    seen = look(word(rows))
    assert len(seen.values) == len(seen.t) >= rows
    assert np.isfinite(seen.values).all()


def test_every_further_look_goes_through_the_recogniser(toy_model) -> None:
    from penapp.recognise.session import OnnxRecogniser

    recogniser = OnnxRecogniser(toy_model)
    found = further_looks(recogniser, word())
    assert len(found) == len(FURTHER_LOOKS)
    assert all(out.values.shape[1] == recogniser.manifest.alphabet.size for out in found)
