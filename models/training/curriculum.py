"""From short words to long ones: how long a word may be at each point of a run.

Short words lead CTC out of its all-blank plateau sooner (curriculum learning: Bengio et al., ICML 2009).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from penapp.errors import BadInputError

NO_LIMIT = sys.maxsize


@dataclass(frozen=True, slots=True)
class LengthSchedule:
    """Longest word that is drawn, growing in a straight line over the first `share` of a run.

    first_letters: at the start; last_letters: at the end of that share; afterwards any word may come
    share 0 is no curriculum; equal letters make one opening phase of short words.
    """

    first_letters: int = 5
    last_letters: int = 5
    share: float = 0.05

    def __post_init__(self) -> None:
        if not (1 <= self.first_letters <= self.last_letters and 0.0 <= self.share <= 1.0):
            raise BadInputError(
                f"a curriculum from {self.first_letters} to {self.last_letters} letters over {self.share} of "
                "the run, expected 1 <= first <= last and a share of 0 to 1."
            )

    def longest_allowed(self, progress: float, shortest: int = 1) -> int:
        """Letters at this progress (0 at the start, 1 at the end of the run), NO_LIMIT behind the share.

        shortest: letters of the shortest word there is; the limit is never below it, so that a sampler that
        throws longer words away comes to an end
        """
        if progress >= self.share:
            return NO_LIMIT
        grown = (self.last_letters - self.first_letters) * progress / self.share
        return max(int(self.first_letters + grown), shortest)
