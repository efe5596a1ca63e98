"""The recogniser thread: every block through the pipeline, tentative text when there is time for it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable

from firmware_protocol.descriptor import Descriptor
from penapp.decode.types import Hypothesis
from penapp.errors import PenappError
from penapp.live_types import Failed, LiveEvent, MakePipeline, Pipeline, TextCommitted, TextTentative
from penapp.stream.queue import Arrival, BlockQueue

TENTATIVE_EVERY_S = 0.07

log = logging.getLogger(__name__)


class RecogniserThread:
    """Runs until the queue is closed and empty. `on_failure` gets what ended it early."""

    def __init__(
        self,
        queue: BlockQueue,
        make_pipeline: MakePipeline,
        on_event: Callable[[LiveEvent], None],
        on_failure: Callable[[Exception], None],
    ) -> None:
        self.contact = False
        self.thread = threading.Thread(target=self._run, name="penapp-recogniser", daemon=True)
        self._queue = queue
        self._make_pipeline = make_pipeline
        self._on_event = on_event
        self._on_failure = on_failure
        self._descriptor: Descriptor | None = None
        self._known = threading.Event()
        self._segment = 1
        self._tentative_at_s = 0.0
        self._shown = False

    def start(self) -> None:
        self.thread.start()

    def meet(self, descriptor: Descriptor | None) -> None:
        """The pen is known, so that the pipeline can be made; None: no pen will come (any more)."""
        self._descriptor = self._descriptor or descriptor
        self._known.set()

    def _run(self) -> None:
        try:
            self._known.wait()
            if self._descriptor is not None:
                pipeline = self._make_pipeline(self._descriptor)
                self._warn(getattr(pipeline, "warning", None))
                self._work(pipeline)
        except Exception as error:  # noqa: BLE001 -- end of the thread: the session shows it
            self._on_failure(error)

    def _warn(self, warning: PenappError | None) -> None:
        """Said once; the session goes on."""
        if warning is not None:
            self._on_event(Failed(warning.args[0], warning.advice))

    def _work(self, pipeline: Pipeline) -> None:
        started_s = time.monotonic()
        while (arrival := self._queue.take()) is not None:
            if not arrival.blocks:
                self._break_off(pipeline)
                continue
            if arrival.segment != self._segment:
                self._restart(pipeline, arrival)
            for block in arrival.blocks:
                decided_ns = time.perf_counter_ns()
                self._commit(pipeline.push(block), decided_ns, arrival, float(block.t[-1]))
            self.contact = pipeline.contact
            if self._queue.empty:
                self._offer_tentative(pipeline)
        self._commit(pipeline.finish(), time.perf_counter_ns())
        self.contact = False
        log.info("recogniser ended after %.1f s", time.monotonic() - started_s)

    def _restart(self, pipeline: Pipeline, arrival: Arrival) -> None:
        """The pen began a new segment: what was written before it stands for itself."""
        self._commit(pipeline.finish(), time.perf_counter_ns(), arrival)
        pipeline.reset()
        self._segment = arrival.segment

    def _break_off(self, pipeline: Pipeline) -> None:
        """The pen has been gone for too long to bridge: the word that was being written ends here."""
        self._commit(pipeline.finish(), time.perf_counter_ns())
        self._clear_tentative()
        self.contact = False

    def _commit(
        self,
        words: Iterable[Hypothesis],
        decided_ns: int,
        arrival: Arrival | None = None,
        block_t: float = 0.0,
    ) -> None:
        for word in words:
            arrival_ns = arrival.arrival_ns if arrival is not None else 0
            self._on_event(TextCommitted(word, decided_ns, arrival_ns, block_t))
            self._clear_tentative()

    def _offer_tentative(self, pipeline: Pipeline) -> None:
        now = time.monotonic()
        if now - self._tentative_at_s < TENTATIVE_EVERY_S:
            return
        self._tentative_at_s = now
        made_ns = time.perf_counter_ns()
        reading = pipeline.tentative()
        if reading is None:
            self._clear_tentative()
        else:
            self._shown = True
            self._on_event(TextTentative(reading, made_ns))

    def _clear_tentative(self) -> None:
        if self._shown:
            self._shown = False
            self._on_event(TextTentative(None, time.perf_counter_ns()))
