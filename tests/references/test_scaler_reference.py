"""Standardised columns against NumPy, in the units and at the offsets that columns have."""

import numpy as np
import pytest
import torch

from skmm_core.data.mixed_units import equal_spread
from skmm_core.data.scaler import fit_scaler

DRAW = np.random.default_rng(0).normal(size=(500, 3))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("unit", [1e-6, 1, 1e6])
@pytest.mark.parametrize("offset", [0, 1e4, 1e7])
def test_the_statistics_are_those_of_the_columns_as_given(dtype, unit, offset):
    x = ((DRAW + offset) * unit).astype(dtype)
    found = fit_scaler(torch.tensor(x))
    wide = x.astype(np.longdouble)
    assert found.varying == 3
    # sums of 500 differences in float64, from one row
    assert np.abs(found.mean.numpy() - wide.mean(axis=0)).max() <= 1e-15 * np.abs(wide).max()
    np.testing.assert_allclose(found.scale.numpy(), wide.std(axis=0).astype(float), rtol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("value", [0.0, 0.1, -1e7 / 3, 1e30])
@pytest.mark.parametrize("size", [1, 7, 100_003])
def test_one_number_and_its_neighbour_are_constant(dtype, value, size):
    same = torch.full((size, 1), value, dtype=dtype)
    assert fit_scaler(same).varying == 0
    assert not equal_spread(same, torch.arange(size)).any()
    if value:
        rounded = same.clone()
        rounded[::2] = torch.nextafter(same[::2], torch.zeros_like(same[::2]))
        assert fit_scaler(rounded).varying == 0


def test_two_numbers_that_differ_by_more_than_rounding_vary():
    for dtype in (torch.float32, torch.float64):
        step = 4 * torch.finfo(dtype).eps
        x = torch.tensor([[1.0], [1 + step]], dtype=dtype)
        assert torch.equal(fit_scaler(x)(x), torch.tensor([[-1.0], [1.0]], dtype=torch.float64))
