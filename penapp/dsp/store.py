"""Feature rows of the recent past, from which words are cut."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from penapp.dsp.features import Features, feature_rows, word_features
from penapp.dsp.motion import MotionBlock
from penapp.dsp.params import ROW_NAMES, FeatureParams
from penapp.dsp.style import writing_style

PAD_S = 0.12
"""A word is cut this long before its first touchdown and after its last lift-off."""

KEEP_S = 60.0
"""Rows older than this are forgotten; a word and the style before it need less."""

SEEN = 0.8
"""Share of KEEP_S that a cut looks back: so far all rows are there, however late it is made."""


class RowStore:
    """MotionBlocks in; `cut` gives the network's rows between two times."""

    def __init__(self, params: FeatureParams, keep_s: float = KEEP_S) -> None:
        self._params, self._keep_s = params, keep_s
        self.reset()

    def reset(self) -> None:
        self._t: list[NDArray[np.float64]] = []
        self._rows: list[NDArray[np.float32]] = []

    def push(self, motion: MotionBlock) -> None:
        self._t.append(motion.t)
        self._rows.append(feature_rows(motion, self._params))
        if self._t[0][0] < motion.t[-1] - 2 * self._keep_s:
            self._merge()

    def cut(self, start_t: float, end_t: float, until_t: float = np.inf) -> Features:
        """Rows from start_t - PAD_S to end_t + PAD_S, none after until_t (when the decision fell)."""
        self._merge()
        t = self._t[0] if self._t else np.empty(0)
        rows = self._rows[0] if self._t else np.empty((0, len(ROW_NAMES)), np.float32)
        a = int(np.searchsorted(t, start_t - PAD_S, side="left"))
        b = int(np.searchsorted(t, min(end_t + PAD_S, until_t), side="right"))
        seen = int(np.searchsorted(t, t[b - 1] - SEEN * self._keep_s)) if b else 0
        a = max(a, seen)
        return word_features(t[a:b], rows[a:b], writing_style(rows[seen:b]), self._params)

    def _merge(self) -> None:
        """One piece, without what is too old to be asked for."""
        if len(self._t) > 1:
            t, rows = np.concatenate(self._t), np.concatenate(self._rows)
            first = int(np.searchsorted(t, t[-1] - self._keep_s))
            self._t, self._rows = [t[first:].copy()], [rows[first:].copy()]
