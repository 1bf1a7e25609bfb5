"""The warm-up head and the uncertainty methods against slow versions written from the definitions."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from skmm_core.data.scaler import fit_scaler
from skmm_core.data.task import Task
from skmm_core.device import generator
from skmm_core.errors import InputError
from skmm_core.gradients.warmup import stratified_order, warm_up_size
from skmm_core.methods.ranking import ranked
from skmm_core.methods.registry import get_method, select
from skmm_core.methods.uncertainty import (
    cal_scores,
    deepfool_scores,
    diverse_predictions,
    entropy_scores,
    least_confidence_scores,
    margin_scores,
)
from skmm_core.pool.making import make_pool
from skmm_core.pool.pool import Pool

KEYS = ["entropy", "margin", "least_confidence", "deepfool", "cal", "contextual_diversity"]


def blobs(size: int = 60, seed: int = 0, dtype: torch.dtype = torch.float64, classes: int = 3) -> Pool:
    """Overlapping classes with an offset, a constant column and columns on other scales."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, classes, size)
    targets[:classes] = np.arange(classes)
    centres = rng.normal(size=(classes, 6)) * 1.2
    rows = (centres[targets] + rng.normal(size=(size, 6))) * [1, 10, 0.1, 1, 1, 1] + 5
    rows[:, 5] = 3.0
    return make_pool(torch.tensor(rows).to(dtype), targets=torch.tensor(targets), seed=seed, device="cpu")


def softmax(logits: Tensor) -> list[list[float]]:
    """Probabilities of every row, one exponential at a time."""
    out = []
    for row in logits.tolist():
        terms = [math.exp(value - max(row)) for value in row]
        out.append([term / sum(terms) for term in terms])
    return out


def order(scores: list[float]) -> list[int]:
    return sorted(range(len(scores)), key=lambda row: (-round(scores[row], 12), row))


@pytest.mark.parametrize("seed", range(3))
def test_scores_on_probabilities_are_their_definitions(seed: int) -> None:
    pool = blobs(seed=seed)
    logits = pool.warm_up.logits
    found = softmax(logits)
    expected = {
        "entropy": [-sum(p * math.log(p) for p in row) for row in found],
        "margin": [sorted(row)[-2] - sorted(row)[-1] for row in found],
        "least_confidence": [1 - max(row) for row in found],
    }
    for key, scores in expected.items():
        answer = select(pool, key, 20)
        assert answer.scores is not None
        assert answer.scores.tolist() == pytest.approx(scores, abs=1e-12)
        assert answer.indices.tolist() == order(scores)[:20]


def test_most_uncertain_comes_first_and_ties_go_to_the_lower_row() -> None:
    p = torch.tensor([[0.9, 0.1, 0.0], [0.4, 0.35, 0.25], [0.5, 0.5, 0.0], [0.4, 0.35, 0.25]], dtype=torch.float64)
    log_p = p.clamp_min(1e-300).log()
    assert ranked(entropy_scores(log_p)).tolist() == [1, 3, 2, 0]
    assert ranked(margin_scores(log_p)).tolist() == [2, 1, 3, 0]
    assert ranked(least_confidence_scores(log_p)).tolist() == [1, 3, 2, 0]


def test_probabilities_that_underflow_give_finite_scores_in_the_right_order() -> None:
    logits = torch.tensor([[0.0, 2000.0, -2000.0], [0.0, 0.0, -3000.0], [0.0, 20.0, 0.0]], dtype=torch.float64)
    log_p = logits.log_softmax(dim=1)
    assert log_p.exp()[0, 2] == 0
    for score in (entropy_scores, margin_scores, least_confidence_scores):
        assert torch.isfinite(score(log_p)).all()
        assert ranked(score(log_p)).tolist() == [1, 2, 0]
    assert float(entropy_scores(log_p)[1]) == pytest.approx(math.log(2))
    assert float(least_confidence_scores(log_p)[2]) == pytest.approx(2 * math.exp(-20), rel=1e-6)


def test_ranking_takes_rounding_for_a_tie_but_nothing_larger() -> None:
    assert ranked(torch.tensor([1.0, 1 + 1e-15, 1 + 1e-8, 0.0, -1.0], dtype=torch.float64)).tolist() == [2, 0, 1, 3, 4]
    tiny = torch.tensor([1e-12, 2e-12, 0.0], dtype=torch.float64)
    assert ranked(tiny).tolist() == [1, 0, 2]


def test_deepfool_is_the_smallest_step_that_changes_the_predicted_class() -> None:
    rng = np.random.default_rng(1)
    weights, bias = rng.normal(size=(4, 5)), rng.normal(size=5)
    points = rng.normal(size=(20, 4))
    scores = deepfool_scores(torch.tensor(points @ weights + bias), torch.tensor(weights)).numpy()
    assert (scores < 0).all()
    for point, distance in zip(points, -scores, strict=True):
        predicted = int(np.argmax(point @ weights + bias))
        steps = [weights[:, k] - weights[:, predicted] for k in range(5) if k != predicted]
        reached = [point + 1.000001 * distance * step / np.linalg.norm(step) for step in steps]
        assert any(np.argmax(other @ weights + bias) != predicted for other in reached)
        directions = np.concatenate([rng.normal(size=(200, 4)), steps])
        directions *= 0.999999 * distance / np.linalg.norm(directions, axis=1, keepdims=True)
        assert (np.argmax((point + directions) @ weights + bias, axis=1) == predicted).all()


def test_deepfool_passes_by_a_class_that_no_step_reaches() -> None:
    weights = torch.tensor([[1.0, 1.0, 0.0]], dtype=torch.float64)
    scores = deepfool_scores(torch.tensor([[3.0, 2.0, 0.0], [2.0, 2.0, 0.0]], dtype=torch.float64), weights)
    assert scores.tolist() == [-3.0, 0.0]
    assert torch.isfinite(deepfool_scores(torch.tensor([[2.0, 1.0]]), torch.zeros(3, 2))).all()


@pytest.mark.parametrize("neighbours", [1, 3, 100])
def test_cal_is_the_mean_divergence_from_the_nearest_labelled_rows(neighbours: int) -> None:
    pool = blobs(seed=2)
    rows, labelled = pool.features.numpy(), [3, 7, 12, 20, 41]
    std = rows.std(axis=0)
    scaled = (rows - rows.mean(axis=0)) / np.where(std > 1e-6, std, np.inf)
    p = softmax(pool.warm_up.logits)
    expected = []
    for i in range(len(rows)):
        others = sorted((j for j in labelled if j != i), key=lambda j: float(np.sum((scaled[i] - scaled[j]) ** 2)))
        kl = [sum(q * math.log(q / own) for q, own in zip(p[j], p[i], strict=True)) for j in others[:neighbours]]
        expected.append(sum(kl) / len(kl))
    found = cal_scores(
        pool.features,
        pool.scaler,
        pool.warm_up.log_probabilities,
        labelled=torch.tensor(labelled),
        neighbours=neighbours,
    )
    assert found.tolist() == pytest.approx(expected, abs=1e-10)


def test_cal_with_one_labelled_row_gives_that_row_nothing() -> None:
    pool = blobs(seed=2)
    log_p = pool.warm_up.log_probabilities
    found = cal_scores(pool.features, pool.scaler, log_p, labelled=torch.tensor([4]), neighbours=3)
    assert found[4] == 0
    assert float(found[5]) == pytest.approx(float((log_p[4].exp() * (log_p[4] - log_p[5])).sum()), abs=1e-12)


def test_cal_through_select_uses_the_warm_up_rows() -> None:
    pool = blobs(seed=3)
    scores = cal_scores(
        pool.features, pool.scaler, pool.warm_up.log_probabilities, labelled=pool.warm_up.rows, neighbours=4
    )
    assert select(pool, "cal", 9, params={"neighbours": 4}).indices.tolist() == ranked(scores)[:9].tolist()


def slow_diverse(logits: Tensor, budget: int, first: int) -> list[int]:
    log_p = []
    for row in logits.tolist():
        shift = max(row)
        total = shift + math.log(sum(math.exp(value - shift) for value in row))
        log_p.append([value - total for value in row])

    def divergence(a: list[float], b: list[float]) -> float:
        return sum(0.5 * (math.exp(x) - math.exp(y)) * (x - y) for x, y in zip(a, b, strict=True))

    picks = [first]
    while len(picks) < budget:
        nearest = {
            row: min(divergence(log_p[row], log_p[pick]) for pick in picks)
            for row in range(len(log_p))
            if row not in picks
        }
        picks.append(min(nearest, key=lambda row: (-round(nearest[row], 9), row)))
    return picks


@pytest.mark.parametrize("scale", [1.0, 500.0])
def test_contextual_diversity_is_greedy_k_center_on_symmetric_divergence(scale: float) -> None:
    logits = torch.tensor(np.random.default_rng(4).normal(size=(30, 4))) * scale
    logits[17] = logits[5]
    for budget in (1, 12, 30):
        found = diverse_predictions(logits.log_softmax(dim=1), budget, first=6).tolist()
        assert found == slow_diverse(logits, budget, 6)


def test_contextual_diversity_through_select_starts_at_a_seeded_row() -> None:
    pool = blobs(seed=5).ordered
    first = int(torch.randint(pool.size, (1,), generator=generator(1, "contextual_diversity:first")))
    assert select(pool, "contextual_diversity", 10, seed=1).indices.tolist() == slow_diverse(
        pool.warm_up.logits, 10, first
    )


# The warm-up


@pytest.mark.parametrize(("size", "classes", "expected"), [(5, 3, 5), (100, 3, 30), (1000, 3, 50), (1001, 3, 51)])
def test_the_default_warm_up_is_the_stated_number_of_rows(size: int, classes: int, expected: int) -> None:
    assert warm_up_size(size, classes) == expected


def test_warm_up_rows_are_stratified_and_held_out_rows_are_others() -> None:
    targets = torch.tensor([0] * 120 + [1] * 60 + [2] * 19 + [5])
    pool = make_pool(torch.randn(200, 3, generator=generator(0, "rows")), targets=targets, device="cpu")
    found = pool.warm_up
    assert len(found.rows) == len(found.held_out) == 40
    assert not set(found.rows.tolist()) & set(found.held_out.tolist())
    counts = targets[found.rows].bincount(minlength=6).tolist()
    assert counts[5] == 1
    assert counts[0] == pytest.approx(24, abs=1)
    assert counts[1] == pytest.approx(12, abs=1)
    assert targets[found.held_out].bincount(minlength=2)[:2].tolist() == pytest.approx([24, 12], abs=1)
    assert found.logits.shape == (200, 4)  # classes 3 and 4 do not occur


def test_every_prefix_of_the_stratified_order_keeps_proportions() -> None:
    labels = torch.tensor([0] * 50 + [1] * 30 + [2] * 20)[torch.randperm(100, generator=generator(1, "x"))]
    shuffled = stratified_order(labels, generator=generator(2, "x"))
    assert sorted(shuffled.tolist()) == list(range(100))
    for n in range(3, 101):
        counts = labels[shuffled[:n]].bincount(minlength=3)
        assert bool(((counts - n * torch.tensor([0.5, 0.3, 0.2])).abs() <= 1.5).all())


def test_the_head_is_trained_on_the_warm_up_rows_and_nothing_else() -> None:
    pool = blobs(size=120, seed=6)
    rows, targets = pool.features.numpy(), pool.targets
    assert targets is not None
    std = rows.std(axis=0)
    scaled = (rows - rows.mean(axis=0)) / np.where(std > 1e-6, std, np.inf)
    chosen = pool.warm_up.rows.numpy()
    assert 3 <= len(chosen) < 120
    # the stated objective: summed loss times 10 / mean ‖x‖² plus ½‖weights‖², at a point where its slope is about 0
    found = pool.warm_up
    truth = np.eye(3)[targets.numpy()[chosen]]
    probabilities = np.array(softmax(found.logits[found.rows]))
    weight = 10 / float((scaled**2).sum(axis=1).mean())
    slope = weight * scaled[chosen].T @ (probabilities - truth) + found.weights.numpy()
    assert np.abs(slope).max() < 1e-2 * weight * len(chosen)
    bias = found.logits.numpy() - scaled @ found.weights.numpy()
    np.testing.assert_allclose(bias, np.broadcast_to(bias[0], bias.shape), atol=1e-9)


def test_another_size_of_the_warm_up_is_taken_and_shown() -> None:
    pool = blobs(seed=7)
    larger = make_pool(pool.features, targets=pool.targets, device="cpu", warm_up_rows=45)
    assert len(larger.warm_up.rows) == 45
    assert select(larger, "entropy", 5).objective["warm_up_rows"] == 45
    with pytest.raises(InputError, match="warm_up_rows is 0"):
        make_pool(pool.features, targets=pool.targets, warm_up_rows=0)


def test_the_scaler_standardises_with_the_statistics_of_the_pool() -> None:
    pool = blobs(seed=8, dtype=torch.float32)
    scaled = fit_scaler(pool.features)(pool.features)
    assert scaled.dtype == torch.float64
    assert scaled.mean(dim=0).tolist() == pytest.approx([0] * 6, abs=1e-12)
    assert scaled.std(dim=0, correction=0).tolist() == pytest.approx([1, 1, 1, 1, 1, 0], abs=1e-12)


def test_the_head_learns_and_its_residuals_are_p_minus_y() -> None:
    pool = blobs(size=200, seed=9)
    found = pool.warm_up
    assert float((found.logits.argmax(dim=1) == found.labels).double().mean()) > 0.6
    expected = np.array(softmax(found.logits)) - np.eye(3)[found.labels.numpy()]
    np.testing.assert_allclose(found.residuals.numpy(), expected, atol=1e-12)
    assert torch.isfinite(found.log_probabilities).all()
    assert float(found.probabilities.sum(dim=1).max()) == pytest.approx(1)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("targets", [[0] * 8, [0, 1, 1, 1, 1, 1, 1, 1], list(range(8))])
@pytest.mark.parametrize("budget", [1, 8])
def test_one_class_a_class_of_one_and_only_classes_of_one(key: str, targets: list[int], budget: int) -> None:
    rows = torch.tensor(np.random.default_rng(0).normal(size=(8, 3)))
    answer = select(rows, key, budget, targets=torch.tensor(targets), device="cpu")
    assert len(answer.indices.unique()) == budget
    if answer.scores is not None:
        assert torch.isfinite(answer.scores).all()


@pytest.mark.parametrize("key", KEYS)
def test_methods_that_need_classes_say_so_for_numeric_targets(key: str) -> None:
    assert "needs class labels" in (get_method(key).missing(Task.REGRESSION) or "")
    with pytest.raises(InputError, match="needs class labels"):
        select(torch.randn(10, 2), key, 3, targets=torch.randn(10), device="cpu")
