"""How a line of the window is coloured."""

from __future__ import annotations

from enum import Enum


class Tone(Enum):
    """What a colour means; the theme says which colour it is."""

    NEUTRAL = "neutral"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
