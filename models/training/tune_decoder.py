"""`tune-decoder`: the decoder's weights fitted on validation words, writers judged by other writers'."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from models.training.decoder_fit import FITTED, Readings, cer, certainty, fit, readings_of
from models.training.shards import Shard
from penapp.decode.greedy import greedy_columns
from penapp.decode.lexicon import Lexicon
from penapp.decode.params import DecoderParams
from penapp.decode.types import LogProbs
from penapp.decode.word_decoder import WordDecoder
from penapp.dsp.features import Features
from penapp.errors import BadInputError
from penapp.recognise.artefact import SHIPPED
from penapp.recognise.session import OnnxRecogniser
from penapp.scores import error_rates

_WIDE: dict[str, Any] = {"candidates": 10_000, "beam": 300, "beam_log_width": 25.0, "words": 60}
"""The search that readings are fitted on: a narrow one shows only what the shipped weights like."""


@click.command("tune-decoder")
@click.argument("shard", type=click.Path(exists=True, path_type=Path))
@click.option("--model", type=click.Path(exists=True, path_type=Path), default=SHIPPED)
@click.option("--words", type=int, default=2000, show_default=True, help="Spread evenly over the shard.")
@click.option("--sharpness", type=float, multiple=True, default=(1.0,), show_default=True)
@click.option(
    "--unknown", type=float, default=0.2, show_default=True, help="Weight of words read as if unknown."
)
def tune_decoder_command(
    shard: Path, model: Path, words: int, sharpness: tuple[float, ...], unknown: float
) -> None:
    """Fit decoder weights on SHARD (never a test shard) and print what to write into DecoderParams."""
    recogniser, lexicon, corpus = OnnxRecogniser(model), Lexicon.load(), Shard.load(shard)
    alphabet = recogniser.manifest.alphabet
    chosen = np.unique(np.linspace(0, len(corpus) - 1, words).astype(np.int64))
    outputs = [_log_probs(recogniser, corpus, int(i)) for i in chosen]
    labels = [str(corpus.label[i]) for i in chosen]
    halves = split_writers([str(corpus.writer[i]) for i in chosen])
    shipped = DecoderParams()
    greedy = [alphabet.decode(greedy_columns(output.values)) for output in outputs]
    print(f"{len(labels)} words, greedy: CER {error_rates(labels, greedy).cer:.2f} %")
    texts = candidates(WordDecoder(alphabet, lexicon, replace(shipped, **_WIDE)), outputs, greedy)
    best = (np.inf, shipped)
    for tried in sharpness:
        values = [output.values for output in outputs]
        readings = readings_of(alphabet, lexicon, tried, values, texts, labels)
        start = replace(shipped, sharpness=tried)
        best = min(best, (_crossed(readings, halves, start, unknown), start), key=lambda pair: pair[0])
    _print_best(readings_of(alphabet, lexicon, best[1].sharpness, values, texts, labels), best[1], unknown)


def candidates(decoder: WordDecoder, outputs: list[LogProbs], greedy: list[str]) -> list[list[str]]:
    """The readings the decoder looks at, never none."""
    found = []
    for output, written in zip(outputs, greedy, strict=True):
        decoder.reset()
        found.append([candidate.text for candidate in decoder.decode(output).candidates] or [written])
    return found


def split_writers(writers: list[str]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The words of both halves of the writers, every second one by the number of words."""
    names, counts = np.unique(writers, return_counts=True)
    if len(names) < 2:
        raise BadInputError("All words are of one writer.", advice="Tune on words of several writers.")
    first = names[np.argsort(-counts, kind="stable")][::2]
    inside = np.isin(writers, first)
    return np.flatnonzero(inside), np.flatnonzero(~inside)


def _crossed(
    readings: Readings,
    halves: tuple[NDArray[np.intp], NDArray[np.intp]],
    start: DecoderParams,
    unknown: float,
) -> float:
    """CER when each half is read with the weights of the other; prints it and the start's."""
    parts = [readings.of(half) for half in halves]
    fitted = [fit(part, unknown, start) for part in reversed(parts)]
    letters = np.array([part.letters.sum() for part in parts])
    figures = np.array(
        [
            [
                cer(part, params, unknown=blind)
                for part in parts
                for params in [start]
                for blind in (False, True)
            ],
            [
                cer(part, params, unknown=blind)
                for part, params in zip(parts, fitted, strict=True)
                for blind in (False, True)
            ],
        ]
    )
    for name, row in zip(("as shipped", "fitted on the other half"), figures, strict=True):
        known, blind = row[::2] @ letters / letters.sum(), row[1::2] @ letters / letters.sum()
        print(
            f"sharpness {start.sharpness}, {name}: CER {known:.2f} % (halves {row[0]:.2f}, {row[2]:.2f}), "
            f"as if every word were unknown {blind:.2f} %"
        )
    if figures[1, ::2] @ letters >= figures[0, ::2] @ letters:
        print("the other half does not gain: keep the shipped weights, or tune on more words")
    return float(figures[1, ::2] @ letters / letters.sum())


def _print_best(readings: Readings, start: DecoderParams, unknown: float) -> None:
    params = fit(readings, unknown, start)
    params = replace(params, certainty=certainty(readings, params))
    print(f"fitted on all: CER {cer(readings, params):.2f} %. Write into DecoderParams:")
    for field in fields(params):
        if field.name in {*FITTED, "sharpness", "certainty"}:
            print(f"    {field.name}: float = {getattr(params, field.name)}")


def _log_probs(recogniser: OnnxRecogniser, corpus: Shard, i: int) -> LogProbs:
    rows = corpus.word(i)
    return recogniser(Features(np.arange(len(rows)) / 100.0, rows, corpus.fingerprint))
