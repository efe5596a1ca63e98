"""Exactly cut words against added delay: `python tests/benchmarks/bench_segmentation.py INK.npz [--all]`.

INK.npz is an ink file in the layout of unipen-words. Lines of its test writers, composed as
segmentation_gaps.toml says, go through the live stages, where the shipped recogniser has its vote (--alone:
motion decides by itself); the baseline closes a word after a fixed pause. Without --all every third writer
is used.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from segmentation_lines import GAPS, Lines, Setting, line_sessions
from segmentation_score import HEADER, by_pause, segmented

from penapp.decode.lexicon import Lexicon
from penapp.read_along import StretchScorer
from penapp.recognise.session import OnnxRecogniser
from penapp.segment.params import READ_ALONG, SINGLE_WORDS, SegmentParams
from penapp.simulation.ink import InkCorpus
from penapp.simulation.pen import SIMULATOR_VERSION

DELAYS_S = (0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0, 1.2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("ink", type=Path)
    parser.add_argument("--part", default="test", choices=("val", "test"))
    parser.add_argument("--all", action="store_true", help="every writer, not every third")
    parser.add_argument("--alone", action="store_true", help="motion decides without the reading")
    parser.add_argument("--only", type=Setting, choices=Setting, help="one table, at the shipped delay only")
    options = parser.parse_args()
    corpus = InkCorpus.load(options.ink)
    every = 1 if options.all else 3
    scorer = None if options.alone else StretchScorer(OnnxRecogniser(), Lexicon.load())
    params = SegmentParams() if scorer is None else READ_ALONG
    print(f"gaps version {GAPS['version']}, simulator {SIMULATOR_VERSION}, part {options.part}")
    for setting in [options.only] if options.only else Setting:
        sessions = list(line_sessions(corpus, options.part, setting=setting, every=every))
        count = sum(len(s.words) for s in sessions)
        writers = len({s.writer for s in sessions})
        print(f"\n{setting.value}: {count} words of {writers} writers; percent, seconds")
        few = (params.commit_delay_s,) if options.only else (0.5, 0.7, 1.0)
        curve(sessions, DELAYS_S if setting is Setting.LINES and not options.only else few, params, scorer)
        if setting is Setting.ISOLATED:
            print(f"SINGLE_WORDS    {segmented(sessions, SINGLE_WORDS).line()}")
    if not options.only:
        every_rate(corpus, options.part, every, params, scorer)


def every_rate(
    corpus: InkCorpus, part: str, every: int, params: SegmentParams, scorer: StretchScorer | None
) -> None:
    print("\nlines, every pen rate, delay 0.7 s, fewer writers")
    for rate_hz in (GAPS["test"]["rate_hz"], *GAPS["test"]["other_rates_hz"]):
        few = every * GAPS["test"]["other_rates_every"]
        sessions = line_sessions(corpus, part, rate_hz=rate_hz, every=few)
        found = segmented(sessions, params, scorer).line()
        print(f"{rate_hz:5.0f} Hz        {HEADER}\n                {found}")


def curve(
    sessions: list[Lines], delays_s: tuple[float, ...], params: SegmentParams, scorer: StretchScorer | None
) -> None:
    print(f"delay  segmenter{HEADER}   fixed pause{HEADER}   ratio of words not exact")
    for delay_s in delays_s:
        ours = segmented(sessions, at_delay(params, delay_s), scorer)
        fixed = by_pause(sessions, delay_s)
        ratio = (ours.words - ours.exact) / max(fixed.words - fixed.exact, 1)
        print(f"{delay_s:5.2f}           {ours.line()}              {fixed.line()}   {ratio:.2f}")


def at_delay(params: SegmentParams, delay_s: float) -> SegmentParams:
    """The same parameters with another commit delay."""
    longest_s = delay_s + params.longest_pause_s - params.commit_delay_s
    calm_s = max(delay_s, params.calm_longest_s)
    return replace(params, commit_delay_s=delay_s, longest_pause_s=longest_s, calm_longest_s=calm_s)


if __name__ == "__main__":
    main()
