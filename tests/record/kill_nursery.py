"""Records sessions in processes of their own and kills each at its moment: kill_nursery FOLDER SECONDS...

A process is forked for every moment (the imports are paid once); it plays a pen of 400 Hz against the clock
into session K and notes in a shared page how many frames it has handed over. Prints when all are dead.
"""

import mmap
import os
import signal
import struct
import sys
import time
from pathlib import Path

from penapp.record.writer import SessionWriter
from tests.record.session_toys import HEAD, STEP_NS, ArrivedFrame, pen_frame

COUNT = struct.Struct("<Q")


def count_file(folder, number):
    return folder / f"{number:03}.count"


def handed_over(folder, number):
    return COUNT.unpack(count_file(folder, number).read_bytes())[0]


def play(folder, number, ready):
    """Until killed: frames of seed `number`, one every 20 ms."""
    with count_file(folder, number).open("r+b") as file:
        page = mmap.mmap(file.fileno(), COUNT.size)
    writer = SessionWriter(folder / f"{number:03}.mcap", HEAD)
    os.write(ready, b"r")
    started_ns = time.perf_counter_ns()
    k = 0
    while True:
        writer.append([ArrivedFrame(pen_frame(k, number), time.perf_counter_ns())])
        k += 1
        COUNT.pack_into(page, 0, k)
        time.sleep(max(0.0, (started_ns + k * STEP_NS - time.perf_counter_ns()) / 1e9))


def born(folder, number):
    """Process id of a pen that is recording."""
    count_file(folder, number).write_bytes(bytes(COUNT.size))
    readable, ready = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            play(folder, number, ready)
        finally:
            os._exit(1)
    os.close(ready)
    os.read(readable, 1)
    os.close(readable)
    return pid, time.monotonic()


def main(folder, moments):
    due = []
    for number, seconds in enumerate(moments):
        pid, started_s = born(folder, number)
        due.append((started_s + seconds, pid))
    for when_s, pid in sorted(due):
        time.sleep(max(0.0, when_s - time.monotonic()))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [float(moment) for moment in sys.argv[2:]])
    print("dead")
