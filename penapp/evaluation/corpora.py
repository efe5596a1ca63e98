"""What can be evaluated: ink files, recordings files, folders of recorded streams."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penapp.arrays import array_names
from penapp.decode.alphabet import Alphabet
from penapp.device.replay import ReplaySource
from penapp.device.source import PenSource
from penapp.device.virtual import VirtualPenSource
from penapp.errors import BadInputError
from penapp.evaluation.reading import Reference
from penapp.evaluation.recordings import Recordings
from penapp.simulation.ink import InkCorpus
from penapp.simulation.pen import SimulatedSession
from penapp.simulation.sources import SessionSource, write_ink

SESSION_WORDS = 12
PAUSE_S = 1.2
"""Rest before and after each word of a recordings file, so that it is read like a live one."""


@dataclass(frozen=True, slots=True)
class EvaluationSession:
    """One stream and the words it holds."""

    source: PenSource
    references: tuple[Reference, ...]


def ink_sessions(
    ink: InkCorpus, keep: NDArray[np.bool_], *, seed: int, rate_hz: float = 100.0
) -> Iterator[EvaluationSession]:
    """The kept words of an ink file, twelve of one writer to a session, played by the virtual pen."""
    groups = group_names(ink)
    indices = np.flatnonzero(keep)
    number = 0
    for writer in dict.fromkeys(int(w) for w in ink.writer[indices]):
        own = indices[ink.writer[indices] == writer]
        for start in range(0, len(own), SESSION_WORDS):
            chosen = own[start : start + SESSION_WORDS]
            session = write_ink([ink.word(int(i)) for i in chosen], seed + 7919 * number, rate_hz=rate_hz)
            number += 1
            yield EvaluationSession(
                VirtualPenSource(SessionSource([session], rate_hz), speed=None),
                tuple(
                    Reference(w.label, str(writer), groups[int(i)], w.start_t, w.end_t)
                    for i, w in zip(chosen, session.words, strict=True)
                ),
            )


def evaluable(ink: InkCorpus, alphabet: Alphabet) -> NDArray[np.bool_]:
    """Words with a credible clock and a label that the alphabet can spell."""
    spelled = np.array([alphabet.covers(str(label)) for label in ink.label], dtype=np.bool_)
    return np.asarray(ink.clock_ok & spelled)


def group_names(ink: InkCorpus) -> list[str]:
    """The cell of every word: seen or unseen writer x seen, unseen or other word.

    Seen: a label of the file's training words; unseen: held out from all training; other: neither, and every
    word that is not held out where the file has no training words.
    """
    trained = set(ink.label[(ink.split == "train") & ~ink.heldout_word])
    names = []
    for split, label, heldout in zip(ink.split, ink.label, ink.heldout_word, strict=True):
        writer = {"seen_writer": "seen writer", "test": "unseen writer"}.get(str(split), f"{split} writer")
        word = "unseen word" if heldout else ("seen word" if label in trained else "other word")
        names.append(f"{writer}, {word}")
    return names


def recorded_sessions(recordings: Recordings) -> Iterator[EvaluationSession]:
    """The words of a recordings file, one to a session."""
    rate_hz = recordings.rate_hz
    pad = int(PAUSE_S * rate_hz)
    for word, label, writer in recordings.words():
        values = np.concatenate([np.repeat(word[:1], pad, 0), word, np.repeat(word[-1:], pad, 0)])
        session = SimulatedSession(
            rate_hz, np.arange(len(values)) / rate_hz, values, np.zeros(len(values), np.bool_), ()
        )
        end_t = PAUSE_S + len(word) / rate_hz
        yield EvaluationSession(
            VirtualPenSource(SessionSource([session], rate_hz), speed=None),
            (Reference(label, writer, "recordings", PAUSE_S, end_t),),
        )


def stream_sessions(folder: Path) -> Iterator[EvaluationSession]:
    """Recordings NAME.pen or NAME.mcap, each beside its text NAME.txt; one counts as one reference."""
    streams = recordings_in(folder)
    if not streams:
        raise BadInputError(
            f"{folder} holds no .pen files and no sessions (.mcap).",
            advice="Record some with `penapp live --record`.",
        )
    for stream in streams:
        beside = stream.with_suffix(".txt")
        if not beside.exists():
            raise BadInputError(
                f"{beside} is missing.", advice="Put the text that was written beside the stream."
            )
        label = "".join(beside.read_text(encoding="utf-8").split())
        reference = Reference(label, stream.stem, "streams", 0.0, float("inf"))
        yield EvaluationSession(ReplaySource(stream, None), (reference,))


def recordings_in(folder: Path) -> list[Path]:
    """Recorded streams and sessions, by name."""
    return sorted([*folder.glob("*.pen"), *folder.glob("*.mcap")])


def is_ink(path: Path) -> bool:
    """Whether an .npz is an ink file (it holds `dxy`)."""
    return "dxy" in array_names(path, "a corpus", "Expected an ink file or a recordings file (.npz).")
