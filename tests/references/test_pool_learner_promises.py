"""What learners that use the pool promise: no order, unit or other test row changes a prediction; odd pools; `auto`."""

import dataclasses

import numpy as np
import pytest
import torch

from skmm_core.data.task import Task
from skmm_core.errors import InputError
from skmm_core.probes import pool_learners, views
from skmm_core.probes.linear_probe import score_probe
from skmm_core.probes.pool_learners import score_learner
from skmm_core.probes.views import pool_view
from tests.references.test_pool_learners import blobs, curve, dataset, some

CLASSES, NUMBERS = ("prototype", "propagate", "auto"), ("kernel", "propagate", "auto")
MIXED = np.array([1e3, 1, 1e-3, 5, 0.1, 1, 40, 1])


def predicted(made, chosen, learner):
    return score_learner(made, chosen, learner).predicted


@pytest.mark.parametrize("learner", CLASSES + NUMBERS)
def test_rows_in_another_order_and_units_change_nothing(learner):
    for made, learners in ((blobs(apart=1.5), CLASSES), (curve(), NUMBERS)):
        if learner not in learners:
            continue
        chosen = some(made, 3)
        numbers = made.task is Task.REGRESSION
        expected = predicted(made, chosen, learner)
        order = torch.tensor(np.random.default_rng(2).permutation(120))
        place = torch.argsort(order)
        moved = torch.cat([order, torch.arange(120, 180)])
        other = dataset(made.features[moved], made.targets[moved], 120, numbers=numbers)
        close = {"rtol": 0, "atol": 1e-4 * float(np.ptp(expected)) if numbers else 0}
        np.testing.assert_allclose(predicted(other, place[chosen], learner), expected, **close)
        np.testing.assert_allclose(predicted(other, place[chosen].flip(0), learner), expected, **close)
        whole = dataset(64 * made.features + 512, made.targets, 120, numbers=numbers)
        np.testing.assert_allclose(predicted(whole, chosen, learner), expected, rtol=0, atol=close["atol"] + 1e-9)
        if not numbers:  # for numbers one scaling keeps the units of columns, on purpose
            d = made.features.shape[1]
            units = torch.tensor(2.0 ** np.arange(-d, d, 2)[:d], dtype=torch.float32)
            np.testing.assert_array_equal(
                predicted(dataset(made.features * units, made.targets, 120), chosen, learner), expected
            )


@pytest.mark.parametrize("learner", CLASSES + NUMBERS)
def test_no_test_row_changes_what_is_predicted_for_another(learner):
    for made, learners in ((blobs(apart=1.5), CLASSES), (curve(), NUMBERS)):
        if learner not in learners:
            continue
        chosen, kept = some(made, 3), torch.cat([torch.arange(120), torch.arange(120, 130)])
        fewer = dataset(made.features[kept], made.targets[kept], 120, numbers=made.task is Task.REGRESSION)
        far = made.features.clone()
        far[130:] = far[130:] * 50 - 300
        other = dataset(far, made.targets, 120, numbers=made.task is Task.REGRESSION)
        expected = predicted(made, chosen, learner)[:10]
        np.testing.assert_allclose(predicted(fewer, chosen, learner), expected, atol=1e-6)
        np.testing.assert_allclose(predicted(other, chosen, learner)[:10], expected, atol=1e-6)


@pytest.mark.parametrize("learner", CLASSES)
def test_one_class_and_one_row(learner):
    made = blobs()
    same = torch.tensor(np.flatnonzero(made.targets[:120].numpy() == 1)[:4])
    for chosen in (same, same[:1]):
        assert (predicted(made, chosen, learner) == 1).all()
    one_each = some(made, 1)
    assert score_learner(made, one_each, learner).metrics["accuracy"] > 0.6
    if learner == "auto":
        assert score_learner(made, one_each, learner).settled == "propagate"


@pytest.mark.parametrize("learner", NUMBERS)
def test_one_number_and_equal_numbers(learner):
    made = curve()
    one = predicted(made, torch.tensor([5]), learner)
    np.testing.assert_allclose(one, float(made.targets[5]))
    flat = dataset(made.features, torch.full((180,), 3.0), 120, numbers=True)
    np.testing.assert_allclose(predicted(flat, some(flat), learner), 3.0)


@pytest.mark.parametrize("learner", CLASSES + NUMBERS)
@pytest.mark.parametrize("pool", [2, 5, 11])
def test_pools_smaller_than_the_neighbourhood(learner, pool):
    for made, learners in ((blobs(pool, 20, classes=2), CLASSES), (curve(pool, 20), NUMBERS)):
        if learner in learners:
            found = predicted(made, torch.arange(pool), learner)
            assert np.isfinite(found).all()
            assert len(found) == 20


@pytest.mark.parametrize("learner", CLASSES)
def test_duplicates_zero_rows_and_constant_columns(learner):
    """Eleven copies and more have no reach; a pool row and a test row are smoothed alike where they are equal."""
    rng = np.random.default_rng(7)
    base = np.r_[np.zeros((1, 6)), rng.normal(size=(9, 6))]
    base[1:, 0] += np.where(np.arange(9) % 2, 4, -4)
    y = (base[:, 0] > 0).astype(int)
    x = np.c_[np.repeat(base, 15, axis=0), np.full(150, 3.0)]
    made = dataset(np.r_[x, x[::15]], np.r_[np.repeat(y, 15), y], 150)
    found = predicted(made, torch.arange(0, 150, 15), learner)
    np.testing.assert_array_equal(found[1:], y[1:])
    view = pool_view(made)
    np.testing.assert_allclose(view.smoothed_test, view.smoothed(np.arange(0, 150, 15)), atol=1e-6)
    numbers = dataset(made.features, made.targets, 150, numbers=True)
    for each in NUMBERS:
        assert predicted(numbers, torch.arange(0, 150, 15), each) == pytest.approx(y, abs=0.5)


def test_rows_without_near_ones_stay_what_they_are():
    """All that is near a row weighs 0: it is smoothed with nothing, and not moved towards the middle of the pool."""
    rng = np.random.default_rng(8)
    x = np.repeat(rng.normal(size=(8, 5)), 12, axis=0)
    alone = rng.normal(size=(2, 5))
    made = dataset(np.r_[x, alone[:1], alone[1:]], np.r_[np.repeat(np.arange(8) % 2, 12), 0, 1], 97)
    view = pool_view(made)
    scaled = made.scaler(made.features).numpy()
    np.testing.assert_allclose(view.smoothed(np.array([96])), scaled[96:97], atol=1e-9)
    np.testing.assert_allclose(view.smoothed_test, scaled[97:], atol=1e-9)
    np.testing.assert_allclose(view.smoothed(np.arange(96)), scaled[:96], atol=1e-5)


def test_views_are_made_once_a_pool_and_only_two_are_kept(monkeypatch):
    made = []
    original = views._make
    monkeypatch.setattr(views, "_make", lambda each: made.append(each.fingerprint) or original(each))
    a, b, c = (blobs(seed=seed) for seed in (31, 32, 33))
    first = pool_view(a)
    assert pool_view(a) is first
    assert pool_view(dataclasses.replace(a, name="the same rows")) is first
    pool_view(b)
    assert pool_view(a) is first
    pool_view(c)
    assert pool_view(a) is first, "the last used stays"
    pool_view(b)
    assert made == [each.fingerprint for each in (a, b, c, b)]


@pytest.mark.parametrize("seed", [0, 1])
def test_auto_settles_on_linear_where_the_graph_misleads(seed):
    """Half-spaces of a cloud without clusters: neighbours in 30 dimensions are of either class, a line is exact."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(1_200, 30))
    made = dataset(x, x @ rng.normal(size=30) > 0, 600)
    chosen = torch.arange(400)
    found, linear = score_learner(made, chosen, "auto"), score_probe(made, chosen)
    assert found.settled == "linear"
    np.testing.assert_array_equal(found.predicted, linear.predicted)
    assert linear.metrics["accuracy"] > score_learner(made, chosen, "propagate").metrics["accuracy"] + 0.02


def test_auto_settles_on_linear_for_a_linear_target_among_mixed_units():
    rng = np.random.default_rng(10)
    x = rng.normal(size=(400, 8)) * MIXED
    made = dataset(x, x / MIXED @ rng.normal(size=8) + 0.1 * rng.normal(size=400), 300, numbers=True)
    for step in (10, 5):
        found = score_learner(made, torch.arange(0, 300, step), "auto")
        assert found.settled == "linear"
        assert found.metrics["r2"] > 0.95
        assert found.metrics["r2"] > score_learner(made, torch.arange(0, 300, step), "propagate").metrics["r2"]


def test_auto_settles_on_propagation_where_classes_are_clusters():
    made = blobs(400, 200, classes=4, seed=11)
    found = score_learner(made, some(made, 5), "auto")
    assert found.settled == "propagate"
    np.testing.assert_array_equal(found.predicted, predicted(made, some(made, 5), "propagate"))


def test_what_cannot_be_learned_is_said():
    made = blobs()
    with pytest.raises(InputError, match="no points are chosen"):
        score_learner(made, torch.arange(0), "propagate")
    with pytest.raises(InputError, match="learner kernel does not fit a classification; choose linear, prototype"):
        score_learner(made, torch.arange(9), "kernel")
    with pytest.raises(InputError, match="learner prototype does not fit a regression; choose linear, kernel"):
        score_learner(curve(), torch.arange(9), "prototype")
    assert set(pool_learners._OF_CLASSES) == set(CLASSES)


def test_pools_of_many_columns_are_compared_by_a_random_projection() -> None:
    """Distances of 5,000 columns by 2,048 mixed ones: classes far apart stay far apart."""
    rng = np.random.default_rng(0)
    labels = np.arange(90) % 3
    rows = rng.normal(size=(90, 5_000)) + 0.5 * rng.normal(size=(3, 5_000))[labels]
    made = dataset(torch.tensor(rows, dtype=torch.float32), torch.tensor(labels), 60)
    view = pool_view(made)
    assert view.rows.shape == (60, 256)
    alike = view.rows @ view.rows.T
    same = made.targets[:60, None] == made.targets[None, :60]
    assert alike[same & ~torch.eye(60, dtype=torch.bool)].mean() > alike[~same].mean() + 0.1
    assert score_learner(made, torch.arange(6), "propagate").metrics["accuracy"] > 0.9
