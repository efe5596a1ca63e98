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
    session_cer: with the decoder and the session's words so far as context; all others read every word alone

    A whole recorded stream is one reference without word boundaries: what asks for words is None there.
    """

    group: str
    words: int
    writers: int
    greedy_cer: float
    greedy_wer: float | None
    decoded_cer: float
    decoded_wer: float | None
    greedy_cer_given: float | None
    decoded_cer_given: float | None
    exact_cuts: float | None
    oov: float | None
    in_cer: float | None
    oov_cer: float | None
    writer_cer: tuple[float, float, float]
    session_cer: float


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
    count, words = len(readings), all(np.isfinite(r.reference.end_t) for r in readings)

    def of_words(value: float) -> float | None:
        return round(value, 2) if words else None

    return GroupFigures(
        group,
        count,
        len(writers),
        round(greedy.cer, 2),
        of_words(greedy.wer),
        round(decoded.cer, 2),
        of_words(decoded.wer),
        of_words(error_rates(labels, [r.greedy_given for r in readings]).cer),
        of_words(error_rates(labels, [r.decoded_given for r in readings]).cer),
        of_words(100.0 * sum(r.segments == 1 for r in readings) / count),
        of_words(100.0 * len(outside) / count),
        of_words(_cer(inside, decoded=True)),
        of_words(_cer(outside, decoded=True)),
        (low, middle, high),
        round(error_rates(labels, [r.decoded_session for r in readings]).cer, 2),
    )


def table(rows: Sequence[GroupFigures]) -> str:
    """A plain-text table, one line a group."""
    head = (
        f"{'group':34s}{'words':>6s}{'writers':>8s} | greedy CER  WER | decoder CER  WER |"
        f" given cuts: greedy decoder | exact cuts | OOV  in-CER out-CER | writers 10/50/90 % |"
        f" in session"
    )
    lines = [head, "-" * len(head)]
    lines += [_line(r) for r in rows]
    return "\n".join(lines)


def _line(r: GroupFigures) -> str:
    return (
        f"{r.group:34s}{r.words:6d}{r.writers:8d} | {r.greedy_cer:10.2f} {_cell(r.greedy_wer, 5, 1)}"
        f" | {r.decoded_cer:11.2f} {_cell(r.decoded_wer, 4, 1)}"
        f" | {_cell(r.greedy_cer_given, 18, 2)} {_cell(r.decoded_cer_given, 7, 2)}"
        f" | {_cell(r.exact_cuts, 8, 1)} %"
        f" | {_cell(r.oov, 4, 1)} {_cell(r.in_cer, 6, 2)} {_cell(r.oov_cer, 7, 2)}"
        f" | {r.writer_cer[0]:.1f} / {r.writer_cer[1]:.1f} / {r.writer_cer[2]:.1f}"
        f" | {r.session_cer:10.2f}"
    )


def _cell(value: float | None, width: int, digits: int) -> str:
    return f"{'–':>{width}s}" if value is None else f"{value:{width}.{digits}f}"


def as_table(row: GroupFigures) -> dict[str, object]:
    """For `--json`."""
    return asdict(row)


def _cer(readings: Sequence[Reading], *, decoded: bool) -> float:
    texts = [r.decoded if decoded else r.greedy for r in readings]
    return error_rates([r.reference.label for r in readings], texts).cer
