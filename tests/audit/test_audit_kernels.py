"""Methods that match the mean of a kernel: objective, greedy steps, exchanges, and the kernel itself."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from scipy.optimize import brentq

from skmm_core.methods import Status, select
from skmm_core.pool import make_pool
from tests.audit.cases import Array, on
from tests.audit.definitions import eigenbasis, gradients, sketch_rounding, squared_distances, steps_behind, unit

_MEDIAN_DRAWS = 20_000


@dataclass(frozen=True)
class Aim:
    """A kernel over all rows and the mean that a selection is to have."""

    kernel: Array
    mean: Array
    constant: float

    def mmd(self, picks):
        within = self.kernel[np.ix_(picks, picks)].mean()
        return float(self.constant - 2 * self.mean[picks].mean() + within)

    def gain(self, before):
        """Minus the squared MMD after each row is added, times the number of points squared."""
        t = len(before) + 1
        total = self.kernel[:, before].sum(axis=1)
        return 2 * t * self.mean - 2 * total - self.kernel.diagonal()


def aim(kernel, importance):
    shares = importance / importance.sum()
    mean = kernel @ shares
    return Aim(kernel, mean, float(shares @ mean))


def squared_bandwidth(distances, told, importance, label_kernel, scale):
    """h² for which the mean of the kernel is the one told, and how far the median of distances may be off.

    The product takes the median over 20,000 random pairs, or over all of them; five standard deviations of the rank.
    """
    off = np.triu_indices(len(distances), 1)
    reach = 5 * 0.5 / np.sqrt(_MEDIAN_DRAWS)
    low, high = scale * np.quantile(distances[off], [0.5 - reach, 0.5 + reach])
    shares = importance / importance.sum()

    def gap(log_h):
        return float((np.exp(-distances / (2 * np.exp(log_h))) * label_kernel @ shares).sum() - told.sum())

    return float(np.exp(brentq(gap, np.log(low / 100), np.log(high * 100), xtol=1e-14))), low, high


def check(audit, method, case, pool, made, n, rounding, targets=None, params=None):
    """Greedy steps without exchanges, then that no exchange of the finished selection improves it."""
    steps = select(pool, method, n, params={**(params or {}), "exchanges": 0})
    picks = steps.indices.numpy()
    size = max(made.constant, float(made.kernel.diagonal().max()))
    slip = steps_behind(picks, made.gain) / (n * size)
    audit.at_most(f"method {method}", "gain lost at a pick", slip, within=rounding)
    found = select(pool, method, n, params={**(params or {}), "exchanges": 100})
    assert found.status is Status.CONVERGED
    picks = found.indices.numpy()
    told = found.objective["rounded"]
    audit.same(f"method {method}", "objective", told, made.mmd(picks), within=rounding, scale=size)
    others = np.setdiff1d(np.arange(len(case.rows)), picks)
    best = min(made.mmd(np.r_[np.delete(picks, slot), row]) for slot in range(n) for row in others)
    audit.at_most(
        f"method {method}", "gain of the best exchange left", (made.mmd(picks) - best) / size, within=rounding
    )

    def gain(before):
        gains = made.gain(before)
        gains[others] = -np.inf
        return gains

    audit.at_most(
        f"method {method}", "order: gain lost at a pick", steps_behind(picks, gain) / (n * size), within=rounding
    )


def gaussian(audit, method, case, distances, params, scale, importance=None, labels=None, rounding=0.0):
    importance = np.ones(len(case.rows)) if importance is None else importance
    label_kernel = np.ones_like(distances) if labels is None else labels
    pool = make_pool(case.rows, targets=case.targets) if hasattr(case, "targets") else make_pool(case.rows)
    told = select(pool, method, 6, params=params).scores.double().numpy()
    h, low, high = squared_bandwidth(distances, told, importance, label_kernel, scale)
    audit.at_most(f"method {method}", "bandwidth: outside the median's reach", max(low / h, h / high) - 1, within=1e-3)
    made = aim(np.exp(-distances / (2 * h)) * label_kernel, importance)
    audit.same(f"method {method}", "mean of the kernel", told, made.mean, within=rounding)
    check(audit, method, case, pool, made, 6, rounding, params=params)


def kernel_rounding(case, rows):
    """Rows are rounded where they lie, distances are taken after centring; in 1/h² the error counts ten times."""
    size = np.abs(rows).max() / max(rows.std(), 1e-300)
    return 40 * case.eps * max(1.0, size) * rows.shape[1] ** 0.5


@on()
@pytest.mark.parametrize("keep_rare", [False, True])
def test_kernel_matching(case, keep_rare, audit):
    """Gaussian kernel of unit rows from pairwise differences; h² from the kernel's own mean, near the exact median."""
    rows = unit(case.exact)
    importance = np.ones(len(rows))
    pool, rounding = make_pool(case.rows), kernel_rounding(case, rows)
    if keep_rare:
        basis = eigenbasis(gradients(pool, case.exact), case.eps)
        leverage = (basis.coordinates**2 / basis.values).sum(axis=1)
        importance = np.maximum(1, leverage / (2 * leverage.mean()))
        rounding += sketch_rounding(case, basis)
    params = {"keep_rare": keep_rare}
    gaussian(audit, "skmm_kernel", case, squared_distances(rows, rows), params, 0.1, importance, rounding=rounding)


@on()
def test_joint_matching_of_classes_and_numbers(case, audit):
    """The kernel of the rows times 1[same class], or a Gaussian of standardised numbers."""
    rows = unit(case.exact)
    distances = squared_distances(rows, rows)
    y = case.numbers.double().numpy()
    z = (y - y.mean()) / y.std()
    classes = case.classes.numpy()
    for targets, labels in (
        (case.classes, (classes[:, None] == classes).astype(float)),
        (case.numbers, np.exp(-((z[:, None] - z) ** 2) / 2)),
    ):
        labelled = _Labelled(case.rows, targets, case.eps)
        rounding = kernel_rounding(case, rows)
        gaussian(audit, "skmm_joint", labelled, distances, {}, 0.1, labels=labels, rounding=rounding)


@dataclass(frozen=True)
class _Labelled:
    rows: torch.Tensor
    targets: torch.Tensor
    eps: float


@on()
def test_whitened_matching(case, audit):
    """Principal directions by the singular values of centred rows, scaled by (λ + 0.1 mean λ)^-0.15, unit length."""
    centred = case.exact - case.exact.mean(axis=0)
    energy, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
    energy = energy.clip(0)
    rows = unit(centred @ vectors * (energy + 0.1 * energy.mean()) ** -0.15)
    rounding = kernel_rounding(case, case.exact)
    gaussian(audit, "skmm_whitened", case, squared_distances(rows, rows), {}, 0.05, rounding=rounding)


@on()
def test_direct_matching(case, audit):
    """(1 + z·z'/m)² of the sketched rows over the root mean square of their entries; its mean over all pairs."""
    pool = make_pool(case.rows)
    rows = gradients(pool, case.exact)
    rows = rows / np.sqrt((rows**2).mean())
    made = aim((1 + rows @ rows.T / rows.shape[1]) ** 2, np.ones(len(rows)))
    rounding = 16 * rows.shape[1] * max(case.eps, 2.3e-16)
    check(audit, "skmm_direct", case, pool, made, 6, rounding)
