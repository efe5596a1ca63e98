"""Raw recordings of the UbiComp challenges 2020 and 2021: sensor_data.csv, labels.csv, calibration.txt."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

from models.training.archives.layouts import SYMBOLS, Layout, ReadOptions, beside, folder_of
from models.training.archives.signals import Part, SetBuilder, SignalSet, Units
from models.training.archives.tree import Tree
from models.training.archives.units import PenCounts, read_calibration, to_si
from penapp.decode.alphabet import ONHW_LETTERS
from penapp.errors import BadInputError

SENSORS = "sensor_data.csv"
COLUMNS = 15
"""Millis of the tablet, the 13 channels, the pen's sample counter."""

_HEADER = "Expected one header row and 15 columns between semicolons: Millis, 13 channels, Time."


def _parts(tree: Tree) -> list[Part]:
    found = any(tree.parts(name)[-1] == SENSORS for name in tree.names)
    return [Part("raw-recordings", None, "all")] if found else []


def _read(tree: Tree, part: Part, options: ReadOptions) -> SignalSet:
    """Every labelled slice of every recording; `lost` counts the gaps of the sample counter inside it."""
    folders = [folder_of(name) for name in tree.names if tree.parts(name)[-1] == SENSORS]
    deep = options.persons_hold_recordings
    if deep is None:
        deep = all("/" in folder for folder in folders)
    builder = SetBuilder(part, str(tree.root), ONHW_LETTERS + SYMBOLS, options.max_rows)
    for folder in folders:
        _add_recording(
            tree, folder, tree.parts(beside(folder, SENSORS))[-3 if deep else -2], builder, options
        )
    return builder.done(Units.SI if options.calibrated else Units.COUNTS)


def _add_recording(tree: Tree, folder: str, writer: str, builder: SetBuilder, options: ReadOptions) -> None:
    table = sensor_table(tree, beside(folder, SENSORS))
    millis, counts = table[:, 0], table[:, 1:14].astype(np.float32)
    missing = missing_before(table[:, 14])
    values = to_si(counts, _calibration(tree, folder)) if options.calibrated else counts
    for label, start, stop in _labels(tree, beside(folder, "labels.csv")):
        inside = np.flatnonzero((millis >= start) & (millis < stop))
        lost = int(missing[inside[1:]].sum())
        builder.add(values[inside], label, writer, lost, tree.place(folder))


def sensor_table(tree: Tree, name: str) -> NDArray[np.float64]:
    """(n, 15) of a sensor_data.csv."""
    _, _, body = tree.text(name).partition("\n")
    if not body.strip():
        return np.empty((0, COLUMNS))
    try:
        return np.loadtxt(io.StringIO(body), delimiter=";", ndmin=2, usecols=range(COLUMNS))
    except (ValueError, IndexError) as error:
        raise BadInputError(f"{tree.place(name)} is no sensor table: {error}.", advice=_HEADER) from error


def missing_before(counter: NDArray[np.float64]) -> NDArray[np.int64]:
    """(n,) samples missing right before each one; a counter that begins anew loses nothing."""
    steps = np.diff(counter, prepend=counter[:1] - 1)
    return np.asarray(np.maximum(steps - 1.0, 0.0), dtype=np.int64)


def _calibration(tree: Tree, folder: str) -> PenCounts | None:
    name = beside(folder, "calibration.txt")
    return read_calibration(tree.text(name), tree.place(name)) if name in tree else None


def _labels(tree: Tree, name: str) -> list[tuple[str, float, float]]:
    """Label, first millisecond, millisecond after the last."""
    labels = []
    for number, line in enumerate(tree.text(name).splitlines()[1:], start=2):
        if not line.strip():
            continue
        try:
            label, start, stop = line.split(";")[:3]
            labels.append((label.strip(), float(start), float(stop)))
        except ValueError as error:
            raise BadInputError(
                f"{tree.place(name)}, line {number} reads {line!r:.60}.", advice="Expected label;start;stop."
            ) from error
        if labels[-1][2] < labels[-1][1]:
            raise BadInputError(f"{tree.place(name)}, line {number} stops before it starts: {line!r:.60}.")
    return labels


RAW_RECORDINGS = Layout(
    "raw recordings of the challenge",
    "PERSON/sensor_data.csv or PERSON/RECORDING/sensor_data.csv",
    _parts,
    _read,
)
