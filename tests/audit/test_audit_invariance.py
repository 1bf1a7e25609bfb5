"""What must not change picks: the order of the rows, the unit of the features, and the digits they are kept in."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_diabetes, load_digits

from skmm_core.errors import InputError
from skmm_core.methods import Need, list_methods, select
from tests.audit.cases import _heavy, _plain

# A power of two changes no digit, so these must be exact; one of ten rounds every number.
_UNITS = {"2^20": 2.0**20, "2^-20": 2.0**-20, "1e3": 1e3, "1e-5": 1e-5}


def _diabetes():
    x, y = load_diabetes(return_X_y=True, scaled=False)
    return x, np.digitize(y, [100, 180])


def _digits():
    """Whole numbers tie truly; a little noise leaves near ties alone."""
    x, y = load_digits(return_X_y=True)
    return x[:300] + 0.01 * np.random.default_rng(0).normal(size=(300, 64)), y[:300]


_POOLS = {"plain": _plain(240, 8, seed=21), "heavy tails": _heavy(), "diabetes": _diabetes(), "digits": _digits()}
_METHODS = [spec for spec in list_methods() if spec.function.__module__.startswith("skmm_core.")]
# Drawn for rows by their place, so that another order of rows is another draw: random methods, and what starts at a
# random row or trains a head on random rows.
_FIXED = [spec.key for spec in _METHODS if not spec.random]
# Of two rows that are each other's nearest and that nothing else covers, either gains the same: a true tie.
_TRUE_TIES = ("facility_location",)


def picked(method, rows, classes, seed=0):
    spec = next(each for each in _METHODS if each.key == method)
    targets = torch.tensor(classes) if spec.needs & {Need.TARGETS, Need.CLASSES} else None
    n = 50 if len(rows) > 250 else 20
    return set(select(rows, method, n, targets=targets, seed=seed).indices.tolist())


@pytest.mark.parametrize("pool", _POOLS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=lambda dtype: str(dtype).removeprefix("torch."))
@pytest.mark.parametrize("method", [key for key in _FIXED if key not in _TRUE_TIES])
def test_the_order_of_the_rows_changes_no_pick(method, dtype, pool, audit):
    """Four orders of rows without ties: the same points."""
    x, y = _POOLS[pool]
    base, lost = picked(method, torch.tensor(x).to(dtype), y), 0
    for seed in range(4):
        turned = np.random.default_rng(seed).permutation(len(x))
        found = picked(method, torch.tensor(x[turned]).to(dtype), y[turned])
        lost = max(lost, len(base - {int(turned[row]) for row in found}))
    audit.at_most(f"method {method}", "picks that another order changes", lost, within=0, unit="rows")


@pytest.mark.parametrize("pool", _POOLS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=lambda dtype: str(dtype).removeprefix("torch."))
@pytest.mark.parametrize("method", [spec.key for spec in _METHODS])
def test_the_unit_of_the_features_changes_no_pick(method, dtype, pool, audit):
    """All features times 2^20, 2^-20, 1000 and 1e-5, with the same seed."""
    x, y = _POOLS[pool]
    base = picked(method, torch.tensor(x).to(dtype), y)
    lost = max(len(base - picked(method, torch.tensor(x * unit).to(dtype), y)) for unit in _UNITS.values())
    audit.at_most(f"method {method}", "picks that another unit changes", lost, within=0, unit="rows")


@pytest.mark.parametrize("pool", _POOLS)
@pytest.mark.parametrize("method", [spec.key for spec in _METHODS])
def test_the_precision_of_the_features_changes_no_pick(method, pool, audit):
    """The same numbers kept in float32 and in float64, with the same seed."""
    x, y = _POOLS[pool]
    rows = torch.tensor(x).float()
    lost = len(picked(method, rows, y) - picked(method, rows.double(), y))
    audit.at_most(f"method {method}", "picks that the precision changes", lost, within=0, unit="rows")


@pytest.mark.parametrize("unit", [2.0**-60, 2.0**-80, 2.0**-100, 2.0**55, 2.0**60], ids=lambda unit: f"{unit:.0e}")
@pytest.mark.parametrize("method", [spec.key for spec in _METHODS])
def test_features_of_extreme_size_are_refused_or_give_the_same_picks(method, unit, audit):
    """Numbers in float32 whose squares come near the ends of its range: an error that says so, or no pick changed."""
    x, y = _POOLS["plain"]
    rows = torch.tensor(x).float()
    base = picked(method, rows, y)
    try:
        lost = len(base - picked(method, rows * unit, y))
    except InputError:
        lost = 0
    audit.at_most(f"method {method}", "picks that an extreme unit changes", lost, within=0, unit="rows")
