"""Fit matching against plain NumPy: every candidate is refitted from scratch and scored on the whole pool."""

import numpy as np
import pytest
import torch

from skmm_core.methods import fit_matching
from skmm_core.methods.fit_matching import centred_targets, fitted_rows
from skmm_core.methods.registry import select
from skmm_core.ridge_selection import RidgeFit, greedy_fit, pool_moments


def problem(kind: str, n=60, d=6, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d)) * np.linspace(2, 0.5, d) + 0.3
    y = x @ rng.normal(size=d) + 0.5 * rng.normal(size=n)
    if kind == "classes":
        y = np.digitize(y, np.quantile(y, [0.3, 0.7]))
    return x, y


def brute_rows(x):
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    x = x - x.mean(0)
    return np.column_stack([x / np.sqrt((x**2).sum(1).mean()), np.ones(len(x))])


def brute_targets(y):
    if y.dtype.kind == "f":
        return ((y - y.mean()) / y.std())[:, None]
    indicators = (y[:, None] == np.unique(y)).astype(float)
    return indicators - indicators.mean(0)


def agreement(z, y, chosen, alpha, scale_free):
    """Refit, predict the pool, score."""
    a, b = z[chosen], y[chosen]
    f = z @ np.linalg.solve(a.T @ a + alpha * np.eye(z.shape[1]), a.T @ b)
    along = (y * f).sum()
    return (along * abs(along) / (f**2).sum() if scale_free else (y**2).sum() - ((y - f) ** 2).sum()) / (y**2).sum()


def brute_select(z, y, budget, alpha, scale_free, sweeps):
    def best(fixed, among):
        return max(among, key=lambda i: agreement(z, y, [*fixed, i], alpha, scale_free))

    picks = []
    for _ in range(budget):
        picks.append(best(picks, [i for i in range(len(z)) if i not in picks]))
    for _ in range(sweeps):
        for slot in range(budget):
            others = picks[:slot] + picks[slot + 1 :]
            new = best(others, [i for i in range(len(z)) if i not in others])
            if agreement(z, y, [*others, new], alpha, scale_free) > 1e-9 + agreement(z, y, picks, alpha, scale_free):
                picks[slot] = new
    return picks


@pytest.mark.parametrize(("kind", "alpha"), [("classes", 3.0), ("numbers", 0.3)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_picks_are_those_of_refitting_every_candidate(kind, alpha, dtype):
    for seed in range(3):
        x, y = problem(kind, seed=seed)
        z, wanted = brute_rows(x), brute_targets(y)
        found = select(torch.tensor(x, dtype=dtype), "skmm_fit", 7, targets=torch.tensor(y), params={"exchanges": 2})
        expected = brute_select(z, wanted, 7, alpha, kind == "classes", 2)
        assert set(found.indices.tolist()) == set(expected)
        value = agreement(z, wanted, expected, alpha, kind == "classes")
        assert found.objective["rounded"] == pytest.approx(1 - value, abs=1e-5)


@pytest.mark.parametrize("scale_free", [True, False])
def test_gains_stay_exact_while_rows_come_and_go(scale_free):
    x, y = problem("classes")
    z, wanted = brute_rows(x), brute_targets(y)
    rows, targets = torch.tensor(z), torch.tensor(wanted)
    fit = RidgeFit(rows, targets, pool_moments(rows, targets), alpha=0.7, scale_free=scale_free)
    for row in (3, 9, 20, 41):
        fit.add(torch.tensor(row))
    fit.drop(torch.tensor(9))
    chosen = [3, 20, 41]
    assert fit.agreement == pytest.approx(agreement(z, wanted, chosen, 0.7, scale_free))
    gains = fit.gains() / float((targets**2).sum())
    for row in (0, 9, 59):
        assert float(gains[row]) == pytest.approx(agreement(z, wanted, [*chosen, row], 0.7, scale_free))


def test_candidates_may_be_fewer_than_the_pool_that_is_predicted():
    x, y = problem("numbers")
    z, wanted = brute_rows(x), brute_targets(y)
    rows, targets = torch.tensor(z), torch.tensor(wanted)
    fit = RidgeFit(rows[:20], targets[:20], pool_moments(rows, targets), alpha=0.3, scale_free=False)
    picks = greedy_fit(fit, 4).tolist()
    assert max(picks) < 20
    assert fit.agreement == pytest.approx(agreement(z, wanted, picks, 0.3, False))
    trials = [agreement(z, wanted, [*picks[:3], i], 0.3, False) for i in range(20) if i not in picks[:3]]
    assert fit.agreement == pytest.approx(max(trials))


def test_a_large_pool_looks_at_a_fixed_sample_of_candidates(monkeypatch):
    monkeypatch.setattr(fit_matching, "CANDIDATES", 30)
    x, y = problem("classes", n=200)
    answers = [select(x, "skmm_fit", 10, targets=y, seed=seed).indices.tolist() for seed in range(2)]
    assert answers[0] == answers[1]
    assert len(select(x, "skmm_fit", 50, targets=y).indices.unique()) == 50


def test_fewer_principal_directions_keep_the_leading_energy():
    x, _ = problem("numbers", n=300, d=8)
    rows = fitted_rows(torch.tensor(x), 3)
    assert rows.shape == (300, 4)
    assert bool((rows[:, -1] == 1).all())
    centred = x - x.mean(0)
    kept = np.linalg.svd(centred, compute_uv=False)[:3] ** 2
    found = torch.linalg.svdvals(rows[:, :3]).square().numpy()
    assert np.allclose(found / found.sum(), kept / kept.sum())
    assert float(rows[:, :3].square().sum(dim=1).mean()) == pytest.approx(1)


def test_constant_targets_and_absent_classes_are_valid():
    assert bool((centred_targets(torch.full((5,), 3.0)) == 0).all())
    assert centred_targets(torch.tensor([4, 0, 4])).shape == (3, 2)
    x, _ = problem("numbers")
    assert len(select(x, "skmm_fit", 9, targets=np.full(60, 2.0)).indices.unique()) == 9


def test_a_probe_on_its_picks_beats_one_on_random_picks():
    x, y = problem("numbers", n=400, d=20, seed=3)
    z, wanted = brute_rows(x), brute_targets(y)
    picked = select(x, "skmm_fit", 25, targets=y).indices.tolist()
    rng = np.random.default_rng(0)
    drawn = [agreement(z, wanted, rng.permutation(400)[:25], 0.3, False) for _ in range(50)]
    assert agreement(z, wanted, picked, 0.3, False) > max(drawn)
