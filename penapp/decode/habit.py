"""How a writer has cased the words committed so far, and what that says of the next one."""

from __future__ import annotations

import math

from penapp.decode.prior import bare

_CAPITALISED, _LOWER = 1.0, 3.0
"""Words that everybody is taken to have written before the session: a capital at every fourth."""


class CasingHabit:
    """Counts committed words with a capital at their head and words in lower case.

    `push` a committed text; `bonus` is the change of the log odds of a capital (natural log, 0 before the
    first word); `reset` forgets the writer. Words all in capitals, single letters and numbers tell nothing.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._capitalised, self._lower = _CAPITALISED, _LOWER

    def push(self, text: str) -> None:
        core = bare(text)
        if len(core) > 1 and core[0].isupper() and core[1:].islower():
            self._capitalised += 1.0
        elif core.islower():
            self._lower += 1.0

    @property
    def bonus(self) -> float:
        return math.log(self._capitalised / self._lower) - math.log(_CAPITALISED / _LOWER)
