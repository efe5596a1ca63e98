"""The words we know: a frozen, checksummed file, plus the words a user adds while writing."""

from __future__ import annotations

import hashlib
import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from penapp.decode.alphabet import Alphabet
from penapp.decode.folding import FOLDED, Folding, classes, fold
from penapp.decode.letters import LetterModel
from penapp.decode.trie import Trie, from_packed, from_words, join
from penapp.errors import BadInputError, ModelMismatchError, PenappError

SHIPPED = Path(__file__).resolve().parents[2] / "models" / "lexicon-v2"
STEP = 0.1
"""Log probabilities are stored as multiples of -STEP in one byte."""

CAPITAL_STEPS = 15
"""Shares of uses with a capital are stored as so many steps."""

_FORMAT = 2


class LexiconDamagedError(PenappError):
    """A lexicon's files are missing, changed or of another format than its manifest says."""

    def __init__(self, message: str) -> None:
        super().__init__(message, advice="Restore the lexicon folder that came with this version.")


@dataclass(frozen=True, slots=True)
class Bigrams:
    """What follows a word: CSR rows over word numbers, and ln p(next | word)."""

    start: NDArray[np.intp]
    following: NDArray[np.intp]
    log_p: NDArray[np.float64]

    def row(self, word: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        span = slice(int(self.start[word]), int(self.start[word + 1]))
        return self.following[span], self.log_p[span]


@dataclass(frozen=True, slots=True)
class AlphabetCheck:
    """What a model's alphabet cannot write of a lexicon."""

    missing_letters: str
    unreachable_words: int
    words: int


class Lexicon:
    """Words with frequencies, optional bigrams and a letter model for everything else.

    Letter case does not matter: `Haus`, `haus` and `HAUS` are one word. `version` grows with every change,
    so that decoders notice it when the next word starts.
    """

    def __init__(
        self,
        trie: Trie,
        letters: LetterModel,
        bigrams: Bigrams | None = None,
        name: str = "unnamed",
        capital: NDArray[np.floating] | None = None,
    ) -> None:
        """`capital`: for every word in the order of its node, the share of its uses with a capital (0..1)."""
        self.name = name
        self.letters = letters
        self.version = 0
        self._frozen = self._trie = trie
        self._bigrams = bigrams
        self._word_nodes = np.flatnonzero(np.isfinite(trie.log_word))
        self._capital = np.zeros(len(self._word_nodes)) if capital is None else capital
        self._user: dict[str, float] = {}
        self._spelling: dict[str, str] = {}

    @classmethod
    def load(cls, folder: Path = SHIPPED) -> Self:
        """Reads a packed lexicon; raises LexiconDamagedError unless it is byte for byte the frozen one."""
        manifest = _manifest(folder)
        with np.load(io.BytesIO(_verified(folder, manifest))) as packed:
            arrays = {key: packed[key] for key in packed.files}
        ends = np.unpackbits(arrays["ends"], count=len(arrays["letter"])).astype(np.bool_)
        log_word = np.full(len(ends), -np.inf)
        log_word[ends] = -STEP * arrays["log_word"]
        trie = from_packed(arrays["letter"], arrays["child_count"], log_word)
        letters, capital = LetterModel(-STEP * arrays["letters"]), arrays["capital"] / CAPITAL_STEPS
        return cls(trie, letters, _bigrams(arrays), str(manifest["name"]), capital)

    @classmethod
    def from_words(cls, probabilities: Mapping[str, float]) -> Self:
        """A small lexicon made at run time, without bigrams and with a flat letter model."""
        logs = {_folded(word): math.log(p) for word, p in probabilities.items()}
        return cls(from_words(logs), LetterModel.flat())

    @property
    def trie(self) -> Trie:
        return self._trie

    @property
    def user_words(self) -> tuple[str, ...]:
        return tuple(self._spelling.values())

    def __len__(self) -> int:
        return len(self._word_nodes) + sum(self._frozen.find(word) < 0 for word in self._user)

    def add_word(self, word: str, log_p: float = -9.0) -> None:
        """Makes `word` known from the next word on; its own spelling is preferred to other casings.

        Raises BadInputError for a letter no trie class stands for.
        """
        folded = _folded(word)
        self._user[folded] = log_p
        self._spelling[folded] = word
        self._trie = join(self._frozen, from_words(self._user))
        self.version += 1

    def spelling(self, folded: str) -> str | None:
        """How the user spells a word that they have added."""
        return self._spelling.get(folded)

    def log_word(self, text: str, previous: str = "", bigram_weight: float = 0.5) -> float:
        """The log probability of a word in any case, after `previous`; -inf if it is not in the lexicon."""
        node = self._trie.find(text)
        alone = float(self._trie.log_word[node]) if node >= 0 else -math.inf
        row = self._following(previous) if previous and math.isfinite(alone) else None
        if row is None:
            return alone
        words, log_p = row
        hit = words == self._word_number(node)
        p = float(np.exp(log_p[hit]).sum())
        rest = max(0.0, 1.0 - float(np.exp(log_p).sum()))
        together = bigram_weight * (p + rest * math.exp(alone)) + (1 - bigram_weight) * math.exp(alone)
        return math.log(together)

    def capital_share(self, text: str) -> float:
        """The share of a word's uses that have a capital where no sentence begins (0 for unknown words)."""
        node = self._frozen.find(text)
        known = node >= 0 and math.isfinite(self._frozen.log_word[node])
        return float(self._capital[self._word_number(node)]) if known else 0.0

    def check(self, alphabet: Alphabet) -> AlphabetCheck:
        """What `alphabet` cannot write; raises ModelMismatchError if that is more than half of the words."""
        missing = Folding(alphabet).missing
        gone = np.isin(self._frozen.letter, [FOLDED.index(letter) for letter in missing])
        unreachable = gone.copy()
        for node in range(1, len(gone)) if gone.any() else ():
            unreachable[node] = gone[node] or unreachable[self._frozen.parent[node]]
        lost = int(unreachable[self._word_nodes].sum())
        if 2 * lost > len(self._word_nodes):
            raise ModelMismatchError(
                f"the model's alphabet lacks {missing!r}: {lost} of the lexicon's {len(self._word_nodes)} "
                "words could never be read",
                advice="Use a lexicon of the model's language, or decode without one.",
            )
        return AlphabetCheck(missing, lost, len(self._word_nodes))

    def _following(self, previous: str) -> tuple[NDArray[np.intp], NDArray[np.float64]] | None:
        if self._bigrams is None:
            return None
        node = self._frozen.find(previous)
        if node < 0 or not math.isfinite(self._frozen.log_word[node]):
            return None
        row = self._bigrams.row(self._word_number(node))
        return row if len(row[0]) else None

    def _word_number(self, node: int) -> int:
        """Position among the frozen words; a number that no bigram has for a user's word."""
        if node >= len(self._frozen.letter):
            node = self._frozen.find(self._trie.text(node))
        return int(np.searchsorted(self._word_nodes, node)) if node >= 0 else -1


def _folded(word: str) -> str:
    if not word or classes(word) is None:
        raise BadInputError(f"{word!r} cannot be a word of the lexicon: expected letters out of {FOLDED}")
    return fold(word)


def _manifest(folder: Path) -> dict[str, object]:
    path = folder / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LexiconDamagedError(f"{path} does not exist, expected the lexicon's manifest.") from None
    except ValueError as reason:
        raise LexiconDamagedError(f"{path} is not readable as JSON: {reason}.") from None
    if not isinstance(manifest, dict) or manifest.get("format") != _FORMAT:
        raise LexiconDamagedError(f"{path} does not describe a lexicon of format {_FORMAT}.")
    return manifest


def _verified(folder: Path, manifest: Mapping[str, object]) -> bytes:
    path = folder / str(manifest["file"])
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise LexiconDamagedError(f"{path} does not exist, the manifest names it.") from None
    digest = hashlib.sha256(content).hexdigest()
    if digest != manifest["sha256"]:
        raise LexiconDamagedError(
            f"{path} has SHA-256 {digest[:12]}… ({len(content)} bytes), "
            f"expected {str(manifest['sha256'])[:12]}… ({manifest['bytes']} bytes)."
        )
    return content


def _bigrams(arrays: Mapping[str, NDArray[np.generic]]) -> Bigrams | None:
    if "bigram_count" not in arrays:
        return None
    start = np.concatenate([[0], np.cumsum(arrays["bigram_count"].astype(np.intp))])
    log_p = -STEP * arrays["bigram_log_p"].astype(np.float64)
    return Bigrams(start, arrays["bigram_next"].astype(np.intp), log_p)
