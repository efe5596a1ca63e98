"""The recorder of a session: whoever has something to keep hands it over and goes on; a thread writes."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from penapp.device.errors import RecordingError
from penapp.device.source import ArrivedFrame
from penapp.record.head import SessionHead
from penapp.record.session_file import SessionFile
from penapp.record.types import EventKind, SessionEvent, SessionRecord

log = logging.getLogger(__name__)

CLOSE_S = 30.0
FRESH_NS = 600_000_000_000
"""A frame that arrived longer ago, or is still to come, arrived by another clock."""


@dataclass(frozen=True, slots=True)
class WriterParams:
    """flush_s: at most this much is lost when the program is killed; sync_s: when the power goes
    slow_s: a disk that has not taken anything for so long is worth a word
    """

    flush_s: float = 0.5
    sync_s: float = 5.0
    slow_s: float = 3.0


@dataclass(frozen=True, slots=True)
class _Batch:
    frames: tuple[ArrivedFrame, ...]
    mapped_ns: tuple[int | None, ...]
    at_ns: int
    monotonic_ns: int


@dataclass(frozen=True, slots=True)
class _Entry:
    record: SessionRecord
    at_ns: int


@dataclass(frozen=True, slots=True)
class _Note:
    name: str
    values: Mapping[str, str]


class SessionWriter:
    """Writes one session file. `append` and `add` may be called from any thread and never wait for the disk.

    on_error: told once, from the writer's thread, when the recording has stopped (disk full, file removed,
              ...): `error` says the same from then on, what was written before is safe
    on_slow:  told once when the disk falls behind: seconds; nothing is lost, memory grows
    """

    def __init__(
        self,
        path: Path,
        head: SessionHead,
        *,
        params: WriterParams | None = None,
        on_error: Callable[[RecordingError], None] = lambda _: None,
        on_slow: Callable[[float], None] = lambda _: None,
    ) -> None:
        """A new file with its head in it; raises `BadInputError` if it is there, else `RecordingError`."""
        self.path = path
        self.head = head
        self.error: RecordingError | None = None
        self._params = params or WriterParams()
        self._on_error, self._on_slow = on_error, on_slow
        self._file = SessionFile(path, head)
        self._waiting: deque[_Batch | _Entry | _Note] = deque()
        self._wake = threading.Event()
        self._idle = threading.Condition()
        self._asked = self._done = 0
        self._closing = False
        self._slow_told = False
        self._busy_since_s: float | None = None
        self._last_sync_s = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="penapp-recorder", daemon=True)
        self._thread.start()

    @property
    def written_bytes(self) -> int:
        return self._file.written_bytes

    @property
    def waiting(self) -> int:
        """Batches and records that the disk has not taken yet."""
        return len(self._waiting)

    def append(self, batch: Sequence[ArrivedFrame], mapped_ns: Sequence[int | None] | None = None) -> None:
        """Frames in order of arrival; mapped_ns: for each, when its first sample was taken (ns since 1970),
        None where the clock does not know. Raises the error that has stopped the recording.
        """
        mapped = tuple(mapped_ns) if mapped_ns is not None else (None,) * len(batch)
        self._put(_Batch(tuple(batch), mapped, time.time_ns(), time.perf_counter_ns()))

    def add(self, record: SessionRecord, at_ns: int | None = None) -> None:
        """An event, prompt, label edit or clock segment; at_ns: ns since 1970, default now."""
        self._put(_Entry(record, time.time_ns() if at_ns is None else at_ns))

    def note(self, name: str, values: Mapping[str, str]) -> None:
        """A metadata record; of several with the same name a reader takes the last."""
        self._put(_Note(name, dict(values)))

    def flush(self, timeout_s: float = CLOSE_S) -> bool:
        """Wait until all that was handed over is in the file; False if it is not by then."""
        with self._idle:
            self._asked += 1
            wanted = self._asked
            self._wake.set()
            self._idle.wait_for(lambda: self._done >= wanted or self._ended, timeout_s)
            return self._done >= wanted and self.error is None

    def close(self, timeout_s: float = CLOSE_S) -> None:
        """Write what waits, close the file. Idempotent; what goes wrong is told like any other error."""
        self._closing = True
        self._wake.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)

    @property
    def _ended(self) -> bool:
        return self.error is not None or not self._thread.is_alive()

    def _put(self, item: _Batch | _Entry | _Note) -> None:
        if self.error is not None:
            raise self.error
        self._waiting.append(item)
        busy_since_s = self._busy_since_s
        if busy_since_s is not None:
            self._mention(time.monotonic() - busy_since_s)

    def _run(self) -> None:
        try:
            while not self._closing:
                self._wake.wait(self._params.flush_s)
                self._wake.clear()
                self._round()
            self._round()
            self._file.finish()
            log.info("recorded path=%s bytes=%d", self.path, self.written_bytes)
        except RecordingError as error:
            self._stop(error)
        except Exception as error:
            log.exception("recorder")
            self._stop(
                RecordingError(
                    f"the recording {self.path} stops: {type(error).__name__}: {error}.",
                    advice="What was written before is safe. Please report it with the log.",
                )
            )
        finally:
            with self._idle:
                self._idle.notify_all()

    def _round(self) -> None:
        wanted = self._asked
        self._busy_since_s = began_s = time.monotonic()
        while self._waiting:
            self._write(self._waiting.popleft())
        self._file.flush()
        if time.monotonic() - self._last_sync_s >= self._params.sync_s:
            self._file.sync()
            self._last_sync_s = time.monotonic()
        self._busy_since_s = None
        self._mention(time.monotonic() - began_s)
        with self._idle:
            self._done = wanted
            self._idle.notify_all()

    def _write(self, item: _Batch | _Entry | _Note) -> None:
        if isinstance(item, _Entry):
            self._file.record(item.record, item.at_ns)
        elif isinstance(item, _Note):
            self._file.note(item.name, item.values)
        else:
            for arrived, mapped_ns in zip(item.frames, item.mapped_ns, strict=True):
                self._file.frame(arrived.frame, self._log_ns(arrived, item), mapped_ns)

    def _log_ns(self, arrived: ArrivedFrame, batch: _Batch) -> int:
        """Arrivals that are not of this program's clock (a recording is being copied) say nothing here, nor
        does one that is not known (0), though a computer just started was at 0 a moment ago.
        """
        if arrived.arrival_ns and 0 <= batch.monotonic_ns - arrived.arrival_ns < FRESH_NS:
            return arrived.arrival_ns + self.head.monotonic_offset_ns
        return batch.at_ns

    def _mention(self, busy_s: float) -> None:
        """The disk takes long: said once, on whatever thread notices it; it goes into the file as well."""
        if busy_s < self._params.slow_s or self._slow_told:
            return
        self._slow_told = True
        log.warning("the disk took %.1f s path=%s", busy_s, self.path)
        event = SessionEvent(EventKind.RECORDER, f"the disk took {busy_s:.1f} s to write")
        self._waiting.append(_Entry(event, time.time_ns()))
        self._on_slow(busy_s)

    def _stop(self, error: RecordingError) -> None:
        self._file.abandon()
        self._waiting.clear()
        self.error = error
        log.error("%s", error)
        self._on_error(error)
