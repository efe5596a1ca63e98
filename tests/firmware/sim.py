"""Runs pen_sim for a test and speaks with it over its port."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from firmware_protocol.framing import Frame, FrameDecoder, FrameType, encode_frame, to_serial
from firmware_protocol.messages import Command, Response, command_frame, parse_response

PATIENCE_S = 10.0


@dataclass
class Sim:
    """A running program; `said` holds its standard error once it has ended."""

    process: subprocess.Popen[str]
    address: str
    said: str = ""
    status: int = 0

    def end(self) -> None:
        """Switch it off (it may have gone by itself)."""
        if self.said:
            return
        self.process.terminate()
        self.finish()

    def finish(self) -> None:
        """Wait until it goes by itself."""
        _, self.said = self.process.communicate(timeout=PATIENCE_S)
        self.status = self.process.returncode


@contextlib.contextmanager
def running(program: Path, ink: Path, *options: str) -> Iterator[Sim]:
    command = [str(program), "--ink", str(ink), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    sim = Sim(process, process.stdout.readline().strip())
    try:
        yield sim
    finally:
        sim.end()
        assert sim.status == 0, sim.said


def write_ink(path: Path, counts: np.ndarray) -> Path:
    path.write_bytes(counts.astype("<i2").tobytes())
    return path


class Line:
    """The host's end: a pseudo-terminal or a socket, read until something has come."""

    def __init__(self, address: str) -> None:
        self._socket = None
        if address.startswith("socket://"):
            host, port = address.removeprefix("socket://").split(":")
            self._socket = socket.create_connection((host, int(port)), PATIENCE_S)
            self._fd = self._socket.fileno()
        else:
            self._fd = os.open(address, os.O_RDWR | os.O_NOCTTY)
        self.decoder = FrameDecoder()
        self.frames: list[Frame] = []

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        else:
            os.close(self._fd)

    def read(self) -> bytes:
        """What has come; b"" when the pen has hung up."""
        ready, _, _ = select.select([self._fd], [], [], PATIENCE_S)
        assert ready, "the pen says nothing"
        try:
            raw = os.read(self._fd, 65536)
        except OSError:
            raw = b""
        self.frames += self.decoder.feed(raw)
        return raw

    def write(self, raw: bytes) -> None:
        os.write(self._fd, raw)

    def ask(self, command: Command) -> Response:
        seen = len(self.frames)
        self.write(to_serial(encode_frame(command_frame(command))))
        while True:
            answers = [parse_response(f) for f in self.frames[seen:] if f.type is FrameType.RSP]
            seen = len(self.frames)
            for answer in answers:
                if (answer.op, answer.tag) == (command.op, command.tag):
                    return answer
            assert self.read(), "the pen hung up"

    def samples(self) -> list[Frame]:
        return [f for f in self.frames if f.type is FrameType.DATA]


@contextlib.contextmanager
def line(address: str) -> Iterator[Line]:
    opened = Line(address)
    try:
        yield opened
    finally:
        opened.close()
