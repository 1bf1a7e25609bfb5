"""Probes: fits written out, leave-one-out by refits, and what they are worth with few labels."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from skmm_core.config import DatasetConfig
from skmm_core.data import load_dataset
from skmm_core.paper.mixture import PoolRidge
from skmm_core.probes import score_probe
from skmm_core.solvers import average_ridge, fit_classifier
from skmm_core.solvers.held_out import stratified_folds
from skmm_core.solvers.ridge import fit_ridge
from tests.audit.cases import on
from tests.audit.class_probe import centred_ridge, folds as dealt, left_out_error, probes
from tests.audit.definitions import one_hot, standardised


def ridge(x, y, alpha):
    """Coefficients, and the unpenalised intercept as the last one."""
    return centred_ridge(x, y[:, None], alpha, np.ones(len(x)))[:, 0]


@on(without=("offset 1e4",))
def test_ridge_and_its_leave_one_out_error(case, audit):
    """Every row left out and the fit made anew, over the whole grid; the coefficients by the normal equations."""
    x, y = standardised(case.exact, case.eps), case.numbers.double().numpy()
    x, y = x[:16], y[:16]
    found = fit_ridge(x, y)
    errors = [
        left_out_error(x, y[:, None], alpha, np.ones(16), np.arange(16)) / 16 for alpha in 16 * np.logspace(-6, 4, 31)
    ]
    rounding = 1e-6  # the weakest penalty is 1e-6 of the rows' energy
    audit.same("probe ridge", "leave-one-out error", found.loo_error, min(errors), within=rounding)
    expected = ridge(x, y, found.alpha)
    audit.same("probe ridge", "coefficients", np.r_[found.coef, found.intercept], expected, within=rounding)


@on()
@pytest.mark.parametrize("labels", [6, 20, -20])
def test_the_sum_of_logistic_regression_and_ridge(case, labels, audit):
    """Newton's method fold by fold, strength, scales and parts by the rule; decisions too near to call go either way.

    Below 0: so many rows, and up to 25 others to choose by.
    """
    x, y = standardised(case.exact, case.eps), case.classes.numpy()
    rows = np.random.default_rng(abs(labels)).permutation(len(x))
    rows, others = rows[: abs(labels)], rows[-25:]
    classes, own = np.unique(y[rows], return_inverse=True)
    others = others[np.isin(y[others], classes)]
    validation = (x[others], y[others]) if labels < 0 else None
    renamed = (x[others], np.searchsorted(classes, y[others])) if labels < 0 else None
    found = fit_classifier(x[rows], y[rows], validation=validation)
    made = np.vstack([found.coef, found.intercept])
    expected = min(probes(x[rows], own, validation=renamed).values(), key=lambda each: np.abs(made - each).max())
    # scales come from held-out fits stopped at a slope of 3e-3; the curvature there is 1 to about 1 / (1 + strength)
    strength = (x[rows] ** 2).sum(axis=1).mean() / found.alpha
    rounding = 3e-3 * np.sqrt(1 + strength)
    audit.same("probe logistic", "coefficients of the sum with ridge", made, expected, within=rounding)
    audit.same("probe logistic", "classes", found.classes, classes, within=0)


@on("plain", "heavy tails")
def test_the_sum_on_more_rows(case, audit):
    """As before, with 51 rows and so with five folds."""
    x, y, rows = standardised(case.exact, case.eps), case.classes.numpy(), np.arange(len(case.rows))[::-1][:51]
    found = fit_classifier(x[rows], y[rows])
    made = np.vstack([found.coef, found.intercept])
    own = np.unique(y[rows], return_inverse=True)[1]
    expected = min(probes(x[rows], own).values(), key=lambda each: np.abs(made - each).max())
    rounding = 3e-3 * np.sqrt(1 + (x[rows] ** 2).sum(axis=1).mean() / found.alpha)
    audit.same("probe logistic", "coefficients of the sum with ridge", made, expected, within=rounding)


def test_folds_are_dealt_evenly(audit):
    """Classes of very unequal size: every fold has its share of each within one row; the cards by hand."""
    y = np.r_[np.zeros(1500), np.ones(560), np.full(40, 2)].astype(np.int64)
    for labels, count in ((y[::20], 5), (y[::50], 10), (y[::250], 9)):
        fold = stratified_folds(labels, 10 if len(labels) <= 50 else 5, seed=3)
        audit.same("probe folds", "numbers", np.unique(fold), np.arange(count), within=0)
        off = [np.ptp(np.bincount(fold[labels == label], minlength=count)) for label in np.unique(labels)]
        audit.at_most("probe folds", "rows of a class in a fold, off by", max(off), within=1, unit="rows")
        audit.same("probe folds", "fold of a row", fold, dealt(labels, 3), within=0)


def marginal(x, y, alpha):
    """Log-likelihood of n - 1 contrasts of numbers with covariance ∝ I + XXᵀ/α, their scale integrated out."""
    n = len(y)
    contrasts = np.linalg.qr(np.c_[np.ones(n), np.eye(n)[:, : n - 1]])[0][:, 1:]
    rows, seen = contrasts.T @ x, contrasts.T @ y
    covariance = np.eye(n - 1) + rows @ rows.T / alpha
    return -np.linalg.slogdet(covariance)[1] / 2 - (n - 1) / 2 * np.log(seen @ np.linalg.solve(covariance, seen))


def averaged(scalings, y):
    """Coefficients by scaling, the intercept, and log-likelihoods by α: all fits written out and weighted."""
    logs, fits, alphas = [], [], []
    for number, x in enumerate(scalings):
        energy = ((x - x.mean(axis=0)) ** 2).sum()
        for alpha in energy * np.logspace(-6, 1, 22):
            logs.append(marginal(x, y, alpha))
            fits.append((number, ridge(x, y, alpha)))
            alphas.append(alpha)
    weights = np.exp(np.array(logs) - max(logs))
    weights /= weights.sum()
    coefs = [
        sum(weight * fit[:-1] for weight, (number, fit) in zip(weights, fits, strict=True) if number == each)
        for each in range(len(scalings))
    ]
    intercept = sum(weight * fit[-1] for weight, (_, fit) in zip(weights, fits, strict=True))
    return coefs, intercept, dict(zip(alphas, logs, strict=True))


def likelier(logs, alpha):
    """By how much the likeliest α is likelier than the one told, of the grid; with two rows all are as likely."""
    nearest = min(logs, key=lambda each: abs(np.log(each / alpha)))
    return max(logs.values()) - logs[nearest] + abs(np.log(nearest / alpha))


@on()
@pytest.mark.parametrize("labels", [2, 5, 16])
def test_ridge_fits_averaged_by_their_likelihood(case, labels, audit):
    """Every fit of the grid by the normal equations, its weight by the determinant of a covariance of contrasts."""
    x, y = standardised(case.exact, case.eps), case.numbers.double().numpy()
    rows = np.random.default_rng(labels).permutation(len(x))[:labels]
    scalings = [x[rows], x[rows] * np.linspace(0.2, 3, x.shape[1])]
    found, (coefs, intercept, logs) = average_ridge(scalings, y[rows]), averaged(scalings, y[rows])
    rounding = 1e-6  # the weakest penalty is 1e-6 of the rows' energy
    wide = [x, x * np.linspace(0.2, 3, x.shape[1])]
    # predictions, since rows say nothing of a direction that none of them has but by rounding
    guess = sum(each @ coef for each, coef in zip(wide, coefs, strict=True)) + intercept
    audit.same("probe average of ridge fits", "predictions of the pool", found.predict(wide), guess, within=rounding)
    off = likelier(logs, found.alpha)
    audit.at_most("probe average of ridge fits", "log-likelihood of the α told, below", off, within=rounding)


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
    fit = centred_ridge(a, wanted, best[1], np.ones(len(a)))
    linear = (classes[(np.c_[scaled[test], np.ones(len(test))] @ fit).argmax(axis=1)] == y[test]).mean()
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


def test_scores_of_a_probe_of_numbers(tmp_path, audit):
    """Columns by the pool, of unit spread and of their own; the averaged fits written out, scored on the test rows."""
    rng = np.random.default_rng(0)
    x = np.c_[rng.normal(size=(300, 6)) * [1, 2, 3, 1, 1, 5] + 4, np.ones(300)]
    y = x @ rng.normal(size=7) + rng.normal(size=300)
    made = dataset(tmp_path, x[:200], y[:200], x[200:], y[200:])
    x, y = made.features.double().numpy(), made.targets.double().numpy()
    pool, spread = x[:200, :6], x[:200, :6].std(axis=0)
    scaled = (x[:, :6] - pool.mean(axis=0)) / spread
    own = scaled * spread / np.sqrt((np.r_[spread, 0] ** 2).mean())
    for n in (3, 8, 20, 60):
        rows = rng.permutation(200)[:n]
        told = score_probe(made, torch.tensor(rows))
        coefs, intercept, logs = averaged([scaled[rows], own[rows]], y[rows])
        guess = scaled[200:] @ coefs[0] + own[200:] @ coefs[1] + intercept
        audit.same("probe average of ridge fits", "predictions of test rows", told.predicted, guess, within=1e-6)
        off = likelier(logs, told.alpha)
        audit.at_most("probe average of ridge fits", "log-likelihood of the α told, below", off, within=1e-6)
        error = np.abs(guess - y[200:]).mean()
        audit.same("probe average of ridge fits", "mean absolute error", told.metrics["mae"], error, within=1e-6)


def test_scores_of_a_probe_of_classes(tmp_path, audit):
    """Columns by the pool, the sum of both fits written out; of 500 test rows those told another class."""
    x, y = kinds()["heavy tails"]
    made = dataset(tmp_path, x[:500, :12], y[:500], x[500:, :12], y[500:])
    x = made.features.double().numpy()
    scaled = (x - x[:500].mean(axis=0)) / x[:500].std(axis=0)
    for n in (6, 18, 40):
        rows = np.random.default_rng(n).permutation(500)[:n]
        classes, own = np.unique(y[rows], return_inverse=True)
        told = score_probe(made, torch.tensor(rows))
        wide = np.c_[scaled[500:], np.ones(500)]
        guesses = [classes[(wide @ fit).argmax(axis=1)] for fit in probes(scaled[rows], own).values()]
        guess = min(guesses, key=lambda each: (each != told.predicted).sum())
        # a boundary moves by as much as the coefficients may
        audit.at_most("probe logistic", "test rows told another class", (guess != told.predicted).mean(), within=5e-3)
        score = (told.predicted == y[500:]).mean()
        audit.same("probe logistic", "accuracy of the predictions", told.metrics["accuracy"], score, within=1e-12)


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
