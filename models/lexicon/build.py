"""Builds `models/lexicon-v2`: words, casing, bigrams and letter statistics from three named public packages.

    pip install wordfreq==3.1.1 symspellpy==6.10.1 german-nouns==1.2.5     (in an environment of its own)
    python -m models.lexicon.build --out models/lexicon-v2

The same packages give the same bytes. No evaluation data is read.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import importlib.metadata
import json
import math
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.lexicon.capitals import capital_shares
from models.lexicon.sharp_s import SHARE, with_sharp_s
from penapp.decode.folding import FOLDED, classes, fold
from penapp.decode.letters import EDGE
from penapp.decode.lexicon import CAPITAL_STEPS, STEP
from penapp.decode.trie import Trie, from_words

LANGUAGES = ("en", "de")
WORDS_PER_LANGUAGE = 150_000
UNFORESEEN = 0.2
"""Of the letter model's probability, what is spread evenly: strings such as B17 or xkcd follow no pattern."""
DIGIT_SHARE = 0.03
"""Share of number-like strings that the letter model expects among words outside the lexicon."""

SOURCES = {
    "wordfreq": {
        "version": "3.1.1",
        "licence": "code Apache-2.0, data CC BY-SA 4.0",
        "used_for": "words, their frequencies, letter statistics",
    },
    "symspellpy": {
        "version": "6.10.1",
        "licence": "MIT (dictionary files of SymSpell, derived from Google Books Ngrams, CC BY 3.0)",
        "used_for": "English word bigrams",
    },
    "german-nouns": {
        "version": "1.2.5",
        "licence": "CC BY-SA 4.0 (from WiktionaryDE)",
        "used_for": "which German words are nouns, hence written with a capital",
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    out: Path = parser.parse_args().out
    check_versions()
    words = word_probabilities(WORDS_PER_LANGUAGE)
    trie = from_words({word: math.log(p) for word, p in words.items()})
    arrays = pack(trie) | {"letters": quantise(letter_trigrams(words), "letters")} | pack_bigrams(trie)
    arrays |= {"capital": pack_capitals(trie, capital_shares(words, LANGUAGES))}
    out.mkdir(parents=True, exist_ok=True)
    write(out, arrays, len(words))


def check_versions() -> None:
    for name, source in SOURCES.items():
        found = importlib.metadata.version(name)
        if found != source["version"]:
            raise SystemExit(f"{name} is {found}, the frozen lexicon was built with {source['version']}")


def word_probabilities(count: int) -> dict[str, float]:
    """The most frequent words of both languages, each language having half of the mass."""
    wordfreq: Any = importlib.import_module("wordfreq")
    found: dict[str, float] = defaultdict(float)
    for language in LANGUAGES:
        for word in wordfreq.top_n_list(language, count):
            p = wordfreq.word_frequency(word, language) / len(LANGUAGES)
            for spelling, share in spellings(word, language):
                found[spelling] += share * p
    total = sum(found.values())
    return {word: found[word] / total for word in sorted(found)}


def spellings(word: str, language: str) -> list[tuple[str, float]]:
    """The word and its share of the frequency; German words that lost their ß get both spellings."""
    if not is_word(word):
        return []
    restored = with_sharp_s(fold(word)) if language == "de" else None
    return [(fold(word), 1 - SHARE), (restored, SHARE)] if restored else [(fold(word), 1.0)]


def is_word(text: str) -> bool:
    """Letters, with apostrophes and hyphens inside only."""
    inner = text.replace("'", "").replace("-", "")
    return classes(text) is not None and inner.isalpha() and text[0].isalpha() and text[-1].isalpha()


def quantise(log_p: NDArray[np.float64], what: str) -> NDArray[np.uint8]:
    steps = np.rint(-log_p / STEP)
    if steps.min() < 0:
        raise ValueError(f"{what}: a log probability above 0")
    return np.minimum(steps, 255).astype(np.uint8)


def pack(trie: Trie) -> dict[str, NDArray[Any]]:
    ends = np.isfinite(trie.log_word)
    return {
        "letter": trie.letter.astype(np.uint8),
        "child_count": trie.child_count.astype(np.uint8),
        "ends": np.packbits(ends),
        "log_word": quantise(trie.log_word[ends], "words"),
    }


def pack_capitals(trie: Trie, shares: dict[str, float]) -> NDArray[np.uint8]:
    words = (trie.text(int(node)) for node in np.flatnonzero(np.isfinite(trie.log_word)))
    return np.array([round(CAPITAL_STEPS * shares[word]) for word in words], dtype=np.uint8)


def letter_trigrams(words: dict[str, float]) -> NDArray[np.float64]:
    """Ln p(third | first, second), rarer words counting more than their frequency (fourth root).

    Words outside a lexicon of frequent words look like the rare ones, so types matter more than tokens.
    """
    counts = np.zeros((EDGE + 1, EDGE + 1, EDGE + 1))
    for word, p in words.items():
        path = [EDGE, EDGE, *(classes(word) or []), EDGE]
        np.add.at(counts, (path[:-2], path[1:-1], path[2:]), p**0.25)
    add_numbers(counts)
    return np.log((1 - UNFORESEEN) * smooth(counts) + UNFORESEEN / len(counts))


def add_numbers(counts: NDArray[np.float64]) -> None:
    """Numbers of one to five digits, optionally with a decimal mark: wordfreq does not count digits."""
    digits = [FOLDED.index(digit) for digit in "0123456789"]
    mass = DIGIT_SHARE * counts[EDGE, EDGE].sum()
    rows = np.ix_(digits, digits, digits)
    counts[EDGE, EDGE, digits] += mass / 10
    counts[np.ix_([EDGE], digits, digits)] += 0.75 * mass / 100
    counts[np.ix_([EDGE], digits, [EDGE])] += 0.25 * mass / 10
    counts[rows] += mass / 1000
    counts[np.ix_(digits, digits, [EDGE])] += 0.5 * mass / 100
    for mark in (FOLDED.index("."), FOLDED.index(",")):
        counts[np.ix_(digits, digits, [mark])] += 0.05 * mass / 100
        counts[np.ix_(digits, [mark], digits)] += 0.05 * mass / 100


def smooth(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Witten-Bell-like interpolation of trigram, bigram, unigram and a flat distribution."""
    p = np.full(counts.shape[-1], 1.0 / counts.shape[-1])
    unit = counts[counts > 0].min()
    for axes in ((0, 1), (0,), ()):
        table = counts.sum(axis=axes) / unit
        kinds = np.maximum((table > 0).sum(axis=-1, keepdims=True), 1)
        p = (table + kinds * p) / (table.sum(axis=-1, keepdims=True) + kinds)
    return p


def pack_bigrams(trie: Trie) -> dict[str, NDArray[Any]]:
    """Ln p(next | word) = ln count(word next) / count(word), both from the same dictionary files."""
    numbers = {trie.text(int(node)): n for n, node in enumerate(np.flatnonzero(np.isfinite(trie.log_word)))}
    rows = bigram_rows(numbers)
    following: list[int] = []
    log_p: list[float] = []
    for number in range(len(numbers)):
        for other, p in sorted(rows.get(number, {}).items()):
            following.append(other)
            log_p.append(math.log(p))
    return {
        "bigram_count": np.array([len(rows.get(n, {})) for n in range(len(numbers))], dtype=np.uint16),
        "bigram_next": np.array(following, dtype=np.uint16 if len(numbers) <= 65536 else np.uint32),
        "bigram_log_p": quantise(np.array(log_p), "bigrams"),
    }


def bigram_rows(numbers: dict[str, int]) -> dict[int, dict[int, float]]:
    folder = Path(str(importlib.import_module("symspellpy").__file__)).parent
    single = {
        fold(word): int(count)
        for word, count in map(str.split, lines(folder / "frequency_dictionary_en_82_765.txt"))
    }
    pairs: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for word, other, count in map(str.split, lines(folder / "frequency_bigramdictionary_en_243_342.txt")):
        if fold(word) in numbers and fold(other) in numbers:
            pairs[numbers[fold(word)]][numbers[fold(other)]] += int(count)
    names = {number: word for word, number in numbers.items()}
    return {
        number: {
            other: count / max(single.get(names[number], 0), sum(row.values()))
            for other, count in row.items()
        }
        for number, row in pairs.items()
    }


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8-sig").splitlines()


def write(out: Path, arrays: dict[str, NDArray[Any]], words: int) -> None:
    path = out / "lexicon.npz"
    save: Any = np.savez_compressed
    save(path, **arrays)
    content = path.read_bytes()
    manifest = {
        "format": 2,
        "name": out.name,
        "file": path.name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "words": words,
        "bigrams": len(arrays["bigram_next"]),
        "languages": list(LANGUAGES),
        "sources": SOURCES,
        "licence": "CC BY-SA 4.0 (see CARD.md)",
    }
    (out / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    print(f"{path}: {words} words, {manifest['bigrams']} bigrams, {len(content)} bytes, {manifest['sha256']}")


if __name__ == "__main__":
    main()
