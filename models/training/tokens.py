"""Sub-word targets: letters and frequent pairs of letters as the columns of a CTC network.

After the bigram tokeniser of Li et al., "Tokenization vs. Augmentation" (arXiv 2603.16883, 2026).
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from penapp.errors import BadInputError

TOKENS_FILE = "tokens.json"
"""Where the tokens of a run lie, beside its configuration."""

_KIND = "penapp bigram tokens"
_ADVICE = "Build the tokens again from the labels of the training shards."


class TargetAlphabet(Protocol):
    """What sampler, collation and loop ask of the targets; Alphabet and BigramTokens both answer."""

    @property
    def blank(self) -> int: ...
    @property
    def size(self) -> int: ...
    def covers(self, text: str) -> bool: ...
    def encode(self, text: str) -> list[int]: ...
    def decode(self, columns: Iterable[int]) -> str: ...
    def collapse(self, path: Sequence[int]) -> str: ...


@dataclass(frozen=True)
class BigramTokens:
    """Single letters, then pairs, each one column of the network; the set owns its CTC blank.

    Column 0 is the blank; tokens[i] is column i + 1. Every letter of a pair is a token of its own too, so
    that the set covers any word of its letters.
    """

    tokens: tuple[str, ...]

    def __post_init__(self) -> None:
        twice = sorted(token for token, n in Counter(self.tokens).items() if n > 1)
        letters = {token for token in self.tokens if len(token) == 1}
        strange = [t for t in self.tokens if len(t) not in (1, 2) or not set(t) <= letters]
        if twice or strange:
            raise BadInputError(
                f"tokens repeat {twice} and hold {strange}, "
                "expected each once: letters, and pairs whose letters are there too.",
                advice=_ADVICE,
            )

    @staticmethod
    def built(labels: Iterable[str], size: int, letters: str = "") -> BigramTokens:
        """Tokens of the unique labels: their letters and the most frequent pairs, `size` columns at most.

        size:    network outputs, blank included; fewer come out when the labels hold fewer pairs
        letters: kept in this order in front of the labels' own (an Alphabet's letters, so that words with
                 letters that no training word has can be spelled)
        Pairs of equal frequency come in the order of their letters. BadInputError when the letters alone
        do not fit.
        """
        words = sorted(set(labels))
        own = sorted({letter for word in words for letter in word} - set(letters))
        singles = [*letters, *own]
        room = size - 1 - len(singles)
        if room < 0:
            raise BadInputError(
                f"{size} outputs cannot hold {len(singles)} letters and the blank.",
                advice=f"Choose a vocabulary of at least {len(singles) + 1}.",
            )
        counts = Counter(a + b for word in words for a, b in pairwise(word))
        pairs = sorted(counts, key=lambda pair: (-counts[pair], pair))
        return BigramTokens((*singles, *pairs[:room]))

    @property
    def blank(self) -> int:
        return 0

    @property
    def size(self) -> int:
        """Number of network outputs, blank included."""
        return len(self.tokens) + 1

    def covers(self, text: str) -> bool:
        return all(letter in self._columns for letter in text)

    def encode(self, text: str) -> list[int]:
        """Text to columns, greedily from the left: a pair where one is known, else the letter.

        Raises BadInputError for a letter outside the tokens.
        """
        columns: list[int] = []
        at = 0
        while at < len(text):
            token = text[at : at + 2] if text[at : at + 2] in self._columns else text[at]
            if token not in self._columns:
                raise BadInputError(f"letter {token!r} of {text!r} is not among the tokens.", advice=_ADVICE)
            columns.append(self._columns[token])
            at += len(token)
        return columns

    def decode(self, columns: Iterable[int]) -> str:
        return "".join(self.tokens[column - 1] for column in columns if column != self.blank)

    def collapse(self, path: Sequence[int]) -> str:
        """A frame-wise path to text: equal columns in a row merge, blanks vanish."""
        return self.decode(c for i, c in enumerate(path) if i == 0 or c != path[i - 1])

    def save(self, path: Path) -> None:
        """Plain JSON, under a temporary name first, then renamed."""
        temporary = path.with_suffix(".tmp.json")
        text = json.dumps({"kind": _KIND, "version": 1, "tokens": self.tokens}, ensure_ascii=False, indent=1)
        temporary.write_text(text + "\n", encoding="utf-8")
        os.replace(temporary, path)  # noqa: PTH105 - one atomic call

    @staticmethod
    def load(path: Path) -> BigramTokens:
        """Raises BadInputError when the file holds no tokens."""
        try:
            table = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise BadInputError(f"{path} holds no tokens ({error}).", advice=_ADVICE) from error
        found = table.get("tokens") if isinstance(table, dict) and table.get("kind") == _KIND else None
        if not isinstance(found, list) or not all(isinstance(token, str) for token in found):
            raise BadInputError(f"{path} holds no tokens, expected a list of {_KIND}.", advice=_ADVICE)
        return BigramTokens(tuple(found))

    @cached_property
    def _columns(self) -> dict[str, int]:
        return {token: i for i, token in enumerate(self.tokens, start=1)}


def frames_needed(columns: Sequence[int] | str) -> int:
    """Fewest output frames in which CTC can spell columns or letters: a blank between equal neighbours."""
    return len(columns) + sum(a == b for a, b in pairwise(columns))


def spellable(columns: Sequence[int], frames: int) -> bool:
    """Whether CTC can spell the columns in so many output frames."""
    return frames >= frames_needed(columns)
