"""Training dynamics replayed in NumPy; CRAIG, GradMatch and GLISTER on gradients written out."""

import numpy as np
import torch
from scipy.optimize import nnls
from scipy.special import log_softmax, softmax

from skmm_core.device import generator
from skmm_core.methods import select
from skmm_core.pool import make_pool
from tests.audit.cases import on
from tests.audit.definitions import content_order, one_hot, standard_rounding, standardised, steps_behind

_LOOSE = ("two labels a class",)


@on("plain", "offset 1e4", "units 1e-6", "units 1e6", "mixed units", "wide", "duplicates", "two labels a class")
def test_dynamics_are_those_of_plain_gradient_descent(case, audit):
    """One head at a time, one batch after another: the same initial weights and orders, everything else anew."""
    pool = make_pool(case.rows, targets=case.classes, seed=3)
    order_of_rows = content_order(case.exact, case.classes.numpy())
    x = standardised(case.exact, case.eps)[order_of_rows]
    truth = one_hot(case.classes.numpy()[order_of_rows])
    labels, (size, d), k = truth.argmax(axis=1), x.shape, truth.shape[1]
    draw = generator(3, "dynamics")
    start = torch.randn(d, 5 * k, generator=draw, dtype=torch.float64).numpy() / np.sqrt(d)
    orders = [torch.randperm(size, generator=draw).numpy() for _ in range(10)]
    step, batch = 2 / (1 + (x.std(axis=0) > 0).sum()), min(256, max(1, size // 64))
    error, events, margin = np.zeros(size), np.zeros(size), np.zeros(size)
    for head in range(5):
        w, b = start[:, head * k : (head + 1) * k].copy(), np.zeros(k)
        right, ever, forgotten = np.zeros(size, bool), np.zeros(size, bool), np.zeros(size)
        for order in orders:
            for first in range(0, size, batch):
                part = order[first : first + batch]
                residual = (softmax(x[part] @ w + b, axis=1) - truth[part]) / len(part)
                w, b = w - step * x[part].T @ residual, b - step * residual.sum(axis=0)
            p = softmax(x @ w + b, axis=1)
            error += np.linalg.norm(p - truth, axis=1) / 50
            margin += (p[np.arange(size), labels] - (p * (1 - truth)).max(axis=1)) / 50
            now = p.argmax(axis=1) == labels
            forgotten, ever, right = forgotten + (right & ~now), ever | now, now
        events += np.where(ever, forgotten, 10) / 5
    # 10 epochs of at least 64 steps, each rounded in the precision of the rows
    rounding = 1000 * standard_rounding(case) * d**0.5
    expected = {"el2n": error, "grand": error * np.sqrt(1 + (x**2).sum(axis=1)), "ccs": margin}
    place = np.argsort(order_of_rows)
    for method, scores in expected.items():
        audit.same(f"method {method}", "scores", select(pool, method, 5).scores, scores[place], within=rounding)
    off = np.abs(select(pool, "forgetting", 5).scores.double().numpy() - events[place])
    # a prediction at the boundary may fall on either side
    audit.at_most(
        "method forgetting",
        "events, mean difference",
        off.mean(),
        within=1e-12 if case.eps < 1e-10 else 0.02,
        unit="events",
    )


@on()
def test_the_hardest_rows_of_every_class_are_taken(case, audit):
    """Quotas by largest remainders; no row of a class that is left out has a higher score."""
    pool = make_pool(case.rows, targets=case.classes)
    y, n = case.classes.numpy(), 8
    sizes = np.bincount(y)
    quotas = sizes * n // len(y)
    for extra in np.argsort(-(sizes * n % len(y)), kind="stable")[: n - quotas.sum()]:
        quotas[extra] += 1
    for method in ("el2n", "grand", "forgetting"):
        found = select(pool, method, n)
        picks, scores = found.indices.numpy(), found.scores.double().numpy()
        audit.same(
            f"method {method}", "points of a class", np.bincount(y[picks], minlength=len(sizes)), quotas, within=0
        )
        worst = max(
            max(
                (scores[np.setdiff1d(np.flatnonzero(y == c), picks)]).max(initial=-np.inf)
                - scores[picks[y[picks] == c]].min(),
                0,
            )
            for c in range(len(sizes))
            if quotas[c]
        )
        audit.at_most(
            f"method {method}", "higher score left out", worst / max(scores.max(), 1.0), within=128 * case.eps
        )


def written_out(pool, case):
    """(N, (d + 1) K) gradients of the head's loss in weights and intercept."""
    x = np.c_[standardised(case.exact, case.eps), np.ones(len(case.rows))]
    residual = softmax(pool.warm_up.logits.double().numpy(), axis=1) - one_hot(case.classes.numpy())
    return (x[:, :, None] * residual[:, None, :]).reshape(len(x), -1)


@on(without=_LOOSE)
def test_craig(case, audit):
    """Within a class that gets points, the distance of all gradients to the nearest chosen, and the clusters' sizes."""
    pool, n = make_pool(case.rows, targets=case.classes), 9
    g, y = written_out(pool, case), case.classes.numpy()
    found = select(pool, "craig", n)
    picks, total = found.indices.numpy(), 0.0
    for label in np.unique(y[picks]):
        members = np.flatnonzero(y == label)
        mine = np.array([np.flatnonzero(members == row)[0] for row in picks if y[row] == label])
        distances = np.linalg.norm(g[members][:, None] - g[members], axis=2)
        farthest = 2 * np.linalg.norm(g[members], axis=1).max()

        def gain(before, distances=distances, farthest=farthest):
            covered = distances[:, before].min(axis=1, initial=farthest)
            return -np.minimum(distances, covered[:, None]).sum(axis=0)

        # squared distances by products: a root of a difference of numbers rounded to ε
        rounding = 8 * np.sqrt(standard_rounding(case))
        slip = steps_behind(mine, gain) / (farthest * len(members))
        audit.at_most("method craig", "distance lost at a pick", slip, within=rounding)
        total += distances[:, mine].min(axis=1).sum()
        sizes = np.bincount(distances[:, mine].argmin(axis=1), minlength=len(mine))
        shares = found.weights.numpy()[y[picks] == label]
        if case.name not in ("duplicates", "ties", "zero rows"):  # rows as near to two chosen ones
            audit.same("method craig", "weights", shares, sizes / np.isin(y, y[picks]).sum(), within=1e-9)
    scale = np.linalg.norm(g, axis=1).mean()
    stood_for = np.isin(y, y[picks]).sum()
    mean = found.objective["mean_distance"]
    audit.same("method craig", "mean distance", mean, total / stood_for, within=rounding, scale=scale)
    left = found.objective.get("rows_of_classes_without_points", 0)
    audit.same("method craig", "rows of classes without points", left, len(y) - stood_for, within=0)


@on(without=_LOOSE)
def test_gradmatch(case, audit):
    """Orthogonal matching pursuit within classes that get points: picks by inner products, weights by SciPy's NNLS."""
    pool, n = make_pool(case.rows, targets=case.classes), 9
    g, y = written_out(pool, case), case.classes.numpy()
    found = select(pool, "gradmatch", n)
    picks, missed, whole = found.indices.numpy(), 0.0, 0.0
    amounts = np.zeros(n)
    for label in np.unique(y[picks]):
        members, places = np.flatnonzero(y == label), np.flatnonzero(y[picks] == label)
        mine = g[members]
        aim = mine.sum(axis=0)
        norm = (mine**2).sum(axis=1).mean()
        slip, missing, weights = 0.0, aim, np.zeros(0)
        chosen = []
        for place in places:
            pulls = mine @ missing
            pulls[chosen] = -np.inf
            pick = int(np.flatnonzero(members == picks[place])[0])
            slip = max(slip, (pulls.max() - pulls[pick]) / np.abs(mine @ aim).max())
            chosen.append(pick)
            penalty = np.sqrt(0.5 * norm) * np.eye(len(chosen))
            weights = nnls(np.r_[mine[chosen].T, penalty], np.r_[aim, np.zeros(len(chosen))])[0]
            missing = aim - weights @ mine[chosen]
        rounding = 256 * standard_rounding(case) * g.shape[1] ** 0.5
        audit.at_most("method gradmatch", "inner product lost at a pick", slip, within=rounding)
        weights = np.maximum(weights, 0.01 * weights.mean())
        amounts[places] = weights
        missed += ((aim - weights @ mine[chosen]) ** 2).sum()
        whole += (aim**2).sum()
    for label in np.setdiff1d(y, y[picks]):
        unseen = (g[y == label].sum(axis=0) ** 2).sum()
        missed, whole = missed + unseen, whole + unseen
    audit.same("method gradmatch", "weights", found.weights, amounts / amounts.sum(), within=rounding)
    audit.same(
        "method gradmatch", "objective", found.objective["gradient_error"], np.sqrt(missed / whole), within=rounding
    )


@on(without=_LOOSE)
def test_glister(case, audit):
    """Each pick by its inner product with the slope of the held-out loss, the head stepped after every one."""
    pool, n = make_pool(case.rows, targets=case.classes, warm_up_rows=12), 9
    g, head = written_out(pool, case), pool.warm_up
    x = np.c_[standardised(case.exact, case.eps), np.ones(len(g))]
    truth, held = one_hot(case.classes.numpy()), head.held_out.numpy()
    logits = head.logits.double().numpy()[held]
    step = 2.0 / (1 + int((x[:, :-1].std(axis=0) > 0).sum()))
    found = select(pool, "glister", n)
    picks, slip = found.indices.numpy(), 0.0
    losses = [-(log_softmax(logits, axis=1) * truth[held]).sum(axis=1).mean()]
    for t, pick in enumerate(picks):
        slope = x[held].T @ (softmax(logits, axis=1) - truth[held]) / len(held)
        gains = g @ slope.ravel()
        largest = np.abs(gains).max()
        gains[picks[:t]] = -np.inf
        slip = max(slip, (gains.max() - gains[pick]) / largest)
        logits = logits - step * x[held] @ g[pick].reshape(x.shape[1], -1)
        losses.append(-(log_softmax(logits, axis=1) * truth[held]).sum(axis=1).mean())
    rounding = 256 * standard_rounding(case) * g.shape[1] ** 0.5
    audit.at_most("method glister", "gain lost at a pick", slip, within=rounding)
    told = [found.objective["loss_before"], found.objective["loss_after"]]
    audit.same("method glister", "held-out loss before and after", told, [losses[0], losses[-1]], within=rounding)
