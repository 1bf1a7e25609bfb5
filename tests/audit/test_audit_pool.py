"""What is made from a pool without labels: cover and moments at once, and learners that use the graph of neighbours."""

import numpy as np
import pytest
import torch

from skmm_core.methods import Status, select
from skmm_core.probes import score_learner
from skmm_core.probes.pool_learners import propagated_scores
from skmm_core.probes.views import pool_view
from skmm_core.solvers import fit_classifier, spread_labels
from tests.audit.cases import on
from tests.audit.definitions import one_hot, squared_distances, steps_behind
from tests.audit.test_audit_kernels import kernel_rounding
from tests.references.test_cover_matching_reference import Brute, principal
from tests.references.test_pool_learners import Plain, averaged, blobs, curve, kernel_scalings, some

_SEEDS = range(4)


@on()
def test_cover_and_moments(case, audit):
    """mean_i max_s k(i, s) + 2 mean μ(s) - mean k(s, s') with every candidate added, every exchange, the order."""
    distances = squared_distances(principal(case.exact), principal(case.exact))
    off = np.sort(distances[np.triu_indices(len(distances), 1)])
    median = off[(len(off) - 1) // 2]  # over all pairs, which are fewer than 20,000
    made = Brute(np.exp(-distances / (0.2 * median)), np.arange(len(distances)))
    rounding = kernel_rounding(case, case.exact)
    found = select(case.rows, "skmm_cover", 8, params={"exchanges": 0})
    picks = found.indices.numpy()
    slip = steps_behind(picks, lambda before: -made.costs(before.tolist()))
    audit.at_most("method skmm_cover", "value lost at a pick", slip, within=rounding)
    audit.same("method skmm_cover", "mean of the kernel", found.scores, made.kernel.mean(axis=0), within=rounding)
    audit.same("method skmm_cover", "objective", found.objective["greedy"], made.value(picks.tolist()), within=rounding)
    found = select(case.rows, "skmm_cover", 8, params={"exchanges": 100})
    assert found.status is Status.CONVERGED
    picks = found.indices.numpy()
    audit.same(
        "method skmm_cover", "objective", found.objective["rounded"], made.value(picks.tolist()), within=rounding
    )
    left = made.best_exchange(picks.tolist())
    audit.at_most("method skmm_cover", "gain of the best exchange left", left, within=rounding)
    others = np.setdiff1d(np.arange(len(distances)), picks)

    def gain(before):
        gains = -made.costs(before.tolist())
        gains[others] = -np.inf
        return gains

    audit.at_most("method skmm_cover", "order: value lost at a pick", steps_behind(picks, gain), within=rounding)


@pytest.mark.parametrize("each", [1, 2, 5])
def test_learners_of_classes(each, audit):
    """Dense inverse, dense smoothing, entropy weights and normal equations; class means; on whole matrices."""
    for seed in _SEEDS:
        made = blobs(seed=seed, apart=1.5)
        chosen, plain, view = some(made, each).numpy(), Plain(made), pool_view(made)
        labels = made.targets[chosen].numpy()
        indicators = one_hot(labels)
        weights = view.graph.weights.toarray()
        audit.same("probe graph of neighbours", "weights", weights, plain.weights, within=1e-5)
        audit.same("probe propagate", "smoothed rows", view.smoothed(np.arange(120)), plain.smoothed, within=1e-5)
        audit.same("probe propagate", "smoothed test rows", view.smoothed_test, plain.smoothed_test, within=1e-5)
        held = spread_labels(view.graph, chosen, indicators)
        audit.same("probe propagate", "what rows hold of classes", held, plain.held(chosen, indicators), within=1e-5)
        smooth = fit_classifier(plain.smoothed[chosen], labels)
        coef = plain.spread_fit(chosen, indicators)
        total = 0.0
        for at, whole, fit in (
            (plain.smoothed_test, plain.smoothed, np.vstack([smooth.coef, smooth.intercept])),
            (plain.asked, plain.rows, coef),
        ):
            over = whole @ fit[:-1] + fit[-1]
            total = total + (at @ fit[:-1] + fit[-1]) / (over - over.mean(axis=1, keepdims=True)).std()
        found = propagated_scores(view, chosen, labels, None, seed=0)[1]
        audit.same("probe propagate", "scores of classes", found, total, within=1e-4)
        told = score_learner(made, torch.tensor(chosen), "propagate").predicted
        audit.same("probe propagate", "predicted classes", told, found.argmax(axis=1), within=0)
        means = np.stack([plain.rows[chosen[labels == k]].mean(axis=0) for k in np.unique(labels)])
        nearest = squared_distances(plain.asked, means).argmin(axis=1)
        told = score_learner(made, torch.tensor(chosen), "prototype").predicted
        audit.same("probe prototype", "predicted classes", told, nearest, within=0)
        auto = score_learner(made, torch.tensor(chosen), "auto")
        settled = score_learner(made, torch.tensor(chosen), auto.settled).predicted
        audit.same("probe auto", "predicted classes, by what it settled on", auto.predicted, settled, within=0)


def test_learners_of_numbers(audit):
    """Ridge fits on plain and smoothed rows, and with a Gaussian kernel, weighted by the likelihood of the targets."""
    for seed in _SEEDS:
        made = curve(seed=seed)
        chosen, plain = some(made), Plain(made)
        y = made.targets[chosen].double().numpy()
        smooth, smooth_test = plain.scalings(plain.smoothed[chosen]), plain.scalings(plain.smoothed_test)
        expected = averaged(smooth, y, smooth_test)[0]
        audit.same(
            "probe propagate",
            "predicted numbers",
            score_learner(made, chosen, "propagate").predicted,
            expected,
            within=1e-5,
        )
        rows, test = plain.scalings(plain.pool[chosen]), plain.scalings(plain.test)
        expected, shares = averaged([*rows, *smooth], y, [*test, *smooth_test])
        found = score_learner(made, chosen, "auto")
        audit.same("probe auto", "predicted numbers", found.predicted, expected, within=1e-5)
        wrong = found.settled != ("propagate" if shares[2:].sum() > 0.5 else "linear")
        audit.at_most("probe auto", "settled on what weighs less", float(wrong), within=0, unit="cases")
        scaled, asked = kernel_scalings(plain, chosen.numpy(), pool_view(made).sample)
        expected = averaged(scaled, y, asked)[0]
        told = score_learner(made, chosen, "kernel").predicted
        audit.same("probe kernel ridge", "predicted numbers", told, expected, within=1e-6)
