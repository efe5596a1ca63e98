"""One session of reference words through the whole chain: what was read for each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from firmware_protocol.channels import Descriptor
from penapp.decode.greedy import GreedyDecoder
from penapp.decode.types import Hypothesis, LogProbs
from penapp.decode.word_decoder import WordDecoder
from penapp.device.source import PenSource
from penapp.dsp.features import Features
from penapp.errors import DeviceError
from penapp.live import Failed, LiveEvent, LiveSession
from penapp.pipeline import CutWord, FrontEnd, geometry_of
from penapp.read_along import StretchScorer
from penapp.recognise.looks import further_looks
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

    greedy, decoded:             through the segmenter's own cuts, every word alone
    greedy_given, decoded_given: with the true boundaries
    segments:                    how many segments belonged to the word (1 = cut exactly)
    decoded_session:             as `decoded`, but as it is live: the session's words so far are context
    """

    reference: Reference
    greedy: str
    decoded: str
    greedy_given: str
    decoded_given: str
    segments: int
    decoded_session: str = ""


@dataclass(frozen=True, slots=True)
class Texts:
    """One segment's readings: without the decoder, with it and alone, with it and the words before."""

    greedy: str
    decoded: str
    decoded_session: str


@dataclass(frozen=True, slots=True)
class Engines:
    """Recogniser and decoders, opened once for a whole evaluation.

    decoder: reads every word alone; session: the same decoder with the session's words so far as context
    score: has a vote where words end
    """

    recogniser: OnnxRecogniser
    greedy: GreedyDecoder
    decoder: WordDecoder
    session: WordDecoder
    score: StretchScorer | None = None

    def begin(self) -> None:
        """A new session: no word came before."""
        self.session.reset()

    def texts(self, features: Features) -> Texts:
        """The readings of the session's next word."""
        log_probs, further = self.recogniser(features), further_looks(self.recogniser, features)
        return Texts(
            self.greedy.decode(log_probs).text,
            self._alone(log_probs, further),
            self.session.decode(log_probs, further=further).text,
        )

    def texts_alone(self, features: Features) -> tuple[str, str]:
        """(greedy, with the decoder) of a word that is nobody's context."""
        log_probs = self.recogniser(features)
        decoded = self._alone(log_probs, further_looks(self.recogniser, features))
        return self.greedy.decode(log_probs).text, decoded

    def _alone(self, log_probs: LogProbs, further: Sequence[LogProbs]) -> str:
        self.decoder.reset()
        return self.decoder.decode(log_probs, further=further).text


class ListeningPipeline:
    """A pipeline for LiveSession that keeps every cut word with its readings."""

    def __init__(self, engines: Engines, descriptor: Descriptor) -> None:
        params = engines.recogniser.manifest.params
        rate_hz = descriptor.streams[0].rate_hz
        geometry = geometry_of(descriptor)
        self.front_end = FrontEnd(rate_hz, params, geometry, keep_s=float("inf"), score=engines.score)
        self.engines = engines
        self.engines.begin()
        self.words: list[tuple[CutWord, Texts]] = []
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
        self.words += [(word, self.engines.texts(word.features)) for word in words]

    def given(self, start_t: float, end_t: float) -> tuple[str, str]:
        """Both readings between boundaries given from outside."""
        origin = self.start_t or 0.0
        features = self.front_end.features_between(origin + start_t, origin + end_t)
        return self.engines.texts_alone(features)


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
    parts: list[list[Texts]] = [[] for _ in references]
    for word, texts in pipeline.words:
        start, end = word.segment.start_t - origin, word.segment.end_t - origin
        overlaps = [min(end, r.end_t) - max(start, r.start_t) for r in references]
        parts[overlaps.index(max(overlaps))].append(texts)
    return [
        Reading(
            reference,
            "".join(texts.greedy for texts in own),
            "".join(texts.decoded for texts in own),
            *pipeline.given(reference.start_t, reference.end_t),
            segments=len(own),
            decoded_session="".join(texts.decoded_session for texts in own),
        )
        for reference, own in zip(references, parts, strict=True)
    ]
