"""Predictions made up for tests of the assessment."""

from __future__ import annotations

from models.training.assess.predictions import Header, Predictions, Sample

HEADER = Header("base", "words500-right", "WI", None, "best-on-test", simulated=False)


def samples(*rows: tuple[str, str, str], **more) -> tuple[Sample, ...]:
    """From (writer, label, text); ids are numbers in order."""
    return tuple(Sample(f"s{i}", label, text, writer, **more) for i, (writer, label, text) in enumerate(rows))


def predictions(header: Header = HEADER, *rows: tuple[str, str, str], **more) -> Predictions:
    return Predictions(header, samples(*rows, **more))


THREE = (("ann", "house", "hose"), ("bob", "of", "of"), ("bob", "Tea", ""))
"""10 characters: one left out, none wrong, three left out."""
