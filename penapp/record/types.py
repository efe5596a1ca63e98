"""What a session file holds beside the pen's frames. Every one is a message of its own channel."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EventKind(StrEnum):
    """What an event tells; a kind of a later version is kept as a plain string."""

    MARKER = "marker"
    LINK = "link"
    GAP = "gap"
    TEXT = "text"
    RECORDER = "recorder"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """Something that happened.

    kind:       an `EventKind`
    text:       the marker's name, the committed text, the note, what went wrong
    state:      of the link, for kind "link"
    sample:     sample index of the pen (32 bits): of the first sample behind a gap, of a marker
    lost:       samples that are missing before `sample`, for kind "gap"
    start_s, end_s: of a committed word, seconds on the pen's clock as `penapp.stream` counts them
    confidence: 0..1, of a committed word
    """

    kind: str
    text: str = ""
    state: str = ""
    sample: int | None = None
    lost: int = 0
    start_s: float | None = None
    end_s: float | None = None
    confidence: float | None = None


class PromptAction(StrEnum):
    SHOWN = "shown"
    DONE = "done"
    REDO = "redo"
    SKIPPED = "skipped"
    BACK = "back"


@dataclass(frozen=True, slots=True)
class PromptEvent:
    """A prompt on its way: shown, done, asked for again, left out.

    prompt:   identifies it within the session; attempt: 1 for the first time it is shown
    text:     what the writer is asked to write; language: BCP 47; source: the list it comes from
    reason:   why it was left out or asked for again
    start_s, end_s: what was written for it, seconds on the pen's clock
    verdict:  of the check at once: "green", "amber", "red" or ""; found: the check's reasons
    """

    action: str
    prompt: str
    text: str = ""
    language: str = ""
    source: str = ""
    reason: str = ""
    attempt: int = 1
    start_s: float | None = None
    end_s: float | None = None
    verdict: str = ""
    found: tuple[str, ...] = ()


class LabelAction(StrEnum):
    """What an edit does to the label it names; `UNDO` takes back every edit with the id in `undoes`."""

    ADD = "add"
    RELABEL = "relabel"
    MOVE = "move"
    CONFIRM = "confirm"
    EXCLUDE = "exclude"
    RESTORE = "restore"
    REMOVE = "remove"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class LabelEdit:
    """One step of one label's history. Edits are only ever added; `penapp.record.labels` folds them.

    edit:    identifies what the person did; split and merge are several edits with the same id
    label:   identifies the label
    text, start_s, end_s: for ADD, RELABEL, MOVE (seconds on the pen's clock)
    draft:   for ADD: proposed by the recogniser, nobody has confirmed it yet
    prompt:  for ADD: the prompt it answers; reason: for EXCLUDE; undoes: for UNDO
    by:      who did it: "writer", "recogniser", "collection", ...
    """

    action: str
    edit: str
    label: str = ""
    text: str = ""
    start_s: float | None = None
    end_s: float | None = None
    draft: bool = False
    prompt: str = ""
    reason: str = ""
    undoes: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class ClockSegment:
    """How the pen's clock maps to the host's, for one stretch of one clock; the newest of a segment counts.

    host_ns = host_ns0 + (device_us - device_us0) x 1000 x (1 + skew_ppm / 1e6)

    segment:   number of the stretch, from 1; boot_id: of the pen
    device_us0: microseconds on the pen's clock, unwrapped
    host_ns0:  nanoseconds since 1970, the clock of log_time
    uncertainty_ms: one standard deviation; method: who fitted it
    """

    segment: int
    boot_id: int
    device_us0: int
    host_ns0: int
    skew_ppm: float
    uncertainty_ms: float | None = None
    method: str = ""


SessionRecord = SessionEvent | PromptEvent | LabelEdit | ClockSegment


@dataclass(frozen=True, slots=True)
class Consent:
    """What the writer agreed to: version and full text, language (BCP 47), when (ns since 1970)."""

    version: str
    text: str
    language: str
    given_ns: int


@dataclass(frozen=True, slots=True)
class WriterNote:
    """Who wrote, without a name: a pseudonym and the facts that the writer chose to give."""

    pseudonym: str
    facts: tuple[tuple[str, str], ...] = ()
