"""Whitened kernel matching against plain NumPy, written from the definition with the whole kernel matrix."""

import numpy as np
import pytest
import torch

from skmm_core.methods.registry import select
from skmm_core.pool.principal_directions import principal_rows
from skmm_core.solvers.kernels import gaussian_kernel


def rows(n=50, d=6, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)) * np.linspace(3, 0.5, d) + 0.3


def whitened(x, rank, power):
    x = x - x.mean(0)
    energy, directions = np.linalg.eigh(x.T @ x / len(x))
    energy, directions = energy[::-1], directions[:, ::-1]
    return (x @ directions[:, :rank]) * (energy[:rank] + 0.1 * energy.mean()) ** (-power / 2)


@pytest.mark.parametrize(("rank", "power"), [(6, 0.0), (3, 0.0), (4, 0.3), (6, 1.0)])
def test_principal_rows_keep_the_products_of_the_definition(rank, power):
    x = rows()
    found, expected = principal_rows(torch.tensor(x), rank, power=power).numpy(), whitened(x, rank, power)
    assert found.shape == (50, rank)
    assert np.allclose(found @ found.T, expected @ expected.T)


def test_rows_without_variance_become_zeros_of_the_asked_width():
    assert torch.equal(principal_rows(torch.ones(5, 3), 2, power=0.3), torch.zeros(5, 2))


def test_picks_have_the_least_mmd_that_greedy_and_exchange_find():
    x = rows()
    z = whitened(x, 4, 0.3)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    width = gaussian_kernel(torch.tensor(z), normalise=False, scale=0.2, seed=0).bandwidth
    gram = np.exp(-((z[:, None] - z[None]) ** 2).sum(-1) / (2 * width))

    def mmd(picks):
        share = np.bincount(picks, minlength=50) / len(picks) - 1 / 50
        return share @ gram @ share

    picks = []
    for _ in range(8):
        picks.append(min((i for i in range(50) if i not in picks), key=lambda i: mmd([*picks, i])))
    for _ in range(20):
        for slot in range(8):
            others = picks[:slot] + picks[slot + 1 :]
            picks[slot] = min((i for i in range(50) if i not in others), key=lambda i: (mmd([*others, i]), i))
    params = {"rank": 4, "scale": 0.2, "exchanges": 20}
    found = select(x, "skmm_whitened", 8, params=params)
    assert set(found.indices.tolist()) == set(picks)
    assert found.objective["rounded"] == pytest.approx(mmd(picks))
