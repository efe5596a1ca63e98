"""A calibration in the terminal: the pen's samples into the steps, progress on the screen, keys beside it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

import click
import numpy as np
from numpy.typing import NDArray

from calibration.errors import FitRefusedError
from calibration.procedure import Procedure
from calibration.progress import Progress
from calibration.sensor import Figure, PenCalibration
from calibration.steps import StepId
from firmware_protocol.channels import Descriptor
from penapp.calibrate import calibration_store, known_pen, pen_id_of, setup_for
from penapp.cli.calibrate_text import heading, outcome, progress_line
from penapp.cli.keys import Keys
from penapp.cli.sources import VIRTUAL_NAMES, source_for
from penapp.device.discover import VIRTUAL_BLE
from penapp.device.pen_memory import Asks, read_calibration, write_calibration
from penapp.device.replay import ReplaySource
from penapp.device.source import ArrivedFrame, PenSource
from penapp.errors import BadInputError
from penapp.simulation.calibration_pen import CalibrationPen
from penapp.stream.assemble import StreamAssembler
from penapp.stream.merge import assembled

if TYPE_CHECKING:
    from penapp.cli.calibrate import Wanted

T = TypeVar("T")

VIRTUAL_SPEED = 20.0
RETRY_S = 5.0
"""A refused fit is tried again after so many seconds of further samples."""
LOOK_EVERY_S, DRAW_EVERY_S = 0.1, 0.25


class Run:
    """One use of `penapp calibrate` that measures, or only writes to the pen. `go` returns the record;
    `truth` then holds what is left of a virtual pen's errors.
    """

    def __init__(self, wanted: Wanted) -> None:
        self.truth: tuple[Figure, ...] = ()
        self._wanted = wanted
        self._pen, self._source = _source(wanted.pen, wanted.speed)
        self._automatic = self._pen is not None or isinstance(self._source, ReplaySource)
        self._keys = Keys() if wanted.measure and not self._automatic else None
        self._wait_s = self._undrawn_s = 0.0

    def go(self) -> PenCalibration:
        return asyncio.run(_with(self._source, self._work))

    async def _work(self, descriptor: Descriptor) -> PenCalibration:
        record = await self._measured(descriptor) if self._wanted.measure else _stored(descriptor)
        if self._wanted.write_to_pen:
            n = await write_calibration(asking(self._source), record)
            click.echo(f"penapp: the pen keeps a copy ({n} bytes)", err=True)
        if self._pen is not None:
            from penapp.simulation.calibration_truth import remaining

            self.truth = remaining(self._pen.imperfections.truth, record)
        return record

    async def _measured(self, descriptor: Descriptor) -> PenCalibration:
        previous = known_pen(descriptor).calibration
        setup = setup_for(descriptor, previous, automatic=self._automatic)
        procedure = Procedure(setup, self._wanted.steps)
        assembler = StreamAssembler(descriptor)
        self._announce(procedure)
        await self._source.start()
        at_once = max(1, round(LOOK_EVERY_S * setup.rate_hz))
        async for batch in self._source.frames():
            for t, values in _pieces(assembler, batch, at_once):
                procedure.push(t, values)
                self._look(procedure, len(t) / setup.rate_hz)
            if procedure.step is None:
                break
        await self._source.stop()
        return self._finished(procedure)

    def _look(self, procedure: Procedure, seconds: float) -> None:
        """After every few samples: keys, the next step, the line on the screen."""
        self._wait_s = max(0.0, self._wait_s - seconds)
        self._obey(procedure)
        self._step(procedure)
        self._undrawn_s += seconds
        if self._undrawn_s >= DRAW_EVERY_S and procedure.step is not None:
            self._undrawn_s = 0.0
            _draw(procedure.progress)

    def _step(self, procedure: Procedure) -> None:
        """Go on when there is enough; a refusal is shown and more is collected."""
        if procedure.step is not None and procedure.progress.enough and not self._wait_s:
            self._accept(procedure)

    def _accept(self, procedure: Procedure) -> None:
        _erase()
        try:
            result = procedure.accept()
        except FitRefusedError as error:
            self._wait_s = RETRY_S
            click.echo(f"    {error}", err=True)
        else:
            click.echo(outcome(result), err=True)
            self._announce(procedure)

    def _announce(self, procedure: Procedure) -> None:
        step = procedure.step
        if self._pen is not None:
            self._pen.perform(step.id if step is not None else None)
        if step is not None:
            number = procedure.steps.index(step) + 1
            click.echo(heading(step, number, len(procedure.steps)), err=True)

    def _obey(self, procedure: Procedure) -> None:
        key = self._keys.pressed() if self._keys is not None else None
        if key is None or procedure.step is None:
            return
        if key == "q":
            raise click.Abort
        if key == "" and procedure.step.id is not StepId.FORCE:
            self._accept(procedure)
            return
        acts: dict[str, Callable[[], None]] = {
            "": procedure.confirm,
            "a": procedure.again,
            "b": procedure.back,
            "s": procedure.skip,
        }
        acts.get(key, _help)()
        if key == "s":
            self._announce(procedure)

    def _finished(self, procedure: Procedure) -> PenCalibration:
        _erase()
        if procedure.step is not None:
            raise BadInputError(
                f"{self._source.name} ended during the step {procedure.step.title!r}: "
                f"{procedure.progress.line}.",
                advice="Nothing was saved; record or measure for longer.",
            )
        if not procedure.measured:
            raise BadInputError("every step was skipped: there is nothing to keep.")
        return procedure.calibration(temperature_c=self._wanted.temperature_c)


def meet(pen: str) -> Descriptor:
    """Who is there; nothing is streamed."""

    async def nothing(descriptor: Descriptor) -> Descriptor:
        return descriptor

    return asyncio.run(_with(_source(pen, None)[1], nothing))


def copy_of(pen: str) -> tuple[Descriptor, PenCalibration | None]:
    """The pen, and the calibration that it keeps itself."""
    source = _source(pen, None)[1]

    async def copy(descriptor: Descriptor) -> tuple[Descriptor, PenCalibration | None]:
        return descriptor, await read_calibration(asking(source))

    return asyncio.run(_with(source, copy))


def asking(source: PenSource) -> Asks:
    """The source as something that answers commands; a recording is none."""
    if not isinstance(source, Asks):
        raise BadInputError(
            f"{source.name} is no pen that keeps a calibration.", advice="Connect the pen itself."
        )
    return source


async def _with(source: PenSource, work: Callable[[Descriptor], Awaitable[T]]) -> T:
    """Open, work, close whatever happens."""
    try:
        return await work(await source.open())
    finally:
        await source.stop()
        await source.close()


def _source(pen: str, speed: float | None) -> tuple[CalibrationPen | None, PenSource]:
    """The source, and the virtual pen's hand where there is one."""
    pace = VIRTUAL_SPEED if speed is None else speed or None
    hand = CalibrationPen()
    if pen == VIRTUAL_BLE:
        from penapp.device.virtual_ble import virtual_ble_pen

        return hand, virtual_ble_pen(hand, speed=pace)
    if pen in VIRTUAL_NAMES:
        from penapp.device.virtual import VirtualPenSource

        return hand, VirtualPenSource(hand, speed=pace)
    return None, source_for(pen, speed)


def _stored(descriptor: Descriptor) -> PenCalibration:
    record = calibration_store().newest(pen_id_of(descriptor))
    if record is None:
        raise BadInputError(
            f"the pen {descriptor.name!r} was never calibrated.", advice="Leave --no-measure out."
        )
    return record


def _pieces(
    assembler: StreamAssembler, batch: list[ArrivedFrame], at_once: int
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float32]]]:
    """Samples of a batch, a few at a time: a recording may come in one go."""
    for _, blocks in assembled(assembler, (arrived.frame for arrived in batch)):
        for block in blocks:
            for start in range(0, len(block), at_once):
                part = slice(start, start + at_once)
                yield block.t[part], block.values[part]


def _draw(progress: Progress) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K    {progress_line(progress)[:110]}")
        sys.stderr.flush()


def _erase() -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")


def _help() -> None:
    click.echo(
        "    Enter = the mass is on the scale, or end the step now; s skip, a again, b back, q stop", err=True
    )
