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
    calm_s, calm_n:       a force that stays within calm_n for calm_s is no hand's,
    calm_share:           if it is less than this share of the running contact force or the stroke's peak
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
    calm_s: float = 0.2
    calm_n: float = 0.05
    calm_share: float = 0.15
    min_down_s: float = 0.015
    min_up_s: float = 0.055


@dataclass(frozen=True, slots=True)
class VoteParams:
    """What the vote, in nats, adds to the logit of the judge: offset + weight * vote.

    air:    in the air; the vote is `finished` less `begun` of what is written
    landed: behind the landing; `finished` of what is in front of the pen-up and `begun` of what is behind it,
            less `begun` of both in one
    doubt:  where the logit is farther from 0 than this, nobody is asked
    """

    air_offset: float = 0.0
    air_weight: float = 0.0
    landed_offset: float = 0.0
    landed_weight: float = 0.0
    doubt: float = 5.0


@dataclass(frozen=True, slots=True)
class SegmentParams:
    """Where a word ends. Times in seconds, counted from the lift unless said otherwise.

    commit_delay_s:   pause after which a word is closed unless habit and motion say that it goes on
    longest_pause_s:  pause after which it is closed whatever they say
    surely_inside_s:  no pause between words is shorter
    first_look_s, look_again_s:  when the pen in the air is judged, and how often again
    look_s:           a landed pen-up is judged this long after the landing, or at commit_delay_s,
    least_look_s:     but not sooner than this after the landing
    early_chance:     probability of a word end that closes the word before commit_delay_s,
    late_chance:      after commit_delay_s,
    landed_chance:    and in hindsight
    calm_after:       once so many pauses between words were seen and
    calm_pause_s:     all but the shortest of them are longer than this, the writer is calm; then
    calm_chance:      only this probability closes a word,
    calm_longest_s:   or this pause
    patient_words:    before so many pauses between words were seen, nobody is hurried either
    gap_s:            a longer jump of the clock closes the word: what lay between is lost
    max_word_s:       a longer word is closed at its likeliest pen-up
    vote:             what a reader's opinion weighs; without one it does not matter
    """

    commit_delay_s: float = 0.7
    longest_pause_s: float = 1.3
    surely_inside_s: float = 0.2
    first_look_s: float = 0.4
    look_again_s: float = 0.1
    look_s: float = 0.4
    least_look_s: float = 0.25
    early_chance: float = 0.95
    late_chance: float = 0.6
    landed_chance: float = 0.35
    calm_after: int = 2
    calm_pause_s: float = 0.7
    calm_chance: float = 0.99
    calm_longest_s: float = 0.95
    patient_words: int = 2
    gap_s: float = 0.3
    max_word_s: float = 12.0
    contact: ContactParams = field(default_factory=ContactParams)
    vote: VoteParams = field(default_factory=VoteParams)


SINGLE_WORDS = SegmentParams(calm_after=0, calm_pause_s=0.01)
"""For words written one by one with a second or more between them: wait to be sure from the first word on."""

READ_ALONG = SegmentParams(
    early_chance=0.97,
    landed_chance=0.25,
    vote=VoteParams(air_offset=1.5, air_weight=1.0, landed_offset=1.8, landed_weight=0.68),
)
"""For a segmenter with a reader; chosen with it on lines of val writers (docs/segmentation.md)."""
