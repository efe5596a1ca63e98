"""The chain behind the stream: features and segments, then recognition and decoding. No threads, no Qt.

Used live, in replay, in evaluation and, up to the features, in training.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from calibration.sensor import PenCalibration, identity
from firmware_protocol.channels import Descriptor, Quantity
from penapp.calibrate import Calibrator, known_pen
from penapp.decode.types import Hypothesis, TextState
from penapp.decode.word_decoder import WordDecoder
from penapp.dsp.features import Features
from penapp.dsp.motion import MotionEstimator
from penapp.dsp.params import FeatureParams, PenGeometry
from penapp.dsp.resample import MAX_FILL_S, Resampler
from penapp.dsp.store import KEEP_S, RowStore
from penapp.errors import PenappError
from penapp.read_along import StretchScorer
from penapp.recognise.looks import further_looks
from penapp.recognise.session import OnnxRecogniser
from penapp.segment.types import CloseReason, WordSegment
from penapp.segment.vote import Scores
from penapp.segment.words import WordSegmenter
from penapp.stream.block import SampleBlock

PIECE_ROWS = 200
"""Rows that are kept before the segmenter has judged them: a recording may come in blocks of any length."""

MIN_TENTATIVE_S = 0.2
"""A word shorter than this has no tentative reading yet."""


@dataclass(frozen=True, slots=True)
class CutWord:
    """A word as the segmenter cut it, with its network input."""

    segment: WordSegment
    features: Features


class FrontEnd:
    """SampleBlocks to cut words: calibrate, resample, orient, feature rows, segments.

    `score` reads a stretch of the stream wherever the end of a word is doubtful; without it the pen's motion
    alone decides.
    """

    def __init__(
        self,
        pen_rate_hz: float,
        params: FeatureParams,
        geometry: PenGeometry | None = None,
        *,
        calibration: PenCalibration | None = None,
        keep_s: float = KEEP_S,
        score: Callable[[Features], Scores] | None = None,
    ) -> None:
        self._max_fill = MAX_FILL_S * pen_rate_hz
        self._calibrator = Calibrator(calibration or identity())
        self._resampler = Resampler(pen_rate_hz, params)
        self._estimator = MotionEstimator(params, geometry or PenGeometry())
        self._store = RowStore(params, keep_s)
        self._segmenter = WordSegmenter(reader=_Stretches(self._store, score) if score else None)
        self._last_t = 0.0

    @property
    def contact(self) -> bool:
        """Pen on paper now."""
        return self._segmenter.contact

    def push(self, block: SampleBlock) -> list[CutWord]:
        words = []
        if block.lost > self._max_fill:
            words += self._closed(CloseReason.GAP)
            self.reset()
        for calibrated in self._calibrator.push(block):
            words += self._through(self._resampler.push(calibrated))
        return words

    def finish(self) -> list[CutWord]:
        return self._closed(CloseReason.END)

    def reset(self) -> None:
        for stage in (self._resampler, self._estimator, self._store, self._segmenter):
            stage.reset()

    def features_between(self, start_t: float, end_t: float) -> Features:
        """Network input for boundaries given from outside (evaluation)."""
        return self._store.cut(start_t, end_t)

    def open_features(self) -> Features | None:
        """Network input of the word being written, as far as it is there."""
        word = self._segmenter.open_word
        if word is None or self._last_t - word.start_t < MIN_TENTATIVE_S:
            return None
        return self._store.cut(word.start_t, self._last_t)

    def _through(self, rows: list[SampleBlock]) -> list[CutWord]:
        words = []
        for block in rows:
            for motion in self._estimator.push(block):
                for piece in motion.pieces(PIECE_ROWS):
                    self._store.push(piece)
                    self._last_t = float(piece.t[-1])
                    words += [self._cut(segment) for segment in self._segmenter.push(piece)]
        return words

    def _closed(self, reason: CloseReason) -> list[CutWord]:
        words = self._through(self._resampler.finish())
        return words + [self._cut(segment) for segment in self._segmenter.finish(reason)]

    def _cut(self, segment: WordSegment) -> CutWord:
        return CutWord(segment, self._store.cut(segment.start_t, segment.end_t, segment.decided_t))


class _Stretches:
    """What the segmenter asks by times, answered from the rows kept."""

    def __init__(self, store: RowStore, score: Callable[[Features], Scores]) -> None:
        self._store, self._score = store, score

    def __call__(self, start_t: float, end_t: float, until_t: float) -> Scores:
        return self._score(self._store.cut(start_t, end_t, until_t))


class Pipeline:
    """SampleBlocks in, committed words out; `tentative` reads the word being written.

    warning: what is not as it should be although the pen can be used, such as a damaged calibration
    """

    def __init__(
        self,
        front_end: FrontEnd,
        recogniser: OnnxRecogniser,
        decoder: WordDecoder,
        *,
        warning: PenappError | None = None,
    ) -> None:
        self._front_end, self._recogniser, self._decoder = front_end, recogniser, decoder
        self.warning = warning

    @property
    def contact(self) -> bool:
        return self._front_end.contact

    def push(self, block: SampleBlock) -> list[Hypothesis]:
        return self._read(self._front_end.push(block))

    def finish(self) -> list[Hypothesis]:
        return self._read(self._front_end.finish())

    def reset(self) -> None:
        self._front_end.reset()
        self._decoder.reset()

    def tentative(self) -> Hypothesis | None:
        features = self._front_end.open_features()
        if features is None:
            return None
        log_probs = self._recogniser(features)
        hypothesis = self._decoder.decode(log_probs, TextState.TENTATIVE)
        return _timed(hypothesis, features) if hypothesis.text else None

    def _read(self, words: list[CutWord]) -> list[Hypothesis]:
        return [h for h in map(self.read, words) if h.text]

    def read(self, word: CutWord) -> Hypothesis:
        """The committed reading of one cut word; its text may be empty."""
        further = further_looks(self._recogniser, word.features)
        log_probs = self._recogniser(word.features)
        hypothesis = self._decoder.decode(log_probs, TextState.COMMITTED, further)
        return replace(hypothesis, start_t=word.segment.start_t, end_t=word.segment.end_t)


def geometry_of(descriptor: Descriptor, calibration: PenCalibration | None = None) -> PenGeometry:
    """Where the pen says its accelerometers sit; the usual places where it does not say.

    A measured lever arm replaces the distance between the two that the pen states.
    """
    along = {mount.quantity: mount.lever_arm_mm[2] for mount in descriptor.mounts}
    usual = PenGeometry()
    front, rear = along.get(Quantity.ACC1, usual.front_mm), along.get(Quantity.ACC2, usual.rear_mm)
    if calibration is not None and calibration.lever_arm_mm is not None:
        rear = front + calibration.lever_arm_mm[2]
    return PenGeometry(front, rear) if rear - front > 10.0 else usual


def default_pipeline(
    descriptor: Descriptor, *, model: Path | None = None, provider: str = "cpu", lexicon: bool = True
) -> Pipeline:
    """The shipped recogniser and lexicon for the pen described, with its newest stored calibration."""
    from penapp.decode.lexicon import Lexicon

    recogniser = OnnxRecogniser(model, provider) if model else OnnxRecogniser(provider=provider)
    manifest = recogniser.manifest
    rate_hz = descriptor.streams[0].rate_hz
    known = known_pen(descriptor)
    words = Lexicon.load() if lexicon else None
    front_end = FrontEnd(
        rate_hz,
        manifest.params,
        geometry_of(descriptor, known.calibration),
        calibration=known.calibration,
        score=StretchScorer(recogniser, words) if words else None,
    )
    decoder = WordDecoder(manifest.alphabet, words)
    return Pipeline(front_end, recogniser, decoder, warning=known.problem)


def _timed(hypothesis: Hypothesis, features: Features) -> Hypothesis:
    return replace(hypothesis, start_t=float(features.t[0]), end_t=float(features.t[-1]))
