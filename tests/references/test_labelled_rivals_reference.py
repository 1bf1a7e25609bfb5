"""Moderate coreset, CCS and facility location within classes against slow versions written from the papers."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from skmm_core.config import GradientParams
from skmm_core.data import Task
from skmm_core.device import generator
from skmm_core.errors import InputError
from skmm_core.methods.registry import get_method, reads_labels, select
from skmm_core.methods.score_strata import even_quotas
from skmm_core.methods.stratify import class_quotas
from skmm_core.pool.making import make_pool
from tests.references.pools import NamedPool, assert_greedy, every_pool, unit

METHODS = ["moderate", "ccs", "d2"]
BUDGET = 9
DOUBLE = float(np.finfo(np.float64).eps)


def pool_in_order(pool: NamedPool, seed: int = 0):
    """The pool as methods see it, so that draws by place are those of the references."""
    return make_pool(pool.tensor, targets=pool.classes, seed=seed, device="cpu").ordered


def quotas_of(classes, budget):
    members = [np.flatnonzero(classes == label) for label in np.unique(classes)]
    return [
        (rows, quota)
        for rows, quota in zip(members, class_quotas([len(rows) for rows in members], budget), strict=True)
    ]


# Moderate coreset


@every_pool
def test_moderate_takes_the_rows_of_a_class_nearest_to_its_median_distance(pool):
    """No row that is left out of a class has a distance to the mean nearer to the median than one that is in."""
    made = pool_in_order(pool)
    x, classes = made.features.double().numpy(), made.targets.numpy()
    found = select(made, "moderate", BUDGET)
    picks = found.indices.numpy()
    for rows, quota in quotas_of(classes, BUDGET):
        distances = np.linalg.norm(x[rows] - x[rows].mean(axis=0), axis=1)
        off = np.abs(distances - np.median(distances))
        inside = np.isin(rows, picks)
        assert inside.sum() == quota
        # a row far from the origin is off by its own rounding in float64
        rounding = 256 * DOUBLE * max(distances.max(), np.abs(x).max())
        assert off[inside].max(initial=0) <= off[~inside].min(initial=np.inf) + rounding
        scale = distances.max() * pool.epsilon
        np.testing.assert_allclose(-found.scores.double().numpy()[rows], off, rtol=0, atol=4 * scale + rounding)
        order = [off[rows == row][0] for row in picks if row in rows]
        assert all(a <= b + rounding for a, b in itertools.pairwise(order))


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_both_rows_in_the_middle_of_an_even_class_tie_and_the_lower_one_goes_first(offset):
    targets = torch.zeros(20, dtype=torch.int64)
    for seed in range(20):
        rows = torch.tensor(np.random.default_rng(seed).normal(size=(20, 3))) + offset
        pool = make_pool(rows, targets=targets, device="cpu").ordered
        distances = (pool.features - pool.features.mean(dim=0)).norm(dim=1)
        middle = distances.argsort()[9:11].sort().values
        assert torch.equal(select(pool, "moderate", 2).indices, middle)


def test_points_in_by_hand_count_for_their_class_in_moderate():
    rng = np.random.default_rng(0)
    rows, targets = torch.tensor(rng.normal(size=(30, 3))), torch.arange(30) % 3
    plain = select(rows, "moderate", 9, targets=targets, device="cpu").indices.tolist()
    inside = [3, 6]
    out = [next(row for row in plain if row not in inside)]
    found = select(rows, "moderate", 9, targets=targets, device="cpu", include=inside, exclude=out).indices.tolist()
    assert found[:2] == inside
    assert not set(out) & set(found)
    assert targets[found].bincount().tolist() == [3, 3, 3]


# CCS


def authors_allocation(budget: int, sizes: list[int]) -> list[int]:
    """The loop over strata in ascending order of their sizes, equal ones as they come."""
    left, quotas = budget, [0] * len(sizes)
    for done, stratum in enumerate(sorted(range(len(sizes)), key=lambda s: sizes[s])):
        quotas[stratum] = min(sizes[stratum], left // (len(sizes) - done))
        left -= quotas[stratum]
    return quotas


@settings(deadline=None, max_examples=200)
@given(sizes=st.lists(st.integers(0, 12), min_size=1, max_size=9), share=st.floats(0, 1))
def test_the_budget_is_spread_over_strata_as_the_authors_loop_spreads_it(sizes, share):
    budget = round(share * sum(sizes))
    assert even_quotas(sizes, budget, held=[0] * len(sizes)) == authors_allocation(budget, sizes)


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_with_points_held_the_others_even_out_what_strata_have(data):
    strata = data.draw(st.integers(1, 6))
    sizes, held = (data.draw(st.lists(st.integers(0, 5), min_size=strata, max_size=strata)) for _ in range(2))
    budget = data.draw(st.integers(sum(held), sum(held) + sum(sizes)))
    found = even_quotas(sizes, budget, held=held)
    assert sum(found) == budget
    assert all(have <= quota <= have + size for have, quota, size in zip(held, found, sizes, strict=True))
    # no point could move to a stratum that has two fewer
    gives = [quota for quota, have in zip(found, held, strict=True) if quota > have]
    takes = [quota for quota, have, size in zip(found, held, sizes, strict=True) if quota < have + size]
    assert not gives or not takes or max(gives) <= min(takes) + 1


def slow_ccs(margin, budget, prune, strata, keys):
    """Strata and the rows in them that are drawn first, from the definition."""
    order = sorted(range(len(margin)), key=lambda i: (margin[i], i))
    pruned = min(int(prune * len(margin)), len(margin) - budget)
    kept = order[pruned:]
    low, high = min(margin[kept]), max(margin[kept])
    bins = [[] for _ in range(strata)]
    for row in kept:
        place = int((margin[row] - low) / ((high - low) or 1.0) * strata)
        bins[min(place, strata - 1)].append(row)
    quotas = authors_allocation(budget, [len(rows) for rows in bins])
    return [set(sorted(rows, key=lambda i: keys[i])[:quota]) for rows, quota in zip(bins, quotas, strict=True)]


@every_pool
@pytest.mark.parametrize(("budget", "prune", "strata"), [(BUDGET, 0.3, 50), (3, 0.5, 4), (12, 0.9, 5)])
def test_ccs_prunes_the_hardest_and_draws_evenly_from_strata(pool, budget, prune, strata):
    made = pool_in_order(pool)
    found = select(made, "ccs", budget, params={"prune": prune, "strata": strata}, seed=4)
    # scores that agree up to rounding are ties, which equal rows of a pool full of them come in
    margin = np.round(made.dynamics.margin.double().numpy(), 12 if pool.epsilon < 1e-10 else 6)
    keys = torch.rand(made.size, generator=generator(4, "ccs:strata"), dtype=torch.float64).numpy()
    expected = slow_ccs(margin, budget, prune, strata, keys)
    assert set(found.indices.tolist()) == set().union(*expected)
    np.testing.assert_array_equal(found.scores.numpy(), made.dynamics.margin.numpy())


def test_a_prefix_of_ccs_has_the_strata_in_proportion():
    rng = np.random.default_rng(1)
    targets = torch.tensor(rng.integers(0, 3, 400))
    rows = torch.tensor(rng.normal(size=(400, 4))) + targets[:, None]
    pool = make_pool(rows, targets=targets, device="cpu").ordered
    found = select(pool, "ccs", 40, params={"strata": 4})
    margin = pool.dynamics.margin[found.indices]
    low, high = margin.min(), margin.max()
    first = ((margin[:20] - low) / (high - low) * 4).long().clamp(0, 3).bincount(minlength=4)
    assert first.tolist() == [5, 5, 5, 5]


def test_ccs_leaves_wrong_labels_out():
    rng = np.random.default_rng(2)
    true = rng.integers(0, 3, 300)
    rows = 4 * rng.normal(size=(3, 6))[true] + 0.5 * rng.normal(size=(300, 6))
    wrong = rng.permutation(300)[:30]
    given_labels = true.copy()
    given_labels[wrong] = (true[wrong] + 1) % 3
    found = select(torch.tensor(rows), "ccs", 60, targets=torch.tensor(given_labels), device="cpu").indices.tolist()
    everything = select(
        torch.tensor(rows), "ccs", 60, targets=torch.tensor(given_labels), params={"prune": 0.0}, device="cpu"
    ).indices.tolist()
    assert not set(found) & set(wrong.tolist())
    assert set(everything) & set(wrong.tolist())


# Facility location within classes


@every_pool
@pytest.mark.parametrize("budget", [2, 12])
def test_facility_location_within_classes_covers_every_class_by_its_own_rows(pool, budget):
    made = pool_in_order(pool)
    found = select(made, "facility_location", budget, params={"stratify": True})
    x, classes = unit(made.features.double().numpy()), made.targets.numpy()
    rounding = 2 * (16 + 2 * x.shape[1]) * (DOUBLE if "offset" in pool.name else pool.epsilon)
    covered = 0.0
    for rows, quota in quotas_of(classes, budget):
        similar = (1 + x[rows] @ x[rows].T) / 2
        picks = [int(np.flatnonzero(rows == row)[0]) for row in found.indices.tolist() if row in rows]
        assert len(picks) == quota

        def costs(before, similar=similar):
            return -np.maximum(similar, similar[:, before].max(axis=1, initial=0)[:, None]).sum(axis=0)

        assert_greedy(picks, costs, lambda before, similar=similar: rounding * len(similar))
        if quota:
            covered += quota / budget * similar[:, picks].max(axis=1).mean()
    assert found.objective["coverage"] == pytest.approx(covered, abs=rounding)


def test_facility_location_reads_labels_only_within_classes():
    gradient = GradientParams()
    assert not reads_labels("facility_location", {}, gradient)
    assert reads_labels("facility_location", {"stratify": True}, gradient)
    with pytest.raises(InputError, match="facility_location param stratify needs class labels"):
        select(torch.randn(10, 2), "facility_location", 3, params={"stratify": True}, device="cpu")


# All of them


@pytest.mark.parametrize("method", [*METHODS, "facility_location"])
@pytest.mark.parametrize("targets", [[0] * 8, [0, 1, 1, 1, 1, 1, 1, 1], list(range(8)), [0, 0, 5, 5, 5, 5, 9, 9]])
@pytest.mark.parametrize("budget", [1, 2, 8])
def test_one_class_a_class_of_one_and_fewer_points_than_classes(method, targets, budget):
    rows = torch.tensor(np.random.default_rng(0).normal(size=(8, 3)))
    params = {"stratify": True} if method == "facility_location" else {}
    found = select(rows, method, budget, targets=torch.tensor(targets), params=params, device="cpu").indices
    assert len(found.unique()) == budget


@pytest.mark.parametrize("method", ["moderate", "d2"])
def test_each_class_gets_its_share(method):
    rng = np.random.default_rng(5)
    targets = torch.tensor(np.repeat([0, 1, 2], [60, 30, 10]))
    found = select(torch.tensor(rng.normal(size=(100, 4))), method, 20, targets=targets, device="cpu").indices
    assert targets[found].bincount().tolist() == [12, 6, 2]


@pytest.mark.parametrize("method", METHODS)
def test_without_classes_they_say_what_is_missing(method):
    assert get_method(method).uses_labels
    for targets, task in ((torch.randn(10), Task.REGRESSION), (None, Task.UNLABELLED)):
        assert "needs class labels" in (get_method(method).missing(task) or "")
        with pytest.raises(InputError, match="needs class labels"):
            select(torch.randn(10, 2), method, 3, targets=targets, device="cpu")
