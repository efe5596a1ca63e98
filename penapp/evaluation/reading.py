"""One session of reference words through the whole chain: what was read for each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from firmware_protocol.channels import Descriptor
from penapp.decode.greedy import GreedyDecoder
from penapp.decode.types import Hypothesis, LogProbs
from penapp.decode.word_decoder import WordDecoder
from penapp.device.source import PenSource
from penapp.errors import DeviceError
from penapp.live import Failed, LiveEvent, LiveSession
from penapp.pipeline import CutWord, FrontEnd, geometry_of
from penapp.read_along import StretchScorer
from penapp.recognise.session import OnnxRecogniser
from penapp.stream.block import SampleBlock

TIMEOUT_S = 600.0


@dataclass(frozen=True, slots=True)
class Reference:
    """A word that was written: its label and its true boundaries (s from the start of the stream)."""

    label: str
    writer: str
    group: str
    start_t: float
    end_t: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read for one reference word: text of all segments that belong to it, joined.

    greedy, decoded:             through the segmenter's own cuts
    greedy_given, decoded_given: with the true boundaries
    segments:                    how many segments belonged to the word (1 = cut exactly)
    """

    reference: Reference
    greedy: str
    decoded: str
    greedy_given: str
    decoded_given: str
    segments: int


@dataclass(frozen=True, slots=True)
class Engines:
    """Recogniser and decoders, opened once for a whole evaluation; `score` has a vote where words end."""

    recogniser: OnnxRecogniser
    greedy: GreedyDecoder
    decoder: WordDecoder
    score: StretchScorer | None = None

    def texts(self, log_probs: LogProbs) -> tuple[str, str]:
        """(greedy, with the decoder); words are isolated, so no word is the context of the next."""
        self.decoder.reset()
        return self.greedy.decode(log_probs).text, self.decoder.decode(log_probs).text


class ListeningPipeline:
    """A pipeline for LiveSession that keeps every cut word with both readings."""

    def __init__(self, engines: Engines, descriptor: Descriptor) -> None:
        params = engines.recogniser.manifest.params
        rate_hz = descriptor.streams[0].rate_hz
        geometry = geometry_of(descriptor)
        self.front_end = FrontEnd(rate_hz, params, geometry, keep_s=float("inf"), score=engines.score)
        self.engines = engines
        self.words: list[tuple[CutWord, str, str]] = []
        self.start_t: float | None = None

    @property
    def contact(self) -> bool:
        return self.front_end.contact

    def push(self, block: SampleBlock) -> list[Hypothesis]:
        if self.start_t is None and len(block):
            self.start_t = float(block.t[0])
        self._read(self.front_end.push(block))
        return []

    def tentative(self) -> Hypothesis | None:
        return None

    def finish(self) -> list[Hypothesis]:
        self._read(self.front_end.finish())
        return []

    def reset(self) -> None:
        self.front_end.reset()

    def _read(self, words: list[CutWord]) -> None:
        for word in words:
            log_probs = self.engines.recogniser(word.features)
            self.words.append((word, *self.engines.texts(log_probs)))

    def given(self, start_t: float, end_t: float) -> tuple[str, str]:
        """Both readings between boundaries given from outside."""
        origin = self.start_t or 0.0
        features = self.front_end.features_between(origin + start_t, origin + end_t)
        return self.engines.texts(self.engines.recogniser(features))


def read_session(source: PenSource, references: Sequence[Reference], engines: Engines) -> list[Reading]:
    """Play a source to its end through the live session; DeviceError when the link fails."""
    made: list[ListeningPipeline] = []
    failures: list[str] = []

    def make(descriptor: Descriptor) -> ListeningPipeline:
        made.append(ListeningPipeline(engines, descriptor))
        return made[-1]

    def listen(event: LiveEvent) -> None:
        if isinstance(event, Failed):
            failures.append(f"{event.message} {event.advice}")

    _play(lambda: LiveSession(source, make, ring_seconds=1.0, on_event=listen))
    if failures or not made:
        raise DeviceError(failures[0] if failures else f"{source.name} delivered nothing")
    return matched(made[-1], references)


def _play(make_session: Callable[[], LiveSession]) -> None:
    session = make_session()
    session.start()
    try:
        if not session.wait(TIMEOUT_S):
            raise DeviceError(f"the stream did not end within {TIMEOUT_S:.0f} s")
    finally:
        session.stop()


def matched(pipeline: ListeningPipeline, references: Sequence[Reference]) -> list[Reading]:
    """Every segment goes to the word it overlaps most (or lies nearest to); nothing is dropped."""
    origin = pipeline.start_t or 0.0
    parts: list[list[tuple[str, str]]] = [[] for _ in references]
    for word, greedy, decoded in pipeline.words:
        start, end = word.segment.start_t - origin, word.segment.end_t - origin
        overlaps = [min(end, r.end_t) - max(start, r.start_t) for r in references]
        parts[overlaps.index(max(overlaps))].append((greedy, decoded))
    readings = []
    for reference, texts in zip(references, parts, strict=True):
        greedy_given, decoded_given = pipeline.given(reference.start_t, reference.end_t)
        greedy, decoded = "".join(g for g, _ in texts), "".join(d for _, d in texts)
        readings.append(Reading(reference, greedy, decoded, greedy_given, decoded_given, len(texts)))
    return readings
