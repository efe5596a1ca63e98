"""Streaming CTC beam search over the word trie.

A trie node has one parent, so a node is a hypothesis and no two hypotheses ever merge: per frame, every
kept node stays (blank, repeat) or hands probability to its children. Cases are summed up, and a node
where a word ends takes a mark for silence (`house,`): both are sorted out by exact scoring afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penapp.decode.alphabet import Alphabet
from penapp.decode.ctc import FLOOR
from penapp.decode.folding import Folding
from penapp.decode.params import DecoderParams
from penapp.decode.prior import word_bonus
from penapp.decode.trie import Trie

_QUIET = 1e-3
"""A frame where no letter reaches this probability moves no hypothesis to a new node,"""

_SURE_EVERY = 3
"""but every so many frames all may move: a letter that the network barely saw can still be found."""

_TINY = 1e-60
"""Probabilities are scaled up again when the best has become this small."""


@dataclass(frozen=True, slots=True)
class _Front:
    """The k kept nodes and their children, n nodes in all, kept ones first.

    Places are positions among the kept nodes; place k is nobody and has no probability.

    ends:           (k,) 1.0 where a word ends
    nodes, letter:  (n,) the nodes and their classes
    place, parent:  (n,) the node's own place and its parent's
    same:           (n,) 1.0 where the node repeats its parent's letter
    weight:         (n,) look-ahead
    """

    ends: NDArray[np.float64]
    nodes: NDArray[np.intp]
    letter: NDArray[np.intp]
    place: NDArray[np.intp]
    parent: NDArray[np.intp]
    same: NDArray[np.float64]
    weight: NDArray[np.float64]


class TrieBeam:
    """Keeps the most promising trie nodes; `push` frames, then ask for words or beginnings."""

    def __init__(self, alphabet: Alphabet, trie: Trie, params: DecoderParams) -> None:
        self._alphabet = alphabet
        self._folding = Folding(alphabet)
        self._params = params
        self._floor = float(np.exp(-params.beam_log_width))
        self.follow(trie)

    def follow(self, trie: Trie) -> None:
        """Takes another trie and starts over."""
        self._trie = trie
        params = self._params
        self._depth_bonus = params.letter_insertion / params.sharpness * _depths(trie.parent)
        self._ahead = word_bonus(trie.look_ahead, params) / params.sharpness + self._depth_bonus
        self._weight = np.exp(self._ahead - self._ahead.max())
        self._ends = np.isfinite(trie.log_word).astype(np.float64)
        self._slot = np.full(len(trie.letter), -1, dtype=np.intp)
        self.reset()

    def reset(self) -> None:
        self._seen = 0
        self._front = self._expand(np.array(self._trie.roots, dtype=np.intp))
        self._blank = np.ones(len(self._trie.roots))
        self._letter = np.zeros(len(self._trie.roots) + 1)

    @property
    def _kept(self) -> NDArray[np.intp]:
        return self._front.nodes[: len(self._blank)]

    def words(self, count: int = 64, margin: float = np.inf) -> list[str]:
        """At most `count` words that end at a kept node, folded, best first by p(frames) and their bonus.

        Words that are worse than the best by more than `margin` nats are left out.
        """
        ended = np.flatnonzero(self._front.ends)
        nodes = self._kept[ended]
        own = word_bonus(self._trie.log_word[nodes], self._params) / self._params.sharpness
        scores = self._scores()[ended] + self._depth_bonus[nodes] + own
        order = np.lexsort((nodes, -scores))[:count]
        order = order[scores[order] >= scores[order].max(initial=-np.inf) - margin]
        return list(dict.fromkeys(self._trie.text(node) for node in nodes[order].tolist()))

    def leaders(self, count: int) -> list[str]:
        """The most promising beginnings of words, folded, best first."""
        return [self._trie.text(node) for node in self._leading_nodes()[:count]]

    def completions(self, count: int) -> list[str]:
        """The most probable words that the most promising beginnings can still become."""
        return [self._trie.text(int(self._trie.best_word[node])) for node in self._leading_nodes()[:count]]

    def _leading_nodes(self) -> list[int]:
        nodes = self._kept
        promise = self._scores() + self._ahead[nodes]
        ranked: list[int] = nodes[np.lexsort((nodes, -promise))].tolist()
        return ranked

    def _scores(self) -> NDArray[np.float64]:
        """Ln p(frames so far, at this node) per kept node, up to a common constant."""
        return np.asarray(np.log(np.maximum(self._blank + self._letter[:-1], 1e-300)))

    def push(self, values: NDArray[np.floating]) -> None:
        """Log-probabilities (n, V) of the next frames."""
        folded = self._folding.fold(values)
        blank = np.exp(np.maximum(values[:, self._alphabet.blank], FLOOR).astype(np.float64))
        moves = (np.arange(self._seen, self._seen + len(values)) % _SURE_EVERY == 0) | (folded > _QUIET).any(
            1
        )
        self._seen += len(values)
        marks = self._folding.marks(folded)
        rows = zip(folded, blank.tolist(), marks.tolist(), moves.tolist(), strict=True)
        for frame, p_blank, p_mark, moving in rows:
            if moving:
                self._step(frame, p_blank, p_mark)
            else:
                self._rest(frame, p_blank, p_mark)

    def _rest(self, frame: NDArray[np.float64], p_blank: float, p_mark: float) -> None:
        front, count = self._front, len(self._blank)
        self._blank = (self._blank + self._letter[:-1]) * (p_blank + p_mark * front.ends)
        self._letter[:-1] *= frame[front.letter[:count]]

    def _step(self, frame: NDArray[np.float64], p_blank: float, p_mark: float) -> None:
        front, count = self._front, len(self._blank)
        total = self._letter.copy()
        total[:-1] += self._blank
        letter = total[front.parent]
        letter -= self._letter[front.parent] * front.same
        letter += self._letter[front.place]
        letter *= frame[front.letter]
        blank = total[:-1] * (p_blank + p_mark * front.ends)
        promise = letter.copy()
        promise[:count] += blank
        promise *= front.weight
        self._prune(blank, letter, promise)

    def _prune(
        self, blank: NDArray[np.float64], letter: NDArray[np.float64], promise: NDArray[np.float64]
    ) -> None:
        """Keeps the best nodes by promise: probability so far times the best word still possible."""
        count, peak, width = len(blank), float(promise.max()), self._params.beam
        limit = peak * self._floor
        if len(promise) > width:
            limit = max(limit, float(np.partition(promise, -width)[-width]))
        kept = (promise >= limit).nonzero()[0]
        old = int(kept.searchsorted(count))
        scale = 1.0 / peak if 0.0 < peak < _TINY else 1.0
        self._letter = np.zeros(len(kept) + 1)
        np.multiply(letter[kept], scale, out=self._letter[:-1])
        self._blank = np.zeros(len(kept))
        np.multiply(blank[kept[:old]], scale, out=self._blank[:old])
        if old < len(kept) or old < count:
            self._front = self._expand(self._front.nodes[kept])

    def _expand(self, nodes: NDArray[np.intp]) -> _Front:
        trie, count = self._trie, len(nodes)
        children = trie.child_count[nodes]
        source = np.repeat(np.arange(count), children)
        child = (trie.first_child[nodes] - np.cumsum(children) + children)[source] + np.arange(len(source))
        self._slot[nodes] = np.arange(count)
        parents = trie.parent[nodes]
        fresh = (self._slot[child] < 0).nonzero()[0]
        parent = np.concatenate([self._slot[parents], source[fresh]])
        self._slot[nodes] = -1
        everyone = np.concatenate([nodes, child[fresh]])
        letter = trie.letter[everyone]
        place = np.full(len(everyone), count)
        place[:count] = np.arange(count)
        parent[parent < 0] = count
        return _Front(
            ends=self._ends[nodes],
            nodes=everyone,
            letter=letter,
            place=place,
            parent=parent,
            same=(letter == trie.letter[trie.parent[everyone]]).astype(np.float64),
            weight=self._weight[everyone],
        )


def _depths(parent: NDArray[np.intp]) -> NDArray[np.float64]:
    """Letters from the root to every node."""
    depth = np.zeros(len(parent))
    above = parent
    while (above >= 0).any():
        depth += above >= 0
        above = np.where(above >= 0, parent[above], -1)
    return depth
