"""Rivals for labelled pools: moderate coreset, CCS, D2, and facility location within classes."""

import numpy as np

from skmm_core.methods import select
from skmm_core.pool import make_pool
from tests.audit.cases import on
from tests.audit.definitions import content_order, squared_distances, steps_behind, unit

# rows as near as the last neighbour, and margins equal at the cut, in which any choice is right
_TIED = ("ties", "duplicates", "zero rows", "two labels a class")


def shares(classes, n):
    """Points of every class, by largest remainders."""
    sizes = np.bincount(classes)
    quotas = sizes * n // len(classes)
    quotas[np.argsort(-(sizes * n % len(classes)), kind="stable")[: n - quotas.sum()]] += 1
    return quotas


@on()
def test_moderate(case, audit):
    """In every class, | distance to the mean - median distance | of the rows taken against that of all others."""
    x, y, n = case.exact, case.classes.numpy(), 9
    found = select(case.rows, "moderate", n, targets=case.classes)
    picks, worst, off = found.indices.numpy(), 0.0, np.zeros(len(x))
    for label in np.unique(y):
        rows = np.flatnonzero(y == label)
        distances = np.linalg.norm(x[rows] - x[rows].mean(axis=0), axis=1)
        off[rows] = np.abs(distances - np.median(distances))
        taken = off[rows[np.isin(rows, picks)]].max(initial=0.0)
        worst = max(worst, taken - off[np.setdiff1d(rows, picks)].min(initial=np.inf))
    size = np.linalg.norm(x - x.mean(axis=0), axis=1).max()
    rounding = 64 * (case.eps + 2.3e-16 * np.abs(x).max() / size)
    audit.at_most("method moderate", "nearer to the median but left out", worst / size, within=rounding)
    audit.same("method moderate", "scores", -found.scores.double().numpy(), off, within=rounding, scale=size)
    audit.same(
        "method moderate", "points of a class", np.bincount(y[picks], minlength=y.max() + 1), shares(y, n), within=0
    )


@on(without=_TIED)
def test_ccs(case, audit):
    """The hardest 30 % are left out, and 50 stretches of the other margins get points as evenly as they can."""
    pool, n = make_pool(case.rows, targets=case.classes), 12
    margin = pool.dynamics.margin.double().numpy()
    found = select(pool, "ccs", n)
    picks, order = found.indices.numpy(), np.argsort(margin, kind="stable")
    kept = order[int(0.3 * len(order)) :]
    audit.at_most("method ccs", "hardest rows taken", len(np.setdiff1d(picks, kept)), within=0, unit="rows")
    low, high = margin[kept].min(), margin[kept].max()
    stratum = np.minimum(((margin - low) / (high - low) * 50).astype(int), 49)
    sizes, taken = (np.bincount(stratum[rows], minlength=50) for rows in (kept, picks))
    # evenly: no stratum with rows left has two points fewer than another
    uneven = taken.max() - taken[sizes > taken].min(initial=taken.max())
    audit.at_most("method ccs", "points that could be spread more evenly", max(0, uneven - 1), within=0, unit="points")


def test_ccs_draws_any_row_of_a_stratum(audit):
    """3,000 seeds: of rows that are all alike to the head, every one has the same chance."""
    pool = make_pool(np.eye(8)[np.arange(8) % 2] @ np.ones((8, 3)), targets=np.arange(8) % 2)
    drawn = [select(pool, "ccs", 2, params={"prune": 0.0, "strata": 1}, seed=seed).indices for seed in range(3000)]
    counts = np.bincount(np.concatenate(drawn), minlength=8)
    audit.chances("method ccs", "chance of a row", counts, 3000, np.full(8, 2 / 8))


@on(without=_TIED)
def test_d2(case, audit):
    """Scores passed to five nearest neighbours within a class, and every pick against all others left."""
    pool, n = make_pool(case.rows, targets=case.classes), 9
    x, y = unit(case.exact), case.classes.numpy()
    margin, events = (scores.double().numpy() for scores in (pool.dynamics.margin, pool.dynamics.forgetting))
    found = select(pool, "d2", n)
    place = np.argsort(content_order(case.exact, y))
    hard = np.lexsort([place, margin])[: int(0.4 * len(y))]
    rounding = 256 * case.eps * x.shape[1] ** 0.5
    for label, quota in enumerate(shares(y, n)):
        rows = np.setdiff1d(np.flatnonzero(y == label), hard)
        if not quota or len(rows) < quota:
            continue
        apart = squared_distances(x[rows], x[rows])
        near = np.argsort(apart + np.where(np.eye(len(rows)), np.inf, 0), axis=1)[:, : min(5, len(rows) - 1)]
        linked = np.zeros(apart.shape, bool)
        linked[np.arange(len(rows))[:, None], near] = True
        linked |= linked.T
        begun = events[rows] + np.where(linked, np.exp(-apart), 0) @ events[rows]
        audit.same("method d2", "scores passed forward", found.scores[rows], begun, within=rounding, scale=1)
        picks = np.array([np.flatnonzero(rows == row)[0] for row in found.indices.numpy() if row in rows])

        def left(before, begun=begun, linked=linked, apart=apart):
            scores = begun.copy()
            for pick in before:
                scores -= np.where(linked[pick], np.exp(-0.1 * apart[pick]), 0) * scores[pick]
            return scores

        slip = steps_behind(picks, left) / max(begun.max(), 1.0)
        audit.at_most("method d2", "score lost at a pick", slip, within=rounding)


@on()
def test_facility_location_within_classes(case, audit):
    """Every class covered by its own points, each pick against all other rows of the class."""
    x, y, n = unit(case.exact), case.classes.numpy(), 12
    found = select(case.rows, "facility_location", n, targets=case.classes, params={"stratify": True})
    rounding, value = 64 * case.eps * x.shape[1] ** 0.5, 0.0
    for label, quota in enumerate(shares(y, n)):
        rows = np.flatnonzero(y == label)
        similar = (1 + x[rows] @ x[rows].T) / 2
        picks = np.array([np.flatnonzero(rows == row)[0] for row in found.indices.numpy() if row in rows], dtype=int)
        audit.at_most("method facility_location", "points of a class", abs(len(picks) - quota), within=0, unit="points")

        def gain(before, similar=similar):
            covered = similar[:, before].max(axis=1, initial=0.0)
            return np.maximum(similar, covered[:, None]).sum(axis=0)

        slip = steps_behind(picks, gain) / len(rows)
        audit.at_most("method facility_location", "gain lost at a pick, within classes", slip, within=rounding)
        value += quota / n * similar[:, picks].max(axis=1, initial=0.0).mean()
    audit.same(
        "method facility_location", "objective, within classes", found.objective["coverage"], value, within=rounding
    )
