"""Words per second that the virtual pen writes, beside making the tip's trajectory alone."""

from __future__ import annotations

import time

import numpy as np

from penapp.simulation.demo_ink import demo_corpus
from penapp.simulation.ink import WordInk
from penapp.simulation.path import session_path
from penapp.simulation.pen import OVERSAMPLING, VirtualWriter

WRITERS, WORDS_EACH, RATE_HZ = 40, 16, 100.0
TARGET_WORDS_S = 300.0


def sets() -> list[list[WordInk]]:
    corpus = demo_corpus()
    rng = np.random.default_rng(0)
    people = rng.choice(np.unique(corpus.writer), WRITERS)
    chosen = [rng.choice(np.flatnonzero(corpus.writer == w), WORDS_EACH) for w in people]
    return [[corpus.word(int(i)) for i in rows] for rows in chosen]


def main() -> None:
    ink = sets()
    writers = [VirtualWriter.draw(k) for k in range(WRITERS)]
    writers[0].write(ink[0], 0, rate_hz=RATE_HZ)
    begin = time.process_time()
    written_s = 0.0
    for k, (writer, words) in enumerate(zip(writers, ink, strict=True)):
        written_s += len(writer.write(words, k, rate_hz=RATE_HZ).t) / RATE_HZ
    whole = WRITERS * WORDS_EACH / (time.process_time() - begin)
    begin = time.process_time()
    for k, (writer, words) in enumerate(zip(writers, ink, strict=True)):
        session_path(words, writer.touch, writer.pace, np.random.default_rng(k), OVERSAMPLING * RATE_HZ)
    path = WRITERS * WORDS_EACH / (time.process_time() - begin)
    print(
        f"{WRITERS * WORDS_EACH} words by {WRITERS} writers, {written_s / WRITERS / WORDS_EACH:.2f} s a word"
    )
    print(f"all thirteen channels {whole:8.0f} words/s of one core   (target {TARGET_WORDS_S:.0f})")
    print(f"trajectory alone      {path:8.0f} words/s of one core   (baseline)")
    print(f"ratio                 {whole / path:8.2f}")


if __name__ == "__main__":
    main()
