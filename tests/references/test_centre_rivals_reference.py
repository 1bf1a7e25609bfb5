"""ActiveFT, k-means medoids and DropQuery against plain versions in NumPy."""

import numpy as np
import pytest
import torch

from skmm_core.data.include_exclude import make_given
from skmm_core.device import generator
from skmm_core.methods.clusters import k_means
from skmm_core.methods.continuous_subset import move_centres, nearest_rows
from skmm_core.methods.medoids import changed_predictions, doubtful_rows, medoids
from skmm_core.methods.registry import select
from skmm_core.pool.making import make_pool
from skmm_core.solvers.kernels import unit_rows
from tests.references.pools import NamedPool, every_pool, unit


def normal(size=60, dims=5, seed=0):
    return np.random.default_rng(seed).normal(size=(size, dims))


def plain_active_ft(f, theta, fixed, tau, steps, rate):
    """Loss and its slope written out, and Adam with its usual constants, in float64."""
    first, second, losses = np.zeros_like(theta), np.zeros_like(theta), []
    for step in range(steps + 1):
        length = np.linalg.norm(theta, axis=1, keepdims=True)
        c = np.r_[fixed, theta / length]
        owner = (f @ c.T).argmax(axis=1)
        total = np.exp(c @ c.T / tau).sum(axis=0)
        near = np.exp((f * c[owner]).sum(axis=1) / tau)
        losses.append(-np.log(near / (near + total[owner])).mean())
        share = total[owner] / (near + total[owner])
        slope = np.zeros_like(c)
        for i, k in enumerate(owner):
            # d log Z_k / d c_k, the other ends of the products held still
            push = (np.exp(c @ c[k] / tau) / total[k]) @ c
            slope[k] += share[i] * (push - f[i]) / tau / len(f)
        slope = slope[len(fixed) :]
        own = c[len(fixed) :]
        slope = (slope - (slope * own).sum(axis=1, keepdims=True) * own) / length
        first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2
        if step < steps:
            steady = first / (1 - 0.9 ** (step + 1)), second / (1 - 0.999 ** (step + 1))
            theta = theta - rate * steady[0] / (np.sqrt(steady[1]) + 1e-8)
    return np.r_[fixed, theta / np.linalg.norm(theta, axis=1, keepdims=True)], losses


@pytest.mark.parametrize("elements", [1, 90, 10**6])
@pytest.mark.parametrize("held", [0, 2])
def test_centres_move_as_written_out(monkeypatch, elements, held):
    monkeypatch.setattr("skmm_core.methods.continuous_subset._BLOCK_ELEMENTS", elements)
    f = unit(normal(40, 4))
    options = {"temperature": 0.07, "iterations": 25, "rate": 0.01}
    centres, losses = move_centres(torch.tensor(f), torch.tensor(f[5:12]), fixed=torch.tensor(f[:held]), **options)
    expected, lost = plain_active_ft(f, f[5:12], f[:held], 0.07, 25, 0.01)
    np.testing.assert_allclose(centres, expected, atol=1e-8)
    np.testing.assert_allclose(losses, lost, rtol=1e-9)
    assert losses[-1] < losses[0]


@every_pool
def test_active_ft(pool: NamedPool):
    """Published constants; the rows nearest to the centres, those of more rows first."""
    made = make_pool(pool.tensor, device="cpu").ordered
    found = select(made, "active_ft", 6, seed=2, params={"iterations": 40})
    f = unit_rows(made.features.double()).numpy()
    first = torch.randperm(len(f), generator=generator(2, "active_ft:first"))[:6].numpy()
    if len(np.unique(f[first], axis=0)) < 6:
        assert found.trace["loss"][-1] < found.trace["loss"][0]
        return  # of two centres that start as one, the last digit decides which moves
    centres, losses = plain_active_ft(f, f[first], f[:0], 0.07, 40, 0.001)
    assert found.objective["loss"] == pytest.approx(losses[-1], rel=1e-6)
    if "offset" in pool.name or "duplicates" in pool.name:
        return  # where many rows are as near, the last digit decides which centre is nearest
    sizes = np.bincount((f @ centres.T).argmax(axis=1), minlength=6)
    taken = []
    for k in np.argsort(-sizes, kind="stable"):
        near = f @ centres[k]
        near[taken] = -np.inf
        taken.append(int(near.argmax()))
    cosines = (f[taken] * f[found.indices.numpy()]).sum(axis=1)
    lengths = np.linalg.norm(f[taken], axis=1)
    np.testing.assert_allclose(cosines, lengths, atol=1e-9, err_msg="rows of another direction")


def test_the_published_constants_are_the_defaults():
    x = torch.tensor(normal(50, 4))
    published = {"temperature": 0.07, "iterations": 300, "rate": 0.001}
    assert select(x, "active_ft", 5).params == published
    assert select(x, "active_ft", 5).trace["loss"].shape == (301,)


def test_nearest_rows_are_distinct_and_honour_decisions_by_hand():
    f = unit(normal(30, 3))
    rows = torch.tensor(np.repeat(f, 2, axis=0))
    given = make_given(torch.tensor([7]), torch.tensor([0, 1]), 60)
    centres = torch.tensor(np.r_[f[3:4], f[:1], f[:1], f[9:10]])
    found = nearest_rows(rows, centres, given=given).tolist()
    assert found[0] == 7
    assert len(set(found)) == 4
    assert not {0, 1} & set(found)
    assert 18 in found, "the lower of two equal rows"


@every_pool
def test_kmeans_medoids(pool: NamedPool):
    """The row nearest to the mean of every cluster, larger clusters first; then the next nearest."""
    made = make_pool(pool.tensor, device="cpu").ordered
    rows = unit_rows(made.features.double())
    clusters = k_means(rows, 7, 0, "kmeans_medoids:clusters").numpy()
    found = select(made, "kmeans_medoids", 7, seed=0).indices.numpy()
    assert len(set(found.tolist())) == 7
    x, sizes = rows.numpy(), np.bincount(clusters)
    filled = np.flatnonzero(sizes)
    assert clusters[found[: len(filled)]].tolist() == sorted(filled, key=lambda c: (-sizes[c], c))
    for row in found[: len(filled)]:
        members = np.flatnonzero(clusters == clusters[row])
        apart = np.linalg.norm(x[members] - x[members].mean(axis=0), axis=1)
        assert apart[members == row][0] <= apart.min() * (1 + 1e-9) + 1e-15


def test_medoids_with_decisions_by_hand():
    rows = torch.tensor(normal(70, 4))
    free = medoids(rows, 8, 0, "kmeans_medoids:clusters").tolist()
    given = make_given(torch.tensor(free[2:3]), torch.tensor(free[:1]), 70)
    found = medoids(rows, 8, 0, "kmeans_medoids:clusters", given=given).tolist()
    clusters = k_means(rows, 8, 0, "kmeans_medoids:clusters")
    assert found[0] == free[2]
    assert free[0] not in found
    assert sorted(clusters[found].tolist()) == sorted(set(clusters.tolist())), "one in every cluster"


def labelled(size=80, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(size) % classes
    x = 1.5 * rng.normal(size=(classes, 6))[y] + rng.normal(size=(size, 6))
    return make_pool(torch.tensor(x * [1, 10, 0.1, 1, 1, 1] + 7), targets=torch.tensor(y)).ordered


@pytest.mark.parametrize(("passes", "dropout"), [(3, 0.75), (4, 0.5)])
def test_changed_predictions_are_those_of_masked_rows(passes, dropout):
    pool = labelled()
    head = pool.warm_up
    found = changed_predictions(pool, head, passes, dropout, generator(0, "masks"))
    draw = generator(0, "masks")
    x = pool.features.numpy()
    standard = (x - x.mean(axis=0)) / x.std(axis=0)
    weights, logits = head.weights.numpy(), head.logits.numpy()
    bias = (logits - standard @ weights).mean(axis=0)
    changes = np.zeros(len(x), dtype=int)
    for _ in range(passes):
        mask = (torch.rand(x.shape, generator=draw) >= dropout).numpy()
        for i in range(len(x)):
            scores = [sum(standard[i] * mask[i] * weights[:, k]) / (1 - dropout) + bias[k] for k in range(3)]
            changes[i] += int(np.argmax(scores)) != int(logits[i].argmax())
    assert found.tolist() == changes.tolist()
    assert 0 < (2 * changes > passes).sum() < len(x)


@every_pool
def test_dropquery(pool: NamedPool):
    """Every row's changed predictions, but for rows where the two best classes differ by rounding alone."""
    made = make_pool(pool.tensor, targets=pool.classes, device="cpu").ordered
    found = select(made, "dropquery", 6, seed=1).scores.numpy() * 3
    draw, head = generator(1, "dropquery:masks"), made.warm_up
    standard, logits = made.scaler(made.features).numpy(), head.logits.numpy()
    weights = head.weights.numpy()
    bias = (logits - standard @ weights).mean(axis=0)
    changes, certain = np.zeros(len(logits)), np.ones(len(logits), dtype=bool)
    for _ in range(3):
        mask = (torch.rand(standard.shape, generator=draw) >= 0.75).numpy()
        scores = (standard * mask * 4) @ weights + bias
        best = np.sort(scores, axis=1)
        certain &= best[:, -1] - best[:, -2] > 1e-6
        changes += scores.argmax(axis=1) != logits.argmax(axis=1)
    assert certain.any()
    np.testing.assert_allclose(found[certain], changes[certain], atol=1e-6)


def test_the_bar_of_doubt_is_more_than_half_and_falls_where_too_few_are_above():
    changes, free = torch.tensor([3, 2, 1, 0, 2, 1, 0]), torch.ones(7, dtype=torch.bool)
    assert doubtful_rows(changes, 3, 1, free).tolist() == [0, 1, 4]
    assert doubtful_rows(changes, 3, 4, free).tolist() == [0, 1, 2, 4, 5]
    assert doubtful_rows(changes, 3, 6, free).tolist() == list(range(7))
    assert doubtful_rows(changes, 4, 1, free).tolist() == [0], "2 of 4 is not more than half"
    free[0] = False
    assert doubtful_rows(changes, 3, 2, free).tolist() == [1, 4]


def test_dropquery_takes_the_medoids_of_rows_in_doubt():
    pool = labelled()
    changes = changed_predictions(pool, pool.warm_up, 3, 0.75, generator(5, "dropquery:masks"))
    doubtful = (changes >= 2).nonzero().squeeze(1)
    found = select(pool, "dropquery", 6, seed=5)
    middle = pool.features - pool.features.mean(dim=0)
    assert found.indices.tolist() == doubtful[medoids(middle[doubtful], 6, 5, "dropquery:clusters")].tolist()
    assert found.objective["changed_rows"] == len(doubtful)
    np.testing.assert_allclose(found.scores, changes / 3)
    include, exclude = found.indices[:1].tolist(), found.indices[1:2].tolist()
    by_hand = select(pool, "dropquery", 6, seed=5, include=include, exclude=exclude).indices.tolist()
    assert by_hand[0] == include[0]
    assert set(by_hand[1:]) < set(doubtful.tolist()) - {*include, *exclude}
