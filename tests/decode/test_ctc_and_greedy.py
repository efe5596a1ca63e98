"""Exact CTC against brute force, and the reading without lexicon."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from penapp.decode.alphabet import PENAPP_ALPHABET, Alphabet
from penapp.decode.ctc import align, ctc_scores
from penapp.decode.greedy import GreedyDecoder
from penapp.decode.types import LogProbs, TextState
from penapp.errors import ModelMismatchError

AB = Alphabet("ab")


def random_log_probs(frames: int, size: int, seed: int) -> np.ndarray:
    logits = np.random.default_rng(seed).normal(0, 2, (frames, size))
    return (logits - np.log(np.exp(logits).sum(1, keepdims=True))).astype(np.float32)


def brute_force(values: np.ndarray, alphabet: Alphabet) -> dict[str, tuple[float, float, tuple[int, ...]]]:
    """Text -> (probability over all paths, probability of the best path, best path)."""
    texts: dict[str, tuple[float, float, tuple[int, ...]]] = {}
    for path in itertools.product(range(alphabet.size), repeat=len(values)):
        p = float(np.exp(sum(float(values[t, c]) for t, c in enumerate(path))))
        total, best, best_path = texts.get(alphabet.collapse(path), (0.0, 0.0, ()))
        texts[alphabet.collapse(path)] = (total + p, *max((best, best_path), (p, path)))
    return texts


@pytest.mark.parametrize("seed", range(5))
def test_ctc_scores_equal_the_sum_over_all_paths(seed: int) -> None:
    values = random_log_probs(6, AB.size, seed)
    expected = brute_force(values, AB)
    scores = ctc_scores(values, [AB.encode(text) for text in expected])
    np.testing.assert_allclose(np.exp(scores), [p for p, _, _ in expected.values()], rtol=1e-5)
    assert np.exp(scores).sum() == pytest.approx(1.0, rel=1e-5)


def test_a_text_longer_than_the_frames_is_impossible() -> None:
    values = random_log_probs(3, AB.size, 0)
    assert ctc_scores(values, [AB.encode("abab"), AB.encode("aa"), AB.encode("aab")]).tolist()[0::2] == [
        -np.inf,
        -np.inf,
    ]
    assert align(values, AB.encode("abab")) == []


def test_long_unlikely_words_do_not_underflow() -> None:
    values = np.full((400, AB.size), -60.0, dtype=np.float32)
    values[:, 0] = 0.0
    assert np.isfinite(ctc_scores(values, [AB.encode("ab" * 10)])).all()


@pytest.mark.parametrize("seed", range(5))
def test_alignment_is_the_best_path_of_the_text(seed: int) -> None:
    values = random_log_probs(6, AB.size, seed)
    for text, (_, _, path) in brute_force(values, AB).items():
        spans = align(values, AB.encode(text))
        owned = [0] * len(path)
        for span, column in zip(spans, AB.encode(text), strict=True):
            owned[span.first : span.last + 1] = [column] * (span.last + 1 - span.first)
            assert span.first <= span.peak <= span.last
        assert owned == list(path)


def spell(text: str, frames_per_letter: int = 4, p: float = 0.9) -> LogProbs:
    """Confident output: every letter peaks once, blanks between."""
    columns = PENAPP_ALPHABET.encode(text)
    values = np.full((len(columns) * frames_per_letter, PENAPP_ALPHABET.size), (1 - p) / 75)
    for i in range(len(values)):
        here = columns[i // frames_per_letter] if i % frames_per_letter == 1 else 0
        values[i, here] = p
    return LogProbs(np.log(values).astype(np.float32), np.arange(len(values)) * 0.08 + 5.0)


def test_greedy_reads_letters_with_their_time_and_confidence() -> None:
    hypothesis = GreedyDecoder(PENAPP_ALPHABET).decode(spell("Haus7!"), TextState.TENTATIVE)
    assert hypothesis.text == "Haus7!"
    assert [letter.t for letter in hypothesis.letters] == pytest.approx([5.08 + 0.32 * i for i in range(6)])
    assert [letter.confidence for letter in hypothesis.letters] == pytest.approx([0.9] * 6)
    assert hypothesis.state is TextState.TENTATIVE
    assert (hypothesis.start_t, hypothesis.end_t) == pytest.approx((5.0, 5.0 + 23 * 0.08))


def test_greedy_keeps_a_double_letter_apart_by_its_blank() -> None:
    assert GreedyDecoder(PENAPP_ALPHABET).decode(spell("Schifffahrt")).text == "Schifffahrt"


@pytest.mark.parametrize("frames", [0, 5])
def test_nothing_written_reads_as_nothing(frames: int) -> None:
    values = np.full((frames, PENAPP_ALPHABET.size), -12.0, dtype=np.float32)
    values[:, 0] = -1e-4
    hypothesis = GreedyDecoder(PENAPP_ALPHABET).decode(LogProbs(values, np.arange(frames, dtype=np.float64)))
    assert (hypothesis.text, hypothesis.letters, hypothesis.confidence) == ("", (), 0.0)


def test_a_model_with_another_alphabet_is_refused() -> None:
    with pytest.raises(ModelMismatchError, match="expects 3 columns"):
        GreedyDecoder(AB).decode(spell("ab"))
