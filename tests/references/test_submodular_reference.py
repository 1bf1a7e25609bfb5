"""Facility location and graph cut against plain greedy in NumPy on the whole similarity matrix."""

import itertools

import numpy as np
import pytest
import torch

from skmm_core.data.load import load_dataset
from skmm_core.methods import submodular
from skmm_core.methods.registry import select
from skmm_core.methods.submodular import facility_location
from skmm_core.pool.content_order import content_order
from skmm_core.probes.linear_probe import score_probe
from skmm_core.solvers import facility_location as cover
from skmm_core.solvers.kernels import CosineSimilarity, unit_rows


def rows(n=40, d=5, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)) * np.linspace(2, 0.5, d) + 0.3


def similarity(x):
    norms = np.linalg.norm(x, axis=1, keepdims=True)
    unit = x / np.where(norms > 0, norms, 1)
    return (1 + unit @ unit.T) / 2


def coverage(s, picks):
    return s[:, picks].max(axis=1).mean()


def cut(s, picks, redundancy):
    return (s[:, picks].sum() - redundancy * s[np.ix_(picks, picks)].sum()) / len(s)


def greedy(value, size, budget):
    picks = []
    for _ in range(budget):
        outside = [i for i in range(size) if i not in picks]
        values = [value([*picks, i]) for i in outside]
        best = max(values)
        picks.append(next(i for i, v in zip(outside, values, strict=True) if v >= best - 1e-12 * max(1, abs(best))))
    return picks


def in_order(x):
    """In the order that methods see, where ties go to the lower row."""
    return x[content_order(torch.tensor(x)).numpy()]


POOLS = [
    in_order(rows()), in_order(np.repeat(rows(10, 3), 4, axis=0)), in_order(np.c_[rows(40, 3), np.full(40, 7.0)]),
    in_order(np.r_[np.zeros((30, 4)), rows(10, 4)]), np.zeros((12, 3)), np.ones((12, 3)),
]  # fmt: skip
NAMES = ["normal", "duplicates", "a constant column", "mostly zero rows", "only zeros", "all equal"]
pools = pytest.mark.parametrize("x", POOLS, ids=NAMES)


@pools
@pytest.mark.parametrize("budget", [1, 2, 9, 12])
def test_facility_location_is_plain_greedy(x, budget):
    s = similarity(x)
    found = select(torch.tensor(x), "facility_location", budget)
    expected = greedy(lambda picks: coverage(s, picks), len(x), budget)
    assert found.indices.tolist() == expected
    assert found.objective["coverage"] == pytest.approx(coverage(s, expected), abs=1e-12)
    assert np.allclose(found.scores, s.mean(axis=0))


@pools
@pytest.mark.parametrize("redundancy", [None, 0.5, 1.0, 20.0])
@pytest.mark.parametrize("budget", [1, 2, 9, 12])
def test_graph_cut_is_plain_greedy(x, budget, redundancy):
    s = similarity(x)
    found = select(torch.tensor(x), "graph_cut", budget, params={"redundancy": redundancy})
    redundancy = len(x) / (2 * budget) if redundancy is None else redundancy
    expected = greedy(lambda picks: cut(s, picks, redundancy), len(x), budget)
    assert found.indices.tolist() == expected
    assert found.objective["cut"] == pytest.approx(cut(s, expected, redundancy), abs=1e-9)


def test_facility_location_is_within_its_guarantee():
    x = rows(12, 3)
    s = similarity(x)
    best = max(coverage(s, list(picks)) for picks in itertools.combinations(range(12), 3))
    assert select(torch.tensor(x), "facility_location", 3).objective["coverage"] >= (1 - 1 / np.e) * best


@pytest.mark.parametrize("elements", [1, 50, 10**6])
def test_lazy_looks_do_not_depend_on_the_blocks(monkeypatch, elements):
    whole = select(torch.tensor(rows(90, 4)), "facility_location", 20).indices
    monkeypatch.setattr(cover, "_BLOCK_ELEMENTS", elements)
    monkeypatch.setattr(cover, "_UPDATE_ELEMENTS", elements)
    monkeypatch.setattr(cover, "_LOOK", 1 + elements % 7)
    assert torch.equal(select(torch.tensor(rows(90, 4)), "facility_location", 20).indices, whole)


def test_large_pools_are_covered_through_reference_rows(monkeypatch):
    """Mean of R values in 0..1: a standard error of at most 1/(2√R), for each of the two estimates compared."""
    monkeypatch.setattr(submodular, "REFERENCE_LIMIT", 400)
    x = rows(1000, 6)
    s = similarity(x)
    found = select(torch.tensor(x), "facility_location", 15)
    assert torch.equal(found.indices, select(torch.tensor(x), "facility_location", 15, seed=5).indices)
    exact = coverage(s, greedy(lambda picks: coverage(s, picks), 1000, 15))
    assert coverage(s, found.indices.numpy()) >= exact - 2 * 5 / (2 * 400**0.5)


def test_the_reference_alone_decides():
    x = rows(60, 4)
    reference = torch.arange(0, 60, 3)
    found = facility_location(CosineSimilarity(unit_rows(torch.tensor(x))), 8, reference=reference)
    s = similarity(x)[::3]
    assert found.indices.tolist() == greedy(lambda picks: coverage(s, picks), 60, 8)


def test_a_fixed_small_price_of_redundancy_crowds_around_the_mean() -> None:
    """With λ = 1 the picks say little of the classes of digits; with N/(2n) they say as much as random ones."""
    dataset = load_dataset("digits")

    def above_chance(method: str, **params: float) -> float:
        picks = select(dataset, method, 50, params=params).indices
        return score_probe(dataset, picks).metrics["accuracy"] - 0.1

    random = above_chance("uniform")
    assert above_chance("graph_cut", redundancy=1.0) < 0.6 * random
    assert above_chance("graph_cut") > 0.8 * random
