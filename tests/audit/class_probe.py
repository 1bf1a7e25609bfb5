"""The probe for classes from its definition: Newton's method in plain coordinates, every fold by a fit of its own."""

from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from tests.audit.cases import Array
from tests.audit.definitions import one_hot

Labels = NDArray[np.int64]
STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)


_NEAR = 3e-3  # held-out fits are stopped at this slope, so decisions that are nearer may go either way
_MODERATE = (3.0, True)
Choice = tuple[float, bool]  # strength, and whether classes weigh alike


class Said(NamedTuple):
    """Log-losses of the held-out rows whose class was seen, after the best scale, and that scale."""

    losses: Array
    scale: float

    def margin(self, other: "Said") -> float:
        """By how much a row's gain over the other, less one standard error of it, is above 0."""
        gain = other.losses - self.losses
        return float(gain.mean() - gain.std(ddof=1) / np.sqrt(len(gain))) if len(gain) > 1 else -np.inf


def order_of(x: Array, y: Labels) -> Labels:
    """By class, then along one direction that is fixed by the number of columns."""
    along = x @ np.random.default_rng(0).standard_normal(x.shape[1])
    return np.array(sorted(range(len(x)), key=lambda row: (y[row], along[row])))


def folds(y: Labels, seed: int) -> Labels:
    """Rows in seeded order, class after class, dealt out like cards: one each up to 10 rows, ten folds up to 50."""
    n = len(y)
    count = min(n, 10 if n <= 50 else 5)
    shuffled = np.random.default_rng(seed).permutation(n)
    fold = np.zeros(n, np.int64)
    for card, row in enumerate(row for label in np.unique(y) for row in shuffled if y[row] == label):
        fold[row] = card % count
    return fold if n <= 2_000 else np.where(fold > 0, -1, 0)


def smoothed(y: Labels, smoothing: float) -> Array:
    truth = one_hot(y)
    return (1 - smoothing) * truth + smoothing / truth.shape[1]


def logistic(x: Array, y: Labels, penalty: float, smoothing: float, *, even: bool) -> Array:
    """(d, K) minimum of the weighted log-loss of smoothed targets plus penalty/2 ‖W‖², by damped Newton steps."""
    truth, counts = smoothed(y, smoothing), np.unique(y, return_counts=True)[1]
    (n, d), k = x.shape, truth.shape[1]
    if k == 1:
        return np.zeros((d, 1))
    share = n / (k * (one_hot(y) @ counts)) if even else np.ones(n)

    def loss(w):
        return -share @ (truth * log_softmax(x @ w, axis=1)).sum(axis=1) + penalty / 2 * (w**2).sum()

    w = np.zeros((d, k))
    for _ in range(100):
        p = softmax(x @ w, axis=1)
        slope = x.T @ (share[:, None] * (p - truth)) + penalty * w
        curvature = share[:, None, None] * (p[:, :, None] * np.eye(k) - p[:, :, None] * p[:, None, :])
        hessian = np.einsum("ia,icd,ib->acbd", x, curvature, x, optimize=True).reshape(d * k, d * k)
        step = np.linalg.solve(hessian + penalty * np.eye(d * k), slope.ravel()).reshape(d, k)
        size, here = 1.0, loss(w)
        while loss(w - size * step) > here - 1e-4 * size * (slope * step).sum() and size > 1e-10:
            size /= 2
        w = w - size * step
        if np.abs(step).max() <= 1e-10 * max(np.abs(w).max(), 1e-300):
            break
    return w


def judge(scores: Array, y: Labels, smoothing: float, expected: float) -> Said:
    """The scale by a fine grid, then between its neighbours; -∞ marks a class that a fit has not seen.

    A class that no row is told of takes no part.
    """
    told = np.array([np.isfinite(row[label]) for row, label in zip(scores, y, strict=True)], dtype=bool)
    rows, labels = scores[told], y[told]
    rows = np.where([label in set(labels.tolist()) for label in range(scores.shape[1])], rows, -np.inf)

    def losses(log_scale):
        found = []
        for row, label in zip(rows, labels, strict=True):
            seen = np.isfinite(row)
            logs = log_softmax(row[seen] * expected * np.exp(log_scale))
            place = int(seen[:label].sum())
            found.append(-(1 - smoothing) * logs[place] - smoothing * logs.mean())
        return np.array(found)

    if not told.any():
        return Said(np.zeros(0), expected)
    grid = np.linspace(-7, 7, 141)
    at = int(np.argmin([losses(each).sum() + each**2 / 2 for each in grid]))
    ends = grid[max(at - 1, 0)], grid[min(at + 1, 140)]
    best = minimize_scalar(
        lambda each: losses(each).sum() + each**2 / 2, bounds=ends, method="bounded", options={"xatol": 1e-9}
    ).x
    return Said(losses(best), expected * float(np.exp(best)))


def centred_ridge(x: Array, y: Array, alpha: float, weights: Array) -> Array:
    """Coefficients and, as the last row, the unpenalised intercept, by the normal equations of weighted rows."""
    centre, mean = weights @ x / weights.sum(), weights @ y / weights.sum()
    weighted = (x - centre).T * weights
    coef = np.linalg.solve(weighted @ (x - centre) + alpha * np.eye(x.shape[1]), weighted @ (y - mean))
    return np.vstack([coef, mean - centre @ coef])


def anchored_ridge(x: Array, y: Array, alpha: float, weights: Array, *, column: float, origin: float) -> Array:
    """As before, but of targets about `origin`, and the intercept is what a column of that size is penalised to."""
    wide = np.c_[x, np.full(len(x), column)]
    weighted = wide.T * weights
    coef = np.linalg.solve(weighted @ wide + alpha * np.eye(wide.shape[1]), weighted @ (y - origin))
    return np.vstack([coef[:-1], origin + column * coef[-1]])


def left_out_error(
    x: Array, y: Array, alpha: float, weights: Array, counted: Labels, fit: Callable[..., Array] = centred_ridge
) -> float:
    """Every row that counts left out and the fit made anew."""
    total = 0.0
    for row in counted:
        line = fit(*(np.delete(each, row, axis=0) for each in (x, y)), alpha, np.delete(weights, row))
        total += weights[row] * ((np.r_[x[row], 1] @ line - y[row]) ** 2).sum()
    return total


def spread(scores: Array) -> float:
    return float((scores - scores.mean(axis=1, keepdims=True)).std()) or 1.0


def either(margin: float, strength: float) -> set[bool]:
    """What a decision by the sign of a difference, in nats a row, may be.

    The curvature where held-out fits stop is 1 to about 1 / (1 + strength), so what they tell is that far off.
    """
    return {True, False} if abs(margin) <= _NEAR * np.sqrt(1 + strength) else {margin > 0}


def choices(said: Callable[[Choice], Said]) -> set[Choice]:
    """From the moderate strength down, then up, while the loss falls; then classes by rows; all against the moderate.

    Every choice that the rule can come to when decisions that are too near to call go either way.
    """

    def gain(choice, best):
        losses = said(best).losses - said(choice).losses
        return float(losses.mean()) if len(losses) else 0.0

    def beats(choice):
        return {False} if choice == _MODERATE else either(said(choice).margin(said(_MODERATE)), choice[0])

    def walk(best, strengths):
        if not strengths:
            return {best}
        found = set()
        for falls in either(gain((strengths[0], True), best), max(strengths[0], best[0])):
            found |= walk((strengths[0], True), strengths[1:]) if falls else {best}
        return found

    middle = STRENGTHS.index(_MODERATE[0])
    best = set()
    for lower in walk(_MODERATE, STRENGTHS[:middle][::-1]):
        for done in beats(lower):
            best |= {lower} if done else walk(lower, STRENGTHS[middle + 1 :])
    best = {
        (choice[0], False) if better else choice
        for choice in best
        for better in either(gain((choice[0], False), choice), choice[0])
    }
    return {choice if clear else _MODERATE for choice in best for clear in beats(choice)}


def probes(
    x: Array, y: Labels, *, seed: int = 0, validation: tuple[Array, Labels] | None = None
) -> dict[tuple[float, bool, bool], Array]:
    """Logistic regression and ridge on indicators, tuned and added up; classes are numbered 0..K-1 and all present.

    Columns that are 0 in all rows are as if they were not there. The intercept of either part is the coefficient of one
    more column, of the root mean square of all entries, under the same penalty; ridge is on indicators less 1/K.

    Args:
        x: (n, d) rows.
        y: (n,) classes.
        seed: of the folds.
        validation: rows of classes in `y`, to choose by.

    Returns:
        By strength, whether classes weigh alike, and whether one part is taken alone: (d + 1, K) coefficients, the
        intercept as the last row. One entry, or several where decisions are too near to call.
    """
    empty = np.flatnonzero(np.abs(x).max(axis=0) == 0)
    x = np.delete(x, empty, axis=1)
    order = order_of(x, y)
    x, y = x[order], y[order]
    n, k = len(x), int(y.max()) + 1
    length, column = np.linalg.norm(x) / np.sqrt(n) or 1.0, float(np.sqrt((x**2).mean()))
    wide, smoothing = np.c_[x, np.full(n, column)], 1 / (n / k + 2)
    asked, truth = (x, y) if validation is None else (np.delete(validation[0], empty, axis=1), validation[1])
    fold = folds(y, seed)
    parts = [(fold != each, fold == each) for each in range(fold.max() + 1)]
    if validation is not None:
        parts = [(np.ones(n, bool), np.ones(len(truth), bool))]

    def held_out(fit):
        scores = np.full((len(asked), k), -np.inf)
        for kept, out in parts:
            seen = np.unique(y[kept])
            scores[np.ix_(out, seen)] = fit(kept, out, seen)
        return scores

    @cache
    def by_logistic(choice):
        def fit(kept, out, seen):
            curve = logistic(wide[kept], y[kept], length**2 / choice[0], smoothing, even=choice[1])
            return np.c_[asked[out], np.full(out.sum(), column)] @ curve

        scores = held_out(fit)
        return judge(scores, truth, smoothing, 1.0), scores

    truths, alphas = one_hot(y), n * np.logspace(-6, 4, 31)
    sizes = truths.sum(axis=0)[y]
    weights = np.sqrt(1 / sizes) / np.sqrt(1 / sizes).mean()
    counted = np.flatnonzero(sizes > 1) if sizes.max() > 1 else np.arange(n)
    anchored = partial(anchored_ridge, column=column, origin=1 / k) if x.shape[1] >= max(n, 8) else centred_ridge
    alpha = alphas[int(np.argmin([left_out_error(x, truths, each, weights, counted, anchored) for each in alphas]))]
    line = anchored(x, truths, alpha, weights)

    def by_ridge(kept, out, seen):
        fit = line if validation is not None else anchored(x[kept], truths[kept], alpha, weights[kept])
        return np.c_[asked[out], np.ones(out.sum())] @ fit[:, seen]

    ridge_scores, known, found = held_out(by_ridge), np.c_[x, np.ones(n)], {}
    for choice in choices(lambda each: by_logistic(each)[0]):
        curve = logistic(wide, y, length**2 / choice[0], smoothing, even=choice[1])
        curve = np.vstack([curve[:-1], column * curve[-1]])
        first, scores = by_logistic(choice)
        second = judge(ridge_scores, truth, smoothing, spread(known @ curve) / spread(known @ line))
        both = judge(first.scale * scores + second.scale * ridge_scores, truth, smoothing, 1.0)
        better = min((first, second), key=lambda each: each.losses.sum())
        for alone in either(better.margin(both), choice[0]):
            a, b = (0.0 if alone and each is not better else each.scale for each in (first, second))
            added = a * curve + b * line
            found[(*choice, alone)] = np.insert(added, empty - np.arange(len(empty)), 0.0, axis=0)
    return found
