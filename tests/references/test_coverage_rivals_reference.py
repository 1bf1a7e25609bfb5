"""MaxHerding, UHerding and ProbCover against plain greedy in NumPy on whole matrices."""

import numpy as np
import pytest
import torch

from skmm_core.data.include_exclude import make_given
from skmm_core.methods import submodular
from skmm_core.methods.ball_cover import cover_by_balls, pure_radius
from skmm_core.methods.clusters import k_means
from skmm_core.methods.generalised_coverage import best_temperature, calibration_error, herd, least_distance
from skmm_core.methods.registry import select
from skmm_core.pool.making import make_pool
from skmm_core.solvers import facility_location
from skmm_core.solvers.kernels import unit_rows
from tests.references.pools import NamedPool, assert_greedy, every_pool, unit

DOUBLE = float(np.finfo(np.float64).eps)
SINGLE = float(np.finfo(np.float32).eps)


def normal(size=60, dims=5, seed=0):
    return np.random.default_rng(seed).normal(size=(size, dims))


def squared(x):
    return ((x[:, None] - x) ** 2).sum(axis=2)


def uncovered_gain(kernel, weights):
    def costs(before):
        covered = kernel[:, before].max(axis=1, initial=0)
        return -(weights[:, None] * np.maximum(kernel - covered[:, None], 0)).sum(axis=0)

    return costs


@every_pool
@pytest.mark.parametrize("sigma", [1.0, 0.3])
def test_max_herding(pool: NamedPool, sigma):
    kernel = np.exp(-squared(unit(pool.exact)) / sigma**2)
    found = select(pool.tensor, "max_herding", 12, params={"sigma": sigma}, device="cpu")
    assert_greedy(
        found.indices.tolist(),
        uncovered_gain(kernel, np.ones(len(kernel))),
        lambda before: 64 * DOUBLE * len(kernel) / sigma**2,
    )
    coverage = kernel[:, found.indices.numpy()].max(axis=1).mean()
    assert found.objective["coverage"] == pytest.approx(coverage, abs=1e-12 / sigma**2)
    np.testing.assert_allclose(found.scores, kernel.mean(axis=0), atol=1e-12 / sigma**2)


def test_the_scale_of_max_herding_is_the_authors():
    """exp(-‖x - y‖²/σ²), not half of it, σ = 1: opposite rows have exp(-4), rows at a right angle exp(-2)."""
    x = np.array([[1.0, 0], [-3, 0], [0, 5]])
    found = select(torch.tensor(x), "max_herding", 1)
    assert found.objective["coverage"] == pytest.approx((1 + 2 * np.exp(-2)) / 3)
    assert found.indices.tolist() == [2]


@pytest.mark.parametrize("elements", [1, 700, 10**6])
def test_large_float32_pools_are_herded_in_blocks(monkeypatch, elements):
    """More rows than have their kernel kept: columns are computed, in float32, blocks as small as one column."""
    monkeypatch.setattr(facility_location, "_BLOCK_ELEMENTS", elements)
    monkeypatch.setattr("skmm_core.solvers.kernels._KEPT_ROWS", 0)
    x = unit(normal(150, 6))
    weights = np.random.default_rng(1).uniform(size=50)
    found = herd(
        torch.tensor(x, dtype=torch.float32),
        20,
        sigma=0.5,
        reference=torch.arange(0, 150, 3),
        weights=torch.tensor(weights),
    )
    kernel = np.exp(-squared(x) / 0.5**2)[::3]
    costs = uncovered_gain(kernel, weights)
    assert_greedy(found.indices.tolist(), costs, lambda before: 64 * SINGLE * 50 / 0.5**2)


def test_rows_in_by_hand_cover_and_rows_kept_out_stay_out():
    x = normal(80, 4)
    kernel = np.exp(-squared(unit(x)))
    pool = make_pool(torch.tensor(x)).ordered
    kernel = np.exp(-squared(unit(pool.features.numpy())))
    free = select(pool, "max_herding", 12).indices.tolist()
    found = select(pool, "max_herding", 12, include=free[5:7], exclude=free[:2]).indices.tolist()
    assert found[:2] == free[5:7]
    gain = uncovered_gain(kernel, np.ones(80))

    def costs(before):
        out = gain(before)
        out[free[:2]] = np.inf
        return out

    assert_greedy(found, costs, lambda before: 1e-12, start=2)


def test_pools_above_the_limit_are_covered_through_reference_rows(monkeypatch):
    monkeypatch.setattr(submodular, "REFERENCE_LIMIT", 400)
    x = normal(1000, 6)
    kernel = np.exp(-squared(unit(x)))
    some = select(torch.tensor(x), "max_herding", 15)
    assert torch.equal(some.indices, select(torch.tensor(x), "max_herding", 15, seed=5).indices)
    monkeypatch.setattr(submodular, "REFERENCE_LIMIT", 1000)
    whole = select(torch.tensor(x), "max_herding", 15)
    reached = [kernel[:, found.indices.numpy()].max(axis=1).mean() for found in (some, whole)]
    # means of values in 0..1 over 400 rows: a standard error of at most 1/(2√400) for each of two estimates
    assert reached[0] >= reached[1] - 2 * 5 / (2 * 400**0.5)


def plain_calibration_error(logits, labels):
    """Equal bins of confidence, open below and closed above, as many as classes."""
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    confidence, right = p.max(axis=1), p.argmax(axis=1) == labels
    bins = p.shape[1]
    error = 0.0
    for b in range(bins):
        inside = (confidence > b / bins) & (confidence <= (b + 1) / bins)
        if inside.any():
            error += inside.mean() * abs(confidence[inside].mean() - right[inside].mean())
    return error


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_the_temperature_is_the_best_calibrated(classes):
    rng = np.random.default_rng(classes)
    logits, labels = 6 * rng.normal(size=(70, classes)), rng.integers(0, classes, 70)
    errors = [plain_calibration_error(logits / t, labels) for t in np.arange(1, 20, 0.1)]
    assert len(errors) == 190
    assert calibration_error(torch.tensor(logits), torch.tensor(labels)) == pytest.approx(errors[0], abs=1e-12)
    assert best_temperature(torch.tensor(logits), torch.tensor(labels)) == pytest.approx(
        np.arange(1, 20, 0.1)[int(np.argmin(errors))]
    )


def test_least_distance_passes_over_duplicates():
    x = np.repeat(normal(40, 4), 2, axis=0)
    expected = np.sqrt(squared(x[::2])[~np.eye(40, dtype=bool)].min())
    assert least_distance(torch.tensor(x)) == pytest.approx(expected)
    assert least_distance(torch.tensor(x + 1e4) - 1e4) == pytest.approx(expected, rel=1e-6)
    assert least_distance(torch.tensor(1e-9 * x)) == pytest.approx(1e-9 * expected)
    assert least_distance(torch.ones(5, 3)) == 0


@every_pool
def test_u_herding(pool: NamedPool):
    """Greedy on coverage of rows by the margin of the head, at the temperature and the radius that it settled on."""
    made = make_pool(pool.tensor, targets=pool.classes, device="cpu").ordered
    found = select(made, "u_herding", 10)
    x = unit(made.features.double().numpy())
    head = made.warm_up
    near = np.sqrt(squared(x[head.rows.numpy()]))
    assert found.objective["sigma"] == pytest.approx(near[near > 1e-9].min(), rel=1e-4)
    kernel = np.exp(-squared(x) / found.objective["sigma"] ** 2)
    p = torch.softmax(head.logits / found.objective["temperature"], dim=1).sort(dim=1).values.numpy()
    uncertainty = 1 - (p[:, -1] - p[:, -2])
    rounding = 256 * DOUBLE * len(x) / found.objective["sigma"] ** 2
    assert_greedy(found.indices.tolist(), uncovered_gain(kernel, uncertainty), lambda before: rounding)
    coverage = (uncertainty * kernel[:, found.indices.numpy()].max(axis=1)).mean()
    assert found.objective["coverage"] == pytest.approx(coverage, abs=max(1e-9, rounding))


def test_u_herding_of_one_class_is_max_herding():
    x = torch.tensor(normal(50, 4))
    one = select(x, "u_herding", 8, targets=torch.zeros(50, dtype=torch.int64), params={"sigma": 1.0})
    assert one.indices.tolist() == select(x, "max_herding", 8).indices.tolist()


def purity(distances, clusters, delta):
    alike = clusters[:, None] == clusters
    return np.mean([(alike[i] | (distances[i] >= delta)).all() for i in range(len(clusters))])


@every_pool
@pytest.mark.parametrize("wanted", [0.95, 0.5, 1.0])
def test_the_radius_is_the_largest_that_is_pure(pool: NamedPool, wanted):
    rows = unit_rows(pool.tensor.double())
    clusters = k_means(rows, 4, 0, "probcover:clusters")
    found = pure_radius(rows, clusters, wanted, reference=torch.arange(len(rows)))
    distances = np.sqrt(squared(unit(pool.exact)))
    slack = 1e-6 * (1e-4 if "offset" in pool.name else 1)
    assert purity(distances, clusters.numpy(), found - slack) >= wanted - 1e-9
    larger = distances[distances > found + slack]
    if found < 2 and len(larger):
        assert purity(distances, clusters.numpy(), larger.min()) < wanted


def plain_cover(distances, delta, budget, start=(), closed=()):
    """Ball by ball; when no row adds any, all rows count as uncovered again."""
    held = (distances < delta) | np.eye(len(distances), dtype=bool)
    covered, picks = np.zeros(len(held), dtype=bool), []
    for t in range(budget):
        open_rows = [i for i in range(len(held)) if i not in picks and i not in closed and i not in start]
        if t < len(start):
            pick = start[t]
        else:
            if covered.all() or not max((held[i] & ~covered).sum() for i in open_rows):
                covered[:] = False
            gains = [(held[i] & ~covered).sum() for i in open_rows]
            pick = open_rows[int(np.argmax(gains))]
        picks.append(pick)
        covered |= held[pick]
    return picks


@every_pool
@pytest.mark.parametrize("delta", [0.2, 0.7, 1.5])
def test_balls_cover_as_plain_greedy_does(pool: NamedPool, delta):
    x = unit(pool.exact)
    distances = np.sqrt(squared(x))
    gap = np.abs(distances - delta).min()
    assert gap > 1e-5, "no distance lies on the radius, so that none is in doubt"
    found = cover_by_balls(torch.tensor(x), 13, delta=delta, reference=torch.arange(len(x)))
    assert found.indices.tolist() == plain_cover(distances, delta, 13)
    single = cover_by_balls(torch.tensor(x).float(), 13, delta=delta, reference=torch.arange(len(x)))
    assert single.indices.tolist() == found.indices.tolist()
    held = distances < delta
    np.testing.assert_allclose(found.scores, held.mean(axis=0))
    assert found.objective["coverage"] == pytest.approx(held[:, found.indices].any(axis=1).mean())


@pytest.mark.parametrize("elements", [1, 130, 10**6])
def test_balls_with_decisions_by_hand_in_blocks(monkeypatch, elements):
    monkeypatch.setattr("skmm_core.methods.ball_cover._BLOCK_ELEMENTS", elements)
    x = unit(normal(64, 5))
    distances = np.sqrt(squared(x))
    first = plain_cover(distances, 0.6, 10)
    start, closed = first[3:5], first[:2]
    given = make_given(torch.tensor(start), torch.tensor(closed), 64)
    found = cover_by_balls(torch.tensor(x), 40, delta=0.6, reference=torch.arange(64), given=given)
    assert found.indices.tolist() == plain_cover(distances, 0.6, 40, start, closed)


def test_one_ball_that_holds_all_still_gives_distinct_rows():
    found = cover_by_balls(torch.zeros(6, 2), 6, delta=2.0, reference=torch.arange(6))
    assert sorted(found.indices.tolist()) == list(range(6))


def test_probcover_takes_its_radius_from_its_clusters():
    pool = make_pool(torch.tensor(normal(90, 4))).ordered
    rows = unit_rows(pool.features)
    clusters = k_means(rows, 10, 3, "probcover:clusters")
    delta = pure_radius(rows, clusters, 0.95, reference=torch.arange(90))
    found = select(pool, "probcover", 9, seed=3)
    assert found.objective["delta"] == pytest.approx(delta)
    distances = np.sqrt(squared(rows.numpy()))
    assert found.indices.tolist() == plain_cover(distances, delta - 1e-9, 9)
