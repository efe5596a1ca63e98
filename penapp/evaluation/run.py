"""A corpus from file to readings."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penapp.decode.greedy import GreedyDecoder
from penapp.decode.lexicon import Lexicon
from penapp.decode.word_decoder import WordDecoder
from penapp.errors import BadInputError
from penapp.evaluation.corpora import (
    SESSION_WORDS,
    EvaluationSession,
    evaluable,
    group_names,
    ink_sessions,
    is_ink,
    recorded_sessions,
    recordings_in,
    stream_sessions,
)
from penapp.evaluation.reading import Engines, Reading, read_session
from penapp.evaluation.recordings import Recordings
from penapp.evaluation.report import GroupFigures, figures
from penapp.read_along import StretchScorer
from penapp.recognise.artefact import SHIPPED
from penapp.recognise.session import OnnxRecogniser
from penapp.simulation.ink import InkCorpus
from penapp.simulation.pen import SIMULATOR_VERSION

Progress = Callable[[Iterator[Any], int], Iterator[Any]]


@dataclass(frozen=True)
class Evaluation:
    """All readings of a corpus, whether the lexicon knows each word, and facts that pin the run."""

    readings: list[Reading]
    known: list[bool]
    facts: dict[str, object] = field(default_factory=dict)

    def lines(self) -> Iterator[dict[str, object]]:
        for reading, known in zip(self.readings, self.known, strict=True):
            row = asdict(reading)
            yield {**row.pop("reference"), **row, "in_lexicon": known}


@dataclass(frozen=True)
class Options:
    """What of a corpus is read, and how; splits, words and donors are for ink files."""

    splits: tuple[str, ...] = ()
    words: str = "all"
    donors: tuple[int, ...] = ()
    limit: int | None = None
    model: Path | None = None
    provider: str = "cpu"
    rate_hz: float = 100.0
    seed: int = 1


def evaluate_corpus(
    corpus: Path, options: Options, progress: Progress = lambda sessions, _: sessions
) -> Evaluation:
    """Read every word of a corpus; BadInputError when there is none."""
    recogniser = OnnxRecogniser(options.model or SHIPPED, options.provider)
    alphabet, lexicon = recogniser.manifest.alphabet, Lexicon.load()
    decoder, session = (WordDecoder(alphabet, lexicon) for _ in range(2))
    score = StretchScorer(recogniser, lexicon)
    engines = Engines(recogniser, GreedyDecoder(alphabet), decoder, session, score)
    facts: dict[str, object] = {
        "corpus": corpus.name,
        "corpus_sha256": _digest(corpus),
        "model": f"{recogniser.manifest.name} {recogniser.manifest.sha256[:12]}",
        "provider": str(recogniser.report),
    }
    if corpus.is_dir():
        sessions, count = stream_sessions(corpus), len(recordings_in(corpus))
    elif is_ink(corpus):
        ink = InkCorpus.load(corpus)
        keep, left_out = _kept(ink, options, evaluable(ink, alphabet))
        keep = _thinned(keep, options.limit)
        sessions, count = (
            ink_sessions(ink, keep, seed=options.seed, rate_hz=options.rate_hz),
            int(keep.sum()) // SESSION_WORDS,
        )
        facts |= {
            "simulator": SIMULATOR_VERSION,
            "seed": options.seed,
            "rate_hz": options.rate_hz,
            "left_out": left_out,
        }
    else:
        recordings = Recordings.load(corpus)
        sessions, count = recorded_sessions(recordings), len(recordings.n)
    readings = [r for s in progress(sessions, count) for r in _read(s, engines)]
    if not readings:
        raise BadInputError(
            f"{corpus} holds no word to evaluate with these options.",
            advice="Choose others for --split, --words and --donor.",
        )
    return Evaluation(readings, [_knows(lexicon, r.reference.label) for r in readings], facts)


def grouped(result: Evaluation, *, by_writer: bool = False) -> list[GroupFigures]:
    """A row per group, one for all, and one per writer if wanted."""
    cells: dict[str, list[int]] = {}
    for i, reading in enumerate(result.readings):
        cells.setdefault(reading.reference.group, []).append(i)
    rows = [_row(result, name, cells[name]) for name in sorted(cells)]
    rows.append(_row(result, "all", range(len(result.readings))))
    if by_writer:
        writers: dict[str, list[int]] = {}
        for i, reading in enumerate(result.readings):
            writers.setdefault(reading.reference.writer, []).append(i)
        rows += [_row(result, f"writer {name}", writers[name]) for name in sorted(writers)]
    return rows


def _row(result: Evaluation, name: str, chosen: Sequence[int]) -> GroupFigures:
    return figures(name, [result.readings[i] for i in chosen], [result.known[i] for i in chosen])


def _read(session: EvaluationSession, engines: Engines) -> list[Reading]:
    return read_session(session.source, session.references, engines)


def _kept(
    ink: InkCorpus, options: Options, alphabet_mask: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], str]:
    wanted = np.isin(ink.split, options.splits or ("seen_writer", "test"))
    if options.words != "all":
        wanted &= np.array([name.endswith(f", {options.words} word") for name in group_names(ink)])
    if options.donors:
        wanted &= np.isin(ink.donor, options.donors)
    no_clock = int((wanted & ~ink.clock_ok).sum())
    no_letters = int((wanted & ink.clock_ok & ~alphabet_mask).sum())
    told = f"{no_clock} words without a credible clock, {no_letters} with characters outside the alphabet"
    return wanted & alphabet_mask, told


def _thinned(keep: NDArray[np.bool_], limit: int | None) -> NDArray[np.bool_]:
    """At most `limit` words, in runs of one session spread evenly over the corpus."""
    indices = np.flatnonzero(keep)
    if limit is None or len(indices) <= limit:
        return keep
    runs = max(limit // SESSION_WORDS, 1)
    starts = np.linspace(0, len(indices) - SESSION_WORDS, runs).astype(np.int64)
    chosen = np.unique(np.concatenate([indices[s : s + SESSION_WORDS] for s in starts]))[:limit]
    thin = np.zeros_like(keep)
    thin[chosen] = True
    return thin


def _knows(lexicon: Lexicon, label: str) -> bool:
    bare = label.strip(".,?!-'").lower()
    return lexicon.trie.find(bare) >= 0 and bool(np.isfinite(lexicon.trie.log_word[lexicon.trie.find(bare)]))


def _digest(path: Path) -> str:
    files = recordings_in(path) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
