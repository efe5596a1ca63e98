"""The parameters that training and live use must share, and their fingerprint."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from penapp.dsp.style import STYLE_NAMES

ROW_NAMES = (
    "acc_forward", "acc_side", "acc_up",
    "vel_forward", "vel_side", "vel_up",
    "pos_forward", "pos_side", "pos_up",
    "rate_forward", "rate_side", "rate_up",
    "force", "contact",
)  # fmt: skip
"""Forward: where the pen's tail points on the paper; side: to its left; up: away from the paper."""

FEATURE_NAMES = ROW_NAMES + STYLE_NAMES
"""What the network reads: motion row by row, and the writer's style, the same in every row of a word."""


@dataclass(frozen=True, slots=True)
class PenGeometry:
    """Where the accelerometers sit: mm from the tip along the pen's axis (from the pen's descriptor)."""

    front_mm: float = 25.0
    rear_mm: float = 115.0


@dataclass(frozen=True, slots=True)
class FeatureParams:
    """What the feature stages do. Any change gives another fingerprint, and a model that fits no more.

    version:        raised when the code changes meaning under equal numbers
    rate_hz:        rows per second
    lowpass_hz:     anti-aliasing corner for pens faster than rate_hz
    highpass_hz:    corner of the integrators that make velocity and position from acceleration
    heading_s:      time constant of the pen's mean heading, the features' forward direction
    zero_rise_n_s:  how fast the tracked zero of the force sensor may rise
    contact_n:      force at which the contact feature is half way
    normalisation:  "causal": fixed scales known beforehand; "per-segment": divided by the word's own spread
    scales:         one divisor per group acc m/s2, velocity m/s, position m, rate rad/s
    """

    version: int = 2
    rate_hz: float = 100.0
    lowpass_hz: float = 35.0
    highpass_hz: float = 0.6
    heading_s: float = 1.5
    zero_rise_n_s: float = 0.02
    contact_n: float = 0.15
    normalisation: str = "causal"
    scales: tuple[float, float, float, float] = (1.5, 0.03, 0.0025, 0.5)

    @property
    def size(self) -> int:
        return len(FEATURE_NAMES)

    def fingerprint(self) -> str:
        """Sixteen hex digits that name these parameters and the feature list."""
        text = json.dumps({**asdict(self), "names": FEATURE_NAMES}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


DEFAULT_PARAMS = FeatureParams()
