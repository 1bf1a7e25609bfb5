"""The Newton matrix that is updated by the rows that differ, against one made anew from its definition."""

import numpy as np
import pytest
import torch

from skmm_core.solvers.dual_curvature import Curvature


def by_definition(squares, weights, between, free, reach):
    rows = (squares * weights)[between][:, free]
    centred = rows - rows.mean(axis=0) if len(rows) else rows
    return np.eye(free.sum()) / 2 + reach * centred.T @ centred


@pytest.mark.parametrize("changed", [1, 7, 60], ids=["few come and go", "some", "most"])
def test_updates_agree_with_a_fresh_start(changed):
    rng = np.random.default_rng(changed)
    squares, weights = rng.standard_t(3, size=(80, 6)) ** 2, rng.uniform(0.1, 3, size=6)
    kept = Curvature(torch.tensor(squares), torch.tensor(weights))
    between = rng.uniform(size=80) < 0.5
    for step in range(40):
        between[rng.choice(80, size=changed, replace=False)] ^= True
        between &= step % 10 != 9  # now and then no row is between its bounds
        free = rng.uniform(size=6) < 0.8
        found = kept.matrix(torch.tensor(between), torch.tensor(free), 3.0).numpy()
        expected = by_definition(squares, weights, between, free, 3.0)
        assert np.allclose(found, expected, rtol=1e-9, atol=1e-9 * squares.max() ** 2)


def test_the_direction_solves_the_system_also_where_rounding_swallows_the_identity():
    rng = np.random.default_rng(0)
    squares = torch.tensor(rng.uniform(size=(5, 4)))
    kept = Curvature(squares, torch.ones(4, dtype=torch.float64))
    between, free = torch.ones(5, dtype=torch.bool), torch.tensor([True, False, True, True])
    slope = torch.tensor(rng.normal(size=3))
    found = kept.solve(between, free, 2.0, slope)
    assert torch.allclose(kept.matrix(between, free, 2.0) @ found, slope)
    two = torch.tensor([True, True, False, False, False])
    assert int(torch.linalg.cholesky_ex(kept.matrix(two, free, 1e25)).info)
    assert bool(torch.isfinite(kept.solve(two, free, 1e25, slope)).all())
