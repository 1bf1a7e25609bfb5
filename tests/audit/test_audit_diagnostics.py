"""Every number that is told of a selection, from its definition."""

import numpy as np
import pytest
import torch

from skmm_core.config import SketchParams
from skmm_core.diagnostics import diagnose, pca_map
from skmm_core.pool import make_pool
from tests.audit.cases import on
from tests.audit.definitions import (
    condition,
    eigenbasis,
    gradients,
    one_hot,
    sketch_rounding,
    squared_distances,
)

_GRID = np.logspace(-14, 2, 49)
_KEPT = 1.2e-7  # what is told of every row is kept in float32, and so are the written-out rows of a sketch


def chosen_of(case, n=14):
    return torch.tensor(np.random.default_rng(9).permutation(len(case.rows))[:n])


def same(audit, name, found, expected, within, **options):
    audit.same(f"diagnostics {name}", "value", np.nan if found is None else found, expected, within=within, **options)


@on()
@pytest.mark.parametrize("weighted", [False, True])
def test_moments_of_the_sketch(case, weighted, audit):
    """Second moments summed row by row, the certificate by a generalised eigenvalue problem in whitened coordinates."""
    pool, rows = make_pool(case.rows, targets=case.classes), chosen_of(case)
    weights = torch.arange(1.0, len(rows) + 1) if weighted else None
    told = diagnose(pool, rows, weights, c_s=0.7)
    shares = np.ones(len(rows)) if weights is None else weights.double().numpy()
    shares = shares / shares.sum()
    basis = eigenbasis(gradients(pool, case.exact), case.eps)
    y = basis.coordinates / np.sqrt(basis.values)
    part = y[rows.numpy()]
    k, rounding = len(basis.values), sketch_rounding(case, basis)
    whitened = (part * shares[:, None]).T @ part
    smallest = np.linalg.eigvalsh(whitened)[0]
    spread = 1 / max(smallest, 1e-9)
    unseen = len(rows) < k
    same(audit, "c_s", told.c_s, np.inf if unseen else 1 / smallest, rounding * max(1.0, spread))
    inverse = np.inf if unseen else np.trace(np.linalg.inv(whitened))
    same(audit, "trace_score", told.trace_score, inverse, rounding * max(1.0, spread))
    same(audit, "trace_score_floor", told.trace_score_floor, k, 0)
    sums = sum(share * np.outer(row, row) for share, row in zip(shares, basis.coordinates[rows.numpy()], strict=True))
    gap = np.linalg.norm(sums - np.diag(basis.values)) / np.linalg.norm(basis.values)
    same(audit, "moment_error", told.moment_error, gap, rounding)
    shortfall = np.maximum(0, basis.values / 0.7 - np.diag(sums))
    same(
        audit, "moment_objective", told.moment_objective, (shortfall**2).sum(), rounding, scale=(basis.values**2).sum()
    )
    same(audit, "spectrum_pool", told.spectrum_pool, basis.values, rounding)
    same(audit, "spectrum_selection", told.spectrum_selection, np.diag(sums), rounding)
    same(audit, "leverage", told.leverage, (y**2).sum(axis=1) / len(y), rounding + _KEPT)
    same(audit, "effective_weights", told.effective_weights, 1 / (shares**2).sum(), 1e-12)
    same(audit, "n", told.n, len(rows), 0)
    same(audit, "N", told.N, len(case.rows), 0)
    same(audit, "m", told.m, pool.sketch.dim, 0)
    energy = np.linalg.svd(case.exact, compute_uv=False) ** 2
    shares = energy[energy > 0] / energy.sum()
    expected = np.exp(-(shares * np.log(shares)).sum())
    same(audit, "effective_dim", told.effective_dim, expected, 64 * 2.3e-16 * len(energy) * 30)


def pool_fit(x, columns):
    """Ridge on all rows at the α with the least generalised cross-validation error: coefficients, noise, signal."""
    left, singular, right = np.linalg.svd(x, full_matrices=False)
    kept = singular > 1e-7 * singular[0] * max(1.0, 2 * len(singular) ** 0.5 * 1e0)
    left, singular, right = left[:, kept], singular[kept], right[kept]
    y = columns - columns.mean(axis=0)
    best = (np.inf, None, None)
    for alpha in _GRID * singular[0] ** 2:
        shrink = singular**2 / (singular**2 + alpha)
        rest = y - left @ (shrink[:, None] * (left.T @ y))
        freedom = len(x) - 1 - shrink.sum()
        error = (rest**2).sum()
        if freedom > 1e-6 and error / freedom**2 < best[0]:
            coef = right.T @ ((singular / (singular**2 + alpha))[:, None] * (left.T @ y))
            best = (error / freedom**2, coef, error / max(freedom, 1.0))
    return best[1], best[2], (y**2).sum() / len(x)


@on()
@pytest.mark.parametrize("task", ["classes", "numbers", "none"])
def test_the_fit_on_a_selection(case, task, audit):
    """The curve from projections and pseudo-inverses, weights from a ridge fit by singular values, risk by matrices."""
    targets = {"classes": case.classes, "numbers": case.numbers, "none": None}[task]
    pool, rows = make_pool(case.rows, targets=targets), chosen_of(case)
    told = diagnose(pool, rows)
    x, s = case.exact, case.exact[rows.numpy()]
    moment = x.T @ x / len(x)
    _, singular, right = np.linalg.svd(s, full_matrices=False)
    rank = int((singular > max(s.shape) * case.eps * singular[0]).sum())
    spread = singular[0] / singular[rank - 1]
    rounding = 64 * max(s.shape) * (case.eps + 2.3e-16 * spread**2)
    bias, variance = [], []
    for k in range(1, rank + 1):
        p = right[:k].T @ right[:k]
        bias.append(1 - np.trace(p @ moment) / np.trace(moment))
        variance.append((moment * (right[:k].T / singular[:k] ** 2 @ right[:k])).sum())
    same(audit, "ranks", told.ranks, np.arange(1, rank + 1), 0)
    same(audit, "bias_curve", told.bias_curve, np.clip(bias, 0, 1), 64 * 2.3e-16 * spread, scale=1.0)
    same(audit, "variance_curve", told.variance_curve, variance, rounding)
    weights = (1.0, 1.0)
    if task != "none":
        y = one_hot(case.classes.numpy()) if task == "classes" else case.numbers.double().numpy()[:, None]
        coef, noise, signal = pool_fit(x, y)
        weights = ((coef**2).sum() * np.trace(moment) / signal, noise / signal)
        hard = 256 * max(x.shape) * (case.eps + 2.3e-16 * np.linalg.cond(x) ** 2) if np.linalg.cond(x) < 1e7 else 1e-3
        same(audit, "ridge_sigma2", told.ridge_sigma2, noise, hard)
        check_risk(audit, told, x, s, coef, noise, hard)
    else:
        hard = 1e-12
        for name in ("ridge_bias2", "ridge_variance", "ridge_alpha", "ridge_sigma2"):
            assert getattr(told, name) is None
    same(audit, "bias_weight", told.bias_weight, weights[0], hard)
    same(audit, "variance_weight", told.variance_weight, weights[1], hard)
    sums = weights[0] * np.array(bias) + weights[1] * np.array(variance)
    place = int(told.rank) - 1
    audit.at_most(
        "diagnostics rank", "sum above the least", (sums[place] - sums.min()) / sums.min(), within=hard + rounding
    )
    same(audit, "bias", told.bias, max(0.0, bias[place]), 64 * 2.3e-16 * spread, scale=1.0)
    same(audit, "variance", told.variance, variance[place], rounding)
    centred = x - x.mean(axis=0)
    whole = (x**2).sum() / (centred**2).sum()  # how much of it is distance from the origin, which has to cancel out
    seen = ((centred @ right[: place + 1].T) ** 2).sum() / (centred**2).sum()
    if told.represented is not None or whole < 1e9:
        same(audit, "represented", told.represented, seen, 64 * 2.3e-16 * spread * whole, scale=1.0)


def check_risk(audit, told, x, s, coef, noise, hard):
    """‖XMy*_S - y*‖²/N and σ² tr(XMMᵀXᵀ)/N with M written out, at every α of a grid; the least sum is told."""
    top = np.linalg.norm(s, 2) ** 2
    best = (np.inf, 0.0, 0.0, 0.0)
    truth = x @ coef
    for alpha in _GRID * top:
        m = s.T @ np.linalg.inv(s @ s.T + alpha * np.eye(len(s)))
        bias2 = ((x @ m @ (s @ coef) - truth) ** 2).sum() / len(x)
        variance = noise * ((x @ m) ** 2).sum() / len(x)
        if bias2 + variance < best[0]:
            best = (bias2 + variance, bias2, variance, alpha)
    scale = (truth**2).sum() / len(x)
    same(audit, "ridge_bias2", told.ridge_bias2, best[1], hard, scale=scale)
    same(audit, "ridge_variance", told.ridge_variance, best[2], hard, scale=scale)
    same(audit, "ridge_alpha", told.ridge_alpha, best[3], hard)


def test_ridge_risk_is_that_of_a_simulation(audit):
    """4,000 draws of noise: the mean squared error over the pool against bias² + variance."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(60, 5))
    y = x @ rng.normal(size=5) + 0.5 * rng.normal(size=60)
    pool = make_pool(torch.tensor(x), targets=torch.tensor(y))
    rows = np.arange(12)
    told = diagnose(pool, torch.tensor(rows))
    coef, noise, _ = pool_fit(x, y[:, None])
    truth = (x @ coef)[:, 0]
    m = np.linalg.inv(x[rows].T @ x[rows] + told.ridge_alpha * np.eye(5)) @ x[rows].T
    draws = truth[rows] + np.sqrt(noise) * rng.normal(size=(4000, 12))
    errors = ((draws @ m.T @ x.T - truth) ** 2).mean(axis=1)
    deviation = errors.std() / np.sqrt(len(errors))
    gap = abs(errors.mean() - told.ridge_bias2 - told.ridge_variance) / deviation
    audit.at_most(
        "diagnostics ridge_bias2", "with variance, against 4,000 draws of noise", gap, within=5, unit="standard errors"
    )


@on()
def test_coverage_balance_and_duplicates(case, audit):
    """Distances by differences of all pairs; class shares by counting; equal rows by comparing all."""
    pool, rows = make_pool(case.rows, targets=case.classes), chosen_of(case, 10)
    told, x, y = diagnose(pool, rows), case.exact, case.classes.numpy()
    picks = rows.numpy()
    nearest = np.sqrt(squared_distances(x, x[picks]).min(axis=1))
    # the nearest is found by products of centred rows; a distance lost by that is at most the root of their rounding
    spread = np.sqrt(((x - x.mean(axis=0)) ** 2).sum(axis=1).max())
    rounding = 8 * case.eps * x.shape[1] ** 0.5 + (4 * case.eps * spread**2 * x.shape[1] / nearest.max() ** 2)
    same(audit, "distance", told.distance, nearest, rounding + _KEPT)
    same(audit, "coverage_radius", told.coverage_radius, nearest.max(), rounding)
    same(audit, "coverage_mean", told.coverage_mean, nearest.mean(), rounding)
    repeats = len(picks) - len(np.unique(x[picks], axis=0))
    same(audit, "duplicates", told.duplicates, repeats, 0)
    whole, part = (np.array([(labels == c).sum() for c in range(y.max() + 1)]) for labels in (y, y[picks]))
    same(audit, "class_counts_pool", told.class_counts_pool, whole, 0)
    same(audit, "class_counts_selection", told.class_counts_selection, part, 0)
    same(audit, "class_tv", told.class_tv, np.abs(whole / len(y) - part / len(picks)).sum() / 2, 1e-12)


@on()
def test_the_certificate_is_said_in_words(case, audit):
    """∞ where fewer points than directions are chosen, and the words name it."""
    pool = make_pool(case.rows)
    k = len(eigenbasis(gradients(pool, case.exact), case.eps).values)
    told = diagnose(pool, chosen_of(case, 2))
    same(audit, "c_s", told.c_s, np.inf if k > 2 else told.c_s, 0)
    wrong = float(k > 2 and "2" not in told.certificate_text)
    audit.at_most(
        "diagnostics certificate_text", "names the number of points when not enough", wrong, within=0, unit="texts"
    )


@on(without=("two labels a class",))
def test_pca_map(case, audit):
    """Coordinates by singular values of centred rows; the sign by the largest loading."""
    centred = case.exact - case.exact.mean(axis=0)
    _, singular, right = np.linalg.svd(centred, full_matrices=False)
    loadings = right[:2].T
    loadings = loadings * np.sign(loadings[np.abs(loadings).argmax(axis=0), [0, 1]])
    gap = min(singular[0] - singular[1], singular[1] - singular[2]) / singular[0]
    rounding = 16 * (1.2e-7 + 2.3e-16 * condition(eigenbasis(case.exact, case.eps)) ** 2 / gap)
    audit.same("map pca_map", "coordinates", pca_map(case.rows), centred @ loadings, within=rounding)


_KINDS = ("gaussian", "rademacher", "srht", "sparse", "countsketch")


@pytest.mark.parametrize("kind", _KINDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=lambda dtype: str(dtype).removeprefix("torch."))
def test_distortion_of_a_sketch(kind, dtype, audit):
    """Over 300 seeds one fixed pair stays within its bound, and the mean square of ratio - 1 below the bound told."""
    rows = torch.tensor(np.random.default_rng(1).normal(size=(40, 64)) + 3).to(dtype)
    ratios, held, squares, bounds, inside = [], 0, [], None, []
    exact = rows.double().numpy()
    before = ((exact[0] - exact[1]) ** 2).sum()
    for seed in range(300):
        pool = make_pool(rows, sketch=SketchParams(kind=kind, dim=16), seed=seed)
        g = gradients(pool, exact)
        ratios.append(((g[0] - g[1]) ** 2).sum() / before)
        if seed < 60:
            told = diagnose(pool, torch.tensor([0, 1]))
            pairs = (
                squared_distances(g, g)[np.triu_indices(40, 1)]
                / squared_distances(exact, exact)[np.triu_indices(40, 1)]
            )
            off = np.abs(told.distortion_ratios[:, None] - pairs).min(axis=1).max()
            same(audit, "distortion_ratios", off, 0.0, 64 * max(float(torch.finfo(dtype).eps), _KEPT / 8), scale=1.0)
            root = np.sqrt(((told.distortion_ratios - 1) ** 2).mean())
            same(audit, "distortion_rms", told.distortion_rms, root, 1e-12)
            squares.append(told.distortion_rms**2)
            inside.append(
                told.distortion_all_low <= told.distortion_ratios.min()
                and told.distortion_ratios.max() <= told.distortion_all_high
            )
            bounds = told
    ratios = np.array(ratios)
    held = ((ratios >= bounds.distortion_pair_low) & (ratios <= bounds.distortion_pair_high)).mean()
    slack = np.sqrt(0.95 * 0.05 / 300)
    for name in ("distortion_pair_low", "distortion_pair_high"):
        audit.at_most(
            f"diagnostics {name}",
            "share of seeds outside, above 5 %",
            (0.95 - held) / slack,
            within=5,
            unit="standard errors",
        )
    slack = np.sqrt(0.95 * 0.05 / len(inside))
    for name in ("distortion_all_low", "distortion_all_high"):
        audit.at_most(
            f"diagnostics {name}",
            "share of seeds outside, above 5 %",
            (0.95 - np.mean(inside)) / slack,
            within=5,
            unit="standard errors",
        )
    excess = (np.mean(squares) - bounds.distortion_rms_bound**2) / (np.std(squares) / np.sqrt(len(squares)))
    audit.at_most(
        "diagnostics distortion_rms_bound", "mean square above the bound", excess, within=5, unit="standard errors"
    )
    excess = (ratios.mean() - 1) / (ratios.std() / np.sqrt(300))
    audit.at_most(f"sketch {kind}", "E‖Γᵀg‖² - ‖g‖², 300 maps", abs(excess), within=5, unit="standard errors")
    centred = (ratios - 1) ** 2
    excess = (centred.mean() - bounds.distortion_rms_bound**2) / (centred.std() / np.sqrt(300))
    audit.at_most(f"sketch {kind}", "variance above its bound, 300 maps", excess, within=5, unit="standard errors")
