"""The letters a recogniser knows, and where its CTC blank sits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from penapp.errors import BadInputError

ONHW_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyzÄÖÜäöüß"
"""The 59 letters of the OnHW data sets, in their index order."""

DIGITS_AND_MARKS = "0123456789.,?!-'"


@dataclass(frozen=True, slots=True)
class Alphabet:
    """An ordered set of letters that owns its CTC blank: column `blank` of the network output.

    Column 0 is the blank; letter i of `letters` is column i + 1.
    """

    letters: str

    def __post_init__(self) -> None:
        if len(set(self.letters)) != len(self.letters):
            raise BadInputError(f"alphabet repeats a letter: {self.letters!r}")

    @property
    def blank(self) -> int:
        return 0

    @property
    def size(self) -> int:
        """Number of network outputs, blank included."""
        return len(self.letters) + 1

    def covers(self, text: str) -> bool:
        return all(letter in self.letters for letter in text)

    def encode(self, text: str) -> list[int]:
        """Text to network columns; raises BadInputError for a letter outside the alphabet."""
        missing = sorted({letter for letter in text if letter not in self.letters})
        if missing:
            raise BadInputError(f"letters {''.join(missing)!r} of {text!r} are not in the alphabet")
        return [self.letters.index(letter) + 1 for letter in text]

    def decode(self, columns: Iterable[int]) -> str:
        return "".join(self.letters[column - 1] for column in columns if column != self.blank)

    def collapse(self, path: Sequence[int]) -> str:
        """A frame-wise path to text: repeats merge, blanks vanish."""
        kept = [c for i, c in enumerate(path) if i == 0 or c != path[i - 1]]
        return self.decode(kept)


PENAPP_ALPHABET = Alphabet(ONHW_LETTERS + DIGITS_AND_MARKS)
