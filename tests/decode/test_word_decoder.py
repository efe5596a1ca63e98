"""Reading words: lexicon against network, user words, streaming, tentative text."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from penapp.decode.alphabet import PENAPP_ALPHABET, Alphabet
from penapp.decode.ctc import ctc_scores
from penapp.decode.greedy import GreedyDecoder
from penapp.decode.lexicon import Lexicon
from penapp.decode.params import DecoderParams
from penapp.decode.prefix_beam import PrefixBeam
from penapp.decode.types import LogProbs, TextState
from penapp.decode.word_decoder import WordDecoder
from penapp.errors import ModelMismatchError

PER_LETTER = 5


@pytest.fixture(scope="module")
def shipped() -> Lexicon:
    return Lexicon.load()


def written(
    text: str,
    confusion: float = 0.5,
    seed: int = 0,
    doubts: dict[int, tuple[str, float]] | None = None,
    clarity: float = 8.0,
) -> LogProbs:
    """Network output for `text`; `doubts` gives the probability of another letter at a position."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, confusion, (PER_LETTER * len(text) + 3, PENAPP_ALPHABET.size))
    for i, column in enumerate(PENAPP_ALPHABET.encode(text)):
        logits[PER_LETTER * i + 2 : PER_LETTER * i + 4, column] += clarity
    rest = np.ones(len(logits), dtype=bool)
    rest[[PER_LETTER * i + k for i in range(len(text)) for k in (2, 3)]] = False
    logits[rest, 0] += clarity
    for i, (letter, p) in (doubts or {}).items():
        column, other = PENAPP_ALPHABET.encode(text[i] + letter)
        top = logits[PER_LETTER * i + 2 : PER_LETTER * i + 4, column]
        logits[PER_LETTER * i + 2 : PER_LETTER * i + 4, other] = top + np.log(p / (1 - p))
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    return LogProbs(log_p.astype(np.float32), np.arange(len(log_p)) * 0.08 + 2.0)


def pieces(log_probs: LogProbs, sizes: list[int]) -> list[LogProbs]:
    edges = np.cumsum([0, *sizes, len(log_probs.t)]).clip(max=len(log_probs.t))
    return [LogProbs(log_probs.values[a:b], log_probs.t[a:b]) for a, b in itertools.pairwise(edges)]


@pytest.mark.parametrize(
    "text", ["house", "House", "HOUSE", "Straße", "ÜBER", "don't", "house.", "Wirklich?"]
)
def test_clear_words_are_read_as_written(shipped: Lexicon, text: str) -> None:
    hypothesis = WordDecoder(PENAPP_ALPHABET, shipped).decode(written(text))
    assert hypothesis.text == text
    assert hypothesis.candidates[0].in_lexicon
    assert hypothesis.confidence > 0.9
    assert hypothesis.state is TextState.COMMITTED


@pytest.mark.parametrize("text", ["Zorbulax", "xkvd", "1993", "B17", "3,50", "UTVWL"])
def test_a_clear_word_outside_the_lexicon_survives(shipped: Lexicon, text: str) -> None:
    hypothesis = WordDecoder(PENAPP_ALPHABET, shipped).decode(written(text))
    assert hypothesis.text == text
    assert not hypothesis.candidates[0].in_lexicon


@pytest.mark.parametrize("text", ["qwrtz", "Hauus", "govermment"])
def test_what_the_network_is_sure_of_is_kept_although_a_word_is_near(shipped: Lexicon, text: str) -> None:
    clear, blurred = written(text, clarity=13.0), written(text, clarity=6.0)
    decoder = WordDecoder(PENAPP_ALPHABET, shipped)
    assert decoder.decode(clear).text == text
    hypothesis = decoder.decode(blurred)
    assert hypothesis.text != text
    assert text in {candidate.text for candidate in hypothesis.candidates}


def test_the_lexicon_repairs_an_unsure_letter_and_keeps_the_reading_as_written(shipped: Lexicon) -> None:
    doubtful = written("hquse", doubts={1: ("o", 0.4)})
    hypothesis = WordDecoder(PENAPP_ALPHABET, shipped).decode(doubtful)
    assert GreedyDecoder(PENAPP_ALPHABET).decode(doubtful).text == "hquse"
    assert hypothesis.text == "house"
    assert "hquse" in [candidate.text for candidate in hypothesis.candidates]
    assert hypothesis.letters[1].confidence == pytest.approx(0.4, abs=0.05)


@pytest.mark.parametrize("seed", range(5))
def test_the_reading_as_written_is_always_among_the_candidates(shipped: Lexicon, seed: int) -> None:
    log_probs = written("environment", 3.0, seed)
    hypothesis = WordDecoder(PENAPP_ALPHABET, shipped, DecoderParams(candidates=2)).decode(log_probs)
    greedy = GreedyDecoder(PENAPP_ALPHABET).decode(log_probs).text
    assert greedy in [candidate.text for candidate in hypothesis.candidates]
    assert len(hypothesis.candidates) <= 2
    scores = [candidate.score for candidate in hypothesis.candidates]
    shares = [candidate.confidence for candidate in hypothesis.candidates]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == hypothesis.confidence
    assert sum(shares) < 1.0 + 1e-9
    assert scores == sorted(scores, reverse=True)
    assert hypothesis.text == hypothesis.candidates[0].text


def test_the_lexicon_reads_most_noisy_words_that_greedy_reads_wrongly(shipped: Lexicon) -> None:
    words = [
        "government",
        "different",
        "Schlüssel",
        "together",
        "WISSENSCHAFT",
        "question",
        "Fenster",
        "system",
    ]
    noisy = [(word, written(word, 2.0, seed)) for seed, word in enumerate(words)]
    decoder, greedy = WordDecoder(PENAPP_ALPHABET, shipped), GreedyDecoder(PENAPP_ALPHABET)
    assert sum(greedy.decode(log_probs).text == word for word, log_probs in noisy) <= 2
    assert sum(decoder.decode(log_probs).text == word for word, log_probs in noisy) >= 7


def test_a_user_word_wins_from_the_next_word_on() -> None:
    lexicon = Lexicon.load()
    decoder = WordDecoder(PENAPP_ALPHABET, lexicon)
    unsure = written("Jorvak", doubts={4: ("i", 0.2)})
    assert decoder.decode(unsure).text == "Jorvak"
    decoder.push(written("rest"))
    lexicon.add_word("Jorvik")
    assert decoder.finish().text == "rest"
    decoder.reset()
    hypothesis = decoder.decode(unsure)
    assert hypothesis.text == "Jorvik"
    assert hypothesis.candidates[0].in_lexicon


def test_a_user_word_is_found_where_greedy_reads_nonsense() -> None:
    lexicon = Lexicon.load()
    decoder = WordDecoder(PENAPP_ALPHABET, lexicon)
    noisy = [written("Zorbulaxo", 2.0, seed) for seed in range(5)]
    assert sum(decoder.decode(log_probs).text == "Zorbulaxo" for log_probs in noisy) <= 1
    lexicon.add_word("Zorbulaxo")
    assert sum(decoder.decode(log_probs).text == "Zorbulaxo" for log_probs in noisy) >= 4


def test_a_user_word_keeps_its_own_spelling() -> None:
    lexicon = Lexicon.load()
    lexicon.add_word("iPen")
    unsure = written("ipen", doubts={1: ("P", 0.5)})
    assert WordDecoder(PENAPP_ALPHABET, lexicon).decode(unsure).text == "iPen"


def test_the_word_before_decides_between_equally_good_words(shipped: Lexicon) -> None:
    decoder = WordDecoder(PENAPP_ALPHABET, shipped)
    unsure = written("stages", doubts={3: ("t", 0.2)})
    assert decoder.decode(unsure).text == "stages"
    decoder.reset()
    assert decoder.decode(written("United")).text == "United"
    assert decoder.decode(unsure).text == "states"


def test_reset_forgets_the_word_before(shipped: Lexicon) -> None:
    decoder = WordDecoder(PENAPP_ALPHABET, shipped)
    log_probs = written("states", 2.0)
    fresh = decoder.decode(log_probs)
    decoder.decode(written("United"))
    decoder.push(written("rubbish"))
    decoder.reset()
    assert decoder.decode(log_probs) == fresh


@pytest.mark.parametrize("sizes", [[1] * 40, [7, 0, 13, 2], [3, 30]])
@pytest.mark.parametrize("confusion", [0.5, 2.0])
def test_reading_does_not_depend_on_how_frames_were_split(
    shipped: Lexicon, sizes: list[int], confusion: float
) -> None:
    decoder = WordDecoder(PENAPP_ALPHABET, shipped)
    log_probs = written("Handwriting", confusion, seed=4)
    whole = decoder.decode(log_probs)
    decoder.reset()
    for part in pieces(log_probs, sizes):
        decoder.push(part)
        decoder.snapshot()
    assert decoder.finish() == whole


def test_snapshot_grows_with_the_word_and_stays_a_beginning_of_it(shipped: Lexicon) -> None:
    decoder = WordDecoder(PENAPP_ALPHABET, shipped)
    seen = []
    for part in pieces(written("Handwriting"), [PER_LETTER] * 11):
        decoder.push(part)
        seen.append(decoder.snapshot())
    assert [snapshot.text for snapshot in seen[:11]] == ["Handwriting"[: i + 1] for i in range(11)]
    assert all(snapshot.state is TextState.TENTATIVE for snapshot in seen)
    assert decoder.finish().text == "Handwriting"


def test_snapshot_lets_the_lexicon_repair_a_beginning(shipped: Lexicon) -> None:
    decoder = WordDecoder(PENAPP_ALPHABET, shipped)
    hypothesis = decoder.decode(written("gvvernm", doubts={1: ("o", 0.3)}), TextState.TENTATIVE)
    assert (hypothesis.text, hypothesis.state) == ("governm", TextState.TENTATIVE)


@pytest.mark.parametrize("seed", range(6))
def test_letters_spell_the_text_in_order_of_time(shipped: Lexicon, seed: int) -> None:
    log_probs = written("Mississippi", 2.0, seed)
    hypothesis = WordDecoder(PENAPP_ALPHABET, shipped).decode(log_probs)
    times = [letter.t for letter in hypothesis.letters]
    assert "".join(letter.text for letter in hypothesis.letters) == hypothesis.text
    assert all(a < b for a, b in itertools.pairwise(times))
    assert hypothesis.start_t <= times[0] <= times[-1] <= hypothesis.end_t
    assert all(0.0 <= letter.confidence <= 1.0 for letter in hypothesis.letters)


@pytest.mark.parametrize("seed", range(4))
def test_something_written_is_never_read_as_nothing(shipped: Lexicon, seed: int) -> None:
    """A beam of one node loses every word on pure noise; a reading remains."""
    values = np.random.default_rng(seed).normal(0, 3, (30, PENAPP_ALPHABET.size))
    values -= np.log(np.exp(values).sum(1, keepdims=True))
    noise = LogProbs(values.astype(np.float32), np.arange(30.0))
    assert WordDecoder(PENAPP_ALPHABET, shipped, DecoderParams(beam=1)).decode(noise).text


def test_too_few_frames_for_any_lexicon_word_still_read(shipped: Lexicon) -> None:
    log_probs = written("x")
    one = LogProbs(log_probs.values[2:3], log_probs.t[2:3])
    hypothesis = WordDecoder(PENAPP_ALPHABET, shipped).decode(one)
    assert len(hypothesis.text) == 1
    assert "x" in {candidate.text for candidate in hypothesis.candidates}


@pytest.mark.parametrize("state", list(TextState))
@pytest.mark.parametrize("frames", [0, 20])
def test_silence_reads_as_nothing(shipped: Lexicon, frames: int, state: TextState) -> None:
    values = np.full((frames, PENAPP_ALPHABET.size), -12.0, dtype=np.float32)
    values[:, 0] = -1e-4
    hypothesis = WordDecoder(PENAPP_ALPHABET, shipped).decode(
        LogProbs(values, np.arange(1.0 * frames)), state
    )
    assert (hypothesis.text, hypothesis.letters, hypothesis.candidates) == ("", (), ())
    assert hypothesis.state is state


def test_impossible_letters_of_minus_infinity_do_no_harm(shipped: Lexicon) -> None:
    log_probs = written("house")
    values = np.where(log_probs.values < -7, -np.inf, log_probs.values)
    assert WordDecoder(PENAPP_ALPHABET, shipped).decode(LogProbs(values, log_probs.t)).text == "house"


def test_without_a_lexicon_the_network_alone_decides() -> None:
    decoder = WordDecoder(PENAPP_ALPHABET)
    hypothesis = decoder.decode(written("hquse", doubts={1: ("o", 0.4)}))
    assert hypothesis.text == "hquse"
    assert {"hquse", "house"} <= {candidate.text for candidate in hypothesis.candidates}


def test_candidate_scores_are_the_exact_network_score_plus_the_weighed_prior(shipped: Lexicon) -> None:
    log_probs = written("house", 2.0)
    bare = DecoderParams(
        sharpness=1.0,
        word_weight=0.0,
        rare_weight=0.0,
        letters_weight=0.0,
        word_insertion=0.0,
        letter_insertion=0.0,
        capitalised=0.0,
        upper=0.0,
        mixed=0.0,
        noun=0.0,
        mark=0.0,
    )
    network = WordDecoder(PENAPP_ALPHABET, shipped, bare).decode(log_probs)
    for candidate in network.candidates:
        exact = ctc_scores(log_probs.values, [PENAPP_ALPHABET.encode(candidate.text)])[0]
        assert candidate.score == pytest.approx(exact)
    bonus = dataclasses.replace(bare, word_insertion=5.0)
    rewarded = WordDecoder(PENAPP_ALPHABET, shipped, bonus).decode(log_probs)
    gain = {c.text: c.score for c in rewarded.candidates}["house"] - {
        c.text: c.score for c in network.candidates
    }["house"]
    assert gain == pytest.approx(5.0)
    longer = dataclasses.replace(bare, letter_insertion=0.5)
    lengthened = WordDecoder(PENAPP_ALPHABET, shipped, longer).decode(log_probs)
    scores = {c.text: c.score for c in lengthened.candidates}
    assert scores["house"] - {c.text: c.score for c in network.candidates}["house"] == pytest.approx(2.5)


def test_a_higher_bonus_of_words_favours_the_lexicon(shipped: Lexicon) -> None:
    unsure = written("hquse", doubts={1: ("o", 0.01)})
    strict = DecoderParams(word_insertion=4.0)
    open_ = DecoderParams(word_insertion=-8.0)
    assert WordDecoder(PENAPP_ALPHABET, shipped, strict).decode(unsure).text == "house"
    assert WordDecoder(PENAPP_ALPHABET, shipped, open_).decode(unsure).text == "hquse"


def test_a_model_of_another_alphabet_is_refused(shipped: Lexicon) -> None:
    with pytest.raises(ModelMismatchError, match="could never be read"):
        WordDecoder(Alphabet("0123456789"), shipped)
    with pytest.raises(ModelMismatchError, match="columns"):
        WordDecoder(Alphabet("ab")).push(written("ab"))


def test_a_wide_prefix_beam_finds_the_most_probable_text() -> None:
    alphabet = Alphabet("ab")
    for seed in range(10):
        values = np.random.default_rng(seed).normal(0, 2, (5, 3))
        values -= np.log(np.exp(values).sum(1, keepdims=True))
        beam = PrefixBeam(alphabet, beam=1000, min_p=0.0, max_letters=3)
        beam.push(values)
        texts = beam.texts()
        scores = ctc_scores(values, [alphabet.encode(text) for text in texts])
        assert np.exp(scores).sum() == pytest.approx(1.0)
        assert scores.tolist() == sorted(scores.tolist(), reverse=True)


def test_a_noun_of_german_gets_its_capital_when_the_network_is_in_doubt(shipped: Lexicon) -> None:
    decoder = WordDecoder(PENAPP_ALPHABET, shipped)
    assert decoder.decode(written("mittwoch", doubts={0: ("M", 0.4)})).text == "Mittwoch"
    assert decoder.decode(written("together", doubts={0: ("T", 0.4)})).text == "together"


def test_a_frequent_word_is_preferred_to_a_rare_one(shipped: Lexicon) -> None:
    decoder = WordDecoder(PENAPP_ALPHABET, shipped)
    assert shipped.log_word("computed") < shipped.log_word("computer")
    assert decoder.decode(written("computer", doubts={7: ("d", 0.5)})).text == "computer"
    assert decoder.decode(written("computed", doubts={7: ("r", 0.5)})).text == "computer"


def test_a_further_look_decides_where_the_first_one_is_in_doubt(shipped: Lexicon) -> None:
    decoder = WordDecoder(PENAPP_ALPHABET, shipped)
    unsure = written("computer", doubts={7: ("d", 0.6)}, confusion=0.0)
    assert decoder.decode(unsure).text == "computer"
    decoder.reset()
    looks = [written("computed", seed=seed) for seed in (1, 2)]
    assert decoder.decode(unsure, further=looks).text == "computed"


def test_scores_of_several_looks_are_the_mean_of_their_exact_scores_plus_the_prior(shipped: Lexicon) -> None:
    looks = [written("house", 2.0, seed) for seed in (1, 2, 3)]
    found = WordDecoder(PENAPP_ALPHABET, shipped).decode(looks[0], further=looks[1:])
    alone = WordDecoder(PENAPP_ALPHABET, shipped).decode(looks[0])
    exact = [ctc_scores(look.values, [PENAPP_ALPHABET.encode("house")])[0] for look in looks]
    scores = [{c.text: c.score for c in hypothesis.candidates}["house"] for hypothesis in (found, alone)]
    assert scores[0] - scores[1] == pytest.approx(np.mean(exact) - exact[0])


def test_a_look_that_is_too_short_for_a_word_does_not_rule_it_out(shipped: Lexicon) -> None:
    short = LogProbs(np.full((2, PENAPP_ALPHABET.size), -np.log(PENAPP_ALPHABET.size)), np.arange(2.0))
    nothing = LogProbs(np.zeros((0, PENAPP_ALPHABET.size), np.float32), np.zeros(0))
    log_probs = written("house")
    hypothesis = WordDecoder(PENAPP_ALPHABET, shipped).decode(log_probs, further=[short, nothing])
    assert "house" in {candidate.text for candidate in hypothesis.candidates}


def test_what_another_look_reads_is_a_candidate(shipped: Lexicon) -> None:
    decoder = WordDecoder(PENAPP_ALPHABET, shipped, DecoderParams(candidates=100))
    hypothesis = decoder.decode(written("xkvd"), further=[written("xkwq")])
    assert {"xkvd", "xkwq"} <= {candidate.text for candidate in hypothesis.candidates}


def test_further_looks_of_another_alphabet_are_refused(shipped: Lexicon) -> None:
    other = LogProbs(np.zeros((5, 3), np.float32), np.arange(5.0))
    with pytest.raises(ModelMismatchError, match="columns"):
        WordDecoder(PENAPP_ALPHABET, shipped).decode(written("house"), further=[other])
