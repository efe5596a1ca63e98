"""What the reading's vote is worth: `segmentation_votes.py INK.npz [--every N]`.

The segmenter runs over lines of val writers; at every pen-up it asks about, the judge's logit, the vote and
the truth are kept. A logistic regression on logit and vote, fitted on every other writer and on the rest,
gives the numbers of VoteParams (on the judge's scale); the cross-entropy of the other half says what the
vote adds.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from segmentation_lines import Lines, line_sessions
from segmentation_score import Stretches

from penapp.decode.lexicon import Lexicon
from penapp.read_along import StretchScorer
from penapp.recognise.session import OnnxRecogniser
from penapp.segment.params import VoteParams
from penapp.segment.pen_up import PenUp
from penapp.segment.vote import Vote
from penapp.segment.words import WordSegmenter
from penapp.simulation.ink import InkCorpus

RIDGE = 1e-4


@dataclass(frozen=True, slots=True)
class Doubt:
    """One question: what the judge and the reading said (nats), and the truth."""

    writer: int
    landed: bool
    logit: float
    nats: float
    between: bool


class Witness(WordSegmenter):
    """Cuts as without a vote, and keeps what the vote would have been."""

    def __init__(self, lines: Lines, scorer: StretchScorer) -> None:
        super().__init__()
        self._lines = lines
        self._silent = Vote(VoteParams(), Stretches(lines.motion, scorer))
        self._starts = np.array([word.start_t for word in lines.words])
        self.seen: list[Doubt] = []

    def _opinion(self, pen_up: PenUp) -> float:
        judged = super()._opinion(pen_up)
        word = int(np.searchsorted(self._starts - 0.03, pen_up.lift_t, side="right")) - 1
        between = pen_up.lift_t > self._lines.words[word].end_t - 0.035
        inside = min(max(judged, 1e-6), 1.0 - 1e-6)
        nats = self._silent.nats(pen_up, self._strokes[0].start_t, self._now)
        logit = math.log(inside / (1.0 - inside))
        self.seen.append(Doubt(self._lines.writer, pen_up.land_t is not None, logit, nats, between))
        return judged


def table(doubts: list[Doubt]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(n, 3) one, logit, vote; (n,) 1 where the pen-up lies between words."""
    rows = [(1.0, doubt.logit, max(-20.0, min(20.0, doubt.nats))) for doubt in doubts]
    return np.array(rows), np.array([float(doubt.between) for doubt in doubts])


def fitted(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    def loss(w: NDArray[np.float64]) -> float:
        return cross_entropy(x, y, w) + 0.5 * RIDGE * float(w @ w)

    return np.asarray(minimize(loss, np.zeros(x.shape[1]), method="BFGS").x)


def cross_entropy(x: NDArray[np.float64], y: NDArray[np.float64], w: NDArray[np.float64]) -> float:
    return float(np.logaddexp(0.0, (1.0 - 2.0 * y) * (x @ w)).mean())


def line(name: str, fit: list[Doubt], held_out: list[Doubt]) -> str:
    (x, y), (x_out, y_out) = table(fit), table(held_out)
    with_vote, alone = fitted(x, y), fitted(x[:, :2], y)
    offset, _, weight = with_vote / with_vote[1]
    voted, silent = cross_entropy(x_out, y_out, with_vote), cross_entropy(x_out[:, :2], y_out, alone)
    weights = f"{name}: offset {offset:.2f} weight {weight:.2f}"
    return f"{weights}; cross-entropy held out {voted:.3f}, without the vote {silent:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("ink", type=Path)
    parser.add_argument("--every", type=int, default=1, help="only every so many writers")
    options = parser.parse_args()
    scorer = StretchScorer(OnnxRecogniser(), Lexicon.load())
    seen: list[Doubt] = []
    for session in line_sessions(InkCorpus.load(options.ink), "val", every=options.every):
        witness = Witness(session, scorer)
        for block in session.motion:
            witness.push(block)
        seen += witness.seen
    even = set(sorted({doubt.writer for doubt in seen})[::2])
    for landed in (False, True):
        halves = [
            [d for d in seen if d.landed == landed and (d.writer in even) == half] for half in (True, False)
        ]
        name = "landed" if landed else "air"
        print(line(f"{name}, fitted on one half", halves[0], halves[1]))
        print(line(f"{name}, on the other", halves[1], halves[0]))


if __name__ == "__main__":
    main()
