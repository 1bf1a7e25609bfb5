"""The warm-up head, and the methods that ask it: every formula on (N, K) arrays written out."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from skmm_core.methods import select
from skmm_core.pool import make_pool
from tests.audit.cases import on
from tests.audit.definitions import one_hot, squared_distances, standardised, steps_behind

_RANKED = ("entropy", "margin", "least_confidence", "deepfool", "cal")


@pytest.mark.parametrize(("size", "classes", "asked"), [(2000, 3, None), (500, 7, None), (40, 5, None), (90, 10, 4)])
def test_warm_up_rows_are_as_many_as_stated_and_stratified(size, classes, asked, audit):
    """min(N, max(10 · classes, 5 % of N)), or as asked but one a class; shares of the classes within one row."""
    rng = np.random.default_rng(0)
    rows, y = torch.tensor(rng.normal(size=(size, 4))), rng.permutation(np.arange(size) * 7 % 97 % classes)
    pool = make_pool(rows, targets=torch.tensor(y), warm_up_rows=asked)
    expected = min(size, max(10 * classes, -(-size // 20))) if asked is None else max(asked, classes)
    chosen = pool.warm_up.rows.numpy()
    audit.same("warm-up head", "number of rows", len(chosen), expected, within=0)
    assert len(set(chosen.tolist())) == len(chosen)
    got, share = np.bincount(y[chosen], minlength=classes), np.bincount(y) / size
    allowed = np.maximum(1, share * expected) - share * expected + classes  # one row a class comes first
    audit.at_most(
        "warm-up head", "rows of a class", (np.abs(got - share * expected) - allowed).max(), within=0, unit="rows"
    )
    held = pool.warm_up.held_out.numpy()
    overlap = len(np.intersect1d(held, chosen)) if expected < size else 0
    audit.at_most("warm-up head", "held-out rows that trained it", overlap, within=0, unit="rows")


@on(without=("two labels a class",))
def test_the_head_is_the_optimum(case, audit):
    """The penalised loss of the head against the minimum by SciPy's L-BFGS, and logits by a product."""
    pool = make_pool(case.rows, targets=case.classes)
    head, y = pool.warm_up, case.classes.numpy()
    x, rows = standardised(case.exact, case.eps), head.rows.numpy()
    truth, weights = one_hot(y), head.weights.double().numpy()
    logits = head.logits.double().numpy()
    bias = (logits - x @ weights).mean(axis=0)
    rounding = (
        256
        * case.eps
        * max(
            1.0, float(np.abs(case.exact.mean(axis=0) / case.exact.std(axis=0).clip(1e-300)).max() * 2.3e-16 / case.eps)
        )
    )
    audit.same("warm-up head", "logits", logits, x @ weights + bias, within=rounding)
    strength = 10 / max(1, int((x.std(axis=0) > 0).sum()))
    d, k = weights.shape

    def loss(flat):
        w, b = flat[: d * k].reshape(d, k), flat[d * k :]
        scores = x[rows] @ w + b
        residual = softmax(scores, axis=1) - truth[rows]
        value = -(log_softmax(scores, axis=1) * truth[rows]).sum() + (w**2).sum() / 2 / strength
        return value, np.r_[(x[rows].T @ residual + w / strength).ravel(), residual.sum(axis=0)]

    # it is trained to a slope of 1e-3 of the mean loss; the loss is then above its minimum by slope times distance
    found = np.r_[weights.ravel(), bias]
    least = minimize(loss, found, jac=True, method="L-BFGS-B", options={"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-9})
    excess = (loss(found)[0] - least.fun) / len(rows)
    if k == 2:
        return  # the two-class head keeps one column of weights, whose penalty is another
    audit.at_most(
        "warm-up head", "mean loss above its minimum", excess, within=1e-3 * np.abs(found - least.x).sum() + 1e-9
    )


@on()
def test_scores_of_uncertainty(case, audit):
    """Entropy, margin, confidence, distance to the boundary and contrast with neighbours, from the logits alone."""
    pool = make_pool(case.rows, targets=case.classes)
    head = pool.warm_up
    logits, weights = head.logits.double().numpy(), head.weights.double().numpy()
    log_p = log_softmax(logits, axis=1)
    p = np.exp(log_p)
    sorted_p = np.sort(p, axis=1)
    expected = {
        "entropy": -(p * log_p).sum(axis=1),
        "margin": sorted_p[:, -2] - sorted_p[:, -1],
        "least_confidence": -np.expm1(log_p.max(axis=1)),
        "deepfool": _deepfool(logits, weights),
        "cal": _cal(standardised(case.exact, case.eps), p, log_p, head.rows.numpy(), 10),
    }
    for method, scores in expected.items():
        found = select(pool, method, 7)
        # CAL takes distances by products in the precision of the rows: neighbours at equal distance may change places
        ties = method == "cal" and case.name in ("ties", "duplicates", "zero rows", "offset 1e4")
        within = 64 * (2.3e-16 if method != "cal" else case.eps) * max(1.0, float(np.abs(logits).max()))
        if not ties:
            audit.same(f"method {method}", "scores", found.scores, scores, within=within, scale=1e-3)
        left = np.delete(found.scores.double().numpy(), found.indices.numpy())
        lowest = found.scores[found.indices].double().min()
        size = np.abs(scores).max()
        audit.at_most(
            f"method {method}",
            "higher score left out",
            (left.max() - lowest) / size,
            within=256 * 2.3e-16 + 128 * case.eps * (method == "cal"),
        )


def _deepfool(logits, weights):
    scores = np.empty(len(logits))
    for row, values in enumerate(logits):
        top = values.argmax()
        others = [k for k in range(len(values)) if k != top]
        steps = [(values[top] - values[k]) / np.linalg.norm(weights[:, k] - weights[:, top]) for k in others]
        scores[row] = -min(steps)
    return scores


def _cal(x, p, log_p, labelled, count):
    scores = np.zeros(len(x))
    distances = squared_distances(x, x[labelled])
    for row in range(len(x)):
        near = labelled[np.argsort(distances[row], kind="stable")]
        near = near[near != row][:count]
        near = near[: min(count, len(labelled))]
        if len(near):
            scores[row] = np.mean([(p[j] * (log_p[j] - log_p[row])).sum() for j in near])
    return scores


@on()
def test_contextual_diversity(case, audit):
    """Symmetric Kullback-Leibler divergence of all pairs, each pick the farthest from its nearest chosen one."""
    pool = make_pool(case.rows, targets=case.classes)
    log_p = log_softmax(pool.warm_up.logits.double().numpy(), axis=1)
    p = np.exp(log_p)
    divergence = np.array(
        [
            [((a - b) * (la - lb)).sum() / 2 for b, lb in zip(p, log_p, strict=True)]
            for a, la in zip(p, log_p, strict=True)
        ]
    )
    picks = select(pool, "contextual_diversity", 8).indices.numpy()
    slip = steps_behind(picks, lambda before: divergence[:, before].min(axis=1), start=1) / np.abs(log_p).max()
    audit.at_most("method contextual_diversity", "divergence lost at a pick", slip, within=64 * 2.3e-16)
