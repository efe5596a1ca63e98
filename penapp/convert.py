"""Recordings of other pens written as our own streams."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from penapp.device.axes import mounts
from penapp.device.recorded import RecordedStream, open_recorded
from penapp.device.recording import SUFFIX, Recording, StreamWriter
from penapp.device.stabilo import StabiloRecording
from penapp.device.stabilo_labels import written_text
from penapp.errors import BadInputError
from penapp.stream.assemble import StreamAssembler


@dataclass(frozen=True, slots=True)
class Converted:
    """What was written. notes: what had to be guessed or was left out, a sentence each.

    text: the file with the text beside the stream, for `penapp evaluate`; None where no labels are
    """

    samples: int
    lost: int
    loss_percent: float
    segments: int
    notes: tuple[str, ...]
    text: Path | None = None


def convert_recording(
    source: Path, target: Path, *, axes: str | None = None, rear_axes: str | None = None
) -> Converted:
    """The whole recording; `target` must not be there yet. Axes as in `penapp.device.axes.axis_map`.

    Raises:
        BadInputError: the source does not fit, or the target is there
        RecordingError: the target cannot be written
    """
    recorded = _opened(source, axes, rear_axes)
    try:
        written = written_text(source if source.is_dir() else source.parent)
        if target.suffix != SUFFIX:
            raise BadInputError(f"{target} is no name for a recorded stream, expected {target.stem}{SUFFIX}.")
        assembler = StreamAssembler(recorded.descriptor)
        writer = StreamWriter(target, recorded.descriptor)
        try:
            for batch in recorded.arrivals():
                writer.append_arrived(batch)
                for arrived in batch:
                    assembler.push(arrived.frame)
        finally:
            writer.close()
        beside = _write_text(target.with_suffix(".txt"), written) if written else None
        seen = assembler.counters
        return Converted(seen.samples, seen.lost, seen.loss_percent, seen.segments, recorded.notes, beside)
    finally:
        recorded.close()


def _write_text(path: Path, text: str) -> Path:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text + "\n")
    except OSError as error:
        raise BadInputError(
            f"the stream is written, its text {path} is not: {error.strerror}.",
            advice="Choose another name for both.",
        ) from error
    return path


def _opened(source: Path, axes: str | None, rear_axes: str | None) -> RecordedStream:
    recorded = open_recorded(source)
    if isinstance(recorded, Recording):
        recorded.close()
        raise BadInputError(f"{source} is a recorded stream already, expected another pen's recording.")
    if axes is None and rear_axes is None:
        return recorded
    return StabiloRecording(source, mounts(axes or "x,y,z", rear_axes))
