"""How often a word is written with a capital when no sentence begins with it."""

from __future__ import annotations

import csv
import importlib
import importlib.metadata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from penapp.decode.folding import fold

_ALWAYS = """
i i'm i'll i've i'd monday tuesday wednesday thursday friday saturday sunday january february april june july
august september october november december english german french spanish italian american british european
"""
ALWAYS = frozenset(_ALWAYS.split())
"""English words that are written with a capital (months and days that are other words as well left out)."""

_CASES = ("lemma", "nominativ", "genitiv", "dativ", "akkusativ")


def capital_shares(words: Iterable[str], languages: Sequence[str]) -> dict[str, float]:
    """0..1 per word: the share of its uses, over the languages, where it is a noun of German or in ALWAYS."""
    wordfreq: Any = importlib.import_module("wordfreq")
    nouns = german_nouns()
    shares = {}
    for word in words:
        uses = {language: wordfreq.word_frequency(word, language) for language in languages}
        nouns_of = {"de": nouns}
        raised = sum(
            p for language, p in uses.items() if word in nouns_of.get(language, ()) or word in ALWAYS
        )
        shares[word] = raised / sum(uses.values()) if any(uses.values()) else 0.0
    return shares


def german_nouns() -> frozenset[str]:
    """All inflected forms of the nouns of the package german-nouns, in lower case."""
    package = importlib.metadata.distribution("german-nouns")
    with Path(str(package.locate_file("german_nouns/nouns.csv"))).open(encoding="utf-8") as table:
        return noun_forms(csv.DictReader(table))


def noun_forms(rows: Iterable[dict[str, str]]) -> frozenset[str]:
    """Capitalised forms of the table's case columns, in lower case; abbreviations left out."""
    return frozenset(
        fold(form)
        for row in rows
        for column, form in row.items()
        if form
        and (column or "").startswith(_CASES)
        and form.isalpha()
        and form[0].isupper()
        and not form.isupper()
    )
