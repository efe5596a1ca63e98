"""Two ways to train on an archive: raw channels as the literature does, or penapp's own stages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.training.archives.signals import Signal, SignalSet, Units
from models.training.shards import Shard
from models.training.strokes import PackedInk
from penapp.dsp.motion import GRAVITY
from penapp.dsp.params import DEFAULT_PARAMS, ROW_NAMES, FeatureParams, PenGeometry
from penapp.errors import BadInputError
from penapp.pipeline import FrontEnd
from penapp.stream.block import ACC_FRONT, SampleBlock

LEAD_S = 1.2
"""Rest before and after a recording that was cut out: the orientation settles."""


@dataclass(frozen=True)
class RawSet:
    """Raw channels of many recordings as the archive has them, with the attributes of a feature shard.

    rows:    (N, 13) float32, recordings one after the other
    off:     (W+1,) int64 their boundaries
    label:   (W,) text; writer: (W,) text, "" where unknown
    session: (W,) int64: one a writer, a recording of an unknown writer stands alone
    """

    rows: NDArray[np.float32]
    off: NDArray[np.int64]
    label: NDArray[np.str_]
    writer: NDArray[np.str_]
    session: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.label)

    def word(self, i: int) -> NDArray[np.float32]:
        """(T, 13) of recording i."""
        return self.rows[self.off[i] : self.off[i + 1]]

    @staticmethod
    def as_recorded(signals: SignalSet) -> RawSet:
        """Every recording, those too short for their label too; BadInputError when there is none.

        Presenters vary and standardise them; the sampler leaves out what cannot be learned.
        """
        if not len(signals):
            raise BadInputError(f"{signals.name} holds no recordings.")
        off = np.concatenate([[0], np.cumsum([len(s) for s in signals.signals])])
        return RawSet(
            np.concatenate(signals.signals),
            off.astype(np.int64),
            np.array(signals.labels, dtype=np.str_),
            np.array([writer or "" for writer in signals.writers], dtype=np.str_),
            _sessions(signals),
        )


def to_shard(
    signals: SignalSet, params: FeatureParams = DEFAULT_PARAMS, geometry: PenGeometry | None = None
) -> Shard:
    """The recordings through penapp's own front end, boundaries as the archive gives them.

    SI units only: the front end needs gravity and turning rates. Its pen frame has z along the pen to the
    tail; an archive whose axes differ must be turned first. Samples lost inside are not bridged.
    """
    if signals.units != Units.SI:
        raise BadInputError(
            f"{signals.name} holds {signals.units}, the front end needs SI units.",
            advice="Convert with `units.in_si`, or train on the raw channels (RawSet).",
        )
    if not len(signals):
        raise BadInputError(f"{signals.name} holds no recordings.")
    gravity = gravity_of(signals)
    if not 0.5 * GRAVITY < gravity < 1.5 * GRAVITY:
        raise BadInputError(
            f"{signals.name}: the front accelerometer reads {gravity:.3g} m/s2 at the median, "
            f"expected about {GRAVITY}.",
            advice="The recordings are in other units than they say, or of another pen.",
        )
    values = [_features(signal, signals.rate_hz, params, geometry) for signal in signals.signals]
    raw = len(ROW_NAMES)
    return Shard(
        np.concatenate([v[:, :raw] for v in values]).astype(np.float16),
        np.stack([v[0, raw:] for v in values]),
        np.concatenate([[0], np.cumsum([len(v) for v in values])]).astype(np.int64),
        np.array(signals.labels, dtype=np.str_),
        np.array([writer or "" for writer in signals.writers], dtype=np.str_),
        _sessions(signals),
        PackedInk.none(len(signals)),
        params.fingerprint(),
    )


def gravity_of(signals: SignalSet) -> float:
    """Median length of the front accelerometer's reading: 9.81 in SI, 16,384 in the field's counts."""
    lengths = [np.linalg.norm(s[:, ACC_FRONT], axis=1) for s in signals.signals]
    return float(np.median(np.concatenate(lengths))) if lengths else float("nan")


def _features(
    signal: Signal, rate_hz: float, params: FeatureParams, geometry: PenGeometry | None
) -> NDArray[np.float32]:
    """(T, F): the recording between two rests, as evaluation plays it."""
    pad = round(LEAD_S * rate_hz)
    values = np.concatenate([np.repeat(signal[:1], pad, 0), signal, np.repeat(signal[-1:], pad, 0)])
    front_end = FrontEnd(rate_hz, params, geometry, keep_s=float("inf"))
    front_end.push(SampleBlock(np.arange(len(values)) / rate_hz, values))
    front_end.finish()
    return front_end.features_between(pad / rate_hz, (pad + len(signal)) / rate_hz).values


def _sessions(signals: SignalSet) -> NDArray[np.int64]:
    numbers: dict[str, int] = {}
    for i, writer in enumerate(signals.writers):
        numbers.setdefault(f"?{i}" if writer is None else f"={writer}", len(numbers))
    return np.array(
        [numbers[f"?{i}" if w is None else f"={w}"] for i, w in enumerate(signals.writers)], dtype=np.int64
    )
