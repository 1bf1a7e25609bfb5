"""Picks beside those of scikit-activeml, where both follow one definition; skipped where it is not installed.

pip install "scikit-activeml>=1.0"
"""

import numpy as np
import pytest
import torch

from skmm_core.methods.gradient_embeddings import GradientEmbeddings
from skmm_core.methods.registry import select
from skmm_core.pool.making import make_pool

pytest.importorskip("skactiveml")
pytestmark = pytest.mark.filterwarnings("ignore")


def rows(size=80, dims=6, seed=0):
    """In the order in which methods see them, so that indices agree."""
    x = np.random.default_rng(seed).normal(size=(size, dims))
    return make_pool(torch.tensor(x)).ordered.features.numpy()


def no_labels(x):
    return np.full(len(x), np.nan)


@pytest.mark.parametrize("sigma", [1.0, 0.4])
@pytest.mark.parametrize("seed", range(3))
def test_max_herding(seed, sigma):
    """Its default γ = 1/d widens with the columns; the authors' kernel is γ = 1/σ²."""
    from skactiveml.pool import MaxHerding

    x = rows(seed=seed)
    theirs = MaxHerding(metric_dict={"gamma": sigma**-2}, random_state=0).query(x, no_labels(x), batch_size=12)
    assert select(torch.tensor(x), "max_herding", 12, params={"sigma": sigma}).indices.tolist() == theirs.tolist()


@pytest.mark.parametrize("seed", range(3))
def test_probcover_at_one_radius(seed):
    """Their rows are given at unit length; equal counts are broken at random there, so that counts are compared."""
    from skactiveml.pool import ProbCover

    x = rows(200, 3, seed=seed)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    theirs = ProbCover(deltas=[0.4], random_state=0).query(unit, no_labels(x), batch_size=8)
    ours = select(torch.tensor(x), "probcover", 8, params={"delta": 0.4}).indices.numpy()
    held = np.linalg.norm(unit[:, None] - unit, axis=2) <= 0.4
    assert held[ours[0]].sum() == held[theirs[0]].sum()
    reached = [held[picks].any(axis=0).sum() for picks in (ours, theirs)]
    assert abs(reached[0] - reached[1]) <= 0.05 * len(x)


def test_typical_and_middle_rows_of_clear_clusters():
    """One k-means answer: TypiClust takes the same rows when both look at neighbours within the cluster."""
    from skactiveml.pool import TypiClust

    rng = np.random.default_rng(1)
    x = 10 * np.eye(6)[np.repeat(np.arange(5), [40, 34, 29, 25, 21])] + 0.3 * rng.normal(size=(149, 6))
    unit = make_pool(torch.tensor(x / np.linalg.norm(x, axis=1, keepdims=True))).ordered.features.numpy()
    theirs = TypiClust(k=20, random_state=0).query(unit, no_labels(unit), batch_size=5)
    assert sorted(select(torch.tensor(unit), "typiclust", 5).indices.tolist()) == sorted(theirs.tolist())


def test_badge_starts_with_other_chances_but_measures_the_same_distances():
    """Theirs begins at the largest gradient and counts the origin as drawn; without that, the distances are ours."""
    from skactiveml.classifier import SklearnClassifier
    from skactiveml.pool import Badge
    from sklearn.linear_model import LogisticRegression

    x = rows()
    pool = make_pool(torch.tensor(x), targets=torch.tensor((x[:, 0] > 0).astype(np.int64))).ordered
    standard = pool.scaler(pool.features).numpy()
    y = no_labels(x)
    y[:10] = standard[:10, 0] > 0
    model = SklearnClassifier(LogisticRegression(), classes=[0, 1])
    picks, chances = Badge(random_state=0).query(standard, y, model, batch_size=2, return_utilities=True)
    p = torch.tensor(model.fit(standard, y).predict_proba(standard))
    ours = GradientEmbeddings(pool.features, pool.scaler, p)
    unlabelled = np.isnan(y)
    assert picks[0] == np.argmax(np.where(unlabelled, ours.squared_norms, -1))
    nearest = torch.minimum(ours.squared_distances(torch.tensor(picks[0])), ours.squared_norms).numpy() * unlabelled
    np.testing.assert_allclose(np.nan_to_num(chances[1]), nearest / nearest.sum(), atol=1e-12)
