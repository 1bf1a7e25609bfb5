"""Toy pools: their exact numbers against NumPy written from the definition, and against simulation."""

import numpy as np
import pytest
import torch

from skmm_core.errors import InputError
from skmm_core.learn.toy_pools import (
    Cluster,
    cluster_counts,
    exact_fit,
    hand_picked,
    make_toy,
    simulate_slopes,
    sketched_rows,
    squared_distances,
)

CLUSTERS = (Cluster(30, (1.0, 0.0), 0.2, 0.05), Cluster(12, (0.0, 1.5), 0.1, 0.05), Cluster(5, (0.0, 0.0), 0.3, 0.1))


@pytest.fixture(params=[None, 20], ids=["in the plane", "in 20 dimensions"])
def toy(request):
    return make_toy(CLUSTERS, slopes=(1.0, -0.5), noise=0.4, dim=request.param, ambient=0.01, seed=3)


def ridge_map(toy, rows, alpha):
    """M = (X_SᵀX_S + αI)⁻¹X_Sᵀ by a plain solve."""
    chosen = toy.features[rows].double().numpy()
    return np.linalg.solve(chosen.T @ chosen + alpha * np.eye(chosen.shape[1]), chosen.T)


@pytest.mark.parametrize("counts", [(6, 3, 1), (4, 0, 0), (1, 0, 0), (30, 12, 5)])
def test_exact_fit_equals_the_definition(toy, counts):
    rows = hand_picked(toy, counts)
    fit = exact_fit(toy, rows)
    features, truth = toy.features.double().numpy(), toy.truth.numpy()
    solver = ridge_map(toy, rows, fit.alpha)
    mean = features @ solver @ truth[rows.numpy()]
    spread = 0.4**2 * ((features @ solver) ** 2).sum(axis=1)
    scale = (truth**2).mean()
    assert fit.bias2 / scale == pytest.approx(((mean - truth) ** 2).mean() / scale, rel=1e-5, abs=1e-9)
    assert fit.variance == pytest.approx(spread.mean(), rel=1e-5)
    np.testing.assert_allclose(fit.mean.numpy(), mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(fit.sd.numpy() ** 2, spread, rtol=1e-4, atol=1e-10)


def test_alpha_is_the_best_of_its_neighbours(toy):
    rows = hand_picked(toy, (6, 3, 1))
    fit = exact_fit(toy, rows)
    features, truth = toy.features.double().numpy(), toy.truth.numpy()

    def error(alpha):
        solver = ridge_map(toy, rows, alpha)
        lost = ((features @ solver @ truth[rows.numpy()] - truth) ** 2).mean()
        return lost + 0.4**2 * ((features @ solver) ** 2).sum() / len(features)

    assert fit.error == pytest.approx(error(fit.alpha), rel=1e-5)
    assert error(fit.alpha) <= min(error(fit.alpha * 10 ** (1 / 3)), error(fit.alpha / 10 ** (1 / 3)))


def test_simulated_slopes_scatter_as_the_closed_form_says(toy):
    rows = hand_picked(toy, (6, 3, 1))
    fit = exact_fit(toy, rows)
    draws = 4000
    slopes = simulate_slopes(toy, rows, fit, draws=draws, seed=5)
    sd = 0.4 * (toy.basis.T @ fit.solver).square().sum(dim=1).sqrt()
    # mean and sd of normal draws have the standard errors sd/√draws and sd/√(2 draws); 5 of them hold in all but 1e-6
    assert bool(((slopes.mean(0) - toy.basis.T @ fit.coef).abs() < 5 * sd / draws**0.5).all())
    assert bool(((slopes.std(0) - sd).abs() < 5 * sd / (2 * draws) ** 0.5).all())


def test_a_pool_is_what_was_asked_for(toy):
    assert torch.bincount(toy.cluster).tolist() == [30, 12, 5]
    centres = torch.stack([toy.plane[toy.cluster == cluster].mean(0) for cluster in range(3)])
    # a mean of n draws is off by sd/√n; 5 times the widest sd over the fewest points
    assert float((centres - torch.tensor([[1.0, 0.0], [0.0, 1.5], [0.0, 0.0]])).abs().max()) < 5 * 0.2 / 5**0.5
    off = toy.features.double() - toy.plane.double() @ toy.basis.T
    assert float(off.std()) == pytest.approx(0.01, rel=0.5)
    np.testing.assert_allclose((toy.basis.T @ toy.coef).numpy(), [1.0, -0.5])
    again = make_toy(CLUSTERS, slopes=(1.0, -0.5), noise=0.4, dim=toy.features.shape[1], ambient=0.01, seed=3)
    assert torch.equal(again.features, toy.features)


def test_a_wide_cluster_is_wide_along_its_centre_only():
    toy = make_toy([Cluster(4000, (3.0, 4.0), 0.5, 0.1)], slopes=(1.0, 1.0), noise=1.0)
    rest = toy.plane.double() - torch.tensor([3.0, 4.0])
    towards, aside = torch.tensor([0.6, 0.8]).double(), torch.tensor([-0.8, 0.6]).double()
    assert float((rest @ towards).std()) == pytest.approx(0.5, rel=5 / 8000**0.5)
    assert float((rest @ aside).std()) == pytest.approx(0.1, rel=5 / 8000**0.5)


def test_hand_picked_rows_come_from_their_clusters_and_grow_by_adding(toy):
    few, more = hand_picked(toy, (4, 2, 0)), hand_picked(toy, (6, 3, 1))
    assert cluster_counts(toy, few) == (4, 2, 0)
    assert cluster_counts(toy, more) == (6, 3, 1)
    assert set(few.tolist()) < set(more.tolist())
    with pytest.raises(InputError, match="cluster 1 has 12 points; 13 cannot be picked"):
        hand_picked(toy, (1, 13, 0))


@pytest.mark.parametrize(
    ("clusters", "dim"), [((), None), ((Cluster(3, (1.0, 0.0, 0.0), 0.1, 0.1),), None), (CLUSTERS, 1)]
)
def test_what_does_not_fit_is_refused(clusters, dim):
    with pytest.raises(InputError, match="2 coordinates each and at least 2 dimensions"):
        make_toy(clusters, slopes=(1.0, 1.0), noise=0.1, dim=dim)


def test_distances_of_all_pairs_and_behind_a_map():
    rows = torch.randn(9, 30, generator=torch.Generator().manual_seed(0))
    numbers = rows.double().numpy()
    expected = [((numbers[i] - numbers[j]) ** 2).sum() for i in range(9) for j in range(i + 1, 9)]
    np.testing.assert_allclose(squared_distances(rows).numpy(), expected)
    # each ratio is a mean of m squares of normal draws: sd √(2/m) over maps, so a mean of 400 is off by √(2/m)/20
    ratios = torch.stack([squared_distances(sketched_rows(rows, 8, seed=seed))[0] / expected[0] for seed in range(400)])
    assert float(ratios.mean()) == pytest.approx(1.0, abs=5 * (2 / 8) ** 0.5 / 20)
