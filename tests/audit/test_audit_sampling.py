"""Methods that draw at random: their scores from singular values, their chances by simulation."""

import numpy as np
import pytest
import torch

from skmm_core.methods import select
from skmm_core.pool import make_pool
from tests.audit.cases import on
from tests.audit.definitions import first_draws

_DRAWS = 1500


def counted(method, rows, n, **options):
    """How often each row is picked, over seeds."""
    counts = np.zeros(len(rows))
    for seed in range(_DRAWS):
        counts[select(rows, method, n, seed=seed, **options).indices.numpy()] += 1
    return counts


def small(size=7, d=3):
    return torch.tensor(np.random.default_rng(2).normal(size=(size, d)) * np.linspace(3, 0.5, d) + 0.5)


def test_uniform_takes_every_row_alike(audit):
    """1,500 seeds: every row, and every pair of rows, has the same chance."""
    draws, pairs = _DRAWS, np.zeros((7, 7))
    for seed in range(draws):
        picks = select(small(), "uniform", 3, seed=seed).indices.numpy()
        pairs[np.ix_(picks, picks)] += 1
    audit.chances("method uniform", "chance of a row", pairs.diagonal(), draws, np.full(7, 3 / 7))
    off = pairs[np.triu_indices(7, 1)]
    audit.chances("method uniform", "chance of a pair", off, draws, np.full(21, 3 * 2 / (7 * 6)))


def test_classes_get_their_share_and_rows_of_a_class_are_alike(audit):
    """Quotas by largest remainders, and 1,500 seeds for the chance of a row within its class."""
    targets = torch.tensor([0, 0, 0, 0, 1, 1, 2])
    counts = counted("uniform_stratified", small(), 3, targets=targets)
    # 3 · (4, 2, 1) / 7 = 1.71, 0.86, 0.43: two more points, to the first two
    quotas = np.array([2, 1, 0])
    audit.chances("method uniform_stratified", "chance of a row", counts, _DRAWS, (quotas / [4, 2, 1])[targets.numpy()])
    other = counted("uniform", small(), 3, targets=targets, params={"stratify": True})
    audit.chances("method uniform", "chance of a row, stratified", other, _DRAWS, (quotas / [4, 2, 1])[targets.numpy()])


@on()
@pytest.mark.parametrize("n", [1, 3, 60])
def test_leverage_scores(case, n, audit):
    """Squared row norms of the leading left singular vectors; ridge leverage with α from the tail of the spectrum."""
    left, singular, _ = np.linalg.svd(case.exact, full_matrices=False)
    rank = int((singular > max(case.rows.shape) * case.eps * singular[0]).sum())
    n = min(n, len(case.rows))
    k = min(n, rank)
    # a singular vector turns by the rounding of the second moment over the gap to the next eigenvalue
    energy = singular[:rank] ** 2
    gap = (energy[k - 1] - (energy[k] if k < rank else 0)) / energy[0]
    most = 8 * max(case.rows.shape) ** 0.5
    rounding = most * (case.eps + 2.3e-16 / gap)
    expected = (left[:, :k] ** 2).sum(axis=1)
    found = select(case.rows, "leverage", n).scores
    audit.same("method leverage", "scores", found, expected, within=rounding)
    audit.same("method leverage", "sum of the scores", found.double().sum(), k, within=rounding)
    alpha = energy[n:].sum() / n
    shrunk = left[:, :rank] ** 2 @ (energy / (energy + alpha))
    ridge = select(case.rows, "ridge_leverage", n).scores
    rounding = most * (case.eps + 2.3e-16 * energy[0] / energy[-1])
    audit.same("method ridge_leverage", "scores", ridge, shrunk, within=rounding)
    given = case.exact @ np.linalg.inv(case.exact.T @ case.exact + 0.5 * energy[0] * np.eye(case.exact.shape[1]))
    asked = select(case.rows, "ridge_leverage", n, params={"ridge": 0.5 * energy[0]}).scores
    audit.same(
        "method ridge_leverage", "scores, α given", asked, (given * case.exact).sum(axis=1), within=most * case.eps
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_leverage_and_influence_are_drawn_in_proportion(dtype, audit):
    """1,500 seeds of two draws without replacement in proportion to the scores, all orders tried."""
    rows, numbers = (small() + 1e3).to(dtype), torch.tensor([1.0, 3, 2, 8, -4, 0, 2])
    for method, options in (
        ("leverage", {"params": {"rank": 3}}),
        ("ridge_leverage", {"params": {"rank": 2}}),
        ("influence", {"targets": numbers}),
    ):
        scores = select(rows.double(), method, 2, **options).scores.numpy()
        counts = counted(method, rows, 2, **options)
        audit.chances(f"method {method}", "chance of a row", counts, _DRAWS, first_draws(scores, 2))


@on()
def test_influence_is_leverage_times_squared_residual(case, audit):
    """Leverage by singular vectors; residuals of ridge at the α with the least generalised cross-validation error."""
    x, y = case.exact, case.numbers.double().numpy()
    left, singular, _ = np.linalg.svd(x, full_matrices=False)
    kept = singular > max(x.shape) * case.eps * singular[0]
    left, singular = left[:, kept], singular[kept]
    wanted = y - y.mean()
    best, residual = np.inf, None
    for alpha in np.logspace(-14, 2, 49) * singular[0] ** 2:
        shrink = singular**2 / (singular**2 + alpha)
        rest = wanted - left @ (shrink * (left.T @ wanted))
        freedom = len(y) - 1 - shrink.sum()
        error = (rest**2).sum() / freedom**2
        if freedom > 1e-6 and error < best:
            best, residual = error, rest
    found = select(case.rows, "influence", 5, targets=case.numbers).scores
    expected = (left**2).sum(axis=1) * residual**2
    condition = singular[0] / singular[-1]
    rounding = 64 * max(x.shape) ** 0.5 * (case.eps + 2.3e-16 * condition**2)
    audit.same("method influence", "scores of numbers", found, expected, within=rounding)
    pool = make_pool(case.rows, targets=case.classes)
    found = select(pool, "influence", 5).scores
    misfit = (pool.warm_up.residuals.double().numpy() ** 2).sum(axis=1)
    audit.same("method influence", "scores of classes", found, (left**2).sum(axis=1) * misfit, within=rounding)


def test_adaptive_draws_by_what_is_not_expressed(audit):
    """1,500 seeds: the chance of every ordered pair is the squared norm, then the squared residual after projection."""
    for rows in (small(), small().float(), small(5, 9).float()):
        x = rows.double().numpy()
        size = len(x)
        counts, energy = np.zeros((size, size)), (x**2).sum(axis=1)
        chances = np.zeros((size, size))
        for first in range(size):
            residual = energy - (x @ x[first]) ** 2 / energy[first]
            residual[first] = 0
            chances[first] = energy[first] / energy.sum() * residual / residual.sum()
        for seed in range(_DRAWS):
            counts[tuple(select(rows, "adaptive", 2, seed=seed).indices.tolist())] += 1
        audit.chances("method adaptive", "chance of an ordered pair", counts, _DRAWS, chances)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=lambda dtype: str(dtype).removeprefix("torch."))
@pytest.mark.parametrize("faint", [1e-2, 1e-3, 1e-4])
def test_adaptive_sees_a_faint_direction(dtype, faint, audit):
    """1,500 seeds: the third pick follows what is left of a column far below the others, all ordered pairs tried."""
    rows = torch.tensor(np.random.default_rng(8).normal(size=(6, 3)) * [1, 1, faint]).to(dtype)
    x, draws = rows.double().numpy(), _DRAWS
    chances, energy = np.zeros(6), (x**2).sum(axis=1)
    for first in range(6):
        residual = energy - (x @ x[first]) ** 2 / energy[first]
        residual[first] = 0
        for second in np.flatnonzero(residual):
            pair = np.linalg.svd(x[[first, second]], full_matrices=False)[2]
            left = ((x - x @ pair.T @ pair) ** 2).sum(axis=1)
            left[[first, second]] = 0
            chances += energy[first] / energy.sum() * residual[second] / residual.sum() * left / left.sum()
    thirds = [int(select(rows, "adaptive", 3, seed=seed).indices[2]) for seed in range(draws)]
    counts = np.bincount(thirds, minlength=6)
    audit.chances("method adaptive", "chance of the third row, faint column", counts, draws, chances)


@on()
def test_adaptive_takes_what_the_chosen_cannot_express(case, audit):
    """While a residual is left, the rows picked are linearly independent."""
    singular = np.linalg.svd(case.exact, compute_uv=False)
    rank = int((singular > max(case.exact.shape) * 8 * case.eps * singular[0]).sum())
    picks = select(case.rows, "adaptive", min(rank, 8), seed=1).indices.numpy()
    assert len(set(picks.tolist())) == len(picks)
    values = np.linalg.svd(case.exact[picks], compute_uv=False)
    lost = float((values <= case.eps * values[0]).sum())
    audit.at_most("method adaptive", "picks that the others express", lost, within=0.5, unit="rows")
