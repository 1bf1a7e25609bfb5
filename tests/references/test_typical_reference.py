"""TypiClust against a plain walk over its clusters in NumPy."""

import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs

from skmm_core.data.include_exclude import make_given
from skmm_core.methods import typical_points
from skmm_core.methods.clusters import k_means
from skmm_core.methods.registry import select
from skmm_core.methods.typical_points import mean_distances, typical_rows
from skmm_core.pool.making import make_pool
from skmm_core.solvers.kernels import unit_rows


def blobs(sizes, d=6, seed=0):
    return make_blobs(sizes, d, centers=None, cluster_std=1.5, random_state=seed)[0]


def plain_walk(x, clusters, budget, neighbours, start=(), closed=()):
    """Pick by pick: every candidate cluster and every row in it is looked at anew."""
    picks = list(start)
    while len(picks) < budget:
        open_rows = [i for i in range(len(x)) if i not in picks and i not in closed]
        worth = []
        for c in sorted({clusters[i] for i in open_rows}):
            size = int((clusters == c).sum())
            worth.append((size < 5, sum(clusters[i] == c for i in picks), -size, c))
        cluster = min(worth)[-1]
        members = np.flatnonzero(clusters == cluster)
        spread = {}
        for i in members:
            others = sorted(np.linalg.norm(x[i] - x[j]) for j in members if j != i)[:neighbours]
            spread[i] = np.mean(others) if others else 0.0
        picks.append(min((i for i in members if i in open_rows), key=lambda i: (spread[i], i)))
    return picks


@pytest.mark.parametrize("budget", [1, 3, 8, 30, 60])
@pytest.mark.parametrize("neighbours", [1, 4, 20])
def test_picks_are_those_of_a_plain_walk(budget, neighbours):
    x = blobs([31, 14, 9, 3, 2, 1])
    clusters = k_means(torch.tensor(x), min(budget, 8), seed=3, purpose="typiclust:clusters")
    found = typical_rows(torch.tensor(x), clusters, budget, neighbours=neighbours)
    assert found.tolist() == plain_walk(x, clusters.numpy(), budget, neighbours)


def test_points_in_by_hand_count_for_their_clusters_and_points_kept_out_stay_out():
    x = blobs([20, 12, 8, 4], seed=1)
    clusters = k_means(torch.tensor(x), 6, seed=0, purpose="typiclust:clusters")
    first = plain_walk(x, clusters.numpy(), 6, 5)
    start, closed = first[1:3], first[3:5]
    given = make_given(torch.tensor(start), torch.tensor(closed), len(x))
    found = typical_rows(torch.tensor(x), clusters, 12, neighbours=5, given=given)
    assert found.tolist() == plain_walk(x, clusters.numpy(), 12, 5, start, closed)
    assert found[2:].tolist() != first[:10], "decisions by hand change what follows"


def test_the_method_clusters_rows_of_unit_length_into_as_many_as_are_picked():
    x = torch.tensor(blobs([40, 30, 20], seed=2), dtype=torch.float64)
    pool = make_pool(x).ordered
    rows = unit_rows(pool.features)
    for budget, most in [(4, 500), (7, 500), (12, 5)]:
        clusters = k_means(rows, min(budget, most), seed=9, purpose="typiclust:clusters")
        found = select(pool, "typiclust", budget, params={"clusters": most}, seed=9)
        assert found.indices.tolist() == plain_walk(rows.numpy(), clusters.numpy(), budget, 20)
    assert select(pool, "typiclust", 12, seed=9).indices.tolist() != found.indices.tolist()


def test_every_clear_cluster_gets_its_point():
    x, label = make_blobs([50] * 12, 8, cluster_std=0.05, center_box=(-9, 9), random_state=4)
    picks = select(torch.tensor(x), "typiclust", 12, seed=0).indices
    assert sorted(label[picks]) == list(range(12))


def test_rows_that_are_all_equal_leave_clusters_empty_but_not_the_selection():
    picks = select(torch.ones(20, 3), "typiclust", 7).indices
    assert picks.tolist() == list(range(7))


def test_mean_distances_in_blocks_and_over_random_rows(monkeypatch):
    x = torch.tensor(blobs([60], seed=5))
    whole = torch.cdist(x, x).sort(dim=1).values[:, 1:6].mean(dim=1)
    monkeypatch.setattr(typical_points, "_BLOCK_ELEMENTS", 7 * 60)
    assert torch.allclose(mean_distances(x, 5), whole)
    monkeypatch.setattr(typical_points, "_REFERENCE_LIMIT", 30)
    over_some = mean_distances(x, 5)
    assert bool((over_some > whole).any())
    assert bool((over_some >= whole - 1e-12).all()), "the nearest of some rows are no nearer than the nearest of all"
