"""A prefix tree of words in flat arrays: children of a node are neighbours, parents come first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penapp.decode.folding import FOLDED, ROOT_CLASS, classes


@dataclass(frozen=True, slots=True)
class Trie:
    """N nodes in breadth-first order per root.

    letter:      (N,) trie class, ROOT_CLASS at a root
    parent:      (N,) -1 at a root
    first_child: (N,) index of the first child (children are consecutive)
    child_count: (N,)
    log_word:    (N,) ln probability of the word that ends here, -inf where none does
    look_ahead:  (N,) the best log_word at or below the node
    best_word:   (N,) the node that has it
    spelled:     the letters as one byte each: quick look-ups
    roots:       starts of the trees that live in these arrays
    """

    letter: NDArray[np.intp]
    parent: NDArray[np.intp]
    first_child: NDArray[np.intp]
    child_count: NDArray[np.intp]
    log_word: NDArray[np.float64]
    look_ahead: NDArray[np.float64]
    best_word: NDArray[np.intp]
    spelled: bytes
    roots: tuple[int, ...] = (0,)

    def text(self, node: int) -> str:
        letters = []
        while self.parent[node] >= 0:
            letters.append(FOLDED[self.letter[node]])
            node = int(self.parent[node])
        return "".join(reversed(letters))

    def find(self, text: str) -> int:
        """The node that spells `text` in any case, in the first tree that has it; -1 if none does."""
        path = classes(text)
        found = [] if path is None else [self._walk(root, path) for root in self.roots]
        return max(found, key=lambda node: self.log_word[node] if node >= 0 else -np.inf, default=-1)

    def _walk(self, node: int, path: list[int]) -> int:
        for wanted in path:
            first = int(self.first_child[node])
            node = self.spelled.find(wanted, first, first + int(self.child_count[node]))
            if node < 0:
                return -1
        return node


def from_packed(
    letter: NDArray[np.integer], child_count: NDArray[np.integer], log_word: NDArray[np.floating]
) -> Trie:
    """Derives everything else from breadth-first letters, child counts and word probabilities."""
    count = child_count.astype(np.intp)
    first = np.concatenate([[0], np.cumsum(count)[:-1]]) + 1
    parent = np.concatenate([[-1], np.repeat(np.arange(len(count)), count)])
    words = log_word.astype(np.float64)
    look, best = _smear(parent, words)
    spelled = letter.astype(np.uint8).tobytes()
    return Trie(letter.astype(np.intp), parent, first, count, words, look, best, spelled)


def _smear(
    parent: NDArray[np.intp], log_word: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Carries the best word upwards, one level of the tree at a time."""
    look, best = log_word.copy(), np.arange(len(parent))
    levels = _levels(parent)
    for first, end in zip(levels[-2:0:-1], levels[:1:-1], strict=True):
        order = np.arange(first, end)
        order = order[np.argsort(look[first:end], kind="stable")]
        better = order[look[order] > look[parent[order]]]
        look[parent[better]] = look[better]
        best[parent[better]] = best[better]
    return look, best


def _levels(parent: NDArray[np.intp]) -> list[int]:
    """Where each depth starts in breadth-first order, and the end."""
    starts = [0, 1]
    while starts[-1] < len(parent):
        starts.append(int(np.searchsorted(parent, starts[-1])))
    return starts


def from_words(log_probs: Mapping[str, float]) -> Trie:
    """Builds the tree of folded words; raises KeyError for a letter that has no class."""
    children: list[dict[int, int]] = [{}]
    ends: dict[int, float] = {}
    for word in sorted(log_probs):
        node = 0
        for letter in classes(word) or _refuse(word):
            node = children[node].setdefault(letter, len(children))
            if node == len(children):
                children.append({})
        ends[node] = max(ends.get(node, -np.inf), log_probs[word])
    order, letters = [0], [ROOT_CLASS]
    for node in order:
        for letter, child in sorted(children[node].items()):
            order.append(child)
            letters.append(letter)
    counts = np.array([len(children[node]) for node in order])
    return from_packed(np.array(letters), counts, np.array([ends.get(node, -np.inf) for node in order]))


def _refuse(word: str) -> list[int]:
    raise KeyError(word)


def join(first: Trie, second: Trie) -> Trie:
    """Both trees side by side in one set of arrays."""
    shift = len(first.letter)
    return Trie(
        np.concatenate([first.letter, second.letter]),
        np.concatenate([first.parent, np.where(second.parent < 0, -1, second.parent + shift)]),
        np.concatenate([first.first_child, second.first_child + shift]),
        np.concatenate([first.child_count, second.child_count]),
        np.concatenate([first.log_word, second.log_word]),
        np.concatenate([first.look_ahead, second.look_ahead]),
        np.concatenate([first.best_word, second.best_word + shift]),
        first.spelled + second.spelled,
        (*first.roots, *(root + shift for root in second.roots)),
    )
