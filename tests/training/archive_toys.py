"""Tiny archives in the exact layouts of the published ones, which may not be passed on."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path

import numpy as np

from penapp.decode.alphabet import ONHW_LETTERS

PADDING = 59


def recording(samples, seed=0):
    """(samples, 13) counts, the front accelerometer near 1 g, as float64."""
    rng = np.random.default_rng([samples, seed])
    counts = np.rint(rng.normal(0.0, 300.0, (samples, 13)))
    counts[:, 2] += 16384.0
    counts[:, 5] += 4096.0
    return counts


def objects(items):
    """A one-dimensional object array, whatever the shapes of its items."""
    array = np.empty(len(items), dtype=object)
    for i, item in enumerate(items):
        array[i] = item
    return array


def dump(path: Path, content, protocol=4):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(content, protocol=protocol))


def codes(word, width=12):
    """Class numbers of a word, padded on the right."""
    numbers = [ONHW_LETTERS.index(letter) for letter in word]
    return numbers + [PADDING] * (width - len(numbers))


def chars_right(root: Path, case="lower", protocol="indep", folds=(0,), letters="abk", empty=False):
    """onhw2_… folders; test recording 0 is the same in every fold."""
    for fold in folds:
        folder = root / f"onhw2_{case}_{protocol}_{fold}"
        folder.mkdir(parents=True)
        for split, first in (("train", 100), ("test", 0)):
            signals = [recording(20 + i, 0 if first == 0 and i == 0 else first + fold) for i in range(3)]
            if empty and split == "test":
                signals[2] = np.empty((0, 13))
            np.save(folder / f"X_{split}.npy", objects(signals), allow_pickle=True)
            np.save(folder / f"y_{split}.npy", objects(list(letters)), allow_pickle=True)
    return root


def chars_left(root: Path, letters="aQz", writers=(4, 4, 9)):
    dump(root / "all_x_dat_imu.pkl", [recording(15 + i) for i in range(len(letters))])
    dump(root / "all_gt.pkl", list(letters))
    dump(root / "all_gt_enc.pkl", list(range(len(letters))))
    dump(root / "list_ids.pkl", list(writers))
    return root


def symbols(root: Path, suffix="s", classes=((0, 12, 14), (13, 10))):
    """One official split; classes are numbers."""
    for side, numbers in zip(("train", "val"), classes, strict=True):
        dump(root / f"all_x_dat_{side}_imu_{suffix}.pkl", [recording(12 + i) for i, _ in enumerate(numbers)])
        dump(root / f"all_{side}_gt_{suffix}.pkl", list(numbers))
        dump(root / f"{side}_ids_{suffix}.pkl", [100 * (side == "val") + i for i, _ in enumerate(numbers)])
    return root


def words(folder: Path, train=("Haus", "üben", "Straße"), val=("ja", "nein"), writers=((1, 2, 2), (7, 8))):
    """One fold of words500."""
    for side, labels, ids in (("train", train, writers[0]), ("val", val, writers[1])):
        seed = len(folder.name) + ord(folder.name[-1]) + (side == "val")
        dump(folder / f"all_x_dat_{side}_imu.pkl", [recording(60 + i, seed) for i, _ in enumerate(labels)])
        dump(folder / f"all_{side}_gt.pkl", [codes(label) for label in labels])
        dump(folder / f"{side}_ids.pkl", list(ids))
        dump(folder / f"{side}_cals.pkl", [{"bgx": 1.0} for _ in labels])
    return folder


def words500(root: Path, protocol="indep", hand="R", folds=("0", "1")):
    top = root / f"Words500_{protocol}_{hand}"
    for fold in folds:
        words(top / fold)
    (top / "ids_info.txt").write_text("fold 0: 1 2 | 7 8\n", encoding="utf-8")
    return top


def raw_recording(folder: Path, labels=(("a", 1000, 1100), ("B", 1200, 1290)), lost_at=(), calibration=True):
    """A sample every 10 ms from 1000 on; the counter jumps by 3 at the rows of lost_at."""
    folder.mkdir(parents=True, exist_ok=True)
    header = (
        "Millis;Acc1 X;Acc1 Y;Acc1 Z;Acc2 X;Acc2 Y;Acc2 Z;Gyro X;Gyro Y;Gyro Z;Mag X;Mag Y;Mag Z;Force;Time"
    )
    counter, lines = 500, [header]
    for i, row in enumerate(recording(40)):
        counter += 3 if i in lost_at else 1
        lines.append(";".join(f"{int(v)}" for v in (1000 + 10 * i, *row, counter)))
    (folder / "sensor_data.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    rows = ["label;start;stop", *(f"{label};{start};{stop}" for label, start, stop in labels)]
    (folder / "labels.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    if calibration:
        text = "bgx: 10\nbgy: -20\nbgz: 0\nbmx: 5\nbmy: 5\nbmz: 5\nsmx: 1.0\nsmy: 2.0\nsmz: 0.5\n"
        (folder / "calibration.txt").write_text(text, encoding="utf-8")
    return folder


def zipped(folder: Path, path: Path):
    """The folder as a .zip that holds it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                packed.write(file, file.relative_to(folder.parent).as_posix())
    return path
