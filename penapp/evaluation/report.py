"""Readings to figures: per group, per writer, with and without the decoder, in and out of vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from penapp.evaluation.reading import Reading
from penapp.scores import error_rates


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """Percent throughout. *_given: true boundaries. writer_cer: 10/50/90 percentile over writers, greedy.

    exact_cuts: words that came as exactly one segment; oov: words whose lower-case form the lexicon lacks;
    in_cer, oov_cer: with the decoder, over words inside and outside the lexicon
    """

    group: str
    words: int
    writers: int
    greedy_cer: float
    greedy_wer: float
    decoded_cer: float
    decoded_wer: float
    greedy_cer_given: float
    decoded_cer_given: float
    exact_cuts: float
    oov: float
    in_cer: float
    oov_cer: float
    writer_cer: tuple[float, float, float]


def figures(group: str, readings: Sequence[Reading], known: Sequence[bool]) -> GroupFigures:
    """Figures of one group; `known` says for each word whether the lexicon has it."""
    labels = [r.reference.label for r in readings]
    greedy = error_rates(labels, [r.greedy for r in readings])
    decoded = error_rates(labels, [r.decoded for r in readings])
    inside = [r for r, k in zip(readings, known, strict=True) if k]
    outside = [r for r, k in zip(readings, known, strict=True) if not k]
    writers = sorted({r.reference.writer for r in readings})
    spread = [_cer([r for r in readings if r.reference.writer == w], decoded=False) for w in writers]
    low, middle, high = (round(float(v), 2) for v in np.percentile(spread, [10, 50, 90]))
    count = len(readings)
    return GroupFigures(
        group,
        count,
        len(writers),
        round(greedy.cer, 2),
        round(greedy.wer, 2),
        round(decoded.cer, 2),
        round(decoded.wer, 2),
        round(error_rates(labels, [r.greedy_given for r in readings]).cer, 2),
        round(error_rates(labels, [r.decoded_given for r in readings]).cer, 2),
        round(100.0 * sum(r.segments == 1 for r in readings) / count, 2),
        round(100.0 * len(outside) / count, 2),
        round(_cer(inside, decoded=True), 2),
        round(_cer(outside, decoded=True), 2),
        (low, middle, high),
    )


def table(rows: Sequence[GroupFigures]) -> str:
    """A plain-text table, one line a group."""
    head = (
        f"{'group':34s}{'words':>6s}{'writers':>8s} | greedy CER  WER | decoder CER  WER |"
        f" given cuts: greedy decoder | exact cuts | OOV  in-CER out-CER | writers 10/50/90 %"
    )
    lines = [head, "-" * len(head)]
    lines += [_line(r) for r in rows]
    return "\n".join(lines)


def _line(r: GroupFigures) -> str:
    return (
        f"{r.group:34s}{r.words:6d}{r.writers:8d} | {r.greedy_cer:10.2f} {r.greedy_wer:5.1f}"
        f" | {r.decoded_cer:11.2f} {r.decoded_wer:4.1f}"
        f" | {r.greedy_cer_given:18.2f} {r.decoded_cer_given:7.2f}"
        f" | {r.exact_cuts:8.1f} % | {r.oov:4.1f} {r.in_cer:6.2f} {r.oov_cer:7.2f}"
        f" | {r.writer_cer[0]:.1f} / {r.writer_cer[1]:.1f} / {r.writer_cer[2]:.1f}"
    )


def as_table(row: GroupFigures) -> dict[str, object]:
    """For `--json`."""
    return asdict(row)


def _cer(readings: Sequence[Reading], *, decoded: bool) -> float:
    texts = [r.decoded if decoded else r.greedy for r in readings]
    return error_rates([r.reference.label for r in readings], texts).cer
