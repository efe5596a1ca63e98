"""The synthetic study: what makes its arms comparable."""

import math
from dataclasses import asdict, replace
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs torch (extra `train`)")

from models.training.studies.sinusoid_task import (  # noqa: E402 - behind the torch check
    CLASSES,
    ImageNetwork,
    SeriesNetwork,
    TaskConfig,
    angular_field,
    draw_series,
)
from models.training.studies.sinusoids import (  # noqa: E402
    ARMS,
    StudyConfig,
    bootstrap_interval,
    draw_triplets,
    image_maps,
    study,
    summary,
    table,
    train_arm,
)

QUICK = StudyConfig(task=TaskConfig(tested=50, images=3), steps=4, image_steps=3, every=2)


def test_a_gramian_field_is_what_plain_loops_compute():
    values = torch.tensor([[0.0, 1.0, 4.0, 2.0], [3.0, 3.0, -1.0, 0.0]])
    found = angular_field(values)
    for row, field in zip(values.tolist(), found.tolist(), strict=True):
        angles = [math.acos(2 * (x - min(row)) / (max(row) - min(row)) - 1) for x in row]
        expected = [[math.cos(a + b) for b in angles] for a in angles]
        np.testing.assert_allclose(field, expected, atol=1e-6)


def test_series_differ_by_frequency_and_all_classes_are_equally_often_there():
    drawn = draw_series(TaskConfig(noise=0.0, samples=512), 40, np.random.default_rng(1))
    assert torch.bincount(drawn.labels).tolist() == [4] * CLASSES
    crossings = (drawn.values[:, 1:] * drawn.values[:, :-1] < 0).sum(1)
    assert (crossings - (4 + drawn.labels)).abs().max() <= 1


def test_triplets_have_the_anchors_label_and_another():
    labels = torch.arange(40) % CLASSES
    images = SimpleNamespace(values=labels.float()[:, None, None], labels=labels)
    drawn = draw_triplets(labels, images, np.random.default_rng(1))
    assert torch.equal(drawn.positive.flatten().long(), labels)
    assert torch.equal(drawn.negative.flatten().long(), drawn.negative_labels)
    assert (drawn.negative_labels != labels).all()


def test_all_arms_start_from_the_same_weights_and_end_elsewhere():
    quick = replace(QUICK, margin=0.005)  # so small that some triplets are content from the start
    images, _ = image_maps(quick, 1)
    runs = {arm: train_arm(quick, arm, 1, images) for arm in ARMS}
    for run in runs.values():
        for name, value in run.start.items():
            assert torch.equal(value, runs["none"].start[name])
    ends = {arm: run.network.first.weight for arm, run in runs.items()}
    for one in ARMS:
        for other in ARMS:
            assert torch.equal(ends[one], ends[other]) == (one == other)
    assert not torch.equal(train_arm(QUICK, "none", 2, images).start["first.weight"], ends["none"])


def test_the_image_branch_is_no_part_of_the_network_that_is_kept():
    images, _ = image_maps(QUICK, 1)
    kept = train_arm(QUICK, "triplet", 1, images).network
    assert set(kept.state_dict()) == set(SeriesNetwork().state_dict())
    assert not any(isinstance(module, (ImageNetwork, torch.nn.Conv2d)) for module in kept.modules())
    assert kept(torch.zeros(1, 64)).shape == (1, CLASSES)


def test_a_run_is_the_same_when_run_again():
    images, _ = image_maps(QUICK, 1)
    assert train_arm(QUICK, "infonce", 1, images).curve == train_arm(QUICK, "infonce", 1, images).curve


def test_the_study_reports_every_arm_on_every_seed():
    result = study(QUICK, [1, 2])
    assert tuple(result.arms) == ARMS
    assert result.arms["none"].difference == 0.0
    for arm in result.arms.values():
        assert [list(curve) for curve in arm.curves] == [[2, 4]] * 2
        assert arm.accuracy == tuple(curve[4] for curve in arm.curves)
    assert len(table(result).splitlines()) == 1 + len(ARMS)
    assert asdict(result)["seeds"] == (1, 2)


def test_differences_are_paired_by_seed_and_their_interval_is_of_the_mean():
    def run(accuracy):
        return SimpleNamespace(
            accuracy=accuracy, steps_to=lambda goal: 20 if accuracy > goal else None, curve={}
        )

    found = summary([run(60.0), run(40.0), run(50.0)], [50.0, 30.0, 40.0], 55.0)
    assert (found.difference, found.interval, found.steps_to_goal) == (10.0, (10.0, 10.0), (20, None, None))
    low, high = bootstrap_interval(np.array([0.0, 10.0, 20.0, 30.0]))
    assert 0.0 < low < 10.0
    assert 20.0 < high < 30.0
