"""Second moments and what is measured with them, against NumPy and scipy."""

import math

import numpy as np
import pytest
import scipy.linalg
import scipy.optimize
import torch
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from skmm_core.sketches.kinds import effective_dimension, spectrum
from skmm_core.solvers import moments as moments_module
from skmm_core.solvers.moments import (
    certificate,
    eigenbasis,
    moment_error,
    second_moment,
    shortfall_objective,
    trace_score,
    whitened_moment,
)

Array = NDArray[np.float64]


def cloud(n: int, d: int, seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    return rng.standard_t(4, size=(n, d)) * np.linspace(2, 0.5, d) + 0.5


positive = st.floats(0.01, 10)


@settings(deadline=None, max_examples=50)
@given(
    hnp.arrays(np.float64, 4, elements=positive),
    hnp.arrays(np.float64, 4, elements=positive),
    st.floats(0.05, 1),
    st.booleans(),
)
def test_the_objective_is_the_papers_with_the_best_gamma(
    achieved: Array, eigenvalues: Array, c_s: float, relative: bool
) -> None:
    """Min over γ_j >= 1/c_S of Σ_j (achieved_j - γ_j λ_j)², found by a bounded least-squares solver."""
    weights = 1 / eigenvalues if relative else np.ones(4)
    solved = scipy.optimize.lsq_linear(
        np.diag(weights * eigenvalues), weights * achieved, bounds=(1 / c_s, np.inf), tol=1e-14
    )
    paper = float((weights**2 * (achieved - solved.x * eigenvalues) ** 2).sum())
    found = shortfall_objective(torch.tensor(achieved), torch.tensor(eigenvalues), c_s, relative=relative)
    scale = float((weights**2 * (achieved**2 + (eigenvalues / c_s) ** 2)).sum())
    assert found == pytest.approx(paper, abs=1e-6 * scale)
    # No γ at all does better than the closed form.
    for gamma in (1 / c_s, 1 / c_s + 0.1, 2 / c_s):
        assert float((weights**2 * (achieved - gamma * eigenvalues) ** 2).sum()) >= found - 1e-12 * scale


@pytest.mark.parametrize("weighted", [False, True])
def test_scores_equal_the_generalised_eigenproblem(weighted: bool) -> None:
    rows, chosen = cloud(100, 6), np.random.default_rng(1).choice(100, 25, replace=False)
    weights = np.random.default_rng(2).dirichlet(np.ones(25)) if weighted else np.full(25, 1 / 25)
    sigma, sigma_s = rows.T @ rows / 100, (rows[chosen] * weights[:, None]).T @ rows[chosen]
    moments = eigenbasis(torch.tensor(rows))
    whitened = whitened_moment(moments, torch.tensor(rows[chosen]), torch.tensor(weights) if weighted else None)
    generalised = scipy.linalg.eigh(sigma, sigma_s, eigvals_only=True)
    assert certificate(whitened) == pytest.approx(generalised.max(), rel=1e-9)
    assert trace_score(whitened) == pytest.approx(np.trace(sigma @ np.linalg.inv(sigma_s)), rel=1e-9)
    error = np.linalg.norm(sigma_s - sigma) / np.linalg.norm(sigma)
    assert moment_error(moments, whitened) == pytest.approx(error, rel=1e-9)
    # What the certificate means: Σ ⪯ c Σ_S, and no smaller c does.
    c = certificate(whitened)
    assert np.linalg.eigvalsh(c * sigma_s - sigma)[0] > -1e-9
    assert np.linalg.eigvalsh(0.999 * c * sigma_s - sigma)[0] < 0


def test_the_whole_pool_scores_perfectly() -> None:
    rows = torch.tensor(cloud(100, 6))
    moments = eigenbasis(rows)
    whitened = whitened_moment(moments, rows)
    np.testing.assert_allclose(whitened, np.eye(6), atol=1e-12)
    assert certificate(whitened) == pytest.approx(1)
    assert trace_score(whitened) == pytest.approx(6)
    assert moment_error(moments, whitened) == pytest.approx(0, abs=1e-12)


def test_fewer_points_than_directions_leave_one_unseen() -> None:
    rows = torch.tensor(cloud(100, 6))
    moments = eigenbasis(rows)
    whitened = whitened_moment(moments, rows[:5])
    assert certificate(whitened) == math.inf
    assert trace_score(whitened) == math.inf
    assert math.isfinite(moment_error(moments, whitened))


def test_moments_of_float32_rows_far_from_the_origin_are_those_of_the_rows() -> None:
    """Coordinates in float32 gave 1.1e-4 of the error as rounding: at an offset it is a small difference."""
    rows = (cloud(300, 6) + 1e4).astype(np.float32)
    sigma, sigma_s = (each.T @ each / len(each) for each in (rows.astype(np.float64), rows[:40].astype(np.float64)))
    moments = eigenbasis(torch.tensor(rows))
    found = moment_error(moments, whitened_moment(moments, torch.tensor(rows[:40])))
    kept = moments.eigenvectors.numpy()
    off = kept.T @ (sigma_s - sigma) @ kept
    assert found == pytest.approx(np.linalg.norm(off) / np.linalg.norm(sigma), rel=1e-7)


def test_the_certificate_depends_on_the_span_alone() -> None:
    rows, mixing = cloud(100, 6), cloud(6, 6, 5)
    one, two = (whitened_moment(eigenbasis(x), x[:20]) for x in map(torch.tensor, (rows, rows @ mixing)))
    assert certificate(one) == pytest.approx(certificate(two), rel=1e-7)
    assert trace_score(one) == pytest.approx(trace_score(two), rel=1e-7)


@pytest.mark.parametrize("shape", [(100, 6), (6, 20), (1, 4), (50, 1)])
def test_the_eigenbasis_gives_the_moment_back(shape: tuple[int, int]) -> None:
    rows = cloud(*shape)
    moments = eigenbasis(torch.tensor(rows))
    k = len(moments.eigenvalues)
    assert k == min(shape)
    vectors, eigenvalues = moments.eigenvectors.numpy(), moments.eigenvalues.numpy()
    np.testing.assert_allclose(vectors @ np.diag(eigenvalues) @ vectors.T, rows.T @ rows / len(rows), atol=1e-10)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(k), atol=1e-12)
    assert (np.diff(eigenvalues) <= 0).all()
    np.testing.assert_allclose(moments.coordinates, rows @ vectors, atol=1e-12)
    np.testing.assert_allclose((moments.coordinates.numpy() ** 2).mean(axis=0), eigenvalues, rtol=1e-7)
    hat = (np.linalg.svd(rows, full_matrices=False)[0] ** 2).sum(axis=1)
    np.testing.assert_allclose(moments.leverage, hat, atol=1e-8)
    assert float(moments.leverage.sum()) == pytest.approx(k)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_directions_without_energy_are_left_out(dtype: torch.dtype) -> None:
    rows = torch.tensor(cloud(60, 3) @ cloud(3, 8, 1)).to(dtype)
    moments = eigenbasis(rows)
    assert len(moments.eigenvalues) == 3
    assert moments.coordinates.shape == (60, 3)
    assert len(eigenbasis(torch.zeros(5, 4, dtype=dtype)).eigenvalues) == 0


def test_moments_of_blocks_are_moments_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, weights = torch.tensor(cloud(50, 4)), torch.tensor(np.random.default_rng(0).dirichlet(np.ones(50)))
    whole, weighted = second_moment(rows), second_moment(rows, weights)
    np.testing.assert_allclose(whole, rows.numpy().T @ rows.numpy() / 50, atol=1e-12)
    np.testing.assert_allclose(weighted, rows.numpy().T @ np.diag(weights) @ rows.numpy(), atol=1e-12)
    monkeypatch.setattr(moments_module, "_BLOCK_ROWS", 7)
    torch.testing.assert_close(second_moment(rows), whole)
    torch.testing.assert_close(second_moment(rows, weights), weighted)


@pytest.mark.parametrize("shape", [(100, 6), (6, 20)])
def test_the_spectrum_is_that_of_the_singular_values(shape: tuple[int, int]) -> None:
    rows = cloud(*shape)
    expected = np.linalg.svd(rows, compute_uv=False) ** 2 / len(rows)
    np.testing.assert_allclose(spectrum(torch.tensor(rows)), expected, atol=1e-10)


def test_the_effective_dimension_counts_directions() -> None:
    assert effective_dimension(torch.ones(7)) == pytest.approx(7)
    assert effective_dimension(torch.tensor([3.0, 0.0, 0.0])) == pytest.approx(1)
    assert effective_dimension(torch.zeros(4)) == 0
    values = np.array([5.0, 2.0, 0.5, 1e-9])
    shares = values / values.sum()
    assert effective_dimension(torch.tensor(values)) == pytest.approx(np.exp(-(shares * np.log(shares)).sum()))


@settings(deadline=None)
@given(hnp.arrays(np.float64, st.integers(1, 12), elements=st.floats(1e-3, 1e3)), st.floats(1e-3, 1e3))
def test_the_effective_dimension_lies_between_one_and_all_whatever_the_unit(values: Array, factor: float) -> None:
    found = effective_dimension(torch.tensor(values))
    assert 1 - 1e-9 <= found <= len(values) + 1e-9
    assert effective_dimension(torch.tensor(values * factor)) == pytest.approx(found)
