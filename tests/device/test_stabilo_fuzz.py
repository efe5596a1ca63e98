"""Damaged files of the STABILO layout are read or refused, no crash: 150 or, with PENAPP_SOAK=1, 20,000."""

import os
import random

import numpy as np

from penapp.device.stabilo import StabiloRecording
from penapp.errors import BadInputError
from penapp.stream.assemble import StreamAssembler
from tests.device.stabilo_toys import CALIBRATION, toy_counts, toy_lines, toy_recording

DAMAGED = 20_000 if os.environ.get("PENAPP_SOAK") == "1" else 150
ODD = (";", "\n", "-", "nan", "inf", "1e300", "99999999", "4294967296", "\x00", "ä", '"', ",", ".5", " ", "#")


def damaged(rng, text):
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = rng.randrange(len(text))
        cut = at + rng.choice((0, 1, 1, 3, 40))
        text = text[:at] + rng.choice(("", rng.choice(ODD))) + text[cut:]
    if rng.random() < 0.2:
        text = text[: rng.randrange(len(text))]
    return text


def test_no_damage_to_a_file_is_a_crash(tmp_path, report):
    rng = random.Random(5)
    counts, read, refused = toy_counts(600), 0, 0
    whole = ["\n".join(toy_lines(counts[:n])) + "\n" for n in (40, 600)]
    folder = toy_recording(tmp_path, [])
    for number in range(DAMAGED):
        (folder / "sensor_data.csv").write_text(damaged(rng, whole[number % 8 == 0]), encoding="utf-8")
        calibration = damaged(rng, CALIBRATION) if number % 4 == 0 else CALIBRATION
        (folder / "calibration.txt").write_text(calibration, encoding="utf-8")
        try:
            recording = StabiloRecording(folder)
        except BadInputError as error:
            refused += "\n" not in str(error)
            continue
        read += 1
        assembler = StreamAssembler(recording.descriptor)
        blocks = [b for batch in recording.frames() for frame in batch for b in assembler.push(frame)]
        assert assembler.counters.malformed == assembler.counters.repeated == 0
        assert (np.diff(np.concatenate([b.t for b in blocks])) > 0).all()
        assert all(np.isfinite(b.values).all() for b in blocks)
    assert read + refused == DAMAGED
    report(f"STABILO files damaged: {DAMAGED:,}; {read:,} read, {refused:,} refused by name, 0 crashes")
    assert read > DAMAGED // 20
    assert refused > DAMAGED // 20
