"""Fit matching against plain NumPy: every candidate is refitted from scratch and scored on the whole pool."""

import re

import numpy as np
import pytest
import torch

from skmm_core.data.builtin import gaussian_mixture
from skmm_core.data.builtin_list import GmmOptions
from skmm_core.device import generator
from skmm_core.methods import fit_matching
from skmm_core.methods.fit_matching import centred_targets, fitted_rows, pilot_remark, scaled
from skmm_core.methods.registry import select
from skmm_core.pool.content_order import content_order
from skmm_core.solvers.ridge_selection import RidgeFit, greedy_fit, pool_moments
from skmm_core.solvers.scaling_pilot import PENALTIES, pilot_errors


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


def agreement(z, y, chosen, alpha, scale_free, caution=0.0):
    """Refit, predict the pool, score."""
    a, b = z[chosen], y[chosen]
    inverse = np.linalg.inv(a.T @ a + alpha * np.eye(z.shape[1]))
    f = z @ inverse @ a.T @ b
    along, energy = (y * f).sum(), (y**2).sum()
    if scale_free:
        return along * abs(along) / (f**2).sum() / energy
    untold = alpha * np.trace(z @ inverse @ z.T) / (z**2).sum()
    return 1 - ((y - f) ** 2).sum() / energy - caution * untold


def brute_select(z, y, budget, alpha, scale_free, sweeps, caution):
    def score(chosen):
        return agreement(z, y, chosen, alpha, scale_free, caution)

    def best(fixed, among):
        return max(among, key=lambda i: score([*fixed, i]))

    picks = []
    for _ in range(budget):
        picks.append(best(picks, [i for i in range(len(z)) if i not in picks]))
    for _ in range(sweeps):
        for slot in range(budget):
            others = picks[:slot] + picks[slot + 1 :]
            new = best(others, [i for i in range(len(z)) if i not in others])
            if score([*others, new]) > 1e-9 + score(picks):
                picks[slot] = new
    return picks


@pytest.mark.parametrize(
    ("kind", "alpha", "caution"), [("classes", 3.0, 0.1), ("numbers", 0.3, 0), ("numbers", 0.1, 1)]
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_picks_are_those_of_refitting_every_candidate(kind, alpha, caution, dtype):
    for seed in range(3):
        x, y = problem(kind, seed=seed)
        z, wanted = brute_rows(x), brute_targets(y)
        params = {"exchanges": 2, "scaling": "unit", "alpha": alpha, "caution": caution}
        found = select(torch.tensor(x, dtype=dtype), "skmm_fit", 7, targets=torch.tensor(y), params=params)
        expected = brute_select(z, wanted, 7, alpha, kind == "classes", 2, caution)
        assert set(found.indices.tolist()) == set(expected)
        value = agreement(z, wanted, expected, alpha, kind == "classes", caution)
        assert found.objective["rounded"] == pytest.approx(1 - value, abs=1e-5)


@pytest.mark.parametrize(("scale_free", "caution"), [(True, 0.5), (False, 0), (False, 0.5)])
def test_gains_stay_exact_while_rows_come_and_go(scale_free, caution):
    x, y = problem("classes")
    z, wanted = brute_rows(x), brute_targets(y)
    rows, targets = torch.tensor(z), torch.tensor(wanted)
    fit = RidgeFit(rows, targets, pool_moments(rows, targets), alpha=0.7, scale_free=scale_free, caution=caution)
    for row in (3, 9, 20, 41):
        fit.add(torch.tensor(row))
    fit.drop(torch.tensor(9))
    chosen = [3, 20, 41]
    assert fit.agreement == pytest.approx(agreement(z, wanted, chosen, 0.7, scale_free, caution))
    gains = fit.gains() / float((targets**2).sum())
    for row in (0, 9, 59):
        assert float(gains[row]) == pytest.approx(agreement(z, wanted, [*chosen, row], 0.7, scale_free, caution))


def test_caution_sees_clusters_whose_first_row_would_spoil_a_lucky_fit():
    # four of the eight clusters of this draw fit the others by chance, and every further row makes that worse
    (x, *_), (y, *_) = gaussian_mixture(GmmOptions(N=1000, r=600, seed=3))
    clusters = y.unique(return_inverse=True)[1]
    for caution, seen in ((0.0, 4), (0.3, 8)):
        params = {"scaling": "none", "caution": caution}
        picked = select(x, "skmm_fit", 16, targets=y.double(), params=params).indices
        assert len(clusters[picked].unique()) == seen


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
    z, wanted = np.column_stack([(x - x.mean(0)) / x.std(0), np.ones(400)]), brute_targets(y)

    def best(chosen):
        return max(agreement(z, wanted, chosen, alpha, False) for alpha in (0.001, 0.01, 0.1, 1, 10))

    rng = np.random.default_rng(0)
    drawn = [best(rng.permutation(400)[:25]) for _ in range(50)]
    assert best(select(x, "skmm_fit", 25, targets=y).indices.tolist()) > max(drawn)


def test_classes_are_fitted_on_rows_of_unit_length_with_a_fixed_penalty():
    x, y = problem("classes")
    asked = {"scaling": "unit", "alpha": 3.0}
    same = [select(x, "skmm_fit", 7, targets=y, params=each).indices.tolist() for each in ({}, asked)]
    assert same[0] == same[1]


def brute_pilot(rows, targets, budget):
    """Every fit by itself, with the normal equations."""
    found = []
    for key, z in rows.items():
        for penalty in PENALTIES:
            errors = []
            for seed in range(8):
                draw = torch.randperm(len(z), generator=generator(seed, "fit:pilot")).numpy()
                fitted, left = draw[: min(budget, len(z) // 2)], draw[min(budget, len(z) // 2) :]
                a = z[fitted]
                b = np.linalg.solve(a.T @ a + penalty * np.eye(z.shape[1]), a.T @ targets[fitted])
                errors.append(np.minimum((z[left] @ b - targets[left]) ** 2, 9).mean())
            found.append((np.mean(errors), key))
    return {key: min(error for error, other in found if other == key) for key in rows}


@pytest.mark.parametrize("budget", [3, 9, 200])
def test_errors_of_the_pilot_are_those_of_fits_one_by_one(budget):
    x, y = problem("numbers", n=50)
    rows = {"far": x * np.array([1, 1, 1, 1, 1, 40.0]), "near": x}
    wanted = brute_targets(y)
    found = pilot_errors({key: torch.tensor(each) for key, each in rows.items()}, torch.tensor(wanted), budget)
    assert found == pytest.approx(brute_pilot(rows, wanted, budget))


def test_numbers_are_fitted_on_the_scaling_that_predicts():
    rng = np.random.default_rng(5)
    plain = rng.normal(size=(300, 5))
    y = plain @ [1.0, -2.0, 1.5, 1.0, 2.0] + 0.2 * rng.normal(size=300)
    table = plain * [1e-3, 1, 1e2, 1e4, 1e5]  # columns of a table, each in a unit of its own
    noisy = np.column_stack([plain * 10, 0.01 * rng.normal(size=(300, 80))])  # all that counts is in the loud columns
    for x, best, others in ((table, "columns", ("none", "unit")), (noisy, "none", ("columns",))):
        picks = {key: select(x, "skmm_fit", 12, targets=y, params={"scaling": key}) for key in (best, *others)}
        auto = select(x, "skmm_fit", 12, targets=y)
        assert auto.indices.tolist() == picks[best].indices.tolist()
        assert all(auto.indices.tolist() != picks[other].indices.tolist() for other in others)
        assert not any(each.remarks for each in picks.values()), "nothing was left to the method"


@pytest.mark.parametrize("best", ["columns", "none", "unit"])
def test_the_scaling_that_was_found_out_is_told_with_its_errors(best):
    told = {"columns": "scaled column by column", "none": "left as they are", "unit": "scaled to length 1"}
    errors = {**dict.fromkeys(told, 0.4), best: 0.3149, next(key for key in told if key != best): 0.5222}
    said = pilot_remark(errors, best)
    assert said.startswith(f"Rows were {told[best]}: ")
    assert "error 0.315 against " in said
    for key in set(told) - {best}:
        assert f"{errors[key]:.3g} {told[key]}" in said
    assert "best that way" in said


def test_a_scaling_is_not_called_best_beside_one_of_the_same_shown_error():
    said = pilot_remark({"columns": 0.040097, "none": 0.040098, "unit": 0.14}, "columns")
    assert "no better another way, with error 0.0401 against 0.0401 left as they are and 0.14 scaled" in said
    assert "best" not in said.replace("no better", "")


def test_a_pilot_that_tells_nothing_is_said_to_tell_nothing():
    x, y = problem("numbers")
    for count, targets in ((60, np.full(60, 2.0)), (1, y[:1])):  # equal errors, and none at all
        (said,) = select(x[:count], "skmm_fit", 1, targets=targets).remarks
        assert said == "Rows were left as they are: a pilot fit on random rows could tell no better scaling."
    assert select(x, "skmm_fit", 4, targets=problem("classes")[1]).remarks == ()


def test_the_errors_told_are_those_of_the_pilot():
    x, y = problem("numbers", n=50)
    rows = {key: fitted_rows(scaled(torch.tensor(x), key), 256).numpy() for key in ("none", "unit", "columns")}
    drawn = torch.randperm(50, generator=generator(0, "fit:pilot"))
    drawn = content_order(torch.tensor(x), torch.tensor(y))[drawn].numpy()
    brute = brute_pilot({key: each[drawn] for key, each in rows.items()}, brute_targets(y)[drawn], 9)
    (said,) = select(x, "skmm_fit", 9, targets=y).remarks
    assert sorted(re.findall(r"0\.\d+", said)) == sorted(f"{error:.3g}" for error in brute.values())


def test_scaled_rows_have_the_length_or_the_spread_that_was_asked_for():
    x, _ = problem("numbers")
    x[:, 2] = 4.0
    rows = torch.tensor(x)
    assert torch.allclose(scaled(rows, "unit").norm(dim=1), torch.ones(60, dtype=torch.float64))
    columns = scaled(rows, "columns")
    varying = [0, 1, 3, 4, 5]
    assert torch.allclose(columns[:, varying].square().mean(dim=0), torch.ones(5, dtype=torch.float64))
    assert bool((columns[:, 2] == 0).all())
    assert scaled(rows, "none") is rows


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_tiny_pool_of_numbers_has_a_pilot_too(count):
    x = np.arange(2.0 * count).reshape(count, 2)
    assert sorted(select(x, "skmm_fit", count, targets=np.arange(1.0 * count)).indices.tolist()) == list(range(count))
