"""Pictures of words per second on one core, and the ratio against matplotlib and supersampled Pillow.

    python tests/benchmarks/bench_images.py [--words 300]

The baselines draw the same strokes plainly, in lines of one width, at the same size; ours is timed with all
variations and plain. CPU time, one thread.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from models.training.images.look import RenderConfig
from models.training.images.render import render
from penapp.simulation.demo_ink import demo_corpus

Strokes = tuple[NDArray[np.float64], ...]
HEIGHT, MARGIN, PEN_PX, FINER = 32, 2.0, 1.8, 4
WANTED = 1000.0


def placed(strokes: Strokes) -> tuple[list[NDArray[np.float64]], int]:
    """Strokes in px, y down, and the picture's width."""
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = (HEIGHT - 2 * MARGIN) / max(high[1] - low[1], 2.5)
    moved = [(s - low) * scale * [1, -1] + [MARGIN, HEIGHT - MARGIN] for s in strokes]
    return moved, int(min((high[0] - low[0]) * scale + 2 * MARGIN, 256)) + 1


def by_matplotlib(strokes: Strokes) -> NDArray[np.uint8]:
    moved, width = placed(strokes)
    figure = Figure(figsize=(width / 72, HEIGHT / 72), dpi=72)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(HEIGHT, 0))
    axes.axis("off")
    for stroke in moved:
        axes.plot(*stroke.T, color="black", linewidth=PEN_PX, solid_capstyle="round")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return 255 - np.asarray(canvas.buffer_rgba())[:, :, 0]


def by_pillow(strokes: Strokes) -> NDArray[np.uint8]:
    moved, width = placed(strokes)
    sheet = Image.new("L", (width * FINER, HEIGHT * FINER))
    pen = ImageDraw.Draw(sheet)
    for stroke in moved:
        pen.line((stroke * FINER).ravel().tolist(), fill=255, width=round(PEN_PX * FINER), joint="curve")
    return np.asarray(sheet.resize((width, HEIGHT), Image.Resampling.BOX))


def rate(draw: Callable[[Strokes], object], words: list[Strokes]) -> float:
    """Pictures per second of CPU time, after a few to warm up."""
    for word in words[:5]:
        draw(word)
    begin = time.process_time()
    for word in words:
        draw(word)
    return len(words) / (time.process_time() - begin)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--words", type=int, default=300)
    count = parser.parse_args().words
    corpus = demo_corpus()
    words = [corpus.word(int(i)).strokes for i in np.linspace(0, len(corpus) - 1, count)]
    varied, rng = RenderConfig(), np.random.default_rng(0)
    plain = varied.plain()
    ours = rate(lambda word: render(word, varied, rng), words)
    simple = rate(lambda word: render(word, plain, rng), words)
    pillow, matplotlib = rate(by_pillow, words), rate(by_matplotlib, words[:40])
    print(f"{count} words of the demo ink, {HEIGHT} px high, one thread")
    print(f"varied              {ours:8.0f} /s   (wanted {WANTED:.0f})")
    print(f"plain               {simple:8.0f} /s")
    print(f"Pillow, {FINER}x finer    {pillow:8.0f} /s   ratio {ours / pillow:6.2f}")
    print(f"matplotlib          {matplotlib:8.0f} /s   ratio {ours / matplotlib:6.2f}   (baseline)")


if __name__ == "__main__":
    main()
