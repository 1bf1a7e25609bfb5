"""Probes: optima against outside solvers, leave-one-out by refits, and what they are worth with few labels."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from skmm_core.config import DatasetConfig
from skmm_core.data import load_dataset
from skmm_core.paper.mixture import PoolRidge
from skmm_core.probes import score_probe
from skmm_core.solvers import fit_logistic, fit_ridge
from tests.audit.cases import on
from tests.audit.definitions import one_hot, standardised


def ridge(x, y, alpha):
    """Coefficients and unpenalised intercept by the normal equations."""
    centre = x.mean(axis=0)
    coef = np.linalg.solve(
        (x - centre).T @ (x - centre) + alpha * np.eye(x.shape[1]), (x - centre).T @ (y - y.mean(axis=0))
    )
    return coef, y.mean(axis=0) - centre @ coef


@on(without=("offset 1e4",))
def test_ridge_and_its_leave_one_out_error(case, audit):
    """Every row left out and the fit made anew, over the whole grid; the coefficients by the normal equations."""
    x, y = standardised(case.exact, case.eps), case.numbers.double().numpy()
    x, y = x[:16], y[:16]
    found = fit_ridge(x, y)
    errors = []
    for alpha in 16 * np.logspace(-6, 4, 31):
        left = []
        for row in range(16):
            coef, intercept = ridge(np.delete(x, row, axis=0), np.delete(y, row), alpha)
            left.append((x[row] @ coef + intercept - y[row]) ** 2)
        errors.append(np.mean(left))
    rounding = 1e-6  # the weakest penalty is 1e-6 of the rows' energy
    audit.same("probe ridge", "leave-one-out error", found.loo_error, min(errors), within=rounding)
    coef, intercept = ridge(x, y, found.alpha)
    audit.same(
        "probe ridge", "coefficients", np.r_[found.coef, found.intercept], np.r_[coef, intercept], within=rounding
    )


@on(without=("offset 1e4",))
def test_the_logistic_fit_is_the_optimum_at_its_strength(case, audit):
    """The slope of the penalised loss in the coefficients, and its value against SciPy's minimum at that intercept."""
    x, y = standardised(case.exact, case.eps), case.classes.numpy()
    found = fit_logistic(x.astype(np.float32), y)
    x, truth, d = x.astype(np.float32).astype(float), one_hot(y), x.shape[1]
    if not found.strength or truth.shape[1] == 2:
        return

    def loss(flat):
        w = flat.reshape(d, -1)
        scores = x @ w + found.intercept
        slope = x.T @ (softmax(scores, axis=1) - truth) + w / found.strength
        return -(log_softmax(scores, axis=1) * truth).sum() + (w**2).sum() / 2 / found.strength, slope.ravel()

    start = np.asarray(found.coef, dtype=np.float64).ravel()
    value, slope = loss(start)
    least = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 2000, "ftol": 1e-15, "gtol": 1e-10})
    audit.at_most("probe logistic", "slope of the mean loss", np.abs(slope).max() / len(y), within=1e-4)
    audit.at_most("probe logistic", "mean loss above its minimum", (value - least.fun) / len(y), within=1e-6)


def dataset(folder, x, y, x_test, y_test):
    np.savez(folder / "made.npz", X=x, y=y, X_test=x_test, y_test=y_test)
    return load_dataset(DatasetConfig(source=str(folder / "made.npz")))


def kinds():
    """Features of several kinds, five hundred rows to pick from and as many to score on."""
    rng = np.random.default_rng(1)
    digits, labels = load_digits(return_X_y=True)
    order = rng.permutation(len(labels))[:1000]
    y = np.arange(1000) % 6
    centres = 0.35 * rng.normal(size=(6, 60))
    heavy = centres[y] * 2 + 0.6 * rng.standard_t(3, size=(1000, 60)) * np.linspace(3, 0.2, 60)
    positive = np.exp(0.8 * (centres[y] + 0.8 * rng.normal(size=(1000, 60))))
    return {"digits": (digits[order], labels[order]), "heavy tails": (heavy, y), "positive": (positive, y)}


def others(x, y, rows, test):
    """Accuracy of ridge on one-hot targets, its α by leave-one-out, and of logistic regression with C = 0.01."""
    scaled = (x - x.mean(axis=0)) / np.where(x.std(axis=0) > 0, x.std(axis=0), np.inf)
    a, wanted = scaled[rows], one_hot(y[rows])
    classes = np.unique(y[rows])
    best = (np.inf, None)
    for alpha in len(rows) * np.logspace(-3, 4, 15):
        centred = a - a.mean(axis=0)
        hat = centred @ np.linalg.solve(centred.T @ centred + alpha * np.eye(a.shape[1]), centred.T) + 1 / len(rows)
        left = (wanted - hat @ wanted) / np.maximum(1 - hat.diagonal(), 1e-9)[:, None]
        best = min(best, ((left**2).sum(), alpha), key=lambda each: each[0])
    coef, intercept = ridge(a, wanted, best[1])
    linear = (classes[(scaled[test] @ coef + intercept).argmax(axis=1)] == y[test]).mean()
    fixed = LogisticRegression(C=0.01, max_iter=500).fit(a, y[rows])
    return linear, (fixed.predict(scaled[test]) == y[test]).mean()


@pytest.mark.parametrize("kind", ["digits", "heavy tails", "positive"])
@pytest.mark.parametrize("labels", [1, 2, 3, 5, 10])
def test_the_probe_is_as_good_as_plain_ones_with_few_labels(kind, labels, tmp_path, audit):
    """16 random picks: mean accuracy against the better of ridge on one-hot targets and logistic at C = 0.01."""
    x, y = kinds()[kind]
    made = dataset(tmp_path, x[:500], y[:500], x[500:], y[500:])
    shown, test = made.features.double().numpy(), np.arange(500, 1000)
    probe, plain = [], []
    for seed in range(16):
        rows = np.random.default_rng(seed).permutation(500)[: labels * len(np.unique(y))]
        probe.append(score_probe(made, torch.tensor(rows)).metrics["accuracy"])
        plain.append(others(shown, y, rows, test))
    probe, plain = np.array(probe), np.array(plain)
    short = plain - probe[:, None]
    better = int(plain.mean(axis=0).argmax())
    deviation = max(short[:, better].std(ddof=1) / 4, np.sqrt(0.25 / 500) / 4)
    audit.at_most(
        "probe logistic",
        f"accuracy below plain probes, {labels} labels a class",
        short[:, better].mean() / deviation,
        within=3.3,
        unit="standard errors",
    )


def test_scores_do_not_depend_on_the_order_of_the_chosen(tmp_path, audit):
    """Six orders of the same rows, classes and numbers."""
    x, y = kinds()["digits"]
    for targets, metric in ((y, "accuracy"), (x[:, 10] * 0.5 + y, "mae")):
        made, found = dataset(tmp_path, x[:500], targets[:500], x[500:], targets[500:]), []
        for seed in range(6):
            rows = np.random.default_rng(0).permutation(500)[:24]
            found.append(score_probe(made, torch.tensor(np.random.default_rng(seed).permutation(rows))).metrics[metric])
        audit.at_most("probe order of rows", metric, np.ptp(found) / max(found), within=1e-6)


def test_metrics_of_a_regression_probe(tmp_path, audit):
    """Ridge at the α told, on columns standardised by the selection or of one scale: one of both gives the score."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 6)) * [1, 2, 3, 1, 1, 5] + 4
    y = x @ rng.normal(size=6) + rng.normal(size=300)
    made = dataset(tmp_path, x[:200], y[:200], x[200:], y[200:])
    x, y = made.features.double().numpy(), made.targets.double().numpy()
    for n in (8, 20, 60):
        rows = rng.permutation(200)[:n]
        told = score_probe(made, torch.tensor(rows))
        found = []
        for scale in (x[rows].std(axis=0), np.sqrt((x[rows].var(axis=0)).mean()) * np.ones(6)):
            z = (x - x[rows].mean(axis=0)) / scale
            coef, intercept = ridge(z[rows], y[rows], told.alpha)
            found.append(np.abs(z[200:] @ coef + intercept - y[200:]).mean())
        nearest = min(found, key=lambda each: abs(each - told.metrics["mae"]))
        audit.same("probe ridge", "mean absolute error on the test rows", told.metrics["mae"], nearest, within=1e-5)


def test_the_risk_of_the_papers_mixture(audit):
    """‖Xθ - y‖²/N with θ by the normal equations at every α of the grid, folds as drawn."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 12))
    y = x @ rng.normal(size=12)
    pool, grid = PoolRidge(x, y), np.logspace(-6, 4, 41)
    for n in (2, 9, 40, 80):
        chosen = rng.permutation(80)[:n]
        halves = np.array_split(np.random.default_rng(3).permutation(chosen), 2)
        errors = np.zeros(41)
        for fit, score in (halves, halves[::-1]):
            for place, alpha in enumerate(grid):
                theta = np.linalg.solve(x[fit].T @ x[fit] + alpha * np.eye(12), x[fit].T @ y[fit])
                errors[place] += ((x[score] @ theta - y[score]) ** 2).sum()
        alpha = grid[errors.argmin()]
        theta = np.linalg.solve(x[chosen].T @ x[chosen] + alpha * np.eye(12), x[chosen].T @ y[chosen])
        expected = ((x @ theta - y) ** 2).mean()
        audit.same(
            "paper risk", "over the pool", pool.risk(chosen, seed=3), expected, within=1e-5, scale=(y**2).mean() * 1e-6
        )
