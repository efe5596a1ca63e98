"""How terms are weighted and added up."""

import json
import math

import pytest

torch = pytest.importorskip("torch", reason="the trainer needs torch (extra `train`)")

from models.training.objectives.term import Term  # noqa: E402 - behind the torch check
from models.training.objectives.total import combined  # noqa: E402
from models.training.objectives.weights import DynamicWeights, Ramp, constant  # noqa: E402
from penapp.errors import BadInputError  # noqa: E402


@pytest.mark.parametrize(
    ("progress", "expected"), [(0.0, 0.0), (0.2, 0.0), (0.3, 0.5), (0.4, 1.0), (1.0, 1.0)]
)
def test_a_ramp_goes_between_two_shares_of_the_steps(progress, expected):
    assert Ramp(0.0, 1.0, begins=0.2, ends=0.4).at(progress) == pytest.approx(expected)


def test_ramps_may_fall_jump_or_stay():
    assert Ramp(2.0, 1.0).at(0.25) == pytest.approx(1.75)
    jump = Ramp(0.0, 1.0, begins=0.5, ends=0.5)
    assert [jump.at(p) for p in (0.0, 0.49, 0.5, 1.0)] == [0.0, 0.0, 1.0, 1.0]
    assert {constant(0.7).at(p) for p in (0.0, 0.3, 1.0)} == {0.7}
    with pytest.raises(BadInputError, match="begins"):
        Ramp(0.0, 1.0, begins=0.6, ends=0.4)


def epochs(weights, *means):
    for mean in means:
        for delta in (-0.1, 0.1):
            weights = weights.after_step({name: value + delta for name, value in mean.items()})
        weights = weights.after_epoch()
    return weights


def test_dynamic_weights_follow_the_formula_after_two_epochs():
    start = DynamicWeights(("ctc", "triplet"), temperature=2.0)
    assert start.weights() == {"ctc": 0.5, "triplet": 0.5}
    one = epochs(start, {"ctc": 4.0, "triplet": 1.0})
    assert one.weights() == {"ctc": 0.5, "triplet": 0.5}
    found = epochs(one, {"ctc": 2.0, "triplet": 0.9}).weights()
    pace = {"ctc": math.exp(0.5 / 2.0), "triplet": math.exp(0.9 / 2.0)}
    for name in found:
        assert found[name] == pytest.approx(pace[name] / sum(pace.values()))
    assert found["triplet"] > found["ctc"]


def test_a_loss_that_was_zero_gives_finite_weights():
    found = epochs(DynamicWeights(("a", "b")), {"a": 0.0, "b": 1.0}, {"a": 1.0, "b": 1.0}).weights()
    assert all(math.isfinite(w) for w in found.values())
    assert sum(found.values()) == pytest.approx(1.0)


def test_dynamic_weights_go_on_from_a_checkpoint_in_the_middle_of_an_epoch():
    whole = epochs(DynamicWeights(("a", "b")), {"a": 3.0, "b": 1.0}).after_step({"a": 1.0, "b": 0.5})
    again = DynamicWeights.of(json.loads(json.dumps(whole.state())))
    assert again == whole
    assert again.after_epoch().weights() == whole.after_epoch().weights()
    assert again.after_epoch().after_epoch() == whole.after_epoch()


def test_a_missing_loss_is_an_error():
    with pytest.raises(BadInputError, match="no loss b; found a"):
        DynamicWeights(("a", "b")).after_step({"a": 1.0})


def test_the_total_is_the_weighted_sum_and_the_parts_stay_in_sight():
    x = torch.tensor([2.0, 6.0], requires_grad=True)
    loss = combined({"ctc": Term(x.sum(), 2), "triplet": Term(x[1] * 3.0, 3)}, {"ctc": 1.0, "triplet": 0.5})
    assert loss.total.item() == pytest.approx(4.0 + 0.5 * 6.0)
    assert {name: float(part) for name, part in loss.parts.items()} == {"ctc": 4.0, "triplet": 6.0}
    loss.total.backward()
    assert x.grad.tolist() == pytest.approx([0.5, 0.5 + 0.5])
    assert not any(part.requires_grad for part in loss.parts.values())


def test_totals_of_processes_with_global_counts_add_up_to_the_whole():
    parts = [Term(torch.tensor(4.0), 1), Term(torch.tensor(2.0), 3)]
    whole = combined({"ctc": parts[0] + parts[1]}, {"ctc": 2.0})
    shares = [combined({"ctc": part}, {"ctc": 2.0}, {"ctc": 4}) for part in parts]
    assert float(shares[0].total + shares[1].total) == pytest.approx(float(whole.total))


@pytest.mark.parametrize(("terms", "weights"), [((), ()), (("a",), ("b",)), (("a",), ("a", "b"))])
def test_terms_and_weights_must_name_the_same(terms, weights):
    with pytest.raises(BadInputError, match="weights for"):
        combined({name: Term(torch.zeros(()), 1) for name in terms}, dict.fromkeys(weights, 1.0))
