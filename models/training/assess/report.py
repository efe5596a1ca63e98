"""One self-contained page on what some systems read: nothing is loaded from anywhere."""

from __future__ import annotations

import html
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from string import Template

from models.training.assess import figures
from models.training.assess.alignment import (
    NOTHING,
    aligned,
    confusion_matrix,
    letter_pairs,
    top_confusions,
    worst,
)
from models.training.assess.bootstrap import RESAMPLES
from models.training.assess.compare import (
    SIMULATED,
    difference_lines,
    knows_writers,
    once_lines,
    rate_text,
    seeds_text,
    step_lines,
    writer_spread,
)
from models.training.assess.predictions import Sample
from models.training.assess.protocol import LABELLED, by_cell
from models.training.assess.slices import by_length, by_speed, by_writer, speed_edges
from models.training.assess.systems import System

_TEMPLATE = Path(__file__).with_name("report.html")


def write_report(
    path: Path,
    systems: Sequence[System],
    *,
    resamples: int = RESAMPLES,
    seed: int = 1,
    reach: float | None = None,
) -> None:
    """Write the page under a temporary name, then rename."""
    names = ", ".join(system.name for system in systems)
    body = [f"<h1>Readings of {html.escape(names)}</h1>"]
    if any(system.header.simulated for system in systems):
        body.append(f'<p class="warn">{SIMULATED}</p>')
    body += [_overview(systems, resamples, seed), *_differences(systems, resamples, seed)]
    body += [*_cells(systems), *_curves(systems, reach), *_slices(systems)]
    body += [_details(i, system) for i, system in enumerate(systems)]
    page = Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=html.escape(f"Readings of {names}"), body="\n".join(body)
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(page, encoding="utf-8")
    os.replace(part, path)  # noqa: PTH105 - one atomic call


def _overview(systems: Sequence[System], resamples: int, seed: int) -> str:
    heads = [
        "system",
        "data",
        "selection",
        "samples",
        "CER",
        "WER",
        "CER without case",
        "writers 10 / 50 / 90 %",
    ]
    rows = []
    for system in systems:
        spread, header = writer_spread(system), system.header
        rows.append([
            system.name,
            f"{header.dataset} {header.split}",
            f"{header.selection}, {header.decoding}",
            f"{system.scores[0].pooled.samples:,}, {seeds_text(system)}",
            *(rate_text(system, m, resamples, seed) for m in ("cer", "wer", "cer_nocase")),
            " / ".join(f"{v:.1f}" for v in spread) if spread else "–",
        ])  # fmt: skip
    used = dict.fromkeys(LABELLED[system.header.selection] for system in systems)
    note = (
        "Corpus level, all samples; in brackets 95 % intervals over writers (and seeds). No text counts as "
        f"deletions. Selection {'; '.join(used)}."
    )
    for system in systems:
        note += "".join(f" {html.escape(system.name)}: {line.strip()}." for line in once_lines(system))
    return f'<div class="wide">{_table(heads, rows)}</div><p class="note">{note}</p>'


def _cells(systems: Sequence[System]) -> list[str]:
    """Seen and unseen writers and words, where that is known."""
    cells = [(system.name, by_cell(system.samples)) for system in systems]
    rows = [
        [name, kind, f"{r.samples:,}", f"{r.cer:.2f} %", f"{r.wer:.2f} %"]
        for name, found in cells
        if set(found) != {"other"}
        for kind, r in found.items()
    ]
    if not rows:
        return []
    table = _table(["system", "in training", "samples", "CER", "WER"], rows)
    return ["<h2>Seen and unseen in training</h2>", f'<div class="wide">{table}</div>']


def _differences(systems: Sequence[System], resamples: int, seed: int) -> list[str]:
    if len(systems) < 2:
        return []
    lines = difference_lines(systems, resamples, seed)
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return ["<h2>Differences</h2>", f"<ul>{items}</ul>"]


def _curves(systems: Sequence[System], reach: float | None) -> list[str]:
    curves = [curve for system in systems for curve in system.curves]
    if not curves:
        return []
    said = "; ".join(line.strip() for line in step_lines(systems, reach)[1:])
    head = step_lines(systems, reach)[0]
    note = f'<p class="note">{html.escape(head)} {html.escape(said)}.</p>'
    return ["<h2>Learning</h2>", figures.learning_curves(curves), note]


def _slices(systems: Sequence[System]) -> list[str]:
    parts = []
    known = [system for system in systems if knows_writers(system)]
    if known:
        parts += ["<h2>By writer</h2>", figures.writers([(s.name, by_writer(s)) for s in known])]
    lengths = [(s.name, by_length(s)) for s in systems]
    label = "letters of the label; below: samples"
    parts += ["<h2>By word length</h2>", figures.slices(lengths, label, key="length", even=True)]
    edges = speed_edges(systems[0])
    speeds = [(s.name, by_speed(s, edges)) for s in systems]
    if len(edges):
        label = "letters a second of writing (median of six equal groups)"
        parts += ["<h2>By speed of writing</h2>", figures.slices(speeds, label, key="speed", even=False)]
    whiskers = "Whiskers: 95 % over writers (and seeds)."
    return [*parts, f'<p class="note">{whiskers}</p>'] if known else parts


def _details(number: int, system: System) -> str:
    pairs = letter_pairs(system.samples)
    wrong = sum(n for (a, b), n in pairs.items() if a != b)
    head = f"<summary>{html.escape(system.name)}: letters and words</summary>"
    parts = [head]
    if wrong:
        parts += [
            f"<h2>Most frequent of {wrong:,} errors</h2>",
            figures.confusions(top_confusions(pairs), key=f"top{number}"),
            "<h2>Letters taken for each other</h2>",
            figures.confusion_matrix(confusion_matrix(pairs), key=f"matrix{number}"),
            "<h2>Read worst</h2>",
            _worst(system.samples),
        ]
    else:
        parts.append("<p>Everything was read exactly.</p>")
    return f"<details{' open' * (number == 0)}>{''.join(parts)}</details>"


def _worst(samples: Sequence[Sample]) -> str:
    heads = ["written", "read", "edits", "letters", "writer", "sample"]
    rows = [
        [s.label, _marked(s), str(edits), str(len(s.label)), s.writer or "–", s.id]
        for s, edits in worst(samples)
    ]
    note = "Most edits a letter first. Underlined: wrong; · : left out."
    return f'<div class="wide">{_table(heads, rows, marked=1, text=(0, 1))}</div><p class="note">{note}</p>'


def _marked(sample: Sample) -> str:
    """The reading as HTML with its errors marked."""
    if not sample.text:
        return "<mark>nothing</mark>"
    shown = []
    for letter, read in aligned(sample.label, sample.text):
        piece = html.escape(read) if read != NOTHING else "·"
        shown.append(piece if letter == read else f"<mark>{piece}</mark>")
    return "".join(shown)


def _table(
    heads: Iterable[str], rows: Iterable[Sequence[str]], *, marked: int = -1, text: tuple[int, ...] = ()
) -> str:
    """Cells are escaped, except column `marked`, which is HTML already; `text` columns keep their blanks."""
    head = "".join(f"<th>{html.escape(h)}</th>" for h in heads)
    lines = []
    for row in rows:
        cells = [cell if i == marked else html.escape(cell) for i, cell in enumerate(row)]
        kinds = [' class="text"' if i in text else "" for i in range(len(row))]
        lines.append("".join(f"<td{k}>{c}</td>" for k, c in zip(kinds, cells, strict=True)))
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
