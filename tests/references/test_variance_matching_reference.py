"""V-optimal picks against plain NumPy: the cost from its definition, every candidate tried, no update formula."""

import numpy as np
import pytest
import torch

from skmm_core.config import SketchParams
from skmm_core.device import generator
from skmm_core.methods import variance_matching
from skmm_core.methods.registry import select
from skmm_core.methods.variance_matching import Candidates, Design, exchange_design, greedy_design
from skmm_core.pool.making import make_pool

WHOLE = SketchParams(kind="none")


def rows(n=40, d=5, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)) * np.linspace(2, 0.5, d) + 0.3


def cost(x, chosen, n, ridge):
    """tr(Σ(Σ_S + εI)⁻¹), Σ_S summed over the chosen and divided by the final n."""
    second = x.T @ x / len(x)
    epsilon = ridge * np.trace(second) / x.shape[1]
    part = x[chosen].T @ x[chosen] / n
    return np.trace(second @ np.linalg.inv(part + epsilon * np.eye(x.shape[1])))


def brute_greedy(x, n, ridge):
    picks = []
    for _ in range(n):
        outside = [i for i in range(len(x)) if i not in picks]
        costs = [cost(x, [*picks, i], n, ridge) for i in outside]
        best = min(costs)
        picks.append(next(i for i, value in zip(outside, costs, strict=True) if value <= best * (1 + 1e-12)))
    return picks


@pytest.mark.parametrize("ridge", [1e-2, 1.0])
@pytest.mark.parametrize("budget", [1, 2, 9, 40])
@pytest.mark.parametrize(
    "x", [rows(), np.repeat(rows(10, 3), 4, axis=0), np.c_[rows(40, 3), np.full(40, 7.0)]],
    ids=["normal", "duplicates", "a constant column"],
)  # fmt: skip
def test_greedy_picks_are_the_brute_force_ones(x, budget, ridge):
    params = {"ridge": ridge, "exchanges": 0}
    found = select(torch.tensor(x), "skmm_variance", budget, params=params, sketch=WHOLE)
    expected = brute_greedy(x, budget, ridge)
    assert found.indices.tolist() == expected
    assert found.objective["rounded"] == pytest.approx(cost(x, expected, budget, ridge), rel=1e-9)


def test_float32_agrees_with_float64():
    x = torch.tensor(rows(200, 12))
    one = select(x, "skmm_variance", 30, sketch=WHOLE)
    two = select(x.float(), "skmm_variance", 30, sketch=WHOLE)
    assert one.objective["rounded"] == pytest.approx(two.objective["rounded"], rel=1e-4)


def test_exchanges_end_where_no_single_exchange_helps():
    x = rows(30, 4)
    found = select(torch.tensor(x), "skmm_variance", 8, params={"exchanges": 100}, sketch=WHOLE)
    chosen = found.indices.tolist()
    best = cost(x, chosen, 8, 1e-2)
    assert found.objective["rounded"] == pytest.approx(best, rel=1e-9)
    assert best <= found.objective["greedy"] * (1 + 1e-12)
    assert found.status.name == "CONVERGED"
    for slot in range(8):
        for new in set(range(30)) - set(chosen):
            assert cost(x, [*chosen[:slot], new, *chosen[slot + 1 :]], 8, 1e-2) >= best * (1 - 1e-7)


def test_many_updates_stay_as_exact_as_a_fresh_start():
    moments = make_pool(torch.tensor(rows(300, 10)), sketch=WHOLE, device="cpu").moments
    design = Design(moments, 120, 1e-3)
    candidates = Candidates(300, 120, 0.1, generator(0, "test"), torch.device("cpu"))
    picks = greedy_design(design, candidates, 120)
    picks, _ = exchange_design(design, candidates, picks, sweeps=1)
    kept = design.cost, design.gains(None)
    design.rebuild(picks)
    assert kept[0] == pytest.approx(design.cost, rel=1e-9)
    assert torch.allclose(kept[1], design.gains(None), rtol=1e-7)


def test_sampled_candidates_come_close_to_all_of_them(monkeypatch):
    """On average at least 1 - 1/e - δ of the best gain (Mirzasoleiman et al., 2015, Theorem 1)."""
    x = torch.tensor(rows(2000, 8))
    whole = select(x, "skmm_variance", 40, params={"exchanges": 0}, sketch=WHOLE).objective["rounded"]
    monkeypatch.setattr(variance_matching, "EXACT_LIMIT", 100)
    costs = []
    for seed in range(5):
        found = select(x, "skmm_variance", 40, params={"exchanges": 0}, sketch=WHOLE, seed=seed)
        assert len(found.indices.unique()) == 40
        costs.append(found.objective["rounded"])
    empty = cost(x.numpy(), [], 40, 1e-2)
    assert empty - np.mean(costs) >= (1 - 1 / np.e - 0.01) * (empty - whole)
    assert len(set(costs)) == 5


@pytest.mark.parametrize("budget", [1, 150, 499, 500])
def test_sampling_works_up_to_the_whole_pool(monkeypatch, budget):
    monkeypatch.setattr(variance_matching, "EXACT_LIMIT", 100)
    found = select(torch.tensor(rows(500, 4)), "skmm_variance", budget, sketch=WHOLE)
    assert len(found.indices.unique()) == budget


def test_rough_gains_are_the_gains():
    design = Design(make_pool(torch.tensor(rows(50, 6)).float(), sketch=WHOLE, device="cpu").moments, 10, 1e-2)
    design.put(torch.tensor(3))
    some = torch.tensor([4, 9, 30])
    assert torch.allclose(design.rough_gains(some).double(), design.gains(some), rtol=1e-4)
