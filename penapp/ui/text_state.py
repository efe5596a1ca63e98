"""The text on screen as values: committed words, the word being written, candidates. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from penapp.decode.types import Candidate, Hypothesis

CANDIDATE_ROWS = 6


@dataclass(frozen=True, slots=True)
class Word:
    """A committed word; `chosen` is the candidate the writer took instead of the first one."""

    hypothesis: Hypothesis
    chosen: str | None = None

    @property
    def text(self) -> str:
        return self.hypothesis.text if self.chosen is None else self.chosen


@dataclass(frozen=True, slots=True)
class TextView:
    """Everything the text panel shows. `selected` is a clicked word, None follows the last one."""

    words: tuple[Word, ...] = ()
    tentative: str = ""
    selected: int | None = None

    def commit(self, hypothesis: Hypothesis) -> TextView:
        """The word being written is finished; a reading without letters adds nothing."""
        if not hypothesis.text:
            return replace(self, tentative="")
        return replace(self, words=(*self.words, Word(hypothesis)), tentative="")

    def write(self, tentative: str) -> TextView:
        return replace(self, tentative=tentative)

    def select(self, index: int | None) -> TextView:
        inside = index is not None and 0 <= index < len(self.words)
        return replace(self, selected=index if inside else None)

    def step(self, by: int) -> TextView:
        """Move the selection by words, staying inside the text."""
        if self.current is None:
            return self
        return self.select(min(max(self.current + by, 0), len(self.words) - 1))

    def take(self, reading: str) -> TextView:
        """Put another reading in place of the current word."""
        if self.current is None:
            return self
        word = self.words[self.current]
        taken = replace(word, chosen=None if reading == word.hypothesis.text else reading)
        return replace(self, words=(*self.words[: self.current], taken, *self.words[self.current + 1 :]))

    def undo(self) -> TextView:
        """Remove the last word."""
        return replace(self, words=self.words[:-1]).select(self.selected)

    def clear(self) -> TextView:
        return TextView(tentative=self.tentative)

    @property
    def current(self) -> int | None:
        """The word whose candidates are shown: the selected one, or the last."""
        if self.selected is not None:
            return self.selected
        return len(self.words) - 1 if self.words else None

    @property
    def plain(self) -> str:
        """The committed text alone: what `copy all` copies."""
        return " ".join(word.text for word in self.words)


class RunKind(Enum):
    COMMITTED = "committed"
    CURRENT = "current"
    TENTATIVE = "tentative"


@dataclass(frozen=True, slots=True)
class TextRun:
    """A stretch of text in one style; `word` is the index of the committed word, None for others."""

    text: str
    kind: RunKind
    word: int | None = None


def text_runs(view: TextView) -> tuple[TextRun, ...]:
    """The text in order, one run per word, spaces as runs of their own.

    A word is marked only when it was picked: the last word needs no mark, it would wander.
    """
    runs: list[TextRun] = []
    for index, word in enumerate(view.words):
        kind = RunKind.CURRENT if index == view.selected else RunKind.COMMITTED
        runs += [TextRun(word.text, kind, index), TextRun(" ", RunKind.COMMITTED)]
    if view.tentative:
        runs.append(TextRun(view.tentative, RunKind.TENTATIVE))
    return tuple(runs)


def word_at(runs: tuple[TextRun, ...], position: int) -> int | None:
    """Index of the committed word that covers the character at `position`; None beside the words."""
    start = 0
    for run in runs:
        if start <= position < start + len(run.text):
            return run.word
        start += len(run.text)
    return None


def common_prefix(old: tuple[TextRun, ...], new: tuple[TextRun, ...]) -> int:
    """How many leading runs are the same: only what follows them is painted anew."""
    same = 0
    for before, after in zip(old, new, strict=False):
        if before != after:
            break
        same += 1
    return same


@dataclass(frozen=True, slots=True)
class CandidateRow:
    """One line of the candidate list. `share` is 0..1 among the candidates of the word."""

    reading: str
    share: float
    note: str
    taken: bool

    @property
    def spoken(self) -> str:
        """What a screen reader says."""
        parts = [self.reading, f"{self.share:.0%}", self.note, "taken" if self.taken else ""]
        return ", ".join(part for part in parts if part)


def candidate_rows(view: TextView, limit: int = CANDIDATE_ROWS) -> tuple[CandidateRow, ...]:
    """Readings of the current word, best first; the letters without lexicon are never cut off."""
    if view.current is None:
        return ()
    word = view.words[view.current]
    candidates = _distinct(word.hypothesis.candidates) or (Candidate(word.hypothesis.text, 0.0, True, 1.0),)
    rows = [
        CandidateRow(c.text, c.confidence, "" if c.in_lexicon else "as written", c.text == word.text)
        for c in candidates
    ]
    return _with_letters(rows, limit)


def current_caption(view: TextView) -> str:
    """Which word the candidates belong to, and how sure the reading is."""
    if view.current is None:
        return "Readings of the last word appear here"
    word = view.words[view.current]
    which = "Last word" if view.current == len(view.words) - 1 else f"Word {view.current + 1}"
    return f"{which} · {word.hypothesis.confidence:.0%} sure"


def _with_letters(rows: list[CandidateRow], limit: int) -> tuple[CandidateRow, ...]:
    beyond = [row for row in rows[limit:] if row.note]
    inside = [row for row in rows[:limit] if row.note]
    if beyond and not inside:
        return (*rows[: limit - 1], beyond[0])
    return tuple(rows[:limit])


def _distinct(candidates: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    first: dict[str, Candidate] = {}
    for candidate in candidates:
        if candidate.text:
            first.setdefault(candidate.text, candidate)
    return tuple(first.values())
