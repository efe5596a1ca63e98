"""How long the network takes for a word of 5 s, one thread; ONNX Runtime's defaults beside it.

python tests/benchmarks/bench_recognise.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import onnxruntime

from penapp.decode.lexicon import Lexicon
from penapp.decode.word_decoder import WordDecoder
from penapp.dsp.features import Features
from penapp.recognise.artefact import SHIPPED
from penapp.recognise.session import OnnxRecogniser

ROWS = 500
REPEATS = 60


def median_ms(call: Callable[[], object]) -> float:
    call()
    spent = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        call()
        spent.append(time.perf_counter() - began)
    return 1e3 * float(np.median(spent))


def main() -> None:
    recogniser = OnnxRecogniser()
    manifest = recogniser.manifest
    rows = np.random.default_rng(1).standard_normal((ROWS, manifest.params.size)).astype(np.float32)
    word = Features(np.arange(ROWS) / manifest.params.rate_hz, rows, manifest.fingerprint)
    plain = onnxruntime.InferenceSession(str(SHIPPED / "model.onnx"), providers=["CPUExecutionProvider"])
    feeds = {"features": rows[None], "lengths": np.array([ROWS], dtype=np.int64)}
    decoder = WordDecoder(manifest.alphabet, Lexicon.load())
    log_probs = recogniser(word)
    ours, theirs = median_ms(lambda: recogniser(word)), median_ms(lambda: plain.run(None, feeds))
    decode = median_ms(lambda: (decoder.reset(), decoder.decode(log_probs)))
    print(f"network, 5 s word, one thread:      {ours:6.2f} ms  (goal <= 5)")
    print(f"network, ONNX Runtime's defaults:   {theirs:6.2f} ms  ratio {theirs / ours:.2f}")
    print(f"decoding it with the lexicon:       {decode:6.2f} ms  ratio {decode / ours:.2f}")


if __name__ == "__main__":
    main()
