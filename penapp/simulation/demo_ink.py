"""The ink that ships: words of real people for the demo and the tests (see DEMO_INK.md)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from penapp.simulation.ink import InkCorpus, WordInk

DEMO_INK = Path(__file__).with_name("demo_ink.npz")
DEMO_SENTENCES = Path(__file__).with_name("demo_sentences.json")


@dataclass(frozen=True, slots=True)
class DemoSentence:
    """A sentence that one test writer wrote; `words` are indices into the demo corpus, in order."""

    writer: str
    text: str
    words: tuple[int, ...]


@cache
def demo_corpus() -> InkCorpus:
    """The shipped corpus, read once."""
    return InkCorpus.load(DEMO_INK)


def demo_sentences() -> list[DemoSentence]:
    """The committed sentences, in the order the demo writes them."""
    lines = json.loads(DEMO_SENTENCES.read_text(encoding="utf-8"))
    return [DemoSentence(line["writer"], line["text"], tuple(line["words"])) for line in lines]


def sentence_ink(sentence: DemoSentence) -> list[WordInk]:
    """The sentence as its writer wrote it, word by word."""
    return [demo_corpus().word(i) for i in sentence.words]
