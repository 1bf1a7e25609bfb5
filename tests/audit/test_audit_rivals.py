"""Generalised coverage, balls, medoids and gradient embeddings: every pick on the definition in float64."""

import numpy as np
import torch

from skmm_core.methods import select
from skmm_core.pool import make_pool
from tests.audit.cases import on
from tests.audit.definitions import squared_distances, standardised, steps_behind, unit


def coverage_gain(kernel, weights):
    def gain(before):
        covered = kernel[:, before].max(axis=1, initial=0.0)
        return (weights[:, None] * np.maximum(kernel - covered[:, None], 0)).sum(axis=0)

    return gain


@on()
def test_max_herding(case, audit):
    """mean_i max_{j∈S} exp(-‖x_i - x_j‖²) on unit rows with every candidate added, and the reported coverage."""
    kernel = np.exp(-squared_distances(unit(case.exact), unit(case.exact)))
    found = select(case.rows, "max_herding", 10)
    picks, rounding = found.indices.numpy(), 64 * case.eps
    slip = steps_behind(picks, coverage_gain(kernel, np.ones(len(kernel)))) / len(kernel)
    audit.at_most("method max_herding", "gain lost at a pick", slip, within=rounding)
    value = kernel[:, picks].max(axis=1).mean()
    audit.same("method max_herding", "objective", found.objective["coverage"], value, within=rounding)
    audit.same("method max_herding", "scores", found.scores, kernel.mean(axis=0), within=rounding)


@on()
def test_u_herding(case, audit):
    """The same times 1 - (p₁ - p₂) of the head at the temperature, with σ the least distance of warm-up rows."""
    pool = make_pool(case.rows, targets=case.classes)
    found = select(pool, "u_herding", 10)
    x, head = unit(case.exact), pool.warm_up
    near = np.sqrt(squared_distances(x[head.rows], x[head.rows]))
    spread = np.linalg.norm(x - np.median(x, axis=0), axis=1).max()
    sigma = near[near > 2e-6 * spread].min()
    audit.same("method u_herding", "radius", found.objective["sigma"], sigma, within=64 * case.eps / sigma)
    logits = head.logits.double().numpy() / found.objective["temperature"]
    p = np.sort(np.exp(logits - logits.max(axis=1, keepdims=True)), axis=1)
    p /= p.sum(axis=1, keepdims=True)
    kernel = np.exp(-squared_distances(x, x) / found.objective["sigma"] ** 2)
    weights = 1 - (p[:, -1] - p[:, -2])
    rounding = 64 * case.eps / min(1.0, sigma**2)
    slip = steps_behind(found.indices.numpy(), coverage_gain(kernel, weights)) / len(x)
    audit.at_most("method u_herding", "gain lost at a pick", slip, within=rounding)
    value = (weights * kernel[:, found.indices.numpy()].max(axis=1)).mean()
    audit.same("method u_herding", "objective", found.objective["coverage"], value, within=rounding, scale=1.0)


@on()
def test_probcover(case, audit):
    """Rows nearer than δ that no chosen row has, with every candidate added; at δ, 95 % of the balls are pure."""
    x = unit(case.exact)
    distances = np.sqrt(squared_distances(x, x))
    found = select(case.rows, "probcover", 8)
    delta = found.objective["delta"]
    doubt = np.abs(distances**2 - delta**2) <= 128 * case.eps  # pairs that rounding may put on either side
    held = (distances < delta) & ~doubt | np.eye(len(x), dtype=bool)

    def gain(before):
        covered = held[before].any(axis=0)
        added = (held & ~covered).sum(axis=1).astype(float)
        return np.zeros(len(x)) if covered.all() else added

    slip = steps_behind(found.indices.numpy(), gain)
    doubtful = 2 * int((doubt & ~np.eye(len(x), dtype=bool)).sum(axis=1).max())
    audit.at_most("method probcover", "rows lost at a pick", slip, within=doubtful + 0.5, unit="rows")


def test_medoids_are_the_rows_nearest_to_the_middles(audit):
    """Blobs of known rows, so that k-means has one answer: the row nearest to the mean, largest blob first."""
    rng = np.random.default_rng(3)
    blobs = np.repeat(np.arange(5), [60, 45, 38, 30, 25])
    for scale in (1.0, 1e-6, 1e6):
        for dtype in (torch.float32, torch.float64):
            x = scale * (10 * np.eye(8)[blobs] + 0.4 * rng.normal(size=(len(blobs), 8)))
            rows = torch.tensor(x).to(dtype)
            exact, expected = unit(rows.double().numpy()), []
            for blob in range(5):
                own = exact[blobs == blob]
                nearest = ((own - own.mean(axis=0)) ** 2).sum(axis=1).argmin()
                expected.append(int(np.flatnonzero(blobs == blob)[nearest]))
            found = select(rows, "kmeans_medoids", 5).indices.tolist()
            wrong = float(sum(a != b for a, b in zip(found, expected, strict=True)))
            audit.at_most("method kmeans_medoids", "picks other than the nearest", wrong, within=0.5, unit="rows")


def test_chances_of_badge(audit):
    """3,000 seeds: pairs of first picks, one by one 1/N, then in proportion to ‖g - g'‖² of gradients written out."""
    rng = np.random.default_rng(0)
    y = np.arange(12) % 2
    pool = make_pool(torch.tensor(rng.normal(size=(12, 3)) + y[:, None]), targets=torch.tensor(y))
    p = torch.softmax(pool.warm_up.logits, dim=1).numpy()
    errors = p - (p == p.max(axis=1, keepdims=True))
    g = (errors[:, :, None] * standardised(pool.features.numpy(), 2.3e-16)[:, None]).reshape(12, -1)
    apart = squared_distances(g, g)
    counts = np.zeros((12, 12))
    for seed in range(3000):
        counts[tuple(select(pool, "badge", 2, seed=seed).indices.tolist())] += 1
    audit.chances("method badge", "chance of two picks", counts, 3000, apart / apart.sum(axis=1, keepdims=True) / 12)
