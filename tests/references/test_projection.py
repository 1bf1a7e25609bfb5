"""Maps: PCA against scikit-learn, UMAP's promises."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from skmm_core.diagnostics import maps as projection
from skmm_core.diagnostics.maps import pca_map, umap_map
from skmm_core.errors import Cancelled
from skmm_core.progress import Progress


def _rows(n: int, d: int) -> torch.Tensor:
    rng = np.random.default_rng(0)
    return torch.tensor(rng.normal(size=(n, d)) * np.linspace(3, 1, d) + 10, dtype=torch.float32)


@pytest.mark.parametrize(("n", "d"), [(50, 7), (5, 30), (200, 2)])
def test_pca_equals_scikit_learn_up_to_sign(n: int, d: int) -> None:
    rows = _rows(n, d)
    found = pca_map(rows)
    expected = PCA(2, svd_solver="full").fit_transform(rows.double().numpy())
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-3)


def test_pca_sign_is_fixed_by_the_loadings() -> None:
    rows = _rows(60, 5)
    np.testing.assert_allclose(pca_map(rows), pca_map(rows.flip(0))[::-1], atol=1e-4)
    turned = pca_map(-rows)
    np.testing.assert_allclose(turned, -pca_map(rows), atol=1e-4)


@pytest.mark.parametrize(
    "rows", [torch.ones(1, 3), torch.ones(5, 3), torch.arange(4.0)[:, None], torch.ones(2, 1)], ids=str
)
def test_degenerate_rows_have_a_map_too(rows: torch.Tensor) -> None:
    found = pca_map(rows)
    assert found.shape == (len(rows), 2)
    assert np.isfinite(found).all()
    assert np.isfinite(umap_map(rows)).all()


def test_pca_does_not_depend_on_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = _rows(100, 6)
    whole = pca_map(rows)
    monkeypatch.setattr(projection, "_BLOCK_ROWS", 7)
    np.testing.assert_allclose(pca_map(rows), whole, atol=1e-4)


def test_umap_is_seeded_keeps_clusters_apart_and_places_rows_beyond_the_fit_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 60)
    rows = torch.tensor(rng.normal(size=(120, 60)) + 12 * labels[:, None], dtype=torch.float32)
    monkeypatch.setattr(projection, "UMAP_FIT_LIMIT", 90)
    told: list[Progress] = []
    found = umap_map(rows, seed=3, report=told.append)
    assert (found.shape, found.dtype) == ((120, 2), np.float32)
    np.testing.assert_array_equal(found, umap_map(rows, seed=3))
    centres = np.stack([found[labels == k].mean(axis=0) for k in (0, 1)])
    nearest = np.linalg.norm(found[:, None] - centres, axis=2).argmin(axis=1)
    assert (nearest == labels).mean() > 0.95
    epochs = [progress for progress in told if progress.phase == projection.EPOCHS]
    assert [progress.step for progress in told if progress not in epochs] == [0, 1, 2, 3]
    assert epochs[-1].step == epochs[-1].total


def test_umap_can_be_cancelled_before_it_starts() -> None:
    def stop(progress: Progress) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        umap_map(_rows(30, 4), report=stop)
