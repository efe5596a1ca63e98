"""A recorded stream to text, on the caller's thread, through the stages of the live session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from penapp.decode.types import Hypothesis
from penapp.device.recorded import open_recorded
from penapp.live_types import MakePipeline
from penapp.stream.assemble import StreamAssembler, StreamCounters
from penapp.stream.merge import assembled


@dataclass(frozen=True, slots=True)
class DecodedRecording:
    """What a recording says. damaged_frames: stretches of the file that were no frame."""

    path: Path
    words: tuple[Hypothesis, ...]
    counters: StreamCounters
    damaged_frames: int
    pen_name: str

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


def decode_recording(
    path: Path,
    make_pipeline: MakePipeline,
    on_progress: Callable[[int], None] = lambda _: None,
) -> DecodedRecording:
    """All words of the file; on_progress gets the bytes read so far. Raises what `open_recorded` raises."""
    recording = open_recorded(path)
    try:
        pipeline = make_pipeline(recording.descriptor)
        assembler = StreamAssembler(recording.descriptor)
        words: list[Hypothesis] = []
        segment = 1
        for batch in recording.frames():
            for number, blocks in assembled(assembler, batch):
                if number != segment:
                    words += pipeline.finish()
                    pipeline.reset()
                    segment = number
                for block in blocks:
                    words += pipeline.push(block)
            on_progress(recording.read_bytes)
        words += pipeline.finish()
        damaged = recording.counters.damaged_frames
        name = recording.descriptor.name
        return DecodedRecording(path, tuple(words), assembler.counters, damaged, name)
    finally:
        recording.close()
