"""Figures of the report as inline SVG whose colours are the page's own, so that they suit light and dark."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from typing import Literal

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from models.training.assess.alignment import NOTHING, Confusions
from models.training.assess.slices import Slice
from models.training.assess.systems import Curve

INK, FAINT = "#010101", "#020202"
"""Stand-ins that become variables of the page: text and axes, grid."""
SERIES = ("#030301", "#030302", "#030303", "#030304", "#030305", "#030306")
"""Stand-ins for one colour a system; a seventh system has the first colour again."""

_VARIABLES = {INK: "var(--ink)", FAINT: "var(--faint)"} | {
    color: f"var(--series-{i})" for i, color in enumerate(SERIES, 1)
}
_MARKERS = "osD^vP"
_LABELLED_WRITERS = 40
"""More writers than these have no room for their names."""


def learning_curves(curves: Sequence[Curve]) -> str:
    """Validation CER over steps, a line a run."""

    def draw(axes: Axes) -> None:
        for i, curve in enumerate(curves):
            axes.plot(curve.steps, curve.cer, "o-", ms=3, color=_color(i), label=curve.name)
        axes.set(xlabel="training steps", ylabel="validation CER (%)")
        axes.set_xlim(left=0)
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.legend()

    return _drawn("curves", draw)


def slices(rows: Sequence[tuple[str, Sequence[Slice]]], xlabel: str, *, key: str, even: bool) -> str:
    """CER of slices, a line a system, whiskers 95 %; even: at equal distances, else where they stand."""
    names = {s.at: s for _, found in reversed(rows) for s in found}
    place = {at: float(i) if even else at for i, at in enumerate(sorted(names))}

    def draw(axes: Axes) -> None:
        gap = 0.12 if even else 0.008 * (max(names) - min(names))
        for i, (name, found) in enumerate(rows):
            x = np.array([place[s.at] for s in found]) + gap * (i - (len(rows) - 1) / 2)
            y = np.array([s.cer for s in found])
            low = np.array([s.cer if s.low is None else s.low for s in found])
            high = np.array([s.cer if s.high is None else s.high for s in found])
            reach = np.maximum([y - low, high - y], 0.0)
            axes.errorbar(x, y, reach, fmt=f"{_marker(i)}-", ms=5, color=_color(i), capsize=2, label=name)
        if even:
            ticks = sorted(names)
            axes.set_xticks(range(len(ticks)), [f"{names[at].name}\n{names[at].samples}" for at in ticks])
        axes.set(xlabel=xlabel, ylabel="CER (%)", ylim=(0, None))
        if len(rows) > 1:
            axes.legend()

    return _drawn(key, draw)


def writers(rows: Sequence[tuple[str, dict[str, float]]]) -> str:
    """CER by writer: bars of the first system, lowest first; marks of the others on the same writers."""
    order = list(rows[0][1])

    def draw(axes: Axes) -> None:
        for i, (name, rates) in enumerate(rows):
            at = [k for k, writer in enumerate(order) if writer in rates]
            heights = [rates[order[k]] for k in at]
            if i == 0:
                axes.bar(at, heights, color=_color(0), alpha=0.75, label=name)
            else:
                axes.plot(at, heights, _marker(i), ms=4, color=_color(i), label=name)
        if len(order) <= _LABELLED_WRITERS:
            axes.set_xticks(range(len(order)), order, rotation=60 if len(order) > 12 else 0)
        else:
            axes.set_xticks([])
        axes.set_xlim(-0.7, len(order) - 0.3)
        axes.set(xlabel=f"{len(order)} writers, in order of {rows[0][0]}", ylabel="CER (%)", ylim=(0, None))
        if len(rows) > 1:
            axes.legend(loc="upper left")

    return _drawn("writers", draw)


def confusions(top: Sequence[tuple[str, str, int]], *, key: str) -> str:
    """The most frequent errors, bars; what was left out or put in is called so."""

    def draw(axes: Axes) -> None:
        names = [_confusion_name(a, b) for a, b, _ in top]
        axes.barh(range(len(top)), [n for _, _, n in top], color=_color(0), alpha=0.75)
        axes.set_yticks(range(len(top)), names)
        for i, (_, _, n) in enumerate(top):
            axes.text(n, i, f"  {n}", va="center", fontsize=9)
        axes.invert_yaxis()
        axes.set(xlabel="times", ylabel="written → read")
        axes.grid(visible=False, axis="y")

    return _drawn(key, draw, (5.2, 0.6 + 0.24 * max(len(top), 3)), grid="x")


def confusion_matrix(found: Confusions, *, key: str) -> str:
    """Errors between the letters that err most; right readings are left blank, ∅ is nothing."""
    names = [*map(_shown, found.letters), "∅"]
    size = len(names)
    counts = np.zeros((size, size))
    counts[:-1, :-1] = found.counts
    counts[:-1, -1], counts[-1, :-1] = found.left_out, found.put_in
    np.fill_diagonal(counts, 0.0)

    def draw(axes: Axes) -> None:
        top = max(float(counts.max()), 1.0)
        for i, j in zip(*np.nonzero(counts), strict=True):
            alpha = 0.12 + 0.73 * counts[i, j] / top
            axes.fill([j - 0.5, j + 0.5, j + 0.5, j - 0.5], [i - 0.5, i - 0.5, i + 0.5, i + 0.5],
                      color=_color(0), alpha=alpha, lw=0)  # fmt: skip
            axes.text(j, i, f"{counts[i, j]:.0f}", ha="center", va="center", fontsize=6.5)
        axes.set_xticks(range(size), names)
        axes.set_yticks(range(size), names)
        axes.set(xlim=(-0.5, size - 0.5), ylim=(size - 0.5, -0.5), aspect="equal")
        axes.set(xlabel="read as (∅: left out)", ylabel="written (∅: put in)")

    side = 1.6 + 0.26 * size
    return _drawn(key, draw, (side, side), grid="both")


def _confusion_name(letter: str, read: str) -> str:
    if letter == NOTHING:
        return f"{_shown(read)} put in"
    if read == NOTHING:
        return f"{_shown(letter)} left out"
    return f"{_shown(letter)} → {_shown(read)}"


def _shown(letter: str) -> str:
    return "␣" if letter == " " else letter


def _color(i: int) -> str:
    return SERIES[i % len(SERIES)]


def _marker(i: int) -> str:
    return _MARKERS[i % len(_MARKERS)]


def _drawn(
    key: str,
    draw: Callable[[Axes], None],
    size: tuple[float, float] = (8.4, 3.6),
    grid: Literal["x", "y", "both"] = "y",
) -> str:
    """The figure as an <svg> element; `key` keeps its ids apart from those of other figures."""
    with mpl.rc_context():
        _apply_style()
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.add_subplot()
        axes.set_axisbelow(True)
        axes.grid(visible=True, axis=grid, lw=0.6)
        draw(axes)
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = out.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r'\bid="', f'id="{key}-', svg)
    svg = re.sub(r"url\(#", f"url(#{key}-", svg)
    svg = re.sub(r'href="#', f'href="#{key}-', svg)
    for stand_in, variable in _VARIABLES.items():
        svg = svg.replace(stand_in, variable)
    return svg


def _apply_style() -> None:
    mpl.rc("axes", edgecolor=INK, labelcolor=INK)
    mpl.rc("axes.spines", right=False, top=False)
    mpl.rc("font", size=10.0)
    mpl.rc("grid", color=FAINT)
    mpl.rc("legend", frameon=False, labelcolor=INK)
    mpl.rc("svg", fonttype="none", hashsalt="report")
    mpl.rc("text", color=INK, parse_math=False)
    mpl.rc("xtick", color=INK)
    mpl.rc("ytick", color=INK)
