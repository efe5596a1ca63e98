"""The numbers that decide what contact is and where a word ends."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ContactParams:
    """When the tip counts as on paper. Forces in newton above the sensor's tracked zero, times in seconds.

    on_n, off_n:          floors of the two thresholds, counted from the force seen in the air
    on_share, off_share:  the thresholds as shares of the writer's running contact force, where that is more
    first_level_n:        contact force assumed before the first stroke
    level_keep:           share of the running contact force that survives a stroke
    rest_s:               time constant with which the force in the air is followed
    rest_max_n:           the force in the air is never believed to be more than this
    min_down_s:           shorter touches are noise
    min_up_s:             shorter lifts are soft dips inside a stroke (measured 15-45 ms)
    """

    on_n: float = 0.085
    off_n: float = 0.05
    on_share: float = 0.06
    off_share: float = 0.035
    first_level_n: float = 1.5
    level_keep: float = 0.85
    rest_s: float = 0.5
    rest_max_n: float = 0.15
    min_down_s: float = 0.015
    min_up_s: float = 0.055


@dataclass(frozen=True, slots=True)
class SegmentParams:
    """Where a word ends. Times in seconds.

    commit_delay_s:  pause after which a word is closed
    gap_s:           a longer jump of the clock closes the word: what lay between is lost
    max_word_s:      a longer word is closed at its longest pen-up
    """

    commit_delay_s: float = 0.7
    gap_s: float = 0.3
    max_word_s: float = 12.0
    contact: ContactParams = field(default_factory=ContactParams)
