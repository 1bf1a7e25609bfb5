"""Columns with a mean of 1,000 and more, held in float32, are centred in float64 before anything is squared.

scikit-learn's PCA, left to choose its solver, squares such columns as they are: of 40 directions of variance 1e-6
beside two of about 1 it finds variances of 1e-16 to 0.1.
"""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score

from skmm_core.data import Dataset, Task, fit_scaler
from skmm_core.data.dataset import Split, content_fingerprint, empty_rows
from skmm_core.diagnostics.maps import pca_map
from skmm_core.gradients.warmup import train_warm_up
from skmm_core.methods.clusters import k_means
from skmm_core.pool.principal_directions import principal_rows
from skmm_core.probes.linear_probe import score_probe

OFFSETS = (1e3, 1e4)
N = 3_000


def rows(offset):
    """(N, 42) float32 rows with two wide directions, and the same numbers about 0 in float64."""
    random = np.random.default_rng(0)
    held = random.normal(size=(N, 42)) * np.r_[2.0, 1.0, np.full(40, 1e-3)]
    far = (held + offset).astype(np.float32)
    near = far.astype(np.float64)
    return torch.from_numpy(far), torch.from_numpy(near - near.mean(axis=0))


def labels(near):
    return (near[:, 0] > 0).long() + 2 * (near[:, 1] > 0).long()


@pytest.mark.parametrize("offset", OFFSETS)
def test_maps_and_principal_directions(offset):
    far, near = rows(offset)
    truth = np.linalg.svd(near.numpy(), compute_uv=False) ** 2 / (N - 1)
    naive = PCA(10).fit(far.numpy()).explained_variance_
    assert np.abs(naive / truth[:10] - 1).max() > 1, "scikit-learn has mended it: take the remark away"
    assert np.allclose(principal_rows(far, 10).double().var(dim=0), truth[:10], rtol=1e-3)
    assert np.allclose(np.abs(pca_map(far)), np.abs(pca_map(near)), atol=1e-5)
    assert np.allclose(pca_map(far).astype(np.float64).var(axis=0, ddof=1), truth[:2], rtol=1e-5)


@pytest.mark.parametrize("offset", OFFSETS)
def test_scales_warm_up_and_probe(offset):
    far, near = rows(offset)
    assert torch.allclose(fit_scaler(far).scale, near.std(dim=0, correction=0), rtol=1e-6)
    targets = labels(near)
    heads = [train_warm_up(each, targets, fit_scaler(each), size=200, seed=0) for each in (far, near)]
    assert torch.allclose(heads[0].logits, heads[1].logits, atol=1e-4)
    scores = [score_probe(dataset(each, targets), torch.arange(60)).metrics for each in (far, near)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-12)
    assert scores[0]["accuracy"] > 0.4, "well above the quarter of a guess"
    number = near[:, 0] + near[:, 1]
    errors = [score_probe(dataset(each, number), torch.arange(60)).metrics for each in (far, near)]
    assert errors[0] == pytest.approx(errors[1], rel=1e-4)


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("count", [4, 60])
def test_clusters(offset, count):
    _, near = rows(offset)
    wide = torch.stack([near[:, 0].sign() * 20, near[:, 1].sign() * 20], dim=1)
    apart = (near[:, :2] + wide + offset).float()
    found = k_means(apart, count, seed=0, purpose="typiclust:clusters")
    within = [len(labels(near)[found == cluster].unique()) for cluster in found.unique()]
    assert max(within) == 1, "no cluster spans two of the four clouds"
    if count == 4:
        assert adjusted_rand_score(labels(near), found) == 1


def dataset(features, targets):
    split = Split(torch.arange(1_000), empty_rows(), torch.arange(1_000, N))
    ids = tuple(map(str, range(N)))
    return Dataset(
        name="far",
        task=Task.REGRESSION if targets.is_floating_point() else Task.CLASSIFICATION,
        features=features,
        targets=targets,
        ids=ids,
        rows=torch.arange(N),
        split=split,
        fingerprint=content_fingerprint(features, targets, ids, split),
        source="far",
        class_names=() if targets.is_floating_point() else ("a", "b", "c", "d"),
    )
