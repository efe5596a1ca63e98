"""Fitting the segmenter's judge: learns what is there, ships what it learned, refuses what does not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.training.segmenter.export import check_judge_parity, export_judge
from models.training.segmenter.fit import FitConfig, fit, held_out, step_loss
from models.training.segmenter.network import Chance, JudgeNetwork
from models.training.segmenter.questions import Questions, load_questions
from penapp.errors import BadInputError, ModelMismatchError
from penapp.segment.judge import Judge
from penapp.segment.question import INPUTS, Question


def table(n: int, seed: int = 0, versions: tuple[int, int, int] = (2, 2, 1)) -> dict[str, np.ndarray]:
    """Questions whose answer is written in the motion: pushed along the line, or not."""
    rng = np.random.default_rng(seed)
    between = (rng.random(n) < 0.5).astype(np.float32)
    shapes = {name: rng.normal(0.0, 0.5, (n, *shape)) for name, shape in INPUTS.items()}
    shapes["motion"][:, 0, 60:70] += 3.0 * between[:, None]
    past = shapes["past"].astype(np.float16)
    past[:, :, :3] = past[:, :, :3] > 0
    return {
        "motion": shapes["motion"].astype(np.float16), "numbers": shapes["numbers"].astype(np.float32),
        "past": past, "between": between, "landed": rng.random(n) < 0.5,
        "tip": np.stack([8.0 * between, *np.zeros((3, n))], axis=1).astype(np.float32),
        "versions": np.array(versions),
    }  # fmt: skip


def questions(n: int, seed: int = 0) -> Questions:
    return Questions(**{**table(n, seed), "versions": (2, 2, 1)})


@pytest.fixture(scope="module")
def fitted() -> JudgeNetwork:
    config = FitConfig(steps=60, batch=64, rate=3e-3, smooth=0.8, report_every=60)
    return fit(questions(600), questions(100, 1), config)


def test_a_few_steps_learn_the_answer_and_the_move(fitted):
    torch.manual_seed(0)
    before, after = held_out(JudgeNetwork().eval(), questions(300, 2)), held_out(fitted, questions(300, 2))
    assert after.air_wrong < 0.1 < before.air_wrong
    assert after.landed_wrong < 0.1
    assert after.move_mm < 0.5 * before.move_mm


def test_the_second_lesson_counts_as_it_is_weighted():
    network, batch = JudgeNetwork().eval(), questions(32).batch(slice(None))
    one, two, four = (step_loss(network, batch, weight).item() for weight in (0.0, 1.0, 3.0))
    assert two > one
    assert four - one == pytest.approx(3.0 * (two - one), rel=1e-4)


def test_what_ships_answers_as_what_was_fitted(fitted, tmp_path):
    golden = questions(20, 3)
    manifest = export_judge(Chance([fitted]), tmp_path / "judge", golden, (2, 2, 1))
    assert manifest.simulator == "2"
    one = golden.batch(np.array([4]))
    chance = Judge(tmp_path / "judge").chance(
        Question(one.motion[0].numpy(), one.numbers[0].numpy(), one.past[0].numpy())
    )
    logit = fitted(one.motion, one.numbers, one.past)[0]
    assert chance == pytest.approx(torch.sigmoid(logit).item(), abs=1e-5)


def test_another_network_behind_the_file_is_noticed(fitted, tmp_path):
    export_judge(Chance([fitted]), tmp_path / "judge", questions(20, 3), (2, 2, 1))
    with pytest.raises(ModelMismatchError, match="question 0"):
        check_judge_parity(Chance([JudgeNetwork()]).eval(), tmp_path / "judge", questions(20, 3))


def test_files_of_different_versions_are_not_mixed(tmp_path):
    np.savez(tmp_path / "a.npz", **table(5))
    np.savez(tmp_path / "b.npz", **table(5, versions=(2, 3, 1)))
    assert len(load_questions([tmp_path / "a.npz", tmp_path / "a.npz"])) == 10
    with pytest.raises(BadInputError, match="different versions"):
        load_questions([tmp_path / "a.npz", tmp_path / "b.npz"])


@pytest.mark.parametrize("change", ["shape", "missing", "rubbish"])
def test_a_file_without_our_questions_is_named(tmp_path: Path, change):
    path, made = tmp_path / "a.npz", table(5)
    if change == "shape":
        made["numbers"] = made["numbers"][:, :31]
    if change == "missing":
        del made["past"]
    np.savez(path, **made)
    if change == "rubbish":
        path.write_bytes(b"nothing")
    with pytest.raises(BadInputError, match=r"a\.npz"):
        load_questions([path])


def test_far_moves_count_no_more_than_the_limit():
    far = replace(questions(3), tip=np.full((3, 4), 500.0, dtype=np.float32))
    assert float(far.batch(slice(None)).tip.max()) == pytest.approx(4.0)
