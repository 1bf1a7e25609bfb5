"""SkMM fit: how well a ridge fit of the chosen rows predicts the pool's targets, every fit made anew."""

import numpy as np
import pytest

from skmm_core.methods import Status, select
from tests.audit.cases import on
from tests.audit.definitions import one_hot, standardised, steps_behind, unit

_SCALINGS = ("none", "unit", "columns")


def prepared(case, scaling):
    """Scaled, centred rows of mean squared length 1 and a constant column; 256 directions keep all of these pools."""
    x = {"none": case.exact, "unit": unit(case.exact), "columns": standardised(case.exact, case.eps)}[scaling]
    x = x - x.mean(axis=0)
    return np.c_[x / np.sqrt((x**2).sum(axis=1).mean()), np.ones(len(x))]


class Fit:
    """Share of the targets' energy that a fit on some rows predicts; directions no row tells of cost `caution`."""

    def __init__(self, z, targets, alpha, scale_free, caution):
        self.z, self.y, self.alpha, self.scale_free, self.caution = z, targets, alpha, scale_free, caution
        self.energy = (targets**2).sum()

    def agreement(self, rows):
        a = self.z[rows]
        inverse = np.linalg.inv(a.T @ a + self.alpha * np.eye(self.z.shape[1]))
        predicted = self.z @ (inverse @ a.T @ self.y[rows])
        if self.scale_free:
            along, size = (predicted * self.y).sum(), (predicted**2).sum()
            return along * abs(along) / size / self.energy if size > 0 else 0.0
        untold = self.alpha * np.trace(self.z @ inverse @ self.z.T) / (self.z**2).sum()
        return 1 - ((self.y - predicted) ** 2).sum() / self.energy - self.caution * untold

    def gain(self, before):
        left = np.setdiff1d(np.arange(len(self.z)), before)
        gains = np.full(len(self.z), -np.inf)
        gains[left] = [self.agreement([*before, row]) for row in left]
        return gains


def rounding_of(case, z, alpha):
    """Rows are rounded after centring; updates of rank one lose the condition of ZᵀZ + αI."""
    x = case.exact
    shift = np.abs(x.mean(axis=0)).max() / np.sqrt(((x - x.mean(axis=0)) ** 2).sum(axis=1).mean())
    return 64 * case.eps * (1 + min(shift, 1.0) + 1 / alpha) * len(z) ** 0.5


def check(audit, case, fit, targets, params, rounding):
    method, n = "method skmm_fit", 6
    greedy = select(case.rows, "skmm_fit", n, targets=targets, params={**params, "exchanges": 0})
    picks = greedy.indices.numpy()
    audit.at_most(method, "agreement lost at a pick", steps_behind(picks, fit.gain), within=rounding)
    told = 1 - greedy.objective["greedy"]
    audit.same(method, "objective", told, fit.agreement(picks), within=rounding, scale=1.0)
    found = select(case.rows, "skmm_fit", n, targets=targets, params={**params, "exchanges": 50})
    picks, now = found.indices.numpy(), fit.agreement(found.indices.numpy())
    audit.same(method, "objective", 1 - found.objective["rounded"], now, within=rounding, scale=1.0)
    if found.status is not Status.CONVERGED:
        return
    others = np.setdiff1d(np.arange(len(fit.z)), picks)
    best = max(fit.agreement(np.r_[np.delete(picks, slot), row]) for slot in range(n) for row in others)
    audit.at_most(method, "gain of the best exchange left", best - now, within=rounding)


@on()
def test_fit_of_classes(case, audit):
    """Unit rows, α = 3, (⟨Y, F⟩/‖F‖)² of one-hot targets minus their means; every row and exchange tried."""
    z, y = prepared(case, "unit"), one_hot(case.classes.numpy())
    fit = Fit(z, y - y.mean(axis=0), 3.0, True, 0.0)
    check(audit, case, fit, case.classes, {}, rounding_of(case, z, 3.0) * np.sqrt(1 / max(z[:, :-1].std(), 1e-9)))


@on()
@pytest.mark.parametrize("scaling", _SCALINGS)
def test_fit_of_numbers(case, scaling, audit):
    """α = 0.03, squared error of standardised numbers and caution 0.3 on what no row tells of; all tried."""
    z, y = prepared(case, scaling), case.numbers.double().numpy()
    fit = Fit(z, ((y - y.mean()) / y.std())[:, None], 0.03, False, 0.3)
    check(audit, case, fit, case.numbers, {"scaling": scaling}, rounding_of(case, z, 0.03))


@on("plain", "offset 1e4", "units 1e-6", "units 1e6", "mixed units", "heavy tails")
def test_auto_takes_one_of_the_scalings(case, audit):
    """With auto the objective is that of one of the three scalings, computed anew."""
    found = select(case.rows, "skmm_fit", 8, targets=case.numbers)
    y = case.numbers.double().numpy()
    values = []
    for scaling in _SCALINGS:
        z = prepared(case, scaling)
        fit = Fit(z, ((y - y.mean()) / y.std())[:, None], 0.03, False, 0.3)
        values.append(abs(fit.agreement(found.indices.numpy()) - (1 - found.objective["rounded"])))
    rounding = rounding_of(case, z, 0.03)
    audit.at_most("method skmm_fit", "objective with scaling auto", min(values), within=rounding)
