"""What a calibration gives for the text: `python tests/benchmarks/bench_calibration_words.py [PENS]`.

The demo's sentences, written with pens that have large errors: without errors, as they are, calibrated.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[2]))

from calibration.sensor import PenCalibration
from firmware_protocol.channels import counts_to_si, si_to_counts, standard_descriptor
from penapp.decode.lexicon import Lexicon
from penapp.decode.word_decoder import WordDecoder
from penapp.pipeline import FrontEnd, Pipeline, geometry_of
from penapp.read_along import StretchScorer
from penapp.recognise.session import OnnxRecogniser
from penapp.scores import edit_distance
from penapp.simulation.demo_ink import DemoSentence, demo_sentences, sentence_ink
from penapp.simulation.imperfections import Imperfections
from penapp.simulation.parameters import Pace
from penapp.simulation.pen import SimulatedSession, VirtualWriter
from penapp.stream.block import SampleBlock
from tests.calibration.whole_runs import whole_run

PEN = standard_descriptor()
STREAM = PEN.streams[0]
WAYS = ("without errors", "as it is", "calibrated")


class Reader:
    """The shipped recogniser and lexicon, loaded once."""

    def __init__(self) -> None:
        self._recogniser, self._words = OnnxRecogniser(), Lexicon.load()

    def text(self, values: NDArray[np.floating], t: NDArray[np.float64], found: PenCalibration | None) -> str:
        manifest = self._recogniser.manifest
        front_end = FrontEnd(
            STREAM.rate_hz,
            manifest.params,
            geometry_of(PEN, found),
            calibration=found,
            score=StretchScorer(self._recogniser, self._words),
        )
        pipeline = Pipeline(front_end, self._recogniser, WordDecoder(manifest.alphabet, self._words))
        seen = counts_to_si(si_to_counts(values, STREAM)[0], STREAM)
        return " ".join(word.text for word in [*pipeline.push(SampleBlock(t, seen)), *pipeline.finish()])


def written(sentence: DemoSentence, pen: Imperfections, seed: int) -> SimulatedSession:
    """The sentence by a fresh hand and a faultless pen with this pen's accelerometer sites."""
    writer = VirtualWriter.draw(seed, pace=Pace(gap_s=(0.8, 1.1)))
    silent = {f"{name}_noise": 0.0 for name in ("acc", "gyro", "mag", "force")}
    straight = {"force_zero_n": 0.0, "force_drift_n": 0.0, "force_gain": 1.0, "force_dead_n": 0.0}
    device = replace(pen.device, **silent, **straight)
    return replace(writer, device=device).write(sentence_ink(sentence), seed, rate_hz=STREAM.rate_hz)


def main(pens: int) -> None:
    reader, edits, letters = Reader(), dict.fromkeys(WAYS, 0), 0
    for seed in range(pens):
        pen, found = Imperfections.draw(seed), whole_run(seed).calibration
        for k, sentence in enumerate(demo_sentences()):
            session = written(sentence, pen, 1000 * seed + 7 * k + 1)
            true = session.values.astype(np.float64)
            read = pen.distorted(true, np.zeros(len(true), dtype=np.bool_), np.random.default_rng(k))
            for way, values, known in zip(WAYS, (true, read, read), (None, None, found), strict=True):
                edits[way] += edit_distance(sentence.text, reader.text(values, session.t, known))
            letters += len(sentence.text)
        rates = ", ".join(f"{way} {100 * edits[way] / letters:.1f} %" for way in WAYS)
        print(f"{seed + 1} pens, {letters} characters, CER: {rates}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 6)
