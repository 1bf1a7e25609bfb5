"""BADGE against gradients written out in NumPy, and what it keeps in memory."""

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from skmm_core.data.include_exclude import make_given
from skmm_core.data.scaler import fit_scaler
from skmm_core.device import generator
from skmm_core.methods.gradient_embeddings import GradientEmbeddings, k_means_plus_plus
from skmm_core.methods.registry import select
from skmm_core.pool.making import make_pool
from tests.references.pools import NamedPool, every_pool


def written_out(features, scaler, probabilities):
    """(N, K d) (p - 1[argmax p]) ⊗ x."""
    x = scaler(features).numpy()
    errors = probabilities.numpy().copy()
    errors[np.arange(len(errors)), errors.argmax(axis=1)] -= 1
    return np.einsum("nk,nd->nkd", errors, x).reshape(len(x), -1)


def plain_seeding(g, budget, draw, start=(), closed=()):
    """k-means++ with the same uniform numbers, one a pick: the first row whose cumulative share exceeds it."""
    picks = list(start)
    for t in range(len(start), budget):
        open_rows = np.ones(len(g), dtype=bool)
        open_rows[[*picks, *closed]] = False
        chances = open_rows.astype(float)
        if t:
            nearest = ((g[:, None] - g[picks]) ** 2).sum(axis=2).min(axis=1)
            if (nearest * open_rows).any():
                chances = nearest * open_rows
        u = float(torch.rand(1, dtype=torch.float64, generator=draw))
        picks.append(int(np.searchsorted(np.cumsum(chances), u * chances.sum(), side="right")))
    return picks


def some(size=60, classes=4, dims=5, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    features = torch.tensor((rng.normal(size=(size, dims)) + 3).astype(dtype))
    probabilities = torch.softmax(torch.tensor(2 * rng.normal(size=(size, classes))), dim=1)
    return features, fit_scaler(features), probabilities


@every_pool
def test_distances_are_those_of_gradients_written_out(pool: NamedPool):
    made = make_pool(pool.tensor, targets=pool.classes, device="cpu").ordered
    embeddings = GradientEmbeddings(made.features, made.scaler, made.warm_up.probabilities)
    g = written_out(made.features, made.scaler, made.warm_up.probabilities)
    norms = (g**2).sum(axis=1)
    np.testing.assert_allclose(embeddings.squared_norms, norms, rtol=1e-12)
    for row in range(0, len(g), 7):
        expected = ((g - g[row]) ** 2).sum(axis=1)
        found = embeddings.squared_distances(torch.tensor(row)).numpy()
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13 * (norms + norms[row]).max())
        assert (found[(g == g[row]).all(axis=1)] == 0).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("seed", range(4))
def test_draws_are_those_of_plain_seeding(seed, dtype):
    features, scaler, probabilities = some(seed=seed, dtype=dtype)
    g = written_out(features, scaler, probabilities)
    found = k_means_plus_plus(GradientEmbeddings(features, scaler, probabilities), 15, generator(seed, "badge"))
    assert found.tolist() == plain_seeding(g, 15, generator(seed, "badge"))


def test_duplicates_come_last_and_decisions_by_hand_count():
    features, scaler, probabilities = (
        torch.cat([each] * 2) if isinstance(each, torch.Tensor) else each for each in some(20)
    )
    embeddings = GradientEmbeddings(features, scaler, probabilities)
    found = k_means_plus_plus(embeddings, 40, generator(0, "badge")).tolist()
    assert sorted(found) == list(range(40))
    assert len({row % 20 for row in found[:20]}) == 20
    g = written_out(features, scaler, probabilities)
    given = make_given(torch.tensor([31, 2]), torch.tensor([5, 6, 7]), 40)
    found = k_means_plus_plus(embeddings, 12, generator(0, "badge"), given=given).tolist()
    assert found == plain_seeding(g, 12, generator(0, "badge"), [31, 2], [5, 6, 7])


def test_the_first_row_is_any_as_in_k_means_plus_plus():
    """3,000 seeds over 6 rows whose norms differ: within five standard errors of 1/6 each."""
    features, scaler, probabilities = some(6)
    embeddings = GradientEmbeddings(features, scaler, probabilities)
    firsts = [int(k_means_plus_plus(embeddings, 1, generator(seed, "badge"))) for seed in range(3000)]
    share = np.bincount(firsts, minlength=6) / 3000
    assert np.abs(share - 1 / 6).max() <= 5 * np.sqrt(5 / 36 / 3000)


def test_the_method_uses_the_warm_up_head():
    rng = np.random.default_rng(3)
    y = np.arange(90) % 3
    pool = make_pool(
        torch.tensor(rng.normal(size=(3, 6))[y] + rng.normal(size=(90, 6))), targets=torch.tensor(y)
    ).ordered
    g = written_out(pool.features, pool.scaler, pool.warm_up.probabilities)
    found = select(pool, "badge", 12, seed=4)
    assert found.indices.tolist() == plain_seeding(g, 12, generator(4, "badge"))
    np.testing.assert_allclose(found.scores, np.linalg.norm(g, axis=1))


class Largest(TorchDispatchMode):
    """Bytes of the largest tensor that any operation makes."""

    nbytes = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        if isinstance(out, torch.Tensor) and out.untyped_storage().data_ptr() not in self.inputs:
            self.nbytes = max(self.nbytes, out.nbytes)
        return out

    def __init__(self, *inputs):
        super().__init__()
        self.inputs = {each.untyped_storage().data_ptr() for each in inputs}


def test_no_gradient_is_built():
    """Kept are N (K + 1) float64, 16.2 MB at 20,000 × 100 classes × 768 columns; a draw makes O(N) and small blocks."""
    features, scaler, probabilities = some(20_000, 10, 64, dtype=np.float32)
    embeddings = GradientEmbeddings(features, scaler, probabilities)
    kept = embeddings.errors.nbytes + embeddings.squared_norms.nbytes
    assert kept == 20_000 * (10 + 1) * 8
    assert 20_000 * (100 + 1) * 8 < 17e6
    with Largest(features, probabilities, embeddings.errors) as made:
        embeddings.squared_distances(torch.tensor(17))
    assert made.nbytes <= max(200_000, 20_000) * 8
