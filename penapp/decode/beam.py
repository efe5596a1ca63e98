"""Streaming CTC beam search over the word trie.

A trie node has one parent, so a node is a hypothesis and no two hypotheses ever merge: per frame, every
kept node stays (blank, repeat) or hands probability to its children. Cases are summed up, and a node
where a word ends takes a mark for silence (`house,`): both are sorted out by exact scoring afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penapp.decode.alphabet import Alphabet
from penapp.decode.ctc import FLOOR
from penapp.decode.folding import Folding
from penapp.decode.params import DecoderParams
from penapp.decode.trie import Trie

_QUIET = 1e-4
"""A frame where no letter reaches this probability moves no hypothesis to a new node."""


@dataclass(frozen=True, slots=True)
class _Front:
    """The kept nodes and everything about their children that lasts until the set of nodes changes.

    nodes, own, ends:     (k,) kept nodes, their class, 1.0 where a word ends
    source, letter, same: (m,) per child: its parent's place, its class, 1.0 if it repeats the parent's class
    known, place:         children that are kept nodes themselves, and their places among them
    fresh:                children that are not
    everyone, weight:     (k + fresh,) kept nodes then fresh ones, and their look-ahead weights
    """

    nodes: NDArray[np.intp]
    own: NDArray[np.intp]
    ends: NDArray[np.float64]
    source: NDArray[np.intp]
    letter: NDArray[np.intp]
    same: NDArray[np.float64]
    known: NDArray[np.intp]
    place: NDArray[np.intp]
    fresh: NDArray[np.intp]
    everyone: NDArray[np.intp]
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
        self._weight = np.exp(self._params.lm_weight * trie.look_ahead)
        self._ends = np.isfinite(trie.log_word).astype(np.float64)
        self._slot = np.full(len(trie.letter), -1, dtype=np.intp)
        self.reset()

    def reset(self) -> None:
        self._front = self._expand(np.array(self._trie.roots, dtype=np.intp))
        self._blank = np.ones(len(self._trie.roots))
        self._letter = np.zeros(len(self._trie.roots))

    def words(self, log_prior: Callable[[str], float]) -> list[str]:
        """Words that end at a kept node, folded, best first by p(frames) and the prior."""
        trie, scores = self._trie, self._scores()
        ended = np.flatnonzero(self._front.ends).tolist()
        texts = {trie.text(int(self._front.nodes[i])): float(scores[i]) for i in ended}
        weight = self._params.lm_weight
        return sorted(texts, key=lambda text: (-texts[text] - weight * log_prior(text), text))

    def leaders(self, count: int) -> list[str]:
        """The most promising beginnings of words, folded, best first."""
        return [self._trie.text(node) for node in self._leading_nodes()[:count]]

    def completions(self, count: int) -> list[str]:
        """The most probable words that the most promising beginnings can still become."""
        return [self._trie.text(int(self._trie.best_word[node])) for node in self._leading_nodes()[:count]]

    def _leading_nodes(self) -> list[int]:
        nodes = self._front.nodes
        promise = self._scores() + self._params.lm_weight * self._trie.look_ahead[nodes]
        ranked: list[int] = nodes[np.lexsort((nodes, -promise))].tolist()
        return ranked

    def _scores(self) -> NDArray[np.float64]:
        """Ln p(frames so far, at this node) per kept node, up to a common constant."""
        return np.asarray(np.log(np.maximum(self._blank + self._letter, 1e-300)))

    def push(self, values: NDArray[np.floating]) -> None:
        """Log-probabilities (n, V) of the next frames."""
        folded = self._folding.fold(values)
        blank = np.exp(np.maximum(values[:, self._alphabet.blank], FLOOR).astype(np.float64))
        marks = self._folding.marks(folded)
        loud = folded.max(axis=1) > _QUIET if len(folded) else np.zeros(0, dtype=np.bool_)
        for frame, p_blank, p_mark, moves in zip(
            folded, blank.tolist(), marks.tolist(), loud.tolist(), strict=True
        ):
            if moves:
                self._step(frame, p_blank, p_mark)
            else:
                self._rest(frame, p_blank, p_mark)

    def _rest(self, frame: NDArray[np.float64], p_blank: float, p_mark: float) -> None:
        total = self._blank + self._letter
        self._blank = total * (p_blank + p_mark * self._front.ends)
        self._letter = self._letter * frame[self._front.own]

    def _step(self, frame: NDArray[np.float64], p_blank: float, p_mark: float) -> None:
        front = self._front
        total = self._blank + self._letter
        passed = (total[front.source] - front.same * self._letter[front.source]) * frame[front.letter]
        blank = total * (p_blank + p_mark * front.ends)
        letter = self._letter * frame[front.own]
        letter[front.place] += passed[front.known]
        letter = np.concatenate([letter, passed[front.fresh]])
        self._prune(blank, letter)

    def _prune(self, blank: NDArray[np.float64], letter: NDArray[np.float64]) -> None:
        """Keeps the best nodes by probability so far times the best word still possible."""
        count = len(blank)
        promise = letter.copy()
        promise[:count] += blank
        peak = float(promise.max())
        promise *= self._front.weight
        kept = np.flatnonzero(promise > promise.max() * self._floor)
        if len(kept) > self._params.beam:
            best = np.argpartition(promise[kept], -self._params.beam)[-self._params.beam :]
            kept = np.sort(kept[best])
        unchanged = len(kept) == count and int(kept[-1]) == count - 1
        scale = 1.0 / peak if peak > 0 else 1.0
        self._letter = letter[kept] * scale
        self._blank = np.zeros(len(kept))
        old = int(np.searchsorted(kept, count))
        self._blank[:old] = blank[kept[:old]] * scale
        if not unchanged:
            self._front = self._expand(self._front.everyone[kept])

    def _expand(self, nodes: NDArray[np.intp]) -> _Front:
        trie = self._trie
        counts = trie.child_count[nodes]
        source = np.repeat(np.arange(len(nodes)), counts)
        starts = trie.first_child[nodes] - (np.cumsum(counts) - counts)
        child = starts[source] + np.arange(len(source))
        letter, own = trie.letter[child], trie.letter[nodes]
        self._slot[nodes] = np.arange(len(nodes))
        slots = self._slot[child]
        self._slot[nodes] = -1
        known, fresh = np.flatnonzero(slots >= 0), np.flatnonzero(slots < 0)
        everyone = np.concatenate([nodes, child[fresh]])
        return _Front(
            nodes=nodes,
            own=own,
            ends=self._ends[nodes],
            source=source,
            letter=letter,
            same=(letter == own[source]).astype(np.float64),
            known=known,
            place=slots[known],
            fresh=fresh,
            everyone=everyone,
            weight=self._weight[everyone],
        )
