"""Time of decoding one word of 100 frames, against greedy and a plain prefix beam in the same run.

    python tests/benchmarks/bench_decode.py [--words 40]

Figures are processor milliseconds of one thread (the best of three per word, median over words), so that
a busy machine matters less.
Network output is synthetic: every letter peaks for two frames over Gaussian confusion; `confident` looks like
a well trained network, `noisy` is misread by greedy in every word.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from penapp.decode.alphabet import PENAPP_ALPHABET
from penapp.decode.greedy import GreedyDecoder
from penapp.decode.lexicon import Lexicon
from penapp.decode.params import DecoderParams
from penapp.decode.prefix_beam import PrefixBeam
from penapp.decode.prior import case_variants
from penapp.decode.types import LogProbs
from penapp.decode.word_decoder import WordDecoder

FRAMES = 100
CONFUSION = {"confident": 0.5, "unsure": 1.0, "noisy": 2.0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--words", type=int, default=40)
    count: int = parser.parse_args().words
    lexicon = Lexicon.load()
    print(f"{len(lexicon)} words, {FRAMES} frames x {PENAPP_ALPHABET.size} columns, {count} words")
    print(
        f"{'output':<10} {'decoder':<22} {'ms':>7} {'x greedy':>9} {'x prefix beam':>14} {'words right':>12}"
    )
    for name, confusion in CONFUSION.items():
        report(name, written_words(lexicon, count, confusion), decoders(lexicon))


def decoders(lexicon: Lexicon) -> dict[str, Callable[[LogProbs], str]]:
    greedy = GreedyDecoder(PENAPP_ALPHABET)
    plain = PrefixBeam(PENAPP_ALPHABET, beam=25, min_p=0.0, max_letters=PENAPP_ALPHABET.size)
    pruned = PrefixBeam(PENAPP_ALPHABET, beam=25, min_p=0.01, max_letters=15)

    def search(beam: PrefixBeam) -> Callable[[LogProbs], str]:
        def read(log_probs: LogProbs) -> str:
            beam.reset()
            beam.push(log_probs.values)
            return beam.texts()[0]

        return read

    def words(beam: int) -> Callable[[LogProbs], str]:
        decoder = WordDecoder(PENAPP_ALPHABET, lexicon, DecoderParams(beam=beam))

        def read(log_probs: LogProbs) -> str:
            decoder.reset()
            return decoder.decode(log_probs).text

        return read

    return {
        "greedy": lambda log_probs: greedy.decode(log_probs).text,
        "plain prefix beam 25": search(plain),
        "pruned prefix beam 25": search(pruned),
        "WordDecoder, beam 25": words(25),
        "WordDecoder, beam 50": words(50),
        "WordDecoder, beam 100": words(100),
    }


def written_words(lexicon: Lexicon, count: int, confusion: float) -> list[tuple[str, LogProbs]]:
    rng = np.random.default_rng(20)
    trie = lexicon.trie
    common = np.argsort(-trie.log_word, kind="stable")[:10_000]
    texts = [trie.text(int(node)) for node in rng.choice(common, count)]
    cased = [case_variants(text)[i % 3] for i, text in enumerate(texts)]
    return [(text, written(text, rng, confusion)) for text in cased]


def written(text: str, rng: np.random.Generator, confusion: float) -> LogProbs:
    logits = rng.normal(0.0, confusion, (FRAMES, PENAPP_ALPHABET.size))
    best = np.zeros(FRAMES, dtype=int)
    for at, column in zip(np.linspace(4, FRAMES - 5, len(text)), PENAPP_ALPHABET.encode(text), strict=True):
        best[int(at) : int(at) + 2] = column
    logits[np.arange(FRAMES), best] += 8.0
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return LogProbs(log_p.astype(np.float32), np.arange(FRAMES, dtype=np.float64) * 0.08)


def report(
    name: str, words: list[tuple[str, LogProbs]], decode: dict[str, Callable[[LogProbs], str]]
) -> None:
    figures = {decoder: measure(read, words) for decoder, read in decode.items()}
    greedy, plain = figures["greedy"][0], figures["plain prefix beam 25"][0]
    for decoder, (ms, right) in figures.items():
        print(f"{name:<10} {decoder:<22} {ms:7.2f} {ms / greedy:9.1f} {ms / plain:14.3f} {right:12.2f}")


def measure(read: Callable[[LogProbs], str], words: list[tuple[str, LogProbs]]) -> tuple[float, float]:
    read(words[0][1])
    spent, right = [], 0
    for text, log_probs in words:
        tries = [timed(read, log_probs) for _ in range(3)]
        spent.append(min(seconds for seconds, _ in tries))
        right += tries[0][1] == text
    return 1e3 * float(np.median(spent)), right / len(words)


def timed(read: Callable[[LogProbs], str], log_probs: LogProbs) -> tuple[float, str]:
    start = time.thread_time()
    text = read(log_probs)
    return time.thread_time() - start, text


if __name__ == "__main__":
    main()
