"""Near-duplicates, outliers and nearest points against their definitions on small pools."""

import numpy as np
import pandas as pd
import pytest

from skmm_core.config import DatasetConfig
from skmm_core.data import load_dataset
from skmm_core.diagnostics import distances_to, likeness_rows, nearest_to, nearness


def spread(seed=0, size=120, dims=5):
    return np.random.default_rng(seed).normal(size=(size, dims)).astype(np.float32)


@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_the_nearest_points_are_those_of_all_pairs(offset):
    rows = spread() + np.float32(offset)
    apart = np.linalg.norm(rows[:, None].astype(np.float64) - rows[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    found = nearness(rows, neighbours=4)
    np.testing.assert_allclose(found.distance, np.sort(apart, axis=1)[:, :4], rtol=1e-6)
    np.testing.assert_allclose(found.distance, np.take_along_axis(apart, found.near, axis=1), rtol=1e-12)
    assert found.compared == len(rows)
    np.testing.assert_allclose(found.remoteness, np.sort(apart, axis=1)[:, :4].mean(axis=1), rtol=1e-6)


def test_planted_duplicates_are_found_and_nothing_else():
    rows = spread(size=200, dims=12)
    rows[5], rows[9] = rows[150], rows[60] + np.float32(1e-3)
    assert np.flatnonzero(nearness(rows).duplicates).tolist() == [5, 9, 60, 150]


def test_planted_outliers_are_found_and_nothing_else():
    rows = spread(size=300, dims=6)
    rows[[7, 8]] *= 12
    assert np.flatnonzero(nearness(rows).outliers).tolist() == [7, 8]
    flat = np.zeros((50, 3), np.float32)
    flat[:, 0] = np.arange(50)
    assert np.flatnonzero(nearness(flat).outliers).tolist() == [0, 1, 48, 49]  # the ends of a line with equal gaps
    flat[49] = 900
    assert nearness(flat).outliers[49]


def test_a_pool_of_equal_points_is_all_duplicates_and_without_outliers():
    found = nearness(np.ones((30, 4), np.float32))
    assert found.duplicates.all()
    assert not found.outliers.any()
    assert found.twin_distance == 0


@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_smallest_pools(size):
    found = nearness(spread(size=size))
    assert found.near.shape == (size, size - 1)
    assert not found.outliers.any()
    assert not found.duplicates.any()


def test_a_large_pool_is_compared_with_a_sample_but_equal_points_are_found_in_all_of_it():
    rows = spread(size=400, dims=10)
    rows[[3, 390]] = rows[200]
    found = nearness(rows, limit=50)
    assert found.compared == 50
    assert not (found.near == np.arange(400)[:, None]).any()
    assert np.flatnonzero(found.duplicates).tolist() == [3, 200, 390]


def test_nearest_among_some():
    rows = spread()
    distances = distances_to(rows, 17)
    np.testing.assert_allclose(distances, np.linalg.norm(rows - rows[17], axis=1), rtol=1e-6)
    among = np.zeros(len(rows), bool)
    among[::3] = True
    expected = sorted(np.flatnonzero(among), key=lambda place: (distances[place], place))[:5]
    assert nearest_to(distances, among, 5).tolist() == expected
    assert nearest_to(distances, np.zeros(len(rows), bool), 5).tolist() == []


def test_columns_count_alike_whatever_their_units_and_embeddings_by_their_angle(tmp_path):
    table = pd.DataFrame({"small": spread(1, 40, 1)[:, 0], "large": 1e6 * spread(2, 40, 1)[:, 0]})
    table.to_csv(tmp_path / "t.csv", index=False)
    rows = likeness_rows(load_dataset(DatasetConfig(source=str(tmp_path / "t.csv"))))
    np.testing.assert_allclose(rows.std(axis=0), 1, rtol=1e-3)
    vectors = spread(3, 40, 100)
    vectors[1] = 7 * vectors[0]
    np.savez(tmp_path / "e.npz", X=vectors)
    rows = likeness_rows(load_dataset(DatasetConfig(source=str(tmp_path / "e.npz"))))
    assert rows.shape == (40, 64)
    np.testing.assert_allclose(rows[0], rows[1], atol=1e-5)
