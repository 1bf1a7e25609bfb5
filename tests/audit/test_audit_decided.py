"""Points that are in or out by hand: the first and never; the others are chosen for what is then still missing."""

import numpy as np
import pytest
import torch

from skmm_core.methods import Need, select
from skmm_core.methods.registry import list_own_methods
from skmm_core.pool import make_pool
from tests.audit.cases import on
from tests.audit.definitions import eigenbasis, gradients, sketch_rounding, squared_distances, steps_behind, unit

_IN, _OUT = [11, 4], [0, 1, 2, 3, 17]


@pytest.mark.parametrize("spec", list_own_methods(), ids=lambda spec: spec.key)
@on("plain", "duplicates", "wide")
def test_points_in_come_first_and_points_out_never(case, spec, audit):
    """Every method: n distinct points, those in at the front in their order, none of those out."""
    targets = case.classes if spec.needs & {Need.TARGETS, Need.CLASSES} else None
    for seed in range(3):
        found = select(case.rows, spec.key, 9, targets=targets, seed=seed, include=_IN, exclude=_OUT).indices.tolist()
        wrong = (found[:2] != _IN) + len(set(found) & set(_OUT)) + 9 - len(set(found))
        audit.at_most(f"method {spec.key}", "points in and out by hand, misplaced", float(wrong), within=0, unit="rows")


@on(without=("two labels a class",))
def test_greedy_methods_go_on_from_the_points_in(case, audit):
    """The gain of every later pick against all rows that may be picked, the definition counting the points in."""
    x, n = case.exact, 9
    rows = unit(x)
    similar, distances = (1 + rows @ rows.T) / 2, squared_distances(x, x)
    mean, size = x.mean(axis=0), ((x - x.mean(axis=0)) ** 2).sum(axis=1).max()
    price = len(x) / (2 * n)

    def coverage(before):
        return np.maximum(similar, similar[:, before].max(axis=1, initial=0.0)[:, None]).sum(axis=0)

    gains = {
        "herding": (lambda before: -((mean - (x[before].sum(axis=0) + x) / (len(before) + 1)) ** 2).sum(axis=1), size),
        "k_center": (lambda before: distances[:, before].min(axis=1), size),
        "facility_location": (coverage, len(x)),
        "graph_cut": (
            lambda before: similar.sum(axis=0) - price * (2 * similar[:, before].sum(axis=1) + similar.diagonal()),
            len(x),
        ),
    }
    for method, (gain, scale) in gains.items():

        def free(before, gain=gain):
            values = gain(before)
            values[_OUT] = -np.inf
            return values

        picks = select(case.rows, method, n, include=_IN, exclude=_OUT).indices.numpy()
        slip = steps_behind(picks, free, start=2) / scale
        audit.at_most(
            f"method {method}", "lost at a pick after points in", slip, within=64 * case.eps * x.shape[1] ** 0.5
        )


@on(without=("two labels a class",))
def test_the_relaxation_fills_what_the_points_in_leave(case, audit):
    """F of all weights, 1/n at points in and 0 at those out; its linear part bounds the distance from the minimum."""
    n = 8
    pool = make_pool(case.rows)
    found = select(pool, "skmm", n, params={"c_s": 0.5, "tol": 1e-8}, include=_IN, exclude=_OUT)
    basis = eigenbasis(gradients(pool, case.exact), case.eps)
    ratios, rounding = basis.coordinates**2 / basis.values, sketch_rounding(case, basis)
    s = found.scores.double().numpy()
    audit.same(
        "method skmm", "weights of points in and out", s[[*_IN, *_OUT]], [1 / n] * 2 + [0] * 5, within=4 * case.eps
    )
    shortfall = np.maximum(0, 2 - s @ ratios)
    empty, value = 4.0 * ratios.shape[1], (shortfall**2).sum()
    audit.same(
        "method skmm", "relaxed objective, points in", found.objective["relaxed"], value, within=rounding, scale=empty
    )
    slope = -2 * ratios @ shortfall
    free = np.setdiff1d(np.arange(len(s)), [*_IN, *_OUT])
    best = np.sort(slope[free])[: n - 2].sum() / n
    audit.at_most(
        "method skmm",
        "distance from the minimum, points in",
        (slope[free] @ s[free] - best) / empty,
        within=max(1e-3, rounding),
    )
    picked = ratios[found.indices.numpy()].mean(axis=0)
    value = (np.maximum(0, 2 - picked) ** 2).sum()
    audit.same(
        "method skmm", "rounded objective, points in", found.objective["rounded"], value, within=rounding, scale=empty
    )
    assert torch.equal(found.indices[:2], torch.tensor(_IN))
