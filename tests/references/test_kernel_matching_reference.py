"""Joint and direct kernel matching against plain NumPy, written from the definition with the whole kernel matrix."""

import numpy as np
import pytest
import torch

from skmm_core.config import SketchParams
from skmm_core.errors import InputError
from skmm_core.methods.registry import select
from skmm_core.methods.stratify import class_quotas, interleaved
from skmm_core.pool.making import make_pool
from skmm_core.solvers import kernels
from skmm_core.solvers.kernels import CosineSimilarity, PolynomialKernel, gaussian_kernel, labelled_kernel, unit_rows
from skmm_core.solvers.mean_embedding import kernel_mean
from skmm_core.solvers.mmd import exchange_mmd, greedy_mmd, order_by_prefix, squared_mmd


def rows(n=40, d=5, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)) * np.linspace(2, 0.5, d) + 0.3


def brute_greedy(gram, mean, budget):
    """Smallest MMD after each pick, over every candidate; ties to the lower row."""
    picks = []
    for _ in range(budget):
        outside = [i for i in range(len(gram)) if i not in picks]
        values = []
        for i in outside:
            trial = [*picks, i]
            values.append(gram[np.ix_(trial, trial)].mean() - 2 * mean[trial].mean())
        best = min(values)
        picks.append(next(i for i, value in zip(outside, values, strict=True) if value <= best + 1e-12 * abs(best)))
    return picks


def brute_mmd(gram, picks):
    chosen = np.zeros(len(gram))
    chosen[picks] = 1 / len(picks)
    return (chosen - 1 / len(gram)) @ gram @ (chosen - 1 / len(gram))


def gaussian_gram(x, bandwidth):
    return np.exp(-((x[:, None] - x[None]) ** 2).sum(-1) / (2 * bandwidth))


def polynomial_gram(x):
    return (1 + x @ x.T / x.shape[1]) ** 2


def unit_mean_square(x):
    return x / np.sqrt((x**2).mean())


def test_kernels_equal_their_definitions():
    x = rows()
    x[3] = 0
    tensor = torch.tensor(x)
    every = torch.arange(len(x))
    unit = np.divide(x, np.linalg.norm(x, axis=1, keepdims=True), where=x.any(1, keepdims=True), out=np.zeros_like(x))
    gaussian = gaussian_kernel(tensor, normalise=True, scale=0.5, seed=0)
    assert np.allclose(gaussian.columns(every), gaussian_gram(unit, gaussian.bandwidth))
    polynomial = PolynomialKernel(tensor)
    assert np.allclose(polynomial.columns(every), polynomial_gram(x))
    assert np.allclose(polynomial.diagonal, np.diag(polynomial_gram(x)))
    assert np.allclose(polynomial.mean(), polynomial_gram(x).mean(axis=1))
    cosine = CosineSimilarity(unit_rows(tensor))
    assert np.allclose(cosine.columns(every), (1 + unit @ unit.T) / 2)
    assert np.allclose(cosine.diagonal, np.diag((1 + unit @ unit.T) / 2))
    few = torch.tensor([7, 3, 11])
    for kernel in (gaussian, polynomial, cosine):
        assert np.allclose(kernel.columns(every[:4], among=few), kernel.columns(every)[few][:, :4])


def test_kept_columns_are_those_computed_one_by_one_and_pick_the_same_rows(monkeypatch):
    x = torch.tensor(rows(300, 6))
    found = {}
    for limit in (0, kernels._KEPT_ROWS):
        monkeypatch.setattr(kernels, "_KEPT_ROWS", limit)
        kernel = gaussian_kernel(x, normalise=True, scale=0.1, seed=0)
        asked = torch.tensor([[7], [299], [0]])
        columns = torch.cat([kernel.columns(one) for one in asked], dim=1)
        few = kernel.columns(asked[:, 0], among=torch.arange(0, 300, 7))
        mean = kernel_mean(kernel, torch.ones(300), seed=0)
        picks, _ = exchange_mmd(kernel, mean, greedy_mmd(kernel, mean, 40), sweeps=5)
        assert ("_kept" in vars(kernel)) == (limit > 0)
        found[limit > 0] = columns, few, order_by_prefix(kernel, mean, picks)
    (columns, few, order), (alone, alone_few, alone_order) = found[True], found[False]
    # centred unit rows are at most 2 long: each squared distance errs by at most 16 (d + 4) ε, k by that over 2 h²
    bound = 2 * 16 * (6 + 4) * torch.finfo(torch.float64).eps / (2 * kernel.bandwidth)
    torch.testing.assert_close(columns, alone, rtol=0, atol=bound)
    torch.testing.assert_close(few, alone_few, rtol=0, atol=bound)
    assert order.tolist() == alone_order.tolist()
    kernel.columns(asked[0]).zero_()  # a caller may change what it gets
    assert torch.equal(kernel.columns(asked[0]), columns[:, :1])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_columns_of_more_than_2048_rows_are_not_kept(dtype):
    for count, kept in ((2048, True), (2049, False)):
        kernel = gaussian_kernel(torch.tensor(rows(count, 2), dtype=dtype), normalise=False, scale=1.0, seed=0)
        assert kernel.columns(torch.tensor([3, 1])).shape == (count, 2)
        held = vars(kernel).get("_kept", torch.empty(0))
        assert (held.nbytes > 0) == kept
        assert held.nbytes <= 32 * 2**20


def test_the_label_kernel_is_class_equality_or_a_gaussian_on_standardised_targets():
    x, y = rows(), np.random.default_rng(1).normal(size=40) * 7 + 3
    inputs = gaussian_kernel(torch.tensor(x), normalise=False, scale=1.0, seed=0)
    every = torch.arange(40)
    gram = np.asarray(inputs.columns(every))
    classes = torch.arange(40) % 3
    same = (classes[:, None] == classes[None]).numpy()
    assert np.allclose(labelled_kernel(inputs, classes, bandwidth=1).columns(every), gram * same)
    standard = (y - y.mean()) / y.std()
    kappa = np.exp(-((standard[:, None] - standard[None]) ** 2) / (2 * 0.5))
    assert np.allclose(labelled_kernel(inputs, torch.tensor(y), bandwidth=0.5).columns(every), gram * kappa)
    constant = labelled_kernel(inputs, torch.full((40,), 2.0), bandwidth=0.5)
    assert np.allclose(constant.columns(every), gram)


@pytest.mark.parametrize("budget", [1, 2, 9, 40])
@pytest.mark.parametrize("make", [rows, lambda: np.repeat(rows(10, 3), 4, axis=0), lambda: np.round(rows(40, 2))])
def test_direct_picks_are_the_brute_force_ones(make, budget):
    x = make()
    found = select(torch.tensor(x), "skmm_direct", budget, params={"exchanges": 0}, sketch=SketchParams(kind="none"))
    gram = polynomial_gram(unit_mean_square(x))
    greedy = brute_greedy(gram, gram.mean(axis=1), budget)
    assert sorted(found.indices.tolist()) == sorted(greedy)
    assert found.objective["greedy"] == pytest.approx(brute_mmd(gram, greedy), abs=1e-9 * gram.mean())


def test_direct_matches_the_mean_and_the_whole_second_moment():
    """The MMD of the kernel is the distance of the moments: 2‖Δmean‖²/m + ‖Δsecond moment‖²/m²."""
    x = rows(60, 4)
    found = select(torch.tensor(x), "skmm_direct", 12, sketch=SketchParams(kind="none"))
    x = unit_mean_square(x)
    chosen = x[found.indices.numpy()]
    first = chosen.mean(axis=0) - x.mean(axis=0)
    second = chosen.T @ chosen / 12 - x.T @ x / 60
    assert found.objective["rounded"] == pytest.approx(2 * (first**2).sum() / 4 + (second**2).sum() / 16, rel=1e-8)
    assert found.objective["rounded"] <= found.objective["greedy"]


@pytest.mark.parametrize("targets", [torch.arange(40) % 3, torch.linspace(-3, 5, 40).double() ** 2])
@pytest.mark.parametrize("budget", [1, 2, 9, 40])
def test_joint_picks_are_the_brute_force_ones(targets, budget):
    x = rows()
    found = select(torch.tensor(x), "skmm_joint", budget, targets=targets, params={"exchanges": 0, "normalise": False})
    gram = gaussian_gram(x, gaussian_kernel(torch.tensor(x), normalise=False, scale=0.1, seed=0).bandwidth)
    y = targets.numpy()
    standard = (y - y.mean()) / y.std()
    smooth = np.exp(-((standard[:, None] - standard[None]) ** 2) / 2)
    gram *= smooth if targets.is_floating_point() else y[:, None] == y[None]
    assert sorted(found.indices.tolist()) == sorted(brute_greedy(gram, gram.mean(axis=1), budget))


def test_joint_with_a_wide_kernel_fills_classes_in_proportion():
    targets = torch.tensor([0] * 60 + [1] * 30 + [2] * 10)
    x = torch.tensor(rows(100, 6))
    chosen = select(x, "skmm_joint", 20, targets=targets, params={"scale": 100.0}).indices
    assert np.bincount(targets[chosen]).tolist() == [12, 6, 2]


def test_exchanges_end_where_no_single_exchange_helps():
    x = rows(30, 3)
    kernel = PolynomialKernel(torch.tensor(x))
    gram = polynomial_gram(x)
    mean = kernel.mean()
    picks = greedy_mmd(kernel, mean, 6)
    better, converged = exchange_mmd(kernel, mean, picks, sweeps=50)
    assert converged
    best = brute_mmd(gram, better.tolist())
    assert best <= brute_mmd(gram, picks.tolist())
    assert squared_mmd(kernel, mean, better, float(mean.mean())) == pytest.approx(best, abs=1e-9)
    for slot in range(6):
        for new in set(range(30)) - set(better.tolist()):
            trial = better.clone()
            trial[slot] = new
            assert brute_mmd(gram, trial.tolist()) >= best - 1e-4 * gram.mean()


def test_the_mean_of_any_kernel_is_exact_on_small_pools():
    kernel = PolynomialKernel(torch.tensor(rows()))
    importance = torch.linspace(1, 3, 40, dtype=torch.float64)
    expected = polynomial_gram(rows()) @ importance.numpy() / importance.sum().item()
    assert np.allclose(kernel_mean(kernel, importance, seed=0), expected)


@pytest.mark.parametrize(
    ("sizes", "budget", "quotas"),
    [
        ([10, 10, 10], 4, [2, 1, 1]),
        ([50, 30, 20], 7, [4, 2, 1]),
        ([97, 1, 1, 1], 10, [10, 0, 0, 0]),
        ([1, 1, 1], 3, [1, 1, 1]),
        ([5], 5, [5]),
    ],
)
def test_quotas_are_the_largest_remainders(sizes, budget, quotas):
    assert class_quotas(sizes, budget) == quotas


def test_interleaving_deals_out_evenly():
    assert interleaved([2, 1]).tolist() == [0, 2, 1]
    assert interleaved([3, 3]).tolist() == [0, 3, 1, 4, 2, 5]


def test_the_stratified_kernel_is_the_kernel_within_every_class():
    x, targets = torch.tensor(rows(60, 40)), torch.tensor([0] * 31 + [1] * 28 + [3])
    pool = make_pool(x, targets=targets, sketch=SketchParams(dim=8), seed=2, device="cpu")
    chosen = select(pool, "skmm_kernel", 20, params={"stratify": True}, seed=2).indices
    assert np.bincount(targets[chosen], minlength=4).tolist() == [11, 9, 0, 0]
    first = pool.subset(torch.arange(31))
    assert torch.equal(first.sketched, pool.sketched[:31])
    alone = select(first, "skmm_kernel", int((chosen < 31).sum()), seed=2).indices
    assert chosen[chosen < 31].tolist() == alone.tolist()


@pytest.mark.parametrize("targets", [None, torch.linspace(0, 1, 30)])
def test_stratifying_without_classes_is_refused_in_a_line(targets):
    with pytest.raises(InputError, match="stratify needs class labels"):
        select(torch.tensor(rows(30, 3)), "skmm_kernel", 5, targets=targets, params={"stratify": True})


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-30, 1e-6, 1e-4, 1e6, 1e17])
def test_direct_picks_and_objectives_do_not_depend_on_the_unit(scale, dtype):
    """Without a unit of its own, the kernel's constant drowns small rows and vanishes beside large ones."""
    x = rows(80, 6).astype(np.float32)
    scale = 2.0 ** round(np.log2(scale))  # a power of two changes no digit of the rows
    found = select((x * scale).astype(dtype), "skmm_direct", 20, device="cpu")
    plain = select(x.astype(np.float64), "skmm_direct", 20, device="cpu")
    assert found.indices.tolist() == plain.indices.tolist()
    assert found.objective == pytest.approx(plain.objective, rel=1e-9)


def test_direct_takes_any_rows_that_float64_holds():
    plain = select(rows(n=12), "skmm_direct", 5, device="cpu")
    for scale in (2.0**-500, 2.0**500):
        assert select(rows(n=12) * scale, "skmm_direct", 5, device="cpu").indices.tolist() == plain.indices.tolist()


def test_direct_reports_the_objective_of_float32_rows_far_from_the_origin():
    x = (np.random.default_rng(0).normal(size=(300, 10)) + 1e3).astype(np.float32)
    found = select(x, "skmm_direct", 20, sketch=SketchParams(kind="none"), device="cpu")
    wide = unit_mean_square(x.astype(np.float64))
    chosen = wide[found.indices.numpy()]
    first = chosen.mean(axis=0) - wide.mean(axis=0)
    second = chosen.T @ chosen / 20 - wide.T @ wide / 300
    expected = 2 * (first**2).sum() / 10 + (second**2).sum() / 100
    assert expected > 0
    # entries of both moments are near 1 and off by some 300 ε, the differences are near 1e-4
    assert found.objective["rounded"] == pytest.approx(expected, rel=1e-8)
    uniform = [np.random.default_rng(seed).choice(300, 20, replace=False) for seed in range(20)]
    gram = polynomial_gram(wide)
    assert expected < min(brute_mmd(gram, list(picks)) for picks in uniform)
