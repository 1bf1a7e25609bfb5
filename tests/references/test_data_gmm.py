"""The Gaussian mixture against its definition: centres, sizes, spreads, labels, held-out draws."""

import math

import pytest
import torch

from skmm_core.data.builtin import gaussian_mixture
from skmm_core.data.builtin_list import GmmOptions

SEEDS = range(12)


def draw(**options):
    features, targets = gaussian_mixture(GmmOptions(**options))
    # With a spread far below K, the largest coordinate of a row is its centre's.
    norms, axes = features[0].max(dim=1)
    return features, targets, norms, axes


@pytest.mark.parametrize("seed", SEEDS)
def test_centres_lie_on_distinct_axes_at_multiples_of_k(seed):
    _, _, norms, axes = draw(N=300, r=40, clusters=5, K=7, std_max=0.0, seed=seed)
    assert len(axes.unique()) == 5
    for axis in axes.unique():
        of_cluster = norms[axes == axis].unique()
        assert len(of_cluster) == 1
        assert float(of_cluster) in {7.0 * k for k in range(1, 8)}


@pytest.mark.parametrize("seed", SEEDS)
def test_one_label_a_cluster_linear_in_the_centre(seed):
    (pool, *held), (labels, *held_labels), norms, axes = draw(N=300, r=40, clusters=5, std_max=0.0, seed=seed)
    theta = torch.zeros(40)
    theta[axes] = labels / norms
    assert torch.allclose(pool @ theta, labels, rtol=1e-5)
    for x, y in zip(held, held_labels, strict=True):
        assert torch.allclose(x @ theta, y, rtol=1e-5), "held-out parts come from another mixture"


def test_label_noise_has_the_asked_size():
    N, sd = 6000, 0.5
    _, (clean, *_), *_ = draw(N=N, r=10, seed=3)
    _, (noisy, *_), *_ = draw(N=N, r=10, label_noise=sd, seed=3)
    noise = (noisy - clean).double()
    # Standard errors: sd/√N of the mean, sd/√(2N) of the standard deviation; five of each.
    assert abs(float(noise.mean())) < 5 * sd / math.sqrt(N)
    assert abs(float(noise.std()) - sd) < 5 * sd / math.sqrt(2 * N)


@pytest.mark.statistical
def test_spreads_are_uniform_up_to_std_max():
    std_max, spreads = 0.04, []
    for seed in range(40):
        (pool, *_), _, _, axes = draw(N=400, r=200, std_max=std_max, seed=seed)
        for axis in axes.unique():
            rows = pool[axes == axis]
            away = rows[:, [j for j in range(200) if j != axis]]  # without the coordinate of the centre
            spreads.append(float(away.pow(2).mean().sqrt()))
    found = torch.tensor(spreads) / std_max
    # The spread of one cluster is estimated from >= 199 numbers: relative standard error <= 1/√398 = 0.05.
    assert float(found.max()) < 1 + 5 * 0.05
    # Mean of a U(0, 1) sample: standard error √(1/12/n); five of them.
    assert abs(float(found.mean()) - 0.5) < 5 * math.sqrt(1 / 12 / len(found))
    assert abs(float(found.var()) - 1 / 12) < 5 * math.sqrt(1 / 180 / len(found))


@pytest.mark.statistical
def test_sizes_are_gaps_between_uniform_breakpoints():
    N, clusters, shares = 1000, 5, []
    for seed in range(60):
        *_, axes = draw(N=N, r=6, clusters=clusters, seed=seed)
        counts = axes.unique(return_counts=True)[1]
        assert len(counts) == clusters, "an empty cluster"
        shares.append(float((counts / N).pow(2).sum()))
    # Gaps of uniform breakpoints are Dirichlet(1, …, 1): E Σ p² = 2/(C + 1); equal sizes would give 1/C.
    sample = torch.tensor(shares)
    assert (
        abs(float(sample.mean()) - 2 / (clusters + 1)) < 5 * float(sample.std()) / math.sqrt(len(shares)) + clusters / N
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_held_out_parts_have_the_cluster_shares_of_the_pool(seed):
    (pool, validation, test), _, _, axes = draw(N=1500, r=30, clusters=4, seed=seed)
    shares = torch.bincount(axes, minlength=30) / len(pool)
    for part in (validation, test):
        found = torch.bincount(part.argmax(dim=1), minlength=30) / len(part)
        # Binomial standard error of a share, at most √(1/4/n); five of them.
        assert float((found - shares).abs().max()) < 5 * math.sqrt(0.25 / len(part))


def test_held_out_parts_are_fresh_draws():
    (pool, validation, test), *_ = draw(N=90, r=30, clusters=3, seed=1)
    both = torch.cat([pool, validation, test])
    assert len(both.unique(dim=0)) == len(both)
