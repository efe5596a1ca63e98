"""Words per second that font writers write, beside reading real people's words."""

from __future__ import annotations

import time

from penapp.simulation.demo_ink import demo_corpus
from penapp.simulation.font_motion import random_writer

WRITERS, WORDS_EACH = 20, 60


def main() -> None:
    corpus = demo_corpus()
    labels = [str(label) for label in corpus.label[:: max(1, len(corpus) // WORDS_EACH)]][:WORDS_EACH]
    begin = time.perf_counter()
    letters = sum(
        len(random_writer("train", seed).write(label).label)
        for seed in range(WRITERS)
        for label in labels[:1]
    )
    new_writer_ms = 1000 * (time.perf_counter() - begin) / WRITERS
    writers = [random_writer("train", seed) for seed in range(WRITERS)]
    begin = time.perf_counter()
    letters = sum(len(writer.write(label).label) for writer in writers for label in labels)
    written = WRITERS * len(labels) / (time.perf_counter() - begin)
    begin = time.perf_counter()
    for i in range(len(corpus)):
        corpus.word(i)
    read = len(corpus) / (time.perf_counter() - begin)
    print(f"a new writer takes {new_writer_ms:.1f} ms; {letters / WRITERS / len(labels):.1f} letters a word")
    print(f"font words written  {written:8.0f} /s")
    print(f"real words read     {read:8.0f} /s   (baseline)")
    print(f"ratio               {written / read:8.2f}")


if __name__ == "__main__":
    main()
