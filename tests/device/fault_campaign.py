"""Faults in random order under running sessions, several pens at once, and what came of each of them."""

from __future__ import annotations

import os
import re
import tempfile
import threading
import time
from array import array
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from firmware_protocol.descriptor import standard_descriptor
from firmware_protocol.fault_plan import FaultKind, FaultPlan, PenFault
from penapp.device.faulty_far_end import FaultyVirtualPen
from penapp.device.looked_after import serial_pen
from penapp.device.recorded import open_recorded
from penapp.link_words import search_sentence
from penapp.live import GapSeen, LinkState, LiveSession, TextCommitted
from penapp.stream.assemble import StreamAssembler
from penapp.stream.block import SampleBlock
from tests.device.toy_pens import (
    FORCE_COUNTS,
    PAUSE,
    STEP_COUNTS,
    WORD,
    GapToyPipeline,
    numbers_of,
    write_numbers,
)

RATE_HZ = 100.0
SPEED = 20.0
WORD_SAMPLES = WORD + PAUSE
CUTTING = {
    FaultKind.UNPLUG,
    FaultKind.ADAPTER_OFF,
    FaultKind.REBOOT,
    FaultKind.REFUSE,
    FaultKind.SLOW,
    FaultKind.STALL,
    FaultKind.SILENCE,
    FaultKind.REPLACED,
}
"""After these the pen has to be reached again, or to speak again."""
RESTARTED, MISREAD = -1, -1
FRESH_S = 0.1
_AT_ONCE = 16
"""Rows that cannot hold samples of two words."""
QUIET_SAMPLES = 400
"""Written undisturbed after the last fault."""


def letter(word: int) -> str:
    return chr(ord("a") + word * 7 % 26)


class EndlessInk:
    """Word after word for ever; every sample carries its number."""

    def __init__(self, seed: int) -> None:
        self.descriptor = standard_descriptor(RATE_HZ, boot_id=seed + 1, name=f"pen {seed}")
        self.at = 0

    def read(self, n: int):
        numbers = np.arange(self.at, self.at + n)
        self.at += n
        counts = np.zeros((n, 13), dtype=np.int16)
        pressing = numbers % WORD_SAMPLES < WORD
        levels = (numbers // WORD_SAMPLES * 7 % 26 + 1) * STEP_COUNTS
        counts[:, 0] = np.where(pressing, levels, 0)
        counts[:, 12] = np.where(pressing, FORCE_COUNTS, 0)
        write_numbers(counts, numbers)
        return counts


class CensusPipeline(GapToyPipeline):
    """Reads the toy words and says which word it was: `x17`; keeps which samples came.

    edges: first and last number of each stretch, one after the other (little memory: it must stay flat)
    """

    def __init__(self, descriptor=None):
        self.edges = array("q")
        super().__init__(descriptor)

    def reset(self):
        super().reset()
        self._numbers = []

    def push(self, block):
        numbers = numbers_of(block.values)
        for run in np.split(numbers, np.flatnonzero(np.diff(numbers) != 1) + 1):
            if self.edges and run[0] == self.edges[-1] + 1:
                self.edges[-1] = run[-1]
            else:
                self.edges.extend((int(run[0]), int(run[-1])))
        words = []
        for a in range(0, len(block), _AT_ONCE):
            rows = slice(a, a + _AT_ONCE)
            part = SampleBlock(block.t[rows], block.values[rows], 0 if a else block.lost, block.valid)
            words += self.finish() if part.lost > 30 else []
            self._numbers += numbers[rows][part.values[:, 12] > 0.5].tolist()
            words += super().push(part)
        return words

    @property
    def runs(self):
        """First and last number of each stretch of samples that came."""
        return list(zip(self.edges[::2], self.edges[1::2], strict=True))

    def _reading(self, state):
        found = super()._reading(state)
        word = int(np.median(self._numbers)) // WORD_SAMPLES if self._numbers else -1
        if state.name == "COMMITTED":
            self._numbers = []
        return type(found)(f"{found.text}{word}", (), (), 1.0, state, found.start_t, found.end_t)


@dataclass
class Outcome:
    """What one fault came to.

    gaps:       samples missing in each, or RESTARTED
    recovery_s: from the moment the pen can be reached again to the first sample; None = it was not away
    """

    fault: PenFault
    recovery_s: float | None
    gaps: list[int]
    seen: list[str]


@dataclass
class PenResult:
    """What one pen's session came to; `wrong` is empty when everything was as it must be."""

    outcomes: list[Outcome]
    wrong: list[str]
    exact_gaps: int
    restarts: int
    words: int
    samples: int


@dataclass
class Campaign:
    """`count` faults shared by several pens, drawn by seed."""

    count: int
    pens: int
    seed: int
    every_samples: int = 1200
    carrier: str = "serial"
    make_run: type[PenRun] | None = None
    kinds: tuple[FaultKind, ...] = tuple(FaultKind)
    results: list[PenResult] = field(default_factory=list)
    most_threads: int = 0
    rss_mb: list[float] = field(default_factory=list)

    def run(self) -> Campaign:
        """All pens at once; returns when every plan is over and every session has been stopped."""
        each = [self.count // self.pens + (k < self.count % self.pens) for k in range(self.pens)]
        whole = FaultPlan.drawn(self.count, self.seed, every_samples=self.every_samples, kinds=self.kinds)
        plans, first = [], 0
        for n in each:
            part = whole.faults[first : first + n]
            base = part[0].at_sample - self.every_samples if part else 0
            plans.append(FaultPlan(tuple(PenFault(f.kind, f.at_sample - base, f.duration_s) for f in part)))
            first += n
        make_run = self.make_run or PenRun
        runs = [make_run(plan, self.seed * 100 + k) for k, plan in enumerate(plans)]
        try:
            while any(run.going for run in runs):
                for run in runs:
                    run.look()
                self.most_threads = max(self.most_threads, threading.active_count())
                self._weigh(sum(run.begun for run in runs))
                time.sleep(0.02)
        finally:
            for run in runs:
                run.stop()
        self.results = [run.result() for run in runs]
        return self

    @property
    def outcomes(self) -> list[Outcome]:
        return [outcome for result in self.results for outcome in result.outcomes]

    @property
    def wrong(self) -> list[str]:
        return [line for result in self.results for line in result.wrong]

    @property
    def recoveries_s(self) -> list[float]:
        return [o.recovery_s for o in self.outcomes if o.recovery_s is not None]

    def _weigh(self, begun: int) -> None:
        """Memory after each tenth of the faults."""
        if begun * 10 // max(1, self.count) >= len(self.rss_mb):
            self.rss_mb.append(rss_mb())


class PenRun:
    """One pen with its plan, one session on it."""

    SUFFIX, PLACE = "pen", "PORT"

    def __init__(self, plan: FaultPlan, seed: int) -> None:
        self._plan = plan
        self.pipeline: CensusPipeline | None = None
        self._words = array("q")
        self._gaps_at_s, self._gaps_lost = array("d"), array("q")
        self._seen: dict[int, dict[str, None]] = defaultdict(dict)
        self._quiet_from: int | None = None
        self._stalls = 0
        self._ink = EndlessInk(seed)
        self._session: LiveSession | None = None
        self._pen = self._plugged_in(plan)
        self._address = self._pen.address
        self._folder = tempfile.TemporaryDirectory()
        self._recording = Path(self._folder.name) / f"session.{self.SUFFIX}"
        self._session = LiveSession(
            self._source(), self._make_pipeline, record_to=self._recording, on_event=self._event
        )
        self._session.start()

    def _plugged_in(self, plan: FaultPlan):
        return FaultyVirtualPen(
            self._ink, plan, speed=SPEED, on_fault=self._host_stall, received=self._receives
        )

    def _source(self):
        return serial_pen(self._address)

    def _receives(self) -> bool:
        """The next fault waits until the last one is over for the host as well."""
        session = self._session
        if session is None:
            return False
        return session._track.state is LinkState.STREAMING and session._intake.rate.silent_s() < FRESH_S

    @property
    def begun(self) -> int:
        return len(self._pen.pen.history)

    @property
    def going(self) -> bool:
        if self._session.error is not None or self._session.wait(0.0):
            return False
        over = not self._pen.pen.ahead and self._pen.pen.well and self._session.status().search is None
        if over and self._quiet_from is None:
            self._quiet_from = self._session.status().samples
        return not (over and self._session.status().samples >= (self._quiet_from or 0) + QUIET_SAMPLES)

    def look(self) -> None:
        """What a user sees just now belongs to the fault that goes on."""
        status = self._session.status()
        if self.begun and status.search is not None:
            sentence = search_sentence(status).split(" (try")[0]
            seconds_away = " ".join("…" if w.isdigit() else w for w in sentence.split())
            message = re.sub(r"pen \d+", "pen", status.message.replace(self._address, self.PLACE))
            self._seen[self.begun - 1][f"{seconds_away}: {message}".rstrip(": ")] = None

    def stop(self) -> None:
        self._session.stop()
        self._pen.unplug()

    def result(self) -> PenResult:
        wrong = [] if self._session.error is None else [f"the session ended: {self._session.error}"]
        runs = self.pipeline.runs if self.pipeline is not None else []
        holes = [(a[1] + 1, b[0] - 1) for a, b in pairwise(runs)]
        wrong += self._unequal(holes)
        wrong += self._misread(runs)
        wrong += self._recorded_otherwise(runs)
        reboots = sum(h.fault.kind is FaultKind.REBOOT for h in self._pen.pen.history)
        restarts = self._gaps_lost.count(RESTARTED)
        wrong += [f"{reboots} restarts, {restarts} told"] if restarts != reboots else []
        wrong += [f"fault never began: {f}" for f in self._plan.faults[self.begun :]]
        outcomes = [self._outcome(k) for k in range(self.begun)]
        exact = len(self._gaps_lost) - restarts
        samples = sum(b - a + 1 for a, b in runs)
        return PenResult(outcomes, wrong, exact, restarts, len(self._words), samples)

    def _make_pipeline(self, descriptor):
        self.pipeline = CensusPipeline(descriptor)
        return self.pipeline

    def _event(self, event) -> None:
        if isinstance(event, GapSeen):
            self._gaps_at_s.append(time.monotonic())
            self._gaps_lost.append(RESTARTED if event.gap.lost is None else event.gap.lost)
        elif isinstance(event, TextCommitted):
            read, word = event.hypothesis.text[0], int(event.hypothesis.text[1:])
            self._words.append(word if read == letter(word) else MISREAD)

    def _host_stall(self, fault: PenFault) -> None:
        if fault.kind is FaultKind.HOST_STALL and self._session._loop is not None:
            self._session._loop.call_soon_threadsafe(time.sleep, fault.duration_s)

    def _unequal(self, holes: list[tuple[int, int]]) -> list[str]:
        """Every gap told is a hole in the samples, as long as told, in the same order; and none else."""
        told = self._gaps_lost
        if len(told) != len(holes):
            return [f"{len(told)} gaps were told, {len(holes)} are there"]
        return [
            f"gap {k}: {lost} samples told, {last - first + 1} missing"
            for k, (lost, (first, last)) in enumerate(zip(told, holes, strict=True))
            if lost not in {RESTARTED, last - first + 1}
        ]

    def _misread(self, runs: list[tuple[int, int]]) -> list[str]:
        """A word of which every sample came must be there, once, and read right."""
        whole = (
            word
            for first, last in runs
            for word in range(-(-first // WORD_SAMPLES), (last - WORD - 25) // WORD_SAMPLES + 1)
        )
        times = Counter(self._words)
        return [f"word {w} came whole and was read {times[w]} times" for w in whole if times[w] != 1]

    def _recorded_otherwise(self, runs: list[tuple[int, int]]) -> list[str]:
        """The file of the whole session holds every sample that came, every gap, and every restart."""
        recording = open_recorded(self._recording)
        assembler = StreamAssembler(recording.descriptor)
        for frames in recording.frames():
            for frame in frames:
                assembler.push(frame)
        recording.close()
        self._folder.cleanup()
        exact = [lost for lost in self._gaps_lost if lost != RESTARTED]
        found = (assembler.counters.samples, assembler.counters.lost, assembler.counters.segments)
        came = (sum(b - a + 1 for a, b in runs), sum(exact), len(self._gaps_lost) - len(exact) + 1)
        return [] if found == came else [f"samples, lost, segments: {found} recorded, {came} seen"]

    def _outcome(self, k: int) -> Outcome:
        history = self._pen.pen.history
        mine = history[k]
        next_s = history[k + 1].began_s if k + 1 < len(history) else float("inf")
        told = zip(self._gaps_at_s, self._gaps_lost, strict=True)
        gaps = [(at_s, lost) for at_s, lost in told if mine.began_s <= at_s < next_s]
        back_s = next((at_s for at_s, _ in gaps if at_s >= mine.over_s - 0.002), None)
        recovery_s = None
        if mine.fault.kind in CUTTING:
            recovery_s = float("inf") if back_s is None else max(0.0, back_s - mine.over_s)
        return Outcome(mine.fault, recovery_s, [lost for _, lost in gaps], list(self._seen[k]))


def rss_mb() -> float:
    """Resident memory of this process; 0 where the system does not tell."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return 0.0
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
