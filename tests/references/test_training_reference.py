"""Training dynamics, gradient matching and influence against slow versions written from the definitions."""

import itertools
import math

import numpy as np
import pytest
import scipy.optimize
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor

from skmm_core.data.scaler import fit_scaler
from skmm_core.data.task import Task
from skmm_core.device import generator
from skmm_core.errors import InputError
from skmm_core.gradients.dynamics import training_dynamics
from skmm_core.methods.gradient_matching import Gradients, lower_loss, match_sum, represent
from skmm_core.methods.registry import compute_shared, get_method, select
from skmm_core.methods.stratify import class_quotas
from skmm_core.pool.making import make_pool
from skmm_core.pool.pool import Pool
from skmm_core.progress import Progress
from skmm_core.solvers.nonnegative_least_squares import nonnegative_weights
from skmm_core.solvers.simplex import round_sample

KEYS = ["el2n", "grand", "forgetting", "craig", "gradmatch", "glister"]


def blobs(size: int = 40, seed: int = 0, classes: int = 3) -> Pool:
    """Overlapping classes with an offset, a constant column and columns on other scales, in the order methods see."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, classes, size)
    targets[:classes] = np.arange(classes)
    rows = (rng.normal(size=(classes, 5))[targets] + rng.normal(size=(size, 5))) * [1, 10, 0.1, 1, 1] + 5
    rows[:, 4] = 3.0
    return make_pool(
        torch.tensor(rows), targets=torch.tensor(targets), seed=seed, device="cpu", warm_up_rows=12
    ).ordered


def standardised(pool: Pool) -> Tensor:
    rows = pool.features.numpy()
    std = rows.std(axis=0)
    return torch.tensor((rows - rows.mean(axis=0)) / np.where(std > 1e-6, std, np.inf))


def loss(weights: Tensor, bias: Tensor, row: Tensor, label: int) -> Tensor:
    return -(row @ weights + bias).log_softmax(dim=-1)[label]


def gradient(weights: Tensor, bias: Tensor, row: Tensor, label: int) -> Tensor:
    """Gradient of one row's own loss in weights and intercept, by automatic differentiation: ((d + 1) K,)."""
    weights, bias = weights.clone().requires_grad_(), bias.clone().requires_grad_()
    parts = torch.autograd.grad(loss(weights, bias, row, label), (weights, bias))
    return torch.cat([part.flatten() for part in parts])


# Training dynamics


def slow_dynamics(rows: Tensor, labels: Tensor, inits: int, epochs: int, seed: int) -> list[list[float]]:
    """One head after another, one row after another; the same batches and initial weights."""
    size, dims = rows.shape
    classes = int(labels.max()) + 1
    draw = generator(seed, "dynamics")
    start = torch.randn(dims, inits * classes, generator=draw, dtype=torch.float64) / math.sqrt(dims)
    orders = [torch.randperm(size, generator=draw) for _ in range(epochs)]
    batch = min(256, max(1, size // 64))
    step = 2 / float((1 + rows.square().sum(dim=1)).mean())
    el2n, grand, forgetting, margin = (np.zeros(size) for _ in range(4))
    for head in range(inits):
        weights = start[:, head * classes : (head + 1) * classes].clone()
        bias = torch.zeros(classes, dtype=torch.float64)
        history: list[list[bool]] = [[] for _ in range(size)]
        for order in orders:
            for first in range(0, size, batch):
                chosen = order[first : first + batch].tolist()
                mean = torch.stack([gradient(weights, bias, rows[i], int(labels[i])) for i in chosen]).mean(dim=0)
                weights = weights - step * mean[: dims * classes].view(dims, classes)
                bias = bias - step * mean[dims * classes :]
            for i in range(size):
                p = (rows[i] @ weights + bias).softmax(dim=0)
                y = torch.nn.functional.one_hot(labels[i], classes)
                el2n[i] += float((p - y).norm()) / (inits * epochs)
                grand[i] += float(gradient(weights, bias, rows[i], int(labels[i])).norm()) / (inits * epochs)
                history[i].append(int(p.argmax()) == int(labels[i]))
                others = [float(p[k]) for k in range(classes) if k != int(labels[i])]
                margin[i] += (float(p[labels[i]]) - max(others)) / (inits * epochs)
        for i, seen in enumerate(history):
            events = sum(was and not now for was, now in itertools.pairwise(seen))
            forgetting[i] += (events if any(seen) else epochs) / inits
    return [scores.tolist() for scores in (el2n, grand, forgetting, margin)]


@pytest.mark.parametrize("size", [20, 130])
def test_dynamics_equal_heads_trained_one_at_a_time_with_automatic_gradients(size: int) -> None:
    pool = blobs(size=size, seed=1)
    assert pool.targets is not None
    found = training_dynamics(pool.features, pool.targets, fit_scaler(pool.features), inits=2, epochs=3, seed=5)
    el2n, grand, forgetting, margin = slow_dynamics(standardised(pool), pool.targets, 2, 3, 5)
    assert found.el2n.tolist() == pytest.approx(el2n, abs=1e-10)
    assert found.grand.tolist() == pytest.approx(grand, abs=1e-9)
    assert found.forgetting.tolist() == pytest.approx(forgetting)
    assert found.margin.tolist() == pytest.approx(margin, abs=1e-10)
    assert len(set(forgetting)) > 1


def test_a_single_class_has_the_margin_of_a_sure_answer() -> None:
    pool = make_pool(torch.randn(12, 3, dtype=torch.float64), targets=torch.zeros(12, dtype=torch.int64), device="cpu")
    assert pool.dynamics.margin.tolist() == [1.0] * 12


def test_a_row_that_is_never_learned_counts_as_the_maximum() -> None:
    rows = torch.tensor([[-1.0], [-1.1], [-0.9], [1.0], [1.1], [0.9]] * 20 + [[-1.0]], dtype=torch.float64)
    targets = torch.tensor([0, 0, 0, 1, 1, 1] * 20 + [1])
    pool = make_pool(rows, targets=targets, device="cpu")
    scores = pool.dynamics.forgetting
    # the mislabelled row is right only before a head has learned anything
    assert int(scores.argmax()) == 120
    assert float(scores[120]) > 1
    assert select(pool, "forgetting", 1, params={"balanced": False}).indices.tolist() == [120]


@pytest.mark.parametrize("key", ["el2n", "grand", "forgetting"])
@pytest.mark.parametrize("balanced", [True, False])
def test_hardest_points_come_first_in_their_class_or_of_all(key: str, balanced: bool) -> None:
    pool = blobs(size=50, seed=2)
    assert pool.targets is not None
    scores = getattr(pool.dynamics, key).tolist()
    answer = select(pool, key, 13, params={"balanced": balanced})
    rank = sorted(range(50), key=lambda i: (-round(scores[i], 10), i))
    expected = rank[:13]
    if balanced:
        groups = [[i for i in rank if int(pool.targets[i]) == label] for label in range(3)]
        quotas = class_quotas([len(group) for group in groups], 13)
        expected = [i for group, quota in zip(groups, quotas, strict=True) for i in group[:quota]]
        assert sum(quotas) == 13
    assert sorted(answer.indices.tolist()) == sorted(expected)
    assert answer.scores is not None
    assert answer.scores.tolist() == scores
    if not balanced:
        assert answer.indices.tolist() == expected


# Gradient matching


def explicit(pool: Pool) -> Tensor:
    """(N, (d + 1) K) gradients of every row's loss at the warm-up head, by automatic differentiation."""
    rows, head = standardised(pool), pool.warm_up
    # the intercept is what the logits have beyond the weights
    bias = (head.logits - rows @ head.weights)[0]
    return torch.stack([gradient(head.weights, bias, row, int(y)) for row, y in zip(rows, head.labels, strict=True)])


def factors(pool: Pool, of: list[int] | None = None) -> Gradients:
    chosen = list(range(pool.size)) if of is None else of
    return Gradients(standardised(pool)[chosen], pool.warm_up.residuals[chosen])


def test_products_of_factors_are_products_of_gradients() -> None:
    pool = blobs(seed=3)
    full, found = explicit(pool), factors(pool)
    torch.testing.assert_close(found.products(torch.arange(pool.size)), full @ full.T)
    torch.testing.assert_close(found.squared_norms, full.square().sum(dim=1))
    weights, bias = found.total(torch.ones(pool.size))
    torch.testing.assert_close(torch.cat([weights.flatten(), bias]), full.sum(dim=0))
    torch.testing.assert_close(found.along((weights, bias)), full @ full.sum(dim=0))


def slow_craig(full: np.ndarray, budget: int) -> tuple[list[int], list[int], float]:
    distance = np.linalg.norm(full[:, None] - full[None], axis=2)
    nearest, picks = np.full(len(full), 2 * np.linalg.norm(full, axis=1).max()), list[int]()
    for _ in range(budget):
        gains = {j: float(np.maximum(nearest - distance[:, j], 0).sum()) for j in range(len(full)) if j not in picks}
        picks.append(min(gains, key=lambda j: (-round(gains[j], 6), j)))
        nearest = np.minimum(nearest, distance[:, picks[-1]])
    owner = np.argmin(distance[:, picks], axis=1)
    owner[picks] = np.arange(budget)
    return picks, np.bincount(owner, minlength=budget).tolist(), float(nearest.sum())


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("budget", [1, 9, 40])
def test_craig_is_greedy_facility_location_on_gradient_distances(seed: int, budget: int) -> None:
    pool = blobs(seed=seed)
    picks, sizes, left = represent(factors(pool), budget)
    expected = slow_craig(explicit(pool).numpy(), budget)
    assert picks.tolist() == expected[0]
    assert sizes.tolist() == expected[1]
    assert left == pytest.approx(expected[2], abs=1e-5)


def test_craig_with_many_stale_gains_is_still_the_exact_greedy_choice() -> None:
    rng = np.random.default_rng(9)
    rows, residuals = rng.normal(size=(300, 2)), rng.normal(size=(300, 2))
    rows[200:] = rows[:100]
    residuals[200:] = residuals[:100]
    full = np.concatenate([(rows[:, :, None] * residuals[:, None]).reshape(300, 4), residuals], axis=1)
    picks, sizes, _ = represent(Gradients(torch.tensor(rows), torch.tensor(residuals)), 120)
    expected = slow_craig(full, 120)
    assert picks.tolist() == expected[0]
    assert sizes.sum() == 300
    assert sizes.tolist() == expected[1]


def test_craig_gives_each_class_its_share_and_weighs_by_cluster() -> None:
    pool = blobs(size=45, seed=4)
    assert pool.targets is not None
    answer = select(pool, "craig", 10)
    full = explicit(pool).numpy()
    members = [(pool.targets == label).nonzero().squeeze(1).tolist() for label in range(3)]
    quotas = class_quotas([len(rows) for rows in members], 10)
    weight: dict[int, float] = {}
    for rows, quota in zip(members, quotas, strict=True):
        picks, sizes, _ = slow_craig(full[rows], quota)
        weight |= {rows[pick]: size / 45 for pick, size in zip(picks, sizes, strict=True)}
    assert dict(zip(answer.indices.tolist(), answer.weights.tolist(), strict=True)) == pytest.approx(weight)


def slow_gradmatch(full: np.ndarray, budget: int, ridge: float) -> tuple[list[int], np.ndarray]:
    penalty = math.sqrt(ridge * float((full**2).sum(axis=1).mean()))
    target, picks, weights = full.sum(axis=0), list[int](), np.zeros(0)
    for t in range(budget):
        missing = full @ (target - weights @ full[picks]) if picks else full @ target
        picks.append(max((j for j in range(len(full)) if j not in picks), key=lambda j: float(missing[j])))
        system = np.vstack([full[picks].T, penalty * np.eye(t + 1)])
        weights = scipy.optimize.nnls(system, np.concatenate([target, np.zeros(t + 1)]))[0]
    return picks, weights


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("budget", "ridge"), [(1, 0.5), (12, 0.5), (12, 1e-3), (40, 0.5)])
def test_gradmatch_is_matching_pursuit_with_nonnegative_weights(seed: int, budget: int, ridge: float) -> None:
    pool = blobs(seed=seed)
    picks, weights = match_sum(factors(pool), budget, ridge=ridge)
    expected = slow_gradmatch(explicit(pool).numpy(), budget, ridge)
    assert picks.tolist() == expected[0]
    np.testing.assert_allclose(weights.numpy(), expected[1], atol=1e-6)


def test_gradmatch_weights_stay_positive_and_its_error_is_that_of_the_weights() -> None:
    pool = blobs(size=45, seed=5)
    assert pool.targets is not None
    answer = select(pool, "gradmatch", 30)
    full = explicit(pool).numpy()
    quotas = class_quotas(pool.targets.bincount().tolist(), 30)
    missed = whole = 0.0
    for label in range(3):
        rows = (pool.targets == label).nonzero().squeeze(1).tolist()
        picks, weights = slow_gradmatch(full[rows], quotas[label], 0.5)
        weights = np.maximum(weights, 0.01 * weights.mean())
        missed += float(((weights @ full[rows][picks] - full[rows].sum(axis=0)) ** 2).sum())
        whole += float((full[rows].sum(axis=0) ** 2).sum())
    assert answer.objective["gradient_error"] == pytest.approx(math.sqrt(missed / whole), rel=1e-6)
    assert bool((answer.weights > 0).all())


def test_errors_of_craig_and_gradmatch_say_what_a_class_without_a_point_costs() -> None:
    pool = blobs(size=45, seed=5)
    assert pool.targets is not None
    full = explicit(pool).numpy()
    craig, gradmatch = select(pool, "craig", 2), select(pool, "gradmatch", 2)
    for answer in (craig, gradmatch):
        assert len({int(pool.targets[row]) for row in answer.indices}) == 2
    seen = torch.isin(pool.targets, pool.targets[craig.indices]).numpy()
    same = pool.targets[:, None].eq(pool.targets[craig.indices]).numpy()
    distances = np.linalg.norm(full[:, None] - full[craig.indices.numpy()], axis=2)
    nearest = np.where(same, distances, np.inf)[seen].min(axis=1)
    assert craig.objective["mean_distance"] == pytest.approx(nearest.mean(), rel=1e-5)
    assert craig.objective["rows_of_classes_without_points"] == float((~seen).sum()) > 0
    missed = whole = 0.0
    for label in range(3):
        total = full[(pool.targets == label).numpy()].sum(axis=0)
        found = [row for row in gradmatch.indices.tolist() if pool.targets[row] == label]
        if found:
            weights = slow_gradmatch(full[(pool.targets == label).numpy()], 1, 0.5)[1]
            total_reached = weights @ full[found]
        else:
            total_reached = np.zeros_like(total)
        missed += float(((total_reached - total) ** 2).sum())
        whole += float((total**2).sum())
    assert gradmatch.objective["gradient_error"] == pytest.approx(math.sqrt(missed / whole), rel=1e-5)


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 10_000), k=st.integers(1, 12), warm=st.booleans())
def test_nonnegative_weights_meet_the_optimality_conditions(seed: int, k: int, warm: bool) -> None:
    rng = np.random.default_rng(seed)
    rows, wanted = rng.normal(size=(k, 5)), rng.normal(size=5)
    gram, target = torch.tensor(rows @ rows.T + 0.1 * np.eye(k)), torch.tensor(rows @ wanted)
    start = torch.tensor(np.maximum(rng.normal(size=k), 0)) if warm else torch.zeros(k, dtype=torch.float64)
    weights = nonnegative_weights(gram, target, start)
    slope = gram @ weights - target
    assert float(weights.min()) >= 0
    assert float(slope.min()) >= -1e-8
    assert float((slope * weights).abs().max()) <= 1e-8


def slow_glister(pool: Pool, budget: int, step: float, block: int) -> list[int]:
    rows, head = standardised(pool), pool.warm_up
    bias = (head.logits - rows @ head.weights)[0]
    weights, full, picks = head.weights, explicit(pool), list[int]()
    while len(picks) < budget:
        held = [gradient(weights, bias, rows[i], int(head.labels[i])) for i in head.held_out.tolist()]
        gains = (full @ torch.stack(held).mean(dim=0)).tolist()
        rank = sorted((i for i in range(pool.size) if i not in picks), key=lambda i: (-gains[i], i))
        new = rank[: min(block, budget - len(picks))]
        moved = step * full[new].sum(dim=0)
        weights = weights - moved[: weights.numel()].view_as(weights)
        bias = bias - moved[weights.numel() :]
        picks += new
    return picks


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("block", [1, 4])
def test_glister_follows_the_held_out_loss_with_an_update_after_every_block(seed: int, block: int) -> None:
    pool = blobs(seed=seed)
    answer = select(pool, "glister", 15, params={"block": block, "step": 3})
    step = 3 / float((1 + standardised(pool).square().sum(dim=1)).mean())
    assert answer.indices.tolist() == slow_glister(pool, 15, step, block)
    if block == 1:
        assert answer.indices.tolist() != slow_glister(pool, 15, step, 15)


def test_a_small_glister_step_lowers_the_held_out_loss_by_its_taylor_gain() -> None:
    pool = blobs(seed=6)
    head, step = pool.warm_up, 1e-5
    full = explicit(pool)
    held = head.held_out
    picks, before, after = lower_loss(
        factors(pool), head.logits[held], head.labels[held], held_out=held, budget=1, step=step, block=1
    )
    gain = float(full[held].mean(dim=0) @ full[picks[0]])
    assert gain == pytest.approx(float((full @ full[held].mean(dim=0)).max()))
    assert before - after == pytest.approx(step * gain, rel=1e-2)


# Influence


def test_influence_draws_by_leverage_times_squared_residual_of_classes() -> None:
    pool = blobs(seed=7)
    rows = pool.features.numpy()
    leverage = np.diag(rows @ np.linalg.pinv(rows))
    scores = leverage * (pool.warm_up.residuals.numpy() ** 2).sum(axis=1)
    answer = select(pool, "influence", 12, seed=3)
    assert answer.objective == {"warm_up_rows": len(pool.warm_up.rows)}
    assert answer.scores is not None
    np.testing.assert_allclose(answer.scores.numpy(), scores, rtol=1e-8)
    drawn = round_sample(torch.tensor(scores), 12, generator=generator(3, "influence"))
    assert answer.indices.tolist() == drawn.tolist()


def test_influence_takes_ridge_residuals_for_numeric_targets() -> None:
    rng = np.random.default_rng(8)
    rows = rng.normal(size=(50, 4))
    targets = rows @ [1.0, -2.0, 0.5, 0.0] + 0.1 * rng.normal(size=50)
    targets[11] += 8
    pool = make_pool(torch.tensor(rows), targets=torch.tensor(targets), device="cpu")
    answer = select(pool, "influence", 5)
    assert answer.objective == {}
    assert pool.fit.coef is not None
    assert answer.scores is not None
    residual = targets - targets.mean() - rows @ pool.fit.coef.numpy()[:, 0]
    leverage = np.diag(rows @ np.linalg.pinv(rows))
    np.testing.assert_allclose(answer.scores.numpy(), leverage * residual**2, rtol=1e-8)
    assert int(answer.scores.argmax()) == 11
    assert 11 in answer.indices.tolist()


# All of them


@pytest.mark.parametrize("key", [*KEYS, "influence"])
@pytest.mark.parametrize("targets", [[0] * 8, [0, 1, 1, 1, 1, 1, 1, 1], list(range(8))])
@pytest.mark.parametrize("budget", [1, 8])
def test_one_class_a_class_of_one_and_only_classes_of_one(key: str, targets: list[int], budget: int) -> None:
    rows = torch.tensor(np.random.default_rng(0).normal(size=(8, 3)))
    answer = select(rows, key, budget, targets=torch.tensor(targets), device="cpu")
    assert len(answer.indices.unique()) == budget
    assert bool((answer.weights > 0).all())


@pytest.mark.parametrize("key", KEYS)
def test_methods_that_need_classes_say_so_for_numeric_targets(key: str) -> None:
    assert "needs class labels" in (get_method(key).missing(Task.REGRESSION) or "")
    with pytest.raises(InputError, match="needs class labels"):
        select(torch.randn(10, 2), key, 3, targets=torch.randn(10), device="cpu")


def test_shared_needs_are_computed_once_and_for_all_methods() -> None:
    reports: list[Progress] = []
    pool = make_pool(blobs().features, targets=blobs().targets, device="cpu", report=reports.append)
    compute_shared(pool, [get_method(key) for key in ("entropy", "el2n")])
    computed = len(reports)
    assert {"warm_up", "dynamics"} <= set(vars(pool.ordered))
    for key in ("entropy", "margin", "el2n", "grand", "craig"):
        select(pool, key, 5)
    assert len(reports) == computed
