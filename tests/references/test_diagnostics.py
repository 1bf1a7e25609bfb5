"""Every diagnostic against a slow version written from its definition."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
import torch

from skmm_core.config import SketchParams
from skmm_core.diagnostics.measure import diagnose
from skmm_core.diagnostics.record import Diagnostics, load_diagnostics
from skmm_core.errors import Cancelled, InputError
from skmm_core.pool.making import make_pool
from skmm_core.pool.pool import Pool
from skmm_core.progress import Progress


def _rows(n: int, d: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) * np.linspace(2.0, 0.3, d) + 0.4


def _pool(rows: np.ndarray, targets: np.ndarray | None = None, dim: int | None = None) -> Pool:
    sketch = SketchParams(kind="none") if dim is None else SketchParams(dim=dim)
    return make_pool(torch.tensor(rows), targets=None if targets is None else torch.tensor(targets), sketch=sketch)


def _diagnose(pool: Pool, chosen: list[int] | np.ndarray) -> Diagnostics:
    return diagnose(pool, torch.as_tensor(np.asarray(chosen), dtype=torch.int64))


@pytest.mark.parametrize(("n", "d"), [(4, 9), (9, 9), (30, 9), (1, 9)])
def test_curve_equals_explicit_projections_and_pseudo_inverses(n: int, d: int) -> None:
    rows = _rows(60, d)
    found = _diagnose(_pool(rows), np.arange(n))
    sigma, chosen = rows.T @ rows / 60, rows[:n]
    moment = chosen.T @ chosen / n
    right = np.linalg.svd(chosen)[2]
    for k, bias, variance in zip(found.ranks, found.bias_curve, found.variance_curve, strict=True):
        project = right[:k].T @ right[:k]
        assert bias == pytest.approx(np.trace(sigma @ (np.eye(d) - project)) / np.trace(sigma), abs=1e-10)
        expected = np.trace(sigma @ np.linalg.pinv(project @ moment @ project, rcond=1e-10)) / n
        assert variance == pytest.approx(expected, rel=1e-8)
    assert list(found.ranks) == list(range(1, min(n, d) + 1))
    total = found.bias_weight * found.bias_curve + found.variance_weight * found.variance_curve
    assert total[list(found.ranks).index(found.rank)] == total.min()
    assert (found.bias, found.variance) == (found.bias_curve[found.rank - 1], found.variance_curve[found.rank - 1])


def test_certificate_and_trace_score_equal_the_generalised_eigenproblem() -> None:
    rows = _rows(200, 6)
    weights = np.random.default_rng(1).uniform(0.5, 2, 40)
    weights /= weights.sum()
    found = diagnose(_pool(rows), torch.arange(40), torch.tensor(weights))
    sigma, moment = rows.T @ rows / 200, (rows[:40] * weights[:, None]).T @ rows[:40]
    eigenvalues = scipy.linalg.eigh(sigma, moment, eigvals_only=True)
    assert found.c_s == pytest.approx(eigenvalues.max(), rel=1e-8)
    assert found.trace_score == pytest.approx(eigenvalues.sum(), rel=1e-8)
    assert found.moment_error == pytest.approx(np.linalg.norm(moment - sigma) / np.linalg.norm(sigma), rel=1e-8)
    directions = np.linalg.eigh(sigma)[1][:, ::-1]
    np.testing.assert_allclose(found.spectrum_selection, np.diag(directions.T @ moment @ directions), rtol=1e-8)
    shortfall = np.maximum(0, found.spectrum_pool - found.spectrum_selection)
    assert found.moment_objective == pytest.approx((shortfall**2).sum())
    assert found.effective_weights == pytest.approx(1 / (weights**2).sum())


def test_unseen_directions_give_no_certificate_and_say_why() -> None:
    few = _diagnose(_pool(_rows(100, 8)), range(5))
    assert math.isinf(few.c_s)
    assert math.isinf(few.trace_score)
    assert "needs at least 8 points" in few.certificate_text
    repeated = np.vstack([np.repeat(_rows(1, 3), 10, axis=0), _rows(40, 3, seed=5)])
    blind = _diagnose(_pool(repeated), range(10))
    assert math.isinf(blind.c_s)
    assert "does not see" in blind.certificate_text
    assert blind.duplicates == 9
    whole = _diagnose(_pool(_rows(50, 4)), range(50))
    assert whole.c_s == pytest.approx(1.0)
    assert "at most 1 times" in whole.certificate_text
    assert whole.certificate_text.startswith("In every direction of the sketch")
    faint = _diagnose(_pool((_rows(50, 4) * [1.0, 1.0, 1e-8, 1e-8]).astype(np.float32)), range(30))
    assert faint.certificate_text.startswith("In each of the 2 strongest of the 4 directions of the sketch")


@pytest.mark.statistical
@pytest.mark.parametrize("n", [4, 25])
def test_ridge_risk_equals_a_simulation_of_many_noise_draws(n: int) -> None:
    rng = np.random.default_rng(n)
    rows = _rows(80, 10)
    targets = rows @ rng.normal(size=10) + rng.normal(0, 1.5, 80)
    pool = _pool(rows, targets)
    found = _diagnose(pool, np.arange(n))
    assert pool.fit.coef is not None
    assert found.ridge_alpha is not None
    assert found.ridge_sigma2 is not None
    truth = rows @ pool.fit.coef.numpy()[:, 0]
    chosen, draws = rows[:n], 20_000
    noisy = truth[:n, None] + rng.normal(0, math.sqrt(found.ridge_sigma2), (n, draws))
    coef = np.linalg.solve(chosen.T @ chosen + found.ridge_alpha * np.eye(10), chosen.T @ noisy)
    risks = ((rows @ coef - truth[:, None]) ** 2).mean(axis=0)
    standard_error = risks.std() / math.sqrt(draws)
    assert found.ridge_bias2 is not None
    assert found.ridge_variance is not None
    assert abs(risks.mean() - (found.ridge_bias2 + found.ridge_variance)) < 4 * standard_error
    predicted = rows @ coef
    bias2 = ((predicted.mean(axis=1) - truth) ** 2).mean()
    assert bias2 == pytest.approx(found.ridge_bias2, abs=8 * standard_error)


def test_ridge_risk_equals_the_closed_form_and_no_alpha_is_better() -> None:
    rng = np.random.default_rng(2)
    rows, n = _rows(50, 7), 12
    labels = rng.integers(0, 3, 50)
    pool = _pool(rows, labels)
    found = _diagnose(pool, np.arange(n))
    assert pool.fit.coef is not None
    truth = rows @ pool.fit.coef.numpy()

    def risk(alpha: float) -> tuple[float, float]:
        smoother = rows @ np.linalg.solve(rows[:n].T @ rows[:n] + alpha * np.eye(7), rows[:n].T)
        assert found.ridge_sigma2 is not None
        return ((smoother @ truth[:n] - truth) ** 2).sum() / 50, found.ridge_sigma2 * (smoother**2).sum() / 50

    assert found.ridge_alpha is not None
    assert (found.ridge_bias2, found.ridge_variance) == pytest.approx(risk(found.ridge_alpha), rel=1e-8)
    best = sum(risk(found.ridge_alpha))
    assert best <= sum(risk(found.ridge_alpha * 10 ** (1 / 3))) + 1e-12
    assert best <= sum(risk(found.ridge_alpha * 10 ** (-1 / 3))) + 1e-12


def test_pool_fit_recovers_signal_and_noise() -> None:
    rng = np.random.default_rng(0)
    rows, coef = rng.normal(size=(4000, 5)), np.array([1.0, -2, 0, 0.5, 3])
    fit = _pool(rows, rows @ coef + rng.normal(0, 0.7, 4000) + 150).fit
    assert fit.coef is not None
    np.testing.assert_allclose(fit.coef[:, 0], coef, atol=5 * 0.7 / math.sqrt(4000))
    # the relative standard error of a variance estimate is sqrt(2/N)
    assert fit.noise == pytest.approx(0.49, rel=4 * math.sqrt(2 / 4000))


def test_without_targets_both_terms_weigh_the_same_and_there_is_no_ridge_risk() -> None:
    found = _diagnose(_pool(_rows(40, 5)), range(10))
    assert (found.bias_weight, found.variance_weight) == (1.0, 1.0)
    assert found.ridge_bias2 is found.ridge_variance is found.ridge_alpha is found.ridge_sigma2 is None
    assert found.class_tv is found.class_counts_pool is found.class_counts_selection is None


def test_coverage_balance_and_leverage_equal_their_definitions() -> None:
    rng = np.random.default_rng(0)
    rows, labels = _rows(300, 6), rng.integers(0, 4, 300)
    chosen = rng.permutation(300)[:20]
    found = _diagnose(_pool(rows, labels), chosen)
    distances = np.linalg.norm(rows[:, None] - rows[chosen], axis=2).min(axis=1)
    np.testing.assert_allclose(found.distance, distances, atol=1e-6)
    assert (found.distance[chosen] == 0).all()
    assert found.coverage_radius == pytest.approx(distances.max())
    assert found.coverage_mean == pytest.approx(distances.mean())
    shares = [np.bincount(part, minlength=4) / len(part) for part in (labels, labels[chosen])]
    assert found.class_tv == pytest.approx(np.abs(shares[0] - shares[1]).sum() / 2)
    leverage = np.diag(rows @ np.linalg.inv(rows.T @ rows) @ rows.T)
    np.testing.assert_allclose(found.leverage, leverage, rtol=1e-4)
    assert found.leverage.sum() == pytest.approx(found.trace_score_floor, rel=1e-5)


def test_sketched_moments_are_those_of_the_sketch() -> None:
    rows = _rows(120, 40).astype(np.float32)
    pool = _pool(rows, dim=8)
    found = _diagnose(pool, range(30))
    assert (found.m, found.trace_score_floor, len(found.spectrum_pool)) == (8, 8, 8)
    sketched = pool.sketched.double().numpy()
    eigenvalues = scipy.linalg.eigh(
        sketched.T @ sketched / 120, sketched[:30].T @ sketched[:30] / 30, eigvals_only=True
    )
    assert found.c_s == pytest.approx(eigenvalues.max(), rel=1e-4)
    assert len(found.ranks) == 30  # the curve stays in the unsketched space


def test_above_the_limit_the_curve_moves_into_the_sketch() -> None:
    rows = np.random.default_rng(0).normal(size=(40, 2100)).astype(np.float32)
    pool = _pool(rows, np.arange(40.0), dim=16)
    found = _diagnose(pool, range(10))
    assert pool.fit.moment.shape == (16, 16)
    sketched = pool.sketched.double().numpy()
    right = np.linalg.svd(sketched[:10])[2][:10]
    seen = np.trace(right @ sketched.T @ sketched @ right.T) / np.trace(sketched.T @ sketched)
    assert found.bias_curve[-1] == pytest.approx(1 - seen, abs=1e-5)


@pytest.mark.parametrize("chosen", [[3], [0, 1], list(range(30))])
def test_constant_columns_duplicates_and_zero_rows_are_measured(chosen: list[int]) -> None:
    rows = _rows(30, 5).astype(np.float32)
    rows[:, 2] = 0
    rows[:, 3] = 1
    rows[0] = 0
    rows[5] = rows[6]
    found = _diagnose(_pool(rows, np.zeros(30)), chosen)
    numbers = [value for value in found.summary().values() if isinstance(value, float)]
    assert all(math.isfinite(value) for value in numbers)
    assert found.duplicates == (1 if len(chosen) == 30 else 0)
    assert found.trace_score_floor == 4
    assert np.isfinite(found.bias_curve).all()
    assert np.isfinite(found.variance_curve).all()


def test_selection_of_only_zero_rows_sees_nothing() -> None:
    rows = _rows(10, 3)
    rows[0] = 0
    found = _diagnose(_pool(rows, np.arange(10.0)), [0])
    assert (list(found.ranks), found.bias, found.variance, found.ridge_variance) == ([0], 1.0, 0.0, 0.0)


def test_pool_of_only_zero_rows_is_measured() -> None:
    found = _diagnose(_pool(np.zeros((6, 3))), [0, 1])
    assert (found.trace_score_floor, found.bias, found.duplicates) == (0, 0.0, 1)


@pytest.mark.parametrize("chosen", [[], [-1], [30]])
def test_indices_outside_the_pool_are_refused(chosen: list[int]) -> None:
    with pytest.raises(InputError, match=r"at least one row within 0\.\.29"):
        _diagnose(_pool(_rows(30, 4)), chosen)


def test_saving_and_loading_keeps_everything(tmp_path: Path) -> None:
    for name, targets in (("classes", np.arange(30) % 3), ("numbers", np.arange(30.0)), ("none", None)):
        found = _diagnose(_pool(_rows(30, 9), targets), range(4))
        found.save(tmp_path / f"{name}.npz")
        loaded = load_diagnostics(tmp_path / f"{name}.npz")
        for key, value in found.__dict__.items():
            again = getattr(loaded, key)
            if isinstance(value, np.ndarray):
                np.testing.assert_array_equal(again, value)
                assert again.dtype == value.dtype
            else:
                assert (again, type(again)) == (value, type(value)), key
        assert found.summary()["c_s"] is None
    assert not list(tmp_path.glob("*.part"))


def test_damaged_files_are_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "diagnostics.npz"
    _diagnose(_pool(_rows(30, 4)), range(4)).save(path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match="run the selection again"):
        load_diagnostics(path)
    np.savez(path, other=np.zeros(3))
    with pytest.raises(InputError, match="run the selection again"):
        load_diagnostics(path)
    with pytest.raises(InputError, match="run the selection again"):
        load_diagnostics(tmp_path / "missing.npz")


def test_reading_diagnostics_and_scores_needs_no_torch() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from skmm_core.diagnostics.record import load_diagnostics\n"
        "from skmm_core.comparison.cells import summarise, read_scores, primary_metric\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_cancel_ends_the_measuring() -> None:
    def stop(progress: Progress) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        diagnose(_pool(_rows(30, 4)), torch.arange(4), report=stop)
