"""How long to wait for what, when a pen is looked after: pure numbers, no clock."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds.

    first_s:    pause before the first attempt after a loss; it doubles with each further one
    longest_s:  up to this: with the time that connecting takes, a pen is back within two seconds
    silence_s:  without a sample after which the link counts as lost; None = silence is no fault (a source
                that has nothing to say for a while)
    settle_s:   how long a refusal that waiting cannot heal must last before it is believed after a loss: a
                port that was just plugged in belongs to nobody for a moment
    close_s:    for taking down a link; one that takes longer is left alone
    """

    first_s: float = 0.25
    longest_s: float = 1.0
    silence_s: float | None = 1.5
    settle_s: float = 1.0
    close_s: float = 3.0

    def before(self, attempt: int) -> float:
        """The pause before attempt 1, 2, 3, ..."""
        doublings = min(attempt - 1, 30)
        return float(min(self.first_s * 2**doublings, self.longest_s))
