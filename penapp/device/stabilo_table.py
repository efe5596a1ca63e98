"""`sensor_data.csv` of the STABILO challenge recordings: 15 columns of whole numbers, each fault named."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penapp.errors import BadInputError

COLUMNS = (
    "Millis", "Acc1 X", "Acc1 Y", "Acc1 Z", "Acc2 X", "Acc2 Y", "Acc2 Z", "Gyro X", "Gyro Y", "Gyro Z",
    "Mag X", "Mag Y", "Mag Z", "Force", "Time",
)  # fmt: skip
"""Millis: when the tablet received the sample; Time: the pen's own sample counter."""
EXPECTED = "Expected a header row and 15 columns between semicolons: " + "; ".join(COLUMNS) + "."
_INT16 = np.iinfo(np.int16)
_COUNTS = slice(1, 14)


@dataclass(frozen=True)
class SensorTable:
    """One recording as it stands in its file.

    millis:     (n,)    float64, receive times of the tablet
    counts:     (n, 13) int16, field order
    counter:    (n,)    int64, the pen's sample counter
    by_place:   the header names the columns in another way: they were taken by their place
    torn:       the last line was cut short and left out
    """

    millis: NDArray[np.float64]
    counts: NDArray[np.int16]
    counter: NDArray[np.int64]
    by_place: bool = False
    torn: bool = False


def read_table(path: Path) -> SensorTable:
    """The whole file; BadInputError names the file, the line and what is wrong there."""
    lines = _text(path).splitlines()
    if not lines:
        raise BadInputError(f"{path} is empty.", advice=EXPECTED)
    order = _order(lines[0], path)
    torn = len(lines) > 1 and _fields(lines[-1]) not in (0, len(COLUMNS))
    body = lines[1:-1] if torn else lines[1:]
    _check_fields(body, path)
    values = _numbers(body, path)[:, order or range(len(COLUMNS))]
    if not len(values):
        raise BadInputError(f"{path} holds no samples, only a header.", advice=EXPECTED)
    _check_counts(values[:, _COUNTS], path)
    _check_whole(values[:, -1], path)
    if not np.isfinite(values[:, 0]).all():
        raise BadInputError(f"{path}: Millis holds something that is no time.", advice=EXPECTED)
    return SensorTable(
        values[:, 0], values[:, _COUNTS].astype(np.int16), values[:, -1].astype(np.int64), order is None, torn
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadInputError(f"{path} cannot be opened: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise BadInputError(f"{path} is no text: byte {error.start} is no UTF-8.", advice=EXPECTED) from error


def _order(header: str, path: Path) -> list[int] | None:
    """Where each of our columns stands; None: named in a way we do not know, but there are 15."""
    names = [_plain(name) for name in header.split(";")]
    while names and not names[-1]:
        names.pop()
    wanted = [_plain(name) for name in COLUMNS]
    if set(wanted) <= set(names) and len(names) == len(wanted):
        return [names.index(name) for name in wanted]
    if len(names) == 1:
        raise BadInputError(
            f"{path} has no semicolon in its first line: {header[:60]!r}.",
            advice=EXPECTED,
        )
    if any(re.fullmatch(r"[-+]?\d+(\.\d*)?", name.strip()) for name in header.split(";")):
        raise BadInputError(f"{path} begins with numbers instead of a header row.", advice=EXPECTED)
    missing = [name for name in COLUMNS if _plain(name) not in names]
    known = len(COLUMNS) - len(missing)
    if len(names) != len(COLUMNS) or known >= 2:  # some of our names are there: the others are missing
        raise BadInputError(
            f"{path} has {len(names)} columns and lacks {', '.join(missing) or 'none of ours'}.",
            advice=EXPECTED,
        )
    return None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _fields(line: str) -> int:
    """Fields of a line, 0 for a blank one; a semicolon at its end begins none."""
    line = line.strip()
    return len(line.removesuffix(";").split(";")) if line else 0


def _check_fields(body: list[str], path: Path) -> None:
    for number, line in enumerate(body, start=2):
        if (found := _fields(line)) not in (0, len(COLUMNS)):
            raise BadInputError(
                f"{path}, line {number} has {found} fields, expected {len(COLUMNS)}: {line[:60]!r}.",
                advice="The file is damaged there: get it anew, or cut it at that line.",
            )


def _numbers(body: list[str], path: Path) -> NDArray[np.float64]:
    """(n, 15) float64."""
    if not any(line.strip() for line in body):
        return np.empty((0, len(COLUMNS)))
    try:
        return np.loadtxt(
            io.StringIO("\n".join(body)), delimiter=";", ndmin=2, usecols=range(len(COLUMNS)), comments=None
        )
    except ValueError:
        number, line = _not_a_number(body)
        raise BadInputError(
            f"{path}, line {number} holds something that is no number: {line[:60]!r}.", advice=EXPECTED
        ) from None


def _not_a_number(body: list[str]) -> tuple[int, str]:
    for number, line in enumerate(body, start=2):
        try:
            [float(field) for field in line.strip().removesuffix(";").split(";") if line.strip()]
        except ValueError:
            return number, line
    return 2, body[0]


def _check_counts(counts: NDArray[np.float64], path: Path) -> None:
    """Raw counts are whole numbers of 16 bits; values in g or degrees are not."""
    inside = (counts >= _INT16.min) & (counts <= _INT16.max)
    good = inside & (counts == np.rint(counts))
    if not good.all():
        row, column = (int(k) for k in np.argwhere(~good)[0])
        raise BadInputError(
            f"{path}: {COLUMNS[1 + column]} of sample {row + 1} is {counts[row, column]:g}, expected a whole "
            f"number from {_INT16.min} to {_INT16.max}: raw counts, not physical units.",
            advice="Take the recording as the pen's tablet wrote it, before any conversion.",
        )


def _check_whole(counter: NDArray[np.float64], path: Path) -> None:
    good = (counter >= 0) & (counter < 2.0**53) & (counter == np.rint(counter))
    if not good.all():
        row = int(np.argmin(good))
        raise BadInputError(
            f"{path}: the sample counter (Time) of sample {row + 1} is {counter[row]:g}, "
            "expected a whole number from 0 on.",
            advice=EXPECTED,
        )
