"""The shipped judge: loads, answers with a probability, and refuses a file that is not the one described."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from penapp.errors import BadInputError, ModelMismatchError
from penapp.segment.artefact import SHIPPED
from penapp.segment.judge import Judge
from penapp.segment.question import INPUTS, Question


def anything(seed: int) -> Question:
    rng = np.random.default_rng(seed)
    return Question(*(rng.normal(0.0, 1.0, shape).astype(np.float32) for shape in INPUTS.values()))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "segmenter"))


def test_the_answer_is_a_probability_and_the_same_every_time():
    judge = Judge()
    chances = [judge.chance(anything(seed)) for seed in range(20)]
    assert all(0.0 <= chance <= 1.0 for chance in chances)
    assert len(set(chances)) > 10
    assert [judge.chance(anything(seed)) for seed in range(20)] == chances


def test_a_damaged_file_is_refused_by_both_hashes(folder):
    model = folder / "model.onnx"
    found = bytearray(model.read_bytes())
    found[len(found) // 2] ^= 1
    model.write_bytes(found)
    with pytest.raises(ModelMismatchError, match=r"its manifest expects [0-9a-f]{12}…"):
        Judge(folder)


def test_a_judge_of_other_questions_is_refused(folder):
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["inputs"]["numbers"] = [31]
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ModelMismatchError, match=r"takes .*\[31\].* this build gives"):
        Judge(folder)


@pytest.mark.parametrize("missing", ["manifest.json", "model.onnx"])
def test_a_missing_file_is_named(folder, missing):
    (folder / missing).unlink()
    with pytest.raises(BadInputError, match=missing):
        Judge(folder)
