"""`tune-decoder`: weights of the decoder chosen on validation words, one at a time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from models.training.shards import Shard
from penapp.decode.lexicon import Lexicon
from penapp.decode.params import DecoderParams
from penapp.decode.types import LogProbs
from penapp.decode.word_decoder import WordDecoder
from penapp.dsp.features import Features
from penapp.recognise.artefact import SHIPPED
from penapp.recognise.session import OnnxRecogniser
from penapp.scores import error_rates

GRID: dict[str, tuple[float, ...]] = {
    "letter_insertion": (0.0, 0.4, 0.8, 1.2, 1.6, 2.0),
    "lm_weight": (0.2, 0.3, 0.4, 0.5, 0.6, 0.8),
    "word_insertion": (0.0, 1.0, 2.0, 3.0, 4.0),
    "log_oov": (-2.0, -3.0, -4.0, -6.0),
    "log_capitalised": (-0.5, -1.0, -2.0),
    "log_upper": (-1.0, -2.0, -3.0),
    "log_mark": (-1.5, -2.5, -4.0),
}


@click.command("tune-decoder")
@click.argument("shard", type=click.Path(exists=True, path_type=Path))
@click.option("--model", type=click.Path(exists=True, path_type=Path), default=SHIPPED)
@click.option("--words", type=int, default=800, show_default=True, help="Spread evenly over the shard.")
def tune_decoder_command(shard: Path, model: Path, words: int) -> None:
    """Try decoder weights on SHARD (never a test shard) and print the best."""
    recogniser, lexicon, corpus = OnnxRecogniser(model), Lexicon.load(), Shard.load(shard)
    chosen = np.unique(np.linspace(0, len(corpus) - 1, words).astype(np.int64))
    outputs = [_log_probs(recogniser, corpus, int(i)) for i in chosen]
    labels = [str(corpus.label[i]) for i in chosen]

    def cer(params: DecoderParams) -> float:
        decoder = WordDecoder(recogniser.manifest.alphabet, lexicon, params)
        texts = []
        for output in outputs:
            decoder.reset()
            texts.append(decoder.decode(output).text)
        return error_rates(labels, texts).cer

    best = DecoderParams()
    lowest = cer(best)
    print(f"{len(labels)} words, as shipped: CER {lowest:.2f} %")
    for name, values in GRID.items():
        for value in values:
            tried = replace(best, **{name: value})  # type: ignore[arg-type]  # GRID names float fields only
            if tried == best:
                continue
            found = cer(tried)
            print(f"{name} = {value}: {found:.2f}")
            if found < lowest:
                best, lowest = tried, found
    print(f"best: CER {lowest:.2f} % with {best}")


def _log_probs(recogniser: OnnxRecogniser, corpus: Shard, i: int) -> LogProbs:
    rows = corpus.word(i)
    return recogniser(Features(np.arange(len(rows)) / 100.0, rows, corpus.fingerprint))
