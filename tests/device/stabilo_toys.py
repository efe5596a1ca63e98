"""Tiny recordings in the exact layout of the STABILO challenge, which may not be passed on."""

from __future__ import annotations

import numpy as np

HEADER = "Millis;Acc1 X;Acc1 Y;Acc1 Z;Acc2 X;Acc2 Y;Acc2 Z;Gyro X;Gyro Y;Gyro Z;Mag X;Mag Y;Mag Z;Force;Time"
CALIBRATION = "bgx: 10\nbgy: -20\nbgz: 0\nbmx: 5\nbmy: 6\nbmz: 7\nsmx: 1.0\nsmy: 2.0\nsmz: 0.5\n"


def toy_counts(n, seed=0):
    """(n, 13) whole numbers; both accelerometers near 1 g along z."""
    rng = np.random.default_rng([n, seed])
    counts = np.rint(rng.normal(0.0, 100.0, (n, 13))).astype(int)
    counts[:, 2] += 16384
    counts[:, 5] += 4096
    counts[:, 12] = np.abs(counts[:, 12])
    return counts


def toy_lines(counts, *, counter=None, millis=None, header=HEADER):
    """The file's lines; the tablet receives eight samples at a time."""
    n = len(counts)
    counter = np.arange(500, 500 + n) if counter is None else counter
    millis = 1000 + 80 * (np.arange(n) // 8) if millis is None else millis
    rows = [";".join(map(str, (t, *row, c))) for t, row, c in zip(millis, counts, counter, strict=True)]
    return [header, *rows]


def toy_recording(folder, lines, calibration=None):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sensor_data.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if calibration is not None:
        (folder / "calibration.txt").write_text(calibration, encoding="utf-8")
    return folder
