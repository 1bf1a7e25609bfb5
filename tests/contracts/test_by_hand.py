"""Points that a person includes or excludes: how single methods choose the rest, and what is refused."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from scipy.optimize import minimize

from skmm_core.config import SketchParams
from skmm_core.errors import InputError
from skmm_core.methods.geometric import herding, k_center
from skmm_core.methods.kernel_matching import rarity
from skmm_core.methods.moment_matching import SkmmParams
from skmm_core.methods.registry import select
from skmm_core.methods.stratify import class_quotas
from skmm_core.pool.making import make_pool
from skmm_core.solvers.kernels import gaussian_kernel
from skmm_core.solvers.mean_embedding import kernel_mean

SIZE = 60
IN, OUT = (41, 3, 17), (0, 5, 9, 22, 58)


def rows(dims: int = 7, seed: int = 0) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    return torch.tensor(rng.normal(size=(SIZE, dims)) * np.linspace(2, 0.5, dims) + 0.3, dtype=torch.float32)


@pytest.mark.parametrize("key", ["skmm", "skmm_kernel", "uniform"])
def test_within_classes_too(key: str) -> None:
    labels = torch.arange(SIZE) % 3
    params = {"stratify": True}
    found = select(rows(), key, 12, params=params, targets=labels, include=IN, exclude=OUT, device="cpu")
    assert found.indices[:3].tolist() == list(IN)
    assert not set(found.indices.tolist()) & set(OUT)
    assert labels[found.indices].bincount().tolist() == [4, 4, 4]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"include": (60,)}, r"include names row 60, but the pool has the rows 0\.\.59"),
        ({"exclude": (-1,)}, "exclude names row -1"),
        ({"include": (4, 4)}, "include names a row twice"),
        ({"include": (4,), "exclude": (4,)}, "row 4 is to be both included and excluded"),
        ({"include": tuple(range(11))}, "budget 10 is below the 11 points to include; raise the budget"),
        ({"exclude": tuple(range(51))}, "budget 10 is above the 9 points that are not excluded; lower the budget"),
    ],
)
def test_impossible_decisions_are_refused_with_what_to_do(options: dict[str, tuple[int, ...]], words: str) -> None:
    with pytest.raises(InputError, match=words):
        select(rows(), "uniform", 10, device="cpu", **options)


def test_a_method_that_knows_nothing_of_it_picks_from_the_pool_without_these_points(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from dataclasses import replace

    from skmm_core.methods import registry

    plain = replace(registry.get_method("k_center"), goes_on=False)
    monkeypatch.setattr(registry, "get_method", lambda key: plain)
    found = select(rows(), "k_center", 9, include=IN, exclude=OUT, device="cpu")
    left = [row for row in range(SIZE) if row not in (*IN, *OUT)]
    alone = select(rows()[left], "k_center", 6, device="cpu")
    assert found.indices.tolist() == [*IN, *(left[i] for i in alone.indices.tolist())]


def test_herding_balances_what_is_in_already() -> None:
    x = rows().double()
    pool = make_pool(x, device="cpu").decide(torch.tensor(IN), torch.tensor(OUT))
    picks = list(IN)
    while len(picks) < 9:
        free = [row for row in range(SIZE) if row not in picks and row not in OUT]
        picks.append(min(free, key=lambda row: float((x.mean(0) - x[[*picks, row]].mean(0)).norm())))
    assert herding(x, 9, given=pool.given).tolist() == picks


def test_k_center_covers_what_the_included_points_leave_uncovered() -> None:
    x = rows().double()
    pool = make_pool(x, device="cpu").decide(torch.tensor(IN), torch.tensor(OUT))
    picks = list(IN)
    while len(picks) < 9:
        nearest = torch.cdist(x, x[picks]).amin(dim=1)
        nearest[[*picks, *OUT]] = -1
        picks.append(int(nearest.argmax()))
    assert k_center(x, 9, first=IN[0], given=pool.given).tolist() == picks


def test_kernel_matching_goes_on_greedily_from_the_included_points() -> None:
    x = rows().double()
    pool = make_pool(x, device="cpu")
    found = select(pool, "skmm_kernel", 9, params={"exchanges": 0}, include=IN, exclude=OUT)
    kernel = gaussian_kernel(x, normalise=True, scale=0.1, seed=0)
    mean = kernel_mean(kernel, rarity(pool.moments.leverage), seed=0)
    gram = kernel.columns(torch.arange(SIZE))
    picks = list(IN)
    while len(picks) < 9:
        free = [row for row in range(SIZE) if row not in picks and row not in OUT]

        def mmd(row: int) -> float:
            chosen = [*picks, row]
            return float(gram[chosen][:, chosen].mean() - 2 * mean[chosen].mean())

        picks.append(min(free, key=mmd))
    assert set(found.indices.tolist()) == set(picks)


@pytest.mark.parametrize("key", ["skmm_kernel", "skmm_direct"])
def test_exchanges_lower_the_discrepancy_and_keep_the_included_points(key: str) -> None:
    greedy = select(rows(), key, 9, params={"exchanges": 0}, include=IN, exclude=OUT, device="cpu")
    better = select(rows(), key, 9, params={"exchanges": 50}, include=IN, exclude=OUT, device="cpu")
    assert better.objective["rounded"] <= greedy.objective["rounded"]
    assert better.indices[:3].tolist() == list(IN)


def test_the_relaxation_is_the_best_with_the_included_points_at_full_weight() -> None:
    """Against a general solver on all N weights, those decided by hand held at 1/n and 0."""
    budget, c_s = 8, 0.9
    pool = make_pool(rows(4), sketch=SketchParams(kind="none"), device="cpu")
    params = {"c_s": c_s, "tol": 1e-9}
    found = select(pool, "skmm", budget, params=params, include=IN, exclude=OUT)
    squares = pool.moments.coordinates.double().square().numpy()
    values = pool.moments.eigenvalues.numpy()

    def short(s: np.ndarray) -> np.ndarray:
        return np.maximum(0, 1 / c_s - squares.T @ s / values)

    limits = [
        (1 / budget, 1 / budget) if i in IN else (0.0, 0.0) if i in OUT else (0.0, 1 / budget) for i in range(SIZE)
    ]
    start = np.array([low if low == high else (1 - 3 / budget) / (SIZE - 8) for low, high in limits])
    best = minimize(
        lambda s: (short(s) ** 2).sum(),
        start,
        jac=lambda s: -2 * squares @ (short(s) / values),
        bounds=limits,
        constraints={"type": "eq", "fun": lambda s: s.sum() - 1, "jac": np.ones_like},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert found.objective["relaxed"] == pytest.approx(best.fun, abs=1e-6)
    weights = found.scores.double().numpy()
    assert weights.sum() == pytest.approx(1)
    assert (short(weights) ** 2).sum() == pytest.approx(found.objective["relaxed"], abs=1e-9)
    assert np.allclose(weights[list(IN)], 1 / budget)
    assert not weights[list(OUT)].any()


def test_the_smallest_c_s_with_decisions_is_certified_by_its_weights() -> None:
    pool = make_pool(rows(4), sketch=SketchParams(kind="none"), device="cpu")
    found = select(pool, "skmm", 8, params={"c_s": "auto"}, include=IN, exclude=OUT)
    low, high = found.objective["c_s_lower"], found.objective["c_s"]
    assert low <= high <= low * 1.01
    feasible = select(pool, "skmm", 8, params=SkmmParams(c_s=min(1.0, high * 1.001)), include=IN, exclude=OUT)
    assert feasible.objective["relaxed"] <= 1e-5
    if low * 0.98 <= 1:
        tight = select(pool, "skmm", 8, params=SkmmParams(c_s=low * 0.95), include=IN, exclude=OUT)
        assert tight.objective["relaxed"] > 0


@settings(deadline=None)
@given(data=st.data())
def test_quotas_keep_their_bounds_and_add_up(data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(1, 20), min_size=1, max_size=6))
    least = [data.draw(st.integers(0, size)) for size in sizes]
    most = [data.draw(st.integers(low, size)) for low, size in zip(least, sizes, strict=True)]
    if not sum(most):
        return
    budget = data.draw(st.integers(max(1, sum(least)), sum(most)))
    quotas = class_quotas(sizes, budget, least=least, most=most)
    assert sum(quotas) == budget
    assert all(low <= quota <= high for low, quota, high in zip(least, quotas, most, strict=True))
