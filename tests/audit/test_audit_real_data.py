"""The same comparisons on features of photographs and a table of houses; skipped where they are not kept."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from skmm_core.diagnostics import diagnose
from skmm_core.methods import select
from skmm_core.pool import make_pool
from tests.audit.definitions import eigenbasis, gradients, one_hot, squared_distances, steps_behind, unit

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data"
FOLDER = Path(os.environ.get("SKMM_REAL_DATA", _BESIDE))
_SETS = ("flowers5_mobilenetv2q_train", "stanfordcars196_mobilenetv2q_train", "california_housing")


def real(name, size=600):
    """The first rows, in float32, and their targets."""
    file = FOLDER / f"{name}.npz"
    if not file.is_file():
        pytest.skip(f"{file.name} is not here; set SKMM_REAL_DATA to its folder")
    with np.load(file, allow_pickle=False) as kept:
        x, y = kept["X"], kept["y"]
    rows = np.flatnonzero(np.isfinite(x).all(axis=1))[:size]
    return x[rows].astype(np.float32), y[rows]


@pytest.mark.parametrize("name", _SETS)
def test_leverage_and_ridge_leverage_of_real_features(name, audit):
    """Singular vectors in float64 of the rows as they are kept, in float32."""
    x, _ = real(name)
    left, singular, _ = np.linalg.svd(x.astype(np.float64), full_matrices=False)
    # numbers rounded to float32 are off by half a unit; what those errors together may make is no direction (Weyl)
    made = max(1.2e-7 / 2 * np.linalg.norm(singular), max(x.shape) * 2.3e-16 * singular[0])
    k = min(40, int((singular > made).sum()))
    gap = (singular[k - 1] ** 2 - (singular[k] ** 2 if k < len(singular) else 0)) / singular[0] ** 2
    rounding = 8 * max(x.shape) ** 0.5 * (1.2e-7 + 2.3e-16 / max(gap, 1e-9))
    found = select(torch.tensor(x), "leverage", 40)
    audit.same(
        "method leverage", "scores, real features", found.scores, (left[:, :k] ** 2).sum(axis=1), within=rounding
    )
    if len(singular) > 40:
        energy = singular**2
        expected = left**2 @ (energy / (energy + energy[40:].sum() / 40))
        found = select(torch.tensor(x), "ridge_leverage", 40)
        audit.same("method ridge_leverage", "scores, real features", found.scores, expected, within=rounding)


@pytest.mark.parametrize("name", _SETS)
def test_greedy_methods_on_real_features(name, audit):
    """Each of 30 picks of facility location, k-center and herding against all others."""
    x, _ = real(name)
    exact, rows = x.astype(np.float64), torch.tensor(x)
    similar = (1 + unit(exact) @ unit(exact).T) / 2
    centred = exact - exact.mean(axis=0)
    size, rounding = (centred**2).sum(axis=1).max(), 64 * 1.2e-7 * x.shape[1] ** 0.5

    def coverage(before):
        covered = similar[:, before].max(axis=1, initial=0.0)
        return np.maximum(similar, covered[:, None]).sum(axis=0)

    def nearness(before):
        total = centred[before].sum(axis=0)
        return -((total + centred) ** 2).sum(axis=1) / (len(before) + 1)

    norms = (centred**2).sum(axis=1)
    distances = norms[:, None] + norms - 2 * centred @ centred.T
    checks = {
        "facility_location": (coverage, 0, len(x)),
        "k_center": (lambda before: distances[:, before].min(axis=1), 1, size),
        "herding": (nearness, 0, size),
    }
    for method, (gain, start, scale) in checks.items():
        picks = select(rows, method, 30).indices.numpy()
        audit.at_most(
            f"method {method}",
            "lost at a pick, real features",
            steps_behind(picks, gain, start) / scale,
            within=rounding,
        )


@pytest.mark.parametrize("name", _SETS)
def test_diagnostics_of_real_features(name, audit):
    """Moments in the sketch, curve over the rank and coverage of 40 points, from their definitions in float64."""
    x, y = real(name)
    if y.dtype.kind == "i":
        classes = np.unique(y, return_inverse=True)[1]
        targets = torch.tensor(classes)
        assert one_hot(classes).sum() == len(y)
    else:
        targets = torch.tensor(y.astype(np.float32))
    pool, exact = make_pool(torch.tensor(x), targets=targets), x.astype(np.float64)
    rows = np.random.default_rng(0).permutation(len(x))[:40]
    told = diagnose(pool, torch.tensor(rows))
    basis = eigenbasis(gradients(pool, exact), 1.2e-7)
    sums = basis.coordinates[rows].T @ basis.coordinates[rows] / 40
    gap = np.linalg.norm(sums - np.diag(basis.values)) / np.linalg.norm(basis.values)
    audit.same("diagnostics moment_error", "real features", told.moment_error, gap, within=1e-4)
    moment = exact.T @ exact / len(exact)
    _, singular, right = np.linalg.svd(exact[rows], full_matrices=False)
    k = len(told.ranks)
    bias = 1 - np.cumsum(np.einsum("ki,ij,kj->k", right[:k], moment, right[:k], optimize=True)) / np.trace(moment)
    audit.same("diagnostics bias_curve", "real features", told.bias_curve, bias.clip(0, 1), within=1e-5, scale=1.0)
    seen = np.einsum("ki,ij,kj->k", right[:k], moment, right[:k], optimize=True) / singular[:k] ** 2
    audit.same("diagnostics variance_curve", "real features", told.variance_curve, np.cumsum(seen), within=1e-5)
    nearest = np.sqrt(squared_distances(exact, exact[rows]).min(axis=1))
    audit.same("diagnostics coverage_radius", "real features", told.coverage_radius, nearest.max(), within=1e-5)
