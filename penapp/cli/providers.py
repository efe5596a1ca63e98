"""`--provider`: what the recogniser computes on, and the truth about it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from penapp.live_types import MakePipeline

CPU = "cpu"

provider_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--provider",
    default=CPU,
    show_default=True,
    metavar="NAME",
    help="What computes: cpu, cuda, coreml, directml or openvino; what is really used is told.",
)


def pipeline_on(provider: str) -> MakePipeline:
    """The shipped pipeline on a provider; for any but the CPU one line tells what is really used."""
    from penapp.pipeline import default_pipeline

    if provider == CPU:
        return default_pipeline
    from penapp.recognise.session import OnnxRecogniser

    report = OnnxRecogniser(provider=provider).report
    click.echo(f"penapp: the recogniser runs on {report}. {report.advice}".rstrip(), err=True)
    return partial(default_pipeline, provider=provider)
