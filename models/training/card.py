"""The model card: manifest and measured figures, put into a template that says the rest."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from penapp.errors import BadInputError, ModelMismatchError
from penapp.recognise.artefact import Manifest

COLUMNS = {
    "group": "group",
    "words": "words",
    "writers": "writers",
    "greedy_cer": "greedy CER",
    "greedy_wer": "greedy WER",
    "decoded_cer": "lexicon CER",
    "decoded_wer": "lexicon WER",
    "greedy_cer_given": "greedy CER, given cuts",
    "exact_cuts": "cut exactly",
    "oov": "out of lexicon",
    "writer_cer": "writers 10 / 50 / 90 %",
}
"""Keys of a group in the output of `penapp evaluate --json`, and their headings."""


@dataclass(frozen=True)
class Result:
    """One output of `penapp evaluate --json`: facts that pin the run, a row of figures per group."""

    facts: dict[str, Any]
    groups: list[dict[str, Any]]


def read_result(path: Path) -> Result:
    """BadInputError when the file is no output of `penapp evaluate --json`."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        groups = facts.pop("groups")
        for name in ("corpus", "model"):
            facts[name]
        for row in groups:
            [row[key] for key in COLUMNS]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInputError(
            f"{path} is not an evaluation ({type(error).__name__}: {error}).",
            advice="Make it with `penapp evaluate CORPUS --json > FILE`.",
        ) from error
    return Result(facts, groups)


def write_card(folder: Path, manifest: Manifest, results: Sequence[Result], template: Path) -> None:
    """Write CARD.md; ModelMismatchError when a result is of another model."""
    expected = f"{manifest.name} {manifest.sha256[:12]}"
    for result in results:
        if result.facts["model"] != expected:
            raise ModelMismatchError(
                f"an evaluation of {result.facts['corpus']} is of model {result.facts['model']}, "
                f"the card is for {expected}.",
                advice="Evaluate the exported model again.",
            )
    text = _filled(template, manifest, results)
    temporary = folder / "CARD.md.part"
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, folder / "CARD.md")  # noqa: PTH105 - one atomic call


def _filled(template: Path, manifest: Manifest, results: Sequence[Result]) -> str:
    values = {
        "name": manifest.name,
        "version": manifest.version,
        "parameters": f"{manifest.parameters:,}",
        "stride_ms": round(1000 * manifest.stride / manifest.params.rate_hz),
        "letters": manifest.alphabet.letters,
        "features": manifest.fingerprint,
        "normalisation": manifest.params.normalisation,
        "sha256": manifest.sha256,
        "figures": "\n\n".join(map(_section, results)),
    }
    try:
        return Template(template.read_text(encoding="utf-8")).substitute(values)
    except (KeyError, ValueError) as error:
        raise BadInputError(
            f"{template}: unknown or broken placeholder ({error}).",
            advice=f"Known: {', '.join(values)}; a plain dollar sign is written $$.",
        ) from error


def _section(result: Result) -> str:
    facts = "; ".join(f"{name} {value}" for name, value in result.facts.items() if name != "model")
    heading = [_line(COLUMNS.values()), _line("---" for _ in COLUMNS)]
    rows = [_line(_shown(row[key]) for key in COLUMNS) for row in result.groups]
    return "\n".join([facts, "", *heading, *rows])


def _line(cells: Iterable[object]) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


def _shown(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, list):
        return " / ".join(f"{v:.1f}" for v in value)
    return f"{value:.1f}" if isinstance(value, float) else str(value)
