"""Puts the ß back that case folding turned into ss in the German word list."""

from __future__ import annotations

import re

SHARE = 0.85
"""Of a word's probability that goes to the spelling with ß; the rest stays (Swiss usage, capitals)."""

_STEMS = """
strass gross gröss weiss heiss fleiss schweiss scheiss beiss dreissig meissel preuss strauss ausserhalb
ausserdem ausserord aussergew draussen äusser giess geniess fliess schliess schiess spiess verdriess
liess hiess stiess fuss füss gruss grüss spass späss stoss stöss süss bloss kloss klöss mäss vergass
frass busse büsse soss massnahm massstab massgeb masslos ausmass müssig einbüss schmeiss mutmass massstäb
ermassen
"""
"""Stems with a long vowel or a diphthong before the s, where the spelling since 1996 has ß."""

_WORDS = {
    "ausser": "außer",
    "aussen": "außen",
    "sass": "saß",
    "sassen": "saßen",
    "besass": "besaß",
    "besassen": "besaßen",
    "mass": "maß",
}
_BEGINNINGS = {"aussenminister": "außenminister", "aussenpoliti": "außenpoliti", "aussenwelt": "außenwelt"}
_EXCEPT = re.compile(
    r"diffuss|weissag|russland|aussend|grossist|fussel|blossom|impass|trespass|bypass|compass"
)
_STEM = re.compile("|".join([*sorted(_STEMS.split(), key=len, reverse=True), "(?<!k)reiss"]))


def with_sharp_s(word: str) -> str | None:
    """The spelling with ß of a German word that has lost it, or None."""
    if word in _WORDS:
        return _WORDS[word]
    for beginning, restored in _BEGINNINGS.items():
        if word.startswith(beginning):
            return restored + word[len(beginning) :]
    if _EXCEPT.search(word) or not _STEM.search(word):
        return None
    return _STEM.sub(lambda stem: stem.group().replace("ss", "ß", 1), word)
