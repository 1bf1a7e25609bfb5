"""The random map: norms kept on average, distortion within the bound of its distribution, one map a run."""

import numpy as np
import pytest
import scipy.stats
import torch

from skmm_core.config import SketchParams
from skmm_core.device import generator
from skmm_core.errors import InputError
from skmm_core.sketches import base
from skmm_core.sketches.kinds import default_dim, make_sketch, spectrum

FALSE_ALARM = 1e-6


def rows(n: int, r: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.tensor(np.random.default_rng(seed).normal(size=(n, r))).to(dtype)


@pytest.mark.statistical
def test_squared_norms_are_kept_on_average() -> None:
    """m‖Γᵀg‖²/‖g‖² is χ² with m degrees of freedom, so its sum over independent maps is χ² with m · maps."""
    vector, m, maps = rows(1, 20), 16, 1500
    ratios = [
        float(make_sketch(SketchParams(dim=m), vector, seed=seed)(vector).square().sum() / vector.square().sum())
        for seed in range(maps)
    ]
    total = m * float(np.sum(ratios))
    low, high = scipy.stats.chi2.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], m * maps)
    assert low < total < high
    # The whole distribution, not only its mean.
    assert scipy.stats.kstest(m * np.array(ratios), scipy.stats.chi2(m).cdf).pvalue > FALSE_ALARM


@pytest.mark.statistical
def test_distances_of_all_pairs_stay_within_the_johnson_lindenstrauss_bound() -> None:
    points, m, maps = rows(20, 300), 128, 30
    first, second = np.triu_indices(20, 1)
    differences = points[first] - points[second]
    # Exact tails of χ²_m/m, shared out over all pairs and maps (union bound).
    tail = FALSE_ALARM / (len(first) * maps) / 2
    low, high = scipy.stats.chi2.ppf(tail, m) / m, scipy.stats.chi2.isf(tail, m) / m
    for seed in range(maps):
        sketched = make_sketch(SketchParams(dim=m), points, seed=seed)(points)
        ratios = (sketched[first] - sketched[second]).square().sum(dim=1) / differences.square().sum(dim=1)
        assert low < float(ratios.min())
        assert float(ratios.max()) < high


@pytest.mark.statistical
def test_inner_products_are_unbiased() -> None:
    a, b = rows(2, 60, seed=4)
    m, maps = 8, 600
    products = []
    for seed in range(maps):
        x, y = make_sketch(SketchParams(dim=m), a[None], seed=seed)(torch.stack([a, b]))
        products.append(float(x @ y))
    # Var = (‖a‖²‖b‖² + (aᵀb)²)/m for Gaussian maps.
    sd = np.sqrt((float(a @ a) * float(b @ b) + float(a @ b) ** 2) / m / maps)
    assert abs(np.mean(products) - float(a @ b)) < scipy.stats.norm.isf(FALSE_ALARM / 2) * sd


@pytest.mark.parametrize("block", [1, 7, 100, 1000])
def test_the_block_size_changes_nothing(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    points = rows(100, 30)
    whole = make_sketch(SketchParams(dim=12), points, seed=5)(points)
    monkeypatch.setattr(base, "BLOCK_ROWS", block)
    torch.testing.assert_close(make_sketch(SketchParams(dim=12), points, seed=5)(points), whole)


def test_a_row_is_sketched_alike_wherever_it_stands() -> None:
    points, order = rows(100, 30), torch.randperm(100, generator=torch.Generator().manual_seed(0))
    sketch = make_sketch(SketchParams(dim=12), points, seed=5)
    torch.testing.assert_close(sketch(points[order]), sketch(points)[order])
    torch.testing.assert_close(sketch(points[3:4]), sketch(points)[3:4])


def test_the_map_is_a_function_of_seed_and_shape_alone() -> None:
    one = make_sketch(SketchParams(dim=12), rows(100, 30), seed=5).rows(0, 30)
    assert torch.equal(one, make_sketch(SketchParams(dim=12), rows(7, 30, seed=9), seed=5).rows(0, 30))
    assert not torch.equal(one, make_sketch(SketchParams(dim=12), rows(100, 30), seed=6).rows(0, 30))
    # maps that runs of earlier versions drew stay the same
    drawn = torch.randn(30, 12, generator=generator(5, "sketch:gaussian")) / 12**0.5
    assert torch.equal(one, drawn)
    points = rows(100, 30, dtype=torch.float32)
    assert torch.equal(make_sketch(SketchParams(dim=12), points, seed=5)(points), points @ drawn)


def test_purposes_of_one_seed_have_independent_numbers() -> None:
    draws = torch.stack(
        [torch.randn(2000, generator=generator(seed, purpose)) for seed in (0, 1) for purpose in ("a", "b")]
    ).double()
    correlations = torch.corrcoef(draws)[*np.triu_indices(4, 1)]
    # Standard error of a zero correlation is 1/√2000; six of them are compared.
    assert float(correlations.abs().max()) < scipy.stats.norm.isf(FALSE_ALARM / 12) / 2000**0.5
    again = torch.randn(2000, generator=generator(0, "a")).double()
    assert torch.equal(again, draws[0]), "one purpose and one seed must give one stream"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_precision_of_the_rows_is_kept(dtype: torch.dtype) -> None:
    points = rows(10, 30, dtype=dtype)
    assert make_sketch(SketchParams(dim=12), points, seed=0)(points).dtype == dtype


def test_the_default_size_is_four_times_the_effective_dimension_within_its_limits() -> None:
    # Equal energy in 20 of 400 directions: effective dimension 20.
    few = torch.eye(20, 400, dtype=torch.float64).repeat(3, 1)
    assert default_dim(spectrum(few)) == 80
    assert default_dim(spectrum(few[:, :2] + 1)) == 32
    assert default_dim(spectrum(torch.eye(300, dtype=torch.float64))) == 512


def test_no_map_where_it_would_not_reduce_the_dimension() -> None:
    points = rows(50, 16)
    assert torch.equal(make_sketch(SketchParams(), points, seed=0)(points), points)
    assert torch.equal(make_sketch(SketchParams(kind="none"), points, seed=0)(points), points)


@pytest.mark.parametrize(
    ("params", "message"),
    [(SketchParams(dim=17), r"exceeds the 16 .*1\.\.16"), (SketchParams(kind="none", dim=4), "keeps all 16")],
)
def test_sizes_that_do_not_fit_are_refused(params: SketchParams, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_sketch(params, rows(50, 16), seed=0)
