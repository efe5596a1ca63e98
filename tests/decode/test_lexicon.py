"""The frozen word list, its look-ups, and what happens when its file is not the frozen one."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest

from penapp.decode.alphabet import ONHW_LETTERS, PENAPP_ALPHABET, Alphabet
from penapp.decode.letters import LetterModel
from penapp.decode.lexicon import SHIPPED, Bigrams, Lexicon, LexiconDamagedError
from penapp.decode.trie import from_words, join
from penapp.errors import BadInputError, ModelMismatchError


@pytest.fixture(scope="module")
def shipped() -> Lexicon:
    return Lexicon.load()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "lexicon"))


def test_the_shipped_lexicon_has_both_languages_in_any_case(shipped: Lexicon) -> None:
    assert len(shipped) == 260_979
    for word in ("house", "Straße", "STRASSE", "dass", "ÜBER", "don't", "Zeit", "the"):
        assert shipped.log_word(word) > -16, word
    assert shipped.log_word("xqzt") == -math.inf
    assert shipped.log_word("governm") == -math.inf


def test_all_words_together_have_probability_one(shipped: Lexicon) -> None:
    logs = shipped.trie.log_word
    assert np.exp(logs[np.isfinite(logs)]).sum() == pytest.approx(1.0, abs=0.02)


def test_the_shipped_lexicon_is_small_and_its_card_names_the_licence() -> None:
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 3_000_000
    assert "CC BY-SA 4.0" in (SHIPPED / "CARD.md").read_text(encoding="utf-8")


def test_nouns_of_german_are_known_to_have_a_capital(shipped: Lexicon) -> None:
    assert shipped.capital_share("mittwoch") > 0.9
    assert shipped.capital_share("und") == shipped.capital_share("the") == 0.0
    assert shipped.capital_share("i") > 0.7
    assert shipped.capital_share("xqzt") == shipped.capital_share("mittwo") == 0.0


def test_a_word_is_likelier_after_the_word_it_usually_follows(shipped: Lexicon) -> None:
    assert shipped.log_word("states", "united") > shipped.log_word("states") + 3
    assert shipped.log_word("states", "banana") <= shipped.log_word("states") + 0.01
    assert shipped.log_word("states", "xqzt") == shipped.log_word("states")
    assert shipped.log_word("xqzt", "united") == -math.inf


def test_after_any_word_all_words_together_have_probability_one() -> None:
    words = {"a": 0.5, "b": 0.25, "c": 0.25}
    trie = from_words({word: math.log(p) for word, p in words.items()})
    follows = Bigrams(np.array([0, 2, 2, 2]), np.array([1, 2]), np.log([0.6, 0.1]))
    lexicon = Lexicon(trie, LetterModel.flat(), follows)
    for previous in ("", *words):
        assert sum(math.exp(lexicon.log_word(word, previous)) for word in words) == pytest.approx(1.0)
    assert math.exp(lexicon.log_word("b", "a")) == pytest.approx(0.5 * (0.6 + 0.3 * 0.25) + 0.5 * 0.25)


def test_what_follows_a_word_never_adds_up_to_more_than_one(shipped: Lexicon) -> None:
    bigrams = shipped._bigrams
    assert bigrams is not None
    rows = np.repeat(np.arange(len(bigrams.start) - 1), np.diff(bigrams.start))
    mass = np.bincount(rows, weights=np.exp(bigrams.log_p))
    assert mass.max() < 1.06  # each value is rounded to 0.1 in ln p


def test_pronounceable_letters_are_likelier_than_noise(shipped: Lexicon) -> None:
    letters = shipped.letters.log_prob
    assert letters("blinter") > letters("xqblrtn") + 10
    assert letters("1993") > letters("1x9q")
    assert letters("Blinter") == letters("blinter")


def test_letter_model_sums_to_one_after_every_pair(shipped: Lexicon) -> None:
    table = np.exp(shipped.letters._log_p)
    np.testing.assert_allclose(table.sum(axis=-1), 1.0, atol=0.05)


def test_one_flipped_byte_is_refused(copy: Path) -> None:
    path = copy / "lexicon.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(LexiconDamagedError, match=r"SHA-256 .* expected a9614d2bbe77.* Restore the lexicon"):
        Lexicon.load(copy)


def test_a_truncated_file_is_refused_naming_both_sizes(copy: Path) -> None:
    path = copy / "lexicon.npz"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(LexiconDamagedError, match=r"1000 bytes.*1487139 bytes"):
        Lexicon.load(copy)


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ("{", "not readable as JSON"),
        ("[]", "format 2"),
        ('{"format": 9}', "format 2"),
        (None, "does not exist"),
    ],
)
def test_a_bad_manifest_is_refused(copy: Path, manifest: str | None, message: str) -> None:
    path = copy / "manifest.json"
    path.unlink() if manifest is None else path.write_text(manifest)
    with pytest.raises(LexiconDamagedError, match=message):
        Lexicon.load(copy)


def test_a_missing_word_file_is_refused(copy: Path) -> None:
    (copy / "lexicon.npz").unlink()
    with pytest.raises(LexiconDamagedError, match="does not exist"):
        Lexicon.load(copy)


def test_the_lexicon_is_the_frozen_one() -> None:
    """A different list is a new version in a new folder: figures must stay comparable."""
    digest = hashlib.sha256((SHIPPED / "lexicon.npz").read_bytes()).hexdigest()
    assert digest == "a9614d2bbe7714d977e80849eedfa2c3b0ca3aa75431b6ce33bac0676f7408cb"


def test_the_manifest_names_versions_and_licences_of_its_sources() -> None:
    manifest = json.loads((SHIPPED / "manifest.json").read_text())
    assert all(source["version"] and source["licence"] for source in manifest["sources"].values())


def test_an_added_word_is_known_at_once_with_its_spelling() -> None:
    lexicon = Lexicon.from_words({"haus": 0.5, "maus": 0.5})
    lexicon.add_word("McPen7")
    lexicon.add_word("Maus")
    assert lexicon.log_word("mcpen7") == pytest.approx(-9.0)
    assert lexicon.spelling("mcpen7") == "McPen7"
    assert lexicon.log_word("haus") == pytest.approx(math.log(0.5))
    assert lexicon.log_word("maus") == pytest.approx(math.log(0.5)), "adding never makes a word less likely"
    assert (len(lexicon), lexicon.version) == (3, 2)
    assert lexicon.user_words == ("McPen7", "Maus")


@pytest.mark.parametrize("word", ["", "naïve", "two words"])
def test_a_word_that_cannot_be_written_is_refused(word: str) -> None:
    with pytest.raises(BadInputError, match="cannot be a word"):
        Lexicon.from_words({"haus": 1.0}).add_word(word)


def test_alphabet_check_counts_what_a_model_cannot_write(shipped: Lexicon) -> None:
    assert shipped.check(PENAPP_ALPHABET).unreachable_words == 0
    onhw = shipped.check(Alphabet(ONHW_LETTERS))
    assert set("'-") < set(onhw.missing_letters)
    assert 0 < onhw.unreachable_words < 10_000
    with pytest.raises(ModelMismatchError, match="could never be read"):
        shipped.check(Alphabet("0123456789"))


def test_look_ahead_is_the_best_word_below() -> None:
    trie = from_words({"a": -5.0, "ab": -3.0, "abc": -4.0, "b": -1.0, "bcd": -0.5})
    for text, best, below in [
        ("", -0.5, "bcd"),
        ("a", -3.0, "ab"),
        ("abc", -4.0, "abc"),
        ("bc", -0.5, "bcd"),
    ]:
        node = trie.find(text)
        assert trie.look_ahead[node] == best
        assert trie.text(int(trie.best_word[node])) == below


def test_joined_tries_find_the_words_of_both() -> None:
    trie = join(from_words({"a": -5.0, "ab": -3.0}), from_words({"ab": -1.0, "ac": -2.0}))
    assert [trie.log_word[trie.find(word)] for word in ("a", "ab", "ac")] == [-5.0, -1.0, -2.0]
    assert trie.text(trie.find("ac")) == "ac"
    assert trie.find("ad") == -1
